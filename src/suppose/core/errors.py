"""Every refusal the library makes, in one place.

A refusal says where the trouble is, what was expected, what came, and what to do about it. Each
carries a stable ``code``; ``docs/errors/<code>.md`` explains it. Nothing else is raised on purpose
at a boundary: anything that is not a :class:`Refusal` is a defect of ours.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

__all__ = [
    "DataError",
    "EstimationError",
    "GraphError",
    "OverlapWarning",
    "Refusal",
    "RunError",
    "StudyError",
    "SupposeWarning",
    "nearest",
]


class Refusal(ValueError):  # noqa: N818 (the word users meet)
    """Input that cannot be worked with, said in words.

    Parameters
    ----------
    code : str
        Stable slug of this refusal, e.g. ``"missing-column"``; the name of its page in the docs.
    problem : str
        What was expected and what came.
    where : str, optional
        The column, row, argument, key or file it is about.
    remedy : str, optional
        What the user can do.

    Examples
    --------
    >>> print(DataError("missing-column", "no such column; the table has: age, wage",
    ...                 where="column 'agee'", remedy="Did you mean 'age'?"))
    column 'agee': no such column; the table has: age, wage. Did you mean 'age'?
    """

    def __init__(
        self, code: str, problem: str, *, where: str | None = None, remedy: str | None = None
    ) -> None:
        self.code, self.problem, self.where, self.remedy = code, problem, where, remedy
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The whole refusal on one line."""
        text = f"{self.where}: {self.problem}" if self.where else self.problem
        whole = f"{text.removesuffix('.')}. {self.remedy}" if self.remedy else text
        return re.sub(r"\s*[\r\n]\s*", " ", whole)  # words quoted from other libraries may hold several

    def to_dict(self) -> dict[str, str | None]:
        """The refusal as JSON-ready data."""
        kind = type(self).__name__
        return {
            "kind": kind,
            "code": self.code,
            "where": self.where,
            "problem": self.problem,
            "remedy": self.remedy,
            "message": self.message,
        }

    def __reduce__(self) -> tuple[object, ...]:  # crosses process borders whole
        return (_rebuild, (type(self), self.code, self.problem, self.where, self.remedy))


def _rebuild(kind: type[Refusal], code: str, problem: str, where: str | None, remedy: str | None) -> Refusal:
    return kind(code, problem, where=where, remedy=remedy)


class StudyError(Refusal):
    """A study file or study argument that cannot be followed."""


class DataError(Refusal):
    """A table, column or array that cannot be used."""


class GraphError(Refusal):
    """A graph, or a question put to one, that cannot be followed."""


class EstimationError(Refusal):
    """Material in order, but the quantity asked for cannot be computed from it."""


class RunError(Refusal):
    """A run folder that cannot be written, read, locked or resumed."""


class SupposeWarning(UserWarning):
    """The answer stands, but there is something the reader must know."""


class OverlapWarning(SupposeWarning):
    """Treated and untreated units hardly overlap."""


def nearest(name: str, known: Iterable[str], count: int = 3) -> str:
    """Sentence naming the known names nearest to a mistyped one, empty when none is near.

    Examples
    --------
    >>> nearest("agee", ["age", "wage", "black"])
    "Did you mean 'age' or 'wage'?"
    """
    names = [str(item) for item in known]
    folded = {item.casefold(): item for item in reversed(names)}
    close = difflib.get_close_matches(name.casefold(), list(folded), n=count, cutoff=0.6)
    found = [repr(folded[item]) for item in close]
    if not found:
        return ""
    return f"Did you mean {' or '.join(([', '.join(found[:-1])] if found[:-1] else []) + found[-1:])}?"
