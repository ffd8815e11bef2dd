"""Figures and tables of a survival answer: curves, hazard ratio over time, cured shares, models."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from suppose.core.answer import Figure, Table
from suppose.core.figures import PALETTE, draw_svg, forest
from suppose.effects.survival import compare
from suppose.studies.parts import Parts
from suppose.studies.survival_chosen import Chosen, fit_cox, has_cure

__all__ = ["cures", "curves", "model_tables", "ratios"]

COLOURS = ("orange", "blue", "green", "purple", "red")
SPREAD = 60  # points of a drawn curve


def _grid(chosen: Chosen, points: int = SPREAD) -> np.ndarray:
    longest = max(curve.last for curve in chosen.observed)
    return np.asarray(longest * np.linspace(0, 1, points + 1)[1:] ** 1.5)


def _unit(study: Any) -> str:
    return f"time, {study.roles.time_unit}" if study.roles.time_unit else "time"


def curves(study: Any, table: Any, chosen: Chosen) -> Parts:
    """Fitted and observed curves of each arm, survival at chosen times, and rows at risk."""
    grid = _grid(chosen)
    fitted = [_arm_curve(table, chosen, arm, grid) for arm in range(len(table.arms))]

    def draw(ax: Any) -> None:
        for arm, curve in enumerate(fitted):
            colour = COLOURS[arm % len(COLOURS)]
            chosen.observed[arm].plot(ax, colour=colour, label="", band=False)
            curve.plot(ax, colour=colour, label=table.arms[arm])
        ax.set(xlabel=_unit(study), ylabel=f"share without {study.roles.event_label}", ylim=(0, 1.02))
        ax.set_xlim(0, None)
        named = study.roles.treatment_label and table.arms[0].startswith("without ")
        ax.legend(title=None if named else study.roles.treatment_label or table.treatment)

    ends = "; ".join(f"{arm} {curve.estimate[-1]:.0%}" for arm, curve in zip(table.arms, fitted, strict=True))
    adjusted = " standardised to all rows" if table.covariates else ""
    figure = Figure.of(
        "curves", "Survival under each treatment",
        f"Fitted curves{adjusted} with {100 * study.method.level:g}% bands; steps: Kaplan-Meier as observed.",
        f"Survival curves that fall from 100% to, at the end of follow-up: {ends}.",
        draw_svg("curves", draw, (6.4, 4.0)),
    )  # fmt: skip
    return Parts(
        figures=(figure,), tables=(_survival_table(study, table, chosen), _risk(study, table, chosen))
    )


def _arm_curve(table: Any, chosen: Chosen, arm: int, grid: np.ndarray) -> Any:
    other = table.values[0 if arm else 1]
    return chosen.model.treatment_curves(
        table.X, table.treatment, grid, treated=table.values[arm], control=other
    )[0]


def _survival_table(study: Any, table: Any, chosen: Chosen) -> Table:
    times = np.array(sorted({*chosen.times, chosen.horizon}))
    curves = [_arm_curve(table, chosen, arm, times) for arm in range(len(table.arms))]
    rows = [
        (
            arm,
            float(time),
            100 * curve.estimate[k],
            100 * curve.low[k],
            100 * curve.high[k],
            100 * float(seen.at(time)),
        )
        for arm, curve, seen in zip(table.arms, curves, chosen.observed, strict=True)
        for k, time in enumerate(times)
    ]
    return Table(
        name="survival", title="Share without event, %",
        columns=("arm", "time", "fitted", "low", "high", "Kaplan-Meier"),
        rows=tuple(rows), note="Fitted: average over all rows. Kaplan-Meier: the rows of the arm, unadjusted.",
    )  # fmt: skip


def _risk(study: Any, table: Any, chosen: Chosen) -> Table:
    times = [0.0, *sorted({*chosen.times, chosen.horizon})]
    event = np.asarray(table.X[table.roles["event"]]) if "event" in table.roles else np.ones(len(table.y))
    rows = []
    for arm, value in zip(table.arms, table.values, strict=True):
        own = np.asarray(table.X[table.treatment] == value)
        entry = np.asarray(table.X[table.roles["entry"]]) if "entry" in table.roles else np.zeros(len(own))
        for time in times:
            at_risk = int((own & (table.y > time) & (entry <= time)).sum())
            rows.append((arm, float(time), at_risk, int((own & (table.y <= time) & (event == 1)).sum())))
    return Table(
        name="at-risk", title="At risk", columns=("arm", "time", "still observed", "events so far"), rows=tuple(rows)
    )  # fmt: skip


def ratios(study: Any, table: Any, chosen: Chosen) -> Parts:
    """Hazard ratio over time with its band, beside that of Cox regression."""
    if len(table.arms) != 2:
        return Parts()
    start = float(np.quantile(table.y[table.y > 0], 0.02))
    grid = np.linspace(start, max(curve.last for curve in chosen.observed), SPREAD)
    curve = chosen.model.treatment_hazard_ratio(
        table.X, table.treatment, grid, treated=table.values[1], control=table.values[0]
    )
    cox = (
        None
        if table.roles.get("upper")
        else fit_cox(study, table).to_frame().set_index("name").loc[table.treatment]
    )

    def draw(ax: Any) -> None:
        curve.plot(ax, label="fitted")
        if cox is not None:
            ax.axhline(
                cox.hazard_ratio, color=PALETTE["orange"], linewidth=1.6, linestyle=(0, (5, 2)), label="Cox"
            )
        ax.axhline(1.0, color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)))
        ax.set_yscale("log")
        ends = np.array([curve.low.min(), curve.high.max(), 0.8, 1.25])
        ax.set_ylim(max(ends.min() * 0.9, 0.05), min(ends.max() * 1.1, 20.0))
        _plain_ticks(ax)
        ax.set(xlabel=_unit(study), ylabel="hazard ratio")
        ax.legend()

    words = f"{curve.estimate[0]:.2f} at {grid[0]:.3g} and {curve.estimate[-1]:.2f} at {grid[-1]:.3g}"
    title = "Hazard ratio over time"
    figure = Figure.of(
        "hazard-ratio", title, f"{table.arms[1]} over {table.arms[0]}; below 1: fewer events per unit of time.",
        f"Hazard ratio with its band: {words}.", draw_svg("hazard-ratio", draw, (6.4, 3.6)),
    )  # fmt: skip
    places = np.array(sorted({*chosen.times, chosen.horizon}))
    at = chosen.model.treatment_hazard_ratio(
        table.X, table.treatment, places, treated=table.values[1], control=table.values[0]
    )
    frame = at.to_frame()[["time", "estimate", "low", "high"]].rename(columns={"estimate": "hazard ratio"})
    return Parts(figures=(figure,), tables=(Table.from_frame("hazard-ratio", title, frame),))


def _plain_ticks(ax: Any) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    low, high = ax.get_ylim()
    marks = [tick for tick in (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20) if low <= tick <= high]
    ax.yaxis.set_major_locator(FixedLocator(marks))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def cures(study: Any, table: Any, chosen: Chosen) -> Parts:
    """Cured share of each arm, where the model has one."""
    if not has_cure(chosen.model, table).any():
        return Parts()
    rows = []
    for arm in range(1, len(table.arms)):
        (effect,) = chosen.model.effect(
            table.X, table.treatment, measure="cure", treated=table.values[arm], control=table.values[0]
        )
        if arm == 1:
            rows.append((table.arms[0], effect.control, effect.control_low, effect.control_high))
        rows.append((table.arms[arm], effect.treated, effect.treated_low, effect.treated_high))
    shown = [(name, 100 * value, 100 * low, 100 * high) for name, value, low, high in rows]
    words = "; ".join(f"{name} {value:.0f}% ({low:.0f} to {high:.0f})" for name, value, low, high in shown)
    title = f"Share that never has {study.roles.event_label}"

    def draw(ax: Any) -> None:
        forest(shown, unit="%", reference=None, emphasis=1, ax=ax)

    figure = Figure.of(
        "cure", title, "Cure fractions with their intervals; they extrapolate the fitted curve beyond follow-up.",
        f"Cure fractions: {words}.",
        draw_svg("cure", draw, (6.0, 1.2 + 0.4 * len(shown))),
    )  # fmt: skip
    tails = [100 * float(curve.estimate[-1]) for curve in chosen.observed]
    cells = tuple((*row, tail) for row, tail in zip(shown, tails, strict=True))
    table_ = Table(
        name="cure", title=f"{title}, %", columns=("arm", "fitted", "low", "high", "Kaplan-Meier at the end"),
        rows=cells,
    )  # fmt: skip
    return Parts(figures=(figure,), tables=(table_,))


def model_tables(chosen: Chosen) -> Parts:
    """Models side by side, and the coefficients of the one chosen."""
    found = compare(chosen.others)
    frame = found.to_frame()
    frame["kappa"] = [value if math.isfinite(value) else None for value in frame["kappa"]]
    frame = frame.rename(columns={"log_likelihood": "log likelihood", "difference": "AIC above best", "aic": "AIC",
                                  "bic": "BIC"})  # fmt: skip
    coefficients = chosen.model.to_frame()[["name", "estimate", "standard_error", "low", "high", "p_value"]]
    coefficients = coefficients.rename(columns={"standard_error": "standard error", "p_value": "p"})
    note = "On the logarithm of each parameter (kappa: of kappa + 1)."
    return Parts(
        tables=(
            Table.from_frame("models", "Models", frame, note=f"The answer rests on: {chosen.name}."),
            Table.from_frame("coefficients", f"Coefficients, {chosen.name}", coefficients, note=note),
        )
    )
