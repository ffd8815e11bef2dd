"""How surprising one step was, given what had been expected, with sensitivities.

Losses are minus the natural logarithm of a probability or density: of the observation (``surprise`` of the
first level or of the prediction, binary surprise) or of the response somebody gave (``softmax``, ``gaussian``).
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np

from suppose.worlds.beliefs.compiled import kernel
from suppose.worlds.beliefs.couplings import coupled, log_add, logistic
from suppose.worlds.beliefs.schedule import (
    BINARY,
    BY_CHILD,
    FUNCTION,
    KIND,
    PARENT,
    PRED_MEAN,
    PRED_PRECISION,
    VP,
    Schedule,
)

__all__ = ["RESPONSES", "step_loss"]

RESPONSES = ("none", "first_level", "predictive", "softmax", "gaussian")
NONE, FIRST_LEVEL, PREDICTIVE, SOFTMAX, GAUSSIAN = range(5)
LOG_TWO_PI = math.log(2.0 * math.pi)


@kernel
@no_type_check
def step_loss(
    net: Schedule, p: np.ndarray, dp: np.ndarray, s: np.ndarray, ds: np.ndarray, node: int, u: float,
    response: float, code: int, out: np.ndarray,
) -> float:  # fmt: skip
    """Loss of one input at one step; its derivatives are added to ``out``."""
    if code == SOFTMAX:
        return _softmax(p, dp, s, ds, node, response, out)
    if code == GAUSSIAN:
        zeta = p.size - 1
        error, precision = response - s[PRED_MEAN, node], p[zeta]
        for q in range(out.size):
            _lean(error, precision, ds[PRED_MEAN, node, q], dp[zeta, q], out, q)
        return _gaussian(error, precision)
    if net.node[node, KIND] == BINARY:
        mean = s[PRED_MEAN, node]
        chance = mean if u == 1.0 else 1.0 - mean
        for q in range(out.size):
            out[q] -= ds[PRED_MEAN, node, q] / chance * (1.0 if u == 1.0 else -1.0)
        return -math.log(chance)
    edge = net.value[net.node[node, VP], BY_CHILD]
    parent = net.value[edge, PARENT]
    if code == FIRST_LEVEL:
        error, precision = u - s[PRED_MEAN, parent], s[PRED_PRECISION, parent]
        for q in range(out.size):
            _lean(error, precision, ds[PRED_MEAN, parent, q], ds[PRED_PRECISION, parent, q], out, q)
        return _gaussian(error, precision)
    return _predictive(net, p, dp, s, ds, node, edge, u, out)


@kernel
@no_type_check
def _gaussian(error: float, precision: float) -> float:
    return 0.5 * (LOG_TWO_PI - math.log(precision) + precision * error * error)


@kernel
@no_type_check
def _lean(error: float, precision: float, d_mean: float, d_precision: float, out: np.ndarray, q: int) -> None:
    """Add the derivative of :func:`_gaussian` by parameter ``q``."""
    out[q] += 0.5 * (error * error - 1.0 / precision) * d_precision - precision * error * d_mean


@kernel
@no_type_check
def _predictive(
    net: Schedule, p: np.ndarray, dp: np.ndarray, s: np.ndarray, ds: np.ndarray, node: int, edge: int,
    u: float, out: np.ndarray,
) -> float:  # fmt: skip
    """Density of the observation with the uncertainty of the belief and of the senses."""
    parent, slot = net.value[edge, PARENT], 5 * net.node.shape[0] + edge
    _, g1, g2, _ = coupled(net.value[edge, FUNCTION], s[PRED_MEAN, parent])
    slope, belief, senses = p[slot] * g1, s[PRED_PRECISION, parent], s[PRED_PRECISION, node]
    precision = 1.0 / (slope * slope / belief + 1.0 / senses)
    error = u - s[PRED_MEAN, node]
    for q in range(out.size):
        d_slope = dp[slot, q] * g1 + p[slot] * g2 * ds[PRED_MEAN, parent, q]
        d_variance = 2.0 * slope * d_slope / belief
        d_variance -= (slope / belief) ** 2 * ds[PRED_PRECISION, parent, q]
        d_variance -= ds[PRED_PRECISION, node, q] / (senses * senses)
        _lean(error, precision, ds[PRED_MEAN, node, q], -precision * precision * d_variance, out, q)
    return _gaussian(error, precision)


@kernel
@no_type_check
def _softmax(
    p: np.ndarray, dp: np.ndarray, s: np.ndarray, ds: np.ndarray, node: int, response: float, out: np.ndarray
) -> float:
    """Choice 1 with probability ``m^beta / (m^beta + (1 - m)^beta)``."""
    beta, mean = p[p.size - 2], s[PRED_MEAN, node]
    logit = math.log(mean) - math.log1p(-mean)
    sign = 1.0 if response == 1.0 else -1.0
    other = logistic(-sign * beta * logit)
    for q in range(out.size):
        d_logit = ds[PRED_MEAN, node, q] / (mean * (1.0 - mean))
        out[q] -= sign * other * (dp[p.size - 2, q] * logit + beta * d_logit)
    return log_add(0.0, -sign * beta * logit)
