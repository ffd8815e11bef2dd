"""Instruments against the definition over all paths, and in a linear model against the effect they give."""

from __future__ import annotations

import random

import numpy as np
import pytest

from suppose.core.errors import GraphError
from suppose.graphs import DAG, instruments

COUNTS = [150, pytest.param(2000, marks=pytest.mark.slow)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("z -> x -> y; x <-> y", {"z": ()}),
        ("z -> x -> y; x <-> y; z -> y", {}),
        ("z -> x -> y; x <-> y; w -> {z y}", {"z": ("w",), "w": None}),
        ("z -> v; z -> x -> y; x <-> y", {"z": (), "v": ()}),
        ("z -> x -> m -> y; x <-> y; z -> m", {}),
        ("z <-> x; x -> y; x <-> y", {"z": ()}),
        ("z -> x; x <-> y", {}),
    ],
)
def test_textbook(text, expected):
    found = {item.variable: item.given for item in instruments(DAG(text), "x", "y")}
    assert found == {z: given for z, given in expected.items() if given is not None}


@pytest.mark.parametrize("count", COUNTS)
def test_agrees_with_the_definition_on_random_graphs(count, naive):
    rng = random.Random(31)
    found_any = 0
    for k in range(count):
        nodes, directed, bidirected = naive.random_graph(rng, 6, bidirected=k % 3 > 0)
        second = naive.Naive(nodes, directed, bidirected)
        dag = DAG.from_edges(directed, bidirected, nodes)
        (x,), (y,) = naive.random_ends(rng, second, several=False)
        found = {item.variable: set(item.given) for item in instruments(dag, x, y)}
        found_any += bool(found)
        exists = False
        for z in (v for v in nodes if v not in (x, y)):
            valid = [w for w in second.subsets(x, y, z) if second.is_instrument(z, w, x, y)]
            exists |= bool(valid)
            assert z not in found or found[z] in valid, (dag, x, y, z)
            assert (set() in valid) == (found.get(z) == set()), (dag, x, y, z)
            above = set(dag.ancestors([z, y]))
            assert z in found or not any(w <= above for w in valid), (dag, x, y, z)
        assert exists == bool(found), (dag, x, y)
    assert found_any > count // 20


def test_the_ratio_of_covariances_is_the_effect(naive):
    """Exact in linear models, also for conditional instruments and effects through mediators."""
    rng, numbers = random.Random(32), np.random.default_rng(32)
    checked = 0
    while checked < 60:
        nodes, directed, bidirected = naive.random_graph(rng, 7, bidirected=True)
        second = naive.Naive(nodes, directed, bidirected)
        (x,), (y,) = naive.random_ends(rng, second, several=False)
        found = instruments(DAG.from_edges(directed, bidirected, nodes), x, y)
        if not found:
            continue
        place = {v: i for i, v in enumerate(second.nodes)}
        coefficients, noise = second.linear_model(numbers)
        cov = naive.covariance_of(coefficients, noise)
        total = np.linalg.inv(np.eye(len(cov)) - coefficients)[place[y], place[x]]
        for item in found:
            z, given = place[item.variable], [place[v] for v in item.given]
            numerator, denominator = (partial(cov, z, place[v], given) for v in (y, x))
            assert numerator / denominator == pytest.approx(total, rel=1e-6)
            checked += 1


def partial(cov, i, j, given):
    if not given:
        return cov[i, j]
    inner = np.linalg.solve(cov[np.ix_(given, given)], cov[given, j])
    return cov[i, j] - cov[i, given] @ inner


def test_latent_variables_are_neither_instruments_nor_given():
    dag = DAG("w -> {z y}; z -> x -> y; x <-> y; q -> x", latent="w")
    assert [item.variable for item in instruments(dag, "x", "y")] == ["q"]
    assert not instruments(dag, "x", "y", latent="q")


def test_words_and_table():
    found = instruments(DAG("w -> {z y}; z -> x -> y; x <-> y"), "x", "y")
    assert str(found) == "1 instrument for the effect of x on y:\n  z given {w}"
    assert found.to_frame().to_dict("list") == {"instrument": ["z"], "given": ["{w}"]}
    assert "reaches the outcome through the treatment alone" in str(instruments(DAG("x -> y"), "x", "y"))
    assert "effect is zero" in str(instruments(DAG("x <- z"), "x", "z"))


def test_several_ends_are_refused():
    with pytest.raises(
        GraphError, match=r"one treatment and one outcome, got the effect of z and x on y"
    ) as caught:
        instruments(DAG("z -> x -> y"), ["x", "z"], "y")
    assert caught.value.code == "several-ends"
