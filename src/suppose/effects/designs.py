"""Who plays which part: treatment, outcome, covariates, clusters, and unit and time for panels.

A :class:`Design` names columns; :func:`read_material` takes them out of a frame or an array once,
checks them, and hands plain float64 arrays to the estimators. :func:`code_treatment` tells a binary
from a multi-valued and a continuous treatment.

It does not encode strings or fill in missing values: that is decided before, column by column, in
:mod:`suppose.core.tables`. Here both are refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import narwhals as nw
import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from sklearn.utils.validation import check_array

from suppose.core.errors import DataError, nearest

__all__ = ["Design", "Material", "TreatmentCode", "code_treatment", "read_material", "treatment_kind"]

MAX_ARMS = 20
Kind = Literal["binary", "multi-valued", "continuous"]


@dataclasses.dataclass(frozen=True)
class Design:
    """The part each column plays. Columns are named in frames and numbered in arrays.

    Parameters
    ----------
    treatment : str or int
        What was done, or how much of it.
    covariates : sequence of str or int, optional
        What to adjust for; every column without another part when left out.
    cluster : str or int, optional
        Rows with the same value are not independent.
    outcome, unit, time : str or int, optional
        Parts used where the outcome lies in the same table, or rows repeat units over time.

    Examples
    --------
    >>> Design("treat", covariates=("age",)).resolve(["treat", "age", "pay"]).covariates
    (1,)
    """

    treatment: str | int
    covariates: Sequence[str | int] | None = None
    cluster: str | int | None = None
    outcome: str | int | None = None
    unit: str | int | None = None
    time: str | int | None = None

    def resolve(self, columns: Sequence[Any]) -> Roles:
        """Positions of the parts among ``columns``; refuses unknown names and columns used twice."""
        single = {
            part: _position(getattr(self, part), part, columns)
            for part in ("treatment", "cluster", "outcome", "unit", "time")
        }
        taken = {position: part for part, position in single.items() if position is not None}
        if len(taken) < sum(position is not None for position in single.values()):
            _refuse_shared(single, columns)
        if self.covariates is None:
            covariates = tuple(position for position in range(len(columns)) if position not in taken)
        else:
            covariates = _covariate_positions(self.covariates, taken, columns)
        treatment = single.pop("treatment")
        assert treatment is not None
        return Roles(treatment, covariates, **single)


@dataclasses.dataclass(frozen=True)
class Roles:
    """Positions of the parts of a :class:`Design` in one table."""

    treatment: int
    covariates: tuple[int, ...]
    cluster: int | None = None
    outcome: int | None = None
    unit: int | None = None
    time: int | None = None


def _position(name: Any, part: str, columns: Sequence[Any]) -> int | None:
    if name is None:
        return None
    if isinstance(name, (int, np.integer)) and not isinstance(name, bool) and name not in columns:
        if -len(columns) <= int(name) < len(columns):
            return int(name) % len(columns)
        raise DataError(
            "missing-column", f"expected a position from 0 to {len(columns) - 1}, got {name}",
            where=f"{part} {name}", remedy=f"The table has {len(columns)} columns.",
        )  # fmt: skip
    for position, column in enumerate(columns):
        if column is name or column == name:
            return position
    shown = ", ".join(str(column) for column in columns[:12]) + (", ..." if len(columns) > 12 else "")
    raise DataError(
        "missing-column", f"there is no such column; the table has: {shown}", where=f"{part} {name!r}",
        remedy=nearest(str(name), [str(column) for column in columns]) or "Name one of its columns.",
    )  # fmt: skip


def _covariate_positions(
    names: Sequence[str | int], taken: dict[int, str], columns: Sequence[Any]
) -> tuple[int, ...]:
    if isinstance(names, str):
        raise DataError(
            "bad-covariates", f"expected a list of columns, got the text {names!r}", where="covariates",
            remedy=f"Write covariates=[{names!r}].",
        )  # fmt: skip
    positions = tuple(_position(name, "covariate", columns) for name in names)
    for name, position in zip(names, positions, strict=True):
        if position in taken:
            raise DataError(
                "column-used-twice", f"it is the {taken[position]} and cannot be a covariate as well",
                where=f"column {name!r}", remedy="Take it out of the covariates.",
            )  # fmt: skip
        if positions.count(position) > 1:
            raise DataError(
                "column-used-twice", "it is named twice among the covariates", where=f"column {name!r}",
                remedy="Name it once.",
            )  # fmt: skip
    return tuple(position for position in positions if position is not None)


def _refuse_shared(single: dict[str, int | None], columns: Sequence[Any]) -> None:
    seen: dict[int, str] = {}
    for part, position in single.items():
        if position in seen:
            raise DataError(
                "column-used-twice", f"it is both the {seen[position]} and the {part}",
                where=f"column {columns[position]!r}", remedy="Give each part its own column.",
            )  # fmt: skip
        if position is not None:
            seen[position] = part


@dataclasses.dataclass(frozen=True)
class Material:
    """Checked arrays of one table.

    ``covariates`` is (n, p) float64 in row order of the table and C layout, ``treatment`` (n,) float64,
    ``clusters`` (n,) int codes 0..C-1 or None; the names are those of the columns.
    """

    covariates: np.ndarray
    treatment: np.ndarray
    clusters: np.ndarray | None
    covariate_names: tuple[str | int, ...]
    treatment_name: str | int


def read_material(X: Any, design: Design) -> Material:
    """Take the columns of a design out of a frame (pandas, polars, pyarrow) or a two-way array.

    Parameters
    ----------
    X : frame or (n, columns) array
        Numbers and booleans; the cluster column may hold anything.
    design : Design

    Returns
    -------
    Material

    Raises
    ------
    DataError
        For unknown columns, text, missing or infinite values: names the column and its first bad rows.

    Examples
    --------
    >>> read_material(np.eye(3), Design(0)).covariates.shape
    (3, 2)
    """
    table = as_table(X)
    if not isinstance(table, np.ndarray):
        return _read_frame(table, design)
    roles = design.resolve(range(table.shape[1]))
    names = tuple(range(table.shape[1]))
    used = (roles.treatment, *roles.covariates)
    _refuse_not_finite(table, used)
    clusters = None if roles.cluster is None else _cluster_codes(table[:, roles.cluster])
    covariates = np.ascontiguousarray(table[:, list(roles.covariates)])
    treatment = np.ascontiguousarray(table[:, roles.treatment])
    return Material(covariates, treatment, clusters, roles.covariates, names[roles.treatment])


class WrongType(DataError, TypeError):  # noqa: N818 (a refusal, as users meet it)
    """A table that holds something that is no number (also a ``TypeError``, as scikit-learn asks)."""


def as_table(X: Any) -> Any:
    """Frames as they are; everything else as an (n, columns) float64 array, or refused."""
    if nw.dependencies.is_into_dataframe(X):
        return X
    try:
        return check_array(
            X, dtype=np.float64, ensure_all_finite=False, input_name="X", estimator="the estimator"
        )
    except (ValueError, TypeError) as error:
        kind = WrongType if isinstance(error, TypeError) else DataError
        raise kind(
            "bad-table", str(error).strip(), where="X", remedy="Give a frame or a two-way array of numbers."
        ) from error


def _refuse_not_finite(table: np.ndarray, positions: Sequence[int]) -> None:
    if np.isfinite(np.sum(table)):  # cheap: any nan or inf anywhere shows in the sum
        return
    for position in positions:
        refuse_bad_values(table[:, position], f"column {position}")


def refuse_bad_values(values: Float[np.ndarray, " n"], where: str) -> None:
    """Refuse missing (NaN) and infinite values of one column, naming its first bad rows."""
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad) == 0:
        return
    rows = ", ".join(str(row) for row in bad[:5]) + (", ..." if len(bad) > 5 else "")
    missing = np.isnan(values[bad])
    if missing.any():
        raise DataError(
            "missing-values", f"input contains NaN: {int(missing.sum()):,} of {len(values):,} values are "
            f"missing; first bad rows: {rows}", where=where,
            remedy="Drop these rows, or fill them in before, in a way you can state.",
        )  # fmt: skip
    raise DataError(
        "infinite-values", f"input contains infinity: {len(bad):,} of {len(values):,} values are infinite; "
        f"first bad rows: {rows}", where=where, remedy="Correct them, or drop these rows.",
    )  # fmt: skip


def _read_frame(X: Any, design: Design) -> Material:
    try:
        frame = nw.from_native(X, eager_only=True)
        columns = list(frame.columns)
    except Exception as error:  # narwhals raises its own classes, e.g. for duplicate names
        raise DataError(
            "bad-table", str(error).strip(), where="X", remedy="Name each column once."
        ) from error
    _refuse_duplicates(columns)
    roles = design.resolve(columns)
    n = len(frame)
    covariates = np.empty((n, len(roles.covariates)))
    for place, position in enumerate(roles.covariates):
        covariates[:, place] = _numbers(frame, columns[position])
    treatment = _numbers(frame, columns[roles.treatment])
    clusters = None
    if roles.cluster is not None:
        clusters = _cluster_codes(frame.get_column(columns[roles.cluster]).to_numpy())
    names = tuple(columns[position] for position in roles.covariates)
    return Material(covariates, treatment, clusters, names, columns[roles.treatment])


def _refuse_duplicates(columns: list[Any]) -> None:
    seen: set[Any] = set()
    for column in columns:
        if column in seen:
            raise DataError(
                "duplicate-column", "the table has more than one column of this name",
                where=f"column {column!r}", remedy="Rename or drop all but one.",
            )  # fmt: skip
        seen.add(column)


def _numbers(frame: Any, name: Any) -> Float[np.ndarray, " n"]:
    column = frame.get_column(name)
    if not (column.dtype.is_numeric() or column.dtype == nw.Boolean):
        column = _numbers_in_objects(column, name)
    values = column.cast(nw.Float64).to_numpy() if not isinstance(column, np.ndarray) else column
    values = np.ascontiguousarray(values, dtype=np.float64)
    refuse_bad_values(values, f"column {name!r}")
    return values


def _numbers_in_objects(column: Any, name: Any) -> Float[np.ndarray, " n"]:
    """Numbers stored as Python objects are taken; anything else is refused."""
    try:
        if column.dtype == nw.Object:
            return np.asarray(column.to_numpy(), dtype=np.float64)
    except (ValueError, TypeError):
        pass
    example = column.head(1).to_list()
    raise DataError(
        "not-numeric", f"expected numbers, got values of type {column.dtype}, for example {example[0]!r}"
        if example else f"expected numbers, got an empty column of type {column.dtype}",
        where=f"column {name!r}", remedy="Encode it as numbers first, one column per category.",
    )  # fmt: skip


def _cluster_codes(values: Shaped[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Codes 0..C-1 of the clusters, in the order of their first rows."""
    import pandas as pd

    codes, labels = pd.factorize(values)
    if np.any(codes < 0):
        rows = ", ".join(str(row) for row in np.flatnonzero(codes < 0)[:5])
        raise DataError(
            "missing-values", f"input contains NaN; first bad rows: {rows}", where="the cluster column",
            remedy="Give each row a cluster, or drop these rows.",
        )  # fmt: skip
    if len(labels) < 2:
        raise DataError(
            "one-cluster", "all rows have the same cluster, so nothing is known about how clusters differ",
            where="the cluster column", remedy="Give at least two clusters, or leave the cluster out.",
        )  # fmt: skip
    return np.asarray(codes, dtype=np.int64)


