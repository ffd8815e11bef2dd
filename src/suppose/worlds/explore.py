"""One life in a world: exploring without reward, and keeping what was seen.

An explorer sees states as nested dicts, chooses actions by name and is shown what came of them. The default,
:class:`~suppose.worlds.coverage.PairwiseCoverageExplorer`, wants to have taken every action in every context at least
once; :class:`RandomExplorer` stands beside it for comparison.

What it does not do: several lives at once. A bonus for what is new, counted or learned, is one more explorer.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from suppose.core.errors import DataError, StudyError
from suppose.core.progress import progress
from suppose.core.random import generator, integer_seed

__all__ = [
    "Explorer",
    "RandomExplorer",
    "Step",
    "Trajectory",
    "explore",
]

State = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One transition, its states as nested dicts."""

    state: State
    action: str
    next_state: State
    reward: float
    done: bool

    def to_dict(self) -> dict[str, Any]:
        """As one line of a file holds it."""
        return {
            "state": self.state,
            "action": self.action,
            "next_state": self.next_state,
            "reward": self.reward,
            "done": self.done,
        }


@dataclass(frozen=True)
class Trajectory(Sequence[Step]):
    """What happened, step by step.

    Examples
    --------
    >>> seen = Trajectory((Step({"x": 0}, "right", {"x": 1}, 1.0, False),))
    >>> print(seen)
    1 step, reward 1, not ended
    >>> [(step.action, step.next_state["x"]) for step in seen]
    [('right', 1)]
    """

    steps: tuple[Step, ...]

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: Any) -> Any:
        return self.steps[index]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __str__(self) -> str:
        count = len(self.steps)
        ended = "ended" if count and self.steps[-1].done else "not ended"
        reward = sum(step.reward for step in self.steps)
        return f"{count:,} {'step' if count == 1 else 'steps'}, reward {reward:.3g}, {ended}"

    def to_frame(self) -> Any:
        """A table with one row per step: action, reward, done, and the player's items where states have them."""
        import pandas as pd

        rows = []
        for step in self.steps:
            items = step.next_state.get("player", {}).get("inventory", {})
            rows.append({"action": step.action, "reward": step.reward, "done": step.done, **items})
        return pd.DataFrame(rows, columns=None if rows else ["action", "reward", "done"])

    def save(self, path: str | Path) -> Path:
        """Writes one JSON object per line: state, action, next_state, reward, done. ``.gz`` compresses."""
        target = Path(path)
        with _opened(target, "wt") as file:
            for step in self.steps:
                file.write(json.dumps(step.to_dict(), separators=(",", ":"), allow_nan=False) + "\n")
        return target

    @classmethod
    def load(cls, path: str | Path) -> Trajectory:
        """Reads a file of :meth:`save`, or one written by hand; refuses lines that are no transitions.

        Raises
        ------
        DataError
            ``missing-trajectory``, ``bad-transition``, ``empty-trajectory``.
        """
        source = Path(path)
        if not source.is_file():
            raise DataError(
                "missing-trajectory",
                "there is no such file",
                where=str(source),
                remedy="Give the path of a file with one transition per line.",
            )
        with _opened(source, "rt") as file:
            steps = tuple(
                _step_of(line, source, number) for number, line in enumerate(file, 1) if line.strip()
            )
        if not steps:
            raise DataError(
                "empty-trajectory",
                "the file holds no transitions",
                where=str(source),
                remedy="Write one JSON object per line with state, action and next_state.",
            )
        return cls(steps)


def _opened(path: Path, mode: str) -> Any:
    """A text file, compressed where its name says so."""
    if path.suffix == ".gz":
        return gzip.open(path, mode, encoding="utf-8")
    return path.open(mode, encoding="utf-8")


