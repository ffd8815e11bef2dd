"""Kaplan-Meier, Nelson-Aalen, log-rank and Cox: lifelines' numbers, closed forms, invariances, refusals."""

from __future__ import annotations

import itertools
import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime

from suppose.core.errors import DataError, EstimationError, SupposeWarning
from suppose.datasets import load_rossi, make_survival
from suppose.effects import KaplanMeier, NelsonAalen, ProportionalHazards
from suppose.effects.survival import log_rank
from suppose.effects.survival.cox import PartialLikelihood

REFERENCE = Path(__file__).parent / "reference"
SCRIPT: dict[str, Any] = runpy.run_path(str(REFERENCE / "make_lifelines.py"))
STORED = json.loads((REFERENCE / "lifelines.json").read_text())["numbers"]
ROSSI = load_rossi()
TABLES = SCRIPT["tables"](ROSSI)
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {}, "untied": {}, "robust": {"robust": True}, "grouped": {"cluster": "group"}, "late": {"entry": "entry"},
    "weighted": {"weights": "weight", "robust": True},
}  # fmt: skip


def cox(name: str, **options: Any) -> ProportionalHazards:
    data = TABLES["untied" if name == "robust" else name]
    model = ProportionalHazards("arrest", **OPTIONS[name], **options)
    return model.fit(data.drop(columns="week"), data["week"])


def assert_cox(numbers: dict[str, Any], name: str) -> None:
    ours, theirs = cox(name), numbers[name]
    assert ours.coef_ == pytest.approx(theirs["coef"], abs=1e-6)
    assert np.sqrt(np.diag(ours.covariance_)) == pytest.approx(theirs["se"], rel=1e-5)
    assert ours.loglik_ == pytest.approx(theirs["loglik"], abs=1e-6)
    for transform in ("identity", "log") if name in ("plain", "untied") else ():
        assert ours.test_proportionality(transform).statistic[:-1] == pytest.approx(
            theirs[transform], rel=1e-4
        )
    if name == "untied":
        base = dict(zip(theirs["baseline_times"], theirs["baseline"], strict=True))
        assert ours.baseline_ == pytest.approx([base[t] for t in ours.event_times_], rel=1e-6)


def assert_curves(numbers: dict[str, Any], name: str) -> None:
    data = TABLES["late" if "late" in name else "plain"]
    entry, theirs = ("entry" if "late" in name else None), numbers[name]
    for key, model in (
        ("km", KaplanMeier("arrest", entry=entry)),
        ("na", NelsonAalen("arrest", entry=entry)),
    ):
        curve = model.fit(data.drop(columns="week"), data["week"]).curve_
        assert curve.times.tolist() == theirs["times"]
        assert curve.estimate == pytest.approx(theirs[key], abs=1e-12)
        assert np.c_[curve.low, curve.high] == pytest.approx(np.array(theirs[f"{key}_interval"]), abs=1e-12)


@pytest.mark.parametrize("name", OPTIONS)
def test_cox_equals_stored_numbers(name: str) -> None:
    assert_cox(STORED, name)


@pytest.mark.parametrize("name", ["curves", "curves late"])
def test_curves_equal_stored_numbers(name: str) -> None:
    assert_curves(STORED, name)


def test_log_rank_equals_stored_numbers() -> None:
    test = log_rank(
        ROSSI["week"].to_numpy(float), ROSSI["arrest"].to_numpy(float), ROSSI["prio"].clip(0, 3).to_numpy()
    )
    assert [test.statistic, test.p_value] == pytest.approx(STORED["log rank"], rel=1e-10)


@pytest.mark.peer
def test_everything_equals_lifelines() -> None:
    pytest.importorskip("lifelines")
    live = SCRIPT["compute"](ROSSI)
    for name in OPTIONS:
        assert_cox(live, name)
    for name in ("curves", "curves late"):
        assert_curves(live, name)


# -- Kaplan-Meier and Nelson-Aalen -----------------------------------------------------------------


def test_without_censoring_it_is_the_share_left() -> None:
    y = np.array([3.0, 1.0, 2.0, 2.0])
    curve = KaplanMeier().fit(np.zeros((4, 1)), y).curve_
    assert curve.estimate.tolist() == [0.75, 0.25, 0.0]
    assert curve.at([0.5, 1.0, 2.5, 9.0]).tolist() == [1.0, 0.75, 0.25, 0.0]
    assert curve.median == 2.0
    assert curve.standard_error[0] == pytest.approx(np.sqrt(0.75 * 0.25 / 4))


