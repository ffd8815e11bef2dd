"""What a model expects after one state and one action: scored, drawn from, and explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from suppose.worlds.laws.observables import Distribution, Observable, arrivals, values_of
from suppose.worlds.laws.opinions import Arrival, Opinion, Said
from suppose.worlds.laws.schema import OUTSIDE, Names, Schema, State, lookup, plain
from suppose.worlds.laws.views import Inactive, View, fitting, split

__all__ = ["Explanation", "Prediction", "copied"]

CHANGED = -1.0
"""Score of an ungoverned value that changed all the same."""


def copied(content: Any) -> Any:
    """The same plain content in memory of its own.

    Examples
    --------
    >>> copied({"a": [1, {"b": 2}]})
    {'a': [1, {'b': 2}]}
    """
    if isinstance(content, dict):
        return {
            key: copied(part) if isinstance(part, (dict, list)) else part for key, part in content.items()
        }
    if content and isinstance(content[0], (dict, list)):
        return [copied(part) if isinstance(part, (dict, list)) else part for part in content]
    return list(content)


@dataclass(frozen=True)
class Explanation:
    """Which laws spoke about a state, and what came of it.

    Attributes
    ----------
    action : str
    rows : tuple of dict
        ``observable``, ``now``, ``law``, ``weight``, ``says`` and ``pooled``: one row per opinion.
    silent : int
        Laws that were asked or passed over and did not apply.
    errors : tuple of str
        Laws that could not be told on this state.
    """

    action: str
    rows: tuple[dict[str, Any], ...]
    silent: int
    errors: tuple[str, ...] = ()

    def to_frame(self) -> Any:
        """One row per opinion."""
        import pandas as pd

        return pd.DataFrame(
            list(self.rows), columns=["observable", "now", "law", "weight", "says", "pooled", "words"]
        )

    def __str__(self) -> str:
        lines = [f"after {self.action}:"]
        seen: set[str] = set()
        for row in self.rows:
            if row["observable"] not in seen:
                seen.add(row["observable"])
                lines.append(f"  {row['observable']} (now {row['now']}): {row['pooled']}")
            told = f" {row['words']!r}" if row["words"] else ""
            lines.append(f"    {row['law']}{told}, weight {row['weight']:.2f}: {row['says']}")
        lines += ["  nothing changes, as far as the laws know"] if not seen else []
        lines.append(
            f"  {self.silent} laws do not apply"
            + (f"; {len(self.errors)} cannot be told" if self.errors else "")
        )
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model expects of the next state.

    Attributes
    ----------
    schema : Schema
    state : dict
    action : str
    distributions : dict of Distribution
        By observable, those that laws (or the product of experts) govern; the others stay as they are.
    arrivals : tuple of Arrival
        Objects that may come.
    said : Said
        Opinions of the laws.
    narrow, tiles : bool
        What is scored: the narrow observables, the materials that laws set.
    """

    schema: Schema
    state: State
    action: str
    distributions: dict[Observable, Distribution]
    arrivals: tuple[Arrival, ...] = ()
    said: Said = field(default_factory=lambda: Said([], [], [], []), repr=False)
    narrow: bool = False
    tiles: bool = True

    @cached_property
    def _before(self) -> tuple[View, dict[Observable, Any]]:
        return View(self.schema, self.state, ""), values_of(self.state, self.schema, self.narrow)

    def log_prob(self, next_state: Any) -> float:
        """Score of a next state: log-probabilities of the governed values, -1 for each other one that changed.

        An object that is gone scores as its existence does; where no law governs that, as one change, and one for
        each value of it that laws do govern.
        """
        content = plain(next_state)
        view, after = View(self.schema, content, ""), values_of(content, self.schema, self.narrow)
        before_view, before = self._before
        here = {
            (self.schema.kinds[kind], thing[0]) for kind, things in view.objects.items() for thing in things
        }
        total = 0.0
        for observable, old in before.items():
            if observable not in self.distributions:
                total += self._inertia(observable, old, after, here)
        for observable, distribution in self.distributions.items():
            total += self._governed(observable, distribution, view, here)
        for kind, number in arrivals(before_view, view).items():
            path = f"{self.schema.kinds[kind]}.count"
            if Observable(f"{path}.{kind}") in self.distributions:
                total += self.distributions[Observable(f"{path}.{kind}")].log_prob(number)
            elif self.schema.is_observed(path, self.narrow):
                total += CHANGED * number
        return total

    def _collection(self, observable: Observable) -> str:
        return next(path for path in self.schema.collections if observable.path.startswith(f"{path}."))

    def _inertia(
        self, observable: Observable, old: Any, after: dict[Observable, Any], here: set[tuple[str, Any]]
    ) -> float:
        """Score of a value no law governs."""
        if observable.object is not None:
            path = self._collection(observable)
            if (path, observable.object) not in here:
                return CHANGED if observable.path == f"{path}.exists" else 0.0
        return CHANGED if after.get(observable) != old else 0.0

    def _governed(
        self, observable: Observable, distribution: Distribution, view: View, here: set[tuple[str, Any]]
    ) -> float:
        """Score of a value that laws govern; the number of arrivals is scored elsewhere."""
        if observable.tile is not None:
            return distribution.log_prob(view.material(*observable.tile)) if self.tiles else 0.0
        if observable.object is None:
            if observable.path not in self.schema.scalars:
                return 0.0
            return distribution.log_prob(_read(view.state, observable.path, distribution))
        path = self._collection(observable)
        there = (path, observable.object) in here
        exists = Observable(f"{path}.exists", observable.object)
        if observable == exists:
            return distribution.log_prob(int(there))
        if not there:
            return 0.0 if exists in self.distributions else CHANGED
        thing = self._thing(view, path, observable.object)
        return distribution.log_prob(_read(thing, observable.path.removeprefix(f"{path}."), distribution))

    def _thing(self, view: View, path: str, identity: Any) -> Any:
        found = view.by_identity.get((path, identity))
        return found if found is not None else {}

    # Drawing.

    def sample(self, random: np.random.Generator) -> State:
        """A next state drawn from the distributions; everything else stays."""
        state: State = copied(self.state)
        view = View(self.schema, state, "")
        gone: dict[str, set[Any]] = {}
        coming: dict[str, int] = {}
        for observable, distribution in self.distributions.items():
            value = distribution.sample(random)
            self._put(observable, value, view, gone, coming)
        for path, identities in gone.items():
            self._leave(state, path, identities)
        if any(coming.values()):
            self._arrive(state, coming)
        return state

    def _put(
        self,
        observable: Observable,
        value: Any,
        view: View,
        gone: dict[str, set[Any]],
        coming: dict[str, int],
    ) -> None:
        """Writes one value into a state, or notes who comes and goes."""
        if observable.tile is not None:
            x, y = observable.tile
            view.tiles[x][y] = value
        elif observable.object is not None:
            path = self._collection(observable)
            name = observable.path.removeprefix(f"{path}.")
            if name == "exists":
                gone.setdefault(path, set()).update([] if value else [observable.object])
            else:
                _write(self._thing(view, path, observable.object), split(name), value)
        elif observable.path in self.schema.scalars:
            _write(view.state, split(observable.path), value)
        else:
            coming[observable.path.rpartition(".")[2]] = int(value)

    def _leave(self, state: State, path: str, identities: set[Any]) -> None:
        """Takes objects out of a collection."""
        names, identity = split(path), split(self.schema.collections[path].identity)
        things = lookup(state, names)
        _write(state, names, [thing for thing in things if lookup(thing, identity) not in identities])

    def _arrive(self, state: State, coming: dict[str, int]) -> None:
        """Puts new objects where laws say and nothing stands."""
        view = View(self.schema, state, "")
        taken = set(view.occupants)
        for arrival in sorted(self.arrivals, key=lambda item: -item.probability):
            free = arrival.place not in taken and (
                self.schema.grid is None or view.material(*arrival.place) != OUTSIDE
            )
            if coming.get(arrival.kind, 0) > 0 and free:
                coming[arrival.kind] -= 1
                taken.add(arrival.place)
                self._add(state, arrival)

    def _add(self, state: State, arrival: Arrival) -> None:
        """Appends one object."""
        path = self.schema.kinds[arrival.kind]
        collection, things = self.schema.collections[path], lookup(state, split(path))
        names = split(collection.identity)
        known = [lookup(thing, names) for thing in things]
        numbers = [identity for identity in known if isinstance(identity, int)]
        fresh: Any = max(numbers, default=0) + 1
        if self.schema.counter is not None:
            fresh = max(fresh, lookup(state, split(self.schema.counter)))
            _write(state, split(self.schema.counter), fresh + 1)
        if known and not numbers:
            fresh = next(f"new{n}" for n in range(len(known) + 1) if f"new{n}" not in known)
        thing: State = {}
        _plant(thing, names, fresh)
        if collection.kind:
            _plant(thing, split(collection.kind), arrival.kind)
        for name, attribute in self.schema.attributes_of(arrival.kind).items():
            default = {"int": max(attribute.low, 0), "float": 0.0, "bool": False}.get(attribute.type)
            empty = attribute.values[0] if attribute.values else ""
            _plant(thing, split(name), arrival.attributes.get(name, empty if default is None else default))
        for name, value in zip(collection.position, arrival.place, strict=True):
            _plant(thing, split(name), value)
        things.append(thing)

    # Explaining.

    def explain(
        self, names: Sequence[str], words: Sequence[str], weights: Float[np.ndarray, " laws"]
    ) -> Explanation:
        """Which laws spoke, with what weight, and what came of it."""
        rows = []
        for observable in self.distributions:
            for opinion in (item for item in self.said.opinions if item.observable == observable):
                rows.append(self._row(opinion, names, words, weights))
        applied = {number for number, _ in self.said.active}
        errors = tuple(names[number] for number in self.said.errors)
        return Explanation(self.action, tuple(rows), len(names) - len(applied), errors)

    def _row(
        self,
        opinion: Opinion,
        names: Sequence[str],
        words: Sequence[str],
        weights: Float[np.ndarray, " laws"],
    ) -> dict[str, Any]:
        says = ", ".join(f"{value} {np.exp(score):.2f}" for value, score in opinion.scores.items())
        return {
            "observable": str(opinion.observable),
            "now": opinion.current,
            "law": names[opinion.law],
            "weight": float(weights[opinion.law]),
            "says": says,
            "pooled": str(self.distributions[opinion.observable]),
            "words": words[opinion.law],
        }


def _read(content: Any, path: str, distribution: Distribution) -> Any:
    """What stands at a path; None where nothing fits."""
    try:
        value = fitting(content, split(path), distribution.attribute)
    except Inactive:
        return None
    return round(float(value), 9) if distribution.attribute.type == "float" else value


def _write(content: Any, names: Names, value: Any) -> None:
    """Writes into a nested dict, where there is such a place."""
    holder = lookup(content, names[:-1])
    if isinstance(holder, list):
        holder[int(names[-1])] = value
    else:
        holder[names[-1]] = value


def _plant(content: State, names: Names, value: Any) -> None:
    """Writes into a nested dict, making the way."""
    for name in names[:-1]:
        content = content.setdefault(name, {})
    content[names[-1]] = value
