"""What would make an effect identifiable: one more variable measured, one experiment, or one hidden cause ruled out.

Each candidate is a single change, and each is checked by the complete algorithm on the changed graph, so that the
list misses none of its kind. An experiment on a node ``r`` besides the observations gives the law of all other nodes
under ``do(r)``; the effect follows exactly when every c-component it is made of follows from one of the two
(Lee, Correa and Bareinboim 2019, general identifiability with one experiment).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from suppose.graphs.dag import DAG, NodeSet
from suppose.graphs.identification.components import Mixed, project, question
from suppose.graphs.identification.conditional import identify, moved
from suppose.graphs.identification.derivation import follows, identifiable
from suppose.graphs.identification.estimand import Estimand
from suppose.graphs.identification.hedge import Hedge
from suppose.graphs.notation import Edge, quote
from suppose.graphs.query import listing

__all__ = ["Remedy", "remedies"]


@dataclass(frozen=True)
class Remedy:
    """One change that makes the query identifiable.

    Attributes
    ----------
    kind : {"measure", "randomise", "rule-out"}
        Measure a hidden node, randomise a node, or show that two nodes share no hidden cause.
    nodes : tuple of str
        The node, or the two ends of the ``<->`` edge.
    words : str
        The change in a sentence.
    graph : DAG
        The graph after the change; for an experiment the graph without arrows into the node.
    estimand : Estimand or None
        The formula on that graph; None for an experiment, whose data come beside the observations.
    """

    kind: Literal["measure", "randomise", "rule-out"]
    nodes: tuple[str, ...]
    words: str
    graph: DAG = field(repr=False)
    estimand: Estimand | None = field(repr=False)

    def __str__(self) -> str:
        return self.words


def remedies(
    graph: DAG | str, outcomes: NodeSet, interventions: NodeSet, given: NodeSet = ()
) -> tuple[Remedy, ...]:
    """Single changes that would make ``P(outcomes | do(interventions), given)`` identifiable.

    Parameters
    ----------
    graph : DAG or str
        The graph; hidden nodes may be marked ``latent``.
    outcomes, interventions, given : str or iterable of str
        The query.

    Returns
    -------
    tuple of Remedy
        Hidden nodes to measure first, then experiments, then hidden causes to rule out; empty when no single
        change helps, and when the query is identified as it is.

    Examples
    --------
    >>> for remedy in remedies("x -> m -> y; x <-> y; m <-> y", "y", "x"):
    ...     print(remedy)
    Randomise x.
    Show that x and y share no hidden cause, or measure what they share.
    Show that m and y share no hidden cause, or measure what they share.
    >>> print(remedies(DAG("u -> {x y}; x -> y", latent="u"), "y", "x")[0])
    Measure u.
    """
    source = DAG(graph) if isinstance(graph, str) else graph
    y, x, z = question(source, outcomes, interventions, given)
    found = identify(source, y, x, z, shorten=False)
    if isinstance(found, Estimand):
        return ()
    return (
        *_measured(source, y, x, z),
        *_randomised(source, y, x, z, found.hedge),
        *_ruled_out(source, y, x, z, found.hedge),
    )


Names = tuple[str, ...]


def _measured(source: DAG, y: Names, x: Names, z: Names) -> list[Remedy]:
    found = []
    for name in source.latent:
        changed = source.replace(latent=[other for other in source.latent if other != name])
        estimand = identify(changed, y, x, z)
        if isinstance(estimand, Estimand):
            found.append(Remedy("measure", (name,), f"Measure {quote(name)}.", changed, estimand))
    return found


def _randomised(source: DAG, y: Names, x: Names, z: Names, hedge: Hedge) -> list[Remedy]:
    """Nodes of the hedge to randomise: an experiment on any other leaves the hedge as it is."""
    mixed = Mixed(project(source))
    _, set_, seen = moved(mixed, y, x, z)
    targets, fixed = mixed.mask((*y, *seen)), mixed.mask(set_)
    wanted = mixed.ancestors(targets, mixed.all & ~fixed)
    open_ = [part for part in mixed.components(wanted) if not follows(mixed, part, mixed.all)]
    found = []
    for name in sorted(hedge.outer.nodes, key=mixed.graph.nodes.index):
        bit = mixed.mask([name])
        if all(not part & bit and follows(mixed, part, mixed.all & ~bit) for part in open_):
            changed = mixed.graph.without_incoming(name)
            words = f"Randomise {quote(name)}."
            found.append(Remedy("randomise", (name,), words, changed, None))
    found.sort(key=lambda remedy: remedy.nodes[0] in x)
    return found


def _ruled_out(source: DAG, y: Names, x: Names, z: Names, hedge: Hedge) -> list[Remedy]:
    """Edges to rule out: without conditions and hidden nodes only those of the hedge, which all others leave whole."""
    edges = source.bidirected
    if not z and not source.latent:
        edges = _breaking(source, y, x, hedge)
    found = []
    for edge in edges:
        changed = source.replace(bidirected=[other for other in source.bidirected if other != edge])
        estimand = identify(changed, y, x, z)
        if isinstance(estimand, Estimand):
            words = f"Show that {listing(edge)} share no hidden cause, or measure what they share."
            found.append(Remedy("rule-out", edge, words, changed, estimand))
    return found


def _breaking(source: DAG, y: Names, x: Names, hedge: Hedge) -> tuple[Edge, ...]:
    """The edges of the hedge without which a formula exists."""
    mixed = Mixed(source)
    targets, set_ = mixed.mask(y), mixed.mask(x)
    of_hedge = {frozenset(edge) for edge in hedge.outer.bidirected}
    found = []
    for edge in source.bidirected:
        if frozenset(edge) not in of_hedge:
            continue
        a, b = (mixed.number[name] for name in edge)
        mixed.siblings[a] ^= 1 << b
        mixed.siblings[b] ^= 1 << a
        if identifiable(mixed, targets, set_):
            found.append(edge)
        mixed.siblings[a] ^= 1 << b
        mixed.siblings[b] ^= 1 << a
    return tuple(found)
