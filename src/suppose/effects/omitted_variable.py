r"""Bounds on the omitted-variable bias of double machine learning, as pure functions of arrays.

Between which values does the effect lie if a hidden confounder explains no more than a share ``cf_y``
of what is left of the outcome and ``cf_d`` of what is left of the treatment? And which share of both
would bring it to the null (the *robustness value*)?

Symbols: ``theta`` effect; ``sigma2`` (:math:`\sigma_s^2`) mean squared residual of the outcome
regression; ``nu2`` (:math:`\nu_s^2`) mean square of the Riesz representer ``alpha``; ``S``
:math:`=\sqrt{\sigma_s^2\nu_s^2}` scale of the bias; ``psi_x`` influence values of ``x``. The bias
is at most :math:`|\rho| C_Y C_D S` with :math:`C_Y^2` = cf_y and :math:`C_D^2` = cf_d / (1 - cf_d).

Source: Chernozhukov, Cinelli, Newey, Sharma and Syrgkanis, "Long story short: omitted variable bias in
causal machine learning" (arXiv 2112.13398), Theorems 2 and 4 and section 4. Benchmarks as in DoubleML.

Deviations. The influence values of the bounds are ``psi_theta -+ C psi_S`` as in the paper; DoubleML
0.11.4 carries the score with the opposite sign, which exchanges the standard errors of its lower
and upper bound (negate ``psi_theta`` to get its numbers). Robustness values are exact roots, not
the result of a bounded search. Where an estimate of ``nu2`` is not positive, all repeats take the mean of
``alpha**2``, with a warning; its influence values are centred (DoubleML's are not).

Not done: overlap-weighted effects (their target changes with the confounder), bounds on ``rho``.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import optimize, stats

from suppose.core.answer import format_number
from suppose.core.errors import DataError, EstimationError, SupposeWarning
from suppose.effects.inference import _cluster_weights

__all__ = [
    "Benchmark",
    "BiasBounds",
    "SensitivityElements",
    "benchmark_gains",
    "interactive_elements",
    "omitted_variable_bounds",
    "partially_linear_elements",
    "robustness_values",
]


@dataclasses.dataclass(frozen=True)
class SensitivityElements:
    """What bounds on the omitted-variable bias are made of, one column per repeat of cross-fitting.

    Attributes
    ----------
    theta : array (repeats,), effect, in units of the outcome (per unit of treatment)
    sigma2, nu2 : array (repeats,), mean squared outcome residual; mean square of the representer
    psi_theta, psi_sigma2, psi_nu2 : array (n, repeats), influence values of the three
    clusters, folds : int arrays (n,), (n, repeats), or None, for cluster-robust variances
    """

    theta: Float[np.ndarray, " repeats"]
    sigma2: Float[np.ndarray, " repeats"]
    nu2: Float[np.ndarray, " repeats"]
    psi_theta: Float[np.ndarray, "n repeats"]
    psi_sigma2: Float[np.ndarray, "n repeats"]
    psi_nu2: Float[np.ndarray, "n repeats"]
    clusters: Int[np.ndarray, " n"] | None = None
    folds: Int[np.ndarray, "n repeats"] | None = None

    @property
    def scale(self) -> Float[np.ndarray, " repeats"]:
        """``S``: the bias when ``|rho| C_Y C_D`` is one."""
        return np.asarray(np.sqrt(self.sigma2 * self.nu2))

    def covariance(self) -> Float[np.ndarray, "repeats 2 2"]:
        """Covariance of the estimates of ``theta`` and ``S``, cluster-robust where there are clusters."""
        S = self.scale
        psi_scale = (self.sigma2 * self.psi_nu2 + self.nu2 * self.psi_sigma2) / (2 * S)
        if self.clusters is None:
            psi = np.stack([self.psi_theta, psi_scale], axis=2)  # (n, repeats, 2)
            return np.asarray(np.einsum("irj,irk->rjk", psi, psi) / len(psi) ** 2)
        weights = _cluster_weights(self.clusters, self.folds)  # (n, repeats), each fold weighing the same
        psi_scale = psi_scale * weights / weights.mean(axis=0)
        psi = np.stack([self.psi_theta, psi_scale], axis=2)
        count = int(self.clusters.max()) + 1
        sums, size = np.zeros((count, *psi.shape[1:])), np.ones((count, psi.shape[1]))
        np.add.at(sums, self.clusters, psi / len(psi))
        size[self.clusters] = weights
        present = len(np.unique(self.clusters))
        return np.asarray(np.einsum("grj,grk,gr->rjk", sums, sums, 1 / size) / present)


def partially_linear_elements(
    y: Float[np.ndarray, " n"],
    d: Float[np.ndarray, " n"],
    outcome: Float[np.ndarray, "n repeats"],
    treatment: Float[np.ndarray, "n repeats"],
    theta: Float[np.ndarray, " repeats"],
    psi: Float[np.ndarray, "n repeats"],
    clusters: Int[np.ndarray, " n"] | None = None,
) -> SensitivityElements:
    """Elements of the partially linear model, ``alpha = v / E[v^2]`` with ``v = d - E[d|x]``.

    Parameters
    ----------
    y, d : array (n,)
        Outcome and treatment.
    outcome, treatment : array (n, repeats)
        Cross-fitted ``E[y|x]`` and ``E[d|x]``.
    theta, psi : array (repeats,), (n, repeats)
        Effect and its influence values.
    clusters : int array (n,), optional
        Cluster of each unit.

    Notes
    -----
    Chernozhukov et al. (2022), section 2.3.
    """
    v = d[:, None] - treatment
    squares = (y[:, None] - outcome - theta * v) ** 2
    sigma2 = squares.mean(axis=0)
    nu2 = 1.0 / (v**2).mean(axis=0)
    return SensitivityElements(
        theta, sigma2, nu2, psi, squares - sigma2, nu2 - v**2 * nu2**2, clusters=clusters
    )  # fmt: skip


def interactive_elements(
    y: Float[np.ndarray, " n"],
    d: Int[np.ndarray, " n"],
    outcome: Float[np.ndarray, "n repeats arms"],
    propensity: Float[np.ndarray, "n repeats arms"],
    theta: Float[np.ndarray, " repeats"],
    psi: Float[np.ndarray, "n repeats"],
    *,
    estimand: str = "ATE",
    contrast: tuple[int, int] = (1, 0),
    clusters: Int[np.ndarray, " n"] | None = None,
) -> SensitivityElements:
    """Elements of the interactive model, ``alpha = 1(d=a) / p_a - 1(d=b) / p_b`` (reweighted for the ATT).

    Parameters
    ----------
    y : array (n,)
        Outcome.
    d : int array (n,)
        Index of the arm of each unit.
    outcome, propensity : array (n, repeats, arms)
        Cross-fitted ``E[y|x, arm]`` and ``P(arm|x)``.
    theta, psi : array (repeats,), (n, repeats)
        Effect and its influence values.
    estimand : {"ATE", "ATT"}
        Average effect, or average effect on the units of the first arm of the contrast.
    contrast : (int, int)
        Indices of the arm and of the arm it is compared with.
    clusters : int array (n,), optional
        Cluster of each unit.

    Notes
    -----
    Chernozhukov et al. (2022), section 2.4; ``nu2`` by the score ``2 m(w, alpha) - alpha^2``.
    """
    if estimand not in ("ATE", "ATT"):
        raise EstimationError(
            "sensitivity-estimand", f"bounds exist for ATE and ATT, got {estimand!r}", where="estimand",
            remedy="Ask for the ATE or the ATT, or use PartiallyLinear.",
        )  # fmt: skip
    a, b = contrast
    in_a, in_b = (d == a)[:, None].astype(float), (d == b)[:, None].astype(float)
    p_a, p_b = propensity[:, :, a], propensity[:, :, b]
    if estimand == "ATE":
        weight, projected = np.ones_like(p_a), np.ones_like(p_a)
    else:
        share = in_a.mean(axis=0)
        weight, projected = np.broadcast_to(in_a / share, p_a.shape), p_a / share
    alpha = projected * (in_a / p_a - in_b / p_b)
    nu2_scores = 2 * weight * projected * (1 / p_a + 1 / p_b) - alpha**2
    fitted = np.take_along_axis(outcome, d[:, None, None], axis=2)[:, :, 0]
    squares = (y[:, None] - fitted) ** 2
    sigma2, nu2 = squares.mean(axis=0), nu2_scores.mean(axis=0)
    if (nu2 <= 0).any():
        warnings.warn(
            "The size of the Riesz representer was estimated as negative; its plain mean square is used, "
            "which is less accurate. Weights this extreme mean poor overlap.", SupposeWarning, stacklevel=2,
        )  # fmt: skip
        nu2_scores = alpha**2
        nu2 = nu2_scores.mean(axis=0)
    return SensitivityElements(
        theta, sigma2, nu2, psi, squares - sigma2, nu2_scores - nu2, clusters=clusters
    )  # fmt: skip


def confounding_strength(cf_y: Any, cf_d: Any, rho: float = 1.0) -> Any:
    """``|rho| C_Y C_D``, with ``C_Y^2`` = cf_y and ``C_D^2`` = cf_d / (1 - cf_d); infinite at cf_d = 1.

    Examples
    --------
    >>> round(float(confounding_strength(0.03, 0.03)), 6)
    0.03046
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        product = np.asarray(cf_y, dtype=float) * np.asarray(cf_d, dtype=float) / (1.0 - np.asarray(cf_d))
    return abs(rho) * np.sqrt(np.where(np.asarray(cf_y) == 0, 0.0, product))


