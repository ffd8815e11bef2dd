"""Laws that a language model wrote as Python classes, read into the language of laws; nothing of them is ever run.

A class is accepted where it says no more than a law can:

.. code-block:: python

   class GatherWood:
       def precondition(self, state, action):
           return action == "do" and target == "tree"

       def effect(self, state, action):
           state.player.inventory.wood += {1: 0.95, 0: 0.05}

Preconditions are one ``return``, after ``if ...: return False`` as needed. Effects add to or set attributes of
``state`` (by a value, by a dict of values with probabilities, or by ``Distribution(support=[...],
probabilities=[...])``), set the tile ahead (``state.set_facing_material("path")``), or loop over the objects of one
kind (``for it in state.objects("zombie"):``, with ``if`` inside). ``it.remove()`` removes. Everything else is refused
with the line where it stands: imports, names with two underscores, other calls, other loops.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from suppose.core.errors import DataError
from suppose.worlds.laws.effects import Add, Effect, Remove, Set, SetMaterial
from suppose.worlds.laws.expressions import parse
from suppose.worlds.laws.law import ALWAYS, Law
from suppose.worlds.laws.nodes import FUNCTIONS, quoted

__all__ = ["law_of_class"]

LONGEST = 20_000  # letters of a class
DISTRIBUTIONS = ("Distribution", "DiscreteDistribution", "RandomValues")
OBJECTS = ("objects", "get_objects", "get_objects_of_type", "get_object_of_type_in_update_range")
SIGNS = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in",
    ast.NotIn: "not in", ast.Add: "+", ast.Sub: "-", ast.Mult: "*",
}  # fmt: skip


def law_of_class(text: str) -> Law:
    """The law a Python class says.

    Parameters
    ----------
    text : str
        One class with ``precondition`` and ``effect``.

    Raises
    ------
    DataError
        ``law-python``, with the line and what it may not say.

    Examples
    --------
    >>> print(law_of_class('''
    ... class Thirst:
    ...     def precondition(self, state, action):
    ...         return state.player.thirst >= 20
    ...     def effect(self, state, action):
    ...         state.player.drink -= 1
    ... '''))
    law Thirst
    when player.thirst >= 20
    then player.drink += {-1: 1.0}
    """
    if len(text) > LONGEST:
        raise _refused(None, f"a class of more than {LONGEST:,} letters")
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _refused(None, f"not Python: {error}") from None
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.ClassDef):
        _refuse(tree.body[0] if tree.body else None, "expected one class and nothing beside it")
    return _law(tree.body[0])


def _law(node: ast.ClassDef) -> Law:
    if node.decorator_list or node.keywords:
        _refuse(node, "decorators and metaclasses have no place in a law")
    methods: dict[str, ast.FunctionDef] = {}
    words = (ast.get_docstring(node) or "").split("\n")[0]
    for part in node.body:
        if (
            isinstance(part, ast.FunctionDef)
            and part.name in ("precondition", "effect")
            and not part.decorator_list
        ):
            methods[part.name] = part
        elif not _is_words(part) and not _is_empty_init(part):
            _refuse(part, "expected the methods precondition and effect and no others")
    if set(methods) != {"precondition", "effect"}:
        _refuse(node, "expected the methods precondition and effect")
    reader = _Reader()
    condition = reader.condition(_body(methods["precondition"]))
    reader.statements(_body(methods["effect"]), [])
    if not reader.effects:
        _refuse(methods["effect"], "the effect changes nothing")
    parts = [f"({part})" for part in [condition, *reader.guards] if part != "true"]
    when = parse(" and ".join(parts)) if parts else ALWAYS
    return Law(node.name, when, tuple(reader.effects), reader.each, words)


def _body(method: ast.FunctionDef) -> list[ast.stmt]:
    return [part for part in method.body if not _is_words(part)]


def _is_words(part: ast.stmt) -> bool:
    return (
        isinstance(part, ast.Expr)
        and isinstance(part.value, ast.Constant)
        and isinstance(part.value.value, str)
    )


def _is_empty_init(part: ast.stmt) -> bool:
    """A constructor that does nothing, as some write from habit."""
    return (
        isinstance(part, ast.FunctionDef)
        and part.name == "__init__"
        and all(isinstance(line, ast.Pass) or _is_words(line) for line in part.body)
    )


def _refused(node: ast.AST | None, problem: str) -> DataError:
    return DataError(
        "law-python",
        problem,
        where=f"class, line {getattr(node, 'lineno', 1)}",
        remedy="Ask for laws in the language of laws, or write one precondition and plain effects.",
    )


def _refuse(node: ast.AST | None, problem: str) -> NoReturn:
    raise _refused(node, problem)


@dataclass
class _Reader:
    """Reads statements and expressions of a class."""

    effects: list[Effect] = field(default_factory=list)
    guards: list[str] = field(default_factory=list)
    each: str | None = None
    it: str | None = None

    # Conditions.

    def condition(self, lines: Sequence[ast.stmt]) -> str:
        """The condition that a precondition returns."""
        parts: list[str] = []
        for line in lines[:-1]:
            false = isinstance(line, ast.If) and not line.orelse and len(line.body) == 1
            back = line.body[0] if isinstance(line, ast.If) and false else None
            if (
                not isinstance(back, ast.Return)
                or not _is_constant(back.value, False)
                or not isinstance(line, ast.If)
            ):
                _refuse(line, "before the last return only if ...: return False")
            parts.append(f"not ({self.text(line.test)})")
        last = lines[-1] if lines else None
        if not isinstance(last, ast.Return) or last.value is None:
            _refuse(last, "expected a return at the end of precondition")
        whole = self.text(last.value)
        return " and ".join([*parts, f"({whole})"]) if parts else whole

    def text(self, node: ast.expr) -> str:
        """An expression in the language of laws."""
        if isinstance(node, ast.Constant):
            return self.constant(node)
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self.path(node)
        if isinstance(node, ast.BoolOp):
            word = " and " if isinstance(node.op, ast.And) else " or "
            return word.join(f"({self.text(part)})" for part in node.values)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
            return f"{'not ' if isinstance(node.op, ast.Not) else '-'}({self.text(node.operand)})"
        if isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
            return f"({self.text(node.left)}) {SIGNS[type(node.op)]} ({self.text(node.right)})"
        if isinstance(node, ast.Compare):
            return self.comparison(node)
        if isinstance(node, ast.Call):
            return self.call(node)
        _refuse(node, f"{type(node).__name__} has no counterpart in a law")

    def constant(self, node: ast.Constant) -> str:
        if isinstance(node.value, bool):
            return "true" if node.value else "false"
        if isinstance(node.value, str):
            return quoted(node.value)
        if isinstance(node.value, (int, float)):
            return repr(node.value)
        _refuse(node, f"{node.value!r} is no value of a law")

    def path(self, node: ast.expr) -> str:
        """A path of the state, of the object at hand, the action or the target."""
        names: list[str] = []
        inner = node
        while isinstance(inner, ast.Attribute):
            names.append(inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name) or any(
            "__" in name for name in [*names, getattr(inner, "id", "")]
        ):
            _refuse(node, "expected a path of the state")
        if inner.id == self.it:
            names.append("it")
        elif inner.id in ("action", "target") and not names:
            names.append(inner.id)
        elif inner.id != "state":
            if names or inner.id not in ("it",):
                _refuse(node, f"the name {inner.id!r} means nothing in a law")
            names.append(inner.id)
        if not names:
            _refuse(node, "the whole state is no value")
        return ".".join(reversed(names))

    def comparison(self, node: ast.Compare) -> str:
        parts = []
        left = node.left
        for sign, right in zip(node.ops, node.comparators, strict=True):
            if type(sign) not in SIGNS:
                _refuse(node, f"{type(sign).__name__} has no counterpart in a law")
            if isinstance(sign, (ast.In, ast.NotIn)):
                if not isinstance(right, (ast.Tuple, ast.List, ast.Set)):
                    _refuse(right, "in needs a list written out")
                items = ", ".join(self.text(item) for item in right.elts)
                parts.append(f"({self.text(left)}) {SIGNS[type(sign)]} ({items},)")
            else:
                parts.append(f"({self.text(left)}) {SIGNS[type(sign)]} ({self.text(right)})")
            left = right
        return " and ".join(f"({part})" for part in parts)

    def call(self, node: ast.Call) -> str:
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
            _refuse(node, f"calls are limited to: {', '.join(FUNCTIONS)}")
        return f"{node.func.id}({', '.join(self.place(part) for part in node.args)})"

    def place(self, node: ast.expr) -> str:
        """An argument; a place may be the object at hand or a part of the state."""
        return "it" if isinstance(node, ast.Name) and node.id == self.it else self.text(node)

    # Effects.

    def statements(self, lines: Sequence[ast.stmt], guards: list[str]) -> None:
        """Notes the effects of some lines."""
        for line in lines:
            if isinstance(line, ast.For) and len(lines) == 1:
                self.loop(line, guards)
            elif isinstance(line, ast.If) and not line.orelse and len(lines) == 1:
                self.statements(line.body, [*guards, self.text(line.test)])
            elif isinstance(line, ast.Pass):
                continue
            else:
                self.effects.append(self.effect(line))
                self.guards = list(dict.fromkeys([*self.guards, *guards]))

    def loop(self, line: ast.For, guards: list[str]) -> None:
        call = line.iter
        kind = call.args[0] if isinstance(call, ast.Call) and len(call.args) == 1 else None
        known = (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr in OBJECTS
            and self.path_is_state(call.func.value)
        )
        if not known or not isinstance(kind, ast.Constant) or not isinstance(kind.value, str) or line.orelse:
            _refuse(line, 'loops run over state.objects("kind") and nothing else')
        if self.each is not None or not isinstance(line.target, ast.Name):
            _refuse(line, "one loop at most, over one name")
        self.each, self.it = kind.value, line.target.id
        self.statements(line.body, guards)

    @staticmethod
    def path_is_state(node: ast.expr) -> bool:
        """Whether an expression is the state itself."""
        return isinstance(node, ast.Name) and node.id == "state"

    def effect(self, line: ast.stmt) -> Effect:
        if isinstance(line, ast.AugAssign) and isinstance(line.op, (ast.Add, ast.Sub)):
            support = self.support(line.value, isinstance(line.op, ast.Sub), relative=True)
            return Add(self.governed(line.target), support)
        if isinstance(line, ast.Assign) and len(line.targets) == 1:
            return Set(self.governed(line.targets[0]), self.support(line.value))
        if isinstance(line, ast.Expr) and isinstance(line.value, ast.Call):
            return self.action(line.value)
        if isinstance(line, (ast.For, ast.If)):
            _refuse(line, "a loop or an if stands alone, so that all effects share one condition")
        _refuse(line, f"{type(line).__name__} is no effect of a law")

    def governed(self, node: ast.expr) -> str:
        path = self.path(node)
        if path in ("action", "target", "it"):
            _refuse(node, f"{path} is not an attribute")
        return path

    def action(self, call: ast.Call) -> Effect:
        """Setting the tile ahead, and removing."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if name == "set_facing_material" and len(call.args) == 1:
            return SetMaterial("target", self.support(call.args[0]))
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if name == "remove" and isinstance(owner, ast.Name) and owner.id == self.it and not call.args:
            return Remove()
        _refuse(call, "effects call set_facing_material(...) or it.remove() and nothing else")

    def support(
        self, node: ast.expr, minus: bool = False, relative: bool = False
    ) -> list[tuple[object, float]]:
        """Values with their probabilities."""
        if isinstance(node, ast.Dict):
            keys, weights = node.keys, [self.weight(value) for value in node.values]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in DISTRIBUTIONS:
            keys, weights = self.distribution(node)
        else:
            keys, weights = [node], [1.0]
        pairs: list[tuple[object, float]] = []
        for key, weight in zip(keys, weights, strict=True):
            if key is None:
                _refuse(node, "a dict within a dict is no support")
            text = self.text(key)
            pairs.append((parse(f"-({text})" if minus and relative else text), weight))
        return pairs

    def distribution(self, node: ast.Call) -> tuple[list[ast.expr | None], list[float]]:
        parts = {keyword.arg: keyword.value for keyword in node.keywords}
        support = node.args[0] if node.args else parts.get("support") or parts.get("values")
        chances = node.args[1] if len(node.args) > 1 else parts.get("probabilities")
        if not isinstance(support, (ast.List, ast.Tuple)):
            _refuse(node, "expected a list of values written out")
        count = len(support.elts)
        weights = [1 / max(count, 1)] * count
        if isinstance(chances, (ast.List, ast.Tuple)) and len(chances.elts) == count:
            weights = [self.weight(part) for part in chances.elts]
        elif chances is not None:
            _refuse(node, "expected a probability for each value")
        return list(support.elts), weights

    def weight(self, node: ast.expr) -> float:
        number = re.fullmatch(r"-?\(?([0-9.eE+-]+)\)?", self.text(node))
        if number is None:
            _refuse(node, "expected a probability written out")
        value = float(number[1])
        return -value if self.text(node).startswith("-") else value


def _is_constant(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value
