"""Laws as a reader sees them: when, then, weight, how often they held, with examples; and what was never seen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from suppose.core.answer import Check, Table
from suppose.studies.parts import Parts
from suppose.worlds.explore import Step
from suppose.worlds.laws.observables import values_of
from suppose.worlds.laws.schema import Schema, lookup, plain

__all__ = ["Support", "laws_shown", "never_seen", "supports"]

MOST_LAWS = 60
MOST_EXAMPLES = 20
FEW = 5


@dataclass
class Support:
    """In which steps of the record a law held, and whether what it thinks likeliest came."""

    came: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    said: dict[int, str] = field(default_factory=dict)


def supports(model: Any, steps: Sequence[Step], schema: Schema) -> list[Support]:
    """Examples and counter-examples of each law: the numbers of the steps.

    A step is an example where every value the law speaks of becomes what it thinks likeliest.
    """
    found = [Support() for _ in model.laws]
    for number, step in enumerate(steps):
        after = values_of(plain(step.next_state), schema)
        content = plain(step.next_state)
        failed: dict[int, str] = {}
        spoke: set[int] = set()
        for opinion in model.predict(step.state, step.action).said.opinions:
            likeliest = max(opinion.scores, key=lambda value: opinion.scores[value])
            actual = _actual(opinion.observable, after, content, schema)
            spoke.add(opinion.law)
            if actual != likeliest:
                failed.setdefault(opinion.law, f"{opinion.observable} became {actual!r}, not {likeliest!r}")
        for law in spoke:
            (found[law].failed if law in failed else found[law].came).append(number)
            if law in failed:
                found[law].said[number] = failed[law]
    return found


def _actual(observable: Any, after: dict[Any, Any], content: Any, schema: Schema) -> Any:
    """What an observable became; whether observed or not."""
    if observable in after:
        return after[observable]
    if observable.tile is not None:
        x, y = observable.tile
        return lookup(content, tuple(str(schema.grid).split(".")))[x][y]
    if observable.path.endswith(".exists"):
        return 0
    try:
        return lookup(content, tuple(observable.path.split("."))) if observable.object is None else None
    except (KeyError, IndexError):
        return None


def laws_shown(found: Any) -> Parts:
    """The heaviest laws in readable form, and examples of each."""
    model, steps = found.model, found.learned
    support = supports(model, steps, found.schema)
    order = sorted(
        range(len(model.laws)), key=lambda law: (-float(model.weights_[law]) * (model.active_[law] > 0), law)
    )
    rows: list[tuple[Any, ...]] = []
    examples: list[tuple[Any, ...]] = []
    for law in order[:MOST_LAWS]:
        text = model.laws[law]
        each = f"for each {text.each}: " if text.each else ""
        rows.append((
            text.name, text.words or None, f"{each}{text.when}", "; ".join(_effect(effect) for effect in text.effects),
            float(model.weights_[law]), len(support[law].came), len(support[law].failed),
        ))  # fmt: skip
        if len(examples) < MOST_EXAMPLES:
            examples.append(_example(text, support[law], steps))
    thin = [
        law for law in range(len(model.laws)) if 0 < len(support[law].came) + len(support[law].failed) < FEW
    ]
    idle = int((np.asarray(model.active_) == 0).sum())
    errors = int((np.asarray(model.errors_) > 0).sum())
    return Parts(
        checks=(_support_check(len(thin), idle, errors, len(model.laws)),),
        tables=(
            Table(
                name="laws", title="The laws, heaviest first",
                columns=("law", "in words", "when", "then", "weight", "came true", "did not"), rows=tuple(rows),
                note=_laws_note(len(order)),
            ),
            Table(
                name="examples", title="Examples and counter-examples from the record",
                columns=("law", "came true in step", "did not in step", "what came instead"), rows=tuple(examples),
                note="Numbers of steps among those the laws were found on, from 0.",
            ),
        ),
    )  # fmt: skip


def _laws_note(count: int) -> str:
    text = (
        "Effects give each outcome its probability before weighing; where several laws speak of one value their "
        "opinions are pooled by weight."
    )
    return f"{text} The {MOST_LAWS} heaviest of {count:,} are shown." if count > MOST_LAWS else text


def _effect(effect: Any) -> str:
    """An effect with probabilities to three digits."""
    return re.sub(r"\d*\.\d{4,}(e-\d+)?", lambda number: f"{float(number.group()):.3g}", str(effect))


def _example(law: Any, support: Support, steps: Sequence[Step]) -> tuple[Any, ...]:
    first = ", ".join(str(number) for number in support.came[:3]) or None
    against = ", ".join(str(number) for number in support.failed[:3]) or None
    return law.name, first, against, support.said.get(support.failed[0]) if support.failed else None


def _support_check(thin: int, idle: int, errors: int, count: int) -> Check:
    share = thin / max(count - idle, 1)
    words = f"{thin:,} of {count - idle:,} laws seen at work held in fewer than {FEW} steps"
    words += f"; {idle:,} more were never seen at work and rest on analogy or on their author" if idle else ""
    words += f"; {errors:,} could not be told on some states" if errors else ""
    return Check(
        name="support",
        title="Support of the laws",
        null="Laws rest on more than a few steps.",
        verdict="warns" if share > 0.5 or errors else "passes",
        words=f"{words}.",
        cannot_show="Whether a law with much support would hold elsewhere.",
        statistic="share with little support",
        value=float(share),
    )


def never_seen(found: Any) -> Parts:
    """Actions and attributes the record says nothing about."""
    schema: Schema = found.schema
    actions = Counter(step.action for step in found.life)
    effects: Counter[str] = Counter()
    changed: set[str] = set()
    for step in found.life:
        before, after = (values_of(plain(state), schema) for state in (step.state, step.next_state))
        paths = {o.path for o in before.keys() | after.keys() if before.get(o) != after.get(o)}
        changed |= paths
        if paths:
            effects[step.action] += 1
    untried = [action for action in schema.actions if not actions[action]]
    idle = [action for action in schema.actions if actions[action] and not effects[action]]
    still = [path for path in schema.scalars if schema.is_observed(path) and path not in changed]
    met = {kind for step in found.life for kind in _kinds_met(step, schema)}
    kinds = [kind for kind in schema.kinds if kind not in met]
    rows = [(action, actions[action], effects[action]) for action in schema.actions]
    words = _unseen_words(untried, idle, still, kinds)
    check = Check(
        name="never-seen",
        title="What was never seen",
        null="Every action was taken at least once.",
        verdict="warns" if untried else "passes",
        words=words,
        cannot_show="Mechanics that need a situation nobody met: they leave no trace in the record.",
        statistic="actions never taken",
        value=float(len(untried)),
    )
    missing = [("never done", name) for name in untried] + [
        ("done, never with an effect", name) for name in idle
    ]
    missing += [("never changed", path) for path in still] + [("never met", kind) for kind in kinds]
    return Parts(
        checks=(check,),
        tables=(
            Table(
                name="actions",
                title="Actions in the record",
                columns=("action", "taken", "something changed"),
                rows=tuple(rows),
            ),
            Table(
                name="never-seen", title="What was never seen", columns=("what", "which"), rows=tuple(missing)
            ),
        ),
    )


def _kinds_met(step: Step, schema: Schema) -> set[str]:
    found: set[str] = set()
    for path, part in schema.collections.items():
        things = lookup(plain(step.state), tuple(path.split(".")))
        found |= {str(thing.get(part.kind)) if part.kind else path.rpartition(".")[2] for thing in things}
    return found


def _unseen_words(untried: list[str], idle: list[str], still: list[str], kinds: list[str]) -> str:
    parts = []
    if untried:
        parts.append(f"never done: {_few(untried)}")
    if idle:
        parts.append(f"done, but never with an effect: {_few(idle)}")
    if still:
        parts.append(f"never changed: {_few(still)}")
    if kinds:
        parts.append(f"never met: {_few(kinds)}")
    text = "; ".join(parts) or "every action was taken and had an effect"
    return f"{text[:1].upper()}{text[1:]}."


def _few(names: Sequence[str], most: int = 6) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