def bounds_at(
    elements: SensitivityElements, strength: Float[np.ndarray, " k"], level: float = 0.95
) -> dict[str, Float[np.ndarray, " k"]]:
    """Bounds at each of ``k`` confounding strengths: ``low``, ``high`` and their one-sided confidence bounds.

    Medians over the repeats of cross-fitting, as in DoubleML.
    """
    V = elements.covariance()
    S, theta, c = elements.scale[:, None], elements.theta[:, None], strength[None, :]
    z = float(stats.norm.ppf(level))
    low, high = theta - c * S, theta + c * S
    spread, cross = V[:, :1, 0] + c**2 * V[:, 1:, 1], 2 * c * V[:, :1, 1]
    with np.errstate(invalid="ignore"):
        confidence_low = low - z * np.sqrt(np.maximum(spread - cross, 0.0))
        confidence_high = high + z * np.sqrt(np.maximum(spread + cross, 0.0))
    endless = np.isinf(strength)
    confidence_low[:, endless], confidence_high[:, endless] = -np.inf, np.inf
    middle = {"low": low, "high": high, "confidence_low": confidence_low, "confidence_high": confidence_high}
    return {name: np.median(values, axis=0) for name, values in middle.items()}


@dataclasses.dataclass(frozen=True)
class BiasBounds:
    """Where the effect lies if confounding is no stronger than ``cf_y``, ``cf_d`` and ``rho`` say.

    ``low`` and ``high`` bound the effect; ``confidence_low`` and ``confidence_high`` are one-sided
    confidence bounds of coverage ``level`` on each.
    """

    cf_y: float
    cf_d: float
    rho: float
    level: float
    low: float
    high: float
    confidence_low: float
    confidence_high: float

    def __str__(self) -> str:
        low, high = format_number(self.low, beside=self.high), format_number(self.high, beside=self.low)
        return f"between {low} and {high} (cf_y {self.cf_y:.3g}, cf_d {self.cf_d:.3g}, rho {self.rho:.3g})"


