"""The counterfactual graph: copies of a model in several worlds, merged wherever they must be equal.

Every event names a variable, the state it has, and the world it is in, which is the setting that made that world.
All worlds share the hidden causes of the model. Two copies of a variable are the same one where the copies of all
its causes are the same, or take the same value by setting or by what the events say (Shpitser and Pearl 2008, lemmas
24 and 25); merging in causal order finds all of them. What is left of a copy is a *node* here. Nodes of one variable,
and nodes of variables joined by ``<->``, share hidden causes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from suppose.core.errors import GraphError
from suppose.graphs.dag import DAG

__all__ = ["Event", "Node", "World", "Worlds", "check_events", "worlds_of"]

World = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Event:
    """That a variable has a state in some world.

    Parameters
    ----------
    variable : str
        The variable.
    state : str
        Its state.
    do : mapping or tuple of pairs
        The setting of the world; empty for the world as it is.

    Examples
    --------
    >>> print(Event("Y", "1", {"X": "0"}), Event("X", "1"))
    Y[X = 0] = 1 X = 1
    """

    variable: str
    state: str
    do: World = ()

    def __init__(self, variable: str, state: object, do: Mapping[str, object] | World = ()) -> None:
        pairs = do.items() if isinstance(do, Mapping) else do
        object.__setattr__(self, "variable", variable)
        object.__setattr__(self, "state", str(state))
        object.__setattr__(self, "do", tuple(sorted((name, str(value)) for name, value in pairs)))

    @property
    def left(self) -> str:
        """The variable in its world."""
        setting = ", ".join(f"{name} = {state}" for name, state in self.do)
        return f"{self.variable}[{setting}]" if setting else self.variable

    def __str__(self) -> str:
        return f"{self.left} = {self.state}"


@dataclass(frozen=True)
class Node:
    """A merged copy of a variable.

    Attributes
    ----------
    number : int
        Its number; nodes are numbered causes first.
    variable : str
        The variable.
    world : World
        One of the worlds it is in.
    parents : tuple of (variable, node number or state)
        Its causes: nodes, or states they are set to.
    """

    number: int
    variable: str
    world: World
    parents: tuple[tuple[str, int | str], ...]


@dataclass(frozen=True)
class Worlds:
    """The counterfactual graph of some events.

    Attributes
    ----------
    nodes : tuple of Node
        Ancestors of the events.
    states : dict
        State of the nodes the events are about, by number.
    places : tuple of int
        Node of each event, in their order; -1 for events that hold by themselves (a variable set to the state).
    copies : dict
        For every variable and world its node number, or the state it is set to there.
    possible : bool
        False when two events contradict each other; the rest is then empty.
    """

    nodes: tuple[Node, ...]
    states: dict[int, str]
    places: tuple[int, ...]
    copies: dict[tuple[str, World], int | str] = field(default_factory=dict)
    possible: bool = True

    def label(self, node: Node) -> str:
        """The variable of a node, and the setting of its world as far as it reaches the node."""
        acting = self._acting(node)
        setting = ", ".join(f"{name} = {state}" for name, state in node.world if name in acting)
        return f"{node.variable}[{setting}]" if setting else node.variable

    def _acting(self, node: Node) -> set[str]:
        by_number = {other.number: other for other in self.nodes}
        found: set[str] = set()
        seen, stack = {node.number}, [node]
        while stack:
            for name, source in stack.pop().parents:
                if isinstance(source, str):
                    found.add(name)
                elif source not in seen:
                    seen.add(source)
                    stack.append(by_number[source])
        return found

    def labels(self) -> dict[int, str]:
        """A name for every node, by number: its label, with strokes where two would be the same."""
        found: dict[int, str] = {}
        for node in self.nodes:
            name = self.label(node)
            while name in found.values():
                name += "'"
            found[node.number] = name
        return found

    def graph(self, measured: DAG) -> DAG:
        """The counterfactual graph, one vertex a node, named by :meth:`labels`."""
        names = self.labels()
        directed = [
            (names[q], names[node.number])
            for node in self.nodes
            for _, q in node.parents
            if isinstance(q, int)
        ]
        joined = {frozenset(edge) for edge in measured.bidirected}
        bidirected = [
            (names[a.number], names[b.number])
            for k, a in enumerate(self.nodes)
            for b in self.nodes[k + 1 :]
            if a.variable == b.variable or frozenset((a.variable, b.variable)) in joined
        ]
        return DAG.from_edges(directed, bidirected, names.values())

    def components(self, graph: DAG) -> list[list[Node]]:
        """Groups of nodes joined by hidden causes, in order of their first nodes."""
        joined = {frozenset(edge) for edge in graph.bidirected}
        left, found = list(self.nodes), []
        while left:
            group = [left.pop(0)]
            for node in group:  # grows while it is read
                near = [
                    other for other in left
                    if other.variable == node.variable or frozenset((other.variable, node.variable)) in joined
                ]  # fmt: skip
                group += near
                left = [other for other in left if other not in near]
            found.append(sorted(group, key=lambda node: node.number))
        return found


def worlds_of(graph: DAG, events: Sequence[Event], *, by_state: bool = True) -> Worlds:
    """Merge the worlds of ``events``; ``graph`` holds measured nodes only.

    With ``by_state=False`` copies are merged only where they are equal whatever the states of the events.

    Examples
    --------
    >>> graph = DAG("X -> Y; X <-> Y")
    >>> merged = worlds_of(graph, [Event("Y", "1", {"X": "1"}), Event("X", "1")])
    >>> [(node.variable, node.world) for node in merged.nodes]
    [('X', ()), ('Y', ())]
    >>> worlds_of(graph, [Event("X", "0", {"X": "1"})]).possible
    False
    """
    if any(dict(e.do).get(e.variable, e.state) != e.state for e in events):
        return Worlds((), {}, (), possible=False)
    told = [e for e in events if e.variable not in dict(e.do)]
    settings: list[World] = sorted({(), *(e.do for e in told)}, key=lambda world: (len(world), world))
    nodes: list[Node] = []
    number: dict[object, int] = {}
    place: dict[tuple[str, World], int | str] = {}
    states: dict[int, str] = {}
    for variable in graph.order:
        for world in settings:
            fixed = dict(world).get(variable)
            if fixed is not None:
                place[variable, world] = fixed
                continue
            parents = tuple((p, place[p, world]) for p in graph.parents(variable))
            values = tuple(states.get(q, q) if isinstance(q, int) and by_state else q for _, q in parents)
            key = (variable, values)
            if key not in number:
                number[key] = len(nodes)
                nodes.append(Node(len(nodes), variable, world, parents))
            place[variable, world] = number[key]
        for e in told:
            if e.variable == variable:
                k = place[variable, e.do]
                assert isinstance(k, int)
                if states.setdefault(k, e.state) != e.state:
                    return Worlds((), {}, (), possible=False)
    kept = _ancestors(nodes, states)
    places = tuple(
        -1 if e.variable in dict(e.do) else int(place[e.variable, e.do]) for e in events
    )  # numbers, since the variable is not set there
    return Worlds(tuple(node for node in nodes if node.number in kept), states, places, place)


def _ancestors(nodes: Sequence[Node], of: Iterable[int]) -> set[int]:
    found: set[int] = set()
    stack = list(of)
    while stack:
        k = stack.pop()
        if k not in found:
            found.add(k)
            stack += [q for _, q in nodes[k].parents if isinstance(q, int)]
    return found


def check_events(graph: DAG, events: Sequence[Event], where: str) -> None:
    """Refuse events about unknown or hidden nodes."""
    for event in events:
        names = [event.variable, *(name for name, _ in event.do)]
        graph.ids(names, where=where)
        for name in names:
            if name in graph.latent:
                raise GraphError(
                    "latent-role", f"{name!r} is latent, so it was not measured", where=where,
                    remedy="Choose a measured node, or remove it from the latent ones.",
                )  # fmt: skip
