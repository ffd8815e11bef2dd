"""Many short scenes: transitions in which every mechanic has a chance to show, without living through a whole life.

One life shows what its luck brings. A sandbox scene is a meadow of 9 by 9 tiles with a few materials, creatures and
items thrown in at random, stations near the player more often than not, and a handful of random actions in it. The
scenes of the protocol (:mod:`suppose.worlds.crafter.scenarios`) are not among them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from suppose.core.errors import StudyError
from suppose.core.random import generator, integer_seed
from suppose.worlds.crafter.arrays import ACTIONS, ITEMS, MATERIALS
from suppose.worlds.crafter.player import COLLECT
from suppose.worlds.crafter.scenarios import furnish
from suppose.worlds.crafter.start import grass_state
from suppose.worlds.crafter.state import Position, WorldState
from suppose.worlds.crafter.step import transition
from suppose.worlds.explore import Step, Trajectory

__all__ = ["mixed_transitions"]

STEPS = 6  # of a scene
SIDE = 9
FACINGS = ((-1, 0), (1, 0), (0, -1), (0, 1))
CREATURES = {"cow": 0.25, "zombie": 0.4, "skeleton": 0.2, "plant": 0.15}


def mixed_transitions(count: int = 1_500, seed: int = 0) -> Trajectory:
    """Random transitions from random scenes.

    Parameters
    ----------
    count : int
        How many.
    seed : int
        Same seed, same transitions.

    Returns
    -------
    Trajectory
        States as nested dicts; the last step of each scene is marked as done.

    Raises
    ------
    StudyError
        ``bad-steps`` for a senseless ``count``.

    Examples
    --------
    >>> mixed = mixed_transitions(12, seed=1)
    >>> len(mixed), sum(step.done for step in mixed)
    (12, 2)
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise StudyError(
            "bad-steps",
            f"expected a whole number from 1, got {count!r}",
            where="count",
            remedy="Write for example max_steps = 2000.",
        )
    steps: list[Step] = []
    scene = 0
    while len(steps) < count:
        steps += _scene(generator(seed, "scene", scene), integer_seed(seed, "luck", scene))
        scene += 1
    return Trajectory(tuple(steps[:count]))


def _scene(rng: np.random.Generator, luck: int) -> list[Step]:
    state = _furnished(rng, luck)
    before = state.model_dump()
    steps: list[Step] = []
    for number in range(STEPS):
        action = ACTIONS[int(rng.integers(len(ACTIONS)))] if rng.random() < 0.6 else "do"
        following, reward = transition(state, action)
        over = number == STEPS - 1 or following.player.health <= 0
        after = following.model_dump()
        steps.append(Step(before, action, after, reward, over))
        state, before = following, after
        if over:
            break
    return steps


def _furnished(rng: np.random.Generator, luck: int) -> WorldState:
    """A meadow with things in it."""
    state = grass_state((SIDE, SIDE), position=(4, 4), seed=luck)
    dx, dy = FACINGS[int(rng.integers(4))]
    state.player.facing = Position(x=dx, y=dy)
    ahead = (4 + dx, 4 + dy)
    places = [(x, y) for x in range(2, 7) for y in range(2, 7) if (x, y) not in ((4, 4), ahead)]
    chosen = [places[i] for i in rng.permutation(len(places))]
    tiles = {chosen.pop(): str(rng.choice(MATERIALS)) for _ in range(3)}
    beside = [place for place in chosen if max(abs(place[0] - 4), abs(place[1] - 4)) == 1]
    for station in ("table", "furnace"):
        if rng.random() < 0.5 and beside:
            place = beside.pop()
            chosen.remove(place)
            tiles[place] = station
    objects: list[tuple[str, tuple[int, int], dict[str, Any]]] = []
    if rng.random() < 0.4:
        objects.append(_creature(rng, chosen.pop()))
    if rng.random() < 0.3:
        objects.append(_creature(rng, ahead))
    elif rng.random() < 0.7:
        tiles[ahead] = str(rng.choice(MATERIALS if rng.random() < 0.3 else list(COLLECT)))
    items = {name: int(rng.integers(0, 6)) for name in ITEMS[4:10] if rng.random() < 0.6}
    items |= {name: 1 for name in ITEMS[10:] if rng.random() < (0.5 if name.endswith("pickaxe") else 0.3)}
    items |= {name: int(rng.integers(2, 10)) for name in ("food", "drink", "energy")}
    return furnish(state, tiles, objects, items)


def _creature(
    rng: np.random.Generator, place: tuple[int, int]
) -> tuple[str, tuple[int, int], dict[str, Any]]:
    kind = str(rng.choice(list(CREATURES), p=list(CREATURES.values())))
    extra: dict[str, Any] = {}
    if kind == "plant":
        age = int(rng.choice([20, 150, 310, 400]))
        extra = {"grown": age, "ripe": age > 300}
    else:
        extra = {"health": int(rng.integers(2, 6))}
    return kind, place, extra
