"""The parts of an expression, how they are written, and how text becomes them again.

A tokenizer and a recursive descent, nothing of Python's own: what is not in this grammar is refused where it stands.

.. code-block:: text

   either     = both { "or" both }
   both       = negation { "and" negation }
   negation   = "not" negation | comparison
   comparison = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum | ["not"] "in" list ]
   sum        = product { ("+" | "-") product }
   product    = unary { "*" unary }
   unary      = "-" unary | primary
   primary    = number | text | "true" | "false" | path | function "(" [ either { "," either } ] ")" | "(" either ")"
   list       = "(" either "," [ either { "," either } ] ")"

An expression has at most 64 parts and 16 levels of parentheses, a number at most 12 digits before the point.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

from suppose.core.errors import DataError, nearest

__all__ = [
    "FUNCTIONS", "LARGEST", "MOST_NODES", "NAMED", "PATH", "RESERVED", "Binary", "Call", "Cursor", "Listing",
    "Literal", "Node", "Path", "Unary", "quoted",
]  # fmt: skip

MOST_NODES = 64
DEEPEST = 16
LONGEST_NAME = 200
LONGEST = 1_000_000  # letters of a text with laws
LARGEST = 1e12
FUNCTIONS = {
    "abs": (1, 1), "sign": (1, 1), "min": (2, 8), "max": (2, 8), "dist": (2, 2), "near": (2, 3), "free": (2, 3),
    "tile": (2, 3), "toward": (3, 3), "count": (1, 1),
}  # fmt: skip
"""Functions by name, with the least and most arguments."""
RESERVED = frozenset({
    "law", "each", "when", "then", "and", "or", "not", "in", "true", "false", "remove", "spawn", "material", "at",
    "with", *FUNCTIONS,
})  # fmt: skip
NAMED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")
_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
      | (?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)
      | (?P<text>"(?:[^"\\\n]|\\["\\n])*+")
      | (?P<path>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*+)
      | (?P<mark>==|!=|<=|>=|\+=|[<>+\-*=(),:{}])""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Literal:
    """A number, a text, true or false."""

    value: bool | int | float | str

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, Literal) and type(self.value) is type(other.value)
        return same and isinstance(other, Literal) and self.value == other.value

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True)
class Path:
    """Something of the state, of ``it``, the ``action`` or the ``target``."""

    text: str

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Its parts; without ``it``, for what belongs to an object."""
        return tuple(self.text.split("."))


@dataclass(frozen=True)
class Call:
    """A function of the language."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Unary:
    """``not`` or ``-``."""

    sign: str
    inner: Node


@dataclass(frozen=True)
class Binary:
    """Two parts and what stands between them."""

    sign: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Listing:
    """What may stand to the right of ``in``."""

    items: tuple[Node, ...]


Node = Literal | Path | Call | Unary | Binary | Listing

LEVELS = {"or": 1, "and": 2, "not": 3, "in": 4, "not in": 4, "+": 5, "*": 6, "-": 7}
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


def _level(node: Node) -> int:
    """How strongly the parts of a node hold together; larger is stronger."""
    if isinstance(node, Binary):
        return 4 if node.sign in COMPARISONS else 5 if node.sign == "-" else LEVELS[node.sign]
    if isinstance(node, Unary):
        return LEVELS[node.sign]
    return 9


def quoted(text: str) -> str:
    r"""A text as it is written.

    Examples
    --------
    >>> print(quoted('say "no"'))
    "say \"no\""
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def written(node: Node) -> str:
    """A node as text that parses to it."""
    if isinstance(node, Literal):
        if isinstance(node.value, bool):
            return "true" if node.value else "false"
        return quoted(node.value) if isinstance(node.value, str) else repr(node.value)
    if isinstance(node, Path):
        return node.text
    if isinstance(node, Call):
        return f"{node.name}({', '.join(map(written, node.arguments))})"
    if isinstance(node, Listing):
        return f"({', '.join(map(written, node.items))}{',' if len(node.items) == 1 else ''})"
    if isinstance(node, Unary):
        return f"{node.sign}{' ' if node.sign == 'not' else ''}{_inside(node.inner, _level(node))}"
    level = _level(node)
    left = _inside(node.left, level + (level == 4))
    return f"{left} {node.sign} {_inside(node.right, level + 1)}"


