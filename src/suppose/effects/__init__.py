"""Effects of treatments: estimators, their scores and inference, and the checks around them.

Which one: :class:`Interactive` for a treatment with a few values, :class:`PartiallyLinear` for a dose or
a constant effect, :class:`DifferenceInMeans` for an experiment. :class:`InverseProbability` and
:class:`GComputation` lean on one model only and stand beside them for comparison.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "Design": "designs",
    "PartiallyLinear": "partially_linear",
    "Interactive": "interactive",
    "DRLearner": "heterogeneity",
    "Refutation": "refutation",
    "refute": "refutation",
    "InverseProbability": "weighting",
    "GComputation": "gcomputation",
    "DifferenceInMeans": "experiment",
    "FrontDoor": "frontdoor",
    "IVLRegressor": "augmentation",
    "IVLNetwork": "augmentation",
    "EffectEstimate": "inference",
    "EffectEstimator": "base",
    "PanelDML": "panel.dml",
    "LinearPanel": "panel.linear",
    "StaggeredEffect": "panel.staggered",
    "compare_transforms": "panel.compare",
    "TransTEE": "neural.transtee",
    "NeuralBaseline": "neural.baselines",
    "FlexibleSurvival": "survival.regression",
    "ProportionalHazards": "survival.cox",
    "KaplanMeier": "survival.nonparametric",
    "NelsonAalen": "survival.nonparametric",
    "ModeEffectAnalysis": "mode.analysis",
    "mode_safe_sets": "mode.graph",
    "LEARNERS": "learners",
    "make_learner": "learners",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"suppose.effects.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'suppose.effects' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
