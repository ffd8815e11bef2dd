"""Attempts to break a survey answer: the graph, what it implies, slopes and spreads by mode, beliefs, offers."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from suppose.core.answer import Check, Verdict, format_number
from suppose.core.errors import EstimationError, Refusal
from suppose.effects.mode.regression import logistic, regression
from suppose.graphs import implied_independences
from suppose.studies.parts import Parts
from suppose.studies.verdict import listed

__all__ = ["contrast_checks", "slope_checks"]

NEAR = 0.2  # standard deviations: a shift this small that changes the finding is worth a warning
STRONG = 10.0  # first-stage F below which an offer is weak
UNKNOWN = "No causal graph"
NO_GRAPH = "A graph could say whether the mode is to be held fixed; none was given."


def slope_checks(work: Any) -> Parts:
    """Checks of a slope, in the order a reader meets them."""
    made = [
        _graph(work), _implications(work), _two_sides(work), _slopes_by_mode(work), _beliefs(work), _rates(work),
        _tipping(work), _exposure_by_mode(work), _overlap(work), _recorded(work), _offer(work),
    ]  # fmt: skip
    return Parts(checks=tuple(check for check in made if check is not None))


def contrast_checks(work: Any) -> Parts:
    """Checks of a difference between modes."""
    made = [_contrast_graph(work), _implications(work), _shift_alone(work), _covariates(work), _reference(work),
            _offer(work)]  # fmt: skip
    return Parts(checks=tuple(check for check in made if check is not None))


# -- the graph -----------------------------------------------------------------------------------


def _graph(work: Any) -> Check:
    plan = work.plan
    name, title = "graph", "What the graph says"
    null = "No path but the effect's own joins the recorded answers."
    if plan.verdict is None:
        return Check(
            name=name, title=UNKNOWN, null=null, verdict="warns", words=NO_GRAPH,
            cannot_show="Anything: without a graph, adjusting may help or hurt.",
        )  # fmt: skip
    verdict: Verdict = {"safe": "passes", "null-safe": "warns", "unsafe": "fails"}[plan.verdict.verdict]  # type: ignore[assignment]
    held = ", ".join(plan.verdict.given) or "nothing"
    taken = {
        "bias": "Once the shifts believed are taken back, with",
        "rates": "Once errors are taken back, with",
    }
    words = f"{taken.get(plan.way, 'With')} {held} held fixed: {plan.verdict.verdict}. {plan.verdict.reason}"
    return Check(
        name=name, title=title, null=null, verdict=verdict, words=words,
        cannot_show="Whether the graph is right: what was left out of it is not seen.",
    )  # fmt: skip


def _contrast_graph(work: Any) -> Check:
    plan = work.plan
    name, title = "graph", "What the graph says"
    null = "The difference between modes is the effect of the mode on what is recorded."
    if plan.identified is None:
        words = f"{plan.reason} A graph or an offer made at random could tell them apart."
        return Check(
            name=name, title=UNKNOWN, null=null, verdict="warns", words=words,
            cannot_show="Which part is which: the same numbers fit both.",
        )  # fmt: skip
    held = listed(list(plan.covariates)) if plan.covariates else "nothing"
    return Check(
        name=name, title=title, null=null, verdict="passes" if plan.identified else "fails",
        words=f"With {held} held fixed: {plan.reason}",
        cannot_show="Whether the graph is right: what was left out of it is not seen.",
    )  # fmt: skip


def _implications(work: Any) -> Check | None:
    """Independences the graph implies of the columns at hand, by partial correlation."""
    view = work.plan.view
    if view is None:
        return None
    columns = _node_columns(work)
    hidden = [name for name in view.dag.nodes if name not in columns]
    found = implied_independences(view.dag.replace(latent=hidden, treatment=(), outcome=())).items
    null = "The table shows the independences the graph implies."
    unseen = "Independences beyond correlations, and whatever the graph leaves open."
    if not found:
        return Check(
            name="implications", title="What the graph implies", null=null, verdict="informs", cannot_show=unseen,
            words="The graph implies no independence of the columns at hand: the table cannot contradict it.",
        )  # fmt: skip
    values = [_partial(columns[i.first], columns[i.second], [columns[g] for g in i.given]) for i in found]
    worst = int(np.argmin(values))
    p = float(min(1.0, len(found) * values[worst]))
    verdict: Verdict = "passes" if p >= 0.05 else "warns" if p >= 0.001 else "fails"
    said = "none is contradicted" if verdict == "passes" else f"contradicted most: {found[worst]}"
    return Check(
        name="implications", title="What the graph implies", null=null, verdict=verdict, cannot_show=unseen,
        words=f"{len(found)} implied by the graph and tested; {said} (p = {p:.2g}, all tests counted).",
        statistic="tests", value=float(len(found)), p_value=p,
    )  # fmt: skip


def _node_columns(work: Any) -> dict[str, np.ndarray]:
    """Numbers of every node that is one column of the study's table."""
    view, table, roles = work.plan.view, work.table, work.study.roles
    columns = {view.recorded[1]: table.y, view.mode: work.other.astype(float)}
    if view.exposure is not None:
        columns[view.recorded[0]] = np.asarray(table.X[roles.exposure], dtype=float)
    if roles.offer in view.dag.nodes:
        columns[roles.offer] = np.asarray(table.X[roles.offer], dtype=float)
    for node, column in view.columns_of.items():
        own = table.sources.get(column, ())
        if len(own) == 1:
            columns[node] = np.asarray(table.X[own[0]], dtype=float)
    return columns


