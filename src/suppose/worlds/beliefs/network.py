"""Belief networks: which quantities somebody tracks, what drives what, and how beliefs are updated.

A network is data: nodes (hidden quantities and inputs), edges from a child to the parent that drives its value or
its volatility, and the rule of the updates. It never changes; ``add_node``, ``drop_node`` and ``with_values`` give new
networks, and :meth:`BeliefNetwork.filter` can start from where another network stopped, so that structure may grow or
shrink between two steps.

Equations: Weber et al. (arXiv 2305.10937); library of the field: pyhgf (Legrand et al., arXiv 2410.09206). Where we
differ: an unobserved input leaves every belief above it at its prediction, time scales drifts but not
observations, and a chain of value parents carries dt in its messages too.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from suppose.core.errors import DataError, GraphError, StudyError, nearest
from suppose.worlds.beliefs.couplings import FUNCTIONS
from suppose.worlds.beliefs.schedule import Schedule, arranged, slot_count
from suppose.worlds.beliefs.updates import RULES

__all__ = ["KINDS", "BeliefNetwork", "Edge", "HGF", "Node"]

KINDS = ("state", "continuous", "binary")
NUMBERS = ("omega", "rho", "autoconnection", "mean", "precision")  # blocks of slots, in order
RESPONSE_NUMBERS = ("beta", "zeta")


@dataclasses.dataclass(frozen=True)
class Node:
    """A hidden quantity or an input, with its numbers.

    Attributes
    ----------
    name : str
    kind : {"state", "continuous", "binary"}
        Hidden quantity, or input of numbers, or input of 0 and 1.
    omega : float
        Tonic volatility: logarithm of the variance added per unit of time.
    rho : float
        Tonic drift per unit of time.
    autoconnection : float
        Share of the mean that is kept from step to step (lambda).
    mean, precision : float
        Belief before the first step; of an input, ``precision`` is that of the senses.
    """

    name: str
    kind: str = "state"
    omega: float = -3.0
    rho: float = 0.0
    autoconnection: float = 1.0
    mean: float = 0.0
    precision: float = 1.0


@dataclasses.dataclass(frozen=True)
class Edge:
    """``parent`` drives the value or the volatility of ``child``, with strength ``coupling``, through ``fn``."""

    child: str
    parent: str
    drives: str = "value"
    coupling: float = 1.0
    fn: str = "linear"


@dataclasses.dataclass(frozen=True)
class BeliefNetwork:
    """A network of beliefs.

    Parameters
    ----------
    update : {"unbounded", "ehgf", "ehgf_safe", "standard"}
        How volatility is learned, see :mod:`suppose.worlds.beliefs.volatility`.
    nodes : tuple of Node
    edges : tuple of Edge
    beta : float
        Inverse temperature of responses by softmax.
    zeta : float
        Precision of responses that are numbers.

    Examples
    --------
    >>> network = (BeliefNetwork(update="ehgf").add_node("continuous", "u", precision=1e4)
    ...            .add_node("state", "level", value_children="u", precision=1e4, mean=1.0, omega=-8.0)
    ...            .add_node("state", "volatility", volatility_children="level"))
    >>> print(network)
    BeliefNetwork (ehgf): u (continuous), level, volatility; level -> u, volatility ~> level
    """

    update: str = "unbounded"
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    beta: float = 1.0
    zeta: float = 1.0

    def __post_init__(self) -> None:
        if self.update not in RULES:
            raise StudyError(
                "unknown-choice", f"expected one of {', '.join(map(repr, RULES))}, got {self.update!r}",
                where="update", remedy=nearest(str(self.update), RULES) or "Write update='unbounded'.",
            )  # fmt: skip

    # -- structure -------------------------------------------------------------------------------

    def add_node(
        self,
        kind: str,
        name: str,
        *,
        value_children: str | Iterable[str] = (),
        volatility_children: str | Iterable[str] = (),
        coupling: float = 1.0,
        fn: str = "linear",
        **numbers: float,
    ) -> BeliefNetwork:
        """The network with one more node above nodes it has.

        Parameters
        ----------
        kind : {"state", "continuous", "binary"}
        name : str
        value_children, volatility_children : str or iterable of str
            Nodes whose value or volatility the new one drives.
        coupling : float
            Strength of the new edges (alpha or kappa).
        fn : str
            Coupling function of the new value edges, one of ``couplings.FUNCTIONS``.
        **numbers : float
            ``omega``, ``rho``, ``autoconnection``, ``mean``, ``precision``.

        Raises
        ------
        GraphError
            For a name that is taken or unknown, or an edge that cannot be.
        StudyError
            For an unknown kind, number or coupling function.
        """
        if kind not in KINDS:
            raise _unknown(kind, KINDS, "kind")
        for number in numbers:
            if number not in NUMBERS:
                raise _unknown(number, NUMBERS, f"node {name!r}")
        if name in self._index:
            raise GraphError(
                "node-taken", f"the network already has a node {name!r}", where="name",
                remedy="Give the new node a name of its own.",
            )  # fmt: skip
        if kind != "state":
            numbers = {"omega": 0.0, "precision": 1e4, **numbers}
        grown = dataclasses.replace(self, nodes=(*self.nodes, Node(name, kind, **numbers)))
        for child in _listed(value_children):
            grown = grown.add_edge(child, name, coupling=coupling, fn=fn)
        for child in _listed(volatility_children):
            grown = grown.add_edge(child, name, drives="volatility", coupling=coupling)
        return grown

    def add_edge(
        self, child: str, parent: str, *, drives: str = "value", coupling: float = 1.0, fn: str = "linear"
    ) -> BeliefNetwork:
        """The network with one more edge, from ``child`` up to the ``parent`` that drives it."""
        if drives not in ("value", "volatility"):
            raise _unknown(drives, ("value", "volatility"), "drives")
        if fn not in FUNCTIONS:
            raise _unknown(fn, FUNCTIONS, "fn")
        below, above = self.node(child), self.node(parent)
        reason = ""
        if above.kind != "state":
            reason = f"an input drives nothing, but {parent!r} is one"
        elif below.kind == "binary" and drives == "volatility":
            reason = f"a binary input has no volatility of its own, but {child!r} is one"
        elif any((e.child, e.parent, e.drives) == (child, parent, drives) for e in self.edges):
            reason = f"{parent!r} already drives the {drives} of {child!r}"
        if reason:
            raise GraphError(
                "edge-not-possible", reason, where=f"edge {parent} -> {child}",
                remedy="Let hidden nodes drive inputs, and each pair be joined once.",
            )  # fmt: skip
        return dataclasses.replace(
            self, edges=(*self.edges, Edge(child, parent, drives, float(coupling), fn))
        )

    def drop_node(self, name: str) -> BeliefNetwork:
        """The network without one node and its edges."""
        self.node(name)
        return dataclasses.replace(
            self,
            nodes=tuple(node for node in self.nodes if node.name != name),
            edges=tuple(edge for edge in self.edges if name not in (edge.child, edge.parent)),
        )

    def drop_edge(self, child: str, parent: str) -> BeliefNetwork:
        """The network without the edges between two nodes."""
        self.node(child), self.node(parent)
        kept = tuple(edge for edge in self.edges if (edge.child, edge.parent) != (child, parent))
        return dataclasses.replace(self, edges=kept)

    def node(self, name: str) -> Node:
        """The node of this name."""
        if name not in self._index:
            known = [node.name for node in self.nodes]
            raise GraphError(
                "unknown-node", f"the network has no node {name!r}; it has: {', '.join(known) or 'no nodes'}",
                where="network",
                remedy=nearest(name, known) or "Check the spelling, or add the node first.",
            )  # fmt: skip
        return self.nodes[self._index[name]]

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in the order of the columns of observations."""
        return tuple(node.name for node in self.nodes if node.kind != "state")

    @cached_property
    def _index(self) -> dict[str, int]:
        return {node.name: place for place, node in enumerate(self.nodes)}

    @cached_property
    def schedule(self) -> Schedule:
        """The network as arrays, checked.

        Raises
        ------
        GraphError
            Without inputs, with a cycle, with an input that has no or two value parents, or with several
            volatility children under ``unbounded``.
        """
        self._check_structure()
        tables = [
            np.array(
                [
                    [self._index[e.child], self._index[e.parent], FUNCTIONS.index(e.fn)]
                    for e in self._edges(drives)
                ],
                dtype=np.int64,
            ).reshape(-1, 3)
            for drives in ("value", "volatility")
        ]
        kind = np.array([KINDS.index(node.kind) for node in self.nodes], dtype=np.int64)
        inputs = np.array([self._index[name] for name in self.inputs], dtype=np.int64)
        return arranged(kind, self._downwards(), inputs, tables[0], tables[1])

    def _edges(self, drives: str) -> list[Edge]:
        return [edge for edge in self.edges if edge.drives == drives]

    def _check_structure(self) -> None:
        if not self.inputs:
            raise GraphError(
                "no-input", "expected at least one input, got none", where="network",
                remedy='Add one, for example add_node("continuous", "u").',
            )  # fmt: skip
        for name in self.inputs:
            parents = [edge.parent for edge in self._edges("value") if edge.child == name]
            if len(parents) != 1:
                raise GraphError(
                    "input-parents", f"expected one value parent, got {', '.join(parents) or 'none'}",
                    where=f"input {name!r}",
                    remedy="Put one hidden node above the input, and what drives it above that one.",
                )  # fmt: skip
        for node in self.nodes:
            children = [edge.child for edge in self._edges("volatility") if edge.parent == node.name]
            if self.update == "unbounded" and len(children) > 1:
                raise GraphError(
                    "several-volatility-children",
                    f"the unbounded rule is for one volatility child, got {', '.join(children)}",
                    where=f"node {node.name!r}",
                    remedy="Write update='ehgf', or give each child a volatility parent of its own.",
                )  # fmt: skip

    def _downwards(self) -> np.ndarray:
        """Nodes, parents before children; a cycle is refused."""
        above = {node.name: [e.parent for e in self.edges if e.child == node.name] for node in self.nodes}
        order: list[str] = []
        while len(order) < len(self.nodes):
            ready = [name for name in above if name not in order and all(p in order for p in above[name])]
            if not ready:
                name = next(name for name in above if name not in order)
                walk = [name]
                while walk.count(walk[-1]) < 2:
                    walk.append(next(p for p in above[walk[-1]] if p not in order))
                ring = walk[walk.index(walk[-1]) :]
                raise GraphError(
                    "graph-cycle", f"the network has the cycle {' -> '.join(reversed(ring))}", where="network",
                    remedy="Drop one of these edges.",
                )  # fmt: skip
            order += ready
        return np.array([self._index[name] for name in order], dtype=np.int64)

    # -- numbers -----------------------------------------------------------------------------------

    @cached_property
    def parameters(self) -> dict[str, int]:
        """Slot of each number by name: ``"level.omega"``, ``"u.alpha.level"``, ``"level.kappa.volatility"``.

        The parent may be left out where a node has one: ``"level.kappa"``. ``"beta"`` and ``"zeta"`` belong to
        responses.
        """
        n, values, levels = len(self.nodes), self._edges("value"), self._edges("volatility")
        slots = {
            f"{node.name}.{number}": block * n + place
            for block, number in enumerate(NUMBERS)
            for place, node in enumerate(self.nodes)
        }
        for symbol, edges, first in (("alpha", values, 5 * n), ("kappa", levels, 5 * n + len(values))):
            for place, edge in enumerate(edges):
                slots[f"{edge.child}.{symbol}.{edge.parent}"] = first + place
                if [e.child for e in edges].count(edge.child) == 1:
                    slots[f"{edge.child}.{symbol}"] = first + place
        size = slot_count(n, len(values), len(levels))
        return {**slots, "beta": size - 2, "zeta": size - 1}

    def slot(self, name: str) -> int:
        """Place of a number in :meth:`vector`."""
        if name not in self.parameters:
            known = list(self.parameters)
            raise StudyError(
                "unknown-parameter", f"the network has no number {name!r}", where="theta",
                remedy=nearest(name, known) or f"Write for example {known[0]!r}.",
            )  # fmt: skip
        return self.parameters[name]

    def vector(self, theta: Mapping[str, float] | None = None) -> np.ndarray:
        """All numbers as one vector, some of them replaced.

        Raises
        ------
        StudyError
            For an unknown name, a number that is not finite, or a precision that is not positive.
        """
        p = np.array(
            [getattr(node, number) for number in NUMBERS for node in self.nodes]
            + [edge.coupling for drives in ("value", "volatility") for edge in self._edges(drives)]
            + [self.beta, self.zeta],
            dtype=np.float64,
        )
        for name, value in (theta or {}).items():
            p[self.slot(name)] = value
        self._check_numbers(p)
        return p

    def _check_numbers(self, p: np.ndarray) -> None:
        n = len(self.nodes)
        names = {slot: name for name, slot in reversed(self.parameters.items())}
        for slot in np.flatnonzero(~np.isfinite(p)):
            raise _bad_number(names[int(slot)], p[slot], "a finite number")
        for slot in [*range(4 * n, 5 * n), len(p) - 2, len(p) - 1]:
            if p[slot] <= 0:
                raise _bad_number(names[slot], p[slot], "a positive number")

    def with_values(self, theta: Mapping[str, float]) -> BeliefNetwork:
        """The network with some numbers replaced.

        Examples
        --------
        >>> HGF(2, "binary").with_values({"x1.omega": -4.0}).node("x1").omega
        -4.0
        """
        p, n = self.vector(theta), len(self.nodes)
        nodes = tuple(
            Node(node.name, node.kind, *(float(p[block * n + i]) for block in range(len(NUMBERS))))
            for i, node in enumerate(self.nodes)
        )
        edges = tuple(
            dataclasses.replace(
                e,
                coupling=float(
                    p[self.slot(f"{e.child}.{'alpha' if e.drives == 'value' else 'kappa'}.{e.parent}")]
                ),
            )
            for e in self.edges
        )
        return dataclasses.replace(self, nodes=nodes, edges=edges, beta=float(p[-2]), zeta=float(p[-1]))

    # -- reading -----------------------------------------------------------------------------------

    def __str__(self) -> str:
        nodes = ", ".join(n.name if n.kind == "state" else f"{n.name} ({n.kind})" for n in self.nodes)
        arrows = {"value": "->", "volatility": "~>"}
        edges = ", ".join(f"{e.parent} {arrows[e.drives]} {e.child}" for e in self.edges)
        return f"BeliefNetwork ({self.update}): {nodes or 'no nodes'}{'; ' + edges if edges else ''}"


