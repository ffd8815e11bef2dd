"""How often each test of conditional independence rejects, without and with dependence.

Run ``python -m benchmarks.discovery_calibration [draws]``; writes ``docs/tables/discovery_calibration.csv``. Each draw
is a table of its own of 500 rows. Variables of the set act on both ``x`` and ``y``: linearly for Fisher's z and the
mixed test (``y`` is then cut in two), in curves for the kernel tests and the residual test, through a table for
categories. Without dependence the share of p-values up to .05 must lie in a band round .05; with dependence
``x`` is added to ``y`` with the weight named.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from suppose.core.parallel import parallel_map
from suppose.core.random import generator
from suppose.discovery import GCM, KCI, RCIT, FisherZ, GSquare, MixedLRT

ROWS = 500
SIZES = (0, 1, 3)
WEIGHTS = (0.0, 0.1, 0.2, 0.3)
TABLE = Path(__file__).parent.parent / "docs" / "tables" / "discovery_calibration.csv"


def linear(rng: np.random.Generator, size: int, weight: float) -> np.ndarray:
    """Numbers with linear dependence on the set."""
    z = rng.standard_normal((ROWS, size))
    x = 0.6 * z.sum(axis=1) + rng.standard_normal(ROWS)
    y = 0.6 * z.sum(axis=1) + weight * x + rng.standard_normal(ROWS)
    return np.column_stack([x, y, z])


def curved(rng: np.random.Generator, size: int, weight: float) -> np.ndarray:
    """Numbers with curved dependence on the set."""
    z = rng.standard_normal((ROWS, size))
    x = np.tanh(z).sum(axis=1) + rng.standard_normal(ROWS)
    y = np.cos(z).sum(axis=1) + weight * x + rng.standard_normal(ROWS)
    return np.column_stack([x, y, z])


def half(rng: np.random.Generator, size: int, weight: float) -> np.ndarray:
    """Numbers, ``y`` cut into three levels."""
    table = linear(rng, size, weight)
    noise = rng.logistic(size=ROWS)
    score = 0.6 * table[:, 2:].sum(axis=1) + 2 * weight * table[:, 0] + noise
    table[:, 1] = (score > 0).astype(float)
    return table


def codes(rng: np.random.Generator, size: int, weight: float) -> np.ndarray:
    """Categories: the set of two levels each, ``x`` and ``y`` of three and two."""
    z = rng.integers(0, 2, (ROWS, size))
    x = (rng.random(ROWS) + 0.25 * z.mean(axis=1) if size else rng.random(ROWS)) * 2.39
    x = np.minimum(x, 2).astype(int)
    level = 0.35 + (0.2 * z.mean(axis=1) if size else 0) + weight / 2 * (x - 1)
    return np.column_stack([x, rng.random(ROWS) < level, z]).astype(int)


TESTS: dict[str, tuple[Callable[[np.ndarray], Any], Callable[..., np.ndarray]]] = {
    "FisherZ": (FisherZ, linear),
    "GSquare": (GSquare, codes),
    "MixedLRT": (lambda X: MixedLRT(X, categories=["x1"]), half),
    "GCM": (lambda X: GCM(X, categories=[]), curved),
    "RCIT": (RCIT, curved),
    "KCI": (KCI, curved),
}


def p_values(name: str, size: int, weight: float, first: int, last: int) -> list[float]:
    """p-values of draws ``first`` to ``last``."""
    make, law = TESTS[name]
    given = tuple(range(2, 2 + size))
    found = []
    for draw in range(first, last):
        table = law(generator(11, name, size, str(weight), draw), size, weight)
        found.append(make(table).one(0, 1, given).p_value)
    return found


def main(draws: int = 2000, names: tuple[str, ...] = tuple(TESTS)) -> list[dict[str, Any]]:
    """All rates; power with a quarter of the draws."""
    rows = []
    for name in names:
        for size in SIZES:
            for weight in WEIGHTS:
                many = draws if weight == 0 else draws // 4
                step = max(many // 20, 1)
                tasks = [(name, size, weight, a, min(a + step, many)) for a in range(0, many, step)]
                p = np.array([v for part in parallel_map(p_values, tasks) for v in part])
                rate = float((p <= 0.05).mean())
                rows.append(
                    {"test": name, "set": size, "weight": weight, "draws": many, "rejected": round(rate, 4)}
                )
                print(rows[-1], flush=True)
    return rows


def write(rows: list[dict[str, Any]]) -> None:
    """The table of the site: one row per test and size, a column per weight."""
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["test", "held fixed", *(f"weight {w:g}" for w in WEIGHTS), "draws"])
        for name in dict.fromkeys(row["test"] for row in rows):
            for size in SIZES:
                part = [row for row in rows if row["test"] == name and row["set"] == size]
                shares = [f"{100 * row['rejected']:.1f} %" for row in part]
                writer.writerow([name, size, *shares, f"{part[0]['draws']} and {part[-1]['draws']}"])


if __name__ == "__main__":
    write(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
