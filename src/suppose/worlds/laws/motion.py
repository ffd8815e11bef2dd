r"""How objects move by themselves: distributions over steps, refined by circumstances while that pays.

For each axis the steps of all objects of a kind are counted. Rows are split by the condition that raises the likelihood
most, as long as the Bayes information criterion improves by it (:math:`\frac{k}{2} \log n` nats for k more
parameters); each leaf is a law. Conditions are about the object at hand: in which direction the actor is, along which
axis it is farther, how far, whether the way is free, which way the object faces.

OneLife's laws of motion come from a language model; this is our substitute. The two axes are told apart, so that a step
along one excludes none along the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Int

from suppose.worlds.laws.atoms import Atom, Table
from suppose.worlds.laws.effects import Add
from suppose.worlds.laws.foil import tidy
from suppose.worlds.laws.schema import Schema, lookup
from suppose.worlds.laws.views import split

if TYPE_CHECKING:
    from suppose.worlds.laws.inductive import Draft

__all__ = ["Leaf", "leaves", "motions"]

DEEPEST = 4
FEWEST = 8  # rows of a leaf
Leaf = tuple[tuple[str, ...], "Bool[np.ndarray, ' row']"]


def motions(table: Table, later: Sequence[Any], schema: Schema) -> list[Draft]:
    """Laws of the steps of a kind of object."""
    from suppose.worlds.laws.inductive import Draft

    assert table.kind is not None
    collection = schema.collections[schema.kinds[table.kind]]
    stayed = np.array([thing is not None for thing in later], dtype=bool)
    own = [at for at, atom in enumerate(table.atoms) if re.search(r"\bit\b", atom.text)]
    drafts = []
    for path in collection.position:
        names = split(path)
        steps = np.array(
            [
                lookup(after, names) - lookup(before, names) if after is not None else 0
                for before, after in zip(table.things, later, strict=True)
            ],
            dtype=np.int64,
        )
        if not (steps[stayed] != 0).any():
            continue
        for conditions, rows in leaves(steps, stayed, table.truth[:, own], [table.atoms[at] for at in own]):
            support = shares(steps[rows])
            key = np.packbits(rows).tobytes()
            hits = int((steps[rows] != 0).sum())
            drafts.append(
                Draft(conditions, (Add(f"it.{path}", support),), table.kind, hits, int(rows.sum()), key)
            )
    return drafts


def shares(steps: Int[np.ndarray, " n"]) -> dict[int, float]:
    """Probability of each step, steps of one tile included whether seen or not.

    Examples
    --------
    >>> shares(np.array([1, 1, 0]))
    {-1: 0.1111, 0: 0.3333, 1: 0.5556}
    """
    values = sorted({-1, 0, 1, *map(int, steps)})
    counts = np.array([(steps == value).sum() + 0.5 for value in values])
    return dict(tidy(list(zip(values, (counts / counts.sum()).tolist(), strict=True))))


def leaves(
    outcomes: Int[np.ndarray, " row"],
    counted: Bool[np.ndarray, " row"],
    truth: Bool[np.ndarray, "row atom"],
    atoms: Sequence[Atom],
) -> list[Leaf]:
    """Conditions and rows of the leaves of a tree that tells the outcomes apart.

    Examples
    --------
    >>> atom = Atom("near", 2, 1.0, "near", "is", True)
    >>> near = np.arange(60) % 2 == 0
    >>> [leaf[0] for leaf in leaves(near.astype(int), np.ones(60, dtype=bool), near[:, None], [atom])]
    [('near',), ('not near',)]
    """
    values = np.unique(outcomes[counted])
    hot = (outcomes[:, None] == values[None, :]) & counted[:, None]
    found: list[Leaf] = []
    line: list[tuple[tuple[str, ...], np.ndarray]] = [((), counted.copy())]
    while line:
        conditions, rows = line.pop(0)
        split_ = _best(hot, rows, truth) if len(conditions) < DEEPEST else None
        if split_ is None:
            found.append((conditions, rows))
            continue
        text = atoms[split_].text
        line.append(((*conditions, text), rows & truth[:, split_]))
        line.append(((*conditions, negated(atoms[split_])), rows & ~truth[:, split_]))
    return found


def _best(
    hot: Bool[np.ndarray, "row value"], rows: Bool[np.ndarray, " row"], truth: Bool[np.ndarray, "row atom"]
) -> int | None:
    """The condition that pays most for a split; None if none does."""
    n = int(rows.sum())
    if n < 2 * FEWEST or not truth.shape[1]:
        return None
    inside = truth[rows].T.astype(np.float64) @ hot[rows].astype(np.float64)
    whole = hot[rows].sum(axis=0).astype(np.float64)
    outside = whole - inside
    gain = _likelihood(inside) + _likelihood(outside) - _likelihood(whole[None, :])
    sizes = inside.sum(axis=1)
    gain[(sizes < FEWEST) | (n - sizes < FEWEST)] = -np.inf
    best = int(np.argmax(gain))
    return best if gain[best] > 0.5 * (hot.shape[1] - 1) * np.log(n) + np.log(truth.shape[1]) else None


def _likelihood(counts: np.ndarray) -> np.ndarray:
    """Highest log-likelihood of categorical counts, by row."""
    total = counts.sum(axis=1, keepdims=True)
    share = np.where(counts > 0, counts / np.maximum(total, 1), 1.0)
    result: np.ndarray = (counts * np.log(share)).sum(axis=1)
    return result


OPPOSITE = {">=": "<", "<=": ">", "==": "!="}


def negated(atom: Atom) -> str:
    """The opposite of a condition."""
    if atom.sign == "is":
        return atom.text.removeprefix("not ") if not atom.value else f"not {atom.text}"
    return atom.text.replace(f" {atom.sign} ", f" {OPPOSITE[atom.sign]} ", 1)
