"""Diagrams: types, composition, and the refusal of wires that do not match."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import GraphError
from suppose.graphs import DAG
from suppose.graphs.diagrams import Box, Diagram, Ty

S, T = Box("s", Ty(), "S"), Box("t", "S", "T")


def test_types_compose_and_have_a_unit() -> None:
    assert Ty("a") @ Ty() == Ty("a") == Ty() @ Ty("a")
    assert (Ty("a") @ "b") @ "c" == Ty("a", "b", "c")
    assert str(Ty()) == "I" and str(Ty("a", "b")) == "a @ b"


def test_composition_is_associative_on_the_nose() -> None:
    f, g, h = Box("f", "A", "B"), Box("g", "B", "C"), Box("h", "C", "D")
    assert ((f >> g) >> h).layers == (f >> (g >> h)).layers
    assert ((f @ g) @ h).layers == (f @ (g @ h)).layers
    assert (Diagram.id("A") >> f).layers == f.layers == (f >> Diagram.id("B")).layers


def test_names_of_wires_stand_for_identities() -> None:
    assert ("S" @ T).layers == (Diagram.id("S") @ T).layers
    assert (T @ "S").layers == (T @ Diagram.id("S")).layers


def test_a_graph_becomes_one_box_per_vertex() -> None:
    diagram = Diagram.from_dag(DAG("S -> T -> C; S <-> C"))
    assert [(box.name, box.dom, box.cod) for box in diagram.boxes] == [
        ("S~C", Ty(), Ty("S~C")), ("S", Ty("S~C"), Ty("S")), ("T", Ty("S"), Ty("T")),
        ("C", Ty("T", "S~C"), Ty("C")),
    ]  # fmt: skip
    assert diagram.dom == Ty() and diagram.cod == Ty("S", "T", "C")
    assert Diagram.from_dag("S -> T", shown=["T", "S"]).cod == Ty("T", "S")


def test_a_latent_vertex_is_not_shown_but_stays() -> None:
    diagram = Diagram.from_dag(DAG("u -> {x y}", latent="u"))
    assert diagram.cod == Ty("x", "y") and {box.name for box in diagram.boxes} == {"u", "x", "y"}


def test_a_diagram_reads_as_text() -> None:
    assert str(S >> Diagram.copy("S") >> "S" @ T) == "s ; copy(S) ; S @ t : I -> S @ T"
    assert str(Diagram.id("A")) == "id(A) : A -> A"


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]])
def test_permutations_move_wires(order: list[int], made) -> None:
    wires = Ty("A", "B", "C")
    moved = Diagram.permutation(wires, order)
    assert moved.cod.objects == tuple(wires.objects[k] for k in order)
    values = made.functor(1)(moved).values
    names = np.indices(values.shape)
    ones = values == 1.0
    assert all(np.array_equal(names[k][ones], names[3 + order[k]][ones]) for k in range(3))


@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [
        (lambda: S >> Box("c", "T", "C"), "wires-do-not-match", "composition: expected wires of type T, got S"),
        (lambda: T >> Diagram.id(Ty("T", "S")), "wires-do-not-match", "expected wires of type T @ S, got T"),
        (lambda: Diagram("S", [(1, T)]), "wires-do-not-match", "'t', generator 1: expected wires of type S, got I"),
        (lambda: T.substitute({"t": S}), "wires-do-not-match",
         "inputs of the image of 't': expected wires of type S, got I"),
        (lambda: T.substitute({"t": Diagram.id("S")}), "wires-do-not-match", "outputs of the image of 't'"),
        (lambda: Diagram.from_dag("a -> b -> a"), "graph-cycle", "the graph has the cycle a -> b -> a"),
        (lambda: Diagram.from_dag("a -> b", shown="c"), "unknown-node", "shown: the graph has no node 'c'"),
        (lambda: Diagram.from_dag("a -> b").cut("B"), "unknown-box", "the boxes a, b. Did you mean 'b'"),
        (lambda: Ty("a", ""), "bad-object", "expected the name of a variable, got ''"),
        (lambda: Diagram.copy("a", -1), "bad-legs", "from 0 on, got -1"),
        (lambda: Diagram.permutation(Ty("a", "b"), [0, 0]), "bad-order", "each of the 2 wires once"),
        (lambda: S.draw("pdf"), "unknown-format", "expected one of svg, tikz, unicode, got 'pdf'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(wrong, code: str, message: str) -> None:
    with pytest.raises(GraphError, match=".*") as caught:
        wrong()
    assert caught.value.code == code
    assert message in str(caught.value)
