"""What if part of the sample had answered in another mode? The study kind ``survey``.

Reads a table with a column that says how each row was measured (web or interviewer, one sensor or the other, two
labellers). With an exposure it asks what the mix of modes does to the slope of outcome on exposure, and whether to
hold the mode fixed: a causal graph decides, as :func:`~suppose.effects.mode.mode_safe_sets` reads it. Where no set of
columns is safe, beliefs about the size of the shifts (``[bias]``) or of errors of recording (``[rates]``) take over,
without conditioning on the mode. Without an exposure it compares mean answers between modes, and with a total known
from elsewhere (``[calibration]``).

What it does not do: decide without a graph or beliefs, deal with nonresponse, or see a mode effect in the data alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Float, Shaped
from pydantic import Field, field_validator

from suppose.core.answer import Answer, Assumption, Provenance
from suppose.core.columns import categories, encode, row_words, to_numbers
from suppose.core.errors import DataError, StudyError
from suppose.core.study import Material, Section, Steps
from suppose.studies.reported import ReportedStudy
from suppose.studies.survey_graph import Plan, plan_of, read_graph
from suppose.studies.tabular import DataSection, read_data

__all__ = ["Bias", "Calibration", "Graph", "Method", "Rates", "Roles", "Survey", "SurveyTable"]

Belief = str | float
SINGLE = ("exposure", "outcome", "mode", "offer")


class Roles(Section):
    """Which column is what, and the words a reader knows them by; without ``exposure`` mean answers are compared."""

    outcome: str
    mode: str
    exposure: str | None = None
    reference: str | int | float | bool | None = None
    covariates: tuple[str, ...] | None = None
    offer: str | None = None
    exposure_label: str = ""
    outcome_label: str = ""
    outcome_unit: str = ""

    @field_validator("covariates")
    @classmethod
    def _no_repeats(cls, covariates: tuple[str, ...] | None) -> tuple[str, ...] | None:
        repeated = [name for name in covariates or () if list(covariates or ()).count(name) > 1]
        if repeated:
            raise StudyError(
                "repeated-column", f"{repeated[0]!r} is listed twice", remedy="List each column once."
            )
        return covariates


class Graph(Section):
    """The causal graph, also as dagitty writes it: a name with a star is what is recorded of the name without it.

    ``exposure`` and ``outcome`` are the nodes of the true answers, by default the columns' names without a star.
    """

    text: str
    latent: tuple[str, ...] = ()
    exposure: str | None = None
    outcome: str | None = None


class Method(Section):
    """How the answer is computed; ``way = "auto"`` does what the graph says.

    ``reach``, in standard deviations of the reference mode, is how far the tipping curve goes; left out, as far as it
    takes for the finding to change, up to four.
    """

    way: Literal["auto", "naive", "conditional", "stratified", "imputed", "weighted", "bias", "rates"] = (
        "auto"
    )
    model: Literal["linear", "logistic"] = "linear"
    affected: Literal["both", "exposure", "outcome"] = "both"
    imputations: int = Field(default=20, ge=0, le=1000)
    smallest: int = Field(default=20, ge=2)
    reach: float | None = Field(default=None, gt=0.0, le=100.0)
    level: float = Field(default=0.95, gt=0.5, lt=1.0)


class Bias(Section):
    """What is believed of the other mode's shifts and scales: numbers, or laws such as ``"normal(0.3, 0.1)"``.

    ``"calibrated"`` (of ``delta_Y``) takes the shift and its standard error from the known total, ``"offered"`` from
    the offer as an instrument for the mode.
    """

    delta_X: Belief | None = None  # noqa: N815 (the words of the question)
    delta_Y: Belief | None = None  # noqa: N815
    scale_X: Belief | None = None  # noqa: N815
    scale_Y: Belief | None = None  # noqa: N815
    draws: int = Field(default=5000, ge=100, le=1_000_000)

    def priors(self) -> dict[str, Belief]:
        """Beliefs by the names :meth:`ModeEffectAnalysis.bias_analysis` has for them."""
        named = {
            "exposure": self.delta_X, "outcome": self.delta_Y,
            "exposure_scale": self.scale_X, "outcome_scale": self.scale_Y,
        }  # fmt: skip
        return {name: value for name, value in named.items() if value is not None}


class Rates(Section):
    """Sensitivity and specificity of yes/no answers in each mode; what is left out is recorded without error."""

    exposure_sensitivity_reference: Belief | None = None
    exposure_specificity_reference: Belief | None = None
    exposure_sensitivity_other: Belief | None = None
    exposure_specificity_other: Belief | None = None
    outcome_sensitivity_reference: Belief | None = None
    outcome_specificity_reference: Belief | None = None
    outcome_sensitivity_other: Belief | None = None
    outcome_specificity_other: Belief | None = None
    measure: Literal["log odds ratio", "risk difference"] = "log odds ratio"
    draws: int = Field(default=5000, ge=100, le=1_000_000)

    def given(self) -> dict[str, Belief]:
        """The rates that were stated."""
        named = self.model_dump(exclude={"measure", "draws"})
        return {name: value for name, value in named.items() if value is not None}


class Calibration(Section):
    """The mean outcome as known from elsewhere, and where it is known from."""

    total: float
    source: str = ""


@dataclass(frozen=True)
class SurveyTable:
    """The study's table as numbers.

    Attributes
    ----------
    X : pandas DataFrame
        Exposure and offer where there are any, mode (its words), encoded covariates.
    y : (n,) array
        Recorded outcome.
    modes : tuple of str
        Words of the modes, the reference first.
    covariates : tuple of str
        Encoded covariates held fixed in every way.
    sources : dict
        User's covariate to the encoded columns it became.
    plan : Plan
        What the graph, or its absence, says to do.
    """

    X: Any
    y: Float[np.ndarray, " n"]
    mode: str
    modes: tuple[str, ...]
    covariates: tuple[str, ...]
    sources: dict[str, tuple[str, ...]]
    plan: Plan
    notes: tuple[str, ...]

    def say(self, mode: str) -> str:
        """A mode as a reader knows it: its word, or which value of the column where that is a number."""
        return f"{self.mode} = {mode}" if _order(mode)[0] is False else mode

    @property
    def reference(self) -> str:
        """The reference mode as a reader knows it."""
        return self.say(self.modes[0])

    @property
    def words(self) -> Shaped[np.ndarray, " n"]:
        """Mode of each row."""
        return np.asarray(self.X[self.mode], dtype=str)


class Survey(ReportedStudy):
    """A slope, or a mean, from answers recorded in more than one mode.

    Examples
    --------
    >>> from suppose.datasets import load_brexit_polls
    >>> study = Survey.from_frame(
    ...     load_brexit_polls(), outcome="spread", mode="poll_type", calibration={"total": -0.038}
    ... )
    >>> answer = study.run()
    >>> round(answer.headline.estimate, 4)  # telephone minus online
    0.0746
    """

    kind: ClassVar[str] = "survey"

    question: Literal["survey"] = "survey"
    data: DataSection
    roles: Roles
    graph: Graph | None = None
    method: Method = Field(default_factory=Method)
    bias: Bias | None = None
    rates: Rates | None = None
    calibration: Calibration | None = None

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        outcome: str,
        mode: str,
        graph: Any = None,
        data: dict[str, Any] | None = None,
        method: dict[str, Any] | None = None,
        bias: dict[str, Any] | None = None,
        rates: dict[str, Any] | None = None,
        calibration: dict[str, Any] | None = None,
        run: dict[str, Any] | None = None,
        title: str = "",
        **roles: Any,
    ) -> Any:
        """Study of a pandas, polars or pyarrow table; the keywords are the keys of the study file.

        ``graph`` is a section, or its text alone.
        """
        content: dict[str, Any] = {
            "question": "survey",
            "title": title,
            "data": {"frame": frame, **(data or {})},
            "roles": {"outcome": outcome, "mode": mode, **roles},
            "method": method or {},
            "run": run or {},
        }
        given = {"graph": {"text": graph} if isinstance(graph, str) else graph, "bias": bias, "rates": rates,
                 "calibration": calibration}  # fmt: skip
        return cls.from_dict(content | {name: value for name, value in given.items() if value is not None})

    # -- reading -------------------------------------------------------------------------------

    def read(self) -> Material:
        """Read, validate and encode the columns the study names, and ask the graph what to hold fixed."""
        self._refuse_contradictions()
        roles = self.roles
        view = None if self.graph is None else read_graph(self)
        wanted = roles.covariates if roles.covariates is not None else () if view is None else view.columns
        single = {name: getattr(roles, name) for name in SINGLE}
        named = {f"roles.{name}": (column,) for name, column in single.items() if column is not None}
        key = "roles.covariates" if roles.covariates is not None else "graph.text"
        frame, inputs = read_data(self.data, self.home, {**named, key: wanted})
        plan = plan_of(self, view)
        return Material(self._encoded(frame, plan), inputs)

    def _refuse_contradictions(self) -> None:
        """What can be refused before the table is read."""
        from suppose.effects.mode.bias import read_priors
        from suppose.effects.mode.misclassification import read_rates

        roles, taken = self.roles, dict[str, str]()
        pairs = [(name, getattr(roles, name)) for name in SINGLE if getattr(roles, name) is not None]
        for role, name in [*pairs, *(("covariates", name) for name in roles.covariates or ())]:
            if name in taken:
                raise StudyError(
                    "role-taken", f"{name!r} is also the {taken[name]}", where=f"roles.{role}",
                    remedy="Give each column one role.",
                )  # fmt: skip
            taken[name] = role
        if roles.exposure is None and (self.bias is not None or self.rates is not None):
            raise StudyError(
                "no-exposure", "shifts and errors of recording are taken back from a slope, and no exposure is named",
                where="roles.exposure", remedy="Name the exposure, or leave [bias] and [rates] out.",
            )  # fmt: skip
        missing = {"bias": self.bias, "rates": self.rates}
        if missing.get(self.method.way, self) is None:
            raise StudyError(
                "no-beliefs", f"way = {self.method.way!r} needs a section [{self.method.way}]", where="method.way",
                remedy='Say what is believed, for example [bias] delta_Y = "normal(0.3, 0.1)".',
            )  # fmt: skip
        if self.rates is not None:
            if not self.rates.given():
                raise StudyError(
                    "no-beliefs", "the section [rates] states no rate", where="rates",
                    remedy="State one, for example outcome_sensitivity_other = 0.9, or leave the section out.",
                )  # fmt: skip
            read_rates(self.rates.given())
        if self.bias is not None:
            read_priors(self._stated_priors(self.bias))

    def _stated_priors(self, bias: Bias) -> dict[str, Belief]:
        """Beliefs as stated; those taken from the data, which must have a source, as zero shifts."""
        priors = bias.priors()
        for name, key in (("exposure", "delta_X"), ("outcome", "delta_Y")):
            taken = priors.get(name)
            if taken == "calibrated" and name == "outcome":
                if self.calibration is None:
                    raise StudyError(
                        "no-beliefs", 'delta_Y = "calibrated" needs a section [calibration]', where="bias.delta_Y",
                        remedy="Give the total, or state the shift.",
                    )  # fmt: skip
                priors[name] = 0.0
            if taken == "offered":
                if self.roles.offer is None:
                    raise StudyError(
                        "no-beliefs", f'{key} = "offered" needs the column of an offer', where=f"bias.{key}",
                        remedy="Name roles.offer, a mode offered at random, or state the shift.",
                    )  # fmt: skip
                priors[name] = 0.0
        return priors

    def _encoded(self, frame: Any, plan: Plan) -> SurveyTable:
        import pandas as pd

        roles = self.roles
        y, kept = self._column(frame, roles.outcome, "roles.outcome")
        words, kept_m = self._mode(frame)
        kept &= kept_m
        columns: dict[str, np.ndarray] = {}
        for role in ("exposure", "offer"):
            name = getattr(roles, role)
            if name is not None:
                columns[name], kept_r = self._column(frame, name, f"roles.{role}")
                kept &= kept_r
        encoded, kept_x = encode(
            frame, plan.covariates, role="roles.covariates", missing=self.data.missing, types=self.data.types,
            max_levels=self.data.max_levels,
        )  # fmt: skip
        kept &= kept_x
        matrix = np.full((len(y), encoded.matrix.shape[1]), np.nan)
        matrix[kept_x] = encoded.matrix
        content: dict[str, Any] = {name: values[kept] for name, values in columns.items()}
        content[roles.mode] = words[kept]
        content |= {name: matrix[kept, j] for j, name in enumerate(encoded.names)}
        modes = self._levels(words[kept])
        dropped = int((~kept).sum())
        notes = (f"{dropped:,} rows left out for missing values in all.",) if dropped else ()
        pairs = list(zip(encoded.names, encoded.sources, strict=True))
        sources = {name: tuple(n for n, source in pairs if source == name) for name in plan.covariates}
        return SurveyTable(
            pd.DataFrame(content), y[kept], roles.mode, modes, encoded.names, sources, plan, (*encoded.notes, *notes)
        )  # fmt: skip

    def _column(self, frame: Any, name: str, role: str) -> tuple[np.ndarray, np.ndarray]:
        values = to_numbers(frame, name, role=role, as_type=self.data.types.get(name))
        return values, self._present(~np.isnan(values), name, role)

    def _present(self, present: np.ndarray, name: str, role: str) -> np.ndarray:
        if not present.all() and self.data.policy(name) != "drop":
            raise DataError(
                "missing-value", f"missing values in {row_words(~present)}; these are never filled in",
                where=f"{role}: column {name!r}",
                remedy=f'Say data.missing = {{ {name} = "drop" }} to leave these rows out.',
            )  # fmt: skip
        return present

    def _mode(self, frame: Any) -> tuple[np.ndarray, np.ndarray]:
        """Word of each row's mode, and the rows that have one."""
        name, series = self.roles.mode, frame[self.roles.mode]
        if series.dtype.is_numeric() or series.dtype.is_boolean():
            values, present = self._column(frame, name, "roles.mode")
            codes, words = np.zeros(len(values), dtype=np.int64), np.array([""], dtype=object)
            known, inside = np.unique(values[present], return_inverse=True)
            codes[present] = inside
            words = np.array([f"{value:g}" for value in known], dtype=object) if len(known) else words
            return words[codes].astype(str), present
        declared = self.data.types.get(name) == "category"
        codes, levels = categories(
            frame, name, role="roles.mode", max_levels=self.data.max_levels, declared=declared
        )
        present = self._present(codes >= 0, name, "roles.mode")
        return np.array(levels, dtype=object)[np.maximum(codes, 0)].astype(str), present

    def _levels(self, words: np.ndarray) -> tuple[str, ...]:
        """Modes, the reference first; refuses one mode alone and modes with few rows."""
        from suppose.effects.mode.calibration import mode_levels

        known = sorted(set(words.tolist()), key=_order)
        given = self.roles.reference
        reference = known[0] if given is None and known else _word(given)
        modes = mode_levels(words, reference)
        counts = [int((words == value).sum()) for value in modes]
        if min(counts) < self.method.smallest:
            raise DataError(
                "mode-too-small", f"expected at least {self.method.smallest} rows in each mode, got {min(counts)} in "
                f"{modes[counts.index(min(counts))]}", where=f"roles.mode: column {self.roles.mode!r}",
                remedy="Put rare modes together, or lower smallest.",
            )  # fmt: skip
        return (modes[0], *(word for word in known if word != modes[0]))

    # -- answering -----------------------------------------------------------------------------

    def answer(self, material: Material, steps: Steps) -> Answer:
        """Compare the ways, follow the graph, try to break the answer, and say it in words."""
        from suppose.studies.survey_parts import gather

        found = gather(self, material.content, steps)
        return Answer(
            question="survey",
            title=self.title or self._default_title(),
            sentence=found.sentence,
            credibility=found.credibility,
            credibility_words=found.credibility_words,
            findings=found.parts.findings,
            assumptions=self._assumptions(material.content),
            checks=found.parts.checks,
            tables=found.parts.tables,
            figures=found.parts.figures,
            notes=(*material.content.notes, *found.parts.notes),
            provenance=Provenance(suppose="", python="", packages={}, seed=self.seed, study=""),
        )

    @property
    def outcome_words(self) -> str:
        """The outcome in the reader's words."""
        return self.roles.outcome_label or self.roles.outcome

    @property
    def exposure_words(self) -> str:
        """The exposure in the reader's words."""
        return self.roles.exposure_label or str(self.roles.exposure)

    def _default_title(self) -> str:
        if self.roles.exposure is None:
            return f"How much do answers on {self.outcome_words} depend on the mode?"
        return f"Does the mix of modes bias {self.exposure_words} and {self.outcome_words}?"

    def _assumptions(self, table: SurveyTable) -> tuple[Assumption, ...]:
        from suppose.studies.survey_words import assumptions

        return assumptions(self, table)


def _word(value: Any) -> str:
    return f"{float(value):g}" if isinstance(value, (bool, int, float, np.number)) else str(value)


def _order(word: str) -> tuple[bool, float, str]:
    """Numbers by their size, before words by the alphabet."""
    try:
        return (False, float(word), word)
    except ValueError:
        return (True, 0.0, word)
