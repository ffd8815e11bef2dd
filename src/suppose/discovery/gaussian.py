"""Fisher's z: partial correlations of a matrix of correlations against zero.

For ``n`` rows and ``k`` variables held fixed, ``sqrt(n - k - 3) artanh(r)`` is about standard normal where the
partial correlation is zero (Fisher 1924; Anderson 2003, section 4.3). The matrix may be any that reads like
correlations: Pearson's, ``2 sin(pi rho / 6)`` of Spearman's ``rho`` (Harris and Drton 2013), normal scores (Liu,
Lafferty and Wasserman 2009), weighted ones, or ones over the rows complete for each pair.

Partial correlations come from the Cholesky factor of the block with the two variables last: with ``L`` its factor,
``r = L[m, m-1] / sqrt(L[m, m-1]**2 + L[m, m]**2)``. A pivot under 1e-12 means that a variable follows from the
others: the pair is then kept as dependent, counted, and named by the search.

What it does not do: it sees linear dependence only, and the weighted and rank forms borrow the
same null law, which holds for them in large samples.
"""

from __future__ import annotations

from typing import Any, no_type_check

import numpy as np
from jaxtyping import Float, Int
from numba import njit
from scipy import special, stats

from suppose.core.errors import DataError
from suppose.discovery.material import allows_missing, numeric_columns
from suppose.discovery.protocol import BaseTest, OutcomeBatch

__all__ = ["PIVOT", "FisherZ", "correlations"]

PIVOT = 1e-12
KINDS = ("pearson", "spearman", "normal-scores")


def correlations(
    X: Float[np.ndarray, "n p"], kind: str = "pearson", weights: Float[np.ndarray, " n"] | None = None
) -> Float[np.ndarray, "p p"]:
    """Matrix of correlations of the columns.

    Examples
    --------
    >>> X = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 8.0]])
    >>> correlations(X).round(3)[0].tolist(), correlations(X, "spearman").round(3)[0].tolist()
    ([1.0, 0.918], [1.0, 1.0])
    """
    if kind != "pearson":
        X = stats.rankdata(X, axis=0)
    if kind == "normal-scores":
        X = special.ndtri(X / (len(X) + 1))
    w = np.full(len(X), 1.0 / len(X)) if weights is None else weights / weights.sum()
    centred = (X - w @ X) * np.sqrt(w)[:, None]
    covariance = centred.T @ centred
    scale = np.sqrt(np.diag(covariance))
    matrix = covariance / np.outer(scale, scale)
    if kind == "spearman":
        matrix = 2 * np.sin(np.pi * matrix / 6)
    np.fill_diagonal(matrix, 1.0)
    symmetric: np.ndarray = (matrix + matrix.T) / 2
    return symmetric


class FisherZ(BaseTest):
    """Fisher's z test bound to a table or to a matrix of correlations.

    Parameters
    ----------
    X : (n, p) table or array, optional
        Numbers, no missing values unless ``missing="test-wise"``.
    names : sequence of str, optional
        Names of the columns of an array.
    kind : {"pearson", "spearman", "normal-scores"}
        Which correlations.
    weights : (n,) array, optional
        Weights of rows; the number of rows becomes Kish's ``(sum w)**2 / sum w**2``.
    missing : {"refuse", "test-wise"}
        ``test-wise`` takes each correlation over the rows complete for the pair; a question then counts the
        fewest rows of any pair in it.
    shrink : float in [0, 1]
        Share by which correlations are drawn to zero; needed where there are more columns than rows.
    correlation, n : (p, p) array and int, optional
        A matrix of correlations and the rows behind it, in place of ``X``.

    Raises
    ------
    DataError
        ``constant-column``, ``duplicate-columns``, ``missing-value``, ``infinite-value``, ``not-a-number``,
        ``more-columns-than-rows``, ``not-a-correlation``, ``unknown-choice``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=1000)
    >>> X = np.column_stack([z + rng.normal(size=1000), z + rng.normal(size=1000), z])
    >>> test = FisherZ(X, ["x", "y", "z"])
    >>> print(test.one("x", "y"))
    x and y: p = 3.31e-65 (statistic 17.1, 1,000 rows)
    >>> test.one("x", "y", ("z",)).p_value > 0.05
    True
    """

    def __init__(
        self,
        X: Any = None,
        names: Any = None,
        *,
        kind: str = "pearson",
        weights: Any = None,
        missing: str = "refuse",
        shrink: float = 0.0,
        correlation: Any = None,
        n: int | None = None,
    ) -> None:
        if kind not in KINDS:
            raise DataError(
                "unknown-choice", f"expected one of {', '.join(KINDS)}, got {kind!r}", where="kind",
                remedy="Choose one of these.",
            )  # fmt: skip
        self.kind, self.shrink, self.rows_of_pair = kind, shrink, None
        if X is None:
            matrix, self.n, found = _given(correlation, n, names)
        else:
            values, found = numeric_columns(X, names, allow_missing=allows_missing(missing))
            matrix, self.n = self._from_rows(values, weights)
        super().__init__(found)
        if len(found) > self.n and not shrink:
            raise DataError(
                "more-columns-than-rows", f"{len(found)} columns but only {self.n} rows", where="X",
                remedy="Leave columns out, or shrink the correlations: FisherZ(X, shrink=0.1).",
            )  # fmt: skip
        self.correlation = (1 - shrink) * matrix + shrink * np.eye(len(found))
        _refuse_twins(self.correlation, found)

    rows_of_pair: Int[np.ndarray, "p p"] | None

    def _from_rows(self, values: np.ndarray, weights: Any) -> tuple[np.ndarray, int]:
        if np.isnan(values).any():
            matrix, rows = _pairwise(values, self.kind)
            self.rows_of_pair = rows
            return matrix, int(rows.min())
        w = None if weights is None else np.asarray(weights, dtype=float)
        if w is None:
            return correlations(values, self.kind), len(values)
        if w.shape != (len(values),) or not np.isfinite(w).all() or (w < 0).any() or not w.sum() > 0:
            raise DataError(
                "bad-weight", f"expected {len(values):,} weights from 0 on, not all 0", where="weights",
                remedy="Give one finite weight per row.",
            )  # fmt: skip
        return correlations(values, self.kind, w), int(w.sum() ** 2 / (w**2).sum())

    def batch(
        self, i: Int[np.ndarray, " m"], j: Int[np.ndarray, " m"], given: Int[np.ndarray, "m k"]
    ) -> OutcomeBatch:
        """Two-sided p-values, z statistics and rows."""
        self._count(len(i))
        k = given.shape[1]
        r = partial_correlations(self.correlation, i, j, np.ascontiguousarray(given, dtype=np.int64))
        n = np.full(len(i), self.n) if self.rows_of_pair is None else self._rows(i, j, given)
        left = np.maximum(n - k - 3, 0)
        with np.errstate(divide="ignore"):
            stat = np.sqrt(left) * np.arctanh(np.clip(np.nan_to_num(r, nan=1.0), -1.0, 1.0))
        p = np.where(left > 0, 2 * special.ndtr(-np.abs(stat)), np.nan)
        return OutcomeBatch(p, stat, n)

    def _rows(self, i: np.ndarray, j: np.ndarray, given: np.ndarray) -> np.ndarray:
        assert self.rows_of_pair is not None
        among = np.column_stack([i, j, given])
        fewest: np.ndarray = self.rows_of_pair[among[:, :, None], among[:, None, :]].min(axis=(1, 2))
        return fewest

    def describe(self) -> str:
        """The test in one sentence."""
        words = {"pearson": "partial correlations", "spearman": "partial rank correlations"}
        kind = words.get(self.kind, "partial correlations of normal scores")
        return f"Fisher's z on {kind}, {self.n:,} rows"


