"""The functor to stochastic arrays: it is one, and it contracts instead of multiplying layer by layer."""

from __future__ import annotations

import time

import numpy as np
import pytest

from suppose.core.errors import GraphError
from suppose.graphs.diagrams import Box, Diagram, Functor, Ty
from suppose.graphs.factors import Factor
from suppose.graphs.networks import DiscreteNetwork, load_network

YES_NO = ("no", "yes")


@pytest.mark.parametrize("seed", range(30))
def test_contraction_equals_the_product_of_layers(seed: int, made) -> None:
    diagram = made.random_diagram(np.random.default_rng(seed), layers=9)
    meaning = made.functor(seed)
    whole = meaning(diagram)
    assert whole.allclose(made.stepwise(meaning, diagram), 1e-12)
    assert whole.allclose(meaning(diagram, simplify=False), 1e-12)
    assert np.allclose(whole.matrix.sum(axis=0), 1.0, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_composition_and_juxtaposition_are_kept(seed: int, made) -> None:
    rng = np.random.default_rng(100 + seed)
    f = made.random_diagram(rng, layers=5, most=3)
    g = made.random_diagram(rng, layers=4, dom=f.cod, most=3)
    h = made.random_diagram(rng, layers=3, most=2)
    meaning = made.functor(seed)
    assert meaning(f >> g).allclose(meaning(f) >> meaning(g), 1e-12)
    assert meaning(f @ h).allclose(meaning(f) @ meaning(h), 1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_discard_is_natural_and_copy_is_a_comonoid(seed: int, made) -> None:
    meaning = made.functor(seed)
    f = made.random_diagram(np.random.default_rng(seed), layers=5, most=3)
    assert np.allclose(meaning(f >> Diagram.discard(f.cod)).values, 1.0, rtol=0, atol=1e-12)
    copy, one = meaning(Diagram.copy("B")), meaning(Diagram.id("B"))
    assert (copy >> (copy @ one)).allclose(copy >> (one @ copy), 0.0)
    assert (copy >> (meaning(Diagram.discard("B")) @ one)).allclose(one, 0.0)
    assert (copy >> meaning(Diagram.swap("B", "B"))).allclose(copy, 0.0)
    assert meaning(Diagram.uniform("B")).values.tolist() == [1 / 3] * 3
    assert (meaning(Diagram.uniform("B")) >> meaning(Diagram.discard("B"))).values == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["asia", "sachs"])
def test_a_network_means_what_its_queries_say(name: str) -> None:
    network = load_network(name)
    shown = network.graph.order[:4]
    joint = Functor(network)(Diagram.from_dag(network.graph, shown=shown)).to_factor()
    assert joint.allclose(network.query(shown), 1e-12)


def test_the_order_of_tables_and_of_their_axes_does_not_matter() -> None:
    diagram = Diagram.from_dag("{a b} -> c")
    rng = np.random.default_rng(1)
    table = rng.dirichlet(np.ones(2), size=(2, 2))
    tables = {
        "a": Factor(("a",), (YES_NO,), np.array([0.3, 0.7])),
        "b": Factor(("b",), (YES_NO,), np.array([0.6, 0.4])),
        "c": Factor(("a", "b", "c"), (YES_NO,) * 3, table),
    }
    turned = {name: tables[name] for name in reversed(tables)} | {"c": tables["c"].reorder("cba")}
    first, second = Functor(tables)(diagram), Functor(turned)(diagram)
    assert np.array_equal(first.values, second.values)
    assert first.to_frame()["value"].sum() == pytest.approx(1.0)


@pytest.fixture(scope="module")
def large() -> DiscreteNetwork:
    """200 vertices with two parents each, never far behind: treewidth 2, a joint of 2**200 cells."""
    rng = np.random.default_rng(3)
    names = [f"v{k}" for k in range(200)]
    tables, edges = {}, []
    for k, name in enumerate(names):
        parents = tuple(names[max(k - 2, 0) : k])
        edges += [(parent, name) for parent in parents]
        columns = rng.dirichlet(np.ones(2), size=2 ** len(parents)).T
        tables[name] = Factor(
            (name, *parents), (YES_NO,) * (1 + len(parents)), columns.reshape([2] * (1 + len(parents)))
        )
    from suppose.graphs import DAG

    return DiscreteNetwork(DAG.from_edges(edges), tables)


def test_a_network_of_200_vertices_is_contracted(large: DiscreteNetwork) -> None:
    diagram = Diagram.from_dag(large.graph, shown=["v0", "v199"])
    began = time.process_time()
    joint = Functor(large)(diagram).to_factor()
    assert time.process_time() - began < 5.0
    assert joint.allclose(large.query(["v0", "v199"]), 1e-12)
    cut = Functor(large)(diagram.cut("v100")).to_factor()
    states = [large.query(["v0", "v199"], do={"v100": state}).values for state in YES_NO]
    assert np.allclose(cut.values, np.mean(states, axis=0), rtol=0, atol=1e-12)


def _functor(values: list[float]) -> Functor:
    return Functor({"s": Factor(("S",), (YES_NO,), np.array(values))})


S = Box("s", Ty(), "S")
T = Box("t", "S", "T")


@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [
        (lambda: _functor([0.5, 0.4])(S), "not-a-distribution", "box 's': .* within 1e-08, but it sums to 1-0.1"),
        (lambda: _functor([0.5, 0.5 + 2e-8])(S), "not-a-distribution", "it sums to 1\\+2e-08"),
        (lambda: _functor([1.5, -0.5])(S), "not-a-distribution", "numbers below zero"),
        (lambda: _functor([np.nan, 0.5])(S), "not-a-distribution", "infinite or missing"),
        (lambda: _functor([0.5, 0.5])(S >> T), "unknown-object", "object 'T': no table says which states"),
        (lambda: Functor({}, {"S": YES_NO, "T": YES_NO})(T), "missing-table", "box 't': S -> T: this box has no table"),
        (lambda: Functor({"t": np.ones((2, 3))}, {"S": YES_NO, "T": YES_NO})(T), "wrong-table",
         "expected a table of T given S, got an array of shape \\(2, 3\\)"),
        (lambda: Functor({"t": Factor(("T",), (YES_NO,), np.ones(2) / 2)}, {"S": YES_NO})(T), "wrong-table",
         "got one over T"),
        (lambda: Functor({"t": np.array([[0.5, 0.2], [0.5, 0.3]])}, {"S": YES_NO, "T": YES_NO})(T),
         "not-a-distribution", "it sums to 1-0.5 where S = yes"),
        (lambda: Functor({"s": Factor(("S",), (YES_NO,), np.ones(2) / 2)}, {"S": ("a", "b")}), "different-states",
         "object 'S': one table has the states a, b"),
        (lambda: _functor([0.5, 0.5])(S) >> _functor([0.5, 0.5])(Diagram.id(Ty("S", "S"))), "wires-do-not-match",
         "composition of channels: expected wires of type S @ S, got S"),
    ],
)  # fmt: skip
def test_tables_that_do_not_fit_are_refused(wrong, code: str, message: str) -> None:
    with pytest.raises(GraphError, match=message) as caught:
        wrong()
    assert caught.value.code == code


def test_a_box_without_use_needs_no_good_table() -> None:
    """What is discarded is never looked at; looked at, it is refused."""
    bad = Functor({"s": np.array([2.0, 2.0])}, {"S": YES_NO})
    assert bad(S >> Diagram.discard("S")).values == pytest.approx(1.0)
    with pytest.raises(GraphError, match="sums to 1\\+3"):
        bad(S >> Diagram.discard("S"), simplify=False)


def test_a_boundary_too_large_is_refused_by_name() -> None:
    wires = Ty(*(f"w{k}" for k in range(40)))
    states = dict.fromkeys(wires, YES_NO)
    with pytest.raises(GraphError, match="exact inference needs a table of 1.1e\\+12 entries"):
        Functor({}, states)(Diagram.uniform(wires))
