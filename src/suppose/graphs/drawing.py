"""A causal graph as a drawing for a report: SVG text, read at phone width as well as on a desktop.

Of several arrangements (left to right or downwards, labels in short or long lines, wide layers split) the
first that fits a phone is taken, so that one drawing serves every width. Roles differ by more than colour:
treatment and outcome have thick borders and bold names, adjusted nodes square corners, latent nodes a dashed
border and slanted names. Bidirected edges are dashed; edges on causal paths to the outcome are dark.

Colours are those of :data:`suppose.core.figures.PALETTE`, written on each element and overridden by the CSS
custom properties ``--suppose-paper``, ``--suppose-ink``, ``--suppose-muted``, ``--suppose-treatment``,
``--suppose-outcome``, ``--suppose-adjusted`` and ``--suppose-font`` where a page defines them.
Every name is escaped; characters that cannot be shown are replaced.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from suppose.core.errors import GraphError, nearest
from suppose.core.figures import PALETTE
from suppose.graphs.dag import DAG, NodeSet, check_graph
from suppose.graphs.layout import Layout, Point, Route, arrange
from suppose.graphs.query import causal_nodes

__all__ = ["MAX_NODES", "draw"]

MAX_NODES = 150
"""Largest number of nodes drawn; beyond it no one can read the drawing."""

PHONE = 400.0
"""Width in pixels up to which a drawing stays legible on a phone of 360 pixels."""

ARRANGEMENTS = (
    (True, 15, 16.0, None),
    (False, 15, 16.0, None),
    (True, 9, 12.0, None),
    (False, 9, 10.0, None),
    (False, 9, 10.0, PHONE - 30),
)
"""Tried in this order: whether depth runs to the right, letters per label line, distance within layers, and
extent from which on layers are split."""

LONGEST = 16
"""Letters from which on a word is broken wherever the line ends."""

MARGIN = 6.0
FONT, LINE = 13.0, 16.0
HEAD = 8.0
DIRECTIONS = ("auto", "right", "down")
ROLES = ("treatment", "outcome", "adjusted", "latent")
_NARROW = dict.fromkeys("iIjl|.,:;'!`", 0.34) | dict.fromkeys('frt()[]{}-/\\" ', 0.46)
_WIDE = dict.fromkeys("mwMW%@&", 0.98) | dict.fromkeys("ABCDEFGHKNOPQRSTUVXYZ+=<>~#", 0.78)
_WIDTHS = _NARROW | _WIDE
_STYLE = """
.suppose-dag{max-width:100%;height:auto}
.suppose-dag g{font-family:var(--suppose-font,system-ui,"DejaVu Sans",sans-serif)}
.suppose-dag text{fill:var(--suppose-ink,INK)}
.suppose-dag .legend text{fill:var(--suppose-muted,MUTED)}
.suppose-dag .ground{fill:var(--suppose-paper,#ffffff)}
.suppose-dag .box{stroke:var(--suppose-muted,MUTED);fill:var(--suppose-muted,MUTED)}
.suppose-dag .line{stroke:var(--suppose-muted,MUTED)}
.suppose-dag .head{fill:var(--suppose-muted,MUTED)}
.suppose-dag .causal .line{stroke:var(--suppose-ink,INK)}
.suppose-dag .causal .head{fill:var(--suppose-ink,INK)}
.suppose-dag .treatment .box{stroke:var(--suppose-treatment,BLUE);fill:var(--suppose-treatment,BLUE)}
.suppose-dag .outcome .box{stroke:var(--suppose-outcome,ORANGE);fill:var(--suppose-outcome,ORANGE)}
.suppose-dag .adjusted .box{stroke:var(--suppose-adjusted,GREEN);fill:var(--suppose-adjusted,GREEN)}
"""
_COLOUR = {"treatment": "blue", "outcome": "orange", "adjusted": "green", "latent": "muted", "": "muted"}


def draw(
    dag: DAG,
    *,
    treatment: NodeSet | None = None,
    outcome: NodeSet | None = None,
    adjusted: NodeSet | None = None,
    latent: NodeSet | None = None,
    direction: str = "auto",
    legend: bool = True,
    title: str = "",
) -> str:
    """The graph as SVG text.

    Parameters
    ----------
    dag : DAG
        The graph.
    treatment, outcome, adjusted, latent : str or iterable of str, optional
        Nodes to mark; taken from the graph's own marks when left out.
    direction : {"auto", "right", "down"}
        Where causes point to. ``auto`` takes the direction that stays legible on a phone.
    legend : bool
        Whether the marks in use are explained below.
    title : str
        What the drawing shows, for those who cannot see it; made from the graph when left out.

    Raises
    ------
    GraphError
        ``unknown-node``, ``bad-kind`` for a direction that is not one, ``graph-too-large``.

    Examples
    --------
    >>> svg = draw(DAG("age -> {treat re78}; treat -> re78"), treatment="treat", outcome="re78")
    >>> svg.startswith("<svg"), svg.count('class="node')
    (True, 3)
    """
    check_graph(dag)
    if direction not in DIRECTIONS:
        raise GraphError(
            "bad-kind", f"expected one of {', '.join(DIRECTIONS)}, got {direction!r}", where="direction",
            remedy=nearest(str(direction), DIRECTIONS) or "Choose one of these.",
        )  # fmt: skip
    if len(dag) > MAX_NODES:
        raise GraphError(
            "graph-too-large", f"at most {MAX_NODES} nodes can be drawn legibly, the graph has {len(dag)}",
            where="graph", remedy="Draw a part of it: dag.subgraph(dag.ancestors(...)).to_svg().",
        )  # fmt: skip
    given = {"treatment": treatment, "outcome": outcome, "adjusted": adjusted, "latent": latent}
    roles: dict[int, str] = {}
    for role in reversed(ROLES):
        nodes = given[role]
        roles.update(dict.fromkeys(dag.ids(getattr(dag, role) if nodes is None else nodes, where=role), role))
    causal = _causal_edges(dag, roles)
    layout, labels, rightwards = _arranged(dag, direction, causal)
    body = [_edge(route, rightwards, route[:2] in causal and not route.bidirected) for route in layout.routes]
    body += [_node(dag.nodes[i], labels[i], roles.get(i, ""), layout, i, rightwards) for i in range(len(dag))]
    width, height = layout.size if rightwards else layout.size[::-1]
    if legend:
        shown = [role for role in ROLES if role in roles.values()]
        keys, extent = _legend(shown, bool(causal), bool(dag.bidirected), max(width, 320.0), height + 14)
        body += [f'<g class="legend">{"".join(keys)}</g>'] if keys else []
        width, height = max(width, extent[0]), max(height, extent[1])
    return _document(body, width, height, title or _described(dag, roles))


def _document(body: Sequence[str], width: float, height: float, title: str) -> str:
    style = _STYLE
    for name in ("ink", "muted", "blue", "orange", "green"):
        style = style.replace(name.upper(), PALETTE[name])
    w, h = math.ceil(width + 2 * MARGIN), math.ceil(height + 2 * MARGIN)
    view = f"{-MARGIN:g} {-MARGIN:g} {w} {h}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="suppose-dag" role="img" '
        f'aria-label="{_shown(title)}" viewBox="{view}" width="{w}" height="{h}">'
    )
    letters = f'font-family="system-ui, DejaVu Sans, sans-serif" font-size="{FONT:g}"'
    return "".join([head, "<style>", style, f"</style><g {letters}>", *body, "</g></svg>"])


def _described(dag: DAG, roles: dict[int, str]) -> str:
    marks = [f"{role}: {', '.join(dag.nodes[i] for i in roles if roles[i] == role)}" for role in ROLES]
    used = [mark for mark in marks if not mark.endswith(": ")]
    return "Causal graph. " + "; ".join([dag.text or "no nodes", *used])


def _arranged(dag: DAG, direction: str, causal: set[tuple[int, int]]) -> tuple[Layout, list[list[str]], bool]:
    """Arrangement, label lines and whether depth runs to the right; the first that fits a phone."""
    index = {name: i for i, name in enumerate(dag.nodes)}
    directed = [(index[a], index[b]) for a, b in dag.directed]
    bidirected = [(index[a], index[b]) for a, b in dag.bidirected]
    best: tuple[float, tuple[Layout, list[list[str]], bool]] | None = None
    for rightwards, letters, spacing, most in ARRANGEMENTS:
        if direction != "auto" and rightwards != (direction == "right"):
            continue
        labels = [_lines(name, letters) for name in dag.nodes]
        sizes = np.array([_box(lines) for lines in labels]).reshape(-1, 2)
        sizes = sizes if rightwards else sizes[:, ::-1]
        layout = arrange(sizes, directed, bidirected, straight=causal, spacing=spacing, most=most)
        width = layout.size[0 if rightwards else 1] + 2 * MARGIN
        if best is None or width < best[0]:
            best = width, (layout, labels, rightwards)
        if width <= PHONE:
            break
    assert best is not None
    return best[1]


def _causal_edges(dag: DAG, roles: dict[int, str]) -> set[tuple[int, int]]:
    """Directed edges on proper causal paths from the treatments to the outcomes."""
    x = [i for i, role in roles.items() if role == "treatment"]
    y = [i for i, role in roles.items() if role == "outcome"]
    causal = causal_nodes(dag.adjacency, x, y)
    return {(a, b) for a in (*x, *causal) for b in dag.adjacency.children[a] if b in causal}


def _edge(route: Route, rightwards: bool, causal: bool) -> str:
    pieces = [list(piece) for piece in route.pieces]
    heads = [_head(pieces[-1][2], pieces[-1][3])]
    pieces[-1][3] = heads[0][1]
    if route.bidirected:
        heads.append(_head(pieces[0][1], pieces[0][0]))
        pieces[0][0] = heads[1][1]
    path = f"M{_at(pieces[0][0], rightwards)}"
    for _, first, second, end in pieces:
        path += f"C{_at(first, rightwards)} {_at(second, rightwards)} {_at(end, rightwards)}"
    colour = PALETTE["ink"] if causal else PALETTE["muted"]
    kind = "edge" + (" bidirected" if route.bidirected else "") + (" causal" if causal else "")
    dash = ' stroke-dasharray="5 3.5"' if route.bidirected else ""
    tips = "".join(
        f'<path class="head" d="M{_at(tip, rightwards)}L{_at(a, rightwards)} {_at(b, rightwards)}Z" '
        f'fill="{colour}"/>'
        for tip, _, a, b in heads
    )
    weight = 1.9 if causal else 1.3
    line = f'<path class="line" d="{path}" fill="none" stroke="{colour}" stroke-width="{weight}"{dash}/>'
    return f'<g class="{kind}">{line}{tips}</g>'


def _head(before: Point, tip: Point) -> tuple[Point, Point, Point, Point]:
    """Arrowhead at ``tip`` coming from ``before``: tip, where the line ends, and the two barbs."""
    length = math.hypot(tip[0] - before[0], tip[1] - before[1]) or 1.0
    u, v = (tip[0] - before[0]) / length, (tip[1] - before[1]) / length
    base = (tip[0] - HEAD * u, tip[1] - HEAD * v)
    side = HEAD * 0.42
    end = (tip[0] - (HEAD - 1) * u, tip[1] - (HEAD - 1) * v)
    return tip, end, (base[0] - side * v, base[1] + side * u), (base[0] + side * v, base[1] - side * u)


def _at(point: Point, rightwards: bool) -> str:
    x, y = point if rightwards else point[::-1]
    return f"{round(x, 1):g},{round(y, 1):g}"


def _node(name: str, lines: Sequence[str], role: str, layout: Layout, i: int, rightwards: bool) -> str:
    centre, size = layout.centres[i].tolist(), layout.extents[i].tolist()
    (x, y), (w, h) = (centre, size) if rightwards else (centre[::-1], size[::-1])
    box = f'x="{x - w / 2:.1f}" y="{y - h / 2:.1f}" width="{w:.1f}" height="{h:.1f}"'
    top = y - (len(lines) - 1) * LINE / 2 + FONT * 0.36
    spans = "".join(
        f'<tspan x="{x:.1f}" y="{top + k * LINE:.1f}">{_shown(line)}</tspan>' for k, line in enumerate(lines)
    )
    label = f"{name} ({role})" if role else name
    return (
        f'<g class="node{" " + role if role else ""}"><title>{_shown(label)}</title>'
        f'{_frame(box, role)}<text text-anchor="middle"{_letters(role)}>{spans}</text></g>'
    )


def _frame(box: str, role: str) -> str:
    """A node's ground and its border, which carries the role."""
    colour = PALETTE[_COLOUR[role]]
    corner = 1 if role == "adjusted" else 7
    width = 2.2 if role in ("treatment", "outcome", "adjusted") else 1.2
    tint = 0.14 if role in ("treatment", "outcome", "adjusted") else 0.0 if role == "latent" else 0.05
    dash = ' stroke-dasharray="3 2.5"' if role == "latent" else ""
    return (
        f'<rect class="ground" {box} rx="{corner}" fill="#ffffff"/>'
        f'<rect class="box" {box} rx="{corner}" fill="{colour}" fill-opacity="{tint:g}" stroke="{colour}" '
        f'stroke-width="{width}"{dash}/>'
    )


def _letters(role: str) -> str:
    weight = ' font-weight="600"' if role in ("treatment", "outcome") else ""
    slant = ' font-style="italic"' if role == "latent" else ""
    return f'{weight}{slant} fill="{PALETTE["ink"]}"'


def _legend(
    roles: Sequence[str], causal: bool, hidden: bool, width: float, top: float
) -> tuple[list[str], tuple[float, float]]:
    """Keys of the marks in use, broken into rows; returns them with their right and lower edge."""
    words = {"adjusted": "adjusted for", "latent": "not measured"}
    items = [(role, words.get(role, role)) for role in roles]
    items += [("causal", "causal path")] if causal else []
    items += [("bidirected", "hidden common cause")] if hidden else []
    parts, x, y, right = [], 0.0, top, 0.0
    for kind, word in items:
        extent = 26 + _measure(word) * 12 / FONT
        if x and x + extent > width:
            x, y = 0.0, y + 19
        parts.append(f'<g class="{kind}">{_swatch(kind, x, y)}')
        at = f'x="{x + 23:.1f}" y="{y + 9.5:.1f}"'
        parts.append(f'<text {at} font-size="12" fill="{PALETTE["muted"]}">{word}</text></g>')
        right = max(right, x + extent)
        x += extent + 12
    return parts, (right, y + 14 if items else 0.0)


def _swatch(kind: str, x: float, y: float) -> str:
    if kind in ROLES:
        return _frame(f'x="{x + 1:.1f}" y="{y:.1f}" width="17" height="11"', kind).replace(
            'rx="7"', 'rx="3.5"'
        )
    colour = PALETTE["ink"] if kind == "causal" else PALETTE["muted"]
    dash = ' stroke-dasharray="5 3.5"' if kind == "bidirected" else ""
    return (
        f'<path class="line" d="M{x:.1f},{y + 5.5:.1f}h19" fill="none" stroke="{colour}" '
        f'stroke-width="{1.9 if kind == "causal" else 1.3}"{dash}/>'
    )


def _box(lines: Sequence[str]) -> tuple[float, float]:
    """Width and height of a node with these label lines, in pixels."""
    return max(_measure(line) for line in lines) + 20, len(lines) * LINE + 14


def _measure(text: str) -> float:
    """Width in pixels, on the safe side for common sans-serif fonts."""
    return FONT * sum(
        0.0
        if unicodedata.combining(c)
        else 1.05
        if unicodedata.east_asian_width(c) in "WF"
        else _WIDTHS.get(c, 0.66)
        for c in text
    )


def _lines(name: str, letters: int) -> list[str]:
    """A name broken into at most three lines, where its words end as far as possible."""
    if len(name) <= letters + 3:
        return [name]
    lines = [""]
    for word in _words(name):
        if lines[-1] and len(lines[-1]) + len(word.rstrip()) > letters:
            lines.append("")
        lines[-1] += word
    lines = [line.strip() or " " for line in lines]
    return lines if len(lines) <= 3 else [*lines[:2], lines[2][: LONGEST - 1] + "\u2026"]


def _words(name: str) -> Iterator[str]:
    for word in re.findall(r"[^\s_.:/-]*[\s_.:/-]+|[^\s_.:/-]+", name):
        humps = re.sub(r"([a-z0-9])([A-Z])", "\\1\0\\2", word) if len(word) > LONGEST else word
        for piece in humps.split("\0"):
            yield from (piece[i : i + LONGEST] for i in range(0, len(piece), LONGEST))


def _shown(text: str) -> str:
    """Text for SVG: escaped, and without characters that XML forbids or that turn the writing direction."""
    kept = (c if unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn", "Cf") else "\ufffd" for c in text)
    return escape("".join(kept), quote=True)
