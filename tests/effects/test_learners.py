"""Learners by name and as objects: what they are, their seeds, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.base import is_classifier, is_regressor
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from suppose.core.errors import EstimationError
from suppose.effects.learners import LEARNERS, classifies, learner_name, make_learner

pytestmark = pytest.mark.usefixtures("one_thread")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4)) * [1, 100, 0.01, 1] + [0, 50, 0, 3]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Threads of a library that wait for a core spin; other tests may hold it."""
    with threadpool_limits(limits=1):
        yield


@pytest.mark.parametrize("name", LEARNERS)
def test_names_learn_numbers_and_classes(name: str) -> None:
    y = X[:, 0] + X[:, 1] / 100
    fitted = make_learner(name, "numbers", seed=1).fit(X, y)
    assert is_regressor(fitted)
    assert fitted.score(X, y) > 0.8
    for classes in (2, 3):
        codes = np.digitize(y + 0.5 * RNG.normal(size=300), np.quantile(y, np.arange(1, classes) / classes))
        fitted = make_learner(name, "classes", seed=1).fit(X, codes)
        assert is_classifier(fitted)
        assert fitted.predict_proba(X).shape == (300, classes)
        assert np.mean(fitted.predict(X) == codes) > 0.6


def test_linear_is_least_squares_and_logistic_regression() -> None:
    y = X @ [1, 0.1, 3, 2] + RNG.normal(size=300)
    ours = make_learner("linear", "numbers").fit(X, y).predict(X)
    assert ours == pytest.approx(LinearRegression().fit(X, y).predict(X), rel=1e-9)
    codes = (y > np.median(y)).astype(int)
    ours = make_learner("linear", "classes").fit(X, codes).predict_proba(X)[:, 1]
    # Likelihood equations of the unpenalised logistic regression: residuals orthogonal to the columns.
    scaled = StandardScaler().fit_transform(X)
    assert np.abs(scaled.T @ (codes - ours)).max() < 0.01


def test_linear_survives_collinear_constant_and_separating_columns() -> None:
    wide = np.c_[X, X[:, 0], X[:, 1] + X[:, 2], np.ones(300)]
    y = X[:, 0] + RNG.normal(size=300)
    ours = make_learner("linear", "numbers").fit(wide, y).predict(wide)
    assert ours == pytest.approx(make_learner("linear", "numbers").fit(X, y).predict(X), rel=1e-7, abs=1e-7)
    probabilities = make_learner("linear", "classes").fit(wide, (X[:, 0] > 0).astype(int)).predict_proba(wide)
    assert np.isfinite(probabilities).all()


@pytest.mark.parametrize("name", ["lasso", "forest", "boosting"])
def test_seed_fixes_a_named_learner(name: str) -> None:
    y = X[:, 0] + RNG.normal(size=300)
    fits = [make_learner(name, "numbers", seed=seed).fit(X, y).predict(X) for seed in (1, 1)]
    assert (fits[0] == fits[1]).all()


def test_objects_are_cloned_and_seeded_where_they_left_it_open() -> None:
    forest = RandomForestRegressor(5)
    fresh = make_learner(forest, "numbers", seed=9)
    assert fresh is not forest
    assert forest.random_state is None
    assert fresh.random_state == 9
    assert make_learner(RandomForestRegressor(5, random_state=3), "numbers", seed=9).random_state == 3
    nested = GridSearchCV(make_pipeline(StandardScaler(), RandomForestRegressor()), {})
    assert make_learner(nested, "numbers", seed=9).estimator[-1].random_state == 9


def test_what_predicts_probabilities() -> None:
    assert classifies("forest", discrete=True)
    assert not classifies("forest", discrete=False)
    assert classifies(LogisticRegression(), discrete=False)
    assert not classifies(Ridge(), discrete=True)
    assert learner_name(Ridge()) == "Ridge"


@pytest.mark.parametrize(
    ("learner", "words"),
    [
        (
            "boostin",
            "ml: expected one of linear, lasso, forest, boosting.*got 'boostin'. Did you mean 'boosting'",
        ),
        ("svm", "got 'svm'"),
        (Ridge, "got the class Ridge. Give an instance"),
        (None, "got None"),
        (3, "got 3"),
        (KMeans(), "expected a regressor or a classifier"),
        (StandardScaler(), "expected a regressor or a classifier"),
    ],
)
def test_bad_learners_are_refused(learner: Any, words: str) -> None:
    with pytest.raises(EstimationError, match=words):
        make_learner(learner, "numbers", role="ml")
