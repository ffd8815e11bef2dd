"""Mechanisms from rows, vertex by vertex.

A column of numbers becomes :class:`Linear` by least squares, its noise Gaussian with the unbiased variance of the
residuals; a column of states whose causes all have states becomes a :class:`Table` of counts plus a prior; two
states with some cause that is a number become :class:`Logit` by maximum likelihood (Newton's method). Causes
with states enter with one coefficient per state, zero for the first.

What it does not do: hidden causes (with ``<->`` least squares would be wrong), curves, more than two states with
a cause that is a number, uncertainty of what was learned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import narwhals as nw
import numpy as np
from jaxtyping import Float

from suppose.core.columns import row_words, to_numbers
from suppose.core.errors import DataError, EstimationError, GraphError
from suppose.core.tables import frame_of, require_columns
from suppose.graphs.dag import DAG
from suppose.graphs.factors import States
from suppose.graphs.networks.learning import coded, counted_table, text_values
from suppose.graphs.networks.tables import names_of
from suppose.graphs.structural.mechanisms import Linear, Logit, Mechanism, Table
from suppose.graphs.structural.noise import Gaussian

__all__ = ["fit_mechanisms"]

STEPS = 100


def fit_mechanisms(frame: Any, graph: DAG, discrete: Iterable[str], prior: float) -> dict[str, Mechanism]:
    """Mechanism of every vertex of ``graph``, learned from the rows of ``frame``.

    Raises
    ------
    GraphError
        ``hidden-cause`` when the graph has a ``<->`` edge.
    DataError
        ``missing-column``, ``missing-values``, ``not-a-number``.
    EstimationError
        ``collinear`` (causes that are copies or sums of each other), ``no-variation`` (a vertex its causes
        predict without error), ``too-few-rows``, ``too-many-levels``, ``logit-diverged``.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"x": ["a", "b", "a", "b"], "y": [1.0, 2.0, 1.5, 2.5]})
    >>> fit_mechanisms(rows, DAG("x -> y"), (), 1.0)["y"].words("y")
    'y = 1.25 + [x a: 0, b: 1] + Gaussian(0.3536)'
    """
    if graph.bidirected:
        a, b = graph.bidirected[0]
        raise GraphError(
            "hidden-cause", f"mechanisms cannot be learned with the hidden cause {a} <-> {b}", where="graph",
            remedy="Identify the effect from the graph instead, or leave the edge out if it may be.",
        )  # fmt: skip
    table = frame_of(frame)
    require_columns(table.columns, graph.nodes, "node")
    chosen = names_of(graph, discrete, "discrete")
    columns: dict[str, np.ndarray] = {}
    states: dict[str, States | None] = {}
    for name in graph.nodes:
        columns[name], states[name] = _read(table, name, name in chosen)
    return {name: _fitted(name, graph.parents(name), columns, states, prior) for name in graph.nodes}


def _read(table: nw.DataFrame[Any], name: str, discrete: bool) -> tuple[np.ndarray, States | None]:
    series = table[name]
    if series.dtype.is_numeric() and not discrete:
        values = to_numbers(table, name, role="node")
        if np.isnan(values).any():
            raise DataError(
                "missing-values", f"missing values in {row_words(np.isnan(values))}", where=f"column {name!r}",
                remedy="Drop those rows or fill the values in first.",
            )  # fmt: skip
        return values, None
    values, states = text_values(series.to_native(), name)
    return coded(values, states, name), states


def _fitted(
    name: str,
    parents: tuple[str, ...],
    columns: Mapping[str, np.ndarray],
    states: Mapping[str, States | None],
    prior: float,
) -> Mechanism:
    own = states[name]
    if own is not None:
        known = {v: s for v in (name, *parents) if (s := states[v]) is not None}
        if len(known) == 1 + len(parents):
            return Table(counted_table(name, parents, columns, known, prior))
        if len(own) != 2:
            raise EstimationError(
                "too-many-levels",
                f"it has {len(own)} states and a cause that is a number; expected two",
                where=f"node {name!r}", remedy="Merge its states into two, or cut its causes into states (discrete=).",
            )  # fmt: skip
    design, blocks = _design(parents, columns, states, len(columns[name]))
    _check_design(name, design)
    if own is None:
        weights, scale = _least_squares(name, design, columns[name])
        return Linear(_coefficients(blocks, weights), float(weights[0]), Gaussian(scale))
    weights = _logistic(name, design, columns[name].astype(float))
    return Logit(_coefficients(blocks, weights), float(weights[0]), own)


Blocks = dict[str, tuple[int, States | None]]


def _design(
    parents: tuple[str, ...],
    columns: Mapping[str, np.ndarray],
    states: Mapping[str, States | None],
    rows: int,
) -> tuple[Float[np.ndarray, "rows weights"], Blocks]:
    """Ones, numbers, and a column for every state but the first; and where each cause's columns begin."""
    parts, blocks, at = [np.ones((rows, 1))], {}, 1
    for parent in parents:
        own = states[parent]
        part = columns[parent][:, None] if own is None else np.eye(len(own))[columns[parent]][:, 1:]
        blocks[parent] = (at, own)
        parts.append(part)
        at += part.shape[1]
    return np.concatenate(parts, axis=1), blocks


