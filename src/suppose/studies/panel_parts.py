"""The parts of a panel answer by double machine learning: the estimate, its rivals, and attempts to break it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from suppose.core.answer import Check, Credibility, Figure, Finding, Table, Verdict, format_number
from suppose.core.errors import Refusal
from suppose.core.figures import draw_svg, forest
from suppose.core.study import Steps
from suppose.effects.panel.compare import icc_flag
from suppose.studies.parts import Parts, fitted_step, parts_step
from suppose.studies.verdict import credibility

__all__ = ["TITLES", "Gathered", "gather", "sentence", "unit_words"]

TITLES = {
    "pooled": "Pooled, levels ignored", "within": "Within units (approximate)",
    "within_both": "Within units, with means", "fd": "Differences (approximate)",
    "fd_exact": "Differences, exact", "cre_means": "Random effects, means of X",
    "cre": "Correlated random effects", "cre_normal": "CRE, normal", "cre_general": "CRE, general",
    "linear pooled": "Linear: pooled", "linear fe": "Linear: fixed effects",
    "linear fd": "Linear: differences", "linear cre": "Linear: correlated random effects",
}  # fmt: skip
TRUSTED = ("within_both", "fd_exact", "cre", "cre_normal", "cre_general")


@dataclass(frozen=True)
class Gathered:
    """All parts of an answer, its sentence and its verdict."""

    parts: Parts
    sentence: str
    credibility: Credibility
    credibility_words: str


def gather(study: Any, table: Any, steps: Steps) -> Gathered:
    """Compute every part of the answer of a panel study."""
    main = fitted_step(steps, f"fit {table.method}", build(study, table), table.X, table.y)
    compared = parts_step(steps, "compare", lambda: _compared(study, table, main))
    finding = _finding(study, table.method, main.effect_, headline=True)
    rivals = (finding, *compared.findings)
    checks = [_levels(main), _variation(study, table), _size(table, main), _agreement(study, rivals)]
    pieces = [
        Parts(findings=rivals, figures=(_forest(study, rivals),)),
        Parts(checks=tuple(checks)),
        *_refits(study, table, main, steps),
        Parts(checks=compared.checks, tables=compared.tables, notes=compared.notes),
    ]
    parts = Parts.joined(pieces)
    verdict, reason = credibility(parts.checks)
    return Gathered(parts, sentence(study, finding, verdict), verdict, reason)


def build(study: Any, table: Any, **changes: Any) -> Any:
    """The estimator of the study, not fitted."""
    from suppose.effects.panel import PanelDML

    roles, options = study.roles, study.method
    settings: dict[str, Any] = {
        "covariates": list(table.covariates), "approach": table.method, "outcome_learner": options.learner,
        "treatment_learner": options.treatment_learner, "period": options.period, "tune": options.tune,
        "treatment_mean": options.treatment_mean, "folds": options.folds, "fold_by": options.fold_by,
        "repeats": options.repeats, "singletons": options.singletons, "level": options.level,
        "seed": study.seed, "n_jobs": study.run_options.jobs,
    }  # fmt: skip
    return PanelDML(roles.treatment, roles.unit, roles.time, **(settings | changes))


# -- estimates ---------------------------------------------------------------------------------


def unit_words(study: Any) -> str:
    """Unit of the effect: that of the outcome."""
    return str(study.roles.outcome_unit or study.roles.outcome)


def _finding(study: Any, name: str, effect: Any, *, headline: bool) -> Finding:
    return Finding(
        name="effect" if headline else name, label=TITLES[name], estimate=effect.estimate, low=effect.low,
        high=effect.high, level=effect.level, unit=unit_words(study), standard_error=effect.standard_error,
        p_value=effect.p_value, n=effect.n, method=effect.method, estimand="partially linear",
        headline=headline,
    )  # fmt: skip


def _compared(study: Any, table: Any, main: Any) -> Parts:
    """Every other transform and the linear estimators, with the table and Mundlak's test."""
    from suppose.effects.panel.compare import Comparison, ComparisonRow, compare_transforms

    others = [name for name in study.method.compare if name != table.method]
    model = build(study, table, repeats=min(study.method.repeats, 2))
    found = compare_transforms(model, table.X, table.y, others) if others else Comparison(())
    r2, share = main.nuisance_r2_, main.residual_icc_
    own = ComparisonRow(
        table.method, main.effect_, r2["outcome"], r2["treatment"], share,
        icc_flag(share, main.residual_icc_p_),
    )  # fmt: skip
    frame = Comparison((own, *found.rows)).to_frame()
    frame["transform"] = [TITLES[name] for name in frame["transform"]]
    frame = frame.drop(columns=["standard error", "rows"]).rename(
        columns={"transform": "way", "icc": "levels left"}
    )
    shown = Table.from_frame(
        "ways", "Ways of dealing with units' own levels", frame.round(4),
        note="R2 out of fold; 'levels left' is the share of the treatment residual that lies between units.",
    )  # fmt: skip
    notes = tuple(f"{TITLES.get(name, name)} was left out: {why}" for name, why in found.refused)
    checks = () if found.mundlak is None else (_mundlak(found.mundlak),)
    findings = tuple(_finding(study, row.name, row.effect, headline=False) for row in found.rows)
    return Parts(findings=findings, tables=(shown,), checks=checks, notes=notes)


