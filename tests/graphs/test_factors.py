"""Finite tables: sums, products, ratios and selections by name."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import GraphError
from suppose.graphs.factors import Factor

STATES = {"a": ("0", "1"), "b": ("x", "y", "z"), "c": ("no", "yes")}


def random_factor(names: str, seed: int) -> Factor:
    values = np.random.default_rng(seed).random([len(STATES[name]) for name in names])
    return Factor(tuple(names), tuple(STATES[name] for name in names), values)


def test_a_product_is_the_outer_product_over_shared_names() -> None:
    left, right = random_factor("ab", 1), random_factor("cb", 2)
    product = left * right
    assert product.variables == ("a", "b", "c")
    assert np.allclose(product.values, np.einsum("ab,cb->abc", left.values, right.values))


def test_a_joint_is_its_marginal_times_its_conditional() -> None:
    joint = random_factor("abc", 3)
    marginal = joint.keep(["c", "a"])
    assert marginal.variables == ("c", "a")
    assert (joint / marginal * marginal).allclose(joint)


def test_equality_ignores_the_order_of_axes() -> None:
    joint = random_factor("abc", 4)
    assert joint.reorder("cab").allclose(joint)
    assert not joint.keep(["a", "b"]).allclose(joint)


def test_a_slice_takes_states_as_text_and_drops_their_axes() -> None:
    joint = random_factor("abc", 5)
    assert np.array_equal(joint.at({"a": 1, "c": "yes"}).values, joint.values[1, :, 1])
    assert joint.at({"a": 0, "b": "z", "c": "no"}).total() == joint.values[0, 2, 0]


def test_zero_over_zero_stays_visible() -> None:
    joint = Factor(("a",), (STATES["a"],), np.array([0.0, 1.0]))
    assert np.isnan((joint / joint).values[0])
    assert np.isnan((joint / joint).total())


def test_a_frame_has_one_row_per_combination() -> None:
    joint = random_factor("ab", 6)
    frame = joint.to_frame()
    assert frame.shape == (6, 3)
    assert frame.query("a == '1' and b == 'y'")["value"].item() == joint.values[1, 1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Factor(("a", "a"), (STATES["a"],) * 2, np.ones((2, 2))), "variable 'a': expected each variable once"),
        (lambda: Factor(tuple("ab"), (STATES["a"], STATES["b"]), np.ones((3, 2))), r"an array of shape \(2, 3\)"),
        (lambda: random_factor("ab", 1).sum_out("c"), "variable 'c': this table is over a, b"),
        (lambda: random_factor("ab", 1).at({"b": "w"}), "variable 'b': expected one of x, y, z, got 'w'"),
        (
            lambda: random_factor("a", 1) * Factor(("a",), (("1", "0"),), np.ones(2)),
            "variable 'a': one table has the states 0, 1, the other 1, 0",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(wrong, message) -> None:
    with pytest.raises(GraphError, match=message):
        wrong()
