"""Random causal worlds with known graphs: what searches for structure are tried on.

:func:`random_dag` draws graphs of three families: each pair with one probability (Erdos and Renyi 1959), preferential
attachment (Barabasi and Albert 1999), or a fixed number of causes per node. :func:`random_sem` puts a
structural equation ``x = f(causes) + noise`` on each node, linear or a sum of smooth curves, with Gaussian, uniform,
Laplace or exponential noise of mean 0 and variance 1.

In raw linear worlds variances grow along the arrows and give the order away (Reisach, Seiler and Weichwald 2021);
``standardised=True`` divides each variable by its spread as it is made, so that downstream equations see
standardised causes. What it does not do: time, feedback, discrete nodes (see the networks of the graphs room).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from suppose.core.errors import DataError, nearest
from suppose.core.random import generator
from suppose.graphs.dag import DAG

__all__ = ["RandomSEM", "random_dag", "random_sem"]

FAMILIES = ("erdos-renyi", "scale-free", "fixed")
NOISES = ("gaussian", "uniform", "laplace", "exponential")
FORMS = ("linear", "curved")


def random_dag(
    nodes: int, degree: float = 3.0, *, family: str = "erdos-renyi", latent: int = 0, seed: int = 0
) -> DAG:
    """Random DAG on nodes named ``v0`` and up; the names say nothing of the order of causes.

    Parameters
    ----------
    nodes : int
        Nodes, latent ones included.
    degree : float
        Mean number of edges per node.
    family : {"erdos-renyi", "scale-free", "fixed"}
    latent : int
        How many nodes are marked as not measured, drawn at random.
    seed : int

    Raises
    ------
    DataError
        ``bad-generator-argument``, ``unknown-choice``.

    Examples
    --------
    >>> dag = random_dag(100, 3.0, seed=1)
    >>> len(dag), 100 < len(dag.directed) < 200
    (100, True)
    """
    _check(family, FAMILIES, "family")
    if nodes < 1 or not 0 <= degree <= max(nodes - 1, 0) or not 0 <= latent <= nodes:
        raise DataError(
            "bad-generator-argument", f"expected at least 1 node, a degree from 0 to nodes - 1 and no more latent "
            f"nodes than nodes, got nodes = {nodes}, degree = {degree}, latent = {latent}", where="nodes, degree",
            remedy="Write for example nodes = 20, degree = 3.",
        )  # fmt: skip
    random = generator(seed, "random-dag", family, nodes)
    upper = _family(nodes, degree, family, random)
    width = len(str(nodes - 1))
    names = [f"v{place:0{width}d}" for place in random.permutation(nodes)]
    edges = [(names[i], names[j]) for i, j in np.argwhere(upper)]
    hidden = [names[i] for i in sorted(random.permutation(nodes)[:latent])]
    return DAG.from_edges(edges, nodes=sorted(names), latent=hidden)


def _family(nodes: int, degree: float, family: str, random: np.random.Generator) -> np.ndarray:
    """Upper triangular matrix of arrows."""
    upper = np.zeros((nodes, nodes), dtype=bool)
    if family == "erdos-renyi":
        share = degree / max(nodes - 1, 1)
        drawn: np.ndarray = np.triu(random.random((nodes, nodes)) < share, 1)
        return drawn
    each = max(round(degree / 2), 1) if degree else 0
    weight = np.ones(nodes)
    for j in range(1, nodes):
        count = min(each, j)
        if family == "fixed":
            chosen = random.permutation(j)[:count]
        else:
            chosen = random.choice(j, size=count, replace=False, p=weight[:j] / weight[:j].sum())
        upper[chosen, j] = True
        weight[chosen] += 1
        weight[j] += count
    return upper


@dataclass(frozen=True)
class RandomSEM:
    """A structural model with additive noise on a known graph.

    Attributes
    ----------
    dag : DAG
    weights : (p, p) float
        Weight of each arrow, row = cause, in the order of ``dag.nodes``.
    form : str
        ``linear`` or ``curved``.
    noise : str
    standardised : bool
    seed : int
        Fixes the curves.
    """

    dag: DAG
    weights: Float[np.ndarray, "p p"]
    form: str
    noise: str
    standardised: bool
    seed: int

    def sample(self, rows: int, *, do: Mapping[str, float] | None = None, seed: int = 0) -> Any:
        """Rows as a pandas table of the measured nodes, after setting those of ``do``.

        Raises
        ------
        GraphError
            ``unknown-node``.
        DataError
            ``bad-generator-argument`` for fewer than one row.
        """
        import pandas as pd

        if rows < 1:
            raise DataError(
                "bad-generator-argument", f"expected at least 1 row, got {rows}", where="rows",
                remedy="Write for example rows = 1000.",
            )  # fmt: skip
        fixed = {self.dag.ids(name)[0]: float(value) for name, value in (do or {}).items()}
        X = np.empty((rows, len(self.dag)))
        for name in self.dag.order:
            k = self.dag.ids(name)[0]
            if k in fixed:
                X[:, k] = fixed[k]
                continue
            X[:, k] = _noise(self.noise, rows, generator(seed, "noise", name))
            for cause in np.flatnonzero(self.weights[:, k]):
                X[:, k] += self.weights[cause, k] * self._form(X[:, cause], int(cause), k)
            if self.standardised:
                X[:, k] /= self._spreads()[k]
        shown = [self.dag.ids(name)[0] for name in self.dag.observed]
        return pd.DataFrame(X[:, shown], columns=list(self.dag.observed))

    def _form(self, values: np.ndarray, cause: int, effect: int) -> np.ndarray:
        if self.form == "linear":
            return values
        random = generator(self.seed, "curve", cause, effect)
        slope, shift, size = (
            random.uniform(0.8, 2.0, 3),
            random.uniform(-1.5, 1.5, 3),
            random.uniform(-1, 1, 3),
        )
        curve: np.ndarray = np.tanh(values[:, None] * slope + shift) @ size + 0.5 * np.sin(values * slope[0])
        return curve

    def _spreads(self) -> np.ndarray:
        """Spread of each node as its equation makes it, from the causes standardised: exact when linear."""
        known = self.__dict__.get("_known")
        if known is None:
            known = self._exact() if self.form == "linear" else self._drawn()
            object.__setattr__(self, "_known", known)
        return np.asarray(known)

    def _exact(self) -> np.ndarray:
        p = len(self.dag)
        spread, covariance = np.ones(p), np.zeros((p, p))
        done: list[int] = []
        for name in self.dag.order:
            k = self.dag.ids(name)[0]
            w = self.weights[:, k]
            spread[k] = np.sqrt(w @ covariance @ w + 1)
            covariance[k, done] = covariance[done, k] = (w @ covariance)[done] / spread[k]
            covariance[k, k] = 1.0
            done.append(k)
        return spread

    def _drawn(self) -> np.ndarray:
        rows, p = 20_000, len(self.dag)
        X, spread = np.zeros((rows, p)), np.ones(p)
        for name in self.dag.order:
            k = self.dag.ids(name)[0]
            X[:, k] = _noise(self.noise, rows, generator(self.seed, "spread", name))
            for cause in np.flatnonzero(self.weights[:, k]):
                X[:, k] += self.weights[cause, k] * self._form(X[:, cause], int(cause), k)
            spread[k] = X[:, k].std()
            X[:, k] /= spread[k]
        return spread

    def __str__(self) -> str:
        kind = "standardised " if self.standardised else ""
        return (
            f"{kind}{self.form} world of {len(self.dag)} variables and {len(self.dag.directed)} arrows, "
            f"{self.noise} noise"
        )


def random_sem(
    dag: DAG,
    *,
    form: str = "linear",
    noise: str = "gaussian",
    weights: tuple[float, float] = (0.3, 1.0),
    standardised: bool = False,
    seed: int = 0,
) -> RandomSEM:
    """Random structural model on a graph; absolute weights uniform between two numbers, signs by coin.

    Raises
    ------
    DataError
        ``unknown-choice`` for a form or noise that is none.

    Examples
    --------
    >>> world = random_sem(DAG("a -> b -> c"), standardised=True, seed=1)
    >>> print(world)
    standardised linear world of 3 variables and 2 arrows, gaussian noise
    >>> bool((world.sample(20_000, seed=2).std() - 1).abs().max() < 0.03)
    True
    """
    _check(form, FORMS, "form")
    _check(noise, NOISES, "noise")
    random = generator(seed, "random-sem")
    p = len(dag)
    size = random.uniform(*weights, (p, p)) * random.choice([-1.0, 1.0], (p, p))
    arrows = np.zeros((p, p), dtype=bool)
    for a, b in dag.directed:
        arrows[dag.ids(a)[0], dag.ids(b)[0]] = True
    return RandomSEM(dag, np.where(arrows, size, 0.0), form, noise, standardised, seed)


def _noise(law: str, rows: int, random: np.random.Generator) -> np.ndarray:
    if law == "gaussian":
        return random.standard_normal(rows)
    if law == "uniform":
        return random.uniform(-np.sqrt(3), np.sqrt(3), rows)
    if law == "laplace":
        return random.laplace(0, np.sqrt(0.5), rows)
    return random.exponential(1.0, rows) - 1


def _check(value: str, choices: tuple[str, ...], where: str) -> None:
    if value not in choices:
        raise DataError(
            "unknown-choice", f"expected one of {', '.join(choices)}, got {value!r}", where=where,
            remedy=nearest(str(value), choices) or "Choose one of these.",
        )  # fmt: skip
