"""Every test rejects as often as it says where there is nothing, and more where there is something."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from suppose.core.random import generator
from suppose.discovery import GCM, KCI, RCIT, FisherZ, GSquare, MixedLRT

TABLE = Path(__file__).resolve().parents[2] / "docs" / "tables" / "discovery_calibration.csv"
TESTS = {
    "fisher-z": FisherZ,
    "mixed": lambda X: MixedLRT(X, categories=["x1"]),
    "gcm": lambda X: GCM(X, categories=[]),
    "rcit": RCIT,
    "kci": KCI,
    "g2": GSquare,
}


def draw(name: str, k: int, weight: float, rows: int = 200) -> np.ndarray:
    rng = generator(3, name, k)
    z = rng.normal(size=rows)
    x = 0.6 * z + rng.normal(size=rows)
    y = 0.6 * z + weight * x + rng.normal(size=rows)
    if name == "mixed":
        y = (0.6 * z + weight * x + rng.logistic(size=rows) > 0).astype(float)
    if name == "g2":
        z, x = (z > 0).astype(int), (x > 0).astype(int)
        y = (rng.random(rows) < 0.3 + 0.2 * z + 0.4 * weight * x).astype(int)
    return np.column_stack([x, y, z])


def rate(name: str, draws: int, weight: float) -> float:
    p = [TESTS[name](draw(name, k, weight)).one(0, 1, (2,)).p_value for k in range(draws)]
    return float((np.array(p) <= 0.05).mean())


@pytest.mark.parametrize("name", TESTS)
def test_a_test_rejects_as_often_as_it_says(name):
    draws = 60 if name == "kci" else 200
    assert rate(name, draws, 0.0) <= 0.07 + 3 * np.sqrt(0.05 * 0.95 / draws)
    assert rate(name, 20, 0.8) >= 0.8


def measured(kci: bool) -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if (row["test"] == "KCI") == kci]


def check_band(rows: list[dict[str, str]]) -> None:
    for row in rows:
        highest = 9.0 if row["test"] == "KCI" and row["held fixed"] == "3" else 7.0
        assert 3.0 <= float(row["weight 0"].removesuffix(" %")) <= highest, row


def test_the_measured_table_lies_in_its_band():
    assert {row["test"] for row in measured(False)} == {"FisherZ", "GSquare", "MixedLRT", "GCM", "RCIT"}
    check_band(measured(False))


@pytest.mark.xfail(
    strict=True, reason="KCI with fixed widths rejects 7.1 % given one and 10.8 % given three variables"
)
def test_the_kernel_test_lies_in_its_band():
    check_band(measured(True))
