"""How far ahead a model sees, and whether its probabilities mean what they say.

:func:`look_ahead` lets a model run on from recorded states under the recorded actions and counts how many values of
what it predicts differ from what came, one step and several steps ahead, beside the guess that nothing changes.
:func:`calibration` gathers the probabilities a model gave to values of the next state and how often these came: among
values it called 70% likely, about 70% should come.

Reviewers of OneLife (arXiv 2510.12088) asked for accuracy over several steps; calibration is ours.

What it does not do: judge what no law speaks of. Calibration is that of governed values alone, and says so by their
number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from suppose.core.errors import DataError, StudyError
from suppose.core.progress import progress
from suppose.core.random import generator
from suppose.worlds.explore import Step
from suppose.worlds.laws.edits import observed_part
from suppose.worlds.laws.schema import Schema, State, plain

__all__ = [
    "Calibration",
    "Listed",
    "LookAhead",
    "calibration",
    "likeliest",
    "look_ahead",
    "room_ahead",
    "wrong_values",
]

LEAST = 0.005  # probabilities below are those of values nobody expects


@dataclass(frozen=True)
class LookAhead:
    """Values that differ from the truth, by number of steps ahead.

    Attributes
    ----------
    horizons : tuple of int
    model, inertia : array of shape (horizons,)
        Mean number of observed values that differ: after running the model, and if nothing changed.
    exact : array of shape (horizons,)
        Share of runs in which no observed value differs.
    starts : tuple of int
        From how many states each was measured.
    """

    horizons: tuple[int, ...]
    model: Float[np.ndarray, " h"]
    inertia: Float[np.ndarray, " h"]
    exact: Float[np.ndarray, " h"]
    starts: tuple[int, ...]

    def to_frame(self) -> Any:
        """One row per horizon."""
        import pandas as pd

        return pd.DataFrame(
            {
                "steps ahead": self.horizons,
                "values wrong": self.model,
                "if nothing changed": self.inertia,
                "all right": self.exact,
                "starts": self.starts,
            }
        )

    def plot(self, ax: Any = None) -> Any:
        """Values that differ over steps ahead."""
        from suppose.core.figures import PALETTE, new_axes

        ax = new_axes(ax)
        ax.plot(self.horizons, self.inertia, "o--", color=PALETTE["muted"], label="if nothing changed")
        ax.plot(self.horizons, self.model, "o-", color=PALETTE["blue"], label="laws")
        ax.set_xlabel("steps ahead")
        ax.set_ylabel("values that differ")
        ax.set_ylim(bottom=0)
        ax.legend()
        return ax

    def __str__(self) -> str:
        parts = [
            f"{steps} ahead {ours:.2f} ({none:.2f} if nothing changed)"
            for steps, ours, none in zip(self.horizons, self.model, self.inertia, strict=True)
        ]
        return f"values that differ: {'; '.join(parts)}"


def look_ahead(
    model: Any,
    steps: Sequence[Step],
    schema: Schema,
    horizons: Sequence[int] = (1, 2, 5, 10),
    starts: int = 20,
    seed: int = 0,
) -> LookAhead:
    """Run a model on from recorded states under the recorded actions.

    Parameters
    ----------
    model : WorldModel
    steps : sequence of Step
        In the order in which they happened; runs stay within stretches where each step begins where the last ended.
    schema : Schema
        What is compared: the observed part.
    horizons : sequence of int
        Steps ahead.
    starts : int
        Most states to start from.
    seed : int

    Raises
    ------
    DataError
        ``empty-trajectory``.
    StudyError
        ``bad-steps`` for horizons below 1.

    Examples
    --------
    >>> from suppose.worlds.laws import InertiaModel
    >>> steps = [Step({"x": i}, "on", {"x": i + 1}, 0.0, False) for i in range(12)]
    >>> schema = Schema.from_dicts([step.state for step in steps], actions=("on",))
    >>> print(look_ahead(InertiaModel(schema), steps, schema, horizons=(1, 2)))
    values that differ: 1 ahead 1.00 (1.00 if nothing changed); 2 ahead 1.00 (1.00 if nothing changed)
    """
    kept = sorted(set(horizons))
    if not kept or kept[0] < 1:
        raise StudyError(
            "bad-steps",
            f"expected whole numbers from 1, got {list(horizons)!r}",
            where="horizons",
            remedy="Write for example max_steps = 2000.",
        )
    if not steps:
        raise DataError(
            "empty-trajectory",
            "there are no steps to look ahead from",
            where="steps",
            remedy="Give at least one transition.",
        )
    room, model = room_ahead(steps), Listed(model)
    rng = generator(seed, "starts")
    places = np.flatnonzero(room >= 1)
    chosen = np.sort(rng.permutation(places)[:starts])
    wrong: dict[int, list[tuple[int, int]]] = {horizon: [] for horizon in kept}
    with progress("looking ahead", len(chosen)) as bar:
        for start in chosen:
            _run(
                model, steps, int(start), int(room[start]), schema, generator(seed, "run", int(start)), wrong
            )
            bar.advance()
    used = [horizon for horizon in kept if wrong[horizon]]
    found = [np.array(wrong[horizon], dtype=float) for horizon in used]
    return LookAhead(
        tuple(used),
        np.array([pairs[:, 0].mean() for pairs in found]),
        np.array([pairs[:, 1].mean() for pairs in found]),
        np.array([(pairs[:, 0] == 0).mean() for pairs in found]),
        tuple(len(pairs) for pairs in found),
    )


def room_ahead(steps: Sequence[Step]) -> Int[np.ndarray, " n"]:
    """How many steps follow from each one without a break, itself included."""
    room = np.ones(len(steps), dtype=np.int64)
    for place in range(len(steps) - 2, -1, -1):
        if not steps[place].done and _continues(steps[place], steps[place + 1]):
            room[place] = room[place + 1] + 1
    return room


def _continues(step: Step, following: Step) -> bool:
    return step.next_state is following.state or step.next_state == following.state


def _run(
    model: Any,
    steps: Sequence[Step],
    start: int,
    room: int,
    schema: Schema,
    rng: np.random.Generator,
    wrong: dict[int, list[tuple[int, int]]],
) -> None:
    """One run; notes how many values differ at each horizon."""
    state: State = plain(steps[start].state)
    first = _tiled(state, schema)
    for ahead in range(1, min(room, max(wrong)) + 1):
        step = steps[start + ahead - 1]
        state = plain(model.sample(state, step.action, rng))
        if ahead in wrong:
            truth = _tiled(plain(step.next_state), schema)
            wrong[ahead].append((_differ(_tiled(state, schema), truth), _differ(first, truth)))


def _tiled(state: State, schema: Schema) -> dict[Any, Any]:
    """Observed values by path, tiles one by one."""
    found: dict[Any, Any] = {}
    for path, value in observed_part(state, schema):
        if path == schema.grid:
            found |= {(path, x, y): tile for x, column in enumerate(value) for y, tile in enumerate(column)}
        else:
            found[path] = value
    return found


def _differ(first: dict[Any, Any], second: dict[Any, Any]) -> int:
    """Paths at which two states differ."""
    missing = object()
    shared = first.keys() | second.keys()
    return sum(first.get(path, missing) != second.get(path, missing) for path in shared)


@dataclass(frozen=True)
class Calibration:
    """Probabilities given to values of next states, in classes, and how often these came.

    Attributes
    ----------
    said, came : array of shape (classes,)
        Mean probability given and share that came, of each class that holds any.
    counts : array of shape (classes,)
        Values in it.
    error : float
        Mean distance of the two, classes weighted by their counts (expected calibration error).
    transitions : int
    """

    said: Float[np.ndarray, " c"]
    came: Float[np.ndarray, " c"]
    counts: Int[np.ndarray, " c"]
    error: float
    transitions: int

    def to_frame(self) -> Any:
        """One row per class."""
        import pandas as pd

        return pd.DataFrame({"said": self.said, "came": self.came, "values": self.counts})

    def plot(self, ax: Any = None) -> Any:
        """Share that came over probability given; dots grow with the number of values."""
        from suppose.core.figures import PALETTE, new_axes

        ax = new_axes(ax)
        ax.plot([0, 1], [0, 1], linestyle=(0, (4, 3)), color=PALETTE["muted"], linewidth=1)
        sizes = 12 + 100 * np.sqrt(self.counts / max(self.counts.max(), 1)) if len(self.counts) else []
        ax.plot(self.said, self.came, color=PALETTE["blue"], linewidth=1)
        ax.scatter(self.said, self.came, s=sizes, color=PALETTE["blue"])
        ax.set_xlabel("probability given")
        ax.set_ylabel("share that came")
        ax.set_xlim(-0.03, 1.03)
        ax.set_ylim(-0.03, 1.03)
        return ax

    def __str__(self) -> str:
        count = int(self.counts.sum())
        return f"calibration error {self.error:.3f} over {count:,} values of {self.transitions:,} steps"


def calibration(model: Any, steps: Sequence[Step], schema: Schema, classes: int = 10) -> Calibration:
    """Whether the probabilities of a law model mean what they say.

    Parameters
    ----------
    model : LawWorldModel
        Anything with ``distribution(state, action)``.
    steps : sequence of Step
        Held out.
    schema : Schema
    classes : int
        Of probabilities, equally wide.

    Raises
    ------
    DataError
        ``empty-trajectory`` where no law speaks of any step.
    """
    from suppose.worlds.laws.observables import values_of

    said: list[float] = []
    came: list[bool] = []
    for step in steps:
        after = values_of(plain(step.next_state), schema)
        for observable, distribution in model.distribution(step.state, step.action).items():
            if observable not in after:
                continue
            truth = after[observable]
            for value, probability in zip(distribution.values, distribution.probabilities, strict=True):
                if probability >= LEAST:
                    said.append(min(probability, 1.0))
                    came.append(value == truth)
    if not said:
        raise DataError(
            "empty-trajectory",
            "no law speaks of any of these steps",
            where="steps",
            remedy="Give steps of the kind the laws were learned from.",
        )
    return _classed(np.array(said), np.array(came, dtype=float), classes, len(steps))


def _classed(
    said: Float[np.ndarray, " n"], came: Float[np.ndarray, " n"], classes: int, transitions: int
) -> Calibration:
    places = np.minimum((said * classes).astype(int), classes - 1)
    used = np.unique(places)
    counts = np.array([int((places == place).sum()) for place in used])
    mean_said = np.array([said[places == place].mean() for place in used])
    mean_came = np.array([came[places == place].mean() for place in used])
    error = float(np.sum(counts * np.abs(mean_said - mean_came)) / counts.sum())
    return Calibration(mean_said, mean_came, counts, error, transitions)


class Listed:
    """A model whose draws keep to values that some law lists.

    In the pool of opinions every other value of a domain keeps a small probability (OneLife scores it by -10 before
    weighing), and a hundred small ones make a large one where weights are small. That is right for scores, which must
    never be minus infinity, and wrong for walking on: a course would jump to numbers nobody ever spoke of.

    Parameters
    ----------
    model : WorldModel
        Law models are held to what they list; any other is asked as it is.
    """

    def __init__(self, model: Any) -> None:
        self.model, self.schema = model, getattr(model, "schema", None)

    def sample(self, state: State, action: str, random: np.random.Generator) -> State:
        """A next state."""
        if not hasattr(self.model, "predict"):
            return plain(self.model.sample(state, action, random))
        prediction = self.model.predict(plain(state), action)
        kept = {observable: _listed(found) for observable, found in prediction.distributions.items()}
        following: State = replace(prediction, distributions=kept).sample(random)
        return following


def _listed(found: Any) -> Any:
    """A distribution over its listed values alone."""
    total = sum(found.probabilities)
    if not found.values or total <= 0:
        return replace(found, values=(found.current,), probabilities=(1.0,), others=0)
    return replace(found, probabilities=tuple(p / total for p in found.probabilities), others=0)


def wrong_values(model: Any, step: Step, schema: Schema, objects: bool = True) -> int:
    """Observed values in which the likeliest next state differs from the one that came; tiles count one by one.

    Without ``objects``, values of the things in collections do not count.

    Examples
    --------
    >>> from suppose.worlds.laws import InertiaModel
    >>> schema = Schema.from_dicts([{"x": 1, "y": 1}], actions=("on",))
    >>> wrong_values(InertiaModel(schema), Step({"x": 1, "y": 1}, "on", {"x": 2, "y": 1}, 0.0, False), schema)
    1
    """
    expected, after = likeliest(model, step.state, step.action, schema), plain(step.next_state)
    first, second = (_tiled(state, schema) for state in (expected, after))
    if not objects:
        first, second = (_own(values, schema) for values in (first, second))
    return _differ(first, second)


def _own(values: dict[Any, Any], schema: Schema) -> dict[Any, Any]:
    """Values outside collections."""
    begin = tuple(f"{path}." for path in schema.collections)
    return {
        path: value
        for path, value in values.items()
        if not (isinstance(path, str) and path.startswith(begin))
    }


def likeliest(model: Any, state: Any, action: str, schema: Schema) -> State:
    """The next state in which every value is the likeliest one; the state itself for models without laws."""
    if not hasattr(model, "predict"):
        return plain(state)
    prediction = model.predict(plain(state), action)
    certain = {
        observable: replace(found, values=(found.mode,), probabilities=(1.0,), others=0)
        for observable, found in prediction.distributions.items()
    }
    following: State = replace(prediction, distributions=certain).sample(generator(0, "likeliest"))
    return following
