"""One page per system: written by hand where this version has the system, from the catalogue otherwise."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from api_pages import heading, write
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from suppose.studies.catalogue import System, systems

ROOM_WORDS = {
    "effects": "Effects of treatments",
    "graphs": "Graphs",
    "discovery": "Discovery",
    "worlds": "Worlds",
    "training": "Training",
    "probing": "Probing",
    "generation": "Generation",
    "agents": "Agents",
}


def planned_page(item: System) -> str:
    """Page of a system: what it answers, its paper, how it will be reached, and its state."""
    state = (
        "Available in this version."
        if item.available
        else (
            "Planned: not part of this version. What stands here is settled; "
            "its method, checks and figures will follow."
        )
    )
    return "\n".join(
        [
            heading(item.title, "="),
            f"*{item.answers}*\n",
            ".. list-table::",
            "   :class: facts",
            "   :stub-columns: 1\n",
            f"   * - Paper\n     - {item.paper.replace('*', chr(92) + '*')}, `arXiv {item.arxiv} <{item.url}>`__",
            f'   * - Asked with\n     - ``question = "{item.question}"``',
            f"   * - Name\n     - ``{item.slug}``",
            f"   * - Room\n     - ``suppose.{item.room}``",
            f"   * - State\n     - {state}\n",
        ]
    )


class SystemList(SphinxDirective):
    """``.. system-list::`` : every system, by room, with the question it answers; also their toctree."""

    def run(self) -> list[nodes.Node]:
        lines: list[str] = []
        for room, items in groupby(systems(), key=lambda item: item.room):
            lines += [f".. rubric:: {ROOM_WORDS[room]}", "", ".. list-table::", "   :class: systems", ""]
            for item in items:
                state = "" if item.available else " |planned|"
                lines += [
                    f"   * - :doc:`{item.title} <{item.slug}>`{state}",
                    f"     - {item.answers}",
                    f"     - ``{item.question}``",
                ]
            lines.append("")
        lines += [".. |planned| replace:: :planned:`planned`", "", ".. toctree::", "   :hidden:", ""]
        lines += [f"   {item.slug}" for item in systems()]
        return self.parse_text_to_nodes(StringList(lines, source=str(self.env.docname)))


def setup(app: Sphinx) -> dict[str, bool]:
    folder = Path(app.srcdir) / "systems"
    for item in systems():
        generated = folder / f"{item.slug}.planned"
        if (folder / f"{item.slug}.rst").exists():
            generated.unlink(missing_ok=True)
        else:
            write(generated, planned_page(item))
    app.add_directive("system-list", SystemList)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
