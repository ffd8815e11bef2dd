"""Tests of conditional independence: whether two columns tell of each other once others are known.

:func:`g_test` is the likelihood-ratio test for categories (Wilks 1938; as used by Spirtes, Glymour & Scheines
2000, section 5.5). In each stratum of the given columns ``G = 2 sum n log(n / expected)`` has in the limit a
chi-squared law with ``(rows - 1)(columns - 1)`` degrees of freedom, counted among the rows and columns that
the stratum holds at all; strata are added up. :func:`holm` corrects many p-values together (Holm 1979).

It does not test independence of numbers, and says nothing where tables are thin: ``cells_expected`` tells how
many of the cells that count have an expectation of five or more, which the chi-squared law leans on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from suppose.core.errors import DataError

__all__ = ["IndependenceTest", "g_test", "holm"]

MAX_CELLS = 2**28


@dataclass(frozen=True)
class IndependenceTest:
    """Result of one test of independence.

    Attributes
    ----------
    statistic : float
        ``G``, in nats times two; 0 where the columns are independent in every stratum.
    degrees : int
        Degrees of freedom; 0 when no stratum can tell.
    p_value : float
        Chance of a ``G`` as large under independence; 1 when ``degrees`` is 0.
    n : int
        Rows.
    cells_expected : float
        Share of cells, among those that count, with an expected count of at least five.

    Examples
    --------
    >>> print(g_test(np.array([0, 0, 1, 1] * 10), np.array([0, 0, 1, 0] * 10)))
    G = 17.3 on 1 degree of freedom, p = 3.26e-05 (40 rows)
    """

    statistic: float
    degrees: int
    p_value: float
    n: int
    cells_expected: float

    def __str__(self) -> str:
        unit = "degree" if self.degrees == 1 else "degrees"
        return (
            f"G = {self.statistic:.3g} on {self.degrees} {unit} of freedom, p = {self.p_value:.3g} "
            f"({self.n:,} rows)"
        )


def g_test(
    x: Int[np.ndarray, " n"], y: Int[np.ndarray, " m"], given: Sequence[Int[np.ndarray, " _"]] = ()
) -> IndependenceTest:
    """Likelihood-ratio test that ``x`` and ``y`` are independent given other columns.

    Parameters
    ----------
    x, y : (n,) int arrays
        Codes of the categories, 0 and up.
    given : sequence of (n,) int arrays
        Codes of the columns held fixed.

    Raises
    ------
    DataError
        ``bad-codes`` for negative codes, ``lengths-differ``, ``too-many-cells`` for more than 2**28 cells.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.integers(0, 2, 2000)
    >>> x, y = (z + rng.integers(0, 2, 2000), z + rng.integers(0, 2, 2000))
    >>> g_test(x, y).p_value < 1e-6, g_test(x, y, [z]).p_value > 0.01
    (True, True)
    """
    _check([x, y, *given])
    stratum = _strata(given, len(x))
    rows, columns = int(x.max(initial=0)) + 1, int(y.max(initial=0)) + 1
    strata = int(stratum.max(initial=0)) + 1
    if strata * rows * columns > MAX_CELLS:
        raise DataError(
            "too-many-cells", f"the test needs a table of {strata * rows * columns:.3g} cells; the limit is "
            f"{float(MAX_CELLS):.3g}", where="x, y",
            remedy="Merge rare categories, or give fewer columns.",
        )  # fmt: skip
    place = (stratum * rows + x) * columns + y
    counts = (
        np.bincount(place, minlength=strata * rows * columns).reshape(strata, rows, columns).astype(float)
    )
    by_row, by_column = counts.sum(axis=2), counts.sum(axis=1)
    total = by_row.sum(axis=1)[:, None, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = by_row[:, :, None] * by_column[:, None, :] / total
        terms = np.where(counts > 0, counts * np.log(counts / expected), 0.0)
    free = np.maximum((by_row > 0).sum(axis=1) - 1, 0) * np.maximum((by_column > 0).sum(axis=1) - 1, 0)
    telling = free > 0
    degrees, statistic = int(free.sum()), max(2.0 * float(terms[telling].sum()), 0.0)
    alive = telling[:, None, None] & (by_row[:, :, None] > 0) & (by_column[:, None, :] > 0)
    share = float((expected[alive] >= 5).mean()) if alive.any() else 0.0
    p_value = float(stats.chi2.sf(statistic, degrees)) if degrees else 1.0
    return IndependenceTest(statistic, degrees, p_value, len(x), share)


def holm(p_values: Float[np.ndarray, " tests"]) -> Float[np.ndarray, " tests"]:
    """P-values corrected for being the smallest of many (Holm's step-down rule).

    Rejecting those at most ``alpha`` keeps the chance of any false rejection at most ``alpha``.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected


def _check(columns: Sequence[np.ndarray]) -> None:
    for place, column in enumerate(columns):
        where = ("x", "y")[place] if place < 2 else f"given[{place - 2}]"
        if len(column) != len(columns[0]):
            raise DataError(
                "lengths-differ", f"expected {len(columns[0]):,} rows as in x, got {len(column):,}", where=where,
                remedy="Give every column one value per row.",
            )  # fmt: skip
        if len(column) and column.min() < 0:
            raise DataError(
                "bad-codes", f"expected codes of categories from 0, got {int(column.min())}", where=where,
                remedy="Number the categories, for example with pandas.factorize, and drop missing values.",
            )  # fmt: skip


def _strata(given: Sequence[np.ndarray], n: int) -> np.ndarray:
    """Number of the stratum of each row, strata that occur only."""
    stratum = np.zeros(n, dtype=np.int64)
    for column in given:
        both = stratum * (int(column.max(initial=0)) + 1) + column
        stratum = np.unique(both, return_inverse=True)[1]
    return stratum
