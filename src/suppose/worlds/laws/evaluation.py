"""How well a world model knows a world: told from distractors, by distance of its guesses, step by step.

Every transition is a small examination, after OneLife (Khan et al., arXiv 2510.12088, section on evaluation). The
candidates are the true next state, what the model itself would sample, and states that did not come about. The model
scores them all; counted are the rank of the truth (``rank@1``, mean reciprocal rank, the histogram of ranks), and the
distance from the model's sample to the truth in JSON-Patch edits, raw and over the number of leaves of the truth.
Means go over transitions, then trials, then scenarios, all scenarios alike; the standard deviation is that over
trials, averaged over scenarios.

Where this departs from the released code: ties are broken by exact expectation over a random order, so that scores
carry no luck; and each scenario with a succeeding and a failing variant keeps both (``variants="both"``). There the
failing one replaced the other (``"released"``), so that mostly "nothing happens" was asked.
:meth:`Evaluation.restricted` gives every mode from one run. As there, a candidate counts as the truth only where it
equals it in everything, clocks included; with ``equal="observed"`` it does where it equals it in everything worth
predicting, which is fairer to a model that rightly says that nothing happens.

:func:`evaluate_transitions` does the same on held-out steps of any world, one group per action.

What it does not do: judge a plan (:mod:`suppose.worlds.laws.plans`), or a policy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from suppose.core.errors import DataError, StudyError, nearest
from suppose.core.parallel import parallel_map
from suppose.core.random import generator
from suppose.worlds.explore import Step
from suppose.worlds.laws.cases import Case, Distractors, checked_trials, crafter_cases, crafter_distractors
from suppose.worlds.laws.edits import comparable, distance, observed_part, overlap
from suppose.worlds.laws.schema import Schema, State, plain

__all__ = [
    "Case",
    "Comparison",
    "Evaluation",
    "crafter_cases",
    "crafter_distractors",
    "evaluate_transitions",
    "evaluate_world_model",
    "expected_ranks",
    "schema_distractors",
]

MOST = 10  # distractors
TOLERANCE = 1e-9  # of log-probabilities that count as tied
SCORES = ("rank@1", "mrr", "raw", "normalised", "overlap")
MODES = ("released", "both", "success")
EQUAL = ("state", "observed")


def expected_ranks(scores: Float[np.ndarray, " n"], true: Bool[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Probability of each rank of the best true candidate, ties in random order; ranks count from 1.

    Parameters
    ----------
    scores : array of shape (n,)
        Log-probability of each candidate; higher is better.
    true : array of bool, shape (n,)
        Which candidates are the truth; at least one.

    Examples
    --------
    >>> expected_ranks(np.array([-1.0, -1.0, -5.0]), np.array([True, False, False])).tolist()
    [0.5, 0.5, 0.0]
    >>> expected_ranks(np.array([-3.0, -1.0, -5.0]), np.array([True, False, True])).tolist()
    [0.0, 1.0, 0.0]
    """
    best = scores[true].max()
    tied = np.isclose(scores, best, rtol=0, atol=TOLERANCE) | (scores == best)
    above = int(((scores > best) & ~tied).sum())
    level, ours = int(tied.sum()), int((tied & true).sum())
    chances = np.zeros(len(scores))
    for place in range(1, level - ours + 2):
        chances[above + place - 1] = math.comb(level - place, ours - 1) / math.comb(level, ours)
    return chances


