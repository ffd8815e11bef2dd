"""Discrete networks: read, learned, asked, cut and scored exactly."""

from __future__ import annotations

from suppose.graphs.networks.counterfactual import Counterfactual
from suppose.graphs.networks.network import DiscreteNetwork

__all__ = ["Counterfactual", "DiscreteNetwork", "load_network"]


def load_network(name: str) -> DiscreteNetwork:
    """A network that travels with the package.

    Parameters
    ----------
    name : {"asia", "sachs", "alarm", "insurance"}
        Which one; :data:`suppose.datasets.networks.NETWORKS` says where each comes from.

    Raises
    ------
    DataError
        ``unknown-dataset``, with the nearest names.

    Examples
    --------
    >>> load_network("alarm")
    DiscreteNetwork(37 vertices, 46 arrows, 509 free numbers)
    """
    from suppose.datasets.networks import network_text  # not before it is needed: datasets load scipy

    return DiscreteNetwork.from_bif(network_text(name), normalize=True)  # alarm: thirds with seven digits
