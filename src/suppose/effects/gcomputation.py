"""Effect of each arm by predicting everyone's outcome under it (g-computation, standardisation).

A model of the outcome is fitted within each arm and averaged over the target population (Robins 1986, A
new approach to causal inference in mortality studies, Mathematical Modelling 7; Snowden, Rose & Mortimer
2011, American Journal of Epidemiology 173). Right only if the outcome model is.

Standard errors: with the ``linear`` learner (least squares, or logistic regression for an outcome coded 0
and 1) from stacked moment conditions, robust to unequal variances. For other learners no valid interval is
known: the estimate comes without one, and with a warning; :class:`~suppose.effects.Interactive` adds the
term that makes an interval possible.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from jaxtyping import Float

from suppose.core.errors import SupposeWarning
from suppose.effects.arms import ArmEstimator
from suppose.effects.base import Sample, check_choice, describe, name_contrast
from suppose.effects.crossfit import mean_prediction, outcome_nuisance
from suppose.effects.designs import TreatmentCode
from suppose.effects.learners import check_learner, learner_name
from suppose.effects.weighting import standardised

__all__ = ["GComputation"]


class GComputation(ArmEstimator):
    """G-computation: mean difference of the outcomes predicted under two arms.

    Parameters
    ----------
    treatment, covariates, cluster, reference, cutoff
        As in :class:`~suppose.effects.Interactive`.
    estimand : {"ATE", "ATT"}
        Average over everyone, or over those who have the arm.
    outcome_learner : str or estimator
        For ``E[Y|D=a,X]``, fitted for each arm. Intervals come with ``linear`` only.
    folds, repeats, level, repeat_rule, seed, n_jobs, backend
        As in :class:`~suppose.effects.Interactive`.

    Attributes
    ----------
    nuisances_ : dict
        ``"outcome"`` (n, repeats, arms).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(1000, 2))
    >>> treated = rng.random(1000) < 1 / (1 + np.exp(-x[:, 0]))
    >>> y = 2 * treated + x.sum(axis=1) + rng.normal(size=1000)
    >>> model = GComputation(treatment=0).fit(np.c_[treated, x], y)
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
        self.folds = folds
        self.repeats = repeats
        self.level = level
        self.repeat_rule = repeat_rule
        self.seed = seed
        self.n_jobs = n_jobs
        self.backend = backend

    def _check_settings(self) -> None:
        super()._check_settings()
        check_choice(self.estimand, ("ATE", "ATT"), "estimand")
        check_learner(self.outcome_learner, "outcome_learner")

    def _estimate(self, sample: Sample) -> None:
        code = self._code_arms(sample)
        tasks = [
            outcome_nuisance(f"outcome[{arm}]", self.outcome_learner, sample.y, rows=code.index == arm)
            for arm in range(len(code.arms))
        ]
        fit = self._cross_fit(tasks, sample)
        self.models_, self.nuisance_scores_ = fit.models, dict(fit.scores)
        mu = np.stack([fit.predictions[task.name] for task in tasks], axis=2)  # (n, repeats, arms)
        self.nuisances_ = {"outcome": mu}
        contrasts = [name_contrast(self, arm, code.arms[0]) for arm in code.arms[1:]]
        method = describe(self, "g-computation", self.outcome_learner)
        logistic = tasks[0].classes is not None
        parts = [self._moments(sample, mu, code, arm, logistic) for arm in range(1, len(code.arms))]
        psi_a, psi_b = (np.stack(part, axis=2) for part in zip(*parts, strict=True))
        self._finish(psi_a, psi_b, contrasts, self.estimand, method, folds_weigh_equal=False)
        if self.outcome_learner != "linear":
            self._drop_intervals(contrasts, method)

    def _moments(
        self, sample: Sample, mu: np.ndarray, code: TreatmentCode, arm: int, logistic: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Score of one contrast; the part from estimating the coefficients averages to zero."""
        members = np.ones(sample.n) if self.estimand == "ATE" else 1.0 * (code.index == arm)
        target = members / members.mean()
        psi_b = target[:, None] * (mu[:, :, arm] - mu[:, :, 0])
        if self.outcome_learner == "linear":
            x = standardised(sample.material.covariates)
            for repeat in range(mu.shape[1]):
                for which, sign in ((arm, 1.0), (0, -1.0)):
                    shift = coefficient_influence(
                        x, sample.y, mu[:, repeat, which], code.index == which, target, logistic
                    )
                    psi_b[:, repeat] += sign * (shift - shift.mean())
        return np.repeat(-target[:, None], mu.shape[1], axis=1), psi_b

    def _drop_intervals(self, contrasts: list[str], method: str) -> None:
        theta = np.array([effect.estimate for effect in self.effects_])
        self.psi_ = np.full_like(self.psi_, np.nan)
        self.standard_error_by_repeat_ = np.full_like(self.standard_error_by_repeat_, np.nan)
        self._record(theta, np.full_like(theta, np.nan), contrasts, self.estimand, method)
        warnings.warn(
            f"g-computation with the learner {learner_name(self.outcome_learner)} has no valid interval; use "
            "Interactive with the same learner, or outcome_learner='linear'", SupposeWarning, stacklevel=4,
        )  # fmt: skip

    def _predict(self, treatment: np.ndarray, covariates: np.ndarray) -> np.ndarray:
        index = self._arm_index(treatment)
        out = np.empty(len(treatment))
        for arm in np.unique(index):
            rows = index == arm
            out[rows] = mean_prediction(self.models_[f"outcome[{arm}]"], covariates[rows])
        return out


def coefficient_influence(
    x: Float[np.ndarray, "n q"],
    y: Float[np.ndarray, " n"],
    mu: Float[np.ndarray, " n"],
    rows: np.ndarray,
    target: Float[np.ndarray, " n"],
    logistic: bool,
) -> Float[np.ndarray, " n"]:
    """What estimating the coefficients on ``rows`` adds to the influence values of ``mean(target * mu)``."""
    slope = mu * (1 - mu) if logistic else np.ones_like(mu)
    hessian = (x * (slope * rows)[:, None]).T @ x / len(y)
    gradient = (target * slope) @ x / len(y)
    return np.asarray(x @ (np.linalg.pinv(hessian, hermitian=True) @ gradient) * rows * (y - mu))
