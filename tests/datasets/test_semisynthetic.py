"""Worlds with known potential outcomes: the laws as the papers state them, seeds, ranges, refusals."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest

from suppose.core.errors import DataError
from suppose.datasets import (
    dataset_info,
    load_ihdp,
    make_dosage,
    make_dose_response,
    make_graph_treatments,
    make_ihdp,
    make_ihdp_dose,
)
from suppose.datasets.treatments import _best_doses, _dose_curves


def test_ihdp_as_shipped() -> None:
    table = load_ihdp()
    assert table.columns.tolist() == list(dataset_info("ihdp").columns)
    assert dataset_info("ihdp").intact()
    kept = table[~((table["treat"] == 1) & (table["momwhite"] == 0))]
    assert (len(kept), kept["treat"].sum()) == (747, 139)


@pytest.mark.parametrize("surface", ["A", "B"])
def test_surfaces_of_hill(surface: str) -> None:
    world = make_ihdp(surface, seed=4)
    assert world.truth["ATT"] == pytest.approx(4.0)
    mu0, mu1 = world.oracle["mu0"], world.oracle["mu1"]
    np.testing.assert_allclose(world.potential(np.array([0.0, 1.0])), np.c_[mu0, mu1])
    x = world.frame[list(world.covariates)].to_numpy()
    np.testing.assert_allclose(x[:, :6].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(x[:, :6].std(axis=0, ddof=1), 1)
    # mu1 is linear in the covariates under both surfaces; mu0 under A, its logarithm under B.
    for values in (mu1, mu0 if surface == "A" else np.log(mu0)):
        design = np.c_[np.ones(747), x]
        residual = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
        assert np.abs(residual).max() < 1e-8
    noise = world.y - np.where(world.frame["treat"] == 1, mu1, mu0)
    assert abs(noise.std() - 1) < 3 / (2 * 747) ** 0.5
    assert (world.train.sum(), (~world.train).sum()) == (672, 75)


def test_dose_of_ihdp_follows_its_law() -> None:
    world = make_ihdp_dose(seed=3)
    x = world.frame[list(world.covariates)].to_numpy()
    assert x.min() == 0.0 and x[:, 13].max() == 0.5  # "first" is 1 or 2, scaled to (x - 1) / 2
    t = 0.4
    c = x[:, [3, *range(6, 15)]].mean()
    first = x[:, [3, *range(6, 15)]].sum(axis=1) / 10
    factor = np.tanh(5 * (first - c)) + np.exp(0.2 * (x[:, 0] - x[:, 5])) / (
        0.1 + np.minimum(np.minimum(x[:, 1], x[:, 2]), x[:, 4])
    )
    expected = np.sin(3 * np.pi * t) / (1.2 - t) * factor
    np.testing.assert_allclose(world.potential(np.array([t]))[:, 0], expected)
    assert world.dose_response(np.array([t]))[0] == pytest.approx(expected.mean())
    noise = world.y - world.surface(x, world.frame["dose"].to_numpy(), None)
    assert abs(noise.std() - 0.5) < 3 * 0.5 / (2 * 747) ** 0.5


def test_a_squeezed_range_keeps_its_upper_part() -> None:
    for world in (make_ihdp_dose(1.75, 2.0, seed=1), make_dose_response(h_train=1.75, h_test=2.0, seed=1)):
        learned, tested = world.frame["dose"][world.train], world.frame["dose"][~world.train]
        assert learned.min() > 0.25 and learned.max() < 2.0
        assert 0 < tested.min() < 0.25


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: make_ihdp("B", seed=seed),
        lambda seed: make_ihdp_dose(seed=seed),
        lambda seed: make_dose_response(60, 20, seed=seed),
        lambda seed: make_dosage(60, 4, test=20, seed=seed),
        lambda seed: make_graph_treatments(30, 4, test=10, nodes=(10, 12), seed=seed),
    ],
)
def test_same_seed_same_table(make: Any) -> None:
    first, again, other = make(1), make(1), make(2)
    assert first.frame.equals(again.frame)
    assert not first.frame.equals(other.frame)
    assert np.array_equal(first.train, again.train)


def test_best_doses_in_closed_form_beat_every_grid_point() -> None:
    world = make_dosage(200, 6, test=50, seed=2)
    grid = np.linspace(0, 1, 101)
    for arm in range(3):
        along = world.potential(np.full(101, float(arm)), grid)
        best = world.oracle["best_dose"][:, arm]
        at_best = np.array(
            [
                world.surface(row[None], np.array([float(arm)]), np.array([dose]))[0]
                for row, dose in zip(world.frame[list(world.covariates)].to_numpy(), best, strict=True)
            ]
        )
        assert (at_best >= along.max(axis=1) - 1e-9).all()


def test_dose_curves_by_hand() -> None:
    parts = np.array([[[0.5, 0.2, 0.4], [0.3, 0.6, 0.2], [0.1, 0.8, 0.5]]])
    doses = np.array([[0.3, 0.5, 0.7]])
    expected = [
        10 * (0.5 + 12 * 0.3 * (0.3 - 0.75 * 0.5) ** 2),
        10 * (0.3 + np.sin(np.pi * 0.5 * 3)),
        10 * (0.1 + 12 * (0.7 * 0.8 - 0.49 * 0.5)),
    ]
    np.testing.assert_allclose(_dose_curves(parts, doses)[0], expected)
    assert _best_doses(parts)[0].tolist() == pytest.approx([1.0, 1 / 6, 0.8])


def test_arms_lean_to_what_they_would_do() -> None:
    fair, biased = (
        make_dosage(4_000, 5, confounding=0.0, seed=1),
        make_dosage(4_000, 5, confounding=4.0, seed=1),
    )
    share = fair.frame["arm"].value_counts(normalize=True)
    assert np.abs(share - 1 / 3).max() < 3 * (2 / 9 / 4_000) ** 0.5
    assert biased.oracle["propensity"].max(axis=1).mean() > 0.5


def test_graphs_and_their_properties() -> None:
    world = make_graph_treatments(300, 8, test=50, nodes=(10, 20), seed=1)
    assert all(nx.is_connected(graph) and 10 <= len(graph) <= 20 for graph in world.graphs)
    assert world.oracle["path_length"][2] == nx.average_shortest_path_length(world.graphs[2])
    assert world.oracle["connectivity"][2] == nx.node_connectivity(world.graphs[2])
    x = world.frame[list(world.covariates)].to_numpy()
    mean = world.surface(x, world.frame["graph"].to_numpy(), None)
    assert abs((world.y - mean).std() - 1) < 3 / (2 * 300) ** 0.5
    np.testing.assert_allclose(world.oracle["propensity"].sum(axis=1), 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: make_ihdp("C"), "argument 'surface': expected 'A' or 'B', got 'C'"),
        (lambda: make_ihdp(test=747), "argument 'test'"),
        (lambda: make_ihdp_dose(2.0, 1.0), "expected 0 < h_train <= h_test, got '2 and 1'"),
        (lambda: make_dose_response(0, 10), "numbers of rows"),
        (lambda: make_dosage(10, 3, test=10), "a number of rows below 10"),
        (lambda: make_dosage(covariates=-np.ones((30, 2)), test=5), "rows of numbers that are not negative"),
        (lambda: make_dosage(30, 3, test=5, dose_bias=0.5), "dose_bias at least 1"),
        (lambda: make_graph_treatments(10, 5, nodes=(3, 5)), "at least 10 nodes"),
        (lambda: make_graph_treatments(10, 1), "at least 2 graphs"),
    ],
)
def test_arguments_that_make_no_world(make: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        make()
