"""Cross-fitting: equal to scikit-learn's, independent of jobs, failures in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from suppose.core.errors import EstimationError
from suppose.effects import crossfit
from suppose.effects.crossfit import Nuisance, cross_fit, outcome_nuisance

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
Y = X[:, 0] + RNG.normal(size=120)
CODES = RNG.integers(0, 3, 120)
SPLIT = list(KFold(4, shuffle=True, random_state=0).split(X))
FOLDS = np.empty((120, 1), dtype=np.int64)
for number, (_, test) in enumerate(SPLIT):
    FOLDS[test, 0] = number


def test_numbers_equal_cross_val_predict() -> None:
    fit = cross_fit([Nuisance("y", Ridge(2.0), Y, "learner")], X, FOLDS)
    assert fit.predictions["y"][:, 0] == pytest.approx(
        cross_val_predict(Ridge(2.0), X, Y, cv=SPLIT), rel=1e-12
    )
    error = np.mean((Y - fit.predictions["y"][:, 0]) ** 2)
    assert fit.scores["y"][0] == pytest.approx(1 - error / Y.var())


def test_probabilities_equal_cross_val_predict() -> None:
    tree = DecisionTreeClassifier(min_samples_leaf=20, max_depth=2, random_state=0)
    fit = cross_fit([Nuisance("d", tree, CODES, "learner", classes=3)], X, FOLDS)
    expected = cross_val_predict(tree, X, CODES, cv=SPLIT, method="predict_proba")
    assert fit.predictions["d"][:, 0] == pytest.approx(expected, rel=1e-12)
    assert fit.scores["d"][0] == pytest.approx(
        -np.mean(np.log(np.clip(expected, 1e-15, 1)[np.arange(120), CODES]))
    )


def test_two_classes_with_values_are_predicted_as_their_mean() -> None:
    event = (CODES > 0).astype(np.int64)
    plain = cross_fit([Nuisance("d", LogisticRegression(), event, "learner", 2)], X, FOLDS)
    valued = cross_fit([Nuisance("d", LogisticRegression(), event, "learner", 2, (5.0, 7.0))], X, FOLDS)
    assert valued.predictions["d"] == pytest.approx(5 + 2 * plain.predictions["d"][..., 1])
    assert valued.scores["d"] == pytest.approx(plain.scores["d"])


def test_only_the_named_rows_are_learned_from() -> None:
    rows = X[:, 1] > 0
    spoiled = np.where(rows, Y, 1e6)
    clean = cross_fit([Nuisance("y", "linear", Y, "learner", rows=rows)], X, FOLDS)
    fit = cross_fit([Nuisance("y", "linear", spoiled, "learner", rows=rows)], X, FOLDS)
    assert (fit.predictions["y"] == clean.predictions["y"]).all()


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_jobs_do_not_change_a_bit(backend: str) -> None:
    tasks = [
        Nuisance("y", RandomForestRegressor(10), Y, "learner"),
        Nuisance("d", "boosting", CODES, "learner", classes=3),
        Nuisance("l", "lasso", Y, "learner"),
    ]
    one, two = (cross_fit(tasks, X, FOLDS, seed=3, jobs=jobs, backend=backend) for jobs in (1, 2))
    for name in ("y", "d", "l"):
        assert (one.predictions[name] == two.predictions[name]).all()


def test_chunks_do_not_change_predictions(monkeypatch: pytest.MonkeyPatch) -> None:
    task = [Nuisance("y", "forest", Y, "learner")]
    whole = cross_fit(task, X, FOLDS).predictions["y"]
    monkeypatch.setattr(crossfit, "CHUNK", 7)
    assert (cross_fit(task, X, FOLDS).predictions["y"] == whole).all()


def test_without_covariates_the_mean_is_predicted() -> None:
    none = np.empty((120, 0))
    fit = cross_fit([Nuisance("y", "forest", Y, "learner")], none, np.zeros((120, 1), dtype=int))
    assert fit.predictions["y"] == pytest.approx(np.full((120, 1), Y.mean()))


def test_one_class_in_training_is_predicted_with_certainty() -> None:
    event = np.zeros(120, dtype=np.int64)
    fit = cross_fit([Nuisance("y", "linear", event, "learner", 2, (0.0, 1.0))], X, FOLDS)
    assert (fit.predictions["y"] == 0).all()


def test_zero_one_outcomes_are_predicted_as_probabilities_by_names() -> None:
    event = (Y > 0).astype(float)
    assert outcome_nuisance("y", "linear", event).classes == 2
    assert outcome_nuisance("y", Ridge(), event).classes is None
    assert outcome_nuisance("y", "linear", 2 * event).classes is None
    with pytest.raises(
        EstimationError, match="LogisticRegression is a classifier, but the outcome is not coded"
    ):
        outcome_nuisance("y", LogisticRegression(), Y)


class Stubborn(Ridge):
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        raise RuntimeError("no thanks")


class Undefined(Ridge):
    def predict(self, X: Any) -> Any:
        return np.full(len(X), np.nan)


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (
            Nuisance("y", Stubborn(), Y, "ml"),
            "ml: Stubborn could not be fitted on 90 rows and 3 cov.*no thanks",
        ),
        (Nuisance("y", Undefined(), Y, "ml"), "ml: Undefined predicted 30 values that are missing"),
        (Nuisance("d", LinearSVC(), CODES, "ml", classes=3), "LinearSVC does not predict probabilities"),
    ],
)
def test_failing_learners_are_refused_in_words(task: Nuisance, words: str) -> None:
    with pytest.raises(EstimationError, match=words):
        cross_fit([task], X, FOLDS)


@pytest.mark.parametrize(
    ("learner", "rows", "words"),
    [
        ("linear", 5, "least squares with 8 covariates needs more than 9 rows, got 4"),
        ("lasso", 5, "choosing the penalty by 5-fold cross-validation needs 10 rows, got 4"),
        ("boosting", 5, "boosting needs 10 rows"),
    ],
)
def test_too_few_rows_for_a_named_learner(learner: str, rows: int, words: str) -> None:
    wide = RNG.normal(size=(rows, 8))
    with pytest.raises(EstimationError, match=words):
        cross_fit([Nuisance("y", learner, wide[:, 0], "ml")], wide, np.arange(rows)[:, None])
