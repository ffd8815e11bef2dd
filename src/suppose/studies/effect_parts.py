"""The parts of an effect answer: estimates side by side, then every attempt to break them.

Each function turns one piece of the effects room into findings, checks, tables and figures; the
heavy ones run as named steps, so that a killed run goes on where it was.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from suppose.core.answer import Check, Figure, Finding, Table, format_number
from suppose.core.errors import EstimationError, Refusal, SupposeWarning
from suppose.core.figures import draw_svg, forest
from suppose.core.random import integer_seed
from suppose.core.study import Steps
from suppose.effects.overlap import balancing_weights, measure_overlap
from suppose.studies.parts import Parts, fitted_step, parts_step

__all__ = ["Gathered", "gather"]

TITLES = {
    "aipw": "AIPW (doubly robust)",
    "plr": "Partially linear",
    "ipw": "Inverse probability weighting",
    "g-computation": "G-computation",
    "difference": "Unadjusted difference",
}


@dataclass(frozen=True)
class Gathered:
    """All parts of an answer, its sentence and its verdict."""

    parts: Parts
    sentence: str
    credibility: str
    credibility_words: str


def gather(study: Any, table: Any, steps: Steps) -> Gathered:
    """Compute every part of the answer of an effect study."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SupposeWarning)
        method = _method_name(study, table)
        main = fitted_step(steps, f"fit {method}", build_estimator(study, table, method), table.X, table.y)
        pieces = [
            _estimates(study, table, method, main, steps),
            _overlap(study, table, main),
            _balance(study, table, main),
            *_refutations(study, table, method, steps),
            _placebo_outcome(study, table, method, steps),
            _sensitivity(study, table, method, main, steps),
            _heterogeneity(study, table, method, steps),
            _graph(study, table),
        ]
    words = _distinct_words(caught)
    parts = Parts.joined(pieces) + Parts(notes=words)
    credibility, reason = _credibility(parts.checks)
    headline = next(finding for finding in parts.findings if finding.headline)
    return Gathered(parts, _sentence(study, table, main, headline, credibility), credibility, reason)


def _distinct_words(caught: list[warnings.WarningMessage]) -> tuple[str, ...]:
    """One warning of each kind: refits repeat theirs with slightly other counts."""
    kinds: dict[tuple[type, str], str] = {}
    for item in caught:
        if isinstance(item.message, SupposeWarning):
            text = str(item.message)
            kinds.setdefault((type(item.message), text.split(":")[0]), text)
    return tuple(kinds.values())


# -- estimators --------------------------------------------------------------------------------


def _method_name(study: Any, table: Any) -> str:
    name = study.method.name
    if name == "auto":
        return "plr" if table.kind == "continuous" else "aipw"
    if table.kind == "continuous" and name != "plr":
        raise EstimationError(
            "needs-arms",
            f"method {name!r} compares arms, but the treatment is continuous",
            where="method.name",
            remedy='Use name = "plr", or recode the treatment into a few values.',
        )
    if name in ("plr", "g-computation") and study.method.estimand == "ATO":
        raise EstimationError(
            "bad-estimand",
            f"method {name!r} does not estimate the ATO",
            where="method.estimand",
            remedy='Use name = "aipw" or "ipw".',
        )
    if name == "plr" and table.kind == "multi-valued":
        raise EstimationError(
            "needs-number",
            "the partially linear model needs two arms or a dose",
            where="method.name",
            remedy='Use name = "aipw", or say roles.treatment_type = "continuous".',
        )
    return str(name)


