"""Networks: the objective against closed forms, the same bits again, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from suppose.core.errors import EstimationError
from suppose.core.random import generator
from suppose.datasets import make_linear_sem
from suppose.effects.augmentation import IVLNetwork, IVLRegressor, NullTranslation
from suppose.effects.augmentation.network import batch_objective
from suppose.effects.augmentation.risks import augmented_moments

WORLD = make_linear_sem(256, 3, noise=0.5, seed=1)
AUGMENT = NullTranslation.ignoring(WORLD.f)
GX, G = AUGMENT(WORLD.X, np.random.default_rng(0))
G0 = G - G.mean(axis=0)
SMALL = {"hidden": (8,), "epochs": 3}


def tensors(*arrays):
    return [torch.as_tensor(array) for array in arrays]


def test_the_residual_moment_is_the_risk_of_the_closed_form() -> None:
    h = np.array([0.5, -1.0, 2.0])
    moments = augmented_moments(GX, WORLD.y, G0)
    plain, projected = moments.risk(h)
    prediction, outcome, parameters = tensors(GX @ h, WORLD.y, G)
    for objective, expected in (("ivl", projected + 0.3 * plain), ("iv", projected), ("da-erm", plain)):
        value = batch_objective(prediction, outcome, parameters, objective=objective, alpha=0.3)
        assert float(value) == pytest.approx(expected, rel=1e-5)


def test_the_loss_moment_is_the_papers_form() -> None:
    losses = (WORLD.y - GX @ WORLD.f) ** 2
    projection = G @ np.linalg.pinv(G.T @ G) @ G.T
    expected = np.mean((projection + 0.3 * np.eye(256)) @ losses)
    value = batch_objective(*tensors(GX @ WORLD.f, WORLD.y, G), alpha=0.3, moment="loss")
    assert float(value) == pytest.approx(expected, rel=1e-5)


def test_log_loss() -> None:
    y, p = np.array([1.0, 0.0, 1.0]), np.array([0.9, 0.2, 0.5])
    value = batch_objective(*tensors(p, y, G[:3]), objective="erm", loss="log")
    assert float(value) == pytest.approx(-np.mean(np.log([0.9, 0.8, 0.5])))


def test_a_linear_network_finds_the_closed_form() -> None:
    """One batch, one linear layer, the same draw: the minimiser is that of the regressor."""
    network = IVLNetwork(
        AUGMENT, alpha=0.3, hidden=(), epochs=500, batch=256, learning_rate=0.05, standardise=False, seed=1
    ).fit(WORLD.X, WORLD.y)
    drawn = AUGMENT(
        WORLD.X,
        generator(1, "augmentation", "fit", 0),
    )
    exact = IVLRegressor(alpha=0.3).fit(WORLD.X, WORLD.y, GX=drawn[0], G=drawn[1])
    unit = np.eye(3)
    slopes = network.predict(unit) - network.predict(np.zeros((3, 3)))
    np.testing.assert_allclose(slopes, exact.coef_, atol=0.02 * np.abs(exact.coef_).max())
    assert network.losses_[-1] < network.losses_[0]


def test_the_same_seed_gives_the_same_bits_and_leaves_torch_alone() -> None:
    torch.manual_seed(3)
    state = torch.get_rng_state()
    one, other = (IVLNetwork(AUGMENT, seed=5, redraw=True, **SMALL).fit(WORLD.X, WORLD.y) for _ in range(2))
    np.testing.assert_array_equal(one.predict(WORLD.X), other.predict(WORLD.X))
    assert torch.equal(state, torch.get_rng_state())
    different = IVLNetwork(AUGMENT, seed=6, redraw=True, **SMALL).fit(WORLD.X, WORLD.y)
    assert not np.array_equal(one.predict(WORLD.X), different.predict(WORLD.X))


def test_predictions_do_not_depend_on_their_batch() -> None:
    network = IVLNetwork(AUGMENT, **SMALL).fit(WORLD.X, WORLD.y)
    np.testing.assert_allclose(network.predict(WORLD.X)[:3], network.predict(WORLD.X[:3]), rtol=1e-12)


@pytest.mark.parametrize("rule", ["cv", "lcv"])
def test_alpha_is_chosen_among_candidates(rule) -> None:
    network = IVLNetwork(AUGMENT, alpha=rule, candidates=3, **SMALL).fit(WORLD.X, WORLD.y)
    assert len(network.scores_) == 3
    assert network.scores_[network.alpha_] == min(network.scores_.values())


def test_a_module_of_ones_own_is_copied_and_shaped() -> None:
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3, 1))
    before = module[1].weight.detach().clone()
    network = IVLNetwork(AUGMENT, module=module, shape=(1, 3), epochs=2).fit(WORLD.X, WORLD.y)
    assert torch.equal(before, module[1].weight)
    assert not torch.equal(before, network.module_[1].weight)


def test_probabilities_are_probabilities() -> None:
    label = (WORLD.y > 0).astype(float)
    network = IVLNetwork(AUGMENT, output="probability", loss="log", **SMALL).fit(WORLD.X, label)
    assert network.predict(WORLD.X).min() >= 0 and network.predict(WORLD.X).max() <= 1
    assert IVLNetwork(objective="erm", **SMALL).fit(WORLD.X, label).alpha_ == np.inf


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objective": "ivll"}, "Did you mean 'ivl'"),
        ({"moment": "gmm"}, "expected one of 'residual', 'loss'"),
        ({"loss": "log"}, "the log loss is for probabilities"),
        ({"alpha": "cc"}, "expected one of 'cv', 'lcv'"),
        ({"alpha": 0}, "expected a positive weight"),
        ({"augment": None}, "expected an augmentation"),
    ],
)
def test_refusals(settings, message) -> None:
    with pytest.raises(EstimationError, match=message):
        IVLNetwork(**{"augment": AUGMENT, **SMALL, **settings}).fit(WORLD.X, WORLD.y)
