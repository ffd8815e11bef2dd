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
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import stats
from scipy.optimize import brentq

from suppose.core.errors import DataError, EstimationError, nearest
from suppose.effects.base import check_choice, is_number
from suppose.effects.survival.apgw import LARGE, Terms, kernel
from suppose.effects.survival.formula import Column
from suppose.effects.survival.likelihood import PARAMETERS, linear_predictors
from suppose.effects.survival.records import Curve, SurvivalEffect, concordance, event_column

__all__ = ["Patterns", "PredictionMethods", "check_times"]

MEASURES = ("survival", "rmst", "median", "cure")
NODES, WEIGHTS = np.polynomial.legendre.leggauss(80)


Averaged = tuple[float, np.ndarray]  # a mean over rows and its gradient by the coefficients
BLOCK = 200_000  # rows times times evaluated at once


@dataclasses.dataclass(frozen=True)
class Patterns:
    """The distinct rows of some design matrices, and the share of all rows that each stands for."""

    designs: dict[str, np.ndarray]
    share: np.ndarray

    @classmethod
    def of(cls, designs: dict[str, np.ndarray]) -> Patterns:
        """Distinct rows across all designs."""
        whole = np.concatenate(list(designs.values()), axis=1)
        _, first, counts = np.unique(whole, axis=0, return_index=True, return_counts=True)
        return cls({name: D[first] for name, D in designs.items()}, counts / len(whole))