def _partial(first: np.ndarray, second: np.ndarray, given: list[np.ndarray]) -> float:
    """P-value of a partial correlation of zero."""
    D = np.column_stack([np.ones(len(first)), *given])
    both = np.column_stack([first, second])
    rest = both - D @ np.linalg.lstsq(D, both, rcond=None)[0]
    norms = np.linalg.norm(rest, axis=0)
    if norms.min() <= 1e-9 * max(float(np.linalg.norm(both)), 1e-300):
        return 1.0
    r = float(np.clip(rest[:, 0] @ rest[:, 1] / norms.prod(), -1 + 1e-15, 1 - 1e-15))
    freedom = max(len(first) - D.shape[1] - 1, 1)
    return float(2 * stats.t.sf(abs(r) * np.sqrt(freedom / (1 - r**2)), freedom))


# -- slopes --------------------------------------------------------------------------------------


def _two_sides(work: Any) -> Check:
    """Whether leaving the mode out and holding it fixed differ clearly, and whether they may."""
    out, held = work.model.naive_, work.model.conditional_
    clear = out.high < held.low or held.high < out.low
    plan = work.plan
    both = False
    if plan.sets is not None and plan.verdict is not None:
        bare = [name for name in plan.verdict.given if name != plan.view.mode]
        verdicts = {tuple(sorted(item.given)): item.verdict for item in plan.sets}
        both = all(verdicts.get(tuple(sorted(s))) == "safe" for s in (bare, [*bare, plan.view.mode]))
    words = (
        f"{format_number(out.estimate)} with the mode left out, {format_number(held.estimate)} with it held fixed: "
        f"{'clearly apart' if clear else 'no clear difference'}."
    )
    if clear and both:
        words += " The graph calls both safe, so it cannot be right."
    elif clear and plan.sets is None:
        words += " One of them is wrong at least, and only a graph can say which."
    return Check(
        name="two-sides", title="With and without the mode", null="Holding the mode fixed does not change the slope.",
        verdict="warns" if clear and (both or plan.sets is None) else "informs", words=words,
        cannot_show="Which is right; equal slopes may both be biased.", statistic="difference",
        value=float(held.estimate - out.estimate),
    )  # fmt: skip


def _slopes_by_mode(work: Any) -> Check | None:
    """Whether the slope differs between modes, which a shift alone cannot do."""
    x, m = work.model.x_, work.other.astype(float)
    D = np.column_stack([x * m, x, m, np.ones(len(m)), work.covariates])
    try:
        found = regression(D, work.table.y, work.study.method.model)
    except Refusal:
        return None
    b, error = float(found.coefficients[0]), float(np.sqrt(max(found.covariance[0, 0], 0.0)))
    p = float(2 * stats.t.sf(abs(b) / error, found.freedom)) if error > 0 else 1.0
    words = (
        f"{format_number(float(found.coefficients[1]))} in {work.table.reference}, "
        f"{format_number(float(found.coefficients[1] + b))} elsewhere (p = {p:.2g} for equality)."
    )
    return Check(
        name="slopes-by-mode", title="Slopes by mode", null="The slope is the same within each mode.",
        verdict="warns" if p < 0.01 else "passes", words=words,
        cannot_show="A mode that moves or blurs every answer alike.", statistic="difference", value=b,
        p_value=p,
    )  # fmt: skip


