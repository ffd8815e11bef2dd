"""Partially linear model: closed forms, kinds of treatment, learners."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

from suppose.core.errors import EstimationError
from suppose.effects import PartiallyLinear

RNG = np.random.default_rng(0)
N = 400
X = RNG.normal(size=(N, 3))
DOSE = X[:, 0] + RNG.normal(size=N)
Y = 1.5 * DOSE + X @ [1, 2, 3] + RNG.normal(size=N) * (1 + np.abs(DOSE))


def test_linear_without_splitting_is_least_squares() -> None:
    """Frisch, Waugh and Lovell; the standard error is White's HC0."""
    model = PartiallyLinear(folds=1).fit(np.c_[DOSE, X], Y)
    design = np.c_[DOSE, np.ones(N), X]
    beta, *_ = np.linalg.lstsq(design, Y, rcond=None)
    assert model.effect_.estimate == pytest.approx(beta[0], rel=1e-10)
    bread = np.linalg.inv(design.T @ design)
    white = bread @ (design.T * (Y - design @ beta) ** 2) @ design @ bread
    assert model.effect_.standard_error == pytest.approx(np.sqrt(white[0, 0]), rel=1e-10)


def test_clustered_linear_without_splitting_is_the_cluster_sandwich() -> None:
    groups = RNG.integers(0, 25, N)
    model = PartiallyLinear(cluster=1, folds=1).fit(np.c_[DOSE, groups, X], Y)
    design = np.c_[DOSE, np.ones(N), X]
    beta, *_ = np.linalg.lstsq(design, Y, rcond=None)
    bread = np.linalg.inv(design.T @ design)
    sums = np.stack([((Y - design @ beta)[:, None] * design)[groups == g].sum(axis=0) for g in range(25)])
    sandwich = bread @ sums.T @ sums @ bread
    assert model.effect_.standard_error == pytest.approx(np.sqrt(sandwich[0, 0]), rel=1e-10)
    assert model.effect_.degrees_of_freedom == 24


def test_iv_type_with_linear_learners_is_least_squares_too() -> None:
    plain = PartiallyLinear(folds=1).fit(np.c_[DOSE, X], Y).effect_
    other = PartiallyLinear(folds=1, score_type="iv-type").fit(np.c_[DOSE, X], Y).effect_
    assert other.estimate == pytest.approx(plain.estimate, rel=1e-9)


def test_without_covariates_it_is_the_slope() -> None:
    model = PartiallyLinear(covariates=[], folds=1).fit(DOSE[:, None], Y)
    assert model.effect_.estimate == pytest.approx(np.cov(DOSE, Y)[0, 1] / DOSE.var(ddof=1), rel=1e-12)
    assert model.effect_.method.startswith("partially linear, partialling-out score")


def test_scale_of_the_dose() -> None:
    one = PartiallyLinear().fit(np.c_[DOSE, X], Y).effect_
    ten = PartiallyLinear().fit(np.c_[10 * DOSE + 3, X], Y).effect_
    assert ten.estimate == pytest.approx(one.estimate / 10, rel=1e-9)
    assert ten.contrast == "per unit"


@pytest.mark.parametrize("learner", ["linear", "lasso", "forest", "boosting"])
def test_named_learners_find_the_effect(learner: str) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(800, 3))
    dose = np.cos(x[:, 0]) + rng.normal(size=800)
    y = 1.5 * dose + x[:, 1] + (np.sin(2 * x[:, 0]) if learner in ("forest", "boosting") else x[:, 0])
    model = PartiallyLinear(outcome_learner=learner).fit(np.c_[dose, x], y + rng.normal(size=800))
    assert abs(model.effect_.estimate - 1.5) < 4 * model.effect_.standard_error
    assert model.effect_.standard_error < 0.06


def test_binary_treatment_with_classifier_or_regressor() -> None:
    treated = (DOSE > 0).astype(float)
    y = Y + treated
    model = PartiallyLinear(treatment_learner=LogisticRegression()).fit(np.c_[treated, X], y)
    assert model.effect_.contrast == "1 vs 0"
    assert ((model.nuisances_["treatment"] > 0) & (model.nuisances_["treatment"] < 1)).all()
    linear = PartiallyLinear(treatment_learner=LinearRegression(), folds=1).fit(np.c_[treated, X], y)
    beta, *_ = np.linalg.lstsq(np.c_[treated, np.ones(N), X], y, rcond=None)
    assert linear.effect_.estimate == pytest.approx(beta[0], rel=1e-9)


def test_few_valued_dose_is_a_dose() -> None:
    rounds = np.clip(np.round(DOSE), -1, 2)
    model = PartiallyLinear(folds=1).fit(np.c_[rounds, X], Y)
    beta, *_ = np.linalg.lstsq(np.c_[rounds, np.ones(N), X], Y, rcond=None)
    assert model.effect_.estimate == pytest.approx(beta[0], rel=1e-9)


def test_learners_carry_over() -> None:
    assert "Ridge learners" in PartiallyLinear(outcome_learner=Ridge()).fit(np.c_[DOSE, X], Y).effect_.method
    event = (Y > 0).astype(float)
    model = PartiallyLinear(outcome_learner=LogisticRegression()).fit(np.c_[DOSE, X], event)
    assert model.effect_.method.endswith("LogisticRegression and linear learners, 5 folds")
    assert (model.nuisance_scores_["outcome"] > 0).all()  # log loss


def test_refusals() -> None:
    with pytest.raises(EstimationError, match="score_type: expected one of 'partialling-out', 'iv-type'"):
        PartiallyLinear(score_type="iv").fit(np.c_[DOSE, X], Y)
    with pytest.raises(
        EstimationError, match="LogisticRegression is a classifier, but the treatment has more"
    ):
        PartiallyLinear(treatment_learner=LogisticRegression()).fit(np.c_[DOSE, X], Y)
    event = (Y > 0).astype(float)
    with pytest.raises(EstimationError, match="iv-type score learns Y - D theta, which is a number"):
        PartiallyLinear(outcome_learner=LogisticRegression(), score_type="iv-type").fit(np.c_[DOSE, X], event)
