"""Data to ask questions of: real tables shipped with their sources, and simulated ones with known truth.

``load_*`` returns a shipped real table; ``make_*`` draws one from a known law, the same bits for the same
seed. Tables that must be fetched from elsewhere will be ``fetch_*``, and only those will use the network;
there is none yet.
"""

from __future__ import annotations

from suppose.datasets.loaders import load_jobs, load_nhefs
from suppose.datasets.panels import SimulatedPanel, load_union_wages, make_panel, make_staggered
from suppose.datasets.semisynthetic import (
    PotentialOutcomes,
    load_ihdp,
    make_dose_response,
    make_ihdp,
    make_ihdp_dose,
)
from suppose.datasets.shipped import DatasetInfo, dataset_info, resolve, shipped
from suppose.datasets.simulated import (
    Simulated,
    make_clustered,
    make_confounded,
    make_dose,
    make_experiment,
    make_multivalued,
)
from suppose.datasets.structural import SimulatedGraph, make_graph_data
from suppose.datasets.treatments import make_dosage, make_graph_treatments

__all__ = [
    "DatasetInfo",
    "PotentialOutcomes",
    "Simulated",
    "SimulatedGraph",
    "SimulatedPanel",
    "dataset_info",
    "load_ihdp",
    "load_jobs",
    "load_nhefs",
    "load_union_wages",
    "make_clustered",
    "make_confounded",
    "make_dosage",
    "make_dose",
    "make_dose_response",
    "make_experiment",
    "make_graph_data",
    "make_graph_treatments",
    "make_ihdp",
    "make_ihdp_dose",
    "make_multivalued",
    "make_panel",
    "make_staggered",
    "resolve",
    "shipped",
]
