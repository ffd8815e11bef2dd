"""Numbers of a network learned from observations or from somebody's responses.

The posterior mode (MAP) is found by L-BFGS-B with exact gradients from several starts, on the unbounded scale of
:mod:`suppose.worlds.beliefs.priors`; the covariance there is the inverse of the negative Hessian (Laplace), taken from
differences of exact gradients. :func:`fit_subjects` does so for many people at once.

What it does not do: sample the posterior. Where the posterior is far from Gaussian the intervals are rough; the
record says whether the Hessian was positive definite. A direction the data say nothing on keeps its prior.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize
from scipy.stats import norm

from suppose.core.errors import DataError, EstimationError, StudyError
from suppose.core.figures import forest
from suppose.core.parallel import parallel_map
from suppose.core.random import check_seed, generator
from suppose.worlds.beliefs.network import BeliefNetwork
from suppose.worlds.beliefs.priors import Prior, Scale
from suppose.worlds.beliefs.trajectory import Likelihood

__all__ = ["BeliefFit", "Posterior", "fit_beliefs", "fit_subjects"]

WORST = 1e10  # what the optimiser sees where the filter diverges
REACH = 8.0  # prior standard deviations the optimiser may go


class Posterior:
    """Log posterior of the free numbers on the fitted scale: what optimisers and samplers work with.

    Parameters
    ----------
    likelihood : Likelihood
    priors : mapping, optional
        :class:`~suppose.worlds.beliefs.priors.Prior` by name.

    Examples
    --------
    >>> from suppose.worlds.beliefs import HGF
    >>> target = Posterior(Likelihood(HGF(2, "binary"), [1, 0, 1, 1], free=["x1.omega"]))
    >>> value, slope = target.value_and_gradient(np.array([-3.0]))
    >>> slope.shape
    (1,)
    """

    def __init__(self, likelihood: Likelihood, priors: Mapping[str, Prior] | None = None) -> None:
        if not likelihood.free:
            raise StudyError(
                "nothing-free", "expected at least one free number, got none", where="free",
                remedy="Name numbers to fit, for example free=['x1.omega'].",
            )  # fmt: skip
        self.likelihood = likelihood
        self.start = likelihood.network.vector()[[likelihood.network.slot(name) for name in likelihood.free]]
        self.scale = Scale(likelihood.free, self.start.tolist(), priors)

    def value_and_gradient(self, z: Float[np.ndarray, " free"]) -> tuple[float, Float[np.ndarray, " free"]]:
        """Log posterior, up to the constant of the evidence, and its derivatives at ``z``."""
        value, slope = self.likelihood.value_and_gradient(self.scale.back(z))
        prior, pull = self.scale.log_prior(z)
        return value + prior, slope * self.scale.slope(z) + pull

    def hessian(self, z: Float[np.ndarray, " free"]) -> Float[np.ndarray, "free free"]:
        """Second derivatives of minus the log posterior, by central differences of gradients."""
        rows = []
        for place in range(len(z)):
            step = np.zeros(len(z))
            step[place] = 1e-4 * max(self.scale.sd[place], 1e-2)
            above, below = self.value_and_gradient(z + step)[1], self.value_and_gradient(z - step)[1]
            rows.append((below - above) / (2 * step[place]))
        whole = np.array(rows)
        return np.asarray(0.5 * (whole + whole.T))


@dataclasses.dataclass(frozen=True)
class BeliefFit:
    """Numbers of one fit.

    Attributes
    ----------
    network : BeliefNetwork
        With the numbers at the mode.
    names : tuple of str
        Free numbers.
    estimate, low, high : (free,) array
        Mode and interval on the numbers' own scale.
    z, covariance : (free,) and (free, free) array
        Mode and Laplace covariance on the fitted scale.
    level : float
        Coverage of the interval.
    log_likelihood, log_posterior, log_evidence : float
        At the mode; the evidence by Laplace's approximation.
    n : int
        Observations or responses that were scored.
    curved : bool
        Whether the Hessian was positive definite; where it is not, the covariance rests on its absolute curvature.
    at_edge : tuple of str
        Free numbers that ended at the edge of the search, eight prior standard deviations from the prior mean.
    """

    network: BeliefNetwork
    names: tuple[str, ...]
    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    z: np.ndarray
    covariance: np.ndarray
    level: float
    log_likelihood: float
    log_posterior: float
    log_evidence: float
    n: int
    curved: bool
    at_edge: tuple[str, ...]

    @property
    def theta(self) -> dict[str, float]:
        """The mode, by name."""
        return {name: float(value) for name, value in zip(self.names, self.estimate, strict=True)}

    @property
    def bic(self) -> float:
        """Bayesian information criterion; less is better."""
        return len(self.names) * math.log(self.n) - 2 * self.log_likelihood

    def to_frame(self) -> Any:
        """One row per free number, as a pandas frame."""
        import pandas as pd

        return pd.DataFrame(
            {"number": self.names, "estimate": self.estimate, "low": self.low, "high": self.high}
        )

    def plot(self, ax: Any = None) -> Any:
        """Estimates with their intervals."""
        rows = list(zip(self.names, self.estimate, self.low, self.high, strict=True))
        return forest([(n, float(e), float(a), float(b)) for n, e, a, b in rows], reference=None, ax=ax)

    def __str__(self) -> str:
        parts = [
            f"{name} {e:.3g} [{a:.3g}, {b:.3g}]"
            for name, e, a, b in zip(self.names, self.estimate, self.low, self.high, strict=True)
        ]
        return f"BeliefFit of {self.n:,} terms: {'; '.join(parts)}; log likelihood {self.log_likelihood:.2f}"


def fit_beliefs(
    network: BeliefNetwork,
    u: Any,
    y: Any = None,
    *,
    free: Sequence[str],
    response: str = "first_level",
    priors: Mapping[str, Prior] | None = None,
    dt: Any = None,
    observed: Any = None,
    starts: int = 4,
    level: float = 0.95,
    seed: int = 0,
) -> BeliefFit:
    """Posterior mode of free numbers, with Laplace intervals.

    Parameters
    ----------
    network : BeliefNetwork
        Its numbers are the first start and the centre of default priors.
    u, y, dt, observed, response
        See :class:`~suppose.worlds.beliefs.Likelihood`.
    free : sequence of str
        Numbers to fit.
    priors : mapping, optional
        :class:`~suppose.worlds.beliefs.priors.Prior` by name.
    starts : int
        Searches: from the network's own numbers, then from draws of the priors.
    level : float
        Coverage of intervals.
    seed : int
        Of the draws.

    Raises
    ------
    DataError, GraphError, StudyError
        For what cannot be used.
    EstimationError
        Where the filter diverges at every start.

    Examples
    --------
    >>> from suppose.worlds.beliefs import HGF
    >>> walk = np.cumsum(np.random.default_rng(1).normal(scale=0.2, size=300))
    >>> fit = fit_beliefs(HGF(1, x1_omega=-1.0), walk, free=["x1.omega"])
    >>> bool(fit.low[0] < 2 * math.log(0.2) < fit.high[0])
    True
    """
    target = Posterior(
        Likelihood(network, u, free=free, response=response, y=y, dt=dt, observed=observed), priors
    )
    _check_level(level)
    best = _search(target, starts, check_seed(seed))
    return _record(target, best, level)


def _check_level(level: Any) -> None:
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0 < level < 1:
        raise EstimationError(
            "bad-level", f"expected a share between 0 and 1, got {level!r}", where="level",
            remedy="Write level=0.95 for a 95% interval.",
        )  # fmt: skip


def _search(target: Posterior, starts: int, seed: int) -> np.ndarray:
    scale = target.scale
    if isinstance(starts, bool) or not isinstance(starts, int) or starts < 1:
        raise StudyError(
            "bad-starts", f"expected a whole number from 1, got {starts!r}", where="starts",
            remedy="Write starts=4.",
        )  # fmt: skip

    def loss(z: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = target.value_and_gradient(z)
        if not (math.isfinite(value) and np.all(np.isfinite(slope))):
            return WORST, np.zeros(len(z))
        return -value, -slope

    rng = generator(seed, "belief starts")
    points = [scale.forth(target.start)]
    points += [scale.mean + 0.5 * scale.sd * rng.normal(size=len(scale.mean)) for _ in range(starts - 1)]
    bounds = list(zip(scale.mean - REACH * scale.sd, scale.mean + REACH * scale.sd, strict=True))
    found = [minimize(loss, point, jac=True, method="L-BFGS-B", bounds=bounds) for point in points]
    best = min(found, key=lambda result: float(result.fun))
    if best.fun >= WORST:
        raise EstimationError(
            "no-finite-start", f"the filter diverges at each of {starts} starts", where="fit",
            remedy="Write update='unbounded', or give numbers nearer to the data's size.",
        )  # fmt: skip
    return np.asarray(best.x, dtype=np.float64)


def _record(target: Posterior, z: np.ndarray, level: float) -> BeliefFit:
    scale, likelihood = target.scale, target.likelihood
    hessian = target.hessian(z)
    curved = False
    if np.all(np.isfinite(hessian)):
        values, vectors = np.linalg.eigh(hessian)
        curved = bool(values.min() > 0)
    else:
        values, vectors = 1.0 / scale.sd**2, np.eye(len(z))
    values = np.maximum(np.abs(values), 1e-12)
    covariance = (vectors / values) @ vectors.T
    half = float(norm.ppf(0.5 + level / 2)) * np.sqrt(np.diag(covariance))
    theta = scale.back(z)
    log_likelihood, log_posterior = likelihood.value(theta), target.value_and_gradient(z)[0]
    edge = np.abs(z - scale.mean) >= REACH * scale.sd * (1 - 1e-9)
    return BeliefFit(
        network=likelihood.network.with_values(dict(zip(likelihood.free, theta.tolist(), strict=True))),
        names=likelihood.free, estimate=theta, low=scale.back(z - half), high=scale.back(z + half),
        z=z, covariance=covariance, level=float(level), log_likelihood=log_likelihood, log_posterior=log_posterior,
        log_evidence=log_posterior + 0.5 * len(z) * math.log(2 * math.pi) - 0.5 * float(np.log(values).sum()),
        n=likelihood.terms, curved=curved,
        at_edge=tuple(name for name, out in zip(likelihood.free, edge, strict=True) if out),
    )  # fmt: skip


def _one(
    network: BeliefNetwork, u: Any, y: Any, dt: Any, observed: Any, settings: dict[str, Any]
) -> BeliefFit:
    return fit_beliefs(network, u, y, dt=dt, observed=observed, **settings)


def fit_subjects(
    network: BeliefNetwork,
    u: Any,
    y: Any = None,
    *,
    dt: Any = None,
    observed: Any = None,
    jobs: int | None = None,
    backend: str = "loky",
    **settings: Any,
) -> list[BeliefFit]:
    """:func:`fit_beliefs` for many people, each with a sequence of their own.

    Parameters
    ----------
    network : BeliefNetwork
        The same for all.
    u, y, dt, observed : sequences of arrays, or arrays (people, steps)
        One entry per person.
    jobs, backend
        See :func:`suppose.core.parallel.parallel_map`; figures do not depend on them.
    **settings
        Other arguments of :func:`fit_beliefs`.

    Raises
    ------
    DataError
        When sequences hold different numbers of people; otherwise as :func:`fit_beliefs`.

    Examples
    --------
    >>> from suppose.worlds.beliefs import HGF
    >>> coins = np.random.default_rng(0).integers(0, 2, size=(2, 40))
    >>> fits = fit_subjects(HGF(1, "binary"), coins, free=["x1.omega"], starts=1)
    >>> len(fits)
    2
    """
    others = [[None] * len(u) if part is None else list(part) for part in (y, dt, observed)]
    if any(len(part) != len(u) for part in others):
        raise DataError(
            "subjects-differ", f"expected entries for {len(u)} people, got {', '.join(str(len(p)) for p in others)}",
            where="y, dt, observed", remedy="Give one entry per person in each.",
        )  # fmt: skip
    tasks = [(network, u[k], *(part[k] for part in others), settings) for k in range(len(u))]
    return parallel_map(_one, tasks, jobs=jobs, backend=backend, label="fitting people")
