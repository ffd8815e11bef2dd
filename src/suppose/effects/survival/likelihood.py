"""Log-likelihood of the multi-parameter regression, with exact first and second derivatives.

Each of log lambda, log phi, log gamma and log(kappa + 1) is linear in covariates. A row adds (Burke, Jones &
Noufaily 2020, section 4; truncation and interval censoring are standard extensions of ours)::

    d log h(t) - H(t) + H(entry)                  event seen (d = 1) or right-censored (d = 0)
    log(S(t) - S(upper)) + H(entry)               event known to lie between t and upper

times its weight. A lower bound of 0 is left censoring, an entry is left truncation. Derivatives by the four
linear predictors come from :func:`~suppose.effects.survival.apgw.kernel`; the design matrices carry them to
the coefficients. :func:`maximise` is Newton's method made safe: eigenvalues of the Hessian are taken by
absolute value, steps are bounded, and halved until the likelihood rises.

Deviation from the usual L-BFGS followed by Newton: with an exact Hessian and few coefficients Newton steps from
the start take fewer evaluations.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from suppose.effects.survival.apgw import LARGE, Terms, kernel

__all__ = ["PARAMETERS", "Likelihood", "Maximum", "RowTerms", "maximise"]

#: The four parameters of the family, in the order of every array of derivatives.
PARAMETERS = ("lambda", "phi", "gamma", "kappa")
STEP = 2.0  # largest change of a standardised coefficient in one step
FAR = 30.0  # a standardised coefficient beyond this is on its way to infinity


@dataclasses.dataclass(frozen=True)
class RowTerms:
    """Log-likelihood of each row, its gradient (4, n) and Hessian (4, 4, n) by the linear predictors."""

    value: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray


@dataclasses.dataclass(frozen=True)
class Maximum:
    """Where a search ended: coefficients, value, gradient, Hessian, evaluations, and whether it settled."""

    theta: np.ndarray
    value: float
    gradient: np.ndarray
    hessian: np.ndarray
    evaluations: int
    converged: bool


@dataclasses.dataclass(frozen=True)
class Likelihood:
    """The log-likelihood of one table as a function of the stacked coefficients.

    Attributes
    ----------
    time, event, entry, upper, weight : (n,) arrays
        Durations; 1 for an event; start of observation (0: from the start); upper bound of an
        interval-censored event (NaN: none); weights.
    designs : dict
        Parameter name to its (n, k) design matrix; parameters not there are fixed.
    fixed : dict
        Parameter name to the fixed logarithm, or None for ``kappa = inf``.

    Examples
    --------
    >>> one, no = np.ones(3), np.zeros(3)
    >>> found = Likelihood(np.array([1.0, 2.0, 3.0]), one, no, np.full(3, np.nan), one, {"lambda": one[:, None]},
    ...                    {"phi": 0.0, "gamma": 0.0, "kappa": np.log(2.0)})
    >>> round(float(np.exp(maximise(found, np.zeros(1)).theta[0])), 6)  # exponential: 3 events in 6 units
    0.5
    """

    time: np.ndarray
    event: np.ndarray
    entry: np.ndarray
    upper: np.ndarray
    weight: np.ndarray
    designs: dict[str, np.ndarray]
    fixed: dict[str, float | None]

    @property
    def free(self) -> tuple[str, ...]:
        """Parameters that have coefficients, in house order."""
        return tuple(name for name in PARAMETERS if name in self.designs)

    def slices(self) -> dict[str, slice]:
        """Where each parameter's coefficients lie in the stacked vector."""
        found, start = {}, 0
        for name in self.free:
            found[name] = slice(start, start + self.designs[name].shape[1])
            start = found[name].stop
        return found

    def predictors(self, theta: Float[np.ndarray, " k"]) -> list[np.ndarray | None]:
        """The four linear predictors (n,); None for ``kappa = inf``."""
        return linear_predictors(self.designs, self.fixed, theta, len(self.time))

    def rows(self, theta: Float[np.ndarray, " k"], *, second: bool = True) -> RowTerms:
        """Value, gradient and Hessian of each row, unweighted."""
        predictors = self.predictors(theta)
        between = ~np.isnan(self.upper)
        if between.any():
            return self._mixed_rows(predictors, between, second)
        terms = _terms(self.time, predictors, second)
        value, gradient, hessian = _observed(terms, self.event, second)
        self._add_entry(predictors, slice(None), value, gradient, hessian, second)
        return RowTerms(value, gradient, hessian)

    def _mixed_rows(self, predictors: list[np.ndarray | None], between: np.ndarray, second: bool) -> RowTerms:
        n = len(self.time)
        value, gradient = np.zeros(n), np.zeros((4, n))
        hessian = np.zeros((4, 4, n)) if second else np.zeros((4, 4, 0))
        for rows, interval in ((~between, False), (between, True)):
            if not rows.any():
                continue
            own = _part(predictors, rows)
            if interval:
                found = _interval(self.time[rows], self.upper[rows], own, second)
            else:
                found = _observed(_terms(self.time[rows], own, second), self.event[rows], second)
            value[rows], gradient[:, rows] = found[0], found[1]
            if second:
                hessian[:, :, rows] = found[2]
        self._add_entry(predictors, slice(None), value, gradient, hessian, second)
        return RowTerms(value, gradient, hessian)

    def _add_entry(
        self,
        predictors: list[np.ndarray | None],
        _: slice,
        value: np.ndarray,
        gradient: np.ndarray,
        hessian: np.ndarray,
        second: bool,
    ) -> None:
        late = self.entry > 0
        if not late.any():
            return
        terms = _terms(self.entry[late], _part(predictors, late), second)
        cumulative, first, curved = _cumulative(terms, second)
        value[late] += cumulative
        gradient[:, late] += first
        if second:
            hessian[:, :, late] += curved

    def value(self, theta: Float[np.ndarray, " k"]) -> float:
        """The log-likelihood alone."""
        return float(self.weight @ self.rows(theta, second=False).value)

    def __call__(self, theta: Float[np.ndarray, " k"]) -> tuple[float, np.ndarray, np.ndarray]:
        """Value, gradient (k,) and Hessian (k, k) of the log-likelihood."""
        rows = self.rows(theta)
        slices, w = self.slices(), self.weight
        gradient, hessian = np.empty(len(theta)), np.empty((len(theta), len(theta)))
        for name, place in slices.items():
            i, D = PARAMETERS.index(name), self.designs[name]
            gradient[place] = D.T @ (w * rows.gradient[i])
            for other, beside in slices.items():
                j = PARAMETERS.index(other)
                if j < i:
                    continue
                block = (D * (w * rows.hessian[i, j])[:, None]).T @ self.designs[other]
                hessian[place, beside] = block
                hessian[beside, place] = block.T
        return float(w @ rows.value), gradient, hessian

    def scores(self, theta: Float[np.ndarray, " k"]) -> Float[np.ndarray, "n k"]:
        """Weighted gradient of each row, for robust covariances."""
        rows = self.rows(theta, second=False)
        parts = [
            self.designs[name] * (self.weight * rows.gradient[PARAMETERS.index(name)])[:, None]
            for name in self.free
        ]
        return np.concatenate(parts, axis=1)


