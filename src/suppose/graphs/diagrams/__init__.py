"""String diagrams: causal models as drawings that compute, and interventions as surgery on them."""

from __future__ import annotations

from suppose.graphs.diagrams.combs import (
    Comb,
    NoComb,
    comb,
    comb_disintegration,
    comb_effect,
    disintegrate,
)
from suppose.graphs.diagrams.diagram import Box, Diagram
from suppose.graphs.diagrams.drawing import panels
from suppose.graphs.diagrams.equality import NormalForm
from suppose.graphs.diagrams.semantics import Channel, Functor
from suppose.graphs.diagrams.surgery import Surgery, explicit, from_dag, hidden_cause, intervene
from suppose.graphs.diagrams.types import Ty

__all__ = [
    "Box",
    "Channel",
    "Comb",
    "Diagram",
    "Functor",
    "NoComb",
    "NormalForm",
    "Surgery",
    "Ty",
    "comb",
    "comb_disintegration",
    "comb_effect",
    "disintegrate",
    "explicit",
    "from_dag",
    "hidden_cause",
    "intervene",
    "panels",
]
