"""Drawings of an identification: the formula as set type, and the argument as panels a student can follow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from suppose.core.figures import PALETTE
from suppose.graphs import DAG, draw

__all__ = ["Panel", "formula_svg", "panels_svg"]

Panel = tuple[str, str, str, str]
"""Heading, words, drawing (SVG text or ""), formula (LaTeX or "")."""

WIDTH = 470.0  # a phone shows it at three quarters, still legible
SIZE = 17.0
LINE = 19.0
LETTER = 7.0
_CONTENT = re.compile(r'viewBox="([-\d.]+) ([-\d.]+) ([\d.]+) ([\d.]+)".*?</style>(.*)</svg>', re.DOTALL)


def formula_svg(latex: str, words: str) -> str:
    r"""A formula as SVG text, broken into lines where it is long; ``words`` says it to those who cannot see it.

    Examples
    --------
    >>> formula_svg(r"\sum_{t} P(c \mid t)", "sum over t of P(c | t)").startswith("<svg")
    True
    """
    body, width, height = _formula(latex, WIDTH)
    return _document([body], width, height, words)


def panels_svg(panels: Sequence[Panel], words: str) -> str:
    """Steps below each other: heading, what it says, the graph it is about, the formula there."""
    parts, y = [], 0.0
    for heading, text, drawing, latex in panels:
        parts.append(_line(heading, y + 14, 14, PALETTE["ink"], bold=True))
        y += 22
        for line in _wrapped(text, int(WIDTH / LETTER)):
            parts.append(_line(line, y + 13, 13, PALETTE["muted"]))
            y += LINE
        for content, wide, high in (_drawing(drawing), _formula(latex, WIDTH - 24)):
            if content:
                shift = (
                    f"translate(12 {y + 8:.1f})"
                    if wide <= WIDTH
                    else f"translate(12 {y + 8:.1f}) scale({WIDTH / wide:.3f})"
                )
                parts.append(f'<g transform="{shift}">{content}</g>')
                y += high * min(1.0, WIDTH / wide) + 14
        y += 20
    return _document(parts, WIDTH, y - 12, words)


def graph_svg(
    dag: DAG,
    *,
    treatment: Sequence[str],
    outcome: Sequence[str],
    adjusted: Sequence[str] = (),
    legend: bool = True,
) -> str:
    """The graph with its parts marked; nodes the graph does not hold are passed over."""
    held = {name: [node for node in nodes if node in dag] for name, nodes in
            (("treatment", treatment), ("outcome", outcome), ("adjusted", adjusted))}  # fmt: skip
    return draw(
        dag, treatment=held["treatment"], outcome=held["outcome"], adjusted=held["adjusted"], legend=legend
    )


def _document(parts: Sequence[str], width: float, height: float, words: str) -> str:
    box = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(words)}" {box}>'
    letters = '<g font-family="system-ui, DejaVu Sans, sans-serif">'
    return "".join([head, letters, *parts, "</g></svg>"])


def _line(text: str, y: float, size: float, colour: str, *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="0" y="{y:.1f}" font-size="{size:g}" fill="{colour}"{weight}>{escape(text)}</text>'


def _wrapped(text: str, letters: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, letters) if text else []


def _drawing(svg: str) -> tuple[str, float, float]:
    """Content of a drawing of the graphs' room, moved to the origin, and its size."""
    if not svg:
        return "", 0.0, 0.0
    found = _CONTENT.search(svg)
    assert found is not None, "a drawing of suppose.graphs has a view box and a style"
    x, y, width, height = map(float, found.group(1, 2, 3, 4))
    return f'<g transform="translate({-x:g} {-y:g})">{found.group(5)}</g>', width, height


def _formula(latex: str, width: float) -> tuple[str, float, float]:
    """Lines of a formula as paths, no wider than ``width`` where it can be broken, and their size."""
    if not latex:
        return "", 0.0, 0.0
    parts, y, widest = [], 0.0, 0.0
    for number, line in enumerate(_lines(latex, width)):
        path, (left, top, wide, high) = _path(line)
        indent = 24.0 if number else 0.0
        parts.append(
            f'<path transform="translate({indent - left:.1f} {y - top:.1f})" fill="{PALETTE["ink"]}" d="{path}"/>'
        )
        y += high + 9
        widest = max(widest, indent + wide)
    return "".join(parts), widest + 2, max(y - 9, 1.0) + 2


def _lines(latex: str, width: float) -> list[str]:
    """The formula broken before a sum, a product or a probability, outside of braces and brackets."""
    pieces = _pieces(latex)
    lines = [pieces[0]]
    for piece in pieces[1:]:
        if _path(lines[-1] + piece)[1][2] > width - 30:
            lines.append(piece)
        else:
            lines[-1] += piece
    return [line.strip() for line in lines]


def _pieces(latex: str) -> list[str]:
    r"""Parts between which a line may end: before ``\sum``, ``\frac``, ``P(`` or ``=`` at the outermost braces."""
    starts, depth = [0], 0
    for place, letter in enumerate(latex):
        depth += (letter in "{") - (letter in "}")
        here = latex.startswith(("\\sum", "\\frac", "P(", "P_", "= ", "\\left("), place)
        if place and depth == 0 and here:
            starts.append(place)
    return [latex[a:b] for a, b in zip(starts, [*starts[1:], len(latex)], strict=True)]


def _path(latex: str) -> tuple[str, tuple[float, float, float, float]]:
    """One line of a formula as an SVG path (y downwards), and its left, top, width and height."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path
    from matplotlib.textpath import TextPath

    drawn = TextPath(
        (0, 0),
        f"${latex.strip()}$",
        size=SIZE,
        prop=FontProperties(family="DejaVu Serif", math_fontfamily="stix"),
    )
    letters = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C"}
    pieces = []
    for vertices, code in drawn.iter_segments(simplify=False):
        if code == Path.CLOSEPOLY:
            pieces.append("Z")
            continue
        numbers = " ".join(f"{x:.2f},{-y:.2f}" for x, y in vertices.reshape(-1, 2))
        pieces.append(letters[code] + numbers)
    box = drawn.get_extents()
    return "".join(pieces), (float(box.x0), -float(box.y1), float(box.width), float(box.height))
