"""What a study returns: findings, assumptions, checks, tables, figures and where it all came from.

Every study of every kind returns one :class:`Answer`, so that one report, one terminal view and one
JSON form serve all of them. The records are frozen; ``Answer.model_validate_json`` reads back what
``to_json`` wrote. Figures travel as SVG text beside the JSON, which holds their hashes alone.
"""

from __future__ import annotations

import hashlib
import html
import json
import math
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

__all__ = [
    "SCHEMA",
    "Answer",
    "Assumption",
    "Check",
    "Claim",
    "Credibility",
    "Figure",
    "Finding",
    "InputFile",
    "Provenance",
    "Table",
    "Timing",
    "Verdict",
    "format_number",
]

SCHEMA = "suppose.answer/1"

Verdict = Literal["passes", "warns", "fails", "informs"]
Credibility = Literal["credible", "doubtful", "not credible", "not judged"]
Named = TypeVar("Named", "Finding", "Check", "Table", "Figure")
Cell = str | int | float | bool | None


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Finding(_Record):
    """One number found, with its uncertainty and unit.

    ``low`` and ``high`` bound the interval of coverage ``level``; ``None`` is an open or missing side.

    Examples
    --------
    >>> print(Finding(name="effect", label="Effect of training", estimate=1794.3, low=479.2,
    ...               high=3109.5, level=0.95, unit="dollars"))
    Effect of training: 1,794 dollars (95% interval 479 to 3,110)
    """

    name: str
    label: str
    estimate: float
    low: float | None = None
    high: float | None = None
    level: float | None = None
    unit: str = ""
    standard_error: float | None = None
    p_value: float | None = None
    n: int | None = None
    method: str = ""
    estimand: str = ""
    headline: bool = False

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        text = f"{self.label}: {self.estimate_words()}{unit}"
        return text + (f" ({self.interval_words()})" if self.low is not None or self.high is not None else "")

    def estimate_words(self) -> str:
        """The estimate with the decimals its interval has."""
        ends = [abs(end) for end in (self.low, self.high) if end is not None]
        return format_number(self.estimate, beside=max(ends, default=None))

    def interval_words(self) -> str:
        """The interval in words, e.g. ``"95% interval 0.1 to 0.3"``."""
        level = f"{100 * self.level:.4g}% " if self.level is not None else ""
        low = "minus infinity" if self.low is None else format_number(self.low, beside=self.high)
        high = "infinity" if self.high is None else format_number(self.high, beside=self.low)
        return f"{level}interval {low} to {high}"


class Assumption(_Record):
    """Something the answer stands on; ``tested_by`` names the checks that bear on it, if any can."""

    name: str
    statement: str
    tested_by: tuple[str, ...] = ()


class Check(_Record):
    """One attempt to break the answer: its null, its figure, a verdict, and what it cannot show."""

    name: str
    title: str
    null: str
    verdict: Verdict
    words: str
    cannot_show: str
    statistic: str = ""
    value: float | None = None
    p_value: float | None = None

    def __str__(self) -> str:
        return f"{self.title}: {self.verdict}. {self.words}"


class Claim(_Record):
    """A paper's claim beside what was measured here; ``holds`` is ``None`` when it was not measured."""

    id: str
    statement: str
    paper: str | float | int | None
    measured: str | float | int | None
    holds: bool | None


