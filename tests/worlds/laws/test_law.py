"""Laws: as text, as dicts, checked against a schema."""

from __future__ import annotations

import json
import math

import pytest

from suppose.core.errors import DataError
from suppose.worlds.laws import Add, Law, Remove, Set, SetMaterial, Spawn, parse_laws
from suppose.worlds.laws.law import check_laws

ANY = """
law a "Says \\"this\\"" each cow when it.health > 1 then it.health += {-1: 0.5, 0: 0.5}
then it.position.x = {it.position.x + toward(it, player, "x"): 1} then remove it 0.25
law "b c" then player.sleeping = true then material(target) = {"path": 0.5, "grass": 0.5}
law d then spawn arrow at (player.facing.x, -1) 0.5 with facing.x = player.facing.x, health = 1
then material(0, 1) = "sand"
law e each zombie then spawn cow at (0, 1, it) then material(1 - 2, 0, it) = {"path": 1}
law f then player.health = min(player.health, 3) then step_count += 1
"""


def test_every_law_parses_back_from_text_and_dict(rules, toy_laws):
    for law in (*rules, *toy_laws, *parse_laws(ANY)):
        assert Law.parse(str(law)) == law
        assert Law.from_dict(json.loads(json.dumps(law.to_dict()))) == law
    assert parse_laws("\n\n".join(map(str, rules))) == rules


def test_all_kinds_of_effects_fit_the_world(crafter):
    assert [law.name for law in check_laws(parse_laws(ANY), crafter)] == ["a", "b c", "d", "e", "f"]


def test_line_breaks_and_comments_mean_nothing():
    one = Law.parse("law a when x > 1 and\n# why\n y < 2 then\nx += {1:\n1}")
    assert one == Law("a", "x > 1 and y < 2", (Add("x", {1: 1}),))


def test_a_law_without_when_always_holds():
    law = Law.parse("law a then x += 1")
    assert str(law.when) == "true" and str(law) == "law a\nthen x += {1: 1.0}"


def test_supports_are_probabilities_or_logarithms():
    assert Add("x", {1: 3, 0: 1}).support == ((1, 0.75), (0, 0.25))
    logs = Add("x", {1: math.log(0.8), 0: math.log(0.2)}).support
    assert [key for key, _ in logs] == [1, 0]
    assert [p for _, p in logs] == pytest.approx([0.8, 0.2])
    assert Add("x", {1: 0, 0: 0}).support == ((1, 0.5), (0, 0.5))
    assert Add("x", {1: -1e6, 0: 0.0}).support[1][1] == 1.0
    assert Set("x", {True: 1}).support == ((True, 1.0),)
    assert Add("x", {2.0: 1}).support == ((2, 1.0),)


def test_laws_are_values(rules):
    assert len(set(rules)) == len(rules)
    with pytest.raises(AttributeError):
        rules[0].name = "other"


