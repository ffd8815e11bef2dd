"""Crafter-OO: a small survival world whose state is a plain object and whose step is a pure function.

A state says what stands where; :func:`transition` says what comes next, without touching what it was given and
without any hidden source of randomness: the stream is part of the state. The rules are those of PyPI ``crafter``
1.8.3 (Hafner, "Benchmarking the Spectrum of Agent Capabilities", ICLR 2022) and the object view of it is that of
Crafter-OO (Khan et al., "One Life to Learn", ICLR 2026, arXiv 2510.12088).

>>> from suppose.worlds.crafter import initial_state, transition
>>> state = initial_state(area=(24, 24), seed=1)
>>> later, reward = transition(state, "move_left")
>>> later.step_count, later.player.position.x - state.player.position.x
(1, -1)
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "ACHIEVEMENTS": "arrays",
    "ACTIONS": "arrays",
    "ITEMS": "arrays",
    "MATERIALS": "arrays",
    "Arrays": "arrays",
    "CrafterBatch": "batch",
    "CrafterEnv": "env",
    "SCENARIOS": "scenarios",
    "SCHEMA": "schema",
    "Scenario": "scenarios",
    "WorldState": "state",
    "advance": "step",
    "crafter_laws": "rules",
    "daylight": "step",
    "grass_state": "start",
    "initial_state": "start",
    "mutations": "mutators",
    "render_image": "image",
    "render_text": "text",
    "transition": "step",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        home = importlib.import_module(f"suppose.worlds.crafter.{_HOMES[name]}")
        return getattr(home, name)
    raise AttributeError(f"module 'suppose.worlds.crafter' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
