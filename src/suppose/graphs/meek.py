"""Arrows that follow from arrows: Meek's rules on a matrix of edge marks, and the pattern of a DAG.

A graph is an ``int8`` matrix ``marks``: ``marks[i, j]`` is the mark at ``j`` of the edge between ``i`` and ``j``, 0
for no edge, 1 a circle, 2 an arrowhead, 3 a tail. So ``i -> j`` is ``marks[i, j] = 2, marks[j, i] = 3``.

:func:`close` applies the rules R1 to R4 of Meek (1995, section 2.1): an undirected edge is turned where the
other way round would make a new collider or a cycle. Deviation: all edges are judged on the same graph and
turned together, sweep after sweep, so the result does not depend on the order of nodes; an edge that
is asked to point both ways becomes ``<->`` and is handed back as a conflict instead of keeping the last
word. What it does not do: rules for circles (see FCI), or a repair of cycles that the input already holds.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import Int, Int8
from numba import njit

__all__ = ["ARROW", "CIRCLE", "NONE", "TAIL", "close", "pattern"]

NONE, CIRCLE, ARROW, TAIL = 0, 1, 2, 3


def close(
    marks: Int8[np.ndarray, "p p"],
    ambiguous: Int[np.ndarray, " m"] | None = None,
    *,
    fourth: bool = False,
) -> Int[np.ndarray, "c 2"]:
    """Turn, in place, every undirected edge that Meek's rules turn.

    Parameters
    ----------
    marks : (p, p) int8
        Edge marks, changed in place.
    ambiguous : (m,) int, optional
        Triples ``i - k - j`` of which it is not known whether they collide, each as ``(k p + min) p + max``;
        rules 1 and 3 are not applied to them.
    fourth : bool
        Whether rule 4 is applied, which only background knowledge can call for.

    Returns
    -------
    (c, 2) int
        Edges asked to point both ways.

    Examples
    --------
    >>> marks = np.array([[0, 2, 0], [3, 0, 3], [0, 3, 0]], dtype=np.int8)  # 0 -> 1 - 2
    >>> len(close(marks)), marks.tolist()
    (0, [[0, 2, 0], [3, 0, 2], [0, 3, 0]])
    """
    keys = np.empty(0, dtype=np.int64) if ambiguous is None else np.sort(ambiguous).astype(np.int64)
    conflicts = np.empty((max(int((marks > 0).sum()) // 2, 1), 2), dtype=np.int64)
    count = _close(marks, keys, fourth, conflicts)
    return conflicts[:count]


def pattern(parents: Int8[np.ndarray, "p p"]) -> Int8[np.ndarray, "p p"]:
    """Marks of the completed partially directed graph of a DAG given as ``parents[i, j] = 1`` for ``i -> j``.

    An edge keeps its arrow where all DAGs with the same separations share it (Verma and Pearl 1990).

    Examples
    --------
    >>> pattern(np.array([[0, 1, 0], [0, 0, 0], [0, 1, 0]], dtype=np.int8)).tolist()  # 0 -> 1 <- 2
    [[0, 2, 0], [3, 0, 3], [0, 2, 0]]
    """
    marks: np.ndarray = _collided(np.ascontiguousarray(parents))
    close(marks)
    return marks


@njit(cache=True, nogil=True)
@no_type_check
def _collided(parents: np.ndarray) -> np.ndarray:
    p = len(parents)
    marks = np.zeros((p, p), np.int8)
    for i in range(p):
        for j in range(p):
            if parents[i, j]:
                marks[i, j] = marks[j, i] = 3
    listed = np.empty(p, np.int64)
    for k in range(p):
        count = 0
        for i in range(p):
            if parents[i, k]:
                listed[count] = i
                count += 1
        for a in range(count):
            for b in range(a):
                i, j = listed[a], listed[b]
                if marks[i, j] == 0:
                    marks[i, k] = 2
                    marks[j, k] = 2
    return marks


@njit(cache=True, nogil=True)
@no_type_check
def _known(keys: np.ndarray, p: int, k: int, i: int, j: int) -> bool:
    """Whether the triple ``i - k - j`` is not ambiguous."""
    if len(keys) == 0:
        return True
    key = (k * p + min(i, j)) * p + max(i, j)
    at = np.searchsorted(keys, key)
    return not (at < len(keys) and keys[at] == key)


@njit(cache=True, nogil=True)
@no_type_check
def _forced(marks: np.ndarray, near: np.ndarray, keys: np.ndarray, i: int, j: int, fourth: bool) -> bool:
    """Whether a rule turns ``i - j`` into ``i -> j``; ``near`` lists the neighbours of ``i``."""
    p = len(marks)
    for k in near:
        if k == j:
            continue
        into, back = marks[k, i], marks[i, k]
        if into == 2 and back == 3 and marks[k, j] == 0 and _known(keys, p, i, k, j):
            return True
        points = marks[k, j] == 2 and marks[j, k] == 3
        if back == 2 and into == 3 and points:
            return True
        if into != 3 or back != 3:
            continue
        if points:
            for m in near:
                if (
                    m > k
                    and m != j
                    and marks[m, i] == 3
                    and marks[i, m] == 3
                    and marks[m, j] == 2
                    and marks[j, m] == 3
                    and marks[k, m] == 0
                    and _known(keys, p, i, k, m)
                ):
                    return True
        if fourth and marks[k, j] == 0:
            for m in near:
                if (
                    m != k
                    and m != j
                    and marks[k, m] == 2
                    and marks[m, k] == 3
                    and marks[m, j] == 2
                    and marks[j, m] == 3
                ):
                    return True
    return False


@njit(cache=True, nogil=True)
@no_type_check
def _close(marks: np.ndarray, keys: np.ndarray, fourth: bool, conflicts: np.ndarray) -> int:
    p = len(marks)
    near = [np.flatnonzero(marks[i]) for i in range(p)]
    wants = np.empty((conflicts.shape[0] + 1, 4), np.int64)
    count = 0
    while True:
        asked = 0
        for i in range(p):
            for j in near[i]:
                if i < j and marks[i, j] == 3 and marks[j, i] == 3:
                    there = _forced(marks, near[i], keys, i, j, fourth)
                    back = _forced(marks, near[j], keys, j, i, fourth)
                    if there or back:
                        wants[asked, 0], wants[asked, 1] = i, j
                        wants[asked, 2], wants[asked, 3] = there, back
                        asked += 1
        if asked == 0:
            return count
        for a in range(asked):
            i, j = wants[a, 0], wants[a, 1]
            if wants[a, 2]:
                marks[i, j] = 2
            if wants[a, 3]:
                marks[j, i] = 2
            if wants[a, 2] and wants[a, 3]:
                conflicts[count, 0], conflicts[count, 1] = i, j
                count += 1
