"""Laws of the part of a vertex that its causes do not decide.

Every law is drawn by its quantile function from uniform numbers, so that the same uniform number is the same
unit in the world as it is and in the world after an intervention. Densities are bounded, which makes drawing
by rejection exact (:mod:`suppose.graphs.structural.passes`).

What it does not do: laws whose form depends on the causes, heavy tails without a density bound, vectors.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from suppose.core.errors import GraphError

__all__ = ["Discrete", "Exponential", "Gaussian", "Logistic", "Noise", "Uniform"]

TINY = 2.0**-54
"""Stands for a uniform number that came out as exactly zero."""
SAME = 1e-9
"""How far a number may be from a value of a discrete law and still be that value, relative to its size."""


class Noise(ABC):
    """A law over real numbers with a bounded density, or with finitely many values."""

    @property
    @abstractmethod
    def mean(self) -> float:
        """Expected value."""

    @property
    @abstractmethod
    def variance(self) -> float:
        """Variance."""

    @property
    @abstractmethod
    def peak(self) -> float:
        """Natural logarithm of the greatest density."""

    @abstractmethod
    def quantile(self, uniform: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """Values below which the law lies with the given probabilities, each in [0, 1)."""

    @abstractmethod
    def log_prob(self, values: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """Natural logarithm of the density, or of the probability of a discrete value."""

    def __str__(self) -> str:
        numbers = [
            f"{value:.4g}" if isinstance(value, float | int) else ", ".join(f"{v:.4g}" for v in value)
            for value in vars(self).values()
        ]
        return f"{type(self).__name__}({'; '.join(numbers)})"


def _positive(number: float, name: str, law: str) -> None:
    if (
        isinstance(number, bool)
        or not isinstance(number, (int, float, np.number))
        or not 0 < number < math.inf
    ):
        raise GraphError(
            "bad-noise", f"expected a finite number above 0, got {number!r}", where=f"{law}: argument {name!r}",
            remedy="For a vertex without noise use Function(f, noise=None).",
        )  # fmt: skip


@dataclass(frozen=True)
class Gaussian(Noise):
    """Normal law with mean zero.

    Parameters
    ----------
    scale : float
        Standard deviation, in the units of the vertex.

    Examples
    --------
    >>> Gaussian(2.0).log_prob(np.array([0.0])).round(4).tolist()
    [-1.6121]
    """

    scale: float = 1.0

    def __post_init__(self) -> None:
        _positive(self.scale, "scale", "Gaussian")

    @property
    def mean(self) -> float:
        """Expected value."""
        return 0.0

    @property
    def variance(self) -> float:
        """Variance."""
        return float(self.scale) ** 2

    @property
    def peak(self) -> float:
        """Natural logarithm of the greatest density."""
        return -math.log(self.scale) - 0.5 * math.log(2 * math.pi)

    def quantile(self, uniform: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """Values below which the law lies with the given probabilities."""
        from scipy.special import ndtri

        return np.asarray(self.scale * ndtri(np.maximum(uniform, TINY)))

    def log_prob(self, values: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """Natural logarithm of the density of each value."""
        return np.asarray(self.peak - 0.5 * (values / self.scale) ** 2)


@dataclass(frozen=True)
class Logistic(Noise):
    """Logistic law with mean zero.

    Parameters
    ----------
    scale : float
        Scale; the standard deviation is pi / sqrt(3) times this.

    Examples
    --------
    >>> Logistic().quantile(np.array([0.5, 0.75])).round(4).tolist()
    [0.0, 1.0986]
    """

    scale: float = 1.0

    def __post_init__(self) -> None:
        _positive(self.scale, "scale", "Logistic")

    @property
    def mean(self) -> float:
        """Expected value."""
        return 0.0

    @property
    def variance(self) -> float:
        """Variance."""
        return (math.pi * self.scale) ** 2 / 3

    @property
    def peak(self) -> float:
        """Natural logarithm of the greatest density."""
        return -math.log(4 * self.scale)

    def quantile(self, uniform: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """Values below which the law lies with the given probabilities."""
        safe = np.maximum(uniform, TINY)
        return np.asarray(self.scale * (np.log(safe) - np.log1p(-safe)))

    def log_prob(self, values: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """Natural logarithm of the density of each value."""
        size = np.abs(values) / self.scale
        return np.asarray(-size - 2 * np.log1p(np.exp(-size)) - math.log(self.scale))


@dataclass(frozen=True)
class Uniform(Noise):
    """Equal density from ``low`` to ``high``.

    Examples
    --------
    >>> Uniform(0.0, 4.0).mean
    2.0
    """

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        numbers = all(isinstance(end, (int, float, np.number)) for end in (self.low, self.high))
        if not (numbers and math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise GraphError(
                "bad-noise", f"expected finite low below high, got {self.low!r} and {self.high!r}",
                where="Uniform", remedy="Write for example Uniform(-1, 1).",
            )  # fmt: skip

    @property
    def mean(self) -> float:
        """Expected value."""
        return (self.low + self.high) / 2

    @property
    def variance(self) -> float:
        """Variance."""
        return (self.high - self.low) ** 2 / 12

    @property
    def peak(self) -> float:
        """Natural logarithm of the greatest density."""
        return -math.log(self.high - self.low)

    def quantile(self, uniform: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """Values below which the law lies with the given probabilities."""
        return np.asarray(self.low + (self.high - self.low) * uniform)

    def log_prob(self, values: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """Natural logarithm of the density of each value."""
        slack = SAME * (self.high - self.low)
        inside = (values >= self.low - slack) & (values <= self.high + slack)
        return np.where(inside, self.peak, -np.inf)


@dataclass(frozen=True)
class Exponential(Noise):
    """Exponential law from zero upwards.

    Parameters
    ----------
    scale : float
        Mean, in the units of the vertex.

    Examples
    --------
    >>> Exponential(2.0).mean, Exponential(2.0).variance
    (2.0, 4.0)
    """

    scale: float = 1.0

    def __post_init__(self) -> None:
        _positive(self.scale, "scale", "Exponential")

    @property
    def mean(self) -> float:
        """Expected value."""
        return float(self.scale)

    @property
    def variance(self) -> float:
        """Variance."""
        return float(self.scale) ** 2

    @property
    def peak(self) -> float:
        """Natural logarithm of the greatest density."""
        return -math.log(self.scale)

    def quantile(self, uniform: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """Values below which the law lies with the given probabilities."""
        return np.asarray(-self.scale * np.log1p(-uniform))

    def log_prob(self, values: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """Natural logarithm of the density of each value."""
        inside = values >= -SAME * self.scale
        return np.where(inside, self.peak - np.maximum(values, 0.0) / self.scale, -np.inf)


@dataclass(frozen=True)
class Discrete(Noise):
    """Finitely many numbers.

    Parameters
    ----------
    values : sequence of float
        The numbers, each once.
    probabilities : sequence of float
        Their probabilities, which sum to one within 1e-8.

    Examples
    --------
    >>> coin = Discrete((0, 1), (0.25, 0.75))
    >>> coin.mean, coin.quantile(np.array([0.1, 0.3])).tolist()
    (0.75, [0.0, 1.0])
    """

    values: Sequence[float]
    probabilities: Sequence[float]

    def __post_init__(self) -> None:
        try:
            values, each = (np.asarray(part, dtype=float) for part in (self.values, self.probabilities))
        except (TypeError, ValueError):
            values = each = np.asarray(np.nan)
        alike = values.ndim == 1 and 0 < values.size == each.size == len(set(values.tolist()))
        finite = np.isfinite(values).all() and np.isfinite(each).all()
        if not (alike and finite and (each >= 0).all() and abs(each.sum() - 1) <= 1e-8):
            raise GraphError(
                "bad-noise",
                f"expected different finite numbers with probabilities that sum to 1, got {values.size} "
                f"numbers and {each.size} probabilities with the sum {float(each.sum()):.9g}",
                where="Discrete", remedy="Write for example Discrete((0, 1), (0.3, 0.7)).",
            )  # fmt: skip
        object.__setattr__(self, "values", tuple(values.tolist()))
        object.__setattr__(self, "probabilities", tuple(each.tolist()))

    @property
    def mean(self) -> float:
        """Expected value."""
        return float(np.dot(self.values, self.probabilities))

    @property
    def variance(self) -> float:
        """Variance."""
        return float(np.dot((np.asarray(self.values) - self.mean) ** 2, self.probabilities))

    @property
    def peak(self) -> float:
        """Natural logarithm of the greatest density."""
        return math.log(max(self.probabilities))

    def quantile(self, uniform: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """Values below which the law lies with the given probabilities."""
        steps = np.cumsum(self.probabilities)
        place = np.searchsorted(steps[:-1], uniform * steps[-1], side="right")
        return np.asarray(np.asarray(self.values)[place])

    def log_prob(self, values: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """Natural logarithm of the density of each value."""
        own = np.asarray(self.values)
        order = np.argsort(own)
        near = own[order][np.clip(np.searchsorted(own[order], values), 0, len(own) - 1)]
        low = own[order][np.clip(np.searchsorted(own[order], values) - 1, 0, len(own) - 1)]
        nearest = np.where(np.abs(values - low) < np.abs(values - near), low, near)
        at = order[np.searchsorted(own[order], nearest)]
        hit = np.abs(values - nearest) <= SAME * np.maximum(1.0, np.abs(values))
        with np.errstate(divide="ignore"):
            return np.where(hit, np.log(np.asarray(self.probabilities)[at]), -np.inf)
