"""What does a treatment do to an outcome? The study kind ``effect``.

Reads a table, fits the method the study names and the simpler ones beside it, tries to break the
answer (overlap, balance, refutations, hidden confounding), and says in words whether the comparison
is credible. The verdict is a rule, not a judgement: any failed check makes it *not credible*, any
warning *doubtful*. It cannot see confounding that no check of the table can show; the sensitivity
section says how much of it would be needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Float
from pydantic import Field, field_validator

from suppose.core.answer import Answer, Assumption, Provenance
from suppose.core.columns import categories, encode, row_words, to_numbers
from suppose.core.cost import Cost
from suppose.core.errors import DataError, StudyError, nearest
from suppose.core.study import Material, Section, Steps
from suppose.studies.effect_network import Network, refuse_wrong_method
from suppose.studies.reported import ReportedStudy
from suppose.studies.tabular import DataSection, read_data

__all__ = ["Checks", "Effect", "EffectTable", "Method", "Roles"]

Refuting = Literal["placebo-treatment", "random-common-cause", "subset"]
REFUTATIONS: tuple[Refuting, ...] = ("placebo-treatment", "random-common-cause", "subset")


class Roles(Section):
    """Which column is what, and the words a reader knows them by."""

    treatment: str
    outcome: str
    adjust: tuple[str, ...] | None = None
    graph: str | None = None
    cluster: str | None = None
    dose: str | None = None
    graphs: str | None = None
    reference: str | int | float | bool | None = None
    treatment_type: Literal["binary", "multi-valued", "continuous"] | None = None
    randomised: bool = False
    treatment_label: str = ""
    outcome_label: str = ""
    outcome_unit: str = ""

    @field_validator("adjust")
    @classmethod
    def _no_repeats(cls, adjust: tuple[str, ...] | None) -> tuple[str, ...] | None:
        repeated = [name for name in adjust or () if list(adjust or ()).count(name) > 1]
        if repeated:
            raise StudyError(
                "repeated-column", f"{repeated[0]!r} is listed twice", remedy="List each column once."
            )
        return adjust


class Method(Section):
    """How the effect is estimated."""

    name: Literal["auto", "aipw", "plr", "ipw", "g-computation", "difference", "transtee"] = "auto"
    estimand: Literal["ATE", "ATT", "ATO"] = "ATE"
    learner: Literal["linear", "lasso", "forest", "boosting"] = "linear"
    outcome_learner: Literal["linear", "lasso", "forest", "boosting"] | None = None
    treatment_learner: Literal["linear", "lasso", "forest", "boosting"] | None = None
    folds: int = Field(default=5, ge=2, le=100)
    repeats: int = Field(default=1, ge=1, le=100)
    overlap_rule: Literal["clip", "drop"] = "clip"
    threshold: float = Field(default=0.01, ge=0.0, lt=0.5)
    level: float = Field(default=0.95, gt=0.5, lt=1.0)
    compare: bool = True
    network: Network = Field(default_factory=Network)


class Checks(Section):
    """Which attempts to break the answer are made."""

    refute: tuple[Refuting, ...] = REFUTATIONS
    draws: int = Field(default=20, ge=5, le=1000)
    placebo_outcome: str | None = None
    benchmarks: tuple[str, ...] | None = None
    confounding: float = Field(default=0.03, gt=0.0, lt=1.0)
    heterogeneity: bool = True


@dataclass(frozen=True)
class EffectTable:
    """The study's table as numbers.

    Attributes
    ----------
    X : pandas DataFrame (n, 1 + p [+ 1])
        Treatment, encoded covariates, and cluster codes where there are clusters.
    y : (n,) array
        Outcome, in ``outcome_unit``.
    labels : dict
        Treatment value to the word for it; empty for a continuous treatment.
    kind : str
        ``"binary"``, ``"multi-valued"`` or ``"continuous"``.
    sources : dict
        User's column to the encoded columns it became.
    placebo_outcome : (n,) array, optional
        Column the treatment cannot have changed.
    graphs, graph_names : tuples, optional
        The graphs the treatment numbers, and the words for them.
    """

    X: Any
    y: Float[np.ndarray, " n"]
    treatment: str
    covariates: tuple[str, ...]
    cluster: str | None
    reference: float | None
    labels: dict[float, str]
    kind: str
    sources: dict[str, tuple[str, ...]]
    placebo_outcome: Float[np.ndarray, " n"] | None
    notes: tuple[str, ...]
    graphs: tuple[Any, ...] | None = None
    graph_names: tuple[str, ...] = ()


class Effect(ReportedStudy):
    """The effect of a treatment on an outcome, from a table.

    Examples
    --------
    >>> from suppose.datasets import make_experiment
    >>> study = Effect.from_frame(
    ...     make_experiment(n=400, effect=2.0, seed=1).frame, treatment="d", outcome="y", adjust=[],
    ...     checks={"refute": [], "heterogeneity": False}, method={"name": "difference"},
    ... )
    >>> answer = study.run()
    >>> answer.headline.low < 2.0 < answer.headline.high
    True
    """

    kind: ClassVar[str] = "effect"

    question: Literal["effect"] = "effect"
    data: DataSection
    roles: Roles
    method: Method = Field(default_factory=Method)
    checks: Checks = Field(default_factory=Checks)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        treatment: str,
        outcome: str,
        adjust: Any = None,
        data: dict[str, Any] | None = None,
        method: dict[str, Any] | None = None,
        checks: dict[str, Any] | None = None,
        run: dict[str, Any] | None = None,
        title: str = "",
        **roles: Any,
    ) -> Any:
        """Study of a pandas, polars or pyarrow table; the keywords are the keys of the study file."""
        content: dict[str, Any] = {
            "question": "effect",
            "title": title,
            "data": {"frame": frame, **(data or {})},
            "roles": {"treatment": treatment, "outcome": outcome, **roles},
            "method": method or {},
            "checks": checks or {},
            "run": run or {},
        }
        if adjust is not None:
            content["roles"]["adjust"] = list(adjust)
        return cls.from_dict(content)

    @property
    def name(self) -> str:
        """Short name of the study, from its file."""
        return self._name

    # -- reading -------------------------------------------------------------------------------

    def read(self) -> Material:
        """Read, validate and encode the columns the study names."""
        roles = self.roles
        refuse_wrong_method(self)
        adjust = self.adjustment()
        self._refuse_shared_roles(adjust)
        columns = {
            "roles.treatment": roles.treatment,
            "roles.outcome": roles.outcome,
            "roles.cluster": roles.cluster,
            "roles.dose": roles.dose,
            "checks.placebo_outcome": self.checks.placebo_outcome,
        }
        named: dict[str, tuple[str, ...]] = {
            role: (name,) for role, name in columns.items() if name is not None
        }
        frame, inputs = read_data(self.data, self.home, {**named, "roles.adjust": adjust})
        table = self._encoded(frame, adjust)
        if roles.graphs is None:
            return Material(table, inputs)
        from suppose.studies.effect_network import read_graphs
        from suppose.studies.effect_neural import with_graphs

        graphs, names, record = read_graphs(self, table.labels, table.X[roles.treatment].to_numpy())
        return Material(with_graphs(table, graphs, names), (*inputs, record))

    def adjustment(self) -> tuple[str, ...]:
        """The columns adjusted for: those listed, or those the graph asks for."""
        roles = self.roles
        if roles.graph is None:
            if roles.adjust is None and not roles.randomised and self.method.name != "difference":
                raise StudyError(
                    "what-to-adjust",
                    "the study does not say what to adjust for",
                    where="roles.adjust",
                    remedy="List covariates, give a graph, or say randomised = true; adjust = [] compares as is.",
                )
            return roles.adjust or ()
        from suppose.graphs import DAG, adjustment_sets, is_adjustment_set

        dag = DAG.parse(roles.graph)
        if roles.adjust is not None:
            verdict = is_adjustment_set(dag, roles.treatment, roles.outcome, roles.adjust)
            if not verdict.valid:
                raise StudyError(
                    "not-an-adjustment-set",
                    verdict.reason,
                    where="roles.adjust",
                    remedy="Change the list, or leave it out: the graph then chooses.",
                )
            return roles.adjust
        for kind in ("optimal", "minimum"):
            sets = list(adjustment_sets(dag, roles.treatment, roles.outcome, kind))
            if sets:
                return tuple(sets[0])
        reason = str(adjustment_sets(dag, roles.treatment, roles.outcome, "minimum"))
        raise StudyError(
            "not-identified",
            reason.splitlines()[0],
            where="roles.graph",
            remedy="Measure one of the hidden causes, or use another design.",
        )

    def _refuse_shared_roles(self, adjust: tuple[str, ...]) -> None:
        roles = self.roles
        taken: dict[str, str] = {}
        pairs = [
            ("treatment", roles.treatment),
            ("outcome", roles.outcome),
            *((("dose", roles.dose),) if roles.dose is not None else ()),
            *(("adjust", name) for name in adjust),
        ]
        for role, name in pairs:
            if name in taken:
                raise StudyError(
                    "role-taken",
                    f"{name!r} is also the {taken[name]}",
                    where=f"roles.{role}",
                    remedy="Give each column one role.",
                )
            taken[name] = role

    def _encoded(self, frame: Any, adjust: tuple[str, ...]) -> EffectTable:
        import pandas as pd

        placebo = self.checks.placebo_outcome
        covariates = tuple(name for name in adjust if name != placebo)
        y, kept_y = self._column(frame, self.roles.outcome, "roles.outcome")
        d, labels, kept_d = self._treatment(frame)
        kept = kept_y & kept_d
        encoded, kept_x = encode(
            frame,
            covariates,
            role="roles.adjust",
            missing=self.data.missing,
            types=self.data.types,
            max_levels=self.data.max_levels,
        )
        matrix = _expanded(encoded.matrix, kept_x)
        kept &= kept_x
        columns = {self.roles.treatment: d, **{name: matrix[:, j] for j, name in enumerate(encoded.names)}}
        if self.roles.cluster is not None:
            columns[self.roles.cluster], kept_c = self._cluster_codes(frame)
            kept &= kept_c
        if self.roles.dose is not None:
            columns[self.roles.dose], kept_s = self._column(frame, self.roles.dose, "roles.dose")
            kept &= kept_s
        control = None
        if placebo is not None:
            control, kept_p = self._column(frame, placebo, "checks.placebo_outcome")
            kept &= kept_p
            control = control[kept]
        X = pd.DataFrame({name: values[kept] for name, values in columns.items()})
        kind = self._kind(X[self.roles.treatment].to_numpy(), labels)
        _refuse_constant(
            X[self.roles.treatment].to_numpy(),
            f"roles.treatment: column {self.roles.treatment!r}",
            "every row has the same treatment, so there is nothing to compare",
        )
        _refuse_constant(
            y[kept], f"roles.outcome: column {self.roles.outcome!r}", "every row has the same outcome"
        )
        sources = {
            name: tuple(
                label for label, source in zip(encoded.names, encoded.sources, strict=True) if source == name
            )
            for name in covariates
        }
        dropped = int((~kept).sum())
        notes = (
            *encoded.notes,
            *((f"{dropped:,} rows left out for missing values in all.",) if dropped else ()),
        )
        return EffectTable(
            X=X,
            y=y[kept],
            treatment=self.roles.treatment,
            covariates=encoded.names,
            cluster=self.roles.cluster,
            reference=self._reference(X[self.roles.treatment].to_numpy(), labels, kind),
            kind=kind,
            sources=sources,
            labels=labels
            or {float(v): f"{v:g}" for v in np.unique(X[self.roles.treatment]) if kind != "continuous"},
            placebo_outcome=control,
            notes=notes,
        )

    def _column(self, frame: Any, name: str, role: str) -> tuple[np.ndarray, np.ndarray]:
        """An outcome-like column and the rows that have it."""
        values = to_numbers(frame, name, role=role, as_type=self.data.types.get(name))
        return values, self._present(~np.isnan(values), name, role)

    def _present(self, present: np.ndarray, name: str, role: str) -> np.ndarray:
        if not present.all() and self.data.policy(name) != "drop":
            raise DataError(
                "missing-value",
                f"missing values in {row_words(~present)}; these are never filled in",
                where=f"{role}: column {name!r}",
                remedy=f'Say data.missing = {{ {name} = "drop" }} to leave these rows out.',
            )
        return present

    def _treatment(self, frame: Any) -> tuple[np.ndarray, dict[float, str], np.ndarray]:
        name, role = self.roles.treatment, "roles.treatment"
        series = frame[name]
        declared = self.data.types.get(name)
        if declared == "category" or (
            declared is None and not (series.dtype.is_numeric() or series.dtype.is_boolean())
        ):
            codes, levels = categories(
                frame, name, role=role, max_levels=self.data.max_levels, declared=declared == "category"
            )
            kept = self._present(codes >= 0, name, role)
            return codes.astype(float), {float(k): level for k, level in enumerate(levels)}, kept
        values, kept = self._column(frame, name, role)
        return values, {}, kept

    def _kind(self, d: np.ndarray, labels: dict[float, str]) -> str:
        distinct = len(np.unique(d))
        found = "binary" if distinct <= 2 else "multi-valued" if labels or distinct <= 10 else "continuous"
        if self.roles.treatment_type == "continuous" and labels:
            raise DataError(
                "not-a-number",
                "a continuous treatment must hold numbers, this one holds text",
                where=f"roles.treatment: column {self.roles.treatment!r}",
                remedy="Leave roles.treatment_type out.",
            )
        declared = self.roles.treatment_type
        if declared in ("binary", "multi-valued") and declared != found:
            shown = ", ".join(labels.get(float(v), f"{v:g}") for v in np.unique(d)[:6])
            raise DataError(
                f"not-{declared}",
                f"expected a {declared} treatment, got {distinct} values ({shown})",
                where=f"roles.treatment: column {self.roles.treatment!r}",
                remedy="Leave roles.treatment_type out, or recode the column.",
            )
        return declared or found

    def _reference(self, d: np.ndarray, labels: dict[float, str], kind: str) -> float | None:
        if self.roles.reference is None or kind == "continuous":
            return None
        words = {label: value for value, label in labels.items()}
        words |= {f"{v:g}": float(v) for v in np.unique(d) if not labels}
        given = self.roles.reference
        text = f"{float(given):g}" if isinstance(given, (bool, int, float)) else given
        if text not in words:
            raise StudyError(
                "unknown-arm",
                f"the treatment never has the value {text!r}; it has {', '.join(words)}",
                where="roles.reference",
                remedy=nearest(text, words) or "Name one of these.",
            )
        return words[text]

    def _cluster_codes(self, frame: Any) -> tuple[np.ndarray, np.ndarray]:
        """Codes of the clusters, and the rows that have one: a missing cluster is no cluster of its own."""
        name = str(self.roles.cluster)
        series = frame[name]
        known = np.array([value is not None and value == value for value in series.to_list()])
        kept = self._present(known, name, "roles.cluster")
        texts = [str(value) for value in series.to_list()]
        return np.unique(texts, return_inverse=True)[1].astype(float), kept

    # -- answering -----------------------------------------------------------------------------

    def cost(self, material: Material) -> Cost:
        """Memory at the peak, and the learners that estimates and checks fit."""
        from suppose.studies.effect_estimators import plan

        return plan(self, material.content)

    def answer(self, material: Material, steps: Steps) -> Answer:
        """Estimate, compare, try to break, and say it in words."""
        from suppose.studies.effect_answer import gather

        gathered = gather(self, material.content, steps)
        return Answer(
            question="effect",
            title=self.title or self._default_title(),
            sentence=gathered.sentence,
            credibility=gathered.credibility,
            credibility_words=gathered.credibility_words,
            findings=gathered.parts.findings,
            assumptions=self._assumptions(),
            checks=gathered.parts.checks,
            tables=gathered.parts.tables,
            figures=gathered.parts.figures,
            notes=(*material.content.notes, *gathered.parts.notes),
            provenance=Provenance(suppose="", python="", packages={}, seed=self.seed, study=""),
        )

    def _default_title(self) -> str:
        roles = self.roles
        return f"What does {roles.treatment_label or roles.treatment} do to {roles.outcome_label or roles.outcome}?"

    def _assumptions(self) -> tuple[Assumption, ...]:
        roles = self.roles
        placebo = self.checks.placebo_outcome  # taken out of the covariates
        adjusted = ", ".join(name for name in self.adjustment() if name != placebo) or "nothing"
        first = (
            Assumption(
                name="randomisation",
                statement=f"{roles.treatment} was assigned at random.",
                tested_by=("balance", "placebo-outcome"),
            )
            if roles.randomised
            else Assumption(
                name="no-unmeasured-confounding",
                statement=f"Given {adjusted}, nothing unmeasured drives both {roles.treatment} and {roles.outcome}.",
                tested_by=("placebo-outcome", "sensitivity"),
            )
        )
        rows = f"{roles.cluster} groups are" if roles.cluster else "Rows are"
        return (
            first,
            Assumption(
                name="overlap",
                statement="Every kind of unit could have had either treatment.",
                tested_by=("dose-support", "overlap") if self.method.name == "transtee" else ("overlap",),
            ),
            Assumption(
                name="no-interference",
                statement="One unit's treatment does not change another's outcome, and treatment means one thing.",
            ),
            Assumption(
                name="independence", statement=f"{rows} independent draws from the population of interest."
            ),
            Assumption(name="before", statement="Everything adjusted for was fixed before the treatment."),
        )


def _expanded(matrix: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """A matrix of kept rows laid back on all rows (the others hold NaN and are left out later)."""
    if kept.all():
        return matrix
    whole = np.full((len(kept), matrix.shape[1]), np.nan)
    whole[kept] = matrix
    return whole


def _refuse_constant(values: np.ndarray, where: str, problem: str) -> None:
    if len(values) == 0 or np.all(values == values[0]):
        raise DataError(
            "constant-column", problem, where=where, remedy="Check the column and the rows left in."
        )
