"""A question put to the user's own material: a TOML file or a Python object, never code.

A study kind is a pydantic model whose sections are the tables of its file. It says what to read
(:meth:`Study.material`) and how to answer (:meth:`Study.answer`); loading, overriding, checking,
seeding, running in a folder and resuming are here, once, for every kind.
"""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator

from suppose.core.answer import Answer, Figure, InputFile, Provenance, Timing
from suppose.core.cost import Cost, peak_memory, refuse_too_large
from suppose.core.errors import Refusal, RunError, StudyError
from suppose.core.parallel import check_backend, core_count, resolve_jobs
from suppose.core.random import check_seed
from suppose.core.run import ANSWER, MemoryRun, RunFolder, write_atomic
from suppose.core.studyfile import apply_overrides, parse_toml, read_study_text, validated

__all__ = ["Material", "RunOptions", "Section", "Steps", "Study", "load_answer"]

PACKAGES = ("numpy", "scipy", "scikit-learn", "pandas", "pyarrow", "narwhals", "joblib")


Kind = TypeVar("Kind", bound="Study")


class Section(BaseModel):
    """One table of a study file: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)


class RunOptions(Section):
    """How to run, without bearing on the result: only ``seed`` decides what comes out."""

    seed: int = 0
    jobs: int = 1
    backend: str = "loky"

    @field_validator("seed")
    @classmethod
    def _known_seed(cls, seed: int) -> int:
        return check_seed(seed)


@runtime_checkable
class Steps(Protocol):
    """What a study computes its parts through, so that they can be resumed."""

    def step(self, name: str, compute: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """Result of a named step, read back when it was computed before."""
        ...


@dataclass(frozen=True)
class Material:
    """What a study read: anything its kind needs, and the files or frames it came from."""

    content: Any
    inputs: tuple[InputFile, ...]


class Study(Section):
    """Base of every study kind.

    A kind sets ``question``, adds its sections as fields, and implements :meth:`read` and
    :meth:`answer`. The base does the rest.
    """

    kind: ClassVar[str] = ""

    question: str
    title: str = ""
    run_options: RunOptions = Field(default_factory=RunOptions, alias="run")

    _home: Path = PrivateAttr(default_factory=Path.cwd)
    _name: str = PrivateAttr(default="study")

    # -- what a kind implements ----------------------------------------------------------------

    def read(self) -> Material:
        """Read and validate the material; every refusal about data is made here."""
        raise TypeError(f"{type(self).__name__} does not say what it reads")

    def answer(self, material: Material, steps: Steps) -> Answer:
        """Compute the answer from the material, heavy parts through ``steps``."""
        raise TypeError(f"{type(self).__name__} does not say how it answers")

    def cost(self, material: Material) -> Cost | None:
        """What answering will take; a kind whose work can be large says so."""
        return None

    def write_report(self, answer: Answer, folder: Path) -> None:
        """Write what people read (report, tables, figures) beside ``answer.json``; a kind may."""

    # -- making one ----------------------------------------------------------------------------

    @classmethod
    def load(cls: type[Kind], path: str | Path, overrides: Sequence[str] = ()) -> Kind:
        """Study of a TOML file, with ``a.b=1`` overrides applied.

        Raises
        ------
        StudyError
            For an unreadable file, a wrong question kind, an unknown key, or a wrong value.
        """
        path = Path(path)
        content = parse_toml(read_study_text(path), where=f"file {path.name!r}")
        return cls.from_dict(content, overrides, home=path.resolve().parent, name=path.stem)

    @classmethod
    def from_dict(
        cls: type[Kind],
        content: Mapping[str, Any],
        overrides: Sequence[str] = (),
        *,
        home: Path | None = None,
        name: str = "study",
    ) -> Kind:
        """Study of nested dictionaries, as a TOML file gives them."""
        content = apply_overrides(content, overrides)
        if content.get("question") != cls.kind:
            raise StudyError(
                "wrong-question",
                f"expected question = {cls.kind!r}, got {content.get('question')!r}",
                where="question",
                remedy="Use suppose.studies.load, which takes any kind.",
            )
        study = validated(cls, content)
        study._home = home if home is not None else Path.cwd()
        study._name = name
        return study

    def to_toml(self) -> str:
        """The study as text that :meth:`load` reads back; defaults are left out."""
        import tomlkit

        content = self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
        return tomlkit.dumps({"question": self.kind, **content})

    @property
    def home(self) -> Path:
        """The folder the study's files must lie in."""
        return self._home

    @property
    def seed(self) -> int:
        """The seed of everything random in this study."""
        return self.run_options.seed

    # -- checking and running --------------------------------------------------------------------

    def check(self, announce: Callable[[str], None] | None = None) -> list[Refusal]:
        """Problems found by reading the material, without running the method; empty when there are none.

        ``announce`` is called with what answering will take, in words.
        """
        try:
            self._announce(self.read(), announce, always=True)
        except Refusal as refusal:
            return [refusal]
        return []

    def _announce(
        self, material: Material, announce: Callable[[str], None] | None, *, always: bool = False
    ) -> None:
        """Say what answering will take where it is much; refuse what the machine cannot hold."""
        cost = self.cost(material)
        if cost is None:
            return
        refuse_too_large(cost)
        if announce is not None and (always or cost.worth_saying):
            announce(str(cost))

    def run(
        self,
        out: str | Path | None = None,
        *,
        resume: bool = False,
        overwrite: bool = False,
        seed: int | None = None,
        jobs: int | None = None,
        backend: str | None = None,
        announce: Callable[[str], None] | None = None,
    ) -> Answer:
        """Answer the question; with ``out``, in a run folder that can be resumed.

        Parameters
        ----------
        out : path, optional
            The run folder; without it nothing is written.
        resume : bool
            Go on with the unfinished run in ``out``; finished steps are not computed again.
        overwrite : bool
            Throw away the run in ``out`` and start anew.
        seed, jobs, backend : optional
            Replace the study's ``[run]`` values.
        announce : callable, optional
            Called with one sentence on memory and fits before large work starts.

        Raises
        ------
        Refusal
            For anything that cannot be done, in words.
        """
        study = self.with_run_options(seed=seed, jobs=jobs, backend=backend)
        started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter()
        material = study.read()
        if out is None:
            study._announce(material, announce)
            return study._finished(study.answer(material, MemoryRun()), material, started, clock)
        with RunFolder(Path(out), study.key(material)).open(
            study.to_toml(), resume=resume, overwrite=overwrite
        ) as folder:
            answer = _stored_answer(folder)
            if answer is None:
                study._announce(material, announce)
                answer = study._finished(study.answer(material, folder), material, started, clock)
                study._store(answer, folder)
        return answer

    def with_run_options(self: Kind, **changes: Any) -> Kind:
        """The same study with other ``[run]`` values; ``None`` keeps the value."""
        given = {key: value for key, value in changes.items() if value is not None}
        if "seed" in given:
            check_seed(given["seed"])
        if "jobs" in given:
            resolve_jobs(given["jobs"])
        if "backend" in given:
            check_backend(given["backend"])
        options = self.run_options.model_copy(update=given)
        study = self.model_copy(update={"run_options": options})
        study._home, study._name = self._home, self._name
        return study

    def key(self, material: Material) -> str:
        """Hash of all that decides the result: the study (but how it runs), its inputs, the version."""
        content = self.model_dump(mode="json", by_alias=True)
        content["run"] = {"seed": self.seed}
        facts = [
            repr(content),
            *(f"{item.name}:{item.sha256}" for item in material.inputs),
            _version("suppose"),
        ]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()

    def _finished(self, answer: Answer, material: Material, started: str, clock: float) -> Answer:
        timing = Timing(
            started=started,
            seconds=round(time.perf_counter() - clock, 3),
            cores=core_count(),
            jobs=resolve_jobs(self.run_options.jobs),
            peak_memory_mb=_peak_memory_mb(),
        )
        neutral = self.with_run_options(jobs=1, backend="loky")
        provenance = Provenance(
            suppose=_version("suppose"),
            python=platform.python_version(),
            seed=self.seed,
            study=neutral.to_toml(),
            packages={name: _version(name) for name in PACKAGES},
            inputs=material.inputs,
            timing=timing,
        )
        return answer.model_copy(update={"provenance": provenance})

    def _store(self, answer: Answer, folder: RunFolder) -> None:
        self.write_report(answer, folder.path)
        write_atomic(folder.path / ANSWER, answer.to_json())
        folder.finish()


