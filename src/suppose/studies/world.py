"""What could happen next, and which plan would end better? The study kind ``world``.

Reads one recorded life of a structured world (a file with one transition per line), or lives one in an environment,
and writes down what it shows as laws: when this holds, then that happens, with a weight. Laws are found on part of
the steps and examined on the rest: how often the model foretells the next state in full, how high it ranks it among
states that did not come about, whether its probabilities mean what they say, how far ahead it sees. Plans are
followed in the model and compared. What was never seen is said.

It cannot see mechanics the life never showed, nor anything the state leaves out. Laws tell what follows what in this
world as it was explored; an action's effect may differ where it was never taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from suppose.core.answer import Answer, Assumption, InputFile, Provenance
from suppose.core.cost import Cost, resident_memory
from suppose.core.errors import StudyError, nearest
from suppose.core.random import integer_seed
from suppose.core.run import sha256_file
from suppose.core.study import Material, Section, Steps
from suppose.core.tables import path_inside
from suppose.studies.reported import ReportedStudy
from suppose.worlds.explore import Step, Trajectory
from suppose.worlds.laws.plans import Plan, Reward
from suppose.worlds.laws.schema import HIGH, Attribute, Schema

__all__ = ["Record", "World"]

STATE_BYTES = 60  # of one value of a state in memory


class Data(Section):
    """A recorded life: JSON lines with ``state``, ``action``, ``next_state``; ``.gz`` is read too."""

    file: str | None = None
    trajectory: Any = Field(default=None, exclude=True, repr=False)


class Environment(Section):
    """The environment a life is lived in, where no record is given."""

    environment: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)


class Explore(Section):
    """How it is lived: who chooses actions, how long, and how many times it starts anew."""

    explorer: Literal["pairwise", "random"] = "pairwise"
    steps: int = Field(default=2_000, ge=1, le=1_000_000)
    lives: int = Field(default=1, ge=1, le=1_000)


class Roles(Section):
    """What plays which role in a state; what is left out is told from the states, or known of the environment."""

    actions: tuple[str, ...] = ()
    actor: str | None = None
    position: tuple[str, str] | None = None
    facing: str | None = None
    grid: str | None = None
    walkable: tuple[str, ...] = ()
    reach: int | None = Field(default=None, ge=1)
    observed: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def given(self) -> dict[str, Any]:
        """The roles that are named."""
        content = {name: getattr(self, name) for name in type(self).model_fields if name != "actions"}
        return {name: value for name, value in content.items() if value not in (None, ())}


class Method(Section):
    """Where laws come from and how they are weighed.

    ``synthesizer`` is ``"inductive"`` (from examples alone), ``"llm"`` (a language model behind an OpenAI-compatible
    address writes them) or ``"given"`` (``laws`` is a file of laws).
    """

    synthesizer: Literal["inductive", "llm", "given"] = "inductive"
    max_atoms: int = Field(default=6, ge=1, le=20)
    mdl: float = Field(default=1.0, ge=0.0)
    analogies: bool = True
    laws: str | None = None
    base_url: str | None = None
    model: str | None = None
    cache: str = "replies"
    concurrency: int = Field(default=5, ge=1, le=100)
    inference: Literal["onelife", "poe", "none"] = "onelife"

    @model_validator(mode="after")
    def _complete(self) -> Any:
        needed = {"llm": ("base_url", "model"), "given": ("laws",)}.get(self.synthesizer, ())
        for name in needed:
            if getattr(self, name) is None:
                raise StudyError(
                    "incomplete-synthesizer",
                    f"synthesizer = {self.synthesizer!r} needs {' and '.join(needed)}",
                    where=f"method.{name}",
                    remedy='Add it, or write synthesizer = "inductive".',
                )
        return self


class Checks(Section):
    """How the laws are examined."""

    holdout: float = Field(default=0.2, gt=0.0, lt=0.9)
    trials: int = Field(default=2, ge=1, le=100)
    horizons: tuple[int, ...] = (1, 2, 5, 10)
    starts: int = Field(default=20, ge=1, le=10_000)
    scenarios: bool = False


class PlanEntry(Section):
    """One plan: a name, and what is done."""

    name: str
    do: tuple[str | dict[str, Any], ...]


class Worth(Section):
    """What a plan is worth: an expression over the state, or the health things of a kind lose."""

    value: str
    over: Literal["gain", "end", "damage"] = "gain"
    words: str = ""


class Plans(Section):
    """Plans to compare, from a recorded state on; or the three shipped with Crafter."""

    shipped: bool = False
    start: int = 0
    reward: Worth | None = None
    ends: str = ""
    rollouts: int = Field(default=20, ge=2, le=100_000)
    plan: tuple[PlanEntry, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Any:
        if bool(self.plan) != (self.reward is not None):
            raise StudyError(
                "incomplete-plans",
                "plans need a reward, and a reward needs plans",
                where="plans",
                remedy='Write [plans] reward = { value = "..." } and [[plans.plan]] with name and do.',
            )
        return self

    @property
    def asked(self) -> bool:
        """Whether anything is to be compared."""
        return self.shipped or bool(self.plan)


@dataclass(frozen=True)
class Record:
    """What a study of a world works on.

    Attributes
    ----------
    steps : Trajectory or None
        None where the life is still to be lived.
    schema : Schema or None
        None where it is told from the life.
    opened : OpenedWorld or None
        The environment.
    name : str
        Of the file or the environment.
    """

    steps: Trajectory | None
    schema: Schema | None
    opened: Any
    name: str


class World(ReportedStudy):
    """Laws of a world, and plans compared in it, from one recorded life.

    Examples
    --------
    >>> steps = []
    >>> for n in range(60):
    ...     state, action = {"oil": n % 5, "worn": n % 3}, ("run", "fill")[n % 7 == 0]
    ...     later = max(0, state["oil"] - 1) if action == "run" else min(4, state["oil"] + 2)
    ...     steps.append(Step(state, action, {"oil": later, "worn": state["worn"]}, 0.0, False))
    >>> answer = World.from_steps(Trajectory(tuple(steps)), checks={"trials": 1}).run()
    >>> answer.headline.estimate  # per cent of unseen steps foretold in full
    100.0
    """

    kind: ClassVar[str] = "world"

    question: Literal["world"] = "world"
    data: Data = Field(default_factory=Data)
    world: Environment = Field(default_factory=Environment)
    explore: Explore = Field(default_factory=Explore)
    roles: Roles = Field(default_factory=Roles)
    method: Method = Field(default_factory=Method)
    checks: Checks = Field(default_factory=Checks)
    plans: Plans = Field(default_factory=Plans)

    @classmethod
    def from_steps(cls, trajectory: Any, **sections: Any) -> Any:
        """Study of a trajectory in memory; sections as in a study file.

        Parameters
        ----------
        trajectory : Trajectory, or sequence of Step
        """
        content = {"question": "world", **sections}
        content["data"] = {"trajectory": Trajectory(tuple(trajectory)), **content.get("data", {})}
        return cls.from_dict(content)

    # -- reading -------------------------------------------------------------------------------

    def read(self) -> Material:
        """Reads the record, or opens the environment; every refusal about states, roles and plans is made here."""
        sources = [self.data.file, self.data.trajectory, self.world.environment]
        if sum(source is not None for source in sources) != 1:
            raise StudyError(
                "which-world",
                f"expected one of data.file and world.environment, got {sum(s is not None for s in sources)}",
                where="data",
                remedy='Write [data] file = "life.jsonl", or [world] environment = "crafter".',
            )
        if self.world.environment is not None:
            return self._opened()
        if self.data.file is not None:
            path = path_inside(self.data.file, self.home)
            steps, name = Trajectory.load(path), self.data.file
            size, digest = path.stat().st_size, sha256_file(path)
        else:
            steps, name = self.data.trajectory, "trajectory"
            size, digest = 0, _digest(steps)
        schema = self.schema_of(steps, None)
        self._refuse(schema, len(steps))
        entry = InputFile(name=name, sha256=digest, bytes=size, rows=len(steps), columns=len(schema.scalars))
        return Material(Record(steps, schema, None, name), (entry,))

    def _opened(self) -> Material:
        from suppose.worlds.adapters import open_world

        opened = open_world(str(self.world.environment), self.world.options)
        if opened.schema is not None:
            self._refuse(opened.schema, None)
        return Material(Record(None, opened.schema, opened, str(self.world.environment)), ())

    def schema_of(self, steps: Trajectory, opened: Any) -> Schema:
        """The schema of the states, with the roles the study names."""
        if opened is not None and opened.schema is not None:
            given = self.roles.given()
            known: Schema = replace(opened.schema, **given) if given else opened.schema
            return known
        actions = self.roles.actions or (
            opened.actions if opened is not None else tuple(dict.fromkeys(step.action for step in steps))
        )
        roles = {**(opened.roles if opened is not None else {}), **self.roles.given()}
        states = [step.state for step in steps]
        found = Schema.from_dicts([*states, *(step.next_state for step in steps)], actions=actions, **roles)
        return replace(found, scalars={path: _with_room(kind) for path, kind in found.scalars.items()})

    def _refuse(self, schema: Schema, count: int | None) -> None:
        """Plans and settings that do not fit the world."""
        if (self.checks.scenarios or self.plans.shipped) and self.world.environment != "crafter":
            raise StudyError(
                "crafter-only",
                "the scenarios and the shipped plans are those of Crafter",
                where="checks.scenarios" if self.checks.scenarios else "plans.shipped",
                remedy='Leave it out, or write [world] environment = "crafter".',
            )
        if count is not None and count < 10:
            raise StudyError(
                "short-life",
                f"expected at least 10 transitions, got {count}",
                where="data",
                remedy="Record a longer life: laws are found in repetitions.",
            )
        for plan in self.plan_list():
            plan.check(schema)
        if self.plans.reward is not None:
            self.reward().check(schema)
        if count is not None and self.plans.plan and not -count <= self.plans.start < count:
            raise StudyError(
                "unknown-start",
                f"the record has steps 0 to {count - 1}, got {self.plans.start}",
                where="plans.start",
                remedy="Name a step of the record; -1 is the last.",
            )

    def plan_list(self) -> list[Plan]:
        """The plans of the study."""
        return [Plan.of(entry.name, entry.do) for entry in self.plans.plan]

    def reward(self) -> Reward:
        """What the plans are worth."""
        worth = self.plans.reward
        if worth is None:
            raise StudyError(
                "incomplete-plans", "plans need a reward", where="plans", remedy="Add plans.reward."
            )
        return Reward(worth.value, worth.over, worth.words)

    def live(self, record: Record) -> tuple[Trajectory, Schema]:
        """The record; lived now where an environment was named."""
        if record.steps is not None and record.schema is not None:
            return record.steps, record.schema
        from suppose.worlds.explore import RandomExplorer, explore

        steps: list[Step] = []
        for life in range(self.explore.lives):
            if self.explore.explorer == "pairwise":
                from suppose.worlds.coverage import PairwiseCoverageExplorer

                explorer: Any = PairwiseCoverageExplorer()
            else:
                explorer = RandomExplorer()
            steps += explore(
                record.opened.env,
                explorer,
                self.explore.steps,
                integer_seed(self.seed, "life", life),
                describe=record.opened.describe,
                actions=record.opened.actions,
            )
        lived = Trajectory(tuple(steps))
        schema = self.schema_of(lived, record.opened)
        self._refuse(schema, len(lived))
        return lived, schema

    # -- answering -----------------------------------------------------------------------------

    def cost(self, material: Material) -> Cost:
        """Memory of the states, twice: as read and as columns."""
        record: Record = material.content
        held = resident_memory()
        if record.steps is not None:
            from suppose.worlds.laws.edits import leaves

            rows, values = len(record.steps), leaves(record.steps[0].state)
        else:
            rows, values = self.explore.steps * self.explore.lives, 4_500
        return Cost(memory=held + 2 * STATE_BYTES * rows * values, fits=3, rows=rows, held=held)

    def answer(self, material: Material, steps: Steps) -> Answer:
        """Find laws, examine them, compare plans, and say it in words."""
        from suppose.studies.world_parts import gather

        gathered = gather(self, material.content, steps)
        return Answer(
            question="world",
            title=self.title or f"What could happen next in {_called(material.content)}?",
            sentence=gathered.sentence,
            credibility=gathered.credibility,
            credibility_words=gathered.credibility_words,
            findings=gathered.parts.findings,
            assumptions=_assumptions(),
            checks=gathered.parts.checks,
            tables=gathered.parts.tables,
            figures=gathered.parts.figures,
            notes=gathered.parts.notes,
            provenance=Provenance(suppose="", python="", packages={}, seed=self.seed, study=""),
        )


def _with_room(attribute: Attribute) -> Attribute:
    """A counter that went beyond the usual domain may go on: its domain ends at twice what was seen."""
    if attribute.type == "int" and attribute.high > HIGH:
        return replace(attribute, high=2 * attribute.high)
    return attribute


def _called(record: Record) -> str:
    return Path(record.name).stem if record.opened is None else record.name


def _digest(steps: Trajectory) -> str:
    import hashlib
    import json

    whole = hashlib.sha256()
    for step in steps:
        whole.update(json.dumps(step.to_dict(), sort_keys=True).encode())
    return whole.hexdigest()


def _assumptions() -> tuple[Assumption, ...]:
    return (
        Assumption(
            name="state",
            statement="The state holds all that matters for what comes next: no hidden memory decides it.",
            tested_by=("fidelity", "calibration"),
        ),
        Assumption(
            name="same-rules",
            statement="The rules did not change during the record, and will not for the plans.",
        ),
        Assumption(
            name="separate",
            statement="Given state and action, the values of the next state are independent of each other.",
            tested_by=("look-ahead",),
        ),
        Assumption(
            name="seen",
            statement="What a plan meets is like what the record has seen.",
            tested_by=("never-seen",),
        ),
    )


def unknown_law_file(path: Path) -> StudyError:
    """The refusal of a file of laws that is not there."""
    return StudyError(
        "missing-laws",
        "there is no such file of laws",
        where=str(path.name),
        remedy=nearest(path.name, [item.name for item in path.parent.glob("*")]) or "Check method.laws.",
    )
