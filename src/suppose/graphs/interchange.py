"""Causal graphs to and from other tools: dagitty code, Graphviz DOT and networkx.

What survives: nodes, directed and bidirected edges, and the roles treatment (dagitty: exposure), outcome,
latent and adjusted. Positions, labels, colours and edge coefficients are read past.

- dagitty (Textor et al. 2016): ``dag { x [exposure] ; y [outcome] ; u [latent] ; u -> {x y} ; x <-> z }``.
- DOT: ``dir=both`` is a bidirected edge, ``dir=back`` turns the arrow, ``observed=no`` marks a latent node,
  ``class=treatment|outcome|latent|adjusted`` the roles.
- networkx has no bidirected edge: ``a <-> b`` becomes an explicit parent of both with the attribute
  ``bidirected=(a, b)``, so that networkx separates what we separate, and is folded back when read.

What is not covered, and refused by name: mag, pdag and pag graphs, ``--`` and circle edges, selected nodes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from suppose.core.errors import GraphError
from suppose.graphs.notation import (
    Edge,
    Parts,
    check_text,
    expand,
    place,
    quoted,
    refuse,
    unquote,
    unsupported,
)

__all__ = ["read_dagitty", "read_dot", "read_networkx", "write_dagitty", "write_dot", "write_networkx"]

MAX_NESTING = 50
_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/|\#[^\n]*)
      | (?P<edge><->|->|<-(?!-)|--|@->|<-@|@-@|@--|--@|o->|<-o|o-o)
      | (?P<mark>[{}\[\];,=:])
      | (?P<quoted>"(?:[^"\\]|\\.)*")
      | (?P<html><(?:[^<>]|<[^<>]*>)*>)
      | (?P<name>[^\s{}\[\];,=:"<>@/\#-](?:[^\s{}\[\];,=:"<>@\#-]|-(?![->]))*|-?\.?\d[\d.]*)""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|-?(?:\.\d+|\d+(?:\.\d*)?)")
_KEYWORDS = frozenset({"graph", "digraph", "subgraph", "node", "edge", "strict", "dag", "mag", "pdag", "pag"})
_HIDDEN = frozenset({"no", "false", "0", "hidden", "latent"})
_ROLES = {
    "exposure": "treatment",
    "treatment": "treatment",
    "outcome": "outcome",
    "latent": "latent",
    "adjusted": "adjusted",
}


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


class _Reader:
    """Recursive descent through the part of the grammar that dagitty and DOT share."""

    def __init__(self, text: str, language: str) -> None:
        check_text(text, f"Give the {language} code itself, not a file or another object.")
        self.text, self.language = text, language
        self.tokens = _tokens(text)
        self.at = 0
        self.nodes: dict[str, set[str]] = {}
        self.directed: dict[Edge, None] = {}
        self.bidirected: dict[Edge, None] = {}

    def peek(self) -> _Token:
        return self.tokens[self.at]

    def take(self) -> _Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def accept(self, mark: str) -> bool:
        found = self.peek().kind == "mark" and self.peek().text == mark
        self.at += found
        return found

    def fail(self, problem: str) -> GraphError:
        return refuse(self.text, self.peek().at, problem, f"Check the {self.language} code there.")

    def parts(self) -> Parts:
        roles: dict[str, tuple[str, ...]] = {
            role: tuple(node for node, marks in self.nodes.items() if role in marks)
            for role in dict.fromkeys(_ROLES.values())
        }
        return Parts(tuple(self.nodes), tuple(self.directed), tuple(self.bidirected), **roles)

    def header(self, kinds: dict[str, str]) -> None:
        """``strict? kind name? {``."""
        word = self.take()
        if word.text.lower() == "strict":
            word = self.take()
        kind = word.text.lower()
        if word.kind != "name" or kind not in kinds:
            self.at -= 1
            raise self.fail(
                f"expected the code to begin with {' or '.join(k for k in kinds if not kinds[k])}"
            )
        if kinds[kind]:
            raise GraphError(
                "unsupported-edge", f"{kinds[kind]}, got {kind!r}", where=place(self.text, word.at),
                remedy="Give a graph with directed and bidirected edges only.",
            )  # fmt: skip
        if self.peek().kind in ("name", "quoted"):
            self.take()
        if not self.accept("{"):
            raise self.fail("expected '{' after the head of the graph")

    def body(self, defaults: dict[str, str], depth: int = 0) -> list[str]:
        """Statements up to the closing brace; returns the nodes named in it."""
        if depth > MAX_NESTING:
            raise self.fail(f"groups nested more than {MAX_NESTING} deep")
        named: dict[str, None] = {}
        defaults = dict(defaults)
        while not self.accept("}"):
            if self.peek().kind == "stop":
                raise self.fail("a { is never closed")
            if not (self.accept(";") or self.accept(",")):
                named.update(dict.fromkeys(self.statement(defaults, depth)))
        return list(named)

    def statement(self, defaults: dict[str, str], depth: int) -> list[str]:
        first = self.peek()
        if first.kind == "name" and first.text.lower() in ("graph", "node", "edge"):
            self.take()
            given = self.attributes()
            if first.text.lower() == "edge":
                defaults.update(given)
            return []
        if first.kind == "name" and self.tokens[self.at + 1].text == "=":  # rankdir=LR, bb="0,0,1,1"
            self.at += 2
            self.value()
            return []
        groups, arrows = [self.group(defaults, depth)], []
        while self.peek().kind == "edge":
            arrows.append(self.take())
            groups.append(self.group(defaults, depth))
        given = self.attributes()
        if not arrows and first.kind in ("name", "quoted"):
            self.annotate(groups[0][0], given, first.at)
        for left, arrow, right in zip(groups, arrows, groups[1:], strict=False):
            mark = self.direction(arrow, defaults | given)
            expand(left, mark, right, self.directed, self.bidirected)
        return [name for group in groups for name in group]

    def group(self, defaults: dict[str, str], depth: int) -> list[str]:
        token = self.take()
        if token.kind == "name" and token.text.lower() == "subgraph":
            if self.peek().kind in ("name", "quoted"):
                self.take()
            token = self.take()
        if token.text == "{" and token.kind == "mark":
            return self.body(defaults, depth + 1)
        if token.kind not in ("name", "quoted"):
            self.at -= 1
            raise self.fail(f"expected a node, found {token.text or 'the end of the code'!r}")
        name = _name(token)
        if not name:
            self.at -= 1
            raise self.fail("an empty name")
        while self.language == "DOT" and self.accept(":"):  # a port says where an edge is drawn
            self.take()
        self.nodes.setdefault(name, set())
        return [name]

    def attributes(self) -> dict[str, str]:
        """``[key, key=value, ...]``, any number of times."""
        given: dict[str, str] = {}
        while self.accept("["):
            while not self.accept("]"):
                if self.accept(",") or self.accept(";"):
                    continue
                token = self.take()
                if token.kind not in ("name", "quoted"):
                    self.at -= 1
                    raise self.fail(f"expected an attribute, found {token.text or 'the end of the code'!r}")
                given[_name(token).lower()] = self.value() if self.accept("=") else ""
        return given

    def value(self) -> str:
        token = self.take()
        if token.kind not in ("name", "quoted", "html"):
            self.at -= 1
            raise self.fail(f"expected a value, found {token.text or 'the end of the code'!r}")
        return _name(token)

    def annotate(self, node: str, given: dict[str, str], at: int) -> None:
        marks = set(given) | set(given.get("class", "").lower().split())
        if "selected" in marks:
            raise GraphError(
                "selected-node", f"{node!r} is marked as selected; selection nodes are not supported",
                where=place(self.text, at), remedy="Remove the mark, or condition on the node explicitly.",
            )  # fmt: skip
        if given.get("observed", "").lower() in _HIDDEN and "observed" in given:
            marks.add("latent")
        self.nodes[node] |= {_ROLES[mark] for mark in marks if mark in _ROLES}

    def direction(self, arrow: _Token, given: dict[str, str]) -> str:
        """The arrow meant by an edge mark and, in DOT, by its ``dir`` attribute."""
        if arrow.text not in ("->", "<-", "<->") or (self.language == "DOT" and arrow.text != "->"):
            raise unsupported(self.text, arrow.at, arrow.text)
        turned = {"": arrow.text, "forward": arrow.text, "back": "<-", "both": "<->"}
        wanted = given.get("dir", "").lower() if self.language == "DOT" else ""
        if wanted not in turned:
            raise unsupported(self.text, arrow.at, f"-> [dir={wanted}]")
        return turned[wanted]


def read_dagitty(text: str) -> Parts:
    """Graph from dagitty code.

    Raises
    ------
    GraphError
        ``graph-syntax``, ``unsupported-edge`` (also for mag, pdag and pag), ``selected-node``.

    Examples
    --------
    >>> parts = read_dagitty('dag { x [exposure,pos="0,1"] y [outcome] u [latent] x <- u -> y x -> y }')
    >>> parts.directed, parts.treatment, parts.latent
    ((('u', 'x'), ('u', 'y'), ('x', 'y')), ('x',), ('u',))
    """
    reader = _Reader(text, "dagitty")
    other = "expected a dag"
    reader.header({"dag": "", "mag": other, "pdag": other, "pag": other, "graph": other, "digraph": other})
    return _finish(reader)


def read_dot(text: str) -> Parts:
    """Graph from a Graphviz ``digraph``.

    Raises
    ------
    GraphError
        ``graph-syntax``, ``unsupported-edge`` (also for an undirected ``graph``), ``selected-node``.

    Examples
    --------
    >>> read_dot('digraph g { a -> {b; c} [color=red]; b -> c [dir=both]; u [observed="no"] }').bidirected
    (('b', 'c'),)
    """
    reader = _Reader(text, "DOT")
    reader.header({"digraph": "", "graph": "expected a digraph", "dag": "expected a digraph"})
    return _finish(reader)


def _finish(reader: _Reader) -> Parts:
    reader.body({})
    if reader.peek().kind != "stop":
        raise reader.fail(f"unexpected {reader.peek().text!r} after the end of the graph")
    return reader.parts()


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            problem = "a quote is never closed" if text[at] == '"' else f"unexpected {text[at]!r}"
            raise refuse(text, at, problem, "Put a name with such characters in double quotes.")
        if match.lastgroup != "space":
            tokens.append(_Token(match.lastgroup or "", match[0], at))
        at = match.end()
    return [*tokens, _Token("stop", "", len(text)), _Token("stop", "", len(text))]


def _name(token: _Token) -> str:
    return unquote(token.text) if token.kind == "quoted" else token.text


def _id(name: str) -> str:
    """The name as dagitty and DOT want it: bare only when it is a plain identifier or number."""
    if _PLAIN_ID.fullmatch(name) and name.lower() not in _KEYWORDS:
        return name
    return quoted(name)


def write_dagitty(parts: Parts) -> str:
    """The graph as dagitty code.

    Examples
    --------
    >>> print(write_dagitty(Parts(("x", "y"), (("x", "y"),), treatment=("x",), outcome=("y",))))
    dag {
    x [exposure]
    y [outcome]
    x -> y
    }
    """
    words = {"treatment": "exposure", "outcome": "outcome", "latent": "latent", "adjusted": "adjusted"}
    lines = []
    for node in parts.nodes:
        marks = [word for role, word in words.items() if node in getattr(parts, role)]
        lines.append(f"{_id(node)} [{','.join(marks)}]" if marks else _id(node))
    lines += [f"{_id(a)} -> {_id(b)}" for a, b in parts.directed]
    lines += [f"{_id(a)} <-> {_id(b)}" for a, b in parts.bidirected]
    return "\n".join(["dag {", *lines, "}"])


def write_dot(parts: Parts) -> str:
    """The graph as a Graphviz ``digraph``; bidirected edges dashed, latent nodes with ``observed=no``.

    Examples
    --------
    >>> print(write_dot(Parts(("x", "y"), (), (("x", "y"),), latent=("x",))))
    digraph {
      x [class="latent", observed=no, style=dashed];
      y;
      x -> y [dir=both, style=dashed];
    }
    """
    lines = []
    for node in parts.nodes:
        roles = [
            role for role in ("treatment", "outcome", "latent", "adjusted") if node in getattr(parts, role)
        ]
        marks = [f'class="{" ".join(roles)}"'] if roles else []
        marks += ["observed=no", "style=dashed"] if "latent" in roles else []
        lines.append(f"  {_id(node)} [{', '.join(marks)}];" if marks else f"  {_id(node)};")
    lines += [f"  {_id(a)} -> {_id(b)};" for a, b in parts.directed]
    lines += [f"  {_id(a)} -> {_id(b)} [dir=both, style=dashed];" for a, b in parts.bidirected]
    return "\n".join(["digraph {", *lines, "}"])


def write_networkx(parts: Parts) -> Any:
    """The graph as a ``networkx.DiGraph`` with node attributes ``roles`` and, for ``<->``, ``bidirected``.

    Examples
    --------
    >>> graph = write_networkx(Parts(("x", "y"), (), (("x", "y"),)))
    >>> list(graph.edges)
    [('x <-> y', 'x'), ('x <-> y', 'y')]
    """
    import networkx as nx

    graph = nx.DiGraph()
    for node in parts.nodes:
        graph.add_node(
            node,
            roles=tuple(
                r for r in ("treatment", "outcome", "latent", "adjusted") if node in getattr(parts, r)
            ),
        )
    graph.add_edges_from(parts.directed)
    for a, b in parts.bidirected:
        hidden = f"{a} <-> {b}"
        while hidden in graph:
            hidden += "'"
        graph.add_node(hidden, roles=("latent",), bidirected=(a, b))
        graph.add_edges_from([(hidden, a), (hidden, b)])
    return graph


def read_networkx(graph: Any) -> Parts:
    """Graph from a ``networkx.DiGraph`` or ``MultiDiGraph``; nodes that are not text are named by ``str``.

    Raises
    ------
    GraphError
        ``unsupported-edge`` for an undirected graph, ``bad-node-name`` when two nodes have the same text.

    Examples
    --------
    >>> import networkx as nx
    >>> read_networkx(nx.DiGraph([(1, 2), (2, 3)])).directed
    (('1', '2'), ('2', '3'))
    """
    if not hasattr(graph, "is_directed") or not graph.is_directed():
        raise GraphError(
            "unsupported-edge", f"expected a directed networkx graph, got {type(graph).__name__}",
            where="graph", remedy="Give a networkx.DiGraph.",
        )  # fmt: skip
    pairs = {node: tuple(data["bidirected"]) for node, data in graph.nodes(data=True) if "bidirected" in data}
    kept = [node for node in graph.nodes if node not in pairs]
    names = {node: str(node) for node in kept}
    _distinct(names.values())
    directed = tuple((names[a], names[b]) for a, b in graph.edges() if a in names and b in names)
    bidirected = tuple((str(a), str(b)) for a, b in pairs.values())
    roles: dict[str, tuple[str, ...]] = {}
    for role in ("treatment", "outcome", "latent", "adjusted"):
        roles[role] = tuple(names[node] for node in kept if role in graph.nodes[node].get("roles", ()))
    return Parts(tuple(names.values()), directed, bidirected, **roles)


def _distinct(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise GraphError(
                "bad-node-name", f"two nodes have the same text {name!r}", where="graph",
                remedy="Rename one of them (networkx.relabel_nodes).",
            )  # fmt: skip
        seen.add(name)
