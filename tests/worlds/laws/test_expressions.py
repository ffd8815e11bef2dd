"""The language: text and back, values against the world's own, one state against many."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import DataError
from suppose.worlds.crafter import WorldState
from suppose.worlds.crafter.generation import only
from suppose.worlds.crafter.ground import LAND, free
from suppose.worlds.crafter.ground import toward as true_toward
from suppose.worlds.crafter.kernels import called
from suppose.worlds.laws import Columns, parse
from suppose.worlds.laws.expressions import Expression, walk
from suppose.worlds.laws.nodes import Binary, Call, Listing, Literal, Path, Unary
from suppose.worlds.laws.views import Inactive, View

STATES = [
    'action == "do"',
    'target == "tree" or target in ("grass", "cow", "outside")',
    'near("table", 1)',
    'near("cow", 3) or near("water", 2) and not near("zombie", 8)',
    "free(1, 0) and not free(-1, 0)",
    'tile(5, 4) == "outside"',
    "dist(player, target) == 1",
    'count("zombie") + count("cow") > 1',
    "player.hunger * 2 - 3 >= 7",
    'toward(player, target, "long_x") == 1',
    "min(player.health, 3, player.inventory.food) < max(3, player.inventory.drink) - 1",
    "player.sleeping == false",
    'tile(player.facing.x * 3, player.facing.y * 3) != "grass"',
    "player.hunger * 1e12 * 1e12 > 0",
    "player.hunger == 0 or player.hunger * 1e12 * 1e12 > 0",
    "player.hunger != 0 and player.hunger * 1e12 * 1e12 > 0",
    "-player.fatigue + abs(player.position.x - player.position.y) * sign(player.facing.x) < 2",
    "player.facing.x not in (-1, 1)",
]
OBJECTS = [
    "dist(it, player) <= 2",
    'toward(it, player, "long_y") != 0',
    'toward(it, player, "short_x") + toward(it, target, "y") == 1',
    "it.health > 2",
    'free(toward(it, player, "x"), 0, it)',
    'near("player", 2, it) and it.position.x >= player.position.x',
    'near("cow", 4, it)',
    'near("grass", 1, it) and player.health > 5',
    "dist(it, target) == 0",
    'tile(0, 1, it) == "grass"',
]


def one_by_one(expression, columns, each):
    """Values of the interpreter, None where there is none."""
    found = []
    for view in columns.views:
        for _, thing in view.within_reach(each) if each else [(None, None)]:
            try:
                value = expression.value(view, thing, each)
            except Inactive:
                found.append(None)
                continue
            found.append(columns.encode(value))
    return found


def at_once(expression, columns, each):
    """Values of the compiled expression, None where there is none."""
    values, valid = expression.compile(columns.schema, each)(columns)
    return [float(value) if fine else None for value, fine in zip(values, valid, strict=True)]


@pytest.fixture(scope="module")
def columns(life, crafter):
    return Columns(crafter, [step.state for step in life], [step.action for step in life])


# Text and back.


@pytest.mark.parametrize(
    "text, printed",
    [
        ("(1 + 2) * 3 == 9", "(1 + 2) * 3 == 9"),
        ("1 + (2 * 3) == 7", "1 + 2 * 3 == 7"),
        ("1 - (2 - 3) == 2", "1 - (2 - 3) == 2"),
        ("1 - 2 - 3 == -4", "1 - 2 - 3 == -4"),
        ("not (a and b) or c", "not (a and b) or c"),
        ("a and (b or c)", "a and (b or c)"),
        ("(a == b) == c", "(a == b) == c"),
        ("not not a", "not not a"),
        ("- - 3 < -(x)", "3 < -x"),
        ("x - -3 < 1.50", "x - -3 < 1.5"),
        ('action in ("a",)', 'action in ("a",)'),
        ('x == "say \\"hi\\"\\n"', 'x == "say \\"hi\\"\\n"'),
        ("a # a comment\n and b", "a and b"),
        ("-(x + 1) * 2 > -x", "-(x + 1) * 2 > -x"),
        ("x + 1e3 > 2e-3", "x + 1000.0 > 0.002"),
        ("true and false", "true and false"),
        ("inbox.0 > size.1", "inbox.0 > size.1"),
    ],
)
def test_text_is_printed_with_the_fewest_parentheses(text, printed):
    assert str(parse(text)) == printed
    assert parse(printed) == parse(text)


def random_node(random, kind, depth):
    """A random node of a kind of value."""
    if kind == "bool":
        if depth < 1:
            return [Path("on"), Literal(True), Literal(False)][random.integers(3)]
        choice = random.integers(5)
        if choice == 0:
            return Unary("not", random_node(random, "bool", depth - 1))
        if choice < 3:
            sign = ("and", "or")[random.integers(2)]
            return Binary(
                sign, random_node(random, "bool", depth - 1), random_node(random, "bool", depth - 1)
            )
        left = random_node(random, "number", depth - 1)
        if choice == 3:
            items = tuple(random_node(random, "number", 0) for _ in range(random.integers(1, 4)))
            return Binary(("in", "not in")[random.integers(2)], left, Listing(items))
        sign = ("==", "!=", "<", "<=", ">", ">=")[random.integers(6)]
        return Binary(sign, left, random_node(random, "number", depth - 1))
    if depth < 1:
        return [
            Path("x"),
            Path("y.z"),
            Literal(int(random.integers(-9, 9))),
            Literal(float(random.normal())),
        ][random.integers(4)]
    choice = random.integers(3)
    if choice == 0:
        inner = random_node(random, "number", depth - 1)
        return inner if isinstance(inner, Literal) else Unary("-", inner)
    if choice == 1:
        name = ("abs", "sign", "min", "max")[random.integers(4)]
        count = 1 if name in ("abs", "sign") else random.integers(2, 4)
        return Call(name, tuple(random_node(random, "number", depth - 1) for _ in range(count)))
    sign = ("+", "-", "*")[random.integers(3)]
    return Binary(sign, random_node(random, "number", depth - 1), random_node(random, "number", depth - 1))


def test_whatever_is_printed_parses_back():
    random = np.random.default_rng(0)
    state = {"on": True, "x": 3, "y": {"z": -2.5}}
    tried = 0
    for _ in range(2_000):
        expression = Expression(
            random_node(random, ("bool", "number")[random.integers(2)], random.integers(5))
        )
        if len(walk(expression.root)) > 60:
            continue
        tried += 1
        again = parse(str(expression))
        assert again == expression, str(expression)
        assert again.evaluate(state, "go") == expression.evaluate(state, "go")
    assert tried > 1_500


# Values.


def test_arithmetic_comparison_and_logic():
    state = {"a": {"b": 3}, "list": [7, 8], "f": 0.5, "t": "up", "on": True}

    def value(text):
        return parse(text).evaluate(state, "go")

    assert value("a.b * 2 - 1 == 5 and list.1 == 8")
    assert value('action == "go" and t in ("up", "down") and t != "left"')
    assert value("abs(-f) + sign(-a.b) + min(1, f) + max(1, f, 2) == 2")
    assert value("not on or f < 1 and f >= 0.5")
    assert value("f not in (1, 2)") and not value("f in (0.25, 1)")
    assert value('t == "up" or missing > 1') and not value('t == "down" and missing > 1')


@pytest.mark.parametrize(
    "text", ["missing > 1", "a > 1", "t > 1", "a.b.c > 1", "list.2 > 1", 'near("x", 1)', "it.x > 1"]
)
def test_where_nothing_stands_there_is_no_value(text):
    with pytest.raises(DataError, match="has no value on this state"):
        parse(text).evaluate({"a": {"b": 3}, "t": "up", "list": [1]}, "go")


def test_types_are_those_of_the_schema(toy, toy_schema):
    toy["hero"]["gold"] = "two"
    with pytest.raises(DataError, match="has no value"):
        parse("hero.gold > 1").evaluate(toy, "wait", schema=toy_schema)
    toy["hero"]["gold"] = True
    with pytest.raises(DataError, match="has no value"):
        parse("hero.gold == 1").evaluate(toy, "wait", schema=toy_schema)


@pytest.mark.parametrize(
    "text, expected",
    [
        ('target == "chest"', True), ('near("wall", 1)', True), ('near("imp", 1)', False), ('near("imp", 2)', True),
        ("free(1, 0)", False), ("free(0, -1)", True), ("free(1, 1)", False), ("free(-2, 0)", False),
        ('tile(1, 0) == "wall"', False), ('tile(0, 1) == "wall"', True), ('tile(9, 9) == "outside"', True),
        ('count("imp") == 2', True), ("dist(hero, target) == 1", True), ("free(-1, 0)", True),
        ('toward(hero, target, "x") == 1', True),
    ],
)  # fmt: skip
def test_functions_of_the_toy_world(toy, toy_schema, text, expected):
    # Tiles are columns: tiles[x][y]; every column has its wall at y = 2.
    expression = parse(text)
    expression.check(toy_schema)
    assert expression.evaluate(toy, "wait", schema=toy_schema) is expected


def test_it_is_the_object_at_hand(toy, toy_schema):
    near, far = toy["things"][0], toy["things"][1]
    for text, one, other in [
        ("it.anger >= 4", True, False), ("dist(it, hero)", 2, 2), ('toward(it, hero, "x")', -1, 0),
        ("free(-1, 0, it)", False, True), ('near("hero", 2, it)', True, True), ('near("imp", 1, it)', False, False),
    ]:  # fmt: skip
        assert parse(text).evaluate(toy, "wait", near, toy_schema) == one, text
        assert parse(text).evaluate(toy, "wait", far, toy_schema) == other, text


def test_free_and_toward_are_the_worlds_own(life, crafter):
    for step in life[::3]:
        world = only(WorldState.from_dict(step.state).to_arrays())
        view = View(crafter, step.state, step.action)
        x, y = view.actor
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1), (2, 1)):
            value = parse(f"free({dx}, {dy})").value(view)
            assert value == bool(called(free, world, x + dx, y + dy, LAND))
        slots = {int(row[1]): slot for slot, row in enumerate(world.objects) if slot}
        for kind in view.objects:
            for identity, thing in view.objects[kind]:
                for long, name in ((True, "long"), (False, "short")):
                    expected = called(true_toward, world, slots[identity], long)
                    found = tuple(
                        parse(f'toward(it, player, "{name}_{part}")').value(view, thing, kind)
                        for part in "xy"
                    )
                    assert found == tuple(int(part) for part in expected)


# Many states at once.


@pytest.mark.parametrize("text", STATES)
def test_a_batch_of_states_gives_the_values_of_each(columns, text):
    expression = parse(text)
    values = one_by_one(expression, columns, None)
    assert at_once(expression, columns, None) == values
    assert len(values) == len(columns)


@pytest.mark.parametrize("kind", ["cow", "zombie"])
@pytest.mark.parametrize("text", OBJECTS)
def test_a_batch_of_objects_gives_the_values_of_each(columns, text, kind):
    expression = parse(text)
    values = one_by_one(expression, columns, kind)
    assert at_once(expression, columns, kind) == values
    assert len(values) > 5


def test_the_listed_expressions_are_not_all_trivial(columns):
    for text in STATES:
        assert (
            len(set(at_once(parse(text), columns, None))) > 1
            or "1e12" in text
            or "dist" in text
            or "outside" in text
        ), text


def test_random_expressions_agree_on_random_states(toy_schema):
    random = np.random.default_rng(1)
    numbers = ["hero.gold", "hero.luck", "hero.position.x", "it.anger", "dist(it, hero)", "2", "-1", "0.5"]
    states = []
    for _ in range(40):
        things = [
            {"id": i, "kind": str(random.choice(["imp", "chest"])), "open": True, "anger": int(random.integers(9)),
             "position": {"x": int(random.integers(5)), "y": int(random.integers(5))}}
            for i in range(random.integers(6))
        ]  # fmt: skip
        x, y, dx = (int(part) for part in random.integers(0, 5, 3))
        hero = {"position": {"x": x, "y": y}, "facing": {"x": dx % 3 - 1, "y": 0}, "gold": dx, "luck": x / 4}
        tiles = random.choice(["sand", "wall"], (5, 5)).tolist()
        states.append({"hero": hero, "things": things, "tiles": tiles, "night": bool(x % 2)})
    columns = Columns(toy_schema, states, ["wait"] * 40)
    atoms = ['near("imp", 1)', "free(1, 0)", "free(0, -1, it)", 'target == "imp"', "night", 'tile(0, 1, it) == "wall"',
             'near("wall", 1, it)', 'near("hero", 1, it)', 'count("chest") > 1']  # fmt: skip
    for _ in range(150):
        a, b, c = random.choice(numbers, 3)
        sign, compare, join = (
            random.choice(["+", "-", "*"]),
            random.choice(["<", "==", ">="]),
            random.choice(["and", "or"]),
        )
        text = f"{a} {sign} {b} {compare} {c} {join} {random.choice(['', 'not '])}{random.choice(atoms)}"
        expression = parse(text)
        assert at_once(expression, columns, "imp") == one_by_one(expression, columns, "imp"), text


def test_the_order_and_number_of_states_change_nothing(columns, life, crafter):
    expression = parse('near("cow", 3) and player.hunger < 9 or target == "tree"')
    whole = at_once(expression, columns, None)
    back = Columns(crafter, [s.state for s in life[::-1]], [s.action for s in life[::-1]])
    assert at_once(expression, back, None) == whole[::-1]
    alone = [at_once(expression, Columns(crafter, [s.state], [s.action]), None)[0] for s in life[:20]]
    assert alone == whole[:20]


def test_states_of_different_sizes_stand_in_one_batch(toy, toy_schema):
    small = {**toy, "tiles": [["sand"] * 2] * 2, "things": []}
    columns = Columns(toy_schema, [toy, small], ["wait", "hit"])
    for text in ("free(0, 1)", 'tile(0, 1) == "wall"', "free(1, 0)", 'near("imp", 2)', 'action == "hit"'):
        assert at_once(parse(text), columns, None) == one_by_one(parse(text), columns, None), text


# What is needed for routing.


@pytest.mark.parametrize(
    "text, actions",
    [
        ('action == "a" and x > 1', {"a"}), ('x > 1 and action in ("a", "b")', {"a", "b"}), ("x > 1", None),
        ('action == "a" or action == "b"', {"a", "b"}), ('action == "a" or x > 1', None), ('action != "a"', None),
        ('action == "a" and action in ("a", "b")', {"a"}), ('not action == "a"', None), ('"a" == action', None),
    ],
)  # fmt: skip
def test_actions_outside_of_which_a_condition_cannot_hold(text, actions):
    assert parse(text).required_actions() == actions


# Refusals.


@pytest.mark.parametrize(
    "text, message",
    [
        ("", r"line 1, column 1: expected a value, found the end"),
        ("1 <", r"line 1, column 4: expected a value, found the end"),
        ("a\nand and", r"line 2, column 5: expected a value, found 'and'"),
        ("(a", r"expected '\)', found the end"),
        ("a b", r"column 3: expected the end of the expression, found 'b'"),
        ("1 < 2 < 3", r"comparisons do not chain\. Write a < b and b < c"),
        ("abs(1, 2)", r"abs takes 1 arguments, got 2"),
        ("near()", r"near takes 2 to 3 arguments, got 0"),
        (
            "absolute(1)",
            r"no function 'absolute'; there are: abs, .*Did you mean 'abs'|no function 'absolute'",
        ),
        ("a == 'b'", r"unexpected \"'\""),
        ("9999999999999 > 1", r"a number of more than 12 digits"),
        ("x in (,)", r"expected a value, found ','"),
        ("x in y", r"expected '\(', found 'y'"),
    ],
)
def test_text_outside_the_grammar_is_refused_where_it_stands(text, message):
    with pytest.raises(DataError, match=message) as caught:
        parse(text)
    assert caught.value.code == "law-syntax"


@pytest.mark.parametrize(
    "text, code, message",
    [
        ("player.wood > 1", "unknown-attribute", r"player\.wood: no such attribute; there are: size\.0"),
        ('action == "jump"', "unknown-action", "no action 'jump'; the actions are: noop"),
        ('target == "tre"', "outside-domain", "target: 'tre' is not among its values; expected one of cow"),
        ('near("tre", 1)', "outside-domain", "'tre' is not among its values"),
        (
            'count("tree") > 1',
            "outside-domain",
            "'tree' is not among its values; expected one of cow, zombie",
        ),
        ('player.action in ("do", "dig")', "outside-domain", "player.action: 'dig' is not among"),
        ("player.health", "law-type", "expected a bool, got a number: player.health"),
        ("player.health + player.action > 1", "law-type", "expected a number, got a text: player.action"),
        ('player.health == "9"', "law-type", "a number is compared with a text"),
        ("not player.health", "law-type", "expected a bool, got a number: player.health"),
        ("player.sleeping and 1", "law-type", "expected a bool, got a number"),
        ("player.sleeping < true", "law-type", "expected a number, got a bool"),
        ("dist(it, player) < 3", "law-type", r"expected a place \(target, player\): it"),
        ("dist(player.position, player) < 3", "law-type", "expected a place"),
        ('near("tree", 9)', "law-type", "expected a whole number of tiles from 0 to 8 written out"),
        ('near("tree", player.health)', "law-type", "expected a whole number of tiles"),
        ("near(player.action, 1)", "law-type", "expected a text written out"),
        ('toward(player, target, "up") == 1', "law-type", "expected one of the axes x, y, long_x"),
        ("it.health > 1", "unknown-attribute", "Bind it by a line such as"),
    ],
)
def test_what_the_schema_does_not_have_is_refused(crafter, text, code, message):
    with pytest.raises(DataError, match=message) as caught:
        parse(text).check(crafter, where="law 'x'")
    assert caught.value.code == code


def test_a_schema_without_roles_knows_no_target():
    from suppose.worlds.laws import Schema

    schema = Schema.from_dicts([{"a": 1}], actions=("go",))
    for text, message in [('target == "x"', "nobody who faces"), ("free(1, 0)", "nobody who acts")]:
        with pytest.raises(DataError, match=message):
            parse(text).check(schema)
