"""The reproduction: its model gives the observed table, its numbers are the reported ones, its claims hold."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.graphs.diagrams import Diagram, Functor
from suppose.reproductions import string_diagrams as paper


@pytest.mark.parametrize("noise", [0.0, 0.3, 0.5])
def test_the_model_with_its_hidden_cause_gives_the_observed_table(noise: float) -> None:
    joint = paper.observed()
    assert joint.values.reshape(-1).tolist() == [0.5, 0.1, 0.01, 0.02, 0.1, 0.05, 0.02, 0.2]
    model = paper.hidden_model(joint, noise)
    assert Functor(model)(Diagram.from_dag(paper.FRONT_DOOR)).to_factor().allclose(joint, 1e-15)


def test_every_way_gives_the_eight_numbers() -> None:
    for name, ways in paper.smoking_numbers().items():
        values = np.array(list(ways.values()))
        assert np.ptp(values, axis=0).max() < 1e-12
        assert np.allclose(values, paper.REPORTED[name], rtol=0, atol=5.1e-5)


@pytest.mark.slow
def test_all_claims_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        paper.RANDOM_GRAPHS, "cpu", 60
    )  # with every type checked a graph takes twenty times as long
    evidence = paper.measure("cpu", 1)
    assert len(evidence.claims) == 10
    assert [claim.id for claim in evidence.claims if not claim.holds] == []
    assert len(evidence.figures) == 2
