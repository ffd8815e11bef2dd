"""Formulas on tables, rows and networks: the same number from each, smoothing, gaps named, sizes refused."""

from __future__ import annotations

import itertools
import random
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from suppose.core.errors import DataError, EstimationError, GraphError
from suppose.graphs import DAG
from suppose.graphs.factors import Factor
from suppose.graphs.identification import identify
from suppose.graphs.networks import load_network

BIT = ("0", "1")
BACK = "z -> {x y}; x -> y"
NAPKIN = "w1 -> w2 -> x -> y; w1 <-> x; w1 <-> y"


def rows_of(counts: dict[tuple[str, ...], int], names: str) -> pd.DataFrame:
    return pd.DataFrame([row for row, k in counts.items() for _ in range(k)], columns=list(names))


GAP = rows_of(
    {("0", "0", "0"): 3, ("0", "0", "1"): 1, ("0", "1", "1"): 4, ("1", "0", "1"): 2, ("1", "0", "0"): 2},
    "zxy",
)


def test_rows_tables_and_networks_agree(lab):
    rng = random.Random(1)
    for seed in range(12):
        dag, y, x, z = lab.random_query(rng)
        effect = identify(dag, y, x, z)
        if not effect:
            continue
        network = lab.random_network(dag, np.random.default_rng(seed))
        rows = network.sample(4000, seed=seed)[list(dag.nodes)]
        counts = (
            rows.groupby(list(dag.nodes), observed=False)
            .size()
            .to_numpy()
            .reshape([2] * len(dag))
            .astype(float)
        )
        joint = Factor(dag.nodes, (BIT,) * len(dag), counts)
        from_rows = effect.evaluate(rows)
        assert from_rows.allclose(effect.evaluate(joint), 1e-12)
        assert from_rows.allclose(effect.evaluate(rows.sample(frac=1.0, random_state=seed)), 1e-12)
        shares = Factor(joint.variables, joint.states, joint.values / joint.total())
        assert from_rows.allclose(effect.evaluate(shares), 1e-12)
        exact = effect.evaluate(network)
        assert exact.allclose(effect.evaluate(network.query(list(dag.nodes))), 1e-9)
        if not z:  # estimated laws are laws: chains along one causal order fit together
            np.testing.assert_allclose(from_rows.sum_out(y).values, 1.0, atol=1e-12)


def test_order_of_axes_and_what_at_leaves_open():
    joint = Factor(
        ("y", "z", "x"), (BIT,) * 3, np.random.default_rng(2).dirichlet(np.ones(8)).reshape(2, 2, 2)
    )
    effect = identify(BACK, "y", "x")
    whole = effect.evaluate(joint)
    assert whole.variables == ("y", "x")
    for x in BIT:
        assert effect.evaluate(joint, at={"x": x}).allclose(whole.at({"x": x}), 1e-15)
    assert float(effect.evaluate(joint, at={"x": 1, "y": 0}).values) == whole.at({"x": "1", "y": "0"}).total()

    def share(**cell):
        return joint.at(cell).total()

    by_hand = sum(share(z=z) * share(z=z, x="1", y="1") / share(z=z, x="1") for z in BIT)
    assert abs(whole.at({"x": "1", "y": "1"}).total() - by_hand) < 1e-12


def test_a_gap_that_matters_is_named():
    effect = identify(BACK, "y", "x")
    with pytest.raises(EstimationError, match=r"needs P\(y \| x, z\), .* has x = 1, z = 1") as caught:
        effect.evaluate(GAP, at={"x": "1"})
    assert caught.value.code == "zero-support" and "prior=1" in str(caught.value)
    np.testing.assert_allclose(effect.evaluate(GAP, at={"x": "0"}).values, [2 / 3, 1 / 3])
    smooth = effect.evaluate(GAP, at={"x": "1"}, prior=1.0)
    # Shares of z with one more row in each state; y given x = 1, z = 1 is an even guess.
    zs = np.array([9, 5]) / 14
    np.testing.assert_allclose(smooth.values[1], zs[0] * 5 / 6 + zs[1] * 0.5)


