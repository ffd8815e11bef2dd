"""Data to ask questions of: real tables shipped with their sources, and simulated ones with known truth.

``load_*`` returns a shipped real table; ``make_*`` draws one from a known law, the same bits for the same
seed. Tables that must be fetched from elsewhere will be ``fetch_*``, and only those will use the network;
there is none yet.
"""

from __future__ import annotations

from suppose.datasets.confounded_inputs import (
    ColouredDigits,
    ConfoundedInputs,
    make_coloured_digits,
    make_linear_sem,
)
from suppose.datasets.loaders import load_jobs, load_nhefs
from suppose.datasets.machines import MaintenanceLog, make_maintenance_log
from suppose.datasets.optical import OPTICAL_EXPERIMENTS, OpticalDevice, load_optical_device
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
from suppose.datasets.surveys import load_brexit_polls
from suppose.datasets.survival import (
    SimulatedSurvival,
    load_lung_cancer,
    load_rossi,
    load_veterans,
    make_survival,
)
from suppose.datasets.textbook import load_smoking
from suppose.datasets.treatments import make_dosage, make_graph_treatments

__all__ = [
    "ColouredDigits",
    "ConfoundedInputs",
    "DatasetInfo",
    "MaintenanceLog",
    "OPTICAL_EXPERIMENTS",
    "OpticalDevice",
    "PotentialOutcomes",
    "Simulated",
    "SimulatedGraph",
    "SimulatedPanel",
    "SimulatedSurvival",
    "dataset_info",
    "load_brexit_polls",
    "load_ihdp",
    "load_jobs",
    "load_lung_cancer",
    "load_nhefs",
    "load_optical_device",
    "load_rossi",
    "load_smoking",
    "load_union_wages",
    "load_veterans",
    "make_clustered",
    "make_coloured_digits",
    "make_confounded",
    "make_dosage",
    "make_dose",
    "make_dose_response",
    "make_experiment",
    "make_graph_data",
    "make_graph_treatments",
    "make_ihdp",
    "make_ihdp_dose",
    "make_linear_sem",
    "make_maintenance_log",
    "make_multivalued",
    "make_panel",
    "make_staggered",
    "make_survival",
    "resolve",
    "shipped",
]
