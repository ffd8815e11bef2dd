"""The parts of a survival answer: models side by side, effects averaged over everyone, figures and tables.

Everything is computed from the chosen model. Figures are in :mod:`suppose.studies.survival_figures`, the checks, the
heavy ones as named steps of the run, in :mod:`suppose.studies.survival_checks`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from suppose.core.answer import Finding, format_number
from suppose.core.errors import EstimationError, SupposeWarning
from suppose.core.study import Steps
from suppose.studies.parts import Parts
from suppose.studies.survival_checks import checks_of
from suppose.studies.survival_chosen import Chosen, choose, fit_cox, has_cure
from suppose.studies.survival_figures import cures, curves, model_tables, ratios
from suppose.studies.verdict import credibility

__all__ = ["Gathered", "gather"]

MEASURES = {
    "rmst": "Mean time without {event}",
    "survival": "Without {event}",
    "median": "Median time to {event}",
    "cure": "Never have {event}",
}


@dataclass(frozen=True)
class Gathered:
    """All parts of an answer, its sentence and its verdict."""

    parts: Parts
    sentence: str
    credibility: Any
    credibility_words: str


def gather(study: Any, table: Any, steps: Steps) -> Gathered:
    """Compute every part of the answer of a survival study."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SupposeWarning)
        chosen = choose(study, table, steps)
        pieces = [
            Parts(findings=tuple(_findings(study, table, chosen))),
            curves(study, table, chosen),
            ratios(study, table, chosen),
            cures(study, table, chosen),
            model_tables(chosen),
            *checks_of(study, table, chosen, steps),
        ]
    said = tuple(
        dict.fromkeys(str(item.message) for item in caught if issubclass(item.category, SupposeWarning))
    )
    if study.method.measure == "median" and not _median_seen(table, chosen, 1):
        said += ("A median lies beyond follow-up: it is the family that speaks there, not the data.",)
    parts = Parts.joined(pieces) + Parts(notes=said)
    verdict, reason = credibility(parts.checks)
    headline = next(finding for finding in parts.findings if finding.headline)
    return Gathered(parts, _sentence(study, table, chosen, headline, verdict), verdict, reason)


# -- findings ----------------------------------------------------------------------------------


def _findings(study: Any, table: Any, chosen: Chosen) -> list[Finding]:
    measure = study.method.measure
    if measure == "cure" and not any(has_cure(chosen.model, table)):
        raise EstimationError(
            "no-cured-share", f"the model chosen ({chosen.name}) has no cured share: kappa is not below 0",
            where="method.measure", remedy='Use measure = "rmst" or "survival".',
        )  # fmt: skip
    found: list[Finding] = []
    for arm in range(1, len(table.arms)):
        lead = arm == 1
        found += _effects(study, table, chosen, measure, arm, headline=lead)
        for other in MEASURES:
            if other == measure or (other == "cure" and not any(has_cure(chosen.model, table))):
                continue
            if other == "median" and not _median_seen(table, chosen, arm):
                continue
            found += _effects(study, table, chosen, other, arm, headline=False)
        found += _cox(study, table, arm)
    return found


def _median_seen(table: Any, chosen: Chosen, arm: int) -> bool:
    """Whether both curves fall to a half while somebody is still observed."""
    longest = np.array([max(curve.last for curve in chosen.observed)])
    values = {"treated": table.values[arm], "control": table.values[0]}
    curves = chosen.model.treatment_curves(table.X, table.treatment, longest, **values)
    return bool(max(curve.estimate[0] for curve in curves) < 0.5)


