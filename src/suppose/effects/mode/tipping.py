"""How far a mode would have to move answers before the finding changes: the tipping curve, and the effect of the split.

:class:`TippingCurve` holds the slope and its interval over a grid of shifts of exposure and outcome. With least
squares the shifts that make the slope zero lie on ``shift_y = (S_xy - shift_x S_my) / (S_xm - shift_x S_mm)`` (sums
of products, covariates taken out). :class:`SplitCurve` asks what the slopes would have been at another share of the
other mode, with selection into it as strong as in the data: covariances with the mode are taken to grow as
``phi(kappa)`` does in a probit model, ``kappa`` being the normal point of the share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import stats

from suppose.core.figures import PALETTE, new_axes
from suppose.effects.mode.bias import ShiftMoments

__all__ = ["SplitCurve", "TippingCurve", "split_curve", "tipping"]

Curve = Callable[..., tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class TippingCurve:
    """Slopes over shifts of the other mode's answers.

    ``estimate``, ``low`` and ``high`` are (exposure shifts, outcome shifts); an axis that is not shifted has length 1.
    ``tips_outcome`` (``tips_exposure``) is the shift nearest zero of that answer alone at which the interval's
    verdict changes, ``sign_outcome`` (``sign_exposure``) at which the slope changes sign; None where there is none.
    """

    shift_exposure: Float[np.ndarray, " g"]
    shift_outcome: Float[np.ndarray, " h"]
    estimate: Float[np.ndarray, "g h"]
    low: Float[np.ndarray, "g h"]
    high: Float[np.ndarray, "g h"]
    naive: tuple[float, float, float]
    level: float
    tips_exposure: float | None
    tips_outcome: float | None
    sign_exposure: float | None
    sign_outcome: float | None

    def to_frame(self) -> Any:
        """One row per pair of shifts, as a pandas frame."""
        import pandas as pd

        x, y = np.meshgrid(self.shift_exposure, self.shift_outcome, indexing="ij")
        columns = {
            "shift_exposure": x,
            "shift_outcome": y,
            "estimate": self.estimate,
            "low": self.low,
            "high": self.high,
        }
        return pd.DataFrame({name: values.ravel() for name, values in columns.items()})

    @property
    def words(self) -> str:
        """What it takes to change the finding, in a sentence or two."""
        parts = []
        for what, tip, sign in (
            ("outcome", self.tips_outcome, self.sign_outcome), ("exposure", self.tips_exposure, self.sign_exposure)
        ):  # fmt: skip
            shifts = self.shift_outcome if what == "outcome" else self.shift_exposure
            if len(shifts) < 2:
                continue
            reach = f"{shifts[0]:.3g} to {shifts[-1]:.3g}"
            if tip is None and sign is None:
                parts.append(f"no shift of the {what} from {reach} changes the finding")
            else:
                said = [f"the interval's verdict at {tip:+.3g}"] if tip is not None else []
                said += [f"the sign at {sign:+.3g}"] if sign is not None else []
                parts.append(f"a shift of the {what} alone changes {' and '.join(said)}")
        text = "; ".join(parts)
        return f"{text[:1].upper()}{text[1:]}."

    def __str__(self) -> str:
        estimate, low, high = self.naive
        return f"tipping curve: recorded slope {estimate:.4g} ({low:.4g} to {high:.4g}). {self.words}"

    def plot(self, ax: Any = None) -> Any:
        """Where the slope is above, below or not told from zero; takes and returns Axes."""
        ax = new_axes(ax)
        if len(self.shift_exposure) > 1 and len(self.shift_outcome) > 1:
            return self._plane(ax)
        shifts, what = (
            (self.shift_outcome, "outcome")
            if len(self.shift_outcome) > 1
            else (self.shift_exposure, "exposure")
        )
        ax.fill_between(
            shifts, self.low.ravel(), self.high.ravel(), color=PALETTE["blue"], alpha=0.18, linewidth=0
        )
        ax.plot(
            shifts,
            self.estimate.ravel(),
            color=PALETTE["blue"],
            linewidth=2,
            label="slope after taking it back",
        )
        ax.axhline(0, color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)))
        ax.plot([0], [self.naive[0]], "o", color=PALETTE["orange"], markersize=7, label="as recorded")
        ax.set(xlabel=f"shift of the {what} in the other mode", ylabel="slope")
        ax.grid(axis="y", linewidth=0.8)
        ax.legend(loc="best")
        return ax

    def _plane(self, ax: Any) -> Any:
        x, y = self.shift_exposure, self.shift_outcome
        colours = [PALETTE["red"], PALETTE["rule"], PALETTE["blue"]]
        ax.axhspan(y[0], y[-1], color=colours[1], alpha=0.35, linewidth=0)
        if self.high.min() < 0:
            bounds = [float(self.high.min()) - 1, 0.0]
            ax.contourf(x, y, self.high.T, levels=bounds, colors=[colours[0]], alpha=0.35)
        if self.low.max() > 0:
            bounds = [0.0, float(self.low.max()) + 1]
            ax.contourf(x, y, self.low.T, levels=bounds, colors=[colours[2]], alpha=0.35)
        ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
        if self.estimate.min() < 0 < self.estimate.max():
            ax.contour(x, y, self.estimate.T, levels=[0.0], colors=[PALETTE["ink"]], linewidths=1.8)
        for colour, word in zip(colours, ("below zero", "not told from zero", "above zero"), strict=True):
            ax.plot([], [], "s", color=colour, alpha=0.5, markersize=9, label=word)
        ax.plot([], [], color=PALETTE["ink"], linewidth=1.8, label="slope zero")
        ax.plot([0], [0], "o", color=PALETTE["orange"], markersize=7, label="as recorded")
        ax.set(xlabel="shift of the exposure in the other mode", ylabel="shift of the outcome")
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=3)
        return ax


def tipping(
    curve: Curve, reach_exposure: float, reach_outcome: float, *, points: int = 61, level: float = 0.95
) -> TippingCurve:
    """Slopes on a grid of shifts from ``-reach`` to ``reach`` of each answer; a reach of 0 keeps that answer.

    ``curve(shift_x, shift_y, scale_x, scale_y)`` gives slopes and standard errors.
    """
    half = points // 2
    grid = np.arange(-half, half + 1) / half
    x = grid * reach_exposure if reach_exposure > 0 else np.zeros(1)
    y = grid * reach_outcome if reach_outcome > 0 else np.zeros(1)
    dx, dy = (part.ravel() for part in np.meshgrid(x, y, indexing="ij"))
    estimate, error = (
        part.reshape(len(x), len(y)) for part in curve(dx, dy, np.ones(len(dx)), np.ones(len(dx)))
    )
    z = float(stats.norm.ppf(0.5 + level / 2))
    low, high = estimate - z * error, estimate + z * error
    i, j = len(x) // 2, len(y) // 2
    decided = np.sign(low) * (np.sign(low) == np.sign(high))
    return TippingCurve(
        x, y, estimate, low, high, (float(estimate[i, j]), float(low[i, j]), float(high[i, j])), level,
        _nearest(x, decided[:, j], low[:, j], high[:, j]), _nearest(y, decided[i], low[i], high[i]),
        _nearest(x, np.sign(estimate[:, j]), estimate[:, j]), _nearest(y, np.sign(estimate[i]), estimate[i]),
    )  # fmt: skip


def _nearest(shifts: np.ndarray, state: np.ndarray, *values: np.ndarray) -> float | None:
    """The shift nearest zero at which ``state`` changes, between grid points by the sign of values."""
    middle = len(shifts) // 2
    found = []
    for step in (1, -1):
        k = middle
        while 0 <= k + step < len(shifts) and state[k + step] == state[middle]:
            k += step
        if not 0 <= k + step < len(shifts):
            continue
        crossings = [
            shifts[k] + (shifts[k + step] - shifts[k]) * v[k] / (v[k] - v[k + step])
            for v in values if np.sign(v[k]) != np.sign(v[k + step])
        ]  # fmt: skip
        found.append(float(min(crossings, key=abs)))
    return min(found, key=abs) if found else None


@dataclass(frozen=True)
class SplitCurve:
    """Slopes at other shares of the other mode, the shifts and the strength of selection kept."""

    share: Float[np.ndarray, " p"]
    unadjusted: Float[np.ndarray, " p"]
    given_mode: Float[np.ndarray, " p"]
    removed: float
    """The slope with the shifts taken back, which does not depend on the split."""
    observed: float

    def to_frame(self) -> Any:
        """One row per share, as a pandas frame."""
        import pandas as pd

        return pd.DataFrame(
            {"share": self.share, "unadjusted": self.unadjusted, "given_mode": self.given_mode}
        )

    def __str__(self) -> str:
        worst = float(self.share[np.argmax(np.abs(self.unadjusted - self.removed))])
        return f"bias against the split: largest without adjustment at a share of {worst:.2f}; here {self.observed:.2f}"

    def plot(self, ax: Any = None) -> Any:
        """Both slopes against the share; takes and returns Axes."""
        ax = new_axes(ax)
        ax.plot(self.share, self.unadjusted, color=PALETTE["orange"], linewidth=2, label="unadjusted")
        ax.plot(self.share, self.given_mode, color=PALETTE["purple"], linewidth=2, label="given the mode")
        ax.axhline(self.removed, color=PALETTE["blue"], linewidth=2, label="shifts taken back")
        ax.axvline(self.observed, color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)))
        ax.axhline(0, color=PALETTE["rule"], linewidth=1)
        ax.set(xlabel="share answering in the other mode (dashed: here)", ylabel="slope", xlim=(0, 1))
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=3)
        return ax


def split_curve(
    moments: ShiftMoments, observed: float, shift_x: float, shift_y: float, share: Any = None
) -> SplitCurve:
    """Slopes at other shares; ``observed`` is the share of the other mode in the data.

    Examples
    --------
    >>> from suppose.effects.mode.bias import shift_moments
    >>> rng = np.random.default_rng(0)
    >>> x, e, u = rng.normal(size=(3, 20_000))
    >>> y = 0.3 * x + e
    >>> other = x + y + u > 0
    >>> moments = shift_moments(x + 0.5 * other, y + 0.5 * other, other, np.empty((20_000, 0)))
    >>> found = split_curve(moments, 0.5, 0.5, 0.5, [0.1, 0.5])
    >>> found.unadjusted.round(1).tolist(), found.given_mode.round(1).tolist()
    ([0.4, 0.5], [0.2, -0.0])
    """
    share = np.linspace(0.02, 0.98, 97) if share is None else np.asarray(share, dtype=float)
    s = moments.second / moments.n
    a, b = np.array([1.0, 1.0, -shift_x, 0, 0]), np.array([0, 0, -shift_y, 1.0, 1.0])
    sxx, sxy = float(a @ s @ a), float(a @ s @ b)
    here = float(stats.norm.pdf(stats.norm.isf(observed)))
    explained = s[2, 2] / (observed * (1 - observed))  # what covariates leave of the mode
    height = stats.norm.pdf(stats.norm.isf(share))
    cx, cy = float(a @ s[:, 2]) / here * height, float(b @ s[:, 2]) / here * height
    v = share * (1 - share) * explained
    unadjusted = (sxy + shift_y * cx + shift_x * cy + shift_x * shift_y * v) / (
        sxx + 2 * shift_x * cx + shift_x**2 * v
    )
    given = (sxy - cx * cy / v) / (sxx - cx**2 / v)
    return SplitCurve(share, unadjusted, given, sxy / sxx, float(observed))
