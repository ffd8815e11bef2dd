"""The parts of a survey answer: every way of dealing with the mode, the one the graph asks for, beliefs, calibration.

Each part is a named step of the run. Figures are in :mod:`suppose.studies.survey_figures`, attempts to break the answer
in :mod:`suppose.studies.survey_checks`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import stats

from suppose.core.answer import Finding, Table
from suppose.core.errors import EstimationError, SupposeWarning
from suppose.core.study import Steps
from suppose.effects.inference import EffectEstimate, estimate_effect
from suppose.effects.mode import (
    ModeEffectAnalysis,
    calibrate,
    misclassification_analysis,
    mode_contrast,
    warn_of_conditioning,
)
from suppose.effects.mode.calibration import Calibration
from suppose.effects.mode.priors import Prior
from suppose.effects.mode.regression import two_stage
from suppose.effects.mode.tipping import TippingCurve
from suppose.studies.parts import Parts, parts_step
from suppose.studies.survey_words import LABELS, contrast_sentence, slope_sentence, slope_unit
from suppose.studies.verdict import credibility

REACHES = (1.0, 2.0, 4.0)  # standard deviations tried for the tipping curve

__all__ = ["Gathered", "Work", "gather"]


@dataclass(frozen=True)
class Gathered:
    """All parts of an answer, its sentence and its verdict."""

    parts: Parts
    sentence: str
    credibility: Any
    credibility_words: str


class Work:
    """What the parts share, computed when first asked for: a resumed run may need none of it."""

    def __init__(self, study: Any, table: Any) -> None:
        self.study, self.table, self.plan = study, table, table.plan

    @cached_property
    def other(self) -> np.ndarray:
        """Rows not answered in the reference mode."""
        return np.asarray(self.table.words != self.table.modes[0])

    @cached_property
    def covariates(self) -> Float[np.ndarray, "n p"]:
        """Encoded covariates held fixed."""
        return np.asarray(self.table.X[list(self.table.covariates)], dtype=float)

    @cached_property
    def model(self) -> ModeEffectAnalysis:
        """The slope in every way."""
        roles, method = self.study.roles, self.study.method
        return ModeEffectAnalysis(
            exposure=roles.exposure, mode=roles.mode, covariates=list(self.table.covariates), instrument=roles.offer,
            reference=self.table.modes[0], model=method.model, affected=method.affected,
            imputations=0 if method.imputations == 1 else method.imputations, smallest=method.smallest,
            level=method.level, seed=self.study.seed,
        ).fit(self.table.X, self.table.y)  # fmt: skip

    @cached_property
    def calibration(self) -> Calibration | None:
        """Shift of each mode from the known total."""
        given = self.study.calibration
        return None if given is None else calibrate(self.table.y, self.table.words, given.total)

    @cached_property
    def priors(self) -> dict[str, Any]:
        """Beliefs of shifts, the calibrated one as a law; empty without any."""
        if self.study.bias is None:
            return {}
        priors = dict(self.study.bias.priors())
        for name, found in (("exposure", self.offered_exposure), ("outcome", self.offered)):
            if priors.get(name) == "offered" and found is not None:
                priors[name] = f"normal({found.estimate:.8g}, {found.standard_error:.8g})"
        if priors.get("outcome") == "calibrated":
            two = np.where(self.other, "other", "reference")
            rows = {row[0]: row for row in calibrate(self.table.y, two, self.study.calibration.total).rows}
            shift = rows["other"][3] - rows["reference"][3]
            error = float(np.hypot(rows["other"][4], rows["reference"][4]))
            priors["outcome"] = f"normal({shift:.8g}, {error:.8g})" if error > 0 else shift
        return priors

    @cached_property
    def believed(self) -> dict[str, float]:
        """Mean of each belief: shifts default to 0, scales to 1."""
        found = {"exposure": 0.0, "outcome": 0.0, "exposure_scale": 1.0, "outcome_scale": 1.0}
        return found | {name: Prior.of(value).mean for name, value in self.priors.items()}

    @cached_property
    def bias(self) -> Any:
        """The slope with believed shifts taken back, or None."""
        if not self.priors:
            return None
        return self.model.bias_analysis(self.priors, draws=self.study.bias.draws)

    @cached_property
    def tipping(self) -> TippingCurve:
        """Slopes over shifts, as far as the study says or as it takes for the finding to change."""
        given = self.study.method.reach
        reaches: tuple[float, ...] = REACHES if given is None else (given,)
        curves: list[TippingCurve] = []
        for reach in reaches:
            curves.append(self.model.tipping_curve(reach=reach))
            found = curves[-1]
            tips = (found.tips_exposure, found.tips_outcome, found.sign_exposure, found.sign_outcome)
            if any(tip is not None for tip in tips):
                return found
        return curves[0]

    @cached_property
    def rates(self) -> Any:
        """The effect with believed errors of recording taken back, or None."""
        given = self.study.rates
        if given is None or not given.given():
            return None
        x = np.asarray(self.table.X[self.study.roles.exposure], dtype=float)
        return misclassification_analysis(
            x, self.table.y, self.other, given.given(), measure=given.measure, draws=given.draws,
            level=self.study.method.level, seed=self.study.seed,
        )  # fmt: skip

    @cached_property
    def offered(self) -> EffectEstimate | None:
        """Effect of the mode on the mean recorded outcome, the offer as instrument."""
        return self._offered(self.table.y)

    @cached_property
    def offered_exposure(self) -> EffectEstimate | None:
        """The same on the mean recorded exposure."""
        name = self.study.roles.exposure
        return None if name is None else self._offered(np.asarray(self.table.X[name], dtype=float))

    def _offered(self, answers: Float[np.ndarray, " n"]) -> EffectEstimate | None:
        offer = self.study.roles.offer
        if offer is None:
            return None
        n = len(answers)
        rest = np.column_stack([np.ones(n), self.covariates])
        found = two_stage(
            np.column_stack([self.other.astype(float), rest]),
            np.column_stack([np.asarray(self.table.X[offer], dtype=float), rest]), answers,
        )  # fmt: skip
        return estimate_effect(
            float(found.coefficients[0]), float(np.sqrt(found.covariance[0, 0])), estimand="mean shift",
            contrast="other mode", n=n, level=self.study.method.level, method="two-stage least squares",
            degrees_of_freedom=found.freedom,
        )  # fmt: skip


def gather(study: Any, table: Any, steps: Steps) -> Gathered:
    """Compute every part of the answer of a survey study."""
    from suppose.studies.survey_checks import contrast_checks, slope_checks
    from suppose.studies.survey_figures import contrast_figures, graph_figure, slope_figures

    work, slope = Work(study, table), study.roles.exposure is not None
    said = _warned(table.plan) if slope else ()
    pieces = [parts_step(steps, "ways", lambda: _slopes(work) if slope else Parts())]
    if slope and study.bias is not None:
        pieces.append(parts_step(steps, "bias", lambda: _bias(work)))
    if slope and study.rates is not None:
        pieces.append(parts_step(steps, "rates", lambda: _rates(work)))
    pieces.append(parts_step(steps, "modes", lambda: _modes(work)))
    pieces.append(parts_step(steps, "figures", lambda: (slope_figures if slope else contrast_figures)(work)))
    pieces.append(graph_figure(work))
    pieces.append(parts_step(steps, "checks", lambda: (slope_checks if slope else contrast_checks)(work)))
    parts = Parts.joined(pieces) + Parts(notes=said)
    verdict, reason = credibility(parts.checks)
    sentence = (
        slope_sentence(study, table.plan, parts, verdict) if slope else contrast_sentence(study, table, parts)
    )
    return Gathered(parts, sentence, verdict, reason)


def _warned(plan: Any) -> tuple[str, ...]:
    """What conditioning the study asked for explicitly opens, said as a warning and kept as a note."""
    if plan.view is None or not plan.chosen or plan.verdict is None:
        return ()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SupposeWarning)
        warn_of_conditioning(plan.view.dag, str(plan.view.exposure), plan.view.outcome, plan.verdict.given)
    messages = [item.message for item in caught if issubclass(item.category, SupposeWarning)]
    for message in messages:
        warnings.warn(str(message), SupposeWarning, stacklevel=2)
    return tuple(map(str, messages))


# -- slopes ------------------------------------------------------------------------------------------


def _slopes(work: Work) -> Parts:
    """The slope in every way, and the table of verdicts on sets."""
    plan, unit = work.plan, slope_unit(work.study)
    found = work.model.estimates()
    if plan.way in LABELS and plan.way not in (*found, "bias", "rates"):
        raise EstimationError(
            "way-not-possible", f"the {plan.way} estimate cannot be made: "
            f"{' '.join(work.model.notes_) or 'imputation was switched off'}", where="method.way",
            remedy="Choose another way, or change what it says.",
        )  # fmt: skip
    findings = [
        Finding(
            name=name, label=LABELS[name], estimate=value.estimate, low=value.low, high=value.high, level=value.level,
            unit=unit, standard_error=value.standard_error, p_value=value.p_value, n=value.n, method=value.method,
            estimand="slope", headline=name == plan.way,
        )
        for name, value in found.items()
    ]  # fmt: skip
    tables: tuple[Table, ...] = ()
    if plan.sets is not None:
        rows = tuple((row["given"], row["verdict"], row["reason"]) for row in plan.sets.rows()[:16])
        note = "Safe: the slope is the effect. Null-safe: a test of no effect is valid, its size is not."
        tables = (Table(name="sets", title="What may be held fixed", columns=("held fixed", "verdict", "why"),
                        rows=rows, note=note),)  # fmt: skip
    return Parts(findings=tuple(findings), tables=tables, notes=work.model.notes_)


def _bias(work: Work) -> Parts:
    found = work.bias
    if found is None:
        return Parts()
    words = ", ".join(f"{name} {law}" for name, law in found.priors)
    finding = Finding(
        name="bias", label=LABELS["bias"], estimate=found.median, low=found.low, high=found.high, level=found.level,
        unit=slope_unit(work.study), n=len(work.table.y), method=f"bias analysis, {words}", estimand="slope",
        headline=work.plan.way == "bias",
    )  # fmt: skip
    return Parts(findings=(finding,))


def _rates(work: Work) -> Parts:
    found = work.rates
    if found is None:
        return Parts()
    finding = Finding(
        name="rates", label=LABELS["rates"], estimate=found.median, low=found.low, high=found.high, level=found.level,
        unit=found.measure, n=len(work.table.y), method="undoing errors of recording", estimand=found.measure,
        headline=work.plan.way == "rates",
    )  # fmt: skip
    recorded = Finding(
        name="rates-recorded", label=f"As recorded, {found.measure}", estimate=found.naive, unit=found.measure,
        n=len(work.table.y), method="recorded answers",
    ) if np.isfinite(found.naive) else None  # fmt: skip
    return Parts(findings=(finding,) if recorded is None else (finding, recorded))


# -- means of modes ----------------------------------------------------------------------------------


def _modes(work: Work) -> Parts:
    """Difference of mean answers between modes, the offer's estimate of it, and the known total."""
    study, table = work.study, work.table
    unit, level = study.roles.outcome_unit or study.outcome_words, study.method.level
    contrasts = mode_contrast(table.y, table.words, table.modes[0], work.covariates, level=level)
    lead = study.roles.exposure is None
    order = {c.mode: c for c in contrasts}
    findings = [
        Finding(
            name=f"contrast:{mode}", label=f"Mean answer by {table.say(mode)} minus {table.reference}",
            estimate=c.difference,
            low=c.low, high=c.high, level=c.level, unit=unit, standard_error=c.standard_error, p_value=c.p_value,
            n=c.n, method="difference of means" + (", covariates held fixed" if table.covariates else ""),
            estimand="difference of means", headline=lead and k == 0,
        )
        for k, (mode, c) in enumerate((mode, order[mode]) for mode in table.modes[1:])
    ]  # fmt: skip
    if table.covariates:
        plain = mode_contrast(table.y, table.words, table.modes[0], level=level)
        findings += [
            Finding(
                name=f"plain:{c.mode}", label=f"{table.say(c.mode)} minus {table.say(c.reference)}, nothing held fixed",
                estimate=c.difference, low=c.low, high=c.high, level=level, unit=unit, n=c.n,
                standard_error=c.standard_error, p_value=c.p_value, method="difference of means",
                estimand="difference of means",
            )
            for c in sorted(plain, key=lambda c: table.modes.index(c.mode))
        ]  # fmt: skip
    if work.offered is not None:
        offered = work.offered
        findings.append(Finding(
            name="offer", label="Effect of the other mode on the mean answer, by the offer", estimate=offered.estimate,
            low=offered.low, high=offered.high, level=level, unit=unit, standard_error=offered.standard_error,
            p_value=offered.p_value, n=offered.n, method=offered.method, estimand="mean shift",
        ))  # fmt: skip
    tables = [_mode_table(work)]
    if work.calibration is not None:
        shifts, table_ = _calibrated(work, unit)
        findings, tables = [*findings, *shifts], [*tables, table_]
    return Parts(findings=tuple(findings), tables=tuple(tables))


