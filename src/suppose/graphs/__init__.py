"""Causal graphs: what they make independent, what they let a comparison show, and what they make computable.

Drawing, separation and adjustment come with the room; identification, networks, structural models and string
diagrams are imported when first touched.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from suppose.graphs.adjustment import AdjustmentSets, AdjustmentVerdict, adjustment_sets, is_adjustment_set
from suppose.graphs.dag import DAG
from suppose.graphs.drawing import draw
from suppose.graphs.frontdoor import FrontdoorSets, FrontdoorVerdict, frontdoor_sets, is_frontdoor_set
from suppose.graphs.implications import Implication, Implications, implied_independences
from suppose.graphs.instruments import Instrument, Instruments, instruments
from suppose.graphs.query import proper_backdoor_graph
from suppose.graphs.separation import (
    OpenPaths,
    Path,
    PathStep,
    d_connected_nodes,
    d_separated,
    explain_path,
    open_paths,
)

if TYPE_CHECKING:
    from suppose.graphs.diagrams import Box, Comb, Diagram, Functor, Surgery, Ty, comb
    from suppose.graphs.identification import (
        Estimand,
        Event,
        NotIdentified,
        check_hedge,
        identify,
        identify_counterfactual,
        pair_of_models,
        remedies,
    )
    from suppose.graphs.networks import DiscreteNetwork, load_network
    from suppose.graphs.structural import StructuralModel

_HOMES = {
    "diagrams": ("Box", "Comb", "Diagram", "Functor", "Surgery", "Ty", "comb"),
    "identification": (
        "Estimand", "Event", "NotIdentified", "check_hedge", "identify", "identify_counterfactual", "pair_of_models",
        "remedies",
    ),
    "networks": ("DiscreteNetwork", "load_network"),
    "structural": ("StructuralModel",),
}  # fmt: skip

__all__ = [
    "DAG",
    "AdjustmentSets",
    "AdjustmentVerdict",
    "Box",
    "Comb",
    "Diagram",
    "DiscreteNetwork",
    "Estimand",
    "Event",
    "FrontdoorSets",
    "FrontdoorVerdict",
    "Functor",
    "Implication",
    "Implications",
    "Instrument",
    "Instruments",
    "NotIdentified",
    "OpenPaths",
    "Path",
    "PathStep",
    "StructuralModel",
    "Surgery",
    "Ty",
    "adjustment_sets",
    "check_hedge",
    "comb",
    "d_connected_nodes",
    "d_separated",
    "draw",
    "explain_path",
    "frontdoor_sets",
    "identify",
    "identify_counterfactual",
    "implied_independences",
    "instruments",
    "is_adjustment_set",
    "is_frontdoor_set",
    "load_network",
    "open_paths",
    "pair_of_models",
    "proper_backdoor_graph",
    "remedies",
]


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"suppose.graphs.{home}"), name)
    raise AttributeError(f"module 'suppose.graphs' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
