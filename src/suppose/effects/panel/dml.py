"""Double machine learning for panels: the effect per unit of a treatment that changes within units.

Fuhr and Papies (Double Machine Learning meets Panel Data, arXiv 2409.01266); partialling-out core of
Chernozhukov et al. (2018, eq. 4.4). With residuals ``v = D - m`` and ``u = Y - l`` of predictions made
without the row's fold, ``theta = sum(u v) / sum(v**2)`` pooled over folds (DML2), and, clustered by unit,
``var = sum_i (sum_t e_it)**2 / sum(v**2)**2`` with ``e = (u - theta v) v``. What is predicted from what is
the transform's business (:mod:`~suppose.effects.panel.transforms`).

Deviations: where the paper's text leaves the estimator open, ``cre`` gives the mean treatment to the
prediction of the outcome too (``treatment_mean``), which our simulations need; intervals are Student's t with
units - 1 degrees of freedom. DoubleML weighs folds by their number of units; here rows count alike, and the
two agree where folds hold equally many units.

It does not do lagged outcomes, feedback from outcomes to later treatment, or treatments that work later; for
a treatment that starts and stays on, see :class:`~suppose.effects.panel.StaggeredEffect`.
"""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import stats
from sklearn.base import is_regressor
from sklearn.utils.validation import check_is_fitted

from suppose.core.errors import DataError, EstimationError, SupposeWarning
from suppose.effects.base import (
    EffectEstimator,
    Sample,
    check_choice,
    describe,
    note_features,
    read_outcome,
)
from suppose.effects.crossfit import FittedNuisance, Nuisance, cross_fit
from suppose.effects.designs import Material, as_table
from suppose.effects.folds import resolve_folds
from suppose.effects.inference import not_identified
from suppose.effects.learners import classifies
from suppose.effects.panel.learners import check_panel_learner, panel_learner
from suppose.effects.panel.material import read_panel, unit_means
from suppose.effects.panel.transforms import LEVELS, TRANSFORMS, Transformed, levels, transform_panel
from suppose.effects.scores import iv_type_score, partialling_out_score

__all__ = ["PanelDML", "intraclass_correlation"]

FOLD_BY = ("unit", "rows")
SCORES = ("partialling-out", "iv-type")


