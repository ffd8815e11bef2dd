"""The regression: stored log-likelihoods, lifelines' numbers, invariances, observation schemes, refusals."""

from __future__ import annotations

import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.optimize import approx_fprime

from suppose.core.errors import DataError, EstimationError, SupposeWarning
from suppose.datasets import load_rossi, make_survival
from suppose.effects import FlexibleSurvival
from suppose.effects.survival.likelihood import Likelihood, maximise

STORED = json.loads((Path(__file__).parent / "reference" / "lifelines.json").read_text())["numbers"]
ROSSI = load_rossi()
WORLD = make_survival(400, phi=(0.0, 0.5), gamma=(0.4, 0.2), kappa=0.5, censor_rate=0.3, seed=3)
FREE: dict[str, Any] = {"scale": "aft", "formulas": {"phi": "x", "gamma": "x"}}

E1684 = {
    "Weibull": (-418.119, False, {"kappa": 1}),
    "log-logistic": (-399.554, False, {"kappa": 0, "scale": "aft"}),
    "lambda": (-376.385, False, {}),
    "phi": (-375.785, False, {"scale": "aft"}),
    "both": (-373.062, False, {"scale": "both"}),
    "TRT in lambda": (-373.213, True, {}),
    "TRT in phi": (-372.199, True, {"scale": "aft"}),
    "TRT in lambda and gamma": (-372.120, True, {"formulas": {"gamma": "TRT"}}),
    "TRT in phi and gamma": (-372.076, True, {"scale": "aft", "formulas": {"gamma": "TRT"}}),
    "Weibull PH": (-414.729, True, {"kappa": 1}),
}
VETERANS = {
    "Weibull": (-748.091, False, {"kappa": 1}),
    "log-logistic": (-750.266, False, {"kappa": 0, "scale": "aft"}),
    "lambda": (-746.629, False, {}),
    "PH": (-725.182, True, {}),
    "AFT": (-719.933, True, {"scale": "aft"}),
    "phi and gamma": (-717.981, True, {"scale": "aft", "formulas": {"gamma": "k"}}),
    "lambda and gamma": (-722.254, True, {"formulas": {"gamma": "k"}}),
    "Weibull PH": (-726.036, True, {"kappa": 1}),
    "Weibull lambda and gamma": (-723.934, True, {"kappa": 1, "formulas": {"gamma": "k"}}),
}


def fit(**settings: Any) -> FlexibleSurvival:
    return FlexibleSurvival("event", **{**FREE, **settings}).fit(WORLD.X, WORLD.y)


# -- truth -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", E1684)
def test_log_likelihoods_of_the_melanoma_trial(e1684: pd.DataFrame, name: str) -> None:
    value, treated, settings = E1684[name]
    start = time.perf_counter()
    X = e1684[["FAILCENS", "TRT"] if treated else ["FAILCENS"]]
    model = FlexibleSurvival("FAILCENS", **settings).fit(X, e1684["FAILTIME"])
    assert model.loglik_ > value - 0.01
    assert model.loglik_ == pytest.approx(value, abs=0.01)
    assert time.perf_counter() - start < 2


def test_melanoma_says_cure(e1684: pd.DataFrame) -> None:
    X, y = e1684[["FAILCENS", "TRT"]], e1684["FAILTIME"]
    model = FlexibleSurvival("FAILCENS").fit(X, y)
    weibull = FlexibleSurvival("FAILCENS", kappa=1).fit(X, y)
    assert model.kappa_ < 0 and model.loglik_ - weibull.loglik_ > 40
    assert model.coef_[1] == pytest.approx(-0.359, abs=1e-3)
    (cure,) = model.effect(X, "TRT", measure="cure")
    assert (cure.control, cure.treated) == (pytest.approx(0.18, abs=0.03), pytest.approx(0.30, abs=0.03))
    from suppose.effects import KaplanMeier

    curves = KaplanMeier("FAILCENS", by="TRT").fit(X, y).curves_
    years = [1.0, 2.0, 5.0]
    for arm, curve in enumerate(curves):
        fitted = model.predict_survival(X[X["TRT"] == arm], years)[0]
        assert fitted == pytest.approx(curve.at(years), abs=0.05)


