"""Equal to PyPI crafter 1.8.3, attribute by attribute: against stored traces, and live where it is installed."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from suppose.worlds.crafter import ACTIONS, WorldState, initial_state, transition

HERE = Path(__file__).parent
SCRIPT = HERE.parents[2] / "scripts" / "record_crafter.py"
TRACES = json.loads((HERE / "traces.json").read_text(encoding="utf-8"))
RUNS = {run["name"]: run for run in TRACES["runs"]}


@cache
def script() -> Any:
    spec = importlib.util.spec_from_file_location("record_crafter", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def started(run: dict[str, Any], seed: int) -> WorldState:
    """The first state of an episode of a run, as the script makes it."""
    state = initial_state(area=tuple(run.get("area", (64, 64))), seed=seed)
    if run.get("busy"):
        for name in script().STOCKED:
            setattr(state.player.inventory, name, 9)
    if run.get("sleepy"):
        state.player.inventory.energy = 3
    return state


def ours(run: dict[str, Any]) -> Iterator[tuple[WorldState, float]]:
    """The states and rewards of a run, ours."""
    seeds = iter(run["seeds"])
    state = started(run, next(seeds))
    yield state, 0.0
    for action in script().actions_of(run):
        state, reward = transition(state, ACTIONS[action])
        yield state, reward
        if state.player.health <= 0:
            state = started(run, next(seeds))
            yield state, 0.0


QUICK = [name for name in RUNS if name.startswith("quick")]
LONG = [name for name in RUNS if name not in QUICK]


def marks_of(run):
    """Chained hashes of our run, and its last state."""
    chain, marks, count = "", [], 0
    for state, reward in ours(run):
        dumped = state.model_dump()
        chain = script().chained(chain, dumped, reward)
        if count % TRACES["every"] == 0:
            marks.append(chain[:16])
        count += 1
    return marks, chain[:16], count, dumped


def check(name):
    run = RUNS[name]
    marks, last_mark, count, dumped = marks_of(run)
    dumped["materials"] = [["".join(cell[:2] for cell in column)] for column in dumped["materials"]]
    assert dumped["materials"] == [[column] for column in run["last"]["materials"]]
    for key, value in run["last"].items():
        if key != "materials":
            assert dumped[key] == value, f"the last states differ in {key}"
    assert count == run["states"]
    assert marks == run["marks"]
    assert last_mark == run["last_mark"]


def test_the_noise_has_the_bits_of_opensimplex():
    from suppose.worlds.crafter.noise import field, noise

    points = script().noise_points()
    for seed, digest in TRACES["noise"].items():
        lattice = field(int(seed))
        assert script().noise_digest([noise(lattice, *map(float, point)) for point in points]) == digest


@pytest.mark.parametrize("name", QUICK)
def test_some_hundred_steps_give_the_states_of_the_reference(name):
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_ten_thousand_steps_give_the_states_of_the_reference(name):
    check(name)


@pytest.mark.peer
@pytest.mark.skipif(importlib.util.find_spec("crafter") is None, reason="needs crafter")
@pytest.mark.parametrize("seed", range(100, 105))
def test_every_attribute_equals_the_reference_live(seed):
    run = {"seed": seed, "steps": 1_000, "busy": seed % 2 == 0, "sleepy": seed == 103}
    steps = list(script().episodes(run))
    run["seeds"] = [first for first, _, _ in steps if first is not None]
    for index, ((state, reward), (_, theirs, their_reward)) in enumerate(zip(ours(run), steps, strict=True)):
        assert state.model_dump() == theirs, f"step {index}"
        assert reward == their_reward, f"step {index}"