def test_a_gap_without_weight_does_not_matter():
    joint = np.zeros((2, 2, 2))
    joint[0] = [[0.2, 0.2], [0.3, 0.3]]  # z = 1 never occurs
    found = identify(BACK, "y", "x").evaluate(Factor(("z", "x", "y"), (BIT,) * 3, joint))
    np.testing.assert_allclose(found.values, 0.5)


def test_values_at_which_a_formula_is_unknown_are_passed_over(lab):
    effect = identify(NAPKIN, "y", "x")
    network = lab.random_network(effect.graph, np.random.default_rng(3))
    joint = network.query(["w1", "w2", "x", "y"])
    values = joint.values.copy()
    values[:, 1, 1] = 0.0  # x = 1 never with w2 = 1
    found = effect.evaluate(Factor(joint.variables, joint.states, values), at={"x": "1"})
    truth = network.query("y", do={"x": "1"})
    np.testing.assert_allclose(
        found.values, effect.evaluate(joint, at={"x": "1", "w2": "0"}).values, atol=0.1
    )
    assert found.variables == ("y",) and abs(found.total() - 1) < 1e-12 and truth.variables == ("y",)
    with pytest.raises(EstimationError, match="nothing in the table has|divides zero by zero"):
        effect.evaluate(Factor(joint.variables, joint.states, values), at={"x": "1", "w2": "1"})


def test_only_tables_of_single_terms_are_made():
    # Fourteen variables of six states: their joint would have 7.8e10 cells, the terms of the formula have 216.
    names = [f"v{k}" for k in range(14)]
    dag = DAG("; ".join(f"{a} -> {b}" for a, b in itertools.pairwise(names)))
    effect = identify(dag, "v13", "v0", shorten=False)
    assert len(effect.variables) == 14
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({name: rng.integers(0, 6, 3000).astype(str) for name in names})
    tracemalloc.start()
    found = effect.evaluate(frame, at={"v0": "3"})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert abs(found.total() - 1) < 1e-12 and peak < 2**25


def test_alarm_with_a_hidden_cause():
    network = load_network("alarm")
    hidden = network.graph.replace(latent=["LVFAILURE"])
    effect = identify(hidden, "BP", "HYPOVOLEMIA")
    truth = network.query("BP", do={"HYPOVOLEMIA": "TRUE"})
    assert effect.evaluate(network, at={"HYPOVOLEMIA": "TRUE"}).allclose(truth, 1e-9)


def test_refusals():
    effect = identify(BACK, "y", "x")
    joint = Factor(("z", "x", "y"), (BIT,) * 3, np.full((2, 2, 2), 0.125))
    with pytest.raises(GraphError, match="variable 'zz': the answer depends on y, x"):
        effect.evaluate(joint, at={"zz": "1"})
    with pytest.raises(GraphError, match="expected one of 0, 1, got '2'"):
        effect.evaluate(joint, at={"x": "2"})
    with pytest.raises(GraphError, match="expected 'plugin', got 'magic'"):
        effect.evaluate(joint, method="magic")
    with pytest.raises(EstimationError, match="number of at least 0, got -1"):
        effect.evaluate(joint, prior=-1)
    with pytest.raises(GraphError, match="variable 'z': this table is over x, y"):
        effect.evaluate(joint.sum_out("z"))
    with pytest.raises(DataError, match="'z'") as caught:
        effect.evaluate(GAP[["x", "y"]])
    assert caught.value.code == "missing-column"
    with pytest.raises(GraphError, match="weights that are finite, not below zero"):
        effect.evaluate(Factor(joint.variables, joint.states, joint.values - 1))
    many = pd.DataFrame({name: [f"{name}{k}" for k in range(700)] for name in "zxy"})
    with pytest.raises(GraphError, match=r"needs a table of 3.43e\+08 entries over 3 variables") as caught:
        effect.evaluate(many)
    assert caught.value.code == "clique-too-large"


def test_what_is_not_identified_has_no_number():
    with pytest.raises(EstimationError, match=r"P\(y \| do\(x\)\) is not identified") as caught:
        identify("x -> y; x <-> y", "y", "x").evaluate(GAP)
    assert caught.value.code == "no-formula"
