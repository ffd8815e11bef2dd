"""String diagrams of a free CDU category: boxes joined by wires that may be copied, discarded and made uniform.

Jacobs, Kissinger and Zanasi (2019) write a causal model as an arrow of a free symmetric monoidal
category in which every object has a copy, a discard and a uniform state. A :class:`Diagram` is such an arrow,
written as a list of layers, each one generator at some place between identities. Composition is checked:
``f >> g`` is refused, naming both types, unless the outputs of ``f`` are the inputs of ``g``.

Two diagrams are equal (``==``) when the laws of the category make them so: copying is associative, commutative
and has discard as unit; discard is natural, ``f >> discard = discard``; a discarded uniform state is nothing;
boxes slide along wires. :mod:`suppose.graphs.diagrams.equality` decides this in linear time.

What it does not do: traces and loops (nothing here can express a cycle), caps and cups, higher cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from suppose.core.errors import GraphError, nearest
from suppose.graphs.diagrams.types import Ty, ty

if TYPE_CHECKING:
    from suppose.graphs.dag import DAG, NodeSet
    from suppose.graphs.diagrams.equality import NormalForm

__all__ = ["Box", "Diagram", "Layer"]

Kind = Literal["box", "copy", "discard", "uniform", "swap"]


class Layer(NamedTuple):
    """A generator with ``offset`` wires to the left of it; all other wires run past it."""

    offset: int
    box: Box


class Diagram:
    """An arrow from ``dom`` to ``cod``; made from boxes by ``>>`` (after each other) and ``@`` (side by side).

    Parameters
    ----------
    dom : Ty or str
        Types of the wires that come in, from left to right.
    layers : iterable of (int, Box)
        Generators in order, with the number of wires to the left of each.

    Raises
    ------
    GraphError
        ``wires-do-not-match`` when a generator does not fit the wires that are there.

    Examples
    --------
    >>> s, t = Box("s", Ty(), "S"), Box("t", "S", "T")
    >>> joint = s >> Diagram.copy("S") >> Diagram.id("S") @ t
    >>> print(joint)
    s ; copy(S) ; S @ t : I -> S @ T
    >>> joint == s >> Diagram.copy("S") >> t @ Diagram.id("S") >> Diagram.swap("T", "S")
    True
    """

    dom: Ty
    cod: Ty
    layers: tuple[Layer, ...]

    def __init__(self, dom: Ty | str, layers: Iterable[tuple[int, Box]] = ()) -> None:
        self.dom = ty(dom)
        self.layers = tuple(Layer(*layer) for layer in layers)
        self.cod = self._walk()

    def _walk(self) -> Ty:
        """The wires that are left at the end, every generator checked on the way."""
        wires = list(self.dom.objects)
        for number, (offset, box) in enumerate(self.layers):
            end = offset + len(box.dom)
            there = tuple(wires[offset:end])
            if offset < 0 or there != box.dom.objects:
                raise mismatch(box.dom, Ty(*there), f"{box.name!r}, generator {number + 1}")
            wires[offset:end] = box.cod.objects
        return Ty(*wires)

    @classmethod
    def _trusted(cls, dom: Ty, cod: Ty, layers: tuple[Layer, ...]) -> Diagram:
        """Diagram of layers known to fit."""
        made = object.__new__(Diagram)
        made.dom, made.cod, made.layers = dom, cod, layers
        return made

    # ------------------------------------------------------------------ generators

    @staticmethod
    def id(wires: Ty | str) -> Diagram:
        """Wires that run straight through."""
        return Diagram._trusted(ty(wires), ty(wires), ())

    @staticmethod
    def copy(wires: Ty | str, legs: int = 2) -> Diagram:
        """``legs`` copies of the wires, whole lists beside each other; ``legs=0`` discards."""
        if not isinstance(legs, int) or isinstance(legs, bool) or legs < 0:
            raise GraphError(
                "bad-legs", f"expected a number of copies from 0 on, got {legs!r}", where="copy",
                remedy="Leave it out for two copies.",
            )  # fmt: skip
        one = ty(wires)
        if legs == 0:
            return Diagram.discard(one)
        return Diagram.id(one) if legs == 1 else Box(f"copy({one})", one, Ty(*one.objects * legs), "copy")

    @staticmethod
    def discard(wires: Ty | str) -> Diagram:
        """The wires end."""
        return Box(f"discard({ty(wires)})", wires, Ty(), "discard") if len(ty(wires)) else Diagram.id(Ty())

    @staticmethod
    def uniform(wires: Ty | str) -> Diagram:
        """A state in which every combination is equally likely."""
        return Box(f"uniform({ty(wires)})", Ty(), wires, "uniform") if len(ty(wires)) else Diagram.id(Ty())

    @staticmethod
    def swap(left: Ty | str, right: Ty | str) -> Diagram:
        """The wires ``left`` cross those of ``right``."""
        one, two = ty(left), ty(right)
        if not len(one) or not len(two):
            return Diagram.id(one @ two)
        return Box(f"swap({one}, {two})", one @ two, two @ one, "swap", len(one))

    @staticmethod
    def permutation(wires: Ty | str, order: Sequence[int]) -> Diagram:
        """The wires in another order: output ``k`` is input ``order[k]``.

        Examples
        --------
        >>> Diagram.permutation(Ty("A", "B", "C"), [2, 0, 1]).cod
        Ty('C', 'A', 'B')
        """
        dom = ty(wires)
        if sorted(order) != list(range(len(dom))):
            raise GraphError(
                "bad-order", f"expected each of the {len(dom)} wires once, got {list(order)}",
                where="permutation", remedy=f"Give the numbers 0 to {len(dom) - 1} in the order wanted.",
            )  # fmt: skip
        layers, there = [], list(range(len(dom)))
        for place, number in enumerate(order):
            at = there.index(number)
            if at > place:
                block, last = Ty(*(dom.objects[k] for k in there[place:at])), Ty(dom.objects[number])
                layers += [Layer(place, box) for _, box in Diagram.swap(block, last).layers]
                there.insert(place, there.pop(at))
        return Diagram(dom, layers)

    # ----------------------------------------------------------------- composition

    def __rshift__(self, other: Diagram) -> Diagram:
        if self.cod != other.dom:
            raise mismatch(other.dom, self.cod, "composition")
        return Diagram._trusted(self.dom, other.cod, self.layers + other.layers)

    def __matmul__(self, other: Diagram | Ty | str) -> Diagram:
        right = other if isinstance(other, Diagram) else Diagram.id(other)
        moved = tuple(Layer(len(self.cod) + offset, box) for offset, box in right.layers)
        return Diagram._trusted(self.dom @ right.dom, self.cod @ right.cod, self.layers + moved)

    def __rmatmul__(self, other: Ty | str) -> Diagram:
        return Diagram.id(other) @ self

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The boxes in order, without copies, discards, uniform states and swaps."""
        return tuple(box for _, box in self.layers if box.kind == "box")

    def substitute(self, images: Mapping[str, Diagram]) -> Diagram:
        """The image under the functor that keeps objects and sends each named box to the diagram given.

        Raises
        ------
        GraphError
            ``wires-do-not-match`` when an image has other types than its box.

        Examples
        --------
        >>> t = Box("t", "S", "T")
        >>> print(t.substitute({"t": Diagram.discard("S") >> Diagram.uniform("T")}))
        discard(S) ; uniform(T) : S -> T
        """
        layers: list[Layer] = []
        for offset, box in self.layers:
            image = images.get(box.name) if box.kind == "box" else None
            if image is None:
                layers.append(Layer(offset, box))
                continue
            for mine, theirs, side in ((box.dom, image.dom, "inputs"), (box.cod, image.cod, "outputs")):
                if mine != theirs:
                    raise mismatch(mine, theirs, f"{side} of the image of {box.name!r}")
            layers += [Layer(offset + inner, part) for inner, part in image.layers]
        return Diagram._trusted(self.dom, self.cod, tuple(layers))

    # ---------------------------------------------------------------------- equality

    @cached_property
    def _normal(self) -> NormalForm:
        from suppose.graphs.diagrams.equality import normal_form

        return normal_form(self)

    def normal_form(self) -> NormalForm:
        """The diagram up to the laws; two diagrams are equal exactly when these are."""
        return self._normal

    def simplified(self) -> Diagram:
        """The smallest diagram equal to this one: no box whose outputs are all discarded, copies merged."""
        return self._normal.to_diagram()

    def __eq__(self, other: object) -> bool:
        return self._normal == other._normal if isinstance(other, Diagram) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._normal)

    # ----------------------------------------------------------------------- surgery

    @classmethod
    def from_dag(cls, dag: DAG | str, shown: NodeSet | None = None) -> Diagram:
        """The state ``I -> shown`` of a causal graph; see :func:`suppose.graphs.diagrams.surgery.from_dag`.

        Examples
        --------
        >>> print(Diagram.from_dag("S -> T").cod)
        S @ T
        """
        from suppose.graphs.diagrams.surgery import from_dag

        return from_dag(dag, shown)

    def cut(self, boxes: str | Iterable[str]) -> Diagram:
        """Surgery: each named box becomes discard and uniform; see :class:`.surgery.Surgery`.

        Raises
        ------
        GraphError
            ``unknown-box``, with the nearest names.
        """
        from suppose.graphs.diagrams.surgery import Surgery

        names = [boxes] if isinstance(boxes, str) else list(boxes)
        known = dict.fromkeys(box.name for box in self.boxes)
        for name in names:
            if name not in known:
                raise GraphError(
                    "unknown-box", f"the diagram has the boxes {', '.join(known) or 'none'}",
                    where=f"box {name!r}", remedy=nearest(name, known) or "Cut one of these.",
                )  # fmt: skip
        return Surgery(names)(self)

    # ----------------------------------------------------------------------- showing

    def draw(self, form: str = "svg", **options: Any) -> str:
        """The diagram as ``"svg"``, ``"tikz"`` or ``"unicode"`` text.

        Options are those of :func:`.drawing.to_svg`, :func:`.tikz.to_tikz` and :func:`.unicode.to_unicode`.

        Raises
        ------
        GraphError
            ``unknown-format``, ``graph-too-large``.
        """
        from suppose.graphs.diagrams.drawing import draw

        return draw(self, form, **options)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """The diagram on matplotlib Axes, for PNG and PDF; see :func:`.plotting.plot`."""
        from suppose.graphs.diagrams.plotting import plot

        return plot(self, ax, **options)

    def to_discopy(self) -> Any:
        """The same arrow as a ``discopy.markov.Diagram``; see :func:`.interchange.to_discopy`."""
        from suppose.graphs.diagrams.interchange import to_discopy

        return to_discopy(self)

    def _repr_svg_(self) -> str:
        return self.draw("svg")

    def __str__(self) -> str:
        shown, wires = [], list(self.dom.objects)
        for offset, box in self.layers:
            end = offset + len(box.dom)
            shown.append(" @ ".join([*wires[:offset], box.name, *wires[end:]]))
            wires[offset:end] = box.cod.objects
        return f"{' ; '.join(shown) or f'id({self.dom})'} : {self.dom} -> {self.cod}"

    def __repr__(self) -> str:
        return f"Diagram({self})"


class Box(Diagram):
    """A generator: an arrow with a name and nothing known about its inside.

    Parameters
    ----------
    name : str
        Its name; a functor looks its table up by it.
    dom, cod : Ty or str
        Types of the wires that come in and go out.

    Examples
    --------
    >>> Box("c", Ty("T", "H"), "C")
    Box('c': T @ H -> C)
    """

    name: str
    kind: Kind

    def __init__(self, name: str, dom: Ty | str, cod: Ty | str, kind: Kind = "box", split: int = 0) -> None:
        self.name, self.kind, self.split = name, kind, split
        self.dom, self.cod = ty(dom), ty(cod)
        self.layers = (Layer(0, self),)

    @property
    def key(self) -> tuple[str, str, Ty, Ty]:
        """What tells two generators apart."""
        return self.kind, self.name, self.dom, self.cod

    def __repr__(self) -> str:
        return f"Box({self.name!r}: {self.dom} -> {self.cod})"


def mismatch(expected: Ty, got: Ty, where: str) -> GraphError:
    """The refusal of wires that do not fit."""
    return GraphError(
        "wires-do-not-match", f"expected wires of type {expected}, got {got}", where=where,
        remedy="Reorder with swap, or add identities beside the box with @.",
    )  # fmt: skip
