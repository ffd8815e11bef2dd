"""For whom the effect is larger: conditional effects of a binary treatment by a DR-learner.

A :class:`DRLearner` regresses cross-fitted pseudo-outcomes ``phi`` on covariates ``x``; its
``effect(x)`` estimates ``tau(x) = E[Y(1) - Y(0) | x]``. The curve of a flexible learner has no valid
interval: what is *claimed* about it goes through :mod:`suppose.effects.effect_summaries`.

``phi = mu_1 - mu_0 + d (y - mu_1) / p - (1 - d)(y - mu_0) / (1 - p)``.

Predicted effects used to sort or to test are *out of fold* (:func:`out_of_fold_effects`): for each fold
a whole DR-learner, nuisances included, is fitted without it, so that a row's prediction has never seen
the row.

Source: Kennedy, "Towards optimal doubly robust estimation of heterogeneous causal effects" (Electronic
Journal of Statistics, 2023), Algorithm 1. Deviation: pseudo-outcomes are averaged over repeats of
cross-fitting before the final regression, which uses all rows (Kennedy splits the sample once).

Not done: multi-valued and continuous treatments, intervals of ``effect(x)`` itself, policies.
"""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted

from suppose.core.errors import DataError, EstimationError
from suppose.core.parallel import parallel_map
from suppose.core.random import integer_seed
from suppose.effects.designs import Design, read_material
from suppose.effects.interactive import Interactive
from suppose.effects.learners import check_learner, make_learner
from suppose.effects.scores import interactive_score

__all__ = ["DRLearner", "out_of_fold_effects", "pseudo_outcomes", "rows_of"]


class DRLearner(RegressorMixin, BaseEstimator):
    """Conditional effects of a binary treatment by a doubly robust learner.

    Parameters
    ----------
    treatment, covariates, cluster, cutoff, outcome_learner, propensity_learner, overlap_rule, threshold
    folds, repeats, level, repeat_rule, seed, n_jobs, backend
        As in :class:`suppose.effects.Interactive`, which makes the pseudo-outcomes.
    modifiers : sequence of names or positions, optional
        Columns the effect may depend on; the covariates when left out.
    final_learner : str or regressor
        Regresses the pseudo-outcomes on the modifiers.

    Attributes
    ----------
    interactive_ : Interactive
        Fitted estimator of the average effect, with its nuisances.
    effect_ : EffectEstimate
        The average effect.
    pseudo_outcomes_ : array (n,)
        ``phi``, in units of the outcome; ``nan`` for rows the overlap rule dropped.
    final_learner_ : fitted regressor

    Examples
    --------
    >>> from sklearn.utils import check_random_state
    >>> rng = check_random_state(0)
    >>> x, d = rng.normal(size=400), rng.randint(0, 2, size=400).astype(float)
    >>> learner = DRLearner(folds=2).fit(np.c_[d, x], x + d * (1 + x) + 0.1 * rng.normal(size=400))
    >>> np.round(learner.effect(np.array([[0.0, 0.0], [0.0, 1.0]])), 1)
    array([1., 2.])
    """

    def __init__(
        self,
        treatment: Any = 0,
        *,
        covariates: Any = None,
        modifiers: Any = None,
        cluster: Any = None,
        cutoff: Any = None,
        outcome_learner: Any = "linear",
        propensity_learner: Any = None,
        final_learner: Any = "linear",
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
        self.modifiers = modifiers
        self.cluster = cluster
        self.cutoff = cutoff
        self.outcome_learner = outcome_learner
        self.propensity_learner = propensity_learner
        self.final_learner = final_learner
        self.overlap_rule = overlap_rule
        self.threshold = threshold
        self.folds = folds
        self.repeats = repeats
        self.level = level
        self.repeat_rule = repeat_rule
        self.seed = seed
        self.n_jobs = n_jobs
        self.backend = backend

    def fit(self, X: Any, y: Any) -> DRLearner:
        """Fit nuisances, pseudo-outcomes and the final regression.

        Parameters
        ----------
        X : frame or array (n, columns)
            Treatment, covariates, modifiers and cluster.
        y : array (n,)
            Outcome.

        Raises
        ------
        EstimationError
            ``not-binary`` for a treatment of more than two values; what ``Interactive`` refuses.
        """
        check_learner(self.final_learner, "final_learner")
        shared = {name: value for name, value in self.get_params(deep=False).items()
                  if name not in ("modifiers", "final_learner")}  # fmt: skip
        self.interactive_ = Interactive(estimand="ATE", **shared).fit(X, y)
        count = len(np.unique(self.interactive_.treatment_))
        if count != 2:
            raise EstimationError(
                "not-binary", f"expected a treatment of two values, got {count}",
                where="treatment", remedy="Keep the rows of two arms, or set cutoff.",
            )  # fmt: skip
        shown = ("n_features_in_", "feature_names_in_", "kept_", "effects_", "effect_", "folds_", "clusters_")
        for name in shown:
            if hasattr(self.interactive_, name):
                setattr(self, name, getattr(self.interactive_, name))
        self.pseudo_outcomes_ = pseudo_outcomes(self.interactive_)
        used = self.kept_
        learner = make_learner(self.final_learner, "numbers", seed=integer_seed(self.seed, "final"),
                               role="final_learner")  # fmt: skip
        self.final_learner_ = learner.fit(self._modifiers(X)[used], self.pseudo_outcomes_[used])
        return self

    def _modifiers(self, X: Any) -> Float[np.ndarray, "n q"]:
        chosen = self.covariates if self.modifiers is None else self.modifiers
        found = read_material(X, Design(self.treatment, chosen, self.cluster)).covariates
        return found if found.shape[1] else np.zeros((len(found), 1))  # learners ask for some column

    def effect(self, X: Any) -> Float[np.ndarray, " n"]:
        """Estimated effect of the treatment for units like each row, in units of the outcome."""
        check_is_fitted(self)
        return np.asarray(self.final_learner_.predict(self._modifiers(X)), dtype=float)

    def predict(self, X: Any) -> Float[np.ndarray, " n"]:
        """Predicted outcome of each row under its own treatment (not its effect: see ``effect``)."""
        check_is_fitted(self)
        return np.asarray(self.interactive_.predict(X))

    def to_frame(self) -> Any:
        """The average effect as a pandas frame."""
        check_is_fitted(self)
        return self.effect_.to_frame()

    def __str__(self) -> str:
        return str(self.effect_) if hasattr(self, "effect_") else repr(self)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "final_learner_")


