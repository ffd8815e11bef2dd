from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from suppose.core.errors import DataError
from suppose.discovery.categorical import GSquare
from suppose.discovery.independence import g_test

REFERENCES = json.loads((Path(__file__).parent / "references.json").read_text(encoding="utf-8"))
QUESTIONS = [(0, 1, ()), (0, 1, (2,)), (0, 3, (1, 2)), (1, 4, (0, 2, 3))]


def codes() -> np.ndarray:
    """The table of scripts/make_discovery_references.py."""
    rng = np.random.default_rng(21)
    z = rng.integers(0, 2, 2000)
    columns = [
        (z + rng.integers(0, 2, 2000)) % 3 if c % 2 else z ^ (rng.random(2000) < 0.3) for c in range(5)
    ]
    return np.column_stack(columns).astype(int)


@pytest.mark.parametrize(("statistic", "key"), [("g", "gsq"), ("chi2", "chisq")])
def test_p_values_are_those_of_causal_learn(statistic, key):
    test = GSquare(codes(), statistic=statistic)
    for question, expected in zip(QUESTIONS, REFERENCES[key], strict=True):
        assert test.one(*question).p_value == pytest.approx(expected, abs=1e-8, rel=1e-6)


@pytest.mark.parametrize(("statistic", "power"), [("g", "log-likelihood"), ("chi2", "pearson")])
def test_p_values_are_those_of_scipy(statistic, power):
    X = codes()
    counts = np.zeros((2, 3))
    np.add.at(counts, (X[:, 0], X[:, 1]), 1)
    expected = stats.chi2_contingency(counts, correction=False, lambda_=power)
    found = GSquare(X, statistic=statistic).one(0, 1)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-10)
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-8)


def test_strata_numbered_anew_give_the_test_of_the_room():
    rng = np.random.default_rng(3)
    X = rng.integers(0, 4, (3000, 6))
    test = GSquare(X, rows_per_degree=0)
    stat, degrees, _ = test.statistics(np.array([0]), np.array([1]), np.array([[2, 3, 4, 5]]))
    other = g_test(X[:, 0], X[:, 1], [X[:, c] for c in (2, 3, 4, 5)])
    assert stat[0] == pytest.approx(other.statistic, rel=1e-9)
    assert degrees[0] == other.degrees


def test_thin_tables_are_not_tested():
    X = np.random.default_rng(3).integers(0, 4, (300, 4))
    assert np.isnan(GSquare(X).one(0, 1, (2, 3)).p_value)
    assert "not tested" in str(GSquare(X).one(0, 1, (2, 3)))


def test_missing_test_wise_leaves_rows_out():
    X = codes().astype(float)
    X[:100, 2] = np.nan
    test = GSquare(X, missing="test-wise")
    assert (test.one(0, 1).n, test.one(0, 1, (2,)).n) == (2000, 1900)
    assert test.one(0, 1, (2,)).p_value == pytest.approx(GSquare(X[100:]).one(0, 1, (2,)).p_value)
    with pytest.raises(DataError, match="column 'x2': missing values"):
        GSquare(X)


def test_columns_that_are_no_categories_are_refused_by_name():
    X = np.column_stack([np.arange(80) % 2, np.arange(80)])
    with pytest.raises(DataError, match="column 'x1': 80 different values, more than 50"):
        GSquare(X)
    with pytest.raises(DataError, match="column 'x0': the column holds one value only"):
        GSquare(np.zeros((80, 2)))
    with pytest.raises(DataError, match="expected one of g, chi2, got 'fisher'"):
        GSquare(codes(), statistic="fisher")
