"""The parts of an answer as rows of words, shared by the page and the terminal.

Numbers of one column get the same decimals where that loses nothing, so that they can be compared
down the column; otherwise each keeps the figures :func:`suppose.core.answer.format_number` gives it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from suppose.core.answer import Answer, Check, Figure, Finding, Table, Verdict, format_number
from suppose.report.text import p_words

__all__ = [
    "Grid",
    "checks_in_words",
    "estimate",
    "figure_of_check",
    "findings_grid",
    "interval",
    "is_sensitivity",
    "level",
    "table_grid",
]

MISSING = "\u2013"
_PLURALS: dict[Verdict, str] = {"passes": "pass", "warns": "warn", "fails": "fail", "informs": "inform"}
_NAMES_A_THING = re.compile(r"(^|[\W_])(id|ids|year|years|code|zip|seed|cohort)([\W_]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Grid:
    """Cells as words: column heads, which columns hold numbers, the rows, words under each row's head."""

    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    under: tuple[str, ...] = ()


def table_grid(table: Table) -> Grid:
    """The cells of a table as words.

    Examples
    --------
    >>> table = Table(name="t", title="", columns=("arm", "mean", "year"),
    ...               rows=(("a", 0.5, 1975), ("b", -1.25, None)))
    >>> table_grid(table).rows
    (('a', '0.50', '1975'), ('b', '-1.25', '–'))
    """
    columns = [[row[j] if j < len(row) else None for row in table.rows] for j in range(len(table.columns))]
    texts = [_column_words(name, cells) for name, cells in zip(table.columns, columns, strict=True)]
    numeric = tuple(_is_numeric(cells) for cells in columns)
    return Grid(table.columns, numeric, tuple(zip(*texts, strict=True)) if texts else ())


def findings_grid(answer: Answer) -> Grid:
    """The findings as rows of words, how each was made under its name; columns nobody filled are left out.

    Examples
    --------
    >>> from suppose.core.answer import Provenance
    >>> found = (Finding(name="a", label="Effect", estimate=2.0, low=1.0, high=3.0, level=0.95, unit="h"),)
    >>> where = Provenance(suppose="0", python="3", packages={}, seed=0, study="")
    >>> grid = findings_grid(Answer(question="effect", title="", sentence="", findings=found,
    ...                             provenance=where))
    >>> grid.columns, grid.rows
    (('finding', 'estimate (h)', '95% interval'), (('Effect', '2.00', '1.00 to 3.00'),))
    """
    found = answer.findings
    units = {finding.unit for finding in found}
    levels = {finding.level for finding in found if _has_interval(finding)}
    head = "interval" if len(levels) != 1 else f"{level(levels.pop())}interval"
    unit = next(iter(units)) if len(units) == 1 else ""
    columns: list[tuple[str, bool, list[str]]] = [
        ("finding", False, [finding.label for finding in found]),
        (f"estimate ({unit})" if unit else "estimate", True, [estimate(f) for f in found]),
        (head, True, [_interval_beside(finding, len(levels) > 1) for finding in found]),
        ("unit", False, [finding.unit if len(units) > 1 else "" for finding in found]),
        ("p", True, ["" if f.p_value is None else p_words(f.p_value) for f in found]),
        ("std. error", True, [_or_blank(finding.standard_error) for finding in found]),
        ("rows", True, [_or_blank(finding.n) for finding in found]),
    ]
    kept = [column for column in columns if column[0] == "finding" or any(column[2])]
    rows = zip(*([text or MISSING for text in column[2]] for column in kept), strict=True)
    under = tuple(
        "; ".join(part for part in (f.method, "" if f.estimand in f.method else f.estimand) if part)
        for f in found
    )
    return Grid(tuple(c[0] for c in kept), tuple(c[1] for c in kept), tuple(rows), under)


def estimate(finding: Finding) -> str:
    """The estimate of a finding with the decimals of its interval.

    Examples
    --------
    >>> estimate(Finding(name="a", label="", estimate=704.21, low=-461.3, high=1869.7))
    '704'
    """
    bounds = [abs(bound) for bound in (finding.low, finding.high) if bound is not None]
    return format_number(finding.estimate, beside=max(bounds, default=None))


