"""The filter: Kalman's equations, its NumPy twin, derivatives, time, and what was not observed."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import DataError, EstimationError
from suppose.worlds.beliefs import HGF, BeliefNetwork, Likelihood, filter_beliefs
from suppose.worlds.beliefs.couplings import FUNCTIONS, coupled, lambert_of_log
from suppose.worlds.beliefs.plain import plain_filter

RULES = ("standard", "ehgf", "ehgf_safe", "unbounded")
RNG = np.random.default_rng(3)
WALK = np.cumsum(0.1 * RNG.normal(size=60))
COIN = (RNG.random(60) < 0.7).astype(float)
WIDTHS = RNG.uniform(0.5, 2.0, size=60)


def tree(update: str, fn: str = "tanh") -> BeliefNetwork:
    """Two inputs, a shared value parent through a curved function, and volatilities where rules allow."""
    return (
        BeliefNetwork(update=update)
        .add_node("continuous", "u", precision=200.0)
        .add_node("binary", "b")
        .add_node("state", "x", value_children="u", omega=-4.0, precision=2.0)
        .add_node("state", "y", value_children="b", omega=-3.5, autoconnection=0.95, rho=0.02)
        .add_node("state", "slow", value_children=["x", "y"], coupling=0.3, fn=fn, omega=-5.0, mean=0.2)
        .add_node("state", "v", volatility_children="x", coupling=0.8, omega=-3.0, precision=4.0)
        .add_node("state", "n", volatility_children="u", omega=-4.0, mean=-5.0, precision=4.0)
    )


INPUTS = np.c_[WALK, COIN]
FREE = [
    "x.omega", "v.omega", "n.omega", "x.kappa.v", "u.kappa", "u.alpha", "x.alpha.slow", "y.alpha.slow",
    "slow.omega", "slow.mean", "slow.precision", "u.precision", "y.autoconnection", "y.rho", "v.mean",
    "v.precision", "b.alpha",
]  # fmt: skip


def kalman(u, widths, omega, senses, mean, precision):
    for value, dt in zip(u, widths, strict=True):
        expected = 1 / (1 / precision + dt * np.exp(omega))
        precision = expected + senses
        mean = mean + senses / precision * (value - mean)
    return mean, precision


@pytest.mark.parametrize("dt", [1.0, 2.0, "uneven"])
@pytest.mark.parametrize("update", RULES)
def test_without_volatility_it_is_a_kalman_filter(dt, update):
    widths = WIDTHS if dt == "uneven" else np.full(60, dt)
    path = filter_beliefs(HGF(1, update=update, x1_omega=-4.0, u_precision=50.0), WALK, dt=widths)
    mean, precision = kalman(WALK, widths, -4.0, 50.0, 0.0, 1.0)
    assert path.mean[-1, 1] == pytest.approx(mean, rel=1e-12)
    assert path.precision[-1, 1] == pytest.approx(precision, rel=1e-12)


@pytest.mark.parametrize("fn", ["linear", "tanh", "softplus"])
@pytest.mark.parametrize("update", RULES)
def test_machine_code_and_plain_numpy_agree(update, fn):
    seen = np.random.default_rng(1).random(INPUTS.shape) < 0.8
    path = filter_beliefs(tree(update, fn), INPUTS, dt=WIDTHS, observed=seen)
    plain = plain_filter(tree(update, fn), INPUTS[None], dt=WIDTHS, observed=seen)
    for key, values in plain.items():
        skip = [0, 1] if "expected" not in key else []  # inputs hold what was seen
        np.testing.assert_allclose(
            np.delete(getattr(path, key), skip, axis=1),
            np.delete(values[0].real, skip, axis=1),
            rtol=1e-9,
            atol=1e-11,
        )


def differences(score: Likelihood, x: np.ndarray) -> np.ndarray:
    out = []
    for place in range(len(x)):
        step = np.zeros(len(x))
        step[place] = 1e-5 * max(1.0, abs(x[place]))
        out.append((score.value(x + step) - score.value(x - step)) / (2 * step[place]))
    return np.array(out)


@pytest.mark.parametrize("response", ["first_level", "predictive"])
@pytest.mark.parametrize("update", RULES)
def test_gradients_equal_central_differences(update, response):
    network = tree(update)
    seen = np.random.default_rng(1).random(INPUTS.shape) < 0.8
    score = Likelihood(network, INPUTS, free=FREE, response=response, dt=WIDTHS, observed=seen)
    x = network.vector()[[network.slot(name) for name in FREE]]
    value, slope = score.value_and_gradient(x)
    assert np.isfinite(value)
    np.testing.assert_allclose(slope, differences(score, x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("update", RULES)
def test_gradients_of_responses(update):
    network = HGF(2, "binary", update=update, beta=2.0)
    y = np.where(np.arange(60) % 7 == 0, np.nan, COIN[::-1])
    free = ["x1.omega", "x2.omega", "x1.kappa", "beta"]
    score = Likelihood(network, COIN, free=free, response="softmax", y=y)
    x = np.array([-2.0, -3.0, 1.2, 2.0])
    np.testing.assert_allclose(score.value_and_gradient(x)[1], differences(score, x), rtol=1e-5, atol=1e-6)
    numbers = Likelihood(
        HGF(2, update=update), WALK, free=["x1.omega", "zeta"], response="gaussian", y=WALK + 0.1
    )
    x = np.array([-2.0, 3.0])
    np.testing.assert_allclose(
        numbers.value_and_gradient(x)[1], differences(numbers, x), rtol=1e-5, atol=1e-6
    )


def test_complex_steps_give_the_gradient_to_the_last_digits():
    network = HGF(2, "binary", update="unbounded")
    _, slope = Likelihood(network, COIN, free=["x1.omega"]).value_and_gradient([-3.0])
    means = plain_filter(network, COIN[None, :, None], theta={"x1.omega": -3.0 + 1e-30j})["expected_mean"][
        0, :, 0
    ]
    logs = np.where(COIN == 1, np.log(means), np.log(1 - means))
    assert slope[0] == pytest.approx(logs.sum().imag / 1e-30, rel=1e-10)


def test_time_does_not_scale_an_observation():
    level = filter_beliefs(HGF(1, x1_omega=-2.0), np.full(50, 0.8), dt=2.0)
    assert level.mean[-1, 1] == pytest.approx(0.8, abs=1e-3)
    assert level.expected_mean[-1, 0] == pytest.approx(0.8, abs=1e-3)


def test_a_chain_of_values_carries_time():
    """Position and speed: the mean-field filter's first step, by hand."""
    network = (
        BeliefNetwork()
        .add_node("continuous", "u", precision=4.0)
        .add_node("state", "x", value_children="u", omega=-1.0)
        .add_node("state", "speed", value_children="x", omega=-2.0)
    )
    path = filter_beliefs(network, [1.0], dt=3.0)
    expected = 1 / (1 + 3 * np.exp(-1.0))
    error = 4.0 / (expected + 4.0)
    speed = 1 / (1 + 3 * np.exp(-2.0))
    precision = speed + 9 * expected
    assert path.precision[0, 2] == pytest.approx(precision, rel=1e-12)
    assert path.mean[0, 2] == pytest.approx(3 * expected * error / precision, rel=1e-12)


