"""Tables drawn from a known law, so that the true effect is known: for tests, coverage and teaching.

All covariates are independent standard normal variables ``x1 ... xp``; only the first few matter. The
truth of each table is the effect in the population it is drawn from. Under heterogeneous effects the
weighted averages (ATT, ATO) are integrals over ``x1`` and ``x2``, solved by the trapezoidal rule, which
is exact to rounding for smooth functions under a normal density.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from scipy.special import expit, softmax

from suppose.core.errors import DataError
from suppose.core.random import generator

__all__ = [
    "Simulated",
    "make_clustered",
    "make_confounded",
    "make_dose",
    "make_experiment",
    "make_multivalued",
]

Overlap = Literal["good", "weak"]
Form = Literal["linear", "nonlinear"]

# Standard deviation of the log odds of treatment. Good: most propensities lie between 0.2 and 0.8.
# Weak: one unit in five has a propensity below 0.02 or above 0.98.
STEEPNESS = {"good": 0.8, "weak": 3.0}

FloatLike = float | int | np.floating | np.integer


@dataclass(frozen=True)
class Simulated:
    """A simulated table and what is true of it.

    Attributes
    ----------
    name : str
        Name of the generator.
    frame : pandas.DataFrame
        The table a study would be given.
    truth : Mapping[str, float]
        True quantities of the population, such as ``{"ATE": 1.0, "ATT": 1.2}``, in units of the outcome.
    treatment, outcome : str
        Names of those columns.
    covariates : tuple of str
        Columns that suffice for adjustment.
    cluster : str or None
        Column of the cluster, when there is one.
    oracle : pandas.DataFrame
        Row by row what no study would see: ``effect`` (of treating the row), ``propensity`` (probability
        of treatment; of each arm), ``untreated`` (mean outcome without treatment).
    """

    name: str
    frame: Any
    truth: Mapping[str, float]
    treatment: str
    outcome: str
    covariates: tuple[str, ...]
    cluster: str | None = None
    oracle: Any = None

    @property
    def X(self) -> Any:  # noqa: N802 (the field's symbol)
        """All columns but the outcome, as estimators take them."""
        return self.frame.drop(columns=self.outcome)

    @property
    def y(self) -> Any:
        """The outcome column."""
        return self.frame[self.outcome]

    def to_frame(self) -> Any:
        """The truth, one row per quantity, as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame({"quantity": list(self.truth), "value": list(self.truth.values())})

    def __str__(self) -> str:
        truth = ", ".join(f"{name} {value:.4g}" for name, value in self.truth.items())
        return f"{self.name}: {len(self.frame):,} rows; true {truth}"


def make_experiment(
    n: int = 500,
    effect: FloatLike = 1.0,
    *,
    p: int = 3,
    share: FloatLike = 0.5,
    heterogeneous: bool = False,
    noise: FloatLike = 1.0,
    seed: int = 0,
) -> Simulated:
    """Units treated by lot: ``y = x1 + d * effect(x1) + noise``.

    Parameters
    ----------
    n : int
        Rows; ``round(share * n)`` of them are treated.
    effect : float
        Average effect, in units of the outcome.
    p : int
        Covariates ``x1 ... xp``; at least 1.
    share : float
        Share of treated units, between 0 and 1.
    heterogeneous : bool
        If True the effect of a unit is ``effect + x1 / 2``.
    noise : float
        Standard deviation of the outcome given treatment and covariates.
    seed : int
        Seed of the draw.

    Returns
    -------
    Simulated
        Columns ``d`` (0 or 1), ``y``, ``x1 ... xp``; truth ``ATE``, ``ATT`` (equal: the lot decides).

    Raises
    ------
    DataError
        ``bad-generator-argument``.

    Examples
    --------
    >>> trial = make_experiment(n=1_000, effect=2.0, seed=1)
    >>> print(trial)
    make_experiment: 1,000 rows; true ATE 2, ATT 2
    >>> mean = trial.frame.groupby("d")["y"].mean()
    >>> bool(abs(mean[1] - mean[0] - 2.0) < 0.4)
    True
    """
    _require(n >= 4, "n", "at least 4 rows", n)
    _require(p >= 1, "p", "at least 1 covariate", p)
    treated = round(float(share) * n)
    _require(0 < treated < n, "share", "a share that leaves treated and untreated units", share)
    random = generator(seed, "make_experiment")
    x = random.standard_normal((n, p))
    d = random.permutation(np.repeat([1, 0], [treated, n - treated]))
    unit = float(effect) + (x[:, 0] / 2 if heterogeneous else np.zeros(n))
    y = x[:, 0] + d * unit + float(noise) * random.standard_normal(n)
    oracle = {"effect": unit, "propensity": np.full(n, treated / n), "untreated": x[:, 0]}
    return _record(
        "make_experiment", {"d": d, "y": y}, x, {"ATE": float(effect), "ATT": float(effect)}, oracle
    )


