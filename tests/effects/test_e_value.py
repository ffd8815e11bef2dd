"""E-values: published examples, closed forms, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from suppose.core.errors import DataError, EstimationError
from suppose.effects import Interactive, PartiallyLinear
from suppose.effects.e_value import check_e_value, e_value, e_value_of_difference


# VanderWeele and Ding (2017): breastfeeding and respiratory death, leukaemia and ovarian cancer; smoking and
# lung cancer (Hammond and Horn, 1958).
@pytest.mark.parametrize(
    ("ratio", "low", "high", "point", "limit"),
    [
        (3.9, 1.8, 8.7, 7.26, 3.0),
        (0.80, 0.71, 0.91, 1.81, 1.43),
        (0.5, 0.3, 0.8, 3.41, 1.81),
        (10.73, 8.02, 14.36, 20.95, 15.52),
    ],
)
def test_published_examples(ratio: float, low: float, high: float, point: float, limit: float) -> None:
    found = e_value(ratio, low, high)
    assert (round(found.point, 2), round(found.limit, 2)) == (point, limit)


def test_published_difference() -> None:
    """D = 0.5 with standard error 0.25, by exp(0.91 d) and exp(0.91 d -+ 1.78 se)."""
    found = e_value_of_difference(0.5, 0.25, 1.0)
    assert found.risk_ratio == pytest.approx(np.exp(0.455))
    assert (found.low, found.high) == pytest.approx((np.exp(0.455 - 0.445), np.exp(0.455 + 0.445)))
    assert (round(found.point, 2), round(found.limit, 2)) == (2.53, 1.11)


def test_ratio_and_its_inverse_have_the_same_e_value() -> None:
    up, down = e_value(1.6, 1.2, 2.1), e_value(1 / 1.6, 1 / 2.1, 1 / 1.2)
    assert (up.point, up.limit) == pytest.approx((down.point, down.limit))


def test_no_association_needs_no_confounder() -> None:
    assert e_value(1.0).point == 1.0
    assert np.isnan(e_value(1.5).limit)
    assert e_value(1.2, 0.9, 1.6).limit == 1.0
    assert "includes no effect already" in e_value(1.2, 0.9, 1.6).words


def test_another_null_shifts_the_target() -> None:
    assert e_value(3.0, null=1.5).point == pytest.approx(e_value(2.0).point)
    assert e_value(0.9, null=1.5).point == pytest.approx(e_value(0.6).point)


def test_e_value_is_the_least_strength_that_explains_the_ratio() -> None:
    strength = e_value(2.4).point
    assert strength**2 / (2 * strength - 1) == pytest.approx(2.4)


def trial(n: int = 4_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, d = rng.normal(size=n), rng.integers(0, 2, n).astype(float)
    return np.c_[d, x], (rng.random(n) < 0.2 * (1 + d)).astype(float)


def test_binary_outcome_gives_the_risk_ratio_of_the_arms() -> None:
    X, y = trial()
    found = check_e_value(Interactive().fit(X, y))
    a, b = y[X[:, 0] == 1], y[X[:, 0] == 0]
    assert found.risk_ratio == pytest.approx(a.mean() / b.mean(), rel=0.02)
    half = 1.96 * np.sqrt((1 - a.mean()) / a.sum() + (1 - b.mean()) / b.sum())  # log risk ratio, textbook
    assert np.log(found.high / found.low) / 2 == pytest.approx(half, rel=0.02)


def test_continuous_outcome_goes_through_the_standardised_difference() -> None:
    rng = np.random.default_rng(1)
    X, _ = trial()
    y = 0.4 * X[:, 0] + rng.normal(size=len(X))
    for model in (Interactive(), PartiallyLinear()):
        fitted = model.fit(X, y)
        sd = np.sqrt((np.var(y[X[:, 0] == 0], ddof=1) + np.var(y[X[:, 0] == 1], ddof=1)) / 2)
        expected = e_value_of_difference(fitted.effect_.estimate, fitted.effect_.standard_error, float(sd))
        assert check_e_value(fitted).point == pytest.approx(expected.point)


def test_dose_is_taken_per_standard_deviation() -> None:
    rng = np.random.default_rng(2)
    x, d = rng.normal(size=(2, 500))
    y = 0.1 * d + rng.normal(size=500)
    slow = check_e_value(PartiallyLinear().fit(np.c_[d, x], y)).point
    fast = check_e_value(PartiallyLinear().fit(np.c_[100 * d, x], y)).point
    assert slow == pytest.approx(fast, rel=1e-6)


def test_record_is_readable() -> None:
    found = e_value(3.9, 1.8, 8.7)
    assert isinstance(found.to_frame(), pd.DataFrame)
    assert "risk ratios of 7.26" in found.words
    assert len(found.plot().lines) == 4  # two curves, two corners


def test_refusals_name_the_place() -> None:
    with pytest.raises(DataError, match="risk_ratio: expected a positive risk ratio, got -1"):
        e_value(-1.0)
    with pytest.raises(DataError, match="low, high: the interval 2 to 3 does not hold the estimate 1.5"):
        e_value(1.5, 2.0, 3.0)
    with pytest.raises(DataError, match="A constant outcome has no E-value"):
        e_value_of_difference(1.0, 0.1, 0.0)
    X, y = trial(600)
    with pytest.raises(EstimationError, match="computed for the ATE, got ATT"):
        check_e_value(Interactive(estimand="ATT").fit(X, y))
