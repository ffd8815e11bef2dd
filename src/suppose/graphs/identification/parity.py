"""Two models that agree on everything observed and differ in an effect: why it is not identified, in numbers.

Made from a hedge (Shpitser and Pearl 2006, theorem 4). All nodes are bits. In the first model every node of the
outer forest is the parity (sum modulo 2) of its causes in the forest and of the hidden bits on its ``<->`` edges. In
the second the nodes of the inner forest leave out the outer nodes and the hidden bits they share with them. Either
way each hidden bit of a tree counts twice or is lost in others, and all that is seen is: uniform bits whose sum over
the roots is even. Setting an outer node leaves a hidden bit unmatched in the first model, so that the sum over the
roots becomes a fair coin; in the second nothing changes.

Two additions make the pair clean. One root flips with probability 1/4, which keeps the two observed laws equal and
makes every combination possible. And the sum is handed on from the roots to the outcomes along arrows, each hop
flipping with probability 1/8; a node that lies both in the hedge and on such a way has four states, one bit for each.
Conditional queries whose hedge concerns the conditions need more; see :mod:`suppose.graphs.identification.coupled`.
"""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from suppose.core.errors import GraphError
from suppose.graphs.dag import DAG, NodeSet
from suppose.graphs.factors import Factor, States
from suppose.graphs.identification.components import question
from suppose.graphs.identification.conditional import identify
from suppose.graphs.identification.coupled import coupled_models
from suppose.graphs.identification.estimand import NotIdentified
from suppose.graphs.identification.hedge import Forest, Hedge

if TYPE_CHECKING:
    from suppose.graphs.networks import DiscreteNetwork

__all__ = ["Pair", "pair_of_models"]

ROOT_NOISE, HOP_NOISE = 0.25, 0.125
CLEAR = 1e-3  # a difference that needs no search for a wider one
TRIALS, SETTINGS = 3, 64
BIT: States = ("0", "1")
BITS: States = ("00", "01", "10", "11")


@dataclass(frozen=True)
class Pair:
    """Two networks with explicit hidden causes.

    Attributes
    ----------
    first, second : DiscreteNetwork
        The models; their measured nodes have the same names and states.
    outcomes, interventions, given : tuple of str
        The query they differ in.
    setting : dict
        States of the interventions and conditions at which they differ.
    """

    first: DiscreteNetwork
    second: DiscreteNetwork
    outcomes: tuple[str, ...]
    interventions: tuple[str, ...]
    given: tuple[str, ...]
    setting: dict[str, str] = field(repr=False)

    @cached_property
    def answers(self) -> tuple[Factor, Factor]:
        """The law of the outcomes in both models, at :attr:`setting`."""
        do = {name: self.setting[name] for name in self.interventions}
        given = {name: self.setting[name] for name in self.given}
        one, two = (m.query(self.outcomes, given=given, do=do) for m in (self.first, self.second))
        return one, two

    def observed(self, names: NodeSet | None = None) -> tuple[Factor, Factor]:
        """The law of the measured nodes (or of some of them) in both models; equal."""
        listed = self.first.graph.observed if names is None else names
        return self.first.query(listed), self.second.query(listed)

    def __str__(self) -> str:
        one, two = self.answers
        rows = [f"  {a.item():.4f} and {b.item():.4f}" for a, b in zip(
            one.values.reshape(-1, 1), two.values.reshape(-1, 1), strict=True)]  # fmt: skip
        setting = ", ".join(f"{name} = {state}" for name, state in self.setting.items())
        return "\n".join([f"P({', '.join(self.outcomes)} | do) at {setting}, in either model:", *rows])


