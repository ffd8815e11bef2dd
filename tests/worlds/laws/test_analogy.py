"""Guesses about what was never seen: from names, from kinds of objects, and from not having tried."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.random import generator
from suppose.worlds.explore import Step
from suppose.worlds.laws.analogy import softened
from suppose.worlds.laws.effects import Add, Remove, Set
from suppose.worlds.laws.foil import tidy
from suppose.worlds.laws.inductive import InductiveSynthesizer
from suppose.worlds.laws.schema import Schema

TILES = ("grass", "coal", "iron", "gold")


def mine(seen: tuple[str, ...], count: int = 120) -> tuple[list[Step], Schema]:
    """A miner who faces one tile of a row; digging coal, iron or gold gives one of it and leaves grass."""
    random = generator(1, "mine")
    steps = []
    for _ in range(count):
        tile, action = str(random.choice(["grass", *seen])), str(random.choice(["dig", "wait"]))
        held = {name: int(random.integers(0, 3)) * bool(steps) for name in TILES[1:]}
        miner = {"x": 0, "y": 0, "facing": {"x": 1, "y": 0}, "held": held}
        dug = action == "dig" and tile != "grass"
        after = {**miner, "held": {**held, **({tile: held[tile] + 1} if dug else {})}}
        steps.append(Step({"miner": miner, "map": [["grass"], [tile]]}, action,
                          {"miner": after, "map": [["grass"], ["grass" if dug else tile]]}, 0.0, False))  # fmt: skip
    schema = Schema.from_dicts(
        [step.state for step in steps], actions=("dig", "wait", "make_gold"), actor="miner", materials=TILES
    )
    return steps, schema


def about(laws, *parts):
    return [law for law in laws if all(part in str(law) for part in parts)]


def test_targets_carry_laws_over():
    steps, schema = mine(("coal", "iron"))
    laws = InductiveSynthesizer().synthesize(steps, schema)
    (law,) = about(laws, 'action == "dig"', 'target == "gold"', "miner.held.gold")
    assert "(by analogy)" in law.words
    support = {key: p for effect in law.effects if isinstance(effect, Add) for key, p in effect.support}
    assert support[1] == pytest.approx(2.5 / 3, abs=1e-4)  # coal and iron bear it out, nothing contradicts
    assert not about(InductiveSynthesizer(analogies=False).synthesize(steps, schema), '"gold"')


def test_what_a_word_does_not_name_is_not_guessed():
    laws = InductiveSynthesizer().synthesize(*mine(("coal", "iron")))
    assert not about(laws, 'target == "grass"', "(by analogy)")


def test_an_action_never_taken_may_do_what_it_is_named_after():
    laws = InductiveSynthesizer().synthesize(*mine(("coal",)))
    (law,) = about(laws, 'action == "make_gold"')
    assert "never tried" in law.words
    supports = {effect.path: dict(effect.support) for effect in law.effects}
    assert supports["miner.held.gold"][0] == 0.5
    assert supports["miner.held.coal"][0] > 0.5


def test_an_action_that_does_something_is_not_guessed_about():
    laws = InductiveSynthesizer().synthesize(*mine(("coal",)))
    assert not any(
        "never tried" in law.words for law in about(laws, 'action == "dig"') if "target" not in str(law)
    )


def test_kinds_carry_blows_over():
    random = generator(2, "kinds")
    steps = []
    for number in range(200):
        kind, x = ("wolf", int(random.integers(0, 4))) if number % 10 else ("bear", 3)
        action = str(random.choice(["hit", "wait"]))
        beast = {"id": 1, "name": kind, "x": 1 + x, "y": 0, "health": int(random.integers(3, 8))}
        struck = {**beast, "health": beast["health"] - (action == "hit" and x == 0)}
        hero = {"x": 0, "y": 0, "facing": {"x": 1, "y": 0}}
        steps.append(
            Step({"hero": hero, "beasts": [beast]}, action, {"hero": hero, "beasts": [struck]}, 0.0, False)
        )
    schema = Schema.from_dicts([s.state for s in steps], actions=("hit", "wait"), actor="hero")
    laws = InductiveSynthesizer().synthesize(steps, schema)
    (wolf,) = [law for law in laws if law.each == "wolf"]
    (bear,) = [law for law in laws if law.each == "bear"]
    assert (wolf.when, wolf.effects[0].path) == (bear.when, bear.effects[0].path)
    assert "(by analogy)" in bear.words
    assert dict(bear.effects[0].support)[-1] == pytest.approx(0.75)


def test_softened_effects_keep_what_they_do():
    assert dict(softened(Add("a", {2: 0.9, 0: 0.1}), 0.6).support) == {2: 0.6, 0: 0.4}
    assert softened(Remove(0.9), 0.3) == Remove(0.3)
    assert dict(softened(Set("a", {True: 0.9, False: 0.1}), 0.7).support) == {True: 0.7, False: 0.3}


def test_probabilities_are_tidy():
    random = generator(3, "tidy")
    for size in range(1, 12):
        shares = random.dirichlet(np.full(size, 0.3))
        found = tidy(list(enumerate(shares.tolist())))
        assert sum(p for _, p in found) == pytest.approx(1, abs=1e-12)
        assert all(p >= 0.0001 and round(p, 4) == p for _, p in found)
        assert max(abs(p - share) for (_, p), share in zip(found, shares, strict=True)) < 0.0001 * (size + 1)
