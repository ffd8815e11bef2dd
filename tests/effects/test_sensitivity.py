"""Bounds, robustness values and benchmarks: DoubleML's numbers, closed forms, invariances, refusals.

DoubleML 0.11.4 adds the score to the scale's influence values with the wrong sign, which exchanges the
standard errors of its two bounds. Both facts are tested: with the sign negated every figure agrees to
1e-6, and the sign used here gives one-sided bounds their coverage where the errors are skewed.
"""

from __future__ import annotations

import dataclasses
import json
import runpy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from suppose.core.errors import DataError, EstimationError, SupposeWarning
from suppose.effects import DifferenceInMeans, Interactive, PartiallyLinear
from suppose.effects.omitted_variable import (
    SensitivityElements,
    bounds_at,
    confounding_strength,
    interactive_elements,
    omitted_variable_bounds,
    partially_linear_elements,
    robustness_values,
)
from suppose.effects.sensitivity import check_sensitivity, sensitivity_elements

HERE = Path(__file__).parent
SCRIPT: dict[str, Any] = runpy.run_path(str(HERE / "reference_sensitivity" / "make_sensitivity.py"))
SHARED, SCENES, BENCHMARKS = SCRIPT["SHARED"], SCRIPT["SCENES"], SCRIPT["BENCHMARKS"]
STORED = json.loads((HERE / "reference_sensitivity" / "sensitivity.json").read_text())["cases"]
TABLE = pd.read_csv(HERE / "reference" / "doubleml_table.csv")


def fit_ours(case: tuple[Any, ...]) -> Any:
    model, score, _, outcome, treatment, _, clustered = case
    first, second = SHARED["learners_of"](case, TABLE)
    shared = {
        "covariates": SHARED["COVARIATES"], "cluster": "group" if clustered else None, "outcome_learner": first,
        "folds": SHARED["folds_of"](case, TABLE),
    }  # fmt: skip
    if model == "plr":
        kind = "iv-type" if score == "IV-type" else "partialling-out"
        ours: Any = PartiallyLinear(treatment, treatment_learner=second, score_type=kind, **shared)
    else:
        estimand = {"ATE": "ATE", "ATTE": "ATT"}[score]
        ours = Interactive(treatment, estimand=estimand, propensity_learner=second, **shared)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ours.fit(TABLE, TABLE[outcome])


def largest_differences(case: tuple[Any, ...], theirs: dict[str, Any]) -> dict[str, float]:
    """Largest absolute difference by kind of figure, with DoubleML's sign of the score."""
    ours = fit_ours(case)
    elements = sensitivity_elements(ours)
    as_theirs = dataclasses.replace(elements, psi_theta=-elements.psi_theta)
    gaps: dict[str, float] = {"theta": 0.0, "ci": 0.0, "rv": 0.0, "rva": 0.0, "benchmark": 0.0}

    def note(kind: str, one: float, other: float) -> None:
        gaps[kind] = max(gaps[kind], abs(one - other))

    for (cf_y, cf_d, rho, level, null), scene in zip(SCENES, theirs["scenes"], strict=True):
        found = omitted_variable_bounds(as_theirs, cf_y=cf_y, cf_d=cf_d, rho=rho, level=level)
        note("theta", found.low, scene["theta lower"])
        note("theta", found.high, scene["theta upper"])
        note("ci", found.confidence_low, scene["ci lower"])
        note("ci", found.confidence_high, scene["ci upper"])
        rv, rva = robustness_values(as_theirs, rho=rho, level=level, null=null)
        note("rv", rv, scene["rv"])
        note("rva", rva, scene["rva"])
    outcome = case[3]
    whole = check_sensitivity(ours, TABLE, TABLE[outcome], benchmarks=list(BENCHMARKS))
    for found, gain in zip(whole.benchmarks, theirs["benchmarks"], strict=True):
        for name, value in gain.items():
            note("benchmark", getattr(found, name), value)
    return gaps


# With clusters in folds of unequal size DoubleML scales the score by its plain mean, its standard error by means
# over folds; we use the latter for both.
OTHER_ERRORS = ("plr clusters",)


def assert_agrees(gaps: dict[str, float], same_errors: bool) -> None:
    assert gaps["theta"] < 1e-6
    assert gaps["benchmark"] < 1e-6
    # A bounded search with tolerance 1e-5 on the share, over a squared gap, against exact roots.
    assert gaps["rv"] < 5e-6
    assert gaps["ci"] < (1e-6 if same_errors else 1e-3)
    assert gaps["rva"] < (5e-6 if same_errors else 1e-3)