def make_confounded(
    n: int = 1_000,
    p: int = 5,
    effect: FloatLike = 1.0,
    *,
    overlap: Overlap = "good",
    form: Form = "linear",
    heterogeneous: bool = False,
    noise: FloatLike = 1.0,
    seed: int = 0,
) -> Simulated:
    """A yes-or-no treatment whose takers differ from the rest in measured ways.

    With ``s`` the steepness of the overlap asked for (0.8 or 3):

    - linear: log odds of treatment ``s (x1 + x2) / sqrt(2)``, untreated mean ``x1 + x2``;
    - nonlinear: log odds ``s sqrt(2) sin(x1) + s (x2^2 - 1) / 2``, untreated mean
      ``2 sin(x1) + x2^2 + x1 x2 / 2``, which straight lines cannot follow.

    Parameters
    ----------
    n : int
        Rows.
    p : int
        Covariates ``x1 ... xp``; at least 2. Those after ``x2`` are noise.
    effect : float
        Average treatment effect (ATE), in units of the outcome.
    overlap : {"good", "weak"}
        How alike treated and untreated units are.
    form : {"linear", "nonlinear"}
        Shape of the two nuisance functions.
    heterogeneous : bool
        If True the effect of a unit is ``effect + x1 / 2``; ATT and ATO then differ from the ATE.
    noise : float
        Standard deviation of the outcome given treatment and covariates.
    seed : int
        Seed of the draw.

    Returns
    -------
    Simulated
        Columns ``d`` (0 or 1), ``y``, ``x1 ... xp``; truth ``ATE``, ``ATT``, ``ATO`` (weights
        ``e(x) (1 - e(x))``: what a partially linear model estimates).

    Raises
    ------
    DataError
        ``bad-generator-argument``.

    Examples
    --------
    >>> table = make_confounded(n=2_000, heterogeneous=True, seed=1)
    >>> print(table)
    make_confounded: 2,000 rows; true ATE 1, ATT 1.124, ATO 1
    >>> mean = table.frame.groupby("d")["y"].mean()
    >>> bool(mean[1] - mean[0] > 1.5)  # the takers would have done better anyway
    True
    """
    _require(n >= 4, "n", "at least 4 rows", n)
    _require(p >= 2, "p", "at least 2 covariates", p)
    _require(overlap in STEEPNESS, "overlap", "'good' or 'weak'", overlap)
    _require(form in SHAPES, "form", "'linear' or 'nonlinear'", form)
    index, untreated = SHAPES[form]
    steepness, average = STEEPNESS[overlap], float(effect)

    def propensity(x: Float[np.ndarray, "*rows p"]) -> Float[np.ndarray, "*rows"]:
        return np.asarray(expit(steepness * index(x)))

    def unit_effect(x: Float[np.ndarray, "*rows p"]) -> Float[np.ndarray, "*rows"]:
        return np.asarray(average + (x[..., 0] / 2 if heterogeneous else 0 * x[..., 0]))

    random = generator(seed, "make_confounded")
    x = random.standard_normal((n, p))
    chance, unit, base = propensity(x), unit_effect(x), untreated(x)
    d = (random.random(n) < chance).astype(np.int64)
    y = base + d * unit + float(noise) * random.standard_normal(n)
    truth = {
        "ATE": average,
        "ATT": _weighted_mean(unit_effect, propensity),
        "ATO": _weighted_mean(unit_effect, lambda z: propensity(z) * (1 - propensity(z))),
    }
    oracle = {"effect": unit, "propensity": chance, "untreated": base}
    return _record("make_confounded", {"d": d, "y": y}, x, truth, oracle)


