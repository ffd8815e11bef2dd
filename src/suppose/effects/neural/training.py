"""Training many small networks at once: the members of an ensemble as one stacked network.

Every parameter gets a leading axis of members, and one batch of each member goes through the network in
one call (``torch.func.vmap``), so that ten members cost a fraction of ten trainings. Members never mix:
the loss is a sum over members, and the optimizers act on each number alone.

Each member learns from its own rows (a bootstrap draw, or all but a held-out part) and is watched on the
rows it does not see. With ``patience`` a member keeps its best weights and stops counting when they have
not improved for so many epochs; with ``restarts`` the best of several starts is kept. Everything random
comes from generators seeded by the run; the global stream of torch is not touched.

It does not do mixed precision or several devices.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.func import functional_call, vmap

from suppose.core.errors import EstimationError
from suppose.core.progress import progress
from suppose.core.random import integer_seed
from suppose.nets.encoders import SeededDropout

__all__ = ["Adversary", "Table", "Trained", "TrainingPlan", "draw_rows", "evaluate", "seeded", "train"]

Network = Callable[[torch.Generator], nn.Module]


@dataclass(frozen=True)
class TrainingPlan:
    """How to train: see :class:`~suppose.effects.neural.TransTEE` for the meaning of each setting."""

    epochs: int = 200
    batch_size: int = 128
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    patience: int | None = None
    restarts: int = 1
    seed: int = 0
    label: str | None = None

    @property
    def check_every(self) -> int:
        """Epochs between two looks at the held-out rows."""
        return max(1, self.epochs // 100)


@dataclass(frozen=True)
class Table:
    """What the network is shown: covariates (n, p), treatment (n, 1), dose (n, 1), outcome (n,)."""

    x: Tensor
    t: Tensor
    s: Tensor
    y: Tensor


@dataclass(frozen=True)
class Trained:
    """Stacked weights of the members, and how training went.

    ``weights`` maps names of parameters and buffers to (members, ...) tensors. ``checked`` (checks,) are
    epochs, ``train_loss`` and ``held_out_loss`` (checks, members) the losses there, ``best_epoch`` (members,)
    the epoch of the weights kept.
    """

    weights: dict[str, Tensor]
    checked: np.ndarray
    train_loss: np.ndarray
    held_out_loss: np.ndarray
    best_epoch: np.ndarray


class Adversary(Protocol):
    """Somebody who predicts the treatment from the representation, see :mod:`~suppose.effects.neural.balance`."""

    def step(self, side: Tensor, t: Tensor, s: Tensor) -> None:
        """Improve the prediction; ``side`` is (members, batch, width)."""
        ...

    def penalty(self, side: Tensor, t: Tensor, s: Tensor) -> Tensor:
        """What to add to each member's loss, (members,)."""
        ...


def seeded(seed: int, *path: str | int, device: str = "cpu") -> torch.Generator:
    """Torch generator of the stream named by ``path``."""
    return torch.Generator(device=device).manual_seed(integer_seed(seed, *path))


def draw_rows(
    n: int,
    members: int,
    interval: str,
    *,
    share: float,
    clusters: Int[np.ndarray, " n"] | None,
    rng: np.random.Generator,
) -> tuple[Int[np.ndarray, "members rows"], Bool[np.ndarray, "members n"]]:
    """Rows each member learns from, and the rows it is watched on.

    ``"bootstrap"`` draws whole clusters (rows, without clusters) with replacement; those never drawn are
    watched. ``"ensemble"`` holds a random share of clusters out; all rows are watched when it is zero.
    Members with fewer rows than the longest repeat some of their own, at random.

    Examples
    --------
    >>> rows, held = draw_rows(10, 2, "bootstrap", share=0.2, clusters=None, rng=np.random.default_rng(0))
    >>> rows.shape, bool(held[0, rows[0]].any())
    ((2, 10), False)
    """
    codes = np.arange(n) if clusters is None else clusters
    groups = int(codes.max()) + 1
    pools, held = [], np.zeros((members, n), dtype=bool)
    for member in range(members):
        if interval == "bootstrap":
            counts = np.bincount(rng.integers(0, groups, size=groups), minlength=groups)
        else:
            counts = np.ones(groups, dtype=np.int64)
            counts[rng.permutation(groups)[: math.floor(share * groups)]] = 0
        times = counts[codes]
        pools.append(np.repeat(np.arange(n), times))
        held[member] = times == 0
        if not held[member].any():
            held[member] = True
    longest = max(len(pool) for pool in pools)
    rows = np.stack([np.r_[pool, rng.choice(pool, longest - len(pool))] for pool in pools])
    return rows.astype(np.int64), held


