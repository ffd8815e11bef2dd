"""What a survival estimator reads: durations and the columns that say how each row was observed.

``fit(X, y)`` gets the durations as ``y``; event, entry, upper bound, weights and clusters are columns of ``X`` named in
the constructor, all other columns are covariates. Numbers and booleans are taken as they are, text and categorical
columns become categories with sorted levels. Every refusal about data is made here, once, with the first bad row
(counted from 0, as in the sibling estimators).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import narwhals as nw
import numpy as np
from sklearn.utils.validation import validate_data

from suppose.core.errors import DataError, nearest
from suppose.effects.base import is_number
from suppose.effects.designs import as_table, refuse_bad_values
from suppose.effects.survival.formula import Column

__all__ = ["Observed", "SurvivalRoles", "read_covariates", "read_survival"]

MAX_LEVELS = 200


@dataclasses.dataclass(frozen=True)
class SurvivalRoles:
    """The part each column plays; a name in frames, a position in arrays."""

    event: Any = None
    entry: Any = None
    upper: Any = None
    weights: Any = None
    cluster: Any = None

    def named(self) -> dict[str, Any]:
        """The roles that are given."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if getattr(self, field.name) is not None
        }


@dataclasses.dataclass(frozen=True)
class Observed:
    """How each row was observed, and its covariates.

    Attributes
    ----------
    time, event, entry, upper, weight : (n,) arrays
        Durations in the user's unit; 1 for an event; start of observation (0 from the start); upper bound
        of an interval-censored event (NaN: none); weights.
    clusters : (n,) int array or None
        Codes of groups whose rows are not independent.
    covariates : dict
        Name to :class:`~suppose.effects.survival.formula.Column`, in the order of the table.
    """

    time: np.ndarray
    event: np.ndarray
    entry: np.ndarray
    upper: np.ndarray
    weight: np.ndarray
    clusters: np.ndarray | None
    covariates: dict[str, Column]

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.time)

    @property
    def events(self) -> int:
        """Number of rows with an event, interval-censored ones included."""
        return int(((self.event == 1) | ~np.isnan(self.upper)).sum())


def read_survival(
    estimator: Any, X: Any, y: Any, roles: SurvivalRoles, wanted: set[str] | None = None
) -> Observed:
    """Check a table and take its columns out; sets ``n_features_in_`` and names on the estimator.

    Only the ``wanted`` covariates are read from a frame (None: all), so that others may have gaps; an array is
    checked whole.

    Raises
    ------
    DataError
        For durations that are missing or not positive, events other than 0 and 1, no events at all, an entry at
        or after the end, an upper bound at or below the duration, weights that are not positive, and columns
        that are not there; each names its first bad rows.
    """
    if y is None:
        raise DataError(
            "missing-outcome", f"{type(estimator).__name__} requires y to be passed, but the target y is None",
            where="y", remedy="Give the durations, one number per row.",
        )  # fmt: skip
    X = as_table(X)
    note_columns(estimator, X, reset=True)
    table, names = _table(X)
    n = len(X)
    parts = {
        role: table(_find(name, role, names), f"{role} {name!r}") for role, name in roles.named().items()
    }
    if len({str(_find(name, role, names)) for role, name in roles.named().items()}) < len(parts):
        raise DataError(
            "column-used-twice", "one column is given two roles", where="roles",
            remedy="Give each role its own column.",
        )  # fmt: skip
    taken = {_find(name, role, names) for role, name in roles.named().items()}
    upper = _upper(parts.get("upper"), n, roles.upper)
    time = _durations(y, n, ~np.isnan(upper))
    event = _events(parts.get("event"), n, roles.event)
    entry = _entry(parts.get("entry"), time, roles.entry)
    _refuse_order(time, upper, roles.upper)
    if not ((event == 1) | ~np.isnan(upper)).any():
        raise DataError(
            "no-events", f"none of the {n:,} rows has an event, so nothing is known about when it comes",
            where="event", remedy="Code an observed event as 1 and a censored row as 0.",
        )  # fmt: skip
    weight = _weights(parts.get("weights"), n, roles.weights)
    covariates = _wanted(X, [name for name in names if name not in taken], wanted)
    clusters = None if "cluster" not in parts else _codes(parts["cluster"])
    return Observed(time, event, entry, upper, weight, clusters, covariates)