def _forest(study: Any, findings: tuple[Finding, ...]) -> Figure:
    rows = [(f.label, f.estimate, f.low, f.high) for f in findings]
    unit, height = unit_words(study), 1.1 + 0.36 * len(rows)
    svg = draw_svg("ways", lambda ax: forest(rows, unit=unit, ax=ax), size=(6.6, height))
    words = "; ".join(f"{f.label} {format_number(f.estimate)}" for f in findings)
    return Figure.of(
        "ways", "Ways of dealing with units' own levels",
        f"Points with {100 * study.method.level:g}% intervals; the answer is in blue.",
        f"Forest plot of estimates: {words}.", svg,
    )  # fmt: skip


# -- checks ------------------------------------------------------------------------------------


def _levels(main: Any) -> Check:
    share, p = main.residual_icc_, main.residual_icc_p_
    flagged = icc_flag(share, p)
    verdict: Verdict = "fails" if share > 0.1 and flagged else "warns" if flagged else "passes"
    words = f"{share:.0%} of what is left of the treatment lies between units"
    words += (
        ": their own levels are still in it, and so in the estimate."
        if flagged
        else ", no more than chance would leave."
    )
    return Check(
        name="levels", title="Levels left in the treatment", null="Units do not differ in the treatment residual.",
        verdict=verdict, words=words, statistic="intraclass correlation of the residual", value=share, p_value=p,
        cannot_show="Levels that the covariates carry: when they follow a unit's level closely, little of it is "
        "left to be seen here although the estimate is biased.",
    )  # fmt: skip


def _variation(study: Any, table: Any) -> Check:
    d = table.X[study.roles.treatment].to_numpy(dtype=float)
    units = np.unique(table.X[study.roles.unit].to_numpy(), return_inverse=True)[1]
    from suppose.effects.panel.material import unit_means

    share = float(np.var(d - unit_means(d, units)) / np.var(d))
    high, low = np.full(units.max() + 1, -np.inf), np.full(units.max() + 1, np.inf)
    np.maximum.at(high, units, d)
    np.minimum.at(low, units, d)
    movers = int((high > low).sum())
    words = f"{share:.0%} of the variation of the treatment lies within units; "
    words += f"it changes in {movers:,} of {len(high):,}."
    return Check(
        name="variation", title="Change within units",
        null="The treatment changes enough within units to compare them with themselves.",
        verdict="passes" if share >= 0.05 and movers >= 30 else "warns", words=words, value=share,
        statistic="within share of variance",
        cannot_show="Whether units that change are like those that do not: the effect is about the former.",
    )  # fmt: skip


def _size(table: Any, main: Any) -> Check:
    columns = max(2 * len(table.covariates) + 1, 1)
    rows = len(main.treatment_)
    ratio = rows / columns
    words = f"{rows:,} rows for {columns} columns that outcome and treatment are predicted from: "
    words += f"{ratio:,.0f} for each."
    return Check(
        name="size", title="Sample against confounders", null="The sample is large against the number of confounders.",
        verdict="passes" if ratio >= 20 else "warns", words=words, value=ratio, statistic="rows for each column",
        cannot_show="Whether the learners found the shape of the confounding.",
    )  # fmt: skip


def _agreement(study: Any, findings: tuple[Finding, ...]) -> Check:
    """The answer against other ways that remove levels: gaps in units of the larger standard error."""
    own = findings[0]
    others = [f for f in findings[1:] if f.name in TRUSTED and f.standard_error]
    gaps = [
        (abs(f.estimate - own.estimate) / max(f.standard_error or 0, own.standard_error or 0, 1e-300), f)
        for f in others
    ]
    null = "Ways that remove levels on other assumptions give the same effect."
    cannot = "An error that all of them share, such as something unmeasured that moves with the treatment over time."
    if not gaps:
        return Check(
            name="agreement", title="Agreement of ways", null=null, verdict="informs", cannot_show=cannot,
            words="No other way that removes levels was asked for.",
        )  # fmt: skip
    gap, farthest = max(gaps, key=lambda item: item[0])
    words = (
        f"Farthest is {farthest.label}: {format_number(farthest.estimate)}, {gap:.1f} standard errors away."
    )
    if gap > 2 and farthest.name.startswith("fd"):
        words += " Differences weigh sudden changes: errors in the treatment, or effects that take time, would do this."
    return Check(
        name="agreement", title="Agreement of ways", null=null, verdict="passes" if gap <= 2 else "warns",
        words=words, value=gap, statistic="gap in standard errors", cannot_show=cannot,
    )  # fmt: skip


