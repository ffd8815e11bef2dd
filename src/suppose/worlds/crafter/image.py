"""A state as a picture, drawn from shapes: no image files, any number of pixels.

Every tile, creature and item is a short list of discs, boxes and polygons in the unit square (``SPRITES``), drawn
with sixteen samples per pixel. The picture shows what the player sees and, below, what it has. Nights are dark and
grainy; the grain depends on place and step alone, never on the stream of the world, so looking changes nothing.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float64, UInt8

from suppose.worlds.crafter import arrays as at
from suppose.worlds.crafter.arrays import ITEMS, KINDS, MATERIALS, Arrays
from suppose.worlds.crafter.generation import check_area, only
from suppose.worlds.crafter.player import RIPE
from suppose.worlds.crafter.sprites import BACKGROUNDS, SPRITES, Shape
from suppose.worlds.crafter.state import WorldState

__all__ = ["draw_world", "render_image", "sprite"]

SAMPLES = 4
Sprite = tuple[Float64[np.ndarray, "u u 3"], Float64[np.ndarray, "u u"]]
FACES = {(-1, 0): "left", (1, 0): "right", (0, -1): "up", (0, 1): "down"}


def _covered(shape: Shape, x: Any, y: Any) -> Any:
    """Which points of the unit square a shape covers."""
    kind, numbers = shape[0], shape[1]
    if kind == "disc":
        cx, cy, rx, ry = numbers
        return ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1
    if kind == "box":
        left, top, right, bottom = numbers
        return (x >= left) & (x < right) & (y >= top) & (y < bottom)
    if kind == "line":
        x0, y0, x1, y1, width = numbers
        length = math.hypot(x1 - x0, y1 - y0) or 1.0
        along = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length**2
        along = np.clip(along, 0, 1)
        return np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0)) <= width / 2
    inside = np.zeros_like(x, bool)  # polygon: even-odd rule
    points = list(zip(numbers[::2], numbers[1::2], strict=True))
    for (ax, ay), (bx, by) in zip(points, [*points[1:], points[0]], strict=True):
        if ay != by:
            crosses = (ay > y) != (by > y)
            inside ^= crosses & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    return inside


def _colour(text: str) -> Float64[np.ndarray, "3"]:
    return np.array([int(text[place : place + 2], 16) for place in (1, 3, 5)], float)


@lru_cache(maxsize=4096)
def sprite(name: str, unit: int) -> Sprite:
    """Colours and opacity of a drawing at ``unit`` pixels a side.

    Examples
    --------
    >>> colours, opacity = sprite("cow", 16)
    >>> colours.shape, opacity.shape
    ((16, 16, 3), (16, 16))
    """
    fine = (np.arange(unit * SAMPLES) + 0.5) / (unit * SAMPLES)
    y, x = np.meshgrid(fine, fine, indexing="ij")
    colours = np.zeros((unit * SAMPLES, unit * SAMPLES, 3))
    opacity = np.zeros((unit * SAMPLES, unit * SAMPLES))
    ground = BACKGROUNDS.get(name)
    if ground is not None:
        colours[:], opacity[:] = _colour(ground), 1.0
    for shape in SPRITES.get(name, ()):
        covered = _covered(shape, x, y)
        colours[covered], opacity[covered] = _colour(shape[2]), 1.0
    blocks = (unit, SAMPLES, unit, SAMPLES)
    weight = opacity.reshape(blocks).mean((1, 3))
    mixed = (colours * opacity[..., None]).reshape(*blocks, 3).mean((1, 3))
    return mixed / np.maximum(weight, 1e-9)[..., None], weight


def _paste(canvas: Any, name: str, unit: int, top: int, left: int) -> None:
    """Draws a sprite over what is there."""
    colours, opacity = sprite(name, unit)
    part = canvas[top : top + unit, left : left + unit]
    part += opacity[..., None] * (colours - part)


def _object_name(row: Any, sleeping: bool) -> str:
    """The drawing of an object."""
    kind = KINDS[row[at.KIND]]
    side = FACES.get((int(row[at.FACE_X]), int(row[at.FACE_Y])), "down")
    if kind == "player":
        return "player-sleep" if sleeping else f"player-{side}"
    if kind == "arrow":
        return f"arrow-{side}"
    if kind == "plant":
        return "plant-ripe" if row[at.TIMER] > RIPE else "plant"
    return kind


@lru_cache(maxsize=8)
def _tiles(unit: int) -> Float64[np.ndarray, "m u u 3"]:
    """Every material by number, the edge of the map first."""
    return np.stack([sprite(name, unit)[0] for name in ("outside", *MATERIALS)])


def _local(world: Arrays, unit: int, columns: int, rows: int) -> Float64[np.ndarray, "h w 3"]:
    """The tiles and objects around the player, in daylight."""
    width, height = world.materials.shape
    x0 = int(world.objects[0, at.X]) - columns // 2
    y0 = int(world.objects[0, at.Y]) - rows // 2
    xs, ys = np.arange(x0, x0 + columns), np.arange(y0, y0 + rows)
    on = ((xs >= 0) & (xs < width))[:, None] & ((ys >= 0) & (ys < height))[None, :]
    ids = np.where(on, world.materials[np.clip(xs, 0, width - 1)][:, np.clip(ys, 0, height - 1)], 0)
    canvas = _tiles(unit)[ids].transpose(1, 2, 0, 3, 4).reshape(rows * unit, columns * unit, 3).copy()
    count = int(world.counters[at.COUNT])
    near = world.objects[:count]
    seen = (near[:, at.X] >= x0) & (near[:, at.X] < x0 + columns)
    seen &= (near[:, at.Y] >= y0) & (near[:, at.Y] < y0 + rows)
    for row in near[seen]:
        name = _object_name(row, bool(world.player[at.SLEEPING]))
        _paste(canvas, name, unit, int(row[at.Y] - y0) * unit, int(row[at.X] - x0) * unit)
    return canvas


def _grain(height: int, width: int, step: int) -> Float64[np.ndarray, "h w"]:
    """Numbers from 0 to 255 that depend on place and step alone (multiply and fold, twice)."""
    cells = np.arange(height * width, dtype=np.uint64) + np.uint64(step * height * width)
    for _ in range(2):
        cells = (cells ^ (cells >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
    return (cells >> np.uint64(56)).astype(float).reshape(height, width)


def _night(canvas: Any, light: float, step: int) -> Any:
    """The picture in the light of the step: darker, bluer, less coloured, with grain at the rim."""
    if light >= 1:
        return canvas
    height, width = canvas.shape[:2]
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    rim = 1 - np.exp(-(x**2 + y**2) / 0.5)
    grain = _grain(height, width, step)
    dark = 0.35 * canvas + 0.65 * canvas.mean(-1, keepdims=True)
    amount = (max(0.0, 1 - 2 * light) * rim * 0.7)[..., None]
    dark = (1 - amount) * dark + amount * (24 + 0.25 * grain)[..., None]
    dark = 0.45 * dark + 0.55 * np.array([4.0, 14.0, 52.0])
    return light * canvas + (1 - light) * dark


def _belongings(world: Arrays, unit: int, columns: int, rows: int) -> Any:
    """What the player has: a drawing and a number for each item above zero."""
    canvas = np.full((rows * unit, columns * unit, 3), _colour(BACKGROUNDS["panel"]))
    amounts = [int(world.objects[0, at.HEALTH]), *world.player[at.INVENTORY + 1 : at.ACHIEVED].tolist()]
    size, small = max(1, round(0.8 * unit)), max(1, round(0.5 * unit))
    for place, (name, amount) in enumerate(zip(ITEMS, amounts, strict=True)):
        if amount < 1 or place >= columns * rows:
            continue
        top, left = (place // columns) * unit, (place % columns) * unit
        _paste(canvas, f"item-{name}", size, top + unit // 20, left + unit // 20)
        digit = str(amount) if amount < 10 else "more"
        _paste(canvas, f"digit-{digit}", small, top + unit - small, left + unit - small)
    return canvas


def draw_world(
    worlds: Arrays, view: tuple[int, int], size: tuple[int, int], index: int = 0
) -> UInt8[np.ndarray, "h w 3"]:
    """World ``index`` as a picture; see :func:`render_image`."""
    world = only(worlds, index)
    columns, tall = view
    rows = min(tall - 1, -(-len(ITEMS) // columns))
    unit = max(1, min(size[0] // columns, size[1] // tall))
    local = _local(world, unit, columns, tall - rows)
    local = _night(local, float(world.vitals[at.DAYLIGHT]), int(world.counters[at.STEP]))
    if world.player[at.SLEEPING]:
        local = 0.4 * local.mean(-1, keepdims=True) + np.array([2.0, 4.0, 18.0])
    picture = np.concatenate([local, _belongings(world, unit, columns, rows)])
    whole = np.zeros((size[1], size[0], 3), np.uint8)
    height, width = min(size[1], picture.shape[0]), min(size[0], picture.shape[1])
    top, left = (size[1] - height) // 2, (size[0] - width) // 2
    whole[top : top + height, left : left + width] = np.clip(picture[:height, :width] + 0.5, 0, 255).astype(
        np.uint8
    )
    return whole


def render_image(state: WorldState, size: tuple[int, int] = (576, 576)) -> UInt8[np.ndarray, "h w 3"]:
    """What the player sees and has, as pixels; same state, same pixels.

    Parameters
    ----------
    state : WorldState
        The state; its ``view`` says how many tiles wide and high the picture is, two rows of items included.
    size : tuple of int
        Width and height in pixels, each at least that of the view.

    Returns
    -------
    array of uint8, shape (height, width, 3)

    Examples
    --------
    >>> from suppose.worlds.crafter import initial_state
    >>> render_image(initial_state(area=(24, 24), seed=1), (63, 63)).shape
    (63, 63, 3)
    """
    sides = check_area(size, "size")
    return draw_world(state.to_arrays(), (state.view[0], state.view[1]), sides)
