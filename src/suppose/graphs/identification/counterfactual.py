"""ID* and IDC*: what would have been, from observations (Shpitser and Pearl 2007, 2008).

The events of a question live in several worlds that share their hidden causes. They are merged into one
counterfactual graph (:mod:`suppose.graphs.identification.worlds`), which falls into groups joined by hidden causes.
A group whose variables and causes each have one value is a set of events in a single world,
``P(group | do(its causes))``, and that is a question for ID; the answers multiply, and nodes that no event is about
are summed over. A group that needs two values of one variable at once is the reason why no experiment at all can
tell (line 8 of ID*). With conditions, those that may as well be set are set (line 4 of IDC*), and the rest is divided
out.

Departure: the paper's ID* stops at laws under experiments; here each is identified from the observed law, or the
hedge is given. Numbers of states are not known to the graph: that a variable must have one of two states, and what
follows from that, is not used. What it does not do: nested counterfactuals (set a variable to what another would
have been).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from suppose.core.errors import EstimationError, GraphError
from suppose.graphs.dag import DAG
from suppose.graphs.identification.components import Mixed, project
from suppose.graphs.identification.conditional import identify
from suppose.graphs.identification.estimand import NotIdentified
from suppose.graphs.identification.expression import (
    ONE,
    ZERO,
    Bind,
    Expression,
    Probability,
    Product,
    Sum,
    product_of,
    ratio_of,
)
from suppose.graphs.identification.steps import Step, told
from suppose.graphs.identification.worlds import Event, Node, Worlds, check_events, worlds_of
from suppose.graphs.query import listing

__all__ = ["CounterfactualEstimand", "CounterfactualNotIdentified", "identify_counterfactual"]

Events = tuple[Event, ...]


@dataclass(frozen=True)
class CounterfactualEstimand:
    """A formula in observed probabilities for the probability of events in several worlds.

    Attributes
    ----------
    events, given : tuple of Event
        The question ``P(events | given)``.
    formula : Expression
        The formula, states filled in.
    steps : tuple of Step
        The derivation.
    graph : DAG
        The graph of measured nodes.
    """

    events: Events
    given: Events
    formula: Expression
    steps: tuple[Step, ...] = field(repr=False)
    graph: DAG = field(repr=False)

    @property
    def query(self) -> str:
        """The question as text."""
        return _query(self.events, self.given)

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """The measured variables that the formula needs, in node order."""
        needed = {name for p in self.formula.probabilities() for name in p.free}
        return tuple(name for name in self.graph.nodes if name in needed)

    def evaluate(self, joint: Any, *, prior: float = 0.0) -> float:
        """The probability, from a joint table, rows or a network; see :meth:`Estimand.evaluate`.

        Examples
        --------
        >>> import numpy as np
        >>> from suppose.graphs.factors import Factor
        >>> joint = Factor(("X", "Y"), (("0", "1"),) * 2, np.array([[.3, .2], [.1, .4]]))
        >>> effect = identify_counterfactual("X -> Y", [Event("Y", "1", {"X": "1"})], [Event("X", "0")])
        >>> round(effect.evaluate(joint), 6)
        0.8
        """
        from suppose.graphs.identification.evaluation import plug_in

        return float(plug_in(self.formula, (), joint, {}, prior).values)

    def latex(self) -> str:
        """The formula for LaTeX's mathematics mode."""
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
class CounterfactualNotIdentified:
    """Why no formula in observed probabilities exists. False in a condition.

    Attributes
    ----------
    events, given : tuple of Event
        The question.
    reason : str
        Why, in plain words.
    conflict : str or None
        A variable that one group needs at two values at once: then no experiment on the variables can tell either.
    effect : NotIdentified or None
        The interventional query that observations cannot answer, with its hedge; an experiment could.
    steps : tuple of Step
        The derivation up to the place where it stops.
    graph : DAG
        The graph of measured nodes.
    """

    events: Events
    given: Events
    reason: str
    conflict: str | None
    effect: NotIdentified | None
    steps: tuple[Step, ...] = field(repr=False)
    graph: DAG = field(repr=False)

    @property
    def query(self) -> str:
        """The question as text."""
        return _query(self.events, self.given)

    def explain(self) -> str:
        """The derivation as numbered sentences."""
        return told(self.steps, str(self))

    def evaluate(self, *_: Any, **__: Any) -> float:
        """Refused with ``no-formula``."""
        raise EstimationError(
            "no-formula", f"{self.query} is not identified in this graph, so that no table can answer it",
            where="query", remedy="See .reason; DiscreteNetwork.counterfactual gives bounds.",
        )  # fmt: skip

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return f"{self.query} is not identified. {self.reason}"


