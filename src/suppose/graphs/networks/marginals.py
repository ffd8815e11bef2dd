"""Single probabilities of all vertices: by one junction tree, or by several over fewer vertices.

What is not a cause of a vertex or of the evidence is barren for it (Shachter 1986). A tree of the whole network
therefore pays for the largest clique of vertices that no single answer needs together. Where it is large, one part is
made for each vertex without effects, over its causes and those of the evidence; a part answers the vertices that no
part before it did, by a tree of its own or, where its cliques are still large, one vertex at a time. Which way is taken
is decided before the work by the entries of all tables, so that also networks whose whole tree passes the limit may be
answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from suppose.graphs.networks.contraction import LIMIT, Plan, check_size, combine, eliminate, plan_elimination
from suppose.graphs.networks.junction_tree import JunctionTree, propagate

if TYPE_CHECKING:
    from suppose.graphs.networks.network import DiscreteNetwork

__all__ = ["Part", "marginals", "planned"]

LARGE = 2.0**20
"""Entries of all tables of a tree above which other ways are looked for."""
WORTH = 0.5
"""Share of the work of one tree that parts may take to be worth their planning."""
PER_VERTEX = 4_000.0
"""Entries that cost as much as the handling of one vertex in one part."""
NEARLY = 0.95
"""Share of all vertices in one part from which parts are no smaller than the whole."""
ONE_BY_ONE = 64
"""Most vertices of a part that are asked one at a time."""
QUICK = 0.25
"""Cost of an entry in a sum for one vertex, over its cost in a tree, which goes through each table several times."""


@dataclass(frozen=True)
class Part:
    """Some vertices that are answered together.

    Attributes
    ----------
    members : tuple of int
        Vertices whose tables matter.
    wanted : tuple of int
        Vertices that are answered here.
    tree : JunctionTree
        Over the members.
    single : tuple of (members, Plan)
        For each wanted vertex its causes and the order of its sum, where they are asked one by one; else empty.
    """

    members: tuple[int, ...]
    wanted: tuple[int, ...]
    tree: JunctionTree
    single: tuple[tuple[tuple[int, ...], Plan], ...] = ()

    @property
    def entries(self) -> float:
        """Entries of the largest table made."""
        return max((plan.entries for _, plan in self.single), default=self.tree.plan.entries)

    @property
    def cost(self) -> float:
        """Work, in entries of tables."""
        if self.single:
            return sum(QUICK * plan.total + PER_VERTEX * len(members) for members, plan in self.single)
        return self.tree.plan.total + PER_VERTEX * len(self.members)


def planned(network: DiscreteNetwork, seen: Mapping[int, int], cut: Mapping[int, int]) -> tuple[Part, ...]:
    """The parts that answer all free vertices with least work."""
    names, fixed = network.graph.nodes, {**seen, **cut}
    free = [v for v in range(len(names)) if v not in fixed]
    whole = Part(tuple(range(len(names))), tuple(free), _tree(network, range(len(names)), fixed, cut))
    if whole.tree.plan.total <= LARGE:
        return (whole,)
    causes = {u for v in range(len(names)) if v not in cut for u in network._parents[v]}
    sets = [network._relevant({v, *seen}, cut) for v in free if v not in causes]
    sets.append(network._relevant(set(seen), cut))  # all that is left when every effect was seen
    sets.sort(key=len, reverse=True)  # the dearest first, so that it is soon known whether this is worth it
    must = whole.entries > LIMIT
    near = len(sets[0]) > NEARLY * len(names)
    if not must and (near or PER_VERTEX * sum(map(len, sets)) > WORTH * whole.cost):
        return (whole,)
    left, cost = set(free), 0.0
    parts: list[Part] = []
    for members in sets:
        wanted = tuple(u for u in members if u in left)
        if wanted:
            left.difference_update(wanted)
            part = Part(tuple(members), wanted, _tree(network, members, fixed, cut))
            parts.append(_one_by_one(network, part, seen, cut) if part.cost > LARGE else part)
            cost += parts[-1].cost
            if cost > WORTH * whole.cost and not must:
                return (whole,)
    return tuple(parts) if max(part.entries for part in parts) <= LIMIT else (whole,)


def _tree(
    network: DiscreteNetwork, members: Any, fixed: Mapping[int, int], cut: Mapping[int, int]
) -> JunctionTree:
    return JunctionTree.build(_scopes(network, members, fixed, cut), network._sizes())


def _scopes(
    network: DiscreteNetwork, members: Any, fixed: Mapping[int, int], cut: Mapping[int, int]
) -> list[tuple[int, ...]]:
    return [tuple(u for u in network._terms[v][0] if u not in fixed) for v in members if v not in cut]


def _one_by_one(
    network: DiscreteNetwork, part: Part, seen: Mapping[int, int], cut: Mapping[int, int]
) -> Part:
    """The part with its vertices asked one at a time, where that is less work."""
    if len(part.wanted) > ONE_BY_ONE:
        return part
    single = []
    for v in part.wanted:
        members = tuple(network._relevant({v, *seen}, cut))
        plan = plan_elimination(_scopes(network, members, {**seen, **cut}, cut), network._sizes(), [v])
        single.append((members, plan))
    other = Part(part.members, part.wanted, part.tree, tuple(single))
    return other if other.cost < part.cost or part.entries > LIMIT else part


def marginals(
    network: DiscreteNetwork, seen: Mapping[int, int], cut: Mapping[int, int]
) -> dict[int, np.ndarray] | None:
    """Probabilities of the states of every free vertex; None when what was seen is impossible.

    Raises
    ------
    GraphError
        ``clique-too-large``, before any table is made.
    """
    parts = network._planned(seen, cut)
    for part in parts:
        for plan in [plan for _, plan in part.single] or [part.tree.plan]:
            check_size(plan, network.graph.nodes, together=not part.single)
    found: dict[int, np.ndarray] = {}
    for part in parts:
        answers = _answered(network, part, {**seen, **cut}, cut)
        if answers is None:
            return None
        found |= answers
    return found


def _answered(
    network: DiscreteNetwork, part: Part, fixed: Mapping[int, int], cut: Mapping[int, int]
) -> dict[int, np.ndarray] | None:
    found: dict[int, np.ndarray] = {}
    for v, (members, plan) in zip(part.wanted, part.single, strict=False):
        values, _ = eliminate(network._sliced(members, fixed, cut), plan, [v])
        total = float(values.sum())
        if not total > 0:
            return None
        found[v] = np.asarray(values / total)
    if part.single:
        return found
    tree, terms = part.tree, network._sliced(part.members, fixed, cut)
    tables, log = propagate(tree, terms, network._sizes())
    if log == -np.inf:
        return None
    for v in part.wanted:
        k = tree.home[v]
        values = combine([(tree.cliques[k], tables[k])], (v,))
        found[v] = np.asarray(values / values.sum())
    return found
