"""What the estimators for discrete treatments share: arms, propensities and the overlap rule.

The rule, stated: a row is outside when the propensity of some arm is below the threshold in some repeat
(for the effect on the treated, when dropping, only the propensity of the reference counts, because only
it is divided by). ``clip`` moves propensities to the bound; ``drop`` leaves these rows out of the
average. More than 0.5% of rows outside are reported in a warning; an arm with all its rows outside is
refused.
"""

from __future__ import annotations

import numbers
import warnings
from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.base import is_classifier

from suppose.core.errors import DataError, EstimationError, OverlapWarning
from suppose.effects.base import EffectEstimator, Sample, check_choice, is_number
from suppose.effects.crossfit import Nuisance
from suppose.effects.designs import TreatmentCode, code_treatment
from suppose.effects.folds import check_arms
from suppose.effects.inference import aggregate_repeats, solve_score
from suppose.effects.learners import check_learner
from suppose.effects.scores import bound_propensity

__all__ = ["ArmEstimator"]

OVERLAP_RULES = ("clip", "drop")
WORTH_A_WARNING = 0.005  # share of rows outside the bounds


class ArmEstimator(EffectEstimator):
    """Base of the estimators that compare arms of a discrete treatment."""

    estimand: Any = "ATE"
    reference: Any = None
    outcome_learner: Any = "linear"
    propensity_learner: Any = None
    overlap_rule: Any = "clip"
    threshold: Any = 0.01

    def _code_arms(self, sample: Sample) -> TreatmentCode:
        """Code the treatment, split the sample, and check that every training part has every arm."""
        reference = self.reference
        if reference is not None:
            if not isinstance(reference, (numbers.Real, np.bool_)):
                raise DataError(
                    "unknown-reference", f"expected a value of the treatment, got {reference!r}",
                    where="reference", remedy="Name the value to compare the others with.",
                )  # fmt: skip
            reference = float(reference)
        sample.code = code = code_treatment(sample.material.treatment, reference=reference)
        self.arms_ = code.arms
        self._split(sample)
        check_arms(self.folds_, code.index, code.arms)
        return code

    def _check_propensity_settings(self) -> None:
        if self.propensity_learner is not None:
            check_learner(self.propensity_learner, "propensity_learner")
            if not isinstance(self.propensity_learner, str) and not is_classifier(self.propensity_learner):
                raise EstimationError(
                    "regressor-for-propensity", f"expected a classifier, got {self.propensity_learner!r}",
                    where="propensity_learner",
                    remedy="Use a classifier with predict_proba, for example LogisticRegression().",
                )  # fmt: skip
        check_choice(self.overlap_rule, OVERLAP_RULES, "overlap_rule")
        bound = self.threshold
        if not is_number(bound) or not 0 < bound < 0.5:
            raise EstimationError(
                "bad-threshold", f"expected a propensity between 0 and 0.5, got {bound!r}", where="threshold",
                remedy="Write threshold=0.01 to keep propensities within 1% and 99%.",
            )  # fmt: skip

    def _propensity_learner(self) -> Any:
        if self.propensity_learner is not None:
            return self.propensity_learner
        return self.outcome_learner if isinstance(self.outcome_learner, str) else "linear"

    def _propensity_nuisance(self, code: TreatmentCode) -> Nuisance:
        return Nuisance(
            "propensity", self._propensity_learner(), code.index, "propensity_learner", classes=len(code.arms)
        )

    def _bound(self, e: np.ndarray, code: TreatmentCode) -> np.ndarray:
        """Apply the overlap rule to propensities (n, repeats, arms); warns with counts."""
        counted = e[:, :, :1] if self.estimand == "ATT" and self.overlap_rule == "drop" else e
        self.outside_ = np.asarray((counted < self.threshold).any(axis=(1, 2)))
        if self.estimand == "ATO":
            return e
        self._refuse_no_overlap(code)
        if np.mean(self.outside_) > WORTH_A_WARNING:
            self._report_overlap(code)
        if self.overlap_rule == "drop":
            self.kept_ = ~self.outside_
        return bound_propensity(e, float(self.threshold))

    def _refuse_no_overlap(self, code: TreatmentCode) -> None:
        inside = np.bincount(code.index[~self.outside_], minlength=len(code.arms))
        if inside.all():
            return
        arm = code.arms[int(inside.argmin())]
        raise EstimationError(
            "no-overlap", f"every row with the treatment {arm:g} has a propensity outside [{self.threshold:g}, "
            f"{1 - self.threshold:g}]: the covariates tell the arms apart, so there is nothing to compare",
            where="treatment",
            remedy="Leave out covariates that determine the treatment, or compare a narrower population.",
        )  # fmt: skip

    def _report_overlap(self, code: TreatmentCode) -> None:
        count, n = int(self.outside_.sum()), len(self.outside_)
        by_arm = np.bincount(code.index[self.outside_], minlength=len(code.arms))
        bounds = f"[{self.threshold:g}, {1 - self.threshold:g}]"
        counts = ", ".join(f"{by_arm[k]:,} with treatment {arm:g}" for k, arm in enumerate(code.arms))
        fate = "dropped" if self.overlap_rule == "drop" else "kept with the propensity moved to the bound"
        warnings.warn(
            f"weak overlap: {count:,} of {n:,} rows ({count / n:.1%}) have a propensity outside {bounds} "
            f"({counts}); they are {fate}. The effect leans on few comparable rows; estimand='ATO' asks "
            "about those instead", OverlapWarning, stacklevel=5,
        )  # fmt: skip

    def _record_means(self, score: Float[np.ndarray, "n repeats arms"]) -> None:
        """``arm_means_`` (arms,), mean outcome were everyone to have the arm, and ``arm_standard_errors_``.

        ``score`` holds values whose mean over the kept rows is that mean.
        """
        kept = np.broadcast_to(self.kept_[:, None, None], score.shape)
        solved = solve_score(
            np.where(kept, -1.0, 0.0), np.where(kept, score, 0.0), clusters=self.clusters_, folds=self.folds_
        )
        means = aggregate_repeats(solved.theta, solved.standard_error, self.repeat_rule)
        self.arm_means_, self.arm_standard_errors_ = means

    def _arm_index(self, treatment: np.ndarray) -> np.ndarray:
        """Index of each value among the arms; refuses values the fit has not seen."""
        assert self.arms_ is not None
        match = treatment[:, None] == self.arms_[None, :]
        if not match.any(axis=1).all():
            row = int(np.flatnonzero(~match.any(axis=1))[0])
            raise DataError(
                "unknown-arm", f"row {row} has the treatment {treatment[row]:g}; the fit has seen "
                f"{', '.join(f'{arm:g}' for arm in self.arms_)}", where="treatment",
                remedy="Predict for these values only.",
            )  # fmt: skip
        return np.asarray(match.argmax(axis=1))