def identify_counterfactual(
    graph: DAG | str, events: Sequence[Event] | Event, given: Sequence[Event] | Event = ()
) -> CounterfactualEstimand | CounterfactualNotIdentified:
    """Whether the probability of events in several worlds follows from what is observed, and how.

    Parameters
    ----------
    graph : DAG or str
        The causal graph, hidden causes as ``<->`` or nodes marked ``latent``.
    events : Event or sequence of Event
        What is asked for.
    given : Event or sequence of Event
        What is known.

    Raises
    ------
    GraphError
        ``unknown-node``, ``latent-role``, ``empty-set`` (no event), ``contradiction`` when what is given cannot be,
        and those of reading a graph.

    Examples
    --------
    The effect of the treatment on the treated, through a mediator:

    >>> graph = "X -> M -> Y; X <-> Y"
    >>> print(identify_counterfactual(graph, Event("Y", "1", {"X": "0"}), Event("X", "1")))
    P(Y[X = 0] = 1 | X = 1) = sum_{M} P(Y = 1 | X = 1, M) P(M | X = 0)
    >>> print(identify_counterfactual("X -> Y", [Event("Y", "1", {"X": "1"}), Event("Y", "0", {"X": "0"})]))
    P(Y[X = 1] = 1, Y[X = 0] = 0) is not identified. The copies of Y share their hidden causes, and X would have to
    be 0 and 1 at once: no observation and no experiment sees both.
    """
    source = DAG(graph) if isinstance(graph, str) else graph
    asked = (events,) if isinstance(events, Event) else tuple(events)
    known = (given,) if isinstance(given, Event) else tuple(given)
    if not asked:
        raise GraphError("empty-set", "expected at least one event, got none", where="events",
                         remedy="Name an event.")  # fmt: skip
    check_events(source, asked, "events")
    check_events(source, known, "given")
    measured = project(source)
    if not worlds_of(measured, known).possible:
        raise GraphError(
            "contradiction", f"{', '.join(map(str, known))} cannot all be true", where="given",
            remedy="A variable that is set has the state it is set to; two worlds with the same causes agree.",
        )  # fmt: skip
    return _Search(measured).run(asked, known)


