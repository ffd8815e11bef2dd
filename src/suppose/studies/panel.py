"""What if the treatment of these units changed? The study kind ``panel``.

Reads a table in which units are seen again and again, estimates the effect with the units' own unobserved
levels dealt with, and shows every other way of dealing with them beside it. A treatment that starts and
stays on is answered by group-time effects (``method.name = "staggered"``), any other by double machine
learning with correlated random effects. Checks ask whether levels are still in the residual, whether the
treatment moves enough within units, whether its future says something about the present, and whether ways
that rest on other assumptions agree. They cannot see what changes within a unit together with its treatment
and was not measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Float
from pydantic import Field, field_validator

from suppose.core.answer import Answer, Assumption, Provenance
from suppose.core.columns import encode, row_words, to_numbers
from suppose.core.errors import DataError, StudyError
from suppose.core.study import Material, Section, Steps
from suppose.studies.reported import ReportedStudy
from suppose.studies.tabular import DataSection, read_data

__all__ = ["Checks", "Method", "Panel", "PanelTable", "Roles"]

Transform = Literal[
    "pooled", "within", "within_both", "fd", "fd_exact", "cre_means", "cre", "cre_normal", "cre_general"
]
Learner = Literal["linear", "lasso", "forest", "boosting", "stack"]


class Roles(Section):
    """Which column is what, and the words a reader knows them by."""

    treatment: str
    outcome: str
    unit: str
    time: str
    adjust: tuple[str, ...] = ()
    treatment_label: str = ""
    outcome_label: str = ""
    outcome_unit: str = ""
    unit_label: str = ""

    @field_validator("adjust")
    @classmethod
    def _no_repeats(cls, adjust: tuple[str, ...]) -> tuple[str, ...]:
        repeated = [name for name in adjust if adjust.count(name) > 1]
        if repeated:
            raise StudyError(
                "repeated-column", f"{repeated[0]!r} is listed twice", remedy="List each column once."
            )
        return adjust


class Method(Section):
    """How the effect is estimated.

    ``name`` is ``auto``, ``staggered``, or a transform of :mod:`suppose.effects.panel.transforms`;
    ``auto`` is ``staggered`` for a 0/1 treatment that starts and stays on, else ``cre``. ``control``,
    ``anticipation`` and ``draws`` belong to ``staggered``.
    """

    name: Literal["auto", "staggered"] | Transform = "auto"
    learner: Learner = "boosting"
    treatment_learner: Learner | None = None
    period: bool = True
    treatment_mean: bool = True
    tune: bool = False
    folds: int = Field(default=5, ge=2, le=100)
    fold_by: Literal["unit", "rows"] = "unit"
    repeats: int = Field(default=5, ge=1, le=100)
    singletons: Literal["refuse", "drop"] = "refuse"
    compare: tuple[Transform, ...] = ("pooled", "cre_means", "within", "within_both", "fd_exact", "cre")
    control: Literal["not-yet-treated", "never-treated"] = "not-yet-treated"
    anticipation: int = Field(default=0, ge=0, le=100)
    draws: int = Field(default=999, ge=99, le=100_000)
    level: float = Field(default=0.95, gt=0.5, lt=1.0)


class Checks(Section):
    """Which attempts to break the answer are made."""

    row_folds: bool = True
    future_treatment: bool = True


@dataclass(frozen=True)
class PanelTable:
    """The study's table as numbers.

    Attributes
    ----------
    X : pandas DataFrame (n, 3 + p)
        Treatment, unit, time, and encoded covariates.
    y : (n,) array
        Outcome, in ``outcome_unit``.
    covariates : tuple of str
        Encoded covariates.
    method : str
        ``"staggered"`` or a transform.
    """

    X: Any
    y: Float[np.ndarray, " n"]
    covariates: tuple[str, ...]
    method: str
    notes: tuple[str, ...]


class Panel(ReportedStudy):
    """The effect of a treatment that changes within units, from a panel.

    Examples
    --------
    >>> from suppose.datasets import make_panel
    >>> study = Panel.from_frame(
    ...     make_panel(units=80, periods=5, form="linear", seed=1).frame, treatment="d", outcome="y",
    ...     unit="unit", time="time", adjust=["x1", "x2"],
    ...     method={"learner": "linear", "repeats": 1, "compare": ["pooled"]},
    ... )
    >>> answer = study.run()
    >>> answer.headline.low < 0.5 < answer.headline.high
    True
    """

    kind: ClassVar[str] = "panel"

    question: Literal["panel"] = "panel"
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
        unit: str,
        time: str,
        data: dict[str, Any] | None = None,
        method: dict[str, Any] | None = None,
        checks: dict[str, Any] | None = None,
        run: dict[str, Any] | None = None,
        title: str = "",
        **roles: Any,
    ) -> Any:
        """Study of a pandas, polars or pyarrow table; the keywords are the keys of the study file."""
        columns = {"treatment": treatment, "outcome": outcome, "unit": unit, "time": time}
        return cls.from_dict(
            {
                "question": "panel", "title": title, "data": {"frame": frame, **(data or {})},
                "roles": columns | roles, "method": method or {}, "checks": checks or {}, "run": run or {},
            }
        )  # fmt: skip

    # -- reading -------------------------------------------------------------------------------

    def read(self) -> Material:
        """Read, validate and encode the columns the study names; refuse what no panel method can use."""
        roles = self.roles
        self._refuse_shared_roles()
        named = {
            f"roles.{role}": (getattr(roles, role),) for role in ("treatment", "outcome", "unit", "time")
        }
        frame, inputs = read_data(self.data, self.home, {**named, "roles.adjust": roles.adjust})
        return Material(self._encoded(frame), inputs)

    def _refuse_shared_roles(self) -> None:
        taken: dict[str, str] = {}
        single = [(role, getattr(self.roles, role)) for role in ("treatment", "outcome", "unit", "time")]
        for role, name in [*single, *(("adjust", name) for name in self.roles.adjust)]:
            if name in taken:
                raise StudyError(
                    "role-taken", f"{name!r} is also the {taken[name]}", where=f"roles.{role}",
                    remedy="Give each column one role; method.period = true adjusts for the period.",
                )  # fmt: skip
            taken[name] = role

    def _encoded(self, frame: Any) -> PanelTable:
        import pandas as pd

        roles = self.roles
        y, kept_y = self._numbers(frame, roles.outcome, "roles.outcome")
        d, kept_d = self._numbers(frame, roles.treatment, "roles.treatment")
        encoded, kept_x = encode(
            frame, roles.adjust, role="roles.adjust", missing=self.data.missing, types=self.data.types,
            max_levels=self.data.max_levels,
        )  # fmt: skip
        kept = kept_y & kept_d & kept_x
        columns: dict[str, Any] = {
            roles.treatment: d[kept],
            roles.unit: self._labels(frame, roles.unit, "roles.unit")[kept],
            roles.time: self._labels(frame, roles.time, "roles.time")[kept],
        }
        columns |= {name: encoded.matrix[kept[kept_x], j] for j, name in enumerate(encoded.names)}
        X = pd.DataFrame(columns)
        dropped = int((~kept).sum())
        notes = (f"{dropped:,} rows left out for missing values in all.",) if dropped else ()
        method = self._method_for(X, y[kept])
        return PanelTable(X, y[kept], encoded.names, method, (*encoded.notes, *notes))

    def _numbers(self, frame: Any, name: str, role: str) -> tuple[np.ndarray, Bool[np.ndarray, " n"]]:
        values = to_numbers(frame, name, role=role, as_type=self.data.types.get(name))
        missing = np.isnan(values)
        if missing.any() and self.data.policy(name) != "drop":
            raise DataError(
                "missing-value", f"missing values in {row_words(missing)}; these are never filled in",
                where=f"{role}: column {name!r}",
                remedy=f'Say data.missing = {{ {name} = "drop" }} to leave these rows out.',
            )  # fmt: skip
        return values, ~missing

    def _labels(self, frame: Any, name: str, role: str) -> np.ndarray:
        """Labels of units or times: numbers and dates as they are, anything else as text."""
        import pandas as pd

        values = frame[name].to_numpy()
        missing = np.asarray(pd.isna(values))
        if missing.any():
            raise DataError(
                "missing-value", f"missing values in {row_words(missing)}; these are never filled in",
                where=f"{role}: column {name!r}", remedy="Fill them in, or drop these rows.",
            )  # fmt: skip
        return np.asarray(values if values.dtype.kind in "iufM" else values.astype(str))

    def _method_for(self, X: Any, y: np.ndarray) -> str:
        """The method meant, after refusing what it cannot take: duplicates, single periods, no variation."""
        from suppose.effects.panel.material import read_panel
        from suppose.effects.panel.staggered import first_treated
        from suppose.effects.panel.transforms import transform_panel

        roles = self.roles
        panel = read_panel(X, y, treatment=roles.treatment, unit=roles.unit, time=roles.time, covariates=[])
        if len(panel.time_labels) < 2:
            raise DataError(
                "one-period", "every row has the same time, so nothing changes",
                where=f"roles.time: column {roles.time!r}",
                remedy='Use question = "effect" for a table of one time.',
            )  # fmt: skip
        name = str(self.method.name)
        if name == "auto":
            name = "staggered" if _absorbing(panel) else "cre"
        if name == "staggered":
            first_treated(panel)
        else:
            transform_panel(panel, name, singletons=self.method.singletons)
        if self.method.folds > panel.unit_count:
            raise DataError(
                "too-few-units", f"expected at least as many units as folds, got {panel.unit_count} units for "
                f"{self.method.folds} folds", where="method.folds", remedy="Use fewer folds.",
            )  # fmt: skip
        return name

    # -- answering -----------------------------------------------------------------------------

    def answer(self, material: Material, steps: Steps) -> Answer:
        """Estimate, compare, try to break, and say it in words."""
        from suppose.studies.panel_parts import gather
        from suppose.studies.panel_staggered import gather_staggered

        table: PanelTable = material.content
        collect = gather_staggered if table.method == "staggered" else gather
        gathered = collect(self, table, steps)
        return Answer(
            question="panel",
            title=self.title or self._default_title(),
            sentence=gathered.sentence,
            credibility=gathered.credibility,
            credibility_words=gathered.credibility_words,
            findings=gathered.parts.findings,
            assumptions=self._assumptions(table.method),
            checks=gathered.parts.checks,
            tables=gathered.parts.tables,
            figures=gathered.parts.figures,
            notes=(*table.notes, *gathered.parts.notes),
            provenance=Provenance(suppose="", python="", packages={}, seed=self.seed, study=""),
        )

    def _default_title(self) -> str:
        roles = self.roles
        return f"What does {roles.treatment_label or roles.treatment} do to {roles.outcome_label or roles.outcome}?"

    def _assumptions(self, method: str) -> tuple[Assumption, ...]:
        roles = self.roles
        adjusted = ", ".join(roles.adjust) or "nothing"
        independent = Assumption(
            name="independence",
            statement=f"Each {roles.unit_label or roles.unit} is drawn independently of the others.",
        )
        no_interference = Assumption(
            name="no-interference", statement="One unit's treatment does not change another's outcome."
        )
        if method == "staggered":
            periods = self.method.anticipation
            ahead = (
                "Nobody reacts before treatment starts."
                if periods == 0
                else (
                    f"Nobody reacts earlier than {periods} period{'s' if periods > 1 else ''} before the start."
                )
            )
            return (
                Assumption(
                    name="parallel-trends", tested_by=("pre-trends",),
                    statement=f"Given {adjusted}, outcomes would have moved alike in treated and control units "
                    "without treatment.",
                ),
                Assumption(
                    name="no-anticipation", tested_by=("pre-trends",),
                    statement=ahead,
                ),
                no_interference, independent,
            )  # fmt: skip
        return (
            Assumption(
                name="levels-only", tested_by=("levels",),
                statement=f"What was not measured and drives both {roles.treatment} and {roles.outcome} "
                "does not change within a unit.",
            ),
            Assumption(
                name="strict-exogeneity", tested_by=("future-treatment", "agreement"),
                statement="Today's outcome does not steer tomorrow's treatment, and past treatment has no effect "
                "of its own.",
            ),
            Assumption(
                name="same-effect",
                statement="One unit of treatment does the same for all, or the figure is a weighted average.",
            ),
            no_interference, independent,
        )  # fmt: skip


def _absorbing(panel: Any) -> bool:
    """Whether the treatment is 0/1, never goes back, starts within the panel, and has untreated to compare."""
    d, same = panel.d, np.diff(panel.units) == 0
    if not ((d == 0) | (d == 1)).all() or np.any(np.diff(d)[same] < 0):
        return False
    starts = np.flatnonzero(np.diff(d) > 0)
    return bool(np.any(same[starts])) if len(starts) else False