def make_multivalued(
    n: int = 1_500,
    p: int = 5,
    effects: Sequence[FloatLike] = (1.0, 2.0),
    *,
    overlap: Overlap = "good",
    noise: FloatLike = 1.0,
    seed: int = 0,
) -> Simulated:
    """A treatment of several arms, numbered from 0, chosen in measured ways.

    Arm ``k`` adds ``effects[k - 1]`` to the outcome, whose mean under arm 0 is ``x1 + x2``. It is chosen with
    odds ``exp(s (x1 + x2) / sqrt(2) * (k / K - 1/2))``, ``s`` being the steepness of the overlap asked for.

    Parameters
    ----------
    n : int
        Rows.
    p : int
        Covariates ``x1 ... xp``; at least 2.
    effects : sequence of float
        Effect of each arm against arm 0, in units of the outcome.
    overlap : {"good", "weak"}
        How alike the arms are.
    noise : float
        Standard deviation of the outcome given arm and covariates.
    seed : int
        Seed of the draw.

    Returns
    -------
    Simulated
        Columns ``d`` (0 ... K), ``y``, ``x1 ... xp``; truth ``"k vs 0"`` for every arm. The oracle's
        propensities are the columns ``propensity_0 ... propensity_K``.

    Raises
    ------
    DataError
        ``bad-generator-argument``.

    Examples
    --------
    >>> print(make_multivalued(effects=(1.0, -0.5), seed=1))
    make_multivalued: 1,500 rows; true 1 vs 0 1, 2 vs 0 -0.5
    """
    arms = len(effects) + 1
    _require(n >= 4, "n", "at least 4 rows", n)
    _require(p >= 2, "p", "at least 2 covariates", p)
    _require(arms >= 2, "effects", "the effect of at least one arm", tuple(effects))
    _require(overlap in STEEPNESS, "overlap", "'good' or 'weak'", overlap)
    random = generator(seed, "make_multivalued")
    x = random.standard_normal((n, p))
    logits = np.outer(STEEPNESS[overlap] * _linear_index(x), np.arange(arms) / (arms - 1) - 0.5)
    chances = softmax(logits, axis=1)  # (n, arms)
    d = (random.random((n, 1)) > np.cumsum(chances, axis=1)[:, :-1]).sum(axis=1)
    gains = np.array([0.0, *map(float, effects)])
    y = x[:, 0] + x[:, 1] + gains[d] + float(noise) * random.standard_normal(n)
    oracle = {f"propensity_{arm}": chances[:, arm] for arm in range(arms)} | {"untreated": x[:, 0] + x[:, 1]}
    truth = {f"{arm} vs 0": float(gains[arm]) for arm in range(1, arms)}
    return _record("make_multivalued", {"d": d.astype(np.int64), "y": y}, x, truth, oracle)


def make_dose(
    n: int = 1_000,
    p: int = 5,
    effect: FloatLike = 1.0,
    *,
    form: Form = "linear",
    noise: FloatLike = 1.0,
    seed: int = 0,
) -> Simulated:
    """A continuous treatment: ``d = m(x) + v`` and ``y = effect * d + g(x) + u`` (partially linear).

    ``u`` and ``v`` are independent normal. Linear: ``m = (x1 + x2) / sqrt(2)``, ``g = x1 + x2``.
    Nonlinear: ``m = sqrt(2) sin(x1) + (x2^2 - 1) / 2``, ``g = 2 sin(x1) + x2^2 + x1 x2 / 2``.

    Parameters
    ----------
    n : int
        Rows.
    p : int
        Covariates ``x1 ... xp``; at least 2.
    effect : float
        Change of the outcome for one more unit of treatment.
    form : {"linear", "nonlinear"}
        Shape of the two nuisance functions.
    noise : float
        Standard deviation of ``u``; that of ``v`` is 1.
    seed : int
        Seed of the draw.

    Returns
    -------
    Simulated
        Columns ``d``, ``y``, ``x1 ... xp``; truth ``slope``, outcome units per unit of treatment.

    Raises
    ------
    DataError
        ``bad-generator-argument``.

    References
    ----------
    V. Chernozhukov et al., Double/debiased machine learning for treatment and structural parameters,
    The Econometrics Journal 21 (2018), equations (1.1)-(1.2).

    Examples
    --------
    >>> print(make_dose(n=500, effect=0.5, seed=1))
    make_dose: 500 rows; true slope 0.5
    """
    _require(n >= 4, "n", "at least 4 rows", n)
    _require(p >= 2, "p", "at least 2 covariates", p)
    _require(form in SHAPES, "form", "'linear' or 'nonlinear'", form)
    index, untreated = SHAPES[form]
    random = generator(seed, "make_dose")
    x = random.standard_normal((n, p))
    expected, base = index(x), untreated(x)
    d = expected + random.standard_normal(n)
    y = float(effect) * d + base + float(noise) * random.standard_normal(n)
    oracle = {"effect": np.full(n, float(effect)), "expected_treatment": expected, "untreated": base}
    return _record("make_dose", {"d": d, "y": y}, x, {"slope": float(effect)}, oracle)


