"""A state in words: the map around the player as letters, what is nearest, and how the player is."""

from __future__ import annotations

from suppose.worlds.crafter.state import Position, WorldState

__all__ = ["GLYPHS", "local_window", "render_text"]

GLYPHS = {
    "water": "~", "grass": ".", "stone": "#", "path": "_", "sand": ":", "tree": "T", "lava": "%", "coal": "c",
    "iron": "i", "diamond": "d", "table": "+", "furnace": "f", "player": "@", "cow": "C", "zombie": "Z",
    "skeleton": "S", "arrow": "*", "plant": "p", "fence": "=",
}  # fmt: skip
SIDES = {(-1, 0): "left", (1, 0): "right", (0, -1): "up", (0, 1): "down"}
ITEM_ROWS = 2  # of the view show what the player has


def local_window(state: WorldState) -> tuple[int, int, int, int]:
    """First and last-plus-one column and row of what the player sees; may reach off the map."""
    width, height = state.view[0], max(1, state.view[1] - ITEM_ROWS)
    x, y = state.player.position.x - width // 2, state.player.position.y - height // 2
    return x, x + width, y, y + height


def _side(state: WorldState, place: Position) -> str:
    """Where a tile lies from the player, in words."""
    dx, dy = place.x - state.player.position.x, place.y - state.player.position.y
    parts = [f"{abs(dx)} {'right' if dx > 0 else 'left'}"] if dx else []
    return ", ".join(parts + ([f"{abs(dy)} {'down' if dy > 0 else 'up'}"] if dy else [])) or "here"


def _nearest(state: WorldState) -> list[str]:
    """For each kind of tile and object in sight, where the nearest one is."""
    x0, x1, y0, y1 = local_window(state)
    here = state.player.position
    seen: dict[str, Position] = {}
    places = [Position(x=x, y=y) for x in range(x0, x1) for y in range(y0, y1)]
    places.sort(key=lambda place: abs(place.x - here.x) + abs(place.y - here.y))
    for place in places:
        material, thing = state.get_tile(place.x, place.y)
        for name in (thing.name if thing else None, material):
            if name and name != "player":
                seen.setdefault(name, place)
    return [f"{name} ({_side(state, place)})" for name, place in seen.items()]


def render_text(state: WorldState) -> str:
    r"""What the player sees and is, as text.

    Examples
    --------
    >>> from suppose.worlds.crafter import SCENARIOS
    >>> lines = render_text(SCENARIOS["eat_cow"].initial()).splitlines()
    >>> lines[3]
    '....@.C. '
    >>> print("\n".join(lines[8:]))
    facing right: grass
    in sight: grass (here), cow (2 right)
    health 9, food 4, drink 9, energy 9
    holds nothing
    step 0, daylight 0.80
    """
    x0, x1, y0, y1 = local_window(state)
    things = {(thing.position.x, thing.position.y): thing.name for thing in [*state.objects, state.player]}
    rows = []
    for y in range(y0, y1):
        row = ""
        for x in range(x0, x1):
            material = state.get_tile(x, y)[0]
            row += GLYPHS.get(things.get((x, y), material or ""), " ")
        rows.append(row)
    material, thing = state.get_target_tile()
    side = SIDES.get((state.player.facing.x, state.player.facing.y), "nowhere")
    amounts = state.player.inventory.model_dump()
    vitals = ", ".join(f"{name} {amounts.pop(name)}" for name in ("health", "food", "drink", "energy"))
    held = ", ".join(f"{amount} {name.replace('_', ' ')}" for name, amount in amounts.items() if amount)
    status = [
        f"facing {side}: {thing.name + ' on ' + str(material) if thing else material or 'the edge of the map'}",
        f"in sight: {', '.join(_nearest(state))}",
        vitals + (", asleep" if state.player.sleeping else ""),
        f"holds {held or 'nothing'}",
        f"step {state.step_count}, daylight {state.daylight:.2f}",
    ]
    return "\n".join([*rows, "", *status])
