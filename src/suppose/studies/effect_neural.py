"""The answer of an effect study by an attention network: curves, effects of rows, attention, and checks.

Headline: the average effect of the arm against the reference; along a continuous dose the contrast of its
upper against its lower quartile, with the average slope beside it. What the network cannot give (propensities,
a Riesz representer) its checks do not pretend: overlap is that of a propensity model beside it, and bounds
for hidden confounding are left to ``plr`` and ``aipw``.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from suppose.core.answer import Figure, Finding, Table, format_number
from suppose.core.figures import PALETTE, draw_svg
from suppose.core.study import Steps
from suppose.studies.effect_network import build_network
from suppose.studies.effect_neural_checks import neural_checks
from suppose.studies.effect_words import TITLES, unit_words
from suppose.studies.parts import Parts, fitted_step, parts_step

__all__ = ["neural_parts", "neural_sentence"]

LINES = ("blue", "orange", "green", "purple", "red")


def neural_parts(study: Any, table: Any, steps: Steps) -> tuple[Any, list[Parts]]:
    """The fitted network, and every part of the answer."""
    main = fitted_step(steps, "fit transtee", build_network(study, table), table.X, table.y)
    pieces = [
        _headline(study, table, main, steps),
        parts_step(steps, "dose-response", lambda: _responses(study, table, main)),
        parts_step(steps, "effects of rows", lambda: _row_effects(study, table, main)),
        parts_step(steps, "attention", lambda: _attention(table, main)),
        *neural_checks(study, table, main, steps),
        Parts(notes=_notes(study, main)),
    ]
    return main, pieces


def _notes(study: Any, main: Any) -> tuple[str, ...]:
    size = f"{main.parameter_count_:,} numbers in each of {main.members} networks"
    spread = (
        "each trained on its own bootstrap draw of the rows"
        if study.method.network.interval == "bootstrap"
        else "all trained on the same rows: their spread is that of training, not of sampling"
    )
    return (
        f"The network has {size}, {spread}.",
        "Bounds for hidden confounding are not computed for a network; run the study again with plr or aipw for them.",
    )


# -- headline --------------------------------------------------------------------------------------


def _headline(study: Any, table: Any, main: Any, steps: Steps) -> Parts:
    if main.kind_ != "continuous":
        if main.kind_ in ("binary", "multi-valued"):
            from suppose.studies.effect_estimators import estimates

            return estimates(study, table, "transtee", main, steps)
        return Parts(findings=_arm_findings(study, table, main))
    found = main.effect(table.X)
    unit = study.roles.outcome_unit or study.roles.outcome
    to, from_ = found.to, found.from_
    label = f"{study.roles.treatment} {format_number(to, beside=from_)} rather than {format_number(from_, beside=to)}"
    first = Finding(
        name="effect", label=label, estimate=found.average, low=found.average_low, high=found.average_high,
        level=found.level, unit=unit, n=len(table.y), method=main.effect_.method, estimand="contrast of quartiles",
        headline=True,
    )  # fmt: skip
    slope = _effect_finding(main.effect_, "slope", "Average slope", unit_words(study, table))
    beside = [] if not study.method.compare else [_linear_slope(study, table, steps)]
    joined: Parts = Parts.joined([Parts(findings=(first, slope)), *beside])
    return joined


def _effect_finding(effect: Any, name: str, label: str, unit: str, *, headline: bool = False) -> Finding:
    return Finding(
        name=name, label=label, estimate=effect.estimate, low=effect.low, high=effect.high, level=effect.level,
        unit=unit, standard_error=effect.standard_error, p_value=effect.p_value, n=effect.n, method=effect.method,
        estimand=effect.estimand, headline=headline,
    )  # fmt: skip


def _arm_findings(study: Any, table: Any, main: Any) -> tuple[Finding, ...]:
    """Arms with a dose, or graphs: each against the reference; of many the five with the largest effects."""
    order = sorted(range(len(main.effects_)), key=lambda k: -abs(main.effects_[k].estimate))[:5]
    order = order if main.kind_ == "graph" else list(range(len(main.effects_)))
    unit = study.roles.outcome_unit or study.roles.outcome
    return tuple(
        _effect_finding(
            main.effects_[k], "effect" if place == 0 else f"transtee:{k}",
            f"{TITLES['transtee']}, {_contrast_words(table, main.effects_[k].contrast)}", unit, headline=place == 0,
        )
        for place, k in enumerate(order)
    )  # fmt: skip


def _contrast_words(table: Any, contrast: str) -> str:
    """A contrast in the user's words for the arms, with the dose where there is one."""
    arms, _, at = contrast.partition(" at ")
    left, _, right = arms.partition(" vs ")
    words = {f"{value:g}": label for value, label in table.labels.items()}
    return f"{words.get(left, left)} vs {words.get(right, right)}" + (f" at {at}" if at else "")


