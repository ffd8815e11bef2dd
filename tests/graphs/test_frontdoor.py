"""Front-door sets against Pearl's three conditions spelled out over all paths."""

from __future__ import annotations

import random
import re

import pytest

from suppose.core.errors import GraphError
from suppose.graphs import DAG, frontdoor_sets, is_frontdoor_set

COUNTS = [150, pytest.param(2000, marks=pytest.mark.slow)]
SMOKING = DAG("smoking -> tar -> cancer; smoking <-> cancer", treatment="smoking", outcome="cancer")


def unordered(sets):
    return sorted(sorted(members) for members in sets)


def test_smoking():
    assert frontdoor_sets(SMOKING).items == (("tar",),) and is_frontdoor_set(SMOKING, mediators="tar")


def test_a_confounder_of_mediator_and_outcome_can_belong_to_the_set():
    dag = DAG("x -> z -> y; v -> {z y}; x <-> y")
    assert frontdoor_sets(dag, "x", "y").items == (("z", "v"),)
    assert not is_frontdoor_set(dag, "x", "y", "z")


@pytest.mark.parametrize("count", COUNTS)
def test_agrees_with_the_definition_on_random_graphs(count, naive):
    rng = random.Random(41)
    found_any = 0
    for k in range(count):
        nodes, directed, bidirected = naive.random_graph(rng, 7, bidirected=k % 3 > 0)
        xs, ys = naive.random_ends(rng, naive.Naive(nodes, directed, bidirected))
        if k % 2:  # without a direct edge, and confounded, there is more to find
            directed = [(a, b) for a, b in directed if a not in xs or b not in ys]
            bidirected = [(xs[0], ys[0]), *bidirected[1:2]]
        second = naive.Naive(nodes, directed, bidirected)
        dag = DAG.from_edges(directed, bidirected, nodes)
        if not any(set(xs) & set(dag.ancestors(y)) for y in ys):
            assert "effect is zero" in frontdoor_sets(dag, xs, ys).reason
            continue
        subsets = [s for s in second.subsets(*xs, *ys) if s]
        valid = [s for s in subsets if second.is_frontdoor(s, xs, ys)]
        found_any += bool(valid)
        for members in rng.sample(subsets, min(6, len(subsets))):
            verdict = is_frontdoor_set(dag, xs, ys, members)
            assert verdict.valid == bool(verdict) == (members in valid), (dag, xs, ys, members)
        assert unordered(frontdoor_sets(dag, xs, ys, "all", limit=1000)) == unordered(valid), (dag, xs, ys)
        least = naive.minimal(valid)
        assert unordered(frontdoor_sets(dag, xs, ys)) == unordered(least), (dag, xs, ys)
        one = frontdoor_sets(dag, xs, ys, "one")
        assert len(one) == bool(valid) and all(set(members) in least for members in one)
    assert found_any > count // 30


@pytest.mark.parametrize(
    ("text", "members", "reason"),
    [
        ("x -> z -> y; x -> y; x <-> y", "z", "A directed path from x to y avoids it"),
        ("x -> z -> y; x <-> z", "z", "A back-door path from x to z is open"),
        ("x -> z -> y; z <-> y", "z", "A back-door path from z to y is open given x"),
        ("x -> z -> y; x <-> y", "z", "meets every directed path"),
        ("x -> u -> y; x <-> y", "u", "u was not measured"),
    ],
)
def test_verdicts(text, members, reason):
    verdict = is_frontdoor_set(DAG(text), "x", "y", members, latent="u" if "u" in text else ())
    assert re.search(reason, str(verdict)), str(verdict)


def test_limits_are_said():
    dag = DAG(
        "; ".join(f"x -> a{i} -> b{i}" for i in range(12))
        + "; {"
        + " ".join(f"b{i}" for i in range(12))
        + "} -> y"
    )
    for kind in ("minimal", "all"):
        found = frontdoor_sets(dag, "x", "y", kind, limit=20)
        assert not found.complete and len(found) <= 20 and str(found).startswith("First ")
        assert all(is_frontdoor_set(dag, "x", "y", members) for members in found)
    assert frontdoor_sets(dag, "x", "y", "one").complete


def test_words_and_table():
    assert str(frontdoor_sets(SMOKING)).splitlines()[0] == (
        "1 minimal front-door set for the effect of smoking on cancer:"
    )
    assert frontdoor_sets(SMOKING).to_frame().to_dict("list") == {"mediators": ["{tar}"], "size": [1]}
    assert "No front-door set" in str(frontdoor_sets(DAG("x -> y; x <-> y"), "x", "y"))


def test_a_kind_that_is_none():
    with pytest.raises(GraphError, match=r"Did you mean 'minimal'") as caught:
        frontdoor_sets(SMOKING, kind="minimum")
    assert caught.value.code == "bad-kind"


def test_no_mediators():
    with pytest.raises(GraphError, match="mediators: expected at least one node"):
        is_frontdoor_set(SMOKING, mediators=())
