"""Group-time effects put together, with intervals that hold for all of them at once.

Callaway and Sant'Anna (2021), section 3: ``simple`` averages over all groups and periods of treatment,
``group`` over the periods of each group, ``calendar`` over the groups treated in each period, ``event`` over
groups at each time since the start. Weights are shares of groups; that they are estimated enters the
influence values. Simultaneous intervals come from the multiplier bootstrap (their algorithm 1), with
Mammen's two-point weights, drawn once for each cluster.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from suppose.core.errors import EstimationError
from suppose.core.figures import PALETTE, new_axes
from suppose.core.random import generator

__all__ = ["KINDS", "Aggregate", "AggregateRow", "aggregate", "critical_value", "influence_errors"]

KINDS = ("simple", "group", "calendar", "event")
CHUNK = 1 << 22  # multiplier weights drawn at once


@dataclasses.dataclass(frozen=True)
class AggregateRow:
    """One figure: pointwise interval ``low, high``, and the one that holds for all rows together."""

    name: str
    estimate: float
    standard_error: float
    low: float
    high: float
    simultaneous_low: float
    simultaneous_high: float
    p_value: float


@dataclasses.dataclass(frozen=True)
class Aggregate:
    """Group-time effects put together one way.

    ``overall`` is their average; ``rows`` one for each group, period, or time since the start (``at``).
    """

    kind: str
    overall: AggregateRow
    rows: tuple[AggregateRow, ...]
    at: tuple[float, ...]
    level: float
    critical_value: float

    def to_frame(self) -> Any:
        """Overall and rows as a pandas frame."""
        import pandas as pd

        return pd.DataFrame([dataclasses.asdict(row) for row in (self.overall, *self.rows)])

    def plot(self, ax: Any = None, *, unit: str = "") -> Any:
        """Effects with pointwise (thick) and simultaneous (thin) intervals; matplotlib Axes."""
        ax = new_axes(ax)
        rows = self.rows or (self.overall,)
        places = np.array(self.at) if self.rows else np.zeros(1)
        for place, row in zip(places, rows, strict=True):
            colour = PALETTE["muted"] if self.kind == "event" and place < 0 else PALETTE["blue"]
            ax.plot([place, place], [row.simultaneous_low, row.simultaneous_high], color=colour, linewidth=1)
            ax.plot([place, place], [row.low, row.high], color=colour, linewidth=3, solid_capstyle="round")
            ax.plot([place], [row.estimate], "o", color=colour, markersize=6)
        ax.axhline(0, color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)), zorder=0)
        words = {"event": "periods since the start of treatment", "group": "start of treatment",
                 "calendar": "period", "simple": ""}  # fmt: skip
        ax.set(xlabel=words[self.kind], ylabel=unit)
        ax.set_xticks(places if len(places) <= 12 else places[:: len(places) // 10 + 1])
        ax.grid(axis="y", linewidth=0.8)
        return ax

    def __str__(self) -> str:
        lines = [f"{self.kind}: {_words(self.overall, self.level)}"]
        return "\n".join([*lines, *(f"  {_words(row, self.level)}" for row in self.rows)])


def _words(row: AggregateRow, level: float) -> str:
    interval = f"{100 * level:g}% interval {row.low:.4g} to {row.high:.4g}"
    return f"{row.name}: {row.estimate:.4g} ({interval}; standard error {row.standard_error:.3g})"


def aggregate(
    kind: str,
    groups: Int[np.ndarray, " k"],
    times: Int[np.ndarray, " k"],
    estimates: Float[np.ndarray, " k"],
    influence: Float[np.ndarray, "units k"],
    start: Int[np.ndarray, " units"],
    *,
    labels: Any,
    level: float = 0.95,
    clusters: Int[np.ndarray, " units"] | None = None,
    draws: int = 999,
    seed: int = 0,
) -> Aggregate:
    """Put group-time effects together.

    Parameters
    ----------
    kind : {"simple", "group", "calendar", "event"}
    groups, times, estimates : (k,) arrays
        Group and period codes of the cells, and their effects.
    influence : (units, k) array
        Influence values of the cells.
    start : (units,) int array
        Group of each unit.
    labels : (T,) array
        What period codes stand for.
    level, clusters, draws, seed
        Of intervals and of the bootstrap behind the simultaneous ones.

    Raises
    ------
    EstimationError
        ``no-post-period`` when no cell lies after a start.
    """
    post = times >= groups
    if not post.any():
        raise EstimationError(
            "no-post-period", "no group is seen with controls in a period of its treatment", where="time",
            remedy="Check the control group and the first periods of treatment.",
        )  # fmt: skip
    keys = {"simple": np.zeros_like(groups), "group": groups, "calendar": times, "event": times - groups}[
        kind
    ]
    chosen = post if kind != "event" else np.ones_like(post)
    at = np.unique(keys[chosen])
    values, psi = [], []
    for key in at:
        value, error = _weighted(chosen & (keys == key), groups, estimates, influence, start)
        values.append(value)
        psi.append(error)
    theta, errors = np.array(values), np.column_stack(psi)
    overall, overall_error = _overall(kind, at, theta, errors, start)
    se = influence_errors(np.column_stack([overall_error, errors]), clusters)
    critical = critical_value(errors, se[1:], level=level, clusters=clusters, draws=draws, seed=seed)
    names = [_name(kind, int(key), labels) for key in at]
    place = [float(key) if kind in ("event", "simple") else _number(labels, int(key)) for key in at]
    rows = tuple(_row(*item, level, critical) for item in zip(names, theta, se[1:], strict=True))
    first = _row("average effect", overall, float(se[0]), level, float(stats.norm.ppf(0.5 + level / 2)))
    shown = () if kind == "simple" else rows
    return Aggregate(kind, first, shown, () if kind == "simple" else tuple(place), level, critical)


def _weighted(
    chosen: np.ndarray, groups: np.ndarray, estimates: np.ndarray, influence: np.ndarray, start: np.ndarray
) -> tuple[float, np.ndarray]:
    """Average of cells weighted by the size of their groups, and its influence values."""
    members = (start[:, None] == groups[chosen]).astype(np.float64)  # (units, cells)
    share = members.mean(axis=0)
    weights = share / share.sum()
    value = float(weights @ estimates[chosen])
    drift = ((members - share) @ (estimates[chosen] - value)) / share.sum()
    return value, influence[:, chosen] @ weights + drift


def _overall(
    kind: str, at: np.ndarray, theta: np.ndarray, errors: np.ndarray, start: np.ndarray
) -> tuple[float, np.ndarray]:
    """Average over rows: groups by their size, periods and times since the start alike."""
    if kind == "group":
        return _weighted(np.ones(len(at), dtype=bool), at, theta, errors, start)
    used = at >= 0
    return float(theta[used].mean()), errors[:, used].mean(axis=1)


def _name(kind: str, key: int, labels: Any) -> str:
    if kind == "event":
        return f"{key:+d} periods" if abs(key) != 1 else f"{key:+d} period"
    return (
        "average effect" if kind == "simple" else f"{'start' if kind == 'group' else 'period'} {labels[key]}"
    )


def _number(labels: Any, key: int) -> float:
    try:
        return float(labels[key])
    except (TypeError, ValueError):
        return float(key)


def _row(name: str, estimate: float, se: float, level: float, critical: float) -> AggregateRow:
    half = float(stats.norm.ppf(0.5 + level / 2)) * se
    p = float(2 * stats.norm.sf(abs(estimate) / se)) if se > 0 else float(estimate == 0)
    return AggregateRow(
        name, float(estimate), float(se), float(estimate - half), float(estimate + half),
        float(estimate - critical * se), float(estimate + critical * se), p,
    )  # fmt: skip


def influence_errors(
    psi: Float[np.ndarray, "units k"], clusters: Int[np.ndarray, " units"] | None = None
) -> Float[np.ndarray, " k"]:
    """Standard errors from influence values, summed within clusters where there are any.

    Examples
    --------
    >>> influence_errors(np.array([[1.0], [-1.0]])).round(4)
    array([0.7071])
    """
    return np.asarray(np.sqrt(np.sum(_sums(psi, clusters) ** 2, axis=0)) / len(psi))


def _sums(psi: Float[np.ndarray, "units k"], clusters: Int[np.ndarray, " units"] | None) -> np.ndarray:
    if clusters is None:
        return psi
    count = int(clusters.max()) + 1
    return np.column_stack([np.bincount(clusters, column, minlength=count) for column in psi.T])


def critical_value(
    psi: Float[np.ndarray, "units k"],
    se: Float[np.ndarray, " k"],
    *,
    level: float = 0.95,
    clusters: Int[np.ndarray, " units"] | None = None,
    draws: int = 999,
    seed: int = 0,
) -> float:
    """Quantile of the largest of k studentised errors under the multiplier bootstrap.

    Never below the pointwise normal quantile.

    Examples
    --------
    >>> psi = np.random.default_rng(0).normal(size=(500, 5))
    >>> 2.3 < critical_value(psi, influence_errors(psi)) < 2.8
    True
    """
    pointwise = float(stats.norm.ppf(0.5 + level / 2))
    used = se > 0
    if used.sum() < 2:
        return pointwise
    sums = _sums(psi, clusters)[:, used] / (len(psi) * se[used])
    random = generator(seed, "multiplier bootstrap")
    root = np.sqrt(5.0)
    step = max(1, CHUNK // len(sums))
    largest = np.empty(draws)
    for first in range(0, draws, step):
        count = min(step, draws - first)
        low = random.random((count, len(sums))) < (root + 1) / (2 * root)
        weights = np.where(low, (1 - root) / 2, (1 + root) / 2)
        largest[first : first + count] = np.abs(weights @ sums).max(axis=1)
    return max(pointwise, float(np.quantile(largest, level)))
