from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from suppose.core.errors import DataError
from suppose.discovery.gaussian import FisherZ, correlations

REFERENCES = json.loads((Path(__file__).parent / "references.json").read_text(encoding="utf-8"))
QUESTIONS = [(0, 1, ()), (0, 1, (2,)), (0, 3, (1, 2)), (1, 4, (0, 2, 3))]


def numbers() -> np.ndarray:
    """The table of scripts/make_discovery_references.py."""
    X = np.random.default_rng(20).standard_normal((300, 5))
    return X + 0.5 * np.roll(X, 1, axis=1)


@pytest.mark.parametrize(("question", "expected"), list(zip(QUESTIONS, REFERENCES["fisherz"], strict=True)))
def test_p_values_are_those_of_causal_learn(question, expected):
    assert FisherZ(numbers()).one(*question).p_value == pytest.approx(expected, abs=1e-8)


def test_a_correlation_is_pearsons_and_its_z_that_of_the_formula():
    X = numbers()
    r, n = stats.pearsonr(X[:, 0], X[:, 3])[0], len(X)
    test = FisherZ(X)
    assert test.correlation[0, 3] == pytest.approx(r, abs=1e-12)
    assert test.one(0, 3).p_value == pytest.approx(
        2 * stats.norm.sf(abs(np.arctanh(r)) * np.sqrt(n - 3)), abs=1e-12
    )


def test_a_partial_correlation_is_that_of_residuals():
    X = numbers()
    z = np.column_stack([np.ones(300), X[:, [1, 2]]])
    left = X - z @ np.linalg.lstsq(z, X, rcond=None)[0]
    r = np.corrcoef(left[:, 0], left[:, 3])[0, 1]
    assert FisherZ(X).one(0, 3, (1, 2)).statistic == pytest.approx(np.arctanh(r) * np.sqrt(300 - 5), abs=1e-9)


def test_rank_correlations_do_not_change_under_monotone_scales():
    X = numbers()
    for kind in ("spearman", "normal-scores"):
        assert np.allclose(correlations(X, kind), correlations(np.exp(X), kind))


def test_equal_weights_are_no_weights_and_whole_weights_are_copies():
    X = numbers()
    assert np.allclose(FisherZ(X, weights=np.full(300, 2.0)).correlation, FisherZ(X).correlation)
    copies = np.repeat([1, 2, 3], 100)
    assert np.allclose(
        FisherZ(X, weights=copies).correlation, FisherZ(np.repeat(X, copies, axis=0)).correlation
    )


def test_missing_values_test_wise_take_the_rows_of_each_pair():
    X = numbers()
    X[:40, 0] = np.nan
    test = FisherZ(X, missing="test-wise")
    assert test.one(1, 2).n == 300
    assert test.one(0, 2).n == test.one(1, 2, (0,)).n == 260
    assert test.correlation[0, 2] == pytest.approx(np.corrcoef(X[40:, [0, 2]].T)[0, 1])


def test_names_of_a_frame_survive():
    frame = pd.DataFrame(numbers(), columns=list("abcde"))
    assert str(FisherZ(frame).one("a", "d", ("b",))).startswith("a and d given b: p = ")


def bad_tables():
    X = numbers()
    nan, same, flat, inf = X.copy(), X.copy(), X.copy(), X.copy()
    nan[2, 1], inf[3, 4] = np.nan, np.inf
    same[:, 3] = 2 * same[:, 0] - 1
    flat[:, 2] = 7.0
    yield nan, {}, r"column 'x1': missing values \(NaN\) in row 3.*missing='test-wise'"
    yield inf, {}, "column 'x4': infinite values"
    yield same, {}, "columns 'x0' and 'x3' say the same"
    yield flat, {}, "column 'x2': the column holds one value only"
    yield np.random.default_rng(0).normal(size=(5, 9)), {}, "9 columns but only 5 rows.*shrink"
    yield X, {"kind": "kendall"}, "expected one of pearson, spearman, normal-scores"
    yield X, {"weights": -np.ones(300)}, "expected 300 weights"
    yield np.array([["a", "b"], ["b", "c"]] * 4), {}, "column 'x0': expected numbers"
    yield X[:3], {}, "at least 4 rows"


@pytest.mark.parametrize(("X", "options", "message"), list(bad_tables()))
def test_bad_tables_are_refused_by_name(X, options, message):
    with pytest.raises(DataError, match=message):
        FisherZ(X, **options)


def test_shrinking_serves_more_columns_than_rows():
    test = FisherZ(np.random.default_rng(0).normal(size=(8, 9)), shrink=0.3)
    assert 0 < test.one(0, 1, (2,)).p_value < 1


@pytest.mark.parametrize(
    ("matrix", "n", "message"),
    [(np.full((2, 2), 2.0), 50, "symmetric matrix"), (np.eye(3), None, "number of rows behind")],
)
def test_bad_correlations_are_refused(matrix, n, message):
    with pytest.raises(DataError, match=message):
        FisherZ(correlation=matrix, n=n)


def test_bad_questions_are_refused():
    test = FisherZ(numbers())
    with pytest.raises(DataError, match="stands twice"):
        test.one(0, 0)
    with pytest.raises(DataError, match="knows no variable 'age'"):
        test.one("age", 0)
