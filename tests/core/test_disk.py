"""Full disks, file limits and read-only folders, as the system makes them: one clear refusal, nothing lost.

The disk is a small one in memory where this user may mount it; a device that is always full and a limit on the
size of files stand in for it everywhere. Root passes over permissions, so the read-only folder is tried by a
process that has given that right up, which leaves it what any owner of a file may do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from suppose.core.run import RunFolder, write_atomic

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX files and limits")

STUDY = """
question = "effect"
[data]
shipped = "jobs/experiment"
[roles]
treatment = "treat"
outcome = "re78"
adjust = ["age", "re75"]
[checks]
refute = []
benchmarks = []
heterogeneity = false
[method]
compare = false
[run]
seed = 1
"""
# Runs the command line under a limit or as another user, then says what came of it.
ORDINARY = """
import ctypes, os, sys
if os.getuid() == 0:
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (1, 2):  # passing over the bits for writing and for reading
        if libc.prctl(24, capability, 0, 0, 0):
            sys.exit(77)
os.execv(sys.executable, [sys.executable, "-m", "suppose.cli", *sys.argv[1:]])
"""
LIMITED = """
import resource, signal, sys, runpy
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.argv = ["suppose", *sys.argv[2:]]
runpy.run_module("suppose.cli", run_name="__main__")
"""


def suppose(*arguments, script=None, cwd):
    code = ["-m", "suppose.cli"] if script is None else ["-c", script]
    environment = {**os.environ, "MPLCONFIGDIR": str(cwd), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *code, *map(str, arguments)], cwd=cwd, env=environment, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip


def as_ordinary_user(*arguments, cwd):
    """The command line without root's right to pass over permissions."""
    done = suppose(*arguments, script=ORDINARY, cwd=cwd)
    if done.returncode == 77:
        pytest.skip("this root may not give up its right to pass over permissions")
    return done


def refused(done, code, words):
    """One refusal, as text for people and as JSON for programs, without a traceback."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["refused"]["code"] == code, done.stdout
    assert words in done.stdout
    return True


def whole(folder):
    """Nothing half-written is left: every file of the run reads."""
    assert not list(folder.rglob("*.part"))
    for path in folder.rglob("*.json"):
        json.loads(path.read_text())
    for path in folder.rglob("*.svg"):
        assert path.read_text().rstrip().endswith("</svg>")


def bits(path):
    answer = json.loads(path.read_text())
    answer["provenance"]["timing"] = None
    return answer


@contextmanager
def small_disk(folder, size):
    """A disk of ``size`` bytes in memory; skips where it may not be mounted."""
    folder.mkdir()
    options = f"size={size},mode=777"
    try:
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True
        )
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if made.returncode:
        pytest.skip(f"a small disk may not be mounted here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The answer of the same study with all the room it wants, and the bytes it took."""
    folder = tmp_path_factory.mktemp("reference")
    (folder / "s.toml").write_text(STUDY)
    done = suppose("run", "s.toml", "--out", "run", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return bits(folder / "run" / "answer.json")


@pytest.mark.parametrize(
    "kilobytes", [40, *(pytest.param(size, marks=pytest.mark.slow) for size in (4, 120, 200))]
)
def test_a_disk_that_runs_full_loses_nothing(tmp_path, reference, kilobytes):
    (tmp_path / "s.toml").write_text(STUDY)
    with small_disk(tmp_path / "disk", 4_000_000) as disk:
        filler = disk / "filler"
        with filler.open("wb") as file:
            file.write(b"\0" * (4_000_000 // 4096 * 4096 - kilobytes * 1024))
        run = ("run", "s.toml", "--out", disk / "run", "--json", "--resume")
        assert refused(suppose(*run, cwd=tmp_path), "disk-full", "Free some space")
        whole(disk)
        filler.unlink()
        done = suppose(*run, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert bits(disk / "run" / "answer.json") == reference


@pytest.mark.parametrize(
    "limit", [2_000, *(pytest.param(size, marks=pytest.mark.slow) for size in (0, 20_000))]
)
def test_a_limit_on_the_size_of_files_is_refused_and_resumed(tmp_path, reference, limit):
    (tmp_path / "s.toml").write_text(STUDY)
    run = ("run", "s.toml", "--out", "run", "--json", "--resume")
    done = suppose(limit, *run, script=LIMITED, cwd=tmp_path)
    assert refused(done, "write-failed", "File too large")
    whole(tmp_path / "run")
    assert suppose(*run, cwd=tmp_path).returncode == 0
    assert bits(tmp_path / "run" / "answer.json") == reference


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_device_that_is_always_full(tmp_path):
    folder = tmp_path / "run"
    with RunFolder(folder, "key").open("study") as run:
        run.step("fit", lambda: {"x": 1})
        written = (folder / "journal.jsonl").read_text()
        (folder / "journal.jsonl").rename(folder / "kept")
        (folder / "journal.jsonl").symlink_to("/dev/full")
        with pytest.raises(ValueError, match="disk .* is full; nothing half-written") as caught:
            run.step("next", lambda: {"x": 2})
    assert caught.value.code == "disk-full"
    (folder / "journal.jsonl").unlink()
    (folder / "kept").rename(folder / "journal.jsonl")
    assert (folder / "journal.jsonl").read_text() == written
    with RunFolder(folder, "key").open("study", resume=True) as run:
        assert run.step("fit", lambda: {"x": 9})["x"] == 1
        assert run.step("next", lambda: {"x": 2})["x"] == 2


@pytest.fixture
def locked(tmp_path):
    """A folder that may be looked into but not written to."""
    (tmp_path / "s.toml").write_text(STUDY)
    tmp_path.chmod(0o555)
    yield tmp_path
    tmp_path.chmod(0o755)


def test_a_read_only_folder_is_refused(locked):
    done = as_ordinary_user("run", "s.toml", "--out", "run", "--json", cwd=locked)
    assert refused(done, "folder-not-writable", "Choose a folder of your own")
    assert sorted(item.name for item in locked.iterdir()) == ["s.toml"]


def test_a_run_folder_made_read_only_keeps_its_files(tmp_path, reference):
    (tmp_path / "s.toml").write_text(STUDY)
    assert suppose("run", "s.toml", "--out", "run", cwd=tmp_path).returncode == 0
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    for path in [tmp_path, tmp_path / "run", *(tmp_path / "run").rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    done = as_ordinary_user("run", "s.toml", "--out", "run", "--json", "--overwrite", cwd=tmp_path)
    for path in [tmp_path, tmp_path / "run", *(tmp_path / "run").rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert refused(done, "folder-not-writable", "Permission denied")
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before
    assert bits(tmp_path / "run" / "answer.json") == reference


def test_an_unreadable_study_is_said(locked):
    locked.chmod(0o755)
    (locked / "s.toml").chmod(0o000)
    locked.chmod(0o555)
    done = as_ordinary_user("run", "s.toml", "--json", cwd=locked)
    assert refused(done, "unreadable-study", "Check its permissions")


def test_write_atomic_into_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "a").write_text("x")
    with pytest.raises(ValueError, match="could not be written"):
        write_atomic(tmp_path / "a" / "b.json", "{}")
    assert (tmp_path / "a").read_text() == "x"
