"""Where the nodes of a drawing stand and how its edges run: layers in the manner of Sugiyama et al. (1981).

Four steps, as in Gansner et al. (1993): every node gets a layer, causes before effects, with the shortest
edges possible (a linear program); long edges get a bend point in each layer they cross; the order within
layers is improved by medians and swaps until fewer edges cross; positions within layers follow from a second
linear program that straightens edges. Nothing but an edge's own ends ever touches a node: edges cross layers
only at their bend points, and turn only in the gaps between layers.

Coordinates: ``depth`` grows from causes to effects, ``cross`` along a layer; the drawing turns them into x
and y.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

__all__ = ["Layout", "Route", "arrange"]

Point = tuple[float, float]

SWEEPS = 12
OVERFLOW = 20.0
"""Price of a pixel beyond the wished extent across, in pixels of bend."""
PORT = 8.0
"""Wished distance between two edges where they meet the same side of a node."""


class Route(NamedTuple):
    """An edge as a chain of curve pieces, each four points (depth, cross) of a cubic."""

    source: int
    target: int
    bidirected: bool
    pieces: tuple[tuple[Point, Point, Point, Point], ...]


@dataclass(frozen=True)
class Layout:
    """Finished arrangement: per node its centre and extent as (depth, cross), and the edges' routes."""

    centres: Float[np.ndarray, "n 2"]
    extents: Float[np.ndarray, "n 2"]
    routes: tuple[Route, ...]
    size: Point


@dataclass
class _Vertex:
    """A node of the graph or a bend point of an edge, within its layer."""

    layer: int
    half: float
    """Half of its extent across, margin left out."""
    real: bool
    before: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)


def arrange(
    extents: Float[np.ndarray, "n 2"],
    directed: Sequence[tuple[int, int]],
    bidirected: Sequence[tuple[int, int]],
    *,
    straight: Collection[tuple[int, int]] = (),
    spacing: float = 16.0,
    gap: float = 44.0,
    most: float | None = None,
) -> Layout:
    """Arrange nodes of the given extents.

    Parameters
    ----------
    extents : array of shape (n, 2), pixels
        Extent of each node's label box along depth and across.
    directed, bidirected : sequence of (int, int)
        Edges by node number; the directed ones without a cycle.
    straight : collection of (int, int), optional
        Directed edges that should bend least.
    spacing, gap : float, pixels
        Least distance between neighbours in a layer, and between layers.
    most : float, pixels, optional
        Extent across from which on a layer is split in two, so that the drawing grows in depth instead.

    Examples
    --------
    >>> boxes = np.full((2, 2), 30.0)
    >>> arrange(boxes, [(0, 1)], []).centres[:, 0].tolist()
    [15.0, 89.0]
    """
    layers = _layers(len(extents), directed, bidirected)
    if most is not None:
        layers = _folded(layers, extents[:, 1] + spacing, directed, most)
    extents = _grown(extents, layers, directed, bidirected)
    vertices, chains = _vertices(extents, layers, directed, bidirected)
    order = _ordered(vertices, _partners(vertices, bidirected))
    cross = _positions(vertices, order, spacing, most, _firm(chains, straight))
    cross -= min((at - v.half for at, v in zip(cross.tolist(), vertices, strict=True)), default=0.0)
    width = max((at + v.half for at, v in zip(cross.tolist(), vertices, strict=True)), default=0.0)
    starts, thickness = _depths(vertices, extents, cross, chains, gap)
    full = np.array([[thickness[layer], size] for layer, size in zip(layers, extents[:, 1], strict=True)])
    middle = [starts[layer] + thickness[layer] / 2 for layer in layers]
    centres = np.column_stack([np.array(middle), cross[: len(extents)]])
    routes = _routes(vertices, chains, cross, starts, thickness)
    depth = starts[-1] + thickness[-1] if starts else 0.0
    return Layout(centres, full.reshape(-1, 2), tuple(routes), (float(depth), float(width)))


