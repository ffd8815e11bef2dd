"""Invariance of a function, and what a violation would do: against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from suppose.core.errors import DataError, EstimationError
from suppose.datasets import make_linear_sem
from suppose.effects.augmentation import (
    GaussianNoise,
    IVLRegressor,
    NullTranslation,
    invariance_report,
    violation_curve,
)
from suppose.effects.augmentation.invariance import refuse_violation
from suppose.effects.augmentation.risks import solve_ivl

WORLD = make_linear_sem(800, 5, seed=6)
AUGMENT = NullTranslation.ignoring(WORLD.f)
X = WORLD.X - WORLD.X.mean(axis=0)
Y = WORLD.y - WORLD.y.mean()
GX, G = AUGMENT(X, np.random.default_rng(0))
GX, G = GX - GX.mean(axis=0), G - G.mean(axis=0)
CONTRAST = np.array([1.0, 0.0, -1.0, 0.0, 0.0])


@pytest.mark.parametrize("alpha", [0.05, np.inf])
def test_the_curve_is_the_worst_case_over_all_violations(alpha) -> None:
    def estimate(y):
        model = IVLRegressor(alpha=alpha).fit(X, y, GX=GX, G=G)
        return CONTRAST @ (model.coef_ if np.isfinite(alpha) else model.alternatives_["DA+ERM"])

    model = IVLRegressor(alpha=alpha).fit(X, Y, GX=GX, G=G)
    arguments = model.moments_, model.jacobian_, model.parameter_covariance_
    size = 0.7
    curve = violation_curve(*arguments, solve_ivl(model.moments_, alpha), alpha, CONTRAST, sizes=[0.0, size])
    assert curve.low[0] == curve.high[0] == pytest.approx(estimate(Y))
    rng = np.random.default_rng(1)
    reached = []
    for _ in range(40):
        change = G @ rng.normal(size=G.shape[1])
        reached.append(estimate(Y + size * change / np.sqrt(np.mean(change**2))))
    assert curve.low[1] - 1e-9 <= min(reached) and max(reached) <= curve.high[1] + 1e-9
    matrix = (
        model.moments_.gram_projected + alpha * model.moments_.gram
        if np.isfinite(alpha)
        else model.moments_.gram
    )
    row = model.jacobian_.T @ np.linalg.solve(matrix, CONTRAST)
    worst = G @ np.linalg.solve(model.parameter_covariance_, row)
    assert estimate(Y + size * worst / np.sqrt(np.mean(worst**2))) == pytest.approx(curve.high[1], rel=1e-8)
    at = estimate(Y - np.sign(curve.estimate) * curve.breakdown * worst / np.sqrt(np.mean(worst**2)))
    assert at == pytest.approx(0.0, abs=1e-8)


def test_a_wrong_augmentation_biases_as_the_curve_says() -> None:
    """Translate along a direction f does notice: correcting the outcome for it gives the truth back."""
    rng = np.random.default_rng(2)
    wrong = NullTranslation(np.eye(5)[:1])
    changed, parameters = wrong(X, rng)
    slope = WORLD.f[0]
    naive = IVLRegressor(alpha=0.01).fit(X, Y, GX=changed, G=parameters)
    right = IVLRegressor(alpha=0.01).fit(X, Y + slope * parameters[:, 0], GX=changed, G=parameters)
    curve = violation_curve(
        naive.moments_, naive.jacobian_, naive.parameter_covariance_, naive.coef_, 0.01, np.eye(5)[0],
        sizes=[abs(slope) * parameters.std()],
    )  # fmt: skip
    assert min(abs(right.coef_[0] - curve.low[0]), abs(right.coef_[0] - curve.high[0])) < 0.01
    assert abs(right.coef_[0] - slope) < abs(naive.coef_[0] - slope)


def test_report_on_a_linear_function_is_exact() -> None:
    f = np.arange(1.0, 6.0)
    noise = GaussianNoise(0.2, pooled=False)
    report = invariance_report(f, noise, X, draws=50)
    spread = X.std(axis=0)
    assert report.change == pytest.approx(0.2 * np.sqrt(np.sum((f * spread) ** 2)), rel=0.02)
    np.testing.assert_allclose(report.slopes, 0.2 * f * spread, atol=0.03 * report.change)
    assert report.spread == pytest.approx((X @ f).std())
    assert report.verdict == "fails" and "changes f by" in report.words


@pytest.mark.parametrize(("scale", "verdict"), [(1e-4, "passes"), (0.03, "warns"), (1.0, "fails")])
def test_verdicts(scale, verdict) -> None:
    one = np.array([1.0, 0, 0, 0, 0])
    report = invariance_report(one, GaussianNoise(scale, pooled=False), X)
    assert report.verdict == verdict
    assert len(report.plot().patches) == 5
    assert str(report).startswith(f"Invariance: {verdict}")
    assert len(report.to_frame()) == 5


def test_models_and_functions_are_taken() -> None:
    fitted = LinearRegression().fit(X, X @ WORLD.f)
    by_model, by_call = (invariance_report(f, AUGMENT, X) for f in (fitted, lambda rows: rows @ WORLD.f))
    assert by_model.verdict == by_call.verdict == "passes"
    assert invariance_report(WORLD.f, AUGMENT, X).share < 1e-10


def test_constant_functions_do_not_change() -> None:
    assert invariance_report(lambda rows: np.ones(len(rows)), AUGMENT, X).share == 0.0


def test_curves_can_be_read() -> None:
    model = IVLRegressor(AUGMENT, alpha=0.1).fit(X, Y)
    curve = violation_curve(
        model.moments_, model.jacobian_, model.parameter_covariance_, model.coef_, 0.1, CONTRAST
    )
    assert list(curve.to_frame().columns) == ["violation", "share of outcome sd", "low", "high"]
    assert "to zero" in str(curve)
    assert curve.plot(unit="y").get_ylabel() == "y"
    still = violation_curve(
        model.moments_, 0 * model.jacobian_, model.parameter_covariance_, model.coef_, 0.1, CONTRAST
    )
    assert "No violation" in still.words


def test_refusals() -> None:
    with pytest.raises(EstimationError, match="expected 5 coefficients, one per input, got 2"):
        invariance_report(np.ones(2), AUGMENT, X)
    with pytest.raises(EstimationError, match="expected 800 finite values, one per row, got 1"):
        invariance_report(lambda rows: 1.0, AUGMENT, X)
    with pytest.raises(DataError, match="augmentation changes f by") as refusal:
        refuse_violation(invariance_report(np.ones(5), AUGMENT, X))
    assert refusal.value.code == "not-invariant"
