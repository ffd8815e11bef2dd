"""The transition: pure, repeatable, the same in Python and compiled; rules worked out by hand; refusals."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppose.core.errors import DataError, StudyError
from suppose.worlds.crafter import (
    ACTIONS,
    WorldState,
    advance,
    daylight,
    grass_state,
    initial_state,
    transition,
)
from suppose.worlds.crafter.random import from_text, integer_below, seeded, to_text, uniform
from suppose.worlds.crafter.scenarios import furnish
from suppose.worlds.crafter.state import Position

TWIN = """
import hashlib, json, sys
from suppose.worlds.crafter import ACTIONS, initial_state, transition
from suppose.worlds.crafter.scenarios import furnish
state = furnish(initial_state(area=(20, 20), seed=5), items=dict(wood=9, stone=9, sapling=9, iron=2, coal=2))
seen = hashlib.sha256()
for step in range(60):
    state, reward = transition(state, ACTIONS[(step * 7 + step // 5) % 17])
    seen.update(json.dumps([state.model_dump(), reward], sort_keys=True).encode())
print(seen.hexdigest())
"""


def run(state, *actions):
    for action in actions:
        state, _ = transition(state, action)
    return state


def test_the_python_text_of_the_kernels_gives_the_bits_of_the_compiled_ones():
    found = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", TWIN],
            env={**os.environ, "NUMBA_DISABLE_JIT": flag},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for flag in ("0", "1")
    ]
    assert found[0] == found[1] != ""


def test_a_transition_leaves_its_state_alone_and_repeats():
    state = initial_state(area=(32, 32), seed=3)
    before = state.model_dump_json()
    first, second = transition(state, "do"), transition(state, "do")
    assert state.model_dump_json() == before
    assert first[0].model_dump() == second[0].model_dump() and first[1] == second[1]
    assert first[0].model_dump() != state.model_dump()


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 2**31),
    st.lists(st.integers(0, 16), min_size=1, max_size=40),
    st.tuples(*[st.integers(5, 30)] * 2),
)
def test_states_survive_json_and_stay_consistent(seed, actions, area):
    state = initial_state(area=area, seed=seed)
    for action in actions:
        state, reward = transition(state, action)
        assert -1.0 <= reward <= 2.0
    again = WorldState.from_dict(json.loads(state.model_dump_json()))
    assert again.model_dump() == state.model_dump()
    assert transition(again, 0)[0].model_dump() == transition(state, 0)[0].model_dump()
    places = [(thing.position.x, thing.position.y) for thing in [state.player, *state.objects]]
    assert len(set(places)) == len(places)
    assert sorted(i for chunk in state.chunks for i in chunk.objects) == sorted(
        thing.entity_id for thing in [state.player, *state.objects]
    )


def test_the_stream_is_that_of_numpy_and_is_kept_in_text():
    key, position = seeded(77)
    counters, reference = np.array([position]), np.random.RandomState(77)
    limits = np.random.default_rng(0).integers(1, 400, 2_000)
    for limit in limits.tolist():
        assert uniform(key, counters, 0) == reference.uniform()
        assert integer_below(key, counters, 0, limit) == reference.randint(0, limit)
    words, place = from_text(to_text(key, int(counters[0])))
    assert (words == key).all() and place == counters[0]


def test_daylight_follows_its_formula():
    steps = np.arange(1_000)
    expected = 1 - np.abs(np.cos(np.pi * ((steps / 300) % 1 + 0.3))) ** 3
    np.testing.assert_allclose([daylight(step) for step in steps.tolist()], expected, rtol=0, atol=1e-14)


def test_moves_turn_and_are_stopped():
    state = furnish(grass_state(), tiles={(5, 4): "stone"})
    stopped = run(state, "move_right")
    assert stopped.player.position == Position(x=4, y=4) and stopped.player.facing == Position(x=1, y=0)
    assert run(state, "move_left").player.position == Position(x=3, y=4)
    assert run(state, *["move_up"] * 9).player.position == Position(x=4, y=0)


def test_lava_kills_and_the_reward_says_so():
    state, reward = transition(furnish(grass_state(), tiles={(5, 4): "lava"}), "move_right")
    assert state.player.health == 0 and reward == -0.9


def test_a_table_costs_two_wood_and_a_furnace_four_stones():
    state = grass_state()
    state.player.inventory.wood, state.player.inventory.stone = 3, 5
    built = run(state, "place_table", "move_left", "place_furnace")
    assert built.player.inventory.wood == 1 and built.player.inventory.stone == 1
    assert built.materials[4][5] == "table" and built.materials[2][4] == "furnace"


def test_items_stop_at_nine_and_health_above_nine_is_kept_but_not_regained():
    state = furnish(grass_state(health=20), tiles={(4, 5): "tree"}, items={"wood": 9})
    state.player.inventory.wood = 9
    later = run(state, *["do"] * 40)
    assert later.player.inventory.wood == 9 and later.player.health == 20
    state.player.health = state.player.inventory.health = 15
    assert run(state, *["noop"] * 40).player.health == 15


def test_hunger_thirst_and_fatigue_take_a_unit_when_they_run_over():
    state = run(grass_state(area=(5, 5)), *["noop"] * 21)
    assert (state.player.inventory.drink, state.player.inventory.food, state.player.thirst) == (8, 9, 0.0)
    state = run(state, *["noop"] * 10)
    assert (state.player.inventory.food, state.player.inventory.energy, state.player.hunger) == (8, 8, 5.0)


def test_the_first_time_is_rewarded_and_the_second_is_not():
    state = furnish(grass_state(), tiles={(4, 5): "water"})
    state.player.inventory.drink = 3
    once, first = transition(state, "do")
    twice, second = transition(once, "do")
    assert (first, second, twice.player.achievements.collect_drink) == (1.0, 0.0, 2)


def test_a_sleeper_is_struck_harder_and_wakes():
    state = furnish(grass_state(), objects=[("zombie", (4, 5), {})], items={"energy": 5})
    state.player.sleeping = True
    hurt, reward = transition(state, "noop")
    assert hurt.player.health == 2 and reward == -0.7 and hurt.player.sleeping
    assert hurt.objects[0].cooldown == 5
    assert not transition(hurt, "noop")[0].player.sleeping


def test_arrows_hurt_and_break_tables():
    objects = [
        ("arrow", (4, 2), {"facing": {"x": 0, "y": 1}}),
        ("arrow", (1, 1), {"facing": {"x": -1, "y": 0}}),
    ]
    state = furnish(grass_state(), objects=objects, tiles={(0, 1): "table"})
    state = run(state, "noop")
    assert state.materials[0][1] == "path" and [thing.name for thing in state.objects] == ["arrow"]
    assert run(state, "noop").player.health == 7


def test_nothing_is_made_in_the_first_column_as_in_the_reference():
    state = furnish(grass_state(position=(0, 4)), tiles={(1, 4): "table"}, items={"wood": 1})
    assert run(state, "make_wood_pickaxe").player.inventory.wood_pickaxe == 0
    state = furnish(grass_state(position=(8, 4)), tiles={(7, 4): "table"}, items={"wood": 1})
    assert run(state, "make_wood_pickaxe").player.inventory.wood_pickaxe == 1


def test_a_fence_is_taken_down():
    state = furnish(grass_state(), objects=[("fence", (4, 5), {})])
    assert run(state, "do").objects == []


def test_far_creatures_stand_still():
    state = furnish(grass_state(area=(40, 9), position=(2, 4)), objects=[("cow", (30, 4), {"health": 0})])
    assert run(state, *["noop"] * 5).objects[0].position == Position(x=30, y=4)


def test_arrays_are_advanced_without_being_touched():
    now = initial_state(area=(24, 24), seed=2).to_arrays()
    before = hashlib.sha256(b"".join(part.tobytes() for part in now)).hexdigest()
    then, rewards = advance(now, np.array([ACTIONS.index("move_up")]))
    assert hashlib.sha256(b"".join(part.tobytes() for part in now)).hexdigest() == before
    assert then.counters[0, 0] == 1 and rewards.shape == (1,)


def test_states_that_contradict_themselves_are_refused():
    good = furnish(grass_state(), objects=[("cow", (1, 1), {}), ("zombie", (2, 2), {})]).model_dump()

    def refused(code, match, **changes):
        with pytest.raises(DataError, match=match) as caught:
            WorldState.from_dict({**json.loads(json.dumps(good)), **changes})
        assert caught.value.code == code

    cow, zombie = good["objects"]
    refused("tile-taken", "holds cow 2 already", objects=[cow, {**zombie, "position": {"x": 1, "y": 1}}])
    refused("duplicate-entity", "identity 2 is that of a cow too", objects=[cow, {**zombie, "entity_id": 2}])
    refused("duplicate-entity", "Set it to 4", entity_id_counter_state=2)
    refused(
        "off-the-map", r"cow 2: \(9, 1\) is not on the map", objects=[{**cow, "position": {"x": 9, "y": 1}}]
    )
    refused("unknown-material", "Did you mean 'grass'", materials=[["gras"] * 9] * 9)
    refused("bad-world-state", "expected 9 columns of 9 tiles", materials=[["grass"] * 8] * 9)
    refused("bad-world-state", r"objects\.0", objects=[{**cow, "name": "wolf"}])
    refused("bad-world-state", "step_count", step_count=-1)
    refused("bad-random-state", "624 words", random_state="7:abc")
    refused("bad-world-state", "lies outside", chunks=[{"key": [24, 36, 0, 9], "objects": []}])


def test_senseless_arguments_are_refused():
    with pytest.raises(StudyError, match=r"no action 'place_tabel'.*Did you mean 'place_table'"):
        transition(grass_state(), "place_tabel")
    with pytest.raises(StudyError, match="no action 17"):
        transition(grass_state(), 17)
    with pytest.raises(StudyError, match="two whole numbers from 3 to 1000"):
        initial_state(area=(2, 64))
    with pytest.raises(StudyError, match="from 1 to 100, got 0"):
        initial_state(health=0)
    with pytest.raises(DataError, match=r"position: \(9, 9\) is not on the map"):
        grass_state(position=(9, 9))
    with pytest.raises(DataError, match="Did you mean 'zombie'"):
        grass_state().get_object_of_type_in_update_range("zombi")
    with pytest.raises(DataError, match="no material 'wood'"):
        grass_state().set_facing_material("wood")


def test_helpers_of_the_state():
    state = furnish(
        grass_state(), objects=[("cow", (4, 5), {}), ("zombie", (8, 8), {})], tiles={(3, 4): "water"}
    )
    cow, zombie = state.objects
    assert state.get_target_tile() == ("grass", cow)
    assert state.get_tile(3, 4) == ("water", None) and state.get_tile(-1, 0) == (None, None)
    assert state.adjacent_to_player(cow) and not state.adjacent_to_player(zombie)
    assert state.get_object_of_type_in_update_range("zombie") == [zombie]
    assert state.get_objects_in_update_range() == [cow, zombie]
    state.set_facing_material("sand")
    assert state.materials[4][5] == "sand"
