"""States as arrays: a struct of arrays that holds any number of worlds of one size side by side.

Every array leads with the world, so that one kernel serves a single state and a batch. A tile holds at most one
object; ``occupied`` says which. Objects stand in order of creation, the player first; those that leave are taken
out at the end of the step. See :mod:`suppose.worlds.crafter.state` for the same content with names.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int16, Int64, UInt8, UInt32

__all__ = ["ACTIONS", "ACHIEVEMENTS", "FACINGS", "ITEMS", "KINDS", "MATERIALS", "Arrays", "room_for"]

MATERIALS = (
    "water", "grass", "stone", "path", "sand", "tree", "lava", "coal", "iron", "diamond", "table", "furnace",
)  # fmt: skip
WATER, GRASS, STONE, PATH, SAND, TREE, LAVA, COAL, IRON, DIAMOND, TABLE, FURNACE = range(1, 13)
OUTSIDE = 0  # of the map; material ids count from 1

ACTIONS = (
    "noop", "move_left", "move_right", "move_up", "move_down", "do", "sleep",
    "place_stone", "place_table", "place_furnace", "place_plant",
    "make_wood_pickaxe", "make_stone_pickaxe", "make_iron_pickaxe",
    "make_wood_sword", "make_stone_sword", "make_iron_sword",
)  # fmt: skip
NOOP, LEFT, RIGHT, UP, DOWN, DO, SLEEP, PLACE_STONE, PLACE_TABLE, PLACE_FURNACE, PLACE_PLANT, MAKE = range(12)

ITEMS = (
    "health", "food", "drink", "energy", "sapling", "wood", "stone", "coal", "iron", "diamond",
    "wood_pickaxe", "stone_pickaxe", "iron_pickaxe", "wood_sword", "stone_sword", "iron_sword",
)  # fmt: skip
FOOD, DRINK, ENERGY, SAPLING, WOOD = 1, 2, 3, 4, 5
STONE_ITEM, COAL_ITEM, IRON_ITEM, DIAMOND_ITEM = 6, 7, 8, 9
WOOD_PICKAXE, STONE_PICKAXE, IRON_PICKAXE, WOOD_SWORD, STONE_SWORD, IRON_SWORD = range(10, 16)

ACHIEVEMENTS = (
    "collect_coal", "collect_diamond", "collect_drink", "collect_iron", "collect_sapling", "collect_stone",
    "collect_wood", "defeat_skeleton", "defeat_zombie", "eat_cow", "eat_plant",
    "make_iron_pickaxe", "make_iron_sword", "make_stone_pickaxe", "make_stone_sword",
    "make_wood_pickaxe", "make_wood_sword", "place_furnace", "place_plant", "place_stone", "place_table", "wake_up",
)  # fmt: skip

KINDS = ("player", "cow", "zombie", "skeleton", "arrow", "plant", "fence")
PLAYER, COW, ZOMBIE, SKELETON, ARROW, PLANT, FENCE = range(7)

FACINGS = ((-1, 0), (1, 0), (0, -1), (0, 1))  # left, right, up, down: as the move actions, and as draws

# Columns of Arrays.objects. TIMER is a zombie's cooldown, a skeleton's reload and a plant's age.
KIND, ID, X, Y, HEALTH, FACE_X, FACE_Y, TIMER, REMOVED = range(9)
COLUMNS = 9
# Columns of Arrays.player, then items (the first, health, stands with the objects) and achievements.
ACTION, SLEEPING, LAST_HEALTH, INVENTORY = range(4)
ACHIEVED = INVENTORY + len(ITEMS)
PLAYER_COLUMNS = ACHIEVED + len(ACHIEVEMENTS)
# Columns of Arrays.vitals and Arrays.counters.
HUNGER, THIRST, FATIGUE, RECOVER, DAYLIGHT = range(5)
STEP, NEXT_ID, COUNT, CHUNKS, REACH, POSITION, CHUNK_WIDTH, CHUNK_HEIGHT = range(8)


class Arrays(NamedTuple):
    """``n`` worlds of ``w`` by ``h`` tiles with room for ``k`` objects each."""

    materials: UInt8[np.ndarray, "n w h"]
    occupied: Int16[np.ndarray, "n w h"]
    objects: Int64[np.ndarray, "n k 9"]
    player: Int64[np.ndarray, "n 41"]
    vitals: Float64[np.ndarray, "n 5"]
    counters: Int64[np.ndarray, "n 8"]
    chunks: Int64[np.ndarray, "n c"]
    random: UInt32[np.ndarray, "n 624"]

    def copy(self) -> Arrays:
        """The same worlds in memory of their own."""
        return Arrays(*(part.copy() for part in self))

    def take(self, index: int) -> Arrays:
        """World ``index`` alone, in memory of its own."""
        return Arrays(*(part[index : index + 1].copy() for part in self))


def room_for(objects: int, chunks: int) -> int:
    """Slots that a step may need: an arrow per object, a plant, three spawned per chunk.

    Examples
    --------
    >>> room_for(60, 36)
    256
    """
    needed = 2 * objects + 1 + 3 * chunks
    return 1 << max(5, (needed - 1).bit_length())


def grown(arrays: Arrays) -> Arrays:
    """The same worlds with room for the next step; the arrays themselves where there is enough."""
    capacity = room_for(int(arrays.counters[:, COUNT].max(initial=1)), arrays.chunks.shape[1])
    worlds, have, columns = arrays.objects.shape
    if have >= capacity:
        return arrays
    objects = np.zeros((worlds, capacity, columns), np.int64)
    objects[:, :have] = arrays.objects
    return arrays._replace(objects=objects)


def empty(worlds: int, area: tuple[int, int], chunk: tuple[int, int], objects: int = 1) -> Arrays:
    """Worlds of grass without anything on them."""
    width, height = area
    chunks = -(-width // chunk[0]) * -(-height // chunk[1])
    arrays = Arrays(
        np.full((worlds, width, height), GRASS, np.uint8),
        np.zeros((worlds, width, height), np.int16),
        np.zeros((worlds, room_for(objects, chunks), COLUMNS), np.int64),
        np.zeros((worlds, PLAYER_COLUMNS), np.int64),
        np.zeros((worlds, 5), np.float64),
        np.zeros((worlds, 8), np.int64),
        np.full((worlds, chunks), -1, np.int64),
        np.zeros((worlds, 624), np.uint32),
    )
    arrays.counters[:, CHUNK_WIDTH], arrays.counters[:, CHUNK_HEIGHT] = chunk
    arrays.counters[:, NEXT_ID] = 1
    return arrays
