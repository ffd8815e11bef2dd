"""The examination of world models: exact ranks, the protocol's anchors, invariance, refusals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from suppose.core.errors import DataError, StudyError
from suppose.core.random import generator
from suppose.worlds.crafter import SCENARIOS, SCHEMA
from suppose.worlds.explore import Step
from suppose.worlds.laws import InertiaModel, LawWorldModel, RandomModel, Schema
from suppose.worlds.laws.evaluation import (
    Comparison,
    crafter_cases,
    crafter_distractors,
    evaluate_transitions,
    evaluate_world_model,
    expected_ranks,
)
from suppose.worlds.laws.law import parse_laws

ONE_STEP = ["collect_wood", "place_stone", "craft_wooden_pickaxe"]


class TrueCrafter:
    """The world itself: scores -1 for every value that differs from what comes next."""

    def sample(self, state, action, random):
        from suppose.worlds.crafter import WorldState, transition

        return transition(WorldState.model_validate(state), action)[0].model_dump()

    def log_prob(self, state, action, next_state):
        from suppose.worlds.laws.edits import comparable, patch

        truth = self.sample(state, action, None)
        return -float(len(patch(comparable(next_state, SCHEMA), comparable(truth, SCHEMA))))


class TestExpectedRanks:
    def by_permutation(self, scores, true):
        """The same by going through every order of the candidates."""
        counts = np.zeros(len(scores))
        orders = list(itertools.permutations(range(len(scores))))
        for order in orders:
            ranked = sorted(order, key=lambda place: -scores[place])
            counts[next(k for k, place in enumerate(ranked) if true[place])] += 1
        return counts / len(orders)

    @pytest.mark.parametrize("seed", range(12))
    def test_agrees_with_every_order(self, seed):
        rng = np.random.default_rng(seed)
        scores = rng.integers(0, 3, 6).astype(float)
        true = rng.random(6) < 0.4
        true[0] = True
        top = scores[true].max()
        scores[true] = top  # what equals the truth scores as it does
        np.testing.assert_allclose(
            expected_ranks(scores, true), self.by_permutation(scores, true), atol=1e-12
        )

    def test_minus_infinity_is_a_score(self):
        found = expected_ranks(np.array([-np.inf, -1.0, -np.inf]), np.array([True, False, False]))
        np.testing.assert_allclose(found, [0.0, 0.5, 0.5])

    def test_order_of_candidates_does_not_matter(self):
        scores, true = np.array([0.0, 1.0, 1.0, -2.0]), np.array([False, True, False, True])
        np.testing.assert_array_equal(expected_ranks(scores, true), expected_ranks(scores[::-1], true[::-1]))

    def test_sums_to_one(self):
        assert expected_ranks(np.zeros(8), np.arange(8) < 3).sum() == pytest.approx(1.0)


class TestProtocol:
    def test_equal_scores_rank_as_chance_says(self):
        found = evaluate_world_model(RandomModel(SCHEMA), ONE_STEP, trials=1)
        for _, row in found.scores.iterrows():
            count = int(row["candidates"])
            assert row["rank@1"] == pytest.approx(1 / count)
            assert row["mrr"] == pytest.approx(np.mean(1 / np.arange(1, count + 1)))

    def test_the_world_itself_is_always_first(self):
        found = evaluate_world_model(TrueCrafter(), ONE_STEP, trials=1)
        assert found.mean()["rank@1"] == 1.0
        assert found.mean()["raw"] == 0.0
        assert found.mean()["overlap"] == 1.0

    def test_failing_variants_alone_are_what_was_released(self):
        found = evaluate_world_model(InertiaModel(SCHEMA), ["place_stone", "collect_wood"], trials=1)
        released, success = found.restricted("released"), found.restricted("success")
        assert set(released.scores["variant"]) == {"failure", "success"}  # wood has no failing variant
        assert set(success.scores["variant"]) == {"success"}
        by_scenario = released.by_scenario()["mrr"]
        assert by_scenario["place_stone"] > success.by_scenario()["mrr"]["place_stone"]

    def test_modes_of_one_run_are_those_of_runs_of_their_own(self):
        whole = evaluate_world_model(InertiaModel(SCHEMA), ONE_STEP, trials=1)
        for mode in ("released", "success"):
            alone = evaluate_world_model(InertiaModel(SCHEMA), ONE_STEP, mode, trials=1)
            assert whole.restricted(mode).mean() == alone.mean()

    def test_distractors_are_as_released(self):
        """About seven candidates: two that apply always, copies of the state where no other object is."""
        case = crafter_cases(["collect_wood"], "both", 1)[0]
        found = dict(crafter_distractors(case.step, generator(1)))
        assert list(found)[:2] == ["health of others", "places of others"]
        assert found["health of others"] == case.step.state
        assert len(found) == 6

    def test_clocks_do_not_tell(self):
        """A law that counts steps would tell the truth from every distractor."""
        clock = parse_laws("law clock then step_count += {1: 1.0}")
        step = crafter_cases(["collect_wood"], "both", 1)[0].step
        model = LawWorldModel(clock, SCHEMA).fit([step])
        found = evaluate_world_model(model, ["place_stone"], trials=1)
        inertia = evaluate_world_model(InertiaModel(SCHEMA), ["place_stone"], trials=1)
        assert found.mean()["mrr"] == pytest.approx(inertia.mean()["mrr"])

    def test_equal_where_it_counts(self):
        strict = evaluate_world_model(InertiaModel(SCHEMA), ["place_stone"], "released", trials=1)
        fair = evaluate_world_model(
            InertiaModel(SCHEMA), ["place_stone"], "released", trials=1, equal="observed"
        )
        assert fair.mean()["rank@1"] > strict.mean()["rank@1"]

    @pytest.mark.slow
    def test_anchors_of_the_whole_protocol(self):
        """Chance and inertia on all 23 scenarios, as a prototype of the protocol measured them: 0.35 and 0.44."""
        models = {"random": RandomModel(SCHEMA), "inertia": InertiaModel(SCHEMA)}
        found = evaluate_world_model(models, variants="released", trials=2)
        assert found["random"].mean()["mrr"] == pytest.approx(0.35, abs=0.01)
        assert found["random"].mean()["rank@1"] == pytest.approx(0.13, abs=0.01)
        assert found["inertia"].mean()["mrr"] == pytest.approx(0.44, abs=0.02)
        assert len(found["inertia"].by_scenario()) == len(SCENARIOS) == 23


class TestInvariance:
    def test_same_seed_same_scores_for_any_number_of_jobs(self):
        one, two = (
            evaluate_world_model(RandomModel(SCHEMA), ONE_STEP, trials=2, jobs=jobs).scores for jobs in (1, 2)
        )
        assert one.equals(two)

    def test_a_model_is_scored_alike_alone_and_beside_others(self):
        alone = evaluate_world_model(InertiaModel(SCHEMA), ONE_STEP, trials=1)
        beside = evaluate_world_model(
            {"random": RandomModel(SCHEMA), "inertia": InertiaModel(SCHEMA)}, ONE_STEP, trials=1
        )
        assert isinstance(beside, Comparison)
        assert beside["inertia"].scores.equals(alone.scores)

    def test_histogram_sums_to_one_and_begins_with_rank_one(self):
        found = evaluate_world_model(InertiaModel(SCHEMA), ONE_STEP, trials=2)
        assert found.histogram().sum() == pytest.approx(1.0)
        assert found.histogram()[0] == pytest.approx(found.mean()["rank@1"])


class TestComparison:
    def test_wins_are_counted_by_scenario(self):
        models = {"world": TrueCrafter(), "random": RandomModel(SCHEMA)}
        found = evaluate_world_model(models, ONE_STEP, trials=1)
        assert found.wins("world", "random") == (3, 3)
        assert found.wins("random", "world") == (0, 3)
        assert list(found.to_frame()["model"]) == ["world", "random"]
        assert "rank@1 100.0%" in str(found["world"])

    def test_unknown_model(self):
        found = evaluate_world_model({"random": RandomModel(SCHEMA)}, ["collect_wood"], trials=1)
        with pytest.raises(StudyError, match="no such model was examined; there are: random"):
            found["inertia"]

    def test_plots(self):
        found = evaluate_world_model({"random": RandomModel(SCHEMA)}, ["collect_wood"], trials=1)
        assert (
            found.plot().get_xlabel() == found["random"].plot().get_xlabel() == "rank of the true next state"
        )


class TestOtherWorlds:
    def steps(self):
        return [
            Step({"oil": n % 5, "worn": n % 3}, "run", {"oil": max(0, n % 5 - 1), "worn": n % 3}, 0.0, False)
            for n in range(40)
        ]

    def test_groups_are_actions(self):
        steps = self.steps()
        schema = Schema.from_dicts([step.state for step in steps], actions=("run",))
        laws = parse_laws('law run when action == "run" and oil >= 1 then oil += {-1: 0.99, 0: 0.01}')
        model = LawWorldModel(laws, schema).fit(steps)
        found = evaluate_transitions({"laws": model, "still": InertiaModel(schema)}, steps, schema)
        assert list(found["laws"].by_scenario().index) == ["run"]
        assert found["laws"].mean()["mrr"] > found["still"].mean()["mrr"]

    def test_no_steps(self):
        schema = Schema.from_dicts([{"oil": 1}], actions=("run",))
        with pytest.raises(DataError, match="no transitions to examine the model on"):
            evaluate_transitions(InertiaModel(schema), [], schema)


class TestRefusals:
    def test_unknown_variant(self):
        with pytest.raises(StudyError, match="no variant 'succes'; there are: released, both, success"):
            evaluate_world_model(RandomModel(SCHEMA), ONE_STEP, "succes")

    def test_unknown_scenario(self):
        with pytest.raises(StudyError, match="no scenario 'collect_gold'"):
            evaluate_world_model(RandomModel(SCHEMA), ["collect_gold"])

    @pytest.mark.parametrize("trials", [0, -1, True])
    def test_bad_trials(self, trials):
        with pytest.raises(StudyError, match="expected a whole number from 1"):
            evaluate_world_model(RandomModel(SCHEMA), ONE_STEP, trials=trials)

    def test_unknown_equality(self):
        with pytest.raises(StudyError, match="expected one of state, observed, got 'all'"):
            evaluate_world_model(RandomModel(SCHEMA), ONE_STEP, equal="all")
