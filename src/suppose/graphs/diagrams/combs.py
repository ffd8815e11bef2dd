r"""Interventions from observations alone: disintegration into a comb, and surgery on one of its wires.

A full-support state on ``A @ B`` is a marginal followed by a channel, in one way (disintegration). One on
``A @ B @ C`` is, in one way, a *comb* ``f`` around a channel ``g`` (Jacobs, Kissinger & Zanasi 2019): ``f``
outputs ``A``, takes ``B`` and outputs ``C``, its two teeth joined by a hidden wire; ``g`` leads from ``A`` to ``B``:

    g(b | a) = w(b | a),        f(a, c | b) = w(a) w(c | a, b).

If the world is built in that way, setting ``A`` cuts the wire from ``f`` to ``g``:

    P(c | do a) = sum_b g(b | a) sum_a' f(a', c | b).

The same holds with groups of wires and several teeth: the comb takes the whole set ``S`` of vertices that are
joined to ``A`` by paths of ``<->`` (its c-component), ``g`` takes all others, and

    P(v \ a | do a) = P(v) / Q[S] * sum_a Q[S],        Q[S] = prod over S of P(v_i | v_1 ... v_{i-1})

in a topological order (Tian & Pearl 2002, theorem 3). The comb exists when no child of ``A`` lies in ``S``. Only the
causes of the outcomes matter (their theorem 4), so a smaller question may be answerable where the whole is not.

The paper states the comb for three groups of wires; that ``S`` is the right group, and that the criterion is
necessary for the joint of all other vertices, is Tian and Pearl's. What it does not do: several treatments at
once, and effects for which the criterion is only sufficient (:mod:`suppose.graphs.identification` is complete).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from suppose.core.errors import EstimationError, GraphError
from suppose.graphs.dag import DAG, NodeSet, check_graph
from suppose.graphs.diagrams.diagram import Box, Diagram
from suppose.graphs.diagrams.types import Ty
from suppose.graphs.diagrams.wiring import Node, Wiring, compose
from suppose.graphs.factors import Factor

__all__ = ["Comb", "NoComb", "comb", "comb_disintegration", "comb_effect", "disintegrate"]

Names = tuple[str, ...]


def disintegrate(joint: Factor, given: str | Iterable[str]) -> tuple[Factor, Factor]:
    """Marginal of ``given``, and the channel from it to all other variables.

    Parameters
    ----------
    joint : Factor
        A state; sums to one.
    given : str or iterable of str
        Variables of the marginal.

    Returns
    -------
    marginal : Factor
        Over ``given``.
    channel : Factor
        Over the others, then ``given``.

    Raises
    ------
    EstimationError
        ``zero-support`` where the marginal is zero: the channel is not unique there.

    Examples
    --------
    >>> joint = Factor(("a", "b"), (("0", "1"), ("0", "1")), np.array([[.3, .3], [.1, .3]]))
    >>> marginal, channel = disintegrate(joint, "a")
    >>> marginal.values.tolist(), channel.at({"a": "1"}).values.round(9).tolist()
    ([0.6, 0.4], [0.25, 0.75])
    """
    names = [given] if isinstance(given, str) else list(given)
    marginal = joint.keep(names)
    rest = [name for name in joint.variables if name not in names]
    return marginal, _ratio(joint.reorder([*rest, *names]), marginal)


def _ratio(above: Factor, below: Factor) -> Factor:
    """The ratio, refused by name where the divisor is zero."""
    zero = np.argwhere(~(below.values > 0))
    if len(zero):
        cell = ", ".join(
            f"{name} = {states[int(k)]}"
            for name, states, k in zip(below.variables, below.states, zero[0], strict=True)
        )
        more = f" (and {len(zero) - 1} more)" if len(zero) > 1 else ""
        raise EstimationError(
            "zero-support", f"the formula divides by the probability of {cell}{more}, which is zero",
            where=f"P({', '.join(below.variables)})",
            remedy="Add a small number to every cell and divide by the sum, or ask about states that occur.",
        )  # fmt: skip
    return above / below


def comb_disintegration(
    joint: Factor, first: str | Iterable[str], middle: str | Iterable[str], last: str | Iterable[str]
) -> tuple[Factor, Factor]:
    """The channel and the comb that make up a state on three groups of wires.

    Parameters
    ----------
    joint : Factor
        Full support on ``first`` and ``middle``; other variables are summed out.
    first, middle, last : str or iterable of str
        ``A``, ``B`` and ``C``.

    Returns
    -------
    channel : Factor
        ``g(b | a)`` over (B, A).
    comb : Factor
        ``f(a, c | b)`` over (A, C, B).

    Raises
    ------
    EstimationError
        ``zero-support``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> joint = Factor(tuple("abc"), (("0", "1"),) * 3, rng.dirichlet(np.ones(8)).reshape(2, 2, 2))
    >>> g, f = comb_disintegration(joint, "a", "b", "c")
    >>> (g * f).allclose(joint)
    True
    """
    a, b, c = (_listed(part) for part in (first, middle, last))
    joint = joint.keep([*a, *b, *c])
    marginal, channel = disintegrate(joint.keep([*a, *b]), a)
    _, last_given = disintegrate(joint, [*a, *b])
    return channel.reorder([*b, *a]), (marginal * last_given).reorder([*a, *c, *b])


def comb_effect(channel: Factor, comb: Factor, first: str | Iterable[str]) -> Factor:
    """``P(c | do a)`` as a table over (C, A), from the two parts of :func:`comb_disintegration`.

    Examples
    --------
    >>> yes_no = ("0", "1")
    >>> values = np.array([.5, .1, .01, .02, .1, .05, .02, .2]).reshape(2, 2, 2)
    >>> g, f = comb_disintegration(Factor(tuple("STC"), (yes_no,) * 3, values), "S", "T", "C")
    >>> comb_effect(g, f, "S").at({"C": 1}).values.round(8).tolist()
    [0.25347763, 0.5422973]
    """
    a = _listed(first)
    b = [name for name in channel.variables if name not in a]
    c = [name for name in comb.variables if name not in a and name not in b]
    return (channel * comb.sum_out(a)).keep([*c, *a])


@dataclass(frozen=True)
class NoComb:
    """Why the treatment cannot be cut out of the observed state: a child shares hidden causes with it.

    Attributes
    ----------
    treatment : str
        The vertex to set.
    child : str
        One of its children.
    path : tuple of str
        Vertices of a path of ``<->`` from the treatment to that child.
    """

    treatment: str
    child: str
    path: Names

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return (
            f"no comb: {self.treatment} causes {self.child}, and hidden causes join them "
            f"({' <-> '.join(self.path)})"
        )


@dataclass(frozen=True)
class Comb:
    """A state seen as a comb around a channel, and what surgery makes of it.

    Attributes
    ----------
    graph : DAG
        The measured vertices that matter, hidden ones projected out.
    treatment : str
        The vertex to set.
    outcomes : tuple of str
        All vertices asked for.
    inside : tuple of str
        The c-component of the treatment: outputs of the comb.
    outside : tuple of str
        All other vertices: outputs of the channel.
    order : tuple of str
        The topological order of the conditionals.

    Examples
    --------
    >>> found = comb(DAG("S -> T -> C; S <-> C"), "S")
    >>> print(found)
    P(T, C | do S) = P(T | S) * sum over S of P(S) P(C | S, T)
    """

    graph: DAG
    treatment: str
    outcomes: Names
    inside: Names
    outside: Names
    order: Names

    def effect(self, joint: Factor | Any) -> Factor:
        """``P(outcomes | do treatment)`` as a table over (outcomes..., treatment).

        Parameters
        ----------
        joint : Factor, or an object with ``.query``
            The observed state over at least the vertices of ``graph``; a network is asked for it.

        Raises
        ------
        EstimationError
            ``zero-support``: a conditional of the formula is taken at a cell of probability zero.
        """
        if self.treatment not in self.order:  # causes none of the outcomes
            table = _marginal(joint, (*self.outcomes, self.treatment))
            states = table.states[table.axis(self.treatment)]
            ones = Factor((self.treatment,), (states,), np.ones(len(states)))
            return (table.keep(self.outcomes) * ones).keep([*self.outcomes, self.treatment])
        terms = []
        for name in self.order:
            table = self._conditional(joint, name)
            terms.append(_renamed(table, self.treatment) if name in self.inside else table)
        return _contracted(terms, (*self.outcomes, self.treatment))

    def conditioned_on(self, name: str) -> Names:
        """What the conditional of ``name`` in the formula is given: its c-component so far, and all their parents."""
        before = self.graph.subgraph(self.order[: self.order.index(name) + 1])
        part = next(part for part in before.districts() if name in part)
        needed = {*part, *before.parents(part)} - {name}
        return tuple(other for other in self.order if other in needed)

    def _conditional(self, joint: Factor | Any, name: str) -> Factor:
        given = self.conditioned_on(name)
        table = _marginal(joint, (name, *given))
        return _ratio(table, table.keep(given)) if given else table

    def diagram(self, *, cut: bool = False) -> Diagram:
        """The comb around its channel as a string diagram.

        Boxes ``f1, f2, ...`` are the teeth of the comb, joined by hidden memory wires ``M1, M2, ...``; ``g1, g2, ...``
        are the parts of the channel. With ``cut`` the treatment that the comb outputs is discarded and a
        uniform state takes its place.
        """
        return _comb_diagram(self, cut)

    def __str__(self) -> str:
        if self.treatment not in self.order:
            return f"P({', '.join(self.outcomes)} | do {self.treatment}) = P({', '.join(self.outcomes)})"
        left = [name for name in self.order if name not in (*self.outcomes, self.treatment)]
        head = f"P({', '.join(self.outcomes)} | do {self.treatment}) = "
        head += f"sum over {', '.join(left)} of " if left else ""
        parts = {name: _written(name, self.conditioned_on(name)) for name in self.order}
        outside = " ".join(parts[name] for name in self.outside)
        inside = " ".join(parts[name] for name in self.inside)
        return head + (f"{outside} * " if outside else "") + f"sum over {self.treatment} of {inside}"


def comb(graph: DAG | str, treatment: str, outcomes: NodeSet | None = None) -> Comb | NoComb:
    """Whether the observed state splits as a comb at ``treatment``, and how.

    Parameters
    ----------
    graph : DAG or str
        Hidden vertices as ``latent`` or as ``<->``.
    treatment : str
        The vertex to set.
    outcomes : str or iterable of str, optional
        Asked for; all other measured vertices when left out.

    Returns
    -------
    Comb or NoComb
        ``NoComb`` is false.

    Raises
    ------
    GraphError
        ``unknown-node``, ``latent-role``, ``overlapping-sets``.

    Examples
    --------
    >>> print(comb("X -> Y; X <-> Y", "X"))
    no comb: X causes Y, and hidden causes join them (X <-> Y)
    """
    from suppose.graphs.identification import project

    dag = DAG(graph) if isinstance(graph, str) else graph
    check_graph(dag)
    dag.ids(treatment, where="treatment")
    asked = None if outcomes is None else dag.names(dag.ids(outcomes, where="outcomes"))
    for name in (treatment, *(asked or ())):
        if name in dag.latent:
            raise GraphError(
                "latent-role", f"{name!r} was not measured", where="comb",
                remedy="Set measured vertices and ask about measured ones.",
            )  # fmt: skip
    if asked is not None and treatment in asked:
        raise GraphError(
            "overlapping-sets", f"{treatment!r} cannot be treatment and outcome at once", where="comb",
            remedy="Ask about vertices that are not set.",
        )  # fmt: skip
    mixed = project(dag)
    wanted = tuple(name for name in mixed.nodes if name != treatment) if asked is None else asked
    mixed = mixed if asked is None else mixed.subgraph(mixed.ancestors(wanted))
    order = mixed.order
    if treatment not in order:
        return Comb(mixed, treatment, wanted, (), order, order)
    district = next(part for part in mixed.districts() if treatment in part)
    for child in mixed.children(treatment):
        if child in district:
            return NoComb(treatment, child, _path(mixed, treatment, child))
    inside = tuple(name for name in order if name in district)
    return Comb(
        mixed, treatment, wanted, inside, tuple(name for name in order if name not in district), order
    )


def _path(graph: DAG, start: str, end: str) -> Names:
    """A shortest path of ``<->``."""
    before: dict[str, str] = {start: start}
    queue = [start]
    for name in queue:
        for other in graph.siblings(name):
            if other not in before:
                before[other] = name
                queue.append(other)
    path = [end]
    while path[-1] != start:
        path.append(before[path[-1]])
    return tuple(reversed(path))


def _marginal(joint: Factor | Any, names: Names) -> Factor:
    return joint.keep(names) if isinstance(joint, Factor) else joint.query(names)


def _inner(name: str) -> str:
    return f"{name} (inside the comb)"


def _renamed(table: Factor, treatment: str) -> Factor:
    """The table with the treatment that the comb itself outputs told apart from the one that is set."""
    names = tuple(_inner(name) if name == treatment else name for name in table.variables)
    return Factor(names, table.states, table.values)


def _contracted(terms: Sequence[Factor], keep: Names) -> Factor:
    """Sum of the product of the tables over all variables but ``keep``."""
    from suppose.graphs.networks.contraction import check_size, eliminate, plan_elimination

    states = {name: own for table in terms for name, own in table.states_of.items()}
    states |= {name: states[_inner(name)] for name in keep if name not in states}
    number = {name: k for k, name in enumerate(states)}
    parts = [(tuple(number[name] for name in table.variables), table.values) for table in terms]
    parts += [((number[name],), np.ones(len(states[name]))) for name in keep]
    kept = [number[name] for name in keep]
    plan = plan_elimination([ids for ids, _ in parts], [len(own) for own in states.values()], kept)
    check_size(plan, list(states))
    values, log = eliminate(parts, plan, kept)
    return Factor(keep, tuple(states[name] for name in keep), np.asarray(values * np.exp(log)))


def _written(name: str, given: Names) -> str:
    return f"P({name} | {', '.join(given)})" if given else f"P({name})"


def _blocks(found: Comb) -> list[tuple[bool, list[str]]]:
    """Runs of vertices, in order, that belong to the comb (True) or to the channel."""
    runs: list[tuple[bool, list[str]]] = []
    for name in found.order:
        inside = name in found.inside
        if not runs or runs[-1][0] != inside:
            runs.append((inside, []))
        runs[-1][1].append(name)
    return runs


def _comb_diagram(found: Comb, cut: bool) -> Diagram:
    types: list[str] = []
    nodes: list[Node] = []
    wire: dict[str, int] = {}
    memory: dict[bool, int | None] = {True: None, False: None}
    runs = _blocks(found)
    counts = {True: 0, False: 0}

    def fresh(name: str) -> int:
        types.append(name)
        return len(types) - 1

    for number, (inside, names) in enumerate(runs):
        counts[inside] += 1
        held = memory[inside]
        ins = [wire[name] for name in _needed(found, names, inside)] + ([] if held is None else [held])
        made = [fresh(name) for name in names]
        label = f"{'f' if inside else 'g'}{counts[inside]}"
        memory[inside] = fresh(f"M({label})") if _remembers(found, runs, number) else None
        held = memory[inside]
        outs = made + ([] if held is None else [held])
        nodes.append(Node(_box(label, types, ins, outs), tuple(ins), tuple(outs)))
        wire.update(zip(names, made, strict=True))
        if cut and found.treatment in names:
            wire[found.treatment] = fresh(found.treatment)
            nodes.append(Node(Diagram.uniform(found.treatment).layers[0].box, (), (wire[found.treatment],)))
    return compose(Wiring(tuple(types), (), tuple(wire[name] for name in found.order), tuple(nodes)))


def _box(label: str, types: Sequence[str], ins: Sequence[int], outs: Sequence[int]) -> Box:
    return Box(label, Ty(*(types[k] for k in ins)), Ty(*(types[k] for k in outs)))


def _remembers(found: Comb, runs: Sequence[tuple[bool, list[str]]], number: int) -> bool:
    """Whether hidden causes join this block, or one before it of its kind, with a later one of its kind."""
    inside = runs[number][0]
    before = {name for kind, names in runs[: number + 1] if kind == inside for name in names}
    after = {name for kind, names in runs[number + 1 :] if kind == inside for name in names}
    return any(before.intersection(part) and after.intersection(part) for part in found.graph.districts())


def _needed(found: Comb, names: Sequence[str], inside: bool) -> list[str]:
    """Wires a block reads: parents it does not make itself; a tooth of the comb remembers those of the comb."""
    parents = [name for name in found.order if name in found.graph.parents(names) and name not in names]
    return [name for name in parents if not inside or name not in found.inside]


def _listed(names: str | Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)
