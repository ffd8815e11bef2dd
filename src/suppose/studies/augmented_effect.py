"""What would the outcome be if the inputs were set? The study kind ``augmented-effect``.

For inputs and an outcome with a hidden common cause, where no instrument is at hand but some changes of the
inputs are known to leave the outcome alone. The study names such changes in ``[augmentation]`` (or several
in ``[[augmentation]]``), fits least squares, least squares on changed inputs and IV-like regression with every
rule for its weight, and asks what the assumption carries: by how much the change moves a known or held-out
function, how the estimate would move if it did change the outcome, whether it moves the inputs at all, and
whether the rules agree. For pictures (a folder, or an ``.npz`` file) the same is done with networks.

It cannot test the assumption: every table agrees with every augmentation. It does not claim to remove the
confounding in directions the augmentation leaves alone.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from suppose.core.answer import Answer, Assumption, Provenance
from suppose.core.columns import row_words, to_numbers
from suppose.core.errors import DataError, StudyError, nearest
from suppose.core.study import Material, Section, Steps
from suppose.studies.augmented_table import AugmentedTable
from suppose.studies.reported import ReportedStudy
from suppose.studies.tabular import DataSection, read_data

__all__ = ["AugmentedEffect", "Change", "Checks", "Method", "Predict", "Roles"]

TABLE_CHANGES = ("gaussian-noise", "jitter", "null-translation", "grid-symmetry", "permutation")
IMAGE_CHANGES = ("colour-jitter", "image-shift", "grid-symmetry", "gaussian-noise")
Operation = Literal["rotate", "flip-horizontal", "flip-vertical"]


class AugmentedData(DataSection):
    """A table, or pictures: ``images`` is an ``.npz`` file with arrays ``images`` and ``outcome``, or a folder.

    A folder goes with a table (``file`` or ``shipped``) whose column ``roles.image`` names the files. An
    ``.npz`` file may also hold ``test_images`` and ``test_outcome``.
    """

    images: str | None = None
    size: int | None = Field(default=None, ge=2, le=512)

    @model_validator(mode="after")
    def _one_source(self) -> Any:
        tables = [name for name in ("file", "shipped", "frame") if getattr(self, name) is not None]
        archive = self.images is not None and self.images.endswith(".npz")
        if len(tables) != (0 if archive else 1):
            given = [*tables, *(["images"] if self.images is not None else [])]
            raise StudyError(
                "which-data", f"expected one source of data, got {' and '.join(given) or 'none'}", where="data",
                remedy='Write file = "table.csv", images = "pictures.npz", or images = "folder" beside a table.',
            )  # fmt: skip
        return self


class Roles(Section):
    """Which column is what; ``focus`` is the input the headline is about (the first by default)."""

    outcome: str = "outcome"
    inputs: tuple[str, ...] = ()
    image: str | None = None
    focus: str | None = None
    outcome_label: str = ""
    outcome_unit: str = ""

    @field_validator("inputs")
    @classmethod
    def _no_repeats(cls, inputs: tuple[str, ...]) -> tuple[str, ...]:
        repeated = [name for name in inputs if inputs.count(name) > 1]
        if repeated:
            raise StudyError(
                "repeated-column", f"{repeated[0]!r} is listed twice", remedy="List each column once."
            )
        return inputs


class Change(Section):
    """One change that leaves the outcome alone, by name, with its settings.

    ``scale`` belongs to ``gaussian-noise`` (in standard deviations) and ``null-translation`` (in units of the
    directions); ``width`` to ``jitter``; ``directions`` to ``null-translation``, each a table from inputs to
    amounts; ``grid``, ``operations``, ``probability`` to ``grid-symmetry``; ``brightness`` to ``hue`` to
    ``colour-jitter``; ``fraction`` to ``image-shift``; ``columns`` to the first two and ``permutation``.
    """

    name: Literal[
        "gaussian-noise", "jitter", "null-translation", "grid-symmetry", "permutation", "colour-jitter",
        "image-shift",
    ]  # fmt: skip
    scale: float | None = Field(default=None, gt=0.0)
    pooled: bool | None = None
    width: float | None = Field(default=None, gt=0.0)
    columns: tuple[str, ...] | None = None
    directions: tuple[dict[str, float], ...] | None = None
    grid: tuple[int, ...] | None = None
    operations: tuple[Operation, ...] | None = None
    probability: float | None = Field(default=None, gt=0.0, lt=1.0)
    brightness: float | None = Field(default=None, ge=0.0, le=1.0)
    contrast: float | None = Field(default=None, ge=0.0, le=1.0)
    saturation: float | None = Field(default=None, ge=0.0, le=1.0)
    hue: float | None = Field(default=None, ge=0.0, le=0.5)
    fraction: float | None = Field(default=None, gt=0.0, le=1.0)


SETTINGS: dict[str, tuple[str, ...]] = {
    "gaussian-noise": ("scale", "columns", "pooled"),
    "jitter": ("width", "columns"),
    "null-translation": ("directions", "scale"),
    "grid-symmetry": ("grid", "operations", "probability"),
    "permutation": ("columns",),
    "colour-jitter": ("brightness", "contrast", "saturation", "hue"),
    "image-shift": ("fraction",),
}
NEEDED = {"jitter": "width", "null-translation": "directions"}


class Method(Section):
    """How the effect is estimated; the last lines are for pictures."""

    selector: Literal["cc", "cv", "lcv"] | None = None
    alpha: float | None = Field(default=None, gt=0.0)
    candidates: int = Field(default=10, ge=1, le=1000)
    low: float = Field(default=1e-4, gt=0.0)
    high: float = Field(default=1.0, gt=0.0)
    draws: int = Field(default=200, ge=20, le=10_000)
    level: float = Field(default=0.95, gt=0.5, lt=1.0)
    moment: Literal["residual", "loss"] = "residual"
    hidden: tuple[int, ...] = (256, 256)
    epochs: int = Field(default=40, ge=1, le=10_000)
    learning_rate: float = Field(default=1e-3, gt=0.0, le=1.0)
    batch: int = Field(default=256, ge=8, le=65_536)
    redraw: bool = False

    @model_validator(mode="after")
    def _one_rule(self) -> Any:
        if self.selector is not None and self.alpha is not None:
            raise StudyError(
                "bad-alpha", "expected a rule or a number, got both", where="method.alpha",
                remedy="Leave out either selector or alpha.",
            )  # fmt: skip
        return self


class Checks(Section):
    """``known`` gives true coefficients by input, where theory has them; ``held_out`` fits a model to half the rows."""

    known: dict[str, float] | None = None
    held_out: bool = True
    violation: float = Field(default=0.1, gt=0.0, le=1.0)


class Predict(Section):
    """Settings of the inputs to predict the outcome under; inputs that are not named stay at their means."""

    do: tuple[dict[str, float], ...] = ()


class AugmentedEffect(ReportedStudy):
    """The effect of setting confounded inputs, from changes known to leave the outcome alone.

    Examples
    --------
    >>> from suppose.datasets import make_linear_sem
    >>> world = make_linear_sem(500, 2, seed=3)
    >>> study = AugmentedEffect.from_frame(
    ...     world.to_frame(), outcome="y", inputs=["x1", "x2"], method={"alpha": 0.1, "draws": 20},
    ...     augmentation={"name": "null-translation", "directions": [{"x1": world.f[1], "x2": -world.f[0]}]},
    ... )
    >>> answer = study.run()
    >>> bool(abs(answer.headline.estimate - world.f[0]) < abs(answer.finding("ERM").estimate - world.f[0]))
    True
    """

    kind: ClassVar[str] = "augmented-effect"

    question: Literal["augmented-effect"] = "augmented-effect"
    data: AugmentedData
    roles: Roles = Field(default_factory=Roles)
    augmentation: tuple[Change, ...] = Field(min_length=1)
    method: Method = Field(default_factory=Method)
    checks: Checks = Field(default_factory=Checks)
    predict: Predict = Field(default_factory=Predict)

    @field_validator("augmentation", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, dict) else value

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        outcome: str,
        inputs: Any,
        augmentation: Any,
        data: dict[str, Any] | None = None,
        method: dict[str, Any] | None = None,
        checks: dict[str, Any] | None = None,
        predict: dict[str, Any] | None = None,
        run: dict[str, Any] | None = None,
        title: str = "",
        **roles: Any,
    ) -> Any:
        """Study of a pandas, polars or pyarrow table; the keywords are the keys of the study file."""
        return cls.from_dict(
            {
                "question": "augmented-effect", "title": title, "data": {"frame": frame, **(data or {})},
                "roles": {"outcome": outcome, "inputs": list(inputs), **roles}, "augmentation": augmentation,
                "method": method or {}, "checks": checks or {}, "predict": predict or {}, "run": run or {},
            }
        )  # fmt: skip

    # -- reading -------------------------------------------------------------------------------

    def read(self) -> Material:
        """Read and validate the table or the pictures, and the augmentation against them."""
        if self.data.images is not None:
            from suppose.studies.augmented_images import read_pictures

            material = read_pictures(self)
            self.augment(material.content)
            return material
        roles = self.roles
        if not roles.inputs:
            raise StudyError(
                "missing-role", "the study does not say which columns are the inputs", where="roles.inputs",
                remedy='Write inputs = ["x1", "x2"].',
            )  # fmt: skip
        if roles.outcome in roles.inputs:
            raise StudyError(
                "role-taken", f"{roles.outcome!r} is also the outcome", where="roles.inputs",
                remedy="Give each column one role.",
            )  # fmt: skip
        named = {"roles.outcome": (roles.outcome,), "roles.inputs": roles.inputs}
        frame, inputs = read_data(self.data, self.home, named)
        table = self._numbers(frame)
        self._refuse_unknown_names()
        self._refuse_useless(table)
        return Material(table, inputs)

    def _numbers(self, frame: Any) -> AugmentedTable:
        columns, kept = [], np.ones(frame.shape[0], dtype=bool)
        named = [
            ("roles.outcome", self.roles.outcome),
            *(("roles.inputs", name) for name in self.roles.inputs),
        ]
        for role, name in named:
            values = to_numbers(frame, name, role=role, as_type=self.data.types.get(name))
            missing = np.isnan(values)
            if missing.any() and self.data.policy(name) != "drop":
                raise DataError(
                    "missing-value", f"missing values in {row_words(missing)}; these are never filled in",
                    where=f"{role}: column {name!r}",
                    remedy=f'Say data.missing = {{ {name} = "drop" }} to leave these rows out.',
                )  # fmt: skip
            columns.append(values)
            kept &= ~missing
        dropped = int((~kept).sum())
        notes = (f"{dropped:,} rows left out for missing values in all.",) if dropped else ()
        matrix = np.stack(columns, axis=1)[kept]
        return AugmentedTable(matrix[:, 1:], matrix[:, 0], self.roles.inputs, notes=notes)

    def _refuse_unknown_names(self) -> None:
        """Every input named anywhere must be one of ``roles.inputs``."""
        named = [("roles.focus", name) for name in (self.roles.focus,) if name is not None]
        named += [("checks.known", name) for name in self.checks.known or ()]
        named += [("predict.do", name) for setting in self.predict.do for name in setting]
        for change in self.augmentation:
            named += [("augmentation.columns", name) for name in change.columns or ()]
            named += [("augmentation.directions", name) for way in change.directions or () for name in way]
        for where, name in named:
            if name not in self.roles.inputs:
                raise StudyError(
                    "unknown-input", f"{name!r} is not among the inputs: {', '.join(self.roles.inputs[:12])}",
                    where=where, remedy=nearest(name, self.roles.inputs) or "Name one of roles.inputs.",
                )  # fmt: skip

    def _refuse_useless(self, table: AugmentedTable) -> None:
        """Refuse constant columns, too few rows, and an augmentation that cannot be drawn on this table."""
        from suppose.core.random import generator
        from suppose.effects.augmentation.transformations import draw

        spreads = np.ptp(np.c_[table.y, table.X], axis=0)
        for spread, name in zip(spreads, (self.roles.outcome, *table.names), strict=True):
            if spread == 0:
                raise DataError(
                    "no-variation", "every row has the same value", where=f"column {name!r}",
                    remedy="Leave it out.",
                )  # fmt: skip
        parameters = draw(self.augment(table), table.X, generator(self.seed, "trial"))[1].shape[1]
        needed = 2 * max(parameters, len(table.names)) + 10
        if len(table.y) < needed:
            raise DataError(
                "too-few-rows", f"expected at least {needed} rows for {len(table.names)} inputs and {parameters} "
                f"augmentation parameters, got {len(table.y)}", where="data",
                remedy="Give more rows, or fewer inputs.",
            )  # fmt: skip

    def augment(self, table: AugmentedTable) -> Any:
        """The augmentation the study names, ready to be drawn."""
        from suppose.effects.augmentation.transformations import Compose

        parts = [self._built(change, table) for change in self.augmentation]
        return parts[0] if len(parts) == 1 else Compose(tuple(parts))

    def _built(self, change: Change, table: AugmentedTable) -> Any:
        from suppose.effects.augmentation import images, transformations

        self._refuse_settings(change, bool(table.shape))
        given = {
            key: value
            for key in SETTINGS[change.name]
            if (value := getattr(change, key)) is not None and key not in ("columns", "directions", "grid")
        }
        if change.columns is not None:
            given["columns"] = tuple(table.names.index(name) for name in change.columns)
        if change.name == "null-translation":
            directions = [[way.get(name, 0.0) for name in table.names] for way in change.directions or ()]
            return transformations.NullTranslation(np.asarray(directions), given.get("scale", 1.0))
        if change.name == "grid-symmetry":
            side = round(len(table.names) ** 0.5)
            return transformations.GridSymmetry(change.grid or table.shape or (side, side), **given)
        if change.name in ("colour-jitter", "image-shift"):
            given["shape"] = table.shape
        classes = {
            "gaussian-noise": transformations.GaussianNoise, "jitter": transformations.Jitter,
            "permutation": transformations.Permutation, "colour-jitter": images.ColourJitter,
            "image-shift": images.ImageShift,
        }  # fmt: skip
        built: Any = classes[change.name]
        return built(**given)

    def _refuse_settings(self, change: Change, pictures: bool) -> None:
        known = IMAGE_CHANGES if pictures else TABLE_CHANGES
        if change.name not in known:
            kind = "pictures" if pictures else "tables"
            raise StudyError(
                "bad-augmentation", f"{change.name!r} is not a change of {kind}; there are: {', '.join(known)}",
                where="augmentation.name", remedy="Name one of these.",
            )  # fmt: skip
        given = [key for key in Change.model_fields if key != "name" and getattr(change, key) is not None]
        strange = [key for key in given if key not in SETTINGS[change.name]]
        if strange:
            raise StudyError(
                "bad-augmentation", f"{change.name!r} has no setting {strange[0]!r}; it has: "
                f"{', '.join(SETTINGS[change.name])}", where=f"augmentation.{strange[0]}", remedy="Leave it out.",
            )  # fmt: skip
        needed = NEEDED.get(change.name)
        if needed is not None and not getattr(change, needed):
            raise StudyError(
                "bad-augmentation", f"{change.name!r} needs {needed!r}", where=f"augmentation.{needed}",
                remedy="directions = [{ x1 = 1.0, x2 = -1.0 }]" if needed == "directions" else "width = 0.5",
            )  # fmt: skip

    # -- answering -----------------------------------------------------------------------------

    def answer(self, material: Material, steps: Steps) -> Answer:
        """Estimate, compare, try to break, and say it in words."""
        table: AugmentedTable = material.content
        if table.shape:
            from suppose.studies.augmented_images import gather_pictures as gather
        else:
            from suppose.studies.augmented_effect_parts import gather
        parts, sentence, credibility, words = gather(self, table, steps)
        return Answer(
            question="augmented-effect",
            title=self.title or f"What would {self.outcome_words} be if the inputs were set?",
            sentence=sentence,
            credibility=credibility,
            credibility_words=words,
            findings=parts.findings,
            assumptions=self._assumptions(bool(table.shape)),
            checks=parts.checks,
            tables=parts.tables,
            figures=parts.figures,
            notes=(*table.notes, *parts.notes),
            provenance=Provenance(suppose="", python="", packages={}, seed=self.seed, study=""),
        )

    @property
    def outcome_words(self) -> str:
        """What a reader calls the outcome."""
        return self.roles.outcome_label or self.roles.outcome

    def _assumptions(self, pictures: bool) -> tuple[Assumption, ...]:
        changes = " and ".join(change.name for change in self.augmentation)
        form = () if pictures else (
            Assumption(name="linear", statement="The outcome changes along straight lines with every input."),
        )  # fmt: skip
        return (
            Assumption(
                name="outcome-invariance", tested_by=("invariance",) if pictures else ("invariance", "violation"),
                statement=f"The changes named ({changes}) would leave {self.outcome_words} as it is.",
            ),
            Assumption(
                name="additive", statement="Hidden causes add to the outcome; they do not change what inputs do.",
            ),
            *form,
            Assumption(
                name="reach", tested_by=() if pictures else ("relevance",),
                statement="Confounding in directions the changes leave alone is small enough to live with.",
            ),
            Assumption(name="independent-rows", statement="Rows are drawn independently of each other."),
        )  # fmt: skip