@pytest.mark.filterwarnings("ignore:The size of the Riesz representer")
@pytest.mark.parametrize("name", list(STORED))
def test_equals_stored_numbers(name: str) -> None:
    case = SHARED["CASES"][name]
    assert_agrees(largest_differences(case, STORED[name]), same_errors=name not in OTHER_ERRORS)


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore:The size of the Riesz representer")
@pytest.mark.parametrize("name", [*SCRIPT["CASES"], "plr forest", "irm forest"])
def test_equals_doubleml(name: str) -> None:
    pytest.importorskip("doubleml")
    case = {**SHARED["CASES"], **SHARED["LIVE_CASES"]}[name]
    assert_agrees(
        largest_differences(case, SCRIPT["run_sensitivity"](case, TABLE)),
        same_errors=name not in OTHER_ERRORS,
    )


@pytest.mark.peer
@pytest.mark.parametrize("name", ["plr", "plr repeats", "irm att"])
def test_their_bounds_reach_the_null_at_our_robustness_values(name: str) -> None:
    pytest.importorskip("doubleml")
    case = SHARED["CASES"][name]
    peer = SCRIPT["fitted_peer"](case, TABLE).framework
    elements = sensitivity_elements(fit_ours(case))
    rv, rva = robustness_values(dataclasses.replace(elements, psi_theta=-elements.psi_theta))
    assert peer._calc_sensitivity_analysis(rv, rv, 1.0, 0.95)["theta"]["lower"][0] == pytest.approx(
        0, abs=1e-10
    )
    assert peer._calc_sensitivity_analysis(rva, rva, 1.0, 0.95)["ci"]["lower"][0] == pytest.approx(
        0, abs=1e-10
    )


def simple_elements(
    n: int = 400, seed: int = 0, effect: float = 1.0, repeats: int = 1
) -> SensitivityElements:
    rng = np.random.default_rng(seed)
    v, e = rng.normal(size=(2, n))
    zero = np.zeros((n, repeats))
    theta = np.full(repeats, float(v @ (effect * v + e) / (v @ v)))
    residual = effect * v + e - theta[0] * v
    psi = np.repeat((v * residual / np.mean(v**2))[:, None], repeats, axis=1)
    return partially_linear_elements(effect * v + e, v, zero, zero, theta, psi)


def test_scale_of_the_partially_linear_bias_is_the_ratio_of_residual_deviations() -> None:
    elements = simple_elements()
    assert elements.scale[0] == pytest.approx(np.sqrt(elements.sigma2[0] * elements.nu2[0]))
    found = omitted_variable_bounds(elements, cf_y=0.2, cf_d=0.1)
    half = np.sqrt(0.2 * 0.1 / 0.9) * elements.scale[0]
    assert (found.low, found.high) == pytest.approx((elements.theta[0] - half, elements.theta[0] + half))


def test_linear_bias_of_a_known_omitted_variable_is_met_by_its_own_strength() -> None:
    """Omitting a confounder of known strength moves the estimate exactly to the bound (rho = 1)."""
    rng = np.random.default_rng(3)
    n = 2_000
    u, v, e = (column - column.mean() for column in rng.normal(size=(3, n)))
    basis = np.linalg.qr(np.c_[u, v, e])[0] * np.sqrt(n)
    u, v, e = basis.T
    d, y = v + 0.5 * u, 2.0 * (v + 0.5 * u) + u + e
    short = float(d @ y / (d @ d))
    zero = np.zeros((n, 1))
    psi = (d * (y - short * d) / np.mean(d**2))[:, None]
    elements = partially_linear_elements(y, d, zero, zero, np.array([short]), psi)
    cf_d = 0.25 / 1.25  # share of d that u explains
    left_y, left_u = y - short * d, u - (d @ u) / (d @ d) * d
    cf_y = float((left_y @ left_u) ** 2 / (left_y @ left_y) / (left_u @ left_u))
    found = omitted_variable_bounds(elements, cf_y=cf_y, cf_d=cf_d)
    assert found.low == pytest.approx(2.0, abs=1e-10)


def test_robustness_value_solves_its_quadratic() -> None:
    elements = simple_elements()
    f = elements.theta[0] / elements.scale[0]
    expected = (np.sqrt(f**4 + 4 * f**2) - f**2) / 2
    rv, rva = robustness_values(elements)
    assert rv == pytest.approx(expected, abs=1e-13)
    assert 0 < rva < rv
    at = omitted_variable_bounds(elements, cf_y=rva, cf_d=rva)
    assert at.confidence_low == pytest.approx(0, abs=1e-10)


def test_robustness_is_zero_where_the_interval_holds_the_null_already() -> None:
    elements = simple_elements()
    near = float(elements.theta[0] - np.sqrt(elements.covariance()[0, 0, 0]))  # one standard error away
    rv, rva = robustness_values(elements, null=near)
    assert rv > 0
    assert rva == 0.0
    assert robustness_values(elements, null=float(elements.theta[0]))[0] == 0.0


