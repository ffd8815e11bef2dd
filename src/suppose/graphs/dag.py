"""The causal graph every question is put to: directed edges ``a -> b`` and hidden common causes ``a <-> b``.

A :class:`DAG` is immutable and compared by content. With bidirected edges it is what the literature calls
an acyclic directed mixed graph (ADMG, Richardson 2003): ``a <-> b`` stands for an unmeasured common cause.
Relations follow the field's papers: every node is its own ancestor and descendant, parents are strict.
Results come in the order of ``nodes``, so that sets of columns made from them are the same in every run.

What it does not do: selection nodes, undirected or circle edges, cycles, time. Each is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from suppose.core.errors import GraphError, nearest
from suppose.graphs.adjacency import Adjacency
from suppose.graphs.notation import Edge, Parts, parse_text, write_text

__all__ = ["DAG", "NodeSet", "check_graph"]

NodeSet = str | Iterable[str]
"""One node name or several."""


class DAG:
    """Immutable causal graph with directed and bidirected edges.

    Parameters
    ----------
    text : str
        The graph as text, see :mod:`suppose.graphs.notation`.
    treatment, outcome, latent, adjusted : str or iterable of str, optional
        Roles of nodes. A latent node is part of the graph but was not measured.

    Raises
    ------
    GraphError
        ``graph-syntax``, ``unsupported-edge``, ``graph-cycle`` (with the cycle), ``self-loop``,
        ``bad-node-name``, ``unknown-node`` (a role names a node the graph lacks), ``overlapping-sets``.

    Examples
    --------
    >>> dag = DAG("age -> {treat re78}; treat -> re78; age <-> treat")
    >>> dag.parents("re78")
    ('age', 'treat')
    >>> dag
    DAG('age -> treat; age -> re78; treat -> re78; age <-> treat')
    """

    __slots__ = ("_adjacency", "_hash", "_index", "_order", "_parts")

    _parts: Parts
    _index: Mapping[str, int]
    _adjacency: Adjacency
    _order: tuple[int, ...]
    _hash: int

    def __init__(
        self,
        text: str = "",
        *,
        treatment: NodeSet = (),
        outcome: NodeSet = (),
        latent: NodeSet = (),
        adjusted: NodeSet = (),
    ) -> None:
        self._build(_marked(parse_text(text), treatment, outcome, latent, adjusted))

    def _build(self, parts: Parts) -> None:
        nodes = list(
            dict.fromkeys([*parts.nodes, *(v for e in parts.directed + parts.bidirected for v in e)])
        )
        index = {name: i for i, name in enumerate(nodes)}
        directed = tuple(dict.fromkeys(parts.directed))
        bidirected = tuple(
            dict.fromkeys((a, b) if index[a] <= index[b] else (b, a) for a, b in parts.bidirected)
        )
        _check_names(nodes)
        _check_loops(directed + bidirected)
        put = object.__setattr__
        put(self, "_index", MappingProxyType(index))
        put(self, "_adjacency", Adjacency.build(index, directed, bidirected))
        put(self, "_order", self._adjacency.topological(nodes))
        put(self, "_parts", Parts(tuple(nodes), directed, bidirected))
        put(self, "_parts", self._with_roles(parts))
        put(self, "_hash", hash(self._content()))

    def _with_roles(self, given: Parts) -> Parts:
        """The graph's parts with the roles checked and put in node order."""
        named = _marked(
            self._parts,
            self.names(self.ids(given.treatment, where="treatment")),
            self.names(self.ids(given.outcome, where="outcome")),
            self.names(self.ids(given.latent, where="latent")),
            self.names(self.ids(given.adjusted, where="adjusted")),
        )
        for first, second in (("treatment", "outcome"), ("treatment", "latent"), ("outcome", "latent")):
            both = [name for name in getattr(named, first) if name in getattr(named, second)]
            if both:
                raise GraphError(
                    "overlapping-sets", f"{both[0]!r} cannot be {first} and {second} at once",
                    where=f"node {both[0]!r}", remedy="Give each node one of these roles.",
                )  # fmt: skip
        return named

    @classmethod
    def from_parts(cls, parts: Parts) -> DAG:
        """Graph from plain data, as the readers return it."""
        dag = object.__new__(cls)
        dag._build(parts)
        return dag

    @classmethod
    def from_edges(
        cls,
        directed: Iterable[Any] = (),
        bidirected: Iterable[Any] = (),
        nodes: Iterable[Any] = (),
        *,
        treatment: NodeSet = (),
        outcome: NodeSet = (),
        latent: NodeSet = (),
        adjusted: NodeSet = (),
    ) -> DAG:
        """Graph from pairs of names.

        Examples
        --------
        >>> DAG.from_edges([("z", "x"), ("x", "y")], bidirected=[("x", "y")])
        DAG('z -> x; x -> y; x <-> y')
        """
        parts = Parts(tuple(nodes), _pairs(directed), _pairs(bidirected))
        return cls.from_parts(_marked(parts, treatment, outcome, latent, adjusted))

    @classmethod
    def parse(cls, text: str) -> DAG:
        """Graph from text; the same as ``DAG(text)``.

        Examples
        --------
        >>> DAG.parse("a -> b -> c; {a b} -> d").children("b")
        ('c', 'd')
        """
        return cls(text)

    # ---------------------------------------------------------------- content

    @property
    def parts(self) -> Parts:
        """The graph as plain data."""
        return self._parts

    @property
    def nodes(self) -> tuple[str, ...]:
        """All nodes, in order of first appearance."""
        return self._parts.nodes

    @property
    def directed(self) -> tuple[Edge, ...]:
        """Directed edges as pairs (cause, effect)."""
        return self._parts.directed

    @property
    def bidirected(self) -> tuple[Edge, ...]:
        """Bidirected edges, each once."""
        return self._parts.bidirected

    @property
    def treatment(self) -> tuple[str, ...]:
        """Nodes marked as treatment (dagitty: exposure)."""
        return self._parts.treatment

    @property
    def outcome(self) -> tuple[str, ...]:
        """Nodes marked as outcome."""
        return self._parts.outcome

    @property
    def latent(self) -> tuple[str, ...]:
        """Nodes marked as not measured."""
        return self._parts.latent

    @property
    def adjusted(self) -> tuple[str, ...]:
        """Nodes marked as adjusted for."""
        return self._parts.adjusted

    @property
    def observed(self) -> tuple[str, ...]:
        """Nodes that are not latent."""
        hidden = set(self.latent)
        return tuple(name for name in self.nodes if name not in hidden)

    @property
    def adjacency(self) -> Adjacency:
        """The edges by node number, for algorithms; not to be changed."""
        return self._adjacency

    @property
    def order(self) -> tuple[str, ...]:
        """Nodes sorted so that every cause precedes its effects; ties in order of appearance."""
        return tuple(self.nodes[i] for i in self._order)

    def ids(self, nodes: NodeSet, where: str = "nodes") -> tuple[int, ...]:
        """Numbers of the named nodes, in node order, each once.

        Raises
        ------
        GraphError
            ``unknown-node``, with the nearest names the graph has.
        """
        found = set()
        for name in _listed(nodes):
            number = self._index.get(name)
            if number is None:
                known = ", ".join(self.nodes[:12]) + (", ..." if len(self.nodes) > 12 else "")
                raise GraphError(
                    "unknown-node", f"the graph has no node {name!r}; it has: {known or 'no nodes'}",
                    where=where,
                    remedy=nearest(name, self.nodes) or "Check the spelling, or add the node to the graph.",
                )  # fmt: skip
            found.add(number)
        return tuple(sorted(found))

    def names(self, ids: Iterable[int]) -> tuple[str, ...]:
        """Names of the numbered nodes, in node order."""
        return tuple(self.nodes[i] for i in sorted(ids))

    # -------------------------------------------------------------- relations

    def parents(self, nodes: NodeSet) -> tuple[str, ...]:
        """Direct causes of any of the nodes."""
        return self._neighbours(self._adjacency.parents, nodes)

    def children(self, nodes: NodeSet) -> tuple[str, ...]:
        """Direct effects of any of the nodes."""
        return self._neighbours(self._adjacency.children, nodes)

    def siblings(self, nodes: NodeSet) -> tuple[str, ...]:
        """Nodes that share a hidden common cause (``<->``) with any of the nodes."""
        return self._neighbours(self._adjacency.siblings, nodes)

    def ancestors(self, nodes: NodeSet) -> tuple[str, ...]:
        """The nodes and all their causes, direct or not.

        Examples
        --------
        >>> DAG("a -> b -> c").ancestors("b")
        ('a', 'b')
        """
        return self._flagged(self._adjacency.closure(self.ids(nodes), up=True))

    def descendants(self, nodes: NodeSet) -> tuple[str, ...]:
        """The nodes and all their effects, direct or not.

        Examples
        --------
        >>> DAG("a -> b -> c").descendants("b")
        ('b', 'c')
        """
        return self._flagged(self._adjacency.closure(self.ids(nodes), up=False))

    def districts(self) -> tuple[tuple[str, ...], ...]:
        """Sets of nodes joined by bidirected paths (c-components, Tian and Pearl 2002).

        Examples
        --------
        >>> DAG("a -> b -> c; a <-> c").districts()
        (('a', 'c'), ('b',))
        """
        return tuple(self.names(district) for district in self._adjacency.districts())

    def _neighbours(self, table: list[list[int]], nodes: NodeSet) -> tuple[str, ...]:
        return self.names({other for node in self.ids(nodes) for other in table[node]})

    def _flagged(self, flags: bytearray) -> tuple[str, ...]:
        return tuple(name for name, flag in zip(self.nodes, flags, strict=True) if flag)

    # ----------------------------------------------------------- derived graphs

    def subgraph(self, nodes: NodeSet) -> DAG:
        """The graph on some of its nodes, with the edges among them and their roles.

        Examples
        --------
        >>> DAG("a -> b -> c; a <-> c").subgraph(["a", "c"])
        DAG('a <-> c')
        """
        kept = set(self.names(self.ids(nodes)))
        within = [tuple(e for e in edges if kept.issuperset(e)) for edges in (self.directed, self.bidirected)]
        rest = [tuple(name for name in names if name in kept) for names in (self.nodes, *self._parts[3:])]
        return DAG.from_parts(Parts(rest[0], within[0], within[1], *rest[1:]))

    def without_incoming(self, nodes: NodeSet) -> DAG:
        """The graph after setting the nodes from outside: no arrow, ``->`` or ``<->``, points at them.

        Examples
        --------
        >>> DAG("z -> x -> y; x <-> y").without_incoming("x")
        DAG('{z x y}; x -> y')
        """
        cut = set(self.names(self.ids(nodes)))
        directed = tuple((a, b) for a, b in self.directed if b not in cut)
        bidirected = tuple(e for e in self.bidirected if cut.isdisjoint(e))
        return self.replace(directed=directed, bidirected=bidirected)

    def without_outgoing(self, nodes: NodeSet) -> DAG:
        """The graph without the arrows that leave the nodes; ``<->`` stays."""
        cut = set(self.names(self.ids(nodes)))
        return self.replace(directed=tuple((a, b) for a, b in self.directed if a not in cut))

    def replace(self, **changes: Iterable[Any]) -> DAG:
        """The graph with some of its parts exchanged (``directed``, ``bidirected``, ``latent``, ...).

        Examples
        --------
        >>> DAG("u -> x -> y; u -> y").replace(latent=["u"], treatment=["x"])
        DAG('u -> x; x -> y; u -> y', treatment=['x'], latent=['u'])
        """
        unknown = [name for name in changes if name not in Parts._fields]
        if unknown:
            raise GraphError(
                "unknown-part", f"a graph has no part {unknown[0]!r}; it has: {', '.join(Parts._fields)}",
                where="replace", remedy=nearest(unknown[0], Parts._fields) or "Name one of these.",
            )  # fmt: skip
        listed: dict[str, Any] = {
            name: _pairs(value) if name.endswith("directed") else _listed(value)
            for name, value in changes.items()
        }
        return DAG.from_parts(self._parts._replace(**listed))

    # --------------------------------------------------------------- in and out

    @classmethod
    def from_dagitty(cls, text: str) -> DAG:
        """Graph from dagitty code, roles kept, positions ignored; see :mod:`suppose.graphs.interchange`."""
        from suppose.graphs.interchange import read_dagitty

        return cls.from_parts(read_dagitty(text))

    def to_dagitty(self) -> str:
        """The graph as dagitty code."""
        from suppose.graphs.interchange import write_dagitty

        return write_dagitty(self._parts)

    @classmethod
    def from_dot(cls, text: str) -> DAG:
        """Graph from a Graphviz ``digraph``; see :mod:`suppose.graphs.interchange`."""
        from suppose.graphs.interchange import read_dot

        return cls.from_parts(read_dot(text))

    def to_dot(self) -> str:
        """The graph as a Graphviz ``digraph``."""
        from suppose.graphs.interchange import write_dot

        return write_dot(self._parts)

    @classmethod
    def from_networkx(cls, graph: Any) -> DAG:
        """Graph from a networkx ``DiGraph``; see :mod:`suppose.graphs.interchange`."""
        from suppose.graphs.interchange import read_networkx

        return cls.from_parts(read_networkx(graph))

    def to_networkx(self) -> Any:
        """The graph as a networkx ``DiGraph``, each ``a <-> b`` as an explicit hidden parent of both."""
        from suppose.graphs.interchange import write_networkx

        return write_networkx(self._parts)

    def to_svg(self, **options: Any) -> str:
        """The graph as a drawing; options as in :func:`suppose.graphs.drawing.draw`."""
        from suppose.graphs.drawing import draw

        return draw(self, **options)

    def _repr_svg_(self) -> str | None:
        from suppose.graphs.drawing import MAX_NODES

        return self.to_svg() if 0 < len(self.nodes) <= MAX_NODES else None

    # ------------------------------------------------------------------ protocol

    @property
    def text(self) -> str:
        """The graph in the notation it is read from, roles left out."""
        return write_text(self._parts)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        parts = [repr(self.text)]
        for role in ("treatment", "outcome", "latent", "adjusted"):
            names = getattr(self, role)
            parts += [f"{role}={list(names)!r}"] if names else []
        return f"DAG({', '.join(parts)})"

    def _content(self) -> tuple[frozenset[Any], ...]:
        nodes, directed, bidirected, *roles = self._parts
        return (
            frozenset(nodes),
            frozenset(directed),
            frozenset(map(frozenset, bidirected)),
            *map(frozenset, roles),
        )

    def __eq__(self, other: object) -> bool:
        return self._content() == other._content() if isinstance(other, DAG) else NotImplemented

    def __hash__(self) -> int:
        return self._hash

    def __contains__(self, node: object) -> bool:
        return node in self._index

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[str]:
        return iter(self.nodes)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a DAG does not change; make a new one with replace(), subgraph() or DAG(text)")

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)

    def __reduce__(self) -> tuple[object, ...]:  # crosses process borders whole
        return (DAG.from_parts, (self._parts,))


