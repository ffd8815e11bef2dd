"""What is held likely of a number before data, on the scale on which it is fitted.

Each free number is fitted on an unbounded scale: itself, or its logarithm where it must be positive (precisions,
``beta``, ``zeta``). Priors are Gaussian on that scale. Those of :func:`default_prior` are weak: they say no more than
that numbers are of the size the literature works with.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from suppose.core.errors import StudyError

__all__ = ["Prior", "Scale", "default_prior"]

POSITIVE = ("precision", "beta", "zeta")


@dataclasses.dataclass(frozen=True)
class Prior:
    """Gaussian prior of one number, on the scale it is fitted on.

    Attributes
    ----------
    mean, sd : float
        On that scale: of a positive number they are those of its logarithm.

    Examples
    --------
    >>> Prior(-3.0, 2.0)
    Prior(mean=-3.0, sd=2.0)
    """

    mean: float
    sd: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and math.isfinite(self.sd) and self.sd > 0):
            raise StudyError(
                "bad-belief-prior", f"expected a mean and a positive sd, got {self.mean:g} and {self.sd:g}",
                where="prior", remedy="Write for example Prior(-3.0, 2.0).",
            )  # fmt: skip


def is_positive(name: str) -> bool:
    """Whether a number of this name must be positive."""
    return name.rpartition(".")[2] in POSITIVE


def default_prior(name: str, value: float) -> Prior:
    """Weak prior around the network's own number.

    Examples
    --------
    >>> default_prior("x1.omega", -3.0), default_prior("beta", 1.0)
    (Prior(mean=-3.0, sd=4.0), Prior(mean=0.0, sd=1.0))
    """
    kind = next((part for part in ("omega", "kappa", "alpha", "autoconnection") if f".{part}" in name), "")
    if is_positive(name):
        return Prior(math.log(value), 1.0)
    return Prior(value, {"omega": 4.0, "kappa": 1.0, "alpha": 1.0, "autoconnection": 0.5}.get(kind, 2.0))


class Scale:
    """Free numbers to the scale they are fitted on and back, with their priors.

    Parameters
    ----------
    names : sequence of str
        The free numbers, in order.
    values : sequence of float
        Where the network has them.
    priors : mapping, optional
        By name; others get :func:`default_prior`.

    Examples
    --------
    >>> scale = Scale(["x1.omega", "beta"], [-3.0, 2.0])
    >>> scale.back(scale.forth(np.array([-3.0, 2.0]))).round(12)
    array([-3.,  2.])
    """

    def __init__(
        self, names: Sequence[str], values: Sequence[float], priors: Mapping[str, Prior] | None = None
    ) -> None:
        self.names, given = tuple(names), dict(priors or {})
        unknown = [name for name in given if name not in self.names]
        if unknown:
            raise StudyError(
                "unknown-prior", f"{unknown[0]!r} is not among the free numbers: {', '.join(self.names)}",
                where="priors", remedy="Name it in free=, or drop its prior.",
            )  # fmt: skip
        chosen = [
            given.get(name, default_prior(name, value)) for name, value in zip(names, values, strict=True)
        ]
        self.mean = np.array([prior.mean for prior in chosen])
        self.sd = np.array([prior.sd for prior in chosen])
        self.positive = np.array([is_positive(name) for name in self.names], dtype=bool)

    def forth(self, theta: Float[np.ndarray, " free"]) -> Float[np.ndarray, " free"]:
        """Numbers to the fitted scale."""
        return np.where(self.positive, np.log(np.where(self.positive, theta, 1.0)), theta)

    def back(self, z: Float[np.ndarray, "*any free"]) -> Float[np.ndarray, "*any free"]:
        """The fitted scale to numbers."""
        return np.where(self.positive, np.exp(np.where(self.positive, np.clip(z, -500, 500), 0.0)), z)

    def slope(self, z: Float[np.ndarray, " free"]) -> Float[np.ndarray, " free"]:
        """Derivative of :meth:`back`."""
        return np.where(self.positive, self.back(z), 1.0)

    def log_prior(self, z: Float[np.ndarray, " free"]) -> tuple[float, Float[np.ndarray, " free"]]:
        """Log density of the priors on the fitted scale, and its derivatives."""
        e = (z - self.mean) / self.sd
        value = -0.5 * float(e @ e) - float(np.log(self.sd).sum()) - 0.5 * len(e) * math.log(2 * math.pi)
        return value, -e / self.sd
