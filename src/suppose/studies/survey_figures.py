"""Figures of a survey answer: ways side by side, tipping curve, bias against the split, beliefs, means, graph."""

from __future__ import annotations

from typing import Any

from suppose.core.answer import Figure, Table, format_number
from suppose.core.figures import PALETTE, draw_svg, forest
from suppose.graphs.drawing import MAX_NODES
from suppose.studies.parts import Parts
from suppose.studies.survey_words import LABELS, slope_unit

__all__ = ["contrast_figures", "graph_figure", "slope_figures"]


def slope_figures(work: Any) -> Parts:
    """The ways side by side, the tipping curve, bias against the split, and the draws of beliefs."""
    parts: Parts = Parts.joined([_ways(work), _tipping(work), _split(work), _draws(work)])
    return parts


def _ways(work: Any) -> Parts:
    rows = [(name, LABELS[name], e.estimate, e.low, e.high) for name, e in work.model.estimates().items()]
    if work.bias is not None:
        rows.append(("bias", LABELS["bias"], work.bias.median, work.bias.low, work.bias.high))
    emphasis = next((k for k, row in enumerate(rows) if row[0] == work.plan.way), -1)
    shown = [row[1:] for row in rows]
    words = "; ".join(f"{label} {format_number(value)}" for _, label, value, _, _ in rows)
    level = f"{100 * work.study.method.level:g}%"

    def draw(ax: Any) -> None:
        forest(shown, unit=slope_unit(work.study), reference=0.0, emphasis=emphasis, ax=ax)

    return Parts(figures=(Figure.of(
        "ways", "Ways of dealing with the mode",
        f"Slopes with {level} intervals; in colour: the way this answer goes.", f"Slopes by way: {words}.",
        draw_svg("ways", draw, (6.4, 1.2 + 0.38 * len(rows))),
    ),))  # fmt: skip


def _tipping(work: Any) -> Parts:
    curve = work.tipping
    plane = len(curve.shift_exposure) > 1 and len(curve.shift_outcome) > 1
    x, y = work.believed["exposure"], work.believed["outcome"]

    def draw(ax: Any) -> None:
        curve.plot(ax)
        if plane and work.priors:
            ax.plot([x], [y], "D", color=PALETTE["purple"], markersize=7, label="believed")
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=3)

    how = "areas: what the interval says of the slope" if plane else "band: interval of the slope"
    diamond = " Diamond: the shifts believed." if plane and work.priors else ""
    figure = Figure.of(
        "tipping", "How far the mode would have to move answers",
        f"The slope once shifts of the other mode are taken back, without holding the mode fixed; {how}.{diamond} "
        f"{curve.words}",
        f"Tipping curve over shifts of the other mode's answers. {curve.words}",
        draw_svg("tipping", draw, (6.2, 4.6 if plane else 3.6)),
    )  # fmt: skip
    return Parts(figures=(figure,), tables=(_tipping_table(curve),))


def _tipping_table(curve: Any) -> Table:
    rows = []
    for what, tip, sign in (
        ("exposure", curve.tips_exposure, curve.sign_exposure), ("outcome", curve.tips_outcome, curve.sign_outcome)
    ):  # fmt: skip
        shifts = curve.shift_exposure if what == "exposure" else curve.shift_outcome
        if len(shifts) > 1:
            rows.append((what, float(shifts[0]), float(shifts[-1]), tip, sign))
    columns = ("answer moved alone", "from", "to", "interval's verdict changes at", "sign changes at")
    note = "Shift of the other mode's answers, nearest zero; empty where nothing changes in the range tried."
    return Table(
        name="tipping", title="Shifts that change the finding", columns=columns, rows=tuple(rows), note=note
    )


