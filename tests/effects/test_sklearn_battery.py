"""scikit-learn's own battery on every estimator of the room.

Estimators for discrete treatments get ``cutoff="median"``: the battery's columns are continuous.
Exceptions, each with its reason: none but the array API, which scikit-learn only checks when its
environment variable is set.
"""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from suppose.effects import (
    DifferenceInMeans,
    GComputation,
    Interactive,
    InverseProbability,
    PartiallyLinear,
)

ESTIMATORS = [
    PartiallyLinear(treatment=0),
    PartiallyLinear(treatment=0, score_type="iv-type"),
    Interactive(treatment=0, cutoff="median"),
    Interactive(treatment=0, cutoff="median", estimand="ATO", folds=2),
    InverseProbability(treatment=0, cutoff="median"),
    GComputation(treatment=0, cutoff="median"),
    DifferenceInMeans(treatment=0, cutoff="median"),
]


@pytest.mark.filterwarnings("ignore::suppose.core.errors.OverlapWarning")
@parametrize_with_checks(ESTIMATORS)
def test_battery(estimator: Any, check: Any) -> None:
    check(estimator)
