"""Networks of seventy to a thousand vertices: the marginals of pgmpy and pyAgrum, in the time asked for."""

from __future__ import annotations

import importlib.util
import json
import time
from pathlib import Path

import numpy as np
import pytest

from suppose.core.errors import GraphError
from suppose.graphs import DAG
from suppose.graphs.factors import Factor
from suppose.graphs.networks import DiscreteNetwork

HERE = Path(__file__).parent
REFERENCE = json.loads((HERE / "marginals_larger.json").read_text())


@pytest.mark.parametrize("name", ["hepar2", "andes", "pigs"])
def test_marginals_of_larger_networks_are_those_of_another_library(name) -> None:
    network = DiscreteNetwork.from_bif(HERE / f"{name}.bif.gz", normalize=True)
    start = time.process_time()
    found = network.marginals()
    seconds = time.process_time() - start
    assert seconds < 1.5
    assert found.keys() == REFERENCE[name].keys()
    for node, numbers in REFERENCE[name].items():
        expected = [numbers[state] for state in found[node].states[0]]
        assert np.allclose(found[node].values, expected, rtol=0, atol=1e-9)


def test_evidence_spreads_the_same_both_ways_through_a_larger_network() -> None:
    network = DiscreteNetwork.from_bif(HERE / "andes.bif.gz", normalize=True)
    row = network.sample(1, seed=3).astype(str).iloc[0]
    given = {name: row[name] for name in network.graph.nodes[-1:-40:-4]}
    found = network.marginals(given=given)
    for name in network.graph.nodes[::60]:
        if name not in given:
            assert found[name].allclose(network.query(name, given=given), 1e-11)


def test_cliques_that_do_not_fit_are_refused_with_their_size() -> None:
    two, roots = ("0", "1"), [f"v{i}" for i in range(30)]
    tables = {name: Factor((name,), (two,), np.array([0.5, 0.5])) for name in roots}
    pairs = {f"{a}{b}": (a, b) for i, a in enumerate(roots) for b in roots[:i]}
    for name, (a, b) in pairs.items():
        tables[name] = Factor((name, a, b), (two,) * 3, np.full((2, 2, 2), 0.5))
    edges = [(parent, name) for name, parents in pairs.items() for parent in parents]
    network = DiscreteNetwork(DAG.from_edges(edges, nodes=[*roots, *pairs]), tables)
    whole = network.marginals()  # in parts, though one tree would not fit
    assert whole["v9v3"].values.tolist() == whole["v29"].values.tolist() == [0.5, 0.5]
    start = time.process_time()
    with pytest.raises(
        GraphError, match=r"needs a table of 1.07e\+09 entries over 30 variables \(v"
    ) as caught:
        network.marginals(given=dict.fromkeys(pairs, "1"))
    assert caught.value.code == "clique-too-large" and time.process_time() - start < 5
    with pytest.raises(GraphError, match="exact inference needs a table"):
        network.query("v3", given=dict.fromkeys(pairs, "1"))
    assert network.query("v3").values.tolist() == [0.5, 0.5]  # what cannot matter is left out first
    assert network.query("v3", given={"v1v0": "1"}).values.tolist() == [0.5, 0.5]
    assert network.query("v3v2", given=dict.fromkeys(roots, "1"), do=None).values.tolist() == [0.5, 0.5]


def test_tables_beyond_the_memory_are_refused(monkeypatch) -> None:
    network = DiscreteNetwork.from_bif(HERE / "andes.bif.gz", normalize=True)
    monkeypatch.setattr("suppose.graphs.networks.contraction.available_memory", lambda: 1_000_000)
    network.marginals()  # too small to ask
    monkeypatch.setattr("suppose.graphs.networks.contraction.SMALL", 1_000)
    with pytest.raises(GraphError, match=r"needs about 0.0 GB for its tables, this machine has 0.0 GB free"):
        network.marginals()


@pytest.mark.peer
@pytest.mark.slow
def test_the_race_is_run_and_its_answers_agree() -> None:
    if not (importlib.util.find_spec("pgmpy") and importlib.util.find_spec("pyagrum")):
        pytest.skip("pgmpy and pyAgrum are not installed")
    from benchmarks import networks

    for row in networks.main(
        ["alarm", "hepar2", "andes"]
    ):  # raises where the answers differ by more than 1e-9
        assert row["ratio"] < (10 if row["peer"] == "pyagrum" else 1)
