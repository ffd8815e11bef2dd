"""Arrows for a skeleton: colliders from separating sets, what is known, and what follows.

An unshielded triple ``i - k - j`` collides in ``k`` where the set that separates ``i`` and ``j`` does not hold
``k`` (Spirtes, Glymour and Scheines 2000, section 5.4.2). Rules: ``maxp`` and ``sepset`` read the kept set;
``conservative`` and ``majority`` test all sets of neighbours again and ask for all, or most, of those that separate
(Ramsey, Spirtes and Zhang 2006; Colombo and Maathuis 2014, section 4.2); triples left open are *ambiguous*.

Knowledge is written first and wins over tests; a collider it overrules is listed as a conflict. All arrowheads asked
for by colliders are written together: an edge asked for both ways becomes ``<->`` and is listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Int, Int8
from numba import njit

from suppose.discovery.protocol import CITest
from suppose.discovery.skeleton import Skeleton, ask, neighbour_lists, subsets_of_pairs
from suppose.graphs.meek import ARROW, NONE, TAIL, close

__all__ = ["COLLIDERS", "Conflict", "Orientation", "orient"]

COLLIDERS = ("maxp", "sepset", "conservative", "majority")
KNOWN, COLLIDER, RULE = 1, 2, 3


@dataclass(frozen=True)
class Conflict:
    """An edge that two grounds turn in opposite ways.

    Attributes
    ----------
    edge : (str, str)
    reason : str
        The grounds, in words.
    """

    edge: tuple[str, str]
    reason: str

    def __str__(self) -> str:
        return f"{self.edge[0]} and {self.edge[1]}: {self.reason}"


@dataclass(frozen=True)
class Orientation:
    """Marks of a skeleton, and their grounds.

    Attributes
    ----------
    marks : (p, p) int8
        Edge marks, see :mod:`suppose.graphs.meek`.
    reason : (p, p) int8
        Ground of the arrowhead at the second node: 1 known, 2 collider, 3 follows by Meek's rules.
    colliders, ambiguous : (m, 3) int
        Triples ``i, k, j`` that collide in ``k``, and those left open.
    conflicts : tuple of Conflict
    asked : int
        Questions asked for the orientation.
    """

    marks: Int8[np.ndarray, "p p"]
    reason: Int8[np.ndarray, "p p"]
    colliders: Int[np.ndarray, "c 3"]
    ambiguous: Int[np.ndarray, "a 3"]
    conflicts: tuple[Conflict, ...]
    asked: int


def orient(
    skeleton: Skeleton,
    test: CITest,
    *,
    alpha: float,
    rule: str,
    required: Bool[np.ndarray, "p p"],
    forbidden: Bool[np.ndarray, "p p"],
    jobs: int = 1,
) -> Orientation:
    """Turn the edges of a skeleton.

    Parameters
    ----------
    skeleton : Skeleton
    test : CITest
        Asked again by the rules ``conservative`` and ``majority`` only.
    alpha : float
    rule : {"maxp", "sepset", "conservative", "majority"}
    required, forbidden : (p, p) bool
        Arrows known to be, or not to be, from the first node to the second.
    jobs : int
        Threads.
    """
    names, adjacent = test.names, skeleton.adjacent
    marks = np.where(adjacent, TAIL, NONE).astype(np.int8)
    known = adjacent & (required | (forbidden.T & ~forbidden))
    marks[known] = ARROW
    triples = _triples(*neighbour_lists(adjacent), adjacent)
    verdict, asked = _verdicts(skeleton, test, triples, alpha, rule, jobs)
    colliders, ambiguous = triples[verdict == 1], triples[verdict < 0]
    conflicts = _collide(marks, known, colliders, names)
    reason = np.where(known, KNOWN, np.where(marks == ARROW, COLLIDER, 0)).astype(np.int8)
    p = len(names)
    keys = (ambiguous[:, 1] * p + ambiguous[:, 0]) * p + ambiguous[:, 2]
    for a, b in close(marks, keys, fourth=bool(known.any())):
        conflicts.append(
            Conflict((names[a], names[b]), "rules that follow from other arrows turn it both ways")
        )
    reason[(marks == ARROW) & (reason == 0)] = RULE
    return Orientation(marks, reason, colliders, ambiguous, tuple(conflicts), asked)


def _collide(
    marks: np.ndarray, known: np.ndarray, colliders: np.ndarray, names: Sequence[str]
) -> list[Conflict]:
    """Write the arrowheads of all colliders; the conflicts among them and with what is known."""
    wanted = np.zeros(marks.shape, dtype=bool)
    wanted[colliders[:, 0], colliders[:, 1]] = wanted[colliders[:, 2], colliders[:, 1]] = True
    overruled = wanted & known.T
    marks[wanted & ~overruled] = ARROW
    found = []
    for a, b in np.argwhere(overruled):
        text = f"a collider asks for {names[a]} -> {names[b]}, knowledge says the opposite and was kept"
        found.append(Conflict((names[a], names[b]), text))
    for a, b in np.argwhere(np.triu((marks == ARROW) & (marks.T == ARROW), 1)):
        found.append(Conflict((names[a], names[b]), "colliders at both of its ends ask for an arrowhead"))
    return found


@njit(cache=True, nogil=True)
@no_type_check
def _triples(near: np.ndarray, starts: np.ndarray, adjacent: np.ndarray) -> np.ndarray:
    """Unshielded triples ``i, k, j`` with ``i < j``."""
    count = 0
    out = np.empty((0, 3), np.int64)
    for turn in range(2):
        if turn:
            out = np.empty((count, 3), np.int64)
        count = 0
        for k in range(len(adjacent)):
            for a in range(starts[k], starts[k + 1]):
                for b in range(a + 1, starts[k + 1]):
                    i, j = near[a], near[b]
                    if not adjacent[i, j]:
                        if turn:
                            out[count, 0], out[count, 1], out[count, 2] = i, k, j
                        count += 1
    return out


def _verdicts(
    skeleton: Skeleton, test: CITest, triples: np.ndarray, alpha: float, rule: str, jobs: int
) -> tuple[np.ndarray, int]:
    """1 collider, 0 not, -1 open, for each triple; and questions asked."""
    sets = skeleton.sepsets
    row = sets.row[triples[:, 0], triples[:, 2]]
    holds = (sets.members[np.maximum(row, 0)] == triples[:, 1, None]).any(axis=1)
    verdict = np.where(row < 0, -1, ~holds).astype(np.int64)
    if rule in ("maxp", "sepset") or not len(triples):
        return verdict, 0
    pairs, which = np.unique(triples[:, [0, 2]], axis=0, return_inverse=True)
    separating, holding, asked = _counts(skeleton, test, pairs, which.ravel(), triples[:, 1], alpha, jobs)
    with np.errstate(invalid="ignore"):
        share = holding / separating
    if rule == "conservative":
        again = np.where(share == 0, 1, np.where(share == 1, 0, -1))
    else:
        again = np.where(share < 0.5, 1, np.where(share > 0.5, 0, -1))
    return np.where((separating > 0) & (row >= 0), again, verdict), asked


def _counts(
    skeleton: Skeleton,
    test: CITest,
    pairs: np.ndarray,
    which: np.ndarray,
    middle: np.ndarray,
    alpha: float,
    jobs: int,
) -> tuple[np.ndarray, np.ndarray, int]:
    """How many sets of neighbours separate the ends of each triple, and how many of those hold its middle."""
    separating, holding = np.zeros(len(which)), np.zeros(len(which))
    asked = 0
    for level in range(len(skeleton.tests)):
        q, S = subsets_of_pairs(skeleton.adjacent, pairs, level)
        if not len(q):
            continue
        p = ask(test, pairs[q, 0], pairs[q, 1], S, jobs)
        asked += len(q)
        good = p > alpha
        total = np.bincount(q[good], minlength=len(pairs))
        separating += total[which]
        inside = np.zeros((len(pairs), len(test.names)))
        for c in range(level):
            np.add.at(inside, (q[good], S[good, c]), 1)
        holding += inside[which, middle]
    return separating, holding, asked
