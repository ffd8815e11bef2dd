"""Expressions: what laws say about a state, an action and perhaps one object; parsed, checked, interpreted, compiled.

=============================  =====================================================================================
``player.inventory.wood``      what stands at a path of the state
``it.health``                  an attribute of the object at hand, in laws with ``each``
``action``                     what is done
``target``                     the kind of object the actor faces, or else the material (``"outside"`` off the grid)
``near("table", 1)``           whether a material, or an object of a kind, is within so many tiles, diagonals included
``free(1, 0)``                 whether the tile so far from the actor can be entered
``tile(1, 0)``                 the material there
``dist(it, player)``           steps between two places, without diagonals; places are ``it``, the actor and ``target``
``toward(it, player, "x")``    column (``"x"``) or row (``"y"``) part of a step from one place to another: -1, 0 or 1;
                               ``"long_x"``, ``"long_y"``, ``"short_x"``, ``"short_y"`` the parts of the step along the
                               longer or shorter distance (equal ones count as longer in the row)
``count("cow")``               how many objects of a kind there are
``abs sign min max + - *``     arithmetic
``== != < <= > >= in and or``  comparison and logic, ``not``, ``true``, ``false``
=============================  =====================================================================================

``near``, ``free`` and ``tile`` take a place as last argument, ``free(1, 0, it)``; without one they mean the actor.

What is not in this table cannot be written: there are no names, calls, loops or indices beyond it, so that evaluation
takes at most 64 steps and touches nothing but the state. Where an attribute is missing, or a number grows beyond
2**53, there is no value: a law with such a condition is inactive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from suppose.core.errors import DataError
from suppose.worlds.laws.nodes import (
    COMPARISONS,
    Binary,
    Call,
    Cursor,
    Listing,
    Literal,
    Node,
    Path,
    Unary,
    written,
)
from suppose.worlds.laws.schema import Schema, State
from suppose.worlds.laws.views import LARGEST, Inactive, Thing, View

if TYPE_CHECKING:
    from suppose.worlds.laws.columns import Compiled

__all__ = ["AXES", "Expression", "parse", "toward"]

AXES = ("x", "y", "long_x", "long_y", "short_x", "short_y")
Value = bool | int | float | str


@dataclass(frozen=True)
class Expression:
    r"""An expression of the language.

    Examples
    --------
    >>> expression = parse('player.wood >= 1 and not (action in ("noop", "sleep"))')
    >>> str(expression), expression == parse(str(expression))
    ('player.wood >= 1 and not action in ("noop", "sleep")', True)
    >>> expression.evaluate({"player": {"wood": 2}}, "do")
    True
    """

    root: Node

    def __str__(self) -> str:
        return written(self.root)

    @cached_property
    def paths(self) -> frozenset[str]:
        """Every path it speaks of."""
        return frozenset(node.text for node in walk(self.root) if isinstance(node, Path))

    def check(self, schema: Schema, each: str | None = None, wanted: str = "bool", where: str = "law") -> str:
        """Refuses what a schema has no attribute, action or kind for; the type of the value otherwise.

        Parameters
        ----------
        schema : Schema
        each : str, optional
            Kind of the object at hand.
        wanted : {"bool", "number", "text", "any"}
            Type that must come out.
        where : str
            What is checked, for the message.

        Raises
        ------
        DataError
            ``unknown-attribute``, ``unknown-action``, ``unknown-object-kind``, ``outside-domain``, ``law-type``.
        """
        from suppose.worlds.laws.meaning import type_of

        found = type_of(self.root, schema, each, where)
        if wanted not in ("any", found):
            raise DataError(
                "law-type",
                f"expected a {wanted}, got a {found}: {self}",
                where=where,
                remedy="See the language of laws for what each part gives.",
            )
        return found

    def evaluate(
        self, state: State, action: str, it: Thing | None = None, schema: Schema | None = None
    ) -> Value:
        """Its value on one state; ``it`` is the object at hand.

        ``schema`` says who acts and where the grid is; without it only paths, actions and arithmetic have values.

        Raises
        ------
        DataError
            ``no-value`` where an attribute is missing or a number grows out of bounds.
        """
        view = View(schema or Schema({}, actions=(action,)), state, action)
        kind = None
        if it is not None and schema is not None:
            kind = next((k for k, things in view.objects.items() if any(t is it for _, t in things)), None)
        try:
            return self.value(view, it, kind)
        except Inactive:
            raise DataError(
                "no-value",
                f"{self} has no value on this state",
                where="evaluate",
                remedy="Look whether the state has every attribute the expression speaks of.",
            ) from None

    def value(self, view: View, it: Thing | None = None, kind: str | None = None) -> Value:
        """Its value on a view of a state; raises :class:`Inactive` where there is none."""
        return _value(self.root, view, it, kind)

    def compile(self, schema: Schema, each: str | None = None) -> Compiled:
        """A function of a batch of states that gives its value on each of them."""
        from suppose.worlds.laws.columns import Compiled

        self.check(schema, each, "any")
        return Compiled(self.root, schema, each)

    def required_actions(self) -> frozenset[str] | None:
        """The actions outside of which it cannot hold, as far as its conjunction tells; None for any.

        Examples
        --------
        >>> sorted(parse('action in ("do", "noop") and player.wood > 0').required_actions())
        ['do', 'noop']
        """
        return _required(self.root)


def parse(text: Any) -> Expression:
    """The expression a text writes.

    Raises
    ------
    DataError
        ``law-syntax`` with line and column.

    Examples
    --------
    >>> print(parse("(1+2) * it.health < -3"))
    (1 + 2) * it.health < -3
    """
    cursor = Cursor(text)
    node = cursor.expression()
    if cursor.token.kind != "end":
        cursor.fail(f"expected the end of the expression, found {cursor.found}")
    return Expression(node)


def walk(node: Node) -> list[Node]:
    """A node and everything below it."""
    found, rest = [], [node]
    while rest:
        node = rest.pop()
        found.append(node)
        if isinstance(node, Call):
            rest += node.arguments
        elif isinstance(node, Listing):
            rest += node.items
        elif isinstance(node, Unary):
            rest.append(node.inner)
        elif isinstance(node, Binary):
            rest += [node.left, node.right]
    return found


def _required(node: Node) -> frozenset[str] | None:
    """See :meth:`Expression.required_actions`."""
    if not isinstance(node, Binary):
        return None
    if node.sign in ("and", "or"):
        left, right = _required(node.left), _required(node.right)
        if node.sign == "or":
            return None if left is None or right is None else left | right
        if left is None or right is None:
            return right if left is None else left
        return left & right
    items = node.right.items if isinstance(node.right, Listing) else (node.right,)
    if (
        node.sign in ("==", "in")
        and node.left == Path("action")
        and all(isinstance(i, Literal) for i in items)
    ):
        return frozenset(str(item.value) for item in items if isinstance(item, Literal))
    return None


# The interpreter.


def _value(node: Node, view: View, it: Thing | None, kind: str | None) -> Value:
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Path):
        return _read(node, view, it, kind)
    if isinstance(node, Binary):
        return _binary(node, view, it, kind)
    if isinstance(node, Unary):
        inner = _value(node.inner, view, it, kind)
        return not inner if node.sign == "not" else _bounded(-inner)  # type: ignore[operator]
    if isinstance(node, Call):
        return _CALLS[node.name](node.arguments, view, it, kind)
    raise Inactive


def _read(node: Path, view: View, it: Thing | None, kind: str | None) -> Value:
    """What a path means."""
    if node.text == "action":
        return view.action
    if node.text == "target":
        return view.shows(*view.ahead)
    names = node.names
    if names[0] == "it" and len(names) > 1:
        value: Value = view.read_thing(it, names[1:], kind)
        return value
    found: Value = view.read(names, node.text)
    return found


def _binary(node: Binary, view: View, it: Thing | None, kind: str | None) -> Value:
    left = _value(node.left, view, it, kind)
    if node.sign in ("and", "or"):
        return bool(_value(node.right, view, it, kind)) if bool(left) is (node.sign == "and") else bool(left)
    if isinstance(node.right, Listing):
        found = {_equal(left, _value(item, view, it, kind)) for item in node.right.items}
        return (True in found) is (node.sign == "in")
    right = _value(node.right, view, it, kind)
    if node.sign in ("==", "!="):
        return _equal(left, right) is (node.sign == "==")
    if isinstance(left, str) or isinstance(right, str):
        raise Inactive
    if node.sign in COMPARISONS:
        return _COMPARE[node.sign](left, right)
    return _bounded(_ARITHMETIC[node.sign](left, right))


def _equal(left: Value, right: Value) -> bool:
    """Equality; a text is never a number."""
    return isinstance(left, str) is isinstance(right, str) and left == right


def _bounded(number: Any) -> int | float:
    """A number that arrays hold exactly."""
    if not -LARGEST <= number <= LARGEST:
        raise Inactive
    result: int | float = number
    return result


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
}  # fmt: skip

Arguments = tuple[Node, ...]


def _place(node: Node | None, view: View, it: Thing | None, kind: str | None) -> tuple[int, int]:
    """Where something stands."""
    if node is None:
        return view.actor
    name = node.text if isinstance(node, Path) else ""
    if name == "it" and it is not None and kind is not None:
        return view.place_of(it, kind)
    if name == "target":
        return view.ahead
    if name == view.schema.actor:
        return view.actor
    raise Inactive


def _numbers(nodes: Arguments, view: View, it: Thing | None, kind: str | None) -> list[Any]:
    values = [_value(node, view, it, kind) for node in nodes]
    if any(isinstance(value, str) for value in values):
        raise Inactive
    return values


def _dist(nodes: Arguments, view: View, it: Thing | None, kind: str | None) -> Value:
    (x, y), (i, j) = (_place(node, view, it, kind) for node in nodes)
    return abs(x - i) + abs(y - j)


def _near(nodes: Arguments, view: View, it: Thing | None, kind: str | None) -> Value:
    place = _place(nodes[2] if len(nodes) > 2 else None, view, it, kind)
    return view.near(str(_value(nodes[0], view, it, kind)), int(_value(nodes[1], view, it, kind)), *place)


def _beside(nodes: Arguments, view: View, it: Thing | None, kind: str | None) -> tuple[int, int]:
    """A place and an offset from it."""
    x, y = _place(nodes[2] if len(nodes) > 2 else None, view, it, kind)
    dx, dy = _numbers(nodes[:2], view, it, kind)
    return x + int(dx), y + int(dy)


def _toward(nodes: Arguments, view: View, it: Thing | None, kind: str | None) -> Value:
    (x, y), (i, j) = (_place(node, view, it, kind) for node in nodes[:2])
    return toward(i - x, j - y, str(_value(nodes[2], view, it, kind)))


def toward(dx: int, dy: int, axis: str) -> int:
    """Part of a step along a distance; see the module.

    Examples
    --------
    >>> [toward(3, -2, axis) for axis in ("x", "y", "long_x", "long_y", "short_x", "short_y")]
    [1, -1, 1, 0, 0, -1]
    """
    along, _, part = axis.rpartition("_")
    size = dx if part == "x" else dy
    if along and (abs(dx) > abs(dy)) is not ((along == "long") is (part == "x")):
        return 0
    return _sign(size)


def _sign(value: Any) -> int:
    return int(value > 0) - int(value < 0)


_CALLS: dict[str, Callable[[Arguments, View, Thing | None, str | None], Value]] = {
    "abs": lambda nodes, view, it, kind: abs(_numbers(nodes, view, it, kind)[0]),
    "sign": lambda nodes, view, it, kind: _sign(_numbers(nodes, view, it, kind)[0]),
    "min": lambda nodes, view, it, kind: min(_numbers(nodes, view, it, kind)),
    "max": lambda nodes, view, it, kind: max(_numbers(nodes, view, it, kind)),
    "dist": _dist,
    "near": _near,
    "free": lambda nodes, view, it, kind: view.free(*_beside(nodes, view, it, kind)),
    "tile": lambda nodes, view, it, kind: view.material(*_beside(nodes, view, it, kind)),
    "toward": _toward,
    "count": lambda nodes, view, it, kind: view.count(str(_value(nodes[0], view, it, kind))),
}
