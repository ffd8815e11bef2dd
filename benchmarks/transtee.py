"""What TransTEE keeps of its promises: doses, ranges, surfaces, balance, intervals, and the cost of members.

Run ``python -m benchmarks.transtee [part ...]`` (about an hour on one core for all parts): each part writes
its rows into ``docs/tables/transtee.csv`` and leaves those of the others. Parts: ``dose`` (5 splits of IHDP with a
dose, with baselines), ``range`` (doses beyond those learned from), ``binary`` (10 replications of surface B),
``balance`` (3 splits with and without adversarial balance), ``coverage`` (intervals of the average effect and
of the dose-response on 20 to 40 simulated tables), ``graphs`` and ``arms`` (the other kinds of treatment), ``members``
(time of ten members against one, paired).
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from suppose.core.parallel import parallel_map
from suppose.datasets import (
    make_confounded,
    make_dosage,
    make_dose_response,
    make_graph_treatments,
    make_ihdp_dose,
)
from suppose.effects.neural import NeuralBaseline, TransTEE
from suppose.effects.neural.balance import probe_r2
from suppose.effects.neural.metrics import amse, dosage_errors, treatment_pehe
from suppose.reproductions.transtee import BASELINES, binary_errors, dose_errors

TABLE = Path(__file__).parent.parent / "docs" / "tables" / "transtee.csv"
HEAD = ("part", "setting", "method", "measure", "mean", "sd", "runs")
EPOCHS = 300
DRAWS = 40
Row = tuple[str, str, str, str, float, float, int]


def row(part: str, setting: str, method: str, measure: str, values: Any) -> Row:
    """One line of the table: mean and standard deviation over runs."""
    found = np.asarray(values, dtype=float)
    sd = float(found.std(ddof=1)) if len(found) > 1 else float("nan")
    return part, setting, method, measure, float(found.mean()), sd, len(found)


def dose() -> list[Row]:
    """Five splits of IHDP with a dose, h = 1."""
    errors = parallel_map(dose_errors, [(split, 1.0, 1.0, EPOCHS) for split in range(5)])
    names = ("transtee", *BASELINES)
    rows = [row("dose", "ihdp h=1", name, "amse", [e["amse"][name] for e in errors]) for name in names]
    return rows + [row("dose", "ihdp h=1", n, "parameters", [errors[0]["parameters"][n]]) for n in names]


def range_() -> list[Row]:
    """Five splits learned from doses above 0.25 and tested from 0."""
    errors = parallel_map(dose_errors, [(split, 1.75, 2.0, EPOCHS) for split in range(5)])
    return [
        row("range", "ihdp h=1.75 to 2", name, measure, [e[key][name] for e in errors])
        for name in ("transtee", *BASELINES)
        for key, measure in (("unseen", "amse, unseen doses"), ("amse", "amse"))
    ]


def binary() -> list[Row]:
    """Ten replications of surface B."""
    errors = parallel_map(binary_errors, [(split, EPOCHS) for split in range(10)])
    return [
        row("binary", "ihdp B", name, measure, [e[name][measure] for e in errors])
        for name in errors[0]
        for measure in ("ate_error", "pehe_in", "pehe_out")
    ]


def balance() -> list[Row]:
    """Three splits of IHDP with a dose: what a fresh probe reads of the dose, and AMSE."""
    rows = []
    for kind in (None, "tr", "ptr"):
        found = parallel_map(balance_errors, [(kind, split) for split in range(3)])
        rows += [
            row("balance", "ihdp h=1", str(kind), key, [f[key] for f in found])
            for key in ("probe_r2", "forest_probe_r2", "amse")
        ]
    return rows


def balance_errors(kind: str | None, split: int, weight: float = 0.1) -> dict[str, float]:
    """Probe R2 on the test rows' representations, and AMSE, of three networks."""
    world = make_ihdp_dose(seed=split)
    X, y = world.part("train")
    model = TransTEE(
        world.treatment, epochs=EPOCHS, members=3, interval="ensemble", validation=0.0, patience=None,
        balance=kind, balance_weight=weight, seed=split, allow_extrapolation=True,
    ).fit(X, y)  # fmt: skip
    test, _ = world.part("test")
    doses = test[world.treatment].to_numpy()
    curve = model.dose_response(test, np.sort(doses)).estimate
    truth = world.dose_response(np.sort(doses), rows=~world.train)
    return {
        "probe_r2": float(np.mean([probe_r2(z, doses) for z in model.representation(test)])),
        "forest_probe_r2": probe_r2(model.representation(test)[0], doses, probe="forest"),
        "amse": amse(curve, truth),
    }


