"""Combs: disintegration, the criterion against its definition, and effects against surgery and ID."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import EstimationError, GraphError
from suppose.graphs import DAG
from suppose.graphs.diagrams import (
    Comb,
    Diagram,
    Functor,
    NoComb,
    comb,
    comb_disintegration,
    comb_effect,
    disintegrate,
    intervene,
)
from suppose.graphs.factors import Factor
from suppose.graphs.identification import identify
from suppose.graphs.networks import load_network

YES_NO = ("0", "1")
FRONT_DOOR = DAG("S -> T -> C; S <-> C")


def smoking() -> Factor:
    values = np.array([0.5, 0.1, 0.01, 0.02, 0.1, 0.05, 0.02, 0.2]).reshape(2, 2, 2)
    return Factor(tuple("STC"), (YES_NO,) * 3, values)


def hidden_model(noise: float) -> dict[str, Factor]:
    """A model with a hidden cause H and the joint of the example: H is S, unless noise, then S is H's guess.

    With noise the hidden cause has four states (what S is, and an idle coin that only S's table looks past).
    """
    joint = smoking()
    s = joint.keep("S").values
    t_given_s = (joint.keep(["T", "S"]) / joint.keep("S")).values
    c_given = (joint.reorder("CTS") / joint.keep(["T", "S"])).values
    coin = np.array([noise, 1 - noise])
    words = ("00", "01", "10", "11")
    hidden = np.outer(s, coin).reshape(-1)
    is_s = np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    return {
        "S~C": Factor(("S~C",), (words,), hidden),
        "S": Factor(("S", "S~C"), (YES_NO, words), is_s),
        "T": Factor(("T", "S"), (YES_NO, YES_NO), t_given_s),
        "C": Factor(("C", "T", "S~C"), (YES_NO, YES_NO, words), np.repeat(c_given, 2, axis=2)),
    }


def test_the_eight_numbers_of_the_example_three_ways() -> None:
    joint = smoking()
    diagram, meaning = Diagram.from_dag(FRONT_DOOR), Functor(hidden_model(0.3))
    assert meaning(diagram).to_factor().allclose(joint, 1e-12)
    exact = {
        "P(C=1|S)": [12 / 63, 25 / 37], "P(T=1|S)": [3 / 63, 22 / 37],
        "P(C=1|do T)": [0.63 * (1 / 6) + 0.37 / 3, 0.63 * (2 / 3) + 0.37 * (10 / 11)],
    }  # fmt: skip
    exact["P(C=1|do S)"] = [
        sum(t * c for t, c in zip((1 - p, p), exact["P(C=1|do T)"], strict=True)) for p in exact["P(T=1|S)"]
    ]
    assert exact["P(C=1|do S)"] == pytest.approx([0.25347763, 0.54229730], abs=5e-9)
    assert exact["P(C=1|do T)"] == pytest.approx([0.2283, 0.7564], abs=5e-5)
    g, f = comb_disintegration(joint, "S", "T", "C")
    for name in "ST":
        wanted = exact[f"P(C=1|do {name})"]
        surgery = [intervene(diagram, meaning, {name: state}).keep("C").values[1] for state in YES_NO]
        found = comb(FRONT_DOOR, name, "C")
        assert isinstance(found, Comb)
        by_comb = found.effect(joint).at({"C": 1}).values
        by_id = identify(FRONT_DOOR, "C", name).evaluate(joint).reorder(["C", name]).at({"C": 1}).values
        for answer in (surgery, by_comb, by_id):
            assert np.allclose(answer, wanted, rtol=0, atol=1e-12)
    assert np.allclose(comb_effect(g, f, "S").at({"C": 1}).values, exact["P(C=1|do S)"], rtol=0, atol=1e-12)
    assert np.allclose(g.at({"T": 1}).values, exact["P(T=1|S)"], rtol=0, atol=1e-12)
    _, channel = disintegrate(joint.keep(["S", "C"]), "S")
    assert np.allclose(channel.at({"C": 1}).values, exact["P(C=1|S)"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_the_parts_of_a_disintegration_make_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names, states = ("a", "b", "c", "d"), (YES_NO, ("x", "y", "z"), YES_NO, ("p", "q", "r"))
    joint = Factor(names, states, rng.dirichlet(np.ones(36)).reshape(2, 3, 2, 3))
    marginal, channel = disintegrate(joint, ["b", "d"])
    assert (marginal * channel).allclose(joint, 1e-15)
    assert np.allclose(channel.sum_out(["a", "c"]).values, 1.0)
    g, f = comb_disintegration(joint, ["a", "b"], "c", "d")
    assert (g * f).allclose(joint, 1e-15)
    assert np.allclose(g.sum_out("c").values, 1.0)
    first_tooth = f.sum_out("d").values
    assert np.allclose(first_tooth, first_tooth[..., :1]), (
        "what the comb outputs first cannot depend on its input"
    )


def compared(graph: DAG, treatment: str, made, seed: int, models: int = 1) -> bool:
    """Whether the criterion answers; its answer, and its silence, are held against surgery, ID and the definition."""
    found = comb(graph, treatment)
    others = [name for name in graph.nodes if name != treatment]
    assert bool(found) is not made.joined_to_a_child(graph, treatment)
    by_id = identify(graph, others, treatment)
    assert bool(found) is bool(by_id)
    if isinstance(found, NoComb):
        assert found.path[0] == treatment and found.path[-1] == found.child
        assert all(b in graph.siblings(a) for a, b in zip(found.path, found.path[1:], strict=False))
        return False
    for k in range(models):
        model = made.random_model(graph, seed + k)
        joint = made.truth(graph, model)
        effect = found.effect(joint)
        assert effect.allclose(made.truth(graph, model, treatment), 1e-9)
        for state in YES_NO:
            formula = by_id.evaluate(joint, at={treatment: state})
            assert effect.at({treatment: state}).allclose(formula, 1e-9)
    return True


def test_the_criterion_on_every_graph_of_three_nodes(made) -> None:
    answered = sum(
        compared(graph, treatment, made, seed) for seed, graph in enumerate(made.three_node_graphs())
        for treatment in "xyz"
    )  # fmt: skip
    assert answered == 64 + (32 + 32 * 3 // 8) + (16 + 6 + 6 + 4)  # z, y and x, counted by hand


@pytest.mark.parametrize("seed", range(30))
def test_the_criterion_on_random_graphs(seed: int, made) -> None:
    rng = np.random.default_rng(seed)
    graph = made.random_graph(rng, nodes=int(rng.integers(4, 7)), hidden=0.2)
    compared(graph, graph.nodes[0], made, seed)


@pytest.mark.slow
def test_the_criterion_on_many_random_graphs(made) -> None:
    rng = np.random.default_rng(7)
    answered = 0
    for seed in range(1000):
        graph = made.random_graph(
            rng, nodes=int(rng.integers(4, 7)), arrows=rng.uniform(0.2, 0.8), hidden=0.25
        )
        answered += compared(graph, graph.nodes[int(rng.integers(3))], made, seed, models=3)
    assert 200 < answered < 900


@pytest.mark.parametrize("seed", range(30))
def test_a_smaller_question_needs_only_the_causes_of_its_outcome(seed: int, made) -> None:
    rng = np.random.default_rng(seed)
    graph = made.random_graph(rng, nodes=5, hidden=0.25)
    treatment, outcome = graph.order[int(rng.integers(2))], graph.order[3]
    found = comb(graph, treatment, outcome)
    if found:
        model = made.random_model(graph, seed)
        effect = found.effect(made.truth(graph, model))
        assert effect.variables == (outcome, treatment)
        assert effect.allclose(made.truth(graph, model, treatment).keep([outcome, treatment]), 1e-9)


def test_a_smaller_question_can_be_answerable_alone() -> None:
    graph = DAG("x -> y; x -> w; x <-> w")
    assert not comb(graph, "x") and comb(graph, "x", "y")
    assert str(comb(graph, "x", "y")) == "P(y | do x) = P(y | x) * sum over x of P(x)"


def test_the_napkin_has_no_comb_although_it_is_identifiable() -> None:
    napkin = DAG("W1 -> W2 -> X -> Y; W1 <-> X; W1 <-> Y")
    found = comb(napkin, "X", "Y")
    assert str(found) == "no comb: X causes Y, and hidden causes join them (X <-> W1 <-> Y)"
    assert not found and identify(napkin, "Y", "X")


def test_what_causes_nothing_changes_nothing(made) -> None:
    graph = DAG("y -> x; x <-> y")
    joint = made.truth(graph, made.random_model(graph, 1))
    effect = comb(graph, "x", "y").effect(joint)
    assert np.allclose(effect.values, joint.keep("y").values[:, None])
    assert str(comb(graph, "x", "y")) == "P(y | do x) = P(y)"


def test_hidden_vertices_and_chains_of_them_are_projected_out() -> None:
    named = comb(DAG("u -> {S C}; S -> m -> T -> C", latent=["u", "m"]), "S", "C")
    assert isinstance(named, Comb) and str(named) == str(comb(FRONT_DOOR, "S", "C"))
    assert comb(DAG("u -> v -> {x y}; x -> y", latent=["u", "v"]), "x").path == ("x", "y")


def test_a_network_is_asked_for_the_marginals_it_needs() -> None:
    network = load_network("asia")
    effect = comb(network.graph, "smoke", "dysp").effect(network)
    for state in network.states["smoke"]:
        assert effect.at({"smoke": state}).allclose(network.query("dysp", do={"smoke": state}), 1e-12)


def test_the_diagram_of_a_comb_computes_its_effect(made) -> None:
    graph = DAG("A -> B1 -> C1 -> B2 -> C2; A <-> C1; C1 <-> C2; B1 <-> B2")
    found = comb(graph, "A")
    whole, cut = found.diagram(), found.diagram(cut=True)
    assert [box.name for box in whole.boxes] == ["f1", "g1", "f2", "g2", "f3"]
    assert whole.cod.objects == graph.order == cut.cod.objects
    simple = comb(FRONT_DOOR, "S").diagram()
    joint = smoking()
    g, _ = comb_disintegration(joint, "S", "T", "C")
    c = joint.reorder("CTS") / joint.keep(["T", "S"])
    memory = np.zeros((2, 2))
    np.fill_diagonal(memory, joint.keep("S").values)
    tables = {"f1": memory, "g1": g.values, "f2": c.values}
    meaning = Functor(tables, {"S": YES_NO, "T": YES_NO, "C": YES_NO, "M(f1)": YES_NO})
    assert np.allclose(meaning(simple).values, joint.values, rtol=0, atol=1e-15)
    after = meaning(comb(FRONT_DOOR, "S").diagram(cut=True)).to_factor()
    effect = comb(FRONT_DOOR, "S").effect(joint)
    assert np.allclose(2 * after.values, effect.reorder("STC").values, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [
        (lambda: comb(FRONT_DOOR, "X"), "unknown-node", "treatment: the graph has no node 'X'"),
        (lambda: comb(DAG("u -> x", latent="u"), "u"), "latent-role", "'u' was not measured"),
        (lambda: comb(FRONT_DOOR, "S", ["S", "C"]), "overlapping-sets", "treatment and outcome at once"),
    ],
)
def test_questions_that_make_no_sense_are_refused(wrong, code: str, message: str) -> None:
    with pytest.raises(GraphError, match=message) as caught:
        wrong()
    assert caught.value.code == code


def test_a_cell_without_support_is_named() -> None:
    values = smoking().values.copy()
    values[1, 0] = 0.0
    joint = Factor(tuple("STC"), (YES_NO,) * 3, values / values.sum())
    with pytest.raises(
        EstimationError, match="divides by the probability of S = 1, T = 0, which is zero. Add"
    ) as caught:
        comb(FRONT_DOOR, "S").effect(joint)
    assert caught.value.code == "zero-support"
    with pytest.raises(
        EstimationError, match=r"P\(S, T\): the formula divides by the probability of S = 1, T = 0"
    ):
        comb_disintegration(joint, "S", "T", "C")
