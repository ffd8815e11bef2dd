"""An answer as one self-contained HTML page.

The page needs no script and no network: styles and figures stand in it, and its content security
policy forbids everything else. It follows the reader's light or dark setting, folds to a phone and
prints on paper. Every word comes from data or models and is escaped; control characters are shown.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from suppose.core.answer import Answer, Check, Figure, Table, format_number
from suppose.core.run import write_atomic
from suppose.report import text
from suppose.report.colours import DARK, LIGHT
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
from suppose.report.svg import inline

__all__ = ["render", "write"]

#: Tables with more rows than this are folded; beyond ``MAX_ROWS`` the rest is left to the CSV file.
FOLD_ROWS, MAX_ROWS = 16, 1000

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class _ShownTable:
    number: int
    table: Table
    grid: Grid
    file: str

    @property
    def folded(self) -> bool:
        return len(self.table.rows) > FOLD_ROWS

    @property
    def cut(self) -> int:
        return max(0, len(self.table.rows) - MAX_ROWS)


@dataclass(frozen=True)
class _ShownFigure:
    number: int
    figure: Figure
    drawing: Markup | None


def render(answer: Answer, *, study_text: str | None = None) -> str:
    """The report of an answer as HTML text.

    Parameters
    ----------
    answer : Answer
        What to report. A figure without its drawing is given by its description.
    study_text : str, optional
        The study file to show for running it again; the answer's own record of it by default.

    Returns
    -------
    str
        The same text for the same answer.

    Raises
    ------
    DataError
        ``unreadable-figure`` when a figure is not SVG.

    Examples
    --------
    >>> from suppose.core.answer import Finding, Provenance
    >>> answer = Answer(question="effect", title="Does <b> help?", sentence="It adds 2 points.",
    ...     findings=(Finding(name="ate", label="Effect", estimate=2.0),),
    ...     provenance=Provenance(suppose="0", python="3", packages={}, seed=0, study=""))
    >>> page = render(answer)
    >>> "<h1>Does &lt;b&gt; help?</h1>" in page
    True
    """
    figures = [
        _ShownFigure(number, figure, Markup(inline(figure, f"f{number}")) if figure.svg else None)  # noqa: S704
        for number, figure in enumerate(answer.figures, 1)
    ]
    tables = _tables(answer)
    plain = [shown for shown in figures if not is_sensitivity(shown.figure)]
    study = answer.provenance.study if study_text is None else study_text
    return _environment().get_template("report.html.j2").render(
        answer=answer,
        findings=findings_grid(answer),
        main_figure=plain[0] if plain else None,
        figures=plain[1:],
        tables=[shown for shown in tables if not is_sensitivity(shown.table)],
        sensitivity_figures=[shown for shown in figures if is_sensitivity(shown.figure)],
        sensitivity_tables=[shown for shown in tables if is_sensitivity(shown.table)],
        check_ids={check.name: f"check-{number}" for number, check in enumerate(answer.checks, 1)},
        study=text.visible(study).strip("\n"),
        light=LIGHT,
        dark=DARK,
    )  # fmt: skip


def write(answer: Answer, path: str | Path, *, study_text: str | None = None) -> Path:
    """Write the report of an answer to one HTML file, whole or not at all; returns its path.

    Raises
    ------
    RunError
        When the file cannot be written.
    """
    path = Path(path)
    write_atomic(path, render(answer, study_text=study_text))
    return path


def _tables(answer: Answer) -> list[_ShownTable]:
    taken: set[str] = set()
    return [
        _ShownTable(
            number,
            table,
            table_grid(table.model_copy(update={"rows": table.rows[:MAX_ROWS]})),
            text.file_stem(table.name, taken) + ".csv",
        )
        for number, table in enumerate(answer.tables, 1)
    ]


def _checks_of(answer: Answer, verdict: str) -> list[Check]:
    return [check for check in answer.checks if check.verdict == verdict]


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        typeset=text.typeset,
        duration=text.duration,
        moment=text.moment,
        readable=text.readable,
        bytes=text.amount_of_bytes,
        number=format_number,
    )
    environment.globals.update(
        estimate=estimate, interval=interval, level=level, checks_in_words=checks_in_words,
        checks_of=_checks_of, figure_of_check=figure_of_check,
    )  # fmt: skip
    return environment


def _shown(value: Any) -> Any:
    return text.visible(value) if type(value) is str else value
