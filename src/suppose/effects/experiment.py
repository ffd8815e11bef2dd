"""Difference of the mean outcomes of arms: what a randomised experiment asks for.

Neyman's standard error, unequal variances, with Welch's degrees of freedom; with clusters, the sum of
residuals within clusters. No covariate is adjusted for: outside an experiment this is the naive
comparison that the other estimators are held against.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from suppose.effects.arms import ArmEstimator
from suppose.effects.base import Sample, name_contrast
from suppose.effects.designs import TreatmentCode

__all__ = ["DifferenceInMeans"]


class DifferenceInMeans(ArmEstimator):
    """Difference in means between each arm and the reference.

    Parameters
    ----------
    treatment, cluster, reference, cutoff, level
        As in :class:`~suppose.effects.Interactive`.

    Attributes
    ----------
    arm_means_ : (arms,) array
        Mean outcome of each arm, the reference first.

    Examples
    --------
    >>> x = np.array([[0.0], [0.0], [0.0], [1.0], [1.0], [1.0]])
    >>> DifferenceInMeans().fit(x, np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).effect_.estimate
    3.0
    """

    covariates: Any = ()
    seed: int = 0

    def __init__(
        self,
        treatment: Any = 0,
        *,
        cluster: Any = None,
        reference: Any = None,
        cutoff: Any = None,
        level: Any = 0.95,
    ) -> None:
        self.treatment = treatment
        self.cluster = cluster
        self.reference = reference
        self.cutoff = cutoff
        self.level = level

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # predicts one mean per arm
        return tags

    def _estimate(self, sample: Sample) -> None:
        code = self._code_arms(sample)
        y, indicator = sample.y, code.indicator()
        counts = indicator.sum(axis=0)
        self.arm_means_ = means = np.asarray(y @ indicator / counts)
        self.nuisances_ = {"outcome": np.broadcast_to(means, (sample.n, 1, len(means))).copy()}
        self.nuisance_scores_: dict[str, np.ndarray] = {}
        # Scaled so that without clusters the variance is Neyman's, s_a^2 / n_a + s_0^2 / n_0.
        inflation = (
            np.sqrt(counts / (counts - 1)) if sample.material.clusters is None else np.ones(len(counts))
        )
        phi = indicator * (y[:, None] - means) * (sample.n / counts) * inflation  # (n, arms)
        psi_b = (means[1:] - means[0] + phi[:, 1:] - phi[:, :1])[:, None, :]
        contrasts = [name_contrast(self, arm, code.arms[0]) for arm in code.arms[1:]]
        method = "difference in means, no adjustment"
        self._finish(-np.ones_like(psi_b), psi_b, contrasts, "ATE", method, folds_weigh_equal=False)
        if sample.material.clusters is None:
            theta, error = self.theta_by_repeat_[0], self.standard_error_by_repeat_[0]
            degrees = welch_degrees(y, code)
            self._record(theta, error, contrasts, "ATE", method, degrees)

    def _predict(self, treatment: np.ndarray, covariates: np.ndarray) -> np.ndarray:
        return np.asarray(self.arm_means_[self._arm_index(treatment)])


def welch_degrees(y: np.ndarray, code: TreatmentCode) -> list[float | None]:
    """Welch's degrees of freedom of each arm against the reference; None where both are constant."""
    counts = np.bincount(code.index)
    parts = np.array([np.var(y[code.index == arm], ddof=1) for arm in range(len(counts))]) / counts
    degrees: list[float | None] = []
    for arm in range(1, len(counts)):
        below = parts[arm] ** 2 / (counts[arm] - 1) + parts[0] ** 2 / (counts[0] - 1)
        degrees.append(float((parts[arm] + parts[0]) ** 2 / below) if below > 0 else None)
    return degrees
