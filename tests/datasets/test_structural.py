"""Linear Gaussian graphs: total effects by tracing paths, covariance by sampling."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from suppose.core.errors import DataError, GraphError
from suppose.core.random import generator
from suppose.datasets import make_graph_data


def random_edges(seed: int, size: int = 8) -> list[tuple[str, str]]:
    random = generator(seed, "test_structural")
    names = [f"v{i}" for i in random.permutation(size)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    return [pairs[i] for i in np.flatnonzero(random.random(len(pairs)) < 0.4)] or pairs[:1]


@pytest.mark.parametrize("seed", range(5))
def test_total_effects_are_sums_over_directed_paths(seed: int) -> None:
    drawn = make_graph_data(random_edges(seed), 10, seed=seed)
    graph = nx.DiGraph(
        (cause, effect, {"b": drawn.coefficients.loc[effect, cause]}) for cause, effect in random_edges(seed)
    )
    expected = {}
    for cause in graph:
        for effect in nx.descendants(graph, cause):
            paths = nx.all_simple_paths(graph, cause, effect)
            products = [np.prod([graph[a][b]["b"] for a, b in nx.utils.pairwise(path)]) for path in paths]
            expected[f"{cause} -> {effect}"] = sum(products)
    assert dict(drawn.truth) == pytest.approx(expected, abs=1e-10)


def test_covariance_is_that_of_the_draw() -> None:
    drawn = make_graph_data({("a", "b"): 0.8, ("b", "c"): -0.5}, 200_000, bidirected=[("a", "c")], seed=1)
    observed, implied = np.cov(drawn.frame.to_numpy().T), drawn.covariance.to_numpy()
    spread = np.sqrt((np.outer(np.diag(implied), np.diag(implied)) + implied**2) / 200_000)
    assert (np.abs(observed - implied) < 4 * spread).all()
    # a and c share a cause of variance 1: by hand, var(a) = 2 and cov(a, c) = 0.8 * -0.5 * 2 + 1.
    assert implied[0, 0] == pytest.approx(2.0)
    assert drawn.covariance.loc["a", "c"] == pytest.approx(0.2)


def test_unconfounded_regression_finds_the_coefficients() -> None:
    drawn = make_graph_data([("a", "c"), ("b", "c")], 50_000, seed=2)
    slopes = np.linalg.lstsq(drawn.frame[["a", "b"]], drawn.frame["c"], rcond=None)[0]
    np.testing.assert_allclose(slopes, drawn.coefficients.loc["c", ["a", "b"]], atol=4 / np.sqrt(50_000))


def test_same_seed_same_bits_and_causes_first() -> None:
    first, again = (make_graph_data([("y", "z"), ("x", "y")], 20, seed=3) for _ in range(2))
    assert first.frame.equals(again.frame)
    assert list(first.frame.columns) == ["x", "y", "z"]
    assert list(first.to_frame()["cause"]) == ["x", "x", "y"]
    assert "total effects: x -> y" in str(first)


def test_a_long_chain_stays_finite() -> None:
    edges = {(f"v{i}", f"v{i + 1}"): 1.0 for i in range(500)}
    drawn = make_graph_data(edges, 2)
    assert drawn.truth["v0 -> v500"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("edges", "code", "message"),
    [
        ([("a", "b"), ("b", "c"), ("c", "a")], "graph-cycle", "arrows among a, b, c go round"),
        ([("a", "a")], "self-loop", "variable 'a': a variable cannot cause itself"),
        ([], "empty-graph", "expected at least one edge"),
        ([("a", "b", "c")], "bad-edge", r"expected \(cause, effect\), got \('a', 'b', 'c'\)"),
    ],
)
def test_refused_graphs(edges: list[tuple[str, ...]], code: str, message: str) -> None:
    with pytest.raises(GraphError, match=message) as refusal:
        make_graph_data(edges)
    assert refusal.value.code == code


def test_refused_size() -> None:
    with pytest.raises(DataError, match="argument 'n': expected at least 2 rows, got 1"):
        make_graph_data([("a", "b")], 1)
