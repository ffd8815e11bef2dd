"""The columns of an intervention study: every measured node as codes of its states, and as numbers where it has them.

Columns with few values are states, in the order of their categories or values. Numbers with many values stay
numbers, or are cut into groups of about equal size. Rows with a missing value are refused or left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from suppose.core.columns import row_words, to_numbers
from suppose.core.errors import DataError, StudyError

__all__ = ["MAX_STATES", "InterventionTable", "read_columns"]

MAX_STATES = 50
POLICIES = ("refuse", "drop")


@dataclass(frozen=True)
class InterventionTable:
    """What the study read.

    Attributes
    ----------
    graph : DAG
        The causal graph; nodes without a column are latent.
    network : DiscreteNetwork or None
        The network that was given, else None.
    codes : dict
        Node to (n,) int codes of its states; columns with few values only.
    states : dict
        Node to its states as text.
    numbers : dict
        Node to (n,) floats, for columns of numbers.
    """

    graph: Any
    network: Any
    codes: dict[str, np.ndarray]
    states: dict[str, tuple[str, ...]]
    numbers: dict[str, np.ndarray]
    notes: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Rows of the table; 0 for a network."""
        columns = self.codes or self.numbers
        return len(next(iter(columns.values()))) if columns else 0


def read_columns(data: Any, dag: Any, frame: Any, measured: tuple[str, ...]) -> InterventionTable:
    """Codes and numbers of every measured node of the rows that have a value in each.

    Raises
    ------
    DataError, StudyError
        For missing values that are not to be dropped, texts with too many values, and cuts that cannot be made.
    """
    kept = np.ones(frame.shape[0], dtype=bool)
    for name in measured:
        kept &= ~_absent(data, frame[name], name)
    if not kept.any():
        raise DataError(
            "no-rows", "no row has a value in every column of the graph", where="data",
            remedy="Name columns that are often missing in graph.hidden instead.",
        )  # fmt: skip
    codes, states, numbers = {}, {}, {}
    for name in measured:
        declared = data.types.get(name)
        if declared in ("number", "date") or (declared is None and frame[name].dtype.is_numeric()):
            numbers[name] = to_numbers(frame, name, role="graph", as_type=declared)[kept]
        found = _coded(frame[name], kept, numbers.get(name), data.cut.get(name), name)
        if found is not None:
            codes[name], states[name] = found
    dropped = int((~kept).sum())
    notes = (f"{dropped:,} rows left out for missing values in all.",) if dropped else ()
    return InterventionTable(dag, None, codes, states, numbers, notes)


def _absent(data: Any, series: Any, name: str) -> np.ndarray:
    """Rows without a value; refused unless the study says to drop them."""
    absent = series.is_null()
    if series.dtype.is_float():
        absent = absent | series.is_nan()
    missing = np.asarray(absent.to_numpy(), dtype=bool)
    policy = data.policy(name)
    if policy not in POLICIES:
        raise StudyError(
            "bad-policy", f"expected \"refuse\" or \"drop\", got {policy!r}: a formula is counted from what was seen",
            where=f"data.missing: column {name!r}", remedy=f'Say data.missing = {{ {name} = "drop" }}.',
        )  # fmt: skip
    if missing.any() and policy != "drop":
        raise DataError(
            "missing-value", f"missing values in {row_words(missing)}; these are never filled in",
            where=f"graph: column {name!r}",
            remedy=f'Say data.missing = {{ {name} = "drop" }} to leave these rows out.',
        )  # fmt: skip
    return missing


def _coded(
    series: Any, kept: np.ndarray, numbers: np.ndarray | None, groups: int | None, name: str
) -> tuple[np.ndarray, tuple[str, ...]] | None:
    """Codes and states of a column; None for numbers with too many values that are not cut."""
    if groups is not None:
        return _cut(numbers, groups, name)
    if numbers is not None:
        values, codes = np.unique(numbers, return_inverse=True)
        words = tuple(str(int(value)) if value.is_integer() else repr(value) for value in values.tolist())
        return (codes.astype(np.int64), words) if len(values) <= MAX_STATES else None
    from suppose.graphs.networks.learning import coded, text_values

    texts, states = text_values(series.filter(kept.tolist()).to_native(), name)
    if len(states) > MAX_STATES:
        raise DataError(
            "too-many-values", f"expected at most {MAX_STATES} categories, got {len(states):,} different texts",
            where=f"graph: column {name!r}", remedy="Merge rare categories, or name the node in graph.hidden.",
        )  # fmt: skip
    return coded(texts, states, name), states


def _cut(values: np.ndarray | None, groups: int, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Numbers as groups of about equal size, named by their bounds."""
    if values is None:
        raise StudyError(
            "not-a-number", "only numbers can be cut into groups, this column holds text",
            where=f"data.cut: column {name!r}", remedy="Take it out of data.cut.",
        )  # fmt: skip
    bounds = np.unique(np.quantile(values, np.arange(1, groups) / groups))
    codes = np.searchsorted(bounds, values, side="left")
    used, codes = np.unique(codes, return_inverse=True)
    if len(used) < 2:
        raise DataError(
            "constant-column", f"cutting it into {groups} groups leaves one, for most values are equal",
            where=f"data.cut: column {name!r}", remedy="Cut it into fewer groups, or code it by hand.",
        )  # fmt: skip
    edges = [f"{bound:.4g}" for bound in bounds]
    words = [
        f"at most {edges[0]}",
        *(f"{a} to {b}" for a, b in pairwise(edges)),
        f"above {edges[-1]}",
    ]
    return codes.astype(np.int64), tuple(words[k] for k in used)
