"""The stacked loop: members learn apart, stop apart, and cost less together; rows drawn and held out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from suppose.effects.neural.balance import Discriminators, probe_r2
from suppose.effects.neural.training import Table, TrainingPlan, draw_rows, train
from suppose.nets.encoders import Perceptron, initialise


class Line(nn.Module):
    """A linear model with the interface of the networks."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Perceptron([3, 1])

    def forward(self, x: Any, t: Any, s: Any) -> Any:
        return self.net(torch.cat([x, t], dim=-1)), x


def fitted(members: int, *, same_rows: bool = True, **plan: Any) -> Any:
    generator = torch.Generator().manual_seed(0)
    x, t = torch.randn(80, 2, generator=generator), torch.randn(80, 1, generator=generator)
    y = (2 * x[:, 0] - x[:, 1] + 3 * t[:, 0]).contiguous()
    table = Table(x, t, torch.zeros(80, 1), y)
    net = Line()
    rows, held = draw_rows(
        80, members, "ensemble" if same_rows else "bootstrap", share=0.0, clusters=None,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    settings = {"epochs": 150, "batch_size": 40, "learning_rate": 0.05, **plan}
    return train(
        net, lambda g: initialise(net, g), table, rows, held, TrainingPlan(**settings),
        lambda a, b: (a - b).square(),
    )  # fmt: skip


def test_least_squares_is_found() -> None:
    trained = fitted(3, optimizer="nesterov")
    for member in range(3):
        np.testing.assert_allclose(trained.weights["net.layers.0.weight"][member, 0], [2, -1, 3], atol=1e-3)
    assert trained.held_out_loss.shape == trained.train_loss.shape == (150, 3)


def test_a_member_does_not_depend_on_the_others() -> None:
    # Members start from their own seeds; their batches are drawn together, so full batches are compared.
    few, many = fitted(2, epochs=5, batch_size=80), fitted(6, epochs=5, batch_size=80)
    np.testing.assert_allclose(
        few.weights["net.layers.0.weight"], many.weights["net.layers.0.weight"][:2], rtol=1e-5, atol=1e-6
    )


def test_early_stopping_keeps_the_best_weights_of_each_member() -> None:
    trained = fitted(4, same_rows=False, patience=10, epochs=100, learning_rate=0.5)
    checked = list(trained.checked)
    for member in range(4):
        losses, best = trained.held_out_loss[:, member], 0
        for place in range(len(checked)):
            best = place if losses[place] < losses[best] else best
            if checked[place] - checked[best] >= 10:  # stopped: later weights do not count, however good
                break
        assert trained.best_epoch[member] == checked[best]
    assert trained.checked[-1] <= 100


def test_patience_none_trains_to_the_end() -> None:
    trained = fitted(2, epochs=30)
    assert trained.checked[-1] == 30
    assert trained.best_epoch.tolist() == [30, 30]


def test_rows_of_the_bootstrap() -> None:
    rng = np.random.default_rng(0)
    rows, held = draw_rows(500, 40, "bootstrap", share=0.2, clusters=None, rng=rng)
    assert rows.shape == (40, 500)
    for member in range(40):
        assert not held[member, rows[member]].any()
    share = held.mean()
    assert abs(share - np.exp(-1)) < 3 * (np.exp(-1) * (1 - np.exp(-1)) / (40 * 500)) ** 0.5


def test_rows_of_the_ensemble() -> None:
    rows, held = draw_rows(50, 3, "ensemble", share=0.2, clusters=None, rng=np.random.default_rng(0))
    assert rows.shape == (3, 40)
    assert held.sum(axis=1).tolist() == [10, 10, 10]
    everything, watched = draw_rows(50, 2, "ensemble", share=0.0, clusters=None, rng=np.random.default_rng(0))
    assert sorted(everything[0]) == list(range(50))
    assert watched.all()


@pytest.mark.parametrize("kind", ["tr", "ptr"])
def test_discriminators_learn_what_the_representation_shows(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(2, 256, 3, generator=generator)
    targets = z[:, :, :1] * 2 + 1
    judge = Discriminators(kind, 3, targets.flatten(0, 1), 2, weight=0.7, seed=0)
    start = judge.losses(z, targets, judge.parameters).detach()
    for _ in range(300):
        judge.step(z, targets)
    end = judge.losses(z, targets, judge.parameters).detach()
    assert torch.all(end < 0.3 * start) if kind == "tr" else torch.all(end < start - 0.5)
    torch.testing.assert_close(judge.penalty(z, targets), -0.7 * end)
    z.requires_grad_()
    judge.penalty(z, targets).sum().backward()
    assert z.grad is not None and float(z.grad.abs().sum()) > 0


def test_probe_sees_what_is_there() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 4))
    assert probe_r2(z, z[:, 0] + rng.normal(size=400)) == pytest.approx(0.5, abs=0.12)
    assert probe_r2(z, rng.normal(size=400)) < 0.05
    assert probe_r2(z, np.abs(z[:, 0]), probe="forest") > 0.7
