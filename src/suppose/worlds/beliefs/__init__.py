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
    "BeliefFit": "fitting",
    "BeliefNetwork": "network",
    "BeliefSample": "simulate",
    "Comparison": "comparison",
    "Edge": "network",
    "HGF": "network",
    "Likelihood": "trajectory",
    "Node": "network",
    "Posterior": "fitting",
    "Prior": "priors",
    "RescorlaWagnerFit": "comparison",
    "Trajectory": "trajectory",
    "WhatIf": "simulate",
    "compare": "comparison",
    "filter_beliefs": "trajectory",
    "fit_beliefs": "fitting",
    "fit_rescorla_wagner": "comparison",
    "fit_subjects": "fitting",
    "make_reversals": "simulate",
    "rescorla_wagner": "comparison",
    "respond": "simulate",
    "sample_beliefs": "simulate",
    "what_if": "simulate",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        home = importlib.import_module(f"suppose.worlds.beliefs.{_HOMES[name]}")
        return getattr(home, name)
    raise AttributeError(f"module 'suppose.worlds.beliefs' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
