"""Sets that separate two groups of nodes: nearest, smallest, all minimal ones.

Minimal m-separators lie among the ancestors and are the minimal vertex cuts of the augmented (moral) graph
of these (van der Zander, Liskiewicz and Textor 2019). That graph can have quadratically many edges, so
it is never built: each district with its parents is a clique there, and is kept as one *hub* that its members
touch. Nodes that must not be used (latent, forbidden) join the hubs they touch into one. What is left is a
bipartite graph of usable nodes and hubs, linear in the graph, with sets as bits of integers.

All minimal cuts are listed with polynomial delay in the manner of Takata (2010): every minimal cut is the
border of the territory on one side; a territory grows by one node of its border at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import no_type_check

from suppose.graphs.adjacency import Adjacency

__all__ = ["Hubs", "bits"]


def bits(mask: int) -> Iterator[int]:
    """Positions of the ones of an integer, rising.

    Examples
    --------
    >>> list(bits(0b1010))
    [1, 3]
    """
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


@dataclass(frozen=True)
class Hubs:
    """The separation problem as usable nodes and hubs, both as bits.

    Attributes
    ----------
    hubs_of : dict of int to int
        For each usable node the hubs it touches.
    nodes_of : list of int
        For each hub the usable nodes that touch it.
    near, far : int
        Hubs touched by the two groups to be separated.
    """

    hubs_of: dict[int, int]
    nodes_of: list[int]
    near: int
    far: int

    @classmethod
    def build(
        cls,
        edges: Adjacency,
        near: Iterable[int],
        far: Iterable[int],
        include: Iterable[int],
        usable: bytearray,
    ) -> Hubs:
        """Problem of separating ``near`` from ``far`` by ``include`` and any of the ``usable`` nodes."""
        near, far, include = list(near), list(far), set(include)
        within = edges.closure([*near, *far, *include], up=True)
        hub = [-1] * len(within)
        for number, district in enumerate(edges.districts(within)):
            for node in district:
                hub[node] = number
        touched = {
            node: {hub[node], *(hub[child] for child in edges.children[node] if within[child])}
            for node, flag in enumerate(within)
            if flag and node not in include
        }
        ends = {*near, *far}
        passed = [hubs for node, hubs in touched.items() if not usable[node] and node not in ends]
        joined = _join(max(hub, default=-1) + 1, passed)
        masks = {node: _mask(joined[h] for h in hubs) for node, hubs in touched.items()}
        hubs_of = {node: mask for node, mask in masks.items() if usable[node] and node not in ends}
        nodes_of = [0] * (max(joined, default=-1) + 1)
        for node, mask in hubs_of.items():
            for h in bits(mask):
                nodes_of[h] |= 1 << node
        return cls(hubs_of, nodes_of, _union(masks, near), _union(masks, far))

    @property
    def possible(self) -> bool:
        """Whether any set of usable nodes separates the groups."""
        return not self.near & self.far

    def border(self, hubs: int) -> int:
        """Usable nodes that touch one of the hubs."""
        nodes = 0
        for hub in bits(hubs):
            nodes |= self.nodes_of[hub]
        return nodes

    def territory(self, hubs: int, walls: int) -> tuple[int, int]:
        """Hubs reached from ``hubs`` without entering a node of ``walls``, and the nodes that touch them."""
        touched, todo = 0, hubs
        while todo:
            low = todo & -todo
            todo ^= low
            fresh = self.nodes_of[low.bit_length() - 1] & ~touched
            touched |= fresh
            for node in bits(fresh & ~walls):
                new = self.hubs_of[node] & ~hubs
                hubs |= new
                todo |= new
        return hubs, touched

    def minimal(self) -> Iterator[int]:
        """All minimal cuts as bits of nodes, the one nearest to ``near`` first, with polynomial delay."""
        # A state: nodes that touch the territory, those within it, and those to keep in the cut.
        stack = [(self.border(self.near), 0, 0)] if self.possible else []
        while stack:
            touched, inside, kept = stack.pop()
            _, beyond = self.territory(self.far, touched)
            cut = touched & beyond & ~inside
            if kept & ~cut:  # would swallow a node that this branch keeps in the cut
                continue
            yield cut
            hubs, touched = self.territory(self.near, cut)
            inside = touched & ~cut
            grown = []
            for node in bits(cut & ~kept):
                new = self.hubs_of[node] & ~hubs
                if not new & self.far:
                    grown.append((touched | self.border(new), inside | 1 << node, kept))
                kept |= 1 << node
            stack.extend(reversed(grown))

    def nearest(self) -> int | None:
        """The minimal cut nearest to ``near``, None when the groups cannot be separated; linear time."""
        return next(self.minimal(), None)

    def smallest(self) -> int | None:
        """A cut with the fewest nodes, by maximum flow through nodes of capacity one."""
        if not self.possible:
            return None
        import numpy as np
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import breadth_first_order, maximum_flow

        place = {node: i for i, node in enumerate(self.hubs_of)}
        n, h = len(place), len(self.nodes_of)
        source, sink, free = 2 * n + h, 2 * n + h + 1, n + 1
        arcs = [(source, 2 * n + hub, free) for hub in bits(self.near)]
        arcs += [(2 * n + hub, sink, free) for hub in bits(self.far)]
        for node, i in place.items():
            arcs.append((i, n + i, 1))
            for hub in bits(self.hubs_of[node]):
                arcs += [(2 * n + hub, i, free), (n + i, 2 * n + hub, free)]
        tail, head, room = (np.array(column, dtype=np.int32) for column in zip(*arcs, strict=True))
        network = csr_array((room, (tail, head)), shape=(sink + 1, sink + 1))
        left = csr_array(network - maximum_flow(network, source, sink).flow)
        left.data[:] = np.maximum(left.data, 0)
        left.eliminate_zeros()
        reached = np.zeros(sink + 1, dtype=bool)
        reached[breadth_first_order(left, source, return_predecessors=False)] = True
        return _mask(node for node, i in place.items() if reached[i] and not reached[n + i])


def _mask(positions: Iterable[int]) -> int:
    mask = 0
    for position in positions:
        mask |= 1 << position
    return mask


def _union(masks: dict[int, int], nodes: Iterable[int]) -> int:
    union = 0
    for node in nodes:
        union |= masks[node]
    return union


def _join(count: int, groups: Iterable[Iterable[int]]) -> list[int]:
    """Number of the joined hub for each of ``count`` hubs, after merging the hubs of each group."""
    root = list(range(count))
    for group in groups:
        first, *rest = group
        for other in rest:
            root[_root(root, other)] = _root(root, first)
    number: dict[int, int] = {}
    return [number.setdefault(_root(root, item), len(number)) for item in range(count)]


@no_type_check  # runs once per edge
def _root(root: list[int], item: int) -> int:
    while root[item] != item:
        root[item] = root[root[item]]
        item = root[item]
    return item
