"""Kernels for everything else that acts: cows, zombies, skeletons, arrows, plants, and their coming and going."""

from __future__ import annotations

from typing import no_type_check

import numpy as np

from suppose.worlds.crafter.arrays import (
    ARROW,
    CHUNK_HEIGHT,
    CHUNK_WIDTH,
    CHUNKS,
    COUNT,
    COW,
    DAYLIGHT,
    FACE_X,
    FACE_Y,
    FURNACE,
    GRASS,
    HEALTH,
    KIND,
    PATH,
    PLANT,
    REMOVED,
    SKELETON,
    SLEEPING,
    TABLE,
    TIMER,
    ZOMBIE,
    X,
    Y,
)
from suppose.worlds.crafter.ground import (
    LAND,
    OVER_LAVA,
    OVER_WATER,
    add,
    chunk_of,
    distance,
    draw,
    draw_below,
    free,
    hurt,
    material_at,
    move,
    object_at,
    remove,
    shoot,
    toward,
)
from suppose.worlds.crafter.kernels import kernel
from suppose.worlds.crafter.player import STEPS

__all__ = ["balance_chunks", "update_object"]

# Who comes and goes: kind, health, material, least distance to the player when coming, and when leaving.
BALANCE = np.array([[ZOMBIE, 5, GRASS, 6, 0], [SKELETON, 3, PATH, 7, 7], [COW, 3, GRASS, 5, 5]], np.int64)
CHANCES = np.array([[0.3, 0.4], [0.1, 0.1], [0.01, 0.1]])


@kernel
@no_type_check
def wander(world, slot):
    """A step in a random direction."""
    step = STEPS[draw_below(world, 4)]
    return move(world, slot, step[0], step[1], LAND)


@kernel
@no_type_check
def from_player(world, slot):
    """Steps to the player."""
    return distance(world, slot, world.objects[0, X], world.objects[0, Y])


@kernel
@no_type_check
def update_cow(world, slot):
    """Cows wander half the time."""
    if world.objects[slot, HEALTH] <= 0:
        remove(world, slot)
    if draw(world) < 0.5:
        wander(world, slot)


@kernel
@no_type_check
def update_zombie(world, slot):
    """Zombies near the player mostly come closer, and strike beside it: 2, or 7 at a sleeper, then wait 5."""
    row = world.objects[slot]
    if row[HEALTH] <= 0:
        remove(world, slot)
    if from_player(world, slot) <= 8 and draw(world) < 0.9:
        dx, dy = toward(world, slot, draw(world) < 0.8)
        move(world, slot, dx, dy, LAND)
    else:
        wander(world, slot)
    if from_player(world, slot) <= 1:
        if row[TIMER]:
            row[TIMER] -= 1
        else:
            hurt(world, 0, 7 if world.player[SLEEPING] else 2)
            row[TIMER] = 5


@kernel
@no_type_check
def update_skeleton(world, slot):
    """Skeletons keep away from the player when close, shoot from further, else come closer or wander."""
    row = world.objects[slot]
    if row[HEALTH] <= 0:
        remove(world, slot)
    row[TIMER] = max(0, row[TIMER] - 1)
    away = from_player(world, slot)
    if away <= 3:
        dx, dy = toward(world, slot, draw(world) < 0.6)
        if move(world, slot, -dx, -dy, LAND):
            return
    if away <= 5 and draw(world) < 0.5:
        dx, dy = toward(world, slot, True)
        x, y = row[X] + dx, row[Y] + dy
        if row[TIMER] == 0 and (dx != 0 or dy != 0) and free(world, x, y, OVER_LAVA | OVER_WATER):
            shoot(world, ARROW, x, y, dx, dy)
            row[TIMER] = 4
    elif away <= 8 and draw(world) < 0.3:
        dx, dy = toward(world, slot, draw(world) < 0.6)
        move(world, slot, dx, dy, LAND)
    elif draw(world) < 0.2:
        wander(world, slot)


@kernel
@no_type_check
def update_arrow(world, slot):
    """Arrows fly on until they hit: 2 of health from an object; tables and furnaces break."""
    row = world.objects[slot]
    x, y = row[X] + row[FACE_X], row[Y] + row[FACE_Y]
    hit = object_at(world, x, y)
    if hit >= 0:
        hurt(world, hit, 2)
        remove(world, slot)
    elif not free(world, x, y, OVER_LAVA | OVER_WATER):
        remove(world, slot)
        material = material_at(world, x, y)
        if material in (TABLE, FURNACE):
            world.materials[x, y] = PATH
    else:
        move(world, slot, row[FACE_X], row[FACE_Y], OVER_LAVA | OVER_WATER)


