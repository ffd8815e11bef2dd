"""Kaplan-Meier and Nelson-Aalen: survival and cumulative hazard without a model, and the log-rank test.

Kaplan & Meier 1958 (JASA 53) with Greenwood's variance and intervals on the scale ``log(-log S)``; Nelson 1972 and
Aalen 1978 with the variance ``sum d (n - d) / n^3`` and intervals on the logarithm; the log-rank test with the
hypergeometric variance (Mantel 1966). Left truncation and weights (taken as counts) are allowed.

They are estimators like their parametric sibling, but take no covariates: ``by`` names a column whose groups have
curves of their own. What they do not do: interval censoring, smoothing, stratified tests.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped
from scipy import stats
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from suppose.core.errors import DataError, EstimationError
from suppose.core.figures import PALETTE, new_axes
from suppose.effects.base import is_number
from suppose.effects.survival.formula import Column
from suppose.effects.survival.material import SurvivalRoles, read_covariates, read_survival
from suppose.effects.survival.records import concordance

__all__ = ["KaplanMeier", "LogRank", "NelsonAalen", "RiskTable", "StepCurve", "log_rank", "risk_table"]


@dataclasses.dataclass(frozen=True)
class RiskTable:
    """Distinct event times with the (weighted) numbers of events and of rows at risk just before."""

    times: np.ndarray
    events: np.ndarray
    at_risk: np.ndarray


def risk_table(
    time: Float[np.ndarray, " n"],
    event: Float[np.ndarray, " n"],
    entry: Float[np.ndarray, " n"] | None = None,
    weight: Float[np.ndarray, " n"] | None = None,
) -> RiskTable:
    """Events and rows at risk at each distinct event time; a row is at risk on ``(entry, time]``.

    Examples
    --------
    >>> table = risk_table(np.array([1.0, 2.0, 2.0, 3.0]), np.array([1.0, 1.0, 0.0, 1.0]))
    >>> table.times.tolist(), table.at_risk.tolist()
    ([1.0, 2.0, 3.0], [4.0, 3.0, 1.0])
    """
    w = np.ones(len(time)) if weight is None else weight
    happened = event == 1
    times, index = np.unique(time[happened], return_inverse=True)
    events = np.bincount(index, weights=w[happened], minlength=len(times))
    at_risk = _sum_from(time, w, times)
    if entry is not None and (entry > 0).any():
        at_risk = at_risk - _sum_from(entry, w, times)
    return RiskTable(times, events, at_risk)


def _sum_from(values: np.ndarray, weight: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Weight of rows whose value is at or beyond each time."""
    order = np.argsort(values, kind="stable")
    above = np.concatenate([np.cumsum(weight[order][::-1])[::-1], [0.0]])
    return np.asarray(above[np.searchsorted(values[order], times, side="left")])


@dataclasses.dataclass(frozen=True)
class StepCurve:
    """A step function of time with its pointwise interval; it holds from each time up to the next.

    Attributes
    ----------
    name, group : str
        What it is, and of which group (empty: all rows).
    times, estimate, standard_error, low, high, at_risk, events : (m,) arrays
        At the distinct event times.
    last : float
        Longest duration: nothing is known beyond.
    level : float
        Coverage of the interval.
    """

    name: str
    group: str
    times: np.ndarray
    estimate: np.ndarray
    standard_error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    last: float
    level: float

    def at(self, times: Any) -> np.ndarray:
        """The estimate at any times (the last value beyond the end)."""
        start = 1.0 if self.name == "survival" else 0.0
        place = np.searchsorted(self.times, np.asarray(times, dtype=float), side="right")
        return np.asarray(np.concatenate([[start], self.estimate])[place])

    @property
    def median(self) -> float:
        """First time at which at most half survive; infinite when more than half do to the end."""
        below = self.estimate <= 0.5 if self.name == "survival" else self.estimate >= np.log(2.0)
        return float(self.times[np.argmax(below)]) if below.any() else float("inf")

    def to_frame(self) -> Any:
        """One row per event time, as a pandas frame."""
        import pandas as pd

        names = ("times", "at_risk", "events", "estimate", "standard_error", "low", "high")
        return pd.DataFrame(
            {name.removesuffix("s") if name == "times" else name: getattr(self, name) for name in names}
        )

    def plot(
        self, ax: Any = None, *, colour: str = "blue", label: str | None = None, band: bool = True
    ) -> Any:
        """Draw the steps with their band; takes and returns matplotlib Axes."""
        ax = new_axes(ax)
        start = 1.0 if self.name == "survival" else 0.0
        x = np.concatenate([[0.0], self.times, [max(self.last, self.times[-1])]])
        lines = [np.concatenate([[start], y, y[-1:]]) for y in (self.estimate, self.low, self.high)]
        shade = PALETTE[colour]
        if band:
            ax.fill_between(x, lines[1], lines[2], step="post", color=shade, alpha=0.12, linewidth=0)
        ax.step(x, lines[0], where="post", color=shade, linewidth=1.4, label=label or self.group or None)
        ax.set(xlabel="time", ylabel=self.name)
        return ax

    def __str__(self) -> str:
        group = f" of {self.group}" if self.group else ""
        events = f"{self.events.sum():,.0f} events"
        return f"{self.name}{group}: {events}, median {self.median:.4g}, last {self.estimate[-1]:.3g}"


