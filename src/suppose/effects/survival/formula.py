"""A small formula language for covariates: text in, terms out, and a design matrix with names.

A formula is data, never code. Its whole grammar::

    formula = part, { "+", part } ;          "1" alone is an intercept without covariates
    part    = "1" | "." | product ;          "." is every covariate of the table
    product = name, { (":" | "*"), name } ;  "a:b" the interaction alone, "a*b" is a + b + a:b
    name    = letter or "_", then letters, digits, "_" or "." ; or anything between backticks

An intercept is always there. Numbers (and booleans, as 0 and 1) enter as they are; a text or categorical column
becomes one 0/1 column for each level but the first in sorted order. Interactions multiply columns.

What it does not do, on purpose: no functions, powers, splines, removal of terms or of the intercept. Make such
columns in the table first, where they can be seen.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float, Int

from suppose.core.errors import DataError, StudyError, nearest

__all__ = ["Column", "Formula", "Terms", "design_matrix", "parse_formula"]

NAME = re.compile(r"[^\W\d][\w.]*")
BACKTICKED = re.compile(r"`([^`]+)`")
TOKEN = re.compile(r"\s*(?:(`[^`]+`)|([^\W\d][\w.]*)|([+:*.])|(1)(?![\w.]))")
LONGEST = 10_000
#: Interactions of more columns than this are refused.
DEEPEST = 4

Term = tuple[str, ...]
Terms = tuple[Term, ...]


@dataclasses.dataclass(frozen=True)
class Column:
    """A covariate as it lies in a table.

    Attributes
    ----------
    values : (n,) array
        Numbers; for a category codes into ``levels``.
    levels : tuple of str or None
        Sorted levels of a category, None for a number.
    """

    values: np.ndarray
    levels: tuple[str, ...] | None = None


@dataclasses.dataclass(frozen=True)
class Formula:
    """Terms of a formula; ``everything`` when it asks for all covariates.

    Examples
    --------
    >>> formula = parse_formula("trt * age + `cell type`")
    >>> formula.terms
    (('trt',), ('age',), ('trt', 'age'), ('cell type',))
    >>> str(formula), parse_formula(str(formula)) == formula
    ('trt + age + trt:age + `cell type`', True)
    """

    terms: Terms
    everything: bool = False

    def __str__(self) -> str:
        parts = [":".join(_written(name) for name in term) for term in self.terms]
        return " + ".join([*(["."] if self.everything else []), *parts]) or "1"

    def resolve(self, covariates: Sequence[str]) -> Terms:
        """The terms in a table with these covariates; refuses names it does not have."""
        singles = tuple((name,) for name in covariates) if self.everything else ()
        terms = tuple(dict.fromkeys((*singles, *self.terms)))
        for name in dict.fromkeys(name for term in terms for name in term):
            if name not in covariates:
                raise DataError(
                    "missing-column", f"there is no such covariate; there are: {', '.join(covariates) or 'none'}",
                    where=f"formula: column {name!r}", remedy=nearest(name, covariates) or "Name one of these.",
                )  # fmt: skip
        return terms


def _written(name: str) -> str:
    return name if NAME.fullmatch(name) else f"`{name}`"


def parse_formula(text: str) -> Formula:
    """Read a formula.

    Parameters
    ----------
    text : str
        Such as ``"trt + age"``, ``"trt * `cell type`"``, ``"."`` or ``"1"``; see the module for the grammar.

    Raises
    ------
    StudyError
        ``formula-syntax`` for anything outside the grammar, with the position.

    Examples
    --------
    >>> parse_formula("1").terms
    ()
    >>> parse_formula("log(age)")
    Traceback (most recent call last):
        ...
    suppose.core.errors.StudyError: formula 'log(age)': expected '+', ':' or '*' at position 4, got '('. ...
    """
    if not isinstance(text, str) or len(text) > LONGEST:
        raise StudyError(
            "formula-syntax", f"expected a short text such as 'trt + age', got {type(text).__name__}",
            where="formula", remedy="Write '1' for no covariates and '.' for all.",
        )  # fmt: skip
    tokens = list(_tokens(text))
    terms: list[Term] = []
    everything = False
    place = 0
    while True:
        kind, word, start = tokens[place]
        if kind == "name":
            place, found = _product(text, tokens, place)
            terms += found
        elif kind == "sign" and word in ("1", "."):
            everything |= word == "."
            place += 1
        else:
            raise _syntax(text, start, word, "a column, '1' or '.'")
        kind, word, start = tokens[place]
        if kind == "end":
            return Formula(tuple(dict.fromkeys(terms)), everything)
        if kind != "sign" or word != "+":
            expected = "'+', ':' or '*'" if tokens[place - 1][0] == "name" else "'+'"
            raise _syntax(text, start, word, expected)
        place += 1


Token = tuple[str, str, int]


def _tokens(text: str) -> Iterable[Token]:
    place = 0
    while text[place:].strip():
        match = TOKEN.match(text, place)
        if match is None:
            start = place + len(text[place:]) - len(text[place:].lstrip())
            yield ("other", text[start], start)
            return
        ticked, name, sign, one = match.groups()
        start = match.end() - len(next(item for item in (ticked, name, sign, one) if item))
        if ticked or name:
            yield ("name", ticked[1:-1] if ticked else name, start)
        else:
            yield ("sign", sign or one, start)
        place = match.end()
    yield ("end", "", len(text))


def _product(text: str, tokens: list[Token], place: int) -> tuple[int, list[Term]]:
    """Names joined by ``:`` and ``*``, ``:`` binding closer."""
    factors: list[list[str]] = [[tokens[place][1]]]
    place += 1
    while tokens[place][1] in (":", "*") and tokens[place][0] == "sign":
        kind, name, start = tokens[place + 1]
        if kind != "name":
            raise _syntax(text, start, name, "a column")
        if tokens[place][1] == ":":
            factors[-1].append(name)
        else:
            factors.append([name])
        place += 2
    names = [name for factor in factors for name in factor]
    if len(set(names)) < len(names) or len(names) > DEEPEST:
        raise StudyError(
            "formula-syntax", f"expected at most {DEEPEST} different columns in a product, got {', '.join(names)}",
            where=f"formula {text!r}", remedy="Powers are not part of the language: make a column of them.",
        )  # fmt: skip
    terms = [
        tuple(name for factor in chosen for name in factor)
        for size in range(1, len(factors) + 1)
        for chosen in combinations(factors, size)
    ]
    return place, terms


def _syntax(text: str, start: int, word: str, expected: str) -> StudyError:
    got = f"got {word!r}" if word else "the formula ends"
    return StudyError(
        "formula-syntax", f"expected {expected} at position {start + 1}, {got}",
        where=f"formula {text!r}",
        remedy="A formula holds names, `names in backticks`, +, :, *, 1 and the dot; make other columns first.",
    )  # fmt: skip


def design_matrix(
    terms: Terms, columns: Mapping[str, Column], n: int
) -> tuple[Float[np.ndarray, "n k"], tuple[str, ...]]:
    """Design matrix of the terms, intercept first, and the names of its columns.

    Parameters
    ----------
    terms : tuple of tuples of str
        From :meth:`Formula.resolve`.
    columns : mapping
        Covariate name to :class:`Column`.
    n : int
        Rows.

    Examples
    --------
    >>> town = Column(np.array([0, 1, 1]), ("Basel", "Bern"))
    >>> matrix, names = design_matrix((("town",),), {"town": town}, 3)
    >>> names, matrix[:, 1].tolist()
    (('intercept', 'town=Bern'), [0.0, 1.0, 1.0])
    """
    blocks, names = [np.ones((n, 1))], ["intercept"]
    for term in terms:
        block, labels = np.ones((n, 1)), [""]
        for name in term:
            own, own_labels = _coded(name, columns[name])
            block = (block[:, :, None] * own[:, None, :]).reshape(n, -1)
            labels = [f"{left}:{right}" if left else right for left in labels for right in own_labels]
        blocks.append(block)
        names += labels
    return np.concatenate(blocks, axis=1), tuple(names)


def _coded(name: str, column: Column) -> tuple[np.ndarray, list[str]]:
    if column.levels is None:
        return column.values[:, None].astype(np.float64), [name]
    codes: Int[np.ndarray, " n"] = column.values.astype(np.int64)
    wanted = np.arange(1, len(column.levels))
    return (codes[:, None] == wanted).astype(np.float64), [f"{name}={level}" for level in column.levels[1:]]
