"""Shifts of modes from outside: against a known total, and between modes.

:func:`mode_contrast` is the difference of mean answers between a mode and the reference, covariates held fixed: it
holds the mode effect *and* whatever selected people into modes. :func:`calibrate` takes a total that is known from
elsewhere (an election, a register) and says how far each mode's mean lies from it; subtracting these shifts makes
every mode's mean the total. That answers for the mean alone: a slope changes by the difference of shifts between
modes, and a shift found this way blames on the mode what selection into it did.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped
from scipy import stats

from suppose.core.errors import DataError
from suppose.core.figures import PALETTE, forest, new_axes
from suppose.effects.base import read_outcome
from suppose.effects.linear_inference import linear_inference

__all__ = ["Calibration", "ModeContrast", "calibrate", "mode_contrast"]


@dataclass(frozen=True)
class ModeContrast:
    """Mean answer in a mode minus that in the reference, covariates held fixed."""

    mode: str
    reference: str
    difference: float
    standard_error: float
    low: float
    high: float
    level: float
    p_value: float
    n: int

    def to_frame(self) -> Any:
        """The contrast as a pandas frame of one row."""
        import dataclasses

        import pandas as pd

        return pd.DataFrame([dataclasses.asdict(self)])

    def __str__(self) -> str:
        return (
            f"{self.mode} minus {self.reference}: {self.difference:+.4g} ({100 * self.level:g}% interval "
            f"{self.low:.4g} to {self.high:.4g}; standard error {self.standard_error:.3g}; n = {self.n:,})"
        )


def mode_contrast(
    answers: Any,
    mode: Any,
    reference: Any,
    covariates: Float[np.ndarray, "n p"] | None = None,
    *,
    level: float = 0.95,
    robust: bool = True,
) -> tuple[ModeContrast, ...]:
    """Difference of mean answers between each other mode and the reference, by least squares.

    Parameters
    ----------
    answers : (n,) array or series
        Recorded answers.
    mode : (n,) array or series
        Mode of each row.
    reference : value of ``mode``
        What the others are compared with.
    covariates : (n, p) array, optional
        Held fixed.
    level : float
        Coverage of the intervals.
    robust : bool
        HC3 standard errors; otherwise those of equal variances.

    Raises
    ------
    DataError
        ``one-mode``, ``unknown-reference``.

    Examples
    --------
    >>> found = mode_contrast(np.array([1.0, 2, 3, 5, 6, 7]), np.array([0, 0, 0, 1, 1, 1]), 0)
    >>> found[0].difference
    4.0
    """
    mode = np.asarray(mode)
    answers = read_outcome(answers, len(mode))
    levels = mode_levels(mode, reference)
    others = levels[1:]
    blocks = [np.ones(len(answers)), *((np.asarray(mode) == value).astype(float) for value in others)]
    D = np.column_stack(blocks if covariates is None else [*blocks, covariates])
    found = linear_inference(D, answers)
    covariance = found.covariance
    if not robust:
        rest = answers - D @ found.coefficients
        covariance = np.linalg.inv(D.T @ D) * float(rest @ rest) / found.freedom
    half = float(stats.t.ppf(0.5 + level / 2, found.freedom))
    rows = []
    for k, value in enumerate(others, start=1):
        difference, error = float(found.coefficients[k]), float(np.sqrt(covariance[k, k]))
        p = (
            float(2 * stats.t.sf(abs(difference) / error, found.freedom))
            if error > 0
            else float(difference == 0)
        )
        rows.append(
            ModeContrast(str(value), str(reference), difference, error, difference - half * error,
                         difference + half * error, level, p, len(answers))
        )  # fmt: skip
    return tuple(rows)


def mode_levels(mode: Shaped[np.ndarray, " n"], reference: Any) -> list[Any]:
    """Modes in the data, the reference first.

    Raises
    ------
    DataError
        ``one-mode``, ``unknown-reference``.
    """
    levels = np.unique(np.asarray(mode)).tolist()
    if len(levels) < 2:
        raise DataError(
            "one-mode", f"every row (n_samples={len(mode)}) was answered in the same mode ({levels[0]})",
            where="mode", remedy="Name the column that tells modes apart, or use another kind of study.",
        )  # fmt: skip
    if reference not in levels:
        shown = ", ".join(map(str, levels[:10]))
        raise DataError(
            "unknown-reference", f"expected one of the modes {shown}, got {reference!r}", where="reference",
            remedy="Name the mode that answers are to be brought to.",
        )  # fmt: skip
    return [
        next(value for value in levels if value == reference),
        *(value for value in levels if value != reference),
    ]


@dataclass(frozen=True)
class Calibration:
    """How far each mode's mean lies from a known total, and the answers brought to it.

    ``rows`` are (mode, rows, mean, shift, standard error of the shift); ``adjusted`` is (n,) answers minus their mode's
    shift.
    """

    total: float
    rows: tuple[tuple[str, int, float, float, float], ...]
    adjusted: Float[np.ndarray, " n"] = field(repr=False, compare=False)

    def to_frame(self) -> Any:
        """One row per mode, as a pandas frame."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=["mode", "rows", "mean", "shift", "standard_error"])

    @property
    def shifts(self) -> dict[str, float]:
        """Shift of each mode, in the unit of the answers."""
        return {row[0]: row[3] for row in self.rows}

    def __str__(self) -> str:
        lines = [f"calibrated to {self.total:g}: each mode's mean lies this far from it"]
        lines += [
            f"  {mode}: {shift:+.4g} (standard error {error:.2g}; {n:,} rows)"
            for mode, n, _, shift, error in self.rows
        ]
        return "\n".join(lines)

    def plot(self, ax: Any = None) -> Any:
        """Mean of each mode beside the total; takes and returns Axes."""
        ax = new_axes(ax)
        rows = [
            (mode, mean, mean - 1.96 * error, mean + 1.96 * error) for mode, _, mean, _, error in self.rows
        ]
        ax = forest(rows, reference=self.total, emphasis=-1, ax=ax)
        ax.axvline(self.total, color=PALETTE["orange"], linewidth=1.6)
        ax.set_xlabel("mean answer (line: the known total)")
        return ax


