"""What an identification returns: an estimand that can be read and evaluated, or the hedge that forbids one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from suppose.core.errors import EstimationError
from suppose.graphs.dag import DAG
from suppose.graphs.factors import Factor
from suppose.graphs.identification.expression import Expression, Probability
from suppose.graphs.identification.hedge import Hedge
from suppose.graphs.identification.steps import Step, told
from suppose.graphs.query import listing

if TYPE_CHECKING:
    from suppose.graphs.identification.parity import Pair
    from suppose.graphs.identification.remedies import Remedy

__all__ = ["Estimand", "Kind", "NotIdentified"]

Kind = Literal["unadjusted", "back-door", "front-door", "other"]


@dataclass(frozen=True)
class Estimand:
    """A formula in observed probabilities that equals an interventional one in every model of the graph.

    Attributes
    ----------
    outcomes, interventions, given : tuple of str
        The query ``P(outcomes | do(interventions), given)``.
    formula : Expression
        The formula.
    derived : Expression
        The formula as ID derived it; differs from ``formula`` where a shorter form says the same.
    steps : tuple of Step
        The derivation.
    kind : {"unadjusted", "back-door", "front-door", "other"}
        What the formula is: the plain conditional, an adjustment for covariates, the front-door formula, or none
        of these.
    adjustment : tuple of str
        The covariates of a back-door formula.
    mediators : tuple of str
        The mediators of a front-door formula.
    graph : DAG
        The graph of measured nodes.
    """

    outcomes: tuple[str, ...]
    interventions: tuple[str, ...]
    given: tuple[str, ...]
    formula: Expression
    derived: Expression
    steps: tuple[Step, ...] = field(repr=False)
    graph: DAG = field(repr=False)
    kind: Kind = "other"
    adjustment: tuple[str, ...] = ()
    mediators: tuple[str, ...] = ()

    @property
    def query(self) -> Probability:
        """The query as a formula."""
        return Probability(self.outcomes, self.given, self.interventions)

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """The measured variables that the formula needs, in node order."""
        needed = {name for p in self.formula.probabilities() for name in p.free}
        return tuple(name for name in self.graph.nodes if name in needed)

    @cached_property
    def irrelevant(self) -> tuple[str, ...]:
        """Variables the formula holds fixed at any value; see :meth:`evaluate`."""
        asked = {*self.outcomes, *self.interventions, *self.given}
        return tuple(name for name in self.graph.nodes if name in self.formula.free - asked)

    def evaluate(
        self,
        joint: Any,
        at: Mapping[str, Any] | None = None,
        method: str = "plugin",
        *,
        prior: float = 0.0,
    ) -> Factor:
        """The number: the formula with probabilities taken from a table, a network or rows.

        Parameters
        ----------
        joint : Factor, frame, or network
            The joint law of the measured variables (a Factor, counts or probabilities), rows with one column per
            variable (any frame narwhals knows, values compared as text), or a network with ``query`` and
            ``states``. Only tables of the variables of single terms are ever made.
        at : mapping, optional
            States of interventions, conditions, or variables of :attr:`irrelevant`.
        method : {"plugin"}
            Shares in place of probabilities.
        prior : float, default=0.0
            Pseudo-count of every cell of every table the formula needs; with a Factor of probabilities, in the same
            unit.

        Returns
        -------
        Factor
            Over the outcomes, then over the interventions and conditions that ``at`` leaves open and the answer
            depends on. Variables of :attr:`irrelevant` that ``at`` leaves open are averaged over, with the shares
            of those values at which the formula is defined.

        Raises
        ------
        GraphError
            ``unknown-variable`` (``at`` or the table), ``unknown-state``, ``bad-kind`` (method),
            ``clique-too-large`` (a table over 2**28 entries, before it is made).
        DataError
            ``missing-column``, ``missing-values``.
        EstimationError
            ``zero-support`` with the cell that no row falls in, ``bad-prior``.

        Examples
        --------
        >>> import numpy as np
        >>> from suppose.graphs.identification import identify
        >>> yes_no = ("0", "1")
        >>> joint = Factor(("S", "T", "C"), (yes_no,) * 3,
        ...                np.array([.5, .1, .01, .02, .1, .05, .02, .2]).reshape(2, 2, 2))
        >>> effect = identify("S -> T -> C; S <-> C", "C", "S")
        >>> effect.evaluate(joint, at={"S": "1"}).values.round(8).tolist()
        [0.4577027, 0.5422973]
        """
        from suppose.graphs.identification.evaluation import evaluate

        return evaluate(self, joint, at or {}, method, prior)

    def latex(self) -> str:
        """The formula for LaTeX's mathematics mode, without the query before it."""
        return self.formula.latex()

    def mathml(self) -> str:
        """The formula as a self-contained MathML element."""
        return self.formula.mathml()

    def explain(self) -> str:
        """The derivation as numbered sentences."""
        return told(self.steps, str(self))

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return f"{self.query} = {self.formula}"


@dataclass(frozen=True)
class NotIdentified:
    """The proof that no formula exists: a hedge. False in a condition.

    Attributes
    ----------
    outcomes, interventions, given : tuple of str
        The query.
    hedge : Hedge
        Two c-forests with the same roots, one of which the interventions reach (Shpitser and Pearl 2006).
    steps : tuple of Step
        The derivation up to the place where it stops.
    graph : DAG
        The graph of measured nodes.
    """

    outcomes: tuple[str, ...]
    interventions: tuple[str, ...]
    given: tuple[str, ...]
    hedge: Hedge
    steps: tuple[Step, ...] = field(repr=False)
    graph: DAG = field(repr=False)
    source: DAG = field(repr=False)
    """The graph as it was given, hidden nodes included."""

    @property
    def query(self) -> Probability:
        """The query as a formula."""
        return Probability(self.outcomes, self.given, self.interventions)

    @property
    def reason(self) -> str:
        """Why there is no formula, in plain words."""
        outer, inner = self.hedge.outer.nodes, self.hedge.inner.nodes
        within = f", and {listing(inner)} already within it" if len(inner) > 1 else ""
        return (
            f"Hidden causes join {listing(outer)} in one group{within}: what setting "
            f"{listing(self.hedge.interventions)} does to {listing(inner)} cannot be told from what those hidden "
            "causes do."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """Single changes that would make the query identifiable, each checked."""
        from suppose.graphs.identification.remedies import remedies

        return remedies(self.source, self.outcomes, self.interventions, self.given)

    def models(self) -> Pair:
        """Two models that agree on everything observed and differ in the answer."""
        from suppose.graphs.identification.parity import pair_of_models

        return pair_of_models(self.source, self.outcomes, self.interventions, self.given)

    def explain(self) -> str:
        """The derivation as numbered sentences."""
        return told(self.steps, str(self))

    def evaluate(self, *_: Any, **__: Any) -> Factor:
        """Refused with ``no-formula``."""
        raise EstimationError(
            "no-formula", f"{self.query} is not identified in this graph, so that no table can answer it",
            where="query", remedy="See .hedge for the reason and .remedies() for what would help.",
        )  # fmt: skip

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return f"{self.query} is not identified. {self.reason}"
