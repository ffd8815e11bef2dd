"""The parts of a survival answer: models side by side, effects averaged over everyone, figures and tables.

Everything is computed from the chosen model. Figures are in :mod:`suppose.studies.survival_figures`, the checks, the
heavy ones as named steps of the run, in :mod:`suppose.studies.survival_checks`.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from suppose.core.answer import Check, Finding, format_number
from suppose.core.errors import EstimationError, Refusal, StudyError, SupposeWarning, nearest
from suppose.core.study import Steps
from suppose.effects.survival import FlexibleSurvival, ProportionalHazards
from suppose.effects.survival.formula import Formula, parse_formula
from suppose.studies.parts import Parts, parts_step
from suppose.studies.verdict import credibility

__all__ = ["Chosen", "Gathered", "build_model", "choose", "fit_cox", "gather", "has_cure", "judged"]

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


@dataclass(frozen=True)
class Chosen:
    """The model the answer rests on, the others beside it, and the times it speaks of."""

    name: str
    model: Any
    others: dict[str, Any]
    horizon: float
    times: tuple[float, ...]
    observed: tuple[Any, ...]


def gather(study: Any, table: Any, steps: Steps) -> Gathered:
    """Compute every part of the answer of a survival study."""
    from suppose.studies.survival_checks import checks_of
    from suppose.studies.survival_figures import cures, curves, model_tables, ratios

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


# -- models ------------------------------------------------------------------------------------


def choose(study: Any, table: Any, steps: Steps) -> Chosen:
    """Fit the candidates and take the one the study names, or the smallest AIC."""
    candidates = _candidates(study, table)
    fitted: dict[str, Any] = {}
    refused: dict[str, Refusal] = {}
    for name, model in candidates.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", SupposeWarning)
            try:
                fitted[name] = model.fit(table.X, table.y)
            except Refusal as refusal:
                refused[name] = refusal
        if name == next(iter(candidates)) and study.method.scale != "auto":
            for item in caught:
                warnings.warn_explicit(item.message, item.category, item.filename, item.lineno)
    first = next(iter(candidates))
    if first in refused and (study.method.scale != "auto" or not fitted):
        raise refused[first]
    sound = {name: m for name, m in fitted.items() if m.converged_ and np.isfinite(m.condition_)} or fitted
    eligible = {name: m for name, m in sound.items() if not name.startswith("Weibull")} or sound
    name = first if study.method.scale != "auto" else min(eligible, key=lambda item: eligible[item].aic_)
    from suppose.studies.survival_figures import observed_curves

    curves = observed_curves(table)
    horizon = study.method.horizon or _rounded_down(min(curve.last for curve in curves))
    longest = max(curve.last for curve in curves)
    for time in (*study.method.times, horizon):
        if time > longest:
            raise StudyError(
                "beyond-follow-up", f"nobody was followed for {time:g}; the longest duration is {longest:g}",
                where="method.times", remedy="Ask for a time within follow-up.",
            )  # fmt: skip
    times = study.method.times or tuple(float(f"{horizon * share:.3g}") for share in (0.25, 0.5, 0.75))
    return Chosen(name, fitted[name], fitted, float(horizon), times, curves)


def _rounded_down(time: float) -> float:
    """The time with three figures, not beyond itself."""
    size = 10.0 ** (math.floor(math.log10(time)) - 2)
    return float(f"{math.floor(time / size + 1e-9) * size:.6g}")


def _candidates(study: Any, table: Any) -> dict[str, Any]:
    """The model asked for first, then those it is compared with."""
    method = study.method
    if method.scale != "auto":
        asked = build_model(study, table, method.scale, method.formulas, method.kappa)
        found = {"as asked": asked}
    else:
        found = {}
    if method.scale == "auto" or method.compare:
        for scale, words in (("ph", "proportional hazards"), ("aft", "accelerated time")):
            own = {name: text for name, text in method.formulas.items() if name not in ("lambda", "phi")}
            found[words] = build_model(study, table, scale, own, method.kappa)
            if "gamma" not in own:
                bent = {**own, "gamma": _written(table.treatment)}
                found[f"{words}, shape by treatment"] = build_model(study, table, scale, bent, method.kappa)
    if method.compare:
        found["Weibull"] = build_model(study, table, "ph", {}, 1.0)
    first = next(iter(found.values()))
    same = [name for name, model in list(found.items())[1:] if repr(model) == repr(first)]
    return {name: model for name, model in found.items() if name not in same}


def build_model(study: Any, table: Any, scale: str, formulas: dict[str, str], kappa: Any) -> Any:
    """A model with the study's settings, not fitted."""
    translated = {
        name: _translated(text, table, f"method.formulas.{name}") for name, text in formulas.items()
    }
    roles = table.roles
    return FlexibleSurvival(
        roles.get("event"), entry=roles.get("entry"), upper=roles.get("upper"), weights=roles.get("weights"),
        cluster=roles.get("cluster"), scale=scale, formulas=translated or None, kappa=kappa,
        robust="weights" in roles, level=study.method.level, seed=study.seed,
    )  # fmt: skip


def _written(name: str) -> str:
    return str(Formula(((name,),)))


def _translated(text: str, table: Any, where: str) -> str:
    """A formula in the user's columns as one in the encoded columns."""
    formula = parse_formula(text)
    known = {table.treatment: (table.treatment,), **table.sources}
    terms: list[tuple[str, ...]] = (
        [(name,) for name in (table.treatment, *table.covariates)] if formula.everything else []
    )
    for term in formula.terms:
        found: list[tuple[str, ...]] = [()]
        for name in term:
            if name not in known:
                raise StudyError(
                    "missing-column", f"{name!r} is neither the treatment nor adjusted for", where=where,
                    remedy=nearest(name, known) or f"Choose from {', '.join(known)}, or add it to roles.adjust.",
                )  # fmt: skip
            found = [(*left, column) for left in found for column in known[name]]
        terms += found
    return str(Formula(tuple(dict.fromkeys(terms))))


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


def has_cure(model: Any, table: Any) -> np.ndarray:
    """Rows for which the model has a cured share."""
    return np.asarray(model.predict_cure(table.X)) > 0


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


def fit_cox(study: Any, table: Any) -> Any:
    """Cox regression on treatment and covariates."""
    roles = table.roles
    terms = tuple((name,) for name in (table.treatment, *table.covariates))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SupposeWarning)
        return ProportionalHazards(
            roles.get("event"), entry=roles.get("entry"), weights=roles.get("weights"), cluster=roles.get("cluster"),
            formula=str(Formula(terms)), robust="weights" in roles, level=study.method.level,
        ).fit(table.X, table.y)  # fmt: skip


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


def judged(
    name: str, title: str, null: str, verdict: Any, words: str, cannot_show: str, **figures: Any
) -> Check:
    """A check, with finite figures only."""
    kept = {
        key: value
        for key, value in figures.items()
        if value is not None and (not isinstance(value, float) or (math.isfinite(value) and value != 0))
    }
    return Check(
        name=name, title=title, null=null, verdict=verdict, words=words, cannot_show=cannot_show, **kept
    )


def as_step(steps: Steps, name: str, compute: Any) -> Parts:
    """Parts of a heavy check, as a named step."""
    return parts_step(steps, name, compute)