def build_estimator(study: Any, table: Any, method: str, *, covariates: tuple[str, ...] | None = None) -> Any:
    """The estimator of a method with the study's settings, not fitted."""
    from suppose import effects

    options = study.method
    outcome = options.outcome_learner or options.learner
    treatment = options.treatment_learner or options.learner
    shared: dict[str, Any] = {
        "treatment": table.treatment,
        "covariates": list(table.covariates if covariates is None else covariates),
        "cluster": table.cluster,
        "level": options.level,
    }
    split = {
        "folds": options.folds,
        "repeats": options.repeats,
        "seed": study.seed,
        "n_jobs": study.run_options.jobs,
    }
    arms = {"reference": table.reference, "estimand": options.estimand}
    overlap = {"overlap_rule": options.overlap_rule, "threshold": options.threshold}
    if method == "plr":
        return effects.PartiallyLinear(
            outcome_learner=outcome, treatment_learner=treatment, **shared, **split
        )
    if method == "aipw":
        return effects.Interactive(
            outcome_learner=outcome, propensity_learner=treatment, **shared, **split, **arms, **overlap
        )
    if method == "ipw":
        return effects.InverseProbability(propensity_learner=treatment, **shared, **split, **arms, **overlap)
    if method == "g-computation":
        return effects.GComputation(outcome_learner="linear", **shared, **arms, folds=1)
    return effects.DifferenceInMeans(
        table.treatment, cluster=table.cluster, reference=table.reference, level=options.level
    )


# -- estimates ---------------------------------------------------------------------------------


def _estimates(study: Any, table: Any, method: str, main: Any, steps: Steps) -> Parts:
    findings = list(_findings(study, table, main, method, headline=True))
    notes: list[str] = []
    for other in _alternatives(study, table, method):
        name = f"compare {other}"
        try:
            part = parts_step(steps, name, lambda other=other: _fit_findings(study, table, other))  # type: ignore[misc]
        except Refusal as refusal:
            notes.append(f"{TITLES[other]} was left out: {refusal.message}")
            continue
        findings += part.findings
    first = findings[: len(main.effects_)] + [
        f for f in findings[len(main.effects_) :] if f.name.endswith(":0")
    ]
    shown = [(f.label, f.estimate, f.low, f.high) for f in first]
    unit = _unit_words(study, table)
    height = 1.1 + 0.42 * len(shown)
    svg = draw_svg("estimates", lambda ax: forest(shown, unit=unit, ax=ax), size=(6.2, height))
    words = "; ".join(f"{label} {format_number(estimate)}" for label, estimate, _, _ in shown)
    level = f"{100 * study.method.level:g}%"
    figure = Figure.of(
        "estimates",
        "Estimates side by side",
        f"Points with {level} intervals; the answer is in blue.",
        f"Forest plot of estimates: {words}.",
        svg,
    )
    return Parts(
        findings=tuple(findings),
        figures=(figure,),
        notes=tuple(notes),
    )


def _alternatives(study: Any, table: Any, method: str) -> list[str]:
    if not study.method.compare or table.kind == "continuous":
        return []
    known = ["difference", "g-computation", "ipw", "plr", "aipw"]
    if not table.covariates:
        known = ["difference"]
    if table.kind == "multi-valued":
        known.remove("plr") if "plr" in known else None
    if study.method.estimand == "ATO":
        known = [name for name in known if name in ("difference", "ipw", "aipw")]
    return [name for name in known if name != method]


def _fit_findings(study: Any, table: Any, method: str) -> Parts:
    estimator = build_estimator(study, table, method).fit(table.X, table.y)
    return Parts(findings=tuple(_findings(study, table, estimator, method, headline=False)))


def _findings(study: Any, table: Any, estimator: Any, method: str, *, headline: bool) -> list[Finding]:
    several = len(estimator.effects_) > 1
    found = []
    for index, effect in enumerate(estimator.effects_):
        contrast = _contrast(table, effect.contrast)
        finite = np.isfinite(effect.standard_error)
        found.append(
            Finding(
                name=f"{method}:{index}" if not (headline and index == 0) else "effect",
                label=f"{TITLES[method]}, {contrast}" if several else TITLES[method],
                estimate=effect.estimate,
                level=effect.level if finite else None,
                unit=_unit_words(study, table),
                low=effect.low if finite else None,
                high=effect.high if finite else None,
                standard_error=effect.standard_error if finite else None,
                p_value=effect.p_value if finite else None,
                n=effect.n,
                method=effect.method,
                estimand=effect.estimand,
                headline=headline and index == 0,
            )
        )
    return found


def _contrast(table: Any, contrast: str) -> str:
    """A contrast in the user's own words for the arms."""
    left, middle, right = contrast.partition(" vs ")
    words = {f"{value:g}": label for value, label in table.labels.items()}
    return f"{words.get(left, left)} vs {words.get(right, right)}" if middle else contrast


