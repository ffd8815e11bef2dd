"""The adapted power generalised Weibull law: one family that holds the usual survival models.

Baseline, with shapes ``gamma > 0`` and ``kappa > -1`` (Burke, Jones & Noufaily, A flexible parametric
modelling framework for survival analysis, JRSS C 69, 2020, arXiv 1901.03212, section 2)::

    H0(t) = (kappa + 1) / kappa * ((1 + t^gamma / (kappa + 1))^kappa - 1)

A vertical scale ``lambda`` (proportional hazards) and a horizontal one ``phi`` (accelerated time) give the
cumulative hazard ``H(t) = lambda * H0(phi t)``. Members: ``kappa = 1`` Weibull, ``kappa = 0`` Burr XII (log-logistic
when lambda is one), ``kappa = inf`` and ``gamma = 1`` Gompertz. With ``kappa < 0`` the cumulative hazard stops at
``-lambda (kappa + 1) / kappa``: a fraction never has the event (it is "cured").

Everything is computed from logarithms: with ``z = gamma log(phi t)``, ``u = log(kappa + 1)`` and
``l = log1p(exp(z - u))``, ``H = lambda (kappa + 1) l E(kappa l)`` where ``E(x) = expm1(x) / x``. ``E`` and the two
derivatives of its logarithm go over into their series near zero, so ``kappa = 0`` is an ordinary point, and
first and second derivatives by the logarithms of the four parameters are exact. ``kappa = inf`` is a law of its
own: ``H0(t) = expm1(t^gamma)``.

It does not do covariates: that is :class:`~suppose.effects.FlexibleSurvival`.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from suppose.core.errors import EstimationError
from suppose.core.random import generator
from suppose.datasets.survival import invert_cumulative_hazard

__all__ = ["APGW", "Terms", "kernel"]

#: Beyond this the exponential of a logarithm is not taken: a cumulative hazard of exp(700) kills anyone.
LARGE = 700.0


@dataclasses.dataclass(frozen=True)
class Terms:
    """Logarithms of hazard and cumulative hazard with their derivatives.

    Attributes
    ----------
    log_hazard, log_cumulative : (n,) arrays
        Values.
    hazard_gradient, cumulative_gradient : (4, n) arrays
        By log lambda, log phi, log gamma and log(kappa + 1), in this order.
    hazard_hessian, cumulative_hessian : (4, 4, n) arrays or None
        Second derivatives, when asked for.
    """

    log_hazard: np.ndarray
    log_cumulative: np.ndarray
    hazard_gradient: np.ndarray
    cumulative_gradient: np.ndarray
    hazard_hessian: np.ndarray | None = None
    cumulative_hessian: np.ndarray | None = None


def _growth(x: Float[np.ndarray, " n"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``log(expm1(x) / x)`` and its first two derivatives, without loss anywhere."""
    small = np.abs(x) < 0.05
    y = np.where(small, 1.0, x)
    size = np.abs(y)
    fading = np.exp(-size)
    rest = -np.expm1(-size)  # 1 - exp(-|x|)
    value = np.where(y > 0, y, 0.0) + np.log(rest) - np.log(size)
    first = np.where(y > 0, 1.0, -fading) / rest - 1.0 / y
    second = 1.0 / y**2 - fading / rest**2
    s = np.where(small, x, 0.0)
    q = s * s
    if small.any():
        value = np.where(small, s / 2 + q / 24 - q * q / 2880 + q**3 / 181440, value)
        first = np.where(small, 0.5 + s / 12 - s * q / 720 + s * q * q / 30240, first)
        second = np.where(small, 1 / 12 - q / 240 + q * q / 6048 - q**3 / 172800, second)
    return value, first, second


