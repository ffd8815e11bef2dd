"""The world as a gymnasium environment. Needs the extra ``worlds``.

The observation is the picture of the state, or the map in numbers. ``info`` holds items, achievements and position.
``env.unwrapped.state`` is the whole :class:`WorldState`, which can be set too: an episode can start anywhere.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from suppose.core.errors import StudyError, nearest
from suppose.worlds.crafter import arrays as at
from suppose.worlds.crafter.arrays import ACHIEVEMENTS, ACTIONS, ITEMS, KINDS, MATERIALS, grown
from suppose.worlds.crafter.generation import check_area, generate
from suppose.worlds.crafter.image import draw_world
from suppose.worlds.crafter.kernels import called
from suppose.worlds.crafter.state import WorldState
from suppose.worlds.crafter.step import action_number, step_worlds
from suppose.worlds.crafter.text import render_text

__all__ = ["CrafterEnv"]

OBSERVATIONS = ("image", "semantic")


class CrafterEnv(gymnasium.Env):
    """One world, step by step.

    Parameters
    ----------
    area, view : two int
        Tiles of the map, and of what the player sees (two rows of items included).
    size : two int
        Pixels of the picture.
    health : int
        What the player starts with.
    length : int
        Steps after which an episode is cut.
    observation : {"image", "semantic"}
        A picture, or the whole map in numbers (materials from 1, then objects in the order of ``KINDS``).
    render_mode : {"rgb_array", "ansi"}, optional
        What ``render()`` gives: pixels or text.

    Raises
    ------
    StudyError
        ``bad-area``, ``unknown-observation``.

    Examples
    --------
    >>> env = CrafterEnv(area=(32, 32))
    >>> picture, info = env.reset(seed=1)
    >>> picture, reward, dead, cut, info = env.step(env.action_names.index("do"))
    >>> picture.shape, env.state.step_count, info["inventory"]["food"]
    ((64, 64, 3), 1, 9)
    """

    metadata = {"render_modes": ["rgb_array", "ansi"], "render_fps": 5}  # noqa: RUF012
    action_names = ACTIONS

    def __init__(
        self,
        area: tuple[int, int] = (64, 64),
        view: tuple[int, int] = (9, 9),
        size: tuple[int, int] = (64, 64),
        health: int = 9,
        length: int = 10_000,
        observation: str = "image",
        render_mode: str | None = None,
    ) -> None:
        if observation not in OBSERVATIONS:
            raise StudyError(
                "unknown-observation",
                f"expected one of {', '.join(OBSERVATIONS)}, got {observation!r}",
                where="observation",
                remedy=nearest(str(observation), OBSERVATIONS) or None,
            )
        self.area, self.view, self.size = check_area(area), check_area(view, "view"), check_area(size, "size")
        self.health, self.length, self.observation, self.render_mode = (
            health,
            length,
            observation,
            render_mode,
        )
        self.action_space = spaces.Discrete(len(ACTIONS))
        highest = len(MATERIALS) + len(KINDS)
        self.observation_space = (
            spaces.Box(0, 255, (self.size[1], self.size[0], 3), np.uint8)
            if observation == "image"
            else spaces.Box(0, highest, self.area, np.uint8)
        )
        self._worlds: Any = None
        self._rewards = np.zeros(1)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """A new map; without a seed, one drawn from the environment's own stream.

        ``options={"state": ...}`` starts from a :class:`WorldState` of the same size.
        """
        super().reset(seed=seed)
        number = seed if seed is not None else int(self.np_random.integers(2**31 - 1))
        given = (options or {}).get("state")
        if given is not None:
            self.state = given
        else:
            self._worlds = generate(self.area, self.view, number, self.health)
        return self._observed(), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """One step; ends with the player's death, is cut at ``length``."""
        number = np.array([action_number(action)])
        self._worlds = grown(self._worlds)
        called(step_worlds, self._worlds, number, self._rewards, 0, 1)
        dead = bool(self._worlds.objects[0, 0, at.HEALTH] <= 0)
        cut = bool(self._worlds.counters[0, at.STEP] >= self.length) and not dead
        return self._observed(), float(self._rewards[0]), dead, cut, self._info()

    @property
    def state(self) -> WorldState:
        """Where things stand, with names; a copy."""
        return WorldState.from_arrays(self._worlds, view=list(self.view))

    @state.setter
    def state(self, state: WorldState) -> None:
        if tuple(state.size) != self.area:
            raise StudyError(
                "other-area",
                f"the environment has {self.area[0]} by {self.area[1]} tiles, the state {state.size[0]} by "
                f"{state.size[1]}",
                where="state",
                remedy="Make the environment with area = tuple(state.size).",
            )
        self._worlds = state.to_arrays()

    def state_dict(self) -> dict[str, Any]:
        """Where things stand, as a nested dict."""
        return self.state.model_dump()

    def render(self) -> Any:
        """The picture or the text, as ``render_mode`` says."""
        if self.render_mode == "ansi":
            return render_text(self.state)
        return draw_world(self._worlds, self.view, self.size) if self.render_mode == "rgb_array" else None

    def _observed(self) -> Any:
        if self.observation == "image":
            return draw_world(self._worlds, self.view, self.size)
        shown = self._worlds.materials[0].copy()
        count = int(self._worlds.counters[0, at.COUNT])
        rows = self._worlds.objects[0, :count]
        shown[rows[:, at.X], rows[:, at.Y]] = rows[:, at.KIND] + len(MATERIALS) + 1
        return shown

    def _info(self) -> dict[str, Any]:
        player, row = self._worlds.player[0], self._worlds.objects[0, 0]
        items = [int(row[at.HEALTH]), *player[at.INVENTORY + 1 : at.ACHIEVED].tolist()]
        return {
            "inventory": dict(zip(ITEMS, items, strict=True)),
            "achievements": dict(zip(ACHIEVEMENTS, player[at.ACHIEVED :].tolist(), strict=True)),
            "position": (int(row[at.X]), int(row[at.Y])),
        }
