"""Which covariates to hold fixed so that a comparison of treated and untreated shows the effect.

A set is an adjustment set when it contains no forbidden node and separates treatment and outcome in the
proper back-door graph: the generalised adjustment criterion, sound and complete for DAGs with hidden common
causes and for several treatments or outcomes (Shpitser, VanderWeele and Robins 2010; Perkovic, Textor,
Kalisch and Maathuis 2018). Sets are found and listed by the algorithms of van der Zander, Liskiewicz and
Textor (2014, 2019): one set in linear time, all sets and all minimal sets with polynomial delay.

The optimal set ("O-set", the parents of the causal nodes) gives the lowest asymptotic variance of all
adjustment sets in graphs without hidden variables (Henckel, Perkovic and Maathuis 2022 for linear models;
Rotnitzky and Smucler 2020 for nonparametric estimators). With hidden variables it need not exist
(Rotnitzky and Smucler 2020; Runge 2021). It is then given only where it is known to exist: when the O-set is
measured, or when every usable node is an ancestor of the one treatment or outcome (Smucler, Sapienza and
Rotnitzky 2022). Otherwise no set is called optimal and the reason is said.

What it does not do: PDAGs and PAGs, selection nodes, effects that adjustment cannot give but other
formulas can (front-door, ID).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from suppose.core.errors import GraphError, nearest
from suppose.graphs.dag import DAG, NodeSet
from suppose.graphs.listing import Listing, take
from suppose.graphs.notation import quote
from suppose.graphs.query import Query, listing
from suppose.graphs.separation import Path, connected, judge, search
from suppose.graphs.separators import Hubs, bits

__all__ = ["AdjustmentSets", "AdjustmentVerdict", "adjustment_sets", "is_adjustment_set"]

KINDS = ("minimal", "all", "one", "minimum", "optimal")


@dataclass(frozen=True)
class AdjustmentSets(Listing[tuple[str, ...]]):
    """Adjustment sets, smallest first, each a tuple of names in the order of the graph's nodes."""

    treatment: tuple[str, ...]
    outcome: tuple[str, ...]
    kind: str

    def line(self, item: tuple[str, ...]) -> str:
        """One set between braces."""
        return braces(item)

    def rows(self) -> list[dict[str, Any]]:
        """Set and size of each."""
        return [{"adjust_for": braces(item), "size": len(item)} for item in self.items]


@dataclass(frozen=True)
class AdjustmentVerdict:
    """Whether a set is an adjustment set, and why (not). True in a condition exactly when it is valid."""

    adjustment: tuple[str, ...]
    valid: bool
    reason: str
    forbidden: tuple[str, ...]
    """Members that must not be held fixed."""
    unobserved: tuple[str, ...]
    """Members that were not measured."""
    open_paths: tuple[Path, ...]
    """Shortest non-causal paths that stay open, at most three."""

    def __bool__(self) -> bool:
        return self.valid

    def __str__(self) -> str:
        return f"{braces(self.adjustment)}: {'valid' if self.valid else 'not valid'}. {self.reason}"


