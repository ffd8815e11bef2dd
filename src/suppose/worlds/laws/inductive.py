"""Laws from examples alone, without a language model: what changed, and the conditions that tell when.

Every change in the recorded transitions becomes an event (:mod:`.events`); conjunctions of short conditions
(:mod:`.atoms`) that tell when it happens are found by covering (:mod:`.foil`) and written as laws, with the share of
rows on which they came true as probability, ``p = (k + 1/2) / (n + 1)``. Moves of objects become categorical
distributions over steps, split while the Bayes information criterion improves (:mod:`.motion`). What was never seen
is told by analogy with what was (:mod:`.analogy`), unless ``analogies=False``.

After OneLife (Khan et al., ICLR 2026, arXiv 2510.12088), whose laws come from a language model: this synthesizer is
ours, needs no model, and takes seconds.

Ours beyond the search: what is used up must be there (a law that takes 2 of an item holds where there are 2); changes
of the actor may be explained by an object near it; laws of one condition are one law with several effects.

What it does not do: laws of more than one object at hand, changes of tiles other than the one ahead, amounts that
depend on other amounts, real-valued attributes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool

from suppose.core.errors import DataError, StudyError
from suppose.core.progress import progress
from suppose.worlds.explore import Step
from suppose.worlds.laws.atoms import ACTION, Table
from suppose.worlds.laws.columns import Columns
from suppose.worlds.laws.effects import Add, Effect, Remove, Set, SetMaterial, Spawn
from suppose.worlds.laws.events import (
    Event,
    Readings,
    attribute_events,
    departures,
    material_events,
    next_things,
    scalar_events,
    spawn_events,
)
from suppose.worlds.laws.expressions import parse
from suppose.worlds.laws.foil import Rule, cover, tidy
from suppose.worlds.laws.law import ALWAYS, Law
from suppose.worlds.laws.schema import Schema, plain
from suppose.worlds.laws.views import split

__all__ = ["Draft", "InductiveSynthesizer", "checked_transitions"]

SURE = 0.8  # an event told with less than this is looked for among objects too
NEVER = ("more than one example",)  # what no rule speaks of: a single example is not believed
CLOSE = 2  # steps from the actor to an object that may act on it


@dataclass(frozen=True)
class Draft:
    """A law before it has a name.

    Attributes
    ----------
    conditions : tuple of str
        All of them hold.
    effects : tuple of effects
    each : str, optional
        Kind of the object at hand.
    hits, rows : int
        How often it came true, of how many times it held.
    held : bytes
        Where it held, packed; laws of one effect that hold on the same rows are one.
    """

    conditions: tuple[str, ...]
    effects: tuple[Effect, ...]
    each: str | None
    hits: int
    rows: int
    held: bytes = field(default=b"", repr=False)
    origin: str = "seen"


class InductiveSynthesizer:
    """Finds laws in transitions.

    Parameters
    ----------
    max_atoms : int
        Most conditions of a law.
    mdl : float
        Nats that each condition must gain.
    analogies : bool
        Whether what was never seen is told by analogy.

    Attributes
    ----------
    drafts_ : list of Draft
        The laws before they were named, with their counts.

    Examples
    --------
    >>> steps = []
    >>> for n in range(40):
    ...     state, action = {"oil": n % 5, "worn": n % 3}, ("run", "fill")[n % 7 == 0]
    ...     later = max(0, state["oil"] - 1) if action == "run" else min(4, state["oil"] + 2)
    ...     steps.append(Step(state, action, {"oil": later, "worn": state["worn"]}, 0.0, False))
    >>> schema = Schema.from_dicts([step.state for step in steps], actions=("run", "fill"))
    >>> for law in InductiveSynthesizer().synthesize(steps, schema)[:1]:
    ...     print(law)
    law run_oil "After run, where oil >= 1: oil -1 (28 of 28 times)"
    when action == "run" and oil >= 1
    then oil += {-1: 0.9828, 0: 0.0172}
    """

    def __init__(self, max_atoms: int = 6, mdl: float = 1.0, analogies: bool = True) -> None:
        self.max_atoms, self.mdl, self.analogies = max_atoms, mdl, analogies

    def synthesize(self, transitions: Sequence[Step], schema: Schema) -> list[Law]:
        """Laws of a world, from what happened in it.

        Parameters
        ----------
        transitions : sequence of Step
            States as nested dicts, or pydantic states.
        schema : Schema

        Returns
        -------
        list of Law
            Those of the actor and of the world first, then those of each kind of object.

        Raises
        ------
        DataError
            ``empty-trajectory``, ``unknown-action``, ``duplicate-entity``, ``too-many-rows``.
        StudyError
            ``bad-synthesis`` for senseless settings.
        """
        self._check()
        steps = checked_transitions(transitions, schema)
        search = _Search(steps, schema, self.max_atoms, self.mdl)
        with progress("finding laws", 2 + len(schema.kinds)) as bar:
            drafts = search.of_actor()
            bar.advance()
            for kind in schema.kinds:
                drafts += search.of_kind(kind)
                bar.advance()
            drafts += search.of_actor_by_objects()
            bar.advance()
        drafts = merged(drafts)
        if self.analogies:
            from suppose.worlds.laws.analogy import analogies

            drafts += analogies(drafts, steps, schema)
        self.drafts_ = drafts
        return named(drafts, schema)

    def _check(self) -> None:
        whole = isinstance(self.max_atoms, int) and not isinstance(self.max_atoms, bool)
        if not whole or self.max_atoms < 1 or not self.mdl >= 0:
            raise StudyError(
                "bad-synthesis",
                f"expected max_atoms from 1 and mdl from 0, got {self.max_atoms!r} and {self.mdl!r}",
                where="InductiveSynthesizer",
                remedy="Leave them at 6 and 1.0.",
            )


def checked_transitions(transitions: Sequence[Step], schema: Schema) -> list[Step]:
    """Transitions with plain states; refuses none at all, and unknown actions."""
    steps = [replace(s, state=plain(s.state), next_state=plain(s.next_state)) for s in transitions]
    if not steps:
        raise DataError(
            "empty-trajectory",
            "expected transitions to learn from, got none",
            where="transitions",
            remedy="Give at least one transition.",
        )
    for number, step in enumerate(steps):
        if step.action not in schema.actions:
            raise DataError(
                "unknown-action",
                f"no action {step.action!r}; the actions are: {', '.join(schema.actions)}",
                where=f"transition {number}",
                remedy="Name every action in the schema.",
            )
    return steps


class _Search:
    """Events and rules of one list of transitions."""

    def __init__(self, steps: list[Step], schema: Schema, max_atoms: int, mdl: float) -> None:
        self.steps, self.schema, self.max_atoms, self.mdl = steps, schema, max_atoms, mdl
        self.columns = Columns(schema, [s.state for s in steps], [s.action for s in steps])
        self.table = Table(self.columns)
        self.unexplained: list[tuple[Event, Bool[np.ndarray, " row"], list[Rule]]] = []
        self.losses = _losses(steps, schema)

    def rules(self, event: Event, table: Table, bags: bool = False) -> list[Rule]:
        """Rules of an event on a table."""
        return cover(
            event.positive,
            event.negative,
            table.truth,
            table.atoms,
            bags=table.step if bags else None,
            favoured=self.likely(event, table),
            alone=NEVER if bags else ("action",) if table.kind is None else ("action", "dist(it, target)"),
            max_atoms=self.max_atoms,
            mdl=self.mdl,
        )

    def shortest(self, readings: Readings, table: Table) -> list[tuple[Event, list[Rule]]]:
        """The reading of an attribute's changes that takes fewest words."""
        found = [[(event, self.rules(event, table)) for event in reading] for reading in readings]
        return min(found, key=lambda told: sum(self.length(event, rules, table) for event, rules in told))

    def length(self, event: Event, rules: Sequence[Rule], table: Table) -> int:
        """Rules of an event and their conditions, and twice the changes that they leave untold."""
        left = event.positive.copy()
        for rule in rules:
            left &= ~self.held(rule, table)
        return sum(1 + len(rule.atoms) for rule in rules) + 2 * int(left.sum())

    def likely(self, event: Event, table: Table) -> set[str]:
        """Likely causes: what became less wherever it happened, being aimed at, and that the way is free."""
        rows = np.unique(table.step[event.positive])
        found = {
            path for path, changes in self.losses.items() if len(rows) and (changes[rows] < 0).mean() > 0.5
        }
        if table.kind is not None:
            found.add("dist(it, target)")
        for axis, part in enumerate(self.schema.position):
            if event.path == f"{self.schema.actor}.{part}" and event.form == "add" and table.kind is None:
                found.add(f"free({event.value}, 0)" if axis == 0 else f"free(0, {event.value})")
        return found

    def of_actor(self) -> list[Draft]:
        """Laws on one row per transition."""
        drafts: list[Draft] = []
        views = self.columns.views
        readings = [
            *scalar_events(self.steps, self.schema),
            [list(material_events(self.steps, views, self.schema))],
        ]
        for reading in readings:
            for event, rules in self.shortest(reading, self.table):
                good = [rule for rule in rules if rule.probability >= SURE or event.form == "material"]
                left = event.positive.copy()
                for rule in good:
                    drafts.append(self.draft(event, rule, self.table))
                    left &= ~self.held(rule, self.table)
                if left.any():
                    weak = [rule for rule in rules if rule not in good]
                    self.unexplained.append((replace(event, positive=left), event.positive, weak))
        for event, things in spawn_events(self.steps, views, self.schema):
            attributes = _common(things, self.schema.attributes_of(event.value))
            for rule in self.rules(event, self.table):
                drafts.append(self.draft(event, rule, self.table, attributes))
        return drafts

    def of_actor_by_objects(self) -> list[Draft]:
        """Laws of what the actor's own circumstances did not tell, from the objects near it; else the weak ones."""
        drafts: list[Draft] = []
        tables = [(kind, Table(self.columns, kind)) for kind in self.schema.kinds]
        for event, whole, weak in self.unexplained:
            best = [self.draft(replace(event, positive=whole), rule, self.table) for rule in weak]
            gain = sum(rule.gain for rule in weak)
            for _, table in tables:
                if not len(table) or event.form not in ("add", "set"):
                    continue
                spread = replace(
                    event,
                    positive=event.positive[table.step],
                    negative=event.negative[table.step],
                    outcomes=[event.outcomes[at] for at in table.step],
                )
                rules = [rule for rule in self.rules(spread, table, bags=True) if _is_close(rule, table)]
                if sum(rule.gain for rule in rules) > gain:
                    gain = sum(rule.gain for rule in rules)
                    best = [self.draft(spread, rule, table) for rule in rules]
            drafts += best
        return drafts

    def of_kind(self, kind: str) -> list[Draft]:
        """Laws on one row per object of a kind."""
        from suppose.worlds.laws.motion import motions

        table = Table(self.columns, kind)
        if not len(table):
            return []
        later = next_things(table, self.steps, self.schema)
        drafts: list[Draft] = []
        for reading in [*attribute_events(table, self.steps, self.schema), [list(departures(table, later))]]:
            for event, rules in self.shortest(reading, table):
                drafts += [self.draft(event, rule, table) for rule in rules]
        return drafts + motions(table, later, self.schema)

    def held(self, rule: Rule, table: Table) -> Bool[np.ndarray, " row"]:
        """Rows on which a rule holds."""
        return np.asarray(table.truth[:, list(rule.atoms)].all(axis=1))

    def draft(
        self, event: Event, rule: Rule, table: Table, attributes: tuple[tuple[str, Any], ...] = ()
    ) -> Draft:
        """The law of a rule."""
        held = self.held(rule, table)
        atoms = sorted((table.atoms[number] for number in rule.atoms), key=lambda atom: atom.rank)
        caused = any(atom.rank == ACTION for atom in atoms)
        rows = table.step[held & event.positive]
        least = {path: int(-changes[rows].max()) for path, changes in self.losses.items()}
        least = {path: n for path, n in least.items() if n > 0 and (caused or path == event.path)}
        able = [a for a in atoms if a.quantity in least and a.sign in (">=", "==")]
        told = {a.quantity for a in able if a.value >= least[a.quantity]}
        weak = {a for a in atoms if a.sign == ">=" and a.quantity in set(least) - told}
        conditions = [atom.text for atom in atoms if atom not in weak]
        conditions += [f"{path} >= {n}" for path, n in least.items() if path not in told]
        effect = effect_of(event, rule, held, self.schema, attributes)
        key = np.packbits(held).tobytes()
        return Draft(tuple(conditions), (effect,), table.kind, rule.hits, rule.rows, key)


