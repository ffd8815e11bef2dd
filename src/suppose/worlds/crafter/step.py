"""One step of the world: a pure function of the state and the action.

The order is that of PyPI ``crafter`` 1.8.3: the clock and the light; every object within reach of the player in
order of creation, the player first; every tenth step, creatures coming and going. The reward is a tenth of the
change in health, plus one where an achievement is reached for the first time. Two things differ from the
reference implementation as published, so that equal states have equal futures: creatures that leave are chosen in
order of creation (there: in the order of a Python set), and pictures draw nothing from the world's stream.

:func:`advance` works on arrays, for any number of worlds; :func:`transition` on a state with names.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, no_type_check

import numpy as np
from jaxtyping import Float64, Int

from suppose.core.errors import StudyError, nearest
from suppose.worlds.crafter.arrays import (
    ACHIEVED,
    ACTION,
    ACTIONS,
    COUNT,
    DAYLIGHT,
    HEALTH,
    PLAYER_COLUMNS,
    REACH,
    STEP,
    Arrays,
    X,
    Y,
    grown,
)
from suppose.worlds.crafter.creatures import balance_chunks, update_object
from suppose.worlds.crafter.ground import distance, leave_removed
from suppose.worlds.crafter.kernels import called, kernel
from suppose.worlds.crafter.player import update_player

if TYPE_CHECKING:
    from suppose.worlds.crafter.state import WorldState

__all__ = ["action_number", "advance", "daylight", "transition"]


@kernel
@no_type_check
def daylight_kernel(step):
    """Light at a step, 0 (night) to 1: days of 300 steps."""
    progress = (step / 300) % 1 + 0.3
    return 1 - math.pow(abs(math.cos(math.pi * progress)), 3.0)


@kernel
@no_type_check
def achieved(player):
    """How many of the achievements were ever reached; none is ever lost."""
    found = 0
    for place in range(ACHIEVED, PLAYER_COLUMNS):
        found += player[place] > 0
    return found


@kernel
@no_type_check
def step_world(world, action):
    """One step of one world, in place; its reward."""
    counters, player = world.counters, world.player
    health = world.objects[0, HEALTH]
    counters[STEP] += 1
    world.vitals[DAYLIGHT] = daylight_kernel(counters[STEP])
    player[ACTION] = action
    before = achieved(player)
    present = counters[COUNT]  # what comes into being in this step acts in the next
    update_player(world)
    for slot in range(1, present):
        if distance(world, 0, world.objects[slot, X], world.objects[slot, Y]) < counters[REACH]:
            update_object(world, slot)
    if counters[STEP] % 10 == 0:
        balance_chunks(world)
    leave_removed(world)
    reward = (world.objects[0, HEALTH] - health) / 10
    return reward + 1.0 if achieved(player) > before else reward


@kernel
@no_type_check
def step_worlds(worlds, actions, rewards, first, last):
    """One step of the worlds from ``first`` to before ``last``, in place; an action below zero leaves one alone."""
    for index in range(first, last):
        if actions[index] < 0:
            continue
        world = Arrays(
            worlds.materials[index],
            worlds.occupied[index],
            worlds.objects[index],
            worlds.player[index],
            worlds.vitals[index],
            worlds.counters[index],
            worlds.chunks[index],
            worlds.random[index],
        )
        rewards[index] = step_world(world, actions[index])


def daylight(step: int) -> float:
    """Light at a step, from 0 (night) to 1 (day): ``1 - |cos(pi (step/300 mod 1 + 0.3))|^3``.

    Examples
    --------
    >>> round(daylight(0), 3), round(daylight(210), 3)
    (0.797, 0.0)
    """
    return float(daylight_kernel(step))


def action_number(action: str | int | np.integer) -> int:
    """Place of an action in :data:`ACTIONS`; refuses any other (``unknown-action``).

    Examples
    --------
    >>> action_number("do"), action_number(5)
    (5, 5)
    """
    if isinstance(action, str) and action in ACTIONS:
        return ACTIONS.index(action)
    if isinstance(action, (int, np.integer)) and not isinstance(action, bool) and 0 <= action < len(ACTIONS):
        return int(action)
    raise StudyError(
        "unknown-action",
        f"no action {action!r}; the actions are: {', '.join(ACTIONS)}",
        where="action",
        remedy=nearest(str(action), ACTIONS) or None,
    )


def advance(worlds: Arrays, actions: Int[np.ndarray, " n"]) -> tuple[Arrays, Float64[np.ndarray, " n"]]:
    """The worlds a step later, and the rewards; the worlds given stay as they are.

    Parameters
    ----------
    worlds : Arrays
        ``n`` worlds.
    actions : array of int, shape (n,)
        Places in :data:`ACTIONS`, one per world.

    Returns
    -------
    Arrays, array of float of shape (n,)

    Examples
    --------
    >>> from suppose.worlds.crafter import ACTIONS, initial_state
    >>> now = initial_state(area=(24, 24), seed=1).to_arrays()
    >>> then, reward = advance(now, np.array([ACTIONS.index("noop")]))
    >>> int(now.counters[0, 0]), int(then.counters[0, 0]), reward.tolist()
    (0, 1, [0.0])
    """
    following = grown(worlds.copy())
    rewards = np.zeros(len(actions))
    called(step_worlds, following, actions, rewards, 0, len(actions))
    return following, rewards


def transition(state: WorldState, action: str | int | np.integer) -> tuple[WorldState, float]:
    """The state a step later, and the reward; the state given stays as it is.

    Parameters
    ----------
    state : WorldState
        Where things stand, with the stream of random numbers that decides what is left to chance.
    action : str or int
        One of :data:`ACTIONS`, or its place there.

    Raises
    ------
    StudyError
        ``unknown-action``.
    DataError
        For a state that contradicts itself: see :meth:`WorldState.to_arrays`.

    Examples
    --------
    >>> from suppose.worlds.crafter import initial_state
    >>> state = initial_state(area=(24, 24), seed=1)
    >>> later, reward = transition(state, "move_left")
    >>> state.player.position, later.player.position, reward
    (Position(x=12, y=12), Position(x=11, y=12), 0.0)
    """
    from suppose.worlds.crafter.state import WorldState

    number = np.array([action_number(action)])
    following, rewards = advance(state.to_arrays(), number)
    return WorldState.from_arrays(following, view=state.view), float(rewards[0])