def _linear_slope(study: Any, table: Any, steps: Steps) -> Parts:
    from suppose.studies.effect_estimators import build_estimator

    def compute() -> Parts:
        effect = build_estimator(study, table, "plr").fit(table.X, table.y).effect_
        label = "Average slope, partially linear"
        return Parts(findings=(_effect_finding(effect, "plr:0", label, unit_words(study, table)),))

    return parts_step(steps, "compare plr", compute)


# -- curves ----------------------------------------------------------------------------------------


def _responses(study: Any, table: Any, main: Any) -> Parts:
    if main.kind_ == "graph":
        return Parts()
    arms = [float(arm) for arm in main.arms_] if main.kind_ == "dose" else [None]
    curves = [main.dose_response(table.X, arm=arm) for arm in arms]
    names = [table.labels.get(arm, f"{arm:g}") if arm is not None else "" for arm in arms]
    unit = study.roles.outcome_unit or study.roles.outcome
    title = "Dose-response" if main.kind_ in ("continuous", "dose") else "Mean outcome under each arm"
    level = f"{100 * study.method.level:g}%"
    words = " ".join(
        f"{name + ': ' if name else ''}{_curve_words(curve)}"
        for name, curve in zip(names, curves, strict=True)
    )
    axis = study.roles.treatment_label if main.kind_ != "dose" else ""

    def draw(ax: Any) -> None:
        _draw_curves(curves, names, table, unit, ax)
        ax.set_xlabel(axis or curves[0].treatment)

    figure = Figure.of(
        "dose-response", title,
        f"Mean outcome of all rows had each had the same treatment, with {level} bands of the networks; "
        "ticks at the foot mark what was observed.",
        f"{title}. {words}", draw_svg("dose-response", draw),
    )  # fmt: skip
    return Parts(figures=(figure,), tables=(_curve_table(title, curves, names, table),), notes=(words,))


def _curve_words(curve: Any) -> str:
    ends = curve.estimate.min(), curve.estimate.max()
    places = curve.grid[curve.estimate.argmin()], curve.grid[curve.estimate.argmax()]
    low, high = (format_number(float(end), beside=float(max(abs(ends[0]), abs(ends[1])))) for end in ends)
    at = [format_number(float(place), beside=float(np.abs(curve.grid).max())) for place in places]
    return (
        f"The mean outcome is lowest, {low}, at {curve.treatment} = {at[0]}, and highest, {high}, at {at[1]}."
    )


def _draw_curves(curves: list[Any], names: list[str], table: Any, unit: str, ax: Any) -> None:
    if len(curves) == 1:
        curves[0].plot(ax, unit=unit)
        if table.labels and len(curves[0].grid) <= 10:
            ax.set_xticks(curves[0].grid, [table.labels.get(float(v), f"{v:g}") for v in curves[0].grid])
        return
    for place, (curve, name) in enumerate(zip(curves, names, strict=True)):
        colour = PALETTE[LINES[place % len(LINES)]]
        ax.fill_between(curve.grid, curve.low, curve.high, color=colour, alpha=0.15, linewidth=0)
        ax.plot(curve.grid, curve.estimate, color=colour, linewidth=2.2, label=name)
    ax.legend()
    ax.set_ylabel(unit)
    ax.grid(axis="y", linewidth=0.8)


