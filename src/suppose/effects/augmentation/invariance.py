"""What can be said about the assumption that an augmentation leaves the outcome alone.

The table cannot test it: the parameters are drawn independently of the outcome, so every table agrees with
every augmentation. Two things can be done. :func:`invariance_report` holds the augmentation against a
function known (or fitted elsewhere) to be the effect, and says by how much it moves. :func:`violation_curve`
says what a violation would do: if the augmentation in truth changes the outcome by ``G delta``, the right
left-hand side is ``y + G delta``, the estimate is linear in ``delta``, and over all ``delta`` of one size
(standard deviation of the change, in units of the outcome) the range is known in closed form. This is the
reading that Conley, Hansen and Rossi (2012, Plausibly Exogenous, REStat 94) give to instruments; the paper
has no such curve.

Not done: nonlinear violations, and violations that depend on the row.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from suppose.core.answer import format_number
from suppose.core.errors import DataError, EstimationError
from suppose.core.figures import PALETTE, new_axes
from suppose.core.random import generator
from suppose.effects.augmentation.risks import Moments
from suppose.effects.augmentation.transformations import draw

__all__ = [
    "InvarianceReport",
    "ViolationCurve",
    "invariance_report",
    "refuse_violation",
    "violation_curve",
]

PASSES, WARNS = 0.01, 0.1


@dataclasses.dataclass(frozen=True)
class InvarianceReport:
    """By how much an augmentation moves a function.

    Attributes
    ----------
    change : float
        Root mean square of ``f(GX) - f(X)``, in units of ``f``.
    spread : float
        Standard deviation of ``f(X)``.
    share : float
        ``change / spread``.
    shift : float
        Mean of ``f(GX) - f(X)``.
    slopes : (k,) array
        Change of ``f`` per unit of each parameter, by least squares: the systematic part.
    verdict : {"passes", "warns", "fails"}
        A share of at most 0.01, at most 0.1, or more.
    """

    change: float
    spread: float
    share: float
    shift: float
    slopes: Float[np.ndarray, " k"]
    verdict: Literal["passes", "warns", "fails"]

    @property
    def words(self) -> str:
        """The report in a sentence."""
        if self.share < 1e-9:
            return "The augmentation does not change f."
        size = f"{format_number(self.change)} (root mean square), {self.share:.1%} of its standard deviation"
        if self.verdict == "passes":
            return f"The augmentation changes f by {size}: nothing to speak of."
        return f"The augmentation changes f by {size}."

    def to_frame(self) -> Any:
        """Slopes per parameter as a pandas frame."""
        import pandas as pd

        return pd.DataFrame({"parameter": np.arange(1, len(self.slopes) + 1), "slope": self.slopes})

    def plot(self, ax: Any = None) -> Any:
        """Change of ``f`` per unit of each parameter, as bars."""
        ax = new_axes(ax)
        ax.bar(np.arange(1, len(self.slopes) + 1), self.slopes, color=PALETTE["blue"])
        ax.axhline(0.0, color=PALETTE["muted"], linewidth=1)
        ax.set(xlabel="parameter of the augmentation", ylabel="change of f per unit")
        return ax

    def __str__(self) -> str:
        return f"Invariance: {self.verdict}. {self.words}"


def invariance_report(
    f: Any, augment: Any, X: Float[np.ndarray, "n d"], *, draws: int = 5, seed: int = 0
) -> InvarianceReport:
    """By how much an augmentation changes a known function or a fitted model.

    Parameters
    ----------
    f : callable, fitted estimator or (d,) array
        The function: called on (n, d) inputs, its ``predict``, or linear coefficients.
    augment : callable
        The augmentation.
    X : (n, d) array
        Inputs; for a fitted model, rows it was not fitted on.
    draws : int
        Draws of the augmentation.

    Raises
    ------
    EstimationError
        ``bad-function`` for an ``f`` that cannot be evaluated.

    Examples
    --------
    >>> from suppose.effects.augmentation import NullTranslation
    >>> X = np.random.default_rng(0).normal(size=(500, 2))
    >>> shift = NullTranslation([[1.0, 1.0]])
    >>> invariance_report(np.array([1.0, -1.0]), shift, X).verdict
    'passes'
    >>> print(invariance_report(np.array([1.0, 1.0]), shift, X))
    Invariance: fails. The augmentation changes f by 1.96 (root mean square), 141.7% of its standard deviation.
    """
    function = _callable(f, X.shape[1])
    base = _values(function, X)
    changes, parameters = [], []
    for index in range(draws):
        GX, G = draw(augment, X, generator(seed, "invariance", index))
        changes.append(_values(function, GX) - base)
        parameters.append(G)
    delta, G = np.concatenate(changes), np.concatenate(parameters)
    slopes = np.linalg.lstsq(np.c_[np.ones(len(G)), G], delta, rcond=None)[0][1:]
    change, spread = float(np.sqrt(np.mean(delta**2))), float(base.std())
    share = change / spread if spread > 0 else float("inf") if change > 0 else 0.0
    verdict: Literal["passes", "warns", "fails"] = (
        "passes" if share <= PASSES else "warns" if share <= WARNS else "fails"
    )
    return InvarianceReport(change, spread, share, float(delta.mean()), slopes, verdict)


def refuse_violation(report: InvarianceReport) -> None:
    """Refuse an augmentation that fails its check on a known function."""
    if report.verdict == "fails":
        raise DataError(
            "not-invariant", f"expected a change that leaves the known f alone; the augmentation changes f by "
            f"{format_number(report.change)}, {report.share:.1%} of its standard deviation", where="augment",
            remedy="Weaken it, restrict it to inputs f ignores, or leave `known` out and read the violation curve.",
        )  # fmt: skip


def _callable(f: Any, width: int) -> Any:
    if hasattr(f, "predict"):
        return f.predict
    if callable(f):
        return f
    coefficients = np.asarray(f, dtype=float).reshape(-1)
    if len(coefficients) != width:
        raise EstimationError(
            "bad-function", f"expected {width} coefficients, one per input, got {len(coefficients)}", where="f",
            remedy="Give a function, a fitted estimator, or one coefficient per input.",
        )  # fmt: skip
    return lambda X: X @ coefficients


def _values(function: Any, X: np.ndarray) -> np.ndarray:
    values = np.asarray(function(X), dtype=float).reshape(-1)
    if len(values) != len(X) or not np.isfinite(values).all():
        raise EstimationError(
            "bad-function", f"expected {len(X)} finite values, one per row, got {len(values)}", where="f",
            remedy="f takes (n, d) inputs and returns n numbers.",
        )  # fmt: skip
    return values


@dataclasses.dataclass(frozen=True)
class ViolationCurve:
    """How an estimate moves as the augmentation is allowed to change the outcome.

    Attributes
    ----------
    estimate : float
        With an augmentation that leaves the outcome alone.
    slope : float
        Most the estimate moves per unit of violation, over all directions.
    breakdown : float
        Size of violation that can bring the estimate to zero.
    sizes, low, high : (m,) arrays
        Standard deviation of the change of the outcome, and the range of estimates it allows.
    spread : float
        Standard deviation of the outcome, for scale.
    """

    estimate: float
    slope: float
    breakdown: float
    sizes: Float[np.ndarray, " m"]
    low: Float[np.ndarray, " m"]
    high: Float[np.ndarray, " m"]
    spread: float

    @property
    def words(self) -> str:
        """The curve in a sentence."""
        share = self.breakdown / self.spread if self.spread > 0 else float("inf")
        if not np.isfinite(share):
            return "No violation of any size moves this estimate."
        return (
            f"An augmentation that changes the outcome by {share:.2g} of its standard deviation could by itself "
            f"bring the estimate from {format_number(self.estimate)} to zero."
        )

    def to_frame(self) -> Any:
        """The curve as a pandas frame, one row per size."""
        import pandas as pd

        shares = self.sizes / self.spread if self.spread > 0 else np.full(len(self.sizes), np.nan)
        columns = {"violation": self.sizes, "share of outcome sd": shares, "low": self.low, "high": self.high}
        return pd.DataFrame(columns)

    def plot(self, ax: Any = None, *, unit: str = "estimate", colour: str = "blue", label: str = "") -> Any:
        """Range of the estimate against the size of the violation."""
        ax = new_axes(ax)
        share = 100 * self.sizes / self.spread
        ax.fill_between(share, self.low, self.high, color=PALETTE[colour], alpha=0.15, linewidth=0)
        for bound, name in ((self.low, label), (self.high, "")):
            ax.plot(share, bound, color=PALETTE[colour], linewidth=1.8, label=name or None)
        ax.axhline(0.0, color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)))
        ax.set(xlabel="hidden change of the outcome by the augmentation, % of its sd", ylabel=unit)
        return ax

    def __str__(self) -> str:
        return self.words


def violation_curve(
    moments: Moments,
    jacobian: Float[np.ndarray, "d k"],
    covariance: Float[np.ndarray, "k k"],
    coefficients: Float[np.ndarray, " d"],
    alpha: float,
    contrast: Float[np.ndarray, " d"],
    *,
    sizes: Any = None,
) -> ViolationCurve:
    """Range of ``contrast @ h`` when the augmentation changes the outcome by ``G delta`` unnoticed.

    With ``M = gX' Pi gX + alpha gX' gX`` the estimate moves by ``(1 + alpha) w' M^{-1} gX' G delta``; over
    ``sd(G delta) = s`` the most is ``s`` times the length of that row in the metric of ``Cov(G)``.

    Parameters
    ----------
    moments : Moments
        Of the fit (``IVLRegressor.moments_``).
    jacobian : (d, k) array
        ``gX' G / n`` (``IVLRegressor.jacobian_``).
    covariance : (k, k) array
        Of the parameters (``IVLRegressor.parameter_covariance_``).
    coefficients : (d,) array
        The estimate ``h``.
    alpha : float
        Its weight; infinity for DA+ERM.
    contrast : (d,) array
        ``w``: a unit vector for one coefficient, a difference of inputs for a prediction.
    sizes : (m,) array, optional
        In units of the outcome; by default up to twice the breakdown, or one standard deviation.

    Examples
    --------
    >>> from suppose.effects.augmentation import GaussianNoise, IVLRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 2))
    >>> m = IVLRegressor(GaussianNoise(), alpha=0.1).fit(X, X[:, 0] + rng.normal(size=500))
    >>> curve = violation_curve(m.moments_, m.jacobian_, m.parameter_covariance_, m.coef_, 0.1, np.array([1.0, 0.0]))
    >>> bool(curve.low[0] == curve.estimate == curve.high[0]), bool(curve.low[-1] < curve.estimate)
    (True, True)
    """
    if np.isinf(alpha):
        matrix, factor = moments.gram, 1.0
    else:
        matrix, factor = moments.gram_projected + alpha * moments.gram, 1.0 + alpha
    row = factor * jacobian.T @ (np.linalg.pinv(matrix, hermitian=True) @ contrast)
    slope = float(np.sqrt(max(row @ np.linalg.pinv(covariance, hermitian=True) @ row, 0.0)))
    estimate = float(contrast @ coefficients)
    breakdown = abs(estimate) / slope if slope > 0 else float("inf")
    spread = float(np.sqrt(moments.total))
    top = min(2 * breakdown, spread)
    steps = (
        np.linspace(0.0, top if top > 0 else spread, 41) if sizes is None else np.asarray(sizes, dtype=float)
    )
    return ViolationCurve(
        estimate, slope, breakdown, steps, estimate - slope * steps, estimate + slope * steps, spread
    )
