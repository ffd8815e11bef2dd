"""Scores: their roots in closed form, and what a wrong nuisance does to them."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.effects.scores import (
    bound_propensity,
    interactive_score,
    iv_type_score,
    log_weight_slope,
    overlap_weights,
    partialling_out_score,
    weight_of_arms,
)

RNG = np.random.default_rng(0)
N = 200
E3 = RNG.dirichlet([2, 2, 2], (N, 2))  # (n, repeats, arms)
MU = RNG.normal(size=(N, 2, 3))
ARM = RNG.integers(0, 3, N)
IND = ARM[:, None] == np.arange(3)
Y = RNG.normal(size=N)


def root(psi_a: np.ndarray, psi_b: np.ndarray) -> np.ndarray:
    return -psi_b.mean(axis=0) / psi_a.mean(axis=0)


def test_ate_is_the_difference_of_augmented_means() -> None:
    theta = root(*interactive_score("ATE", Y, IND, MU, E3, arm=2))
    for repeat in range(2):
        mu, e = MU[:, repeat], E3[:, repeat]
        means = [np.mean(mu[:, a] + IND[:, a] / e[:, a] * (Y - mu[:, a])) for a in range(3)]
        assert theta[repeat] == pytest.approx(means[2] - means[0], rel=1e-12)


def test_att_is_the_mean_of_the_treated_minus_their_augmented_counterfactual() -> None:
    theta = root(*interactive_score("ATT", Y, IND, MU, E3, arm=1))
    mu, e, treated = MU[:, 0], E3[:, 0], IND[:, 1]
    weights = IND[:, 0] * e[:, 1] / e[:, 0]
    gap = (treated * (Y - mu[:, 0]) - weights * (Y - mu[:, 0])).sum() / treated.sum()
    assert theta[0] == pytest.approx(gap, rel=1e-12)


def test_ato_of_two_arms_is_the_partialling_out_score() -> None:
    e = bound_propensity(RNG.uniform(size=(N, 1)), 0.05)
    e2 = np.stack([1 - e, e], axis=2)
    mu = MU[:, :1, :2]
    treated = RNG.random(N) < e[:, 0]
    l = (e2 * mu).sum(axis=2)  # noqa: E741
    theirs = partialling_out_score(Y, treated.astype(float), l, e)
    ours = interactive_score("ATO", Y, np.stack([~treated, treated], axis=1), mu, e2, arm=1)
    assert ours[0] == pytest.approx(theirs[0], rel=1e-12)
    assert ours[1] == pytest.approx(theirs[1], rel=1e-10, abs=1e-14)


def test_contrasts_are_consistent_over_references() -> None:
    for estimand in ("ATE", "ATO"):
        two_zero, one_zero, two_one = (
            root(*interactive_score(estimand, Y, IND, MU, E3, arm=a, reference=r))
            for a, r in ((2, 0), (1, 0), (2, 1))
        )
        assert two_one == pytest.approx(two_zero - one_zero, rel=1e-10)


@pytest.mark.parametrize("estimand", ["ATE", "ATT", "ATO"])
@pytest.mark.parametrize("wrong", ["outcome", "propensity"])
def test_small_errors_of_one_nuisance_do_not_move_the_root(estimand: str, wrong: str) -> None:
    """Neyman orthogonality: the slope in the direction of a wrong nuisance is zero in expectation."""
    n = 200_000
    rng = np.random.default_rng(1)
    x = rng.normal(size=n)
    e = np.exp(np.stack([np.zeros(n), 0.5 * x, -0.3 * x], axis=1))
    e /= e.sum(axis=1, keepdims=True)
    arm = (rng.random(n)[:, None] > e.cumsum(axis=1)).sum(axis=1)
    mu = np.stack([x, 1 + 2 * x, 2 - x], axis=1)
    y = mu[np.arange(n), arm] + rng.normal(size=n)
    indicator = arm[:, None] == np.arange(3)
    step, direction = 0.02, np.stack([np.sin(x), np.cos(x), x], axis=1)

    def theta(size: float) -> float:
        mu_used, e_used = mu, e
        if wrong == "outcome":
            mu_used = mu + size * direction
        else:
            e_used = e * np.exp(size * direction)
            e_used = e_used / e_used.sum(axis=1, keepdims=True)
        parts = interactive_score(estimand, y, indicator, mu_used[:, None], e_used[:, None], arm=1)
        return float(root(*parts)[0])

    slope = (theta(step) - theta(-step)) / (2 * step)
    if estimand == "ATO" and wrong == "propensity":
        # The population itself moves with the propensity, which the score allows for.
        plain = np.average(mu[:, 1] - mu[:, 0], weights=1 / (1 / e).sum(axis=1))
        assert theta(0.0) == pytest.approx(plain, abs=0.02)
    assert abs(slope) < 0.02  # about 4 standard errors; a score that is not orthogonal gives 0.1 to 1


def test_iv_type_root_is_an_instrument_ratio() -> None:
    d, g, m = RNG.normal(size=N), RNG.normal(size=(N, 1)), RNG.normal(size=(N, 1))
    v = d - m[:, 0]
    assert root(*iv_type_score(Y, d, g, m))[0] == pytest.approx(v @ (Y - g[:, 0]) / (v @ d), rel=1e-12)


@pytest.mark.parametrize("estimand", ["ATE", "ATT", "ATO"])
def test_weights_balance_every_arm_to_the_target(estimand: str) -> None:
    e = E3[:, 0]
    first, second = weight_of_arms(estimand, e, arm=2)
    target = {"ATE": np.ones(N), "ATT": e[:, 2], "ATO": 1 / (1 / e).sum(axis=1)}[estimand]
    assert first * e[:, 2] == pytest.approx(target, rel=1e-12)
    assert second * e[:, 0] == pytest.approx(target, rel=1e-12)


def test_overlap_weights_are_bounded_even_without_overlap() -> None:
    weights = overlap_weights(np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 1.0, 0.0]]))
    assert np.isfinite(weights).all()
    assert (weights >= 0).all()
    assert (weights <= 1).all()
    assert overlap_weights(np.array([[1.0, 0.0]])) == pytest.approx(np.array([[0.0, 1.0]]), abs=1e-11)


@pytest.mark.parametrize("estimand", ["ATE", "ATT", "ATO"])
@pytest.mark.parametrize("which", [0, 2])
def test_slopes_of_log_weights_match_differences(estimand: str, which: int) -> None:
    e, step = E3[:, 0], 1e-6

    def log_weight(c: int, size: float) -> np.ndarray:
        moved = e * np.exp(size * (np.arange(3) == c))
        moved /= moved.sum(axis=1, keepdims=True)
        return np.log(weight_of_arms(estimand, moved, arm=2)[0 if which == 2 else 1])

    slope = log_weight_slope(estimand, e, weight_of=which, arm=2)
    for c in range(3):
        numeric = (log_weight(c, step) - log_weight(c, -step)) / (2 * step)
        assert slope[:, c] == pytest.approx(numeric, abs=1e-6)
