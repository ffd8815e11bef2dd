"""A run killed at any moment goes on to the same answer; nothing half-written is left."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

STUDY = """
question = "effect"
[data]
shipped = "jobs/experiment"
[roles]
treatment = "treat"
outcome = "re78"
adjust = ["age", "educ", "re74", "re75"]
[checks]
draws = 5
[run]
seed = 1
"""


def start(folder, *flags):
    command = [sys.executable, "-m", "suppose.cli", "run", "s.toml", "--json", "--out", "run", *flags]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def bits(path):
    answer = json.loads(path.read_text())
    answer["provenance"]["timing"] = None
    return json.dumps(answer)


def kill_often(folder, kills, seed):
    """Kill a run at random moments, then let it finish; returns its answer without timings."""
    rng = random.Random(seed)
    folder.mkdir()
    (folder / "s.toml").write_text(STUDY)
    for _ in range(kills):
        process = start(folder, "--resume")
        time.sleep(rng.uniform(0.3, 4.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if (folder / "run" / "answer.json").exists():
            json.loads((folder / "run" / "answer.json").read_text())
    process = start(folder, "--resume")
    output, errors = process.communicate(timeout=120)
    assert process.returncode in (0, 1), errors
    assert not list((folder / "run").rglob("*.part"))
    assert json.loads(output)["schema"] == "suppose.answer/1"
    return bits(folder / "run" / "answer.json")


def check_kills(tmp_path, runs, kills):
    whole = kill_often(tmp_path / "whole", 0, 0)
    for run in range(runs):
        assert kill_often(tmp_path / f"killed{run}", kills, run + 1) == whole


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_killed_runs_resume_to_the_same_bits(tmp_path):
    check_kills(tmp_path, runs=1, kills=3)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_thirty_kills_resume_to_the_same_bits(tmp_path):
    check_kills(tmp_path, runs=10, kills=3)
