"""Adjustment sets against the criterion spelled out over all paths, and the O-set against exact variances."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest

from suppose.core.errors import GraphError
from suppose.graphs import (
    DAG,
    adjustment_sets,
    d_separated,
    is_adjustment_set,
    open_paths,
    proper_backdoor_graph,
)

COUNTS = [150, pytest.param(2000, marks=pytest.mark.slow)]
PEARL = DAG(
    "X1 -> {X3 X4}; X2 -> {X4 X5}; X3 -> Xi; X4 -> {Xi Xj}; X5 -> Xj; Xi -> X6 -> Xj",
    treatment="Xi",
    outcome="Xj",
)


def unordered(sets):
    return sorted(sorted(members) for members in sets)


class TestTruth:
    def test_pearl_six_variables(self):
        """Pearl 2009, figure 3.4."""
        assert adjustment_sets(PEARL).items == (("X1", "X4"), ("X3", "X4"), ("X4", "X2"), ("X4", "X5"))
        assert adjustment_sets(PEARL, kind="optimal").items == (("X4", "X5"),)
        assert not is_adjustment_set(PEARL, adjustment=["X4"])
        assert not is_adjustment_set(PEARL, adjustment=["X3", "X4", "X6"])

    def test_m_bias(self):
        dag = DAG("u -> {x m}; v -> {m y}; x -> y")
        assert adjustment_sets(dag, "x", "y").items == ((),)
        assert adjustment_sets(dag, "x", "y", "optimal").items == (("v",),)
        assert not is_adjustment_set(dag, "x", "y", "m") and is_adjustment_set(dag, "x", "y", ["m", "u"])

    def test_two_treatments(self):
        """Shpitser, VanderWeele and Robins 2010: time-dependent confounding has no adjustment set."""
        dag = DAG("x1 -> z -> x2 -> y; x1 -> y; z -> y; u -> {z y}")
        assert adjustment_sets(dag, ["x1", "x2"], "y", latent="u").items == ()
        assert adjustment_sets(DAG("c -> {x1 x2 y}; x1 -> x2 -> y; x1 -> y"), ["x1", "x2"], "y").items == (
            ("c",),
        )

    @pytest.mark.parametrize("count", COUNTS)
    def test_agrees_with_the_definition_on_random_graphs(self, count, naive):
        rng = random.Random(21)
        for k in range(count):
            nodes, directed, bidirected = naive.random_graph(rng, 10, bidirected=k % 2 == 1)
            second = naive.Naive(nodes, directed, bidirected)
            dag = DAG.from_edges(directed, bidirected, nodes)
            xs, ys = naive.random_ends(rng, second)
            hidden = [v for v in nodes if v not in xs + ys and rng.random() < 0.1]
            valid = [s for s in second.adjustment_sets(xs, ys) if not s & set(hidden)]
            about = (dag, xs, ys, hidden)
            every = adjustment_sets(dag, xs, ys, "all", latent=hidden, limit=1000)
            assert every.complete and unordered(every) == unordered(valid), about
            least = naive.minimal(valid)
            assert unordered(adjustment_sets(dag, xs, ys, latent=hidden, limit=1000)) == unordered(least), (
                about
            )
            for kind in ("one", "minimum"):
                found = adjustment_sets(dag, xs, ys, kind, latent=hidden)
                assert len(found) == bool(valid) and all(set(s) in least for s in found), about
                if kind == "minimum" and valid:
                    assert len(found[0]) == min(map(len, valid)), about
            self.check_verdicts(rng, dag, xs, ys, hidden, second, valid)
            self.check_include(rng, dag, xs, ys, hidden, naive, valid)

    def check_verdicts(self, rng, dag, xs, ys, hidden, second, valid):
        subsets = second.subsets(*xs, *ys)
        for members in rng.sample(subsets, min(5, len(subsets))):
            verdict = is_adjustment_set(dag, xs, ys, members, latent=hidden)
            assert verdict.valid == bool(verdict) == (members in valid), (dag, xs, ys, members)
            assert verdict.reason and set(verdict.unobserved) == members & set(hidden)
            assert set(verdict.forbidden) == members & second.forbidden(xs, ys)
            backdoor = d_separated(proper_backdoor_graph(dag, xs, ys), xs, ys, members)
            assert backdoor == (not verdict.open_paths)

    def check_include(self, rng, dag, xs, ys, hidden, naive, valid):
        if not valid:
            return
        largest = sorted(max(valid, key=len))
        chosen = set(rng.sample(largest, min(2, len(largest))))
        expected = naive.minimal([s for s in valid if s >= chosen])
        found = adjustment_sets(dag, xs, ys, include=chosen, latent=hidden, limit=1000)
        assert unordered(found) == unordered(expected), (dag, xs, ys, chosen)

    @pytest.mark.parametrize("count", COUNTS)
    def test_optimal_has_the_lowest_variance_of_all_valid_sets(self, count, naive):
        """Exact: population covariance of random linear Gaussian models, every valid set compared."""
        rng, numbers = random.Random(22), np.random.default_rng(22)
        compared = explained = 0
        for k in range(count):
            nodes, directed, bidirected = naive.random_graph(rng, 9, bidirected=k % 4 == 3)
            second = naive.Naive(nodes, directed, bidirected)
            dag = DAG.from_edges(directed, bidirected, nodes)
            xs, ys = naive.random_ends(rng, second)
            hidden = [v for v in nodes if v not in xs + ys and k % 3 == 0 and rng.random() < 0.2]
            valid = [s for s in second.adjustment_sets(xs, ys[:1]) if not s & set(hidden)]
            best = adjustment_sets(dag, xs, ys[0], "optimal", latent=hidden)
            assert len(best) <= bool(valid) and best.reason
            explained += bool(valid) and not best
            for members in best:
                assert set(members) in valid
                for _ in range(2):
                    lowest, ours = self.variances(naive, second, numbers, xs, ys[0], valid, members)
                    assert np.all(ours <= lowest * (1 + 1e-9)), (dag, xs, ys[0], hidden, members)
                    compared += len(valid)
        assert compared > 5 * count and explained > 0

    @pytest.mark.parametrize("count", COUNTS)
    def test_one_has_the_lowest_variance_of_the_minimal_sets(self, count, naive):
        """Smucler, Sapienza and Rotnitzky 2022, with hidden common causes."""
        rng, numbers = random.Random(23), np.random.default_rng(23)
        compared = 0
        for _ in range(count):
            nodes, directed, bidirected = naive.random_graph(rng, 9, bidirected=True)
            second = naive.Naive(nodes, directed, bidirected[:1])
            dag = DAG.from_edges(directed, bidirected[:1], nodes)
            (x,), (y,) = (ends[:1] for ends in naive.random_ends(rng, second))
            least = naive.minimal(second.adjustment_sets([x], [y]))
            if len(least) > 1:
                lowest, ours = self.variances(
                    naive, second, numbers, [x], y, least, adjustment_sets(dag, x, y, "one")[0]
                )
                assert np.all(ours <= lowest * (1 + 1e-9)), (dag, x, y)
                compared += 1
        assert compared > count // 40

    def variances(self, naive, second, numbers, xs, y, candidates, members):
        cov = second.covariance(numbers)
        place = {v: i for i, v in enumerate(second.nodes)}

        def of(chosen):
            return naive.asymptotic_variances(
                cov, [place[x] for x in xs], place[y], [place[v] for v in chosen]
            )

        return np.min([of(sorted(s)) for s in candidates], axis=0), np.array(of(members))

    def test_back_door_graph_lacks_first_causal_edges_only(self):
        dag = DAG("c -> {x y}; x -> m -> y; x -> d; m -> e")
        assert proper_backdoor_graph(dag, "x", "y") == DAG("c -> {x y}; m -> y; x -> d; m -> e")


class TestWords:
    @pytest.mark.parametrize(
        ("text", "members", "reason"),
        [
            ("c -> {x y}; x -> m -> y", "m", "m lies on a causal path from x to y"),
            ("c -> {x y}; x -> m -> y; m -> d", "d", "d is an effect of m, which is on a causal path"),
            ("c -> {x y}; x -> y", "", r"x <- c -> y \(c is a common cause and is not given\) stays open"),
            ("x -> y; x -> s <- y", "s", "s is an effect of y"),
            ("u -> {x y}; x -> y", "", r"x <- u -> y \(u was not measured\) stays open"),
            ("c -> {x y}; u -> c; x -> y", "u c", "u was not measured"),
            ("c -> {x y}; u -> c; x -> y", "c", "blocks every non-causal path and touches no causal one"),
            ("x <- c -> y", "c", "No directed path leads from x to y: by this graph the effect is zero"),
        ],
    )
    def test_verdicts(self, text, members, reason):
        latent = "u" if "u" in text else ()
        verdict = is_adjustment_set(DAG(text), "x", "y", members.split(), latent=latent)
        assert re.search(reason, str(verdict)), str(verdict)

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("x -> y; x <-> y", "nothing closes x <-> y"),
            ("u -> {x y}; x -> y", r"nothing closes x <- u -> y \(u was not measured\)"),
            ("y -> x", r"nothing closes x <- y .*by this graph the effect is zero"),
            ("x -> m -> y; m <-> x", "No set of measured variables identifies"),
        ],
    )
    def test_why_there_is_none(self, text, reason):
        dag = DAG(text)
        for kind in ("minimal", "all", "one", "minimum", "optimal"):
            found = adjustment_sets(dag, "x", "y", kind, latent="u" if "u" in dag else ())
            assert not found and found.complete
            assert re.search(reason, str(found)), str(found)

    def test_optimal_is_not_claimed_where_it_need_not_exist(self):
        """Rotnitzky and Smucler 2020: with a hidden cause of the outcome and a proxy of it, none is best."""
        dag = DAG("c -> {x y}; x -> y; y <-> w; w <-> d; c -> d")
        found = adjustment_sets(dag, "x", "y", "optimal")
        assert not found and "No set is certain to be optimal" in str(found) and "kind='one'" in str(found)
        assert adjustment_sets(dag, "x", "y", "one")

    @pytest.mark.parametrize(
        ("text", "best"),
        [
            ("x -> m -> y; m <-> y; w -> y", ("w",)),
            ("c -> {x y}; x -> y; c <-> y", ("c",)),
            ("x -> y; w -> y; w <-> y; z -> x", ("w",)),
        ],
    )
    def test_optimal_with_hidden_causes_where_it_exists(self, text, best):
        """Smucler, Sapienza and Rotnitzky 2022: every usable node is an ancestor of x or y."""
        found = adjustment_sets(DAG(text), "x", "y", "optimal")
        assert found.items == (best,) and "hidden causes allow it" in found.reason

    def test_optimal_with_hidden_causes_and_two_treatments_is_not_claimed(self):
        found = adjustment_sets(DAG("x1 -> y; x2 -> y; w -> y; w <-> y"), ["x1", "x2"], "y", "optimal")
        assert not found and "covers one treatment and one outcome" in found.reason

    def test_optimal_with_a_zero_effect_or_with_an_outcome_that_is_no_effect(self):
        dag = DAG("c -> {x y z}; x -> y")
        assert "effect is zero" in adjustment_sets(dag, "x", "z", "optimal").reason
        assert "leave it out" in adjustment_sets(dag, "x", ["y", "z"], "optimal").reason

    def test_a_hidden_cause_of_one_variable_is_noise(self):
        found = adjustment_sets(DAG("u -> y; c -> {x y}; x -> y; s -> t"), "x", "y", "optimal", latent="u")
        assert found.items == (("c",),) and "O-set" in found.reason

    def test_include_that_cannot_be(self):
        dag = DAG("c -> {x y}; x -> m -> y; u -> c", latent="u")
        assert "it was not measured" in adjustment_sets(dag, "x", "y", include="u").reason
        assert "lies on a causal path" in adjustment_sets(dag, "x", "y", include="m").reason

    def test_headings(self):
        assert str(adjustment_sets(PEARL)).splitlines()[:2] == [
            "4 minimal adjustment sets for the effect of Xi on Xj:",
            "  {X1, X4}",
        ]
        assert (
            str(adjustment_sets(PEARL, limit=2)).splitlines()[-1]
            == "  ... and more (raise limit to see them)"
        )
        assert str(adjustment_sets(PEARL, kind="minimum")).startswith(
            "An adjustment set with the fewest members"
        )
        assert adjustment_sets(PEARL).to_frame().to_dict("list") == {
            "adjust_for": ["{X1, X4}", "{X3, X4}", "{X4, X2}", "{X4, X5}"],
            "size": [2, 2, 2, 2],
        }


class TestInvariance:
    def test_roles_come_from_the_graph_or_from_arguments(self):
        plain = DAG(PEARL.text)
        assert adjustment_sets(plain, "Xi", "Xj").items == adjustment_sets(PEARL).items
        marked = DAG("u -> {x y}; x -> y", latent="u")
        assert not adjustment_sets(marked, "x", "y") and adjustment_sets(marked.replace(latent=[]), "x", "y")

    def test_sets_do_not_depend_on_the_order_of_writing(self, naive):
        rng = random.Random(24)
        for _ in range(60):
            nodes, directed, bidirected = naive.random_graph(rng, 9, bidirected=True)
            xs, ys = naive.random_ends(rng, naive.Naive(nodes, directed, bidirected))
            first = DAG.from_edges(directed, bidirected, nodes)
            other = DAG.from_edges(
                rng.sample(directed, len(directed)), bidirected, rng.sample(nodes, len(nodes))
            )
            for kind in ("minimal", "all", "optimal"):
                sets = [unordered(adjustment_sets(dag, xs, ys, kind, limit=1000)) for dag in (first, other)]
                assert sets[0] == sets[1]

    def test_exponentially_many_sets_come_one_by_one(self):
        dag = DAG("; ".join(f"x <- a{i} <- b{i} -> y" for i in range(40)) + "; x -> y")
        found = adjustment_sets(dag, "x", "y", limit=50)
        assert len(found) == len(set(found)) == 50 and not found.complete
        assert all(is_adjustment_set(dag, "x", "y", members) for members in found)
        assert adjustment_sets(dag, "x", "y", "optimal").items == (tuple(f"b{i}" for i in range(40)),)
        assert len(adjustment_sets(dag, "x", "y", "all", limit=30)) == 30

    def test_a_long_chain_needs_no_recursion(self):
        names = [f"c{i}" for i in range(3000)]
        dag = DAG("x <- " + " <- ".join(names) + " -> y; x -> y")
        assert adjustment_sets(dag, "x", "y", limit=1).items == (("c2999",),)
        assert len(open_paths(dag, "x", "y")) == 2


class TestRefusal:
    def test_a_kind_that_is_none(self):
        with pytest.raises(GraphError, match=r"kind: expected one of.*Did you mean 'optimal'") as caught:
            adjustment_sets(PEARL, kind="optimum-al")
        assert caught.value.code == "bad-kind"

    def test_no_treatment(self):
        with pytest.raises(GraphError, match="no treatment was named, and the graph marks none") as caught:
            adjustment_sets(DAG("x -> y"), outcome="y")
        assert caught.value.code == "missing-role"

    def test_an_empty_treatment(self):
        with pytest.raises(GraphError, match="treatment: expected at least one node"):
            adjustment_sets(DAG("x -> y"), [], "y")

    def test_a_latent_treatment(self):
        with pytest.raises(GraphError, match="outcome: 'y' is latent") as caught:
            is_adjustment_set(DAG("x -> y"), "x", "y", latent="y")
        assert caught.value.code == "latent-role"

    @pytest.mark.parametrize("name", ["x", "y"])
    def test_adjusting_for_an_end(self, name):
        with pytest.raises(GraphError, match=f"'{name}' is the .* and in adjustment") as caught:
            is_adjustment_set(DAG("x -> y"), "x", "y", name)
        assert caught.value.code == "overlapping-sets"
        with pytest.raises(GraphError, match="in include"):
            adjustment_sets(DAG("x -> y"), "x", "y", include=name)

    def test_including_in_the_optimal_set(self):
        with pytest.raises(GraphError, match="cannot be told what to include"):
            adjustment_sets(PEARL, kind="optimal", include="X1")

    def test_a_mistyped_covariate(self):
        with pytest.raises(GraphError, match=r"adjustment: the graph has no node 'X7'"):
            is_adjustment_set(PEARL, adjustment="X7")
