"""The files of a report: the page, every table as CSV, every figure as SVG, each whole or not there.

CSV cells that hold text and begin like a formula get a leading apostrophe, so that opening the file in
a spreadsheet computes nothing; numbers are written as they are, in full, and missing cells are empty.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from suppose.core.answer import Answer, Table
from suppose.core.run import write_atomic
from suppose.report import html
from suppose.report.svg import is_inert, standalone
from suppose.report.text import file_stem

__all__ = ["table_csv", "write", "write_figures", "write_tables"]

FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def write(answer: Answer, folder: str | Path, *, study_text: str | None = None) -> Path:
    """Write the report of an answer into a folder; returns the path of the page.

    ``folder`` gets ``report.html``, ``tables/<name>.csv`` and ``figures/<name>.svg``. Each file is
    written aside and renamed; the page comes last. The same answer gives the same bytes.

    Parameters
    ----------
    answer : Answer
        What to report.
    folder : path
        Where to; made when missing.
    study_text : str, optional
        The study file to show on the page; the answer's own record of it by default.

    Raises
    ------
    DataError
        ``unreadable-figure`` when a figure is not SVG.
    RunError
        When the folder cannot be written.
    """
    folder = Path(folder)
    page = html.render(answer, study_text=study_text)
    write_tables(answer, folder / "tables")
    write_figures(answer, folder / "figures")
    write_atomic(folder / "report.html", page)
    return folder / "report.html"


def write_tables(answer: Answer, folder: str | Path) -> tuple[Path, ...]:
    """Write every table of an answer as ``<name>.csv`` into ``folder``; returns the paths in order.

    Raises
    ------
    RunError
        When the folder cannot be written.
    """
    taken: set[str] = set()
    paths = []
    for table in answer.tables:
        path = Path(folder) / f"{file_stem(table.name, taken)}.csv"
        write_atomic(path, table_csv(table))
        paths.append(path)
    return tuple(paths)


def write_figures(answer: Answer, folder: str | Path) -> tuple[Path, ...]:
    """Write every drawn figure of an answer as ``<name>.svg`` into ``folder``; returns the paths.

    The text is the figure's own, so that its hash agrees with the answer's. Text that would act or
    reach out when opened is written without those parts.

    Raises
    ------
    DataError
        ``unreadable-figure`` when a figure is not SVG.
    RunError
        When the folder cannot be written.
    """
    taken: set[str] = set()
    paths = []
    for figure in answer.figures:
        path = Path(folder) / f"{file_stem(figure.name, taken)}.svg"
        if figure.svg:
            write_atomic(path, figure.svg if is_inert(figure) else standalone(figure))
            paths.append(path)
    return tuple(paths)


def table_csv(table: Table) -> str:
    """A table as CSV text: UTF-8 when encoded, comma separated, one line feed after each row.

    Examples
    --------
    >>> table = Table(name="t", title="", columns=("name", "x"), rows=(("=1+1", -2.5), ("a, b", None)))
    >>> print(table_csv(table), end="")
    name,x
    '=1+1,-2.5
    "a, b",
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([_cell(column) for column in table.columns])
    writer.writerows([_cell(cell) for cell in row] for row in table.rows)
    return buffer.getvalue()


def _cell(cell: object) -> object:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str):
        text = cell.replace("\x00", "\u2400").encode("utf-8", "replace").decode()
        return f"'{text}" if text.startswith(FORMULA_MARKS) else text
    return cell