class PanelDML(EffectEstimator):
    """Effect per unit of treatment from a panel, with units' unobserved levels dealt with.

    Parameters
    ----------
    treatment, unit, time : str or int
        Columns of ``X``. Without ``unit`` each row is a unit of its own, which only ``pooled`` can use.
    covariates : sequence of str or int, optional
        Columns to adjust for; all others when left out.
    time_invariant : sequence of str or int, optional
        Covariates that must not change within a unit; others that do not are found in any case.
    approach : str
        One of ``pooled``, ``dummies``, ``within``, ``within_both``, ``fd``, ``fd_exact``, ``cre_means``,
        ``cre``, ``cre_normal``, ``cre_general``.
    outcome_learner : str or regressor
        ``linear``, ``lasso``, ``forest``, ``boosting``, ``stack`` (:mod:`~suppose.effects.panel.learners`) or
        a scikit-learn regressor.
    treatment_learner : str, regressor or classifier, optional
        As ``outcome_learner`` when left out. A classifier needs a 0/1 treatment and a transform in levels.
    score_type : {"partialling-out", "iv-type"}
        ``iv-type`` learns ``Y - D theta`` as well.
    folds : int, array or list of pairs
        Number of folds, or a split of the rows of ``X``.
    fold_by : {"unit", "rows"}
        Whether folds hold whole units or any rows.
    repeats : int
        Repeats of the sample splitting, put together by medians.
    treatment_mean : bool
        For ``cre``: the mean treatment predicts the outcome, too.
    period : bool
        The number of the period is a covariate.
    singletons : {"refuse", "drop"}
        What happens to units seen once under transforms that need more.
    tune : bool
        Choose the settings of ``forest`` and ``boosting`` by cross-validation over units.
    level, repeat_rule, seed, n_jobs, backend
        As in :class:`~suppose.effects.PartiallyLinear`.

    Attributes
    ----------
    residual_icc_ : float
        Share of the variance of the treatment residual ``v`` that lies between units. Large: the units'
        levels are still in it, and the estimate is not to be trusted.
    residual_icc_p_ : float
        P-value of there being none (F test of equal unit means).
    rows_ : (m,) int array
        Rows of ``X`` behind the transformed rows, on which ``treatment_``, ``outcome_``, ``folds_``,
        ``psi_`` and ``nuisances_`` are.
    theta_dml1_ : (repeats,) array
        Mean of the estimates of the folds.

    Examples
    --------
    >>> from suppose.datasets import make_panel
    >>> table = make_panel(units=100, periods=6, form="linear", seed=1)
    >>> model = PanelDML("d", "unit", "time", outcome_learner="linear", repeats=1).fit(table.X, table.y)
    >>> model.effect_.low < 0.5 < model.effect_.high, model.residual_icc_ < 0.1
    (True, True)
    """

    def __init__(
        self,
        treatment: Any = 0,
        unit: Any = None,
        time: Any = None,
        *,
        covariates: Any = None,
        time_invariant: Any = None,
        approach: Any = "cre",
        outcome_learner: Any = "boosting",
        treatment_learner: Any = None,
        score_type: Any = "partialling-out",
        folds: Any = 5,
        fold_by: Any = "unit",
        repeats: Any = 5,
        treatment_mean: Any = True,
        period: Any = False,
        singletons: Any = "refuse",
        tune: Any = False,
        level: Any = 0.95,
        repeat_rule: Any = "median-variance",
        seed: Any = 0,
        n_jobs: Any = None,
        backend: Any = "threading",
    ) -> None:
        self.treatment = treatment
        self.unit = unit
        self.time = time
        self.covariates = covariates
        self.time_invariant = time_invariant
        self.approach = approach
        self.outcome_learner = outcome_learner
        self.treatment_learner = treatment_learner
        self.score_type = score_type
        self.folds = folds
        self.fold_by = fold_by
        self.repeats = repeats
        self.treatment_mean = treatment_mean
        self.period = period
        self.singletons = singletons
        self.tune = tune
        self.level = level
        self.repeat_rule = repeat_rule
        self.seed = seed
        self.n_jobs = n_jobs
        self.backend = backend

    # -- reading ---------------------------------------------------------------------------------

    def _check_settings(self) -> None:
        super()._check_settings()
        check_choice(self.approach, TRANSFORMS, "approach")
        check_choice(self.fold_by, FOLD_BY, "fold_by")
        check_choice(self.score_type, SCORES, "score_type")
        check_choice(self.singletons, ("refuse", "drop"), "singletons")
        check_panel_learner(self.outcome_learner, "outcome_learner")
        if self.treatment_learner is not None:
            check_panel_learner(self.treatment_learner, "treatment_learner")
        if classifies(self.outcome_learner, discrete=False):
            raise EstimationError(
                "classifier-for-numbers", "a panel outcome is predicted as a number, also where it is 0 or 1",
                where="outcome_learner", remedy="Use a regressor.",
            )  # fmt: skip
        if self.approach != "pooled" and self.unit is None:
            raise EstimationError(
                "no-unit", f"{self.approach!r} compares units with themselves, and no unit column is named",
                where="unit", remedy="Name the column of the unit, or use approach='pooled'.",
            )  # fmt: skip
        if (
            self.approach == "dummies"
            and self.fold_by == "unit"
            and isinstance(self.folds, (int, np.integer))
        ):
            raise EstimationError(
                "dummies-need-row-folds", "with whole units in a fold, no learner ever sees the column of a "
                "unit it predicts for", where="fold_by", remedy="Write fold_by='rows', or use 'cre'.",
            )  # fmt: skip

    def _read(self, X: Any, y: Any) -> Sample:
        if y is None:
            raise DataError(
                "missing-outcome", "PanelDML requires y to be passed, but the target y is None", where="y",
                remedy="Give the outcome, one number per row.",
            )  # fmt: skip
        X = as_table(X)
        outcome = read_outcome(y, len(X))
        panel = read_panel(
            X, outcome, treatment=self.treatment, unit=self.unit, time=self.time, covariates=self.covariates,
            time_invariant=self.time_invariant,
        )  # fmt: skip
        note_features(self, X, reset=True)
        if panel.n < 2 or np.ptp(panel.d) == 0:
            raise DataError(
                "constant-treatment", f"expected a treatment that varies, got one value in all {panel.n:,} "
                f"rows (n_samples = {panel.n})", where="treatment", remedy="Name another treatment.",
            )  # fmt: skip
        self.cutoff_, self.arms_ = None, None
        self.treatment_name_, self.covariate_names_ = panel.treatment_name, (*panel.x_names, *panel.z_names)
        self.varying_names_, self.time_labels_ = panel.x_names, panel.time_labels
        self._parts = transform_panel(
            panel, self.approach, treatment_mean=bool(self.treatment_mean), period=bool(self.period),
            singletons=self.singletons,
        )  # fmt: skip
        kept = self._parts.panel
        self.rows_, self.rows_given_ = kept.rows, panel.n
        self.treatment_, self.outcome_ = self._parts.d, self._parts.y
        self.clusters_ = None if self.unit is None else kept.units
        self.kept_ = np.ones(kept.n, dtype=bool)
        material = Material(
            self._parts.outcome_features, self._parts.d, self.clusters_, self.covariate_names_,
            self.treatment_name_,
        )  # fmt: skip
        return Sample(material, self._parts.y)

    def _draw(self, n: int) -> Int[np.ndarray, "m repeats"]:
        """Folds of the transformed rows; a split that was given is of the rows of ``X``."""
        clusters = self.clusters_ if self.fold_by == "unit" else None
        if not isinstance(self.folds, (int, np.integer)):
            return np.asarray(resolve_folds(self.folds, self.rows_given_)[self.rows_])
        if clusters is not None and int(self.folds) > (count := int(clusters.max()) + 1):
            raise EstimationError(
                "too-few-units", f"expected at most as many folds as units, got {self.folds} folds for "
                f"{count} units", where="folds", remedy="Use fewer folds, or fold_by='rows'.",
            )  # fmt: skip
        return resolve_folds(self.folds, n, repeats=self.repeats, seed=self.seed, clusters=clusters)

    # -- estimating ------------------------------------------------------------------------------

    def _estimate(self, sample: Sample) -> None:
        parts: Transformed = self._parts
        self.folds_ = self._draw(sample.n)
        if self.approach == "dummies":
            warnings.warn(
                "one column per unit: learners that shrink or split pull units together, so part of their "
                "levels stays; compare with 'cre'", SupposeWarning, stacklevel=3,
            )  # fmt: skip
        self.nuisances_, self.models_ = self._predictions(parts)
        y, d = parts.y, parts.d
        m = self.nuisances_["treatment"]
        v = d[:, None] - m
        if np.any(np.mean(v**2, axis=0) <= 1e-12 * np.var(d)):
            raise not_identified()
        psi_a, psi_b = partialling_out_score(y, d, self.nuisances_["outcome"], m)
        if self.score_type == "iv-type":
            start = -psi_b.sum(axis=0) / psi_a.sum(axis=0)
            psi_a, psi_b = self._iv_type(parts, start)
        self.theta_dml1_ = _mean_of_folds(psi_a, psi_b, self.folds_)
        self.residual_icc_, self.residual_icc_p_ = _mean_icc(v, self.clusters_)
        self.outcome_icc_, _ = _mean_icc(y[:, None] - self.nuisances_["outcome"], self.clusters_)
        what = f"panel double machine learning, {self.approach}"
        what += ", iv-type score" if self.score_type == "iv-type" else ""
        method = describe(self, what, self.outcome_learner, self._treatment_learner())
        method += ", whole units" if self.fold_by == "unit" and self.unit is not None else ", rows"
        self._finish(
            psi_a[:, :, None], psi_b[:, :, None], ["per unit"], "partially linear", method,
            folds_weigh_equal=False,
        )  # fmt: skip
        del self._parts

    def _treatment_learner(self) -> Any:
        if self.treatment_learner is not None:
            return self.treatment_learner
        carries_over = isinstance(self.outcome_learner, str) or is_regressor(self.outcome_learner)
        return self.outcome_learner if carries_over else "linear"

    def _predictions(self, parts: Transformed) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Cross-fitted predictions of outcome and treatment, and the models of the first repeat."""
        predicted: dict[str, np.ndarray] = {}
        models: dict[str, Any] = {}
        outcome, first = panel_learner(self.outcome_learner, tune=bool(self.tune), seed=self.seed)
        dose, second = panel_learner(self._treatment_learner(), tune=bool(self.tune), seed=self.seed)
        tasks = [
            (
                Nuisance("outcome", outcome, parts.y, "outcome_learner", keep=True),
                parts.outcome_features,
                first,
            ),
            (self._treatment_nuisance(dose, parts.d), parts.treatment_features, second),
        ]
        if tasks[0][1] is tasks[1][1] and first == second:
            groups = [([tasks[0][0], tasks[1][0]], tasks[0][1], first)]
        else:
            groups = [([task], features, wants) for task, features, wants in tasks]
        for nuisances, features, wants in groups:
            fit = self._fit_nuisances(nuisances, features, wants)
            predicted |= fit.predictions
            models |= fit.models
        if parts.center is not None:
            m = predicted["treatment"]
            predicted["treatment"] = m + parts.center[:, None] - unit_means(m, parts.panel.units)
        return predicted, models

    def _fit_nuisances(self, nuisances: list[Nuisance], features: np.ndarray, wants_units: bool) -> Any:
        units = np.arange(len(features)) if self.clusters_ is None else self.clusters_
        given = np.column_stack([units, features]) if wants_units else features
        return cross_fit(
            nuisances, given, self.folds_, seed=self.seed, jobs=self.n_jobs, backend=self.backend
        )

    def _treatment_nuisance(self, learner: Any, d: np.ndarray) -> Nuisance:
        if not classifies(learner, discrete=False):
            return Nuisance("treatment", learner, d, "treatment_learner", keep=True)
        if self.approach not in LEVELS or not ((d == 0) | (d == 1)).all():
            raise EstimationError(
                "classifier-for-numbers", f"under {self.approach!r} the treatment to predict is not coded 0 "
                "and 1", where="treatment_learner", remedy="Use a regressor, or a transform in levels.",
            )  # fmt: skip
        return Nuisance(
            "treatment", learner, d.astype(np.int64), "treatment_learner", 2, (0.0, 1.0), keep=True
        )

    def _iv_type(self, parts: Transformed, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Second pass: learn the outcome without the treatment, from a first estimate of each repeat."""
        learner, wants = panel_learner(self.outcome_learner, tune=bool(self.tune), seed=self.seed)
        g = np.empty(self.folds_.shape)
        all_folds = self.folds_
        for repeat, theta in enumerate(start):
            self.folds_ = all_folds[:, [repeat]]
            task = Nuisance("outcome_given_control", learner, parts.y - theta * parts.d, "outcome_learner")
            fit = self._fit_nuisances([task], parts.outcome_features, wants)
            g[:, repeat] = fit.predictions["outcome_given_control"][:, 0]
        self.folds_ = all_folds
        self.nuisances_["outcome_given_control"] = g
        return iv_type_score(parts.y, parts.d, g, self.nuisances_["treatment"])

    # -- results ---------------------------------------------------------------------------------

    @property
    def residuals_(self) -> dict[str, np.ndarray]:
        """``"outcome"`` u and ``"treatment"`` v, (m, repeats), on the transformed rows."""
        check_is_fitted(self, "effects_")
        return {
            "outcome": self.outcome_[:, None] - self.nuisances_["outcome"],
            "treatment": self.treatment_[:, None] - self.nuisances_["treatment"],
        }

    @property
    def nuisance_r2_(self) -> dict[str, float]:
        """Out-of-fold R2 of the predictions of outcome and treatment, mean over repeats."""
        targets = {"outcome": self.outcome_, "treatment": self.treatment_}
        return {
            name: float(1 - np.mean(residual**2) / np.var(targets[name]))
            for name, residual in self.residuals_.items()
        }

    def predict(self, X: Any) -> Float[np.ndarray, " n"]:
        """Outcome predicted for each row under its own treatment, for transforms in levels.

        Means of units are those over the rows given.

        Raises
        ------
        EstimationError
            ``no-level-prediction`` for transforms that never see levels.
        """
        check_is_fitted(self, "effects_")
        X = as_table(X)
        note_features(self, X, reset=False)
        if self.approach not in LEVELS or self.approach == "dummies":
            raise EstimationError(
                "no-level-prediction", f"{self.approach!r} learns changes within units, not their levels",
                where="approach", remedy="Use 'cre' to predict levels.",
            )  # fmt: skip
        panel = read_panel(
            X, np.zeros(len(X)), treatment=self.treatment, unit=self.unit, time=self.time,
            covariates=self.covariate_names_, varying=self.varying_names_,
        )  # fmt: skip
        known = np.searchsorted(self.time_labels_, panel.time_labels)
        panel = dataclasses.replace(panel, times=known[panel.times])
        parts = levels(
            panel, self.approach, treatment_mean=bool(self.treatment_mean), period=bool(self.period)
        )
        m = self._mean_of_models("treatment", parts.treatment_features, panel.units)
        if parts.center is not None:
            m = m + parts.center - unit_means(m, panel.units)
        base = self._mean_of_models("outcome", parts.outcome_features, panel.units)
        out = np.empty(panel.n)
        out[panel.rows] = base + self.effect_.estimate * (panel.d - m)
        return out

    def _mean_of_models(self, name: str, features: np.ndarray, units: np.ndarray) -> np.ndarray:
        models: list[FittedNuisance] = self.models_[name]
        learner = self.outcome_learner if name == "outcome" else self._treatment_learner()
        if panel_learner(learner, tune=bool(self.tune))[1]:
            features = np.column_stack([units, features])
        return np.asarray(np.mean([model.predict(features) for model in models], axis=0))


