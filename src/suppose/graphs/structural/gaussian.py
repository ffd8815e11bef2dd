"""The normal law of a linear model with Gaussian noise, in closed form.

With v = c + B v + e the vertices are v = (I - B)^-1 (c + e), normal with covariance
(I - B)^-1 Omega (I - B)^-T (Bollen 1989, ch. 4), where Omega holds the variances of the noises and, for each
``<->``, their covariance. Conditionals of normal laws are normal (Anderson 2003, th. 2.5.1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from suppose.core.errors import EstimationError
from suppose.graphs.structural.mechanisms import Fixed, Linear
from suppose.graphs.structural.noise import Gaussian

if TYPE_CHECKING:
    from suppose.graphs.structural.model import StructuralModel

__all__ = ["NormalLaw", "linear_parts"]


@dataclass(frozen=True, eq=False)
class NormalLaw:
    """A joint normal law of named quantities.

    Attributes
    ----------
    names : tuple of str
        The quantities.
    mean : array (quantities,)
        Expected values, in their units.
    covariance : array (quantities, quantities)
        Covariances.

    Examples
    --------
    >>> law = NormalLaw(("x", "y"), np.zeros(2), np.array([[1.0, 0.5], [0.5, 1.0]]))
    >>> law.condition({"x": 2.0}).mean.tolist(), law.condition({"x": 2.0}).covariance.tolist()
    ([1.0], [[0.75]])
    """

    names: tuple[str, ...]
    mean: Float[np.ndarray, " quantities"]
    covariance: Float[np.ndarray, "quantities quantities"]

    def keep(self, names: Sequence[str]) -> NormalLaw:
        """The law of some of the quantities, in this order."""
        at = [self.names.index(name) for name in names]
        return NormalLaw(tuple(names), self.mean[at], self.covariance[np.ix_(at, at)])

    def condition(self, given: Mapping[str, float]) -> NormalLaw:
        """The law of the others, given some quantities; these must not be constant."""
        seen = [i for i, name in enumerate(self.names) if name in given]
        rest = [i for i, name in enumerate(self.names) if name not in given]
        off = np.asarray([given[self.names[i]] for i in seen], dtype=float) - self.mean[seen]
        across = self.covariance[np.ix_(rest, seen)]
        weights = solve(self.covariance[np.ix_(seen, seen)], across.T).T
        covariance = self.covariance[np.ix_(rest, rest)] - weights @ across.T
        names = tuple(self.names[i] for i in rest)
        return NormalLaw(names, self.mean[rest] + weights @ off, (covariance + covariance.T) / 2)

    def log_prob(self, values: Float[np.ndarray, "rows quantities"]) -> Float[np.ndarray, " rows"]:
        """Natural logarithm of the density of each row."""
        from scipy.linalg import solve_triangular

        if not self.names:
            return np.zeros(len(values))
        lower = _root(self.covariance)
        scaled = solve_triangular(lower, (values - self.mean).T, lower=True)
        constant = float(np.log(np.diag(lower)).sum()) + 0.5 * len(self.names) * math.log(2 * math.pi)
        return np.asarray(-0.5 * (scaled**2).sum(axis=0) - constant)

    def draw(self, standard: Float[np.ndarray, "rows quantities"]) -> Float[np.ndarray, "rows quantities"]:
        """Rows of the law from independent standard normal numbers; constants stay constant."""
        values, vectors = np.linalg.eigh(self.covariance)
        root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
        return np.asarray(self.mean + standard @ root)

    def to_frame(self) -> Any:
        """Mean, standard deviation and covariances as a pandas DataFrame, one row per quantity."""
        import pandas as pd

        head = pd.DataFrame({"mean": self.mean, "sd": np.sqrt(np.diag(self.covariance))}, index=[*self.names])
        return head.join(pd.DataFrame(self.covariance, index=[*self.names], columns=[*self.names]))

    def __str__(self) -> str:
        spread = np.sqrt(np.maximum(np.diag(self.covariance), 0.0))
        rows = [
            f"  {name}: mean {mean:.4g}, standard deviation {sd:.4g}"
            for name, mean, sd in zip(self.names, self.mean, spread, strict=True)
        ]
        return "\n".join(["Normal law of", *rows])


def solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """``matrix``^-1 ``right`` for a covariance matrix."""
    if not matrix.size:
        return np.zeros((0, right.shape[1]))
    from scipy.linalg import cho_solve

    return np.asarray(cho_solve((_root(matrix), True), right))


def _root(matrix: np.ndarray) -> np.ndarray:
    """Lower Cholesky factor of a covariance matrix."""
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError as error:
        raise EstimationError(
            "nearly-singular",
            "some of these quantities follow from the others up to rounding, so that their joint density has no number",
            where="law", remedy="Leave some of them out, or bring the noises of the model to one scale.",
        ) from error  # fmt: skip


def linear_parts(model: StructuralModel) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Mean, loadings on the noises and covariance of the noises, in node order; None where it is not linear Gaussian.

    A vertex set from outside to a number is a constant.
    """
    names = model.graph.nodes
    at = {name: i for i, name in enumerate(names)}
    n = len(names)
    mean, loadings, omega = np.zeros(n), np.zeros((n, n)), np.zeros((n, n))
    for name in model.graph.order:
        mechanism, i = model.mechanism(name), at[name]
        if isinstance(mechanism, Fixed) and mechanism.states is None:
            mean[i] = mechanism.value
        elif isinstance(mechanism, Linear) and isinstance(mechanism.noise, Gaussian):
            if any(
                isinstance(b, Mapping) or model.states[u] is not None
                for u, b in mechanism.coefficients.items()
            ):
                return None
            mean[i] = mechanism.intercept
            for parent, coefficient in mechanism.coefficients.items():
                mean[i] += float(coefficient) * mean[at[parent]]  # type: ignore[arg-type]
                loadings[i] += float(coefficient) * loadings[at[parent]]  # type: ignore[arg-type]
            loadings[i, i] = 1.0
            omega[i, i] = mechanism.noise.variance
        else:
            return None
    for (a, b), covariance in model.covariances.items():
        omega[at[a], at[b]] = omega[at[b], at[a]] = covariance
    return mean, loadings, omega
