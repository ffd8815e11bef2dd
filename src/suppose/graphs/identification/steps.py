"""Steps of an identification, each a record that can be read, drawn and typeset."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from suppose.graphs.dag import DAG
from suppose.graphs.identification.expression import Expression, Probability
from suppose.graphs.query import listing

__all__ = ["NAMES", "Step", "told"]

NAMES = {
    0: "Put together",
    1: "Nothing left to set",
    2: "Keep the ancestors",
    3: "Set what cannot matter",
    4: "Take the parts one by one",
    5: "Stuck: a hedge",
    6: "Seeing is setting",
    7: "Go into the group",
    8: "Setting instead of seeing",
    9: "Condition",
    10: "Shorter form",
    11: "Merge the worlds",
}
"""Rules by number: 1 to 7 are the lines of ID, 8 and 9 those of IDC, 10 the adjustment that says the same."""


@dataclass(frozen=True)
class Step:
    """One step of a derivation.

    Attributes
    ----------
    rule : int
        Number of the rule; :data:`NAMES` has its name. 1 to 7 are the lines of ID (Shpitser and Pearl 2006).
    reason : str
        Why the rule applies and what it does, in plain words.
    outcomes, interventions, given : tuple of str
        The query the step is about.
    base : DAG
        The graph of measured nodes the derivation works on.
    nodes : tuple of str
        The nodes that are left at this step.
    formula : Expression or None
        What the query is found to equal here; None where the derivation ends without one.
    part : tuple of str
        The c-component that is being worked on; empty for steps about the whole query.
    held : tuple of str
        The nodes of the graph at this step that are set, by the query or by the derivation.
    """

    rule: int
    reason: str
    outcomes: tuple[str, ...]
    interventions: tuple[str, ...]
    given: tuple[str, ...]
    base: DAG
    nodes: tuple[str, ...]
    formula: Expression | None
    part: tuple[str, ...] = ()
    held: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the rule."""
        return NAMES[self.rule]

    @cached_property
    def graph(self) -> DAG:
        """The graph at this step, with what is set marked as treatment and what is asked for as outcome."""
        asked = self.part or self.outcomes
        return self.base.subgraph(self.nodes).replace(
            treatment=[name for name in self.held if name in self.nodes],
            outcome=[name for name in asked if name in self.nodes], adjusted=[], latent=[],
        )  # fmt: skip

    @property
    def query(self) -> Probability:
        """The query as a formula."""
        return Probability(self.outcomes, self.given, self.interventions)

    def __str__(self) -> str:
        number = f" (line {self.rule} of ID)" if 1 <= self.rule <= 7 else ""
        where = f", for {listing(self.part)}" if self.part else ""
        shown = (
            f"\n    {self.query} = {self.formula}"
            if self.formula is not None and self.formula != self.query
            else ""
        )
        return f"{self.name}{number}{where}: {self.reason}{shown}"


def told(steps: tuple[Step, ...], last: str) -> str:
    """A derivation as numbered sentences, its result last."""
    return "\n".join([*(f"{k}. {step}" for k, step in enumerate(steps, 1)), last])