class _Nonparametric(RegressorMixin, BaseEstimator, ABC):
    """What the two estimators share: reading, grouping, predicting a median."""

    event: Any
    entry: Any
    weights: Any
    by: Any
    level: Any

    def fit(self, X: Any, y: Any) -> Any:
        """Estimate the curve of each group.

        Parameters
        ----------
        X : frame or (n, columns) array
            Holds the columns of the roles; others are ignored.
        y : (n,) array or series
            Durations, above 0.

        Raises
        ------
        DataError, EstimationError
            For material or settings that cannot be used, in words.
        """
        if not is_number(self.level) or not 0 < self.level < 1:
            raise EstimationError(
                "bad-level", f"expected a share between 0 and 1, got {self.level!r}", where="level",
                remedy="Write level=0.95 for a 95% interval.",
            )  # fmt: skip
        wanted = set() if self.by is None else {self._by_name()}
        observed = read_survival(
            self, X, y, SurvivalRoles(self.event, self.entry, None, self.weights), wanted
        )
        if observed.n < 2:
            raise DataError(
                "too-few-rows", f"expected at least 2 rows, got n_samples = {observed.n}", where="X",
                remedy="Give more rows.",
            )  # fmt: skip
        self.groups_, codes = self._groups(observed.covariates, observed.n)
        self.curves_ = tuple(
            self._curve(observed, codes == code, group) for code, group in enumerate(self.groups_)
        )
        self.curve_ = self.curves_[0]
        self.columns_ = {} if self.by is None else {self._by_name(): observed.covariates[self._by_name()]}
        return self

    def _by_name(self) -> str:
        return f"x{self.by}" if isinstance(self.by, int) else str(self.by)

    def _groups(self, covariates: dict[str, Column], n: int) -> tuple[tuple[str, ...], np.ndarray]:
        if self.by is None:
            return ("",), np.zeros(n, dtype=np.int64)
        if self._by_name() not in covariates:
            raise DataError(
                "missing-column", f"there is no such column to group by; there are: {', '.join(covariates)}",
                where=f"by {self.by!r}", remedy="Name a column without another role.",
            )  # fmt: skip
        return _group_codes(covariates[self._by_name()])

    def _curve(self, observed: Any, rows: np.ndarray, group: str) -> StepCurve:
        if not (observed.event[rows] == 1).any():
            raise DataError(
                "no-events", "no row of this group has an event", where=f"group {group!r}",
                remedy="Merge groups, or leave this one out.",
            )  # fmt: skip
        table = risk_table(
            observed.time[rows], observed.event[rows], observed.entry[rows], observed.weight[rows]
        )
        z = float(stats.norm.ppf(0.5 + float(self.level) / 2))
        estimate, se, low, high = self._steps(table, z)
        name = "survival" if isinstance(self, KaplanMeier) else "cumulative hazard"
        return StepCurve(
            name, group, table.times, estimate, se, low, high, table.at_risk, table.events,
            float(observed.time[rows].max()), float(self.level),
        )  # fmt: skip

    @abstractmethod
    def _steps(self, table: RiskTable, z: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]: ...

    def _codes(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "curves_")
        covariates, n = read_covariates(self, X, self.columns_)
        if self.by is None:
            return np.zeros(n, dtype=np.int64)
        column = covariates[self._by_name()]
        labels = column.values if column.levels is None else np.asarray(column.levels)[column.values]
        words = [f"{v:g}" if column.levels is None else str(v) for v in labels]
        unknown = sorted(set(words) - set(self.groups_))
        if unknown:
            raise DataError(
                "unknown-level", f"the fit has not seen {unknown[0]!r}", where=f"by {self.by!r}",
                remedy=f"Known groups: {', '.join(self.groups_)}.",
            )  # fmt: skip
        return np.array([self.groups_.index(word) for word in words])

    def predict(self, X: Any) -> Float[np.ndarray, " n"]:
        """Median of each row's group, (n,); infinite where more than half survive to the end."""
        codes = self._codes(X)
        return np.asarray(np.array([curve.median for curve in self.curves_])[codes])

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Concordance of the groups' medians with the durations (0.5 without groups)."""
        return concordance(np.asarray(y, dtype=float), self.predict(X))

    def to_frame(self) -> Any:
        """All curves, one row per group and event time, as a pandas frame."""
        import pandas as pd

        check_is_fitted(self, "curves_")
        return pd.concat([c.to_frame().assign(group=c.group) for c in self.curves_], ignore_index=True)

    def plot(self, ax: Any = None) -> Any:
        """Draw all curves; takes and returns matplotlib Axes."""
        ax = new_axes(ax)
        colours = [name for name in PALETTE if name not in ("ink", "muted", "rule")]
        for index, curve in enumerate(self.curves_):
            curve.plot(ax, colour=colours[index % len(colours)])
        if len(self.curves_) > 1:
            ax.legend()
        return ax

    def __str__(self) -> str:
        return "\n".join(map(str, self.curves_)) if hasattr(self, "curves_") else repr(self)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "curves_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        tags.regressor_tags.poor_score = True
        return tags


