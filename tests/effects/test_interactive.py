"""AIPW: closed forms on strata, experiments, several arms, the overlap rule."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression

from suppose.core.errors import OverlapWarning
from suppose.effects import DifferenceInMeans, GComputation, Interactive, InverseProbability, PartiallyLinear

RNG = np.random.default_rng(0)
N = 600
STRATUM = RNG.integers(0, 2, N).astype(float)
ARM = (RNG.random((N, 1)) > np.stack([np.where(STRATUM, 0.3, 0.5), np.where(STRATUM, 0.6, 0.8)], axis=1)).sum(
    1
)
ARM = ARM.astype(float)
Y = ARM * (1 + STRATUM) + 2 * STRATUM + RNG.normal(size=N)


def cell_means(arm: float) -> np.ndarray:
    return np.array([Y[(arm == ARM) & (s == STRATUM)].mean() for s in (0, 1)])


def weights_of(estimand: str, arm: float) -> np.ndarray:
    counts = np.array([[np.sum((a == ARM) & (s == STRATUM)) for a in range(3)] for s in (0, 1)])
    if estimand == "ATE":
        share = counts.sum(axis=1)
    elif estimand == "ATT":
        share = counts[:, int(arm)]
    else:
        share = counts.sum(axis=1) / (counts.sum(axis=1, keepdims=True) / counts).sum(axis=1)
    return share / share.sum()


@pytest.mark.parametrize("estimand", ["ATE", "ATT", "ATO"])
@pytest.mark.parametrize("kind", [Interactive, InverseProbability, GComputation])
def test_with_strata_every_estimator_is_the_weighted_difference_of_cell_means(
    estimand: str, kind: type
) -> None:
    if kind is GComputation and estimand == "ATO":
        return
    model = kind(estimand=estimand, folds=1).fit(np.c_[ARM, STRATUM], Y)
    for effect, arm in zip(model.effects_, (1.0, 2.0), strict=True):
        expected = weights_of(estimand, arm) @ (cell_means(arm) - cell_means(0.0))
        assert effect.estimate == pytest.approx(expected, rel=1e-5)  # a hint of penalty in the logit
        assert effect.contrast == f"{arm:g} vs 0"


@pytest.mark.parametrize("estimand", ["ATE", "ATT", "ATO"])
@pytest.mark.parametrize("kind", [InverseProbability, GComputation])
@pytest.mark.parametrize("outcome", [Y, (Y > 1).astype(float)], ids=["number", "event"])
def test_with_strata_standard_errors_agree(estimand: str, kind: type, outcome: np.ndarray) -> None:
    """All are efficient there; the models of propensity and outcome count as estimated."""
    if kind is GComputation and estimand == "ATO":
        return
    table = np.c_[ARM, STRATUM]
    ours, aipw = (each(estimand=estimand, folds=1).fit(table, outcome) for each in (kind, Interactive))
    for effect, expected in zip(ours.effects_, aipw.effects_, strict=True):
        assert effect.standard_error == pytest.approx(expected.standard_error, rel=2e-4)
    assert ours.psi_ == pytest.approx(aipw.psi_, rel=1e-2, abs=5e-3)


def test_experiment_is_close_to_the_difference_in_means() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2000, 3))
    treated = rng.integers(0, 2, 2000).astype(float)
    y = treated + rng.normal(size=2000)
    table = np.c_[treated, x]
    naive, model = DifferenceInMeans().fit(table, y).effect_, Interactive().fit(table, y).effect_
    assert model.estimate == pytest.approx(naive.estimate, abs=0.2 * naive.standard_error)
    assert model.standard_error == pytest.approx(naive.standard_error, rel=0.02)
    y += 3 * x[:, 0]  # now adjustment pays
    naive, model = DifferenceInMeans().fit(table, y).effect_, Interactive().fit(table, y).effect_
    assert model.standard_error < 0.5 * naive.standard_error


def test_without_covariates_and_splitting_it_is_the_difference_in_means() -> None:
    treated = (ARM > 0).astype(float)
    model = Interactive(covariates=[], folds=1).fit(treated[:, None], Y).effect_
    assert model.estimate == pytest.approx(Y[ARM > 0].mean() - Y[ARM == 0].mean(), rel=1e-12)


def test_contrasts_agree_over_references() -> None:
    table = np.c_[ARM, STRATUM]
    for estimand in ("ATE", "ATO"):
        base = Interactive(estimand=estimand).fit(table, Y)
        other = Interactive(estimand=estimand, reference=1).fit(table, Y)
        assert [effect.contrast for effect in other.effects_] == ["0 vs 1", "2 vs 1"]
        one, two = (effect.estimate for effect in base.effects_)
        assert [effect.estimate for effect in other.effects_] == pytest.approx([-one, two - one], rel=1e-7)
        difference = base.psi_[:, 0, 1] - base.psi_[:, 0, 0]
        error = np.sqrt(np.mean(difference**2) / N)
        assert other.effects_[1].standard_error == pytest.approx(error, rel=1e-7)


def test_two_arms_of_three_equal_a_table_of_two() -> None:
    keep = ARM < 2
    folds = np.arange(N) % 3
    three = Interactive(folds=folds, propensity_learner=DummyClassifier(strategy="prior"))
    two = Interactive(folds=folds[keep], propensity_learner=DummyClassifier(strategy="prior"))
    table = np.c_[ARM, STRATUM]
    outcome = three.fit(table, Y).nuisances_["outcome"][keep][:, 0, :2]
    assert two.fit(table[keep], Y[keep]).nuisances_["outcome"][:, 0] == pytest.approx(outcome, rel=1e-9)


def test_ato_with_linear_arms_matches_partially_linear_when_slopes_agree() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(3000, 2))
    treated = (rng.random(3000) < 1 / (1 + np.exp(-x[:, 0]))).astype(float)
    y = 2 * treated + x @ [1, -1] + rng.normal(size=3000)
    overlap = Interactive(estimand="ATO").fit(np.c_[treated, x], y).effect_
    linear = PartiallyLinear(folds=1).fit(np.c_[treated, x], y).effect_
    assert overlap.estimate == pytest.approx(linear.estimate, abs=0.3 * linear.standard_error)


def test_double_robustness() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(20_000, 1))
    treated = (rng.random(20_000) < 1 / (1 + np.exp(1 - x[:, 0]))).astype(float)
    table = np.c_[treated, x]
    curved = treated + x[:, 0] ** 2 + rng.normal(size=20_000)
    straight = treated + x[:, 0] + rng.normal(size=20_000)
    blunt = DummyClassifier(strategy="prior")
    for y, settings in ((curved, {}), (straight, {"propensity_learner": blunt})):
        effect = Interactive(**settings).fit(table, y).effect_
        assert abs(effect.estimate - 1) < 4 * effect.standard_error
    wrong = Interactive(propensity_learner=blunt).fit(table, curved).effect_
    assert abs(wrong.estimate - 1) > 4 * wrong.standard_error


def test_cutoff_makes_arms_of_an_exposure() -> None:
    rng = np.random.default_rng(4)
    exposure, x = rng.gamma(2, size=500), rng.normal(size=500)
    y = (exposure > 2) + x + rng.normal(size=500)
    model = Interactive(cutoff=2).fit(np.c_[exposure, x], y)
    assert model.effect_.contrast == "above 2 vs at most 2"
    cut = Interactive().fit(np.c_[exposure > 2, x], y)
    assert model.effect_.estimate == cut.effect_.estimate
    assert (model.predict(np.c_[exposure, x]) == cut.predict(np.c_[exposure > 2, x])).all()
    median = Interactive(cutoff="median").fit(np.c_[exposure, x], y)
    assert median.cutoff_ == np.median(exposure)


def test_zero_one_outcome_is_predicted_as_a_probability() -> None:
    event = (Y > 1).astype(float)
    table = np.c_[ARM > 0, STRATUM]
    model = Interactive(folds=1).fit(table, event)
    mu = model.nuisances_["outcome"]
    assert ((mu > 0) & (mu < 1)).all()
    numbers = Interactive(folds=1, outcome_learner=LinearRegression()).fit(table, event)
    assert model.effect_.estimate == pytest.approx(numbers.effect_.estimate, rel=1e-4)  # saturated


def test_arm_whose_outcome_never_varies() -> None:
    event = np.where(ARM > 0, (Y > 1).astype(float), 0.0)
    model = Interactive().fit(np.c_[ARM > 0, STRATUM], event)
    assert (model.nuisances_["outcome"][:, :, 0] == 0).all()
    assert np.isfinite(model.effect_.standard_error)


def test_dropping_changes_the_population_and_clipping_does_not() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=2000)
    treated = (rng.random(2000) < 1 / (1 + np.exp(-2.5 * x))).astype(float)
    y = treated * x + x + rng.normal(size=2000)
    table = np.c_[treated, x]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OverlapWarning)
        clip = Interactive(threshold=0.05).fit(table, y)
        drop = Interactive(threshold=0.05, overlap_rule="drop").fit(table, y)
        treated_drop = Interactive(threshold=0.05, overlap_rule="drop", estimand="ATT").fit(table, y)
    assert (clip.outside_ == drop.outside_).all()
    assert clip.effect_.n == 2000
    assert drop.effect_.n == 2000 - clip.outside_.sum()
    used = clip.nuisances_["propensity_used"]
    assert (used.min(), used.max()) == (0.05, 0.95)
    assert clip.nuisances_["propensity"].min() < 0.05
    assert drop.effect_.standard_error == pytest.approx(np.sqrt(np.mean(drop.psi_**2) / 2000), rel=1e-10)
    # On the treated only a small propensity of the control arm matters.
    e = treated_drop.nuisances_["propensity"][:, 0]
    assert (treated_drop.kept_ == (e[:, 0] >= 0.05)).all()


def test_means_of_the_arms_differ_by_the_effect() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(2000, 2))
    arm = rng.integers(0, 3, 2000).astype(float)
    y = 3.0 + arm + x.sum(axis=1) + rng.normal(size=2000)
    model = Interactive(treatment=0, overlap_rule="drop").fit(np.c_[arm, x], y)
    for place, effect in enumerate(model.effects_, start=1):
        assert model.arm_means_[place] - model.arm_means_[0] == pytest.approx(effect.estimate, rel=1e-9)
    assert np.all(np.abs(model.arm_means_ - [3.0, 4.0, 5.0]) < 4 * model.arm_standard_errors_)
    assert np.all((model.arm_standard_errors_ > 0.02) & (model.arm_standard_errors_ < 0.15))
