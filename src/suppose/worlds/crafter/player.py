"""Kernels for the player: the action, the tables of what costs what, and the four vital clocks."""

from __future__ import annotations

from typing import no_type_check

import numpy as np

from suppose.worlds.crafter.arrays import (
    ACHIEVED,
    ACHIEVEMENTS,
    ACTION,
    COW,
    DO,
    DRINK,
    ENERGY,
    FACE_X,
    FACE_Y,
    FATIGUE,
    FENCE,
    FOOD,
    FURNACE,
    HEALTH,
    HUNGER,
    INVENTORY,
    IRON_SWORD,
    ITEMS,
    KIND,
    LAST_HEALTH,
    LAVA,
    LEFT,
    MAKE,
    MATERIALS,
    OUTSIDE,
    PLACE_PLANT,
    PLACE_STONE,
    PLANT,
    RECOVER,
    SKELETON,
    SLEEP,
    SLEEPING,
    STONE,
    STONE_SWORD,
    TABLE,
    THIRST,
    TIMER,
    WATER,
    WOOD_SWORD,
    ZOMBIE,
    X,
    Y,
)
from suppose.worlds.crafter.ground import OVER_LAVA, add, draw, hurt, material_at, move, object_at, remove
from suppose.worlds.crafter.kernels import kernel

__all__ = ["COLLECT", "MAKING", "PLACING", "RIPE", "update_player"]

LARGEST = 9  # of every item
RIPE = 300  # a plant older than this can be eaten

# What each material gives: item, item needed (or none), what is left, probability.
COLLECT: dict[str, tuple[str, str | None, str, float]] = {
    "tree": ("wood", None, "grass", 1.0),
    "stone": ("stone", "wood_pickaxe", "path", 1.0),
    "coal": ("coal", "wood_pickaxe", "path", 1.0),
    "iron": ("iron", "stone_pickaxe", "path", 1.0),
    "diamond": ("diamond", "iron_pickaxe", "path", 1.0),
    "water": ("drink", None, "water", 1.0),
    "grass": ("sapling", None, "grass", 0.1),
}
# What is placed: item and amount used, materials it may go on.
PLACING: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "stone": ("stone", 1, ("grass", "sand", "path", "water", "lava")),
    "table": ("wood", 2, ("grass", "sand", "path")),
    "furnace": ("stone", 4, ("grass", "sand", "path")),
    "plant": ("sapling", 1, ("grass",)),
}
# What is made: items used, stations within one tile.
MAKING: dict[str, tuple[dict[str, int], tuple[str, ...]]] = {
    "wood_pickaxe": ({"wood": 1}, ("table",)),
    "stone_pickaxe": ({"wood": 1, "stone": 1}, ("table",)),
    "iron_pickaxe": ({"wood": 1, "coal": 1, "iron": 1}, ("table", "furnace")),
    "wood_sword": ({"wood": 1}, ("table",)),
    "stone_sword": ({"wood": 1, "stone": 1}, ("table",)),
    "iron_sword": ({"wood": 1, "coal": 1, "iron": 1}, ("table", "furnace")),
}


def _material(name: str) -> int:
    return 1 + MATERIALS.index(name)


def _collect_rows() -> np.ndarray:
    """By material id: item got, item needed (-1: none), material left, achievement; -1 where nothing is got."""
    rows = np.full((len(MATERIALS) + 1, 4), -1, np.int64)
    for name, (item, needed, left, _) in COLLECT.items():
        rows[_material(name)] = (
            ITEMS.index(item),
            -1 if needed is None else ITEMS.index(needed),
            _material(left),
            ACHIEVEMENTS.index(f"collect_{item}"),
        )
    return rows


def _make_rows() -> np.ndarray:
    """By place in ``MAKING``: amounts of the 16 items used, then item made, achievement, furnace needed."""
    rows = np.zeros((len(MAKING), len(ITEMS) + 3), np.int64)
    for place, (name, (uses, stations)) in enumerate(MAKING.items()):
        for item, amount in uses.items():
            rows[place, ITEMS.index(item)] = amount
        rows[place, len(ITEMS) :] = (
            ITEMS.index(name),
            ACHIEVEMENTS.index(f"make_{name}"),
            "furnace" in stations,
        )
    return rows


