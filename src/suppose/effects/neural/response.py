"""What neural estimators answer with: dose-response curves, effects of single rows, attention.

Each record keeps what every member of the ensemble says, and gives the mean with an interval from their
spread (Student's, ``members - 1`` degrees of freedom).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped
from scipy import stats

from suppose.core.answer import format_number

__all__ = ["AttentionMap", "ConditionalEffects", "DoseResponse", "half_width", "spread"]


def spread(members: Float[np.ndarray, "members *shape"]) -> tuple[Any, Any]:
    """Mean and standard deviation over members; no standard deviation (nan) with one member.

    Examples
    --------
    >>> mean, sd = spread(np.array([[1.0], [3.0]]))
    >>> mean.tolist(), sd.round(3).tolist()
    ([2.0], [1.414])
    """
    mean = members.mean(axis=0)
    if len(members) < 2:
        return mean, np.full_like(mean, np.nan)
    return mean, members.std(axis=0, ddof=1)


def half_width(members: Float[np.ndarray, "members *shape"], level: float) -> Any:
    """Half the width of the interval of the mean, from the members' spread."""
    _, sd = spread(members)
    return stats.t.ppf(0.5 + level / 2, max(len(members) - 1, 1)) * sd


@dataclass(frozen=True)
class DoseResponse:
    """Average dose-response: mean outcome of the rows asked about, under each dose.

    Attributes
    ----------
    grid : (k,) array
        Doses.
    estimate, low, high : (k,) arrays
        Mean outcome and its interval, in the unit of the outcome.
    members : (members, k) array
        What each network says.
    level : float
    treatment : str
    seen : (n,) array
        Doses learned from.
    """

    grid: np.ndarray
    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    members: np.ndarray
    level: float
    treatment: str
    seen: np.ndarray

    @classmethod
    def of(
        cls,
        grid: Float[np.ndarray, " k"],
        members: Float[np.ndarray, "members k"],
        level: float,
        treatment: str,
        seen: Float[np.ndarray, " n"],
    ) -> DoseResponse:
        """The record of what the members say."""
        mean, half = spread(members)[0], half_width(members, level)
        return cls(grid, mean, mean - half, mean + half, members, level, treatment, seen)

    def to_frame(self) -> Any:
        """One row per dose, as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame(
            {"dose": self.grid, "estimate": self.estimate, "low": self.low, "high": self.high}
        )

    def contrast(self, to: float, from_: float) -> tuple[float, float, float]:
        """Difference between two doses of the grid (the nearest ones) with its interval."""
        a, b = int(np.abs(self.grid - to).argmin()), int(np.abs(self.grid - from_).argmin())
        difference = (self.members[:, a] - self.members[:, b])[:, None]
        mean, half = float(difference.mean()), float(half_width(difference, self.level)[0])
        return mean, mean - half, mean + half

    def plot(self, ax: Any = None, *, unit: str = "") -> Any:
        """Draw the curve with its band, and where doses were seen; takes and returns matplotlib Axes."""
        from suppose.core.figures import PALETTE, new_axes

        ax = new_axes(ax)
        band = np.all(np.isfinite(self.low))
        if len(self.grid) > 10 or not band:
            if band:
                ax.fill_between(
                    self.grid, self.low, self.high, color=PALETTE["blue"], alpha=0.18, linewidth=0
                )
            ax.plot(self.grid, self.estimate, color=PALETTE["blue"], linewidth=2.2)
        else:
            ax.vlines(self.grid, self.low, self.high, color=PALETTE["blue"], linewidth=2.2)
            ax.plot(self.grid, self.estimate, "o", color=PALETTE["blue"])
        marks = np.quantile(self.seen, np.linspace(0, 1, min(len(self.seen), 200)))
        marks = marks[(marks >= self.grid.min()) & (marks <= self.grid.max())]
        ax.plot(marks, np.zeros(len(marks)), "|", color=PALETTE["muted"], markersize=7, alpha=0.5,
                transform=ax.get_xaxis_transform(), clip_on=False)  # fmt: skip
        ax.set(xlabel=self.treatment, ylabel=unit or "mean outcome")
        ax.grid(axis="y", linewidth=0.8)
        return ax

    def __str__(self) -> str:
        best = int(self.estimate.argmax())
        return (
            f"Dose-response over {self.treatment} = {format_number(float(self.grid.min()))} to "
            f"{format_number(float(self.grid.max()))}: mean outcome from "
            f"{format_number(float(self.estimate.min()))} to {format_number(float(self.estimate.max()))}, "
            f"highest at {format_number(float(self.grid[best]))} ({len(self.members)} networks)"
        )


@dataclass(frozen=True)
class ConditionalEffects:
    """Effect of one treatment against another on every row asked about.

    Attributes
    ----------
    estimate, low, high : (n,) arrays
        Effect of each row and its interval, in the unit of the outcome.
    average, average_low, average_high : float
        Mean over the rows.
    members : (members, n) array
    to, from_ : what was compared
    level : float
    """

    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    average: float
    average_low: float
    average_high: float
    members: np.ndarray
    to: Any
    from_: Any
    level: float

    @classmethod
    def of(
        cls, members: Float[np.ndarray, "members n"], to: Any, from_: Any, level: float
    ) -> ConditionalEffects:
        """The record of what the members say."""
        mean, half = spread(members)[0], half_width(members, level)
        each = members.mean(axis=1, keepdims=True)
        middle, width = float(each.mean()), float(half_width(each, level)[0])
        return cls(
            mean, mean - half, mean + half, middle, middle - width, middle + width, members, to, from_, level
        )

    def to_frame(self) -> Any:
        """One row per row asked about, as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame({"effect": self.estimate, "low": self.low, "high": self.high})

    def plot(self, ax: Any = None, *, unit: str = "") -> Any:
        """Draw the effects in order of size with their intervals; takes and returns matplotlib Axes."""
        from suppose.core.figures import PALETTE, new_axes

        ax = new_axes(ax)
        order = np.argsort(self.estimate)
        share = (np.arange(len(order)) + 0.5) / len(order) * 100
        if np.all(np.isfinite(self.low)):
            parts = np.array_split(order, min(len(order), 100))  # ends of neighbours are averaged
            low, high = ([float(end[part].mean()) for part in parts] for end in (self.low, self.high))
            middle = np.linspace(share[0], share[-1], len(parts))
            ax.fill_between(middle, low, high, color=PALETTE["blue"], alpha=0.18, linewidth=0)
        ax.plot(share, self.estimate[order], color=PALETTE["blue"], linewidth=2.2)
        ax.axhline(0, color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)))
        ax.axhline(self.average, color=PALETTE["orange"], linewidth=1.4)
        ax.set(xlabel="% of rows with a smaller effect", ylabel=unit or "effect")
        ax.grid(axis="y", linewidth=0.8)
        return ax

    def __str__(self) -> str:
        ends = [float(np.quantile(self.estimate, q)) for q in (0.1, 0.9)]
        return (
            f"Effect of {_words(self.to)} against {_words(self.from_)}: mean {format_number(self.average)} "
            f"({100 * self.level:g}% interval {format_number(self.average_low)} to "
            f"{format_number(self.average_high)}); eight rows in ten between {format_number(ends[0])} and "
            f"{format_number(ends[1])} ({len(self.members)} networks, {len(self.estimate):,} rows)"
        )