def _layers(
    count: int, directed: Sequence[tuple[int, int]], bidirected: Sequence[tuple[int, int]]
) -> list[int]:
    """Layer of each node so that edges are as short as possible (Gansner et al. 1993, section 2)."""
    rows = [(a, b, -1, -1.0) for a, b in directed]
    cost = np.full(count + len(bidirected), 1e-4)  # ties: early
    for a, b in directed:
        cost[a] -= 1.0
        cost[b] += 1.0
    for k, (a, b) in enumerate(bidirected):  # hidden causes pull their effects together, weakly
        rows += [(a, b, count + k, 0.0), (b, a, count + k, 0.0)]
        cost[count + k] = 0.25
    layers = np.rint(_least(cost, rows)[:count]).astype(int).tolist()
    used = sorted(set(layers))
    return [used.index(layer) for layer in layers]


def _least(
    cost: Float[np.ndarray, " k"], rows: Sequence[tuple[int, int, int, float]], most: float | None = None
) -> Float[np.ndarray, " k"]:
    """Non-negative x of least cost with ``x[left] - x[right] - x[slack] <= bound`` for every row.

    Column -1 stands for none; ``most`` bounds x from above. Vertices of this program are whole numbers
    when the bounds are.
    """
    if not rows:
        return np.zeros(len(cost))
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    entries = [
        (r, column, value)
        for r, (left, right, slack, _) in enumerate(rows)
        for column, value in ((left, 1.0), (right, -1.0), (slack, -1.0))
        if column >= 0
    ]
    at, column, value = zip(*entries, strict=True)
    matrix: Any = csr_array((value, (at, column)), shape=(len(rows), len(cost)))
    bounds = [bound for *_, bound in rows]
    solved = linprog(cost, A_ub=matrix, b_ub=bounds, bounds=(0, most), method="highs-ds")
    return np.asarray(solved.x, dtype=float)


