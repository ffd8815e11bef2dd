"""TransTEE: finds what is true of every kind of treatment, whatever the order; refuses what it cannot answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from suppose.core.errors import DataError, EstimationError
from suppose.datasets import (
    make_dosage,
    make_dose_response,
    make_experiment,
    make_graph_treatments,
    make_ihdp_dose,
    make_multivalued,
)
from suppose.effects import TransTEE
from suppose.effects.neural.graph_bank import GraphBank
from suppose.effects.neural.transtee import TransTEENetwork
from suppose.nets import count_parameters

FAST: dict[str, Any] = {"epochs": 8, "members": 2, "patience": None}


@pytest.fixture(scope="module")
def dose_world() -> Any:
    return make_dose_response(150, 50, seed=1)


@pytest.fixture(scope="module")
def dose_model(dose_world: Any) -> Any:
    return TransTEE("dose", **FAST).fit(*dose_world.part("train"))


@pytest.fixture(scope="module")
def arm_world() -> Any:
    return make_dosage(200, 4, test=50, seed=1)


@pytest.fixture(scope="module")
def arm_model(arm_world: Any) -> Any:
    return TransTEE("arm", dose="dose", **FAST).fit(*arm_world.part("train"))


@pytest.fixture(scope="module")
def graph_world() -> Any:
    return make_graph_treatments(120, 6, test=20, nodes=(10, 14), seed=1)


@pytest.fixture(scope="module")
def graph_model(graph_world: Any) -> Any:
    return TransTEE("graph", graphs=graph_world.graphs, **FAST).fit(*graph_world.part("train"))


# -- truth ---------------------------------------------------------------------------------------


def test_network_of_the_paper_has_its_number_of_parameters() -> None:
    net = TransTEENetwork(25, "continuous", shared=True)
    # tokens 2x20, encoder 440 + 1,060 + 2x50, decoder 2x440 + 1,060, head 11
    assert count_parameters(net) == 40 + 1_600 + 1_940 + 11 == 3_591
    assert count_parameters(TransTEENetwork(25, "continuous")) == 4_071 < 5_000


def test_a_constant_effect_is_found() -> None:
    trial = make_experiment(n=400, effect=2.0, seed=3)
    model = TransTEE("d", epochs=15, members=3, learning_rate=0.02, seed=1).fit(trial.X, trial.y)
    assert model.kind_ == "binary"
    assert abs(model.effect_.estimate - 2.0) < 3 * 2 / 400**0.5  # three standard errors of the difference
    assert model.effect_.low < 2.0 < model.effect_.high
    found = model.effect(trial.X)
    assert found.average == pytest.approx(model.effect_.estimate, abs=0.05)
    np.testing.assert_allclose(model.effect(trial.X, 0, 1).estimate, -found.estimate, rtol=1e-9, atol=1e-12)


def test_arms_are_ordered_and_compared_with_the_reference() -> None:
    table = make_multivalued(n=300, seed=1)
    model = TransTEE(table.treatment, reference=1.0, **FAST).fit(table.X, table.y)
    assert model.kind_ == "multi-valued"
    assert [effect.contrast for effect in model.effects_] == ["0 vs 1", "2 vs 1"]
    curve = model.dose_response(table.X)
    assert curve.grid.tolist() == [0.0, 1.0, 2.0]
    assert curve.contrast(2.0, 0.0)[0] == pytest.approx(curve.estimate[2] - curve.estimate[0])


def test_a_binary_outcome_is_a_probability() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    d = rng.integers(0, 2, 400)
    y = (rng.random(400) < np.where(d == 1, 0.8, 0.3)).astype(float)
    model = TransTEE(0, epochs=12, members=3, learning_rate=0.02).fit(np.c_[d, x], y)
    assert model.binary_outcome_
    predicted = model.predict(np.c_[d, x])
    assert predicted.min() > 0 and predicted.max() < 1
    assert model.effect_.estimate == pytest.approx(0.5, abs=3 * (2 * 0.25 / 200) ** 0.5)


def test_average_effect_is_the_mean_over_each_members_rows(dose_world: Any, dose_model: Any) -> None:
    X, _ = dose_world.part("train")
    x, t = X[list(dose_world.covariates)].to_numpy(), X["dose"].to_numpy()
    low, high = dose_model.range_
    step = 1e-3 * (high - low)
    ends = np.c_[np.minimum(t + step, high), np.maximum(t - step, low)]
    outcomes = dose_model._members(x, ends)
    slope = (outcomes[:, :, 0] - outcomes[:, :, 1]) / (ends[:, 0] - ends[:, 1])
    expected = [slope[m, dose_model.member_rows_[m]].mean() for m in range(2)]
    np.testing.assert_allclose(dose_model.theta_by_member_[:, 0], expected)
    assert dose_model.effect_.standard_error == pytest.approx(np.std(expected, ddof=1))


def test_curve_of_one_row_is_its_prediction(dose_world: Any, dose_model: Any) -> None:
    row = dose_world.part("train")[0].iloc[[3]]
    at = float(row["dose"].iloc[0])
    assert dose_model.dose_response(row, [at]).estimate[0] == pytest.approx(dose_model.predict(row)[0])


@pytest.mark.slow
def test_spec_dose_response_of_ihdp() -> None:
    """AMSE over five splits below 0.8 and at most half of the best perceptron's."""
    from suppose.reproductions.transtee import BASELINES, dose_errors

    errors = [dose_errors(split, 1.0, 1.0, 300) for split in range(5)]
    mean = {name: np.mean([e["amse"][name] for e in errors]) for name in ("transtee", *BASELINES)}
    assert mean["transtee"] < 0.8
    assert mean["transtee"] <= min(mean[name] for name in BASELINES) / 2


