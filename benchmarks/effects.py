"""A million rows and 20 covariates with boosting: time beside DoubleML, peak memory beside EconML.

Run ``python -m benchmarks.effects`` (optionally ``--rows 100000``). Every contender works in a process of
its own on the same file, folds and learners (scikit-learn's histogram gradient boosting, defaults, seed 0),
two cores. Its peak is the resident memory of the process, imports and data included. DoubleML is raced
as it comes (folds one after the other, each learner on both cores) and with ``n_jobs_cv=2``; the faster
counts. Ratios below one mean that suppose is faster or smaller.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROWS, COLUMNS, FOLDS = 1_000_000, 20, 5
Row = dict[str, Any]
CONTENDERS = ("suppose plr", "suppose irm", "doubleml plr", "doubleml irm", "doubleml plr jobs",
              "doubleml irm jobs", "econml plr", "econml plr-x")  # fmt: skip


def write_data(path: Path, rows: int) -> None:
    """Treatment, outcome, covariates and folds, as one float64 file."""
    rng = np.random.default_rng(0)
    table = np.empty((rows, COLUMNS + 3))
    x = table[:, 2 : COLUMNS + 2]
    for start in range(0, rows, 100_000):
        part = x[start : start + 100_000]
        part[:] = rng.normal(size=part.shape)
    index = x[:, 0] + 0.5 * x[:, 1] * (x[:, 2] > 0)
    table[:, 0] = rng.random(rows) < 1 / (1 + np.exp(-index))
    level = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + np.abs(x[:, 3])
    table[:, 1] = table[:, 0] * (1 + x[:, 4] / 2) + level + rng.normal(size=rows)
    table[:, -1] = rng.permutation(np.arange(rows) % FOLDS)
    np.save(path, table)


def load(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Treatment and covariates (n, 1 + 20), outcome, folds."""
    table = np.load(path, mmap_mode="r")
    given = np.empty((len(table), COLUMNS + 1))
    given[:, 0], given[:, 1:] = table[:, 0], table[:, 2 : COLUMNS + 2]
    return given, np.array(table[:, 1]), np.array(table[:, -1], dtype=np.int64)


