"""Fits: known numbers come back, intervals cover, jobs do not matter, comparisons, what-if, samples."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from suppose.core.errors import DataError, EstimationError, StudyError
from suppose.worlds.beliefs import (
    HGF,
    BeliefNetwork,
    Likelihood,
    Posterior,
    Prior,
    compare,
    filter_beliefs,
    fit_beliefs,
    fit_rescorla_wagner,
    fit_subjects,
    make_reversals,
    rescorla_wagner,
    respond,
    sample_beliefs,
    what_if,
)

BENCHMARK = Path(__file__).resolve().parents[3] / "benchmarks" / "beliefs.py"


def recovery(seed: int) -> dict[str, Any]:
    """The recovery of the benchmark, whose file is not a package that tests can import."""
    if not BENCHMARK.exists():
        pytest.skip("the benchmarks are not beside the tests")
    spec = importlib.util.spec_from_file_location("beliefs_benchmark", BENCHMARK)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.recovery(seed)


WALK = sample_beliefs(HGF(1, x1_omega=-2.0, u_precision=100.0), 400, seed=4).u[0]


def test_the_mode_of_a_kalman_filter_is_that_of_a_fine_grid():
    network = HGF(1, u_precision=100.0)
    fit = fit_beliefs(
        network, WALK, free=["x1.omega"], response="predictive", priors={"x1.omega": Prior(-3.0, 2.0)}
    )
    score = Likelihood(network, WALK, free=["x1.omega"], response="predictive")
    grid = np.linspace(-4, 0, 4001)
    posterior = np.array([score.value([w]) - 0.5 * ((w + 3) / 2) ** 2 for w in grid])
    assert fit.estimate[0] == pytest.approx(grid[posterior.argmax()], abs=1e-3)
    weights = np.exp(posterior - posterior.max())
    mean = (grid * weights).sum() / weights.sum()
    spread = math.sqrt((grid**2 * weights).sum() / weights.sum() - mean**2)
    assert math.sqrt(fit.covariance[0, 0]) == pytest.approx(spread, rel=0.03)
    evidence = (
        posterior.max() + math.log(weights.sum() * (grid[1] - grid[0])) - math.log(2 * math.sqrt(2 * math.pi))
    )
    assert fit.log_evidence == pytest.approx(evidence, abs=0.01)
    assert fit.low[0] < -2.0 < fit.high[0]
    assert fit.curved
    assert fit.at_edge == ()


def test_intervals_cover():
    """60 series: a 90% interval covers with the noise of 60 draws."""
    draws = sample_beliefs(HGF(1, x1_omega=-2.0, u_precision=20.0), 200, rows=60, seed=9)
    fits = fit_subjects(HGF(1, u_precision=20.0), list(draws.u), free=["x1.omega"], response="predictive", starts=1,
                        level=0.9)  # fmt: skip
    covered = np.mean([fit.low[0] < -2.0 < fit.high[0] for fit in fits])
    assert abs(covered - 0.9) < 3 * math.sqrt(0.9 * 0.1 / 60)


def test_jobs_and_seeds_do_not_change_the_bits():
    u = [make_reversals(60, seed=k) for k in range(3)]
    y = [respond(filter_beliefs(HGF(2, "binary"), v), beta=2.0, seed=k) for k, v in enumerate(u)]
    settings = {"free": ["x1.omega", "beta"], "response": "softmax", "starts": 2, "seed": 5}
    one = fit_subjects(HGF(2, "binary"), u, y, jobs=1, **settings)
    two = fit_subjects(HGF(2, "binary"), u, y, jobs=2, backend="threading", **settings)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a.estimate, b.estimate)
        np.testing.assert_array_equal(a.covariance, b.covariance)


def test_posterior_has_the_gradient_of_its_value():
    target = Posterior(
        Likelihood(HGF(2, "binary"), make_reversals(80), free=["x1.omega", "x1.precision", "beta"],
                   response="softmax", y=make_reversals(80, seed=1))
    )  # fmt: skip
    z = np.array([-2.0, 0.3, 0.5])
    for place in range(3):
        h = np.eye(3)[place] * 1e-5
        slope = (target.value_and_gradient(z + h)[0] - target.value_and_gradient(z - h)[0]) / 2e-5
        assert target.value_and_gradient(z)[1][place] == pytest.approx(slope, rel=1e-6, abs=1e-7)


def test_one_seed_of_agents_comes_back():
    row = recovery(1)
    assert row["omega"] > 0.7
    assert row["beta"] > 0.8


@pytest.mark.slow
def test_agents_come_back_over_five_seeds():
    rows = [recovery(seed) for seed in range(1, 6)]
    assert np.median([row["omega"] for row in rows]) >= 0.9
    assert np.median([row["beta"] for row in rows]) >= 0.9
    assert all(row["seconds"] <= 60 for row in rows)


def test_rescorla_wagner_by_its_definition_and_back():
    u = make_reversals(2000, seed=2)
    v, now = [], 0.5
    for outcome in u:
        v.append(now)
        now += 0.15 * (outcome - now)
    np.testing.assert_allclose(rescorla_wagner(u, 0.15), v, rtol=1e-12)
    logit = 3.0 * (np.log(v) - np.log1p(-np.array(v)))
    y = (np.random.default_rng(0).random(2000) < 1 / (1 + np.exp(-logit))).astype(float)
    fit = fit_rescorla_wagner(u, y)
    assert fit.rate == pytest.approx(0.15, abs=0.05)
    assert fit.beta == pytest.approx(3.0, abs=0.5)


def test_the_account_that_made_the_choices_is_the_likelier():
    u = make_reversals(1000, seed=3)
    v = np.clip(rescorla_wagner(u, 0.6), 1e-6, 1 - 1e-6)
    y = (np.random.default_rng(1).random(1000) < v).astype(float)
    hgf = fit_beliefs(HGF(1, "binary"), u, y, free=["x1.omega", "beta"], response="softmax")
    found = compare({"network": hgf, "learner": fit_rescorla_wagner(u, y)})
    assert found.names[0] == "learner"
    assert found.probability.sum() == pytest.approx(1.0)
    assert list(found.to_frame()["account"]) == list(found.names)
    assert "probability" in str(found)


def test_samples_have_the_moments_of_the_walk():
    draws = sample_beliefs(HGF(1, x1_omega=-1.0, u_precision=4.0), 10, rows=20000, dt=2.0, seed=1)
    x, u = draws.values[:, -1, 1], draws.u[:, -1, 0]
    variance = 1.0 + 10 * 2 * math.exp(-1.0)
    assert x.var() == pytest.approx(variance, rel=3 * math.sqrt(2 / 20000))
    assert (u - x).var() == pytest.approx(0.25, rel=3 * math.sqrt(2 / 20000))


def test_holding_volatility_makes_steps_of_known_size():
    draws = sample_beliefs(HGF(2, x1_omega=-1.0), 2, rows=20000, do={"x2": np.array([0.5, -0.5])}, seed=1)
    step = np.diff(draws.values[:, :, 1], axis=1)[:, 0]
    assert step.var() == pytest.approx(math.exp(-1.5), rel=3 * math.sqrt(2 / 20000))
    again = sample_beliefs(HGF(2, x1_omega=-1.0), 2, rows=20000, do={"x2": np.array([0.5, -0.5])}, seed=1)
    np.testing.assert_array_equal(draws.values, again.values)


@pytest.mark.parametrize("fn", ["relu", "softplus", "sigmoid", "tanh", "exp", "sin"])
def test_samples_pass_through_coupling_functions(fn):
    network = (
        BeliefNetwork()
        .add_node("continuous", "u", precision=1e8)
        .add_node("state", "x", value_children="u", omega=-30.0, precision=1e12)
        .add_node("state", "y", value_children="x", fn=fn)
    )
    draws = sample_beliefs(network, 1, do={"y": 0.7})
    expected = {"relu": 0.7, "softplus": math.log1p(math.exp(0.7)), "sigmoid": 1 / (1 + math.exp(-0.7)),
                "tanh": math.tanh(0.7), "exp": math.exp(0.7), "sin": math.sin(0.7)}[fn]  # fmt: skip
    assert draws.values[0, 0, 1] == pytest.approx(expected, abs=1e-3)
    assert len(draws.to_frame()) == 1


def test_what_if_is_the_filter_of_the_other_agent():
    u = make_reversals(100)
    result = what_if(HGF(2, "binary"), u, theta={"x1.omega": -6.0})
    other = filter_beliefs(HGF(2, "binary", x1_omega=-6.0), u)
    np.testing.assert_array_equal(result.other.mean, other.mean)
    assert "x1.omega -6" in str(result)
    assert set(result.to_frame()["node"]) == {"u", "x1", "x2"}
    assert result.plot("x1").get_legend() is not None
    swapped = what_if(HGF(2, "binary"), u, instead=1 - u)
    assert swapped.other.mean[-1, 1] == pytest.approx(-swapped.actual.mean[-1, 1], rel=1e-9)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: fit_beliefs(HGF(1), WALK, free=[]), StudyError, "at least one free number"),
        (lambda: fit_beliefs(HGF(1), WALK, free=["x1.omega"], starts=0), StudyError, "starts: expected"),
        (lambda: fit_beliefs(HGF(1), WALK, free=["x1.omega"], level=2), EstimationError, "between 0 and 1"),
        (lambda: fit_beliefs(HGF(1), WALK, free=["x1.omga"]), StudyError, "Did you mean 'x1.omega'"),
        (lambda: fit_beliefs(HGF(1), WALK, free=["x1.omega"], priors={"x1.rho": Prior(0, 1)}), StudyError,
         "not among the free numbers"),
        (lambda: Prior(0.0, 0.0), StudyError, "positive sd, got 0 and 0"),
        (lambda: fit_subjects(HGF(1), [WALK], [1, 2], free=["x1.omega"]), DataError, "entries for 1 people"),
        (lambda: what_if(HGF(1), WALK), StudyError, "got neither"),
        (lambda: what_if(HGF(1), WALK, instead=WALK[1:]), DataError, "expected 400 steps, got 399"),
        (lambda: sample_beliefs(HGF(1), 0), StudyError, "steps: expected a whole number from 1"),
        (lambda: sample_beliefs(HGF(1), 5, do={"x1": [1.0]}), DataError, "or 5 of them"),
        (lambda: respond(filter_beliefs(HGF(1), WALK)), StudyError, "binary input"),
        (lambda: fit_rescorla_wagner([1, 0], [1]), DataError, "got 2 and 1 values"),
        (lambda: compare({"a": fit_rescorla_wagner([1, 0], [1, 0])}), StudyError, "two or more accounts"),
    ],
)  # fmt: skip
def test_refusals(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_fits_can_be_read():
    fit = fit_beliefs(HGF(1), WALK, free=["x1.omega"], starts=1)
    assert list(fit.to_frame()["number"]) == ["x1.omega"]
    assert str(fit).startswith("BeliefFit of 400 terms: x1.omega")
    assert fit.plot() is not None
    assert fit.bic == pytest.approx(math.log(400) - 2 * fit.log_likelihood)
    assert fit.network.node("x1").omega == fit.estimate[0]


def test_a_filter_that_diverges_everywhere_is_refused():
    jumps = np.where(np.arange(60) % 10 == 0, 50.0, 0.0)
    network = HGF(3, update="ehgf", x1_omega=-13.0, x2_omega=2.0, x3_omega=2.0)
    with pytest.raises(EstimationError, match="diverges at each of 2 starts"):
        fit_beliefs(network, jumps, free=["x1.rho"], priors={"x1.rho": Prior(0.0, 1e-3)}, starts=2)
