"""The edges of a causal graph by node number: what every algorithm of the room walks on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from suppose.core.errors import GraphError
from suppose.graphs.notation import Edge

__all__ = ["Adjacency"]


class Adjacency(NamedTuple):
    """Neighbour lists: entry ``i`` of each list belongs to node number ``i``.

    Examples
    --------
    >>> Adjacency.build({"a": 0, "b": 1}, [("a", "b")], []).children
    [[1], []]
    """

    parents: list[list[int]]
    children: list[list[int]]
    siblings: list[list[int]]

    @classmethod
    def build(
        cls, index: Mapping[str, int], directed: Iterable[Edge], bidirected: Iterable[Edge]
    ) -> Adjacency:
        """Neighbour lists of named edges; ``index`` numbers the names."""
        table = cls([[] for _ in index], [[] for _ in index], [[] for _ in index])
        for a, b in directed:
            table.parents[index[b]].append(index[a])
            table.children[index[a]].append(index[b])
        for a, b in bidirected:
            table.siblings[index[a]].append(index[b])
            table.siblings[index[b]].append(index[a])
        return table

    def closure(self, start: Iterable[int], *, up: bool) -> bytearray:
        """Flags of the ancestors (``up``) or descendants of ``start``, itself included."""
        table = self.parents if up else self.children
        seen = bytearray(len(table))
        stack = list(start)
        for node in stack:
            seen[node] = 1
        while stack:
            for other in table[stack.pop()]:
                if not seen[other]:
                    seen[other] = 1
                    stack.append(other)
        return seen

    def without_outgoing(self, cut: Mapping[int, Iterable[int]]) -> Adjacency:
        """The edges without ``i -> j`` for every ``j`` in ``cut[i]``; bidirected edges stay."""
        parents, children = list(self.parents), list(self.children)
        for node, targets in cut.items():
            gone = set(targets)
            children[node] = [child for child in children[node] if child not in gone]
            for child in gone:
                parents[child] = [parent for parent in parents[child] if parent != node]
        return Adjacency(parents, children, self.siblings)

    def districts(self, within: Sequence[int] | bytearray | None = None) -> list[list[int]]:
        """Sets of nodes joined by bidirected paths, among the flagged nodes (default: all)."""
        left = bytearray(within) if within is not None else bytearray([1]) * len(self.siblings)
        found = []
        for first, flag in enumerate(left):
            if not flag or not left[first]:
                continue
            left[first] = 0
            district = [first]
            for node in district:  # grows while it is read
                for other in self.siblings[node]:
                    if left[other]:
                        left[other] = 0
                        district.append(other)
            found.append(district)
        return found

    def topological(self, nodes: Sequence[str]) -> tuple[int, ...]:
        """Causes before effects (Kahn 1962).

        Raises
        ------
        GraphError
            ``graph-cycle``, with one cycle written out in the names ``nodes``.
        """
        waiting = [len(parents) for parents in self.parents]
        ready = [node for node, count in enumerate(waiting) if count == 0]
        for node in ready:  # grows while it is read
            for child in self.children[node]:
                waiting[child] -= 1
                if waiting[child] == 0:
                    ready.append(child)
        if len(ready) < len(nodes):
            cycle = " -> ".join(nodes[i] for i in self._cycle(waiting))
            raise GraphError(
                "graph-cycle", f"the graph has the cycle {cycle}", where="graph",
                remedy="Remove or turn one of these arrows; feedback needs one node per time point.",
            )  # fmt: skip
        return tuple(ready)

    def _cycle(self, waiting: Sequence[int]) -> list[int]:
        """One directed cycle among the nodes that still wait for a parent."""
        node = next(i for i, count in enumerate(waiting) if count)
        walk: dict[int, None] = {}
        while node not in walk:  # a waiting node always has a waiting parent
            walk[node] = None
            node = next(parent for parent in self.parents[node] if waiting[parent])
        path = list(walk)
        path = path[path.index(node) :]
        return [node, *reversed(path[1:]), node]
