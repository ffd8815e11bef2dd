"""Schemas of pydantic models: what their fields declare, without any state."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from suppose.worlds.laws.schema import HIGH, LOW, Attribute, Collection, Schema, _bad, matches
from suppose.worlds.laws.seen import IDENTITIES, KINDS, POSITIONS, check_roles, finish

__all__ = ["schema_of_model"]


def schema_of_model(model: Any, **roles: Any) -> Schema:
    """See :meth:`Schema.from_model`."""
    check_roles(roles)
    if not hasattr(model, "model_fields"):
        raise _bad(f"expected a pydantic model, got {model!r}", "model")
    walk = _Walk(tuple(roles.get("ignored", ())))
    walk.model("", model)
    return finish(walk.scalars, walk.collections, walk.grids, roles)


class _Walk:
    """Collects what the fields of a model declare."""

    def __init__(self, ignored: tuple[str, ...]) -> None:
        self._ignored = ignored
        self.scalars: dict[str, Attribute] = {}
        self.collections: dict[str, Collection] = {}
        self.grids: dict[str, set[str]] = {}

    def model(self, path: str, model: Any) -> None:
        """Notes the fields of a model."""
        for name, field in model.model_fields.items():
            below = f"{path}.{name}" if path else name
            if not matches(below, self._ignored):
                self.field(below, field.annotation, list(field.metadata))

    def field(self, path: str, kind: Any, about: list[Any]) -> None:
        """Notes one field."""
        kind, about = _bare(kind, about)
        origin = get_origin(kind)
        if hasattr(kind, "model_fields"):
            self.model(path, kind)
        elif origin is Literal:
            self.scalars[path] = _literal(get_args(kind))
        elif kind in (bool, int, float, str):
            self.scalars[path] = _simple(kind, about)
        elif origin is list:
            self.listing(path, get_args(kind)[0], about)
        else:
            raise _bad(f"expected a value, a list of objects or a grid, got {kind!r}", path)

    def listing(self, path: str, item: Any, about: list[Any]) -> None:
        """Notes a list: of objects, of columns of text, or of a fixed number of values."""
        item, inner = _bare(item, [])
        models = [part for part in _parts(item) if hasattr(part, "model_fields")]
        if models:
            self.collections[path] = self.collection(path, models)
        elif get_origin(item) is list and _bare(get_args(item)[0], [])[0] is str:
            self.grids[path] = set()
        else:
            least, most = _bound(about, "min_length"), _bound(about, "max_length")
            if least is None or least != most:
                raise _bad("expected a list of one length, or of objects with an identity each", path)
            for number in range(least):
                self.field(f"{path}.{number}", item, inner)

    def collection(self, path: str, models: list[Any]) -> Collection:
        """A list of objects of some models."""
        names = set.intersection(*(set(model.model_fields) for model in models))
        identity = next((key for key in IDENTITIES if key in names), None)
        if identity is None:
            raise _bad(
                f"objects need an identity ({', '.join(IDENTITIES)}); they have: {', '.join(names)}", path
            )
        kind = next((key for key in KINDS if key in names), None)
        kinds: dict[str, dict[str, Attribute]] = {}
        for model in models:
            walk = _Walk(())
            for name, field in model.model_fields.items():
                if name not in (identity, kind) and not matches(f"{path}.{name}", self._ignored):
                    walk.field(name, field.annotation, list(field.metadata))
            labels = get_args(model.model_fields[kind].annotation) if kind else (path.rpartition(".")[2],)
            for label in labels or (model.__name__.lower(),):
                kinds[label] = walk.scalars
        position = next(
            (pair for pair in POSITIONS if all(set(pair) <= set(a) for a in kinds.values())), None
        )
        if position is None:
            raise _bad(
                f"objects need a position such as x and y; they have: {', '.join(sorted(names))}", path
            )
        return Collection(kinds, identity, kind, position)


def _bare(kind: Any, about: list[Any]) -> tuple[Any, list[Any]]:
    """A type without its annotations and without the chance that it is missing."""
    while True:
        if get_origin(kind) is Annotated:
            kind, *more = get_args(kind)
            about = [*about, *more]
        elif get_origin(kind) in (Union, types.UnionType) and type(None) in get_args(kind):
            rest = tuple(part for part in get_args(kind) if part is not type(None))
            kind = rest[0] if len(rest) == 1 else Union[rest]  # noqa: UP007 (built at run time)
        else:
            return kind, about


def _parts(kind: Any) -> tuple[Any, ...]:
    """The members of a union, or the type itself."""
    if get_origin(kind) in (Union, types.UnionType):
        return tuple(_bare(part, [])[0] for part in get_args(kind))
    return (kind,)


def _bound(about: list[Any], name: str) -> int | None:
    """A bound among the annotations of a field (or within one of them)."""
    for item in about:
        for part in (item, *getattr(item, "metadata", ())):
            found = getattr(part, name, None)
            if isinstance(found, (int, float)):
                return int(found)
    return None


def _simple(kind: type, about: list[Any]) -> Attribute:
    """The attribute of a plain type."""
    if kind is int:
        low, high = _bound(about, "ge"), _bound(about, "le")
        over, under = _bound(about, "gt"), _bound(about, "lt")
        low = low if low is not None else (over + 1 if over is not None else LOW)
        high = high if high is not None else (under - 1 if under is not None else max(HIGH, low + HIGH))
        return Attribute("int", low, high)
    if kind is str:
        return Attribute("text")
    return Attribute("bool" if kind is bool else "float")


def _literal(values: tuple[Any, ...]) -> Attribute:
    """The attribute of a list of values written out."""
    if all(isinstance(value, str) for value in values):
        return Attribute("text", values=tuple(values))
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return Attribute("int", min(values), max(values))
    return Attribute("bool")
