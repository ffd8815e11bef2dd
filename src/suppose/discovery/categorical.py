"""G-squared and Pearson's chi-squared for categories, many questions at once.

In each stratum of the variables held fixed ``G = 2 sum n log(n N / (r c))`` (Wilks 1938; Spirtes, Glymour and Scheines
2000, section 5.5) or ``sum (n - e)**2 / e``; strata are added up. Degrees of freedom are ``(rows - 1)(columns -
1)`` among the rows and columns that occur in the stratum. A question with fewer than ten rows per degree of
freedom is *not tested* (Tsamardinos, Brown and Aliferis 2006, section 4): its p-value is not a number, and searches
count it.

Strata are packed to one number by mixed radix, and numbered anew where that number outgrows the table. What it does
not do: exact tests of thin tables, and orders of categories (all are taken as mere names).
"""

from __future__ import annotations

from typing import Any, no_type_check

import numpy as np
from jaxtyping import Int
from numba import njit
from scipy import special

from suppose.core.errors import DataError
from suppose.discovery.material import MAX_LEVELS, allows_missing, code_columns
from suppose.discovery.protocol import BaseTest, OutcomeBatch

__all__ = ["GSquare"]

FEW_STRATA = 16
"""Strata from which on those that are empty are left out."""


class GSquare(BaseTest):
    """Test of conditional independence of categories.

    Parameters
    ----------
    X : (n, p) table or array
        Categories: text, whole numbers or truth values.
    names : sequence of str, optional
        Names of the columns of an array.
    statistic : {"g", "chi2"}
        Likelihood ratio or Pearson's statistic.
    max_levels : int
        Most different values of a column.
    missing : {"refuse", "test-wise"}
        ``test-wise`` leaves out the rows that lack a value of the question.
    rows_per_degree : float
        Rows per degree of freedom under which a question is not tested.

    Raises
    ------
    DataError
        ``too-many-levels``, ``constant-column``, ``missing-value``, ``unknown-choice``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.integers(0, 2, 2000)
    >>> X = np.column_stack([z ^ (rng.random(2000) < 0.2), z ^ (rng.random(2000) < 0.2), z])
    >>> test = GSquare(X, ["x", "y", "z"])
    >>> test.one("x", "y").p_value < 1e-6, test.one("x", "y", ("z",)).p_value > 0.01
    (True, True)
    """

    def __init__(
        self,
        X: Any,
        names: Any = None,
        *,
        statistic: str = "g",
        max_levels: int = MAX_LEVELS,
        missing: str = "refuse",
        rows_per_degree: float = 10.0,
    ) -> None:
        if statistic not in ("g", "chi2"):
            raise DataError(
                "unknown-choice", f"expected one of g, chi2, got {statistic!r}", where="statistic",
                remedy="Choose one of these.",
            )  # fmt: skip
        codes, levels, found = code_columns(
            X, names, max_levels=max_levels, allow_missing=allows_missing(missing)
        )
        super().__init__(found)
        self.statistic, self.rows_per_degree = statistic, rows_per_degree
        self.n = codes.shape[1]
        self.levels = levels
        self._codes = np.ascontiguousarray(codes)
        self._sizes = np.array([len(known) for known in levels], dtype=np.int64)
        whole = np.arange(self.n + 1, dtype=float)
        self._xlogx = special.xlogy(whole, whole)

    def batch(
        self, i: Int[np.ndarray, " m"], j: Int[np.ndarray, " m"], given: Int[np.ndarray, "m k"]
    ) -> OutcomeBatch:
        """p-values (NaN: not tested), statistics, rows."""
        stat, degrees, n = self.statistics(i, j, given)
        p = special.chdtrc(np.maximum(degrees, 1), stat)
        p = np.where((n < self.rows_per_degree * degrees) | (degrees == 0), np.nan, p)
        return OutcomeBatch(p, stat, n)

    def statistics(
        self, i: Int[np.ndarray, " m"], j: Int[np.ndarray, " m"], given: Int[np.ndarray, "m k"]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Statistics, degrees of freedom and rows of each question."""
        self._count(len(i))
        stat, degrees = np.empty(len(i)), np.empty(len(i), dtype=np.int64)
        rows = np.empty(len(i), dtype=np.int64)
        i, j, given = (np.ascontiguousarray(a, dtype=np.int64) for a in (i, j, given))
        _questions(
            self._codes, self._sizes, self._xlogx, i, j, given, self.statistic == "g", stat, degrees, rows
        )
        return stat, degrees, rows

    def describe(self) -> str:
        """The test in one sentence."""
        word = "G-squared" if self.statistic == "g" else "Pearson's chi-squared"
        return f"{word} on tables of counts, {self.n:,} rows"


@njit(cache=True, nogil=True)
@no_type_check
def _strata(codes: np.ndarray, sizes: np.ndarray, S: np.ndarray, out: np.ndarray) -> int:
    """Writes the stratum of each row (-1: a value is missing); how many there may be."""
    n = codes.shape[1]
    out[:] = 0
    count = 1
    for v in S:
        size = sizes[v]
        for t in range(n):
            c = codes[v, t]
            out[t] = -1 if c < 0 or out[t] < 0 else out[t] * size + c
        count *= size
        if count > FEW_STRATA:
            count = _numbered_anew(out, count)
    return count


@njit(cache=True, nogil=True)
@no_type_check
def _numbered_anew(stratum: np.ndarray, count: int) -> int:
    """Numbers the strata that occur from 0, in place; how many there are."""
    number = np.zeros(count, np.int64)
    for s in stratum:
        if s >= 0:
            number[s] = 1
    found = 0
    for s in range(count):
        if number[s]:
            number[s] = found
            found += 1
    for t in range(len(stratum)):
        if stratum[t] >= 0:
            stratum[t] = number[stratum[t]]
    return found


@njit(cache=True, nogil=True)
@no_type_check
def _summed(table: np.ndarray, rows: int, columns: int, xlogx: np.ndarray, likelihood: bool) -> tuple:
    """Statistic and degrees of freedom of one stratum; ``table`` holds its cells row by row."""
    by_column = np.zeros(columns, np.int64)
    by_row = np.zeros(rows, np.int64)
    total = 0
    for r in range(rows):
        for c in range(columns):
            value = table[r * columns + c]
            by_row[r] += value
            by_column[c] += value
            total += value
    seen_rows, seen_columns = -1, -1
    for r in range(rows):
        seen_rows += by_row[r] > 0
    for c in range(columns):
        seen_columns += by_column[c] > 0
    if seen_rows < 1 or seen_columns < 1:
        return 0.0, 0
    if likelihood:
        stat = _likelihood(table, by_row, by_column, total, xlogx)
    else:
        stat = _pearson(table, by_row, by_column, total)
    return stat, seen_rows * seen_columns


@njit(cache=True, nogil=True)
@no_type_check
def _likelihood(
    table: np.ndarray, by_row: np.ndarray, by_column: np.ndarray, total: int, xlogx: np.ndarray
) -> float:
    stat = xlogx[total]
    for value in table:
        stat += xlogx[value]
    for value in by_row:
        stat -= xlogx[value]
    for value in by_column:
        stat -= xlogx[value]
    return 2.0 * max(stat, 0.0)


@njit(cache=True, nogil=True)
@no_type_check
def _pearson(table: np.ndarray, by_row: np.ndarray, by_column: np.ndarray, total: int) -> float:
    stat = 0.0
    for r in range(len(by_row)):
        for c in range(len(by_column)):
            if by_row[r] > 0 and by_column[c] > 0:
                expected = by_row[r] * by_column[c] / total
                stat += (table[r * len(by_column) + c] - expected) ** 2 / expected
    return stat


@njit(cache=True, nogil=True)
@no_type_check
def _questions(
    codes: np.ndarray,
    sizes: np.ndarray,
    xlogx: np.ndarray,
    i: np.ndarray,
    j: np.ndarray,
    given: np.ndarray,
    likelihood: bool,
    stat: np.ndarray,
    degrees: np.ndarray,
    used: np.ndarray,
) -> None:
    n = codes.shape[1]
    stratum = np.empty(n, np.int64)
    table = np.zeros(1, np.int64)
    last = -1
    strata = 1
    for q in range(len(i)):
        rows, columns = sizes[i[q]], sizes[j[q]]
        same = last >= 0
        for c in range(given.shape[1]):
            same = same and given[q, c] == given[last, c]
        if not same:
            strata = _strata(codes, sizes, given[q], stratum)
        last = q
        cells = strata * rows * columns
        if cells > len(table):
            table = np.zeros(cells, np.int64)
        table[:cells] = 0
        x, y = codes[i[q]], codes[j[q]]
        count = 0
        for t in range(n):
            if stratum[t] >= 0 and x[t] >= 0 and y[t] >= 0:
                table[(stratum[t] * rows + x[t]) * columns + y[t]] += 1
                count += 1
        total, free = 0.0, 0
        for s in range(strata):
            a, d = _summed(
                table[s * rows * columns : (s + 1) * rows * columns], rows, columns, xlogx, likelihood
            )
            total += a
            free += d
        stat[q], degrees[q], used[q] = total, free, count
