"""Attempts to break a survival answer: fit to the observed curves, shape, other models, cure, balance, confounding."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy import stats

from suppose.core.answer import Figure, Table, format_number
from suppose.core.errors import EstimationError, Refusal, SupposeWarning
from suppose.core.figures import draw_svg
from suppose.core.parallel import parallel_map
from suppose.core.random import generator
from suppose.core.study import Steps
from suppose.effects.survival import likelihood_ratio, log_rank, test_kappa
from suppose.studies.parts import Parts
from suppose.studies.survival_chosen import Chosen, as_step, fit_cox, judged

__all__ = ["checks_of"]

FINE, POOR = 0.05, 0.2  # share of event times at which the fitted curve lies outside the observed band
RIVALS = 10.0  # AIC beyond which a model counts as ruled out
PER_COEFFICIENT = (10.0, 5.0)


def checks_of(study: Any, table: Any, chosen: Chosen, steps: Steps) -> list[Parts]:
    """Every check of the study, in the order a reader meets them."""
    return [
        _fit(table, chosen),
        as_step(steps, "shape", lambda: _shape(study, table, chosen)),
        _rivals(study, table, chosen),
        as_step(steps, "cure", lambda: _cure(table, chosen)),
        _events(chosen),
        _balance(study, table),
        as_step(steps, "shuffle", lambda: _shuffles(study, table, chosen)),
        _sensitivity(study, table, chosen),
        _log_rank(table),
    ]


def _fit(table: Any, chosen: Chosen) -> Parts:
    """Whether the model's curve of each arm stays in the Kaplan-Meier band."""
    outside, largest, where = 0.0, 0.0, ""
    for arm, seen in enumerate(chosen.observed):
        rows = table.X[np.asarray(table.X[table.treatment] == table.values[arm])]
        kept = np.unique(np.linspace(0, len(seen.times) - 1, 60).astype(int))
        fitted = chosen.model.survival_curve(rows, seen.times[kept]).estimate
        # a step function is held against a smooth curve at the middle of its jump
        before = np.concatenate([[1.0], seen.estimate])[kept]
        middle = (before + seen.estimate[kept]) / 2
        low, high = seen.low[kept], np.maximum(seen.high[kept], before)
        share = float(np.mean((fitted < low) | (fitted > high)))
        gap = float(np.max(np.abs(fitted - middle)))
        outside = max(outside, share)
        if gap > largest:
            largest, where = gap, table.arms[arm]
    verdict = "passes" if outside <= FINE else "warns" if outside <= POOR else "fails"
    words = (
        f"The fitted curves leave the 95% band of the observed ones at {outside:.0%} of the event times; the largest "
        f"gap is {100 * largest:.1f} percentage points ({where})."
    )
    return Parts(checks=(judged(
        "fit", "Fit to the observed curves", "The fitted curve of each arm follows its Kaplan-Meier curve.", verdict,
        words, "What happens after follow-up, or for combinations of covariates.",
        statistic="share outside the band", value=outside,
    ),))  # fmt: skip


def _shape(study: Any, table: Any, chosen: Chosen) -> Parts:
    """Whether the treatment needs to act on the shape, and whether hazards are proportional."""
    model, checks = chosen.model, []
    gamma = model.formulas_.get("gamma")
    if gamma is not None and table.treatment not in _names(gamma):
        from sklearn.base import clone

        from suppose.effects.survival.formula import Formula, parse_formula

        terms = (*parse_formula(gamma).terms, (table.treatment,))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SupposeWarning)
            larger = clone(model).set_params(formulas={**model.formulas_, "gamma": str(Formula(terms))})
            test = likelihood_ratio(model, larger.fit(table.X, table.y))
        verdict = "warns" if test.p_value < 0.05 else "passes"
        found = "bends the curve as well" if verdict == "warns" else "shows no sign of bending the curve"
        checks.append(judged(
            "shape", "Shape by treatment", "The treatment acts on the scale alone, not on the shape.", verdict,
            f"Letting the treatment act on gamma as well: p = {test.p_value:.2g}; it {found}.",
            "Departures of other kinds.", statistic="likelihood ratio", value=test.statistic, p_value=test.p_value,
        ))  # fmt: skip
    if not table.roles.get("upper"):
        try:
            test_ = fit_cox(study, table).test_proportionality()
        except EstimationError:
            return Parts(checks=tuple(checks))
        p = float(test_.p_value[0])
        words = "are not proportional" if p < 0.05 else "show no departure from proportionality"
        checks.append(judged(
            "proportional-hazards", "Proportional hazards", "The hazard ratio of Cox regression is constant in time.",
            "informs", f"Hazards {words} (Schoenfeld residuals, p = {p:.2g}). The answer does not need them to be.",
            "Departures without a trend in time.", statistic="chi-square", value=float(test_.statistic[0]), p_value=p,
        ))  # fmt: skip
    return Parts(checks=tuple(checks))


def _names(text: str) -> set[str]:
    from suppose.effects.survival.formula import parse_formula

    return {name for term in parse_formula(text).terms for name in term}


