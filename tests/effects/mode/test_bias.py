"""Beliefs about shifts: against recomputed regressions and closed forms; tipping points; the split; refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from suppose.core.errors import EstimationError
from suppose.effects.mode import ModeEffectAnalysis, Prior
from suppose.effects.mode.bias import shift_moments, slopes
from suppose.effects.mode.regression import regression
from suppose.worlds.survey import closed_form, simulate, simulate_binary

WORLD = {"beta": 0.3, "a_x": 1.0, "a_y": 1.0, "delta_x": 0.5, "delta_y": 0.5}


@pytest.fixture(scope="module")
def fitted() -> ModeEffectAnalysis:
    frame = simulate("S5", 4000, seed=2, **WORLD).frame
    return ModeEffectAnalysis(exposure="X*", mode="M", imputations=0).fit(frame[["X*", "M"]], frame["Y*"])


@pytest.mark.parametrize("shift", [(0, 0, 1, 1), (0.5, 0.5, 1, 1), (-0.3, 0.8, 1, 1), (0.2, 0.1, 0.7, 1.4)])
@pytest.mark.parametrize("covariates", [0, 2])
def test_moments_give_the_regression_on_answers_taken_back(shift, covariates) -> None:
    frame = simulate("S7", 300, seed=1).frame
    C = np.column_stack([frame["C"], np.sin(frame["C"])])[:, :covariates]
    x, y, other = frame["X*"].to_numpy(), frame["Y*"].to_numpy(), frame["M"].to_numpy() > 0
    dx, dy, sx, sy = shift
    back_x, back_y = np.where(other, (x - dx) / sx, x), np.where(other, (y - dy) / sy, y)
    direct = np.column_stack([back_x, np.ones(300), C])
    b = np.linalg.lstsq(direct, back_y, rcond=None)[0]
    bread = np.linalg.inv(direct.T @ direct)
    scores = direct * (back_y - direct @ b)[:, None]
    error = np.sqrt(300 / (300 - 2 - covariates) * (bread @ (scores.T @ scores) @ bread)[0, 0])
    estimate, found = slopes(shift_moments(x, y, other, C), *shift)
    assert estimate[0] == pytest.approx(b[0], rel=1e-9)
    assert found[0] == pytest.approx(error, rel=1e-9)


def test_fixed_beliefs_give_the_slope_and_its_interval(fitted) -> None:
    bias = fitted.bias_analysis({"exposure": 0.5, "outcome": 0.5}, draws=20_000)
    estimate, error = slopes(fitted._moments(), 0.5, 0.5)
    assert bias.systematic_low == bias.systematic_high == pytest.approx(float(estimate[0]))
    assert bias.low == pytest.approx(float(estimate[0] - 1.96 * error[0]), abs=0.05 * float(error[0]))
    assert abs(bias.median - 0.3) < 4.5 * float(error[0])


def test_wider_beliefs_give_wider_intervals(fitted) -> None:
    widths = [
        bias.high - bias.low
        for bias in (
            fitted.bias_analysis({"outcome": f"normal(0.5, {spread})", "exposure": 0.5}) for spread in (0.01, 0.2, 0.6)
        )
    ]  # fmt: skip
    assert widths == sorted(widths)


def test_shifts_of_rows_without_the_other_mode_change_nothing() -> None:
    frame = simulate("S5", 500, seed=1, **WORLD).frame
    moments = shift_moments(
        frame["X*"].to_numpy(), frame["Y*"].to_numpy(), np.zeros(500, dtype=bool), np.empty((500, 0))
    )
    assert np.ptp(slopes(moments, [0.0, 1.0, 5.0], [0.0, -1.0, 2.0])[0]) < 1e-12


def test_log_odds_follow_the_shift_of_the_exposure() -> None:
    rng = np.random.default_rng(0)
    x, other = rng.normal(size=3000), rng.random(3000) < 0.5
    y = (rng.random(3000) < 1 / (1 + np.exp(-0.8 * x))).astype(float)
    X = np.c_[x + 0.7 * other, other]
    model = ModeEffectAnalysis(0, 1, model="logistic", imputations=0).fit(X, y)
    bias = model.bias_analysis({"exposure": "uniform(0.6, 0.8)"}, draws=500)
    direct = regression(np.c_[x, np.ones(3000)], y, "logistic")
    assert abs(bias.median - direct.coefficients[0]) < 0.02
    curve = model.tipping_curve(reach=0.5, points=5)
    at = regression(np.c_[X[:, 0] - curve.shift_exposure[-1] * other, np.ones(3000)], y, "logistic")
    assert float(curve.estimate[-1, 0]) == pytest.approx(float(at.coefficients[0]), abs=1e-6)


@pytest.mark.parametrize(
    ("text", "mean", "quartile"),
    [
        ("normal(0.3, 0.1)", 0.3, stats.norm(0.3, 0.1).ppf(0.25)),
        ("uniform(-1, 3)", 1.0, 0.0),
        ("triangular(0, 1, 4)", 5 / 3, 1.0),
        ("trapezoidal(0, 1, 2, 3)", 1.5, 1.0),
        (0.4, 0.4, 0.4),
    ],
)
def test_laws_have_their_means_and_quantiles(text, mean, quartile) -> None:
    law = Prior.of(text)
    assert law.mean == pytest.approx(mean)
    assert float(law.quantile(np.array([0.25]))[0]) == pytest.approx(quartile)
    assert Prior.of(str(law)) == law


def test_the_tipping_point_is_where_the_slope_is_zero(fitted) -> None:
    curve = fitted.tipping_curve(reach=3.0, points=121)
    for shift, name in ((curve.sign_outcome, "y"), (curve.sign_exposure, "x")):
        pair = (0.0, shift) if name == "y" else (shift, 0.0)
        assert abs(float(slopes(fitted._moments(), *pair)[0][0])) < 2e-3
    assert abs(curve.tips_outcome) < abs(curve.sign_outcome)
    frame = curve.to_frame()
    assert len(frame) == 121 * 121
    assert "changes the interval's verdict" in curve.words
    assert curve.plot() is not None


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_the_split_curve_foresees_other_splits(share) -> None:
    frame = simulate("S5", 60_000, seed=3, **WORLD, share=0.4).frame
    model = ModeEffectAnalysis("X*", "M", imputations=0).fit(frame[["X*", "M"]], frame["Y*"])
    from suppose.effects.mode.tipping import split_curve

    curve = split_curve(model._moments(), float(frame["M"].mean()), 0.5, 0.5, [share])
    assert curve.unadjusted[0] == pytest.approx(closed_form("S5", (), share=share, **WORLD), abs=0.02)
    assert curve.given_mode[0] == pytest.approx(closed_form("S5", ("M",), share=share, **WORLD), abs=0.02)
    here = split_curve(model._moments(), float(frame["M"].mean()), 0.5, 0.5, [float(frame["M"].mean())])
    assert here.unadjusted[0] == pytest.approx(model.naive_.estimate, rel=1e-9)
    assert here.given_mode[0] == pytest.approx(model.conditional_.estimate, rel=1e-9)


def test_the_same_seed_gives_the_same_draws(fitted) -> None:
    priors = {"outcome": "normal(0.5, 0.1)"}
    first, second = (fitted.bias_analysis(priors, draws=300) for _ in range(2))
    assert np.array_equal(first.values, second.values)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.bias_analysis({}), "needs to know what is believed"),
        (lambda m: m.bias_analysis({"outcom": 0.5}), "Did you mean 'outcome'"),
        (lambda m: m.bias_analysis({"outcome": "normal(0.5)"}), "normal needs 2 finite numbers"),
        (lambda m: m.bias_analysis({"outcome": "gamma(1, 2)"}), "expected a number or one of normal"),
        (lambda m: m.bias_analysis({"outcome": "uniform(2, 1)"}), "in rising order"),
        (lambda m: m.bias_analysis({"outcome_scale": "normal(0.2, 0.1)"}), "a scale must be above zero"),
        (lambda m: m.bias_analysis({"outcome": 0.5}, draws=10), "at least 100 draws"),
    ],
)
def test_beliefs_are_refused(fitted, call, message) -> None:
    with pytest.raises(EstimationError, match=message):
        call(fitted)


def test_yes_or_no_has_no_shift_and_no_split() -> None:
    frame = simulate_binary(800, seed=1).frame
    model = ModeEffectAnalysis("X*", "M", model="logistic", imputations=0).fit(
        frame[["X*", "M"]], frame["Y*"]
    )
    with pytest.raises(EstimationError, match="an outcome of 0 and 1 has no shift"):
        model.bias_analysis({"outcome": 0.1})
    with pytest.raises(EstimationError, match="known for slopes, not for log odds"):
        model.split_curve()
