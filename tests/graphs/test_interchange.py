"""dagitty, DOT and networkx: what comes in, what goes out, and what is refused."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppose.core.errors import GraphError
from suppose.graphs import DAG

DAGITTY = """
dag {
bb="-2.3,-2.1,2.1,2.4"
"smoking 1" [exposure,pos="-1.2,0.3"]
C [outcome,pos="1.1,0.3"]
U [latent,pos="0.1,-1.2"]
A [adjusted]
"smoking 1" -> C [beta=0.3]
U -> {"smoking 1" C}
A <- U  B <-> A /* two statements in a line */
C <- A -> "smoking 1" // both ways
}
"""
ODD = (
    'a -> "b \\"c\\""; "node" -> "it\'s"; "x-1" <-> "日本"; "graph"; u -> a; 1 -> "2x"; '
    '"<b>&amp;" -> a; "é" -> a; "\\\\" -> u'
)


class TestDagitty:
    def test_reads(self):
        dag = DAG.from_dagitty(DAGITTY)
        assert dag == DAG(
            'U -> {"smoking 1" C A}; "smoking 1" -> C; A <-> B; A -> {C "smoking 1"}',
            treatment="smoking 1", outcome="C", latent="U", adjusted="A",
        )  # fmt: skip

    def test_chains_and_groups_without_separators(self):
        text = "dag { Y <- X <- Z1 <- V -> Z2 -> Y Z1 <- W1 <-> W2 -> Z2 X <- W1 -> Y X <- W2 -> Y }"
        assert DAG.from_dagitty(text) == DAG(
            "X -> Y; Z1 -> X; V -> {Z1 Z2}; Z2 -> Y; W1 -> {Z1 X Y}; W1 <-> W2; W2 -> {Z2 X Y}"
        )

    def test_nested_groups(self):
        assert DAG.from_dagitty("dag { a -> { b -> {c d} } }") == DAG("a -> {b c d}; b -> {c d}")

    @pytest.mark.parametrize(
        ("text", "code", "message"),
        [
            ("dag { x -- y }", "unsupported-edge", "found '--'"),
            ("dag { x @-> y }", "unsupported-edge", "found '@->'"),
            ("pag { x -> y }", "unsupported-edge", "expected a dag, got 'pag'"),
            ("mag { x -> y }", "unsupported-edge", "expected a dag, got 'mag'"),
            ("dag { x [selected] }", "selected-node", "'x' is marked as selected"),
            ("dag { x -> y", "graph-syntax", "never closed"),
            ("dag { x -> }", "graph-syntax", "line 1, column 12: expected a node, found '}'"),
            ("x -> y", "graph-syntax", "begin with dag"),
            ("dag { x -> y } z", "graph-syntax", "after the end"),
            ("dag { x [pos=] }", "graph-syntax", "expected a value"),
            ('dag { "" -> x }', "graph-syntax", "empty name"),
            ("dag { x [ }", "graph-syntax", "expected an attribute"),
            ("dag " + "{" * 60 + "}" * 60, "graph-syntax", "nested more than 50"),
            ("", "graph-syntax", "begin with dag"),
            ("X E @0.1,0.2\n\nX Y", "graph-syntax", "unexpected '@'|begin with dag"),
        ],
    )
    def test_refuses(self, text, code, message):
        with pytest.raises(GraphError, match=message) as caught:
            DAG.from_dagitty(text)
        assert caught.value.code == code


class TestDot:
    def test_reads(self):
        text = """
        strict digraph "my graph" { // a comment
          # another
          rankdir=LR; node [shape=box]; edge [color=red]
          a:e -> b -> c [label=<<b>bold</b>>, weight=2.5];
          subgraph cluster_0 { label="group"; d; e -> f } -> g
          { h i } -> j; /* and
          another */ k -> l [dir=both]; m -> n [dir="back"]
          U [label="Unobserved", observed="no"]; -2.5 -> 1
        }
        """
        assert DAG.from_dot(text) == DAG(
            "a -> b -> c; {d e f} -> g; e -> f; {h i} -> j; k <-> l; n -> m; U; '-2.5' -> 1", latent="U"
        )

    def test_edge_defaults_hold_within_their_braces(self):
        text = "digraph { subgraph s { edge [dir=both]; a -> b } c -> d }"
        assert DAG.from_dot(text) == DAG("a <-> b; c -> d")

    @pytest.mark.parametrize(
        ("text", "code", "message"),
        [
            ("graph { x -- y }", "unsupported-edge", "expected a digraph, got 'graph'"),
            ("digraph { x -- y }", "unsupported-edge", "found '--'"),
            ("digraph { x <-> y }", "unsupported-edge", "found '<->'"),
            ("digraph { x -> y [dir=none] }", "unsupported-edge", "dir=none"),
            ("digraph { x -> y [dir=sideways] }", "unsupported-edge", "dir=sideways"),
            ("digraph x -> y", "graph-syntax", "expected '{'"),
            ('digraph { "x }', "graph-syntax", "quote is never closed"),
        ],
    )
    def test_refuses(self, text, code, message):
        with pytest.raises(GraphError, match=message) as caught:
            DAG.from_dot(text)
        assert caught.value.code == code

    def test_graphviz_reads_what_we_write(self):
        import shutil
        import subprocess

        dot = shutil.which("dot")
        if dot is None:
            pytest.skip("Graphviz is not installed")
        drawn = subprocess.run([dot, "-Tsvg"], input=DAG(ODD).to_dot(), capture_output=True, text=True)
        assert drawn.returncode == 0 and "<svg" in drawn.stdout


class TestNetworkx:
    def test_separates_what_we_separate(self):
        from suppose.graphs import d_separated

        dag = DAG("a <-> b; b -> c; a <-> c; d -> c")
        graph = dag.to_networkx()
        for fixed in ([], ["c"], ["b"], ["b", "c"]):
            assert nx.is_d_separator(graph, "a", "d", set(fixed)) == d_separated(dag, "a", "d", fixed)

    def test_reads_numbers_and_multigraphs(self):
        assert DAG.from_networkx(nx.DiGraph([(1, 2)])) == DAG("1 -> 2")
        assert DAG.from_networkx(nx.MultiDiGraph([("a", "b"), ("a", "b")])) == DAG("a -> b")

    def test_two_nodes_of_the_same_text(self):
        with pytest.raises(GraphError, match="same text '1'") as caught:
            DAG.from_networkx(nx.DiGraph([(1, "1")]))
        assert caught.value.code == "bad-node-name"

    @pytest.mark.parametrize("graph", [nx.Graph([("a", "b")]), "a -> b", None])
    def test_refuses_what_is_not_directed(self, graph):
        with pytest.raises(GraphError, match="expected a directed networkx graph") as caught:
            DAG.from_networkx(graph)
        assert caught.value.code == "unsupported-edge"


ROUNDS = [
    (DAG.to_dagitty, DAG.from_dagitty),
    (DAG.to_dot, DAG.from_dot),
    (DAG.to_networkx, DAG.from_networkx),
]


@pytest.mark.parametrize(("out", "back"), ROUNDS)
def test_everything_survives_the_way_out_and_back(out, back):
    dag = DAG(ODD, treatment="u", outcome="it's", latent=["graph", "1"], adjusted="x-1")
    assert back(out(dag)) == dag and back(out(DAG())) == DAG()
    assert back(out(dag)).nodes == dag.nodes


@pytest.mark.parametrize(("out", "back"), ROUNDS)
@settings(derandomize=True, max_examples=150, deadline=None)
@given(names=st.lists(st.text(min_size=1, max_size=6), min_size=2, max_size=4, unique=True))
def test_any_name_survives(out, back, names):
    dag = DAG.from_edges([(names[0], name) for name in names[1:]], [(names[0], names[-1])], latent=names[-1])
    assert back(out(dag)) == dag


@pytest.mark.parametrize("read", [DAG.from_dagitty, DAG.from_dot])
@settings(derandomize=True, max_examples=300, deadline=None)
@given(body=st.text(alphabet='ab1 ->\n<;,{}[]"=:/*#\\@édir', max_size=30))
def test_any_code_is_read_or_refused(read, body):
    for text in (body, "dag {" + body + "}", "digraph {" + body + "}"):
        try:
            read(text)
        except GraphError as refusal:
            assert refusal.code and refusal.remedy
