"""Which pairs of variables stay connected whatever is held fixed: the skeleton of PC, order-independent.

PC-stable (Colombo and Maathuis 2014, section 4.1): in level ``k`` each pair that is still connected is tested
given every set of ``k`` neighbours of either side, neighbours being frozen when the level starts. A pair
is cut where a set makes it independent.

Deviation: with the collider rule ``maxp`` a pair is not cut at the first such set; the set of the largest
p-value of the level is kept (Ramsey 2016), which costs more tests and makes sets independent of the order of
variables. For Fisher's z on equal rows the comparison is of ``|r|`` with one threshold per level, in machine
code, pairs spread over threads; each pair writes its own cells only, so any number of threads gives the same bits.

What it does not do: it does not orient, and does not correct p-values for being many.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from math import comb
from typing import Any, no_type_check

import numpy as np
from jaxtyping import Bool, Int
from numba import njit
from scipy import special

from suppose.core.errors import EstimationError
from suppose.core.progress import progress
from suppose.core.tables import available_memory
from suppose.discovery.gaussian import FisherZ
from suppose.discovery.protocol import CITest

__all__ = ["SeparatingSets", "Skeleton", "ask", "learn_skeleton", "subsets_of_pairs"]

CHUNK = 1 << 18
"""Questions put to a test at once."""


@dataclass
class SeparatingSets:
    """Sets that separate pairs, as rows of one table.

    Attributes
    ----------
    row : (p, p) int32
        Row of ``members`` of each pair; -1 where the pair has none.
    members : (m, k) int16
        Variables of each set, padded with -1; row 0 is the empty set.
    """

    row: Int[np.ndarray, "p p"]
    members: Int[np.ndarray, "m k"]

    def get(self, i: int, j: int) -> tuple[int, ...] | None:
        """The set of a pair, ``None`` where there is none."""
        at = self.row[i, j]
        return None if at < 0 else tuple(int(v) for v in self.members[at] if v >= 0)

    def holds(self, k: int, i: int, j: int) -> bool:
        """Whether the set of ``i`` and ``j`` holds ``k``."""
        return bool((self.members[self.row[i, j]] == k).any())

    def add(self, pairs: Int[np.ndarray, "a 2"], sets: Int[np.ndarray, "a k"]) -> None:
        """Note the sets of more pairs."""
        k = sets.shape[1]
        if k > self.members.shape[1]:
            wide = np.full((len(self.members), k), -1, dtype=np.int16)
            wide[:, : self.members.shape[1]] = self.members
            self.members = wide
        new = np.full((len(pairs), self.members.shape[1]), -1, dtype=np.int16)
        new[:, :k] = sets
        rows = np.arange(len(pairs)) + len(self.members)
        self.row[pairs[:, 0], pairs[:, 1]] = self.row[pairs[:, 1], pairs[:, 0]] = rows
        self.members = np.vstack([self.members, new])


@dataclass
class Skeleton:
    """What the tests leave connected.

    Attributes
    ----------
    adjacent : (p, p) bool
    sepsets : SeparatingSets
    tests : list of int
        Questions asked in each level.
    untested : int
        Questions that could not be tested, taken as independence.
    singular : list
        Pairs with a set of which a variable follows from the others: ``(i, j, set)``, the first of each pair.
    """

    adjacent: Bool[np.ndarray, "p p"]
    sepsets: SeparatingSets
    tests: list[int] = field(default_factory=list)
    untested: int = 0
    singular: list[tuple[int, int, tuple[int, ...]]] = field(default_factory=list)


def learn_skeleton(
    test: CITest,
    alpha: float,
    *,
    first_set: bool = False,
    max_cond: int | None = None,
    never: Bool[np.ndarray, "p p"] | None = None,
    always: Bool[np.ndarray, "p p"] | None = None,
    jobs: int = 1,
    label: str | None = None,
) -> Skeleton:
    """Skeleton of the variables of ``test``.

    Parameters
    ----------
    test : CITest
    alpha : float
        A pair with a p-value above it is independent.
    first_set : bool
        Whether a pair is cut at the first separating set, in place of the one with the largest p-value.
    max_cond : int, optional
        Largest number of variables held fixed.
    never, always : (p, p) bool, optional
        Pairs known not to be, or to be, connected; both are not tested.
    jobs : int
        Threads.
    label : str, optional
        Name of the progress bar.

    Raises
    ------
    EstimationError
        ``not-enough-memory`` where the matrices of all pairs do not fit.
    """
    p = len(test.names)
    _check_memory(p)
    free = ~np.eye(p, dtype=bool) if never is None else ~never & ~np.eye(p, dtype=bool)
    fixed = np.zeros((p, p), dtype=bool) if always is None else always
    row = np.full((p, p), -1, dtype=np.int32)
    state = Skeleton(free, SeparatingSets(row, np.full((1, 0), -1, dtype=np.int16)))
    fast = isinstance(test, FisherZ) and test.rows_of_pair is None
    level = 0
    with progress(label, None) as bar:
        while level <= (p if max_cond is None else max_cond):
            pairs = np.argwhere(np.triu(state.adjacent & ~fixed, 1))
            counts = state.adjacent.sum(axis=1)
            reach = np.maximum(counts[pairs[:, 0]], counts[pairs[:, 1]]) - 1
            pairs = pairs[reach >= level]
            if not len(pairs):
                break
            step = _gaussian_level if fast else _general_level
            cut, sets, asked = step(test, state, pairs, level, alpha, first_set, jobs)
            state.tests.append(asked)
            _cut(state, cut, sets)
            bar.advance()
            level += 1
    return state


def _check_memory(p: int) -> None:
    need, free = 40 * p * p, available_memory()
    if free is not None and need > free:
        raise EstimationError(
            "not-enough-memory", f"{p:,} variables need about {need / 1e9:.1f} GB, this machine has "
            f"{free / 1e9:.1f} GB free", where="X", remedy="Leave variables out.",
        )  # fmt: skip


def _cut(state: Skeleton, pairs: np.ndarray, sets: np.ndarray) -> None:
    state.adjacent = state.adjacent.copy()
    state.adjacent[pairs[:, 0], pairs[:, 1]] = state.adjacent[pairs[:, 1], pairs[:, 0]] = False
    if sets.shape[1] == 0:
        state.sepsets.row[pairs[:, 0], pairs[:, 1]] = state.sepsets.row[pairs[:, 1], pairs[:, 0]] = 0
    elif len(pairs):
        state.sepsets.add(pairs, sets)


def neighbour_lists(adjacent: Bool[np.ndarray, "p p"]) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours of all variables one after the other, and where each one's begin."""
    starts = np.concatenate([[0], np.cumsum(adjacent.sum(axis=1))]).astype(np.int64)
    return np.nonzero(adjacent)[1].astype(np.int64), starts


