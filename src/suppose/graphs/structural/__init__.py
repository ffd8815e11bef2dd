"""Structural causal models: vertices made from their causes and noise, as they are, would be and would have been."""

from __future__ import annotations

from suppose.graphs.structural.conditioned import Conditioned
from suppose.graphs.structural.gaussian import NormalLaw
from suppose.graphs.structural.mechanisms import Fixed, Function, Linear, Logit, Mechanism, Table
from suppose.graphs.structural.model import StructuralModel
from suppose.graphs.structural.noise import Discrete, Exponential, Gaussian, Logistic, Noise, Uniform

__all__ = [
    "Conditioned",
    "Discrete",
    "Exponential",
    "Fixed",
    "Function",
    "Gaussian",
    "Linear",
    "Logistic",
    "Logit",
    "Mechanism",
    "Noise",
    "NormalLaw",
    "StructuralModel",
    "Table",
    "Uniform",
]
