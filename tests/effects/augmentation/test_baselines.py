"""Competitors: each solves what it says it solves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from suppose.core.errors import EstimationError
from suppose.datasets import make_linear_sem
from suppose.effects.augmentation import BASELINES, BaselineRegressor, NullTranslation, erm
from suppose.effects.augmentation.baselines import (
    _causal_norm,
    _moments,
    _risks,
    _same_everywhere,
    confounder_lasso,
    confounder_ridge,
    environments_of,
    group_dro,
    invariant_causal_prediction,
    irm,
    kania_wit,
    minimax_rex,
    rice,
    v_rex,
)

RNG = np.random.default_rng(0)
WORLD = make_linear_sem(600, 4, noise=0.5, seed=3)
AUGMENT = NullTranslation.ignoring(WORLD.f)
GX, G = AUGMENT(WORLD.X, np.random.default_rng(0))
LABELS = RNG.integers(0, 3, 600)
SHIFTED = GX * (1 + LABELS[:, None])
MOMENTS = _moments(SHIFTED, WORLD.y, LABELS)


def risks(h):
    return np.array([np.mean((WORLD.y[e == LABELS] - SHIFTED[e == LABELS] @ h) ** 2) for e in range(3)])


def test_environment_risks_follow_from_moments() -> None:
    h = RNG.normal(size=4)
    np.testing.assert_allclose(_risks(h, MOMENTS)[0], risks(h), rtol=1e-10)


OBJECTIVES = {
    "irm": (
        lambda: irm(SHIFTED, WORLD.y, LABELS, 0.5),
        lambda h: np.mean([
            np.mean((y - X @ h) ** 2) + 0.5 * (2 * np.mean((X @ h) * (X @ h - y))) ** 2
            for X, y in ((SHIFTED[e == LABELS], WORLD.y[e == LABELS]) for e in range(3))
        ]),
    ),
    "v-rex": (lambda: v_rex(SHIFTED, WORLD.y, LABELS, 0.3), lambda h: 0.3 * risks(h).var(ddof=1) + risks(h).sum()),
    "group-dro": (lambda: group_dro(SHIFTED, WORLD.y, LABELS), lambda h: risks(h).max()),
    "mm-rex": (
        lambda: minimax_rex(SHIFTED, WORLD.y, LABELS, -0.2),
        lambda h: (1 + 3 * 0.2) * risks(h).max() - 0.2 * risks(h).sum(),
    ),
    "rice": (
        lambda: rice(WORLD.X, WORLD.y, np.stack([GX, WORLD.X - G @ AUGMENT.basis]), 2.0),
        lambda h: np.mean((WORLD.y - WORLD.X @ h) ** 2)
        + 2.0 * np.mean(np.maximum(((WORLD.X - GX) @ h) ** 2, ((G @ AUGMENT.basis) @ h) ** 2)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OBJECTIVES)
def test_no_step_away_improves_the_objective(name) -> None:
    solve, objective = OBJECTIVES[name]
    h = solve()
    best = objective(h)
    assert best <= objective(erm(SHIFTED, WORLD.y)) + 1e-9
    for size in (1e-3, 1e-1):
        for step in RNG.normal(size=(40, 4)):
            assert objective(h + size * step) >= best - 1e-5 * best


def test_residuals_are_compared_as_on_rows() -> None:
    weights = np.r_[-RNG.normal(size=4), 1.0]
    both = np.c_[SHIFTED, WORLD.y]
    residual = both @ weights
    least = 1.0
    for e in range(3):
        one, rest = residual[e == LABELS], residual[e != LABELS]
        means = stats.ttest_ind(one, rest, equal_var=False).pvalue
        tail = stats.f.sf(one.var(ddof=1) / rest.var(ddof=1), len(one) - 1, len(rest) - 1)
        least = min(least, 2 * min(means, 2 * min(tail, 1 - tail)))
    assert _same_everywhere(both, LABELS, weights[None])[0] == pytest.approx(min(1.0, 3 * least), rel=1e-6)


def test_icp_finds_the_parents() -> None:
    rng = np.random.default_rng(5)
    labels = np.repeat([0, 1], 2000)
    cause = rng.normal(size=4000) * (1 + labels) + labels
    y = 2 * cause + rng.normal(size=4000)
    child = y + rng.normal(size=4000) * (1 + 2 * labels)
    X = np.c_[cause, child]
    X = X - X.mean(axis=0)
    h = invariant_causal_prediction(X, y - y.mean(), labels, rng)
    assert h[0] == pytest.approx(2.0, abs=0.1) and h[1] == 0.0


def test_icp_with_many_inputs_tries_random_sets() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 12))
    h = invariant_causal_prediction(X, rng.normal(size=400), rng.integers(0, 2, 400), rng)
    assert h.shape == (12,)


@pytest.mark.parametrize("solve", [confounder_ridge, confounder_lasso])
def test_shrinkage_reaches_the_norm(solve) -> None:
    plain = erm(WORLD.X, WORLD.y)
    target = _causal_norm(WORLD.X, plain)
    h = solve(WORLD.X, WORLD.y)
    assert np.linalg.norm(h) == pytest.approx(target, rel=1e-6 if solve is confounder_ridge else 0.1)
    assert np.linalg.norm(h) <= np.linalg.norm(plain) * 1.001


def test_lasso_of_nothing_is_nothing() -> None:
    assert not confounder_lasso(WORLD.X, np.zeros(600)).any()


def test_kania_wit_without_weight_pools_both_samples() -> None:
    pooled = erm(np.r_[WORLD.X, GX], np.r_[WORLD.y, WORLD.y])
    np.testing.assert_allclose(kania_wit(WORLD.X, WORLD.y, GX, 0.0), pooled, rtol=1e-8)
    np.testing.assert_allclose(kania_wit(WORLD.X, WORLD.y, GX, 1.0), erm(GX, WORLD.y), rtol=1e-8)


def test_environments_are_halves_of_parameters() -> None:
    labels = environments_of(G, 2)
    assert sorted(np.unique(labels)) == [0, 1, 2, 3]
    first = (G[:, 0] > (G[:, 0].min() + G[:, 0].max()) / 2).astype(int)
    assert all(len(np.unique(first[labels == e])) == 1 for e in range(4))


@pytest.mark.parametrize("method", BASELINES)
def test_every_method_fits_and_repeats(method) -> None:
    one, other = (BaselineRegressor(method, AUGMENT, seed=2).fit(WORLD.X, WORLD.y) for _ in range(2))
    np.testing.assert_array_equal(one.coef_, other.coef_)
    assert one.predict(WORLD.X).mean() == pytest.approx(WORLD.y.mean(), abs=1e-8)


def test_refusals() -> None:
    with pytest.raises(EstimationError, match="expected at most 1/3 with 3 environments, got 0.5"):
        minimax_rex(SHIFTED, WORLD.y, LABELS, 0.5)
    with pytest.raises(EstimationError, match="Did you mean 'v-rex'"):
        BaselineRegressor("vrex", AUGMENT).fit(WORLD.X, WORLD.y)
    with pytest.raises(EstimationError, match="strength: expected a number"):
        BaselineRegressor("irm", AUGMENT, strength="much").fit(WORLD.X, WORLD.y)
    with pytest.raises(EstimationError, match="expected an augmentation"):
        BaselineRegressor("irm").fit(WORLD.X, WORLD.y)
