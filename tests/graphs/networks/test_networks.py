"""Discrete networks against brute force, against stored marginals of pgmpy, and what they refuse."""

from __future__ import annotations

import json
import math
import time
from functools import reduce
from operator import mul
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from suppose.core.errors import DataError, EstimationError, GraphError
from suppose.core.world import World
from suppose.graphs import DAG
from suppose.graphs.factors import Factor
from suppose.graphs.networks import DiscreteNetwork, load_network

REFERENCE = json.loads((Path(__file__).parent / "marginals.json").read_text())
NAMES = tuple("abcdef")


def random_network(seed: int, zeros: bool = False) -> DiscreteNetwork:
    """Six vertices, two or three states each, every table drawn; some entries zero where asked."""
    rng = np.random.default_rng(seed)
    edges = [(NAMES[i], NAMES[j]) for j in range(6) for i in range(j) if rng.random() < 0.5]
    dag = DAG.from_edges(edges, nodes=NAMES)
    states = {name: ("0", "1", "2")[: rng.integers(2, 4)] for name in NAMES}
    tables = {}
    for name in NAMES:
        own = (name, *dag.parents(name))
        values = rng.random([len(states[v]) for v in own])
        if zeros:
            values[rng.random(values.shape) < 0.2] = 0.0
            values[0] += 0.1
        tables[name] = Factor(own, tuple(states[v] for v in own), values / values.sum(axis=0))
    return DiscreteNetwork(dag, tables)


def joint(network: DiscreteNetwork, do: dict[str, str] | None = None) -> Factor:
    """The whole joint law, one product after another; set vertices have a point mass."""
    tables = []
    for name, table in network.tables.items():
        if do and name in do:
            point = np.eye(len(network.states[name]))[network.states[name].index(do[name])]
            table = Factor((name,), (network.states[name],), point)
        tables.append(table)
    return reduce(mul, tables)


@pytest.mark.parametrize("seed", range(25))
def test_queries_equal_the_sum_over_the_whole_joint(seed) -> None:
    network = random_network(seed, zeros=seed % 2 == 1)
    rng = np.random.default_rng(seed)
    do = {str(rng.choice(NAMES)): "1"}
    whole = joint(network, do)
    seen = next(name for name in rng.permutation(NAMES) if name not in do)
    given = {str(seen): "0"}
    asked = [str(name) for name in rng.permutation(NAMES)[:3] if name not in given]
    if whole.at(given).total() == 0:
        with pytest.raises(EstimationError, match="probability zero"):
            network.query(asked, given=given, do=do)
        return
    expected = whole.at(given).keep(asked)
    found = network.query(asked, given=given, do=do)
    assert found.variables == tuple(asked)
    assert np.allclose(found.values, expected.values / expected.total(), atol=1e-12)
    assert network.evidence_log_prob(given, do) == pytest.approx(math.log(whole.at(given).total()), abs=1e-11)
    for name, table in network.marginals(given=given, do=do).items():
        if name not in given:
            one = whole.at(given).keep([name])
            assert np.allclose(table.values, one.values / one.total(), atol=1e-12)


@pytest.mark.parametrize("name", ["asia", "sachs", "alarm", "insurance"])
@pytest.mark.parametrize("word", ["plain", "conditional"])
def test_marginals_are_those_of_another_library(name, word) -> None:
    given = REFERENCE[name]["given"] if word == "conditional" else None
    network = load_network(name)
    found = network.marginals(given=given)
    for node, numbers in REFERENCE[name][word].items():
        states = found[node].states[0]
        assert np.allclose(found[node].values, [numbers[state] for state in states], rtol=0, atol=1e-9)
        if name != "alarm":  # one question at a time takes the other way through the network
            assert found[node].allclose(network.query(node, given=given), 1e-12)


