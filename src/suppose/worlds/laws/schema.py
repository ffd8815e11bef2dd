"""What is in a state: attributes with their domains, collections of objects, and the roles some of them play.

A state is a nested dict of plain values. A path names a place in it, with dots: ``player.inventory.wood``, ``size.0``.
A *collection* is a list of dicts with an identity each; a *grid* is a rectangular list of columns of text,
``grid[x][y]``. The roles say who acts, where it faces, how far things act on each other and what is worth predicting.
Domains of whole numbers are 0 to 100 unless something else is declared or seen, as in OneLife.

What it does not do: keys that are no names (letters, digits, underscores), several grids that matter, objects within
objects. Such parts are left out, and stand in ``ignored``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Literal

from suppose.core.errors import DataError, nearest

__all__ = ["OUTSIDE", "Attribute", "Collection", "Names", "Schema", "State", "lookup", "matches", "plain"]

State = dict[str, Any]
Names = tuple[str, ...]
Kind = Literal["int", "float", "bool", "text"]
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+")
OUTSIDE = "outside"
"""What a tile off the grid shows."""
LOW, HIGH = 0, 100


@dataclass(frozen=True)
class Attribute:
    """One value and what it can be.

    Attributes
    ----------
    type : {"int", "float", "bool", "text"}
    low, high : int
        Least and most, of whole numbers.
    values : tuple of str
        Of texts, where they are known.

    Examples
    --------
    >>> Attribute("int", 0, 9).size, Attribute("bool").size, Attribute("float").size
    (10, 2, None)
    """

    type: Kind
    low: int = LOW
    high: int = HIGH
    values: tuple[str, ...] = ()

    @property
    def size(self) -> int | None:
        """How many values there are; None where they cannot be counted."""
        if self.type == "int":
            return self.high - self.low + 1
        return 2 if self.type == "bool" else len(self.values) or None

    def holds(self, value: Any) -> bool:
        """Whether a value is one of its values."""
        if self.type == "bool":
            return isinstance(value, bool)
        if self.type == "text":
            return isinstance(value, str) and (not self.values or value in self.values)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return self.type == "float" or (value == int(value) and self.low <= value <= self.high)

    def words(self) -> str:
        """Its values in words.

        Examples
        --------
        >>> Attribute("int", 0, 9).words(), Attribute("text", values=("a", "b")).words()
        ('whole numbers from 0 to 9', 'one of a, b')
        """
        if self.type == "int":
            return f"whole numbers from {self.low} to {self.high}"
        if self.type == "text":
            return f"one of {', '.join(self.values)}" if self.values else "any text"
        return {"float": "any number", "bool": "true or false"}[self.type]

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        if self.type == "int":
            return {"type": "int", "low": self.low, "high": self.high}
        return {"type": self.type, **({"values": list(self.values)} if self.values else {})}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Attribute:
        """The inverse of :meth:`to_dict`."""
        return cls(**{**content, "values": tuple(content.get("values", ()))})


@dataclass(frozen=True)
class Collection:
    """A list of objects.

    Attributes
    ----------
    kinds : dict
        By kind of object, its attributes by path within the object.
    identity, kind : str
        Paths of the identity and of the kind; without a kind, all are of the kind the list is named after.
    position : (str, str)
        Paths of the column and the row.
    """

    kinds: Mapping[str, Mapping[str, Attribute]]
    identity: str = "entity_id"
    kind: str | None = "name"
    position: tuple[str, str] = ("position.x", "position.y")


@dataclass(frozen=True)
class Schema:
    """What states hold, and which part plays which role.

    Attributes
    ----------
    scalars : dict of Attribute
        By path, everything outside collections and the grid.
    collections : dict of Collection
        By path.
    actions : tuple of str
        What can be done.
    actor : str, optional
        Path of the one who acts; it is not repeated in a collection.
    position : (str, str)
        Paths of its column and row, within it.
    facing : str, optional
        Path of the direction in which it looks, with ``x`` and ``y``.
    grid : str, optional
        Path of the columns of tiles.
    materials : tuple of str
        What tiles can be; empty where that is not known.
    walkable : tuple of str
        Materials that ``free`` takes for free; empty for all.
    reach : int, optional
        Objects fewer steps than this from the actor (without diagonals) are those that laws bind as ``it``.
    counter : str, optional
        Path of the identity that the next new object gets; one more than the largest without it.
    observed : tuple of str
        Patterns of the paths whose values are worth predicting. Those of objects begin with the path of their
        collection; ``exists`` and ``count`` there stand for coming and going.
    narrow : tuple of str
        Patterns of what the product-of-experts baseline looks at; the same as ``observed`` if empty.
    ignored : tuple of str
        Patterns of the paths left out.

    Examples
    --------
    >>> states = [{"hero": {"x": 0, "y": 1, "gold": 2}, "doors": [{"id": 3, "x": 2, "y": 1, "open": False}]}]
    >>> schema = Schema.from_dicts(states, actions=("left", "right"))
    >>> schema.actor, list(schema.scalars), dict(schema.collections["doors"].kinds["doors"])["open"].type
    ('hero', ['hero.x', 'hero.y', 'hero.gold'], 'bool')
    """

    scalars: Mapping[str, Attribute]
    collections: Mapping[str, Collection] = field(default_factory=dict)
    actions: tuple[str, ...] = ()
    actor: str | None = None
    position: tuple[str, str] = ("position.x", "position.y")
    facing: str | None = None
    grid: str | None = None
    materials: tuple[str, ...] = ()
    walkable: tuple[str, ...] = ()
    reach: int | None = None
    counter: str | None = None
    observed: tuple[str, ...] = ("*",)
    narrow: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for path, collection in self.collections.items():
            twice = seen & set(collection.kinds)
            if twice:
                raise _bad(f"objects of the kind {min(twice)!r} stand in another collection too", path)
            seen |= set(collection.kinds)
        if self.actor is not None and not self.is_place(self.actor):
            raise _bad(
                f"the actor needs a position at {self.actor}.{self.position[0]} and "
                f"{self.actor}.{self.position[1]}; there are: {', '.join(self.scalars)}",
                "actor",
            )
        if self.facing is not None and not self.heading:
            raise _bad(f"expected {self.facing}.x and {self.facing}.y among the attributes", "facing")
        if not self.actions or len(set(self.actions)) != len(self.actions):
            raise _bad(f"expected the names of the actions, each once; got {self.actions!r}", "actions")

    # Making one.

    @classmethod
    def from_model(cls, model: Any, **roles: Any) -> Schema:
        """The schema of a pydantic model of states; roles as attributes of this class, ``actions`` among them.

        ``domains={pattern: (low, high)}`` declares domains of whole numbers that the model leaves open.

        Raises
        ------
        DataError
            ``bad-schema``, naming the field that is neither a value, nor a collection, nor a grid, nor ignored.
        """
        from suppose.worlds.laws.declared import schema_of_model

        return schema_of_model(model, **roles)

    @classmethod
    def from_dicts(cls, states: Iterable[Any], actions: Sequence[str] = (), **roles: Any) -> Schema:
        """The schema of states as they were seen: everything that can be told is told, roles given win.

        Raises
        ------
        DataError
            ``bad-schema``, naming the field that cannot be understood; ``empty-trajectory`` without states.
        """
        from suppose.worlds.laws.seen import schema_of_states

        return schema_of_states(states, actions=tuple(actions), **roles)

    # Looking things up.

    def is_place(self, path: str) -> bool:
        """Whether something at a path has a column and a row."""
        return all(f"{path}.{part}" in self.scalars for part in self.position)

    @cached_property
    def heading(self) -> tuple[str, str] | None:
        """Paths of the two parts of the direction."""
        for first, second in (("x", "y"), ("0", "1")):
            pair = (f"{self.facing}.{first}", f"{self.facing}.{second}")
            if self.facing is not None and all(path in self.scalars for path in pair):
                return pair
        return None

    @property
    def actor_position(self) -> tuple[str, str]:
        """Paths of the column and row of the actor."""
        return f"{self.actor}.{self.position[0]}", f"{self.actor}.{self.position[1]}"

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Path of the collection by kind of object."""
        return {kind: path for path, collection in self.collections.items() for kind in collection.kinds}

    def attributes_of(self, kind: str) -> Mapping[str, Attribute]:
        """Attributes of a kind of object by path; refuses an unknown kind."""
        if kind not in self.kinds:
            raise DataError(
                "unknown-object-kind",
                f"no object is called {kind!r}; there are: {', '.join(self.kinds) or 'none'}",
                where="each",
                remedy=nearest(kind, self.kinds) or None,
            )
        return self.collections[self.kinds[kind]].kinds[kind]

    def attribute(self, path: str, each: str | None = None) -> Attribute:
        """The attribute at a path, where ``it.`` speaks of an object of the kind ``each``; refuses an unknown one.

        Raises
        ------
        DataError
            ``unknown-attribute`` with the paths there are, ``unknown-object-kind``.
        """
        if path.startswith("it."):
            known = {} if each is None else {f"it.{name}": a for name, a in self.attributes_of(each).items()}
        else:
            known = dict(self.scalars)
        if path not in known:
            remedy = (
                "Bind it by a line such as: each zombie." if path.startswith("it.") and not each else None
            )
            raise DataError(
                "unknown-attribute",
                f"no such attribute; there are: {', '.join(known) or 'none'}",
                where=path,
                remedy=remedy or nearest(path, known) or None,
            )
        return known[path]

    @cached_property
    def actor_kind(self) -> str:
        """What the actor is called on a tile."""
        return (self.actor or "").rpartition(".")[2]

    def is_observed(self, path: str, narrow: bool = False) -> bool:
        """Whether the values at a path are worth predicting."""
        return matches(path, (self.narrow or self.observed) if narrow else self.observed)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        lists = ("actions", "position", "materials", "walkable", "observed", "narrow", "ignored")
        return {
            "scalars": {path: attribute.to_dict() for path, attribute in self.scalars.items()},
            "collections": {
                path: {
                    "kinds": {
                        kind: {name: attribute.to_dict() for name, attribute in attributes.items()}
                        for kind, attributes in part.kinds.items()
                    },
                    "identity": part.identity,
                    "kind": part.kind,
                    "position": list(part.position),
                }
                for path, part in self.collections.items()
            },
            **{name: list(getattr(self, name)) for name in lists},
            **{name: getattr(self, name) for name in ("actor", "facing", "grid", "reach", "counter")},
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Schema:
        """The inverse of :meth:`to_dict`."""
        collections = {
            path: Collection(
                {
                    kind: {name: Attribute.from_dict(a) for name, a in attributes.items()}
                    for kind, attributes in part["kinds"].items()
                },
                part["identity"],
                part["kind"],
                (part["position"][0], part["position"][1]),
            )
            for path, part in content["collections"].items()
        }
        rest: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in content.items()
            if name not in ("scalars", "collections")
        }
        scalars = {path: Attribute.from_dict(a) for path, a in content["scalars"].items()}
        return cls(scalars=scalars, collections=collections, **rest)

    def __str__(self) -> str:
        parts = [f"{len(self.scalars)} attributes", f"{len(self.actions)} actions"]
        parts += [f"{path} ({', '.join(part.kinds) or 'none'})" for path, part in self.collections.items()]
        parts += [f"grid {self.grid} of {len(self.materials) or 'any'} materials"] if self.grid else []
        return "; ".join([*parts, f"{self.actor or 'nobody'} acts"])


