"""IDC: effects given what was seen (Shpitser and Pearl 2006b), and the shorter forms a reader knows.

``P(y | do(x), z)``: a condition that may as well be set (``y`` and it are separated by the rest once the arrows into
``x`` and out of it are cut: rule 2 of the do-calculus) is set. When none is left, the answer is
``P(y, z | do(x)) / P(z | do(x))``, both from ID; it exists exactly when that of the numerator does.

ID's own formula of a back-door problem multiplies a term for every ancestor. Where the graph has an adjustment set
(generalised adjustment criterion, complete; see :mod:`suppose.graphs.adjustment`) or a front-door set, the formula
over that set says the same with fewer tables, so that it can be read and fewer rows have to be spread over cells.
With ``shorten=False`` the formula of ID is kept.
"""

from __future__ import annotations

from dataclasses import replace

from suppose.graphs.adjustment import adjustment_sets
from suppose.graphs.dag import DAG, NodeSet
from suppose.graphs.frontdoor import frontdoor_sets
from suppose.graphs.identification.components import Mixed, bits, project, question
from suppose.graphs.identification.derivation import Failure, derive
from suppose.graphs.identification.estimand import Estimand, Kind, NotIdentified
from suppose.graphs.identification.expression import (
    Expression,
    Probability,
    product_of,
    ratio_of,
    sum_of,
)
from suppose.graphs.identification.hedge import hedge_of
from suppose.graphs.identification.steps import Step
from suppose.graphs.query import listing

__all__ = ["identify", "moved"]


def identify(
    graph: DAG | str,
    outcomes: NodeSet,
    interventions: NodeSet,
    given: NodeSet = (),
    *,
    shorten: bool = True,
) -> Estimand | NotIdentified:
    """Whether ``P(outcomes | do(interventions), given)`` follows from what is observed, and how.

    Parameters
    ----------
    graph : DAG or str
        The causal graph. ``a <-> b`` is a hidden common cause; nodes marked ``latent`` were not measured.
    outcomes, interventions, given : str or iterable of str
        The query; ``interventions`` may be empty.
    shorten : bool, default=True
        Write the formula over an adjustment set or a front-door set where the graph has one.

    Returns
    -------
    Estimand or NotIdentified
        True and false in a condition. The answer is complete: where no formula is returned, none exists.

    Raises
    ------
    GraphError
        ``not-a-graph``, ``graph-syntax``, ``graph-cycle``, ``unknown-node``, ``empty-set``, ``overlapping-sets``,
        ``latent-role``.

    Examples
    --------
    >>> print(identify("z -> {x y}; x -> y", "y", "x"))
    P(y | do(x)) = sum_{z} P(z) P(y | x, z)
    >>> print(identify("w1 -> w2 -> x -> y; w1 <-> x; w1 <-> y", "y", "x"))
    P(y | do(x)) = [sum_{w1} P(w1) P(x, y | w1, w2)] / [sum_{w1} P(w1) P(x | w1, w2)]
    >>> bool(identify("x -> y; x <-> y", "y", "x"))
    False
    """
    source = DAG(graph) if isinstance(graph, str) else graph
    y, x, z = question(source, outcomes, interventions, given)
    measured = project(source)
    mixed = Mixed(measured)
    place = mixed.number
    steps, set_, seen = moved(mixed, y, x, z)
    found = derive(mixed, mixed.mask((*y, *seen)), mixed.mask(set_))
    if isinstance(found, Failure):
        hedge = hedge_of(mixed, found.outer, found.inner, mixed.mask(set_))
        return NotIdentified(y, x, z, hedge, (*steps, *found.steps), measured, source)
    formula = found.formula
    steps = [*steps, *found.steps]
    if seen:
        formula = _conditional(formula, y, place)
        words = f"What is left to condition on, {listing(seen)}, is divided out."
        steps.append(Step(9, words, y, set_, seen, measured, measured.nodes, formula, held=set_))
    estimand = Estimand(y, x, z, formula, formula, tuple(steps), measured)
    return _shortened(estimand, place) if shorten else estimand


