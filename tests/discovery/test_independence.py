"""Tests of independence: equal to scipy's, of the right size, blind to names and order."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from suppose.core.errors import DataError
from suppose.discovery import g_test, holm


def test_one_stratum_is_scipys_test() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 3, 500), rng.integers(0, 4, 500)
    table = np.zeros((3, 4))
    np.add.at(table, (x, y), 1)
    theirs = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    ours = g_test(x, y)
    assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-12)
    assert (ours.degrees, ours.p_value) == (theirs.dof, pytest.approx(theirs.pvalue, rel=1e-9))


def test_strata_add_up() -> None:
    rng = np.random.default_rng(1)
    x, y, z = (rng.integers(0, 3, 900) for _ in range(3))
    parts = [g_test(x[z == k], y[z == k]) for k in range(3)]
    whole = g_test(x, y, [z])
    assert whole.statistic == pytest.approx(sum(part.statistic for part in parts), rel=1e-12)
    assert whole.degrees == sum(part.degrees for part in parts)


def test_empty_rows_and_single_values_do_not_count() -> None:
    x = np.array([0, 0, 5, 5])  # codes 1 to 4 never occur
    assert g_test(x, np.array([0, 1, 0, 1])).degrees == 1
    nothing = g_test(np.zeros(4, dtype=int), np.array([0, 1, 0, 1]))
    assert (nothing.degrees, nothing.p_value, nothing.cells_expected) == (0, 1.0, 0.0)


def test_size_under_independence() -> None:
    draws, rng = 400, np.random.default_rng(2)
    rejected = 0
    for _ in range(draws):
        z = rng.integers(0, 2, 2000)
        x, y = z ^ (rng.random(2000) < 0.3), z ^ (rng.random(2000) < 0.3)
        rejected += g_test(x.astype(int), y.astype(int), [z]).p_value < 0.05
    assert abs(rejected / draws - 0.05) < 4 * np.sqrt(0.05 * 0.95 / draws)


def test_names_and_order_of_rows_change_nothing() -> None:
    rng = np.random.default_rng(3)
    x, y, z, w = (rng.integers(0, 3, 700) for _ in range(4))
    order = rng.permutation(700)
    base = g_test(x, y, [z, w])
    for other in (
        g_test(x[order], y[order], [w[order], z[order]]),
        g_test(2 - x, y, [z, 2 - w]),
        g_test(y, x, [z, w]),
    ):
        assert other.statistic == pytest.approx(base.statistic, rel=1e-10)
        assert other.degrees == base.degrees


def test_holm_against_its_definition() -> None:
    p = np.array([0.01, 0.02, 0.03, 0.5])
    assert holm(p).tolist() == pytest.approx([0.04, 0.06, 0.06, 0.5])
    assert holm(p[::-1]).tolist() == pytest.approx([0.5, 0.06, 0.06, 0.04])
    assert holm(np.array([0.9, 0.9])).tolist() == [1.0, 1.0]
    assert holm(np.array([])).tolist() == []


def test_refusals() -> None:
    codes = np.array([0, 1])
    with pytest.raises(DataError, match="given\\[0\\]: expected 2 rows as in x, got 3"):
        g_test(codes, codes, [np.array([0, 1, 1])])
    with pytest.raises(DataError, match="y: expected codes of categories from 0, got -1"):
        g_test(codes, np.array([0, -1]))
    with pytest.raises(DataError, match="the limit is 2.68e\\+08"):
        g_test(np.array([0, 20_000]), np.array([0, 20_000]))
