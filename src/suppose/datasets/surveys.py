"""Surveys answered in more than one mode: the polls before the referendum on leaving the European Union."""

from __future__ import annotations

from typing import Any

from suppose.datasets.shipped import read_shipped

__all__ = ["load_brexit_polls"]


def load_brexit_polls(*, frame: str = "pandas") -> Any:
    """Polls before the British referendum of 23 June 2016, 85 of them online and 42 by telephone.

    Parameters
    ----------
    frame : {"pandas", "polars", "pyarrow"}
        Library of the frame returned.

    Returns
    -------
    frame
        ``startdate``, ``enddate`` (of the poll), ``pollster``, ``poll_type`` (``Online`` or ``Telephone``),
        ``samplesize`` (people), ``remain``, ``leave``, ``undecided`` (shares), ``spread`` (remain minus leave).

    Raises
    ------
    DataError
        ``unknown-frame`` or ``frame-not-installed``.

    Notes
    -----
    The vote gave a spread of -0.038, so the shift of each mode can be measured against a known total.

    References
    ----------
    R. Irizarry and A. Gill, dslabs: Data Science Labs (R package), data set ``brexit_polls``, gathered from the
    list of polls in Wikipedia.

    Examples
    --------
    >>> polls = load_brexit_polls()
    >>> polls.groupby("poll_type")["spread"].mean().round(4).to_dict()
    {'Online': -0.0046, 'Telephone': 0.07}
    """
    return read_shipped("brexit-polls", frame)
