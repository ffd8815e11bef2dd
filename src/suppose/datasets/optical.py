"""An optical device whose confounder is known: pictures, a light sensor, and a lamp that moves both.

Janzing (2019, Causal Regularization, NeurIPS) built a device in which a screen shows a picture of 3 x 3 random
pixels to a sensor while a lamp of random brightness shines on the camera that takes the pixels and on the
sensor. What the pixels do to the sensor can be computed because the lamp was recorded; a study that does not
see the lamp is confounded. Twelve experiments of 1,000 rows are shipped; the thirteenth ("random image
section") is left out, as in Akbar et al. (2025, arXiv 2510.25128).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from suppose.core.errors import DataError, nearest
from suppose.datasets.shipped import read_shipped

__all__ = ["OPTICAL_EXPERIMENTS", "OpticalDevice", "load_optical_device"]

OPTICAL_EXPERIMENTS = (69, 70, 71, 72, 73, 74, 75, 77, 78, 79, 80, 82)


@dataclass(frozen=True)
class OpticalDevice:
    """One experiment.

    Attributes
    ----------
    frame : pandas.DataFrame
        ``pixel1`` to ``pixel9``, ``led`` (the confounder) and ``light`` (the outcome), 0 to 255.
    f : (9,) array
        What the pixels do to the sensor: least squares on pixels and lamp together, light per unit of a pixel.
    """

    frame: Any
    f: Float[np.ndarray, "9"]

    @property
    def X(self) -> Float[np.ndarray, "n 9"]:  # noqa: N802 (the field's symbol)
        """The pixels, centred."""
        values = self.frame.filter(like="pixel").to_numpy(dtype=float)
        return np.asarray(values - values.mean(axis=0))

    @property
    def y(self) -> Float[np.ndarray, " n"]:
        """The sensor, centred."""
        values = self.frame["light"].to_numpy(dtype=float)
        return np.asarray(values - values.mean())

    def __str__(self) -> str:
        return f"optical device: {len(self.frame):,} rows, 9 pixels, known confounder"


def load_optical_device(experiment: int = 79) -> OpticalDevice:
    """One experiment of the optical device, with the effect that the recorded confounder reveals.

    Parameters
    ----------
    experiment : int
        One of :data:`OPTICAL_EXPERIMENTS`.

    Raises
    ------
    DataError
        ``unknown-group`` for a number that is not among them.

    References
    ----------
    D. Janzing, Causal Regularization, NeurIPS 2019. Data: Apache-2.0.

    Examples
    --------
    >>> device = load_optical_device(79)
    >>> device.X.shape, device.f.shape
    ((1000, 9), (9,))
    """
    if experiment not in OPTICAL_EXPERIMENTS:
        known = [str(number) for number in OPTICAL_EXPERIMENTS]
        raise DataError(
            "unknown-group", f"expected one of {', '.join(known)}, got {experiment!r}", where="argument 'experiment'",
            remedy=nearest(str(experiment), known) or None,
        )  # fmt: skip
    frame = read_shipped(f"optical/{experiment}")
    table = frame.to_numpy(dtype=float)
    centred = table - table.mean(axis=0)
    return OpticalDevice(frame, np.linalg.lstsq(centred[:, :10], centred[:, 10], rcond=None)[0][:9])
