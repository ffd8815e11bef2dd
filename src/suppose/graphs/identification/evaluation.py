"""Numbers for a formula: every probability from a table of its own variables, sums by variable elimination.

No table over all measured variables is ever made: a term ``P(a | b)`` needs a table of ``a`` and ``b``, and products
are summed variable by variable in an order that keeps tables small; a table over 2**28 cells is refused by name
before it is made.

A conditional whose condition never occurs has no value. It is carried along as ``nan``: where its weight is zero it
does not matter (zero times unknown is zero), elsewhere the answer is unknown and refused, and the cell that would
have to occur is named. A formula that holds a variable fixed at any value needs one value only: values at which it
is unknown are passed over.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from suppose.core.errors import EstimationError, GraphError, nearest
from suppose.graphs.factors import Factor, States
from suppose.graphs.identification.expression import (
    Bind,
    Expression,
    Probability,
    Product,
    Ratio,
    Sum,
    Zero,
)
from suppose.graphs.identification.sources import Source, check_cells, source_of

if TYPE_CHECKING:
    from suppose.graphs.identification.estimand import Estimand

__all__ = ["Evaluator", "evaluate", "plug_in"]


def evaluate(estimand: Estimand, joint: Any, at: Mapping[str, Any], method: str, prior: float) -> Factor:
    """See :meth:`suppose.graphs.identification.Estimand.evaluate`."""
    if method != "plugin":
        raise GraphError(
            "bad-kind", f"expected 'plugin', got {method!r}", where="method",
            remedy="Estimating equations are in suppose.effects; see .kind, .adjustment and .mediators.",
        )  # fmt: skip
    known = (*estimand.outcomes, *estimand.interventions, *estimand.given, *estimand.irrelevant)
    for name in at:
        if name not in known:
            raise GraphError(
                "unknown-variable", f"the answer depends on {', '.join(known)}", where=f"variable {name!r}",
                remedy=nearest(name, known) or "Name one of these.",
            )  # fmt: skip
    asked = (*estimand.outcomes, *estimand.interventions, *estimand.given)
    return plug_in(estimand.formula, asked, joint, at, prior)


def plug_in(
    formula: Expression, asked: Sequence[str], joint: Any, at: Mapping[str, Any], prior: float
) -> Factor:
    """The formula over those of ``asked`` it depends on; other free variables are averaged over.

    Where the formula is unknown at some values of those others, they are passed over.
    """
    if not (isinstance(prior, (int, float)) and math.isfinite(prior) and prior >= 0):
        raise EstimationError(
            "bad-prior", f"expected a number of at least 0, got {prior!r}", where="argument 'prior'",
            remedy="Use 0 for shares as they are.",
        )  # fmt: skip
    needed = dict.fromkeys(name for p in formula.probabilities() for name in (*p.heads, *p.given))
    evaluator = Evaluator(source_of(joint, tuple(needed)), at, float(prior))
    values = evaluator.value(formula)
    kept = [name for name in asked if name in values.variables]
    loose = [name for name in values.variables if name not in asked]
    answer = values.reorder([*kept, *loose])
    if loose:
        weights = evaluator.source.table(loose).values.reshape(-1) + prior
        table = answer.values.reshape(*answer.values.shape[: len(kept)], -1)
        defined = ~np.isnan(table).any(axis=tuple(range(len(kept)))) & (weights > 0)
        if defined.any():
            share = np.where(defined, weights, 0.0)
            averaged = np.where(defined, table, 0.0) @ (share / share.sum())
            return Factor(answer.variables[: len(kept)], answer.states[: len(kept)], np.asarray(averaged))
    if np.isnan(answer.values).any():
        raise _no_support(formula, evaluator, answer)
    return answer


class Evaluator:
    """Values of the parts of one formula, each computed once.

    Parameters
    ----------
    source : Source
        Tables of the observed law.
    at : mapping
        States of free variables.
    prior : float
        Pseudo-count of every cell.
    """

    def __init__(self, source: Source, at: Mapping[str, Any], prior: float = 0.0) -> None:
        self.source, self.prior = source, prior
        self.at = {name: str(state) for name, state in at.items()}
        self.tables: dict[Probability, Factor] = {}
        self._done: dict[tuple[Expression, tuple[tuple[str, str], ...]], Factor] = {}
        self.ignored: dict[Probability, np.ndarray] = {}

    def value(self, formula: Expression) -> Factor:
        """The formula over its free variables but those of ``at``."""
        self._done.clear()
        return self._value(formula, self.at)

    def _value(self, e: Expression, at: Mapping[str, str]) -> Factor:
        own = {name: state for name, state in at.items() if name in e.free}
        key = e, tuple(sorted(own.items()))
        if key not in self._done:
            self._done[key] = self._computed(e, own)
        return self._done[key]

    def _computed(self, e: Expression, at: Mapping[str, str]) -> Factor:
        """The formula at states of its free variables (``at`` holds no others, so that sums keep theirs)."""
        if isinstance(e, Probability):
            return self._probability(e, at)
        if isinstance(e, Zero):
            return Factor.constant(0.0)
        if isinstance(e, Ratio):
            return self._value(e.above, at) / self._value(e.below, at)
        if isinstance(e, Bind):
            return self._bound(e, at)
        over = e.over if isinstance(e, Sum) else ()
        body = e.body if isinstance(e, Sum) else e
        factors = body.factors if isinstance(body, Product) else (body,)
        return sum_product([self._value(factor, at) for factor in factors], over)

    def _probability(self, e: Probability, at: Mapping[str, str]) -> Factor:
        table = self.conditional(e)
        ignored = self.ignored.get(e)
        if ignored is not None:
            table = Factor(table.variables, table.states, np.where(ignored, 0.0, table.values))
        for name, state in at.items():
            if state not in table.states_of[name]:
                states = table.states_of[name]
                raise GraphError(
                    "unknown-state", f"expected one of {', '.join(states[:12])}, got {state!r}",
                    where=f"variable {name!r}", remedy=nearest(state, states) or None,
                )  # fmt: skip
        return table.at(at)

    def conditional(self, e: Probability) -> Factor:
        """Table of a probability over (heads, given); ``nan`` where the condition never occurs."""
        if e not in self.tables:
            if e.do:
                raise TypeError(f"{e} is a quantity of a derivation, not of the observed law")
            table = self.source.table((*e.heads, *e.given))
            heads = tuple(range(len(e.heads)))
            weights = table.values + self.prior
            with np.errstate(invalid="ignore", divide="ignore"):
                values = weights / weights.sum(axis=heads, keepdims=True)
            self.tables[e] = Factor(table.variables, table.states, values)
        return self.tables[e]

    def _bound(self, e: Bind, at: Mapping[str, str]) -> Factor:
        fixed, renamed = dict(e.states), dict(e.names)
        inner = {v: at[renamed.get(v, v)] for v in e.body.free if v not in fixed and renamed.get(v, v) in at}
        found = self._value(e.body, inner | {v: s for v, s in fixed.items() if v in e.body.free})
        names = tuple(renamed.get(name, name) for name in found.variables)
        if len(set(names)) == len(names):
            return Factor(names, found.states, found.values)
        return _diagonal(names, found)


def _diagonal(names: tuple[str, ...], found: Factor) -> Factor:
    """The table where axes that got the same name move together."""
    distinct = list(dict.fromkeys(names))
    values = np.einsum(found.values, [distinct.index(name) for name in names], list(range(len(distinct))))
    states = dict(zip(names, found.states, strict=True))
    return Factor(tuple(distinct), tuple(states[name] for name in distinct), np.asarray(values))


def times(first: Factor, second: Factor) -> Factor:
    """Product in which an unknown number of weight zero is zero."""
    found = first * second
    if not np.isnan(found.values).any():
        return found
    one, two = (
        Factor(f.variables, f.states, np.asarray(f.values != 0.0, dtype=float)) for f in (first, second)
    )
    return Factor(found.variables, found.states, np.where((one * two).values > 0, found.values, 0.0))


def sum_product(factors: Sequence[Factor], over: Sequence[str]) -> Factor:
    """Sum of a product over some variables, eliminated one by one.

    Refused with ``clique-too-large`` before a table over the limit is made.
    """
    from suppose.graphs.networks.contraction import plan_elimination

    states: dict[str, States] = {}
    for factor in factors:
        states |= factor.states_of
    names = list(states)
    scopes = [[names.index(name) for name in factor.variables] for factor in factors]
    kept = [k for k, name in enumerate(names) if name not in over]
    plan = plan_elimination([scope for scope in scopes if scope], [len(states[name]) for name in names], kept)
    check_cells((names[k] for k in plan.largest), states, "the formula")
    left = list(factors)
    for k in plan.order:
        near = [factor for factor in left if names[k] in factor.variables]
        left = [factor for factor in left if names[k] not in factor.variables]
        left.append(reduce(times, near).sum_out(names[k]))
    check_cells((names[k] for k in kept), states, "the formula")
    return reduce(times, left, Factor.constant())


def _no_support(formula: Expression, evaluator: Evaluator, answer: Factor) -> EstimationError:
    """The refusal that names a cell whose emptiness leaves the answer unknown, found by halving."""
    empty = {p: np.isnan(table.values) for p, table in evaluator.tables.items()}

    def unknown(open_: Mapping[Probability, np.ndarray]) -> bool:
        evaluator.ignored = {p: mask & ~open_[p] if p in open_ else mask for p, mask in empty.items()}
        return bool(np.isnan(evaluator.value(formula).values).any())

    culprit = next((p for p, mask in empty.items() if mask.any() and unknown({p: mask})), None)
    if culprit is None:
        where = ", ".join(f"{v} = {s}" for v, s in _first_unknown(answer).items())
        return EstimationError(
            "zero-support", f"the formula divides zero by zero where {where or 'it is evaluated'}", where="formula",
            remedy="Smooth with prior=1 (one more row in every cell), or ask about a setting that occurs.",
        )  # fmt: skip
    cells = np.flatnonzero(empty[culprit])
    while len(cells) > 1:
        half = cells[: len(cells) // 2]
        mask = np.zeros(empty[culprit].size, dtype=bool)
        mask[half] = True
        cells = half if unknown({culprit: mask.reshape(empty[culprit].shape)}) else cells[len(cells) // 2 :]
    evaluator.ignored = {}
    table = evaluator.tables[culprit]
    codes = np.unravel_index(int(cells[0]), table.values.shape)
    cell = {v: table.states_of[v][int(codes[table.axis(v)])] for v in culprit.given}
    named = ", ".join(f"{v} = {s}" for v, s in cell.items())
    return EstimationError(
        "zero-support", f"the formula needs {culprit}, and nothing in the table has {named}", where="formula",
        remedy="Smooth with prior=1 (one more row in every cell), merge states, or ask about a setting that occurs.",
    )  # fmt: skip


def _first_unknown(answer: Factor) -> dict[str, str]:
    codes = np.unravel_index(int(np.argmax(np.isnan(answer.values))), answer.values.shape)
    return {v: s[int(c)] for v, s, c in zip(answer.variables, answer.states, codes, strict=True)}