def kernel(
    log_time: Float[np.ndarray, " n"],
    b: Float[np.ndarray, " n"],
    c: Float[np.ndarray, " n"],
    a: Float[np.ndarray, " n"],
    u: Float[np.ndarray, " n"] | None,
    *,
    second: bool = False,
) -> Terms:
    """Logarithms of hazard and cumulative hazard, and their derivatives.

    Parameters
    ----------
    log_time : (n,) array
        Logarithm of the time.
    b, c, a : (n,) arrays
        Logarithms of lambda, phi and gamma.
    u : (n,) array or None
        ``log(kappa + 1)``; None for ``kappa = inf``.
    second : bool
        Whether second derivatives are needed.

    Examples
    --------
    >>> zero = np.zeros(1)
    >>> terms = kernel(np.log([2.0]), zero, zero, zero, np.log([2.0]))  # kappa = 1: exponential
    >>> float(terms.log_cumulative[0] - np.log(2.0)), float(terms.log_hazard[0])
    (0.0, 0.0)
    """
    g = np.exp(a)
    z = g * (log_time + c)
    if u is None:
        hazard, cumulative = _exponential_terms(z)
    else:
        hazard, cumulative = _power_terms(z, u)
    log_hazard = b + a - log_time + hazard[0]
    log_cumulative = b + cumulative[0]
    hazard_gradient = _first(hazard, g, z, own_shape=1.0)
    cumulative_gradient = _first(cumulative, g, z, own_shape=0.0)
    if not second:
        return Terms(log_hazard, log_cumulative, hazard_gradient, cumulative_gradient)
    return Terms(
        log_hazard, log_cumulative, hazard_gradient, cumulative_gradient, _second(hazard, g, z),
        _second(cumulative, g, z),
    )  # fmt: skip


Derivatives = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _power_terms(z: np.ndarray, u: np.ndarray) -> tuple[Derivatives, Derivatives]:
    """Finite kappa: value, d/dz, d/du, d2/dz2, d2/dzdu, d2/du2 of log h and log H (less known offsets)."""
    w = np.clip(z - u, -LARGE, LARGE)
    k1 = np.exp(u)
    kappa = np.expm1(u)
    tiny = w < -30.0
    s = expit(w)
    q = s * expit(-w)
    l = np.logaddexp(0.0, w)  # noqa: E741 (the symbol of the module)
    log_l = np.where(tiny, w, np.log(np.where(tiny, 1.0, l)))
    ratio = np.where(tiny, 1.0, s / np.where(tiny, 1.0, l))  # s / l
    x = kappa * l
    value, e1, e2 = _growth(x)
    less = kappa - 1.0
    hazard = (
        z + less * l, 1.0 + less * s, k1 * l - less * s,
        less * q, k1 * s - less * q, k1 * l - 2.0 * k1 * s + less * q,
    )  # fmt: skip
    rise = 1.0 + x * e1
    by_z = rise * ratio
    by_zz = (x * x * e2 - 1.0) * ratio**2 + rise * ratio * expit(-w)
    mixed = k1 * s * (e1 + x * e2)
    by_zu = mixed - by_zz
    by_uu = k1 * l * e1 - by_zu - mixed + (k1 * l) ** 2 * e2
    cumulative = (u + log_l + value, by_z, 1.0 - by_z + k1 * l * e1, by_zz, by_zu, by_uu)
    return hazard, cumulative


def _exponential_terms(z: np.ndarray) -> tuple[Derivatives, Derivatives]:
    """The limit kappa = inf, where nothing depends on u."""
    z = np.minimum(z, 300.0)
    v = np.exp(z)
    value, e1, e2 = _growth(v)
    none = np.zeros_like(z)
    hazard = (z + v, 1.0 + v, none, v, none, none)
    cumulative = (z + value, 1.0 + v * e1, none, v * (e1 + v * e2), none, none)
    return hazard, cumulative


def _first(terms: Derivatives, g: np.ndarray, z: np.ndarray, own_shape: float) -> np.ndarray:
    _, by_z, by_u, *_ = terms
    return np.stack([np.ones_like(z), by_z * g, by_z * z + own_shape, by_u])


def _second(terms: Derivatives, g: np.ndarray, z: np.ndarray) -> np.ndarray:
    _, by_z, _, by_zz, by_zu, by_uu = terms
    out = np.zeros((4, 4, len(z)))
    out[1, 1] = by_zz * g * g
    out[1, 2] = out[2, 1] = (by_zz * z + by_z) * g
    out[2, 2] = (by_zz * z + by_z) * z
    out[1, 3] = out[3, 1] = by_zu * g
    out[2, 3] = out[3, 2] = by_zu * z
    out[3, 3] = by_uu
    return out


