"""Where the maximum of the likelihood is looked for: starts, screening on fewer rows, the best end.

Principal starts are the Weibull fit with kappa moved to 1, 0 and -0.5, and each of them jittered; the best end counts.
On more than 5,000 rows the starts are tried on 5,000 of them, drawn by the seed, and the distinct ends polished on all.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from suppose.core.errors import EstimationError
from suppose.core.random import generator
from suppose.effects.survival.likelihood import Likelihood, Maximum, maximise

__all__ = ["search", "starts_of"]

SCREEN = 5_000  # rows on which starts are tried


def search(likelihood: Likelihood, seed: int) -> Maximum:
    """The best maximum reached from all starts."""
    if not len(likelihood.free):
        raise EstimationError(
            "bad-formulas", "every parameter is fixed, so there is nothing to fit", where="formulas",
            remedy="Free a scale or a shape.",
        )  # fmt: skip
    sample = likelihood
    n = len(likelihood.time)
    if n > SCREEN and "kappa" in likelihood.designs:
        kept = np.sort(generator(seed, "screen").permutation(n)[:SCREEN])
        sample = _rows_of(likelihood, kept)
    ends = [maximise(sample, start) for start in starts_of(sample, seed)]
    if sample is not likelihood:
        ends = [maximise(likelihood, end.theta) for end in _distinct(ends)]
    ends = [end for end in ends if np.isfinite(end.value) and np.isfinite(end.hessian).all()]
    if not ends:
        raise EstimationError(
            "no-maximum", "the likelihood could not be evaluated near any start", where="y",
            remedy="Check the durations and rescale covariates with extreme values.",
        )  # fmt: skip
    top = max(end.value for end in ends)
    near = [end for end in ends if end.value > top - 1e-6]
    return next((end for end in near if end.converged), near[0])


def _rows_of(likelihood: Likelihood, rows: np.ndarray) -> Likelihood:
    return dataclasses.replace(
        likelihood, time=likelihood.time[rows], event=likelihood.event[rows], entry=likelihood.entry[rows],
        upper=likelihood.upper[rows], weight=likelihood.weight[rows],
        designs={name: D[rows] for name, D in likelihood.designs.items()},
    )  # fmt: skip


def _distinct(ends: list[Maximum]) -> list[Maximum]:
    """Ends that differ by more than rounding, best first, at most three."""
    found: list[Maximum] = []
    for end in sorted((end for end in ends if np.isfinite(end.value)), key=lambda end: -end.value):
        if all(np.abs(end.theta - other.theta).max() > 1e-3 for other in found):
            found.append(end)
    return found[:3]


def starts_of(likelihood: Likelihood, seed: int) -> list[np.ndarray]:
    """Coefficients to start from: Weibull, kappa 0, kappa -0.5, and each of them jittered."""
    slices = likelihood.slices()
    size = max((place.stop for place in slices.values()), default=0)
    first = np.zeros(size)
    middle = np.where(np.isnan(likelihood.upper), likelihood.time, (likelihood.time + likelihood.upper) / 2)
    exposure = float(likelihood.weight @ (middle - likelihood.entry))
    happened = (likelihood.event == 1) | ~np.isnan(likelihood.upper)
    rate = math.log(max(float(likelihood.weight @ happened), 1e-3) / exposure)
    scale = "phi" if "lambda" not in slices else "lambda"
    if scale in slices:
        first[slices[scale].start] = rate
    if "kappa" not in slices:
        return [first]
    weibull = dataclasses.replace(
        likelihood, designs={n: D for n, D in likelihood.designs.items() if n != "kappa"},
        fixed={**likelihood.fixed, "kappa": math.log(2.0)},
    )  # fmt: skip
    if "lambda" in slices and "phi" in slices:  # at kappa = 1 one scale is enough
        designs = {n: D for n, D in weibull.designs.items() if n != "phi"}
        weibull = dataclasses.replace(weibull, designs=designs, fixed={**weibull.fixed, "phi": 0.0})
    inner = weibull.slices()
    short = np.concatenate([first[slices[name]] for name in inner]) if inner else np.zeros(0)
    fitted = maximise(weibull, short, tolerance=1e-4).theta if inner else short
    base = first.copy()
    for name, place in inner.items():
        base[slices[name]] = fitted[place]
    starts = []
    for kappa in (1.0, 0.0, -0.5):
        start = base.copy()
        start[slices["kappa"].start] = math.log1p(kappa)
        starts.append(start)
    random = generator(seed, "starts")
    return starts + [start + random.normal(scale=0.3, size=size) for start in starts]
