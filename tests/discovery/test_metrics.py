from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import GraphError
from suppose.discovery.metrics import edge_scores, members, shd, sid
from suppose.graphs.dag import DAG
from suppose.graphs.pdag import PDAG
from suppose.worlds.sem import random_dag


def wrong_effects(true: DAG, learned: DAG) -> int:
    """The distance by its definition: effects from regressions on learned parents, in a linear world."""
    p, names = len(true), list(true.nodes)
    weights = np.zeros((p, p))
    rng = np.random.default_rng(7)
    for a, b in true.directed:
        weights[names.index(a), names.index(b)] = rng.uniform(0.5, 1.5)
    total = np.linalg.inv(np.eye(p) - weights)
    covariance = total.T @ np.diag(rng.uniform(0.5, 2, p)) @ total
    count = 0
    for i, a in enumerate(names):
        parents = [names.index(v) for v in learned.parents(a)]
        for j in range(p):
            if i != j:
                effect = 0.0
                if j not in parents:
                    held = [i, *parents]
                    effect = np.linalg.solve(covariance[np.ix_(held, held)], covariance[held, j])[0]
                count += abs(effect - total[i, j]) > 1e-9
    return count


def test_the_intervention_distance_counts_wrong_effects():
    for draw in range(60):
        true, learned = random_dag(6, 2.5, seed=draw), random_dag(6, 2.5, seed=1000 + draw)
        assert sid(true, learned) == (wrong_effects(true, learned),) * 2


def test_the_bounds_are_those_over_all_members():
    true = DAG("a -> b -> c; d -> c")
    pattern = PDAG.from_dag(true)
    distances = [sid(true, member)[0] for member in members(pattern)]
    assert sid(true, pattern) == (min(distances), max(distances)) == (0, 3)


def test_members_are_as_many_as_counted_and_share_the_pattern():
    for draw in range(30):
        pattern = PDAG.from_dag(random_dag(7, 2.5, seed=draw))
        listed = members(pattern)
        assert len({dag.directed for dag in listed}) == len(listed) == pattern.size()
        assert all(PDAG.from_dag(dag) == pattern for dag in listed)


def test_distances_do_not_depend_on_the_order_of_nodes():
    true, learned = random_dag(8, 3, seed=1), PDAG.from_dag(random_dag(8, 3, seed=2))
    turned = learned.reorder(learned.nodes[::-1])
    assert shd(true, learned) == shd(true, turned) == shd(learned, true)
    assert edge_scores(true, learned) == edge_scores(true, turned)


def test_scores_by_hand():
    scores = edge_scores(DAG("a -> b -> c; d"), PDAG.parse("a -- b; c -> b; c -- d"))
    assert (scores.precision, scores.recall) == (2 / 3, 1.0)
    assert (scores.arrowhead_precision, scores.arrowhead_recall) == (0.0, 0.0)
    assert shd(DAG("a -> b -> c; d"), PDAG.parse("a -- b; c -> b; c -- d")) == 3
    assert scores.to_frame().shape == (1, 5)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(GraphError, match="'c' is a node of one graph only"):
        shd(DAG("a -> b"), DAG("a -> c; b"))
    with pytest.raises(GraphError, match="expected a DAG, PDAG or PAG, got int"):
        shd(3, DAG("a"))
    with pytest.raises(GraphError, match="hidden common causes"):
        sid(DAG("a <-> b"), DAG("a -> b"))
    full = PDAG(3 * (np.ones((7, 7), dtype=np.int8) - np.eye(7, dtype=np.int8)), list("abcdefg"))
    with pytest.raises(GraphError, match="more than 2,000 members"):
        sid(DAG("a -> b; c; d; e; f; g"), full)
