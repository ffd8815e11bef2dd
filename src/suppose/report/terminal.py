"""An answer in the terminal: the content of the page within 100 columns, readable from 60.

Words from data are never read as markup: they travel as plain text objects, with control characters
shown. Long tables show their first rows, wide ones their first columns; the CSV files hold the rest.
Without a terminal there is no colour and no control sequence; ``NO_COLOR`` is respected.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich import box
from rich.cells import cell_len
from rich.console import Console, JustifyMethod, RenderableType
from rich.table import Table as Lines
from rich.text import Text

from suppose.core.answer import Answer, Check, Table, Verdict
from suppose.report.listing import show_reproduction, show_systems
from suppose.report.parts import (
    Grid,
    checks_in_words,
    estimate,
    figure_of_check,
    findings_grid,
    interval,
    is_sensitivity,
    level,
    table_grid,
)
from suppose.report.text import amount_of_bytes, duration, file_stem, one_line, readable

__all__ = ["render_text", "show", "show_reproduction", "show_systems"]

WIDEST, SHORT_ROWS, HEAD_ROWS, GAP = 100, 14, 8, 2

_TONES = {"passes": "green", "warns": "yellow", "fails": "red", "informs": "cyan"}
_MARKS = {"passes": "\u2713", "warns": "!", "fails": "\u2717", "informs": "i"}
_CREDIBILITY: dict[str, Verdict] = {
    "credible": "passes", "doubtful": "warns", "not credible": "fails", "not judged": "informs",
}  # fmt: skip


def show(answer: Answer, console: Console | None = None, *, folder: str | Path | None = None) -> None:
    """Print an answer to the terminal.

    Parameters
    ----------
    answer : Answer
        What to show.
    console : rich.console.Console, optional
        Where to; standard output by default.
    folder : path, optional
        The run folder that holds ``report.html`` and ``tables``, to be named at the end.
    """
    console = console or Console(highlight=False)
    width = min(console.width, WIDEST)
    for part in _parts(answer, width, folder, console.encoding):
        console.print(part, width=width, highlight=False, markup=False, emoji=False)


def render_text(answer: Answer, width: int = 100, *, folder: str | Path | None = None) -> str:
    """An answer as plain text, no line wider than ``width`` terminal columns.

    Examples
    --------
    >>> from suppose.core.answer import Finding, Provenance
    >>> answer = Answer(question="effect", title="Does it help?", sentence="It adds 2 points.",
    ...     findings=(Finding(name="ate", label="Effect", estimate=2.0),),
    ...     provenance=Provenance(suppose="0", python="3", packages={}, seed=0, study=""))
    >>> print(render_text(answer, width=60).splitlines()[2])
    It adds 2 points.
    """
    buffer = io.StringIO()
    console = Console(
        file=buffer, width=width, color_system=None, force_terminal=False, legacy_windows=False, no_color=True
    )
    for part in _parts(answer, width, folder, "utf-8"):
        console.print(part, width=width, highlight=False, markup=False, emoji=False)
    return "".join(line.rstrip() + "\n" for line in buffer.getvalue().splitlines())


class _Page:
    """Collects the lines of one answer; knows the width and what the encoding can carry."""

    def __init__(self, width: int, encoding: str) -> None:
        self.width, self.encoding = width, encoding
        self.unicode = encoding.lower().startswith("utf")
        self.parts: list[RenderableType] = []
        self._ruler = Console(file=io.StringIO(), width=width)

    def text(self, words: str, style: str = "") -> Text:
        """Words from data as plain text on one line."""
        line = one_line(words)
        if not self.unicode:
            line = line.encode(self.encoding, "backslashreplace").decode(self.encoding)
        return Text(line, style=style, overflow="fold")

    def mark(self, verdict: Verdict) -> str:
        mark = _MARKS[verdict]
        return mark if self.unicode else {"passes": "+", "fails": "x"}.get(verdict, mark)

    def add(self, *parts: RenderableType) -> None:
        for part in parts:
            self.parts.extend(self.lines(part, self.width) if isinstance(part, Text) else [part])

    def lines(self, text: Text, width: int) -> list[Text]:
        """The text as lines of at most ``width`` columns, without blanks at their ends."""
        found = list(text.wrap(self._ruler, width, overflow="fold")) or [Text()]
        for line in found:
            line.rstrip()
        return found

    def heading(self, words: str) -> None:
        self.add(Text(), Text(words, style="bold"))

    def hanging(self, mark: Text, *lines: Text, indent: int = 2) -> None:
        """Lines set off behind a mark, without blanks at their ends."""
        parts = [part for line in lines for part in self.lines(line, self.width - indent)]
        for number, part in enumerate(parts):
            head = mark.copy() if number == 0 else Text()
            head.pad_right(indent - head.cell_len)
            self.parts.append(Text().append_text(head).append_text(part))


def _parts(answer: Answer, width: int, folder: str | Path | None, encoding: str) -> list[RenderableType]:
    page = _Page(width, encoding)
    _finding(page, answer)
    _findings(page, answer)
    taken: set[str] = set()
    files = [f"tables/{file_stem(table.name, taken)}.csv" for table in answer.tables]
    named = list(zip(answer.tables, files, strict=True))
    for table, file in named:
        if not is_sensitivity(table):
            _table(page, table, file)
    _assumptions(page, answer)
    _checks(page, answer.checks)
    for table, file in named:
        if is_sensitivity(table):
            _table(page, table, file)
    _list(page, "Figures in the report", [figure.title for figure in answer.figures])
    _list(page, "Notes", answer.notes)
    _provenance(page, answer, folder)
    return page.parts


def _finding(page: _Page, answer: Answer) -> None:
    headline = answer.headline
    page.add(page.text(answer.title, "dim"), Text(), page.text(answer.sentence, "bold"), Text())
    unit = f" {headline.unit}" if headline.unit else ""
    words = f"{headline.label}: {estimate(headline)}{unit}"
    if interval(headline):
        words += f", {level(headline.level)}interval {interval(headline)}"
    page.add(page.text(words))
    verdict = _CREDIBILITY[answer.credibility]
    line = Text(f"{page.mark(verdict)} {answer.credibility.capitalize()}. ", style=f"bold {_TONES[verdict]}")
    page.add(line.append_text(page.text(answer.credibility_words, "not bold default")))


def _findings(page: _Page, answer: Answer) -> None:
    """The findings, and below them how each was made."""
    grid = findings_grid(answer)
    lines, hidden = _lines(page, grid)
    page.heading("Findings")
    page.add(lines)
    _left_out(page, hidden, "column", "the report")
    if any(grid.under):
        page.add(Text())
    for finding, words in zip(answer.findings, grid.under, strict=True):
        if words:
            page.hanging(Text("-", style="dim"), page.text(f"{finding.label}: {words}", "dim"))


def _left_out(page: _Page, count: int, thing: str, place: str) -> None:
    if count:
        dots = "\u2026" if page.unicode else "..."
        page.add(Text(f"{dots} {count:,} more {thing}{'s' if count > 1 else ''} in {place}", style="dim"))


def _table(page: _Page, table: Table, file: str) -> None:
    page.add(Text(), page.text(table.title, "bold"))
    count = len(table.rows)
    head = count if count <= SHORT_ROWS else HEAD_ROWS
    grid = table_grid(table)
    lines, hidden = _lines(page, Grid(grid.columns, grid.numeric, grid.rows[:head]))
    page.add(lines)
    _left_out(page, count - head, "row", file)
    _left_out(page, hidden, "column", file)
    if table.note:
        page.add(page.text(table.note, "dim"))


def _lines(page: _Page, grid: Grid) -> tuple[RenderableType, int]:
    """A grid as a table that fits the page, and how many of its columns had to be left out."""
    widths = _widths(page, grid)
    lines = Lines(
        box=box.SIMPLE_HEAD if page.unicode else box.ASCII2,
        show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim",
    )  # fmt: skip
    for j, width in enumerate(widths):
        justify: JustifyMethod = "right" if grid.numeric[j] else "left"
        lines.add_column(page.text(grid.columns[j]), justify=justify, width=width, overflow="fold")
    for row in grid.rows:
        lines.add_row(*(page.text(cell) for cell in row[: len(widths)]))
    return lines, len(grid.columns) - len(widths)


def _widths(page: _Page, grid: Grid) -> list[int]:
    """Widths of the columns that fit: numbers whole, words at least in part, spare room from the left."""
    least: list[int] = []
    wanted: list[int] = []
    room = page.width
    for j, numeric in enumerate(grid.numeric):
        head = page.text(grid.columns[j])
        cells = max((page.text(row[j]).cell_len for row in grid.rows), default=0)
        longest = max((cell_len(word) for word in head.plain.split()), default=1)
        widest = max(cells, longest)
        need = min(widest if numeric else min(widest, max(14, page.width // 4)), page.width)
        if least and need + GAP > room:
            break
        room -= need + (GAP if least else 0)
        least.append(need)
        wanted.append(max(cells, head.cell_len))
    for numbers in (False, True):
        for j, need in enumerate(least):
            if grid.numeric[j] is numbers:
                more = min(room, wanted[j] - need)
                least[j], room = need + more, room - more
    return least


def _assumptions(page: _Page, answer: Answer) -> None:
    if not answer.assumptions:
        return
    page.heading("Assumptions")
    titles = {check.name: f"{check.title} ({check.verdict})" for check in answer.checks}
    for number, assumption in enumerate(answer.assumptions, 1):
        bearing = "; ".join(titles.get(name, f"{readable(name)} (not made)") for name in assumption.tested_by)
        words = f"Bearing on it: {bearing}." if bearing else "No check here bears on it."
        statement = page.text(readable(assumption.name)).append_text(page.text(": " + assumption.statement))
        statement.stylize("bold", 0, len(page.text(readable(assumption.name))))
        page.hanging(Text(f"{number}."), statement, page.text(words, "dim"), indent=3)


def _checks(page: _Page, checks: Sequence[Check]) -> None:
    if not checks:
        return
    page.heading("Checks")
    page.add(Text(checks_in_words(checks) + ".", style="dim"))
    for check in checks:
        tone = _TONES[check.verdict]
        title = page.text(check.title, "bold").append(f"  {check.verdict}", style=f"not bold {tone}")
        figure = figure_of_check(check)
        if figure:
            title.append_text(page.text("").append(" (").append_text(page.text(figure)).append(")"))
        page.hanging(
            Text(page.mark(check.verdict), style=f"bold {tone}"),
            title,
            page.text(check.words),
            page.text(f"Null: {check.null}", "dim"),
            *([page.text(f"Cannot show: {check.cannot_show}", "dim")] if check.cannot_show else []),
        )


def _list(page: _Page, heading: str, items: Iterable[str]) -> None:
    items = list(items)
    if items:
        page.heading(heading)
    for item in items:
        page.hanging(Text("-"), page.text(item))


def _provenance(page: _Page, answer: Answer, folder: str | Path | None) -> None:
    source = answer.provenance
    page.heading("Provenance")
    words = f"suppose {source.suppose}, Python {source.python}, seed {source.seed}"
    timing = source.timing
    if timing.started:
        words += f", {duration(timing.seconds)} on {timing.cores} cores"
    if timing.peak_memory_mb is not None:
        words += f", {amount_of_bytes(timing.peak_memory_mb * 1e6)} at most"
    page.add(page.text(words))
    for file in source.inputs:
        rows = f", {file.rows:,} rows" if file.rows is not None else ""
        page.add(page.text(f"{file.name}{rows}, {amount_of_bytes(file.bytes)}, sha256 {file.sha256[:16]}"))
    if folder is not None:
        page.add(Text(), page.text(f"Report: {Path(folder) / 'report.html'}"))
        page.add(page.text(f"Tables: {Path(folder) / 'tables'}"))
