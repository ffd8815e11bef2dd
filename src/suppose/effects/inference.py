"""From scores to an estimate with its interval: solved once, for every estimator of this room.

A score linear in the parameter is a pair ``(psi_a, psi_b)`` with ``E[psi_a * theta + psi_b] = 0``
(Chernozhukov et al. 2018, Double/debiased machine learning, Econometrics Journal 21, eq. 3.1). This
module solves it, turns it into influence values and standard errors (one-way clusters: Chiang, Kato,
Ma & Sasaki 2022, Multiway cluster robust double/debiased machine learning, JBES 40), puts repeats of
the sample splitting together (Chernozhukov et al. 2018, def. 3.3), and records the result.

Deviation: with clusters the interval takes Student's t with ``clusters - 1`` degrees of freedom, which
the asymptotic theory does not ask for, because normal intervals are too short when clusters are few.

It does not do multi-way clustering, the bootstrap, or joint intervals over several contrasts.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from suppose.core.errors import EstimationError

__all__ = [
    "REPEAT_RULES",
    "EffectEstimate",
    "Solution",
    "aggregate_repeats",
    "estimate_effect",
    "solve_score",
]

REPEAT_RULES = ("median-variance", "median-bound")


@dataclasses.dataclass(frozen=True)
class EffectEstimate:
    """One effect: the figure, its uncertainty, and what it is an effect of.

    Parameters
    ----------
    estimand : str
        Population the effect is averaged over: ``"ATE"``, ``"ATT"``, ``"ATO"`` or ``"partially linear"``.
    contrast : str
        What is compared, ``"1 vs 0"`` or ``"per unit"``.
    estimate, standard_error, low, high : float
        In the unit of the outcome (per unit of the treatment when the contrast says so).
    level : float
        Nominal coverage of ``[low, high]``.
    p_value : float
        Two-sided, null hypothesis: the effect is zero.
    n : int
        Rows used.
    clusters : int or None
        Clusters used, ``None`` when rows count as independent.
    method : str
        How it was computed, in words.
    degrees_of_freedom : float or None
        Of Student's t behind the interval; ``None`` for the normal distribution.

    Examples
    --------
    >>> effect = estimate_effect(2.0, 0.5, estimand="ATE", contrast="1 vs 0", n=100, method="AIPW")
    >>> print(effect)
    ATE, 1 vs 0: 2 (95% interval 1.02 to 2.98; standard error 0.5, p = 6.3e-05; n = 100)
    """

    estimand: str
    contrast: str
    estimate: float
    standard_error: float
    low: float
    high: float
    level: float
    p_value: float
    n: int
    clusters: int | None
    method: str
    degrees_of_freedom: float | None = None

    def to_frame(self) -> Any:
        """The estimate as a pandas frame of one row."""
        import pandas as pd

        return pd.DataFrame([dataclasses.asdict(self)])

    def __str__(self) -> str:
        if not np.isfinite(self.standard_error):
            return f"{self.estimand}, {self.contrast}: {self.estimate:.4g} (no interval; n = {self.n:,})"
        rows = f"n = {self.n:,}" + ("" if self.clusters is None else f" in {self.clusters:,} clusters")
        p_value = f"p = {self.p_value:.2g}" if self.p_value >= 1e-16 else "p < 1e-16"
        return (
            f"{self.estimand}, {self.contrast}: {self.estimate:.4g} ({100 * self.level:g}% interval "
            f"{self.low:.4g} to {self.high:.4g}; standard error {self.standard_error:.3g}, "
            f"{p_value}; {rows})"
        )


@dataclasses.dataclass(frozen=True)
class Solution:
    """Root of a linear score for each repeat and contrast.

    ``theta`` and ``standard_error`` have shape (repeats, contrasts). ``psi`` has shape
    (n, repeats, contrasts) and holds influence values: the error of ``theta`` is about their mean,
    and without clusters ``mean(psi**2) / n`` is its variance.
    """

    theta: np.ndarray
    standard_error: np.ndarray
    psi: np.ndarray


def solve_score(
    psi_a: Float[np.ndarray, "n repeats contrasts"],
    psi_b: Float[np.ndarray, "n repeats contrasts"],
    *,
    clusters: Int[np.ndarray, " n"] | None = None,
    folds: Int[np.ndarray, "n repeats"] | None = None,
) -> Solution:
    """Solve ``mean(psi_a * theta + psi_b) = 0`` and estimate the variance of the root.

    Parameters
    ----------
    psi_a, psi_b : (n, repeats, contrasts) arrays
        Elements of the score; a row left out of the estimation has zeros in both.
    clusters : (n,) int array, optional
        Codes 0..C-1. Each fold then counts by its number of clusters, not of rows.
    folds : (n, repeats) int array, optional
        Fold of each row; needed with clusters.

    Returns
    -------
    Solution

    Raises
    ------
    EstimationError
        When ``psi_a`` averages to zero: the data do not pin the parameter down.

    Examples
    --------
    >>> y = np.array([1.0, 2.0, 6.0])[:, None, None]
    >>> float(solve_score(np.full_like(y, -1.0), y).theta[0, 0])
    3.0
    """
    n, repeats, _ = psi_a.shape
    weights = np.full((n, repeats), 1.0 / n) if clusters is None else _cluster_weights(clusters, folds)
    jacobian = np.einsum("nr,nrc->rc", weights, psi_a)
    scale = np.einsum("nr,nrc->rc", weights, np.abs(psi_a))
    if np.any(np.abs(jacobian) <= 1e-12 * scale) or np.any(scale == 0):
        raise not_identified()
    theta = -np.einsum("nr,nrc->rc", weights, psi_b) / jacobian
    psi = -(psi_a * theta + psi_b) * (n * weights[:, :, None]) / jacobian  # (n, repeats, contrasts)
    variance = np.mean(psi**2, axis=0) / n
    if clusters is not None:
        variance = _clustered_variance(psi, clusters, weights)
    return Solution(theta, np.sqrt(variance), psi)


def not_identified() -> EstimationError:
    """The refusal when nothing of the treatment is left once covariates are taken into account."""
    return EstimationError(
        "not-identified", "the covariates predict the treatment without error, so nothing of it is left to "
        "compare", where="treatment",
        remedy="Leave out covariates that determine the treatment, or columns computed from it.",
    )  # fmt: skip


def _cluster_weights(
    clusters: Int[np.ndarray, " n"], folds: Int[np.ndarray, "n repeats"] | None
) -> Float[np.ndarray, "n repeats"]:
    """Weight of each row: 1 / (number of folds * clusters in the row's fold)."""
    if folds is None:
        folds = np.zeros((len(clusters), 1), dtype=np.int64)
    weights = np.empty(folds.shape)
    first = np.unique(clusters, return_index=True)[1]  # one row of each cluster
    for repeat in range(folds.shape[1]):
        sizes = np.bincount(folds[first, repeat])
        used = np.count_nonzero(sizes)
        weights[:, repeat] = 1.0 / (used * sizes[folds[:, repeat]])
    return weights


def _clustered_variance(
    psi: Float[np.ndarray, "n repeats contrasts"],
    clusters: Int[np.ndarray, " n"],
    weights: Float[np.ndarray, "n repeats"],
) -> Float[np.ndarray, "repeats contrasts"]:
    """Variance from sums within clusters, each fold weighing the same (Chiang et al. 2022, eq. 2.5)."""
    n, repeats, contrasts = psi.shape
    first = np.unique(clusters, return_index=True)[1]
    count = len(first)
    variance = np.empty((repeats, contrasts))
    for repeat in range(repeats):
        weight = weights[first, repeat]
        for contrast in range(contrasts):
            sums = np.bincount(clusters, psi[:, repeat, contrast], minlength=count) / n
            variance[repeat, contrast] = np.sum(sums**2 / weight) / count
    return variance


def aggregate_repeats(
    theta: Float[np.ndarray, "repeats contrasts"],
    standard_error: Float[np.ndarray, "repeats contrasts"],
    rule: str = "median-variance",
) -> tuple[Float[np.ndarray, " contrasts"], Float[np.ndarray, " contrasts"]]:
    """Put the repeats of the sample splitting together.

    The estimate is the median over repeats. Its standard error follows ``rule``:

    - ``"median-variance"``: root of the median of ``se**2 + (theta_r - theta)**2`` (Chernozhukov et al.
      2018, def. 3.3), which adds the spread between splits.
    - ``"median-bound"``: (median of ``theta_r + 1.96 se`` - theta) / 1.96, what DoubleML reports from
      version 0.8 on; with equal standard errors it ignores the spread between splits.

    Examples
    --------
    >>> theta, se = aggregate_repeats(np.array([[1.0], [2.0], [4.0]]), np.ones((3, 1)))
    >>> float(theta[0]), round(float(se[0]), 4)
    (2.0, 1.4142)
    """
    center = np.median(theta, axis=0)
    if rule == "median-bound":
        return center, np.asarray((np.median(theta + 1.96 * standard_error, axis=0) - center) / 1.96)
    return center, np.asarray(np.sqrt(np.median(standard_error**2 + (theta - center) ** 2, axis=0)))


def estimate_effect(
    estimate: float,
    standard_error: float,
    *,
    estimand: str,
    contrast: str,
    n: int,
    method: str,
    level: float = 0.95,
    clusters: int | None = None,
    degrees_of_freedom: float | None = None,
) -> EffectEstimate:
    """Record an estimate with its interval and p-value.

    The interval is normal, Student's t with ``clusters - 1`` degrees of freedom with clusters, or with
    the degrees of freedom given. A standard error of ``nan`` gives an estimate without interval.
    """
    if degrees_of_freedom is None and clusters is not None:
        degrees_of_freedom = float(max(clusters - 1, 1))
    law = stats.norm() if degrees_of_freedom is None else stats.t(degrees_of_freedom)
    half = float(law.ppf(0.5 + level / 2)) * standard_error
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.abs(np.divide(estimate, standard_error))
    p_value = float(2 * law.sf(statistic))
    return EffectEstimate(
        estimand, contrast, float(estimate), float(standard_error), float(estimate - half),
        float(estimate + half), float(level), p_value, int(n), clusters, method, degrees_of_freedom,
    )  # fmt: skip
