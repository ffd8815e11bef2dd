"""Diagrams on matplotlib Axes, with the arrangement of the SVG drawing: for PNG, PDF and figures with other panels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from suppose.core.figures import PALETTE, new_axes
from suppose.graphs.diagrams.diagram import Diagram
from suppose.graphs.diagrams.drawing import Pen, arranged, named
from suppose.graphs.diagrams.placement import Item, Wire

__all__ = ["plot"]

PIXELS = 72.0
"""Pixels of the drawing per inch."""
COLOUR = {"mark": PALETTE["blue"], "hidden": PALETTE["muted"], "plain": PALETTE["ink"]}


def plot(
    diagram: Diagram,
    ax: Any = None,
    *,
    direction: str = "up",
    mark: str | Iterable[str] = (),
    names: str = "boundary",
) -> Any:
    """The diagram on matplotlib Axes.

    Parameters
    ----------
    diagram : Diagram
        Drawn as it is written.
    ax : matplotlib Axes, optional
        Where to draw; new ones of the drawing's own size when left out.
    direction, mark, names
        As in :func:`.drawing.to_svg`.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    GraphError
        ``bad-kind``, ``graph-too-large``.

    Examples
    --------
    >>> ax = plot(Diagram.from_dag("S -> T"))
    >>> sorted(text.get_text() for text in ax.texts)
    ['S', 'S', 'T', 'T']
    """
    placed, pen = arranged(diagram, direction, mark, names)
    width, height = pen.extent
    ax = new_axes(ax, size=(max(width, 1.0) / PIXELS + 0.3, max(height, 1.0) / PIXELS + 0.3))
    for wire in placed.wires:
        _wire(ax, pen, wire)
    for item in placed.items:
        _item(ax, pen, item)
    for wire in placed.wires:
        if named(wire, names == "all"):
            for x, y, anchor in pen.names(wire):
                side = {"start": "left", "middle": "center", "end": "right"}[anchor]
                ax.text(x, y, wire.object, ha=side, va="baseline", fontsize=9, color=PALETTE["muted"])
    ax.set_xlim(-4, width + 4)
    ax.set_ylim(height + 4, -4)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def _wire(ax: Any, pen: Pen, wire: Wire) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    start, *pieces = pen.curve(wire)
    points = [*start, *(point for piece in pieces for point in piece)]
    codes = [Path.MOVETO]
    for piece in pieces:
        codes += [Path.CURVE4] * 3 if len(piece) == 3 else [Path.LINETO]
    kind, path = pen.kind(wire.object), Path(points, codes)
    if wire.object in pen.hidden:
        ax.add_patch(
            PathPatch(path, fill=False, edgecolor=PALETTE["muted"], linewidth=9, alpha=0.16, zorder=1)
        )
    line = 1.7 if kind == "mark" else 1.1
    ax.add_patch(PathPatch(path, fill=False, edgecolor=COLOUR[kind], linewidth=line, zorder=2))


def _item(ax: Any, pen: Pen, item: Item) -> None:
    from matplotlib.patches import Circle, Rectangle

    kind = pen.kind(item.label)
    x, y = pen.at(*item.centre)
    if item.kind == "copy":
        ax.add_patch(Circle((x, y), 3.2, color=COLOUR[kind], zorder=3))
    elif item.kind == "box":
        along, across = item.half
        w, h = (across, along) if pen.up else (along, across)
        ground = dict.fromkeys(("mark", "hidden"), COLOUR[kind]).get(kind)
        ax.add_patch(Rectangle((x - w, y - h), 2 * w, 2 * h, facecolor="white", edgecolor="none", zorder=3))
        if ground:
            ax.add_patch(Rectangle((x - w, y - h), 2 * w, 2 * h, facecolor=ground, alpha=0.14, zorder=3))
        border: Any = {"linestyle": (0, (3, 2))} if kind == "hidden" else {}
        ax.add_patch(
            Rectangle(
                (x - w, y - h),
                2 * w,
                2 * h,
                fill=False,
                edgecolor=COLOUR[kind],
                linewidth=1.2,
                zorder=4,
                **border,
            )
        )
        ax.text(x, y, item.label, ha="center", va="center", fontsize=10, color=PALETTE["ink"], zorder=5)
    elif item.kind != "end":
        for (x0, y0), (x1, y1) in pen.ground(item):
            ax.plot([x0, x1], [y0, y1], color=COLOUR[kind], linewidth=1.5, zorder=3)
