"""Effect of each arm by weighting rows with their inverse propensity.

Means of each arm weighted to look like the target population, weights adding up to one within the arm
(Hajek 1971; Hirano, Imbens & Ridder 2003, Efficient estimation of average treatment effects using the
estimated propensity score, Econometrica 71). Right only if the propensity is: there is no outcome model
behind it, so learners that adapt to the data leave a bias that the interval does not know about; prefer
:class:`~suppose.effects.Interactive` with these.

Standard errors: with the ``linear`` learner they allow for the estimated propensity (stacked moment
conditions; Lunceford & Davidian 2004, Statistics in Medicine 23, eq. 19 to 21). With other learners, and
when rows are dropped, the propensity counts as known, which for the ATE usually overstates the error.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from suppose.effects.arms import ArmEstimator
from suppose.effects.base import Sample, check_choice, describe, name_contrast
from suppose.effects.designs import TreatmentCode
from suppose.effects.scores import ESTIMANDS, log_weight_slope, weight_of_arms

__all__ = ["InverseProbability", "standardised"]


class InverseProbability(ArmEstimator):
    """Inverse probability weighting with weights that add up to one in each arm (Hajek).

    Parameters
    ----------
    treatment, covariates, cluster, estimand, reference, cutoff
        As in :class:`~suppose.effects.Interactive`.
    propensity_learner : str or estimator
        For ``P(D=a|X)``: ``linear``, ``lasso``, ``forest``, ``boosting`` or a scikit-learn classifier.
    overlap_rule, threshold, folds, repeats, level, repeat_rule, seed, n_jobs, backend
        As in :class:`~suppose.effects.Interactive`.

    Attributes
    ----------
    nuisances_ : dict
        ``"propensity"`` and ``"propensity_used"`` (n, repeats, arms).
    arm_means_ : (contrasts, 2) array
        Weighted mean outcome of the arm and of the reference, the median over repeats.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(1000, 2))
    >>> treated = rng.random(1000) < 1 / (1 + np.exp(-x[:, 0]))
    >>> y = 2 * treated + x.sum(axis=1) + rng.normal(size=1000)
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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # there is no outcome model
        return tags

    def _check_settings(self) -> None:
        super()._check_settings()
        check_choice(self.estimand, ESTIMANDS, "estimand")
        self._check_propensity_settings()

    def _estimate(self, sample: Sample) -> None:
        code = self._code_arms(sample)
        fit = self._cross_fit([self._propensity_nuisance(code)], sample)
        self.nuisance_scores_ = dict(fit.scores)
        e = self._bound(fit.predictions["propensity"], code)
        self.nuisances_ = {"propensity": fit.predictions["propensity"], "propensity_used": e}
        learner = self._propensity_learner()
        corrected = isinstance(learner, str) and learner == "linear" and bool(self.kept_.all())
        shape = (*self.folds_.shape, len(code.arms) - 1)
        psi_b, means = np.zeros(shape), np.empty((shape[1], shape[2], 2))
        for repeat in range(shape[1]):
            for arm in range(1, len(code.arms)):
                phi, (mine, other) = self._influence(sample.y, e[:, repeat], code, arm)
                if corrected:
                    phi += self._correction(sample, e[:, repeat], code, arm)
                psi_b[self.kept_, repeat, arm - 1] = mine - other + phi
                means[repeat, arm - 1] = mine, other
        self.arm_means_ = np.median(means, axis=0)
        contrasts = [name_contrast(self, arm, code.arms[0]) for arm in code.arms[1:]]
        known = "" if corrected else ", propensity taken as known"
        method = describe(self, f"inverse probability weighting{known}", learner)
        self._finish(-np.ones(shape), psi_b, contrasts, self.estimand, method, folds_weigh_equal=False)

    def _influence(
        self, y: np.ndarray, e: Float[np.ndarray, "n arms"], code: TreatmentCode, arm: int
    ) -> tuple[np.ndarray, tuple[float, float]]:
        """Influence values of the kept rows with the propensity known, and the two weighted means."""
        kept, parts, means = self.kept_, [], []
        weights = weight_of_arms(self.estimand, e[kept], arm=arm)
        for which, weight in zip((arm, 0), weights, strict=True):
            mine = weight * (code.index[kept] == which)
            mean = float(np.sum(mine * y[kept]) / np.sum(mine))
            parts.append(mine * (y[kept] - mean) / np.mean(mine))
            means.append(mean)
        return parts[0] - parts[1], (means[0], means[1])

    def _correction(
        self, sample: Sample, e: Float[np.ndarray, "n arms"], code: TreatmentCode, arm: int
    ) -> Float[np.ndarray, " n"]:
        """What estimating the coefficients of the multinomial logit adds to the influence values."""
        x = standardised(sample.material.covariates)  # (n, p + 1)
        free = (e > self.threshold) & (e < 1 - self.threshold) if self.estimand != "ATO" else np.ones_like(e)
        moves = free.all(axis=1)  # a clipped propensity does not move with the coefficients
        slopes = np.zeros((sample.n, len(code.arms)))
        weights = weight_of_arms(self.estimand, e, arm=arm)
        for which, weight, sign in zip((arm, 0), weights, (1.0, -1.0), strict=True):
            mine = weight * (code.index == which)
            residual = mine * (sample.y - np.sum(mine * sample.y) / np.sum(mine)) / np.mean(mine)
            slope = log_weight_slope(self.estimand, e, weight_of=which, arm=arm)
            slopes += sign * (residual * moves)[:, None] * slope
        scores = code.indicator() - e
        gradient = (x.T @ slopes[:, 1:] / sample.n).T.ravel()  # (arms - 1) * (p + 1)
        stacked = np.concatenate([scores[:, [c]] * x for c in range(1, len(code.arms))], axis=1)
        information = stacked.T @ stacked / sample.n
        values = stacked @ (np.linalg.pinv(information, hermitian=True) @ gradient)
        return np.asarray(values - values.mean())

    def _predict(self, treatment: np.ndarray, covariates: np.ndarray) -> np.ndarray:
        means = np.r_[self.arm_means_[0, 1], self.arm_means_[:, 0]]
        return np.asarray(means[self._arm_index(treatment)])


def standardised(covariates: Float[np.ndarray, "n p"]) -> Float[np.ndarray, "n q"]:
    """A column of ones, then each covariate with mean 0 and standard deviation 1 (constant ones 0)."""
    centred = covariates - covariates.mean(axis=0)
    scale = covariates.std(axis=0)
    return np.column_stack([np.ones(len(covariates)), centred / np.where(scale > 0, scale, 1.0)])
