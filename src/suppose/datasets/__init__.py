"""Data to ask questions of: real tables shipped with their sources, and simulated ones with known truth.

``load_*`` returns a shipped real table; ``make_*`` draws one from a known law, the same bits for the same
seed. Tables that must be fetched from elsewhere will be ``fetch_*``, and only those will use the network;
there is none yet.
"""

from __future__ import annotations

from suppose.datasets.loaders import load_jobs, load_nhefs
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

__all__ = [
    "DatasetInfo",
    "Simulated",
    "SimulatedGraph",
    "dataset_info",
    "load_jobs",
    "load_nhefs",
    "make_clustered",
    "make_confounded",
    "make_dose",
    "make_experiment",
    "make_graph_data",
    "make_multivalued",
    "resolve",
    "shipped",
]
