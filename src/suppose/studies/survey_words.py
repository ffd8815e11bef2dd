"""Words of a survey answer: the sentence a reader meets first, and what the answer stands on."""

from __future__ import annotations

from typing import Any

from suppose.core.answer import Assumption, Finding, format_number
from suppose.studies.parts import Parts
from suppose.studies.verdict import listed

__all__ = [
    "LABELS",
    "advice",
    "assumptions",
    "contrast_sentence",
    "held_fixed",
    "slope_sentence",
    "slope_unit",
]

LABELS = {
    "naive": "Mode left out",
    "conditional": "Mode held fixed",
    "stratified": "Within modes, pooled",
    "imputed": "Other mode imputed",
    "weighted": "Reference mode, weighted",
    "bias": "Believed shifts taken back",
    "rates": "Believed errors taken back",
}
WITH = {
    "naive": "with the mode left out",
    "conditional": "with the mode held fixed",
    "stratified": "within modes",
    "imputed": "with the other mode's answers imputed",
    "weighted": "in the reference mode, weighted to all",
    "bias": "with the believed shifts taken back",
    "rates": "with the believed errors of recording taken back",
}


def slope_unit(study: Any) -> str:
    """Unit of a slope in the reader's words."""
    if study.method.model == "logistic":
        return "log odds per unit"
    unit = study.roles.outcome_unit or study.outcome_words
    return f"{unit} per unit of {study.exposure_words}"


def held_fixed(plan: Any) -> str:
    """The covariates held fixed, in words."""
    return f"given {listed(list(plan.covariates))}" if plan.covariates else "given nothing else"


def advice(plan: Any) -> str:
    """Whether to adjust for the mode, in a sentence."""
    if plan.sets is None:
        return "Nothing says whether to hold the mode fixed: no graph was given"
    best = plan.sets.items[0]
    others = [name for name in best.given if name != plan.view.mode]
    beside = f", with {listed(others)} held fixed" if others else ""
    if best.verdict == "safe":
        return (
            f"Hold the mode fixed{beside}" if plan.view.mode in best.given else f"Leave the mode out{beside}"
        )
    if best.verdict == "null-safe":
        way = "Holding the mode fixed" if plan.view.mode in best.given else "Leaving the mode out"
        return f"{way}{beside} keeps a test of no effect, not the size of one"
    return "Neither leaving the mode out nor holding it fixed is safe"


def slope_sentence(study: Any, plan: Any, parts: Parts, verdict: str) -> str:
    """Whether to adjust, the slope, and what it would have been otherwise."""
    found = {finding.name: finding for finding in parts.findings}
    headline = next(finding for finding in parts.findings if finding.headline)
    text = f"{advice(plan)}. {_slope(study, headline)}"
    if headline.low is not None and headline.high is not None and headline.low <= 0 <= headline.high:
        text += "; the data do not settle its sign"
    beside = [name for name in ("naive", "conditional") if name != headline.name]
    if headline.name != "rates":
        told = [f"{WITH[name]} it is {_number(found[name])}" for name in beside]
        text += f"; {listed(told)}"
    text += "."
    if verdict == "not credible":
        text = f"The slope cannot be trusted as an effect. {text}"
    return text


def _slope(study: Any, finding: Finding) -> str:
    what = {"log odds ratio": "the log odds ratio", "risk difference": "the risk difference"}.get(
        finding.unit
    )
    if what is None:
        what = "the log odds ratio" if study.method.model == "logistic" else "the slope"
    kind = "simulation interval" if finding.name in ("bias", "rates") else "interval"
    words = finding.interval_words().replace("interval", kind)
    with_ = WITH[finding.name]
    return (
        f"{with_[:1].upper()}{with_[1:]}, {what} of {study.outcome_words} on {study.exposure_words} is "
        f"{_number(finding)} ({words})"
    )


def _number(finding: Finding) -> str:
    return finding.estimate_words()


def contrast_sentence(study: Any, table: Any, parts: Parts) -> str:
    """How far apart the modes lie, and how far each from the known total."""
    found = {finding.name: finding for finding in parts.findings}
    reference = table.reference
    said = [_apart(found[f"contrast:{mode}"], table.say(mode), reference) for mode in table.modes[1:]]
    text = f"{study.outcome_words[:1].upper()}{study.outcome_words[1:]} by {listed(said)}."
    if study.calibration is None:
        return text
    source = f" ({study.calibration.source})" if study.calibration.source else ""
    shifts = [f"{table.say(mode)} is {_off(found[f'shift:{mode}'])}" for mode in table.modes]
    return f"{text} Against the known {study.calibration.total:g}{source}, {listed(shifts)}."


def _apart(finding: Finding, mode: str, reference: str) -> str:
    size = format_number(abs(finding.estimate), beside=finding.high)
    side = "above" if finding.estimate >= 0 else "below"
    return f"{mode} lies {size} {side} that by {reference} ({finding.interval_words()})"


def _off(finding: Finding) -> str:
    side = "too high" if finding.estimate >= 0 else "too low"
    return f"{format_number(abs(finding.estimate))} {side}"


def assumptions(study: Any, table: Any) -> tuple[Assumption, ...]:
    """What the answer stands on."""
    plan = table.plan
    found = [
        Assumption(
            name="graph", tested_by=("graph", "implications") if plan.view is not None else ("graph",),
            statement="The causal graph holds every common cause of answers and mode." if plan.view is not None
            else "Who answers in which mode has nothing to do with the answers, or the covariates hold all of it.",
        ),
        Assumption(
            name="shift", tested_by=("shift-alone",) if plan.way == "contrast" else ("slopes-by-mode",),
            statement="A mode moves the answers of all its rows alike.",
        ),
    ]  # fmt: skip
    if plan.way == "bias":
        believed = ", ".join(f"{name} {value}" for name, value in study.bias.priors().items())
        found.append(
            Assumption(name="beliefs", statement=f"Shifts of the other mode are as believed: {believed}.")
        )
    if plan.way == "rates":
        found.append(Assumption(
            name="rates", statement="Errors of recording are as believed, those of the two answers independent.",
        ))  # fmt: skip
    if study.calibration is not None:
        found.append(Assumption(
            name="total", statement="The known total is the mean of the people who answered, in every mode.",
        ))  # fmt: skip
    if study.roles.offer is not None:
        found.append(Assumption(
            name="offer", statement="The mode was offered at random; the offer moves answers through the mode alone.",
            tested_by=("offer",),
        ))  # fmt: skip
    found.append(Assumption(name="independence", statement="Rows are independent draws."))
    return tuple(found)
