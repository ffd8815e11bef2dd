"""One question put to a graph, the effect of treatment on outcome, with the node sets its answers rest on.

Causal nodes lie on proper causal paths: directed paths from a treatment to an outcome that touch the
treatments at their start alone; the treatments themselves are not counted. Forbidden nodes are the
descendants of causal nodes: holding one of them fixed changes the effect or opens a path (Perkovic, Textor,
Kalisch and Maathuis 2018). The proper back-door graph lacks the first edge of every proper causal path
(van der Zander, Liskiewicz and Textor 2014).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from suppose.core.errors import GraphError
from suppose.graphs.adjacency import Adjacency
from suppose.graphs.dag import DAG, NodeSet, check_graph
from suppose.graphs.notation import quote
from suppose.graphs.separation import disjoint

__all__ = ["Query", "causal_nodes", "proper_backdoor_graph"]


@dataclass(frozen=True)
class Query:
    """Effect of treatments ``x`` on outcomes ``y``, all sets as node numbers or flags by node number."""

    dag: DAG
    x: tuple[int, ...]
    y: tuple[int, ...]
    hidden: bytearray
    causal: tuple[int, ...]
    """Nodes on proper causal paths, treatments left out (written CN in the papers)."""
    forbidden: bytearray
    """Descendants of causal nodes (Forb)."""
    backdoor: Adjacency
    """The proper back-door graph."""

    @classmethod
    def of(cls, dag: DAG, treatment: NodeSet | None, outcome: NodeSet | None, latent: NodeSet = ()) -> Query:
        """The question; roles not given are taken from the graph's own marks.

        Raises
        ------
        GraphError
            ``missing-role``, ``unknown-node``, ``overlapping-sets``, ``latent-role``.
        """
        check_graph(dag)
        x, y = disjoint(
            dag,
            treatment=_role(treatment, dag.treatment, "treatment"),
            outcome=_role(outcome, dag.outcome, "outcome"),
        )
        hidden = bytearray(len(dag))
        for node in (*dag.ids(dag.latent), *dag.ids(latent, where="latent")):
            hidden[node] = 1
        for node in (*x, *y):
            if hidden[node]:
                role = "treatment" if node in x else "outcome"
                raise GraphError(
                    "latent-role", f"{dag.nodes[node]!r} is latent, so it was not measured", where=role,
                    remedy="Choose a measured node, or remove it from the latent ones.",
                )  # fmt: skip
        edges = dag.adjacency
        causal = causal_nodes(edges, x, y)
        first = {node: [child for child in edges.children[node] if child in causal] for node in x}
        forbidden = edges.closure(causal, up=False)
        return cls(dag, x, y, hidden, tuple(sorted(causal)), forbidden, edges.without_outgoing(first))

    @property
    def usable(self) -> bytearray:
        """Flags of the nodes that may enter an adjustment set: measured, not forbidden, no end."""
        flags = bytearray(not (hid or forb) for hid, forb in zip(self.hidden, self.forbidden, strict=True))
        for node in (*self.x, *self.y):
            flags[node] = 0
        return flags

    @property
    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names of the treatments and of the outcomes."""
        return self.dag.names(self.x), self.dag.names(self.y)

    @property
    def effect(self) -> str:
        """The question in words."""
        return f"the effect of {listing(self.names[0])} on {listing(self.names[1])}"

    @property
    def zero_note(self) -> str:
        """A sentence when the graph itself makes the effect zero, else empty."""
        below = self.dag.adjacency.closure(self.x, up=False)
        if any(below[node] for node in self.y):
            return ""
        x, y = (listing(names) for names in self.names)
        return f" No directed path leads from {x} to {y}: by this graph the effect is zero."


def proper_backdoor_graph(dag: DAG, treatment: NodeSet | None = None, outcome: NodeSet | None = None) -> DAG:
    """The graph without the first edge of every proper causal path from treatment to outcome.

    A set without forbidden nodes is an adjustment set exactly when it separates treatment and outcome here.

    Parameters
    ----------
    dag : DAG
        The graph.
    treatment, outcome : str or iterable of str, optional
        Ends of the effect; taken from the graph's own marks when left out.

    Raises
    ------
    GraphError
        ``missing-role``, ``unknown-node``, ``overlapping-sets``, ``latent-role``.

    References
    ----------
    van der Zander, Liskiewicz and Textor (2014).

    Examples
    --------
    >>> proper_backdoor_graph(DAG("age -> {treat re78}; treat -> job -> re78"), "treat", "re78")
    DAG('age -> treat; age -> re78; job -> re78')
    """
    query = Query.of(dag, treatment, outcome)
    gone = {(dag.nodes[a], dag.nodes[b]) for a in query.x for b in query.causal}
    return dag.replace(directed=[edge for edge in dag.directed if edge not in gone])


def listing(names: Sequence[str]) -> str:
    """Names in a sentence: ``a``, ``a and b``, ``a, b and c``.

    Examples
    --------
    >>> listing(["a", "b", "c d"])
    'a, b and "c d"'
    """
    quoted = [quote(name) for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def single(query: Query, what: str) -> tuple[int, int]:
    """The one treatment and the one outcome; refuses several where the theory covers one of each."""
    if len(query.x) > 1 or len(query.y) > 1:
        raise GraphError(
            "several-ends", f"{what} are defined here for one treatment and one outcome, got {query.effect}",
            where="treatment" if len(query.x) > 1 else "outcome", remedy="Ask for one at a time.",
        )  # fmt: skip
    return query.x[0], query.y[0]


def _role(given: NodeSet | None, marked: tuple[str, ...], role: str) -> NodeSet:
    if given is None and not marked:
        raise GraphError(
            "missing-role", f"no {role} was named, and the graph marks none", where=role,
            remedy=f"Pass {role}=..., or mark it as in DAG(text, {role}='name').",
        )  # fmt: skip
    return marked if given is None else given


def causal_nodes(edges: Adjacency, x: Iterable[int], y: Iterable[int]) -> set[int]:
    """Nodes on directed paths from ``x`` to ``y`` that do not come back to ``x``, these left out."""
    starts = set(x)
    below = _walk(edges.children, [child for node in starts for child in edges.children[node]], starts)
    above = _walk(edges.parents, y, starts)
    return below & above


def _walk(table: list[list[int]], start: Iterable[int], barred: set[int]) -> set[int]:
    seen = set(start) - barred
    stack = list(seen)
    while stack:
        for other in table[stack.pop()]:
            if other not in seen and other not in barred:
                seen.add(other)
                stack.append(other)
    return seen
