from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import DataError
from suppose.discovery import PC, bootstrap_graph


def table() -> np.ndarray:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 300))
    c = 0.3 * a + b + rng.normal(size=300)
    return np.column_stack([a, b, c, 0.2 * c + rng.normal(size=300)])


def test_shares_are_the_same_for_any_number_of_jobs():
    one = bootstrap_graph(table(), PC("fisher-z"), tables=12, seed=4, jobs=1)
    two = bootstrap_graph(table(), PC("fisher-z"), tables=12, seed=4, jobs=2)
    assert np.array_equal(one.kinds, two.kinds)
    assert (one.tables, one.refused) == (12, 0)


def test_shares_add_up_and_mirror():
    shares = bootstrap_graph(table(), PC("fisher-z"), tables=20)
    assert np.allclose(shares.kinds.sum(axis=0), shares.joined)
    assert np.array_equal(shares.joined, shares.joined.T)
    assert np.array_equal(shares.kinds[0], shares.kinds[1].T)
    frame = shares.to_frame()
    assert (frame["joined"].diff().dropna() <= 0).all()
    assert shares.to_svg().startswith("<svg") and "redrawn tables" in str(shares)


def test_no_tables_are_refused():
    with pytest.raises(DataError, match="at least 1 redrawn table, got 0"):
        bootstrap_graph(table(), tables=0)
