"""Many worlds at once: one call steps them all, on as many cores as asked.

Worlds are rows of one struct of arrays and do not touch each other, so the result is the same for any number of
jobs. A world that ends begins anew with the next seed of its own row, unless told otherwise.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from types import TracebackType
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int, UInt8

from suppose.core.errors import StudyError
from suppose.core.parallel import resolve_jobs
from suppose.core.random import integer_seed
from suppose.worlds.crafter import arrays as at
from suppose.worlds.crafter.arrays import ACTIONS, MATERIALS, Arrays, grown
from suppose.worlds.crafter.generation import check_area, generate
from suppose.worlds.crafter.kernels import called
from suppose.worlds.crafter.state import WorldState
from suppose.worlds.crafter.step import step_worlds

__all__ = ["CrafterBatch"]


class CrafterBatch:
    """``worlds`` worlds side by side.

    Parameters
    ----------
    worlds : int
        How many.
    area, view : two int
        Tiles of each map, and of what a player sees.
    seed : int
        Every world and every new start has a seed of its own, derived from it.
    length : int
        Steps after which a world starts anew.
    restart : bool
        Whether worlds that end begin anew; otherwise they go on, which rollouts of a fixed length want.
    jobs : int
        Cores; ``-1`` is all of them. The result does not depend on it.

    Raises
    ------
    StudyError
        ``bad-batch``, ``bad-area``, ``bad-jobs``.

    Examples
    --------
    >>> with CrafterBatch(4, area=(24, 24), seed=1) as batch:
    ...     rewards, ended = batch.step(np.full(4, ACTIONS.index("noop")))
    ...     batch.state(3).step_count, rewards.shape, ended.any().item()
    (1, (4,), False)
    """

    def __init__(
        self,
        worlds: int,
        area: tuple[int, int] = (64, 64),
        view: tuple[int, int] = (9, 9),
        seed: int = 0,
        length: int = 10_000,
        restart: bool = True,
        jobs: int = 1,
    ) -> None:
        for name, value in (("worlds", worlds), ("length", length)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise StudyError(
                    "bad-batch",
                    f"expected a whole number from 1, got {value!r}",
                    where=name,
                    remedy="Write for example worlds = 64, length = 10000.",
                )
        self.area, self.view = check_area(area), check_area(view, "view")
        self.seed, self.length, self.restart = seed, length, restart
        self._jobs = min(resolve_jobs(jobs), worlds)
        self._pool = ThreadPoolExecutor(self._jobs) if self._jobs > 1 else None
        self._lives = np.zeros(worlds, int)
        self.arrays = _joined([self._fresh(index) for index in range(worlds)])

    def _fresh(self, index: int) -> Arrays:
        """The next world of a row."""
        seed = integer_seed(self.seed, "crafter", index, int(self._lives[index]))
        self._lives[index] += 1
        return generate(self.area, self.view, seed)

    def __len__(self) -> int:
        return len(self.arrays.counters)

    def __enter__(self) -> CrafterBatch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets the threads go."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def state(self, index: int) -> WorldState:
        """World ``index`` with names."""
        return WorldState.from_arrays(self.arrays, view=list(self.view), index=index)

    def step(
        self, actions: Int[np.ndarray, " n"]
    ) -> tuple[Float64[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
        """One step of every world; rewards, and which worlds ended (and, with ``restart``, have begun anew).

        Parameters
        ----------
        actions : array of int, shape (n,)
            Places in :data:`ACTIONS`.
        """
        given = np.asarray(actions)
        if given.shape != (len(self),) or given.min() < 0 or given.max() >= len(ACTIONS):
            raise StudyError(
                "bad-actions",
                f"expected {len(self)} whole numbers from 0 to {len(ACTIONS) - 1}, got shape {given.shape}",
                where="actions",
                remedy="Give one action per world, as its place in ACTIONS.",
            )
        given = given.astype(np.int64)
        self.arrays = grown(self.arrays)
        rewards = np.zeros(len(self))
        self._run(given, rewards)
        dead = self.arrays.objects[:, 0, at.HEALTH] <= 0
        ended = dead | (self.arrays.counters[:, at.STEP] >= self.length)
        if self.restart:
            self._begin_anew(np.flatnonzero(ended).tolist())
        return rewards, ended

    def _run(self, actions: Any, rewards: Any) -> None:
        """Steps the worlds, split over the threads."""
        if self._pool is None:
            called(step_worlds, self.arrays, actions, rewards, 0, len(self))
            return
        bounds = np.linspace(0, len(self), self._jobs + 1).astype(int).tolist()
        parts = [
            self._pool.submit(step_worlds, self.arrays, actions, rewards, first, last)
            for first, last in pairwise(bounds)
        ]
        for part in parts:
            part.result()

    def _begin_anew(self, indices: list[int]) -> None:
        """Replaces ended worlds by the next ones of their rows."""
        if not indices:
            return
        maps = self._pool.map(self._fresh, indices) if self._pool is not None else map(self._fresh, indices)
        for index, fresh in zip(indices, maps, strict=True):
            slots = fresh.objects.shape[1]
            if slots > self.arrays.objects.shape[1]:
                objects = np.zeros((len(self), slots, at.COLUMNS), np.int64)
                objects[:, : self.arrays.objects.shape[1]] = self.arrays.objects
                self.arrays = self.arrays._replace(objects=objects)
            for mine, new in zip(self.arrays, fresh, strict=True):
                if new.shape[1:] == mine.shape[1:]:
                    mine[index] = new[0]
            self.arrays.objects[index] = 0
            self.arrays.objects[index, :slots] = fresh.objects[0]

    def views(self) -> UInt8[np.ndarray, "n w h"]:
        """What every player sees, as numbers: materials from 1, then objects; 0 off the map.

        Objects count on from the materials in the order of ``KINDS``: the player is 13, a cow 14.
        """
        width, height = self.view[0], max(1, self.view[1] - 2)
        reach = max(width, height)
        shown = self.arrays.materials.copy()
        world, x, y = np.nonzero(self.arrays.occupied)
        kinds = self.arrays.objects[world, self.arrays.occupied[world, x, y] - 1, at.KIND]
        shown[world, x, y] = kinds + len(MATERIALS) + 1
        padded = np.pad(shown, ((0, 0), (reach, reach), (reach, reach)))
        left = self.arrays.objects[:, 0, at.X] - width // 2 + reach
        top = self.arrays.objects[:, 0, at.Y] - height // 2 + reach
        rows = np.arange(len(self))[:, None, None]
        found: UInt8[np.ndarray, "n w h"] = padded[
            rows, left[:, None, None] + np.arange(width)[:, None], top[:, None, None] + np.arange(height)
        ]
        return found


def _joined(parts: list[Arrays]) -> Arrays:
    """Worlds of one size in one struct of arrays."""
    slots = max(part.objects.shape[1] for part in parts)
    padded = [
        part._replace(objects=np.pad(part.objects, ((0, 0), (0, slots - part.objects.shape[1]), (0, 0))))
        for part in parts
    ]
    return Arrays(*(np.concatenate(columns) for columns in zip(*padded, strict=True)))
