"""The search for conjunctions: planted rules are found, chance is told by few conditions, noise by none."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.random import generator
from suppose.worlds.laws.atoms import ACTION, HELD, NEAR, OTHER, Atom
from suppose.worlds.laws.foil import cover
from suppose.worlds.laws.motion import leaves, negated, shares

NAMES = ("action", "near", "held", "other", "more")
RANKS = (ACTION, NEAR, HELD, OTHER, OTHER)


def atoms(count: int = 5) -> list[Atom]:
    return [Atom(NAMES[i], RANKS[i], 1.0, NAMES[i], "is", True) for i in range(count)]


def world(rows: int = 400, seed: int = 1) -> np.ndarray:
    return generator(seed, "truth").random((rows, 5)) < 0.5


def test_a_conjunction_is_found_exactly():
    truth = world()
    happens = truth[:, 0] & truth[:, 2]
    (rule,) = cover(happens, ~happens, truth, atoms())
    assert set(rule.atoms) == {0, 2}
    assert rule.hits == rule.rows == int(happens.sum())
    assert rule.probability == (rule.hits + 0.5) / (rule.rows + 1)


def test_a_disjunction_takes_two_rules():
    truth = world()
    happens = (truth[:, 0] & truth[:, 1]) | (truth[:, 2] & ~truth[:, 0] & truth[:, 3])
    with_not = np.hstack([truth, ~truth[:, :1]])
    named = [*atoms(), Atom("not action", ACTION, 1.0, "action", "is", False)]
    rules = cover(happens, ~happens, with_not, named)
    told = np.zeros(len(truth), dtype=bool)
    for rule in rules:
        assert rule.hits == rule.rows
        told |= with_not[:, list(rule.atoms)].all(axis=1)
    assert 2 <= len(rules) <= 3  # what two rules tell, a third may tell again
    assert (told == happens).all()


@pytest.mark.parametrize("chance", [0.9, 0.4])
def test_what_happens_by_chance_is_told_by_its_condition_and_a_probability(chance):
    truth = world(2_000)
    happens = truth[:, 0] & (generator(2, "chance").random(len(truth)) < chance)
    rules = cover(happens, ~happens, truth, atoms())
    assert [rule.atoms for rule in rules] == [(0,)]
    spread = 3 * np.sqrt(chance * (1 - chance) / truth[:, 0].sum())
    assert abs(rules[0].probability - chance) < spread


def test_noise_is_told_by_no_condition():
    truth = world(2_000)
    happens = generator(3, "noise").random(len(truth)) < 0.02
    assert all(rule.hits <= 0.2 * happens.sum() for rule in cover(happens, ~happens, truth, atoms(), mdl=3.0))


def test_ties_go_to_the_action():
    truth = np.repeat(np.array([[1, 1, 1, 1, 1], [0, 0, 0, 0, 0]], dtype=bool), 6, axis=0)
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0]):
        named = [atoms()[i] for i in order]
        (rule,) = cover(truth[:, 0], ~truth[:, 0], truth, named)
        assert [named[i].text for i in rule.atoms] == ["action"]


def test_a_single_example_needs_an_action():
    truth = np.zeros((60, 5), dtype=bool)
    truth[0, :2] = True
    happens = truth[:, 0].copy()
    assert [rule.atoms for rule in cover(happens, ~happens, truth, atoms())] == [(0,)]
    assert cover(happens, ~happens, truth[:, 1:], atoms()[1:]) == []


def test_thresholds_are_widened_as_far_as_the_examples_allow():
    amount = np.arange(200) % 10
    levels = (2, 5, 8)
    truth = np.array([amount >= level for level in levels]).T
    named = [Atom(f"oil >= {level}", HELD, 1.0, "oil", ">=", level) for level in levels]
    (rule,) = cover(amount >= 5, amount < 5, truth, named)
    assert [named[i].text for i in rule.atoms] == ["oil >= 5"]


def test_order_of_rows_does_not_change_a_clear_rule():
    truth = world()
    happens = truth[:, 0] & truth[:, 2]
    order = generator(5, "order").permutation(len(truth))
    first = cover(happens, ~happens, truth, atoms())
    second = cover(happens[order], ~happens[order], truth[order], atoms())
    assert [set(rule.atoms) for rule in first] == [set(rule.atoms) for rule in second]


def test_motion_is_split_where_circumstances_matter_and_nowhere_else():
    truth = world(1_000)
    steps = np.where(truth[:, 1], 1, generator(6, "steps").integers(-1, 2, len(truth)))
    found = leaves(steps, np.ones(len(steps), dtype=bool), truth, atoms())
    assert [conditions for conditions, _ in found] == [("near",), ("not near",)]
    assert shares(steps[found[0][1]])[1] > 0.99


@pytest.mark.parametrize(
    ("text", "sign", "value", "opposite"),
    [
        ("it.oil >= 3", ">=", 3, "it.oil < 3"),
        ('it.kind == "a"', "==", "a", 'it.kind != "a"'),
        ("free(1, 0, it)", "is", True, "not free(1, 0, it)"),
        ("not free(1, 0, it)", "is", False, "free(1, 0, it)"),
    ],
)
def test_opposites(text, sign, value, opposite):
    assert negated(Atom(text, 0, 1.0, text, sign, value)) == opposite
