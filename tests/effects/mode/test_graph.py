"""Verdicts on conditioning: against closed-form slopes of every scenario."""

from __future__ import annotations

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