def _inside(node: Node, level: int) -> str:
    """A node as part of another, in parentheses where it would fall apart."""
    negative = isinstance(node, Literal) and not isinstance(node.value, (bool, str)) and node.value < 0
    weak = _level(node) < level or (negative and level >= 7)
    return f"({written(node)})" if weak else written(node)


class Token(NamedTuple):
    """A piece of text and where it stands."""

    kind: str
    text: str
    at: int


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise refusal(text, at, f"unexpected {text[at]!r}", None)
        if match.lastgroup != "space":
            yield Token(match.lastgroup or "", match[0], at)
        at = match.end()
    yield Token("end", "", len(text))


def refusal(text: str, at: int, problem: str, remedy: str | None) -> DataError:
    """The refusal of a text at one place."""
    line = text.count("\n", 0, at) + 1
    return DataError(
        "law-syntax",
        problem,
        where=f"laws, line {line}, column {at - text.rfind(chr(10), 0, at)}",
        remedy=remedy or "See the grammar of laws: only what stands there can be written.",
    )


class Cursor:
    """A place in a text of laws, and what can be read from there."""

    def __init__(self, text: Any) -> None:
        if not isinstance(text, str) or len(text) > LONGEST:
            told = f"{len(text):,} letters" if isinstance(text, str) else type(text).__name__
            raise refusal("", 0, f"expected a text of at most {LONGEST:,} letters, got {told}", None)
        self.text: str = text
        self._tokens = _tokens(text)
        self.token = next(self._tokens)
        self._depth = self._nodes = 0

    def advance(self) -> Token:
        """The token here; the cursor moves on."""
        token = self.token
        if token.kind != "end":
            self.token = next(self._tokens)
        return token

    def take(self, *texts: str) -> str | None:
        """The token here if it is one of some words or marks; the cursor moves on."""
        if self.token.kind in ("mark", "path") and self.token.text in texts:
            return self.advance().text
        return None

    def need(self, text: str) -> None:
        """Refuses anything but a word or mark here."""
        if self.take(text) is None:
            self.fail(f"expected {text!r}, found {self.found}")

    @property
    def found(self) -> str:
        """The token here, in words."""
        return repr(self.token.text) if self.token.text else "the end"

    def fail(self, problem: str, remedy: str | None = None) -> NoReturn:
        """Refuses the text at this place."""
        raise refusal(self.text, self.token.at, problem, remedy)

    def expression(self) -> Node:
        """A whole expression from here."""
        self._nodes = self._depth = 0
        return self._either()

    def number(self) -> int | float:
        """A number, perhaps with a minus."""
        minus = self.take("-") is not None
        if self.token.kind != "number":
            self.fail(f"expected a number, found {self.found}")
        value = self._number()
        return -value if minus else value

    def word(self) -> str:
        """A text, or a name without quotes."""
        if self.token.kind == "text":
            return unquoted(self.advance().text)
        if self.token.kind != "path" or self.token.text in RESERVED:
            self.fail(f"expected a name, found {self.found}")
        return self.advance().text

    def _grown(self, node: Node) -> Node:
        """A node, counted."""
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self.fail(f"more than {MOST_NODES} parts in one expression", "Split the law into several.")
        return node

    def _deeper(self, by: int) -> None:
        self._depth += by
        if self._depth > DEEPEST:
            self.fail(f"parentheses more than {DEEPEST} deep", "Leave out parentheses that change nothing.")

    def _either(self) -> Node:
        node = self._both()
        while self.take("or"):
            node = self._grown(Binary("or", node, self._both()))
        return node

    def _both(self) -> Node:
        node = self._negation()
        while self.take("and"):
            node = self._grown(Binary("and", node, self._negation()))
        return node

    def _negation(self) -> Node:
        if self.take("not"):
            self._deeper(1)
            node = self._grown(Unary("not", self._negation()))
            self._deeper(-1)
            return node
        return self._comparison()

    def _comparison(self) -> Node:
        left = self._sum()
        sign = self.take(*COMPARISONS)
        if sign:
            left = self._grown(Binary(sign, left, self._sum()))
        elif self.token.text in ("in", "not") and self.token.kind == "path":
            sign = "not in" if self.take("not") else "in"
            self.need("in")
            left = self._grown(Binary(sign, left, self._listing()))
        else:
            return left
        if self.token.kind == "mark" and self.token.text in COMPARISONS:
            self.fail("comparisons do not chain", "Write a < b and b < c.")
        return left

    def _listing(self) -> Node:
        self.need("(")
        self._deeper(1)
        items = [self._either()]
        while self.take(","):
            if self.token.text == ")":
                break
            items.append(self._either())
        self.need(")")
        self._deeper(-1)
        return self._grown(Listing(tuple(items)))

    def _sum(self) -> Node:
        node = self._product()
        while sign := self.take("+", "-"):
            node = self._grown(Binary(sign, node, self._product()))
        return node

    def _product(self) -> Node:
        node = self._unary()
        while self.take("*"):
            node = self._grown(Binary("*", node, self._unary()))
        return node

    def _unary(self) -> Node:
        if not self.take("-"):
            return self._primary()
        self._deeper(1)
        inner = self._unary()
        self._deeper(-1)
        if isinstance(inner, Literal) and not isinstance(inner.value, (bool, str)):
            return Literal(-inner.value)
        return self._grown(Unary("-", inner))

    def _primary(self) -> Node:
        token = self.token
        if token.kind == "number":
            return self._grown(Literal(self._number()))
        if token.kind == "text":
            return self._grown(Literal(unquoted(self.advance().text)))
        if self.take("("):
            self._deeper(1)
            node = self._either()
            self.need(")")
            self._deeper(-1)
            return node
        if token.kind != "path":
            self.fail(f"expected a value, found {self.found}")
        return self._named()

    def _named(self) -> Node:
        token = self.token
        if token.text in ("true", "false"):
            self.advance()
            return self._grown(Literal(token.text == "true"))
        if token.text in FUNCTIONS:
            self.advance()
            return self._call(token.text)
        if len(token.text) > LONGEST_NAME:
            self.fail(f"a name of more than {LONGEST_NAME} letters")
        if token.text in RESERVED or "__" in token.text:
            self.fail(f"expected a value, found {self.found}")
        self.advance()
        if self.token.text == "(" and self.token.kind == "mark":
            raise refusal(
                self.text,
                token.at,
                f"no function {token.text!r}; there are: {', '.join(FUNCTIONS)}",
                nearest(token.text, FUNCTIONS) or None,
            )
        return self._grown(Path(token.text))

    def _call(self, name: str) -> Node:
        self.need("(")
        self._deeper(1)
        arguments: list[Node] = []
        while self.token.text != ")" or self.token.kind != "mark":
            arguments.append(self._either())
            if not self.take(","):
                break
        self.need(")")
        self._deeper(-1)
        least, most = FUNCTIONS[name]
        if not least <= len(arguments) <= most:
            told = str(least) if least == most else f"{least} to {most}"
            self.fail(f"{name} takes {told} arguments, got {len(arguments)}")
        return self._grown(Call(name, tuple(arguments)))

    def _number(self) -> int | float:
        text = self.token.text
        whole = text.isdigit()
        if (whole and len(text) > 12) or (not whole and not float(text) <= LARGEST):
            self.fail("a number of more than 12 digits", "Laws speak of quantities up to 1e12.")
        self.advance()
        return int(text) if whole else float(text)


def unquoted(text: str) -> str:
    """The text between quotes."""
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], text[1:-1])
