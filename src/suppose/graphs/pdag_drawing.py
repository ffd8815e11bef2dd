"""Partly directed graphs as SVG, in the manner of :mod:`suppose.graphs.drawing`.

Arrowheads, tails and circles are drawn at the ends of each edge. Causes come before effects where the arrows
say so; open edges are laid out in the order of the nodes, which means nothing. Where findings contradict each
other (``<->`` of a PDAG) the edge is drawn in red.
"""

from __future__ import annotations

import numpy as np

from suppose.core.errors import GraphError
from suppose.core.figures import PALETTE
from suppose.graphs import drawing
from suppose.graphs.layout import Route, arrange
from suppose.graphs.meek import ARROW, CIRCLE, TAIL
from suppose.graphs.pdag import PDAG, MarkedGraph

__all__ = ["draw_marked"]

RADIUS = 3.6


def draw_marked(
    graph: MarkedGraph, *, support: dict[tuple[str, str], float] | None = None, title: str = ""
) -> str:
    """The graph as SVG text.

    Parameters
    ----------
    graph : MarkedGraph
    support : dict from (str, str) to float, optional
        Share of resamples in which the two nodes were joined; drawn as opacity of the edge.
    title : str
        What the drawing shows, for those who cannot see it.

    Raises
    ------
    GraphError
        ``graph-too-large`` beyond 150 nodes.

    Examples
    --------
    >>> draw_marked(PDAG.parse("a -- b -> c")).count('class="node')
    3
    """
    if len(graph) > drawing.MAX_NODES:
        raise GraphError(
            "graph-too-large", f"at most {drawing.MAX_NODES} nodes can be drawn legibly, the graph has {len(graph)}",
            where="graph", remedy="Draw a part of it.",
        )  # fmt: skip
    directed, bidirected = _layers(graph)
    best = None
    for rightwards, letters, spacing, most in drawing.ARRANGEMENTS:
        labels = [drawing._lines(name, letters) for name in graph.nodes]
        sizes = np.array([drawing._box(lines) for lines in labels]).reshape(-1, 2)
        sizes = sizes if rightwards else sizes[:, ::-1]
        layout = arrange(sizes, directed, bidirected, spacing=spacing, most=most)
        width = layout.size[0 if rightwards else 1] + 2 * drawing.MARGIN
        if best is None or width < best[0]:
            best = width, layout, labels, rightwards
        if width <= drawing.PHONE:
            break
    assert best is not None
    _, layout, labels, rightwards = best
    body = [_edge(graph, route, rightwards, support) for route in layout.routes]
    body += [drawing._node(graph.nodes[i], labels[i], "", layout, i, rightwards) for i in range(len(graph))]
    width, height = layout.size if rightwards else layout.size[::-1]
    described = title or f"Partly directed graph. {graph.text or 'no nodes'}"
    return drawing._document(body, max(width, 1.0), max(height, 1.0), described)


def _layers(graph: MarkedGraph) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Edges for the layout: an acyclic set of pairs, and those with two arrowheads."""
    marks = graph.endpoints
    order = _order(marks)
    directed, bidirected = [], []
    for i, j in np.argwhere(np.triu(marks > 0, 1)).tolist():
        if marks[i, j] == ARROW and marks[j, i] == ARROW:
            bidirected.append((i, j))
        else:
            directed.append((i, j) if order[i] < order[j] else (j, i))
    return directed, bidirected


def _order(marks: np.ndarray) -> list[int]:
    """Rank of each node: after all with an arrow into it as far as there is no cycle, else in node order."""
    into = (marks == ARROW) & (marks.T != ARROW)
    left, rank = list(range(len(marks))), [0] * len(marks)
    for step in range(len(marks)):
        free = next((v for v in left if not into[left, v].any()), left[0])
        rank[free] = step
        left.remove(free)
    return rank


def _edge(
    graph: MarkedGraph, route: Route, rightwards: bool, support: dict[tuple[str, str], float] | None
) -> str:
    marks, a, b = graph.endpoints, route.source, route.target
    pieces = [list(piece) for piece in route.pieces]
    contradicts = isinstance(graph, PDAG) and marks[a, b] == marks[b, a] == ARROW
    sure = marks[a, b] != CIRCLE and marks[b, a] != CIRCLE and not marks[a, b] == marks[b, a] == TAIL
    colour = PALETTE["red" if contradicts else "ink" if sure else "muted"]
    ends = ""
    for mark, piece, at, before in ((marks[a, b], pieces[-1], 3, 2), (marks[b, a], pieces[0], 0, 1)):
        if mark == TAIL:
            continue
        tip, end, left, right = drawing._head(piece[before], piece[at])
        if mark == ARROW:
            tip_at, *barbs = (drawing._at(point, rightwards) for point in (tip, left, right))
            points = f"M{tip_at}L{barbs[0]} {barbs[1]}Z"
            ends += f'<path class="head" d="{points}" fill="{colour}"/>'
            piece[at] = end
        else:
            x, y = end if rightwards else end[::-1]
            ends += (
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS}" fill="#ffffff" stroke="{colour}" '
                'stroke-width="1.3"/>'
            )
    path = f"M{drawing._at(pieces[0][0], rightwards)}"
    for _, first, second, end in pieces:
        path += "C" + " ".join(drawing._at(point, rightwards) for point in (first, second, end))
    names = graph.nodes[a], graph.nodes[b]
    share = 1.0 if support is None else support.get(names, support.get(names[::-1], 1.0))
    line = f'<path class="line" d="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    kind = "edge causal" if sure and not contradicts else "edge"
    return f'<g class="{kind}" opacity="{0.25 + 0.75 * share:.2f}">{line}{ends}</g>'
