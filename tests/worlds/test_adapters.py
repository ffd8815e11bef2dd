"""Worlds of gymnasium as nested dicts: whole states, names of actions, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import StudyError
from suppose.worlds.adapters import describe_minigrid, describe_observation, open_world
from suppose.worlds.explore import RandomExplorer, explore
from suppose.worlds.laws import Schema


class TestMiniGrid:
    def life(self, steps=150, seed=1):
        world = open_world("MiniGrid-DoorKey-6x6-v0")
        return world, explore(
            world.env, RandomExplorer(), steps, seed, describe=world.describe, actions=world.actions
        )

    def test_the_state_is_whole(self):
        world = open_world("MiniGrid-DoorKey-6x6-v0")
        world.env.reset(seed=3)
        state = describe_minigrid(world.env)
        tiles = {tile for column in state["grid"] for tile in column}
        assert {"wall", "empty", "goal", "yellow key", "locked yellow door"} == tiles
        assert state["agent"]["carrying"] == "nothing"

    def test_turning_and_walking_show_in_the_state(self):
        world, life = self.life()
        for step in life:
            before, after = step.state["agent"], step.next_state["agent"]
            if step.action == "left":
                dx, dy = before["facing"]["x"], before["facing"]["y"]
                assert (after["facing"]["x"], after["facing"]["y"]) == (dy, -dx)
            elif step.action != "forward":
                assert after["position"] == before["position"]
        assert {step.action for step in life} == set(world.actions)

    def test_a_schema_is_told_with_its_roles(self):
        world, life = self.life()
        schema = Schema.from_dicts([step.state for step in life], actions=world.actions, **world.roles)
        assert schema.actor == "agent"
        assert schema.grid == "grid"
        assert "open door" in schema.walkable

    def test_same_seed_same_life(self):
        assert self.life(40)[1].steps == self.life(40)[1].steps


class TestGymnasium:
    def test_a_number_is_an_observation(self):
        world = open_world("Taxi-v4")
        life = explore(world.env, RandomExplorer(), 20, 1, describe=world.describe, actions=world.actions)
        assert len(world.actions) == 6
        assert all(isinstance(step.state["observation"], int) for step in life)

    def test_short_arrays_are_values_by_place(self):
        world = open_world("CartPole-v1")
        world.env.reset(seed=1)
        assert list(world.describe(world.env)["observation"]) == ["0", "1", "2", "3"]

    def test_observations_of_every_kind(self):
        shown = {"a": np.array([1.5, 2.0]), "b": {"c": np.int64(3)}, "d": "text", "e": (1, 2)}
        assert describe_observation(shown) == {
            "a": {"0": 1.5, "1": 2.0},
            "b": {"c": 3},
            "d": "text",
            "e": {"0": 1, "1": 2},
        }

    def test_crafter_brings_its_schema(self):
        world = open_world("crafter", {"area": [32, 32]})
        world.env.reset(seed=1)
        assert world.schema.actor == "player"
        assert world.describe(world.env)["size"] == [32, 32]


class TestRefusals:
    def test_unknown_environment(self):
        with pytest.raises(StudyError, match="no environment of this name is registered.*CartPole-v1"):
            open_world("CartPole-v11")

    def test_names_of_modules_load_nothing(self):
        with pytest.raises(StudyError, match="no environment of this name is registered"):
            open_world("some_module:CartPole-v1")

    def test_bad_options(self):
        with pytest.raises(StudyError, match="the environment cannot be made"):
            open_world("crafter", {"sides": 3})
        with pytest.raises(StudyError, match="the environment cannot be made"):
            open_world("CartPole-v1", {"sides": 3})

    def test_continuous_actions(self):
        with pytest.raises(StudyError, match="expected discrete actions"):
            open_world("Pendulum-v1")