def pair_of_models(graph: DAG | str, outcomes: NodeSet, interventions: NodeSet, given: NodeSet = ()) -> Pair:
    """Two models of ``graph`` with the same observed law and different ``P(outcomes | do(interventions), given)``.

    Raises
    ------
    GraphError
        ``identified`` when a formula exists; ``no-pair`` where no pair was found for a conditional query, and those of
        :func:`identify`.

    Examples
    --------
    >>> pair = pair_of_models("x -> y; x <-> y", "y", "x")
    >>> [table.values.round(4).tolist() for table in pair.observed()]
    [[[0.375, 0.125], [0.375, 0.125]], [[0.375, 0.125], [0.375, 0.125]]]
    >>> [table.values.tolist() for table in pair.answers]
    [[0.5, 0.5], [0.75, 0.25]]
    """
    source = DAG(graph) if isinstance(graph, str) else graph
    y, x, z = question(source, outcomes, interventions, given)
    found = identify(source, y, x, z, shorten=False)
    if not isinstance(found, NotIdentified):
        raise GraphError(
            "identified", f"{found.query} is identified, so that no two models of the graph can differ in it",
            where="query", remedy="Evaluate the formula instead.",
        )  # fmt: skip
    ways = _ways(found.graph, found.hedge, (*y, *z), x)
    networks = [_model(found.graph, found.hedge, ways, inner_apart=apart) for apart in (False, True)]
    pair, gap = _apart(networks[0], networks[1], y, x, z)
    for seed in range(TRIALS if z and gap < CLEAR else 0):
        models = coupled_models(found.graph, found.hedge, seed)
        other, wider = _apart(*models, y, x, z) if models is not None else (pair, gap)
        pair, gap = (other, wider) if wider > gap else (pair, gap)
    if gap < 1e-6:
        raise GraphError(
            "no-pair", "the two models made from the hedge differ in what is conditioned on alone",
            where="query",
            remedy="Ask about the outcomes and the conditions together; the hedge is a proof all the same.",
        )  # fmt: skip
    return pair


def _apart(
    first: DiscreteNetwork,
    second: DiscreteNetwork,
    y: tuple[str, ...],
    x: tuple[str, ...],
    z: tuple[str, ...],
) -> tuple[Pair, float]:
    """The pair at the setting where its answers differ most, and by how much."""
    best, widest = None, -1.0
    for chosen in itertools.islice(itertools.product(*(first.states[name] for name in x)), SETTINGS):
        do = dict(zip(x, chosen, strict=True))
        laws = [model.query([*y, *z], do=do) for model in (first, second)]
        one, two = ((law / law.sum_out(y)).reorder((*z, *y)).values for law in laws)
        gaps = np.abs(one - two).reshape(*one.shape[: len(z)], -1).max(axis=-1)
        place = np.unravel_index(int(np.argmax(gaps)), gaps.shape) if z else ()
        if float(gaps[place]) > widest + 1e-12:
            seen = {name: first.states[name][int(k)] for name, k in zip(z, place, strict=True)}
            best, widest = Pair(first, second, y, x, z, do | seen), float(gaps[place])
    assert best is not None
    return best, widest


def _ways(graph: DAG, hedge: Hedge, targets: tuple[str, ...], x: tuple[str, ...]) -> dict[str, str]:
    """For every node on a way from the roots to the targets its next node; targets have none."""
    cut = set(x)
    parents = {name: graph.parents(name) for name in graph.nodes if name not in cut}
    following: dict[str, str] = {}
    queue, seen = deque(targets), set(targets)
    while queue:
        node = queue.popleft()
        for cause in parents.get(node, ()):
            if cause not in seen:
                seen.add(cause)
                following[cause] = node
                queue.append(cause)
    ways: dict[str, str] = {}
    for root in hedge.roots:
        node = root
        while node in following:
            ways[node] = following[node]
            node = following[node]
    return ways


