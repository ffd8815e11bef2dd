"""What was never seen, told by what was: laws carried over between names and between kinds of objects.

Three steps beyond the examples, each with a probability that says how far it can be trusted:

* **Names.** A law of ``make_wood_pickaxe`` raises ``wood_pickaxe``: the word is in both. The same law with another word
  that stands in an action and in an attribute is proposed where nothing is known of that action. So do targets:
  facing ``"coal"`` gives ``coal``, hence facing ``"iron"`` may give ``iron``. Parts of words count too: what takes
  ``wood`` for a ``wood_pickaxe`` may take ``stone`` for a ``stone_pickaxe``.
* **Kinds.** A law of one kind of object is proposed for kinds of which no law says anything on that attribute.
* **Ignorance.** An action that never did anything, in circumstances in which it was never tried, may well do what it is
  named after, and use up what is at hand. Such a law takes back the certainty that nothing happens; it claims no
  more. Circumstances are what is near, what is held, and pairs of the two; items are what one starts without.

A proposal that the transitions contradict is weakened by each of them, ``p = (s + 1/2) / (s + n + 1)`` for ``s`` words
that bear it out and ``n`` rows on which it held in vain, and dropped below one quarter.

This is ours; OneLife (arXiv 2510.12088) has none of it, and a language model brings such guesses from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from suppose.core.errors import DataError
from suppose.worlds.explore import Step
from suppose.worlds.laws.atoms import Table
from suppose.worlds.laws.columns import Columns
from suppose.worlds.laws.effects import Add, Effect, Remove, Set, SetMaterial, Spawn
from suppose.worlds.laws.expressions import Expression, parse
from suppose.worlds.laws.foil import tidy
from suppose.worlds.laws.inductive import Draft
from suppose.worlds.laws.law import Law, parse_laws
from suppose.worlds.laws.nodes import quoted
from suppose.worlds.laws.schema import Schema, State, lookup
from suppose.worlds.laws.views import split

__all__ = ["analogies"]

SETTLED = 3  # times that a law must have come true for its action to count as one that does something
LEAST = 0.25  # probability below which a proposal is dropped
MAY_COME = {1: 0.5, 0: 0.5}  # what is faced for the first time
MAY_CHANGE = {1: 0.3, 0: 0.5, -1: 0.2}  # what an action is named after, where it was never tried
MAY_GO = {0: 0.6, -1: 0.2, -2: 0.1, -3: 0.05, -4: 0.05}  # what is at hand
MOST_NOVEL, MOST_PAIRS = 8, 6  # circumstances that one law of ignorance names
RARE = 0.5  # share of steps with something near, below which its company is worth naming


@dataclass(frozen=True)
class _Data:
    """Transitions as tables, made once."""

    steps: Sequence[Step]
    schema: Schema
    table: Table

    @cached_property
    def vitals(self) -> set[str]:
        """Whole numbers above zero at the start, and places: not what one has."""
        first = self.steps[0].state
        places = {f"{self.schema.actor}.{part}" for part in self.schema.position}
        return places | {
            path for path, a in self.schema.scalars.items() if a.type == "int" and _amount(first, path)
        }

    def vain(self, conditions: Sequence[str], each: str | None) -> int:
        """Rows on which conditions held."""
        table = self.table if each is None else Table(self.table.columns, each)
        held = np.ones(len(table), dtype=bool)
        for condition in conditions:
            held &= table.holds(parse(condition))
        return int(held.sum())


def analogies(drafts: Sequence[Draft], steps: Sequence[Step], schema: Schema) -> list[Draft]:
    """Laws proposed for what no law was found for.

    Parameters
    ----------
    drafts : sequence of Draft
        The laws that were found.
    steps : sequence of Step
        What they were found in.
    schema : Schema

    Returns
    -------
    list of Draft
        With ``origin`` ``"by analogy"`` or ``"not tried"``.
    """
    columns = Columns(schema, [step.state for step in steps], [step.action for step in steps])
    data = _Data(steps, schema, Table(columns))
    found: list[Draft] = []
    for propose in (_by_name, _by_kind, _by_ignorance):
        for draft in propose([*drafts, *found], data):
            if _fits(draft, schema):
                found.append(draft)
    return found


def _amount(state: State, path: str) -> int:
    try:
        return int(lookup(state, split(path)))
    except (KeyError, TypeError):
        return 0


def _fits(draft: Draft, schema: Schema) -> bool:
    """Whether a proposal speaks of nothing a schema lacks."""
    try:
        Law("proposal", " and ".join(draft.conditions) or "true", draft.effects, draft.each).check(schema)
    except DataError:
        return False
    return True


def _action_of(draft: Draft) -> str | None:
    found = [re.fullmatch(r'action == "([^"]*)"', condition) for condition in draft.conditions]
    return next((match[1] for match in found if match), None)


def _target_of(draft: Draft) -> str | None:
    found = [re.fullmatch(r'target == "([^"]*)"', condition) for condition in draft.conditions]
    return next((match[1] for match in found if match), None)


# Names.


def _by_name(drafts: Sequence[Draft], data: _Data) -> Iterator[Draft]:
    """The laws of one word, with another."""
    proposals: dict[tuple[str, str], list[Draft]] = {}
    for draft in drafts:
        action, target = _action_of(draft), _target_of(draft)
        if action is None or not all(map(_changes, draft.effects)):
            continue
        for word, others in _words(action, target, draft, data.schema):
            for other in others:
                proposal = _renamed(draft, word, other, data.schema)
                if proposal is not None and not _known(proposal, drafts):
                    key = (_action_of(proposal) or "", other)
                    proposals.setdefault(key, []).append(proposal)
    for same in proposals.values():
        yield from _weighed(same, data)


def _words(action: str, target: str | None, draft: Draft, schema: Schema) -> Iterator[tuple[str, list[str]]]:
    """Words that stand in the cause and in an effect, and those that could stand there."""
    named = {effect.path.rpartition(".")[2] for effect in draft.effects}
    named |= {str(key) for e in draft.effects if isinstance(e, SetMaterial) for key, _ in e.support}
    prefix, _, word = action.partition("_")
    if word in named:
        yield (
            word,
            [a.partition("_")[2] for a in schema.actions if a.startswith(f"{prefix}_") and a != action],
        )
    if target is not None and target in named:
        yield target, [name for name in (*schema.materials, *schema.kinds) if name != target]


def _replaced(text: str, word: str, other: str) -> str:
    """A text with one word in place of another: as the last part of a path, within quotes, after an underscore."""
    text = re.sub(rf'(?<![\w"]){re.escape(word)}(?![\w"(.])', other, text)
    return re.sub(rf'"((?:\w+?_)?){re.escape(word)}"', lambda match: f'"{match[1]}{other}"', text)


def _changes(effect: Effect) -> bool:
    """Whether a change is what an effect thinks likeliest."""
    if isinstance(effect, (Remove, Spawn)):
        return effect.probability >= 0.5
    key, _ = max(effect.support, key=lambda pair: pair[1])
    return key != 0 if isinstance(effect, Add) else not isinstance(key, Expression)


def _is_named(effect: Effect, word: str) -> bool:
    """Whether an effect is on what a word names."""
    if isinstance(effect, SetMaterial):
        return any(key == word for key, _ in effect.support)
    return effect.path.rpartition(".")[2] == word or (isinstance(effect, Spawn) and effect.kind == word)


def _renamed(draft: Draft, word: str, other: str, schema: Schema) -> Draft | None:
    """A law about another word, what it is not about stays; nothing where that word names nothing."""
    conditions = [_replaced(condition, word, other) for condition in draft.conditions]
    effects = [(str(effect), _replaced(str(effect), word, other)) for effect in draft.effects]
    texts = [after for _, after in effects]
    pairs = list(zip(word.split("_"), other.split("_"), strict=False)) if "_" in word else []
    for part, instead in pairs:
        if part != instead:
            texts += [_replaced(after, part, instead) for _, after in effects]
            conditions += [
                _replaced(condition, part, instead) for condition in conditions if ">=" in condition
            ]
    laws = [_effect(text, draft.each) for text in dict.fromkeys(texts)]
    bare = replace(draft, conditions=tuple(dict.fromkeys(conditions)), held=b"", origin="by analogy")
    kept = {e.path: e for e in laws if e is not None and _fits(replace(bare, effects=(e,)), schema)}
    if not any(_is_named(effect, other) for effect in kept.values()):
        return None
    return replace(bare, effects=tuple(kept.values()))


def _effect(text: str, each: str | None) -> Effect | None:
    start = f"law proposal each {quoted(each)} then " if each else "law proposal then "
    try:
        return parse_laws(start + text)[0].effects[0]
    except DataError:
        return None


def _known(proposal: Draft, drafts: Sequence[Draft]) -> bool:
    """Whether a law that was found says something of the same attribute after the same action and target."""
    paths = {effect.path for effect in proposal.effects}
    cause = _action_of(proposal), _target_of(proposal)
    for draft in drafts:
        same = (_action_of(draft), _target_of(draft)) == cause or (
            _action_of(draft) == cause[0] and cause[0] is not None and cause[1] is None
        )
        if draft.origin == "seen" and same and paths & {effect.path for effect in draft.effects}:
            return True
    return False


def _weighed(proposals: Sequence[Draft], data: _Data) -> Iterator[Draft]:
    """The proposals of one word, as probable as others bear it out and data allow."""
    fitting: dict[str, tuple[Draft, Effect, int]] = {}
    for proposal in proposals:
        for effect in proposal.effects:
            single = replace(proposal, effects=(effect,))
            _, _, count = fitting.get(effect.path, (single, effect, 0))
            fitting[effect.path] = (single, effect, count + 1)
    for single, effect, count in fitting.values():
        vain = data.vain(single.conditions, single.each)
        p = (count + 0.5) / (count + vain + 1)
        if p >= LEAST:
            yield replace(single, effects=(softened(effect, p),), hits=count, rows=count + vain)


def softened(effect: Effect, p: float) -> Effect:
    """An effect that happens with another probability."""
    if isinstance(effect, Remove):
        return Remove(round(p, 4))
    if isinstance(effect, (Add, Set, SetMaterial)):
        value, _ = max(effect.support, key=lambda pair: pair[1])
        rest = [(key, weight) for key, weight in effect.support if key != value]
        if isinstance(effect, Add):
            rest = [(0, 1.0)]
        if not rest or value == 0:
            return effect
        total = sum(weight for _, weight in rest)
        support = [(value, p), *((key, (1 - p) * weight / total) for key, weight in rest)]
        return replace(effect, support=tidy(support))
    return replace(effect, probability=round(p, 4))


# Kinds.


def _by_kind(drafts: Sequence[Draft], data: _Data) -> Iterator[Draft]:
    """The laws of one kind of object, for others of which nothing is known."""
    told = {(draft.each, effect.path) for draft in drafts if draft.each for effect in draft.effects}
    seen = [draft for draft in drafts if draft.each is not None and draft.origin == "seen"]
    for kind in data.schema.kinds:
        mine = [draft for draft in seen if _action_of(draft) or kind not in _present(data)]
        best: dict[str, Draft] = {}
        for draft in mine:
            for effect in draft.effects:
                own = isinstance(effect, Remove) or effect.path.startswith("it.")
                new = own and draft.each != kind and (kind, effect.path) not in told
                if new and (effect.path not in best or draft.rows > best[effect.path].rows):
                    best[effect.path] = replace(draft, effects=(effect,))
        for draft in best.values():
            yield from _for_kind(draft, kind, data)


def _present(data: _Data) -> set[str]:
    """Kinds that were seen."""
    return {kind for view in data.table.columns.views for kind, things in view.objects.items() if things}


def _for_kind(draft: Draft, kind: str, data: _Data) -> Iterator[Draft]:
    old = draft.each or ""
    conditions = tuple(condition.replace(quoted(old), quoted(kind)) for condition in draft.conditions)
    effect = draft.effects[0]
    if _action_of(draft) is None:  # a habit of the kind, of which little carries over
        moves = isinstance(effect, Add) and {-1, 0, 1} <= {key for key, _ in effect.support}
        if moves and draft.conditions == ():
            yield replace(draft, each=kind, held=b"", origin="by analogy")
        elif moves:
            support = {-1: 0.15, 0: 0.7, 1: 0.15}
            yield Draft((), (Add(effect.path, support),), kind, 0, 0, origin="by analogy")
        return
    proposal = Draft(conditions, (effect,), kind, draft.hits, draft.rows, origin="by analogy")
    if _fits(proposal, data.schema):
        vain = data.vain(conditions, kind)
        p = 1.5 / (2 + vain)
        if p >= LEAST:
            yield replace(proposal, effects=(softened(effect, p),))


# Ignorance.


def _by_ignorance(drafts: Sequence[Draft], data: _Data) -> Iterator[Draft]:
    """What untried causes may do, by their names."""
    schema = data.schema
    numbers = [path for path, a in schema.scalars.items() if a.type == "int" and schema.is_observed(path)]
    items = [path for path in numbers if path not in data.vitals]
    told = {
        _action_of(draft)
        for draft in drafts
        if draft.hits >= SETTLED or any(_matters(effect, items) for effect in draft.effects)
    }
    for action in schema.actions:
        word = action.partition("_")[2]
        named = [path for path in numbers if path.rpartition(".")[2] == word]
        if word and action not in told and (items or named):
            effects = tuple(
                Add(path, MAY_CHANGE if path in named else MAY_GO) for path in dict.fromkeys([*items, *named])
            )
            for novel in _novel(action, items, data):
                cause = (f"action == {quoted(action)}", *([novel] if novel else []))
                yield Draft(cause, effects, None, 0, 0, origin="not tried")
    yield from _untried_targets(drafts, numbers, data)


def _matters(effect: Effect, items: Sequence[str]) -> bool:
    """Whether an effect is one that actions have on purpose: on items, tiles and what appears."""
    return isinstance(effect, (SetMaterial, Spawn)) or effect.path in items


def _untried_targets(drafts: Sequence[Draft], numbers: Sequence[str], data: _Data) -> Iterator[Draft]:
    """What facing something untried may give, for actions whose effects depend on what is faced."""
    known = {(_action_of(draft), _target_of(draft)) for draft in drafts}
    giving = {
        _action_of(draft)
        for draft in drafts
        if draft.origin == "seen"
        and _target_of(draft) is not None
        and any(_gives(e, numbers) for e in draft.effects)
    }
    for action in sorted(name for name in giving if name is not None):
        for target in (*data.schema.materials, *data.schema.kinds):
            conditions = (f"action == {quoted(action)}", f"target == {quoted(target)}")
            for path in numbers:
                new = path.rpartition(".")[2] == target and (action, target) not in known
                if new and data.vain(conditions, None) == 0:
                    yield Draft(conditions, (Add(path, MAY_COME),), None, 0, 0, origin="not tried")


def _gives(effect: Effect, numbers: Sequence[str]) -> bool:
    """Whether something becomes more."""
    return (
        isinstance(effect, Add)
        and effect.path in numbers
        and max(effect.support, key=lambda pair: pair[1])[0] == 1
    )


def _novel(action: str, items: Sequence[str], data: _Data) -> list[str]:
    """Circumstances in which an action was never tried, as conditions; one that always holds if it was never taken."""
    schema, table = data.schema, data.table
    taken = np.array([step.action == action for step in data.steps], dtype=bool)
    if not taken.any():
        return [""]
    near = [f"near({quoted(name)}, 1)" for name in schema.materials] if schema.actor is not None else []
    held = [f"{path} >= 1" for path in items]
    texts = [*near, *held]
    truth = np.array([table.holds(parse(text)) for text in texts]).reshape(len(texts), len(taken))
    tried = truth[:, taken]
    rare = truth.mean(axis=1) < RARE
    single = [text for text, row in zip(texts, tried, strict=True) if not row.any()]
    pairs = [
        f"({texts[i]} and {texts[j]})"
        for i in range(len(near))
        for j in range(len(near), len(texts))
        if rare[i] and tried[i].any() and tried[j].any() and not (tried[i] & tried[j]).any()
    ]
    return [*_either(single, MOST_NOVEL), *_either(pairs, MOST_PAIRS)]


def _either(texts: Sequence[str], most: int) -> list[str]:
    """Alternatives, as few conditions of at most so many as possible."""
    parts = [texts[at : at + most] for at in range(0, len(texts), most)]
    return [f"({' or '.join(part)})" if len(part) > 1 else part[0] for part in parts]
