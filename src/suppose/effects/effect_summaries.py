"""What can be claimed about an effect that differs between people: summaries with valid intervals.

- :func:`group_effects`: mean effect in the groups of a column, or of the predicted effect (GATES);
- :func:`best_linear_projection`: how the effect changes with each covariate, others held fixed;
- :func:`calibration_test`: whether predicted differences are real (slope 0?) and of the right size
  (slope 1?).

Each is a least-squares regression of the pseudo-outcomes ``phi`` of a fitted
:class:`~suppose.effects.heterogeneity.DRLearner` on a few columns. Standard errors are HC3, or CR1 with
clusters, intervals Student's t; with them come p-values adjusted for looking at all rows together (Holm)
and simultaneous (Bonferroni) intervals.

Sources: Semenova and Chernozhukov (Econometrics Journal, 2021), projections of doubly robust signals;
Chernozhukov, Demirer, Duflo and Fernandez-Val, "Generic machine learning inference on heterogeneous
treatment effects" (2018), sorted group effects and the best linear predictor of the effect. Deviation: one
round of K-fold cross-fitting with doubly robust scores instead of medians over half-sample splits;
quantile groups and the slope's regressor are formed within folds.

Not done: groups searched for in the data (trees), intervals uniform over a curve.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from suppose.core.answer import format_number
from suppose.core.errors import DataError, EstimationError
from suppose.core.figures import PALETTE, forest, new_axes
from suppose.effects.designs import Design, read_material
from suppose.effects.heterogeneity import DRLearner, out_of_fold_effects
from suppose.effects.linear_inference import (
    SummaryRow,
    linear_inference,
    rows_frame,
    summary_rows,
)

__all__ = [
    "Calibration",
    "GroupEffects",
    "LinearProjection",
    "best_linear_projection",
    "calibration_test",
    "group_effects",
]


@dataclasses.dataclass(frozen=True)
class GroupEffects:
    """Mean effect in each group, the test that all are the same, and the last group minus the first.

    ``p_equal`` is the p-value of the F test that every group has the same mean effect.
    """

    by: str
    rows: tuple[SummaryRow, ...]
    difference: SummaryRow
    p_equal: float
    average: float
    level: float

    @property
    def words(self) -> str:
        """What was found, in words."""
        ends = f"{format_number(self.difference.estimate)} ({format_number(self.difference.low)} to "
        ends += f"{format_number(self.difference.high)})"
        differ = (
            f"The effect differs between groups of {self.by} (p = {self.p_equal:.2g})"
            if self.p_equal < 1 - self.level
            else f"No difference between groups of {self.by} can be shown (p = {self.p_equal:.2g})"
        )
        return f"{differ}; {self.difference.name}: {ends}."

    def to_frame(self) -> Any:
        """One row per group, as a pandas frame."""
        return rows_frame(self.rows)

    def __str__(self) -> str:
        return "\n".join([self.words, *(f"  {_row_text(row)}" for row in self.rows)])

    def plot(self, ax: Any = None) -> Any:
        """Effects of the groups with pointwise intervals and the average; takes and returns Axes."""
        rows = [(row.name, row.estimate, row.low, row.high) for row in self.rows]
        ax = forest(rows, unit="effect, in units of the outcome", emphasis=-1, ax=ax)
        _recolour(ax)
        ax.axvline(self.average, color=PALETTE["orange"], linewidth=1.4, label="average effect")
        ax.set_title(f"Effect by {self.by}")
        ax.legend(loc="best")
        return ax


@dataclasses.dataclass(frozen=True)
class LinearProjection:
    """Best linear approximation of the effect: change of the effect per unit of each covariate.

    ``intercept`` is the effect at the covariates' means; ``spread`` holds their standard deviations.
    """

    intercept: SummaryRow
    rows: tuple[SummaryRow, ...]
    spread: tuple[float, ...]
    level: float

    @property
    def words(self) -> str:
        """What was found, in words."""
        shown = [row.name for row in self.rows if row.p_holm < 1 - self.level]
        if not shown:
            return "No covariate can be shown to change the effect linearly, all looked at together (Holm)."
        return f"The effect changes with {', '.join(shown)} (Holm-adjusted p below {1 - self.level:.2g})."

    def to_frame(self) -> Any:
        """One row per covariate, the effect at the means first, as a pandas frame."""
        return rows_frame((self.intercept, *self.rows))

    def __str__(self) -> str:
        return "\n".join([self.words, *(f"  {_row_text(row)}" for row in (self.intercept, *self.rows))])

    def plot(self, ax: Any = None) -> Any:
        """Change of the effect per standard deviation of each covariate; takes and returns Axes."""
        rows = [
            (row.name, row.estimate * s, row.low * s, row.high * s)
            for row, s in zip(self.rows, self.spread, strict=True)
        ]
        ax = forest(rows, unit="change of the effect per standard deviation", emphasis=-1, ax=ax)
        _recolour(ax)
        ax.set_title("What the effect changes with")
        return ax


@dataclasses.dataclass(frozen=True)
class Calibration:
    """Best linear predictor of the effect from its out-of-fold prediction.

    Null of ``p_heterogeneity``: the slope is zero, predicted differences have nothing to do with real ones
    (one-sided, against a positive slope). Null of ``p_calibrated``: the slope is one (two-sided).
    ``bins`` are (mean prediction, mean ``phi``, low, high) of the bins of the figure.
    """

    average: SummaryRow
    slope: SummaryRow
    p_heterogeneity: float
    p_calibrated: float
    level: float
    bins: tuple[tuple[float, float, float, float], ...] = dataclasses.field(repr=False)

    @property
    def verdict(self) -> str:
        """``passes``: real and of the right size; ``warns``: real, wrong size; ``informs``: not shown."""
        if not self.p_heterogeneity < 1 - self.level:
            return "informs"
        return "passes" if self.p_calibrated >= 1 - self.level else "warns"

    @property
    def words(self) -> str:
        """The verdict in words."""
        slope = f"slope {self.slope.estimate:.2f} ({self.slope.low:.2f} to {self.slope.high:.2f})"
        if self.verdict == "informs":
            return f"Predicted differences in the effect cannot be told from noise: {slope}."
        if self.verdict == "passes":
            return f"Predicted differences in the effect are real and of about the right size: {slope}."
        side = "overstated" if self.slope.estimate < 1 else "understated"
        return f"Predicted differences in the effect are real but {side}: {slope}, 1 would be right."

    def to_frame(self) -> Any:
        """Average effect and slope, as a pandas frame."""
        return rows_frame((self.average, self.slope))

    def __str__(self) -> str:
        return self.words

    def plot(self, ax: Any = None) -> Any:
        """Mean ``phi`` against mean prediction in bins, with the line of equality; takes and returns Axes."""
        ax = new_axes(ax)
        centre = [point[0] for point in self.bins]
        for predicted, _, low, high in self.bins:
            ax.plot([predicted, predicted], [low, high], color=PALETTE["blue"], linewidth=2.2)
        ax.plot(centre, [point[1] for point in self.bins], "o", color=PALETTE["blue"], markersize=7)
        ends = [min(centre), max(centre)]
        ax.plot(
            ends, ends, color=PALETTE["muted"], linewidth=1.2, linestyle=(0, (4, 3)), label="as predicted"
        )
        middle = float(np.mean(centre))
        line = [self.average.estimate + self.slope.estimate * (end - middle) for end in ends]
        ax.plot(ends, line, color=PALETTE["orange"], linewidth=1.8, label=f"slope {self.slope.estimate:.2f}")
        ax.set(
            xlabel="predicted effect (out of fold)", ylabel="effect found", title="Calibration of the effect"
        )
        ax.grid(axis="y", linewidth=0.8)
        ax.legend(loc="upper left")
        return ax


def _row_text(row: SummaryRow) -> str:
    low, high = format_number(row.low, beside=row.high), format_number(row.high, beside=row.low)
    return f"{row.name}: {format_number(row.estimate)} ({low} to {high}; Holm p {row.p_holm:.2g})"


def _recolour(ax: Any) -> None:
    """All rows in the main colour: none of them is the headline."""
    for line in ax.lines:
        if line.get_linestyle() in ("-", "None"):
            line.set_color(PALETTE["blue"])


def group_effects(
    learner: DRLearner,
    X: Any,
    y: Any = None,
    *,
    by: Any = "effect",
    groups: int = 5,
    level: float | None = None,
    jobs: int | None = 1,
) -> GroupEffects:
    """Mean effect in each group (GATES).

    Parameters
    ----------
    learner : DRLearner
        Fitted on ``X``, ``y``.
    X, y
        What it was fitted on; ``y`` is needed when sorting by the predicted effect.
    by : "effect", a column of ``X``, or array (n,)
        Groups by quantiles of the out-of-fold effect; by the levels of a column (by its quantiles when it has
        more levels than ``groups`` and 10); or by labels given.
    groups : int
        Number of quantile groups.
    level : float, optional
        Coverage of the intervals; the learner's when left out.
    jobs : int, optional
        Folds refitted at the same time when sorting by the predicted effect.

    Raises
    ------
    DataError
        ``one-group`` when fewer than two groups have two rows or more.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, d = rng.integers(0, 2, 600).astype(float), rng.integers(0, 2, 600).astype(float)
    >>> X = np.c_[d, x]
    >>> learner = DRLearner(folds=2).fit(X, d * (1 + x) + 0.1 * rng.normal(size=600))
    >>> [(row.name, round(row.estimate, 1)) for row in group_effects(learner, X, by=1).rows]
    [('1 = 0', 1.0), ('1 = 1', 2.0)]
    """
    level = learner.level if level is None else level
    phi, clusters = _signals(learner, X)
    if isinstance(by, str) and by == "effect" and not _has_column(X, "effect"):
        if y is None:
            raise DataError(
                "outcome-needed", "sorting by the predicted effect refits the learner and needs the outcome",
                where="y", remedy="Pass the y the learner was fitted on.",
            )  # fmt: skip
        predicted = out_of_fold_effects(learner, X, y, jobs=jobs)
        labels, names, title = _sorted_groups(predicted, learner.folds_[:, 0], groups)
    else:
        labels, names, title = _column_groups(X, by, groups)
    used = learner.kept_
    return _group_table(phi[used], labels[used], names, title, clusters[used] if clusters is not None else None,
                        level)  # fmt: skip


def _signals(learner: DRLearner, X: Any) -> tuple[Float[np.ndarray, " n"], Int[np.ndarray, " n"] | None]:
    phi = learner.pseudo_outcomes_
    clusters = read_material(X, Design(learner.treatment, learner.covariates, learner.cluster)).clusters
    count = len(X) if hasattr(X, "__len__") else X.num_rows
    if count != len(phi):
        raise DataError(
            "not-the-fitted-rows", f"expected the {len(phi):,} rows of fit, got {count:,}", where="X",
            remedy="Pass the table the learner was fitted on.",
        )  # fmt: skip
    return phi, clusters


def _has_column(X: Any, name: str) -> bool:
    return bool(nw.dependencies.is_into_dataframe(X)) and name in nw.from_native(X, eager_only=True).columns


def _sorted_groups(
    predicted: Float[np.ndarray, " n"], folds: Int[np.ndarray, " n"], groups: int
) -> tuple[Int[np.ndarray, " n"], list[str], str]:
    """Quantile groups of the predicted effect, formed within each fold; ties in row order."""
    labels = np.empty(len(predicted), dtype=np.int64)
    for fold in np.unique(folds):
        inside = np.flatnonzero(folds == fold)
        rank = np.argsort(np.argsort(predicted[inside], kind="stable"), kind="stable")
        labels[inside] = rank * groups // len(inside)
    names = [f"group {k + 1} of {groups}" for k in range(groups)]
    names[0], names[-1] = f"{names[0]} (lowest)", f"{names[-1]} (highest)"
    return labels, names, "predicted effect"


def _column_groups(X: Any, by: Any, groups: int) -> tuple[Int[np.ndarray, " n"], list[str], str]:
    """Groups by the levels, or the quantiles, of a column or of labels given."""
    if isinstance(by, np.ndarray) or (isinstance(by, Sequence) and not isinstance(by, str)):
        values, title = np.asarray(by), "the labels given"
    elif nw.dependencies.is_into_dataframe(X):
        frame = nw.from_native(X, eager_only=True)
        if by not in frame.columns:
            raise DataError(
                "missing-column", f"no such column; the table has: {', '.join(map(str, frame.columns))}",
                where=f"by {by!r}", remedy="Name a column of X, or give one label per row.",
            )  # fmt: skip
        values, title = frame.get_column(by).to_numpy(), str(by)
    else:
        values, title = np.asarray(X)[:, int(by)], str(by)
    levels, index = np.unique(values, return_inverse=True)
    if values.dtype.kind in "iufb" and len(levels) > max(groups, 10):
        edges = np.unique(np.quantile(values, np.linspace(0, 1, groups + 1)))
        index = np.clip(np.searchsorted(edges[1:-1], values, side="left"), 0, len(edges) - 2)
        shown = [format_number(float(edge)) for edge in edges]
        return (
            index.astype(np.int64),
            [f"{low} to {high}" for low, high in itertools.pairwise(shown)],
            title,
        )
    prefix = "" if title == "the labels given" else f"{title} = "
    texts = [f"{prefix}{value:g}" if values.dtype.kind in "iuf" else f"{prefix}{value}" for value in levels]
    return index.astype(np.int64), texts, title


def _group_table(
    phi: Float[np.ndarray, " n"], labels: Int[np.ndarray, " n"], names: Sequence[str], title: str,
    clusters: Int[np.ndarray, " n"] | None, level: float,
) -> GroupEffects:  # fmt: skip
    sizes = np.bincount(labels, minlength=len(names))
    present = [int(k) for k in np.flatnonzero(sizes)]
    if len(present) < 2 or sizes[present].min() < 2:
        raise DataError(
            "one-group", f"expected two groups or more with at least two rows each, got sizes {sizes.tolist()}",
            where=f"by {title}", remedy="Use fewer groups, or a column that varies.",
        )  # fmt: skip
    D = (labels[:, None] == present).astype(float)
    found = linear_inference(D, phi, clusters)
    k = len(present)
    rows = summary_rows(found, np.eye(k), [names[j] for j in present], sizes[present].tolist(), level)
    ends = np.zeros((1, k))
    ends[0, 0], ends[0, -1] = -1.0, 1.0
    label = f"{names[present[-1]]} minus {names[present[0]]}"
    difference = summary_rows(found, ends, [label], [len(phi)], level)[0]
    R = np.c_[-np.ones(k - 1), np.eye(k - 1)]  # every group minus the first
    gap, cov = R @ found.coefficients, R @ found.covariance @ R.T
    statistic = float(gap @ np.linalg.pinv(cov) @ gap) / (k - 1)
    p_equal = float(stats.f.sf(statistic, k - 1, found.freedom))
    return GroupEffects(title, rows, difference, p_equal, float(phi.mean()), level)


def best_linear_projection(
    learner: DRLearner, X: Any, columns: Sequence[Any] | None = None, *, level: float | None = None
) -> LinearProjection:
    """Linear summary of how the effect changes with covariates.

    Parameters
    ----------
    learner : DRLearner
        Fitted on ``X``.
    X : frame or array
        What it was fitted on.
    columns : sequence of names or positions, optional
        Covariates of the projection; those of the final learner when left out.
    level : float, optional
        Coverage of the intervals; the learner's when left out.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, d = rng.normal(size=600), rng.integers(0, 2, 600).astype(float)
    >>> learner = DRLearner(folds=2).fit(np.c_[d, x], d * (1 + x) + 0.1 * rng.normal(size=600))
    >>> round(best_linear_projection(learner, np.c_[d, x]).rows[0].estimate, 1)
    1.0
    """
    level = learner.level if level is None else level
    phi, clusters = _signals(learner, X)
    chosen = columns if columns is not None else learner.modifiers
    chosen = learner.covariates if chosen is None else chosen
    material = read_material(X, Design(learner.treatment, chosen, learner.cluster))
    used = learner.kept_
    V = material.covariates[used]
    D = np.c_[np.ones(len(V)), V - V.mean(axis=0)]
    found = linear_inference(D, phi[used], clusters[used] if clusters is not None else None)
    names = [str(name) for name in material.covariate_names]
    identity = np.eye(D.shape[1])
    intercept = summary_rows(found, identity[:1], ["effect at the means"], [len(V)], level)[0]
    rows = summary_rows(found, identity[1:], names, [len(V)] * len(names), level) if names else ()
    return LinearProjection(intercept, rows, tuple(float(s) for s in V.std(axis=0)), level)


def calibration_test(
    learner: DRLearner, X: Any, y: Any, *, level: float | None = None, bins: int = 5, jobs: int | None = 1
) -> Calibration:
    """Whether the learner's predicted differences in effect are real, and of the right size.

    Regresses ``phi`` on a constant and the out-of-fold prediction, centred within folds.

    Parameters
    ----------
    learner : DRLearner
        Fitted on ``X``, ``y``.
    X, y
        What it was fitted on.
    level : float, optional
        Coverage of the intervals; the learner's when left out.
    bins : int
        Bins of the figure.
    jobs : int, optional
        Folds refitted at the same time.

    Raises
    ------
    EstimationError
        ``no-variation`` when the learner predicts the same effect for everyone.
    """
    level = learner.level if level is None else level
    phi, clusters = _signals(learner, X)
    predicted, folds = out_of_fold_effects(learner, X, y, jobs=jobs), learner.folds_[:, 0]
    means = np.bincount(folds, predicted) / np.bincount(folds)
    centred = predicted - means[folds]
    if np.std(centred) <= 1e-12 * max(1.0, float(np.abs(predicted).max())):
        raise EstimationError(
            "no-variation", "the learner predicts the same effect for everyone, so there are no predicted "
            "differences to test", where="final_learner", remedy="Use a final learner that can tell rows apart.",
        )  # fmt: skip
    used = learner.kept_
    D = np.c_[np.ones(int(used.sum())), centred[used]]
    found = linear_inference(D, phi[used], clusters[used] if clusters is not None else None)
    average, slope = summary_rows(found, np.eye(2), ["average effect", "slope"], [len(D)] * 2, level)
    t = slope.estimate / slope.standard_error
    labels, _, _ = _sorted_groups(predicted[used], folds[used], bins)
    points = []
    for k in range(bins):
        values = phi[used][labels == k]
        half = float(stats.norm.ppf(0.5 + level / 2) * values.std(ddof=1) / np.sqrt(len(values)))
        middle = float(values.mean())
        points.append((float(predicted[used][labels == k].mean()), middle, middle - half, middle + half))
    return Calibration(
        average, slope, float(stats.t.sf(t, found.freedom)), found.p_value(np.array([0.0, 1.0]), 1.0), level,
        tuple(points),
    )  # fmt: skip
