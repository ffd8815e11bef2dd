"""The ways of dealing with the mode, on surveys with known truth and on the referendum's polls."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from suppose.core.errors import Refusal
from suppose.datasets import load_brexit_polls
from suppose.effects.mode import ModeEffectAnalysis, calibrate, mode_contrast
from suppose.worlds.survey import closed_form, simulate

WORLD = {"beta": 0.3, "a_x": 1.0, "a_y": 1.0, "delta_x": 0.5, "delta_y": 0.5}


def fitted(n: int, seed: int = 0, **options) -> ModeEffectAnalysis:
    frame = simulate("S5", n, seed=seed, **WORLD).frame
    return ModeEffectAnalysis(exposure="X*", mode="M", **options).fit(frame[["X*", "M"]], frame["Y*"])


def test_holding_the_mode_fixed_turns_the_sign() -> None:
    found = fitted(200_000, imputations=2)
    assert found.naive_.estimate >= 0.45
    assert found.conditional_.estimate <= 0.0
    for estimate in (found.stratified_, found.imputed_):  # the same collider, in other words
        gap = abs(estimate.estimate - closed_form("S5", ("M",), **WORLD))
        assert gap < 0.006 + 4.5 * estimate.standard_error


def test_shifts_taken_back_leave_the_truth() -> None:
    medians, held = [], []
    for seed in range(60):
        bias = fitted(2_000, seed=seed, imputations=2).bias_analysis(
            {"exposure": "normal(0.5, 0.1)", "outcome": "normal(0.5, 0.1)"}, draws=2_000
        )
        medians.append(bias.median)
        held.append(bias.low <= 0.3 <= bias.high)
    spread = np.std(medians) / np.sqrt(len(medians))
    assert abs(np.mean(medians) - 0.3) < 0.01 + 3 * spread
    assert np.mean(held) >= 0.93 - 3 * np.sqrt(0.93 * 0.07 / 60)


def polls() -> tuple[np.ndarray, np.ndarray]:
    """Remain minus leave, and the mode, of the referendum's polls."""
    frame = load_brexit_polls()
    return frame["spread"].to_numpy(float), frame["poll_type"].to_numpy(object).astype(str)


def test_the_polls_differ_by_their_mode_as_published() -> None:
    (contrast,) = mode_contrast(*polls(), reference="Online", robust=False)
    assert round(contrast.difference, 4) == 0.0746
    assert contrast.standard_error == pytest.approx(0.0089, abs=5.1e-5)


def test_calibration_puts_every_mode_on_the_known_total() -> None:
    spread, mode = polls()
    found = calibrate(spread, mode, total=-0.038)
    for name in ("Online", "Telephone"):
        assert found.adjusted[mode == name].mean() == pytest.approx(-0.038, abs=1e-12)
    shifts = {row[0]: row[3] for row in found.rows}
    assert shifts["Telephone"] - shifts["Online"] == pytest.approx(0.0746, abs=5e-5)


@pytest.mark.parametrize("rows", [slice(0, 0), slice(0, 10)])
def test_a_mode_with_too_few_rows_is_refused(rows) -> None:
    frame = simulate("S5", 500, seed=1, **WORLD).frame
    few = pd.concat([frame[frame["M"] == 0], frame[frame["M"] == 1].iloc[rows]])
    with pytest.raises(Refusal):
        ModeEffectAnalysis(exposure="X*", mode="M").fit(few[["X*", "M"]], few["Y*"])
