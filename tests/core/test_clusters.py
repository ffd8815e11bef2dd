"""Runs spread over a real dask and a real ray cluster give the bits of one process.

Needs the packages of the extra ``cluster``; skipped without them. Clusters are started on this machine,
by suppose itself and by hand with an address, as a user would.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from suppose.core.errors import StudyError
from suppose.core.parallel import CLUSTERS, _answers, check_backend

STUDY = """
question = "effect"
[data]
shipped = "jobs/experiment"
[roles]
treatment = "treat"
outcome = "re78"
adjust = ["age", "educ", "re74", "re75"]
[checks]
draws = 6
benchmarks = []
heterogeneity = false
[run]
seed = 1
"""
PACKAGES = {"dask": "distributed", "ray": "ray"}
BIN = Path(sys.executable).parent


def needs(backend):
    if importlib.util.find_spec(PACKAGES[backend]) is None:
        pytest.skip(f"{PACKAGES[backend]} is not installed: pip install 'suppose[cluster]'")


def run(folder, *flags, **environment):
    (folder / "s.toml").write_text(STUDY)
    command = [sys.executable, "-m", "suppose.cli", "run", "s.toml", "--json", "--overwrite", *flags]
    clean = {key: value for key, value in os.environ.items() if key not in CLUSTERS.values()}
    return subprocess.run(
        command, cwd=folder, env={**clean, **environment}, capture_output=True, text=True, timeout=300
    )


def bits(done):
    assert done.returncode in (0, 1), done.stderr
    answer = json.loads(done.stdout)
    answer["provenance"]["timing"] = None
    return answer


def free_port():
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return asking.getsockname()[1]


@contextmanager
def dask_cluster(folder):
    address = f"tcp://127.0.0.1:{free_port()}"
    quiet = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = [
        BIN / "dask",
        "scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        address.rpartition(":")[2],
        "--no-dashboard",
    ]
    worker = [BIN / "dask", "worker", address, "--nworkers", "2", "--nthreads", "1", "--no-dashboard"]
    started = [subprocess.Popen(command, **quiet) for command in (scheduler, worker)]
    try:
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)


# Ray asks whoever connects for a token; the clusters of these tests have one of their own.
RAY = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


@contextmanager
def ray_cluster(folder):
    port = free_port()
    address = f"127.0.0.1:{port}"
    start = [BIN / "ray", "start", "--head", "--node-ip-address=127.0.0.1", f"--port={port}", "--num-cpus=2"]
    head = subprocess.Popen(
        [*start, "--include-dashboard=false", "--block"], cwd=folder, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={**os.environ, **RAY},
    )  # fmt: skip
    try:
        yield address
    finally:
        head.terminate()
        head.wait(60)


def wait_for(address):
    deadline = time.monotonic() + 60
    while not _answers(address):
        assert time.monotonic() < deadline, "the cluster did not start"
        time.sleep(0.5)


@pytest.mark.slow
@pytest.mark.parametrize("backend", CLUSTERS)
def test_a_cluster_started_here_gives_the_same_bits(tmp_path, backend):
    needs(backend)
    alone = bits(run(tmp_path, "--out", "alone"))
    spread = run(tmp_path, "--out", "spread", "--backend", backend, "--jobs", "2")
    assert bits(spread) == alone


@pytest.mark.slow
@pytest.mark.parametrize("backend", CLUSTERS)
def test_a_named_cluster_gives_the_same_bits(tmp_path, backend):
    needs(backend)
    if shutil.which(backend, path=str(BIN)) is None:
        pytest.skip(f"the command {backend!r} is not beside this Python")
    alone = bits(run(tmp_path, "--out", "alone"))
    with {"dask": dask_cluster, "ray": ray_cluster}[backend](tmp_path) as address:
        wait_for(address)
        environment = {CLUSTERS[backend]: address, **(RAY if backend == "ray" else {})}
        spread = run(tmp_path, "--out", "spread", "--backend", backend, **environment)
    assert bits(spread) == alone


@pytest.mark.parametrize("backend", CLUSTERS)
def test_a_missing_package_or_a_silent_address_is_said(monkeypatch, backend):
    address = f"{'tcp://' if backend == 'dask' else ''}127.0.0.1:{free_port()}"
    monkeypatch.setenv(CLUSTERS[backend], address)
    monkeypatch.setattr("suppose.core.parallel.SECONDS_TO_ANSWER", 2)
    installed = importlib.util.find_spec(PACKAGES[backend]) is not None
    words = f"no {backend} cluster answers at {address}" if installed else "pip install 'suppose"
    with pytest.raises(StudyError, match=words) as caught:
        check_backend(backend)
    assert caught.value.code == ("no-cluster" if installed else "missing-backend")


def test_addresses_are_asked_before_ray_is():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        assert _answers(f"127.0.0.1:{listening.getsockname()[1]}")
    assert not _answers(f"ray://127.0.0.1:{free_port()}")
    assert _answers("auto")
