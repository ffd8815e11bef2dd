"""Networks as BIF files (Bayesian Interchange Format 0.15), the form the bnlearn repository keeps them in.

Reads ``variable`` and ``probability`` blocks with ``table``, rows ``(states) numbers`` and ``default``; plain and
gzip-compressed. Comments and ``property`` lines are passed over. Writing gives every number with the fewest
digits that read back to the same double, so that a network that is written and read is the same to the bit.

A ``table`` with parents lists its numbers with the child running slowest and the last parent fastest (the
format's own rule). What it does not do: XML BIF, continuous variables, decision or utility nodes.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from suppose.core.errors import DataError, GraphError, nearest
from suppose.graphs.factors import Factor

__all__ = ["read_bif", "text_of", "write_bif"]

MAX_BYTES = 2**29
SIGNS = " \t,;(){}[]|/*"
SEPARATOR = re.compile(r"[\s,()\[\]|]+")
COMMENT = re.compile(r'"([^"\n]*)"|/\*.*?\*/|(?<![^\s;{}])//[^\n]*', re.S)
HIDE = {ord(sign): 0xF0000 + ord(sign) for sign in SIGNS}
SHOW = {there: here for here, there in HIDE.items()}
PLAIN = re.compile(r'[^\s,;(){}\[\]|"]+')
BLOCK = re.compile(r"\b(network|variable|probability)\b([^{]*)\{", re.S)


def text_of(source: str | Path) -> str:
    """The text of a BIF file, or ``source`` itself when it is such a text.

    Raises
    ------
    DataError
        ``missing-file``, ``unreadable-file``, ``file-too-large`` (over half a gigabyte of text).
    """
    if isinstance(source, str) and ("{" in source or "\n" in source):
        return source
    path = Path(source) if isinstance(source, (str, Path)) else None
    if path is None:
        raise DataError(
            "bad-path", f"expected the path of a file or its text, got {type(source).__name__}", where="BIF file",
            remedy="Write for example 'alarm.bif.gz'.",
        )  # fmt: skip
    if not path.is_file():
        raise DataError(
            "missing-file", "there is no such file", where=f"file {path.name!r}",
            remedy="Check the path; text of a network is taken too.",
        )  # fmt: skip
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        text = raw.decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(
            "unreadable-file", f"it cannot be read ({error})", where=f"file {path.name!r}",
            remedy="Save it as UTF-8 text, plain or gzip-compressed.",
        ) from error  # fmt: skip
    if len(raw) > MAX_BYTES:
        raise DataError(
            "file-too-large", f"expected at most {MAX_BYTES:,} bytes of text", where=f"file {path.name!r}",
            remedy="Networks of this size cannot be answered exactly.",
        )  # fmt: skip
    return text


def _refuse(problem: str, where: str, remedy: str | None = None) -> GraphError:
    return GraphError("bif-syntax", problem, where=where, remedy=remedy)


def _bare(text: str) -> str:
    """The text without comments and quotes; signs of the format inside quotes are kept out of the way."""
    return COMMENT.sub(lambda found: found[1].translate(HIDE) if found[1] is not None else " ", text)


def _names(text: str) -> list[str]:
    return [token.translate(SHOW) for token in SEPARATOR.split(text) if token]


def _blocks(text: str) -> Iterator[tuple[str, str, str]]:
    """Kind, head and body of every block."""
    position = 0
    while found := BLOCK.search(text, position):
        end = text.find("}", found.end())
        depth = text.count("{", found.end(), end if end >= 0 else len(text))
        for _ in range(depth):  # the list of states of a variable has braces of its own
            end = text.find("}", end + 1) if end >= 0 else end
        if end < 0:
            raise _refuse("the block is not closed", f"{found[1]} {found[2].strip()}", "Close it with '}'.")
        yield found[1], found[2].strip(), text[found.end() : end]
        position = end + 1


def read_bif(text: str) -> dict[str, Factor]:
    """The tables of a network, over (child, parents...), in the order of its variables.

    Raises
    ------
    GraphError
        ``bif-syntax`` with the block it is about.

    Examples
    --------
    >>> tables = read_bif('variable a { type discrete [ 2 ] { no, yes }; } probability ( a ) { table .4, .6; }')
    >>> tables["a"].values.tolist()
    [0.4, 0.6]
    """
    states: dict[str, tuple[str, ...]] = {}
    tables: dict[str, Factor] = {}
    heads: list[tuple[str, str]] = []
    for kind, head, body in _blocks(_bare(text)):
        if kind == "variable":
            name, values = _variable(head, body)
            if name in states:
                raise _refuse("it is declared twice", f"variable {name!r}", "Leave one of them out.")
            states[name] = values
        elif kind == "probability":
            heads.append((head, body))
    for head, body in heads:
        table = _probability(head, body, states)
        if table.variables[0] in tables:
            raise _refuse("it has two tables", f"variable {table.variables[0]!r}", "Leave one of them out.")
        tables[table.variables[0]] = table
    bare = [name for name in states if name not in tables]
    if bare or not states:
        where = f"variable {bare[0]!r}" if bare else "text"
        raise _refuse(
            "it has no probability block" if bare else "no variable is declared",
            where, "Write variable and probability blocks; see the BIF format.",
        )  # fmt: skip
    return {name: tables[name] for name in states}


def _variable(head: str, body: str) -> tuple[str, tuple[str, ...]]:
    names = _names(head)
    found = re.search(r"type\s+discrete\s*(?:\[\s*(\d+)\s*\])?\s*\{([^}]*)\}", body)
    if len(names) != 1 or found is None:
        raise _refuse(
            "expected 'type discrete [ n ] { states };'", f"variable {head!r}",
            "Only discrete variables can be read.",
        )  # fmt: skip
    values = tuple(_names(found[2]))
    if (found[1] is not None and int(found[1]) != len(values)) or not values:
        raise _refuse(
            f"{found[1]} states are declared, {len(values)} are listed", f"variable {names[0]!r}",
            "Put the number of the states in the brackets.",
        )  # fmt: skip
    if len(set(values)) != len(values):
        raise _refuse("a state is listed twice", f"variable {names[0]!r}", "Name each state once.")
    return names[0], values


def _probability(head: str, body: str, states: Mapping[str, tuple[str, ...]]) -> Factor:
    child, _, rest = head.strip("() \n\t").partition("|")
    variables = [*_names(child), *_names(rest)]
    for name in variables:
        if name not in states:
            raise _refuse(
                f"it names {name!r}, which no variable block declares", f"probability ( {head.strip('() ')} )",
                nearest(name, states) or "Declare it.",
            )  # fmt: skip
    if len(_names(child)) != 1:
        raise _refuse("expected one variable before '|'", f"probability {head}", "Write ( child | parents ).")
    shape = [len(states[name]) for name in variables]
    values = np.full((int(np.prod(shape[1:])), shape[0]), np.nan)
    where = f"probability of {variables[0]!r}"
    default: np.ndarray | None = None
    keys: list[list[str]] = []
    rows: list[str] = []
    for entry in filter(None, map(str.strip, body.split(";"))):
        if entry.startswith("("):
            key, _, numbers = entry.partition(")")
            keys.append(_names(key))
            rows.append(numbers)
        elif entry.startswith(("table", "default")):
            word, numbers = entry.split(None, 1) if len(entry.split(None, 1)) == 2 else (entry, "")
            if word == "table":
                values = _numbers([numbers], values.size, where).reshape(shape[0], -1).T.copy()
            else:
                default = _numbers([numbers], shape[0], where)[0]
        elif not entry.startswith("property"):
            raise _refuse(f"expected a row, 'table' or 'default', got {entry[:40]!r}", where, None)
    if rows:
        places = _places(keys, [states[name] for name in variables[1:]], where)
        values[places] = _numbers(rows, shape[0], where)
    if default is not None:
        values[np.isnan(values).any(axis=1)] = default
    if np.isnan(values).any():
        raise _refuse("the numbers of some settings of its parents are missing", where, "Add those rows.")
    array = np.ascontiguousarray(values.T).reshape(shape)
    return Factor(tuple(variables), tuple(states[name] for name in variables), array)


def _numbers(rows: Sequence[str], length: int, where: str) -> np.ndarray:
    """Numbers of several rows, each of ``length``."""
    listed = [row.replace(",", " ").split() for row in rows]
    wrong = next((row for row in listed if len(row) != length), None)
    if wrong is not None:
        raise _refuse(f"expected {length} numbers, got {len(wrong)}", where, "Give one number per state.")
    try:
        return np.asarray(listed, dtype=float)
    except ValueError as error:
        raise _refuse(f"expected numbers ({error})", where, "Write probabilities with a point.") from error


def _places(keys: Sequence[Sequence[str]], states: Sequence[Sequence[str]], where: str) -> np.ndarray:
    """Row numbers of settings of the parents, the last parent running fastest."""
    codes = [{state: i for i, state in enumerate(values)} for values in states]
    places = np.zeros(len(keys), dtype=np.intp)
    for r, key in enumerate(keys):
        if len(key) != len(states):
            raise _refuse(
                f"a row names {len(key)} states, the variable has {len(states)} parents", where,
                "Name one state per parent.",
            )  # fmt: skip
        place = 0
        for name, code in zip(key, codes, strict=True):
            if name not in code:
                raise _refuse(
                    f"a row names the state {name!r}, expected one of {', '.join(code)}", where,
                    nearest(name, code) or "Check the spelling.",
                )  # fmt: skip
            place = place * len(code) + code[name]
        places[r] = place
    return places


# -- writing -----------------------------------------------------------------------------------


def write_bif(tables: Mapping[str, Factor]) -> str:
    """The tables as BIF text.

    Raises
    ------
    GraphError
        ``bif-name`` for a name or state with a double quote or nothing in it, which the format cannot hold.
    """
    lines = ["network unknown {", "}"]
    for name, table in tables.items():
        states = ", ".join(map(_word, table.states[0]))
        lines += [
            f"variable {_word(name)} {{",
            f"  type discrete [ {len(table.states[0])} ] {{ {states} }};",
            "}",
        ]
    for name, table in tables.items():
        parents = ", ".join(map(_word, table.variables[1:]))
        lines.append(f"probability ( {_word(name)}{f' | {parents}' if parents else ''} ) {{")
        flat = table.values.reshape(len(table.states[0]), -1).T.tolist()
        if not parents:
            lines.append(f"  table {_row(flat[0])};")
        else:
            shape = table.values.shape[1:]
            words = [[_word(state) for state in states] for states in table.states[1:]]
            for place, row in enumerate(flat):
                codes: Any = np.unravel_index(place, shape)
                key = ", ".join(words[i][code] for i, code in enumerate(codes))
                lines.append(f"  ({key}) {_row(row)};")
        lines.append("}")
    return "\n".join(lines) + "\n"


def _row(numbers: Sequence[float]) -> str:
    return ", ".join(map(repr, numbers))


def _word(name: str) -> str:
    """The name as it stands in the file, in double quotes where it has signs of the format."""
    if not name or '"' in name:
        raise GraphError(
            "bif-name", f"the format cannot hold the name {name!r}", where="network",
            remedy="Rename it: at least one sign, and no double quote.",
        )  # fmt: skip
    return name if PLAIN.fullmatch(name) and "//" not in name and "/*" not in name else f'"{name}"'
