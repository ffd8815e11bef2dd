"""Drawings: every generator is there, nothing overlaps, names are escaped, and text drawings are read back."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from suppose.core.errors import GraphError
from suppose.core.figures import PALETTE
from suppose.graphs import DAG
from suppose.graphs.diagrams import Box, Diagram, Ty, comb, panels
from suppose.graphs.diagrams.drawing import extents, hidden_objects
from suppose.graphs.diagrams.placement import place

FRONT_DOOR = Diagram.from_dag(DAG("S -> T -> C; S <-> C"))
ASIA = Diagram.from_dag(
    "asia -> tub; smoke -> {lung bronc}; {tub lung} -> either; either -> {xray dysp}; bronc -> dysp"
)


def elements(svg: str, kind: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(svg)
    return [element for element in root.iter() if element.get("class") == kind]


def test_every_generator_and_wire_is_drawn() -> None:
    svg = FRONT_DOOR.draw()
    assert len(elements(svg, "box")) == 4 and len(elements(svg, "dot")) == 3
    assert len(elements(svg, "wire")) == 10 and not elements(svg, "sign")
    cut = FRONT_DOOR.cut("S").draw()
    assert len(elements(cut, "box")) == 3 and len(elements(cut, "sign")) == 2
    assert [e.text for e in elements(cut, "name")].count("S") == 2, "the uniform state says what it is of"


def test_hidden_wires_are_shaded_and_only_those() -> None:
    assert hidden_objects(FRONT_DOOR) == {"S~C"}
    assert hidden_objects(Box("t", "S", "T") >> Box("c", "T", "C")) == frozenset()
    assert len(elements(FRONT_DOOR.draw(), "shade")) == 3
    assert len(elements(FRONT_DOOR.cut("S").simplified().draw(), "shade")) == 1
    assert not elements(ASIA.draw(), "shade")


def test_drawings_use_the_palette_and_are_the_same_every_time() -> None:
    svg = FRONT_DOOR.draw(mark="S")
    colours = set(re.findall("#[0-9a-f]{6}", svg))
    assert colours <= {*PALETTE.values(), "#ffffff"} and PALETTE["blue"] in colours
    assert svg == Diagram.from_dag(DAG("S -> T -> C; S <-> C")).draw(mark="S")


@pytest.mark.parametrize("direction", ["up", "right"])
def test_panels_stand_beside_each_other(direction: str) -> None:
    svg = panels({"before": FRONT_DOOR, "after": FRONT_DOOR.cut("S")}, mark="S", direction=direction)
    assert len(elements(svg, "box")) == 7 and len(elements(svg, "sign")) == 2
    assert next(e.text for e in elements(svg, "name")) == "before"
    width, height = (float(ElementTree.fromstring(svg).get(side)) for side in ("width", "height"))
    one = ElementTree.fromstring(FRONT_DOOR.draw(direction=direction))
    longer = (width, float(one.get("width"))) if direction == "up" else (height, float(one.get("height")))
    assert longer[0] > 1.5 * longer[1]


def test_names_are_escaped() -> None:
    diagram = Diagram.from_dag(DAG('"a<b&c" -> "d_e"'))
    svg = diagram.draw(names="all")
    ElementTree.fromstring(svg)
    assert "a&lt;b&amp;c" in svg and "a<b" not in svg
    assert r"a<b\&c" in diagram.draw("tikz") and r"d\_e" in diagram.draw("tikz")


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_nothing_overlaps_and_wires_run_forwards(seed: int, up: bool, made) -> None:
    diagram = ASIA if seed == 0 else made.random_diagram(np.random.default_rng(seed), layers=9)
    extent, spaces = extents(up)
    placed = place(diagram, extent, **spaces)
    boxes = [(*item.centre, *item.half) for item in placed.items]
    for k, (d, c, along, across) in enumerate(boxes):
        for e, f, more, wider in boxes[:k]:
            assert abs(d - e) >= along + more - 1e-6 or abs(c - f) >= across + wider - 1e-6
    for wire in placed.wires:
        depths = [depth for depth, _ in wire.points]
        assert all(a < b for a, b in itertools.pairwise(depths))
    assert all(0 <= item.centre[1] <= placed.size[1] for item in placed.items)


def test_states_stand_right_before_their_first_use() -> None:
    diagram = Diagram.from_dag("a -> b -> c -> d; e -> d")
    extent, spaces = extents(True)
    level = {item.label: item.level for item in place(diagram, extent, **spaces).items if item.kind == "box"}
    assert level["e"] == level["c"] > level["b"] > level["a"]


def test_planar_diagrams_are_drawn_without_crossings() -> None:
    for diagram in (FRONT_DOOR, FRONT_DOOR.cut("S"), comb("S -> T -> C; S <-> C", "S").diagram(cut=True)):
        assert "┼" not in diagram.draw("unicode")


def test_the_text_drawing_is_what_it_should_be() -> None:
    expected = """
