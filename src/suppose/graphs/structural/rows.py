"""Rows of a structural model: read, drawn, scored, and handed back in the frame they came in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from suppose.core.columns import row_words, to_numbers
from suppose.core.errors import DataError
from suppose.core.random import generator
from suppose.core.tables import frame_of, require_columns
from suppose.graphs.networks.learning import coded, text_values
from suppose.graphs.networks.rows import check_rows
from suppose.graphs.structural.mechanisms import Fixed, impossible
from suppose.graphs.structural.passes import Columns, forward, log_density, rejection

if TYPE_CHECKING:
    from suppose.graphs.structural.model import StructuralModel

__all__ = ["log_prob", "read_columns", "sample"]


def read_columns(model: StructuralModel, table: nw.DataFrame[Any], names: list[str]) -> Columns:
    """Columns of a table as numbers, or numbers of states.

    Raises
    ------
    DataError
        ``missing-values``, ``unknown-state``, ``not-a-number`` and the others of reading numbers.
    """
    found: Columns = {}
    for name in names:
        states = model.states[name]
        if states is not None:
            found[name] = coded(text_values(table[name].to_native(), name)[0], states, name)
            continue
        values = to_numbers(table, name, role="node")
        if np.isnan(values).any():
            raise DataError(
                "missing-values", f"missing values in {row_words(np.isnan(values))}", where=f"column {name!r}",
                remedy="Drop those rows or fill the values in first.",
            )  # fmt: skip
        found[name] = values
    return found


def framed(model: StructuralModel, columns: Columns) -> Any:
    """All vertices as a pandas DataFrame, states as categories."""
    import pandas as pd

    made: dict[str, Any] = {}
    for name in model.graph.nodes:
        states = model.states[name]
        values = columns[name]
        made[name] = values if states is None else pd.Categorical.from_codes(
            values.astype(np.int64), categories=pd.Index(states)
        )  # fmt: skip
    return pd.DataFrame(made)


def sample(
    model: StructuralModel,
    rows: int,
    given: Mapping[str, Any] | None,
    do: Mapping[str, Any] | None,
    seed: int,
) -> Any:
    """See :meth:`StructuralModel.sample`."""
    check_rows(rows)
    seen, fixed = model.settings(given, do)
    if not seen:
        return framed(model, forward(model, rows, seed, fixed, {})[0])
    network = model._network()
    if network is not None:
        return network.sample(rows, given=given, do=do, seed=seed)
    cut = model.do(do) if do else model
    law = cut._law(fixed)
    if law is not None:
        rest = law.condition(seen)
        standard = generator(seed, "structural", "given").standard_normal((rows, len(rest.names)))
        columns = dict(zip(rest.names, rest.draw(standard).T, strict=True))
        columns |= {name: np.full(rows, value) for name, value in (seen | fixed).items()}
        columns |= {
            name: np.full(rows, m.value) for name, m in _constants(cut).items() if name not in columns
        }
        return framed(model, columns)
    if _settled(model, seen, fixed):
        columns, log_keep = forward(model, rows, seed, fixed, seen)
        if log_keep[0] == -np.inf:
            raise impossible("given", ", ".join(map(str, given or {})))
        return framed(model, columns)
    return framed(model, rejection(model, rows, seed, fixed, seen))


def _constants(model: StructuralModel) -> dict[str, Any]:
    return {name: m for name, m in model.mechanisms.items() if isinstance(m, Fixed)}


def _settled(model: StructuralModel, seen: Mapping[str, float], fixed: Mapping[str, float]) -> bool:
    """Whether the causes of everything seen are seen or set themselves, so that every row agrees with it."""
    for name in seen:
        if any(parent not in seen and parent not in fixed for parent in model.graph.parents(name)):
            return False
        if name in model.districts and any(mate not in seen for mate in model.districts[name].members):
            return False
    return True


def log_prob(
    model: StructuralModel, frame: Any, given: Mapping[str, Any] | None, do: Mapping[str, Any] | None
) -> np.ndarray:
    """See :meth:`StructuralModel.log_prob`."""
    table = frame_of(frame)
    require_columns(model.graph.nodes, table.columns, "node")
    network = model._network()
    if network is not None:
        return network.log_prob(frame, given=given, do=do)
    seen, fixed = model.settings(given, do)
    columns = read_columns(model, table, table.columns)
    rows = len(table)
    wrong: np.ndarray = np.zeros(rows, dtype=bool)
    for name, value in (seen | fixed).items():  # a row that contradicts what is held fixed cannot occur
        if name in columns:
            wrong |= columns.pop(name) != value
    cut = model.do(do) if do else model
    base = _density(cut, {name: np.asarray([value]) for name, value in seen.items()}, 1)[0] if seen else 0.0
    if base == -np.inf:
        raise impossible("given", ", ".join(seen))
    whole = {**columns, **{name: np.full(rows, value) for name, value in seen.items()}}
    scores = _density(cut, whole, rows) - base if columns else np.zeros(rows)
    return np.where(wrong, -np.inf, scores)


def _density(cut: StructuralModel, columns: Columns, rows: int) -> np.ndarray:
    columns = {
        name: values.astype(float if cut.states[name] is None else np.intp)
        for name, values in columns.items()
    }
    whole = columns.keys() >= set(cut.graph.ancestors(list(columns))) - _constants(cut).keys()
    law = None if whole else cut._law()
    if law is not None:
        constants = {name: m.value for name, m in _constants(cut).items()}
        names = [name for name in columns if name not in constants]
        score = (
            law.keep(names).log_prob(np.stack([columns[n] for n in names], axis=1))
            if names
            else np.zeros(rows)
        )
        for name in columns.keys() & constants.keys():
            score = np.where(columns[name] == constants[name], score, -np.inf)
        return score
    return log_density(cut, columns, rows)
