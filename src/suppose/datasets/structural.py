"""Data from a drawn graph: a linear Gaussian structural model with known total effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float

from suppose.core.errors import DataError, GraphError
from suppose.core.random import generator

__all__ = ["SimulatedGraph", "make_graph_data"]


@dataclass(frozen=True)
class SimulatedGraph:
    """Data drawn from a linear Gaussian structural model, and the model itself.

    Attributes
    ----------
    frame : pandas.DataFrame
        One column per variable, in causal order.
    truth : Mapping[str, float]
        Total effect of every variable on each of its descendants, such as ``{"a -> c": 0.5}``: the change
        of ``c``, in its units, when ``a`` is set one unit higher.
    coefficients : pandas.DataFrame
        Direct effects, row = effect, column = cause.
    covariance : pandas.DataFrame
        The covariance the model implies.
    """

    frame: Any
    truth: Mapping[str, float]
    coefficients: Any
    covariance: Any

    def to_frame(self) -> Any:
        """The total effects, one row each, as a pandas DataFrame."""
        import pandas as pd

        pairs = [name.split(" -> ") for name in self.truth]
        return pd.DataFrame(
            {
                "cause": [pair[0] for pair in pairs],
                "effect": [pair[1] for pair in pairs],
                "total_effect": list(self.truth.values()),
            }
        )

    def __str__(self) -> str:
        effects = ", ".join(f"{name} {value:.3g}" for name, value in self.truth.items())
        return (
            f"{len(self.frame):,} rows of {', '.join(map(str, self.frame.columns))}; total effects: {effects}"
        )


def make_graph_data(
    edges: Mapping[tuple[str, str], float] | Iterable[tuple[str, ...]],
    n: int = 1_000,
    *,
    bidirected: Iterable[tuple[str, str]] = (),
    noise: float = 1.0,
    seed: int = 0,
) -> SimulatedGraph:
    """Draw from the linear Gaussian model ``v = B v + e`` of a directed acyclic graph.

    Parameters
    ----------
    edges : mapping from (cause, effect) to coefficient, or iterable of (cause, effect)
        The arrows. Without coefficients each is drawn from ``[-1.5, -0.5]`` and ``[0.5, 1.5]``.
    n : int
        Rows.
    bidirected : iterable of (name, name)
        Pairs with a common cause nobody measured; it is standard normal and enters both with weight 1.
    noise : float
        Standard deviation of each ``e``.
    seed : int
        Seed of the draw.

    Returns
    -------
    SimulatedGraph
        The data, the coefficients, the implied covariance and all total effects, ``(I - B)^-1``.

    Raises
    ------
    GraphError
        ``graph-cycle`` when the arrows go round; ``self-loop``; ``empty-graph``; ``bad-edge``.
    DataError
        ``bad-generator-argument``.

    References
    ----------
    K. Bollen, Structural Equations with Latent Variables (1989), equations (4.32) and (8.65).

    Examples
    --------
    >>> chain = make_graph_data({("a", "b"): 2.0, ("b", "c"): 0.5, ("a", "c"): -1.0}, n=100, seed=1)
    >>> print(chain)
    100 rows of a, b, c; total effects: a -> b 2, a -> c 0, b -> c 0.5
    """
    if n < 2:
        raise DataError(
            "bad-generator-argument", f"expected at least 2 rows, got {n!r}", where="argument 'n'"
        )
    pairs, hidden = [tuple(edge) for edge in edges], [tuple(pair) for pair in bidirected]
    names = _causal_order(pairs, hidden)
    place = {name: position for position, name in enumerate(names)}
    random = generator(seed, "make_graph_data")
    drawn = random.uniform(0.5, 1.5, len(pairs)) * random.choice([-1.0, 1.0], len(pairs))
    given = list(edges.values()) if isinstance(edges, Mapping) else drawn
    b = np.zeros((len(names), len(names)))  # (effect, cause)
    for (cause, effect), weight in zip(pairs, given, strict=True):
        b[place[effect], place[cause]] = weight
    loadings = np.zeros((len(names), len(hidden)))
    for column, (first, second) in enumerate(hidden):
        loadings[[place[first], place[second]], column] = 1.0
    total = np.linalg.inv(np.eye(len(names)) - b)
    shocks = noise * random.standard_normal((n, len(names)))
    shocks += random.standard_normal((n, len(hidden))) @ loadings.T
    covariance = total @ (noise**2 * np.eye(len(names)) + loadings @ loadings.T) @ total.T
    return _record(names, shocks @ total.T, b, total, covariance)


def _record(
    names: list[str],
    values: Float[np.ndarray, "n v"],
    b: Float[np.ndarray, "v v"],
    total: Float[np.ndarray, "v v"],
    covariance: Float[np.ndarray, "v v"],
) -> SimulatedGraph:
    import pandas as pd

    reached = b != 0  # (effect, cause); rows are in causal order, so each row's causes are complete
    for effect in range(len(names)):
        reached[effect] |= reached[reached[effect]].any(axis=0)
    truth = {
        f"{names[cause]} -> {names[effect]}": float(total[effect, cause])
        for cause in range(len(names))
        for effect in range(len(names))
        if cause != effect and reached[effect, cause]
    }
    return SimulatedGraph(
        frame=pd.DataFrame(values, columns=names),
        truth=MappingProxyType(truth),
        coefficients=pd.DataFrame(b, index=names, columns=names),
        covariance=pd.DataFrame(covariance, index=names, columns=names),
    )


def _causal_order(pairs: list[tuple[Any, ...]], hidden: list[tuple[Any, ...]]) -> list[str]:
    """Names so that causes come first, ties in order of first mention."""
    for edge in (*pairs, *hidden):
        if len(edge) != 2:
            raise GraphError("bad-edge", f"expected (cause, effect), got {edge!r}", where="argument 'edges'")
        if edge[0] == edge[1]:
            raise GraphError("self-loop", "a variable cannot cause itself", where=f"variable {edge[0]!r}")
    waiting = {str(name): {a for a, b in pairs if b == name} for edge in (*pairs, *hidden) for name in edge}
    if not waiting:
        raise GraphError("empty-graph", "expected at least one edge, got none", where="argument 'edges'")
    order: list[str] = []
    while waiting:
        ready = [name for name, causes in waiting.items() if causes.isdisjoint(waiting)]
        if not ready:
            raise GraphError(
                "graph-cycle", f"the arrows among {', '.join(sorted(waiting))} go round", where="argument 'edges'",
                remedy="Remove or turn one of them.",
            )  # fmt: skip
        order.extend(ready)
        waiting = {name: causes for name, causes in waiting.items() if name not in ready}
    return order
