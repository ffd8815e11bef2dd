"""Twenty-three small situations, each about one mechanic of the world, with the actions that show it.

A meadow of 9 by 9 tiles, the player at (5, 5) facing (6, 5), and just what the mechanic needs. Many come in two
variants: ``"success"``, in which the mechanic works, and ``"failure"``, in which one thing is missing and nothing
should happen. They follow the description of the protocol of OneLife (arXiv 2510.12088); the states are our own.
The released protocol gave both variants one name, so that the failing one replaced the other:
``variants_of(name, "released")`` gives what it measured, ``"both"`` and ``"success"`` what it could have.

What is missing in a failure: the pickaxe to collect with, the table or furnace to craft at, one unit of what is
placed, the ripeness of the plant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from suppose.core.errors import StudyError, nearest
from suppose.core.random import generator
from suppose.worlds.crafter.start import grass_state
from suppose.worlds.crafter.state import CLASSES, GameObject, Position, WorldState
from suppose.worlds.crafter.step import transition

__all__ = ["SCENARIOS", "Scenario", "Transition", "variants_of"]

HERE = (5, 5)
AHEAD = (6, 5)
MOVES = {"move_left": (-1, 0), "move_right": (1, 0), "move_up": (0, -1), "move_down": (0, 1)}
WHICH = ("released", "both", "success")
Setup = dict[str, Any]


@dataclass(frozen=True)
class Transition:
    """One step: where things stood, what was done, what came of it."""

    state: WorldState
    action: str
    next_state: WorldState
    reward: float


@dataclass(frozen=True)
class Scenario:
    """One situation and what is done in it.

    Attributes
    ----------
    name, words : str
        What it is called and what it shows.
    setups : dict
        By variant: ``tiles`` and ``objects`` by position, ``items`` of the player, ``energy``.
    actions : tuple of str
        What is done, step by step, where that is fixed beforehand; empty where it depends on the state.
    steps : int
        Most steps.
    prey : str
        Kind of object that is chased and struck, in scenarios that do so.
    goal : str
        Achievement that ends the scenario.

    Examples
    --------
    >>> scenario = SCENARIOS["collect_stone"]
    >>> [step.next_state.player.inventory.stone for step in scenario.play("success")]
    [1]
    >>> [step.next_state.player.inventory.stone for step in scenario.play("failure")]
    [0]
    """

    name: str
    words: str
    setups: dict[str, Setup] = field(repr=False)
    actions: tuple[str, ...] = ()
    steps: int = 1
    prey: str = ""
    goal: str = ""

    @property
    def variants(self) -> tuple[str, ...]:
        """``"success"``, and ``"failure"`` where there is one."""
        return tuple(self.setups)

    def initial(self, variant: str = "success", seed: int = 0) -> WorldState:
        """The state the scenario starts from; refuses a variant it does not have (``unknown-variant``)."""
        if variant not in self.setups:
            raise StudyError(
                "unknown-variant",
                f"no variant {variant!r}; there are: {', '.join(self.setups)}",
                where=self.name,
                remedy=nearest(str(variant), self.setups) or None,
            )
        state = grass_state(position=HERE, seed=seed)
        state.player.facing = Position(x=1, y=0)
        return furnish(state, **self.setups[variant])

    def action(self, state: WorldState, step: int, seed: int = 0) -> str:
        """What is done in a state at a step counted from 0."""
        if self.prey:
            return chase(state, self.prey)
        if self.actions:
            return self.actions[step % len(self.actions)]
        return str(generator(seed, "scenario", self.name, step).choice(list(MOVES)))

    def play(self, variant: str = "success", seed: int = 0) -> list[Transition]:
        """The true transitions of the scenario; same seed, same transitions."""
        state = self.initial(variant, seed)
        done: list[Transition] = []
        for step in range(self.steps):
            action = self.action(state, step, seed)
            following, reward = transition(state, action)
            done.append(Transition(state, action, following, reward))
            state = following
            if state.player.health <= 0 or (self.goal and getattr(state.player.achievements, self.goal) > 0):
                break
        return done


def furnish(
    state: WorldState,
    tiles: dict[tuple[int, int], str] | None = None,
    objects: list[tuple[str, tuple[int, int], dict[str, Any]]] | None = None,
    items: dict[str, int] | None = None,
) -> WorldState:
    """The state with tiles, objects and items put into it; the state given stays as it is.

    Examples
    --------
    >>> state = furnish(grass_state(), tiles={(1, 1): "water"}, objects=[("cow", (2, 2), {})], items={"wood": 3})
    >>> state.get_tile(2, 2)[1].name, state.materials[1][1], state.player.inventory.wood
    ('cow', 'water', 3)
    """
    state = state.copy_state()
    for (x, y), material in (tiles or {}).items():
        state.set_material(x, y, material)
    for kind, (x, y), extra in objects or []:
        health = {"cow": 3, "zombie": 5, "skeleton": 3, "plant": 1}.get(kind, 0)
        content = {"health": health, **extra, "position": {"x": x, "y": y}}
        thing: Any = CLASSES[kind].model_validate({"entity_id": state.entity_id_counter_state, **content})
        state.entity_id_counter_state += 1
        state.objects.append(thing)
    for name, amount in (items or {}).items():
        setattr(state.player.inventory, name, amount)
    return WorldState.from_arrays(state.to_arrays(), view=state.view)


def chase(state: WorldState, kind: str) -> str:
    """Walks to the nearest object of a kind and strikes it; waits where there is none."""
    things = [thing for thing in state.objects if thing.name == kind]
    if not things:
        return "noop"
    prey: GameObject = min(things, key=state.distance_to_player)
    dx, dy = (
        prey.position.x - state.player.position.x,
        prey.position.y - state.player.position.y,
    )
    if (dx, dy) == (state.player.facing.x, state.player.facing.y):
        return "do"
    along = (int(np.sign(dx)), 0) if abs(dx) >= abs(dy) else (0, int(np.sign(dy)))
    return next(name for name, step in MOVES.items() if step == along)


def _pair(ok: Setup, missing: Setup) -> dict[str, Setup]:
    return {"success": ok, "failure": missing}


def _collecting() -> list[Scenario]:
    """Something is collected from the tile ahead."""
    found = []
    for name, tool in [
        ("coal", "wood_pickaxe"), ("diamond", "iron_pickaxe"), ("iron", "stone_pickaxe"), ("stone", "wood_pickaxe"),
    ]:  # fmt: skip
        tiles = {AHEAD: name}
        setups = _pair({"tiles": tiles, "items": {tool: 1}}, {"tiles": tiles})
        words = f"{name} is collected with a {tool.replace('_', ' ')}"
        found.append(Scenario(f"collect_{name}", words, setups, ("do",)))
    for name, material in [("drink", "water"), ("wood", "tree")]:
        setups = {"success": {"tiles": {AHEAD: material}, "items": {"drink": 5}}}
        found.append(Scenario(f"collect_{name}", f"{material} gives {name}", setups, ("do",)))
    return found


def _crafting() -> list[Scenario]:
    """A tool is made beside a table, of iron beside a furnace too."""
    found = []
    for metal, items in [
        ("wood", {"wood": 1}), ("stone", {"wood": 1, "stone": 1}), ("iron", {"wood": 1, "coal": 1, "iron": 1}),
    ]:  # fmt: skip
        table, furnace = {(5, 4): "table"}, {(4, 5): "furnace"}
        ok, missing = ({**table, **furnace}, table) if metal == "iron" else (table, {})
        for tool in ("pickaxe", "sword"):
            setups = _pair({"tiles": ok, "items": items}, {"tiles": missing, "items": items})
            label = f"craft_{'wooden' if metal == 'wood' else metal}_{tool}"
            words = f"a {metal} {tool} is made beside its stations"
            found.append(Scenario(label, words, setups, (f"make_{metal}_{tool}",)))
    return found


def _placing() -> list[Scenario]:
    """Something is put on the tile ahead."""
    amounts = [("furnace", "stone", 4), ("plant", "sapling", 1), ("stone", "stone", 1), ("table", "wood", 2)]
    return [
        Scenario(
            f"place_{name}",
            f"a {name} takes {amount} {item}",
            _pair({"items": {item: amount}}, {"items": {item: amount - 1}}),
            (f"place_{name}",),
        )
        for name, item, amount in amounts
    ]


def _living() -> list[Scenario]:
    """Plants, creatures, movement and sleep."""
    plants: list[Setup] = [
        {"objects": [("plant", AHEAD, {"grown": age, "ripe": age > 300})], "items": {"food": 4}}
        for age in (301, 100)
    ]
    cow: Setup = {"objects": [("cow", (7, 5), {})], "items": {"food": 4}}
    far: Setup = {"objects": [("cow", (3, 3), {})]}
    zombie: Setup = {"objects": [("zombie", AHEAD, {})], "items": {"wood_sword": 1}}
    skeleton: Setup = {"objects": [("skeleton", (8, 5), {})], "items": {"wood_sword": 1}}
    return [
        Scenario("eat_plant", "a ripe plant is food", _pair(plants[0], plants[1]), ("do",)),
        Scenario("zombie_defeat", "a zombie is struck until it falls",
                 {"success": zombie}, steps=5, prey="zombie", goal="defeat_zombie"),
        Scenario("defeat_skeleton", "a skeleton is chased and struck",
                 {"success": skeleton}, steps=10, prey="skeleton",
                 goal="defeat_skeleton"),
        Scenario("eat_cow", "a cow is chased and eaten", {"success": cow},
                 steps=15, prey="cow", goal="eat_cow"),
        Scenario("cow_movement", "a cow wanders", {"success": far}, ("noop",), steps=30),
        Scenario("random_movement", "the player walks about", {"success": {}}, steps=10),
        Scenario("wake_up", "a sleeper wakes when rested", {"success": {"items": {"energy": 8}}}, ("sleep",),
                 steps=12, goal="wake_up"),
    ]  # fmt: skip


_MAKERS: tuple[Callable[[], list[Scenario]], ...] = (_collecting, _crafting, _placing, _living)
SCENARIOS: dict[str, Scenario] = {item.name: item for maker in _MAKERS for item in maker()}


def variants_of(name: str, which: str = "both") -> tuple[str, ...]:
    """Variants of a scenario that a protocol uses: ``"both"``, ``"success"``, or ``"released"`` (the last one).

    Examples
    --------
    >>> variants_of("place_stone", "released"), variants_of("eat_cow", "released"), variants_of("place_stone")
    (('failure',), ('success',), ('success', 'failure'))
    """
    if which not in WHICH:
        raise StudyError(
            "unknown-variant",
            f"no variant {which!r}; there are: {', '.join(WHICH)}",
            where="variants",
            remedy=nearest(str(which), WHICH) or None,
        )
    if name not in SCENARIOS:
        raise StudyError(
            "unknown-scenario",
            f"no scenario {name!r}; there are: {', '.join(SCENARIOS)}",
            where="name",
            remedy=nearest(str(name), SCENARIOS) or None,
        )
    variants = SCENARIOS[name].variants
    return {"both": variants, "success": variants[:1], "released": variants[-1:]}[which]
