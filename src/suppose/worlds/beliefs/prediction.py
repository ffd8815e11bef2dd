"""What a network expects before it sees the next observation, with sensitivities.

Equations of Weber et al. (arXiv 2305.10937): ``m = lambda mu + dt (rho + sum alpha g(m_b))``,
``Omega = dt exp(omega + sum kappa m_j)``, precision ``1 / (1/pi + Omega)``. Time scales the drift of hidden nodes and
never an observation. Every tangent carries the derivatives by all free parameters at once (last axis).
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np

from suppose.worlds.beliefs.compiled import kernel
from suppose.worlds.beliefs.couplings import coupled, logistic
from suppose.worlds.beliefs.schedule import (
    BINARY,
    BY_CHILD,
    DOWN,
    FUNCTION,
    KIND,
    KP,
    LAMBDA,
    LEVEL,
    MEAN,
    PARENT,
    PRECISION,
    PRED_MEAN,
    PRED_PRECISION,
    RHO,
    SIGMA,
    START_PRECISION,
    STATE,
    VARIANCE,
    VP,
    Schedule,
)

__all__ = ["predict"]

EDGE = 1e-6  # predicted probabilities stay this far from 0 and 1


@kernel
@no_type_check
def predict(net: Schedule, p: np.ndarray, dp: np.ndarray, s: np.ndarray, ds: np.ndarray, dt: float) -> None:
    """Predictions of all nodes, parents first."""
    for place in range(net.node.shape[0]):
        node = net.node[place, DOWN]
        if net.node[node, KIND] == BINARY:
            _predict_binary(net, p, dp, s, ds, node)
        else:
            _predict_gaussian(net, p, dp, s, ds, node, dt)


@kernel
@no_type_check
def _driven(
    net: Schedule, p: np.ndarray, dp: np.ndarray, s: np.ndarray, ds: np.ndarray, node: int, scale: float
) -> None:
    """Add what value parents drive the node to, times ``scale``, to its predicted mean."""
    first = 5 * net.node.shape[0]
    for place in range(net.node[node, VP], net.node[node, VP + 1]):
        edge = net.value[place, BY_CHILD]
        parent, alpha = net.value[edge, PARENT], p[first + edge]
        g0, g1, _, _ = coupled(net.value[edge, FUNCTION], s[PRED_MEAN, parent])
        s[PRED_MEAN, node] += scale * alpha * g0
        for q in range(dp.shape[1]):
            ds[PRED_MEAN, node, q] += scale * (
                dp[first + edge, q] * g0 + alpha * g1 * ds[PRED_MEAN, parent, q]
            )


@kernel
@no_type_check
def _predict_binary(
    net: Schedule, p: np.ndarray, dp: np.ndarray, s: np.ndarray, ds: np.ndarray, node: int
) -> None:
    s[PRED_MEAN, node] = 0.0
    for q in range(dp.shape[1]):
        ds[PRED_MEAN, node, q] = 0.0
    _driven(net, p, dp, s, ds, node, 1.0)
    free = logistic(s[PRED_MEAN, node])
    mean = min(max(free, EDGE), 1.0 - EDGE)
    weight = mean * (1.0 - mean)
    s[PRED_MEAN, node], s[PRED_PRECISION, node] = mean, weight
    for q in range(dp.shape[1]):
        change = weight * ds[PRED_MEAN, node, q] if free == mean else 0.0
        ds[PRED_MEAN, node, q] = change
        ds[PRED_PRECISION, node, q] = (1.0 - 2.0 * mean) * change


@kernel
@no_type_check
def _predict_gaussian(
    net: Schedule, p: np.ndarray, dp: np.ndarray, s: np.ndarray, ds: np.ndarray, node: int, dt: float
) -> None:
    n = net.node.shape[0]
    count = dp.shape[1]
    hidden = net.node[node, KIND] == STATE
    if hidden:
        keep = p[LAMBDA * n + node]
        s[PRED_MEAN, node] = keep * s[MEAN, node] + dt * p[RHO * n + node]
        for q in range(count):
            ds[PRED_MEAN, node, q] = (
                dp[LAMBDA * n + node, q] * s[MEAN, node]
                + keep * ds[MEAN, node, q]
                + dt * dp[RHO * n + node, q]
            )
    else:
        s[PRED_MEAN, node] = 0.0
        s[PRECISION, node] = p[START_PRECISION * n + node]
        for q in range(count):
            ds[PRED_MEAN, node, q] = 0.0
            ds[PRECISION, node, q] = dp[START_PRECISION * n + node, q]
    _driven(net, p, dp, s, ds, node, dt if hidden else 1.0)
    precision = s[PRECISION, node]
    s[SIGMA, node] = 1.0 / precision
    if not hidden and net.node[node, KP] == net.node[node, KP + 1]:
        s[PRED_PRECISION, node], s[VARIANCE, node] = precision, 0.0
        for q in range(count):
            ds[PRED_PRECISION, node, q] = ds[PRECISION, node, q]
        return
    _level(net, p, dp, s, ds, node, dt)
    omega = math.exp(s[LEVEL, node])
    expected = 1.0 / (1.0 / precision + omega)
    s[VARIANCE, node], s[PRED_PRECISION, node] = omega, expected
    for q in range(count):
        d_sigma = -ds[PRECISION, node, q] / (precision * precision)
        d_omega = omega * ds[LEVEL, node, q]
        ds[SIGMA, node, q], ds[VARIANCE, node, q] = d_sigma, d_omega
        ds[PRED_PRECISION, node, q] = -expected * expected * (d_sigma + d_omega)


@kernel
@no_type_check
def _level(
    net: Schedule, p: np.ndarray, dp: np.ndarray, s: np.ndarray, ds: np.ndarray, node: int, dt: float
) -> None:
    """Logarithm of the variance a step adds: ``log dt + omega + sum kappa m_j``."""
    first = 5 * net.node.shape[0] + net.value.shape[0]
    s[LEVEL, node] = math.log(dt) + p[node]
    for q in range(dp.shape[1]):
        ds[LEVEL, node, q] = dp[node, q]
    for place in range(net.node[node, KP], net.node[node, KP + 1]):
        edge = net.level[place, BY_CHILD]
        parent, kappa = net.level[edge, PARENT], p[first + edge]
        s[LEVEL, node] += kappa * s[PRED_MEAN, parent]
        for q in range(dp.shape[1]):
            ds[LEVEL, node, q] += (
                dp[first + edge, q] * s[PRED_MEAN, parent] + kappa * ds[PRED_MEAN, parent, q]
            )
