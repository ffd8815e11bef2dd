"""Graphs whose edges are only partly turned: what data can say about arrows, and what they leave open.

A :class:`PDAG` has directed (``a -> b``) and undirected (``a -- b``) edges; as the result of a search also
``a <-> b``, where findings contradict each other. It stands for the DAGs with the same separations (Verma and
Pearl 1990). A :class:`PAG` adds circles (``a o-> b``, ``a o-o b``), marks that are arrowheads in some and tails in
other members of the class (Zhang 2008).

Marks are an ``int8`` matrix, ``endpoints[i, j]`` being the mark at ``j`` of the edge between ``i`` and ``j``: 0
none, 1 circle, 2 arrowhead, 3 tail (as in R's pcalg). The members of a class are counted by rooting each
undirected component at each of its nodes in turn (He, Jia and Yu 2015), and one member is found as in Dor and
Tarsi (1992).

What it does not do: counting is exponential in the worst case of dense undirected components; FCI makes PAGs,
here they are only held.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from math import factorial
from typing import Any, ClassVar, TypeVar

import numpy as np
from jaxtyping import Bool, Int8

from suppose.core.errors import GraphError, nearest
from suppose.graphs.dag import DAG
from suppose.graphs.meek import ARROW, CIRCLE, NONE, TAIL, close, pattern
from suppose.graphs.notation import BARE, quote, unquote

__all__ = ["PAG", "PDAG", "MarkedGraph", "member_count"]

Self = TypeVar("Self", bound="MarkedGraph")
LEFT = {CIRCLE: "o", ARROW: "<", TAIL: "-"}
RIGHT = {CIRCLE: "o", ARROW: ">", TAIL: "-"}
_WORDS = {"-->": "->", "<--": "<-", "---": "--"}
_MARKS = {"<": ARROW, ">": ARROW, "o": CIRCLE, "-": TAIL}
_TOKEN = re.compile(
    rf"""\s+ | (?P<end>;) | (?P<edge><->|<-o|<-|->|o->|o-o|o--|--o|--)
       | (?P<quoted>"(?:[^"\\]|\\.)*") | (?P<name>{BARE})""",
    re.VERBOSE,
)


