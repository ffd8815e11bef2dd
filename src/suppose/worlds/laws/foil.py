r"""Conjunctions that tell when something happens, from examples of it happening and not happening.

The search covers the examples one rule at a time, as FOIL does (Quinlan, "Learning logical definitions from
relations", Machine Learning 5, 1990): from an example not yet told, add the condition with most information gained,

.. math:: p_1 \left( \log_2 \frac{p_1}{p_1 + n_1} - \log_2 \frac{p_0}{p_0 + n_0} \right),

until no counter-example is left; then drop the conditions that do not pay, and widen thresholds as far as it does no
harm, so that what happens by chance is told by few conditions and a probability. A rule is kept if it tells more than
the share of such events, by what its conditions cost (minimum description length: one nat each, and for numbers the
logarithm of how many thresholds there are to choose from). Ties go to the condition of lowest rank, so that actions
explain before circumstances do.

Ours: conditions are chosen by the information gained less their price; the seed guides the search (only its conditions
are tried); several rows may belong to one event (a *bag*), which one of them explains; a single example is believed
only if the rule speaks of the action, which may well be the cause.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from suppose.worlds.laws.atoms import ACTION, Atom

__all__ = ["Rule", "cover", "tidy"]

TIE = 1e-9


@dataclass(frozen=True)
class Rule:
    """Conditions by number, and how many rows they hold on: ``hits`` of them examples, ``rows`` in all."""

    atoms: tuple[int, ...]
    hits: int
    rows: int
    gain: float

    @property
    def probability(self) -> float:
        """Chance that it happens where the rule holds (Jeffreys)."""
        return (self.hits + 0.5) / (self.rows + 1)


def tidy(support: Sequence[tuple[Any, float]]) -> list[tuple[Any, float]]:
    """A support with probabilities of four places that sum to one, each at least 0.0001.

    Examples
    --------
    >>> tidy([(1, 2 / 3), (0, 1 / 3)])
    [(1, 0.6667), (0, 0.3333)]
    """
    found = [(key, max(round(p, 4), 0.0001)) for key, p in support]
    most = max(range(len(found)), key=lambda at: found[at][1])
    rest = sum(p for at, (_, p) in enumerate(found) if at != most)
    found[most] = (found[most][0], round(1 - rest, 4))
    return found


def cover(
    positive: Bool[np.ndarray, " row"],
    negative: Bool[np.ndarray, " row"],
    truth: Bool[np.ndarray, "row atom"],
    atoms: Sequence[Atom],
    *,
    bags: Int[np.ndarray, " row"] | None = None,
    favoured: Collection[str] = (),
    alone: Collection[str] = ("action",),
    max_atoms: int = 6,
    mdl: float = 1.0,
) -> list[Rule]:
    """Rules that tell positive rows from negative ones; rows that are neither count for nothing.

    Parameters
    ----------
    positive, negative : (row,) truth values
        Examples and counter-examples.
    truth : (row, atom) truth values
        Which condition holds on which row.
    atoms : sequence of Atom
        The conditions.
    bags : (row,) whole numbers, optional
        Rows of one event have one number; one of them is enough.
    favoured : collection of str
        Quantities that are likely causes: they cost half, and win ties after the action.
    alone : collection of str
        Quantities a rule must speak of, all of them, if a single example is to be believed.
    max_atoms : int
        Most conditions of a rule.
    mdl : float
        Nats that each condition must gain.

    Examples
    --------
    >>> atoms = [Atom("a", 0, 1.0, "a", "is", True), Atom("b", 3, 1.0, "b", "is", True)]
    >>> truth = np.array([[1, 1], [1, 0], [0, 1], [0, 0]] * 5, dtype=bool)
    >>> [(rule.atoms, rule.hits, rule.rows) for rule in cover(truth[:, 0], ~truth[:, 0], truth, atoms)]
    [((0,), 10, 10)]
    """
    search = _Search(positive, negative, truth, atoms, favoured, alone, max_atoms, mdl)
    groups = np.arange(len(positive)) if bags is None else bags
    left = positive.copy()
    rules: list[Rule] = []
    while left.any():
        seed = search.seed(left)
        chosen = search.widened(search.pruned(search.grown(seed)))
        held = search.held(chosen)
        rule = search.rule(chosen)
        if rule is not None:
            rules.append(rule)
        told = np.zeros(int(groups.max()) + 1, dtype=bool)
        told[groups[held & positive]] = True
        left &= ~told[groups]
        left[seed] = False
    return rules


class _Search:
    def __init__(
        self,
        positive: Bool[np.ndarray, " row"],
        negative: Bool[np.ndarray, " row"],
        truth: Bool[np.ndarray, "row atom"],
        atoms: Sequence[Atom],
        favoured: Collection[str],
        alone: Collection[str],
        max_atoms: int,
        mdl: float,
    ) -> None:
        counted = positive | negative
        self.positive, self.counted, self.truth, self.atoms = positive, counted, truth, atoms
        self.alone, self.max_atoms, self.least = set(alone), max_atoms, mdl
        liked = np.array([atom.quantity in favoured for atom in atoms], dtype=bool)
        ranks = np.array([atom.rank for atom in atoms], dtype=float)
        self.ranks = np.where(liked & (ranks > ACTION), ACTION + 0.5, ranks)
        self.prices = mdl * np.array([atom.price for atom in atoms], dtype=float)
        self.prices[liked] = 0.5 * mdl
        self.rate = min((int(positive.sum()) + 0.5) / (int(counted.sum()) + 1), 0.5)

    def seed(self, left: Bool[np.ndarray, " row"]) -> int:
        """The example to begin with."""
        return int(np.flatnonzero(left)[0])

    def held(self, chosen: Sequence[int]) -> Bool[np.ndarray, " row"]:
        """Rows on which all chosen conditions hold."""
        return np.asarray(self.truth[:, list(chosen)].all(axis=1))

    def counts(self, chosen: Sequence[int]) -> tuple[int, int]:
        """Examples and rows among those that count on which they hold."""
        held = self.held(chosen) & self.counted
        return int((held & self.positive).sum()), int(held.sum())

    def grown(self, seed: int) -> list[int]:
        """Conditions of the seed, added until no counter-example is left."""
        open_ = list(np.flatnonzero(self.truth[seed]))
        rows = np.flatnonzero(self.counted)
        chosen: list[int] = []
        while len(chosen) < self.max_atoms and open_:
            hit = self.positive[rows]
            if hit.all():
                break
            part = self.truth[np.ix_(rows, open_)]
            p1, n1 = part[hit].sum(axis=0), part[~hit].sum(axis=0)
            before = hit.mean()
            gain = p1 * (np.log2(np.maximum(p1, 1e-12) / (p1 + n1)) - np.log2(before))
            if gain.max() <= TIE:
                break
            net = np.where(gain > TIE, np.log(2) * gain - self.prices[open_], -np.inf)
            ties = np.flatnonzero(net >= net.max() - TIE)
            pick = int(ties[np.argmin(self.ranks[open_][ties], axis=0)])
            chosen.append(int(open_[pick]))
            rows = rows[part[:, pick]]
            open_.pop(pick)
        return chosen

    def net(self, chosen: Sequence[int]) -> float:
        """Nats that a rule gains over the share of such events, less its price."""
        hits, rows = self.counts(chosen)
        p = (hits + 0.5) / (rows + 1)
        gain = hits * np.log(p / self.rate) + (rows - hits) * np.log((1 - p) / (1 - self.rate))
        return float(gain - max(self.least, self.prices[list(chosen)].sum()))

    def pruned(self, chosen: list[int]) -> list[int]:
        """Without the conditions that do not pay, the one that pays least first."""
        best = self.net(chosen)
        while chosen:
            shorter = [[other for other in chosen if other != atom] for atom in chosen]
            nets = np.array([self.net(rest) for rest in shorter])
            ties = np.flatnonzero(nets >= nets.max() - TIE)
            pick = int(max(ties, key=lambda at: (self.ranks[chosen[at]], at)))
            if nets[pick] < best - TIE:
                break
            chosen, best = shorter[pick], float(nets[pick])
        return chosen

    def widened(self, chosen: list[int]) -> list[int]:
        """Thresholds moved as far as it does no harm."""
        best = self.net(chosen)
        for place, number in enumerate(chosen):
            atom = self.atoms[number]
            if atom.sign not in (">=", "<="):
                continue
            wider = [
                (other.value, at)
                for at, other in enumerate(self.atoms)
                if other.quantity == atom.quantity and other.sign == atom.sign
                and (other.value < atom.value if atom.sign == ">=" else other.value > atom.value)
            ]  # fmt: skip
            for _, at in sorted(wider, reverse=atom.sign == "<="):
                trial = [*chosen[:place], at, *chosen[place + 1 :]]
                net = self.net(trial)
                if net >= best - TIE:
                    chosen, best = trial, net
                    break
        return chosen

    def rule(self, chosen: list[int]) -> Rule | None:
        """The rule, if it tells enough."""
        hits, rows = self.counts(chosen)
        net = self.net(chosen)
        single = hits == 1 and not self.alone <= {self.atoms[number].quantity for number in chosen}
        if (hits + 0.5) / (rows + 1) <= self.rate or net < 0 or (single and self.rate < 0.5):
            return None
        return Rule(tuple(chosen), hits, rows, net)