def _beliefs(work: Any) -> Check | None:
    found = work.bias
    if found is None:
        return None
    side = max(found.share_positive, 1 - found.share_positive)
    words = (
        f"{100 * found.share_positive:.1f}% of the draws are above zero. Beliefs alone span "
        f"{format_number(found.systematic_low)} to {format_number(found.systematic_high)}, the recorded slope is "
        f"{format_number(found.naive)}."
    )
    verdict: Verdict = "informs"
    if work.plan.way != "bias":
        head = work.model.estimates().get(work.plan.way)
        if head is not None and (head.low > 0 or head.high < 0):
            agree = (found.share_positive > 0.5) == (head.estimate > 0) and side >= 0.975
            verdict = "passes" if agree else "warns"
    return Check(
        name="beliefs", title="What the beliefs leave of it", verdict=verdict, words=words,
        null="The finding keeps its sign under every shift believed.",
        cannot_show="Whether the beliefs are right.", statistic="share of draws above zero", value=found.share_positive,
    )  # fmt: skip


def _rates(work: Any) -> Check | None:
    found = work.rates
    if found is None:
        return None
    share = found.rejected / found.draws
    return Check(
        name="rates", title="Error rates the table allows", null="The rates believed could have given this table.",
        verdict="passes" if share <= 0.2 else "warns",
        words=f"{found.rejected:,} of {found.draws:,} draws would need negative counts ({share:.0%}).",
        cannot_show="Rates that are wrong but possible.", statistic="share of draws impossible", value=share,
    )  # fmt: skip


def _tipping(work: Any) -> Check:
    """Whether a small shift of an answer would change the finding of a way that leaves shifts in."""
    curve = work.tipping
    rows = ~work.other
    spreads = {"outcome": float(np.std(work.table.y[rows])), "exposure": float(np.std(work.model.x_[rows]))}
    sizes = [
        abs(tip) / spreads[name]
        for name, tip in (("outcome", curve.tips_outcome), ("exposure", curve.tips_exposure))
        if tip is not None and spreads[name] > 0
    ]
    small = min(sizes, default=None)
    exposed = work.plan.way == "naive" and (work.plan.verdict is None or work.plan.verdict.verdict != "safe")
    verdict: Verdict = (
        "informs" if not exposed else "warns" if small is not None and small < NEAR else "passes"
    )
    size = "" if small is None else f" The smallest is {small:.2f} standard deviations of the reference mode."
    return Check(
        name="tipping", title="How far the mode would have to move answers", verdict=verdict,
        null=f"No shift below {NEAR:g} standard deviations changes the finding.", words=f"{curve.words}{size}",
        cannot_show="How far the mode does move answers.", statistic="standard deviations", value=small,
    )  # fmt: skip


def _exposure_by_mode(work: Any) -> Check:
    """How different the recorded exposure is between modes: selection and shift together."""
    x, m = work.model.x_, work.other
    spread = float(np.sqrt((x[m].var(ddof=1) + x[~m].var(ddof=1)) / 2))
    gap = float(x[m].mean() - x[~m].mean()) / spread if spread > 0 else 0.0
    return Check(
        name="exposure-by-mode", title="Exposure by mode", null="The recorded exposure is the same in every mode.",
        verdict="informs", words=f"The other mode lies {gap:+.2f} standard deviations from {work.table.reference}.",
        cannot_show="Whether that is who answered, or how answers were recorded.",
        statistic="standardised difference", value=gap,
    )  # fmt: skip


def _overlap(work: Any) -> Check | None:
    """Whether every row could have been answered in either mode, given the covariates."""
    if not work.table.covariates or work.plan.way in ("naive", "bias", "rates"):
        return None
    D = np.column_stack([np.ones(len(work.table.y)), work.covariates])
    try:
        chance = 1 / (1 + np.exp(-D @ logistic(D, work.other.astype(float)).coefficients))
        share = float(np.mean((chance < 0.02) | (chance > 0.98)))
        words = f"{share:.1%} of the rows have a chance of the other mode below 2% or above 98%."
    except EstimationError:
        share, words = 1.0, "Some combination of covariates tells the modes apart without error."
    return Check(
        name="overlap", title="Either mode possible", null="Rows of every kind are found in both modes.",
        verdict="passes" if share <= 0.05 else "warns" if share <= 0.5 else "fails", words=words,
        cannot_show="Overlap in what was not measured.", statistic="share of rows", value=share,
    )  # fmt: skip