def _curve_table(title: str, curves: list[Any], names: list[str], table: Any) -> Table:
    rows = []
    for curve, name in zip(curves, names, strict=True):
        step = max(1, len(curve.grid) // 10)
        for k in range(0, len(curve.grid), step):
            dose = float(curve.grid[k])
            shown = table.labels.get(dose, dose) if len(curve.grid) <= 10 else dose
            head = (name, shown) if len(curves) > 1 else (shown,)
            rows.append((*head, float(curve.estimate[k]), float(curve.low[k]), float(curve.high[k])))
    first = ("arm", curves[0].treatment) if len(curves) > 1 else (curves[0].treatment,)
    return Table(
        name="dose-response", title=title, columns=(*first, "mean outcome", "low", "high"), rows=tuple(rows)
    )


# -- rows --------------------------------------------------------------------------------------------


def _row_effects(study: Any, table: Any, main: Any) -> Parts:
    if not table.covariates or not study.checks.heterogeneity:
        return Parts()
    found = main.effect(table.X)
    unit = study.roles.outcome_unit or study.roles.outcome
    asked = _asked_words(study, table, main, found)
    figure = Figure.of(
        "effects-of-rows", "Effects of single rows",
        f"Effect of {asked} on each row, in order of size; the band is that of single rows, the orange line the mean.",
        f"Effects of single rows in order. {found}",
        draw_svg("effects-of-rows", lambda ax: found.plot(ax, unit=unit)),
    )  # fmt: skip
    note = f"Effect of {asked}; covariates split at their median (0 and 1 as they are)."
    columns = ("covariate", "rows below", "effect", "low", "high", "rows above", "effect ", "low ", "high ")
    return Parts(
        figures=(figure,),
        tables=(
            Table(name="effects-by-covariate", title="Effect by covariate", columns=columns,
                  rows=tuple(_halves(table, found)), note=note),
        ),
    )  # fmt: skip


def _asked_words(study: Any, table: Any, main: Any, found: Any) -> str:
    if main.kind_ in ("binary", "multi-valued"):
        return f"{table.labels.get(found.to, found.to)} against {table.labels.get(found.from_, found.from_)}"
    if main.kind_ == "continuous":
        numbers = format_number(found.to, beside=found.from_), format_number(found.from_, beside=found.to)
        return f"{study.roles.treatment} {numbers[0]} against {numbers[1]}"
    if main.kind_ == "dose":
        names = [table.labels.get(float(pair[0]), f"{pair[0]:g}") for pair in (found.to, found.from_)]
        return f"{names[0]} against {names[1]}, both at {study.roles.dose} {found.to[1]:.3g}"
    graphs = [table.graph_names[int(number)] for number in (found.to, found.from_)]
    return f"{graphs[0]} against {graphs[1]}"


def _halves(table: Any, found: Any) -> list[tuple[Any, ...]]:
    """Mean effect below and above the median of each covariate, the largest gap first."""
    from suppose.effects.neural.response import ConditionalEffects

    rows = []
    for name in table.covariates:
        values = np.asarray(table.X[name], dtype=float)
        cut = float(np.median(values))
        above = values > cut if (values > cut).any() else values >= cut
        if above.all() or not above.any():
            continue
        below, upper = (
            ConditionalEffects.of(found.members[:, part], found.to, found.from_, found.level)
            for part in (~above, above)
        )
        cells = [
            (int(part.sum()), side.average, side.average_low, side.average_high)
            for part, side in ((~above, below), (above, upper))
        ]
        rows.append((abs(upper.average - below.average), (name, *cells[0], *cells[1])))
    return [cells for _, cells in sorted(rows, key=lambda item: -item[0])[:10]]


# -- attention ---------------------------------------------------------------------------------------


def _attention(table: Any, main: Any) -> Parts:
    if not table.covariates:
        return Parts()
    found = main.explain(table.X)
    shown = min(len(found.covariates), 15)
    words = f"{found}. Attention is where the network looked, not what causes what."
    figure = Figure.of(
        "attention", "Where the treatment looks",
        "Mean attention of the treatment to each covariate; lines span the networks, the dashed line is an even look.",
        words, draw_svg("attention", lambda ax: found.plot(ax), size=(6.2, 1.2 + 0.28 * shown)),
    )  # fmt: skip
    return Parts(figures=(figure,), notes=(words,))


# -- words -------------------------------------------------------------------------------------------


def neural_sentence(study: Any, table: Any, main: Any, finding: Any, verdict: str) -> str:
    """The finding in one plain sentence."""
    from suppose.studies.effect_words import sentence

    if main.kind_ in ("binary", "multi-valued"):
        return sentence(study, table, main, finding, verdict)
    roles = study.roles
    outcome, unit = roles.outcome_label or roles.outcome, roles.outcome_unit
    size = f"{finding.estimate_words().removeprefix('-')}{f' {unit}' if unit else ''}"
    verb = "higher" if finding.estimate >= 0 else "lower"
    what = roles.treatment_label or roles.treatment
    if main.kind_ == "continuous":
        found = finding.label.removeprefix(f"{roles.treatment} ")
        start = f"With {what} at {found}"
    else:
        start = f"With {what} {_arms_said(finding.label)}"
    text = f"{start}, average {outcome} would be {size} {verb} ({finding.interval_words()})"
    undecided = finding.low <= 0 <= finding.high
    text += "; the data do not settle the direction." if undecided else "."
    if verdict == "not credible":
        return (
            f"The comparison cannot be trusted as an effect. Taken at face value: {text[0].lower()}{text[1:]}"
        )
    return text


def _arms_said(label: str) -> str:
    arms = label.partition(", ")[2]
    return arms.replace(" vs ", " rather than ", 1)


def with_graphs(table: Any, graphs: tuple[Any, ...], names: tuple[str, ...]) -> Any:
    """The table with its treatment as positions among the graphs."""
    values = np.asarray(table.X[table.treatment], dtype=float)
    position = np.searchsorted(np.unique(values), values).astype(float)
    X = table.X.assign(**{table.treatment: position})
    labels = {float(place): name for place, name in enumerate(names)}
    reference = table.reference
    if reference is not None:
        reference = float(np.searchsorted(np.unique(values), reference))
    return dataclasses.replace(
        table, X=X, labels=labels, graphs=graphs, graph_names=names, reference=reference, kind="multi-valued"
    )