def _folded(
    layers: list[int], room: Float[np.ndarray, " n"], directed: Sequence[tuple[int, int]], most: float
) -> list[int]:
    """Layers with the too wide ones split in two; nodes with many effects and few causes go down."""
    layers = list(layers)
    for _ in range(len(layers)):
        rows: dict[int, list[int]] = {}
        for node, layer in enumerate(layers):
            rows.setdefault(layer, []).append(node)
        wide = [
            layer
            for layer, row in rows.items()
            if len(row) > 1 and _extent(layer, layers, room, directed) > most
        ]
        if not wide:
            break
        layer = min(wide)
        weight = dict.fromkeys(rows[layer], 0)
        for a, b in directed:
            weight[a] = weight.get(a, 0) - 1
            weight[b] = weight.get(b, 0) + 1
        row = sorted(rows[layer], key=weight.__getitem__)
        down = set(row[: len(row) // 2])
        layers = [at + (at > layer or node in down) for node, at in enumerate(layers)]
    return layers


def _extent(
    layer: int, layers: Sequence[int], room: Float[np.ndarray, " n"], directed: Sequence[tuple[int, int]]
) -> float:
    """Extent across of a layer, with the long edges that pass through it."""
    passing = sum(layers[a] < layer < layers[b] for a, b in directed)
    return float(sum(room[node] for node, at in enumerate(layers) if at == layer)) + 8.0 * passing


def _grown(
    extents: Float[np.ndarray, "n 2"],
    layers: Sequence[int],
    directed: Sequence[tuple[int, int]],
    bidirected: Sequence[tuple[int, int]],
) -> Float[np.ndarray, "n 2"]:
    """Extents across made wide enough for the edges that meet one side."""
    before, after = np.zeros(len(extents)), np.zeros(len(extents))
    for a, b in directed:
        after[a] += 1
        before[b] += 1
    for a, b in bidirected:
        first, last = (a, b) if layers[a] <= layers[b] else (b, a)
        (before if layers[a] == layers[b] else after)[first] += 1
        before[last] += 1
    grown = extents.copy()
    ports = np.maximum(before, after)
    grown[:, 1] = np.maximum(extents[:, 1], np.minimum(ports, 12) * PORT + 6)
    return grown


def _vertices(
    extents: Float[np.ndarray, "n 2"],
    layers: Sequence[int],
    directed: Sequence[tuple[int, int]],
    bidirected: Sequence[tuple[int, int]],
) -> tuple[list[_Vertex], list[tuple[list[int], bool]]]:
    """Nodes and bend points, and each edge as the chain of vertices it runs through."""
    vertices = [_Vertex(layer, size / 2, True) for layer, size in zip(layers, extents[:, 1], strict=True)]
    chains = []
    for a, b, both in [*((a, b, False) for a, b in directed), *((a, b, True) for a, b in bidirected)]:
        first, last = (a, b) if layers[a] <= layers[b] else (b, a)
        chain = [first]
        for layer in range(layers[first] + 1, layers[last]):
            vertices.append(_Vertex(layer, 1.0, False))
            chain.append(len(vertices) - 1)
        chain.append(last)
        if layers[first] < layers[last]:
            for left, right in pairwise(chain):
                vertices[left].after.append(right)
                vertices[right].before.append(left)
        chains.append((chain, both))
    return vertices, chains


def _partners(vertices: Sequence[_Vertex], bidirected: Sequence[tuple[int, int]]) -> dict[int, list[int]]:
    """Nodes of one layer joined by a bidirected edge; they should stand side by side."""
    partners: dict[int, list[int]] = {}
    for a, b in bidirected:
        if vertices[a].layer == vertices[b].layer:
            partners.setdefault(a, []).append(b)
            partners.setdefault(b, []).append(a)
    return partners


def _ordered(vertices: Sequence[_Vertex], partners: dict[int, list[int]]) -> list[list[int]]:
    """Order within each layer with few crossings: sweeps of medians and swaps, the best one kept."""
    depth = max((v.layer for v in vertices), default=-1) + 1
    order: list[list[int]] = [[] for _ in range(depth)]
    for i, vertex in enumerate(vertices):
        order[vertex.layer].append(i)
    best, least = [list(layer) for layer in order], _cost(vertices, order, partners)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for layer in range(1, depth) if forward else range(depth - 2, -1, -1):
            _by_median(vertices, order, layer, forward)
        while _swap(vertices, order, partners):
            pass
        cost = _cost(vertices, order, partners)
        if cost < least:
            best, least = [list(layer) for layer in order], cost
    return best


def _by_median(vertices: Sequence[_Vertex], order: list[list[int]], layer: int, forward: bool) -> None:
    place = {v: i for i, v in enumerate(order[layer - 1 if forward else layer + 1])}
    keys = {}
    for i, v in enumerate(order[layer]):
        near = sorted(place[u] for u in (vertices[v].before if forward else vertices[v].after))
        keys[v] = float(np.mean(near)) if near else float(i)
    order[layer].sort(key=lambda v: keys[v])


def _crossings(first: Iterable[int], second: Iterable[int]) -> int:
    """Crossings between the edges of two neighbours, given where their edges go; ``first`` stands first."""
    second = list(second)
    return sum(a > b for a in first for b in second)


def _cost(vertices: Sequence[_Vertex], order: list[list[int]], partners: dict[int, list[int]]) -> float:
    total = 0.0
    for layer, row in enumerate(order):
        if layer + 1 < len(order):
            place = {v: i for i, v in enumerate(order[layer + 1])}
            ends = [place[u] for v in row for u in sorted(vertices[v].after, key=place.__getitem__)]
            total += sum(np.count_nonzero(np.array(ends[:i]) > end) for i, end in enumerate(ends))
        at = {v: i for i, v in enumerate(row)}
        total += sum(abs(at[v] - at[u]) - 1 for v in row for u in partners.get(v, ())) / 2
    return total


def _swap(vertices: Sequence[_Vertex], order: list[list[int]], partners: dict[int, list[int]]) -> bool:
    """One pass of exchanges of neighbours; whether any of them lowered the cost."""
    better = False
    for layer, row in enumerate(order):
        places = [
            {v: i for i, v in enumerate(order[other])} if 0 <= other < len(order) else {}
            for other in (layer - 1, layer + 1)
        ]
        at = {v: i for i, v in enumerate(row)}
        for i in range(len(row) - 1):
            u, v = row[i], row[i + 1]
            gain = 0
            for place, side in zip(places, ("before", "after"), strict=True):
                us, vs = ([place[w] for w in getattr(vertices[t], side)] for t in (u, v))
                gain += _crossings(us, vs) - _crossings(vs, us)
            gain += _pull(at, u, v, partners)
            if gain > 0:
                row[i], row[i + 1] = v, u
                at[u], at[v] = i + 1, i
                better = True
    return better


def _pull(at: dict[int, int], u: int, v: int, partners: dict[int, list[int]]) -> int:
    """How much nearer to their partners two neighbours come by changing places."""
    right = sum(1 if at[p] > at[v] else -1 for p in partners.get(u, ()) if p != v)
    left = sum(1 if at[p] < at[u] else -1 for p in partners.get(v, ()) if p != u)
    return right + left


def _firm(
    chains: Sequence[tuple[list[int], bool]], straight: Collection[tuple[int, int]]
) -> set[tuple[int, int]]:
    """Pieces of the edges that should bend least."""
    wished = [chain for chain, both in chains if not both and (chain[0], chain[-1]) in straight]
    return {piece for chain in wished for piece in pairwise(chain)}


def _positions(
    vertices: Sequence[_Vertex],
    order: list[list[int]],
    spacing: float,
    most: float | None,
    firm: set[tuple[int, int]],
) -> Float[np.ndarray, " v"]:
    """Positions across that keep the order and make edges straight (Gansner et al. 1993, section 4).

    Least total bend, with bends between bend points dearest, and with a price on whatever exceeds ``most``.
    Of all best positions the mean of the two extreme ones is taken, which centres nodes free to move.
    """
    pairs = [(i, j) for i, v in enumerate(vertices) for j in v.after]
    n, m = len(vertices), len(pairs)
    rows: list[tuple[int, int, int, float]] = []
    cost = np.zeros(n + m + 1)
    for k, (i, j) in enumerate(pairs):
        rows += [(i, j, n + k, 0.0), (j, i, n + k, 0.0)]
        cost[n + k] = {2: 1.0, 1: 2.0, 0: 8.0}[vertices[i].real + vertices[j].real]
        cost[n + k] *= 3.0 if (i, j) in firm else 1.0
    for row in order:
        for u, v in pairwise(row):
            room = spacing if vertices[u].real or vertices[v].real else spacing * 0.6
            rows.append((u, v, -1, -(vertices[u].half + vertices[v].half + room)))
    if most is not None:
        rows += [(-1, i, -1, -v.half) for i, v in enumerate(vertices)]
        rows += [(i, -1, n + m, most - v.half) for i, v in enumerate(vertices)]
        cost[n + m] = OVERFLOW
    found = []
    for pull in (1e-4, -1e-4):
        cost[:n] = pull
        x = _least(cost, rows, most=sum(2 * v.half + spacing for v in vertices) + 1)[:n]
        found.append(x - x.min(initial=np.inf))
    return np.asarray((found[0] + found[1]) / 2)


def _depths(
    vertices: Sequence[_Vertex],
    extents: Float[np.ndarray, "n 2"],
    cross: Float[np.ndarray, " v"],
    chains: Sequence[tuple[list[int], bool]],
    gap: float,
) -> tuple[list[float], list[float]]:
    """Start and thickness of each layer; steep edges and arches get a wider gap before them."""
    depth = max((v.layer for v in vertices), default=-1) + 1
    thickness = [0.0] * depth
    for i, extent in enumerate(extents[:, 0]):
        thickness[vertices[i].layer] = max(thickness[vertices[i].layer], float(extent))
    lead = [0.0] + [gap] * (depth - 1)
    for chain, _ in chains:
        for i, j in pairwise(chain):
            rise = abs(float(cross[i] - cross[j]))
            layer = vertices[j].layer
            if vertices[i].layer == layer:
                lead[layer] = max(lead[layer], _bulge(rise) + 4)
            else:
                lead[layer] = max(lead[layer], min(gap + 0.12 * rise, 1.6 * gap))
    starts, at = [], 0.0
    for layer in range(depth):
        at += lead[layer]
        starts.append(at)
        at += thickness[layer]
    return starts, thickness


def _bulge(rise: float) -> float:
    """How far an arch between two nodes of one layer reaches back into the gap before it."""
    return min(16 + 0.12 * rise, 34.0)


def _routes(
    vertices: Sequence[_Vertex],
    chains: Sequence[tuple[list[int], bool]],
    cross: Float[np.ndarray, " v"],
    starts: Sequence[float],
    thickness: Sequence[float],
) -> list[Route]:
    ports = _ports(vertices, chains, cross)
    routes = []
    for k, (chain, both) in enumerate(chains):
        first, last = chain[0], chain[-1]
        begin, end = ports[k, "first"], ports[k, "last"]
        if vertices[first].layer == vertices[last].layer:
            edge = starts[vertices[first].layer]
            back = edge - _bulge(abs(begin - end)) / 0.75
            pieces = [((edge, begin), (back, begin), (back, end), (edge, end))]
            routes.append(Route(first, last, both, tuple(pieces)))
            continue
        at = (starts[vertices[first].layer] + thickness[vertices[first].layer], begin)
        pieces = []
        for bend in chain[1:]:
            layer = vertices[bend].layer
            to = (starts[layer], end if bend == last else float(cross[bend]))
            pieces.append(_turn(at, to, bowed=both and len(chain) == 2))
            at = to
            if bend != last:
                through = (starts[layer] + thickness[layer], to[1])
                pieces.append((to, to, through, through))
                at = through
        routes.append(Route(first, last, both, tuple(pieces)))
    return routes


def _turn(at: Point, to: Point, bowed: bool) -> tuple[Point, Point, Point, Point]:
    """A cubic from one layer to the next that leaves and arrives along the depth axis."""
    reach = (to[0] - at[0]) * 0.5
    bow = 9.0 if bowed and abs(at[1] - to[1]) < 12 else 0.0
    return at, (at[0] + reach, at[1] + bow), (to[0] - reach, to[1] + bow), to


def _ports(
    vertices: Sequence[_Vertex],
    chains: Sequence[tuple[list[int], bool]],
    cross: Float[np.ndarray, " v"],
) -> dict[tuple[int, str], float]:
    """Where across each edge meets its ends: spread over the side, in the order of where the edges go."""
    sides: dict[tuple[int, bool], list[tuple[float, int, str]]] = {}
    for k, (chain, both) in enumerate(chains):
        flat = vertices[chain[0]].layer == vertices[chain[-1]].layer
        nudge = 0.5 if both else 0.0  # parallel edges keep the same order at both ends
        for end, node, nxt in (("first", chain[0], chain[1]), ("last", chain[-1], chain[-2])):
            front = end == "first" and not flat
            sides.setdefault((node, front), []).append((float(cross[nxt]) + nudge, k, end))
    ports = {}
    for (node, _), ends in sides.items():
        ends.sort()
        room = 2 * vertices[node].half - 10
        step = min(PORT * 1.25, room / max(len(ends) - 1, 1))
        for i, (_, k, end) in enumerate(ends):
            ports[k, end] = float(cross[node]) + (i - (len(ends) - 1) / 2) * step
    return ports
