"""The laws on the 23 scenarios of Crafter, all three ways to count variants, with the paper's table beside."""

from __future__ import annotations

from typing import Any

from suppose.core.answer import Figure, Finding, Table
from suppose.core.figures import draw_svg
from suppose.studies.parts import Parts
from suppose.worlds.laws.evaluation import MODES, Comparison, evaluate_world_model
from suppose.worlds.laws.reported import BY_SCENARIO, TABLE

__all__ = ["by_scenario_table", "modes_table", "rank_table", "scenarios_compared"]


def scenarios_compared(study: Any, found: Any) -> Parts:
    """Every model of the study on Crafter's scenarios."""
    from suppose.studies.world_parts import OURS, rivals

    compared = evaluate_world_model(
        rivals(found), trials=study.checks.trials, seed=study.seed, jobs=study.run_options.jobs
    )
    mean = {mode: compared.restricted(mode)[OURS].mean() for mode in MODES}
    return Parts(
        findings=tuple(
            Finding(
                name=f"scenarios-{mode}",
                label=f"MRR on 23 scenarios, variants {mode!r}",
                estimate=mean[mode]["mrr"],
            )
            for mode in MODES
        ),
        tables=(modes_table(compared), by_scenario_table(compared), rank_table(compared)),
        figures=(
            Figure.of(
                "scenario-ranks",
                "Rank of the true next state in the scenarios",
                "Shares of ranks over 23 scenarios, both variants.",
                f"The laws put the truth first in {mean['both']['rank@1']:.0%} of the cases.",
                draw_svg("scenario-ranks", compared.plot, size=(6.2, 3.4)),
            ),
        ),
    )


def modes_table(compared: Comparison) -> Table:
    """Every model under every way to count variants, with the paper's figures for the released way."""
    rows = []
    for mode in MODES:
        for _, row in compared.restricted(mode).to_frame().iterrows():
            paper = TABLE.get(row["model"]) if mode == "released" else None
            rows.append((
                mode, row["model"], row["rank@1"], row["mrr"], row["sd of mrr"], row["raw"], row["normalised"],
                f"{paper[0]:.3f}, {paper[1]:.3f}, {paper[2]:g}, {paper[3]:g}" if paper else None,
            ))  # fmt: skip
    return Table(
        name="scenarios",
        title="23 scenarios",
        columns=(
            "variants",
            "model",
            "rank@1",
            "MRR",
            "sd",
            "edits",
            "per leaf",
            "paper: rank@1, MRR, edits, per leaf",
        ),
        rows=tuple(rows),
        note=(
            "released: the last variant of each scenario, mostly the failing one, as the paper's code counted; both: "
            "succeeding and failing; success: succeeding alone. The paper's laws come from a language model and "
            "another life, so its figures stand beside ours and are no target."
        ),
    )


def by_scenario_table(compared: Comparison) -> Table:
    """Reciprocal ranks by scenario, with those read off the paper's figure."""
    from suppose.studies.world_parts import EXPERTS, OURS, STILL

    parts = {mode: compared.restricted(mode).by_scenario() for mode in ("both", "released")}
    both, released = parts["both"].set_index("scenario"), parts["released"].set_index("scenario")
    rows = tuple(
        (name, *(float(both.loc[name, model]) for model in (OURS, EXPERTS, STILL)),
         *(float(released.loc[name, model]) for model in (OURS, EXPERTS)), *BY_SCENARIO.get(name, (None, None)))
        for name in both.index
    )  # fmt: skip
    return Table(
        name="by-scenario",
        title="Mean reciprocal rank by scenario",
        columns=(
            "scenario",
            "laws",
            "experts",
            "nothing",
            "released: laws",
            "experts ",
            "paper: OneLife",
            "PoE-World",
        ),
        rows=rows,
        note="The paper's figures were read off its figure (released variants), to about 0.01.",
    )


def rank_table(compared: Comparison) -> Table:
    """Histogram of ranks of every model."""
    histograms = {evaluation.model: evaluation.histogram() for evaluation in compared.evaluations}
    most = max(len(shares) for shares in histograms.values())
    rows = tuple(
        (rank + 1, *(float(shares[rank]) if rank < len(shares) else 0.0 for shares in histograms.values()))
        for rank in range(most)
    )
    return Table(
        name="ranks",
        title="Ranks of the true next state, share of each",
        columns=("rank", *histograms),
        rows=rows,
    )