S   T     C
│   │     │
│   │ ┌───┴───┐
│   │ │   C   │ ⊤
│   │ └─┬───┬─┘ │
│   ├───┘   │   │
│   │       ├───┘
│   ●       ●
│   │       │
│ ┌─┴─┐  ┌──┴──┐
│ │ T │  │ S~C │
│ └─┬─┘  └─────┘
├───┘
●
│
⊥
"""
    assert FRONT_DOOR.cut("S").draw("unicode") == expected.strip("\n")
    assert Diagram.swap("A", "B").draw("unicode").splitlines() == [
        "B   A",
        "│   └─┐",
        "└───┐ │",
        "┌───┼─┘",
        "A   B",
    ]


SIDES = {letter: k for k, letter in enumerate(" ╵╷│╴┘┐┤╶└┌├─┴┬┼")} | dict.fromkeys("●⊤⊥", 0)


@pytest.mark.parametrize("seed", range(25))
def test_lines_of_a_text_drawing_end_nowhere(seed: int, made) -> None:
    """Every line goes on into the next cell, be it a line, a sign or a name."""
    diagram = made.random_diagram(np.random.default_rng(seed), layers=8, dom=Ty("A", "B", "C"))
    rows = diagram.draw("unicode").splitlines()
    grid = {(r, c): letter for r, row in enumerate(rows) for c, letter in enumerate(row) if letter != " "}
    for (r, c), letter in grid.items():
        for bit, (down, right), back in ((1, (-1, 0), 2), (2, (1, 0), 1), (4, (0, -1), 8), (8, (0, 1), 4)):
            if SIDES.get(letter, 0) & bit:
                other = grid.get((r + down, c + right))
                assert other is not None, f"row {r}, column {c} leads nowhere\n" + "\n".join(rows)
                assert other not in SIDES or other in "●⊤⊥" or SIDES[other] & back


@pytest.mark.parametrize("direction", ["up", "right"])
def test_matplotlib_gets_every_part(direction: str, tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3, 4))
    ax = FRONT_DOOR.cut("S").plot(figure.add_subplot(), mark="S", direction=direction)
    shapes = [type(patch).__name__ for patch in ax.patches]
    assert shapes.count("Circle") == 3 and shapes.count("PathPatch") == 10 + 3, (
        "ten wires, three of them shaded"
    )
    assert len(ax.lines) == 6, "two grounds of three bars"
    assert sorted(text.get_text() for text in ax.texts) == ["C", "C", "S", "S", "S~C", "T", "T"]
    figure.savefig(tmp_path / "diagram.png")
    assert (tmp_path / "diagram.png").read_bytes().startswith(b"\x89PNG")


def test_tikz_has_every_part() -> None:
    text = FRONT_DOOR.cut("S").draw("tikz", mark="S", direction="right")
    assert text.count(r"\node[sd box") == 3 and text.count(r"\node[sd dot") == 3
    assert text.count(r"\node[sd name") == 3 and text.count(",solid]") == 2
    assert text.startswith(r"\begin{tikzpicture}[") and text.endswith("\\end{tikzpicture}\n")
    assert text.count("{") == text.count("}") and r"S\textasciitilde{}C" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX here")
def test_tikz_is_accepted_by_latex(tmp_path: Path) -> None:
    text = "\\documentclass[tikz]{standalone}\\begin{document}" + FRONT_DOOR.draw("tikz") + "\\end{document}"
    (tmp_path / "d.tex").write_text(text)
    subprocess.run(["pdflatex", "-halt-on-error", "d.tex"], cwd=tmp_path, check=True, capture_output=True)


@pytest.mark.parametrize("options", [{"direction": "left"}, {"names": "some"}])
def test_unknown_options_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(GraphError, match="expected one of") as caught:
        FRONT_DOOR.draw(**options)
    assert caught.value.code == "bad-kind"


def test_what_no_one_could_read_is_refused() -> None:
    chain = Diagram.from_dag(" -> ".join(f"v{k}" for k in range(120)))
    with pytest.raises(GraphError, match=r"at most 150 generators can be drawn legibly, the diagram has 239"):
        chain.draw()