class MarkedGraph:
    """A graph of marked edges on named nodes; does not change, and is compared by content.

    Parameters
    ----------
    endpoints : (p, p) int8
        Marks: 0 no edge, 1 circle, 2 arrowhead, 3 tail, at the second node.
    names : sequence of str
        Names of the nodes.

    Raises
    ------
    GraphError
        ``bad-marks`` for a matrix that is not such, ``bad-node-name``.
    """

    allowed: ClassVar[tuple[int, ...]] = (NONE, CIRCLE, ARROW, TAIL)

    def __init__(self, endpoints: Any, names: Sequence[Any]) -> None:
        marks = np.array(endpoints, dtype=np.int8)
        self._names = tuple(names)
        _check_marks(marks, self._names, self.allowed, type(self).__name__)
        marks.setflags(write=False)
        self._marks = marks
        self._index = {name: i for i, name in enumerate(self._names)}

    @classmethod
    def parse(cls: type[Self], text: str) -> Self:
        """Graph from text such as ``"a -> b; b -- c; c <-> d"``.

        Raises
        ------
        GraphError
            ``graph-syntax``, ``bad-marks``.

        Examples
        --------
        >>> print(PAG.parse("a o-> b <-> c; b -> d"))
        a o-> b; b <-> c; b -> d
        """
        names, edges = _parsed(text)
        index = {name: i for i, name in enumerate(names)}
        marks = np.zeros((len(names), len(names)), dtype=np.int8)
        for a, arrow, b in edges:
            full = {"->": "-->", "<-": "<--", "--": "---"}.get(arrow, arrow)
            marks[index[b], index[a]], marks[index[a], index[b]] = _MARKS[full[0]], _MARKS[full[-1]]
        return cls(marks, names)

    # ---------------------------------------------------------------- content

    @property
    def endpoints(self) -> Int8[np.ndarray, "p p"]:
        """Marks; not to be changed."""
        return self._marks

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the nodes."""
        return self._names

    @property
    def adjacent(self) -> Bool[np.ndarray, "p p"]:
        """Which nodes have an edge between them."""
        return self._marks > 0

    def edges(self) -> list[tuple[str, str, str]]:
        """All edges as (node, edge, node), arrows written from left to right.

        Examples
        --------
        >>> PDAG.parse("b <- a; b -- c").edges()
        [('a', '->', 'b'), ('b', '--', 'c')]
        """
        found = []
        for i, j in np.argwhere(np.triu(self.adjacent, 1)):
            left, right = self._marks[j, i], self._marks[i, j]
            if (left == ARROW and right != ARROW) or (left == TAIL and right == CIRCLE):
                i, j, left, right = j, i, right, left
            arrow = LEFT[int(left)] + "-" + RIGHT[int(right)]
            found.append((self._names[i], _WORDS.get(arrow, arrow), self._names[j]))
        return found

    def edge(self, a: str, b: str) -> str | None:
        """The edge read from ``a`` to ``b``, for example ``"->"``; ``None`` where there is none."""
        i, j = self.id(a), self.id(b)
        if not self._marks[i, j]:
            return None
        arrow = LEFT[int(self._marks[j, i])] + "-" + RIGHT[int(self._marks[i, j])]
        return _WORDS.get(arrow, arrow)

    def id(self, name: str) -> int:
        """Number of a node; refuses a name the graph lacks with ``unknown-node``."""
        if name not in self._index:
            raise GraphError(
                "unknown-node", f"the graph has no node {name!r}; it has: {', '.join(self._names[:12])}",
                where="node", remedy=nearest(str(name), self._names) or "Check the spelling.",
            )  # fmt: skip
        return self._index[name]

    def parents(self, node: str) -> tuple[str, ...]:
        """Nodes with an arrow ``->`` into the node."""
        i = self.id(node)
        return self._named((self._marks[:, i] == ARROW) & (self._marks[i] == TAIL))

    def children(self, node: str) -> tuple[str, ...]:
        """Nodes the node has an arrow ``->`` into."""
        i = self.id(node)
        return self._named((self._marks[i] == ARROW) & (self._marks[:, i] == TAIL))

    def neighbours(self, node: str) -> tuple[str, ...]:
        """Nodes joined to the node by an undirected edge."""
        i = self.id(node)
        return self._named((self._marks[i] == TAIL) & (self._marks[:, i] == TAIL))

    def reorder(self: Self, names: Sequence[str]) -> Self:
        """The same graph with its nodes in another order."""
        ids = [self.id(name) for name in names]
        return type(self)(self._marks[np.ix_(ids, ids)], [self._names[i] for i in ids])

    def _named(self, flags: np.ndarray) -> tuple[str, ...]:
        return tuple(self._names[i] for i in np.flatnonzero(flags))

    # ------------------------------------------------------------- in and out

    @property
    def text(self) -> str:
        """The graph in the notation :meth:`parse` reads."""
        edges = self.edges()
        parts = [f"{quote(a)} {arrow} {quote(b)}" for a, arrow, b in edges]
        used = {name for a, _, b in edges for name in (a, b)}
        return "; ".join(parts + [quote(name) for name in self._names if name not in used])

    def to_frame(self) -> Any:
        """The edges as a pandas table: from, edge, to."""
        import pandas as pd

        return pd.DataFrame(self.edges(), columns=["from", "edge", "to"])

    def to_dot(self) -> str:
        """The graph for Graphviz."""
        from suppose.graphs.pdag_export import write_dot

        return write_dot(self)

    def to_dagitty(self) -> str:
        """The graph as dagitty code (``pdag{...}`` or ``pag{...}``)."""
        from suppose.graphs.pdag_export import write_dagitty

        return write_dagitty(self)

    def to_graphml(self) -> str:
        """The graph as GraphML, marks as data of each edge."""
        from suppose.graphs.pdag_export import write_graphml

        return write_graphml(self)

    def to_svg(self, **options: Any) -> str:
        """The graph as a drawing; options as in :func:`suppose.graphs.pdag_drawing.draw_marked`."""
        from suppose.graphs.pdag_drawing import draw_marked

        return draw_marked(self, **options)

    def _repr_svg_(self) -> str | None:
        from suppose.graphs.drawing import MAX_NODES

        return self.to_svg() if 0 < len(self) <= MAX_NODES else None

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"{type(self).__name__}.parse({self.text!r})"

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, node: object) -> bool:
        return node in self._index

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MarkedGraph):
            return NotImplemented
        if set(self._names) != set(other._names):
            return False
        return bool(np.array_equal(self._marks, other.reorder(self._names)._marks))

    def __hash__(self) -> int:
        return hash((frozenset(self._names), int((self._marks > 0).sum()), int((self._marks == ARROW).sum())))


class PDAG(MarkedGraph):
    """A graph of directed and undirected edges, ``<->`` where findings contradict each other.

    Parameters
    ----------
    endpoints : (p, p) int8
        Marks: 0 no edge, 2 arrowhead, 3 tail, at the second node.
    names : sequence of str
        Names of the nodes.

    Examples
    --------
    >>> graph = PDAG.from_dag(DAG("smoke -> tar -> cancer; gene -> cancer"))
    >>> print(graph)
    smoke -- tar; tar -> cancer; gene -> cancer
    >>> graph.size(), graph.to_dag()
    (2, DAG('{smoke tar cancer gene}; tar -> smoke; tar -> cancer; gene -> cancer'))
    """

    allowed = (NONE, ARROW, TAIL)

    @classmethod
    def from_dag(cls, dag: DAG) -> PDAG:
        """The completed graph (CPDAG) of all DAGs with the separations of ``dag``.

        Raises
        ------
        GraphError
            ``hidden-cause`` for a graph with ``<->``, whose class needs a PAG.
        """
        if dag.bidirected:
            raise GraphError(
                "hidden-cause", f"{dag.bidirected[0][0]!r} and {dag.bidirected[0][1]!r} have a hidden common cause; "
                "the class of such a graph is a PAG", where="graph",
                remedy="Leave the <-> edges out, or name the hidden causes as nodes.",
            )  # fmt: skip
        index = {name: i for i, name in enumerate(dag.nodes)}
        parents = np.zeros((len(index), len(index)), dtype=np.int8)
        for a, b in dag.directed:
            parents[index[a], index[b]] = 1
        return cls(pattern(parents), dag.nodes)

    @property
    def directed(self) -> tuple[tuple[str, str], ...]:
        """Arrows ``a -> b``."""
        return tuple((a, b) for a, arrow, b in self.edges() if arrow == "->")

    @property
    def undirected(self) -> tuple[tuple[str, str], ...]:
        """Edges ``a -- b`` whose direction is open."""
        return tuple((a, b) for a, arrow, b in self.edges() if arrow == "--")

    @property
    def contradictory(self) -> tuple[tuple[str, str], ...]:
        """Edges ``a <-> b`` that findings turn both ways."""
        return tuple((a, b) for a, arrow, b in self.edges() if arrow == "<->")

    def size(self) -> int:
        """Number of DAGs with these arrows and no other collider.

        Raises
        ------
        GraphError
            ``no-member`` where there is none.

        Examples
        --------
        >>> PDAG.parse("a -- b -- c").size()
        3
        """
        self.to_dag()
        loose = ((self._marks == TAIL) & (self._marks.T == TAIL)).astype(np.int8)
        return member_count(loose)

    def to_dag(self) -> DAG:
        """One DAG with these arrows and no other collider (Dor and Tarsi 1992).

        Raises
        ------
        GraphError
            ``no-member`` where every way to turn the open edges makes a cycle or a new collider.
        """
        if self.contradictory:
            a, b = self.contradictory[0]
            raise GraphError(
                "no-member", f"the edge {a} <-> {b} points both ways, so no DAG has these arrows", where="graph",
                remedy="Decide it by background knowledge, or take a smaller alpha.",
            )  # fmt: skip
        into = (self._marks == ARROW) & (self._marks.T == TAIL)
        loose = (self._marks == TAIL) & (self._marks.T == TAIL)
        arrows = [(self._names[i], self._names[j]) for i, j in _extension(into, loose)]
        return DAG.from_edges(sorted(arrows, key=lambda e: (self.id(e[0]), self.id(e[1]))), nodes=self._names)


class PAG(MarkedGraph):
    """A graph with circles where members of its class differ.

    Examples
    --------
    >>> PAG.parse("a o-> b; c o-> b").edge("b", "a")
    '<-o'
    """


def member_count(loose: Int8[np.ndarray, "p p"]) -> int:
    """Number of ways to turn the edges of a chordal graph without a cycle or a collider.

    Parameters
    ----------
    loose : (p, p) int8
        1 where two nodes are joined.

    Examples
    --------
    >>> member_count(np.ones((4, 4), dtype=np.int8) - np.eye(4, dtype=np.int8))
    24
    """
    total = 1
    for part in _components(loose):
        total *= _component_count(np.ascontiguousarray(loose[np.ix_(part, part)]), {})
    return total


def _component_count(loose: np.ndarray, known: dict[bytes, int]) -> int:
    p, edges = len(loose), int(loose.sum()) // 2
    if edges == p - 1:
        return p
    if edges == p * (p - 1) // 2:
        return factorial(p)
    key = loose.tobytes()
    if key not in known:
        known[key] = sum(_rooted(loose, root, known) for root in range(p))
    return known[key]


def _rooted(loose: np.ndarray, root: int, known: dict[bytes, int]) -> int:
    """Members in which ``root`` is the only node without parents."""
    marks = np.where(loose > 0, TAIL, NONE).astype(np.int8)
    reached, layer = {root}, [root]
    while layer:
        after = sorted({int(v) for u in layer for v in np.flatnonzero(loose[u])} - reached)
        for u in layer:
            for v in after:
                if loose[u, v]:
                    marks[u, v] = ARROW
        reached.update(after)
        layer = after
    close(marks)
    rest = ((marks == TAIL) & (marks.T == TAIL)).astype(np.int8)
    total = 1
    for part in _components(rest):
        if len(part) > 1:
            total *= _component_count(np.ascontiguousarray(rest[np.ix_(part, part)]), known)
    return total


def _components(loose: np.ndarray) -> list[list[int]]:
    left, parts = set(range(len(loose))), []
    while left:
        part, stack = set(), [min(left)]
        while stack:
            node = stack.pop()
            if node not in part:
                part.add(node)
                stack.extend(int(v) for v in np.flatnonzero(loose[node]))
        left -= part
        parts.append(sorted(part))
    return parts


def _extension(into: np.ndarray, loose: np.ndarray) -> list[tuple[int, int]]:
    """Arrows of one member; sinks are taken off one after the other."""
    into, loose = into.copy(), loose.copy()
    arrows = [(int(i), int(j)) for i, j in np.argwhere(into)]
    left = list(range(len(into)))
    while left:
        sink = next((x for x in left if _may_be_sink(into, loose, x)), None)
        if sink is None:
            raise GraphError(
                "no-member", "every way to turn the open edges makes a cycle or a new collider", where="graph",
                remedy="Take another alpha or collider rule, or add background knowledge.",
            )  # fmt: skip
        arrows += [(int(v), sink) for v in np.flatnonzero(loose[sink])]
        into[:, sink] = loose[sink] = loose[:, sink] = False
        left.remove(sink)
    return arrows


def _may_be_sink(into: np.ndarray, loose: np.ndarray, x: int) -> bool:
    if into[x].any():
        return False
    around = into[:, x] | loose[x]
    touching = into | into.T | loose
    for v in np.flatnonzero(loose[x]):
        missing = around & ~touching[v]
        missing[v] = False
        if missing.any():
            return False
    return True


def _check_marks(marks: np.ndarray, names: Sequence[Any], allowed: Iterable[int], kind: str) -> None:
    p = len(names)
    for name in names:
        if not isinstance(name, str) or not name:
            raise GraphError(
                "bad-node-name", f"expected a non-empty text as node name, got {name!r}", where="names",
                remedy="Name every node with text, for example 'age'.",
            )  # fmt: skip
    fine = marks.shape == (p, p) and len(set(names)) == p and np.isin(marks, list(allowed)).all()
    if not fine or np.diag(marks).any() or ((marks > 0) != (marks.T > 0)).any():
        raise GraphError(
            "bad-marks", f"expected a {p} x {p} matrix of the marks {', '.join(map(str, allowed))} of a {kind}, both "
            "ends of each edge marked, zeros on the diagonal, and names that differ", where="endpoints",
            remedy="endpoints[i, j] is the mark at j: 0 no edge, 1 circle, 2 arrowhead, 3 tail.",
        )  # fmt: skip


def _parsed(text: str) -> tuple[list[str], list[tuple[str, str, str]]]:
    names: dict[str, None] = {}
    edges: list[tuple[str, str, str]] = []
    at, last, arrow = 0, None, None
    text = text.replace("\n", ";")
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or (match["edge"] and (last is None or arrow)) or (match["end"] and arrow):
            raise GraphError(
                "graph-syntax", f"unexpected {text[at]!r}", where=f"graph, column {at + 1}",
                remedy="Write edges as a -> b, a -- b, a <-> b, a o-> b or a o-o b, parted by ';'.",
            )  # fmt: skip
        at = match.end()
        if match["edge"]:
            arrow = match["edge"]
        elif match["end"]:
            last = None
        elif match["name"] or match["quoted"]:
            name = match["name"] or unquote(match["quoted"])
            names[name] = None
            if last is not None and arrow:
                edges.append((last, arrow, name))
            last, arrow = name, None
    if arrow:
        raise GraphError(
            "graph-syntax", "the text ends in an arrow", where="graph", remedy="Name the node it leads to.",
        )  # fmt: skip
    return list(names), edges
