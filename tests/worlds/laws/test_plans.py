"""Plans: followed exactly, worth what they should be, the same choice in laws and world; several steps ahead."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import DataError, StudyError
from suppose.core.random import generator
from suppose.worlds.crafter import SCHEMA
from suppose.worlds.crafter.sandbox import mixed_transitions
from suppose.worlds.explore import Step
from suppose.worlds.laws import InertiaModel, LawWorldModel, Observable, Schema
from suppose.worlds.laws.foresight import Listed, calibration, likeliest, look_ahead, room_ahead, wrong_values
from suppose.worlds.laws.law import parse_laws
from suppose.worlds.laws.plans import Plan, Reward, compare_plans, follow
from suppose.worlds.laws.questions import CrafterTruth, crafter_questions

SHOP = Schema.from_dicts([{"stock": 0, "cash": 9}], actions=("buy", "sell", "wait"))


class Shop:
    """Buying costs one; one in two sales succeeds."""

    schema = SHOP

    def sample(self, state, action, random):
        moved = {"buy": 1, "sell": -int(random.random() < 0.5), "wait": 0}[action]
        return {"stock": state["stock"] + moved, "cash": state["cash"] - moved}


class TestFollow:
    def test_times_and_until(self):
        plan = Plan.of("p", [{"action": "buy", "times": 9, "until": "stock >= 3"}, "wait"])
        states, done = follow(Shop(), {"stock": 0, "cash": 9}, plan, SHOP, generator(1))
        assert done == ["buy", "buy", "buy", "wait"]
        assert states[-1] == {"stock": 3, "cash": 6}
        assert len(states) == len(done) + 1

    def test_an_end_cuts_a_plan_short(self):
        from suppose.worlds.laws.expressions import parse

        plan = Plan.of("p", [{"action": "buy", "times": 9}])
        _, done = follow(Shop(), {"stock": 0, "cash": 9}, plan, SHOP, generator(1), parse("cash <= 7"))
        assert done == ["buy", "buy"]

    def test_chase_walks_turns_and_strikes(self):
        question = crafter_questions()[0]
        states, done = follow(CrafterTruth(), question.state, question.plans[1], SCHEMA, generator(1))
        assert set(done) <= {"move_right", "move_up", "move_down", "move_left", "do"}
        assert "do" in done
        healths = [sum(t["health"] for t in state["objects"]) for state in states]
        assert healths[-1] < healths[0]

    def test_the_start_is_left_as_it_is(self):
        question = crafter_questions()[2]
        before = repr(question.state)
        compare_plans(CrafterTruth(), question.state, question.plans, question.reward, 2)
        assert repr(question.state) == before


class TestReward:
    states = ({"stock": 1, "cash": 5}, {"stock": 4, "cash": 2})

    @pytest.mark.parametrize(("over", "worth"), [("gain", 3.0), ("end", 4.0)])
    def test_gain_and_end(self, over, worth):
        assert Reward("stock", over).of(self.states, SHOP) == worth

    def test_damage_counts_what_left(self):
        def at(*healths):
            return {
                "objects": [
                    {"entity_id": k, "name": "zombie", "health": h, "position": {"x": k, "y": 0}}
                    for k, h in healths
                ]
            }

        course = [at((1, 5), (2, 5)), at((1, 3), (2, 5)), at((2, 6)), at((2, 6))]
        assert Reward("zombie", "damage").of(course, SCHEMA) == 5.0


class TestCompare:
    plans = (Plan.of("buy", ["buy", "buy"]), Plan.of("sell", [{"action": "sell", "times": 4}]))

    def test_means_of_known_chances(self):
        found = compare_plans(Shop(), {"stock": 0, "cash": 9}, self.plans, Reward("cash"), rollouts=400)
        assert found.means[0] == -2.0
        assert found.means[1] == pytest.approx(2.0, abs=3 * 1.0 / np.sqrt(400))  # four sales, variance 1
        assert found.preferred == "sell"
        gap, low, high = found.difference(1, 0)
        assert low < gap < high and low > 0
        assert found.to_frame()["best in"].tolist() == [0.0, 1.0]

    def test_same_seed_same_worth_for_any_number_of_jobs(self):
        one, two = (
            compare_plans(Shop(), {"stock": 0, "cash": 9}, self.plans, Reward("cash"), 6, 3, jobs=jobs)
            for jobs in (1, 2)
        )
        np.testing.assert_array_equal(one.rewards, two.rewards)

    def test_rollouts_of_the_world_have_luck_of_their_own(self):
        question = crafter_questions()[0]
        found = compare_plans(CrafterTruth(), question.state, question.plans, question.reward, 8)
        assert found.rewards[0].std() > 0

    def test_the_better_plan_is_better_in_the_world(self):
        for question in crafter_questions():
            found = compare_plans(
                CrafterTruth(), question.state, question.plans, question.reward, 20, ends=question.ends
            )
            assert found.preferred == question.plans[0].name
            assert found.difference()[1] > 0

    @pytest.mark.slow
    def test_laws_of_mixed_scenes_choose_as_the_world_does(self):
        from suppose.worlds.laws.inductive import InductiveSynthesizer

        steps = mixed_transitions(1_500, seed=1)
        model = LawWorldModel(InductiveSynthesizer().synthesize(list(steps), SCHEMA), SCHEMA).fit(steps)
        for question in crafter_questions():
            found = compare_plans(
                model, question.state, question.plans, question.reward, 20, ends=question.ends
            )
            assert found.preferred == question.plans[0].name

    def test_shown(self):
        found = compare_plans(
            Shop(), {"stock": 0, "cash": 9}, self.plans[:1], Reward("cash", words="cash"), 2
        )
        assert str(found) == "buy is better: buy -2 (cash, 2 rollouts)"
        assert found.plot().get_xlabel() == "cash"


class TestPlanRefusals:
    def test_unknown_action(self):
        with pytest.raises(StudyError, match="no action 'by'; the actions are: buy, sell, wait"):
            compare_plans(Shop(), {"stock": 0, "cash": 0}, [Plan.of("p", ["by"])], Reward("cash"))

    def test_unknown_attribute_in_the_reward(self):
        with pytest.raises(DataError, match="no such attribute"):
            compare_plans(Shop(), {"stock": 0, "cash": 0}, [Plan.of("p", ["buy"])], Reward("gold"))

    @pytest.mark.parametrize(
        ("parts", "problem"),
        [
            ([], "expected at least one instruction"),
            ([{"times": 2}], "expected action, times, until and chase; got times"),
            ([{"action": "buy", "times": 0}], "expected times from 1 to 10000, got 0"),
            ([{"action": "buy", "how": 1}], "expected action, times, until and chase"),
        ],
    )
    def test_bad_plans(self, parts, problem):
        with pytest.raises(StudyError, match=problem):
            Plan.of("p", parts)

    def test_nothing_to_chase_with(self):
        with pytest.raises(DataError, match="no object is called 'zombie'"):
            Plan.of("p", [{"action": "buy", "chase": "zombie"}]).check(SHOP)

    def test_unknown_reward(self):
        with pytest.raises(StudyError, match="expected one of gain, end, damage, got 'sum'"):
            Reward("stock", "sum")

    def test_bad_rollouts(self):
        with pytest.raises(StudyError, match="expected a whole number from 1, got 0"):
            compare_plans(
                Shop(), {"stock": 0, "cash": 0}, [Plan.of("p", ["buy"])], Reward("cash"), rollouts=0
            )


LAWS = parse_laws('law run when action == "run" then x += {1: 0.7, 0: 0.3}')
LINE = Schema.from_dicts([{"x": 1, "y": 1}], actions=("run", "rest"))


def walk(count, share, seed=0):
    """A walker that moves with a probability, and the steps in order."""
    rng, x, steps = np.random.default_rng(seed), 0, []
    for _ in range(count):
        after = x + int(rng.random() < share)
        steps.append(Step({"x": x, "y": 0}, "run", {"x": after, "y": 0}, 0.0, False))
        x = after if after < 90 else 0
    return steps


class TestForesight:
    def test_calibrated_where_the_law_is_right(self):
        steps = walk(3_000, 0.7)
        told = calibration(LawWorldModel(LAWS, LINE).fit(steps), steps, LINE)
        assert told.error < 3 * np.sqrt(0.25 / 3_000)

    def test_off_by_as_much_as_the_world_changed(self):
        model = LawWorldModel(LAWS, LINE).fit(walk(3_000, 0.7))
        told = calibration(model, walk(3_000, 0.3, seed=1), LINE)
        assert told.error == pytest.approx(0.4, abs=0.03)

    def test_likeliest_takes_the_mode(self):
        model = LawWorldModel(LAWS, LINE).fit(walk(300, 0.7))
        assert likeliest(model, {"x": 4, "y": 2}, "run", LINE) == {"x": 5, "y": 2}
        assert likeliest(model, {"x": 4, "y": 2}, "rest", LINE) == {"x": 4, "y": 2}

    def test_wrong_values_counts_each(self):
        step = Step({"x": 4, "y": 2}, "run", {"x": 9, "y": 9}, 0.0, False)
        assert wrong_values(LawWorldModel(LAWS, LINE).fit(walk(300, 0.7)), step, LINE) == 2

    def test_listed_draws_no_value_that_no_law_lists(self):
        model = LawWorldModel(LAWS, LINE, "none").fit(walk(300, 0.7))
        spread = model.distribution({"x": 4, "y": 2}, "run")[Observable("x")]
        assert sum(spread.probabilities) < 0.9  # unweighted, much goes to values nobody listed
        rng = generator(1)
        drawn = {Listed(model).sample({"x": 4, "y": 2}, "run", rng)["x"] for _ in range(100)}
        assert drawn == {4, 5}

    def test_look_ahead_stays_within_stretches(self):
        steps = [Step({"x": i, "y": 0}, "run", {"x": i + 1, "y": 0}, 0.0, i == 4) for i in range(10)]
        assert room_ahead(steps).tolist() == [5, 4, 3, 2, 1, 5, 4, 3, 2, 1]
        found = look_ahead(InertiaModel(LINE), steps, LINE, horizons=(1, 5, 6))
        assert found.horizons == (1, 5)
        assert found.starts == (10, 2)
        np.testing.assert_array_equal(found.inertia, [1.0, 1.0])
        assert "1 ahead 1.00" in str(found)

    def test_a_sure_law_sees_far(self):
        laws = parse_laws('law run when action == "run" then x += {1: 1}')
        steps = walk(60, 1.0)
        found = look_ahead(LawWorldModel(laws, LINE).fit(steps), steps, LINE, horizons=(1, 10))
        assert found.model.tolist() == [0.0, 0.0]
        assert found.exact.tolist() == [1.0, 1.0]

    def test_refusals(self):
        with pytest.raises(StudyError, match="expected whole numbers from 1"):
            look_ahead(InertiaModel(LINE), walk(3, 1.0), LINE, horizons=(0,))
        with pytest.raises(DataError, match="no steps to look ahead from"):
            look_ahead(InertiaModel(LINE), [], LINE)
        model = LawWorldModel(LAWS, LINE).fit(walk(30, 0.7))
        with pytest.raises(DataError, match="no law speaks of any of these steps"):
            calibration(model, [Step({"x": 1, "y": 1}, "rest", {"x": 1, "y": 1}, 0.0, False)], LINE)
