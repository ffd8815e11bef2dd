"""Adversarial treatment regularisation: a representation from which the treatment is hard to read.

A discriminator ``D`` predicts the treatment from the representation ``z`` (the mean covariate token); the
network is rewarded for its mistakes. In each batch ``D`` first improves on its own loss with ``z`` fixed,
then the network takes a step on ``loss - weight * loss_D`` (Zhang et al. 2022, section 4.2):

- ``"tr"``: ``D(z)`` is the treatment, ``loss_D = mean (t - D(z))^2``.
- ``"ptr"``: ``D(z) = (m, v)``, ``loss_D = mean ((t - m)^2 / exp(v) + v) / 2``, a probabilistic prediction.

Treatments are standardised first (ours), so that the weight means the same for every unit; arms are told
apart by indicators. Balance is not offered for graph treatments.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, cross_val_predict
from torch import Tensor
from torch.func import functional_call, vmap

from suppose.effects.neural.training import seeded
from suppose.nets.encoders import Perceptron, initialise

__all__ = ["BALANCES", "Discriminators", "probe_r2"]

BALANCES = ("tr", "ptr")
HIDDEN = 50
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 5e-3


class Discriminators:
    """One discriminator per member, trained together with the members.

    Parameters
    ----------
    kind : {"tr", "ptr"}
    width : int
        Length of the representation.
    targets : Tensor (n, k)
        The treatment of every row as numbers; gives mean and spread.
    members : int
    weight : float
        How much the network is rewarded for the discriminators' loss.
    seed : int
    """

    def __init__(
        self, kind: str, width: int, targets: Tensor, members: int, *, weight: float, seed: int
    ) -> None:
        self.kind, self.weight = kind, weight
        self.mean = targets.mean(dim=0)
        self.sd = targets.std(dim=0).clamp_min(1e-6)
        self.count = targets.shape[1]
        outputs = self.count * (2 if kind == "ptr" else 1)
        with torch.random.fork_rng(devices=[]):
            self.network = Perceptron([width, HIDDEN, HIDDEN, outputs])
        drawn = [
            {
                name: value.detach().clone()
                for name, value in initialise(
                    self.network, seeded(seed, "discriminator", member)
                ).named_parameters()
            }
            for member in range(members)
        ]
        self.parameters = {
            name: torch.stack([weights[name] for weights in drawn]).to(targets.device).requires_grad_()
            for name in drawn[0]
        }
        self.optimizer = torch.optim.AdamW(
            list(self.parameters.values()), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY
        )

    def losses(self, side: Tensor, targets: Tensor, parameters: dict[str, Tensor]) -> Tensor:
        """Loss of each discriminator, (members,); ``targets`` is (members, batch, k)."""

        def call(p: dict[str, Tensor], z: Tensor) -> Tensor:
            out: Tensor = functional_call(self.network, p, (z,))
            return out

        out = vmap(call)(parameters, side)
        wanted = (targets - self.mean) / self.sd
        if self.kind == "tr":
            return (wanted - out).square().mean(dim=(1, 2))
        centre, spread = out[..., : self.count], out[..., self.count :].clamp(-8.0, 8.0)
        return 0.5 * ((wanted - centre).square() * torch.exp(-spread) + spread).mean(dim=(1, 2))

    def step(self, side: Tensor, targets: Tensor) -> None:
        """Improve every discriminator on representations that are held fixed."""
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(self.losses(side, targets, self.parameters).sum())
        self.optimizer.step()

    def penalty(self, side: Tensor, targets: Tensor) -> Tensor:
        """What is added to each member's loss: minus the weighted loss of its discriminator."""
        fixed = {name: value.detach() for name, value in self.parameters.items()}
        return -self.weight * self.losses(side, targets, fixed)


def probe_r2(
    z: Float[np.ndarray, "n width"], t: Float[np.ndarray, " n"], *, probe: str = "linear", seed: int = 0
) -> float:
    """Out-of-fold R2 of a fresh probe that predicts the treatment from the representation.

    Parameters
    ----------
    z : (n, width) array
        Representation.
    t : (n,) array
        Treatment.
    probe : {"linear", "forest"}
    seed : int
        Seed of the five folds and of the forest.

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(200, 3))
    >>> round(probe_r2(z, z @ np.ones(3)), 3)
    1.0
    """
    model = (
        LinearRegression()
        if probe == "linear"
        else RandomForestRegressor(200, min_samples_leaf=5, random_state=seed)
    )
    folds = KFold(5, shuffle=True, random_state=seed)
    predicted = cross_val_predict(model, z, t, cv=folds)
    return float(1 - np.mean((t - predicted) ** 2) / np.var(t))