def _group_codes(column: Column) -> tuple[tuple[str, ...], np.ndarray]:
    if column.levels is not None:
        return column.levels, column.values
    values, codes = np.unique(column.values, return_inverse=True)
    return tuple(f"{value:g}" for value in values), codes


class KaplanMeier(_Nonparametric):
    """Survival without a model.

    Parameters
    ----------
    event, entry, weights, by : str or int, optional
        Columns of ``X``: 1 for an event, start of observation, weights as counts, groups.
    level : float
        Coverage of the intervals.

    Examples
    --------
    >>> model = KaplanMeier(event=0).fit(np.array([[1], [0], [1], [1]]), np.array([1.0, 2.0, 3.0, 4.0]))
    >>> model.curve_.estimate.tolist(), model.curve_.median
    ([0.75, 0.375, 0.0], 3.0)
    """

    def __init__(
        self, event: Any = None, *, entry: Any = None, weights: Any = None, by: Any = None, level: Any = 0.95
    ) -> None:
        self.event = event
        self.entry = entry
        self.weights = weights
        self.by = by
        self.level = level

    def _steps(self, table: RiskTable, z: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        n, d = table.at_risk, table.events
        survival = np.cumprod(1.0 - d / n)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.sqrt(np.cumsum(d / (n * (n - d))))
            inside = (survival > 0) & (survival < 1)
            log_s = np.log(np.where(inside, survival, 0.5))
            reach = np.where(inside, z * spread / -log_s, 0.0)
        low = np.where(inside, np.exp(log_s * np.exp(reach)), survival)
        high = np.where(inside, np.exp(log_s * np.exp(-reach)), survival)
        return survival, survival * np.where(inside, spread, 0.0), low, high


class NelsonAalen(_Nonparametric):
    """Cumulative hazard without a model.

    Parameters
    ----------
    event, entry, weights, by : str or int, optional
        Columns of ``X``: 1 for an event, start of observation, weights as counts, groups.
    level : float
        Coverage of the intervals.

    Examples
    --------
    >>> model = NelsonAalen(event=0).fit(np.array([[1], [0], [1]]), np.array([1.0, 2.0, 4.0]))
    >>> model.curve_.estimate.round(4).tolist()
    [0.3333, 1.3333]
    """

    def __init__(
        self, event: Any = None, *, entry: Any = None, weights: Any = None, by: Any = None, level: Any = 0.95
    ) -> None:
        self.event = event
        self.entry = entry
        self.weights = weights
        self.by = by
        self.level = level

    def _steps(self, table: RiskTable, z: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        n, d = table.at_risk, table.events
        hazard = np.cumsum(d / n)
        spread = np.sqrt(np.cumsum(d * (n - d) / n**3))
        reach = np.exp(z * spread / hazard)
        return hazard, spread, hazard / reach, hazard * reach


@dataclasses.dataclass(frozen=True)
class LogRank:
    """Log-rank test that all groups have the same hazard: statistic, degrees of freedom, p-value."""

    statistic: float
    freedom: int
    p_value: float
    observed: dict[str, float]
    expected: dict[str, float]

    def to_frame(self) -> Any:
        """Observed and expected events, one row per group, as a pandas frame."""
        import pandas as pd

        return pd.DataFrame({"group": list(self.observed), "observed": list(self.observed.values()),
                             "expected": list(self.expected.values())})  # fmt: skip

    def __str__(self) -> str:
        return f"log-rank: {self.statistic:.4g} on {self.freedom} degrees of freedom, p = {self.p_value:.3g}"


def log_rank(
    time: Float[np.ndarray, " n"], event: Float[np.ndarray, " n"], group: Shaped[np.ndarray, " n"],
    entry: Float[np.ndarray, " n"] | None = None,
) -> LogRank:  # fmt: skip
    """Test that groups have the same hazard.

    Parameters
    ----------
    time, event : (n,) arrays
        Durations; 1 for an event.
    group : (n,) array
        Group of each row.
    entry : (n,) array, optional
        Start of observation.

    Raises
    ------
    DataError
        ``one-group`` for fewer than two groups.

    Examples
    --------
    >>> test = log_rank(np.arange(1.0, 9.0), np.ones(8), np.array([0, 0, 0, 0, 1, 1, 1, 1]))
    >>> round(test.statistic, 3), test.freedom
    (7.344, 1)
    """
    names, codes = np.unique(np.asarray([str(item) for item in group]), return_inverse=True)
    if len(names) < 2:
        raise DataError(
            "one-group", "expected at least two groups", where="group", remedy="Compare two groups or more."
        )
    whole = risk_table(time, event, entry)
    d, n = whole.events, whole.at_risk
    parts = [
        _aligned(
            time[codes == k], event[codes == k], None if entry is None else entry[codes == k], whole.times
        )
        for k in range(len(names))
    ]
    own, at_risk = np.stack([part[0] for part in parts]), np.stack([part[1] for part in parts])
    share = at_risk / n
    expected = (share * d).sum(axis=1)
    observed = own.sum(axis=1)
    factor = np.where(n > 1, d * (n - d) / np.maximum(n - 1, 1), 0.0)
    covariance = np.diag((factor * share).sum(axis=1)) - (share * factor) @ share.T
    gap = (observed - expected)[:-1]
    statistic = float(gap @ np.linalg.pinv(covariance[:-1, :-1]) @ gap)
    freedom = len(names) - 1
    return LogRank(
        statistic, freedom, float(stats.chi2.sf(statistic, freedom)),
        dict(zip(names.tolist(), observed.tolist(), strict=True)),
        dict(zip(names.tolist(), expected.tolist(), strict=True)),
    )  # fmt: skip


def _aligned(
    time: np.ndarray, event: np.ndarray, entry: np.ndarray | None, times: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Events and rows at risk of one group at the event times of all."""
    place = np.searchsorted(times, time[event == 1])
    w = np.ones(len(time))
    at_risk = _sum_from(time, w, times)
    if entry is not None:
        at_risk = at_risk - _sum_from(entry, w, times)
    return np.bincount(place, minlength=len(times)).astype(float), at_risk