def read_covariates(estimator: Any, X: Any, fitted: dict[str, Column]) -> tuple[dict[str, Column], int]:
    """Covariates of new rows, coded with the levels of the fit, and their number.

    Raises
    ------
    DataError
        For missing columns, values that are missing, and levels the fit has not seen.
    """
    X = as_table(X)
    if isinstance(X, np.ndarray) or set(getattr(estimator, "feature_names_in_", ())) <= set(X.columns):
        note_columns(estimator, X if isinstance(X, np.ndarray) else _in_order(estimator, X), reset=False)
    _, names = _table(X)
    if isinstance(X, np.ndarray):
        _refuse_array_gaps(X, [name for name in names if not fitted or _label(name) in fitted])
    known = {_label(name): name for name in names}
    found = {}
    for name, column in fitted.items():
        if name not in known:
            raise DataError(
                "missing-column", f"there is no such column; the table has: {', '.join(known)}",
                where=f"column {name!r}", remedy=nearest(name, known) or "Give the columns of the fit.",
            )  # fmt: skip
        found[name] = _covariate(X, known[name], column.levels, known=True)
    return found, len(X)


def covariate_names(estimator: Any) -> tuple[str, ...]:
    """Names of all columns of a fitted estimator's table that have no role, used by it or not."""
    given = getattr(estimator, "feature_names_in_", None)
    names: list[Any] = list(range(estimator.n_features_in_)) if given is None else list(given)
    roles = SurvivalRoles(
        *(getattr(estimator, field.name, None) for field in dataclasses.fields(SurvivalRoles))
    )
    taken = {_find(name, role, names) for role, name in roles.named().items()}
    return tuple(_label(name) for name in names if name not in taken)


def note_columns(estimator: Any, X: Any, *, reset: bool) -> None:
    """Number and names of columns, checked by scikit-learn's own rules."""
    try:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    except (ValueError, TypeError) as error:
        raise DataError(
            "columns-differ", str(error).strip(), where="X",
            remedy="Give the columns the estimator was fitted with, in the same order.",
        ) from error  # fmt: skip


def _in_order(estimator: Any, X: Any) -> Any:
    names = getattr(estimator, "feature_names_in_", None)
    return X if names is None else nw.from_native(X, eager_only=True).select(list(names)).to_native()


def _table(X: Any) -> tuple[Any, list[Any]]:
    """A function from a column to its values, and the names of the columns."""
    if isinstance(X, np.ndarray):
        return lambda name, where: X[:, name], list(range(X.shape[1]))
    frame = nw.from_native(X, eager_only=True)
    names = list(frame.columns)
    return lambda name, where: frame.get_column(name).to_numpy(), names


def _find(name: Any, role: str, names: list[Any]) -> Any:
    if any(name is item or name == item for item in names):
        return name
    if is_number(name) and -len(names) <= int(name) < len(names):
        return names[int(name)]
    shown = ", ".join(str(item) for item in names[:12]) + (", ..." if len(names) > 12 else "")
    raise DataError(
        "missing-column", f"there is no such column; the table has: {shown}", where=f"{role} {name!r}",
        remedy=nearest(str(name), [str(item) for item in names]) or "Name one of its columns.",
    )  # fmt: skip


def _wanted(X: Any, names: list[Any], wanted: set[str] | None) -> dict[str, Column]:
    if isinstance(X, np.ndarray):
        _refuse_array_gaps(X, names)
    known = {_label(name): name for name in names}
    for name in sorted(wanted or ()):
        if name not in known:
            raise DataError(
                "missing-column", f"there is no such covariate; there are: {', '.join(known) or 'none'}",
                where=f"column {name!r}", remedy=nearest(name, known) or "Name one of these.",
            )  # fmt: skip
    return {label: _covariate(X, name) for label, name in known.items() if wanted is None or label in wanted}


def _refuse_array_gaps(X: np.ndarray, names: list[Any]) -> None:
    for name in names:
        refuse_bad_values(np.ascontiguousarray(X[:, name]), f"column {name}")


def _label(name: Any) -> str:
    """Name of a column; columns of arrays are called x0, x1, ..."""
    return f"x{name}" if isinstance(name, int) else str(name)


