"""Weights of laws: how long they take, what becomes of wrong laws, and what laws that never hold cost.

Run ``python -m benchmarks.laws`` (or this file). Laws are Crafter's own rules, each also in softer versions, up to
200, with four wrong ones among them; transitions are 1,000 of several explorers' lives.
"""

from __future__ import annotations

import time

import numpy as np

from suppose.worlds.crafter import SCHEMA, CrafterEnv, crafter_laws
from suppose.worlds.explore import PairwiseCoverageExplorer, Step, explore
from suppose.worlds.laws import Add, Law, LawWorldModel, Set, parse_laws

WRONG = parse_laws("""
law teleport "Waiting takes the player ten tiles away"
when action == "noop" then player.position.x += {10: 1}

law instant_kill "Zombies die where the player is near" each zombie
when dist(it, player) <= 6 then it.health = 0

law self_destruct "Using the hand kills the player"
when action == "do" then player.health = 0

law spurious_health "Walking left heals"
when action == "move_left" then player.health += {1: 1}
""")


def lives(count: int = 1_000) -> list[Step]:
    """So many transitions."""
    steps: list[Step] = []
    seed = 0
    while len(steps) < count:
        world = CrafterEnv(area=(32, 32))
        steps += explore(world, PairwiseCoverageExplorer(), max_steps=300, seed=seed)
        seed += 1
    return steps[:count]


def softer(law: Law, share: float) -> Law:
    """The same law, less sure of itself: part of the probability goes to nothing happening."""
    effects = []
    for effect in law.effects:
        if isinstance(effect, Add):
            chances = dict(effect.support)
            chances = {key: chance * (1 - share) for key, chance in chances.items()}
            chances[0] = chances.get(0, 0.0) + share
            effects.append(Add(effect.path, chances))
        elif isinstance(effect, Set):
            effects.append(effect)
    return Law(f"{law.name}_{share}", law.when, tuple(effects or law.effects), law.each, law.words)


def laws_of(count: int = 200) -> tuple[Law, ...]:
    """So many laws, the wrong ones first."""
    rules = crafter_laws()
    versions = [softer(law, share) for share in (0.1, 0.2) for law in rules]
    return (*WRONG, *rules, *versions)[:count]


def measured(laws: tuple[Law, ...], steps: list[Step]) -> tuple[LawWorldModel, float]:
    """A fitted model and the processor seconds it took."""
    began = time.process_time()
    model = LawWorldModel(laws, SCHEMA).fit(steps)
    return model, time.process_time() - began


def main() -> None:
    """Prints the tables."""
    steps = lives()
    laws = laws_of()
    model, seconds = measured(laws, steps)
    heard = model.active_ > 0
    right = np.median(model.weights_[4:][heard[4:]])
    print(f"{len(laws)} laws on {len(steps):,} transitions: {seconds:.2f} s, {model.iterations_} iterations")
    print(f"median weight of the {heard[4:].sum()} right laws that held: {right:.3f}")
    for law, weight, times in zip(model.laws[:4], model.weights_, model.active_, strict=False):
        print(
            f"  wrong: {law.name}, held {times} times, weight {weight:.4f} ({weight / right:.1%} of the median)"
        )
    alone, _ = measured(crafter_laws(), steps)
    mixed, _ = measured((*WRONG, *crafter_laws()), steps)
    right = np.median(alone.weights_[alone.active_ > 0])
    print(
        f"rules alone: median {right:.3f}; wrong ones beside them: {np.round(mixed.weights_[:4], 4).tolist()}"
    )
    for count in (0, 400, 1_600):
        text = "\n".join(
            f'law never_{n} when action == "place_furnace" and player.inventory.iron > {50 + n % 40} '
            "then player.inventory.wood += 1"
            for n in range(count)
        )
        more = (*crafter_laws(), *parse_laws(text))
        _, seconds = measured(more, steps)
        print(f"{len(more)} laws, {count} of which never hold: {seconds:.2f} s")


if __name__ == "__main__":
    main()
