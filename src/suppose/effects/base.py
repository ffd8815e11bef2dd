"""What every effect estimator of this room shares: reading, splitting, solving, recording, predicting.

An estimator is a scikit-learn regressor whose roles are constructor arguments, so that ``fit(X, y)`` is
standard: ``X`` holds treatment, covariates and cluster, ``y`` the outcome. A subclass names its nuisance
functions and its score; everything else happens here, once.

Fitted attributes, the same for all: ``effects_`` (a tuple of
:class:`~suppose.effects.inference.EffectEstimate`, one per contrast) and ``effect_`` (the first);
``theta_by_repeat_`` and ``standard_error_by_repeat_`` (repeats, contrasts); ``psi_`` (n, repeats,
contrasts) influence values; ``nuisances_``, name to (n, repeats[, arms]) cross-fitted predictions;
``nuisance_scores_``, name to (repeats,) out-of-fold R2 or log loss; ``folds_`` (n, repeats); ``kept_``
(n,) rows used; ``treatment_``, ``outcome_`` (n,); ``covariates_`` (n, p); ``clusters_`` (n,) codes or
None; ``arms_``, values of a discrete treatment, the reference first, or None; ``treatment_name_`` and
``covariate_names_``.
"""

from __future__ import annotations

import dataclasses
import numbers
import warnings
from typing import Any, TypeVar

import narwhals as nw
import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from suppose.core.errors import DataError, EstimationError, nearest
from suppose.core.parallel import resolve_jobs
from suppose.core.random import check_seed
from suppose.effects.crossfit import CrossFit, Nuisance, cross_fit
from suppose.effects.designs import (
    Design,
    Material,
    TreatmentCode,
    as_table,
    read_material,
    refuse_bad_values,
)
from suppose.effects.folds import resolve_folds
from suppose.effects.inference import REPEAT_RULES, aggregate_repeats, estimate_effect, solve_score
from suppose.effects.learners import learner_name

__all__ = ["EffectEstimator", "Sample", "note_features", "read_outcome"]

Fitted = TypeVar("Fitted", bound="EffectEstimator")


@dataclasses.dataclass
class Sample:
    """Material of one fit: checked arrays, outcome, coded treatment (None when it is not discrete)."""

    material: Material
    y: np.ndarray
    code: TreatmentCode | None = None

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.y)


