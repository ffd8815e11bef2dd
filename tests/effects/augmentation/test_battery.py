"""scikit-learn's own battery on the estimators under augmentation, without exceptions.

:class:`IVLRegressor` says ``poor_score`` of itself: it predicts under intervention, not for more rows of the
battery's tables. The network is made small and trained longer, since the battery's tables have few rows.
"""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from suppose.effects.augmentation import BaselineRegressor, GaussianNoise, IVLNetwork, IVLRegressor

ESTIMATORS = [
    IVLRegressor(GaussianNoise()),
    BaselineRegressor("kania-wit", GaussianNoise()),
    BaselineRegressor("irm", GaussianNoise()),
    IVLNetwork(GaussianNoise(), hidden=(32,), epochs=60),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
@parametrize_with_checks(ESTIMATORS)
def test_battery(estimator: Any, check: Any) -> None:
    check(estimator)
