"""Rules for alpha: scores by hand, what is held out, and the likelihood of the confounder correction."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from suppose.core.errors import EstimationError
from suppose.datasets import make_linear_sem
from suppose.effects.augmentation import NullTranslation, ivl
from suppose.effects.augmentation.selection import (
    alpha_candidates,
    confounding_share,
    held_out_levels,
    held_out_rows,
    select_alpha,
)

WORLD = make_linear_sem(500, 5, seed=1)
GX, G = NullTranslation.ignoring(WORLD.f)(WORLD.X, np.random.default_rng(0))
ALPHAS = np.array([0.001, 0.01, 0.1, 1.0])


@pytest.mark.parametrize(("selector", "hold"), [("cv", held_out_rows), ("lcv", held_out_levels)])
def test_scores_are_errors_on_original_held_out_rows(selector, hold) -> None:
    choice = select_alpha(selector, WORLD.X, WORLD.y, GX, G, ALPHAS, np.random.default_rng(5))
    held = hold(500 if selector == "cv" else G, np.random.default_rng(5))
    for alpha, score in zip(ALPHAS, choice.scores, strict=True):
        h = ivl(GX[~held], WORLD.y[~held], G[~held], alpha)
        assert score == pytest.approx(np.mean((WORLD.y[held] - WORLD.X[held] @ h) ** 2), rel=1e-8)
    assert choice.alpha == ALPHAS[np.argmin(choice.scores)]


def test_cc_picks_the_norm_it_asks_for() -> None:
    choice = select_alpha("cc", WORLD.X, WORLD.y, GX, G, ALPHAS, np.random.default_rng(5))
    plain = np.linalg.lstsq(GX, WORLD.y, rcond=None)[0]
    target = np.sqrt((1 - confounding_share(np.cov(GX, rowvar=False), plain)) * plain @ plain)
    gaps = [(np.linalg.norm(ivl(GX, WORLD.y, G, alpha)) - target) ** 2 for alpha in ALPHAS]
    np.testing.assert_allclose(choice.scores, gaps, rtol=1e-6)


def test_confounding_share_maximises_the_likelihood() -> None:
    """Against the density of the direction on a fine grid of theta, written with matrices."""
    rng = np.random.default_rng(3)
    A = rng.normal(size=(6, 6))
    S = A @ A.T
    h = np.linalg.solve(S, rng.normal(size=6))
    u, inverse = h / np.linalg.norm(h), np.linalg.inv(S)
    thetas = np.r_[0.0, np.geomspace(1e-6, 1e6, 4001)]
    heights = []
    for theta in thetas:
        M = np.eye(6) + theta * inverse
        heights.append(-0.5 * np.linalg.slogdet(M)[1] - 3 * np.log(u @ np.linalg.solve(M, u)))
    theta = thetas[int(np.argmax(heights))]
    expected = 1 / (1 + 1 / (0.001 + theta * np.trace(inverse) / 6))
    assert confounding_share(S, h) == pytest.approx(expected, abs=2e-3)


def test_confounding_share_tells_confounded_from_causal() -> None:
    rng = np.random.default_rng(0)
    shares = {"causal": [], "confounded": []}
    for _ in range(40):
        A = rng.normal(size=(30, 30))
        S = A @ A.T / 30
        shares["causal"].append(confounding_share(S, rng.normal(size=30)))
        shares["confounded"].append(confounding_share(S, np.linalg.solve(S, A @ rng.normal(size=30))))
    assert stats.mannwhitneyu(shares["confounded"], shares["causal"], alternative="greater").pvalue < 1e-6


def test_share_of_nothing_is_zero() -> None:
    assert confounding_share(np.eye(3), np.zeros(3)) == 0.0


def test_a_fifth_is_held_out() -> None:
    assert held_out_rows(500, np.random.default_rng(0)).sum() == 100
    levels = ((G.min(axis=0) + G.max(axis=0)) / 2 < G) @ (1 << np.arange(4))
    held = held_out_levels(G, np.random.default_rng(0))
    assert len(np.unique(levels[held])) == round(0.2 * len(np.unique(levels)))
    assert not set(levels[held]) & set(levels[~held])


def test_one_level_falls_back_to_rows() -> None:
    assert held_out_levels(np.ones((50, 1)), np.random.default_rng(0)).sum() == 10


def test_ties_go_to_the_larger_alpha() -> None:
    flat = np.zeros(500)
    choice = select_alpha("cv", WORLD.X, flat, GX, G, ALPHAS, np.random.default_rng(0))
    assert choice.alpha == 1.0
    assert "CV: alpha 1 of 4" in str(choice)
    assert list(choice.to_frame().columns) == ["selector", "alpha", "score"]


def test_senseless_candidates_are_refused() -> None:
    for count, low, high in ((0, 0.1, 1.0), (3, 0.0, 1.0), (3, 1.0, 0.1)):
        with pytest.raises(EstimationError, match="expected 0 < low <= high"):
            alpha_candidates(count, low, high, np.random.default_rng(0))
