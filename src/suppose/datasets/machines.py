"""The log of a machine that is run, oiled, cooled and repaired, with the rules it was drawn from.

A world that is no game: what was done each hour and how things stood before and after, as a maintenance system may keep
it. The rules stand beside it in the language of laws (:mod:`suppose.worlds.laws`), so that laws found in the log can be
held against them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from suppose.core.errors import DataError
from suppose.core.random import generator

__all__ = ["MACHINE_ACTIONS", "MACHINE_RULES", "MaintenanceLog", "make_maintenance_log"]

MACHINE_ACTIONS = ("run", "oil", "cool", "replace", "order", "wait")
SHARES = (0.5, 0.14, 0.1, 0.08, 0.08, 0.1)
FULL, WORN = 4, 8  # units of oil that fit in, wear at which it may break
MACHINE_RULES = """
law part_made "Running with oil makes a part, mostly"
when action == "run" and machine.oil >= 1 and not machine.hot and not machine.broken
then machine.parts += {1: 0.9, 0: 0.1}

law oil_used "Running uses oil"
when action == "run" and machine.oil >= 1 and not machine.hot and not machine.broken
then machine.oil += {-1: 1.0}

law wear "Running wears it, sometimes"
when action == "run" and machine.oil >= 1 and not machine.hot and not machine.broken
then machine.wear += {1: 0.4, 0: 0.6}

law dry "Running without oil wears it more, and heats it"
when action == "run" and machine.oil == 0 and not machine.hot and not machine.broken
then machine.wear += {2: 1.0}
then machine.hot = {true: 1.0}

law break "What is worn out breaks when it runs, half the time"
when action == "run" and machine.wear >= 8 and not machine.hot and not machine.broken
then machine.broken = {true: 0.5, false: 0.5}

law oiled "Oiling fills it up"
when action == "oil" and store.cans >= 1
then machine.oil = {4: 1.0}
then store.cans += {-1: 1.0}

law cooled "Cooling cools"
when action == "cool"
then machine.hot = {false: 1.0}

law replaced "A spare makes it as new"
when action == "replace" and store.spares >= 1
then machine.wear = {0: 1.0}
then machine.broken = {false: 1.0}
then store.spares += {-1: 1.0}

law ordered "Orders come within the hour"
when action == "order"
then store.cans += {3: 1.0}
then store.spares += {1: 1.0}
"""


@dataclass(frozen=True)
class MaintenanceLog:
    """What was done each hour, and what came of it.

    Attributes
    ----------
    transitions : tuple of dict
        ``state``, ``action`` and ``next_state`` each; states hold ``machine`` (wear and oil in units, parts made, hot,
        broken) and ``store`` (cans, spares).
    rules : str
        The laws it was drawn from.
    """

    transitions: tuple[dict[str, Any], ...]
    rules: str

    def __len__(self) -> int:
        return len(self.transitions)

    def to_frame(self) -> Any:
        """One row per hour: the action, and every value before it."""
        import pandas as pd

        rows = []
        for hour in self.transitions:
            values = {
                f"{part}.{name}": v for part, inner in hour["state"].items() for name, v in inner.items()
            }
            rows.append({"action": hour["action"], **values})
        return pd.DataFrame(rows)

    def save(self, path: str | Path) -> Path:
        """Writes one JSON object per line, as ``Trajectory.load`` reads it."""
        target = Path(path)
        lines = (json.dumps(hour, separators=(",", ":")) for hour in self.transitions)
        target.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return target


def make_maintenance_log(hours: int = 1_000, *, seed: int = 0) -> MaintenanceLog:
    """Draw the log of a machine whose operator does now this, now that.

    Parameters
    ----------
    hours : int
        Number of transitions.
    seed : int
        Same seed, same log.

    Raises
    ------
    DataError
        ``bad-hours``.

    Examples
    --------
    >>> log = make_maintenance_log(100, seed=1)
    >>> len(log), sorted(log.transitions[0]["state"]["machine"])
    (100, ['broken', 'hot', 'oil', 'parts', 'wear'])
    """
    if isinstance(hours, bool) or not isinstance(hours, int) or hours < 1:
        raise DataError(
            "bad-hours",
            f"expected a whole number from 1, got {hours!r}",
            where="hours",
            remedy="Write for example make_maintenance_log(1000).",
        )
    random = generator(seed, "maintenance log")
    shares = np.array(SHARES) / sum(SHARES)
    state: dict[str, Any] = {
        "machine": {"wear": 0, "oil": FULL, "parts": 0, "hot": False, "broken": False},
        "store": {"cans": 2, "spares": 1},
    }
    found = []
    for action in random.choice(MACHINE_ACTIONS, size=hours, p=shares):
        following = _hour(state, str(action), random)
        found.append({"state": state, "action": str(action), "next_state": following})
        state = following
    return MaintenanceLog(tuple(found), MACHINE_RULES)


def _hour(state: dict[str, Any], action: str, random: np.random.Generator) -> dict[str, Any]:
    """What an hour brings."""
    machine, store = dict(state["machine"]), dict(state["store"])
    chances = random.random(3)
    if action == "run" and not machine["hot"] and not machine["broken"]:
        _run(machine, chances)
    elif action == "oil" and store["cans"] >= 1:
        machine["oil"], store["cans"] = FULL, store["cans"] - 1
    elif action == "cool":
        machine["hot"] = False
    elif action == "replace" and store["spares"] >= 1:
        machine |= {"wear": 0, "broken": False}
        store["spares"] -= 1
    elif action == "order":
        store["cans"], store["spares"] = store["cans"] + 3, store["spares"] + 1
    return {"machine": machine, "store": store}


def _run(machine: dict[str, Any], chances: np.ndarray) -> None:
    """An hour of running."""
    machine["broken"] = bool(machine["wear"] >= WORN and chances[2] < 0.5)
    if machine["oil"] >= 1:
        machine["parts"] += int(chances[0] < 0.9)
        machine["wear"] += int(chances[1] < 0.4)
        machine["oil"] -= 1
    else:
        machine["wear"] += 2
        machine["hot"] = True