def train(
    network: nn.Module,
    fresh: Network,
    table: Table,
    rows: Int[np.ndarray, "members rows"],
    held: Bool[np.ndarray, "members n"],
    plan: TrainingPlan,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    adversary: Callable[[int], Adversary] | None = None,
    side_loss: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> Trained:
    """Train every member of an ensemble, all at once.

    Parameters
    ----------
    network : nn.Module
        ``network(x, t, s)`` gives predictions (batch, asked) and a side output (batch, width).
    fresh : callable
        The network with weights drawn from a generator.
    table : Table
    rows, held : arrays
        Rows each member learns from, and those it is watched on.
    plan : TrainingPlan
    loss : callable
        ``loss(prediction, outcome)``, one number per row.
    adversary : callable, optional
        Makes an :class:`Adversary` for so many members; it sees the side output.
    side_loss : callable, optional
        ``side_loss(side, t)``, one number per row, added to the loss.

    Raises
    ------
    EstimationError
        ``training-diverged`` when the loss of a member stops being a number.
    """
    run = _Run(network, fresh, table, rows, held, plan, loss, adversary, side_loss)
    with progress(plan.label, plan.epochs) as bar:
        for epoch in range(plan.epochs):
            run.epoch()
            bar.advance()
            if (epoch + 1) % plan.check_every == 0 or epoch + 1 == plan.epochs:
                run.look(epoch + 1)
                if run.all_stopped():
                    break
    return run.result()


class _Run:
    """State of one training of all members (and all their restarts)."""

    def __init__(
        self,
        network: nn.Module,
        fresh: Network,
        table: Table,
        rows: np.ndarray,
        held: np.ndarray,
        plan: TrainingPlan,
        loss: Callable[[Tensor, Tensor], Tensor],
        adversary: Callable[[int], Adversary] | None,
        side_loss: Callable[[Tensor, Tensor], Tensor] | None,
    ) -> None:
        self.network, self.table, self.plan = network, table, plan
        self.loss, self.side_loss = loss, side_loss
        device = table.x.device
        self.rows = torch.from_numpy(np.repeat(rows, plan.restarts, axis=0)).to(device)
        self.held = torch.from_numpy(np.repeat(held, plan.restarts, axis=0)).to(device)
        count = len(self.rows)
        self.parameters, self.buffers = _stacked(fresh, count, plan.seed, device)
        self.optimizer = _optimizer(list(self.parameters.values()), plan)
        self.batches = max(1, round(self.rows.shape[1] / plan.batch_size))
        steps = self.batches * plan.epochs
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, steps)
        self.adversary = adversary(count) if adversary is not None else None
        self.shuffle = seeded(plan.seed, "shuffle")
        self.best = torch.full((count,), torch.inf, dtype=torch.float64, device=device)
        self.best_epoch = torch.zeros(count, dtype=torch.int64, device=device)
        self.stopped = torch.zeros(count, dtype=torch.bool, device=device)
        self.kept: dict[str, Tensor] = {}
        self.checked: list[int] = []
        self.losses: list[np.ndarray] = []
        self.held_losses: list[np.ndarray] = []
        self.running = torch.zeros(count, device=device)
        generator = seeded(plan.seed, "dropout", device=str(device))
        for part in network.modules():
            if isinstance(part, SeededDropout):
                part.generator = generator

    def forward(self, x: Tensor, t: Tensor, s: Tensor, *, shared: bool) -> tuple[Tensor, Tensor]:
        """Predictions and side outputs of every member, each on its own rows or all on the same."""
        where = None if shared else 0

        def call(p: dict[str, Tensor], b: dict[str, Tensor], x: Tensor, t: Tensor, s: Tensor) -> Any:
            return functional_call(self.network, (p, b), (x, t, s))

        out: tuple[Tensor, Tensor] = vmap(call, in_dims=(0, 0, where, where, where), randomness="different")(
            self.parameters, self.buffers, x, t, s
        )
        return out

    def epoch(self) -> None:
        """One pass over the rows of every member."""
        self.network.train()
        order = torch.rand(self.rows.shape, generator=self.shuffle).argsort(dim=1).to(self.rows.device)
        shuffled = self.rows.gather(1, order)
        total = torch.zeros_like(self.running)
        for batch in shuffled.tensor_split(self.batches, dim=1):
            total += self.step(batch)
        self.running = total / self.batches

    def step(self, batch: Tensor) -> Tensor:
        """One step of every member on its batch; the losses (members,)."""
        x, t, s, y = (part[batch] for part in (self.table.x, self.table.t, self.table.s, self.table.y))
        prediction, side = self.forward(x, t, s, shared=False)
        fit = self.loss(prediction.squeeze(2), y).mean(dim=1)
        objective = fit
        if self.side_loss is not None:
            objective = objective + self.side_loss(side, t.squeeze(2)).mean(dim=1)
        if self.adversary is not None:
            self.adversary.step(side.detach(), t.squeeze(2), s.squeeze(2))
            objective = objective + self.adversary.penalty(side, t.squeeze(2), s.squeeze(2))
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(objective.sum())
        self.optimizer.step()
        self.schedule.step()
        return fit.detach()

    def look(self, epoch: int) -> None:
        """Losses on the held-out rows; the best weights of each member are kept."""
        self.network.eval()
        with torch.no_grad():
            table = self.table
            prediction, _ = self.forward(table.x, table.t, table.s, shared=True)
            prediction = prediction.squeeze(2)
            every = self.loss(prediction, table.y.expand_as(prediction)).double()
            watched = (every * self.held).sum(dim=1) / self.held.sum(dim=1)
        if not bool(torch.isfinite(watched).all()):
            raise EstimationError(
                "training-diverged", f"the loss of {int((~torch.isfinite(watched)).sum())} of {len(watched)} "
                f"networks is no number any more after {epoch:,} epochs", where="learning_rate",
                remedy=f"Take a smaller one than {self.plan.learning_rate:g}, or leave scale on.",
            )  # fmt: skip
        self.checked.append(epoch)
        self.losses.append(self.running.double().cpu().numpy())
        self.held_losses.append(watched.cpu().numpy())
        better = torch.ones_like(self.stopped) if self.plan.patience is None else watched < self.best
        better &= ~self.stopped
        self.best = torch.where(better, watched, self.best)
        self.best_epoch = torch.where(better, epoch, self.best_epoch)
        if self.plan.patience is not None:
            self._keep(better)
            self.stopped |= epoch - self.best_epoch >= self.plan.patience

    def _keep(self, better: Tensor) -> None:
        for name, value in {**self.parameters, **self.buffers}.items():
            now = value.detach()
            if name not in self.kept:
                self.kept[name] = now.clone()
            else:
                mask = better.reshape(-1, *(1,) * (now.ndim - 1))
                self.kept[name] = torch.where(mask, now, self.kept[name])

    def all_stopped(self) -> bool:
        """Whether no member can still improve."""
        return bool(self.stopped.all())

    def result(self) -> Trained:
        """Weights of each member: of its best restart, at its best epoch."""
        restarts = self.plan.restarts
        starts = self.best.reshape(-1, restarts)
        chosen = torch.arange(len(starts), device=starts.device) * restarts + starts.argmin(dim=1)
        weights = self.kept or {
            name: value.detach() for name, value in {**self.parameters, **self.buffers}.items()
        }
        index = chosen.cpu().numpy()
        return Trained(
            {name: value[chosen].cpu() for name, value in weights.items()},
            np.array(self.checked), np.array(self.losses)[:, index], np.array(self.held_losses)[:, index],
            self.best_epoch.cpu().numpy()[index],
        )  # fmt: skip


