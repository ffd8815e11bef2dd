"""What a diagram means: the functor to finite stochastic matrices, evaluated by one contraction.

A CDU functor from diagrams to FinStoch (finite sets and column-stochastic arrays; Jacobs, Kissinger & Zanasi
2019) is fixed by the states of every object and one array per box. Copy is sent to the diagonal,
discard to a row of ones, uniform to ``1/n``. :class:`Functor` applies it to a whole diagram at once: the wiring is
a network of tables, summed in an order found by :func:`suppose.graphs.networks.contraction.plan_elimination`,
so that the cost is that of the largest table in between and never that of all wires side by side.
:class:`Channel` composes arrays box by box, the definition, for small arrows and for tests.

What it does not do: continuous variables, sub-stochastic or signed arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from suppose.core.errors import GraphError, nearest
from suppose.graphs.diagrams.diagram import Box, Diagram, mismatch
from suppose.graphs.diagrams.equality import pruned
from suppose.graphs.diagrams.types import Ty
from suppose.graphs.diagrams.wiring import Wiring, wiring
from suppose.graphs.factors import Factor, States

__all__ = ["TOLERANCE", "Channel", "Functor"]

TOLERANCE = 1e-8
"""How far the numbers of one column may be from summing to one."""


@dataclass(frozen=True, eq=False)
class Channel:
    """A stochastic array from the states of some wires to distributions over the states of others.

    Attributes
    ----------
    dom, cod : Ty
        Wires that come in and go out.
    states : dict
        States of every object of both.
    values : array, one axis per wire of ``cod``, then one per wire of ``dom``
        Probability of the outputs given the inputs.

    Examples
    --------
    >>> f = Functor({}, states={"S": ("no", "yes")})
    >>> f(Diagram.uniform("S") >> Diagram.copy("S")).values.tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    """

    dom: Ty
    cod: Ty
    states: Mapping[str, States]
    values: Float[np.ndarray, "..."]

    def __rshift__(self, other: Channel) -> Channel:
        """Composition: the matrix product."""
        if self.cod != other.dom:
            raise mismatch(other.dom, self.cod, "composition of channels")
        product = other.matrix @ self.matrix
        shape = (*other.values.shape[: len(other.cod)], *self.values.shape[len(self.cod) :])
        return Channel(self.dom, other.cod, {**self.states, **other.states}, product.reshape(shape))

    def __matmul__(self, other: Channel) -> Channel:
        """Side by side: the Kronecker product."""
        outs, more = len(self.cod), len(other.cod)
        product = np.multiply.outer(self.values, other.values)
        own, theirs = self.values.ndim, other.values.ndim
        axes = [*range(outs), *range(own, own + more), *range(outs, own), *range(own + more, own + theirs)]
        states = {**self.states, **other.states}
        return Channel(self.dom @ other.dom, self.cod @ other.cod, states, product.transpose(axes))

    @property
    def matrix(self) -> Float[np.ndarray, "outputs inputs"]:
        """The array as a matrix whose columns sum to one."""
        rows = int(np.prod(self.values.shape[: len(self.cod)], dtype=int))
        return self.values.reshape(rows, -1)

    def allclose(self, other: Channel, tolerance: float = 1e-9) -> bool:
        """Whether both have the same types and numbers."""
        same = self.dom == other.dom and self.cod == other.cod
        return same and bool(np.allclose(self.values, other.values, rtol=0.0, atol=tolerance))

    def to_factor(self) -> Factor:
        """The array as a table over ``(*cod, *dom)``; refused with ``repeated-variable`` if an object occurs twice."""
        names = (*self.cod, *self.dom)
        return Factor(names, tuple(self.states[name] for name in names), self.values)

    def to_frame(self) -> Any:
        """One row per combination of states, the probability in column ``value``; objects once each."""
        return self.to_factor().to_frame()

    def __str__(self) -> str:
        sizes = " x ".join(map(str, self.values.shape)) or "1"
        return f"channel {self.dom} -> {self.cod}, {sizes} probabilities"


class Functor:
    """States for every object and an array for every box; applied to a diagram it gives its channel.

    Parameters
    ----------
    tables : mapping of str to Factor or array, or an object with ``.tables``
        By name of box. A :class:`Factor` is over the box's objects, each once, in any order; an array has one
        axis per output, then one per input, for boxes in which an object occurs twice. A discrete network
        may be given as it is.
    states : mapping, optional
        States of objects that no factor has.

    Raises
    ------
    GraphError
        ``different-states``, ``not-a-distribution`` when a column does not sum to 1 within 1e-8.

    Examples
    --------
    >>> joint = Diagram.from_dag("S -> T")
    >>> yes_no = ("no", "yes")
    >>> f = Functor({
    ...     "S": Factor(("S",), (yes_no,), np.array([.63, .37])),
    ...     "T": Factor(("T", "S"), (yes_no, yes_no), np.array([[.95, .4], [.05, .6]])),
    ... })
    >>> f(joint).values.round(4).tolist()
    [[0.5985, 0.0315], [0.148, 0.222]]
    """

    def __init__(self, tables: Any, states: Mapping[str, Sequence[str]] | None = None) -> None:
        given = dict(getattr(tables, "tables", tables))
        self.states: dict[str, States] = {name: tuple(map(str, s)) for name, s in (states or {}).items()}
        for table in given.values():
            if isinstance(table, Factor):
                for name, own in table.states_of.items():
                    if self.states.setdefault(name, own) != own:
                        raise GraphError(
                            "different-states", f"one table has the states {', '.join(self.states[name])}, "
                            f"another {', '.join(own)}", where=f"object {name!r}",
                            remedy="Use the same states in the same order in every table.",
                        )  # fmt: skip
        self._given = given
        self._arrays: dict[tuple[str, str, Ty, Ty], np.ndarray] = {}

    def __call__(self, diagram: Diagram, *, simplify: bool = True) -> Channel:
        """The channel of a diagram, in one contraction.

        Parameters
        ----------
        diagram : Diagram
            Any diagram whose boxes have tables.
        simplify : bool, default=True
            Whether boxes without any use are left out first, which changes nothing but the cost.

        Raises
        ------
        GraphError
            ``missing-table``, ``unknown-object``, ``wrong-table``, ``not-a-distribution``, ``clique-too-large``.
        """
        from suppose.graphs.networks.contraction import check_size, eliminate, plan_elimination

        graph = wiring(diagram)
        graph = pruned(graph) if simplify else graph
        size = {wire: len(self.states_of(graph.types[wire])) for wire in _present(graph)}
        terms = [((*node.outs, *node.ins), self.array(node.box)) for node in graph.nodes]
        terms = [_on_distinct(ids, array) for ids, array in terms]
        boundary = tuple(dict.fromkeys((*graph.outputs, *graph.inputs)))
        terms += [((wire,), np.ones(size[wire])) for wire in boundary]
        sizes = [size.get(wire, 1) for wire in range(len(graph.types))]
        plan = plan_elimination([ids for ids, _ in terms], sizes, boundary)
        check_size(plan, [f"{name} (wire {k})" for k, name in enumerate(graph.types)])
        values, log = eliminate(terms, plan, boundary)
        whole = _with_repeats(np.asarray(values * np.exp(log)), boundary, (*graph.outputs, *graph.inputs))
        states = {name: self.states_of(name) for name in (*diagram.cod, *diagram.dom)}
        return Channel(diagram.dom, diagram.cod, states, whole)

    def states_of(self, name: str) -> States:
        """States of an object."""
        try:
            return self.states[name]
        except KeyError:
            raise GraphError(
                "unknown-object", f"no table says which states it has; there are {', '.join(self.states) or 'none'}",
                where=f"object {name!r}",
                remedy=nearest(name, self.states) or 'Give them: Functor(tables, states={"S": ("no", "yes")}).',
            ) from None  # fmt: skip

    def array(self, box: Box) -> np.ndarray:
        """The array of a generator: one axis per output, then one per input."""
        if box.kind != "box":
            return self._structural(box)
        if box.key not in self._arrays:
            self._arrays[box.key] = self._checked(box)
        return self._arrays[box.key]

    def channel(self, box: Box) -> Channel:
        """A generator as a channel of its own."""
        states = {name: self.states_of(name) for name in (*box.cod, *box.dom)}
        return Channel(box.dom, box.cod, states, self.array(box))

    def _structural(self, box: Box) -> np.ndarray:
        """Copy, discard, uniform and swap by their definitions."""
        outs = [len(self.states_of(name)) for name in box.cod]
        ins = [len(self.states_of(name)) for name in box.dom]
        if box.kind in ("uniform", "discard"):
            return np.full((*outs, *ins), 1.0 / float(np.prod(outs, dtype=float)))
        array = np.zeros((*outs, *ins))
        places = np.indices(ins).reshape(len(ins), -1)
        if box.kind == "swap":
            array[(*places[box.split :], *places[: box.split], *places)] = 1.0
        else:
            array[(*places,) * (len(outs) // len(ins)) + (*places,)] = 1.0
        return array

    def _checked(self, box: Box) -> np.ndarray:
        names = (*box.cod, *box.dom)
        if box.name not in self._given:
            raise GraphError(
                "missing-table", "this box has no table", where=f"box {box.name!r}: {box.dom} -> {box.cod}",
                remedy=nearest(box.name, self._given) or "Give its probability given its inputs as a Factor.",
            )  # fmt: skip
        table = self._given[box.name]
        if isinstance(table, Factor):
            if sorted(table.variables) != sorted(names):
                raise _wrong_table(box, f"one over {', '.join(table.variables)}")
            table = table.reorder(names).values
        values = np.asarray(table, dtype=float)
        shape = tuple(len(self.states_of(name)) for name in names)
        if values.shape != shape:
            raise _wrong_table(box, f"an array of shape {values.shape} where the states ask for {shape}")
        self._sums_to_one(box, values)
        return values

    def _sums_to_one(self, box: Box, values: np.ndarray) -> None:
        bad = not np.isfinite(values).all() or bool((values < 0).any())
        off = values.sum(axis=tuple(range(len(box.cod)))) - 1.0
        worst = np.unravel_index(int(np.argmax(np.abs(off))), off.shape) if off.ndim else ()
        if not bad and abs(float(off[worst])) <= TOLERANCE:
            return
        cell = ", ".join(
            f"{name} = {self.states_of(name)[i]}" for name, i in zip(box.dom, worst, strict=True)
        )
        what = (
            "it holds numbers below zero, infinite or missing" if bad
            else f"it sums to 1{float(off[worst]):+.3g}{f' where {cell}' if cell else ''}"
        )  # fmt: skip
        raise GraphError(
            "not-a-distribution", f"expected probabilities that sum to 1 within {TOLERANCE:g}, but {what}",
            where=f"box {box.name!r}", remedy="Correct the table, or divide each column by its sum.",
        )  # fmt: skip


def _wrong_table(box: Box, got: str) -> GraphError:
    return GraphError(
        "wrong-table", f"expected a table of {box.cod} given {box.dom}, got {got}", where=f"box {box.name!r}",
        remedy="Give it one axis for each output and one for each input of the box.",
    )  # fmt: skip


def _present(graph: Wiring) -> set[int]:
    """Wires of the boundary and of the nodes that are left."""
    wires = {*graph.inputs, *graph.outputs}
    for node in graph.nodes:
        wires.update(node.ins, node.outs)
    return wires


def _on_distinct(ids: tuple[int, ...], array: np.ndarray) -> tuple[tuple[int, ...], np.ndarray]:
    """The term with one axis per wire: a wire that enters a box twice selects the diagonal."""
    once = tuple(dict.fromkeys(ids))
    if len(once) == len(ids):
        return ids, array
    label = {wire: k for k, wire in enumerate(once)}
    return once, np.einsum(array, [label[wire] for wire in ids], list(range(len(once))))


def _with_repeats(values: np.ndarray, once: Sequence[int], boundary: Sequence[int]) -> np.ndarray:
    """The array with an axis for every wire of the boundary, zero where two showings of one wire differ."""
    if len(once) == len(boundary):
        return values
    size = dict(zip(once, values.shape, strict=True))
    whole = np.zeros([size[wire] for wire in boundary])
    places = dict(zip(once, np.indices(values.shape).reshape(len(once), -1), strict=True))
    whole[tuple(places[wire] for wire in boundary)] = values.reshape(-1)
    return whole
