"""Times to an event: a world with known truth, a shipped study of rearrest, and two readers of the user's own files.

The world draws from the adapted power generalised Weibull law (Burke, Jones & Noufaily, JRSS C 69, 2020) with
covariates on any of its parameters, by inverting the cumulative hazard at a standard exponential draw: a row is
cured when the draw exceeds what the cumulative hazard ever reaches. Their simulation crosses gamma in {0.5, 1, 2},
kappa in {-0.5, 0, 1, 2}, n in {100, 500, 1000} and censoring of 0, 30 and 60%; the covariate's design is ours.

Data under the GPL (the veterans' trial and NCCTG lung cancer in R packages, the E1684 melanoma trial) cannot travel
with the package: :func:`load_veterans` and :func:`load_lung_cancer` read them from a file of the user.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import narwhals as nw
import numpy as np
from jaxtyping import Float

from suppose.core.errors import DataError, nearest
from suppose.core.random import generator
from suppose.core.tables import read_table
from suppose.datasets.shipped import read_shipped

__all__ = [
    "SimulatedSurvival",
    "invert_cumulative_hazard",
    "load_lung_cancer",
    "load_rossi",
    "load_veterans",
    "make_survival",
]

CENSORING = ("uniform", "exponential", "administrative")
PILOT = 20_000  # draws of their own on which the censoring is tuned
CELLS = ("squamous", "smallcell", "adeno", "large")


@dataclass(frozen=True)
class SimulatedSurvival:
    """Simulated durations and the law they come from.

    Attributes
    ----------
    frame : pandas.DataFrame
        Columns ``time``, ``event`` (1: seen, 0: censored) and ``x`` where there is a covariate.
    truth : Mapping[str, float]
        Coefficients under the names of :class:`~suppose.effects.FlexibleSurvival`, ``kappa``, and the
        share cured.
    censored : float
        Share of rows without an event.
    """

    frame: Any
    truth: Mapping[str, float]
    censored: float

    @property
    def X(self) -> Any:  # noqa: N802 (the field's symbol)
        """All columns but the durations."""
        return self.frame.drop(columns="time")

    @property
    def y(self) -> Any:
        """The durations."""
        return self.frame["time"]

    def to_frame(self) -> Any:
        """The truth, one row per quantity, as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame({"quantity": list(self.truth), "value": list(self.truth.values())})

    def __str__(self) -> str:
        truth = ", ".join(f"{name} {value:.4g}" for name, value in self.truth.items())
        return f"make_survival: {len(self.frame):,} rows, {self.censored:.0%} censored; true {truth}"


def invert_cumulative_hazard(
    target: Float[np.ndarray, "..."], phi: Any, gamma: Any, kappa: Any
) -> Float[np.ndarray, "..."]:
    """Times at which the baseline cumulative hazard reaches ``target``; infinite where it never does.

    Parameters
    ----------
    target : array of any shape
        Cumulative hazard over lambda, 0 or more.
    phi, gamma, kappa : float or array of that shape
        Parameters of the law; ``kappa`` above -1, ``inf`` allowed.

    Examples
    --------
    >>> invert_cumulative_hazard(np.array([0.5, 2.0]), 1.0, 1.0, -0.5)
    array([1.5, inf])
    """
    target = np.asarray(target, dtype=np.float64)
    kappa = np.broadcast_to(np.asarray(kappa, dtype=np.float64), target.shape)
    endless, near = np.isinf(kappa), np.abs(kappa) < 1e-9
    safe = np.where(endless | near, 1.0, kappa)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        inside = safe * target / (safe + 1.0)
        usual = (safe + 1.0) * np.expm1(np.log1p(np.maximum(inside, -1.0)) / safe)
        power = np.where(inside > -1.0, usual, np.inf)
        power = np.where(near, np.expm1(target), np.where(endless, np.log1p(target), power))
        return np.asarray(power ** (1.0 / np.asarray(gamma)) / np.asarray(phi))