def _rivals(study: Any, table: Any, chosen: Chosen) -> Parts:
    """Whether models that fit about as well say the same."""
    measure = study.method.measure
    times = chosen.horizon if measure == "rmst" else chosen.times[-1]
    share = 100 if measure in ("survival", "cure") else 1
    rows, inside = [], []
    own = None
    for name, model in chosen.others.items():
        try:
            (effect,) = model.effect(
                table.X,
                table.treatment,
                times=times,
                measure=measure,
                treated=table.values[1],
                control=table.values[0],
            )
        except Refusal:
            continue
        gap = model.aic_ - chosen.model.aic_
        rows.append((name, gap, share * effect.difference, share * effect.low, share * effect.high))
        if name == chosen.name:
            own = effect
        elif gap < RIVALS:
            inside.append((name, share * effect.difference))
    if own is None or not inside:
        return Parts()
    low, high = share * own.low, share * own.high
    away = [name for name, value in inside if not low <= value <= high]
    values = [value for _, value in inside] + [share * own.difference]
    words = (
        f"Models within {RIVALS:g} AIC put the effect between {format_number(min(values))} and "
        f"{format_number(max(values))}; "
    )
    words += f"outside our interval: {', '.join(away)}." if away else "all inside our interval."
    if measure == "cure" and any(chosen.others[name].scale == "aft" for name in away):
        words += " In accelerated-time models a treatment delays the event, but the same share is cured."
    check = judged(
        "models", "Other models", "Models that fit about as well give the same effect.", "warns" if away else "passes",
        words, "Models outside the family.", statistic="models outside", value=float(len(away)),
    )  # fmt: skip
    title = "Effect in each model"
    columns = ("model", "AIC above ours", "effect", "low", "high")
    return Parts(
        checks=(check,),
        tables=(Table(name="effect-by-model", title=title, columns=columns, rows=tuple(rows)),),
    )


def _cure(table: Any, chosen: Chosen) -> Parts:
    """Whether a cured share is needed, and whether follow-up is long enough to see one."""
    model = chosen.model
    if model.kappa_ is None or model.kappa is not None or not model.kappa_ < 0:
        return Parts()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SupposeWarning)
        test = test_kappa(model, table.X, table.y, 0.0)
    event = np.asarray(table.X[table.roles["event"]]) if "event" in table.roles else np.ones(len(table.y))
    last = float(table.y[event == 1].max())
    longest = float(table.y.max())
    beyond = int(((event == 0) & (table.y > last)).sum())
    long_enough = beyond >= 10 and last < 0.9 * longest
    verdict = "passes" if test.p_value < 0.05 and long_enough else "warns"
    words = f"kappa is {model.kappa_:.2f}; no cured share (kappa = 0 or more) has p = {test.p_value:.2g}. "
    words += f"The last event comes at {last:g} of {longest:g}, and {beyond:,} rows are followed beyond it"
    words += "." if long_enough else ": too little to see a plateau, so the cured share is extrapolation."
    return Parts(checks=(judged(
        "cure", "Cured share", "Everyone would have the event in the end.", verdict, words,
        "Events that come later than anyone was followed.", statistic="likelihood ratio", value=test.statistic,
        p_value=test.p_value,
    ),))  # fmt: skip


def _events(chosen: Chosen) -> Parts:
    model = chosen.model
    ratio = model.events_ / len(model.coef_)
    verdict = "passes" if ratio >= PER_COEFFICIENT[0] else "warns" if ratio >= PER_COEFFICIENT[1] else "fails"
    words = f"{model.events_:,} events for {len(model.coef_)} coefficients: {ratio:.0f} each."
    return Parts(checks=(judged(
        "events", "Events per coefficient", "There are at least 10 events for each coefficient.", verdict, words,
        "Whether the right coefficients were chosen.", statistic="events per coefficient", value=float(ratio),
    ),))  # fmt: skip


def _balance(study: Any, table: Any) -> Parts:
    if not study.checks.balance or not table.covariates or len(table.arms) != 2:
        return Parts()
    from suppose.effects.balance import measure_balance

    codes = np.asarray(table.X[table.treatment], dtype=np.int64)
    X = np.asarray(table.X[list(table.covariates)], dtype=float)
    found = measure_balance(X, codes, names=table.covariates, arms=table.arms)
    p = min(1.0, X.shape[1] * float(_difference_p_values(X, codes).min()))
    verdict: Any = "informs"
    words = found.words
    if study.roles.randomised:
        verdict = "warns" if p < 0.05 else "passes"
        words += f" Under random assignment so large a difference has p = {p:.2g}, all covariates counted."
    else:
        words += " The model carries what differs; the further apart, the more it extrapolates."
    check = judged(
        "balance", "Balance of covariates", "The arms have the same covariates.", verdict, words,
        "Balance of what was not measured.", statistic=f"largest {found.measure}", value=float(found.worst_before),
        p_value=p if study.roles.randomised else None,
    )  # fmt: skip
    height = min(1.2 + 0.3 * len(found.rows), 12.0)
    figure = Figure.of(
        "balance", "Balance of covariates", "Standardised mean differences between the arms, as observed.",
        f"Love plot. {found.words}", draw_svg("balance", found.plot, size=(6.2, height)),
    )  # fmt: skip
    return Parts(checks=(check,), figures=(figure,))


