"""How far a learned graph is from the true one.

:func:`shd` counts pairs whose edge differs (Tsamardinos, Brown and Aliferis 2006, section 7). :func:`edge_scores`
gives precision and recall of edges and of arrowheads. :func:`sid` counts pairs ``(i, j)`` for which adjusting for the
learned parents of ``i`` would give the wrong effect on ``j`` (Peters and Buehlmann 2015, definition 6): the distance
that matters for what-if questions; for a partly directed graph its least and largest value over the members.

What it does not do: members are listed one by one, so bounds are refused beyond 2,000 of them (the authors' own
bounds work by components); and ``sid`` is not symmetric.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from suppose.core.errors import GraphError
from suppose.graphs.adjacency import Adjacency
from suppose.graphs.dag import DAG
from suppose.graphs.meek import ARROW, TAIL, close
from suppose.graphs.pdag import PDAG, MarkedGraph
from suppose.graphs.separation import connected

__all__ = ["EdgeScores", "edge_scores", "members", "shd", "sid"]

MAX_MEMBERS = 2000


@dataclass(frozen=True)
class EdgeScores:
    """Precision and recall of edges and arrowheads; 1 where there was nothing to find.

    Attributes
    ----------
    precision, recall, f1 : float
        Of edges, directions left aside.
    arrowhead_precision, arrowhead_recall : float
        Of arrowheads.
    """

    precision: float
    recall: float
    f1: float
    arrowhead_precision: float
    arrowhead_recall: float

    def to_frame(self) -> Any:
        """One row as a pandas table."""
        import pandas as pd

        return pd.DataFrame([asdict(self)])

    def __str__(self) -> str:
        return (
            f"edges: precision {self.precision:.3f}, recall {self.recall:.3f}, F1 {self.f1:.3f}; arrowheads: "
            f"precision {self.arrowhead_precision:.3f}, recall {self.arrowhead_recall:.3f}"
        )


def _marked(graph: Any) -> MarkedGraph:
    if isinstance(graph, MarkedGraph):
        return graph
    if not isinstance(graph, DAG):
        raise GraphError(
            "not-a-graph", f"expected a DAG, PDAG or PAG, got {type(graph).__name__}", where="graph",
            remedy="Make one first: DAG(text), PDAG.parse(text).",
        )  # fmt: skip
    index = {name: i for i, name in enumerate(graph.nodes)}
    marks = np.zeros((len(index), len(index)), dtype=np.int8)
    for a, b in graph.directed:
        marks[index[a], index[b]], marks[index[b], index[a]] = ARROW, TAIL
    for a, b in graph.bidirected:
        marks[index[a], index[b]] = marks[index[b], index[a]] = ARROW
    return PDAG(marks, graph.nodes)


def _pair(true: Any, learned: Any) -> tuple[np.ndarray, np.ndarray]:
    first, second = _marked(true), _marked(learned)
    if set(first.nodes) != set(second.nodes):
        odd = sorted(set(first.nodes) ^ set(second.nodes))[0]
        raise GraphError(
            "different-nodes", f"{odd!r} is a node of one graph only", where="true, learned",
            remedy="Compare graphs on the same variables.",
        )  # fmt: skip
    return first.endpoints, second.reorder(first.nodes).endpoints


def shd(true: Any, learned: Any) -> int:
    """Structural Hamming distance: pairs of nodes whose edge is missing, extra or turned differently.

    Raises
    ------
    GraphError
        ``different-nodes``, ``not-a-graph``.

    Examples
    --------
    >>> shd(DAG("a -> b -> c"), DAG("a -> b; c -> b")), shd(DAG("a -> b"), PDAG.parse("a -- b"))
    (1, 1)
    """
    a, b = _pair(true, learned)
    differs = (a != b) | (a.T != b.T)
    return int(np.triu(differs, 1).sum())


def edge_scores(true: Any, learned: Any) -> EdgeScores:
    """Precision and recall of the edges and arrowheads of ``learned``.

    Raises
    ------
    GraphError
        ``different-nodes``, ``not-a-graph``.

    Examples
    --------
    >>> print(edge_scores(DAG("a -> b -> c"), DAG("a -> b; c -> b")))
    edges: precision 1.000, recall 1.000, F1 1.000; arrowheads: precision 0.500, recall 0.500
    """
    a, b = _pair(true, learned)
    edges = np.triu(a > 0, 1), np.triu(b > 0, 1)
    heads = a == ARROW, b == ARROW
    precision, recall = _share(edges[0] & edges[1], edges[1]), _share(edges[0] & edges[1], edges[0])
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return EdgeScores(
        precision, recall, f1, _share(heads[0] & heads[1], heads[1]), _share(heads[0] & heads[1], heads[0])
    )


def _share(part: np.ndarray, whole: np.ndarray) -> float:
    return float(part.sum() / whole.sum()) if whole.any() else 1.0


def sid(true: DAG, learned: DAG | PDAG) -> tuple[int, int]:
    """Structural intervention distance, least and largest over the members of ``learned``.

    Raises
    ------
    GraphError
        ``different-nodes``, ``hidden-cause`` for a true graph with ``<->``, ``class-too-large``, ``no-member``.

    Examples
    --------
    >>> sid(DAG("a -> b -> c"), DAG("a <- b -> c")), sid(DAG("a -> b"), PDAG.parse("a -- b"))
    ((3, 3), (0, 2))
    """
    if true.bidirected:
        raise GraphError(
            "hidden-cause", "the distance is defined for graphs without hidden common causes", where="true",
            remedy="Leave the <-> edges out, or name the hidden causes as nodes.",
        )  # fmt: skip
    _pair(true, learned)
    place = {name: i for i, name in enumerate(true.nodes)}
    listed = [learned] if isinstance(learned, DAG) else members(learned)
    known: dict[tuple[int, frozenset[int]], int] = {}
    distances = []
    for dag in listed:
        total = 0
        for name in dag.nodes:
            parents = frozenset(place[parent] for parent in dag.parents(name))
            key = place[name], parents
            if key not in known:
                known[key] = _wrong(true.adjacency, *key)
            total += known[key]
        distances.append(total)
    return min(distances), max(distances)


def _wrong(edges: Adjacency, i: int, parents: frozenset[int]) -> int:
    """Nodes on which the effect of ``i`` comes out wrong when it is adjusted for ``parents``."""
    below = edges.closure([i], up=False)
    count = 0
    for j in range(len(edges.parents)):
        if j == i:
            continue
        if j in parents:
            count += below[j]
            continue
        above = edges.closure([j], up=True)
        causal = [v for v in range(len(below)) if v != i and below[v] and above[v]]
        if causal and any(edges.closure(causal, up=False)[z] for z in parents):
            count += 1
            continue
        cut = edges.without_outgoing({i: [v for v in edges.children[i] if v in causal]})
        count += connected(cut, [i], [j], sorted(parents))
    return count


def members(graph: PDAG) -> list[DAG]:
    """All DAGs of the class of a completed graph.

    Raises
    ------
    GraphError
        ``class-too-large`` beyond 2,000 of them, ``no-member``.

    Examples
    --------
    >>> len(members(PDAG.parse("a -- b; b -- c; a -- c")))
    6
    """
    graph.to_dag()
    found: list[DAG] = []
    for marks in _listed(graph.endpoints.copy()):
        if len(found) == MAX_MEMBERS:
            raise GraphError(
                "class-too-large", f"the class has more than {MAX_MEMBERS:,} members", where="learned",
                remedy="Compare with one member, graph.to_dag(), or use shd.",
            )  # fmt: skip
        arrows = np.argwhere((marks == ARROW) & (marks.T == TAIL))
        found.append(DAG.from_edges([(graph.nodes[i], graph.nodes[j]) for i, j in arrows], nodes=graph.nodes))
    return found


def _listed(marks: np.ndarray) -> Iterator[np.ndarray]:
    loose = np.argwhere(np.triu((marks == TAIL) & (marks.T == TAIL), 1))
    if not len(loose):
        yield marks
        return
    i, j = loose[0]
    for a, b in ((i, j), (j, i)):
        turned = marks.copy()
        turned[a, b] = ARROW
        if not len(close(turned, fourth=True)):
            yield from _listed(turned)
