"""The usual networks for effects and dose-responses, trained by the same loop as TransTEE.

- ``"s-learner"``: one perceptron of covariates and treatment.
- ``"t-learner"``: one perceptron per arm (binary and multi-valued treatments).
- ``"tarnet"``: a shared trunk, and one head per arm (Shalit et al. 2017); a dose is cut into equal bins.
- ``"drnet"``: the same, with the dose fed into every layer of the heads (Schwab et al. 2020).
- ``"vcnet"``: the weights of the head are splines of the dose, and the trunk must also predict the density of
  the dose (Nie et al. 2021, sections 3.1-3.2).

Widths are those of the papers' comparisons (trunk 50-50, heads 50). They are here to be compared with, under
the same data, standardisation, optimizer and early stopping; the targeted regularisation of VCNet and the
matching of TARNet's representations are not included. For a doubly robust learner of effects see
:class:`suppose.effects.DRLearner`.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from suppose.core.errors import EstimationError
from suppose.effects.base import check_choice
from suppose.effects.neural.estimator import NeuralEstimator, check_count
from suppose.effects.neural.graph_bank import GraphBank
from suppose.nets.encoders import Perceptron, initialise

__all__ = ["ARCHITECTURES", "NeuralBaseline"]

ARCHITECTURES = ("s-learner", "t-learner", "tarnet", "drnet", "vcnet")
BINS = 5
DENSITY_POINTS = 10


class _Heads(nn.Module):
    """Several perceptron heads side by side: (..., inputs) to (..., heads), the dose into each layer if asked."""

    def __init__(self, heads: int, inputs: int, width: int, depth: int, *, dose_inputs: int = 0) -> None:
        super().__init__()
        self.dose_inputs = dose_inputs
        sizes = [inputs, *[width] * depth, 1]
        self.weights = nn.ParameterList(
            nn.Parameter(torch.empty(heads, before + dose_inputs, after))
            for before, after in itertools.pairwise(sizes)
        )
        self.biases = nn.ParameterList(nn.Parameter(torch.empty(heads, after)) for after in sizes[1:])
        self.reset()

    def reset(self, generator: torch.Generator | None = None) -> None:
        """Draw all heads anew, in Glorot's bounds."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            bound = math.sqrt(6 / (weight.shape[1] + weight.shape[2]))
            nn.init.uniform_(weight, -bound, bound, generator=generator)
            nn.init.zeros_(bias)

    def forward(
        self, h: Float[Tensor, "batch inputs"], dose: Float[Tensor, "batch doses"] | None
    ) -> Float[Tensor, "batch heads"]:
        """What every head says."""
        out = h.unsqueeze(0).expand(self.weights[0].shape[0], *h.shape)
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if index:
                out = torch.relu(out)
            if self.dose_inputs and dose is not None:
                out = torch.cat([out, dose.unsqueeze(0).expand(out.shape[0], *dose.shape)], dim=-1)
            out = out @ weight + bias.unsqueeze(1)
        return out.squeeze(-1).transpose(0, 1)


