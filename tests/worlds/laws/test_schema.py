"""Schemas: what is told from models and from states, and what is refused."""

from __future__ import annotations

import copy
import json

import pytest

from suppose.core.errors import DataError
from suppose.worlds.crafter import ACTIONS, MATERIALS, WorldState
from suppose.worlds.laws import Attribute, Schema, plain
from suppose.worlds.laws.schema import lookup, matches

LEFT_OUT = ("chunks", "random_state", "event_bus")


def test_a_model_declares_types_bounds_and_kinds(crafter):
    assert crafter.actions == ACTIONS and crafter.materials == MATERIALS and crafter.grid == "materials"
    assert crafter.heading == ("player.facing.x", "player.facing.y")
    assert crafter.scalars["player.facing.x"] == Attribute("int", -1, 1)
    assert crafter.scalars["player.sleeping"].type == "bool"
    assert crafter.scalars["player.hunger"].type == "float"
    assert crafter.scalars["player.action"].values == ACTIONS
    assert dict.fromkeys(("cow", "zombie", "skeleton", "arrow", "plant", "fence"), "objects") == crafter.kinds
    assert list(crafter.attributes_of("zombie")) == ["position.x", "position.y", "health", "cooldown"]
    assert crafter.attributes_of("plant")["grown"].high == 1_000_000


def test_states_tell_the_same_as_the_model(life, crafter):
    schema = Schema.from_dicts([step.state for step in life], actions=ACTIONS, ignored=LEFT_OUT)
    assert schema.actor == "player" and schema.facing == "player.facing" and schema.grid == "materials"
    types = {path: attribute.type for path, attribute in crafter.scalars.items()}
    assert {path: schema.scalars[path].type for path in types} == types
    assert set(schema.kinds) <= set(crafter.kinds) and "cow" in schema.kinds
    for kind in schema.kinds:
        told = {name: attribute.type for name, attribute in schema.attributes_of(kind).items()}
        assert {name: a.type for name, a in crafter.attributes_of(kind).items()}.items() <= told.items()


def test_roles_of_a_toy_are_told(toy_schema):
    assert toy_schema.actor == "hero" and toy_schema.facing == "hero.facing" and toy_schema.grid == "tiles"
    assert toy_schema.kinds == {"imp": "things", "chest": "things"}
    assert (
        toy_schema.collections["things"].identity == "id" and toy_schema.collections["things"].kind == "kind"
    )
    assert toy_schema.scalars["hero.mood"].values == ("calm", "worried")
    assert toy_schema.scalars["hero.luck"].type == "float"
    assert str(toy_schema) == (
        "8 attributes; 3 actions; things (imp, chest); grid tiles of 2 materials; hero acts"
    )


def test_the_order_of_states_changes_nothing(toy):
    other = copy.deepcopy(toy)
    other["hero"]["gold"] = 170
    other["hero"]["luck"] = 1
    one, two = (Schema.from_dicts(states, actions=("wait",)) for states in ([toy, other], [other, toy]))
    assert one.to_dict() == two.to_dict()
    assert one.scalars["hero.gold"] == Attribute("int", 0, 200)
    assert one.scalars["hero.luck"].type == "float"


def test_a_schema_survives_json(crafter, toy_schema):
    for schema in (crafter, toy_schema):
        assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema


def test_pydantic_states_and_dicts_are_states():
    from suppose.worlds.crafter import initial_state

    state = initial_state(area=(12, 12), seed=1)
    assert plain(state) == state.model_dump()
    assert isinstance(state, WorldState)
    with pytest.raises(DataError, match="expected a nested dict or a pydantic state, got list"):
        plain([1])


def test_long_texts_are_records_and_left_out(toy):
    toy["log"] = "x" * 300
    assert "log" in Schema.from_dicts([toy], actions=("wait",)).ignored


def test_paths_and_patterns():
    assert lookup({"a": [{"b": 3}]}, ("a", "0", "b")) == 3
    with pytest.raises(KeyError):
        lookup({"a": [1]}, ("a", "1"))
    with pytest.raises(KeyError):
        lookup({"a": 1}, ("a", "b"))
    assert matches("a.b.c", ("a",)) and matches("a.b", ("a.*",)) and not matches("ab", ("a",))


