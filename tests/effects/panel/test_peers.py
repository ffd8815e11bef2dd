"""Coefficients and standard errors equal DoubleML's and linearmodels' on the same data, folds and learners."""

from __future__ import annotations

import json
import runpy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from suppose.core.errors import SupposeWarning
from suppose.effects.panel import LinearPanel, PanelDML, StaggeredEffect

REFERENCE = Path(__file__).parent / "reference"
SCRIPT: dict[str, Any] = runpy.run_path(str(REFERENCE / "make_reference.py"))
STORED = json.loads((REFERENCE / "panel.json").read_text())
TABLE = pd.read_csv(REFERENCE / "panel_table.csv")
X, Y = TABLE[["unit", "time", "d", "x1", "x2", "x3"]], TABLE["y"]
ROLES = {"treatment": "d", "unit": "unit", "time": "time"}


def fit_ours(case: tuple[str, str, str]) -> PanelDML:
    approach, learner, score = case
    return PanelDML(
        **ROLES, approach=SCRIPT["APPROACHES"][approach], outcome_learner=SCRIPT["learner"](learner),
        score_type={"partialling out": "partialling-out", "IV-type": "iv-type"}[score],
        folds=TABLE["fold"].to_numpy(), repeats=1,
    ).fit(X, Y)  # fmt: skip


def assert_equal(ours: Any, theirs: dict[str, float]) -> None:
    assert ours.estimate == pytest.approx(theirs["coef"], rel=1e-8)
    assert ours.standard_error == pytest.approx(theirs["se"], rel=1e-8)


@pytest.mark.parametrize("name", list(SCRIPT["CASES"]))
def test_equals_doubleml(name: str) -> None:
    assert_equal(fit_ours(SCRIPT["CASES"][name]).effect_, STORED["doubleml"]["cases"][name])


@pytest.mark.parametrize("method", ["pooled", "fe", "fd"])
def test_equals_linearmodels(method: str) -> None:
    theirs = STORED["linearmodels"]["cases"][method]
    ours = LinearPanel(**ROLES, method=method).fit(X, Y).effect_
    assert ours.estimate == pytest.approx(theirs["coef"], rel=1e-8)
    # linearmodels scales by n / (n - k), Stata and we by units / (units - 1) times (n - 1) / (n - k).
    n = {"pooled": 360, "fe": 360, "fd": 300}[method]
    assert ours.standard_error == pytest.approx(theirs["se"] * np.sqrt(60 / 59 * (n - 1) / n), rel=1e-8)


@pytest.mark.parametrize("control", ["never_treated", "not_yet_treated"])
def test_group_time_effects_equal_doubleml(control: str) -> None:
    from sklearn.linear_model import LinearRegression

    model = StaggeredEffect(
        "on", "unit", "time", covariates=["x1", "x2", "x3"], control=control.replace("_", "-"),
        outcome_learner=LinearRegression(), propensity_learner=SCRIPT["propensity_learner"](),
        folds=TABLE["fold"].to_numpy(),
    ).fit(TABLE[["unit", "time", "on", "x1", "x2", "x3"]], Y)  # fmt: skip
    found = {effect.contrast: effect for effect in model.effects_}
    for start, _, time in SCRIPT["CELLS"]:
        theirs = STORED["staggered"][f"{control} {start} {time}"]
        # Standard errors differ by design: DoubleML centres weighted control residuals at zero, Sant'Anna and
        # Zhao, and we, at their weighted mean; test_staggered.py checks ours by simulation.
        assert found[f"ATT({start}, {time})"].estimate == pytest.approx(theirs["coef"], rel=1e-6)


@pytest.mark.peer
def test_stored_numbers_are_doublemls() -> None:
    pytest.importorskip("doubleml")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, case in SCRIPT["CASES"].items():
            theirs = SCRIPT["run_doubleml"](case, TABLE)
            assert theirs["coef"] == pytest.approx(STORED["doubleml"]["cases"][name]["coef"], rel=1e-8)


def test_reference_table_is_the_scripts() -> None:
    pd.testing.assert_frame_equal(SCRIPT["make_table"](), TABLE)
    assert issubclass(SupposeWarning, UserWarning)