def test_robustness_without_adversity_is_total() -> None:
    assert robustness_values(simple_elements(), rho=0.0) == (1.0, 1.0)


def test_no_confounding_gives_the_one_sided_interval() -> None:
    elements = simple_elements()
    found = omitted_variable_bounds(elements, cf_y=0.0, cf_d=0.0)
    se = np.sqrt(np.mean(elements.psi_theta**2) / 400)
    assert found.low == found.high == pytest.approx(elements.theta[0])
    assert found.confidence_low == pytest.approx(elements.theta[0] - stats.norm.ppf(0.95) * se)


def test_interactive_scale_in_a_coin_toss_experiment() -> None:
    """With p = 1/2 everywhere alpha is +-2, so nu2 = 4."""
    rng = np.random.default_rng(1)
    d, y = rng.integers(0, 2, 300), rng.normal(size=300)
    mu, p = np.zeros((300, 1, 2)), np.full((300, 1, 2), 0.5)
    found = interactive_elements(y, d, mu, p, np.zeros(1), np.zeros((300, 1)))
    assert found.nu2[0] == pytest.approx(4.0)
    assert found.sigma2[0] == pytest.approx(np.mean(y**2))
    treated = interactive_elements(y, d, mu, p, np.zeros(1), np.zeros((300, 1)), estimand="ATT")
    share = d.mean()
    alpha2 = np.where(d == 1, 1.0, 1.0) / share**2  # p / (1 - p) = 1
    expected = np.mean(2 * d / share**2 * 2 - alpha2)
    assert treated.nu2[0] == pytest.approx(expected)


def test_negative_size_of_the_representer_is_replaced_and_said() -> None:
    rng = np.random.default_rng(0)
    d = np.ones(50, dtype=np.int64)
    d[:10] = 0
    p = np.full((50, 1, 2), 0.5)
    p[:10, 0, 0] = 0.01  # rows that had the arm they were least likely to have
    p[:10, 0, 1] = 0.99
    y = rng.normal(size=50)
    with pytest.warns(SupposeWarning, match="estimated as negative"):
        found = interactive_elements(y, d, np.zeros((50, 1, 2)), p, np.zeros(1), np.zeros((50, 1)))
    assert found.nu2[0] > 0


