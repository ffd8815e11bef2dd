"""The graph itself: content, relations, derived graphs, refusals."""

from __future__ import annotations

import copy
import itertools
import pickle

import networkx as nx
import pytest

from suppose.core.errors import GraphError
from suppose.graphs import DAG

JOBS = "{age educ} -> {treat re78}; treat -> job -> re78; age <-> educ"


class TestTruth:
    def test_relations(self):
        dag = DAG(JOBS)
        assert dag.nodes == ("age", "educ", "treat", "re78", "job")
        assert dag.parents("re78") == ("age", "educ", "job")
        assert dag.children(["age", "treat"]) == ("treat", "re78", "job")
        assert dag.siblings("age") == ("educ",)
        assert dag.ancestors("job") == ("age", "educ", "treat", "job")
        assert dag.descendants("treat") == ("treat", "re78", "job")
        assert dag.districts() == (("age", "educ"), ("treat",), ("re78",), ("job",))

    @pytest.mark.parametrize("seed", range(30))
    def test_relations_agree_with_networkx(self, seed, naive):
        import random

        nodes, directed, _ = naive.random_graph(random.Random(seed))
        graph = nx.DiGraph(directed)
        graph.add_nodes_from(nodes)
        dag = DAG.from_edges(directed, nodes=nodes)
        for node in nodes:
            assert set(dag.ancestors(node)) == nx.ancestors(graph, node) | {node}
            assert set(dag.descendants(node)) == nx.descendants(graph, node) | {node}
        place = {node: i for i, node in enumerate(dag.order)}
        assert len(place) == len(nodes) and all(place[a] < place[b] for a, b in directed)

    def test_districts_are_joined_by_chains_of_bidirected_edges(self):
        assert DAG("a <-> b; b <-> c; d -> a").districts() == (("a", "b", "c"), ("d",))

    def test_derived_graphs(self):
        dag = DAG("z -> x -> y; x <-> y", latent="z")
        assert dag.without_incoming("x") == DAG("x -> y; z", latent="z")
        assert dag.without_outgoing("x") == DAG("z -> x; x <-> y", latent="z")
        assert dag.subgraph(["x", "y"]) == DAG("x -> y; x <-> y")
        assert dag.replace(bidirected=[]) == DAG("z -> x -> y", latent="z")

    def test_roles(self):
        dag = DAG("u -> {x y}; x -> y", treatment="x", outcome="y", latent=["u"], adjusted=[])
        assert (dag.treatment, dag.outcome, dag.latent, dag.adjusted) == (("x",), ("y",), ("u",), ())
        assert dag.observed == ("x", "y")


class TestInvariance:
    def test_equal_by_content_whatever_the_order(self):
        first, second = DAG("a -> b; c -> b; a <-> c"), DAG("c <-> a; c -> b; a -> b")
        assert first == second and hash(first) == hash(second) and len({first, second}) == 1
        assert first != DAG("a -> b; c -> b") and first != DAG("a -> b; c -> b; a <-> c", latent="a")
        assert first != "a -> b"

    @pytest.mark.parametrize(
        "dag",
        [
            DAG(),
            DAG(JOBS),
            DAG("b -> a; z; c <-> a", treatment="b", outcome="a", latent="z", adjusted="c"),
            DAG('"log \\"wage\\"" -> "a;b"; "x\\ny" -> "\\\\"; "->" <-> "it\'s"'),
            DAG.from_edges([("b", "a")], nodes=["z", "a", "b"]),
        ],
    )
    def test_repr_text_pickle_and_copy_give_it_back(self, dag):
        again = eval(repr(dag), {"DAG": DAG})
        assert again == dag and again.nodes == dag.nodes
        assert DAG(dag.text).nodes == dag.nodes and str(dag) == dag.text
        for other in (pickle.loads(pickle.dumps(dag)), copy.copy(dag), copy.deepcopy(dag)):
            assert other == dag and other.nodes == dag.nodes

    def test_does_not_change(self):
        dag = DAG("a -> b")
        with pytest.raises(AttributeError, match="does not change"):
            dag.nodes = ()
        with pytest.raises(AttributeError, match="does not change"):
            del dag._parts
        with pytest.raises(AttributeError):
            dag.anything = 1

    def test_collection(self):
        dag = DAG("a -> b")
        assert "a" in dag and "c" not in dag and len(dag) == 2 and list(dag) == ["a", "b"]

    def test_a_large_graph_is_built_quickly_and_without_recursion(self):
        names = [f"n{i}" for i in range(50_000)]
        dag = DAG.from_edges(itertools.pairwise(names))
        assert len(dag.ancestors(names[-1])) == 50_000


class TestRefusal:
    def test_a_cycle_is_printed(self):
        with pytest.raises(GraphError, match="cycle b -> c -> d -> b") as caught:
            DAG("a -> b -> c -> d -> b; d -> e")
        assert caught.value.code == "graph-cycle"

    def test_two_nodes_that_cause_each_other(self):
        with pytest.raises(GraphError, match="cycle a -> b -> a"):
            DAG("a -> b; b -> a")

    @pytest.mark.parametrize("text", ["a -> a", "a <-> a", "{a b} -> {b c}"])
    def test_an_edge_to_itself(self, text):
        with pytest.raises(GraphError, match="has an edge to itself") as caught:
            DAG(text)
        assert caught.value.code == "self-loop"

    def test_an_unknown_name_is_answered_with_the_nearest(self):
        with pytest.raises(GraphError, match=r"no node 'ages'.*Did you mean 'age'") as caught:
            DAG(JOBS).parents("ages")
        assert caught.value.code == "unknown-node"
        with pytest.raises(
            GraphError, match=r"treatment: the graph has no node 'Treat'.*Did you mean 'treat'"
        ):
            DAG(JOBS, treatment="Treat")
        with pytest.raises(GraphError, match="Check the spelling"):
            DAG(JOBS).descendants("zzz")

    @pytest.mark.parametrize(
        "roles", [("treatment", "outcome"), ("treatment", "latent"), ("outcome", "latent")]
    )
    def test_roles_that_exclude_each_other(self, roles):
        with pytest.raises(GraphError, match=f"cannot be {roles[0]} and {roles[1]}") as caught:
            DAG("a -> b", **dict.fromkeys(roles, "a"))
        assert caught.value.code == "overlapping-sets"

    @pytest.mark.parametrize("name", [1, None, "", ("a",)])
    def test_names_that_are_not_text(self, name):
        with pytest.raises(GraphError, match="non-empty text as node name") as caught:
            DAG.from_edges([("a", name)])
        assert caught.value.code == "bad-node-name"

    @pytest.mark.parametrize("edge", ["ab", ("a",), ("a", "b", "c"), 3])
    def test_edges_that_are_not_pairs(self, edge):
        with pytest.raises(GraphError, match="expected a pair") as caught:
            DAG.from_edges([edge])
        assert caught.value.code == "bad-edge"

    def test_replacing_what_a_graph_does_not_have(self):
        with pytest.raises(GraphError, match=r"no part 'latents'.*Did you mean 'latent'") as caught:
            DAG("a -> b").replace(latents=["a"])
        assert caught.value.code == "unknown-part"
