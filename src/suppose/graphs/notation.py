"""Reads and writes the one-line notation of causal graphs: ``"age -> treat; treat -> re78; a <-> b"``.

What is covered: statements separated by ``;``, a new line or ``,``; arrows ``->``, ``<-``, ``<->`` (and
their Unicode twins); chains ``a -> b -> c``; groups ``{a b} -> c``; single nodes; ``#`` comments; quoted
names (``"log wage"``) for anything a bare name cannot hold; a line that ends in an arrow goes on in the next.

What is not: undirected and circle edges. A comma beside a lone name (``a, b -> c``) is refused, because
half of its readers take it for ``{a b} -> c`` and half for ``a; b -> c``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from suppose.core.errors import GraphError

__all__ = [
    "MAX_EDGES",
    "Edge",
    "Parts",
    "expand",
    "parse_path",
    "parse_text",
    "quote",
    "quoted",
    "write_text",
]

Edge = tuple[str, str]

MAX_EDGES = 1_000_000
"""Largest number of edges one text may describe; groups multiply, and memory is finite."""

BARE = r"""[^\s;,{}"'<>\[\]=#→←↔-][^\s;,{}"<>\[\]=#→←↔-]*(?:-(?![->])[^\s;,{}"<>\[\]=#→←↔-]*)*"""
_TOKEN = re.compile(
    rf"""(?P<space>[^\S\n]+|\#[^\n]*)
       | (?P<newline>\n) | (?P<end>;) | (?P<comma>,) | (?P<open>\{{) | (?P<close>\}})
       | (?P<edge><->|->|<-(?![->])|[→←↔])
       | (?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
       | (?P<name>{BARE})""",
    re.VERBOSE | re.DOTALL,
)
_BARE_NAME = re.compile(BARE)
_ARROWS = {"→": "->", "←": "<-", "↔": "<->"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_UNSUPPORTED = re.compile(r"o-o|o->|<-o|@-@|@->|<-@|-->|<--|--|==>|=>|[-=~]")


class Parts(NamedTuple):
    """A graph as plain data: what every reader returns and every writer takes."""

    nodes: tuple[str, ...] = ()
    directed: tuple[Edge, ...] = ()
    bidirected: tuple[Edge, ...] = ()
    treatment: tuple[str, ...] = ()
    outcome: tuple[str, ...] = ()
    latent: tuple[str, ...] = ()
    adjusted: tuple[str, ...] = ()


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse_text(text: str) -> Parts:
    """Nodes and edges of a graph written in the notation of this module.

    Parameters
    ----------
    text : str
        The graph.

    Returns
    -------
    Parts
        Nodes in order of first appearance, edges in order of writing.

    Raises
    ------
    GraphError
        ``graph-syntax`` with line and column, ``unsupported-edge``, ``graph-too-large``.

    Examples
    --------
    >>> parse_text("{age educ} -> treat -> re78; age <-> educ").directed
    (('age', 'treat'), ('educ', 'treat'), ('treat', 're78'))
    """
    check_text(text, 'Write DAG("a -> b"), or use DAG.from_edges or DAG.from_networkx.')
    nodes: dict[str, None] = {}
    directed: dict[Edge, None] = {}
    bidirected: dict[Edge, None] = {}
    for statement in _statements(text):
        groups, arrows = _chain(text, statement)
        for group in groups:
            nodes.update(dict.fromkeys(group))
        for left, arrow, right in zip(groups, arrows, groups[1:], strict=False):
            expand(left, arrow, right, directed, bidirected)
    return Parts(tuple(nodes), tuple(directed), tuple(bidirected))


def expand(
    left: Iterable[str],
    arrow: str,
    right: Iterable[str],
    directed: dict[Edge, None],
    bidirected: dict[Edge, None],
) -> None:
    """Add every edge between two groups of nodes to the edges collected so far."""
    left, right = list(left), list(right)
    if len(directed) + len(bidirected) + len(left) * len(right) > MAX_EDGES:
        raise GraphError(
            "graph-too-large", f"the text describes more than {MAX_EDGES:,} edges", where="graph",
            remedy="Split the graph, or build it with DAG.from_edges.",
        )  # fmt: skip
    pairs = [(a, b) for a in left for b in right]
    if arrow == "<->":
        bidirected.update(dict.fromkeys(pairs))
    else:
        directed.update(dict.fromkeys(pairs if arrow == "->" else [(b, a) for a, b in pairs]))


def parse_path(text: str) -> tuple[list[str], list[str]]:
    """Nodes and arrows of one path, in order of writing.

    Examples
    --------
    >>> parse_path("treat <- age -> re78")
    (['treat', 'age', 're78'], ['<-', '->'])
    """
    check_text(text, "Write the path with arrows, as in a <- b -> c.")
    chains = [_chain(text, statement) for statement in _statements(text)]
    if len(chains) != 1 or not chains[0][1] or any(len(group) != 1 for group in chains[0][0]):
        raise refuse(text, 0, "expected one path such as a <- b -> c", "Write its nodes with arrows between.")
    groups, arrows = chains[0]
    return [group[0] for group in groups], arrows


def write_text(parts: Parts) -> str:
    """The graph in the notation of this module; reading it back gives the same nodes in the same order.

    Examples
    --------
    >>> write_text(parse_text("b -> a; 'log wage' <-> b; z"))
    'b -> a; "log wage" <-> b; z'
    """
    edges = [(a, "->", b) for a, b in parts.directed] + [(a, "<->", b) for a, b in parts.bidirected]
    statements = [f"{quote(a)} {arrow} {quote(b)}" for a, arrow, b in edges]
    seen = list(dict.fromkeys(name for a, _, b in edges for name in (a, b)))
    rest = [name for name in parts.nodes if name not in set(seen)]
    if seen + rest == list(parts.nodes):
        return "; ".join(statements + [quote(name) for name in rest])
    return "; ".join(["{" + " ".join(quote(name) for name in parts.nodes) + "}", *statements])


def quote(name: str) -> str:
    """The name as it must be written: bare when the notation allows, in double quotes otherwise."""
    return name if _BARE_NAME.fullmatch(name) else quoted(name)


def quoted(name: str) -> str:
    """The name in double quotes, with what must be escaped escaped."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    for letter, char in _ESCAPES.items():
        escaped = escaped.replace(char, "\\" + letter)
    return f'"{escaped}"'


def unquote(text: str) -> str:
    """The name inside a quoted token."""
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), text[1:-1], flags=re.DOTALL)


def check_text(text: object, remedy: str) -> None:
    """Refuse a graph that is not given as text."""
    if not isinstance(text, str):
        raise GraphError(
            "graph-syntax",
            f"expected the graph as text, got {type(text).__name__}",
            where="graph",
            remedy=remedy,
        )


def place(text: str, at: int) -> str:
    """Line and column of a position, for refusals."""
    line = text.count("\n", 0, at) + 1
    return f"graph, line {line}, column {at - text.rfind(chr(10), 0, at)}"


def refuse(text: str, at: int, problem: str, remedy: str) -> GraphError:
    """The refusal of a graph text at one position."""
    return GraphError("graph-syntax", problem, where=place(text, at), remedy=remedy)


def unsupported(text: str, at: int, arrow: str) -> GraphError:
    """The refusal of an edge mark that a graph with directed and bidirected edges does not have."""
    return GraphError(
        "unsupported-edge", f"expected an arrow ->, <- or <->, found {arrow!r}", where=place(text, at),
        remedy="Write a -> b for a cause, a <-> b for a hidden common cause.",
    )  # fmt: skip


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            mark = _UNSUPPORTED.match(text, at)
            if mark:
                raise unsupported(text, at, mark[0])
            problem = "a quote is never closed" if text[at] in "\"'" else f"unexpected {text[at]!r}"
            raise refuse(text, at, problem, "Put a name with such characters in double quotes.")
        if match.lastgroup != "space":
            yield _Token(match.lastgroup or "", match[0], at)
        at = match.end()


def _statements(text: str) -> Iterator[list[_Token]]:
    """Token lists of the single statements; refuses a comma beside a lone name."""
    part: list[list[_Token]] = [[]]
    depth = 0
    for token in [*_tokens(text), _Token("end", "", len(text))]:
        depth += {"open": 1, "close": -1}.get(token.kind, 0)
        if token.kind == "newline" and (depth > 0 or (part[-1] and part[-1][-1].kind == "edge")):
            continue
        if token.kind == "comma" and depth <= 0:
            part.append([])
        elif token.kind in ("end", "newline"):
            yield from _unambiguous(text, [statement for statement in part if statement])
            part = [[]]
        else:
            part[-1].append(token)


def _unambiguous(text: str, part: list[list[_Token]]) -> list[list[_Token]]:
    lone = [s for s in part if all(token.kind != "edge" for token in s)]
    if lone and len(lone) < len(part):
        name = lone[0][0].text
        raise refuse(
            text, lone[0][0].at, f"{name} stands alone beside a comma, which can be read in two ways",
            f"Write {{{name} ...}} -> c to draw an arrow from each, or use ; to separate statements.",
        )  # fmt: skip
    return part


def _chain(text: str, tokens: list[_Token]) -> tuple[list[list[str]], list[str]]:
    """Groups and the arrows between them of one statement, ``g0 arrow0 g1 arrow1 g2 ...``."""
    groups: list[list[str]] = []
    arrows: list[str] = []
    rest = iter(tokens)
    for token in rest:
        if token.kind == "edge":
            if len(arrows) == len(groups):
                raise refuse(text, token.at, f"expected a node before {token.text!r}", "Name the node there.")
            arrows.append(_ARROWS.get(token.text, token.text))
            continue
        if len(groups) > len(arrows):
            previous = groups[-1][-1] if groups[-1] else "}"
            raise refuse(
                text, token.at, f"expected an arrow or ; between {previous!r} and {token.text!r}",
                "Separate statements with ;, and put names with spaces in double quotes.",
            )  # fmt: skip
        groups.append(_group(text, token, rest))
    if len(arrows) == len(groups):
        raise refuse(
            text, tokens[-1].at, f"expected a node after {tokens[-1].text!r}", "Name the node there."
        )
    return groups, arrows


def _group(text: str, first: _Token, rest: Iterator[_Token]) -> list[str]:
    """One node or the nodes between braces."""
    if first.kind in ("name", "quoted"):
        return [_name(text, first)]
    names: list[str] = []
    if first.kind == "open":
        for token in rest:
            if token.kind in ("name", "quoted"):
                names.append(_name(text, token))
            elif token.kind == "close":
                if names:
                    return names
                raise refuse(text, first.at, "a group {} without nodes", "Name its nodes, as in {a b}.")
            elif token.kind != "comma":
                raise refuse(text, token.at, f"unexpected {token.text!r} in a group", "Write {a b} -> c.")
        raise refuse(text, first.at, "a { is never closed", "Write groups as {a b}.")
    raise refuse(text, first.at, f"unexpected {first.text!r}", "Write groups as {a b}.")


def _name(text: str, token: _Token) -> str:
    name = unquote(token.text) if token.kind == "quoted" else token.text
    if not name:
        raise refuse(text, token.at, "an empty name", "Give the node a name.")
    return name
