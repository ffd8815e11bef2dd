"""Learners by name, or any scikit-learn estimator: what predicts outcome and treatment from covariates.

======== =================================== ==============================================
name     for numbers                         for classes
======== =================================== ==============================================
linear   least squares                       logistic regression, penalty negligible (C = 1e4)
lasso    L1 penalty chosen by 5-fold CV      L1 logistic regression chosen by 5-fold CV
forest   random forest, 200 trees            random forest, 200 trees
boosting histogram gradient boosting         histogram gradient boosting, both stopped early
======== =================================== ==============================================

``linear`` and ``lasso`` standardise the covariates inside. Learners given as objects are cloned, never
fitted themselves; where their ``random_state`` is None it is set from the seed.
"""

from __future__ import annotations

import inspect
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.dummy import DummyClassifier, DummyRegressor

from suppose.core.errors import EstimationError, nearest

__all__ = ["LEARNERS", "classifies", "learner_name", "make_learner"]

LEARNERS = ("linear", "lasso", "forest", "boosting")
Target = Literal["numbers", "classes"]


def make_learner(learner: Any, target: Target, *, seed: int = 0, role: str = "learner") -> Any:
    """Unfitted learner for a target, its randomness fixed.

    Parameters
    ----------
    learner : str or scikit-learn estimator
        One of ``linear``, ``lasso``, ``forest``, ``boosting``, or an estimator, which is cloned.
    target : {"numbers", "classes"}
        What a named learner has to predict. An estimator stays what it is.
    seed : int
        Goes into every ``random_state`` that is None.
    role : str
        Argument the learner came in, for messages.

    Raises
    ------
    EstimationError
        For an unknown name, or an object that is no scikit-learn regressor or classifier.

    Examples
    --------
    >>> make_learner("forest", "classes", seed=1).random_state
    1
    """
    if isinstance(learner, str):
        return _named(learner, target, seed, role)
    check_learner(learner, role)
    fresh = clone(learner)
    seeds = {
        name: seed
        for name, value in fresh.get_params(deep=True).items()
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    }
    return fresh.set_params(**seeds)


def check_learner(learner: Any, role: str) -> None:
    """Refuse what is neither a known name nor a scikit-learn regressor or classifier."""
    known = ", ".join(LEARNERS)
    if isinstance(learner, str):
        if learner not in LEARNERS:
            raise EstimationError(
                "unknown-learner", f"expected one of {known}, or a scikit-learn estimator, got {learner!r}",
                where=role, remedy=nearest(learner, LEARNERS) or "Use one of these.",
            )  # fmt: skip
        return
    if isinstance(learner, type) or not hasattr(learner, "fit") or not hasattr(learner, "get_params"):
        got = f"the class {learner.__name__}" if isinstance(learner, type) else repr(learner)
        raise EstimationError(
            "unknown-learner", f"expected one of {known}, or a scikit-learn estimator, got {got}", where=role,
            remedy="Give an instance, for example Ridge().",
        )  # fmt: skip
    if not (is_classifier(learner) or is_regressor(learner)):
        raise EstimationError(
            "unknown-learner", f"expected a regressor or a classifier, got {learner!r}", where=role,
            remedy="Give an estimator that predicts numbers or the probability of classes.",
        )  # fmt: skip


def classifies(learner: Any, discrete: bool) -> bool:
    """Whether a learner will predict probabilities: a classifier, or a name with a discrete target."""
    return discrete if isinstance(learner, str) else bool(is_classifier(learner))


def learner_name(learner: Any) -> str:
    """Name of a learner for messages and results."""
    return learner if isinstance(learner, str) else type(learner).__name__


def constant_learner(target: Target) -> BaseEstimator:
    """Learner for a table without covariates: the mean, or the share of each class."""
    return DummyRegressor() if target == "numbers" else DummyClassifier(strategy="prior")


def _named(name: str, target: Target, seed: int, role: str) -> Any:
    check_learner(name, role)
    maker = {"linear": _linear, "lasso": _lasso, "forest": _forest, "boosting": _boosting}[name]
    return maker(target == "classes", seed)


def _linear(classes: bool, seed: int) -> Any:
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # C = 1e4 leaves the estimate alone but keeps it finite when the classes are separable or columns
    # collinear.
    logistic = LogisticRegression(C=1e4, solver="newton-cholesky", tol=1e-8, max_iter=1000)
    return make_pipeline(StandardScaler(), logistic if classes else LinearRegression())


def _lasso(classes: bool, seed: int) -> Any:
    from sklearn.linear_model import LassoCV, LogisticRegressionCV
    from sklearn.model_selection import KFold, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if not classes:
        split = KFold(5, shuffle=True, random_state=seed)
        return make_pipeline(StandardScaler(), LassoCV(cv=split, max_iter=10_000))
    known = inspect.signature(LogisticRegressionCV).parameters
    if "use_legacy_attributes" in known:  # scikit-learn 1.8 renamed the ways to ask for an L1 penalty
        penalty: dict[str, Any] = {"l1_ratios": (1.0,), "use_legacy_attributes": False}
    else:
        penalty = {"penalty": "l1"}
    model = LogisticRegressionCV(
        Cs=10, cv=StratifiedKFold(5, shuffle=True, random_state=seed), solver="saga", tol=1e-3,
        max_iter=5000, scoring="neg_log_loss", random_state=seed, **penalty,
    )  # fmt: skip
    return make_pipeline(StandardScaler(), model)


def _forest(classes: bool, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    shared = {"n_estimators": 200, "min_samples_leaf": 5, "random_state": seed, "n_jobs": 1}
    if classes:
        return RandomForestClassifier(max_features="sqrt", **shared)
    return RandomForestRegressor(max_features=1 / 3, **shared)


def _boosting(classes: bool, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return kind(
        max_iter=300, learning_rate=0.1, max_leaf_nodes=15, early_stopping=True, validation_fraction=0.2,
        n_iter_no_change=10, random_state=seed,
    )  # fmt: skip


def fit_size(learner: Any, rows: int, columns: int) -> str | None:
    """Why ``rows`` are too few for a named learner with ``columns`` covariates, or None."""
    if learner == "linear" and columns > 0 and rows <= columns + 1:
        return f"least squares with {columns} covariates needs more than {columns + 1} rows, got {rows}"
    if learner == "lasso" and rows < 10:
        return f"choosing the penalty by 5-fold cross-validation needs 10 rows, got {rows}"
    if learner == "boosting" and rows < 10:
        return f"boosting needs 10 rows, got {rows}"
    return None


def finite_or_refuse(predictions: np.ndarray, learner: Any, role: str) -> None:
    """Refuse predictions that are not finite numbers."""
    if not np.isfinite(predictions).all():
        raise EstimationError(
            "learner-not-finite", f"{learner_name(learner)} predicted "
            f"{int((~np.isfinite(predictions)).sum()):,} values that are missing or infinite", where=role,
            remedy="Use another learner, or check the scale of the covariates.",
        )  # fmt: skip
