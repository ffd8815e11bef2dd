"""Worlds with richer treatments: one of three arms with a dose, or one of many graphs.

The dose world is that of Bica et al. (2020, "SCIGAN", section 5), used by TransTEE on gene expression: any
positive covariates of unit length will do, so they are drawn here unless given. The graph world follows
Kaddour et al. (2021, "SIN", section 5): the outcome depends on the covariates and on two properties of
the assigned graph, its mean path length and its connectivity.

Where the papers are silent we chose: covariates of the dose world are log-normal; the weights of the
assignment of graphs are uniform on (0, 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import softmax

from suppose.core.random import generator
from suppose.datasets.semisynthetic import PotentialOutcomes, _refuse_unless, _split

__all__ = ["make_dosage", "make_graph_treatments"]


def make_dosage(
    n: int = 1_000,
    p: int = 25,
    *,
    test: int = 200,
    covariates: Float[np.ndarray, "n p"] | None = None,
    confounding: float = 2.0,
    dose_bias: float = 2.0,
    noise: float = 0.2,
    seed: int = 0,
) -> PotentialOutcomes:
    """Three arms, each with a dose in (0, 1), assigned with regard to what they would do.

    Parameters
    ----------
    n, p : int
        Rows and covariates; those of ``covariates`` where given.
    test : int
        Rows held out for testing.
    covariates : (n, p) array, optional
        Positive numbers; scaled to rows of unit length.
    confounding : float
        How much the arm depends on its outcome (kappa); 0 assigns by lot.
    dose_bias : float
        How much the dose leans to the best one (alpha); 1 draws it uniformly.
    noise : float
        Standard deviation of the outcome.
    seed : int

    Returns
    -------
    PotentialOutcomes
        Columns ``arm`` (0, 1, 2), ``dose``, ``y``, ``x1 ... xp``; oracle ``best_dose`` (n, 3).

    Raises
    ------
    DataError
        ``bad-generator-argument``.

    References
    ----------
    I. Bica, J. Jordon, M. van der Schaar, Estimating the Effects of Continuous-valued Interventions using
    Generative Adversarial Networks, NeurIPS 2020, section 5 and appendix.

    Examples
    --------
    >>> world = make_dosage(300, 5, test=100, seed=1)
    >>> world.frame["arm"].nunique(), world.potential(np.array([1.0]), np.array([0.5])).shape
    (3, (300, 1))
    """
    import pandas as pd

    rng = generator(seed, "dosage")
    x = rng.lognormal(size=(n, p)) if covariates is None else np.asarray(covariates, dtype=np.float64)
    n, p = x.shape
    _refuse_unless(bool(np.all(x >= 0)) and bool(np.all(x.sum(axis=1) > 0)), "covariates",
                   "rows of numbers that are not negative, none of zeros alone", "others")  # fmt: skip
    _refuse_unless(0 <= test < n, "test", f"a number of rows below {n:,}", test)
    _refuse_unless(dose_bias >= 1 and confounding >= 0 and noise >= 0, "dose_bias, confounding, noise",
                   "dose_bias at least 1 and the others not negative", (dose_bias, confounding, noise))  # fmt: skip
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    v = rng.uniform(0.0, 10.0, size=(3, 3, p))
    v /= np.linalg.norm(v, axis=2, keepdims=True)  # (arms, parts, p)

    def mean(x: np.ndarray, t: np.ndarray, dose: np.ndarray | None) -> np.ndarray:
        every = _dose_curves(np.einsum("kip,np->nki", v, x), np.repeat(np.asarray(dose)[:, None], 3, axis=1))
        return np.asarray(np.take_along_axis(every, t.astype(np.int64)[:, None], axis=1)[:, 0])

    parts = np.einsum("kip,np->nki", v, x)
    best = _best_doses(parts)
    inner = (best > 0.001) & (best < 1)
    tail = np.where(inner, (dose_bias - 1) / np.where(inner, best, 1.0) + 2 - dose_bias, 1.0)
    doses = rng.beta(dose_bias, tail)
    doses = np.where(best <= 0.001, 1 - doses, doses)
    outcomes = _dose_curves(parts, doses)  # (n, arms)
    odds = softmax(confounding * outcomes / outcomes.max(axis=1, keepdims=True), axis=1)
    arm = (rng.random((n, 1)) > odds.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    rows = np.arange(n)
    y = outcomes[rows, arm] + noise * rng.standard_normal(n)
    names = tuple(f"x{j}" for j in range(1, p + 1))
    columns = {"arm": arm.astype(np.float64), "dose": doses[rows, arm], "y": y}
    frame = pd.DataFrame({**columns, **dict(zip(names, x.T, strict=True))})
    return PotentialOutcomes(
        "make_dosage", frame, "arm", "y", names, _split(n, test, rng), mean, dose="dose",
        oracle={"best_dose": best, "propensity": odds},
    )  # fmt: skip


def _dose_curves(
    parts: Float[np.ndarray, "n 3 3"], dose: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "n 3"]:
    """Mean outcome of every arm at its dose; ``parts`` are the products v_ik x (n, arms, i)."""
    base, first, second = parts[:, :, 0], parts[:, :, 1], parts[:, :, 2]
    ratio, d = first / second, dose
    return 10 * np.stack(
        [
            base[:, 0] + 12 * d[:, 0] * (d[:, 0] - 0.75 * ratio[:, 0]) ** 2,
            base[:, 1] + np.sin(np.pi * d[:, 1] * ratio[:, 1]),
            base[:, 2] + 12 * (d[:, 2] * first[:, 2] - d[:, 2] ** 2 * second[:, 2]),
        ],
        axis=1,
    )


def _best_doses(parts: Float[np.ndarray, "n 3 3"]) -> Float[np.ndarray, "n 3"]:
    """The dose in [0, 1] at which each arm's outcome is highest, in closed form."""
    ratio = parts[:, :, 1] / parts[:, :, 2]
    turning = 0.75 * ratio[:, 0]
    # The cubic d (d - b)^2 peaks at b / 3 and exceeds that again beyond 4 b / 3.
    cubic = np.where(4 * turning / 3 >= 1, np.minimum(turning / 3, 1.0), 1.0)
    sine = np.minimum(1 / (2 * ratio[:, 1]), 1.0)
    square = np.minimum(ratio[:, 2] / 2, 1.0)
    return np.stack([cubic, sine, square], axis=1)