def make_survival(
    n: int = 500,
    *,
    lambda_: Sequence[float] = (0.0,),
    phi: Sequence[float] = (0.0,),
    gamma: Sequence[float] = (0.0,),
    kappa: float = 1.0,
    x: str = "binary",
    censor_rate: float = 0.3,
    censoring: str = "uniform",
    seed: int = 0,
) -> SimulatedSurvival:
    """Durations from the adapted power generalised Weibull law, right-censored.

    Parameters
    ----------
    n : int
        Rows, at least 2.
    lambda_, phi, gamma : sequence of one or two floats
        Intercept and, where the covariate acts, its coefficient, on the logarithm of the parameter.
    kappa : float
        Shape in the tail, above -1; below 0 a share is cured.
    x : {"binary", "normal"}
        The covariate: 0 or 1 with equal chance, or standard normal. There is none when no parameter has a slope.
    censor_rate : float
        Share of rows censored, 0 to 0.95. The cured are always among them, so the share cannot be smaller
        than theirs.
    censoring : {"uniform", "exponential", "administrative"}
        Law of the independent end of follow-up, tuned to the rate on draws of its own.
    seed : int
        Seed of the draw.

    Raises
    ------
    DataError
        ``bad-generator-argument``.

    Examples
    --------
    >>> world = make_survival(n=2000, gamma=(0.7, 0.0), kappa=-0.5, lambda_=(0.0, -0.5), seed=3)
    >>> bool(abs(world.censored - world.truth["cured"]) < 0.05)  # more are cured than were to be censored
    True
    >>> sorted(world.frame.columns)
    ['event', 'time', 'x']
    """
    import pandas as pd

    _check(n, {"lambda_": lambda_, "phi": phi, "gamma": gamma}, kappa, x, censor_rate, censoring)
    slopes = any(len(item) > 1 for item in (lambda_, phi, gamma))
    times, covariate, cured = _draw(n, lambda_, phi, gamma, kappa, x, seed, "times")
    pilot = _draw(PILOT, lambda_, phi, gamma, kappa, x, seed, "pilot")[0]
    end = _follow_up(n, pilot, float(censor_rate), censoring, seed)
    event = times <= end
    columns: dict[str, Any] = {"time": np.minimum(times, end), "event": event.astype(np.int64)}
    if slopes:
        columns["x"] = covariate.astype(np.int64) if x == "binary" else covariate
    truth: dict[str, float] = {}
    for name, item in (("lambda", lambda_), ("phi", phi), ("gamma", gamma)):
        truth[f"{name}: intercept"] = float(item[0])
        if len(item) > 1:
            truth[f"{name}: x"] = float(item[1])
    truth |= {"kappa": float(kappa), "cured": float(cured.mean())}
    return SimulatedSurvival(pd.DataFrame(columns), MappingProxyType(truth), float(1 - event.mean()))


def _check(
    n: int, parts: dict[str, Sequence[float]], kappa: float, x: str, censor_rate: float, censoring: str
) -> None:
    wrong: tuple[str, str, Any] | None = None
    for name, item in parts.items():
        if not 1 <= len(item) <= 2:
            wrong = (name, "an intercept and at most one coefficient", item)
    if n < 2:
        wrong = ("n", "at least 2 rows", n)
    if not kappa > -1:
        wrong = ("kappa", "a number above -1", kappa)
    if x not in ("binary", "normal"):
        wrong = ("x", "'binary' or 'normal'", x)
    if not 0 <= censor_rate <= 0.95:
        wrong = ("censor_rate", "a share from 0 to 0.95", censor_rate)
    if censoring not in CENSORING:
        wrong = ("censoring", f"one of {', '.join(CENSORING)}", censoring)
    if wrong is not None:
        raise DataError(
            "bad-generator-argument", f"expected {wrong[1]}, got {wrong[2]!r}", where=f"argument {wrong[0]!r}",
            remedy="See the documentation of make_survival.",
        )  # fmt: skip


