"""Columns as numbers: stated policies, and refusal of everything ambiguous."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from suppose.core.columns import categories, encode, row_words, to_numbers
from suppose.core.errors import DataError
from suppose.core.tables import frame_of

KINDS = [lambda frame: frame, pl.from_pandas, pa.Table.from_pandas]
FRAME = pd.DataFrame({
    "age": [31.0, None, 25.0, 40.0],
    "town": ["Bern", "Basel", None, "Bern"],
    "ok": [True, False, True, True],
    "count": [1, 2, 3, 4],
})  # fmt: skip


@pytest.mark.parametrize("make", KINDS)
def test_the_same_numbers_from_every_frame_library(make):
    encoded, kept = encode(frame_of(make(FRAME)), ["age", "town", "ok", "count"], missing="indicator")
    assert encoded.names == ("age", "age is missing", "town=Bern", "town is missing", "ok", "count")
    assert encoded.sources == ("age", "age", "town", "town", "ok", "count")
    assert encoded.matrix[:, 0].tolist() == [31.0, 31.0, 25.0, 40.0]
    assert encoded.matrix[:, 2].tolist() == [1.0, 0.0, 0.0, 1.0]
    assert kept.all()


def test_policies():
    frame = frame_of(FRAME)
    assert encode(frame, ["age"], missing="mean")[0].matrix[1, 0] == 32.0
    assert encode(frame, ["town"], missing="most-frequent")[0].matrix[:, 0].tolist() == [1.0, 0.0, 1.0, 1.0]
    dropped, kept = encode(frame, ["age", "town"], missing="drop")
    assert kept.tolist() == [True, False, False, True]
    assert dropped.matrix.shape == (2, 2)
    assert dropped.notes == ("1 row left out: age is missing.", "1 row left out: town is missing.")


REFUSED = {
    "missing": (pd.Series([1.0, None]), {}, "missing values in row 2"),
    "policy": (pd.Series(["a", None]), {"missing": "mean"}, "needs numbers"),
    "infinite": (pd.Series([1.0, np.inf]), {}, "infinite values in row 2"),
    "all missing": (pd.Series([None, None], dtype=object), {}, "every value is missing"),
    "all nan": (pd.Series([np.nan, np.nan]), {"missing": "median"}, "every value is missing"),
    "dates": (pd.Series([dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 2)]), {}, "it holds dates"),
    "date text": (pd.Series(["2020-01-01", "31.12.2021"]), {}, "looks like dates"),
    "numbers as text": (
        pd.Series(["1", "2", "x"]),
        {},
        "67% of its values are numbers; the first that is not is 'x'",
    ),
    "identifier": (pd.Series([f"id{k}" for k in range(10_000)]), {}, "10,000 different texts"),
    "not a number": (pd.Series(["a", "1"]), {"types": {"x": "number"}}, "'a' in row 1"),
    "too large": (pd.Series([1.0, -1e101]), {}, "values beyond 1e.100 in row 2"),
    "not a date": (pd.Series(["a", "b"]), {"types": {"x": "date"}}, "the first that is not is .a. in row 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_ambiguous_columns_are_refused(name):
    series, options, words = REFUSED[name]
    with pytest.raises(DataError, match=words) as caught:
        encode(frame_of(pd.DataFrame({"x": series})), ["x"], **options)
    assert "column 'x'" in str(caught.value)
    assert caught.value.remedy


def test_nothing_left_is_refused():
    frame = frame_of(pd.DataFrame({"a": [1.0, None], "b": [None, 1.0]}))
    with pytest.raises(DataError, match="every row has a missing value"):
        encode(frame, ["a", "b"], missing="drop")


def test_declared_types_win():
    frame = frame_of(
        pd.DataFrame({"zip": [8001, 8002, 8001], "day": ["2020-01-01", "2020-01-02", "2020-01-03"]})
    )
    encoded, _ = encode(frame, ["zip", "day"], types={"zip": "category", "day": "date"})
    assert encoded.names == ("zip=8002", "day")
    assert np.diff(encoded.matrix[:, 1]).tolist() == [1.0, 1.0]


def test_numbers_and_categories():
    frame = frame_of(FRAME)
    assert np.isnan(to_numbers(frame, "age", role="outcome")).sum() == 1
    codes, levels = categories(frame, "town", role="treatment")
    assert (codes.tolist(), levels) == ([1, 0, -1, 1], ("Basel", "Bern"))
    with pytest.raises(DataError, match="expected numbers, got text; the first is 'Bern' in row 1"):
        to_numbers(frame, "town", role="outcome")


def test_row_words():
    assert row_words(np.ones(4, dtype=bool)) == "rows 1, 2 and 3 (4 in all)"
    assert row_words(np.array([True])) == "row 1"
