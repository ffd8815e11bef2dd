"""Learners for panels: choices made inside a learner keep the rows of a unit together.

======== ======================================================================================
linear   least squares
lasso    L1 penalty over splines, squares and products of two covariates
forest   random forest, 200 trees, leaves of 5 rows
boosting histogram gradient boosting, 150 trees of 15 leaves, step 0.08
stack    lasso, forest and boosting weighed by non-negative least squares on predictions for
         units they have not seen (Breiman, Stacked regressions, Machine Learning 24, 1996)
======== ======================================================================================

The penalty of ``lasso``, the weights of ``stack`` and, with ``tune``, a short grid for ``forest`` and
``boosting`` are chosen by cross-validation over three groups of whole units, inside each training part. For
that the first feature such a learner is given is the code of the unit; it predicts from the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import nnls
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.model_selection import ParameterGrid
from sklearn.utils.validation import check_is_fitted, validate_data

from suppose.core.errors import EstimationError, nearest
from suppose.core.random import generator
from suppose.effects.learners import check_learner

__all__ = ["PANEL_LEARNERS", "UnitLasso", "UnitStack", "UnitTuned", "check_panel_learner", "panel_learner"]

PANEL_LEARNERS = ("linear", "lasso", "forest", "boosting", "stack")
INNER_FOLDS = 3
MAX_PRODUCTS = 400
GRIDS: dict[str, dict[str, list[Any]]] = {
    "boosting": {"max_leaf_nodes": [7, 15, 31], "learning_rate": [0.04, 0.08]},
    "forest": {"min_samples_leaf": [2, 5, 20]},
}


def check_panel_learner(learner: Any, role: str) -> None:
    """Refuse what is neither a name of this module nor a scikit-learn regressor or classifier."""
    if not isinstance(learner, str):
        check_learner(learner, role)
    elif learner not in PANEL_LEARNERS:
        raise EstimationError(
            "unknown-learner", f"expected one of {', '.join(PANEL_LEARNERS)}, or a scikit-learn estimator, "
            f"got {learner!r}", where=role, remedy=nearest(learner, PANEL_LEARNERS) or "Use one of these.",
        )  # fmt: skip


def panel_learner(learner: Any, *, tune: bool = False, seed: int = 0) -> tuple[Any, bool]:
    """Learner of a name (estimators come back as they are), and whether it wants units first.

    Examples
    --------
    >>> panel_learner("boosting")[0].max_iter, panel_learner("stack")[1]
    (150, True)
    """
    if not isinstance(learner, str) or learner == "linear":
        return learner, False
    if learner == "lasso":
        return UnitLasso(seed=seed), True
    if learner == "stack":
        return UnitStack(seed=seed), True
    plain = _trees(learner)
    return (UnitTuned(plain, GRIDS[learner], seed=seed), True) if tune else (plain, False)


def _trees(name: str) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

    if name == "forest":
        return RandomForestRegressor(n_estimators=200, min_samples_leaf=5, max_features=1 / 3, n_jobs=1)
    return HistGradientBoostingRegressor(
        max_iter=150, learning_rate=0.08, max_leaf_nodes=15, early_stopping=False
    )


def inner_folds(units: Float[np.ndarray, " n"], seed: int) -> Int[np.ndarray, " n"]:
    """Fold of each row, whole units together; rows where there are fewer units than folds."""
    labels, codes = np.unique(units, return_inverse=True)
    if len(labels) < INNER_FOLDS:
        codes, labels = np.arange(len(units)), units
    order = generator(seed, "inner folds").permutation(len(labels))
    return np.asarray((order % INNER_FOLDS)[codes])


class _UnitFirst(RegressorMixin, BaseEstimator):
    """A regressor whose first column is the code of the unit."""

    seed: Any = 0

    def _split(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_features=2)
        return X[:, 0], X[:, 1:], np.asarray(y, dtype=np.float64)

    def _features(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, dtype=np.float64, reset=False))[:, 1:]

    def _seeded(self, learner: Any) -> Any:
        fresh = clone(learner)
        return fresh.set_params(random_state=self.seed) if "random_state" in fresh.get_params() else fresh


class UnitTuned(_UnitFirst):
    """The settings of a grid that predict units not seen best, then fitted on all rows.

    Parameters
    ----------
    learner : regressor
    grid : mapping of str to list
        Settings tried.
    seed : int
        Of the folds and of the learner.

    Attributes
    ----------
    best_ : dict
        Settings chosen.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> X = np.column_stack([np.repeat(np.arange(9), 2), np.arange(18.0)])
    >>> UnitTuned(Ridge(), {"alpha": [1e-3, 1e5]}).fit(X, X[:, 1]).best_
    {'alpha': 0.001}
    """

    def __init__(self, learner: Any, grid: Any, *, seed: Any = 0) -> None:
        self.learner = learner
        self.grid = grid
        self.seed = seed

    def fit(self, X: Any, y: Any) -> UnitTuned:
        """Choose and fit; the first column of ``X`` (n, 1 + p) is the unit."""
        units, features, target = self._split(X, y)
        folds = inner_folds(units, self.seed)
        choices = list(ParameterGrid(self.grid))
        losses = [self._loss(choice, features, target, folds) for choice in choices]
        self.best_ = choices[int(np.argmin(losses))]
        self.model_ = self._seeded(self.learner).set_params(**self.best_).fit(features, target)
        return self

    def _loss(self, choice: Any, features: np.ndarray, target: np.ndarray, folds: np.ndarray) -> float:
        loss = 0.0
        for fold in range(INNER_FOLDS):
            test = folds == fold
            model = self._seeded(self.learner).set_params(**choice).fit(features[~test], target[~test])
            loss += float(np.sum((target[test] - model.predict(features[test])) ** 2))
        return loss

    def predict(self, X: Any) -> Float[np.ndarray, " n"]:
        """Predictions for rows of the same columns."""
        return np.asarray(self.model_.predict(self._features(X)))


class UnitLasso(_UnitFirst):
    """Lasso over splines, squares and products, its penalty chosen on units not seen.

    Every covariate with more than two values gets a cubic spline of three inner knots at its quantiles and
    its square; products of two covariates are added while there are at most 400 of them.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.column_stack([np.repeat(np.arange(60), 5), rng.normal(size=300)])
    >>> y = np.sin(1.5 * X[:, 1])
    >>> bool(UnitLasso().fit(X, y).score(X, y) > 0.95)
    True
    """

    def __init__(self, *, seed: Any = 0) -> None:
        self.seed = seed

    def fit(self, X: Any, y: Any) -> UnitLasso:
        """Fit; the first column of ``X`` (n, 1 + p) is the unit."""
        from sklearn.linear_model import LassoCV

        units, features, target = self._split(X, y)
        folds = inner_folds(units, self.seed)
        splits = [
            (np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in range(INNER_FOLDS)
        ]
        self.center_, self.scale_ = features.mean(axis=0), features.std(axis=0)
        self.scale_[self.scale_ == 0] = 1.0
        standard = self._standard(features)
        self.curved_ = np.array([len(np.unique(column[:2000])) > 2 for column in standard.T], dtype=bool)
        self.knots_ = np.quantile(standard, [0.25, 0.5, 0.75], axis=0)
        basis = self._basis(standard)
        self.basis_center_, self.basis_scale_ = basis.mean(axis=0), basis.std(axis=0)
        self.basis_scale_[self.basis_scale_ < 1e-12] = np.inf
        basis -= self.basis_center_
        basis /= self.basis_scale_
        self.model_ = LassoCV(
            cv=splits, max_iter=3_000, tol=1e-3, alphas=30, precompute=True, random_state=self.seed
        )
        import warnings

        from sklearn.exceptions import ConvergenceWarning

        with warnings.catch_warnings():  # the smallest penalties of the path need not be solved exactly
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model_.fit(basis, target)
        return self

    def _standard(self, features: np.ndarray) -> np.ndarray:
        return np.asarray((features - self.center_) / self.scale_)

    def _basis(self, x: np.ndarray) -> np.ndarray:
        curved = x[:, self.curved_]
        blocks = [x, curved**2]
        blocks += [np.maximum(curved - knot, 0.0) ** 3 for knot in self.knots_[:, self.curved_]]
        first, second = np.triu_indices(x.shape[1], 1)
        if 0 < len(first) <= MAX_PRODUCTS:
            blocks.append(x[:, first] * x[:, second])
        return np.column_stack(blocks)

    def predict(self, X: Any) -> Float[np.ndarray, " n"]:
        """Predictions for rows of the same columns."""
        basis = self._basis(self._standard(self._features(X)))
        return np.asarray(self.model_.predict((basis - self.basis_center_) / self.basis_scale_))


class UnitStack(_UnitFirst):
    """Lasso, forest and boosting, weighed by how well they predict units they have not seen.

    Attributes
    ----------
    weights_ : (3,) array
        Weights of the learners, non-negative, adding up to one.

    Examples
    --------
    >>> X = np.column_stack([np.repeat(np.arange(20), 5), np.linspace(-1, 1, 100)])
    >>> UnitStack().fit(X, X[:, 1]).weights_.round(1)
    array([1., 0., 0.])
    """

    def __init__(self, *, seed: Any = 0) -> None:
        self.seed = seed

    def _members(self) -> list[Any]:
        trees = [UnitTuned(_trees(name), {}, seed=self.seed) for name in ("forest", "boosting")]
        return [UnitLasso(seed=self.seed), *trees]

    def fit(self, X: Any, y: Any) -> UnitStack:
        """Fit; the first column of ``X`` (n, 1 + p) is the unit."""
        units, features, target = self._split(X, y)
        whole = np.column_stack([units, features])
        folds = inner_folds(units, self.seed)
        predicted = np.empty((len(target), 3))
        for fold in range(INNER_FOLDS):
            test = folds == fold
            for column, member in enumerate(self._members()):
                predicted[test, column] = _fit_plain(member, whole[~test], target[~test]).predict(whole[test])
        weights = nnls(predicted - target.mean(), target - target.mean())[0]
        self.weights_ = weights / weights.sum() if weights.sum() > 0 else np.full(3, 1 / 3)
        used = self.weights_ > 1e-6
        self.members_ = [
            _fit_plain(member, whole, target) if keep else None
            for member, keep in zip(self._members(), used, strict=True)
        ]
        return self

    def predict(self, X: Any) -> Float[np.ndarray, " n"]:
        """Predictions for rows of the same columns."""
        self._features(X)
        parts = [
            weight * member.predict(X)
            for weight, member in zip(self.weights_, self.members_, strict=True)
            if member is not None
        ]
        return np.asarray(np.sum(parts, axis=0))


def _fit_plain(member: Any, whole: np.ndarray, target: np.ndarray) -> Any:
    """Fit a member; trees without a grid are fitted at once."""
    if isinstance(member, UnitTuned):
        member.best_ = {}
        _, features, values = member._split(whole, target)
        member.model_ = member._seeded(member.learner).fit(features, values)
        return member
    return member.fit(whole, target)
