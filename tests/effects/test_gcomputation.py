"""G-computation: least squares by arm, logistic outcomes, no interval without theory."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from suppose.core.errors import EstimationError, SupposeWarning
from suppose.effects import GComputation

RNG = np.random.default_rng(0)
N = 800
X = RNG.normal(size=(N, 2))
TREATED = (RNG.random(N) < 1 / (1 + np.exp(-X[:, 0]))).astype(float)
Y = TREATED * (1 + X[:, 1]) + 2 * X[:, 0] + RNG.normal(size=N)
TABLE = np.c_[TREATED, X]


def test_linear_is_least_squares_with_all_interactions() -> None:
    model = GComputation(folds=1).fit(TABLE, Y).effect_
    centred = X - X.mean(axis=0)
    design = np.c_[TREATED, np.ones(N), centred, TREATED[:, None] * centred]
    beta, *_ = np.linalg.lstsq(design, Y, rcond=None)
    assert model.estimate == pytest.approx(beta[0], rel=1e-10)
    bread = np.linalg.inv(design.T @ design)
    influence = (design * (Y - design @ beta)[:, None]) @ bread[0]  # White's, row by row
    influence += centred @ beta[4:] / N  # the covariates are drawn, too
    assert model.standard_error == pytest.approx(np.sqrt(np.sum(influence**2)), rel=1e-9)


def test_att_is_observed_minus_predicted_for_the_treated() -> None:
    model = GComputation(estimand="ATT", folds=1).fit(TABLE, Y).effect_
    control = LinearRegression().fit(X[TREATED == 0], Y[TREATED == 0])
    gap = np.mean(Y[TREATED == 1] - control.predict(X[TREATED == 1]))
    assert model.estimate == pytest.approx(gap, rel=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("estimand", ["ATE", "ATT"])
def test_standard_error_of_logistic_outcomes_is_the_spread_over_draws(estimand: str) -> None:
    """Tolerance 3 / sqrt(2 R), of a ratio of standard deviations over R = 400 draws."""
    estimates, errors = [], []
    for draw in range(400):
        rng = np.random.default_rng(draw)
        x = rng.normal(size=(300, 2))
        treated = 1.0 * (rng.random(300) < 1 / (1 + np.exp(-x[:, 0])))
        event = rng.random(300) < 1 / (1 + np.exp(-treated - x[:, 0]))
        effect = GComputation(estimand=estimand, folds=1).fit(np.c_[treated, x], event.astype(float)).effect_
        estimates.append(effect.estimate)
        errors.append(effect.standard_error)
    assert np.mean(errors) / np.std(estimates) == pytest.approx(1, abs=3 / np.sqrt(800))


def test_other_learners_come_without_an_interval_and_say_so() -> None:
    with pytest.warns(SupposeWarning, match="learner Ridge has no valid interval; use Interactive"):
        model = GComputation(outcome_learner=Ridge(1e-8), folds=1).fit(TABLE, Y)
    linear = GComputation(folds=1).fit(TABLE, Y)
    assert model.effect_.estimate == pytest.approx(linear.effect_.estimate, rel=1e-8)
    assert np.isnan([model.effect_.standard_error, model.effect_.low, model.effect_.p_value]).all()
    assert np.isnan(model.psi_).all()
    assert "no interval" in str(model)


def test_overlap_population_is_refused() -> None:
    with pytest.raises(EstimationError, match="estimand: expected one of 'ATE', 'ATT', got 'ATO'"):
        GComputation(estimand="ATO").fit(TABLE, Y)