def _losses(steps: list[Step], schema: Schema) -> dict[str, np.ndarray]:
    """Change per transition of the whole numbers that cannot fall below zero and sometimes fall."""
    found = {}
    for path, attribute in schema.scalars.items():
        if attribute.type == "int" and attribute.low == 0:
            changes = np.array([_number(s.next_state, path) - _number(s.state, path) for s in steps])
            if (changes < 0).any() and not any(path == f"{schema.actor}.{part}" for part in schema.position):
                found[path] = changes
    return found


def _number(state: Any, path: str) -> float:
    from suppose.worlds.laws.schema import lookup

    try:
        value = lookup(state, split(path))
    except KeyError:
        return 0.0
    return float(value) if isinstance(value, (int, float)) else 0.0


def _is_close(rule: Rule, table: Table) -> bool:
    """Whether a rule speaks of an object beside the actor, or of any object where nobody acts."""
    atoms = [table.atoms[number] for number in rule.atoms]
    if table.columns.schema.actor is None:
        return any(re.search(r"\bit\b", atom.text) for atom in atoms)
    return any(
        atom.quantity.startswith("dist(it") and atom.sign in ("<=", "==") and atom.value <= CLOSE
        for atom in atoms
    )


def _common(things: Sequence[Any], attributes: Any) -> tuple[tuple[str, Any], ...]:
    """Attributes that all new objects had alike."""
    from suppose.worlds.laws.schema import lookup

    found = []
    for path in attributes:
        if path.startswith("position"):
            continue
        values = {lookup(thing, split(path)) for thing in things}
        value = values.pop() if len(values) == 1 else None
        if value is not None and not isinstance(value, float):
            found.append((path, value))
    return tuple(found)