def _difference_p_values(X: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """P-value of each covariate's difference of means between two arms (unequal variances)."""
    one, other = X[codes == 1], X[codes == 0]
    spread = np.sqrt(one.var(axis=0, ddof=1) / len(one) + other.var(axis=0, ddof=1) / len(other))
    z = np.abs(one.mean(axis=0) - other.mean(axis=0)) / np.where(spread > 0, spread, np.inf)
    return np.asarray(2 * stats.norm.sf(z))


def _shuffles(study: Any, table: Any, chosen: Chosen) -> Parts:
    """Treatment dealt out again at random: the effect must vanish, within its own standard error."""
    draws = study.checks.shuffles
    if draws == 0:
        return Parts()
    measure = "rmst" if study.method.measure in ("rmst", "median") else "survival"
    times = chosen.horizon if measure == "rmst" else chosen.times[-1]
    tasks = [
        (chosen.model, table.X, table.y, table.treatment, table.values[:2], measure, times, study.seed, draw)
        for draw in range(draws)
    ]
    found = parallel_map(
        shuffled_effect, tasks, jobs=study.run_options.jobs, backend=study.run_options.backend,
        label="shuffling the treatment",
    )  # fmt: skip
    scores = np.array([effect / se for effect, se in found if se > 0 and np.isfinite(se)])
    if len(scores) < 2:
        return Parts()
    mean = float(scores.mean())
    bound = 3 / np.sqrt(len(scores))
    verdict = "passes" if abs(mean) <= bound else "fails"
    words = (
        f"With the treatment dealt out at random {len(scores)} times, the effect is {mean:+.2f} standard errors on "
        f"average (expected within {bound:.2f} of 0)."
    )
    return Parts(checks=(judged(
        "shuffle", "Shuffled treatment", "A treatment dealt out at random has no effect.", verdict, words,
        "Confounding: shuffling removes it together with the effect.", statistic="mean score", value=mean,
    ),))  # fmt: skip


def shuffled_effect(
    model: Any,
    X: Any,
    y: Any,
    treatment: str,
    values: tuple[Any, ...],
    measure: str,
    times: float,
    seed: int,
    draw: int,
) -> tuple[float, float]:
    """Effect and standard error after one random dealing of the treatment."""
    from sklearn.base import clone

    order = generator(seed, "shuffle", draw).permutation(len(y))
    dealt = X.assign(**{treatment: np.asarray(X[treatment])[order]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SupposeWarning)
        try:
            fitted = clone(model).fit(dealt, y)
            (effect,) = fitted.effect(
                dealt, treatment, times=times, measure=measure, treated=values[1], control=values[0]
            )
        except Refusal:
            return 0.0, 0.0
    return effect.difference, effect.standard_error


def _sensitivity(study: Any, table: Any, chosen: Chosen) -> Parts:
    if study.roles.randomised or not study.checks.sensitivity or len(table.arms) != 2:
        return Parts()
    from suppose.effects.e_value import e_value

    time = chosen.times[-1]
    ratio, low, high = chosen.model.treatment_risk_ratio(
        table.X, table.treatment, time, treated=table.values[1], control=table.values[0]
    )
    found = e_value(ratio, low, high)
    verdict = "warns" if found.limit < 1.25 else "passes"
    words = (
        f"The risk of an event by {time:g} is {ratio:.2f} times as high ({low:.2f} to {high:.2f}). A hidden cause "
        f"would have to go with both treatment and event by a risk ratio of {found.point:.2f} to explain it away, of "
        f"{found.limit:.2f} to bring the interval to 1."
    )
    return Parts(checks=(judged(
        "sensitivity", "Hidden confounding", "A hidden cause of ordinary strength explains the effect away.",
        verdict, words, "Whether such a cause exists.", statistic="E-value", value=float(found.point),
    ),))  # fmt: skip


def _log_rank(table: Any) -> Parts:
    if table.roles.get("upper"):
        return Parts()
    event = (
        np.asarray(table.X[table.roles["event"]], dtype=float)
        if "event" in table.roles
        else np.ones(len(table.y))
    )
    entry = np.asarray(table.X[table.roles["entry"]], dtype=float) if "entry" in table.roles else None
    test = log_rank(
        np.asarray(table.y, dtype=float), event, np.asarray(table.X[table.treatment].astype(str)), entry
    )
    return Parts(checks=(judged(
        "log-rank", "Log-rank test", "The arms have the same hazard at every time (nothing adjusted for).", "informs",
        f"The unadjusted curves differ with p = {test.p_value:.2g}.", "Differences that change sign over time.",
        statistic="chi-square", value=test.statistic, p_value=test.p_value,
    ),))  # fmt: skip