@pytest.mark.parametrize("update", RULES)
def test_what_is_not_observed_teaches_nothing(update):
    network = HGF(3, update=update, u_precision=100.0)
    u = np.r_[WALK[:10], np.nan, np.nan, WALK[10:12]]
    path = filter_beliefs(network, u, observed=np.isfinite(u))
    hidden = slice(1, None)
    for step in (10, 11):
        np.testing.assert_array_equal(path.mean[step, hidden], path.expected_mean[step, hidden])
        np.testing.assert_array_equal(path.precision[step, hidden], path.expected_precision[step, hidden])
    assert np.all(np.diff(path.precision[9:12, hidden], axis=0) < 0)
    score = Likelihood(network, u, observed=np.isfinite(u)).pointwise()
    assert np.all(score[10:12] == 0)
    assert np.all(score[:10] != 0)


def test_surprise_of_numbers_is_that_of_a_gaussian():
    network = HGF(1, x1_omega=-2.0, u_precision=3.0)
    path = filter_beliefs(network, WALK)
    for response, variance in (
        ("first_level", 1 / path.expected_precision[:, 1]),
        ("predictive", 1 / path.expected_precision[:, 1] + 1 / 3.0),
    ):
        density = np.exp(-((WALK - path.expected_mean[:, 1]) ** 2) / (2 * variance)) / np.sqrt(
            2 * np.pi * variance
        )
        np.testing.assert_allclose(
            Likelihood(network, WALK, response=response).pointwise(), np.log(density), rtol=1e-12
        )


@pytest.mark.parametrize("code", range(len(FUNCTIONS)))
def test_derivatives_of_coupling_functions(code):
    for x in (-1.3, 0.4, 2.1):
        for order in range(3):
            h = 1e-6
            difference = (coupled(code, x + h)[order] - coupled(code, x - h)[order]) / (2 * h)
            assert coupled(code, x)[order + 1] == pytest.approx(difference, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("log_z", [-50.0, -3.0, -0.1, 0.0, 0.5, 1.0, 2.5, 30.0, 1e4])
def test_lambert(log_z):
    w = lambert_of_log(log_z)
    assert w + np.log(w) == pytest.approx(log_z, rel=1e-12, abs=1e-12)


def test_divergence_is_refused_and_impossible():
    network = HGF(3, "continuous", update="ehgf", x1_omega=-13.0, x2_omega=2.0, x3_omega=2.0, u_precision=1e4)
    jumps = np.where(np.arange(60) % 10 == 0, 5.0, 0.0)
    with pytest.raises(EstimationError, match=r"the precision of 'x\d' is not positive at step \d+"):
        filter_beliefs(network, jumps)
    assert Likelihood(network, jumps).value() == -np.inf
    assert np.isfinite(Likelihood(HGF(3, update="unbounded", x1_omega=-13.0), jumps).value())


@pytest.mark.parametrize(
    ("u", "settings", "message"),
    [
        ([1.0, np.nan], {}, "expected finite numbers, got nan at step 1"),
        ([1.0, 2.0], {}, "expected 0 or 1, got 2 at step 1"),
        ([[1.0, 0.0]], {}, "one or more steps of 1 inputs"),
        (["a"], {}, "expected numbers"),
        ([1.0, 0.0], {"dt": [1.0, 0.0]}, "expected one positive time step per step, got 0"),
        ([1.0, 0.0], {"dt": -2.0}, "got -2"),
        ([1.0, 0.0], {"dt": [1.0, 1.0, 1.0]}, "other lengths"),
        ([1.0, 0.0], {"observed": [True]}, "True or False for each of 2 steps"),
    ],
)
def test_refused_sequences(u, settings, message):
    network = HGF(2, "binary")
    with pytest.raises(DataError, match=message):
        filter_beliefs(network, u, **settings)
    if message == "expected finite numbers, got nan at step 1":
        with pytest.raises(DataError, match=message):
            filter_beliefs(HGF(2), u)
