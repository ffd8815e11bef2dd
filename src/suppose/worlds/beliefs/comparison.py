"""Which account of somebody's choices, or of a series, is the likeliest: networks beside simpler learners.

Accounts are compared by their Laplace evidence (and BIC). A Kalman filter is the network ``HGF(1)``; a
Rescorla-Wagner learner, ``v <- v + a (u - v)`` with softmax choices, is fitted here. An evidence by Laplace rests on
the priors and on a nearly Gaussian posterior; differences of less than two or so say nothing.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize
from scipy.signal import lfilter
from scipy.special import expit, logsumexp

from suppose.core.errors import DataError, StudyError

__all__ = ["Comparison", "RescorlaWagnerFit", "compare", "fit_rescorla_wagner", "rescorla_wagner"]

START, EDGE = 0.5, 1e-6


@runtime_checkable
class Account(Protocol):
    """What is compared."""

    log_likelihood: float
    log_evidence: float
    n: int

    @property
    def bic(self) -> float:
        """Bayesian information criterion."""
        ...


def rescorla_wagner(u: Float[np.ndarray, " steps"], rate: float) -> Float[np.ndarray, " steps"]:
    """Value before each outcome, from 0.5.

    Examples
    --------
    >>> rescorla_wagner(np.array([1.0, 1.0, 0.0]), 0.5)
    array([0.5  , 0.75 , 0.875])
    """
    before = np.r_[START, u[:-1]]
    weights = np.r_[1.0, np.full(len(u) - 1, rate)]
    return np.asarray(lfilter([1.0], [1.0, rate - 1.0], before * weights))


@dataclasses.dataclass(frozen=True)
class RescorlaWagnerFit:
    """A fitted Rescorla-Wagner learner with softmax choices.

    Attributes
    ----------
    rate, beta : float
        Learning rate (0 to 1) and inverse temperature, at the posterior mode.
    log_likelihood, log_evidence : float
    n : int
        Choices that were scored.
    """

    rate: float
    beta: float
    log_likelihood: float
    log_evidence: float
    n: int

    @property
    def bic(self) -> float:
        """Bayesian information criterion; less is better."""
        return 2 * math.log(self.n) - 2 * self.log_likelihood

    def __str__(self) -> str:
        return f"Rescorla-Wagner: rate {self.rate:.3g}, beta {self.beta:.3g}; log likelihood {self.log_likelihood:.2f}"


def fit_rescorla_wagner(u: Any, y: Any) -> RescorlaWagnerFit:
    """Fit learning rate and inverse temperature to choices.

    The priors are Gaussian: logit rate around -1 with sd 1.5, log beta around 0 with sd 1.

    Parameters
    ----------
    u, y : (steps,) array
        Outcomes and choices, 0 and 1; NaN where there was no choice.

    Raises
    ------
    DataError
        For other values or lengths.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> u = (rng.random(400) < 0.7).astype(float)
    >>> v = rescorla_wagner(u, 0.2)
    >>> y = (rng.random(400) < v).astype(float)
    >>> bool(fit_rescorla_wagner(u, y).beta > 0.3)
    True
    """
    outcome, choice = np.asarray(u, dtype=np.float64).ravel(), np.asarray(y, dtype=np.float64).ravel()
    made = np.isfinite(choice)
    if (
        len(outcome) != len(choice)
        or not np.isin(outcome, (0, 1)).all()
        or not np.isin(choice[made], (0, 1)).all()
    ):
        raise DataError(
            "bad-choices", f"expected outcomes and choices of 0 and 1, got {len(outcome)} and {len(choice)} values",
            where="u, y", remedy="Code both 0 and 1, one choice per outcome, NaN where there was none.",
        )  # fmt: skip

    def log_likelihood(z: np.ndarray) -> float:
        v = np.clip(rescorla_wagner(outcome, float(expit(z[0]))), EDGE, 1 - EDGE)[made]
        logit = math.exp(min(z[1], 50.0)) * (np.log(v) - np.log1p(-v))
        return -float(np.logaddexp(0.0, np.where(choice[made] == 1, -logit, logit)).sum())

    def loss(z: np.ndarray) -> float:
        return float(-log_likelihood(z) + 0.5 * ((z[0] + 1) / 1.5) ** 2 + 0.5 * z[1] ** 2)

    found = [minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9}) for start in
             ([-1.0, 0.0], [1.0, 0.0], [-3.0, 1.0])]  # fmt: skip
    z = min(found, key=lambda result: float(result.fun)).x
    hessian = _hessian(loss, z)
    log_prior = -loss(z) - log_likelihood(z) - math.log(1.5) - math.log(2 * math.pi)
    determinant = max(float(np.linalg.det(hessian)), 1e-12)
    evidence = log_likelihood(z) + log_prior + math.log(2 * math.pi) - 0.5 * math.log(determinant)
    return RescorlaWagnerFit(float(expit(z[0])), math.exp(z[1]), log_likelihood(z), evidence, int(made.sum()))


def _hessian(loss: Any, z: np.ndarray) -> np.ndarray:
    h, n = 1e-3, len(z)
    unit = np.eye(n) * h
    out = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            out[i, j] = (
                loss(z + unit[i] + unit[j]) - loss(z + unit[i] - unit[j]) - loss(z - unit[i] + unit[j])
                + loss(z - unit[i] - unit[j])
            ) / (4 * h * h)  # fmt: skip
    return out


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Accounts of the same data, the likeliest first.

    Attributes
    ----------
    names : tuple of str
    log_likelihood, bic, log_evidence, probability : (accounts,) array
        ``probability`` of each account, all held equally likely before.
    """

    names: tuple[str, ...]
    log_likelihood: np.ndarray
    bic: np.ndarray
    log_evidence: np.ndarray
    probability: np.ndarray

    def to_frame(self) -> Any:
        """One row per account, as a pandas frame."""
        import pandas as pd

        return pd.DataFrame({
            "account": self.names, "log_likelihood": self.log_likelihood, "bic": self.bic,
            "log_evidence": self.log_evidence, "probability": self.probability,
        })  # fmt: skip

    def __str__(self) -> str:
        rows = [
            f"{name}: log evidence {e:.2f}, probability {p:.3f}"
            for name, e, p in zip(self.names, self.log_evidence, self.probability, strict=True)
        ]
        return "Comparison of accounts: " + "; ".join(rows)