def load_answer(folder: str | Path) -> Answer:
    """The answer of a finished run folder, figures included.

    Raises
    ------
    RunError
        When there is none, or when it was changed by hand so that it no longer reads.
    """
    path = Path(folder) / ANSWER
    where = f"run folder {str(folder)!r}"
    if not path.is_file():
        raise RunError(
            "no-answer",
            "there is no finished run (no answer.json)",
            where=where,
            remedy="Run the study with --out, or go on with --resume.",
        )
    try:
        answer = Answer.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise RunError(
            "unreadable-answer",
            "answer.json is not an answer this version reads",
            where=where,
            remedy="It was changed by hand or written by another version: run the study again.",
        ) from error
    figures = tuple(_with_svg(figure, Path(folder)) for figure in answer.figures)
    return answer.model_copy(update={"figures": figures})


def _with_svg(figure: Figure, folder: Path) -> Figure:
    path = folder / "figures" / f"{Path(figure.name).name}.svg"
    return figure.model_copy(update={"svg": path.read_text(encoding="utf-8") if path.is_file() else ""})


def _stored_answer(folder: RunFolder) -> Answer | None:
    return load_answer(folder.path) if folder.finished and (folder.path / ANSWER).is_file() else None


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _peak_memory_mb() -> float | None:
    """Most memory this process held, in MB; ``None`` where the system does not say."""
    peak = peak_memory()
    return None if peak is None else round(peak / 1e6, 1)
