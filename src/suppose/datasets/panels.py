"""Panels with known truth, and one real panel that everybody knows.

:func:`make_panel` is a world of the partially linear panel model with an unobserved level of each unit;
:func:`make_staggered` one of a treatment that starts at different times; :func:`load_union_wages` the
wages and union membership of 545 men over eight years.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from scipy.special import softmax

from suppose.core.errors import DataError
from suppose.core.random import generator
from suppose.datasets.shipped import read_shipped

__all__ = ["SimulatedPanel", "load_union_wages", "make_panel", "make_staggered"]

PanelForm = Literal["linear", "smooth-step"]


@dataclass(frozen=True)
class SimulatedPanel:
    """A simulated panel and what is true of it.

    Attributes
    ----------
    name : str
        Name of the generator.
    frame : pandas.DataFrame
        The table a study would be given; columns ``unit``, ``time``, ``d``, ``y``, ``x1 ... xK``.
    truth : Mapping[str, float]
        True quantities, in units of the outcome.
    covariates : tuple of str
        Columns to adjust for.
    oracle : pandas.DataFrame
        Row by row what no study would see.
    """

    name: str
    frame: Any
    truth: Mapping[str, float]
    covariates: tuple[str, ...]
    oracle: Any

    @property
    def X(self) -> Any:  # noqa: N802 (the field's symbol)
        """All columns but the outcome, as estimators take them."""
        return self.frame.drop(columns="y")

    @property
    def y(self) -> Any:
        """The outcome column."""
        return self.frame["y"]

    def to_frame(self) -> Any:
        """The truth, one row per quantity, as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame({"quantity": list(self.truth), "value": list(self.truth.values())})

    def __str__(self) -> str:
        truth = ", ".join(f"{name} {value:.4g}" for name, value in list(self.truth.items())[:4])
        units, periods = self.frame["unit"].nunique(), self.frame["time"].nunique()
        return f"{self.name}: {units:,} units, {periods} periods; true {truth}"


