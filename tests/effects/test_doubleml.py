"""Coefficient and standard error equal DoubleML's on the same data, folds and learners, to 1e-8.

Quick tier: against numbers stored with the script that made them (reference/make_doubleml.py). Tier
``peer``: against DoubleML itself, more learners.
"""

from __future__ import annotations

import json
import runpy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from suppose.core.errors import OverlapWarning
from suppose.effects import EffectEstimator, Interactive, PartiallyLinear

REFERENCE = Path(__file__).parent / "reference"
SCRIPT: dict[str, Any] = runpy.run_path(str(REFERENCE / "make_doubleml.py"))
STORED = json.loads((REFERENCE / "doubleml.json").read_text())["cases"]
TABLE = pd.read_csv(REFERENCE / "doubleml_table.csv")


def fit_ours(case: tuple[Any, ...]) -> EffectEstimator:
    model, score, _, outcome, treatment, _, clustered = case
    first, second = SCRIPT["learners_of"](case, TABLE)
    shared = {
        "covariates": SCRIPT["COVARIATES"], "cluster": "group" if clustered else None, "outcome_learner": first,
        "folds": SCRIPT["folds_of"](case, TABLE), "repeat_rule": "median-bound",
    }  # fmt: skip
    if model == "plr":
        score_type = {"partialling out": "partialling-out", "IV-type": "iv-type"}[score]
        ours: EffectEstimator = PartiallyLinear(
            treatment, treatment_learner=second, score_type=score_type, **shared
        )
    else:
        estimand = {"ATE": "ATE", "ATTE": "ATT"}[score]
        ours = Interactive(treatment, estimand=estimand, propensity_learner=second, **shared)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OverlapWarning)
        return ours.fit(TABLE, TABLE[outcome])


def assert_equal(ours: EffectEstimator, theirs: dict[str, Any]) -> None:
    assert ours.effect_.estimate == pytest.approx(theirs["coef"], rel=1e-8)
    assert ours.effect_.standard_error == pytest.approx(theirs["se"], rel=1e-8)
    assert ours.theta_by_repeat_[:, 0] == pytest.approx(theirs["all_coef"], rel=1e-8)
    assert ours.standard_error_by_repeat_[:, 0] == pytest.approx(theirs["all_se"], rel=1e-8)


@pytest.mark.parametrize("name", list(SCRIPT["CASES"]))
def test_equals_stored_numbers(name: str) -> None:
    assert_equal(fit_ours(SCRIPT["CASES"][name]), STORED[name])


@pytest.mark.peer
@pytest.mark.parametrize("name", [*SCRIPT["CASES"], *SCRIPT["LIVE_CASES"]])
def test_equals_doubleml(name: str) -> None:
    pytest.importorskip("doubleml")
    case = {**SCRIPT["CASES"], **SCRIPT["LIVE_CASES"]}[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = SCRIPT["run_doubleml"](case, TABLE)
    assert_equal(fit_ours(case), theirs)


def test_clipped_case_does_clip() -> None:
    with pytest.warns(OverlapWarning, match=r"weak overlap: \d+ of 420 rows"):
        Interactive("rare", covariates=SCRIPT["COVARIATES"], seed=1).fit(TABLE, TABLE["y"])


def test_default_repeat_rule_adds_the_spread_between_splits() -> None:
    case = SCRIPT["CASES"]["irm ate repeats"]
    ours = fit_ours(case)
    theta, se = ours.theta_by_repeat_[:, 0], ours.standard_error_by_repeat_[:, 0]
    default = ours.set_params(repeat_rule="median-variance").fit(TABLE, TABLE["y"])
    expected = np.sqrt(np.median(se**2 + (theta - np.median(theta)) ** 2))
    assert default.effect_.standard_error == pytest.approx(expected, rel=1e-12)
    assert default.effect_.estimate == pytest.approx(np.median(theta), rel=1e-12)
