"""Random graphs, queries and models for the tests of identification; nothing here is a test.

The truth comes from models with explicit hidden causes: surgery in a :class:`DiscreteNetwork` for interventions, and
enumeration of every hidden state for events in several worlds. Neither uses the code of the identification.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence

import numpy as np

from suppose.graphs import DAG
from suppose.graphs.factors import Factor
from suppose.graphs.identification import Estimand, Event
from suppose.graphs.networks import DiscreteNetwork

BIT = ("0", "1")
Query = tuple[DAG, list[str], list[str], list[str]]


def three_node_queries() -> Iterator[Query]:
    """All single-pair queries on all graphs over a, b, c in this causal order: 64 graphs, 6 pairs each."""
    names, pairs = "abc", [("a", "b"), ("a", "c"), ("b", "c")]
    for arrows in itertools.product([False, True], repeat=3):
        for joins in itertools.product([False, True], repeat=3):
            dag = DAG.from_edges(
                itertools.compress(pairs, arrows), itertools.compress(pairs, joins), nodes=list(names)
            )
            for x, y in itertools.permutations(names, 2):
                yield dag, [y], [x], []


def random_query(rng: random.Random, least: int = 4, most: int = 6, conditions: bool = True) -> Query:
    """A random graph and query of one or two interventions and outcomes, half of them conditional."""
    n = rng.randint(least, most)
    nodes = [f"v{i}" for i in range(n)]
    order = rng.sample(nodes, n)
    straight, curved = rng.uniform(0.2, 0.8), rng.uniform(0.1, 0.6)
    directed = [pair for pair in itertools.combinations(order, 2) if rng.random() < straight]
    bidirected = [pair for pair in itertools.combinations(nodes, 2) if rng.random() < curved]
    picked = rng.sample(nodes, n)
    x = [picked.pop() for _ in range(rng.choice([1, 1, 2]))]
    y = [picked.pop() for _ in range(rng.choice([1, 1, min(2, len(picked))]))]
    z = [picked.pop() for _ in range(min(rng.choice([0, 0, 1, 2]), len(picked)))] if conditions else []
    return DAG.from_edges(directed, bidirected, nodes), y, x, z


def random_network(dag: DAG, rng: np.random.Generator, states: int = 2) -> DiscreteNetwork:
    """A network with a hidden vertex for every ``<->`` edge and uniformly drawn columns."""
    hidden = {f"U{k}": edge for k, edge in enumerate(dag.bidirected)}
    spelled = [(u, end) for u, edge in hidden.items() for end in edge]
    whole = DAG.from_edges([*dag.directed, *spelled], nodes=[*dag.nodes, *hidden], latent=list(hidden))
    known = tuple(map(str, range(states)))
    tables = {}
    for name in whole.nodes:
        parents = whole.parents(name)
        columns = rng.dirichlet(np.ones(states), size=[states] * len(parents))
        tables[name] = Factor((name, *parents), (known,) * (len(parents) + 1), np.moveaxis(columns, -1, 0))
    return DiscreteNetwork(whole, tables)


def gap(estimand: Estimand, network: DiscreteNetwork, joint: Factor | None = None) -> float:
    """Largest difference between the formula on the observed joint and surgery on the network."""
    y, x, z = estimand.outcomes, estimand.interventions, estimand.given
    found = estimand.evaluate(network.query(list(estimand.graph.nodes)) if joint is None else joint)
    worst = 0.0
    for states in itertools.product(*(network.states[name] for name in x)):
        setting = dict(zip(x, states, strict=True))
        law = network.query([*y, *z], do=setting)
        truth = law / law.sum_out(y)
        here = found.at({name: state for name, state in setting.items() if name in found.variables})
        ones = Factor(truth.variables, truth.states, np.ones(truth.values.shape))
        worst = max(worst, float(np.abs((ones * here).reorder(truth.variables).values - truth.values).max()))
    return worst


class Model:
    """A structural model of bits whose hidden states are all listed: the probability of anything is a sum."""

    def __init__(self, dag: DAG, rng: np.random.Generator, noise: int = 4) -> None:
        self.dag = dag
        names, edges = list(dag.nodes), list(dag.bidirected)
        grid = np.indices([noise] * len(names) + [2] * len(edges)).reshape(len(names) + len(edges), -1)
        self.hidden = dict(zip([*names, *edges], grid, strict=True))
        self.weights = np.ones(grid.shape[1])
        for codes in self.hidden.values():
            self.weights = self.weights * rng.dirichlet(np.ones(int(codes.max()) + 1))[codes]
        self.parents = {v: [*dag.parents(v)] for v in names}
        self.shared = {v: [edge for edge in edges if v in edge] for v in names}
        self.tables = {}
        for v in names:
            table = rng.integers(0, 2, size=[2] * (len(self.parents[v]) + len(self.shared[v])) + [noise])
            table[..., 0], table[..., 1] = 0, 1  # so that every combination can occur
            self.tables[v] = table

    def world(self, do: Sequence[tuple[str, str]] = ()) -> dict[str, np.ndarray]:
        """The bits of all nodes in the world of a setting, one per hidden state."""
        setting, bits = dict(do), {}
        for v in self.dag.order:
            if v in setting:
                bits[v] = np.full(len(self.weights), int(setting[v]))
                continue
            causes = [bits[p] for p in self.parents[v]] + [self.hidden[e] for e in self.shared[v]]
            bits[v] = self.tables[v][(*causes, self.hidden[v])]
        return bits

    def joint(self) -> Factor:
        """The observed law."""
        bits, names = self.world(), self.dag.nodes
        values = np.zeros([2] * len(names))
        np.add.at(values, tuple(bits[v] for v in names), self.weights)
        return Factor(tuple(names), (BIT,) * len(names), values)

    def probability(self, events: Sequence[Event]) -> float:
        """Probability that all events are true, each in its own world."""
        true = np.ones(len(self.weights), dtype=bool)
        for event in events:
            true &= self.world(event.do)[event.variable] == int(event.state)
        return float(self.weights[true].sum())


def random_events(rng: random.Random, nodes: Sequence[str], count: int) -> list[Event]:
    """Events about random nodes in worlds that set up to two of them."""
    found = []
    for _ in range(count):
        variable = rng.choice(nodes)
        setting = {x: rng.choice(BIT) for x in rng.sample(list(nodes), rng.choice([0, 1, 1, 2]))}
        if rng.random() < 0.9:
            setting.pop(variable, None)
        found.append(Event(variable, rng.choice(BIT), setting))
    return found


def random_worlds(rng: random.Random) -> tuple[DAG, list[Event], list[Event]]:
    """A random graph of two to four nodes with events and conditions in several worlds."""
    n = rng.randint(2, 4)
    nodes = [f"v{i}" for i in range(n)]
    order = rng.sample(nodes, n)
    directed = [pair for pair in itertools.combinations(order, 2) if rng.random() < 0.6]
    bidirected = [pair for pair in itertools.combinations(nodes, 2) if rng.random() < 0.2]
    dag = DAG.from_edges(directed, bidirected, nodes)
    return (
        dag,
        random_events(rng, nodes, rng.choice([1, 2, 2, 3])),
        random_events(rng, nodes, rng.choice([0, 1, 1, 2])),
    )


def sharp_bounds(
    dag: DAG, events: Sequence[Event], given: Sequence[Event], rng: np.random.Generator
) -> tuple[float, float]:
    """Least and greatest probability of events given others, over all models with one random observed law.

    For graphs over bits in which ``<->`` joins all pairs: any law over the response functions of all nodes together
    is a model then, so that the bounds are two linear programs (Balke and Pearl 1997; a ratio after Charnes and
    Cooper 1962).
    """
    from scipy.optimize import linprog

    nodes = list(dag.nodes)
    functions = [itertools.product((0, 1), repeat=2 ** len(dag.parents(v))) for v in nodes]
    types = [dict(zip(nodes, chosen, strict=True)) for chosen in itertools.product(*functions)]

    def world(type_: dict[str, tuple[int, ...]], do: Sequence[tuple[str, str]]) -> dict[str, int]:
        setting, bits = dict(do), {}
        for v in dag.order:
            place = int("0" + "".join(str(bits[p]) for p in dag.parents(v)), 2)
            bits[v] = int(setting[v]) if v in setting else type_[v][place]
        return bits

    cells = list(itertools.product((0, 1), repeat=len(nodes)))
    seen = [tuple(world(type_, ())[v] for v in nodes) for type_ in types]
    equal = np.array([[row == cell for row in seen] for cell in cells], dtype=float)

    def share(told: Sequence[Event]) -> np.ndarray:
        return np.array(
            [all(world(t, e.do)[e.variable] == int(e.state) for e in told) for t in types], dtype=float
        )

    law = equal @ rng.dirichlet(np.ones(len(types)))
    scaled = np.block([[equal, -law[:, None]], [share(given)[None], np.zeros((1, 1))]])
    target = np.append(np.zeros(len(law)), 1.0)
    cost = np.append(share([*events, *given]), 0.0)
    low, high = (linprog(sign * cost, A_eq=scaled, b_eq=target, bounds=(0, None)).fun for sign in (1.0, -1.0))
    return float(low), -float(high)


def large_graph(seed: int, nodes: int, arrows: float, joins: float) -> tuple[DAG, str, str]:
    """A random graph with so many arrows and ``<->`` edges per node, an early node and a late one."""
    rng = random.Random(seed)
    names = [f"v{i}" for i in range(nodes)]
    pairs = list(itertools.combinations(names, 2))
    directed = [pair for pair in pairs if rng.random() < 2 * arrows / nodes]
    bidirected = [pair for pair in pairs if rng.random() < 2 * joins / nodes]
    early, late = names[rng.randrange(nodes // 4)], names[-1 - rng.randrange(nodes // 4)]
    return DAG.from_edges(directed, bidirected, names), early, late
