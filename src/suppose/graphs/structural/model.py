"""Structural causal models: a graph, a mechanism for every vertex, and the three questions of causality.

A :class:`StructuralModel` (Pearl 2009, def. 7.1.1) makes every vertex from its causes and a noise of its own. It
is the reference :class:`~suppose.core.world.World`: what is (``sample``, ``log_prob``, ``condition``), what would
be (``do``), and what would have been for the very units in a table (``counterfactual``). Vertices are numbers or
have states; noises are independent, or jointly Gaussian where the graph has ``a <-> b``.

The same seed gives the same units: ``sample(n, seed=1)`` and ``sample(n, do={"x": 1}, seed=1)`` have the same
noises row by row, so that their difference is the effect of each unit. Answers are exact: in closed form for
linear models with Gaussian noise and for tables, by rejection otherwise. What has no exact answer is refused.

What it does not do: cycles, selection, learning mechanisms in the presence of ``<->``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float

from suppose.core.errors import EstimationError, GraphError
from suppose.graphs.dag import DAG
from suppose.graphs.factors import Factor, States
from suppose.graphs.networks.network import DiscreteNetwork
from suppose.graphs.networks.tables import checked_table, graph_of, mapping_of
from suppose.graphs.structural.conditioned import Conditioned
from suppose.graphs.structural.gaussian import NormalLaw, linear_parts
from suppose.graphs.structural.mechanisms import Fixed, Mechanism, Table, check_number, impossible
from suppose.graphs.structural.noise import Gaussian
from suppose.graphs.structural.passes import District

__all__ = ["StructuralModel"]

Pair = tuple[str, str]


class StructuralModel:
    """A causal graph with a mechanism for every vertex.

    Parameters
    ----------
    graph : DAG or str
        The graph. A hidden common cause is a vertex of its own, or ``a <-> b`` between vertices with Gaussian
        noise.
    mechanisms : mapping of str to Mechanism
        How each vertex comes about: :class:`Linear`, :class:`Function`, :class:`Table`, :class:`Logit`.
    covariances : mapping of (str, str) to float, optional
        For every ``<->`` the covariance of the two noises.

    Raises
    ------
    GraphError
        ``missing-mechanism``, ``wrong-causes`` (coefficients and arrows disagree), ``wrong-table``,
        ``different-states``, ``not-a-distribution``, ``hidden-cause`` (a ``<->`` without a covariance, or at a
        vertex without Gaussian noise), ``not-a-covariance``.

    Examples
    --------
    >>> from suppose.graphs.structural import Linear
    >>> model = StructuralModel("z -> {x y}; x -> y", {
    ...     "z": Linear(),
    ...     "x": Linear({"z": 1.0}),
    ...     "y": Linear({"x": 2.0, "z": 3.0}, intercept=1.0),
    ... })
    >>> model.law(do={"x": 1.0}).keep(["y"]).mean.tolist()
    [3.0]
    >>> model.law(given={"x": 1.0}).keep(["y"]).mean.round(9).tolist()
    [4.5]
    >>> import pandas as pd
    >>> unit = pd.DataFrame({"z": [0.5], "x": [1.0], "y": [4.0]})
    >>> model.counterfactual(unit, do={"x": 0.0})
         z    x    y
    0  0.5  0.0  2.0
    """

    __slots__ = ("_covariances", "_districts", "_graph", "_mechanisms", "_states")

    _graph: DAG
    _mechanisms: dict[str, Mechanism]
    _states: Mapping[str, States | None]
    _covariances: dict[Pair, float]
    _districts: Mapping[str, District]

    def __init__(
        self,
        graph: DAG | str,
        mechanisms: Mapping[str, Mechanism],
        covariances: Mapping[Pair, float] | None = None,
    ) -> None:
        dag = graph_of(graph)
        put = object.__setattr__
        put(self, "_graph", dag)
        put(self, "_mechanisms", _placed(dag, mechanisms))
        put(self, "_states", MappingProxyType({name: m.states for name, m in self._mechanisms.items()}))
        for name, mechanism in self._mechanisms.items():
            mechanism.check(name, dag.parents(name), self._states)
        put(
            self,
            "_covariances",
            _covariances(dag, self._mechanisms, mapping_of(covariances, "argument 'covariances'")),
        )
        put(self, "_districts", _districts(dag, self._mechanisms, self._covariances))

    @classmethod
    def fit(
        cls, frame: Any, graph: DAG | str, *, discrete: Iterable[str] = (), prior: float = 1.0
    ) -> StructuralModel:
        """Model with mechanisms learned from rows; see :func:`suppose.graphs.structural.learning.fit_mechanisms`.

        Parameters
        ----------
        frame : any frame narwhals knows
            One column per vertex, without missing values.
        graph : DAG or str
            Directed edges only.
        discrete : iterable of str
            Columns of numbers that are to be read as states; text, categories and yes/no always are.
        prior : float, default=1.0
            Pseudo-count of every cell of a table.

        Examples
        --------
        >>> import pandas as pd
        >>> rows = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 3.1, 4.9, 7.0]})
        >>> print(StructuralModel.fit(rows, "x -> y"))
        Structural model of 2 vertices
          x = 1.5 + Gaussian(1.291)
          y = 1.03 + 1.98 x + Gaussian(0.09487)
        """
        from suppose.graphs.structural.learning import fit_mechanisms

        dag = graph_of(graph)
        return cls(dag, fit_mechanisms(frame, dag, discrete, prior))

    # ------------------------------------------------------------------- content

    @property
    def graph(self) -> DAG:
        """The graph."""
        return self._graph

    @property
    def mechanisms(self) -> dict[str, Mechanism]:
        """Mechanism of every vertex."""
        return dict(self._mechanisms)

    def mechanism(self, name: str) -> Mechanism:
        """Mechanism of one vertex."""
        return self._mechanisms[name]

    @property
    def states(self) -> Mapping[str, States | None]:
        """States by vertex, None for a number."""
        return self._states

    @property
    def covariances(self) -> dict[Pair, float]:
        """Covariance of the noises at the ends of every ``<->``."""
        return dict(self._covariances)

    @property
    def districts(self) -> Mapping[str, District]:
        """For every vertex with a correlated noise, those it is correlated with."""
        return self._districts

    @property
    def network(self) -> DiscreteNetwork:
        """The same model as a network of tables, with all it can answer (bounds of counterfactuals among it).

        Refused with ``not-discrete`` when some vertex is not a table.
        """
        found = self._network()
        if found is None:
            bare = next(
                (n for n, m in self._mechanisms.items() if _factor(n, m) is None), self._graph.nodes[0]
            )
            raise GraphError(
                "not-discrete", "a network of tables needs a table for every vertex, and this one has none",
                where=f"node {bare!r}", remedy="Ask the structural model itself.",
            )  # fmt: skip
        return found

    def _network(self) -> DiscreteNetwork | None:
        tables = {name: _factor(name, mechanism) for name, mechanism in self._mechanisms.items()}
        if self._graph.bidirected or not tables or any(table is None for table in tables.values()):
            return None
        return DiscreteNetwork(
            self._graph, {name: table for name, table in tables.items() if table is not None}
        )

    # ------------------------------------------------------------------- answers

    def law(self, given: Mapping[str, Any] | None = None, do: Mapping[str, Any] | None = None) -> NormalLaw:
        """The normal law of all vertices that are neither set nor seen, in closed form.

        Refused with ``not-linear-gaussian`` unless every vertex is :class:`Linear` with Gaussian noise.
        """
        seen, fixed = self.settings(given, do)
        found = (self.do(do) if do else self)._law(fixed)
        if found is None:
            raise EstimationError(
                "not-linear-gaussian",
                "a closed form needs every vertex to be linear in numbers, with Gaussian noise",
                where="model", remedy="Draw rows with sample() instead.",
            )  # fmt: skip
        return found.condition(seen) if seen else found

    def _law(self, fixed: Iterable[str] = ()) -> NormalLaw | None:
        """Law of all vertices but constants."""
        parts = linear_parts(self)
        if parts is None:
            return None
        mean, loadings, omega = parts
        whole = NormalLaw(self._graph.nodes, mean, loadings @ omega @ loadings.T)
        gone = {*fixed, *(name for name, m in self._mechanisms.items() if isinstance(m, Fixed))}
        return whole.keep([name for name in self._graph.nodes if name not in gone])

    def do(self, setting: Mapping[str, Any]) -> StructuralModel:
        """The model after setting vertices from outside: arrows into them, ``<->`` included, are cut.

        Examples
        --------
        >>> from suppose.graphs.structural import Linear
        >>> print(StructuralModel("x -> y", {"x": Linear(), "y": Linear({"x": 2.0})}).do({"x": 3.0}))
        Structural model of 2 vertices
          x = 3 (set from outside)
          y = 0 + 2 x + Gaussian(1)
        """
        _, fixed = self.settings(None, setting)
        mechanisms = dict(self._mechanisms)
        for name, value in fixed.items():
            mechanisms[name] = Fixed(value, self._states[name])
        left = {pair: c for pair, c in self._covariances.items() if not fixed.keys() & set(pair)}
        return StructuralModel(self._graph.without_incoming(list(fixed)), mechanisms, left)

    def condition(self, given: Mapping[str, Any]) -> Conditioned:
        """The world in which something was seen; see :class:`suppose.graphs.structural.conditioned.Conditioned`."""
        self.settings(given, None)
        return Conditioned(self, dict(given))

    def sample(
        self,
        rows: int,
        *,
        given: Mapping[str, Any] | None = None,
        do: Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> Any:
        """Independent rows of the law after ``do``, given what was seen, as a pandas DataFrame.

        Parameters
        ----------
        rows : int
            How many.
        given, do : mapping, optional
            Numbers or states by vertex.
        seed : int
            Same seed, same rows; without ``given`` also the same units under any ``do``.

        Raises
        ------
        EstimationError
            ``impossible-evidence``, ``evidence-too-rare``, ``noise-not-additive``.

        Examples
        --------
        >>> from suppose.graphs.structural import Linear
        >>> model = StructuralModel("x -> y", {"x": Linear(), "y": Linear({"x": 2.0})})
        >>> change = model.sample(3, do={"x": 1.0}, seed=5) - model.sample(3, do={"x": 0.0}, seed=5)
        >>> change["y"].round(9).tolist()
        [2.0, 2.0, 2.0]
        """
        from suppose.graphs.structural.rows import sample

        return sample(self, rows, given, do, seed)

    def log_prob(
        self, frame: Any, *, given: Mapping[str, Any] | None = None, do: Mapping[str, Any] | None = None
    ) -> Float[np.ndarray, " rows"]:
        """Natural logarithm of the density (for states: the probability) of each row.

        Columns that are left out are integrated over in closed form in linear Gaussian models, summed over where
        they have states, and ignored where they cause nothing that is asked for. Rows that contradict ``do`` or
        ``given`` have minus infinity.

        Raises
        ------
        EstimationError
            ``cannot-integrate``, ``noise-not-additive``, ``impossible-evidence``.

        Examples
        --------
        >>> from suppose.graphs.structural import Linear
        >>> import pandas as pd
        >>> model = StructuralModel("x -> y", {"x": Linear(), "y": Linear({"x": 2.0})})
        >>> model.log_prob(pd.DataFrame({"y": [0.0]})).round(4).tolist()
        [-1.7237]
        """
        from suppose.graphs.structural.rows import log_prob

        return log_prob(self, frame, given, do)

    def counterfactual(
        self, frame: Any, do: Mapping[str, Any], *, coupling: str = "none", seed: int = 0
    ) -> Any:
        """What each unit of a table would have been under ``do``.

        See :func:`suppose.graphs.structural.units.counterfactual`.
        """
        from suppose.graphs.structural.units import counterfactual

        return counterfactual(self, frame, do, coupling=coupling, seed=seed)

    # ----------------------------------------------------------------- machinery

    def settings(
        self, given: Mapping[str, Any] | None, do: Mapping[str, Any] | None
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Numbers, or numbers of states, of what is ``given`` and of what ``do`` sets; checked.

        Raises
        ------
        GraphError
            ``unknown-node``, ``unknown-state``, ``bad-setting``, ``overlapping-sets``.
        EstimationError
            ``impossible-evidence`` when a vertex was set to another value before.
        """
        given, do = mapping_of(given, "argument 'given'"), mapping_of(do, "argument 'do'")
        both = [name for name in given if name in do]
        if both:
            raise GraphError(
                "overlapping-sets", f"{both[0]!r} is set from outside and observed at once",
                where=f"node {both[0]!r}", remedy="Leave it in 'do' alone; its value is certain there.",
            )  # fmt: skip
        found: list[dict[str, float]] = []
        for word, setting in (("given", given), ("do", do)):
            self._graph.ids(list(setting), where=word)
            found.append({name: self._value(name, value, word) for name, value in setting.items()})
        for name, value in found[0].items():
            mechanism = self._mechanisms[name]
            if isinstance(mechanism, Fixed) and mechanism.value != value:
                raise impossible("given", f"{name} was set to another value from outside")
        return found[0], found[1]

    def _value(self, name: str, value: Any, word: str) -> float:
        states = self._states[name]
        if states is None:
            return check_number(value, f"{word}: node {name!r}")
        return Factor((name,), (states,), np.zeros(len(states))).code(name, value)

    def __str__(self) -> str:
        lines = [f"Structural model of {len(self._mechanisms)} vertices"]
        lines += [f"  {mechanism.words(name)}" for name, mechanism in self._mechanisms.items()]
        lines += [
            f"  covariance of the noises of {a} and {b}: {c:.4g}" for (a, b), c in self._covariances.items()
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"StructuralModel({len(self._mechanisms)} vertices, {len(self._graph.directed)} arrows)"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a model does not change; make a new one with do() or StructuralModel(...)")

    def __reduce__(self) -> tuple[object, ...]:  # crosses process borders whole
        return (StructuralModel, (self._graph, self._mechanisms, self._covariances))


def _placed(dag: DAG, mechanisms: Mapping[str, Mechanism]) -> dict[str, Mechanism]:
    """The mechanisms in node order, tables with the vertex first."""
    mechanisms = mapping_of(mechanisms, "mechanisms")
    dag.ids(list(mechanisms), where="mechanisms")
    found: dict[str, Mechanism] = {}
    for name in dag.nodes:
        mechanism = mechanisms.get(name)
        if not isinstance(mechanism, Mechanism):
            what = "has none" if mechanism is None else f"got {type(mechanism).__name__}"
            raise GraphError(
                "missing-mechanism", f"expected a mechanism, {what}", where=f"node {name!r}",
                remedy="Give it a Linear, Function, Table or Logit.",
            )  # fmt: skip
        if isinstance(mechanism, Table):
            mechanism = Table(checked_table(name, dag.parents(name), mechanism.factor))
        found[name] = mechanism
    return found


def _factor(name: str, mechanism: Mechanism) -> Factor | None:
    """The mechanism as a table, None where it is none."""
    if isinstance(mechanism, Table):
        return mechanism.factor
    if isinstance(mechanism, Fixed) and mechanism.states is not None:
        point = np.eye(len(mechanism.states))[int(mechanism.value)]
        return Factor((name,), (mechanism.states,), point)
    return None


def _covariances(
    dag: DAG, mechanisms: Mapping[str, Mechanism], given: Mapping[Pair, float]
) -> dict[Pair, float]:
    """The covariance of every ``<->``, in the order of the graph's edges."""
    wrong = [pair for pair in given if not (isinstance(pair, tuple) and len(pair) == 2)]
    if wrong:
        raise GraphError(
            "hidden-cause", f"expected pairs of vertices, got {wrong[0]!r}", where="covariances",
            remedy="Write {('x', 'y'): 0.5}.",
        )  # fmt: skip
    both = {**given, **{(b, a): value for (a, b), value in given.items()}}
    extra = [pair for pair in given if pair not in dag.bidirected and pair[::-1] not in dag.bidirected]
    if extra:
        raise GraphError(
            "hidden-cause", f"the graph has no edge {extra[0][0]} <-> {extra[0][1]}", where="covariances",
            remedy="Draw it, or leave its covariance out.",
        )  # fmt: skip
    for a, b in dag.bidirected:
        if (a, b) not in both:
            raise GraphError(
                "hidden-cause", f"the edge {a} <-> {b} needs the covariance of the two noises", where="covariances",
                remedy=f"Add covariances={{({a!r}, {b!r}): 0.5}}, or write the hidden cause as a vertex.",
            )  # fmt: skip
        for name in (a, b):
            if (
                not isinstance(getattr(mechanisms[name], "noise", None), Gaussian)
                or mechanisms[name].kind != "additive"
            ):
                raise GraphError(
                    "hidden-cause", f"{a} <-> {b} needs Gaussian noise that is added at both ends",
                    where=f"node {name!r}", remedy="Write the hidden cause as a vertex of its own.",
                )  # fmt: skip
    return {(a, b): check_number(both[a, b], f"covariance of {a} <-> {b}") for a, b in dag.bidirected}


def _districts(
    dag: DAG, mechanisms: Mapping[str, Mechanism], covariances: Mapping[Pair, float]
) -> Mapping[str, District]:
    found: dict[str, District] = {}
    for district in dag.districts():
        members = tuple(name for name in dag.order if name in district)
        if len(members) == 1:
            continue
        omega = np.diag([mechanisms[name].noise.variance for name in members])  # type: ignore[attr-defined]
        for (a, b), value in covariances.items():
            if a in members:
                i, j = members.index(a), members.index(b)
                omega[i, j] = omega[j, i] = value
        try:
            lower = np.linalg.cholesky(omega)
        except np.linalg.LinAlgError as error:
            raise GraphError(
                "not-a-covariance",
                f"no noises have these variances and covariances (least eigenvalue {np.linalg.eigvalsh(omega)[0]:.3g})",
                where=f"covariances of {', '.join(members)}",
                remedy="Make the covariances smaller or the noises larger.",
            ) from error  # fmt: skip
        found.update(dict.fromkeys(members, District(members, omega, lower)))
    return MappingProxyType(found)