def adjustment_sets(
    dag: DAG,
    treatment: NodeSet | None = None,
    outcome: NodeSet | None = None,
    kind: str = "minimal",
    *,
    include: NodeSet = (),
    latent: NodeSet = (),
    limit: int = 100,
) -> AdjustmentSets:
    """Sets of covariates that identify the effect of treatment on outcome.

    Parameters
    ----------
    dag : DAG
        The graph.
    treatment, outcome : str or iterable of str, optional
        One or several nodes each; taken from the graph's own marks when left out.
    kind : {"minimal", "all", "one", "minimum", "optimal"}
        ``minimal``: every set none of whose members can be left out. ``all``: every set. ``one``: the minimal
        set nearest the outcome, in linear time; for one treatment and one outcome no minimal set has a
        lower asymptotic variance (Smucler, Sapienza and Rotnitzky 2022). ``minimum``: one with the fewest
        members. ``optimal``: the set with the lowest asymptotic variance, where there is one.
    include : str or iterable of str, optional
        Nodes that must be in every set. Not with ``optimal``.
    latent : str or iterable of str, optional
        Nodes not measured, besides those the graph marks.
    limit : int
        Largest number of sets; there can be exponentially many. ``complete`` tells whether it cut. The sets
        found are sorted by size; sets beyond the limit can be smaller.

    Returns
    -------
    AdjustmentSets
        Empty, with the reason in words, when there is no such set.

    Raises
    ------
    GraphError
        ``unknown-node``, ``overlapping-sets``, ``missing-role``, ``latent-role``, ``bad-kind``,
        ``bad-limit``.

    Examples
    --------
    >>> dag = DAG("age -> {treat re78}; educ -> age; educ -> re78; treat -> job -> re78")
    >>> print(adjustment_sets(dag, "treat", "re78"))
    1 minimal adjustment set for the effect of treat on re78:
      {age}
    >>> adjustment_sets(dag, "treat", "re78", "optimal")[0]
    ('age', 'educ')
    >>> print(adjustment_sets(DAG("treat -> re78; treat <-> re78"), "treat", "re78"))
    No set of measured variables identifies the effect of treat on re78 by adjustment: nothing closes
    treat <-> re78 (a direct edge, which nothing blocks).
    """
    if kind not in KINDS:
        raise GraphError(
            "bad-kind", f"expected one of {', '.join(KINDS)}, got {kind!r}", where="kind",
            remedy=nearest(str(kind), KINDS) or "Choose one of these.",
        )  # fmt: skip
    query = Query.of(dag, treatment, outcome, latent)
    required = _required(query, include, kind)
    usable = query.usable
    problem = _problem(query, required, usable)
    if isinstance(problem, str):
        return _result(query, kind, [], True, problem)
    if kind == "optimal":
        best, reason = _optimal(query, usable)
        return _result(query, kind, [best] if best is not None else [], True, reason)
    wanted = _enumerate(query, kind, problem, required, usable)
    found, complete = take(wanted, limit)
    found.sort(key=lambda members: (len(members), members))
    return _result(query, kind, found, complete, _heading(query, kind, len(found), complete))


def is_adjustment_set(
    dag: DAG,
    treatment: NodeSet | None = None,
    outcome: NodeSet | None = None,
    adjustment: NodeSet = (),
    *,
    latent: NodeSet = (),
) -> AdjustmentVerdict:
    """Whether holding ``adjustment`` fixed identifies the effect of treatment on outcome, and why.

    Parameters
    ----------
    dag : DAG
        The graph.
    treatment, outcome : str or iterable of str, optional
        One or several nodes each; taken from the graph's own marks when left out.
    adjustment : str or iterable of str
        The set to judge, may be empty.
    latent : str or iterable of str, optional
        Nodes not measured, besides those the graph marks.

    Raises
    ------
    GraphError
        ``unknown-node``, ``overlapping-sets``, ``missing-role``, ``latent-role``.

    Examples
    --------
    >>> dag = DAG("age -> {treat re78}; treat -> job -> re78")
    >>> print(is_adjustment_set(dag, "treat", "re78", ["age", "job"]))
    {age, job}: not valid. job lies on a causal path from treat to re78; holding it fixed removes part of
    the effect.
    >>> is_adjustment_set(dag, "treat", "re78", "age").valid
    True
    """
    query = Query.of(dag, treatment, outcome, latent)
    members = _members(query, adjustment, "adjustment")
    forbidden = [node for node in members if query.forbidden[node]]
    unobserved = [node for node in members if query.hidden[node]]
    reasons = [_why_forbidden(query, node) for node in forbidden]
    if unobserved:
        verb = "was" if len(unobserved) == 1 else "were"
        reasons.append(f"{listing(dag.names(unobserved))} {verb} not measured.")
    paths = tuple(
        judge(dag.nodes, query.backdoor, first, steps, members)
        for first, steps in take(search(query.backdoor, query.x, query.y, members), 3)[0]
    )
    if paths:
        shown = f"{paths[0].text} ({_words(query, paths[0])})"
        reasons.append(f"The non-causal path {shown} stays open.")
    if not reasons:
        reasons = ["It blocks every non-causal path and touches no causal one." + query.zero_note]
        return AdjustmentVerdict(dag.names(members), True, reasons[0], (), (), ())
    return AdjustmentVerdict(
        dag.names(members), False, " ".join(reasons), dag.names(forbidden), dag.names(unobserved), paths
    )


