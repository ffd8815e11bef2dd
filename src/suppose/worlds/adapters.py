"""Worlds of gymnasium as structured worlds: states as nested dicts, actions by name, roles for laws.

:func:`open_world` takes the name of a registered environment. Crafter and MiniGrid show their whole state: the
player or agent, its facing, the grid by materials, things that can be picked up as part of the grid. Any other
environment with discrete actions shows its observation: entries of a ``Dict`` by name, whole numbers, short arrays by
place. That is all laws can speak of there, so an environment that hides its state is learned only as far as it shows.

What it does not do: pictures (no laws speak of pixels), continuous actions, environments defined in files of code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from suppose.core.errors import StudyError, nearest

__all__ = ["OpenedWorld", "describe_minigrid", "describe_observation", "open_world"]

State = dict[str, Any]
MOST_VALUES = 64  # of an array that is a list of values rather than a picture
MINIGRID_ROLES: dict[str, Any] = {
    "actor": "agent",
    "facing": "agent.facing",
    "grid": "grid",
    "walkable": ("empty", "goal", "open door", "floor", "lava"),
}


@dataclass(frozen=True)
class OpenedWorld:
    """An environment that can be explored, and how to read it.

    Attributes
    ----------
    env : gymnasium.Env
    actions : tuple of str
        Names in the order of the action space.
    describe : callable
        Takes the environment and gives its state as a nested dict.
    roles : dict
        Arguments of :meth:`suppose.worlds.laws.Schema.from_dicts`.
    schema : Schema, optional
        Where it is known beforehand.
    """

    env: Any
    actions: tuple[str, ...]
    describe: Callable[[Any], State]
    roles: dict[str, Any] = field(default_factory=dict)
    schema: Any = None


def open_world(name: str, options: Mapping[str, Any] | None = None) -> OpenedWorld:
    """The environment of a name: ``"crafter"``, or one registered with gymnasium.

    Parameters
    ----------
    name : str
        E.g. ``"crafter"``, ``"MiniGrid-DoorKey-6x6-v0"``, ``"Taxi-v4"``.
    options : dict, optional
        Keyword arguments of the environment.

    Raises
    ------
    StudyError
        ``unknown-environment``, ``bad-environment-options``, ``unreadable-environment`` for continuous actions or
        observations that are pictures.

    Examples
    --------
    >>> world = open_world("CliffWalking-v1")
    >>> observation, _ = world.env.reset(seed=1)
    >>> world.actions, world.describe(world.env)
    (('action_0', 'action_1', 'action_2', 'action_3'), {'observation': 36})
    """
    given = dict(options or {})
    if name == "crafter":
        return _crafter(given)
    env = _made(name, given)
    if hasattr(env.unwrapped, "agent_dir") and hasattr(env.unwrapped, "grid"):
        actions = tuple(action.name for action in env.unwrapped.actions)
        return OpenedWorld(env, actions, describe_minigrid, dict(MINIGRID_ROLES))
    return _generic(name, env)


def _crafter(options: dict[str, Any]) -> OpenedWorld:
    from suppose.worlds.crafter import SCHEMA, CrafterEnv

    try:
        env = CrafterEnv(**{key: tuple(v) if isinstance(v, list) else v for key, v in options.items()})
    except TypeError as error:
        raise _bad_options("crafter", error) from error
    return OpenedWorld(
        env, CrafterEnv.action_names, lambda world: dict(world.unwrapped.state_dict()), {}, SCHEMA
    )


def _made(name: str, options: dict[str, Any]) -> Any:
    """The environment of a registered name; names that would load code from elsewhere are refused."""
    import gymnasium

    if name.startswith(("MiniGrid-", "BabyAI-")):
        try:
            import minigrid  # noqa: F401 (registers its environments)
        except ImportError:
            raise StudyError(
                "unknown-environment",
                "the package minigrid is not installed",
                where=f"environment {name!r}",
                remedy="Install it with: pip install 'suppose[worlds]'.",
            ) from None
    if name not in gymnasium.registry:
        known = ["crafter", *gymnasium.registry]
        raise StudyError(
            "unknown-environment",
            "no environment of this name is registered with gymnasium",
            where=f"environment {name!r}",
            remedy=nearest(name, known) or 'Write for example environment = "crafter".',
        )
    try:
        return gymnasium.make(name, **options)
    except (TypeError, gymnasium.error.Error, ImportError) as error:
        raise _bad_options(name, error) from error


def _bad_options(name: str, error: Exception) -> StudyError:
    return StudyError(
        "bad-environment-options",
        f"the environment cannot be made: {str(error)[:150]}",
        where=f"environment {name!r}",
        remedy="Check [world] options against the arguments of the environment.",
    )


def _generic(name: str, env: Any) -> OpenedWorld:
    from gymnasium import spaces

    problem = ""
    if not isinstance(env.action_space, spaces.Discrete):
        problem = f"expected discrete actions, got {env.action_space}"
    elif not _readable(env.observation_space):
        problem = f"its observation cannot be read as named values: {str(env.observation_space)[:80]}"
    if problem:
        raise StudyError(
            "unreadable-environment",
            problem,
            where=f"environment {name!r}",
            remedy="Give a file of transitions with states of your own instead.",
        )
    watched = _Watched(env)
    actions = tuple(f"action_{k}" for k in range(int(env.action_space.n)))
    return OpenedWorld(watched, actions, lambda world: describe_observation(world.seen))


class _Watched:
    """An environment that keeps what it last showed."""

    def __init__(self, env: Any) -> None:
        self._env, self.seen = env, None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)

    def reset(self, **options: Any) -> Any:
        """See ``gymnasium.Env``."""
        self.seen, info = self._env.reset(**options)
        return self.seen, info

    def step(self, action: Any) -> Any:
        """See ``gymnasium.Env``."""
        self.seen, *rest = self._env.step(action)
        return (self.seen, *rest)


def _readable(space: Any) -> bool:
    """Whether an observation is a few named values."""
    from gymnasium import spaces

    if isinstance(space, spaces.Dict):
        return all(_readable(part) for part in space.spaces.values())
    if isinstance(space, spaces.Tuple):
        return all(_readable(part) for part in space.spaces)
    if isinstance(space, (spaces.Discrete, spaces.Text)):
        return True
    return isinstance(space, (spaces.Box, spaces.MultiDiscrete, spaces.MultiBinary)) and (
        int(np.prod(space.shape or (1,))) <= MOST_VALUES
    )


def describe_observation(observation: Any) -> State:
    """An observation as a nested dict of plain values; one that is no dict stands under ``observation``.

    Examples
    --------
    >>> describe_observation({"speed": np.float32(0.5), "gear": np.int64(2), "doors": np.array([1, 0], np.int8)})
    {'speed': 0.5, 'gear': 2, 'doors': {'0': 1, '1': 0}}
    """
    found = _plain(observation)
    return (
        found
        if isinstance(found, dict) and isinstance(observation, (Mapping, tuple))
        else {"observation": found}
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, np.ndarray) and value.ndim:
        return {str(place): _plain(part) for place, part in enumerate(value.ravel())}
    if isinstance(value, tuple):
        return {str(place): _plain(part) for place, part in enumerate(value)}
    if isinstance(value, (np.generic, np.ndarray)):
        return value.item()
    return value


def describe_minigrid(env: Any) -> State:
    """The whole state of a MiniGrid environment.

    The grid is told by words: ``"empty"``, ``"wall"``, ``"goal"``, ``"yellow key"``, ``"locked yellow door"``.

    Examples
    --------
    >>> world = open_world("MiniGrid-Empty-5x5-v0")
    >>> _ = world.env.reset(seed=1)
    >>> describe_minigrid(world.env)["agent"]
    {'position': {'x': 1, 'y': 1}, 'facing': {'x': 1, 'y': 0}, 'carrying': 'nothing'}
    """
    world = env.unwrapped
    x, y = (int(value) for value in world.agent_pos)
    dx, dy = (int(value) for value in world.dir_vec)
    grid = world.grid
    tiles = [[_tile(grid.get(i, j)) for j in range(grid.height)] for i in range(grid.width)]
    return {
        "agent": {
            "position": {"x": x, "y": y},
            "facing": {"x": dx, "y": dy},
            "carrying": "nothing" if world.carrying is None else _tile(world.carrying),
        },
        "grid": tiles,
    }


def _tile(thing: Any) -> str:
    """What is on a tile, in words."""
    if thing is None:
        return "empty"
    if thing.type == "door":
        return (
            "open door"
            if thing.is_open
            else f"{'locked' if thing.is_locked else 'closed'} {thing.color} door"
        )
    return (
        str(thing.type) if thing.type in ("wall", "goal", "lava", "floor") else f"{thing.color} {thing.type}"
    )
