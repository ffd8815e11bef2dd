"""How figures look, once: the palette, deterministic SVG, and the interval (forest) plot.

Figures are drawn with matplotlib on a transparent ground in the colours of :data:`PALETTE`. The
report exchanges these for its own light and dark colours, so no other colour should be used where
a figure must be legible on both. The same axes give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["PALETTE", "draw_svg", "forest", "new_axes"]

PALETTE = {
    "ink": "#1f2430",
    "muted": "#6b7280",
    "rule": "#d5d9e0",
    "blue": "#2f6fab",
    "orange": "#d1741f",
    "green": "#3a8f5c",
    "red": "#b3403a",
    "purple": "#7a5ba6",
}

STYLE: Any = {
    "axes.edgecolor": PALETTE["rule"],
    "axes.labelcolor": PALETTE["ink"],
    "axes.titlecolor": PALETTE["ink"],
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": PALETTE["rule"],
    "xtick.color": PALETTE["muted"],
    "ytick.color": PALETTE["muted"],
    "xtick.labelcolor": PALETTE["ink"],
    "ytick.labelcolor": PALETTE["ink"],
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "legend.labelcolor": PALETTE["ink"],
    "text.color": PALETTE["ink"],
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "svg.fonttype": "path",
    "svg.id": None,
    "text.parse_math": False,
}


def draw_svg(name: str, plot: Callable[[Any], Any], size: tuple[float, float] = (5.6, 3.4)) -> str:
    """SVG text of what ``plot`` draws on fresh Axes; the same drawing gives the same text.

    Parameters
    ----------
    name : str
        Name of the figure; keeps the identifiers of two figures on one page apart.
    plot : callable
        Takes matplotlib Axes and draws on them.
    size : tuple of float
        Width and height in inches.

    Examples
    --------
    >>> text = draw_svg("line", lambda ax: ax.plot([0, 1], [0, 1]))
    >>> text.lstrip().startswith("<svg"), text == draw_svg("line", lambda ax: ax.plot([0, 1], [0, 1]))
    (True, True)
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    style = {**STYLE, "svg.hashsalt": name}
    with matplotlib.rc_context(style):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        plot(figure.add_subplot())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def new_axes(ax: Any = None, size: tuple[float, float] = (5.6, 3.4)) -> Any:
    """The given Axes, or new ones in the house style."""
    if ax is not None:
        return ax
    import matplotlib
    from matplotlib import pyplot

    with matplotlib.rc_context(STYLE):
        return pyplot.figure(figsize=size, layout="constrained").add_subplot()


def forest(
    rows: Sequence[tuple[str, float, float | None, float | None]],
    *,
    unit: str = "",
    reference: float | None = 0.0,
    emphasis: int = 0,
    ax: Any = None,
) -> Any:
    """Estimates with their intervals, one line each, first on top.

    Parameters
    ----------
    rows : sequence of (label, estimate, low, high)
        What to draw; a missing ``low`` or ``high`` draws the point alone.
    unit : str
        Unit of the horizontal axis.
    reference : float, optional
        Where to draw the vertical reference line; ``None`` draws none.
    emphasis : int
        Index of the row drawn in the main colour.
    ax : matplotlib Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = forest([("experiment", 1.8, 0.5, 3.1), ("adjusted", 1.2, 0.1, 2.3)], unit="dollars")
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['experiment', 'adjusted']
    """
    from matplotlib.ticker import MaxNLocator

    ax = new_axes(ax)
    for index, (_, estimate, low, high) in enumerate(rows):
        colour = PALETTE["blue"] if index == emphasis else PALETTE["muted"]
        if low is not None and high is not None:
            ax.plot([low, high], [index, index], color=colour, linewidth=2.2, solid_capstyle="round")
        ax.plot([estimate], [index], "o", color=colour, markersize=7 if index == emphasis else 6)
    if reference is not None:
        ax.axvline(reference, color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    ax.set_yticks(range(len(rows)), [row[0] for row in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlabel(unit)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}".replace("-", "\N{MINUS SIGN}"))
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", linewidth=0.8)
    return ax