def _unit_words(study: Any, table: Any) -> str:
    unit = study.roles.outcome_unit or study.roles.outcome
    return f"{unit} per unit of {study.roles.treatment}" if table.kind == "continuous" else unit


# -- overlap and balance -----------------------------------------------------------------------


def _coded(main: Any) -> np.ndarray:
    codes = np.zeros(len(main.treatment_), dtype=np.int64)
    for index, arm in enumerate(main.arms_):
        codes[main.treatment_ == arm] = index
    return codes


def _arm_names(table: Any, main: Any) -> tuple[str, ...]:
    return tuple(table.labels.get(float(arm), f"{arm:g}") for arm in main.arms_)


def _overlap(study: Any, table: Any, main: Any) -> Parts:
    if "propensity" not in getattr(main, "nuisances_", {}) or not table.covariates:
        return Parts()
    propensity = np.median(main.nuisances_["propensity"], axis=1)
    dropped = int((~main.kept_).sum())
    rule = f"Propensities below {study.method.threshold:g} were "
    rule += (
        "raised to it; no row was left out."
        if study.method.overlap_rule == "clip"
        else (
            f"a reason to leave rows out: {dropped:,} of {len(main.kept_):,} were, and the effect is that of the rest."
        )
    )
    found = measure_overlap(
        _coded(main),
        propensity,
        estimand=study.method.estimand,
        threshold=max(study.method.threshold, 0.01),
        names=_arm_names(table, main),
        trimming=rule,
        kept=main.kept_,
    )
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
        f"Estimated propensities. {rule}",
        f"Histograms of the propensity in each arm. {found.words}",
        draw_svg("overlap", found.plot),
    )
    return Parts(checks=(check,), figures=(figure,), tables=(_overlap_table(title, found),))


def _balance(study: Any, table: Any, main: Any) -> Parts:
    from suppose.effects.balance import measure_balance

    if main.arms_ is None or not table.covariates:
        return Parts()
    codes, weights = _coded(main), None
    if "propensity" in getattr(main, "nuisances_", {}):
        used = main.nuisances_.get("propensity_used", main.nuisances_["propensity"])
        weights = balancing_weights(codes, np.median(used, axis=1), study.method.estimand) * main.kept_
    groups = {name: columns for name, columns in table.sources.items() if len(columns) > 1}
    found = measure_balance(
        np.asarray(table.X[list(table.covariates)], dtype=float),
        codes,
        weights,
        names=table.covariates,
        arms=_arm_names(table, main),
        groups=groups or None,
        estimand=study.method.estimand,
    )
    check = Check(
        name="balance",
        title="Balance of covariates",
        null="The arms have the same covariates after weighting.",
        verdict=found.verdict,
        statistic=f"largest {found.measure}",
        value=found.worst_after,
        words=found.words,
        cannot_show="Balance of what was not measured, or of combinations of covariates.",
    )
    height = 1.2 + 0.3 * len(found.rows)
    svg = draw_svg("balance", found.plot, size=(6.2, min(height, 12.0)))
    figure = Figure.of(
        "balance",
        "Balance of covariates",
        "Standardised mean differences before and after weighting.",
        f"Love plot. {found.words}",
        svg,
    )
    frame = found.to_frame()
    return Parts(checks=(check,), figures=(figure,), tables=(_balance_table(frame),))


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


def _balance_table(frame: Any) -> Table:
    heads = {
        "name": "covariate",
        "contrast": "contrast",
        "before": "difference before",
        "after": "after",
        "ratio_before": "variance ratio before",
        "ratio_after": "after ",
    }
    note = "Differences of means in standard deviations; ratios of variances."
    return Table.from_frame("balance", "Balance", frame[list(heads)].rename(columns=heads), note=note)


# -- attempts to break it ------------------------------------------------------------------------


def _refutations(study: Any, table: Any, method: str, steps: Steps) -> list[Parts]:
    from suppose.effects.refutation import refute

    parts = []
    for name in study.checks.refute:
        if name != "placebo-treatment" and not table.covariates and name == "random-common-cause":
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


def _placebo_outcome(study: Any, table: Any, method: str, steps: Steps) -> Parts:
    name = study.checks.placebo_outcome
    if name is None:
        return Parts()
    return parts_step(steps, "placebo outcome", lambda: _placebo_parts(study, table, method, name))


