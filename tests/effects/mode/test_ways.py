"""Imputation, weighting, strata, the offer and calibration: truth, known formulas, invariance, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from suppose.core.errors import DataError, EstimationError, Refusal
from suppose.effects.mode import ModeEffectAnalysis, calibrate, mode_contrast
from suppose.effects.mode.imputation import draw_answers, impute_mode, rubin
from suppose.effects.mode.regression import logistic, regression, two_stage
from suppose.worlds.survey import closed_form, simulate


def fitted(scenario: str, n: int, *, seed: int = 0, columns=("X*", "M"), world=None, **options):
    frame = simulate(scenario, n, seed=seed, **(world or {})).frame
    return ModeEffectAnalysis(exposure="X*", mode="M", **options).fit(frame[list(columns)], frame["Y*"])


def near(estimate, truth: float) -> bool:
    return abs(estimate.estimate - truth) < 4.5 * estimate.standard_error


# ---- imputation


def test_rubins_rules_are_those_of_the_book() -> None:
    estimates, variances = np.array([0.2, 0.5, 0.4, 0.3]), np.array([0.01, 0.02, 0.015, 0.015])
    mean, error, freedom = rubin(estimates, variances, 1e9)
    between, within = estimates.var(ddof=1), variances.mean()
    total = within + 1.25 * between
    assert (mean, error) == (pytest.approx(0.35), pytest.approx(np.sqrt(total)))
    assert freedom == pytest.approx(3 * (total / (1.25 * between)) ** 2, rel=1e-3)


def test_draws_follow_the_model_of_the_reference_mode() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=20_000)
    y = 1 + 2 * x + 0.5 * rng.normal(size=20_000)
    blank = rng.random(20_000) < 0.5
    seen = np.where(blank, 99.0, y)
    out = draw_answers(np.c_[np.ones(20_000), x], seen, blank, np.random.default_rng(1))
    assert np.array_equal(out[~blank], y[~blank])
    rest = out[blank] - 1 - 2 * x[blank]
    assert abs(rest.mean()) < 0.03
    assert rest.std() == pytest.approx(0.5, abs=0.02)
    yes = (rng.random(20_000) < 1 / (1 + np.exp(-x))).astype(float)
    drawn = draw_answers(
        np.c_[np.ones(20_000), x], np.where(blank, 1.0, yes), blank, np.random.default_rng(1)
    )
    assert set(np.unique(drawn)) == {0.0, 1.0}
    assert drawn[blank].mean() == pytest.approx(yes[blank].mean(), abs=0.03)


@pytest.mark.parametrize("scenario", ["S5", "S3", "S8"])
def test_imputation_gives_the_slope_within_the_mode(scenario) -> None:
    found = fitted(scenario, 30_000, imputations=5).imputed_
    assert near(found, closed_form(scenario, ("M",)))


@pytest.mark.parametrize(("scenario", "affected"), [("S4", "outcome"), ("S2", "outcome")])
def test_only_what_the_mode_moves_is_imputed(scenario, affected) -> None:
    found = fitted(scenario, 20_000, imputations=5, affected=affected)
    assert near(found.imputed_, 0.3)
    assert affected in found.imputed_.method


def test_intervals_of_imputation_cover() -> None:
    held, runs = 0, 60
    for seed in range(runs):
        found = fitted("S3", 400, seed=seed, imputations=10).imputed_
        held += found.low <= 0.3 <= found.high
    assert held / runs >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / runs)


def test_the_same_seed_imputes_the_same() -> None:
    assert (
        fitted("S5", 500, imputations=3, seed=1).imputed_ == fitted("S5", 500, imputations=3, seed=1).imputed_
    )
    frame = simulate("S3", 300, seed=1).frame
    arrays = [frame[name].to_numpy() for name in ("X*", "Y*")]
    first, second = (
        impute_mode(*arrays, frame["M"].to_numpy() > 0, np.empty((300, 0)), imputations=3, seed=s)
        for s in (1, 2)
    )
    assert first.estimate != second.estimate


# ---- weighting, strata, several modes


def test_weighting_undoes_selection_by_covariates() -> None:
    found = fitted("S7", 40_000, columns=("X*", "M", "C"), covariates=("C",), imputations=0)
    assert near(found.weighted_, 0.3)
    assert found.weighted_.n < 40_000


def test_weights_bring_back_the_mix_of_people() -> None:
    rng = np.random.default_rng(0)
    n = 60_000
    c = (rng.random(n) < 0.5).astype(float)
    x = rng.normal(size=n)
    y = (0.2 + 0.6 * c) * x + rng.normal(size=n)  # the slope is 0.5 on average
    mode = (rng.random(n) < np.where(c == 1, 0.85, 0.15)).astype(float)
    found = ModeEffectAnalysis(0, 1, covariates=[2], imputations=0).fit(np.c_[x + mode, mode, c], y + mode)
    assert near(found.weighted_, 0.5)
    alone = mode == 0
    plain = regression(np.c_[x, np.ones(n), c][alone], y[alone])
    assert float(plain.coefficients[0]) < 0.35  # unweighted: mostly those with c = 0


def test_without_covariates_weighting_is_the_reference_mode_alone() -> None:
    found = fitted("S5", 3000, imputations=0)
    rows = ~found.other_
    alone = regression(np.c_[found.x_[rows], np.ones(rows.sum())], found.y_[rows])
    assert found.weighted_.estimate == pytest.approx(float(alone.coefficients[0]), rel=1e-9)


def test_covariates_that_decide_the_mode_leave_weighting_out() -> None:
    rng = np.random.default_rng(0)
    c, x = rng.normal(size=(2, 300))
    X = np.c_[x, c > 0, c]
    found = ModeEffectAnalysis(0, 1, covariates=[2], imputations=0).fit(X, x + rng.normal(size=300))
    assert found.weighted_ is None
    assert "weighted estimate was left out" in found.notes_[0]
    assert "weighted" not in found.report().splitlines()[-2]


def test_strata_pool_by_precision() -> None:
    found = fitted("S3", 2000, imputations=0)
    slopes, weights = [], []
    for rows in (~found.other_, found.other_):
        part = regression(np.c_[found.x_[rows], np.ones(rows.sum())], found.y_[rows])
        slopes.append(part.coefficients[0])
        weights.append(1 / part.covariance[0, 0])
    assert found.stratified_.estimate == pytest.approx(float(np.average(slopes, weights=weights)))
    assert found.stratified_.standard_error == pytest.approx(float(1 / np.sqrt(sum(weights))))


def test_three_modes_are_held_apart() -> None:
    rng = np.random.default_rng(0)
    x, e = rng.normal(size=(2, 6000))
    mode = rng.integers(0, 3, 6000)
    shift = np.array([0.0, 1.0, -1.0])[mode]
    frame = pd.DataFrame({"x": x + shift, "mode": np.array(["web", "phone", "visit"])[mode]})
    found = ModeEffectAnalysis("x", "mode", reference="web", imputations=0).fit(frame, 0.3 * x + e + shift)
    assert found.modes_[0] == "web"
    assert near(found.conditional_, 0.3)
    assert near(found.stratified_, 0.3)
    assert {c.mode: round(c.difference) for c in found.contrast_} == {"phone": 1, "visit": -1}


# ---- the offer


def test_an_offer_gives_the_effect_of_the_mode_whoever_takes_it() -> None:
    world = {"a_r": 2.0, "delta_y": 0.5, "delta_x": 0.5, "a_x": 1.0, "a_y": 1.0}
    found = fitted("S10", 60_000, columns=("X*", "M", "R"), instrument="R", world=world, imputations=0)
    assert near(found.instrument_, 0.5)
    (contrast,) = found.contrast_
    assert contrast.difference > 1.0  # selection on top of it


def test_two_stage_is_the_ratio_of_differences() -> None:
    rng = np.random.default_rng(1)
    offer = rng.integers(0, 2, 500).astype(float)
    mode = (offer + rng.normal(size=500) > 0.5).astype(float)
    y = 0.5 * mode + rng.normal(size=500)
    ones = np.ones(500)
    found = two_stage(np.c_[mode, ones], np.c_[offer, ones], y)
    wald = (y[offer == 1].mean() - y[offer == 0].mean()) / (mode[offer == 1].mean() - mode[offer == 0].mean())
    assert float(found.coefficients[0]) == pytest.approx(float(wald), rel=1e-9)


def test_an_offer_nobody_follows_is_refused() -> None:
    offer, mode = np.tile([0.0, 1.0], 100), np.repeat([0.0, 1.0], 100)
    with pytest.raises(EstimationError, match="the offer does not move the mode"):
        two_stage(np.c_[mode, np.ones(200)], np.c_[offer, np.ones(200)], mode)


# ---- regressions


def test_log_odds_are_those_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    D = np.c_[rng.normal(size=(800, 2)), np.ones(800)]
    y = (rng.random(800) < 1 / (1 + np.exp(-D @ [1.0, -0.5, 0.2]))).astype(float)
    peer = LogisticRegression(C=1e12, fit_intercept=False, tol=1e-10, max_iter=1000).fit(D, y)
    assert logistic(D, y).coefficients == pytest.approx(peer.coef_[0], abs=1e-5)


def test_whole_weights_are_repeated_rows() -> None:
    rng = np.random.default_rng(0)
    D = np.c_[rng.normal(size=200), np.ones(200)]
    y = D @ [0.5, 1.0] + rng.normal(size=200)
    w = rng.integers(1, 4, 200)
    for model, answers in (("linear", y), ("logistic", (y > 1).astype(float))):
        weighted = regression(D, answers, model, w.astype(float))
        repeated = regression(np.repeat(D, w, axis=0), np.repeat(answers, w), model)
        assert weighted.coefficients == pytest.approx(repeated.coefficients, abs=1e-8)


def test_separated_answers_are_refused() -> None:
    x = np.linspace(-1, 1, 60)
    with pytest.raises(EstimationError, match="tells 0 from 1 without error"):
        logistic(np.c_[x, np.ones(60)], (x > 0).astype(float))


# ---- contrasts and totals


def test_contrasts_are_differences_of_means() -> None:
    rng = np.random.default_rng(0)
    mode = np.array(["a", "b", "c"])[rng.integers(0, 3, 300)]
    y = rng.normal(size=300) + (mode == "b")
    for contrast in mode_contrast(y, mode, "a"):
        assert contrast.difference == pytest.approx(
            float(y[mode == contrast.mode].mean() - y[mode == "a"].mean())
        )
        assert contrast.to_frame().shape == (1, 9)


def test_intervals_of_contrasts_cover() -> None:
    rng = np.random.default_rng(0)
    held, runs = 0, 400
    for _ in range(runs):
        mode = rng.random(60) < 0.3
        y = 0.5 * mode + rng.normal(size=60) * (1 + mode)
        (found,) = mode_contrast(y, mode.astype(int), 0)
        held += found.low <= 0.5 <= found.high
    assert abs(held / runs - 0.95) <= 3 * np.sqrt(0.95 * 0.05 / runs)


def test_calibration_weights_and_shifts() -> None:
    y, mode = np.array([1.0, 2.0, 4.0, 8.0]), np.array(["p", "p", "w", "w"])
    found = calibrate(y, mode, 2.0, weights=np.array([3.0, 1.0, 1.0, 1.0]))
    assert found.shifts == {"p": pytest.approx(-0.75), "w": pytest.approx(4.0)}
    assert np.average(found.adjusted[:2], weights=[3, 1]) == pytest.approx(2.0)
    assert "calibrated to 2" in str(found)
    assert list(found.to_frame().columns) == ["mode", "rows", "mean", "shift", "standard_error"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mode_contrast(np.ones(4), np.zeros(4), 0), "answered in the same mode"),
        (lambda: mode_contrast(np.ones(4), np.array([0, 0, 1, 1]), 2), "expected one of the modes 0, 1, got 2"),
        (lambda: calibrate(np.ones(4), np.array([0, 0, 1, 1]), float("nan")), "expected a finite number, got nan"),
        (lambda: fitted("S5", 300, imputations=1), "a whole number of at least 2"),
        (lambda: fitted("S5", 300, level=1.5), "a share between 0 and 1"),
        (lambda: fitted("S5", 300, model="probit"), "expected one of 'linear', 'logistic', got 'probit'"),
        (lambda: fitted("S5", 300, model="logistic"), "answers of 0 and 1 alone"),
        (lambda: fitted("S5", 300, reference=3), "expected one of the modes 0.0, 1.0, got 3"),
        (lambda: fitted("S5", 30), "expected at least 20 rows in each mode"),
    ],
)  # fmt: skip
def test_refusals(call, message) -> None:
    with pytest.raises(Refusal, match=message):
        call()


def test_rows_without_a_mode_are_refused() -> None:
    frame = pd.DataFrame({"x": np.arange(50.0), "mode": ["a", None] * 25})
    with pytest.raises(DataError, match="25 of 50 values are missing"):
        ModeEffectAnalysis("x", "mode", reference="a").fit(frame, np.arange(50.0))
