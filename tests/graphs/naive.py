"""A second implementation of the graph questions, naive on purpose: definitions spelled out over all paths.

Hidden common causes are written out as extra nodes, every path is listed, and every definition is checked on
every subset of nodes. Nothing here is shared with the package, and nothing here is fast.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence

import numpy as np

Edge = tuple[str, str]


def random_graph(
    rng: random.Random, most: int = 10, bidirected: bool = False
) -> tuple[list[str], list[Edge], list[Edge]]:
    """Nodes, directed edges and bidirected edges of a random graph of 2 to ``most`` nodes."""
    n = rng.randint(2, most)
    nodes = [f"v{i}" for i in range(n)]
    order = rng.sample(nodes, n)
    density = min(1.0, rng.uniform(1.0, 4.4) / max(n - 1, 1))
    directed = [pair for pair in itertools.combinations(order, 2) if rng.random() < density]
    pairs = list(itertools.combinations(nodes, 2))
    few = rng.randint(1, 3) if bidirected else 0
    return nodes, directed, rng.sample(pairs, min(few, len(pairs)))


def random_ends(rng: random.Random, graph: Naive, several: bool = True) -> tuple[list[str], list[str]]:
    """One or two treatments and mostly one outcome; the outcome is mostly an effect of a treatment."""
    nodes = graph.observed
    x, y = rng.sample(nodes, 2)
    if y not in graph.below[x] and rng.random() < 0.8:
        x, y = next(
            ((a, b) for a in rng.sample(nodes, len(nodes)) for b in nodes if b in graph.below[a] - {a}),
            (x, y),
        )
    xs, ys = [x], [y]
    rest = [v for v in nodes if v not in (x, y)]
    if several and rest and rng.random() < 0.3:
        xs.append(rest.pop(rng.randrange(len(rest))))
    if several and rest and rng.random() < 0.1:
        ys.append(rng.choice(rest))
    return xs, ys


class Naive:
    """One graph with its hidden common causes written out as nodes ``U0``, ``U1``, ..."""

    def __init__(self, nodes: list[str], directed: list[Edge], bidirected: Sequence[Edge] = ()) -> None:
        self.observed = list(nodes)
        self.hidden = [f"U{i}" for i in range(len(bidirected))]
        spelled = [(u, end) for u, pair in zip(self.hidden, bidirected, strict=True) for end in pair]
        self.nodes = self.observed + self.hidden
        self.children = {v: {b for a, b in [*directed, *spelled] if a == v} for v in self.nodes}
        self.parents = {v: {a for a, b in [*directed, *spelled] if b == v} for v in self.nodes}
        self.below = {v: self._below(v) for v in self.nodes}

    def _below(self, node: str) -> set[str]:
        return {node}.union(*(self._below(child) for child in self.children[node]))

    def paths(self, x: str, y: str) -> list[list[str]]:
        """All paths between two nodes, along edges in either direction."""
        found, stack = [], [[x]]
        while stack:
            path = stack.pop()
            for nxt in self.children[path[-1]] | self.parents[path[-1]]:
                if nxt == y:
                    found.append([*path, y])
                elif nxt not in path:
                    stack.append([*path, nxt])
        return found

    def is_open(self, path: list[str], given: set[str]) -> bool:
        for left, node, right in zip(path, path[1:], path[2:], strict=False):
            if node in self.children[left] and node in self.children[right]:
                if not self.below[node] & given:
                    return False
            elif node in given:
                return False
        return True

    def separated(self, x: str, y: str, given: set[str]) -> bool:
        return not any(self.is_open(path, given) for path in self.paths(x, y))

    def is_causal(self, path: list[str]) -> bool:
        return all(b in self.children[a] for a, b in itertools.pairwise(path))

    def subsets(self, *without: str) -> list[set[str]]:
        rest = [v for v in self.observed if v not in without]
        return [set(c) for size in range(len(rest) + 1) for c in itertools.combinations(rest, size)]

    def proper(self, xs: list[str], ys: list[str]) -> list[list[str]]:
        """Paths from a treatment to an outcome that meet no other treatment."""
        return [path for x in xs for y in ys for path in self.paths(x, y) if not set(path[1:]) & set(xs)]

    def forbidden(self, xs: list[str], ys: list[str]) -> set[str]:
        on_way = {v for path in self.proper(xs, ys) if self.is_causal(path) for v in path[1:]}
        return set().union(*(self.below[v] for v in on_way))

    def adjustment_sets(self, xs: list[str], ys: list[str]) -> list[set[str]]:
        """Adjustment criterion (Shpitser, VanderWeele and Robins 2010) on every subset of measured nodes."""
        forbidden = self.forbidden(xs, ys)
        paths = [path for path in self.proper(xs, ys) if not self.is_causal(path)]
        bit = {v: 1 << i for i, v in enumerate(self.nodes)}
        masks = [self._masks(path, bit) for path in paths]
        found = []
        for subset in self.subsets(*xs, *ys):
            given = sum(bit[v] for v in subset)
            if not subset & forbidden and not any(
                not given & blockers and all(given & opener for opener in openers)
                for blockers, openers in masks
            ):
                found.append(subset)
        return found

    def _masks(self, path: list[str], bit: dict[str, int]) -> tuple[int, list[int]]:
        """Non-colliders of a path, and for each collider the nodes that open it, as bits."""
        blockers, openers = 0, []
        for left, node, right in zip(path, path[1:], path[2:], strict=False):
            if node in self.children[left] and node in self.children[right]:
                openers.append(sum(bit[v] for v in self.below[node]))
            else:
                blockers |= bit[node]
        return blockers, openers

    def is_instrument(self, z: str, given: set[str], x: str, y: str) -> bool:
        if {z, *given} & self.forbidden([x], [y]):
            return False
        cut = {path[1] for path in self.paths(x, y) if self.is_causal(path)}
        without = self.edited(lambda a, b: not (a == x and b in cut))
        return bool(cut) and not self.separated(z, x, given) and without.separated(z, y, given)

    def is_frontdoor(self, mediators: set[str], xs: list[str], ys: list[str]) -> bool:
        """Pearl's three conditions, with back-door paths of sets as in Wienoebst et al. (2024)."""
        causal = [p for x in xs for y in ys for p in self.paths(x, y) if self.is_causal(p)]
        if any(not set(path) & mediators for path in causal):
            return False
        no_x = self.edited(lambda a, b: a not in xs)
        if any(not no_x.separated(x, z, set()) for x in xs for z in mediators):
            return False
        no_z = self.edited(lambda a, b: a not in mediators)
        return all(no_z.separated(z, y, set(xs)) for z in mediators for y in ys)

    def edited(self, keep: Callable[[str, str], bool]) -> Naive:
        other = Naive(self.nodes, [(a, b) for a in self.nodes for b in self.children[a] if keep(a, b)])
        other.observed, other.hidden = self.observed, self.hidden
        return other

    def linear_model(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (effect, cause) and noise variances of a random linear model, hidden nodes last."""
        size = len(self.nodes)
        place = {v: i for i, v in enumerate(self.nodes)}
        B = np.zeros((size, size))
        for a in self.nodes:
            for b in sorted(self.children[a]):
                B[place[b], place[a]] = rng.choice([-1, 1]) * rng.uniform(0.3, 1.5)
        return B, rng.uniform(0.3, 2.0, size)

    def covariance(self, rng: np.random.Generator) -> np.ndarray:
        """Population covariance of a random linear Gaussian model on this graph."""
        return covariance_of(*self.linear_model(rng))


def covariance_of(coefficients: np.ndarray, noise: np.ndarray) -> np.ndarray:
    A = np.linalg.inv(np.eye(len(noise)) - coefficients)
    return A @ np.diag(noise) @ A.T


def minimal(sets: list[set[str]]) -> list[set[str]]:
    return [s for s in sets if not any(other < s for other in sets)]


def asymptotic_variances(cov: np.ndarray, xs: list[int], y: int, zs: list[int]) -> list[float]:
    """Variance of each coefficient of ``xs`` in the regression of ``y`` on ``xs`` and ``zs``."""
    regressors = [*xs, *zs]
    inverse = np.linalg.inv(cov[np.ix_(regressors, regressors)])
    b = cov[y, regressors]
    residual = cov[y, y] - b @ inverse @ b
    return [float(residual * inverse[i, i]) for i in range(len(xs))]
