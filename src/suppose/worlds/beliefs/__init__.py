"""Beliefs: networks that learn what the world is like and how fast it changes, and would learn otherwise if ....

The generalised hierarchical Gaussian filter (Weber et al., arXiv 2305.10937; Legrand et al., arXiv 2410.09206): hidden
quantities drive the values and the volatilities of others, and beliefs about all of them follow observations.

>>> from suppose.worlds.beliefs import HGF, filter_beliefs
>>> path = filter_beliefs(HGF(2, "continuous", x1_omega=-4.0), [0.2, 0.1, 0.3, 0.2])
>>> path.mean.shape
(4, 3)
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "BeliefNetwork": "network",
    "Edge": "network",
    "HGF": "network",
    "Likelihood": "trajectory",
    "Node": "network",
    "Trajectory": "trajectory",
    "filter_beliefs": "trajectory",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        home = importlib.import_module(f"suppose.worlds.beliefs.{_HOMES[name]}")
        return getattr(home, name)
    raise AttributeError(f"module 'suppose.worlds.beliefs' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
