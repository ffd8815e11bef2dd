"""Minimal cuts: all of them, each once, the nearest first, the smallest the smallest."""

from __future__ import annotations

import itertools
import random

import pytest

from suppose.graphs import DAG, adjustment_sets
from suppose.graphs.separators import Hubs, bits


def random_cut_problem(rng: random.Random, size: int):
    """A grid-like graph between a treatment and an outcome, in which many cuts exist."""
    names = [f"v{i}" for i in range(size)]
    edges = [pair for pair in itertools.combinations(names, 2) if rng.random() < 2.5 / size]
    ends = [(v, end) for v in names for end in ("x", "y") if rng.random() < 0.3]
    return DAG.from_edges([*edges, *ends, ("x", "y")], nodes=names)


@pytest.mark.parametrize("size", [9, 11])
def test_two_ways_of_listing_agree(size):
    """Minimal cuts of the hubs against the minimal ones of all sets, which are found by halving."""
    rng = random.Random(61)
    several = 0
    for _ in range(25):
        dag = random_cut_problem(rng, size)
        every = [frozenset(s) for s in adjustment_sets(dag, "x", "y", "all", limit=10_000)]
        least = {s for s in every if not any(other < s for other in every)}
        found = adjustment_sets(dag, "x", "y", limit=10_000)
        assert len(found) == len(set(found)) and set(map(frozenset, found)) == least, dag
        assert len(adjustment_sets(dag, "x", "y", "minimum")[0]) == min(map(len, least)), dag
        several += len(least) > 3
    assert several > 3


def cuts(text: str, usable: str, near: str = "y", far: str = "x"):
    dag = DAG(text)
    flags = bytearray(len(dag))
    for node in dag.ids(usable.split()):
        flags[node] = 1
    hubs = Hubs.build(dag.adjacency, dag.ids(near), dag.ids(far), (), flags)
    return hubs, [dag.names(bits(cut)) for cut in hubs.minimal()], dag


def test_the_nearest_comes_first():
    _, found, _ = cuts("x <- a <- b <- c -> y", "a b c")
    assert found == [("c",), ("b",), ("a",)]
    _, found, _ = cuts("x <- a <- b <- c -> y", "a b c", near="x", far="y")
    assert found == [("a",), ("b",), ("c",)]


def test_nodes_that_must_not_be_used_are_passed_through():
    _, found, _ = cuts("x <- a <- b <- c -> y", "a c")
    assert found == [("c",), ("a",)]
    hubs, found, _ = cuts("x <- a <- b <- c -> y", "")
    assert not hubs.possible and found == [] and hubs.nearest() is None and hubs.smallest() is None


def test_a_district_is_one_hub():
    """Given b in ``a <-> b <-> c``, its two siblings depend on each other."""
    _, found, _ = cuts("x <- a; a <-> b; b <-> c; c -> y; b -> y", "a b c")
    assert sorted(found) == [("a",), ("b", "c")]


def test_the_smallest_is_not_the_nearest():
    hubs, _, dag = cuts("a -> x; a -> {b c d}; {b c d} -> y", "a b c d")
    assert dag.names(bits(hubs.nearest())) == ("b", "c", "d") and dag.names(bits(hubs.smallest())) == ("a",)


def test_no_path_needs_no_cut():
    hubs, found, _ = cuts("x -> s <- y; z", "z")
    assert found == [()] and hubs.smallest() == 0
