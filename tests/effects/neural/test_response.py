"""Answers of neural estimators: intervals by hand, frames, figures, words; errors against known truths."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from suppose.core.figures import draw_svg
from suppose.datasets import make_dosage
from suppose.effects.neural.metrics import amse, dosage_errors, root_pehe, treatment_pehe
from suppose.effects.neural.response import AttentionMap, ConditionalEffects, DoseResponse

RNG = np.random.default_rng(0)


def test_band_by_hand() -> None:
    members = RNG.normal(size=(4, 12))
    found = DoseResponse.of(np.linspace(0, 1, 12), members, 0.9, "dose", RNG.random(50))
    half = stats.t.ppf(0.95, 3) * members.std(axis=0, ddof=1)
    np.testing.assert_allclose(found.high - found.estimate, half)
    np.testing.assert_allclose(found.estimate - found.low, half)
    mean, low, high = found.contrast(1.0, 0.0)
    each = members[:, -1] - members[:, 0]
    assert mean == pytest.approx(each.mean())
    assert high - low == pytest.approx(2 * stats.t.ppf(0.95, 3) * each.std(ddof=1))
    assert found.to_frame().columns.tolist() == ["dose", "estimate", "low", "high"]
    assert "4 networks" in str(found)


def test_effects_of_rows_and_their_mean() -> None:
    members = np.random.default_rng(1).normal(size=(5, 30)) * 0.1 + 1.95
    found = ConditionalEffects.of(members, 1.0, 0.0, 0.95)
    assert found.average == pytest.approx(members.mean())
    half = stats.t.ppf(0.975, 4) * members.mean(axis=1).std(ddof=1)
    assert found.average_high - found.average == pytest.approx(half)
    assert found.to_frame().shape == (30, 3)
    assert str(found).startswith("Effect of 1 against 0: mean 1.9")


def test_one_member_has_no_interval() -> None:
    found = DoseResponse.of(np.array([0.0, 1.0]), np.ones((1, 2)), 0.95, "dose", np.array([0.0, 1.0]))
    assert np.isnan(found.low).all()
    assert draw_svg("one", found.plot).startswith("<svg")


@pytest.mark.parametrize("points", [3, 20])
def test_figures(points: int) -> None:
    curve = DoseResponse.of(
        np.linspace(0, 1, points), RNG.normal(size=(4, points)), 0.95, "dose", RNG.random(50)
    )
    effects = ConditionalEffects.of(RNG.normal(size=(4, points)), (1, 0.5), (0, 0.5), 0.95)
    look = AttentionMap.of(
        RNG.dirichlet(np.ones(points), size=(4, 2)), tuple(f"x{i}" for i in range(points)), "dose = 1"
    )
    for name, plot in (("curve", curve.plot), ("effects", effects.plot), ("look", look.plot)):
        assert draw_svg(name, plot) == draw_svg(name, plot)
    assert look.plot().get_xlabel() == "attention, %"
    assert "against (0, 0.5)" in str(effects)


def test_errors_against_known_truth() -> None:
    assert root_pehe(np.zeros(4), np.full(4, 2.0)) == 2.0
    assert amse(np.zeros(4), np.array([0.0, 0.0, 2.0, 2.0])) == 2.0
    true = RNG.normal(size=(20, 5))
    propensity = RNG.dirichlet(np.ones(5), size=20)
    shifted = treatment_pehe(true + RNG.normal(size=(20, 1)), true, propensity, likeliest=4)
    assert max(shifted.values()) < 1e-20  # a shift of a unit's whole row does not change its effects


class Oracle:
    """A model that knows the truth, or its negative."""

    def __init__(self, world: object, sign: float = 1.0) -> None:
        self.world, self.sign = world, sign

    def curves(self, X: object, grid: np.ndarray, *, arm: float) -> np.ndarray:
        truth = self.world.potential(np.full(len(grid), arm), grid, rows=~self.world.train)  # type: ignore[attr-defined]
        return self.sign * np.asarray(truth)


def test_an_oracle_makes_no_error() -> None:
    world = make_dosage(60, 5, test=30, seed=2)
    assert dosage_errors(Oracle(world), world) == {"mise": 0.0, "dosage-policy": 0.0, "policy": 0.0}
    assert min(dosage_errors(Oracle(world, -1.0), world).values()) > 1.0
