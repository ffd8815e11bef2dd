"""Where a world begins."""

from __future__ import annotations

from suppose.core.errors import StudyError
from suppose.core.random import check_seed
from suppose.worlds.crafter.generation import blank, check_area, generate
from suppose.worlds.crafter.state import WorldState

__all__ = ["grass_state", "initial_state"]


def _checked_health(health: int) -> int:
    if isinstance(health, bool) or not isinstance(health, int) or not 1 <= health <= 100:
        raise StudyError(
            "bad-health",
            f"expected a whole number from 1 to 100, got {health!r}",
            where="health",
            remedy="Write for example health = 9.",
        )
    return health


def initial_state(
    area: tuple[int, int] = (64, 64), view: tuple[int, int] = (9, 9), seed: int = 0, health: int = 9
) -> WorldState:
    """A fresh world: map, creatures, and the player in the middle.

    Parameters
    ----------
    area, view : two int
        Tiles of the map, and of what the player sees.
    seed : int
        Same seed, same world and same future. The stream is that of ``numpy.random.RandomState`` with the last
        32 bits of the seed.
    health : int
        What the player starts with. More than the usual 9 is kept, and does not grow back once lost.

    Raises
    ------
    StudyError
        ``bad-area``, ``bad-seed``, ``bad-health``.

    Examples
    --------
    >>> state = initial_state(seed=4)
    >>> state.size, state.player.position, state.player.inventory.food
    ([64, 64], Position(x=32, y=32), 9)
    """
    sides, sight = check_area(area), check_area(view, "view")
    arrays = generate(sides, sight, check_seed(seed), _checked_health(health))
    return WorldState.from_arrays(arrays, view=list(sight))


def grass_state(
    area: tuple[int, int] = (9, 9),
    view: tuple[int, int] = (9, 9),
    position: tuple[int, int] | None = None,
    seed: int = 0,
    health: int = 9,
) -> WorldState:
    """A meadow without creatures, to be furnished; the player in the middle unless ``position`` is given.

    Examples
    --------
    >>> state = grass_state()
    >>> {name for column in state.materials for name in column}, state.player.position
    ({'grass'}, Position(x=4, y=4))
    """
    sides, sight = check_area(area), check_area(view, "view")
    place = position or (sides[0] // 2, sides[1] // 2)
    if not (0 <= place[0] < sides[0] and 0 <= place[1] < sides[1]):
        from suppose.worlds.crafter.state import _off_map

        raise _off_map("position", *place, list(sides))
    arrays = blank(sides, sight, place, check_seed(seed), _checked_health(health))
    return WorldState.from_arrays(arrays, view=list(sight))
