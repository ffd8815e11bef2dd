"""Solving scores: closed forms, clusters, repeats."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import EstimationError
from suppose.effects.inference import aggregate_repeats, estimate_effect, solve_score


def column(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=float)[:, None, None]


def test_mean_score_is_mean_with_its_standard_error() -> None:
    y = np.random.default_rng(0).normal(3, 2, 50)
    solution = solve_score(column(-np.ones(50)), column(y))
    assert solution.theta[0, 0] == pytest.approx(y.mean(), rel=1e-14)
    assert solution.standard_error[0, 0] == pytest.approx(y.std() / np.sqrt(50), rel=1e-12)
    assert solution.psi[:, 0, 0] == pytest.approx(y - y.mean())


def test_clusters_of_one_row_change_nothing() -> None:
    rng = np.random.default_rng(1)
    a, b = column(-rng.random(40) - 0.1), column(rng.normal(size=40))
    plain = solve_score(a, b)
    clustered = solve_score(a, b, clusters=np.arange(40), folds=np.arange(40)[:, None] % 4)
    assert clustered.theta == pytest.approx(plain.theta, rel=1e-13)
    assert clustered.standard_error == pytest.approx(plain.standard_error, rel=1e-12)


def test_copied_rows_in_clusters_keep_the_standard_error_of_the_originals() -> None:
    rng = np.random.default_rng(2)
    a, b = column(-rng.random(30) - 0.1), column(rng.normal(size=30))
    plain = solve_score(a, b)
    copies = solve_score(
        np.repeat(a, 4, axis=0), np.repeat(b, 4, axis=0), clusters=np.repeat(np.arange(30), 4),
        folds=np.zeros((120, 1), dtype=int),
    )  # fmt: skip
    assert copies.standard_error == pytest.approx(plain.standard_error, rel=1e-12)
    naive = solve_score(np.repeat(a, 4, axis=0), np.repeat(b, 4, axis=0))
    assert naive.standard_error == pytest.approx(plain.standard_error / 2, rel=1e-12)


def test_rows_of_zeros_are_left_out() -> None:
    y = np.random.default_rng(3).normal(size=20)
    a, b = column(-np.ones(20)), column(y)
    a[15:], b[15:] = 0.0, 0.0
    solution = solve_score(a, b)
    assert solution.theta[0, 0] == pytest.approx(y[:15].mean())
    assert solution.standard_error[0, 0] == pytest.approx(y[:15].std() / np.sqrt(15))


def test_repeats_are_put_together_by_medians() -> None:
    theta, se = np.array([[1.0], [2.0], [5.0]]), np.array([[0.5], [0.4], [0.3]])
    center, error = aggregate_repeats(theta, se)
    assert center[0] == 2.0
    assert error[0] == pytest.approx(np.sqrt(np.median([0.25 + 1, 0.16, 0.09 + 9])))
    _, bound = aggregate_repeats(theta, se, "median-bound")
    assert bound[0] == pytest.approx((np.median(theta + 1.96 * se) - 2.0) / 1.96)


def test_few_clusters_widen_the_interval() -> None:
    known = {"estimand": "ATE", "contrast": "1 vs 0", "n": 100, "method": "AIPW"}
    normal, few = estimate_effect(1.0, 0.5, **known), estimate_effect(1.0, 0.5, clusters=5, **known)
    assert normal.high == pytest.approx(1 + 1.959964 * 0.5, abs=1e-6)
    assert few.high == pytest.approx(1 + 2.776445 * 0.5, abs=1e-6)
    assert few.p_value > normal.p_value


def test_estimate_without_interval_says_so() -> None:
    effect = estimate_effect(1.0, float("nan"), estimand="ATE", contrast="1 vs 0", n=10, method="x")
    assert "no interval" in str(effect)
    assert np.isnan(effect.to_frame()["low"][0])


def test_degenerate_score_is_refused() -> None:
    with pytest.raises(EstimationError, match="predict the treatment without error"):
        solve_score(column(np.zeros(5)), column(np.ones(5)))
