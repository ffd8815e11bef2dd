"""Where the generators of a diagram stand and how its wires run.

Layers in the manner of Sugiyama et al. (1981), with ports: every generator gets a level above those it depends on
(states stand just before their first use), long wires a bend at each level they pass, and the order within levels
is improved by barycentres and exchanges of neighbours until fewer wires cross. Inputs and outputs keep their order.
Positions across follow from a linear program that keeps wires straight.

Coordinates are (depth, cross): depth grows from inputs to outputs, cross from left to right along a level.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from suppose.core.errors import GraphError
from suppose.core.random import generator
from suppose.graphs.diagrams.diagram import Diagram
from suppose.graphs.diagrams.wiring import Wiring, wiring

__all__ = ["MAX_NODES", "Item", "Placement", "Wire", "place"]

MAX_NODES = 150
"""Most generators drawn; beyond it no one can read the drawing."""
SWEEPS, STARTS = 8, 12
"""Sweeps up and down from one order, and orders to start from."""
SMALL = 80
"""Most items, bends included, for which all starts are tried."""


@dataclass
class Item:
    """A generator, an end of the boundary, or the bend of a long wire.

    Attributes
    ----------
    kind : {"box", "copy", "discard", "uniform", "end", "bend"}
        What it is.
    label : str
        Name of a box; object of anything else.
    level : int
        0 for inputs, the last for outputs.
    half : (float, float)
        Half of its extent along depth and across.
    centre : (float, float)
        Depth and cross.
    """

    kind: str
    label: str
    level: int
    half: tuple[float, float]
    node: int = -1
    centre: tuple[float, float] = (0.0, 0.0)
    before: list[tuple[int, float, float]] = field(default_factory=list)
    after: list[tuple[int, float, float]] = field(default_factory=list)


class Wire(NamedTuple):
    """A wire as a chain of points (depth, cross), and the items at its ends."""

    object: str
    number: int
    points: tuple[tuple[float, float], ...]
    source: Item
    target: Item


@dataclass(frozen=True)
class Placement:
    """Finished arrangement.

    Attributes
    ----------
    items : tuple of Item
        Bends left out.
    wires : tuple of Wire
        Each from one item to another.
    size : (float, float)
        Extent along depth and across.
    """

    items: tuple[Item, ...]
    wires: tuple[Wire, ...]
    size: tuple[float, float]


Extent = Callable[[str, str, int], tuple[float, float]]
"""Half extents (depth, cross) of an item: its kind, its label, and how many wires it has at most on a side."""


def place(diagram: Diagram, extent: Extent, *, port: float, spacing: float, gap: float) -> Placement:
    """Arrange a diagram.

    Parameters
    ----------
    diagram : Diagram
        Drawn as it is written: nothing is simplified.
    extent : callable
        Half extents of boxes, signs and ends.
    port, spacing, gap : float
        Distance of wires on the side of a box, of neighbours within a level, and between levels.

    Raises
    ------
    GraphError
        ``graph-too-large`` above 150 generators.

    Examples
    --------
    >>> made = place(Diagram.copy("S"), lambda kind, label, wires: (14, 14), port=24, spacing=24, gap=30)
    >>> [item.kind for item in made.items]
    ['end', 'end', 'end', 'copy']
    """
    graph = wiring(diagram, merge=False)
    if len(graph.nodes) > MAX_NODES:
        raise GraphError(
            "graph-too-large",
            f"at most {MAX_NODES} generators can be drawn legibly, the diagram has {len(graph.nodes)}",
            where="diagram", remedy="Show fewer outputs and draw diagram.simplified().",
        )  # fmt: skip
    drafts = []
    for late in (True, False):  # states late or early, whichever crosses less
        items, chains = _items(graph, extent, port, late)
        drafts.append((*_ordered(items), items, chains))
    levels, _, items, chains = min(drafts, key=lambda draft: draft[1])
    cross = _positions(items, levels, spacing)
    depth = _depths(levels, items, cross, gap)
    for number, item in enumerate(items):
        item.centre = (depth[item.level], float(cross[number]))
    wires = tuple(_wire(graph, number, chain, items) for number, chain in enumerate(chains))
    low = min((item.centre[1] - item.half[1] for item in items), default=0.0)
    high = max((item.centre[1] + item.half[1] for item in items), default=0.0)
    for item in items:
        item.centre = (item.centre[0], item.centre[1] - low)
    moved = tuple(w._replace(points=tuple((d, c - low) for d, c in w.points)) for w in wires)
    real = tuple(item for item in items if item.kind != "bend")
    return Placement(real, moved, (max(depth, default=0.0), high - low))


Chain = list[tuple[int, float]]
"""Items that a wire passes, with its place across on each."""


def _items(graph: Wiring, extent: Extent, port: float, late: bool) -> tuple[list[Item], list[Chain]]:
    """Items with their levels, and the chain of items of every wire."""
    inputs, outputs = len(graph.inputs), len(graph.outputs)
    level = _levels(graph, late)
    top = max([1, *(k + 1 for k in level)])
    ends = [*((w, 0) for w in graph.inputs), *((w, top) for w in graph.outputs)]
    items = [Item("end", graph.types[w], side, extent("end", graph.types[w], 1)) for w, side in ends]
    start = [(0, 0.0)] * len(graph.types)
    end = [(0, 0.0)] * len(graph.types)
    for k, w in enumerate(graph.inputs):
        start[w] = (k, 0.0)
    for k, w in enumerate(graph.outputs):
        end[w] = (inputs + k, 0.0)
    for number, node in enumerate(graph.nodes):
        kind, at = node.box.kind, inputs + outputs + number
        label = node.box.name if kind == "box" else graph.types[(*node.ins, *node.outs)[0]]
        half = extent(kind, label, max(len(node.ins), len(node.outs)))
        items.append(Item(kind, label, level[number], half, number))
        for side, wires in ((end, node.ins), (start, node.outs)):
            for k, w in enumerate(wires):
                side[w] = (at, (k - (len(wires) - 1) / 2) * port if kind == "box" else 0.0)
    return items, [_chain(items, graph.types[w], start[w], end[w]) for w in range(len(graph.types))]


def _levels(graph: Wiring, late: bool) -> list[int]:
    """Levels of the nodes from 1 on: as low as their causes allow.

    With ``late`` states, and all that grows from states alone and is used in one place, stand right before that use.
    """
    maker = {w: k for k, node in enumerate(graph.nodes) for w in node.outs}
    user = {w: k for k, node in enumerate(graph.nodes) for w in node.ins}
    level: list[int] = []
    free: list[bool] = []
    for node in graph.nodes:
        made = [maker.get(w) for w in node.ins]
        level.append(max([1, *(level[k] + 1 for k in made if k is not None)]))
        free.append(all(k is not None and free[k] and _serves(graph, k, node.ins) for k in made))
    for k in reversed(range(len(graph.nodes))):
        used = [user[w] for w in graph.nodes[k].outs if w in user]
        bound = [level[u] - 1 for u in used if graph.nodes[u].box.kind != "discard"]
        if late and free[k] and bound:
            level[k] = max(level[k], min(bound))
    for k, node in enumerate(graph.nodes):
        if node.box.kind == "discard":
            level[k] = max([1, *(level[maker[w]] + 1 for w in node.ins if w in maker)])
    return level


def _serves(graph: Wiring, node: int, wires: tuple[int, ...]) -> bool:
    """Whether all outputs of a node are among the wires."""
    return set(graph.nodes[node].outs) <= set(wires)


def _chain(items: list[Item], name: str, start: tuple[int, float], end: tuple[int, float]) -> Chain:
    """The wire's way from level to level; bends are added to ``items``."""
    chain = [start]
    for level in range(items[start[0]].level + 1, items[end[0]].level):
        items.append(Item("bend", name, level, (0.0, 0.0)))
        chain.append((len(items) - 1, 0.0))
    chain.append(end)
    for (a, here), (b, there) in pairwise(chain):
        items[a].after.append((b, here, there))
        items[b].before.append((a, there, here))
    return chain


