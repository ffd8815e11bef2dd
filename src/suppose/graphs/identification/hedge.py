"""The reason why an effect is not identified: a hedge (Shpitser and Pearl 2006, definition 6).

A *c-forest* is a set of nodes that ``<->`` paths join into one group, with arrows that lead every node to the roots
along one child each. A hedge for ``P(y | do(x))`` is a pair of c-forests with the same roots, one inside the other,
where only the outer one holds nodes that are set, and the roots are causes of ``y`` that setting ``x`` leaves
connected. Where there is one, two models agree on all that is observed and differ in the effect (theorem 4 there).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from suppose.graphs.dag import DAG
from suppose.graphs.identification.components import Mixed, bits
from suppose.graphs.notation import Edge

__all__ = ["Forest", "Hedge", "hedge_of"]


@dataclass(frozen=True)
class Forest:
    """Nodes and edges of a c-forest.

    Attributes
    ----------
    nodes : tuple of str
        Its nodes.
    directed : tuple of (cause, effect)
        At most one arrow out of every node.
    bidirected : tuple of (str, str)
        A tree that joins all nodes.
    """

    nodes: tuple[str, ...]
    directed: tuple[Edge, ...]
    bidirected: tuple[Edge, ...]

    @property
    def graph(self) -> DAG:
        """The forest as a graph, to be drawn."""
        return DAG.from_edges(self.directed, self.bidirected, self.nodes)


@dataclass(frozen=True)
class Hedge:
    """Two c-forests with the same roots.

    Attributes
    ----------
    outer, inner : Forest
        ``inner`` is a part of ``outer``.
    roots : tuple of str
        The nodes without a child in either.
    interventions : tuple of str
        The nodes of ``outer`` that the query sets.

    Examples
    --------
    >>> from suppose.graphs.identification import identify
    >>> hedge = identify("x -> y; x <-> y", "y", "x").hedge
    >>> hedge.outer.nodes, hedge.inner.nodes, hedge.roots
    (('x', 'y'), ('y',), ('y',))
    """

    outer: Forest
    inner: Forest
    roots: tuple[str, ...]
    interventions: tuple[str, ...]

    @property
    def graph(self) -> DAG:
        """The outer forest with what is set marked as treatment and the roots as outcome."""
        return self.outer.graph.replace(treatment=self.interventions, outcome=self.roots)

    def __str__(self) -> str:
        def braces(names: tuple[str, ...]) -> str:
            return "{" + ", ".join(names) + "}"

        return (
            f"hedge: {braces(self.outer.nodes)} around {braces(self.inner.nodes)}, roots {braces(self.roots)} "
            f"({self.outer.graph.text})"
        )


def hedge_of(mixed: Mixed, outer: int, inner: int, interventions: int) -> Hedge:
    """The hedge made of the two c-components where ID stopped: every node keeps one way to the roots."""
    roots = sum(1 << v for v in bits(inner) if not mixed.children[v] & inner)
    child = _ways(mixed, roots, inner)
    child |= {v: c for v, c in _ways(mixed, inner, outer).items() if v not in child}
    inner_joins = _tree(mixed, inner, inner & -inner)
    outer_joins = [*inner_joins, *_tree(mixed, outer, inner)]
    names = mixed.labels

    def forest(mask: int, joins: list[tuple[int, int]]) -> Forest:
        arrows = tuple((names[v], names[child[v]]) for v in bits(mask & ~roots))
        return Forest(mixed.names(mask), arrows, tuple((names[a], names[b]) for a, b in joins))

    return Hedge(
        forest(outer, outer_joins), forest(inner, inner_joins), mixed.names(roots),
        mixed.names(outer & interventions),
    )  # fmt: skip


def _ways(mixed: Mixed, goals: int, within: int) -> dict[int, int]:
    """For every node of ``within`` outside ``goals`` the child on a shortest way to them."""
    found: dict[int, int] = {}
    seen, queue = goals, deque(bits(goals))
    while queue:
        node = queue.popleft()
        for cause in bits(mixed.parents[node] & within & ~seen):
            seen |= 1 << cause
            found[cause] = node
            queue.append(cause)
    return found


def _tree(mixed: Mixed, within: int, start: int) -> list[tuple[int, int]]:
    """``<->`` edges that join all nodes of ``within`` to the nodes of ``start``, which are joined already."""
    found: list[tuple[int, int]] = []
    seen, queue = start, deque(bits(start))
    while queue:
        node = queue.popleft()
        for other in bits(mixed.siblings[node] & within & ~seen):
            seen |= 1 << other
            found.append((node, other))
            queue.append(other)
    return found
