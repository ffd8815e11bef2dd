"""What a language model is asked: which transitions show something new, and how the question is put.

A *detector* looks at one aspect of a transition: the attributes of the actor and the world, the actor's place, tiles,
and each kind of object (coming, going, changing). Transitions are taken in order; one is asked about if an aspect
shows a change, after that action, that was not asked about yet.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from suppose.worlds.explore import Step
from suppose.worlds.laws.schema import Schema, lookup
from suppose.worlds.laws.views import Inactive, View, split

__all__ = ["Question", "detected", "prompt_of", "questions_of"]

AROUND = 4  # tiles of the local map to each side
MOST_TILES = 12  # changed tiles written out
ASPECTS = {
    "attributes": "the attributes of the actor and of the world",
    "place": "where the actor stands",
    "tiles": "the tiles of the map",
}


@dataclass(frozen=True)
class Question:
    """One transition and what changed in one aspect of it: ``(path, before, after)`` each."""

    aspect: str
    step: Step
    changes: tuple[tuple[str, Any, Any], ...]
    number: int

    @property
    def words(self) -> str:
        """What it is about."""
        return f"transition {self.number}, {self.aspect}"


def questions_of(steps: Sequence[Step], schema: Schema, most: int) -> list[Question]:
    """Questions about changes that are new, at most so many.

    Examples
    --------
    >>> from suppose.worlds.laws.schema import Attribute
    >>> schema = Schema({"oil": Attribute("int")}, actions=("fill", "run"))
    >>> steps = [Step({"oil": n}, "run", {"oil": n - 1}, 0.0, False) for n in (3, 2, 1)]
    >>> [question.words for question in questions_of(steps, schema, 10)]
    ['transition 0, attributes']
    """
    seen: set[Any] = set()
    found: list[Question] = []
    for number, step in enumerate(steps):
        for aspect, changes in detected(step, schema):
            news = {
                (aspect, step.action, path.partition("[")[0], _kind(old, new)) for path, old, new in changes
            }
            if not news <= seen and len(found) < most:
                seen |= news
                found.append(Question(aspect, step, tuple(changes), number))
    return found


def _kind(old: Any, new: Any) -> Any:
    """What kind of change it is: an amount, or a value."""
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (old, new))
    return round(new - old, 6) if numbers else new


def detected(step: Step, schema: Schema) -> Iterator[tuple[str, list[tuple[str, Any, Any]]]]:
    """Aspects in which a transition shows a change, with the changes."""
    places = {f"{schema.actor}.{part}" for part in schema.position} if schema.actor else set()
    changes = list(_scalars(step, schema))
    inside = [change for change in changes if change[0] in places]
    others = [change for change in changes if change[0] not in places]
    before, after = View(schema, step.state, step.action), View(schema, step.next_state, step.action)
    for aspect, found in (("attributes", others), ("place", inside), ("tiles", _tiles(before, after))):
        if found:
            yield aspect, found
    for kind in schema.kinds:
        things = list(_things(kind, before, after, schema))
        if things:
            yield kind, things


def _scalars(step: Step, schema: Schema) -> Iterator[tuple[str, Any, Any]]:
    for path, attribute in schema.scalars.items():
        names = split(path)
        try:
            old, new = lookup(step.state, names), lookup(step.next_state, names)
        except KeyError:
            continue
        if old != new and attribute.type != "float":
            yield path, old, new


def _tiles(before: View, after: View) -> list[tuple[str, Any, Any]]:
    try:
        pairs = zip(before.tiles, after.tiles, strict=False)
        found = [
            (f"tile[{x}][{y}]", old, new)
            for x, (left, right) in enumerate(pairs)
            if left != right
            for y, (old, new) in enumerate(zip(left, right, strict=False))
            if old != new
        ]
    except Inactive:
        return []
    return found[:MOST_TILES]


def _things(kind: str, before: View, after: View, schema: Schema) -> Iterator[tuple[str, Any, Any]]:
    """Objects of a kind that came, went or changed."""
    old, new = dict(before.objects.get(kind, [])), dict(after.objects.get(kind, []))
    for identity in [*old, *(name for name in new if name not in old)]:
        if identity not in new:
            yield f"{kind}[{identity}]", "there", "gone"
        elif identity not in old:
            yield f"{kind}[{identity}]", "absent", "there"
        else:
            for path, attribute in schema.attributes_of(kind).items():
                was, now = (_read(thing, path) for thing in (old[identity], new[identity]))
                if was != now and attribute.type != "float":
                    yield f"{kind}[{identity}].{path}", was, now


def _read(thing: Any, path: str) -> Any:
    try:
        return lookup(thing, split(path))
    except KeyError:
        return None


# Prompts.

ROLE = """You find the rules of a world from single steps of it. A rule ("law") says when it holds and what it then does
to the attributes it governs. You write laws in a small language, described below, and in nothing else."""

TASK = """Explain the changes listed, and only those. Write several small laws rather than one large one: one condition
and one effect each. A law must hold in other situations too: no identities of objects, no coordinates, no counts that
matter only here. Where you are not sure what follows, spread the probability over several values. Where a change has
nothing to do with the action, say so by leaving the action out of the condition.

