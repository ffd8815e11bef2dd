"""The small networks every neural system shares; needs the extra ``nets`` (torch)."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES: dict[str, str] = {}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"suppose.nets.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'suppose.nets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
