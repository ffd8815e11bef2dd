"""Attempts to break an effect found by a network: overlap, support of the dose, fit, training, shuffles.

A network gives no propensity and no bound for hidden confounding. Its overlap is that of a propensity model
fitted beside it; along a dose, rows of every kind must have had every dose. Fit on rows the networks did not
see says whether they learned anything; only factual outcomes can be seen, so a good fit does not make an
effect right.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, cross_val_predict

from suppose.core.answer import Check, Table, Verdict
from suppose.core.errors import Refusal
from suppose.core.parallel import parallel_map
from suppose.core.random import generator
from suppose.core.study import Steps
from suppose.studies.effect_checks import overlap_parts, placebo_outcome_parts
from suppose.studies.effect_estimators import build_estimator
from suppose.studies.parts import Parts, fitted_step, parts_step

__all__ = ["dose_support", "neural_checks", "shuffled_statistic"]

GROUPS = 4
CELL = 5  # fewest rows of a kind at a dose


def neural_checks(study: Any, table: Any, main: Any, steps: Steps) -> list[Parts]:
    """Every check that applies, in the order a reader meets them."""
    return [
        _overlap(study, table, main, steps),
        _support(study, table, main),
        _fit(table, main),
        _training(main),
        _shuffles(study, table, main, steps),
        placebo_outcome_parts(study, table, "transtee", steps),
    ]


def _overlap(study: Any, table: Any, main: Any, steps: Steps) -> Parts:
    if main.kind_ not in ("binary", "multi-valued") or not table.covariates:
        return Parts()
    try:
        weighted = fitted_step(steps, "propensity", build_estimator(study, table, "ipw"), table.X, table.y)
    except Refusal as refusal:
        return Parts(notes=(f"Overlap was not checked: {refusal.message}",))
    return overlap_parts(study, table, weighted)


# -- support of a dose -----------------------------------------------------------------------------


def dose_support(x: np.ndarray, dose: np.ndarray) -> np.ndarray:
    """Rows in each group of units (by the dose their covariates predict) and each fifth of the range of doses.

    Returns
    -------
    (4, 5) int array
        Groups by predicted dose, lowest first; fifths of the range between its 2nd and 98th percentile.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dose_support(rng.normal(size=(400, 2)), rng.random(400)).shape
    (4, 5)
    """
    folds = KFold(5, shuffle=True, random_state=0)
    predicted = cross_val_predict(Ridge(), (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-12), dose, cv=folds)
    group = np.searchsorted(np.quantile(predicted, np.arange(1, GROUPS) / GROUPS), predicted)
    low, high = np.quantile(dose, [0.02, 0.98])
    inside = (dose >= low) & (dose <= high)
    fifth = np.clip(((dose - low) / (high - low) * 5).astype(int), 0, 4)
    return np.bincount(group[inside] * 5 + fifth[inside], minlength=GROUPS * 5).reshape(GROUPS, 5)


def _support(study: Any, table: Any, main: Any) -> Parts:
    if main.kind_ not in ("continuous", "dose") or not table.covariates:
        return Parts()
    dose = np.asarray(main.treatment_ if main.kind_ == "continuous" else main.dose_)
    cells = dose_support(np.asarray(table.X[list(table.covariates)], dtype=float), dose)
    thin = float(np.mean(cells < CELL))
    verdict: Verdict = "passes" if thin <= 0.1 else "warns" if thin <= 0.4 else "fails"
    words = (
        "Rows of every kind were seen at every dose."
        if thin == 0
        else f"{int((cells < CELL).sum())} of {cells.size} combinations of a kind of row and a fifth of the range of "
        f"doses hold fewer than {CELL} rows; there the curve is the network's guess."
    )
    check = Check(
        name="dose-support", title="Support of the dose", null="Every kind of row was seen at every dose.",
        verdict=verdict, statistic="share of thin combinations", value=thin, words=words,
        cannot_show="Support in what was not measured, or in combinations the predicted dose does not show.",
    )  # fmt: skip
    names = ("lowest predicted dose", "second", "third", "highest predicted dose")
    rows = tuple((name, *map(int, counts)) for name, counts in zip(names, cells, strict=True))
    columns = ("rows with", "lowest fifth of doses", "second", "third", "fourth", "highest fifth")
    return Parts(
        checks=(check,),
        tables=(
            Table(name="dose-support", title="Rows by predicted and actual dose", columns=columns, rows=rows),
        ),
    )


# -- fit and training ------------------------------------------------------------------------------


def _fit(table: Any, main: Any) -> Parts:
    """R2 of the networks on rows they did not see, each row judged by those it was hidden from."""
    if main.member_rows_ is None:
        return Parts()
    x = np.asarray(main.covariates_)
    dose = None if main.dose_ is None else np.asarray(main.dose_)[:, None]
    outcomes = main._members(x, np.asarray(main.treatment_)[:, None], dose)[:, :, 0]
    hidden = np.ones(outcomes.shape, dtype=bool)
    for member, rows in enumerate(main.member_rows_):
        hidden[member, rows] = False
    seen_by_none = hidden.any(axis=0)
    count = np.maximum(hidden.sum(axis=0), 1)
    guess = np.where(hidden, outcomes, 0.0).sum(axis=0) / count
    y = np.asarray(table.y)[seen_by_none]
    r2 = float(1 - np.mean((y - guess[seen_by_none]) ** 2) / np.var(y))
    line = _linear_r2(table, main)
    verdict: Verdict = "fails" if r2 < -0.05 else "warns" if r2 < max(0.02, line - 0.05) else "passes"
    words = (
        f"On rows they did not see the networks explain {100 * r2:.0f}% of the outcome's variation, a straight line "
        f"{100 * max(line, 0.0):.0f}%."
        if r2 >= 0.02
        else f"On rows they did not see the networks predict no better than the mean (R2 {r2:.2f})."
    )
    check = Check(
        name="fit", title="Fit on unseen rows", null="The networks predict outcomes better than their mean.",
        verdict=verdict, statistic="R2", value=r2, words=words,
        cannot_show="Whether effects are right: only outcomes under the treatment received are seen.",
    )  # fmt: skip
    return Parts(checks=(check,))


def _linear_r2(table: Any, main: Any) -> float:
    """Out-of-fold R2 of ridge regression on the same columns, arms as indicators."""
    t = np.asarray(main.treatment_)[:, None]
    parts = [t if main.kind_ == "continuous" else (t == np.asarray(main.arms_)).astype(float)]
    parts += [
        np.asarray(main.covariates_),
        *([] if main.dose_ is None else [np.asarray(main.dose_)[:, None]]),
    ]
    columns = np.column_stack(parts)
    scaled = (columns - columns.mean(axis=0)) / (columns.std(axis=0) + 1e-12)
    y = np.asarray(table.y)
    guess = cross_val_predict(Ridge(), scaled, y, cv=KFold(5, shuffle=True, random_state=0))
    return float(1 - np.mean((y - guess) ** 2) / np.var(y))


def _training(main: Any) -> Parts:
    """Whether training had come to rest when it ended."""
    losses = np.asarray(main.history_["held_out_loss"])
    last = int(np.asarray(main.history_["epoch"])[-1])
    late = float(np.mean(np.asarray(main.best_epoch_) >= last)) if main.patience is not None else 0.0
    tail = losses[-max(1, len(losses) // 10) :].mean(axis=0)
    before = (
        losses[-max(2, len(losses) // 5) : -max(1, len(losses) // 10)].mean(axis=0)
        if len(losses) > 1
        else tail
    )
    gain = float(np.mean((before - tail) / before))
    verdict: Verdict = "warns" if late > 0.5 and gain > 0.02 else "passes"
    words = (
        f"The loss on unseen rows was still falling ({100 * gain:.0f}% in the last tenth of {last:,} epochs): "
        "raise method.network.epochs."
        if verdict == "warns"
        else f"Training had come to rest after {last:,} epochs."
    )
    check = Check(
        name="training", title="Training came to rest", null="More epochs would not lower the loss on unseen rows.",
        verdict=verdict, statistic="gain in the last tenth of training", value=gain, words=words,
        cannot_show="Whether another network or another optimizer would do better.",
    )  # fmt: skip
    return Parts(checks=(check,))


# -- shuffled treatments -----------------------------------------------------------------------------


def shuffled_statistic(estimator: Any, X: Any, y: np.ndarray, seed: int, draw: int) -> float:
    """Size of what one network finds when treatments (with their doses) are dealt out anew; 0 keeps them."""
    columns = [estimator.treatment, *([estimator.dose] if estimator.dose is not None else [])]
    dealt = X.copy()
    if draw > 0:
        order = generator(seed, "shuffle", draw).permutation(len(X))
        dealt[columns] = X[columns].to_numpy()[order]
    network = clone(estimator).set_params(
        members=1, interval="ensemble", restarts=1, seed=seed, validation=0.3
    )
    return effect_size(network.fit(dealt, y), dealt)


def effect_size(model: Any, X: Any) -> float:
    """Standard deviation of the mean outcome over treatments: of the arms, or along the dose."""
    if model.kind_ == "dose":
        return float(np.std([model.dose_response(X, arm=float(arm)).estimate for arm in model.arms_]))
    return float(model.dose_response(X).estimate.std())


def _shuffles(study: Any, table: Any, main: Any, steps: Steps) -> Parts:
    if "placebo-treatment" not in study.checks.refute:
        return Parts()
    return parts_step(steps, "placebo-treatment", lambda: _shuffle_parts(study, table))


def _shuffle_parts(study: Any, table: Any) -> Parts:
    estimator = build_estimator(study, table, "transtee")
    draws = study.method.network.shuffles
    tasks = [(estimator, table.X, np.asarray(table.y), study.seed, draw) for draw in range(draws + 1)]
    sizes = parallel_map(
        shuffled_statistic, tasks, jobs=study.run_options.jobs, backend=study.run_options.backend,
        label="networks on shuffled treatments",
    )  # fmt: skip
    real, shuffled = sizes[0], sizes[1:]
    at_least = sum(size >= real for size in shuffled)
    p_value = (1 + at_least) / (1 + draws)
    stands_out = at_least == 0
    words = (
        f"With treatments dealt out at random, none of {draws} networks finds differences as large as "
        "with the real ones."
        if stands_out
        else f"With treatments dealt out at random, {at_least} of {draws} networks find differences as large "
        "as with the real ones: what was found may be noise."
    )
    check = Check(
        name="placebo-treatment", title="Shuffled treatments",
        null="The treatment makes no difference to the outcome.", verdict="passes" if stands_out else "warns",
        statistic="spread of the mean outcome over treatments", value=real, p_value=p_value, words=words,
        cannot_show="Confounding: shuffling breaks it together with the effect.",
    )  # fmt: skip
    return Parts(checks=(check,))