def omitted_variable_bounds(
    elements: SensitivityElements,
    *,
    cf_y: float = 0.03,
    cf_d: float = 0.03,
    rho: float = 1.0,
    level: float = 0.95,
) -> BiasBounds:
    """Bounds on the effect under a hidden confounder of the given strength.

    Parameters
    ----------
    elements : SensitivityElements
        From :func:`partially_linear_elements` or :func:`interactive_elements`.
    cf_y : float in [0, 1]
        Share of the outcome's remaining variation the confounder explains.
    cf_d : float in [0, 1]
        Share of the treatment's (of the representer's) remaining variation it explains.
    rho : float in [-1, 1]
        Correlation of the two errors it leaves; 1 is the worst case.
    level : float
        Coverage of the one-sided confidence bounds.

    Raises
    ------
    DataError
        ``sensitivity-share`` for a number outside its range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> v, e = rng.normal(size=(2, 500))
    >>> zero = np.zeros((500, 1))
    >>> elements = partially_linear_elements(v + e, v, zero + 0, zero, np.array([1.0]), (v * e)[:, None])
    >>> print(omitted_variable_bounds(elements, cf_y=0.1, cf_d=0.1))
    between 0.90 and 1.10 (cf_y 0.1, cf_d 0.1, rho 1)
    """
    for name, value, bottom in (("cf_y", cf_y, 0.0), ("cf_d", cf_d, 0.0), ("rho", rho, -1.0)):
        _in_range(name, value, bottom, 1.0)
    _in_range("level", level, 0.5, 1.0, strict=True)
    strength = np.atleast_1d(confounding_strength(cf_y, cf_d, rho))
    found = {name: float(values[0]) for name, values in bounds_at(elements, strength, level).items()}
    return BiasBounds(float(cf_y), float(cf_d), float(rho), float(level), **found)


