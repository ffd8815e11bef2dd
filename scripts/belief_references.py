"""Filters of pyhgf, the reference numbers of ``tests/worlds/beliefs``.

Run with an interpreter that has pyhgf 0.2.12: ``python scripts/belief_references.py``. Two simulated sequences go
through pyhgf in double precision under each rule it has; the sequences, total surprises, last beliefs and some
intermediate ones are written beside the tests.
"""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)
from pyhgf.model import HGF  # noqa: E402 (after the switch to double precision)

TESTS = Path(__file__).resolve().parent.parent / "tests/worlds/beliefs"
RULES = {"standard": "standard", "ehgf": "eHGF", "unbounded": "unbounded"}
STEPS = 200


def sequences() -> dict[str, np.ndarray]:
    """A walk whose steps grow in the middle, and a reversing coin."""
    rng = np.random.default_rng(8)
    scale = np.where((np.arange(STEPS) > 80) & (np.arange(STEPS) < 130), 0.12, 0.03)
    walk = np.cumsum(scale * rng.normal(size=STEPS)) + 0.02 * rng.normal(size=STEPS)
    coin = (rng.random(STEPS) < np.where((np.arange(STEPS) // 40) % 2, 0.2, 0.8)).astype(float)
    return {"continuous": np.round(walk, 6), "binary": coin}


def run(kind: str, levels: int, rule: str, u: np.ndarray) -> dict[str, Any]:
    """Total surprise and beliefs; ``levels`` counts hidden nodes."""
    count = levels if kind == "continuous" else levels + 1
    names = [str(k) for k in range(1, count + 1)]
    start = dict.fromkeys(names, 0.0)
    settings: dict[str, Any] = {
        "initial_mean": start, "initial_precision": dict.fromkeys(names, 1.0),
        "tonic_volatility": {name: -6.0 if name == "1" and kind == "continuous" else -3.0 for name in names},
        "volatility_coupling": dict.fromkeys(names[:-1], 1.0),
    }  # fmt: skip
    if kind == "continuous":
        settings["continuous_precision"] = 1e3
    model = HGF(n_levels=count, model_type=kind, update_type=RULES[rule], **settings)
    model.input_data(input_data=u)
    total = float(np.sum(model.surprise()))
    row: dict[str, Any] = {"kind": kind, "levels": levels, "update": rule, "surprise": None}
    if np.isfinite(total):
        row["surprise"] = total
        for what in ("mean", "precision"):
            paths = [np.asarray(model.node_trajectories[k][what]) for k in range(1, levels + 1)]
            row[what] = [path[[0, 99, -1]].tolist() for path in paths]
    return row


def main() -> None:
    """Write the numbers."""
    data = sequences()
    runs = [
        run(kind, levels, rule, data[kind])
        for kind, most in (("continuous", 3), ("binary", 2))
        for levels in range(2 if kind == "continuous" else 1, most + 1)
        for rule in RULES
    ]
    content = {"pyhgf": metadata.version("pyhgf"), **{k: v.tolist() for k, v in data.items()}, "runs": runs}
    TESTS.mkdir(parents=True, exist_ok=True)
    (TESTS / "pyhgf.json").write_text(json.dumps(content) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
