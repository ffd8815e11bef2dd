from __future__ import annotations

from itertools import product
from xml.etree import ElementTree

import numpy as np
import pytest

from suppose.core.errors import GraphError
from suppose.graphs.dag import DAG
from suppose.graphs.pdag import PAG, PDAG, member_count
from suppose.graphs.separation import d_separated


def all_dags(names: str) -> list[DAG]:
    pairs = [(a, b) for k, a in enumerate(names) for b in names[k + 1 :]]
    found = []
    for kinds in product(range(3), repeat=len(pairs)):
        edges = [(a, b) if kind == 1 else (b, a) for (a, b), kind in zip(pairs, kinds, strict=True) if kind]
        try:
            found.append(DAG.from_edges(edges, nodes=list(names)))
        except GraphError:
            continue
    return found


def separations(dag: DAG) -> tuple[bool, ...]:
    found = []
    for k, a in enumerate(dag.nodes):
        for b in dag.nodes[k + 1 :]:
            rest = [v for v in dag.nodes if v not in (a, b)]
            for flags in product((0, 1), repeat=len(rest)):
                found.append(d_separated(dag, a, b, [v for v, f in zip(rest, flags, strict=True) if f]))
    return tuple(found)


def test_patterns_are_the_classes_of_equal_separations():
    dags = all_dags("abcd")
    assert len(dags) == 543
    classes: dict[tuple[bool, ...], list[DAG]] = {}
    for dag in dags:
        classes.setdefault(separations(dag), []).append(dag)
    assert len(classes) == 185
    for group in classes.values():
        pattern = PDAG.from_dag(group[0])
        assert all(np.array_equal(PDAG.from_dag(dag).endpoints, pattern.endpoints) for dag in group)
        assert pattern.size() == len(group)
        assert pattern.to_dag() in group
        for a, b in pattern.directed:
            assert all((a, b) in dag.directed for dag in group)
        for a, b in pattern.undirected:
            assert {(a, b) in dag.directed for dag in group} == {True, False}


def test_counts_of_known_graphs():
    path = np.diag(np.ones(5, dtype=np.int8), 1)
    assert member_count(path + path.T) == 6
    band = path + np.diag(np.ones(4, dtype=np.int8), 2)
    listed = len(list(_acyclic_without_colliders(band + band.T)))
    assert member_count(band + band.T) == listed


def _acyclic_without_colliders(loose):
    edges = np.argwhere(np.triu(loose))
    names = [str(k) for k in range(len(loose))]
    for flags in product((0, 1), repeat=len(edges)):
        try:
            dag = DAG.from_edges(
                [(names[e[f]], names[e[1 - f]]) for e, f in zip(edges, flags, strict=True)], nodes=names
            )
        except GraphError:
            continue
        if not PDAG.from_dag(dag).directed:
            yield dag


@pytest.mark.parametrize("text", ["a -> b; b -- c; c <-> d; e", '"log wage" -> b'])
def test_text_is_read_back(text):
    assert str(PDAG.parse(text)) == text


def test_marks_of_a_pag_are_read_back_in_any_order():
    graph = PAG.parse("a o-> b; c o-o b; d <-> b; e o-- a")
    assert PAG.parse(str(graph)) == graph == graph.reorder(graph.nodes[::-1])
    assert (graph.edge("b", "a"), graph.edge("a", "e"), graph.edge("a", "d")) == ("<-o", "--o", None)
    assert hash(graph) == hash(graph.reorder(graph.nodes[::-1]))


def test_relations_are_told_apart():
    graph = PDAG.parse("a -> b; b -- c; c <-> d")
    assert (graph.parents("b"), graph.children("a"), graph.neighbours("b")) == (("a",), ("b",), ("c",))
    assert (graph.directed, graph.undirected, graph.contradictory) == (
        (("a", "b"),),
        (("b", "c"),),
        (("c", "d"),),
    )
    assert graph.to_frame().values.tolist() == [["a", "->", "b"], ["b", "--", "c"], ["c", "<->", "d"]]


def test_exports_hold_every_mark():
    graph = PAG.parse('a o-> b; b -> "x<y"')
    assert "arrowtail=odot, arrowhead=normal" in graph.to_dot()
    assert graph.to_dagitty().startswith("pag {") and '"a" @-> "b"' in graph.to_dagitty()
    root = ElementTree.fromstring(graph.to_graphml())
    marks = [data.text for data in root.iter("{http://graphml.graphdrawing.org/xmlns}data")]
    assert marks == ["circle", "arrow", "tail", "arrow"]


def test_the_drawing_shows_marks_and_escapes_names():
    svg = PAG.parse('a o-> b; b -> "x<y"').to_svg()
    assert svg.count("<circle") == 1 and svg.count('class="head"') == 2 and "x&lt;y" in svg
    assert ElementTree.fromstring(svg) is not None
    assert "#b3403a" in PDAG.parse("a <-> b").to_svg()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a -> ", "ends in an arrow"),
        ("-> a", "unexpected '-'"),
        ("a ->; b", "unexpected ';'"),
        ("a ?? b -> {", "unexpected"),
    ],
)
def test_bad_text_is_refused(text, message):
    with pytest.raises(GraphError, match=message):
        PDAG.parse(text)


def test_bad_marks_are_refused():
    for marks in ([[0, 2], [0, 0]], [[0, 1], [1, 0]], [[3, 0], [0, 0]], [[0]]):
        with pytest.raises(GraphError, match="expected a 2 x 2 matrix of the marks 0, 2, 3 of a PDAG"):
            PDAG(marks, ["a", "b"])
    with pytest.raises(GraphError, match="non-empty text as node name"):
        PDAG([[0]], [3])


def test_what_has_no_member_is_refused():
    with pytest.raises(GraphError, match="cycle or a new collider"):
        PDAG.parse("a -- b; b -- c; c -- d; d -- a").to_dag()
    with pytest.raises(GraphError, match="points both ways"):
        PDAG.parse("a <-> b").size()
    with pytest.raises(GraphError, match="a PAG"):
        PDAG.from_dag(DAG("a <-> b"))
    with pytest.raises(GraphError, match="Did you mean 'age'"):
        PDAG.parse("age -> b").parents("agee")