def _place_rows() -> np.ndarray:
    """By place in ``PLACING``: item used, amount, achievement, then whether each material can be built on."""
    rows = np.zeros((len(PLACING), 3 + len(MATERIALS) + 1), np.int64)
    for place, (name, (item, amount, where)) in enumerate(PLACING.items()):
        rows[place, :3] = ITEMS.index(item), amount, ACHIEVEMENTS.index(f"place_{name}")
        rows[place, [3 + _material(material) for material in where]] = 1
    return rows


COLLECT_ROWS, MAKE_ROWS, PLACE_ROWS = _collect_rows(), _make_rows(), _place_rows()
PLACED = np.array([STONE, TABLE, FURNACE], np.int64)
CHANCE = np.array([1.0, *(COLLECT[name][3] if name in COLLECT else 1.0 for name in MATERIALS)])
STEPS = np.array([[-1, 0], [1, 0], [0, -1], [0, 1]], np.int64)
ITEM_COUNT = len(ITEMS)
FOUGHT = {
    name: ACHIEVED + ACHIEVEMENTS.index(name) for name in ("defeat_zombie", "defeat_skeleton", "eat_cow")
}
DEFEAT_ZOMBIE, DEFEAT_SKELETON, EAT_COW = FOUGHT.values()
EAT_PLANT = ACHIEVED + ACHIEVEMENTS.index("eat_plant")
WAKE_UP = ACHIEVED + ACHIEVEMENTS.index("wake_up")


@kernel
@no_type_check
def damage_of(player):
    """Health a blow takes: 1 with bare hands, 2, 3, 5 with swords."""
    if player[INVENTORY + IRON_SWORD]:
        return 5
    if player[INVENTORY + STONE_SWORD]:
        return 3
    return 2 if player[INVENTORY + WOOD_SWORD] else 1


@kernel
@no_type_check
def do_object(world, slot):
    """The player's hand on an object: strike, eat or take down."""
    player, row = world.player, world.objects[slot]
    kind = row[KIND]
    if kind == PLANT:
        if row[TIMER] > RIPE:
            row[TIMER] = 0
            player[INVENTORY + FOOD] += 4
            player[EAT_PLANT] += 1
    elif kind == FENCE:
        remove(world, slot)
    elif kind in (ZOMBIE, SKELETON, COW):
        hurt(world, slot, damage_of(player))
        if row[HEALTH] <= 0:
            if kind == ZOMBIE:
                player[DEFEAT_ZOMBIE] += 1
            elif kind == SKELETON:
                player[DEFEAT_SKELETON] += 1
            else:
                player[INVENTORY + FOOD] += 6
                player[EAT_COW] += 1
                world.vitals[HUNGER] = 0.0


@kernel
@no_type_check
def do_material(world, x, y, material):
    """The player's hand on a tile: collect what it gives."""
    player = world.player
    if material == WATER:
        world.vitals[THIRST] = 0.0
    if material == OUTSIDE or COLLECT_ROWS[material, 0] < 0:
        return
    item, needed = COLLECT_ROWS[material, 0], COLLECT_ROWS[material, 1]
    if needed >= 0 and player[INVENTORY + needed] < 1:
        return
    world.materials[x, y] = COLLECT_ROWS[material, 2]
    if draw(world) <= CHANCE[material]:
        player[INVENTORY + item] += 1
        player[ACHIEVED + COLLECT_ROWS[material, 3]] += 1


@kernel
@no_type_check
def place(world, what, x, y, material):
    """Puts down a stone, a table, a furnace or a sapling."""
    player, rule = world.player, PLACE_ROWS[what]
    if object_at(world, x, y) >= 0 or rule[3 + material] == 0:
        return
    if player[INVENTORY + rule[0]] < rule[1]:
        return
    player[INVENTORY + rule[0]] -= rule[1]
    if what == PLACE_PLANT - PLACE_STONE:
        add(world, PLANT, x, y, 1)
    else:
        world.materials[x, y] = PLACED[what]
    player[ACHIEVED + rule[2]] += 1


@kernel
@no_type_check
def stands_by(world, material):
    """Whether a material is within one tile of the player (never in the first row or column of the map)."""
    width, height = world.materials.shape
    x, y = world.objects[0, X], world.objects[0, Y]
    left, top = x - 1, y - 1
    if left < 0:  # slices of the reference implementation start at the other end
        left += width
    if top < 0:
        top += height
    for i in range(left, min(x + 2, width)):
        for j in range(top, min(y + 2, height)):
            if world.materials[i, j] == material:
                return True
    return False


