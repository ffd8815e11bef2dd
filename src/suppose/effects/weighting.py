"""Effect of each arm of a discrete treatment by inverse probability weighting (Hajek's ratio form).

The mean of an arm is ``sum(w y) / sum(w)`` over its rows, with ``w`` the balancing weight of the
estimand (Hirano, Imbens & Ridder 2003; Li, Morgan & Zaslavsky 2018 for the overlap population). It
leans on the propensity alone.

Standard errors: with the ``linear`` learner (logistic regression) from stacked moment conditions, the
coefficients counted as estimated (Lunceford & Davidian 2004). With other learners the propensity counts as
known, which no theorem covers: :class:`~suppose.effects.Interactive` should be preferred. No outcome is
modelled: ``predict`` gives the weighted mean of each row's own arm.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from suppose.effects.arms import ArmEstimator
from suppose.effects.base import Sample, check_choice, describe, name_contrast
from suppose.effects.scores import ESTIMANDS, weight_of_arms

__all__ = ["InverseProbability", "standardised"]

STEP = 1e-5


class InverseProbability(ArmEstimator):
    """Inverse probability weighting of a discrete treatment.

    Parameters
    ----------
    treatment, covariates, cluster, estimand, reference, cutoff, propensity_learner, overlap_rule, threshold,
    folds, repeats, level, repeat_rule, seed, n_jobs, backend
        As in :class:`~suppose.effects.Interactive`.

    Attributes
    ----------
    nuisances_ : dict
        ``"propensity"`` (n, repeats, arms) as predicted, ``"propensity_used"`` inside the bounds.
    arm_means_ : (arms,) array
        Weighted mean outcome of each arm, in the unit of the outcome.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(2000, 1))
    >>> treated = rng.random(2000) < 1 / (1 + np.exp(-x[:, 0]))
    >>> y = 2 * treated + x[:, 0] + rng.normal(size=2000)
    >>> model = InverseProbability(treatment=0).fit(np.c_[treated, x], y)
    >>> model.effect_.low < 2 < model.effect_.high
    True
    """

    def __init__(
        self,
        treatment: Any = 0,
        *,
        covariates: Any = None,
        cluster: Any = None,
        estimand: Any = "ATE",
        reference: Any = None,
        cutoff: Any = None,
        propensity_learner: Any = "linear",
        overlap_rule: Any = "clip",
        threshold: Any = 0.01,
        folds: Any = 5,
        repeats: Any = 1,
        level: Any = 0.95,
        repeat_rule: Any = "median-variance",
        seed: Any = 0,
        n_jobs: Any = None,
        backend: Any = "threading",
    ) -> None:
        self.treatment = treatment
        self.covariates = covariates
        self.cluster = cluster
        self.estimand = estimand
        self.reference = reference
        self.cutoff = cutoff
        self.propensity_learner = propensity_learner
        self.overlap_rule = overlap_rule
        self.threshold = threshold
        self.folds = folds
        self.repeats = repeats
        self.level = level
        self.repeat_rule = repeat_rule
        self.seed = seed
        self.n_jobs = n_jobs
        self.backend = backend

    def _check_settings(self) -> None:
        super()._check_settings()
        check_choice(self.estimand, ESTIMANDS, "estimand")
        self._check_propensity_settings()

    def _estimate(self, sample: Sample) -> None:
        code = self._code_arms(sample)
        fit = self._cross_fit([self._propensity_nuisance(code)], sample)
        self.nuisance_scores_ = dict(fit.scores)
        used = self._bound(fit.predictions["propensity"], code)
        self.nuisances_ = {"propensity": fit.predictions["propensity"], "propensity_used": used}
        scores, means = [], np.full(len(code.arms), np.nan)
        indicator = code.indicator() & self.kept_[:, None]
        for arm in range(1, len(code.arms)):
            score, (means[arm], means[0]) = _ratio_score(sample.y, indicator, used, arm, self.estimand)
            if self._propensity_learner() == "linear":
                x = standardised(sample.material.covariates)
                for repeat in range(used.shape[1]):
                    score[:, repeat] += _coefficient_part(
                        sample.y, code.indicator(), indicator, used[:, repeat], x, arm, self.estimand
                    )
            scores.append(score)
        self.arm_means_ = means
        psi_b = np.stack(scores, axis=2)
        contrasts = [name_contrast(self, arm, code.arms[0]) for arm in code.arms[1:]]
        self._finish(
            -np.ones_like(psi_b),
            psi_b,
            contrasts,
            self.estimand,
            describe(self, "IPW", self._propensity_learner()),
        )

    def _predict(self, treatment: np.ndarray, covariates: np.ndarray) -> np.ndarray:
        return np.asarray(self.arm_means_[self._arm_index(treatment)])


def standardised(covariates: Float[np.ndarray, "n p"]) -> Float[np.ndarray, "n q"]:
    """Covariates on a common scale, after a column of ones; constant columns are left out.

    Examples
    --------
    >>> standardised(np.array([[1.0, 5.0], [3.0, 5.0]])).tolist()
    [[1.0, -1.0], [1.0, 1.0]]
    """
    spread = covariates.std(axis=0)
    varying = spread > 0
    centred = (covariates[:, varying] - covariates[:, varying].mean(axis=0)) / spread[varying]
    return np.column_stack([np.ones(len(covariates)), centred])


def _ratio_score(
    y: np.ndarray, indicator: np.ndarray, e: np.ndarray, arm: int, estimand: str
) -> tuple[np.ndarray, tuple[float, float]]:
    """Effect plus influence value of each row (n, repeats), and the two weighted means (over repeats)."""
    parts, means = [], []
    kept = indicator.any(axis=1)
    for column, weight in zip((arm, 0), weight_of_arms(estimand, e, arm=arm), strict=True):
        own = weight * indicator[:, column, None]  # (n, repeats)
        mean = (own * y[:, None]).sum(axis=0) / own.sum(axis=0)
        parts.append(mean + own * (y[:, None] - mean) / own[kept].mean(axis=0))
        means.append(float(np.median(mean)))
    return parts[0] - parts[1], (means[0], means[1])


def _coefficient_part(
    y: np.ndarray,
    indicator: np.ndarray,
    used: np.ndarray,
    e: np.ndarray,
    x: np.ndarray,
    arm: int,
    estimand: str,
) -> np.ndarray:
    """What estimating the coefficients of a logistic propensity adds to the influence values, (n,).

    ``e`` is (n, arms), ``used`` marks the rows of each arm that enter the means. The derivative of the
    effect in the log odds of each arm is numerical; it meets the influence of the coefficients,
    ``H^-1 x (1{A = k} - e_k)`` with ``H`` the information.
    """
    arms, q = range(1, e.shape[1]), x.shape[1]
    log_odds = np.log(e)
    gradient = []
    for k in arms:
        moved = [_softmax(log_odds + sign * STEP * (np.arange(e.shape[1]) == k)) for sign in (1.0, -1.0)]
        pairs = [weight_of_arms(estimand, shifted, arm=arm) for shifted in moved]
        total = np.zeros(len(y))
        for column, sign, index in ((arm, 1.0, 0), (0, -1.0, 1)):
            weight = weight_of_arms(estimand, e, arm=arm)[index] * used[:, column]
            mean = weight @ y / weight.sum()
            slope = (pairs[0][index] - pairs[1][index]) / (2 * STEP)
            total += sign * used[:, column] * slope * (y - mean) / weight.sum()
        gradient.append(total @ x)
    information = np.empty((q * len(arms), q * len(arms)))
    for i, k in enumerate(arms):
        for j, m in enumerate(arms):
            curve = e[:, k] * ((k == m) - e[:, m])
            information[i * q : (i + 1) * q, j * q : (j + 1) * q] = (x * curve[:, None]).T @ x
    pull = np.linalg.pinv(information, hermitian=True) @ np.concatenate(gradient)
    scores = np.column_stack([x * (indicator[:, k] - e[:, k])[:, None] for k in arms])
    part = len(y) * (scores @ pull)
    return np.asarray(part - part.mean())


def _softmax(log_odds: np.ndarray) -> np.ndarray:
    powers = np.exp(log_odds - log_odds.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