def test_groups_order_and_weights() -> None:
    X = ROSSI.drop(columns="week")
    model = KaplanMeier("arrest", by="fin").fit(X, ROSSI["week"])
    assert model.groups_ == ("0", "1")
    alone = KaplanMeier("arrest").fit(X[X["fin"] == 1], ROSSI["week"][X["fin"] == 1]).curve_
    assert np.array_equal(model.curves_[1].estimate, alone.estimate)
    order = np.random.default_rng(0).permutation(432)
    again = KaplanMeier("arrest", by="fin").fit(X.iloc[order], ROSSI["week"].iloc[order])
    assert np.array_equal(again.curves_[1].estimate, alone.estimate)
    long = ROSSI.loc[np.repeat(np.arange(432), 1 + np.arange(432) % 3)]
    copies = KaplanMeier("arrest").fit(long.drop(columns="week"), long["week"]).curve_
    weighted = (
        KaplanMeier("arrest", weights="w").fit(X.assign(w=1 + np.arange(432) % 3), ROSSI["week"]).curve_
    )
    assert weighted.low == pytest.approx(copies.low, abs=1e-12)
    assert np.isinf(model.predict(X)).all() and model.plot().get_xlabel() == "time"
    assert str(model).startswith("survival of 0: 66 events") and "group" in model.to_frame()


def test_curve_refusals() -> None:
    X = ROSSI.drop(columns="week")
    with pytest.raises(DataError, match="no such column to group by|there is no such covariate"):
        KaplanMeier("arrest", by="finn").fit(X, ROSSI["week"])
    with pytest.raises(DataError, match="group '1': no row of this group has an event"):
        KaplanMeier("arrest", by="fin").fit(X.assign(arrest=X["arrest"] * (1 - X["fin"])), ROSSI["week"])
    with pytest.raises(DataError, match="expected at least two groups"):
        log_rank(np.ones(3), np.ones(3), np.zeros(3))


def test_log_rank_is_blind_to_names_and_finds_differences() -> None:
    world = make_survival(300, lambda_=(0.0, 0.8), kappa=1.0, seed=0)
    time, event = world.y.to_numpy(), world.X["event"].to_numpy(float)
    one = log_rank(time, event, world.X["x"].to_numpy())
    other = log_rank(time, event, np.where(world.X["x"] == 1, "a", "b"))
    assert one.statistic == pytest.approx(other.statistic) and one.p_value < 1e-4
    assert sum(one.observed.values()) == pytest.approx(sum(one.expected.values()))


# -- Cox -------------------------------------------------------------------------------------------


def naive_efron(beta: np.ndarray, D: np.ndarray, time: np.ndarray, event: np.ndarray, efron: bool) -> float:
    """The partial likelihood as the books write it, with loops."""
    risk, total = np.exp(D @ beta), 0.0
    for t in np.unique(time[event == 1]):
        tied = (time == t) & (event == 1)
        d = int(tied.sum())
        total += float((D[tied] @ beta).sum())
        for k in range(d):
            total -= np.log(risk[time >= t].sum() - (k / d if efron else 0.0) * risk[tied].sum())
    return total


@pytest.mark.parametrize("efron", [True, False])
def test_partial_likelihood_with_ties(efron: bool) -> None:
    rng = np.random.default_rng(0)
    n = 40
    time, event, D = rng.integers(1, 9, n) * 1.0, (rng.random(n) < 0.7) * 1.0, rng.normal(size=(n, 3))
    partial = PartialLikelihood(D, time, event, np.zeros(n), np.ones(n), efron)
    beta = rng.normal(size=3) * 0.5
    value, gradient, hessian = partial(beta)
    shift = (D @ beta).max() * 0  # the value is free of the shift used inside
    assert value + shift == pytest.approx(naive_efron(beta, D, time, event, efron), rel=1e-12)
    assert gradient == pytest.approx(approx_fprime(beta, partial.value, 1e-7), abs=1e-4)
    bent = np.array([approx_fprime(beta, lambda b, i=i: partial(b)[1][i], 1e-7) for i in range(3)])
    assert hessian == pytest.approx(bent, abs=1e-3)
    assert partial.scores(beta).sum(axis=0) == pytest.approx(gradient, abs=1e-10)


