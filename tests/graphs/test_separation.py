"""Separation and open paths, against textbook graphs, networkx and the naive second implementation."""

from __future__ import annotations

import itertools
import random

import networkx as nx
import pytest

from suppose.core.errors import GraphError
from suppose.graphs import DAG, d_connected_nodes, d_separated, explain_path, open_paths

COUNTS = [150, pytest.param(2000, marks=pytest.mark.slow)]


class TestTruth:
    @pytest.mark.parametrize(
        ("text", "given", "separated"),
        [
            ("x -> m -> y", "", False),
            ("x -> m -> y", "m", True),
            ("x <- c -> y", "", False),
            ("x <- c -> y", "c", True),
            ("x -> s <- y", "", True),
            ("x -> s <- y", "s", False),
            ("x -> s <- y; s -> t -> w", "w", False),
            ("x <-> y", "", False),
            ("x <-> m <-> y", "", True),
            ("x <-> m <-> y", "m", False),
            ("x <-> m -> y", "", False),
            ("x <-> m -> y", "m", True),
            ("x -> m <-> y; m -> d", "d", False),
            ("u -> {x m}; v -> {m y}", "", True),
            ("u -> {x m}; v -> {m y}", "m", False),
            ("u -> {x m}; v -> {m y}", "m u", True),
        ],
    )
    def test_textbook(self, text, given, separated):
        assert d_separated(DAG(text), "x", "y", given.split()) == separated

    @pytest.mark.parametrize("count", COUNTS)
    def test_agrees_with_networkx_and_the_definition_on_random_graphs(self, count, naive):
        rng = random.Random(11)
        for k in range(count):
            nodes, directed, bidirected = naive.random_graph(rng, 10, bidirected=k % 2 == 1)
            second = naive.Naive(nodes, directed, bidirected)
            dag = DAG.from_edges(directed, bidirected, nodes)
            x, y = rng.sample(nodes, 2)
            third = dag.to_networkx()
            for _ in range(4):
                given = {v for v in nodes if v not in (x, y) and rng.random() < 0.4}
                ours = d_separated(dag, x, y, given)
                assert ours == second.separated(x, y, given) == nx.is_d_separator(third, x, y, given), (
                    dag,
                    given,
                )
                assert ours == (y not in d_connected_nodes(dag, x, given))

    @pytest.mark.parametrize("count", COUNTS)
    def test_sets_agree_with_networkx(self, count, naive):
        rng = random.Random(12)
        for k in range(count):
            nodes, directed, bidirected = naive.random_graph(rng, 10, bidirected=k % 2 == 1)
            dag = DAG.from_edges(directed, bidirected, nodes)
            owner = {v: rng.choice("xyz-") for v in nodes}
            x, y, z = ({v for v in nodes if owner[v] == role} for role in "xyz")
            if x and y:
                assert d_separated(dag, x, y, z) == nx.is_d_separator(dag.to_networkx(), x, y, z)

    @pytest.mark.parametrize("count", COUNTS)
    def test_open_paths_are_all_of_them_and_only_open_ones(self, count, naive):
        rng = random.Random(13)
        for k in range(count):
            nodes, directed, bidirected = naive.random_graph(rng, 9, bidirected=k % 2 == 1)
            second = naive.Naive(nodes, directed, bidirected)
            dag = DAG.from_edges(directed, bidirected, nodes)
            x, y = rng.sample(nodes, 2)
            given = {v for v in nodes if v not in (x, y) and rng.random() < 0.3}
            found = open_paths(dag, x, y, given, limit=100_000)
            # A hidden cause with two effects is passed from one to the other: the same path as its edge.
            expected = [
                tuple(v for v in path if v in nodes)
                for path in second.paths(x, y)
                if second.is_open(path, given)
            ]
            assert sorted(path.nodes for path in found) == sorted(expected), (dag, x, y, given)
            assert all(path.is_open for path in found) and found.complete
            lengths = [len(path.arrows) for path in found]
            assert lengths == sorted(lengths)

    def test_reasons_are_in_words(self):
        dag = DAG("treat <- age -> re78; treat -> job -> re78; treat -> c <- re78; c -> d")
        found = open_paths(dag, "treat", "re78", "d")
        texts = {path.text: [step.reason for step in path.steps] for path in found}
        assert texts == {
            "treat <- age -> re78": ["age is a common cause and is not given"],
            "treat -> job -> re78": ["job is on the way and is not given"],
            "treat -> c <- re78": ["c is a collider and its descendant d is given"],
        }
        assert [path.is_causal for path in found] == [path.text.count("<") == 0 for path in found]
        assert found.to_frame().columns.tolist() == ["path", "edges", "causal", "reason"]

    def test_a_direct_edge_and_a_hidden_cause_are_two_paths(self):
        found = open_paths(DAG("x -> y; x <-> y"), "x", "y")
        assert {path.text for path in found} == {"x -> y", "x <-> y"}
        assert "a direct edge, which nothing blocks" in str(found)

    def test_one_path_explained(self):
        dag = DAG("x -> m -> y; x -> s <- y")
        assert not explain_path(dag, "x -> m -> y", "m").is_open
        blocked = explain_path(dag, "x -> s <- y")
        assert blocked.steps[0].kind == "collider" and "neither it nor a descendant" in str(blocked)
        assert explain_path(dag, "y <- m <- x").steps[0].kind == "chain"

    def test_no_path(self):
        found = open_paths(DAG("x -> s <- y"), "x", "y")
        assert not found and "they are separated" in str(found) and found.to_frame().empty


