"""What all estimators share: inputs, invariances, records, refusals by their words."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge

import suppose.effects as effects
from suppose.core.errors import DataError, EstimationError, OverlapWarning, StudyError
from suppose.effects import (
    DifferenceInMeans,
    EffectEstimator,
    GComputation,
    Interactive,
    InverseProbability,
    PartiallyLinear,
)

ALL = [PartiallyLinear, Interactive, InverseProbability, GComputation, DifferenceInMeans]
ADJUSTING = ALL[:4]
COVARIATES = ["age", "educ", "black"]


def make_table(n: int = 300, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age, educ, black = rng.normal(40, 10, n), rng.normal(size=n), rng.integers(0, 2, n)
    treat = (rng.random(n) < 1 / (1 + np.exp(-0.05 * (age - 40) - 0.5 * educ))).astype(int)
    pay = 2 * treat + 0.1 * age + educ - black + rng.normal(size=n)
    site = rng.integers(0, 30, n)
    return pd.DataFrame({"treat": treat, "age": age, "educ": educ, "black": black, "pay": pay, "site": site})


TABLE = make_table()


def fit(kind: type[EffectEstimator], table: Any = TABLE, y: Any = None, **settings: Any) -> EffectEstimator:
    if kind is not DifferenceInMeans:
        settings = {"covariates": COVARIATES, **settings}
    return kind("treat", **settings).fit(table, TABLE["pay"] if y is None else y)


def numbers(estimator: EffectEstimator) -> list[float]:
    effect = estimator.effect_
    return [effect.estimate, effect.standard_error, effect.low, effect.high]


@pytest.mark.parametrize("kind", ALL)
def test_every_input_gives_the_same_bits(kind: type[EffectEstimator]) -> None:
    expected = numbers(fit(kind))
    for table in (pl.from_pandas(TABLE), pa.Table.from_pandas(TABLE)):
        outcome = table["pay"]
        assert numbers(fit(kind, table, outcome)) == expected
    order = ["treat", *COVARIATES]
    array = TABLE[order].to_numpy(dtype=float)
    for given in (array, np.asfortranarray(array), array.tolist()):
        assert numbers(kind(treatment=0).fit(given, TABLE["pay"].to_numpy())) == expected


@pytest.mark.parametrize("kind", ALL)
def test_names_survive(kind: type[EffectEstimator]) -> None:
    model = fit(kind, pl.from_pandas(TABLE))
    assert model.treatment_name_ == "treat"
    assert list(model.feature_names_in_) == list(TABLE.columns)
    assert model.n_features_in_ == 6
    if kind is not DifferenceInMeans:
        assert model.covariate_names_ == tuple(COVARIATES)


@pytest.mark.parametrize("kind", ADJUSTING)
@pytest.mark.parametrize("learner", ["linear", "boosting"])
def test_jobs_do_not_change_a_bit(kind: type[EffectEstimator], learner: str) -> None:
    name = "propensity_learner" if kind is InverseProbability else "outcome_learner"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one, two = (fit(kind, **{name: learner, "repeats": 2, "n_jobs": jobs}) for jobs in (1, 2))
    assert (one.theta_by_repeat_ == two.theta_by_repeat_).all()
    assert np.array_equal(one.psi_, two.psi_, equal_nan=True)


@pytest.mark.parametrize("kind", ADJUSTING)
def test_seed_decides_everything(kind: type[EffectEstimator]) -> None:
    assert numbers(fit(kind, seed=5)) == numbers(fit(kind, seed=5))
    assert numbers(fit(kind, seed=5)) != numbers(fit(kind, seed=6))


@pytest.mark.parametrize("kind", ALL)
def test_order_of_rows_does_not_matter_with_given_folds(kind: type[EffectEstimator]) -> None:
    order = np.random.default_rng(3).permutation(len(TABLE))
    folds = np.arange(len(TABLE)) % 4
    given = [{}, {}] if kind is DifferenceInMeans else [{"folds": folds}, {"folds": folds[order]}]
    first = fit(kind, **given[0])
    second = fit(kind, TABLE.iloc[order], TABLE["pay"].iloc[order], **given[1])
    assert numbers(second) == pytest.approx(numbers(first), rel=1e-6)
    assert second.psi_ == pytest.approx(first.psi_[order], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("kind", ALL)
def test_affine_change_of_the_outcome(kind: type[EffectEstimator]) -> None:
    first, second = fit(kind), fit(kind, y=7 - 3 * TABLE["pay"])
    expected = -3 * np.array(numbers(first))
    assert second.effect_.estimate == pytest.approx(expected[0], rel=1e-8)
    assert second.effect_.standard_error == pytest.approx(-expected[1], rel=1e-8)
    assert (second.effect_.low, second.effect_.high) == pytest.approx((expected[3], expected[2]), rel=1e-7)


@pytest.mark.parametrize("kind", ADJUSTING)
def test_scale_of_a_covariate_does_not_matter(kind: type[EffectEstimator]) -> None:
    changed = TABLE.assign(age=1e4 * TABLE["age"] - 3)
    assert numbers(fit(kind, changed)) == pytest.approx(numbers(fit(kind)), rel=1e-6)


@pytest.mark.parametrize("kind", ADJUSTING)
def test_collinear_and_constant_covariates_change_nothing(kind: type[EffectEstimator]) -> None:
    wide = TABLE.assign(copy=TABLE["age"], sum=TABLE["age"] + TABLE["educ"], one=1.0)
    model = fit(kind, wide, covariates=[*COVARIATES, "copy", "sum", "one"])
    assert numbers(model) == pytest.approx(numbers(fit(kind)), rel=1e-5)


@pytest.mark.parametrize("kind", ALL)
def test_relabelled_arms(kind: type[EffectEstimator]) -> None:
    moved = fit(kind, TABLE.assign(treat=TABLE["treat"] + 4))
    assert numbers(moved) == pytest.approx(numbers(fit(kind)), rel=1e-9)
    assert moved.effect_.contrast == "5 vs 4"
    boolean = fit(kind, TABLE.assign(treat=TABLE["treat"] == 1))
    assert numbers(boolean) == pytest.approx(numbers(fit(kind)), rel=1e-12)


@pytest.mark.parametrize("kind", ALL[1:])
def test_reference_turns_the_sign(kind: type[EffectEstimator]) -> None:
    turned = fit(kind, reference=1)
    assert turned.effect_.contrast == "0 vs 1"
    assert turned.effect_.estimate == pytest.approx(-fit(kind).effect_.estimate, rel=1e-8)
    assert turned.effect_.standard_error == pytest.approx(fit(kind).effect_.standard_error, rel=1e-8)


@pytest.mark.parametrize("kind", ALL)
def test_clusters_of_one_row_are_no_clusters(kind: type[EffectEstimator]) -> None:
    table = TABLE.assign(own=[f"unit {row}" for row in range(len(TABLE))])
    fixed = {} if kind is DifferenceInMeans else {"folds": np.arange(len(TABLE)) % 5}
    plain, clustered = fit(kind, **fixed), fit(kind, table, cluster="own", **fixed)
    inflation = 1.0
    if kind is DifferenceInMeans:  # Neyman's n - 1 against n
        inflation = clustered.effect_.standard_error / plain.effect_.standard_error
        assert inflation == pytest.approx(1, abs=0.005)
    assert clustered.effect_.estimate == pytest.approx(plain.effect_.estimate, rel=1e-12)
    assert clustered.effect_.standard_error == pytest.approx(
        plain.effect_.standard_error * inflation, rel=1e-9
    )
    assert clustered.effect_.clusters == len(TABLE)


@pytest.mark.parametrize("kind", ALL)
def test_copied_rows_in_clusters_do_not_add_precision(kind: type[EffectEstimator]) -> None:
    n = len(TABLE)
    table = pd.concat([TABLE.assign(own=np.arange(n))] * 3, ignore_index=True)
    fixed = {} if kind is DifferenceInMeans else {"folds": np.tile(np.arange(n) % 5, 3)}
    single = {} if kind is DifferenceInMeans else {"folds": np.arange(n) % 5}
    copies = fit(kind, table, table["pay"], cluster="own", **fixed)
    plain = fit(kind, TABLE.assign(own=np.arange(n)), cluster="own", **single)
    assert copies.effect_.estimate == pytest.approx(plain.effect_.estimate, rel=1e-6)
    assert copies.effect_.standard_error == pytest.approx(plain.effect_.standard_error, rel=1e-5)


@pytest.mark.parametrize("kind", ALL)
def test_shared_attributes(kind: type[EffectEstimator]) -> None:
    model = fit(kind)
    n, repeats, contrasts = model.psi_.shape
    assert (n, repeats, contrasts) == (300, 1, 1)
    assert model.effect_ is model.effects_[0]
    assert model.effect_.standard_error == pytest.approx(np.sqrt(np.mean(model.psi_**2) / n))
    assert model.psi_.mean() == pytest.approx(0, abs=1e-9)
    assert model.folds_.shape == (n, repeats)
    assert model.kept_.all()
    assert (model.outcome_ == TABLE["pay"]).all()
    assert model.arms_ is not None
    assert model.arms_.tolist() == [0, 1]
    assert all(values.shape[:2] == (n, 1) for values in model.nuisances_.values())
    frame = model.to_frame()
    assert frame["estimate"][0] == model.effect_.estimate
    assert str(model).splitlines()[1] == str(model.effect_)
    assert kind.__name__ in str(model)


@pytest.mark.parametrize("kind", ALL)
def test_unfitted_and_clone(kind: type[EffectEstimator]) -> None:
    with pytest.raises(NotFittedError):
        kind("treat").predict(TABLE)
    assert "treat" in str(kind("treat"))
    model = fit(kind)
    assert numbers(clone(model).fit(TABLE, TABLE["pay"])) == numbers(model)


@pytest.mark.parametrize("kind", ALL)
def test_prediction_is_the_outcome_under_the_own_treatment(kind: type[EffectEstimator]) -> None:
    model = fit(kind)
    treated, control = (model.predict(TABLE.assign(treat=value)) for value in (1, 0))
    own = model.predict(TABLE)
    assert own == pytest.approx(np.where(TABLE["treat"] == 1, treated, control), rel=1e-12)
    assert np.mean(treated - control) == pytest.approx(model.effect_.estimate, abs=0.15)


@pytest.mark.parametrize("kind", ALL)
def test_one_row_is_predicted_as_in_the_table(kind: type[EffectEstimator]) -> None:
    model = fit(kind)
    assert model.predict(TABLE.iloc[[7]])[0] == pytest.approx(model.predict(TABLE)[7], rel=1e-12)


SETTINGS = [
    ({"level": 95}, "level: expected a share between 0 and 1, got 95"),
    ({"level": "high"}, "level: expected a share"),
    ({"reference": 3}, "reference: expected one of 0, 1, got 3"),
    ({"reference": "one"}, "reference: expected a value of the treatment, got 'one'"),
    ({"cutoff": "mean"}, "cutoff: expected a number or 'median', got 'mean'"),
    ({"cutoff": 7}, "got one class: all 300 rows"),
    ({"estimand": "ate"}, "estimand: expected one of 'ATE', 'ATT', 'ATO', got 'ate'. Did you mean 'ATE'"),
    ({"overlap_rule": "trim"}, "overlap_rule: expected one of 'clip', 'drop', got 'trim'"),
    ({"threshold": 0.7}, "threshold: expected a propensity between 0 and 0.5, got 0.7"),
    ({"folds": 1.5}, "folds: expected a number, whole numbers"),
    ({"folds": 301}, "folds: expected at most as many folds as rows, got 301 folds for 300 rows"),
    ({"repeats": 0}, "repeats: expected a whole number from 1"),
    ({"repeat_rule": "mean"}, "repeat_rule: expected one of 'median-variance', 'median-bound'"),
    ({"outcome_learner": "linaer"}, "outcome_learner: expected one of.*Did you mean 'linear'"),
    ({"propensity_learner": Ridge()}, "propensity_learner: expected a classifier, got Ridge"),
    ({"outcome_learner": LogisticRegression()}, "is a classifier, but the outcome is not coded 0 and 1"),
    ({"covariates": ["agee"]}, "covariate 'agee': there is no such column.*Did you mean 'age'"),
    ({"cluster": "sight"}, "cluster 'sight': there is no such column.*Did you mean 'site'"),
]


@pytest.mark.parametrize(("settings", "words"), SETTINGS)
def test_bad_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises((DataError, EstimationError), match=words):
        fit(Interactive, **settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"seed": -1}, "seed"), ({"n_jobs": 0}, "jobs"), ({"backend": "cloud"}, "backend: expected one of")],
)
def test_bad_ways_of_running_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(StudyError, match=words):
        fit(Interactive, **settings)


OUTCOMES = [
    (None, "y: .*requires y to be passed, but the target y is None"),
    (np.zeros(10), "X has 300 rows, y has 10"),
    (np.where(np.arange(300) == 4, np.nan, 1.0), "y: input contains NaN: 1 of 300.*first bad rows: 4"),
    (np.where(np.arange(300) == 4, np.inf, 1.0), "y: input contains infinity"),
    (["low"] * 300, "y: expected one number per row"),
    (np.zeros((300, 2)), "y: expected one number per row"),
    (np.full(300, 1j), "Complex data not supported"),
]


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(("y", "words"), OUTCOMES)
def test_bad_outcomes_are_refused(kind: type[EffectEstimator], y: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        kind("treat").fit(TABLE.drop(columns="pay"), y)


@pytest.mark.parametrize("kind", ALL)
def test_constant_treatment_is_refused(kind: type[EffectEstimator]) -> None:
    with pytest.raises(DataError, match="expected rows with and without treatment, got one class: all 300"):
        fit(kind, TABLE.assign(treat=1))


@pytest.mark.parametrize("kind", ALL[1:])
def test_continuous_treatment_is_refused_where_arms_are_compared(kind: type[EffectEstimator]) -> None:
    with pytest.raises(DataError, match="300: this is a continuous exposure. Use PartiallyLinear"):
        fit(kind, TABLE.assign(treat=TABLE["age"] / 7))


@pytest.mark.parametrize("kind", ADJUSTING)
def test_too_few_treated_rows_are_refused(kind: type[EffectEstimator]) -> None:
    table = TABLE.assign(treat=(np.arange(300) < 2).astype(int))
    with pytest.raises(
        (DataError, EstimationError), match="rows have the treatment 1, too few to learn from"
    ):
        fit(kind, table)


@pytest.mark.parametrize("kind", [PartiallyLinear, Interactive, GComputation])
def test_more_covariates_than_rows(kind: type[EffectEstimator]) -> None:
    rng = np.random.default_rng(0)
    wide = np.c_[np.arange(60) % 2, rng.normal(size=(60, 80))]
    y = wide[:, 0] + wide[:, 1] + rng.normal(size=60)
    with pytest.raises(EstimationError, match="least squares with 80 covariates needs more than 81 rows"):
        kind(treatment=0).fit(wide, y)
    if kind is not GComputation:
        assert np.isfinite(kind(treatment=0, outcome_learner="lasso").fit(wide, y).effect_.estimate)


@pytest.mark.parametrize("kind", [Interactive, InverseProbability])
def test_covariate_that_tells_the_arms_apart_is_refused(kind: type[EffectEstimator]) -> None:
    table = TABLE.assign(age=TABLE["treat"] + 0.001 * TABLE["age"])
    with pytest.raises(EstimationError, match="has a propensity outside .*nothing to compare"):
        fit(kind, table)


def test_partially_linear_refuses_a_treatment_that_covariates_determine() -> None:
    table = TABLE.assign(treat=2 * TABLE["age"] - TABLE["educ"])
    with pytest.raises(EstimationError, match="predict the treatment without error"):
        fit(PartiallyLinear, table)


def test_weak_overlap_warns_with_counts() -> None:
    table = make_table(400, seed=1)
    rng = np.random.default_rng(0)
    table["treat"] = (rng.random(400) < 1 / (1 + np.exp(-0.4 * (table["age"] - 40)))).astype(int)
    with pytest.warns(
        OverlapWarning, match=r"(\d+) of 400 rows .* outside \[0.01, 0.99\] .*kept with"
    ) as caught:
        fit(Interactive, table, table["pay"])
    assert caught[0].filename == __file__ or "jaxtyping" in caught[0].filename
    with pytest.warns(OverlapWarning, match="they are dropped"):
        dropped = fit(Interactive, table, table["pay"], overlap_rule="drop")
    assert dropped.effect_.n == dropped.kept_.sum() < 400
    assert (dropped.psi_[~dropped.kept_] == 0).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(Interactive, table, table["pay"], estimand="ATO")


@pytest.mark.parametrize("kind", ALL)
def test_prediction_refuses_other_columns(kind: type[EffectEstimator]) -> None:
    model = fit(kind)
    with pytest.raises(DataError, match="feature names should match|X: "):
        model.predict(TABLE.rename(columns={"educ": "schooling"}))
    if kind is not PartiallyLinear:
        with pytest.raises(DataError, match="row 0 has the treatment 3; the fit has seen 0, 1"):
            model.predict(TABLE.assign(treat=3))


def test_room_is_a_table_of_contents() -> None:
    assert {"Interactive", "PartiallyLinear", "EffectEstimate"} <= set(dir(effects))
    for name in effects.__all__:
        assert getattr(effects, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Interactiv'"):
        effects.Interactiv