def interval(finding: Finding) -> str:
    """The bounds of a finding's interval in words, empty when it has none.

    Examples
    --------
    >>> interval(Finding(name="a", label="", estimate=1.0, low=-0.5))
    '-0.500 to infinity'
    """
    return finding.interval_words().split("interval ", 1)[1] if _has_interval(finding) else ""


def level(value: float | None) -> str:
    """The coverage level as a prefix, e.g. ``"95% "``."""
    return "" if value is None else f"{100 * value:.4g}% "


def checks_in_words(checks: Sequence[Check]) -> str:
    """How many checks came out how.

    Examples
    --------
    >>> check = Check(name="a", title="A", null="", verdict="passes", words="", cannot_show="")
    >>> checks_in_words([check, check.model_copy(update={"verdict": "fails"}), check])
    '2 checks pass, 1 fails'
    """
    counts = Counter(check.verdict for check in checks)
    parts = [
        f"{counts[verdict]} {verdict if counts[verdict] == 1 else plural}"
        for verdict, plural in _PLURALS.items()
        if counts[verdict]
    ]
    if parts:
        number, word = parts[0].split(" ")
        parts[0] = f"{number} {'check' if number == '1' else 'checks'} {word}"
    return ", ".join(parts)


def figure_of_check(check: Check) -> str:
    """The statistic of a check and its p-value, empty when it has neither.

    Examples
    --------
    >>> figure_of_check(Check(name="a", title="A", null="", verdict="passes", words="", cannot_show="",
    ...                       statistic="effect", value=12.0, p_value=0.43))
    'effect 12.0, p 0.43'
    """
    parts = []
    if check.value is not None:
        parts.append(f"{check.statistic} {format_number(check.value)}".strip())
    elif check.statistic:
        parts.append(check.statistic)
    if check.p_value is not None:
        parts.append(f"p {p_words(check.p_value)}")
    return ", ".join(parts)


def is_sensitivity(part: Table | Figure) -> bool:
    """Whether a table or figure belongs to the section on unmeasured confounding and its kin."""
    return part.name.startswith("sensitivity")


def _has_interval(finding: Finding) -> bool:
    return finding.low is not None or finding.high is not None


def _interval_beside(finding: Finding, name_level: bool) -> str:
    text = interval(finding)
    prefix = level(finding.level)
    return f"{text} ({prefix.strip()})" if text and name_level and prefix else text


def _or_blank(value: float | None) -> str:
    return "" if value is None else format_number(value)


def _is_numeric(cells: Sequence[object]) -> bool:
    present = [cell for cell in cells if cell is not None]
    return bool(present) and all(isinstance(c, (int, float)) and not isinstance(c, bool) for c in present)


def _column_words(name: str, cells: Sequence[object]) -> list[str]:
    numbers = [float(cell) for cell in cells if isinstance(cell, (int, float)) and not isinstance(cell, bool)]
    decimals = _decimals(numbers) if _is_numeric(cells) else None
    plain = bool(_NAMES_A_THING.search(name)) and all(number.is_integer() for number in numbers)
    return [_cell_words(cell, decimals, plain) for cell in cells]


def _cell_words(cell: object, decimals: int | None, plain: bool) -> str:
    if cell is None:
        return MISSING
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if not isinstance(cell, (int, float)):
        return str(cell)
    if plain:
        return f"{cell:.0f}"
    if isinstance(cell, int) or decimals is None:
        return format_number(cell)
    text = f"{cell:,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        return format_number(cell) if cell != 0 else text.removeprefix("-")
    return text


def _decimals(numbers: Sequence[float]) -> int | None:
    """Decimals that suit a whole column, ``None`` when its numbers are too unlike for one choice."""
    sizes = [abs(number) for number in numbers if number != 0]
    if not sizes or all(number.is_integer() and abs(number) < 1e9 for number in numbers):
        return 0
    if max(sizes) >= 1e9 or max(sizes) < 1e-4:
        return None
    largest = format_number(max(sizes))
    enough = len(largest.partition(".")[2])
    wanted = 1 - math.floor(math.log10(min(sizes)))
    if max(sizes) >= 10 and wanted > enough + 1:
        return None
    return min(max(enough, wanted), enough + 1, 4)