def _model(graph: DAG, hedge: Hedge, ways: dict[str, str], *, inner_apart: bool) -> DiscreteNetwork:
    """One of the two models as a network with a hidden bit for every ``<->`` edge of the hedge."""
    from suppose.graphs.networks import DiscreteNetwork

    outer, inner = hedge.outer, set(hedge.inner.nodes)
    hidden = _hidden_names(graph, outer)
    causes: dict[str, list[str]] = {name: [] for name in graph.nodes}  # of the hedge bit
    for a, b in outer.directed:
        if not (inner_apart and b in inner and a not in inner):
            causes[b].append(a)
    for name, (a, b) in hidden.items():
        for end, other in ((a, b), (b, a)):
            if not (inner_apart and end in inner and other not in inner):
                causes[end].append(name)
    handed = set(ways.values())
    before: dict[str, list[str]] = {name: [a for a, b in ways.items() if b == name] for name in graph.nodes}
    tables = {name: Factor((name,), (BIT,), np.full(2, 0.5)) for name in hidden}
    kinds = {
        name: (name in outer.nodes, name in handed) for name in graph.nodes
    }  # which of the two bits a node has
    for name in graph.nodes:
        parents = list(dict.fromkeys([*causes[name], *before[name]]))
        noise = ROOT_NOISE if name == hedge.roots[0] else 0.0
        tables[name] = _table(name, parents, causes[name], before[name], kinds, noise, hedge.roots)
    edges = [(parent, name) for name, table in tables.items() for parent in table.variables[1:]]
    return DiscreteNetwork(DAG.from_edges(edges, nodes=[*graph.nodes, *hidden], latent=list(hidden)), tables)


def _hidden_names(graph: DAG, outer: Forest) -> dict[str, tuple[str, str]]:
    """A name for the hidden bit of every ``<->`` edge of the forest."""
    taken, found = set(graph.nodes), {}
    for a, b in outer.bidirected:
        name = f"U_{a}_{b}"
        while name in taken:
            name += "_"
        taken.add(name)
        found[name] = (a, b)
    return found


def _table(
    name: str, parents: list[str], causes: list[str], before: list[str], kinds: dict[str, tuple[bool, bool]],
    noise: float, roots: tuple[str, ...],
) -> Factor:  # fmt: skip
    """P(node | parents): its hedge bit a parity of ``causes``, its handed bit one of ``before``."""

    def states(v: str) -> States:
        return BITS if kinds.get(v) == (True, True) else BIT

    shape = [len(states(v)) for v in parents]
    grid = np.indices(shape).reshape(len(parents), -1) if parents else np.zeros((0, 1), dtype=int)
    columns = dict(zip(parents, grid, strict=True))

    def hedge_bit(v: str) -> np.ndarray:
        codes = columns[v]
        return codes >> 1 if kinds.get(v) == (True, True) else codes

    def handed_bit(v: str) -> np.ndarray:
        """What ``v`` hands on: its handed bit, and its hedge bit where it is a root."""
        own = columns[v] & 1 if kinds[v][1] else np.zeros_like(columns[v])
        return own ^ hedge_bit(v) if v in roots else own

    zero = np.zeros(grid.shape[1], dtype=int)
    in_hedge, on_way = kinds[name]
    first = _flipped(_parity([hedge_bit(v) for v in causes], zero), noise) if in_hedge else None
    second = _flipped(_parity([handed_bit(v) for v in before], zero), HOP_NOISE) if on_way else None
    if first is not None and second is not None:
        values = (first[:, None, :] * second[None, :, :]).reshape(4, -1)
    elif first is not None or second is not None:
        values = first if first is not None else second
    else:
        values = np.full((2, grid.shape[1]), 0.5)
    return Factor(
        (name, *parents), (states(name), *(states(v) for v in parents)),
        np.asarray(values).reshape(len(states(name)), *shape),
    )  # fmt: skip


def _parity(columns: list[np.ndarray], zero: np.ndarray) -> np.ndarray:
    found = zero
    for column in columns:
        found = found ^ column
    return found


def _flipped(bit: np.ndarray, noise: float) -> np.ndarray:
    """Law of a bit that is flipped with probability ``noise``; one column per setting of the parents."""
    return np.where(np.arange(2)[:, None] == bit[None, :], 1.0 - noise, noise)
