"""Balance: closed forms, known weights, names, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from suppose.core.errors import DataError
from suppose.effects import DifferenceInMeans, Interactive, PartiallyLinear
from suppose.effects.balance import (
    Balance,
    CovariateBalance,
    check_balance,
    measure_balance,
    residual_balance,
)

ARM = np.array([0, 0, 0, 1, 1, 1])


def test_difference_of_a_number_in_closed_form() -> None:
    """Means 2 and 5, variances 1 and 4: 3 / sqrt(2.5); ratio 4."""
    row = measure_balance(np.array([[1.0], [2.0], [3.0], [3.0], [5.0], [7.0]]), ARM).rows[0]
    assert row.before == pytest.approx(3 / np.sqrt(2.5))
    assert row.ratio_before == pytest.approx(4.0)
    assert row.after == row.before


def test_difference_of_a_share_in_closed_form() -> None:
    """Shares 1/3 and 2/3, variance (n / (n - 1)) p (1 - p) = 1/3 each; the ratio says nothing."""
    row = measure_balance(np.array([[1.0], [0.0], [0.0], [1.0], [1.0], [0.0]]), ARM).rows[0]
    assert row.before == pytest.approx((1 / 3) / np.sqrt(1 / 3))
    assert np.isnan(row.ratio_before)


def test_weights_by_hand() -> None:
    """Weights 1, 1, 2 on 1, 2, 3 give mean 2.25; the scale stays the unweighted one."""
    X = np.array([[1.0], [2.0], [3.0], [3.0], [5.0], [7.0]])
    row = measure_balance(X, ARM, np.array([1.0, 1.0, 2.0, 1.0, 1.0, 1.0])).rows[0]
    assert row.after == pytest.approx((5 - 2.25) / np.sqrt(2.5))
    w, x = np.array([1.0, 1.0, 2.0]), X[:3, 0]
    variance = np.sum(w * (x - 2.25) ** 2) / (4 - 6 / 4)
    assert row.ratio_after == pytest.approx(4 / variance)


def test_equal_weights_change_nothing() -> None:
    rng = np.random.default_rng(0)
    X, arm = rng.normal(size=(60, 3)), rng.integers(0, 2, 60)
    plain, weighted = measure_balance(X, arm), measure_balance(X, arm, np.full(60, 0.37))
    for one, other in zip(plain.rows, weighted.rows, strict=True):
        assert other.after == pytest.approx(one.before)
        assert other.ratio_after == pytest.approx(one.ratio_before)


def test_scale_and_shift_of_a_covariate_change_nothing() -> None:
    rng = np.random.default_rng(0)
    X, arm = rng.normal(size=(60, 2)), rng.integers(0, 2, 60)
    one, other = measure_balance(X, arm), measure_balance(3_000 + 1_000 * X, arm)
    assert [row.before for row in other.rows] == pytest.approx([row.before for row in one.rows])


def test_constant_columns() -> None:
    X = np.c_[np.full(6, 2.0), np.repeat([1.0, 4.0], 3)]
    found = measure_balance(X, ARM, names=["same", "apart"])
    assert found.rows[0].before == 0.0
    assert found.rows[1].before == np.inf
    assert found.verdict == "fails"
    found.plot()


def test_true_weights_balance_strata_exactly() -> None:
    p = np.repeat([0.2, 0.8], 100)
    arm = np.concatenate([np.arange(100) < 20, np.arange(100) < 80]).astype(int)
    x = np.repeat([0.0, 1.0], 100)[:, None]
    found = measure_balance(x, arm, np.where(arm == 1, 1 / p, 1 / (1 - p)))
    assert abs(found.rows[0].before) > 1
    assert found.rows[0].after == pytest.approx(0, abs=1e-12)


def test_one_hot_columns_keep_their_origin() -> None:
    rng = np.random.default_rng(0)
    level = rng.integers(0, 3, 90)
    arm = (rng.random(90) < np.array([0.2, 0.5, 0.8])[level]).astype(int)
    X = np.c_[(level[:, None] == [0, 1, 2]).astype(float), rng.normal(size=90)]
    names = ["school=low", "school=mid", "school=high", "age"]
    found = measure_balance(X, arm, names=names)
    assert [row.group for row in found.rows] == ["school", "school", "school", "age"]
    assert found.unbalanced[0] == "school"
    assert found.unbalanced.count("school") == 1
    given = measure_balance(X, arm, names=["a", "b", "c", "age"], groups={"school": ["a", "b", "c"]})
    assert given.unbalanced[0] == "school"


def test_three_arms_are_compared_with_the_reference() -> None:
    rng = np.random.default_rng(0)
    found = measure_balance(rng.normal(size=(90, 1)), rng.integers(0, 3, 90), arms=["none", "half", "full"])
    assert [row.contrast for row in found.rows] == ["half vs none", "full vs none"]


def record(*after: float) -> Balance:
    rows = [
        CovariateBalance(f"x{k}", f"x{k}", "1 vs 0", 0.5, value, 1.0, 1.0) for k, value in enumerate(after)
    ]
    return Balance(tuple(rows), "ATE")


@pytest.mark.parametrize(
    ("after", "verdict"), [((0.02, 0.1), "passes"), ((0.02, 0.11), "warns"), ((-0.3, 0.0), "fails")]
)
def test_verdicts(after: tuple[float, ...], verdict: str) -> None:
    assert record(*after).verdict == verdict


def test_words_name_the_worst_first() -> None:
    words = record(0.12, -0.4, 0.05).words
    assert words == (
        "Largest standardised mean difference: from 0.50 before to 0.40 after adjustment. Above 0.1: x1, x0."
    )


def confounded(n: int = 3_000) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 2))
    d = (rng.random(n) < 1 / (1 + np.exp(-x[:, 0]))).astype(float)
    return pd.DataFrame({"d": d, "age": x[:, 0], "wage": x[:, 1]}), d + x[:, 0] + rng.normal(size=n)


@pytest.mark.parametrize("estimand", ["ATE", "ATT", "ATO"])
def test_fitted_estimators_balance_their_covariates(estimand: str) -> None:
    found = check_balance(Interactive("d", estimand=estimand).fit(*confounded()))
    assert [row.name for row in found.rows] == ["age", "wage"]
    assert found.worst_before > 0.7
    assert found.verdict == "passes"
    assert found.estimand == estimand


def test_several_arms_of_the_treated_are_each_their_own_population() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=2_000)
    weights = np.exp(np.c_[np.zeros(2_000), 0.5 * x, -0.5 * x])
    d = (rng.random((2_000, 1)) > (weights / weights.sum(1, keepdims=True)).cumsum(1)).sum(1).astype(float)
    found = check_balance(Interactive(estimand="ATT").fit(np.c_[d, x], x + d + rng.normal(size=2_000)))
    assert [row.contrast for row in found.rows] == ["1 vs 0", "2 vs 0"]
    assert found.worst_before > 0.3
    assert found.worst_after < 0.1


def test_partially_linear_models_balance_binary_and_continuous_treatments() -> None:
    X, y = confounded()
    assert check_balance(PartiallyLinear("d").fit(X, y)).verdict == "passes"
    rng = np.random.default_rng(5)
    X["d"] = X["age"] + rng.normal(size=len(X))
    found = check_balance(PartiallyLinear("d").fit(X, y))
    assert found.measure == "correlation with the treatment"
    assert found.rows[0].before == pytest.approx(np.corrcoef(X["d"], X["age"])[0, 1])
    assert found.worst_after < 0.05


def test_without_propensities_only_the_raw_comparison_is_shown() -> None:
    X, y = confounded()
    model = DifferenceInMeans("d").fit(X, y)
    found = check_balance(model, X)
    assert not found.adjusted
    assert "without any adjustment" in found.words
    assert found.verdict == "fails"


def test_correlations_agree_with_numpy() -> None:
    rng = np.random.default_rng(0)
    X, d, v = rng.normal(size=(50, 2)), rng.normal(size=50), rng.normal(size=50)
    found = residual_balance(X, d, v)
    assert found.rows[1].before == pytest.approx(np.corrcoef(X[:, 1], d)[0, 1])
    assert found.rows[1].after == pytest.approx(np.corrcoef(X[:, 1], v)[0, 1])


def test_love_plot_shows_the_worst_on_top() -> None:
    found = record(0.12, -0.4, 0.05)
    ax = found.plot(most=2)
    assert len(ax.get_yticklabels()) == 2
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"after adjustment", "before"}


def test_record_is_readable() -> None:
    found: Any = record(0.12)
    assert list(found.to_frame().columns)[:4] == ["name", "group", "contrast", "before"]
    assert "+0.500 -> +0.120" in str(found)


def test_refusals_name_the_place() -> None:
    with pytest.raises(DataError, match="expected one row per unit and one name per covariate"):
        measure_balance(np.zeros((4, 1)), np.array([0, 1, 0, 1]), names=["a", "b"])
    with pytest.raises(DataError, match=r"arm: expected two arms or more .* got sizes \[3, 1\]"):
        measure_balance(np.zeros((4, 1)), np.array([0, 1, 0, 0]))
    X, y = confounded(400)
    with pytest.raises(DataError, match="X: expected the 400 rows of fit, got 300"):
        check_balance(DifferenceInMeans("d").fit(X, y), X[:300])
