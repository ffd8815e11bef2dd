"""The estimators of an effect study, and their estimates side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from suppose.core.answer import Figure, Finding, format_number
from suppose.core.cost import Cost, peak_memory, resident_memory
from suppose.core.errors import EstimationError, Refusal
from suppose.core.figures import draw_svg, forest
from suppose.core.study import Steps
from suppose.studies.effect_network import build_network, network_cost
from suppose.studies.effect_words import TITLES, contrast_words, unit_words
from suppose.studies.parts import Parts, parts_step

__all__ = ["build_estimator", "estimates", "method_name", "plan"]


def method_name(study: Any, table: Any) -> str:
    """The method a study asks for; refuses one that cannot answer for this kind of treatment."""
    name = study.method.name
    if name == "auto":
        return "plr" if table.kind == "continuous" else "aipw"
    if table.kind == "continuous" and name not in ("plr", "transtee"):
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

    if method == "transtee":
        return build_network(study, table, covariates)
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


def plan(study: Any, table: Any) -> Cost:
    """What the study will take: its main fit, those beside it, and the refits of its checks."""
    from suppose.effects.memory import fit_count, fit_memory

    if study.method.name == "transtee":
        return network_cost(study, table)
    rows, columns = len(table.y), len(table.covariates)
    arms = 0 if table.kind == "continuous" else len(np.unique(table.X[table.treatment]))
    main = build_estimator(study, table, method_name(study, table))
    beside = [
        build_estimator(study, table, name) for name in alternatives(study, table, method_name(study, table))
    ]
    checks, once = study.checks, fit_count(main, arms)
    named = checks.benchmarks if checks.benchmarks is not None else tuple(table.sources)[:8]
    refits = len(checks.refute) * checks.draws + (checks.placebo_outcome is not None) + len(named)
    refits += bool(checks.heterogeneity and arms == 2)
    fits = once * (1 + refits) + sum(fit_count(item, arms) for item in beside)
    largest = max(fit_memory(item, rows, columns, arms) for item in (main, *beside))
    held = int(1.4 * rows * (columns + 20) * 8) if beside or refits else 0  # the main fit while others run
    memory = max(resident_memory() + largest + held, peak_memory() or 0)
    return Cost(memory=memory, fits=fits, rows=rows, held=memory - largest - held)


# -- estimates ---------------------------------------------------------------------------------


def estimates(study: Any, table: Any, method: str, main: Any, steps: Steps) -> Parts:
    """The answer's estimate, the simpler ones beside it, and their figure."""
    findings = list(_findings(study, table, main, method, headline=True))
    notes: list[str] = []
    for other in alternatives(study, table, method):
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
    unit = unit_words(study, table)
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


def alternatives(study: Any, table: Any, method: str) -> list[str]:
    """Methods whose estimates stand beside the answer's."""
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
        contrast = contrast_words(table, effect.contrast)
        # No spread at all (one outcome in both arms) is no certainty: such an estimate has no interval.
        finite = np.isfinite(effect.standard_error) and effect.standard_error > 0
        found.append(
            Finding(
                name=f"{method}:{index}" if not (headline and index == 0) else "effect",
                label=f"{TITLES[method]}, {contrast}" if several else TITLES[method],
                estimate=effect.estimate,
                level=effect.level if finite else None,
                unit=unit_words(study, table),
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