@pytest.mark.peer
@pytest.mark.parametrize("name", VETERANS)
def test_log_likelihoods_of_the_veterans_trial(veterans: pd.DataFrame, name: str) -> None:
    value, scored, settings = VETERANS[name]
    start = time.perf_counter()
    X = veterans[["status", "k"] if scored else ["status"]]
    model = FlexibleSurvival("status", **settings).fit(X, veterans["time"])
    assert model.loglik_ == pytest.approx(value, abs=0.01)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("kind, kappa", [("WeibullAFTFitter", 1), ("LogLogisticAFTFitter", 0)])
def test_agrees_with_lifelines(kind: str, kappa: float) -> None:
    theirs = STORED["parametric"][kind]
    model = FlexibleSurvival("arrest", scale="aft", kappa=kappa).fit(
        ROSSI.drop(columns="week"), ROSSI["week"]
    )
    assert model.loglik_ == pytest.approx(theirs["loglik"], abs=1e-3)
    assert model.loglik_ >= theirs["loglik"] - 1e-6
    frame = model.to_frame().set_index("column")
    scale = "lambda_" if kind.startswith("Weibull") else "alpha_"
    for column in ("fin", "age", "prio", "race"):  # they stretch time by exp(x b), we shorten it
        row = frame[frame["parameter"] == "phi"].loc[column]
        assert -row.estimate == pytest.approx(theirs["params"][f"{scale} {column}"], abs=2e-3)
        assert row.standard_error == pytest.approx(theirs["se"][f"{scale} {column}"], rel=0.01)


def test_exponential_in_closed_form() -> None:
    """Rates with entry, weights and censoring: events over time at risk."""
    rng = np.random.default_rng(0)
    time_, entry = rng.exponential(2, 200) + 0.5, np.where(rng.random(200) < 0.5, 0.3, 0.0)
    event, weight = (rng.random(200) < 0.7) * 1.0, rng.integers(1, 4, 200) * 1.0
    X = np.c_[event, entry, weight]
    model = FlexibleSurvival(0, entry=1, weights=2, kappa=1, gamma=1).fit(X, time_)
    rate = (weight @ event) / (weight @ (time_ - entry))
    assert np.exp(model.coef_[0]) == pytest.approx(rate, rel=1e-10)
    assert model.covariance_[0, 0] == pytest.approx(1 / (weight @ event), rel=1e-8)


def test_likelihood_derivatives_with_every_kind_of_row() -> None:
    rng = np.random.default_rng(1)
    n = 12
    time_ = rng.exponential(size=n) + 0.2
    upper = np.where(np.arange(n) % 3 == 0, time_ + rng.random(n), np.nan)
    entry = np.where(np.arange(n) % 4 == 1, 0.1, 0.0)
    time_[0] = 0.0  # left-censored
    D = np.c_[np.ones(n), rng.normal(size=n)]
    likelihood = Likelihood(
        time_, (np.arange(n) % 2) * 1.0, entry, upper, rng.integers(1, 3, n) * 1.0,
        {"lambda": D, "phi": D, "gamma": D, "kappa": D}, {},
    )  # fmt: skip
    theta = rng.normal(size=8) * 0.3
    value, gradient, hessian = likelihood(theta)
    assert likelihood.value(theta) == pytest.approx(value, rel=1e-14)
    assert gradient == pytest.approx(approx_fprime(theta, likelihood.value, 1e-7), abs=1e-4, rel=1e-5)
    bent = np.array([approx_fprime(theta, lambda b, i=i: likelihood(b)[1][i], 1e-7) for i in range(8)])
    assert hessian == pytest.approx(bent, abs=1e-3, rel=1e-4)
    assert np.allclose(likelihood.scores(theta).sum(axis=0), gradient)


