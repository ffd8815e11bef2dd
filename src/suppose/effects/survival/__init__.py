"""Survival: a flexible parametric family, and the classical estimators beside it with the same interface.

:class:`FlexibleSurvival` puts covariates on any of four parameters of one law that holds Weibull, log-logistic, Burr,
Gompertz and models with a cured fraction. :class:`KaplanMeier`, :class:`NelsonAalen` and :class:`ProportionalHazards`
(Cox) are the references it is held against.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "APGW": "apgw",
    "Comparison": "selection",
    "Curve": "records",
    "FlexibleSurvival": "regression",
    "KaplanMeier": "nonparametric",
    "NelsonAalen": "nonparametric",
    "ProportionalHazards": "cox",
    "SurvivalEffect": "records",
    "compare": "selection",
    "likelihood_ratio": "selection",
    "log_rank": "nonparametric",
    "parse_formula": "formula",
    "step": "selection",
    "test_kappa": "selection",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"suppose.effects.survival.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'suppose.effects.survival' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
