"""A world model made of laws: fitted to one recorded life, then asked.

Between two states, every observable that active laws speak of follows the log-linear pool of their opinions, with one
weight per law (see :mod:`suppose.worlds.laws.inference`); everything else stays as it is. ``inference="poe"`` is the
product of experts of PoE-World as OneLife compares with it: a narrower list of observables, and uniform instead of
unchanged where no law speaks. ``inference="none"`` leaves all weights at 0.5.

What it does not do: learn laws (see the synthesizers), predict fractions beyond the values laws list, or tell values
of one state apart from each other: given the state and the action they are independent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from suppose.core.errors import DataError, EstimationError, StudyError, nearest
from suppose.core.random import generator
from suppose.core.run import write_atomic
from suppose.worlds.explore import Step, Trajectory
from suppose.worlds.laws.gathering import gather
from suppose.worlds.laws.inference import START, pool, solve_weights
from suppose.worlds.laws.law import Law, check_laws
from suppose.worlds.laws.observables import Distribution, Observable, values_of
from suppose.worlds.laws.opinions import Opinion, Router
from suppose.worlds.laws.prediction import Explanation, Prediction
from suppose.worlds.laws.schema import Attribute, Schema, State, plain

__all__ = ["INFERENCES", "LawWorldModel", "transitions_of"]

INFERENCES = ("onelife", "poe", "none")
FORMAT = "suppose.laws/1"
Policy = Sequence[str] | Callable[[State], str]


class LawWorldModel:
    """Laws with weights.

    Parameters
    ----------
    laws : sequence of Law
        Each with a name of its own.
    schema : Schema
        What states hold.
    inference : {"onelife", "poe", "none"}
        How weights are found, and what is expected of values no law speaks of.
    tiles : bool
        Whether the materials that laws set count in weights and scores (OneLife leaves them out).

    Attributes
    ----------
    weights_ : array of float, shape (laws,)
        From 0 to 10.
    active_, errors_ : array of int, shape (laws,)
        How often each law held in the transitions, and how often it could not be told.
    log_likelihood_ : float
        Of what was observed of the governed values.
    iterations_ : int
        Of the search for weights.

    Raises
    ------
    DataError
        As :func:`~suppose.worlds.laws.law.check_laws`.
    StudyError
        ``bad-inference``.

    Examples
    --------
    >>> from suppose.worlds.laws.law import parse_laws
    >>> steps = [({"hero": {"x": x, "y": 0}}, "right", {"hero": {"x": x + 1, "y": 0}}) for x in range(5)]
    >>> schema = Schema.from_dicts([step[0] for step in steps], actions=("left", "right"))
    >>> laws = parse_laws('law right when action == "right" then hero.x += {1: 0.9, 0: 0.1}')
    >>> model = LawWorldModel(laws, schema).fit(steps)
    >>> print(model.distribution({"hero": {"x": 7, "y": 0}}, "right")[Observable("hero.x")])
    8 1.000
    """

    def __init__(
        self, laws: Sequence[Law], schema: Schema, inference: str = "onelife", tiles: bool = True
    ) -> None:
        if inference not in INFERENCES:
            raise StudyError(
                "bad-inference",
                f"expected one of {', '.join(INFERENCES)}, got {inference!r}",
                where="inference",
                remedy=nearest(str(inference), INFERENCES) or "Write for example inference = 'onelife'.",
            )
        self.laws, self.schema = check_laws(laws, schema), schema
        self.inference, self.tiles = inference, tiles
        self._router = Router(self.laws, schema)

    @property
    def _narrow(self) -> bool:
        return self.inference == "poe"

    # Learning.

    def fit(self, transitions: Iterable[Any]) -> LawWorldModel:
        """Finds the weights.

        Parameters
        ----------
        transitions : Trajectory, or sequence of Step or of (state, action, next_state)

        Raises
        ------
        DataError
            ``empty-trajectory``, ``bad-transition``, ``bad-state``, ``unknown-action``, ``duplicate-entity``.
        """
        states, actions, following = transitions_of(transitions, self.schema)
        gathered = gather(self._router, states, actions, following, self._narrow, self.tiles)
        problem = pool(gathered.opinions, len(self.laws))
        self.weights_ = np.full(len(self.laws), START)
        self.iterations_ = 0
        if self.inference != "none":
            self.weights_, self.iterations_ = solve_weights(problem)
        self.log_likelihood_ = problem.log_likelihood(self.weights_)
        self.active_, self.errors_ = gathered.active, gathered.errors
        return self

    def _fitted(self) -> None:
        if not hasattr(self, "weights_"):
            raise EstimationError(
                "not-fitted",
                "this model has no weights yet",
                where="LawWorldModel",
                remedy="Call fit with transitions first.",
            )

    # Asking.

    def predict(self, state: Any, action: str) -> Prediction:
        """All that is expected after a state and an action; to score or draw many next states at once.

        Raises
        ------
        DataError
            ``bad-state``, ``unknown-action``, ``duplicate-entity``.
        EstimationError
            ``not-fitted``.
        """
        self._fitted()
        content = plain(state)
        said = self._router.ask(content, _known(action, self.schema))
        grouped: dict[Observable, list[Opinion]] = {}
        for opinion in said.opinions:
            if not self._narrow or self._is_narrow(opinion.observable):
                grouped.setdefault(opinion.observable, []).append(opinion)
        found = {
            observable: Distribution.pooled(
                [(opinion.scores, float(self.weights_[opinion.law])) for opinion in given],
                given[0].current,
                given[0].attribute,
            )
            for observable, given in grouped.items()
        }
        if self._narrow:
            found |= self._uniform(content, found)
        return Prediction(
            self.schema, content, action, found, tuple(said.arrivals), said, self._narrow, self.tiles
        )

    def _is_narrow(self, observable: Observable) -> bool:
        return observable.tile is None and self.schema.is_observed(observable.path, True)

    def _uniform(
        self, state: State, governed: dict[Observable, Distribution]
    ) -> dict[Observable, Distribution]:
        """What the product of experts expects of values no law speaks of; existence stays."""
        found = {}
        for observable, current in values_of(state, self.schema, True).items():
            if observable in governed or observable.path.endswith(".exists"):
                continue
            attribute = self._attribute(observable)
            if attribute.size is not None:
                found[observable] = Distribution.uniform(current, attribute)
        return found

    def _attribute(self, observable: Observable) -> Attribute:
        """The domain of an observable."""
        if observable.object is None:
            return self.schema.scalars[observable.path]
        path = next(path for path in self.schema.collections if observable.path.startswith(f"{path}."))
        name = observable.path.removeprefix(f"{path}.")
        return next(a[name] for a in self.schema.collections[path].kinds.values() if name in a)

    def distribution(self, state: Any, action: str) -> dict[Observable, Distribution]:
        """Distributions of the governed observables of the next state."""
        return self.predict(state, action).distributions

    def log_prob(self, state: Any, action: str, next_state: Any) -> float:
        """Score of a next state; see :meth:`Prediction.log_prob`."""
        return self.predict(state, action).log_prob(next_state)

    def sample(self, state: Any, action: str, random: np.random.Generator) -> State:
        """A next state; the state given stays as it is."""
        return self.predict(state, action).sample(random)

    def rollout(
        self,
        state: Any,
        policy: Policy,
        steps: int,
        seed: int = 0,
        reward: Callable[[State, str, State], float] | None = None,
        done: Callable[[State], bool] | None = None,
    ) -> Trajectory:
        """A life as the model imagines it.

        Parameters
        ----------
        state : dict or pydantic state
            Where it begins.
        policy : sequence of str, or callable
            Actions in order (it ends with them), or a function of the state.
        steps : int
            Most steps.
        seed : int
            Same seed, same life.
        reward, done : callable, optional
            Of a step, and whether it was the last; 0 and never by default.

        Raises
        ------
        StudyError
            ``bad-steps``; and as :meth:`predict`.
        """
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
            raise StudyError(
                "bad-steps",
                f"expected a whole number from 1, got {steps!r}",
                where="steps",
                remedy="Write for example max_steps = 2000.",
            )
        random, now = generator(seed, "rollout"), plain(state)
        taken: list[Step] = []
        for number in range(steps if callable(policy) else min(steps, len(policy))):
            action = policy(now) if callable(policy) else policy[number]
            after = self.sample(now, action, random)
            over = bool(done(after)) if done is not None else False
            taken.append(Step(now, action, after, float(reward(now, action, after)) if reward else 0.0, over))
            now = after
            if over:
                break
        return Trajectory(tuple(taken))

    def explain(self, state: Any, action: str) -> Explanation:
        """Which laws speak about a state and an action, and what comes of it."""
        prediction = self.predict(state, action)
        names, words = [law.name for law in self.laws], [law.words for law in self.laws]
        return prediction.explain(names, words, self.weights_)

    def to_frame(self) -> Any:
        """The laws: name, weight, how often they held and could not be told, words and text."""
        import pandas as pd

        self._fitted()
        return pd.DataFrame({
            "law": [law.name for law in self.laws],
            "weight": self.weights_,
            "active": self.active_,
            "errors": self.errors_,
            "words": [law.words for law in self.laws],
            "text": [str(law) for law in self.laws],
        })  # fmt: skip

    def __str__(self) -> str:
        told = f"{len(self.laws)} laws ({self.inference})"
        if not hasattr(self, "weights_"):
            return f"{told}, without weights"
        heavy = np.argsort(-self.weights_, kind="stable")[:5]
        lines = [f"  {self.weights_[i]:.2f}  {self.laws[i].name}" for i in heavy]
        return "\n".join([f"{told}, {int((self.active_ > 0).sum())} of them seen at work; heaviest:", *lines])

    # Keeping.

    def save(self, path: str | Path) -> Path:
        """Writes laws, weights and schema as JSON with a hash; nothing in the file is code."""
        self._fitted()
        content = {
            "inference": self.inference,
            "tiles": self.tiles,
            "schema": self.schema.to_dict(),
            "laws": [law.to_dict() for law in self.laws],
            "weights": self.weights_.tolist(),
            "active": self.active_.tolist(),
            "errors": self.errors_.tolist(),
            "log_likelihood": self.log_likelihood_,
            "iterations": self.iterations_,
        }
        whole = {"format": FORMAT, "sha256": _digest(content), "model": content}
        write_atomic(Path(path), json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> LawWorldModel:
        """The model written by :meth:`save`.

        Raises
        ------
        DataError
            ``unreadable-model`` for missing, foreign or changed files.
        """
        source = Path(path)
        try:
            whole = json.loads(source.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise _unreadable(source, f"the model cannot be read ({error})") from error
        if not isinstance(whole, dict) or whole.get("format") != FORMAT or "model" not in whole:
            raise _unreadable(source, f"expected a world model of format {FORMAT}")
        content = whole["model"]
        if _digest(content) != whole.get("sha256"):
            raise _unreadable(source, "the content is not what its sha256 speaks of")
        laws = [Law.from_dict(part) for part in content["laws"]]
        model = cls(laws, Schema.from_dict(content["schema"]), content["inference"], content["tiles"])
        model.weights_ = np.array(content["weights"], dtype=np.float64)
        model.active_ = np.array(content["active"], dtype=np.int64)
        model.errors_ = np.array(content["errors"], dtype=np.int64)
        model.log_likelihood_, model.iterations_ = content["log_likelihood"], content["iterations"]
        return model


def transitions_of(transitions: Iterable[Any], schema: Schema) -> tuple[list[State], list[str], list[State]]:
    """States, actions and next states of transitions.

    Raises
    ------
    DataError
        ``empty-trajectory``, ``bad-transition``, ``bad-state``, ``unknown-action``.
    """
    states, actions, following = [], [], []
    for number, step in enumerate(transitions):
        if hasattr(step, "next_state"):
            state, action, after = step.state, step.action, step.next_state
        elif isinstance(step, (tuple, list)) and len(step) >= 3:
            state, action, after = step[:3]
        else:
            raise DataError(
                "bad-transition",
                f"expected (state, action, next_state), got {type(step).__name__}",
                where=f"transition {number}",
                remedy="Write one JSON object per line with state, action and next_state.",
            )
        states.append(plain(state))
        actions.append(_known(action, schema))
        following.append(plain(after))
    if not states:
        raise DataError(
            "empty-trajectory",
            "expected at least one transition, got none",
            where="transitions",
            remedy="Write one JSON object per line with state, action and next_state.",
        )
    return states, actions, following


def _known(action: Any, schema: Schema) -> str:
    if action not in schema.actions:
        raise DataError(
            "unknown-action",
            f"no action {action!r}; the actions are: {', '.join(schema.actions)}",
            where="action",
            remedy=nearest(str(action), schema.actions) or None,
        )
    return str(action)


def _digest(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _unreadable(path: Path, problem: str) -> DataError:
    return DataError("unreadable-model", problem, where=f"file {path.name!r}",
                     remedy="Give the path that save() was given.")  # fmt: skip