def linear_predictors(
    designs: dict[str, np.ndarray], fixed: dict[str, float | None], theta: np.ndarray, n: int
) -> list[np.ndarray | None]:
    """The four linear predictors of rows with these design matrices."""
    found: list[np.ndarray | None] = []
    start = 0
    for name in PARAMETERS:
        if name in designs:
            stop = start + designs[name].shape[1]
            found.append(designs[name] @ theta[start:stop])
            start = stop
        else:
            value = fixed[name]
            found.append(None if value is None else np.full(n, value))
    return found


def _part(predictors: list[np.ndarray | None], rows: np.ndarray) -> list[np.ndarray | None]:
    return [None if item is None else item[rows] for item in predictors]


def _terms(time: np.ndarray, predictors: list[np.ndarray | None], second: bool) -> Terms:
    b, c, a, u = predictors
    assert b is not None and c is not None and a is not None
    with np.errstate(over="ignore", invalid="ignore"):
        return kernel(np.log(time), b, c, a, u, second=second)


def _cumulative(terms: Terms, second: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cumulative hazard with its derivatives, from those of its logarithm."""
    H = np.exp(np.minimum(terms.log_cumulative, LARGE))
    first = terms.cumulative_gradient
    if not second:
        return H, H * first, np.zeros((4, 4, 0))
    assert terms.cumulative_hessian is not None
    return H, H * first, H * (terms.cumulative_hessian + first[:, None] * first[None, :])


def _observed(terms: Terms, event: np.ndarray, second: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    H, first, curved = _cumulative(terms, second)
    value = event * terms.log_hazard - H
    gradient = event * terms.hazard_gradient - first
    if not second:
        return value, gradient, curved
    assert terms.hazard_hessian is not None
    return value, gradient, event * terms.hazard_hessian - curved


def _interval(
    lower: np.ndarray, upper: np.ndarray, predictors: list[np.ndarray | None], second: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``log(S(lower) - S(upper))``; a lower bound of 0 means the event came any time before."""
    above, first_above, curved_above = _cumulative(_terms(upper, predictors, second), second)
    start = lower > 0
    below, first_below, curved_below = _cumulative(
        _terms(np.where(start, lower, upper), predictors, second), second
    )
    below, first_below, curved_below = (
        np.where(start, below, 0.0),
        np.where(start, first_below, 0.0),
        np.where(start, curved_below, 0.0) if second else curved_below,
    )
    gap = np.maximum(above - below, 1e-300)
    rate = 1.0 / np.expm1(np.minimum(gap, LARGE))
    step = first_above - first_below
    value = -below + np.log(-np.expm1(-gap))
    gradient = -first_below + rate * step
    if not second:
        return value, gradient, curved_below
    bent = rate * (curved_above - curved_below) - (rate + rate**2) * step[:, None] * step[None, :]
    return value, gradient, bent - curved_below


Objective = Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]]


