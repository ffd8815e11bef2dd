"""Least squares with robust covariance, and rows of figures looked at together.

Standard errors are HC3 (MacKinnon and White, Journal of Econometrics, 1985), or CR1 with clusters
(sums within clusters, the usual small-sample factor); intervals are Student's t with ``n - k``, or
``clusters - 1``, degrees of freedom. Rows carry Holm's adjusted p-values and simultaneous (Bonferroni)
intervals. No weights, no two-way clusters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from suppose.core.errors import EstimationError

__all__ = ["LinearInference", "SummaryRow", "holm", "linear_inference", "rows_frame", "summary_rows"]


@dataclasses.dataclass(frozen=True)
class LinearInference:
    """Coefficients, their covariance and the degrees of freedom of their t intervals."""

    coefficients: Float[np.ndarray, " k"]
    covariance: Float[np.ndarray, "k k"]
    freedom: float

    def interval(self, contrast: Float[np.ndarray, " k"], level: float) -> tuple[float, float, float, float]:
        """Estimate, standard error, low and high of a linear combination of coefficients."""
        value = float(contrast @ self.coefficients)
        se = float(np.sqrt(max(contrast @ self.covariance @ contrast, 0.0)))
        half = float(stats.t.ppf(0.5 + level / 2, self.freedom)) * se
        return value, se, value - half, value + half

    def p_value(self, contrast: Float[np.ndarray, " k"], null: float = 0.0) -> float:
        """Two-sided p-value of a linear combination being ``null``."""
        value, se, _, _ = self.interval(contrast, 0.95)
        if se == 0:
            return 1.0 if value == null else 0.0
        return float(2 * stats.t.sf(abs(value - null) / se, self.freedom))


def linear_inference(
    D: Float[np.ndarray, "n k"], phi: Float[np.ndarray, " n"], clusters: Int[np.ndarray, " n"] | None = None
) -> LinearInference:
    """Least squares of ``phi`` on ``D`` with HC3, or with clusters CR1, covariance.

    Raises
    ------
    EstimationError
        ``collinear`` when the columns of ``D`` depend on each other linearly.

    Examples
    --------
    >>> found = linear_inference(np.ones((4, 1)), np.array([1.0, 2.0, 3.0, 4.0]))
    >>> float(found.coefficients[0]), round(float(found.covariance[0, 0]), 4)
    (2.5, 0.5556)
    """
    n, k = D.shape
    scale = np.sqrt((D**2).mean(axis=0))
    if np.linalg.matrix_rank(D / np.where(scale > 0, scale, 1.0)) < k or n <= k:
        raise EstimationError(
            "collinear", f"expected more rows than columns and columns that do not depend on each other, got {n} "
            f"rows and {k} columns of rank {np.linalg.matrix_rank(D)}", where="columns",
            remedy="Leave out constant, duplicate and redundant one-hot columns.",
        )  # fmt: skip
    bread = np.linalg.inv(D.T @ D)
    coefficients = bread @ (D.T @ phi)
    residual = phi - D @ coefficients
    if clusters is None:
        leverage = np.einsum("ij,jk,ik->i", D, bread, D)
        scores = D * (residual / np.maximum(1.0 - leverage, 1e-8))[:, None]
        return LinearInference(coefficients, bread @ (scores.T @ scores) @ bread, float(n - k))
    _, index = np.unique(clusters, return_inverse=True)
    count = int(index.max()) + 1
    sums = np.zeros((count, k))
    np.add.at(sums, index, D * residual[:, None])
    factor = count / max(count - 1, 1) * (n - 1) / (n - k)
    return LinearInference(coefficients, factor * bread @ (sums.T @ sums) @ bread, float(max(count - 1, 1)))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for all being looked at together (Holm, 1979).

    Examples
    --------
    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p)
    stepped = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order])
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in adjusted]


@dataclasses.dataclass(frozen=True)
class SummaryRow:
    """One figure of a summary: pointwise and simultaneous interval, p-value of zero and Holm's."""

    name: str
    estimate: float
    standard_error: float
    low: float
    high: float
    simultaneous_low: float
    simultaneous_high: float
    p_value: float
    p_holm: float
    n: int


def summary_rows(
    found: LinearInference, contrasts: Float[np.ndarray, "m k"], names: Sequence[str], sizes: Sequence[int],
    level: float,
) -> tuple[SummaryRow, ...]:  # fmt: skip
    """One row per linear combination (rows of ``contrasts``), adjusted for being looked at together."""
    together = 1 - (1 - level) / len(names)
    p_values = [found.p_value(contrast) for contrast in contrasts]
    rows = []
    for name, contrast, p, q, n in zip(names, contrasts, p_values, holm(p_values), sizes, strict=True):
        estimate, se, low, high = found.interval(contrast, level)
        _, _, wide_low, wide_high = found.interval(contrast, together)
        rows.append(SummaryRow(name, estimate, se, low, high, wide_low, wide_high, p, q, int(n)))
    return tuple(rows)


def rows_frame(rows: Sequence[Any]) -> Any:
    """Records as a pandas frame, one row each."""
    import pandas as pd

    return pd.DataFrame([dataclasses.asdict(row) for row in rows])
