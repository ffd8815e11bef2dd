"""scikit-learn's own battery on every estimator of the room, without exceptions.

Estimators for discrete treatments get ``cutoff="median"``, since the battery's columns are continuous,
and penalised learners: its tables of ten rows are (rightly) too small for least squares in each arm, and
its separated clusters leave an unpenalised propensity no overlap.
"""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from suppose.effects import (
    DifferenceInMeans,
    FrontDoor,
    GComputation,
    Interactive,
    InverseProbability,
    LinearPanel,
    PanelDML,
    PartiallyLinear,
)

LOGISTIC = LogisticRegression(C=0.01)
ESTIMATORS = [
    PartiallyLinear(treatment=0),
    Interactive(treatment=0, cutoff="median", outcome_learner=Ridge(), propensity_learner=LOGISTIC),
    InverseProbability(treatment=0, cutoff="median", propensity_learner=LOGISTIC),
    GComputation(treatment=0, cutoff="median", outcome_learner=Ridge()),
    DifferenceInMeans(treatment=0, cutoff="median"),
    FrontDoor(treatment=0, cutoff="median", outcome_learner=Ridge(), propensity_learner=LOGISTIC),
    PanelDML(treatment=0, approach="pooled", outcome_learner=Ridge(), repeats=1),
    LinearPanel(treatment=0, method="pooled"),
]


@pytest.mark.filterwarnings("ignore:g-computation with the learner")
@pytest.mark.filterwarnings("ignore::suppose.core.errors.OverlapWarning")
@parametrize_with_checks(ESTIMATORS)
def test_battery(estimator: Any, check: Any) -> None:
    check(estimator)
