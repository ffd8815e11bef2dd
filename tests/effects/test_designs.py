"""Roles and tables: every kind of input, and every refusal by its words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from suppose.core.errors import DataError
from suppose.effects.designs import Design, code_treatment, read_material, treatment_kind

TABLE = pd.DataFrame(
    {"treat": [0, 1, 0, 1], "age": [30.0, 41.0, 22.0, 35.0], "black": [True, False, True, True],
     "site": ["a", "b", "a", "b"], "pay": [1.0, 2.0, 3.0, 4.0]}
)  # fmt: skip
DESIGN = Design("treat", covariates=["black", "age"], cluster="site")


@pytest.mark.parametrize("convert", [lambda f: f, pl.from_pandas, pa.Table.from_pandas])
def test_every_frame_gives_the_same_arrays(convert: Any) -> None:
    material = read_material(convert(TABLE), DESIGN)
    assert material.covariates.tolist() == [[1, 30], [0, 41], [1, 22], [1, 35]]
    assert material.covariates.flags.c_contiguous
    assert material.treatment.tolist() == [0, 1, 0, 1]
    assert material.clusters is not None
    assert material.clusters.tolist() == [0, 1, 0, 1]
    assert material.covariate_names == ("black", "age")


def test_array_columns_are_numbered() -> None:
    material = read_material(np.arange(12.0).reshape(4, 3), Design(-1, cluster=0))
    assert material.treatment.tolist() == [2, 5, 8, 11]
    assert material.covariate_names == (1,)


def test_without_covariates_named_all_other_columns_are_taken() -> None:
    roles = Design("treat", outcome="pay", unit="site").resolve(list(TABLE.columns))
    assert roles.covariates == (1, 2)
    assert (roles.outcome, roles.unit, roles.time) == (4, 3, None)


def test_frames_may_have_integer_names() -> None:
    frame = pd.DataFrame({10: [0.0, 1.0], 0: [5.0, 6.0]})
    assert read_material(frame, Design(10)).covariates.ravel().tolist() == [5, 6]


@pytest.mark.parametrize(
    ("design", "words"),
    [
        (Design("treated"), "treatment 'treated': there is no such column.*Did you mean 'treat'"),
        (Design("treat", covariates=["aeg"]), "covariate 'aeg'.*Did you mean 'age'"),
        (Design("treat", covariates=["treat"]), "column 'treat': it is the treatment and cannot be a cov"),
        (Design("treat", covariates=["age", "age"]), "named twice"),
        (Design("treat", cluster="treat"), "both the treatment and the cluster"),
        (Design("treat", covariates="age"), r"expected a list of columns, got the text 'age'.*\['age'\]"),
        (Design(17), "treatment 17: expected a position from 0 to 4, got 17"),
        (Design("treat", covariates=["site"]), "column 'site': expected numbers, got values of type String"),
    ],
)
def test_bad_designs_are_refused_by_name(design: Design, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_material(pl.from_pandas(TABLE), design)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("age", np.nan, "column 'age': input contains NaN: 1 of 4 values are missing; first bad rows: 2"),
        ("age", np.inf, "column 'age': input contains infinity: 1 of 4 values.*first bad rows: 2"),
        ("treat", np.nan, "column 'treat': input contains NaN"),
        ("site", None, "cluster column: input contains NaN; first bad rows: 2"),
    ],
)
def test_missing_and_infinite_values_are_refused(column: str, value: Any, words: str) -> None:
    table = TABLE.astype({"treat": float})
    table.loc[2, column] = value
    with pytest.raises(DataError, match=words):
        read_material(table, DESIGN)


def test_columns_without_a_part_may_hold_anything() -> None:
    table = TABLE.assign(note=["x", None, "y", "z"])
    assert read_material(table, DESIGN).covariates.shape == (4, 2)


def test_nulls_in_polars_and_arrow_are_refused() -> None:
    frame = pl.DataFrame({"treat": [0, 1, 1], "age": [1, None, 3]})
    for table in (frame, frame.to_arrow()):
        with pytest.raises(DataError, match="column 'age': input contains NaN.*first bad rows: 1"):
            read_material(table, Design("treat"))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (np.zeros(3), "Reshape your data"),
        (np.zeros((0, 2)), "0 sample"),
        (np.array([[1j, 0]]), "Complex data not supported"),
        (np.array([["a", "b"]]), "could not convert string to float|dtype"),
        (pd.DataFrame(np.zeros((2, 2)), columns=["a", "a"]), "a"),
        (np.array([[0.0, np.nan], [1.0, 1.0]]), "column 1: input contains NaN"),
    ],
)
def test_bad_tables_are_refused(table: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_material(table, Design(0))


def test_one_cluster_is_refused() -> None:
    with pytest.raises(DataError, match="same cluster"):
        read_material(TABLE.assign(site="a"), DESIGN)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 1, 1, 0], "binary"),
        ([1, 2, 2, 1], "binary"),
        ([0.5, 1.5, 1.5, 0.5], "binary"),
        ([0, 1, 2, 1], "multi-valued"),
        ([0.0, 0.5, 1.0] * 10, "multi-valued"),
        ([0.0, 0.5, 1.0], "continuous"),
        (list(range(21)), "continuous"),
    ],
)
def test_kind_of_treatment(values: list[float], kind: str) -> None:
    assert treatment_kind(np.array(values, dtype=float)) == kind


def test_constant_treatment_is_refused() -> None:
    with pytest.raises(DataError, match="constant-treatment|got one class: all 3 rows"):
        treatment_kind(np.ones(3))


def test_codes_put_the_reference_first() -> None:
    values = np.array([3.0, 1.0, 2.0, 1.0, 2.0, 3.0])
    code = code_treatment(values, reference=2)
    assert code.arms.tolist() == [2, 1, 3]
    assert code.arms[code.index].tolist() == values.tolist()
    assert code.indicator().sum(axis=0).tolist() == [2, 2, 2]


def test_bad_arms_are_refused() -> None:
    with pytest.raises(DataError, match="expected one of 0, 1, got 2.0"):
        code_treatment(np.array([0.0, 1.0, 0.0, 1.0]), reference=2.0)
    with pytest.raises(DataError, match="got 1 with the value 1"):
        code_treatment(np.array([0.0, 0.0, 1.0]))
    with pytest.raises(DataError, match="this is a continuous exposure.*cutoff"):
        code_treatment(np.linspace(0, 1, 30))