def learners() -> tuple[Any, Any]:
    """First-stage learners of all contenders: for the outcome and for the treatment."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(random_state=0), HistGradientBoostingClassifier(random_state=0)


def run_suppose(model: str, given: np.ndarray, y: np.ndarray, folds: np.ndarray) -> tuple[float, float]:
    """Estimate and standard error of suppose."""
    from suppose.effects import Interactive, PartiallyLinear

    number, chance = learners()
    if model == "plr":
        ours: Any = PartiallyLinear(
            0, outcome_learner=number, treatment_learner=chance, folds=folds, n_jobs=2
        )
    else:
        ours = Interactive(0, outcome_learner=number, propensity_learner=chance, folds=folds, n_jobs=2)
    effect = ours.fit(given, y).effect_
    return effect.estimate, effect.standard_error


def run_doubleml(
    model: str, given: np.ndarray, y: np.ndarray, folds: np.ndarray, jobs: int | None
) -> tuple[float, float]:
    """Estimate and standard error of DoubleML."""
    import doubleml

    number, chance = learners()
    data = doubleml.DoubleMLData.from_arrays(given[:, 1:], y, given[:, 0])
    kind = doubleml.DoubleMLPLR if model == "plr" else doubleml.DoubleMLIRM
    peer = kind(data, number, chance, draw_sample_splitting=False)
    splits = [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in range(FOLDS)]
    peer.set_sample_splitting([splits])
    peer.fit(n_jobs_cv=jobs)
    return float(peer.coef[0]), float(peer.se[0])


def run_econml(
    given: np.ndarray, y: np.ndarray, folds: np.ndarray, heterogeneous: bool
) -> tuple[float, float]:
    """Average effect and its standard error from EconML's LinearDML.

    Covariates are controls (``W``: a constant effect, as in our partially linear model), or features
    (``X``: its own way, an effect linear in them, averaged afterwards).
    """
    from econml.dml import LinearDML

    number, chance = learners()
    splits = [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in range(FOLDS)]
    peer = LinearDML(model_y=number, model_t=chance, discrete_treatment=True, cv=splits, random_state=0)
    if heterogeneous:
        peer.fit(y, given[:, 0], X=given[:, 1:], W=None)
        mean = peer.ate_inference(given[:, 1:])
        return float(np.ravel(mean.mean_point)[0]), float(np.ravel(mean.stderr_mean)[0])
    peer.fit(y, given[:, 0], X=None, W=given[:, 1:])
    found = peer.effect_inference(None)
    return float(np.ravel(found.point_estimate)[0]), float(np.ravel(found.stderr)[0])


def work(contender: str, path: Path) -> Row:
    """What one contender needs, measured in this process."""
    import warnings

    warnings.simplefilter("ignore")
    package, model, *rest = contender.split()
    importlib.import_module({"suppose": "suppose.effects", "econml": "econml.dml"}.get(package, package))
    given, y, folds = load(path)
    start = time.perf_counter()
    if package == "suppose":
        found = run_suppose(model, given, y, folds)
    elif package == "doubleml":
        found = run_doubleml(model, given, y, folds, 2 if rest else None)
    else:
        found = run_econml(given, y, folds, model == "plr-x")
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "contender": contender,
        "estimate": found[0],
        "standard_error": found[1],
        "seconds": seconds,
        "peak_mb": peak,
    }


def measure(contender: str, path: Path) -> Row | None:
    """Run one contender in a process of its own; None when its package is not installed."""
    if importlib.util.find_spec(contender.split()[0]) is None:
        return None
    command = [sys.executable, "-m", "benchmarks.effects", "--contender", contender, "--data", str(path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{contender} failed:\n{done.stderr}")
    found: Row = json.loads(done.stdout.splitlines()[-1])
    return found


def race(rows: int = ROWS) -> list[Row]:
    """Measure all contenders and compare."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.npy"
        write_data(path, rows)
        found = {contender: measure(contender, path) for contender in CONTENDERS}
    lines = []
    for model in ("plr", "irm"):
        ours = found[f"suppose {model}"]
        assert ours is not None
        peers = [peer for peer in (found[f"doubleml {model}"], found[f"doubleml {model} jobs"]) if peer]
        peer = min(peers, key=lambda one: one["seconds"], default=None)
        size = f"{rows:,} x {COLUMNS}, boosting, {FOLDS} folds, 2 cores"
        lines.append(line(f"time, {model}, {size}", ours, peer, "seconds", "DoubleML"))
        for contender, use in (("econml plr", "controls"), ("econml plr-x", "features")):
            lines.append(
                line(
                    f"memory, {model}, LinearDML's {use}, {size}", ours, found[contender], "peak_mb", "EconML"
                )
            )
    return lines


def line(name: str, ours: Row, peer: Row | None, what: str, package: str) -> Row:
    """One row of the table; ``ratio`` is of seconds or of peak memory, as ``what`` says."""
    note = f"estimate {ours['estimate']:.6f} (standard error {ours['standard_error']:.6f})"
    if peer is not None:
        note += f"; peer {peer['estimate']:.6f} ({peer['standard_error']:.6f}) as '{peer['contender']}'"
    return {
        "name": name, "ours_seconds": ours["seconds"], "peer_seconds": peer and peer["seconds"],
        "ratio": peer and ours[what] / peer[what], "ours_peak_mb": ours["peak_mb"],
        "peer_peak_mb": peer and peer["peak_mb"], "peer": package,
        "peer_version": importlib.metadata.version(package) if peer else "", "note": note,
    }  # fmt: skip


def main() -> list[Row]:
    """All races of this room."""
    return race()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--contender")
    parser.add_argument("--data", type=Path)
    asked = parser.parse_args()
    if asked.contender:
        print(json.dumps(work(asked.contender, asked.data)))
    else:
        for each in race(asked.rows):
            print(json.dumps(each))