def make_graph_treatments(
    n: int = 1_500,
    graphs: int = 200,
    *,
    test: int = 500,
    p: int = 20,
    nodes: tuple[int, int] = (10, 120),
    bias: float = 10.0,
    seed: int = 0,
) -> PotentialOutcomes:
    """Every unit is given a small-world graph; what it does depends on the unit and on the graph.

    ``Y = 100 w0 x + 0.2 L^2 w1 x + kappa w2 x + noise``, with ``L`` the mean path length of the graph and
    ``kappa`` its node connectivity.

    Parameters
    ----------
    n, graphs, p : int
        Units, different graphs (Watts-Strogatz, connected), covariates (uniform on -1 to 1).
    test : int
        Units held out for testing.
    nodes : (int, int)
        Fewest and most nodes of a graph; at least 10.
    bias : float
        How much the graph depends on the covariates; 0 assigns by lot.
    seed : int

    Returns
    -------
    PotentialOutcomes
        Columns ``graph`` (number of the graph), ``y``, ``x1 ... xp``; ``graphs`` the networkx graphs;
        oracle ``propensity`` (n, graphs), ``path_length`` and ``connectivity`` (graphs,).

    Raises
    ------
    DataError
        ``bad-generator-argument``.

    References
    ----------
    J. Kaddour, Y. Zhu, Q. Liu, M. Kusner, R. Silva, Causal Effect Inference for Structured Treatments,
    NeurIPS 2021, section 5; Zhang et al., arXiv 2202.01336, section 5.

    Examples
    --------
    >>> world = make_graph_treatments(40, 5, test=10, nodes=(10, 14), seed=1)
    >>> len(world.graphs), world.potential(np.arange(5.0)).shape
    (5, (40, 5))
    """
    import pandas as pd

    _refuse_unless(10 <= nodes[0] <= nodes[1], "nodes", "at least 10 nodes, the fewest first", nodes)
    _refuse_unless(0 <= test < n and graphs >= 2, "n, test, graphs",
                   "test below n and at least 2 graphs", (n, test, graphs))  # fmt: skip
    rng = generator(seed, "graph-treatments")
    drawn = [_small_world(rng, nodes) for _ in range(graphs)]
    length, connectivity = np.array([_properties(graph) for graph in drawn]).T
    w = rng.random((3, p))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    x = rng.uniform(-1.0, 1.0, size=(n, p))

    def mean(x: np.ndarray, t: np.ndarray, dose: np.ndarray | None) -> np.ndarray:
        which = t.astype(np.int64)
        flat = 100 * (x @ w[0]) + 0.2 * length[which] ** 2 * (x @ w[1]) + connectivity[which] * (x @ w[2])
        return np.asarray(flat)

    odds = softmax(bias * (x**2) @ rng.random((p, graphs)), axis=1)
    assigned = (rng.random((n, 1)) > odds.cumsum(axis=1)).sum(axis=1).clip(0, graphs - 1).astype(np.float64)
    y = mean(x, assigned, None) + rng.standard_normal(n)
    names = tuple(f"x{j}" for j in range(1, p + 1))
    frame = pd.DataFrame({"graph": assigned, "y": y, **dict(zip(names, x.T, strict=True))})
    return PotentialOutcomes(
        "make_graph_treatments", frame, "graph", "y", names, _split(n, test, rng), mean, graphs=tuple(drawn),
        oracle={"propensity": odds, "path_length": length, "connectivity": connectivity},
    )  # fmt: skip


def _small_world(rng: np.random.Generator, nodes: tuple[int, int]) -> Any:
    import networkx as nx

    size, ring = int(rng.integers(nodes[0], nodes[1] + 1)), int(rng.integers(3, 8))
    seed = int(rng.integers(2**31))
    return nx.connected_watts_strogatz_graph(size, ring, float(rng.uniform(0.1, 1.0)), tries=1_000, seed=seed)


def _properties(graph: Any) -> tuple[float, float]:
    """Mean path length and node connectivity."""
    import networkx as nx

    return float(nx.average_shortest_path_length(graph)), float(nx.node_connectivity(graph))
