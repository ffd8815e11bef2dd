"""Lists in the terminal that are no answers: the systems of the library, and a paper's claims re-run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table as Lines
from rich.text import Text

from suppose.core.answer import format_number
from suppose.report.text import duration, one_line

__all__ = ["show_reproduction", "show_systems"]

WIDEST = 100


def show_systems(
    systems: Sequence[Any], kinds: Sequence[str], reproductions: Sequence[str], console: Console | None = None
) -> None:
    """Print the systems of the library, room by room, and what this version has of them.

    Parameters
    ----------
    systems : sequence
        Records with ``slug``, ``room``, ``question``, ``answers``, ``paper`` and ``available``.
    kinds, reproductions : sequence of str
        The kinds of study and the reproductions this version has.
    console : rich.console.Console, optional
        Where to; standard output by default.
    """
    console = console or Console(highlight=False)
    for room in dict.fromkeys(item.room for item in systems):
        _print(console, _words(room, "bold"))
        for item in (item for item in systems if item.room == room):
            state = "available" if item.available else "planned"
            head = _words(item.slug, "cyan" if item.available else "").append(f"  {state}, ", "dim")
            head.append_text(_words(f"question = {item.question}", "dim"))
            _print(console, Padding(head, (0, 0, 0, 2)), Padding(_words(item.answers), (0, 0, 0, 4)))
            _print(console, Padding(_words(item.paper, "dim"), (0, 0, 0, 4)))
        _print(console, Text())
    available = sum(bool(item.available) for item in systems)
    _print(
        console,
        _words(f"{len(systems)} systems, {available} available in this version."),
        _words(f"Questions: {', '.join(kinds) or 'none'}."),
        _words(f"Reproductions: {', '.join(reproductions) or 'none'}."),
    )


def show_reproduction(result: Any, console: Console | None = None) -> None:
    """Print the claims of a paper beside what was measured here.

    Parameters
    ----------
    result : object
        Has ``slug``, ``paper``, ``scale``, ``seed``, ``seconds`` and ``claims``, each of which has
        ``statement``, ``paper``, ``measured`` and ``holds``.
    console : rich.console.Console, optional
        Where to; standard output by default.
    """
    console = console or Console(highlight=False)
    told = f"scale {result.scale}, seed {result.seed}, {duration(result.seconds)}"
    grid = Lines(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim"
    )
    grid.add_column(Text("claim"), ratio=1, overflow="fold")
    grid.add_column(Text("the paper"), justify="right", max_width=22, overflow="fold")
    grid.add_column(Text("measured"), justify="right", max_width=22, overflow="fold")
    grid.add_column(Text("holds"), width=12)
    for claim in result.claims:
        state = {True: Text("yes", "green"), False: Text("no", "bold red"), None: Text("not measured", "dim")}
        grid.add_row(_words(claim.statement), _value(claim.paper), _value(claim.measured), state[claim.holds])
    _print(
        console, _words(result.slug, "bold"), _words(result.paper), _words(told, "dim"), Text(), grid, Text()
    )


def _value(value: object) -> Text:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _words(format_number(value))
    return _words("\u2013" if value is None else str(value))


def _words(words: str, style: str = "") -> Text:
    return Text(one_line(words), style=style, overflow="fold")


def _print(console: Console, *parts: RenderableType) -> None:
    width = min(console.width, WIDEST)
    for part in parts:
        console.print(part, width=width, highlight=False, markup=False, emoji=False)