def _placebo_parts(study: Any, table: Any, method: str, name: str) -> Parts:
    effect = build_estimator(study, table, method).fit(table.X, table.placebo_outcome).effect_
    verdict = "fails" if effect.p_value < 0.05 else "warns" if effect.p_value < 0.1 else "passes"
    interval = (
        f"{format_number(effect.low, beside=effect.high)} to {format_number(effect.high, beside=effect.low)}"
    )
    size = f"{format_number(effect.estimate)} ({100 * effect.level:g}% interval {interval})"
    words = (
        f"The same analysis finds an effect of {size} on {name}, which the treatment cannot have changed."
        if verdict == "fails"
        else f"The same analysis finds {size} on {name}: no sign of an effect where there can be none."
    )
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


def _elements(study: Any, main: Any, method: str) -> Any:
    from suppose.effects.omitted_variable import interactive_elements, partially_linear_elements

    theta, psi = np.asarray(main.theta_by_repeat_)[:, 0], main.psi_[:, :, 0]
    clusters = None if main.clusters_ is None else np.asarray(main.clusters_, dtype=np.int64)
    if method == "plr":
        nuisances = main.nuisances_
        return partially_linear_elements(
            main.outcome_, main.treatment_, nuisances["outcome"], nuisances["treatment"], theta, psi, clusters
        )
    return interactive_elements(
        main.outcome_,
        _coded(main),
        main.nuisances_["outcome"],
        main.nuisances_["propensity_used"],
        theta,
        psi,
        estimand=study.method.estimand,
        clusters=clusters,
    )


def _sensitivity(study: Any, table: Any, method: str, main: Any, steps: Steps) -> Parts:
    if method not in ("plr", "aipw") or study.method.estimand == "ATO" or not table.covariates:
        return Parts()
    if not main.kept_.all():
        return Parts(
            notes=("Sensitivity to hidden confounding was left out: rows were dropped for overlap.",)
        )
    from suppose.effects.omitted_variable import omitted_variable_bounds, robustness_values

    elements = _elements(study, main, method)
    strength, level = study.checks.confounding, study.method.level
    bounds = omitted_variable_bounds(elements, cf_y=strength, cf_d=strength, level=level)
    value, value_ci = robustness_values(elements, level=level)
    benchmarks = _benchmarks(study, table, method, elements, steps)
    rows: list[tuple[Any, ...]] = [
        (
            f"explains {strength:.0%} of both",
            strength,
            strength,
            bounds.low,
            bounds.high,
            bounds.confidence_low,
            bounds.confidence_high,
        )
    ]
    rows += [
        (
            f"as strong as {item.label}",
            item.cf_y,
            item.cf_d,
            item.bounds.low,
            item.bounds.high,
            item.bounds.confidence_low,
            item.bounds.confidence_high,
        )
        for item in benchmarks
    ]
    columns = (
        "hidden confounder",
        "of outcome",
        "of treatment",
        "low",
        "high",
        "confidence low",
        "confidence high",
    )
    unit = _unit_words(study, table)
    finding = Finding(
        name="robustness",
        label="Robustness value",
        estimate=100 * value,
        unit="% of remaining variation",
        method="omitted-variable bounds",
    )
    check = _sensitivity_check(study, benchmarks, value, value_ci)
    title = "Effect under hidden confounding"
    svg = draw_svg("sensitivity", lambda ax: _draw_sensitivity(elements, benchmarks, level, unit, ax))
    figure = Figure.of(
        "sensitivity",
        title,
        "The range of the effect (shaded: with sampling error) as a hidden "
        "confounder grows; it explains the same share of outcome and treatment.",
        f"Bounds of the effect against confounding strength. {check.words}",
        svg,
    )
    return Parts(
        findings=(finding,),
        checks=(check,),
        figures=(figure,),
        tables=(Table(name="sensitivity", title=title, columns=columns, rows=tuple(rows)),),
    )


