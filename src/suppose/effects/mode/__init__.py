"""Surveys answered in more than one mode: whether to adjust for the mode, and how far its effect could mislead.

:func:`mode_safe_sets` reads off a causal graph what to condition on. :class:`ModeEffectAnalysis` puts the ways of
dealing with the mode side by side, and its ``bias_analysis`` and ``tipping_curve`` say what shifts would do that no
conditioning can take away. :func:`misclassification_analysis` does so for yes/no answers, :func:`calibrate` takes
shifts from a known total.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "BiasAnalysis": "bias",
    "Calibration": "calibration",
    "MisclassificationAnalysis": "misclassification",
    "ModeContrast": "calibration",
    "ModeEffectAnalysis": "analysis",
    "ModeSets": "graph",
    "ModeVerdict": "graph",
    "Prior": "priors",
    "TippingCurve": "tipping",
    "calibrate": "calibration",
    "misclassification_analysis": "misclassification",
    "mode_contrast": "calibration",
    "mode_safe_sets": "graph",
    "mode_verdict": "graph",
    "warn_of_conditioning": "graph",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"suppose.effects.mode.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'suppose.effects.mode' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