class Table(_Record):
    """A table of the answer: plain cells, no missing-value markers but ``None``.

    Examples
    --------
    >>> table = Table(name="arms", title="Arms", columns=("arm", "rows"),
    ...               rows=(("control", 260), ("treated", 185)))
    >>> table.to_frame().shape
    (2, 2)
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    @classmethod
    def from_frame(cls, name: str, title: str, frame: Any, note: str = "") -> Table:
        """Table of a data frame (pandas, polars or pyarrow); values that are not finite become ``None``."""
        import narwhals as nw

        data = nw.from_native(frame, eager_only=True)
        columns = tuple(str(column) for column in data.columns)
        rows = tuple(tuple(_cell(value) for value in row) for row in data.iter_rows())
        return cls(name=name, title=title, columns=columns, rows=rows, note=note)

    def to_frame(self) -> Any:
        """The table as a pandas frame."""
        import pandas as pd

        return pd.DataFrame([list(row) for row in self.rows], columns=list(self.columns))

    def _repr_html_(self) -> str:
        return _html_table(self.columns, self.rows, self.title)


class Figure(_Record):
    """A figure as SVG text, with the words a reader who cannot see it needs (``alt``)."""

    name: str
    title: str
    caption: str
    alt: str
    sha256: str = ""
    svg: str = Field(default="", exclude=True, repr=False)

    @classmethod
    def of(cls, name: str, title: str, caption: str, alt: str, svg: str) -> Figure:
        """Figure of an SVG text, with its hash."""
        digest = hashlib.sha256(svg.encode()).hexdigest()
        return cls(name=name, title=title, caption=caption, alt=alt, sha256=digest, svg=svg)

    def _repr_svg_(self) -> str:
        return self.svg


class InputFile(_Record):
    """Material an answer was computed from."""

    name: str
    sha256: str
    bytes: int
    rows: int | None = None
    columns: int | None = None


class Timing(_Record):
    """What a run cost. Everything that may differ between two runs of one study is here, nowhere else."""

    started: str = ""
    seconds: float = 0.0
    cores: int = 0
    jobs: int = 1
    peak_memory_mb: float | None = None


class Provenance(_Record):
    """Where an answer came from: enough to compute it again."""

    suppose: str
    python: str
    packages: dict[str, str]
    seed: int
    study: str
    inputs: tuple[InputFile, ...] = ()
    timing: Timing = Timing()


class Answer(_Record):
    """The answer to a what-if question.

    Attributes
    ----------
    question : str
        The kind of question, e.g. ``"effect"``.
    title, sentence : str
        What was asked, and the finding in one plain sentence.
    credibility, credibility_words : str
        The verdict over all checks, and the reason for it in words.
    findings, assumptions, checks, tables, figures, notes
        The parts, in the order a reader meets them.
    provenance : Provenance
        Versions, seed, inputs, the study itself, and what the run cost.

    Examples
    --------
    >>> answer = Answer(question="effect", title="Does it help?", sentence="It adds 2 points.",
    ...     findings=(Finding(name="ate", label="Effect", estimate=2.0, headline=True),),
    ...     provenance=Provenance(suppose="0", python="3", packages={}, seed=0, study=""))
    >>> Answer.model_validate_json(answer.to_json()) == answer
    True
    >>> answer.headline.estimate
    2.0
    """

    schema_version: str = Field(default=SCHEMA, alias="schema")
    question: str
    title: str
    sentence: str
    credibility: Credibility = "not judged"
    credibility_words: str = ""
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...] = ()
    checks: tuple[Check, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: Provenance

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

    @field_validator("findings")
    @classmethod
    def _one_headline(cls, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        if sum(finding.headline for finding in findings) > 1:
            raise ValueError("expected at most one headline finding")
        return findings

    @property
    def headline(self) -> Finding:
        """The finding the sentence speaks of."""
        for finding in self.findings:
            if finding.headline:
                return finding
        return self.findings[0]

    @property
    def failed(self) -> tuple[Check, ...]:
        """Checks whose verdict is ``"fails"``."""
        return tuple(check for check in self.checks if check.verdict == "fails")

    def table(self, name: str) -> Table:
        """The table called ``name``; refuses unknown names."""
        return _named(self.tables, name, "table")

    def check(self, name: str) -> Check:
        """The check called ``name``; refuses unknown names."""
        return _named(self.checks, name, "check")

    def figure(self, name: str) -> Figure:
        """The figure called ``name``; refuses unknown names."""
        return _named(self.figures, name, "figure")

    def finding(self, name: str) -> Finding:
        """The finding called ``name``; refuses unknown names."""
        return _named(self.findings, name, "finding")

    def to_json(self, *, timing: bool = True) -> str:
        """The answer as JSON text; with ``timing=False`` two runs of one study give the same bytes."""
        content = self.model_dump(mode="json", by_alias=True)
        if not timing:
            content["provenance"]["timing"] = Timing().model_dump(mode="json")
        return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def to_frame(self) -> Any:
        """The findings as a pandas frame, one row each."""
        import pandas as pd

        columns = [
            "name",
            "label",
            "estimate",
            "low",
            "high",
            "level",
            "standard_error",
            "p_value",
            "unit",
            "n",
            "method",
        ]
        return pd.DataFrame(
            [[getattr(f, column) for column in columns] for f in self.findings], columns=columns
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the findings with their intervals; takes and returns matplotlib Axes."""
        from suppose.core.figures import forest

        findings = [finding for finding in self.findings if finding.unit == self.headline.unit]
        rows = [(f.label, f.estimate, f.low, f.high) for f in findings]
        return forest(rows, unit=self.headline.unit, ax=ax)

    def __str__(self) -> str:
        lines = [self.title, self.sentence, ""]
        lines += [f"  {finding}" for finding in self.findings]
        if self.checks:
            lines += ["", f"Checks ({self.credibility}): {self.credibility_words}"]
            lines += [f"  [{check.verdict}] {check.title}: {check.words}" for check in self.checks]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [
            (f.label, format_number(f.estimate), f.interval_words() if f.low is not None else "", f.unit)
            for f in self.findings
        ]
        checks = [(check.title, check.verdict, check.words) for check in self.checks]
        parts = [f"<p><strong>{html.escape(self.sentence)}</strong></p>"]
        parts.append(_html_table(("finding", "estimate", "interval", "unit"), rows, self.title))
        if checks:
            parts.append(_html_table(("check", "verdict", "in words"), checks, self.credibility_words))
        return "".join(parts)


def _named(items: Sequence[Named], name: str, kind: str) -> Named:
    from suppose.core.errors import StudyError, nearest

    for item in items:
        if item.name == name:
            return item
    known = [item.name for item in items]
    raise StudyError(
        f"unknown-{kind}",
        f"this answer has no such {kind}; it has: {', '.join(known) or 'none'}",
        where=f"{kind} {name!r}",
        remedy=nearest(name, known) or None,
    )


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (str, bool, int)) else str(value)


def _html_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], caption: str) -> str:
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_cell_text(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    caption = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell_text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return format_number(cell)
    return str(cell)


def format_number(value: float, *, beside: float | None = None) -> str:
    """A number as a reader wants it: thousands separated, three or four figures, no false precision.

    ``beside`` is a number shown next to it: both get the decimals the larger one needs.

    Examples
    --------
    >>> [format_number(x) for x in (1794.342, -8497.5, 0.04321, 12.0, 0.0000123, 3)]
    ['1,794', '-8,498', '0.0432', '12.0', '1.23e-05', '3']
    """
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return "infinity" if value > 0 else "minus infinity" if value < 0 else "not a number"
    size = max(abs(value), abs(beside) if beside is not None and math.isfinite(beside) else 0.0)
    if size != 0 and (size < 1e-4 or size >= 1e9):
        return f"{value:.3g}"
    decimals = 0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 1 else 3 if size >= 0.1 else 4
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text