def _sensitivity_check(study: Any, benchmarks: list[Any], value: float, value_ci: float) -> Check:
    strongest = [item for item in benchmarks if item.bounds.low <= 0 <= item.bounds.high]
    words = (
        f"A hidden confounder explaining {value:.1%} of what is left of both treatment and outcome would bring the "
        f"estimate to zero, {value_ci:.1%} would bring the interval to zero."
    )
    if strongest:
        words += f" One as strong as {strongest[0].label} would be enough."
    elif benchmarks:
        words += f" None as strong as {', '.join(item.label for item in benchmarks[:3])} would be."
    verdict = "informs" if study.roles.randomised else "warns" if strongest or value_ci < 0.01 else "passes"
    return Check(
        name="sensitivity",
        title="Hidden confounding",
        verdict=verdict,
        words=words,
        value=value,
        null="No hidden confounder as strong as the measured ones turns the sign.",
        statistic="robustness value",
        cannot_show="Whether such a confounder exists.",
    )


def _benchmarks(study: Any, table: Any, method: str, elements: Any, steps: Steps) -> list[Any]:
    from suppose.effects.omitted_variable import BiasBounds, benchmark_gains, omitted_variable_bounds

    names = study.checks.benchmarks if study.checks.benchmarks is not None else tuple(table.sources)[:8]
    unknown = [name for name in names if name not in table.sources]
    if unknown:
        raise EstimationError(
            "unknown-benchmark",
            f"{unknown[0]!r} is not among the covariates",
            where="checks.benchmarks",
            remedy=f"Choose from {', '.join(table.sources)}.",
        )
    variance, found = float(np.var(table.y)), []
    for name in names if len(table.sources) > 1 else ():
        rest = tuple(column for column in table.covariates if column not in table.sources[name])
        short = fitted_step(
            steps, f"without {name}", build_estimator(study, table, method, covariates=rest), table.X, table.y
        )
        gains = benchmark_gains(elements, _elements(study, short, method), variance, [name])
        if gains.cf_d >= 1.0:
            continue
        bounds: BiasBounds = omitted_variable_bounds(
            elements, cf_y=gains.cf_y, cf_d=gains.cf_d, level=study.method.level
        )
        found.append(type(gains)(gains.names, gains.cf_y, gains.cf_d, gains.rho, gains.delta_theta, bounds))
    return sorted(found, key=lambda item: item.bounds.low - item.bounds.high)


def _draw_sensitivity(elements: Any, benchmarks: list[Any], level: float, unit: str, ax: Any) -> None:
    from suppose.core.figures import PALETTE
    from suppose.effects.omitted_variable import bounds_at, confounding_strength

    top = max([0.1, *(1.3 * max(item.cf_y, item.cf_d) for item in benchmarks)])
    share = np.linspace(0.0, min(top, 0.5), 100)
    bounds = bounds_at(elements, np.asarray(confounding_strength(share, share)), level)
    ax.fill_between(
        100 * share,
        bounds["confidence_low"],
        bounds["confidence_high"],
        color=PALETTE["blue"],
        alpha=0.15,
        linewidth=0,
    )
    ax.plot(100 * share, bounds["low"], color=PALETTE["blue"], linewidth=2)
    ax.plot(100 * share, bounds["high"], color=PALETTE["blue"], linewidth=2)
    ax.axhline(0, color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)))
    for item in benchmarks[:3]:
        strength = float(np.sqrt(item.cf_y * item.cf_d))
        ax.axvline(100 * strength, color=PALETTE["orange"], linewidth=1)
        ax.annotate(
            item.label,
            (100 * strength, 0.98),
            xycoords=("data", "axes fraction"),
            rotation=90,
            va="top",
            ha="right",
            color=PALETTE["orange"],
            fontsize=9,
        )
    ax.set(xlabel="share of remaining variation the hidden confounder explains, %", ylabel=unit)


# -- who gains -------------------------------------------------------------------------------------


def _heterogeneity(study: Any, table: Any, method: str, steps: Steps) -> Parts:
    ready = (
        table.kind == "binary" and method == "aipw" and study.method.estimand == "ATE" and table.covariates
    )
    if not study.checks.heterogeneity or not ready:
        return Parts()
    try:
        return parts_step(steps, "heterogeneity", lambda: _heterogeneity_parts(study, table))
    except Refusal as refusal:
        return Parts(notes=(f"Differences between groups were left out: {refusal.message}",))