def _recorded(work: Any) -> Check | None:
    sets = work.plan.sets
    if sets is None or not sets.attenuation:
        return None
    return Check(
        name="attenuation", title="Random error in the exposure", verdict="informs", words=sets.attenuation,
        null="The exposure is recorded without error.", cannot_show="Its size; repeat measurements could.",
    )  # fmt: skip


# -- means ---------------------------------------------------------------------------------------


def _shift_alone(work: Any) -> Check:
    """Whether answers of the modes have the same distribution once their means are put together."""
    y, m = work.table.y, work.other
    test = stats.ks_2samp(y[m] - y[m].mean(), y[~m] - y[~m].mean())
    ratio = float(y[m].std(ddof=1) / y[~m].std(ddof=1)) if y[~m].std() > 0 else float("inf")
    p = float(test.pvalue)
    return Check(
        name="shift-alone", title="A shift and nothing else",
        null="Once means are put together, answers are distributed alike in every mode.",
        verdict="warns" if p < 0.01 else "passes",
        words=f"Spread of the other mode is {ratio:.2f} times that of {work.table.reference}; distributions around the "
        f"means differ with p = {p:.2g} (Kolmogorov and Smirnov, means fitted).",
        cannot_show="Shifts that differ between people but even out.", statistic="largest distance",
        value=float(test.statistic), p_value=p,
    )  # fmt: skip


def _covariates(work: Any) -> Check | None:
    """What holding the covariates fixed does to the difference."""
    from suppose.effects.mode import mode_contrast

    if not work.table.covariates:
        return None
    table, level = work.table, work.study.method.level
    plain = mode_contrast(table.y, table.words, table.modes[0], level=level)[0]
    held = mode_contrast(table.y, table.words, table.modes[0], work.covariates, level=level)[0]
    return Check(
        name="covariates", title="With and without covariates", verdict="informs",
        null="Covariates do not change the difference.",
        words=f"{format_number(plain.difference)} as it is (standard error {plain.standard_error:.2g}), "
        f"{format_number(held.difference)} with {listed(list(work.plan.covariates))} held fixed.",
        cannot_show="What was not measured.", statistic="change", value=held.difference - plain.difference,
    )  # fmt: skip


def _reference(work: Any) -> Check | None:
    """Whether the reference mode itself meets the known total."""
    if work.calibration is None:
        return None
    mode = work.table.modes[0]
    row = next(row for row in work.calibration.rows if row[0] == mode)
    n, shift, error = row[1], row[3], row[4]
    p = float(2 * stats.t.sf(abs(shift) / error, max(n - 1, 1))) if error > 0 else float(shift == 0)
    off = p < 0.05
    words = f"{work.table.say(mode)} lies {format_number(shift)} from it (p = {p:.2g})"
    words += ": a difference from this mode is not a distance from the truth." if off else "."
    return Check(
        name="reference", title="The reference mode against the known total",
        null="The reference mode's mean is the known total.", verdict="warns" if off else "passes", words=words,
        cannot_show="Whether the mode or the people who answered in it are the reason.", statistic="shift", value=shift,
        p_value=p,
    )  # fmt: skip


def _offer(work: Any) -> Check | None:
    """Whether the offer moves the mode, and what it says of selection."""
    found = work.offered
    if found is None:
        return None
    offer = np.asarray(work.table.X[work.study.roles.offer], dtype=float)
    D = np.column_stack([offer, np.ones(len(offer)), work.covariates])
    first = regression(D, work.other.astype(float))
    F = float(first.coefficients[0] ** 2 / first.covariance[0, 0])
    y = work.table.y
    gap = float(y[work.other].mean() - y[~work.other].mean())
    words = (
        f"The offer moves the mode with F = {F:,.0f}. By the offer the mode moves mean answers by "
        f"{format_number(found.estimate)}, means differ by {format_number(gap)}: the rest is who answered how."
    )
    return Check(
        name="offer", title="The offer of a mode", null="The offer moves the mode strongly.",
        verdict="passes" if F > STRONG else "warns", words=words,
        cannot_show="Whether the offer was made at random, or moves answers by itself.", statistic="F", value=F,
    )  # fmt: skip