@dataclass(frozen=True)
class Evaluation:
    """How a model did, transition by transition.

    Attributes
    ----------
    model : str
        What it is called.
    scores : DataFrame
        One row per transition: ``scenario``, ``variant``, ``trial``, ``step``, ``action``, ``candidates``, and
        ``rank@1`` (0 to 1), ``mrr``, ``raw`` (edits), ``normalised`` (edits per leaf), ``overlap`` (0 to 1).
    ranks : array of shape (transitions, most candidates)
        Probability of each rank of the truth.
    """

    model: str
    scores: Any
    ranks: Float[np.ndarray, "n k"]

    def restricted(self, variants: str) -> Evaluation:
        """The same with the variants of another mode: ``"both"``, ``"success"`` or ``"released"``."""
        if variants not in MODES:
            raise _unknown_mode(variants)
        if variants == "both":
            return self
        kept = np.array([
            _is_kept(scenario, variant, variants)
            for scenario, variant in zip(self.scores["scenario"], self.scores["variant"], strict=True)
        ])  # fmt: skip
        return Evaluation(self.model, self.scores[kept].reset_index(drop=True), self.ranks[kept])

    def by_scenario(self) -> Any:
        """A table with one row per scenario: means over transitions within trials, then over trials."""
        return self._by_trial().groupby("scenario", sort=False).mean()

    def _by_trial(self) -> Any:
        return self.scores.groupby(["scenario", "trial"], sort=False)[list(SCORES)].mean()

    def mean(self) -> dict[str, float]:
        """Each score, all scenarios alike."""
        return {name: float(value) for name, value in self.by_scenario().mean().items()}

    def deviation(self) -> dict[str, float]:
        """Standard deviation over trials, averaged over scenarios; 0 with one trial."""
        spread = self._by_trial().groupby("scenario", sort=False).std(ddof=0)
        return {name: float(value) for name, value in spread.mean().items()}

    def histogram(self) -> Float[np.ndarray, " k"]:
        """Share of each rank of the truth, all scenarios alike."""
        import pandas as pd

        keys = [self.scores["scenario"], self.scores["trial"]]
        means = pd.DataFrame(self.ranks).groupby(keys, sort=False).mean()
        return np.asarray(means.groupby(level=0, sort=False).mean().mean(), dtype=float)

    def to_frame(self) -> Any:
        """Scores by scenario, as a table."""
        return self.by_scenario().reset_index()

    def plot(self, ax: Any = None) -> Any:
        """Histogram of the ranks of the truth."""
        from suppose.core.figures import PALETTE, new_axes

        ax = new_axes(ax)
        shares = self.histogram()
        ax.bar(np.arange(1, len(shares) + 1), shares, color=PALETTE["blue"])
        ax.set_xlabel("rank of the true next state")
        ax.set_ylabel("share")
        return ax

    def __str__(self) -> str:
        mean = self.mean()
        return (
            f"{self.model}: rank@1 {mean['rank@1']:.1%}, MRR {mean['mrr']:.3f}, edit distance {mean['raw']:.2f} "
            f"({mean['normalised']:.3f} per leaf), {len(self.scores):,} transitions"
        )


@dataclass(frozen=True)
class Comparison:
    """Several models on the same transitions with the same distractors."""

    evaluations: tuple[Evaluation, ...]

    def __getitem__(self, model: str) -> Evaluation:
        for evaluation in self.evaluations:
            if evaluation.model == model:
                return evaluation
        known = [evaluation.model for evaluation in self.evaluations]
        raise StudyError(
            "not-examined",
            f"no such model was examined; there are: {', '.join(known)}",
            where=f"model {model!r}",
            remedy=nearest(model, known) or None,
        )

    def restricted(self, variants: str) -> Comparison:
        """As :meth:`Evaluation.restricted`."""
        return Comparison(tuple(evaluation.restricted(variants) for evaluation in self.evaluations))

    def wins(self, model: str, other: str, score: str = "mrr") -> tuple[int, int]:
        """Scenarios in which the first has the higher score, and how many scenarios there are."""
        first, second = self[model].by_scenario()[score], self[other].by_scenario()[score]
        return int((first > second + TOLERANCE).sum()), len(first)

    def to_frame(self) -> Any:
        """One row per model: means, and the standard deviation of the reciprocal rank over trials."""
        import pandas as pd

        rows = [
            {"model": evaluation.model, **evaluation.mean(), "sd of mrr": evaluation.deviation()["mrr"]}
            for evaluation in self.evaluations
        ]
        return pd.DataFrame(rows)

    def by_scenario(self, score: str = "mrr") -> Any:
        """One row per scenario, one column per model."""
        import pandas as pd

        columns = {evaluation.model: evaluation.by_scenario()[score] for evaluation in self.evaluations}
        return pd.DataFrame(columns).reset_index()

    def plot(self, ax: Any = None) -> Any:
        """Histograms of ranks, one line per model."""
        from suppose.core.figures import PALETTE, new_axes

        ax = new_axes(ax)
        colours = ("blue", "orange", "green", "purple", "red", "muted", "ink")
        for evaluation, colour in zip(self.evaluations, colours, strict=False):
            shares = evaluation.histogram()
            places = np.arange(1, len(shares) + 1)
            ax.plot(places, shares, "o-", color=PALETTE[colour], label=evaluation.model, markersize=4)
        ax.set_xlabel("rank of the true next state")
        ax.set_ylabel("share of transitions")
        ax.set_ylim(bottom=0)
        ax.legend()
        return ax

    def __str__(self) -> str:
        return "\n".join(str(evaluation) for evaluation in self.evaluations)


