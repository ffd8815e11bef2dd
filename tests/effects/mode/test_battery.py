"""scikit-learn's own battery, without exceptions.

The battery's tables are small and continuous: the mode is a column cut at its median, and a mode may have few rows.
"""

from __future__ import annotations

from typing import Any

from sklearn.utils.estimator_checks import parametrize_with_checks

from suppose.effects.mode import ModeEffectAnalysis

ESTIMATOR = ModeEffectAnalysis(
    exposure=0, mode=1, covariates=None, cutoff="median", smallest=1, imputations=3
)


@parametrize_with_checks([ESTIMATOR])
def test_battery(estimator: Any, check: Any) -> None:
    check(estimator)