class APGW:
    """An adapted power generalised Weibull distribution.

    Parameters
    ----------
    gamma : float
        Shape near zero, above 0.
    kappa : float
        Shape in the tail, above -1; ``inf`` is allowed. Below 0 a fraction is cured.
    lambda_ : float
        Vertical scale, multiplies the hazard.
    phi : float
        Horizontal scale, one over a time.

    Raises
    ------
    EstimationError
        ``bad-shape`` for a parameter out of its range.

    Examples
    --------
    >>> law = APGW(gamma=1.0, kappa=-0.5)
    >>> round(law.cure_fraction, 4), law.hazard_shape
    (0.3679, 'decreasing')
    >>> float(law.sf(law.quantile(0.4)).round(12))
    0.6
    """

    def __init__(
        self, gamma: float = 1.0, kappa: float = 1.0, *, lambda_: float = 1.0, phi: float = 1.0
    ) -> None:
        limits = {"gamma": (gamma, 0.0), "lambda_": (lambda_, 0.0), "phi": (phi, 0.0), "kappa": (kappa, -1.0)}
        for name, (value, low) in limits.items():
            if not value > low or (math.isinf(value) and name != "kappa"):
                raise EstimationError(
                    "bad-shape", f"expected a number above {low:g}, got {value!r}", where=name,
                    remedy="kappa = 1 is the Weibull law, kappa = 0 the log-logistic.",
                )  # fmt: skip
        self.gamma, self.kappa, self.lambda_, self.phi = (
            float(gamma),
            float(kappa),
            float(lambda_),
            float(phi),
        )

    def __repr__(self) -> str:
        return f"APGW(gamma={self.gamma:g}, kappa={self.kappa:g}, lambda_={self.lambda_:g}, phi={self.phi:g})"

    def _terms(self, t: Any) -> tuple[np.ndarray, Terms]:
        times = np.asarray(t, dtype=np.float64)
        flat = np.where(times > 0, times, 1.0).ravel()
        full = np.ones_like(flat)
        u = None if math.isinf(self.kappa) else math.log1p(self.kappa) * full
        b, c, a = (math.log(value) * full for value in (self.lambda_, self.phi, self.gamma))
        return times, kernel(np.log(flat), b, c, a, u)

    def cumulative_hazard(self, t: Any) -> np.ndarray:
        """Cumulative hazard ``H(t)``, 0 at and before time 0; same shape as ``t``."""
        times, terms = self._terms(t)
        value = np.exp(np.minimum(terms.log_cumulative, LARGE)).reshape(times.shape)
        return np.where(times > 0, value, 0.0)

    def hazard(self, t: Any) -> np.ndarray:
        """Hazard ``h(t)``, per unit of time, for ``t > 0``."""
        times, terms = self._terms(t)
        value = np.exp(np.minimum(terms.log_hazard, LARGE)).reshape(times.shape)
        return np.where(times > 0, value, 0.0)

    def sf(self, t: Any) -> np.ndarray:
        """Survival ``S(t) = exp(-H(t))``."""
        return np.asarray(np.exp(-self.cumulative_hazard(t)))

    def pdf(self, t: Any) -> np.ndarray:
        """Density ``h(t) S(t)``; it integrates to one less the cure fraction."""
        times, terms = self._terms(t)
        log_density = terms.log_hazard - np.exp(np.minimum(terms.log_cumulative, LARGE))
        return np.where(times > 0, np.exp(log_density).reshape(times.shape), 0.0)

    def quantile(self, q: Any) -> np.ndarray:
        """Time by which a share ``q`` has had the event; infinite beyond the share that ever has it."""
        share = np.asarray(q, dtype=np.float64)
        return self._time_of(-np.log1p(-share) / self.lambda_)

    def _time_of(self, hazard: Any) -> np.ndarray:
        """Inverse of H0(phi t), infinite where H0 never gets there."""
        return invert_cumulative_hazard(np.asarray(hazard), self.phi, self.gamma, self.kappa)

    def rvs(self, size: int, seed: int = 0) -> np.ndarray:
        """Random times, (size,); infinite for the cured."""
        draws = generator(seed, "apgw").exponential(size=size)
        return self._time_of(draws / self.lambda_)

    @property
    def cure_fraction(self) -> float:
        """Share that never has the event: 0 unless ``kappa < 0``."""
        return math.exp(self.lambda_ * (self.kappa + 1) / self.kappa) if self.kappa < 0 else 0.0

    @property
    def hazard_shape(self) -> str:
        """Shape of the hazard in time: constant, increasing, decreasing, up-then-down or down-then-up."""
        start, end = self.gamma, self.kappa * self.gamma
        if start == 1 and end == 1:
            return "constant"
        if start >= 1 and end >= 1:
            return "increasing"
        if start <= 1 and end <= 1:
            return "decreasing"
        return "up-then-down" if start > 1 else "down-then-up"
