"""Surgery: a functor, and what it computes is the truncated product."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import GraphError
from suppose.graphs import DAG
from suppose.graphs.diagrams import Box, Diagram, Functor, Surgery, Ty, explicit, intervene
from suppose.graphs.factors import Factor
from suppose.graphs.networks import load_network


@pytest.mark.parametrize("seed", range(20))
def test_surgery_is_a_functor(seed: int, made) -> None:
    rng = np.random.default_rng(seed)
    cut = Surgery(["f", "h"])
    f = made.random_diagram(rng, layers=6)
    g, h = made.random_diagram(rng, layers=5, dom=f.cod), made.random_diagram(rng, layers=4)
    assert cut(f).dom == f.dom and cut(f).cod == f.cod
    assert cut(f >> g) == cut(f) >> cut(g)
    assert cut(f @ h) == cut(f) @ cut(h)
    assert cut(Diagram.id(f.cod)) == Diagram.id(f.cod)
    assert cut(cut(f)) == cut(f)
    other = made.rewritten(f, rng, steps=8)
    assert cut(other) == cut(f), "surgery must not depend on how a diagram is written"
    for box in made.generators():
        if box.kind != "box" or box.name not in cut.boxes:
            assert cut(box).layers == box.layers


def test_a_box_without_causes_is_cut_too() -> None:
    diagram = Diagram.from_dag("a -> b")
    expected = Diagram.uniform("a") >> Diagram.copy("a") >> "a" @ Box("b", "a", "b")
    assert diagram.cut("a") == expected != diagram


def test_two_surgeries_are_one_of_both() -> None:
    diagram = Diagram.from_dag("a -> b -> c -> d; a -> d")
    assert diagram.cut(["b", "c"]) == diagram.cut("b").cut("c") == diagram.cut("c").cut("b")


@pytest.mark.parametrize("seed", range(25))
def test_surgery_is_the_truncated_product(seed: int, made) -> None:
    rng = np.random.default_rng(seed)
    graph = made.random_graph(rng, nodes=int(rng.integers(3, 6)))
    model = made.random_model(graph, seed, states=2 + seed % 2)
    diagram, meaning = Diagram.from_dag(graph), Functor(model)
    assert meaning(diagram).to_factor().allclose(made.truth(graph, model), 1e-12)
    for name in graph.nodes:
        cut = made.truth(graph, model, name)
        for state in model[name].states[0]:
            found = intervene(diagram, meaning, {name: state})
            assert found.allclose(cut.at({name: state}), 1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_which_full_support_state_replaces_the_box_does_not_matter(seed: int, made) -> None:
    rng = np.random.default_rng(seed)
    graph = made.random_graph(rng, nodes=4)
    name = graph.nodes[seed % 4]
    model = made.random_model(graph, seed)
    other = Factor((name,), (("0", "1"),), rng.dirichlet([2.0, 2.0]))
    diagram = Surgery(name, state=lambda wires: Box("instead", Ty(), wires))(Diagram.from_dag(graph))
    joint = Functor({**model, "instead": other})(diagram).to_factor()
    for state in ("0", "1"):
        sliced = joint.at({name: state})
        scaled = Factor(sliced.variables, sliced.states, sliced.values / sliced.total())
        assert scaled.allclose(intervene(Diagram.from_dag(graph), Functor(model), {name: state}), 1e-12)


def test_surgery_agrees_with_the_network_s_own() -> None:
    network = load_network("sachs")
    do = {"PKC": network.states["PKC"][1], "Mek": network.states["Mek"][0]}
    diagram = Diagram.from_dag(network.graph, shown=["PKC", "Mek", "Erk", "Akt"])
    found = intervene(diagram, Functor(network), do)
    assert found.allclose(network.query(["Erk", "Akt"], do=do), 1e-12)


def test_hidden_causes_become_vertices() -> None:
    graph = explicit(DAG("S -> T -> C; S <-> C"))
    assert graph.latent == ("S~C",) and graph.bidirected == () and graph.children("S~C") == ("S", "C")


def test_a_vertex_that_is_not_shown_cannot_be_held() -> None:
    network = load_network("asia")
    with pytest.raises(GraphError, match="this table is over lung"):
        intervene(Diagram.from_dag(network.graph, shown="lung"), Functor(network), {"smoke": "yes"})
    with pytest.raises(GraphError, match="variable 'smoke': expected one of yes, no, got 'maybe'"):
        intervene(
            Diagram.from_dag(network.graph, shown=["smoke", "lung"]), Functor(network), {"smoke": "maybe"}
        )