def test_the_search_leaves_a_saddle() -> None:
    def double_well(x: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        value = -float((x[0] ** 2 - 1) ** 2 + x[1] ** 2)
        gradient = np.array([-4 * x[0] * (x[0] ** 2 - 1), -2 * x[1]])
        return value, gradient, np.diag([-12 * x[0] ** 2 + 4, -2.0])

    found = maximise(double_well, np.array([0.05, 3.0]))
    assert found.converged and found.theta == pytest.approx([1.0, 0.0], abs=1e-6)


# -- invariance --------------------------------------------------------------------------------


def test_order_of_rows_and_frame_library() -> None:
    one = fit()
    order = np.random.default_rng(0).permutation(len(WORLD.frame))
    other = FlexibleSurvival("event", **FREE).fit(WORLD.X.iloc[order], WORLD.y.iloc[order])
    assert other.coef_ == pytest.approx(one.coef_, abs=1e-7)
    polars = FlexibleSurvival("event", **FREE).fit(pl.from_pandas(WORLD.X), pl.from_pandas(WORLD.y))
    assert np.array_equal(polars.coef_, one.coef_)
    array = FlexibleSurvival(0, scale="aft", formulas={"phi": "x1", "gamma": "x1"})
    assert np.array_equal(array.fit(WORLD.X.to_numpy(dtype=float), WORLD.y).coef_, one.coef_)


def test_same_seed_same_bits_and_other_seeds_same_maximum() -> None:
    assert np.array_equal(fit(seed=1).coef_, fit(seed=1).coef_)
    assert fit(seed=2).loglik_ == pytest.approx(fit(seed=1).loglik_, abs=1e-7)


def test_units_of_time_and_covariates() -> None:
    one = fit().to_frame().set_index("name")
    days = FlexibleSurvival("event", **FREE).fit(WORLD.X, WORLD.y * 365.25).to_frame().set_index("name")
    assert days.loc["phi: x", "estimate"] == pytest.approx(one.loc["phi: x", "estimate"], abs=1e-5)
    assert days.loc["gamma: x", "standard_error"] == pytest.approx(
        one.loc["gamma: x", "standard_error"], rel=1e-4
    )
    moved = WORLD.X.assign(x=1000 + 0.01 * WORLD.X["x"])
    other = FlexibleSurvival("event", **FREE).fit(moved, WORLD.y).to_frame().set_index("name")
    assert other.loc["phi: x", "estimate"] == pytest.approx(100 * one.loc["phi: x", "estimate"], rel=1e-5)


def test_weights_count_as_copies() -> None:
    counts = 1 + np.arange(len(WORLD.frame)) % 3
    long = WORLD.frame.loc[np.repeat(np.arange(len(counts)), counts)]
    copies = FlexibleSurvival("event", **FREE).fit(long.drop(columns="time"), long["time"])
    weighted = FlexibleSurvival("event", weights="w", **FREE).fit(WORLD.X.assign(w=counts), WORLD.y)
    assert weighted.coef_ == pytest.approx(copies.coef_, abs=1e-6)
    assert np.diag(weighted.covariance_) == pytest.approx(np.diag(copies.covariance_), rel=1e-5)


def test_clusters_of_one_are_the_robust_covariance_and_copies_in_clusters_change_nothing() -> None:
    X = WORLD.X.assign(g=np.arange(len(WORLD.frame)))
    robust = fit(robust=True)
    clustered = FlexibleSurvival("event", cluster="g", **FREE).fit(X, WORLD.y)
    assert clustered.covariance_ == pytest.approx(robust.covariance_, rel=1e-8)
    twice = FlexibleSurvival("event", cluster="g", **FREE).fit(
        pd.concat([X, X]), pd.concat([WORLD.y, WORLD.y])
    )
    assert np.diag(twice.covariance_) == pytest.approx(np.diag(robust.covariance_), rel=1e-5)


def test_narrow_intervals_are_events_and_wide_ones_censored() -> None:
    exact = fit()
    upper = np.where(WORLD.X["event"] == 1, WORLD.y * (1 + 1e-6), np.nan)
    X = WORLD.X.assign(upper=upper)
    narrow = FlexibleSurvival("event", upper="upper", **FREE).fit(X, WORLD.y)
    assert narrow.coef_ == pytest.approx(exact.coef_, abs=1e-3)
    grid = np.floor(WORLD.y * 8) / 8
    X = WORLD.X.assign(upper=np.where(WORLD.X["event"] == 1, grid + 0.125, np.nan))
    lower = np.where(WORLD.X["event"] == 1, grid, WORLD.y)
    coarse = FlexibleSurvival("event", upper="upper", **FREE).fit(X, lower)
    assert coarse.coef_ == pytest.approx(exact.coef_, abs=0.15)


def test_truncation_is_undone() -> None:
    """Rows seen only when they outlive a start give the same law once the entry is named."""
    world = make_survival(4000, lambda_=(0.0, 0.6), gamma=(0.4,), kappa=1.0, censor_rate=0.2, seed=5)
    entry = np.random.default_rng(0).uniform(0, 1, 4000)
    seen = np.asarray(world.y) > entry
    X = world.X.assign(entry=entry)[seen]
    y = world.y[seen]
    named = FlexibleSurvival("event", entry="entry", kappa=1).fit(X, y).to_frame().set_index("name")
    ignored = FlexibleSurvival("event", kappa=1).fit(X.drop(columns="entry"), y).to_frame().set_index("name")
    row = named.loc["gamma: intercept"]
    assert abs(row.estimate - 0.4) < 4 * row.standard_error
    assert abs(ignored.loc["gamma: intercept", "estimate"] - 0.4) > 0.1


def test_large_tables_are_screened_on_fewer_rows() -> None:
    world = make_survival(6000, lambda_=(0.0, 0.4), gamma=(0.3,), kappa=0.5, seed=1)
    model = FlexibleSurvival("event").fit(world.X, world.y)
    rows = np.r_[np.arange(6000), np.arange(6000)]
    doubled = FlexibleSurvival("event").fit(world.X.iloc[rows], world.y.iloc[rows])
    assert model.converged_ and doubled.loglik_ == pytest.approx(2 * model.loglik_, abs=1e-4)


# -- identification ----------------------------------------------------------------------------


def test_both_scales_on_weibull_data_are_called_weak_and_on_burr_data_are_not() -> None:
    weibull = make_survival(1000, lambda_=(0.0, 0.5), gamma=(0.4,), kappa=1.0, censor_rate=0.0, seed=1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        weak = FlexibleSurvival("event", scale="both").fit(weibull.X, weibull.y)
    assert weak.weakly_identified_
    assert any("condition number of the information" in str(item.message) for item in caught)
    burr = make_survival(1000, lambda_=(0.0, 0.5), gamma=(0.4,), kappa=0.0, censor_rate=0.0, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        strong = FlexibleSurvival("event", scale="both").fit(burr.X, burr.y)
    assert not strong.weakly_identified_


def test_a_kappa_that_runs_away_is_said() -> None:
    world = make_survival(300, lambda_=(-2.0,), gamma=(0.0,), kappa=np.inf, censor_rate=0.1, seed=0)
    with pytest.warns(SupposeWarning, match="kappa ran off towards infinity"):
        free = FlexibleSurvival("event").fit(world.X, world.y)
    fixed = FlexibleSurvival("event", kappa="inf").fit(world.X, world.y)
    assert free.loglik_ == pytest.approx(fixed.loglik_, abs=0.05)
    assert fixed.kappa_ == np.inf and (fixed.predict_cure(world.X) == 0).all()


def test_infinite_coefficients_are_said() -> None:
    x = np.linspace(0, 1, 40)
    with pytest.warns(SupposeWarning, match="no clear maximum"):
        FlexibleSurvival(kappa=1).fit(x[:, None], np.exp(-x))


# -- refusals ----------------------------------------------------------------------------------

BASE = pd.DataFrame(
    {"event": [1, 0, 1, 1, 0, 1], "x": [0.1, 0.9, 0.4, 0.3, 0.8, 0.2], "g": [0, 1, 0, 0, 1, 0]}
)
TIMES = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
BAD_DATA = {
    "zero": (BASE, np.r_[0.0, TIMES[1:]], {}, "y: expected durations above 0, got 0 in row 0"),
    "negative": (BASE, np.r_[TIMES[:4], -1, -2], {}, r"got -1 in row 4 \(2 rows in all\)"),
    "missing": (BASE, np.r_[TIMES[:5], np.nan], {}, "y: input contains NaN.*first bad rows: 5"),
    "event of 2": (BASE.assign(event=[1, 0, 2, 1, 0, 1]), TIMES, {}, "event 'event': expected 1 for an event and 0"),
    "text event": (BASE.assign(event=list("abcdef")), TIMES, {}, "event 'event': expected numbers"),
    "no events": (BASE.assign(event=0), TIMES, {}, "none of the 6 rows has an event"),
    "constant": (BASE.assign(x=1.0), TIMES, {}, "column 'x': every row has the value 1"),
    "separated": (BASE[["event", "g"]], TIMES, {}, "column 'g': no row with the value 1 has an event"),
    "late entry": (BASE.assign(start=[0, 0, 3, 0, 0, 0]), TIMES, {"entry": "start"}, "got 3 in row 2"),
    "early upper": (BASE.assign(u=[1.0, 9, 9, 9, 9, 9]), TIMES, {"upper": "u"}, "above the duration, got 1 in row 0"),
    "no weight": (BASE.assign(w=[1, 1, 1, 0, 1, 1]), TIMES, {"weights": "w"}, "weights above 0, got 0 in row 3"),
    "gap": (BASE.assign(x=[0.1, None, 0.4, 0.3, 0.8, 0.2]), TIMES, {}, "column 'x': input contains NaN"),
    "typo": (BASE, TIMES, {"entry": "evnt"}, "entry 'evnt': there is no such column.*Did you mean 'event'"),
    "two roles": (BASE, TIMES, {"entry": "event"}, "one column is given two roles"),
    "unknown covariate": (BASE, TIMES, {"formulas": {"gamma": "xx"}}, "column 'xx': there is no such covariate"),
    "short y": (BASE, TIMES[:5], {}, "X has 6 rows, y has 5"),
    "one row": (BASE[:1], TIMES[:1], {}, "n_samples = 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_DATA)
def test_bad_data_are_refused_in_words(name: str) -> None:
    X, y, settings, words = BAD_DATA[name]
    with pytest.raises(DataError, match=words) as caught:
        FlexibleSurvival("event", **settings).fit(X, y)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"kappa": -1}, "kappa: expected a number above -1, 'inf' or None, got -1"),
        ({"kappa": "big"}, "got 'big'"),
        ({"gamma": 0}, "gamma: expected a number above 0"),
        ({"scale": "xx"}, "scale: expected one of 'ph', 'aft', 'both'"),
        ({"level": 95}, "level: expected a share"),
        ({"formulas": "x"}, "expected a dictionary of formulas"),
        ({"formulas": {"lamda": "x"}}, "got 'lamda'. Did you mean 'lambda'"),
        ({"formulas": {"phi": "x"}}, "phi is fixed here"),
        ({"kappa": 1, "formulas": {"kappa": "x"}}, "kappa is fixed here"),
        ({"formulas": {"gamma": "x + x2"}}, "rank 2 in 6 rows"),
        ({"scale": "aft", "gamma": 1, "kappa": 1, "formulas": {"phi": "log(x)"}}, "formula 'log"),
    ],
)
def test_bad_settings_are_refused_in_words(settings: dict, words: str) -> None:
    X = BASE[["event", "x"]].assign(x2=2 * BASE["x"])
    with pytest.raises((EstimationError, ValueError), match=words):
        FlexibleSurvival("event", **{"formulas": {"lambda": "x"}, **settings}).fit(X, TIMES)


def test_gaps_in_unused_columns_are_no_matter() -> None:
    X = WORLD.X.assign(spare=[np.nan, *np.ones(len(WORLD.frame) - 1)])
    assert np.array_equal(FlexibleSurvival("event", **FREE).fit(X, WORLD.y).coef_, fit().coef_)


def test_categories_keep_their_levels() -> None:
    X = WORLD.X.assign(town=np.where(np.arange(len(WORLD.frame)) % 3 == 0, "Bern", "Basel"))
    model = FlexibleSurvival("event", formulas={"lambda": "x + town"}).fit(X, WORLD.y)
    assert "lambda: town=Bern" in model.coef_names_
    assert model.predict(X.head(1)) == pytest.approx(model.predict(X)[:1])
    with pytest.raises(DataError, match="column 'town': the fit has not seen 'Chur'"):
        model.predict(X.head(2).assign(town="Chur"))
    with pytest.raises(DataError, match="'town': there is no such column"):
        model.predict(X.drop(columns="town"))


def test_words() -> None:
    model = fit()
    assert "accelerated-time scale; phi ~ x, gamma ~ x, kappa ~ 1" in str(model)
    assert str(FlexibleSurvival("event")) == "FlexibleSurvival(event='event')"
    assert list(model.to_frame().columns[:4]) == ["name", "parameter", "column", "estimate"]
