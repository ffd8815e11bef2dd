"""scikit-learn's own battery on the neural estimators, with settings that train in moments.

No check is skipped. The whole battery is slow; its quick part names the checks that meet our own reading of
tables. Architectures made for doses alone refuse the battery's tables of whole numbers, whose treatment has arms.
"""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from suppose.effects import NeuralBaseline, TransTEE

FAST: dict[str, Any] = {"epochs": 30, "members": 1, "learning_rate": 0.03, "patience": None, "interval": "ensemble",
                        "validation": 0.0, "batch_size": 32, "allow_extrapolation": True}  # fmt: skip


@pytest.mark.slow
@parametrize_with_checks([TransTEE(0, **FAST), NeuralBaseline(0, **FAST, architecture="s-learner")])
def test_battery(estimator: Any, check: Any) -> None:
    check(estimator)


QUICK = ("check_estimators_dtypes", "check_methods_subset_invariance", "check_fit_idempotent",
         "check_estimators_nan_inf", "check_n_features_in", "check_dict_unchanged", "check_regressors_int",
         "check_do_not_raise_errors_in_init_or_set_param", "check_parameters_default_constructible",
         "check_readonly_memmap_input", "check_fit2d_1feature", "check_fit2d_1sample")  # fmt: skip


@parametrize_with_checks([TransTEE(0, **{**FAST, "epochs": 2})])
def test_quick_part_of_the_battery(estimator: Any, check: Any) -> None:
    if getattr(check, "func", check).__name__ in QUICK:
        check(estimator)