def effect_of(
    event: Event,
    rule: Rule,
    held: Bool[np.ndarray, " row"],
    schema: Schema,
    attributes: tuple[tuple[str, Any], ...] = (),
) -> Effect:
    """What a rule says of an event: its probability, and how the rest is shared."""
    p = rule.probability
    if event.form == "add":
        rows = np.flatnonzero(held & (event.positive | event.negative))
        others = Counter(event.outcomes[at] for at in rows)
        del others[event.value]
        weights = {0: 0.5} | {value: count + 0.5 * (value == 0) for value, count in others.items()}
        total = sum(weights.values())
        rest = {value: (1 - p) * weight / total for value, weight in weights.items()}
        return Add(event.path, tidy([(event.value, p), *rest.items()]))
    if event.form == "set":
        return Set(event.path, tidy([(event.value, p), (parse(event.path), 1 - p)]))
    if event.form == "remove":
        return Remove(round(p, 4))
    if event.form == "spawn":
        return Spawn(event.value, "target", round(p, 4), attributes)
    if schema.heading is not None:
        now = parse(f"tile({schema.heading[0]}, {schema.heading[1]})")
        return SetMaterial("target", tidy([(event.value, p), (now, 1 - p)]))
    return SetMaterial((0, 0), tidy([(event.value, p), (parse("tile(0, 0)"), 1 - p)]))


