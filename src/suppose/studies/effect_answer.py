"""The answer of an effect study: estimates side by side, attempts to break them, who gains, the graph.

Heavy pieces run as named steps, so that a killed run goes on where it was.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from suppose.core.answer import Credibility, Figure, Table
from suppose.core.errors import EstimationError, Refusal, SupposeWarning
from suppose.core.figures import draw_svg
from suppose.core.study import Steps
from suppose.studies.effect_checks import all_checks
from suppose.studies.effect_estimators import build_estimator, estimates, method_name
from suppose.studies.effect_neural import neural_parts, neural_sentence
from suppose.studies.effect_words import sentence, unit_words
from suppose.studies.parts import Parts, fitted_step, parts_step
from suppose.studies.verdict import credibility

__all__ = ["Gathered", "gather"]


@dataclass(frozen=True)
class Gathered:
    """All parts of an answer, its sentence and its verdict."""

    parts: Parts
    sentence: str
    credibility: Credibility
    credibility_words: str


def gather(study: Any, table: Any, steps: Steps) -> Gathered:
    """Compute every part of the answer of an effect study."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SupposeWarning)
        method = method_name(study, table)
        if method == "transtee":
            main, pieces = neural_parts(study, table, steps)
            say = neural_sentence
        else:
            main = fitted_step(
                steps, f"fit {method}", build_estimator(study, table, method), table.X, table.y
            )
            _refuse_no_spread(main)
            pieces = [
                estimates(study, table, method, main, steps),
                *all_checks(study, table, method, main, steps),
                _heterogeneity(study, table, method, steps),
            ]
            say = sentence
    parts = Parts.joined([*pieces, _graph(study)]) + Parts(notes=_distinct_words(caught))
    verdict, reason = credibility(parts.checks)
    headline = next(finding for finding in parts.findings if finding.headline)
    return Gathered(parts, say(study, table, main, headline, verdict), verdict, reason)


def _refuse_no_spread(main: Any) -> None:
    """A standard error of zero is no certainty: the rows compared all have one outcome."""
    if main.effect_.standard_error == 0:
        raise EstimationError(
            "no-spread",
            f"the outcome does not vary within the arms compared ({main.effect_.contrast})",
            where="roles.outcome",
            remedy="Add rows, or name an outcome that varies within each arm.",
        )


def _distinct_words(caught: list[warnings.WarningMessage]) -> tuple[str, ...]:
    """One warning of each kind: refits repeat theirs with slightly other counts."""
    kinds: dict[tuple[type, str], str] = {}
    for item in caught:
        if isinstance(item.message, SupposeWarning):
            text = str(item.message)
            kinds.setdefault((type(item.message), text.split(":")[0]), text)
    return tuple(kinds.values())


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
    unit = unit_words(study, table)

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


# -- the graph -------------------------------------------------------------------------------------


def _graph(study: Any) -> Parts:
    if study.roles.graph is None:
        return Parts()
    from suppose.graphs import DAG

    dag = DAG.parse(study.roles.graph).replace(
        treatment=[study.roles.treatment], outcome=[study.roles.outcome], adjusted=list(study.adjustment())
    )
    words = f"Adjusted for: {', '.join(study.adjustment()) or 'nothing'}."
    alt = f"Causal graph: {dag.text}. {words}"
    return Parts(figures=(Figure.of("graph", "The graph assumed", words, alt, dag.to_svg()),))
