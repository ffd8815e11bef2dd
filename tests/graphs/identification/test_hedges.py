"""Hedges and their judge, pairs of models that disagree, and changes that would help."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import numpy as np
import pytest

from suppose.core.errors import GraphError
from suppose.graphs import DAG
from suppose.graphs.identification import (
    Forest,
    Hedge,
    check_hedge,
    identify,
    pair_of_models,
    remedies,
)

BOW = "x -> y; x <-> y"


def test_the_hedge_of_the_bow():
    found = identify(BOW, "y", "x")
    assert not found and found.hedge == Hedge(
        Forest(("x", "y"), (("x", "y"),), (("y", "x"),)), Forest(("y",), (), ()), ("y",), ("x",)
    )
    assert found.steps[-1].rule == 5 and "two worlds can agree" in found.explain()
    assert "what setting x does to y cannot be told" in str(found)
    assert found.hedge.graph == DAG("x -> y; x <-> y", treatment="x", outcome="y")


def test_the_judge_knows_every_clause():
    text = "x -> m -> y; x <-> m; m <-> y; z -> y; w <-> z"
    found = identify(text, "y", "x")
    hedge = found.hedge
    assert check_hedge(text, "y", "x", hedge)
    outer, inner = hedge.outer, hedge.inner
    wrong = [
        replace(hedge, outer=replace(outer, directed=(*outer.directed, ("y", "x")))),  # no such arrow
        replace(hedge, outer=replace(outer, bidirected=outer.bidirected[1:])),  # falls apart
        replace(hedge, outer=replace(outer, directed=outer.directed[1:])),  # other roots
        replace(hedge, inner=outer),  # the inner one must hold nothing that is set
        replace(hedge, outer=inner),  # the outer one must
        replace(hedge, inner=Forest(("z",), (), ())),  # not within
        replace(hedge, inner=Forest((), (), ())),
        replace(hedge, outer=replace(outer, nodes=(*outer.nodes, "w"))),
    ]
    assert [check_hedge(text, "y", "x", other) for other in wrong] == [False] * len(wrong)
    assert not check_hedge(text, "z", "x", hedge)  # its roots are no causes of z
    assert not check_hedge(text, "y", "w", hedge)
    assert not check_hedge("x -> m -> y; x <-> m; z -> y", "y", "x", hedge)  # an edge it needs is missing


def test_the_judge_projects_hidden_nodes_by_itself():
    dag = DAG("h -> {x k}; k -> y; x -> g -> y", latent=["h", "k", "g"])
    found = identify(dag, "y", "x")
    assert not found and check_hedge(dag, "y", "x", found.hedge)


def test_conditional_queries_have_hedges_too(lab):
    rng = random.Random(8)
    seen = 0
    while seen < 40:
        dag, y, x, z = lab.random_query(rng)
        found = identify(dag, y, x, z)
        if z and not found:
            seen += 1
            assert check_hedge(dag, y, x, found.hedge, z)


# -- pairs of models ----------------------------------------------------------------------------


def test_pairs_agree_on_all_that_is_observed_and_differ_in_the_answer(lab):
    rng = random.Random(9)
    made = 0
    while made < 25:
        dag, y, x, _ = lab.random_query(rng, 3, 6, conditions=False)
        if identify(dag, y, x, shorten=False):
            continue
        made += 1
        pair = pair_of_models(dag, y, x)
        first, second = pair.observed()
        assert set(first.variables) == set(dag.nodes)
        assert first.allclose(second, 1e-12) and first.values.min() > 0
        one, two = pair.answers
        assert not one.allclose(two, 1e-3)
        for model in (pair.first, pair.second):  # each is a model of the graph
            arrows = {(a, b) for a, b in model.graph.directed if a in dag and b in dag}
            assert arrows <= set(dag.directed)
            for name in model.graph.latent:
                assert any(set(model.graph.children(name)) <= set(edge) for edge in dag.bidirected)


def test_every_formula_would_have_to_be_wrong_in_one_of_them():
    pair = pair_of_models(BOW, "y", "x")
    naive = [model.query("y", given={"x": "0"}).values for model in (pair.first, pair.second)]
    np.testing.assert_allclose(naive[0], naive[1], atol=1e-12)
    assert "0.5000 and 0.7500" in str(pair)


def test_a_node_can_hand_on_and_take_part():
    # The way from the root to the outcome leads back through the hedge, so that a node needs two bits.
    text = "x -> s; s -> r; r -> a; a -> t; t -> y; x <-> s; s <-> r; x <-> r; x <-> t; t <-> r"
    dag = DAG(text)
    found = identify(dag, "y", "x")
    assert not found
    pair = pair_of_models(dag, "y", "x")
    first, second = pair.observed()
    assert first.allclose(second, 1e-12) and not pair.answers[0].allclose(pair.answers[1], 1e-4)


def test_pairs_refuse_what_has_none():
    with pytest.raises(GraphError, match=r"P\(y \| do\(x\)\) is identified") as caught:
        pair_of_models("x -> y", "y", "x")
    assert caught.value.code == "identified"
    crowd = "; ".join(f"p{k} -> w" for k in range(25))
    with pytest.raises(GraphError, match="differ in what is conditioned on alone") as caught:
        pair_of_models(f"x -> w; v -> w; x <-> w; {crowd}", "v", "x", "w")
    assert caught.value.code == "no-pair"


def test_pairs_for_conditional_queries(lab):
    # The hedge of x and w concerns the condition alone; what w says about v then depends on it.
    pair = pair_of_models("x -> w; v -> w; x <-> w", "v", "x", "w")
    first, second = pair.observed()
    assert first.allclose(second, 1e-12) and not pair.answers[0].allclose(pair.answers[1], 1e-3)
    rng = random.Random(11)
    made = 0
    while made < 15:
        dag, y, x, z = lab.random_query(rng, 3, 5)
        if not z or identify(dag, y, x, z, shorten=False):
            continue
        made += 1
        pair = pair_of_models(dag, y, x, z)
        first, second = pair.observed()
        assert first.allclose(second, 1e-12) and first.values.min() > 0
        assert not pair.answers[0].allclose(pair.answers[1], 1e-6)


# -- remedies -----------------------------------------------------------------------------------


def test_remedies_of_the_bow():
    found = remedies(DAG("u -> {x y}; x -> y", latent="u"), "y", "x")
    assert [(r.kind, r.nodes) for r in found] == [("measure", ("u",)), ("randomise", ("x",))]
    assert (
        found[0].estimand is not None and str(found[0].estimand) == "P(y | do(x)) = sum_{u} P(u) P(y | x, u)"
    )
    assert [str(r) for r in remedies(BOW, "y", "x")] == [
        "Randomise x.", "Show that x and y share no hidden cause, or measure what they share.",
    ]  # fmt: skip
    assert remedies("x -> y", "y", "x") == ()


def test_an_experiment_on_another_node_can_help():
    found = {r.nodes for r in remedies("x -> m -> y; m <-> y; z -> m", "y", "m") if r.kind == "randomise"}
    assert found == {("m",)}  # the instrument z does not free m and y of what they share
    surrogate = "z -> x -> y; z <-> x; z <-> y"  # Bareinboim and Pearl 2012: an experiment on z in place of x
    assert not identify(surrogate, "y", "x")
    assert [r.nodes for r in remedies(surrogate, "y", "x") if r.kind == "randomise"] == [("z",), ("x",)]


def test_remedies_are_checked_one_by_one(lab):
    rng = random.Random(10)
    seen = 0
    while seen < 30:
        dag, y, x, z = lab.random_query(rng, 3, 5)
        found = identify(dag, y, x, z)
        if found:
            continue
        seen += 1
        listed = found.remedies()
        ruled = {frozenset(r.nodes) for r in listed if r.kind == "rule-out"}
        for edge in dag.bidirected:
            changed = dag.replace(bidirected=[other for other in dag.bidirected if other != edge])
            assert bool(identify(changed, y, x, z)) == (frozenset(edge) in ruled)
            assert dag.bidirected != changed.bidirected
        for remedy in listed:
            if remedy.estimand is not None:
                network = lab.random_network(remedy.graph, np.random.default_rng(seen))
                assert lab.gap(remedy.estimand, network) < 1e-9


def test_remedies_of_large_graphs_take_moments(lab):
    dag, x, y = lab.large_graph(2, 200, 20, 2)
    assert not identify(dag, y, x)
    start = time.process_time()
    found = remedies(dag, y, x)
    assert time.process_time() - start < 2.0
    assert any(remedy.nodes == (x,) for remedy in found)


def test_randomising_gives_the_answer_from_both_laws(lab):
    """Where an experiment helps, the parts come from the observed law or the law of the experiment."""
    # Two bows in a row: x1 -> y1 and x2 -> y, of which the experiment on x1 breaks the first.
    text = "x1 -> m; x1 <-> m; m -> y; x2 -> y; c -> {x2 y}"
    found = [r.nodes for r in remedies(text, "y", ["x1", "x2"]) if r.kind == "randomise"]
    assert found == [("x1",)]