def make_panel(
    units: int = 200,
    periods: int = 10,
    p: int = 5,
    *,
    rho: float | int = 0.7,
    treatment_level: float | int = 1.0,
    outcome_level: float | int = 1.0,
    theta: float | int = 0.5,
    form: PanelForm = "smooth-step",
    separable: bool = True,
    autocorrelation: float | int = 0.0,
    binary: bool = False,
    missing: float | int = 0.0,
    noise: float | int = 1.0,
    seed: int = 0,
) -> SimulatedPanel:
    """A panel whose units have a level ``a`` that moves treatment, outcome and, by ``rho``, covariates.

    ``a ~ N(0, 1)``, ``x_itk = rho a_i + sqrt(1 - rho^2) e_itk``,
    ``D = m(x) + treatment_level a + V`` and ``Y = theta D + g(x) + outcome_level a + U``.
    Linear: ``g = x1 + x2 / 2``, ``m = x1 / 2 + x2``. Smooth-step: ``g = sin(1.5 x1) + 1[x2 > 0] + x1 x3 / 2``,
    ``m = tanh(x1) + x2^2 / 2 + 1[x3 > 0] / 2``. Not separable: ``a x1 / 2`` is added to ``g`` and
    ``a x2 / 2`` to ``m``.

    Parameters
    ----------
    units, periods, p : int
        Units, periods of each, covariates ``x1 ... xp`` (at least 3).
    rho : float
        Correlation of a covariate with the unit's level, -1 to 1.
    treatment_level, outcome_level : float
        What the level does to treatment and outcome.
    theta : float
        Effect of one unit of treatment.
    form : {"smooth-step", "linear"}
        Shape of ``g`` and ``m``.
    separable : bool
        Whether the level only adds.
    autocorrelation : float
        Of ``e`` over time (AR(1)), below 1.
    binary : bool
        The treatment is 1 where ``D`` is above zero.
    missing : float
        Share of rows left out at random; every unit keeps at least two.
    noise : float
        Standard deviation of ``U``; that of ``V`` is 1.
    seed : int
        Seed of the draw.

    Raises
    ------
    DataError
        ``bad-generator-argument``.

    References
    ----------
    Model of J. Fuhr and D. Papies, Double Machine Learning meets Panel Data, arXiv 2409.01266; the
    functions and numbers are ours.

    Examples
    --------
    >>> print(make_panel(units=50, periods=4, seed=1))
    make_panel: 50 units, 4 periods; true theta 0.5
    """
    import pandas as pd

    _require(units >= 2, "units", "at least 2 units", units)
    _require(periods >= 2, "periods", "at least 2 periods", periods)
    _require(p >= 3, "p", "at least 3 covariates", p)
    _require(-1 <= rho <= 1, "rho", "a correlation from -1 to 1", rho)
    _require(form in ("linear", "smooth-step"), "form", "'linear' or 'smooth-step'", form)
    _require(-1 < autocorrelation < 1, "autocorrelation", "a number between -1 and 1", autocorrelation)
    _require(0 <= missing < 1, "missing", "a share from 0 to below 1", missing)
    random = generator(seed, "make_panel")
    a = np.repeat(random.standard_normal(units), periods)
    e = random.standard_normal((units, periods, p))
    for t in range(1, periods):
        e[:, t] = autocorrelation * e[:, t - 1] + np.sqrt(1 - autocorrelation**2) * e[:, t]
    x = rho * a[:, None] + np.sqrt(1 - rho**2) * e.reshape(-1, p)
    g, m = _panel_functions(x, form)
    if not separable:
        g, m = g + 0.5 * a * x[:, 0], m + 0.5 * a * x[:, 1]
    m = m + treatment_level * a
    d = m + random.standard_normal(len(a))
    d = (d > 0).astype(np.float64) if binary else d
    base = g + outcome_level * a
    y = theta * d + base + noise * random.standard_normal(len(a))
    columns = {"unit": np.repeat(np.arange(units), periods), "time": np.tile(np.arange(periods), units)}
    frame = pd.DataFrame(columns | {"d": d, "y": y} | {f"x{k + 1}": x[:, k] for k in range(p)})
    oracle = pd.DataFrame({"level": a, "untreated": base, "index": m})
    kept = _rows_kept(units, periods, float(missing), random)
    return SimulatedPanel(
        "make_panel", frame[kept].reset_index(drop=True), MappingProxyType({"theta": float(theta)}),
        tuple(f"x{k + 1}" for k in range(p)), oracle[kept].reset_index(drop=True),
    )  # fmt: skip


