"""The expression tree: scopes, simplification as identities of numbers, and the three ways of writing it."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.graphs.factors import Factor
from suppose.graphs.identification.components import Mixed
from suppose.graphs.identification.evaluation import plug_in
from suppose.graphs.identification.expression import (
    ONE,
    ZERO,
    Bind,
    Probability,
    Product,
    Ratio,
    Sum,
    product_of,
    ratio_of,
    sum_of,
)

NAMES = ("a", "b", "c", "d")
JOINT = Factor(
    NAMES, (("0", "1", "2"),) * 4, np.random.default_rng(1).dirichlet(np.ones(81)).reshape((3,) * 4)
)


def value(formula):
    return plug_in(formula, NAMES, JOINT, {}, 0.0)


A, B_A, C_AB = Probability(("a",)), Probability(("b",), ("a",)), Probability(("c",), ("a", "b"))


@pytest.mark.parametrize(
    ("plain", "simple", "text"),
    [
        (Product((A, B_A, C_AB)), product_of([A, B_A, C_AB]), "P(a, b, c)"),
        (Sum(("b",), Product((A, B_A, C_AB))), sum_of(["b"], Product((A, B_A, C_AB))), "P(a, c)"),
        (Sum(("c",), Product((B_A, C_AB))), sum_of(["c"], Product((B_A, C_AB))), "P(b | a)"),
        (Ratio(Product((A, B_A)), A), ratio_of(Product((A, B_A)), A), "P(b | a)"),
        (Sum(("a",), Product((A, C_AB))), sum_of(["a"], Product((A, C_AB))), "sum_{a} P(a) P(c | a, b)"),
        (Ratio(Probability(("a", "b"), ("d",)), Probability(("a",), ("d",))),
         ratio_of(Probability(("a", "b"), ("d",)), Probability(("a",), ("d",))), "P(b | d, a)"),
        (Product((Ratio(C_AB, B_A), B_A)), product_of([Ratio(C_AB, B_A), B_A]), "P(c | a, b)"),
        (Product((Sum(("a",), A), B_A)), product_of([sum_of(["a"], A), B_A]), "P(b | a)"),
    ],
)  # fmt: skip
def test_simplification_keeps_the_number(plain, simple, text):
    assert str(simple) == text
    first, second = value(plain), value(simple)
    assert first.allclose(second.reorder(first.variables), 1e-12)


def test_a_sum_hides_its_variable():
    inner = Sum(("a",), Product((A, C_AB)))
    whole = Product((B_A, inner))
    assert whole.free == {"a", "b", "c"} and inner.free == {"b", "c"}
    assert str(whole) == "P(b | a) sum_{a'} P(a') P(c | a', b)"
    assert str(Sum(("b",), whole)) == "sum_{b} P(b | a) sum_{a'} P(a') P(c | a', b)"
    by_hand = np.einsum(
        "ba,bc->abc", value(B_A).reorder(("b", "a")).values, value(inner).reorder(("b", "c")).values
    )
    np.testing.assert_allclose(value(whole).reorder(("a", "b", "c")).values, by_hand, atol=1e-12)


def test_equality_ignores_order():
    assert Probability(("a",), ("b", "c")) == Probability(("a",), ("c", "b"))
    assert Product((A, B_A)) == Product((B_A, A)) and Product((A, A)) != Product((A,))
    assert len({Product((A, B_A)), Product((B_A, A)), Ratio(A, B_A), Ratio(B_A, A)}) == 3


def test_bind_fixes_and_renames():
    fixed = Bind(C_AB, (("b", "2"),), (("a", "d"),))
    assert fixed.free == {"c", "d"} and str(fixed) == "P(c | d, b = 2)"
    expected = value(C_AB).at({"b": "2"}).reorder(("a", "c")).values
    np.testing.assert_allclose(value(fixed).reorder(("d", "c")).values, expected, atol=1e-15)
    both = Bind(C_AB, (), (("a", "d"), ("b", "d")))  # both causes move together
    table = value(C_AB).reorder(("a", "b", "c")).values
    np.testing.assert_allclose(value(both).reorder(("d", "c")).values, table[range(3), range(3)], atol=1e-15)


def test_numbers():
    assert (str(ONE), str(ZERO), ONE.latex(), ZERO.mathml()) == (
        "1",
        "0",
        "1",
        '<math display="block"><mn>0</mn></math>',
    )
    assert ratio_of(A, A) == ONE and ratio_of(A, ONE) == A and product_of([]) == ONE


def test_separation_agrees_with_the_separation_of_the_room(lab):
    import random

    from suppose.graphs import d_separated

    rng = random.Random(2)
    for _ in range(300):
        dag, y, x, z = lab.random_query(rng, 4, 7)
        mixed = Mixed(dag)
        masks = mixed.mask(x), mixed.mask(y), mixed.mask(z)
        assert mixed.separated(*masks) == d_separated(dag, x, y, z)
        cut = dag.without_incoming(z).without_outgoing(x) if z else dag.without_outgoing(x)
        assert mixed.separated(*masks, cut_into=masks[2], cut_out=masks[0]) == d_separated(cut, x, y, z)
