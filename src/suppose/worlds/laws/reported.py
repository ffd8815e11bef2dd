"""What OneLife's paper reports (Khan et al., ICLR 2026, arXiv 2510.12088), to be shown beside what is measured.

``TABLE`` is the paper's table of 23 scenarios. ``BY_SCENARIO`` was read off its figure, to about 0.01 (0.03 for the
cow). ``PLANS`` are worths of the better and the worse plan, in the true world and in the model; its maps and plans were
not released, so that ours are other maps with the same choice.
"""

from __future__ import annotations

__all__ = ["BY_SCENARIO", "PLANS", "TABLE", "WINS"]

TABLE = {
    "random": (0.085, 0.322, 121.538, 0.809),
    "product of experts": (0.108, 0.351, 10.634, 0.071),
    "unweighted laws": (0.130, 0.429, 8.540, 0.057),
    "laws": (0.187, 0.479, 8.764, 0.058),
}
"""Rank@1, mean reciprocal rank, edit distance, edits per leaf."""

WINS = (16, 23)
"""Scenarios in which OneLife has a higher reciprocal rank than PoE-World, and all of them."""

BY_SCENARIO = {
    "collect_coal": (0.53, 0.28), "collect_diamond": (0.37, 0.17), "collect_drink": (0.46, 0.32),
    "collect_iron": (0.40, 0.49), "collect_stone": (0.42, 0.57), "collect_wood": (0.60, 0.28),
    "craft_iron_pickaxe": (0.46, 0.30), "craft_iron_sword": (0.65, 0.35), "craft_stone_pickaxe": (0.52, 0.21),
    "craft_stone_sword": (0.70, 0.53), "craft_wooden_pickaxe": (0.55, 0.41), "craft_wooden_sword": (0.45, 0.52),
    "eat_cow": (0.28, 0.34), "eat_plant": (0.80, 0.33), "wake_up": (0.31, 0.30), "place_furnace": (0.52, 0.26),
    "place_plant": (0.76, 0.40), "place_stone": (0.31, 0.21), "place_table": (0.73, 0.47),
    "defeat_skeleton": (0.25, 0.35), "zombie_defeat": (0.25, 0.31), "cow_movement": (0.44, 0.33),
    "random_movement": (0.23, 0.34),
}  # fmt: skip
"""Mean reciprocal rank of OneLife and of PoE-World."""

PLANS = {
    "Zombie Fighter": ((2.0, 1.0), (2.03, 1.67)),
    "Stone Miner": ((3.0, 0.0), (3.0, 0.0)),
    "Sword Maker": ((4.0, 2.0), (4.0, 2.0)),
}
"""Worth of the better and the worse plan: in the true world, in the model."""