@pytest.mark.parametrize("single", [0, 64])
@pytest.mark.parametrize("seed", range(12))
def test_marginals_in_parts_are_those_of_one_tree(seed, single, monkeypatch) -> None:
    network = random_network(seed, zeros=seed % 2 == 1)
    rng = np.random.default_rng(seed)
    names = [str(name) for name in rng.permutation(NAMES)]
    settings = [
        {},
        {"given": {names[0]: "0"}},
        {"given": {names[0]: "0", names[1]: "1"}, "do": {names[2]: "1"}},
    ]
    settings.append({"given": dict.fromkeys(NAMES[-2:], "0")})
    for setting in settings:
        try:
            whole = network.marginals(**setting)
        except EstimationError:
            whole = None
        with monkeypatch.context() as patch:
            for name, value in (("LARGE", 0.0), ("WORTH", math.inf), ("NEARLY", 2.0), ("ONE_BY_ONE", single)):
                patch.setattr(f"suppose.graphs.networks.marginals.{name}", value)
            patch.setattr("suppose.graphs.networks.marginals.QUICK", 0.0)
            patch.setattr("suppose.graphs.networks.marginals.PER_VERTEX", 1e-9)
            fresh = DiscreteNetwork(network.graph, network.tables)
            if whole is None:
                with pytest.raises(EstimationError, match="probability zero"):
                    fresh.marginals(**setting)
                continue
            found = fresh.marginals(**setting)
        assert found.keys() == whole.keys()
        for name, table in found.items():
            assert table.allclose(whole[name], 1e-12)


def test_impossible_evidence_is_refused_in_every_way_to_the_marginals(monkeypatch) -> None:
    seen = {"lung": "yes", "either": "no"}
    for single in (0, 64):
        for name, value in (("LARGE", -1.0), ("WORTH", math.inf), ("NEARLY", 2.0), ("ONE_BY_ONE", single)):
            monkeypatch.setattr(f"suppose.graphs.networks.marginals.{name}", value)
        monkeypatch.setattr("suppose.graphs.networks.marginals.QUICK", 0.0)
        monkeypatch.setattr("suppose.graphs.networks.marginals.PER_VERTEX", 1e-9)
        with pytest.raises(
            EstimationError, match="probability zero in this network: lung = yes, either = no"
        ):
            load_network("asia").marginals(given=seen)


def test_what_is_seen_and_what_is_set_are_not_mixed_up() -> None:
    network = load_network("asia")
    after = network.marginals(do={"dysp": "yes"})
    seen = network.marginals(given={"dysp": "yes"})
    again = network.marginals(do={"dysp": "yes"})
    for name in network.graph.nodes:
        assert seen[name].allclose(network.query(name, given={"dysp": "yes"}), 1e-12)
        assert after[name].allclose(again[name], 0) and after[name].allclose(
            network.query(name, do={"dysp": "yes"}), 1e-12
        )


def test_all_marginals_of_alarm_take_less_than_a_twentieth_of_a_second() -> None:
    network = load_network("alarm")
    start = time.process_time()
    network.marginals()
    assert time.process_time() - start < 0.05


def test_surgery_is_the_network_of_do() -> None:
    network = load_network("asia")
    assert (
        network.do({"lung": "yes"}).query("xray").allclose(network.query("xray", do={"lung": "yes"}), 1e-15)
    )
    assert network.query("smoke", do={"lung": "yes"}).allclose(network.query("smoke"), 1e-15)
    assert not network.query("smoke", given={"lung": "yes"}).allclose(network.query("smoke"), 0.1)


def test_rows_follow_the_law_they_are_scored_by() -> None:
    network = random_network(3)
    given, do = {"e": "1"}, {"b": "0"}
    rows = network.sample(40_000, given=given, do=do, seed=1)
    assert (rows["e"] == "1").all() and (rows["b"] == "0").all()
    for name, table in network.marginals(given=given, do=do).items():
        shares = rows[name].value_counts(normalize=True)
        for state, expected in zip(table.states[0], table.values, strict=True):
            error = math.sqrt(expected * (1 - expected) / len(rows))
            assert abs(shares.get(state, 0.0) - expected) <= 4.5 * error
    scores = network.log_prob(rows.head(20), given=given, do=do)
    whole = joint(network, do)
    for score, row in zip(scores, rows.head(20).to_dict("records"), strict=True):
        assert math.exp(score) == pytest.approx(whole.at(row).total() / whole.at(given).total(), rel=1e-10)
    assert network.sample(50, seed=4).equals(network.sample(50, seed=4))
    assert isinstance(network, World)


def test_tables_are_counted_with_their_prior() -> None:
    rows = pd.DataFrame({"x": ["a", "a", "b", "b", "b"], "y": ["u", "v", "u", "u", "u"]})
    network = DiscreteNetwork.fit(rows, "x -> y")
    assert network.tables["x"].values.tolist() == [3 / 7, 4 / 7]
    assert network.tables["y"].values.tolist() == [[2 / 4, 4 / 5], [2 / 4, 1 / 5]]
    counted = DiscreteNetwork.fit(rows, "x -> y", prior=0)
    assert counted.tables["y"].values.tolist() == [[0.5, 1.0], [0.5, 0.0]]


