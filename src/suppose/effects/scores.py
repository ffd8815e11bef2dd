"""Scores: the moment conditions whose roots are the effects, as pure functions of predictions.

Each returns ``psi_a, psi_b`` of the same leading shape as its inputs; the effect is the root of
``mean(psi_a * theta + psi_b) = 0`` (:func:`suppose.effects.inference.solve_score`).

Symbols: ``y`` outcome, ``d`` treatment, ``l = E[Y|X]``, ``m = E[D|X]``, ``g`` outcome without treatment
(Chernozhukov et al. 2018, eq. 4.1 to 4.4); ``mu`` outcome under an arm, ``e`` propensity of an arm
(Robins, Rotnitzky & Zhao 1994; Hahn 1998 for the treated; Li & Li 2019, Propensity score weighting for
causal inference with multiple treatments, Annals of Applied Statistics 13, for the overlap population).

Own derivation: the score of the overlap population (ATO) is orthogonal with the propensity estimated.
With tilting ``h = 1 / sum_b(1 / e_b)`` its influence function has the extra term
``sum_b (h / e_b)**2 (1{A = b} - e_b) (mu_a - mu_0 - theta)``, which adds up to the weights
``(h / e_A)**2`` below. With two arms it is the partialling-out score with
``l = e mu_1 + (1 - e) mu_0``.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

__all__ = [
    "ESTIMANDS",
    "bound_propensity",
    "interactive_score",
    "iv_type_score",
    "log_weight_slope",
    "overlap_weights",
    "partialling_out_score",
    "weight_of_arms",
]

ESTIMANDS = ("ATE", "ATT", "ATO")
Score = tuple[np.ndarray, np.ndarray]


def partialling_out_score(
    y: Float[np.ndarray, " n"],
    d: Float[np.ndarray, " n"],
    l: Float[np.ndarray, "n repeats"],  # noqa: E741 (the paper's symbol)
    m: Float[np.ndarray, "n repeats"],
) -> Score:
    """Partially linear model, outcome and treatment residuals (Chernozhukov et al. 2018, eq. 4.4).

    Examples
    --------
    >>> zero = np.zeros((2, 1))
    >>> psi_a, psi_b = partialling_out_score(np.array([2.0, 4.0]), np.array([1.0, 2.0]), zero, zero)
    >>> float(-psi_b.sum() / psi_a.sum())
    2.0
    """
    v = d[:, None] - m
    return -v * v, v * (y[:, None] - l)


def iv_type_score(
    y: Float[np.ndarray, " n"],
    d: Float[np.ndarray, " n"],
    g: Float[np.ndarray, "n repeats"],
    m: Float[np.ndarray, "n repeats"],
) -> Score:
    """Partially linear model, treatment residual as instrument (Chernozhukov et al. 2018, eq. 4.3)."""
    v = d[:, None] - m
    return -v * d[:, None], v * (y[:, None] - g)


def interactive_score(
    estimand: str,
    y: Float[np.ndarray, " n"],
    indicator: Bool[np.ndarray, "n arms"],
    mu: Float[np.ndarray, "n repeats arms"],
    e: Float[np.ndarray, "n repeats arms"],
    *,
    arm: int,
    reference: int = 0,
) -> Score:
    """Augmented inverse-probability score of one arm against the reference.

    Parameters
    ----------
    estimand : {"ATE", "ATT", "ATO"}
        Average over everyone, over those who have ``arm``, or over the overlap population.
    y : (n,) array
        Outcome.
    indicator : (n, arms) bool array
        Which arm each row has.
    mu, e : (n, repeats, arms) arrays
        Predicted outcome under, and probability of, each arm. For ATE and ATT ``e`` must be bounded away
        from zero (:func:`bound_propensity`); ATO divides by nothing.
    arm, reference : int
        Columns compared.

    Returns
    -------
    (n, repeats) arrays ``psi_a`` and ``psi_b``
    """
    a, c = indicator[:, arm, None], indicator[:, reference, None]  # (n, 1)
    residual_a, residual_c = y[:, None] - mu[:, :, arm], y[:, None] - mu[:, :, reference]
    difference = mu[:, :, arm] - mu[:, :, reference]
    if estimand == "ATE":
        psi_b = difference + a * residual_a / e[:, :, arm] - c * residual_c / e[:, :, reference]
        return -np.ones_like(psi_b), psi_b
    if estimand == "ATT":
        share = float(np.mean(a))
        psi_b = (a * residual_c - c * residual_c * e[:, :, arm] / e[:, :, reference]) / share
        return np.broadcast_to(a / -share, psi_b.shape).copy(), psi_b
    weights = overlap_weights(e)  # (n, repeats, arms)
    own = np.where(indicator[:, None, :], weights, 0.0).sum(axis=2) ** 2
    psi_b = own * difference + a * weights[:, :, arm] * residual_a - c * weights[:, :, reference] * residual_c
    return -own, psi_b


def overlap_weights(e: Float[np.ndarray, "n *repeats arms"]) -> Float[np.ndarray, "n *repeats arms"]:
    """Overlap weight ``h / e_b`` of each arm, between 0 and 1; with two arms the other arm's propensity.

    Examples
    --------
    >>> overlap_weights(np.array([[0.2, 0.8]]))
    array([[0.8, 0.2]])
    """
    bounded = np.clip(e, 1e-12, None)
    if bounded.shape[-1] == 2:
        return np.asarray(bounded[..., ::-1] / bounded.sum(axis=-1, keepdims=True))
    inverse = 1.0 / bounded
    return np.asarray(inverse / inverse.sum(axis=-1, keepdims=True))


def weight_of_arms(
    estimand: str, e: Float[np.ndarray, "n *repeats arms"], *, arm: int, reference: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Balancing weights of the rows of ``arm`` and of ``reference`` that make both look like the target.

    Examples
    --------
    >>> [float(w[0]) for w in weight_of_arms("ATT", np.array([[0.8, 0.2]]), arm=1)]
    [1.0, 0.25]
    """
    if estimand == "ATE":
        return 1.0 / e[..., arm], 1.0 / e[..., reference]
    if estimand == "ATT":
        return np.ones_like(e[..., arm]), e[..., arm] / e[..., reference]
    weights = overlap_weights(e)
    return weights[..., arm], weights[..., reference]


def log_weight_slope(
    estimand: str,
    e: Float[np.ndarray, "n *repeats arms"],
    *,
    weight_of: int,
    arm: int,
    reference: int = 0,
) -> Float[np.ndarray, "n *repeats arms"]:
    """Slope of the log of the weight of rows with ``weight_of``, by the index of each arm.

    The index of arm ``c`` is the linear part of a multinomial logit, ``e_c`` proportional to its
    exponential. Used for how much estimating the propensity moves a weighted mean.
    """
    own = np.zeros_like(e)
    own[..., weight_of] = 1.0
    if estimand == "ATE":
        return np.asarray(e - own)
    if estimand == "ATO":
        return np.asarray(overlap_weights(e) - own)
    slope = np.zeros_like(e)
    if weight_of == reference:
        slope[..., arm], slope[..., reference] = 1.0, -1.0
    return slope


def bound_propensity(
    e: Float[np.ndarray, "n *repeats arms"], threshold: float
) -> Float[np.ndarray, "n *repeats arms"]:
    """Propensities moved into ``[threshold, 1 - threshold]``.

    Examples
    --------
    >>> bound_propensity(np.array([[0.001, 0.999]]), 0.01)
    array([[0.01, 0.99]])
    """
    return np.asarray(np.clip(e, threshold, 1.0 - threshold))
