"""Diagrams as drawings for papers and reports: SVG text that follows a page's light or dark colours.

Read upwards, as in the paper, or to the right. Boxes are rectangles with their name; a copy is a dot, a discard the
ground of an electric circuit, a uniform state the same upside down. In a state ``I -> W`` whatever never reaches the
output is hidden: its wires are shaded and its boxes dashed. Objects of ``mark`` are drawn in the colour of
treatments, and so are the generators that surgery puts in their place.

Colours are those of :data:`suppose.core.figures.PALETTE`, written on each element and overridden by the custom
properties ``--suppose-paper``, ``--suppose-ink``, ``--suppose-muted``, ``--suppose-treatment`` and ``--suppose-font``
where a page defines them. Every name is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from suppose.core.errors import GraphError, nearest
from suppose.core.figures import PALETTE
from suppose.graphs.diagrams.diagram import Diagram
from suppose.graphs.diagrams.placement import Extent, Item, Placement, Wire, place
from suppose.graphs.diagrams.wiring import wiring

__all__ = ["FORMS", "draw", "hidden_objects", "panels", "to_svg"]

FORMS = ("svg", "tikz", "unicode")
DIRECTIONS = ("up", "right")
FONT, SMALL = 13.0, 11.5
HEIGHT = 13.0
"""Half of a box's height."""
PORT, SPACING, GAP = 26.0, 16.0, 24.0
MARGIN = 8.0
HEADING, APART = 24.0, 44.0
"""Room for the heading of a panel, and between panels."""
_SIGNS = {"copy": (3.5, 3.5), "discard": (7.0, 9.0), "uniform": (7.0, 9.0)}
"""Half extents (depth, cross) of what is no box."""
LABEL = 18.0
"""Room for the names of the boundary."""
_STYLE = """
.suppose-sd{max-width:100%;height:auto}
.suppose-sd g{font-family:var(--suppose-font,system-ui,"DejaVu Sans",sans-serif)}
.suppose-sd text{fill:var(--suppose-ink,INK)}
.suppose-sd .name{fill:var(--suppose-muted,MUTED)}
.suppose-sd .wire,.suppose-sd .sign{stroke:var(--suppose-ink,INK)}
.suppose-sd .dot{fill:var(--suppose-ink,INK)}
.suppose-sd .shade{stroke:var(--suppose-muted,MUTED)}
.suppose-sd .box{fill:var(--suppose-paper,#ffffff);stroke:var(--suppose-ink,INK)}
.suppose-sd .hidden .tint{fill:var(--suppose-muted,MUTED)}
.suppose-sd .hidden .box,.suppose-sd .hidden .wire,.suppose-sd .hidden .sign{stroke:var(--suppose-muted,MUTED)}
.suppose-sd .hidden .dot{fill:var(--suppose-muted,MUTED)}
.suppose-sd .mark .wire,.suppose-sd .mark .sign,.suppose-sd .mark .box{stroke:var(--suppose-treatment,BLUE)}
.suppose-sd .mark .dot,.suppose-sd .mark .tint{fill:var(--suppose-treatment,BLUE)}
"""


def draw(diagram: Diagram, form: str = "svg", **options: Any) -> str:
    """The diagram as text of one of the :data:`FORMS`.

    Raises
    ------
    GraphError
        ``unknown-format``, ``bad-kind``, ``graph-too-large``.

    Examples
    --------
    >>> draw(Diagram.from_dag("S -> T"), "svg").count('class="box"')
    2
    """
    if form == "svg":
        return to_svg(diagram, **options)
    if form == "tikz":
        from suppose.graphs.diagrams.tikz import to_tikz

        return to_tikz(diagram, **options)
    if form == "unicode":
        from suppose.graphs.diagrams.unicode import to_unicode

        return to_unicode(diagram, **options)
    raise GraphError(
        "unknown-format", f"expected one of {', '.join(FORMS)}, got {form!r}", where="draw",
        remedy=nearest(str(form), FORMS) or "Choose one of these.",
    )  # fmt: skip


def to_svg(
    diagram: Diagram,
    *,
    direction: str = "up",
    mark: str | Iterable[str] = (),
    names: str = "boundary",
    title: str = "",
) -> str:
    """The diagram as SVG text.

    Parameters
    ----------
    diagram : Diagram
        Drawn as it is written.
    direction : {"up", "right"}
        Where outputs are.
    mark : str or iterable of str
        Objects drawn in the colour of treatments.
    names : {"boundary", "all"}
        Which wires carry the name of their object.
    title : str
        What the drawing shows, for those who cannot see it; made from the diagram when left out.

    Raises
    ------
    GraphError
        ``bad-kind`` for a direction or ``names`` that is not one, ``graph-too-large``.
    """
    body, extent = _drawn(diagram, direction, mark, names)
    return _document(body, extent, title or f"String diagram. {diagram}")


