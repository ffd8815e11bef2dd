"""What laws can be conditioned on: short conditions ("atoms") and where each of them holds, as a table of truth.

A :class:`Table` has one row per transition, or one per transition and object of a kind within reach. Its columns are
atoms of the language of laws: the action; what the actor faces; what is near, free or held; attributes compared with
the values they took; and, for an object at hand, how far it is, in which direction, and what it is like.

Each atom has a *rank*, by which ties between atoms that tell equally well are decided (action before target before
what is near or held before the rest), and a *price* in nats that a law pays for speaking of it. Numbers that rise at
most steps are clocks: anything can be told by the clock after the fact, hence they are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from suppose.core.errors import DataError
from suppose.worlds.laws.columns import Columns, Frame, Values
from suppose.worlds.laws.expressions import Expression, parse
from suppose.worlds.laws.nodes import RESERVED, quoted
from suppose.worlds.laws.schema import Schema
from suppose.worlds.laws.views import Thing

__all__ = ["Atom", "Quantity", "Table", "can_be_said", "quantities_of"]

MEMORY = 6e9  # bytes
MOST_CUTS = 48
MOST_EQUALS = 8
FARTHEST = 10
CLOCK = 0.5  # a number that rises at more than this share of the steps, and never falls, is a clock
SHORT = 8  # steps by which a clock can be told
ACTION, TARGET, NEAR, HELD, OTHER = 0, 1, 2, 3, 4


class Quantity(NamedTuple):
    """Something with a value on each row.

    ``type`` is ``"text"``, ``"number"`` or ``"bool"``; ``own`` says that it speaks of the object at hand.
    """

    text: str
    type: str
    rank: int
    own: bool = False


class Atom(NamedTuple):
    """A condition: its text, rank, price, and what it compares: quantity, sign and value."""

    text: str
    rank: int
    price: float
    quantity: str
    sign: str
    value: Any


def can_be_said(path: str) -> bool:
    """Whether a path can be written in a law: words of the language itself cannot.

    Examples
    --------
    >>> can_be_said("count"), can_be_said("store.count")
    (False, True)
    """
    return path not in RESERVED and "__" not in path


def _paths(attributes: Any, stem: str, rank: Callable[[str], int], own: bool) -> Iterator[Quantity]:
    for path, attribute in attributes.items():
        if not can_be_said(f"{stem}{path}"):
            continue
        kind = {"int": "number", "float": "number"}.get(attribute.type, attribute.type)
        yield Quantity(f"{stem}{path}", kind, rank(path), own)


def quantities_of(schema: Schema, each: str | None = None) -> list[Quantity]:
    """Everything a row has a value of, as far as a schema tells; the values decide what is made of it.

    Examples
    --------
    >>> from suppose.worlds.laws.schema import Attribute
    >>> schema = Schema({"oil": Attribute("int")}, actions=("run", "fill"))
    >>> [quantity.text for quantity in quantities_of(schema)]
    ['action', 'oil']
    """
    found = [Quantity("action", "text", ACTION)]
    if schema.heading is not None:
        found.append(Quantity("target", "text", TARGET))
    places = set()
    if schema.actor is not None:
        places = {f"{schema.actor}.{part}" for part in schema.position}
        found += [
            Quantity(f"free({dx}, {dy})", "bool", TARGET) for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
        ]
        shown = (*schema.materials, *schema.kinds)
        found += [Quantity(f"near({quoted(name)}, 1)", "bool", NEAR) for name in shown]
        if schema.grid is not None:
            found.append(Quantity("tile(0, 0)", "text", NEAR))
    scalars = {path: a for path, a in schema.scalars.items() if path not in places}
    found += _paths(scalars, "", lambda path: HELD if schema.is_observed(path) else OTHER, False)
    return found + (_own(schema, each) if each is not None else [])


def _own(schema: Schema, each: str) -> list[Quantity]:
    """What can be said of the object at hand."""
    collection = schema.collections[schema.kinds[each]]
    attributes = {
        path: a for path, a in schema.attributes_of(each).items() if path not in collection.position
    }
    found = list(_paths(attributes, "it.", lambda path: HELD, True))
    found += [
        Quantity(f"free({dx}, {dy}, it)", "bool", NEAR, True) for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
    ]
    found += [Quantity(f"near({quoted(kind)}, 1, it)", "bool", OTHER, True) for kind in schema.kinds]
    if schema.actor is not None:
        found.append(Quantity(f"dist(it, {schema.actor})", "number", NEAR, True))
        found += [
            Quantity(f'toward(it, {schema.actor}, "{axis}")', "number", NEAR, True)
            for axis in ("x", "y", "long_x", "long_y")
        ]
    if schema.heading is not None:
        found.append(Quantity("dist(it, target)", "number", TARGET, True))
    return found


class Table:
    """Rows, and which atoms hold on them.

    Parameters
    ----------
    columns : Columns
        States before each step, with the actions.
    each : str, optional
        Kind of object: one row per object within reach, instead of one per transition.

    Attributes
    ----------
    step : (row,) whole numbers
        Step of each row.
    things, identities : list
        The object at hand on each row and its identity; None without one.

    Examples
    --------
    >>> from suppose.worlds.laws.schema import Attribute
    >>> schema = Schema({"oil": Attribute("int")}, actions=("run", "fill"))
    >>> table = Table(Columns(schema, [{"oil": 0}, {"oil": 3}], ["fill", "run"]))
    >>> [atom.text for atom in table.atoms]
    ['action == "fill"', 'action == "run"', 'oil == 0', 'oil == 3']
    >>> table.truth.astype(int).tolist()
    [[1, 0, 1, 0], [0, 1, 0, 1]]
    """

    def __init__(self, columns: Columns, each: str | None = None) -> None:
        self.columns, self.kind = columns, each
        self.frame = Frame(columns, each)
        self.step: Int[np.ndarray, " row"] = self.frame.state
        rows = columns.rows(each) if each is not None else ()
        self.things: list[Thing | None] = [columns.objects.contents[row] for row in rows] or [None] * len(
            self
        )
        self.identities: list[Any] = [columns.objects.identities[row] for row in rows] or [None] * len(self)

    def __len__(self) -> int:
        return len(self.step)

    def values(self, expression: Expression, own: bool = True) -> Values:
        """Value of an expression on every row, and whether there is one; texts as numbers of the vocabulary."""
        if own:
            return self.frame.value(expression.root)
        found = Frame(self.columns).value(expression.root)
        return Values(found.values[self.step], found.valid[self.step])

    @cached_property
    def _parts(self) -> tuple[list[Atom], Bool[np.ndarray, "row atom"]]:
        atoms: list[Atom] = []
        found: list[np.ndarray] = []
        for quantity in quantities_of(self.columns.schema, self.kind):
            values = self.values(parse(quantity.text), quantity.own)
            for atom, column in _atoms(quantity, values, self.columns):
                atoms.append(atom)
                found.append(column)
                self._check_memory(len(found))
        truth = np.array(found, dtype=bool).T if found else np.zeros((len(self), 0), dtype=bool)
        return atoms, np.ascontiguousarray(truth)

    def _check_memory(self, columns: int) -> None:
        """Refuses a table that would not fit into memory, with what the search copies of it."""
        if 3 * columns * len(self) > MEMORY:
            raise DataError(
                "too-many-rows",
                f"{len(self):,} rows of {self.kind or 'transitions'} with over {columns:,} conditions take more than "
                f"{MEMORY / 1e9:.0f} GB",
                where="transitions",
                remedy="Give fewer transitions, or list attributes that do not matter in the schema's ignored.",
            )

    @property
    def atoms(self) -> list[Atom]:
        """The atoms that hold on some rows and not on others."""
        return self._parts[0]

    @property
    def truth(self) -> Bool[np.ndarray, "row atom"]:
        """Where each atom holds."""
        return self._parts[1]

    def holds(self, expression: Expression) -> Bool[np.ndarray, " row"]:
        """Where a condition holds; false where it has no value."""
        found = self.values(expression)
        return np.asarray(found.valid & (found.values != 0))


def _is_clock(values: np.ndarray) -> bool:
    """Whether numbers rise at most steps and never fall."""
    change = np.diff(values)
    return len(values) >= SHORT and bool((change >= 0).all() and (change > 0).mean() > CLOCK)


def _atoms(quantity: Quantity, values: Values, columns: Columns) -> Iterator[tuple[Atom, np.ndarray]]:
    """Atoms of a quantity that hold on some rows but not on all, each once."""
    known, found = values.valid, values.values
    if not known.any():
        return
    if quantity.type == "bool":
        yield from _kept(quantity, [("is", True, known & (found != 0)), ("is", False, known & (found == 0))])
    elif quantity.type == "text":
        words = list(columns.vocabulary)
        told = sorted((words[int(code)], code) for code in np.unique(found[known]))
        yield from _kept(quantity, [("==", text, known & (found == code)) for text, code in told])
    elif quantity.own or not _is_clock(found[known]):
        numbers = np.where(known, found, np.nan)
        yield from _kept(quantity, list(_compared(numbers, quantity)))


def _compared(numbers: np.ndarray, quantity: Quantity) -> Iterator[tuple[str, Any, np.ndarray]]:
    """Comparisons of a number with what it was seen to be."""
    levels = np.unique(numbers[~np.isnan(numbers)])
    if quantity.text == "dist(it, target)":
        yield "==", 0.0, numbers == 0
        return
    if "toward(" in quantity.text or len(levels) == 2:
        yield from (("==", level, numbers == level) for level in levels)
        return
    if quantity.text.startswith("dist("):
        levels = levels[levels <= FARTHEST]
    if len(levels) <= MOST_EQUALS and (levels == np.round(levels)).all():
        yield from (("==", level, numbers == level) for level in levels)
    if len(levels) > MOST_CUTS:
        spread = np.unique(np.quantile(levels, np.linspace(0, 1, MOST_CUTS - 16), method="nearest"))
        levels = np.unique(np.concatenate([levels[:8], spread, levels[-8:]]))
    for level in levels:
        yield ">=", level, numbers >= level
        yield "<=", level, numbers <= level


def _kept(quantity: Quantity, found: list[tuple[str, Any, np.ndarray]]) -> Iterator[tuple[Atom, np.ndarray]]:
    kept: dict[bytes, tuple[str, Any, np.ndarray]] = {}
    for sign, value, column in found:
        if column.any() and not column.all():
            kept.setdefault(np.packbits(column).tobytes(), (sign, value, column))
    chosen = quantity.type == "number" and quantity.rank >= HELD
    price = 1.0 + (np.log(max(len(kept), 1)) if chosen else 0.0) + (quantity.rank == OTHER)
    for sign, value, column in kept.values():
        text = _text(quantity.text, sign, value)
        yield Atom(text, quantity.rank, float(price), quantity.text, sign, value), column


def _text(quantity: str, sign: str, value: Any) -> str:
    """An atom as it is written."""
    if sign == "is":
        return quantity if value else f"not {quantity}"
    if isinstance(value, str):
        return f"{quantity} {sign} {quoted(value)}"
    number = float(value)
    return f"{quantity} {sign} {int(number) if number.is_integer() else repr(number)}"
