"""Discovery: what a table says about the graph behind it, from tests of independence upwards."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "CITest": "protocol",
    "Conflict": "orientation",
    "EdgeScores": "metrics",
    "EdgeShares": "bootstrap",
    "FisherZ": "gaussian",
    "GCM": "mixed",
    "GSquare": "categorical",
    "IndependenceTest": "independence",
    "KCI": "kernel",
    "Knowledge": "knowledge",
    "MixedLRT": "mixed",
    "Oracle": "oracle",
    "Outcome": "protocol",
    "PC": "pc",
    "RCIT": "kernel",
    "bootstrap_graph": "bootstrap",
    "edge_scores": "metrics",
    "g_test": "independence",
    "holm": "independence",
    "members": "metrics",
    "shd": "metrics",
    "sid": "metrics",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"suppose.discovery.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'suppose.discovery' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
