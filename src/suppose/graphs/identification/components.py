"""The graph of an identification: measured nodes alone, as sets of bits that ancestors and components are read from.

Hidden nodes are projected out first (Verma 1993; Tian and Pearl 2002): ``a -> b`` stays where a directed path leads
from ``a`` to ``b`` through hidden nodes only, and ``a <-> b`` where a hidden node reaches both through hidden nodes
only. What remains, a graph with ``->`` and ``<->``, has the same identifiable effects. Sets of nodes are Python
integers, one bit a node, so that graphs of hundreds of nodes cost milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from suppose.core.errors import GraphError
from suppose.graphs.dag import DAG, NodeSet, check_graph

__all__ = ["Mixed", "bits", "project", "question"]


def bits(mask: int) -> Iterator[int]:
    """Positions of the ones of ``mask``, lowest first.

    Examples
    --------
    >>> list(bits(0b1010))
    [1, 3]
    """
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def project(graph: DAG) -> DAG:
    """The graph over the measured nodes that says the same about them (latent projection).

    Examples
    --------
    >>> project(DAG("u -> {x y}; x -> m -> y", latent=["u", "m"]))
    DAG('x -> y; x <-> y')
    """
    check_graph(graph)
    edges, hidden = graph.adjacency, set(graph.ids(graph.latent))
    if not hidden:
        return graph

    def seen_from(start: int) -> set[int]:
        """Measured nodes that ``start`` reaches through hidden nodes only."""
        found, stack, visited = set(), [start], {start}
        while stack:
            for child in edges.children[stack.pop()]:
                if child not in hidden:
                    found.add(child)
                elif child not in visited:
                    visited.add(child)
                    stack.append(child)
        return found

    reach = {v: seen_from(v) if v in hidden else {v} for v in range(len(graph))}
    names = graph.nodes
    directed = [
        (names[a], names[b]) for a in range(len(graph)) if a not in hidden for b in sorted(seen_from(a))
    ]
    joined: dict[tuple[int, int], None] = {}
    for v in hidden:
        joined.update(dict.fromkeys((a, b) for a in reach[v] for b in reach[v] if a < b))
    for a, others in enumerate(edges.siblings):
        for b in others:
            joined.update(dict.fromkeys((min(i, j), max(i, j)) for i in reach[a] for j in reach[b] if i != j))
    bidirected = [(names[a], names[b]) for a, b in sorted(joined)]
    return DAG.from_edges(directed, bidirected, graph.observed)


def question(
    graph: DAG, outcomes: NodeSet, interventions: NodeSet, given: NodeSet = ()
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Names of the three sets in node order, refused when they overlap, are hidden, or nothing is asked.

    Raises
    ------
    GraphError
        ``not-a-graph``, ``unknown-node``, ``empty-set``, ``overlapping-sets``, ``latent-role``.
    """
    check_graph(graph)
    sets = {"outcomes": outcomes, "interventions": interventions, "given": given}
    ids = {role: graph.ids(nodes, where=role) for role, nodes in sets.items()}
    if not ids["outcomes"]:
        raise GraphError(
            "empty-set", "expected at least one node, got none", where="outcomes", remedy="Name a node."
        )
    owner: dict[int, str] = {}
    hidden = set(graph.ids(graph.latent))
    for role, numbers in ids.items():
        for number in numbers:
            if number in owner:
                raise GraphError(
                    "overlapping-sets", f"{graph.nodes[number]!r} is in {owner[number]} and in {role}",
                    where=role, remedy="Name each node in one of them only.",
                )  # fmt: skip
            if number in hidden:
                raise GraphError(
                    "latent-role", f"{graph.nodes[number]!r} is latent, so it was not measured", where=role,
                    remedy="Choose a measured node, or remove it from the latent ones.",
                )  # fmt: skip
            owner[number] = role
    x, y, z = (graph.names(ids[role]) for role in ("interventions", "outcomes", "given"))
    return y, x, z