class _SplineHead(nn.Module):
    """A two-layer head whose weights are truncated-power splines of the dose (Nie et al. 2021, eq. 3)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.empty(5, width, width))
        self.second = nn.Parameter(torch.empty(5, width, 1))
        self.bias_first = nn.Parameter(torch.zeros(5, width))
        self.bias_second = nn.Parameter(torch.zeros(5, 1))
        self.reset()

    def reset(self, generator: torch.Generator | None = None) -> None:
        """Draw the coefficients anew."""
        for weight in (self.first, self.second):
            bound = math.sqrt(6 / (weight.shape[1] + weight.shape[2]))
            nn.init.uniform_(weight, -bound, bound, generator=generator)
        nn.init.zeros_(self.bias_first)
        nn.init.zeros_(self.bias_second)

    def forward(self, h: Float[Tensor, "batch width"], t: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """Prediction under each dose on the 0 to 1 scale."""
        basis = spline_basis(t)
        inner = torch.einsum("bk,bi,kij->bj", basis, h, self.first) + basis @ self.bias_first
        inner = torch.relu(inner)
        out = torch.einsum("bk,bi,kij->bj", basis, inner, self.second) + basis @ self.bias_second
        return out.squeeze(-1)


def spline_basis(t: Float[Tensor, " batch"]) -> Float[Tensor, "batch 5"]:
    """Truncated powers of degree 2 with knots at 1/3 and 2/3.

    Examples
    --------
    >>> spline_basis(torch.tensor([1.0])).double().numpy().round(3).tolist()
    [[1.0, 1.0, 1.0, 0.444, 0.111]]
    """
    ones = torch.ones_like(t)
    knots = [(t - knot).clamp_min(0.0).square() for knot in (1 / 3, 2 / 3)]
    return torch.stack([ones, t, t.square(), *knots], dim=-1)


def log_density(logits: Float[Tensor, "batch points"], t: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """Log density of the dose: a softmax over grid points, linear in between (Nie et al. 2021, section 3.1).

    Examples
    --------
    >>> log_density(torch.zeros(1, 11), torch.tensor([0.35])).exp().round(decimals=4).tolist()
    [1.0]
    """
    points = logits.shape[-1] - 1
    mass = torch.softmax(logits, dim=-1)
    mass = mass * (points + 1)
    place = (t.clamp(0.0, 1.0) * points).clamp(max=points - 1e-4)
    below = place.floor()
    weight = place - below
    grid = torch.arange(points + 1, device=t.device, dtype=t.dtype)
    chosen = (grid == below.unsqueeze(-1)).to(mass.dtype), (grid == below.unsqueeze(-1) + 1).to(mass.dtype)
    low, high = ((mass * pick).sum(dim=-1) for pick in chosen)
    return torch.log(low * (1 - weight) + high * weight + 1e-6)


class BaselineNetwork(nn.Module):
    """A baseline: trunk of the covariates, heads by architecture; treatments asked about are flattened."""

    def __init__(self, covariates: int, kind: str, arms: int, architecture: str, hidden: int) -> None:
        super().__init__()
        self.kind, self.arms, self.architecture = kind, arms, architecture
        codes = arms if kind in ("multi-valued", "dose") else 1
        self.inputs = codes + (1 if kind == "dose" else 0)
        self.trunk = (
            nn.Identity()
            if architecture in ("s-learner", "t-learner")
            else Perceptron([covariates, hidden, hidden])
        )
        self.whole = (
            Perceptron([covariates + self.inputs, hidden, hidden, 1])
            if architecture == "s-learner"
            else nn.Identity()
        )
        continuous = kind in ("continuous", "dose")
        self.bins = BINS if continuous else 1
        heads = (arms if kind != "continuous" else 1) * self.bins
        doses = 1 if architecture == "drnet" else 0
        self.heads: nn.Module = nn.Identity()
        if architecture == "t-learner":
            self.heads = _Heads(heads, covariates, hidden, 2)
        elif architecture in ("tarnet", "drnet"):
            self.heads = _Heads(heads, hidden, hidden, 1, dose_inputs=doses)
        elif architecture == "vcnet":
            self.heads = _SplineHead(hidden)
            self.density = nn.Linear(hidden, DENSITY_POINTS + 1)

    def forward(
        self,
        x: Float[Tensor, "batch covariates"],
        t: Float[Tensor, "batch asked"],
        s: Float[Tensor, "batch asked"],
    ) -> tuple[Float[Tensor, "batch asked"], Float[Tensor, "batch side"]]:
        """Outcome of each row under each treatment asked about; the side output is VCNet's density."""
        asked = t.shape[1]
        h = x if self.architecture in ("s-learner", "t-learner") else torch.relu(self.trunk(x))
        side = self.density(h) if self.architecture == "vcnet" else h[:, :0]
        wide = h.unsqueeze(1).expand(h.shape[0], asked, h.shape[1]).flatten(0, 1)
        out = self._outcome(wide, t.flatten(), s.flatten())
        return out.reshape(-1, asked), side

    def _outcome(self, h: Tensor, t: Tensor, s: Tensor) -> Tensor:
        if self.architecture == "s-learner":
            return self.whole(torch.cat([h, self._codes(t, s)], dim=-1)).squeeze(-1)  # type: ignore[no-any-return]
        if self.architecture == "vcnet":
            return self.heads(h, t)  # type: ignore[no-any-return]
        level = s if self.kind == "dose" else t
        every = self.heads(h, level.unsqueeze(-1) if self.architecture == "drnet" else None)
        index = self._head(t, s)
        picks = torch.arange(every.shape[-1], device=t.device, dtype=index.dtype)
        return (every * (index.unsqueeze(-1) == picks)).sum(dim=-1)  # type: ignore[no-any-return]

    def _codes(self, t: Tensor, s: Tensor) -> Tensor:
        if self.kind in ("binary", "continuous"):
            return t.unsqueeze(-1)
        codes = torch.arange(self.arms, device=t.device, dtype=t.dtype)
        arm = (t.unsqueeze(-1) == codes).to(t.dtype)
        return torch.cat([arm, s.unsqueeze(-1)], dim=-1) if self.kind == "dose" else arm

    def _head(self, t: Tensor, s: Tensor) -> Tensor:
        level = s if self.kind == "dose" else t
        cut = (level * self.bins).floor().clamp(0, self.bins - 1)
        if self.kind == "continuous":
            return cut
        return t * self.bins + cut if self.kind == "dose" else t