For each law, say first in one sentence what it is, then write it between lines of three backticks, beginning with
```law."""

LANGUAGE = """law NAME "one sentence"
each KIND                (only for laws about objects of a kind, which are then called it)
when CONDITION
then PATH += {CHANGE: PROBABILITY, ...}     or   then PATH = {VALUE: PROBABILITY, ...}
or   then material(target) = {MATERIAL: PROBABILITY, ...}   or   then remove it PROBABILITY
or   then spawn KIND at target PROBABILITY

Conditions: paths of the state (below), it.PATH, action == "NAME", target == "NAME" (what is ahead of the actor),
near("NAME", 1), free(DX, DY) and free(DX, DY, it), tile(DX, DY), dist(it, ACTOR), toward(it, ACTOR, "x") (-1, 0 or 1;
also "y", "long_x", "long_y"), count("KIND"), numbers, texts in double quotes, == != < <= > >=, in ("a", "b"), and, or,
not, + - *, abs, sign, min, max. A change may be such an expression. Nothing else exists: no loops, no variables."""


def prompt_of(question: Question, schema: Schema) -> list[dict[str, str]]:
    """Messages that put a question."""
    aspect = ASPECTS.get(question.aspect, f"objects of the kind {question.aspect}")
    changes = "\n".join(
        f"- {path}: {json.dumps(old)} -> {json.dumps(new)}" for path, old, new in question.changes
    )
    parts = [
        f"Aspect: {aspect}.",
        f"The language of laws:\n{LANGUAGE.replace('ACTOR', schema.actor or 'PLACE')}",
        f"What the state holds:\n{_schema_words(schema)}",
        f"The state before:\n{json.dumps(_shown(question.step, schema), separators=(',', ':'))}",
    ]
    around = _map(question.step, schema)
    parts += [f"Tiles around the actor, row by row:\n{around}"] if around else []
    parts += [f"Action: {json.dumps(question.step.action)}", f"Changes:\n{changes}", TASK]
    return [{"role": "system", "content": ROLE}, {"role": "user", "content": "\n\n".join(parts)}]


def _schema_words(schema: Schema) -> str:
    """Paths with their values, actions, kinds and materials."""
    lines = [f"{path}: {attribute.words()}" for path, attribute in schema.scalars.items()]
    for kind in schema.kinds:
        lines += [f"it.{path} (each {kind}): {a.words()}" for path, a in schema.attributes_of(kind).items()]
    lines.append(f"actions: {', '.join(schema.actions)}")
    lines += [f"materials: {', '.join(schema.materials)}"] if schema.materials else []
    return "\n".join(lines)


def _shown(step: Step, schema: Schema) -> dict[str, Any]:
    """The state without its map and what is left out of the schema; objects within reach."""
    view = View(schema, step.state, step.action)
    values = {}
    for path in schema.scalars:
        found = _read(step.state, path)
        if found is not None:
            values[path] = found
    things = {kind: [thing for _, thing in view.within_reach(kind)] for kind in schema.kinds}
    return {"values": values, "objects": {kind: found for kind, found in things.items() if found}}


def _map(step: Step, schema: Schema) -> str:
    """What each tile near the actor shows."""
    if schema.grid is None or schema.actor is None:
        return ""
    view = View(schema, step.state, step.action)
    x, y = view.actor
    reach = range(-AROUND, AROUND + 1)
    return "\n".join(" ".join(view.shows(x + i, y + j) for i in reach) for j in reach)
