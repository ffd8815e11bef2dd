"""One recorded life and one toy world, for all tests of laws."""

from __future__ import annotations

import copy

import pytest

from suppose.worlds.crafter import SCENARIOS, SCHEMA, CrafterEnv, crafter_laws
from suppose.worlds.explore import PairwiseCoverageExplorer, Step, explore
from suppose.worlds.laws import Schema, parse_laws

TOY = {
    "hero": {"position": {"x": 1, "y": 1}, "facing": {"x": 1, "y": 0}, "gold": 2, "mood": "calm", "luck": 0.5},
    "things": [
        {"id": 1, "kind": "imp", "position": {"x": 3, "y": 1}, "anger": 4},
        {"id": 2, "kind": "imp", "position": {"x": 1, "y": 3}, "anger": 0},
        {"id": 5, "kind": "chest", "position": {"x": 2, "y": 1}, "open": False},
    ],
    "tiles": [["sand", "sand", "wall", "sand", "sand"] for _ in range(5)],
    "night": False,
}  # fmt: skip


@pytest.fixture
def toy():
    return copy.deepcopy(TOY)


@pytest.fixture(scope="session")
def toy_schema():
    worried = copy.deepcopy(TOY)
    worried["hero"]["mood"] = "worried"
    return Schema.from_dicts(
        [TOY, worried], actions=("wait", "right", "hit"), walkable=("sand",), reach=4,
        domains={"hero.facing.*": (-1, 1)},
    )  # fmt: skip


@pytest.fixture(scope="session")
def life():
    """A varied life: an explorer's, and every scenario played once."""
    steps = list(explore(CrafterEnv(area=(32, 32)), PairwiseCoverageExplorer(), max_steps=160, seed=3))
    for scenario in SCENARIOS.values():
        for variant in scenario.variants:
            for done in scenario.play(variant, seed=1)[:4]:
                state, after = done.state.model_dump(), done.next_state.model_dump()
                steps.append(Step(state, done.action, after, done.reward, False))
    return steps


@pytest.fixture(scope="session")
def crafter():
    return SCHEMA


@pytest.fixture(scope="session")
def rules():
    return crafter_laws()


@pytest.fixture(scope="session")
def toy_laws():
    return parse_laws("""
    law walk "A free tile is entered"
    when action == "right" and free(1, 0)
    then hero.position.x += {1: 0.9, 0: 0.1}

    law hit_imp each imp
    when action == "hit" and dist(it, target) == 0
    then it.anger += {1: 0.5, 2: 0.5}
    then hero.gold += {-1: 0.25, 0: 0.75}

    law imp_leaves each imp
    when it.anger == 0
    then remove it 0.8

    law imp_comes
    when near("wall", 2)
    then spawn imp at (0, 1) 0.5 with anger = 7

    law dig
    when action == "hit"
    then material(0, 1) = {"sand": 0.9, "wall": 0.1}
    then hero.mood = {"worried": 0.6, "calm": 0.4}
    then hero.luck += {-0.25: 1}
    """)
