"""What a causal graph says a table must look like: the conditional independences it implies.

For every two measured nodes without an edge that some set of measured nodes separates, one smallest such set
is given (a minimum vertex cut, :mod:`suppose.graphs.separators`). Two nodes that nothing separates although
no edge joins them are told as well: their relation to the rest is constrained in other ways at most.

It does not list every independence (the others follow from these in a graph without hidden causes), nor the
equality constraints of hidden causes that are no independences (Verma & Pearl 1990).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

from suppose.graphs.dag import DAG, check_graph
from suppose.graphs.listing import Listing, check_limit
from suppose.graphs.notation import quote
from suppose.graphs.separators import Hubs, bits

__all__ = ["Implication", "Implications", "implied_independences"]


@dataclass(frozen=True)
class Implication:
    """``first`` and ``second`` are independent given ``given``, if the graph is right.

    Examples
    --------
    >>> print(Implication("a", "c", ("b",)))
    a and c are independent given b
    """

    first: str
    second: str
    given: tuple[str, ...]

    def __str__(self) -> str:
        ends = f"{quote(self.first)} and {quote(self.second)} are independent"
        return f"{ends} given {', '.join(map(quote, self.given))}" if self.given else ends


@dataclass(frozen=True)
class Implications(Listing[Implication]):
    """Implied independences, those given fewest nodes first."""

    inseparable: tuple[tuple[str, str], ...]
    """Measured nodes without an edge that no measured nodes separate."""

    def rows(self) -> list[dict[str, Any]]:
        """One row per independence."""
        return [
            {"first": item.first, "second": item.second, "given": ", ".join(item.given)}
            for item in self.items
        ]


def implied_independences(dag: DAG, *, limit: int = 100_000) -> Implications:
    """Independences that must hold in any table whose causes the graph describes.

    Parameters
    ----------
    dag : DAG
        The graph; latent nodes and ``<->`` edges are causes that were not measured.
    limit : int
        Independences listed at most.

    Raises
    ------
    GraphError
        ``bad-limit``.

    Examples
    --------
    >>> print(implied_independences(DAG("smoking -> tar -> cancer; age -> {smoking cancer}")))
    The graph implies 2 independences:
      tar and age are independent given smoking
      smoking and cancer are independent given tar, age
    """
    check_graph(dag)
    check_limit(limit)
    edges, hidden = dag.adjacency, set(dag.ids(dag.latent))
    measured = [node for node in range(len(dag)) if node not in hidden]
    usable = bytearray(node not in hidden for node in range(len(dag)))
    joined = {frozenset(dag.ids(pair)) for pair in (*dag.directed, *dag.bidirected)}
    found: list[Implication] = []
    inseparable: list[tuple[str, str]] = []
    for a, b in combinations(measured, 2):
        if frozenset((a, b)) in joined:
            continue
        cut = Hubs.build(edges, [a], [b], (), usable).smallest()
        if cut is None:
            inseparable.append((dag.nodes[a], dag.nodes[b]))
        else:
            found.append(Implication(dag.nodes[a], dag.nodes[b], dag.names(bits(cut))))
    found.sort(key=lambda item: (len(item.given), item.first, item.second))
    kept = tuple(found[:limit])
    return Implications(kept, len(kept) == len(found), _reason(len(found)), tuple(inseparable))


def _reason(count: int) -> str:
    if count == 0:
        return "The graph implies no independence of measured nodes, so that no table can contradict it this way."
    return f"The graph implies {count:,} independence{'s' if count != 1 else ''}:"
