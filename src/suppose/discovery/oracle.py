"""A test that knows the graph: independence is read off a DAG instead of a table.

With it a search can be compared with the truth exactly, apart from chance. p-values are 1 for separated and 0 for
connected pairs. Latent nodes of the DAG are not variables of the test.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from suppose.discovery.protocol import BaseTest, OutcomeBatch
from suppose.graphs.dag import DAG, check_graph
from suppose.graphs.separation import connected

__all__ = ["Oracle"]


class Oracle(BaseTest):
    """d-separation (m-separation with hidden causes) in a graph, as a test.

    Parameters
    ----------
    dag : DAG
        The graph.

    Examples
    --------
    >>> test = Oracle(DAG("a -> b <- c"))
    >>> test.one("a", "c").p_value, test.one("a", "c", ("b",)).p_value
    (1.0, 0.0)
    """

    def __init__(self, dag: DAG) -> None:
        check_graph(dag)
        super().__init__(dag.observed)
        self.dag = dag
        self._ids = [dag.ids(name)[0] for name in dag.observed]
        self._known: dict[tuple[int, int, tuple[int, ...]], bool] = {}

    def batch(
        self, i: Int[np.ndarray, " m"], j: Int[np.ndarray, " m"], given: Int[np.ndarray, "m k"]
    ) -> OutcomeBatch:
        """p-values 1 (separated) or 0, statistics 0 or infinite."""
        self._count(len(i))
        p = np.array([self._separated(int(a), int(b), s) for a, b, s in zip(i, j, given, strict=True)])
        n = np.zeros(len(i), dtype=np.int64)
        return OutcomeBatch(p.astype(float), np.where(p, 0.0, np.inf), n)

    def _separated(self, i: int, j: int, given: np.ndarray) -> bool:
        key = (min(i, j), max(i, j), tuple(sorted(given.tolist())))
        if key not in self._known:
            held = [self._ids[k] for k in key[2]]
            self._known[key] = not connected(self.dag.adjacency, [self._ids[i]], [self._ids[j]], held)
        return self._known[key]

    def describe(self) -> str:
        """The test in one sentence."""
        return f"separation in a known graph of {len(self.names)} variables"
