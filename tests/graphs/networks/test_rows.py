"""Rows of networks: drawn, scored with columns left out, learned from; and what renaming leaves as it was."""

from __future__ import annotations

import copy
import itertools
import math

import numpy as np
import pandas as pd
import polars as pl
import pytest

from suppose.core.errors import DataError, EstimationError, GraphError
from suppose.graphs import DAG
from suppose.graphs.factors import Factor
from suppose.graphs.networks import DiscreteNetwork, load_network

TWO = ("no", "yes")


def renamed(network: DiscreteNetwork) -> tuple[DiscreteNetwork, dict[str, str]]:
    """The same network with other names, its vertices, edges and parents in another order."""
    names = {name: f"v{len(name)}_{i}" for i, name in enumerate(network.graph.nodes)}
    rng = np.random.default_rng(1)
    nodes = [names[name] for name in rng.permutation(network.graph.nodes)]
    edges = [(names[a], names[b]) for a, b in rng.permutation(network.graph.directed)]
    tables = {
        names[name]: Factor(tuple(names[v] for v in table.variables), table.states, table.values).reorder(
            [names[name], *(names[v] for v in rng.permutation(table.variables[1:]))]
        )
        for name, table in network.tables.items()
    }
    return DiscreteNetwork(DAG.from_edges(edges, nodes=nodes), tables), names


@pytest.mark.parametrize("name", ["asia", "insurance", "alarm"])
def test_names_and_orders_do_not_matter(name) -> None:
    network = load_network(name)
    other, names = renamed(network)
    rows = network.sample(6, seed=2).astype(str)
    given = {v: rows[v][0] for v in network.graph.nodes[-3:]}
    found = other.marginals(given={names[v]: state for v, state in given.items()})
    for v, table in network.marginals(given=given).items():
        assert np.allclose(found[names[v]].values, table.values, rtol=0, atol=1e-12)
    assert np.allclose(other.log_prob(rows.rename(columns=names)), network.log_prob(rows), atol=1e-11)
    half = network.graph.nodes[::2]
    some = rows[list(half)]
    assert np.allclose(other.log_prob(some.rename(columns=names)), network.log_prob(some), atol=1e-10)


@pytest.mark.parametrize(
    "columns", [["lung", "xray"], ["dysp"], ["asia", "smoke", "dysp"], ["either", "bronc", "tub"]]
)
@pytest.mark.parametrize("do", [None, {"bronc": "yes"}])
def test_columns_left_out_are_summed_over(columns, do) -> None:
    network = load_network("asia")
    rows = network.sample(60, seed=3, do=do)[columns]
    table = network.query(columns, do=do)
    expected = [math.log(table.at(row).total()) for row in rows.astype(str).to_dict("records")]
    assert np.allclose(network.log_prob(rows, do=do), expected, atol=1e-11)
    given = {"xray": "yes"}
    table = network.query(columns, given=given, do=do)
    with np.errstate(divide="ignore"):
        expected = [np.log(table.at(row).total()) for row in rows.astype(str).to_dict("records")]
    assert np.allclose(network.log_prob(rows, given=given, do=do), expected, atol=1e-11)


def test_all_probabilities_of_a_network_sum_to_one() -> None:
    network = load_network("asia")
    grid = np.array(np.meshgrid(*list(network.states.values()), indexing="ij")).reshape(8, -1).T
    rows = pd.DataFrame(grid, columns=list(network.graph.nodes))
    assert np.exp(network.log_prob(rows)).sum() == pytest.approx(1, abs=1e-12)
    assert np.exp(network.log_prob(rows, given={"dysp": "yes"}, do={"lung": "no"})).sum() == pytest.approx(1)


