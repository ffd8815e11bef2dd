"""What a fitted survival regression says: survival, hazards, quantiles, cure, and effects with intervals.

Row by row (``predict_*``), averaged over rows (``survival_curve``), as a contrast of two profiles
(``hazard_ratio``), and as the average effect of setting a treatment for everyone (``effect``; g-computation, Robins
1986). Quantiles are those of Burke, Jones & Noufaily (2020) in closed form; a marginal median solves the averaged
curve.

Intervals are delta-method intervals from the covariance of the coefficients: of a survival probability or a cure
fraction on the scale ``log(-log p)``, of a positive quantity (hazard ratio, restricted mean, median) on the logarithm,
of a difference as it is. They allow for the coefficients alone: averages are over the covariates of the rows given.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import narwhals as nw
import numpy as np
from jaxtyping import Float
from scipy import stats
from scipy.optimize import brentq

from suppose.core.errors import DataError, EstimationError, nearest
from suppose.core.figures import PALETTE, new_axes
from suppose.effects.base import check_choice, is_number
from suppose.effects.survival.apgw import LARGE, Terms, kernel
from suppose.effects.survival.formula import Column
from suppose.effects.survival.likelihood import PARAMETERS, linear_predictors

__all__ = ["Curve", "PredictionMethods", "SurvivalEffect", "concordance"]

MEASURES = ("survival", "rmst", "median", "cure")
NODES, WEIGHTS = np.polynomial.legendre.leggauss(80)


@dataclasses.dataclass(frozen=True)
class Curve:
    """A quantity over time with its pointwise interval.

    Attributes
    ----------
    name : str
        What it is, such as ``"survival"`` or ``"hazard ratio"``.
    times, estimate, standard_error, low, high : (m,) arrays
        The standard error is on the scale of the estimate.
    level : float
        Coverage of ``[low, high]`` at each time.
    """

    name: str
    times: np.ndarray
    estimate: np.ndarray
    standard_error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    level: float

    def to_frame(self) -> Any:
        """One row per time, as a pandas frame."""
        import pandas as pd

        return pd.DataFrame({
            "time": self.times, "estimate": self.estimate, "standard_error": self.standard_error, "low": self.low,
            "high": self.high,
        })  # fmt: skip

    def plot(self, ax: Any = None, *, colour: str = "blue", label: str | None = None) -> Any:
        """Draw the curve with its band; takes and returns matplotlib Axes."""
        ax = new_axes(ax)
        shade = PALETTE[colour]
        ax.fill_between(self.times, self.low, self.high, color=shade, alpha=0.15, linewidth=0)
        ax.plot(self.times, self.estimate, color=shade, linewidth=2, label=label)
        ax.set(xlabel="time", ylabel=self.name)
        return ax

    def __str__(self) -> str:
        shown = ", ".join(
            f"{e:.3g} at {t:g}" for t, e in list(zip(self.times, self.estimate, strict=True))[:5]
        )
        return f"{self.name}: {shown}{', ...' if len(self.times) > 5 else ''}"


@dataclasses.dataclass(frozen=True)
class SurvivalEffect:
    """Average effect of setting a treatment to one value rather than another.

    Attributes
    ----------
    measure : str
        ``"survival"`` (probability of no event by ``time``), ``"rmst"`` (mean time without event up to ``time``),
        ``"median"`` (time), or ``"cure"`` (share that never has the event).
    time : float or None
        Time or horizon, in the unit of the durations.
    treated, control : float
        The measure under each value, with ``*_low`` and ``*_high``.
    difference, standard_error, low, high : float
        Treated less control, and its interval of coverage ``level``.
    p_value : float
        Two-sided, null hypothesis: no difference.
    n : int
        Rows averaged over.
    """

    measure: str
    time: float | None
    treated: float
    treated_low: float
    treated_high: float
    control: float
    control_low: float
    control_high: float
    difference: float
    standard_error: float
    low: float
    high: float
    p_value: float
    level: float
    n: int
    method: str

    def to_frame(self) -> Any:
        """The effect as a pandas frame of one row."""
        import pandas as pd

        return pd.DataFrame([dataclasses.asdict(self)])

    def __str__(self) -> str:
        at = "" if self.time is None else f" at {self.time:g}"
        return (
            f"{self.measure}{at}: {self.treated:.4g} against {self.control:.4g}, difference {self.difference:.4g} "
            f"({100 * self.level:g}% interval {self.low:.4g} to {self.high:.4g}; p = {self.p_value:.2g})"
        )


Averaged = tuple[float, np.ndarray]  # a mean over rows and its gradient by the coefficients


class PredictionMethods:
    """Predictions of a fitted regression; mixed into the estimator."""

    coef_: np.ndarray
    covariance_: np.ndarray
    horizon_: float
    level: Any
    columns_: dict[str, Column]

    # -- one value per row -----------------------------------------------------------------------

    def predict(self, X: Any) -> Float[np.ndarray, " n"]:
        """Median time of each row, (n,), in the unit of the durations; infinite where fewer than half ever fail."""
        return self.predict_quantile(X, 0.5)

    def predict_survival(self, X: Any, times: Any) -> Float[np.ndarray, "n m"]:
        """Survival of each row at each time, (n, m)."""
        return np.asarray(np.exp(-self.predict_cumulative_hazard(X, times)))

    def predict_cumulative_hazard(self, X: Any, times: Any) -> Float[np.ndarray, "n m"]:
        """Cumulative hazard of each row at each time, (n, m)."""
        logs = [terms.log_cumulative for terms in self._over_times(X, times)]
        return np.asarray(np.exp(np.minimum(np.stack(logs, axis=1), LARGE)))

    def predict_hazard(self, X: Any, times: Any) -> Float[np.ndarray, "n m"]:
        """Hazard of each row at each time, (n, m), per unit of time."""
        return np.asarray(np.exp(np.stack([t.log_hazard for t in self._over_times(X, times)], axis=1)))

    def predict_quantile(self, X: Any, q: float = 0.5) -> Float[np.ndarray, " n"]:
        """Time by which a share ``q`` of rows like each has had the event; infinite where so many never have it."""
        if not is_number(q) or not 0 < q < 1:
            raise EstimationError(
                "bad-quantile", f"expected a share between 0 and 1, got {q!r}", where="q",
                remedy="Write q=0.5 for the median.",
            )  # fmt: skip
        b, c, a, u = self._predictors(X)
        target = -np.log1p(-q) * np.exp(-b)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            if u is None:
                log_power = np.log(np.log1p(target))
            else:
                k1, kappa = np.exp(u), np.expm1(u)
                near = np.abs(kappa) < 1e-9
                inside = kappa * target / k1
                reached = np.log1p(np.maximum(inside, -1.0)) / np.where(near, 1.0, kappa)
                log_power = u + np.log(np.expm1(np.where(near, target, reached)))
                log_power = np.where(inside > -1.0, log_power, np.inf)
            return np.asarray(np.exp(log_power * np.exp(-a) - c))

    def predict_cure(self, X: Any) -> Float[np.ndarray, " n"]:
        """Share of rows like each that never has the event, (n,); 0 where kappa is not negative."""
        b, _, _, u = self._predictors(X)
        if u is None:
            return np.zeros(len(b))
        return np.asarray(_cure(b, u)[0])

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Harrell's concordance of the restricted mean time (up to the longest duration of the fit)."""
        event = event_column(X, getattr(self, "event", None))
        horizon = self.horizon_
        nodes, weights = _quadrature(horizon)
        expected = self.predict_survival(X, nodes) @ weights
        return concordance(np.asarray(y, dtype=float), expected, event)

    # -- averages --------------------------------------------------------------------------------

    def survival_curve(self, X: Any, times: Any) -> Curve:
        """Survival averaged over the rows, with its interval at each time."""
        times = _times(times)
        designs, _, _ = self._new_designs(X)
        found = [self._mean_survival(designs, time) for time in times]
        return self._curve("survival", times, found, "survival")

    def hazard_curve(self, X: Any, times: Any) -> Curve:
        """Geometric mean of the hazards of the rows, with its interval at each time."""
        times = _times(times)
        designs, _, _ = self._new_designs(X)
        return self._curve("hazard", times, [self._log_hazard(designs, time) for time in times], "exp")

    def hazard_ratio(self, a: Any, b: Any, times: Any) -> Curve:
        """Hazard of the rows of ``a`` over that of the rows of ``b``, at each time.

        With several rows the ratio is that of geometric means. For the effect of a treatment give the same rows
        twice, with the treatment set to each value.
        """
        times = _times(times)
        first, second = self._new_designs(a)[0], self._new_designs(b)[0]
        return self._ratio(first, second, times)

    def treatment_hazard_ratio(
        self, X: Any, treatment: str, times: Any, *, treated: Any = 1, control: Any = 0
    ) -> Curve:
        """Hazard ratio over time of setting the treatment, the other covariates as they are in the rows."""
        first, second, _ = self._set(X, treatment, treated, control)
        return self._ratio(first, second, _times(times))

    def treatment_curves(
        self, X: Any, treatment: str, times: Any, *, treated: Any = 1, control: Any = 0
    ) -> tuple[Curve, Curve]:
        """Average survival over time with the treatment set to ``treated`` and to ``control``."""
        times = _times(times)
        first, second, _ = self._set(X, treatment, treated, control)
        curves = [
            self._curve("survival", times, [self._mean_survival(d, t) for t in times], "survival")
            for d in (first, second)
        ]
        return curves[0], curves[1]

    def effect(
        self,
        X: Any,
        treatment: str,
        *,
        times: Any = None,
        measure: str = "survival",
        treated: Any = 1,
        control: Any = 0,
    ) -> tuple[SurvivalEffect, ...]:
        """Average effect of setting the treatment for every row (g-computation).

        Parameters
        ----------
        X : frame or (n, columns) array
            Rows to average over, usually those of the fit.
        treatment : str
            Covariate to set.
        times : number or sequence, optional
            Times (``survival``) or horizons (``rmst``), in the unit of the durations; by default the longest
            duration of the fit.
        measure : {"survival", "rmst", "median", "cure"}
            What to compare.
        treated, control
            Values of the treatment; levels as text for a category.

        Raises
        ------
        DataError
            For an unknown treatment or level.
        EstimationError
            For an unknown measure, or a median that is infinite under one of the values.
        """
        check_choice(measure, MEASURES, "measure")
        first, second, n = self._set(X, treatment, treated, control)
        places: list[float | None] = [None]
        if measure in ("survival", "rmst"):
            places = [float(t) for t in _times(self.horizon_ if times is None else times)]
        return tuple(self._contrast(measure, place, first, second, n) for place in places)

    def treatment_risk_ratio(
        self, X: Any, treatment: str, time: float, *, treated: Any = 1, control: Any = 0
    ) -> tuple[float, float, float]:
        """Ratio of the average risks of an event by ``time`` under the two values, with its interval."""
        first, second, _ = self._set(X, treatment, treated, control)
        (up, up_slope), (down, down_slope) = (self._mean_survival(d, float(time)) for d in (first, second))
        value = float(np.log((1 - up) / (1 - down)))
        low, high = self._interval(value, down_slope / (1 - down) - up_slope / (1 - up), "exp")
        return float(np.exp(value)), low, high

    # -- inside ----------------------------------------------------------------------------------

    def _new_designs(self, X: Any) -> tuple[dict[str, np.ndarray], dict[str, Column], int]:
        raise NotImplementedError

    def _designs(self, covariates: dict[str, Column], n: int) -> dict[str, np.ndarray]:
        raise NotImplementedError

    def _fixed(self) -> dict[str, float | None]:
        raise NotImplementedError

    def _predictors(self, X: Any) -> list[Any]:
        designs, _, n = self._new_designs(X)
        return linear_predictors(designs, self._fixed(), self.coef_, n)

    def _over_times(self, X: Any, times: Any) -> list[Terms]:
        predictors = self._predictors(X)
        return [_at(predictors, time) for time in _times(times)]

    def _of(self, designs: dict[str, np.ndarray]) -> list[Any]:
        n = len(next(iter(designs.values())))
        return linear_predictors(designs, self._fixed(), self.coef_, n)

    def _averaged(self, designs: dict[str, np.ndarray], value: np.ndarray, slopes: np.ndarray) -> Averaged:
        """Mean over rows and its gradient, from the slopes (4, n) by the linear predictors."""
        n = len(value)
        parts = [
            designs[name].T @ slopes[PARAMETERS.index(name)] / n for name in PARAMETERS if name in designs
        ]
        return float(value.mean()), np.concatenate(parts)

    def _mean_survival(self, designs: dict[str, np.ndarray], time: float) -> Averaged:
        terms = _at(self._of(designs), time)
        H = np.exp(np.minimum(terms.log_cumulative, LARGE))
        S = np.exp(-H)
        return self._averaged(designs, S, -S * H * terms.cumulative_gradient)

    def _log_hazard(self, designs: dict[str, np.ndarray], time: float) -> Averaged:
        terms = _at(self._of(designs), time)
        return self._averaged(designs, terms.log_hazard, terms.hazard_gradient)

    def _ratio(self, first: dict[str, np.ndarray], second: dict[str, np.ndarray], times: np.ndarray) -> Curve:
        found = []
        for time in times:
            (up, up_slope), (down, down_slope) = (
                self._log_hazard(first, time),
                self._log_hazard(second, time),
            )
            found.append((up - down, up_slope - down_slope))
        return self._curve("hazard ratio", times, found, "exp")

    def _mean_rmst(self, designs: dict[str, np.ndarray], horizon: float) -> Averaged:
        nodes, weights = _quadrature(horizon)
        parts = [self._mean_survival(designs, node) for node in nodes]
        value = float(sum(w * part[0] for w, part in zip(weights, parts, strict=True)))
        return value, np.sum([w * part[1] for w, part in zip(weights, parts, strict=True)], axis=0)

    def _mean_cure(self, designs: dict[str, np.ndarray]) -> Averaged:
        b, _, _, u = self._of(designs)
        n = len(b)
        if u is None:
            return 0.0, np.zeros(len(self.coef_))
        share, by_b, by_u = _cure(b, u)
        slopes = np.zeros((4, n))
        slopes[0], slopes[3] = by_b, by_u
        return self._averaged(designs, share, slopes)

    def _mean_median(self, designs: dict[str, np.ndarray]) -> Averaged:
        """Median of the averaged curve, by its root; its gradient by the implicit function theorem."""
        low, high = np.log(self.horizon_) - 25.0, np.log(self.horizon_) + 25.0

        def above(log_time: float) -> float:
            return self._mean_survival(designs, float(np.exp(log_time)))[0] - 0.5

        if above(high) > 0:
            raise EstimationError(
                "no-median", "fewer than half ever have the event under one of the two treatments, so its median is "
                "infinite", where="measure", remedy="Ask for survival, rmst or cure.",
            )  # fmt: skip
        time = float(np.exp(brentq(above, low, high, xtol=1e-12)))
        _, slope = self._mean_survival(designs, time)
        terms = _at(self._of(designs), time)
        density = float(np.mean(np.exp(terms.log_hazard - np.exp(np.minimum(terms.log_cumulative, LARGE)))))
        return time, slope / density

    def _contrast(
        self,
        measure: str,
        place: float | None,
        first: dict[str, np.ndarray],
        second: dict[str, np.ndarray],
        n: int,
    ) -> SurvivalEffect:
        up, down = (self._measured(measure, place, designs) for designs in (first, second))
        difference, slope = up[0] - down[0], up[1] - down[1]
        se = float(np.sqrt(max(slope @ self.covariance_ @ slope, 0.0)))
        half = float(stats.norm.ppf(0.5 + float(self.level) / 2)) * se
        p_value = float(2 * stats.norm.sf(abs(difference) / se)) if se > 0 else float(difference == 0)
        scale = "survival" if measure in ("survival", "cure") else "log"
        (up_low, up_high), (down_low, down_high) = (self._interval(*item, scale) for item in (up, down))
        return SurvivalEffect(
            measure, place, up[0], up_low, up_high, down[0], down_low, down_high, difference, se,
            difference - half, difference + half, p_value, float(self.level), n,
            f"g-computation over {n:,} rows; {getattr(self, 'method_', '')}",
        )  # fmt: skip

    def _measured(self, measure: str, place: float | None, designs: dict[str, np.ndarray]) -> Averaged:
        if measure == "cure":
            return self._mean_cure(designs)
        if measure == "median":
            return self._mean_median(designs)
        assert place is not None
        if measure == "rmst":
            return self._mean_rmst(designs, place)
        return self._mean_survival(designs, place)

    def _interval(self, value: float, slope: np.ndarray, scale: str) -> tuple[float, float]:
        se = float(np.sqrt(max(slope @ self.covariance_ @ slope, 0.0)))
        half = float(stats.norm.ppf(0.5 + float(self.level) / 2)) * se
        if scale == "survival":
            if not 0 < value < 1:
                return value, value
            centre, reach = np.log(-np.log(value)), half / abs(value * np.log(value))
            ends = np.exp(-np.exp(centre + reach)), np.exp(-np.exp(centre - reach))
            return float(ends[0]), float(ends[1])
        if scale == "exp":
            return float(np.exp(value - half)), float(np.exp(value + half))
        if value <= 0:
            return value, value
        return float(value * np.exp(-half / value)), float(value * np.exp(half / value))

    def _curve(self, name: str, times: np.ndarray, found: list[Averaged], scale: str) -> Curve:
        value = np.array([item[0] for item in found])
        se = np.sqrt([max(item[1] @ self.covariance_ @ item[1], 0.0) for item in found])
        ends = np.array([self._interval(*item, scale) for item in found]).reshape(-1, 2)
        if scale == "exp":
            value = np.exp(value)
            se = se * value
        return Curve(name, times, value, se, ends[:, 0], ends[:, 1], float(self.level))

    def _set(
        self, X: Any, treatment: str, treated: Any, control: Any
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], int]:
        _, covariates, n = self._new_designs(X)
        if treatment not in covariates:
            raise DataError(
                "missing-column", f"there is no such covariate; there are: {', '.join(covariates) or 'none'}",
                where=f"treatment {treatment!r}", remedy=nearest(str(treatment), covariates) or "Name one of these.",
            )  # fmt: skip
        designs = []
        for value in (treated, control):
            column = _constant(covariates[treatment], value, n, treatment)
            designs.append(self._designs({**covariates, treatment: column}, n))
        return designs[0], designs[1], n


