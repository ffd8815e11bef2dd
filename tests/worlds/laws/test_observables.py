"""What is predicted of a state, and distributions over it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from suppose.core.errors import DataError
from suppose.worlds.laws import Attribute, Distribution, Observable, changes
from suppose.worlds.laws.observables import SILENT, arrivals, extract, values_of
from suppose.worlds.laws.opinions import log_score
from suppose.worlds.laws.views import View

HUNDRED = Attribute("int", 0, 100)


def dense(opinions, domain):
    """The pool over every value of a domain, as it is defined."""
    totals = np.array([sum(w * scores.get(v, SILENT) for scores, w in opinions) for v in domain])
    weights = np.exp(totals - totals.max())
    return dict(zip(domain, weights / weights.sum(), strict=True))


def test_the_pool_is_the_one_over_the_whole_domain():
    random = np.random.default_rng(0)
    for _ in range(100):
        opinions = []
        for _ in range(random.integers(1, 5)):
            values, chances = random.integers(0, 9, 3).tolist(), random.dirichlet([1] * 3).tolist()
            scores = {value: log_score(chance) for value, chance in zip(values, chances, strict=True)}
            opinions.append((scores, float(random.uniform(0, 3))))
        found, expected = Distribution.pooled(opinions, 3, HUNDRED), dense(opinions, range(101))
        for value in range(101):
            assert found.probability(value) == pytest.approx(expected[value], rel=1e-9, abs=1e-300)
        assert found.mode == 3 or expected[found.mode] == pytest.approx(max(expected.values()))


def test_a_lone_law_of_weight_one_says_what_it_lists():
    found = Distribution.pooled([({1: math.log(0.9), 0: math.log(0.1)}, 1.0)], 0, Attribute("int", 0, 1))
    assert found.probability(1) == pytest.approx(0.9)
    doubled = Distribution.pooled([({1: math.log(0.9), 0: math.log(0.1)}, 2.0)], 0, Attribute("int", 0, 1))
    assert doubled.probability(1) == pytest.approx(0.81 / 0.82)


def test_weight_zero_is_uniform_and_uniform_is_uniform():
    for found in (Distribution.pooled([({1: 0.0}, 0.0)], 5, HUNDRED), Distribution.uniform(5, HUNDRED)):
        assert found.probability(1) == pytest.approx(1 / 101) == found.probability(77)
        assert found.mode == 5 or found.values


def test_impossible_values_have_the_least_score():
    assert log_score(0.0) == -50.0 and log_score(1e-30) == -50.0
    found = Distribution.pooled([({0: 0.0, 1: -50.0}, 1.0)], 1, Attribute("int", 0, 1))
    assert found.probability(1) < 1e-20 and found.others == 0


@pytest.mark.parametrize(
    "attribute, current, listed",
    [(Attribute("int", 0, 4), 2, {1: -1.0, 2: -2.0}), (Attribute("text", values=("a", "b", "c")), "a", {"b": -0.5}),
     (Attribute("bool"), True, {False: -1.0})],
)  # fmt: skip
def test_draws_follow_the_probabilities(attribute, current, listed):
    found = Distribution.pooled([(listed, 0.2)], current, attribute)
    random, draws = np.random.default_rng(1), 20_000
    drawn = [found.sample(random) for _ in range(draws)]
    domain = {"int": range(5), "text": attribute.values, "bool": (False, True)}[attribute.type]
    assert sum(found.probability(value) for value in domain) == pytest.approx(1)
    for value in domain:
        p = found.probability(value)
        assert abs(drawn.count(value) / draws - p) <= 3.5 * math.sqrt(p * (1 - p) / draws)
    assert set(drawn) <= set(domain)


def test_values_that_cannot_be_listed_stay():
    found = Distribution.pooled([({0.5: 0.0}, 0.1)], 2.25, Attribute("float"))
    assert {found.sample(np.random.default_rng(n)) for n in range(40)} == {0.5, 2.25}
    assert found.log_prob(9.0) == found.other


def test_crafter_gives_what_onelife_extracts(life, crafter):
    state = life[0].state
    found = extract(state, crafter)
    paths = {observable.path for observable in found}
    items = {f"player.inventory.{name}" for name in state["player"]["inventory"]}
    assert len(items) == 16 and items <= paths
    alone = {"player.position.x", "player.position.y", "player.health"} | items
    assert {path for path in paths if path.startswith("player")} == alone
    cow = next(thing for thing in state["objects"] if thing["name"] == "cow")
    of_cow = {o.path: value for o, value in found.items() if o.object == cow["entity_id"]}
    assert of_cow == {
        "objects.exists": 1, "objects.position.x": cow["position"]["x"], "objects.position.y": cow["position"]["y"],
        "objects.health": 3,
    }  # fmt: skip
    narrow = {observable.path for observable in extract(state, crafter, narrow=True)}
    assert "player.health" in narrow and not items & narrow


def test_changes_are_what_differs(toy, toy_schema):
    import copy

    after = copy.deepcopy(toy)
    after["hero"]["gold"] = 3
    after["night"] = True
    after["things"] = [*after["things"][1:], {**after["things"][0], "id": 9}]
    found = {str(o): pair for o, pair in changes(toy, after, toy_schema).items()}
    assert found["hero.gold"] == (2, 3) and found["night"] == (False, True)
    assert found["things[1].exists"] == (1, None) and found["things[9].exists"] == (None, 1)
    assert "things[2].anger" not in found
    assert arrivals(View(toy_schema, toy, ""), View(toy_schema, after, "")) == {"imp": 1, "chest": 0}
    assert changes(toy, toy, toy_schema) == {}


def test_the_order_of_objects_changes_nothing(toy, toy_schema):
    import copy

    other = copy.deepcopy(toy)
    other["things"].reverse()
    assert changes(toy, other, toy_schema) == {}
    assert values_of(toy, toy_schema) == values_of(other, toy_schema)


def test_texts_are_numbered_by_the_schema(toy, toy_schema):
    assert extract(toy, toy_schema)[Observable("hero.mood")] == 0
    toy["hero"]["mood"] = "puzzled"
    assert extract(toy, toy_schema)[Observable("hero.mood")] == -1


@pytest.mark.parametrize(
    "change, message",
    [
        (
            lambda s: s["things"].append({**s["things"][0], "anger": 1}),
            "things: two objects have the identity 1",
        ),
        (lambda s: s["things"][0].pop("id"), "things: an object lacks 'id'"),
        (lambda s: s["things"][0].pop("position"), "an object of the kind 'imp' has no position"),
        (lambda s: s["tiles"][0].pop(), "tiles: expected columns of equal length"),
    ],
)
def test_states_that_contradict_themselves_are_refused(toy, toy_schema, change, message):
    from suppose.worlds.laws import Columns, parse

    change(toy)
    for ask in (
        lambda: parse('free(1, 0) and near("wall", 1) or near("wall", 1)').evaluate(
            toy, "wait", schema=toy_schema
        ),
        lambda: parse('free(1, 0) and near("wall", 1) or near("wall", 1)').compile(toy_schema)(
            Columns(toy_schema, [toy], ["wait"])
        ),
    ):
        with pytest.raises(DataError, match=message):
            ask()
