"""How one cause could have decided two draws at once: joint laws of a state and its twin.

A table says how often a state occurs under each setting of its parents, not which unit would have had which
state under two of them. That needs the hidden cause the two draws share, and tables leave it open. Two common
choices of it, both exact here (no sampling):

*monotone*: one uniform number, states in their order; K(i, j) is the length of the overlap of two intervals
of the distribution functions. Right when more of the cause never means less of the effect.

*gumbel*: the largest of log-probabilities plus shared Gumbel numbers (Oberst and Sontag 2019). With exponential
clocks E_k the states are argmin E_k / p_k and argmin E_k / q_k, and integrating over the two winning times
gives, with r_k = p_k / q_k and S(t) = sum_k max(p_k, q_k t),

    K(i, i) = 1 / sum_k max(p_k / p_i, q_k / q_i),
    K(i, j) = p_i q_j * integral of S(t)^-2 from r_j to r_i  where r_i > r_j, else 0,

which is elementary because S is linear between the r_k. The closed form off the diagonal is ours.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

__all__ = ["gumbel", "monotone"]


def monotone(
    first: Float[np.ndarray, "states pairs"], second: Float[np.ndarray, "states pairs"]
) -> Float[np.ndarray, "states states pairs"]:
    """Joint law of two draws by one uniform number.

    Parameters
    ----------
    first, second : array (states, pairs)
        Two probability tables, one pair per column.

    Examples
    --------
    >>> monotone(np.array([[.5], [.5]]), np.array([[.2], [.8]]))[:, :, 0].round(4).tolist()
    [[0.2, 0.3], [0.0, 0.5]]
    """
    top, other = np.cumsum(first, axis=0), np.cumsum(second, axis=0)
    upper = np.minimum(top[:, None], other[None])
    lower = np.maximum((top - first)[:, None], (other - second)[None])
    return np.asarray(np.maximum(upper - lower, 0.0))


def gumbel(
    first: Float[np.ndarray, "states pairs"], second: Float[np.ndarray, "states pairs"]
) -> Float[np.ndarray, "states states pairs"]:
    """Joint law of two draws by shared Gumbel numbers.

    Parameters
    ----------
    first, second : array (states, pairs)
        Two probability tables, one pair per column.

    Examples
    --------
    >>> joint = gumbel(np.array([[.5], [.5]]), np.array([[.2], [.8]]))[:, :, 0]
    >>> joint.round(4).tolist(), joint.sum(axis=1).round(9).tolist()
    ([[0.2, 0.3], [0.0, 0.5]], [0.5, 0.5])
    """
    states, pairs = first.shape
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(second > 0, first / second, np.where(first > 0, np.inf, 0.0))
        forward = np.where(first[:, None] > 0, first[None] / first[:, None], 0.0)
        backward = np.where(second[:, None] > 0, second[None] / second[:, None], 0.0)
    order = np.argsort(ratio, axis=0, kind="stable")
    sorted_ratio = np.take_along_axis(ratio, order, axis=0)
    p, q = (np.take_along_axis(table, order, axis=0) for table in (first, second))
    above = np.cumsum(p[::-1], axis=0)[::-1]  # p of this and all later states
    below = np.cumsum(q, axis=0)
    area: np.ndarray = np.zeros((states, pairs))
    for k in range(1, states):
        area[k] = area[k - 1] + _segment(sorted_ratio[k - 1], sorted_ratio[k], above[k], below[k - 1])
    reached = np.zeros_like(area)
    np.put_along_axis(reached, order, area, axis=0)
    joint = first[:, None] * second[None] * np.maximum(reached[:, None] - reached[None], 0.0)
    both = (first > 0) & (second > 0)
    summed = np.maximum(forward, backward).sum(axis=1)
    diagonal = np.where(both, 1.0 / np.where(both, summed, 1.0), 0.0)
    joint[np.arange(states), np.arange(states)] = diagonal
    return np.asarray(joint)


def _segment(low: np.ndarray, high: np.ndarray, constant: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Integral of (constant + slope t)^-2 from low to high, which may be infinite."""
    endless = np.isinf(high)
    start = constant + slope * np.where(np.isinf(low), 0.0, low)
    end = constant + slope * np.where(endless, 0.0, high)
    with np.errstate(divide="ignore", invalid="ignore"):
        finite = (np.where(endless, 0.0, high) - low) / (start * end)
        infinite = 1.0 / (slope * start)
    found = np.where(endless, infinite, finite)
    return np.where(np.isinf(low) | (low == high), 0.0, found)