def evaluate_world_model(
    model: Any,
    scenarios: Iterable[str] | None = None,
    variants: str = "both",
    mutators: Distractors | None = None,
    trials: int = 5,
    seed: int = 42,
    *,
    equal: str = "state",
    schema: Schema | None = None,
    jobs: int | None = 1,
) -> Any:
    """Examine one model, or several under names, on the scenarios of Crafter-OO.

    Parameters
    ----------
    model : WorldModel or dict of them
        What is examined.
    scenarios : iterable of str, optional
        Names among :data:`suppose.worlds.crafter.SCENARIOS`; all 23 by default.
    variants : {"both", "released", "success"}
        Which variants of a scenario count.
    mutators : callable, optional
        Takes a step and a generator and gives named distractors; :func:`crafter_distractors` by default.
    trials : int
        How often each scenario is played and its distractors are drawn.
    seed : int
        Of scenarios, distractors and the models' samples.
    equal : {"state", "observed"}
        When a candidate counts as the truth: where nothing differs, or nothing worth predicting.
    schema : Schema, optional
        What states are compared by; that of Crafter by default.
    jobs : int
        Scenarios at the same time.

    Returns
    -------
    Evaluation, or Comparison for several models

    Raises
    ------
    StudyError
        ``unknown-scenario``, ``unknown-variant``, ``bad-trials``.

    Examples
    --------
    >>> from suppose.worlds.crafter import SCHEMA
    >>> from suppose.worlds.laws import InertiaModel
    >>> found = evaluate_world_model(InertiaModel(SCHEMA), ["collect_wood"], trials=1)
    >>> found.mean()["raw"]  # wood, achievement, tile, action, four clocks, light and steps
    10.0
    """
    from suppose.worlds.crafter import SCHEMA

    cases = crafter_cases(scenarios, variants, trials, seed)
    return _examined(model, cases, mutators or crafter_distractors, schema or SCHEMA, equal, seed, jobs)


def evaluate_transitions(
    model: Any,
    steps: Sequence[Step],
    schema: Schema,
    *,
    mutators: Distractors | None = None,
    trials: int = 1,
    seed: int = 42,
    equal: str = "observed",
    jobs: int | None = 1,
) -> Any:
    """Examine one model, or several under names, on held-out steps of any world; groups are actions.

    ``mutators`` are those of :func:`schema_distractors` over the same steps unless given.

    Raises
    ------
    DataError
        ``empty-trajectory``.
    """
    if not steps:
        raise DataError(
            "empty-trajectory",
            "there are no transitions to examine the model on",
            where="steps",
            remedy="Hold out at least one step.",
        )
    kept = [_plain_step(step) for step in steps]
    counts: dict[str, int] = {}
    cases = []
    for trial in range(checked_trials(trials)):
        counts.clear()
        for step in kept:
            number = counts[step.action] = counts.get(step.action, -1) + 1
            cases.append(Case(step.action, "success", trial, number, step))
    return _examined(model, cases, mutators or schema_distractors(schema, kept), schema, equal, seed, jobs)


def schema_distractors(schema: Schema, steps: Sequence[Step]) -> Distractors:
    """Distractors for any world: nothing happened, what happened elsewhere, and values that are off.

    Three attributes of the true next state are replaced, one at a time, by a value they have in another step; and up
    to three other steps give what they left in everything they changed.
    """
    from suppose.worlds.laws.distractors import SchemaDistractors

    return SchemaDistractors(schema, steps)


# The examination.


def _examined(
    model: Any,
    cases: list[Case],
    distractors: Distractors,
    schema: Schema,
    equal: str,
    seed: int,
    jobs: int | None,
) -> Any:
    if equal not in EQUAL:
        raise StudyError(
            "unknown-equality",
            f"expected one of {', '.join(EQUAL)}, got {equal!r}",
            where="equal",
            remedy=nearest(str(equal), EQUAL) or None,
        )
    models = dict(model) if isinstance(model, Mapping) else {_called(model): model}
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.scenario, case.variant), []).append(case)
    tasks = [(models, group, distractors, schema, equal, seed) for group in groups.values()]
    found = [row for part in parallel_map(_group, tasks, jobs=jobs, label="examining") for row in part]
    evaluations = tuple(_gathered(name, [row[name] for row in found]) for name in models)
    return Comparison(evaluations) if isinstance(model, Mapping) else evaluations[0]


