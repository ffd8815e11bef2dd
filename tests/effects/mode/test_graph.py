"""Verdicts on conditioning: against closed-form slopes of every scenario."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from suppose.core.errors import GraphError, SupposeWarning
from suppose.effects.mode import mode_safe_sets, mode_verdict, warn_of_conditioning
from suppose.graphs import DAG
from suppose.worlds.survey import SCENARIOS, closed_form

STRENGTHS = {
    "delta_x": 0.5, "delta_y": 0.4, "a_x": 0.9, "a_y": 0.7, "a_u": 0.8, "u_y": 0.6, "a_c": 0.7, "c_x": 0.5, "c_y": 0.4,
    "a_b": 0.6, "b_y": 0.5, "a_r": 0.8,
}  # fmt: skip


def truth(scenario_id: str, beta: float, world: dict[str, float]) -> float:
    """The slope without any mode: what a safe set must give."""
    still = {name: value if name in ("c_x", "c_y", "u_y", "b_y") else 0.0 for name, value in world.items()}
    given = ("C",) if "c_x" in world else ()
    return closed_form(scenario_id, given, beta=beta, **still)


@pytest.mark.parametrize("beta", [0.0, 0.3])
@pytest.mark.parametrize("scenario_id", SCENARIOS)
def test_verdicts_agree_with_the_bias(scenario_id, beta) -> None:
    scenario = SCENARIOS[scenario_id]
    dag = DAG(scenario.text)
    world = {name: STRENGTHS[name] for name in scenario.parameters}
    for given in scenario.sets:
        verdict = mode_verdict(dag, "X", "Y", given).verdict
        bias = closed_form(scenario_id, given, beta=beta, **world) - truth(scenario_id, beta, world)
        if verdict == "safe" or (verdict == "null-safe" and beta == 0):
            assert abs(bias) < 1e-9, (scenario_id, given, bias)
        else:
            assert abs(bias) > 1e-3, (scenario_id, given, bias)


def test_a_safe_set_without_the_mode_comes_first() -> None:
    found = mode_safe_sets(DAG("X -> Y; X -> X*; Y -> Y*; M -> Y*; R -> M"), "X", "Y", "M")
    assert found.items[0].given == () and found.items[0].verdict == "safe"


def test_no_set_is_safe_when_answers_select_the_mode() -> None:
    found = mode_safe_sets(DAG(SCENARIOS["S5"].text), "X", "Y", "M")
    assert {item.verdict for item in found.items} == {"unsafe"}
    assert "analyse the bias" in str(found)


def test_a_mediator_is_never_held_fixed() -> None:
    assert mode_verdict(DAG("X -> Z -> Y; X -> X*; Y -> Y*"), "X", "Y", "Z").verdict == "unsafe"


def test_conditioning_on_an_effect_of_the_outcome_warns_with_the_path() -> None:
    with pytest.warns(SupposeWarning, match="opens"):
        warn_of_conditioning(DAG(SCENARIOS["S5"].text), "X", "Y", "M")


def test_unknown_names_are_refused() -> None:
    with pytest.raises(GraphError, match="modus"):
        mode_safe_sets(DAG(SCENARIOS["S2"].text), "X", "Y", "modus")


def linear_model(random: np.random.Generator) -> tuple[DAG, dict[tuple[str, str], float]]:
    """A random graph of answers, mode, a measured and a hidden cause, with a weight on each edge."""
    order = random.permutation(["X", "Y", "C", "U", "M"]).tolist()
    edges = [(a, b) for a, b in combinations(order, 2) if random.random() < 0.4]
    edges += [("X", "X*"), ("Y", "Y*")]
    edges += [("M", name) for name in ("X*", "Y*") if random.random() < 0.5]
    weights = {edge: float(random.uniform(0.4, 1.2) * random.choice([-1, 1])) for edge in edges}
    weights |= {("X", "X*"): 1.0, ("Y", "Y*"): 1.0}
    nodes = ["X", "Y", "C", "U", "M", "X*", "Y*"]
    return DAG.from_edges(edges, nodes=nodes, latent=["U"]), weights


def coefficient(
    dag: DAG, weights: dict[tuple[str, str], float], given: tuple[str, ...]
) -> tuple[float, float]:
    """Population slope of Y* on X* beside ``given``, and the total effect of X on Y; answers recorded without noise."""
    nodes = list(dag.nodes)
    B = np.zeros((len(nodes), len(nodes)))
    for (a, b), weight in weights.items():
        B[nodes.index(b), nodes.index(a)] = weight
    total = np.linalg.inv(np.eye(len(nodes)) - B)
    noise = np.array([0.0 if name.endswith("*") else 1.0 for name in nodes])
    covariance = total @ np.diag(noise) @ total.T
    columns = [nodes.index(name) for name in ("X*", *given)]
    slope = np.linalg.solve(covariance[np.ix_(columns, columns)], covariance[columns, nodes.index("Y*")])[0]
    return float(slope), float(total[nodes.index("Y"), nodes.index("X")])


@pytest.mark.parametrize("seed", range(8))
def test_verdicts_hold_in_random_linear_models(seed) -> None:
    random = np.random.default_rng(seed)
    seen = set()
    for _ in range(50):
        dag, weights = linear_model(random)
        towards = {("X", name) for name in dag.children("X") if name in (*dag.ancestors("Y"), "Y")}
        still = {edge: 0.0 if edge in towards else weight for edge, weight in weights.items()}
        for given in ((), ("C",), ("M",), ("C", "M")):
            verdict = mode_verdict(dag, "X", "Y", given).verdict
            seen.add(verdict)
            slope, effect = coefficient(dag, weights, given)
            null, _ = coefficient(dag, still, given)
            if verdict == "safe":
                assert slope == pytest.approx(effect, abs=1e-9), (dag.text, given)
            if verdict in ("safe", "null-safe"):
                assert null == pytest.approx(0.0, abs=1e-9), (dag.text, given)
            if verdict == "unsafe":
                assert max(abs(null), abs(slope - effect)) > 1e-6, (dag.text, given)
    assert seen == {"safe", "null-safe", "unsafe"}


def test_a_mode_that_moves_the_exposure_is_held_fixed() -> None:
    for text in ("M -> X*", "X -> M -> X*"):
        found = mode_safe_sets(DAG(f"X -> Y; X -> X*; Y -> Y*; {text}"), "X", "Y", "M")
        assert found.best.given == ("M",)
        assert found.of(()).verdict == "null-safe"
        assert "M moves X* and is not held fixed" in found.of(()).reason
    assert (
        closed_form("S5", (), a_y=0.0, delta_y=0.0)
        < 0.28
        < 0.299
        < closed_form("S5", ("M",), a_y=0.0, delta_y=0.0)
    )