def test_permutations_in_closed_form() -> None:
    """Three events at different times: the likelihood is the chance of their order."""
    D, beta = np.array([[0.3], [1.2], [-0.5]]), np.array([0.7])
    risk = np.exp(D @ beta)
    chances = {}
    for order in itertools.permutations(range(3)):
        left, chance = list(range(3)), 1.0
        for k in order:
            chance *= risk[k] / risk[left].sum()
            left.remove(k)
        chances[order] = chance
    partial = PartialLikelihood(D, np.array([1.0, 2.0, 3.0]), np.ones(3), np.zeros(3), np.ones(3))
    assert partial.value(beta) == pytest.approx(np.log(chances[(0, 1, 2)]))


def test_scores_with_ties_are_the_influence_of_rows() -> None:
    """Leaving a row out moves the coefficients by what its score residual says."""
    X, y = ROSSI[["arrest", "age", "prio"]], ROSSI["week"]
    full = ProportionalHazards("arrest", robust=True).fit(X, y)
    moves = [
        full.coef_ - ProportionalHazards("arrest").fit(X.drop(index=k), y.drop(index=k)).coef_
        for k in range(60)
    ]
    D = X[["age", "prio"]].to_numpy(float)
    partial = PartialLikelihood(
        D, y.to_numpy(float), X["arrest"].to_numpy(float), np.zeros(432), np.ones(432)
    )
    said = (partial.scores(full.coef_) @ full.model_covariance_)[:60]
    assert np.corrcoef(np.ravel(moves / said.std(axis=0)), np.ravel(said / said.std(axis=0)))[0, 1] > 0.99


def test_baseline_and_predictions() -> None:
    model = cox("plain")
    X = ROSSI.drop(columns="week")
    survival = model.predict_survival(X, [10.0, 52.0])
    mean = KaplanMeier("arrest").fit(X, ROSSI["week"]).curve_.at([10.0, 52.0])
    assert survival.mean(axis=0) == pytest.approx(mean, abs=0.01)
    ratio = model.hazard_ratio(X.head(1).assign(fin=1), X.head(1).assign(fin=0), [1.0, 9.0])
    assert ratio.estimate == pytest.approx(model.to_frame().set_index("name").loc["fin", "hazard_ratio"])
    half = model.predict(X)
    assert ((half == np.inf) | (half <= 52)).all() and 0.6 < model.score(X, ROSSI["week"]) < 0.7
    assert "Cox regression, efron ties" in str(model)


def test_breslow_is_efron_without_ties_and_smaller_with() -> None:
    assert cox("untied", ties="breslow").coef_ == pytest.approx(cox("untied").coef_, abs=1e-9)
    efron, breslow = cox("plain").coef_, cox("plain", ties="breslow").coef_
    assert 0 < np.abs(efron - breslow).max() < 0.01


def test_proportionality_has_its_size_and_power() -> None:
    draws, low = 100, 0
    for seed in range(draws):
        world = make_survival(200, lambda_=(0.0, 0.5), kappa=1.0, seed=seed)
        low += ProportionalHazards("event").fit(world.X, world.y).test_proportionality().p_value[0] < 0.05
    assert abs(low / draws - 0.05) <= 3 * np.sqrt(0.05 * 0.95 / draws)
    bent = make_survival(600, gamma=(0.0, 0.8), kappa=1.0, seed=1)
    tests = [
        ProportionalHazards("event").fit(bent.X, bent.y).test_proportionality(t)
        for t in ("rank", "km", "log")
    ]
    assert all(test.p_value[0] < 0.001 for test in tests)
    assert tests[0].names == ("x", "all") and "p = " in str(tests[0])


def test_cox_refusals() -> None:
    X, y = ROSSI[["arrest", "fin", "age"]], ROSSI["week"]
    with pytest.raises(EstimationError, match="ties: expected one of 'efron', 'breslow'"):
        ProportionalHazards("arrest", ties="exact").fit(X, y)
    with pytest.raises(DataError, match="there is no covariate"):
        ProportionalHazards("arrest").fit(X[["arrest"]], y)
    with pytest.raises(EstimationError, match="depend on each other linearly"):
        ProportionalHazards("arrest").fit(X.assign(twice=2 * X["age"]), y)
    with pytest.raises(EstimationError, match="transform: expected one of"):
        cox("plain").test_proportionality("sqrt")
    with pytest.warns(SupposeWarning, match="rises without end"):
        ProportionalHazards().fit(np.arange(30.0)[:, None], np.arange(30.0, 0, -1))
    tied = pd.DataFrame({"x": np.arange(6.0)})
    with pytest.raises(EstimationError, match="all events come at one time"):
        ProportionalHazards().fit(tied, np.ones(6)).test_proportionality("identity")
