"""How beliefs move once an observation is in: errors go up, each node before its parents, with sensitivities.

A value parent hears ``sum alpha g' pi_hat delta`` at precision ``sum pi_hat (alpha^2 g'^2 - alpha g'' delta)``
(Weber et al., arXiv 2305.10937); a binary child speaks with weight ``w = m (1 - m)`` and error ``(u - m) / w``.
Between hidden nodes a step of length dt carries ``dt alpha`` instead of alpha, as it does in the prediction: that is
what makes chains of value parents equal a Kalman filter's means for any dt.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np

from suppose.worlds.beliefs.compiled import kernel
from suppose.worlds.beliefs.couplings import coupled
from suppose.worlds.beliefs.schedule import (
    BINARY,
    BY_PARENT,
    CHILD,
    DOWN,
    FUNCTION,
    KC,
    KIND,
    LEVEL,
    MEAN,
    PRECISION,
    PRED_MEAN,
    PRED_PRECISION,
    SIGMA,
    STATE,
    VC,
    Schedule,
)
from suppose.worlds.beliefs.volatility import curvature_at, newton_message, unbounded

__all__ = ["EHGF", "RULES", "SAFE", "STANDARD", "UNBOUNDED", "update"]

RULES = ("standard", "ehgf", "ehgf_safe", "unbounded")
STANDARD, EHGF, SAFE, UNBOUNDED = range(4)


@kernel
@no_type_check
def update(
    net: Schedule, p: np.ndarray, dp: np.ndarray, s: np.ndarray, ds: np.ndarray, heard: np.ndarray, dt: float,
    rule: int, scratch: np.ndarray,
) -> int:  # fmt: skip
    """Posteriors of all hidden nodes; -1, or the node whose precision is not positive.

    ``heard`` says which inputs were observed, and is filled for the other nodes: a node under which nothing was
    observed keeps its prediction.
    """
    for place in range(net.node.shape[0] - 1, -1, -1):
        node = net.node[place, DOWN]
        if net.node[node, KIND] != STATE:
            continue
        values = _any_child(net.value, net.node[node, VC], net.node[node, VC + 1], heard)
        errors = _any_child(net.level, net.node[node, KC], net.node[node, KC + 1], heard)
        heard[node] = values or errors
        if not heard[node]:
            s[MEAN, node], s[PRECISION, node] = s[PRED_MEAN, node], s[PRED_PRECISION, node]
            for q in range(dp.shape[1]):
                ds[MEAN, node, q] = ds[PRED_MEAN, node, q]
                ds[PRECISION, node, q] = ds[PRED_PRECISION, node, q]
            continue
        for q in range(dp.shape[1]):
            scratch[0, q] = scratch[1, q] = 0.0
        precision, gain = 0.0, 0.0
        if values:
            precision, gain = _value_messages(net, p, dp, s, ds, heard, dt, node, scratch)
        if not errors:
            _settle(s, ds, node, precision, gain, False, scratch)
        elif rule == UNBOUNDED:
            _settle(s, ds, node, precision, gain, False, scratch)
            _unbounded_step(net, p, dp, s, ds, heard, node, scratch)
        else:
            _newton_step(net, p, dp, s, ds, heard, node, rule, precision, gain, scratch)
        if not s[PRECISION, node] > 0.0 or not np.isfinite(s[MEAN, node]):
            return int(node)
    return -1


@kernel
@no_type_check
def _any_child(edges: np.ndarray, first: int, last: int, heard: np.ndarray) -> bool:
    for place in range(first, last):  # noqa: SIM110 (compiled)
        if heard[edges[edges[place, BY_PARENT], CHILD]]:
            return True
    return False


@kernel
@no_type_check
def _value_messages(
    net: Schedule, p: np.ndarray, dp: np.ndarray, s: np.ndarray, ds: np.ndarray, heard: np.ndarray, dt: float,
    node: int, out: np.ndarray,
) -> tuple[float, float]:  # fmt: skip
    """Precision and gain that value children give; tangents go to the first two rows of ``out``."""
    first = 5 * net.node.shape[0]
    total, gain = 0.0, 0.0
    for place in range(net.node[node, VC], net.node[node, VC + 1]):
        edge = net.value[place, BY_PARENT]
        child = net.value[edge, CHILD]
        if not heard[child]:
            continue
        scale = dt if net.node[child, KIND] == STATE else 1.0
        binary = net.node[child, KIND] == BINARY
        alpha, expected = scale * p[first + edge], s[PRED_PRECISION, child]
        delta = s[MEAN, child] - s[PRED_MEAN, child]
        pull = delta if binary else expected * delta
        _, g1, g2, g3 = coupled(net.value[edge, FUNCTION], s[MEAN, node])
        total += expected * alpha * alpha * g1 * g1 - alpha * g2 * pull
        gain += alpha * g1 * pull
        for q in range(dp.shape[1]):
            d_alpha, d_expected, moved = (
                scale * dp[first + edge, q],
                ds[PRED_PRECISION, child, q],
                ds[MEAN, node, q],
            )
            d_pull = ds[MEAN, child, q] - ds[PRED_MEAN, child, q]
            if not binary:
                d_pull = d_expected * delta + expected * d_pull
            slope = d_alpha * g1 + alpha * g2 * moved
            out[0, q] += (
                d_expected * alpha * alpha * g1 * g1 + 2.0 * expected * alpha * g1 * slope
                - (d_alpha * g2 + alpha * g3 * moved) * pull - alpha * g2 * d_pull
            )  # fmt: skip
            out[1, q] += slope * pull + alpha * g1 * d_pull
    return total, gain


@kernel
@no_type_check
def _settle(
    s: np.ndarray, ds: np.ndarray, node: int, precision: float, gain: float, early: bool, moves: np.ndarray
) -> None:
    """Posterior from added precision and gain; the mean divides by the prediction's precision where ``early``."""
    expected = s[PRED_PRECISION, node]
    new = expected + precision
    below = expected if early else new
    s[PRECISION, node], s[MEAN, node] = new, s[PRED_MEAN, node] + gain / below
    for q in range(ds.shape[2]):
        d_new = ds[PRED_PRECISION, node, q] + moves[0, q]
        d_below = ds[PRED_PRECISION, node, q] if early else d_new
        ds[PRECISION, node, q] = d_new
        ds[MEAN, node, q] = ds[PRED_MEAN, node, q] + (moves[1, q] - gain / below * d_below) / below


