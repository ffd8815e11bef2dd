"""Implied independences: complete, true, and the smallest of their kind."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import pytest

from suppose.core.errors import GraphError
from suppose.graphs import DAG, d_separated, implied_independences


def random_graph(rng: np.random.Generator, n: int) -> DAG:
    names = [f"v{i}" for i in range(n)]
    pairs = list(combinations(names, 2))
    directed = [pair for pair in pairs if rng.random() < 0.35]
    bidirected = [pair for pair in pairs if rng.random() < 0.15]
    return DAG.from_edges(directed, bidirected=bidirected, nodes=names)


def separators(dag: DAG, a: str, b: str) -> list[tuple[str, ...]]:
    rest = [name for name in dag.observed if name not in (a, b)]
    subsets = chain.from_iterable(combinations(rest, k) for k in range(len(rest) + 1))
    return [given for given in subsets if d_separated(dag, a, b, given)]


def test_against_every_subset() -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        dag = random_graph(rng, 5)
        found = implied_independences(dag)
        listed = {frozenset((item.first, item.second)): item.given for item in found}
        joined = {frozenset(pair) for pair in (*dag.directed, *dag.bidirected)}
        for a, b in combinations(dag.nodes, 2):
            every = separators(dag, a, b)
            if frozenset((a, b)) in joined:
                assert not every and frozenset((a, b)) not in listed
            elif every:
                given = listed[frozenset((a, b))]
                assert given in {tuple(s) for s in every} and len(given) == min(map(len, every))
            else:
                assert (a, b) in found.inseparable


def test_latent_nodes_are_never_given() -> None:
    found = implied_independences(DAG("u -> {a b}; a -> c; b -> d", latent=["u"]))
    assert [str(item) for item in found] == [
        "a and d are independent given b",
        "b and c are independent given a",
        "c and d are independent given a",
    ]


def test_complete_graph_implies_nothing_and_limit_cuts() -> None:
    none = implied_independences(DAG("a -> {b c}; b -> c"))
    assert len(none) == 0 and "implies no independence" in none.reason
    some = implied_independences(DAG("a; b; c"), limit=1)
    assert len(some) == 1 and not some.complete
    with pytest.raises(GraphError, match="limit: expected a whole number of at least 1"):
        implied_independences(DAG("a; b"), limit=0)
