from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from suppose.core.answer import Figure, Table
from suppose.core.errors import DataError, RunError
from suppose.report import write, write_figures, write_tables
from suppose.report.files import table_csv


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_holds_the_page_the_tables_and_the_figures(answer, tmp_path):
    assert write(answer, tmp_path) == tmp_path / "report.html"
    assert sorted(contents(tmp_path)) == [
        "figures/estimates.svg", "figures/love.svg", "figures/propensity.svg",
        "figures/sensitivity_contour.svg", "report.html", "tables/balance.csv", "tables/groups.csv",
        "tables/sensitivity_bounds.csv", "tables/weights.csv",
    ]  # fmt: skip


def test_writing_twice_gives_the_same_bytes(answer, tmp_path):
    write(answer, tmp_path / "a")
    write(answer, tmp_path / "b")
    write(answer, tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_figures_keep_their_hash(answer, tmp_path):
    for figure, path in zip(answer.figures, write_figures(answer, tmp_path), strict=True):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == figure.sha256


def test_a_figure_that_acts_is_written_without_it(answer, tmp_path):
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><path d="M 0 0"/></svg>'
    bad = answer.model_copy(update={"figures": (Figure.of("f", "", "", "", svg),)})
    (path,) = write_figures(bad, tmp_path)
    assert path.read_text() == '<svg xmlns="http://www.w3.org/2000/svg"><path d="M 0 0"/></svg>\n'


def test_tables_read_back_as_they_were(answer, tmp_path):
    for table, path in zip(answer.tables, write_tables(answer, tmp_path), strict=True):
        pd.testing.assert_frame_equal(pd.read_csv(path), table.to_frame())


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "－1"])
def test_formulas_in_text_are_quoted(text):
    table = Table(name="t", title="", columns=(text, "n"), rows=((text, -1.5),))
    assert table_csv(table).count("'" + text) == 2


def test_numbers_are_written_whole_and_unquoted():
    table = Table(
        name="t", title="", columns=("a",), rows=((-1.5,), (0.1 + 0.2,), (-3,), (None,), (True,), ("x",))
    )
    assert table_csv(table) == 'a\n-1.5\n0.30000000000000004\n-3\n""\ntrue\nx\n'


def test_names_of_files_stay_in_the_folder(answer, tmp_path):
    names = ("../../x", "/etc/x", "Größe", "grosse", "a" * 300, "con", "", "x\x00y", "X")
    tables = tuple(Table(name=name, title="", columns=("a",), rows=((1,),)) for name in names)
    figures = tuple(Figure.of(name, "", "", "", "<svg/>") for name in names)
    many = answer.model_copy(update={"tables": tables, "figures": figures})
    write(many, tmp_path / "run")
    assert (
        len(contents(tmp_path / "run" / "tables"))
        == len(contents(tmp_path / "run" / "figures"))
        == len(names)
    )
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_broken_figure_leaves_nothing_behind(answer, tmp_path):
    bad = answer.model_copy(update={"figures": (Figure.of("f", "", "", "", "<svg"),)})
    with pytest.raises(DataError, match="expected SVG text"):
        write(bad, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_written_is_refused(answer, tmp_path):
    (tmp_path / "file").write_text("")
    for call in (write, write_tables, write_figures):
        with pytest.raises(RunError):
            call(answer, tmp_path / "file")