def merged(drafts: Sequence[Draft]) -> list[Draft]:
    """Laws of one condition as one, with the counts of the part that came true least often; equal ones once."""
    unique: dict[Any, Draft] = {}
    for draft in drafts:
        unique.setdefault((draft.each, draft.held, str(draft.effects[0])), draft)
    found: dict[Any, Draft] = {}
    for draft in unique.values():
        key: tuple[Any, ...] = (draft.each, frozenset(draft.conditions), draft.origin)
        while key in found and {e.path for e in found[key].effects} & {e.path for e in draft.effects}:
            key = (*key, "again")
        if key in found:
            before = found[key]
            worse = min((before, draft), key=lambda one: (one.hits / max(one.rows, 1), -one.rows))
            draft = replace(
                before,
                effects=before.effects + draft.effects,
                hits=worse.hits,
                rows=worse.rows,
            )
        found[key] = draft
    return list(found.values())


def named(drafts: Sequence[Draft], schema: Schema) -> list[Law]:
    """The laws, each with a name of its own and in words."""
    taken: Counter[str] = Counter()
    laws = []
    for draft in drafts:
        stem = _stem(draft)
        taken[stem] += 1
        name = stem if taken[stem] == 1 else f"{stem}_{taken[stem]}"
        when = parse(" and ".join(draft.conditions)) if draft.conditions else ALWAYS
        laws.append(Law(name, when, draft.effects, draft.each, _words(draft)).check(schema))
    return laws


