"""The words of an effect study: names of methods and arms, units, and the one sentence of the answer."""

from __future__ import annotations

from typing import Any

from suppose.core.answer import Finding

__all__ = ["TITLES", "arm_names", "contrast_words", "sentence", "unit_words"]

TITLES = {
    "aipw": "AIPW (doubly robust)",
    "plr": "Partially linear",
    "ipw": "Inverse probability weighting",
    "g-computation": "G-computation",
    "difference": "Unadjusted difference",
    "transtee": "TransTEE (attention network)",
}


def arm_names(table: Any, main: Any) -> tuple[str, ...]:
    """The user's words for the arms of a fitted estimator, the reference first."""
    return tuple(table.labels.get(float(arm), f"{arm:g}") for arm in main.arms_)


def contrast_words(table: Any, contrast: str) -> str:
    """A contrast in the user's own words for the arms."""
    left, middle, right = contrast.partition(" vs ")
    words = {f"{value:g}": label for value, label in table.labels.items()}
    return f"{words.get(left, left)} vs {words.get(right, right)}" if middle else contrast


def unit_words(study: Any, table: Any) -> str:
    """Unit of the effect: that of the outcome, per unit of a continuous treatment."""
    unit = study.roles.outcome_unit or study.roles.outcome
    return f"{unit} per unit of {study.roles.treatment}" if table.kind == "continuous" else unit


def sentence(study: Any, table: Any, main: Any, finding: Finding, verdict: str) -> str:
    """The finding in one plain sentence; a comparison that is not credible says so first."""
    roles, unit = study.roles, study.roles.outcome_unit
    outcome = roles.outcome_label or roles.outcome
    size = f"{finding.estimate_words().removeprefix('-')}{f' {unit}' if unit else ''}"
    verb = "higher" if finding.estimate >= 0 else "lower"
    interval = f" ({finding.interval_words()})" if finding.low is not None else ""
    change = f"average {outcome} would be {size} {verb}{_population(study, table)}"
    text = f"{_condition(study, table, main)}, {change}{interval}"
    undecided = finding.low is not None and finding.high is not None and finding.low <= 0 <= finding.high
    text += "; the data do not settle the direction." if undecided else "."
    if verdict == "not credible":
        return (
            f"The comparison cannot be trusted as an effect. Taken at face value: {text[0].lower()}{text[1:]}"
        )
    return text


def _condition(study: Any, table: Any, main: Any) -> str:
    roles = study.roles
    if table.kind == "continuous":
        return f"With {roles.treatment_label or roles.treatment} one unit higher"
    arms = arm_names(table, main)
    if roles.treatment_label and len(arms) == 2:
        return f"With {roles.treatment_label}"
    return f"With {roles.treatment} = {arms[1]} rather than {arms[0]}"


def _population(study: Any, table: Any) -> str:
    if table.kind == "continuous":
        return ""
    return {"ATE": "", "ATT": " among the treated", "ATO": " among those who could have gone either way"}[
        study.method.estimand
    ]
