"""Whether the memory a study says it needs is what it then takes.

``python -m benchmarks.memory_effects`` runs effect studies on simulated tables, each in a process of its
own, reads the sentence printed before the work starts and the peak in ``answer.json``, and writes
``docs/tables/memory_effects.csv``. Refutations are left out: they repeat the main fit, one at a time.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

TABLE = Path(__file__).parent.parent / "docs" / "tables" / "memory_effects.csv"
COVARIATES = [f"x{j}" for j in range(20)]
RUNS = ((1_000_000, "boosting", "aipw"), (1_000_000, "linear", "aipw"), (1_000_000, "boosting", "plr"),
        (300_000, "boosting", "aipw"), (200_000, "forest", "aipw"))  # fmt: skip


def write_table(path: Path, rows: int) -> None:
    """A confounded table as Parquet: covariates, treatment ``d``, outcome ``y``."""
    import pandas as pd

    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 20))
    d = (rng.random(rows) < 1 / (1 + np.exp(-x[:, 0] - 0.5 * x[:, 1] * (x[:, 2] > 0)))).astype(int)
    y = d * (1 + x[:, 4] / 2) + np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + rng.normal(size=rows)
    pd.DataFrame({**dict(zip(COVARIATES, x.T, strict=True)), "d": d, "y": y}).to_parquet(path)


def measure(folder: Path, rows: int, learner: str, method: str) -> dict[str, Any]:
    """One study: gigabytes said, gigabytes taken."""
    if not (folder / f"{rows}.parquet").exists():
        subprocess.run(
            [sys.executable, "-c", f"from benchmarks.memory_effects import *; "
             f"write_table(Path({str(folder / f'{rows}.parquet')!r}), {rows})"], check=True,
        )  # fmt: skip
    study = folder / "study.toml"
    study.write_text(
        f'question = "effect"\n[data]\nfile = "{rows}.parquet"\n[roles]\ntreatment = "d"\noutcome = "y"\n'
        f'adjust = {json.dumps(COVARIATES)}\n[method]\nname = "{method}"\nlearner = "{learner}"\n'
        "[checks]\nrefute = []\nbenchmarks = []\nheterogeneity = false\n[run]\njobs = 2\n"
    )
    command = [
        sys.executable,
        "-m",
        "suppose.cli",
        "run",
        str(study),
        "--out",
        str(folder / "run"),
        "--overwrite",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr)
    found = re.search(r"about ([0-9.]+) GB", done.stderr)
    said = float(found.group(1)) if found else float("nan")
    timing = json.loads((folder / "run" / "answer.json").read_text())["provenance"]["timing"]
    taken = timing["peak_memory_mb"] / 1000
    return {"rows": rows, "method": method, "learner": learner, "said_gb": said, "taken_gb": round(taken, 2),
            "ratio": round(said / taken, 3), "seconds": round(timing["seconds"])}  # fmt: skip


def main() -> list[dict[str, Any]]:
    """Measure every run and write the table."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for run in RUNS:
            found.append(measure(Path(folder), *run))
            print(json.dumps(found[-1]), flush=True)
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(found[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
    return found


if __name__ == "__main__":
    main()