def in_threads(work: Callable[[int, int], Any], count: int, jobs: int) -> list[Any]:
    """``work(low, high)`` over ``count`` pieces in order, in threads."""
    if jobs <= 1 or count < 2:
        return [work(0, count)]
    edges = np.linspace(0, count, min(count, 4 * jobs) + 1).astype(int)
    spans = [(int(a), int(b)) for a, b in pairwise(edges) if b > a]
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda span: work(*span), spans))


# ------------------------------------------------------------------ Fisher's z, in machine code


def _gaussian_level(
    test: Any, state: Skeleton, pairs: np.ndarray, level: int, alpha: float, first_set: bool, jobs: int
) -> tuple[np.ndarray, np.ndarray, int]:
    left = test.n - level - 3
    wall = np.tanh(special.ndtri(1 - alpha / 2) / np.sqrt(left)) if left > 0 else 1.0
    if left <= 0:
        state.untested += len(pairs)
        return pairs, np.full((len(pairs), level), -1, dtype=np.int16), 0
    if level == 0:
        independent = np.abs(test.correlation[pairs[:, 0], pairs[:, 1]]) < wall
        test._count(len(pairs))
        found = pairs[independent]
        return found, np.empty((len(found), 0), dtype=np.int16), len(pairs)
    near, starts = neighbour_lists(state.adjacent)
    sets = np.full((len(pairs), level), -1, dtype=np.int16)
    weird = np.full((len(pairs), level), -1, dtype=np.int16)

    def work(low: int, high: int) -> int:
        return int(
            _gaussian_pairs(
                test.correlation, state.adjacent, near, starts, pairs, low, high, level, wall, first_set,
                sets, weird,
            )
        )  # fmt: skip

    asked = sum(in_threads(work, len(pairs), jobs))
    test._count(asked)
    state.singular += [
        (int(i), int(j), tuple(int(v) for v in members))
        for (i, j), members in zip(pairs[weird[:, 0] >= 0], weird[weird[:, 0] >= 0], strict=True)
    ]
    done = sets[:, 0] >= 0
    return pairs[done], sets[done], asked


