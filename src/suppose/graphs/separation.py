"""Which variables a causal graph makes independent, and along which paths they are not.

d-separation (Pearl 1988) and, with bidirected edges, m-separation (Richardson 2003), decided by reachability
in time linear in nodes and edges (Bayes-ball, Shachter 1998; van der Zander, Liskiewicz and Textor 2019,
section 3). Open paths are listed shortest first with polynomial delay (Lawler 1972 on that search), each with
a reason per node.

Deviation: a collider counts as open when it or a descendant is given, so that paths are shown, not walks.
What it does not do: test independence in data; see the discovery room.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, no_type_check

from suppose.core.errors import GraphError
from suppose.graphs.adjacency import Adjacency
from suppose.graphs.dag import DAG, NodeSet, check_graph
from suppose.graphs.listing import Listing, take
from suppose.graphs.notation import parse_path, quote

__all__ = ["OpenPaths", "Path", "PathStep", "d_connected_nodes", "d_separated", "explain_path", "open_paths"]

Step = tuple[str, int]
"""An arrow and the number of the node it leads to."""


@dataclass(frozen=True)
class PathStep:
    """One inner node of a path: what it is there, whether it lets the path through, and why."""

    node: str
    kind: str
    """``chain``, ``fork`` or ``collider``."""
    is_open: bool
    reason: str


@dataclass(frozen=True)
class Path:
    """A path of the graph, judged given a set of nodes."""

    nodes: tuple[str, ...]
    arrows: tuple[str, ...]
    steps: tuple[PathStep, ...]

    @property
    def is_open(self) -> bool:
        """Whether every inner node lets the path through."""
        return all(step.is_open for step in self.steps)

    @property
    def is_causal(self) -> bool:
        """Whether every arrow points from the first node towards the last."""
        return all(arrow == "->" for arrow in self.arrows)

    @property
    def text(self) -> str:
        """The path in the notation of the graphs."""
        tail = "".join(f" {a} {quote(b)}" for a, b in zip(self.arrows, self.nodes[1:], strict=True))
        return quote(self.nodes[0]) + tail

    def __str__(self) -> str:
        reasons = "; ".join(step.reason for step in self.steps) or "a direct edge, which nothing blocks"
        return f"{self.text}  ({'open' if self.is_open else 'blocked'}: {reasons})"


@dataclass(frozen=True)
class OpenPaths(Listing[Path]):
    """Open paths, shortest first."""

    def rows(self) -> list[dict[str, Any]]:
        """Path, length and reasons of each."""
        return [
            {"path": p.text, "edges": len(p.arrows), "causal": p.is_causal,
             "reason": "; ".join(step.reason for step in p.steps)}
            for p in self.items
        ]  # fmt: skip


def d_separated(dag: DAG, x: NodeSet, y: NodeSet, given: NodeSet = ()) -> bool:
    """Whether the graph makes ``x`` and ``y`` independent given ``given``.

    Parameters
    ----------
    dag : DAG
        The graph; with bidirected edges this is m-separation.
    x, y, given : str or iterable of str
        Disjoint sets of nodes; ``x`` and ``y`` not empty.

    Raises
    ------
    GraphError
        ``unknown-node``, ``overlapping-sets``, ``empty-set``.

    Examples
    --------
    >>> dag = DAG("age -> {treat re78}; treat -> re78")
    >>> d_separated(dag, "treat", "re78", "age")
    False
    >>> d_separated(DAG("a -> b <- c"), "a", "c"), d_separated(DAG("a -> b <- c"), "a", "c", "b")
    (True, False)
    """
    xs, ys, zs = disjoint(dag, x=x, y=y, given=given)
    return not connected(dag.adjacency, xs, ys, zs)


def d_connected_nodes(dag: DAG, x: NodeSet, given: NodeSet = ()) -> tuple[str, ...]:
    """Every other node that the graph does not separate from ``x`` given ``given``.

    Examples
    --------
    >>> d_connected_nodes(DAG("a -> b <- c; b -> d"), "a", "d")
    ('b', 'c')
    """
    xs, zs = disjoint(dag, x=x, given=given)
    flags = reach(dag.adjacency, xs, zs)
    for node in (*xs, *zs):
        flags[node] = 0
    return dag.names(node for node, flag in enumerate(flags) if flag)


def disjoint(dag: DAG, **sets: NodeSet) -> list[tuple[int, ...]]:
    """Numbers of the nodes in each set; refuses shared nodes, and empty sets other than ``given``."""
    check_graph(dag)
    ids = {role: dag.ids(nodes, where=role) for role, nodes in sets.items()}
    owner: dict[int, str] = {}
    for role, numbers in ids.items():
        if not numbers and role != "given":
            raise GraphError(
                "empty-set", "expected at least one node, got none", where=role, remedy="Name a node."
            )
        for number in numbers:
            if number in owner:
                raise GraphError(
                    "overlapping-sets", f"{dag.nodes[number]!r} is in {owner[number]} and in {role}",
                    where=role, remedy="Name each node in one of them only.",
                )  # fmt: skip
            owner[number] = role
    return list(ids.values())


def connected(edges: Adjacency, x: Iterable[int], y: Iterable[int], given: Sequence[int]) -> bool:
    """Whether some path between ``x`` and ``y`` is open given ``given`` (node numbers, disjoint sets)."""
    goal = bytearray(len(edges.parents))
    for node in y:
        goal[node] = 1
    return reach(edges, x, given, goal) is _MET


_MET = bytearray()


def reach(
    edges: Adjacency, x: Iterable[int], given: Sequence[int], goal: bytearray | None = None
) -> bytearray:
    """Flags of the nodes with an open path from ``x``; the constant ``_MET`` as soon as a goal has one.

    A node is entered at an arrow's tail (``rising``, from its child) or at its head (``falling``). Entered at
    a tail it passes everything on, unless it is given. Entered at a head it passes on to its children unless
    given, and back out through other heads only if it is an ancestor of a given node.
    """
    parents, children, siblings = edges
    opened = edges.closure(given, up=True)
    free = bytearray([1]) * len(parents)
    for node in given:
        free[node] = 0
    risen, fallen = bytearray(len(parents)), bytearray(len(parents))
    rising: list[int] = []
    falling: list[int] = []
    _enter(x, risen, rising)
    while rising or falling:
        if rising:
            node = rising.pop()
            back = onward = free[node]
        else:
            node = falling.pop()
            back, onward = opened[node], free[node]
        if goal is not None and goal[node]:
            return _MET
        if back:
            _enter(parents[node], risen, rising)
            _enter(siblings[node], fallen, falling)
        if onward:
            _enter(children[node], fallen, falling)
    return bytearray(a | b for a, b in zip(risen, fallen, strict=True))


@no_type_check  # runs once per node and edge side
def _enter(nodes: Iterable[int], done: bytearray, queue: list[int]) -> None:
    for node in nodes:
        if not done[node]:
            done[node] = 1
            queue.append(node)


def open_paths(dag: DAG, x: NodeSet, y: NodeSet, given: NodeSet = (), *, limit: int = 100) -> OpenPaths:
    """Paths along which ``x`` and ``y`` stay dependent given ``given``, shortest first, with reasons.

    Only paths that touch ``x`` and ``y`` at their ends alone are listed: if any path is open, such a one is.

    Parameters
    ----------
    dag : DAG
        The graph.
    x, y, given : str or iterable of str
        Disjoint sets of nodes.
    limit : int
        Largest number of paths; there can be exponentially many. ``complete`` tells whether it cut.

    Raises
    ------
    GraphError
        ``unknown-node``, ``overlapping-sets``, ``empty-set``, ``bad-limit``.

    Examples
    --------
    >>> print(open_paths(DAG("age -> {treat re78}; treat -> job -> re78"), "treat", "re78", "job"))
    1 open path between treat and re78 given job:
      treat <- age -> re78  (open: age is a common cause and is not given)
    """
    xs, ys, zs = disjoint(dag, x=x, y=y, given=given)
    found, complete = take(search(dag.adjacency, xs, ys, zs), limit)
    paths = tuple(judge(dag.nodes, dag.adjacency, first, steps, zs) for first, steps in found)
    between = f"{', '.join(dag.names(xs))} and {', '.join(dag.names(ys))}"
    condition = f" given {', '.join(dag.names(zs))}" if zs else ""
    if not paths:
        return OpenPaths((), True, f"No open path between {between}{condition}: they are separated.")
    number = (
        f"{len(paths)} open path{'s' if len(paths) > 1 else ''}" if complete else f"First {limit} open paths"
    )
    return OpenPaths(paths, complete, f"{number} between {between}{condition}:")


def search(
    edges: Adjacency, x: Sequence[int], y: Sequence[int], given: Sequence[int]
) -> Iterator[tuple[int, list[Step]]]:
    """Open paths as (first node, steps), shortest first; polynomial time between two of them."""
    finder = _Finder(edges, x, y, given)
    heap: list[tuple[int, list[Step], int, int, frozenset[Step]]] = []
    todo: list[tuple[int, list[Step], frozenset[Step]]] = [(first, [], frozenset()) for first in x]
    while todo or heap:
        for first, prefix, banned in todo:
            rest = finder.shortest(first, prefix, banned)
            if rest is not None:
                heapq.heappush(heap, (len(prefix) + len(rest), prefix + rest, first, len(prefix), banned))
        if not heap:
            return
        _, steps, first, fixed, banned = heapq.heappop(heap)
        yield first, steps
        todo = [  # Lawler: split what is left by where it leaves this path
            (first, steps[:i], (banned if i == fixed else frozenset()) | {steps[i]})
            for i in range(fixed, len(steps))
        ]


class _Finder:
    """Shortest open continuation of a path. A shortest open walk repeats no node, so it is a path."""

    def __init__(self, edges: Adjacency, x: Sequence[int], y: Sequence[int], given: Sequence[int]) -> None:
        self.edges = edges
        self.opened = edges.closure(given, up=True)
        self.x, self.goals, self.given = frozenset(x), frozenset(y), frozenset(given)

    def next_steps(self, node: int, entered: str) -> Iterator[Step]:
        """Steps out of a node entered along an arrow, ``<-`` meaning at its tail."""
        free = node not in self.given
        if free if entered == "<-" else self.opened[node]:
            yield from (("<-", other) for other in self.edges.parents[node])
        if free:
            yield from (("->", other) for other in self.edges.children[node])
        if free if entered == "<-" else self.opened[node]:
            yield from (("<->", other) for other in self.edges.siblings[node])

    def shortest(self, first: int, prefix: list[Step], banned: frozenset[Step]) -> list[Step] | None:
        used = self.x | {node for _, node in prefix}
        entered, start = prefix[-1] if prefix else ("<-", first)
        came: dict[Step, Step | None] = {}
        layer: list[Step] = []
        for step in self.next_steps(start, entered):
            if step not in banned and step[1] not in used:
                came[step] = None
                layer.append(step)
        for step in layer:  # grows while it is read: breadth first
            if step[1] in self.goals:
                return _trace(came, step)
            for further in self.next_steps(step[1], step[0]):
                if further not in came and further[1] not in used:
                    came[further] = step
                    layer.append(further)
        return None


def _trace(came: dict[Step, Step | None], last: Step) -> list[Step]:
    steps, step = [last], came[last]
    while step is not None:
        steps.append(step)
        step = came[step]
    return steps[::-1]


def explain_path(dag: DAG, path: str, given: NodeSet = ()) -> Path:
    """Judgement of one path, written with arrows, given ``given``: open or blocked, and why.

    Raises
    ------
    GraphError
        ``graph-syntax``, ``unknown-node``, ``no-such-path`` when the graph lacks one of its edges,
        ``overlapping-sets`` when an end is given.

    Examples
    --------
    >>> print(explain_path(DAG("a -> b <- c; b -> d"), "a -> b <- c", "d"))
    a -> b <- c  (open: b is a collider and its descendant d is given)
    """
    names, arrows = parse_path(path)
    ids = [dag.ids(name, where="path")[0] for name in names]
    zs = disjoint(dag, ends=(names[0], names[-1]), given=given)[1]
    table = {"->": dag.adjacency.children, "<-": dag.adjacency.parents, "<->": dag.adjacency.siblings}
    for left, arrow, right in zip(ids, arrows, ids[1:], strict=False):
        if right not in table[arrow][left]:
            raise GraphError(
                "no-such-path", f"the graph has no edge {names[ids.index(left)]} {arrow} {dag.nodes[right]}",
                where="path", remedy="Write a path along edges of the graph.",
            )  # fmt: skip
    if len(set(ids)) < len(ids):
        raise GraphError(
            "no-such-path", "a path visits each node once; this one returns to a node", where="path",
            remedy="Write a path without repeated nodes.",
        )  # fmt: skip
    return judge(dag.nodes, dag.adjacency, ids[0], list(zip(arrows, ids[1:], strict=True)), zs)


def judge(
    nodes: Sequence[str], edges: Adjacency, first: int, steps: Sequence[Step], given: Sequence[int]
) -> Path:
    """The path as a record with the reason at each inner node; ``nodes`` names the numbers."""
    chosen = set(given)
    judged = []
    for (arrow, node), (onward, _) in pairwise(steps):
        into, out = arrow != "<-", onward != "->"
        if into and out:
            judged.append(_collider(nodes, edges, node, chosen))
            continue
        kind, word = ("chain", "on the way") if into or out else ("fork", "a common cause")
        state = "is given, which blocks" if node in chosen else "is not given"
        reason = f"{nodes[node]} is {word} and {state}"
        judged.append(PathStep(nodes[node], kind, node not in chosen, reason))
    names = (nodes[first], *(nodes[node] for _, node in steps))
    return Path(names, tuple(arrow for arrow, _ in steps), tuple(judged))


def _collider(nodes: Sequence[str], edges: Adjacency, node: int, chosen: set[int]) -> PathStep:
    name = nodes[node]
    if node in chosen:
        return PathStep(name, "collider", True, f"{name} is a collider and is given")
    below = edges.closure([node], up=False)
    opener = next((other for other in sorted(chosen) if below[other]), None)
    if opener is None:
        reason = f"{name} is a collider, and neither it nor a descendant is given, which blocks"
        return PathStep(name, "collider", False, reason)
    return PathStep(
        name, "collider", True, f"{name} is a collider and its descendant {nodes[opener]} is given"
    )