def intraclass_correlation(
    values: Float[np.ndarray, " n"], units: Int[np.ndarray, " n"]
) -> tuple[float, float]:
    """Share of variance between units, and the p-value of there being none.

    The analysis-of-variance estimate ``(MSB - MSW) / (MSB + (k - 1) MSW)`` with ``k`` the average number of
    periods for unequal units, at least zero, and its F test (Fisher 1925; Donner, International Statistical
    Review 54, 1986).

    Examples
    --------
    >>> units = np.repeat(np.arange(3), 2)
    >>> round(intraclass_correlation(np.array([1.0, 1.1, 5.0, 5.1, 9.0, 9.1]), units)[0], 3)
    1.0
    """
    counts = np.bincount(units)
    groups, n = len(counts), len(values)
    if groups < 2 or n <= groups:
        return 0.0, 1.0
    means = np.bincount(units, values) / counts
    between = float(np.sum(counts * (means - values.mean()) ** 2)) / (groups - 1)
    within = float(np.sum((values - means[units]) ** 2)) / (n - groups)
    size = (n - float(np.sum(counts.astype(float) ** 2)) / n) / (groups - 1)
    whole = between + (size - 1) * within
    share = (between - within) / whole if whole > 0 else 0.0
    p = float(stats.f.sf(between / within, groups - 1, n - groups)) if within > 0 else 0.0
    return max(share, 0.0), p


def _mean_icc(residuals: Float[np.ndarray, "m repeats"], units: Any) -> tuple[float, float]:
    if units is None:
        return 0.0, 1.0
    found = np.array([intraclass_correlation(column, units) for column in residuals.T])
    return float(found[:, 0].mean()), float(np.median(found[:, 1]))


def _mean_of_folds(
    psi_a: Float[np.ndarray, "m repeats"],
    psi_b: Float[np.ndarray, "m repeats"],
    folds: Int[np.ndarray, "m repeats"],
) -> Float[np.ndarray, " repeats"]:
    """Mean over folds of each fold's own root (DML1)."""
    roots = np.empty(psi_a.shape[1])
    for repeat in range(len(roots)):
        count = int(folds[:, repeat].max()) + 1
        below = np.bincount(folds[:, repeat], psi_a[:, repeat], minlength=count)
        above = np.bincount(folds[:, repeat], psi_b[:, repeat], minlength=count)
        roots[repeat] = np.mean(-above / np.where(below == 0, np.nan, below))
    return roots
