"""Crafter-OO beside PyPI crafter 1.8.3: transitions, starts and batches (statement 5 of its specification).

Run ``python -m benchmarks.crafter``; crafter is raced where it is installed. Both worlds take the same random actions
on maps of 64 by 64 tiles in the same process, in turns, and the fastest of five turns counts, in processor time of
one core; batches are timed by the clock. Ours without pictures is compared with the reference without pictures (its
``render`` replaced by nothing), and with pictures of 64 by 64 pixels on both sides. A ratio below one means that
suppose is faster.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from suppose.worlds.crafter import ACTIONS, CrafterBatch, CrafterEnv, advance, initial_state, transition
from suppose.worlds.crafter.generation import generate

Row = dict[str, Any]
TURNS = 5


def fastest(calls: dict[str, Callable[[], Any]], clock: Callable[[], float]) -> dict[str, float]:
    """Shortest time of each call over some turns, the calls taking turns; seconds."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(TURNS):
        for name, call in calls.items():
            start = clock()
            call()
            times[name].append(clock() - start)
    return {name: min(found) for name, found in times.items()}


def peer_world(pictures: bool) -> Any:
    """A world of the reference, with or without its pictures; nothing where it is not installed."""
    if importlib.util.find_spec("crafter") is None:
        return None
    import crafter

    env = crafter.Env(seed=1, length=None)
    if not pictures:
        env._obs = lambda: None
    env.reset()
    return env


def stepping(env: Any, actions: list[int]) -> Callable[[], None]:
    """Steps an environment through the actions; a dead player starts anew."""

    def run() -> None:
        for action in actions:
            _, _, done, *_ = env.step(action)
            if done:
                env.reset()

    return run


def pure(actions: list[int]) -> Callable[[], None]:
    """The pure transition on arrays, each state in memory of its own."""
    world = generate((64, 64), (9, 9), 1)
    numbers = [np.array([action]) for action in actions]

    def run() -> None:
        now = world
        for number in numbers:
            now, _ = advance(now, number)

    return run


def named(actions: list[int]) -> Callable[[], None]:
    """The pure transition on states with names."""
    state = initial_state(seed=1)

    def run() -> None:
        now = state
        for action in actions:
            now, _ = transition(now, action)

    return run


def row(name: str, pieces: int, ours: float, peer: float | None, note: str) -> Row:
    """One line of the table; seconds per transition or start."""
    version = importlib.metadata.version("crafter") if importlib.util.find_spec("crafter") else ""
    return {
        "name": name, "ours_seconds": ours / pieces, "peer_seconds": peer / pieces if peer else None,
        "ratio": ours / peer if peer else None, "peer": "crafter", "peer_version": version,
        "note": f"{pieces / ours:,.0f} per second; {note}",
    }  # fmt: skip


def single(steps: int) -> list[Row]:
    """One world on one core, with and without pictures and names."""
    actions = np.random.default_rng(0).integers(0, len(ACTIONS), steps).tolist()
    rows = []
    peer = peer_world(pictures=False)
    calls: dict[str, Callable[[], Any]] = {"ours": pure(actions), "named": named(actions[: steps // 5])}
    if peer is not None:
        calls["peer"] = stepping(peer, actions)
    found = fastest(calls, time.process_time)
    note = "one core, a new state at every step, no picture"
    rows.append(row("pure transition on arrays, 64 x 64", steps, found["ours"], found.get("peer"), note))
    theirs = found["peer"] / 5 if "peer" in found else None
    note = "one core, states with names in and out"
    rows.append(row("pure transition on named states, 64 x 64", steps // 5, found["named"], theirs, note))
    env = CrafterEnv()
    env.reset(seed=1)

    def drawn() -> None:
        for action in actions[: steps // 5]:
            _, _, dead, _, _ = env.step(action)
            if dead:
                env.reset()

    pictured = peer_world(pictures=True)
    calls = {"ours": drawn}
    if pictured is not None:
        calls["peer"] = stepping(pictured, actions[: steps // 5])
    found = fastest(calls, time.process_time)
    note = "one core, a picture of 64 x 64 pixels at every step"
    rows.append(row("environment with pictures, 64 x 64", steps // 5, found["ours"], found.get("peer"), note))
    return rows


def starts(count: int = 10) -> Row:
    """A new map of 64 by 64 tiles with its creatures."""
    peer = peer_world(pictures=False)
    calls: dict[str, Callable[[], Any]] = {
        "ours": lambda: [generate((64, 64), (9, 9), seed) for seed in range(count)]
    }
    if peer is not None:
        calls["peer"] = lambda: [peer.reset() for _ in range(count)]
    found = fastest(calls, time.process_time)
    return row("reset, 64 x 64", count, found["ours"], found.get("peer"), "one core")


def batches(worlds: int = 256, steps: int = 400) -> list[Row]:
    """Many worlds stepped together on one and on two cores."""
    actions = np.random.default_rng(1).integers(0, len(ACTIONS), (steps, worlds))
    rows = []
    for restart in (False, True):
        for jobs in (1, 2):
            with CrafterBatch(worlds, seed=1, jobs=jobs, restart=restart) as batch:

                def run(batch: CrafterBatch = batch) -> None:
                    for chosen in actions:
                        batch.step(chosen)

                found = fastest({"ours": run}, time.perf_counter)
            dead = "dead players start on a new map" if restart else "no new maps"
            label = f"batch on {'one core' if jobs == 1 else '2 cores'}, 64 x 64, {dead}"
            rows.append(row(label, steps * worlds, found["ours"], None, f"{worlds} worlds, by the clock"))
    return rows


def main(steps: int = 4_000) -> list[Row]:
    """The whole table."""
    named([0])()  # compiled before anything is timed
    return [*single(steps), starts(), *batches()]


if __name__ == "__main__":
    for line in main():
        ratio = "" if line["ratio"] is None else f"{line['ratio']:.3g}"
        print(f"{line['name']:<75} {ratio:>8}  {line['note']}")
