"""What the slope would be had the other mode not moved the answers: quantitative bias analysis without conditioning.

An answer of the other mode is taken back to what it would have been, ``adjusted = (recorded - shift) / scale``, and
the slope is computed on all rows *without* the mode beside it, so that no path through the mode's causes is opened.
Shifts (and scales) are fixed, laid on a grid, or drawn from priors with sampling error added; the 2.5 and 97.5
percent points of such draws are the simulation interval (Lash, Fox and Fink, Applying Quantitative Bias Analysis to
Epidemiologic Data, Springer, 2009). Slope and sandwich variance (factor n / (n - k)) of least squares are
polynomials in the shifts, so second and fourth moments of the data are computed once and 5,000 draws cost as much as
one. Deviation: log odds are fitted at 33 shifts over the range drawn and interpolated by cubic splines.

What it does not do: say which shifts are true. Rows keep their covariates; shifts are the same for all rows of a
mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy.interpolate import CubicSpline

from suppose.core.errors import EstimationError, nearest
from suppose.core.figures import PALETTE, new_axes
from suppose.core.progress import track
from suppose.core.random import generator
from suppose.effects.mode.priors import Prior
from suppose.effects.mode.regression import logistic

__all__ = [
    "KEYS",
    "BiasAnalysis",
    "ShiftMoments",
    "analyse_bias",
    "log_odds_curve",
    "read_priors",
    "shift_moments",
    "slopes",
]

KEYS = ("exposure", "outcome", "exposure_scale", "outcome_scale")
CHUNK = 50_000
KNOTS = 33


@dataclass(frozen=True)
class ShiftMoments:
    """Sums of products of (exposure in the reference mode, in the other; mode; outcome likewise), covariates taken out.

    ``second`` is (5, 5), ``fourth`` (25, 25) over pairs of these; ``n`` rows, ``k`` coefficients.
    """

    second: Float[np.ndarray, "5 5"]
    fourth: Float[np.ndarray, "25 25"]
    n: int
    k: int


def shift_moments(
    exposure: Float[np.ndarray, " n"],
    outcome: Float[np.ndarray, " n"],
    other: Bool[np.ndarray, " n"],
    covariates: Float[np.ndarray, "n p"],
) -> ShiftMoments:
    """Moments of recorded answers from which the slope at any shift follows."""
    m = other.astype(float)
    basis = np.column_stack([exposure * (1 - m), exposure * m, m, outcome * (1 - m), outcome * m])
    design = np.column_stack([np.ones(len(m)), covariates])
    q, _ = np.linalg.qr(design / np.maximum(np.sqrt(np.mean(design**2, axis=0)), 1e-300))
    basis = basis - q @ (q.T @ basis)
    fourth = np.zeros((25, 25))
    for start in range(0, len(m), CHUNK):
        part = basis[start : start + CHUNK]
        pairs = np.einsum("ni,nj->nij", part, part).reshape(len(part), 25)
        fourth += pairs.T @ pairs
    return ShiftMoments(basis.T @ basis, fourth, len(m), 2 + covariates.shape[1])


def slopes(
    moments: ShiftMoments, shift_x: Any, shift_y: Any, scale_x: Any = 1.0, scale_y: Any = 1.0
) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, " d"]]:
    """Least-squares slope and its standard error after taking shifts and scales back, for arrays of them.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, other = rng.normal(size=300), rng.random(300) < 0.5
    >>> y = 2 * x + rng.normal(size=300)
    >>> moments = shift_moments(x + other, y + other, other, np.empty((300, 0)))
    >>> [round(float(values[0]), 1) for values in slopes(moments, [1.0], [1.0])]
    [2.0, 0.1]
    """
    dx, dy, sx, sy = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(v, float)) for v in (shift_x, shift_y, scale_x, scale_y))
    )
    zero, one = np.zeros(dx.shape), np.ones(dx.shape)
    a = np.stack([one, 1 / sx, -dx / sx, zero, zero], axis=-1)
    b = np.stack([zero, zero, -dy / sy, one, 1 / sy], axis=-1)
    within = np.einsum("di,ij,dj->d", a, moments.second, a)
    if np.any(within <= 1e-12 * moments.second.trace()):
        raise EstimationError(
            "not-identified", "an adjusted exposure does not vary given the covariates", where="priors",
            remedy="Use other shifts, or leave out covariates that determine the exposure.",
        )  # fmt: skip
    estimate = np.einsum("di,ij,dj->d", a, moments.second, b) / within
    rest = b - estimate[:, None] * a
    pair_a = np.einsum("di,dj->dij", a, a).reshape(len(a), 25)
    pair_r = np.einsum("di,dj->dij", rest, rest).reshape(len(a), 25)
    meat = np.einsum("di,di->d", pair_a @ moments.fourth, pair_r)
    factor = moments.n / max(moments.n - moments.k, 1)
    return estimate, np.sqrt(np.maximum(factor * meat, 0.0)) / within


@dataclass(frozen=True)
class BiasAnalysis:
    """The slope after taking back shifts drawn from priors.

    Attributes
    ----------
    median, low, high : float
        Of the draws, sampling error included; ``level`` is the share between ``low`` and ``high``.
    systematic_low, systematic_high : float
        The same without sampling error.
    naive : float
        The slope as recorded.
    priors : tuple of (str, str)
        What was believed, by answer.
    values : (draws,) array
        The draws, sampling error included.
    share_positive : float
        Share of draws above zero.
    """

    median: float
    low: float
    high: float
    level: float
    systematic_low: float
    systematic_high: float
    naive: float
    priors: tuple[tuple[str, str], ...]
    share_positive: float
    values: Float[np.ndarray, " draws"] = field(repr=False, compare=False)

    def to_frame(self) -> Any:
        """The record as a pandas frame of one row."""
        import pandas as pd

        names = (
            "median",
            "low",
            "high",
            "level",
            "systematic_low",
            "systematic_high",
            "naive",
            "share_positive",
        )
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def __str__(self) -> str:
        words = ", ".join(f"{name} {prior}" for name, prior in self.priors)
        return (
            f"bias analysis ({words}): {self.median:.4g} ({100 * self.level:g}% simulation interval {self.low:.4g} to "
            f"{self.high:.4g}; recorded {self.naive:.4g}; {len(self.values):,} draws)"
        )

    def plot(self, ax: Any = None) -> Any:
        """Histogram of the draws, with the slope as recorded; takes and returns Axes."""
        ax = new_axes(ax)
        ax.hist(self.values, bins=60, color=PALETTE["blue"], alpha=0.55)
        ax.axvline(self.median, color=PALETTE["blue"], linewidth=2, label=f"median {self.median:.3g}")
        ax.axvline(self.naive, color=PALETTE["orange"], linewidth=2, label=f"as recorded {self.naive:.3g}")
        ax.axvline(0, color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)))
        ax.set(xlabel="slope after taking shifts back", ylabel="draws")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        return ax


def read_priors(priors: Mapping[str, Any]) -> dict[str, Prior]:
    """Priors by answer; refuses unknown answers and scales that may be zero or below.

    Raises
    ------
    EstimationError
        ``unknown-choice``, ``no-priors``, ``bad-prior``, ``bad-scale``.
    """
    if not priors:
        raise EstimationError(
            "no-priors", "a bias analysis needs to know what is believed of the shifts, got nothing", where="priors",
            remedy='Write for example {"outcome": "normal(0.3, 0.1)"}.',
        )  # fmt: skip
    found = {}
    for name, value in priors.items():
        if name not in KEYS:
            raise EstimationError(
                "unknown-choice", f"expected one of {', '.join(map(repr, KEYS))}, got {name!r}", where="priors",
                remedy=nearest(str(name), KEYS) or f"Write priors={KEYS[1]!r}.",
            )  # fmt: skip
        found[name] = Prior.of(value, where=f"priors {name!r}")
        lowest = float(found[name].quantile(np.array([1e-6]))[0])
        if name.endswith("scale") and lowest <= 0:
            raise EstimationError(
                "bad-scale", f"a scale must be above zero, {found[name]} reaches {lowest:.3g}",
                where=f"priors {name!r}", remedy='Write for example "triangular(0.8, 0.9, 1)".',
            )  # fmt: skip
    return found


def analyse_bias(
    curve: Any,
    naive: float,
    priors: Mapping[str, Any],
    *,
    draws: int = 5000,
    level: float = 0.95,
    seed: int = 0,
) -> BiasAnalysis:
    """Draw shifts and scales, compute slopes by ``curve(shift_x, shift_y, scale_x, scale_y)``, add sampling error.

    Raises
    ------
    EstimationError
        ``too-few-draws`` below 100, and those of :func:`read_priors`.
    """
    if draws < 100:
        raise EstimationError(
            "too-few-draws", f"expected at least 100 draws for a simulation interval, got {draws}", where="draws",
            remedy="Use 5,000 or more.",
        )  # fmt: skip
    laws = read_priors(priors)
    taken = {
        name: laws[name].quantile(generator(seed, "mode shift", name).random(draws))
        if name in laws else np.full(draws, 1.0 if name.endswith("scale") else 0.0)
        for name in KEYS
    }  # fmt: skip
    estimate, error = curve(*(taken[name] for name in KEYS))
    values = estimate + error * generator(seed, "mode sampling error").standard_normal(draws)
    tail = (1 - level) / 2
    low, median, high = np.quantile(values, [tail, 0.5, 1 - tail])
    inner = np.quantile(estimate, [tail, 1 - tail])
    return BiasAnalysis(
        float(median), float(low), float(high), level, float(inner[0]), float(inner[1]), float(naive),
        tuple((name, str(law)) for name, law in laws.items()), float(np.mean(values > 0)), values,
    )  # fmt: skip


def log_odds_curve(
    exposure: Float[np.ndarray, " n"],
    outcome: Float[np.ndarray, " n"],
    other: Bool[np.ndarray, " n"],
    covariates: Float[np.ndarray, "n p"],
) -> Any:
    """A curve for :func:`analyse_bias` in log odds; only the exposure may be shifted.

    Raises
    ------
    EstimationError
        ``shifted-yes-no`` when the outcome of 0 and 1 is to be shifted or anything scaled.
    """
    rest = np.column_stack([np.ones(len(outcome)), covariates])

    def at(shift: float, start: Any = None) -> tuple[float, float, Any]:
        found = logistic(np.column_stack([exposure - shift * other, rest]), outcome, start=start)
        return float(found.coefficients[0]), float(np.sqrt(found.covariance[0, 0])), found.coefficients

    def curve(dx: Any, dy: Any, sx: Any, sy: Any) -> tuple[np.ndarray, np.ndarray]:
        if np.any(np.asarray(dy) != 0) or np.any(np.asarray(sx) != 1) or np.any(np.asarray(sy) != 1):
            raise EstimationError(
                "shifted-yes-no", "an outcome of 0 and 1 has no shift, and log odds take shifts of the exposure alone",
                where="priors", remedy="Use misclassification_analysis with sensitivity and specificity of each mode.",
            )  # fmt: skip
        dx = np.atleast_1d(np.asarray(dx, dtype=float))
        low, high = float(dx.min()), float(dx.max())
        if high - low < 1e-12:
            b, error, _ = at(low)
            return np.full(len(dx), b), np.full(len(dx), error)
        knots, found, start = np.linspace(low, high, KNOTS), [], None
        for knot in track(knots, "fitting log odds over shifts"):
            b, error, start = at(float(knot), start)
            found.append((b, error))
        spline = CubicSpline(knots, np.array(found))(dx)
        return spline[:, 0], spline[:, 1]

    return curve
