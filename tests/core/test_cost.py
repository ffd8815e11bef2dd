"""What a run will take is said before it starts, and refused where the machine cannot hold it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from suppose.core import cost as module
from suppose.core.cost import Cost, peak_memory, refuse_too_large, resident_memory
from suppose.core.errors import StudyError
from suppose.studies import Effect
from suppose.studies import effect_estimators as estimators


def study(rows: int, **method: object) -> Effect:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.normal(size=rows) for name in ("x1", "x2", "y")})
    frame["d"] = rng.integers(0, 2, rows)
    made: Effect = Effect.from_frame(
        frame, treatment="d", outcome="y", adjust=["x1", "x2"], method=method,
        checks={"refute": ["subset"], "draws": 10, "benchmarks": [], "heterogeneity": False},
    )  # fmt: skip
    return made


def test_resident_memory_is_below_the_peak() -> None:
    peak = peak_memory()
    assert peak is not None
    assert 10_000_000 < resident_memory() <= 1.05 * peak


def test_an_array_shows_in_the_resident_memory() -> None:
    before = resident_memory()
    block = np.ones(12_500_000)  # 100 MB
    assert 80_000_000 < resident_memory() - before < 160_000_000
    assert block.sum() > 0


def test_fits_are_counted_main_checks_and_beside() -> None:
    asked = study(200, folds=3)
    plan = asked.cost(asked.read())
    # AIPW 3 folds x (2 outcomes + propensity), 10 refits of it; IPW 3, PLR 3 x 2, g-computation 2 arms.
    assert plan.fits == 9 * 11 + 3 + 6 + 2
    assert plan.rows == 200
    assert not plan.worth_saying


def test_memory_held_before_is_not_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimators, "resident_memory", lambda: 5_000_000_000)
    asked = study(200, folds=3)
    plan = asked.cost(asked.read())
    assert plan.memory > 5_000_000_000
    assert not plan.worth_saying


def test_large_work_is_announced_once_and_small_work_not() -> None:
    asked = study(200, name="difference", compare=False)
    said: list[str] = []
    asked.run(announce=said.append)
    assert said == []
    assert asked.check(said.append) == []
    assert len(said) == 1 and "GB of memory" in said[0]


def test_what_the_machine_cannot_hold_is_refused_before_the_method(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "available_memory", lambda: 2_000_000_000)
    with pytest.raises(StudyError, match=r"about 900\.0 GB, this machine has 2\.0 GB free\. Use fewer rows"):
        refuse_too_large(Cost(memory=900_000_000_000, fits=1, rows=1))
    refuse_too_large(Cost(memory=resident_memory() + 1_000_000_000, fits=1, rows=1))
    monkeypatch.setattr(module, "available_memory", lambda: 0)
    problems = study(200).check()
    assert [problem.code for problem in problems] == ["not-enough-memory"]
