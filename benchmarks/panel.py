"""Panels: what the system page claims, measured; and a race against DoubleML's panel class.

``python -m benchmarks.panel`` races; ``python -m benchmarks.panel --statements`` measures the claims of
``docs/systems/panel-dml.rst`` (about ten minutes on two cores); ``--coverage`` the intervals alone. Every
number is printed as one line of JSON. Where other work shares the machine, ``cpu_seconds`` compares better than
``seconds``.
"""

from __future__ import annotations

import argparse
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

from suppose.reproductions.panel_dml import simulate, summary

UNITS, PERIODS, P, FOLDS = 100_000, 10, 10, 5


def bias_of_main_world(draws: int = 20) -> dict[str, Any]:
    """Statements 1 and 4: the separable nonlinear world, unit and row folds."""
    world = {"units": 200, "periods": 10, "p": 5, "rho": 0.7}
    return summary(simulate(world, ("linear FE", "pooled", "CRE", "CRE, row folds"), draws, 1))


def without_correlation(draws: int = 20) -> dict[str, Any]:
    """Statement 2: covariates say nothing about the level."""
    world = {"units": 200, "periods": 10, "p": 5, "rho": 0.0}
    found = simulate(world, ("CRE, means of X only", "CRE"), draws, 2)
    flagged = {name: float(np.mean((v[:, 3] > 0.1) & (v[:, 4] < 0.001))) for name, v in found.items()}
    return {name: row | {"flagged": flagged[name]} for name, row in summary(found).items()}


def coverage(draws: int = 100) -> dict[str, Any]:
    """Statement 3: the linear world with the lasso."""
    world = {"units": 200, "periods": 10, "p": 5, "rho": 0.7, "form": "linear"}
    return summary(simulate(world, ("CRE",), draws, 3, learner="lasso"))


def sample_size(draws: int = 10) -> dict[str, Any]:
    """Statement 5: 100 confounders, 50 and 1,000 units."""
    found = {}
    for units in (50, 1000):
        world = {"units": units, "periods": 10, "p": 100, "rho": 0.7}
        found[f"N = {units}"] = summary(simulate(world, ("CRE",), draws, 5))["CRE"]
    found["ratio"] = found["N = 50"]["rmse"] / found["N = 1000"]["rmse"]
    return found


def extras(draws: int = 20) -> dict[str, Any]:
    """Further worlds: autocorrelated covariates, binary treatment, unbalanced panels, no separability."""
    base = {"units": 200, "periods": 10, "p": 5, "rho": 0.7}
    worlds = {
        "AR(1) 0.7": {"autocorrelation": 0.7}, "binary": {"binary": True}, "20% missing": {"missing": 0.2},
        "not separable": {"separable": False},
    }  # fmt: skip
    return {
        name: summary(simulate(base | more, ("linear FE", "pooled", "CRE"), draws, 6))
        for name, more in worlds.items()
    }


# -- the race --------------------------------------------------------------------------------------


def write_data(path: Path, units: int) -> None:
    """Unit, time, treatment, outcome, covariates and fold of each row."""
    from suppose.datasets import make_panel

    table = make_panel(units=units, periods=PERIODS, p=P, seed=1)
    frame = table.frame
    fold = np.random.default_rng(0).permutation(np.arange(units) % FOLDS)
    frame["fold"] = fold[frame["unit"].to_numpy()]
    frame.to_parquet(path)


def work(contender: str, path: Path) -> dict[str, Any]:
    """Time, peak memory and estimate of one contender in this process; trees of scikit-learn for both."""
    import warnings

    import pandas as pd
    from sklearn.ensemble import HistGradientBoostingRegressor

    warnings.simplefilter("ignore")
    frame = pd.read_parquet(path)
    fold = frame.pop("fold").to_numpy()
    learner = HistGradientBoostingRegressor(max_iter=50, random_state=0, early_stopping=False)
    if contender == "suppose":
        from suppose.effects.panel import PanelDML

        X, y = frame.drop(columns="y"), frame["y"]
        start, busy = time.perf_counter(), time.process_time()
        model = PanelDML(
            "d", "unit", "time", approach="cre_normal", outcome_learner=learner, folds=fold, repeats=1,
            n_jobs=2,
        ).fit(X, y)  # fmt: skip
        found = (model.effect_.estimate, model.effect_.standard_error)
    else:
        import doubleml

        start, busy = time.perf_counter(), time.process_time()
        names = [f"x{k + 1}" for k in range(P)]
        data = doubleml.DoubleMLPanelData(
            frame, y_col="y", d_cols="d", t_col="time", id_col="unit", x_cols=names, static_panel=True
        )
        peer = doubleml.DoubleMLPLPR(
            data, learner, learner, approach="cre_normal", draw_sample_splitting=False
        )
        peer.set_sample_splitting(
            [[(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(FOLDS)]],
            [[([np.unique(frame["unit"][fold != k])], [np.unique(frame["unit"][fold == k])]) for k in range(FOLDS)]],
        )  # fmt: skip
        peer.fit()  # folds one after the other, each learner on both cores
        found = (float(peer.coef[0]), float(peer.se[0]))
    seconds, cpu = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"contender": contender, "estimate": found[0], "standard_error": found[1], "seconds": seconds,
            "cpu_seconds": cpu, "peak_mb": peak}  # fmt: skip


def race(units: int = UNITS) -> list[dict[str, Any]]:
    """Both contenders on the same file, each in a process of its own."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "panel.parquet"
        write_data(path, units)
        for contender in ("suppose", "doubleml"):
            command = [
                sys.executable,
                "-m",
                "benchmarks.panel",
                "--contender",
                contender,
                "--data",
                str(path),
            ]
            threads = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
            done = subprocess.run(
                command, capture_output=True, text=True, env={**os.environ, **threads}, check=False
            )
            if done.returncode != 0:
                lines.append({"contender": contender, "problem": done.stderr.splitlines()[-1:]})
                continue
            lines.append(json.loads(done.stdout.splitlines()[-1]) | {"units": units})
    return lines


def main() -> list[dict[str, Any]]:
    """All races of this room."""
    return race()


STATEMENTS = {
    "1 and 4": bias_of_main_world, "2": without_correlation, "3": coverage, "5": sample_size, "extra": extras,
}  # fmt: skip

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=UNITS)
    parser.add_argument("--statements", action="store_true")
    parser.add_argument("--only", nargs="*", default=list(STATEMENTS))
    parser.add_argument("--contender")
    parser.add_argument("--data", type=Path)
    asked = parser.parse_args()
    if asked.contender:
        print(json.dumps(work(asked.contender, asked.data)))
    elif asked.statements:
        for name in asked.only:
            start = time.perf_counter()
            print(
                json.dumps({name: STATEMENTS[name](), "seconds": round(time.perf_counter() - start)}),
                flush=True,
            )
    else:
        for each in race(asked.units):
            print(json.dumps(each))
