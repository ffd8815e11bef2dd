"""Tables of a network from rows: counts plus a prior, column by column (Heckerman, Geiger and Chickering 1995).

Every table is learned on its own: with complete rows and a Dirichlet prior of ``prior`` per cell the posterior
mean is (count + prior) / (count of the parents' setting + prior times the number of states). What it does not
do: missing values, hidden vertices, learning the graph.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from suppose.core.errors import DataError, EstimationError, GraphError
from suppose.core.tables import frame_of, require_columns
from suppose.graphs.dag import DAG
from suppose.graphs.factors import Factor, States
from suppose.graphs.networks.contraction import LIMIT

__all__ = ["coded", "counted_table", "fit_tables", "text_values"]


def fit_tables(
    frame: Any, graph: DAG, prior: float, states: Mapping[str, Iterable[Any]]
) -> dict[str, Factor]:
    """Table of every vertex of ``graph``, learned from the rows of ``frame``.

    Raises
    ------
    GraphError
        ``hidden-cause`` when the graph has a ``<->`` edge; ``clique-too-large`` for a table over the limit.
    DataError
        ``missing-column``, ``missing-values``, ``unknown-state`` (a value that is not among ``states``).
    EstimationError
        ``bad-prior``; ``empty-column`` when ``prior`` is 0 and a setting of the parents never occurs.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"x": [0, 0, 1], "y": [0, 1, 1]})
    >>> fit_tables(rows, DAG("x -> y"), 1.0, {})["y"].values.round(3).tolist()
    [[0.5, 0.333], [0.5, 0.667]]
    """
    if graph.bidirected:
        a, b = graph.bidirected[0]
        raise GraphError(
            "hidden-cause", f"tables cannot be learned with the hidden cause {a} <-> {b}", where="graph",
            remedy="Identify the effect from the graph instead, or leave the edge out if it may be.",
        )  # fmt: skip
    if not (isinstance(prior, (int, float)) and math.isfinite(prior) and prior >= 0):
        raise EstimationError(
            "bad-prior", f"expected a number of at least 0, got {prior!r}", where="argument 'prior'",
            remedy="Use 1 for a uniform prior on every column.",
        )  # fmt: skip
    table = frame_of(frame)
    require_columns(table.columns, graph.nodes, "node")
    codes, known = {}, {}
    for name in graph.nodes:
        values, categories = text_values(table[name].to_native(), name)
        own = _own_states(states[name], name) if name in states else categories
        codes[name], known[name] = coded(values, own, name), own
    return {
        name: counted_table(name, graph.parents(name), codes, known, float(prior)) for name in graph.nodes
    }


def _own_states(states: Any, name: str) -> States:
    if not isinstance(states, Iterable):
        raise GraphError(
            "bad-setting", f"expected the states of {name!r} as a list, got {type(states).__name__}",
            where="argument 'states'", remedy="Write for example ('no', 'yes').",
        )  # fmt: skip
    return tuple(dict.fromkeys(map(str, states)))


def counted_table(
    name: str,
    parents: tuple[str, ...],
    codes: Mapping[str, np.ndarray],
    known: Mapping[str, States],
    prior: float,
) -> Factor:
    """Shares of the states of ``name`` by those of its parents, from their codes."""
    variables = (name, *parents)
    shape = tuple(len(known[v]) for v in variables)
    size = math.prod(shape)
    if size > LIMIT:
        raise GraphError(
            "clique-too-large", f"the table of {name} given its {len(parents)} causes has {size:.3g} entries; "
            f"the limit is {float(LIMIT):.3g}",
            where=f"node {name!r}", remedy="Give it fewer causes, or merge rare states.",
        )  # fmt: skip
    place = np.ravel_multi_index([codes[v] for v in variables], shape)
    counts = np.bincount(place, minlength=size).reshape(shape) + prior
    total = counts.sum(axis=0, keepdims=True)
    if not (total > 0).all():
        empty = np.unravel_index(int(np.argmin(total)), total.shape)
        cell = ", ".join(f"{v} = {known[v][i]}" for v, i in zip(parents, empty[1:], strict=True))
        raise EstimationError(
            "empty-column", f"no row has {cell}, so that the table has nothing to say there",
            where=f"node {name!r}", remedy="Use a prior above 0.",
        )  # fmt: skip
    return Factor(variables, tuple(known[v] for v in variables), counts / total)


def text_values(series: Any, name: str) -> tuple[np.ndarray, States]:
    """Values of a column as text, and the states in order: its categories, or its values sorted.

    Numbers are sorted as numbers. Refuses ``missing-values``.
    """
    import narwhals as nw

    column = nw.from_native(series, series_only=True)
    absent = column.is_null()
    if column.dtype.is_float():
        absent = absent | column.is_nan()
    if absent.any():
        raise DataError(
            "missing-values", f"input contains NaN: {int(absent.sum()):,} of {len(column):,} values are missing; "
            "a table is counted from complete rows",
            where=f"column {name!r}", remedy="Drop those rows or fill the values in first.",
        )  # fmt: skip
    if isinstance(column.dtype, (nw.Categorical, nw.Enum)):
        from narwhals.stable import v1  # where reading the order of categories stays

        ordered = v1.from_native(column.to_native(), series_only=True).cat.get_categories()
        states = [str(value) for value in ordered.to_list()]
        values = np.asarray(column.cast(nw.String).to_numpy()).astype(str)
        return values, tuple(states)
    raw = np.asarray(column.to_numpy())
    distinct, back = np.unique(raw.astype(str) if raw.dtype == object else raw, return_inverse=True)
    texts = np.asarray([str(value) for value in distinct.tolist()])
    return texts[back], tuple(texts.tolist())


def coded(values: np.ndarray, states: States, name: str) -> np.ndarray:
    """Numbers of the states of text values; a value that is no state is refused with ``unknown-state``."""
    order = np.argsort(np.asarray(states))
    ordered = np.asarray(states)[order]
    at = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    wrong = ordered[at] != values
    if wrong.any():
        raise DataError(
            "unknown-state", f"expected one of {', '.join(states[:12])}, got {str(values[wrong][0])!r}",
            where=f"column {name!r}", remedy="Correct the value, or name it among the states.",
        )  # fmt: skip
    return order[at]
