"""Choosing alpha without the truth: held-out rows (CV), held-out augmentations (LCV), confounder correction (CC).

All three are reported side by side, because none is right everywhere (Akbar et al. 2025, arXiv 2510.25128,
section 5 and its code):

- **CV**: a fifth of the rows is held out; the score is the squared error on their *original* inputs. It asks
  for predictions under the observed confounding, so it leans to large alpha.
- **LCV**: each parameter of the augmentation is cut into two bins; the combinations of bins are levels, of
  which a fifth is held out. It asks whether predictions carry over to augmentations not seen.
- **CC**: the norm the causal coefficients should have by Janzing's confounder correction (2019, Causal
  Regularization, NeurIPS): ``|h|^2`` near ``(1 - beta) |h_DA|^2`` with the confounding share ``beta`` estimated
  from the direction of ``h_DA`` relative to the covariance of the inputs. It stands on a prior that
  coefficients and confounding point in random directions.

Deviation: held-out rows are one split drawn by the seed; ties go to the larger alpha. The likelihood of CC is
maximised on a grid refined by Brent's method instead of a gradient descent started at zero, which can stop
there. Not done: leave-one-level-out, and CC for networks.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import minimize_scalar

from suppose.core.errors import EstimationError
from suppose.effects.augmentation.risks import Moments, augmented_moments, solve_ivl

__all__ = [
    "SELECTORS",
    "Selection",
    "alpha_candidates",
    "confounding_share",
    "held_out_levels",
    "select_alpha",
]

SELECTORS = ("cv", "lcv", "cc")
HELD_OUT = 0.2


@dataclasses.dataclass(frozen=True)
class Selection:
    """One chosen alpha and how the candidates scored.

    Attributes
    ----------
    selector : str
        ``"cv"``, ``"lcv"`` or ``"cc"``.
    alpha : float
        The candidate with the least score.
    alphas, scores : (m,) arrays
        Candidates in ascending order; squared error on held-out rows, or squared distance of norms (CC).
    """

    selector: str
    alpha: float
    alphas: Float[np.ndarray, " m"]
    scores: Float[np.ndarray, " m"]

    def to_frame(self) -> Any:
        """Candidates and scores as a pandas frame."""
        import pandas as pd

        return pd.DataFrame({"selector": self.selector, "alpha": self.alphas, "score": self.scores})

    def __str__(self) -> str:
        return f"{self.selector.upper()}: alpha {self.alpha:.3g} of {len(self.alphas)} candidates"


def alpha_candidates(
    count: int, low: float, high: float, rng: np.random.Generator
) -> Float[np.ndarray, " m"]:
    """Candidates drawn uniformly on the log scale, ascending.

    Examples
    --------
    >>> alphas = alpha_candidates(10, 1e-4, 1.0, np.random.default_rng(0))
    >>> bool(alphas.min() >= 1e-4), bool(alphas.max() <= 1.0), len(alphas)
    (True, True, 10)
    """
    if not (0 < low <= high) or count < 1:
        raise EstimationError(
            "bad-alpha", f"expected 0 < low <= high and at least one candidate, got {low!r} to {high!r}, {count!r}",
            where="alphas", remedy="Write for example low=1e-4, high=1, count=10.",
        )  # fmt: skip
    return np.sort(np.exp(rng.uniform(np.log(low), np.log(high), count)))


def select_alpha(
    selector: str,
    X: Float[np.ndarray, "n d"],
    y: Float[np.ndarray, " n"],
    GX: Float[np.ndarray, "n d"],
    G: Float[np.ndarray, "n k"],
    alphas: Float[np.ndarray, " m"],
    rng: np.random.Generator,
    moments: Moments | None = None,
) -> Selection:
    """Choose alpha among candidates by one of the three rules.

    Parameters
    ----------
    selector : {"cv", "lcv", "cc"}
        The rule.
    X, y, GX, G : arrays
        Inputs, outcome, augmented inputs and parameters, all centred.
    alphas : (m,) array
        Candidates.
    rng : numpy Generator
        Draws what is held out.
    moments : Moments, optional
        Those of all rows, when they are at hand already (CC).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, G = rng.normal(size=(400, 3)), rng.normal(size=(400, 3))
    >>> y = X[:, 0] + rng.normal(size=400)
    >>> choice = select_alpha("cv", X, y, X + 0.1 * G, G, np.array([0.01, 0.1, 1.0]), rng)
    >>> choice.alpha in (0.01, 0.1, 1.0)
    True
    """
    alphas = np.sort(np.asarray(alphas, dtype=float))
    if selector == "cc":
        whole = augmented_moments(GX, y, G) if moments is None else moments
        scores = _norm_distances(GX, whole, alphas)
    else:
        held = held_out_rows(len(y), rng) if selector == "cv" else held_out_levels(G, rng)
        kept = ~held
        part = augmented_moments(GX[kept], y[kept], G[kept])
        coefficients = np.stack([solve_ivl(part, float(alpha)) for alpha in alphas], axis=1)
        scores = ((y[held, None] - X[held] @ coefficients) ** 2).mean(axis=0)
    best = len(alphas) - 1 - int(np.argmin(scores[::-1]))
    return Selection(selector, float(alphas[best]), alphas, scores)


def held_out_rows(n: int, rng: np.random.Generator) -> Bool[np.ndarray, " n"]:
    """A fifth of the rows, at least one."""
    held = np.zeros(n, dtype=bool)
    held[rng.permutation(n)[: max(1, round(HELD_OUT * n))]] = True
    return held


def held_out_levels(G: Float[np.ndarray, "n k"], rng: np.random.Generator) -> Bool[np.ndarray, " n"]:
    """Rows of a fifth of the levels, a level being a combination of halves of the range of each parameter."""
    middle = (G.min(axis=0) + G.max(axis=0)) / 2
    halves = middle < G
    _, level = np.unique(halves, axis=0, return_inverse=True)
    level = np.asarray(level).reshape(-1)
    sizes = np.bincount(level)
    count = len(sizes)
    if count < 2:
        return held_out_rows(len(G), rng)
    chance = 1.0 - sizes / sizes.sum()
    size = min(max(1, round(HELD_OUT * count)), count - 1)
    chosen = rng.choice(count, size=size, replace=False, p=chance / chance.sum())
    return np.isin(level, chosen)


def _norm_distances(GX: np.ndarray, moments: Moments, alphas: np.ndarray) -> np.ndarray:
    augmented = solve_ivl(moments, float("inf"))
    covariance = np.atleast_2d(np.cov(GX, rowvar=False))
    target = np.sqrt((1.0 - confounding_share(covariance, augmented)) * float(augmented @ augmented))
    norms = np.array([np.linalg.norm(solve_ivl(moments, float(alpha))) for alpha in alphas])
    return np.asarray((norms - target) ** 2)


def confounding_share(covariance: Float[np.ndarray, "d d"], h: Float[np.ndarray, " d"]) -> float:
    """Share ``beta`` of the squared norm of least-squares coefficients that confounding explains.

    ``beta = 1 / (1 + 1 / (0.001 + theta tr(S^{-1}) / d))`` with ``theta >= 0`` maximising the likelihood of
    the direction of ``h`` under a normal law with covariance ``I + theta S^{-1}`` (Janzing 2019, section 4).

    Parameters
    ----------
    covariance : (d, d) array
        ``S``, of the inputs.
    h : (d,) array
        Least-squares coefficients.

    Examples
    --------
    Coefficients along the axis of least variance are what confounding produces:

    >>> S = np.diag([10.0, 10.0, 10.0, 0.1])
    >>> confounding_share(S, np.array([0.0, 0.0, 0.0, 1.0])) > confounding_share(S, np.array([1.0, 0, 0, 0]))
    True
    """
    values, vectors = np.linalg.eigh(covariance)
    values = np.maximum(values, 1e-12 * max(float(values.max()), 1e-300))
    norm = float(np.linalg.norm(h))
    if norm == 0:
        return 0.0
    squares, inverse = (vectors.T @ h / norm) ** 2, 1.0 / values
    d, mean_inverse = len(h), float(inverse.mean())

    def negative(log_theta: float) -> float:
        stretched = 1.0 + np.exp(log_theta) * inverse
        return 0.5 * float(np.log(stretched).sum()) + 0.5 * d * float(np.log((squares / stretched).sum()))

    grid = np.log(1.0 / mean_inverse) + np.linspace(-14.0, 14.0, 57)
    heights = np.array([negative(float(point)) for point in grid])
    best = int(np.argmin(heights))
    theta = 0.0
    if heights[best] < -1e-12:  # at theta = 0 the value is 0
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
        found = minimize_scalar(negative, bounds=(low, high), method="bounded")
        theta = float(np.exp(found.x))
    return 1.0 / (1.0 + 1.0 / (0.001 + theta * mean_inverse))