def panels(
    diagrams: Mapping[str, Diagram],
    *,
    direction: str = "up",
    mark: str | Iterable[str] = (),
    names: str = "boundary",
    title: str = "",
) -> str:
    """Several diagrams as one drawing, each under its heading: before and after a surgery.

    Parameters
    ----------
    diagrams : mapping of str to Diagram
        Headings and diagrams, from left to right (below each other when ``direction`` is ``"right"``).
    direction, mark, names, title
        As in :func:`to_svg`.

    Raises
    ------
    GraphError
        ``bad-kind``, ``graph-too-large``.

    Examples
    --------
    >>> before = Diagram.from_dag("S -> T")
    >>> panels({"before": before, "after": before.cut("T")}, mark="T").count('class="box"')
    3
    """
    parts = [(heading, *_drawn(shown, direction, mark, names)) for heading, shown in diagrams.items()]
    up = direction == "up"
    tallest = max((extent[1] for _, _, extent in parts), default=0.0)
    body: list[str] = []
    x = y = width = height = 0.0
    for heading, elements, (w, h) in parts:
        wide = max(w, text_width(heading))
        down = tallest - h if up else 0.0
        body.append(_text(heading, x + (wide / 2 if up else 0), y + 10, "middle" if up else "start"))
        shift = f"translate({x + (wide - w) / 2 if up else x:.1f} {y + HEADING + down:.1f})"
        body.append(f'<g transform="{shift}">{"".join(elements)}</g>')
        width, height = max(width, x + wide), max(height, y + HEADING + down + h)
        x, y = (x + wide + APART, y) if up else (x, y + HEADING + h + APART)
    said = "; ".join(f"{heading}: {shown}" for heading, shown in diagrams.items())
    return _document(body, (width, height), title or f"String diagrams. {said}")


def _drawn(
    diagram: Diagram, direction: str, mark: str | Iterable[str], names: str
) -> tuple[list[str], tuple[float, float]]:
    """Elements of a drawing, and its extent."""
    placed, pen = arranged(diagram, direction, mark, names)
    body = [pen.shade(wire) for wire in placed.wires if wire.object in pen.hidden]
    body += [pen.wire(wire) for wire in placed.wires]
    body += [pen.item(item) for item in placed.items]
    body += [pen.name(wire) for wire in placed.wires if named(wire, names == "all")]
    return body, pen.extent


def arranged(
    diagram: Diagram, direction: str, mark: str | Iterable[str], names: str
) -> tuple[Placement, Pen]:
    """The placement of a diagram, and the pen that draws it."""
    check_choice("direction", direction, DIRECTIONS)
    check_choice("names", names, ("boundary", "all"))
    up = direction == "up"
    extent, spaces = extents(up)
    placed = place(diagram, extent, **spaces)
    return placed, Pen(
        placed, up, hidden_objects(diagram), frozenset([mark] if isinstance(mark, str) else mark)
    )


def hidden_objects(diagram: Diagram) -> frozenset[str]:
    """Objects of a state that never reach its output; none for an arrow with inputs."""
    if len(diagram.dom):
        return frozenset()
    return frozenset(wiring(diagram).types) - set(diagram.cod)


def check_choice(where: str, given: str, allowed: tuple[str, ...]) -> None:
    """Refuse a word that is not one of those allowed."""
    if given not in allowed:
        raise GraphError(
            "bad-kind", f"expected one of {', '.join(allowed)}, got {given!r}", where=where,
            remedy=nearest(str(given), allowed) or "Choose one of these.",
        )  # fmt: skip


def text_width(text: str, size: float = FONT) -> float:
    """Width of a text in pixels, a little too wide rather than too narrow."""
    return size * sum(
        0.36 if letter in "iIjl|.,:;'!() " else 0.9 if letter in "mwMW" else 0.64 for letter in text
    )


def extents(up: bool) -> tuple[Extent, dict[str, float]]:
    """Half extents of boxes, and the distances of a placement."""
    return (_extent_up if up else _extent_right), {"port": PORT, "spacing": SPACING, "gap": GAP}


