"""An effect study by the attention network: arms, doses, graphs; its checks, resuming, and refusals."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from suppose.core.errors import Refusal
from suppose.datasets import make_dosage, make_dose_response, make_experiment, make_graph_treatments
from suppose.studies.effect import Effect
from suppose.studies.effect_network import Network
from suppose.studies.effect_neural_checks import dose_support

FAST = {"epochs": 5, "members": 2, "learning_rate": 0.02, "shuffles": 5}
QUIET: dict[str, Any] = {"refute": []}


def method(**network: Any) -> dict[str, Any]:
    return {"name": "transtee", "network": {**FAST, **network}, "compare": False}


@pytest.fixture(scope="module")
def dose_frame() -> Any:
    return make_dose_response(160, 40, seed=1).frame


@pytest.fixture(scope="module")
def dose_answer(dose_frame: Any) -> Any:
    return Effect.from_frame(
        dose_frame, treatment="dose", outcome="y", adjust=[f"x{j}" for j in range(1, 7)], outcome_unit="points",
        method={**method(), "compare": True}, checks={"refute": ["placebo-treatment"]},
    ).run()  # fmt: skip


def test_a_dose_is_answered_with_a_curve(dose_answer: Any, dose_frame: Any) -> None:
    low, high = np.quantile(dose_frame["dose"], [0.25, 0.75])
    assert dose_answer.headline.label == f"dose {high:.3f} rather than {low:.3f}"
    assert f"ith dose at {high:.3f} rather than {low:.3f}, average y would be" in dose_answer.sentence
    assert {finding.name for finding in dose_answer.findings} == {"effect", "slope", "plr:0"}
    assert [figure.name for figure in dose_answer.figures] == [
        "dose-response",
        "effects-of-rows",
        "attention",
    ]
    assert {check.name for check in dose_answer.checks} == {
        "dose-support",
        "fit",
        "training",
        "placebo-treatment",
    }
    assert len(dose_answer.table("dose-response").rows) == 11
    assert len(dose_answer.table("effects-by-covariate").rows) == 6
    assert dose_answer.finding("slope").unit == "points per unit of dose"


def test_headline_is_the_estimators(dose_answer: Any, dose_frame: Any) -> None:
    from suppose.effects import TransTEE

    model = TransTEE("dose", **{k: v for k, v in FAST.items() if k != "shuffles"})
    found = model.fit(dose_frame.drop(columns="y"), dose_frame["y"]).effect(dose_frame)
    assert dose_answer.headline.estimate == found.average
    assert dose_answer.finding("slope").estimate == model.effect_.estimate


def test_arms_stand_beside_other_methods() -> None:
    frame = make_experiment(n=200, effect=2.0, seed=1).frame
    frame["d"] = np.where(frame["d"] == 1, "pill", "nothing")
    answer = Effect.from_frame(
        frame, treatment="d", outcome="y", adjust=["x1", "x2", "x3"], reference="nothing",
        method={**method(epochs=20), "compare": True}, checks=QUIET,
    ).run()  # fmt: skip
    assert "d = pill rather than nothing" in answer.sentence
    assert {"aipw:0", "difference:0"} <= {finding.name for finding in answer.findings}
    assert answer.check("overlap").verdict == "passes"
    assert answer.table("dose-response").rows[0][0] in ("nothing", "pill")
    assert abs(answer.headline.estimate - answer.finding("aipw:0").estimate) < 0.5


def test_arms_with_a_dose() -> None:
    frame = make_dosage(200, 4, test=40, seed=1).frame
    frame["arm"] = frame["arm"].map({0.0: "a", 1.0: "b", 2.0: "c"})
    answer = Effect.from_frame(
        frame, treatment="arm", dose="dose", outcome="y", adjust=["x1", "x2", "x3", "x4"], method=method(),
        checks=QUIET,
    ).run()  # fmt: skip
    assert "With arm b rather than a at dose = " in answer.sentence
    assert {row[0] for row in answer.table("dose-response").rows} == {"a", "b", "c"}
    assert answer.check("dose-support").value is not None


def test_graphs_come_from_a_table_of_edges(tmp_path: Path) -> None:
    world = make_graph_treatments(120, 5, test=20, nodes=(10, 13), seed=1)
    frame = world.frame.assign(graph=[f"molecule {int(g)}" for g in world.frame["graph"]])
    frame.to_csv(tmp_path / "units.csv", index=False)
    edges = [(f"molecule {k}", a, b) for k, graph in enumerate(world.graphs) for a, b in graph.edges]
    pd.DataFrame(edges, columns=["graph", "from", "to"]).to_csv(tmp_path / "edges.csv", index=False)
    content = {
        "question": "effect",
        "data": {"file": "units.csv"},
        "roles": {"treatment": "graph", "outcome": "y", "adjust": ["x1", "x2"], "graphs": "edges.csv"},
        "method": method(),
        "checks": QUIET,
    }
    answer = Effect.from_dict(content, home=tmp_path).run()
    assert "With graph molecule " in answer.sentence and " rather than molecule " in answer.sentence
    assert [item.name for item in answer.provenance.inputs] == ["units.csv", "edges.csv"]
    pd.DataFrame(edges[:5], columns=["graph", "from", "to"]).to_csv(tmp_path / "edges.csv", index=False)
    with pytest.raises(
        Refusal, match=r"roles\.graphs: file 'edges\.csv': 'molecule .' is a value .* without edges"
    ):
        Effect.from_dict(content, home=tmp_path).run()
    pd.DataFrame(edges, columns=["graph", "a", "b"]).to_csv(tmp_path / "edges.csv", index=False)
    with pytest.raises(Refusal, match="from"):
        Effect.from_dict(content, home=tmp_path).run()
    assert nx.is_connected(world.graphs[0])


def test_a_killed_run_goes_on_to_the_same_bytes(dose_frame: Any, tmp_path: Path) -> None:
    study = Effect.from_frame(
        dose_frame, treatment="dose", outcome="y", adjust=["x1", "x2"], method=method(epochs=4),
        checks={"refute": ["placebo-treatment"]},
    )  # fmt: skip
    whole = study.run(tmp_path / "whole")
    folder = tmp_path / "killed"
    study.run(folder)
    lines = (folder / "journal.jsonl").read_text().splitlines()
    cut = next(k for k, line in enumerate(lines) if "attention" in line)
    (folder / "journal.jsonl").write_text("\n".join(lines[:cut]) + "\n")
    (folder / "answer.json").unlink()
    resumed = study.run(folder, resume=True, jobs=2, backend="threading")
    assert resumed.to_json(timing=False) == whole.to_json(timing=False)


def test_support_of_a_dose_that_covariates_decide() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 2))
    free, bound = rng.random(600), x[:, 0] + 0.05 * rng.normal(size=600)
    assert (dose_support(x, free) >= 5).mean() > 0.95
    assert (dose_support(x, bound) >= 5).mean() < 0.6
    assert dose_support(x, free).sum() <= 600


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": {"name": "aipw"}, "dose": "x1"}, r"roles\.dose: method 'aipw' has no use for it"),
        (
            {"method": {**method(), "estimand": "ATT"}},
            r"method\.estimand: the network averages over everyone",
        ),
        (
            {"dose": "x2", "graphs": "e.csv"},
            r"roles\.graphs: a treatment is an arm with a dose or a graph, not both",
        ),
        ({"dose": "y"}, "'y' is also the outcome"),
        ({"method": {**method(), "network": {"epochs": 0}}}, "method.network.epochs"),
        ({"method": {**method(), "network": {"epoch": 10}}}, "method.network.epoch"),
    ],
)
def test_studies_that_cannot_be_followed(change: dict[str, Any], message: str, dose_frame: Any) -> None:
    settings = {
        "treatment": "dose",
        "outcome": "y",
        "adjust": ["x3"],
        "method": method(),
        "checks": QUIET,
        **change,
    }
    with pytest.raises(Refusal, match=message):
        Effect.from_frame(dose_frame, **settings).run()


def test_settings_of_the_network_are_listed_with_their_defaults() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "effect-study.rst"
    if not page.exists():
        pytest.skip("the documentation is not beside the tests")
    lines = (
        page.read_text(encoding="utf-8")
        .partition("[method.network]")[2]
        .partition("[checks]")[0]
        .splitlines()
    )
    listed = tomllib.loads("\n".join(line.strip() for line in lines[1:]))
    assert listed == Network().model_dump()


def test_cost_counts_the_networks(dose_frame: Any) -> None:
    study = Effect.from_frame(
        dose_frame, treatment="dose", outcome="y", adjust=["x1"], method=method(),
        checks={"refute": ["placebo-treatment"]},
    )  # fmt: skip
    assert study.cost(study.read()).fits == 2 + 5
