"""Yes/no answers that each mode records with its own errors: the effect after undoing them.

In each mode the table of recorded exposure and outcome is the true table times the chances of recording a yes and a
no rightly (sensitivity, specificity), independent between the two answers. Undoing that, cell by cell, is the matrix
form of ``true = (recorded + Sp - 1) / (Se + Sp - 1)``. The true tables of the modes are added up, so nothing is
conditioned on. Error rates are numbers or priors; each draw also redraws the recorded tables (multinomial), so that
the interval holds sampling error. Draws that give a negative cell, or rates at or below chance, are impossible: they
are thrown away and counted. No covariates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from suppose.core.errors import DataError, EstimationError, nearest
from suppose.core.figures import PALETTE, new_axes
from suppose.core.random import generator
from suppose.effects.mode.priors import Prior

__all__ = ["RATES", "MisclassificationAnalysis", "misclassification_analysis", "read_rates", "true_tables"]

RATES = tuple(
    f"{answer}_{rate}_{mode}"
    for answer in ("exposure", "outcome")
    for rate in ("sensitivity", "specificity")
    for mode in ("reference", "other")
)
MEASURES = ("log odds ratio", "risk difference")


@dataclass(frozen=True)
class MisclassificationAnalysis:
    """The effect after undoing errors of recording.

    ``median``, ``low``, ``high`` are of the possible draws; ``rejected`` of ``draws`` were impossible. ``naive`` is the
    effect as recorded; ``values`` (possible draws,).
    """

    measure: str
    median: float
    low: float
    high: float
    level: float
    naive: float
    draws: int
    rejected: int
    rates: tuple[tuple[str, str], ...]
    values: Float[np.ndarray, " kept"] = field(repr=False, compare=False)

    def to_frame(self) -> Any:
        """The record as a pandas frame of one row."""
        import pandas as pd

        names = ("measure", "median", "low", "high", "level", "naive", "draws", "rejected")
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def __str__(self) -> str:
        return (
            f"{self.measure} after undoing errors of recording: {self.median:.4g} ({100 * self.level:g}% "
            f"simulation interval {self.low:.4g} to {self.high:.4g}; recorded {self.naive:.4g}; {self.rejected:,} of "
            f"{self.draws:,} draws impossible)"
        )

    def plot(self, ax: Any = None) -> Any:
        """Histogram of the draws, with the effect as recorded; takes and returns Axes."""
        ax = new_axes(ax)
        ax.hist(self.values, bins=60, color=PALETTE["blue"], alpha=0.55)
        ax.axvline(self.naive, color=PALETTE["orange"], linewidth=2, label=f"as recorded {self.naive:.3g}")
        ax.axvline(self.median, color=PALETTE["blue"], linewidth=2, label=f"median {self.median:.3g}")
        ax.set(xlabel=self.measure, ylabel="draws")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        return ax


def true_tables(
    recorded: Float[np.ndarray, "d 2 2"],
    exposure: Float[np.ndarray, "d 2"],
    outcome: Float[np.ndarray, "d 2"],
) -> Float[np.ndarray, "d 2 2"]:
    """True tables (exposure no/yes, outcome no/yes) of recorded ones; rates are (sensitivity, specificity).

    Examples
    --------
    >>> right = np.array([[1.0, 1.0]])
    >>> true_tables(np.array([[[50.0, 10.0], [20.0, 20.0]]]), right, right)[0].tolist()
    [[50.0, 10.0], [20.0, 20.0]]
    """
    return np.asarray(np.einsum("dai,dij,dbj->dab", _undo(exposure), recorded, _undo(outcome)))


def _undo(rates: np.ndarray) -> np.ndarray:
    """Inverse of the matrix [[Sp, 1 - Se], [1 - Sp, Se]] for each draw."""
    se, sp = rates[:, 0], rates[:, 1]
    better = se + sp - 1
    rows = np.stack([np.stack([se, se - 1], -1), np.stack([sp - 1, sp], -1)], -2)
    return np.asarray(rows / better[:, None, None])


def misclassification_analysis(
    exposure: Float[np.ndarray, " n"],
    outcome: Float[np.ndarray, " n"],
    other: Bool[np.ndarray, " n"],
    rates: Mapping[str, Any],
    *,
    measure: str = "log odds ratio",
    draws: int = 5000,
    level: float = 0.95,
    seed: int = 0,
) -> MisclassificationAnalysis:
    """Undo mode-specific errors of yes/no answers.

    Parameters
    ----------
    exposure, outcome : (n,) arrays of 0 and 1
        Recorded answers.
    other : (n,) array of bool
        Rows answered in the other mode.
    rates : mapping
        Names of :data:`RATES`, such as ``"outcome_sensitivity_other"``, to numbers or priors; those left out are 1.
    measure : {"log odds ratio", "risk difference"}
        Effect of the exposure.
    draws, level, seed
        Of the simulation interval.

    Raises
    ------
    DataError
        ``not-yes-no``.
    EstimationError
        ``unknown-choice``; ``no-better-than-chance`` when a sensitivity and specificity never add up to more than 1;
        ``impossible-rates`` when fewer than 100 draws are possible.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, other = rng.random(4000) < 0.4, rng.random(4000) < 0.5
    >>> y = rng.random(4000) < 0.2 + 0.2 * x
    >>> seen = np.where(other & y, rng.random(4000) < 0.7, y)
    >>> found = misclassification_analysis(x * 1.0, seen * 1.0, other, {"outcome_sensitivity_other": 0.7},
    ...                                    measure="risk difference")
    >>> round(found.median, 1), found.naive < found.median
    (0.2, True)
    """
    for name, values in (("exposure", exposure), ("outcome", outcome)):
        if not np.isin(values, (0.0, 1.0)).all():
            raise DataError(
                "not-yes-no", "expected answers of 0 and 1 alone", where=name,
                remedy="Code yes as 1 and no as 0, or use bias_analysis with shifts.",
            )  # fmt: skip
    _check(measure, MEASURES, "measure")
    laws = read_rates(rates)
    random = generator(seed, "misclassification")
    taken = {name: law.quantile(generator(seed, "rate", name).random(draws)) for name, law in laws.items()}
    whole, fine = np.zeros((draws, 2, 2)), np.ones(draws, dtype=bool)
    for word, rows in (("reference", ~other), ("other", other)):
        cells = np.array([[np.sum(rows & (exposure == a) & (outcome == b)) for b in (0, 1)] for a in (0, 1)])
        n = int(rows.sum())
        drawn = (
            random.multinomial(n, cells.ravel() / max(n, 1), size=draws).reshape(draws, 2, 2).astype(float)
        )
        pair = {
            answer: np.stack(
                [taken.get(f"{answer}_{rate}_{word}", np.ones(draws)) for rate in ("sensitivity", "specificity")], -1
            )
            for answer in ("exposure", "outcome")
        }  # fmt: skip
        sound = np.all(
            [(p.min(axis=1) >= 0) & (p.max(axis=1) <= 1) & (p.sum(axis=1) > 1 + 1e-9) for p in pair.values()],
            axis=0,
        )
        fine &= sound
        safe = {answer: np.where(sound[:, None], p, 1.0) for answer, p in pair.items()}
        table = true_tables(drawn, safe["exposure"], safe["outcome"])
        fine &= table.min(axis=(1, 2)) >= -1e-9
        whole += table
    fine &= whole.min(axis=(1, 2)) > 0
    if fine.sum() < 100:
        raise EstimationError(
            "impossible-rates", f"only {int(fine.sum()):,} of {draws:,} draws fit the table without negative cells",
            where="rates", remedy="Rates this low cannot have given these answers: raise them.",
        )  # fmt: skip
    values = _effect(whole[fine], measure)
    recorded = np.array(
        [[[np.sum((exposure == a) & (outcome == b)) for b in (0, 1)] for a in (0, 1)]], dtype=float
    )
    tail = (1 - level) / 2
    low, median, high = np.quantile(values, [tail, 0.5, 1 - tail])
    with np.errstate(divide="ignore", invalid="ignore"):
        naive = float(_effect(recorded, measure)[0])
    return MisclassificationAnalysis(
        measure, float(median), float(low), float(high), level, naive, draws, int((~fine).sum()),
        tuple((name, str(law)) for name, law in laws.items()), values,
    )  # fmt: skip


def _effect(tables: np.ndarray, measure: str) -> np.ndarray:
    if measure == "risk difference":
        risk = tables[:, :, 1] / tables.sum(axis=2)
        return np.asarray(risk[:, 1] - risk[:, 0])
    logs = np.log(tables)
    return np.asarray(logs[:, 1, 1] + logs[:, 0, 0] - logs[:, 0, 1] - logs[:, 1, 0])


def read_rates(rates: Mapping[str, Any]) -> dict[str, Prior]:
    """Laws of the rates by name; refuses unknown names and rates that are never better than chance.

    Raises
    ------
    EstimationError
        ``unknown-choice``, ``bad-prior``, ``bad-prior-numbers``, ``no-better-than-chance``.
    """
    laws = {}
    for name, value in rates.items():
        _check(name, RATES, "rates")
        laws[name] = Prior.of(value, where=f"rates {name!r}")
    top = {
        name: float(laws[name].quantile(np.array([1 - 1e-6]))[0]) if name in laws else 1.0 for name in RATES
    }
    for name in RATES:
        if "sensitivity" in name and top[name] + top[name.replace("sensitivity", "specificity")] <= 1:
            raise EstimationError(
                "no-better-than-chance", "sensitivity and specificity must add up to more than 1, these never do",
                where=f"rates {name!r}",
                remedy="Answers recorded no better than by chance say nothing: raise the rates.",
            )  # fmt: skip
    return laws


def _check(value: str, known: tuple[str, ...], where: str) -> None:
    if value not in known:
        raise EstimationError(
            "unknown-choice", f"expected one of {', '.join(map(repr, known))}, got {value!r}", where=where,
            remedy=nearest(str(value), known) or f"Write {where}={known[0]!r}.",
        )  # fmt: skip
