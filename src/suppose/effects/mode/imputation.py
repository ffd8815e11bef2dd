"""Multiple imputation of the answers given in the other mode, from a model fitted in the reference mode.

Answers of the other mode are blanked and drawn anew: the exposure given the covariates, then the outcome given
exposure and covariates. Each draw takes coefficients from their posterior under a flat prior (normal model with the
variance drawn from its scaled inverse chi-square; logistic model with the normal approximation), then a residual.
Estimates are put together by Rubin's rules (Rubin, Multiple Imputation for Nonresponse in Surveys, Wiley, 1987).

It removes the shift of the mode and keeps what selection into the mode did: the result is the slope within the
reference mode, collider bias included. That is why it stands beside conditioning and is no way around it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import expit

from suppose.core.progress import track
from suppose.core.random import generator
from suppose.effects.inference import EffectEstimate, estimate_effect
from suppose.effects.linear_inference import linear_inference
from suppose.effects.mode.regression import logistic, regression

__all__ = ["draw_answers", "impute_mode", "rubin"]


def draw_answers(
    D: Float[np.ndarray, "n k"],
    answer: Float[np.ndarray, " n"],
    blank: Bool[np.ndarray, " n"],
    random: np.random.Generator,
) -> Float[np.ndarray, " n"]:
    """The answers with the blank ones drawn from a model of the others given ``D``.

    Answers of 0 and 1 are drawn from a logistic model, others from a normal one.
    """
    known, out = ~blank, answer.copy()
    if set(np.unique(answer[known])) == {0.0, 1.0}:
        found = logistic(D[known], answer[known])
        p = expit(D[known] @ found.coefficients)
        spread = np.linalg.inv((D[known] * (p * (1 - p))[:, None]).T @ D[known])
        b = _normal(found.coefficients, spread, random)
        out[blank] = random.random(int(blank.sum())) < expit(D[blank] @ b)
        return out
    found = linear_inference(D[known], answer[known])
    freedom = int(known.sum()) - D.shape[1]
    rest = float(np.sum((answer[known] - D[known] @ found.coefficients) ** 2))
    variance = rest / random.chisquare(freedom)
    b = _normal(found.coefficients, variance * np.linalg.inv(D[known].T @ D[known]), random)
    out[blank] = D[blank] @ b + np.sqrt(variance) * random.standard_normal(int(blank.sum()))
    return out


def _normal(mean: np.ndarray, covariance: np.ndarray, random: np.random.Generator) -> np.ndarray:
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(mean + root @ random.standard_normal(len(mean)))


def rubin(
    estimates: Float[np.ndarray, " m"], variances: Float[np.ndarray, " m"], freedom: float
) -> tuple[float, float, float]:
    """Estimate, standard error and degrees of freedom by Rubin's rules (small samples: Barnard and Rubin 1999).

    Examples
    --------
    >>> tuple(round(value, 3) for value in rubin(np.array([1.0, 2.0, 3.0]), np.ones(3), 100.0))
    (2.0, 1.528, 5.346)
    """
    m = len(estimates)
    within, between = float(variances.mean()), float(estimates.var(ddof=1))
    total = within + (1 + 1 / m) * between
    share = (1 + 1 / m) * between / total if total > 0 else 0.0
    old = (m - 1) / max(share, 1e-12) ** 2
    observed = (freedom + 1) / (freedom + 3) * freedom * (1 - share)
    return float(estimates.mean()), float(np.sqrt(total)), max(1 / (1 / old + 1 / max(observed, 1e-9)), 1.0)


def impute_mode(
    exposure: Float[np.ndarray, " n"],
    outcome: Float[np.ndarray, " n"],
    other: Bool[np.ndarray, " n"],
    covariates: Float[np.ndarray, "n p"],
    *,
    affected: str = "both",
    model: str = "linear",
    imputations: int = 20,
    level: float = 0.95,
    seed: int = 0,
) -> EffectEstimate:
    """The slope after imputing what the other mode recorded.

    Parameters
    ----------
    exposure, outcome : (n,) arrays
        Recorded answers.
    other : (n,) array of bool
        Rows answered in the other mode.
    covariates : (n, p) array
        Used in imputing and in the slope.
    affected : {"both", "exposure", "outcome"}
        Which answers are blanked.
    model : {"linear", "logistic"}
        Of the outcome.
    imputations : int
        At least 2.
    level : float
        Coverage of the interval.
    seed : int
        Of the draws.

    Raises
    ------
    EstimationError
        ``collinear``, ``logit-diverged``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=400)
    >>> other = rng.random(400) < 0.5
    >>> y = 0.3 * x + rng.normal(size=400) + 0.5 * other
    >>> found = impute_mode(x, y, other, np.empty((400, 0)), affected="outcome")
    >>> found.low < 0.3 < found.high
    True
    """
    ones = np.ones((len(outcome), 1))
    results = np.empty((imputations, 2))
    freedom = float(len(outcome) - covariates.shape[1] - 2)
    for k in track(range(imputations), "imputing the other mode"):
        random = generator(seed, "mode imputation", k)
        x, y = exposure, outcome
        if affected == "exposure":
            x = draw_answers(np.column_stack([ones, outcome, covariates]), x, other, random)
        if affected == "both":
            x = draw_answers(np.column_stack([ones, covariates]), x, other, random)
        if affected in ("both", "outcome"):
            y = draw_answers(np.column_stack([ones, x, covariates]), y, other, random)
        found: Any = regression(np.column_stack([x, ones, covariates]), y, model)
        results[k] = found.coefficients[0], found.covariance[0, 0]
    estimate, error, degrees = rubin(results[:, 0], results[:, 1], freedom)
    blanked = {"both": "both answers", "exposure": "exposure", "outcome": "outcome"}[affected]
    return estimate_effect(
        estimate, error, estimand="slope" if model == "linear" else "log odds ratio", contrast="per unit",
        n=len(outcome), level=level,
        method=f"{blanked} of the other mode imputed, {imputations} times", degrees_of_freedom=degrees,
    )  # fmt: skip
