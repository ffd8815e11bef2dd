"""Answers to what-if questions about populations, training runs, models and simulated worlds.

The rooms (``suppose.effects``, ``suppose.graphs``, ...) are imported when first touched, so that
``import suppose`` stays cheap: no pandas, matplotlib or torch is loaded by it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from suppose import (
        core,
        datasets,
        discovery,
        effects,
        graphs,
        nets,
        report,
        reproductions,
        studies,
        worlds,
    )  # fmt: skip

__all__ = [
    "__version__", "core", "datasets", "discovery", "effects", "graphs", "nets", "report", "reproductions", "studies",
    "worlds",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name in __all__:
        return importlib.import_module(f"suppose.{name}")
    raise AttributeError(f"module 'suppose' has no attribute {name!r}; rooms: {', '.join(__all__[1:])}")


def __dir__() -> list[str]:
    return sorted(__all__)