@njit(cache=True, nogil=True)
@no_type_check
def _r(R: np.ndarray, i: int, j: int, S: np.ndarray, k: int, L: np.ndarray, place: np.ndarray) -> float:
    """``|r|`` of ``i`` and ``j`` given the ``k`` variables ``S``; 2 where the block is singular."""
    if k == 1:
        a, b = R[i, S[0]], R[j, S[0]]
        u, v = 1.0 - a * a, 1.0 - b * b
        if u < 1e-12 or v < 1e-12:
            return 2.0
        r = abs(R[i, j] - a * b) / np.sqrt(u * v)
        return r if v * (1.0 - r * r) >= 1e-12 else 2.0
    for c in range(k):
        place[c] = S[c]
    place[k] = i
    place[k + 1] = j
    for r in range(k + 2):
        for c in range(r):
            s = R[place[r], place[c]]
            for b in range(c):
                s -= L[r, b] * L[c, b]
            L[r, c] = s / L[c, c]
        s = R[place[r], place[r]]
        for b in range(r):
            s -= L[r, b] * L[r, b]
        if s < 1e-12:
            return 2.0
        L[r, r] = np.sqrt(s)
    top, rest = L[k + 1, k], L[k + 1, k + 1]
    return abs(top) / np.sqrt(top * top + rest * rest)


@njit(cache=True, nogil=True)
@no_type_check
def _next(at: np.ndarray, k: int, m: int) -> bool:
    """The next ``k`` of ``m`` places in lexicographic order; false after the last."""
    c = k - 1
    while c >= 0 and at[c] == m - k + c:
        c -= 1
    if c < 0:
        return False
    at[c] += 1
    for d in range(c + 1, k):
        at[d] = at[d - 1] + 1
    return True


@njit(cache=True, nogil=True)
@no_type_check
def _others(near: np.ndarray, starts: np.ndarray, a: int, b: int, others: np.ndarray) -> int:
    """Writes the neighbours of ``a`` other than ``b``; how many there are."""
    m = 0
    for v in near[starts[a] : starts[a + 1]]:
        if v != b:
            others[m] = v
            m += 1
    return m


@njit(cache=True, nogil=True)
@no_type_check
def _gaussian_pairs(
    R: np.ndarray,
    adjacent: np.ndarray,
    near: np.ndarray,
    starts: np.ndarray,
    pairs: np.ndarray,
    low: int,
    high: int,
    k: int,
    wall: float,
    first_set: bool,
    sets: np.ndarray,
    weird: np.ndarray,
) -> int:
    L, place = np.zeros((k + 2, k + 2)), np.empty(k + 2, np.int64)
    at, S = np.empty(k, np.int64), np.empty(k, np.int64)
    others = np.empty(len(R), np.int64)
    asked = 0
    for q in range(low, high):
        i, j = pairs[q, 0], pairs[q, 1]
        best = wall
        for side in range(2):
            m = _others(near, starts, pairs[q, side], pairs[q, 1 - side], others)
            if m < k or (first_set and sets[q, 0] >= 0):
                continue
            for c in range(k):
                at[c] = c
            while True:
                fresh = side == 0
                for c in range(k):
                    S[c] = others[at[c]]
                    fresh = fresh or not adjacent[i, S[c]]
                if fresh:
                    r = _r(R, i, j, S, k, L, place)
                    asked += 1
                    if r < best:
                        best = r
                        sets[q, :] = S
                        if first_set:
                            break
                    elif r == 2.0 and weird[q, 0] < 0:
                        weird[q, :] = S
                if not _next(at, k, m):
                    break
    return asked


# ------------------------------------------------------------------ any test