class EffectEstimator(RegressorMixin, BaseEstimator):
    """Base of the effect estimators; see the module for the attributes they share."""

    treatment: Any
    covariates: Any = None
    cluster: Any = None
    cutoff: Any = None
    level: Any = 0.95
    seed: Any = 0
    folds: Any = 1
    repeats: Any = 1
    repeat_rule: Any = "median-variance"
    n_jobs: Any = None
    backend: Any = "threading"

    def fit(self: Fitted, X: Any, y: Any) -> Fitted:
        """Estimate the effect.

        Parameters
        ----------
        X : frame or (n, columns) array
            Treatment, covariates and, where named, the cluster. Numbers, no missing values.
        y : (n,) array or series
            Outcome, in its own unit.

        Returns
        -------
        self

        Raises
        ------
        DataError
            For material that cannot be used, naming the column.
        EstimationError
            For settings that cannot be followed, or an effect that cannot be computed.
        """
        self._check_settings()
        sample = self._read(X, y)
        self._estimate(sample)
        return self

    def _check_settings(self) -> None:
        check_seed(self.seed)
        resolve_jobs(self.n_jobs)
        if not is_number(self.level) or not 0 < self.level < 1:
            raise EstimationError(
                "bad-level", f"expected a share between 0 and 1, got {self.level!r}", where="level",
                remedy="Write level=0.95 for a 95% interval.",
            )  # fmt: skip
        check_choice(self.repeat_rule, REPEAT_RULES, "repeat_rule")

    def _estimate(self, sample: Sample) -> None:
        raise NotImplementedError

    def _read(self, X: Any, y: Any) -> Sample:
        """Check the material, take the columns out, and remember names."""
        if y is None:
            raise DataError(
                "missing-outcome", f"{type(self).__name__} requires y to be passed, but the target y is None",
                where="y", remedy="Give the outcome, one number per row.",
            )  # fmt: skip
        X = as_table(X)
        material = read_material(X, self._column_design())
        note_features(self, X, reset=True)
        outcome = read_outcome(y, len(material.treatment))
        self.treatment_name_ = material.treatment_name
        self.covariate_names_ = material.covariate_names
        self.cutoff_ = resolve_cutoff(self.cutoff, material.treatment)
        if self.cutoff_ is not None:
            above = (material.treatment > self.cutoff_).astype(np.float64)
            material = dataclasses.replace(material, treatment=above)
        self.covariates_, self.clusters_ = material.covariates, material.clusters
        self.treatment_, self.outcome_ = material.treatment, outcome
        self.kept_ = np.ones(len(outcome), dtype=bool)
        self.arms_: np.ndarray | None = None
        return Sample(material, outcome)

    def _column_design(self) -> Design:
        """Which columns are read, and as what."""
        return Design(self.treatment, self.covariates, self.cluster)

    def _split(self, sample: Sample) -> None:
        """Draw or take the folds, balanced over the arms of a discrete treatment."""
        self.folds_ = resolve_folds(
            self.folds, sample.n, repeats=self.repeats, seed=self.seed,
            strata=None if sample.code is None else sample.code.strata(), clusters=sample.material.clusters,
        )  # fmt: skip

    def _cross_fit(self, nuisances: list[Nuisance], sample: Sample) -> CrossFit:
        return cross_fit(
            nuisances, sample.material.covariates, self.folds_, seed=self.seed, jobs=self.n_jobs,
            backend=self.backend,
        )  # fmt: skip

    def _finish(
        self,
        psi_a: np.ndarray,
        psi_b: np.ndarray,
        contrasts: list[str],
        estimand: str,
        method: str,
        *,
        folds_weigh_equal: bool = True,
    ) -> None:
        """Solve the score, (n, repeats, contrasts), put repeats together, and record the effects.

        With clusters, folds weigh the same in a cross-fitted score; in a score that is solved on the
        whole sample clusters do.
        """
        psi_a[~self.kept_], psi_b[~self.kept_] = 0.0, 0.0
        folds = self.folds_ if folds_weigh_equal else np.zeros_like(self.folds_)
        solution = solve_score(psi_a, psi_b, clusters=self.clusters_, folds=folds)
        self.psi_ = solution.psi
        self.theta_by_repeat_, self.standard_error_by_repeat_ = solution.theta, solution.standard_error
        theta, standard_error = aggregate_repeats(solution.theta, solution.standard_error, self.repeat_rule)
        self._record(theta, standard_error, contrasts, estimand, method)

    def _record(
        self,
        theta: Float[np.ndarray, " contrasts"],
        standard_error: Float[np.ndarray, " contrasts"],
        contrasts: list[str],
        estimand: str,
        method: str,
        degrees_of_freedom: list[float | None] | None = None,
    ) -> None:
        clusters = None if self.clusters_ is None else len(np.unique(self.clusters_[self.kept_]))
        self.effects_ = tuple(
            estimate_effect(
                float(theta[k]), float(standard_error[k]), estimand=estimand, contrast=contrast,
                n=int(self.kept_.sum()), method=method, level=float(self.level), clusters=clusters,
                degrees_of_freedom=None if degrees_of_freedom is None else degrees_of_freedom[k],
            )
            for k, contrast in enumerate(contrasts)
        )  # fmt: skip
        self.effect_ = self.effects_[0]

    def predict(self, X: Any) -> Float[np.ndarray, " n"]:
        """Outcome predicted for each row under its own treatment.

        Parameters
        ----------
        X : frame or (n, columns) array
            Columns as in :meth:`fit`.

        Returns
        -------
        (n,) array
            In the unit of the outcome; the mean over the models of the folds.
        """
        check_is_fitted(self, "effects_")
        X = as_table(X)
        note_features(self, X, reset=False)
        material = read_material(
            X, dataclasses.replace(self._column_design(), cluster=None, covariates=self.covariate_names_)
        )
        treatment = material.treatment
        if self.cutoff_ is not None:
            treatment = (treatment > self.cutoff_).astype(np.float64)
        return self._predict(treatment, material.covariates)

    def _predict(self, treatment: np.ndarray, covariates: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def to_frame(self) -> Any:
        """All effects as a pandas frame, one row per contrast."""
        import pandas as pd

        check_is_fitted(self, "effects_")
        return pd.concat([effect.to_frame() for effect in self.effects_], ignore_index=True)

    def __str__(self) -> str:
        if not hasattr(self, "effects_"):
            return repr(self)
        lines = [f"{type(self).__name__}: {self.effect_.method}", *(str(effect) for effect in self.effects_)]
        return "\n".join(lines)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "effects_")


