"""Fits of survival models beside lifelines, on the rearrest data as they are and a hundred times over.

Run ``python -m benchmarks.survival``. Each pair is timed alternately in one process, ``REPEATS`` times (fewer for the
large table); the ratio is that of the medians. The log-likelihoods must agree first. On the hundredfold table durations
are spread by up to half a week, so that ties stay as rare as they are. Generalised gamma regression is raced once, on
the small table: lifelines does not converge there.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from suppose.datasets import load_rossi
from suppose.effects import FlexibleSurvival, ProportionalHazards

Row = dict[str, Any]
REPEATS = {1: 9, 100: 3}
TOLERANCE = 1e-3  # relative to rows, in units of log-likelihood


def table(times: int) -> Any:
    """The rearrest data, ``times`` over, with durations spread a little where they are repeated."""
    import pandas as pd

    rossi = load_rossi()
    if times == 1:
        return rossi.astype({"week": float})
    rng = np.random.default_rng(0)
    many = pd.concat([rossi] * times, ignore_index=True).astype({"week": float})
    return many.assign(week=many["week"] - rng.uniform(0, 0.5, len(many)))


def pairs() -> dict[str, tuple[Callable[[Any], float], Callable[[Any], float]]]:
    """Ours and theirs by model, each from a table to its log-likelihood."""
    import lifelines

    def ours(**settings: Any) -> Callable[[Any], float]:
        def fit(data: Any) -> float:
            model = FlexibleSurvival("arrest", **settings)
            return float(model.fit(data.drop(columns="week"), data["week"]).loglik_)

        return fit

    def cox(data: Any) -> float:
        return float(ProportionalHazards("arrest").fit(data.drop(columns="week"), data["week"]).loglik_)

    def theirs(kind: str) -> Callable[[Any], float]:
        return lambda data: float(getattr(lifelines, kind)().fit(data, "week", "arrest").log_likelihood_)

    return {
        "Weibull": (ours(scale="aft", kappa=1), theirs("WeibullAFTFitter")),
        "log-logistic": (ours(scale="aft", kappa=0), theirs("LogLogisticAFTFitter")),
        "four parameters against generalised gamma": (
            ours(scale="aft"),
            theirs("GeneralizedGammaRegressionFitter"),
        ),
        "Cox": (cox, theirs("CoxPHFitter")),
    }


def race(times: int) -> list[Row]:
    """Every pair on one table."""
    data = table(times)
    chosen = {name: both for name, both in pairs().items() if times == 1 or "generalised" not in name}
    return [one_race(name, ours, theirs, data, times) for name, (ours, theirs) in chosen.items()]


def one_race(
    name: str, ours: Callable[[Any], float], theirs: Callable[[Any], float], data: Any, times: int
) -> Row:
    """Alternate the two fits and compare medians."""
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    value: dict[str, float] = {}
    repeats = 1 if "generalised" in name else REPEATS[times]
    note = ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(repeats):
            for side, fit in (("ours", ours), ("theirs", theirs)):
                start = time.perf_counter()
                try:
                    value[side] = fit(data)
                except Exception as error:  # a peer that does not converge is a result
                    note = f"{side}: {type(error).__name__}"
                seconds[side].append(time.perf_counter() - start)
    if len(value) == 2 and "generalised" not in name:
        gap = value["ours"] - value["theirs"]
        note = f"log-likelihood {gap:+.2g} ours less theirs" + (note and f"; {note}")
        if gap < -TOLERANCE:
            raise RuntimeError(f"{name}: ours is worse by {-gap}")
    ours_s, theirs_s = (float(np.median(seconds[side])) for side in ("ours", "theirs"))
    return {
        "name": f"{name}, {len(data):,} rows", "ratio": ours_s / theirs_s, "ours_seconds": ours_s,
        "peer_seconds": theirs_s, "peer": "lifelines", "peer_version": importlib.metadata.version("lifelines"),
        "note": note,
    }  # fmt: skip


def main() -> list[Row]:
    """Race lifelines; nothing without it."""
    if importlib.util.find_spec("lifelines") is None:
        return [{"name": "survival", "peer": "lifelines", "note": "not installed"}]
    return [row for times in REPEATS for row in race(times)]


if __name__ == "__main__":
    for row in main():
        print(row)