def moved(
    mixed: Mixed, y: tuple[str, ...], x: tuple[str, ...], z: tuple[str, ...]
) -> tuple[list[Step], tuple[str, ...], tuple[str, ...]]:
    """Conditions that may as well be set, moved to the interventions."""
    steps: list[Step] = []
    targets, set_, seen = mixed.mask(y), mixed.mask(x), mixed.mask(z)
    again = True
    while again:
        again = False
        for node in bits(seen):
            bit = 1 << node
            if mixed.separated(targets, bit, set_ | seen & ~bit, cut_into=set_, cut_out=bit):
                set_, seen, again = set_ | bit, seen & ~bit, True
                name = mixed.labels[node]
                words = (
                    f"Apart from what {name} itself causes, nothing open joins {name} and {listing(y)}: seeing {name} "
                    "and setting it come to the same."
                )
                sets = y, mixed.names(set_), mixed.names(seen)
                formula = Probability(sets[0], sets[2], sets[1])
                before = mixed.names(set_ & ~bit), mixed.names(seen | bit)
                graph = mixed.graph
                steps.append(Step(8, words, y, *before, graph, graph.nodes, formula, held=before[0]))
                break
    return steps, mixed.names(set_), mixed.names(seen)


def _conditional(formula: Expression, y: tuple[str, ...], place: dict[str, int]) -> Expression:
    """The formula divided by its sum over ``y``."""
    return ratio_of(formula, sum_of(y, formula, place))


def _shortened(estimand: Estimand, place: dict[str, int]) -> Estimand:
    """The estimand in the shortest of the known forms that holds in the graph."""
    y, x, z, graph = estimand.outcomes, estimand.interventions, estimand.given, estimand.graph
    if not x:
        return replace(estimand, kind="unadjusted")
    x = _acting(estimand)
    if not x:
        return estimand  # setting changes nothing: no comparison of rows shows that
    if (covariates := _adjustment(graph, y, x, z)) is not None:
        front = Probability(y, (*x, *z, *covariates))
        formula = (
            sum_of(covariates, product_of([Probability(covariates, z), front], place), place)
            if covariates
            else front
        )
        words = (
            f"Given {listing((*covariates, *z))}, no path but the causal ones joins {listing(x)} and {listing(y)}: "
            "comparing rows that are alike in these shows the effect."
            if covariates or z
            else f"No path but the causal ones joins {listing(x)} and {listing(y)}: a plain comparison shows it."
        )
        return _rewritten(
            estimand, formula, words, "back-door" if covariates else "unadjusted", covariates, ()
        )
    if not z and (mediators := _mediators(graph, y, x)) is not None:
        second = Probability(y, (*x, *mediators))
        inner = sum_of(x, product_of([Probability(x), second]), place)
        formula = sum_of(mediators, product_of([Probability(mediators, x), inner]), place)
        words = (
            f"Everything {listing(x)} does to {listing(y)} passes through {listing(mediators)}, and no hidden cause "
            "confounds either half: the two halves are put together (front door)."
        )
        return _rewritten(estimand, formula, words, "front-door", (), mediators)
    return estimand


def _acting(estimand: Estimand) -> tuple[str, ...]:
    """The interventions that matter to the answer."""
    x = estimand.interventions
    if estimand.given:
        return x if estimand.formula.free & set(x) else ()
    above = set(estimand.graph.without_incoming(x).ancestors(estimand.outcomes))
    return tuple(name for name in x if name in above)


def _rewritten(
    estimand: Estimand, formula: Expression, words: str, kind: Kind, covariates: tuple[str, ...],
    mediators: tuple[str, ...],
) -> Estimand:  # fmt: skip
    steps = estimand.steps
    if formula != estimand.formula:
        e = estimand
        steps = (
            *steps,
            Step(
                10,
                words,
                e.outcomes,
                e.interventions,
                e.given,
                e.graph,
                e.graph.nodes,
                formula,
                held=e.interventions,
            ),
        )
    return replace(
        estimand, formula=formula, steps=steps, kind=kind, adjustment=covariates, mediators=mediators
    )


def _adjustment(
    graph: DAG, y: tuple[str, ...], x: tuple[str, ...], z: tuple[str, ...]
) -> tuple[str, ...] | None:
    """A smallest-variance minimal adjustment set besides ``z``; None where there is none."""
    if z and (len(x) > 1 or set(graph.descendants(x)) & set(z)):
        return None  # the criterion then speaks of P(y | do(x)) only
    found = adjustment_sets(graph, x, y, "one", include=z)
    if not found.items:
        return None
    covariates = tuple(name for name in found.items[0] if name not in z)
    if z and set(graph.descendants(x)) & set(covariates):
        return None
    return covariates


def _mediators(graph: DAG, y: tuple[str, ...], x: tuple[str, ...]) -> tuple[str, ...] | None:
    found = frontdoor_sets(graph, x, y, "one")
    return found.items[0] if found.items else None
