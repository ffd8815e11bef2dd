"""An independent judge of hedges: the definition spelled out over plain sets of names.

Nothing of the search is used here, neither its graphs nor its sets of bits: hidden nodes are projected out by
walking paths, separation is decided by moralization (Lauritzen et al. 1990), and every clause of the definition
is checked by itself. What it does not do: prove that a query without a hedge is identified.
"""

from __future__ import annotations

from collections.abc import Iterable

from suppose.graphs.dag import DAG, NodeSet
from suppose.graphs.identification.hedge import Forest, Hedge

__all__ = ["check_hedge"]

Pairs = set[tuple[str, str]]


def check_hedge(
    graph: DAG | str, outcomes: NodeSet, interventions: NodeSet, hedge: Hedge, given: NodeSet = ()
) -> bool:
    """Whether ``hedge`` proves that ``P(outcomes | do(interventions), given)`` is not identified.

    Parameters
    ----------
    graph : DAG or str
        The graph; hidden nodes may be marked ``latent``.
    outcomes, interventions, given : str or iterable of str
        The query. Conditions that may as well be set are moved to the interventions first (rule 2 of the
        do-calculus), those that are left become outcomes (Shpitser and Pearl 2006b, theorem 6).
    hedge : Hedge
        The pair of c-forests to be judged.

    Examples
    --------
    >>> from suppose.graphs.identification import identify
    >>> hedge = identify("x -> y; x <-> y", "y", "x").hedge
    >>> check_hedge("x -> y; x <-> y", "y", "x", hedge), check_hedge("x -> y", "y", "x", hedge)
    (True, False)
    """
    dag = DAG(graph) if isinstance(graph, str) else graph
    nodes, arrows, joins = _projected(dag)
    y, x, z = _set(outcomes), _set(interventions), _set(given)
    while moved := next((c for c in sorted(z) if _may_be_set(nodes, arrows, joins, y, x, z, c)), None):
        z, x = z - {moved}, x | {moved}
    y = y | z
    outer, inner = hedge.outer, hedge.inner
    edges = set(outer.directed) <= arrows and {frozenset(e) for e in outer.bidirected} <= joins
    within = (
        set(inner.nodes) <= set(outer.nodes) and set(inner.directed) <= set(outer.directed)
        and {frozenset(e) for e in inner.bidirected} <= {frozenset(e) for e in outer.bidirected}
    )  # fmt: skip
    roots = _roots(outer)
    return (
        edges and within
        and _is_forest(outer) and _is_forest(inner) and roots == _roots(inner)
        and not set(inner.nodes) & x and bool(set(outer.nodes) & x)
        and roots <= _above(y, {(a, b) for a, b in arrows if b not in x})
    )  # fmt: skip


def _set(nodes: NodeSet) -> set[str]:
    return {nodes} if isinstance(nodes, str) else set(nodes)


def _roots(forest: Forest) -> set[str]:
    return set(forest.nodes) - {a for a, _ in forest.directed}


def _is_forest(forest: Forest) -> bool:
    """One child at most, no circle, and one group under ``<->``."""
    nodes, causes = set(forest.nodes), [a for a, _ in forest.directed]
    if not nodes or len(causes) != len(set(causes)):
        return False
    if not all({*edge} <= nodes for edge in (*forest.directed, *forest.bidirected)):
        return False
    if _above(_roots(forest), set(forest.directed)) != nodes:
        return False
    group = {forest.nodes[0]}
    while True:
        more = {b for a, b in (*forest.bidirected, *((b, a) for a, b in forest.bidirected)) if a in group}
        if more <= group:
            return group == nodes
        group |= more


def _above(targets: Iterable[str], arrows: Pairs) -> set[str]:
    """The targets and all nodes that lead to them."""
    found = set(targets)
    while more := {a for a, b in arrows if b in found} - found:
        found |= more
    return found


def _projected(dag: DAG) -> tuple[set[str], Pairs, set[frozenset[str]]]:
    """Measured nodes, arrows and hidden common causes among them, hidden nodes walked through."""
    hidden = set(dag.latent)
    nodes = set(dag.nodes) - hidden
    arrows = set(dag.directed)

    def measured_below(start: str) -> set[str]:
        below, seen = set(), {start}
        front = [start]
        while front:
            node = front.pop()
            for a, b in arrows:
                if a == node and b not in seen:
                    seen.add(b)
                    if b in hidden:
                        front.append(b)
                    else:
                        below.add(b)
        return below

    found = {(a, b) for a in nodes for b in measured_below(a)}
    ends = {v: measured_below(v) if v in hidden else {v} for v in dag.nodes}
    joins = {frozenset((a, b)) for v in hidden for a in ends[v] for b in ends[v] if a != b}
    joins |= {frozenset((a, b)) for v, w in dag.bidirected for a in ends[v] for b in ends[w] if a != b}
    return nodes, found, joins


def _may_be_set(
    nodes: set[str], arrows: Pairs, joins: set[frozenset[str]], y: set[str], x: set[str], z: set[str], c: str
) -> bool:
    """Rule 2 for one condition: ``y`` and ``c`` separated by the rest, arrows into x and out of c cut."""
    cut = {(a, b) for a, b in arrows if b not in x and a != c}
    kept = {edge for edge in joins if not edge & x}
    given = (x | z) - {c}
    explicit = cut | {(f"\0{k}", end) for k, edge in enumerate(sorted(map(sorted, kept))) for end in edge}
    above = _above(y | {c} | given, explicit)
    parents = {v: {a for a, b in explicit if b == v and a in above} for v in above}
    links: dict[str, set[str]] = {v: set() for v in above}
    for v, causes in parents.items():
        for a in causes | {v}:
            links[a] |= (causes | {v}) - {a}
    seen, front = {c}, [c]
    while front:
        for other in links[front.pop()] - given - seen:
            seen.add(other)
            front.append(other)
    return not seen & y
