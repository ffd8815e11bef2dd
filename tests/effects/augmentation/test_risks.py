"""Closed forms: against the n x n algebra, the population, another package, and their own limits."""

from __future__ import annotations

import importlib.util
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from suppose.core.errors import EstimationError
from suppose.core.random import generator
from suppose.datasets import make_linear_sem
from suppose.effects.augmentation import (
    NullTranslation,
    da_erm,
    erm,
    ivl,
    ivl_constrained,
    ivl_projected,
    ncer,
    population_coefficients,
    two_stage_least_squares,
)
from suppose.effects.augmentation.risks import augmented_moments, instrument_basis, solve_ivl

REFERENCE = Path(__file__).parent / "reference"
WORLD = make_linear_sem(300, 6, seed=2)
AUGMENT = NullTranslation.ignoring(WORLD.f)
GX, G = AUGMENT(WORLD.X, np.random.default_rng(0))
Y = WORLD.y


@pytest.mark.parametrize("alpha", [1e-3, 0.1, 1.0, 50.0])
def test_ivl_is_least_squares_after_the_papers_premultiplication(alpha) -> None:
    projection = G @ np.linalg.pinv(G.T @ G) @ G.T
    weight = (np.sqrt(1 + alpha) - np.sqrt(alpha)) * projection + np.sqrt(alpha) * np.eye(len(Y))
    expected = np.linalg.lstsq(weight @ GX, weight @ Y, rcond=None)[0]
    np.testing.assert_allclose(ivl(GX, Y, G, alpha), expected, rtol=1e-8)


@pytest.mark.parametrize("alpha", [0.05, 1.0])
def test_it_is_anchor_regression_with_the_parameters_as_anchors(alpha) -> None:
    """``Pi + alpha I`` is ``alpha [(I - Pi) + gamma Pi]`` with gamma = 1 + 1/alpha (Rothenhäusler et al. 2021)."""
    projection = G @ np.linalg.pinv(G.T @ G) @ G.T
    weight = np.eye(len(Y)) + (np.sqrt(1 + 1 / alpha) - 1) * projection
    expected = np.linalg.lstsq(weight @ GX, weight @ Y, rcond=None)[0]
    np.testing.assert_allclose(ivl(GX, Y, G, alpha), expected, rtol=1e-8)


def test_alpha_runs_from_the_constrained_form_to_least_squares() -> None:
    np.testing.assert_allclose(ivl(GX, Y, G, 1e9), da_erm(GX, Y), rtol=1e-6)
    np.testing.assert_allclose(solve_ivl(augmented_moments(GX, Y, G), np.inf), da_erm(GX, Y), rtol=1e-10)
    np.testing.assert_allclose(ivl(GX, Y, G, 1e-8), ivl_constrained(GX, Y, G), atol=1e-4)


@pytest.mark.parametrize("solve", [ivl_constrained, ivl_projected])
def test_constrained_forms_solve_the_instrument_equations_and_are_best_among_their_solutions(solve) -> None:
    few = G[:, :3]
    h = solve(GX, Y, few)
    moments = augmented_moments(GX, Y, few)
    np.testing.assert_allclose(moments.gram_projected @ h, moments.cross_projected, atol=1e-10)
    start = da_erm(GX, Y)

    def cost(h):
        return np.sum((Y - GX @ h) ** 2) if solve is ivl_constrained else np.sum((h - start) ** 2)

    _, vectors = np.linalg.eigh(moments.gram_projected)
    for direction in vectors[:, :3].T:  # the directions the equations leave free
        assert cost(h) < min(cost(h + 1e-3 * direction), cost(h - 1e-3 * direction))


def test_every_estimator_reaches_its_closed_form() -> None:
    world = make_linear_sem(200_000, 5, seed=3)
    augment = NullTranslation.ignoring(world.f)
    changed, parameters = augment(world.X, generator(3, "augmentation"))
    found = {None: erm(world.X, world.y), np.inf: da_erm(changed, world.y)}
    found |= {alpha: ivl(changed, world.y, parameters, alpha) for alpha in (1.0, 0.1, 0.01)}
    for alpha, h in found.items():
        limit = population_coefficients(
            world.f, world.covariance, world.confounding, augment.basis, alpha=alpha
        )
        assert np.abs(h - limit).max() < 0.02, alpha


