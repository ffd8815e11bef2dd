"""Tables for discovery: columns checked once, by name, before any test is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
from jaxtyping import Float, Int

from suppose.core.columns import row_words
from suppose.core.errors import DataError
from suppose.core.tables import frame_of

__all__ = ["MAX_LEVELS", "allows_missing", "code_columns", "names_of", "numeric_columns", "series_of"]

MAX_LEVELS = 50


def series_of(X: Any, names: Sequence[str] | None = None) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """Columns as arrays, and their names; an array's columns are called ``x0, x1, ...`` where no names come.

    Raises
    ------
    DataError
        ``wrong-shape``, ``names-differ``, ``no-rows``.
    """
    if isinstance(X, (np.ndarray, list, tuple)) or (hasattr(X, "__array__") and not hasattr(X, "columns")):
        values = np.asarray(X)
        if values.ndim != 2:
            raise DataError(
                "wrong-shape", f"expected a table of rows and columns, got {values.ndim} axes. Reshape your data "
                "to two axes", where="X", remedy="Give one row per case and one column per variable.",
            )  # fmt: skip
        columns = list(values.T)
        found = names_of(names, len(columns))
    else:
        frame = frame_of(X)
        columns = [_array(frame[name]) for name in frame.columns]
        found = names_of(list(frame.columns) if names is None else names, len(columns))
    if not columns or len(columns[0]) < 1:
        raise DataError(
            "no-rows", f"expected a table with rows and columns, got {len(columns[0]) if columns else 0} rows "
            f"and {len(columns)} columns", where="X", remedy="Check the filter the table went through.",
        )  # fmt: skip
    return columns, found


def allows_missing(missing: str) -> bool:
    """Whether missing values may stay; refuses a policy that is none with ``unknown-choice``."""
    if missing not in ("refuse", "test-wise"):
        raise DataError(
            "unknown-choice", f"expected one of refuse, test-wise, got {missing!r}", where="missing",
            remedy="Choose one of these.",
        )  # fmt: skip
    return missing == "test-wise"


def names_of(names: Sequence[str] | None, count: int) -> tuple[str, ...]:
    """Names of columns, checked for number and for doubles."""
    if names is None:
        return tuple(f"x{c}" for c in range(count))
    found = tuple(str(name) for name in names)
    if len(found) != count or len(set(found)) < count:
        raise DataError(
            "names-differ", f"expected {count} different names, got {len(found)} of which {len(set(found))} differ",
            where="names", remedy="Give each column one name of its own.",
        )  # fmt: skip
    return found


def _array(series: nw.Series[Any]) -> np.ndarray:
    if series.dtype.is_numeric() or series.dtype == nw.Boolean:
        if series.null_count():
            series = series.cast(nw.Float64)
        return series.to_numpy()
    return np.array(series.to_list(), dtype=object)


def numeric_columns(
    X: Any, names: Sequence[str] | None = None, *, allow_missing: bool = False
) -> tuple[Float[np.ndarray, "n p"], tuple[str, ...]]:
    """Columns as one matrix of numbers.

    Raises
    ------
    DataError
        ``not-a-number``, ``missing-value``, ``infinite-value``, ``constant-column``, ``too-few-rows``, each
        naming the column.

    Examples
    --------
    >>> numeric_columns(np.array([[1, 2], [3, 5], [4, 4], [2, 2]]))[1]
    ('x0', 'x1')
    """
    columns, found = series_of(X, names)
    if len(columns[0]) < 4:
        raise DataError(
            "too-few-rows", f"correlations need at least 4 rows, got {len(columns[0])} (n_samples = "
            f"{len(columns[0])})", where="X", remedy="Add rows.",
        )  # fmt: skip
    values = np.empty((len(columns[0]), len(columns)))
    for c, (column, name) in enumerate(zip(columns, found, strict=True)):
        values[:, c] = _numbers(column, name)
        _refuse_gaps(values[:, c], name, allow_missing)
    return values, found


def _numbers(column: np.ndarray, name: str) -> np.ndarray:
    if np.iscomplexobj(column):
        raise DataError(
            "not-a-number", "expected numbers, got complex numbers. Complex data not supported",
            where=f"column {name!r}", remedy="Split them into two columns, or leave the column out.",
        )  # fmt: skip
    try:
        return np.asarray(column, dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(
            "not-a-number", f"expected numbers, got values such as {str(column[0])[:40]!r}",
            where=f"column {name!r}", remedy="Leave the column out, or take a test for categories or mixed data.",
        ) from error  # fmt: skip


def _refuse_gaps(values: np.ndarray, name: str, allow_missing: bool) -> None:
    missing = np.isnan(values)
    where = f"column {name!r}"
    if missing.any() and not allow_missing:
        raise DataError(
            "missing-value", f"missing values (NaN) in {row_words(missing)}", where=where,
            remedy="Drop or fill these rows, or test on the rows complete for each question: missing='test-wise'.",
        )  # fmt: skip
    if np.isinf(values).any():
        raise DataError(
            "infinite-value", f"infinite values (inf) in {row_words(np.isinf(values))}", where=where,
            remedy="Take logarithms of the right numbers, or drop these rows.",
        )  # fmt: skip
    kept = values[~missing]
    if len(kept) < 4 or float(kept.max() - kept.min()) <= 1e-12 * max(float(np.abs(kept).max()), 1e-300):
        raise DataError(
            "constant-column", "the column holds one value only, which is independent of everything",
            where=where, remedy="Leave the column out.",
        )  # fmt: skip


def code_columns(
    X: Any, names: Sequence[str] | None = None, *, max_levels: int = MAX_LEVELS, allow_missing: bool = False
) -> tuple[Int[np.ndarray, "p n"], tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Columns as codes of categories from 0 (missing: -1), their levels and names.

    Raises
    ------
    DataError
        ``missing-value``, ``constant-column``, ``too-many-levels``, each naming the column.

    Examples
    --------
    >>> code_columns(np.array([["a", "x"], ["b", "x"], ["b", "y"]]))[0].tolist()
    [[0, 1, 1], [0, 0, 1]]
    """
    columns, found = series_of(X, names)
    codes = np.empty((len(columns), len(columns[0])), dtype=np.int32)
    levels = []
    for c, (column, name) in enumerate(zip(columns, found, strict=True)):
        codes[c], known = _codes(column)
        _refuse_codes(codes[c], known, name, max_levels, allow_missing)
        levels.append(known)
    return codes, tuple(levels), found


