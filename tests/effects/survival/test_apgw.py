"""The law: members in closed form, continuity, derivatives, inversion, draws, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from suppose.core.errors import EstimationError
from suppose.effects.survival import APGW
from suppose.effects.survival.apgw import kernel

TIMES = np.array([1e-9, 1e-3, 0.1, 0.7, 1.0, 2.5, 10.0, 80.0])
KAPPAS = (-0.9, -0.5, 0.0, 0.5, 1.0, 5.0, 50.0)


def test_members_in_closed_form() -> None:
    t = TIMES
    assert APGW(1.7, 1.0, lambda_=2, phi=0.3).cumulative_hazard(t) == pytest.approx(
        2 * (0.3 * t) ** 1.7, rel=1e-12
    )
    assert APGW(1.0, 1.0).hazard(t) == pytest.approx(np.ones(len(t)), rel=1e-12)
    assert APGW(1.4, 0.0).sf(t) == pytest.approx(1 / (1 + t**1.4), rel=1e-12)
    assert APGW(1.4, 0.0, lambda_=2.5).sf(t) == pytest.approx((1 + t**1.4) ** -2.5, rel=1e-12)
    small = TIMES[:-1]
    gompertz = APGW(1.0, math.inf, lambda_=0.2, phi=0.5)
    assert gompertz.cumulative_hazard(small) == pytest.approx(0.2 * np.expm1(0.5 * small), rel=1e-12)
    assert gompertz.hazard(small) == pytest.approx(0.1 * np.exp(0.5 * small), rel=1e-12)


@pytest.mark.parametrize("kappa", [-0.9, -0.5, 0.3, 2.0, 7.0])
def test_the_formula_of_the_paper(kappa: float) -> None:
    gamma, t = 1.3, TIMES[1:]
    direct = (kappa + 1) / kappa * ((1 + t**gamma / (kappa + 1)) ** kappa - 1)
    assert APGW(gamma, kappa).cumulative_hazard(t) == pytest.approx(direct, rel=1e-9)
    hazard = gamma * t ** (gamma - 1) * (1 + t**gamma / (kappa + 1)) ** (kappa - 1)
    assert APGW(gamma, kappa).hazard(t) == pytest.approx(hazard, rel=1e-12)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_continuous_across_kappa_zero(gamma: float) -> None:
    """Above and below 0 the values lie on the tangent through kappa = 0, to 1e-8 relative; there is no jump.

    (The two values themselves differ by 2e-7 times the slope in kappa, which is not small.)
    """
    t = TIMES[1:]
    at = {k: APGW(gamma, k).cumulative_hazard(t) for k in (-1e-7, 0.0, 1e-7)}
    assert (at[-1e-7] + at[1e-7]) / 2 == pytest.approx(at[0.0], rel=1e-8)
    slope = (APGW(gamma, 1e-3).cumulative_hazard(t) - APGW(gamma, -1e-3).cumulative_hazard(t)) / 2e-3
    assert at[1e-7] - 1e-7 * slope == pytest.approx(at[0.0], rel=1e-8)
    assert at[-1e-7] + 1e-7 * slope == pytest.approx(at[0.0], rel=1e-8)


def test_kappa_tends_to_its_limit() -> None:
    t = np.array([0.1, 0.5, 1.0, 1.5])
    assert APGW(1.2, 1e7).cumulative_hazard(t) == pytest.approx(
        APGW(1.2, math.inf).cumulative_hazard(t), rel=1e-5
    )


@pytest.mark.parametrize("kappa", KAPPAS)
@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_hazard_is_the_slope_of_the_cumulative_hazard(kappa: float, gamma: float) -> None:
    law = APGW(gamma, kappa, lambda_=0.7, phi=1.3)
    t = np.array([0.05, 0.3, 1.0, 2.0])
    h = 1e-5 * t
    slope = (
        8 * (law.cumulative_hazard(t + h) - law.cumulative_hazard(t - h))
        - (law.cumulative_hazard(t + 2 * h) - law.cumulative_hazard(t - 2 * h))
    ) / (12 * h)
    assert slope == pytest.approx(law.hazard(t), rel=1e-6)


@pytest.mark.parametrize("kappa", [*KAPPAS, -1e-10, 1e-4, None])
def test_derivatives_agree_with_differences(kappa: float | None) -> None:
    rng = np.random.default_rng(0)
    logs = rng.normal(size=(4, 9)) * 0.5
    if kappa is not None:
        logs[3] = np.log1p(kappa)
    log_time, step = rng.normal(size=9), 1e-6

    def at(p: np.ndarray, second: bool = False):
        return kernel(log_time, p[0], p[1], p[2], None if kappa is None else p[3], second=second)

    found = at(logs, True)
    for i in range(3 if kappa is None else 4):
        shift = np.zeros_like(logs)
        shift[i] = step
        up, down = at(logs + shift), at(logs - shift)
        for value, gradient in (("log_hazard", "hazard_gradient"), ("log_cumulative", "cumulative_gradient")):
            slope = (getattr(up, value) - getattr(down, value)) / (2 * step)
            assert slope == pytest.approx(getattr(found, gradient)[i], abs=1e-6, rel=1e-6)
        for gradient, hessian in (
            ("hazard_gradient", "hazard_hessian"),
            ("cumulative_gradient", "cumulative_hessian"),
        ):
            bend = (getattr(up, gradient) - getattr(down, gradient)) / (2 * step)
            assert bend.ravel() == pytest.approx(getattr(found, hessian)[i].ravel(), abs=1e-5, rel=1e-5)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.2, 4), st.floats(-0.95, 30), st.floats(0.05, 5), st.floats(0.05, 5), st.floats(0.01, 0.99))
def test_quantiles_invert_survival(gamma: float, kappa: float, lambda_: float, phi: float, q: float) -> None:
    law = APGW(gamma, kappa, lambda_=lambda_, phi=phi)
    time = law.quantile(q)
    if q >= 1 - law.cure_fraction:
        assert np.isinf(time)
    elif 1e-200 < time < 1e200 and q < (1 - law.cure_fraction) * (1 - 1e-9):
        assert 1 - float(law.sf(time)) == pytest.approx(q, rel=1e-6, abs=1e-9)


def test_cure_fraction_is_where_survival_ends() -> None:
    law = APGW(1.2, -0.4, lambda_=1.5)
    assert float(law.sf(1e15)) == pytest.approx(law.cure_fraction, abs=1e-5)
    assert law.cure_fraction == pytest.approx(math.exp(1.5 * 0.6 / -0.4))
    assert APGW(1.2, 0.0).cure_fraction == 0.0


def test_density_integrates_to_the_share_that_fails() -> None:
    law = APGW(1.2, -0.6)
    t = np.exp(np.linspace(-25, 35, 60_001))
    mass = np.trapezoid(law.pdf(t) * t, np.log(t))
    assert mass == pytest.approx(1 - law.cure_fraction, abs=1e-6)


@pytest.mark.parametrize(
    "gamma, kappa, shape",
    [(1, 1, "constant"), (2, 1, "increasing"), (0.5, 1, "decreasing"), (2, 0.2, "up-then-down"),
     (0.5, 4, "down-then-up"), (1, -0.5, "decreasing"), (1, math.inf, "increasing")],
)  # fmt: skip
def test_shapes_of_the_hazard(gamma: float, kappa: float, shape: str) -> None:
    law = APGW(gamma, kappa)
    assert law.hazard_shape == shape
    steps = np.sign(
        np.diff(law.hazard(np.exp(np.linspace(-9, 3 if kappa == math.inf else 9, 300)))).round(12)
    )
    ways = {
        "constant": {0},
        "increasing": {1},
        "decreasing": {-1},
        "up-then-down": {1, -1},
        "down-then-up": {-1, 1},
    }
    assert set(steps[steps != 0].astype(int)) == ways[shape] - {0}


def test_draws_follow_the_law() -> None:
    law = APGW(1.5, -0.5, lambda_=1.2, phi=0.7)
    draws = law.rvs(4000, seed=1)
    cured = np.isinf(draws)
    p = law.cure_fraction
    assert abs(cured.mean() - p) < 3 * math.sqrt(p * (1 - p) / 4000)
    test = stats.kstest(draws[~cured], lambda t: (1 - law.sf(t)) / (1 - p))
    assert test.pvalue > 0.001
    assert np.array_equal(draws, law.rvs(4000, seed=1))


@pytest.mark.parametrize(
    "bad", [{"gamma": 0}, {"kappa": -1}, {"lambda_": -1}, {"phi": math.inf}, {"gamma": math.nan}]
)
def test_parameters_out_of_range_are_refused(bad: dict) -> None:
    with pytest.raises(EstimationError, match=f"{next(iter(bad))}: expected a number above"):
        APGW(**bad)
