"""States that did not come about: distractors a world model must tell from the true next state.

Each mutator changes one aspect of a state: the health or place of every other object, the player's health, the
whole inventory, or what the action at hand could be mistaken for (an item not being faced, another tool, a step
aside). They follow the description of the released protocol of OneLife (arXiv 2510.12088), which changed the state
*before* the action, so that "nothing happened" is often among the distractors; the paper's figure changes the state
after it. ``of="previous"`` and ``of="next"`` give the one and the other.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from suppose.core.errors import StudyError, nearest
from suppose.worlds.crafter.arrays import ITEMS
from suppose.worlds.crafter.player import COLLECT, MAKING
from suppose.worlds.crafter.scenarios import MOVES
from suppose.worlds.crafter.state import Position, WorldState

__all__ = ["MUTATORS", "mutations"]

Mutator = Callable[[WorldState, str, np.random.Generator], "WorldState | None"]
COLLECTED = {material: item for material, (item, *_) in COLLECT.items()}


def other_health(state: WorldState, action: str, rng: np.random.Generator) -> WorldState | None:
    """Every other object has another health, more than one away from its own, from 0 to 10."""
    if not state.objects:
        return None
    for thing in state.objects:
        thing.health = int(rng.choice([value for value in range(11) if abs(value - thing.health) > 1]))
    return state


def other_places(state: WorldState, action: str, rng: np.random.Generator) -> WorldState | None:
    """Every other object stands 2 to 10 steps from where it stood, on a free tile."""
    taken = {(thing.position.x, thing.position.y) for thing in [state.player, *state.objects]}
    moved = False
    for thing in state.objects:
        x, y = thing.position.x, thing.position.y
        free = [
            (i, j)
            for i in range(max(0, x - 10), min(state.size[0], x + 11))
            for j in range(max(0, y - 10), min(state.size[1], y + 11))
            if 2 <= abs(i - x) + abs(j - y) <= 10 and (i, j) not in taken
        ]
        if free:
            place = free[int(rng.integers(len(free)))]
            taken.add(place)
            thing.position, moved = Position(x=place[0], y=place[1]), True
    return state if moved else None


def player_health(state: WorldState, action: str, rng: np.random.Generator) -> WorldState | None:
    """The player's health is up to 3 lower or 2 higher, from 0 to 10."""
    value = int(np.clip(state.player.health + rng.integers(-3, 3), 0, 10))
    state.player.health = state.player.inventory.health = value
    return state


def whole_inventory(state: WorldState, action: str, rng: np.random.Generator) -> WorldState | None:
    """Everything but health is anything from 0 to 100."""
    for name in ITEMS[1:]:
        setattr(state.player.inventory, name, int(rng.integers(0, 101)))
    return state


def wrong_item(state: WorldState, action: str, rng: np.random.Generator) -> WorldState | None:
    """``do`` gives something that is not faced."""
    if action != "do":
        return None
    faced = COLLECTED.get(state.get_target_tile()[0] or "")
    return _one_more(state, [item for item in COLLECTED.values() if item != faced], rng)


def wrong_tool(state: WorldState, action: str, rng: np.random.Generator) -> WorldState | None:
    """Making a tool gives another one."""
    if not action.startswith("make_"):
        return None
    return _one_more(state, [tool for tool in MAKING if tool != action.removeprefix("make_")], rng)


def step_aside(state: WorldState, action: str, rng: np.random.Generator) -> WorldState | None:
    """The player stands one tile off though the action was not a move."""
    if action in MOVES:
        return None
    taken = {(thing.position.x, thing.position.y) for thing in state.objects}
    here = state.player.position
    around = [(here.x + dx, here.y + dy) for dx, dy in MOVES.values()]
    free = [(x, y) for x, y in around if state.get_tile(x, y)[0] is not None and (x, y) not in taken]
    if not free:
        return None
    x, y = free[int(rng.integers(len(free)))]
    state.player.position = Position(x=x, y=y)
    return state


def illegal_placement(state: WorldState, action: str, rng: np.random.Generator) -> WorldState | None:
    """A placed thing stands ahead although it could not; off unless asked for, as in the released protocol."""
    placed = action.removeprefix("place_")
    if placed not in ("stone", "table", "furnace") or state.get_target_tile()[0] is None:
        return None
    state.set_facing_material(placed)
    return state


def _one_more(state: WorldState, names: list[str], rng: np.random.Generator) -> WorldState:
    name = names[int(rng.integers(len(names)))]
    setattr(state.player.inventory, name, getattr(state.player.inventory, name) + 1)
    return state


MUTATORS: dict[str, Mutator] = {
    "health of others": other_health,
    "places of others": other_places,
    "health of the player": player_health,
    "inventory": whole_inventory,
    "wrong item": wrong_item,
    "wrong tool": wrong_tool,
    "step aside": step_aside,
}


def mutations(
    state: WorldState,
    action: str,
    next_state: WorldState,
    rng: np.random.Generator,
    of: str = "previous",
    illegal: bool = False,
) -> list[tuple[str, WorldState]]:
    """Every distractor that applies to a transition, with its name; the states given stay as they are.

    Parameters
    ----------
    state, next_state : WorldState
        Before and after the action.
    action : str
        What was done.
    rng : numpy.random.Generator
        Where the changes are drawn from.
    of : {"previous", "next"}
        Which of the two is changed.
    illegal : bool
        Whether illegal placements are among them.

    Raises
    ------
    StudyError
        ``unknown-base`` for another ``of``.

    Examples
    --------
    >>> from suppose.core.random import generator
    >>> from suppose.worlds.crafter import SCENARIOS
    >>> step = SCENARIOS["collect_coal"].play()[0]
    >>> [name for name, _ in mutations(step.state, step.action, step.next_state, generator(1))]
    ['health of the player', 'inventory', 'wrong item', 'step aside']
    """
    bases = {"previous": state, "next": next_state}
    if of not in bases:
        raise StudyError(
            "unknown-base",
            f"expected one of previous, next, got {of!r}",
            where="of",
            remedy=nearest(str(of), bases) or None,
        )
    found = []
    for name, mutate in [*MUTATORS.items(), *([("illegal placement", illegal_placement)] if illegal else [])]:
        changed = mutate(bases[of].copy_state(), action, rng)
        if changed is not None:
            found.append((name, changed))
    return found
