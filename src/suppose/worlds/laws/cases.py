"""What world models are examined on: the transitions of Crafter's scenarios, and states that did not come about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from suppose.core.errors import StudyError
from suppose.core.random import integer_seed
from suppose.worlds.explore import Step
from suppose.worlds.laws.schema import State

__all__ = ["Case", "Distractors", "checked_trials", "crafter_cases", "crafter_distractors"]

ALWAYS = ("health of others", "places of others")
Distractors = Callable[[Step, np.random.Generator], list[tuple[str, State]]]


@dataclass(frozen=True)
class Case:
    """One transition to examine a model on, and where it comes from."""

    scenario: str
    variant: str
    trial: int
    number: int
    step: Step


def crafter_cases(
    scenarios: Iterable[str] | None = None, variants: str = "both", trials: int = 5, seed: int = 42
) -> list[Case]:
    """The true transitions of Crafter's scenarios, played anew in every trial."""
    from suppose.worlds.crafter.scenarios import SCENARIOS, variants_of

    cases = []
    for name in scenarios if scenarios is not None else SCENARIOS:
        for variant in variants_of(name, variants):
            for trial in range(checked_trials(trials)):
                played = SCENARIOS[name].play(variant, integer_seed(seed, "scenario", name, variant, trial))
                for number, move in enumerate(played):
                    step = Step(
                        move.state.model_dump(), move.action, move.next_state.model_dump(), move.reward, False
                    )
                    cases.append(Case(name, variant, trial, number, step))
    return cases


def crafter_distractors(step: Step, rng: np.random.Generator) -> list[tuple[str, State]]:
    """The mutations of :mod:`suppose.worlds.crafter.mutators`, of the state before the action.

    As in the released protocol, changes of other objects apply where there are none, and then say that nothing
    happens.
    """
    from suppose.worlds.crafter.mutators import mutations
    from suppose.worlds.crafter.state import WorldState

    before, after = WorldState.model_validate(step.state), WorldState.model_validate(step.next_state)
    found = dict(mutations(before, step.action, after, rng))
    always = {name: found.pop(name, before) for name in ALWAYS}
    return [(name, state.model_dump()) for name, state in (always | found).items()]


def checked_trials(trials: int) -> int:
    """The number of trials; refuses a senseless one."""
    if isinstance(trials, bool) or not isinstance(trials, int) or trials < 1:
        raise StudyError(
            "bad-trials",
            f"expected a whole number from 1, got {trials!r}",
            where="trials",
            remedy="Write for example trials = 5.",
        )
    return trials