def test_attention_sums_to_one_and_matches_the_network(dose_world: Any, dose_model: Any) -> None:
    found = dose_model.explain(dose_world.X)
    assert found.weights.shape == (2, 2, 6)
    np.testing.assert_allclose(found.weights.sum(axis=2), 1.0)
    assert found.to_frame()["attention"].is_monotonic_decreasing
    assert "dose = " in str(found)


# -- invariance ----------------------------------------------------------------------------------


def test_same_seed_same_bits_and_the_global_stream_is_left_alone(dose_world: Any, dose_model: Any) -> None:
    torch.manual_seed(123)
    state = torch.get_rng_state()
    again = TransTEE("dose", **FAST).fit(*dose_world.part("train"))
    assert torch.equal(state, torch.get_rng_state())
    assert all(np.array_equal(again.weights_[k], v) for k, v in dose_model.weights_.items())
    other = TransTEE("dose", **FAST, seed=1).fit(*dose_world.part("train"))
    assert other.effect_.estimate != dose_model.effect_.estimate


def test_unit_of_the_outcome_passes_through(dose_world: Any, dose_model: Any) -> None:
    X, y = dose_world.part("train")
    scaled = TransTEE("dose", **FAST).fit(X, 1_000 * y + 5)
    assert scaled.effect_.estimate == pytest.approx(1_000 * dose_model.effect_.estimate, rel=1e-3)


def test_frames_and_column_order(dose_world: Any, dose_model: Any) -> None:
    X, y = dose_world.part("train")
    polars = TransTEE("dose", **FAST).fit(pl.from_pandas(X), y.to_numpy())
    assert polars.effect_.estimate == dose_model.effect_.estimate
    array = TransTEE(0, **FAST).fit(X.to_numpy(), y.to_numpy())
    assert array.effect_.estimate == dose_model.effect_.estimate


