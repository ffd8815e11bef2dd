"""Diagrams as directed graphs: which output of which generator feeds which input.

Layers say in which order a diagram is written; its wiring says only what is connected. Swaps leave no trace
in it. :func:`wiring` reads it off a diagram, :func:`compose` writes a diagram with a given wiring.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from suppose.graphs.diagrams.diagram import Box, Diagram, Layer
from suppose.graphs.diagrams.types import Ty

__all__ = ["Node", "Wiring", "compose", "wiring"]


@dataclass(frozen=True)
class Node:
    """A generator and the numbers of its wires, from left to right."""

    box: Box
    ins: tuple[int, ...]
    outs: tuple[int, ...]


@dataclass(frozen=True)
class Wiring:
    """A diagram as a graph.

    Attributes
    ----------
    types : tuple of str
        Object of each wire, by number.
    inputs, outputs : tuple of int
        Wires of the boundary, from left to right. A wire may be an output several times, or both.
    nodes : tuple of Node
        Generators, each after those it depends on.
    """

    types: tuple[str, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    nodes: tuple[Node, ...]


def wiring(diagram: Diagram, *, merge: bool = True) -> Wiring:
    """The wiring of a diagram.

    Parameters
    ----------
    diagram : Diagram
        Any diagram.
    merge : bool, default=True
        Whether a wire and its copies count as one, and discards are left out: then only boxes and uniform
        states (one per wire) are nodes. Otherwise copies and discards are nodes too, one per wire.

    Examples
    --------
    >>> wiring(Diagram.copy("S")).outputs
    (0, 0)
    >>> [node.box.kind for node in wiring(Diagram.copy("S"), merge=False).nodes]
    ['copy']
    """
    types = list(diagram.dom.objects)
    there = list(range(len(types)))
    inputs, nodes = tuple(there), []

    def fresh(objects: Sequence[str]) -> list[int]:
        first = len(types)
        types.extend(objects)
        return list(range(first, len(types)))

    for offset, box in diagram.layers:
        end = offset + len(box.dom)
        ins = there[offset:end]
        if box.kind == "swap":
            outs = ins[box.split :] + ins[: box.split]
        elif box.kind == "copy" and merge:
            outs = ins * (len(box.cod) // len(ins))
        elif box.kind == "box":
            outs = fresh(box.cod.objects)
            nodes.append(Node(box, tuple(ins), tuple(outs)))
        else:
            outs = _wire_by_wire(box, ins, fresh, nodes, merge)
        there[offset:end] = outs
    return Wiring(tuple(types), inputs, tuple(there), tuple(nodes))


def _wire_by_wire(
    box: Box, ins: list[int], fresh: Callable[[Sequence[str]], list[int]], nodes: list[Node], merge: bool
) -> list[int]:
    """Copy, discard and uniform of several wires as those of each one (the coherence laws)."""
    if box.kind == "uniform":
        outs = fresh(box.cod.objects)
        for name, wire in zip(box.cod, outs, strict=True):
            nodes.append(Node(_generator(Diagram.uniform(name)), (), (wire,)))
        return outs
    if box.kind == "discard":
        for name, wire in zip(box.dom, ins, strict=True):
            if not merge:
                nodes.append(Node(_generator(Diagram.discard(name)), (wire,), ()))
        return []
    legs = len(box.cod) // len(ins)
    made: list[list[int]] = []
    for name, wire in zip(box.dom, ins, strict=True):
        made.append(fresh((name,) * legs))
        nodes.append(Node(_generator(Diagram.copy(name, legs)), (wire,), tuple(made[-1])))
    return [outs[leg] for leg in range(legs) for outs in made]


def _generator(diagram: Diagram) -> Box:
    return diagram.layers[0].box


def compose(graph: Wiring) -> Diagram:
    """A diagram with this wiring, copies and discards added where wires are used several times or never.

    Examples
    --------
    >>> s, t = Box("s", Ty(), "S"), Box("t", "S", "T")
    >>> print(compose(wiring(s >> Diagram.copy("S") >> t @ "S")))
    s ; copy(S) ; t @ S : I -> T @ S
    """
    writer = _Writer(graph)
    for wire in graph.inputs:
        writer.fan_out(wire)
    for node in graph.nodes:
        writer.place(node)
    return writer.finish()


class _Writer:
    """Writes layers, keeping track of which use each wire is meant for."""

    def __init__(self, graph: Wiring) -> None:
        self.graph = graph
        self.uses: dict[int, list[tuple[int, int]]] = {wire: [] for wire in range(len(graph.types))}
        for number, node in enumerate(graph.nodes):
            for port, wire in enumerate(node.ins):
                self.uses[wire].append((number, port))
        for port, wire in enumerate(graph.outputs):
            self.uses[wire].append((len(graph.nodes), port))
        self.there: list[tuple[int, int]] = [(-1, wire) for wire in graph.inputs]
        self.object: dict[tuple[int, int], str] = {(-1, wire): graph.types[wire] for wire in graph.inputs}
        self.layers: list[Layer] = []
        self.number = 0

    def fan_out(self, wire: int) -> None:
        """Split a fresh wire into one leg per use."""
        at, name, uses = self.there.index((-1, wire)), self.graph.types[wire], self.uses[wire]
        self.layers += [Layer(at, box) for _, box in Diagram.copy(name, len(uses)).layers]
        self.there[at : at + 1] = uses
        self.object.update(dict.fromkeys(uses, name))

    def gather(self, wanted: list[tuple[int, int]], start: int) -> None:
        """Bring the wanted legs beside each other, in order, from place ``start`` on."""
        for place, leg in enumerate(wanted, start):
            at = self.there.index(leg)
            if at > place:
                block = Ty(*(self.object[use] for use in self.there[place:at]))
                crossing = Diagram.swap(block, Ty(self.object[leg]))
                self.layers += [Layer(place, box) for _, box in crossing.layers]
                self.there.insert(place, self.there.pop(at))

    def place(self, node: Node) -> None:
        """Write one generator."""
        wanted = [(self.number, port) for port in range(len(node.ins))]
        start = min((self.there.index(leg) for leg in wanted), default=len(self.there))
        self.gather(wanted, start)
        self.layers.append(Layer(start, node.box))
        self.there[start : start + len(wanted)] = [(-1, wire) for wire in node.outs]
        self.number += 1
        for wire in node.outs:
            self.fan_out(wire)

    def finish(self) -> Diagram:
        """Put the outputs in order."""
        self.gather([(self.number, port) for port in range(len(self.graph.outputs))], 0)
        return Diagram(Ty(*(self.graph.types[wire] for wire in self.graph.inputs)), self.layers)