def check_graph(dag: object) -> None:
    """Refuse a question put to something that is not a :class:`DAG`."""
    if not isinstance(dag, DAG):
        raise GraphError(
            "not-a-graph", f"expected a DAG, got {type(dag).__name__}", where="dag",
            remedy="Make one first: DAG(text), DAG.from_edges or DAG.from_networkx.",
        )  # fmt: skip


def _listed(names: Any) -> tuple[str, ...]:
    listed = names if isinstance(names, Iterable) and not isinstance(names, str) else (names,)
    listed = tuple(listed)
    _check_names(listed)
    return listed


def _marked(parts: Parts, treatment: Any, outcome: Any, latent: Any, adjusted: Any) -> Parts:
    return parts._replace(
        treatment=_listed(treatment),
        outcome=_listed(outcome),
        latent=_listed(latent),
        adjusted=_listed(adjusted),
    )


def _pairs(edges: Any) -> tuple[Edge, ...]:
    edges = edges if isinstance(edges, Iterable) and not isinstance(edges, str) else (edges,)
    listed = [tuple(edge) if isinstance(edge, (tuple, list)) else (edge,) for edge in edges]
    for edge in listed:
        if len(edge) != 2:
            raise GraphError(
                "bad-edge", f"expected a pair (cause, effect) of names, got {edge!r}", where="edges",
                remedy='Write each edge as a pair, for example ("age", "wage").',
            )  # fmt: skip
        _check_names(edge)
    return tuple((edge[0], edge[1]) for edge in listed)


def _check_names(names: Iterable[Any]) -> None:
    for name in names:
        if not isinstance(name, str) or not name:
            raise GraphError(
                "bad-node-name", f"expected a non-empty text as node name, got {name!r}", where="nodes",
                remedy="Name every node with text, for example 'age'.",
            )  # fmt: skip


def _check_loops(edges: Iterable[Edge]) -> None:
    for a, b in edges:
        if a == b:
            raise GraphError(
                "self-loop", f"{a!r} has an edge to itself", where=f"node {a!r}",
                remedy="Remove that edge; nothing causes itself in a DAG.",
            )  # fmt: skip