def _effects(
    study: Any, table: Any, chosen: Chosen, measure: str, arm: int, *, headline: bool
) -> list[Finding]:
    times: Any = chosen.horizon if measure == "rmst" else chosen.times
    effects = chosen.model.effect(
        table.X,
        table.treatment,
        times=times,
        measure=measure,
        treated=table.values[arm],
        control=table.values[0],
    )
    share, method = measure in ("survival", "cure"), effects[0].method if headline else "the same model"
    unit = "percentage points" if share else study.roles.time_unit or "units of time"
    times_ = 100 if share else 1
    own = "" if len(table.arms) == 2 else f":{table.arms[arm]}"
    found = []
    for index, effect in enumerate(effects):
        at = "" if effect.time is None or measure == "rmst" else f":{effect.time:g}"
        found.append(
            Finding(
                name=f"{measure}{at}{own}", label=_label(study, table, measure, effect.time, arm),
                estimate=effect.difference * times_, low=effect.low * times_, high=effect.high * times_,
                level=effect.level, unit=unit, standard_error=effect.standard_error * times_,
                p_value=effect.p_value, n=effect.n, method=method, estimand="average over everyone",
                headline=headline and index == len(effects) - 1,
            )
        )  # fmt: skip
    return found


def _label(study: Any, table: Any, measure: str, time: float | None, arm: int) -> str:
    unit = f" {study.roles.time_unit}" if study.roles.time_unit else ""
    at = {"rmst": f", first {time:g}{unit}", "survival": f" at {time:g}{unit}"} if time is not None else {}
    words = MEASURES[measure].format(event=study.roles.event_label) + at.get(measure, "")
    if len(table.arms) > 2:
        words += f": {table.arms[arm]} vs {table.arms[0]}"
    return words


def _cox(study: Any, table: Any, arm: int) -> list[Finding]:
    """Hazard ratio of Cox regression, the classical figure beside ours."""
    if table.roles.get("upper"):
        return []
    model = fit_cox(study, table)
    name = table.treatment if len(table.arms) == 2 else f"{table.treatment}={table.arms[arm]}"
    frame = model.to_frame().set_index("name")
    if name not in frame.index:
        return []
    row = frame.loc[name]
    words = "Hazard ratio (Cox)" + ("" if len(table.arms) == 2 else f": {table.arms[arm]} vs {table.arms[0]}")
    return [
        Finding(
            name="cox" if len(table.arms) == 2 else f"cox:{table.arms[arm]}", label=words,
            estimate=float(row.hazard_ratio), low=float(row.ratio_low), high=float(row.ratio_high),
            level=study.method.level, unit="ratio", p_value=float(row.p_value), n=model.n_,
            method="Cox regression, Efron ties", estimand="proportional hazards",
        )
    ]  # fmt: skip


# -- words -------------------------------------------------------------------------------------


def _sentence(study: Any, table: Any, chosen: Chosen, finding: Finding, verdict: str) -> str:
    roles, measure = study.roles, study.method.measure
    arms = f"{roles.treatment_label or table.treatment} = {table.arms[1]} rather than {table.arms[0]}"
    if table.arms[1] == f"with {roles.treatment_label}":
        arms = f"{roles.treatment_label} rather than without"
    size = format_number(abs(finding.estimate), beside=max(abs(finding.low or 0), abs(finding.high or 0)))
    more = "more" if finding.estimate >= 0 else "less"
    unit = f" {roles.time_unit}" if roles.time_unit else ""
    time = chosen.times[-1]
    change = {
        "rmst": f"the average time without {roles.event_label} in the first {chosen.horizon:g}{unit} would be "
        f"{size}{unit} {'longer' if finding.estimate >= 0 else 'shorter'}",
        "survival": f"{size} percentage points {more} would be without {roles.event_label} at {time:g}{unit}",
        "median": f"the median time to {roles.event_label} would be {size}{unit} "
        f"{'longer' if finding.estimate >= 0 else 'shorter'}",
        "cure": f"{size} percentage points {more} would never have {roles.event_label}",
    }[measure]
    text = f"With {arms}, {change} ({finding.interval_words()})"
    undecided = finding.low is not None and finding.high is not None and finding.low <= 0 <= finding.high
    text += "; the data do not settle the direction." if undecided else "."
    if verdict == "not credible":
        return (
            f"The comparison cannot be trusted as an effect. Taken at face value: {text[0].lower()}{text[1:]}"
        )
    return text
