"""Laws of an outcome under several settings as findings, a table and a figure."""

from __future__ import annotations

from typing import Any

import numpy as np

from suppose.core.answer import Figure, Finding, Table, format_number
from suppose.core.figures import PALETTE, draw_svg
from suppose.studies import intervention_estimates as estimates
from suppose.studies.intervention import word
from suppose.studies.parts import Parts

__all__ = ["LawShown", "outcome_words", "percent", "rounded", "state_of"]


def state_of(study: Any, table: Any) -> str:
    """The state of the outcome that the sentence speaks of: the one asked for, or the last."""
    if study.query.state is not None:
        return word(study.query.state)
    return str(table.states[study.query.outcome][-1])


def outcome_words(study: Any, state: str | None) -> str:
    """``"Share with C = 1"``, or ``"Mean of C"`` for numbers."""
    outcome = study.query.outcome
    return f"Mean of {outcome}" if state is None else f"Share with {outcome} = {state}"


def rounded(value: float) -> float | None:
    """Six decimals, None for what is not known."""
    return round(float(value), 6) if np.isfinite(value) else None


def percent(share: float) -> str:
    """A share as a reader says it, e.g. ``"54.2%"``."""
    return f"{100 * share:.1f}%"


class LawShown:
    """Laws of the outcome under every setting as findings, a table and a figure."""

    def __init__(
        self,
        study: Any,
        table: Any,
        settings: Any,
        point: np.ndarray,
        seen: np.ndarray,
        draws: np.ndarray | None = None,
    ) -> None:
        self.study, self.table, self.settings = study, table, settings
        self.point, self.seen, self.draws = point, seen, draws
        self.level = study.method.level
        nothing = np.full(point.shape, np.nan)
        self.low, self.high, self.error, self.failed = nothing, nothing, nothing, 0.0
        if draws is not None:
            self.low, self.high, self.error, self.failed = estimates.intervals(draws, self.level)
        self.states = table.states[study.query.outcome]
        self.at = self.states.index(state_of(study, table))

    def parts(self, method: str) -> Parts:
        """Findings first, then figure and table."""
        untold = [self.settings.words(k) for k in range(len(self.point)) if np.isnan(self.point[k]).all()]
        notes = tuple(
            f"Nothing in the table can answer for {words}: a cell it needs has no rows." for words in untold
        )
        if self.failed:
            many = self.failed > estimates.FAILED
            fate = (
                "no interval is given; method.prior fills such cells"
                if many
                else "the interval is from the others"
            )
            notes += (
                f"{self.failed:.1%} of the bootstrap draws left a cell empty that is divided by: {fate}.",
            )
        return Parts(
            findings=tuple(self._findings(method)),
            figures=(self._figure(),),
            tables=(self._table(),),
            notes=notes,
        )

    def _findings(self, method: str) -> list[Finding]:
        outcome = self.study.query.outcome
        found = [
            self._finding("set", f"Share with {outcome} = {self.states[self.at]} if {self.settings.words(0)}",
                          self.point[0, self.at], self.low[0, self.at], self.high[0, self.at], self.error[0, self.at],
                          method, headline=True)
        ]  # fmt: skip
        seen = self.seen[0, self.at]
        if np.isfinite(seen):
            found.append(Finding(
                name="observed", label=f"Share among those who have {self.settings.words(0)}", estimate=float(seen),
                method="observed, not an effect", n=self.table.rows or None,
            ))  # fmt: skip
        if len(self.point) > 1 and np.isfinite(self.point[1, self.at]):
            found.append(self._contrast(method))
        return found

    def _contrast(self, method: str) -> Finding:
        change = self.point[0, self.at] - self.point[1, self.at]
        low = high = error = float("nan")
        if self.draws is not None and self.failed <= estimates.FAILED:
            moved = self.draws[:, 0, self.at] - self.draws[:, 1, self.at]
            low, high, error, _ = (np.asarray(x).item() for x in estimates.intervals(moved, self.level))
        label = f"Change from {self.settings.words(1)}"
        return self._finding("change", label, change, low, high, error, method)

    def _finding(
        self, name: str, label: str, value: float, low: float, high: float, error: float, method: str, *,
        headline: bool = False,
    ) -> Finding:  # fmt: skip
        known = bool(np.isfinite(low))
        return Finding(
            name=name, label=label, estimate=float(value), low=float(low) if known else None,
            high=float(high) if known else None, level=self.level if known else None,
            standard_error=float(error) if known else None, n=self.table.rows or None, method=method, headline=headline,
        )  # fmt: skip

    def _table(self) -> Table:
        outcome = self.study.query.outcome
        columns = {"if set": self.point, "low": self.low, "high": self.high, "as observed": self.seen}
        shown = {name: values for name, values in columns.items() if np.isfinite(values).any()}
        rows = tuple(
            (self.settings.words(place), state, *(rounded(values[place, k]) for values in shown.values()))
            for place in range(len(self.settings.values))
            for k, state in enumerate(self.states)
        )
        return Table(
            name="settings", title=f"Law of {outcome} under each setting", rows=rows,
            columns=("setting", outcome, *shown),
            note="If set: were everyone given the setting. As observed: among those who have it by themselves.",
        )  # fmt: skip

    def _figure(self) -> Figure:
        outcome, state = self.study.query.outcome, self.states[self.at]
        told = [place for place in range(len(self.point)) if np.isfinite(self.point[place, self.at])]
        order = sorted(told, key=lambda place: self._rank(place))[:12]

        def plot(ax: Any) -> None:
            for y, place in enumerate(reversed(order)):
                if np.isfinite(self.low[place, self.at]):
                    ax.plot(
                        [self.low[place, self.at], self.high[place, self.at]],
                        [y, y],
                        color=PALETTE["blue"],
                        lw=2,
                    )
                ax.plot(
                    self.point[place, self.at],
                    y,
                    "o",
                    color=PALETTE["blue"],
                    ms=7,
                    label="if set" if y == 0 else None,
                )
                ax.plot(self.seen[place, self.at], y, "D", mfc="none", mec=PALETTE["orange"], ms=6.5, mew=1.6,
                        label="as observed" if y == 0 else None)  # fmt: skip
            ax.set_yticks(range(len(order)), [self.settings.words(place) for place in reversed(order)])
            ax.set_ylim(-0.6, len(order) - 0.4)
            ax.set_xlabel(f"share with {outcome} = {state}")
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)

        said = "; ".join(
            f"{self.settings.words(place)}: {format_number(float(self.point[place, self.at]))} if set, "
            f"{format_number(float(self.seen[place, self.at]))} as observed" for place in order
        )  # fmt: skip
        svg = draw_svg("settings", plot, (5.6, 1.5 + 0.42 * len(order)))
        return Figure.of(
            "settings", f"{outcome} under each setting", "Filled: were the setting given to everyone, with interval. "
            "Open: among those who have it by themselves, where its causes speak as well.", said, svg,
        )  # fmt: skip

    def _rank(self, place: int) -> tuple[int, ...]:
        return tuple(
            self.table.states[name].index(value) for name, value in self.settings.values[place].items()
        )