class Mixed:
    """A graph with ``->`` and ``<->`` as bits, in causal order; every method takes the nodes it is restricted to.

    Examples
    --------
    >>> mixed = Mixed(DAG("x -> m -> y; x <-> y"))
    >>> mixed.names(mixed.ancestors(mixed.mask(["m"]), mixed.all))
    ('x', 'm')
    >>> [mixed.names(part) for part in mixed.components(mixed.all)]
    [('x', 'y'), ('m',)]
    """

    def __init__(self, graph: DAG) -> None:
        self.graph = graph
        self.labels = graph.order
        """Names by bit: causes before effects."""
        self.number = {name: i for i, name in enumerate(self.labels)}
        edges = graph.adjacency
        bit = [1 << self.number[name] for name in graph.nodes]
        row = {name: i for i, name in enumerate(graph.nodes)}
        rows = [row[name] for name in self.labels]
        self.parents = [sum(bit[p] for p in edges.parents[i]) for i in rows]
        self.children = [sum(bit[c] for c in edges.children[i]) for i in rows]
        self.siblings = [sum(bit[s] for s in edges.siblings[i]) for i in rows]
        self.all = (1 << len(graph)) - 1

    def mask(self, names: Iterable[str]) -> int:
        """Bits of the named nodes."""
        return sum(1 << self.number[name] for name in names)

    def names(self, mask: int) -> tuple[str, ...]:
        """Names of the nodes of ``mask``, causes before effects."""
        return tuple([self.labels[i] for i in bits(mask)])

    def ancestors(self, of: int, within: int, cut: int = 0) -> int:
        """``of`` and its causes inside ``within``, when the arrows into ``cut`` are gone."""
        found, front = of & within, of & within
        while front:
            above = 0
            for node in bits(front & ~cut):
                above |= self.parents[node]
            front = above & within & ~found
            found |= front
        return found

    def descendants(self, of: int, within: int) -> int:
        """``of`` and its effects inside ``within``."""
        found, front = of & within, of & within
        while front:
            below = 0
            for node in bits(front):
                below |= self.children[node]
            front = below & within & ~found
            found |= front
        return found

    def component(self, node: int, within: int) -> int:
        """The nodes of ``within`` that ``<->`` paths inside ``within`` join to ``node``."""
        found, front = 1 << node, 1 << node
        while front:
            near = 0
            for other in bits(front):
                near |= self.siblings[other]
            front = near & within & ~found
            found |= front
        return found

    def components(self, within: int) -> list[int]:
        """The c-components of ``within``, in order of their first nodes."""
        found = []
        while within:
            part = self.component((within & -within).bit_length() - 1, within)
            found.append(part)
            within &= ~part
        return found

    def pillow(self, node: int, within: int) -> int:
        """What ``node`` depends on among its predecessors inside the ancestral set ``within``.

        Its c-component there and the causes of that component (ordered Markov property, Tian and Pearl 2002).
        """
        part = self.component(node, within & ((2 << node) - 1))
        found = part
        for member in bits(part):
            found |= self.parents[member] & within
        return found & ~(1 << node)

    def separated(self, first: int, second: int, given: int, *, cut_into: int = 0, cut_out: int = 0) -> bool:
        """Whether ``given`` blocks all paths, after cutting arrows into ``cut_into`` and out of ``cut_out``.

        Reachability along open walks (Shachter 1998), with ``<->`` edges cut where they point into ``cut_into``.
        """
        opening = given  # causes of what is given, in the cut graph
        front = given
        while front:
            above = 0
            for node in bits(front & ~cut_into):
                above |= self.parents[node] & ~cut_out
            front = above & ~opening
            opening |= front
        arrived_up, arrived_down = first, 0  # up: from a child; down: through an arrowhead
        stack = [(node, True) for node in bits(first)]
        while stack:
            node, up = stack.pop()
            bit = 1 << node
            if bit & second:
                return False
            ups = downs = 0
            passes = (up and not bit & given) or (not up and bit & opening)
            if passes and not bit & cut_into:
                ups = self.parents[node] & ~cut_out
                downs = self.siblings[node] & ~cut_into
            if not bit & given and not bit & cut_out:
                downs |= self.children[node] & ~cut_into
            ups &= ~arrived_up
            downs &= ~arrived_down
            arrived_up |= ups
            arrived_down |= downs
            stack += [(other, True) for other in bits(ups)] + [(other, False) for other in bits(downs)]
        return True
