"""Weights: against the dense definition, closed forms, finite differences; gathered opinions against single ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize

from suppose.core.errors import EstimationError
from suppose.worlds.laws import LawWorldModel, Observable, Schema, inference, parse_laws
from suppose.worlds.laws.gathering import gather
from suppose.worlds.laws.inference import PENALTY, Opinions, pool, solve_weights
from suppose.worlds.laws.model import transitions_of
from suppose.worlds.laws.observables import SILENT, arrivals
from suppose.worlds.laws.opinions import Router
from suppose.worlds.laws.views import View, fitting, lookup, split

COIN = Schema.from_dicts([{"coin": 0}], actions=("toss",), domains={"coin": (0, 1)})


def tosses(heads, tails):
    return [({"coin": 0}, "toss", {"coin": 1})] * heads + [({"coin": 0}, "toss", {"coin": 0})] * tails


def random_opinions(random, laws=6, cases=30, size=7):
    """Opinions without any pattern."""
    law, case, opinion, value, score = [], [], [], [], []
    for number in range(cases):
        for one in random.choice(laws, random.integers(1, 4), replace=False):
            count = random.integers(1, 4)
            law.append(one)
            case.append(number)
            opinion += [len(law) - 1] * count
            value += random.choice(size, count, replace=False).tolist()
            score += np.log(random.dirichlet(np.ones(count))).tolist()
    outcome = random.integers(0, size, cases).astype(float)
    arrays = (np.array(law), np.array(case), np.array(opinion))
    return Opinions(
        *arrays, np.array(value, dtype=float), np.array(score), outcome, np.full(cases, float(size))
    )


def dense_loss(opinions, weights, size=7):
    """The negative log-likelihood as it is defined, over whole domains."""
    scores = np.zeros((len(opinions.outcome), size))
    for number, (law, case) in enumerate(zip(opinions.law, opinions.case, strict=True)):
        row = np.full(size, SILENT)
        mine = opinions.opinion == number
        row[opinions.value[mine].astype(int)] = opinions.score[mine]
        scores[case] += weights[law] * row
    tops = scores.max(axis=1, keepdims=True)
    whole = tops[:, 0] + np.log(np.exp(scores - tops).sum(axis=1))
    return float((whole - scores[np.arange(len(scores)), opinions.outcome.astype(int)]).sum())


def test_the_sparse_loss_is_the_dense_one():
    random = np.random.default_rng(0)
    for _ in range(20):
        opinions = random_opinions(random)
        weights = random.uniform(0, 2, 6)
        assert -pool(opinions, 6).log_likelihood(weights) == pytest.approx(
            dense_loss(opinions, weights), rel=1e-10
        )


def test_the_gradient_is_that_of_finite_differences():
    random = np.random.default_rng(1)
    problem, weights = pool(random_opinions(random), 6), random.uniform(0.1, 2, 6)
    _, gradient = problem._loss(weights)
    numeric = optimize.approx_fprime(weights, lambda w: problem._loss(w)[0], 1e-6)
    assert gradient == pytest.approx(numeric, rel=1e-4, abs=1e-4)


def test_the_loss_is_convex_and_the_minimum_does_not_depend_on_the_start():
    random = np.random.default_rng(2)
    problem = pool(random_opinions(random, cases=200), 6)
    for _ in range(50):
        a, b, share = random.uniform(0, 5, 6), random.uniform(0, 5, 6), random.random()
        middle = problem._loss(share * a + (1 - share) * b)[0]
        assert middle <= share * problem._loss(a)[0] + (1 - share) * problem._loss(b)[0] + 1e-9
    found = [solve_weights(problem, start=start)[0] for start in (0.01, 0.5, 5.0)]
    assert found[0] == pytest.approx(found[1], abs=1e-4) and found[2] == pytest.approx(found[1], abs=1e-4)


def test_cases_that_are_alike_are_counted_once(monkeypatch):
    model = LawWorldModel(parse_laws("law a then coin = {1: 0.7, 0: 0.3}"), COIN)
    opinions = gather(model._router, *transitions_of(tosses(70, 30), COIN)).opinions
    small = pool(opinions, 1)
    monkeypatch.setattr(inference, "_condensed", lambda whole: whole)
    large = pool(opinions, 1)
    assert (len(small.begins), len(large.begins)) == (2, 100)
    assert sorted(small.times.tolist()) == [30.0, 70.0]
    for weight in (0.0, 0.3, 2.0):
        weights = np.array([weight])
        assert small.log_likelihood(weights) == pytest.approx(large.log_likelihood(weights), rel=1e-12)
        assert small._loss(weights)[1] == pytest.approx(large._loss(weights)[1], rel=1e-9)


def test_condensing_keeps_the_loss_of_any_problem(monkeypatch):
    random = np.random.default_rng(3)
    opinions = random_opinions(random, laws=3, cases=300, size=3)
    small = pool(opinions, 3)
    monkeypatch.setattr(inference, "_condensed", lambda whole: whole)
    large = pool(opinions, 3)
    weights = np.array([0.4, 1.3, 0.1])
    assert small.log_likelihood(weights) == pytest.approx(large.log_likelihood(weights), rel=1e-12)


@pytest.mark.parametrize("heads", [50, 70, 90, 99])
def test_the_weight_of_a_coin_has_a_closed_form(heads):
    # With one law saying p = 0.7, the pool says logit = w * log(7 / 3): the likeliest w meets the share seen.
    model = LawWorldModel(parse_laws("law a then coin = {1: 0.7, 0: 0.3}"), COIN).fit(
        tosses(heads, 100 - heads)
    )
    expected = math.log(heads / (100 - heads)) / math.log(7 / 3)
    assert model.weights_[0] == pytest.approx(expected, abs=2e-3)
    assert model.distribution({"coin": 0}, "toss")[Observable("coin")].probability(1) == pytest.approx(
        heads / 100, abs=1e-3
    )


def test_a_sure_law_gets_the_weight_the_penalty_allows():
    # n (u / (1 + u)) * 10 = penalty with u = exp(-10 w), where the other value is not listed.
    model = LawWorldModel(parse_laws("law a then coin = 1"), COIN).fit(tosses(40, 0))
    u = 1 / (40 * 10 / PENALTY - 1)
    assert model.weights_[0] == pytest.approx(-math.log(u) / 10, abs=1e-3)


def test_wrong_laws_end_at_zero_and_unheard_ones_keep_their_start():
    laws = parse_laws("law right then coin = 1 law wrong then coin = 0 law never when coin > 5 then coin = 0")
    model = LawWorldModel(laws, COIN).fit(tosses(60, 0))
    assert model.weights_[0] > 0.9 and model.weights_[1] == 0 and model.weights_[2] == 0.5
    assert model.active_.tolist() == [60, 60, 0]


def test_laws_that_never_hold_cost_nothing(life, crafter, rules):
    never = parse_laws(
        "\n".join(f"law never{n} when player.health > 100 + {n} then player.health += 1" for n in range(300))
    )
    small, large = LawWorldModel(rules, crafter), LawWorldModel([*rules, *never], crafter)
    few, many = (m.fit(life[:60]) for m in (small, large))
    assert many.weights_[: len(rules)] == pytest.approx(few.weights_, abs=1e-6)
    assert set(many.weights_[len(rules) :]) == {0.5}
    gathered = [gather(m._router, *transitions_of(life[:60], crafter)).opinions for m in (few, many)]
    assert len(gathered[0].law) == len(gathered[1].law)
    assert pool(gathered[1], len(many.laws)).scores.nnz == pool(gathered[0], len(rules)).scores.nnz


# Opinions.


def later_value(opinion, before, after):
    """What came of an observable, read from the next state alone."""
    observable = opinion.observable
    if observable.tile is not None:
        return after.material(*observable.tile)
    if ".count." in observable.path:
        return arrivals(before, after)[observable.path.rpartition(".")[2]]
    if observable.object is None:
        value = lookup(after.state, split(observable.path))
    else:
        collection, _, name = observable.path.partition(".")
        thing = after.by_identity.get((collection, observable.object))
        if name == "exists":
            return int(thing is not None)
        if thing is None:
            return None
        value = fitting(thing, split(name), opinion.attribute)
    return round(value, 9) if opinion.attribute.type == "float" else value


def listed(opinions):
    """Gathered opinions as sorted rows of law, scores and size of the domain."""
    order = np.argsort(opinions.opinion, kind="stable")
    cuts = np.cumsum(np.bincount(opinions.opinion))[:-1]
    scores = np.split(np.round(opinions.score[order], 9), cuts)
    sizes = opinions.size[opinions.case]
    return sorted(
        (int(law), sorted(s.tolist()), size) for law, s, size in zip(opinions.law, scores, sizes, strict=True)
    )


@pytest.mark.parametrize("world", ["crafter", "toy"])
def test_gathered_opinions_are_those_of_single_states(world, life, crafter, rules, toy, toy_schema, toy_laws):
    if world == "crafter":
        schema, laws, steps = crafter, rules, life[-52:] + life[:60:2]
    else:
        schema, laws = toy_schema, toy_laws
        model = LawWorldModel(laws, schema, "none").fit([(toy, "wait", toy)])
        steps, now = [], toy
        for number in range(40):
            action = ("hit", "right", "wait")[number % 3]
            after = model.sample(now, action, np.random.default_rng(number))
            steps.append((now, action, after))
            now = after if number % 8 else toy
    router = Router(laws, schema)
    states, actions, following = transitions_of(steps, schema)
    gathered = gather(router, states, actions, following)
    rows, active, likelihood = [], np.zeros(len(laws), dtype=int), 0.0
    model = LawWorldModel(laws, schema, "none").fit(steps)
    for state, action, after_state in zip(states, actions, following, strict=True):
        said = router.ask(state, action)
        before, after = View(schema, state, ""), View(schema, after_state, "")
        found = model.predict(state, action).distributions
        for opinion in said.opinions:
            value = later_value(opinion, before, after)
            if value is None:
                continue
            size = opinion.attribute.size or len(found[opinion.observable].values) + 1
            rows.append(
                (opinion.law, sorted(np.round(list(opinion.scores.values()), 9).tolist()), float(size))
            )
        outcomes = {o.observable: later_value(o, before, after) for o in said.opinions}
        likelihood += sum(found[o].log_prob(value) for o, value in outcomes.items() if value is not None)
        for law, _ in said.active:
            active[law] += 1
    assert listed(gathered.opinions) == sorted(rows)
    assert gathered.active.tolist() == active.tolist() and not gathered.errors.any()
    assert model.log_likelihood_ == pytest.approx(likelihood, rel=1e-9)
    assert len(rows) > 80 and (active > 0).sum() > 0.3 * len(laws)


def test_the_order_of_transitions_changes_nothing(life, crafter, rules):
    one, two = (LawWorldModel(rules, crafter).fit(steps) for steps in (life[:60], life[:60][::-1]))
    assert one.weights_ == pytest.approx(two.weights_, abs=2e-3)
    assert one.log_likelihood_ == pytest.approx(two.log_likelihood_, abs=1e-6)
    again = LawWorldModel(rules, crafter).fit(life[:60])
    assert again.weights_.tolist() == one.weights_.tolist()


def test_laws_that_cannot_be_told_are_inactive_and_counted(toy, toy_schema):
    import copy

    laws = parse_laws("""
    law lost when hero.gold > 1 then hero.gold += 1
    law off then material(-9, 0) = "sand" then hero.gold += {-1: 1}
    law beside each imp then it.anger += {hero.gold: 1}
    law fine then hero.luck += {1: 1}
    """)
    bare = copy.deepcopy(toy)
    del bare["hero"]["gold"]
    model = LawWorldModel(laws, toy_schema).fit([(toy, "wait", toy), (bare, "wait", bare)])
    assert model.errors_.tolist() == [1, 2, 2, 0] and model.active_.tolist() == [1, 0, 2, 2]
    assert [str(o) for o in model.distribution(bare, "wait")] == ["hero.luck"]
    assert model.explain(bare, "wait").errors == ("lost", "off", "beside", "beside")


def test_too_large_problems_are_refused_before_they_are_built(monkeypatch):
    monkeypatch.setattr(inference, "MEMORY", 100.0)
    with pytest.raises(EstimationError, match=r"opinions on 30 values need more than 0 GB"):
        pool(random_opinions(np.random.default_rng(0)), 6)


def test_a_search_that_is_cut_short_is_refused():
    problem = pool(random_opinions(np.random.default_rng(4), cases=200), 6)
    with pytest.raises(EstimationError, match="no minimum within 1 iterations"):
        solve_weights(problem, iterations=1)