def plain(state: Any) -> State:
    """A state as a nested dict: dicts as they are, pydantic states through ``model_dump()``.

    Raises
    ------
    DataError
        ``bad-state`` for anything else.
    """
    if isinstance(state, dict):
        return state
    if hasattr(state, "model_dump"):
        found: State = state.model_dump()
        return found
    raise DataError(
        "bad-state",
        f"expected a nested dict or a pydantic state, got {type(state).__name__}",
        where="state",
        remedy="Give states as dicts of numbers, texts and lists.",
    )


def lookup(state: Any, names: Names) -> Any:
    """What stands at a path of a nested dict; ``KeyError`` where there is nothing.

    Examples
    --------
    >>> lookup({"size": [9, 7]}, ("size", "1"))
    7
    """
    for name in names:
        if isinstance(state, dict):
            state = state[name]
        elif isinstance(state, list) and name.isdigit() and int(name) < len(state):
            state = state[int(name)]
        else:
            raise KeyError(name)
    return state


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path is one of some patterns, or lies below one.

    Examples
    --------
    >>> matches("player.inventory.wood", ("player.inventory.*",)), matches("chunks.0", ("chunks",))
    (True, True)
    """
    return any(fnmatchcase(path, pattern) or fnmatchcase(path, f"{pattern}.*") for pattern in patterns)


def _bad(problem: str, where: str) -> DataError:
    return DataError(
        "bad-schema", problem, where=where, remedy="Name the roles as arguments, or list the path in ignored."
    )