def _extent_up(kind: str, label: str, wires: int) -> tuple[float, float]:
    if kind != "box":
        return _SIGNS[kind] if kind in _SIGNS else (0.0, max(5.0, text_width(label, SMALL) / 2 - 4))
    return HEIGHT, max(HEIGHT + 2, text_width(label) / 2 + 8, (wires - 1) * PORT / 2 + 9)


def _extent_right(kind: str, label: str, wires: int) -> tuple[float, float]:
    if kind != "box":
        return _SIGNS.get(kind, (0.0, 6.0))
    return max(HEIGHT + 2, text_width(label) / 2 + 8), max(HEIGHT, (wires - 1) * PORT / 2 + 9)


def named(wire: Wire, every: bool) -> bool:
    """Wires that leave the drawing or start at a uniform state; ``every``: those that start at a box, too."""
    starts = ("uniform", "box") if every else ("uniform",)
    return "end" in (wire.source.kind, wire.target.kind) or wire.source.kind in starts


class Pen:
    """Turns (depth, cross) into x and y, and items into elements."""

    def __init__(self, placed: Placement, up: bool, hidden: frozenset[str], mark: frozenset[str]) -> None:
        self.up, self.hidden, self.mark = up, hidden, mark
        self.depth, across = placed.size
        ends = [item for item in placed.items if item.kind == "end"]
        self.first = LABEL if any(item.level == 0 for item in ends) else 0.0
        last = LABEL if any(item.level > 0 for item in ends) else 0.0
        widest = max((text_width(item.label, SMALL) for item in ends), default=0.0)
        if not up:
            self.first, last = (widest + 8 if side else 0.0 for side in (self.first, last))
        thick = max((item.half[0] for item in placed.items), default=0.0)
        along, self.pad = self.depth + self.first + last + thick, widest / 2 if up else 4.0
        self.last = last + thick / 2
        sides = across + 2 * self.pad
        self.extent = (sides, along) if up else (along, sides)

    def at(self, depth: float, cross: float) -> tuple[float, float]:
        """Pixels of a point."""
        if self.up:
            return cross + self.pad, self.depth - depth + self.last
        return depth + self.first, cross + self.pad

    def point(self, depth: float, cross: float) -> str:
        """The same as text."""
        x, y = self.at(depth, cross)
        return f"{x:.1f},{y:.1f}"

    def kind(self, name: str) -> str:
        """Class of the elements of an object."""
        return "mark" if name in self.mark else "hidden" if name in self.hidden else "plain"

    def curve(self, wire: Wire) -> list[tuple[tuple[float, float], ...]]:
        """The wire as pixels: its start, then pieces of one point (a line) or of three (a cubic).

        Straight where it can be; it leaves dots sideways.
        """
        points = wire.points
        pieces: list[tuple[tuple[float, float], ...]] = [(self.at(*points[0]),)]
        for k in range(1, len(points)):
            (d0, c0), (d1, c1) = points[k - 1], points[k]
            if abs(c0 - c1) < 0.05:
                pieces.append((self.at(d1, c1),))
                continue
            first, second = ((d0 + d1) / 2, c0), ((d0 + d1) / 2, c1)
            if k == 1 and wire.source.kind == "copy":
                first, second = (d0 + 0.1 * (d1 - d0), c0 + 0.6 * (c1 - c0)), (d0 + 0.4 * (d1 - d0), c1)
            pieces.append((self.at(*first), self.at(*second), self.at(d1, c1)))
        return pieces

    def path(self, wire: Wire) -> str:
        """The same as the text of a path."""
        start, *pieces = self.curve(wire)
        letters = ["C" if len(piece) == 3 else "L" for piece in pieces]
        told = [" ".join(f"{x:.1f},{y:.1f}" for x, y in piece) for piece in (start, *pieces)]
        return f"M{told[0]}" + "".join(letter + text for letter, text in zip(letters, told[1:], strict=True))

    def shade(self, wire: Wire) -> str:
        """The broad band under a hidden wire."""
        return (
            f'<path class="shade" d="{self.path(wire)}" fill="none" stroke="{PALETTE["muted"]}" '
            'stroke-width="10" stroke-opacity="0.16" stroke-linecap="round"/>'
        )

    def wire(self, wire: Wire) -> str:
        """The line of a wire."""
        kind = self.kind(wire.object)
        colour = {"mark": PALETTE["blue"], "hidden": PALETTE["muted"]}.get(kind, PALETTE["ink"])
        width = 1.9 if kind == "mark" else 1.3
        line = f'd="{self.path(wire)}" fill="none" stroke="{colour}" stroke-width="{width}"'
        return f'<g class="{kind}"><path class="wire" {line}/></g>'

    def item(self, item: Item) -> str:
        """Box, dot or ground."""
        if item.kind == "end":
            return ""
        kind = self.kind(item.label)
        colour = {"mark": PALETTE["blue"], "hidden": PALETTE["muted"]}.get(kind, PALETTE["ink"])
        x, y = self.at(*item.centre)
        if item.kind == "copy":
            return f'<g class="{kind}"><circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3.4" fill="{colour}"/></g>'
        if item.kind == "box":
            return f'<g class="{kind}"><title>{escape(item.label)}</title>{self._box(item, x, y, kind, colour)}</g>'
        strokes = "".join(f"M{x0:.1f},{y0:.1f}L{x1:.1f},{y1:.1f}" for (x0, y0), (x1, y1) in self.ground(item))
        line = f'd="{strokes}" fill="none" stroke="{colour}" stroke-width="1.6" stroke-linecap="round"'
        return f'<g class="{kind}"><title>{item.kind} {escape(item.label)}</title><path class="sign" {line}/></g>'

    def _box(self, item: Item, x: float, y: float, kind: str, colour: str) -> str:
        along, across = item.half
        w, h = (across, along) if self.up else (along, across)
        frame = f'x="{x - w:.1f}" y="{y - h:.1f}" width="{2 * w:.1f}" height="{2 * h:.1f}" rx="2"'
        dashes = ' stroke-dasharray="4 3"' if kind == "hidden" else ""
        tint = "" if kind == "plain" else (
            f'<rect class="tint" {frame} fill="{colour}" fill-opacity="0.14"/>'
        )  # fmt: skip
        border = f'<rect class="box" {frame} fill="#ffffff" stroke="{colour}" stroke-width="1.4"{dashes}/>'
        words = f'<text text-anchor="middle" x="{x:.1f}" y="{y + 4.6:.1f}" fill="{PALETTE["ink"]}">'
        return f"{border}{tint}{words}{escape(item.label)}</text>"

    def ground(self, item: Item) -> list[tuple[tuple[float, float], tuple[float, float]]]:
        """The three bars of a discard or a uniform state, the longest where the wire ends."""
        side = 1 if item.kind == "discard" else -1
        depth, cross = item.centre
        bars = ((0.0, 8.0), (3.6, 5.2), (7.2, 2.4))
        return [
            (self.at(depth + side * d, cross - half), self.at(depth + side * d, cross + half))
            for d, half in bars
        ]

    def names(self, wire: Wire) -> list[tuple[float, float, str]]:
        """Where the object's name stands, and its anchor: at ends of the boundary, or beside the start of the wire."""
        ends = [(item, k) for item, k in ((wire.source, 0), (wire.target, -1)) if item.kind == "end"]
        if not ends:
            (d0, c0), (d1, _) = wire.points[:2]
            x, y = self.at(d0 + min(11.0, (d1 - d0) / 2), c0)
            return [(x + 5, y + 3.5, "start") if self.up else (x, y - 5, "middle")]
        found = []
        for item, k in ends:
            x, y = self.at(*wire.points[k])
            first = item.level == 0
            if self.up:
                found.append((x, y + (LABEL - 4 if first else -6), "middle"))
            else:
                found.append((x + (-6 if first else 6), y + 4, "end" if first else "start"))
        return found

    def name(self, wire: Wire) -> str:
        """The names as text."""
        return "".join(_text(wire.object, x, y, anchor) for x, y, anchor in self.names(wire))


def _text(name: str, x: float, y: float, anchor: str) -> str:
    place = f'text-anchor="{anchor}" x="{x:.1f}" y="{y:.1f}" font-size="{SMALL:g}"'
    return f'<text class="name" {place} fill="{PALETTE["muted"]}">{escape(name)}</text>'


def _document(body: list[str], extent: tuple[float, float], title: str) -> str:
    style = _STYLE
    for name in ("ink", "muted", "blue"):
        style = style.replace(name.upper(), PALETTE[name])
    w, h = (math.ceil(side + 2 * MARGIN) for side in extent)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="suppose-sd" role="img" aria-label="{escape(title)}" '
        f'viewBox="{-MARGIN:g} {-MARGIN:g} {w} {h}" width="{w}" height="{h}">'
    )
    letters = f'font-family="system-ui, DejaVu Sans, sans-serif" font-size="{FONT:g}"'
    return "".join([head, "<style>", style, f"</style><g {letters}>", *body, "</g></svg>"])
