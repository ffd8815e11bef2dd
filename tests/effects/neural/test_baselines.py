"""Baseline networks: their sizes, their own mathematics, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import trapezoid

from suppose.core.errors import EstimationError
from suppose.datasets import make_dosage, make_dose_response, make_experiment, make_multivalued
from suppose.effects import NeuralBaseline
from suppose.effects.neural.baselines import BaselineNetwork, log_density, spline_basis
from suppose.effects.neural.metrics import dosage_errors
from suppose.nets import count_parameters

FAST: dict[str, Any] = {"epochs": 3, "members": 2, "patience": None}


def test_sizes_of_the_networks() -> None:
    # trunk 25-50-50, five heads 50-50-1
    assert count_parameters(BaselineNetwork(25, "continuous", 1, "tarnet", 50)) == 3_850 + 5 * 2_601 > 15_000
    assert count_parameters(BaselineNetwork(25, "continuous", 1, "drnet", 50)) == 3_850 + 5 * (2_601 + 51)
    assert (
        count_parameters(BaselineNetwork(25, "continuous", 1, "s-learner", 50)) == 26 * 50 + 50 + 2_550 + 51
    )


def test_spline_basis_by_hand() -> None:
    t = torch.tensor([0.0, 0.5])
    expected = [[1, 0, 0, 0, 0], [1, 0.5, 0.25, (0.5 - 1 / 3) ** 2, 0]]
    np.testing.assert_allclose(spline_basis(t).numpy(), expected, rtol=1e-6)


def test_density_integrates_to_one() -> None:
    logits = torch.zeros(401, 11)
    t = torch.linspace(0, 1, 401)
    assert trapezoid(torch.exp(log_density(logits, t)).numpy(), t.numpy()) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("architecture", ["s-learner", "tarnet", "drnet", "vcnet"])
def test_doses(architecture: str) -> None:
    world = make_dose_response(120, 20, seed=1)
    X, y = world.part("train")
    model = NeuralBaseline("dose", architecture=architecture, **FAST).fit(X, y)
    curve = model.dose_response(X, np.linspace(0.2, 0.8, 7))
    assert np.isfinite(curve.estimate).all()
    assert curve.members.shape == (2, 7)


@pytest.mark.parametrize("architecture", ["s-learner", "t-learner", "tarnet"])
def test_arms(architecture: str) -> None:
    trial = make_experiment(n=120, effect=2.0, seed=1)
    model = NeuralBaseline("d", architecture=architecture, **{**FAST, "epochs": 40, "learning_rate": 0.02})
    model.fit(trial.X, trial.y)
    assert model.effect_.estimate == pytest.approx(2.0, abs=3 * 2 / 120**0.5)
    table = make_multivalued(n=120, seed=1)
    several = NeuralBaseline(table.treatment, architecture=architecture, **FAST).fit(table.X, table.y)
    assert len(several.effects_) == 2


def test_heads_of_the_other_arm_are_not_touched() -> None:
    net = BaselineNetwork(3, "binary", 2, "tarnet", 5)
    x, t = torch.randn(6, 3), torch.zeros(6, 1)
    net(x, t, t)[0].sum().backward()
    gradient = net.heads.weights[0].grad
    assert torch.all(gradient[1] == 0)
    assert gradient[0].abs().sum() > 0


@pytest.mark.parametrize("architecture", ["s-learner", "tarnet", "drnet"])
def test_arms_with_doses(architecture: str) -> None:
    world = make_dosage(100, 4, test=20, seed=1)
    X, y = world.part("train")
    model = NeuralBaseline("arm", dose="dose", architecture=architecture, allow_extrapolation=True, **FAST)
    errors = dosage_errors(model.fit(X, y), world, points=9)
    assert set(errors) == {"mise", "dosage-policy", "policy"}
    assert all(value >= 0 for value in errors.values())


@pytest.mark.parametrize(
    ("architecture", "kind"), [("vcnet", "binary"), ("drnet", "binary"), ("t-learner", "continuous")]
)
def test_treatments_an_architecture_does_not_take(architecture: str, kind: str) -> None:
    table = make_experiment(n=60, seed=1)
    treatment = "d" if kind == "binary" else "x1"
    with pytest.raises(
        EstimationError,
        match=f"architecture: {architecture} takes a treatment that is .*, this one is {kind}",
    ):
        NeuralBaseline(treatment, architecture=architecture, **FAST).fit(table.X, table.y)
    with pytest.raises(EstimationError, match=r"architecture: expected one of .* got 'resnet'"):
        NeuralBaseline("d", architecture="resnet", **FAST).fit(table.X, table.y)
