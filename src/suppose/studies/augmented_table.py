"""The material of an augmented-effect study as numbers: a table, or pictures laid flat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

__all__ = ["AugmentedTable"]


@dataclass(frozen=True)
class AugmentedTable:
    """The study's material as numbers.

    Attributes
    ----------
    X : (n, d) array
        Inputs, or flat pictures.
    y : (n,) array
        Outcome.
    names : tuple of str
        Of the inputs; empty for pictures.
    shape : tuple of int
        (channels, height, width) of pictures; empty for tables.
    test_X, test_y : arrays, optional
        Pictures to predict for, and their outcome where it is known.
    notes : tuple of str
    """

    X: Float[np.ndarray, "n d"]
    y: Float[np.ndarray, " n"]
    names: tuple[str, ...]
    shape: tuple[int, ...] = ()
    test_X: Float[np.ndarray, "m d"] | None = None  # noqa: N815 (the field's symbol)
    test_y: Float[np.ndarray, " m"] | None = None
    notes: tuple[str, ...] = ()
