"""Scenarios show what they say, fail where they should; distractors change one aspect and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import StudyError
from suppose.core.random import generator
from suppose.worlds.crafter import SCENARIOS, grass_state, mutations
from suppose.worlds.crafter.mutators import MUTATORS
from suppose.worlds.crafter.scenarios import furnish, variants_of

STATED = {
    "collect_coal", "collect_diamond", "collect_iron", "collect_stone", "collect_drink", "collect_wood",
    "craft_wooden_pickaxe", "craft_wooden_sword", "craft_stone_pickaxe", "craft_stone_sword", "craft_iron_pickaxe",
    "craft_iron_sword", "place_furnace", "place_plant", "place_stone", "place_table", "eat_plant", "zombie_defeat",
    "defeat_skeleton", "eat_cow", "cow_movement", "random_movement", "wake_up",
}  # fmt: skip
TWO = {name for name in STATED if name.split("_")[0] in ("craft", "place")} | {
    "collect_coal", "collect_diamond", "collect_iron", "collect_stone", "eat_plant",
}  # fmt: skip
LENGTHS = {"zombie_defeat": 5, "defeat_skeleton": 10, "eat_cow": 15, "cow_movement": 30, "random_movement": 10,
           "wake_up": 12}  # fmt: skip


def fingerprint(state):
    """The parts that distractors differ in."""
    dumped = state.model_dump()
    return {
        "place": dumped["player"]["position"],
        "health": dumped["player"]["health"],
        "items": {key: value for key, value in dumped["player"]["inventory"].items() if key != "health"},
        "others": [(thing["entity_id"], thing["position"]) for thing in dumped["objects"]],
        "healths": [thing["health"] for thing in dumped["objects"]],
        "materials": dumped["materials"],
    }


def test_there_are_the_stated_scenarios():
    assert set(SCENARIOS) == STATED and len(STATED) == 23
    assert {name for name, item in SCENARIOS.items() if "failure" in item.variants} == TWO
    assert {name: item.steps for name, item in SCENARIOS.items() if item.steps > 1} == LENGTHS
    for item in SCENARIOS.values():
        state = item.initial()
        assert (state.player.position.x, state.player.position.y) == (5, 5) and state.size == [9, 9]
        assert (state.target.x, state.target.y) == (6, 5)


@pytest.mark.parametrize("name", sorted(TWO))
def test_the_mechanic_works_in_one_variant_and_not_in_the_other(name):
    won = SCENARIOS[name].play("success")[-1]
    lost = SCENARIOS[name].play("failure")[-1]
    assert won.reward == 1.0 and lost.reward == 0.0
    before, after = fingerprint(lost.state), fingerprint(lost.next_state)
    assert before == after


def test_the_longer_scenarios_reach_their_goals():
    for name, most in LENGTHS.items():
        played = SCENARIOS[name].play(seed=0)
        assert 1 <= len(played) <= most
        goal = SCENARIOS[name].goal
        if goal in ("defeat_zombie", "wake_up"):
            assert getattr(played[-1].next_state.player.achievements, goal) == 1
    reached = {
        name: np.mean([
            getattr(SCENARIOS[name].play(seed=seed)[-1].next_state.player.achievements, SCENARIOS[name].goal)
            for seed in range(12)
        ])
        for name in ("defeat_skeleton", "eat_cow")
    }  # fmt: skip
    assert reached["eat_cow"] >= 0.5 and reached["defeat_skeleton"] >= 0.25
    cows = {(step.next_state.objects[0].position.x, step.next_state.objects[0].position.y)
            for step in SCENARIOS["cow_movement"].play()}  # fmt: skip
    assert len(cows) > 2


def test_same_seed_same_transitions():
    for name in ("random_movement", "eat_cow"):
        first, second = (SCENARIOS[name].play(seed=4) for _ in range(2))
        assert [step.next_state.model_dump() for step in first] == [
            step.next_state.model_dump() for step in second
        ]
    assert [step.action for step in SCENARIOS["random_movement"].play(seed=4)] != [
        step.action for step in SCENARIOS["random_movement"].play(seed=5)
    ]


def test_variants_of_the_protocols():
    counts = {
        which: sum(len(variants_of(name, which)) for name in SCENARIOS) for which in ("both", "success")
    }
    assert counts == {"both": 23 + len(TWO), "success": 23}
    assert all(variants_of(name, "released") == ("failure",) for name in TWO)
    with pytest.raises(StudyError, match="no variant 'failure'"):
        SCENARIOS["eat_cow"].initial("failure")
    with pytest.raises(StudyError, match="Did you mean 'eat_cow'"):
        variants_of("eat_cows")
    with pytest.raises(StudyError, match="no variant 'all'"):
        variants_of("eat_cow", "all")


CHANGES = {
    "health of others": {"healths"}, "places of others": {"others"}, "health of the player": {"health"},
    "inventory": {"items"}, "wrong item": {"items"}, "wrong tool": {"items"}, "step aside": {"place"},
    "illegal placement": {"materials"},
}  # fmt: skip


def test_a_distractor_changes_its_own_aspect_alone():
    state = furnish(
        grass_state(area=(15, 15)),
        objects=[("cow", (3, 3), {}), ("zombie", (9, 9), {})],
        tiles={(7, 8): "tree"},
    )
    before, plain = state.model_dump_json(), fingerprint(state)
    seen = set()
    for seed in range(30):
        for action in ("do", "make_wood_sword", "move_left", "noop", "place_table"):
            for name, changed in mutations(state, action, state, generator(seed), illegal=True):
                found = fingerprint(changed)
                different = {key for key in plain if found[key] != plain[key]}
                assert different <= CHANGES[name], name
                if name not in ("health of the player", "illegal placement"):
                    assert different == CHANGES[name], name
                seen.add(name)
    assert state.model_dump_json() == before
    assert seen == set(MUTATORS) | {"illegal placement"}


def test_distractors_keep_to_their_ranges():
    state = furnish(grass_state(area=(15, 15)), objects=[("cow", (3, 3), {})], tiles={(7, 8): "tree"})
    for seed in range(200):
        made = dict(mutations(state, "do", state, generator(seed)))
        health = made["health of others"].objects[0].health
        assert 0 <= health <= 10 and abs(health - 3) > 1
        place = made["places of others"].objects[0].position
        assert 2 <= abs(place.x - 3) + abs(place.y - 3) <= 10
        assert 6 <= made["health of the player"].player.health <= 10
        assert made["wrong item"].player.inventory.wood == 0  # wood is what is faced
        made["places of others"].to_arrays()
    assert len(mutations(state, "make_wood_sword", state, generator(1))) == 6
    assert "step aside" not in dict(mutations(state, "move_up", state, generator(1)))


def test_the_base_is_the_state_asked_for():
    step = SCENARIOS["collect_stone"].play()[0]
    for of, stones in (("previous", 0), ("next", 1)):
        made = dict(mutations(step.state, "do", step.next_state, generator(1), of=of))
        assert made["step aside"].player.inventory.stone == stones
    with pytest.raises(StudyError, match="expected one of previous, next, got 'both'"):
        mutations(step.state, "do", step.next_state, generator(1), of="both")
