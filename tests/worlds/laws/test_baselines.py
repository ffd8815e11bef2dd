"""What law models are compared with."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from suppose.worlds.crafter import SCENARIOS, WorldState, transition
from suppose.worlds.laws import InertiaModel, RandomModel, Schema, TrueModel, WorldModel


def models(schema):
    return [RandomModel(schema), InertiaModel(schema), InertiaModel(), TrueModel(transition, schema)]


def test_all_are_world_models(crafter):
    assert all(isinstance(model, WorldModel) for model in models(crafter))


def test_random_scores_nothing_and_draws_anything(toy, toy_schema):
    model, before = RandomModel(toy_schema), copy.deepcopy(toy)
    assert model.log_prob(toy, "wait", {"anything": 1}) == 0.0
    drawn = [model.sample(toy, "wait", np.random.default_rng(n)) for n in range(200)]
    assert toy == before
    assert {state["hero"]["mood"] for state in drawn} == {"calm", "worried"}
    assert {state["night"] for state in drawn} == {True, False}
    assert {state["hero"]["position"]["x"] for state in drawn} == set(range(5))
    assert {state["things"][0]["position"]["y"] for state in drawn} == set(range(5))
    assert max(state["hero"]["gold"] for state in drawn) > 90
    assert {tile for state in drawn for column in state["tiles"] for tile in column} == {"sand", "wall"}
    assert {state["things"][0]["id"] for state in drawn} == {1}
    assert model.sample(toy, "wait", np.random.default_rng(3)) == drawn[3]


def test_inertia_counts_changes(toy, toy_schema):
    after = copy.deepcopy(toy)
    after["hero"]["gold"], after["night"] = 9, True
    del after["things"][0]
    assert InertiaModel(toy_schema).log_prob(toy, "wait", after) == -3.0
    assert InertiaModel(toy_schema).log_prob(toy, "wait", toy) == 0.0
    drawn = InertiaModel(toy_schema).sample(toy, "wait", np.random.default_rng(0))
    assert drawn == toy and drawn is not toy and drawn["hero"] is not toy["hero"]


def test_inertia_without_a_schema_looks_at_every_value():
    model = InertiaModel()
    assert model.log_prob({"a": [1, {"b": 2}]}, "go", {"a": [1, {"b": 3}], "c": 4}) == -2.0


@pytest.mark.parametrize("name", ["collect_wood", "eat_cow", "place_plant", "zombie_defeat"])
def test_the_true_model_knows(crafter, name):
    model = TrueModel(transition, crafter, read=WorldState.from_dict)
    for step in SCENARIOS[name].play(seed=2):
        state, after = step.state.model_dump(), step.next_state.model_dump()
        assert model.log_prob(state, step.action, after) == 0.0
        assert model.sample(state, step.action, np.random.default_rng(0)) == after
        assert model.log_prob(step.state, step.action, step.next_state) == 0.0
        other = copy.deepcopy(after)
        other["player"]["inventory"]["diamond"] += 1
        assert model.log_prob(state, step.action, other) == -1.0


def test_a_true_model_may_be_a_plain_function():
    schema = Schema.from_dicts([{"x": 0}], actions=("up",))
    model = TrueModel(lambda state, action: {"x": state["x"] + 1}, schema)
    assert model.sample({"x": 1}, "up", np.random.default_rng(0)) == {"x": 2}
    assert model.log_prob({"x": 1}, "up", {"x": 2}) == 0.0 > model.log_prob({"x": 1}, "up", {"x": 1})
