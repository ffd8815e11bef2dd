"""Formulas as trees: probabilities, products, sums and ratios over named variables.

Scopes are lexical: a :class:`Sum` binds its variables inside itself, so that ``Sum(("x",), ...)`` within a formula
that also holds a free ``x`` speaks of another ``x`` (printed ``x'``). A node knows its free variables and its
hash, and parts are shared, so that formulas of large graphs stay small until they are written out.

:class:`Probability` with an empty ``do`` is a table of the observed law; one with ``do`` stands for a quantity
that is still to be identified, and occurs in derivations only. :class:`Bind` puts states or other names in place
of free variables (counterfactual formulas need two copies of one variable).

The builders simplify as they build: sums drop variables that only head a conditional, products join
``P(a | b) P(c | a, b)``, ratios cancel what both sides share. Every rule is an identity of kernels: it holds for
each table separately, also for tables estimated from few rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

__all__ = [
    "ONE",
    "ZERO",
    "Bind",
    "Expression",
    "Probability",
    "Product",
    "Ratio",
    "Sum",
    "Zero",
    "product_of",
    "ratio_of",
    "sum_of",
]


class Expression:
    """A formula. Its text is ``str(formula)``; see also :meth:`latex` and :meth:`mathml`."""

    @property
    def free(self) -> frozenset[str]:
        """Variables that the value of the formula depends on."""
        raise NotImplementedError

    @property
    def parts(self) -> tuple[Expression, ...]:
        """The formulas it is made of."""
        return ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __str__(self) -> str:
        from suppose.graphs.identification.printing import text

        return text(self)

    def latex(self) -> str:
        """The formula for LaTeX's mathematics mode."""
        from suppose.graphs.identification.printing import latex

        return latex(self)

    def mathml(self) -> str:
        """The formula as a self-contained MathML element."""
        from suppose.graphs.identification.printing import mathml

        return mathml(self)

    def probabilities(self) -> tuple[Probability, ...]:
        """The probabilities it is made of, each once, in reading order."""
        found: dict[Probability, None] = {}
        seen: set[int] = set()
        stack: list[Expression] = [self]
        while stack:
            node = stack.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, Probability):
                found[node] = None
            stack.extend(reversed(node.parts))
        return tuple(found)


@dataclass(frozen=True, eq=False)
class _Node(Expression):
    @cached_property
    def _key(self) -> tuple[object, ...]:
        return ()

    @cached_property
    def _hash(self) -> int:
        return hash((type(self).__name__, self._key))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other) or hash(self) != hash(other):
            return False
        assert isinstance(other, _Node)
        return self._key == other._key


@dataclass(frozen=True, eq=False, repr=False)
class Probability(_Node):
    """``P(heads | given, do(set))`` of the observed law; ``do`` empty in every finished formula.

    Examples
    --------
    >>> print(Probability(("y",), ("x", "z")))
    P(y | x, z)
    """

    heads: tuple[str, ...]
    given: tuple[str, ...] = ()
    do: tuple[str, ...] = ()

    @cached_property
    def free(self) -> frozenset[str]:
        """All its variables."""
        return frozenset((*self.heads, *self.given, *self.do))

    @cached_property
    def _key(self) -> tuple[object, ...]:
        return (frozenset(self.heads), frozenset(self.given), frozenset(self.do))


@dataclass(frozen=True, eq=False, repr=False)
class Product(_Node):
    """A product; without factors it is 1."""

    factors: tuple[Expression, ...] = ()

    @property
    def parts(self) -> tuple[Expression, ...]:
        """The factors."""
        return self.factors

    @cached_property
    def free(self) -> frozenset[str]:
        """Free variables of the factors."""
        return frozenset().union(*(factor.free for factor in self.factors))

    @cached_property
    def _key(self) -> tuple[object, ...]:
        return (frozenset(self.factors), len(self.factors))


