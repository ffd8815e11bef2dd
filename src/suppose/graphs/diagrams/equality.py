"""When two diagrams are the same arrow: a normal form for the laws of CDU categories.

The wiring of a diagram (:mod:`suppose.graphs.diagrams.wiring`) already forgets the order of layers, swaps, and how
copies are nested: the laws of a symmetric monoidal category and of the commutative comonoids hold in it on the
nose. Two laws remain, naturality of discard (``f >> discard = discard``) and ``uniform >> discard = id(I)``; they
remove every node none of whose outputs is used, until none is left. After that every node is reached by walking
back from the outputs, which are in order, as are the inputs of every node. Numbering nodes in the order this walk
meets them gives the same code for isomorphic wirings and different codes otherwise: equality in linear time,
without a search for an isomorphism.

Complete: in the free category over a set of boxes two arrows are equal exactly if the codes are (two
different pruned wirings are told apart by a functor that gives every box a function of its own). What it does not
do: equations between boxes, such as one box being deterministic or two of them inverse.
"""

from __future__ import annotations

from dataclasses import dataclass

from suppose.graphs.diagrams.diagram import Diagram
from suppose.graphs.diagrams.types import Ty
from suppose.graphs.diagrams.wiring import Node, Wiring, compose, wiring

__all__ = ["NormalForm", "normal_form", "pruned"]

Code = tuple[tuple[str, str, Ty, Ty], tuple[int, ...]]
"""A generator (kind, name, inputs, outputs) and the sources of its inputs."""


@dataclass(frozen=True)
class NormalForm:
    """A diagram up to the laws: generators in canonical order, wires by canonical number.

    Wires are numbered: first the inputs, then the outputs of the first generator, and so on.

    Attributes
    ----------
    dom, cod : Ty
        Types of the boundary.
    generators : tuple
        Each generator's kind, name and types, and the numbers of its input wires.
    outputs : tuple of int
        The wire that each output shows.

    Examples
    --------
    >>> print(Diagram.copy("S").normal_form())
    S -> S @ S; outputs 0 0
    """

    dom: Ty
    cod: Ty
    generators: tuple[Code, ...]
    outputs: tuple[int, ...]
    _wiring: Wiring

    def __eq__(self, other: object) -> bool:
        return self._content() == other._content() if isinstance(other, NormalForm) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._content())

    def _content(self) -> tuple[object, ...]:
        return self.dom, self.cod, self.generators, self.outputs

    @property
    def wiring(self) -> Wiring:
        """The pruned graph, nodes after those they depend on."""
        return self._wiring

    def to_diagram(self) -> Diagram:
        """A diagram with this normal form and nothing to remove."""
        return compose(self._wiring)

    def __str__(self) -> str:
        lines = [f"{self.dom} -> {self.cod}"]
        lines += [f"{name}({' '.join(map(str, sources))})" for (_, name, _, _), sources in self.generators]
        return "; ".join([*lines, f"outputs {' '.join(map(str, self.outputs))}"])


def normal_form(diagram: Diagram) -> NormalForm:
    """The normal form of a diagram; see the module.

    Examples
    --------
    >>> f = Diagram.uniform("S") >> Diagram.discard("S")
    >>> normal_form(f) == normal_form(Diagram.id(Ty()))
    True
    """
    graph = pruned(wiring(diagram))
    order = _walk(graph)
    number: dict[int, int] = {wire: k for k, wire in enumerate(graph.inputs)}
    codes: list[Code] = []
    for at in order:
        node = graph.nodes[at]
        codes.append((node.box.key, tuple(number[wire] for wire in node.ins)))
        for wire in node.outs:
            number[wire] = len(number)
    return NormalForm(
        diagram.dom, diagram.cod, tuple(codes), tuple(number[wire] for wire in graph.outputs), graph
    )


def pruned(graph: Wiring) -> Wiring:
    """The wiring without nodes from which no output can be reached."""
    used = set(graph.outputs)
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if used.intersection(node.outs):
            kept.append(node)
            used.update(node.ins)
    return Wiring(graph.types, graph.inputs, graph.outputs, tuple(reversed(kept)))


def _walk(graph: Wiring) -> list[int]:
    """Nodes in the order in which a walk back from the outputs leaves them: causes first."""
    maker = {wire: at for at, node in enumerate(graph.nodes) for wire in node.outs}
    order: list[int] = []
    seen: set[int] = set()
    for wire in graph.outputs:
        stack = [(maker[wire], False)] if wire in maker else []
        while stack:
            at, done = stack.pop()
            if done:
                order.append(at)
            elif at not in seen:
                seen.add(at)
                stack.append((at, True))
                stack += [(maker[w], False) for w in reversed(graph.nodes[at].ins) if w in maker]
    return order
