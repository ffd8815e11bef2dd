"""Complete identification: what follows about interventions from observations, with the argument or its refutation."""

from __future__ import annotations

from suppose.graphs.identification.checking import check_hedge
from suppose.graphs.identification.components import project
from suppose.graphs.identification.conditional import identify
from suppose.graphs.identification.counterfactual import (
    CounterfactualEstimand,
    CounterfactualNotIdentified,
    identify_counterfactual,
)
from suppose.graphs.identification.estimand import Estimand, NotIdentified
from suppose.graphs.identification.hedge import Forest, Hedge
from suppose.graphs.identification.parity import Pair, pair_of_models
from suppose.graphs.identification.remedies import Remedy, remedies
from suppose.graphs.identification.steps import Step
from suppose.graphs.identification.worlds import Event

__all__ = [
    "CounterfactualEstimand",
    "CounterfactualNotIdentified",
    "Estimand",
    "Event",
    "Forest",
    "Hedge",
    "NotIdentified",
    "Pair",
    "Remedy",
    "Step",
    "check_hedge",
    "identify",
    "identify_counterfactual",
    "pair_of_models",
    "project",
    "remedies",
]
