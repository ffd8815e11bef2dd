"""Many states at once: one array per attribute, and expressions as operations on such arrays.

A batch is read once; attributes that no law speaks of are never touched. Texts are numbers of a vocabulary. Objects of
all states stand one after another, each with the place of its state; the occupants of tiles are found by search in a
sorted array, so that memory grows with the number of objects, not with the size of maps. Values are the same as the
interpreter's of :mod:`suppose.worlds.laws.expressions`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from suppose.worlds.laws.nodes import COMPARISONS, Binary, Call, Listing, Literal, Node, Path, Unary
from suppose.worlds.laws.schema import OUTSIDE, Attribute, Names, Schema, State
from suppose.worlds.laws.views import LARGEST, Inactive, Thing, View, fitting, split

__all__ = ["Columns", "Compiled", "Frame", "Values", "Vocabulary"]


class Values(NamedTuple):
    """A value per row, and whether there is one; truth as 0 and 1, texts as numbers of the vocabulary."""

    values: Float64[np.ndarray, " n"]
    valid: Bool[np.ndarray, " n"]


class Vocabulary(dict[str, int]):
    """Numbers of texts, given out as they come."""

    def __missing__(self, text: str) -> int:
        self[text] = number = len(self)
        return number


class Objects(NamedTuple):
    """Objects of all states, one after another."""

    state: Int64[np.ndarray, " m"]
    kind: Int64[np.ndarray, " m"]
    x: Int64[np.ndarray, " m"]
    y: Int64[np.ndarray, " m"]
    identities: list[Any]
    contents: list[Thing]


class Columns:
    """A batch of states and actions.

    Parameters
    ----------
    schema : Schema
    states : sequence of n dicts
    actions : sequence of n str
    vocabulary : Vocabulary, optional
        Shared with another batch, so that texts can be compared.

    Raises
    ------
    DataError
        ``duplicate-entity``, ``bad-state``.

    Examples
    --------
    >>> from suppose.worlds.laws.expressions import parse
    >>> states = [{"hero": {"x": 0, "y": 0, "gold": gold}} for gold in range(4)]
    >>> schema = Schema.from_dicts(states, actions=("take",))
    >>> batch = Columns(schema, states, ["take"] * 4)
    >>> parse("hero.gold * 2 > 3").compile(schema)(batch).values.tolist()
    [0.0, 0.0, 1.0, 1.0]
    """

    def __init__(
        self,
        schema: Schema,
        states: Sequence[State],
        actions: Sequence[str],
        vocabulary: Vocabulary | None = None,
    ) -> None:
        self.schema = schema
        self.views = [View(schema, state, action) for state, action in zip(states, actions, strict=True)]
        self.vocabulary = Vocabulary() if vocabulary is None else vocabulary
        self.cache: dict[tuple[Node, str | None], Values] = {}
        self._rows: dict[str, Int64[np.ndarray, " k"]] = {}
        self._things: dict[tuple[str, str], Values] = {}

    def __len__(self) -> int:
        return len(self.views)

    def code(self, text: str) -> float:
        """Number of a text."""
        return float(self.vocabulary[text])

    @cached_property
    def words(self) -> list[str]:
        """Texts by number, as far as they have been given out."""
        return list(self.vocabulary)

    @cached_property
    def action(self) -> Float64[np.ndarray, " n"]:
        """Numbers of the actions."""
        return np.array([self.vocabulary[view.action] for view in self.views], dtype=np.float64)

    def encode(self, value: Any) -> float:
        """A value as arrays hold it."""
        return self.code(value) if isinstance(value, str) else float(value)

    def gather(self, contents: Sequence[Any], names: Names, attribute: Attribute | None) -> Values:
        """What stands at a path of several nested dicts."""
        values = np.zeros(len(contents))
        valid = np.ones(len(contents), dtype=bool)
        for row, content in enumerate(contents):
            try:
                values[row] = self.encode(fitting(content, names, attribute))
            except Inactive:
                valid[row] = False
        return Values(values, valid)

    def scalar(self, path: str) -> Values:
        """The attribute at a path of the state, by state."""
        key = (Path(path), None)
        if key not in self.cache:
            contents = [view.state for view in self.views]
            self.cache[key] = self.gather(contents, split(path), self.schema.scalars.get(path))
        return self.cache[key]

    @cached_property
    def actor(self) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
        """Columns and rows of the actor, and whether it has any."""
        if self.schema.actor is None:
            return self._nowhere()
        return _pair(*(self.scalar(path) for path in self.schema.actor_position))

    @cached_property
    def ahead(self) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
        """The tiles the actor faces."""
        if self.schema.heading is None:
            return self._nowhere()
        dx, dy, valid = _pair(*(self.scalar(path) for path in self.schema.heading))
        x, y, stands = self.actor
        return x + dx, y + dy, valid & stands

    def _nowhere(self) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
        nothing = np.zeros(len(self), dtype=np.int64)
        return nothing, nothing, np.zeros(len(self), dtype=bool)

    # Objects.

    @cached_property
    def objects(self) -> Objects:
        """Objects in order of state, kind of the schema, and list."""
        state, kind, x, y = [], [], [], []
        identities: list[Any] = []
        contents: list[Thing] = []
        for number, view in enumerate(self.views):
            for name, things in view.objects.items():
                for identity, thing in things:
                    i, j = view.place_of(thing, name)
                    state.append(number)
                    kind.append(self.vocabulary[name])
                    x.append(i)
                    y.append(j)
                    identities.append(identity)
                    contents.append(thing)
        rows = [np.array(part, dtype=np.int64) for part in (state, kind, x, y)]
        return Objects(rows[0], rows[1], rows[2], rows[3], identities, contents)

    def rows(self, kind: str) -> Int64[np.ndarray, " k"]:
        """Places among the objects of those of a kind that laws bind as ``it``."""
        if kind not in self._rows:
            things = self.objects
            found = things.kind == self.vocabulary[kind]
            if self.schema.reach is not None and self.schema.actor is not None:
                x, y, stands = (part[things.state] for part in self.actor)
                found &= stands & (np.abs(things.x - x) + np.abs(things.y - y) < self.schema.reach)
            self._rows[kind] = np.flatnonzero(found)
        return self._rows[kind]

    def thing(self, kind: str, path: str) -> Values:
        """An attribute of the objects of a kind within reach, in the order of :meth:`rows`."""
        if (kind, path) not in self._things:
            contents = [self.objects.contents[row] for row in self.rows(kind)]
            self._things[kind, path] = self.gather(
                contents, split(path), self.schema.attributes_of(kind).get(path)
            )
        return self._things[kind, path]

    @cached_property
    def _sorted(self) -> tuple[Any, ...]:
        """Sorted keys of occupied tiles, who stands there, and how keys are made."""
        things, (x, y, stands) = self.objects, self.actor
        here = np.flatnonzero(stands)
        state = np.concatenate([here, things.state])
        columns, rows = np.concatenate([x[here], things.x]), np.concatenate([y[here], things.y])
        name = self.vocabulary[self.schema.actor_kind]
        kinds = np.concatenate([np.full(len(here), name, dtype=np.int64), things.kind])
        left, top = (int(part.min(initial=0)) for part in (columns, rows))
        wide, high = (int(part.max(initial=0)) + 1 for part in (columns - left, rows - top))
        keys = (state * wide + columns - left) * high + rows - top
        unique, first = np.unique(
            keys, return_index=True
        )  # the first of several on one tile, as in a single state
        return unique, kinds[first], left, top, wide, high

    def occupant(
        self, state: Int64[np.ndarray, " k"], x: Int64[np.ndarray, " k"], y: Int64[np.ndarray, " k"]
    ) -> Int64[np.ndarray, " k"]:
        """Kind of the object on each tile, -1 where there is none."""
        keys, kinds, left, top, wide, high = self._sorted
        if not len(keys):
            return np.full(len(state), -1)
        inside = (x >= left) & (x < left + wide) & (y >= top) & (y < top + high)
        wanted = np.where(inside, (state * wide + x - left) * high + y - top, -1)
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[place] == wanted, kinds[place], -1)

    # Tiles.

    @cached_property
    def _tiles(self) -> tuple[Any, ...]:
        """All tiles in one array; per state where they begin, how many columns and rows, whether there are any."""
        codes, wide, high, valid = [], [], [], []
        for view in self.views:
            try:
                tiles = view.tiles
            except Inactive:
                tiles = None
            found = list(map(self.vocabulary.__getitem__, chain.from_iterable(tiles or ())))
            codes.append(np.array(found, dtype=np.int32))
            wide.append(len(tiles or ()))
            high.append(len(tiles[0]) if tiles else 0)
            valid.append(tiles is not None)
        begins = np.cumsum([0, *map(len, codes)])[:-1]
        return np.concatenate(codes), begins, np.array(wide), np.array(high), np.array(valid)

    @property
    def span(self) -> int:
        """More than any column or row of a tile."""
        _, _, wide, high, _ = self._tiles
        return int(max(wide.max(initial=0), high.max(initial=0))) + 1

    def material(
        self, state: Int64[np.ndarray, " k"], x: Int64[np.ndarray, " k"], y: Int64[np.ndarray, " k"]
    ) -> tuple[Int64[np.ndarray, " k"], Bool[np.ndarray, " k"]]:
        """Number of the material of each tile, and whether the state has tiles."""
        codes, begins, wide, high, valid = self._tiles
        beyond = self.vocabulary[OUTSIDE]
        inside = (x >= 0) & (x < wide[state]) & (y >= 0) & (y < high[state])
        found = np.full(len(state), beyond, dtype=np.int64)
        at = (begins[state] + x * high[state] + y)[inside]
        found[inside] = codes[at]
        return found, valid[state]


def _pair(first: Values, second: Values) -> tuple[Any, Any, Any]:
    """Two columns as whole numbers."""
    return first.values.astype(np.int64), second.values.astype(np.int64), first.valid & second.valid


class Frame:
    """Some rows of a batch: states, or objects of one kind within them.

    Parameters
    ----------
    columns : Columns
    kind : str, optional
        Rows are the objects of this kind within reach.
    chosen : array of int, optional
        Places among all rows; every row by default.
    """

    def __init__(
        self, columns: Columns, kind: str | None = None, chosen: Int64[np.ndarray, " k"] | None = None
    ) -> None:
        self.columns, self.kind = columns, kind
        everything = np.arange(len(columns)) if kind is None else columns.rows(kind)
        self.chosen = np.arange(len(everything)) if chosen is None else chosen
        rows = everything[self.chosen]
        self.things = None if kind is None else rows
        self.state = rows if kind is None else columns.objects.state[rows]

    def __len__(self) -> int:
        return len(self.state)

    def narrowed(self, keep: Bool[np.ndarray, " n"]) -> Frame:
        """Those rows for which ``keep`` holds."""
        return Frame(self.columns, self.kind, self.chosen[keep])

    def constant(self, value: float, valid: bool = True) -> Values:
        """One value on every row."""
        return Values(np.full(len(self), value), np.full(len(self), valid))

    def value(self, node: Node) -> Values:
        """The value of a node on every row."""
        if isinstance(node, Literal):
            return self.constant(self.columns.encode(node.value))
        if isinstance(node, Path):
            return self._path(node)
        if isinstance(node, Binary):
            return self._binary(node)
        if isinstance(node, Unary):
            inner = self.value(node.inner)
            if node.sign == "not":
                return Values((inner.values == 0).astype(float), inner.valid)
            return Values(-inner.values, inner.valid)
        if isinstance(node, Call):
            return self._call(node)
        return self.constant(0.0, False)

    def _path(self, node: Path) -> Values:
        if node.text.startswith("it.") and self.kind is not None:
            found = self.columns.thing(self.kind, node.text[3:])
            return Values(found.values[self.chosen], found.valid[self.chosen])
        if node.text == "target":
            return self._of_states(node, self._shows)
        if node.text == "action":
            return Values(self.columns.action[self.state], np.ones(len(self), dtype=bool))
        found = self.columns.scalar(node.text)
        return Values(found.values[self.state], found.valid[self.state])

    def _of_states(self, node: Node, make: Callable[[Frame], Values]) -> Values:
        """A value that depends on the state alone: made once for the whole batch."""
        key = (node, "states")
        if key not in self.columns.cache:
            self.columns.cache[key] = make(Frame(self.columns))
        found = self.columns.cache[key]
        return Values(found.values[self.state], found.valid[self.state])

    @staticmethod
    def _shows(frame: Frame) -> Values:
        """What the tile ahead shows."""
        x, y, valid = frame.columns.ahead
        kinds = frame.columns.occupant(frame.state, x, y)
        materials, mapped = frame.columns.material(frame.state, x, y)
        return Values(np.where(kinds >= 0, kinds, materials).astype(float), valid & (mapped | (kinds >= 0)))

    def _binary(self, node: Binary) -> Values:
        left = self.value(node.left)
        if isinstance(node.right, Listing):
            return self._among(node.sign, left, node.right)
        right = self.value(node.right)
        a, b, valid = left.values, right.values, left.valid & right.valid
        if node.sign in ("and", "or"):
            decided = (a == 0) if node.sign == "and" else (a != 0)  # the right side then does not matter
            both = (a != 0) & (b != 0) if node.sign == "and" else (a != 0) | (b != 0)
            return Values(both.astype(float), left.valid & (decided | right.valid))
        if node.sign in COMPARISONS:
            return Values(_COMPARE[node.sign](a, b).astype(float), valid)
        result = _ARITHMETIC[node.sign](a, b)
        return Values(result, valid & (np.abs(result) <= LARGEST))

    def _among(self, sign: str, left: Values, items: Listing) -> Values:
        found, valid = np.zeros(len(self), dtype=bool), left.valid.copy()
        for item in items.items:
            other = self.value(item)
            found |= left.values == other.values
            valid &= other.valid
        return Values((found == (sign == "in")).astype(float), valid)

    def _call(self, node: Call) -> Values:
        if _speaks_of_states(node):
            return self._of_states(node, lambda frame: _CALLS[node.name](frame, node))
        return _CALLS[node.name](self, node)

    # Functions.

    def place(self, node: Node | None) -> tuple[Any, Any, Any]:
        """Columns, rows and whether they exist of what a node names; of the actor without one."""
        name = node.text if isinstance(node, Path) else None
        if name == "it" and self.things is not None:
            objects = self.columns.objects
            return objects.x[self.things], objects.y[self.things], np.ones(len(self), dtype=bool)
        found = self.columns.ahead if name == "target" else self.columns.actor
        x, y, valid = (part[self.state] for part in found)
        return x, y, valid

    def beside(self, node: Call) -> tuple[Any, Any, Any]:
        """Tiles at steps from a place."""
        x, y, valid = self.place(node.arguments[2] if len(node.arguments) > 2 else None)
        dx, dy, known = _pair(self.value(node.arguments[0]), self.value(node.arguments[1]))
        return x + dx, y + dy, valid & known

    def near(self, node: Call) -> Values:
        """See the language."""
        x, y, valid = self.place(node.arguments[2] if len(node.arguments) > 2 else None)
        name, radius = (item.value for item in node.arguments[:2] if isinstance(item, Literal))
        schema, wanted = self.columns.schema, self.columns.vocabulary[str(name)]
        thing = name in schema.kinds or name == schema.actor_kind
        found = np.zeros(len(self), dtype=bool)
        for dx in range(-int(radius), int(radius) + 1):
            for dy in range(-int(radius), int(radius) + 1):
                if thing and (dx or dy):
                    found |= self.columns.occupant(self.state, x + dx, y + dy) == wanted
                elif not thing:
                    material, mapped = self.columns.material(self.state, x + dx, y + dy)
                    found |= material == wanted
                    valid = valid & mapped
        return Values(found.astype(float), valid)

    def free(self, node: Call) -> Values:
        """See the language."""
        x, y, valid = self.beside(node)
        taken = self.columns.occupant(self.state, x, y) >= 0
        if self.columns.schema.grid is None:
            return Values((~taken).astype(float), valid)
        material, mapped = self.columns.material(self.state, x, y)
        walkable = [self.columns.vocabulary[name] for name in self.columns.schema.walkable]
        good = material != self.columns.vocabulary[OUTSIDE]
        good &= np.isin(material, walkable) if walkable else True
        return Values((good & ~taken).astype(float), valid & (mapped | taken))

    def tile(self, node: Call) -> Values:
        """See the language."""
        x, y, valid = self.beside(node)
        material, mapped = self.columns.material(self.state, x, y)
        return Values(material.astype(float), valid & mapped)

    def dist(self, node: Call) -> Values:
        """See the language."""
        (x, y, one), (i, j, other) = self.place(node.arguments[0]), self.place(node.arguments[1])
        return Values((np.abs(x - i) + np.abs(y - j)).astype(float), one & other)

    def toward(self, node: Call) -> Values:
        """See the language."""
        (x, y, one), (i, j, other) = self.place(node.arguments[0]), self.place(node.arguments[1])
        axis = node.arguments[2].value if isinstance(node.arguments[2], Literal) else ""
        along, _, part = str(axis).rpartition("_")
        step = np.sign(i - x if part == "x" else j - y).astype(float)
        if along:
            wider = np.abs(i - x) > np.abs(j - y)
            step = np.where(wider == ((along == "long") == (part == "x")), step, 0.0)
        return Values(step, one & other)

    def count(self, node: Call) -> Values:
        """See the language."""
        name = node.arguments[0].value if isinstance(node.arguments[0], Literal) else ""
        things = self.columns.objects
        states = things.state[things.kind == self.columns.vocabulary[str(name)]]
        totals = np.bincount(states, minlength=len(self.columns))
        return Values(totals[self.state].astype(float), np.ones(len(self), dtype=bool))

    def folded(self, node: Call) -> Values:
        """``abs``, ``sign``, ``min``, ``max``."""
        parts = [self.value(item) for item in node.arguments]
        valid = np.logical_and.reduce([part.valid for part in parts])
        return Values(_FOLDS[node.name]([part.values for part in parts]), valid)


def _speaks_of_states(node: Node) -> bool:
    """Whether a value does not depend on the object at hand."""
    from suppose.worlds.laws.expressions import walk

    return not any(isinstance(part, Path) and part.names[0] == "it" for part in walk(node))


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {"+": np.add, "-": np.subtract, "*": np.multiply}
_FOLDS: dict[str, Callable[[list[Any]], Any]] = {
    "abs": lambda parts: np.abs(parts[0]), "sign": lambda parts: np.sign(parts[0]),
    "min": np.minimum.reduce, "max": np.maximum.reduce,
}  # fmt: skip
_CALLS: dict[str, Callable[[Frame, Call], Values]] = {
    "near": Frame.near, "free": Frame.free, "tile": Frame.tile, "dist": Frame.dist, "toward": Frame.toward,
    "count": Frame.count, "abs": Frame.folded, "sign": Frame.folded, "min": Frame.folded, "max": Frame.folded,
}  # fmt: skip


class Compiled:
    """An expression as a function of a batch; made by :meth:`Expression.compile`."""

    def __init__(self, root: Node, schema: Schema, each: str | None) -> None:
        self.root, self.schema, self.each = root, schema, each

    def __call__(self, columns: Columns, chosen: Int64[np.ndarray, " k"] | None = None) -> Values:
        """Values on every state, or on every object of the kind within reach; on the ``chosen`` of these rows."""
        return Frame(columns, self.each, chosen).value(self.root)
