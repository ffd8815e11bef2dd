"""Inverse probability weighting: known propensity, and the gain from estimating it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from suppose.effects import DifferenceInMeans, InverseProbability
from suppose.effects.weighting import standardised

RNG = np.random.default_rng(0)
N = 1500
X = RNG.normal(size=(N, 2))
TREATED = (RNG.random(N) < 1 / (1 + np.exp(-X[:, 0]))).astype(float)
Y = TREATED + 2 * X[:, 0] + RNG.normal(size=N)
TABLE = np.c_[TREATED, X]


def test_constant_propensity_is_the_difference_in_means() -> None:
    for estimand in ("ATE", "ATT", "ATO"):
        model = InverseProbability(
            estimand=estimand, folds=1, propensity_learner=DummyClassifier(strategy="prior")
        ).fit(TABLE, Y)
        naive = DifferenceInMeans().fit(TABLE, Y)
        assert model.effect_.estimate == pytest.approx(naive.effect_.estimate, rel=1e-12)
        assert model.effect_.standard_error == pytest.approx(naive.effect_.standard_error, rel=2e-3)
        assert model.arm_means_[0] == pytest.approx(naive.arm_means_[::-1], rel=1e-12)


def test_weights_add_up_to_one_so_shifts_do_not_matter() -> None:
    one, two = (InverseProbability().fit(TABLE, Y + shift).effect_ for shift in (0, 1000))
    assert two.estimate == pytest.approx(one.estimate, rel=1e-7)
    assert two.standard_error == pytest.approx(one.standard_error, rel=1e-6)


def test_estimated_propensity_counts_as_estimated_with_linear_only() -> None:
    linear = InverseProbability(folds=1).fit(TABLE, Y)
    known = InverseProbability(folds=1, propensity_learner=LogisticRegression(C=1e4)).fit(TABLE, Y)
    assert known.effect_.estimate == pytest.approx(linear.effect_.estimate, rel=1e-3)
    assert linear.effect_.standard_error < 0.8 * known.effect_.standard_error
    assert "taken as known" in known.effect_.method
    assert "taken as known" not in linear.effect_.method


@pytest.mark.slow
@pytest.mark.parametrize("estimand", ["ATE", "ATT", "ATO"])
def test_standard_error_is_the_spread_over_draws(estimand: str) -> None:
    """Tolerance 3 / sqrt(2 R), of a ratio of standard deviations over R = 400 draws."""
    estimates, errors = [], []
    for draw in range(400):
        rng = np.random.default_rng(1000 + draw)
        x = rng.normal(size=(300, 1))
        arm = (
            rng.random((300, 1)) > np.stack([0.2 + 0.3 / (1 + np.exp(-x[:, 0])), np.full(300, 0.7)], 1)
        ).sum(1)
        y = arm * (1 + x[:, 0]) + 2 * x[:, 0] + rng.normal(size=300)
        effects = InverseProbability(estimand=estimand, folds=1).fit(np.c_[arm, x], y).effects_
        estimates.append([effect.estimate for effect in effects])
        errors.append([effect.standard_error for effect in effects])
    ratio = np.mean(errors, axis=0) / np.std(estimates, axis=0)
    assert ratio == pytest.approx(np.ones(2), abs=3 / np.sqrt(800))


def test_standardised_columns() -> None:
    columns = standardised(np.c_[X, np.full(N, 3.0)])
    assert columns[:, 0].tolist() == [1.0] * N
    assert columns[:, 1:3].std(axis=0) == pytest.approx(np.ones(2))
    assert (columns[:, 3] == 0).all()