def _actions(draft: Draft) -> list[str]:
    return [text for c in draft.conditions for text in re.findall(r'^action == "([^"]*)"$', c)]


def _stem(draft: Draft) -> str:
    parts = [*([draft.each] if draft.each else []), *_actions(draft)]
    effect = draft.effects[-1]
    parts.append(re.sub(r"\W+", "_", effect.path.rpartition(".")[2]).strip("_"))
    stem = re.sub(r"\W+", "_", "_".join(parts)).strip("_")
    return stem if stem[:1].isalpha() else f"law_{stem}"


def _words(draft: Draft) -> str:
    """What a law says."""
    actions = _actions(draft)
    rest = [c for c in draft.conditions if not c.startswith("action ==")]
    start = f"After {actions[0]}" if actions else "Always" if not rest else "In any step"
    start += f", for each {draft.each}" if draft.each else ""
    start += f", where {' and '.join(rest)}" if rest else ""
    count = f" ({draft.hits:,} of {draft.rows:,} times)" if draft.origin == "seen" else f" ({draft.origin})"
    if draft.origin == "not tried":
        return f"{start}: never tried, what it is named after may change and what is at hand be used"
    return f"{start}: {', '.join(map(_effect_words, draft.effects))}{count}"


def _effect_words(effect: Effect) -> str:
    if isinstance(effect, Remove):
        return "it leaves"
    if isinstance(effect, Spawn):
        return f"a {effect.kind} appears ahead"
    value, p = max(effect.support, key=lambda pair: pair[1])
    if isinstance(effect, Add) and (value == 0 or p <= 0.5):
        return f"{effect.path.rpartition('.')[2]} " + ", ".join(f"{v:+d} {p:.0%}" for v, p in effect.support)
    name = effect.path.rpartition(".")[2] if not isinstance(effect, SetMaterial) else "the tile ahead"
    if isinstance(effect, Add):
        return f"{name} {value:+d}" if isinstance(value, int) else f"{name} + {value}"
    return f"{name} becomes {value}"
