"""Three choices in Crafter, two plans each, and the world itself to follow them in.

After OneLife (arXiv 2510.12088, section on planning): fight at once or make a sword first, mine at once or make a
pickaxe first, one table for all swords or a table for each. Its maps and plans were not released; those in
``plans.toml`` are our own.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import numpy as np

from suppose.worlds.laws.plans import Plan, Reward
from suppose.worlds.laws.schema import State

__all__ = ["CrafterTruth", "Question", "crafter_questions"]


@dataclass(frozen=True)
class Question:
    """A situation and the plans that compete in it; the first is meant to be better."""

    name: str
    words: str
    state: State = field(repr=False)
    plans: tuple[Plan, ...]
    reward: Reward
    ends: str = ""


def crafter_questions(seed: int = 0) -> tuple[Question, ...]:
    """Three choices in Crafter: two plans each, the one meant to be better first.

    Examples
    --------
    >>> [(item.name, len(item.plans)) for item in crafter_questions()]
    [('Zombie Fighter', 2), ('Stone Miner', 2), ('Sword Maker', 2)]
    """
    from suppose.worlds.crafter.scenarios import furnish
    from suppose.worlds.crafter.start import grass_state
    from suppose.worlds.crafter.state import Position

    text = resources.files("suppose.worlds.laws").joinpath("plans.toml").read_text(encoding="utf-8")
    found = []
    for item in tomllib.loads(text)["question"]:
        side = item["side"]
        state = grass_state(
            (side, side), position=tuple(item["position"]), seed=seed, health=item.get("health", 9)
        )
        state.player.facing = Position(x=item["facing"][0], y=item["facing"][1])
        tiles = {tuple(place): name for name, places in item.get("tiles", {}).items() for place in places}
        objects: list[tuple[str, tuple[int, int], dict[str, Any]]] = [
            (kind, tuple(place), {}) for kind, places in item.get("objects", {}).items() for place in places
        ]
        state = furnish(state, tiles, objects, item.get("items", {}))
        plans = tuple(Plan.of(plan["name"], plan["do"]) for plan in item["plan"])
        reward = Reward(**item["reward"])
        found.append(
            Question(item["name"], item["words"], state.model_dump(), plans, reward, "player.health <= 0")
        )
    return tuple(found)


class CrafterTruth:
    """Crafter itself as something plans can be followed in: every sample has fresh luck.

    Examples
    --------
    >>> from suppose.worlds.laws.plans import compare_plans
    >>> question = crafter_questions()[2]
    >>> print(compare_plans(CrafterTruth(), question.state, question.plans, question.reward, rollouts=3))
    one table is better: one table 4, a table for each 2 (swords, 3 rollouts)
    """

    name = "the world itself"

    def __init__(self) -> None:
        from suppose.worlds.crafter import SCHEMA

        self.schema = SCHEMA

    def sample(self, state: State, action: str, random: np.random.Generator) -> State:
        """What comes next, with a stream of random numbers of its own."""
        from suppose.worlds.crafter.random import to_text
        from suppose.worlds.crafter.state import WorldState
        from suppose.worlds.crafter.step import transition

        stream = random.integers(0, 2**32, size=624, dtype=np.uint32)
        following, _ = transition(
            WorldState.model_validate({**state, "random_state": to_text(stream, 624)}), action
        )
        return following.model_dump()