class _Search:
    """One run of IDC*."""

    def __init__(self, measured: DAG) -> None:
        self.measured = measured
        self.steps: list[Step] = []

    def run(self, asked: Events, known: Events) -> CounterfactualEstimand | CounterfactualNotIdentified:
        events, given = self.moved(tuple(event for event in asked if not self.follows(event, known)), known)
        above = self.joint((*events, *given)) if events else ONE
        below: Expression | CounterfactualNotIdentified = ONE
        if events and given and isinstance(above, Expression) and above != ZERO:
            below = self.joint(given)
        for found in (above, below):
            if isinstance(found, CounterfactualNotIdentified):
                return CounterfactualNotIdentified(
                    asked, known, found.reason, found.conflict, found.effect, tuple(self.steps), self.measured
                )
        assert isinstance(above, Expression) and isinstance(below, Expression)
        formula = above if above == ZERO else ratio_of(above, below)
        return CounterfactualEstimand(asked, known, formula, tuple(self.steps), self.measured)

    def follows(self, event: Event, known: Events) -> bool:
        """Whether what is known makes the event certain: it is the same node as one of them, with the same state."""
        worlds = worlds_of(self.measured, (*known, event))
        return worlds.possible and worlds.places[-1] in (-1, *worlds.places[:-1])

    # -- IDC* -----------------------------------------------------------------------------------

    def moved(self, events: Events, given: Events) -> tuple[Events, Events]:
        """Conditions that may as well be set, added to the settings of the other events they reach."""
        again = True
        while again:
            again = False
            for k, event in enumerate(given):
                rest = (*given[:k], *given[k + 1 :])
                new = self._set(event, events, rest)
                if new is not None:
                    words = (
                        f"Apart from what it causes, nothing open joins {event} with what is asked for: seeing it and "
                        "setting it come to the same."
                    )
                    self._note(8, words, worlds_of(self.measured, (*events, *given)), None)
                    (events, given), again = new, True
                    break
        return events, given

    def _set(self, event: Event, events: Events, given: Events) -> tuple[Events, Events] | None:
        """Events and conditions once ``event`` is set instead of seen; None where that is not the same.

        Events in whose world it is true are the same with it set there (consistency). Once it is set, it has to be
        separated from what is asked for by what else is known. That is read off the graph in which copies are merged
        only where they are always equal, so that it holds whatever the states are.
        """
        if event.variable in dict(event.do):
            return events, given
        worlds = worlds_of(self.measured, (*events, *given, event), by_state=False)
        if not worlds.possible:
            return None
        variable = event.variable
        below = set(self.measured.descendants(variable))
        count = len(events)
        known = {
            k for k, e in zip(worlds.places[count:], (*given, event), strict=True) if e.state == event.state
        }
        asked = {k for k, e in zip(worlds.places[:count], events, strict=True) if e.state == event.state}

        def true_in(other: Event, copies: set[int]) -> bool:
            copy = worlds.copies.get((variable, other.do))
            return other.variable in below and other.variable != variable and copy in copies

        def set_in(other: Event) -> Event:
            return Event(other.variable, other.state, {**dict(other.do), variable: event.state})

        new = tuple(set_in(e) if true_in(e, known | asked) else e for e in events)
        rest = tuple(set_in(e) if true_in(e, known) else e for e in given)
        after = worlds_of(self.measured, (*new, *rest, event), by_state=False)
        if not after.possible or after.places[-1] in after.places[:-1]:
            return None
        mixed, names = Mixed(after.graph(self.measured)), after.labels()
        places = [
            [names[k] for k in part if k >= 0] for part in (after.places[:count], after.places[count:-1])
        ]
        targets, held = mixed.mask(set(places[0])), mixed.mask(set(places[1]))
        return (
            (new, rest)
            if mixed.separated(targets & ~held, mixed.mask([names[after.places[-1]]]), held)
            else None
        )

    # -- ID* ------------------------------------------------------------------------------------

    def joint(self, events: Events) -> Expression | CounterfactualNotIdentified:
        """Formula of the joint probability of events."""
        worlds = worlds_of(self.measured, events)
        if not worlds.possible:
            words = f"{', '.join(map(str, events))} cannot all be true: the probability is zero."
            self._note(11, words, worlds, ZERO)
            return ZERO
        if not worlds.nodes:
            return ONE
        groups = worlds.components(self.measured)
        index = {
            node.number: f"{node.variable}\0{node.number}" for node in worlds.nodes if node.number not in worlds.states
        }  # fmt: skip
        questions = []
        for group in groups:
            found = self._question(group, worlds, index)
            if isinstance(found, str):
                names = dict.fromkeys(node.variable for node in group)
                shown = listing(list(names)) if len(names) > 1 else f"The copies of {listing(list(names))}"
                values = [_shown(value) for value in sorted(_values(group, worlds, index, found))]
                reason = (
                    f"{shown} share their hidden causes, and {found} would have to be {listing(values)} at once: no "
                    "observation and no experiment sees both."
                )
                self._note(5, reason, worlds, None)
                return CounterfactualNotIdentified(events, (), reason, found, None, (), self.measured)
            questions.append(found)
        self._split(worlds, questions, tuple(index.values()))
        factors = []
        for probability, bound in questions:
            effect = identify(self.measured, probability.heads, probability.do)
            self.steps.extend(effect.steps)
            if isinstance(effect, NotIdentified):
                reason = (
                    f"It needs {probability}, which experiments tell, observations cannot. {effect.reason}"
                )
                return CounterfactualNotIdentified(events, (), reason, None, effect, (), self.measured)
            factors.append(_filled(effect.formula, bound))
        return _summed(tuple(index.values()), factors)

    def _question(
        self, group: Sequence[Node], worlds: Worlds, index: Mapping[int, str]
    ) -> tuple[Probability, dict[str, str]] | str:
        """The group as a query of one world, and what stands for each variable; or a variable with two values."""
        inside = {node.number for node in group}
        heads = dict.fromkeys(node.variable for node in group)
        causes = dict.fromkeys(
            name for node in group for name, q in node.parents if not (isinstance(q, int) and q in inside)
        )
        bound: dict[str, str] = {}
        for name in (*causes, *heads):
            values = _values(group, worlds, index, name)
            if len(values) > 1:
                return name
            bound[name] = values.pop()
        do = tuple(name for name in causes if name not in heads)
        return Probability(tuple(heads), (), do), bound

    def _split(
        self, worlds: Worlds, questions: Sequence[tuple[Probability, dict[str, str]]], over: tuple[str, ...]
    ) -> None:
        formula = _summed(over, [_filled(probability, bound) for probability, bound in questions])
        words = (
            "All worlds share their hidden causes; copies of a variable that must be equal are merged. Groups that "
            "share no hidden cause multiply, and each lies in one world:"
        )
        self._note(11, words, worlds, formula)

    def _note(self, rule: int, words: str, worlds: Worlds, formula: Expression | None) -> None:
        graph = worlds.graph(self.measured)
        asked = tuple(name for number, name in worlds.labels().items() if number in worlds.states)
        self.steps.append(Step(rule, words, asked, (), (), graph, graph.nodes, formula))


