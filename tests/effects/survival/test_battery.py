"""scikit-learn's own battery on every survival estimator, without exceptions.

Warnings of a likelihood without a maximum are let through: many of the battery's tables have a dozen rows whose
durations are a function of the covariates.
"""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from suppose.effects import FlexibleSurvival, KaplanMeier, NelsonAalen, ProportionalHazards

ESTIMATORS = [FlexibleSurvival(scale="aft"), ProportionalHazards(), KaplanMeier(), NelsonAalen()]


@pytest.mark.filterwarnings("ignore::suppose.core.errors.SupposeWarning")
@parametrize_with_checks(ESTIMATORS)
def test_battery(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::suppose.core.errors.SupposeWarning")
@parametrize_with_checks([FlexibleSurvival(), FlexibleSurvival(scale="ph", kappa=1)])
def test_battery_of_the_other_scale(estimator: Any, check: Any) -> None:
    check(estimator)
