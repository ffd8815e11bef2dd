"""The argument of an identification, drawn: graph, formula, steps; or the hedge and what would help."""

from __future__ import annotations

from typing import Any

from suppose.core.answer import Figure, Table
from suppose.studies.intervention_figures import Panel, formula_svg, graph_svg, panels_svg
from suppose.studies.parts import Parts
from suppose.studies.verdict import listed

__all__ = ["argument", "hedge_parts"]

MOST_PANELS = 12
DRAWN = 40  # nodes beyond which a graph is told in words only
KINDS = {
    "unadjusted": "What is observed answers: nothing acts on both what is set and the outcome.",
    "back-door": "An adjustment: the outcome within groups of {}, averaged over how common the groups are.",
    "front-door": "The front door: what is set acts through {}, and the hidden causes do not reach there.",
    "other": "Neither an adjustment nor a front door, but a formula all the same.",
}


def argument(study: Any, table: Any, estimand: Any) -> Parts:
    """Graph, formula and derivation of an identified question."""
    kind = KINDS[estimand.kind].format(listed(estimand.mediators or estimand.adjustment or ("nothing",)))
    formula = Figure.of(
        "formula", f"The formula for {estimand.query}", kind, str(estimand),
        formula_svg(f"{estimand.query.latex()} = {estimand.latex()}", str(estimand)),
    )  # fmt: skip
    notes: tuple[str, ...] = (kind,)
    if estimand.irrelevant:
        notes += (
            f"The formula holds {listed(estimand.irrelevant)} at any value; the number is the mean over their values.",
        )
    figures = (
        *_graph(study, table, estimand.adjustment),
        formula,
        *_derivation(estimand, "The argument, step by step"),
    )
    return Parts(figures=figures, tables=(_steps(estimand),), notes=notes)


def hedge_parts(study: Any, table: Any, result: Any) -> Parts:
    """Graph, hedge and remedies of a question that the table cannot answer."""
    hedge = result.hedge
    inside = [name for name in hedge.inner.nodes if name not in hedge.roots]
    caption = (
        f"{result.reason} The ends ({listed(hedge.roots)}) are where the two worlds differ; dashed lines are hidden "
        "common causes."
    )
    drawing = Figure.of(
        "hedge", "Why the table cannot tell: a hedge", caption, str(hedge),
        graph_svg(hedge.outer.graph, treatment=hedge.interventions, outcome=hedge.roots, adjusted=inside),
    )  # fmt: skip
    figures = (*_graph(study, table, ()), drawing, *_derivation(result, "The argument, up to where it stops"))
    return Parts(figures=figures, tables=(_remedies(result), _steps(result)), notes=(result.reason,))


def _graph(study: Any, table: Any, adjusted: tuple[str, ...]) -> tuple[Figure, ...]:
    dag = table.graph
    if len(dag) > DRAWN:
        return ()
    marked = dag.replace(
        treatment=list(study.query.do), outcome=[study.query.outcome], adjusted=list(adjusted)
    )
    return (Figure.of(
        "graph", "The graph that the answer rests on",
        "What is set and what is asked are framed; dashed lines and boxes were not measured.",
        f"Causal graph: {dag.text}", marked.to_svg(),
    ),)  # fmt: skip


def _derivation(result: Any, title: str) -> tuple[Figure, ...]:
    """The steps as panels: name of the rule, why, the graph at this place, the formula found."""
    panels: list[Panel] = []
    for number, step in enumerate(result.steps[:MOST_PANELS], 1):
        small = len(step.graph) <= DRAWN // 2
        drawing = step.graph.to_svg(legend=False) if small else ""
        shown = step.formula is not None and step.formula != step.query
        latex = f"{step.query.latex()} = {step.formula.latex()}" if shown else step.query.latex()
        about = f", for {listed(step.part)}" if step.part else ""
        panels.append((f"{number}. {step.name}{about}", step.reason, drawing, latex))
    if not panels:
        return ()
    rest = len(result.steps) - len(panels)
    caption = "Each step says which rule applies and why, on the graph that is left at that place."
    caption += f" {rest} further steps stand in the table." if rest > 0 else ""
    return (Figure.of("derivation", title, caption, result.explain(), panels_svg(panels, result.explain())),)


def _steps(result: Any) -> Table:
    rows = tuple(
        (number, step.name, step.reason, "" if step.formula is None else f"{step.query} = {step.formula}")
        for number, step in enumerate(result.steps, 1)
    )
    note = "Rules 1 to 7 of ID (Shpitser & Pearl 2006), of IDC for questions about a group."
    return Table(
        name="derivation",
        title="The argument as a table",
        columns=("step", "rule", "why", "formula"),
        rows=rows,
        note=note,
    )


def _remedies(result: Any) -> Table:
    """Single changes that would let a table answer, each checked by identification itself."""
    rows = tuple(
        (
            remedy.words,
            "the groups of the experiment answer" if remedy.estimand is None else str(remedy.estimand),
        )
        for remedy in result.remedies()
    )
    note = (
        "Each change alone, checked by identification."
        if rows
        else "No single change would; two or more are needed."
    )
    return Table(
        name="remedies",
        title="What would make it answerable",
        columns=("change", "then"),
        rows=rows,
        note=note,
    )
