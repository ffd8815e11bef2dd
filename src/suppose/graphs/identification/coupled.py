"""Pairs of models for conditional queries whose hedge concerns the conditions.

The bits of the hedge are those of :mod:`suppose.graphs.identification.parity`. Here every node has a second bit, drawn
at random given all its causes in the graph, its own bit of the hedge, and a hidden bit of its own for every ``<->``
edge; what is seen of a root is that second bit alone. The second bits are made in the same way in both models from
what is equal in both, so that the observed laws stay equal; under the intervention the bits of the hedge have another
law, and with random tables every probability that depends on it has, too. That it does is checked, not assumed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from suppose.core.random import generator
from suppose.graphs.dag import DAG
from suppose.graphs.factors import Factor, States
from suppose.graphs.identification.hedge import Hedge

if TYPE_CHECKING:
    from suppose.graphs.networks import DiscreteNetwork

__all__ = ["coupled_models"]

LARGEST = 2**22
"""Entries of the largest table of such a model."""
NOISE = 0.25
BIT: States = ("0", "1")
BITS: States = ("00", "01", "10", "11")


@dataclass(frozen=True)
class _Plan:
    """Names and causes that both models share."""

    graph: DAG
    hedge: Hedge
    joins: dict[str, tuple[str, str]]
    """Hidden bits of the edges of the hedge."""
    others: dict[str, tuple[str, str]]
    """Hidden bits of all ``<->`` edges, for the second bits."""

    def states(self, name: str) -> States:
        both = name in self.hedge.outer.nodes and name not in self.hedge.roots
        return BITS if both else BIT

    def parents(self, name: str) -> tuple[str, ...]:
        return self.graph.parents(name)

    def own(self, hidden: Mapping[str, tuple[str, str]], name: str) -> tuple[str, ...]:
        return tuple(u for u, edge in hidden.items() if name in edge)

    def size(self, name: str) -> int:
        hidden = len(self.own(self.joins, name)) + len(self.own(self.others, name))
        return math.prod([4, 2**hidden, *(len(self.states(p)) for p in self.parents(name))])


def coupled_models(graph: DAG, hedge: Hedge, seed: int) -> tuple[DiscreteNetwork, DiscreteNetwork] | None:
    """Two models with the same observed law; None where their tables would be too large."""
    from suppose.graphs.networks import DiscreteNetwork

    taken = set(graph.nodes)
    joins = _named("U", hedge.outer.bidirected, taken)
    plan = _Plan(graph, hedge, joins, _named("H", graph.bidirected, taken))
    if max(plan.size(name) for name in graph.nodes) > LARGEST:
        return None
    random = generator(seed, "coupled models")
    second: dict[str, np.ndarray] = {}
    for name in graph.nodes:
        shape = [
            2,
            *(len(plan.states(p)) for p in plan.parents(name)),
            *([2] * len(plan.own(plan.others, name))),
        ]
        second[name] = random.uniform(0.1, 0.9, shape)
    hidden = {u: Factor((u,), (BIT,), np.full(2, 0.5)) for u in (*plan.joins, *plan.others)}
    networks = []
    for apart in (False, True):
        tables = hidden | {name: _table(plan, name, second[name], apart) for name in graph.nodes}
        edges = [(parent, name) for name, table in tables.items() for parent in table.variables[1:]]
        whole = DAG.from_edges(edges, nodes=[*graph.nodes, *hidden], latent=list(hidden))
        networks.append(DiscreteNetwork(whole, tables))
    return networks[0], networks[1]


def _named(letter: str, edges: tuple[tuple[str, str], ...], taken: set[str]) -> dict[str, tuple[str, str]]:
    found = {}
    for a, b in edges:
        name = f"{letter}_{a}_{b}"
        while name in taken:
            name += "_"
        taken.add(name)
        found[name] = (a, b)
    return found


def _table(plan: _Plan, name: str, second: np.ndarray, apart: bool) -> Factor:
    """P(node | causes in the graph, hidden bits); ``apart`` in the second model."""
    parents, joins, others = plan.parents(name), plan.own(plan.joins, name), plan.own(plan.others, name)
    variables = (*parents, *joins, *others)
    states = tuple(plan.states(v) if v in plan.graph else BIT for v in variables)
    count = math.prod(len(own) for own in states)
    grid = np.indices([len(own) for own in states]).reshape(len(variables), count)
    columns = dict(zip(variables, grid, strict=True))
    place = tuple(columns[v] for v in (*parents, *others))
    one = [
        second[(h, *place)] * np.ones(count) for h in (0, 1)
    ]  # probability of a second bit of one, by first bit
    chance = _first(plan, name, columns, count, apart)
    if len(plan.states(name)) == 4:
        rows = [
            (chance if h else 1 - chance) * (one[h] if e else 1 - one[h])
            for h, e in itertools.product((0, 1), (0, 1))
        ]
    else:
        up = chance * one[1] + (1 - chance) * one[0]
        rows = [1 - up, up]
    shape = [len(rows), *(len(own) for own in states)]
    return Factor((name, *variables), (plan.states(name), *states), np.stack(rows).reshape(shape))


def _first(plan: _Plan, name: str, columns: Mapping[str, np.ndarray], count: int, apart: bool) -> np.ndarray:
    """Probability that the bit of the hedge is one: a parity, flipped now and then at the first root."""
    outer, inner = plan.hedge.outer, set(plan.hedge.inner.nodes)
    bit = np.zeros(count, dtype=int)
    if name not in outer.nodes:
        return bit.astype(float)
    within = apart and name in inner
    for a, b in outer.directed:
        if b == name and not (within and a not in inner):
            bit = bit ^ (columns[a] >> 1)  # causes in the forest are no roots: they have two bits
    for u, edge in plan.joins.items():
        other = edge[1] if edge[0] == name else edge[0]
        if name in edge and not (within and other not in inner):
            bit = bit ^ columns[u]
    flipped = NOISE if name == plan.hedge.roots[0] else 0.0
    return np.where(bit == 1, 1 - flipped, flipped)