class PredictionMethods(ABC):
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
        times = check_times(times)
        rows = Patterns.of(self._new_designs(X)[0])
        return self._curve("survival", times, self._mean_survivals(rows, times), "survival")

    def hazard_curve(self, X: Any, times: Any) -> Curve:
        """Geometric mean of the hazards of the rows, with its interval at each time."""
        times = check_times(times)
        rows = Patterns.of(self._new_designs(X)[0])
        return self._curve("hazard", times, self._log_hazards(rows, times), "exp")

    def hazard_ratio(self, a: Any, b: Any, times: Any) -> Curve:
        """Hazard of the rows of ``a`` over that of the rows of ``b``, at each time.

        With several rows the ratio is that of geometric means. For the effect of a treatment give the same rows
        twice, with the treatment set to each value.
        """
        times = check_times(times)
        first, second = (Patterns.of(self._new_designs(rows)[0]) for rows in (a, b))
        return self._ratio(first, second, times)

    def treatment_hazard_ratio(
        self, X: Any, treatment: str, times: Any, *, treated: Any = 1, control: Any = 0
    ) -> Curve:
        """Hazard ratio over time of setting the treatment, the other covariates as they are in the rows."""
        first, second, _ = self._set(X, treatment, treated, control)
        return self._ratio(first, second, check_times(times))

    def treatment_curves(
        self, X: Any, treatment: str, times: Any, *, treated: Any = 1, control: Any = 0
    ) -> tuple[Curve, Curve]:
        """Average survival over time with the treatment set to ``treated`` and to ``control``."""
        times = check_times(times)
        first, second, _ = self._set(X, treatment, treated, control)
        curves = [
            self._curve("survival", times, self._mean_survivals(rows, times), "survival")
            for rows in (first, second)
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
            places = [float(t) for t in check_times(self.horizon_ if times is None else times)]
        return tuple(self._contrast(measure, place, first, second, n) for place in places)

    def treatment_risk_ratio(
        self, X: Any, treatment: str, time: float, *, treated: Any = 1, control: Any = 0
    ) -> tuple[float, float, float]:
        """Ratio of the average risks of an event by ``time`` under the two values, with its interval."""
        first, second, _ = self._set(X, treatment, treated, control)
        (up, up_slope), (down, down_slope) = (
            self._mean_survival(rows, float(time)) for rows in (first, second)
        )
        value = float(np.log((1 - up) / (1 - down)))
        low, high = self._interval(value, down_slope / (1 - down) - up_slope / (1 - up), "exp")
        return float(np.exp(value)), low, high

    # -- inside ----------------------------------------------------------------------------------

    @abstractmethod
    def _new_designs(self, X: Any) -> tuple[dict[str, np.ndarray], dict[str, Column], int]: ...

    @abstractmethod
    def _designs(self, covariates: dict[str, Column], n: int) -> dict[str, np.ndarray]: ...

    @abstractmethod
    def _fixed(self) -> dict[str, float | None]: ...

    def _predictors(self, X: Any) -> list[Any]:
        designs, _, n = self._new_designs(X)
        return linear_predictors(designs, self._fixed(), self.coef_, n)

    def _over_times(self, X: Any, times: Any) -> list[Terms]:
        predictors = self._predictors(X)
        return [_at(predictors, time) for time in check_times(times)]

    def _of(self, rows: Patterns) -> list[Any]:
        return linear_predictors(rows.designs, self._fixed(), self.coef_, len(rows.share))

    def _averaged(self, rows: Patterns, value: np.ndarray, slopes: np.ndarray) -> Averaged:
        """Mean over rows and its gradient, from the slopes (4, n) by the linear predictors."""
        parts = [
            rows.designs[name].T @ (rows.share * slopes[PARAMETERS.index(name)])
            for name in PARAMETERS
            if name in rows.designs
        ]
        return float(rows.share @ value), np.concatenate(parts)

    def _mean_survivals(self, rows: Patterns, times: np.ndarray) -> list[Averaged]:
        found = []
        for terms in self._over_blocks(rows, times):
            H = np.exp(np.minimum(terms.log_cumulative, LARGE))
            S = np.exp(-H)
            found.append(self._averaged(rows, S, -S * H * terms.cumulative_gradient))
        return found

    def _mean_survival(self, rows: Patterns, time: float) -> Averaged:
        return self._mean_survivals(rows, np.array([time]))[0]

    def _log_hazards(self, rows: Patterns, times: np.ndarray) -> list[Averaged]:
        return [
            self._averaged(rows, terms.log_hazard, terms.hazard_gradient)
            for terms in self._over_blocks(rows, times)
        ]

    def _over_blocks(self, rows: Patterns, times: np.ndarray) -> Iterator[Terms]:
        """The law of the rows at each time; many times are evaluated at once where rows are few."""
        predictors, n = self._of(rows), len(rows.share)
        size = max(1, BLOCK // n)
        for start in range(0, len(times), size):
            some = times[start : start + size]
            tiled = [None if item is None else np.tile(item, len(some)) for item in predictors]
            terms = _at(tiled, np.repeat(some, n))
            for k in range(len(some)):
                part = slice(k * n, (k + 1) * n)
                yield Terms(
                    terms.log_hazard[part], terms.log_cumulative[part], terms.hazard_gradient[:, part],
                    terms.cumulative_gradient[:, part],
                )  # fmt: skip

    def _ratio(self, first: Patterns, second: Patterns, times: np.ndarray) -> Curve:
        pairs = zip(self._log_hazards(first, times), self._log_hazards(second, times), strict=True)
        found = [(up - down, up_slope - down_slope) for (up, up_slope), (down, down_slope) in pairs]
        return self._curve("hazard ratio", times, found, "exp")

    def _mean_rmst(self, rows: Patterns, horizon: float) -> Averaged:
        nodes, weights = _quadrature(horizon)
        parts = self._mean_survivals(rows, nodes)
        value = float(weights @ np.array([part[0] for part in parts]))
        return value, np.asarray(weights @ np.stack([part[1] for part in parts]))

    def _mean_cure(self, rows: Patterns) -> Averaged:
        b, _, _, u = self._of(rows)
        n = len(b)
        if u is None:
            return 0.0, np.zeros(len(self.coef_))
        share, by_b, by_u = _cure(b, u)
        slopes = np.zeros((4, n))
        slopes[0], slopes[3] = by_b, by_u
        return self._averaged(rows, share, slopes)

    def _mean_median(self, rows: Patterns) -> Averaged:
        """Median of the averaged curve, by its root; its gradient by the implicit function theorem."""
        low, high = np.log(self.horizon_) - 25.0, np.log(self.horizon_) + 25.0

        def above(log_time: float) -> float:
            return self._mean_survival(rows, float(np.exp(log_time)))[0] - 0.5

        if above(high) > 0:
            raise EstimationError(
                "no-median", "fewer than half ever have the event under one of the two treatments, so its median is "
                "infinite", where="measure", remedy="Ask for survival, rmst or cure.",
            )  # fmt: skip
        time = float(np.exp(brentq(above, low, high, xtol=1e-12)))
        _, slope = self._mean_survival(rows, time)
        (terms,) = self._over_blocks(rows, np.array([time]))
        log_density = terms.log_hazard - np.exp(np.minimum(terms.log_cumulative, LARGE))
        density = float(rows.share @ np.exp(log_density))
        return time, slope / density

    def _contrast(
        self,
        measure: str,
        place: float | None,
        first: Patterns,
        second: Patterns,
        n: int,
    ) -> SurvivalEffect:
        up, down = (self._measured(measure, place, rows) for rows in (first, second))
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

    def _measured(self, measure: str, place: float | None, rows: Patterns) -> Averaged:
        if measure == "cure":
            return self._mean_cure(rows)
        if measure == "median":
            return self._mean_median(rows)
        assert place is not None
        return self._mean_rmst(rows, place) if measure == "rmst" else self._mean_survival(rows, place)

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

    def _set(self, X: Any, treatment: str, treated: Any, control: Any) -> tuple[Patterns, Patterns, int]:
        _, covariates, n = self._new_designs(X)
        if treatment not in covariates:
            raise DataError(
                "missing-column", f"there is no such covariate; there are: {', '.join(covariates) or 'none'}",
                where=f"treatment {treatment!r}", remedy=nearest(str(treatment), covariates) or "Name one of these.",
            )  # fmt: skip
        designs = []
        for value in (treated, control):
            column = _constant(covariates[treatment], value, n, treatment)
            designs.append(Patterns.of(self._designs({**covariates, treatment: column}, n)))
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


def _at(predictors: list[Any], times: Any) -> Terms:
    b, c, a, u = predictors
    with np.errstate(over="ignore", invalid="ignore"):
        return kernel(np.log(np.broadcast_to(times, b.shape)), b, c, a, u)


def _cure(b: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cure fraction of rows and its slopes by log lambda and log(kappa + 1)."""
    kappa = np.expm1(u)
    cured = kappa < 0
    safe = np.where(cured, kappa, -1.0)
    total = np.where(cured, np.exp(np.minimum(b + u - np.log(-safe), LARGE)), np.inf)
    share = np.where(cured, np.exp(-np.minimum(total, LARGE)), 0.0)
    slope = np.where(cured, -share * np.where(cured, total, 0.0), 0.0)
    return share, slope, slope * (-1.0 / safe)


def check_times(times: Any) -> np.ndarray:
    """Times as an array; refuses any that is not a number above 0."""
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
