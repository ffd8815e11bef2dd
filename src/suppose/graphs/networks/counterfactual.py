"""What would have been: two copies of a network that share their hidden causes, one of them cut.

The factual copy carries what was seen, its twin the setting ``do`` (twin networks, Balke and Pearl 1994; the
two copies share exogenous wires, and surgery is made on one, Jacobs, Kissinger and Zanasi 2021). Vertices that
``do`` does not reach are the same in both copies. A vertex it reaches has a state and a twin state, decided by
one hidden cause; with a table of zeros and ones the table itself is the mechanism, and the answer is exact.

Any other table leaves open how its two states go together, so that the answer is *not unique* and comes as
bounds: the hidden cause of such a vertex is its response function (one state for every setting of its parents),
its probabilities are only known through the table, and the least and greatest probability are two linear
programs over them. For one such vertex the bounds are the best possible. For several, a joint law of their
responses is bounded that agrees with the tables in every setting of each; that these causes are independent
is used only there, so that the bounds hold but may be wide. A ``coupling`` gives one number instead, under an
assumption no data can test; see :mod:`suppose.graphs.networks.couplings`.

What it does not do: more than one counterfactual world at once, hidden causes common to several vertices other
than those drawn as vertices.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from suppose.core.errors import EstimationError, GraphError, nearest
from suppose.graphs.factors import Factor
from suppose.graphs.networks.contraction import LIMIT, Term, check_size, eliminate, plan_elimination
from suppose.graphs.networks.couplings import gumbel, monotone
from suppose.graphs.networks.tables import names_of

if TYPE_CHECKING:
    from suppose.graphs.networks.network import DiscreteNetwork

__all__ = ["COUPLINGS", "Counterfactual", "counterfactual"]

COUPLINGS = ("none", "monotone", "gumbel")
RESPONSES = 2**12
"""Most joint response functions a linear program is made over."""
SAME = 1e-7
"""Bounds closer than this are one number (the accuracy of the linear programs)."""


@dataclass(frozen=True)
class Counterfactual:
    """Probabilities of what would have been.

    Attributes
    ----------
    lower, upper : Factor
        Least and greatest probability of every combination of states of the outcomes; the same table where
        the answer is one number.
    unique : bool
        Whether the tables (and the coupling, if one was given) leave one answer.
    coupling : str
        ``"none"``, ``"monotone"`` or ``"gumbel"``.
    open_tables : tuple of str
        Vertices whose tables do not say how a state and its twin go together.
    """

    lower: Factor
    upper: Factor
    unique: bool
    coupling: str
    open_tables: tuple[str, ...]

    @property
    def table(self) -> Factor:
        """The one answer; refused with ``counterfactual-not-unique`` where there are only bounds."""
        if not self.unique:
            raise EstimationError(
                "counterfactual-not-unique",
                f"the tables of {', '.join(self.open_tables)} do not say which unit would have had which state",
                where="counterfactual",
                remedy="Read the bounds (.lower and .upper), or choose coupling='monotone' or 'gumbel'.",
            )
        return self.lower

    def to_frame(self) -> Any:
        """One row per combination of states, with columns ``lower`` and ``upper``."""
        frame = self.lower.to_frame().rename(columns={"value": "lower"})
        return frame.assign(upper=self.upper.values.reshape(-1))

    def plot(self, ax: Any = None) -> Any:
        """The bounds as bars from least to greatest, one per combination of states."""
        from suppose.core.figures import PALETTE, new_axes

        ax = new_axes() if ax is None else ax
        frame = self.to_frame()
        names = [
            ", ".join(map(str, row)) for row in frame[list(self.lower.variables)].itertuples(index=False)
        ]
        low, high = frame["lower"].to_numpy(), frame["upper"].to_numpy()
        places = np.arange(len(frame))
        ax.barh(places, np.maximum(high - low, 0.004), left=low, height=0.5, color=PALETTE["blue"])
        ax.set_yticks(places, names)
        ax.invert_yaxis()
        ax.set_xlim(0, 1)
        ax.set_xlabel("probability")
        ax.set_title(f"{', '.join(self.lower.variables)} as it would have been")
        return ax

    def __str__(self) -> str:
        rows = []
        for row in self.to_frame().itertuples(index=False):
            *states, low, high = row
            pairs = ", ".join(f"{v} = {s}" for v, s in zip(self.lower.variables, states, strict=True))
            figure = f"{low:.4f}" if self.unique else f"between {low:.4f} and {high:.4f}"
            rows.append(f"  {pairs}: {figure}")
        if not self.unique:
            why = f"bounds: the tables of {', '.join(self.open_tables)} leave the rest open"
        else:
            why = f"under the {self.coupling} coupling" if self.coupling != "none" else "exact"
        return "\n".join([f"Would have been ({why}):", *rows])


def counterfactual(
    network: DiscreteNetwork,
    outcomes: Any,
    do: Mapping[str, Any],
    given: Mapping[str, Any] | None = None,
    *,
    coupling: str = "none",
) -> Counterfactual:
    """What ``outcomes`` would have been under ``do``, given what was seen without it.

    Parameters
    ----------
    network : DiscreteNetwork
        The network.
    outcomes : str or iterable of str
        Vertices in the world of ``do``.
    do : mapping
        Setting of the counterfactual world. Its vertices may also be ``given`` (what they were).
    given : mapping, optional
        What was seen in the factual world.
    coupling : {"none", "monotone", "gumbel"}
        How a state and its twin go together where a table leaves it open; ``"none"`` gives bounds.

    Raises
    ------
    GraphError
        ``unknown-node``, ``unknown-state``, ``unknown-coupling``, ``clique-too-large``.
    EstimationError
        ``impossible-evidence``; ``too-many-responses`` when bounds would need a linear program that is too large.

    Examples
    --------
    A drug that cures half of those who take it and harms nobody; he took it and recovered.

    >>> from suppose.graphs.networks import DiscreteNetwork
    >>> yes_no = ("no", "yes")
    >>> drug = DiscreteNetwork("drug -> well", {
    ...     "drug": Factor(("drug",), (yes_no,), np.array([.5, .5])),
    ...     "well": Factor(("well", "drug"), (yes_no, yes_no), np.array([[.6, .3], [.4, .7]])),
    ... })
    >>> print(drug.counterfactual("well", do={"drug": "no"}, given={"drug": "yes", "well": "yes"}))
    Would have been (bounds: the tables of well leave the rest open):
      well = no: between 0.4286 and 0.8571
      well = yes: between 0.1429 and 0.5714
    """
    if coupling not in COUPLINGS:
        raise GraphError(
            "unknown-coupling", f"expected one of {', '.join(COUPLINGS)}, got {coupling!r}",
            where="argument 'coupling'", remedy=nearest(str(coupling), COUPLINGS) or "Name one of these.",
        )  # fmt: skip
    names = names_of(network.graph, outcomes, "outcomes")
    seen, _ = network._codes(given, None)
    _, set_ = network._codes(None, do)
    base = network.evidence_log_prob(given or {})
    if base == -math.inf:
        raise network._impossible(given)
    twin = _Twin.of(network, [network._index[name] for name in names], seen, set_)
    open_names = tuple(network.graph.nodes[v] for v in twin.open)
    if coupling == "none":
        lower, upper = twin.bounds(base)
    else:
        lower = upper = twin.coupled(gumbel if coupling == "gumbel" else monotone, base)
    unique = bool(np.max(upper - lower, initial=0.0) <= SAME)
    if unique and coupling == "none" and lower.size:
        lower = upper = (lower + upper) / (lower + upper).sum()
    states = tuple(network.states[name] for name in names)
    made = [Factor(tuple(names), states, values) for values in (lower, upper)]
    return Counterfactual(made[0], made[1], unique, coupling, open_names)


@dataclass(frozen=True)
class _Twin:
    """Both copies: number ``v`` is the factual vertex, ``n + v`` its twin, ``2 n + v`` its response function."""

    network: DiscreteNetwork
    seen: dict[int, int]
    cut: dict[int, int]
    reached: frozenset[int]  # descendants of the cut
    factual: tuple[int, ...]  # vertices needed in the factual copy
    twins: tuple[int, ...]  # reached vertices needed in the twin
    open: tuple[int, ...]  # those of both whose tables are not zeros and ones
    asked: tuple[int, ...]  # numbers of the outcomes

    @classmethod
    def of(
        cls, network: DiscreteNetwork, outcomes: list[int], seen: dict[int, int], cut: dict[int, int]
    ) -> _Twin:
        graph, n = network.graph, len(network.graph)
        below = set(graph.ids(graph.descendants([graph.nodes[v] for v in cut]))) if cut else set()
        reached = frozenset(below - cut.keys())
        needed = network._relevant(set(outcomes), cut)
        twins = tuple(v for v in needed if v in reached)
        shared = {v for v in needed if v not in reached and v not in cut}
        factual = tuple(network._relevant({*seen, *shared}, {}))
        both = [v for v in twins if v in set(factual)]
        open_ = tuple(v for v in both if not np.isin(network._terms[v][1], (0.0, 1.0)).all())
        asked = tuple(n + v if v in reached or v in cut else v for v in outcomes)
        return cls(network, seen, cut, reached, factual, twins, open_, asked)

    @property
    def fixed(self) -> dict[int, int]:
        n = len(self.network.graph)
        return self.seen | {n + v: state for v, state in self.cut.items()}

    def twin_of(self, v: int) -> int:
        """Number of ``v`` in the twin copy."""
        return len(self.network.graph) + v if v in self.reached or v in self.cut else v

    def sizes(self, responses: Mapping[int, int] | None = None) -> list[int]:
        own = self.network._sizes()
        return [*own, *own, *((responses or {}).get(v, 1) for v in range(len(own)))]

    def plain(self, without: tuple[int, ...]) -> list[Term]:
        """Tables of both copies, but those of ``without``."""
        terms = [self.network._terms[v] for v in self.factual if v not in without]
        for v in self.twins:
            if v not in without:
                ids, values = self.network._terms[v]
                terms.append((tuple(map(self.twin_of, ids)), values))
        return terms

    def summed(self, terms: list[Term], keep: list[int], sizes: list[int], base: float) -> np.ndarray:
        """The product of the terms at what is fixed, over ``keep``, divided by the probability of what was seen."""
        fixed = self.fixed
        ready = []
        for ids, values in terms:
            at = tuple(fixed.get(u, slice(None)) for u in ids)
            ready.append((tuple(u for u in ids if u not in fixed), np.asarray(values[at])))
        plan = plan_elimination([ids for ids, _ in ready], sizes, keep)
        nodes = self.network.graph.nodes
        check_size(plan, [*nodes, *(f"{v} (twin)" for v in nodes), *(f"response of {v}" for v in nodes)])
        values, log = eliminate(ready, plan, keep)
        return np.asarray(values * np.exp(log - base))

    def spread(self, values: np.ndarray) -> np.ndarray:
        """A table over the free outcomes, with an axis for each outcome."""
        fixed, sizes = self.fixed, self.sizes()
        whole: np.ndarray = np.zeros([sizes[u] for u in self.asked])
        whole[tuple(fixed.get(u, slice(None)) for u in self.asked)] = values
        return whole

    @property
    def free(self) -> list[int]:
        return [u for u in self.asked if u not in self.fixed]

    # -- one number, under a coupling ----------------------------------------------------------

    def coupled(self, law: Any, base: float) -> np.ndarray:
        """The probabilities when states and twin states go together by ``law``."""
        terms = self.plain(self.open)
        for v in self.open:
            terms.append(self._kernel(v, law))
        values = self.summed(terms, self.free, self.sizes(), base)
        return self.spread(np.asarray(values / values.sum()))

    def _kernel(self, v: int, law: Any) -> Term:
        """Joint table of ``v`` and its twin given the parents of both."""
        (_, *parents), values = self.network._terms[v]
        doubled = [u for u in parents if u in self.reached]
        own = self.network._sizes()
        shape = [own[u] for u in (*parents, *doubled)]
        if math.prod(shape) * own[v] ** 2 > LIMIT:
            raise GraphError(
                "clique-too-large",
                f"the joint table of {self.network.graph.nodes[v]} and its twin has "
                f"{math.prod(shape) * own[v] ** 2:.3g} entries; the limit is {float(LIMIT):.3g}",
                where="network", remedy="Give that vertex fewer causes, or merge rare states.",
            )  # fmt: skip
        grid: Any = np.indices(shape).reshape(len(shape), -1)
        code = dict(zip(parents, grid, strict=False))
        other = dict(zip(doubled, grid[len(parents) :], strict=True))
        first = values[(slice(None), *(code[u] for u in parents))].reshape(own[v], -1)
        second = values[
            (slice(None), *(other.get(u, self.cut.get(u, code[u])) for u in parents))
        ].reshape(own[v], -1)  # fmt: skip
        first, second = np.broadcast_arrays(first, second)
        joint = law(np.asarray(first, dtype=float), np.asarray(second, dtype=float))
        ids = (v, self.twin_of(v), *parents, *map(self.twin_of, doubled))
        return ids, joint.reshape([own[v], own[v], *shape])

    # -- bounds --------------------------------------------------------------------------------

    def bounds(self, base: float) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest probability over all laws of the response functions of the open tables."""
        n = len(self.network.graph)
        counts = {v: self._responses(v) for v in self.open}
        total = math.prod(counts.values())
        if total > RESPONSES:
            listed = ", ".join(f"{self.network.graph.nodes[v]} {count:.3g}" for v, count in counts.items())
            raise EstimationError(
                "too-many-responses",
                f"bounds need a linear program over {total:.3g} response functions ({listed}); "
                f"the limit is {RESPONSES:,}",
                where="counterfactual",
                remedy="Choose coupling='monotone' or 'gumbel', which give one number under an assumption.",
            )
        terms = self.plain(self.open)
        for v in self.open:
            ids, _ = self.network._terms[v]
            table = self._mechanism(v, int(counts[v]))
            terms += [((*ids, 2 * n + v), table), ((*map(self.twin_of, ids), 2 * n + v), table)]
        responses = [2 * n + v for v in self.open]
        sizes = self.sizes({v: int(count) for v, count in counts.items()})
        weights = self.summed(terms, [*self.free, *responses], sizes, base)
        if not self.open:
            exact = self.spread(np.asarray(weights / weights.sum()))
            return exact, exact
        shape = weights.shape[: len(self.free)]
        low, high = _programs(weights.reshape(-1, int(total)), *self._constraints(counts))
        return self.spread(low.reshape(shape)), self.spread(high.reshape(shape))

    def _responses(self, v: int) -> float:
        values = self.network._terms[v][1]
        return float(values.shape[0] ** (values.size // values.shape[0]))

    def _mechanism(self, v: int, count: int) -> np.ndarray:
        """Zeros and ones over (v, parents..., response)."""
        values = self.network._terms[v][1]
        states, settings = values.shape[0], values.size // values.shape[0]
        digits = np.arange(count)[None, :] // states ** np.arange(settings)[:, None] % states
        table = digits[None] == np.arange(states)[:, None, None]
        return np.asarray(table.astype(float).reshape(*values.shape, count))

    def _constraints(self, counts: Mapping[int, float]) -> tuple[np.ndarray, np.ndarray]:
        """One row per state and setting of every open table at once: which responses agree, and how often."""
        matrix: np.ndarray = np.ones((1, 1))
        right: np.ndarray = np.ones(1)
        for v in self.open:
            table = self._mechanism(v, int(counts[v]))
            matrix = np.kron(matrix, table.reshape(-1, int(counts[v])))
            right = np.kron(right, self.network._terms[v][1].reshape(-1))
        return matrix, right


def _programs(weights: np.ndarray, matrix: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest of every row of ``weights`` times q, over q >= 0 with ``matrix`` q = ``right``."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    rows: Any = csr_array(matrix)  # the stubs know no sparse constraints
    found: list[list[float]] = []
    for row in weights:
        ends: list[Any] = [
            linprog(sign * row, A_eq=rows, b_eq=right, bounds=(0, None), method="highs") for sign in (1, -1)
        ]
        if any(end.status != 0 for end in ends):
            raise EstimationError(
                "bounds-failed", f"the linear program of the bounds was not solved ({ends[0].message})",
                where="counterfactual", remedy="Choose coupling='monotone' or 'gumbel'.",
            )  # fmt: skip
        found.append([float(ends[0].fun), -float(ends[1].fun)])
    low, high = np.asarray(found).T
    return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
