"""The attempts to break an effect: overlap, balance, refutations, a placebo outcome, hidden confounding.

Each function turns one diagnostic of the effects room into a check, its figure and its table. A check
that does not apply to the method or the treatment gives nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from suppose.core.answer import Check, Figure, Finding, Table, Verdict, format_number
from suppose.core.errors import EstimationError
from suppose.core.figures import PALETTE, draw_svg
from suppose.core.random import integer_seed
from suppose.core.study import Steps
from suppose.studies.effect_estimators import build_estimator
from suppose.studies.effect_words import arm_names, unit_words
from suppose.studies.parts import Parts, parts_step

__all__ = ["all_checks", "overlap_parts", "placebo_outcome_parts"]


def all_checks(study: Any, table: Any, method: str, main: Any, steps: Steps) -> list[Parts]:
    """Every check that applies, in the order a reader meets them."""
    return [
        overlap_parts(study, table, main),
        _balance(table, main),
        *_refutations(study, table, method, steps),
        placebo_outcome_parts(study, table, method, steps),
        _sensitivity(study, table, method, main, steps),
    ]


# -- overlap and balance -----------------------------------------------------------------------


def _has_propensity(main: Any) -> bool:
    nuisances = getattr(main, "nuisances_", {})
    return main.arms_ is not None and (
        "propensity" in nuisances or (len(main.arms_) == 2 and "treatment" in nuisances)
    )


def overlap_parts(study: Any, table: Any, main: Any) -> Parts:
    """Overlap of the arms by the fitted propensity."""
    from suppose.effects.overlap import check_overlap

    if not table.covariates or not _has_propensity(main):
        return Parts()
    found = check_overlap(main, threshold=max(study.method.threshold, 0.01), names=arm_names(table, main))
    check = Check(
        name="overlap",
        title="Overlap",
        null="Comparable units are found in every arm.",
        verdict=found.verdict,
        statistic="share of units without a counterpart",
        value=found.beyond,
        words=found.words,
        cannot_show="Overlap in what was not measured.",
    )
    title = "Overlap of the arms"
    figure = Figure.of(
        "overlap",
        title,
        f"Estimated propensities. {found.trimming}",
        f"Histograms of the propensity in each arm. {found.words}",
        draw_svg("overlap", found.plot),
    )
    return Parts(checks=(check,), figures=(figure,), tables=(_overlap_table(title, found),))


def _balance(table: Any, main: Any) -> Parts:
    from suppose.effects.balance import check_balance

    comparable = main.arms_ is not None or "treatment" in getattr(main, "nuisances_", {})
    if not comparable or not table.covariates:
        return Parts()
    groups = {name: columns for name, columns in table.sources.items() if len(columns) > 1}
    arms = arm_names(table, main) if main.arms_ is not None else None
    found = check_balance(main, table.X, groups=groups or None, arms=arms)
    check = Check(
        name="balance",
        title="Balance of covariates",
        null="The arms have the same covariates after weighting."
        if arms
        else "No covariate goes with what is left of the treatment.",
        verdict=found.verdict,
        statistic=f"largest {found.measure}",
        value=found.worst_after if np.isfinite(found.worst_after) else None,  # constant within each arm
        words=found.words,
        cannot_show="Balance of what was not measured, or of combinations of covariates.",
    )
    height = 1.2 + 0.3 * len(found.rows)
    svg = draw_svg("balance", found.plot, size=(6.2, min(height, 12.0)))
    caption = f"{found.measure[:1].upper()}{found.measure[1:]}, before and after adjustment."
    figure = Figure.of("balance", "Balance of covariates", caption, f"Love plot. {found.words}", svg)
    return Parts(checks=(check,), figures=(figure,), tables=(_balance_table(found),))


def _overlap_table(title: str, found: Any) -> Table:
    heads = {
        "arm": "arm",
        "n": "rows",
        "effective": "count as",
        "effective_share": "share",
        "largest_share": "largest weight",
        "own_min": "lowest propensity",
        "own_median": "median",
        "own_max": "highest",
    }
    return Table.from_frame("overlap", title, found.to_frame()[list(heads)].rename(columns=heads))


def _balance_table(found: Any) -> Table:
    heads = {"name": "covariate", "contrast": "contrast", "before": "difference before", "after": "after"}
    note = "Differences of means in standard deviations; ratios of variances."
    if found.measure.startswith("correlation"):
        heads, note = {**heads, "before": "correlation before"}, "Correlations with the treatment."
    else:
        heads |= {"ratio_before": "variance ratio before", "ratio_after": "after "}
    return Table.from_frame(
        "balance", "Balance", found.to_frame()[list(heads)].rename(columns=heads), note=note
    )


# -- refutations -------------------------------------------------------------------------------


def _refutations(study: Any, table: Any, method: str, steps: Steps) -> list[Parts]:
    from suppose.effects.refutation import refute

    parts = []
    for name in study.checks.refute:
        if name == "random-common-cause" and not table.covariates:
            continue

        def compute(name: str = name) -> Parts:
            found = refute(
                build_estimator(study, table, method),
                table.X,
                table.y,
                name,
                draws=study.checks.draws,
                seed=integer_seed(study.seed, "refute", name),
                jobs=study.run_options.jobs,
                backend=study.run_options.backend,
            )
            return Parts(checks=(_refutation_check(found),))

        parts.append(parts_step(steps, f"refute {name}", compute))
    return parts


def _refutation_check(found: Any) -> Check:
    return Check(
        name=found.name,
        title=found.title,
        null=found.null,
        verdict=found.verdict,
        statistic=found.statistic_name,
        value=found.statistic,
        p_value=found.p_value,
        words=found.words,
        cannot_show=found.cannot_show,
    )


def placebo_outcome_parts(study: Any, table: Any, method: str, steps: Steps) -> Parts:
    """The same analysis of an outcome the treatment cannot have changed, where one is named."""
    name = study.checks.placebo_outcome
    if name is None:
        return Parts()
    return parts_step(steps, "placebo outcome", lambda: _placebo_parts(study, table, method, name))


def _placebo_parts(study: Any, table: Any, method: str, name: str) -> Parts:
    effect = build_estimator(study, table, method).fit(table.X, table.placebo_outcome).effect_
    verdict: Verdict = "fails" if effect.p_value < 0.05 else "warns" if effect.p_value < 0.1 else "passes"
    low, high = format_number(effect.low, beside=effect.high), format_number(effect.high, beside=effect.low)
    size = f"{format_number(effect.estimate)} ({100 * effect.level:g}% interval {low} to {high})"
    words = {
        "fails": f"The same analysis finds an effect of {size} on {name}, which the treatment cannot have changed.",
        "warns": f"The same analysis finds {size} on {name}: close to an effect where there can be none.",
        "passes": f"The same analysis finds {size} on {name}: no sign of an effect where there can be none.",
    }[verdict]
    check = Check(
        name="placebo-outcome",
        title=f"Placebo outcome: {name}",
        null=f"The treatment has no effect on {name}.",
        verdict=verdict,
        statistic="effect on the placebo outcome",
        value=effect.estimate,
        p_value=effect.p_value,
        words=words,
        cannot_show=f"Confounding that acts on {study.roles.outcome} but not on {name}.",
    )
    return Parts(checks=(check,))


# -- hidden confounding ------------------------------------------------------------------------


def _sensitivity(study: Any, table: Any, method: str, main: Any, steps: Steps) -> Parts:
    if method not in ("plr", "aipw") or study.method.estimand == "ATO" or not table.covariates:
        return Parts()
    if not main.kept_.all():
        return Parts(
            notes=("Sensitivity to hidden confounding was left out: rows were dropped for overlap.",)
        )
    return parts_step(steps, "sensitivity", lambda: _sensitivity_parts(study, table, main))


def _sensitivity_parts(study: Any, table: Any, main: Any) -> Parts:
    from suppose.effects.sensitivity import check_sensitivity

    strength = study.checks.confounding
    found = check_sensitivity(
        main, table.X, table.y, benchmarks=_benchmark_groups(study, table), cf_y=strength, cf_d=strength,
        jobs=study.run_options.jobs,
    )  # fmt: skip
    check = _sensitivity_check(study, found)
    finding = Finding(
        name="robustness",
        label="Robustness value",
        estimate=100 * found.robustness,
        unit="% of remaining variation",
        method="omitted-variable bounds",
    )
    title, unit = "Effect under hidden confounding", unit_words(study, table)
    figure = Figure.of(
        "sensitivity",
        title,
        "The range of the effect (shaded: with sampling error) as a hidden "
        "confounder grows; it explains the same share of outcome and treatment.",
        f"Bounds of the effect against confounding strength. {check.words}",
        draw_svg("sensitivity", lambda ax: _draw_sensitivity(found, unit, ax)),
    )
    return Parts(
        findings=(finding,),
        checks=(check,),
        figures=(figure,),
        tables=(_sensitivity_table(title, found, strength),),
    )


def _benchmark_groups(study: Any, table: Any) -> dict[str, tuple[str, ...]]:
    """Columns of each covariate that serves as a benchmark: those named, or the first eight."""
    named = study.checks.benchmarks
    unknown = [name for name in named or () if name not in table.sources]
    if unknown:
        raise EstimationError(
            "unknown-benchmark",
            f"{unknown[0]!r} is not among the covariates",
            where="checks.benchmarks",
            remedy=f"Choose from {', '.join(table.sources)}.",
        )
    if len(table.sources) < 2:
        return {}
    return {name: table.sources[name] for name in (named if named is not None else tuple(table.sources)[:8])}


def _ranked(found: Any) -> list[Any]:
    """Benchmarks with bounds, the one that leaves the widest range first."""
    usable = [item for item in found.benchmarks if item.bounds and np.isfinite(item.bounds.low)]
    return sorted(usable, key=lambda item: item.bounds.low - item.bounds.high)


def _sensitivity_table(title: str, found: Any, strength: float) -> Table:
    columns = (
        "hidden confounder", "of outcome", "of treatment", "low", "high", "confidence low", "confidence high",
    )  # fmt: skip
    scenes = [(f"explains {strength:.0%} of both", found.bounds)]
    scenes += [(f"as strong as {item.label}", item.bounds) for item in _ranked(found)]
    rows = tuple(
        (name, b.cf_y, b.cf_d, b.low, b.high, b.confidence_low, b.confidence_high) for name, b in scenes
    )
    return Table(name="sensitivity", title=title, columns=columns, rows=rows)


def _sensitivity_check(study: Any, found: Any) -> Check:
    value, confident = found.robustness, found.robustness_confident
    words = (
        f"A hidden confounder explaining {value:.1%} of what is left of both treatment and outcome would bring the "
        f"estimate to zero, {confident:.1%} would bring the interval to zero."
    )
    if found.overturned_by:
        words += f" One as strong as {found.overturned_by[0]} would be enough."
    elif found.benchmarks:
        words += f" None as strong as {', '.join(item.label for item in _ranked(found)[:3])} would be."
    weak = found.overturned_by or confident < 0.01
    return Check(
        name="sensitivity",
        title="Hidden confounding",
        verdict="informs" if study.roles.randomised else "warns" if weak else "passes",
        words=words,
        value=value,
        null="No hidden confounder as strong as the measured ones turns the sign.",
        statistic="robustness value",
        cannot_show="Whether such a confounder exists.",
    )


def _draw_sensitivity(found: Any, unit: str, ax: Any) -> None:
    from suppose.effects.omitted_variable import bounds_at, confounding_strength

    benchmarks = _ranked(found)
    top = max([0.1, *(1.3 * max(item.cf_y, item.cf_d) for item in benchmarks)])
    share = np.linspace(0.0, min(top, 0.5), 100)
    bounds = bounds_at(found.elements, np.asarray(confounding_strength(share, share)), found.bounds.level)
    low, high, blue = bounds["confidence_low"], bounds["confidence_high"], PALETTE["blue"]
    ax.fill_between(100 * share, low, high, color=blue, alpha=0.15, linewidth=0)
    for side in ("low", "high"):
        ax.plot(100 * share, bounds[side], color=blue, linewidth=2)
    ax.axhline(0, color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)))
    for item in benchmarks[:3]:
        strength = 100 * float(np.sqrt(item.cf_y * item.cf_d))
        ax.axvline(strength, color=PALETTE["orange"], linewidth=1)
        ax.annotate(
            item.label, (strength, 0.98), xycoords=("data", "axes fraction"), rotation=90, va="top", ha="right",
            color=PALETTE["orange"], fontsize=9,
        )  # fmt: skip
    ax.set(xlabel="share of remaining variation the hidden confounder explains, %", ylabel=unit)
