"""All single marginals at once: a tree of cliques through which two passes of messages go.

The cliques of an elimination order form a tree in which the cliques of each variable are connected
(Lauritzen and Spiegelhalter 1988). Messages go from the leaves to the root and back; afterwards every clique
holds the joint of its variables (the scheme of Jensen, Lauritzen and Olesen 1990, with one division per edge).
Evidence is taken in by slicing the tables before the tree is made, so that it makes cliques smaller.

Axes of a clique are ordered with those shared with its parent last, in the parent's order: the message up is
then a sum over leading axes, which is what arrays do fastest.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from suppose.graphs.networks.contraction import Plan, Term, plan_elimination

__all__ = ["JunctionTree", "propagate"]


@dataclass(frozen=True)
class JunctionTree:
    """A tree of cliques, parents first.

    Attributes
    ----------
    cliques : tuple of tuple of int
        Variables of each clique, in the order of its axes.
    parents : tuple of int
        Number of the clique above, -1 for a root. A parent comes before its children.
    shared : tuple of int
        How many of a clique's last axes it shares with its parent.
    home : dict of int to int
        For every variable, the smallest clique it is in.
    rank : dict of int to int
        Place of every variable in the order of elimination.
    first : dict of int to int
        For every variable, the clique that holds what it was joined to when it was eliminated.
    plan : Plan
        The order of elimination behind it, with the sizes.
    """

    cliques: tuple[tuple[int, ...], ...]
    parents: tuple[int, ...]
    shared: tuple[int, ...]
    home: dict[int, int]
    rank: dict[int, int]
    first: dict[int, int]
    plan: Plan

    @classmethod
    def build(cls, scopes: Sequence[Collection[int]], sizes: Sequence[int]) -> JunctionTree:
        """The tree of the best elimination order found.

        Examples
        --------
        >>> tree = JunctionTree.build([(0,), (0, 1), (1, 2)], sizes=[2, 2, 2])
        >>> sorted(sorted(clique) for clique in tree.cliques)
        [[0, 1], [1, 2]]
        """
        plan = plan_elimination(scopes, sizes)
        rank = {v: i for i, v in enumerate(plan.order)}
        into = _absorbed(plan, rank)
        above = _parents(plan, rank, into)
        numbers: dict[int, int] = {}
        cliques: list[tuple[int, ...]] = []
        parents, shared = [], []
        for v in _downwards(above):
            parent, common = above[v]
            number = numbers[parent] if parent is not None else -1
            separator = [u for u in cliques[number] if u in common] if number >= 0 else []
            rest = sorted(set(plan.cliques[rank[v]]) - common, key=lambda u: (-sizes[u], u))
            numbers[v] = len(cliques)
            cliques.append((*rest, *separator))
            parents.append(number)
            shared.append(len(separator))
        home: dict[int, int] = {}
        for k in sorted(range(len(cliques)), key=lambda k: math.prod(sizes[u] for u in cliques[k])):
            for u in cliques[k]:
                home.setdefault(u, k)
        first = {v: numbers[into[v]] for v in plan.order}
        return cls(tuple(cliques), tuple(parents), tuple(shared), home, rank, first, plan)

    def place_of(self, scope: Collection[int]) -> int:
        """Number of a clique that holds all of ``scope``, the (not empty) variables of one table."""
        return self.first[min(scope, key=self.rank.__getitem__)]


def _absorbed(plan: Plan, rank: dict[int, int]) -> dict[int, int]:
    """For every variable the one whose clique holds its clique: itself where its clique is maximal."""
    into = {v: v for v in plan.order}
    for v, clique in zip(plan.order, plan.cliques, strict=True):
        if len(clique) > 1:
            u = min(clique[1:], key=rank.__getitem__)
            if into[u] == u and len(plan.cliques[rank[u]]) == len(clique) - 1:
                into[u] = into[v]
    return into


def _parents(
    plan: Plan, rank: dict[int, int], into: dict[int, int]
) -> dict[int, tuple[int | None, set[int]]]:
    """For every maximal clique the one above it and the variables they share; the last in a chain decides."""
    above: dict[int, tuple[int | None, set[int]]] = {}
    for v in plan.order:  # later members of a chain overwrite earlier ones
        left = plan.cliques[rank[v]][1:]
        above[into[v]] = (into[min(left, key=rank.__getitem__)] if left else None, set(left))
    return above


def _downwards(above: dict[int, tuple[int | None, set[int]]]) -> list[int]:
    """The cliques with every parent before its children."""
    children: dict[int | None, list[int]] = {}
    for v, (parent, _) in above.items():
        children.setdefault(parent, []).append(v)
    found = list(children.get(None, []))
    for v in found:  # grows while it is read
        found.extend(children.get(v, []))
    return found


def propagate(
    tree: JunctionTree, terms: Sequence[Term], sizes: Sequence[int]
) -> tuple[list[np.ndarray], float]:
    """The joint of every clique up to scale, and the logarithm of the sum of the product of all ``terms``.

    The logarithm is minus infinity when that sum is zero; the tables then mean nothing.
    """
    tables, log = _filled(tree, terms, sizes)
    messages: list[np.ndarray] = [np.ones(())] * len(tables)
    for k in range(len(tables) - 1, -1, -1):  # from the leaves up
        parent, table = tree.parents[k], tables[k]
        message = table.sum(axis=tuple(range(table.ndim - tree.shared[k])))
        top = float(np.max(message))
        if not top > 0:
            return tables, -math.inf
        log += math.log(top)
        messages[k] = np.asarray(message / top)
        if parent >= 0:
            tables[parent] *= _spread(tree, k, messages[k])
    for k, parent in enumerate(tree.parents):  # and back down
        if parent < 0:
            continue
        above, own = tree.cliques[parent], tree.cliques[k]
        separator = own[len(own) - tree.shared[k] :]
        gone = tuple(i for i, u in enumerate(above) if u not in separator)
        belief = np.add.reduce(tables[parent], axis=gone)
        ratio = np.divide(belief, messages[k], out=np.zeros_like(messages[k]), where=messages[k] > 0)
        top = float(np.max(ratio))
        tables[k] *= ratio / top if top > 0 else ratio
    return tables, log


def _spread(tree: JunctionTree, k: int, message: np.ndarray) -> np.ndarray:
    """A message to the parent of clique ``k`` with the parent's axes."""
    own, above = tree.cliques[k], tree.cliques[tree.parents[k]]
    separator = set(own[len(own) - tree.shared[k] :])
    lengths = iter(message.shape)
    return message.reshape([next(lengths) if u in separator else 1 for u in above])


def _filled(
    tree: JunctionTree, terms: Sequence[Term], sizes: Sequence[int]
) -> tuple[list[np.ndarray], float]:
    """Every clique's table as the product of the terms that belong to it, and the logarithm of the scalars."""
    tables = [np.ones([sizes[u] for u in clique]) for clique in tree.cliques]
    log = 0.0
    for ids, values in terms:
        if not ids:
            log += math.log(float(values)) if float(values) > 0 else -math.inf
            continue
        k = tree.place_of(ids)
        clique = tree.cliques[k]
        ordered = [u for u in clique if u in ids]
        turned = values.transpose([ids.index(u) for u in ordered])
        lengths = iter(turned.shape)
        tables[k] *= turned.reshape([next(lengths) if u in ids else 1 for u in clique])
    return tables, log
