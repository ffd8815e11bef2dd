"""How would survival change under the other treatment? The study kind ``survival``.

Reads a table of durations, fits the flexible parametric family of :class:`~suppose.effects.FlexibleSurvival`
on several scales, chooses by AIC unless the study says which, and averages over everyone what each treatment
would do: mean time without event, survival at chosen times, median, share cured. Beside it stand Kaplan-Meier
curves and Cox regression. Checks ask whether the fitted curves follow the observed ones, whether
other models say the same, whether hazards are proportional, and whether follow-up is long enough to speak of cure. They
cannot see confounding that was not measured, nor what happens after follow-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Float
from pydantic import Field, field_validator

from suppose.core.answer import Answer, Assumption, Provenance
from suppose.core.columns import categories, encode, row_words, to_numbers
from suppose.core.errors import DataError, StudyError, nearest
from suppose.core.study import Material, Section, Steps
from suppose.studies.reported import ReportedStudy
from suppose.studies.tabular import DataSection, read_data

__all__ = ["Checks", "Method", "Roles", "Survival", "SurvivalTable"]

Parameter = Literal["lambda", "phi", "gamma", "kappa"]
MAX_ARMS = 10
SINGLE = ("event", "entry", "upper", "weights", "cluster")


class Roles(Section):
    """Which column is what, and the words a reader knows them by."""

    duration: str
    treatment: str
    event: str | None = None
    event_value: str | int | float | bool | None = None
    entry: str | None = None
    upper: str | None = None
    weights: str | None = None
    cluster: str | None = None
    adjust: tuple[str, ...] = ()
    reference: str | int | float | bool | None = None
    randomised: bool = False
    treatment_label: str = ""
    event_label: str = "the event"
    time_unit: str = ""

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
    """Which members of the family are fitted, and what is compared.

    ``scale = "auto"`` fits proportional hazards and accelerated time, each with and without the treatment on the shape
    gamma, and takes the smallest AIC. ``formulas`` name columns of the table; a scale left out has the treatment and
    everything adjusted for.
    """

    scale: Literal["auto", "ph", "aft", "both"] = "auto"
    formulas: dict[Parameter, str] = Field(default_factory=dict)
    kappa: float | Literal["inf"] | None = None
    measure: Literal["rmst", "survival", "median", "cure"] = "rmst"
    times: tuple[float, ...] = ()
    horizon: float | None = Field(default=None, gt=0.0)
    level: float = Field(default=0.95, gt=0.5, lt=1.0)
    compare: bool = True

    @field_validator("times")
    @classmethod
    def _positive(cls, times: tuple[float, ...]) -> tuple[float, ...]:
        if any(time <= 0 for time in times):
            raise StudyError(
                "bad-times", f"expected times above 0, got {min(times):g}", where="method.times",
                remedy="Give times in the unit of the durations.",
            )  # fmt: skip
        return tuple(sorted(set(times)))


class Checks(Section):
    """Which attempts to break the answer are made."""

    shuffles: int = Field(default=10, ge=0, le=1000)
    balance: bool = True
    sensitivity: bool = True


@dataclass(frozen=True)
class SurvivalTable:
    """The study's table as numbers.

    Attributes
    ----------
    X : pandas DataFrame
        Treatment (codes 0, 1 or, with more arms, its words), encoded covariates, and the columns of the roles under
        their role names.
    y : (n,) array
        Durations, in ``time_unit``.
    arms : tuple of str
        Words of the arms, the reference first.
    values : tuple
        What the treatment column holds for each of them.
    sources : dict
        User's covariate to the encoded columns it became.
    """

    X: Any
    y: Float[np.ndarray, " n"]
    treatment: str
    arms: tuple[str, ...]
    values: tuple[Any, ...]
    roles: dict[str, str]
    covariates: tuple[str, ...]
    sources: dict[str, tuple[str, ...]]
    notes: tuple[str, ...]


class Survival(ReportedStudy):
    """Survival under each treatment, from a table of durations.

    Examples
    --------
    >>> from suppose.datasets import load_rossi
    >>> study = Survival.from_frame(
    ...     load_rossi(), duration="week", event="arrest", treatment="fin", randomised=True, time_unit="weeks",
    ...     method={"scale": "ph"}, checks={"shuffles": 0},
    ... )
    >>> answer = study.run()
    >>> answer.headline.estimate > 0  # weeks without arrest gained by financial aid
    True
    """

    kind: ClassVar[str] = "survival"

    question: Literal["survival"] = "survival"
    data: DataSection
    roles: Roles
    method: Method = Field(default_factory=Method)
    checks: Checks = Field(default_factory=Checks)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        duration: str,
        treatment: str,
        data: dict[str, Any] | None = None,
        method: dict[str, Any] | None = None,
        checks: dict[str, Any] | None = None,
        run: dict[str, Any] | None = None,
        title: str = "",
        **roles: Any,
    ) -> Any:
        """Study of a pandas, polars or pyarrow table; the keywords are the keys of the study file."""
        return cls.from_dict(
            {
                "question": "survival",
                "title": title,
                "data": {"frame": frame, **(data or {})},
                "roles": {"duration": duration, "treatment": treatment, **roles},
                "method": method or {},
                "checks": checks or {},
                "run": run or {},
            }
        )

    # -- reading -------------------------------------------------------------------------------

    def read(self) -> Material:
        """Read, validate and encode the columns the study names."""
        roles = self.roles
        self._refuse_shared_roles()
        single = {name: getattr(roles, name) for name in ("duration", "treatment", *SINGLE)}
        named = {f"roles.{name}": (column,) for name, column in single.items() if column is not None}
        frame, inputs = read_data(self.data, self.home, {**named, "roles.adjust": roles.adjust})
        return Material(self._encoded(frame), inputs)

    def _refuse_shared_roles(self) -> None:
        roles = self.roles
        taken: dict[str, str] = {}
        pairs = [(name, getattr(roles, name)) for name in ("duration", "treatment", *SINGLE)]
        pairs += [("adjust", name) for name in roles.adjust]
        for role, name in pairs:
            if name is None:
                continue
            if name in taken:
                raise StudyError(
                    "role-taken", f"{name!r} is also the {taken[name]}", where=f"roles.{role}",
                    remedy="Give each column one role.",
                )  # fmt: skip
            taken[name] = role
        if roles.event_value is not None and roles.event is None:
            raise StudyError(
                "no-event-column", "event_value is given, but no event column", where="roles.event_value",
                remedy="Name roles.event as well.",
            )  # fmt: skip

    def _encoded(self, frame: Any) -> SurvivalTable:
        import pandas as pd

        roles = self.roles
        y, kept = self._column(frame, roles.duration, "roles.duration")
        codes, arms, kept_d = self._treatment(frame)
        kept &= kept_d
        encoded, kept_x = encode(
            frame, roles.adjust, role="roles.adjust", missing=self.data.missing, types=self.data.types,
            max_levels=self.data.max_levels,
        )  # fmt: skip
        kept &= kept_x
        columns: dict[str, np.ndarray] = {}
        for role in SINGLE:
            if getattr(roles, role) is not None:
                columns[role], kept_role = self._role_column(frame, role)
                kept &= kept_role
        matrix = np.full((len(y), encoded.matrix.shape[1]), np.nan)
        matrix[kept_x] = encoded.matrix
        values: tuple[Any, ...] = (0.0, 1.0) if len(arms) == 2 else arms
        treatment = codes.astype(float) if len(arms) == 2 else np.asarray(arms, dtype=object)[codes]
        content = {roles.treatment: treatment[kept]}
        content |= {name: matrix[kept, j] for j, name in enumerate(encoded.names)}
        used = {role: f"({role})" for role in columns}  # role columns keep out of the way of covariates
        content |= {used[role]: values_[kept] for role, values_ in columns.items()}
        self._refuse_arms(codes[kept], arms)
        dropped = int((~kept).sum())
        notes = (f"{dropped:,} rows left out for missing values in all.",) if dropped else ()
        sources = {
            name: tuple(
                label for label, source in zip(encoded.names, encoded.sources, strict=True) if source == name
            )
            for name in roles.adjust
        }
        return SurvivalTable(
            pd.DataFrame(content), y[kept], roles.treatment, arms, values, used, encoded.names, sources,
            (*encoded.notes, *notes),
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

    def _role_column(self, frame: Any, role: str) -> tuple[np.ndarray, np.ndarray]:
        name = getattr(self.roles, role)
        if role == "cluster":
            texts = [str(value) for value in frame[name].to_list()]
            return np.unique(texts, return_inverse=True)[1].astype(float), np.ones(len(texts), dtype=bool)
        if role == "upper":
            values = to_numbers(frame, name, role="roles.upper", as_type=self.data.types.get(name))
            return values, np.ones(len(values), dtype=bool)
        if role == "event" and self.roles.event_value is not None:
            return self._event(frame, name)
        return self._column(frame, name, f"roles.{role}")

    def _event(self, frame: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
        """1 where the event column has the value that means an event."""
        texts = [_word(value) for value in frame[name].to_list()]
        wanted = _word(self.roles.event_value)
        known = sorted({text for text in texts if text is not None})
        if wanted not in known:
            raise StudyError(
                "unknown-event", f"the event column never has the value {wanted!r}; it has {', '.join(known[:10])}",
                where="roles.event_value", remedy=nearest(str(wanted), known) or "Name the value of an event.",
            )  # fmt: skip
        present = np.array([text is not None for text in texts])
        happened = np.array([text == wanted for text in texts], dtype=float)
        return happened, self._present(present, name, "roles.event")

    def _treatment(self, frame: Any) -> tuple[np.ndarray, tuple[str, ...], np.ndarray]:
        """Codes of the arms, the reference 0, their words, and the rows that have one."""
        name, role = self.roles.treatment, "roles.treatment"
        declared = self.data.types.get(name)
        series = frame[name]
        if declared == "category" or not (series.dtype.is_numeric() or series.dtype.is_boolean()):
            codes, words = categories(
                frame, name, role=role, max_levels=self.data.max_levels, declared=declared == "category"
            )
            present = self._present(codes >= 0, name, role)
        else:
            values, present = self._column(frame, name, role)
            known, found = np.unique(np.where(present, values, np.nanmin(values)), return_inverse=True)
            codes, words = found, tuple(f"{value:g}" for value in known)
        if len(words) > MAX_ARMS:
            raise DataError(
                "too-many-arms", f"expected at most {MAX_ARMS} treatments, got {len(words):,} values",
                where=f"{role}: column {name!r}",
                remedy="Recode a dose into a few groups, for example low and high.",
            )  # fmt: skip
        first = self._reference(words)
        order = [first, *(k for k in range(len(words)) if k != first)]
        rank = np.argsort(order)
        arms = tuple(words[k] for k in order)
        if self.roles.treatment_label and arms == ("0", "1"):
            arms = (f"without {self.roles.treatment_label}", f"with {self.roles.treatment_label}")
        return rank[np.maximum(codes, 0)], arms, present

    def _reference(self, words: tuple[str, ...]) -> int:
        if self.roles.reference is None:
            return 0
        wanted = _word(self.roles.reference)
        if wanted not in words:
            raise StudyError(
                "unknown-arm", f"the treatment never has the value {wanted!r}; it has {', '.join(words)}",
                where="roles.reference", remedy=nearest(str(wanted), words) or "Name one of these.",
            )  # fmt: skip
        return words.index(str(wanted))

    def _refuse_arms(self, codes: np.ndarray, arms: tuple[str, ...]) -> None:
        counts = np.bincount(codes, minlength=len(arms))
        if (counts > 0).sum() < 2 or (counts == 0).any():
            raise DataError(
                "constant-column", "every row has the same treatment, so there is nothing to compare"
                if (counts > 0).sum() < 2 else f"no row with {arms[int(np.argmin(counts))]!r} is left",
                where=f"roles.treatment: column {self.roles.treatment!r}",
                remedy="Check the column and the rows left in.",
            )  # fmt: skip

    # -- answering -----------------------------------------------------------------------------

    def answer(self, material: Material, steps: Steps) -> Answer:
        """Fit, choose, average, try to break, and say it in words."""
        from suppose.studies.survival_parts import gather

        found = gather(self, material.content, steps)
        return Answer(
            question="survival",
            title=self.title or self._default_title(),
            sentence=found.sentence,
            credibility=found.credibility,
            credibility_words=found.credibility_words,
            findings=found.parts.findings,
            assumptions=self._assumptions(),
            checks=found.parts.checks,
            tables=found.parts.tables,
            figures=found.parts.figures,
            notes=(*material.content.notes, *found.parts.notes),
            provenance=Provenance(suppose="", python="", packages={}, seed=self.seed, study=""),
        )

    def _default_title(self) -> str:
        roles = self.roles
        return f"How does {roles.treatment_label or roles.treatment} change the time to {roles.event_label}?"

    def _assumptions(self) -> tuple[Assumption, ...]:
        roles = self.roles
        first = (
            Assumption(
                name="randomisation",
                statement=f"{roles.treatment} was assigned at random.",
                tested_by=("balance",),
            )
            if roles.randomised
            else Assumption(
                name="no-unmeasured-confounding",
                statement=f"Given {', '.join(roles.adjust) or 'nothing'}, nothing unmeasured drives both "
                f"{roles.treatment} and the time to {roles.event_label}.",
                tested_by=("sensitivity",),
            )
        )
        return (
            first,
            Assumption(
                name="censoring",
                statement="Rows stop being observed for reasons that have nothing to do with when the event would "
                "have come, given treatment and covariates.",
            ),
            Assumption(
                name="law",
                statement="Durations follow the fitted family, with covariates on the parameters named.",
                tested_by=("fit", "shape", "models"),
            ),
            Assumption(
                name="no-interference",
                statement="One row's treatment does not change another's time, and treatment means one thing.",
            ),
            Assumption(
                name="independence",
                statement=f"{f'{roles.cluster} groups' if roles.cluster else 'Rows'} are independent draws from the "
                "population of interest.",
            ),
        )


def _word(value: Any) -> str | None:
    """A cell as the word a user would write for it."""
    if value is None or value != value:
        return None
    return f"{float(value):g}" if isinstance(value, (bool, int, float, np.number)) else str(value)