def _values(group: Sequence[Node], worlds: Worlds, index: Mapping[int, str], name: str) -> set[str]:
    """What stands for a variable in a group: states as ``"=state"``, or names summed over."""
    inside = {node.number for node in group}
    found = set()
    for node in group:
        if node.variable == name:
            found.add(_value(node.number, worlds, index))
        for parent, q in node.parents:
            if parent == name and not (isinstance(q, int) and q in inside):
                found.add(_value(q, worlds, index))
    return found


def _value(place: int | str, worlds: Worlds, index: Mapping[int, str]) -> str:
    if isinstance(place, str):
        return f"={place}"
    return f"={worlds.states[place]}" if place in worlds.states else index[place]


def _shown(value: str) -> str:
    return value[1:] if value.startswith("=") else "its own value"


def _filled(formula: Expression, bound: Mapping[str, str]) -> Expression:
    if isinstance(formula, Product):
        return product_of(_filled(factor, bound) for factor in formula.factors)
    used = {name: value for name, value in bound.items() if name in formula.free}
    states = tuple((name, value[1:]) for name, value in used.items() if value.startswith("="))
    names = tuple((name, value) for name, value in used.items() if not value.startswith("="))
    return Bind(formula, states, names) if used else formula


def _summed(over: tuple[str, ...], factors: Sequence[Expression]) -> Expression:
    """Sum of a product, with what it does not run over in front."""
    body = product_of(factors)
    flat = body.factors if isinstance(body, Product) else (body,)
    inside = [factor for factor in flat if not factor.free.isdisjoint(over)]
    if not inside:
        return body
    left = tuple(name for name in over if any(name in factor.free for factor in inside))
    outside = [factor for factor in flat if factor.free.isdisjoint(over)]
    return product_of([*outside, Sum(left, product_of(inside))])


def _query(events: Events, given: Events) -> str:
    bar = f" | {', '.join(map(str, given))}" if given else ""
    return f"P({', '.join(map(str, events))}{bar})"
