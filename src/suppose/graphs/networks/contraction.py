"""Sums of products of tables: in which order to sum, how large the tables become, and the sums themselves.

A network is a product of small tables. Any question to it is a sum of that product over the variables that
are not asked for, and the order of the sums decides the cost: summing a variable joins all tables it occurs
in into one over its *clique*. The orders tried are minimum fill (fewest new neighbours; Rose 1972), weighted
minimum fill and minimum table size; the best by the sum of clique sizes is taken. Nothing is allocated
before the largest clique is known, and one above :data:`LIMIT` entries is refused by name.

Numbers are 64-bit floats; after every sum the table is divided by its largest entry and the logarithm kept,
so that products of a thousand small probabilities do not vanish.

What it does not do: approximate sums, sparse tables, the best possible order (which is NP-hard to find).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from suppose.core.errors import GraphError
from suppose.core.tables import available_memory

__all__ = ["LIMIT", "Plan", "Term", "check_size", "combine", "eliminate", "plan_elimination"]

Term = tuple[tuple[int, ...], np.ndarray]
"""A table as numbers of variables, one per axis, and its array."""

LIMIT = 2**28
"""Entries of the largest table that is ever made (2 GiB)."""
SMALL = 2**27
"""Bytes for which nobody is asked."""
ENOUGH = 2.0**16
"""Entries in all below which one order is as good as another."""


@dataclass(frozen=True)
class Plan:
    """An order of sums and the cliques it makes.

    Attributes
    ----------
    order : tuple of int
        Variables in the order they are summed.
    cliques : tuple of tuple of int
        For each of them, itself and the variables its table also has.
    largest : tuple of int
        The largest table made, as variables.
    entries : float
        Entries of that table.
    total : float
        Entries of all tables together.
    """

    order: tuple[int, ...]
    cliques: tuple[tuple[int, ...], ...]
    largest: tuple[int, ...]
    entries: float
    total: float


def bits(mask: int) -> Iterator[int]:
    """Positions of the ones of ``mask``, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def plan_elimination(
    scopes: Sequence[Collection[int]], sizes: Sequence[int], keep: Collection[int] = ()
) -> Plan:
    """An order in which to sum all variables of ``scopes`` but those of ``keep``.

    Parameters
    ----------
    scopes : sequence of collections of int
        The variables of each table.
    sizes : sequence of int
        Number of states by variable.
    keep : collection of int
        Variables that are asked for and stay.

    Examples
    --------
    >>> plan = plan_elimination([(0,), (0, 1), (1, 2)], sizes=[2, 3, 4], keep=[2])
    >>> plan.order, plan.entries
    ((0, 1), 12.0)
    """
    masks: dict[int, int] = {}
    for scope in scopes:
        whole = sum(1 << v for v in scope)
        for v in scope:
            masks[v] = masks.get(v, 0) | whole & ~(1 << v)
    kept = sorted(set(keep) & set(masks))
    best: Plan | None = None
    for cost in (_fill, _weighted_fill, _size):
        found = _ordered(dict(masks), sizes, kept, cost)
        if best is None or found.total < best.total:
            best = found
        if best.total <= ENOUGH:
            break
    assert best is not None
    return best


Cost = Callable[[int, Mapping[int, int], Sequence[float]], tuple[float, float]]


def _log_size(v: int, masks: Mapping[int, int], logs: Sequence[float]) -> float:
    return logs[v] + sum(logs[u] for u in bits(masks[v]))


def _fill(v: int, masks: Mapping[int, int], logs: Sequence[float]) -> tuple[float, float]:
    around = masks[v]
    missing = sum((around & ~masks[u]).bit_count() - 1 for u in bits(around)) // 2
    return missing, _log_size(v, masks, logs)


def _weighted_fill(v: int, masks: Mapping[int, int], logs: Sequence[float]) -> tuple[float, float]:
    around = masks[v]
    weight = 0.0
    for u in bits(around):
        absent = (around & ~masks[u]) >> (u + 1)
        weight += sum(2.0 ** (logs[u] + logs[w + u + 1]) for w in bits(absent))
    return weight, _log_size(v, masks, logs)


def _size(v: int, masks: Mapping[int, int], logs: Sequence[float]) -> tuple[float, float]:
    return _log_size(v, masks, logs), float(masks[v].bit_count())