def test_empty_patterns_of_the_baseline_mean_what_is_observed(toy_schema, crafter):
    assert toy_schema.is_observed("hero.gold", narrow=True)
    assert crafter.is_observed("player.inventory.wood") and not crafter.is_observed(
        "player.inventory.wood", True
    )


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda s: s.update({"inbox": [1]}), r"inbox: expected a list of one length"),
        (lambda s: s.update({"map": [["a"], ["a", "b"]]}), r"map: expected columns of equal length"),
        (lambda s: s.update({"map": [[1, 2]]}), r"map: expected a grid of texts"),
        (lambda s: s.update({"men": [{"age": 3}]}), r"men: objects need an identity .*they have: age"),
        (lambda s: s.update({"men": [{"id": 3}]}), r"men: objects need a position such as x and y"),
        (
            lambda s: s.update({"a b": 3}),
            r"state: expected a name of letters, digits and underscores, got 'a b'",
        ),
        (lambda s: s.update({"hero": {1: 2}}), r"hero: expected a name of letters"),
        (lambda s: s.update({"blob": {1, 2}}), r"blob: expected a number, a text, a list or a dict, got set"),
        (
            lambda s: s["hero"].update({"gold": "two"}),
            r"hero\.gold: expected values of one type, got int, str",
        ),
        (lambda s: s.update({"map": [["a"]]}), r"grid: which of these is the map: tiles, map\?"),
    ],
)
def test_what_has_no_fixed_paths_is_refused_by_name(toy, change, message):
    other = copy.deepcopy(toy)
    other["inbox"] = toy["inbox"] = [1, 2]
    change(other)
    with pytest.raises(DataError, match=message) as caught:
        Schema.from_dicts([toy, other], actions=("wait",))
    assert caught.value.code == "bad-schema"


def test_roles_that_do_not_fit_are_refused(toy):
    def made(**roles):
        return Schema.from_dicts([toy], **{"actions": ("wait",), **roles})

    with pytest.raises(DataError, match=r"actor: the actor needs a position at night\.position\.x"):
        made(actor="night")
    with pytest.raises(DataError, match=r"facing: expected night\.x and night\.y"):
        made(facing="night")
    with pytest.raises(DataError, match="no role 'acter'.*Did you mean 'actor'"):
        made(acter="hero")
    with pytest.raises(DataError, match="actions: expected the names of the actions, each once"):
        made(actions=())
    with pytest.raises(DataError, match="actions: expected the names of the actions, each once"):
        made(actions=("wait", "wait"))
    with pytest.raises(DataError, match="expected states to learn from, got none"):
        Schema.from_dicts([], actions=("wait",))
    with pytest.raises(DataError, match="expected a pydantic model"):
        Schema.from_model(dict, actions=("wait",))
    with pytest.raises(DataError, match="event_bus: expected a list of one length"):
        Schema.from_model(WorldState, actions=ACTIONS, ignored=("chunks",))


def test_one_kind_stands_in_one_collection(toy):
    toy["others"] = copy.deepcopy(toy["things"])
    with pytest.raises(
        DataError, match=r"others: objects of the kind 'chest' stand in another collection too"
    ):
        Schema.from_dicts([toy], actions=("wait",))


def test_unknown_paths_are_refused_with_those_there_are(toy_schema):
    with pytest.raises(
        DataError, match=r"hero\.gild: no such attribute; there are: .*Did you mean 'hero\.gold'"
    ):
        toy_schema.attribute("hero.gild")
    with pytest.raises(DataError, match=r"it\.anger: no such attribute; there are: none.*Bind it by a line"):
        toy_schema.attribute("it.anger")
    with pytest.raises(DataError, match=r"no object is called 'imp2'; there are: imp, chest"):
        toy_schema.attribute("it.anger", "imp2")


def test_domains_can_be_declared(toy):
    schema = Schema.from_dicts(
        [toy], actions=("wait",), domains={"hero.gold": (0, 9), "things.anger": (0, 5)}
    )
    assert schema.scalars["hero.gold"].size == 10 and schema.attributes_of("imp")["anger"].high == 5
    assert not schema.scalars["hero.gold"].holds(10) and schema.scalars["hero.gold"].holds(9)
    assert not schema.scalars["hero.gold"].holds(True) and not schema.scalars["night"].holds(1)
