"""What is predicted of a state: numbered values with domains, how they changed, and distributions over them.

Of every state: the observed attributes; of every object, whether it exists and its observed attributes; of every
kind, how many objects came. A collection's ``count`` stands for the last: leaving is told by ``exists`` alone, so
that nothing is counted twice (OneLife counts both, arXiv 2510.12088).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from suppose.worlds.laws.schema import Attribute, Schema, plain
from suppose.worlds.laws.views import Inactive, View, fitting, split

__all__ = ["ARRIVALS", "EXISTS", "Distribution", "Observable", "changes", "extract", "values_of"]

EXISTS = Attribute("int", 0, 1)
ARRIVALS = Attribute("int", 0, 49)
FLOOR, SILENT = -50.0, -10.0
"""Least log-score of a value a law lists, and log-score of a value it does not list."""


@dataclass(frozen=True, order=True)
class Observable:
    """One value of a state that can be predicted.

    Attributes
    ----------
    path : str
        Of the attribute; ``objects.exists`` and ``objects.count.cow`` for the coming and going in a collection.
    object : int or str, optional
        Identity of the object it is of.
    tile : (int, int), optional
        Column and row, of a material.

    Examples
    --------
    >>> print(Observable("objects.health", 7), Observable("player.health"), Observable("materials", tile=(2, 3)))
    objects[7].health player.health materials[2][3]
    """

    path: str
    object: int | str | None = None
    tile: tuple[int, int] | None = None

    def __str__(self) -> str:
        if self.tile is not None:
            return f"{self.path}[{self.tile[0]}][{self.tile[1]}]"
        if self.object is None:
            return self.path
        collection, _, rest = self.path.partition(".")
        return f"{collection}[{self.object}].{rest}"


Observed = dict[Observable, Any]


def values_of(state: Any, schema: Schema, narrow: bool = False) -> Observed:
    """Observed values of a state as they stand there; whole numbers, truth and texts alone.

    Parameters
    ----------
    state : dict or pydantic state
    schema : Schema
    narrow : bool
        Only what the product-of-experts baseline looks at.

    Examples
    --------
    >>> state = {"hero": {"x": 0, "y": 1}, "cows": [{"id": 3, "x": 2, "y": 1, "health": 5}]}
    >>> schema = Schema.from_dicts([state], actions=("wait",))
    >>> [f"{observable} = {value}" for observable, value in values_of(state, schema).items()]
    ['hero.x = 0', 'hero.y = 1', 'cows[3].exists = 1', 'cows[3].x = 2', 'cows[3].y = 1', 'cows[3].health = 5']
    """
    view = View(schema, plain(state), "")
    found: Observed = {}
    for path in _scalars(schema, narrow):
        _note(found, Observable(path), view.state, path, schema.scalars[path])
    for kind, things in view.objects.items():
        collection = schema.kinds[kind]
        chosen = _attributes(schema, kind, narrow)
        exists = schema.is_observed(f"{collection}.exists", narrow)
        for identity, thing in things:
            if exists:
                found[Observable(f"{collection}.exists", identity)] = 1
            for name, attribute in chosen.items():
                _note(found, Observable(f"{collection}.{name}", identity), thing, name, attribute)
    return found


def _scalars(schema: Schema, narrow: bool) -> list[str]:
    """Observed attributes outside collections."""
    return [
        path
        for path, attribute in schema.scalars.items()
        if attribute.type != "float" and schema.is_observed(path, narrow)
    ]


def _attributes(schema: Schema, kind: str, narrow: bool) -> dict[str, Attribute]:
    """Observed attributes of a kind of object."""
    collection = schema.kinds[kind]
    return {
        name: attribute
        for name, attribute in schema.attributes_of(kind).items()
        if attribute.type != "float" and schema.is_observed(f"{collection}.{name}", narrow)
    }


def _note(found: Observed, observable: Observable, content: Any, path: str, attribute: Attribute) -> None:
    """Notes a value if it is there."""
    try:
        found[observable] = fitting(content, split(path), attribute)
    except Inactive:
        return


def extract(state: Any, schema: Schema, narrow: bool = False) -> dict[Observable, int]:
    """Observed values of a state as whole numbers: truth as 0 and 1, texts by their place, -1 for unknown ones.

    Examples
    --------
    >>> state = {"lamp": {"on": True, "colour": "red"}}
    >>> schema = Schema.from_dicts([state, {"lamp": {"on": False, "colour": "blue"}}], actions=("press",))
    >>> {str(observable): value for observable, value in extract(state, schema).items()}
    {'lamp.on': 1, 'lamp.colour': 1}
    """
    found = {}
    for observable, value in values_of(state, schema, narrow).items():
        if isinstance(value, str):
            known = _attribute_of(observable, schema).values
            found[observable] = known.index(value) if value in known else -1
        else:
            found[observable] = int(value)
    return found


def _attribute_of(observable: Observable, schema: Schema) -> Attribute:
    """The attribute a text is of; every kind of a collection that has it says the same."""
    if observable.object is None:
        return schema.scalars[observable.path]
    collection = next(path for path in schema.collections if observable.path.startswith(f"{path}."))
    name = observable.path.removeprefix(f"{collection}.")
    kinds = schema.collections[collection].kinds.values()
    values = dict.fromkeys(text for kind in kinds if name in kind for text in kind[name].values)
    return Attribute("text", values=tuple(values))


def arrivals(before: View, after: View) -> dict[str, int]:
    """How many objects came, by kind: identities that were not there before."""
    known = {
        (before.schema.kinds[kind], identity)
        for kind, things in before.objects.items()
        for identity, _ in things
    }
    return {
        kind: sum((after.schema.kinds[kind], identity) not in known for identity, _ in things)
        for kind, things in after.objects.items()
    }


def changes(state: Any, next_state: Any, schema: Schema) -> dict[Observable, tuple[Any, Any]]:
    """Observed values that differ, before and after; None where there is no value. New objects change ``exists``.

    Examples
    --------
    >>> schema = Schema.from_dicts([{"lamp": {"on": True}}], actions=("press",))
    >>> changes({"lamp": {"on": True}}, {"lamp": {"on": False}}, schema)
    {Observable(path='lamp.on', object=None, tile=None): (True, False)}
    """
    before, after = values_of(state, schema), values_of(next_state, schema)
    everything = dict.fromkeys([*before, *after])
    return {
        observable: (before.get(observable), after.get(observable))
        for observable in everything
        if before.get(observable) != after.get(observable)
    }


@dataclass(frozen=True)
class Distribution:
    """Probabilities of the values of one observable.

    Attributes
    ----------
    values : tuple
        Values that some law lists.
    probabilities : tuple of float
        Of these values.
    others : int
        How many more values there are.
    other : float
        Log-probability of each of them.
    current : object
        The value before.
    attribute : Attribute
        The domain.

    Examples
    --------
    >>> wood = Distribution.pooled([({3: -0.05, 2: -3.0}, 1.2)], 2, Attribute("int", 0, 100))
    >>> round(wood.probability(3), 3), wood.mode
    (0.971, 3)
    """

    values: tuple[Any, ...]
    probabilities: tuple[float, ...]
    others: int
    other: float
    current: Any
    attribute: Attribute = field(repr=False)

    @classmethod
    def pooled(
        cls, opinions: Iterable[tuple[Mapping[Any, float], float]], current: Any, attribute: Attribute
    ) -> Distribution:
        """The log-linear pool of opinions: log-scores by value, and the weight of the law that has them."""
        given = list(opinions)
        values = list(dict.fromkeys(value for scores, _ in given for value in scores))
        totals = [sum(weight * scores.get(value, SILENT) for scores, weight in given) for value in values]
        silent = SILENT * sum(weight for _, weight in given)
        size = attribute.size
        others = 1 if size is None else max(size - len(values), 0)
        top = max([*totals, silent] if others else totals)
        whole = sum(math.exp(total - top) for total in totals) + others * math.exp(silent - top)
        constant = top + math.log(whole)
        return cls(
            tuple(values), tuple(math.exp(total - constant) for total in totals), others, silent - constant,
            current, attribute,
        )  # fmt: skip

    @classmethod
    def uniform(cls, current: Any, attribute: Attribute) -> Distribution:
        """Every value of the domain equally likely."""
        return cls((), (), attribute.size or 1, -math.log(attribute.size or 1), current, attribute)

    @cached_property
    def _places(self) -> dict[Any, int]:
        return {value: place for place, value in enumerate(self.values)}

    def log_prob(self, value: Any) -> float:
        """Natural logarithm of the probability of a value."""
        place = self._places.get(value)
        if place is None:
            return self.other
        return math.log(self.probabilities[place]) if self.probabilities[place] > 0 else FLOOR * 10

    def probability(self, value: Any) -> float:
        """Probability of a value."""
        return math.exp(self.log_prob(value))

    @property
    def mode(self) -> Any:
        """The likeliest value; the present one where every value is equally likely."""
        if not self.values or max(self.probabilities) <= math.exp(self.other) * (1 - 1e-12):
            return self.current
        return self.values[int(np.argmax(self.probabilities))]

    def sample(self, random: np.random.Generator) -> Any:
        """A value drawn from it; the present one where values cannot be listed."""
        drawn = random.random()
        for value, probability in zip(self.values, self.probabilities, strict=True):
            drawn -= probability
            if drawn < 0:
                return value
        return self._other(random)

    def _other(self, random: np.random.Generator) -> Any:
        """One of the values no law lists."""
        attribute = self.attribute
        if attribute.size is None or not self.others:
            return self.values[-1] if self.values and not self.others else self.current
        listed = set(self.values)
        if attribute.type == "int" and self.others > len(listed):
            while (value := int(random.integers(attribute.low, attribute.high + 1))) in listed:
                continue
            return value
        everything = {
            "int": range(attribute.low, attribute.high + 1), "bool": (False, True), "text": attribute.values,
        }[attribute.type]  # fmt: skip
        rest = [value for value in everything if value not in listed]
        return rest[int(random.integers(len(rest)))]

    def __str__(self) -> str:
        order = np.argsort([-p for p in self.probabilities], kind="stable")
        parts = [
            f"{self.values[i]} {self.probabilities[i]:.3f}" for i in order if self.probabilities[i] > 5e-4
        ]
        rest = 1 - sum(self.probabilities)
        return ", ".join(parts + ([f"other {rest:.3f}"] if rest > 5e-4 else []))
