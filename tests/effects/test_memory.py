"""The memory of a fit grows with what it copies; benchmarks/memory_effects.py holds it against real peaks."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.effects import GComputation, Interactive, InverseProbability, PartiallyLinear
from suppose.effects.memory import fit_count, fit_memory


@pytest.mark.parametrize("learner", ["linear", "lasso", "forest", "boosting"])
def test_twice_the_rows_take_twice_the_memory(learner: str) -> None:
    model = Interactive(outcome_learner=learner)
    one, two = fit_memory(model, 100_000, 20), fit_memory(model, 200_000, 20)
    assert two == pytest.approx(2 * one, rel=1e-6)


def test_more_jobs_and_kept_forests_take_more() -> None:
    few, many = (fit_memory(PartiallyLinear(n_jobs=jobs), 100_000, 20) for jobs in (1, 2))
    assert many > few
    forest = fit_memory(PartiallyLinear(outcome_learner="forest"), 100_000, 20)
    assert forest > 3 * few


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (PartiallyLinear(folds=5), 10),
        (Interactive(folds=5), 15),
        (InverseProbability(folds=4), 4),
        (GComputation(folds=1), 2),
        (Interactive(folds=2, repeats=3), 18),
    ],
)
def test_the_fits_counted_are_the_fits_made(
    estimator: object, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from suppose.effects import crossfit

    made = []
    original = crossfit.fit_nuisance
    monkeypatch.setattr(crossfit, "fit_nuisance", lambda *given: made.append(1) or original(*given))
    rng = np.random.default_rng(0)
    d = rng.integers(0, 2, 200).astype(float)
    X = np.c_[d, rng.normal(size=(200, 2))]
    estimator.fit(X, d + rng.normal(size=200))  # type: ignore[attr-defined]
    assert fit_count(estimator) == expected == len(made)