def braces(members: Sequence[str]) -> str:
    """A set of names as text."""
    return "{" + ", ".join(quote(name) for name in members) + "}"


def _members(query: Query, nodes: NodeSet, role: str) -> tuple[int, ...]:
    members = query.dag.ids(nodes, where=role)
    for node in members:
        if node in query.x or node in query.y:
            end = "treatment" if node in query.x else "outcome"
            raise GraphError(
                "overlapping-sets", f"{query.dag.nodes[node]!r} is the {end} and in {role}", where=role,
                remedy="Name each node in one of them only.",
            )  # fmt: skip
    return members


def _required(query: Query, include: NodeSet, kind: str) -> tuple[int, ...]:
    required = _members(query, include, "include")
    if required and kind == "optimal":
        raise GraphError(
            "bad-kind", "the optimal set is fixed by the graph and cannot be told what to include",
            where="include", remedy="Leave include out, or ask for kind='one' or 'minimal'.",
        )  # fmt: skip
    return required


def _problem(query: Query, required: tuple[int, ...], usable: bytearray) -> Hubs | str:
    """The separation problem seen from the outcome, or the sentence that says why there is no set."""
    dag = query.dag
    for node in required:
        if query.hidden[node]:
            return f"No adjustment set includes {quote(dag.nodes[node])}: it was not measured."
        if query.forbidden[node]:
            return f"No adjustment set includes {quote(dag.nodes[node])}: {_why_forbidden(query, node)}"
    problem = Hubs.build(query.backdoor, query.y, query.x, required, usable)
    return problem if problem.possible else _why_none(query, required, usable)


def _why_none(query: Query, required: tuple[int, ...], usable: bytearray) -> str:
    """Names a path that stays open given all usable ancestors, the set that succeeds if any does."""
    above = query.backdoor.closure([*query.x, *query.y, *required], up=True)
    given = sorted({*required, *(node for node, flag in enumerate(usable) if flag and above[node])})
    first, steps = next(search(query.backdoor, query.x, query.y, given))
    path = judge(query.dag.nodes, query.backdoor, first, steps, given)
    return (
        f"No set of measured variables identifies {query.effect} by adjustment: "
        f"nothing closes {path.text} ({_words(query, path)}).{query.zero_note}"
    )


def _words(query: Query, path: Path) -> str:
    """Why a path stays open, with the reason why its inner nodes cannot be given."""
    words = []
    for step in path.steps:
        node = query.dag.ids(step.node)[0]
        cannot = "was not measured" if query.hidden[node] else "must not be adjusted for"
        blocked = step.kind != "collider" and (query.hidden[node] or query.forbidden[node])
        words.append(f"{quote(step.node)} {cannot}" if blocked else step.reason)
    return "; ".join(words) or "a direct edge, which nothing blocks"


def _why_forbidden(query: Query, node: int) -> str:
    x, y = (listing(names) for names in query.names)
    name = quote(query.dag.nodes[node])
    if node in query.causal:
        return f"{name} lies on a causal path from {x} to {y}; holding it fixed removes part of the effect."
    above = query.dag.adjacency.closure([node], up=True)
    source = quote(query.dag.nodes[next(other for other in query.causal if above[other])])
    return (
        f"{name} is an effect of {source}, which is on a causal path from {x} to {y}; "
        "holding it fixed biases the effect."
    )


def _enumerate(
    query: Query, kind: str, problem: Hubs, required: tuple[int, ...], usable: bytearray
) -> Iterator[tuple[int, ...]]:
    if kind == "all":
        yield from _every(query, required, usable)
        return
    if kind == "minimal":
        cuts = problem.minimal()
    else:
        cut = problem.nearest() if kind == "one" else problem.smallest()
        cuts = iter([cut or 0])
    for found in cuts:
        yield tuple(sorted({*required, *bits(found)}))


