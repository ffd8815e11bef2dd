"""A progress bar with time left, on standard error, silent without a terminal.

One bar at a time: an inner task started while an outer bar is shown adds a line to it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Any, TypeVar

__all__ = ["Ticker", "progress", "set_quiet", "track"]

Item = TypeVar("Item")


class _State:
    quiet = False
    live: Any = None  # a rich Progress; rich is imported only when a bar is shown


def set_quiet(quiet: bool) -> None:
    """Turn all progress bars of this process off (``True``) or back on (``False``)."""
    _State.quiet = quiet


class Ticker:
    """Handle of one line of the bar: call :meth:`advance` after each piece of work."""

    def __init__(self, bar: Any, task: int) -> None:
        self._bar, self._task = bar, task

    def advance(self, pieces: float = 1) -> None:
        """Report that ``pieces`` more pieces are done."""
        if self._bar is not None:
            self._bar.advance(self._task, pieces)


def _shown() -> bool:
    return not _State.quiet and sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def progress(label: str | None, total: float | None) -> Iterator[Ticker]:
    """Show a bar named ``label`` of ``total`` pieces while the block runs; nothing without a label.

    Examples
    --------
    >>> with progress("fitting", 3) as bar:  # silent here: no terminal
    ...     bar.advance()
    """
    if label is None or not _shown():
        yield Ticker(None, 0)
        return
    outer = _State.live
    bar = outer if outer is not None else _new_bar()
    task = bar.add_task(label, total=total)
    if outer is None:
        _State.live = bar
        bar.start()
    try:
        yield Ticker(bar, int(task))
    finally:
        if outer is None:
            bar.stop()
            _State.live = None
        else:
            bar.remove_task(task)


def _new_bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)


def track(items: Iterable[Item], label: str, total: int | None = None) -> Iterator[Item]:
    """Iterate over ``items`` under a bar.

    Examples
    --------
    >>> sum(track([1, 2, 3], "adding"))
    6
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    with progress(label, total) as bar:
        for item in items:
            yield item
            bar.advance()