class TestInvariance:
    def test_ends_can_be_exchanged_and_order_does_not_matter(self, naive):
        rng = random.Random(14)
        for _ in range(100):
            nodes, directed, bidirected = naive.random_graph(rng, 9, bidirected=True)
            x, y, *rest = rng.sample(nodes, len(nodes))
            given = rest[: len(rest) // 3]
            shuffled = DAG.from_edges(
                rng.sample(directed, len(directed)), bidirected, rng.sample(nodes, len(nodes))
            )
            first = d_separated(DAG.from_edges(directed, bidirected, nodes), x, y, given)
            assert first == d_separated(shuffled, y, x, given)

    def test_a_limit_keeps_the_shortest_and_says_so(self):
        dag = DAG("; ".join(f"x -> a{i} -> b{i} -> y" for i in range(8)) + "; x -> c -> y")
        few = open_paths(dag, "x", "y", limit=3)
        assert not few.complete and len(few) == 3 and few[0].nodes == ("x", "c", "y")
        assert "raise limit" in str(few) and str(few).startswith("First 3 open paths")
        assert open_paths(dag, "x", "y", limit=9).complete

    def test_exponentially_many_paths_come_one_by_one(self):
        layers = [[f"n{i}_{j}" for j in range(3)] for i in range(30)]
        edges = [(a, b) for left, right in itertools.pairwise(layers) for a in left for b in right]
        dag = DAG.from_edges([*(("x", v) for v in layers[0]), *edges, *((v, "y") for v in layers[-1])])
        assert len(open_paths(dag, "x", "y", limit=20)) == 20  # of 3**30


class TestRefusal:
    def test_sets_that_share_a_node(self):
        with pytest.raises(GraphError, match="given: 'a' is in x and in given") as caught:
            d_separated(DAG("a -> b"), "a", "b", "a")
        assert caught.value.code == "overlapping-sets"

    def test_an_empty_set(self):
        with pytest.raises(GraphError, match="y: expected at least one node") as caught:
            open_paths(DAG("a -> b"), "a", [])
        assert caught.value.code == "empty-set"

    def test_an_unknown_node_names_the_argument(self):
        with pytest.raises(GraphError, match=r"given: the graph has no node 'agee'.*'age'"):
            d_separated(DAG("age -> b; b -> c"), "b", "c", "agee")

    @pytest.mark.parametrize("limit", [0, -1, True])
    def test_a_limit_that_is_none(self, limit):
        with pytest.raises(GraphError, match="whole number of at least 1") as caught:
            open_paths(DAG("a -> b"), "a", "b", limit=limit)
        assert caught.value.code == "bad-limit"

    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("a -> c", "no edge a -> c"),
            ("b -> a", "no edge b -> a"),
            ("a -> b <- a -> d", "no edge|each node once"),
        ],
    )
    def test_a_path_that_is_not_there(self, path, message):
        with pytest.raises(GraphError, match=message) as caught:
            explain_path(DAG("a -> b -> c; a -> d"), path)
        assert caught.value.code == "no-such-path"
