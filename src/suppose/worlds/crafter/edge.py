"""Between states with names and arrays: every attribute has one column, and nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from suppose.core.errors import DataError
from suppose.worlds.crafter import arrays as at
from suppose.worlds.crafter.arrays import ACHIEVEMENTS, ACTIONS, ITEMS, KINDS, MATERIALS, Arrays
from suppose.worlds.crafter.generation import check_area, only
from suppose.worlds.crafter.player import RIPE
from suppose.worlds.crafter.random import from_text, to_text
from suppose.worlds.crafter.state import (
    Arrow,
    GameObject,
    Player,
    WorldState,
    _off_map,
    _unknown_material,
)

__all__ = ["from_arrays", "to_arrays"]

NAMES = np.array(["outside", *MATERIALS], dtype=object)
NUMBERS = {name: number for number, name in enumerate(["outside", *MATERIALS])}
TIMERS = {"zombie": "cooldown", "skeleton": "reload", "plant": "grown"}


def to_arrays(state: WorldState) -> Arrays:
    """See :meth:`WorldState.to_arrays`."""
    width, height = check_area((state.size[0], state.size[1]), "size")
    check_area((state.view[0], state.view[1]), "view")
    wide, high = check_area((state.chunk_size[0], state.chunk_size[1]), "chunk_size")
    everyone: list[GameObject] = [state.player, *sorted(state.objects, key=lambda thing: thing.entity_id)]
    everyone = [thing for thing in everyone if not thing.removed or thing is state.player]
    _check_objects(everyone, state)
    arrays = at.empty(1, (width, height), (wide, high), objects=len(everyone))
    arrays.materials[0] = _material_numbers(state)
    counters = arrays.counters[0]
    counters[at.STEP], counters[at.NEXT_ID] = state.step_count, state.entity_id_counter_state
    counters[at.COUNT], counters[at.REACH] = len(everyone), 2 * max(state.view)
    arrays.random[0], counters[at.POSITION] = from_text(state.random_state)
    arrays.vitals[0, at.DAYLIGHT] = state.daylight
    rows = np.array([_row(thing) for thing in everyone], np.int64)
    arrays.objects[0, : len(rows)] = rows
    arrays.occupied[0, rows[:, at.X], rows[:, at.Y]] = np.arange(1, len(rows) + 1)
    _fill_player(arrays, state.player)
    _fill_chunks(arrays, state)
    return arrays


def _called(thing: GameObject) -> str:
    """An object in a message."""
    return f"{thing.name} {thing.entity_id}"


def _check_objects(everyone: Sequence[GameObject], state: WorldState) -> None:
    """Every object on the map, on a tile and with an identity of its own."""
    by_id: dict[int, GameObject] = {}
    by_tile: dict[tuple[int, int], GameObject] = {}
    for thing in everyone:
        x, y = thing.position.x, thing.position.y
        if not (0 <= x < state.size[0] and 0 <= y < state.size[1]):
            raise _off_map(_called(thing), x, y, state.size)
        if thing.entity_id in by_id:
            raise DataError(
                "duplicate-entity",
                f"the identity {thing.entity_id} is that of a {by_id[thing.entity_id].name} too",
                where=_called(thing),
                remedy="Give every object an entity_id of its own.",
            )
        if (x, y) in by_tile:
            raise DataError(
                "tile-taken",
                f"({x}, {y}) holds {by_tile[x, y].name} {by_tile[x, y].entity_id} already",
                where=_called(thing),
                remedy="A tile holds one object.",
            )
        by_id[thing.entity_id] = by_tile[x, y] = thing
    if max(by_id) >= state.entity_id_counter_state:
        raise DataError(
            "duplicate-entity",
            f"the next object would get the identity {state.entity_id_counter_state}, and {max(by_id)} is in use",
            where="entity_id_counter_state",
            remedy=f"Set it to {max(by_id) + 1}.",
        )


def _material_numbers(state: WorldState) -> Any:
    """Materials as numbers."""
    width, height = state.size
    if len(state.materials) != width or any(len(column) != height for column in state.materials):
        raise DataError(
            "bad-world-state",
            f"expected {width} columns of {height} tiles, got {len(state.materials)} columns of "
            f"{sorted({len(column) for column in state.materials})}",
            where="materials",
            remedy="Compare with WorldState.model_dump() of a state that works.",
        )
    try:
        numbers = bytes(map(NUMBERS.__getitem__, chain.from_iterable(state.materials)))
    except KeyError as error:
        raise _unknown_material(str(error.args[0]), "materials") from None
    return np.frombuffer(numbers, np.uint8).reshape(width, height)


def _row(thing: GameObject) -> list[int]:
    """Columns of one object."""
    name, place = thing.name, thing.position
    facing = thing.facing if isinstance(thing, (Arrow, Player)) else None
    face = (facing.x, facing.y) if facing is not None else (0, 0)
    timer = getattr(thing, TIMERS[name]) if name in TIMERS else 0
    return [KINDS.index(name), thing.entity_id, place.x, place.y, thing.health, *face, timer, 0]


def _fill_player(arrays: Arrays, player: Player) -> None:
    """Columns of the player."""
    row, vitals = arrays.player[0], arrays.vitals[0]
    row[at.ACTION], row[at.SLEEPING] = ACTIONS.index(player.action), player.sleeping
    row[at.LAST_HEALTH] = player.last_health
    row[at.INVENTORY + 1 : at.ACHIEVED] = [getattr(player.inventory, name) for name in ITEMS[1:]]
    row[at.ACHIEVED :] = [getattr(player.achievements, name) for name in ACHIEVEMENTS]
    vitals[at.HUNGER], vitals[at.THIRST] = player.hunger, player.thirst
    vitals[at.FATIGUE], vitals[at.RECOVER] = player.fatigue, player.recover


def _fill_chunks(arrays: Arrays, state: WorldState) -> None:
    """Chunks as listed, then those where something stands all the same."""
    world = only(arrays)
    wide, high = state.chunk_size
    down = -(-state.size[1] // high)
    listed = [(chunk.key[0] // wide) * down + chunk.key[2] // high for chunk in state.chunks]
    rows = world.objects[: world.counters[at.COUNT]]
    used = ((rows[:, at.X] // wide) * down + rows[:, at.Y] // high).tolist()
    order = list(dict.fromkeys([*listed, *used]))
    if min(order) < 0 or max(order) >= world.chunks.size:
        raise DataError(
            "bad-world-state",
            f"a chunk of the list lies outside the {world.chunks.size} chunks of the map",
            where="chunks",
            remedy="Compare with WorldState.model_dump() of a state that works.",
        )
    world.chunks[: len(order)] = order
    world.counters[at.CHUNKS] = len(order)


def from_arrays(worlds: Arrays, *, view: list[int], index: int = 0) -> WorldState:
    """See :meth:`WorldState.from_arrays`."""
    world = only(worlds, index)
    counters = world.counters.tolist()
    vitals = world.vitals.tolist()
    return WorldState.model_validate({
        "size": list(world.materials.shape),
        "chunk_size": [counters[at.CHUNK_WIDTH], counters[at.CHUNK_HEIGHT]],
        "view": list(view),
        "daylight": vitals[at.DAYLIGHT],
        "step_count": counters[at.STEP],
        "entity_id_counter_state": counters[at.NEXT_ID],
        "random_state": to_text(world.random, counters[at.POSITION]),
        "event_bus": [],
        "materials": NAMES[world.materials].tolist(),
        "objects": [_object(row) for row in world.objects[1 : counters[at.COUNT]].tolist()],
        "player": _player(world, vitals),
        "chunks": _chunks(world, counters),
    })  # fmt: skip


def _object(row: list[int]) -> dict[str, Any]:
    """One object with names."""
    name = KINDS[row[at.KIND]]
    found: dict[str, Any] = {
        "entity_id": row[at.ID],
        "position": {"x": row[at.X], "y": row[at.Y]},
        "health": row[at.HEALTH],
        "name": name,
        "removed": False,
    }
    if name in TIMERS:
        found[TIMERS[name]] = row[at.TIMER]
    if name == "plant":
        found["ripe"] = row[at.TIMER] > RIPE
    if name in ("arrow", "player"):
        found["facing"] = {"x": row[at.FACE_X], "y": row[at.FACE_Y]}
    return found


def _player(world: Arrays, vitals: list[float]) -> dict[str, Any]:
    """The player with names."""
    found, columns = _object(world.objects[0].tolist()), world.player.tolist()
    items = [found["health"], *columns[at.INVENTORY + 1 : at.ACHIEVED]]
    return {
        **found,
        "action": ACTIONS[columns[at.ACTION]],
        "sleeping": bool(columns[at.SLEEPING]),
        "inventory": dict(zip(ITEMS, items, strict=True)),
        "achievements": dict(zip(ACHIEVEMENTS, columns[at.ACHIEVED :], strict=True)),
        "thirst": vitals[at.THIRST],
        "hunger": vitals[at.HUNGER],
        "fatigue": vitals[at.FATIGUE],
        "recover": vitals[at.RECOVER],
        "last_health": columns[at.LAST_HEALTH],
    }


def _chunks(world: Arrays, counters: list[int]) -> list[dict[str, list[int]]]:
    """Chunks with the identities of the objects in them."""
    width, height = world.materials.shape
    wide, high = counters[at.CHUNK_WIDTH], counters[at.CHUNK_HEIGHT]
    down = -(-height // high)
    rows = world.objects[: counters[at.COUNT]]
    inside: dict[int, list[int]] = {chunk: [] for chunk in world.chunks[: counters[at.CHUNKS]].tolist()}
    chunks = (rows[:, at.X] // wide) * down + rows[:, at.Y] // high
    for chunk, identity in zip(chunks.tolist(), rows[:, at.ID].tolist(), strict=True):
        inside[chunk].append(identity)
    found = []
    for chunk, identities in inside.items():
        x, y = (chunk // down) * wide, (chunk % down) * high
        key = [x, min(x + wide, width), y, min(y + high, height)]
        found.append({"key": key, "objects": sorted(identities)})
    return found
