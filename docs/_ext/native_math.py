"""Formulas as MathML, which browsers show by themselves: no script, no font and no network needed."""

from __future__ import annotations

import html
from typing import Any

from docutils import nodes
from docutils.utils.math import latex2mathml
from sphinx.application import Sphinx


def mathml(tex: str, block: bool) -> str:
    """MathML of a formula; ``aligned`` stands in for the ``split`` Sphinx wraps several lines in."""
    if block and r"\\" in tex and r"\begin" not in tex:
        tex = r"\begin{aligned}" + tex + r"\end{aligned}"
    return str(latex2mathml.tex2mathml(tex, as_block=block))


def visit_inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(f'<span class="math" title="{html.escape(node.astext())}">')
    translator.body.append(mathml(node.astext(), block=False) + "</span>")
    raise nodes.SkipNode


def visit_block(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(translator.starttag(node, "div", CLASS="math math-block"))
    translator.body.append(mathml(node.astext(), block=True))
    if node.get("number"):
        translator.body.append(f'<span class="eqno">({node["number"]})</span>')
    translator.body.append("</div>")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
