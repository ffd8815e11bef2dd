"""Laws: when they hold, and what they then do.

.. code-block:: text

   law gather_wood "Hitting a tree yields wood"
   when action == "do" and target == "tree"
   then player.inventory.wood += {1: 0.95, 0: 0.05}

   law zombie_comes_closer
   each zombie
   when dist(it, player) < 9
   then it.position.x += {toward(it, player, "long_x"): 0.7, 0: 0.3}
   then it.position.y += {toward(it, player, "long_y"): 0.7, 0: 0.3}

Effects are ``path += {change: p}``, ``path = {value: p}``, ``material(target) = {material: p}`` (or steps from the
actor or from ``it``, as in ``material(1, 0, it)``), ``remove it p``, and
``spawn kind at place p with attribute = value``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from suppose.core.errors import DataError
from suppose.worlds.laws.effects import (
    Add,
    Effect,
    Key,
    Remove,
    Set,
    SetMaterial,
    Spawn,
    bad_law,
    effect_from_dict,
    written_name,
)
from suppose.worlds.laws.expressions import Expression, parse
from suppose.worlds.laws.nodes import RESERVED, Cursor, Literal, quoted
from suppose.worlds.laws.schema import Schema

__all__ = ["Law", "check_laws", "parse_laws"]

ALWAYS = Expression(Literal(True))


@dataclass(frozen=True)
class Law:
    """One law.

    Attributes
    ----------
    name : str
        Tells it from others.
    when : Expression or str
        The condition.
    effects : tuple of effects
        What it does to each attribute it governs; the others it has no opinion on.
    each : str, optional
        Kind of object to which it applies one by one, as ``it``.
    words : str
        What it says, in a sentence.

    Examples
    --------
    >>> law = Law("wood", 'action == "do"', (Add("player.inventory.wood", {1: 0.95, 0: 0.05}),), words="Wood")
    >>> print(law)
    law wood "Wood"
    when action == "do"
    then player.inventory.wood += {1: 0.95, 0: 0.05}
    >>> Law.parse(str(law)) == law == Law.from_dict(law.to_dict())
    True
    """

    name: str
    when: Any
    effects: tuple[Effect, ...]
    each: str | None = None
    words: str = ""

    def __post_init__(self) -> None:
        _check_texts(self.name, self.each, self.words)
        when = self.when if isinstance(self.when, Expression) else parse(self.when)
        object.__setattr__(self, "when", when)
        object.__setattr__(self, "effects", tuple(self.effects))
        if not self.effects:
            raise bad_law(f"the law {self.name!r} does nothing; expected at least one effect")
        paths = [effect.path for effect in self.effects]
        if len(set(paths)) != len(paths):
            raise bad_law(
                f"the law {self.name!r} has two effects on {next(p for p in paths if paths.count(p) > 1)}"
            )

    def __str__(self) -> str:
        lines = [f"law {written_name(self.name)}" + (f" {quoted(self.words)}" if self.words else "")]
        lines += [f"each {written_name(self.each)}"] if self.each is not None else []
        lines += [f"when {self.when}"] if self.when != ALWAYS else []
        return "\n".join([*lines, *(f"then {effect}" for effect in self.effects)])

    @classmethod
    def parse(cls, text: str) -> Law:
        """The law a text writes; refuses (``law-syntax``) what is not one law."""
        laws = parse_laws(text)
        if len(laws) != 1:
            raise bad_law(f"expected one law, got {len(laws)}")
        return laws[0]

    def check(self, schema: Schema) -> Law:
        """The law itself, if a schema has everything it speaks of.

        Raises
        ------
        DataError
            ``unknown-attribute``, ``unknown-action``, ``unknown-object-kind``, ``outside-domain``, ``law-type``.
        """
        where = f"law {self.name!r}"
        if self.each is not None:
            schema.attributes_of(self.each)
        self.when.check(schema, self.each, "bool", where)
        for effect in self.effects:
            effect.check(schema, self.each, where)
        return self

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "name": self.name,
            "words": self.words,
            "each": self.each,
            "when": str(self.when),
            "then": [effect.to_dict() for effect in self.effects],
        }

    @classmethod
    def from_dict(cls, content: Any) -> Law:
        """The inverse of :meth:`to_dict`; refuses (``bad-law``) what is no law."""
        if not isinstance(content, Mapping):
            raise bad_law(f"expected a dict, got {type(content).__name__}")
        missing = [key for key in ("name", "when", "then") if key not in content]
        if missing or not isinstance(content["then"], (list, tuple)):
            raise bad_law(f"expected name, when and a list then; missing: {', '.join(missing) or 'the list'}")
        _check_texts(content["name"], content.get("each"), content.get("words", ""))
        effects = tuple(effect_from_dict(part) for part in content["then"])
        return cls(content["name"], content["when"], effects, content.get("each"), content.get("words", ""))


def _check_texts(name: Any, each: Any, words: Any) -> None:
    """Refuses what cannot be written as name, kind and words of a law."""
    texts = (name, words, "" if each is None else each)
    if not all(isinstance(text, str) for text in texts) or not name or each == "":
        raise bad_law("expected texts as name, each and words, and a name that is not empty")


def parse_laws(text: Any) -> tuple[Law, ...]:
    """The laws of a text; lines may be broken anywhere, ``#`` begins a comment.

    Raises
    ------
    DataError
        ``law-syntax`` with line and column, ``bad-law``, ``empty-support``, ``bad-support``.

    Examples
    --------
    >>> [law.name for law in parse_laws('law a then x += {1: 1}  law b then x += {-1: 1}')]
    ['a', 'b']
    """
    cursor = Cursor(text)
    laws: list[Law] = []
    while cursor.token.kind != "end":
        laws.append(_law(cursor))
    return tuple(laws)


def check_laws(laws: Sequence[Any], schema: Schema) -> tuple[Law, ...]:
    """The laws, if each fits a schema and has a name of its own.

    Raises
    ------
    DataError
        As :meth:`Law.check`; ``bad-law`` for two laws of one name.
    """
    seen: set[str] = set()
    for law in laws:
        if not isinstance(law, Law):
            raise DataError("bad-law", f"expected laws, got {type(law).__name__}", where="laws",
                            remedy="Parse texts by parse_laws first.")  # fmt: skip
        if law.name in seen:
            raise bad_law(f"two laws are called {law.name!r}")
        seen.add(law.name)
        law.check(schema)
    return tuple(laws)


def _law(cursor: Cursor) -> Law:
    cursor.need("law")
    name = cursor.word()
    words = cursor.word() if cursor.token.kind == "text" else ""
    each = cursor.word() if cursor.take("each") else None
    when = Expression(cursor.expression()) if cursor.take("when") else ALWAYS
    effects: list[Effect] = []
    while cursor.take("then"):
        effects.append(_effect(cursor))
    if not effects:
        cursor.fail(f"expected then and an effect, found {cursor.found}")
    return Law(name, when, tuple(effects), each, words)


def _effect(cursor: Cursor) -> Effect:
    """What stands after ``then``."""
    if cursor.take("remove"):
        cursor.need("it")
        return Remove(_chance(cursor))
    if cursor.take("spawn"):
        return _spawn(cursor)
    if cursor.take("material"):
        where = _place(cursor)
        cursor.need("=")
        return SetMaterial(where, _support(cursor))
    if cursor.token.kind != "path" or cursor.token.text in RESERVED:
        cursor.fail(f"expected an effect, found {cursor.found}")
    path = cursor.advance().text
    sign = cursor.take("+=", "=")
    if sign is None:
        cursor.fail(f"expected += or =, found {cursor.found}")
    return Add(path, _support(cursor)) if sign == "+=" else Set(path, _support(cursor))


def _chance(cursor: Cursor) -> float:
    """A probability, 1 where none is written."""
    return float(cursor.number()) if cursor.token.kind == "number" else 1.0


def _spawn(cursor: Cursor) -> Spawn:
    kind = cursor.word()
    cursor.need("at")
    where = "target" if cursor.take("target") else _place(cursor)
    probability = _chance(cursor)
    attributes: list[tuple[str, Expression]] = []
    if cursor.take("with"):
        while True:
            name = cursor.word()
            cursor.need("=")
            attributes.append((name, Expression(cursor.expression())))
            if not cursor.take(","):
                break
    return Spawn(kind, where, probability, attributes)


def _place(cursor: Cursor) -> Any:
    """``(target)``, ``(dx, dy)`` or ``(dx, dy, it)``."""
    cursor.need("(")
    if cursor.take("target"):
        cursor.need(")")
        return "target"
    parts = [Expression(cursor.expression())]
    while cursor.take(","):
        parts.append(Expression(cursor.expression()))
    cursor.need(")")
    if len(parts) not in (2, 3):
        cursor.fail(f"expected target, two steps, or two steps and it; got {len(parts)} parts")
    return tuple(parts)


def _support(cursor: Cursor) -> list[tuple[Key, float]]:
    """``{value: p, value: p}``, or a value alone."""
    if not cursor.take("{"):
        return [(Expression(cursor.expression()), 1.0)]
    pairs: list[tuple[Key, float]] = []
    while cursor.token.text != "}" or cursor.token.kind != "mark":
        key = Expression(cursor.expression())
        cursor.need(":")
        pairs.append((key, float(cursor.number())))
        if not cursor.take(","):
            break
    cursor.need("}")
    return pairs
