"""Edits: against the jsonpatch package, and as a distance."""

from __future__ import annotations

import copy

import jsonpatch
import numpy as np
import pytest

from suppose.core.random import generator
from suppose.worlds.crafter import SCENARIOS, SCHEMA
from suppose.worlds.laws.edits import Edit, apply, comparable, distance, leaves, observed_part, overlap, patch
from suppose.worlds.laws.evaluation import crafter_cases, crafter_distractors


def pairs():
    """States of Crafter before and after, with distractors."""
    for case in crafter_cases(["zombie_defeat", "place_table", "eat_cow", "defeat_skeleton"], "both", 1):
        yield case.step.state, case.step.next_state
        for _, state in crafter_distractors(case.step, generator(3, "pairs")):
            yield state, case.step.next_state


class TestAgainstJsonpatch:
    def test_our_operations_applied_by_jsonpatch_give_the_truth(self):
        for before, after in pairs():
            operations = [edit.to_dict() for edit in patch(before, after)]
            assert jsonpatch.apply_patch(before, operations) == after

    def test_as_many_operations_as_jsonpatch_where_the_objects_stay(self):
        compared = 0
        for before, after in pairs():
            if [thing["entity_id"] for thing in before["objects"]] == [
                t["entity_id"] for t in after["objects"]
            ]:
                theirs = jsonpatch.make_patch(before, after).patch
                if not any(operation["op"] == "move" for operation in theirs):
                    assert len(patch(before, after)) == len(theirs)
                    compared += 1
        assert compared > 20

    def test_never_more_than_jsonpatch_when_an_object_leaves(self):
        before = {"objects": [{"id": k, "x": k, "health": 3 + k} for k in range(4)]}
        after = {"objects": before["objects"][1:]}
        assert len(patch(before, after)) == 1
        assert len(jsonpatch.make_patch(before, after).patch) >= 1


class TestPatch:
    def test_apply_is_the_inverse(self):
        rng = np.random.default_rng(1)
        for _ in range(100):
            before, after = (random_content(rng, 3) for _ in range(2))
            kept = copy.deepcopy(before)
            assert apply(before, patch(before, after)) == after
            assert before == kept

    def test_the_same_has_no_edits(self):
        state = SCENARIOS["eat_cow"].initial().model_dump()
        assert patch(state, copy.deepcopy(state)) == []
        assert distance(state, state) == (0, 0.0)

    def test_true_is_not_one(self):
        assert patch({"on": True}, {"on": 1}) == [Edit("replace", "/on", 1)]

    def test_names_with_slashes_are_escaped(self):
        edits = patch({"a/b": 1, "c~d": 2}, {"a/b": 3, "c~d": 4})
        assert {edit.path for edit in edits} == {"/a~1b", "/c~0d"}
        assert jsonpatch.apply_patch({"a/b": 1, "c~d": 2}, [e.to_dict() for e in edits]) == {
            "a/b": 3,
            "c~d": 4,
        }

    def test_objects_that_change_order_are_compared_by_place(self):
        before, after = [{"id": 1, "x": 0}, {"id": 2, "x": 0}], [{"id": 2, "x": 0}, {"id": 1, "x": 0}]
        assert apply(before, patch(before, after)) == after


class TestDistance:
    def test_normalised_by_the_leaves_of_the_truth(self):
        state = SCENARIOS["collect_wood"].initial().model_dump()
        changed = copy.deepcopy(state)
        changed["player"]["inventory"]["wood"] = 5
        raw, normalised = distance(state, changed)
        assert raw == 1
        assert normalised == pytest.approx(1 / leaves(changed))

    def test_about_150_leaves_on_nine_by_nine(self):
        state = comparable(SCENARIOS["collect_wood"].initial().model_dump(), SCHEMA)
        assert 130 <= leaves(state) <= 160

    def test_overlap_counts_shared_edits(self):
        state = {"a": 0, "b": 0, "c": 0}
        assert overlap(state, {"a": 1, "b": 1, "c": 0}, {"a": 1, "b": 0, "c": 1}) == pytest.approx(1 / 3)
        assert overlap(state, state, state) == 1.0


class TestComparable:
    def test_hidden_parts_are_left_out(self):
        kept = comparable(SCENARIOS["eat_cow"].initial().model_dump(), SCHEMA)
        assert not {"random_state", "event_bus", "chunks"} & kept.keys()
        assert "removed" not in kept["objects"][0]

    def test_order_of_objects_does_not_matter(self):
        state = SCENARIOS["cow_movement"].initial().model_dump()
        state["objects"] = [{**state["objects"][0], "entity_id": 9}, *state["objects"]]
        turned = {**state, "objects": state["objects"][::-1]}
        assert comparable(state, SCHEMA) == comparable(turned, SCHEMA)
        assert observed_part(state, SCHEMA) == observed_part(turned, SCHEMA)

    def test_clocks_are_not_observed(self):
        state = SCENARIOS["eat_cow"].initial().model_dump()
        later = {**state, "step_count": 7, "daylight": 0.1}
        assert observed_part(state, SCHEMA) == observed_part(later, SCHEMA)
        assert comparable(state, SCHEMA) != comparable(later, SCHEMA)


def random_content(rng, depth):
    """A nested dict of plain values."""
    if depth == 0:
        return [int(rng.integers(5)), "text", True, 0.5][int(rng.integers(4))]
    if rng.random() < 0.4:
        return [random_content(rng, depth - 1) for _ in range(int(rng.integers(4)))]
    names = rng.permutation(list("abcde"))[: int(rng.integers(1, 5))]
    return {str(name): random_content(rng, depth - 1) for name in names}
