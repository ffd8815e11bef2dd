"""How far estimated effects and dose-responses are from the truth of a simulated world.

Errors as the papers state them: root PEHE and the error of the average for two arms (Hill 2011), AMSE of
the average dose-response (Nie et al. 2021), MISE, dosage-policy and policy error for arms with a dose
(Bica et al. 2020), and PEHE over the likeliest treatments for many treatments (Kaddour et al. 2021).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.integrate import romb

from suppose.datasets.semisynthetic import PotentialOutcomes

__all__ = ["amse", "dosage_errors", "root_pehe", "treatment_pehe"]


def root_pehe(estimated: Float[np.ndarray, " n"], true: Float[np.ndarray, " n"]) -> float:
    """Root mean squared error of the effects of single units.

    Examples
    --------
    >>> root_pehe(np.array([1.0, 2.0]), np.array([1.0, 4.0])).__round__(3)
    1.414
    """
    return float(np.sqrt(np.mean((estimated - true) ** 2)))


def amse(
    estimated: Float[np.ndarray, " grid"],
    true: Float[np.ndarray, " grid"],
) -> float:
    """Mean squared error of an average dose-response over a grid of doses.

    Examples
    --------
    >>> amse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    2.0
    """
    return float(np.mean((estimated - true) ** 2))


def dosage_errors(model: Any, world: PotentialOutcomes, *, points: int = 65) -> dict[str, float]:
    """Root MISE, root dosage-policy and root policy error on the test rows of a world of arms with doses.

    Parameters
    ----------
    model : NeuralEstimator
        Fitted on the rows to learn from, ``allow_extrapolation`` on.
    world : PotentialOutcomes
        As :func:`suppose.datasets.make_dosage` makes it.
    points : int
        Grid of doses for Romberg's rule, ``2**k + 1``.

    Returns
    -------
    dict
        ``"mise"``: root of the mean over units and arms of the squared error integrated over the dose.
        ``"dosage-policy"``: root mean squared loss from taking each arm's dose the model likes best.
        ``"policy"``: the same for the arm and dose the model likes best of all.
    """
    grid = np.linspace(0.0, 1.0, points)
    test = ~world.train
    x, _ = world.part("test")
    arms = np.unique(world.frame[world.treatment])
    truth = np.stack([world.potential(np.full(points, arm), grid, rows=test) for arm in arms], axis=1)
    guess = np.stack([model.curves(x, grid, arm=float(arm)) for arm in arms], axis=1)  # (n, arms, points)
    mise = romb((truth - guess) ** 2, dx=1 / (points - 1), axis=2).mean()
    best = truth.max(axis=2)
    taken = np.take_along_axis(truth, guess.argmax(axis=2)[:, :, None], axis=2)[:, :, 0]
    arm = guess.max(axis=2).argmax(axis=1)
    chosen = taken[np.arange(len(arm)), arm]
    return {
        "mise": float(np.sqrt(mise)),
        "dosage-policy": float(np.sqrt(np.mean((best - taken) ** 2))),
        "policy": float(np.sqrt(np.mean((best.max(axis=1) - chosen) ** 2))),
    }


def treatment_pehe(
    estimated: Float[np.ndarray, "n treatments"],
    true: Float[np.ndarray, "n treatments"],
    propensity: Float[np.ndarray, "n treatments"],
    *,
    likeliest: int = 6,
) -> dict[str, float]:
    """PEHE over all pairs of the treatments each unit is likeliest to get, plain and weighted by likelihood.

    ``"unweighted"`` averages squared errors of differences over pairs, ``"weighted"`` multiplies each by the
    product of the two propensities (Kaddour et al. 2021, section 5.1).

    Examples
    --------
    >>> true = np.array([[0.0, 1.0, 5.0]])
    >>> treatment_pehe(true + [[0.0, 1.0, 0.0]], true, np.array([[0.5, 0.4, 0.1]]), likeliest=2)
    {'unweighted': 1.0, 'weighted': 0.2}
    """
    order = np.argsort(-propensity, axis=1)[:, :likeliest]
    gap = np.take_along_axis(estimated - true, order, axis=1)
    chance = np.take_along_axis(propensity, order, axis=1)
    first, second = np.triu_indices(likeliest, k=1)
    errors = (gap[:, first] - gap[:, second]) ** 2
    weights = chance[:, first] * chance[:, second]
    return {"unweighted": float(errors.mean()), "weighted": float((errors * weights).mean())}