def _panel_functions(
    x: Float[np.ndarray, "n p"], form: str
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    first, second, third = x[:, 0], x[:, 1], x[:, 2]
    if form == "linear":
        return first + 0.5 * second, 0.5 * first + second
    g = np.sin(1.5 * first) + (second > 0) + 0.5 * first * third
    return g, np.tanh(first) + 0.5 * second**2 + 0.5 * (third > 0)


def _rows_kept(units: int, periods: int, missing: float, random: np.random.Generator) -> np.ndarray:
    """Rows that stay: a random share, and the two luckiest of every unit."""
    lot = random.random((units, periods))
    kept = lot >= missing
    best = np.argsort(-lot, axis=1)[:, :2]
    np.put_along_axis(kept, best, True, axis=1)
    return np.asarray(kept.ravel())


def make_staggered(
    units: int = 500,
    periods: int = 6,
    *,
    starts: tuple[int, ...] = (3, 4, 5),
    never: bool = True,
    effect: float | int = 1.0,
    growth: float | int = 0.5,
    trend: float | int = 0.5,
    nonlinear: bool = False,
    noise: float | int = 1.0,
    seed: int = 0,
) -> SimulatedPanel:
    """Units whose treatment starts in different periods and stays on, with known group-time effects.

    Periods are 1 to ``periods``. A unit with covariates ``x1, x2`` starts in one of ``starts`` (or never)
    with odds that grow with ``x1``; without treatment its outcome is
    ``a + t + trend * t * x1 + U`` (``x1^2`` in the trend, too, when ``nonlinear``), so that trends are
    parallel only given ``x1``. In period ``t >= g`` the effect is
    ``effect * g / min(starts) + growth * (t - g)``.

    Parameters
    ----------
    units, periods : int
        Size of the panel.
    starts : tuple of int
        First periods of treatment, from 2 on.
    never : bool
        Whether some units are never treated.
    effect, growth : float
        Effect at the start, and what each further period adds.
    trend : float
        How much the trend without treatment depends on ``x1``.
    nonlinear : bool
        Whether it depends on ``x1^2`` as well.
    noise : float
        Standard deviation of ``U``.
    seed : int
        Seed of the draw.

    Returns
    -------
    SimulatedPanel
        Columns ``unit``, ``time``, ``d`` (0/1), ``y``, ``x1``, ``x2``; truth ``"ATT(g,t)"`` for each group
        and period of treatment; the oracle has ``start`` (0: never) and ``effect``.

    Raises
    ------
    DataError
        ``bad-generator-argument``.

    References
    ----------
    B. Callaway and P. Sant'Anna, Difference-in-differences with multiple time periods, Journal of
    Econometrics 225 (2021); the law is ours.

    Examples
    --------
    >>> make_staggered(units=50, seed=1).truth["ATT(4,5)"]
    1.8333333333333333
    """
    import pandas as pd

    _require(units >= 10, "units", "at least 10 units", units)
    _require(periods >= 3, "periods", "at least 3 periods", periods)
    ordered = len(starts) > 0 and all(2 <= start <= periods for start in starts)
    _require(ordered, "starts", f"periods from 2 to {periods}", starts)
    random = generator(seed, "make_staggered")
    x = random.standard_normal((units, 2))
    groups = np.array([0, *starts] if never else list(starts))
    steep = np.linspace(0.0, 0.8, len(groups))
    chance = softmax(x[:, [0]] * steep, axis=1)
    start = groups[
        (random.random(units)[:, None] > np.cumsum(chance, axis=1)).sum(axis=1).clip(0, len(groups) - 1)
    ]
    a = random.standard_normal(units) + x[:, 1]
    unit, time = np.repeat(np.arange(units), periods), np.tile(np.arange(1, periods + 1), units)
    index = x[:, 0] + (x[:, 0] ** 2 if nonlinear else 0.0)
    base = a[unit] + time + trend * time * index[unit] + noise * random.standard_normal(len(unit))
    own = start[unit]
    treated = (own > 0) & (time >= own)
    first = min(starts)
    gain = np.where(treated, effect * own / first + growth * (time - own), 0.0)
    truth = {
        f"ATT({g},{t})": float(effect) * g / first + float(growth) * (t - g)
        for g in sorted(starts)
        for t in range(g, periods + 1)
    }
    columns = {"unit": unit, "time": time, "d": treated.astype(np.int64), "y": base + gain}
    frame = pd.DataFrame(columns | {"x1": x[unit, 0], "x2": x[unit, 1]})
    oracle = pd.DataFrame({"start": own, "effect": gain, "untreated": base})
    return SimulatedPanel("make_staggered", frame, MappingProxyType(truth), ("x1", "x2"), oracle)


def load_union_wages(*, frame: str = "pandas") -> Any:
    """Union membership and wages of 545 men, 1980 to 1987 (National Longitudinal Survey of Youth).

    Parameters
    ----------
    frame : {"pandas", "polars", "pyarrow"}
        Library of the frame returned.

    Returns
    -------
    frame
        4,360 rows; columns ``nr`` (man), ``year``, ``union`` (1: pay set by collective bargaining),
        ``lwage`` (logarithm of hourly pay), ``exper`` and ``expersq`` (years of experience, squared),
        ``married``, ``poorhlth``, ``educ`` (years), ``black``, ``hisp``, ``hours`` and region;
        ``dataset_info("union-wages").columns`` explains each.

    Raises
    ------
    DataError
        ``unknown-frame`` or ``frame-not-installed``.

    References
    ----------
    F. Vella and M. Verbeek, Whose wages do unions raise?, Journal of Applied Econometrics 13 (1998),
    163-183.

    Examples
    --------
    >>> wages = load_union_wages()
    >>> wages["nr"].nunique(), round(float(wages["union"].mean()), 3)
    (545, 0.244)
    """
    return read_shipped("union-wages", frame)


def _require(holds: object, argument: str, expected: str, came: object) -> None:
    if not holds:
        raise DataError(
            "bad-generator-argument", f"expected {expected}, got {came!r}", where=f"argument {argument!r}"
        )
