"""The command line: exit status, JSON and nothing else, refusals without a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

QUICK = ["--set", "checks.refute=[]", "--set", "checks.heterogeneity=false", "--set", "checks.benchmarks=[]"]
ADJUST = "age,educ,black,hisp,marr,nodegree,re74,re75"
EFFECT = [
    "effect",
    "jobs/experiment",
    "--treatment",
    "treat",
    "--outcome",
    "re78",
    "--adjust",
    ADJUST,
    *QUICK,
]


def suppose(*arguments, cwd, **options):
    command = [sys.executable, "-m", "suppose.cli", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, **options)


def test_the_short_way_answers_and_writes_a_report(tmp_path):
    done = suppose(*EFFECT, "--unit", "dollars", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "dollars" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    folder = tmp_path / "experiment.run"
    assert {"answer.json", "report.html", "study.toml", "tables", "figures"} <= {
        f.name for f in folder.iterdir()
    }
    again = suppose("report", str(folder), "--json", cwd=tmp_path)
    assert json.loads(again.stdout) == json.loads((folder / "answer.json").read_text())
    study = suppose("run", str(folder / "study.toml"), "--json", "--out", "again.run", cwd=tmp_path)
    one, two = json.loads(study.stdout), json.loads((folder / "answer.json").read_text())
    one["provenance"]["timing"] = two["provenance"]["timing"] = None
    assert one == two


def test_json_is_one_document(tmp_path):
    done = suppose(*EFFECT, "--json", cwd=tmp_path)
    answer = json.loads(done.stdout)
    assert answer["schema"] == "suppose.answer/1"
    assert done.stderr == ""


def test_write_saves_the_study(tmp_path):
    done = suppose(*EFFECT, "--write", "study.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'question = "effect"' in (tmp_path / "study.toml").read_text()
    assert suppose("check", "study.toml", cwd=tmp_path).returncode == 0
    refused = suppose(*EFFECT, "--write", "study.toml", cwd=tmp_path)
    assert refused.returncode == 2
    assert "does not overwrite" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "nowhere.toml"], "no such study file"),
        (["check", "nowhere.toml"], "no such study file"),
        (
            ["effect", "jobs/experimnt", "--treatment", "a", "--outcome", "b"],
            "Did you mean 'jobs/experiment'",
        ),
        (
            ["effect", "jobs/experiment", "--treatment", "trat", "--outcome", "re78", "--adjust", "age"],
            "'treat'",
        ),
        (["report", "nowhere"], "no finished run"),
        (["reproduce", "lalond"], "Did you mean 'lalonde'"),
        (["reproduce"], "expected one slug"),
        ([*EFFECT, "--seed", "-4"], "whole number"),
        ([*EFFECT, "--jobs", "0"], "got 0"),
        ([*EFFECT, "--backend", "rey"], "loky, threading, dask, ray"),
        ([*EFFECT, "--out", "/proc/nowhere"], "run folder|file '/proc"),
    ],
)
def test_refusals_have_no_traceback(tmp_path, arguments, words):
    import re

    done = suppose(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert re.search(words, done.stderr), done.stderr
    as_json = suppose(*arguments, "--json", cwd=tmp_path)
    document = json.loads(as_json.stdout)
    assert as_json.returncode == 2
    assert document.get("refused") or document.get("problems")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "s.toml", "--sed", "3"], "--sed"),
        (["run"], "study|STUDY"),
        (["run", "s.toml", "--seed", "x"], "--seed"),
        (["ruin"], "No such command"),
    ],
)
def test_a_mistyped_command_is_one_document_too(tmp_path, arguments, words):
    import re

    done = suppose(*arguments, "--json", cwd=tmp_path)
    refused = json.loads(done.stdout)["refused"]
    assert (done.returncode, refused["code"], done.stderr) == (2, "bad-command", "")
    assert re.search(words, refused["problem"])
    plain = suppose(*arguments, cwd=tmp_path)
    assert (plain.returncode, plain.stdout) == (2, "")
    assert "--help" in plain.stderr


@pytest.mark.parametrize("command", ["list", "check", "report", "effect", "run", "reproduce"])
def test_help_and_lists_fit_a_terminal(tmp_path, command):
    done = suppose(command, "--help", cwd=tmp_path, env={**os.environ, "COLUMNS": "100"})
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_list_names_all_systems(tmp_path):
    systems = json.loads(suppose("list", "--json", cwd=tmp_path).stdout)["systems"]
    assert len(systems) == 38
    listed = suppose("list", cwd=tmp_path)
    assert listed.returncode == 0
    assert max(map(len, listed.stdout.splitlines())) <= 100


def test_starting_is_cheap(tmp_path):
    code = "import sys, suppose; print(sorted({'torch', 'pandas', 'matplotlib', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
    code = "import sys, suppose.cli; print(sorted({'torch', 'pandas', 'matplotlib', 'sklearn'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
