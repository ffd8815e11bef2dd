"""World models of laws: predictions, draws, rollouts, reasons, files."""

from __future__ import annotations

import copy
import json
import math
from itertools import pairwise

import numpy as np
import pytest

from suppose.core.errors import DataError, EstimationError, StudyError
from suppose.worlds.explore import Step, Trajectory
from suppose.worlds.laws import LawWorldModel, Observable, Schema, WorldModel, changes, parse_laws


@pytest.fixture(scope="module")
def model(toy_laws, toy_schema):
    state = copy.deepcopy(TOY)
    return LawWorldModel(toy_laws, toy_schema, "none").fit([(state, "wait", state)])


TOY = {
    "hero": {"position": {"x": 1, "y": 1}, "facing": {"x": 0, "y": 1}, "gold": 2, "mood": "calm", "luck": 0.5},
    "things": [
        {"id": 1, "kind": "imp", "position": {"x": 1, "y": 2}, "anger": 4},
        {"id": 2, "kind": "imp", "position": {"x": 2, "y": 3}, "anger": 0},
    ],
    "tiles": [["sand", "sand", "wall", "sand", "sand"] for _ in range(5)],
    "night": False,
}  # fmt: skip


@pytest.fixture
def state():
    return copy.deepcopy(TOY)


def test_a_model_is_a_world_model(model):
    assert isinstance(model, WorldModel)


def test_distributions_are_of_what_active_laws_govern(model, state):
    found = {str(o): d for o, d in model.distribution(state, "hit").items()}
    assert sorted(found) == [
        "hero.gold", "hero.luck", "hero.mood", "things.count.imp", "things[1].anger", "things[2].exists", "tiles[1][2]",
    ]  # fmt: skip
    assert found["hero.mood"].probability("worried") == pytest.approx(0.6**0.5 / (0.6**0.5 + 0.4**0.5))
    assert found["things[1].anger"].probability(5) == pytest.approx(found["things[1].anger"].probability(6))
    assert found["hero.luck"].mode == 0.25
    assert [str(o) for o in model.distribution(state, "right")] == [
        "hero.position.x", "things[2].exists", "things.count.imp",
    ]  # fmt: skip


def test_draws_follow_the_distributions_and_leave_the_state_alone(model, state):
    before = json.dumps(state)
    random, draws = np.random.default_rng(0), 3_000
    prediction = model.predict(state, "hit")
    drawn = [prediction.sample(random) for _ in range(draws)]
    assert json.dumps(state) == before
    counts = {
        Observable("hero.mood"): lambda s: s["hero"]["mood"],
        Observable("hero.gold"): lambda s: s["hero"]["gold"],
        Observable("things.anger", 1): lambda s: s["things"][0]["anger"],
        Observable("things.exists", 2): lambda s: int(any(thing["id"] == 2 for thing in s["things"])),
        Observable("tiles", tile=(1, 2)): lambda s: s["tiles"][1][2],
    }
    for observable, read in counts.items():
        values = [read(one) for one in drawn]
        for value in set(values):
            p = prediction.distributions[observable].probability(value)
            assert abs(values.count(value) / draws - p) <= 4 * math.sqrt(p * (1 - p) / draws) + 1e-9, (
                observable
            )
    for one in drawn[:200]:
        assert one["night"] is False and one["hero"]["position"] == {"x": 1, "y": 1}


def test_objects_come_where_laws_say_with_what_laws_say(toy_schema, state):
    laws = parse_laws(
        """
    law twin each imp when it.anger == 4 then spawn imp at (0, 1, it) with anger = it.anger + 1
    law off then spawn chest at (-5, 0)
    law onto each imp when it.anger == 4 then spawn chest at (0, 0, it)
    """
    )
    model = LawWorldModel(laws[:1], toy_schema, "none").fit([(state, "wait", state)])
    model.weights_[:] = 10.0
    after = model.sample(state, "wait", np.random.default_rng(0))
    fresh = [thing for thing in after["things"] if thing["id"] not in (1, 2)]
    assert fresh == [{"id": 3, "kind": "imp", "position": {"x": 1, "y": 3}, "anger": 5}]
    for one in laws[1:]:  # off the map, or where something stands: nobody comes
        model = LawWorldModel([one], toy_schema, "none").fit([(state, "wait", state)])
        model.weights_[:] = 10.0
        assert model.sample(state, "wait", np.random.default_rng(0))["things"] == state["things"]