def HGF(  # noqa: N802 (the name of the field)
    levels: int = 2, kind: str = "continuous", *, update: str = "unbounded", **theta: float
) -> BeliefNetwork:
    """The hierarchical filter of the literature: an input, a level, and volatilities above one another.

    Parameters
    ----------
    levels : int
        Hidden nodes ``x1``, ``x2``, ...; each drives the volatility of the one below, ``x1`` the input ``u``.
    kind : {"continuous", "binary"}
        Kind of the input.
    update : str
        Rule of the updates.
    **theta : float
        Numbers by name with ``_`` for ``.``: ``x1_omega=-13.0``, ``u_precision=1e4``.

    Raises
    ------
    StudyError
        For fewer than one level, an unknown kind or number.

    Examples
    --------
    >>> print(HGF(2, "binary", update="ehgf", x1_omega=-3.0))
    BeliefNetwork (ehgf): u (binary), x1, x2; x1 -> u, x2 ~> x1
    """
    if isinstance(levels, bool) or not isinstance(levels, int) or levels < 1:
        raise StudyError(
            "bad-levels", f"expected a whole number from 1, got {levels!r}", where="levels",
            remedy="Write levels=2 for a level and its volatility.",
        )  # fmt: skip
    if kind not in KINDS[1:]:
        raise _unknown(kind, KINDS[1:], "kind")
    network = BeliefNetwork(update=update).add_node(kind, "u").add_node("state", "x1", value_children="u")
    for level in range(2, levels + 1):
        network = network.add_node("state", f"x{level}", volatility_children=f"x{level - 1}")
    return network.with_values({name.replace("_", "."): value for name, value in theta.items()})


def _listed(names: str | Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _unknown(value: Any, known: tuple[str, ...], where: str) -> StudyError:
    return StudyError(
        "unknown-choice", f"expected one of {', '.join(map(repr, known))}, got {value!r}", where=where,
        remedy=nearest(str(value), known) or f"Write for example {known[0]!r}.",
    )  # fmt: skip


def _bad_number(name: str, value: float, expected: str) -> DataError:
    shown = "nan" if math.isnan(value) else f"{value:g}"
    return DataError(
        "bad-number", f"expected {expected}, got {shown}", where=name, remedy="Correct the number."
    )  # fmt: skip
