"""Front-door sets: mediators that carry the whole effect although treatment and outcome share hidden causes.

``z`` is a front-door set for the effect of ``x`` on ``y`` when (Pearl 2009, definition 3.3.3)

1. it meets every directed path from ``x`` to ``y``,
2. no back-door path from ``x`` to ``z`` is open,
3. every back-door path from ``z`` to ``y`` is blocked by ``x``.

The conditions 2 and 3 have one largest solution among the usable nodes, which is reached by dropping nodes
until nothing changes; a front-door set exists exactly when that solution meets condition 1 (Jeong, Tian and
Bareinboim 2022; Wienoebst, van der Zander and Liskiewicz 2024). Sets are listed by halving on one node at a
time.

What it does not do: conditional front-door sets; polynomial delay for minimal sets, whose search is bounded
instead, and says when the bound cut it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from suppose.core.errors import GraphError, nearest
from suppose.graphs.adjustment import braces
from suppose.graphs.dag import DAG, NodeSet
from suppose.graphs.listing import Listing, check_limit, take
from suppose.graphs.query import Query, listing
from suppose.graphs.separation import disjoint, reach

__all__ = ["FrontdoorSets", "FrontdoorVerdict", "frontdoor_sets", "is_frontdoor_set"]

KINDS = ("minimal", "all", "one")
EFFORT = 30
"""Trials allowed per set asked for when minimal sets are listed; one trial takes about linear time."""


@dataclass(frozen=True)
class FrontdoorSets(Listing[tuple[str, ...]]):
    """Front-door sets, smallest first, each a tuple of names in the order of the graph's nodes."""

    treatment: tuple[str, ...]
    outcome: tuple[str, ...]
    kind: str

    def line(self, item: tuple[str, ...]) -> str:
        """One set between braces."""
        return braces(item)

    def rows(self) -> list[dict[str, Any]]:
        """Set and size of each."""
        return [{"mediators": braces(item), "size": len(item)} for item in self.items]


@dataclass(frozen=True)
class FrontdoorVerdict:
    """Whether a set is a front-door set, and which condition fails if not."""

    mediators: tuple[str, ...]
    valid: bool
    reason: str

    def __bool__(self) -> bool:
        return self.valid

    def __str__(self) -> str:
        return f"{braces(self.mediators)}: {'valid' if self.valid else 'not valid'}. {self.reason}"


def frontdoor_sets(
    dag: DAG,
    treatment: NodeSet | None = None,
    outcome: NodeSet | None = None,
    kind: str = "minimal",
    *,
    latent: NodeSet = (),
    limit: int = 100,
) -> FrontdoorSets:
    """Sets of mediators that identify the effect of treatment on outcome by the front-door formula.

    Parameters
    ----------
    dag : DAG
        The graph.
    treatment, outcome : str or iterable of str, optional
        One or several nodes each; taken from the graph's own marks when left out.
    kind : {"minimal", "all", "one"}
        ``minimal``: sets none of whose members can be left out. ``all``: every set. ``one``: one minimal set.
    latent : str or iterable of str, optional
        Nodes not measured, besides those the graph marks.
    limit : int
        Largest number of sets; there can be exponentially many. ``complete`` tells whether it, or for
        ``minimal`` the bound of ``EFFORT`` trials per set, cut the search.

    Returns
    -------
    FrontdoorSets
        Empty, with the reason in words, when there is no such set.

    Raises
    ------
    GraphError
        ``unknown-node``, ``overlapping-sets``, ``missing-role``, ``latent-role``, ``bad-kind``,
        ``bad-limit``.

    Examples
    --------
    >>> print(frontdoor_sets(DAG("smoking -> tar -> cancer; smoking <-> cancer"), "smoking", "cancer"))
    1 minimal front-door set for the effect of smoking on cancer:
      {tar}
    """
    if kind not in KINDS:
        raise GraphError(
            "bad-kind", f"expected one of {', '.join(KINDS)}, got {kind!r}", where="kind",
            remedy=nearest(str(kind), KINDS) or "Choose one of these.",
        )  # fmt: skip
    check_limit(limit)
    query = Query.of(dag, treatment, outcome, latent)
    trial = _Trial(query)
    everything = trial.largest(trial.usable)
    if everything is not None and kind != "all":
        # A front-door set stays one without its members that are no causes of the outcome.
        everything = trial.largest(everything & trial.causes) or everything
    if everything is None or not query.causal:
        reason = f"No front-door set for {query.effect}"
        why = query.zero_note or " No measured variables meet every directed path and are free of back doors."
        return FrontdoorSets((), True, f"{reason}.{why}", *query.names, kind)
    if kind == "one":
        found, complete = [trial.shrunk(everything)], True
    elif kind == "all":
        found, complete = take(trial.every(everything), limit)
    else:
        found, complete = take(trial.minimal(everything, trial.count + EFFORT * limit), limit)
        complete = complete and not trial.exhausted
    items = sorted((tuple(sorted(members)) for members in found), key=lambda members: (len(members), members))
    word = "front-door set" if kind == "all" else "minimal front-door set"
    number = (
        f"{len(items)} {word}{'s' if len(items) != 1 else ''}" if complete else f"First {len(items)} {word}s"
    )
    heading = f"{'One ' + word if kind == 'one' else number} for {query.effect}:"
    return FrontdoorSets(
        tuple(dag.names(members) for members in items), complete, heading, *query.names, kind
    )