def test_crafters_counter_gives_identities(crafter, rules):
    from suppose.worlds.crafter import SCENARIOS, WorldState

    begin = SCENARIOS["place_plant"].initial()
    model = LawWorldModel(rules, crafter).fit([(begin, "noop", begin)])
    after = model.sample(begin, "place_plant", np.random.default_rng(0))
    plant = after["objects"][-1]
    assert plant["name"] == "plant" and plant["entity_id"] == begin.entity_id_counter_state
    assert plant["position"] == {"x": 6, "y": 5} and plant["ripe"] is False
    assert WorldState.from_dict(after).entity_id_counter_state == begin.entity_id_counter_state + 1


def test_scores_are_sums_over_observables(model, state):
    found = model.distribution(state, "hit")
    after = copy.deepcopy(state)
    after["hero"].update(gold=1, mood="worried", luck=0.25)
    after["things"][0]["anger"] = 6
    expected = sum(
        found[o].log_prob(value)
        for o, value in {
            Observable("hero.gold"): 1, Observable("hero.mood"): "worried", Observable("hero.luck"): 0.25,
            Observable("things.anger", 1): 6, Observable("things.exists", 2): 1, Observable("things.count.imp"): 0,
            Observable("tiles", tile=(1, 2)): "wall",
        }.items()
    )  # fmt: skip
    assert model.log_prob(state, "hit", after) == pytest.approx(expected)
    after["night"] = True
    after["hero"]["position"]["x"] = 2
    assert model.log_prob(state, "hit", after) == pytest.approx(expected - 2)
    after["things"].append({"id": 7, "kind": "chest", "position": {"x": 4, "y": 4}, "open": True})
    assert model.log_prob(state, "hit", after) == pytest.approx(expected - 3)


def test_who_leaves_scores_as_its_existence_does(model, state):
    gone = copy.deepcopy(state)
    del gone["things"][1]
    base = model.log_prob(state, "wait", state)
    p = model.distribution(state, "wait")[Observable("things.exists", 2)]
    assert model.log_prob(state, "wait", gone) == pytest.approx(base + p.log_prob(0) - p.log_prob(1))
    unlawful = copy.deepcopy(state)
    del unlawful["things"][0]
    assert model.log_prob(state, "wait", unlawful) == pytest.approx(base - 1)
    hit = model.distribution(state, "hit")[Observable("things.anger", 1)]
    after = model.log_prob(state, "hit", unlawful) - model.log_prob(state, "hit", state)
    assert after == pytest.approx(-1 - 1 - hit.log_prob(4))


def test_materials_count_only_where_asked(toy_laws, toy_schema, state):
    changed = copy.deepcopy(state)
    changed["tiles"][1][2] = "sand"
    with_tiles, without = (
        LawWorldModel(toy_laws, toy_schema, "none", tiles=tiles).fit([(state, "wait", state)])
        for tiles in (True, False)
    )
    assert with_tiles.log_prob(state, "hit", changed) > with_tiles.log_prob(state, "hit", state)
    assert without.log_prob(state, "hit", changed) == without.log_prob(state, "hit", state)


def test_the_product_of_experts_knows_no_inertia(crafter, rules):
    from suppose.worlds.crafter import SCENARIOS

    begin = SCENARIOS["collect_wood"].initial().model_dump()
    poe = LawWorldModel(rules, crafter, "poe").fit([(begin, "noop", begin)])
    found = {str(o): d for o, d in poe.distribution(begin, "do").items()}
    assert sorted(found) == ["player.health", "player.position.x", "player.position.y"]
    assert poe.log_prob(begin, "do", begin) == pytest.approx(3 * -math.log(101))
    moved = copy.deepcopy(begin)
    moved["player"]["position"]["x"] = 1
    assert poe.log_prob(begin, "do", moved) == poe.log_prob(begin, "do", begin)
    x = [poe.sample(begin, "do", np.random.default_rng(n))["player"]["position"]["x"] for n in range(200)]
    assert min(x) < 15 and max(x) > 85
    inertia = LawWorldModel(rules, crafter, "none").fit([(begin, "noop", begin)])
    assert inertia.log_prob(begin, "do", moved) == inertia.log_prob(begin, "do", begin) - 1


