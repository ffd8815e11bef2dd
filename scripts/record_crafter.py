"""Run PyPI crafter 1.8.3 and write down what it did: ``python scripts/record_crafter.py`` (needs crafter alone).

Two changes make it reproducible, and nothing else: creatures that leave are drawn from a list in order of creation
instead of a Python set, and no picture is drawn, since its noise comes from the stream of the world. Every state is
written as the nested dict that ``suppose.worlds.crafter.WorldState`` dumps, and hashed; hashes are chained, so that
one that agrees vouches for all steps before it. The file holds the chain every ``EVERY`` steps and the last state.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

OUT = Path(__file__).parent.parent / "tests" / "worlds" / "crafter" / "traces.json"
EVERY = 100
STOCKED = (
    "sapling",
    "wood",
    "stone",
    "coal",
    "iron",
    "diamond",
    "wood_pickaxe",
    "stone_pickaxe",
    "iron_pickaxe",
)
BUSY = [1, 2, 2, 2, 2, 8, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1]  # weights of the actions in busy runs
RUNS: list[dict[str, Any]] = [
    *({"name": f"random {seed}", "seed": seed, "steps": 10_000} for seed in range(5)),
    {"name": "busy 11", "seed": 11, "steps": 2_000, "busy": True},
    {"name": "busy 12", "seed": 12, "steps": 2_000, "busy": True, "area": [40, 31]},
    {"name": "quick 21", "seed": 21, "steps": 400, "busy": True, "area": [48, 48]},
    {"name": "quick 22", "seed": 22, "steps": 300},
    {"name": "sleeper 31", "seed": 31, "steps": 1_200, "sleepy": True},
]


def actions_of(run: dict[str, Any]) -> list[int]:
    """The actions of a run: uniform, or weighted in busy ones, or mostly sleep."""
    stream = np.random.RandomState(1000 + run["seed"])
    weights = np.array(BUSY if run.get("busy") else [1] * 17, float)
    if run.get("sleepy"):
        weights[6] = 150
    return stream.choice(17, size=run["steps"], p=weights / weights.sum()).tolist()


def chained(before: str, state: dict[str, Any], reward: float) -> str:
    """The hash of a step, given that of the step before."""
    text = json.dumps(state, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{before}|{text}|{float(reward)!r}".encode()).hexdigest()


def patched() -> Any:
    """The package with its objects numbered and its creatures leaving in order."""
    import crafter
    from crafter import engine

    plain_add, plain_balance = engine.World.add, crafter.Env._balance_chunk

    def add(self: Any, thing: Any) -> None:
        thing.number = len(self._objects)
        plain_add(self, thing)

    def balance(self: Any, chunk: Any, things: Any) -> None:
        plain_balance(self, chunk, sorted(things, key=lambda thing: thing.number))

    if not hasattr(engine.World, "numbers_objects"):
        engine.World.numbers_objects = True
        engine.World.add, crafter.Env._balance_chunk = add, balance
        crafter.Env._obs = lambda self: None
    return crafter


def pair(values: Any) -> dict[str, int]:
    """A position or direction."""
    return {"x": int(values[0]), "y": int(values[1])}


def described(thing: Any) -> dict[str, Any]:
    """One object as a nested dict."""
    name = type(thing).__name__.lower()
    found: dict[str, Any] = {
        "entity_id": thing.number, "position": pair(thing.pos), "health": int(thing.health),
        "name": name, "removed": bool(thing.removed),
    }  # fmt: skip
    if name == "zombie":
        found["cooldown"] = int(thing.cooldown)
    if name == "skeleton":
        found["reload"] = int(thing.reload)
    if name == "arrow":
        found["facing"] = pair(thing.facing)
    if name == "plant":
        found |= {"grown": int(thing.grown), "ripe": bool(thing.ripe)}
    if name == "player":
        found |= {
            "facing": pair(thing.facing), "action": thing.action, "sleeping": bool(thing.sleeping),
            "inventory": {key: int(value) for key, value in thing.inventory.items()},
            "achievements": {key: int(value) for key, value in thing.achievements.items()},
            "thirst": float(thing._thirst), "hunger": float(thing._hunger), "fatigue": float(thing._fatigue),
            "recover": float(thing._recover), "last_health": int(thing._last_health),
        }  # fmt: skip
    return found


def exported(env: Any) -> dict[str, Any]:
    """The whole state of the reference implementation."""
    world = env._world
    _, key, position, *_ = world.random.get_state()
    words = base64.b64encode(key.astype("<u4").tobytes()).decode("ascii")
    things = [described(thing) for thing in world.objects]
    return {
        "size": list(world.area), "chunk_size": list(world._chunk_size), "view": [int(side) for side in env._view],
        "daylight": float(world.daylight), "step_count": env._step, "entity_id_counter_state": len(world._objects),
        "random_state": f"{position}:{words}", "event_bus": [],
        "materials": [[world._mat_names[int(cell)] for cell in column] for column in world._mat_map],
        "objects": [thing for thing in things if thing["name"] != "player"],
        "player": next(thing for thing in things if thing["name"] == "player"),
        "chunks": [
            {"key": [int(bound) for bound in key], "objects": sorted(thing.number for thing in inside)}
            for key, inside in world._chunks.items()
        ],
    }  # fmt: skip


def episodes(run: dict[str, Any]) -> Iterator[tuple[int | None, dict[str, Any], float]]:
    """Seed (at starts, else nothing), state and reward, step by step; a death starts the next map."""
    crafter = patched()
    env = crafter.Env(area=tuple(run.get("area", (64, 64))), seed=run["seed"], length=None)

    def start() -> int:
        env.reset()
        if run.get("busy"):
            env._player.inventory.update(dict.fromkeys(STOCKED, 9))
        if run.get("sleepy"):
            env._player.inventory["energy"] = 3
        return hash((run["seed"], env._episode)) % (2**31 - 1)

    yield start(), exported(env), 0.0
    for action in actions_of(run):
        _, reward, done, _ = env.step(action)
        yield None, exported(env), reward
        if done:
            yield start(), exported(env), 0.0


def record(run: dict[str, Any]) -> dict[str, Any]:
    """One run, shortened to its seeds, its chain and its last state."""
    chain, marks, seeds = "", [], []
    state: dict[str, Any] = {}
    for index, (seed, state, reward) in enumerate(episodes(run)):
        chain = chained(chain, state, reward)
        if seed is not None:
            seeds.append(seed)
        if index % EVERY == 0:
            marks.append(chain[:16])
    state["materials"] = ["".join(name[:2] for name in column) for column in state["materials"]]
    return {
        **run,
        "seeds": seeds,
        "states": index + 1,
        "marks": marks,
        "last_mark": chain[:16],
        "last": state,
    }


def noise_points() -> list[tuple[float, float, float]]:
    """Points as maps ask for them, many of them on the boundary of two cells."""
    return [
        (x / size, y / size, z)
        for size in (3, 5, 7, 15)
        for x in range(0, 64, 3)
        for y in range(0, 64, 5)
        for z in range(9)
    ]


def noise_digest(values: list[float]) -> str:
    """Digest of the bits of some numbers."""
    return hashlib.sha256(np.array(values, "<f8").tobytes()).hexdigest()


def record_noise() -> dict[str, str]:
    """By seed, the digest of the noise at all points."""
    import opensimplex

    fields = {seed: opensimplex.OpenSimplex(seed) for seed in (3, 12345, 2**31 - 2)}
    return {
        str(seed): noise_digest([field.noise3(*point) for point in noise_points()])
        for seed, field in fields.items()
    }


def main() -> None:
    """Record every run."""
    found = {
        "crafter": "1.8.3",
        "every": EVERY,
        "noise": record_noise(),
        "runs": [record(run) for run in RUNS],
    }
    OUT.write_text(json.dumps(found), encoding="utf-8")
    sys.stdout.write(f"{OUT}: {OUT.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()