def _ordered(masks: dict[int, int], sizes: Sequence[int], keep: Sequence[int], cost: Cost) -> Plan:
    """Greedy elimination: the variable of least cost goes next; costs are renewed where they changed."""
    logs = [math.log2(size) if size > 1 else 0.0 for size in sizes]
    kept = set(keep)
    current = {v: cost(v, masks, logs) for v in masks if v not in kept}
    heap = [(*value, v) for v, value in current.items()]
    heapq.heapify(heap)
    order, cliques = [], []
    while heap:
        first, second, v = heapq.heappop(heap)
        if current.get(v) != (first, second):
            continue
        del current[v]
        around = masks.pop(v)
        order.append(v)
        cliques.append((v, *bits(around)))
        for u in _connect(v, around, masks):
            if u in current:
                value = cost(u, masks, logs)
                if value != current[u]:
                    current[u] = value
                    heapq.heappush(heap, (*value, u))
    made = [*cliques, tuple(keep)]
    entries = [2.0 ** sum(logs[u] for u in clique) for clique in made]
    top = max(range(len(made)), key=entries.__getitem__)
    return Plan(tuple(order), tuple(cliques), made[top], entries[top], sum(entries))


def _connect(v: int, around: int, masks: dict[int, int]) -> Iterator[int]:
    """Join all neighbours of ``v``, which has gone; the vertices whose cost may have changed."""
    changed = around
    for u in bits(around):
        new = around & ~masks[u] & ~(1 << u)
        for w in bits(new >> (u + 1)):
            changed |= masks[u] & masks[w + u + 1]
        masks[u] = (masks[u] | new) & ~(1 << v)
    yield from bits(changed & ~(1 << v))


def check_size(plan: Plan, names: Sequence[str], limit: int = LIMIT, *, together: bool = False) -> None:
    """Refuse a plan whose largest table passes ``limit`` entries, or whose tables do not fit into memory.

    Parameters
    ----------
    plan : Plan
        The order of sums.
    names : sequence of str
        Names by number of variable.
    limit : int
        Entries of the largest table.
    together : bool
        Whether all tables are held at once, as in a junction tree.

    Raises
    ------
    GraphError
        ``clique-too-large``, with its size and variables; ``too-little-memory``.
    """
    if plan.entries > limit * (1 + 1e-9):
        shown = [names[v] for v in plan.largest]
        listed = ", ".join(shown[:20]) + (", ..." if len(shown) > 20 else "")
        raise GraphError(
            "clique-too-large",
            f"exact inference needs a table of {plan.entries:.3g} entries over {len(shown)} variables "
            f"({listed}); the limit is {float(limit):.3g}",
            where="network",
            remedy="Ask for fewer variables at once, condition on some of these, or merge rare states.",
        )
    need = 8 * ((plan.total if together else plan.entries) + 2 * plan.entries)
    if need > SMALL:
        free = available_memory()
        if free is not None and need > 0.8 * free:
            raise GraphError(
                "too-little-memory",
                f"exact inference needs about {need / 1e9:.1f} GB for its tables, this machine has "
                f"{free / 1e9:.1f} GB free",
                where="network", remedy="Ask for one vertex at a time, or condition on more of them.",
            )  # fmt: skip


# -- the sums ----------------------------------------------------------------------------------


def combine(terms: Sequence[Term], out: Sequence[int]) -> np.ndarray:
    """Product of the tables, summed over the variables that are not in ``out``, axes in the order of ``out``.

    Examples
    --------
    >>> combine([((0, 1), np.ones((2, 3))), ((1,), np.arange(3.0))], out=[0]).tolist()
    [3.0, 3.0]
    """
    ordered = sorted(terms, key=lambda term: term[1].size)
    ids, values = ordered[0]
    for position, (other, array) in enumerate(ordered[1:], start=2):
        if position == len(ordered):
            return _pair(ids, values, other, array, tuple(out))
        union = (*ids, *(v for v in other if v not in ids))
        ids, values = union, _pair(ids, values, other, array, union)
    return _single(ids, values, out)


def _single(ids: tuple[int, ...], values: np.ndarray, out: Sequence[int]) -> np.ndarray:
    gone = tuple(i for i, v in enumerate(ids) if v not in out)
    left = [v for v in ids if v in out]
    summed = np.add.reduce(values, axis=gone) if gone else values
    return np.asarray(summed).transpose([left.index(v) for v in out])