def _heterogeneity_parts(study: Any, table: Any) -> Parts:
    from suppose.effects.effect_summaries import best_linear_projection, group_effects
    from suppose.effects.heterogeneity import DRLearner

    options = study.method
    learner = DRLearner(
        treatment=table.treatment,
        covariates=list(table.covariates),
        cluster=table.cluster,
        outcome_learner=options.outcome_learner or options.learner,
        propensity_learner=options.treatment_learner or options.learner,
        overlap_rule="clip",
        threshold=options.threshold,
        folds=options.folds,
        level=options.level,
        seed=study.seed,
        n_jobs=study.run_options.jobs,
    ).fit(table.X, table.y)
    quantiles = group_effects(learner, table.X, table.y, groups=4 if len(table.y) >= 200 else 2)
    linear = best_linear_projection(learner, table.X)
    unit = _unit_words(study, table)

    def draw(ax: Any) -> None:
        quantiles.plot(ax=ax).set_xlabel(unit)

    figure = Figure.of(
        "groups",
        "Effect by predicted effect",
        quantiles.words,
        f"Mean effect in groups sorted by their predicted effect. {quantiles.words}",
        draw_svg("groups", draw),
    )
    keep = ["name", "estimate", "low", "high", "p_holm", "n"]
    return Parts(
        figures=(figure,),
        notes=(quantiles.words, linear.words),
        tables=(
            Table.from_frame("groups", "Effect in groups", quantiles.to_frame()[keep]),
            Table.from_frame("projection", "How the effect goes with covariates", linear.to_frame()[keep]),
        ),
    )


def _graph(study: Any, table: Any) -> Parts:
    if study.roles.graph is None:
        return Parts()
    from suppose.graphs import DAG

    dag = DAG.parse(study.roles.graph).replace(
        treatment=[study.roles.treatment], outcome=[study.roles.outcome], adjusted=list(study.adjustment())
    )
    words = f"Adjusted for: {', '.join(study.adjustment()) or 'nothing'}."
    return Parts(
        figures=(
            Figure.of(
                "graph", "The graph assumed", words, f"Causal graph: {dag.text}. {words}", dag.to_svg()
            ),
        )
    )


# -- words -----------------------------------------------------------------------------------------


def _credibility(checks: tuple[Check, ...]) -> tuple[str, str]:
    """Verdict over all checks, and the reason in words: the rule stated in the study kind's docstring."""
    failed = [check.title.lower() for check in checks if check.verdict == "fails"]
    warned = [check.title.lower() for check in checks if check.verdict == "warns"]
    if failed:
        return "not credible", f"This comparison does not stand as an effect: {_listed(failed)} failed."
    if warned:
        return "doubtful", f"Read with care: {_listed(warned)} gave a warning."
    if not checks:
        return "not judged", "No check was made."
    return "credible", "No check found a fault; what the checks cannot show is said beside each."


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _sentence(study: Any, table: Any, main: Any, finding: Finding, credibility: str) -> str:
    roles, unit = study.roles, study.roles.outcome_unit
    outcome = roles.outcome_label or roles.outcome
    size = f"{finding.estimate_words().removeprefix('-')}{f' {unit}' if unit else ''}"
    verb = "higher" if finding.estimate >= 0 else "lower"
    interval = f" ({finding.interval_words()})" if finding.low is not None else ""
    change = f"average {outcome} would be {size} {verb}{_population(study, table)}"
    text = f"{_condition(study, table, main)}, {change}{interval}"
    undecided = finding.low is not None and finding.high is not None and finding.low <= 0 <= finding.high
    text += "; the data do not settle the direction." if undecided else "."
    if credibility == "not credible":
        return (
            f"The comparison cannot be trusted as an effect. Taken at face value: {text[0].lower()}{text[1:]}"
        )
    return text


def _condition(study: Any, table: Any, main: Any) -> str:
    roles = study.roles
    if table.kind == "continuous":
        return f"With {roles.treatment_label or roles.treatment} one unit higher"
    arms = _arm_names(table, main)
    if roles.treatment_label and len(arms) == 2:
        return f"With {roles.treatment_label}"
    return f"With {roles.treatment} = {arms[1]} rather than {arms[0]}"


def _population(study: Any, table: Any) -> str:
    if table.kind == "continuous":
        return ""
    return {"ATE": "", "ATT": " among the treated", "ATO": " among those who could have gone either way"}[
        study.method.estimand
    ]