def _numbers(values: Any, where: str) -> np.ndarray:
    try:
        found = np.asarray(values)
        if found.dtype.kind == "c":
            raise TypeError("Complex data not supported")
        return np.ascontiguousarray(found, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise DataError(
            "not-numeric", f"expected numbers: {str(error).strip()}", where=where,
            remedy="Encode the column as numbers first.",
        ) from error  # fmt: skip


def _refuse(code: str, bad: np.ndarray, values: np.ndarray, expected: str, where: str, remedy: str) -> None:
    """Refuse the rows marked bad, naming the first and its value."""
    if not bad.any():
        return
    first = int(np.flatnonzero(bad)[0])
    count = int(bad.sum())
    more = f" ({count:,} rows in all)" if count > 1 else ""
    raise DataError(
        code, f"expected {expected}, got {values[first]:g} in row {first}{more}", where=where, remedy=remedy
    )


def _durations(y: Any, n: int, may_be_zero: np.ndarray) -> np.ndarray:
    from suppose.effects.base import read_outcome

    time = read_outcome(y, n)
    bad = (time < 0) | ((time == 0) & ~may_be_zero)
    _refuse(
        "bad-duration", bad, time, "durations above 0", "y",
        "Durations count from the start of observation; a length of 0 may stand only beside an upper bound.",
    )  # fmt: skip
    return time


def _events(values: Any, n: int, name: Any) -> np.ndarray:
    if values is None:
        return np.ones(n)
    where = f"event {name!r}"
    event = _numbers(values, where)
    refuse_bad_values(event, where)
    _refuse(
        "bad-event", ~np.isin(event, (0.0, 1.0)), event, "1 for an event and 0 for a censored row", where,
        "Recode the column, for example status == 2.",
    )  # fmt: skip
    return event


def _entry(values: Any, time: np.ndarray, name: Any) -> np.ndarray:
    if values is None:
        return np.zeros(len(time))
    where = f"entry {name!r}"
    entry = _numbers(values, where)
    refuse_bad_values(entry, where)
    _refuse("bad-entry", entry < 0, entry, "starts of observation of 0 or later", where, "Count from 0.")
    _refuse(
        "bad-entry", entry >= time, entry, "a start of observation before the duration", where,
        "Rows that were never at risk must be left out.",
    )  # fmt: skip
    return entry


def _upper(values: Any, n: int, name: Any) -> np.ndarray:
    if values is None:
        return np.full(n, np.nan)
    upper = _numbers(values, f"upper {name!r}")
    return np.where(np.isinf(upper), np.nan, upper)


def _refuse_order(time: np.ndarray, upper: np.ndarray, name: Any) -> None:
    _refuse(
        "bad-upper", upper <= time, upper, "an upper bound above the duration", f"upper {name!r}",
        "Leave it empty for an event at a known time or a row without one.",
    )  # fmt: skip


def _weights(values: Any, n: int, name: Any) -> np.ndarray:
    if values is None:
        return np.ones(n)
    where = f"weights {name!r}"
    weight = _numbers(values, where)
    refuse_bad_values(weight, where)
    _refuse("bad-weight", weight <= 0, weight, "weights above 0", where, "Leave rows without weight out.")
    return weight


def _codes(values: Any) -> np.ndarray:
    texts = np.asarray([str(value) for value in values])
    codes = np.unique(texts, return_inverse=True)[1]
    if codes.max() == 0:
        raise DataError(
            "one-cluster", "all rows have the same cluster, so nothing is known about how clusters differ",
            where="the cluster column", remedy="Give at least two clusters, or leave the cluster out.",
        )  # fmt: skip
    return np.asarray(codes, dtype=np.int64)


def _covariate(X: Any, name: Any, levels: tuple[str, ...] | None = None, *, known: bool = False) -> Column:
    where = f"column {name!r}"
    if isinstance(X, np.ndarray):
        values = np.ascontiguousarray(X[:, name])
        refuse_bad_values(values, where)
        return Column(values)
    series = nw.from_native(X, eager_only=True).get_column(name)
    text = series.dtype in (nw.String, nw.Object, nw.Categorical, nw.Enum)
    if text and series.dtype == nw.Object and not known:
        text = any(isinstance(value, str) for value in series.to_list())
    if known:
        text = levels is not None
    if not text:
        values = _numbers(series.to_numpy(), where)
        refuse_bad_values(values, where)
        return Column(values)
    return _category(series, where, levels)


def _category(series: Any, where: str, levels: tuple[str, ...] | None) -> Column:
    raw = series.to_list()
    absent = np.array([value is None or value != value for value in raw])
    if absent.any():
        rows = ", ".join(str(row) for row in np.flatnonzero(absent)[:5])
        raise DataError(
            "missing-values", f"input contains NaN: {int(absent.sum()):,} of {len(raw):,} values are missing; "
            f"first bad rows: {rows}", where=where, remedy="Drop these rows, or fill them in before.",
        )  # fmt: skip
    texts = np.asarray([str(value) for value in raw])
    found = np.unique(texts)
    if levels is None:
        if len(found) > MAX_LEVELS:
            raise DataError(
                "too-many-levels", f"it has {len(found):,} different texts, more than {MAX_LEVELS}", where=where,
                remedy="It looks like an identifier: leave it out or group its levels.",
            )  # fmt: skip
        return Column(np.searchsorted(found, texts), tuple(str(level) for level in found))
    strange = sorted({str(level) for level in found} - set(levels))
    if strange:
        raise DataError(
            "unknown-level", f"the fit has not seen {strange[0]!r}; it knows {', '.join(levels)}", where=where,
            remedy="Leave these rows out, or fit with rows that have it.",
        )  # fmt: skip
    return Column(np.searchsorted(np.asarray(levels), texts), levels)
