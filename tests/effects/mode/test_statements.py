"""The statements of the page on mode effects at full size (``benchmarks/mode_effects.py`` writes its table)."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.reproductions import reproduce
from suppose.reproductions.mode_effects import (
    FAR,
    believed_slopes,
    grid_gaps,
    poll_claims,
    slope,
    split_slopes,
    verdict_biases,
)
from suppose.worlds.survey import simulate

STRONG = {"beta": 0.3, "a_x": 1.0, "a_y": 1.0, "delta_x": 0.5, "delta_y": 0.5}


def test_small_twins_of_the_statements() -> None:
    assert np.abs(grid_gaps(10_000, 1, 1)).max() <= FAR
    assert all(row[-1] for row in verdict_biases(60_000, 1))
    assert all(claim.holds for claim in poll_claims())


@pytest.mark.slow
def test_statement_1_closed_forms() -> None:
    gaps = grid_gaps(200_000, 20, 1)
    assert np.abs(gaps).max() <= FAR
    assert abs((gaps**2).mean() - 1) < 3 * np.sqrt(2 / len(gaps))


@pytest.mark.slow
def test_statement_2_verdicts() -> None:
    rows = verdict_biases(200_000, 1)
    assert [row for row in rows if not row[-1]] == []


@pytest.mark.slow
def test_statement_3_beliefs() -> None:
    frame = simulate("S5", 200_000, seed=1, **STRONG).frame
    assert slope(frame, ("M",))[0] <= 0
    assert slope(frame, ())[0] >= 0.45
    found = believed_slopes(200, 2000, 1)
    assert abs(found[:, 0].mean() - 0.3) <= 0.01
    assert np.mean((found[:, 1] <= 0.3) & (found[:, 2] >= 0.3)) >= 0.93
    drawn = believed_slopes(400, 2000, 1, drawn=True)
    held = np.mean((drawn[:, 1] <= 0.3) & (drawn[:, 2] >= 0.3))
    assert abs(held - 0.95) <= 3 * np.sqrt(0.95 * 0.05 / 400)


@pytest.mark.slow
def test_statement_4_split() -> None:
    rows = split_slopes(200_000, 1)
    for _, out, out_error, held, held_error, out_closed, held_closed in rows:
        assert abs(out - out_closed) <= FAR * out_error
        assert abs(held - held_closed) <= FAR * held_error
    assert max(rows, key=lambda row: abs(row[1] - 0.3))[0] == 0.5
    assert max(rows, key=lambda row: abs(row[3] - 0.3))[0] == 0.5


@pytest.mark.slow
def test_the_reproduction_holds(tmp_path) -> None:
    found = reproduce("mode-effects", out=tmp_path)
    assert [claim.id for claim in found.claims if not claim.holds] == []
    assert (tmp_path / "report.html").stat().st_size > 10_000
