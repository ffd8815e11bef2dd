"""The run folder: whole files or none, resume, locks, and refusals."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from suppose.core.errors import RunError
from suppose.core.run import MemoryRun, RunFolder, decode_result, encode_result, write_atomic


def test_write_atomic_replaces_whole_files(tmp_path):
    path = tmp_path / "answer.json"
    write_atomic(path, "one")
    write_atomic(path, "two")
    assert path.read_text() == "two"
    assert [item.name for item in tmp_path.iterdir()] == ["answer.json"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "disk .* is full"),
        (errno.EROFS, "cannot be written"),
        (errno.EIO, "could not be written"),
    ],
)
def test_failed_write_keeps_the_old_file_and_says_why(tmp_path, monkeypatch, code, words):
    path = tmp_path / "answer.json"
    write_atomic(path, "old")

    def broken(_handle):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(RunError, match=words):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["answer.json"]


def test_full_disk_is_said_in_words(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    folder = RunFolder(tmp_path / "run", "key").open("")
    (folder.path / "journal.jsonl").unlink()
    (folder.path / "journal.jsonl").symlink_to("/dev/full")
    with folder, pytest.raises(RunError, match="disk .* is full"):
        folder.log("step")


@given(
    hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, min_side=0)), st.text(), st.floats(allow_nan=False)
)
def test_results_come_back_bit_for_bit(array, text, number):
    back = decode_result(encode_result({"array": array, "text": text, "number": number}))
    assert back["array"].tobytes() == array.tobytes()
    assert back["array"].shape == array.shape
    assert (back["text"], back["number"]) == (text, number)


def test_objects_are_refused():
    with pytest.raises(TypeError, match="holds Python objects"):
        encode_result({"x": np.array([object()])})


def test_memory_run_computes():
    assert MemoryRun().step("a", lambda: {"x": 1})["x"] == 1


def test_finished_steps_are_not_computed_again(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return {"x": np.arange(3.0)}

    with RunFolder(tmp_path / "run", "key").open("q") as folder:
        first = folder.step("fit", compute)
    with RunFolder(tmp_path / "run", "key").open("q", resume=True) as folder:
        again = folder.step("fit", compute)
    assert len(calls) == 1
    assert np.array_equal(first["x"], again["x"])


def test_a_damaged_checkpoint_is_computed_again(tmp_path):
    with RunFolder(tmp_path / "run", "key").open("q") as folder:
        folder.step("fit", lambda: {"x": 1})
    path = next((tmp_path / "run" / "checkpoints").iterdir())
    path.write_bytes(path.read_bytes()[:-7])
    with RunFolder(tmp_path / "run", "key").open("q", resume=True) as folder:
        assert folder.step("fit", lambda: {"x": 2})["x"] == 2


def test_a_torn_journal_line_is_passed_over(tmp_path):
    with RunFolder(tmp_path / "run", "key").open("q") as folder:
        folder.step("fit", lambda: {"x": 1})
    with (tmp_path / "run" / "journal.jsonl").open("a") as file:
        file.write('{"event": "st')
    with RunFolder(tmp_path / "run", "key").open("q", resume=True) as folder:
        assert folder.step("fit", lambda: {"x": 2})["x"] == 1
        folder.step("next", lambda: {"x": 3})
        assert [event["event"] for event in folder.events()] == ["started", "step", "step"]


def test_two_writers_are_refused(tmp_path):
    with (
        RunFolder(tmp_path / "run", "key").open("q"),
        pytest.raises(RunError, match="another process is writing"),
    ):
        RunFolder(tmp_path / "run", "key").open("q", resume=True)


def test_an_existing_run_is_not_overwritten_unasked(tmp_path):
    with RunFolder(tmp_path / "run", "key").open("q") as folder:
        folder.step("fit", lambda: {"x": 1})
    with pytest.raises(RunError, match="unfinished run.*--resume"):
        RunFolder(tmp_path / "run", "key").open("q")
    with RunFolder(tmp_path / "run", "key").open("q", overwrite=True) as folder:
        assert folder.step("fit", lambda: {"x": 2})["x"] == 2


def test_another_study_is_not_resumed(tmp_path):
    RunFolder(tmp_path / "run", "key").open("q").close()
    with pytest.raises(RunError, match="another study"):
        RunFolder(tmp_path / "run", "other").open("q", resume=True)


def test_foreign_files_are_left_alone(tmp_path):
    (tmp_path / "holiday.jpg").write_text("x")
    with pytest.raises(RunError, match="another origin"):
        RunFolder(tmp_path, "key").open("q")
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(RunError, match="a file of that name"):
        RunFolder(file, "key").open("q")


def test_leftovers_of_a_kill_are_removed(tmp_path):
    RunFolder(tmp_path / "run", "key").open("q").close()
    part = tmp_path / "run" / ".answer.json.abc.part"
    part.write_text("half")
    RunFolder(tmp_path / "run", "key").open("q", resume=True).close()
    assert not part.exists()


def test_finish_drops_checkpoints(tmp_path):
    with RunFolder(tmp_path / "run", "key").open("q") as folder:
        folder.step("fit", lambda: {"x": 1})
        folder.finish()
        assert folder.finished
    assert not (tmp_path / "run" / "checkpoints").exists()
    lines = (tmp_path / "run" / "journal.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["started", "step", "finished"]
