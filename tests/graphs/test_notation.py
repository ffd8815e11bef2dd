"""The text notation: what it reads, what it refuses and where, and that nothing makes it crash."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppose.core.errors import GraphError
from suppose.graphs import DAG
from suppose.graphs.notation import parse_path, parse_text, quote, write_text

EDGES = "a->b; b->c"


@pytest.mark.parametrize(
    ("text", "directed", "bidirected"),
    [
        ("a -> b", [("a", "b")], []),
        ("a<-b", [("b", "a")], []),
        ("a <-> b", [], [("a", "b")]),
        ("a → b ← c ↔ d", [("a", "b"), ("c", "b")], [("c", "d")]),
        ("a -> b -> c", [("a", "b"), ("b", "c")], []),
        ("a -> b, b -> c", [("a", "b"), ("b", "c")], []),
        ("a -> b\nb -> c\n", [("a", "b"), ("b", "c")], []),
        ("a ->\n  b ->\n c", [("a", "b"), ("b", "c")], []),
        ("{a b} -> c", [("a", "c"), ("b", "c")], []),
        ("{a, b} -> {c\nd}", [("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")], []),
        ("# covariates\na -> b # and so on", [("a", "b")], []),
        ("a -> b;;; a -> b", [("a", "b")], []),
        ("x-1 -> log(x) ; a.b_2 -> x-1", [("x-1", "log(x)"), ("a.b_2", "x-1")], []),
        ("\"a -> b\" -> 'c d'", [("a -> b", "c d")], []),
        (r'"say \"x\"" -> "a\nb"', [('say "x"', "a\nb")], []),
        ("Größe -> 収入", [("Größe", "収入")], []),
        ("", [], []),
        ("  \n ; # nothing", [], []),
    ],
)
def test_reads(text, directed, bidirected):
    parts = parse_text(text)
    assert list(parts.directed) == directed and list(parts.bidirected) == bidirected


def test_lone_nodes_and_their_order():
    assert parse_text("z; a, b\nc -> a").nodes == ("z", "a", "b", "c")


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("a -> b\nb -> ", "graph-syntax", r"line 2, column 3: expected a node after '->'"),
        ("-> b", "graph-syntax", r"line 1, column 1: expected a node before '->'"),
        ("a -> -> b", "graph-syntax", "expected a node before '->'"),
        ("a b", "graph-syntax", r"column 3: expected an arrow or ; between 'a' and 'b'"),
        ("a, b -> c", "graph-syntax", r"a stands alone beside a comma.*\{a \.\.\.\} -> c"),
        ("a -> b, c", "graph-syntax", r"column 9: c stands alone"),
        ("{a b -> c", "graph-syntax", "unexpected '->' in a group"),
        ("{a b", "graph-syntax", "never closed"),
        ("a -> {}", "graph-syntax", "without nodes"),
        ("a }", "graph-syntax", "between 'a' and '}'"),
        ("} a", "graph-syntax", "unexpected '}'"),
        ("{{a} b} -> c", "graph-syntax", "unexpected '{' in a group"),
        ('a -> "b', "graph-syntax", "quote is never closed"),
        ('a -> ""', "graph-syntax", "empty name"),
        ("a [exposure]", "graph-syntax", r"unexpected '\['"),
        ("a -- b", "unsupported-edge", "found '--'"),
        ("a --> b", "unsupported-edge", "found '-->'"),
        ("a => b", "unsupported-edge", "found '=>'"),
        ("a - b", "unsupported-edge", "found '-'"),
    ],
)
def test_refuses_with_place(text, code, message):
    with pytest.raises(GraphError, match=message) as caught:
        DAG(text)
    assert caught.value.code == code


def test_groups_that_multiply_beyond_memory():
    group = "{" + " ".join(f"v{i}" for i in range(3000)) + "}"
    other = group.replace("v", "w")
    with pytest.raises(GraphError, match="more than 1,000,000 edges") as caught:
        DAG(f"{group} -> {other}")
    assert caught.value.code == "graph-too-large"


@pytest.mark.parametrize("text", ["a", "a -> {b c}", "a -> b; c -> d", ""])
def test_a_path_is_one_chain(text):
    with pytest.raises(GraphError, match="one path such as"):
        parse_path(text)


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.text(alphabet="ab1 ->\n<;,{}\"'#\\=[]→é", max_size=30) | st.text(max_size=20))
def test_any_text_is_read_or_refused(text):
    try:
        dag = DAG(text)
    except GraphError as refusal:
        assert refusal.code and refusal.remedy
    else:
        assert DAG(dag.text) == dag and DAG(dag.text).nodes == dag.nodes


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=4, unique=True))
def test_any_name_survives_writing(names):
    dag = DAG.from_edges([(names[0], name) for name in names[1:]])
    assert DAG(dag.text) == dag
    assert all(parse_text(quote(name)).nodes == (name,) for name in names)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.permutations(["a", "b", "c", "d"]), st.booleans())
def test_node_order_survives_writing(nodes, both):
    dag = DAG.from_edges([("a", "c"), ("d", "c")], [("b", "d")] if both else [], nodes=nodes)
    assert parse_text(write_text(dag.parts)).nodes == dag.nodes == tuple(nodes)