def test_ivl_is_a_stronger_augmentation() -> None:
    arguments = WORLD.f, WORLD.covariance, WORLD.confounding, AUGMENT.basis
    for alpha in (1.0, 0.1):
        stronger = population_coefficients(*arguments, gamma=np.sqrt(1 + 1 / alpha), alpha=np.inf)
        np.testing.assert_allclose(population_coefficients(*arguments, alpha=alpha), stronger, rtol=1e-10)


def test_causal_excess_risk_falls_with_smaller_alpha() -> None:
    def excess(alpha):
        gap = (
            population_coefficients(WORLD.f, WORLD.covariance, WORLD.confounding, AUGMENT.basis, alpha=alpha)
            - WORLD.f
        )
        return gap @ WORLD.covariance @ gap

    risks = [excess(alpha) for alpha in (None, np.inf, 10.0, 1.0, 0.1, 0.01)]
    assert all(first > second for first, second in itertools.pairwise(risks))


def load_script():
    spec = importlib.util.spec_from_file_location("make_iv2sls", REFERENCE / "make_iv2sls.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script.material()


def test_two_stage_least_squares_is_linearmodels() -> None:
    changed, y, parameters = load_script()
    expected = json.loads((REFERENCE / "iv2sls.json").read_text())
    np.testing.assert_allclose(two_stage_least_squares(changed, y, parameters), expected, rtol=1e-10)


@pytest.mark.peer
def test_two_stage_least_squares_beside_linearmodels() -> None:
    iv = pytest.importorskip("linearmodels.iv")
    changed, y, parameters = load_script()
    params = np.asarray(iv.IV2SLS(y, None, changed, parameters).fit(cov_type="unadjusted").params)
    np.testing.assert_allclose(two_stage_least_squares(changed, y, parameters), params, rtol=1e-10)


def test_dependent_parameters_do_not_count_twice() -> None:
    doubled = np.c_[G, G[:, 0] + G[:, 1]]
    assert instrument_basis(doubled).shape[1] == G.shape[1]
    np.testing.assert_allclose(ivl(GX, Y, doubled, 0.1), ivl(GX, Y, G, 0.1), rtol=1e-8)


def test_order_of_rows_and_scale_of_parameters_do_not_matter() -> None:
    order = np.random.default_rng(1).permutation(len(Y))
    np.testing.assert_allclose(ivl(GX[order], Y[order], G[order], 0.1), ivl(GX, Y, G, 0.1), rtol=1e-9)
    np.testing.assert_allclose(ivl(GX, Y, G @ np.diag(range(1, 6)), 0.1), ivl(GX, Y, G, 0.1), rtol=1e-9)


def test_singular_inputs_get_the_shortest_solution() -> None:
    twice = np.c_[GX, GX[:, 0]]
    h = ivl(twice, Y, G, 0.1)
    assert h[0] == pytest.approx(h[-1], rel=1e-5)
    np.testing.assert_allclose(h[0] + h[-1], ivl(GX, Y, G, 0.1)[0], rtol=1e-5)


def test_risks_are_what_their_names_say() -> None:
    h = np.arange(6.0)
    plain, projected = augmented_moments(GX, Y, G).risk(h)
    residual = Y - GX @ h
    basis = np.linalg.qr(G)[0]
    assert plain == pytest.approx(np.mean(residual**2))
    assert projected == pytest.approx(np.sum((basis.T @ residual) ** 2) / len(Y))


def test_normalised_error() -> None:
    assert ncer(WORLD.f, WORLD.f) == 0.0
    assert ncer(np.zeros(6), WORLD.f) == pytest.approx(0.5)


@pytest.mark.parametrize("alpha", [0.0, -0.1, np.nan])
def test_alpha_must_be_positive(alpha) -> None:
    with pytest.raises(EstimationError, match="alpha: expected a positive weight") as refusal:
        ivl(GX, Y, G, alpha)
    assert refusal.value.code == "bad-alpha"


def test_more_rows_than_parameters_are_needed() -> None:
    with pytest.raises(EstimationError, match="got 5 rows and 5 parameters"):
        ivl(GX[:5], Y[:5], G[:5], 0.1)
