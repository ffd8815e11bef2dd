"""Group-time effects: what treatment did in period t to those whose treatment started in period g.

Callaway and Sant'Anna (Difference-in-differences with multiple time periods, Journal of Econometrics 225,
2021): for each group and period a two-period difference-in-differences against units not (yet) treated,
with the doubly robust score of Sant'Anna and Zhao (Doubly robust difference-in-differences estimators,
Journal of Econometrics 219, 2020, eq. 2.5),

``ATT(g, t) = mean(w1 r) - mean(w0 r)``, ``r = (Y_t - Y_base) - mu(X)``, ``w1 = G / mean(G)``,
``w0 = C e/(1 - e) / mean(C e/(1 - e))``, ``e = P(G = 1 | X, G + C = 1)``,
``mu = E[Y_t - Y_base | X, C = 1]``.

Influence values are ``w1 (r - mean(w1 r)) - w0 (r - mean(w0 r))``; the error of ``e`` and ``mu`` drops out
when they are cross-fitted. Covariates are those of the base period.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from suppose.core.random import integer_seed
from suppose.effects.crossfit import Nuisance, cross_fit

__all__ = ["Cell", "Wide", "attgt", "doubly_robust", "plan_cells"]

BOUND = 1e-3


@dataclasses.dataclass(frozen=True)
class Wide:
    """A panel with one row per unit.

    ``y`` (N, T) outcomes, NaN where not seen; ``x`` (n, p) covariates of the rows and ``row`` (N, T) which row
    is that of a unit and period, -1 for none; ``start`` (N,) period code of the first treatment, T for never;
    ``folds`` (N, repeats).
    """

    y: np.ndarray
    x: np.ndarray
    row: np.ndarray
    start: np.ndarray
    folds: np.ndarray

    @property
    def periods(self) -> int:
        """Number of periods."""
        return int(self.y.shape[1])


@dataclasses.dataclass(frozen=True)
class Cell:
    """One group-time effect to compute: group, period and base period, as period codes."""

    group: int
    time: int
    base: int


def plan_cells(starts: Int[np.ndarray, " k"], periods: int, *, anticipation: int, base: str) -> list[Cell]:
    """The cells of all groups and periods.

    After the start the base is the last period before it (and before any anticipation); earlier, it is the
    period before (``varying``) or the same one (``universal``).

    Examples
    --------
    >>> [(cell.time, cell.base) for cell in plan_cells(np.array([2]), 4, anticipation=0, base="varying")]
    [(1, 0), (2, 1), (3, 1)]
    """
    cells = []
    for group in starts:
        last = int(group) - 1 - anticipation
        if last < 0:
            continue
        for time in range(periods):
            before = last if base == "universal" or time > last else time - 1
            if before >= 0 and time != before:
                cells.append(Cell(int(group), time, before))
    return cells


def doubly_robust(
    change: Float[np.ndarray, " n"],
    treated: Bool[np.ndarray, " n"],
    mu: Float[np.ndarray, "n *repeats"],
    e: Float[np.ndarray, "n *repeats"],
) -> tuple[np.ndarray, np.ndarray]:
    """Estimate and influence values of one cell, for each repeat.

    Examples
    --------
    >>> change, treated = np.array([3.0, 5.0, 1.0, 1.0]), np.array([True, True, False, False])
    >>> estimate, influence = doubly_robust(change, treated, np.zeros((4, 1)), np.full((4, 1), 0.5))
    >>> estimate, influence[:, 0]
    (array([3.]), array([-2.,  2., -0., -0.]))
    """
    shape = (-1,) + (1,) * (mu.ndim - 1)
    g = treated.reshape(shape).astype(np.float64)
    residual = change.reshape(shape) - mu
    odds = (1.0 - g) * e / (1.0 - e)
    w1, w0 = g / g.mean(axis=0), odds / odds.mean(axis=0)
    first, second = (w1 * residual).mean(axis=0), (w0 * residual).mean(axis=0)
    return first - second, w1 * (residual - first) - w0 * (residual - second)


def attgt(wide: Wide, cell: Cell, settings: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, int, int] | None:
    """Estimate (repeats,), influence (N, repeats), treated and control units of a cell; None if too few.

    Influence values are scaled to all N units, zero for those outside the cell.
    """
    total, repeats = wide.folds.shape
    treated = wide.start == cell.group
    horizon = max(cell.time, cell.base) + settings["anticipation"]
    control = wide.start == wide.periods
    if settings["control"] == "not-yet-treated":
        control = control | (wide.start > horizon)
    control &= ~treated
    seen = ~np.isnan(wide.y[:, cell.time]) & ~np.isnan(wide.y[:, cell.base])
    used = np.flatnonzero((treated | control) & seen)
    inside = treated[used]
    counts = int(inside.sum()), int((~inside).sum())
    if min(counts) < settings["minimum"]:
        return None
    change = wide.y[used, cell.time] - wide.y[used, cell.base]
    x = wide.x[wide.row[used, cell.base]]
    mu, e = _nuisances(wide, cell, x, change, inside, wide.folds[used], settings)
    estimate, influence = doubly_robust(change, inside, mu, e)
    whole = np.zeros((total, repeats))
    whole[used] = influence * (total / len(used))
    return estimate, whole, *counts


def _nuisances(
    wide: Wide, cell: Cell, x: np.ndarray, change: np.ndarray, inside: np.ndarray, folds: np.ndarray,
    settings: dict[str, Any],
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Cross-fitted ``mu`` and bounded ``e``; means and shares where there are no covariates."""
    if x.shape[1] == 0:
        mean = np.full(folds.shape, change[~inside].mean())
        return mean, np.full(folds.shape, inside.mean())
    dense = np.stack([np.unique(column, return_inverse=True)[1] for column in folds.T], axis=1)
    tasks = [
        Nuisance("change", settings["outcome_learner"], change, "outcome_learner", rows=~inside),
        Nuisance(
            "group", settings["propensity_learner"], inside.astype(np.int64), "propensity_learner", 2,
            (0.0, 1.0),
        ),
    ]  # fmt: skip
    seed = integer_seed(settings["seed"], "cell", cell.group, cell.time, cell.base)
    fit = cross_fit(tasks, x, dense, seed=seed, jobs=settings["jobs"], backend=settings["backend"])
    return fit.predictions["change"], np.clip(fit.predictions["group"], BOUND, 1.0 - settings["trim"])
