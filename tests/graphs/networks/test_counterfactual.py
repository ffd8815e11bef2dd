"""Counterfactuals of networks: couplings against simulation, bounds against brute force over response functions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import linprog

from suppose.core.errors import EstimationError, GraphError
from suppose.graphs.factors import Factor
from suppose.graphs.networks import DiscreteNetwork, load_network
from suppose.graphs.networks.couplings import gumbel, monotone

TWO = ("0", "1")


def laws(seed: int, states: int, pairs: int = 7, zeros: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    both = rng.dirichlet(np.ones(states), (2, pairs)).transpose(0, 2, 1)
    if zeros:
        both[0, 0, ::2] = 0
        both[1, -1, ::3] = 0
        both /= both.sum(axis=1, keepdims=True)
    return both[0], both[1]


@pytest.mark.parametrize("law", [gumbel, monotone])
@pytest.mark.parametrize("states", [2, 3, 6])
@pytest.mark.parametrize("zeros", [False, True])
def test_a_coupling_has_both_laws_as_its_margins(law, states, zeros) -> None:
    first, second = laws(states, states, zeros=zeros)
    joint = law(first, second)
    assert (joint >= 0).all()
    assert np.allclose(joint.sum(axis=1), first, atol=1e-12) and np.allclose(
        joint.sum(axis=0), second, atol=1e-12
    )
    assert np.allclose(law(second, first), joint.transpose(1, 0, 2), atol=1e-12)
    same = law(first, first)
    assert np.allclose(same, np.eye(states)[:, :, None] * first[:, None], atol=1e-12)


def test_the_gumbel_coupling_is_that_of_shared_gumbel_numbers() -> None:
    first, second = laws(5, 4, pairs=1)
    joint = gumbel(first, second)[:, :, 0]
    numbers = np.random.default_rng(1).gumbel(size=(400_000, 4))
    one, other = (np.argmax(np.log(p[:, 0]) + numbers, axis=1) for p in (first, second))
    counted = np.zeros((4, 4))
    np.add.at(counted, (one, other), 1 / len(one))
    assert (np.abs(counted - joint) <= 4.5 * np.sqrt(joint * (1 - joint) / len(one)) + 1e-12).all()


def chain(seed: int) -> DiscreteNetwork:
    """X -> m -> y, with x -> y: both tables leave open who would have had which state."""
    rng = np.random.default_rng(seed)
    return DiscreteNetwork("x -> m; m -> y; x -> y", {
        "x": Factor(("x",), (TWO,), rng.dirichlet([1, 1])),
        "m": Factor(("m", "x"), (TWO, TWO), rng.dirichlet([1, 1], 2).T),
        "y": Factor(("y", "m", "x"), (TWO,) * 3, rng.dirichlet([1, 1], (2, 2)).transpose(2, 0, 1)),
    })  # fmt: skip


def responses(table: np.ndarray, rng: np.random.Generator) -> tuple[list[dict], np.ndarray]:
    """All response functions of a table, and a random extreme law over them that agrees with it."""
    settings = list(itertools.product(*map(range, table.shape[1:])))
    functions = [dict(zip(settings, states, strict=True)) for states in
                 itertools.product(range(table.shape[0]), repeat=len(settings))]  # fmt: skip
    matrix = [[f[s] == k for f in functions] for s in settings for k in range(table.shape[0])]
    right = [table[(k, *s)] for s in settings for k in range(table.shape[0])]
    law = linprog(rng.normal(size=len(functions)), A_eq=np.asarray(matrix, float), b_eq=right, method="highs")
    return functions, np.maximum(law.x, 0)


@pytest.mark.parametrize("seed", range(6))
def test_bounds_hold_every_model_that_agrees_with_the_tables(seed) -> None:
    network, rng = chain(seed), np.random.default_rng(seed)
    found = network.counterfactual("y", do={"x": "0"}, given={"x": "1", "y": "1"})
    assert not found.unique and set(found.open_tables) == {"m", "y"}
    seen = []
    for _ in range(40):
        of_m, weight_m = responses(network.tables["m"].values, rng)
        of_y, weight_y = responses(network.tables["y"].values, rng)
        whole = would = 0.0
        for (f, a), (g, b) in itertools.product(
            zip(of_m, weight_m, strict=True), zip(of_y, weight_y, strict=True)
        ):
            if g[(f[(1,)], 1)] == 1:
                whole += a * b
                would += a * b * (g[(f[(0,)], 0)] == 1)
        seen.append(would / whole)
    low, high = float(found.lower.values[1]), float(found.upper.values[1])
    assert low - 1e-9 <= min(seen) and max(seen) <= high + 1e-9
    for coupling in ("gumbel", "monotone"):
        one = network.counterfactual(
            "y", do={"x": "0"}, given={"x": "1", "y": "1"}, coupling=coupling
        ).table.values[1]
        assert low - 1e-9 <= one <= high + 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_bounds_of_one_table_are_those_of_frechet(seed) -> None:
    three = ("a", "b", "c")
    values = np.random.default_rng(seed).dirichlet(np.ones(3), 2).T
    network = DiscreteNetwork("x -> y", {
        "x": Factor(("x",), (TWO,), np.array([0.3, 0.7])), "y": Factor(("y", "x"), (three, TWO), values),
    })  # fmt: skip
    found = network.counterfactual("y", do={"x": "1"}, given={"x": "0", "y": "b"})
    p, q = values[1, 0], values[:, 1]
    assert np.allclose(found.lower.values, np.maximum(0, p + q - 1) / p, atol=1e-7)
    assert np.allclose(found.upper.values, np.minimum(p, q) / p, atol=1e-7)


def test_what_do_does_not_reach_stays_as_it_was() -> None:
    network = load_network("asia")
    found = network.counterfactual(
        ["smoke", "bronc"], do={"xray": "no"}, given={"xray": "yes", "bronc": "yes"}
    )
    assert found.unique and found.table.allclose(
        network.query(["smoke", "bronc"], given={"xray": "yes", "bronc": "yes"})
    )
    seen = network.counterfactual("bronc", do={"xray": "no"}, given={"bronc": "yes"})
    assert seen.unique and seen.table.values.tolist() == [1.0, 0.0]


def test_setting_what_was_gives_what_was() -> None:
    network = chain(3)
    found = network.counterfactual("y", do={"x": "1"}, given={"x": "1", "y": "0"})
    assert found.unique and np.allclose(found.table.values, [1, 0], atol=1e-7)


def test_without_evidence_the_answer_is_that_of_do() -> None:
    network = chain(4)
    for coupling in ("none", "gumbel", "monotone"):
        found = network.counterfactual("y", do={"x": "1"}, coupling=coupling)
        assert found.table.allclose(network.query("y", do={"x": "1"}), 1e-7)


def test_a_result_can_be_read_and_drawn() -> None:
    found = chain(1).counterfactual("y", do={"x": "0"}, given={"y": "1"})
    frame = found.to_frame()
    assert list(frame.columns) == ["y", "lower", "upper"] and (frame["lower"] <= frame["upper"]).all()
    assert "bounds: the tables of" in str(found) and found.plot().get_xlabel() == "probability"


def test_what_cannot_be_answered_is_refused() -> None:
    with pytest.raises(GraphError, match="expected one of none, monotone, gumbel, got 'best'"):
        chain(1).counterfactual("y", do={"x": "0"}, coupling="best")
    with pytest.raises(EstimationError, match="probability zero"):
        load_network("asia").counterfactual("xray", do={"smoke": "no"}, given={"lung": "yes", "either": "no"})
    network = load_network("alarm")
    with pytest.raises(EstimationError, match="linear program over"):
        network.counterfactual(
            "BP", do={"CVP": "LOW"}, given={"BP": "LOW", "HR": "LOW", "CO": "LOW"}
        ).lower.values
        network.counterfactual(
            "BP", do={"HYPOVOLEMIA": "TRUE"}, given={"BP": "LOW", "HR": "LOW", "CO": "LOW"}
        )
    found = network.counterfactual(
        "BP", do={"HYPOVOLEMIA": "TRUE"}, given={"BP": "LOW", "CO": "LOW"}, coupling="gumbel"
    )
    assert math.isclose(found.table.total(), 1, abs_tol=1e-12)
