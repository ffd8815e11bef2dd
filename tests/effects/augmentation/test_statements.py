"""What the system's page says was measured, measured again at its full size (long tier).

Means over draws carry a tolerance of three standard errors of that mean where a figure is stated for them.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from suppose.datasets import make_linear_sem
from suppose.effects.augmentation import erm, ncer
from suppose.reproductions.ivl_augmentation import digit_errors, linear_errors, optical_errors

BENCHMARK = Path(__file__).resolve().parents[3] / "benchmarks" / "augmentation.py"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not BENCHMARK.exists(), reason="the benchmarks are not beside the tests"),
]


def benchmark():
    spec = importlib.util.spec_from_file_location("augmentation_benchmark", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_linear_world() -> None:
    means = {name: values.mean() for name, values in linear_errors().items()}
    assert means["DA+ERM"] == pytest.approx(0.08, abs=0.03)
    assert means["IVL-CV"] < 0.06
    assert means["IVL, alpha 0.01"] < 0.025
    assert means["DA+IV"] > 0.25
    assert means["ERM"] > means["DA+ERM"] > means["IVL-CV"] > means["IVL, alpha 0.01"]


def test_least_squares_in_the_linear_world() -> None:
    """Over 640 worlds: the mean over 32 has a standard error of 0.034, too wide for the stated range."""
    worlds = [make_linear_sem(seed=seed) for seed in range(640)]
    assert np.mean([ncer(erm(world.X, world.y), world.f) for world in worlds]) == pytest.approx(
        0.45, abs=0.10
    )


def test_population_formulas() -> None:
    assert max(benchmark().population_gaps().values()) < 0.02


def test_optical_device() -> None:
    means = {name: values.mean() for name, values in optical_errors().items()}
    assert means["ERM"] == pytest.approx(0.750, abs=5e-4)
    assert means["DA+ERM"] == pytest.approx(0.69, abs=0.01)
    assert means["IVL-CV"] <= 0.65
    assert means["IVL-CC"] <= 0.62


def test_nothing_is_lost_without_confounding() -> None:
    errors = linear_errors(kappa=0.0)
    for name in ("IVL-CV", "IVL-LCV", "IVL-CC"):
        assert (errors[name] - errors["ERM"]).mean() < 0.01


def test_bootstrap_intervals_hold_the_limit_of_the_estimator_at_least_as_often_as_stated() -> None:
    found = benchmark().coverage(runs=200, jobs=1)
    # Four coefficients of one run are dependent: at least as many independent draws as runs. The page of the system
    # says why the intervals are wider than need be; they may not be narrower.
    assert found["limit of the estimator"] >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200)
    assert found["effect"] < found["limit of the estimator"]


def test_coloured_digits_residual_moment_beats_augmentation_alone() -> None:
    """The part of the claim that holds on 8 x 8 pictures; the page says which part does not."""
    errors = digit_errors(jobs=-1)
    for column in (0, 1):
        gain = errors["DA+ERM"][:, column] - errors["IVL, residuals"][:, column]
        assert gain.mean() > 0
