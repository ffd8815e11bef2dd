"""How a map is made: terrain from layers of simplex noise, then creatures by lot.

The rules and thresholds are those of PyPI ``crafter`` 1.8.3: around the player grass; elsewhere water with sandy
shores, mountains with caves, tunnels, ores and lava, and trees on the rest. Cows graze at more than three tiles
from the player, zombies at more than ten, skeletons live in tunnels. One seed, one map.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np

from suppose.core.errors import StudyError
from suppose.worlds.crafter.arrays import (
    COAL,
    COW,
    DAYLIGHT,
    DIAMOND,
    ENERGY,
    FACE_X,
    FACE_Y,
    FOOD,
    GRASS,
    INVENTORY,
    IRON,
    LAST_HEALTH,
    LAVA,
    PATH,
    PLAYER,
    POSITION,
    REACH,
    SAND,
    SKELETON,
    STONE,
    TREE,
    WATER,
    ZOMBIE,
    Arrays,
    X,
    Y,
    empty,
    room_for,
)
from suppose.worlds.crafter.ground import add, draw
from suppose.worlds.crafter.kernels import called, kernel
from suppose.worlds.crafter.noise import field, noise
from suppose.worlds.crafter.random import integer_below, seeded
from suppose.worlds.crafter.step import daylight

__all__ = ["CHUNK", "blank", "check_area", "generate", "only"]

CHUNK = (12, 12)
SMALLEST, LARGEST = 3, 1000
# Layers of noise: height in the field, tiles it is stretched to.
MEADOW = np.array([8.0, 3.0])
LAKES = np.array([3.0, 15.0])
PONDS = np.array([3.0, 5.0])
MOUNTAINS = np.array([0.0, 15.0])
HILLS = np.array([0.0, 5.0])
CAVES = np.array([6.0, 7.0])
TUNNELS = np.array([7.0, 3.0])
COAL_SEAMS = np.array([1.0, 8.0])
IRON_SEAMS = np.array([2.0, 6.0])
LAVA_POOLS = np.array([6.0, 5.0])
SHORES = np.array([4.0, 9.0])
WOODS = np.array([5.0, 7.0])


@kernel
@no_type_check
def layer(lattice, x, y, kind):
    """One layer of noise, given its height and the tiles it is stretched to."""
    return noise(lattice, x / kind[1], y / kind[1], kind[0])


@kernel
@no_type_check
def cave(world, lattice, mountain, x, y):
    """Material of a mountain tile, and whether it is a tunnel."""
    if layer(lattice, x, y, CAVES) > 0.15 and mountain > 0.3:
        return PATH, False
    if layer(lattice, 2.0 * x, y / 5, TUNNELS) > 0.4 or layer(lattice, x / 5, 2.0 * y, TUNNELS) > 0.4:
        return PATH, True
    if layer(lattice, x, y, COAL_SEAMS) > 0 and draw(world) > 0.85:
        return COAL, False
    if layer(lattice, x, y, IRON_SEAMS) > 0.4 and draw(world) > 0.75:
        return IRON, False
    if mountain > 0.18 and draw(world) > 0.994:
        return DIAMOND, False
    if mountain > 0.3 and layer(lattice, x, y, LAVA_POOLS) > 0.35:
        return LAVA, False
    return STONE, False


@kernel
@no_type_check
def terrain(world, lattice, x, y):
    """Material of a tile, and whether it is a tunnel."""
    away = math.sqrt(float((x - world.objects[0, X]) ** 2 + (y - world.objects[0, Y]) ** 2))
    start = 4 - away + 2 * layer(lattice, x, y, MEADOW)
    start = 1 / (1 + math.exp(-start))
    water = layer(lattice, x, y, LAKES) + 0.15 * layer(lattice, x, y, PONDS) + 0.1
    water -= 2 * start
    mountain = (layer(lattice, x, y, MOUNTAINS) + 0.3 * layer(lattice, x, y, HILLS)) / 1.3
    mountain -= 4 * start + 0.3 * water
    if start > 0.5:
        return GRASS, False
    if mountain > 0.15:
        return cave(world, lattice, mountain, x, y)
    if 0.25 < water <= 0.35 and layer(lattice, x, y, SHORES) > -0.2:
        return SAND, False
    if water > 0.3:
        return WATER, False
    if layer(lattice, x, y, WOODS) > 0 and draw(world) > 0.8:
        return TREE, False
    return GRASS, False


@kernel
@no_type_check
def populate(world, tunnels, x, y):
    """Perhaps a creature on a tile."""
    material = world.materials[x, y]
    if material != GRASS and material != SAND and material != PATH:
        return
    away = math.sqrt(float((x - world.objects[0, X]) ** 2 + (y - world.objects[0, Y]) ** 2))
    if away > 3 and material == GRASS and draw(world) > 0.985:
        add(world, COW, x, y, 3)
    elif away > 10 and draw(world) > 0.993:
        add(world, ZOMBIE, x, y, 5)
    elif material == PATH and tunnels[x, y] and draw(world) > 0.95:
        add(world, SKELETON, x, y, 3)


@kernel
@no_type_check
def build(world, lattice, tunnels):
    """Terrain, then creatures, of one world that holds the player alone; notes the tunnels."""
    width, height = world.materials.shape
    for x in range(width):
        for y in range(height):
            world.materials[x, y], tunnels[x, y] = terrain(world, lattice, float(x), float(y))
    for x in range(width):
        for y in range(height):
            populate(world, tunnels, x, y)


@kernel
@no_type_check
def put_player(world, x, y, health):
    """Puts the player on a tile."""
    add(world, PLAYER, x, y, health)


@kernel
@no_type_check
def first_draw(world, limit):
    """The draw that seeds the noise."""
    return integer_below(world.random, world.counters, POSITION, limit)


def only(arrays: Arrays, index: int = 0) -> Arrays:
    """World ``index`` as the tuple of rows a kernel changes in place."""
    return Arrays(*(part[index] for part in arrays))


def check_area(area: tuple[int, int], what: str = "area") -> tuple[int, int]:
    """A size as two whole numbers from 3 to 1,000; refuses any other (``bad-area``)."""
    sides = tuple(area) if isinstance(area, (tuple, list)) else (area,)
    whole = all(isinstance(side, (int, np.integer)) and not isinstance(side, bool) for side in sides)
    if len(sides) != 2 or not whole or not all(SMALLEST <= side <= LARGEST for side in sides):
        raise StudyError(
            "bad-area",
            f"expected two whole numbers from {SMALLEST} to {LARGEST}, got {area!r}",
            where=what,
            remedy="Write for example area = (64, 64), view = (9, 9).",
        )
    return int(sides[0]), int(sides[1])


def blank(
    area: tuple[int, int], view: tuple[int, int], position: tuple[int, int], seed: int, health: int = 9
) -> Arrays:
    """One world of grass with the player on it and a fresh stream of random numbers."""
    arrays = empty(1, area, CHUNK)
    arrays.random[0], arrays.counters[0, POSITION] = seeded(seed)
    arrays.counters[0, REACH] = 2 * max(view)
    arrays.vitals[0, DAYLIGHT] = daylight(0)
    arrays.player[0, LAST_HEALTH] = health
    arrays.player[0, INVENTORY + FOOD : INVENTORY + ENERGY + 1] = 9
    put_player(only(arrays), *position, health)
    arrays.objects[0, 0, FACE_X], arrays.objects[0, 0, FACE_Y] = 0, 1
    return arrays


def generate(area: tuple[int, int], view: tuple[int, int], seed: int, health: int = 9) -> Arrays:
    """One world with its map and creatures, the player in the middle.

    Examples
    --------
    >>> world = generate((32, 32), (9, 9), seed=1)
    >>> world.materials.shape, world.objects[0, 0, 2:5].tolist()  # x, y, health
    ((1, 32, 32), [16, 16, 9])
    """
    arrays = blank(area, view, (area[0] // 2, area[1] // 2), seed, health)
    most = area[0] * area[1]
    objects = np.zeros((1, most, arrays.objects.shape[2]), np.int64)
    objects[0, 0] = arrays.objects[0, 0]
    arrays = arrays._replace(objects=objects)
    lattice = field(int(first_draw(only(arrays), 2**31 - 1)))
    called(build, only(arrays), lattice, np.zeros(area, np.bool_))
    count = int(arrays.counters[0, 2])
    return arrays._replace(objects=objects[:, : room_for(count, arrays.chunks.shape[1])].copy())
