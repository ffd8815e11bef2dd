"""Functions through which one belief drives another, with their first three derivatives, and Lambert's W.

``g`` enters predictions, ``g'`` and ``g''`` the updates, ``g'''`` the sensitivities of updates.
"""

from __future__ import annotations

import math
from typing import no_type_check

from suppose.worlds.beliefs.compiled import kernel

__all__ = ["FUNCTIONS", "coupled", "lambert_of_log", "log_add", "log_shares", "logistic"]

FUNCTIONS = ("linear", "relu", "softplus", "sigmoid", "tanh", "exp", "sin")
"""Names of coupling functions; the position is the code kernels use."""


@kernel
@no_type_check
def logistic(x: float) -> float:
    """``1 / (1 + exp(-x))`` without overflow."""
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


@kernel
@no_type_check
def log_add(a: float, b: float) -> float:
    """``log(exp(a) + exp(b))`` without overflow."""
    if a < b:
        a, b = b, a
    return a + math.log1p(math.exp(b - a))


@kernel
@no_type_check
def log_shares(a: float, b: float) -> tuple[float, float, float]:
    """``log(exp(a) + exp(b))`` and the shares of ``exp(a)`` and ``exp(b)`` in the sum, each to full precision."""
    if a < b:
        e = math.exp(a - b)
        return b + math.log1p(e), e / (1.0 + e), 1.0 / (1.0 + e)
    e = math.exp(b - a)
    return a + math.log1p(e), 1.0 / (1.0 + e), e / (1.0 + e)


@kernel
@no_type_check
def lambert_of_log(log_z: float) -> float:
    """W0(z) from the logarithm of z: the w with ``w + log w = log z``, by the fourth-order step
    of Fritsch, Shafer and Crowley (1973).

    Examples
    --------
    >>> w = lambert_of_log(800.0)  # exp(800) itself is not a number a computer holds
    >>> abs(w + math.log(w) - 800.0) < 1e-9
    True
    """
    if log_z < -36.0:
        return math.exp(log_z)
    if log_z > 2.0:
        w = log_z - math.log(log_z)
    else:
        w = 0.5672 + 0.3619 * log_z if log_z > -0.5 else math.exp(log_z) / (1.0 + math.exp(log_z))
    for _ in range(20):
        gap = log_z - math.log(w) - w
        q = 2.0 * (1.0 + w) * (1.0 + w + 2.0 * gap / 3.0)
        move = gap / (1.0 + w) * (q - gap) / (q - 2.0 * gap)
        w *= 1.0 + move
        if abs(move) < 1e-5:
            break
    return w


@kernel
@no_type_check
def coupled(code: int, x: float) -> tuple[float, float, float, float]:
    """Value and first three derivatives of the coupling function with this code.

    Examples
    --------
    >>> coupled(0, 2.5)
    (2.5, 1.0, 0.0, 0.0)
    """
    if code == 0:
        return x, 1.0, 0.0, 0.0
    if code == 1:
        return (x, 1.0, 0.0, 0.0) if x > 0 else (0.0, 0.0, 0.0, 0.0)
    if code == 4:
        t = math.tanh(x)
        one = 1.0 - t * t
        return t, one, -2.0 * t * one, one * (6.0 * t * t - 2.0)
    if code == 5:
        e = math.exp(x)
        return e, e, e, e
    if code == 6:
        return math.sin(x), math.cos(x), -math.sin(x), -math.cos(x)
    p = logistic(x)
    v = p * (1.0 - p)
    if code == 2:
        return log_add(0.0, x), p, v, v * (1.0 - 2.0 * p)
    return p, v, v * (1.0 - 2.0 * p), v * (1.0 - 6.0 * v)
