"""Columns as numbers, by stated rules: nothing is guessed silently.

A text column that is mostly numbers or dates, an identifier, a missing or infinite value is refused
by name with the remedy, unless the study states a policy. Missing values, per column: ``refuse``
(default), ``drop`` the row, fill with the ``mean``, ``median`` or ``most-frequent`` value, or
``indicator`` (fill with the median, or a level of its own for text, and add a 0/1 column that says
it was missing).

What it does not do: no imputation by model, no target encoding, no scaling (learners scale).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import narwhals as nw
import numpy as np
from jaxtyping import Bool, Float, Int

from suppose.core.errors import DataError
from suppose.core.tables import require_columns

__all__ = [
    "MAX_LEVELS",
    "ColumnType",
    "Encoded",
    "MissingPolicy",
    "categories",
    "encode",
    "row_words",
    "to_numbers",
]

MissingPolicy = Literal["refuse", "drop", "mean", "median", "most-frequent", "indicator"]
ColumnType = Literal["number", "category", "date"]

MAX_LEVELS = 50
MAX_MAGNITUDE = 1e100  # beyond it sums of squares leave the range of numbers


def row_words(bad: Bool[np.ndarray, "n"]) -> str:
    """Rows in words, counted from 1: ``"rows 3, 17 and 20 (12 in all)"``.

    Examples
    --------
    >>> row_words(np.array([False, True, False, True]))
    'rows 2 and 4'
    """
    rows = (np.flatnonzero(bad) + 1).tolist()
    first = [str(row) for row in rows[:3]]
    words = " and ".join(filter(None, [", ".join(first[:-1]), first[-1]])) if first else "none"
    more = f" ({len(rows):,} in all)" if len(rows) > 3 else ""
    return f"row{'s' if len(rows) > 1 else ''} {words}{more}"


@dataclass(frozen=True)
class Encoded:
    """Columns as one matrix of numbers.

    Attributes
    ----------
    matrix : (n, p) float array
        One column per number, per level of a category but the first, and per missing indicator.
    names : tuple of str
        Name of each matrix column, e.g. ``"age"``, ``"region=north"``, ``"age is missing"``.
    sources : tuple of str
        The user's column each comes from.
    notes : tuple of str
        What was done, in words, for the report.
    """

    matrix: Float[np.ndarray, "n p"]
    names: tuple[str, ...]
    sources: tuple[str, ...]
    notes: tuple[str, ...]


def to_numbers(
    frame: nw.DataFrame[Any], name: str, *, role: str, as_type: ColumnType | None = None
) -> Float[np.ndarray, "n"]:
    """A column as numbers, missing values as NaN; refuses text, dates and infinite values by name."""
    series = frame[name]
    where = f"{role}: column {name!r}"
    if as_type == "date" or series.dtype in (nw.Date, nw.Datetime):
        values = _days(series, where, as_type)
    elif series.dtype.is_numeric() or series.dtype == nw.Boolean:
        values = _float_values(series)
    elif as_type == "number":
        values = _parsed(series, where)
    else:
        raise _not_a_number(series, where)
    if np.isinf(values).any():
        raise DataError(
            "infinite-value",
            f"infinite values in {row_words(np.isinf(values))}",
            where=where,
            remedy="Correct them, or mark them missing.",
        )
    if (np.abs(values) > MAX_MAGNITUDE).any():
        raise DataError(
            "value-too-large",
            f"values beyond {MAX_MAGNITUDE:g} in {row_words(np.abs(values) > MAX_MAGNITUDE)}",
            where=where,
            remedy="Correct them, or give the column in a larger unit.",
        )
    return values


def _float_values(series: nw.Series[Any]) -> Float[np.ndarray, "n"]:
    values = series.cast(nw.Float64)
    if series.null_count() == 0:
        return np.asarray(values.to_numpy(), dtype=float)
    absent = values.is_null().to_numpy()
    return np.where(absent, np.nan, np.asarray(values.fill_null(0.0).to_numpy(), dtype=float))


def _days(series: nw.Series[Any], where: str, as_type: ColumnType | None) -> Float[np.ndarray, "n"]:
    name = series.name
    if as_type != "date":
        raise DataError(
            "date-column",
            "it holds dates, and a date can mean many things",
            where=where,
            remedy=f'Say data.types = {{ {name} = "date" }} to use days since 1970, or leave the column out.',
        )
    if series.dtype not in (nw.Date, nw.Datetime):
        try:
            series = series.cast(nw.String).str.to_datetime(format=None)
        except Exception as error:  # each frame library has its own class for a failed parse
            raise DataError(
                "not-a-date",
                f"not every value is a date{_first_not_a_date(series)}",
                where=where,
                remedy="Write dates as 2024-12-31.",
            ) from error
    stamps = np.asarray(series.cast(nw.Datetime("us")).to_numpy(), dtype="datetime64[us]")
    days = stamps.astype("int64") / 86_400e6
    days[np.isnat(stamps)] = np.nan
    return days


def _first_not_a_date(series: nw.Series[Any]) -> str:
    """The first value that cannot be read as a date, in words; empty when each can by itself."""
    import pandas as pd

    texts = pd.Series(_text_values(series), dtype="object")
    bad = (pd.to_datetime(texts, errors="coerce", format="ISO8601").isna() & texts.notna()).to_numpy()
    row = int(bad.argmax())
    return f"; the first that is not is {texts[row]!r} in row {row + 1}" if bad.any() else ""


def _parsed(series: nw.Series[Any], where: str) -> Float[np.ndarray, "n"]:
    values, bad = _number_or_nan(_text_values(series))
    if bad.any():
        raise _not_a_number(series, where)
    return values


def _text_values(series: nw.Series[Any]) -> list[str | None]:
    return [None if value is None or value != value else str(value) for value in series.to_list()]


def _number_or_nan(values: Sequence[str | None]) -> tuple[Float[np.ndarray, "n"], Bool[np.ndarray, "n"]]:
    """Numbers of texts, and which texts are not numbers (missing ones are neither)."""
    import pandas as pd

    column = pd.Series(list(values), dtype="object")
    numbers = pd.to_numeric(column, errors="coerce")
    return numbers.to_numpy(dtype=float), (numbers.isna() & column.notna()).to_numpy()


def _not_a_number(series: nw.Series[Any], where: str) -> DataError:
    texts = _text_values(series)
    _, bad = _number_or_nan(texts)
    first = next((f"{texts[i]!r} in row {i + 1}" for i in np.flatnonzero(bad)), "text")
    return DataError(
        "not-a-number",
        f"expected numbers, got text; the first is {first}",
        where=where,
        remedy="Correct the values, list missing-value words in data.missing_words, or use a numeric column.",
    )


def categories(
    frame: nw.DataFrame[Any], name: str, *, role: str, max_levels: int = MAX_LEVELS, declared: bool = False
) -> tuple[Int[np.ndarray, "n"], tuple[str, ...]]:
    """A column as codes and sorted level names; code -1 is missing.

    Raises
    ------
    DataError
        For more than ``max_levels`` levels; and, unless the study ``declared`` it a category, for a
        text column most of whose values are numbers or dates.
    """
    texts = _text_values(frame[name])
    where = f"{role}: column {name!r}"
    known = np.array([text for text in texts if text is not None], dtype=object).astype(str)
    levels = np.unique(known)
    if not declared and frame[name].dtype in (nw.String, nw.Object, nw.Categorical):
        _refuse_disguised(texts, name, where)
    if len(levels) > max_levels:
        raise DataError(
            "too-many-levels",
            f"it has {len(levels):,} different texts, more than {max_levels}",
            where=where,
            remedy="It looks like an identifier: leave it out, group its levels, or raise data.max_levels.",
        )
    codes = np.full(len(texts), -1, dtype=np.int64)
    present = np.array([text is not None for text in texts])
    codes[present] = np.searchsorted(levels, known)
    return codes, tuple(str(level) for level in levels)


def _refuse_disguised(texts: Sequence[str | None], name: str, where: str) -> None:
    """Refuse numbers or dates stored as text, which would silently become hundreds of levels."""
    import pandas as pd

    known = [text for text in texts if text is not None]
    if not known:
        return
    _, bad = _number_or_nan(known)
    if bad.mean() < 0.5:
        word = f"; the first that is not is {known[int(np.flatnonzero(bad)[0])]!r}" if bad.any() else ""
        raise DataError(
            "numbers-as-text",
            f"it is text, but {1 - bad.mean():.0%} of its values are numbers{word}",
            where=where,
            remedy=f'List such words in data.missing_words, or say data.types = {{ {name} = "category" }}.',
        )
    sample = pd.Series(known[:1000], dtype="object")
    if sample.str.match(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}").mean() > 0.9:
        raise DataError(
            "dates-as-text",
            f"it is text that looks like dates, e.g. {known[0]!r}",
            where=where,
            remedy=f'Say data.types = {{ {name} = "date" }} to use days since 1970, or leave the column out.',
        )


def encode(
    frame: nw.DataFrame[Any],
    columns: Sequence[str],
    *,
    role: str = "adjust",
    missing: Mapping[str, MissingPolicy] | MissingPolicy = "refuse",
    types: Mapping[str, ColumnType] | None = None,
    max_levels: int = MAX_LEVELS,
) -> tuple[Encoded, Bool[np.ndarray, "n"]]:
    """Columns as numbers, and which rows are kept (policy ``drop`` leaves out the others).

    Parameters
    ----------
    frame : narwhals DataFrame
        The table.
    columns : sequence of str
        The columns to encode, in this order.
    role : str
        What they are for; named in refusals.
    missing : str or mapping
        Policy for all columns, or per column (others are refused).
    types : mapping, optional
        Columns to read as ``"number"``, ``"category"`` or ``"date"`` whatever they look like.
    max_levels : int
        Most levels a category may have.

    Examples
    --------
    >>> import pandas as pd
    >>> from suppose.core.tables import frame_of
    >>> frame = frame_of(pd.DataFrame({"age": [31.0, None, 25.0], "town": ["Bern", "Basel", "Bern"]}))
    >>> encoded, kept = encode(frame, ["age", "town"], missing={"age": "median"})
    >>> encoded.names, encoded.matrix[:, 0].tolist()
    (('age', 'town=Bern'), [31.0, 28.0, 25.0])
    """
    require_columns(frame.columns, columns, role)
    kept = np.ones(frame.shape[0], dtype=bool)
    blocks: list[Float[np.ndarray, "n"]] = []
    names: list[str] = []
    sources: list[str] = []
    notes: list[str] = []
    for column in columns:
        policy: MissingPolicy = missing if isinstance(missing, str) else missing.get(column, "refuse")
        declared = (types or {}).get(column)
        arrays, labels, absent = _encode_column(frame, column, role, policy, declared, max_levels)
        if absent.any():
            kept &= ~absent if policy == "drop" else True
            notes.append(_missing_note(column, policy, int(absent.sum())))
        blocks += arrays
        names += labels
        sources += [column] * len(arrays)
    if not kept.any():
        raise DataError(
            "no-rows-left",
            "every row has a missing value in some column with policy 'drop'",
            where=role,
            remedy="Use another policy for the columns that are mostly empty.",
        )
    matrix = np.column_stack(blocks) if blocks else np.empty((frame.shape[0], 0))
    return Encoded(
        matrix[kept] if not kept.all() else matrix, tuple(names), tuple(sources), tuple(notes)
    ), kept


def _encode_column(
    frame: nw.DataFrame[Any],
    column: str,
    role: str,
    policy: MissingPolicy,
    declared: ColumnType | None,
    max_levels: int,
) -> tuple[list[Float[np.ndarray, "n"]], list[str], Bool[np.ndarray, "n"]]:
    dtype = frame[column].dtype
    where = f"{role}: column {column!r}"
    if frame[column].null_count() == frame.shape[0]:
        raise DataError("all-missing", "every value is missing", where=where, remedy="Leave the column out.")
    is_text = dtype in (nw.String, nw.Object, nw.Categorical, nw.Enum)
    if declared == "category" or (declared is None and is_text):
        codes, levels = categories(
            frame, column, role=role, max_levels=max_levels, declared=declared is not None
        )
        absent = codes < 0
        _refuse_missing(absent, policy, where, text=True)
        if policy == "most-frequent" and absent.any():
            codes = np.where(absent, np.bincount(codes[~absent]).argmax(), codes)
        shown = list(enumerate(levels))[1:]
        arrays = [(codes == code).astype(float) for code, _ in shown]
        labels = [f"{column}={level}" for _, level in shown]
    else:
        values = to_numbers(frame, column, role=role, as_type=declared)
        absent = np.isnan(values)
        if absent.all():
            raise DataError(
                "all-missing", "every value is missing", where=where, remedy="Leave the column out."
            )
        _refuse_missing(absent, policy, where, text=False)
        arrays, labels = [_filled(values, absent, policy)], [column]
    if policy == "indicator" and absent.any():
        arrays, labels = [*arrays, absent.astype(float)], [*labels, f"{column} is missing"]
    return arrays, labels, absent


def _filled(
    values: Float[np.ndarray, "n"], absent: Bool[np.ndarray, "n"], policy: MissingPolicy
) -> Float[np.ndarray, "n"]:
    if not absent.any() or policy == "drop":
        return values
    known = values[~absent]
    if policy == "most-frequent":
        distinct, counts = np.unique(known, return_counts=True)
        fill = distinct[counts.argmax()]
    else:
        fill = known.mean() if policy == "mean" else np.median(known)
    return np.where(absent, fill, values)


def _refuse_missing(absent: Bool[np.ndarray, "n"], policy: MissingPolicy, where: str, *, text: bool) -> None:
    if not absent.any():
        return
    if policy == "refuse":
        raise DataError(
            "missing-value",
            f"missing values in {row_words(absent)}",
            where=where,
            remedy="State a policy in data.missing: drop, median, mean, most-frequent or indicator.",
        )
    if text and policy in ("mean", "median"):
        raise DataError(
            "policy-needs-numbers",
            f"policy {policy!r} needs numbers, the column is text",
            where=where,
            remedy="Use most-frequent, indicator or drop.",
        )


def _missing_note(column: str, policy: MissingPolicy, count: int) -> str:
    rows = f"{count:,} row{'s' if count > 1 else ''}"
    if policy == "drop":
        return f"{rows} left out: {column} is missing."
    filled = {"mean": "the mean", "median": "the median", "most-frequent": "the most frequent value"}
    if policy == "indicator":
        return f"{column} was missing in {rows}: filled, and marked by a column of its own."
    return f"{column} was missing in {rows}: filled with {filled[policy]}."