@kernel
@no_type_check
def update_plant(world, slot):
    """Plants ripen, and lose health beside a creature."""
    row = world.objects[slot]
    row[TIMER] += 1
    eaten = False
    for side in range(4):
        other = object_at(world, row[X] + STEPS[side, 0], row[Y] + STEPS[side, 1])
        if other >= 0:
            kind = world.objects[other, KIND]
            eaten = eaten or kind in (ZOMBIE, SKELETON, COW)
    if eaten:
        hurt(world, slot, 1)
    if row[HEALTH] <= 0:
        remove(world, slot)


@kernel
@no_type_check
def update_object(world, slot):
    """One step of anything but the player."""
    kind = world.objects[slot, KIND]
    if kind == COW:
        update_cow(world, slot)
    elif kind == ZOMBIE:
        update_zombie(world, slot)
    elif kind == SKELETON:
        update_skeleton(world, slot)
    elif kind == ARROW:
        update_arrow(world, slot)
    elif kind == PLANT:
        update_plant(world, slot)


@kernel
@no_type_check
def count_kind(world, chunk, kind):
    """How many objects of a kind are in a chunk."""
    found = 0
    for slot in range(1, world.counters[COUNT]):
        row = world.objects[slot]
        if row[KIND] == kind and not row[REMOVED] and chunk_of(world, row[X], row[Y]) == chunk:
            found += 1
    return found


@kernel
@no_type_check
def nth_of_kind(world, chunk, kind, wanted):
    """Slot of the ``wanted``-th object of a kind in a chunk, in order of creation."""
    for slot in range(1, world.counters[COUNT]):
        row = world.objects[slot]
        if row[KIND] == kind and not row[REMOVED] and chunk_of(world, row[X], row[Y]) == chunk:
            if wanted == 0:
                return slot
            wanted -= 1
    return -1


@kernel
@no_type_check
def chunk_bounds(world, chunk):
    """First and last-plus-one column and row of a chunk."""
    width, height = world.materials.shape
    wide, high = world.counters[CHUNK_WIDTH], world.counters[CHUNK_HEIGHT]
    down = (height + high - 1) // high
    x, y = (chunk // down) * wide, (chunk % down) * high
    return x, min(x + wide, width), y, min(y + high, height)


@kernel
@no_type_check
def count_tiles(world, chunk, material):
    """How many tiles of a chunk are of a material."""
    x0, x1, y0, y1 = chunk_bounds(world, chunk)
    found = 0
    for x in range(x0, x1):
        for y in range(y0, y1):
            found += world.materials[x, y] == material
    return found


@kernel
@no_type_check
def nth_tile(world, chunk, material, wanted):
    """The ``wanted``-th tile of a material in a chunk."""
    x0, x1, y0, y1 = chunk_bounds(world, chunk)
    for x in range(x0, x1):
        for y in range(y0, y1):
            if world.materials[x, y] == material:
                if wanted == 0:
                    return x, y
                wanted -= 1
    return x0, y0


@kernel
@no_type_check
def balance(world, chunk, rule, chances, tiles, least, most):
    """Brings creatures of a kind in a chunk nearer to between ``least`` and ``most``, out of the player's sight."""
    kind, have = rule[0], count_kind(world, chunk, rule[0])
    if have < least and draw(world) < chances[0]:
        x, y = nth_tile(world, chunk, rule[2], draw_below(world, tiles))
        if object_at(world, x, y) < 0 and distance(world, 0, x, y) >= rule[3]:
            add(world, kind, x, y, rule[1])
    elif have > most and draw(world) < chances[1]:
        slot = nth_of_kind(world, chunk, kind, draw_below(world, have))
        if from_player(world, slot) >= rule[4]:
            remove(world, slot)


@kernel
@no_type_check
def bounds_of(place, tiles, light):
    """Least and most creatures of a rule in a chunk with so many tiles of its material, in such light."""
    zombies = int(3.5 - 3 * light)
    if place == 0:
        return (0 if tiles < 50 else zombies), zombies
    if place == 1:
        return (0 if tiles < 6 else 1), 2
    return (0 if tiles < 30 else 1), int(1.5 + light)


@kernel
@no_type_check
def balance_chunks(world):
    """Creatures come and go in every chunk, in the order in which chunks were first entered."""
    for place in range(world.counters[CHUNKS]):
        chunk = world.chunks[place]
        for which in range(BALANCE.shape[0]):
            tiles = count_tiles(world, chunk, BALANCE[which, 2])
            least, most = bounds_of(which, tiles, world.vitals[DAYLIGHT])
            balance(world, chunk, BALANCE[which], CHANCES[which], tiles, least, most)
