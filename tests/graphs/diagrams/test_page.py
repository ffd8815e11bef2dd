"""The how-to page runs, and shows the drawings that the code makes."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from suppose.graphs import DAG
from suppose.graphs.diagrams import Diagram, comb, panels

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "diagrams.rst"

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not beside the tests")


def test_the_how_to_page_runs() -> None:
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags, encoding="utf-8")
    assert result.attempted > 15 and result.failed == 0


def test_its_drawings_are_those_of_the_code() -> None:
    world, found = Diagram.from_dag(DAG("S -> T -> C; S <-> C")), comb("S -> T -> C; S <-> C", "S")
    page = PAGE.read_text(encoding="utf-8")
    for shown in (
        {"before": world, "after": world.cut("S")},
        {"as observed": found.diagram(), "after surgery": found.diagram(cut=True)},
    ):
        assert panels(shown, mark="S").replace("\n", "") in page
