"""Predictions and effects: closed forms, numerical derivatives, the bootstrap, refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from suppose.core.errors import DataError, EstimationError
from suppose.datasets import make_survival
from suppose.effects import FlexibleSurvival
from suppose.effects.survival import APGW
from suppose.effects.survival.records import concordance

CURED = make_survival(800, lambda_=(0.5, -0.5), gamma=(0.4, 0.1), kappa=-0.5, censor_rate=0.5, seed=2)
PLAIN = make_survival(600, phi=(0.0, 0.5), gamma=(0.4, 0.2), kappa=0.5, censor_rate=0.3, seed=3)


def cured_model() -> FlexibleSurvival:
    return FlexibleSurvival("event", formulas={"lambda": "x", "gamma": "x"}).fit(CURED.X, CURED.y)


def plain_model(**settings: Any) -> FlexibleSurvival:
    model = FlexibleSurvival("event", scale="aft", formulas={"phi": "x", "gamma": "x"}, **settings)
    return model.fit(PLAIN.X, PLAIN.y)


def law_of(model: FlexibleSurvival, x: float) -> APGW:
    values = {"lambda": 0.0, "phi": 0.0, "gamma": 0.0, "kappa": math.log(2)}
    for name, coefficient in zip(model.coef_names_, model.coef_, strict=True):
        parameter, column = name.split(": ")
        start = 0.0 if column == "intercept" else values[parameter]
        values[parameter] = start + coefficient * (1 if column == "intercept" else x)
    exp = {name: math.exp(value) for name, value in values.items()}
    return APGW(exp["gamma"], exp["kappa"] - 1, lambda_=exp["lambda"], phi=exp["phi"])


@pytest.mark.parametrize("model, X", [(cured_model(), CURED.X), (plain_model(), PLAIN.X)])
def test_rows_follow_their_law(model: FlexibleSurvival, X: pd.DataFrame) -> None:
    times = np.array([0.2, 1.0, 3.0])
    for x in (0, 1):
        row, law = X[X["x"] == x].head(1), law_of(model, x)
        assert model.predict_survival(row, times)[0] == pytest.approx(law.sf(times), rel=1e-9)
        assert model.predict_hazard(row, times)[0] == pytest.approx(law.hazard(times), rel=1e-9)
        assert model.predict_cumulative_hazard(row, times)[0] == pytest.approx(
            law.cumulative_hazard(times), rel=1e-9
        )
        assert model.predict_quantile(row, 0.3)[0] == pytest.approx(float(law.quantile(0.3)), rel=1e-9)
        assert model.predict_cure(row)[0] == pytest.approx(law.cure_fraction, rel=1e-9)
    assert np.isinf(cured_model().predict_quantile(CURED.X, 0.999)).all()


@pytest.mark.parametrize("kappa", [0, 1, "inf", -0.5])
def test_quantiles_of_fixed_members(kappa: Any) -> None:
    model = plain_model(kappa=kappa)
    medians = model.predict(PLAIN.X.head(4))
    finite = np.isfinite(medians)
    survived = [model.predict_survival(PLAIN.X.iloc[[k]], medians[k])[0, 0] for k in np.flatnonzero(finite)]
    assert survived == pytest.approx([0.5] * finite.sum(), abs=1e-9)


def test_average_effects_by_hand() -> None:
    model = plain_model()
    one, other = law_of(model, 1), law_of(model, 0)
    (effect,) = model.effect(PLAIN.X, "x", times=1.5)
    assert effect.difference == pytest.approx(float(one.sf(1.5) - other.sf(1.5)), rel=1e-9)
    grid = (np.arange(100_000) + 0.5) / 100_000 * 1.5
    (mean,) = model.effect(PLAIN.X, "x", times=1.5, measure="rmst")
    assert mean.treated == pytest.approx(1.5 * float(one.sf(grid).mean()), rel=1e-7)
    assert mean.control == pytest.approx(1.5 * float(other.sf(grid).mean()), rel=1e-7)
    (median,) = model.effect(PLAIN.X, "x", measure="median")
    assert median.treated == pytest.approx(float(one.quantile(0.5)), rel=1e-8)
    cured = cured_model()
    (cure,) = cured.effect(CURED.X, "x", measure="cure")
    assert cure.treated == pytest.approx(law_of(cured, 1).cure_fraction, rel=1e-9)


@pytest.mark.parametrize("measure", ["survival", "rmst", "median", "cure"])
def test_standard_errors_are_those_of_numerical_derivatives(measure: str) -> None:
    model, world = (cured_model(), CURED) if measure == "cure" else (plain_model(), PLAIN)
    (effect,) = model.effect(world.X, "x", times=1.2, measure=measure)
    start, slope = model.coef_.copy(), np.empty(len(model.coef_))
    for k in range(len(start)):
        ends = []
        for sign in (1, -1):
            model.coef_ = start.copy()
            model.coef_[k] += sign * 1e-5
            ends.append(model.effect(world.X, "x", times=1.2, measure=measure)[0].difference)
        slope[k] = (ends[0] - ends[1]) / 2e-5
    model.coef_ = start
    assert effect.standard_error == pytest.approx(math.sqrt(slope @ model.covariance_ @ slope), rel=1e-5)


def test_hazard_ratio_is_constant_where_it_must_be() -> None:
    model = FlexibleSurvival("event", formulas={"lambda": "x"}).fit(CURED.X, CURED.y)
    curve = model.treatment_hazard_ratio(CURED.X, "x", [0.1, 1.0, 5.0])
    row = model.to_frame().set_index("name").loc["lambda: x"]
    assert curve.estimate == pytest.approx(np.exp([row.estimate] * 3), rel=1e-10)
    assert curve.low == pytest.approx(np.exp([row.low] * 3), rel=1e-8)
    profiles = model.hazard_ratio(CURED.X.head(1).assign(x=1), CURED.X.head(1).assign(x=0), [1.0])
    assert profiles.estimate == pytest.approx(curve.estimate[:1], rel=1e-10)
    moving = plain_model().treatment_hazard_ratio(PLAIN.X, "x", [0.1, 3.0])
    assert abs(moving.estimate[0] - moving.estimate[1]) > 0.05


def test_hazards_and_curves_hold_together() -> None:
    model, times = plain_model(), np.array([0.3, 1.0, 2.0])
    first, second = model.treatment_curves(PLAIN.X, "x", times)
    effects = model.effect(PLAIN.X, "x", times=times)
    assert first.estimate - second.estimate == pytest.approx([e.difference for e in effects], rel=1e-10)
    assert ((first.low < first.estimate) & (first.estimate < first.high)).all()
    hazard = model.hazard_curve(PLAIN.X[PLAIN.X["x"] == 1], times)
    assert hazard.estimate == pytest.approx(law_of(model, 1).hazard(times), rel=1e-8)
    ratio, low, high = model.treatment_risk_ratio(PLAIN.X, "x", 1.0)
    assert ratio == pytest.approx((1 - first.estimate[1]) / (1 - second.estimate[1]), rel=1e-8)
    assert low < ratio < high


@pytest.mark.slow
def test_intervals_agree_with_the_bootstrap() -> None:
    model = plain_model()
    (effect,) = model.effect(PLAIN.X, "x", times=1.5, measure="rmst")
    rng, draws = np.random.default_rng(0), []
    for _ in range(200):
        rows = rng.integers(0, len(PLAIN.frame), len(PLAIN.frame))
        X, y = PLAIN.X.iloc[rows], PLAIN.y.iloc[rows]
        again = FlexibleSurvival("event", scale="aft", formulas={"phi": "x", "gamma": "x"}).fit(X, y)
        draws.append(again.effect(X, "x", times=1.5, measure="rmst")[0].difference)
    # the error of a standard deviation over 200 draws is 1 / sqrt(400) of it
    assert np.std(draws) == pytest.approx(effect.standard_error, rel=3 / math.sqrt(400))


def test_categories_as_treatment() -> None:
    X = PLAIN.X.assign(x=np.where(PLAIN.X["x"] == 1, "new", "old"))
    model = FlexibleSurvival("event", scale="aft", formulas={"phi": "x", "gamma": "x"}).fit(X, PLAIN.y)
    (words,) = model.effect(X, "x", times=1.0, treated="new", control="old")
    (numbers,) = plain_model().effect(PLAIN.X, "x", times=1.0)
    assert words.difference == pytest.approx(numbers.difference, abs=1e-6)
    with pytest.raises(DataError, match="never has the value 'nwe'; it has new, old. Did you mean 'new'"):
        model.effect(X, "x", treated="nwe", control="old")


def test_score_is_harrells_concordance() -> None:
    assert concordance(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]), np.array([1, 0, 1])) == 1.0
    rng = np.random.default_rng(0)
    time, expected, event = rng.random(40), rng.integers(0, 5, 40) * 1.0, rng.random(40) < 0.6
    right = total = 0.0
    for i in range(40):
        for j in range(40):
            if event[i] and time[i] < time[j]:
                total += 1
                right += 1.0 if expected[i] < expected[j] else 0.5 if expected[i] == expected[j] else 0.0
    assert concordance(time, expected, event, block=7) == pytest.approx(right / total)
    assert 0.5 < plain_model().score(PLAIN.X, PLAIN.y) < 1


def test_refusals() -> None:
    model = plain_model()
    with pytest.raises(EstimationError, match="measure: expected one of 'survival'"):
        model.effect(PLAIN.X, "x", measure="odds")
    with pytest.raises(DataError, match="treatment 'z': there is no such covariate; there are: x"):
        model.effect(PLAIN.X, "z")
    with pytest.raises(EstimationError, match="times: expected times above 0"):
        model.predict_survival(PLAIN.X, [0.0, 1.0])
    with pytest.raises(EstimationError, match="q: expected a share"):
        model.predict_quantile(PLAIN.X, 1.5)
    with pytest.raises(DataError, match="expected a number, got 'a'"):
        model.effect(PLAIN.X, "x", treated="a")
    cured = make_survival(500, lambda_=(-0.5, -0.5), gamma=(0.4,), kappa=-0.5, censor_rate=0.5, seed=2)
    never = FlexibleSurvival("event").fit(cured.X, cured.y)
    with pytest.raises(EstimationError, match="fewer than half ever have the event"):
        never.effect(cured.X, "x", measure="median")


def test_records_say_themselves_and_draw() -> None:
    model = plain_model()
    (effect,) = model.effect(PLAIN.X, "x", times=1.0)
    assert str(effect).startswith("survival at 1: 0.") and effect.to_frame().shape == (1, 16)
    curve = model.survival_curve(PLAIN.X, [0.5, 1.0])
    assert list(curve.to_frame().columns) == ["time", "estimate", "standard_error", "low", "high"]
    assert curve.plot().get_ylabel() == "survival" and str(curve).startswith("survival: 0.")
