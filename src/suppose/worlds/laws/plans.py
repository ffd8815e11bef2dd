"""Which of two plans would end better? Plans followed in a model, or in the world itself, and compared.

A plan is a list of instructions: an action, so many times, until something holds; or a kind of thing to walk to and
strike. What it is worth is an expression of the language of laws (its gain from first to last state, or its value at
the end), or the health that things of a kind lose. Each plan is followed in a number of rollouts; the better one is
that with the higher mean (OneLife, arXiv 2510.12088, section on planning, asks whether model and world prefer the
same plan).

Maps and plans of the paper were not released; :mod:`suppose.worlds.laws.questions` has three choices of our own design.

What it does not do: find plans.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float

from suppose.core.errors import StudyError, nearest
from suppose.core.parallel import parallel_map
from suppose.core.random import generator
from suppose.worlds.laws.expressions import Expression, parse
from suppose.worlds.laws.foresight import Listed
from suppose.worlds.laws.schema import Schema, State, lookup, plain

__all__ = [
    "Instruction",
    "Plan",
    "PlanComparison",
    "Reward",
    "compare_plans",
    "follow",
]

SIDES = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
LONGEST = 10_000


@dataclass(frozen=True)
class Instruction:
    """One part of a plan.

    Attributes
    ----------
    action : str
        What is done; with ``chase``, what is done once the thing stands ahead.
    times : int
        How often, at most.
    until : str
        An expression that ends it before a step; empty for none.
    chase : str
        Kind of object that is walked to; empty for none.
    """

    action: str
    times: int = 1
    until: str = ""
    chase: str = ""

    @cached_property
    def condition(self) -> Expression | None:
        """``until`` as an expression."""
        return parse(self.until) if self.until else None

    def to_dict(self) -> dict[str, Any]:
        """As a study file writes it."""
        extra = {"until": self.until, "chase": self.chase}
        return {"action": self.action, "times": self.times, **{k: v for k, v in extra.items() if v}}


@dataclass(frozen=True)
class Plan:
    """What is done, part by part.

    Examples
    --------
    >>> plan = Plan.of("dig", ["move_left", {"action": "do", "times": 3, "until": "player.inventory.stone >= 3"}])
    >>> print(plan)
    dig: move_left, then do up to 3 times until player.inventory.stone >= 3
    """

    name: str
    instructions: tuple[Instruction, ...]

    @classmethod
    def of(cls, name: str, parts: Sequence[str | Mapping[str, Any]]) -> Plan:
        """A plan of action names and of dicts with the fields of :class:`Instruction`.

        Raises
        ------
        StudyError
            ``bad-plan``.
        """
        if not parts:
            raise _bad("expected at least one instruction", f"plan {name!r}")
        return cls(
            name, tuple(_instruction(part, f"plan {name!r}, part {k}") for k, part in enumerate(parts, 1))
        )

    def check(self, schema: Schema) -> None:
        """Refuses actions, kinds and attributes that a schema does not have.

        Raises
        ------
        StudyError, DataError
            ``unknown-action``, ``unknown-object-kind``, ``unknown-attribute``, ``bad-plan``.
        """
        for part in self.instructions:
            if part.action not in schema.actions:
                raise StudyError(
                    "unknown-action",
                    f"no action {part.action!r}; the actions are: {', '.join(schema.actions)}",
                    where=f"plan {self.name!r}",
                    remedy=nearest(part.action, schema.actions) or None,
                )
            if part.chase:
                schema.attributes_of(part.chase)
                _moves(schema)
            if part.condition is not None:
                part.condition.check(schema, where=f"plan {self.name!r}")

    def __str__(self) -> str:
        words = []
        for part in self.instructions:
            text = f"chase {part.chase} and {part.action}" if part.chase else part.action
            text += f" up to {part.times} times" if part.times > 1 else ""
            words.append(text + (f" until {part.until}" if part.until else ""))
        return f"{self.name}: {', then '.join(words)}"


def _instruction(part: str | Mapping[str, Any], where: str) -> Instruction:
    content = {"action": part} if isinstance(part, str) else dict(part)
    wrong = sorted(set(content) - {"action", "times", "until", "chase"})
    if wrong or "action" not in content:
        raise _bad(f"expected action, times, until and chase; got {', '.join(content) or 'nothing'}", where)
    times = content.get("times", 1)
    if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= LONGEST:
        raise _bad(f"expected times from 1 to {LONGEST}, got {times!r}", where)
    made = Instruction(**content)
    _ = made.condition  # refused here if it cannot be read
    return made


def _bad(problem: str, where: str) -> StudyError:
    return StudyError(
        "bad-plan",
        problem,
        where=where,
        remedy='Write for example do = ["move_left", { action = "do", times = 3 }].',
    )


@dataclass(frozen=True)
class Reward:
    """What a plan is worth.

    Attributes
    ----------
    value : str
        An expression, or the kind of object whose lost health counts (``over="damage"``).
    over : {"gain", "end", "damage"}
        Last minus first value, last value, or health lost by things of a kind, step by step.
    words : str
        What it is called.

    Examples
    --------
    >>> Reward("stock").of([{"stock": 1}, {"stock": 4}], Schema.from_dicts([{"stock": 1}], actions=("wait",)))
    3.0
    """

    value: str
    over: str = "gain"
    words: str = ""

    def __post_init__(self) -> None:
        if self.over not in ("gain", "end", "damage"):
            raise StudyError(
                "unknown-reward",
                f"expected one of gain, end, damage, got {self.over!r}",
                where="reward.over",
                remedy=nearest(str(self.over), ("gain", "end", "damage")) or None,
            )

    @cached_property
    def expression(self) -> Expression:
        """The value as an expression."""
        return parse(self.value)

    def check(self, schema: Schema) -> None:
        """Refuses what a schema does not have."""
        if self.over == "damage":
            schema.attributes_of(self.value)
        else:
            self.expression.check(schema, wanted="number", where="reward")

    def of(self, states: Sequence[State], schema: Schema) -> float:
        """The worth of a course of states."""
        if self.over == "damage":
            return float(sum(_lost(a, b, self.value, schema) for a, b in pairwise(states)))
        last = float(self.expression.evaluate(states[-1], schema.actions[0], schema=schema))
        if self.over == "end":
            return last
        return last - float(self.expression.evaluate(states[0], schema.actions[0], schema=schema))


def _lost(before: State, after: State, kind: str, schema: Schema) -> float:
    """Health that things of a kind lost in a step; what left lost what it had."""
    old, new = (_healths(state, kind, schema) for state in (before, after))
    return sum(max(0.0, health - new.get(identity, 0.0)) for identity, health in old.items())


def _healths(state: State, kind: str, schema: Schema) -> dict[Any, float]:
    part = schema.collections[schema.kinds[kind]]
    return {thing[part.identity]: float(thing["health"]) for thing in _things(state, kind, schema)}


def _things(state: State, kind: str, schema: Schema) -> list[dict[str, Any]]:
    path = schema.kinds[kind]
    part = schema.collections[path]
    things: list[dict[str, Any]] = lookup(state, tuple(path.split(".")))
    return [thing for thing in things if part.kind is None or thing.get(part.kind) == kind]


def follow(
    model: Any,
    state: State,
    plan: Plan,
    schema: Schema,
    rng: np.random.Generator,
    ends: Expression | None = None,
) -> tuple[list[State], list[str]]:
    """The states a plan leads through in one rollout, the first included, and what was done.

    ``ends`` is an expression that ends it: the player has died, the machine has stopped.
    """
    states, done = [state], []
    for part in plan.instructions:
        for _ in range(part.times):
            if part.condition is not None and _holds(part.condition, state, schema):
                break
            action = _step_to(state, part, schema) if part.chase else part.action
            if action is None:
                break
            state = plain(model.sample(state, action, rng))
            states.append(state)
            done.append(action)
            if ends is not None and _holds(ends, state, schema):
                return states, done
    return states, done


def _holds(expression: Expression, state: State, schema: Schema) -> bool:
    return bool(expression.evaluate(state, schema.actions[0], schema=schema))


def _moves(schema: Schema) -> dict[tuple[int, int], str]:
    """The action that moves to each side, told from the names of actions."""
    found = {}
    for side, step in SIDES.items():
        names = [action for action in schema.actions if side in action.lower().split("_")]
        if len(names) != 1 or schema.actor is None or schema.heading is None:
            raise _bad(
                "chasing needs an actor that faces somewhere, and actions named left, right, up, down",
                "chase",
            )
        found[step] = names[0]
    return found


def _step_to(state: State, part: Instruction, schema: Schema) -> str | None:
    """The next action towards the nearest thing of a kind, or the blow; None where there is none."""
    things = _things(state, part.chase, schema)
    if not things or schema.actor is None or schema.heading is None:
        return None
    position = schema.collections[schema.kinds[part.chase]].position
    x, y = (lookup(state, (*schema.actor.split("."), *name.split("."))) for name in schema.position)
    places = [[int(lookup(thing, tuple(name.split(".")))) for name in position] for thing in things]
    i, j = min(places, key=lambda place: abs(place[0] - x) + abs(place[1] - y))
    dx, dy = i - int(x), j - int(y)
    if (dx, dy) == tuple(int(lookup(state, tuple(path.split(".")))) for path in schema.heading):
        return part.action
    side = (int(np.sign(dx)) or 1, 0) if abs(dx) >= abs(dy) else (0, int(np.sign(dy)))
    return _moves(schema)[side]


@dataclass(frozen=True)
class PlanComparison:
    """What plans were worth.

    Attributes
    ----------
    names : tuple of str
        Of the plans.
    rewards : array of shape (plans, rollouts)
        Worth of each plan in each rollout.
    steps : array of shape (plans, rollouts)
        How long each took.
    courses : tuple of list of states
        One rollout of each plan, and ``actions`` what was done in it.
    """

    names: tuple[str, ...]
    rewards: Float[np.ndarray, "p n"]
    steps: Float[np.ndarray, "p n"]
    words: str = ""
    courses: tuple[list[State], ...] = field(default=(), repr=False)
    actions: tuple[list[str], ...] = field(default=(), repr=False)

    @property
    def preferred(self) -> str:
        """The plan with the higher mean."""
        return self.names[int(np.argmax(self.rewards.mean(axis=1)))]

    @property
    def means(self) -> Float[np.ndarray, " p"]:
        """Mean worth of each plan."""
        return np.asarray(self.rewards.mean(axis=1))

    def difference(self, first: int = 0, second: int = 1) -> tuple[float, float, float]:
        """Mean worth of one plan minus another's, with the ends of its 95% interval over rollouts."""
        from scipy import stats

        gap = float(self.means[first] - self.means[second])
        count = self.rewards.shape[1]
        if count < 2:
            return gap, -np.inf, np.inf
        error = float(np.sqrt((self.rewards[[first, second]].var(axis=1, ddof=1) / count).sum()))
        reach = float(stats.t.ppf(0.975, count - 1)) * error
        return gap, gap - reach, gap + reach

    def to_frame(self) -> Any:
        """One row per plan: mean, standard deviation, steps, and how often it was the best of a rollout."""
        import pandas as pd

        best = self.rewards >= self.rewards.max(axis=0) - 1e-12
        deviation = (
            self.rewards.std(axis=1, ddof=1) if self.rewards.shape[1] > 1 else np.zeros(len(self.names))
        )
        return pd.DataFrame(
            {
                "plan": list(self.names),
                "mean": self.means,
                "sd": deviation,
                "steps": self.steps.mean(axis=1),
                "best in": best.mean(axis=1),
            }
        )

    def plot(self, ax: Any = None) -> Any:
        """Mean worth of each plan with twice its standard error."""
        from suppose.core.figures import forest

        count = self.rewards.shape[1]
        error = self.rewards.std(axis=1, ddof=1) / np.sqrt(count) if count > 1 else np.zeros(len(self.names))
        rows = [
            (name, float(mean), float(mean - 2 * e), float(mean + 2 * e))
            for name, mean, e in zip(self.names, self.means, error, strict=True)
        ]
        best = self.names.index(self.preferred)
        return forest(rows, unit=self.words, reference=None, emphasis=best, ax=ax)

    def __str__(self) -> str:
        parts = [f"{name} {mean:.3g}" for name, mean in zip(self.names, self.means, strict=True)]
        count = self.rewards.shape[1]
        return f"{self.preferred} is better: {', '.join(parts)} ({self.words or 'worth'}, {count} rollouts)"


