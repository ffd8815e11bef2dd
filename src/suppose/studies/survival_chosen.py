"""The survival model an answer rests on: candidates fitted, one chosen, and what its checks are written with."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from suppose.core.answer import Check
from suppose.core.errors import Refusal, StudyError, SupposeWarning, nearest
from suppose.core.study import Steps
from suppose.effects.survival import FlexibleSurvival, KaplanMeier, ProportionalHazards
from suppose.effects.survival.formula import Formula, parse_formula
from suppose.studies.parts import Parts, parts_step

__all__ = ["Chosen", "as_step", "build_model", "choose", "fit_cox", "has_cure", "judged"]


@dataclass(frozen=True)
class Chosen:
    """The model the answer rests on, the others beside it, and the times it speaks of."""

    name: str
    model: Any
    others: dict[str, Any]
    horizon: float
    times: tuple[float, ...]
    observed: tuple[Any, ...]


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
    curves = _observed_curves(table)
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


def has_cure(model: Any, table: Any) -> np.ndarray:
    """Rows for which the model has a cured share."""
    return np.asarray(model.predict_cure(table.X)) > 0


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


def _observed_curves(table: Any) -> tuple[Any, ...]:
    """Kaplan-Meier curve of each arm, the reference first."""
    roles = {name: table.roles.get(name) for name in ("event", "entry", "weights")}
    curves = []
    for value in table.values:
        rows = np.asarray(table.X[table.treatment] == value)
        if table.roles.get("upper"):  # an interval-censored event is put in the middle, for the eye alone
            time, event = _middle(table)
            X = table.X.assign(**{table.roles.get("event") or "(event)": event})
            roles["event"] = table.roles.get("event") or "(event)"
        else:
            time, X = table.y, table.X
        curves.append(KaplanMeier(**roles).fit(X[rows], time[rows]).curve_)
    return tuple(curves)


def _middle(table: Any) -> tuple[np.ndarray, np.ndarray]:
    upper = np.asarray(table.X[table.roles["upper"]], dtype=float)
    between = np.isfinite(upper)
    event = np.asarray(table.X[table.roles["event"]]) if table.roles.get("event") else np.ones(len(upper))
    return np.where(between, (table.y + np.where(between, upper, 0)) / 2, table.y), np.where(
        between, 1.0, event
    )