@kernel
@no_type_check
def _newton_step(
    net: Schedule, p: np.ndarray, dp: np.ndarray, s: np.ndarray, ds: np.ndarray, heard: np.ndarray, node: int,
    rule: int, precision: float, gain: float, scratch: np.ndarray,
) -> None:  # fmt: skip
    """Rules ``standard``, ``ehgf`` and ``ehgf_safe``."""
    if rule == SAFE:
        for q in range(dp.shape[1]):
            scratch[2, q] = scratch[0, q]
    before = precision
    for place in range(net.node[node, KC], net.node[node, KC + 1]):
        edge = net.level[place, BY_PARENT]
        if heard[net.level[edge, CHILD]]:
            more, pull = newton_message(net, p, dp, s, ds, edge, scratch)
            precision, gain = precision + more, gain + pull
    _settle(s, ds, node, precision, gain, rule != STANDARD, scratch)
    if rule != SAFE:
        return
    for q in range(dp.shape[1]):
        scratch[0, q] = scratch[2, q]
    for place in range(net.node[node, KC], net.node[node, KC + 1]):
        edge = net.level[place, BY_PARENT]
        if heard[net.level[edge, CHILD]]:
            before += curvature_at(net, p, dp, s, ds, edge, scratch)
    s[PRECISION, node] = s[PRED_PRECISION, node] + before
    for q in range(dp.shape[1]):
        ds[PRECISION, node, q] = ds[PRED_PRECISION, node, q] + scratch[0, q]


@kernel
@no_type_check
def _unbounded_step(
    net: Schedule, p: np.ndarray, dp: np.ndarray, s: np.ndarray, ds: np.ndarray, heard: np.ndarray, node: int,
    scratch: np.ndarray,
) -> None:  # fmt: skip
    """Rule ``unbounded``, after value children have spoken; one volatility child."""
    edge = net.level[net.node[node, KC], BY_PARENT]
    child, slot = net.level[edge, CHILD], 5 * net.node.shape[0] + net.value.shape[0] + edge
    kappa, precision = p[slot], s[PRECISION, child]
    if kappa == 0.0:
        return
    moved = s[MEAN, node] - s[PRED_MEAN, node]
    delta = s[MEAN, child] - s[PRED_MEAN, child]
    t = scratch[2:]
    for q in range(dp.shape[1]):
        d_moved = ds[MEAN, node, q] - ds[PRED_MEAN, node, q]
        t[0, q] = dp[slot, q]
        t[1, q] = ds[LEVEL, child, q] + dp[slot, q] * moved + kappa * d_moved
        t[2, q] = ds[SIGMA, child, q]
        t[3, q] = 2.0 * delta * (ds[MEAN, child, q] - ds[PRED_MEAN, child, q])
        t[3, q] -= ds[PRECISION, child, q] / (precision * precision)
        t[4, q], t[5, q] = ds[MEAN, node, q], ds[PRECISION, node, q]
    s[PRECISION, node], s[MEAN, node] = unbounded(
        kappa, s[LEVEL, child] + kappa * moved, s[SIGMA, child], 1.0 / precision + delta * delta,
        s[MEAN, node], s[PRECISION, node], t, scratch,
    )  # fmt: skip
    for q in range(dp.shape[1]):
        ds[PRECISION, node, q], ds[MEAN, node, q] = scratch[0, q], scratch[1, q]