def _general_level(
    test: CITest, state: Skeleton, pairs: np.ndarray, level: int, alpha: float, first_set: bool, jobs: int
) -> tuple[np.ndarray, np.ndarray, int]:
    cut, sets, asked = [np.empty((0, 2), dtype=np.int64)], [np.empty((0, level), dtype=np.int16)], 0
    for low, high in _portions(state.adjacent, pairs, level):
        q, S = subsets_of_pairs(state.adjacent, pairs[low:high], level)
        some = pairs[low:high]
        if first_set and test.costly:
            p, count = _by_rounds(test, some, q, S, alpha, jobs)
        else:
            p, count = ask(test, some[q, 0], some[q, 1], S, jobs), len(q)
        asked += count
        bare = np.isnan(p)
        state.untested += int(bare.sum())
        independent = bare | (p > alpha)
        key = np.where(bare, 0.0, p) if not first_set else np.ones(len(p))
        order = np.lexsort((np.arange(len(q)), -key, q))
        order = order[independent[order]]
        first = np.unique(q[order], return_index=True)[1]
        chosen = order[first]
        cut.append(some[q[chosen]])
        sets.append(S[chosen].astype(np.int16))
    return np.vstack(cut), np.vstack(sets), asked


def _portions(adjacent: np.ndarray, pairs: np.ndarray, level: int) -> list[tuple[int, int]]:
    """Spans of pairs with about ``CHUNK`` questions each."""
    counts = adjacent.sum(axis=1) - 1
    size = [comb(int(counts[i]), level) + comb(int(counts[j]), level) for i, j in pairs]
    block = np.cumsum(size) // CHUNK
    edges = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), len(pairs)]
    return list(pairwise(edges))


def subsets_of_pairs(
    adjacent: Bool[np.ndarray, "p p"], pairs: Int[np.ndarray, "a 2"], level: int
) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, "m k"]]:
    """All sets of ``level`` neighbours of either side of each pair: number of the pair, and the set, each once."""
    if level == 0:
        return np.arange(len(pairs)), np.empty((len(pairs), 0), dtype=np.int64)
    near, starts = neighbour_lists(adjacent)
    count = int(
        _subsets(adjacent, near, starts, pairs, level, np.empty(0, np.int64), np.empty((0, 0), np.int64))
    )
    q, S = np.empty(count, dtype=np.int64), np.empty((count, level), dtype=np.int64)
    _subsets(adjacent, near, starts, pairs, level, q, S)
    return q, S


@njit(cache=True, nogil=True)
@no_type_check
def _subsets(
    adjacent: np.ndarray,
    near: np.ndarray,
    starts: np.ndarray,
    pairs: np.ndarray,
    k: int,
    q: np.ndarray,
    out: np.ndarray,
) -> int:
    at, others = np.empty(k, np.int64), np.empty(len(adjacent), np.int64)
    count = 0
    for pair in range(len(pairs)):
        for side in range(2):
            b = pairs[pair, 1 - side]
            m = _others(near, starts, pairs[pair, side], b, others)
            if m < k:
                continue
            for c in range(k):
                at[c] = c
            while True:
                fresh = side == 0
                for c in range(k):
                    fresh = fresh or not adjacent[b, others[at[c]]]
                if fresh:
                    if len(q):
                        q[count] = pair
                        for c in range(k):
                            out[count, c] = others[at[c]]
                    count += 1
                if not _next(at, k, m):
                    break
    return count


def ask(
    test: CITest, i: Int[np.ndarray, " m"], j: Int[np.ndarray, " m"], S: Int[np.ndarray, "m k"], jobs: int
) -> np.ndarray:
    """p-values of many questions, spread over threads."""
    if not len(i):
        return np.empty(0)
    parts = in_threads(lambda a, b: test.batch(i[a:b], j[a:b], S[a:b]).p, len(i), jobs)
    return np.concatenate(parts)


def _by_rounds(
    test: CITest, pairs: np.ndarray, q: np.ndarray, S: np.ndarray, alpha: float, jobs: int
) -> tuple[np.ndarray, int]:
    """p-values asked one set per pair and round, until a set separates; 0 for what was not asked."""
    p, asked = np.zeros(len(q)), 0
    turn = np.arange(len(q)) - np.searchsorted(q, q)
    open_ = np.ones(len(pairs), dtype=bool)
    for r in range(int(turn.max(initial=-1)) + 1):
        now = np.flatnonzero((turn == r) & open_[q])
        if not len(now):
            break
        p[now] = ask(test, pairs[q[now], 0], pairs[q[now], 1], S[now], jobs)
        asked += len(now)
        open_[q[now]] = p[now] <= alpha
    return p, asked