# -- order within levels -----------------------------------------------------------------------


def _ordered(items: list[Item]) -> tuple[list[list[int]], float]:
    """Items by level, in an order with few crossings, and their number; the boundary keeps its own order."""
    top = max((item.level for item in items), default=0)
    start: list[list[int]] = [[] for _ in range(top + 1)]
    for number, item in enumerate(items):
        start[item.level].append(number)
    random = generator(STARTS, "placement of a diagram")
    best, fewest = start, math.inf
    for attempt in range(STARTS if len(items) <= SMALL else 2):
        levels = [level if _fixed(level, items) else level[:: -1 if attempt == 1 else 1] for level in start]
        if attempt > 1:
            levels = [
                level if _fixed(level, items) else [level[k] for k in random.permutation(len(level))]
                for level in levels
            ]
        found, crossings = _improved(levels, items)
        if crossings < fewest:
            best, fewest = found, crossings
        if not fewest:
            break
    return best, fewest


def _improved(start: list[list[int]], items: list[Item]) -> tuple[list[list[int]], int]:
    """The best of several sweeps up and down from one order, and its crossings."""
    levels = [list(level) for level in start]
    best, fewest = [list(level) for level in levels], _crossings(levels, items)
    for sweep in range(SWEEPS):
        upwards = sweep % 2 == 1
        for level in levels if upwards else reversed(levels):
            if not _fixed(level, items):
                _by_barycentre(level, levels, items, upwards)
        _exchange(levels, items)
        crossings = _crossings(levels, items)
        if crossings < fewest:
            best, fewest = [list(level) for level in levels], crossings
        if not fewest:
            break
    return best, fewest


def _fixed(level: list[int], items: list[Item]) -> bool:
    return any(items[number].kind == "end" for number in level)


