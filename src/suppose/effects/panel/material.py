"""A panel read once: who is seen when, sorted by unit and time, everything checked.

Units and times become codes in the order of their values, so that no result depends on the order of the
rows. Refused by name: a unit seen twice at one time, missing values, a treatment that never changes
within any unit, units seen only once where a transform needs two periods.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import narwhals as nw
import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from suppose.core.errors import DataError
from suppose.effects.designs import Design, as_table, read_material

__all__ = ["Panel", "read_panel", "unit_means"]


@dataclasses.dataclass(frozen=True)
class Panel:
    """A panel of n rows, sorted by unit and then time.

    Attributes
    ----------
    y, d : (n,) arrays
        Outcome and treatment.
    x : (n, p) array
        Covariates that change within units.
    z : (n, q) array
        Covariates that never do.
    units, times : (n,) int arrays
        Codes 0..N-1 and 0..T-1 in the order of their values.
    rows : (n,) int array
        Where each row stood in the table.
    unit_labels, time_labels : (N,), (T,) arrays
        What the codes stand for.
    x_names, z_names : tuples
        Columns behind ``x`` and ``z``.
    """

    y: np.ndarray
    d: np.ndarray
    x: np.ndarray
    z: np.ndarray
    units: np.ndarray
    times: np.ndarray
    rows: np.ndarray
    unit_labels: np.ndarray
    time_labels: np.ndarray
    x_names: tuple[Any, ...]
    z_names: tuple[Any, ...]
    treatment_name: Any

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.y)

    @property
    def unit_count(self) -> int:
        """Number of units."""
        return len(self.unit_labels)

    def keep(self, chosen: Bool[np.ndarray, " n"]) -> Panel:
        """The panel of the chosen rows; codes of units are drawn together again."""
        present, units = np.unique(self.units[chosen], return_inverse=True)
        parts = {name: getattr(self, name)[chosen] for name in ("y", "d", "x", "z", "times", "rows")}
        return dataclasses.replace(self, units=units, unit_labels=self.unit_labels[present], **parts)

    def follows(self) -> Bool[np.ndarray, " n"]:
        """Whether the row before is the same unit one period earlier."""
        result = np.zeros(self.n, dtype=bool)
        result[1:] = (np.diff(self.units) == 0) & (np.diff(self.times) == 1)
        return result


def read_panel(
    X: Any,
    y: Float[np.ndarray, " n"],
    *,
    treatment: Any,
    unit: Any,
    time: Any,
    covariates: Any = None,
    time_invariant: Any = None,
    varying: tuple[Any, ...] | None = None,
) -> Panel:
    """Take a panel out of a frame or a two-way array.

    Parameters
    ----------
    X : frame or (n, columns) array
        Treatment, unit, time and covariates. Units and times may be numbers, texts or dates.
    y : (n,) array
        Outcome.
    treatment, unit, time : str or int
        Columns. With ``unit`` None every row is a unit of its own, with ``time`` None all are of one time.
    covariates : sequence, optional
        Columns to adjust for; all others when left out.
    time_invariant : sequence, optional
        Covariates that must not change within a unit. Those that do not are found in any case.
    varying : tuple, optional
        The covariates that count as changing, whatever these rows say; as found when left out.

    Raises
    ------
    DataError
        ``duplicated-unit-time``, ``missing-values``, ``not-invariant``, and what
        :func:`~suppose.effects.designs.read_material` refuses.

    Examples
    --------
    >>> table = np.array([[0, 7, 1], [1, 7, 2], [0, 5, 1.0], [0, 5, 2]])
    >>> panel = read_panel(table, np.arange(4.0), treatment=0, unit=1, time=2)
    >>> panel.y, panel.units
    (array([2., 3., 0., 1.]), array([0, 0, 1, 1]))
    """
    table = as_table(X)
    columns = (
        list(range(table.shape[1]))
        if isinstance(table, np.ndarray)
        else list(nw.from_native(table, eager_only=True).columns)
    )
    roles = Design(treatment, covariates, unit=unit, time=time).resolve(columns)
    design = Design(columns[roles.treatment], [columns[position] for position in roles.covariates])
    material = read_material(table, design)
    n = len(material.treatment)
    unit_labels, units = _codes(table, columns, roles.unit, "unit", n)
    time_labels, times = _codes(table, columns, roles.time, "time", n)
    order = np.lexsort((times, units))
    units, times = units[order], times[order]
    if roles.time is not None:
        _refuse_duplicates(units, times, order, unit_labels, time_labels)
    x = material.covariates[order]
    names = material.covariate_names
    still = None if varying is None else np.array([name not in varying for name in names], dtype=bool)
    fixed = _invariant(x, units) if still is None else still
    _check_invariant(time_invariant, names, fixed)
    return Panel(
        y=y[order], d=material.treatment[order], x=np.ascontiguousarray(x[:, ~fixed]), z=x[:, fixed],
        units=units, times=times, rows=order, unit_labels=unit_labels, time_labels=time_labels,
        x_names=tuple(name for name, flag in zip(names, fixed, strict=True) if not flag),
        z_names=tuple(name for name, flag in zip(names, fixed, strict=True) if flag),
        treatment_name=material.treatment_name,
    )  # fmt: skip


def unit_means(
    values: Float[np.ndarray, "n *p"], units: Int[np.ndarray, " n"], *, spread: bool = True
) -> np.ndarray:
    """Mean of each unit, laid back on its rows (``spread``) or one row per unit.

    Examples
    --------
    >>> unit_means(np.array([1.0, 3.0, 5.0]), np.array([0, 0, 1]))
    array([2., 2., 5.])
    """
    counts = np.bincount(units)
    flat = values.reshape(len(values), -1)
    means = np.empty((len(counts), flat.shape[1]))
    for column in range(flat.shape[1]):
        means[:, column] = np.bincount(units, flat[:, column], minlength=len(counts)) / counts
    means = means.reshape(len(counts), *values.shape[1:])
    return means[units] if spread else means


def _codes(
    table: Any, columns: list[Any], position: int | None, role: str, n: int
) -> tuple[Shaped[np.ndarray, " k"], Int[np.ndarray, " n"]]:
    import pandas as pd

    if position is None:
        if role == "unit":
            return np.arange(n), np.arange(n)
        return np.zeros(1), np.zeros(n, dtype=np.int64)
    where = f"{role} {columns[position]!r}"
    if isinstance(table, np.ndarray):
        values = table[:, position]
    else:
        values = nw.from_native(table, eager_only=True).get_column(columns[position]).to_numpy()
    missing = np.flatnonzero(pd.isna(values))
    if len(missing):
        raise DataError(
            "missing-values", f"input contains NaN: {len(missing):,} rows have no {role}; first bad rows: "
            f"{', '.join(map(str, missing[:5]))}", where=where, remedy="Fill it in, or drop these rows.",
        )  # fmt: skip
    try:
        labels, codes = np.unique(values, return_inverse=True)
    except TypeError as error:
        raise DataError(
            "mixed-labels", f"its values cannot be put in order ({error})", where=where,
            remedy="Write all of them as numbers, all as texts, or all as dates.",
        ) from error  # fmt: skip
    return labels, codes.astype(np.int64)


def _refuse_duplicates(
    units: np.ndarray, times: np.ndarray, order: np.ndarray, unit_labels: np.ndarray, time_labels: np.ndarray
) -> None:
    twice = np.flatnonzero((np.diff(units) == 0) & (np.diff(times) == 0))
    if len(twice):
        first = twice[0]
        raise DataError(
            "duplicated-unit-time", f"unit {unit_labels[units[first]]} is seen twice at time "
            f"{time_labels[times[first]]} (rows {order[first]} and {order[first + 1]}); {len(twice):,} such "
            "rows in all", where="unit and time",
            remedy="Keep one row for each unit and time, or name a finer unit.",
        )  # fmt: skip


def _invariant(x: Float[np.ndarray, "n p"], units: Int[np.ndarray, " n"]) -> Bool[np.ndarray, " p"]:
    """Columns that never change within a unit."""
    if len(units) == 0 or units[-1] + 1 == len(units):  # a row for each unit: nothing can be said
        return np.zeros(x.shape[1], dtype=bool)
    same = np.diff(units) == 0
    return np.array([not np.any(np.diff(x[:, j])[same]) for j in range(x.shape[1])], dtype=bool)


def _check_invariant(asked: Any, names: tuple[Any, ...], fixed: np.ndarray) -> None:
    for name in asked or ():
        if name not in names:
            raise DataError(
                "missing-column", f"it is not among the covariates: {', '.join(map(str, names))}",
                where=f"time_invariant {name!r}", remedy="Name it among the covariates as well.",
            )  # fmt: skip
        if not fixed[names.index(name)] and not fixed.size == 0:
            raise DataError(
                "not-invariant", "it changes within some units", where=f"time_invariant {name!r}",
                remedy="Take it out of time_invariant, or correct the rows in which it changes.",
            )  # fmt: skip
