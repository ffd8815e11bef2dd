"""Effect of a treatment through its mediators where treatment and outcome share hidden causes (front door).

Every path from the treatment to the outcome runs through mediators ``M``; nothing hidden joins the treatment
to the mediators, or the mediators to the outcome once treatment and covariates ``X`` are known. Then

``E[Y | do(a)] = E_X sum_m P(m | a, X) sum_a' E[Y | a', m, X] P(a' | X)``   (Pearl 1995; Fulcher et al. 2020)

is estimated from its efficient influence function (Fulcher, Shpitser, Marealle & Tchetgen Tchetgen 2020,
Robust inference on population indirect causal effects, JRSS-B 82, theorem 1), which for arm ``a`` is

``r (Y - mu_A) + 1{A=a} (eta - xi_a) / pi_a + kappa_Aa - E[Y | do(a)]``

with ``pi_a(X) = P(a | X)``, ``mu_b(M, X) = E[Y | b, M, X]``, ``kappa_ba(X) = E[mu_b(M, X) | a, X]``,
``eta = sum_b pi_b mu_b``, ``xi_a = sum_b pi_b kappa_ba`` and the ratio ``r = P(M | a, X) / P(M | A, X)``.

Deviations: no density of the mediators is learned. By Bayes' rule ``r`` is
``P(a | M, X) / P(A | M, X) * pi_A / pi_a``, two classifications, and ``kappa`` is a regression of
predictions (as Guo, Benkeser & Nabi 2023 do), so that the mediators may be several, discrete or continuous.
All nuisances are cross-fitted. The mean is right if ``mu`` and ``kappa`` are, or if ``pi`` and ``r`` are.

It does not test that the mediators intercept every path: ``suppose.graphs.identify`` says what a drawn graph
implies, and no table can show that a direct path is missing.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float
from threadpoolctl import threadpool_limits

from suppose.core.errors import DataError
from suppose.core.parallel import parallel_map
from suppose.core.random import integer_seed
from suppose.effects.arms import ArmEstimator
from suppose.effects.base import Sample, describe, name_contrast
from suppose.effects.crossfit import (
    FittedNuisance,
    Nuisance,
    fit_nuisance,
    mean_prediction,
    outcome_nuisance,
)
from suppose.effects.designs import Design, TreatmentCode
from suppose.effects.learners import check_learner
from suppose.effects.scores import bound_propensity

__all__ = ["FrontDoor", "front_door_score"]


def front_door_score(
    y: Float[np.ndarray, " n"],
    index: np.ndarray,
    pi: Float[np.ndarray, "n repeats arms"],
    through: Float[np.ndarray, "n repeats arms"],
    mu: Float[np.ndarray, "n repeats arms"],
    kappa: Float[np.ndarray, "n repeats arms arms"],
) -> Float[np.ndarray, "n repeats arms"]:
    """Values whose mean is the outcome's mean under each arm; minus that mean, its influence values.

    Parameters
    ----------
    y : (n,) array
        Outcome.
    index : (n,) int array
        Arm of each row.
    pi, through : (n, repeats, arms) arrays
        ``P(b | X)`` and ``P(b | M, X)``, both bounded away from zero.
    mu : (n, repeats, arms) array
        ``E[Y | b, M, X]``, in the unit of the outcome.
    kappa : (n, repeats, arms b, arms a) array
        ``E[mu_b(M, X) | a, X]``.

    Examples
    --------
    >>> half = np.full((2, 1, 2), 0.5)
    >>> mu = np.ones((2, 1, 2))
    >>> front_door_score(np.ones(2), np.array([0, 1]), half, half, mu, np.ones((2, 1, 2, 2)))[:, 0]
    array([[1., 1.],
           [1., 1.]])
    """
    rows = np.arange(len(y))
    own_pi, own_through, own_mu = (part[rows, :, index][:, :, None] for part in (pi, through, mu))
    ratio = through / own_through * own_pi / pi  # P(M | a, X) / P(M | A, X)
    eta = np.einsum("nrb,nrb->nr", pi, mu)[:, :, None]
    xi = np.einsum("nrb,nrba->nra", pi, kappa)
    here = (index[:, None] == np.arange(pi.shape[2]))[:, None, :]
    own_kappa = kappa[rows, :, index, :]  # (n, repeats, arms a)
    return np.asarray(ratio * (y[:, None, None] - own_mu) + here * (eta - xi) / pi + own_kappa)


class FrontDoor(ArmEstimator):
    """Front-door effect of a discrete treatment by its efficient influence function.

    Parameters
    ----------
    treatment : str or int
        Column of ``X``: a name in frames, a position in arrays.
    mediators : sequence of str or int, optional
        Columns that carry the whole effect; every column without another part when left out.
    covariates : sequence of str or int
        Columns to adjust for besides; none by default. Giving some asks for ``mediators`` by name.
    cluster, reference, cutoff, outcome_learner, propensity_learner, threshold
        As in :class:`~suppose.effects.Interactive`; ``propensity_learner`` predicts the treatment, with and
        without the mediators.
    folds, repeats, level, repeat_rule, seed, n_jobs, backend
        As in :class:`~suppose.effects.PartiallyLinear`.

    Attributes
    ----------
    arm_means_, arm_standard_errors_ : (arms,) arrays
        Mean outcome under each arm, were everyone to have it, and its standard error.
    nuisances_ : dict
        ``"propensity"`` ``pi`` and ``"through"`` ``P(b | M, X)``, as predicted, and ``"outcome"`` ``mu``,
        each (n, repeats, arms); ``"onward"`` ``kappa`` (n, repeats, arms, arms).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> hidden = rng.normal(size=4000)
    >>> treated = (hidden + rng.normal(size=4000) > 0).astype(float)
    >>> mediator = treated + rng.normal(size=4000)
    >>> y = 2 * mediator + hidden + rng.normal(size=4000)
    >>> model = FrontDoor(treatment=0).fit(np.c_[treated, mediator], y)
    >>> model.effect_.low < 2 < model.effect_.high
    True
    """

    mediators: Any
    estimand = "ATE"
    overlap_rule = "clip"

    def __init__(
        self,
        treatment: Any = 0,
        *,
        mediators: Any = None,
        covariates: Any = (),
        cluster: Any = None,
        reference: Any = None,
        cutoff: Any = None,
        outcome_learner: Any = "linear",
        propensity_learner: Any = None,
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
        self.mediators = mediators
        self.covariates = covariates
        self.cluster = cluster
        self.reference = reference
        self.cutoff = cutoff
        self.outcome_learner = outcome_learner
        self.propensity_learner = propensity_learner
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
        check_learner(self.outcome_learner, "outcome_learner")
        self._check_propensity_settings()

    def _column_design(self) -> Design:
        """Mediators first, then covariates."""
        covariates = [] if self.covariates is None else self.covariates
        if isinstance(covariates, str) or isinstance(self.mediators, str):
            which = "mediators" if isinstance(self.mediators, str) else "covariates"
            raise DataError(
                "bad-covariates", f"expected a list of columns, got the text {getattr(self, which)!r}",
                where=which, remedy=f"Write {which}=[{getattr(self, which)!r}].",
            )  # fmt: skip
        if self.mediators is not None:
            return Design(self.treatment, [*self.mediators, *covariates], self.cluster)
        if len(covariates):
            raise DataError(
                "which-mediators", "covariates are named but mediators are not", where="mediators",
                remedy="Name the columns that carry the effect: mediators=['...'].",
            )  # fmt: skip
        return Design(self.treatment, None, self.cluster)

    def _read(self, X: Any, y: Any) -> Sample:
        sample = super()._read(X, y)
        count = sample.material.covariates.shape[1] if self.mediators is None else len(self.mediators)
        if count == 0:
            raise DataError(
                "no-mediators", f"no column is left to carry the effect (n_features = {self.n_features_in_})",
                where="mediators", remedy="Name at least one column that the treatment acts through.",
            )  # fmt: skip
        self.mediator_names_ = self.covariate_names_[:count]
        return sample

    def _estimate(self, sample: Sample) -> None:
        code = self._code_arms(sample)
        tasks = [
            (self._fold_task(sample, code, repeat, fold),)
            for repeat in range(self.folds_.shape[1])
            for fold in range(int(self.folds_[:, repeat].max()) + 1)
        ]
        with threadpool_limits(limits=1):
            done = parallel_map(_fold, tasks, jobs=self.n_jobs, backend=self.backend, label="cross-fitting")
        self._gather(done, sample.n, len(code.arms))
        pi = self._bound(self.nuisances_["propensity"], code)
        through = bound_propensity(self.nuisances_["through"], float(self.threshold))
        score = front_door_score(
            sample.y, code.index, pi, through, self.nuisances_["outcome"], self.nuisances_["onward"]
        )
        self._record_means(score)
        contrasts = [name_contrast(self, arm, code.arms[0]) for arm in code.arms[1:]]
        psi_b = score[:, :, 1:] - score[:, :, :1]
        method = describe(self, "front door", self.outcome_learner, self._propensity_learner())
        self._finish(-np.ones_like(psi_b), psi_b, contrasts, "ATE", method)

    def _fold_task(self, sample: Sample, code: TreatmentCode, repeat: int, fold: int) -> FoldTask:
        return FoldTask(
            sample.material.covariates, len(self.mediator_names_), sample.y, code.index, len(code.arms),
            self.outcome_learner, self._propensity_learner(), self.folds_[:, repeat] == fold, fold, repeat,
            integer_seed(self.seed, "front-door", repeat, fold),
        )  # fmt: skip

    def _gather(self, done: list[FoldResult], n: int, arms: int) -> None:
        """Predictions of the folds laid on all rows; the outcome models of the first repeat are kept."""
        repeats = self.folds_.shape[1]
        out = {name: np.empty((n, repeats, arms)) for name in ("propensity", "through", "outcome")}
        out["onward"] = np.empty((n, repeats, arms, arms))
        self.models_: list[list[FittedNuisance]] = [[] for _ in range(arms)]
        for result in done:
            rows = self.folds_[:, result.repeat] == result.fold
            for name, values in result.predictions.items():
                out[name][rows, result.repeat] = values
            if result.repeat == 0:
                for arm, model in enumerate(result.outcome_models):
                    self.models_[arm].append(model)
        self.nuisances_ = out

    def _predict(self, treatment: np.ndarray, covariates: np.ndarray) -> np.ndarray:
        index = self._arm_index(treatment)
        out = np.empty(len(treatment))
        for arm in np.unique(index):
            rows = index == arm
            out[rows] = mean_prediction(self.models_[arm], covariates[rows])
        return out


@dataclasses.dataclass(frozen=True)
class FoldTask:
    """What one fold of one repeat is fitted from; ``columns`` (n, p) holds mediators first."""

    columns: np.ndarray
    mediators: int
    y: np.ndarray
    index: np.ndarray
    arms: int
    outcome_learner: Any
    propensity_learner: Any
    test: np.ndarray
    fold: int
    repeat: int
    seed: int


@dataclasses.dataclass(frozen=True)
class FoldResult:
    """Predictions for the rows of one fold, and its outcome models, one per arm."""

    fold: int
    repeat: int
    predictions: dict[str, np.ndarray]
    outcome_models: list[FittedNuisance]


def _fold(task: FoldTask) -> FoldResult:
    """Fit every nuisance without the fold's rows and predict for them."""
    test = task.test
    train = np.arange(len(test)) if test.all() else np.flatnonzero(~test)
    covariates = np.ascontiguousarray(task.columns[:, task.mediators :])

    def fitted(nuisance: Nuisance, columns: np.ndarray, rows: np.ndarray) -> FittedNuisance:
        stream = integer_seed(task.seed, nuisance.name)
        return fit_nuisance(nuisance, columns, rows, stream, f"fold {task.fold}")

    def classes(name: str) -> Nuisance:
        return Nuisance(name, task.propensity_learner, task.index, "propensity_learner", classes=task.arms)

    out = {
        "propensity": fitted(classes("propensity"), covariates, train).predict(covariates[test]),
        "through": fitted(classes("through"), task.columns, train).predict(task.columns[test]),
    }
    mu = np.empty((int(test.sum()), task.arms))
    kappa = np.empty((int(test.sum()), task.arms, task.arms))
    models = []
    for b in range(task.arms):
        nuisance = outcome_nuisance(f"outcome[{b}]", task.outcome_learner, task.y)
        model = fitted(nuisance, task.columns, train[task.index[train] == b])
        mu[:, b] = model.predict(task.columns[test])
        models.append(model)
        onward = model.predict(task.columns)
        for a in range(task.arms):
            step = Nuisance(f"onward[{b},{a}]", _for_numbers(task.outcome_learner), onward, "outcome_learner")
            kappa[:, b, a] = fitted(step, covariates, train[task.index[train] == a]).predict(covariates[test])
    out |= {"outcome": mu, "onward": kappa}
    return FoldResult(task.fold, task.repeat, out, models)


def _for_numbers(learner: Any) -> Any:
    """A learner of predictions, which are numbers: a classifier of the outcome gives way to boosting."""
    from sklearn.base import is_classifier

    return "boosting" if not isinstance(learner, str) and is_classifier(learner) else learner
