"""What is in a state of Crafter, for laws: roles, domains, and what is worth predicting.

Observed is what OneLife's extractor reads (arXiv 2510.12088): the player's place, health and items; of every object
whether it exists, where it is and its health, a zombie's cooldown too; and how many there are of each kind. What its
product-of-experts baseline reads is ``narrow``: the same without items and cooldowns.
"""

from __future__ import annotations

from suppose.worlds.crafter.arrays import ACTIONS, MATERIALS
from suppose.worlds.crafter.state import WorldState
from suppose.worlds.laws.schema import Schema

__all__ = ["SCHEMA"]

OBJECTS = ("objects.exists", "objects.count", "objects.position.*", "objects.health")

SCHEMA: Schema = Schema.from_model(
    WorldState,
    actions=ACTIONS,
    actor="player",
    facing="player.facing",
    grid="materials",
    materials=MATERIALS,
    walkable=("grass", "sand", "path"),
    reach=18,  # twice the longer side of the usual view
    domains={
        "player.facing.*": (-1, 1), "objects.facing.*": (-1, 1), "step_count": (0, 1_000_000),
        "objects.grown": (0, 1_000_000),
    },
    counter="entity_id_counter_state",
    observed=("player.position.*", "player.health", "player.inventory.*", *OBJECTS, "objects.cooldown"),
    narrow=("player.position.*", "player.health", *OBJECTS),
    ignored=(
        "random_state", "event_bus", "chunks", "entity_id_counter_state", "objects.removed", "player.removed",
        "player.name", "player.entity_id",
    ),
)  # fmt: skip
"""The schema of :class:`WorldState`."""
