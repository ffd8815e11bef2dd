"""Descriptions of networks: structure, numbers, changes between steps, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import DataError, GraphError, StudyError
from suppose.worlds.beliefs import HGF, BeliefNetwork, Likelihood, filter_beliefs

U = np.cumsum(np.random.default_rng(0).normal(scale=0.2, size=40))


def test_numbers_by_name():
    network = HGF(2, x1_omega=-13.0, x1_kappa=0.7, u_precision=50.0)
    assert network.node("x1").omega == -13.0
    assert network.vector()[network.slot("x1.kappa.x2")] == 0.7
    assert network.vector({"x1.kappa": 0.5})[network.slot("x1.kappa.x2")] == 0.5
    again = network.with_values({"beta": 2.0})
    assert again.beta == 2.0
    np.testing.assert_array_equal(again.vector()[:-2], network.vector()[:-2])


def test_order_of_nodes_does_not_matter():
    ahead = HGF(3, update="ehgf", u_precision=30.0)
    back = BeliefNetwork("ehgf", ahead.nodes[::-1], ahead.edges[::-1])
    one, two = filter_beliefs(ahead, U), filter_beliefs(back, U)
    np.testing.assert_allclose(one.mean, two.mean[:, ::-1], rtol=1e-13)
    assert Likelihood(ahead, U).value() == pytest.approx(Likelihood(back, U).value(), rel=1e-13)


@pytest.mark.parametrize("update", ["ehgf", "unbounded"])
def test_a_filter_can_be_cut_and_gone_on_with(update):
    network = HGF(3, update=update, u_precision=30.0)
    whole = filter_beliefs(network, U)
    first = filter_beliefs(network, U[:17])
    rest = filter_beliefs(network, U[17:], start=first.last)
    np.testing.assert_array_equal(np.r_[first.mean, rest.mean], whole.mean)


def test_structure_may_change_between_steps():
    small = HGF(1, u_precision=30.0, x1_omega=-3.0)
    path = filter_beliefs(small, U[:20])
    grown = small.add_node("state", "x2", volatility_children="x1", mean=0.0)
    later = filter_beliefs(grown, U[20:], start=path.last)
    assert later.expected_mean[0, 1] == path.mean[-1, 1]  # the state is kept
    shrunk = grown.drop_node("x2")
    assert shrunk.edges == small.edges
    end = filter_beliefs(shrunk, U[20:], start=path.last)
    np.testing.assert_array_equal(end.mean, filter_beliefs(small, U).mean[20:])
    assert grown.drop_edge("x1", "x2").edges == small.edges


def test_records_can_be_read():
    path = filter_beliefs(HGF(2), U)
    assert list(path.to_frame().columns[:2]) == ["time", "u.expected_mean"]
    assert len(path.to_frame()) == len(U)
    assert str(path).startswith("Trajectory of 40 steps; at the end: x1")
    assert path.plot("x2").get_ylabel() == "belief in x2"


def shared(update: str) -> BeliefNetwork:
    return (
        BeliefNetwork(update).add_node("continuous", "u").add_node("continuous", "w")
        .add_node("state", "x1", value_children="u").add_node("state", "x2", value_children="w")
        .add_node("state", "both", volatility_children=["x1", "x2"])
    )  # fmt: skip


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: HGF(0), StudyError, "levels: expected a whole number from 1, got 0"),
        (lambda: HGF(2, "binry"), StudyError, "kind: .*Did you mean 'binary'"),
        (lambda: HGF(2, update="egf"), StudyError, "update: .*Did you mean 'ehgf'"),
        (lambda: HGF(2, x1_omga=1.0), StudyError, "no number 'x1.omga'. Did you mean 'x1.omega'"),
        (lambda: HGF(2, x1_precision=-1.0), DataError, "x1.precision: expected a positive number, got -1"),
        (lambda: HGF(2, x1_omega=np.nan), DataError, "x1.omega: expected a finite number, got nan"),
        (lambda: HGF(2).add_node("state", "x1"), GraphError, "already has a node 'x1'"),
        (lambda: HGF(2).add_node("state", "x3", value_children="x9"), GraphError, "no node 'x9'"),
        (lambda: HGF(2).add_node("state", "x3", omga=1.0), StudyError, "Did you mean 'omega'"),
        (lambda: HGF(2).add_edge("x1", "u"), GraphError, "an input drives nothing, but 'u' is one"),
        (lambda: HGF(2, "binary").add_edge("u", "x2", drives="volatility"), GraphError, "no volatility of its own"),
        (lambda: HGF(2).add_edge("u", "x1"), GraphError, "'x1' already drives the value of 'u'"),
        (lambda: HGF(2).add_edge("x2", "x1", fn="tan"), StudyError, "Did you mean 'tanh'"),
        (lambda: HGF(2).add_edge("x2", "x1").schedule, GraphError, r"cycle x\d -> x\d -> x\d"),
        (lambda: HGF(2).add_edge("u", "x2").schedule, GraphError, "expected one value parent, got x1, x2"),
        (lambda: BeliefNetwork().add_node("binary", "b").schedule, GraphError, "one value parent, got none"),
        (lambda: BeliefNetwork().schedule, GraphError, "at least one input, got none"),
        (lambda: shared("unbounded").schedule, GraphError, "one volatility child, got x1, x2"),
        (lambda: Likelihood(HGF(2), U, response="softmx"), StudyError, "Did you mean 'softmax'"),
        (lambda: Likelihood(HGF(2, "binary"), [1, 0], response="softmax", y=[1]), DataError, "each of 2 steps"),
        (lambda: Likelihood(HGF(2, "binary"), [1, 0], response="softmax", y=[1, 3]), DataError, "other values"),
        (lambda: Likelihood(HGF(2), [1, 0], response="softmax", y=[1, 0]), StudyError, "response='gaussian'"),
    ],
)  # fmt: skip
def test_refusals(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_several_volatility_children_where_rules_allow():
    u = np.c_[U, U[::-1]]
    path = filter_beliefs(shared("ehgf_safe"), u)
    assert np.all(path.precision > 0)
