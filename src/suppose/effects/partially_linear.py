"""Effect of one more unit of treatment, with covariates adjusted for by any learner.

``Y = D theta + g(X) + e``, ``D = m(X) + v``: the partially linear model of Robinson (1988, Root-N-consistent
semiparametric regression, Econometrica 56), estimated by double machine learning (Chernozhukov et al. 2018,
section 4.1). The treatment may be binary, a dose, or continuous.

Where the effect differs between rows, the estimate is its average weighted by the variance of the
treatment given the covariates, not the plain average (:class:`~suppose.effects.Interactive` gives that
one for a discrete treatment). Two or more treatments at once, and instruments, are not handled here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_regressor

from suppose.core.errors import EstimationError
from suppose.core.random import integer_seed
from suppose.effects.base import EffectEstimator, Sample, check_choice, describe, name_contrast
from suppose.effects.crossfit import Nuisance, cross_fit, mean_prediction, outcome_nuisance
from suppose.effects.designs import code_treatment, treatment_kind
from suppose.effects.folds import check_arms
from suppose.effects.inference import not_identified
from suppose.effects.learners import check_learner, classifies, learner_name
from suppose.effects.scores import iv_type_score, partialling_out_score

__all__ = ["PartiallyLinear"]

SCORES = ("partialling-out", "iv-type")


class PartiallyLinear(EffectEstimator):
    """Partially linear double machine learning: the effect per unit of treatment.

    Parameters
    ----------
    treatment : str or int
        Column of ``X``: a name in frames, a position in arrays.
    covariates : sequence of str or int, optional
        Columns to adjust for; all others when left out.
    cluster : str or int, optional
        Column whose equal values mark rows that are not independent. Folds keep clusters whole and the
        standard error allows for them.
    outcome_learner : str or estimator
        For ``E[Y|X]``: ``linear``, ``lasso``, ``forest``, ``boosting`` or a scikit-learn estimator.
        An outcome coded 0 and 1 is predicted as a probability by named learners.
    treatment_learner : str or estimator, optional
        For ``E[D|X]``; by default as ``outcome_learner`` if that is a name or a regressor, else ``linear``.
    score_type : {"partialling-out", "iv-type"}
        ``iv-type`` learns ``Y - D theta`` as well, starting from the partialling-out estimate.
    folds : int, array or list of pairs
        Number of folds, 1 for none, or a given split (:func:`suppose.effects.folds.resolve_folds`).
    repeats : int
        Repeats of the sample splitting, put together by medians.
    level : float
        Coverage of the interval.
    repeat_rule : {"median-variance", "median-bound"}
        How standard errors of repeats are put together
        (:func:`suppose.effects.inference.aggregate_repeats`).
    seed : int
        Of the folds and of learners whose ``random_state`` is None.
    n_jobs : int, optional
        Fits at the same time; the figures do not depend on it.
    backend : {"threading", "loky", "dask", "ray"}
        Where fits run.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=500)
    >>> dose = x + rng.normal(size=500)
    >>> y = 2 * dose + np.sin(x) + rng.normal(size=500)
    >>> model = PartiallyLinear(treatment=0, outcome_learner="boosting").fit(np.c_[dose, x], y)
    >>> model.effect_.low < 2 < model.effect_.high
    True
    """

    def __init__(
        self,
        treatment: Any = 0,
        *,
        covariates: Any = None,
        cluster: Any = None,
        outcome_learner: Any = "linear",
        treatment_learner: Any = None,
        score_type: Any = "partialling-out",
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
        self.outcome_learner = outcome_learner
        self.treatment_learner = treatment_learner
        self.score_type = score_type
        self.folds = folds
        self.repeats = repeats
        self.level = level
        self.repeat_rule = repeat_rule
        self.seed = seed
        self.n_jobs = n_jobs
        self.backend = backend

    def _check_settings(self) -> None:
        super()._check_settings()
        check_choice(self.score_type, SCORES, "score_type")
        check_learner(self.outcome_learner, "outcome_learner")
        if self.treatment_learner is not None:
            check_learner(self.treatment_learner, "treatment_learner")

    def _estimate(self, sample: Sample) -> None:
        d, y = sample.material.treatment, sample.y
        kind = treatment_kind(d)
        if kind != "continuous":
            sample.code = code_treatment(d)
            self.arms_ = sample.code.arms
        self._split(sample)
        if kind == "binary":
            assert sample.code is not None
            check_arms(self.folds_, sample.code.index, sample.code.arms)
        fit = self._cross_fit([self._outcome(y), self._treatment(sample, kind == "binary")], sample)
        self.models_, self.nuisance_scores_ = fit.models, dict(fit.scores)
        self.nuisances_ = {
            "outcome": fit.predictions["outcome"],
            "treatment": fit.predictions["treatment"],
        }
        _refuse_determined(d, self.nuisances_["treatment"])
        psi_a, psi_b = partialling_out_score(y, d, self.nuisances_["outcome"], self.nuisances_["treatment"])
        if self.score_type == "iv-type":
            psi_a, psi_b = self._iv_type(sample, -psi_b.mean(axis=0) / psi_a.mean(axis=0))
        contrast = "per unit"
        if self.arms_ is not None and len(self.arms_) == 2 and np.ptp(self.arms_) == 1:
            contrast = name_contrast(self, self.arms_[1], self.arms_[0])
        method = describe(
            self,
            f"partially linear, {self.score_type} score",
            self.outcome_learner,
            self._treatment_learner(),
        )
        self._finish(psi_a[:, :, None], psi_b[:, :, None], [contrast], "partially linear", method)

    def _outcome(self, y: np.ndarray) -> Nuisance:
        return outcome_nuisance("outcome", self.outcome_learner, y)

    def _treatment_learner(self) -> Any:
        if self.treatment_learner is not None:
            return self.treatment_learner
        carries_over = isinstance(self.outcome_learner, str) or is_regressor(self.outcome_learner)
        return self.outcome_learner if carries_over else "linear"

    def _treatment(self, sample: Sample, binary: bool) -> Nuisance:
        learner, role = self._treatment_learner(), "treatment_learner"
        if not classifies(learner, discrete=binary):
            return Nuisance("treatment", learner, sample.material.treatment, role, keep=True)
        if not binary or sample.code is None:
            raise EstimationError(
                "classifier-for-numbers", f"{learner_name(learner)} is a classifier, but the treatment has "
                "more than two values", where=role,
                remedy="Use a regressor, or Interactive for separate arms.",
            )  # fmt: skip
        low, high = (float(arm) for arm in sample.code.arms)
        return Nuisance("treatment", learner, sample.code.index, role, 2, (low, high), keep=True)

    def _iv_type(self, sample: Sample, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Second pass: learn what the outcome is without the treatment, from a first estimate."""
        d, y = sample.material.treatment, sample.y
        if classifies(self.outcome_learner, discrete=False):
            raise EstimationError(
                "classifier-for-numbers", f"{learner_name(self.outcome_learner)} is a classifier, but the "
                "iv-type score learns Y - D theta, which is a number", where="outcome_learner",
                remedy="Use a regressor or score_type='partialling-out'.",
            )  # fmt: skip
        predictions, scores = np.empty(self.folds_.shape), np.empty(len(start))
        folds = self.folds_
        for repeat, theta in enumerate(start):
            target = y - theta * d
            task = Nuisance("outcome_given_control", self.outcome_learner, target, "outcome_learner")
            fit = cross_fit(
                [task], sample.material.covariates, folds[:, [repeat]],
                seed=integer_seed(self.seed, "iv-type", repeat), jobs=self.n_jobs, backend=self.backend,
            )  # fmt: skip
            predictions[:, repeat] = fit.predictions["outcome_given_control"][:, 0]
            scores[repeat] = fit.scores["outcome_given_control"][0]
        self.nuisances_["outcome_given_control"] = predictions
        self.nuisance_scores_["outcome_given_control"] = scores
        return iv_type_score(y, d, predictions, self.nuisances_["treatment"])

    def _predict(self, treatment: np.ndarray, covariates: np.ndarray) -> np.ndarray:
        level = mean_prediction(self.models_["outcome"], covariates)
        dose = mean_prediction(self.models_["treatment"], covariates)
        return np.asarray(level + self.effect_.estimate * (treatment - dose))


def _refuse_determined(d: np.ndarray, m: np.ndarray) -> None:
    """Refuse a treatment that the covariates predict up to rounding."""
    if np.any(np.mean((d[:, None] - m) ** 2, axis=0) <= 1e-12 * np.var(d)):
        raise not_identified()
