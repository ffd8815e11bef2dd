"""What laws say about one state: which are active, and their opinions on each observable.

Laws are routed: a law whose condition names its actions is looked at under these alone, and a law with ``each`` only
for objects that are there. What is left grows with the laws that are active, not with those that were learned.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from suppose.worlds.laws.effects import Add, Key, Remove, Set, SetMaterial, Spawn, Support, Where
from suppose.worlds.laws.expressions import Expression
from suppose.worlds.laws.law import Law
from suppose.worlds.laws.observables import ARRIVALS, EXISTS, FLOOR, Observable
from suppose.worlds.laws.schema import OUTSIDE, Attribute, Schema, State
from suppose.worlds.laws.views import Inactive, Thing, View, split

__all__ = ["Arrival", "Opinion", "Router", "Said", "log_score"]


@dataclass(frozen=True)
class Opinion:
    """What one law, bound to one object or none, says about one observable: log-scores by value."""

    law: int
    observable: Observable
    scores: dict[Any, float]
    current: Any
    attribute: Attribute


@dataclass(frozen=True)
class Arrival:
    """An object that may come: where, and with which attributes."""

    kind: str
    place: tuple[int, int]
    probability: float
    attributes: dict[str, Any]


@dataclass
class Said:
    """What all laws say about one state."""

    opinions: list[Opinion]
    arrivals: list[Arrival]
    active: list[tuple[int, Any]]
    errors: list[int]


def log_score(probability: float) -> float:
    """Log-score of a listed value.

    Examples
    --------
    >>> log_score(1.0), log_score(0.0)
    (0.0, -50.0)
    """
    return max(math.log(probability), FLOOR) if probability > 0 else FLOOR


def fitted(value: Any, attribute: Attribute) -> Any:
    """A value brought into the domain of whole numbers; fractions are rounded to nine places."""
    if attribute.type == "int":
        return int(min(max(value, attribute.low), attribute.high))
    return round(float(value), 9) if attribute.type == "float" else value


class Router:
    """Finds the laws that may be active, and asks them.

    Parameters
    ----------
    laws : sequence of Law
        Checked against the schema.
    schema : Schema
    """

    def __init__(self, laws: Sequence[Law], schema: Schema) -> None:
        self.laws, self.schema = tuple(laws), schema
        self.required = [law.when.required_actions() for law in self.laws]
        self._routes: dict[str, list[int]] = defaultdict(list)
        for number, actions in enumerate(self.required):
            for action in schema.actions if actions is None else actions:
                self._routes[action].append(number)

    def route(self, action: str) -> list[int]:
        """Numbers of the laws that may be active under an action."""
        return self._routes.get(action, [])

    def ask(self, state: State, action: str) -> Said:
        """Opinions of all active laws on what comes after a state and an action."""
        view, said = View(self.schema, state, action), Said([], [], [], [])
        for number in self.route(action):
            law = self.laws[number]
            if law.each is None:
                self._bound(number, view, None, None, said)
                continue
            try:
                things = view.within_reach(law.each)
            except Inactive:
                said.errors.append(number)
                continue
            for identity, thing in things:
                self._bound(number, view, identity, thing, said)
        return said

    def _bound(self, number: int, view: View, identity: Any, thing: Thing | None, said: Said) -> None:
        """Asks one law about one object, or about none."""
        law = self.laws[number]
        binding = _Binding(number, view, identity, thing, law.each)
        try:
            if not law.when.value(view, thing, law.each):
                return
            for effect in law.effects:
                binding.say(effect)
        except Inactive:
            said.errors.append(number)
            return
        said.opinions += binding.opinions
        said.arrivals += binding.arrivals
        said.active.append((number, identity))


class _Binding:
    """One law with the object it is about."""

    def __init__(self, law: int, view: View, identity: Any, thing: Thing | None, kind: str | None) -> None:
        self.law, self.view, self.identity, self.thing, self.kind = law, view, identity, thing, kind
        self.opinions: list[Opinion] = []
        self.arrivals: list[Arrival] = []

    def value(self, key: Key) -> Any:
        """A value of a support."""
        return key.value(self.view, self.thing, self.kind) if isinstance(key, Expression) else key

    def say(self, effect: Add | Set | SetMaterial | Remove | Spawn) -> None:
        """Notes the opinion an effect is."""
        if isinstance(effect, (Add, Set)):
            self._attribute(effect)
        elif isinstance(effect, SetMaterial):
            self._material(effect)
        elif isinstance(effect, Remove):
            path = self.view.schema.kinds[self.kind or ""]
            pairs = {0: effect.probability, 1: 1 - effect.probability}
            self._note(Observable(f"{path}.exists", self.identity), pairs, 1, EXISTS)
        else:
            self._spawn(effect)

    def _note(
        self, observable: Observable, pairs: dict[Any, float], current: Any, attribute: Attribute
    ) -> None:
        scores = {value: log_score(probability) for value, probability in pairs.items()}
        self.opinions.append(Opinion(self.law, observable, scores, current, attribute))

    def _attribute(self, effect: Add | Set) -> None:
        schema, path = self.view.schema, effect.path
        attribute = schema.attribute(path, self.kind)
        names = split(path)
        if names[0] == "it" and self.kind is not None:
            current = self.view.read_thing(self.thing, names[1:], self.kind)
            observable = Observable(f"{schema.kinds[self.kind]}.{path[3:]}", self.identity)
        else:
            current, observable = self.view.read(names, path), Observable(path)
        base = current if isinstance(effect, Add) else 0
        pairs: dict[Any, float] = defaultdict(float)
        for key, probability in effect.support:
            value = self.value(key)
            pairs[fitted(base + value if isinstance(effect, Add) else value, attribute)] += probability
        self._note(observable, dict(pairs), current, attribute)

    def tile(self, where: Where) -> tuple[int, int]:
        """The tile a place of an effect means."""
        if isinstance(where, str):
            return self.view.ahead
        dx, dy = (int(self.value(part)) for part in where[:2])
        by = len(where) > 2 and str(where[2]) == "it" and self.thing is not None and self.kind is not None
        x, y = self.view.place_of(self.thing or {}, self.kind or "") if by else self.view.actor
        return x + dx, y + dy

    def _material(self, effect: SetMaterial) -> None:
        x, y = self.tile(effect.where)
        current = self.view.material(x, y)
        if current == OUTSIDE:
            raise Inactive
        pairs: dict[Any, float] = defaultdict(float)
        for key, probability in effect.support:
            pairs[self.value(key)] += probability
        schema = self.view.schema
        self._note(
            Observable(schema.grid or "", tile=(x, y)),
            dict(pairs),
            current,
            Attribute("text", values=schema.materials),
        )

    def _spawn(self, effect: Spawn) -> None:
        path = self.view.schema.kinds[effect.kind]
        pairs = {1: effect.probability, 0: 1 - effect.probability}
        known = self.view.schema.attributes_of(effect.kind)
        place = self.tile(effect.position)
        given = {name: fitted(self.value(value), known[name]) for name, value in effect.attributes}
        self._note(Observable(f"{path}.count.{effect.kind}"), pairs, 0, ARRIVALS)
        self.arrivals.append(Arrival(effect.kind, place, effect.probability, given))


def mixed(support: Support) -> bool:
    """Whether a support holds expressions."""
    return any(isinstance(key, Expression) for key, _ in support)
