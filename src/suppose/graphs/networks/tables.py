"""The tables of a network, checked against its graph once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from suppose.core.errors import GraphError
from suppose.graphs.dag import DAG
from suppose.graphs.factors import Factor

__all__ = ["TOLERANCE", "checked", "checked_table", "graph_of", "mapping_of", "names_of", "normalized"]

TOLERANCE = 1e-8
"""How far the numbers of one column of a table may be from summing to one."""
ROUNDED = 1e-3
"""What rounding of a file's numbers may take from that sum."""


def graph_of(graph: object) -> DAG:
    """The graph itself, or the one a text describes; refused with ``not-a-graph``."""
    if isinstance(graph, str):
        return DAG(graph)
    if not isinstance(graph, DAG):
        raise GraphError(
            "not-a-graph", f"expected a DAG or a text such as 'x -> y', got {type(graph).__name__}", where="graph",
            remedy="Make one first: DAG(text), DAG.from_edges or DAG.from_networkx.",
        )  # fmt: skip
    return graph


def mapping_of(value: Any, where: str) -> Mapping[Any, Any]:
    """The value, which must be a mapping; nothing is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise GraphError(
            "bad-setting", f"expected a mapping by name of vertex, got {type(value).__name__}", where=where,
            remedy="Write for example {'x': 1}.",
        )  # fmt: skip
    return value


def names_of(dag: DAG, names: Any, where: str) -> list[str]:
    """The names of some nodes in the order given, each once."""
    dag.ids(names, where=where)
    return [names] if isinstance(names, str) else list(dict.fromkeys(names))


def normalized(table: Factor) -> Factor:
    """The table with columns that sum to 1, where rounding can have kept them from it."""
    total = table.values.sum(axis=0, keepdims=True)
    near = np.abs(total - 1.0) <= ROUNDED
    return Factor(table.variables, table.states, table.values / np.where(near, total, 1.0))


def checked(dag: DAG, tables: Mapping[str, Factor]) -> dict[str, Factor]:
    """The tables in node order, each over (vertex, parents...), once they fit the graph and are probabilities."""
    if dag.bidirected:
        a, b = dag.bidirected[0]
        raise GraphError(
            "hidden-cause", f"a network needs a table for every cause, and {a} <-> {b} has none",
            where="graph", remedy="Write the hidden cause as a vertex: 'u -> {a b}' with latent='u'.",
        )  # fmt: skip
    tables = mapping_of(tables, "tables")
    dag.ids(list(tables), where="tables")
    found: dict[str, Factor] = {}
    for name in dag.nodes:
        if name not in tables:
            raise GraphError(
                "missing-table", "this vertex has no table", where=f"node {name!r}",
                remedy="Give its probability given its parents as a Factor.",
            )  # fmt: skip
        found[name] = checked_table(name, dag.parents(name), tables[name])
    for table in found.values():
        for parent, states in zip(table.variables[1:], table.states[1:], strict=True):
            if found[parent].states[0] != states:
                raise GraphError(
                    "different-states",
                    f"its own table has the states {', '.join(found[parent].states[0])}, that of "
                    f"{table.variables[0]} has {', '.join(states)}",
                    where=f"variable {parent!r}", remedy="Use the same states in the same order in both.",
                )  # fmt: skip
    return found


def checked_table(name: str, parents: tuple[str, ...], table: Factor) -> Factor:
    """The table over (vertex, parents...), a copy that cannot be changed; refused where it is no such table."""
    if not isinstance(table, Factor):
        raise GraphError(
            "wrong-table", f"expected a Factor, got {type(table).__name__}", where=f"node {name!r}",
            remedy="Make one first: Factor(names, states, numbers).",
        )  # fmt: skip
    if set(table.variables) != {name, *parents}:
        expected = f"{name} | {', '.join(parents)}" if parents else name
        raise GraphError(
            "wrong-table", f"expected a table of {expected}, got one over {', '.join(table.variables)}",
            where=f"node {name!r}", remedy="Give it one axis for the vertex and one for each of its parents.",
        )  # fmt: skip
    parents = tuple(v for v in table.variables if v != name)
    turned = table.reorder((name, *parents))
    values = np.array(turned.values, dtype=float)  # a copy of our own
    off = values.sum(axis=0) - 1.0
    worst = np.unravel_index(int(np.argmax(np.abs(off))), off.shape) if off.ndim else ()
    bad = not np.isfinite(values).all() or (values < 0).any()
    if bad or not abs(float(off[worst])) <= TOLERANCE * (1 + 1e-6):  # sums of rounded decimals
        cell = ", ".join(
            f"{v} = {states[i]}" for v, states, i in zip(parents, turned.states[1:], worst, strict=True)
        )
        what = (
            "it holds numbers below zero, infinite or missing" if bad
            else f"it sums to 1{float(off[worst]):+.3g}{f' where {cell}' if cell else ''}"
        )  # fmt: skip
        raise GraphError(
            "not-a-distribution", f"expected probabilities that sum to 1 within {TOLERANCE:g}, but {what}",
            where=f"table of {name!r}",
            remedy="Correct the table; a file of rounded numbers can be read with normalize=True.",
        )  # fmt: skip
    values.setflags(write=False)
    return Factor(turned.variables, turned.states, values)
