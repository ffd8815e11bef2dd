"""What can be said about an intervention where the graph does not let the table answer.

Rows that have the setting show their outcome; the others could have had any. This bounds the share whatever the
hidden causes are (Robins 1989; Manski 1990). For a network the hidden nodes are known, so that surgery on the whole
network gives the number that a table of the measured nodes could not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from suppose.core.answer import Credibility, Figure, Finding, Table
from suppose.core.errors import StudyError
from suppose.core.figures import PALETTE, draw_svg
from suppose.studies import intervention_estimates as estimates
from suppose.studies.intervention import word
from suppose.studies.intervention_argument import hedge_parts
from suppose.studies.intervention_shown import outcome_words, percent, rounded, state_of
from suppose.studies.parts import Parts

__all__ = ["unanswerable"]

MOST = 12  # settings drawn


def unanswerable(
    study: Any, table: Any, result: Any, settings: Any, tests: Parts
) -> tuple[Parts, str, Credibility, str]:
    """Bounds or what is observed, the hedge, what would help; sentence, verdict and reason."""
    outcome, closing = study.query.outcome, ""
    if table.network is not None:
        found = _from_network(study, table, settings)
    elif outcome in table.codes and not study.query.given:
        found, closing = _bounded(study, table, settings)
    else:
        found = Parts(findings=(_observed(study, table, settings),))
    do = ", ".join(study.query.do)
    sentence = (
        f"No table of these columns can tell what {outcome} would be if {do} were set: two worlds that follow the "
        f"graph and agree on everything observed answer differently.{closing}"
    )
    reason = "The graph does not let the table answer; the checks speak of the graph alone."
    return Parts.joined([found, hedge_parts(study, table, result), tests]), sentence, "not judged", reason


def _bounded(study: Any, table: Any, settings: Any) -> tuple[Parts, str]:
    """Bounds on the law of the outcome under each setting, and the end of the sentence."""
    state = state_of(study, table)
    at = table.states[study.query.outcome].index(state)
    limits = estimates.bounds(study, table, settings)  # (settings, 2, states)
    seen = estimates.observed(study, table, settings)
    low, high = float(limits[0, 0, at]), float(limits[0, 1, at])
    label = f"{outcome_words(study, state)} if {settings.words(0)}"
    method = "bounds without any assumption on hidden causes"
    findings = tuple(
        Finding(
            name=name, label=f"{label}, {words}", estimate=value, n=table.rows, method=method, headline=first
        )
        for name, words, value, first in (("least", "at least", low, True), ("most", "at most", high, False))
    )
    parts = Parts(
        findings=findings, tables=(_table(study, table, settings, limits),),
        figures=(_figure(study, settings, limits[:, :, at], seen[:, at], state),),
    )  # fmt: skip
    return parts, f" Whatever the hidden causes, it lies between {percent(low)} and {percent(high)}."


def _table(study: Any, table: Any, settings: Any, limits: np.ndarray) -> Table:
    outcome = study.query.outcome
    rows = tuple(
        (settings.words(place), state, rounded(limits[place, 0, k]), rounded(limits[place, 1, k]))
        for place in range(len(settings.values))
        for k, state in enumerate(table.states[outcome])
    )
    return Table(
        name="bounds", title=f"Bounds on {outcome} under each setting", rows=rows,
        columns=("setting", outcome, "at least", "at most"),
        note="Rows that have the setting show their outcome; the others could have had any.",
    )  # fmt: skip


def _figure(study: Any, settings: Any, limits: np.ndarray, seen: np.ndarray, state: str) -> Figure:
    outcome, count = study.query.outcome, min(len(settings.values), MOST)

    def plot(ax: Any) -> None:
        for place in range(count):
            y = count - 1 - place
            ax.plot(limits[place], [y, y], color=PALETTE["blue"], lw=7, alpha=0.45, solid_capstyle="butt",
                    label="possible" if place == 0 else None)  # fmt: skip
            ax.plot(seen[place], y, "D", mfc="none", mec=PALETTE["orange"], ms=6.5, mew=1.6,
                    label="as observed" if place == 0 else None)  # fmt: skip
        ax.set_yticks(range(count), [settings.words(count - 1 - y) for y in range(count)])
        ax.set_ylim(-0.6, count - 0.4)
        ax.set_xlim(-0.02, 1.02)
        ax.set_xlabel(f"share with {outcome} = {state}")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)

    said = "; ".join(
        f"{settings.words(place)}: {percent(limits[place, 0])} to {percent(limits[place, 1])}"
        for place in range(count)
    )
    return Figure.of(
        "bounds", f"What the table leaves open about {outcome}",
        "Bars: every share that some hidden causes would explain. Open marks: among those who have the setting by "
        "themselves.", said, draw_svg("bounds", plot, (5.6, 1.5 + 0.42 * count)),
    )  # fmt: skip


def _observed(study: Any, table: Any, settings: Any) -> Finding:
    """What is observed, where no bound is at hand."""
    if study.query.outcome not in table.codes:
        value = float(table.numbers[study.query.outcome].mean())
        label = f"Mean of {study.query.outcome} in the table"
    else:
        state = state_of(study, table)
        seen = estimates.observed(study, table, settings)
        value = float(seen[0, table.states[study.query.outcome].index(state)])
        label = f"{outcome_words(study, state)} among those who have {settings.words(0)}"
    if not np.isfinite(value):
        raise StudyError(
            "unseen-setting", f"no row has {settings.words(0)} in the group asked about", where="query.do",
            remedy="Ask about a setting that occurs.",
        )  # fmt: skip
    method = "observed, not an effect"
    return Finding(name="observed", label=label, estimate=value, n=table.rows, method=method, headline=True)


def _from_network(study: Any, table: Any, settings: Any) -> Parts:
    """The number that the whole network gives and no table of its measured nodes could."""
    given = {name: word(value) for name, value in study.query.given.items()}
    state = state_of(study, table)
    law = table.network.query([study.query.outcome], given=given, do=settings.values[0])
    label = f"{outcome_words(study, state)} if {settings.words(0)}, from the whole network"
    return Parts(findings=(Finding(
        name="surgery", label=label, estimate=law.at({study.query.outcome: state}).total(), headline=True,
        method="surgery, the hidden nodes known",
    ),))  # fmt: skip