def robustness_values(
    elements: SensitivityElements, *, rho: float = 1.0, level: float = 0.95, null: float = 0.0
) -> tuple[float, float]:
    """RV and RVa: the share ``cf_y = cf_d`` at which the bound, and its confidence bound, reach the null.

    RVa is 0 when the confidence bound includes the null already. Exact roots: the strength ``c`` is
    found first and turned into a share by ``c^2 = rho^2 r^2 / (1 - r)``.
    """
    below = null > float(np.median(elements.theta))
    sign = -1.0 if below else 1.0
    return (
        _share_of(_root(elements, "high" if below else "low", sign, null, level), rho),
        _share_of(_root(elements, "confidence_high" if below else "confidence_low", sign, null, level), rho),
    )


def _root(elements: SensitivityElements, side: str, sign: float, null: float, level: float) -> float:
    """Smallest confounding strength at which the named bound is at the null."""

    def gap(strength: float) -> float:
        return sign * (float(bounds_at(elements, np.array([strength]), level)[side][0]) - null)

    if gap(0.0) <= 0:
        return 0.0
    top = 1.0
    while gap(top) > 0:
        if top > 1e12:
            return math.inf
        top *= 2
    return float(optimize.brentq(gap, 0.0, top, xtol=1e-15, rtol=1e-14))


def _share_of(strength: float, rho: float) -> float:
    """``r`` with ``strength = |rho| r / sqrt(1 - r)``."""
    if strength == 0:
        return 0.0
    if rho == 0 or math.isinf(strength):
        return 1.0
    square = (strength / rho) ** 2
    return 2.0 / (1.0 + math.sqrt(1.0 + 4.0 / square))  # = (-f + sqrt(f^2 + 4 f)) / 2, without cancellation


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """How strong measured covariates are: what leaving them out does to the fit and to the effect.

    ``cf_y`` and ``cf_d`` are their gains, ``rho`` the degree of adversity, ``delta_theta`` the effect
    without them minus the effect with them; ``bounds`` the effect's range under a hidden confounder
    just as strong.
    """

    names: tuple[str, ...]
    cf_y: float
    cf_d: float
    rho: float
    delta_theta: float
    bounds: BiasBounds | None = None

    @property
    def label(self) -> str:
        """The covariates, as one name."""
        return " + ".join(self.names)


def benchmark_gains(
    long: SensitivityElements,
    short: SensitivityElements,
    outcome_variance: float,
    names: Iterable[str] = ("left out",),
) -> Benchmark:
    """Gains of the covariates that ``long`` has and ``short`` lacks.

    Parameters
    ----------
    long, short : SensitivityElements
        Of the full model and of the model refitted without the covariates, on the same folds.
    outcome_variance : float
        Population variance of the outcome (divided by n).
    names : iterable of str
        The covariates left out.

    Notes
    -----
    Chernozhukov et al. (2022), section 4.3; as ``DoubleML.sensitivity_benchmark``: per repeat, then medians.
    """
    r2_long, r2_short = 1 - long.sigma2 / outcome_variance, 1 - short.sigma2 / outcome_variance
    r2_riesz = short.nu2 / long.nu2
    cf_y = np.clip((r2_long - r2_short) / (1 - r2_long), 0, 1)
    cf_d = np.clip((1 - r2_riesz) / r2_riesz, 0, 1)
    delta = short.theta - long.theta
    var_g, var_riesz = short.sigma2 - long.sigma2, long.nu2 - short.nu2
    both = (var_g > 0) & (var_riesz > 0)
    largest = np.sqrt(np.where(both, var_g * var_riesz, 1.0))
    rho = np.sign(delta) * np.where(both, np.clip(np.abs(delta) / largest, 0, 1), 1.0)
    return Benchmark(
        tuple(str(name) for name in names), float(np.median(cf_y)), float(np.median(cf_d)),
        float(np.median(rho)), float(np.median(delta)),
    )  # fmt: skip


def _in_range(name: str, value: float, low: float, high: float, strict: bool = False) -> None:
    inside = low < value < high if strict else low <= value <= high
    if not inside:
        raise DataError(
            "sensitivity-share", f"expected a number from {low:g} to {high:g}, got {value!r}", where=name,
            remedy="Shares are fractions: write 0.03 for 3%.",
        )  # fmt: skip
