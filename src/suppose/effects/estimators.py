"""The effect estimators in one place; each lives in a file named after its method."""

from __future__ import annotations

from suppose.effects.base import EffectEstimator
from suppose.effects.experiment import DifferenceInMeans
from suppose.effects.gcomputation import GComputation
from suppose.effects.interactive import Interactive
from suppose.effects.partially_linear import PartiallyLinear
from suppose.effects.weighting import InverseProbability

__all__ = [
    "DifferenceInMeans",
    "EffectEstimator",
    "GComputation",
    "Interactive",
    "InverseProbability",
    "PartiallyLinear",
]