def _pair(
    ids: tuple[int, ...], values: np.ndarray, other: tuple[int, ...], array: np.ndarray, out: tuple[int, ...]
) -> np.ndarray:
    if values.size * array.size > 4096:
        mine, theirs = set(ids), set(other)
        summed = (mine | theirs) - set(out)
        if summed and summed <= mine & theirs:
            return _matmul(ids, values, other, array, out)
    label = {v: i for i, v in enumerate({*ids, *other})}
    return np.asarray(
        np.einsum(values, [label[v] for v in ids], array, [label[v] for v in other], [label[v] for v in out])
    )


def _matmul(
    ids: tuple[int, ...], values: np.ndarray, other: tuple[int, ...], array: np.ndarray, out: tuple[int, ...]
) -> np.ndarray:
    """The same through matrix products: (both kept, mine, summed) times (both kept, summed, theirs)."""
    size = dict(zip((*ids, *other), (*values.shape, *array.shape), strict=True))
    batch = [v for v in out if v in ids and v in other]
    mine = [v for v in out if v in ids and v not in other]
    theirs = [v for v in out if v in other and v not in ids]
    summed = [v for v in ids if v not in out]

    def shape(*groups: Sequence[int]) -> list[int]:
        return [math.prod(size[v] for v in group) for group in groups]

    left = values.transpose([ids.index(v) for v in (*batch, *mine, *summed)])
    right = array.transpose([other.index(v) for v in (*batch, *summed, *theirs)])
    product = left.reshape(shape(batch, mine, summed)) @ right.reshape(shape(batch, summed, theirs))
    made = [*batch, *mine, *theirs]
    whole: np.ndarray = product.reshape([size[v] for v in made])
    return whole.transpose([made.index(v) for v in out])


def eliminate(
    terms: Sequence[Term],
    plan: Plan,
    keep: Sequence[int],
    batch: int | None = None,
    visit: Callable[[int, list[Term]], None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Sum the product of ``terms`` over the variables of ``plan``, in its order.

    Parameters
    ----------
    terms : sequence of Term
        The tables.
    plan : Plan
        From :func:`plan_elimination` with the same scopes and ``keep``.
    keep : sequence of int
        The axes of the result; every one occurs in some term.
    batch : int, optional
        One of ``keep`` that numbers independent problems: each is scaled on its own.
    visit : callable, optional
        Called with every summed variable and the tables it was in, before they are joined.

    Returns
    -------
    values : array with the axes of ``keep``
        The sum up to scale.
    log_scale : array, one number, or one per state of ``batch``
        Its natural logarithm has to be added to that of ``values``. Entries are zero where the sum is.
    """
    pool: dict[int, Term] = dict(enumerate(terms))
    holding: dict[int, set[int]] = {}
    for number, (ids, _) in pool.items():
        for v in ids:
            holding.setdefault(v, set()).add(number)
    scale: np.ndarray = np.zeros(())
    for v in plan.order:
        chosen = sorted(holding.pop(v))
        joined = [pool.pop(number) for number in chosen]
        if visit is not None:
            visit(v, joined)
        out = tuple(dict.fromkeys(u for ids, _ in joined for u in ids if u != v))
        values, log = _scaled(combine(joined, out), out, batch)
        scale = np.asarray(scale + log)
        number = len(terms) + v
        pool[number] = (out, values)
        for u in out:
            holding[u].difference_update(chosen)
            holding[u].add(number)
    rest = sorted(pool.values(), key=lambda term: term[1].size)
    scalars = math.prod(float(array) for ids, array in rest if not ids)
    with_axes = [term for term in rest if term[0]]
    values = combine(with_axes, tuple(keep)) if with_axes else np.asarray(1.0)
    values, log = _scaled(np.asarray(values * scalars), tuple(keep), batch)
    return values, np.asarray(scale + log)


def _scaled(values: np.ndarray, ids: tuple[int, ...], batch: int | None) -> tuple[np.ndarray, np.ndarray]:
    """The table over its largest entry, and the logarithm of that entry."""
    if batch is None or batch not in ids:
        top = np.asarray(values.max())
        spread = top
    else:
        axis = ids.index(batch)
        spread = values.max(axis=tuple(i for i in range(values.ndim) if i != axis), keepdims=True)
        top = spread.reshape(-1)
    safe = np.where(spread > 0, spread, 1.0)
    return np.asarray(values / safe), np.asarray(np.log(np.where(top > 0, top, 1.0)))
