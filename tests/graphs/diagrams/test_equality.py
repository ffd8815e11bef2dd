"""Equality by the laws: rewrites keep normal forms, and nothing else has the same one."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from suppose.graphs.diagrams import Box, Diagram, Ty
from suppose.graphs.diagrams.wiring import wiring

F = Box("f", "A", "B")


def test_the_comonoid_laws() -> None:
    copy, one = Diagram.copy("A"), Diagram.id("A")
    assert copy >> copy @ one == copy >> one @ copy == Diagram.copy("A", 3)
    assert copy >> Diagram.discard("A") @ one == one == copy >> one @ Diagram.discard("A")
    assert copy >> Diagram.swap("A", "A") == copy


def test_the_laws_of_discard_and_uniform() -> None:
    assert F >> Diagram.discard("B") == Diagram.discard("A")
    assert Diagram.uniform("A") >> Diagram.discard("A") == Diagram.id(Ty())
    assert Diagram.copy("A", 0) == Diagram.discard("A")


def test_structure_of_two_wires_is_that_of_each() -> None:
    both = Ty("A", "B")
    a, b = Diagram.copy("A"), Diagram.copy("B")
    assert Diagram.copy(both) == a @ b >> "A" @ Diagram.swap("A", "B") @ "B"
    assert Diagram.discard(both) == Diagram.discard("A") @ Diagram.discard("B")
    assert Diagram.uniform(both) == Diagram.uniform("A") @ Diagram.uniform("B")


def test_boxes_are_not_copied_by_copies() -> None:
    """A box is no function: two throws of a die are not one throw told twice."""
    assert F >> Diagram.copy("B") != Diagram.copy("A") >> F @ F
    assert Diagram.uniform("A") >> Diagram.copy("A") != Diagram.uniform("A") @ Diagram.uniform("A")


def test_order_of_inputs_and_outputs_matters() -> None:
    g = Box("g", Ty("A", "A"), "A")
    assert Diagram.swap("A", "A") >> g != g
    assert Diagram.swap("A", "A") != Diagram.id(Ty("A", "A"))
    assert Diagram.swap("A", "A") >> Diagram.swap("A", "A") == Diagram.id(Ty("A", "A"))


def test_the_order_of_writing_does_not_matter() -> None:
    """The inputs of h are made in either order, and have causes of their own."""
    a, c, h = Box("a", "D", "A"), Box("c", "D", "C"), Box("h", Ty("A", "C"), "E")
    state = Diagram.uniform(Ty("D", "D"))
    first = state >> a @ "D" >> "A" @ c >> h
    second = state >> "D" @ c >> a @ "C" >> h
    assert first.layers != second.layers and first == second
    assert first.normal_form().generators == second.normal_form().generators


def test_equal_diagrams_have_equal_hashes() -> None:
    one, other = Diagram.copy("A") >> F @ Diagram.discard("A"), F
    assert one == other and hash(one) == hash(other) and len({one, other}) == 1
    assert F != "f"


@pytest.mark.parametrize("seed", range(40))
def test_rewrites_keep_the_normal_form_and_the_meaning(seed: int, made) -> None:
    rng = np.random.default_rng(seed)
    diagram = made.random_diagram(rng, layers=8)
    other = made.rewritten(diagram, rng, steps=12)
    assert other.normal_form() == diagram.normal_form()
    assert other == diagram and other.simplified() == diagram
    meaning = made.functor(seed)
    assert meaning(other).allclose(meaning(diagram), 1e-12)


@pytest.mark.parametrize(("dom", "seed"), [(Ty(), 1), (Ty("A"), 2), (Ty("A", "B"), 3)])
def test_diagrams_are_equal_exactly_when_generic_tables_cannot_tell_them_apart(
    dom: Ty, seed: int, made
) -> None:
    rng = np.random.default_rng(seed)
    meaning = made.functor(seed)
    forms: dict[object, list[np.ndarray]] = defaultdict(list)
    for _ in range(300):
        diagram = made.random_diagram(rng, layers=int(rng.integers(1, 5)), dom=dom, most=3)
        forms[diagram.normal_form()].append(meaning(diagram).values)
    meanings: dict[tuple, set] = defaultdict(set)
    for form, values in forms.items():
        assert all(np.allclose(values[0], other, atol=1e-12) for other in values)
        meanings[form.cod, tuple(values[0].round(9).reshape(-1))].add(form)
    assert len(forms) > 40
    assert max(len(found) for found in meanings.values()) == 1


@pytest.mark.parametrize("seed", range(20))
def test_a_simplified_diagram_has_nothing_to_remove(seed: int, made) -> None:
    diagram = made.random_diagram(np.random.default_rng(seed), layers=10).simplified()
    used = set(wiring(diagram).outputs).union(*(node.ins for node in wiring(diagram).nodes))
    assert all(used.intersection(node.outs) for node in wiring(diagram).nodes)
    copies = [box for _, box in diagram.layers if box.kind == "copy"]
    made_by_copies = wiring(diagram, merge=False)
    sources = {wire for node in made_by_copies.nodes if node.box.kind == "copy" for wire in node.outs}
    assert not any(
        node.box.kind == "copy" and sources.intersection(node.ins) for node in made_by_copies.nodes
    )
    assert all(len(box.cod) > 1 for box in copies)


def test_a_large_network_is_compared_in_little_time() -> None:
    edges = "; ".join(f"v{k} -> v{k + d}" for k in range(300) for d in (1, 2))
    diagram = Diagram.from_dag(edges)
    assert diagram == diagram.simplified()
    assert diagram != diagram.cut("v7")