def _split(work: Any) -> Parts:
    """Slopes at other shares of the other mode, for shifts believed; of slopes alone."""
    scaled = any(work.believed[f"{name}_scale"] != 1.0 for name in ("exposure", "outcome"))
    if work.study.method.model != "linear" or not work.priors or scaled:
        return Parts()
    x, y = work.believed["exposure"], work.believed["outcome"]
    curve = work.model.split_curve(shift_exposure=x, shift_outcome=y)
    return Parts(figures=(Figure.of(
        "split", "Bias against the mode split",
        f"Slopes had another share answered in the other mode, selection into it as strong as here, answers moved by "
        f"{format_number(x)} (exposure) and {format_number(y)} (outcome).",
        f"Two curves over the share of the other mode and a level line. {str(curve).capitalize()}.",
        draw_svg("split", curve.plot, (6.2, 4.0)),
    ),))  # fmt: skip


def _draws(work: Any) -> Parts:
    figures = []
    if work.bias is not None:
        found = work.bias
        words = f"median {format_number(found.median)}, as recorded {format_number(found.naive)}"
        figures.append(Figure.of(
            "beliefs", "Slopes the beliefs allow", f"{len(found.values):,} draws of shifts, sampling error included.",
            f"Histogram of draws: {words}.", draw_svg("beliefs", found.plot, (6.2, 3.4)),
        ))  # fmt: skip
    if work.rates is not None:
        found = work.rates
        words = f"median {format_number(found.median)}, as recorded {format_number(found.naive)}"
        figures.append(Figure.of(
            "rates", "Effects the error rates allow",
            f"{len(found.values):,} draws with whole tables; {found.rejected:,} were impossible.",
            f"Histogram of draws: {words}.", draw_svg("rates", found.plot, (6.2, 3.4)),
        ))  # fmt: skip
    return Parts(figures=tuple(figures))


def contrast_figures(work: Any) -> Parts:
    """Means of the modes, beside the known total where there is one."""
    study, rows = work.study, []
    for mode in work.table.modes:
        part = work.table.y[work.table.words == mode]
        half = 1.96 * float(part.std(ddof=1)) / len(part) ** 0.5
        rows.append((mode, float(part.mean()), float(part.mean()) - half, float(part.mean()) + half))
    total = None if work.calibration is None else work.calibration.total
    unit = study.roles.outcome_unit
    axis = f"mean {study.outcome_words}" + (f", {unit}" if unit else "")

    def draw(ax: Any) -> None:
        forest(rows, unit=axis, reference=None, emphasis=-1, ax=ax)
        if total is not None:
            ax.axvline(total, color=PALETTE["orange"], linewidth=1.8, label="known total")
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0))

    words = "; ".join(f"{mode} {format_number(mean)}" for mode, mean, _, _ in rows)
    line = "" if total is None else f" The line is the known total, {total:g}."
    return Parts(figures=(Figure.of(
        "means", "Mean answer by mode", f"Means with 95% intervals.{line}", f"Means: {words}.{line}",
        draw_svg("means", draw, (6.2, 1.5 + 0.5 * len(rows))),
    ),))  # fmt: skip


def graph_figure(work: Any) -> Parts:
    """The graph assumed, what is held fixed marked."""
    view, plan = work.plan.view, work.plan
    if view is None or len(view.dag.nodes) > MAX_NODES:
        return Parts()
    held = plan.verdict.given if plan.verdict is not None else [
        name for name, column in view.columns_of.items() if column in plan.covariates
    ]  # fmt: skip
    ends = (view.exposure, view.outcome) if view.exposure is not None else (view.mode, view.recorded[1])
    hidden = [name for name in view.dag.latent if name not in ends]
    dag = view.dag.replace(treatment=[ends[0]], outcome=[ends[1]], adjusted=list(held), latent=hidden)
    words = f"Held fixed: {', '.join(held) or 'nothing'}. A star: what is recorded of the node without it."
    return Parts(figures=(Figure.of(
        "graph", "The graph assumed", words, f"Causal graph: {view.dag.text}. {words}", dag.to_svg(),
    ),))  # fmt: skip