def maximise(
    objective: Likelihood | Objective,
    start: Float[np.ndarray, " k"],
    *,
    tolerance: float = 1e-9,
    limit: int = 100,
) -> Maximum:
    """Maximum of a smooth function of a few variables by guarded Newton steps.

    Parameters
    ----------
    objective : callable
        Gives value, gradient and Hessian.
    start : (k,) array
        Where to begin.
    tolerance : float
        It has settled when a full Newton step would raise the value by less.
    limit : int
        Most steps.

    Examples
    --------
    >>> top = maximise(lambda x: (-float(x @ x), -2 * x, -2 * np.eye(len(x))), np.ones(2))
    >>> top.converged, top.theta.tolist()
    (True, [0.0, 0.0])
    """
    theta = np.array(start, dtype=np.float64)
    value, gradient, hessian = objective(theta)
    alone = objective.value if isinstance(objective, Likelihood) else lambda x: objective(x)[0]
    count, settled = 1, False
    for _ in range(limit):
        if not np.isfinite(value) or not np.isfinite(hessian).all() or np.abs(theta).max(initial=0.0) > FAR:
            break
        roots, axes = np.linalg.eigh(-hessian)
        floor = max(1e-10 * float(np.abs(roots).max(initial=0.0)), 1e-12)
        step = axes @ ((axes.T @ gradient) / np.maximum(np.abs(roots), floor))
        gain = float(gradient @ step)
        if gain < 2 * tolerance and roots.min(initial=0.0) > -floor:
            settled = True
            break
        step *= min(1.0, STEP / max(float(np.abs(step).max()), 1e-300))
        moved = False
        for _ in range(40):
            count += 1
            trial = alone(theta + step)
            if np.isfinite(trial) and trial > value + 1e-4 * float(gradient @ step):
                moved = True
                break
            step *= 0.5
        if not moved:
            settled = gain < 1e-5
            break
        theta = theta + step
        value, gradient, hessian = objective(theta)
        count += 1
    return Maximum(theta, value, gradient, hessian, count, settled)