def compare_plans(
    model: Any,
    state: Any,
    plans: Sequence[Plan],
    reward: Reward,
    rollouts: int = 20,
    seed: int = 0,
    *,
    schema: Schema | None = None,
    ends: str = "",
    jobs: int | None = 1,
) -> PlanComparison:
    """What plans would lead to, in a model or in the world itself.

    Parameters
    ----------
    model : WorldModel
        Anything with ``sample(state, action, random)``.
    state : dict or pydantic state
        Where they start.
    plans : sequence of Plan
        At least one.
    reward : Reward
        What they are worth.
    rollouts : int
        How often each is followed.
    seed : int
        Rollout ``k`` of every plan has the stream named ``k``.
    schema : Schema, optional
        Of the states; that of the model by default.
    ends : str
        An expression that ends a rollout, such as ``player.health <= 0``.
    jobs : int
        Rollouts at the same time.

    Raises
    ------
    StudyError, DataError
        ``bad-plan``, ``bad-rollouts``, ``unknown-action``, ``unknown-attribute``, ``unknown-object-kind``.

    Examples
    --------
    >>> class Shop:
    ...     schema = Schema.from_dicts([{"stock": 0}], actions=("buy", "wait"))
    ...     def sample(self, state, action, random): return {"stock": state["stock"] + (action == "buy")}
    >>> plans = [Plan.of("buy twice", ["buy", "buy"]), Plan.of("wait", ["wait"])]
    >>> print(compare_plans(Shop(), {"stock": 0}, plans, Reward("stock", words="stock"), rollouts=3))
    buy twice is better: buy twice 2, wait 0 (stock, 3 rollouts)
    """
    if isinstance(rollouts, bool) or not isinstance(rollouts, int) or rollouts < 1:
        raise StudyError(
            "bad-rollouts",
            f"expected a whole number from 1, got {rollouts!r}",
            where="rollouts",
            remedy="Write for example rollouts = 20.",
        )
    if not plans:
        raise _bad("expected at least one plan", "plans")
    known = schema or model.schema
    for plan in plans:
        plan.check(known)
    reward.check(known)
    final = parse(ends) if ends else None
    if final is not None:
        final.check(known, where="ends")
    start, walked = plain(state), Listed(model)
    tasks = [
        (walked, start, plan, reward, known, seed, number, final)
        for plan in plans
        for number in range(rollouts)
    ]
    found = parallel_map(_rollout, tasks, jobs=jobs, label="following plans")
    worth = np.array([item[0] for item in found], dtype=float).reshape(len(plans), rollouts)
    steps = np.array([len(item[2]) for item in found], dtype=float).reshape(len(plans), rollouts)
    firsts = found[::rollouts]
    return PlanComparison(
        tuple(plan.name for plan in plans),
        worth,
        steps,
        reward.words or reward.value,
        tuple(item[1] for item in firsts),
        tuple(item[2] for item in firsts),
    )


def _rollout(
    model: Any,
    state: State,
    plan: Plan,
    reward: Reward,
    schema: Schema,
    seed: int,
    number: int,
    ends: Expression | None,
) -> tuple[float, list[State], list[str]]:
    states, done = follow(model, state, plan, schema, generator(seed, "rollout", number), ends)
    return reward.of(states, schema), states if number == 0 else [], done