def test_questions_come_in_pieces_of_any_size(
    dose_world: Any, dose_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = dose_model.curves(dose_world.X, np.linspace(0.2, 0.8, 5))
    monkeypatch.setattr("suppose.effects.neural.answering.CHUNK", 3_000)
    np.testing.assert_allclose(dose_model.curves(dose_world.X, np.linspace(0.2, 0.8, 5)), whole, rtol=1e-10)


@pytest.mark.parametrize("name", ["dose_model", "arm_model", "graph_model"])
def test_saved_and_loaded_gives_the_same_answers(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    model = request.getfixturevalue(name)
    world = request.getfixturevalue(name.replace("_model", "_world"))
    X, _ = world.part("train")
    model.save(tmp_path / "model.safetensors")
    back = TransTEE.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(back.predict(X), model.predict(X))
    assert back.effects_ == model.effects_
    assert str(back) == str(model)


def test_clusters_are_drawn_whole() -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {"d": rng.integers(0, 2, 60), "x": rng.normal(size=60), "school": np.repeat(range(12), 5)}
    )
    model = TransTEE("d", cluster="school", **FAST).fit(X, X["x"] + X["d"])
    assert model.covariate_names_ == ("x",)
    for rows in model.member_rows_:
        counts = np.bincount(rows, minlength=60).reshape(12, 5)
        assert ((counts > 0).all(axis=1) | (counts == 0).all(axis=1)).all()


# -- kinds of treatment ----------------------------------------------------------------------------


def test_arms_with_a_dose(arm_world: Any, arm_model: Any) -> None:
    X, _ = arm_world.part("train")
    assert arm_model.kind_ == "dose"
    assert arm_model.covariate_names_ == ("x1", "x2", "x3", "x4")
    found = arm_model.effect(X, (2, 0.5), (0, 0.3))
    assert found.estimate.shape == (150,)
    assert arm_model.dose_response(X, [0.3, 0.5], arm=1).treatment == "dose"
    by_number = TransTEE(0, dose=1, **FAST).fit(X.to_numpy(), arm_world.part("train")[1])
    assert by_number.effect_.estimate == arm_model.effect_.estimate
    np.testing.assert_array_equal(by_number.predict(X.to_numpy()), arm_model.predict(X))


def test_graphs_known_and_new(graph_world: Any, graph_model: Any) -> None:
    X, _ = graph_world.part("train")
    known = graph_model.effect(X, 1, 0).estimate
    same = graph_model.effect(X, graph_world.graphs[1], graph_world.graphs[0]).estimate
    np.testing.assert_allclose(known, same, rtol=1e-9, atol=1e-9)
    renamed = nx.relabel_nodes(graph_world.graphs[1], {n: f"v{n}" for n in graph_world.graphs[1]})
    np.testing.assert_allclose(graph_model.effect(X, renamed, 0).estimate, known, rtol=1e-9, atol=1e-9)
    assert np.isfinite(graph_model.effect(X, nx.path_graph(9), 0).average)


def test_a_bank_holds_every_edge_both_ways() -> None:
    bank = GraphBank.of([nx.path_graph(3), nx.Graph([(0, 1), (1, 1)])])
    assert set(map(tuple, bank.edges.T.tolist())) == {(0, 1), (1, 0), (1, 2), (2, 1), (3, 4), (4, 3)}
    assert bank.owner.tolist() == [0, 0, 0, 1, 1]
    assert bank.sizes.tolist() == [3, 2]


def test_the_shape_of_a_graph_reaches_the_outcome(graph_model: Any, graph_world: Any) -> None:
    X, _ = graph_world.part("train")
    effect = graph_model.effect(X, nx.complete_graph(12), nx.path_graph(12))
    assert np.abs(effect.estimate).max() > 1e-3


@pytest.mark.parametrize("balance", ["tr", "ptr"])
@pytest.mark.parametrize("at", ["embedding", "encoder"])
def test_balance_changes_the_representation(balance: str, at: str, dose_world: Any) -> None:
    X, y = dose_world.part("train")
    model = TransTEE("dose", **FAST, balance=balance, balance_at=at, balance_weight=2.0).fit(X, y)
    plain = TransTEE("dose", **FAST, balance_at=at).fit(X, y)
    assert model.representation(X).shape == (2, 150, 10)
    assert not np.allclose(model.representation(X), plain.representation(X))


def test_restarts_keep_the_better_start(dose_world: Any) -> None:
    X, y = dose_world.part("train")
    shared = {"epochs": 10, "members": 2, "patience": 10}
    one = TransTEE("dose", **shared).fit(X, y)
    best = TransTEE("dose", **shared, restarts=3).fit(X, y)
    assert (
        best.history_["held_out_loss"].min(axis=0).mean()
        <= one.history_["held_out_loss"].min(axis=0).mean() + 0.05
    )
    assert best.weights_["head.weight"].shape == (2, 1, 10)


# -- refusals --------------------------------------------------------------------------------------


def test_doses_outside_the_range(dose_world: Any, dose_model: Any) -> None:
    X = dose_world.X
    with pytest.raises(
        DataError, match=r"to: expected values in the range learned from, .* got 1\.4\. Stay inside"
    ):
        dose_model.effect(X, to=1.4, from_=0.2)
    with pytest.raises(DataError, match=r"grid: expected values in the range learned from, .*, got -0\.1"):
        dose_model.dose_response(X, [0.5, -0.1])
    with pytest.raises(DataError, match="treatment: expected values in the range"):
        dose_model.predict(X.assign(dose=2.0))
    free = TransTEE("dose", **FAST, allow_extrapolation=True).fit(*dose_world.part("train"))
    assert np.isfinite(free.effect(X, to=1.4, from_=0.2).average)


def test_arms_not_seen() -> None:
    trial = make_experiment(n=60, seed=1)
    model = TransTEE("d", **FAST).fit(trial.X, trial.y)
    with pytest.raises(DataError, match="to: expected one of the arms 0, 1, got 2"):
        model.effect(trial.X, 2, 0)


@pytest.mark.parametrize(
    ("option", "message"),
    [((9, 0.5), "expected one of the arms 0, 1, 2, got 9"), (1, r"expected a pair \(arm, dose\), got 1"),
     ((1, 7.0), "dose: expected values in the range")],
)  # fmt: skip
def test_pairs_that_are_none(option: Any, message: str, arm_model: Any, arm_world: Any) -> None:
    with pytest.raises(DataError, match=message):
        arm_model.effect(arm_world.X, option, (0, 0.5))


def test_graphs_that_are_none(graph_model: Any, graph_world: Any) -> None:
    X, y = graph_world.part("train")
    with pytest.raises(DataError, match=r"graphs\[6\]: this graph has no nodes"):
        graph_model.effect(X, nx.Graph(), 0)
    with pytest.raises(DataError, match=r"to: expected a number, got 'star'"):
        graph_model.effect(X, "star", 0)
    with pytest.raises(DataError, match=r"graphs\[1\]: this graph has no nodes"):
        TransTEE("graph", graphs=(nx.path_graph(3), nx.Graph(), *graph_world.graphs), **FAST).fit(X, y)
    with pytest.raises(DataError, match=r"graphs\[0\]: expected a networkx graph, got list"):
        TransTEE("graph", graphs=([1],) * 6, **FAST).fit(X, y)
    with pytest.raises(DataError, match="treatment: expected numbers from 0 to 1 into graphs"):
        TransTEE("graph", graphs=graph_world.graphs[:2], **FAST).fit(X, y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (X.assign(dose=0.5), y), "treatment: expected rows with and without treatment"),
        (lambda X, y: (X.assign(x1=np.nan), y), "column 'x1': input contains NaN"),
        (lambda X, y: (X, y[:-3]), "y: Found input variables with inconsistent numbers of samples"),
        (lambda X, y: (X, y * np.nan), "y: input contains NaN"),
    ],
)
def test_material_that_cannot_be_used(change: Any, message: str, dose_world: Any) -> None:
    with pytest.raises(DataError, match=message):
        TransTEE("dose", **FAST).fit(*change(*dose_world.part("train")))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs: expected a whole number from 1, got 0"),
        ({"d_model": 9}, "d_model: expected a multiple of heads = 2, got 9"),
        ({"learning_rate": -1}, "learning_rate: expected a number that is not negative"),
        ({"dropout": 1.0}, "dropout: expected a share below 1"),
        ({"validation": 0.95}, "validation: expected a share from 0 to 0.9"),
        ({"balance": "mmd"}, "balance: expected one of 'tr', 'ptr', got 'mmd'"),
        ({"treatment_kind": "dose"}, r"dose: treatment_kind='dose' needs dose=\.\.\."),
        ({"treatment_kind": "binary", "dose": "x1"}, "takes neither dose nor graphs"),
        ({"treatment_kind": "binary"}, "treatment: expected two values"),
        ({"graphs": (nx.path_graph(2),), "balance": "tr"}, "balance is not offered for graph treatments"),
        ({"outcome": "binary"}, "y: expected an outcome of 0 and 1"),
        (
            {"scale": False, "learning_rate": 1e6, "optimizer": "nesterov"},
            "learning_rate: the loss of .* is no number",
        ),
    ],
)
def test_settings_that_cannot_be_followed(settings: dict[str, Any], message: str, dose_world: Any) -> None:
    with pytest.raises((DataError, EstimationError), match=message):
        TransTEE("dose", **{**FAST, **settings}).fit(*dose_world.part("train"))


def test_explain_needs_covariates(dose_world: Any) -> None:
    X, y = dose_world.part("train")
    model = TransTEE("dose", **FAST, projected_tokens=3).fit(X, y)
    with pytest.raises(EstimationError, match="explain: the network does not attend to single covariates"):
        model.explain(X)
    alone = TransTEE("dose", covariates=[], **FAST).fit(X, y)
    assert alone.predict(X).shape == (150,)
    with pytest.raises(EstimationError, match="does not attend"):
        alone.explain(X)


def test_files_that_are_not_the_model(dose_model: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    dose_model.save(path)
    beside = path.with_name(path.name + ".json")
    content = json.loads(beside.read_text())
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(DataError, match="the weights are not those"):
        TransTEE.load(path)
    beside.write_text(json.dumps({**content, "class": "Forest"}))
    with pytest.raises(DataError, match=r"expected a TransTEE of schema suppose\.neural/1"):
        TransTEE.load(path)
    beside.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        TransTEE.load(path)


def test_extrapolation_of_ihdp_is_in_the_world() -> None:
    world = make_ihdp_dose(1.75, 2.0, seed=1)
    train, test = world.frame["dose"][world.train], world.frame["dose"][~world.train]
    assert train.min() > 0.25 > test.min()
