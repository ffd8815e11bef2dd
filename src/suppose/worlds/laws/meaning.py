"""Whether an expression makes sense for a schema: every name known, every type fitting."""

from __future__ import annotations

from suppose.core.errors import DataError, nearest
from suppose.worlds.laws.nodes import COMPARISONS, Binary, Call, Listing, Literal, Node, Path, Unary, written
from suppose.worlds.laws.schema import OUTSIDE, Schema

__all__ = ["type_of"]

FARTHEST = 8  # tiles that near looks around


def type_of(node: Node, schema: Schema, each: str | None, where: str) -> str:
    """``bool``, ``number`` or ``text``; refuses an expression that has no value on any state of the schema."""
    return _Checker(schema, each, where).type_of(node)


class _Checker:
    def __init__(self, schema: Schema, each: str | None, where: str) -> None:
        self.schema, self.each, self.where = schema, each, where

    def wrong(self, node: Node, problem: str) -> DataError:
        return DataError(
            "law-type",
            f"{problem}: {written(node)}",
            where=self.where,
            remedy="See the language of laws for what each part gives.",
        )

    def type_of(self, node: Node) -> str:
        if isinstance(node, Literal):
            if isinstance(node.value, bool):
                return "bool"
            return "text" if isinstance(node.value, str) else "number"
        if isinstance(node, Path):
            return self.path(node)
        if isinstance(node, Unary):
            wanted = "bool" if node.sign == "not" else "number"
            self.expect(node.inner, wanted)
            return wanted
        if isinstance(node, Binary):
            return self.binary(node)
        if isinstance(node, Call):
            return self.call(node)
        raise self.wrong(node, "a list stands only to the right of in")

    def expect(self, node: Node, wanted: str) -> None:
        found = self.type_of(node)
        if found != wanted:
            raise self.wrong(node, f"expected a {wanted}, got a {found}")

    def path(self, node: Path) -> str:
        if node.text == "action":
            return "text"
        if node.text == "target":
            if self.schema.heading is None:
                raise self.wrong(node, "the schema names nobody who faces anything")
            return "text"
        kind = self.schema.attribute(node.text, self.each).type
        return {"int": "number", "float": "number"}.get(kind, kind)

    def binary(self, node: Binary) -> str:
        if node.sign in ("and", "or"):
            self.expect(node.left, "bool")
            self.expect(node.right, "bool")
            return "bool"
        if isinstance(node.right, Listing):
            for item in node.right.items:
                self.pair(node, node.left, item)
            return "bool"
        if node.sign in ("==", "!="):
            self.pair(node, node.left, node.right)
            return "bool"
        self.expect(node.left, "number")
        self.expect(node.right, "number")
        return "bool" if node.sign in COMPARISONS else "number"

    def pair(self, node: Node, left: Node, right: Node) -> None:
        """Two values that are compared."""
        types = self.type_of(left), self.type_of(right)
        if types[0] != types[1]:
            raise self.wrong(node, f"a {types[0]} is compared with a {types[1]}")
        for one, other in ((left, right), (right, left)):
            if isinstance(other, Literal) and isinstance(other.value, str):
                self.text(one, other.value)

    def text(self, node: Node, value: str) -> None:
        """A text that something is compared with must be among those it can be."""
        if isinstance(node, Path) and node.text == "action":
            if value not in self.schema.actions:
                raise DataError(
                    "unknown-action",
                    f"no action {value!r}; the actions are: {', '.join(self.schema.actions)}",
                    where=self.where,
                    remedy=nearest(value, self.schema.actions) or None,
                )
            return
        known: tuple[str, ...] = ()
        if isinstance(node, Path) and node.text == "target":
            known = self.shown()
        elif isinstance(node, Path):
            known = self.schema.attribute(node.text, self.each).values
        elif isinstance(node, Call) and node.name == "tile":
            known = (*self.schema.materials, OUTSIDE) if self.schema.materials else ()
        if known and value not in known:
            raise outside(f"{self.where}: {written(node)}", value, f"one of {', '.join(known)}")

    def shown(self) -> tuple[str, ...]:
        """What a tile can show; empty where materials are not known."""
        known = self.schema.grid is None or bool(self.schema.materials)
        return (*self.schema.kinds, *self.schema.materials, OUTSIDE) if known else ()

    def place(self, node: Node) -> None:
        known = ["target"] if self.schema.heading else []
        known += [self.schema.actor] if self.schema.actor else []
        known += ["it"] if self.each else []
        if not isinstance(node, Path) or node.text not in known:
            raise self.wrong(node, f"expected a place ({', '.join(known)})")

    def call(self, node: Call) -> str:
        arguments = node.arguments
        if node.name in ("abs", "sign", "min", "max"):
            for item in arguments:
                self.expect(item, "number")
            return "number"
        if node.name in ("dist", "toward"):
            self.place(arguments[0])
            self.place(arguments[1])
            if node.name == "toward":
                self.axis(node, arguments[2])
            return "number"
        if node.name == "count":
            self.kind(node, arguments[0], tuple(self.schema.kinds))
            return "number"
        if node.name == "near":
            self.near(node)
            return "bool"
        self.expect(arguments[0], "number")
        self.expect(arguments[1], "number")
        self.origin(node)
        return "bool" if node.name == "free" else "text"

    def origin(self, node: Call) -> None:
        """The place an offset counts from."""
        if len(node.arguments) > 2:
            self.place(node.arguments[2])
        elif self.schema.actor is None:
            raise self.wrong(node, "the schema names nobody who acts; name a place")

    def axis(self, node: Call, axis: Node) -> None:
        from suppose.worlds.laws.expressions import AXES

        if not isinstance(axis, Literal) or axis.value not in AXES:
            raise self.wrong(node, f"expected one of the axes {', '.join(AXES)}")

    def kind(self, node: Call, name: Node, known: tuple[str, ...]) -> None:
        if not isinstance(name, Literal) or not isinstance(name.value, str):
            raise self.wrong(node, "expected a text written out")
        if known and name.value not in known:
            raise outside(f"{self.where}: {written(node)}", name.value, f"one of {', '.join(known)}")

    def near(self, node: Call) -> None:
        known = self.shown()
        self.kind(node, node.arguments[0], (*known, self.schema.actor_kind) if known else ())
        radius = node.arguments[1]
        whole = isinstance(radius, Literal) and type(radius.value) is int and 0 <= radius.value <= FARTHEST
        if not whole:
            raise self.wrong(node, f"expected a whole number of tiles from 0 to {FARTHEST} written out")
        self.origin(node)


def outside(where: str, value: object, allowed: str) -> DataError:
    """The refusal of a value there is none of."""
    return DataError(
        "outside-domain",
        f"{value!r} is not among its values; expected {allowed}",
        where=where,
        remedy="Write one of the values of the schema.",
    )
