"""scikit-learn's battery on the estimator that only a panel can be given to.

``PanelDML`` and ``LinearPanel`` pass the whole battery in tests/effects. The battery's tables hold continuous
columns where :class:`StaggeredEffect` asks for a 0/1 treatment, a unit and a time, and it refuses them in words.
The checks below are therefore exceptions; on a table that is a panel their substance is checked by hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from suppose.datasets import make_staggered
from suppose.effects.panel import StaggeredEffect

NO_PANEL = "the battery's table has no 0/1 treatment, unit and time to fit"
WITHOUT = (
    "check_fit_score_takes_y",
    "check_estimators_overwrite_params",
    "check_dont_overwrite_parameters",
    "check_estimators_fit_returns_self",
    "check_readonly_memmap_input",
    "check_n_features_in_after_fitting",
    "check_positive_only_tag_during_fit",
    "check_estimators_dtypes",
    "check_dtype_object",
    "check_pipeline_consistency",
    "check_estimators_nan_inf",
    "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_regressors_train",
    "check_regressor_data_not_an_array",
    "check_regressors_no_decision_function",
    "check_supervised_y_2d",
    "check_regressors_int",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_fit2d_1sample",
    "check_fit2d_1feature",
    "check_dict_unchanged",
    "check_fit_idempotent",
    "check_fit_check_is_fitted",
    "check_n_features_in",
    "check_fit2d_predict1d",
)
EXCEPTIONS = dict.fromkeys(WITHOUT, NO_PANEL)


@parametrize_with_checks([StaggeredEffect()], expected_failed_checks=lambda _: EXCEPTIONS)
def test_battery(estimator: Any, check: Any) -> None:
    check(estimator)


def test_substance_on_a_panel() -> None:
    table = make_staggered(units=60, periods=4, starts=(3,), seed=1)
    model = StaggeredEffect("d", "unit", "time", folds=2)
    before = model.get_params()
    X, y = table.X.copy(), table.y.copy()
    assert model.fit(X, y) is model
    assert model.get_params() == before
    assert X.equals(table.X) and y.equals(table.y)
    assert model.n_features_in_ == 5
    assert list(model.feature_names_in_) == ["unit", "time", "d", "x1", "x2"]
    first = model.effects_
    assert model.fit(X, y).effects_ == first
    assert clone(model).fit(X.astype(np.float32), y).effect_.estimate == pytest.approx(
        first[0].estimate, rel=1e-4
    )
    array = StaggeredEffect(2, 0, 1, folds=2).fit(X.to_numpy(), y.to_numpy())
    assert array.effect_.estimate == pytest.approx(first[0].estimate, rel=1e-12)
