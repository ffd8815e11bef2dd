"""One state and one action, as expressions see them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from suppose.core.errors import DataError
from suppose.worlds.laws.schema import OUTSIDE, Attribute, Collection, Names, Schema, State, lookup

__all__ = ["Inactive", "LARGEST", "View", "called", "duplicate", "fitting", "split"]

Thing = dict[str, Any]
LARGEST = 2**53
"""Numbers up to here are exact in arrays; beyond, an expression has no value."""


class Inactive(Exception):  # noqa: N818 (not an error of anyone: the law does not apply)
    """A law cannot be told on a state, for want of an attribute or because a number grows out of bounds."""


def split(path: str) -> Names:
    """A path as names."""
    return tuple(path.split("."))


def duplicate(path: str, identity: Any) -> DataError:
    """The refusal of two objects with one identity."""
    return DataError(
        "duplicate-entity",
        f"two objects have the identity {identity!r}",
        where=path,
        remedy="Give every object an identity of its own.",
    )


def fitting(content: Any, names: Names, attribute: Attribute | None) -> Any:
    """What stands at a path, if it is of the type of the attribute; raises :class:`Inactive` otherwise."""
    try:
        value = lookup(content, names)
    except KeyError:
        raise Inactive from None
    if attribute is None:
        fits = isinstance(value, (bool, int, float, str))
    elif attribute.type in ("int", "float"):
        fits = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST
    else:
        fits = isinstance(value, bool if attribute.type == "bool" else str)
    if not fits:
        raise Inactive
    return value


def called(thing: Thing, path: str, collection: Collection) -> tuple[Any, str]:
    """Identity and kind of an object; refuses one without."""
    try:
        identity = lookup(thing, split(collection.identity))
        kind = lookup(thing, split(collection.kind)) if collection.kind else path.rpartition(".")[2]
    except KeyError as error:
        raise DataError(
            "bad-state",
            f"an object lacks {error.args[0]!r}",
            where=path,
            remedy="Give states as dicts of numbers, texts and lists.",
        ) from None
    return identity, kind


class View:
    """Answers what laws ask of a state."""

    def __init__(self, schema: Schema, state: State, action: str) -> None:
        self.schema, self.state, self.action = schema, state, action

    def read(self, names: Names, path: str) -> Any:
        """What stands at a path of the state."""
        return fitting(self.state, names, self.schema.scalars.get(path))

    def read_thing(self, thing: Thing | None, names: Names, kind: str | None) -> Any:
        """What stands at a path of an object."""
        known = self.schema.attributes_of(kind) if kind is not None else {}
        return fitting(thing, names, known.get(".".join(names)))

    @cached_property
    def actor(self) -> tuple[int, int]:
        """Where the actor stands."""
        if self.schema.actor is None:
            raise Inactive
        first, second = (self.read(split(path), path) for path in self.schema.actor_position)
        return int(first), int(second)

    @cached_property
    def ahead(self) -> tuple[int, int]:
        """The tile the actor faces."""
        if self.schema.heading is None:
            raise Inactive
        dx, dy = (self.read(split(path), path) for path in self.schema.heading)
        return self.actor[0] + int(dx), self.actor[1] + int(dy)

    def place_of(self, thing: Thing, kind: str) -> tuple[int, int]:
        """Where an object stands."""
        path = self.schema.kinds[kind]
        first, second = self.schema.collections[path].position
        try:
            return int(lookup(thing, split(first))), int(lookup(thing, split(second)))
        except (KeyError, TypeError, ValueError):
            raise DataError(
                "bad-state",
                f"an object of the kind {kind!r} has no position at {first} and {second}",
                where=path,
                remedy="Give states as dicts of numbers, texts and lists.",
            ) from None

    @cached_property
    def objects(self) -> dict[str, list[tuple[Any, Thing]]]:
        """Identity and content of objects by kind; refuses two with one identity."""
        found: dict[str, list[tuple[Any, Thing]]] = {kind: [] for kind in self.schema.kinds}
        for path, collection in self.schema.collections.items():
            try:
                things = lookup(self.state, split(path))
            except KeyError:
                continue
            seen: set[Any] = set()
            for thing in things:
                identity, kind = called(thing, path, collection)
                if identity in seen:
                    raise duplicate(path, identity)
                seen.add(identity)
                if kind in found:
                    found[kind].append((identity, thing))
        return found

    @cached_property
    def by_identity(self) -> dict[tuple[str, Any], Thing]:
        """Objects by path of their collection and identity."""
        return {
            (self.schema.kinds[kind], identity): thing
            for kind, things in self.objects.items()
            for identity, thing in things
        }

    def within_reach(self, kind: str) -> list[tuple[Any, Thing]]:
        """Objects of a kind that laws bind as ``it``."""
        things = self.objects.get(kind, [])
        if self.schema.reach is None or self.schema.actor is None:
            return things
        x, y = self.actor
        places = [self.place_of(thing, kind) for _, thing in things]
        near = [abs(i - x) + abs(j - y) < self.schema.reach for i, j in places]
        return [item for item, close in zip(things, near, strict=True) if close]

    @cached_property
    def occupants(self) -> dict[tuple[int, int], str]:
        """What stands on a tile, the actor first."""
        found: dict[tuple[int, int], str] = {}
        if self.schema.actor is not None:
            found[self.actor] = self.schema.actor_kind
        for kind, things in self.objects.items():
            for _, thing in things:
                found.setdefault(self.place_of(thing, kind), kind)
        return found

    @cached_property
    def tiles(self) -> list[list[str]]:
        """Columns of tiles."""
        if self.schema.grid is None:
            return []
        try:
            found: list[list[str]] = lookup(self.state, split(self.schema.grid))
        except KeyError:
            raise Inactive from None
        if len({len(column) for column in found}) > 1:
            raise DataError(
                "bad-state",
                "expected columns of equal length",
                where=self.schema.grid,
                remedy="Give states as dicts of numbers, texts and lists.",
            )
        return found

    def material(self, x: int, y: int) -> str:
        """What a tile is of."""
        if 0 <= x < len(self.tiles) and 0 <= y < len(self.tiles[x]):
            return self.tiles[x][y]
        return OUTSIDE

    def shows(self, x: int, y: int) -> str:
        """What stands on a tile, or what it is of."""
        return self.occupants.get((x, y)) or self.material(x, y)

    def free(self, x: int, y: int) -> bool:
        """Whether a tile can be entered: nothing on it, on the grid, of a material that can be walked on."""
        if (x, y) in self.occupants:
            return False
        if self.schema.grid is None:
            return True
        material = self.material(x, y)
        return material != OUTSIDE and (not self.schema.walkable or material in self.schema.walkable)

    def near(self, name: str, radius: int, x: int, y: int) -> bool:
        """Whether a material or another object is within so many tiles, diagonals included."""
        if name in self.schema.kinds or name == self.schema.actor_kind:
            return any(
                kind == name and 0 < max(abs(i - x), abs(j - y)) <= radius
                for (i, j), kind in self.occupants.items()
            )
        around = range(-radius, radius + 1)
        return any(self.material(x + i, y + j) == name for i in around for j in around)

    def count(self, kind: str) -> int:
        """How many objects of a kind there are."""
        return len(self.objects.get(kind, []))
