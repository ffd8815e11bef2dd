"""What else one would do with augmented inputs or environments: nine linear competitors of IVL.

Environments are what invariance methods ask for; here, as in the paper's comparison (Akbar et al. 2025, arXiv
2510.25128, section 6), they are made of the augmentation: each of the first few parameters is cut at the
middle of its range, and rows with the same halves form an environment.

- ``irm``: Arjovsky et al. 2019 (Invariant Risk Minimization), penalty on the gradient of a scale;
- ``v-rex``, ``mm-rex``: Krueger et al. 2021 (Out-of-Distribution Generalization via Risk Extrapolation),
  variance of the risks, and the worst combination of risks with weights of at least ``strength``;
- ``group-dro``: Sagawa et al. 2020, the worst environment;
- ``icp``: Peters, Buhlmann and Meinshausen 2016, the intersection of the sets of inputs whose residuals look
  alike in every environment (at most 1,024 sets, level 0.1);
- ``rice``: Wang et al. 2022, predictions that agree on three augmentations of a row;
- ``cc-ridge``, ``cc-lasso``: Janzing 2019, shrinkage to the norm the confounder correction asks for;
- ``kania-wit``: Kania and Wit 2022 (Causal regularization), ``(a D + P) h = a z_D + z_P`` with differences ``D``
  and sums ``P`` of the moments of augmented and original rows.

Deviations: the paper trains IRM, REx, DRO and RICE with Adam for some epochs; a linear model's risks are
quadratic forms of environment moments, so each objective is minimised to convergence here (L-BFGS, or
SLSQP on the epigraph where there is a maximum). Environments come from at most three parameters, since all
halves of many parameters leave one row each. Not done: their nonlinear versions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float, Int
from scipy import stats
from scipy.optimize import brentq, minimize
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from suppose.core.errors import EstimationError
from suppose.core.random import check_seed, generator
from suppose.effects.augmentation.regressor import read_inputs
from suppose.effects.augmentation.risks import erm
from suppose.effects.augmentation.selection import confounding_share
from suppose.effects.augmentation.transformations import draw
from suppose.effects.base import check_choice, is_number

__all__ = [
    "BASELINES",
    "BaselineRegressor",
    "confounder_lasso",
    "confounder_ridge",
    "environments_of",
    "group_dro",
    "invariant_causal_prediction",
    "irm",
    "kania_wit",
    "minimax_rex",
    "rice",
    "v_rex",
]

BASELINES = ("irm", "v-rex", "mm-rex", "group-dro", "icp", "rice", "cc-ridge", "cc-lasso", "kania-wit")
MAX_SUBSETS, ICP_LEVEL, RICE_DRAWS = 1024, 0.1, 3
Fitted = TypeVar("Fitted", bound="BaselineRegressor")
Rows = Float[np.ndarray, "n d"]
Labels = Int[np.ndarray, " n"]


def environments_of(G: Float[np.ndarray, "n k"], parameters: int = 3) -> Labels:
    """Environment of each row: the combination of halves of the first few augmentation parameters.

    Examples
    --------
    >>> environments_of(np.array([[-1.0], [1.0], [-0.5]])).tolist()
    [0, 1, 0]
    """
    part = G[:, :parameters]
    halves = part > (part.min(axis=0) + part.max(axis=0)) / 2
    return np.asarray(np.unique(halves, axis=0, return_inverse=True)[1]).reshape(-1).astype(np.int64)


def _moments(X: np.ndarray, y: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gram matrices (e, d, d), cross moments (e, d) and mean squares (e,) of each environment."""
    parts = [(X[labels == e], y[labels == e]) for e in np.unique(labels)]
    gram = np.stack([a.T @ a / len(a) for a, _ in parts])
    cross = np.stack([a.T @ b / len(a) for a, b in parts])
    return gram, cross, np.array([float(b @ b) / len(b) for _, b in parts])