def calibrate(
    answers: Any,
    mode: Any,
    total: float,
    weights: Any = None,
) -> Calibration:
    """Shift of each mode that would make its mean a known total.

    Parameters
    ----------
    answers : (n,) array or series
        Recorded answers.
    mode : (n,) array or series
        Mode of each row.
    total : float
        The mean as known from elsewhere, in the unit of the answers.
    weights : (n,) array, optional
        Weight of each row in its mode's mean.

    Raises
    ------
    DataError
        ``bad-total`` for a total that is not a finite number.

    Examples
    --------
    >>> found = calibrate(np.array([1.0, 2, 3, 5]), np.array(["web", "web", "phone", "phone"]), 2.0)
    >>> found.shifts
    {'phone': 2.0, 'web': -0.5}
    >>> found.adjusted.tolist()
    [1.5, 2.5, 1.0, 3.0]
    """
    if isinstance(total, bool) or not isinstance(total, (int, float, np.number)) or not np.isfinite(total):
        raise DataError(
            "bad-total", f"expected a finite number, got {total!r}", where="total",
            remedy="Give the mean known from elsewhere, in the unit of the answers.",
        )  # fmt: skip
    mode = np.asarray(mode)
    answers = read_outcome(answers, len(mode))
    w = np.ones(len(answers)) if weights is None else np.asarray(weights, dtype=float)
    adjusted, rows = np.array(answers, dtype=float), []
    for value in np.unique(mode):
        inside = mode == value
        part, share = answers[inside], w[inside] / w[inside].sum()
        mean = float(share @ part)
        n = int(inside.sum())
        error = float(np.sqrt(np.sum(share**2 * (part - mean) ** 2) * n / max(n - 1, 1)))
        rows.append((str(value), n, mean, mean - float(total), error))
        adjusted[inside] -= mean - float(total)
    return Calibration(float(total), tuple(rows), adjusted)
