"""The answer of an intervention study: verdict of identification, numbers, argument, checks.

Heavy pieces run as named steps, so that a killed run goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from suppose.core.answer import Credibility, Finding, Table, format_number
from suppose.core.errors import StudyError
from suppose.core.study import Steps
from suppose.studies import intervention_checks as checks
from suppose.studies import intervention_estimates as estimates
from suppose.studies.intervention import word
from suppose.studies.intervention_argument import argument
from suppose.studies.intervention_shown import LawShown, outcome_words, percent, state_of
from suppose.studies.intervention_unanswerable import unanswerable
from suppose.studies.parts import Parts, parts_step
from suppose.studies.verdict import credibility

__all__ = ["gather"]

Gathered = tuple[Parts, str, Credibility, str]


def gather(study: Any, table: Any, steps: Steps) -> Gathered:
    """Every part of the answer, its sentence, its verdict and the reason."""
    from suppose.graphs.identification import identify

    query = study.query
    result = identify(table.graph, [query.outcome], list(query.do), given=list(query.given))
    settings = estimates.settings_of(study, table)
    tests = Parts()
    if table.network is None and study.checks.independences:
        tests = checks.independences(study, table, steps)
    if not result:
        return unanswerable(study, table, result, settings, tests)
    if table.network is not None:
        numbers = _from_network(study, table, result, settings)
    else:
        numbers = _from_table(study, table, result, settings, steps)
    parts = Parts.joined([numbers, argument(study, table, result), tests])
    verdict, reason = credibility(parts.checks)
    headline = next(finding for finding in parts.findings if finding.headline)
    return parts, _sentence(study, headline, parts, settings), verdict, reason


# -- identified --------------------------------------------------------------------------------


def _from_network(study: Any, table: Any, estimand: Any, settings: Any) -> Parts:
    """The formula on the law of the measured nodes, beside surgery on the whole network."""
    network, query = table.network, study.query
    given = {name: word(value) for name, value in query.given.items()}
    point = estimates.laws(study, estimand, network, settings)
    cut = [network.query([query.outcome], given=given, do=setting).values for setting in settings.values]
    seen = [_conditional(network, query.outcome, {**setting, **given}) for setting in settings.values]
    shown = LawShown(study, table, settings, point, np.stack(seen))
    found: Parts = shown.parts("formula on the network") + checks.surgery(point, np.stack(cut))
    return found


def _conditional(network: Any, outcome: str, given: Mapping[str, str]) -> np.ndarray:
    """Law of the outcome where the network happens to have ``given``; nan where that never happens."""
    from suppose.core.errors import EstimationError

    try:
        return np.asarray(network.query([outcome], given=given).values)
    except EstimationError:
        return np.full(len(network.states[outcome]), np.nan)


def _from_table(study: Any, table: Any, estimand: Any, settings: Any, steps: Steps) -> Parts:
    method = _method(study, table, estimand)
    if method == "aipw":
        return _by_equations(study, table, estimand, settings, steps)
    variables = _needed(study, estimand)
    counts = estimates.count(table, variables)

    def compute() -> Mapping[str, Any]:
        point, draws = estimates.plug_in(study, estimand, counts, settings)
        return {"point": point, "draws": draws}

    found = steps.step("plug-in", compute)
    seen = estimates.observed(study, table, settings)
    shown = LawShown(study, table, settings, found["point"], seen, found["draws"])
    counted = shown.parts("counting")
    compared = Parts()
    if study.method.compare and estimates.can_estimate(study, estimand, table) is None:
        compared = parts_step(
            steps, "second way", lambda: _compared(study, table, estimand, settings, counted.findings[0])
        )
    found_parts: Parts = counted + checks.support(table, variables, study.query.outcome) + compared
    return found_parts


def _compared(study: Any, table: Any, estimand: Any, settings: Any, first: Finding) -> Parts:
    state = state_of(study, table)
    model, problem = estimates.problem_of(
        lambda: estimates.estimated(study, table, estimand, settings, state)
    )
    if model is None:
        return checks.second_way(first, None, problem)
    return checks.second_way(first, _mean_finding(study, table, model, settings, state, headline=False))


def _by_equations(study: Any, table: Any, estimand: Any, settings: Any, steps: Steps) -> Parts:
    """Mean outcome, or share of the state, under each setting by AIPW or the front-door estimator."""

    def compute() -> Parts:
        state = state_of(study, table) if study.query.outcome in table.codes else None
        model = estimates.estimated(study, table, estimand, settings, state)
        first = _mean_finding(study, table, model, settings, state, headline=True)
        effects = [_change(study, table, effect, settings) for effect in model.effects_]
        name = next(iter(study.query.do))
        rows = tuple(
            (table.states[name][int(arm)], float(mean), float(error))
            for arm, mean, error in zip(
                model.arms_, model.arm_means_, model.arm_standard_errors_, strict=True
            )
        )
        means = Table(
            name="settings", title=f"{outcome_words(study, state)} under each setting", rows=rows,
            columns=(name, "mean", "standard error"),
        )  # fmt: skip
        return Parts(findings=(first, *effects), tables=(means,))

    return parts_step(steps, "estimating equations", compute)


def _change(study: Any, table: Any, effect: Any, settings: Any) -> Finding:
    """One contrast of the estimator, in codes, as a finding in the words of the states."""
    name = next(iter(study.query.do))
    states = table.states[name]
    first, second = (states[int(float(code))] for code in effect.contrast.split(" vs "))
    asked = first == settings.values[0][name]
    label = f"Change from {name} = {second}" + ("" if asked else f" to {first}")
    return Finding(
        name="change" if asked else f"change:{first}", label=label, estimate=effect.estimate, low=effect.low,
        high=effect.high, level=effect.level, standard_error=effect.standard_error, p_value=effect.p_value,
        n=effect.n, method=effect.method,
    )  # fmt: skip


def _mean_finding(
    study: Any, table: Any, model: Any, settings: Any, state: str | None, *, headline: bool
) -> Finding:
    from scipy import stats

    name = next(iter(study.query.do))
    arm = list(model.arms_).index(float(table.states[name].index(settings.values[0][name])))
    mean, error = float(model.arm_means_[arm]), float(model.arm_standard_errors_[arm])
    half = float(stats.norm.ppf(0.5 + study.method.level / 2)) * error
    return Finding(
        name="set", label=f"{outcome_words(study, state)} if {settings.words(0)}", estimate=mean, low=mean - half,
        high=mean + half, level=study.method.level, standard_error=error, n=table.rows, headline=headline,
        method=model.effect_.method,
    )  # fmt: skip


def _method(study: Any, table: Any, estimand: Any) -> str:
    """``plugin`` or ``aipw``, as asked or as the columns allow."""
    wanted = study.method.name
    counted = [name for name in _needed(study, estimand) if name not in table.codes]
    cannot = estimates.can_estimate(study, estimand, table)
    if wanted == "aipw" or (wanted == "auto" and counted):
        if cannot is None:
            return "aipw"
        if wanted == "aipw":
            raise StudyError(
                "method-does-not-fit", f"estimating equations cannot answer this: {cannot}", where="method.name",
                remedy='Use name = "plugin".',
            )  # fmt: skip
    if counted:
        raise StudyError(
            "too-many-values", f"the formula counts {', '.join(counted)}, which {_has(counted)} too many values",
            where="method.name", remedy=f"Cut into groups: data.cut = {{ {counted[0]} = 3 }}.",
        )  # fmt: skip
    return "plugin"


def _has(names: list[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _needed(study: Any, estimand: Any) -> tuple[str, ...]:
    """Nodes that are counted: those of the formula, the outcome, what is set and whom it is about."""
    names = (*estimand.variables, *study.query.do, study.query.outcome, *study.query.given)
    return tuple(dict.fromkeys(names))


# -- words -------------------------------------------------------------------------------------


def _sentence(study: Any, headline: Finding, parts: Parts, settings: Any) -> str:
    """The answer in one plain sentence: what it would be, how that compares, what is observed."""
    outcome = study.query.outcome
    share = headline.label.startswith("Share")
    number = percent(headline.estimate) if share else format_number(headline.estimate)
    within = ""
    if headline.low is not None and headline.high is not None:
        low, high = (percent(x) if share else format_number(x) for x in (headline.low, headline.high))
        within = f" ({100 * (headline.level or 0):g}% interval {low} to {high})"
    said = headline.label.split(" if ")[0]
    what = f"the s{said[1:]}" if share else f"the mean of {outcome}"
    whom = " and ".join(f"{name} = {word(value)}" for name, value in study.query.given.items())
    everyone = f"everyone with {whom}" if whom else "everyone"
    text = f"Were {settings.words(0)} for {everyone}, {what} would be {number}{within}"
    change = next((finding for finding in parts.findings if finding.name == "change"), None)
    if change is not None:
        text += f", {_compared_words(change, share, settings)}"
    seen = next((finding for finding in parts.findings if finding.name == "observed"), None)
    if seen is not None:
        text += f"; among those who have {settings.words(0)} by themselves it is {percent(seen.estimate)}"
    return f"{text}."


def _compared_words(change: Finding, share: bool, settings: Any) -> str:
    """``"28.9 percentage points more than were S = 0"``, and whether chance could make the difference."""
    size = abs(change.estimate)
    amount = f"{100 * size:.1f} percentage points" if share else format_number(size)
    way = "more" if change.estimate > 0 else "less"
    sure = change.low is None or change.high is None or change.low > 0 or change.high < 0
    chance = "" if sure else " (a difference that chance could make)"
    return f"{amount} {way} than were {settings.words(1)}{chance}"
