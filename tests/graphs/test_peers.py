"""Agreement with pgmpy and dowhy; the quick twins compare with networkx and the definitions themselves.

Left out, because the peers answer another question or none (pgmpy 1.1.2, dowhy 0.14):
pgmpy's ``Adjustment.validate`` tests the parents of the treatment only, so it is asked about sets of nodes that
are no effects of the treatment; dowhy's ``EfficientBackdoor`` fails where several edges of the treatment start
causal paths that meet (it removes an edge twice), and such graphs are passed over and counted.
"""

from __future__ import annotations

import logging
import random

import networkx as nx
import pytest

from suppose.graphs import DAG, adjustment_sets, d_separated, is_adjustment_set

pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]

COUNT = 2000


@pytest.fixture(autouse=True)
def quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def some(rng, nodes, without, share=0.4):
    return {v for v in nodes if v not in without and rng.random() < share}


def test_separation_agrees_with_pgmpy(naive):
    base = pytest.importorskip("pgmpy.base")
    rng = random.Random(51)
    for k in range(COUNT):
        nodes, directed, bidirected = naive.random_graph(rng, 10, bidirected=k % 2 == 1)
        dag = DAG.from_edges(directed, bidirected, nodes)
        x, y = rng.sample(nodes, 2)
        given = some(rng, nodes, (x, y))
        if bidirected:
            peer = base.ADMG()
            peer.add_nodes_from(nodes)
            peer.add_directed_edges(directed)
            peer.add_bidirected_edges(bidirected)
            theirs = peer.is_mseparated(x, y, given)
        else:
            peer = base.DAG()
            peer.add_nodes_from(nodes)
            peer.add_edges_from(directed)
            theirs = not peer.is_dconnected(x, y, observed=list(given))
        assert d_separated(dag, x, y, given) == theirs, (dag, x, y, given)


def test_back_door_sets_agree_with_pgmpy(naive):
    base, identification = pytest.importorskip("pgmpy.base"), pytest.importorskip("pgmpy.identification")
    rng = random.Random(52)
    for _ in range(COUNT):
        nodes, directed, _ = naive.random_graph(rng, 10)
        dag = DAG.from_edges(directed, nodes=nodes)
        x, y = rng.sample(nodes, 2)
        members = some(rng, nodes, (*dag.descendants(x), y))
        peer = base.DAG()
        peer.add_nodes_from(nodes)
        peer.add_edges_from(directed)
        peer.with_role("exposures", x, inplace=True)
        peer.with_role("outcomes", y, inplace=True)
        if members:
            peer.with_role("adjustment", members, inplace=True)
        theirs = identification.Adjustment().validate(peer)
        assert is_adjustment_set(dag, x, y, members).valid == theirs, (dag, x, y, members)


def test_optimal_sets_agree_with_dowhy(naive):
    efficient = pytest.importorskip("dowhy.causal_identifier.efficient_backdoor")
    rng = random.Random(53)
    compared = 0
    for _ in range(COUNT):
        nodes, directed, _ = naive.random_graph(rng, 10)
        (x,), (y,) = naive.random_ends(rng, naive.Naive(nodes, directed), several=False)
        dag = DAG.from_edges(directed, nodes=nodes)
        if x not in dag.ancestors(y):
            continue
        graph = nx.DiGraph(directed)
        graph.add_nodes_from(nodes)
        peer = efficient.EfficientBackdoor(graph, [x], [y], nodes, [])
        for kind, ask in (("optimal", peer.optimal_adj_set), ("one", peer.optimal_minimal_adj_set)):
            try:
                theirs = set(ask())
            except nx.NetworkXError:
                continue
            assert set(adjustment_sets(dag, x, y, kind)[0]) == theirs, (dag, x, y, kind)
            compared += 1
    assert compared > COUNT