def _mundlak(test: Any) -> Check:
    safe = test.p_value > 0.05
    words = f"{test}. " + (
        "Comparing units with each other finds nothing against itself."
        if safe
        else "Units differ in a way that goes with treatment or covariates: ignoring their levels is not safe."
    )
    return Check(
        name="mundlak", title="Are levels a confounder?",
        null="Means of treatment and covariates do not predict the outcome beside their values.",
        verdict="informs", words=words, value=test.statistic, p_value=test.p_value, statistic="Wald statistic",
        cannot_show="Differences that are not linear.",
    )  # fmt: skip


def _refits(study: Any, table: Any, main: Any, steps: Steps) -> list[Parts]:
    """Checks that need another fit: rows as folds, and tomorrow's treatment."""
    found = []
    if study.checks.row_folds and study.method.fold_by == "unit":
        found.append(parts_step(steps, "row folds", lambda: _row_folds(study, table, main)))
    if study.checks.future_treatment:
        found.append(parts_step(steps, "future treatment", lambda: _future(study, table)))
    return found


def _row_folds(study: Any, table: Any, main: Any) -> Parts:
    other = build(study, table, fold_by="rows", repeats=min(study.method.repeats, 2)).fit(table.X, table.y)
    gap = other.effect_.estimate - main.effect_.estimate
    ratio = abs(gap) / max(main.effect_.standard_error, 1e-300)
    check = Check(
        name="row-folds", title="Whole units or rows in a fold", null="How the sample is split does not matter.",
        verdict="passes" if ratio <= 1 else "warns", value=gap, statistic="difference of estimates",
        words=f"With rows split at random the effect is {format_number(other.effect_.estimate)}, "
        f"{ratio:.1f} standard errors away.",
        cannot_show="Which of the two is right when they part.",
    )  # fmt: skip
    return Parts(checks=(check,))


def _future(study: Any, table: Any) -> Parts:
    """Does tomorrow's treatment go with today's outcome, given today's treatment? Linear fixed effects."""
    from suppose.effects.panel import LinearPanel

    roles = study.roles
    frame = table.X.assign(__y=table.y).sort_values([roles.unit, roles.time], kind="stable")
    name = "treatment in the next period"
    frame[name] = frame.groupby(roles.unit, sort=False)[roles.treatment].shift(-1)
    frame = frame[frame[name].notna()]
    try:
        effect = LinearPanel(
            name, roles.unit, roles.time, covariates=[roles.treatment, *table.covariates], method="fe",
            period_effects=study.method.period, singletons="drop",
        ).fit(frame.drop(columns="__y"), frame["__y"]).effect_  # fmt: skip
    except Refusal as refusal:
        return Parts(notes=(f"The check of tomorrow's treatment was left out: {refusal.message}",))
    p = effect.p_value
    words = f"Tomorrow's treatment goes with {format_number(effect.estimate)} {unit_words(study)} today (p = {p:.2g})"
    words += (
        ": the outcome may steer the treatment, or something unmeasured moves both."
        if p < 0.05
        else ", no sign that the outcome steers the treatment."
    )
    check = Check(
        name="future-treatment", title="Tomorrow's treatment",
        null="Given today's treatment, tomorrow's says nothing about today's outcome.",
        verdict="passes" if p >= 0.05 else "warns" if p >= 0.001 else "fails", words=words,
        value=effect.estimate, p_value=p, statistic="coefficient of the next period's treatment",
        cannot_show="A cause that comes and goes with the treatment in the same period.",
    )  # fmt: skip
    return Parts(checks=(check,))


# -- words -------------------------------------------------------------------------------------


def sentence(study: Any, finding: Finding, verdict: str) -> str:
    """The finding in one plain sentence."""
    roles, unit = study.roles, study.roles.outcome_unit
    outcome = roles.outcome_label or roles.outcome
    size = f"{finding.estimate_words().removeprefix('-')}{f' {unit}' if unit else ''}"
    verb = "higher" if finding.estimate >= 0 else "lower"
    treatment = roles.treatment_label or f"{roles.treatment} one unit higher"
    whose = f"the same {roles.unit_label or 'unit'}'s {outcome}"
    text = f"With {treatment}, {whose} would be {size} {verb} ({finding.interval_words()})"
    undecided = finding.low is not None and finding.high is not None and finding.low <= 0 <= finding.high
    text += "; the data do not settle the direction." if undecided else "."
    if verdict == "not credible":
        return (
            f"The comparison cannot be trusted as an effect. Taken at face value: {text[0].lower()}{text[1:]}"
        )
    return text
