"""What is known before looking at data: an order in time, arrows that must be, arrows that cannot be.

A :class:`Knowledge` is checked against itself once: an arrow both required and forbidden, against the order of
tiers, or a cycle of required arrows is refused, the cycle written out. What it does not do: it forbids no
path, only arrows, and says nothing of hidden common causes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from suppose.core.errors import GraphError, nearest
from suppose.graphs.dag import DAG

__all__ = ["Knowledge"]

Arrow = tuple[str, str]


@dataclass(frozen=True)
class Knowledge:
    """Background knowledge about the arrows of a graph.

    Parameters
    ----------
    tiers : sequence of sequences of str
        Groups of variables in the order of time; no arrow leads from a later group to an earlier one. Variables
        left out are free.
    required : sequence of (str, str)
        Arrows ``(cause, effect)`` that are there; such a pair is not tested.
    forbidden : sequence of (str, str)
        Arrows that are not there; a pair forbidden both ways is not joined.

    Raises
    ------
    GraphError
        ``contradictory-knowledge``, ``graph-cycle`` with the cycle written out, ``self-loop``.

    Examples
    --------
    >>> knowledge = Knowledge(tiers=[["age"], ["wage", "hours"]], required=[("hours", "wage")])
    >>> forbidden = knowledge.masks(("age", "hours", "wage"))[1]
    >>> bool(forbidden[2, 0]), bool(forbidden[0, 2])
    (True, False)
    """

    tiers: Sequence[Sequence[str]] = ()
    required: Sequence[Arrow] = ()
    forbidden: Sequence[Arrow] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "tiers", tuple(tuple(tier) for tier in self.tiers))
        object.__setattr__(self, "required", tuple((a, b) for a, b in self.required))
        object.__setattr__(self, "forbidden", tuple((a, b) for a, b in self.forbidden))
        twice = [name for name in self._tiered() if sum(name in tier for tier in self.tiers) > 1]
        if twice:
            raise GraphError(
                "contradictory-knowledge", f"{twice[0]!r} stands in two tiers", where="knowledge.tiers",
                remedy="Put each variable in one tier.",
            )  # fmt: skip
        DAG.from_edges(self.required)
        for a, b in self.required:
            if (a, b) in self.forbidden or self._backwards(a, b):
                ground = "forbidden" if (a, b) in self.forbidden else "against the order of tiers"
                raise GraphError(
                    "contradictory-knowledge", f"the arrow {a} -> {b} is required and {ground}", where="knowledge",
                    remedy="Keep one of the two.",
                )  # fmt: skip

    def _tiered(self) -> Iterable[str]:
        return (name for tier in self.tiers for name in tier)

    def _backwards(self, a: str, b: str) -> bool:
        tier = {name: t for t, members in enumerate(self.tiers) for name in members}
        return a in tier and b in tier and tier[a] > tier[b]

    def masks(self, names: Sequence[str]) -> tuple[Bool[np.ndarray, "p p"], Bool[np.ndarray, "p p"]]:
        """Arrows required and forbidden, by number of cause and effect.

        Raises
        ------
        GraphError
            ``unknown-node`` for a name that is no column.
        """
        index = {name: i for i, name in enumerate(names)}
        for name in [*self._tiered(), *(v for e in (*self.required, *self.forbidden) for v in e)]:
            if name not in index:
                raise GraphError(
                    "unknown-node", f"the graph has no node {name!r}; it has: {', '.join(list(names)[:12])}",
                    where="knowledge", remedy=nearest(str(name), list(names)) or "Check the spelling.",
                )  # fmt: skip
        required = np.zeros((len(names), len(names)), dtype=bool)
        forbidden = np.zeros_like(required)
        for a, b in self.required:
            required[index[a], index[b]] = forbidden[index[b], index[a]] = True
        for a, b in self.forbidden:
            forbidden[index[a], index[b]] = True
        for later, tier in enumerate(self.tiers):
            for earlier in self.tiers[:later]:
                rows, columns = [index[a] for a in tier], [index[b] for b in earlier]
                forbidden[np.ix_(rows, columns)] = True
        return required, forbidden
