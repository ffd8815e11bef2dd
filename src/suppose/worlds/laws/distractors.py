"""States that did not come about, for any world: distractors drawn from the world's own record.

The mutations of Crafter know its mechanics. Where only a record is there, what did not happen is made of what
happened elsewhere: nothing changes; what another step changed is changed here too; one attribute of the true next
state has a value it had in another step. All are states a model could mistake for the truth.

What it does not do: distractors for grids. A tile differs only where another step changed it.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from suppose.worlds.explore import Step
from suppose.worlds.laws.schema import Schema, State, lookup

__all__ = ["SchemaDistractors"]

OTHERS = 3


class SchemaDistractors:
    """Distractors from a record of steps.

    Parameters
    ----------
    schema : Schema
        What is worth predicting.
    steps : sequence of Step
        Where other values come from.

    Examples
    --------
    >>> from suppose.core.random import generator
    >>> steps = [Step({"x": i}, "on", {"x": i + 1}, 0.0, False) for i in range(5)]
    >>> schema = Schema.from_dicts([step.state for step in steps], actions=("on",))
    >>> [name for name, _ in SchemaDistractors(schema, steps)(steps[0], generator(1))][:2]
    ['nothing happens', 'x is off']
    """

    def __init__(self, schema: Schema, steps: Sequence[Step]) -> None:
        self._paths = [path for path in schema.scalars if schema.is_observed(path)]
        self._objects = {
            path: part for path, part in schema.collections.items()
            if any(schema.is_observed(f"{path}.{name}") for kind in part.kinds.values() for name in kind)
        }  # fmt: skip
        self._schema, self._steps = schema, list(steps)
        self._moving = [path for path in self._paths if self._changes(path)]

    def _changes(self, path: str) -> bool:
        names = tuple(path.split("."))
        return any(_value(step.state, names) != _value(step.next_state, names) for step in self._steps)

    def __call__(self, step: Step, rng: np.random.Generator) -> list[tuple[str, State]]:
        """Distractors of a step, with their names; those equal to an earlier one are left out."""
        found: list[tuple[str, State]] = [("nothing happens", step.state)]
        for path in _some(self._moving, OTHERS, rng):
            found.append((f"{path} is off", self._off(step.next_state, path, rng)))
        for path, part in self._objects.items():
            found.append((f"one of {path} is off", self._object_off(step.next_state, path, part, rng)))
        for other in _some(self._steps, OTHERS, rng):
            found.append((f"what {other.action} did elsewhere", self._elsewhere(step.state, other)))
        kept: list[tuple[str, State]] = []
        for name, state in found:
            if state is not None and not any(state == earlier for _, earlier in kept):
                kept.append((name, state))
        return kept

    def _off(self, state: State, path: str, rng: np.random.Generator) -> Any:
        """The state with a value of another step at a path; None where there is no other."""
        names = tuple(path.split("."))
        here = _value(state, names)
        for other in _some(self._steps, 10, rng):
            value = _value(other.next_state, names)
            if value is not None and value != here:
                return _with(state, names, value)
        return None

    def _object_off(self, state: State, path: str, part: Any, rng: np.random.Generator) -> Any:
        """The state with an object that has a value of another object of its kind; None where there is none."""
        things = lookup(state, tuple(path.split(".")))
        if not things:
            return None
        place = int(rng.integers(len(things)))
        kind = things[place].get(part.kind) if part.kind else None
        names = [
            name for name in next((a for k, a in part.kinds.items() if kind in (None, k)), {})
            if self._schema.is_observed(f"{path}.{name}")
        ]  # fmt: skip
        if not names:
            return None
        keys = tuple(names[int(rng.integers(len(names)))].split("."))
        here = _value(things[place], keys)
        for other in _some(self._steps, 10, rng):
            for thing in lookup(other.next_state, tuple(path.split("."))):
                value = _value(thing, keys)
                if (kind is None or thing.get(part.kind) == kind) and value is not None and value != here:
                    changed = copy.deepcopy(state)
                    _put(lookup(changed, tuple(path.split(".")))[place], keys, value)
                    return changed
        return None

    def _elsewhere(self, state: State, other: Step) -> Any:
        """The state with what another step changed: numbers by as much, other values to what they became."""
        changed = copy.deepcopy(state)
        any_change = False
        for path in self._moving:
            names = tuple(path.split("."))
            old, new, here = (_value(item, names) for item in (other.state, other.next_state, state))
            if here is None or old is None or new is None or old == new:
                continue
            value = here + (new - old) if _is_number(here) and _is_number(old) and _is_number(new) else new
            if self._schema.scalars[path].holds(value):
                _put(changed, names, value)
                any_change = True
        return changed if any_change else None


def _some(items: Sequence[Any], count: int, rng: np.random.Generator) -> list[Any]:
    """Up to so many of the items, without repeats."""
    return [items[i] for i in rng.permutation(len(items))[:count]] if items else []


def _value(state: Any, names: tuple[str, ...]) -> Any:
    try:
        return lookup(state, names)
    except (KeyError, IndexError, TypeError):
        return None


def _put(state: Any, names: tuple[str, ...], value: Any) -> None:
    """Writes a value at a path, in place."""
    for name in names[:-1]:
        state = state[int(name)] if isinstance(state, list) else state[name]
    state[int(names[-1]) if isinstance(state, list) else names[-1]] = value


def _with(state: State, names: tuple[str, ...], value: Any) -> State:
    changed = copy.deepcopy(state)
    _put(changed, names, value)
    return changed


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
