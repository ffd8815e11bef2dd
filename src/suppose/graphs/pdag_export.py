"""Writes partly directed graphs for other programs: Graphviz, dagitty, GraphML."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from suppose.graphs.meek import ARROW, CIRCLE
from suppose.graphs.notation import quoted

if TYPE_CHECKING:
    from suppose.graphs.pdag import MarkedGraph

__all__ = ["write_dagitty", "write_dot", "write_graphml"]

_HEADS = {"<": "normal", ">": "normal", "o": "odot", "-": "none"}
_FULL = {"->": "-->", "--": "---"}
_WORDS = {1: "circle", 2: "arrow", 3: "tail"}


def write_dot(graph: MarkedGraph) -> str:
    """The graph as a Graphviz ``digraph`` with the marks as heads and tails.

    Examples
    --------
    >>> from suppose.graphs.pdag import PDAG
    >>> print(write_dot(PDAG.parse("a -- b")))
    digraph {
      "a";
      "b";
      "a" -> "b" [dir=both, arrowtail=none, arrowhead=none];
    }
    """
    lines = [f"  {quoted(name)};" for name in graph.nodes]
    for a, arrow, b in graph.edges():
        full = _FULL.get(arrow, arrow)
        marks = f"dir=both, arrowtail={_HEADS[full[0]]}, arrowhead={_HEADS[full[-1]]}"
        lines.append(f"  {quoted(a)} -> {quoted(b)} [{marks}];")
    return "\n".join(["digraph {", *lines, "}"])


def write_dagitty(graph: MarkedGraph) -> str:
    """The graph as dagitty code; circles are written ``@``."""
    kind = "pag" if (graph.endpoints == CIRCLE).any() else "pdag"
    if kind == "pdag" and ((graph.endpoints == ARROW) & (graph.endpoints.T == ARROW)).any():
        kind = "pag"
    lines = [quoted(name) for name in graph.nodes]
    for a, arrow, b in graph.edges():
        lines.append(f"{quoted(a)} {arrow.replace('o', '@')} {quoted(b)}")
    return "\n".join([f"{kind} {{", *lines, "}"])


def write_graphml(graph: MarkedGraph) -> str:
    """The graph as GraphML; edges carry ``mark_source`` and ``mark_target``."""
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    keys = "".join(
        f'<key id="{key}" for="edge" attr.name="{key}" attr.type="string"/>'
        for key in ("mark_source", "mark_target")
    )
    nodes = "".join(f"<node id={quoteattr(name)}/>" for name in graph.nodes)
    edges = []
    for a, _, b in graph.edges():
        i, j = graph.id(a), graph.id(b)
        source, target = _WORDS[int(graph.endpoints[j, i])], _WORDS[int(graph.endpoints[i, j])]
        edges.append(
            f"<edge source={quoteattr(a)} target={quoteattr(b)}>"
            f'<data key="mark_source">{escape(source)}</data><data key="mark_target">{escape(target)}</data></edge>'
        )
    return f'{head}{keys}<graph edgedefault="directed">{nodes}{"".join(edges)}</graph></graphml>'