def test_a_large_sample_gives_the_network_back() -> None:
    network = random_network(8)
    learned = DiscreteNetwork.fit(network.sample(200_000, seed=2), network.graph, states=network.states)
    worst = max(
        float(np.abs(table.values - learned.tables[name].reorder(table.variables).values).max())
        for name, table in network.tables.items()
    )
    assert worst < 0.05


@pytest.mark.parametrize("name", ["asia", "sachs", "alarm", "insurance"])
def test_a_written_network_reads_back_the_same(name) -> None:
    network = load_network(name)
    assert DiscreteNetwork.from_bif(network.to_bif()) == network


def test_would_have_been_is_exact_where_tables_are_mechanisms() -> None:
    two = ("0", "1")
    xor = np.zeros((2, 2, 2))
    for x in range(2):
        for u in range(2):
            xor[x ^ u, x, u] = 1.0
    network = DiscreteNetwork("x -> y; u -> y", {
        "x": Factor(("x",), (two,), np.array([0.5, 0.5])),
        "u": Factor(("u",), (two,), np.array([0.9, 0.1])),
        "y": Factor(("y", "x", "u"), (two,) * 3, xor),
    })  # fmt: skip
    found = network.counterfactual("y", do={"x": "0"}, given={"x": "1", "y": "0"})
    assert found.unique and found.table.values.tolist() == [0.0, 1.0]


def test_bounds_hold_every_coupling() -> None:
    two = ("no", "yes")
    network = DiscreteNetwork("drug -> well", {
        "drug": Factor(("drug",), (two,), np.array([0.5, 0.5])),
        "well": Factor(("well", "drug"), (two, two), np.array([[0.6, 0.3], [0.4, 0.7]])),
    })  # fmt: skip
    ask = {"do": {"drug": "no"}, "given": {"drug": "yes", "well": "yes"}}
    bounds = network.counterfactual("well", **ask)
    # Tian and Pearl 2000: what would have been well lies between (p1 + q0 - 1)/p1 and min(p1, q0)/p1, where
    # p1 = P(well | drug) = 0.7 and q0 = P(well | no drug) = 0.4.
    assert np.allclose(bounds.lower.values, [3 / 7, 1 / 7]) and np.allclose(
        bounds.upper.values, [6 / 7, 4 / 7]
    )
    with pytest.raises(EstimationError, match="tables of well do not say"):
        bounds.table
    monotone = network.counterfactual("well", **ask, coupling="monotone")
    assert np.allclose(monotone.table.values, [3 / 7, 4 / 7])
    gumbel = network.counterfactual("well", **ask, coupling="gumbel").table.values
    assert ((bounds.lower.values - 1e-9 <= gumbel) & (gumbel <= bounds.upper.values + 1e-9)).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: DiscreteNetwork("x <-> y", {}), "x <-> y has none"),
        (lambda: DiscreteNetwork("x -> y", {}), "node 'x': this vertex has no table"),
        (
            lambda: DiscreteNetwork("x", {"x": Factor(("x",), (("0", "1"),), np.array([0.5, 0.51]))}),
            r"sums to 1\+0.01",
        ),
        (lambda: load_network("asia").query("lungs"), "lungs"),
        (lambda: load_network("asia").query("lung", given={"smoke": "maybe"}), "got 'maybe'"),
        (
            lambda: load_network("asia").query("xray", given={"lung": "yes", "either": "no"}),
            "probability zero",
        ),
        (lambda: load_network("asai"), "Did you mean 'asia'"),
        (lambda: DiscreteNetwork.from_bif("variable a { type discrete [ 2 ] { no, yes };"), "not closed"),
        (lambda: load_network("asia").sample(0), "whole number of at least 1"),
    ],
)
def test_what_cannot_be_answered_is_refused(wrong, message) -> None:
    with pytest.raises((GraphError, DataError, EstimationError), match=message):
        wrong()


def test_a_clique_that_does_not_fit_is_refused_before_the_work() -> None:
    two = ("0", "1")
    names = [f"v{i}" for i in range(40)]
    dag = DAG.from_edges([], nodes=names)
    network = DiscreteNetwork(dag, {v: Factor((v,), (two,), np.array([0.5, 0.5])) for v in names})
    start = time.perf_counter()
    with pytest.raises(GraphError, match="exact inference needs a table of") as caught:
        network.query(names)
    assert caught.value.code == "clique-too-large" and time.perf_counter() - start < 1
