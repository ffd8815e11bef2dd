"""The smoking example has the shares of its source, without rounding."""

from __future__ import annotations

import numpy as np
import polars as pl

from suppose.datasets import dataset_info, load_smoking


def test_shares_are_the_ones_stated() -> None:
    rows = load_smoking()
    counts = rows.groupby(["S", "T", "C"]).size()
    assert counts.tolist() == [50, 10, 1, 2, 10, 5, 2, 20]
    assert counts.index.tolist() == [(s, t, c) for s in (0, 1) for t in (0, 1) for c in (0, 1)]
    assert np.allclose(counts / len(rows), [0.5, 0.1, 0.01, 0.02, 0.1, 0.05, 0.02, 0.2], rtol=0, atol=1e-15)
    assert dataset_info("smoking").intact()
    assert isinstance(load_smoking(frame="polars"), pl.DataFrame)