def _words(treatment: Any) -> str:
    if isinstance(treatment, (tuple, list)):
        return "(" + ", ".join(f"{part:g}" for part in treatment) + ")"
    return f"{treatment:.4g}" if isinstance(treatment, (int, float)) else "a new graph"


@dataclass(frozen=True)
class AttentionMap:
    """Where the treatment's token looks: mean attention to each covariate.

    Attributes
    ----------
    covariates : tuple of str
    estimate, low, high : (covariates,) arrays
        Mean weight over members, heads and rows, and the lowest and highest of the members.
    weights : (members, heads, covariates) array
        They sum to one over covariates.
    at : str
        The treatment that looks, in words.
    """

    covariates: tuple[str, ...]
    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    weights: np.ndarray
    at: str

    @classmethod
    def of(
        cls, weights: Float[np.ndarray, "members heads covariates"], covariates: tuple[str, ...], at: str
    ) -> AttentionMap:
        """The record of the weights of every member and head."""
        each: Shaped[np.ndarray, "members covariates"] = weights.mean(axis=1)
        return cls(covariates, each.mean(axis=0), each.min(axis=0), each.max(axis=0), weights, at)

    def to_frame(self) -> Any:
        """One row per covariate, the most looked at first, as a pandas DataFrame."""
        import pandas as pd

        frame = pd.DataFrame(
            {
                "covariate": self.covariates,
                "attention": self.estimate,
                "lowest": self.low,
                "highest": self.high,
            }
        )
        return frame.sort_values("attention", ascending=False, ignore_index=True)

    def plot(self, ax: Any = None, *, most: int = 15) -> Any:
        """Draw the most looked-at covariates; the dashed line is an even look at all of them."""
        from suppose.core.figures import PALETTE, new_axes

        ax = new_axes(ax)
        order = np.argsort(-self.estimate)[:most]
        places = np.arange(len(order))
        ax.barh(places, 100 * self.estimate[order], color=PALETTE["blue"], alpha=0.75, height=0.62)
        ax.hlines(places, 100 * self.low[order], 100 * self.high[order], color=PALETTE["ink"], linewidth=1.2)
        ax.axvline(
            100 / len(self.covariates), color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)), zorder=0
        )
        ax.set_yticks(places, [self.covariates[index] for index in order])
        ax.set_ylim(len(order) - 0.4, -0.6)
        ax.set_xlabel("attention, %")
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", linewidth=0.8)
        return ax

    def __str__(self) -> str:
        order = np.argsort(-self.estimate)[:3]
        named = ", ".join(f"{self.covariates[i]} {100 * self.estimate[i]:.0f}%" for i in order)
        return f"Attention at {self.at}: most on {named} (even: {100 / len(self.covariates):.0f}%)"
