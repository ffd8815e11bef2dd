"""Schemas of states as they were seen: types, domains, collections, grid and actor told from examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from suppose.core.errors import DataError, nearest
from suppose.worlds.laws.schema import (
    HIGH,
    NAME,
    Attribute,
    Collection,
    Schema,
    _bad,
    matches,
    plain,
)

__all__ = ["check_roles", "finish", "schema_of_states"]

IDENTITIES = ("entity_id", "id", "identity", "uid", "key")
KINDS = ("name", "kind", "type")
POSITIONS = (("position.x", "position.y"), ("x", "y"), ("position.0", "position.1"), ("pos.0", "pos.1"))
LONGEST = 200  # letters of a text that is a value rather than a record
MOST_TEXTS = 64
ROLES = {entry.name for entry in fields(Schema)} - {"scalars", "collections"} | {"domains"}


def schema_of_states(states: Iterable[Any], **roles: Any) -> Schema:
    """See :meth:`Schema.from_dicts`."""
    check_roles(roles)
    given = [plain(state) for state in states]
    if not given:
        raise DataError(
            "empty-trajectory",
            "expected states to learn from, got none",
            where="states",
            remedy="Give the states of at least one transition.",
        )
    ignored = tuple(roles.get("ignored", ()))
    walk = _Walk(ignored)
    for state in given:
        walk.visit("", state)
    return finish(walk.scalars(), walk.collections(), walk.grids, {**roles, "ignored": walk.ignored()})


def check_roles(roles: Mapping[str, Any]) -> None:
    """Refuse a role there is none of."""
    for name in roles:
        if name not in ROLES:
            raise DataError(
                "bad-schema",
                f"no role {name!r}; there are: {', '.join(sorted(ROLES))}",
                where=name,
                remedy=nearest(name, ROLES) or "Name the roles as arguments, or list the path in ignored.",
            )


class _Walk:
    """Collects what stands at every path of some states."""

    def __init__(self, ignored: tuple[str, ...]) -> None:
        self._ignored = list(ignored)
        self._values: dict[str, dict[Any, None]] = {}
        self._lists: dict[str, set[int]] = {}
        self._objects: dict[str, list[dict[str, Any]]] = {}
        self.grids: dict[str, set[str]] = {}

    def visit(self, path: str, content: Any) -> None:
        """Notes one part of one state."""
        if path and matches(path, self._ignored):
            return
        if isinstance(content, dict):
            for key, part in content.items():
                if not isinstance(key, str) or not NAME.fullmatch(key):
                    raise _bad(
                        f"expected a name of letters, digits and underscores, got {key!r}", path or "state"
                    )
                self.visit(f"{path}.{key}" if path else key, part)
        elif isinstance(content, list):
            self._visit_list(path, content)
        elif content is None or isinstance(content, (bool, int, float, str)):
            kept = self._values.setdefault(path, {})
            if len(kept) <= 4 * MOST_TEXTS or isinstance(content, float):
                kept[(type(content), content)] = None
            elif isinstance(content, int):
                _stretch(kept, content)
        else:
            raise _bad(f"expected a number, a text, a list or a dict, got {type(content).__name__}", path)

    def _visit_list(self, path: str, content: list[Any]) -> None:
        if content and all(isinstance(item, dict) for item in content):
            self._objects.setdefault(path, []).extend(content)
        elif content and all(isinstance(item, list) for item in content):
            self._visit_grid(path, content)
        else:
            self._lists.setdefault(path, set()).add(len(content))
            for number, item in enumerate(content if len(content) <= MOST_TEXTS else ()):
                self.visit(f"{path}.{number}", item)

    def _visit_grid(self, path: str, content: list[list[Any]]) -> None:
        if len({len(column) for column in content}) != 1:
            raise _bad("expected columns of equal length", path)
        texts: set[Any] = set().union(*content)
        if not all(isinstance(text, str) for text in texts):
            raise _bad("expected a grid of texts", path)
        self.grids.setdefault(path, set()).update(texts)

    def scalars(self) -> dict[str, Attribute]:
        """Attributes outside collections."""
        for path, lengths in self._lists.items():
            if len(lengths) > 1 and path not in self._objects:
                raise _bad("expected a list of one length, or of objects with an identity each", path)
        found = {}
        for path, values in self._values.items():
            if path in self._objects or matches(path, self._ignored):
                continue
            attribute = _attribute(path, values)
            if attribute is None:
                self._ignored.append(path)
            else:
                found[path] = attribute
        return found

    def collections(self) -> dict[str, Collection]:
        """Collections by path."""
        return {path: _collection(path, things, self._ignored) for path, things in self._objects.items()}

    def ignored(self) -> tuple[str, ...]:
        """What was left out, found on the way included."""
        return tuple(dict.fromkeys(self._ignored))


def _stretch(kept: dict[Any, None], value: int) -> None:
    """Widens what was seen of a whole number without keeping every value."""
    whole = [item for kind, item in kept if kind is int]
    if whole and not min(whole) <= value <= max(whole):
        kept[(int, value)] = None


def _attribute(path: str, seen: Mapping[Any, None]) -> Attribute | None:
    """The attribute that took these values; None for a record that is no attribute."""
    values = [value for kind, value in seen if kind is not type(None)]
    types = {type(value) for value in values}
    if not values:
        return None
    if types <= {bool}:
        return Attribute("bool")
    if types <= {str}:
        texts = tuple(sorted(set(values)))
        if len(texts) > MOST_TEXTS or max(len(text) for text in texts) > LONGEST:
            return None
        return Attribute("text", values=texts)
    if types <= {int}:
        return Attribute("int", *_domain(min(values), max(values)))
    if types <= {int, float}:
        return Attribute("float")
    raise _bad(f"expected values of one type, got {', '.join(sorted(kind.__name__ for kind in types))}", path)


def _domain(low: int, high: int) -> tuple[int, int]:
    """A domain with room around what was seen: 0 to 100, doubled until it holds."""
    bound = HIGH
    while high > bound or -low > bound:
        bound *= 2
    return (0 if low >= 0 else -bound), bound


def _collection(path: str, things: list[dict[str, Any]], ignored: list[str]) -> Collection:
    """The collection these objects are of."""
    first = things[0]
    identity = next((key for key in IDENTITIES if all(key in thing for thing in things)), None)
    if identity is None:
        raise _bad(f"objects need an identity ({', '.join(IDENTITIES)}); they have: {', '.join(first)}", path)
    kind = next((key for key in KINDS if all(isinstance(thing.get(key), str) for thing in things)), None)
    walks: dict[str, _Walk] = {}
    for thing in things:
        name = thing[kind] if kind else path.rpartition(".")[2]
        walk = walks.setdefault(name, _Walk(()))
        for key, part in thing.items():
            if key not in (identity, kind) and not matches(f"{path}.{key}", ignored):
                walk.visit(key, part)
    kinds = {name: walk.scalars() for name, walk in walks.items()}
    position = next((pair for pair in POSITIONS if all(set(pair) <= set(a) for a in kinds.values())), None)
    if position is None:
        raise _bad(f"objects need a position such as x and y; they have: {', '.join(first)}", path)
    return Collection(kinds, identity, kind, position)


def finish(
    scalars: dict[str, Attribute],
    collections: dict[str, Collection],
    grids: Mapping[str, set[str]],
    roles: Mapping[str, Any],
) -> Schema:
    """The schema with roles as given, or as told from what there is."""
    chosen = {name: value for name, value in roles.items() if value is not None and name != "domains"}
    for pattern, (low, high) in dict(roles.get("domains") or {}).items():
        _bound(scalars, "", pattern, Attribute("int", int(low), int(high)))
        for path, collection in collections.items():
            for attributes in collection.kinds.values():
                _bound(attributes, f"{path}.", pattern, Attribute("int", int(low), int(high)))
    if "actor" not in chosen:
        chosen |= _actor(scalars)
    elif "position" not in chosen:
        chosen |= {"position": _position_of(chosen["actor"], scalars)}
    facing = f"{chosen.get('actor')}.facing"
    if "facing" not in chosen and (f"{facing}.x" in scalars or f"{facing}.0" in scalars):
        chosen["facing"] = facing
    if "grid" not in chosen and grids:
        if len(grids) > 1:
            raise _bad(f"which of these is the map: {', '.join(grids)}?", "grid")
        chosen["grid"] = next(iter(grids))
    if "grid" in chosen and "materials" not in chosen:
        chosen["materials"] = tuple(sorted(grids.get(chosen["grid"], ())))
    chosen = {name: tuple(value) if isinstance(value, list) else value for name, value in chosen.items()}
    return Schema(scalars=scalars, collections=collections, **chosen)


def _bound(attributes: Any, stem: str, pattern: str, domain: Attribute) -> None:
    """Gives the whole numbers whose paths fit a pattern their domain."""
    for name, attribute in attributes.items():
        if attribute.type == "int" and matches(stem + name, (pattern,)):
            attributes[name] = domain


def _actor(scalars: Mapping[str, Attribute]) -> dict[str, Any]:
    """The only part with a position of its own."""
    found: dict[str, tuple[str, str]] = {}
    for pair in POSITIONS:
        for path in scalars:
            stem = path.removesuffix(f".{pair[0]}")
            if (
                stem != path
                and f"{stem}.{pair[1]}" in scalars
                and not stem.endswith(("position", "pos", "facing"))
            ):
                found.setdefault(stem, pair)
    if len(found) != 1:
        return {}
    stem, pair = next(iter(found.items()))
    return {"actor": stem, "position": pair}


def _position_of(actor: str, scalars: Mapping[str, Attribute]) -> tuple[str, str]:
    """Paths of the column and row of an actor."""
    fits = (pair for pair in POSITIONS if all(f"{actor}.{part}" in scalars for part in pair))
    return next(fits, POSITIONS[0])
