"""World models to compare with: anything may happen, nothing changes, and the world itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np

from suppose.worlds.laws.observables import changes
from suppose.worlds.laws.prediction import _write, copied
from suppose.worlds.laws.schema import Attribute, Schema, State, lookup, plain
from suppose.worlds.laws.views import View, split

__all__ = ["InertiaModel", "RandomModel", "TrueModel", "WorldModel"]


@runtime_checkable
class WorldModel(Protocol):
    """Something that scores and draws next states; fitted law models are such, and so are the baselines."""

    def log_prob(self, state: Any, action: str, next_state: Any) -> float:
        """Score of a next state; larger is likelier."""
        ...

    def sample(self, state: Any, action: str, random: np.random.Generator) -> State:
        """A next state."""
        ...


class RandomModel:
    """Every state scores the same; those it draws have every attribute drawn from its domain.

    Examples
    --------
    >>> schema = Schema.from_dicts([{"lamp": {"on": True}}], actions=("press",))
    >>> RandomModel(schema).log_prob({"lamp": {"on": True}}, "press", {"lamp": {"on": False}})
    0.0
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def log_prob(self, state: Any, action: str, next_state: Any) -> float:
        """Zero, whatever the state."""
        return 0.0

    def sample(self, state: Any, action: str, random: np.random.Generator) -> State:
        """The state with every attribute, every tile and every place drawn anew."""
        drawn: State = copied(plain(state))
        view = View(self.schema, drawn, "")
        wide, high = len(view.tiles), len(view.tiles[0]) if view.tiles else 0
        for path, attribute in self.schema.scalars.items():
            _redraw(drawn, path, attribute, random)
        if self.schema.actor is not None:
            self._place(drawn, self.schema.actor_position, wide, high, random)
        for kind, things in view.objects.items():
            position = self.schema.collections[self.schema.kinds[kind]].position
            for _, thing in things:
                for path, attribute in self.schema.attributes_of(kind).items():
                    _redraw(thing, path, attribute, random)
                self._place(thing, position, wide, high, random)
        materials = np.array(self.schema.materials or ("",), dtype=object)
        for column in view.tiles if self.schema.materials else ():
            column[:] = random.choice(materials, len(column)).tolist()
        return drawn

    @staticmethod
    def _place(
        content: State, position: tuple[str, str], wide: int, high: int, random: np.random.Generator
    ) -> None:
        """A place on the grid, where there is one."""
        for path, size in zip(position, (wide, high), strict=True):
            if size:
                _write(content, split(path), int(random.integers(size)))


def _redraw(content: State, path: str, attribute: Attribute, random: np.random.Generator) -> None:
    """Another value of the domain, where there is a value."""
    try:
        current = lookup(content, split(path))
    except KeyError:
        return
    if attribute.type == "int":
        drawn: Any = int(random.integers(attribute.low, attribute.high + 1))
    elif attribute.type == "bool":
        drawn = bool(random.integers(2))
    elif attribute.type == "text" and attribute.values:
        drawn = attribute.values[int(random.integers(len(attribute.values)))]
    else:
        drawn = float(random.random()) if attribute.type == "float" else current
    _write(content, split(path), drawn)


class InertiaModel:
    """Nothing changes: a state scores -1 for every observed value that does.

    Without a schema every value counts, things in lists by their place.

    Examples
    --------
    >>> InertiaModel().log_prob({"lamp": {"on": True}}, "press", {"lamp": {"on": False}})
    -1.0
    """

    def __init__(self, schema: Schema | None = None) -> None:
        self.schema = schema

    def log_prob(self, state: Any, action: str, next_state: Any) -> float:
        """Minus the number of observed values that differ."""
        if self.schema is not None:
            return _score(state, next_state, self.schema)
        before, after = dict(_leaves(plain(state))), dict(_leaves(plain(next_state)))
        return -float(sum(before.get(path) != after.get(path) for path in {**before, **after}))

    def sample(self, state: Any, action: str, random: np.random.Generator) -> State:
        """The state itself, in memory of its own."""
        drawn: State = copied(plain(state))
        return drawn


class TrueModel:
    """The world itself, if its transition is known: the ceiling of what a model can reach.

    Parameters
    ----------
    transition : callable
        Takes a state and an action, gives the next state, or that and a reward.
    schema : Schema
    read : callable, optional
        Makes what ``transition`` takes of a nested dict; states are handed on as they are without it.
    """

    def __init__(
        self,
        transition: Callable[[Any, str], Any],
        schema: Schema,
        read: Callable[[State], Any] | None = None,
    ) -> None:
        self.transition, self.schema, self.read = transition, schema, read

    def _next(self, state: Any, action: str) -> State:
        given = self.read(state) if self.read is not None and isinstance(state, dict) else state
        found = self.transition(given, action)
        return plain(found[0] if isinstance(found, tuple) else found)

    def log_prob(self, state: Any, action: str, next_state: Any) -> float:
        """Minus the number of observed values that differ from what comes next."""
        return _score(self._next(state, action), next_state, self.schema)

    def sample(self, state: Any, action: str, random: np.random.Generator) -> State:
        """What comes next. Where chance is part of the state, it is always the same."""
        return self._next(state, action)


def _score(expected: Any, found: Any, schema: Schema) -> float:
    """Minus the number of values that differ; an object that came or went counts once."""
    differing = changes(expected, found, schema)
    moved = {
        (_stem(observable.path), observable.object)
        for observable in differing
        if observable.object is not None and observable.path.endswith(".exists")
    }
    rest = [
        observable
        for observable in differing
        if observable.object is None or (_stem(observable.path), observable.object) not in moved
    ]
    return -float(len(rest) + len(moved))


def _leaves(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a nested dict with its path."""
    parts = content.items() if isinstance(content, dict) else enumerate(content)
    for key, part in parts:
        below = f"{path}.{key}"
        if isinstance(part, (dict, list)):
            yield from _leaves(part, below)
        else:
            yield below, part


def _stem(path: str) -> str:
    return path.partition(".")[0]