def _every(query: Query, required: tuple[int, ...], usable: bytearray) -> Iterator[tuple[int, ...]]:
    """All sets by halving on one node at a time (LISTSEP, van der Zander et al. 2014), leaving out first.

    A branch (inside, allowed) holds a set if and only if the allowed ancestors of the ends and of ``inside``
    separate. Leaving out a node that is not among these changes nothing, so it needs no test.
    """
    inside = frozenset(required)
    allowed = inside | {node for node, flag in enumerate(usable) if flag}
    stack = [(inside, allowed, _separating(query, inside, allowed))]
    while stack:
        inside, allowed, chosen = stack.pop()
        if chosen is None and (chosen := _separating(query, inside, allowed)) is None:
            continue
        undecided = (allowed - inside - chosen) or (allowed - inside)
        if not undecided:
            yield tuple(sorted(inside))
            continue
        node = max(undecided)
        stack.append((inside | {node}, allowed, chosen if node in chosen else None))
        stack.append((inside, allowed - {node}, None if node in chosen else chosen))


def _separating(query: Query, inside: frozenset[int], allowed: frozenset[int]) -> frozenset[int] | None:
    """The allowed ancestors of the ends and of ``inside`` if they separate the ends, else None."""
    above = query.backdoor.closure([*query.x, *query.y, *inside], up=True)
    chosen = frozenset(node for node in allowed if above[node])
    return None if connected(query.backdoor, query.x, query.y, tuple(chosen)) else chosen


def _optimal(query: Query, usable: bytearray) -> tuple[tuple[int, ...] | None, str]:
    """The set of lowest asymptotic variance and the ground it stands on, or None and why there is none."""
    edges = query.dag.adjacency
    below = edges.closure(query.x, up=False)
    if not all(below[node] for node in query.y):
        return None, f"Optimal is not defined for {query.effect}.{query.zero_note}" + (
            "" if query.zero_note else " Some outcome is not an effect of any treatment; leave it out."
        )
    parents = {parent for node in query.causal for parent in edges.parents[node]} - set(query.x)
    oset = tuple(sorted(node for node in parents if not query.forbidden[node]))
    hidden = [node for node in oset if query.hidden[node] and not _noise(query, node)]
    shared = [node for node in query.causal if edges.siblings[node]]
    name = f"The adjustment set of lowest asymptotic variance for {query.effect}"
    if not hidden and not shared:
        measured = tuple(node for node in oset if not query.hidden[node])
        return measured, f"{name}, the parents of its causal nodes (O-set):"
    above = edges.closure([*query.x, *query.y], up=True)
    stray = [node for node, flag in enumerate(usable) if flag and not above[node]]
    if not stray and len(query.x) == len(query.y) == 1:
        problem = Hubs.build(query.backdoor, query.y, query.x, (), usable)
        return tuple(bits(problem.border(problem.near))), f"{name}; hidden causes allow it in this graph:"
    return None, _why_not_optimal(query, hidden, shared, stray)


def _noise(query: Query, node: int) -> bool:
    """A hidden node without causes and with one effect is that effect's own noise."""
    edges = query.dag.adjacency
    return not edges.parents[node] and not edges.siblings[node] and len(edges.children[node]) == 1


def _why_not_optimal(query: Query, hidden: list[int], shared: list[int], stray: list[int]) -> str:
    dag = query.dag
    missing = [f"{listing(dag.names(hidden))} not measured"] if hidden else []
    missing += [f"hidden causes of {listing(dag.names(shared))}"] if shared else []
    ground = (
        f"and {listing(dag.names(stray))} may stand in for them more or less well"
        if stray and len(query.x) == len(query.y) == 1
        else "and the theory for hidden variables covers one treatment and one outcome"
    )
    return (
        f"No set is certain to be optimal for {query.effect}: the optimal set would hold what is hidden "
        f"({'; '.join(missing)}), {ground}, so the best set can depend on the unknown law. "
        "Ask for kind='one' or 'minimal'; every one of those is valid."
    )


def _heading(query: Query, kind: str, count: int, complete: bool) -> str:
    if kind in ("one", "minimum"):
        which = "A minimal adjustment set" if kind == "one" else "An adjustment set with the fewest members"
        return f"{which} for {query.effect}:{query.zero_note}"
    word = "minimal adjustment set" if kind == "minimal" else "adjustment set"
    number = f"{count} {word}{'s' if count != 1 else ''}" if complete else f"The first {count} {word}s"
    return f"{number} for {query.effect}:{query.zero_note}"


def _result(
    query: Query, kind: str, found: list[tuple[int, ...]], complete: bool, reason: str
) -> AdjustmentSets:
    items = tuple(query.dag.names(members) for members in found)
    return AdjustmentSets(items, complete, reason, *query.names, kind)