def _stacked(
    fresh: Network, count: int, seed: int, device: torch.device
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Freshly drawn parameters and buffers of every member, with a leading axis of members."""
    drawn = [copy.deepcopy(fresh(seeded(seed, "weights", member))) for member in range(count)]
    first = drawn[0]
    parameters = {
        name: torch.stack([dict(net.named_parameters())[name].detach() for net in drawn]).to(device)
        for name, _ in first.named_parameters()
    }
    buffers = {
        name: torch.stack([dict(net.named_buffers())[name] for net in drawn]).to(device)
        for name, _ in first.named_buffers()
    }
    return {name: value.requires_grad_() for name, value in parameters.items()}, buffers


def _optimizer(parameters: list[Tensor], plan: TrainingPlan) -> torch.optim.Optimizer:
    if plan.optimizer == "nesterov":
        return torch.optim.SGD(
            parameters, lr=plan.learning_rate, momentum=0.9, nesterov=True, weight_decay=plan.weight_decay
        )
    return torch.optim.AdamW(parameters, lr=plan.learning_rate, weight_decay=plan.weight_decay)


def evaluate(
    network: nn.Module, weights: dict[str, Tensor], x: Tensor, t: Tensor, s: Tensor
) -> tuple[Float[Tensor, "members rows asked"], Float[Tensor, "members rows width"]]:
    """Predictions and side outputs of every member on the same rows, in eval mode and without gradients."""
    network.eval()

    def call(weights: dict[str, Tensor]) -> Any:
        return functional_call(network, weights, (x, t, s))

    with torch.no_grad():
        out: tuple[Tensor, Tensor] = vmap(call)(weights)
    return out