def _codes(column: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    if column.dtype == object:
        absent = np.array([v is None or v != v for v in column], dtype=bool)
        kept = np.array([str(v) for v in column[~absent]])
    else:
        absent = np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), dtype=bool)
        kept = column[~absent]
    levels, inverse = np.unique(kept, return_inverse=True)
    codes = np.full(len(column), -1, dtype=np.int32)
    codes[~absent] = inverse
    return codes, tuple(str(level) for level in levels)


def _refuse_codes(
    codes: np.ndarray, levels: tuple[str, ...], name: str, max_levels: int, allow_missing: bool
) -> None:
    where = f"column {name!r}"
    if (codes < 0).any() and not allow_missing:
        raise DataError(
            "missing-value", f"missing values (NaN) in {row_words(codes < 0)}", where=where,
            remedy="Drop or fill these rows, or test on the rows complete for each question: missing='test-wise'.",
        )  # fmt: skip
    if len(levels) > max_levels:
        raise DataError(
            "too-many-levels", f"{len(levels)} different values, more than {max_levels}: not categories",
            where=where, remedy="Bin the column, take a test for numbers or mixed data, or raise max_levels.",
        )  # fmt: skip
    if len(levels) < 2:
        raise DataError(
            "constant-column", "the column holds one value only, which is independent of everything",
            where=where, remedy="Leave the column out.",
        )  # fmt: skip
