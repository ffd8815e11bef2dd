"""Attempts to break an answer about an intervention: what the graph implies, thin cells, a second way."""

from __future__ import annotations

from typing import Any

import numpy as np

from suppose.core.answer import Check, Table, Verdict, format_number
from suppose.core.errors import Refusal
from suppose.core.study import Steps
from suppose.studies.parts import Parts, parts_step

__all__ = ["independences", "second_way", "support", "surgery"]

STRONG = 0.05  # information correlation from which a dependence counts as more than a trifle
THIN = 5  # rows in a cell below which it counts as thin
EXACT = 1e-9


def independences(study: Any, table: Any, steps: Steps) -> Parts:
    """Whether the table has the independences that the graph implies."""
    return parts_step(steps, "independences", lambda: _independences(study, table))


def _independences(study: Any, table: Any) -> Parts:
    from suppose.graphs import implied_independences

    implied = implied_independences(table.graph)
    testable = [item for item in implied if {item.first, item.second, *item.given} <= set(table.codes)]
    testable = testable[: study.checks.tests]
    title, null = "What the graph implies", "Every independence that the graph implies holds in the table."
    cannot = "Whether an arrow the graph draws is real, or which way it points; graphs that imply the same."
    if not testable:
        words = (
            implied.reason.rstrip(".:")
            if len(implied) == 0
            else "The columns concerned have too many values to test"
        )
        return Parts(checks=(Check(
            name="independences", title=title, null=null, verdict="informs", words=f"{words}.", cannot_show=cannot,
        ),))  # fmt: skip
    rows, verdict, words = _tested(study, table, testable)
    if len(implied) > len(testable):
        words += f" {len(implied) - len(testable):,} more were not tested."
    note = "p, corrected for the number of tests (Holm). Strength: correlation that would hold as much information."
    shown = Table(
        name="independences", title="Independences the graph implies", rows=tuple(rows), note=note,
        columns=("independent", "given", "G", "degrees of freedom", "p", "strength"),
    )  # fmt: skip
    check = Check(
        name="independences", title=title, null=null, verdict=verdict, words=words, cannot_show=cannot,
        statistic="smallest corrected p-value", value=float(min(row[4] for row in rows)),
    )  # fmt: skip
    return Parts(checks=(check,), tables=(shown,))


def _tested(study: Any, table: Any, testable: list[Any]) -> tuple[list[tuple[Any, ...]], Verdict, str]:
    """Rows of the table of tests, most telling first, and what they amount to."""
    from suppose.core.progress import progress
    from suppose.discovery import g_test, holm

    results = []
    with progress("testing independences", len(testable)) as bar:
        for item in testable:
            given = [table.codes[name] for name in item.given]
            results.append(g_test(table.codes[item.first], table.codes[item.second], given))
            bar.advance()
    corrected = holm(np.array([result.p_value for result in results]))
    strength = [float(np.sqrt(-np.expm1(-result.statistic / max(result.n, 1)))) for result in results]
    rows: list[tuple[Any, ...]] = [
        (f"{item.first}, {item.second}", ", ".join(item.given), round(result.statistic, 3), result.degrees,
         float(f"{p:.3g}"), round(s, 4))
        for item, result, p, s in zip(testable, results, corrected, strength, strict=True)
    ]  # fmt: skip
    rows.sort(key=lambda row: (row[4], -row[5]))
    broken = [row for row in rows if row[4] < study.checks.alpha]
    if not broken:
        return rows, "passes", f"None of {len(rows):,} implied independences is contradicted by the table."
    verdict: Verdict = "fails" if max(row[5] for row in broken) >= STRONG else "warns"
    first = broken[0]
    about = f"{first[0]} given {first[1]}" if first[1] else str(first[0])
    return rows, verdict, (
        f"{len(broken):,} of {len(rows):,} implied independences are contradicted, first of all that of "
        f"{about} (p = {first[4]:.2g}, strength {first[5]:.2f})."
    )  # fmt: skip


def support(table: Any, variables: tuple[str, ...], outcome: str) -> Parts:
    """Whether the cells that the formula conditions on hold enough rows."""
    names = [name for name in variables if name != outcome and name in table.codes]
    if not names:
        return Parts()
    shape = [len(table.states[name]) for name in names]
    place = np.unique(
        np.ravel_multi_index([table.codes[name] for name in names], shape), return_inverse=True
    )[1]
    counts = np.bincount(place)
    thin = float(counts[counts < THIN].sum() / counts.sum())
    cells = int(np.prod(shape))
    words = (
        f"{len(counts):,} of {cells:,} combinations of {', '.join(names)} occur; {thin:.1%} of the rows lie in one "
        f"with fewer than {THIN} rows, the smallest has {int(counts.min()):,}."
    )
    return Parts(checks=(Check(
        name="support", title="Rows in every cell", null="Every combination that the formula conditions on has rows.",
        verdict="warns" if thin > 0.05 else "passes", words=words,
        cannot_show="Whether combinations that never occur could occur.", statistic="share of rows in thin cells",
        value=thin,
    ),))  # fmt: skip


def second_way(first: Any, second: Any | None, problem: Refusal | None = None) -> Parts:
    """Whether counting and estimating equations give the same number, as far as chance allows."""
    if second is None:
        return Parts(notes=(f"Estimating equations were left out: {problem.message}",) if problem else ())
    gap = abs(first.estimate - second.estimate)
    width = float(np.hypot(first.standard_error or 0.0, second.standard_error or 0.0))
    apart = gap > 2 * width and gap > 1e-6
    words = (
        f"Counting gives {format_number(first.estimate)}, estimating equations {format_number(second.estimate)}; "
        f"the difference is {gap / width if width else 0.0:.1f} standard errors."
    )
    return Parts(checks=(Check(
        name="second-way", title="A second estimator", null="Counting and estimating equations agree.",
        verdict="warns" if apart else "passes", words=words,
        cannot_show="Whether the graph is right: both rest on it.", statistic="difference", value=float(gap),
    ),))  # fmt: skip


def surgery(formula: np.ndarray, cut: np.ndarray) -> Parts:
    """Whether the formula, on what was measured, equals cutting the arrows in the whole network."""
    gap = float(np.nanmax(np.abs(formula - cut)))
    words = (
        f"The formula, which sees measured nodes only, and surgery on the whole network differ by {gap:.1e}."
    )
    return Parts(checks=(Check(
        name="surgery", title="Surgery on the whole network", null="The formula equals cutting the network.",
        verdict="passes" if gap <= EXACT else "fails", words=words,
        cannot_show="Whether the network describes the world.", statistic="largest difference", value=gap,
    ),))  # fmt: skip
