"""What is claimed of IV-like regression: population formulas, worlds, coverage, digits, and a race of the algebra.

Run ``python -m benchmarks.augmentation PART`` with one of ``worlds``, ``population``, ``coverage``, ``digits``,
``peers``. The part ``peers`` compares two-stage least squares with ``linearmodels`` (IV2SLS) on the same
augmented rows, where it is installed, and the closed form of IVL with the n x n projection of the paper's
code, which is anchor regression with the parameters as anchors; times are the best of interleaved runs on one core.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from suppose.core.parallel import parallel_map
from suppose.core.random import generator, integer_seed
from suppose.datasets import make_linear_sem
from suppose.effects.augmentation import IVLRegressor, NullTranslation, population_coefficients
from suppose.effects.augmentation.regressor import bootstrap_coefficients
from suppose.effects.augmentation.risks import da_erm, erm, ivl, two_stage_least_squares
from suppose.reproductions.ivl_augmentation import digit_errors, linear_errors, optical_errors


def population_gaps(n: int = 200_000, d: int = 5, seed: int = 3) -> dict[str, float]:
    """Largest difference of each estimator from its closed form, over coefficients."""
    world = make_linear_sem(n, d, seed=seed)
    augment = NullTranslation.ignoring(world.f)
    GX, G = augment(world.X, generator(seed, "augmentation"))
    found = {"ERM": (erm(world.X, world.y), None), "DA+ERM": (da_erm(GX, world.y), np.inf)}
    for alpha in (1.0, 0.1, 0.01):
        found[f"IVL, alpha {alpha:g}"] = (ivl(GX, world.y, G, alpha), alpha)
    return {
        name: float(np.abs(h - population_coefficients(
            world.f, world.covariance, world.confounding, augment.basis, alpha=alpha)).max())
        for name, (h, alpha) in found.items()
    }  # fmt: skip


def coverage(runs: int = 300, n: int = 400, d: int = 4, draws: int = 100, jobs: int = -1) -> dict[str, float]:
    """Share of 95% bootstrap intervals that hold the limit of the estimator, and those that hold the effect."""
    tasks = [(integer_seed(11, "coverage", run), n, d, draws) for run in range(runs)]
    hits = np.concatenate(parallel_map(_covered, tasks, jobs=jobs, label="coverage"))
    return {
        "limit of the estimator": float(hits[:, 0].mean()),
        "effect": float(hits[:, 1].mean()),
        "runs": runs,
    }


def _covered(seed: int, n: int, d: int, draws: int) -> np.ndarray:
    world = make_linear_sem(n, d, noise=1.0, seed=5)  # one model
    rng = generator(seed, "rows")
    rows = make_linear_sem(20_000, d, noise=1.0, seed=5)
    chosen = rng.choice(20_000, n, replace=False)
    augment = NullTranslation.ignoring(world.f)
    model = IVLRegressor(augment, alpha=0.1, seed=seed)
    found = bootstrap_coefficients(model, rows.X[chosen], rows.y[chosen], draws=draws, seed=seed)["chosen"]
    low, high = np.quantile(found, [0.025, 0.975], axis=0)
    limit = population_coefficients(world.f, world.covariance, world.confounding, augment.basis, alpha=0.1)
    return np.stack([(low <= limit) & (limit <= high), (low <= world.f) & (world.f <= high)], axis=1)


def peers(n: int = 2048, d: int = 8) -> dict[str, Any]:
    """Times and largest differences against IV2SLS and against the n x n projection, at the same work."""
    world = make_linear_sem(n, d, seed=1)
    rng = generator(1, "noise")
    G = rng.standard_normal((n, d))
    GX = world.X + G
    found: dict[str, Any] = {}

    def projected() -> np.ndarray:
        pi = G @ np.linalg.pinv(G.T @ G) @ G.T
        weight = (np.sqrt(1.1) - np.sqrt(0.1)) * pi + np.sqrt(0.1) * np.eye(n)
        return np.linalg.lstsq(weight @ GX, weight @ world.y, rcond=None)[0]

    ours, theirs, ratio = _race(lambda: ivl(GX, world.y, G, 0.1), projected)
    found["closed form / n x n projection"] = {
        "difference": float(np.abs(ours - theirs).max()),
        "time ratio": ratio,
    }
    try:
        from linearmodels.iv import IV2SLS
    except ImportError:
        return found

    def iv2sls() -> np.ndarray:
        return np.asarray(IV2SLS(world.y, None, GX, G).fit(cov_type="unadjusted").params)

    ours, theirs, ratio = _race(lambda: two_stage_least_squares(GX, world.y, G), iv2sls)
    found["2SLS / linearmodels IV2SLS"] = {
        "difference": float(np.abs(ours - theirs).max()),
        "time ratio": ratio,
    }
    return found


def _race(
    ours: Callable[[], np.ndarray], theirs: Callable[[], np.ndarray], repeats: int = 7
) -> tuple[np.ndarray, np.ndarray, float]:
    best = [np.inf, np.inf]
    for _ in range(repeats):
        for index, call in enumerate((ours, theirs)):
            start = time.perf_counter()
            call()
            best[index] = min(best[index], time.perf_counter() - start)
    return ours(), theirs(), best[0] / best[1]


def digits(seeds: int = 10) -> dict[str, dict[str, Any]]:
    """Coloured digits under the paper's settings of the training, under ours, and with changes drawn anew."""
    ways: dict[str, dict[str, Any]] = {"ERM": {"objective": "erm"}, "DA+ERM": {"objective": "da-erm"}}
    for moment, alpha in (("residual", 0.1), ("residual", 0.3), ("loss", 0.1)):
        ways[f"IVL, {moment}, alpha {alpha:g}"] = {"objective": "ivl", "moment": moment, "alpha": alpha}
    anew = {name: {**options, "redraw": True} for name, options in ways.items()}
    return {
        title: digit_errors(seeds, chosen, epochs=epochs, learning_rate=rate, jobs=-1)
        for title, chosen, epochs, rate in (
            ("16 epochs, rate 0.01", ways, 16, 1e-2),
            ("40 epochs, rate 0.001", ways, 40, 1e-3),
            ("40 epochs, rate 0.001, drawn anew in every epoch", anew, 40, 1e-3),
        )
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["worlds", "population", "coverage", "digits", "peers"])
    part = parser.parse_args().part
    start = time.perf_counter()
    if part == "worlds":
        for title, errors in (
            ("linear", linear_errors()), ("kappa 0", linear_errors(kappa=0.0)), ("optical", optical_errors()),
        ):  # fmt: skip
            print(title, {name: f"{values.mean():.4f} ({values.std(ddof=1) / len(values) ** 0.5:.4f})"
                          for name, values in errors.items()}, f"{time.perf_counter() - start:.1f} s")  # fmt: skip
    elif part == "digits":
        for title, errors in digits().items():
            print(title)
            for name, values in errors.items():
                spread = values.std(axis=0, ddof=1) / len(values) ** 0.5
                print(f"  {name:26} wrong {values[:, 0].mean():.3f} ({spread[0]:.3f})  "
                      f"squared {values[:, 1].mean():.3f} ({spread[1]:.3f})")  # fmt: skip
    else:
        print({"population": population_gaps, "coverage": coverage, "peers": peers}[part]())
    print(f"{time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