def make_clustered(
    clusters: int = 50,
    size: int = 20,
    effect: FloatLike = 1.0,
    *,
    p: int = 3,
    cluster_sd: FloatLike = 1.0,
    noise: FloatLike = 1.0,
    seed: int = 0,
) -> Simulated:
    """Treatment given to whole clusters (schools, villages) whose members share what is not measured.

    The log odds of a cluster's treatment are ``0.8 w`` with ``w`` a covariate of the cluster; the outcome
    is ``w + x1 + effect * d + a + u`` with ``a`` the cluster's own level, standard deviation
    ``cluster_sd``. At least one cluster is treated and one is not.

    Parameters
    ----------
    clusters : int
        Number of clusters, at least 4.
    size : int
        Units in each.
    effect : float
        Effect of treatment, in units of the outcome.
    p : int
        Covariates ``x1 ... xp`` of the units; at least 1.
    cluster_sd : float
        Standard deviation of the unmeasured level of a cluster.
    noise : float
        Standard deviation of ``u``.
    seed : int
        Seed of the draw.

    Returns
    -------
    Simulated
        Columns ``d``, ``y``, ``cluster`` (0 ... clusters - 1), ``w``, ``x1 ... xp``; truth ``ATE``.

    Raises
    ------
    DataError
        ``bad-generator-argument``.

    Examples
    --------
    >>> table = make_clustered(clusters=10, size=5, seed=1)
    >>> print(table, "|", table.cluster)
    make_clustered: 50 rows; true ATE 1 | cluster
    """
    _require(clusters >= 4, "clusters", "at least 4 clusters", clusters)
    _require(size >= 1, "size", "at least 1 unit in each cluster", size)
    _require(p >= 1, "p", "at least 1 covariate", p)
    random = generator(seed, "make_clustered")
    w = random.standard_normal(clusters)
    chance = expit(0.8 * w)
    lot = random.random(clusters)
    treated = lot < chance
    if treated.all() or not treated.any():  # rare with few clusters: turn the nearest decision round
        nearest_call = int(np.argmin(np.abs(lot - chance)))
        treated[nearest_call] = not treated[nearest_call]
    level = float(cluster_sd) * random.standard_normal(clusters)
    which = np.repeat(np.arange(clusters), size)
    x = random.standard_normal((clusters * size, p))
    d, base = treated.astype(np.int64)[which], (w + level)[which] + x[:, 0]
    y = base + float(effect) * d + float(noise) * random.standard_normal(len(which))
    oracle = {"effect": np.full(len(d), float(effect)), "propensity": chance[which], "untreated": base}
    columns = {"d": d, "y": y, "cluster": which, "w": w[which]}
    return _record("make_clustered", columns, x, {"ATE": float(effect)}, oracle, cluster="cluster")


def _linear_index(x: Float[np.ndarray, "*rows p"]) -> Float[np.ndarray, "*rows"]:
    return np.asarray((x[..., 0] + x[..., 1]) / np.sqrt(2))


def _linear_untreated(x: Float[np.ndarray, "*rows p"]) -> Float[np.ndarray, "*rows"]:
    return np.asarray(x[..., 0] + x[..., 1])


def _nonlinear_index(x: Float[np.ndarray, "*rows p"]) -> Float[np.ndarray, "*rows"]:
    return np.asarray(np.sqrt(2) * np.sin(x[..., 0]) + (x[..., 1] ** 2 - 1) / 2)


def _nonlinear_untreated(x: Float[np.ndarray, "*rows p"]) -> Float[np.ndarray, "*rows"]:
    return np.asarray(2 * np.sin(x[..., 0]) + x[..., 1] ** 2 + x[..., 0] * x[..., 1] / 2)


SHAPES = {
    "linear": (_linear_index, _linear_untreated),
    "nonlinear": (_nonlinear_index, _nonlinear_untreated),
}


def _weighted_mean(value: Callable[..., Any], weight: Callable[..., Any]) -> float:
    """``E[value(x) weight(x)] / E[weight(x)]`` over two independent standard normal covariates."""
    points = np.linspace(-9.0, 9.0, 361)
    grid = np.stack(np.meshgrid(points, points, indexing="ij"), axis=-1)  # (361, 361, 2)
    mass = np.exp(-0.5 * (grid**2).sum(axis=-1)) * weight(grid)
    return float((mass * value(grid)).sum() / mass.sum())


def _record(
    name: str,
    columns: dict[str, np.ndarray],
    x: Float[np.ndarray, "n p"],
    truth: dict[str, float],
    oracle: dict[str, np.ndarray],
    cluster: str | None = None,
) -> Simulated:
    import pandas as pd

    units = {f"x{j + 1}": x[:, j] for j in range(x.shape[1])}
    covariates = tuple(name for name in (*columns, *units) if name not in {"d", "y", cluster})
    return Simulated(
        name=name, frame=pd.DataFrame(columns | units), truth=MappingProxyType(truth), treatment="d",
        outcome="y", covariates=covariates, cluster=cluster, oracle=pd.DataFrame(oracle),
    )  # fmt: skip


def _require(holds: object, argument: str, expected: str, came: object) -> None:
    if not holds:
        raise DataError(
            "bad-generator-argument", f"expected {expected}, got {came!r}", where=f"argument {argument!r}"
        )