class NeuralBaseline(NeuralEstimator):
    """A usual network for effects and dose-responses, to compare TransTEE with.

    Parameters
    ----------
    treatment : str or int
        Column of ``X``: a name in frames, a position in arrays.
    architecture : {"tarnet", "s-learner", "t-learner", "drnet", "vcnet"}
        See :mod:`suppose.effects.neural.baselines`; ``"vcnet"`` takes a continuous treatment, ``"t-learner"``
        one with arms, ``"drnet"`` one with a dose.
    hidden : int
        Width of every layer.
    density_weight : float
        Weight of VCNet's density loss.
    treatment_kind, dose, covariates, cluster, reference, outcome, scale, epochs, batch_size, optimizer, \
learning_rate, weight_decay, patience, validation, members, interval, restarts, allow_extrapolation, device, \
level, seed
        As in :class:`TransTEE`.

    Raises
    ------
    EstimationError
        ``wrong-architecture`` for a treatment the architecture does not take, and as :class:`TransTEE`.

    Examples
    --------
    >>> from suppose.datasets import make_experiment
    >>> trial = make_experiment(n=300, effect=2.0, seed=1)
    >>> model = NeuralBaseline("d", architecture="tarnet", epochs=60, members=3).fit(trial.X, trial.y)
    >>> bool(1.5 < model.effect_.estimate < 2.5)
    True
    """

    kinds = ("auto", "binary", "multi-valued", "continuous", "dose")

    def __init__(
        self,
        treatment: Any = 0,
        *,
        architecture: Any = "tarnet",
        hidden: Any = 50,
        density_weight: Any = 0.5,
        treatment_kind: Any = "auto",
        dose: Any = None,
        covariates: Any = None,
        cluster: Any = None,
        reference: Any = None,
        outcome: Any = "auto",
        scale: Any = True,
        epochs: Any = 300,
        batch_size: Any = 128,
        optimizer: Any = "adam",
        learning_rate: Any = 5e-3,
        weight_decay: Any = 5e-3,
        patience: Any = 60,
        validation: Any = 0.2,
        members: Any = 10,
        interval: Any = "bootstrap",
        restarts: Any = 1,
        allow_extrapolation: Any = False,
        device: Any = "cpu",
        level: Any = 0.95,
        seed: Any = 0,
    ) -> None:
        self.treatment = treatment
        self.architecture = architecture
        self.hidden = hidden
        self.density_weight = density_weight
        self.treatment_kind = treatment_kind
        self.dose = dose
        self.covariates = covariates
        self.cluster = cluster
        self.reference = reference
        self.outcome = outcome
        self.scale = scale
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.patience = patience
        self.validation = validation
        self.members = members
        self.interval = interval
        self.restarts = restarts
        self.allow_extrapolation = allow_extrapolation
        self.device = device
        self.level = level
        self.seed = seed

    def _check_settings(self) -> None:
        super()._check_settings()
        check_choice(self.architecture, ARCHITECTURES, "architecture")
        check_count(self.hidden, "hidden")

    def _network(self, inputs: int, bank: GraphBank | None) -> BaselineNetwork:
        takes = {
            "vcnet": ("continuous",), "drnet": ("continuous", "dose"), "t-learner": ("binary", "multi-valued"),
        }.get(self.architecture, self.kinds)  # fmt: skip
        if self.kind_ not in takes:
            raise EstimationError(
                "wrong-architecture", f"{self.architecture} takes a treatment that is {' or '.join(takes)}, this one "
                f"is {self.kind_}", where="architecture", remedy='Write architecture="tarnet" or "s-learner".',
            )  # fmt: skip
        arms = 1 if self.arms_ is None else len(self.arms_)
        return BaselineNetwork(inputs, self.kind_, arms, self.architecture, self.hidden)

    def _fresh(self, network: nn.Module, generator: torch.Generator) -> nn.Module:
        return initialise(network, generator)

    def _side_loss(self) -> Any:
        if self.architecture != "vcnet":
            return None
        return lambda side, t: (
            -float(self.density_weight) * log_density(side.flatten(0, 1), t.flatten()).reshape(t.shape)
        )

    def _method_words(self) -> str:
        return {"s-learner": "S-learner", "t-learner": "T-learner", "tarnet": "TARNet", "drnet": "DRNet",
                "vcnet": "VCNet"}[self.architecture]  # fmt: skip
