"""Instruments: variables that move the treatment and reach the outcome through it alone.

``z`` is an instrument for the effect of ``x`` on ``y`` given ``w`` when (Henckel, Buttenschoen and Maathuis
2024; Pearl 2009, definition 7.4.1, for one edge)

1. neither ``z`` nor any of ``w`` lies on a causal path from ``x`` to ``y`` or below one (is forbidden),
2. ``z`` and ``x`` are connected given ``w``,
3. ``z`` and ``y`` are separated given ``w`` once the causal paths out of ``x`` are cut.

In linear models the ratio cov(z, y | w) / cov(z, x | w) is then the effect. Outside these an instrument needs
further assumptions (monotonicity, homogeneity) that no graph can show.

For every ``z`` one set ``w`` is given: none when none is needed, else the separator nearest the outcome
(van der Zander, Textor and Liskiewicz 2015). That finds ``w`` among the ancestors of ``z`` and ``y`` whenever
there is one, and some instrument whenever the graph has any; to decide for one given ``z`` whether any ``w``
at all exists is NP-hard, and is not attempted.

What it does not do: sets of instruments for several treatments at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from suppose.graphs.adjacency import Adjacency
from suppose.graphs.adjustment import braces
from suppose.graphs.dag import DAG, NodeSet
from suppose.graphs.listing import Listing
from suppose.graphs.notation import quote
from suppose.graphs.query import Query, single
from suppose.graphs.separation import connected
from suppose.graphs.separators import Hubs, bits

__all__ = ["Instrument", "Instruments", "instruments"]


@dataclass(frozen=True)
class Instrument:
    """A variable and the covariates given which it is an instrument."""

    variable: str
    given: tuple[str, ...]

    def __str__(self) -> str:
        return quote(self.variable) + (f" given {braces(self.given)}" if self.given else "")


@dataclass(frozen=True)
class Instruments(Listing[Instrument]):
    """Instruments, those that need nothing given first."""

    treatment: str
    outcome: str

    def rows(self) -> list[dict[str, Any]]:
        """Variable and covariates of each."""
        return [{"instrument": item.variable, "given": braces(item.given)} for item in self.items]


def instruments(
    dag: DAG, treatment: NodeSet | None = None, outcome: NodeSet | None = None, *, latent: NodeSet = ()
) -> Instruments:
    """Instruments for the effect of treatment on outcome, conditional ones with their covariates.

    Parameters
    ----------
    dag : DAG
        The graph.
    treatment, outcome : str, optional
        One node each; taken from the graph's own marks when left out.
    latent : str or iterable of str, optional
        Nodes not measured, besides those the graph marks.

    Returns
    -------
    Instruments
        At most one entry per node; empty, with the reason in words, when there is none.

    Raises
    ------
    GraphError
        ``unknown-node``, ``overlapping-sets``, ``missing-role``, ``latent-role``, ``several-ends``.

    Examples
    --------
    >>> dag = DAG("region -> {offer wage}; offer -> training -> wage; training <-> wage")
    >>> print(instruments(dag, "training", "wage"))
    1 instrument for the effect of training on wage:
      offer given {region}
    """
    query = Query.of(dag, treatment, outcome, latent)
    x, y = single(query, "instruments")
    usable = query.usable
    found = []
    for z in (node for node, flag in enumerate(usable) if flag) if query.causal else ():
        given = _given(query, z, usable)
        if given is not None:
            found.append(Instrument(dag.nodes[z], dag.names(given)))
    found.sort(key=lambda item: len(item.given))
    if found:
        reason = f"{len(found)} instrument{'s' if len(found) > 1 else ''} for {query.effect}:"
    else:
        why = query.zero_note or " No measured variable reaches the outcome through the treatment alone."
        reason = f"No instrument for {query.effect}.{why}"
    return Instruments(tuple(found), True, reason, dag.nodes[x], dag.nodes[y])


def _given(query: Query, z: int, usable: bytearray) -> tuple[int, ...] | None:
    """Covariates given which ``z`` is an instrument: its separator from the outcome, nearest the outcome."""
    x, y = query.x[0], query.y[0]
    if not _touches(query.dag.adjacency, z, x):
        return None
    free = bytearray(usable)
    free[z] = 0
    cut = Hubs.build(query.backdoor, [y], [z], (), free).nearest()
    if cut is None:
        return None
    given = tuple(bits(cut))
    return given if connected(query.dag.adjacency, [z], [x], given) else None


def _touches(edges: Adjacency, z: int, x: int) -> bool:
    """Whether any path at all joins the two nodes, the least an instrument needs."""
    seen, stack = {z}, [z]
    while stack:
        node = stack.pop()
        for table in edges:
            for other in table[node]:
                if other not in seen:
                    seen.add(other)
                    stack.append(other)
    return x in seen
