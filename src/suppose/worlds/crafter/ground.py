"""Kernels for what stands where: adding, moving and taking out objects, and counting what is near.

Each kernel takes one world as a tuple of arrays (a row of :class:`~suppose.worlds.crafter.arrays.Arrays`) and
changes it in place.
"""

from __future__ import annotations

from typing import no_type_check

from suppose.worlds.crafter.arrays import (
    CHUNK_HEIGHT,
    CHUNK_WIDTH,
    CHUNKS,
    COUNT,
    FACE_X,
    FACE_Y,
    GRASS,
    HEALTH,
    ID,
    KIND,
    LAVA,
    NEXT_ID,
    OUTSIDE,
    PATH,
    POSITION,
    REMOVED,
    SAND,
    TIMER,
    WATER,
    X,
    Y,
)
from suppose.worlds.crafter.kernels import kernel
from suppose.worlds.crafter.random import integer_below, uniform

__all__ = [
    "add",
    "draw",
    "enter_chunk",
    "free",
    "hurt",
    "material_at",
    "move",
    "object_at",
    "remove",
    "toward",
]

# What may be entered besides grass, sand and path: bits.
LAND, OVER_LAVA, OVER_WATER = 0, 1, 2


@kernel
@no_type_check
def draw(world):
    """A uniform number from the world's stream."""
    return uniform(world.random, world.counters, POSITION)


@kernel
@no_type_check
def draw_below(world, limit):
    """A whole number below ``limit`` from the world's stream."""
    return integer_below(world.random, world.counters, POSITION, limit)


@kernel
@no_type_check
def inside(world, x, y):
    """Whether a tile is on the map."""
    width, height = world.materials.shape
    return 0 <= x < width and 0 <= y < height


@kernel
@no_type_check
def material_at(world, x, y):
    """Material of a tile; ``OUTSIDE`` off the map."""
    return world.materials[x, y] if inside(world, x, y) else OUTSIDE


@kernel
@no_type_check
def object_at(world, x, y):
    """Slot of the object on a tile, -1 where there is none."""
    return world.occupied[x, y] - 1 if inside(world, x, y) else -1


@kernel
@no_type_check
def free(world, x, y, over):
    """Whether something that walks (and crosses what ``over`` says) could enter a tile."""
    if object_at(world, x, y) >= 0:
        return False
    material = material_at(world, x, y)
    if material in (GRASS, SAND, PATH):
        return True
    return (material == LAVA and over & OVER_LAVA != 0) or (material == WATER and over & OVER_WATER != 0)


@kernel
@no_type_check
def chunk_of(world, x, y):
    """Number of the chunk a tile is in, columns of chunks first."""
    high = world.counters[CHUNK_HEIGHT]
    down = (world.materials.shape[1] + high - 1) // high
    return (x // world.counters[CHUNK_WIDTH]) * down + y // high


@kernel
@no_type_check
def enter_chunk(world, x, y):
    """Notes the chunk of a tile, at the end of the list if nothing was ever in it."""
    chunk = chunk_of(world, x, y)
    known = world.counters[CHUNKS]
    for place in range(known):
        if world.chunks[place] == chunk:
            return
    world.chunks[known] = chunk
    world.counters[CHUNKS] = known + 1


@kernel
@no_type_check
def add(world, kind, x, y, health):
    """Puts a new object on a free tile; its slot."""
    slot = world.counters[COUNT]
    row = world.objects[slot]
    row[:] = 0
    row[KIND], row[ID], row[X], row[Y], row[HEALTH] = kind, world.counters[NEXT_ID], x, y, health
    world.occupied[x, y] = slot + 1
    world.counters[COUNT] = slot + 1
    world.counters[NEXT_ID] += 1
    enter_chunk(world, x, y)
    return slot


@kernel
@no_type_check
def remove(world, slot):
    """Takes an object off its tile; it keeps its slot until the step ends."""
    row = world.objects[slot]
    if not row[REMOVED]:
        row[REMOVED] = 1
        world.occupied[row[X], row[Y]] = 0


@kernel
@no_type_check
def move(world, slot, dx, dy, over):
    """Moves an object by one tile where that is free; whether it was. What was removed stays where it fell."""
    row = world.objects[slot]
    x, y = row[X] + dx, row[Y] + dy
    if not free(world, x, y, over):
        return False
    if not row[REMOVED]:
        world.occupied[row[X], row[Y]] = 0
        world.occupied[x, y] = slot + 1
        if chunk_of(world, x, y) != chunk_of(world, row[X], row[Y]):
            enter_chunk(world, x, y)
        row[X], row[Y] = x, y
    return True


@kernel
@no_type_check
def hurt(world, slot, damage):
    """Takes health away, not below zero."""
    row = world.objects[slot]
    row[HEALTH] = max(0, row[HEALTH] - damage)


@kernel
@no_type_check
def distance(world, slot, x, y):
    """Steps from an object to a tile, without diagonals."""
    return abs(world.objects[slot, X] - x) + abs(world.objects[slot, Y] - y)


@kernel
@no_type_check
def sign(value):
    """-1, 0 or 1."""
    if value > 0:
        return 1
    return -1 if value < 0 else 0


@kernel
@no_type_check
def toward(world, slot, long_axis):
    """The step from an object to the player along the longer (or else the shorter) axis."""
    dx = world.objects[0, X] - world.objects[slot, X]
    dy = world.objects[0, Y] - world.objects[slot, Y]
    first = abs(dx) > abs(dy) if long_axis else abs(dx) <= abs(dy)
    return (sign(dx), 0) if first else (0, sign(dy))


@kernel
@no_type_check
def leave_removed(world):
    """Takes the slots of removed objects out, keeping the order of the others."""
    kept = 0
    for slot in range(world.counters[COUNT]):
        row = world.objects[slot]
        if row[REMOVED]:
            continue
        if kept < slot:
            target = world.objects[kept]
            for column in range(row.shape[0]):
                target[column] = row[column]
            world.occupied[row[X], row[Y]] = kept + 1
        kept += 1
    for slot in range(kept, world.counters[COUNT]):
        world.objects[slot, :] = 0
    world.counters[COUNT] = kept


@kernel
@no_type_check
def shoot(world, kind, x, y, dx, dy):
    """Adds an object that flies in a direction."""
    slot = add(world, kind, x, y, 0)
    world.objects[slot, FACE_X], world.objects[slot, FACE_Y] = dx, dy
    world.objects[slot, TIMER] = 0
