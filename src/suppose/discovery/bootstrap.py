"""How sure an edge is: the search repeated on tables drawn from the table, row by row.

Rows are drawn with replacement as often as there are rows (Friedman, Goldszmidt and Wyner 1999). The shares say how
stable an edge is under redrawing, not how probable it is: an edge that a hidden cause makes is stable too.
What it does not do: rows must be independent; for clusters draw clusters yourself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.base import clone

from suppose.core.errors import DataError, Refusal
from suppose.core.figures import PALETTE
from suppose.core.parallel import parallel_map
from suppose.core.random import generator
from suppose.discovery.choice import stacked
from suppose.discovery.material import series_of
from suppose.discovery.pc import PC
from suppose.graphs.meek import ARROW, TAIL
from suppose.graphs.pdag import MarkedGraph

__all__ = ["EdgeShares", "bootstrap_graph"]

KINDS = ("->", "<-", "--", "<->", "other")


@dataclass(frozen=True)
class EdgeShares:
    """Shares of redrawn tables in which each edge was found.

    Attributes
    ----------
    graph : MarkedGraph
        The graph of the table itself.
    joined : (p, p) float
        Share of tables in which two nodes are joined.
    kinds : (5, p, p) float
        Share with ``->``, ``<-``, ``--``, ``<->`` and any other edge, read from the first to the second node.
    tables : int
        Tables searched.
    refused : int
        Tables that could not be searched, for example because a column became constant.
    """

    graph: MarkedGraph
    joined: Float[np.ndarray, "p p"]
    kinds: Float[np.ndarray, "k p p"]
    tables: int
    refused: int

    def to_frame(self, least: float = 0.0) -> Any:
        """One row per pair joined at least once (or in a share ``least``), most stable first."""
        import pandas as pd

        rows = []
        for i, j in np.argwhere(np.triu(self.joined > 0, 1)):
            if self.joined[i, j] >= least:
                a, b = self.graph.nodes[i], self.graph.nodes[j]
                shares = dict(zip(KINDS, self.kinds[:, i, j].tolist(), strict=True))
                found = self.graph.edge(a, b) or ""
                rows.append({"a": a, "b": b, "found": found, "joined": float(self.joined[i, j]), **shares})
        frame = pd.DataFrame(rows, columns=["a", "b", "found", "joined", *KINDS])
        return frame.sort_values(["joined", "a", "b"], ascending=[False, True, True], ignore_index=True)

    def support(self) -> dict[tuple[str, str], float]:
        """Share joined of each edge of the graph, for drawings."""
        edges = self.graph.edges()
        return {(a, b): float(self.joined[self.graph.id(a), self.graph.id(b)]) for a, _, b in edges}

    def to_svg(self) -> str:
        """The graph, edges the fainter the less stable."""
        return self.graph.to_svg(support=self.support())

    def plot(self, ax: Any = None) -> Any:
        """Bars of the share joined per edge, by kind of edge."""
        from suppose.core.figures import new_axes

        axes = new_axes() if ax is None else ax
        frame = self.to_frame(0.1).head(30).iloc[::-1]
        left = np.zeros(len(frame))
        for kind, colour in zip(KINDS, ("blue", "green", "muted", "red", "purple"), strict=True):
            if frame[kind].any():
                axes.barh(
                    range(len(frame)), frame[kind], left=left, color=PALETTE[colour], label=f"a {kind} b"
                )
                left += frame[kind].to_numpy()
        axes.set_yticks(range(len(frame)), [f"{a}, {b}" for a, b in zip(frame["a"], frame["b"], strict=True)])
        axes.set_xlabel(f"share of {self.tables} redrawn tables")
        axes.set_xlim(0, 1)
        if len(frame):
            axes.legend()
        return axes

    def __str__(self) -> str:
        lines = [f"{a} {edge} {b}: joined in {self.support()[a, b]:.0%}" for a, edge, b in self.graph.edges()]
        return "\n".join([f"{len(lines)} edges, {self.tables} redrawn tables", *lines])


def bootstrap_graph(
    X: Any,
    estimator: Any = None,
    *,
    tables: int = 100,
    names: Sequence[str] | None = None,
    seed: int = 0,
    jobs: int | None = 1,
) -> EdgeShares:
    """Search the table and tables redrawn from it.

    Parameters
    ----------
    X : (n, p) table or array
    estimator : PC or another search with ``fit(X, names=)`` and ``graph_``, optional
        Cloned for each table; by default ``PC()``.
    tables : int
        Redrawn tables.
    names : sequence of str, optional
    seed : int
    jobs : int, optional
        Processes; the result does not depend on it.

    Raises
    ------
    DataError
        ``too-few-draws`` for fewer than one table, and whatever the search refuses about the table itself.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.normal(size=(2, 500))
    >>> X = np.column_stack([a, b, a + b + rng.normal(size=500)])
    >>> print(bootstrap_graph(X, tables=20, names=["a", "b", "c"]))
    2 edges, 20 redrawn tables
    a -> c: joined in 100%
    b -> c: joined in 100%
    """
    if tables < 1:
        raise DataError(
            "too-few-draws", f"expected at least 1 redrawn table, got {tables}", where="tables",
            remedy="Write for example tables = 100.",
        )  # fmt: skip
    search = PC() if estimator is None else estimator
    columns, found = series_of(X, names)
    first = clone(search).fit(X, names=found).graph_

    table = stacked(columns)
    tasks = [(search, table, found, seed, t) for t in range(tables)]
    graphs = parallel_map(_redrawn, tasks, jobs=jobs, label="redrawn tables")
    good = [graph for graph in graphs if graph is not None]
    kinds = np.zeros((5, len(found), len(found)))
    for marks in good:
        _add(kinds, marks)
    kinds /= max(len(good), 1)
    return EdgeShares(first, kinds.sum(axis=0), kinds, len(good), len(graphs) - len(good))


def _redrawn(search: Any, table: np.ndarray, names: tuple[str, ...], seed: int, t: int) -> np.ndarray | None:
    rows = generator(seed, "redrawn", t).integers(0, len(table), len(table))
    try:
        graph = clone(search).fit(table[rows], names=names).graph_
    except Refusal:
        return None
    marks: np.ndarray = np.array(graph.endpoints)
    return marks


def _add(kinds: np.ndarray, marks: np.ndarray) -> None:
    ahead, back = marks, marks.T
    shown = [
        (ahead == ARROW) & (back == TAIL),
        (ahead == TAIL) & (back == ARROW),
        (ahead == TAIL) & (back == TAIL),
        (ahead == ARROW) & (back == ARROW),
    ]
    for k, flags in enumerate([*shown, (marks > 0) & ~np.logical_or.reduce(shown)]):
        kinds[k] += flags