def _coefficients(blocks: Blocks, weights: np.ndarray) -> dict[str, float | dict[str, float]]:
    found: dict[str, float | dict[str, float]] = {}
    for parent, (at, own) in blocks.items():
        if own is None:
            found[parent] = float(weights[at])
        else:
            found[parent] = dict(zip(own, [0.0, *map(float, weights[at : at + len(own) - 1])], strict=True))
    return found


def _check_design(name: str, design: np.ndarray) -> None:
    rows, weights = design.shape
    if rows <= weights:
        raise DataError(
            "too-few-rows", f"expected more rows than the {weights} numbers to learn, got {rows}",
            where=f"node {name!r}", remedy="Add rows, or give it fewer causes.",
        )  # fmt: skip
    scale = np.sqrt((design**2).mean(axis=0))
    if (scale == 0).any() or np.linalg.matrix_rank(design / np.where(scale > 0, scale, 1.0)) < weights:
        raise EstimationError(
            "collinear", "its causes are constant, copies or sums of each other, so that no coefficient is told apart",
            where=f"node {name!r}", remedy="Leave one of them out of the graph.",
        )  # fmt: skip


def _least_squares(name: str, design: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, float]:
    weights = np.linalg.lstsq(design, values, rcond=None)[0]
    left = values - design @ weights
    variance = float(left @ left) / (len(values) - design.shape[1])
    if not variance > 1e-18 * float(values @ values) / len(values):
        raise EstimationError(
            "no-variation", "its causes predict it without error, so that there is no noise to learn",
            where=f"node {name!r}", remedy="Write that mechanism as Function(f, noise=None).",
        )  # fmt: skip
    return weights, float(np.sqrt(variance))


def _logistic(name: str, design: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Newton's method for the log likelihood of a logit, on columns brought to one scale."""
    from scipy.special import expit

    scale = np.sqrt((design**2).mean(axis=0))
    columns = design / scale
    weights: np.ndarray = np.zeros(design.shape[1])
    for _ in range(STEPS):
        share = expit(columns @ weights)
        curvature = (columns * (share * (1 - share))[:, None]).T @ columns
        if np.abs(weights).max() > 1e3 or np.linalg.cond(curvature) > 1e12:
            break
        step = np.linalg.solve(curvature, columns.T @ (values - share))
        weights = weights + step / max(1.0, float(np.abs(step).max()) / 4)
        if np.abs(step).max() < 1e-10:
            return np.asarray(weights / scale)
    raise EstimationError(
        "logit-diverged", "its causes tell its two states apart without error, so that coefficients grow without end",
        where=f"node {name!r}", remedy="Give it fewer causes, or cut them into states (discrete=).",
    )  # fmt: skip