def _called(model: Any) -> str:
    name = getattr(model, "name", None)
    return name if isinstance(name, str) else type(model).__name__


def _group(
    models: Mapping[str, Any],
    cases: list[Case],
    distractors: Distractors,
    schema: Schema,
    equal: str,
    seed: int,
) -> list[dict[str, Any]]:
    """Every model on the transitions of one scenario."""
    found = []
    for case in cases:
        path = (case.scenario, case.variant, case.trial, case.number)
        others = distractors(case.step, generator(seed, "distractors", *path))[:MOST]
        frame = _Frame(case, [state for _, state in others], schema, equal)
        found.append(
            {name: frame.scored(model, generator(seed, "sample", *path)) for name, model in models.items()}
        )
    return found


class _Frame:
    """A transition with its distractors, ready to be scored by any model."""

    def __init__(self, case: Case, others: list[State], schema: Schema, equal: str) -> None:
        self._case, self._others, self._schema = case, others, schema
        self._view = comparable if equal == "state" else observed_part
        self._before = comparable(case.step.state, schema)
        self._truth = comparable(case.step.next_state, schema)
        self._seen = self._view(case.step.next_state, schema)
        self._is_true = [True, *(self._view(state, schema) == self._seen for state in others)]

    def scored(self, model: Any, rng: np.random.Generator) -> tuple[dict[str, Any], Float[np.ndarray, " k"]]:
        """Scores of a model, and the probability of each rank."""
        step, schema = self._case.step, self._schema
        draw, score = _asked(model, step.state, step.action, schema)
        guess = plain(draw(rng))
        candidates = [step.next_state, *self._others, guess]
        scores = np.array([float(score(state)) for state in candidates])
        scores = np.where(np.isnan(scores), -np.inf, scores)
        true = np.array([*self._is_true, self._view(guess, schema) == self._seen])
        chances = expected_ranks(scores, true)
        told = comparable(guess, schema)
        raw, normalised = distance(told, self._truth)
        row = {
            "scenario": self._case.scenario,
            "variant": self._case.variant,
            "trial": self._case.trial,
            "step": self._case.number,
            "action": step.action,
            "candidates": len(candidates),
            "rank@1": float(chances[0]),
            "mrr": float(np.sum(chances / np.arange(1, len(chances) + 1))),
            "raw": float(raw),
            "normalised": normalised,
            "overlap": overlap(self._before, told, self._truth),
        }
        return row, np.pad(chances, (0, MOST + 2 - len(chances)))


def _asked(
    model: Any, state: State, action: str, schema: Schema
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """How to draw a next state, and how to score one; models that can are asked once for both.

    Scores are over what the schema observes. A law that counts the steps would else tell the truth by its clock from
    every distractor made of the state before.
    """
    if not hasattr(model, "predict"):
        return partial(model.sample, state, action), partial(model.log_prob, state, action)
    prediction = model.predict(state, action)
    seen = {
        observable: found
        for observable, found in prediction.distributions.items()
        if observable.tile is not None or schema.is_observed(observable.path)
    }
    return prediction.sample, replace(prediction, distributions=seen).log_prob


def _gathered(name: str, rows: list[tuple[dict[str, Any], Any]]) -> Evaluation:
    import pandas as pd

    ranks = np.array([chances for _, chances in rows])
    most = int(max(row["candidates"] for row, _ in rows))
    return Evaluation(name, pd.DataFrame([row for row, _ in rows]), ranks[:, :most])


def _is_kept(scenario: str, variant: str, mode: str) -> bool:
    """Whether a mode keeps a variant; scenarios of other worlds have one variant alone."""
    from suppose.worlds.crafter.scenarios import SCENARIOS, variants_of

    return scenario not in SCENARIOS or variant in variants_of(scenario, mode)


def _plain_step(step: Step) -> Step:
    return Step(plain(step.state), step.action, plain(step.next_state), step.reward, step.done)


def _unknown_mode(variants: str) -> StudyError:
    return StudyError(
        "unknown-variant",
        f"no variant {variants!r}; there are: {', '.join(MODES)}",
        where="variants",
        remedy=nearest(str(variants), MODES) or None,
    )
