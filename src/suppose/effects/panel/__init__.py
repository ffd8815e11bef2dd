"""Effects from panels: units seen again and again, each with its own level that nobody observed.

:class:`PanelDML` takes a treatment that changes within units, of any kind, and nonlinear confounding.
:class:`LinearPanel` holds the textbook estimators it stands beside; :func:`compare_transforms` puts all of
them in one table. :class:`StaggeredEffect` takes a treatment that starts at different times and stays on.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "TRANSFORMS": "transforms",
    "PanelDML": "dml",
    "LinearPanel": "linear",
    "MundlakTest": "linear",
    "mundlak_test": "linear",
    "Comparison": "compare",
    "compare_transforms": "compare",
    "StaggeredEffect": "staggered",
    "Aggregate": "aggregation",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"suppose.effects.panel.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'suppose.effects.panel' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