def test_a_fitted_model_tells_the_true_next_state_from_the_old_one(life, crafter, rules):
    model = LawWorldModel(rules, crafter).fit(life)
    told = [s for s in life[::5] if changes(s.state, s.next_state, crafter)]
    better = [
        model.log_prob(s.state, s.action, s.next_state) > model.log_prob(s.state, s.action, s.state)
        for s in told
    ]
    assert sum(better) / len(better) > 0.85
    assert model.to_frame().columns.tolist() == ["law", "weight", "active", "errors", "words", "text"]
    assert "laws (onelife)" in str(model)


# Rollouts.


def test_rollouts_are_lives_and_the_same_for_the_same_seed(model, state):
    policy = ["hit", "right", "wait", "hit"]
    one, two, other = (model.rollout(state, policy, 10, seed=seed) for seed in (1, 1, 2))
    assert isinstance(one, Trajectory) and len(one) == 4 and [step.action for step in one] == policy
    assert one == two and one != other
    assert all(a.next_state is b.state for a, b in pairwise(one))
    wise = model.rollout(
        state, lambda now: "hit" if now["hero"]["gold"] > 1 else "wait", 30, seed=3,
        reward=lambda now, action, after: after["hero"]["gold"] - now["hero"]["gold"],
        done=lambda now: now["hero"]["gold"] < 2,
    )  # fmt: skip
    assert wise[-1].done and wise[-1].next_state["hero"]["gold"] < 2
    assert sum(step.reward for step in wise) == wise[-1].next_state["hero"]["gold"] - 2
    assert len(model.rollout(state, policy, 2)) == 2
    for steps in (0, True, 1.5):
        with pytest.raises((StudyError, Exception), match="expected a whole number from 1|int"):
            model.rollout(state, policy, steps)


# Reasons and files.


def test_a_reason_names_laws_weights_and_what_they_say(model, state):
    told = model.explain(state, "hit")
    assert told.silent == 1 and not told.errors
    text = str(told)
    assert text.startswith("after hit:\n  things[1].anger (now 4): ")
    assert "hit_imp, weight 0.50: 5 0.50, 6 0.50" in text
    assert "1 laws do not apply" in text
    frame = told.to_frame()
    assert set(frame["law"]) == {"hit_imp", "imp_leaves", "imp_comes", "dig"}
    assert "walk 'A free tile is entered', weight 0.50: 2 0.90, 1 0.10" in str(model.explain(state, "right"))


def test_nothing_to_say_is_said(toy_schema, state):
    model = LawWorldModel(parse_laws("law a when hero.gold > 50 then hero.gold += 1"), toy_schema, "none")
    told = str(model.fit([(state, "wait", state)]).explain(state, "wait"))
    assert told == "after wait:\n  nothing changes, as far as the laws know\n  1 laws do not apply"


def test_a_saved_model_is_the_same_model(tmp_path, life, crafter, rules):
    model = LawWorldModel(rules, crafter).fit(life[:40])
    again = LawWorldModel.load(model.save(tmp_path / "model.json"))
    assert again.laws == model.laws and again.schema == model.schema
    assert again.weights_.tolist() == model.weights_.tolist()
    for step in life[40:48]:
        assert again.log_prob(step.state, step.action, step.next_state) == model.log_prob(
            step.state, step.action, step.next_state
        )
        draws = [m.sample(step.state, step.action, np.random.default_rng(0)) for m in (model, again)]
        assert draws[0] == draws[1]
    assert again.save(tmp_path / "again.json").read_bytes() == (tmp_path / "model.json").read_bytes()