def compare(accounts: Mapping[str, Account]) -> Comparison:
    """Compare fits to the same data.

    Raises
    ------
    StudyError
        For fewer than two accounts, or accounts that scored different numbers of terms.

    Examples
    --------
    >>> a = RescorlaWagnerFit(0.2, 1.0, -100.0, -103.0, 150)
    >>> b = RescorlaWagnerFit(0.2, 1.0, -101.0, -105.0, 150)
    >>> compare({"first": a, "second": b}).probability.round(3)
    array([0.881, 0.119])
    """
    counts = sorted({account.n for account in accounts.values()})
    if len(accounts) < 2 or len(counts) > 1:
        raise StudyError(
            "not-comparable", f"expected two or more accounts of the same data, got {len(accounts)} of "
            f"{', '.join(map(str, counts)) or 'no'} terms", where="compare",
            remedy="Fit each account to the same observations or responses.",
        )  # fmt: skip
    ranked = sorted(accounts.items(), key=lambda item: -item[1].log_evidence)
    evidence = np.array([account.log_evidence for _, account in ranked])
    return Comparison(
        tuple(name for name, _ in ranked), np.array([a.log_likelihood for _, a in ranked]),
        np.array([a.bic for _, a in ranked]), evidence, np.exp(evidence - logsumexp(evidence)),
    )  # fmt: skip
