"""Bayesian networks that people in the field know, as texts in the Bayesian Interchange Format.

Tables and not rows, so that they stand apart from :func:`suppose.datasets.shipped`. The room of graphs turns
the texts into networks: :func:`suppose.graphs.networks.load_network`.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

from suppose.core.errors import DataError, nearest

__all__ = ["NETWORKS", "NetworkInfo", "network_text"]

FOLDER = Path(__file__).resolve().parent / "data" / "networks"


@dataclass(frozen=True)
class NetworkInfo:
    """What is known about one shipped network.

    Attributes
    ----------
    title : str
        One line on what the vertices are.
    source : str
        Where it comes from.
    licence : str
        The terms under which it is passed on.
    """

    title: str
    source: str
    licence: str


_TERMS = "bnlearn repository: CC BY-SA 3.0; the files as in the Python package pgmpy 1.1.2: MIT"

NETWORKS: dict[str, NetworkInfo] = {
    "asia": NetworkInfo(
        "Lung disease, a visit to Asia, smoking: 8 vertices of the textbook example",
        "Lauritzen and Spiegelhalter (1988), Journal of the Royal Statistical Society B 50, 157-224", _TERMS,
    ),
    "sachs": NetworkInfo(
        "Signalling proteins of human immune cells at three levels: 11 vertices",
        "Sachs, Perez, Pe'er, Lauffenburger and Nolan (2005), Science 308, 523-529", _TERMS,
    ),
    "alarm": NetworkInfo(
        "Monitoring of patients under anaesthesia: 37 vertices",
        "Beinlich, Suermondt, Chavez and Cooper (1989), Proceedings of the 2nd European Conference on "
        "Artificial Intelligence in Medicine, 247-256", _TERMS,
    ),
    "insurance": NetworkInfo(
        "Risks of car insurance: 27 vertices",
        "Binder, Koller, Russell and Kanazawa (1997), Machine Learning 29, 213-244", _TERMS,
    ),
}  # fmt: skip
"""Title, source and licence of every shipped network."""


def network_text(name: str) -> str:
    """The text of a shipped network.

    Parameters
    ----------
    name : {"asia", "sachs", "alarm", "insurance"}
        Which one; :data:`NETWORKS` says where each comes from.

    Raises
    ------
    DataError
        ``unknown-dataset``, with the nearest names.

    Examples
    --------
    >>> network_text("asia").count("variable")
    8
    """
    if name not in NETWORKS:
        raise DataError(
            "unknown-dataset", f"no network of this name is shipped; there are: {', '.join(NETWORKS)}",
            where=f"network {name!r}", remedy=nearest(str(name), NETWORKS) or "Name one of these.",
        )  # fmt: skip
    with gzip.open(FOLDER / f"{name}.bif.gz", "rt", encoding="utf-8") as file:
        return file.read()
