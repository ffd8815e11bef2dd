"""What a law does to the attributes it governs: distributions over few values, relative or set.

Numbers of a support are probabilities, scaled to sum to one; where one of them is below zero, or all are zero, they
are read as logarithms. A value may be an expression, ``{toward(it, player, "x"): 0.7, 0: 0.3}``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from suppose.core.errors import DataError
from suppose.worlds.laws.expressions import Expression, parse
from suppose.worlds.laws.meaning import outside
from suppose.worlds.laws.nodes import LARGEST, NAMED, PATH, RESERVED, Literal, Path, quoted, written
from suppose.worlds.laws.schema import Attribute, Schema

__all__ = ["Add", "Effect", "Remove", "Set", "SetMaterial", "Spawn", "Support", "Where", "effect_from_dict"]

Key = bool | int | float | str | Expression
Support = tuple[tuple[Key, float], ...]
Where = str | tuple[Expression, ...]
"""``"target"``, or column and row steps from the actor, or those and ``it``."""
MOST_VALUES = 128


def _support(given: Any, relative: bool, where: str) -> Support:
    """A support as pairs with probabilities that sum to one; refuses an empty one."""
    pairs = list(given.items()) if isinstance(given, Mapping) else list(given)
    if not 0 < len(pairs) <= MOST_VALUES:
        raise DataError(
            "empty-support",
            f"expected 1 to {MOST_VALUES} values with their probabilities, got {len(pairs)}",
            where=where,
            remedy="Write for example {1: 0.9, 0: 0.1}.",
        )
    keys = [_key(key, relative) for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise _senseless(where, "a value stands twice")
    weights = [_weight(weight, where) for _, weight in pairs]
    if any(weight < 0 for weight in weights) or not any(weights):
        top = max(weights)
        weights = [math.exp(max(weight - top, -700.0)) for weight in weights]
    total = sum(weights)
    if abs(total - 1) > 1e-9:
        weights = [weight / total for weight in weights]
    return tuple(zip(keys, weights, strict=True))


def _kind_of(kind: Any) -> str:
    """A kind that can be written."""
    if not isinstance(kind, str) or not kind:
        raise bad_law(f"expected a kind of object, got {str(kind)[:60]!r}")
    return kind


def _path(path: Any) -> str:
    """A path that can be written."""
    if not isinstance(path, str) or not PATH.fullmatch(path) or path in RESERVED:
        raise bad_law(f"expected a path such as player.health, got {str(path)[:60]!r}")
    return path


def _key(key: Any, relative: bool) -> Key:
    """A value, or the expression that gives it; literals as values."""
    if relative and isinstance(key, str):
        key = parse(key)
    if isinstance(key, Expression) and isinstance(key.root, Literal):
        key = key.root.value
    if isinstance(key, float) and key.is_integer() and abs(key) <= LARGEST:
        return int(key)
    if not isinstance(key, (bool, int, float, str, Expression)) or (
        isinstance(key, (int, float)) and not abs(key) <= LARGEST
    ):
        raise bad_law(f"expected a number, a text or an expression as a value, got {str(key)[:60]!r}")
    return key


def _weight(weight: Any, where: str) -> float:
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not abs(weight) <= 1e15:
        raise _senseless(where, f"expected a finite probability, got {weight!r}")
    return float(weight)


def _senseless(where: str, problem: str) -> DataError:
    return DataError(
        "bad-support", problem, where=where, remedy="Give each value once, with a probability of its own."
    )


def written_key(key: Key) -> str:
    """A value of a support as it is written."""
    return str(key) if isinstance(key, Expression) else written(Literal(key))


def _written(support: Support) -> str:
    return "{" + ", ".join(f"{written_key(key)}: {weight!r}" for key, weight in support) + "}"


def _listed(support: Support) -> list[list[Any]]:
    return [
        [{"expression": str(key)} if isinstance(key, Expression) else key, weight] for key, weight in support
    ]


def _unlisted(content: Any) -> list[tuple[Any, Any]]:
    if not isinstance(content, (list, tuple)):
        raise bad_law("expected a support as a list of values with their probabilities")
    return [(parse(key["expression"]) if isinstance(key, dict) else key, weight) for key, weight in content]


def _freeze(record: Any, **values: Any) -> None:
    for name, value in values.items():
        object.__setattr__(record, name, value)


@dataclass(frozen=True)
class Add:
    """Adds to a number: ``Add("player.inventory.wood", {1: 0.95, 0: 0.05})``.

    Examples
    --------
    >>> print(Add("player.inventory.wood", {1: 19, 0: 1}))
    player.inventory.wood += {1: 0.95, 0: 0.05}
    """

    sign: ClassVar[str] = "+="
    path: str
    support: Any

    def __post_init__(self) -> None:
        _freeze(self, path=_path(self.path), support=_support(self.support, True, self.path))

    def __str__(self) -> str:
        return f"{self.path} {self.sign} {_written(self.support)}"

    def check(self, schema: Schema, each: str | None, where: str) -> None:
        """Refuses what the schema has no place for."""
        attribute = schema.attribute(self.path, each)
        if attribute.type not in ("int", "float"):
            raise _kind(self, attribute, where)
        span = attribute.high - attribute.low
        for key, _ in self.support:
            if isinstance(key, Expression):
                key.check(schema, each, "number", where)
            elif isinstance(key, (bool, str)) or (
                attribute.type == "int" and not (isinstance(key, int) and abs(key) <= span)
            ):
                raise outside(f"{where}: {self.path}", key, f"changes by {attribute.words()}, either way")

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"effect": "add", "path": self.path, "support": _listed(self.support)}


@dataclass(frozen=True)
class Set:
    """Gives an attribute a value: ``Set("player.sleeping", {True: 1})``.

    Examples
    --------
    >>> print(Set("player.sleeping", {True: 1}))
    player.sleeping = {true: 1.0}
    """

    sign: ClassVar[str] = "="
    path: str
    support: Any

    def __post_init__(self) -> None:
        _freeze(self, path=_path(self.path), support=_support(self.support, False, self.path))

    def __str__(self) -> str:
        return f"{self.path} {self.sign} {_written(self.support)}"

    def check(self, schema: Schema, each: str | None, where: str) -> None:
        """Refuses what the schema has no place for."""
        attribute = schema.attribute(self.path, each)
        wanted = {"int": "number", "float": "number"}.get(attribute.type, attribute.type)
        for key, _ in self.support:
            if isinstance(key, Expression):
                key.check(schema, each, wanted, where)
            elif not attribute.holds(key):
                raise outside(f"{where}: {self.path}", key, attribute.words())

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"effect": "set", "path": self.path, "support": _listed(self.support)}


@dataclass(frozen=True)
class SetMaterial:
    """Changes a tile: ``SetMaterial("target", {"path": 1})``, or the tile at steps from the actor (or from ``it``).

    Examples
    --------
    >>> print(SetMaterial("target", {"path": 1}), SetMaterial((1, 0, "it"), {"sand": 1}), sep="; ")
    material(target) = {"path": 1.0}; material(1, 0, it) = {"sand": 1.0}
    """

    where: Any
    support: Any

    def __post_init__(self) -> None:
        _freeze(self, where=_where(self.where), support=_support(self.support, False, "material"))

    def __str__(self) -> str:
        return f"material({_told(self.where)}) = {_written(self.support)}"

    @property
    def path(self) -> str:
        """What it governs, to tell two effects of a law apart."""
        return f"material({_told(self.where)})"

    def check(self, schema: Schema, each: str | None, where: str) -> None:
        """Refuses what the schema has no place for."""
        if schema.grid is None:
            raise DataError(
                "law-type",
                f"the schema has no grid: {self}",
                where=where,
                remedy="Name the grid as a role of the schema, or leave the effect out.",
            )
        _check_where(self.where, schema, each, where)
        attribute = Attribute("text", values=schema.materials)
        for key, _ in self.support:
            if isinstance(key, Expression):
                key.check(schema, each, "text", where)
            elif not attribute.holds(key):
                raise outside(f"{where}: {self.path}", key, attribute.words())

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"effect": "set_material", "where": _where_list(self.where), "support": _listed(self.support)}


@dataclass(frozen=True)
class Remove:
    """The object at hand leaves, with a probability.

    Examples
    --------
    >>> print(Remove(0.9))
    remove it 0.9
    """

    probability: float = 1.0

    def __post_init__(self) -> None:
        _freeze(self, probability=_chance(self.probability, "remove"))

    def __str__(self) -> str:
        return "remove it" + ("" if self.probability == 1 else f" {self.probability!r}")

    @property
    def path(self) -> str:
        """What it governs, to tell two effects of a law apart."""
        return "remove it"

    def check(self, schema: Schema, each: str | None, where: str) -> None:
        """Refuses a law without an object at hand."""
        if each is None:
            raise DataError(
                "law-type",
                f"there is no object at hand: {self}",
                where=where,
                remedy="Bind it by a line such as: each zombie.",
            )

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"effect": "remove", "probability": self.probability}


@dataclass(frozen=True)
class Spawn:
    """A new object, with a probability: ``Spawn("arrow", ("it.facing.x", "it.facing.y", "it"), 0.1)``.

    Attributes of the object that are not given are 0, false, or the first of their texts.

    Examples
    --------
    >>> print(Spawn("plant", "target", attributes={"health": 1}))
    spawn plant at target with health = 1
    """

    kind: str
    position: Any
    probability: float = 1.0
    attributes: Any = field(default=())

    def __post_init__(self) -> None:
        _kind_of(self.kind)
        given = self.attributes.items() if isinstance(self.attributes, Mapping) else self.attributes
        pairs = tuple((_path(name), _step(value, texts=True)) for name, value in given)
        _freeze(self, position=_where(self.position), attributes=pairs,
                probability=_chance(self.probability, "spawn"))  # fmt: skip

    def __str__(self) -> str:
        at = self.position if isinstance(self.position, str) else f"({_told(self.position)})"
        text = f"spawn {written_name(self.kind)} at {at}" + (
            "" if self.probability == 1 else f" {self.probability!r}"
        )
        if self.attributes:
            text += " with " + ", ".join(f"{name} = {value}" for name, value in self.attributes)
        return text

    @property
    def path(self) -> str:
        """What it governs, to tell two effects of a law apart."""
        return f"spawn {self.kind}"

    def check(self, schema: Schema, each: str | None, where: str) -> None:
        """Refuses what the schema has no place for."""
        known = schema.attributes_of(self.kind)
        _check_where(self.position, schema, each, where)
        for name, value in self.attributes:
            if name not in known:
                raise DataError(
                    "unknown-attribute",
                    f"no such attribute; there are: {', '.join(known)}",
                    where=f"{where}: {self.kind}.{name}",
                )
            wanted = {"int": "number", "float": "number"}.get(known[name].type, known[name].type)
            value.check(schema, each, wanted, where)
            if isinstance(value.root, Literal) and not known[name].holds(value.root.value):
                raise outside(f"{where}: {self.kind}.{name}", value.root.value, known[name].words())

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "effect": "spawn",
            "kind": self.kind,
            "position": _where_list(self.position),
            "probability": self.probability,
            "attributes": [[name, str(value)] for name, value in self.attributes],
        }


Effect = Add | Set | SetMaterial | Remove | Spawn


def effect_from_dict(content: Any) -> Effect:
    """The inverse of ``to_dict`` of an effect."""
    kind = content.get("effect") if isinstance(content, Mapping) else None
    try:
        if kind == "add":
            return Add(_path(content["path"]), _unlisted(content["support"]))
        if kind == "set":
            return Set(_path(content["path"]), _unlisted(content["support"]))
        if kind == "set_material":
            return SetMaterial(_where_of(content["where"]), _unlisted(content["support"]))
        if kind == "remove":
            return Remove(_chance(content["probability"], "remove"))
        if kind == "spawn":
            attributes = [(name, parse(value)) for name, value in content["attributes"]]
            chance = _chance(content["probability"], "spawn")
            return Spawn(_kind_of(content["kind"]), _where_of(content["position"]), chance, attributes)
    except DataError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise bad_law(f"an effect that cannot be read ({error!r})") from None
    raise bad_law(f"expected one of the effects add, set, set_material, remove, spawn; got {kind!r}")


def bad_law(problem: str) -> DataError:
    """The refusal of a dict that is no law."""
    return DataError(
        "bad-law", problem, where="law", remedy="Compare with Law.to_dict() of a law that works."
    )


def _chance(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise _senseless(where, f"expected a probability from 0 to 1, got {value!r}")
    return float(value)


def _where(given: Any) -> Where:
    """A place of an effect."""
    if isinstance(given, str):
        if given != "target":
            raise bad_law(f"expected the place target, or steps such as (1, 0); got {given!r}")
        return given
    parts = tuple(given) if isinstance(given, (tuple, list)) else ()
    if len(parts) not in (2, 3):
        raise bad_law(f"expected the place target, or steps such as (1, 0); got {given!r}")
    return tuple(_step(part) for part in parts)


def _step(part: Any, texts: bool = False) -> Expression:
    """An expression; a text is parsed, or is a text if it may be one."""
    if isinstance(part, Expression):
        return part
    if isinstance(part, str) and not texts:
        return parse(part)
    key = _key(part, False)
    return key if isinstance(key, Expression) else Expression(Literal(key))


def written_name(name: str) -> str:
    """A name as it is written."""
    return name if NAMED.fullmatch(name) and name not in RESERVED else quoted(name)


def _told(where: Where) -> str:
    return where if isinstance(where, str) else ", ".join(map(str, where))


def _where_list(where: Where) -> Any:
    return where if isinstance(where, str) else [str(part) for part in where]


def _where_of(content: Any) -> Any:
    return content if isinstance(content, str) else tuple(parse(part) for part in content)


def _check_where(place: Where, schema: Schema, each: str | None, where: str) -> None:
    """Refuses a place there is none of."""
    if isinstance(place, str):
        Expression(Path("target")).check(schema, each, "text", where)
        return
    for part in place[:2]:
        part.check(schema, each, "number", where)
    origin = str(place[2]) if len(place) > 2 else schema.actor
    if (origin == "it" and each is None) or (origin != "it" and (origin is None or origin != schema.actor)):
        raise DataError(
            "law-type",
            f"expected steps from {schema.actor or 'nobody'} or from it, got {origin or 'nobody'}",
            where=where,
            remedy="Write for example (1, 0) or (1, 0, it).",
        )


def _kind(effect: Add, attribute: Attribute, where: str) -> DataError:
    return DataError(
        "law-type",
        f"only numbers can be added to, and this is {attribute.words()}: {effect}",
        where=where,
        remedy=f"Write {effect.path} = {{...}} with its values, as in {quoted('true')[1:-1]}.",
    )