def _constant(column: Column, value: Any, n: int, name: str) -> Column:
    if column.levels is None:
        if not is_number(value):
            raise DataError(
                "unknown-level", f"expected a number, got {value!r}", where=f"treatment {name!r}",
                remedy="Give the values to compare, as they lie in the column.",
            )  # fmt: skip
        return Column(np.full(n, float(value)))
    if str(value) not in column.levels:
        raise DataError(
            "unknown-level", f"the treatment never has the value {value!r}; it has {', '.join(column.levels)}",
            where=f"treatment {name!r}", remedy=nearest(str(value), column.levels) or "Name two of these.",
        )  # fmt: skip
    return Column(np.full(n, column.levels.index(str(value))), column.levels)


def _at(predictors: list[Any], time: float) -> Terms:
    b, c, a, u = predictors
    with np.errstate(over="ignore", invalid="ignore"):
        return kernel(np.full(len(b), np.log(time)), b, c, a, u)


def _cure(b: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cure fraction of rows and its slopes by log lambda and log(kappa + 1)."""
    kappa = np.expm1(u)
    cured = kappa < 0
    safe = np.where(cured, kappa, -1.0)
    total = np.where(cured, np.exp(np.minimum(b + u - np.log(-safe), LARGE)), np.inf)
    share = np.where(cured, np.exp(-np.minimum(total, LARGE)), 0.0)
    slope = np.where(cured, -share * np.where(cured, total, 0.0), 0.0)
    return share, slope, slope * (-1.0 / safe)


def _times(times: Any) -> np.ndarray:
    found = np.atleast_1d(np.asarray(times, dtype=np.float64)).ravel()
    if len(found) == 0 or not np.isfinite(found).all() or (found <= 0).any():
        raise EstimationError(
            "bad-times", f"expected times above 0, got {found.tolist()[:5]}", where="times",
            remedy="Give times in the unit of the durations.",
        )  # fmt: skip
    return found


def _quadrature(horizon: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on (0, horizon); cubed, because survival may fall steeply at zero."""
    v = (NODES + 1) / 2
    return horizon * v**3, WEIGHTS / 2 * 3 * v**2 * horizon


def event_column(X: Any, name: Any) -> np.ndarray | None:
    """Values of the event column of a table, or None without one."""
    if name is None:
        return None
    if isinstance(X, np.ndarray):
        return np.asarray(X[:, name])
    frame: Any = nw.from_native(X, eager_only=True)
    return np.asarray(frame.get_column(name).to_numpy())


def concordance(
    time: Float[np.ndarray, " n"], expected: Float[np.ndarray, " n"], event: Any = None, block: int = 512
) -> float:
    """Harrell's concordance: share of comparable pairs in which the earlier event had the shorter expectation.

    Examples
    --------
    >>> concordance(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0]))
    0.6666666666666666
    """
    happened = np.ones(len(time), dtype=bool) if event is None else np.asarray(event) == 1
    right = comparable = 0.0
    for start in range(0, len(time), block):
        rows = slice(start, start + block)
        later = happened[rows, None] & (time[rows, None] < time[None, :])
        gap = expected[None, :] - expected[rows, None]
        right += float((later & (gap > 0)).sum()) + 0.5 * float((later & (gap == 0)).sum())
        comparable += float(later.sum())
    return right / comparable if comparable else 0.5