@kernel
@no_type_check
def make(world, what):
    """Makes a tool where its stations are near and its items are at hand."""
    player, rule = world.player, MAKE_ROWS[what]
    if not stands_by(world, TABLE) or (rule[ITEM_COUNT + 2] and not stands_by(world, FURNACE)):
        return
    for item in range(ITEM_COUNT):
        if rule[item] and player[INVENTORY + item] < rule[item]:
            return
    for item in range(ITEM_COUNT):
        player[INVENTORY + item] -= rule[item]
    player[INVENTORY + rule[ITEM_COUNT]] += 1
    player[ACHIEVED + rule[ITEM_COUNT + 1]] += 1


@kernel
@no_type_check
def act(world, action):
    """What the player's action does."""
    row, player = world.objects[0], world.player
    x, y = row[X] + row[FACE_X], row[Y] + row[FACE_Y]
    if LEFT <= action <= LEFT + 3:
        dx, dy = STEPS[action - LEFT]
        row[FACE_X], row[FACE_Y] = dx, dy
        move(world, 0, dx, dy, OVER_LAVA)
        if world.materials[row[X], row[Y]] == LAVA:
            row[HEALTH] = 0
    elif action == DO:
        slot = object_at(world, x, y)
        if slot >= 0:
            do_object(world, slot)
        else:
            do_material(world, x, y, material_at(world, x, y))
    elif action == SLEEP:
        if player[INVENTORY + ENERGY] < LARGEST:
            player[SLEEPING] = 1
    elif PLACE_STONE <= action <= PLACE_PLANT:
        place(world, action - PLACE_STONE, x, y, material_at(world, x, y))
    elif action >= MAKE:
        make(world, action - MAKE)


@kernel
@no_type_check
def tick(world):
    """Hunger, thirst and fatigue advance (slower asleep) and take or give a unit when they run over."""
    player, vitals = world.player, world.vitals
    pace = 0.5 if player[SLEEPING] else 1.0
    vitals[HUNGER] += pace
    if vitals[HUNGER] > 25:
        vitals[HUNGER] = 0.0
        player[INVENTORY + FOOD] -= 1
    vitals[THIRST] += pace
    if vitals[THIRST] > 20:
        vitals[THIRST] = 0.0
        player[INVENTORY + DRINK] -= 1
    if player[SLEEPING]:
        vitals[FATIGUE] = min(vitals[FATIGUE] - 1.0, 0.0)
    else:
        vitals[FATIGUE] += 1.0
    if vitals[FATIGUE] < -10:
        vitals[FATIGUE] = 0.0
        player[INVENTORY + ENERGY] += 1
    if vitals[FATIGUE] > 30:
        vitals[FATIGUE] = 0.0
        player[INVENTORY + ENERGY] -= 1


@kernel
@no_type_check
def heal(world):
    """Health comes back while nothing is lacking (faster asleep) and goes while something is."""
    player, vitals, row = world.player, world.vitals, world.objects[0]
    fed = player[INVENTORY + FOOD] > 0 and player[INVENTORY + DRINK] > 0
    if fed and (player[INVENTORY + ENERGY] > 0 or player[SLEEPING]):
        vitals[RECOVER] += 2.0 if player[SLEEPING] else 1.0
    else:
        vitals[RECOVER] -= 0.5 if player[SLEEPING] else 1.0
    if vitals[RECOVER] > 25:
        vitals[RECOVER] = 0.0
        row[HEALTH] += 1
    if vitals[RECOVER] < -15:
        vitals[RECOVER] = 0.0
        row[HEALTH] = max(0, row[HEALTH] - 1)


@kernel
@no_type_check
def update_player(world):
    """One step of the player. A sleeper sleeps on until rested, whatever the action."""
    player, row = world.player, world.objects[0]
    action = player[ACTION]
    most = max(LARGEST, row[HEALTH])  # who starts with more keeps it, and does not gain
    if player[SLEEPING]:
        if player[INVENTORY + ENERGY] < LARGEST:
            action = SLEEP
        else:
            player[SLEEPING] = 0
            player[WAKE_UP] += 1
    act(world, action)
    tick(world)
    heal(world)
    row[HEALTH] = max(0, min(row[HEALTH], most))
    for item in range(1, ITEM_COUNT):
        player[INVENTORY + item] = max(0, min(player[INVENTORY + item], LARGEST))
    if row[HEALTH] < player[LAST_HEALTH]:
        player[SLEEPING] = 0
    player[LAST_HEALTH] = row[HEALTH]
