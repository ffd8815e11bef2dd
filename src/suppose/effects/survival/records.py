"""Records of what a survival regression says: a curve with its band, and an average effect.

Also Harrell's concordance, the share of comparable pairs put in the right order (Harrell et al., JAMA 247, 1982).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import narwhals as nw
import numpy as np
from jaxtyping import Float

from suppose.core.figures import PALETTE, new_axes

__all__ = ["Curve", "SurvivalEffect", "concordance", "event_column"]


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
