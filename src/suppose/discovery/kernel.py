"""Kernel tests of conditional independence: any form of dependence, at a price.

:class:`KCI` (Zhang, Peters, Janzing and Schoelkopf 2011) compares what kernel regressions on ``z`` leave of
``(x, z/2)`` and of ``y``: with centred Gaussian kernels and ``R = eps (K_z + eps I)^-1`` its statistic is
``tr(K_xz|z K_y|z)`` (their equation 14), and ``tr(K_x K_y)`` where nothing is held fixed (equation 6). Null law: a
gamma with the first two moments (their section 3.3), or the weighted sum of chi-squared variables drawn
(``null="spectral"``, theorems 3 and 5). The moments need no eigenvectors here: with ``M = K_xz|z * K_y|z`` entry by
entry they are ``tr M`` and ``2 sum M**2``. :class:`RCIT` (Strobl, Zhang and Visweswaran 2019) does the same with random
Fourier features, in time linear in rows; its null law is matched in three moments (Hall 1983; Buckley and Eagleson
1988).

Widths are a stated rule: columns are standardised; KCI takes the width 0.8, 0.5 or 0.3 below 200, below 1,200 or
from 1,200 rows (1.2, 0.7, 0.4 with a set) times the root of the number of columns; RCIT the median distance of 500
rows. Deviations: none is learned from data; RCIT's weights count the degrees of freedom that the regression on the set
uses up, without which it rejects too often when features are many beside rows. Above ``max_rows`` KCI takes a
random subset of rows, and says so.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import linalg, special, stats
from scipy.spatial.distance import cdist, pdist

from suppose.core.errors import DataError
from suppose.core.random import generator
from suppose.discovery.material import numeric_columns
from suppose.discovery.protocol import BaseTest, OutcomeBatch

__all__ = ["KCI", "RCIT", "weighted_chi2_sf"]

EPSILON = 1e-3
KEPT = 128
"""Matrices kept at once."""
DRAWS = 2000


class _KernelTest(BaseTest):
    costly = True

    def __init__(self, X: Any, names: Any, max_rows: int | None, seed: int) -> None:
        values, found = numeric_columns(X, names)
        super().__init__(found)
        self.rows, self.seed = len(values), seed
        if max_rows is not None and len(values) > max_rows:
            chosen = generator(seed, "rows").permutation(len(values))[:max_rows]
            values = values[np.sort(chosen)]
        self.n = len(values)
        self._values = (values - values.mean(axis=0)) / values.std(axis=0)

    def batch(
        self, i: Int[np.ndarray, " m"], j: Int[np.ndarray, " m"], given: Int[np.ndarray, "m k"]
    ) -> OutcomeBatch:
        """p-values, statistics, rows."""
        self._count(len(i))
        answers = [
            self._question(min(int(a), int(b)), max(int(a), int(b)), tuple(sorted(int(v) for v in s)))
            for a, b, s in zip(i, j, given, strict=True)
        ]
        p, stat = np.array([a[0] for a in answers]), np.array([a[1] for a in answers])
        return OutcomeBatch(p, stat, np.full(len(i), self.n))

    def _question(self, i: int, j: int, given: tuple[int, ...]) -> tuple[float, float]:
        raise NotImplementedError


class KCI(_KernelTest):
    """Kernel test of conditional independence.

    Parameters
    ----------
    X : (n, p) table or array
        Numbers.
    names : sequence of str, optional
    null : {"gamma", "spectral"}
        How the null law is found.
    max_rows : int
        Rows from which on a random subset is taken; time grows with their cube.
    seed : int
        For the subset and the draws.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=200)
    >>> X = np.column_stack([z**2 + rng.normal(size=200), z**2 + rng.normal(size=200), z])
    >>> test = KCI(X, ["x", "y", "z"])
    >>> test.one("x", "y").p_value < 0.01, test.one("x", "y", ("z",)).p_value > 0.05
    (True, True)
    """

    def __init__(
        self,
        X: Any,
        names: Any = None,
        *,
        null: str = "gamma",
        max_rows: int = 1000,
        seed: int = 0,
    ) -> None:
        if null not in ("gamma", "spectral"):
            raise DataError(
                "unknown-choice", f"expected one of gamma, spectral, got {null!r}", where="null",
                remedy="Choose one of these.",
            )  # fmt: skip
        super().__init__(X, names, max_rows, seed)
        self.null = null
        self._kept: OrderedDict[Any, np.ndarray] = OrderedDict()

    def _question(self, i: int, j: int, given: tuple[int, ...]) -> tuple[float, float]:
        if not given:
            K, L = self._kernel(i), self._kernel(j)
            stat = float((K * L).sum())
            mean = float(np.trace(K) * np.trace(L)) / self.n
            variance = 2 * float((K**2).sum() * (L**2).sum()) / self.n**2
            if self.null == "gamma":
                return _gamma_sf(stat, mean, variance), stat
            weights: np.ndarray = np.outer(linalg.eigvalsh(K), linalg.eigvalsh(L)).ravel() / self.n
        else:
            K, L = self._residual((i, *given), given), self._residual((j,), given)
            both = K * L
            stat = float(both.sum())
            if self.null == "gamma":
                return _gamma_sf(stat, float(np.trace(both)), 2 * float((both**2).sum())), stat
            weights = linalg.eigvalsh(both)
        return self._spectral(stat, weights, (i, j, *given)), stat

    def _spectral(self, stat: float, weights: np.ndarray, places: tuple[int, ...]) -> float:
        weights = weights[weights > 1e-6 * weights.max()]
        random = generator(self.seed, "kci", *(self.names[v] for v in places))
        null = random.chisquare(1, (DRAWS, len(weights))) @ weights if len(weights) < 5000 else np.array(
            [random.chisquare(1, len(weights)) @ weights for _ in range(DRAWS)]
        )  # fmt: skip
        return float((1 + (null >= stat).sum()) / (1 + DRAWS))

    def _width(self, columns: int, conditional: bool) -> float:
        small, middle, large = (1.2, 0.7, 0.4) if conditional else (0.8, 0.5, 0.3)
        base = small if self.n < 200 else middle if self.n < 1200 else large
        return base * float(np.sqrt(columns))

    def _kernel(self, v: int) -> np.ndarray:
        """Centred Gaussian kernel of one column."""
        key = "alone", v
        if key not in self._kept:
            values = self._values[:, [v]]
            width = self._width(1, False)
            self._keep(key, _centred(np.exp(-0.5 * cdist(values, values, "sqeuclidean") / width**2)))
        return self._kept[key]

    def _residual(self, places: tuple[int, ...], given: tuple[int, ...]) -> np.ndarray:
        """Kernel of some columns with what ``given`` tells taken out, ``R K R``."""
        key = "residual", places, given
        if key not in self._kept:
            R = self._operator(given)
            K = self._scaled(places, given, halved=len(places) > 1)
            self._keep(key, R @ K @ R)
        return self._kept[key]

    def _scaled(self, places: tuple[int, ...], given: tuple[int, ...], halved: bool) -> np.ndarray:
        """Centred kernel of some columns at the width of the set; ``halved`` all but the first."""
        values = self._values[:, list(places)].copy()
        if halved:
            values[:, 1:] /= 2
        width = self._width(len(given), True)
        return _centred(np.exp(-0.5 * cdist(values, values, "sqeuclidean") / width**2))

    def _operator(self, given: tuple[int, ...]) -> np.ndarray:
        key = "operator", given
        if key not in self._kept:
            K = self._scaled(given, given, False)
            self._keep(key, EPSILON * linalg.inv(K + EPSILON * np.eye(self.n)))
        return self._kept[key]

    def _keep(self, key: Any, matrix: np.ndarray) -> None:
        with self._lock:
            self._kept[key] = matrix
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)

    def describe(self) -> str:
        """The test in one sentence."""
        part = f", a random {self.n:,} of {self.rows:,} rows" if self.n < self.rows else f", {self.n:,} rows"
        return f"kernel test of conditional independence, {self.null} null{part}"


class RCIT(_KernelTest):
    """Kernel test by random features: for up to some hundred thousand rows.

    Parameters
    ----------
    X : (n, p) table or array
        Numbers.
    names : sequence of str, optional
    features : int
        Random features of each of the two variables.
    features_given : int
        Random features of the set.
    seed : int

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=1000)
    >>> X = np.column_stack([z**2 + rng.normal(size=1000), z**2 + rng.normal(size=1000), z])
    >>> test = RCIT(X, ["x", "y", "z"])
    >>> test.one("x", "y").p_value < 0.01, test.one("x", "y", ("z",)).p_value > 0.01
    (True, True)
    """

    def __init__(
        self, X: Any, names: Any = None, *, features: int = 5, features_given: int = 100, seed: int = 0
    ) -> None:
        super().__init__(X, names, None, seed)
        self.features, self.features_given = features, features_given

    def _question(self, i: int, j: int, given: tuple[int, ...]) -> tuple[float, float]:
        x = self._features((i, *given), self.features)
        y = self._features((j,), self.features)
        left = float(self.n)
        if given:
            z = self._features(given, self.features_given)
            size, turn = linalg.eigh(z.T @ z)
            basis = z @ turn
            damped = 1 / (np.maximum(size, 0.0) + 1e-10 * self.n)
            x = x - basis @ (damped[:, None] * (basis.T @ x))
            y = y - basis @ (damped[:, None] * (basis.T @ y))
            left -= float((np.maximum(size, 0.0) * damped).sum())
        stat = float(((x.T @ y) ** 2).sum()) / self.n
        product = (x[:, :, None] * y[:, None, :]).reshape(self.n, -1)
        product -= product.mean(axis=0)
        if left <= 1:
            return float("nan"), stat
        weights = linalg.eigvalsh(product.T @ product / left)
        return weighted_chi2_sf(stat, weights[weights > 0]), stat

    def _features(self, places: tuple[int, ...], count: int) -> np.ndarray:
        """Standardised random Fourier features of some columns."""
        values = self._values[:, list(places)]
        width = float(np.median(pdist(values[:500]))) or 1.0
        random = generator(self.seed, "rcit", count, *(self.names[v] for v in places))
        turn = random.standard_normal((len(places), count)) / width
        found = np.sqrt(2) * np.cos(values @ turn + random.uniform(0, 2 * np.pi, count))
        found -= found.mean(axis=0)
        scale = found.std(axis=0)
        found /= np.where(scale > 0, scale, 1.0)
        return np.asarray(found)

    def describe(self) -> str:
        """The test in one sentence."""
        return f"kernel test by {self.features} and {self.features_given} random features, {self.n:,} rows"


def _centred(K: Float[np.ndarray, "n n"]) -> np.ndarray:
    rows = K.mean(axis=0)
    centred: np.ndarray = K - rows - rows[:, None] + rows.mean()
    return centred


def _gamma_sf(stat: float, mean: float, variance: float) -> float:
    return float(stats.gamma.sf(stat, mean**2 / variance, scale=variance / mean))


def weighted_chi2_sf(stat: float, weights: Float[np.ndarray, " k"]) -> float:
    """Chance that ``sum weights * chi2_1`` exceeds ``stat``, matched in three moments.

    Examples
    --------
    >>> round(weighted_chi2_sf(3.841459, np.array([1.0])), 4)
    0.05
    """
    first, second, third = weights.sum(), 2 * (weights**2).sum(), 8 * (weights**3).sum()
    if not second > 0:
        return 1.0
    degrees = 8 * second**3 / third**2
    at = (stat - first) * np.sqrt(2 * degrees / second) + degrees
    return float(special.gammaincc(degrees / 2, max(at, 0.0) / 2))
