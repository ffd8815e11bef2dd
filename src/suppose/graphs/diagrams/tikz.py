r"""Diagrams as TikZ text for LaTeX, with the arrangement of the SVG drawing.

The text is one ``tikzpicture`` and needs no library of TikZ. The styles at its head (``sd box``, ``sd wire``,
``sd hidden``, ...) are there to be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from suppose.graphs.diagrams.diagram import Diagram
from suppose.graphs.diagrams.drawing import DIRECTIONS, check_choice, extents, hidden_objects
from suppose.graphs.diagrams.placement import Item, Wire, place

__all__ = ["to_tikz"]

Place = Callable[[float, float], str]
"""Turns a point (depth, cross) into coordinates."""
SCALE = 36.0
"""Pixels of the drawing per centimetre."""
STYLES = (
    r"sd wire/.style={line width=.6pt}",
    r"sd box/.style={draw,fill=white,rounded corners=1pt,line width=.6pt,inner sep=0pt,minimum height=.72cm}",
    r"sd dot/.style={circle,fill,inner sep=0pt,minimum size=4pt}",
    r"sd name/.style={font=\footnotesize}",
    r"sd hidden/.style={gray,dashed}",
    r"sd mark/.style={blue!70!black,line width=.9pt}",
)
SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    letter: "\\" + letter for letter in "&%$#_{}"
}


def to_tikz(diagram: Diagram, *, direction: str = "up", mark: str | Iterable[str] = ()) -> str:
    r"""The diagram as a ``tikzpicture``.

    Parameters
    ----------
    diagram : Diagram
        Drawn as it is written.
    direction : {"up", "right"}
        Where outputs are.
    mark : str or iterable of str
        Objects drawn in style ``sd mark``.

    Raises
    ------
    GraphError
        ``bad-kind``, ``graph-too-large``.

    Examples
    --------
    >>> text = to_tikz(Diagram.from_dag("S -> T"))
    >>> text.splitlines()[0], text.count(r"\node[sd box")
    ('\\begin{tikzpicture}[', 2)
    """
    check_choice("direction", direction, DIRECTIONS)
    up = direction == "up"
    extent, spaces = extents(up)
    placed = place(diagram, extent, **spaces)
    marked = frozenset([mark] if isinstance(mark, str) else mark)
    hidden = hidden_objects(diagram)

    def style(name: str) -> str:
        return ",sd mark" if name in marked else ",sd hidden" if name in hidden else ""

    def at(depth: float, cross: float) -> str:
        x, y = (cross, depth) if up else (depth, placed.size[1] - cross)
        return f"({x / SCALE:.3f},{y / SCALE:.3f})"

    lines = [rf"\draw[sd wire{style(wire.object)}] {_path(wire, at, up)};" for wire in placed.wires]
    lines += [text for item in placed.items for text in _item(item, at, up, style(item.label))]
    head = "\\begin{tikzpicture}[\n  " + ",\n  ".join(STYLES) + "]"
    return "\n".join([head, *(f"  {line}" for line in lines), r"\end{tikzpicture}", ""])


def _path(wire: Wire, at: Place, up: bool) -> str:
    leave, arrive = ("90", "-90") if up else ("0", "180")
    parts = [at(*wire.points[0])]
    for k in range(1, len(wire.points)):
        (_, c0), (_, c1) = wire.points[k - 1], wire.points[k]
        end = at(*wire.points[k])
        if abs(c0 - c1) < 0.05:
            parts.append(f"-- {end}")
        elif k == 1 and wire.source.kind == "copy":
            side = ("0" if c1 > c0 else "180") if up else ("-90" if c1 > c0 else "90")
            parts.append(f"to[out={side},in={arrive}] {end}")
        else:
            parts.append(f"to[out={leave},in={arrive}] {end}")
    return " ".join(parts)


def _item(item: Item, at: Place, up: bool, style: str) -> list[str]:
    depth, cross = item.centre
    if item.kind == "copy":
        return [rf"\node[sd dot{style}] at {at(depth, cross)} {{}};"]
    if item.kind == "box":
        along, across = item.half
        w, h = (across, along) if up else (along, across)
        size = f"minimum width={2 * w / SCALE:.3f}cm,minimum height={2 * h / SCALE:.3f}cm"
        return [rf"\node[sd box{style},{size}] at {at(depth, cross)} {{{escaped(item.label)}}};"]
    if item.kind == "end":
        side = ("below" if item.level == 0 else "above") if up else ("left" if item.level == 0 else "right")
        return [rf"\node[sd name,{side}] at {at(depth, cross)} {{{escaped(item.label)}}};"]
    turn = 1 if item.kind == "discard" else -1
    bars = ((0.0, 8.0), (3.6, 5.2), (7.2, 2.4))
    ends = [(at(depth + turn * d, cross - half), at(depth + turn * d, cross + half)) for d, half in bars]
    return [rf"\draw[sd wire{style},solid] " + " ".join(f"{a} -- {b}" for a, b in ends) + ";"]


def escaped(text: str) -> str:
    r"""A name as LaTeX text.

    Examples
    --------
    >>> escaped("S~C_1")
    'S\\textasciitilde{}C\\_1'
    """
    return "".join(SPECIAL.get(letter, letter) for letter in text)