def _given(correlation: Any, n: Any, names: Any) -> tuple[np.ndarray, int, tuple[str, ...]]:
    matrix = np.asarray(correlation, dtype=float)
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] and len(matrix) > 0
    if not square or not np.isfinite(matrix).all() or np.abs(matrix - matrix.T).max() > 1e-8 or (
        np.abs(np.diag(matrix) - 1).max() > 1e-8 or np.abs(matrix).max() > 1 + 1e-8
    ):  # fmt: skip
        raise DataError(
            "not-a-correlation", "expected a symmetric matrix of numbers from -1 to 1 with ones on its diagonal",
            where="correlation", remedy="Divide a covariance by the standard deviations first.",
        )  # fmt: skip
    if not isinstance(n, (int, np.integer)) or n < 4:
        raise DataError(
            "too-few-rows", f"expected the number of rows behind the correlations, at least 4, got {n!r}",
            where="n", remedy="Say n=, for example n=500.",
        )  # fmt: skip
    found = tuple(names) if names is not None else tuple(f"x{c}" for c in range(len(matrix)))
    return matrix, int(n), found


def _pairwise(values: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Correlations over the rows complete for each pair, and their number."""
    p = values.shape[1]
    matrix, rows = np.eye(p), np.zeros((p, p), dtype=np.int64)
    seen = ~np.isnan(values)
    for a in range(p):
        rows[a, a] = seen[:, a].sum()
        for b in range(a):
            both = seen[:, a] & seen[:, b]
            rows[a, b] = rows[b, a] = both.sum()
            matrix[a, b] = matrix[b, a] = correlations(values[both][:, [a, b]], kind)[0, 1]
    return matrix, rows


def _refuse_twins(matrix: np.ndarray, names: tuple[str, ...]) -> None:
    twins = np.argwhere(np.triu(np.abs(matrix) > 1 - PIVOT, 1))
    if len(twins):
        a, b = twins[0]
        raise DataError(
            "duplicate-columns", f"columns {names[a]!r} and {names[b]!r} say the same (correlation "
            f"{matrix[a, b]:.12g})",
            where="X", remedy="Leave one of them out.",
        )  # fmt: skip


@njit(cache=True, nogil=True)
@no_type_check
def partial_correlations(R: np.ndarray, i: np.ndarray, j: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Partial correlations of the pairs ``i[a], j[a]`` given ``given[a]``; NaN where a block is singular."""
    m, k = given.shape
    out = np.empty(m)
    place = np.empty(k + 2, np.int64)
    L = np.zeros((k + 2, k + 2))
    for a in range(m):
        place[:k] = given[a]
        place[k] = i[a]
        place[k + 1] = j[a]
        good = True
        for r in range(k + 2):
            for c in range(r + 1):
                s = R[place[r], place[c]]
                for b in range(c):
                    s -= L[r, b] * L[c, b]
                if r == c:
                    if s < 1e-12 and r <= k:
                        good = False
                        break
                    L[r, r] = np.sqrt(max(s, 0.0))
                else:
                    L[r, c] = s / L[c, c]
            if not good:
                break
        if not good:
            out[a] = np.nan
            continue
        top, rest = L[k + 1, k], L[k + 1, k + 1]
        size = np.sqrt(top * top + rest * rest)
        out[a] = top / size if rest * rest >= 1e-12 and size > 0 else np.nan
    return out
