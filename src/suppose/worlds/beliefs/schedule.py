"""A belief network as arrays, in the order in which kernels visit it.

Numbers of a network live in one vector of *slots*: for ``n`` nodes, ``v`` value edges and ``k`` volatility edges
``omega (n), rho (n), lambda (n), mean (n), precision (n), alpha (v), kappa (k), beta, zeta``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = [
    "BINARY", "BY_CHILD", "BY_PARENT", "CHILD", "CONTINUOUS", "DOWN", "FUNCTION", "KC", "KIND", "KP", "LAMBDA",
    "LEVEL", "MEAN", "OMEGA", "PARENT", "PRECISION", "PRED_MEAN", "PRED_PRECISION", "RHO", "SIGMA", "START_MEAN",
    "START_PRECISION", "STATE", "VARIANCE", "VC", "VP", "Schedule", "arranged", "slot_count",
]  # fmt: skip

STATE, CONTINUOUS, BINARY = 0, 1, 2  # kinds of nodes

# Columns of the table of nodes: value (V) and volatility (K) edges to parents (P) and children (C), then the order.
KIND, VP, VC, KP, KC, DOWN = 0, 1, 3, 5, 7, 9
CHILD, PARENT, FUNCTION, BY_CHILD, BY_PARENT = range(5)  # columns of the tables of edges

# Rows of the state of a filter. VARIANCE is Omega, SIGMA the variance before the step, LEVEL is log Omega.
MEAN, PRECISION, PRED_MEAN, PRED_PRECISION, VARIANCE, SIGMA, LEVEL = range(7)
OMEGA, RHO, LAMBDA, START_MEAN, START_PRECISION = range(5)  # blocks of n slots


class Schedule(NamedTuple):
    """Integer tables that say which node is what and who drives whom.

    ``node`` has one row per node: kind, then first and last + 1 of its places in the orders of edges (by value
    parent, value child, volatility parent, volatility child), and in the last column the order of visits, parents
    before children. ``value`` and ``level`` have one row per edge: child, parent, code of the coupling function,
    and in the last columns the edges ordered by child and by parent. ``inputs`` are the nodes that are observed.
    """

    node: np.ndarray
    value: np.ndarray
    level: np.ndarray
    inputs: np.ndarray


def arranged(
    kind: np.ndarray, down: np.ndarray, inputs: np.ndarray, value: np.ndarray, level: np.ndarray
) -> Schedule:
    """The tables, from kinds and order of nodes and edges as rows (child, parent, function)."""
    n = len(kind)
    node = np.zeros((n, DOWN + 1), dtype=np.int64)
    node[:, KIND], node[:, DOWN] = kind, down
    tables = []
    for edges, columns in ((value, (VP, VC)), (level, (KP, KC))):
        table = np.zeros((len(edges), BY_PARENT + 1), dtype=np.int64)
        table[:, : FUNCTION + 1] = edges
        for end, column, by in ((CHILD, columns[0], BY_CHILD), (PARENT, columns[1], BY_PARENT)):
            table[:, by] = np.argsort(table[:, end], kind="stable")
            node[:, column + 1] = np.cumsum(np.bincount(table[:, end], minlength=n))
            node[1:, column] = node[:-1, column + 1]
        tables.append(table)
    return Schedule(node, tables[0], tables[1], inputs)


def slot_count(nodes: int, value_edges: int, volatility_edges: int) -> int:
    """Length of the vector of numbers.

    Examples
    --------
    >>> slot_count(3, 1, 1)
    19
    """
    return 5 * nodes + value_edges + volatility_edges + 2
