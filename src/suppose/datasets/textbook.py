"""Small tables of the literature in which an argument can be followed by hand."""

from __future__ import annotations

from typing import Any

from suppose.datasets.shipped import read_shipped

__all__ = ["load_smoking"]


def load_smoking(*, frame: str = "pandas") -> Any:
    """Smoking, tar and cancer: 100 rows with exactly the joint distribution of a paper's example.

    Parameters
    ----------
    frame : {"pandas", "polars", "pyarrow"}
        Library of the frame returned.

    Returns
    -------
    frame
        ``S`` (smokes), ``T`` (tar in the lungs), ``C`` (cancer), each 0 or 1; 100 rows.

    Raises
    ------
    DataError
        ``unknown-frame`` or ``frame-not-installed``.

    Notes
    -----
    The numbers are invented; the paper states shares of 0.5, 0.1, 0.01, 0.02, 0.1, 0.05, 0.02 and 0.2 for STC =
    000, 001, ..., 111, and 100 rows hold them without rounding. Something unseen may drive both S and C while tar is
    all that smoking does: then P(C = 1 | do S) is 0.2535 and 0.5423, where P(C = 1 | S) is 0.1905 and 0.6757.

    References
    ----------
    B. Jacobs, A. Kissinger and F. Zanasi, Causal Inference by String Diagram Surgery, FoSSaCS 2019. The table
    was read from two independent re-implementations of the example, not from the paper.

    Examples
    --------
    >>> load_smoking().groupby("S")["C"].mean().round(4).tolist()
    [0.1905, 0.6757]
    """
    return read_shipped("smoking", frame)