def _mode_table(work: Work) -> Table:
    words, y = work.table.words, work.table.y
    rows = []
    for mode in work.table.modes:
        inside = words == mode
        n = int(inside.sum())
        rows.append((mode, n, 100 * n / len(y), float(y[inside].mean()), float(y[inside].std(ddof=1))))
    columns = ("mode", "rows", "share, %", "mean answer", "standard deviation")
    return Table(name="modes", title="The modes", columns=columns, rows=tuple(rows))


def _calibrated(work: Work, unit: str) -> tuple[list[Finding], Table]:
    """How far each mode lies from the known total, and its mean once that is taken back."""
    found, level = work.calibration, work.study.method.level
    assert found is not None
    order = {row[0]: row for row in found.rows}
    findings, rows = [], []
    for mode in work.table.modes:
        _, n, mean, shift, error = order[mode]
        half = float(stats.t.ppf(0.5 + level / 2, max(n - 1, 1))) * error
        after = float(found.adjusted[work.table.words == mode].mean())
        rows.append((mode, n, mean, shift, shift - half, shift + half, after))
        findings.append(Finding(
            name=f"shift:{mode}", label=f"Shift of {work.table.say(mode)} from the known total",
            estimate=shift, low=shift - half,
            high=shift + half, level=level, unit=unit, standard_error=error, n=n, method="mean minus the total",
            estimand="shift",
        ))  # fmt: skip
    source = f" Known from: {work.study.calibration.source}." if work.study.calibration.source else ""
    table = Table(
        name="calibration", title=f"Each mode against the known total of {found.total:g}",
        columns=("mode", "rows", "mean", "shift", "low", "high", "mean once taken back"), rows=tuple(rows),
        note=f"Shift: how far the mode's answers must be moved to meet the total.{source}",
    )  # fmt: skip
    return findings, table
