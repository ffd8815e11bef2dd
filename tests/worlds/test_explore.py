"""Exploring: the same life from the same seed, more covered than by chance, files that keep everything."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from suppose.core.errors import DataError, StudyError
from suppose.worlds.coverage import PairwiseCoverageExplorer
from suppose.worlds.crafter import CrafterEnv, grass_state
from suppose.worlds.crafter.scenarios import furnish
from suppose.worlds.explore import Explorer, RandomExplorer, Step, Trajectory, explore


def pairs(life):
    """Distinct pairs of action and faced kind that a life contains."""
    found = set()
    for step in life:
        player, materials = step.state["player"], step.state["materials"]
        x, y = (player["position"][axis] + player["facing"][axis] for axis in "xy")
        things = {
            (thing["position"]["x"], thing["position"]["y"]): thing["name"] for thing in step.state["objects"]
        }
        inside = 0 <= x < len(materials) and 0 <= y < len(materials[0])
        if inside and not player["sleeping"]:
            found.add((step.action, things.get((x, y), materials[x][y])))
    return found


@pytest.fixture(scope="module")
def lives():
    return {
        kind.__name__: [explore(CrafterEnv(area=(48, 48)), kind(), 150, seed) for seed in range(5)]
        for kind in (PairwiseCoverageExplorer, RandomExplorer)
    }


def test_it_covers_more_than_chance_and_learns_how_it_moves(lives):
    ours = [len(pairs(life)) for life in lives["PairwiseCoverageExplorer"]]
    chance = [len(pairs(life)) for life in lives["RandomExplorer"]]
    assert np.mean(ours) > 1.2 * np.mean(chance)
    explorer = PairwiseCoverageExplorer()
    explore(CrafterEnv(area=(48, 48)), explorer, 60, 1)
    assert explorer.moves == {
        "move_left": (-1, 0),
        "move_right": (1, 0),
        "move_up": (0, -1),
        "move_down": (0, 1),
    }


def test_it_never_steps_on_what_it_is_told_to_avoid():
    tiles = {(x, y): "lava" for x in range(15) for y in range(15) if (x + y) % 5 == 1}
    for seed in range(3):
        env = CrafterEnv(area=(15, 15))
        env.reset(seed=seed)
        state = furnish(grass_state(area=(15, 15), position=(7, 7), seed=seed, health=99), tiles=tiles)
        explorer = PairwiseCoverageExplorer()
        explorer.start(env.action_names, seed)
        env.state = state
        before = env.state_dict()
        for _ in range(350):
            action = explorer.act(before)
            env.step(env.action_names.index(action))
            after = env.state_dict()
            explorer.observe(Step(before, action, after, 0.0, False))
            before = after
            place = after["player"]["position"]
            assert after["materials"][place["x"]][place["y"]] != "lava"
        assert len(explorer.moves) == 4 and ("do", "faces lava") in explorer.tried


@pytest.mark.parametrize("side", [(-1, 0), (1, 0), (0, -1)])
def test_it_does_not_turn_to_what_it_would_step_on(side):
    env = CrafterEnv(area=(9, 9))
    env.reset(seed=1)
    env.state = furnish(grass_state(), tiles={(4 + side[0], 4 + side[1]): "lava"})
    explorer = PairwiseCoverageExplorer()
    explorer.start(env.action_names, 2)
    explorer.moves |= {"move_left": (-1, 0), "move_right": (1, 0), "move_up": (0, -1), "move_down": (0, 1)}
    explorer.tried |= {(action, "faces grass") for action in env.action_names}
    action = explorer.act(env.state_dict())  # lava is all that is left to try
    assert action in explorer.moves and explorer.moves[action] != side


def test_it_does_not_freeze_where_it_starts_beside_what_to_avoid():
    env = CrafterEnv(area=(9, 9))
    env.reset(seed=1)
    env.state = furnish(grass_state(health=99), tiles={(4, 5): "lava"})
    explorer = PairwiseCoverageExplorer()
    explorer.start(env.action_names, 2)
    before, actions = env.state_dict(), set()
    for _ in range(60):
        action = explorer.act(before)
        env.step(env.action_names.index(action))
        after = env.state_dict()
        explorer.observe(Step(before, action, after, 0.0, False))
        before = after
        actions.add(action)
        if after["player"]["health"] <= 0:
            break
    assert len(actions) > 3


def test_same_seed_same_life(lives):
    for kind in (PairwiseCoverageExplorer, RandomExplorer):
        again = explore(CrafterEnv(area=(48, 48)), kind(), 150, 2)
        assert [step.to_dict() for step in again] == [step.to_dict() for step in lives[kind.__name__][2]]
        assert isinstance(kind(), Explorer)


def test_a_life_ends_with_death_or_the_limit(lives):
    life = explore(CrafterEnv(area=(24, 24), length=12), RandomExplorer(), 500, 1)
    assert len(life) == 12 and life[-1].done and not any(step.done for step in life[:-1])
    assert all(first.next_state == second.state for first, second in pairwise(life))


@pytest.mark.parametrize("name", ["life.jsonl", "life.jsonl.gz"])
def test_files_keep_everything(tmp_path, lives, name):
    life = Trajectory(tuple(lives["RandomExplorer"][0][:8]))
    again = Trajectory.load(life.save(tmp_path / name))
    assert again == life
    assert list(again.to_frame()["action"]) == [step.action for step in life]
    assert str(again).startswith("8 steps, reward")


def test_lines_by_hand_need_three_keys(tmp_path):
    path = tmp_path / "life.jsonl"
    path.write_text('\n{"state": {"x": 0}, "action": "go", "next_state": {"x": 1}}\n')
    assert Trajectory.load(path)[0] == Step({"x": 0}, "go", {"x": 1}, 0.0, False)
    for line, match in [
        ("{", "line 1: not JSON"),
        ("[1]", "expected an object, got list"),
        (json.dumps({"state": {}, "action": "go"}), "lacks next_state"),
        (json.dumps({"state": 1, "action": "go", "next_state": {}}), "must be objects"),
    ]:
        path.write_text(line)
        with pytest.raises(DataError, match=match):
            Trajectory.load(path)
    path.write_text("\n\n")
    with pytest.raises(DataError, match="holds no transitions"):
        Trajectory.load(path)
    with pytest.raises(DataError, match="there is no such file"):
        Trajectory.load(tmp_path / "other.jsonl")


def test_other_environments_are_described_by_the_user():
    import gymnasium

    env = gymnasium.make("FrozenLake-v1", is_slippery=False)
    life = explore(
        env,
        RandomExplorer(),
        20,
        seed=3,
        describe=lambda world: {"tile": int(world.unwrapped.s)},
        actions=("left", "down", "right", "up"),
    )
    assert life[0].state == {"tile": 0} and {step.action for step in life} <= {"left", "down", "right", "up"}
    with pytest.raises(StudyError, match="max_steps: expected a whole number from 1, got 0"):
        explore(env, RandomExplorer(), 0)
