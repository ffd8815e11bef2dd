"""Tests for numbers and categories side by side, and for curved dependence.

:class:`MixedLRT` compares nested regressions of one variable on the set with and without the other: linear for numbers,
logistic or multinomial for categories, in both directions, joined as ``min(2 min(p1, p2), max(p1, p2))`` (Tsagris,
Borboudakis, Lagani and Tsamardinos 2018, section 3.2). Deviation: for linear regressions the likelihood ratio is
referred to its exact law under normal noise (the F law of nested models). :class:`GCM` is the generalised covariance
measure ``sqrt(n) mean(r_i r_j) / sd(r_i r_j)`` of residuals of spline or boosted regressions (Shah and Peters
2020, section 3); with categories the largest of several is referred to its law by multipliers (their section 3.2).

What it does not do: MixedLRT sees dependence that is linear on the scale of its regressions; GCM sees
no dependence whose residuals are uncorrelated. Orders of categories are not used.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import special, stats

from suppose.core.errors import DataError
from suppose.core.random import generator
from suppose.discovery.choice import is_category
from suppose.discovery.material import code_columns, numeric_columns, series_of
from suppose.discovery.protocol import BaseTest, OutcomeBatch

__all__ = ["GCM", "MixedLRT", "multinomial_log_likelihood"]

STEPS, ENOUGH = 50, 1e-9
RIDGE = 1e-6
DRAWS = 2000


class _MixedTest(BaseTest):
    """Columns as design blocks: a number standardised, a category as indicators of all levels but one."""

    costly = True

    def __init__(self, X: Any, names: Any = None, *, categories: Any = "auto") -> None:
        columns, found = series_of(X, names)
        columns = [_as_numbers(column) for column in columns]
        kinds = [
            is_category(c) if categories == "auto" else n in set(categories)
            for c, n in zip(columns, found, strict=True)
        ]
        super().__init__(found)
        self.kinds = tuple("category" if kind else "number" for kind in kinds)
        self.n = len(columns[0])
        self._blocks: list[np.ndarray] = []
        self._codes: list[np.ndarray | None] = []
        for column, name, kind in zip(columns, found, kinds, strict=True):
            if kind:
                codes, levels, _ = code_columns(column[:, None], [name])
                self._codes.append(codes[0])
                self._blocks.append((codes[0][:, None] == np.arange(1, len(levels[0]))).astype(float))
            else:
                values = numeric_columns(column[:, None], [name])[0]
                self._codes.append(None)
                self._blocks.append((values - values.mean()) / values.std())

    def _design(self, given: tuple[int, ...]) -> np.ndarray:
        return np.hstack([np.ones((self.n, 1)), *(self._blocks[v] for v in given)])

    def batch(
        self, i: Int[np.ndarray, " m"], j: Int[np.ndarray, " m"], given: Int[np.ndarray, "m k"]
    ) -> OutcomeBatch:
        """p-values, statistics, rows."""
        self._count(len(i))
        answers = [
            self._question(int(a), int(b), tuple(sorted(int(v) for v in s)))
            for a, b, s in zip(i, j, given, strict=True)
        ]
        p, stat = np.array([a[0] for a in answers]), np.array([a[1] for a in answers])
        return OutcomeBatch(p, stat, np.full(len(i), self.n))

    def _question(self, i: int, j: int, given: tuple[int, ...]) -> tuple[float, float]:
        raise NotImplementedError


class MixedLRT(_MixedTest):
    """Nested regressions in both directions, for numbers and categories.

    Parameters
    ----------
    X : (n, p) table or array
    names : sequence of str, optional
    categories : "auto" or sequence of str
        Columns that hold categories; by ``auto`` text, truth values and few whole numbers.

    Raises
    ------
    DataError
        ``missing-value``, ``constant-column``, ``not-a-number``, ``too-many-levels``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=500)
    >>> X = np.column_stack([z + rng.normal(size=500), z + rng.normal(size=500) > 0, z])
    >>> test = MixedLRT(X, ["x", "y", "z"], categories=["y"])
    >>> test.one("x", "y").p_value < 1e-6, test.one("x", "y", ("z",)).p_value > 0.01
    (True, True)
    """

    def _question(self, i: int, j: int, given: tuple[int, ...]) -> tuple[float, float]:
        design = self._design(given)
        first = self._nested(i, j, design)
        if self._codes[i] is None and self._codes[j] is None:
            return first
        second = self._nested(j, i, design)
        low, high = min(first[0], second[0]), max(first[0], second[0])
        return min(2 * low, high), max(first[1], second[1])

    def _nested(self, target: int, other: int, design: np.ndarray) -> tuple[float, float]:
        """p-value and likelihood ratio of ``other`` in the regression of ``target``."""
        wide = np.hstack([design, self._blocks[other]])
        extra = int(np.linalg.matrix_rank(wide) - np.linalg.matrix_rank(design))
        codes = self._codes[target]
        if extra == 0:
            return 1.0, 0.0
        if codes is None:
            y = self._blocks[target][:, 0]
            narrow, full = _residual_square(design, y), _residual_square(wide, y)
            left = self.n - np.linalg.matrix_rank(wide)
            if left <= 0 or full <= 0:
                return (np.nan, 0.0) if left <= 0 else (0.0, np.inf)
            ratio = (narrow - full) / extra / (full / left)
            return float(stats.f.sf(ratio, extra, left)), float(self.n * np.log(narrow / full))
        levels = int(codes.max()) + 1
        gain = multinomial_log_likelihood(wide, codes) - multinomial_log_likelihood(design, codes)
        statistic = max(2 * gain, 0.0)
        return float(stats.chi2.sf(statistic, extra * (levels - 1))), statistic

    def describe(self) -> str:
        """The test in one sentence."""
        counts = {kind: self.kinds.count(kind) for kind in ("number", "category")}
        return (
            f"likelihood ratios of nested regressions, {counts['number']} numbers and {counts['category']} "
            f"categories, {self.n:,} rows"
        )


def _as_numbers(column: np.ndarray) -> np.ndarray:
    """Numbers held as objects as numbers; everything else as it is."""
    if column.dtype == object and all(isinstance(v, (int, float, np.number)) for v in column):
        whole = all(isinstance(v, (int, np.integer)) for v in column)
        return column.astype(np.int64 if whole else float)
    return column


def _residual_square(design: np.ndarray, y: np.ndarray) -> float:
    coefficients = np.linalg.lstsq(design, y, rcond=None)[0]
    return float(((y - design @ coefficients) ** 2).sum())


def multinomial_log_likelihood(design: Float[np.ndarray, "n q"], codes: Int[np.ndarray, " n"]) -> float:
    """Largest log-likelihood of a multinomial logistic regression, in nats.

    Newton's steps with a ridge of 1e-6 per row, so that separated classes have a finite answer.

    Examples
    --------
    >>> codes = np.array([0, 1, 1, 1])
    >>> round(multinomial_log_likelihood(np.ones((4, 1)), codes), 4)
    -2.2493
    """
    n, q = design.shape
    levels = int(codes.max()) + 1
    shown = (codes[:, None] == np.arange(1, levels)).astype(float)
    beta, last = np.zeros((q, levels - 1)), -np.inf
    step = np.zeros_like(beta)
    for _ in range(STEPS):
        scores = design @ beta
        size = special.logsumexp(np.hstack([np.zeros((n, 1)), scores]), axis=1)
        value = float((shown * scores).sum() - size.sum() - RIDGE * n * (beta**2).sum() / 2)
        if value < last:  # a step too far: half of it
            step /= 2
            beta = beta - step
            continue
        if value - last < ENOUGH * (1 + abs(value)):
            break
        last = value
        shares = np.exp(scores - size[:, None])
        slope = design.T @ (shown - shares) - RIDGE * n * beta
        weight = shares[:, :, None] * (np.eye(levels - 1) - shares[:, None, :])
        curve = np.einsum("na,nkl,nb->kalb", design, weight, design, optimize=True)
        curve = curve.reshape(q * (levels - 1), q * (levels - 1)) + RIDGE * n * np.eye(q * (levels - 1))
        step = np.linalg.solve(curve, slope.T.ravel()).reshape(levels - 1, q).T
        beta = beta + step
    return float((shown * (design @ beta)).sum() - special.logsumexp(
        np.hstack([np.zeros((n, 1)), design @ beta]), axis=1
    ).sum())  # fmt: skip


class GCM(_MixedTest):
    """Generalised covariance measure: correlation of what regressions on the set leave over.

    Parameters
    ----------
    X : (n, p) table or array
    names : sequence of str, optional
    categories : "auto" or sequence of str
    regression : {"spline", "boosted"}
        Cubic splines with a small ridge, or boosted trees with out-of-fold predictions.
    seed : int
        For the multipliers, and the folds of boosted trees.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=500)
    >>> X = np.column_stack([z**2 + rng.normal(size=500), z**2 + rng.normal(size=500), z])
    >>> test = GCM(X, ["x", "y", "z"])
    >>> test.one("x", "y").p_value < 1e-3, test.one("x", "y", ("z",)).p_value > 0.01
    (True, True)
    """

    def __init__(
        self,
        X: Any,
        names: Any = None,
        *,
        categories: Any = "auto",
        regression: str = "spline",
        seed: int = 0,
    ) -> None:
        if regression not in ("spline", "boosted"):
            raise DataError(
                "unknown-choice", f"expected one of spline, boosted, got {regression!r}", where="regression",
                remedy="Choose one of these.",
            )  # fmt: skip
        super().__init__(X, names, categories=categories)
        self.regression, self.seed = regression, seed
        self._residuals: dict[tuple[int, tuple[int, ...]], np.ndarray] = {}

    def _question(self, i: int, j: int, given: tuple[int, ...]) -> tuple[float, float]:
        i, j = min(i, j), max(i, j)
        first, second = self._left_over(i, given), self._left_over(j, given)
        product = (first[:, :, None] * second[:, None, :]).reshape(self.n, -1)
        centred = product - product.mean(axis=0)
        spread = np.sqrt((centred**2).mean(axis=0))
        kept = spread > 1e-12
        if not kept.any():
            return float("nan"), 0.0
        t = np.sqrt(self.n) * product.mean(axis=0)[kept] / spread[kept]
        largest = float(np.abs(t).max())
        if len(t) == 1:
            return float(2 * special.ndtr(-largest)), float(t[0])
        words = [self.names[v] for v in (i, j, *given)]
        draws = generator(self.seed, "gcm", *words).standard_normal((DRAWS, self.n))
        null = np.abs(draws @ (centred[:, kept] / spread[kept])).max(axis=1) / np.sqrt(self.n)
        return float((1 + (null >= largest).sum()) / (1 + DRAWS)), largest

    def _left_over(self, v: int, given: tuple[int, ...]) -> np.ndarray:
        """What the regression of a variable on the set leaves over, (n, columns of its block)."""
        key = v, given
        if key not in self._residuals:
            block = self._blocks[v]
            if not given:
                left = block - block.mean(axis=0)
            elif self.regression == "spline":
                design = np.hstack([np.ones((self.n, 1)), *(self._basis(w) for w in given)])
                left = block - _ridge_fitted(design, block)
            else:
                left = block - self._boosted(block, given)
            self._residuals[key] = left
        return self._residuals[key]

    def _basis(self, v: int) -> np.ndarray:
        from sklearn.preprocessing import SplineTransformer

        if self._codes[v] is not None:
            return self._blocks[v]
        knots = 6 if self.n >= 200 else 4
        spline = SplineTransformer(
            n_knots=knots, knots="quantile", extrapolation="linear", include_bias=False
        )
        try:
            basis: np.ndarray = spline.fit_transform(self._blocks[v])
        except ValueError:  # quantiles that coincide leave no room for knots
            return self._blocks[v]
        return basis

    def _boosted(self, block: np.ndarray, given: tuple[int, ...]) -> np.ndarray:
        from sklearn.ensemble import HistGradientBoostingRegressor
        from sklearn.model_selection import KFold, cross_val_predict

        from suppose.core.random import integer_seed

        seed = integer_seed(self.seed, "gcm-folds")
        folds = KFold(5, shuffle=True, random_state=seed)
        learner = HistGradientBoostingRegressor(max_iter=60, max_depth=3, random_state=seed)
        design = np.hstack([self._blocks[w] for w in given])
        return np.column_stack([cross_val_predict(learner, design, y, cv=folds) for y in block.T])

    def describe(self) -> str:
        """The test in one sentence."""
        return f"generalised covariance measure with {self.regression} regressions, {self.n:,} rows"


def _ridge_fitted(design: np.ndarray, block: np.ndarray) -> np.ndarray:
    gram = design.T @ design
    gram[np.diag_indices_from(gram)] += 1e-6 * len(design)
    fitted: np.ndarray = design @ np.linalg.solve(gram, design.T @ block)
    return fitted