def is_frontdoor_set(
    dag: DAG,
    treatment: NodeSet | None = None,
    outcome: NodeSet | None = None,
    mediators: NodeSet = (),
    *,
    latent: NodeSet = (),
) -> FrontdoorVerdict:
    """Whether ``mediators`` is a front-door set for the effect of treatment on outcome, and why.

    Raises
    ------
    GraphError
        ``unknown-node``, ``overlapping-sets``, ``missing-role``, ``latent-role``, ``empty-set``.

    Examples
    --------
    >>> dag = DAG("smoking -> tar -> cancer; smoking <-> cancer; tar <-> cancer")
    >>> print(is_frontdoor_set(dag, "smoking", "cancer", "tar"))
    {tar}: not valid. A back-door path from tar to cancer is open given smoking.
    """
    query = Query.of(dag, treatment, outcome, latent)
    members = disjoint(dag, treatment=dag.names(query.x), outcome=dag.names(query.y), mediators=mediators)[2]
    trial = _Trial(query)
    x, y = (listing(names) for names in query.names)
    unseen = dag.names(node for node in members if query.hidden[node])
    second = dag.names(node for node in members if trial.from_treatment[node])
    third = dag.names(trial.open_to_outcome(frozenset(members)))
    problems = []
    if unseen:
        problems.append(f"{listing(unseen)} {'was' if len(unseen) == 1 else 'were'} not measured.")
    if not trial.intercepts(frozenset(members)):
        problems.append(f"A directed path from {x} to {y} avoids it.")
    if second:
        problems.append(f"A back-door path from {x} to {listing(second)} is open.")
    if third:
        problems.append(f"A back-door path from {listing(third)} to {y} is open given {x}.")
    reason = " ".join(problems) or "It meets every directed path and all back-door paths are blocked."
    return FrontdoorVerdict(dag.names(members), not problems, reason)


class _Trial:
    """The front-door conditions of one question, for sets of node numbers."""

    def __init__(self, query: Query) -> None:
        self.query, self.edges = query, query.dag.adjacency
        self.ends = frozenset((*query.x, *query.y))
        cut = {node: self.edges.children[node] for node in query.x}
        self.from_treatment = reach(self.edges.without_outgoing(cut), query.x, ())
        self.usable = frozenset(
            node
            for node, hid in enumerate(query.hidden)
            if not hid and node not in self.ends and not self.from_treatment[node]
        )
        above = self.edges.closure(query.y, up=True)
        self.causes = frozenset(node for node in self.usable if above[node])
        self.count, self.exhausted = 0, False

    def open_to_outcome(self, members: frozenset[int]) -> list[int]:
        """Members with a back-door path to the outcome that the treatment does not block."""
        cut = {node: self.edges.children[node] for node in members}
        flags = reach(self.edges.without_outgoing(cut), self.query.y, self.query.x)
        return [node for node in members if flags[node]]

    def intercepts(self, members: frozenset[int]) -> bool:
        """Whether every directed path from treatment to outcome meets a member."""
        goals, seen, stack = set(self.query.y), set(self.query.x), list(self.query.x)
        while stack:
            for child in self.edges.children[stack.pop()]:
                if child in goals:
                    return False
                if child not in seen and child not in members:
                    seen.add(child)
                    stack.append(child)
        return True

    def largest(self, allowed: frozenset[int]) -> frozenset[int] | None:
        """The front-door set within ``allowed`` that contains all others, None if there is none."""
        self.count += 1
        members = allowed
        while bad := self.open_to_outcome(members):
            members = members.difference(bad)
        return members if self.intercepts(members) else None

    def shrunk(self, members: frozenset[int]) -> frozenset[int]:
        """One minimal front-door set within a front-door set: leaves out halves, quarters, ..., single nodes."""
        chunks = [sorted(members)]
        while chunks:
            chunk = [node for node in chunks.pop() if node in members]
            smaller = self.largest(members.difference(chunk)) if chunk else None
            if smaller is not None:
                members = smaller
            elif len(chunk) > 1:
                chunks += [chunk[len(chunk) // 2 :], chunk[: len(chunk) // 2]]
        return members

    def every(self, allowed: frozenset[int]) -> Iterator[frozenset[int]]:
        """All front-door sets within ``allowed``, with polynomial delay."""
        stack: list[tuple[frozenset[int], frozenset[int]]] = [(frozenset(), allowed)]
        while stack:
            inside, allowed = stack.pop()
            largest = self.largest(allowed)
            if largest is None or not inside <= largest:
                continue
            if inside == largest:
                yield inside
                continue
            node = max(largest - inside)
            stack.append((inside | {node}, largest))
            stack.append((inside, largest - {node}))

    def minimal(self, allowed: frozenset[int], effort: int) -> Iterator[frozenset[int]]:
        """All minimal front-door sets within ``allowed``; gives up when ``effort`` trials were made."""
        stack: list[tuple[frozenset[int], frozenset[int]]] = [(frozenset(), allowed)]
        while stack:
            if self.count > effort:
                self.exhausted = True
                return
            inside, allowed = stack.pop()
            largest = self.largest(allowed)
            if largest is None or not inside <= largest:
                continue
            within = self.largest(inside)
            if within is not None:  # any other set of this branch contains this one
                if within == inside == self.shrunk(inside):
                    yield inside
                continue
            node = max(self.shrunk(largest) - inside)
            stack.append((inside | {node}, largest))
            stack.append((inside, largest - {node}))