def _step_of(line: str, source: Path, number: int) -> Step:
    """The transition on a line."""
    problem = ""
    content: Any = None
    try:
        content = json.loads(line)
    except ValueError as error:
        problem = f"not JSON: {error}"
    if not problem and not isinstance(content, dict):
        problem = f"expected an object, got {type(content).__name__}"
    if not problem:
        missing = [key for key in ("state", "action", "next_state") if key not in content]
        problem = f"lacks {', '.join(missing)}" if missing else ""
    if not problem and not (isinstance(content["state"], dict) and isinstance(content["next_state"], dict)):
        problem = "state and next_state must be objects"
    if problem:
        raise DataError(
            "bad-transition",
            problem,
            where=f"{source}, line {number}",
            remedy="Write one JSON object per line with state, action and next_state.",
        )
    return Step(
        content["state"],
        str(content["action"]),
        content["next_state"],
        float(content.get("reward", 0.0)),
        bool(content.get("done", False)),
    )


@runtime_checkable
class Explorer(Protocol):
    """Chooses what to do next, and learns from what came of it.

    A bonus for what is new, learned or counted, is one more class with these three methods.
    """

    def start(self, actions: Sequence[str], seed: int) -> None:
        """Forgets everything; ``actions`` are the names of what can be done."""
        ...

    def act(self, state: State) -> str:
        """The next action."""
        ...

    def observe(self, step: Step) -> None:
        """What came of it."""
        ...


class RandomExplorer:
    """Every action equally likely, at every step."""

    def start(self, actions: Sequence[str], seed: int) -> None:
        """See :class:`Explorer`."""
        self._actions = tuple(actions)
        self._rng = generator(seed, "random explorer")

    def act(self, state: State) -> str:
        """See :class:`Explorer`."""
        return self._actions[int(self._rng.integers(len(self._actions)))]

    def observe(self, step: Step) -> None:
        """See :class:`Explorer`."""


def explore(
    env: Any,
    explorer: Explorer,
    max_steps: int = 2_000,
    seed: int = 0,
    describe: Callable[[Any], State] | None = None,
    actions: Sequence[str] | None = None,
) -> Trajectory:
    """One life: until the world ends it, or ``max_steps``.

    Parameters
    ----------
    env : gymnasium.Env
        The world. ``env.unwrapped.state_dict()`` gives its state, unless ``describe`` is given.
    explorer : Explorer
        Who chooses.
    max_steps : int
        Most steps.
    seed : int
        Of the world and of the explorer. Same seed, same life.
    describe : callable, optional
        Takes the environment and gives its state as a nested dict.
    actions : sequence of str, optional
        Names of the actions in the order of the action space; ``env.unwrapped.action_names`` by default.

    Returns
    -------
    Trajectory

    Raises
    ------
    StudyError
        ``bad-steps`` for a senseless ``max_steps``.

    Examples
    --------
    >>> from suppose.worlds.crafter import CrafterEnv
    >>> life = explore(CrafterEnv(area=(32, 32)), RandomExplorer(), max_steps=5, seed=1)
    >>> len(life), life[0].next_state["step_count"]
    (5, 1)
    """
    if isinstance(max_steps, bool) or not isinstance(max_steps, int) or max_steps < 1:
        raise StudyError(
            "bad-steps",
            f"expected a whole number from 1, got {max_steps!r}",
            where="max_steps",
            remedy="Write for example max_steps = 2000.",
        )
    bare = env.unwrapped
    state_of = describe or (lambda world: world.unwrapped.state_dict())
    names = list(actions if actions is not None else bare.action_names)
    explorer.start(names, integer_seed(seed, "explorer"))
    env.reset(seed=integer_seed(seed, "world"))
    steps: list[Step] = []
    state = state_of(env)
    with progress("exploring", max_steps) as bar:
        for _ in range(max_steps):
            action = explorer.act(state)
            _, reward, ended, cut, _ = env.step(names.index(action))
            following = state_of(env)
            step = Step(state, action, following, float(reward), bool(ended or cut))
            explorer.observe(step)
            steps.append(step)
            bar.advance()
            state = following
            if step.done:
                break
    return Trajectory(tuple(steps))


def __getattr__(name: str) -> Any:
    if name == "PairwiseCoverageExplorer":  # lives in a module of its own, which needs this one
        from suppose.worlds.coverage import PairwiseCoverageExplorer

        return PairwiseCoverageExplorer
    raise AttributeError(f"module 'suppose.worlds.explore' has no attribute {name!r}")
