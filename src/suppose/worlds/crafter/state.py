"""States with names: what stands where, as plain attributes that laws, people and JSON can read.

``WorldState`` is the edge of the world. ``model_dump()`` gives nested dicts of numbers, texts and lists;
``from_dict`` takes them back, whatever program wrote them, and refuses what contradicts itself. Positions are
``(x, y)`` from the left upper corner; ``facing`` is a direction. The player stands apart and is not repeated
among ``objects``, which are in order of ``entity_id``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from suppose.core.errors import DataError, nearest
from suppose.worlds.crafter.arrays import ACTIONS, MATERIALS, Arrays

__all__ = [
    "Achievements", "Arrow", "Chunk", "Cow", "Fence", "GameObject", "Inventory", "Plant", "Player", "Position",
    "Skeleton", "WorldState", "Zombie",
]  # fmt: skip

Count = Annotated[int, Field(ge=0)]
Pair = Annotated[list[int], Field(min_length=2, max_length=2)]
Direction = Annotated[int, Field(ge=-1, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Position(_Part):
    """A tile, or a direction: ``x`` to the right, ``y`` down."""

    x: int
    y: int

    def __add__(self, other: Position) -> Position:
        return Position(x=self.x + other.x, y=self.y + other.y)


class GameObject(_Part):
    """What every object has."""

    entity_id: int
    position: Position
    health: Count
    name: str
    removed: bool = False


class Cow(GameObject):
    """Food on legs."""

    name: Literal["cow"] = "cow"


class Zombie(GameObject):
    """Strikes beside the player; ``cooldown`` counts down to the next blow."""

    name: Literal["zombie"] = "zombie"
    cooldown: int = 0


class Skeleton(GameObject):
    """Shoots from tunnels; ``reload`` counts down to the next arrow."""

    name: Literal["skeleton"] = "skeleton"
    reload: int = 0


class Arrow(GameObject):
    """Flies in the direction of ``facing``."""

    name: Literal["arrow"] = "arrow"
    facing: Position


class Plant(GameObject):
    """A sapling that is ``ripe`` once it is more than 300 steps old."""

    name: Literal["plant"] = "plant"
    grown: Count = 0
    ripe: bool = False


class Fence(GameObject):
    """Stands in the way until taken down."""

    name: Literal["fence"] = "fence"


class Inventory(_Part):
    """What the player has, health included; more than nine of an item is cut at the next step."""

    health: Count = 9
    food: Count = 9
    drink: Count = 9
    energy: Count = 9
    sapling: Count = 0
    wood: Count = 0
    stone: Count = 0
    coal: Count = 0
    iron: Count = 0
    diamond: Count = 0
    wood_pickaxe: Count = 0
    stone_pickaxe: Count = 0
    iron_pickaxe: Count = 0
    wood_sword: Count = 0
    stone_sword: Count = 0
    iron_sword: Count = 0


class Achievements(_Part):
    """How often each of the 22 achievements was reached."""

    collect_coal: Count = 0
    collect_diamond: Count = 0
    collect_drink: Count = 0
    collect_iron: Count = 0
    collect_sapling: Count = 0
    collect_stone: Count = 0
    collect_wood: Count = 0
    defeat_skeleton: Count = 0
    defeat_zombie: Count = 0
    eat_cow: Count = 0
    eat_plant: Count = 0
    make_iron_pickaxe: Count = 0
    make_iron_sword: Count = 0
    make_stone_pickaxe: Count = 0
    make_stone_sword: Count = 0
    make_wood_pickaxe: Count = 0
    make_wood_sword: Count = 0
    place_furnace: Count = 0
    place_plant: Count = 0
    place_stone: Count = 0
    place_table: Count = 0
    wake_up: Count = 0


class Player(GameObject):
    """The one who acts. Thirst, hunger and fatigue take a unit when they run over; ``recover`` gives health."""

    name: Literal["player"] = "player"
    facing: Position
    action: Literal[ACTIONS] = "noop"  # type: ignore[valid-type]
    sleeping: bool = False
    inventory: Inventory = Field(default_factory=Inventory)
    achievements: Achievements = Field(default_factory=Achievements)
    thirst: float = 0.0
    hunger: float = 0.0
    fatigue: float = 0.0
    recover: float = 0.0
    last_health: Count = 9


class Chunk(_Part):
    """Part of the map within which creatures are balanced: first and last-plus-one column and row, and who is in it."""

    key: Annotated[list[int], Field(min_length=4, max_length=4)]
    objects: list[int]


AnyObject = Annotated[Cow | Zombie | Skeleton | Arrow | Plant | Fence, Field(discriminator="name")]
CLASSES: dict[str, type[GameObject]] = {
    "cow": Cow, "zombie": Zombie, "skeleton": Skeleton, "arrow": Arrow, "plant": Plant, "fence": Fence,
}  # fmt: skip


class WorldState(_Part):
    """Everything there is at one moment, the stream of random numbers included.

    Attributes
    ----------
    size, chunk_size, view : list of two int
        Tiles of the map, of a chunk, and of what the player sees (which sets how far objects act).
    daylight : float
        0 (night) to 1.
    step_count, entity_id_counter_state : int
        Steps so far; identity of the next object.
    random_state : str
        See :func:`suppose.worlds.crafter.random.to_text`.
    event_bus : list of str
        Kept for files of Crafter-OO, which have one; nothing here writes to it.
    materials : list of list of str
        ``materials[x][y]``.
    objects : list
        All but the player, in order of ``entity_id``.
    player : Player
    chunks : list of Chunk
        In the order in which they were first entered, which is the order in which creatures come and go.

    Examples
    --------
    >>> from suppose.worlds.crafter import initial_state
    >>> state = initial_state(area=(24, 24), seed=1)
    >>> state.get_tile(12, 12)[0], state.get_target_tile()[0], len(state.model_dump()["materials"])
    ('grass', 'grass', 24)
    """

    size: Pair
    chunk_size: Pair = Field(default_factory=lambda: [12, 12])
    view: Pair = Field(default_factory=lambda: [9, 9])
    daylight: float
    step_count: Count
    entity_id_counter_state: Count
    random_state: str
    event_bus: list[str] = Field(default_factory=list)
    materials: list[list[str]]
    objects: list[AnyObject]
    player: Player
    chunks: list[Chunk] = Field(default_factory=list)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> WorldState:
        """The state a nested dict describes, as ``model_dump()`` gives it or JSON holds it.

        Raises
        ------
        DataError
            ``bad-world-state``, naming the first field that does not fit; and as :meth:`to_arrays`.
        """
        try:
            state = cls.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "state"
            raise DataError(
                "bad-world-state",
                f"{first['msg']}; got {str(first['input'])[:60]!r}",
                where=place,
                remedy="Compare with WorldState.model_dump() of a state that works.",
            ) from None
        state.to_arrays()
        return state

    def get_tile(self, x: int, y: int) -> tuple[str | None, GameObject | None]:
        """Material and object of a tile; ``(None, None)`` off the map."""
        if not (0 <= x < self.size[0] and 0 <= y < self.size[1]):
            return None, None
        here = Position(x=x, y=y)
        everyone: list[GameObject] = [self.player, *self.objects]
        found = next((thing for thing in everyone if thing.position == here and not thing.removed), None)
        return self.materials[x][y], found

    @property
    def target(self) -> Position:
        """The tile the player faces."""
        return self.player.position + self.player.facing

    def get_target_tile(self) -> tuple[str | None, GameObject | None]:
        """Material and object of the tile the player faces."""
        return self.get_tile(self.target.x, self.target.y)

    def set_material(self, x: int, y: int, material: str) -> None:
        """Changes a tile, in place; refuses an unknown material or a tile off the map."""
        if material not in MATERIALS:
            raise _unknown_material(material, f"materials[{x}][{y}]")
        if not (0 <= x < self.size[0] and 0 <= y < self.size[1]):
            raise _off_map(f"materials[{x}][{y}]", x, y, self.size)
        self.materials[x][y] = material

    def set_facing_material(self, material: str) -> None:
        """Changes the tile the player faces, in place."""
        self.set_material(self.target.x, self.target.y, material)

    def distance_to_player(self, thing: GameObject) -> int:
        """Steps between an object and the player, without diagonals."""
        here = self.player.position
        return abs(thing.position.x - here.x) + abs(thing.position.y - here.y)

    def get_objects_in_update_range(self) -> list[GameObject]:
        """Objects near enough to act in a step (closer than twice the longer side of the view), player left out."""
        return [thing for thing in self.objects if self.distance_to_player(thing) < 2 * max(self.view)]

    def get_object_of_type_in_update_range(self, name: str) -> list[GameObject]:
        """Those among them of one kind, e.g. ``"zombie"``."""
        if name not in CLASSES:
            raise DataError(
                "unknown-object-kind",
                f"no object is called {name!r}; there are: {', '.join(CLASSES)}",
                where="name",
                remedy=nearest(name, CLASSES) or None,
            )
        return [thing for thing in self.get_objects_in_update_range() if thing.name == name]

    def adjacent_to_player(self, thing: GameObject) -> bool:
        """Whether an object is beside the player."""
        return self.distance_to_player(thing) == 1

    def copy_state(self) -> WorldState:
        """The same state in memory of its own."""
        return self.model_copy(deep=True)

    def to_arrays(self) -> Arrays:
        """The state as one world of :class:`~suppose.worlds.crafter.arrays.Arrays`.

        Raises
        ------
        DataError
            ``bad-world-state`` where sizes differ, ``unknown-material``, ``off-the-map``, ``tile-taken`` for two
            objects on one tile, ``duplicate-entity``, ``bad-random-state``.
        """
        from suppose.worlds.crafter.edge import to_arrays

        return to_arrays(self)

    @classmethod
    def from_arrays(cls, worlds: Arrays, *, view: list[int], index: int = 0) -> WorldState:
        """World ``index`` with names."""
        from suppose.worlds.crafter.edge import from_arrays

        return from_arrays(worlds, view=view, index=index)


def _unknown_material(material: str, where: str) -> DataError:
    return DataError(
        "unknown-material",
        f"no material {material!r}; there are: {', '.join(MATERIALS)}",
        where=where,
        remedy=nearest(str(material), MATERIALS) or None,
    )


def _off_map(where: str, x: int, y: int, size: list[int]) -> DataError:
    return DataError(
        "off-the-map",
        f"({x}, {y}) is not on the map of {size[0]} by {size[1]} tiles",
        where=where,
        remedy="Positions count from 0 at the left upper corner.",
    )