@dataclass(frozen=True, eq=False, repr=False)
class Sum(_Node):
    """A sum over all states of some variables."""

    over: tuple[str, ...]
    body: Expression

    @property
    def parts(self) -> tuple[Expression, ...]:
        """What is summed."""
        return (self.body,)

    @cached_property
    def free(self) -> frozenset[str]:
        """Free variables of the body but those summed over."""
        return self.body.free - set(self.over)

    @cached_property
    def _key(self) -> tuple[object, ...]:
        return (frozenset(self.over), self.body)


@dataclass(frozen=True, eq=False, repr=False)
class Ratio(_Node):
    """One formula divided by another."""

    above: Expression
    below: Expression

    @property
    def parts(self) -> tuple[Expression, ...]:
        """Numerator and denominator."""
        return (self.above, self.below)

    @cached_property
    def free(self) -> frozenset[str]:
        """Free variables of both."""
        return self.above.free | self.below.free

    @cached_property
    def _key(self) -> tuple[object, ...]:
        return (self.above, self.below)


@dataclass(frozen=True, eq=False, repr=False)
class Bind(_Node):
    """A formula with states, or variables of another name, in place of some of its free variables.

    Parameters
    ----------
    body : Expression
        The formula.
    states : tuple of (variable, state)
        Variables held at a state.
    names : tuple of (variable, other name)
        Variables renamed; the other name is a variable of the same states.
    """

    body: Expression
    states: tuple[tuple[str, str], ...] = ()
    names: tuple[tuple[str, str], ...] = ()

    @property
    def parts(self) -> tuple[Expression, ...]:
        """The formula inside."""
        return (self.body,)

    @cached_property
    def free(self) -> frozenset[str]:
        """Free variables under their new names."""
        fixed, renamed = dict(self.states), dict(self.names)
        return frozenset(renamed.get(name, name) for name in self.body.free if name not in fixed)

    @cached_property
    def _key(self) -> tuple[object, ...]:
        return (self.body, frozenset(self.states), frozenset(self.names))


@dataclass(frozen=True, eq=False, repr=False)
class Zero(_Node):
    """The number 0: what was asked for contradicts itself."""

    @property
    def free(self) -> frozenset[str]:
        """It depends on nothing."""
        return frozenset()


ONE = Product()
"""The formula 1."""
ZERO = Zero()
"""The formula 0."""


def product_of(factors: Iterable[Expression], order: Mapping[str, int] | None = None) -> Expression:
    """Product with ones left out, ratios cancelled against factors, and conditionals joined.

    Parameters
    ----------
    factors : iterable of Expression
        What is multiplied.
    order : mapping, optional
        Place of every variable, for the order in which joined variables are written.

    Examples
    --------
    >>> print(product_of([Probability(("x",), ("w",)), Probability(("y",), ("x", "w"))]))
    P(x, y | w)
    """
    flat: list[Expression] = []
    for factor in factors:
        flat.extend(factor.factors if isinstance(factor, Product) else (factor,))
    flat = _joined(_cancelled(flat), order or {})
    return flat[0] if len(flat) == 1 else Product(tuple(flat))


def _cancelled(factors: list[Expression]) -> list[Expression]:
    """Factors in which a denominator that is also a factor is gone from both."""
    changed = True
    while changed:
        changed = False
        for i, factor in enumerate(factors):
            if not isinstance(factor, Ratio):
                continue
            other = next((j for j, f in enumerate(factors) if j != i and _numerator(f) == factor.below), None)
            if other is None:
                continue
            partner = factors[other]
            rest = [f for k, f in enumerate(factors) if k not in (i, other)]
            kept: Expression = factor.above
            if isinstance(partner, Ratio):
                kept = ratio_of(kept, partner.below)
            factors, changed = [*rest[: min(i, other)], kept, *rest[min(i, other) :]], True
            break
    return factors


def _numerator(factor: Expression) -> Expression:
    return factor.above if isinstance(factor, Ratio) else factor


