"""Regressions with robust standard errors that the analyses of modes share: weighted, logistic, two-stage.

Least squares without weights is :func:`suppose.effects.linear_inference.linear_inference` (HC3). With weights, for
log odds (Newton's method) and for two-stage least squares the covariance is the sandwich with factor n / (n - k).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from suppose.core.errors import EstimationError
from suppose.effects.linear_inference import LinearInference, linear_inference

__all__ = ["logistic", "regression", "two_stage"]

STEPS = 60


def regression(
    D: Float[np.ndarray, "n k"],
    y: Float[np.ndarray, " n"],
    model: str = "linear",
    weights: Float[np.ndarray, " n"] | None = None,
) -> LinearInference:
    """Coefficients of a linear or logistic model with robust covariance.

    Raises
    ------
    EstimationError
        ``collinear``; ``logit-diverged`` when the outcome is separated.
    """
    if model == "logistic":
        return logistic(D, y, weights)
    if weights is None:
        return linear_inference(D, y)
    linear_inference(D, y)  # refuses what has no solution
    n, k = D.shape
    bread = np.linalg.inv((D * weights[:, None]).T @ D)
    coefficients = bread @ (D.T @ (weights * y))
    scores = D * (weights * (y - D @ coefficients))[:, None]
    return LinearInference(coefficients, n / (n - k) * bread @ (scores.T @ scores) @ bread, float(n - k))


def logistic(
    D: Float[np.ndarray, "n k"],
    y: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"] | None = None,
    start: Float[np.ndarray, " k"] | None = None,
) -> LinearInference:
    """Log odds of ``y`` being 1 by maximum likelihood, with the sandwich covariance.

    Raises
    ------
    EstimationError
        ``collinear``; ``logit-diverged`` when some combination of columns tells 0 from 1 without error.

    Examples
    --------
    >>> D = np.c_[np.ones(8), [0, 0, 0, 0, 1, 1, 1, 1]]
    >>> found = logistic(D, np.array([0, 0, 0, 1, 0, 1, 1, 1.0]))
    >>> round(float(found.coefficients[1]), 4)  # log of 3 / (1/3)
    2.1972
    """
    n, k = D.shape
    w = np.ones(n) if weights is None else weights
    scale = np.sqrt(np.mean(D**2, axis=0))
    if n <= k or np.linalg.matrix_rank(D / np.where(scale > 0, scale, 1.0)) < k:
        linear_inference(D, y)  # makes the refusal
    b = np.zeros(k) if start is None else np.asarray(start, dtype=float)
    for _ in range(STEPS):
        p = expit(D @ b)
        curvature = (D * (w * p * (1 - p))[:, None]).T @ D
        try:
            step = np.linalg.solve(curvature, D.T @ (w * (y - p)))
        except np.linalg.LinAlgError:
            break
        b = b + step * min(1.0, 4.0 / max(float(np.max(np.abs(step * scale))), 1e-300))
        if float(np.max(np.abs(step * scale))) < 1e-10:
            break
    if float(np.max(np.abs(b * scale))) > 25 or not np.all(np.isfinite(b)):
        raise EstimationError(
            "logit-diverged", "the log odds grow without end: some combination of columns tells 0 from 1 without error",
            where="model", remedy="Leave out the column that decides, group rare levels, or use model='linear'.",
        )  # fmt: skip
    p = expit(D @ b)
    bread = np.linalg.inv((D * (w * p * (1 - p))[:, None]).T @ D)
    scores = D * (w * (y - p))[:, None]
    return LinearInference(b, n / (n - k) * bread @ (scores.T @ scores) @ bread, float(n - k))


def two_stage(
    D: Float[np.ndarray, "n k"], Z: Float[np.ndarray, "n k"], y: Float[np.ndarray, " n"]
) -> LinearInference:
    """Two-stage least squares with as many instruments ``Z`` as regressors ``D`` (covariates stand in both).

    Raises
    ------
    EstimationError
        ``weak-instrument`` when the instruments hardly move the regressors (they are singular together).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> offer = rng.integers(0, 2, 4000).astype(float)
    >>> hidden = rng.normal(size=4000)
    >>> mode = (offer + hidden > 0.5).astype(float)
    >>> ones = np.ones(4000)
    >>> found = two_stage(np.c_[mode, ones], np.c_[offer, ones], 0.5 * mode + hidden)
    >>> abs(float(found.coefficients[0]) - 0.5) < 0.3
    True
    """
    n, k = D.shape
    cross = Z.T @ D
    size = np.sqrt(np.outer(np.sum(Z**2, axis=0), np.sum(D**2, axis=0)))
    if n <= k or np.linalg.cond(cross / np.where(size > 0, size, 1.0)) > 1e8:
        raise EstimationError(
            "weak-instrument", "the offer does not move the mode, or repeats another column", where="instrument",
            remedy="Use an offer that was drawn at random and that people followed, or leave it out.",
        )  # fmt: skip
    inverse = np.linalg.inv(cross)
    coefficients = inverse @ (Z.T @ y)
    scores = Z * (y - D @ coefficients)[:, None]
    return LinearInference(
        coefficients, n / (n - k) * inverse @ (scores.T @ scores) @ inverse.T, float(n - k)
    )