def _by_barycentre(level: list[int], levels: list[list[int]], items: list[Item], upwards: bool) -> None:
    """Sort a level by the mean place of what is joined to it on one side."""
    number = items[level[0]].level + (-1 if upwards else 1) if level else 0
    if not level or not 0 <= number < len(levels):
        return
    place = {item: k for k, item in enumerate(levels[number])}
    wanted: dict[int, float] = {}
    for k, item in enumerate(level):
        partners = items[item].before if upwards else items[item].after
        places = [place[other] + there / 1e4 for other, _, there in partners]
        wanted[item] = sum(places) / len(places) if places else k * len(place) / max(len(level), 1)
    level.sort(key=wanted.__getitem__)


def _crossings(levels: list[list[int]], items: list[Item]) -> int:
    """Pairs of wires between neighbouring levels that cross."""
    count = 0
    for level, above in pairwise(levels):
        place = {item: k for k, item in enumerate(above)}
        ends = [
            ((k, here), (place[other], there))
            for k, item in enumerate(level)
            for other, here, there in items[item].after
        ]
        count += sum(a[0] < b[0] and a[1] > b[1] for a in ends for b in ends)
    return count


def _exchange(levels: list[list[int]], items: list[Item]) -> None:
    """Exchange neighbours as long as fewer wires cross."""
    for number, level in enumerate(levels):
        if _fixed(level, items):
            continue
        near = levels[max(number - 1, 0) : number + 2]
        improved = True
        while improved:
            improved = False
            for k in range(len(level) - 1):
                before = _crossings(near, items)
                level[k], level[k + 1] = level[k + 1], level[k]
                if _crossings(near, items) < before:
                    improved = True
                else:
                    level[k], level[k + 1] = level[k + 1], level[k]


# -- coordinates -------------------------------------------------------------------------------


def _positions(items: list[Item], levels: list[list[int]], spacing: float) -> np.ndarray:
    """Places across: least total bend, neighbours at least ``spacing`` apart (a linear program)."""
    from scipy.optimize import linprog
    from scipy.sparse import coo_matrix

    edges = [(k, b, here - there, _weight(item, items[b])) for k, item in enumerate(items)
             for b, here, there in item.after]  # fmt: skip
    rows: list[tuple[dict[int, float], float]] = []
    for e, (a, b, shift, _) in enumerate(edges):
        slack = len(items) + e
        rows.append(({a: 1.0, b: -1.0, slack: -1.0}, -shift))
        rows.append(({a: -1.0, b: 1.0, slack: -1.0}, shift))
    for level in levels:
        for a, b in pairwise(level):
            least = items[a].half[1] + items[b].half[1] + spacing
            rows.append(({a: 1.0, b: -1.0}, -least))
    if not rows:
        return np.zeros(len(items))
    entries = [(r, c, v) for r, (cells, _) in enumerate(rows) for c, v in cells.items()]
    r, c, v = (np.array(part) for part in zip(*entries, strict=True))
    columns = len(items) + len(edges)
    matrix: Any = coo_matrix((v, (r.astype(int), c.astype(int))), shape=(len(rows), columns)).tocsr()
    price = np.array([1e-6] * len(items) + [weight for *_, weight in edges])
    found = linprog(
        price, A_ub=matrix, b_ub=[bound for _, bound in rows], bounds=(0, None), method="highs-ds"
    )
    return np.asarray(found.x, dtype=float)[: len(items)]


def _weight(a: Item, b: Item) -> float:
    """Price of a pixel of bend: long wires stay straight first, then wires into dots; legs of dots bend anyway."""
    bends = (a.kind == "bend") + (b.kind == "bend")
    if a.kind == "copy":
        return 2.0 if b.kind in ("bend", "end") else 0.6
    return 4.0 if b.kind == "copy" else (2.0, 3.0, 6.0)[bends]


def _depths(levels: list[list[int]], items: list[Item], cross: np.ndarray, gap: float) -> list[float]:
    """Depth of each level's middle; wires that run far across get more room."""
    half = [max((items[k].half[0] for k in level), default=0.0) for level in levels]
    depth, at = [], 0.0
    for k, thick in enumerate(half):
        if k:
            far = max((abs(cross[a] + here - cross[b] - there) for a in levels[k - 1]
                       for b, here, there in items[a].after), default=0.0)  # fmt: skip
            at += half[k - 1] + gap + min(0.12 * float(far), gap)
        at += thick
        depth.append(at)
    return depth


def _wire(graph: Wiring, number: int, chain: Chain, items: list[Item]) -> Wire:
    source, target = items[chain[0][0]], items[chain[-1][0]]
    points = [(items[k].centre[0], items[k].centre[1] + shift) for k, shift in chain]
    points[0] = (_face(source, 1), points[0][1])
    points[-1] = (_face(target, -1), points[-1][1])
    return Wire(graph.types[number], number, tuple(points), source, target)


def _face(item: Item, side: int) -> float:
    """Depth at which wires meet an item: the side of a box, the middle of anything else."""
    return item.centre[0] + side * (item.half[0] if item.kind == "box" else 0.0)
