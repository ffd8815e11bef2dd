"""Discrete Bayesian networks: exact answers to what is, what would be, and what would have been.

A :class:`DiscreteNetwork` is a graph and, for every vertex, a table of its states given its parents' (Pearl
1988). Its product is the joint law; ``given`` conditions it, ``do`` exchanges tables for a setting from outside
(the truncated factorization, Pearl 2009, eq. 3.10: the diagram reading is that the box is cut out and a state
put in its place, Jacobs, Kissinger and Zanasi 2019, sec. 4). Queries leave out what cannot matter first: barren
vertices (no asked or seen descendant) and vertices that the evidence separates from the question. All single
marginals come from junction trees (:mod:`suppose.graphs.networks.marginals`).

Probabilities are exact up to rounding. A vertex the evidence makes impossible is refused, not divided by zero.
What it does not do: approximate inference, continuous vertices (see :mod:`suppose.graphs.structural`), cycles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from suppose.core.errors import EstimationError, GraphError
from suppose.graphs.dag import DAG, NodeSet
from suppose.graphs.factors import Factor, States
from suppose.graphs.networks.contraction import Term, check_size, eliminate, plan_elimination
from suppose.graphs.networks.tables import checked, graph_of, mapping_of, names_of, normalized

if TYPE_CHECKING:
    from suppose.graphs.networks.counterfactual import Counterfactual
    from suppose.graphs.networks.marginals import Part

__all__ = ["DiscreteNetwork"]

PLANS = 16


class DiscreteNetwork:
    """A causal graph with a table for every vertex.

    Parameters
    ----------
    graph : DAG or str
        Directed edges only; a hidden common cause is a vertex of its own, marked ``latent``.
    tables : Mapping[str, Factor]
        For every vertex its probability given its parents: a factor over (vertex, parents...), in any order
        of the parents, that sums to one over the vertex.

    Raises
    ------
    GraphError
        ``hidden-cause`` (a ``<->`` edge), ``missing-table``, ``wrong-table``, ``not-a-distribution`` (negative
        or not summing to one within 1e-8, with the column and by how much), ``different-states``.

    Examples
    --------
    >>> yes_no = ("no", "yes")
    >>> network = DiscreteNetwork("rain -> wet", {
    ...     "rain": Factor(("rain",), (yes_no,), np.array([.7, .3])),
    ...     "wet": Factor(("wet", "rain"), (yes_no, yes_no), np.array([[.9, .2], [.1, .8]])),
    ... })
    >>> network.query("rain", given={"wet": "yes"}).values.round(4).tolist()
    [0.2258, 0.7742]
    >>> network.query("rain", do={"wet": "yes"}).values.tolist()
    [0.7, 0.3]
    """

    __slots__ = ("_graph", "_index", "_parents", "_plans", "_states", "_tables", "_terms")

    _graph: DAG
    _tables: dict[str, Factor]
    _states: dict[str, States]
    _index: dict[str, int]
    _parents: tuple[tuple[int, ...], ...]
    _terms: tuple[Term, ...]
    _plans: dict[tuple[frozenset[int], frozenset[int]], tuple[Part, ...]]

    def __init__(self, graph: DAG | str, tables: Mapping[str, Factor]) -> None:
        dag = graph_of(graph)
        put = object.__setattr__
        put(self, "_graph", dag)
        put(self, "_tables", checked(dag, tables))
        put(self, "_states", {name: table.states[0] for name, table in self._tables.items()})
        put(self, "_index", {name: i for i, name in enumerate(dag.nodes)})
        terms = [
            (tuple(self._index[v] for v in table.variables), table.values) for table in self._tables.values()
        ]
        put(self, "_terms", tuple(terms))
        put(self, "_parents", tuple(ids[1:] for ids, _ in terms))
        put(self, "_plans", {})

    # ---------------------------------------------------------------- in and out

    @classmethod
    def from_bif(cls, source: str | Path, *, normalize: bool = False) -> DiscreteNetwork:
        """Network from a BIF file (plain or gzip) or from such a text.

        Parameters
        ----------
        source : str or Path
            Path of the file, or its text.
        normalize : bool, default=False
            Divide every column by its sum where that is within 0.001 of 1: for files with rounded numbers.

        Raises
        ------
        DataError, GraphError
            ``missing-file``, ``unreadable-file``, ``file-too-large``, ``bif-syntax``, and those of the class.

        Examples
        --------
        >>> text = "variable a { type discrete [ 2 ] { no, yes }; } probability ( a ) { table 0.4, 0.6; }"
        >>> DiscreteNetwork.from_bif(text).query("a").values.tolist()
        [0.4, 0.6]
        """
        from suppose.graphs.networks.bif import read_bif, text_of

        tables = read_bif(text_of(source))
        if normalize:
            tables = {name: normalized(table) for name, table in tables.items()}
        edges = [(parent, name) for name, table in tables.items() for parent in table.variables[1:]]
        return cls(DAG.from_edges(edges, nodes=tables), tables)

    def to_bif(self) -> str:
        """The network as BIF text; read back it is the same to the bit. Refuses with ``bif-name``."""
        from suppose.graphs.networks.bif import write_bif

        return write_bif(self._tables)

    @classmethod
    def fit(
        cls,
        frame: Any,
        graph: DAG | str,
        prior: float = 1.0,
        *,
        states: Mapping[str, Iterable[Any]] | None = None,
    ) -> DiscreteNetwork:
        """Network with the tables learned from rows; see :func:`suppose.graphs.networks.learning.fit_tables`.

        Parameters
        ----------
        frame : any frame narwhals knows
            One column per vertex, values compared as text.
        graph : DAG or str
            Directed edges only.
        prior : float, default=1.0
            Pseudo-count of every cell (1: uniform prior on every column of every table; 0: shares as counted).
        states : mapping, optional
            States of some variables in the order wanted, also of some that do not occur.

        Examples
        --------
        >>> import pandas as pd
        >>> rows = pd.DataFrame({"x": ["a", "a", "b", "b"], "y": ["u", "u", "u", "v"]})
        >>> DiscreteNetwork.fit(rows, "x -> y").query("y", do={"x": "a"}).values.tolist()
        [0.75, 0.25]
        """
        from suppose.graphs.networks.learning import fit_tables

        dag = graph_of(graph)
        return cls(dag, fit_tables(frame, dag, prior, mapping_of(states, "argument 'states'")))

    # ------------------------------------------------------------------- content

    @property
    def graph(self) -> DAG:
        """The graph."""
        return self._graph

    @property
    def states(self) -> dict[str, States]:
        """States by vertex."""
        return dict(self._states)

    @property
    def tables(self) -> dict[str, Factor]:
        """Table of every vertex, over (vertex, parents...)."""
        return dict(self._tables)

    @property
    def parameters(self) -> int:
        """Numbers that can be chosen freely."""
        return sum(t.values.size - t.values.size // t.values.shape[0] for t in self._tables.values())

    # ------------------------------------------------------------------- answers

    def query(
        self,
        variables: NodeSet,
        given: Mapping[str, Any] | None = None,
        do: Mapping[str, Any] | None = None,
    ) -> Factor:
        """Joint probability of ``variables`` after ``do``, given what was seen.

        Parameters
        ----------
        variables : str or iterable of str
            Asked for; the axes of the answer, in this order.
        given, do : mapping, optional
            State by vertex.

        Returns
        -------
        Factor
            Sums to one.

        Raises
        ------
        GraphError
            ``unknown-node``, ``unknown-state``, ``overlapping-sets``, ``clique-too-large``.
        EstimationError
            ``impossible-evidence``: what was seen has probability zero.

        Examples
        --------
        >>> from suppose.graphs.networks import load_network
        >>> load_network("asia").query("lung", given={"xray": "no"}).values.round(6).tolist()
        [0.001236, 0.998764]
        """
        names = names_of(self._graph, variables, "variables")
        seen, set_ = self._codes(given, do)
        asked = [self._index[name] for name in names]
        free = [v for v in asked if v not in seen and v not in set_]
        terms = self._sliced(self._relevant({*asked, *seen}, set_), seen | set_, set_)
        near, far = _split(terms, set(free))
        values, _ = self._contract(near, free)
        if not float(values.sum()) > 0 or not self._possible(far):
            raise self._impossible(given)
        return self._placed(names, free, np.asarray(values / values.sum()), seen | set_)

    def marginals(
        self, given: Mapping[str, Any] | None = None, do: Mapping[str, Any] | None = None
    ) -> dict[str, Factor]:
        """Probability of every state of every vertex after ``do``, given what was seen.

        Raises as :meth:`query` does.

        Examples
        --------
        >>> from suppose.graphs.networks import load_network
        >>> found = load_network("asia").marginals(given={"xray": "yes"})
        >>> round(float(found["lung"].values[0]), 6)
        0.488711
        """
        from suppose.graphs.networks.marginals import marginals

        seen, set_ = self._codes(given, do)
        answers = marginals(self, seen, set_)
        if answers is None:
            raise self._impossible(given)
        found: dict[str, Factor] = {}
        for name, v in self._index.items():
            values = answers[v] if v in answers else np.eye(len(self._states[name]))[(seen | set_)[v]]
            found[name] = Factor((name,), (self._states[name],), values)
        return found

    def evidence_log_prob(self, given: Mapping[str, Any], do: Mapping[str, Any] | None = None) -> float:
        """Natural logarithm of the probability of ``given`` after ``do``; minus infinity when impossible."""
        seen, set_ = self._codes(given, do)
        terms = self._sliced(self._relevant(set(seen), set_), seen | set_, set_)
        values, log = self._contract(terms, [])
        return float(np.log(values) + log) if values > 0 else -float("inf")

    def do(self, setting: Mapping[str, Any]) -> DiscreteNetwork:
        """The network after setting vertices from outside: their arrows in are cut, their state is certain.

        Examples
        --------
        >>> from suppose.graphs.networks import load_network
        >>> load_network("asia").do({"smoke": "yes"}).query("lung").values.round(9).tolist()
        [0.1, 0.9]
        """
        _, set_ = self._codes(None, setting)
        tables = dict(self._tables)
        for name in setting:
            states = self._states[name]
            tables[name] = Factor((name,), (states,), np.eye(len(states))[set_[self._index[name]]])
        return DiscreteNetwork(self._graph.without_incoming(list(setting)), tables)

    def counterfactual(
        self,
        outcomes: NodeSet,
        do: Mapping[str, Any],
        given: Mapping[str, Any] | None = None,
        *,
        coupling: str = "none",
    ) -> Counterfactual:
        """What ``outcomes`` would have been under ``do``, given what was seen without it.

        See :func:`suppose.graphs.networks.counterfactual.counterfactual`, which says what the couplings are
        and when the answer is a pair of bounds.
        """
        from suppose.graphs.networks.counterfactual import counterfactual

        return counterfactual(self, outcomes, do, given, coupling=coupling)

    def sample(
        self,
        rows: int,
        *,
        given: Mapping[str, Any] | None = None,
        do: Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> Any:
        """Independent rows of the law after ``do``, given what was seen; exact, none is thrown away.

        Returns a pandas DataFrame with one categorical column per vertex. Same seed, same rows.

        Examples
        --------
        >>> from suppose.graphs.networks import load_network
        >>> rows = load_network("asia").sample(1000, given={"lung": "yes"}, seed=1)
        >>> len(rows), set(rows["lung"]), set(rows["either"])
        (1000, {'yes'}, {'yes'})
        """
        from suppose.graphs.networks.rows import sample

        return sample(self, rows, given, do, seed)

    def log_prob(
        self,
        frame: Any,
        *,
        given: Mapping[str, Any] | None = None,
        do: Mapping[str, Any] | None = None,
    ) -> Float[np.ndarray, " rows"]:
        """Natural logarithm of the probability of each row; columns that are left out are summed over.

        Examples
        --------
        >>> from suppose.graphs.networks import load_network
        >>> import pandas as pd
        >>> load_network("asia").log_prob(pd.DataFrame({"smoke": ["yes"], "lung": ["yes"]})).round(4).tolist()
        [-2.9957]
        """
        from suppose.graphs.networks.rows import log_prob

        return log_prob(self, frame, given, do)

    # ------------------------------------------------------------------ machinery

    def _sizes(self) -> list[int]:
        return [len(states) for states in self._states.values()]

    def _codes(
        self, given: Mapping[str, Any] | None, do: Mapping[str, Any] | None
    ) -> tuple[dict[int, int], dict[int, int]]:
        """States of ``given`` and ``do`` by number of vertex."""
        given, do = mapping_of(given, "argument 'given'"), mapping_of(do, "argument 'do'")
        both = [name for name in given if name in do]
        if both:
            raise GraphError(
                "overlapping-sets", f"{both[0]!r} is set from outside and observed at once",
                where=f"node {both[0]!r}", remedy="Leave it in 'do' alone; its state is certain there.",
            )  # fmt: skip
        found: list[dict[int, int]] = []
        for word, setting in (("given", given), ("do", do)):
            self._graph.ids(list(setting), where=word)
            found.append({
                self._index[name]: self._tables[name].code(name, state) for name, state in setting.items()
            })  # fmt: skip
        return found[0], found[1]

    def _relevant(self, targets: set[int], cut: Mapping[int, int]) -> list[int]:
        """The targets and their causes, direct or not, when the arrows into ``cut`` are gone."""
        found, stack = set(targets), list(targets)
        while stack:
            v = stack.pop()
            for u in () if v in cut else self._parents[v]:
                if u not in found:
                    found.add(u)
                    stack.append(u)
        return sorted(found)

    def _sliced(
        self, vertices: Iterable[int], fixed: Mapping[int, int], cut: Mapping[int, int]
    ) -> list[Term]:
        """Tables of the vertices that are not cut, at the fixed states."""
        terms = []
        for v in vertices:
            if v in cut:
                continue
            ids, values = self._terms[v]
            if not fixed.keys().isdisjoint(ids):
                values = values[tuple(fixed.get(u, slice(None)) for u in ids)]
                ids = tuple(u for u in ids if u not in fixed)
            terms.append((ids, np.asarray(values)))
        return terms

    def _contract(self, terms: list[Term], keep: list[int]) -> tuple[np.ndarray, np.ndarray]:
        plan = plan_elimination([ids for ids, _ in terms], self._sizes(), keep)
        check_size(plan, list(self._index))
        return eliminate(terms, plan, keep)

    def _possible(self, terms: list[Term]) -> bool:
        """Whether tables that do not touch the question leave the evidence a chance."""
        doubtful = [term for term in terms if not float(term[1].min()) > 0]
        if not doubtful:
            return True
        values, _ = self._contract(terms, [])
        return bool(values > 0)

    def _planned(self, seen: Mapping[int, int], cut: Mapping[int, int]) -> tuple[Part, ...]:
        """How all marginals are found; remembered by what is seen and what is set."""
        from suppose.graphs.networks.marginals import planned

        key = (frozenset(seen), frozenset(cut))
        if key not in self._plans:
            if len(self._plans) >= PLANS:
                self._plans.pop(next(iter(self._plans)))
            self._plans[key] = planned(self, seen, cut)
        return self._plans[key]

    def _placed(
        self, names: list[str], free: list[int], values: np.ndarray, fixed: Mapping[int, int]
    ) -> Factor:
        """The answer with an axis for every name, also for those whose state is certain."""
        states = tuple(self._states[name] for name in names)
        if len(free) == len(names):
            return Factor(tuple(names), states, values)
        whole = np.zeros([len(own) for own in states])
        whole[tuple(fixed.get(self._index[name], slice(None)) for name in names)] = values
        return Factor(tuple(names), states, whole)

    def _impossible(self, given: Mapping[str, Any] | None) -> EstimationError:
        seen = ", ".join(f"{name} = {state}" for name, state in list((given or {}).items())[:12])
        return EstimationError(
            "impossible-evidence", f"what was seen has probability zero in this network: {seen}",
            where="given", remedy="Look for a mistyped state, or fit the tables with a prior above zero.",
        )  # fmt: skip

    # ------------------------------------------------------------------- protocol

    def __repr__(self) -> str:
        return (
            f"DiscreteNetwork({len(self._states)} vertices, {len(self._graph.directed)} arrows, "
            f"{self.parameters:,} free numbers)"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DiscreteNetwork):
            return NotImplemented
        return self._graph == other._graph and all(
            table.states_of == other._tables[name].states_of and table.allclose(other._tables[name], 0.0)
            for name, table in self._tables.items()
        )

    __hash__ = None  # type: ignore[assignment]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a network does not change; make a new one with do() or DiscreteNetwork(...)")

    def __reduce__(self) -> tuple[object, ...]:  # crosses process borders whole
        return (DiscreteNetwork, (self._graph, self._tables))


def _split(terms: list[Term], asked: set[int]) -> tuple[list[Term], list[Term]]:
    """Terms that are joined to the asked variables through shared variables, and the others."""
    holding: dict[int, list[int]] = {}
    for number, (ids, _) in enumerate(terms):
        for v in ids:
            holding.setdefault(v, []).append(number)
    reached: set[int] = set()
    seen, stack = set(asked), list(asked)
    while stack:
        for number in holding.get(stack.pop(), ()):
            if number not in reached:
                reached.add(number)
                new = [u for u in terms[number][0] if u not in seen]
                seen.update(new)
                stack.extend(new)
    near = [term for number, term in enumerate(terms) if number in reached]
    return near, [term for number, term in enumerate(terms) if number not in reached]
