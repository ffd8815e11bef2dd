"""Networks for effects of treatments and doses; needs the extra ``nets`` (torch).

:class:`TransTEE` is one attention network for binary, multi-valued and continuous treatments, arms with a
dose, and graphs. :class:`NeuralBaseline` trains the usual networks (S-learner, T-learner, TARNet, DRNet,
VCNet) in the same way, to compare with.
"""

from __future__ import annotations

import importlib
from typing import Any

from suppose.nets import need_torch

need_torch("suppose.effects.neural")

_HOMES = {
    "TransTEE": "transtee",
    "NeuralBaseline": "baselines",
    "DoseResponse": "response",
    "ConditionalEffects": "response",
    "AttentionMap": "response",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"suppose.effects.neural.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'suppose.effects.neural' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