def _joined(factors: list[Expression], order: Mapping[str, int]) -> list[Expression]:
    """``P(a | b) P(c | a, b)`` as ``P(a, c | b)``, wherever two factors allow it."""
    found = list(factors)
    changed = len(found) > 1
    while changed:
        changed = False
        heads = {
            frozenset((*f.heads, *f.given)): i
            for i, f in enumerate(found)
            if isinstance(f, Probability) and not f.do
        }
        for i, factor in enumerate(found):
            if not isinstance(factor, Probability) or factor.do:
                continue
            j = heads.get(frozenset(factor.given))
            if j is None or j == i:
                continue
            first = found[j]
            assert isinstance(first, Probability)
            names = sorted((*first.heads, *factor.heads), key=lambda name: order.get(name, 0))
            found[min(i, j)] = Probability(tuple(names), first.given)
            del found[max(i, j)]
            changed = True
            break
    return found


def sum_of(over: Sequence[str], body: Expression, order: Mapping[str, int] | None = None) -> Expression:
    """Sum in which variables that only head one conditional are summed out at once.

    Examples
    --------
    >>> print(sum_of(["y"], Probability(("x", "y"), ("w",))))
    P(x | w)
    >>> print(sum_of(["y"], Product((Probability(("x",)), Probability(("y",), ("x",))))))
    P(x)
    """
    left = [name for name in over if name in body.free]
    inner = product_of([body], order)
    while left:
        found = _summed_out(left, list(_factors(inner)))
        if found is None:
            break
        inner = product_of(found, order)
        left = [name for name in left if name in inner.free]
    if not left:
        return inner
    outside = [f for f in _factors(inner) if f.free.isdisjoint(left)]
    if outside:
        inside = product_of((f for f in _factors(inner) if not f.free.isdisjoint(left)), order)
        return product_of([*outside, sum_of(left, inside, order)], order)
    if isinstance(inner, Sum) and not set(left) & set(inner.over):
        return Sum((*left, *inner.over), inner.body)
    return Sum(tuple(left), inner)


def _summed_out(left: Sequence[str], factors: list[Expression]) -> list[Expression] | None:
    """The factors after summing over one variable that only heads one of them; None where there is none."""
    for name in left:
        holders = [i for i, factor in enumerate(factors) if name in factor.free]
        factor = factors[holders[0]]
        if len(holders) == 1 and isinstance(factor, Probability) and name in factor.heads:
            heads = tuple(head for head in factor.heads if head != name)
            factors[holders[0]] = Probability(heads, factor.given, factor.do) if heads else ONE
            return factors
    return None


def _factors(expression: Expression) -> tuple[Expression, ...]:
    return expression.factors if isinstance(expression, Product) else (expression,)


def ratio_of(above: Expression, below: Expression) -> Expression:
    """Ratio without what both sides share.

    Examples
    --------
    >>> print(ratio_of(Probability(("x", "y"), ("w",)), Probability(("x",), ("w",))))
    P(y | w, x)
    """
    if below == ONE:
        return above
    if above == below:
        return ONE
    if (
        isinstance(above, Probability) and isinstance(below, Probability)
        and above.given == below.given and above.do == below.do and set(below.heads) < set(above.heads)
    ):  # fmt: skip
        heads = tuple(head for head in above.heads if head not in below.heads)
        return Probability(heads, (*above.given, *below.heads), above.do)
    if isinstance(above, Bind) and isinstance(below, Bind):
        inner = ratio_of(above.body, below.body)
        known = {**dict(above.states), **dict(above.names)}
        if not isinstance(inner, Ratio) and all(
            known.get(v) == to for v, to in (*below.states, *below.names)
        ):
            return Bind(inner, above.states, above.names)
    upper, lower = list(_factors(above)), list(_factors(below))
    shared = [factor for factor in lower if factor in upper]
    if shared:
        for factor in shared:
            if factor in upper and factor in lower:
                upper.remove(factor)
                lower.remove(factor)
        return ratio_of(product_of(upper), product_of(lower))
    return Ratio(above, below)
