"""Laws found by the inductive synthesizer: how long it takes, how many, how often they are right, what analogies add.

Run ``python -m benchmarks.synthesis``. Three worlds: one life in Crafter-OO, 1,000 random steps of
MiniGrid-DoorKey-6x6, 1,000 hours of a machine's log. *Right* is the share of times, on steps never learned from, at
which an effect of a law that held came out as the law thought most likely. *Exact* is the share of such steps whose
likeliest next state is the true one. The examination is that of OneLife on its 23 scenarios, twice: a guess counts as
the truth where nothing at all differs, as there, and where nothing differs that is worth predicting.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from suppose.core.random import generator
from suppose.datasets import make_maintenance_log
from suppose.datasets.machines import MACHINE_ACTIONS
from suppose.worlds.adapters import open_world
from suppose.worlds.coverage import PairwiseCoverageExplorer
from suppose.worlds.crafter import SCHEMA, CrafterEnv
from suppose.worlds.explore import Step, explore
from suppose.worlds.laws import InductiveSynthesizer, LawWorldModel, Schema
from suppose.worlds.laws.evaluation import evaluate_world_model
from suppose.worlds.laws.foresight import likeliest
from suppose.worlds.laws.law import Law

LIVES = (2, 3, 5)
HELD_OUT = (11, 12, 13)


def crafter(seed: int) -> list[Step]:
    """One life of the exploring player."""
    return list(explore(CrafterEnv(area=(64, 64)), PairwiseCoverageExplorer(), max_steps=2_000, seed=seed))


def doors(seed: int, count: int = 1_000) -> tuple[list[Step], Schema]:
    """Random steps among a key and a door."""
    world, random = open_world("MiniGrid-DoorKey-6x6-v0"), generator(seed, "walk")
    steps: list[Step] = []
    world.env.reset(seed=10_000 * seed)
    state = world.describe(world.env)
    while len(steps) < count:
        number = int(random.integers(len(world.actions)))
        ended = any(world.env.step(number)[2:4])
        steps.append(Step(state, world.actions[number], world.describe(world.env), 0.0, ended))
        if ended:
            world.env.reset(seed=10_000 * seed + len(steps))
        state = world.describe(world.env)
    states = [state for step in steps for state in (step.state, step.next_state)]
    return steps, Schema.from_dicts(states, actions=world.actions, **world.roles)


def machine(seed: int) -> tuple[list[Step], Schema]:
    """The log of a machine."""
    hours = make_maintenance_log(1_000, seed=seed).transitions
    steps = [Step(**hour, reward=0.0, done=False) for hour in hours]
    return steps, Schema.from_dicts([step.next_state for step in steps], actions=MACHINE_ACTIONS)


def right(laws: Sequence[Law], steps: Sequence[Step], schema: Schema) -> tuple[int, int]:
    """Times at which the likeliest outcome of a law that held came, and times in all; one law at a time."""
    hits = total = 0
    for law in laws:
        model = LawWorldModel([law], schema, inference="none").fit(steps[:1])
        for step in steps:
            for observable, distribution in model.distribution(step.state, step.action).items():
                if (
                    observable.object is None
                    and observable.tile is None
                    and observable.path in schema.scalars
                ):
                    value: Any = step.next_state
                    for name in observable.path.split("."):
                        value = value[name]
                    hits += (
                        distribution.mode() == value
                        if callable(distribution.mode)
                        else distribution.mode == value
                    )
                    total += 1
    return hits, total


def exact(model: LawWorldModel, steps: Sequence[Step], schema: Schema) -> tuple[float, float]:
    """Share of steps foreseen exactly, and share on which nothing happened."""
    foreseen = np.mean([likeliest(model, s.state, s.action, schema) == s.next_state for s in steps])
    return float(foreseen), float(np.mean([s.state == s.next_state for s in steps]))


def examined(seed: int, equal: str) -> Any:
    """Scores of one life's laws, with and without analogies, and of PoE-World's inference on the former."""
    life = crafter(seed)
    plain = InductiveSynthesizer(analogies=False).synthesize(life, SCHEMA)
    more = InductiveSynthesizer().synthesize(life, SCHEMA)
    models: dict[str, Any] = {
        "laws": LawWorldModel(plain, SCHEMA, tiles=False).fit(life),
        "laws and analogies": LawWorldModel(more, SCHEMA, tiles=False).fit(life),
        "PoE, same laws": LawWorldModel(plain, SCHEMA, inference="poe", tiles=False).fit(life),
    }
    return evaluate_world_model(models, trials=2, equal=equal)


def main() -> None:
    """Prints the tables."""
    print("world                 steps  laws  seconds  right  exact  still")
    life, fresh = crafter(2), [step for seed in HELD_OUT for step in crafter(seed)]
    worlds = {
        "Crafter-OO, one life": (life, fresh, SCHEMA),
        "DoorKey-6x6": (doors(1)[0], doors(2)[0], doors(1)[1]),
        "machine": (machine(1)[0], machine(2)[0], machine(1)[1]),
    }
    for name, (steps, others, schema) in worlds.items():
        start = time.process_time()
        laws = InductiveSynthesizer(analogies=False).synthesize(steps, schema)
        spent = time.process_time() - start
        hits, total = right(laws, others, schema)
        model = LawWorldModel(laws, schema).fit(steps)
        share, still = exact(model, others, schema) if name != "Crafter-OO, one life" else (np.nan, np.nan)
        print(
            f"{name:20}  {len(steps):5}  {len(laws):4}  {spent:7.2f}  {hits / total:.3f}  {share:.3f}  {still:.3f}"
        )
    for equal in ("state", "observed"):
        for seed in LIVES:
            comparison = examined(seed, equal)
            for variants in ("released", "both", "success"):
                part = comparison.restricted(variants)
                scores = part.to_frame().set_index("model")["mrr"].round(3).to_dict()
                wins = part.wins("laws and analogies", "PoE, same laws")
                print(f"equal in {equal}, life {seed}, {variants}: {scores}, wins over PoE {wins}")


if __name__ == "__main__":
    main()
