"""What happened: every change between a state and the next, as events with examples and counter-examples.

An event is a change of one attribute by an amount (``wood += 1``) or to a value (``facing.x = -1``); both readings are
offered, and the one that takes fewer laws is kept. A tile ahead of the actor that becomes another material, an object
that leaves, and one that appears ahead of the actor are events too. Rows on which an attribute had the value already
count neither for nor against an event that sets it.

What it does not see: changes of tiles elsewhere, objects that appear elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

from suppose.worlds.explore import Step
from suppose.worlds.laws.atoms import Table, can_be_said
from suppose.worlds.laws.expressions import parse
from suppose.worlds.laws.schema import OUTSIDE, Schema, lookup
from suppose.worlds.laws.views import View, split

__all__ = ["Event", "attribute_events", "departures", "material_events", "scalar_events", "spawn_events"]

MISSING = object()
ECHO = 0.95  # of the steps after which an attribute is the action


@dataclass(frozen=True)
class Event:
    """Something that happened on some rows of a table.

    Attributes
    ----------
    path : str
        What changed: an attribute, ``material(target)``, ``remove it``, ``spawn kind at place``.
    form : {"add", "set", "material", "remove", "spawn"}
        How it is told.
    value : number, text or truth value
        The amount or the value.
    positive, negative : (row,) truth values
        Where it happened, and where it did not.
    outcomes : list
        What happened on each row, in the same form.
    """

    path: str
    form: str
    value: Any
    positive: Bool[np.ndarray, " row"]
    negative: Bool[np.ndarray, " row"]
    outcomes: list[Any]


Readings = list[list[Event]]
"""Ways to tell the changes of one attribute, each a list of events."""


def scalar_events(steps: Sequence[Step], schema: Schema) -> Iterator[Readings]:
    """Changes of each attribute outside collections, on one row per transition."""
    for path, attribute in schema.scalars.items():
        if attribute.type == "float" or not can_be_said(path):
            continue
        names = split(path)
        before = [_read(step.state, names) for step in steps]
        after = [_read(step.next_state, names) for step in steps]
        echo = _echo(path, attribute.type, steps, before, after)
        yield [[echo]] if echo is not None else _readings(path, attribute.type, before, after)


def _echo(path: str, kind: str, steps: Sequence[Step], before: list[Any], after: list[Any]) -> Event | None:
    """The event that an attribute is the action, if it always is."""
    same = np.array([item == step.action for item, step in zip(after, steps, strict=True)], dtype=bool)
    if kind != "text" or same.mean() < ECHO:
        return None
    return Event(path, "set", parse("action"), same, ~same, after)


def attribute_events(table: Table, steps: Sequence[Step], schema: Schema) -> Iterator[Readings]:
    """Changes of the attributes of a kind of object, position left out, on one row per object."""
    assert table.kind is not None
    collection = schema.collections[schema.kinds[table.kind]]
    later = next_things(table, steps, schema)
    for path, attribute in schema.attributes_of(table.kind).items():
        if path in collection.position or attribute.type == "float":
            continue
        names = split(path)
        before = [_read(thing, names) for thing in table.things]
        after = [_read(thing, names) for thing in later]
        yield _readings(f"it.{path}", attribute.type, before, after)


def next_things(table: Table, steps: Sequence[Step], schema: Schema) -> list[Any]:
    """What became of the object on each row; None where it left."""
    found = []
    for step in steps:
        objects = View(schema, step.next_state, step.action).objects
        found.append({name: thing for things in objects.values() for name, thing in things})
    rows = zip(table.step, table.identities, strict=True)
    return [found[at].get(identity) for at, identity in rows]


def departures(table: Table, later: Sequence[Any]) -> Iterator[Event]:
    """The event that an object leaves."""
    gone = np.array([thing is None for thing in later], dtype=bool)
    if gone.any():
        yield Event("remove it", "remove", True, gone, ~gone, gone.tolist())


def material_events(steps: Sequence[Step], views: Sequence[View], schema: Schema) -> Iterator[Event]:
    """Events of the tile ahead, or of the one underfoot for those who face nowhere."""
    if schema.grid is None or schema.actor is None:
        return
    where = "target" if schema.heading is not None else "0, 0"
    before, after = [], []
    for step, view in zip(steps, views, strict=True):
        x, y = view.ahead if schema.heading is not None else view.actor
        following = View(schema, step.next_state, step.action)
        before.append(view.material(x, y))
        after.append(following.material(x, y))
    for event in _told(f"material({where})", "text", before, after):
        if event.value != OUTSIDE:
            yield Event(event.path, "material", event.value, event.positive, event.negative, event.outcomes)


def spawn_events(
    steps: Sequence[Step], views: Sequence[View], schema: Schema
) -> Iterator[tuple[Event, list[Any]]]:
    """Events of an object appearing ahead of the actor, with the objects that appeared."""
    if schema.heading is None:
        return
    found: dict[str, dict[int, Any]] = {}
    for at, (step, view) in enumerate(zip(steps, views, strict=True)):
        following = View(schema, step.next_state, step.action)
        for kind, things in following.objects.items():
            known = {identity for identity, _ in view.objects.get(kind, [])}
            for identity, thing in things:
                if identity not in known and following.place_of(thing, kind) == view.ahead:
                    found.setdefault(kind, {})[at] = thing
    for kind, places in found.items():
        positive = np.zeros(len(steps), dtype=bool)
        positive[list(places)] = True
        event = Event(f"spawn {kind} at target", "spawn", kind, positive, ~positive, positive.tolist())
        yield event, list(places.values())


def _read(content: Any, names: tuple[str, ...]) -> Any:
    try:
        value = lookup(content, names) if content is not None else MISSING
    except KeyError:
        value = MISSING
    return MISSING if value is None or isinstance(value, (dict, list)) else value


def _readings(path: str, kind: str, before: list[Any], after: list[Any]) -> Readings:
    """The changes of one attribute by amounts and values, and by values alone."""
    ways = [list(_told(path, kind, before, after))]
    return [*ways, list(_told(path, "text", before, after))] if kind == "int" else ways


def _told(path: str, kind: str, before: list[Any], after: list[Any]) -> Iterator[Event]:
    """The events that tell the changes of one attribute, those of most changes first."""
    known = np.array([b is not MISSING and a is not MISSING for b, a in zip(before, after, strict=True)])
    changed = known & np.array([b != a for b, a in zip(before, after, strict=True)])
    if not changed.any():
        return
    amounts = _amounts(before, after, known) if kind == "int" else None
    left = changed.copy()
    while left.any():
        form, value = _most_telling(after, amounts, left)
        event = _event(path, form, value, known, changed, before, after, amounts)
        left &= ~event.positive
        yield event


def _amounts(before: list[Any], after: list[Any], known: np.ndarray) -> list[Any]:
    pairs = zip(before, after, known, strict=True)
    return [a - b if ok else MISSING for b, a, ok in pairs]


def _most_telling(after: list[Any], amounts: list[Any] | None, left: np.ndarray) -> tuple[str, Any]:
    """The amount or the value that most of the changes left have in common; amounts first."""
    rows = np.flatnonzero(left)
    values = Counter(after[at] for at in rows).most_common(1)[0]
    if amounts is None:
        return "set", values[0]
    steps = Counter(amounts[at] for at in rows).most_common(1)[0]
    return ("add", steps[0]) if steps[1] >= values[1] else ("set", values[0])


def _event(
    path: str,
    form: str,
    value: Any,
    known: np.ndarray,
    changed: np.ndarray,
    before: list[Any],
    after: list[Any],
    amounts: list[Any] | None,
) -> Event:
    if form == "add" and amounts is not None:
        same = np.array([amount is not MISSING and amount == value for amount in amounts])
        return Event(path, form, value, same, known & ~same, amounts)
    is_value = known & np.array([item is not MISSING and item == value for item in after])
    outcomes = [item if moved else None for item, moved in zip(after, changed, strict=True)]
    return Event(path, "set", value, is_value & changed, known & ~is_value, outcomes)
