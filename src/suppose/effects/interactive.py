"""Effect of each arm of a discrete treatment by augmented inverse probability weighting.

``Y = g(D, X) + e``, ``P(D = a | X) = e_a(X)``: the interactive model of Chernozhukov et al. (2018, section
5.1). The estimate is right if either the outcome or the propensity is learned well, and its interval
holds when both are learned at moderate rates.

Populations: everyone (ATE), those who have the arm (ATT, each contrast its own), or the overlap
population, in which every arm is likely (ATO, the same for all contrasts, no clipping needed).

Rows outside the bounds of the propensity are clipped (as DoubleML does) or dropped. Dropping changes the
population the effect is about; clipping keeps it and accepts a bias instead. It does not do instruments,
mediation, or continuous treatments.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from suppose.effects.arms import ArmEstimator
from suppose.effects.base import Sample, check_choice, describe, name_contrast
from suppose.effects.crossfit import mean_prediction, outcome_nuisance
from suppose.effects.learners import check_learner
from suppose.effects.scores import ESTIMANDS, interactive_score

__all__ = ["Interactive"]


class Interactive(ArmEstimator):
    """Augmented inverse probability weighting (AIPW) for binary and multi-valued treatments.

    Parameters
    ----------
    treatment : str or int
        Column of ``X``: a name in frames, a position in arrays.
    covariates : sequence of str or int, optional
        Columns to adjust for; all others when left out.
    cluster : str or int, optional
        Column whose equal values mark rows that are not independent.
    estimand : {"ATE", "ATT", "ATO"}
        Population to average over: everyone, those who have the arm, or the overlap population.
    reference : float, optional
        Value of the treatment that the others are compared with; the smallest when left out.
    cutoff : float or "median", optional
        Turns a continuous exposure into treated = above the cutoff.
    outcome_learner : str or estimator
        For ``E[Y|D=a,X]``, fitted for each arm: ``linear``, ``lasso``, ``forest``, ``boosting`` or a
        scikit-learn estimator. An outcome coded 0 and 1 is predicted as a probability by named learners.
    propensity_learner : str or estimator, optional
        For ``P(D=a|X)``, a classifier; by default as ``outcome_learner`` if that is a name, else ``linear``.
    overlap_rule : {"clip", "drop"}
        What happens to rows whose propensity is outside ``[threshold, 1 - threshold]``.
    threshold : float
        Bound of the propensity.
    folds, repeats, level, repeat_rule, seed, n_jobs, backend
        As in :class:`~suppose.effects.PartiallyLinear`.

    Attributes
    ----------
    nuisances_ : dict
        ``"outcome"`` and ``"propensity"`` (n, repeats, arms), the propensity as predicted;
        ``"propensity_used"`` is what entered the score, inside the bounds.
    arm_means_, arm_standard_errors_ : (arms,) arrays
        Mean outcome under each arm, were everyone to have it, and its standard error; for the ATE only.
    outside_ : (n,) bool array
        Rows with a propensity outside the bounds in some repeat.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(1000, 2))
    >>> treated = rng.random(1000) < 1 / (1 + np.exp(-x[:, 0]))
    >>> y = 2 * treated + x.sum(axis=1) + rng.normal(size=1000)
    >>> model = Interactive(treatment=0).fit(np.c_[treated, x], y)
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
        outcome_learner: Any = "linear",
        propensity_learner: Any = None,
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
        self.outcome_learner = outcome_learner
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
        check_learner(self.outcome_learner, "outcome_learner")
        self._check_propensity_settings()

    def _estimate(self, sample: Sample) -> None:
        code = self._code_arms(sample)
        outcomes = [
            outcome_nuisance(f"outcome[{arm}]", self.outcome_learner, sample.y, rows=code.index == arm)
            for arm in range(len(code.arms))
        ]
        fit = self._cross_fit([*outcomes, self._propensity_nuisance(code)], sample)
        self.models_, self.nuisance_scores_ = fit.models, dict(fit.scores)
        mu = np.stack([fit.predictions[task.name] for task in outcomes], axis=2)  # (n, repeats, arms)
        self.nuisances_ = {"outcome": mu, "propensity": fit.predictions["propensity"]}
        self.nuisances_["propensity_used"] = e = self._bound(fit.predictions["propensity"], code)
        parts = [
            interactive_score(self.estimand, sample.y, code.indicator(), mu, e, arm=arm)
            for arm in range(1, len(code.arms))
        ]
        psi_a, psi_b = (np.stack(part, axis=2) for part in zip(*parts, strict=True))
        if self.estimand == "ATE":
            y, here = sample.y[:, None, None], code.indicator()[:, None, :]
            self._record_means(mu + here * (y - mu) / e)
        contrasts = [name_contrast(self, arm, code.arms[0]) for arm in code.arms[1:]]
        method = describe(self, "AIPW", self.outcome_learner, self._propensity_learner())
        self._finish(psi_a, psi_b, contrasts, self.estimand, method)

    def _predict(self, treatment: np.ndarray, covariates: np.ndarray) -> np.ndarray:
        index = self._arm_index(treatment)
        out = np.empty(len(treatment))
        for arm in np.unique(index):
            rows = index == arm
            out[rows] = mean_prediction(self.models_[f"outcome[{arm}]"], covariates[rows])
        return out
