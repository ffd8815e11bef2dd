"""Tables of conditions: the same truth as the interpreter's, no clocks, no condition twice; what counts as an event."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import DataError
from suppose.core.random import generator
from suppose.worlds.coverage import PairwiseCoverageExplorer
from suppose.worlds.crafter import SCHEMA, CrafterEnv
from suppose.worlds.explore import Step, explore
from suppose.worlds.laws.atoms import Table
from suppose.worlds.laws.columns import Columns
from suppose.worlds.laws.events import (
    attribute_events,
    departures,
    material_events,
    next_things,
    scalar_events,
)
from suppose.worlds.laws.expressions import parse
from suppose.worlds.laws.schema import Schema
from suppose.worlds.laws.views import Inactive


@pytest.fixture(scope="module")
def life() -> list[Step]:
    return list(explore(CrafterEnv(area=(32, 32)), PairwiseCoverageExplorer(), max_steps=60, seed=2))


@pytest.fixture(scope="module")
def columns(life) -> Columns:
    return Columns(SCHEMA, [step.state for step in life], [step.action for step in life])


@pytest.mark.parametrize("kind", [None, "cow"])
def test_truth_is_the_interpreters(columns, kind):
    table = Table(columns, kind)
    random = generator(1, "atoms")
    assert len(table) and len(table.atoms) > 50
    for number in random.choice(len(table.atoms), 60, replace=False):
        expression = parse(table.atoms[number].text)
        for row in random.choice(len(table), 10):
            try:
                value = expression.value(columns.views[table.step[row]], table.things[row], kind)
            except Inactive:
                value = False
            assert bool(value) == table.truth[row, number]


def test_conditions_tell_something_and_each_another_thing(columns):
    truth = Table(columns).truth
    assert truth.any(axis=0).all() and not truth.all(axis=0).any()
    by_quantity: dict[str, set[bytes]] = {}
    for atom, column in zip(Table(columns).atoms, truth.T, strict=True):
        key = np.packbits(column).tobytes()
        assert key not in by_quantity.setdefault(atom.quantity, set())
        by_quantity[atom.quantity].add(key)


def test_what_would_not_fit_into_memory_is_refused(columns, monkeypatch):
    monkeypatch.setattr("suppose.worlds.laws.atoms.MEMORY", 1_000.0)
    with pytest.raises(DataError, match="60 rows of transitions with over 6 conditions take more than 0 GB"):
        _ = Table(columns).atoms


def test_clocks_are_no_conditions(columns):
    assert not any("step_count" in atom.text for atom in Table(columns).atoms)


def test_every_change_is_an_event_of_each_reading(life):
    for readings in scalar_events(life, SCHEMA):
        for events in readings:
            changed = np.zeros(len(life), dtype=bool)
            for event in events:
                assert not (event.positive & event.negative).any()
                changed |= event.positive
            if not events:
                continue
            names = events[0].path.split(".")
            for row, step in enumerate(life):
                before, after = step.state, step.next_state
                for name in names:
                    before, after = before[name], after[name]
                assert not (before != after and not changed[row])


def test_rows_that_have_the_value_already_count_for_nothing():
    values = [0, 1, 1, 0, 1]
    steps = [Step({"lamp": {"lit": bool(v)}}, "press", {"lamp": {"lit": True}}, 0.0, False) for v in values]
    schema = Schema.from_dicts([s.state for s in steps], actions=("press",))
    ((events,),) = list(scalar_events(steps, schema))
    (event,) = events
    assert event.positive.tolist() == [True, False, False, True, False]
    assert not event.negative.any()


def test_tiles_ahead_and_departures_are_events(life, columns):
    assert {event.form for event in material_events(life, columns.views, SCHEMA)} <= {"material"}
    table = Table(columns, "cow")
    later = next_things(table, life, SCHEMA)
    gone = [thing is None for thing in later]
    assert [event.positive.tolist() for event in departures(table, later)] == ([gone] if any(gone) else [])
    for readings in attribute_events(table, life, SCHEMA):
        assert all(len(event.positive) == len(table) for events in readings for event in events)
