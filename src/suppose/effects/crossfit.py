"""Cross-fitting: every nuisance function is predicted for a row by a learner that never saw the row.

Fits of different nuisances, folds and repeats are independent tasks. They share the covariates in
memory (threads, since scikit-learn's learners release the interpreter lock), each holds only the
training rows of its own fit, and predictions are made in chunks of rows. The bits do not depend on
the number of jobs.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from threadpoolctl import threadpool_limits

from suppose.core.errors import EstimationError, Refusal
from suppose.core.parallel import parallel_map, resolve_jobs
from suppose.core.random import integer_seed
from suppose.effects.learners import (
    Target,
    classifies,
    constant_learner,
    finite_or_refuse,
    fit_size,
    learner_name,
    make_learner,
)

__all__ = ["CrossFit", "FittedNuisance", "Nuisance", "cross_fit", "mean_prediction", "outcome_nuisance"]

CHUNK = 1 << 16  # rows predicted at once
SHORT = 20_000  # rows up to which fits share a call
Task = tuple["Nuisance", np.ndarray, np.ndarray, int, int, int]


@dataclasses.dataclass(frozen=True)
class Nuisance:
    """One function to learn: ``target`` given the covariates, on the rows where ``rows`` is true.

    ``target`` is (n,) numbers, or (n,) int codes 0..``classes``-1 whose probabilities are wanted. Two
    classes that stand for numbers have these as ``values``; the expected value is predicted then.
    ``role`` is the argument the learner came in; ``keep`` asks for the fitted models of the first repeat.
    """

    name: str
    learner: Any
    target: np.ndarray
    role: str
    classes: int | None = None
    values: tuple[float, float] | None = None
    rows: np.ndarray | None = None
    keep: bool = False

    @property
    def width(self) -> tuple[int, ...]:
        """Trailing shape of the predictions: one number, or one probability per class."""
        return () if self.classes is None or self.values is not None else (self.classes,)


@dataclasses.dataclass(frozen=True)
class FittedNuisance:
    """A fitted learner that predicts numbers, or one column of probabilities per class."""

    model: Any
    nuisance: Nuisance

    def predict(self, covariates: Float[np.ndarray, "n p"]) -> np.ndarray:
        """Numbers (n,), or probabilities (n, classes), predicted chunk by chunk."""
        n = len(covariates)
        out = np.zeros((n, *self.nuisance.width))
        for start in range(0, n, CHUNK):
            part = slice(start, start + CHUNK)
            self._fill(out[part], covariates[part])
        return out

    def _fill(self, out: np.ndarray, covariates: np.ndarray) -> None:
        if covariates.shape[1] == 0:
            covariates = np.zeros((len(covariates), 1))  # constant learners ask for some column
        if self.nuisance.classes is None:
            out[:] = np.ravel(self.model.predict(covariates))
            return
        probabilities, present = self.model.predict_proba(covariates), self.model.classes_.astype(np.int64)
        if self.nuisance.values is None:
            out[:, present] = probabilities
        else:
            low, high = self.nuisance.values
            out[:] = low + (high - low) * probabilities[:, present == 1].sum(axis=1)


@dataclasses.dataclass(frozen=True)
class CrossFit:
    """Predictions (n, repeats[, classes]) and out-of-fold scores (repeats,) by nuisance, and models kept."""

    predictions: dict[str, np.ndarray]
    scores: dict[str, np.ndarray]
    models: dict[str, list[FittedNuisance]]


def cross_fit(
    nuisances: list[Nuisance],
    covariates: Float[np.ndarray, "n p"],
    folds: Int[np.ndarray, "n repeats"],
    *,
    seed: int = 0,
    jobs: int | None = None,
    backend: str = "threading",
) -> CrossFit:
    """Predict every nuisance for every row by a learner fitted without the row's fold.

    Parameters
    ----------
    nuisances : list of Nuisance
    covariates : (n, p) array
    folds : (n, repeats) int array
        A repeat with a single fold is fitted and predicted on all rows.
    seed : int
        Each fit gets its own stream, by nuisance, repeat and fold.
    jobs, backend
        As in :func:`suppose.core.parallel.parallel_map`.

    Returns
    -------
    CrossFit

    Raises
    ------
    EstimationError
        When a learner cannot be fitted, has too few rows, or predicts something that is not finite.

    Examples
    --------
    >>> x = np.arange(8.0)[:, None]
    >>> task = Nuisance("outcome", "linear", 2 * x[:, 0], "outcome_learner")
    >>> fit = cross_fit([task], x, np.arange(8)[:, None] % 2)
    >>> np.round(fit.predictions["outcome"][:3, 0], 6)
    array([0., 2., 4.])
    """
    tasks = [
        (nuisance, covariates, folds[:, repeat], fold, repeat, seed)
        for repeat in range(folds.shape[1])
        for nuisance in nuisances
        for fold in range(int(folds[:, repeat].max()) + 1)
    ]
    # Starting a call costs 10 ms (it looks for the libraries whose threads to limit), so that short fits
    # go several to a call. One limit around all threads: those of single calls would race.
    size = 1 if len(covariates) > SHORT else -(-len(tasks) // (4 * resolve_jobs(jobs)))
    batches = [(tasks[start : start + size],) for start in range(0, len(tasks), size)]
    with threadpool_limits(limits=1):
        done = parallel_map(_fit_predict_all, batches, jobs=jobs, backend=backend, label="cross-fitting")
    results = [result for batch in done for result in batch]
    predictions = {nuisance.name: np.empty((*folds.shape, *nuisance.width)) for nuisance in nuisances}
    models: dict[str, list[FittedNuisance]] = {item.name: [] for item in nuisances if item.keep}
    for (nuisance, _, row_folds, fold, repeat, _), (predicted, model) in zip(tasks, results, strict=True):
        predictions[nuisance.name][row_folds == fold, repeat] = predicted
        if model is not None:
            models[nuisance.name].append(model)
    scores = {item.name: _out_of_fold_score(item, predictions[item.name]) for item in nuisances}
    return CrossFit(predictions, scores, models)


def _fit_predict_all(tasks: list[Task]) -> list[tuple[np.ndarray, FittedNuisance | None]]:
    return [_fit_predict(*task) for task in tasks]


def _fit_predict(
    nuisance: Nuisance, covariates: np.ndarray, row_folds: np.ndarray, fold: int, repeat: int, seed: int
) -> tuple[np.ndarray, FittedNuisance | None]:
    """Fit one nuisance without one fold; predictions for the fold, and the model if it is to be kept."""
    test = row_folds == fold
    train = np.ones_like(test) if test.all() else ~test
    if nuisance.rows is not None:
        train &= nuisance.rows
    stream = integer_seed(seed, nuisance.name, repeat, fold)
    fitted = fit_nuisance(nuisance, covariates, np.flatnonzero(train), stream, f"fold {fold}")
    try:
        predicted = fitted.predict(covariates if test.all() else covariates[test])
    except AttributeError as error:
        raise EstimationError(
            "no-probabilities", f"{learner_name(nuisance.learner)} does not predict probabilities ({error})",
            where=nuisance.role, remedy="Use a classifier with predict_proba, for example 'linear'.",
        ) from error  # fmt: skip
    finite_or_refuse(predicted, nuisance.learner, nuisance.role)
    return predicted, fitted if nuisance.keep and repeat == 0 else None


def fit_nuisance(
    nuisance: Nuisance,
    covariates: Float[np.ndarray, "n p"],
    train: Int[np.ndarray, " m"],
    seed: int,
    where: str,
) -> FittedNuisance:
    """Fit one nuisance on the rows ``train``; failures come back as refusals that name learner and fold."""
    target, columns = nuisance.target[train], covariates.shape[1]
    problem = fit_size(nuisance.learner, len(train), columns)
    if problem:
        raise EstimationError(
            "too-few-rows", f"{problem} (n_samples = {len(train)} in training, {where})", where=nuisance.role,
            remedy="Use fewer covariates, fewer folds, or a learner made for it ('lasso').",
        )  # fmt: skip
    probabilities = nuisance.classes is not None
    if columns == 0 or (probabilities and len(np.unique(target)) == 1):
        model: Any = constant_learner("classes" if probabilities else "numbers")
        design = np.zeros((len(train), 1))
    else:
        kind: Target = "classes" if probabilities else "numbers"
        model = make_learner(nuisance.learner, kind, seed=seed, role=nuisance.role)
        design = covariates if len(train) == len(covariates) else covariates[train]
    try:
        model.fit(design, target)
    except (Refusal, MemoryError):
        raise
    except Exception as error:
        raise EstimationError(
            "learner-failed", f"{learner_name(nuisance.learner)} could not be fitted on {len(train):,} "
            f"rows and {columns} covariates ({where}): {str(error).strip()}", where=nuisance.role,
            remedy="Use another learner, or prepare the covariates for this one.",
        ) from error  # fmt: skip
    return FittedNuisance(model, dataclasses.replace(nuisance, target=np.empty(0), rows=None, keep=False))


def _out_of_fold_score(nuisance: Nuisance, predictions: np.ndarray) -> Float[np.ndarray, " repeats"]:
    """R2 of numbers, or log loss of probabilities, for each repeat on the rows the nuisance is about."""
    rows = slice(None) if nuisance.rows is None else nuisance.rows
    target, predicted = nuisance.target[rows], predictions[rows]
    if nuisance.classes is None:
        spread = np.mean((target - target.mean()) ** 2)
        error = np.mean((target[:, None] - predicted) ** 2, axis=0)
        return np.asarray(1 - error / spread if spread > 0 else np.full(predicted.shape[1], np.nan))
    if nuisance.values is None:
        chosen = predicted[np.arange(len(target)), :, target.astype(np.int64)]  # (rows, repeats)
    else:
        low, high = nuisance.values
        second = (predicted - low) / (high - low)
        chosen = np.where(target[:, None] == 1, second, 1 - second)
    return np.asarray(-np.mean(np.log(np.clip(chosen, 1e-15, None)), axis=0))


def outcome_nuisance(name: str, learner: Any, y: np.ndarray, *, rows: np.ndarray | None = None) -> Nuisance:
    """Outcome given covariates, on ``rows``: a probability where the outcome is 0/1 and the learner can.

    Raises
    ------
    EstimationError
        For a classifier given for an outcome that is not coded 0 and 1.
    """
    coded = bool(((y == 0) | (y == 1)).all())
    if not classifies(learner, discrete=coded):
        return Nuisance(name, learner, y, "outcome_learner", rows=rows, keep=True)
    if not coded:
        raise EstimationError(
            "classifier-for-numbers", f"{learner_name(learner)} is a classifier, but the outcome is not "
            "coded 0 and 1", where="outcome_learner", remedy="Use a regressor, or code the outcome 0 and 1.",
        )  # fmt: skip
    return Nuisance(name, learner, y.astype(np.int64), "outcome_learner", 2, (0.0, 1.0), rows, keep=True)


def mean_prediction(models: list[FittedNuisance], covariates: Float[np.ndarray, "n p"]) -> np.ndarray:
    """Mean over the models of the folds."""
    total = models[0].predict(covariates)
    for model in models[1:]:
        total += model.predict(covariates)
    return np.asarray(total / len(models))