def treatment_kind(treatment: Float[np.ndarray, " n"]) -> Kind:
    """Whether a treatment is binary, multi-valued or continuous.

    Two values make it binary. Up to 20 values make it multi-valued if they are whole numbers or repeat
    at least ten times on average. Everything else is continuous.

    Raises
    ------
    DataError
        When every row has the same value.

    Examples
    --------
    >>> treatment_kind(np.array([0.0, 1.0, 2.0, 0.0])), treatment_kind(np.array([0.1, 1.2, 2.3, 0.4]))
    ('multi-valued', 'continuous')
    """
    values = np.unique(treatment)
    if len(values) < 2:
        raise DataError(
            "constant-treatment", f"expected rows with and without treatment, got one class: all "
            f"{len(treatment):,} rows (n_samples = {len(treatment)}) have the value {treatment[0]:g}",
            where="treatment", remedy="Add the rows to compare with, or name another treatment.",
        )  # fmt: skip
    if len(values) == 2:
        return "binary"
    whole = bool(np.all(values == np.round(values)))
    if len(values) <= MAX_ARMS and (whole or len(treatment) >= 10 * len(values)):
        return "multi-valued"
    return "continuous"


@dataclasses.dataclass(frozen=True)
class TreatmentCode:
    """Discrete treatment as codes: ``arms`` (values, the reference first), ``index`` (n,) into them."""

    arms: np.ndarray
    index: np.ndarray

    def strata(self) -> Int[np.ndarray, " n"]:
        """Codes in the order of the values, whatever the reference, so that folds do not depend on it."""
        return np.asarray(np.argsort(np.argsort(self.arms))[self.index])

    def indicator(self) -> Bool[np.ndarray, "n arms"]:
        """Whether each row has each arm."""
        return np.asarray(self.index[:, None] == np.arange(len(self.arms)))