def test_transitions_come_as_steps_tuples_and_pydantic_states(toy_laws, toy_schema, crafter, rules, state):
    from suppose.worlds.crafter import SCENARIOS

    pairs = [(state, "hit", state)]
    one = LawWorldModel(toy_laws, toy_schema).fit(pairs)
    two = LawWorldModel(toy_laws, toy_schema).fit(Trajectory((Step(state, "hit", state, 0.0, False),)))
    assert one.weights_.tolist() == two.weights_.tolist()
    assert LawWorldModel(rules, crafter).fit(SCENARIOS["collect_wood"].play()).active_.sum() > 0


# Refusals.


@pytest.mark.parametrize(
    "transitions, code, message",
    [
        ([], "empty-trajectory", "expected at least one transition, got none"),
        (["step"], "bad-transition", r"transition 0: expected \(state, action, next_state\), got str"),
        ([(TOY, "jump", TOY)], "unknown-action", "no action 'jump'; the actions are: wait, right, hit"),
        ([(TOY, "wait", [1])], "bad-state", "expected a nested dict or a pydantic state, got list"),
        (
            [({**TOY, "things": TOY["things"] * 2}, "wait", TOY)],
            "duplicate-entity",
            "two objects have the identity 1",
        ),
        (
            [(TOY, "wait", {**TOY, "things": TOY["things"] * 2})],
            "duplicate-entity",
            "two objects have the identity 1",
        ),
    ],
)
def test_bad_transitions_are_refused(toy_laws, toy_schema, transitions, code, message):
    with pytest.raises(DataError, match=message) as caught:
        LawWorldModel(toy_laws, toy_schema).fit(transitions)
    assert caught.value.code == code


def test_bad_questions_are_refused(model, toy_laws, toy_schema, state):
    with pytest.raises(StudyError, match="expected one of onelife, poe, none, got 'one'"):
        LawWorldModel(toy_laws, toy_schema, "one")
    with pytest.raises(EstimationError, match="this model has no weights yet"):
        LawWorldModel(toy_laws, toy_schema).distribution(state, "wait")
    with pytest.raises(DataError, match="no action 'fly'"):
        model.log_prob(state, "fly", state)
    with pytest.raises(DataError, match="no such attribute"):
        LawWorldModel(parse_laws("law a then hero.silver += 1"), toy_schema)
    with pytest.raises(DataError, match="two objects have the identity"):
        model.sample({**state, "things": state["things"] * 2}, "wait", np.random.default_rng(0))


def test_worlds_without_objects_tiles_and_actors_have_models_too():
    schema = Schema.from_dicts([{"stock": 3, "open": True}], actions=("buy", "wait"))
    laws = parse_laws('law buy when action == "buy" and open then stock += {5: 0.8, 4: 0.2}')
    model = LawWorldModel(laws, schema).fit(
        [({"stock": 3, "open": True}, "buy", {"stock": 8, "open": True})] * 9
    )
    assert model.sample({"stock": 1, "open": True}, "buy", np.random.default_rng(0)) == {
        "stock": 6,
        "open": True,
    }
    assert model.distribution({"stock": 1, "open": False}, "buy") == {}


@pytest.mark.slow
def test_four_wrong_laws_among_right_ones_lose_their_weight(crafter, rules):
    from suppose.worlds.crafter import CrafterEnv
    from suppose.worlds.explore import PairwiseCoverageExplorer, explore

    wrong = parse_laws("""
    law teleport when action == "noop" then player.position.x += {10: 1}
    law instant_kill each zombie when dist(it, player) <= 6 then it.health = 0
    law self_destruct when action == "do" then player.health = 0
    law spurious_health when action == "move_left" then player.health += {1: 1}
    """)
    steps = [
        step
        for seed in range(5)
        for step in explore(CrafterEnv(area=(32, 32)), PairwiseCoverageExplorer(), max_steps=300, seed=seed)
    ]
    model = LawWorldModel([*wrong, *rules], crafter).fit(steps)
    median = np.median(model.weights_[4:][model.active_[4:] > 0])
    assert (model.active_[:4] > 20).all()
    assert (model.weights_[:4] < 0.1 * median).all()