def _risks(
    h: np.ndarray, moments: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Risk of each environment (e,) and its gradient (e, d)."""
    gram, cross, total = moments
    inner = gram @ h
    return total - 2 * cross @ h + inner @ h, 2 * (inner - cross)


def _descend(
    objective: Callable[[np.ndarray], tuple[float, np.ndarray]], start: np.ndarray, gram: np.ndarray
) -> np.ndarray:
    """Minimiser found by L-BFGS in coordinates where ``gram`` is the identity."""
    values, vectors = np.linalg.eigh(gram)
    turn = vectors / np.sqrt(np.maximum(values, 1e-10 * max(float(values.max()), 1e-300)))

    def turned(z: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = objective(turn @ z)
        return value, turn.T @ slope

    options: Any = {"maxiter": 1000, "ftol": 1e-13, "gtol": 1e-9}
    first: Any = np.linalg.lstsq(turn, start, rcond=None)[0]
    minimiser: Any = minimize
    return np.asarray(turn @ minimiser(turned, first, jac=True, method="L-BFGS-B", options=options).x)


def irm(
    X: Rows, y: Float[np.ndarray, " n"], labels: Labels, strength: float = 1.0
) -> Float[np.ndarray, " d"]:
    """Invariant risk minimisation for a linear model: mean risk plus ``strength`` times the squared scale gradient.

    Examples
    --------
    >>> X = np.array([[1.0], [2.0], [1.0], [2.0]])
    >>> irm(X, X[:, 0] * 3, np.array([0, 0, 1, 1])).round(4)
    array([3.])
    """
    moments = _moments(X, y, labels)
    gram, cross, _ = moments

    def objective(h: np.ndarray) -> tuple[float, np.ndarray]:
        risks, slopes = _risks(h, moments)
        inner = gram @ h
        pull = 2 * (inner @ h - cross @ h)
        turn = 2 * pull[:, None] * (4 * inner - 2 * cross)
        return float((risks + strength * pull**2).mean()), (slopes + strength * turn).mean(axis=0)

    return _descend(objective, erm(X, y), X.T @ X / len(y))


def v_rex(
    X: Rows, y: Float[np.ndarray, " n"], labels: Labels, strength: float = 1.0
) -> Float[np.ndarray, " d"]:
    """Sum of the risks plus ``strength`` times their variance over environments."""
    moments = _moments(X, y, labels)
    count = len(moments[2])

    def objective(h: np.ndarray) -> tuple[float, np.ndarray]:
        risks, slopes = _risks(h, moments)
        apart = risks - risks.mean()
        spread = float(apart @ apart) / max(count - 1, 1)
        turn = 2 * apart @ slopes / max(count - 1, 1)
        return strength * spread + float(risks.sum()), strength * turn + slopes.sum(axis=0)

    return _descend(objective, erm(X, y), X.T @ X / len(y))


def minimax_rex(
    X: Rows, y: Float[np.ndarray, " n"], labels: Labels, strength: float = 0.0
) -> Float[np.ndarray, " d"]:
    """``(1 - m a) max R_e + a sum R_e`` over ``m`` environments; ``a = 0`` is group DRO, negative extrapolates.

    Raises
    ------
    EstimationError
        ``bad-strength`` when ``a`` exceeds ``1 / m``.
    """
    moments = _moments(X, y, labels)
    count = len(moments[2])
    if strength > 1.0 / count:
        raise EstimationError(
            "bad-strength", f"expected at most 1/{count} with {count} environments, got {strength!r}",
            where="strength", remedy="Write 0 for the worst environment, a negative number to extrapolate.",
        )  # fmt: skip
    start = erm(X, y)
    scale = max(float(moments[2].mean()), 1e-300)

    def objective(z: np.ndarray) -> tuple[float, np.ndarray]:
        risks, slopes = _risks(z[1:], moments)
        value = (1 - count * strength) * z[0] + strength * risks.sum() / scale
        return float(value), np.r_[1 - count * strength, strength * slopes.sum(axis=0) / scale]

    room = {
        "type": "ineq",
        "fun": lambda z: z[0] - _risks(z[1:], moments)[0] / scale,
        "jac": lambda z: np.c_[np.ones(count), -_risks(z[1:], moments)[1] / scale],
    }
    first = np.r_[_risks(start, moments)[0].max() / scale, start]
    options = {"maxiter": 500, "ftol": 1e-12}
    minimiser: Any = minimize
    found = minimiser(objective, first, jac=True, method="SLSQP", constraints=[room], options=options)
    return np.asarray(found.x[1:])


def group_dro(X: Rows, y: Float[np.ndarray, " n"], labels: Labels) -> Float[np.ndarray, " d"]:
    """Least risk in the worst environment.

    Examples
    --------
    >>> X, y = np.ones((4, 1)), np.array([0.0, 0.0, 0.0, 2.0])
    >>> group_dro(X, y, np.array([0, 0, 0, 1])).round(3)
    array([1.])
    """
    return minimax_rex(X, y, labels, 0.0)


def invariant_causal_prediction(
    X: Rows, y: Float[np.ndarray, " n"], labels: Labels, rng: np.random.Generator, level: float = ICP_LEVEL
) -> Float[np.ndarray, " d"]:
    """Least squares on the inputs every accepted set shares; zeros where no set is accepted or they share none."""
    d = X.shape[1]
    if 2**d <= MAX_SUBSETS:
        sets = [np.flatnonzero(mask) for mask in np.indices((2,) * d).reshape(d, -1).T[1:]]
    else:
        sizes = rng.integers(1, d + 1, MAX_SUBSETS)
        sets = [np.sort(rng.permutation(d)[:size]) for size in sizes]
    both = np.c_[X, y]
    gram, combined = X.T @ X, X.T @ y
    weights = np.zeros((len(sets), d + 1))
    weights[:, d] = 1.0
    for row, columns in enumerate(sets):
        weights[row, columns] = -np.linalg.lstsq(
            gram[np.ix_(columns, columns)], combined[columns], rcond=None
        )[0]
    accepted = np.flatnonzero(_same_everywhere(both, labels, weights) > level)
    coefficients = np.zeros(d)
    if len(accepted):
        member = np.zeros((len(accepted), d), dtype=bool)
        for row, index in enumerate(accepted):
            member[row, sets[int(index)]] = True
        kept = np.flatnonzero(member.all(axis=0))
        if len(kept):
            coefficients[kept] = erm(X[:, kept], y)
    return coefficients


def _same_everywhere(both: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Bonferroni p values (sets,) that residuals ``both @ weights`` have one mean and variance everywhere.

    Means and variances follow from the first two moments of each environment, so rows are read once.
    """
    values, counts = np.unique(labels, return_counts=True)
    whole = (len(labels), both.sum(axis=0), both.T @ both)
    least = np.ones(len(weights))
    for value, count in zip(values, map(int, counts), strict=True):
        if count < 2 or len(labels) - count < 2:
            continue
        part = both[labels == value]
        sums, squares = part.sum(axis=0), part.T @ part
        one = _mean_and_variance(weights, count, sums, squares)
        rest = _mean_and_variance(weights, whole[0] - count, whole[1] - sums, whole[2] - squares)
        errors = one[1] / count, rest[1] / (whole[0] - count)
        spread = np.maximum(errors[0] + errors[1], 1e-300)
        freedom = spread**2 / np.maximum(
            errors[0] ** 2 / (count - 1) + errors[1] ** 2 / (whole[0] - count - 1), 1e-300
        )
        means = 2 * stats.t.sf(np.abs(one[0] - rest[0]) / np.sqrt(spread), freedom)
        tail = stats.f.sf(one[1] / np.maximum(rest[1], 1e-300), count - 1, whole[0] - count - 1)
        least = np.minimum(least, 2 * np.minimum(means, 2 * np.minimum(tail, 1 - tail)))
    return np.asarray(np.minimum(1.0, least * len(values)))


def _mean_and_variance(
    weights: np.ndarray, count: int, sums: np.ndarray, squares: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    mean = weights @ sums / count
    second = np.einsum("sj,jk,sk->s", weights, squares, weights)
    return mean, np.maximum((second - count * mean**2) / (count - 1), 0.0)


def rice(
    X: Rows, y: Float[np.ndarray, " n"], draws: Float[np.ndarray, "k n d"], strength: float = 1.0
) -> Float[np.ndarray, " d"]:
    """Mean squared error plus ``strength`` times the mean, over rows, of the largest squared change of prediction."""
    gaps = X[None] - draws
    n = len(y)

    def objective(h: np.ndarray) -> tuple[float, np.ndarray]:
        residuals, moved = X @ h - y, gaps @ h
        worst = np.argmax(moved**2, axis=0)
        rows = np.arange(n)
        most, where = moved[worst, rows], gaps[worst, rows]
        value = float(residuals @ residuals + strength * most @ most) / n
        return value, 2 * (residuals @ X + strength * most @ where) / n

    return _descend(objective, erm(X, y), X.T @ X / len(y))


def _causal_norm(X: np.ndarray, h: np.ndarray) -> float:
    share = confounding_share(np.atleast_2d(np.cov(X, rowvar=False)), h)
    return float(np.sqrt(1.0 - share) * np.linalg.norm(h))


def confounder_ridge(X: Rows, y: Float[np.ndarray, " n"]) -> Float[np.ndarray, " d"]:
    """Ridge regression shrunk to the norm of the confounder correction."""
    plain = erm(X, y)
    target = _causal_norm(X, plain)
    values, vectors = np.linalg.eigh(X.T @ X / len(y))
    cross = vectors.T @ (X.T @ y / len(y))
    top = max(float(values.max()), 1e-300)

    def solution(log_penalty: float) -> np.ndarray:
        return np.asarray(cross / (np.maximum(values, 0.0) + top * np.exp(log_penalty)))

    def gap(log_penalty: float) -> float:
        return float(np.linalg.norm(solution(log_penalty))) - target

    if gap(-25.0) <= 0:
        return plain
    return np.asarray(vectors @ solution(float(brentq(gap, -25.0, 25.0)) if gap(25.0) < 0 else 25.0))


def confounder_lasso(X: Rows, y: Float[np.ndarray, " n"]) -> Float[np.ndarray, " d"]:
    """Lasso whose coefficients have the norm of the confounder correction, on a path of 200 penalties."""
    from sklearn.linear_model import lasso_path

    target = _causal_norm(X, erm(X, y))
    top = float(np.abs(X.T @ y).max()) / len(y)
    if top == 0:
        return np.zeros(X.shape[1])
    _, path, _ = lasso_path(X, y, alphas=np.geomspace(top, 1e-4 * top, 200), max_iter=20_000)
    return np.asarray(path[:, int(np.argmin(np.abs(np.linalg.norm(path, axis=0) - target)))])


def kania_wit(
    X: Rows, y: Float[np.ndarray, " n"], GX: Rows, strength: float = 1.0
) -> Float[np.ndarray, " d"]:
    """Causal regularisation: differences of moments, weighted by ``strength``, beside their sums."""
    n = len(y)
    before, after = X.T @ X / n, GX.T @ GX / n
    low, high = X.T @ y / n, GX.T @ y / n
    matrix = strength * (after - before) + after + before
    return np.asarray(np.linalg.lstsq(matrix, strength * (high - low) + high + low, rcond=None)[0])


class BaselineRegressor(RegressorMixin, BaseEstimator):
    """One of the competitors as a scikit-learn regressor, on augmented rows.

    Parameters
    ----------
    method : str
        One of :data:`BASELINES`.
    augment : callable, optional
        ``augment(X, rng) -> (GX, G)``; needed to fit.
    strength : float
        Weight of the method's penalty.
    parameters : int
        Augmentation parameters that make environments.
    seed : int
        Of the augmentation.

    Attributes
    ----------
    coef_, intercept_ : (d,) array and float

    Examples
    --------
    >>> from suppose.effects.augmentation import NullTranslation
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 2))
    >>> model = BaselineRegressor("kania-wit", NullTranslation([[1.0, 1.0]])).fit(X, X[:, 0] - X[:, 1])
    >>> model.coef_.round(2)
    array([ 1., -1.])
    """

    def __init__(
        self, method: Any = "kania-wit", augment: Any = None, *, strength: Any = 1.0, parameters: Any = 3,
        seed: Any = 0,
    ) -> None:  # fmt: skip
        self.method = method
        self.augment = augment
        self.strength = strength
        self.parameters = parameters
        self.seed = seed

    def fit(self: Fitted, X: Any, y: Any) -> Fitted:
        """Fit to inputs (n, d) and outcome (n,); the augmentation is drawn under the seed.

        Raises
        ------
        DataError, EstimationError
            As :class:`~suppose.effects.augmentation.regressor.IVLRegressor`; ``bad-strength``.
        """
        check_seed(self.seed)
        check_choice(self.method, BASELINES, "method")
        if not is_number(self.strength):
            raise EstimationError(
                "bad-strength", f"expected a number, got {self.strength!r}", where="strength",
                remedy="Write for example strength=1.0.",
            )  # fmt: skip
        inputs, outcome = read_inputs(self, X, y)
        GX, G = draw(self.augment, inputs, generator(self.seed, "augmentation"))
        means, middle = inputs.mean(axis=0), float(outcome.mean())
        self.coef_ = self._solve(inputs - means, outcome - middle, GX - GX.mean(axis=0), G)
        self.intercept_ = middle - float(means @ self.coef_)
        return self

    def _solve(self, X: np.ndarray, y: np.ndarray, GX: np.ndarray, G: np.ndarray) -> np.ndarray:
        method, strength = self.method, float(self.strength)
        if method == "cc-ridge":
            return confounder_ridge(X, y)
        if method == "cc-lasso":
            return confounder_lasso(X, y)
        if method == "kania-wit":
            return kania_wit(X, y, GX, strength)
        if method == "rice":
            streams = [generator(self.seed, "rice", index) for index in range(RICE_DRAWS)]
            drawn = np.stack([draw(self.augment, X, rng)[0] for rng in streams])
            return rice(X, y, drawn - drawn.mean(axis=1, keepdims=True), strength)
        labels = environments_of(G, int(self.parameters))
        if method == "icp":
            return invariant_causal_prediction(GX, y, labels, generator(self.seed, "icp"))
        if method == "group-dro":
            return group_dro(GX, y, labels)
        solve = {"irm": irm, "v-rex": v_rex, "mm-rex": minimax_rex}[method]
        if method == "mm-rex":
            strength = min(strength, 0.0)
        return solve(GX, y, labels, strength)

    def predict(self, X: Any) -> Float[np.ndarray, " n"]:
        """Outcome predicted for each row, in the unit of the outcome."""
        check_is_fitted(self, "coef_")
        return np.asarray(read_inputs(self, X)[0] @ self.coef_ + self.intercept_)