def pseudo_outcomes(interactive: Interactive) -> Float[np.ndarray, " n"]:
    """Doubly robust pseudo-outcomes of a fitted binary ``Interactive``, averaged over repeats."""
    assert interactive.arms_ is not None
    arm = interactive.treatment_[:, None] == interactive.arms_
    outcome, propensity = interactive.nuisances_["outcome"], interactive.nuisances_["propensity_used"]
    _, phi = interactive_score("ATE", interactive.outcome_, arm, outcome, propensity, arm=1)
    return np.where(interactive.kept_, phi.mean(axis=1), np.nan)


def rows_of(X: Any, rows: Any) -> Any:
    """Rows of a frame or array, in its own type."""
    if nw.dependencies.is_into_dataframe(X):
        return nw.from_native(X, eager_only=True)[rows.tolist(), :].to_native()
    return np.asarray(X)[rows]


def out_of_fold_effects(
    learner: DRLearner, X: Any, y: Any, *, jobs: int | None = 1
) -> Float[np.ndarray, " n"]:
    """Effect predicted for each row by a DR-learner fitted, nuisances included, without the row's fold.

    Parameters
    ----------
    learner : DRLearner
        Fitted on ``X``, ``y``; its first split is used.
    X, y
        What it was fitted on.
    jobs : int, optional
        Folds fitted at the same time.
    """
    folds = learner.folds_[:, 0]
    count = int(folds.max()) + 1
    if len(folds) != len(y):
        raise DataError(
            "not-the-fitted-rows", f"expected the {len(folds):,} rows of fit, got {len(y):,}", where="X, y",
            remedy="Pass the table the learner was fitted on.",
        )  # fmt: skip
    inner = clone(learner).set_params(folds=max(count, 2), n_jobs=None)
    tasks = [(inner, X, np.asarray(y), folds, fold) for fold in range(count)]
    out = np.empty(len(folds))
    for fold, predicted in enumerate(parallel_map(_left_out, tasks, jobs=jobs, label="out-of-fold effects")):
        out[folds == fold] = predicted
    return out


def _left_out(learner: DRLearner, X: Any, y: Any, folds: Any, fold: int) -> Float[np.ndarray, " m"]:
    inside, outside = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
    fitted = clone(learner).fit(rows_of(X, outside), y[outside])
    return np.asarray(fitted.effect(rows_of(X, inside)))