def is_number(value: Any) -> bool:
    """Whether a setting is a real number (True and False are not)."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def check_choice(value: Any, known: tuple[str, ...], argument: str) -> None:
    """Refuse a word that is not one of the known ones."""
    if value not in known:
        raise EstimationError(
            "unknown-choice", f"expected one of {', '.join(map(repr, known))}, got {value!r}", where=argument,
            remedy=nearest(str(value), known) or f"Write {argument}={known[0]!r}.",
        )  # fmt: skip


def name_contrast(estimator: EffectEstimator, arm: float, reference: float) -> str:
    """Words of a contrast: ``"1 vs 0"``, or the side of the cutoff."""
    if estimator.cutoff_ is None:
        return f"{arm:g} vs {reference:g}"
    sides = {0.0: f"at most {estimator.cutoff_:g}", 1.0: f"above {estimator.cutoff_:g}"}
    return f"{sides[float(arm)]} vs {sides[float(reference)]}"


def describe(estimator: EffectEstimator, what: str, *learners: Any) -> str:
    """Method in words: what, learners, splitting."""
    count, repeats = int(estimator.folds_.max()) + 1, estimator.folds_.shape[1]
    names = list(dict.fromkeys(learner_name(learner) for learner in learners))
    split = "no sample splitting" if count == 1 else f"{count} folds"
    if repeats > 1:
        split += f", {repeats} repeats"
    return f"{what}; {' and '.join(names)} learners, {split}"


def resolve_cutoff(cutoff: Any, treatment: Float[np.ndarray, " n"]) -> float | None:
    """The value above which a row counts as treated, or None; ``"median"`` is that of the treatment."""
    if cutoff is None:
        return None
    if isinstance(cutoff, str) and cutoff == "median":
        return float(np.median(treatment))
    if not is_number(cutoff) or not np.isfinite(float(cutoff)):
        raise EstimationError(
            "bad-cutoff", f"expected a number or 'median', got {cutoff!r}", where="cutoff",
            remedy="Rows with the treatment above this value count as treated.",
        )  # fmt: skip
    return float(cutoff)


def note_features(estimator: Any, X: Any, *, reset: bool) -> None:
    """Number and names of columns, checked by scikit-learn's own rules."""
    try:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    except (ValueError, TypeError) as error:
        raise DataError(
            "columns-differ", str(error).strip(), where="X",
            remedy="Give the columns the estimator was fitted with, in the same order.",
        ) from error  # fmt: skip


def read_outcome(y: Any, n: int) -> Float[np.ndarray, " n"]:
    """The outcome as finite numbers, one per row; a text, a complex or a missing value is refused."""
    if nw.dependencies.is_into_series(y):
        y = nw.from_native(y, series_only=True).to_numpy()
    try:
        with warnings.catch_warnings():
            values = column_or_1d(np.asarray(y), warn=True)
        if values.dtype.kind == "c":
            raise TypeError("Complex data not supported")
        values = np.ascontiguousarray(values, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise DataError(
            "bad-outcome", f"expected one number per row: {str(error).strip()}", where="y",
            remedy="Encode the outcome as numbers, for example 0 and 1.",
        ) from error  # fmt: skip
    if len(values) != n:
        raise DataError(
            "lengths-differ", "Found input variables with inconsistent numbers of samples: "
            f"X has {n:,} rows, y has {len(values):,}", where="y",
            remedy="Give one outcome for each row of X.",
        )  # fmt: skip
    refuse_bad_values(values, "y")
    return values
