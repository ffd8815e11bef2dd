"""The parts of a panel answer for a treatment that starts at different times and stays on."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from suppose.core.answer import Check, Figure, Finding, Table, format_number
from suppose.core.errors import Refusal, SupposeWarning
from suppose.core.figures import draw_svg
from suppose.core.study import Steps
from suppose.studies.panel_parts import Gathered, sentence, unit_words
from suppose.studies.parts import Parts, parts_step
from suppose.studies.verdict import credibility

__all__ = ["gather_staggered"]

KINDS = {"event": "Effect by time since the start", "group": "Effect by start of treatment",
         "calendar": "Effect by period"}  # fmt: skip
OTHER = {"not-yet-treated": "never-treated", "never-treated": "not-yet-treated"}


def gather_staggered(study: Any, table: Any, steps: Steps) -> Gathered:
    """Compute every part of the answer of a staggered study."""
    main = parts_step(steps, "group-time effects", lambda: _main(study, table))
    others = parts_step(steps, "other controls", lambda: _other_controls(study, table, main))
    parts = Parts.joined([main, others])
    verdict, reason = credibility(parts.checks)
    headline = next(finding for finding in parts.findings if finding.headline)
    return Gathered(parts, sentence(study, headline, verdict), verdict, reason)


def _fit(study: Any, table: Any, control: str) -> Any:
    from suppose.effects.panel import StaggeredEffect

    roles, options = study.roles, study.method
    names = [options.learner, options.treatment_learner or options.learner]
    plain = ["linear" if name == "stack" else name for name in names]
    return StaggeredEffect(
        roles.treatment, roles.unit, roles.time, covariates=list(table.covariates), control=control,
        outcome_learner=plain[0], propensity_learner=plain[1], anticipation=options.anticipation,
        folds=options.folds, repeats=options.repeats if table.covariates else 1, draws=options.draws,
        level=options.level, seed=study.seed, n_jobs=study.run_options.jobs,
    ).fit(table.X, table.y)  # fmt: skip


def _main(study: Any, table: Any) -> Parts:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SupposeWarning)
        model = _fit(study, table, study.method.control)
    notes = tuple(dict.fromkeys(str(item.message) for item in caught))
    findings = [
        _finding(
            study, model.aggregate("simple").overall, "effect", "Average effect of being treated", model, True
        )
    ]
    tables, figures = [], []
    for kind, title in KINDS.items():
        found = model.aggregate(kind)
        tables.append(_table(kind, title, found.rows))
        if kind == "event":
            findings += [
                _finding(study, row, f"event:{row.name}", f"{row.name} from the start", model, False)
                for row, at in zip(found.rows, found.at, strict=True)
                if at >= 0
            ]
        if kind != "calendar":
            figures.append(_figure(study, kind, title, found))
    return Parts(
        findings=tuple(findings), tables=(*tables, _cells(model)), figures=tuple(figures), notes=notes,
        checks=(_pretrends(model), _sizes(model), _spread(model)),
    )  # fmt: skip


def _finding(study: Any, row: Any, name: str, label: str, model: Any, headline: bool) -> Finding:
    return Finding(
        name=name, label=label, estimate=row.estimate, low=row.low, high=row.high, level=float(model.level),
        unit=unit_words(study), standard_error=row.standard_error, p_value=row.p_value, n=len(model.outcome_),
        method=model.effect_.method, estimand="ATT", headline=headline,
    )  # fmt: skip


def _table(kind: str, title: str, rows: Any) -> Table:
    columns = ("at", "effect", "standard error", "low", "high", "low, all at once", "high, all at once")
    cells = tuple(
        (row.name, *(float(f"{value:.4g}") for value in (
            row.estimate, row.standard_error, row.low, row.high, row.simultaneous_low, row.simultaneous_high)))
        for row in rows
    )  # fmt: skip
    return Table(name=kind, title=title, columns=columns, rows=cells)


def _cells(model: Any) -> Table:
    labels = model.time_labels_
    half = model.critical_value_
    cells = tuple(
        (
            str(labels[g]), str(labels[t]), float(f"{value:.4g}"), float(f"{se:.4g}"),
            float(f"{value - half * se:.4g}"), float(f"{value + half * se:.4g}"), int(size[0]), int(size[1]),
        )
        for g, t, value, se, size in zip(
            model.groups_, model.times_, model.estimates_, model.errors_, model.sizes_, strict=True
        )
    )  # fmt: skip
    columns = ("start", "period", "effect", "standard error", "low", "high", "treated", "controls")
    return Table(
        name="cells", title="Effect by start and period", columns=columns, rows=cells,
        note="Intervals hold for all rows at once.",
    )  # fmt: skip


def _figure(study: Any, kind: str, title: str, found: Any) -> Figure:
    unit = unit_words(study)
    words = "; ".join(f"{row.name} {format_number(row.estimate)}" for row in found.rows)
    return Figure.of(
        kind, title,
        f"Thick: {100 * found.level:g}% intervals; thin: intervals that hold for all points at once."
        + (" Before the start (grey) there should be nothing." if kind == "event" else ""),
        f"{title}: {words}.", draw_svg(kind, lambda ax: found.plot(ax, unit=unit)),
    )  # fmt: skip


def _pretrends(model: Any) -> Check:
    statistic, freedom, p = model.pretrend_test()
    if freedom == 0:
        return Check(
            name="pre-trends", title="Before the start", null="Nothing happens before treatment starts.",
            verdict="informs", words="No group is seen in two periods before its start.",
            cannot_show="Whether trends were parallel.",
        )  # fmt: skip
    verb = "not all" if p < 0.05 else "all near"
    words = f"Before treatment starts, {freedom} effects are {verb} zero (p = {p:.2g})."
    return Check(
        name="pre-trends", title="Before the start", null="Nothing happens before treatment starts.",
        verdict="passes" if p >= 0.05 else "warns" if p >= 0.001 else "fails", words=words, value=statistic,
        p_value=p, statistic="Wald statistic",
        cannot_show="Whether trends would have stayed parallel after the start; with few units it finds little.",
    )  # fmt: skip


def _sizes(model: Any) -> Check:
    treated, controls = (int(value) for value in model.sizes_.min(axis=0))
    words = f"The smallest comparison has {treated:,} treated and {controls:,} control units."
    return Check(
        name="sizes", title="Units compared", null="Every comparison has enough units on both sides.",
        verdict="passes" if min(treated, controls) >= 20 else "warns", words=words, value=float(min(treated, controls)),
        statistic="units in the smaller arm", cannot_show="Whether they are alike.",
    )  # fmt: skip


def _spread(model: Any) -> Check:
    """Whether effects differ between groups and periods: then one number hides something."""
    from scipy import stats

    post = model.times_ >= model.groups_
    theta, psi = model.estimates_[post], model.influence_[:, post]
    if len(theta) < 2:
        return Check(
            name="spread", title="One effect for all", null="The effect is the same in all groups and periods.",
            verdict="informs", words="There is one group-time effect only.", cannot_show="Differences between units.",
        )  # fmt: skip
    covariance = psi.T @ psi / len(psi) ** 2
    contrast = np.eye(len(theta))[1:] - np.eye(len(theta))[:1]
    middle = contrast @ covariance @ contrast.T
    value = float(contrast @ theta @ np.linalg.pinv(middle) @ (contrast @ theta))
    p = float(stats.chi2.sf(value, np.linalg.matrix_rank(middle)))
    low, high = format_number(float(theta.min())), format_number(float(theta.max()))
    words = f"Effects range from {low} to {high} (p of their being equal {p:.2g})."
    return Check(
        name="spread", title="One effect for all", null="The effect is the same in all groups and periods.",
        verdict="informs", words=words, value=value, p_value=p, statistic="Wald statistic",
        cannot_show="Differences between units of one group.",
    )  # fmt: skip


def _other_controls(study: Any, table: Any, main: Parts) -> Parts:
    """The same with the other control group."""
    other = OTHER[study.method.control]
    own = main.findings[0]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SupposeWarning)
            effect = _fit(study, table, other).effect_
    except Refusal as refusal:
        return Parts(notes=(f"The comparison with {other} controls was left out: {refusal.message}",))
    gap = abs(effect.estimate - own.estimate) / max(own.standard_error or 0.0, effect.standard_error, 1e-300)
    check = Check(
        name="controls", title="Other control units",
        null="It does not matter which untreated units serve as controls.",
        verdict="passes" if gap <= 2 else "warns", value=gap, statistic="gap in standard errors",
        words=f"Against {other} units the effect is {format_number(effect.estimate)}, {gap:.1f} standard errors away.",
        cannot_show="A shock that hits all controls alike.",
    )  # fmt: skip
    return Parts(checks=(check,))