def coverage() -> list[Row]:
    """How often 95% intervals of members hold the truth, on simulated tables."""
    rows = []
    for interval, draws in (("bootstrap", DRAWS), ("ensemble", DRAWS // 2)):
        found = parallel_map(effect_interval, [(interval, seed) for seed in range(draws)])
        setting = "make_confounded, n = 300"
        rows += [
            row("coverage", setting, interval, measure, [f[k] for f in found])
            for k, measure in enumerate(("ATE covered", "width", "error"))
        ]
        curves = parallel_map(curve_interval, [(interval, seed) for seed in range(DRAWS // 2)])
        rows += [
            row("coverage", "make_dose_response, n = 300", interval, measure, [f[k] for f in curves])
            for k, measure in enumerate(("share of the curve covered", "mean width"))
        ]
    return rows


def effect_interval(interval: str, seed: int) -> tuple[float, float, float]:
    """Whether the interval of the average effect holds the truth, its width, and the error."""
    table = make_confounded(300, 4, effect=1.0, form="nonlinear", heterogeneous=True, seed=seed)
    model = TransTEE("d", epochs=80, patience=30, members=8, learning_rate=0.01, interval=interval, seed=seed)
    effect = model.fit(table.X, table.y).effect_
    truth = table.truth["ATE"]
    return float(effect.low <= truth <= effect.high), effect.high - effect.low, effect.estimate - truth


def curve_interval(interval: str, seed: int) -> tuple[float, float]:
    """Share of the doses at which the band of the dose-response holds the truth, and its mean width."""
    world = make_dose_response(300, 200, seed=seed)
    X, y = world.part("train")
    model = TransTEE(
        "dose", epochs=100, patience=40, members=8, learning_rate=0.01, interval=interval, seed=seed
    ).fit(X, y)
    found = model.dose_response(world.part("test")[0])
    truth = world.dose_response(found.grid, rows=~world.train)
    inside = (found.low <= truth) & (truth <= found.high)
    return float(inside.mean()), float((found.high - found.low).mean())


def arms() -> list[Row]:
    """Arms with doses: TransTEE beside DRNet and the S-learner."""
    errors = parallel_map(arm_errors, [(seed,) for seed in range(3)])
    return [
        row("arms", "make_dosage", name, key, [e[name][key] for e in errors])
        for name in errors[0]
        for key in ("mise", "dosage-policy", "policy")
    ]


def arm_errors(seed: int) -> dict[str, dict[str, float]]:
    """Errors of three networks on one world of arms with doses."""
    world = make_dosage(1_000, 10, seed=seed)
    X, y = world.part("train")
    shared: dict[str, Any] = {
        "dose": "dose", "epochs": 200, "members": 1, "interval": "ensemble", "patience": 60, "seed": seed,
        "allow_extrapolation": True,
    }  # fmt: skip
    models = {
        "transtee": TransTEE("arm", **shared),
        "drnet": NeuralBaseline("arm", architecture="drnet", **shared),
        "s-learner": NeuralBaseline("arm", architecture="s-learner", **shared),
    }
    return {name: dosage_errors(model.fit(X, y), world) for name, model in models.items()}


def graphs() -> list[Row]:
    """Graphs as treatments: TransTEE with graph convolutions beside arms without structure."""
    errors = parallel_map(graph_errors, [(seed,) for seed in range(3)])
    return [
        row("graphs", "make_graph_treatments", name, key, [e[name][key] for e in errors])
        for name in errors[0]
        for key in ("unweighted", "weighted")
    ]


def graph_errors(seed: int) -> dict[str, dict[str, float]]:
    """PEHE over the six likeliest graphs of each unit, with graphs seen as graphs and as mere numbers."""
    world = make_graph_treatments(600, 40, test=200, nodes=(10, 40), seed=seed)
    X, y = world.part("train")
    test, _ = world.part("test")
    rows = ~world.train
    every = np.arange(40.0)
    truth = world.potential(every, rows=rows)
    shared: dict[str, Any] = {
        "epochs": 150, "members": 1, "interval": "ensemble", "patience": 40, "seed": seed,
    }  # fmt: skip
    model = TransTEE("graph", graphs=world.graphs, **shared).fit(X, y)
    guess = model.curves(test, every)
    plain = np.zeros_like(truth)
    propensity = world.oracle["propensity"][rows]
    return {
        "transtee": treatment_pehe(guess, truth, propensity),
        "no effect": treatment_pehe(plain, truth, propensity),
    }


def members() -> list[Row]:
    """Seconds of one, five and ten members, three pairs in turn."""
    world = make_ihdp_dose(seed=0)
    X, y = world.part("train")
    seconds: dict[int, list[float]] = {1: [], 5: [], 10: []}
    for _ in range(3):
        for count, times in seconds.items():
            start = time.process_time()
            TransTEE("dose", epochs=30, members=count, interval="ensemble", patience=None).fit(X, y)
            times.append(time.process_time() - start)
    return [
        row("members", "ihdp h=1, 30 epochs", f"{count} members", "seconds over those of one",
            np.array(times) / np.array(seconds[1]))
        for count, times in seconds.items()
    ]  # fmt: skip


PARTS: dict[str, Callable[[], list[Row]]] = {
    "dose": dose, "range": range_, "binary": binary, "balance": balance, "coverage": coverage, "arms": arms,
    "graphs": graphs, "members": members,
}  # fmt: skip


def main(names: list[str]) -> None:
    """Measure the parts and write their rows."""
    for name in names or list(PARTS):
        found = PARTS[name]()
        kept = []
        if TABLE.exists():
            with TABLE.open(newline="", encoding="utf-8") as file:
                kept = [tuple(line) for line in csv.reader(file)][1:]
        kept = [line for line in kept if line[0] != name]
        kept += [(*line[:4], f"{line[4]:.4g}", f"{line[5]:.3g}", str(line[6])) for line in found]
        order = list(PARTS)
        kept.sort(key=lambda line: order.index(line[0]))
        TABLE.parent.mkdir(parents=True, exist_ok=True)
        with TABLE.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEAD)
            writer.writerows(kept)
        print(f"{name}: {len(found)} rows")


if __name__ == "__main__":
    main(sys.argv[1:])