def _draw(
    n: int, lambda_: Any, phi: Any, gamma: Any, kappa: float, x: str, seed: int, part: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times without censoring, the covariate, and the chance of each row to be cured."""
    random = generator(seed, "make_survival", part)
    values = random.integers(0, 2, n).astype(float) if x == "binary" else random.standard_normal(n)
    logs = [
        float(p[0]) + (float(p[1]) * values if len(p) > 1 else np.zeros(n)) for p in (lambda_, phi, gamma)
    ]
    b, c, a = (np.exp(log) for log in logs)
    times = invert_cumulative_hazard(random.exponential(size=n) / b, c, a, kappa)
    cured = np.exp(b * (kappa + 1) / kappa) if kappa < 0 else np.zeros(n)
    return np.maximum(times, np.finfo(float).tiny), values, cured


def _follow_up(n: int, pilot: np.ndarray, rate: float, censoring: str, seed: int) -> np.ndarray:
    """End of follow-up of each row, tuned so that the wanted share of the pilot draws is censored."""
    random, other = generator(seed, "make_survival", "ends"), generator(seed, "make_survival", "pilot ends")
    last = float(np.quantile(pilot[np.isfinite(pilot)], 0.999))
    if rate <= float(np.isinf(pilot).mean()):  # only the cured: follow up as long as events come
        return np.full(n, last if np.isinf(pilot).any() else np.inf)
    ends, tried = _end_shapes(random, n, censoring), _end_shapes(other, len(pilot), censoring)
    low, high = math.log(last) - 40.0, math.log(last) + 40.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if np.mean(pilot > tried * math.exp(middle)) > rate else (low, middle)
    return np.asarray(np.maximum(ends * math.exp(high), np.finfo(float).tiny))


def _end_shapes(random: np.random.Generator, size: int, censoring: str) -> np.ndarray:
    if censoring == "uniform":
        return random.random(size)
    return random.exponential(size=size) if censoring == "exponential" else np.ones(size)


def load_rossi(*, frame: str = "pandas") -> Any:
    """Rearrest after prison: 432 men released in Maryland and followed for a year, half given money by lot.

    Parameters
    ----------
    frame : {"pandas", "polars", "pyarrow"}
        Library of the frame returned.

    Returns
    -------
    frame
        ``week`` of the first arrest (or 52), ``arrest`` (1: arrested), ``fin`` (1: given financial aid, by
        lot), ``age`` (years), ``race`` (1: Black), ``wexp`` (1: worked full time before), ``mar`` (1: married),
        ``paro`` (1: on parole), ``prio`` (convictions before).

    Raises
    ------
    DataError
        ``unknown-frame`` or ``frame-not-installed``.

    References
    ----------
    P. Rossi, R. Berk and K. Lenihan, Money, Work and Crime: Some Experimental Results, Academic Press, 1980.

    Examples
    --------
    >>> rossi = load_rossi()
    >>> len(rossi), int(rossi["arrest"].sum())
    (432, 114)
    """
    return read_shipped("rossi", frame)


def load_veterans(path: str | Path, *, frame: str = "pandas") -> Any:
    """The Veterans' Administration lung cancer trial, from the user's file.

    Takes the two layouts in circulation (``veteran`` of the R package survival, ``VA`` of MASS) and gives the
    names and codes of the first, with ``trt`` 0 for standard and 1 for the test treatment.

    Parameters
    ----------
    path : path
        A CSV, Parquet or Feather file of 137 rows.
    frame : {"pandas", "polars", "pyarrow"}
        Library of the frame returned.

    Returns
    -------
    frame
        ``trt`` (0 or 1), ``celltype``, ``time`` (days), ``status`` (1: died), ``karno`` (Karnofsky score, 0 to
        100), ``diagtime`` (months), ``age`` (years), ``prior`` (0 or 10).

    Raises
    ------
    DataError
        ``not-this-study`` when columns or rows are not those of the trial.

    References
    ----------
    J. Kalbfleisch and R. Prentice, The Statistical Analysis of Failure Time Data, Wiley, 1980, 223-224.
    """
    table = read_table(Path(path))
    if "stime" in table.columns:
        table = table.rename({"stime": "time", "treat": "trt", "Karn": "karno", "cell": "celltype"} | (
            {"diag.time": "diagtime"} if "diag.time" in table.columns else {}))  # fmt: skip
        cells = [CELLS[int(code) - 1] for code in table["celltype"].to_list()]
        table = table.with_columns(nw.new_series("celltype", cells, backend=table.implementation))
    names = ("trt", "celltype", "time", "status", "karno", "diagtime", "age", "prior")
    _require_study(table, names, 137, "veterans' lung cancer trial")
    table = table.select(*names).with_columns(trt=(nw.col("trt").cast(nw.Int64) - 1))
    return _as(table, frame)


def load_lung_cancer(
    path: str | Path, *, duration: str, event: str, covariates: Sequence[str] = (), frame: str = "pandas"
) -> Any:
    """A study of lung cancer from the user's file, with the columns a survival question needs.

    The Northern Ireland data of the paper are in no package; whoever has them, or any other such study, names
    the columns here.

    Parameters
    ----------
    path : path
        CSV, Parquet or Feather.
    duration, event : str
        Column of the time, and of the event coded 0/1 (or 1/2, which is recoded to 0/1).
    covariates : sequence of str
        Columns to keep beside them; all others when left out.
    frame : {"pandas", "polars", "pyarrow"}
        Library of the frame returned.

    Returns
    -------
    frame
        ``time``, ``event`` (0 or 1) and the covariates; rows with a missing time or event are left out.

    Raises
    ------
    DataError
        For a file that cannot be read, a column that is not there, or an event with other codes.
    """
    table = read_table(Path(path))
    others = [name for name in table.columns if name not in (duration, event)]
    wanted = [duration, event, *(covariates or others)]
    for name in wanted:
        if name not in table.columns:
            raise DataError(
                "missing-column", f"there is no such column; the table has: {', '.join(table.columns)}",
                where=f"column {name!r}", remedy=nearest(name, table.columns) or "Name one of its columns.",
            )  # fmt: skip
    table = table.select(*wanted).drop_nulls(subset=[duration, event])
    table = table.rename({duration: "time", event: "event"})
    codes = sorted(set(table["event"].to_list()))
    if codes not in ([0, 1], [1, 2], [0], [1]):
        raise DataError(
            "bad-event", f"expected 0 and 1, or 1 and 2, got {codes[:5]}", where=f"column {event!r}",
            remedy="Recode the column so that 1 is an event and 0 a censored row.",
        )  # fmt: skip
    shift = 1 if codes == [1, 2] else 0
    return _as(table.with_columns(event=nw.col("event").cast(nw.Int64) - shift), frame)


def _require_study(table: Any, names: Sequence[str], rows: int, what: str) -> None:
    absent = [name for name in names if name not in table.columns]
    if absent or len(table) != rows:
        got = f"without {', '.join(absent)}" if absent else f"of {len(table):,} rows"
        raise DataError(
            "not-this-study", f"expected the {rows} rows of the {what} with {', '.join(names)}, got a table {got}",
            where="path", remedy="Export the data set whole, with its own column names.",
        )  # fmt: skip


def _as(table: Any, frame: str) -> Any:
    from suppose.datasets.shipped import check_frame

    check_frame(frame)
    arrow = table.to_arrow()
    if frame == "pandas":
        return arrow.to_pandas()
    return nw.from_native(arrow, eager_only=True).to_polars() if frame == "polars" else arrow