def test_a_thousand_small_probabilities_do_not_vanish() -> None:
    names = [f"v{i}" for i in range(800)]
    near = np.array([[0.999, 0.2], [0.001, 0.8]])
    network = DiscreteNetwork(DAG.from_edges(itertools.pairwise(names), nodes=names), {
        name: Factor((name, names[i - 1]), (TWO, TWO), near) if i else Factor((name,), (TWO,), near[:, 0])
        for i, name in enumerate(names)
    })  # fmt: skip
    given = {name: ("yes" if i % 4 == 0 else "no") for i, name in enumerate(names) if i % 2 == 0}
    found = network.evidence_log_prob(given)
    state, total = np.array([0.999, 0.001]), 0.0
    for i, name in enumerate(names):  # forward filtering, in logarithms
        if i:
            state = near @ state
        if name in given:
            state = np.where(np.array(TWO) == given[name], state, 0)
        total, state = total + math.log(state.sum()), state / state.sum()
    assert found < -800 and found == pytest.approx(total, abs=1e-8)
    assert network.marginals(given=given)["v1"].total() == pytest.approx(1)
    rows = network.sample(50, given=given, seed=1)
    assert (rows["v4"] == "yes").all() and np.isfinite(network.log_prob(rows, given=given)).all()


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_learning_reads_any_frame_and_any_order_of_rows(make) -> None:
    rows = load_network("asia").sample(500, seed=1).astype(str)
    first = DiscreteNetwork.fit(make(rows.to_dict("list")), load_network("asia").graph)
    again = DiscreteNetwork.fit(rows.sample(frac=1, random_state=1), load_network("asia").graph)
    assert first == again and copy.deepcopy(first) == first
    one = rows[rows["asia"] == "no"].head(50)
    kept = DiscreteNetwork.fit(one, "asia -> tub", states={"asia": ("yes", "no")})
    assert kept.states["asia"] == ("yes", "no") and kept.tables["asia"].values.tolist() == [1 / 52, 51 / 52]


def test_numbers_and_truth_values_are_states_in_their_order() -> None:
    rows = pd.DataFrame({"n": [10, 9, 100, 9], "b": [True, False, True, True]})
    network = DiscreteNetwork.fit(rows, "n -> b", prior=0.5)
    assert network.states == {"n": ("9", "10", "100"), "b": ("False", "True")}
    assert network.query("b", given={"n": 9}).values.tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda rows: DiscreteNetwork.fit(rows, "x <-> y"), "hidden cause x <-> y"),
        (lambda rows: DiscreteNetwork.fit(rows, "x -> z"), "column 'z': no such column"),
        (lambda rows: DiscreteNetwork.fit(rows, "x -> y", prior=-1.0), "number of at least 0, got -1.0"),
        (
            lambda rows: DiscreteNetwork.fit(rows, "x -> y", prior=0.0, states={"x": "ab?"}),
            "no row has x = ?",
        ),
        (
            lambda rows: DiscreteNetwork.fit(rows, "x -> y", states={"x": "ac"}),
            "column 'x': expected one of a, c, got 'b'",
        ),
        (lambda rows: DiscreteNetwork.fit(rows.assign(x=["a", None]), "x -> y"), "1 of 2 values are missing"),
        (lambda rows: load_network("asia").log_prob(rows), "column 'x': no such column"),
        (lambda rows: load_network("asia").log_prob(pd.DataFrame({"lung": ["maybe"]})), "got 'maybe'"),
        (
            lambda rows: load_network("asia").sample(5, given={"lung": "yes", "either": "no"}),
            "probability zero",
        ),
        (
            lambda rows: load_network("asia").log_prob(
                pd.DataFrame({"dysp": ["yes"]}), given={"lung": "yes", "either": "no"}
            ),
            "probability zero",
        ),
        (
            lambda rows: load_network("asia").query("lung", given={"lung": "yes"}, do={"lung": "yes"}),
            "observed at once",
        ),
    ],
)
def test_what_cannot_be_learned_or_scored_is_refused(wrong, message) -> None:
    with pytest.raises((DataError, EstimationError, GraphError), match=message):
        wrong(pd.DataFrame({"x": ["a", "b"], "y": ["u", "v"]}))
