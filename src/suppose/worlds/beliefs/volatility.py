"""What the size of a prediction error says about volatility, with sensitivities.

Four rules. ``standard`` and ``ehgf``: one Newton step, precision or mean first (Mathys et al. 2014; Weber et al.,
arXiv 2305.10937). ``ehgf_safe``: the precision from the curvature at the new mean, never below that of the
prediction. ``unbounded``: two Gaussian expansions of the posterior, one at the prediction and one at the mode
of its asymptote (through Lambert's W), put together by their weights.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np

from suppose.worlds.beliefs.compiled import kernel
from suppose.worlds.beliefs.couplings import lambert_of_log, log_shares, logistic
from suppose.worlds.beliefs.schedule import (
    CHILD,
    KP,
    LEVEL,
    MEAN,
    PARENT,
    PRECISION,
    PRED_MEAN,
    PRED_PRECISION,
    SIGMA,
    VARIANCE,
    Schedule,
)

__all__ = ["curvature_at", "newton_message", "unbounded"]

CEILING = 1e10  # highest precision the unbounded rule gives


@kernel
@no_type_check
def newton_message(
    net: Schedule, p: np.ndarray, dp: np.ndarray, s: np.ndarray, ds: np.ndarray, edge: int, out: np.ndarray
) -> tuple[float, float]:
    """What one child adds to a volatility parent's precision and to its gain; tangents are added to ``out``.

    ``1/2 (k g)^2 + (k g)^2 D - 1/2 k^2 g D`` and ``1/2 k g D`` with ``g = Omega pi_hat`` and
    ``D = pi_hat (1/pi + delta^2) - 1`` over the number of volatility parents.
    """
    child = net.level[edge, CHILD]
    slot = 5 * net.node.shape[0] + net.value.shape[0] + edge
    kappa, share = p[slot], 1.0 / (net.node[child, KP + 1] - net.node[child, KP])
    expected, precision = s[PRED_PRECISION, child], s[PRECISION, child]
    delta = s[MEAN, child] - s[PRED_MEAN, child]
    spread = 1.0 / precision + delta * delta
    gamma, error = s[VARIANCE, child] * expected, share * (expected * spread - 1.0)
    pull = kappa * gamma
    for q in range(dp.shape[1]):
        d_expected = ds[PRED_PRECISION, child, q]
        d_delta = ds[MEAN, child, q] - ds[PRED_MEAN, child, q]
        d_spread = 2.0 * delta * d_delta - ds[PRECISION, child, q] / (precision * precision)
        d_gamma = ds[VARIANCE, child, q] * expected + s[VARIANCE, child] * d_expected
        d_error = share * (d_expected * spread + expected * d_spread)
        d_pull = dp[slot, q] * gamma + kappa * d_gamma
        out[0, q] += (
            pull * d_pull * (1.0 + 2.0 * error) + pull * pull * d_error
            - 0.5 * (dp[slot, q] * pull * error + kappa * d_pull * error + kappa * pull * d_error)
        )  # fmt: skip
        out[1, q] += 0.5 * (d_pull * error + pull * d_error)
    return pull * pull * (0.5 + error) - 0.5 * kappa * pull * error, 0.5 * pull * error


@kernel
@no_type_check
def curvature_at(
    net: Schedule, p: np.ndarray, dp: np.ndarray, s: np.ndarray, ds: np.ndarray, edge: int, out: np.ndarray,
) -> float:  # fmt: skip
    """Precision one child adds to a volatility parent that has already moved; 0 where it would take."""
    child, parent = net.level[edge, CHILD], net.level[edge, PARENT]
    slot = 5 * net.node.shape[0] + net.value.shape[0] + edge
    kappa, share = p[slot], 1.0 / (net.node[child, KP + 1] - net.node[child, KP])
    moved = s[MEAN, parent] - s[PRED_MEAN, parent]
    sigma, precision = s[SIGMA, child], s[PRECISION, child]
    delta = s[MEAN, child] - s[PRED_MEAN, child]
    spread = 1.0 / precision + delta * delta
    omega = math.exp(s[LEVEL, child] + kappa * moved)
    expected = 1.0 / (sigma + omega)
    gamma, error, nu = omega * expected, share * (expected * spread - 1.0), (omega - sigma) * expected
    inner = gamma + nu * error
    added = 0.5 * kappa * kappa * gamma * inner
    if added <= 0.0:
        return 0.0
    for q in range(dp.shape[1]):
        d_level = ds[LEVEL, child, q] + dp[slot, q] * moved
        d_level += kappa * (ds[MEAN, parent, q] - ds[PRED_MEAN, parent, q])
        d_omega, d_sigma = omega * d_level, ds[SIGMA, child, q]
        d_expected = -expected * expected * (d_omega + d_sigma)
        d_delta = ds[MEAN, child, q] - ds[PRED_MEAN, child, q]
        d_spread = 2.0 * delta * d_delta - ds[PRECISION, child, q] / (precision * precision)
        d_gamma = d_omega * expected + omega * d_expected
        d_nu = (d_omega - d_sigma) * expected + (omega - sigma) * d_expected
        d_error = share * (d_expected * spread + expected * d_spread)
        d_inner = d_gamma + d_nu * error + nu * d_error
        out[0, q] += kappa * dp[slot, q] * gamma * inner + 0.5 * kappa * kappa * (
            d_gamma * inner + gamma * d_inner
        )
    return added


@kernel
@no_type_check
def _height(
    level: float, log_sigma: float, spread: float, penalty: float
) -> tuple[float, float, float, float]:
    """Logarithm of the posterior at a point, up to a constant; its slopes by level, log sigma and log spread."""
    log_variance, rest, share = log_shares(log_sigma, level)
    ratio = spread * math.exp(-log_variance)
    slope = 0.5 * (ratio - 1.0)
    return -0.5 * (log_variance + ratio) - penalty, slope * share, slope * rest, -0.5 * ratio


@kernel
@no_type_check
def unbounded(
    kappa: float, level: float, sigma: float, spread: float, mean: float, precision: float,
    tangents: np.ndarray, out: np.ndarray,
) -> tuple[float, float]:  # fmt: skip
    """Posterior precision and mean of a volatility parent, both expansions put together.

    ``level`` is log Omega of the child at ``mean``; ``spread`` is ``1/pi + delta^2`` of the child; ``tangents`` holds
    the derivatives of the six numbers in their order, and those of the result are written to ``out``.
    """
    log_sigma = math.log(sigma)
    # First expansion, at the prediction.
    l1, rest1, w1 = log_shares(log_sigma, level)
    bend1 = w1 * rest1
    ratio1 = spread * math.exp(-l1)
    p1 = precision + 0.5 * kappa * kappa * bend1
    m1 = mean + 0.5 * kappa * w1 * (ratio1 - 1.0) / p1
    # Second, where exp(level) dwarfs sigma.
    half = 0.5 * kappa * kappa / precision
    w = lambert_of_log(math.log(spread) + math.log(half) + half - level)
    y = w - half
    l2, rest2, w2 = log_shares(log_sigma, level + y)
    ratio2 = spread * math.exp(-l2)
    error2 = ratio2 - 1.0
    curve = w2 * (w2 + (2.0 * w2 - 1.0) * error2)
    plain = precision + 0.5 * kappa * kappa * curve <= 0.0
    if plain:
        curve = w2 * rest2
    p2 = precision + 0.5 * kappa * kappa * curve
    gain2 = 0.5 * kappa * w2 * error2 - precision * y / kappa
    m2 = mean + y / kappa + gain2 / p2
    a1, a2 = m1 - mean, m2 - mean
    c1 = _height(level + kappa * a1, log_sigma, spread, 0.5 * precision * a1 * a1)
    c2 = _height(level + kappa * a2, log_sigma, spread, 0.5 * precision * a2 * a2)
    b = logistic(c2[0] - c1[0])
    gap = m2 - m1
    variance = (1.0 - b) / p1 + b / p2 + b * (1.0 - b) * gap * gap
    if not (math.isfinite(m2) and math.isfinite(variance) and p2 > 0.0 and variance > 0.0):
        b, p2, m2, gap, variance = 0.0, p1, m1, 0.0, 1.0 / p1
    for q in range(out.shape[1]):
        dk, dl, dsig, dspr, dm, dpi = (
            tangents[0, q], tangents[1, q], tangents[2, q], tangents[3, q], tangents[4, q], tangents[5, q],
        )  # fmt: skip
        d_log_sigma, d_log_spread = dsig / sigma, dspr / spread
        d_w1 = bend1 * (dl - d_log_sigma)
        d_ratio1 = ratio1 * (d_log_spread - w1 * dl - rest1 * d_log_sigma)
        d_p1 = dpi + kappa * dk * bend1 + 0.5 * kappa * kappa * d_w1 * (1.0 - 2.0 * w1)
        d_m1 = dm + 0.5 * ((dk * w1 + kappa * d_w1) * (ratio1 - 1.0) + kappa * w1 * d_ratio1) / p1
        d_m1 -= a1 * d_p1 / p1
        if b == 0.0:
            out[0, q], out[1, q] = d_p1, d_m1
            continue
        d_half = half * (2.0 * dk / kappa - dpi / precision)
        d_w = w / (1.0 + w) * (d_log_spread + d_half / half + d_half - dl)
        d_y = d_w - d_half
        d_w2 = w2 * rest2 * (dl + d_y - d_log_sigma)
        d_ratio2 = ratio2 * (d_log_spread - w2 * (dl + d_y) - rest2 * d_log_sigma)
        if plain:
            d_curve = d_w2 * (1.0 - 2.0 * w2)
        else:
            d_curve = d_w2 * (2.0 * w2 + (4.0 * w2 - 1.0) * error2) + w2 * (2.0 * w2 - 1.0) * d_ratio2
        d_p2 = dpi + kappa * dk * curve + 0.5 * kappa * kappa * d_curve
        d_shift = d_y / kappa - y * dk / (kappa * kappa)
        d_gain2 = 0.5 * ((dk * w2 + kappa * d_w2) * error2 + kappa * w2 * d_ratio2)
        d_gain2 -= dpi * y / kappa + precision * d_shift
        d_m2 = dm + d_shift + d_gain2 / p2 - gain2 * d_p2 / (p2 * p2)
        d_a1, d_a2 = d_m1 - dm, d_m2 - dm
        d_h1 = c1[1] * (dl + dk * a1 + kappa * d_a1) + c1[2] * d_log_sigma + c1[3] * d_log_spread
        d_h1 -= 0.5 * dpi * a1 * a1 + precision * a1 * d_a1
        d_h2 = c2[1] * (dl + dk * a2 + kappa * d_a2) + c2[2] * d_log_sigma + c2[3] * d_log_spread
        d_h2 -= 0.5 * dpi * a2 * a2 + precision * a2 * d_a2
        d_b = b * (1.0 - b) * (d_h2 - d_h1)
        d_variance = d_b * (1.0 / p2 - 1.0 / p1) - (1.0 - b) * d_p1 / (p1 * p1) - b * d_p2 / (p2 * p2)
        d_variance += (1.0 - 2.0 * b) * d_b * gap * gap + 2.0 * b * (1.0 - b) * gap * (d_m2 - d_m1)
        out[0, q] = -d_variance / (variance * variance)
        out[1, q] = d_m1 + d_b * gap + b * (d_m2 - d_m1)
    if 1.0 / variance > CEILING:
        for q in range(out.shape[1]):
            out[0, q] = 0.0
        return CEILING, m1 + b * gap
    return 1.0 / variance, m1 + b * gap
