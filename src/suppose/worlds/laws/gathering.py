"""Opinions of all laws on many transitions at once, as arrays.

Laws are evaluated on the columns of a batch, each on the rows its actions and objects leave; what is built afterwards
holds the opinions of active laws alone. The same opinions as :class:`~suppose.worlds.laws.opinions.Router` gives one
state at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64

from suppose.worlds.laws.columns import Columns, Frame, Values, Vocabulary
from suppose.worlds.laws.effects import Add, Effect, Remove, Set, SetMaterial, Spawn, Where
from suppose.worlds.laws.expressions import Expression
from suppose.worlds.laws.inference import Opinions
from suppose.worlds.laws.nodes import Path
from suppose.worlds.laws.observables import ARRIVALS, FLOOR
from suppose.worlds.laws.opinions import Router
from suppose.worlds.laws.schema import OUTSIDE, Attribute, Schema, State
from suppose.worlds.laws.views import split

__all__ = ["Gathered", "gather"]

Numbers = Int64[np.ndarray, " n"]
Floats = Float64[np.ndarray, " n"]


@dataclass(frozen=True)
class Gathered:
    """What was gathered.

    Attributes
    ----------
    opinions : Opinions
    active, errors : array of int, shape (laws,)
        How often each law held (once per object it is about), and how often it could not be told.
    """

    opinions: Opinions
    active: Int64[np.ndarray, " laws"]
    errors: Int64[np.ndarray, " laws"]


@dataclass
class _Part:
    """Opinions of one effect: one per row."""

    law: int
    topic: str
    key: Numbers
    values: Float64[np.ndarray, "n j"]
    chances: Float64[np.ndarray, " j"]
    outcome: Floats
    size: float


@dataclass
class _Batch:
    """The states before and after."""

    before: Columns
    after: Columns
    narrow: bool
    tiles: bool
    later: dict[tuple[int, str, Any], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        things = self.after.objects
        kinds = {number: name for name, number in self.after.vocabulary.items()}
        paths = {
            number: self.after.schema.kinds.get(kinds[number], "") for number in set(things.kind.tolist())
        }
        self.later = {
            (state, paths[kind], identity): row
            for row, (state, kind, identity) in enumerate(
                zip(things.state.tolist(), things.kind.tolist(), things.identities, strict=True)
            )
        }


def gather(
    router: Router,
    states: Sequence[State],
    actions: Sequence[str],
    following: Sequence[State],
    narrow: bool = False,
    tiles: bool = True,
) -> Gathered:
    """Opinions of all laws on transitions.

    Parameters
    ----------
    router : Router
        The laws and their schema.
    states, actions, following : sequences of equal length
        States before, what was done, states after.
    narrow : bool
        Only what the product-of-experts baseline looks at.
    tiles : bool
        Materials that laws set count too.
    """
    words = Vocabulary()
    before = Columns(router.schema, states, actions, words)
    batch = _Batch(before, Columns(router.schema, following, actions, words), narrow, tiles)
    parts: list[_Part] = []
    active = np.zeros(len(router.laws), dtype=np.int64)
    errors = np.zeros(len(router.laws), dtype=np.int64)
    for number in range(len(router.laws)):
        found, active[number], errors[number] = _of_law(router, number, batch)
        parts += found
    return Gathered(_joined(parts), active, errors)


def _of_law(router: Router, number: int, batch: _Batch) -> tuple[list[_Part], int, int]:
    """Opinions of one law, how often it held, and how often it could not be told."""
    law, columns = router.laws[number], batch.before
    frame = _routed(Frame(columns, law.each), router.required[number])
    if not len(frame):
        return [], 0, 0
    held = frame.value(law.when.root)
    errors = int(np.count_nonzero(~held.valid))
    frame = frame.narrowed(held.valid & (held.values != 0))
    if not len(frame):
        return [], 0, errors
    keys = {effect.path: _listed(effect, frame) for effect in law.effects}
    told = np.logical_and.reduce([valid for _, valid in keys.values()])
    errors += int(np.count_nonzero(~told))
    if not told.all():
        frame = frame.narrowed(told)
    parts = []
    for effect in law.effects if len(frame) else ():
        part = _part(number, effect, frame, keys[effect.path][0][told], batch)
        parts += [part] if part is not None else []
    return parts, len(frame), errors


def _routed(frame: Frame, actions: frozenset[str] | None) -> Frame:
    """The rows under some actions."""
    if actions is None:
        return frame
    codes = [frame.columns.code(action) for action in sorted(actions)]
    return frame.narrowed(np.isin(frame.columns.action[frame.state], codes))


def _listed(effect: Effect, frame: Frame) -> tuple[Float64[np.ndarray, "n j"], Bool[np.ndarray, " n"]]:
    """Values an effect lists on each row, and whether it can be told."""
    if isinstance(effect, Remove):
        return np.tile([0.0, 1.0], (len(frame), 1)), np.ones(len(frame), dtype=bool)
    if isinstance(effect, Spawn):
        valid = _tile(effect.position, frame)[2]
        for _, value in effect.attributes:
            valid = valid & frame.value(value.root).valid
        return np.tile([1.0, 0.0], (len(frame), 1)), valid
    columns = [_keyed(key, frame) for key, _ in effect.support]
    values = np.stack([column.values for column in columns], axis=1)
    valid = np.logical_and.reduce([column.valid for column in columns])
    if isinstance(effect, SetMaterial):
        x, y, stands = _tile(effect.where, frame)
        material, mapped = frame.columns.material(frame.state, x, y)
        return values, valid & stands & mapped & (material != frame.columns.vocabulary[OUTSIDE])
    current = frame.value(Path(effect.path))
    if isinstance(effect, Add):
        values = values + current.values[:, None]
    return _fitted(values, _attribute(effect, frame)), valid & current.valid


def _keyed(key: Any, frame: Frame) -> Values:
    return frame.value(key.root) if isinstance(key, Expression) else frame.constant(frame.columns.encode(key))


def _attribute(effect: Add | Set, frame: Frame) -> Attribute:
    return frame.columns.schema.attribute(effect.path, frame.kind)


def _fitted(values: Any, attribute: Attribute) -> Any:
    """Values brought into the domain, as for a single state."""
    if attribute.type == "int":
        return np.trunc(np.clip(values, attribute.low, attribute.high))
    return np.round(values, 9) if attribute.type == "float" else values


def _tile(where: Where, frame: Frame) -> tuple[Any, Any, Any]:
    """Tiles a place of an effect means, and whether they exist."""
    if isinstance(where, str):
        x, y, valid = (part[frame.state] for part in frame.columns.ahead)
        return x, y, valid
    x, y, valid = frame.place(where[2].root if len(where) > 2 else None)
    dx, dy = (frame.value(part.root) for part in where[:2])
    return x + dx.values.astype(np.int64), y + dy.values.astype(np.int64), valid & dx.valid & dy.valid


def _part(number: int, effect: Effect, frame: Frame, values: Any, batch: _Batch) -> _Part | None:
    """Opinions of one effect with what came of them; None for what is not predicted."""
    schema = frame.columns.schema
    if isinstance(effect, Remove):
        path = f"{schema.kinds[frame.kind or '']}.exists"
        chances = np.array([effect.probability, 1 - effect.probability])
        outcome = (_later(frame, batch) >= 0).astype(float)
        return _kept(_Part(number, path, _things(frame), values, chances, outcome, 2.0), schema, batch)
    if isinstance(effect, Spawn):
        path = f"{schema.kinds[effect.kind]}.count.{effect.kind}"
        chances = np.array([effect.probability, 1 - effect.probability])
        came = _arrivals(effect.kind, batch)[frame.state]
        return _kept(
            _Part(number, path, frame.state, values, chances, came, float(ARRIVALS.size or 1)), schema, batch
        )
    chances = np.array([probability for _, probability in effect.support])
    if isinstance(effect, SetMaterial):
        return _material(number, effect, frame, values, chances, batch)
    return _of_attribute(number, effect, frame, values, chances, batch)


def _kept(part: _Part, schema: Schema, batch: _Batch) -> _Part | None:
    """The part, if it is of what the product-of-experts baseline looks at (or if all is looked at)."""
    return part if not batch.narrow or schema.is_observed(part.topic, True) else None


def _things(frame: Frame) -> Numbers:
    return frame.things if frame.things is not None else frame.state


def _of_attribute(
    number: int, effect: Add | Set, frame: Frame, values: Any, chances: Any, batch: _Batch
) -> _Part | None:
    """Opinions on an attribute of the state or of an object that is still there."""
    schema, attribute = frame.columns.schema, _attribute(effect, frame)
    if frame.kind is not None and effect.path.startswith("it."):
        topic, rows = f"{schema.kinds[frame.kind]}.{effect.path[3:]}", _later(frame, batch)
        contents = [batch.after.objects.contents[row] if row >= 0 else {} for row in rows]
        after, key = batch.after.gather(contents, split(effect.path[3:]), attribute), _things(frame)
        there = rows >= 0
    else:
        topic, key = effect.path, frame.state
        found = batch.after.scalar(effect.path)
        after, there = Values(found.values[key], found.valid[key]), np.ones(len(frame), dtype=bool)
    outcome = np.where(after.valid, after.values, np.nan)
    if attribute.type == "float":
        outcome = np.round(outcome, 9)
    size = float(attribute.size) if attribute.size is not None else np.inf
    part = _Part(number, topic, key[there], values[there], chances, outcome[there], size)
    return _kept(part, schema, batch)


def _material(
    number: int, effect: SetMaterial, frame: Frame, values: Any, chances: Any, batch: _Batch
) -> _Part | None:
    """Opinions on tiles."""
    if batch.narrow or not batch.tiles:
        return None
    columns, schema = frame.columns, frame.columns.schema
    x, y, _ = _tile(effect.where, frame)
    material, mapped = batch.after.material(frame.state, x, y)
    span = columns.span
    key = (frame.state * span + x) * span + y
    outcome = np.where(mapped, material.astype(float), np.nan)
    return _Part(number, "tiles", key, values, chances, outcome, float(len(schema.materials)) or np.inf)


def _later(frame: Frame, batch: _Batch) -> Numbers:
    """Row of each object among the objects after; -1 for those that are gone."""
    path = frame.columns.schema.kinds[frame.kind or ""]
    things = frame.columns.objects
    rows = _things(frame)
    states = frame.state.tolist()
    found = [
        batch.later.get((state, path, things.identities[row]), -1)
        for state, row in zip(states, rows, strict=True)
    ]
    return np.array(found, dtype=np.int64)


def _arrivals(kind: str, batch: _Batch) -> Floats:
    """How many objects of a kind came, by transition."""
    path = batch.before.schema.kinds[kind]
    known: set[tuple[int, Any]] = set()
    for other, where in batch.before.schema.kinds.items():
        if where == path:
            known |= _identities(batch.before, other)
    came = [state for state, identity in _identities(batch.after, kind) if (state, identity) not in known]
    return np.bincount(came, minlength=len(batch.before)).astype(float)


def _identities(columns: Columns, kind: str) -> set[tuple[int, Any]]:
    things = columns.objects
    rows = np.flatnonzero(things.kind == columns.vocabulary[kind])
    return {(int(things.state[row]), things.identities[row]) for row in rows}


def _joined(parts: list[_Part]) -> Opinions:
    """All opinions in one set of arrays."""
    topics = {topic: number for number, topic in enumerate(dict.fromkeys(part.topic for part in parts))}
    empty = np.zeros(0)
    whole = empty.astype(np.int64)
    if not parts:
        return Opinions(whole, whole, whole, empty, empty, empty, empty)
    topic = np.concatenate([np.full(len(part.key), topics[part.topic]) for part in parts])
    key = np.concatenate([part.key for part in parts])
    span = int(key.max(initial=0)) + 1
    _, first, case = np.unique(topic * span + key, return_index=True, return_inverse=True)
    law = np.concatenate([np.full(len(part.key), part.law) for part in parts])
    outcome = np.concatenate([part.outcome for part in parts])[first]
    size = np.concatenate([np.full(len(part.key), part.size) for part in parts])[first]
    widths = np.concatenate([np.full(len(part.key), part.values.shape[1]) for part in parts])
    opinion, value, score = _merged(
        np.repeat(np.arange(len(law)), widths),
        np.concatenate([part.values.ravel() for part in parts]),
        np.concatenate([np.tile(part.chances, len(part.key)) for part in parts]),
    )
    # What cannot be seen afterwards, and domains that cannot be listed, hold one more value than the laws list.
    outcome = np.where(np.isnan(outcome), -1e15, outcome)
    seen = np.arange(len(outcome))
    listed = _distinct(case[opinion], value, len(outcome))
    known = _distinct(np.concatenate([case[opinion], seen]), np.concatenate([value, outcome]), len(outcome))
    size = np.maximum(np.where(np.isinf(size), listed + 1, size), known)
    return Opinions(law, case, opinion, value, score, outcome, size)


def _merged(opinion: Numbers, value: Any, chance: Any) -> tuple[Any, Any, Any]:
    """Listed values of each opinion once, with the log-scores of their probabilities."""
    levels, codes = np.unique(value, return_inverse=True)
    keys, inverse = np.unique(opinion * len(levels) + codes, return_inverse=True)
    chances = np.bincount(inverse, weights=chance)
    with np.errstate(divide="ignore"):
        scores = np.maximum(np.log(chances), FLOOR)
    return keys // len(levels), levels[keys % len(levels)], scores


def _distinct(case: Numbers, value: Floats, cases: int) -> Float64[np.ndarray, " cases"]:
    """How many different values there are by case."""
    levels, codes = np.unique(value, return_inverse=True)
    keys = np.unique(case * len(levels) + codes)
    return np.bincount(keys // len(levels), minlength=cases).astype(float)
