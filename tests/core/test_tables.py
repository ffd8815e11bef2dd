"""Tables: every format reads alike, and every malformation is refused by name."""

from __future__ import annotations

import gzip
import os
import sys

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from suppose.core import tables
from suppose.core.errors import DataError, StudyError
from suppose.core.tables import frame_digest, frame_of, path_inside, read_table, require_columns

FRAME = pd.DataFrame({"age": [31.0, None, 25.0], "town": ["Bern", "Basel", None], "ok": [True, False, True]})


def write_all(folder):
    FRAME.to_csv(folder / "a.csv", index=False)
    FRAME.to_csv(folder / "a.tsv", index=False, sep="\t")
    FRAME.to_csv(folder / "a.csv.gz", index=False)
    parquet.write_table(pa.Table.from_pandas(FRAME), folder / "a.parquet")
    feather.write_feather(pa.Table.from_pandas(FRAME), folder / "a.feather")
    FRAME.to_json(folder / "a.jsonl", orient="records", lines=True)


def test_every_format_reads_alike(tmp_path):
    write_all(tmp_path)
    digests = {path.name: frame_digest(read_table(path)) for path in tmp_path.iterdir()}
    assert len(digests) == 6
    assert len(set(digests.values())) == 1, digests


def test_every_frame_library_has_the_same_digest():
    frames = [FRAME, pl.from_pandas(FRAME), pa.Table.from_pandas(FRAME)]
    assert len({frame_digest(frame_of(frame)) for frame in frames}) == 1


def test_only_the_wanted_columns_are_read(tmp_path):
    write_all(tmp_path)
    for path in tmp_path.iterdir():
        assert sorted(read_table(path, columns=["ok", "age", "nowhere"]).columns) == ["age", "ok"]


def test_stata_and_spss_bring_the_words_of_their_values(tmp_path):
    import pyreadstat

    frame = pd.DataFrame(
        {"mode": pd.Categorical(["web", "visit", "web"], ["visit", "web"]), "score": [1.5, 2.0, None]}
    )
    frame.to_stata(tmp_path / "a.dta", write_index=False)
    coded = frame.assign(mode=[1.0, 0.0, 1.0])
    labels = {"mode": {0.0: "visit", 1.0: "web"}}
    pyreadstat.write_sav(coded, str(tmp_path / "a.sav"), variable_value_labels=labels)
    for name in ("a.dta", "a.sav"):
        table = read_table(tmp_path / name)
        assert table["mode"].to_list() == ["web", "visit", "web"]
        assert table["score"].to_list()[:2] == [1.5, 2.0] and table["score"].is_null().to_list()[2]
        assert read_table(tmp_path / name, columns=["score", "nowhere"]).columns == ["score"]


def test_spss_without_its_reader_is_refused_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    (tmp_path / "a.sav").write_bytes(b"$FL2")
    with pytest.raises(
        DataError, match="reading SPSS files needs the package pyreadstat. pip install pyreadstat"
    ):
        read_table(tmp_path / "a.sav")


MALFORMED = {
    "empty.csv": (b"", "the file is empty"),
    "header.csv": (b"a,b\n", "no rows"),
    "twice.csv": (b"a,b,a\n1,2,3\n", "columns 1 and 3 are both called 'a'"),
    "nameless.csv": (b"a,,c\n1,2,3\n", "column 2 has no name"),
    "ragged.csv": (b"a,b\n1,2,3\n", "Expected 2 columns, got 3"),
    "latin.csv": ("a,b\né,2\n".encode("latin-1"), "not utf-8 text at byte 4"),
    "torn.parquet": (b"PAR1garbage", "cannot be read as parquet"),
    "torn.feather": (b"ARROW1garbage", "cannot be read as feather"),
    "torn.dta": (b"garbage" * 9, "cannot be read as stata"),
    "torn.sav": (b"garbage" * 9, "cannot be read as spss"),
    "torn.jsonl": (b'{"a":1}\n{"a":\n', "cannot be read as jsonl"),
    "torn.csv.gz": (gzip.compress(b"a,b\n1,2\n" * 99)[:-9], "cannot be read as csv"),
    "table.xlsx": (b"PK", "expected a file ending in .csv"),
    "quote.csv": (b'a,b\n"unclosed,1\n', "cannot be read as csv"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_files_are_refused(tmp_path, name):
    content, words = MALFORMED[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_table(tmp_path / name)


def test_other_encodings_can_be_named(tmp_path):
    (tmp_path / "a.csv").write_bytes("naïve,b\né,2\n".encode("latin-1"))
    assert read_table(tmp_path / "a.csv", encoding="latin-1").columns == ["naïve", "b"]
    with pytest.raises(DataError, match="no encoding called 'nope'"):
        read_table(tmp_path / "a.csv", encoding="nope")


def test_a_far_too_large_table_is_refused_before_reading(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_bytes(b"a,b\n" + b"1,2\n" * 1000)
    monkeypatch.setattr(tables, "available_memory", lambda: 5000)
    with pytest.raises(DataError, match=r"needs about 0.0 GB, this machine has"):
        read_table(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../a.csv", "leads outside"),
        ("/etc/passwd", "leads outside"),
        ("a.cvs", "Did you mean 'a.csv'"),
        ("a\0.csv", "name of a file"),
        ("x" * 10_000, "name of a file"),
        (".", "is a folder"),
        ("pipe.csv", "not a regular file"),
        ("link.csv", "leads outside"),
        ("loop.csv", "no file|cannot be followed"),
    ],
)
def test_wild_paths_are_refused(tmp_path, name, words):
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (home / "a.csv").write_text("a\n1\n")
    os.mkfifo(home / "pipe.csv")
    (home / "link.csv").symlink_to(tmp_path / "secret.csv")
    (home / "loop.csv").symlink_to(home / "loop.csv")
    with pytest.raises(StudyError, match=words):
        path_inside(name, home)


def test_a_link_inside_the_folder_is_followed(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    assert path_inside("b.csv", tmp_path).name == "a.csv"


def test_frames_are_checked():
    with pytest.raises(DataError, match="expected a pandas, polars or pyarrow table, got list"):
        frame_of([1, 2])
    with pytest.raises(DataError, match="is called 'a'|both called"):
        frame_of(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(DataError, match="no rows"):
        frame_of(pd.DataFrame({"a": []}))
    with pytest.raises(DataError, match="Did you mean 'age'"):
        require_columns(FRAME.columns.tolist(), ["agee"], "adjust")