@pytest.mark.parametrize(
    "text, code, message",
    [
        ("law a", "law-syntax", "line 1, column 6: expected then and an effect, found the end"),
        ("law a then", "law-syntax", "expected an effect, found the end"),
        ("rule a then x += 1", "law-syntax", "expected 'law', found 'rule'"),
        ("law when then x += 1", "law-syntax", "expected a name, found 'when'"),
        (
            "law a then x += {}",
            "empty-support",
            "x: expected 1 to 128 values with their probabilities, got 0",
        ),
        ("law a then x += {1: 0.5, 1: 0.5}", "bad-support", "a value stands twice"),
        ("law a then x += {1: 1e400}", "law-syntax", "a number of more than 12 digits"),
        ("law a then x * 2", "law-syntax", r"expected \+= or =, found '\*'"),
        ("law a then x += {1 0.5}", "law-syntax", "expected ':', found '0.5'"),
        ("law a then remove", "law-syntax", "expected 'it', found the end"),
        ("law a then remove it 2", "bad-support", "expected a probability from 0 to 1, got 2.0"),
        ("law a then spawn cow", "law-syntax", "expected 'at', found the end"),
        (
            "law a then spawn cow at (1)",
            "law-syntax",
            "expected target, two steps, or two steps and it; got 1 parts",
        ),
        ("law a then material(1) = 1", "law-syntax", "got 1 parts"),
        ("law a then x += 1 then x = 2", "bad-law", "the law 'a' has two effects on x"),
        ("law a then x += 1 law", "law-syntax", "expected a name, found the end"),
        ("law a then not += 1", "law-syntax", "expected an effect, found 'not'"),
    ],
)
def test_text_that_is_no_law_is_refused(text, code, message):
    with pytest.raises(DataError, match=message) as caught:
        parse_laws(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "text, code, message",
    [
        ("law a then player.wood += 1", "unknown-attribute", "player.wood: no such attribute"),
        ("law a then it.health += 1", "unknown-attribute", "it.health: no such attribute; there are: none"),
        (
            "law a each dog then it.health += 1",
            "unknown-object-kind",
            "no object is called 'dog'; there are: cow",
        ),
        (
            'law a when action == "dig" then player.health += 1',
            "unknown-action",
            "no action 'dig'; the actions are",
        ),
        (
            "law a then player.health += 101",
            "outside-domain",
            "101 is not among .*changes by whole numbers from 0 to 100",
        ),
        ("law a then player.health += 0.5", "outside-domain", "0.5 is not among"),
        (
            "law a then player.health = -1",
            "outside-domain",
            "-1 is not among its values; expected whole numbers",
        ),
        ('law a then player.health = "full"', "outside-domain", "'full' is not among"),
        (
            "law a then player.sleeping = 1",
            "outside-domain",
            "1 is not among its values; expected true or false",
        ),
        ("law a then player.sleeping += 1", "law-type", "only numbers can be added to"),
        (
            'law a then player.action = "dig"',
            "outside-domain",
            "'dig' is not among its values; expected one of noop",
        ),
        ("law a then player.health += {player.sleeping: 1}", "law-type", "expected a number, got a bool"),
        (
            'law a then material(target) = "gold"',
            "outside-domain",
            "'gold' is not among its values; expected one of water",
        ),
        (
            'law a then material(0, 1, it) = "sand"',
            "law-type",
            "expected steps from player or from it, got it",
        ),
        ('law a then material(true, 1) = "sand"', "law-type", "expected a number, got a bool"),
        ("law a then remove it", "law-type", "there is no object at hand: remove it"),
        ("law a then spawn dog at target", "unknown-object-kind", "no object is called 'dog'"),
        ("law a then spawn cow at target with age = 1", "unknown-attribute", "cow.age: no such attribute"),
        (
            "law a then spawn cow at target with health = 101",
            "outside-domain",
            "cow.health: 101 is not among",
        ),
        (
            "law a when player.health then player.health += 1",
            "law-type",
            "law 'a': expected a bool, got a number",
        ),
    ],
)
def test_laws_that_do_not_fit_the_schema_are_refused(crafter, text, code, message):
    with pytest.raises(DataError, match=message) as caught:
        Law.parse(text).check(crafter)
    assert caught.value.code == code


def test_a_schema_without_a_grid_has_no_materials():
    from suppose.worlds.laws import Schema

    schema = Schema.from_dicts([{"a": 1}], actions=("go",))
    with pytest.raises(DataError, match="the schema has no grid"):
        Law("a", "true", (SetMaterial((0, 1), {"sand": 1}),)).check(schema)


def test_laws_need_names_of_their_own(crafter):
    law = Law("a", "true", (Add("player.health", {1: 1}),))
    with pytest.raises(DataError, match="two laws are called 'a'"):
        check_laws([law, law], crafter)
    with pytest.raises(DataError, match="expected laws, got str"):
        check_laws(["law a"], crafter)
    with pytest.raises(DataError, match="expected one law, got 2"):
        Law.parse(f"{law}\n{law}")
    with pytest.raises(DataError, match="the law 'b' does nothing"):
        Law("b", "true", ())


@pytest.mark.parametrize(
    "make",
    [
        lambda: Add("x", {1: math.nan}), lambda: Add("x", {1: True}), lambda: Add("x", {None: 1}),
        lambda: Add("x y", {1: 1}), lambda: Add("", {1: 1}), lambda: Add("then", {1: 1}), lambda: Add("x", {1e300: 1}),
        lambda: Remove(1.5), lambda: Remove(True), lambda: Spawn("cow", "here"), lambda: Spawn("cow", (1,)),
        lambda: Spawn("", "target"), lambda: SetMaterial(7, {"sand": 1}), lambda: Add("x", {math.nan: 1}),
        lambda: Law("", "true", (Remove(),)), lambda: Law("a", "true", (Remove(),), each=""),
    ],
)  # fmt: skip
def test_parts_that_make_no_sense_are_refused(make):
    with pytest.raises(DataError) as caught:
        make()
    assert caught.value.code in ("bad-law", "bad-support", "empty-support")