def code_treatment(
    treatment: Float[np.ndarray, " n"], *, reference: float | None = None, minimum: int = 2
) -> TreatmentCode:
    """Code a discrete treatment, the reference arm first (the smallest value when none is named).

    Raises
    ------
    DataError
        For a continuous or constant treatment, an unknown reference, or an arm with fewer than
        ``minimum`` rows.

    Examples
    --------
    >>> code_treatment(np.array([2.0, 1.0, 2.0, 1.0]), reference=2).arms
    array([2., 1.])
    """
    if treatment_kind(treatment) == "continuous":
        raise DataError(
            "continuous-treatment", f"expected at most {MAX_ARMS} distinct values, got "
            f"{len(np.unique(treatment)):,}: this is a continuous exposure", where="treatment",
            remedy="Use PartiallyLinear for the effect per unit, or set cutoff (a value or 'median') to "
            "compare rows above it with the others.",
        )  # fmt: skip
    arms, index, counts = np.unique(treatment, return_inverse=True, return_counts=True)
    if counts.min() < minimum:
        arm = arms[counts.argmin()]
        raise DataError(
            "arm-too-small", f"expected at least {minimum} rows with each value, got {counts.min()} with the "
            f"value {arm:g} (n_samples = {len(treatment)})", where="treatment",
            remedy="Use fewer folds, merge this arm with another, or add rows.",
        )  # fmt: skip
    if reference is None:
        return TreatmentCode(arms, index.astype(np.int64))
    found = np.flatnonzero(arms == reference)
    if len(found) == 0:
        raise DataError(
            "unknown-reference", f"expected one of {', '.join(f'{arm:g}' for arm in arms)}, "
            f"got {reference!r}", where="reference",
            remedy="Name the value of the treatment to compare the others with.",
        )  # fmt: skip
    order = np.r_[found, np.delete(np.arange(len(arms)), found)]
    rank = np.empty(len(arms), dtype=np.int64)
    rank[order] = np.arange(len(arms))
    return TreatmentCode(arms[order], rank[index])