def skewed_draw(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    d = rng.normal(size=n) + rng.exponential(size=n)
    e = (rng.exponential(size=n) - 1) * (1 + 0.5 * np.maximum(d - 1, 0))
    return d - d.mean(), e


def skewed_elements(seed: int) -> SensitivityElements:
    v, e = skewed_draw(seed)
    y = v + e
    theta = v @ y / (v @ v)
    e = y - theta * v
    e = e - e.mean()
    zero = np.zeros((len(v), 1))
    psi = (v * e / np.mean(v**2))[:, None]
    return partially_linear_elements(theta * v + e, v, zero, zero, np.array([theta]), psi)


def test_standard_error_of_the_lower_bound_is_its_spread_over_draws() -> None:
    """The sign of the influence values: with the other sign the ratio is off by more than its error."""
    strength = np.array([confounding_strength(0.3, 0.3)])
    draws = [skewed_elements(seed) for seed in range(1_200)]
    lows = np.array([bounds_at(item, strength)["low"][0] for item in draws])

    def claimed(items: list[SensitivityElements]) -> float:
        z = stats.norm.ppf(0.95)
        found = [bounds_at(item, strength) for item in items]
        return float(np.mean([(b["low"][0] - b["confidence_low"][0]) / z for b in found]))

    ratio = claimed(draws) / lows.std()
    flipped = claimed([dataclasses.replace(item, psi_theta=-item.psi_theta) for item in draws]) / lows.std()
    band = 3 / np.sqrt(2 * len(draws))
    assert abs(ratio - 1) < 2 * band
    assert abs(flipped - 1) > 3 * band


def test_repeats_of_the_same_split_change_nothing() -> None:
    one, three = simple_elements(), simple_elements(repeats=3)
    first, second = omitted_variable_bounds(one), omitted_variable_bounds(three)
    assert dataclasses.astuple(first) == pytest.approx(dataclasses.astuple(second))
    assert robustness_values(one) == pytest.approx(robustness_values(three))


def test_clusters_of_one_row_change_nothing() -> None:
    plain = simple_elements()
    folds = np.arange(400)[:, None] % 4
    grouped = dataclasses.replace(plain, clusters=np.arange(400), folds=folds)
    assert grouped.covariance() == pytest.approx(plain.covariance(), rel=1e-12)


def confounded(n: int = 500, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    d = (rng.random(n) < 1 / (1 + np.exp(-x[:, 0]))).astype(float)
    frame = pd.DataFrame({"d": d, "strong": x[:, 0], "weak": x[:, 1], "idle": x[:, 2]})
    return frame, d + 2 * x[:, 0] + 0.3 * x[:, 1] + rng.normal(size=n)


def test_record_says_it_in_words_and_draws_it() -> None:
    X, y = confounded()
    found = check_sensitivity(Interactive("d").fit(X, y), X, y, benchmarks="all")
    assert [item.label for item in found.benchmarks] == ["strong", "weak", "idle"]
    assert found.verdict == "warns"
    assert found.overturned_by == ("strong",)
    assert "A confounder as strong as 'strong'" in found.words
    assert "To bring the estimate of" in str(found)
    frame = found.to_frame()
    assert list(frame["confounder"]) == ["scenario", "strong", "weak", "idle"]
    assert (frame["low"] <= frame["estimate"]).all()
    ax = found.plot()
    assert "strong" in [text.get_text() for text in ax.texts]


def test_verdict_passes_when_no_benchmark_is_strong_enough() -> None:
    X, y = confounded()
    model = Interactive("d").fit(X, y)
    assert check_sensitivity(model, X, y, benchmarks=["weak"]).verdict == "passes"
    assert check_sensitivity(model).verdict == "informs"


def test_benchmarks_may_be_groups_with_labels() -> None:
    X, y = confounded()
    model = PartiallyLinear("d").fit(X, y)
    found = check_sensitivity(model, X, y, benchmarks={"background": ["strong", "weak"]})
    pair = check_sensitivity(model, X, y, benchmarks=[("strong", "weak")])
    assert found.benchmarks[0].label == "background"
    assert found.benchmarks[0].cf_y == pair.benchmarks[0].cf_y


def test_two_jobs_give_the_same_bits() -> None:
    X, y = confounded()
    model = PartiallyLinear("d").fit(X, y)
    one, two = (check_sensitivity(model, X, y, benchmarks="all", jobs=jobs) for jobs in (1, 2))
    pd.testing.assert_frame_equal(one.to_frame(), two.to_frame(), check_exact=True)


def test_negative_effect_mirrors_the_positive_one() -> None:
    X, y = confounded()
    up = check_sensitivity(PartiallyLinear("d").fit(X, y))
    down = check_sensitivity(PartiallyLinear("d").fit(X, -y))
    assert down.robustness == pytest.approx(up.robustness, rel=1e-9)
    assert down.robustness_confident == pytest.approx(up.robustness_confident, rel=1e-9)
    assert down.bounds.high == pytest.approx(-up.bounds.low, rel=1e-9)


def test_dropped_rows_count_for_nothing() -> None:
    X, y = confounded(800, seed=2)
    model = Interactive("d", overlap_rule="drop", threshold=0.15)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
    assert 0 < (~model.kept_).sum() < 400
    elements = sensitivity_elements(model)
    se = np.sqrt(elements.covariance()[0, 0, 0])
    assert se == pytest.approx(model.effect_.standard_error, rel=1e-10)
    scale = elements.covariance()[0, 1, 1]
    kept = model.kept_
    psi = (elements.sigma2 * elements.psi_nu2 + elements.nu2 * elements.psi_sigma2) / (2 * elements.scale)
    alone = psi[kept, 0] * kept.mean()
    assert scale == pytest.approx(np.mean(alone**2) / kept.sum(), rel=1e-10)


@pytest.mark.parametrize(
    ("change", "match"),
    [({"cf_y": 1.2}, "cf_y"), ({"cf_d": -0.1}, "cf_d"), ({"rho": 2.0}, "rho"), ({"level": 1.0}, "level")],
)
def test_shares_out_of_range_are_refused(change: dict[str, float], match: str) -> None:
    with pytest.raises(DataError, match=rf"^{match}: expected a number from"):
        omitted_variable_bounds(simple_elements(), **change)


def test_refusals_name_the_place() -> None:
    X, y = confounded()
    model = PartiallyLinear("d").fit(X, y)
    with pytest.raises(
        DataError, match=r"benchmark 'stron': not among the covariates .* Did you mean 'strong'"
    ):
        check_sensitivity(model, X, y, benchmarks=["stron"])
    with pytest.raises(DataError, match="benchmarks refit the estimator"):
        check_sensitivity(model, benchmarks=["strong"])
    with pytest.raises(EstimationError, match="bounds exist for PartiallyLinear and Interactive, got Diff"):
        check_sensitivity(DifferenceInMeans("d").fit(X, y))
    with pytest.raises(EstimationError, match="bounds exist for ATE and ATT, got 'ATO'"):
        check_sensitivity(Interactive("d", estimand="ATO").fit(X, y))
