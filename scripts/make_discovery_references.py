"""Reference numbers for the discovery room, from causal-learn and the cells of Sachs et al. (2005).

Run with a Python that has causal-learn: ``python scripts/make_discovery_references.py cells.csv``; ``cells.csv`` is
the table ``cyto_full_data.csv`` of the package cdt (7,466 cells, 11 proteins). Writes
``tests/discovery/references.json``: p-values of causal-learn on tables made below, and the correlations of the
logarithms of the cells (the cells themselves are not kept).
"""

from __future__ import annotations

import csv
import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from causallearn.utils.cit import CIT

TARGET = Path(__file__).resolve().parents[1] / "tests" / "discovery" / "references.json"
QUESTIONS = [(0, 1, []), (0, 1, [2]), (0, 3, [1, 2]), (1, 4, [0, 2, 3])]


def numbers() -> np.ndarray:
    """Numbers with linear dependence, 300 rows."""
    rng = np.random.default_rng(20)
    X = rng.standard_normal((300, 5))
    return X + 0.5 * np.roll(X, 1, axis=1)


def codes() -> np.ndarray:
    """Categories of two and three levels, 2,000 rows."""
    rng = np.random.default_rng(21)
    z = rng.integers(0, 2, 2000)
    return np.column_stack([(z + rng.integers(0, 2, 2000)) % 3 if c % 2 else z ^ (rng.random(2000) < 0.3)
                            for c in range(5)]).astype(int)  # fmt: skip


def main(cells: str) -> None:
    """Write the references."""
    out: dict[str, object] = {"causal-learn": version("causal-learn")}
    for name, table in (("fisherz", numbers()), ("gsq", codes()), ("chisq", codes())):
        test = CIT(table, name)
        out[name] = [float(test(i, j, s)) for i, j, s in QUESTIONS]
    with Path(cells).open(encoding="utf-8") as file:
        head, *rows = list(csv.reader(file))
    values = np.log(np.array(rows, dtype=float))
    out["sachs"] = {"names": head, "rows": len(values), "correlation": np.corrcoef(values.T).tolist()}
    TARGET.write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
