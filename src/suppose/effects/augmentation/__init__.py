"""IV-like regression with outcome-invariant augmentation.

``What would y be if x were set, when a hidden cause moves both?`` With no instrument at hand, changes of ``x``
that are known to leave the outcome alone stand in for one (Akbar, Kilbertus, Shen, Muandet and Dai, NeurIPS
2025, arXiv 2510.25128). :class:`IVLRegressor` is the linear estimator, :class:`IVLNetwork` the nonlinear one;
:mod:`.transformations` and :mod:`.images` hold the changes, :mod:`.risks` the closed forms, :mod:`.selection` the
ways to choose ``alpha``, :mod:`.invariance` what can be said about the assumption, :mod:`.baselines` what
others would do.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "BASELINES": "baselines",
    "BaselineRegressor": "baselines",
    "ColourJitter": "images",
    "Compose": "transformations",
    "GaussianNoise": "transformations",
    "GridSymmetry": "transformations",
    "IVLNetwork": "network",
    "IVLRegressor": "regressor",
    "ImageShift": "images",
    "InvarianceReport": "invariance",
    "Jitter": "transformations",
    "NullTranslation": "transformations",
    "Permutation": "transformations",
    "ViolationCurve": "invariance",
    "da_erm": "risks",
    "erm": "risks",
    "invariance_report": "invariance",
    "ivl": "risks",
    "ivl_constrained": "risks",
    "ivl_projected": "risks",
    "ncer": "risks",
    "population_coefficients": "risks",
    "two_stage_least_squares": "risks",
    "violation_curve": "invariance",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
