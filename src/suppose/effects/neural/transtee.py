"""One attention network for effects of treatments of any kind: TransTEE.

Zhang, Zhang, Lipton, Li and Xing, "Exploring Transformer Backbones for Heterogeneous Treatment Effect
Estimation", arXiv 2202.01336 (2022). Every covariate is a token, the treatment (with its dose, or the graph
it is) another; an encoder lets the covariates attend to each other, a decoder lets the treatment attend to
them, and a linear head reads the potential outcome ``mu(t, x)`` off the treatment's token (section 4.1).
Effects are differences ``mu(t1, x) - mu(t0, x)``, the dose-response is the mean of ``mu(t, x_i)``.

Where we depart from the paper's code: each covariate has its own affine embedding (the code has one for
all, ``covariate_embedding="shared"``); discrete arms have a table of embeddings; the table is
standardised; early stopping on rows a member does not see, bootstrap and restarts are ours.

It assumes what every adjustment assumes: nothing unmeasured drives treatment and outcome. It does not
choose covariates, and attention weights say where the network looked, not what causes what.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from suppose.core.errors import EstimationError
from suppose.effects.base import check_choice, is_number
from suppose.effects.neural.balance import BALANCES, Discriminators
from suppose.effects.neural.estimator import NeuralEstimator, TargetedAdversary, check_count
from suppose.effects.neural.graph_bank import GraphBank, GraphTokenizer
from suppose.effects.neural.response import AttentionMap
from suppose.effects.neural.training import Table, evaluate
from suppose.nets.encoders import DecoderBlock, EncoderBlock, ScalarTokenizer, initialise

__all__ = ["TransTEE", "TransTEENetwork"]


class TransTEENetwork(nn.Module):
    """The network: covariate tokens, treatment token, encoder, decoder, head (section 4.1).

    Parameters
    ----------
    covariates : int
    kind : {"binary", "multi-valued", "continuous", "dose", "graph"}
    arms : int
        Number of arms of a discrete treatment.
    width, heads, layers, hidden : int
        Length of a token, attention heads, blocks of encoder and of decoder, inner width of feed-forward.
    shared : bool
        One embedding for all covariates.
    projected : int, optional
        Number of tokens the covariates are first mapped to.
    bank : GraphBank, optional
    """

    def __init__(
        self,
        covariates: int,
        kind: str,
        *,
        arms: int = 2,
        width: int = 10,
        heads: int = 2,
        layers: int = 1,
        hidden: int = 50,
        shared: bool = False,
        projected: int | None = None,
        norm: Any = "token-batch",
        dropout: float = 0.0,
        balance_at: str = "embedding",
        bank: GraphBank | None = None,
    ) -> None:
        super().__init__()
        self.kind, self.balance_at = kind, balance_at
        tokens = covariates if projected is None else projected
        self.project = nn.Identity() if projected is None else nn.Linear(covariates, projected)
        self.tokens = ScalarTokenizer(tokens, width, shared=shared)
        self.arms = ArmTokenizer(arms, width) if kind in ("multi-valued", "dose") else nn.Identity()
        self.scalar = (
            ScalarTokenizer(1, width, std=0.2) if kind in ("binary", "continuous", "dose") else nn.Identity()
        )
        self.join = (
            nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, width))
            if kind == "dose"
            else nn.Identity()
        )
        self.graphs = GraphTokenizer(bank, width) if bank is not None else nn.Identity()
        self.encoder = nn.ModuleList(
            EncoderBlock(width, heads, hidden, tokens=tokens, norm=norm, dropout=dropout)
            for _ in range(layers)
        )
        self.decoder = nn.ModuleList(
            DecoderBlock(width, heads, hidden, norm="none", dropout=dropout) for _ in range(layers)
        )
        self.head = nn.Linear(width, 1)

    def treatment_token(
        self, t: Float[Tensor, "batch asked"], s: Float[Tensor, "batch asked"]
    ) -> Float[Tensor, "batch asked width"]:
        """Tokens of treatments (and their doses)."""
        if self.kind == "graph":
            every: Tensor = self.graphs()
            return every[t.long()]
        if self.kind == "multi-valued":
            return self.arms(t)  # type: ignore[no-any-return]
        if self.kind == "dose":
            both = torch.cat([self.arms(t), self.scalar(s.unsqueeze(-1)).squeeze(-2)], dim=-1)
            return self.join(both)  # type: ignore[no-any-return]
        return self.scalar(t.unsqueeze(-1)).squeeze(-2)  # type: ignore[no-any-return]

    def look(
        self,
        x: Float[Tensor, "batch covariates"],
        t: Float[Tensor, "batch asked"],
        s: Float[Tensor, "batch asked"],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Predictions (batch, asked), representation (batch, width), weights (batch, heads, asked, tokens)."""
        memory = self.tokens(self.project(x))
        z = memory.mean(dim=1)
        for block in self.encoder:
            memory = block(memory)
        if self.balance_at == "encoder":
            z = memory.mean(dim=1)
        token = self.treatment_token(t, s)
        weights = token
        for block in self.decoder:
            token, weights = block(token, memory, apart=True)
        return self.head(token).squeeze(-1), z, weights

    def forward(
        self,
        x: Float[Tensor, "batch covariates"],
        t: Float[Tensor, "batch asked"],
        s: Float[Tensor, "batch asked"],
    ) -> tuple[Float[Tensor, "batch asked"], Float[Tensor, "batch width"]]:
        """Outcome of each row under each treatment asked about, and its representation before any."""
        prediction, z, _ = self.look(x, t, s)
        return prediction, z


class ArmTokenizer(nn.Module):
    """A table with one embedding per arm."""

    def __init__(self, arms: int, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(arms, width))
        self.reset()

    def reset(self, generator: torch.Generator | None = None) -> None:
        """Draw the table anew."""
        nn.init.normal_(self.table, std=0.2, generator=generator)

    def forward(self, t: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch width"]:
        """Embedding of each arm code."""
        codes = torch.arange(self.table.shape[0], device=t.device, dtype=t.dtype)
        return (t.unsqueeze(-1) == codes).to(self.table.dtype) @ self.table


class _AttentionOnly(nn.Module):
    """The network seen through its attention: forward gives the weights as the side output."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, t: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        """Prediction and flattened attention weights (batch, heads x asked x tokens)."""
        prediction, _, weights = self.network.look(x, t, s)
        return prediction, weights.flatten(1)


class TransTEE(NeuralEstimator):
    """Effects of treatments, doses and treated objects by one attention network.

    Parameters
    ----------
    treatment : str or int
        Column of ``X``: a name in frames, a position in arrays. With ``graphs``, numbers of graphs.
    treatment_kind : {"auto", "binary", "multi-valued", "continuous", "dose", "graph"}
        ``"dose"`` is an arm with a dose; ``"auto"`` goes by the arguments and the values.
    dose : str or int, optional
        Column of the dose of the arm.
    graphs : sequence of networkx graphs, optional
        The treated objects.
    covariates : sequence of str or int, optional
        Columns to adjust for; all others when left out.
    cluster : str or int, optional
        Rows with the same value are drawn together in the bootstrap.
    reference : float, optional
        Arm that the others are compared with; the smallest (of graphs the most frequent) when left out.
    d_model, heads, layers, feed_forward : int
        Length of a token, attention heads, blocks of the encoder and of the decoder, inner width.
    covariate_embedding : {"per_feature", "shared"}
        An affine map for each covariate, or the same for all as in the paper's code.
    projected_tokens : int, optional
        Map many covariates to so many tokens first (the paper's 4,000 genes to 100).
    dropout : float
    outcome : {"auto", "number", "binary"}
        Squared error, or cross-entropy for an outcome of 0 and 1; ``"auto"`` goes by the values.
    scale : bool
        Standardise covariates and outcome, and put the dose on 0 to 1, before training.
    balance : {None, "tr", "ptr"}
        Adversarial treatment regularisation, see :mod:`suppose.effects.neural.balance`.
    balance_weight : float
        Its weight (alpha). The paper's 0.5 stands beside a loss in the unit of the outcome; ours is standardised.
    balance_at : {"embedding", "encoder"}
        Representation it acts on: the mean covariate token before (as in the paper's code) or after the encoder.
    epochs, batch_size : int
        Most passes over the rows, and rows per step.
    optimizer : {"adam", "nesterov"}
        AdamW, or SGD with Nesterov momentum 0.9; both with a cosine schedule to zero.
    learning_rate, weight_decay : float
    patience : int, optional
        Stop a member after so many epochs without improvement on the rows it does not see, and keep its
        best weights; None trains to the end.
    validation : float
        Share of rows held out with ``interval="ensemble"``; the bootstrap watches the rows not drawn.
    members : int
        Networks of the ensemble, trained together.
    interval : {"bootstrap", "ensemble"}
        Members on bootstrap draws (sampling error and training), or on all rows (training alone).
    restarts : int
        Starts per member, the best of which is kept.
    allow_extrapolation : bool
        Answer for doses outside the range learned from.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"auto"``.
    level : float
        Coverage the intervals aim at.
    seed : int
        Seed of everything random; same seed, same bits on one CPU.

    Attributes
    ----------
    effects_ : tuple of EffectEstimate
        Average effects: each arm against the reference, or the average slope of a continuous treatment.
    theta_by_member_ : (members, contrasts) array
    kind_ : str
    arms_ : (k,) array or None
    range_ : (low, high) or None
        Doses learned from.
    weights_ : dict
        Name to (members, ...) array.
    history_ : dict
        ``epoch`` (checks,), ``train_loss`` and ``held_out_loss`` (checks, members), in standardised units.
    best_epoch_ : (members,) array
    parameter_count_ : int
        Trained numbers of one network.

    Raises
    ------
    DataError
        For material that cannot be used, naming the column.
    EstimationError
        ``training-diverged``, ``bad-training-setting``, ``treatment-kind-argument``, ``unknown-choice``.

    Examples
    --------
    >>> from suppose.datasets import make_experiment
    >>> trial = make_experiment(n=300, effect=2.0, seed=1)
    >>> model = TransTEE("d", epochs=30, members=3, learning_rate=0.01).fit(trial.X, trial.y)
    >>> bool(1.5 < model.effect_.estimate < 2.5)
    True
    """

    def __init__(
        self,
        treatment: Any = 0,
        *,
        treatment_kind: Any = "auto",
        dose: Any = None,
        graphs: Any = None,
        covariates: Any = None,
        cluster: Any = None,
        reference: Any = None,
        d_model: Any = 10,
        heads: Any = 2,
        layers: Any = 1,
        feed_forward: Any = 50,
        covariate_embedding: Any = "per_feature",
        projected_tokens: Any = None,
        dropout: Any = 0.0,
        outcome: Any = "auto",
        scale: Any = True,
        balance: Any = None,
        balance_weight: Any = 0.1,
        balance_at: Any = "embedding",
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
        self.treatment_kind = treatment_kind
        self.dose = dose
        self.graphs = graphs
        self.covariates = covariates
        self.cluster = cluster
        self.reference = reference
        self.d_model = d_model
        self.heads = heads
        self.layers = layers
        self.feed_forward = feed_forward
        self.covariate_embedding = covariate_embedding
        self.projected_tokens = projected_tokens
        self.dropout = dropout
        self.outcome = outcome
        self.scale = scale
        self.balance = balance
        self.balance_weight = balance_weight
        self.balance_at = balance_at
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
        for name in ("d_model", "heads", "layers", "feed_forward"):
            check_count(getattr(self, name), name)
        if self.projected_tokens is not None:
            check_count(self.projected_tokens, "projected_tokens")
        if self.d_model % self.heads:
            raise EstimationError(
                "bad-training-setting", f"expected a multiple of heads = {self.heads}, got {self.d_model}",
                where="d_model", remedy=f"Write d_model={self.heads * max(1, self.d_model // self.heads)}.",
            )  # fmt: skip
        if not is_number(self.dropout) or not 0 <= self.dropout < 1:
            raise EstimationError("bad-training-setting", f"expected a share below 1, got {self.dropout!r}",
                                  where="dropout", remedy="Write dropout=0.")  # fmt: skip
        check_choice(self.covariate_embedding, ("per_feature", "shared"), "covariate_embedding")
        check_choice(self.balance_at, ("embedding", "encoder"), "balance_at")
        if self.balance is not None:
            check_choice(self.balance, BALANCES, "balance")
        if self.balance is not None and self.graphs is not None:
            raise EstimationError("no-graph-balance", "balance is not offered for graph treatments",
                                  where="balance", remedy="Write balance=None.")  # fmt: skip

    def _network(self, inputs: int, bank: GraphBank | None) -> TransTEENetwork:
        return TransTEENetwork(
            inputs, self.kind_, arms=0 if self.arms_ is None else len(self.arms_), width=self.d_model,
            heads=self.heads, layers=self.layers, hidden=self.feed_forward,
            shared=self.covariate_embedding == "shared", projected=self.projected_tokens,
            dropout=float(self.dropout), balance_at=self.balance_at, bank=bank,
        )  # fmt: skip

    def _fresh(self, network: nn.Module, generator: torch.Generator) -> nn.Module:
        return initialise(network, generator, scheme="normal", std=0.1)

    def _adversary(self, table: Table) -> Any:
        if self.balance is None:
            return None
        arms = 0 if self.arms_ is None else len(self.arms_)

        def targets(t: Tensor, s: Tensor) -> Tensor:
            if self.kind_ in ("binary", "continuous"):
                return t.unsqueeze(-1)
            codes = torch.arange(arms, device=t.device, dtype=t.dtype)
            arm = (t.unsqueeze(-1) == codes).to(t.dtype)
            return torch.cat([arm, s.unsqueeze(-1)], dim=-1) if self.kind_ == "dose" else arm

        every = targets(table.t[:, 0], table.s[:, 0])

        def make(members: int) -> TargetedAdversary:
            return TargetedAdversary(
                Discriminators(
                    self.balance, self.d_model, every, members, weight=float(self.balance_weight),
                    seed=int(self.seed),
                ),
                targets,
            )  # fmt: skip

        return make

    def _method_words(self) -> str:
        balance = f" with {self.balance.upper()} balance" if self.balance else ""
        return f"TransTEE{balance}"

    def representation(self, X: Any) -> Float[np.ndarray, "members rows width"]:
        """Representation of each row by each member, before the treatment is known (what balance acts on)."""
        x = self._covariates_of(X)
        return self._side(x, float(self._default_value()), 0.0, self._built(dtype=torch.float64))

    def _default_value(self) -> float:
        to = self._default_contrast()[0]
        return float(to[0] if isinstance(to, tuple) else to)

    def explain(self, X: Any, treatment: Any = None, *, dose: float | None = None) -> AttentionMap:
        """Where the treatment looks: attention over covariates, averaged over the rows.

        Parameters
        ----------
        X : frame or (n, columns) array
            Rows to average over; only their covariates count.
        treatment : float, optional
            Treatment whose token looks; the default contrast's ``to`` when left out.
        dose : float, optional
            Dose of the arm; the median when left out.

        Returns
        -------
        AttentionMap
            Weights (members, heads, covariates) that sum to one over covariates.

        Raises
        ------
        EstimationError
            ``no-covariate-tokens`` when there is nothing to look at, or covariates were projected to tokens.
        DataError
            ``unseen-treatment``.
        """
        check_is_fitted(self, "effects_")
        if self.projected_tokens is not None or not self.covariate_names_:
            raise EstimationError(
                "no-covariate-tokens", "the network does not attend to single covariates here",
                where="explain", remedy="Give covariates, and fit with projected_tokens=None.",
            )  # fmt: skip
        x = self._covariates_of(X)
        default = self._default_contrast()[0]
        if self.kind_ == "dose":
            arm, middle = default
            treatment = arm if treatment is None else treatment
            dose = middle if dose is None else dose
        value = float(default if treatment is None else treatment)
        level = 0.0 if dose is None else float(dose)
        self._refuse_unseen(np.array([value]), np.array([level]) if self.kind_ == "dose" else None)
        network = _AttentionOnly(self._built(dtype=torch.float64))
        flat = self._side(x, value, level, network, prefix="network.")
        weights = flat.mean(axis=1).reshape(self.members, self.heads, len(self.covariate_names_))
        at = f"{self.treatment_name_} = {value:.4g}" + ("" if dose is None else f", {self.dose} = {dose:.4g}")
        return AttentionMap.of(weights, tuple(map(str, self.covariate_names_)), at)

    def _side(
        self, x: np.ndarray, value: float, dose: float, network: nn.Module, prefix: str = ""
    ) -> Float[np.ndarray, "members rows width"]:
        """Side output of each row under one treatment, by each member."""
        t, s = np.full((len(x), 1), value), np.full((len(x), 1), dose)
        table = self._table(x, t, s, dtype=torch.float64)
        side = evaluate(network, self._tensors(prefix), table.x, table.t, table.s)[1]
        return np.asarray(side.cpu().numpy())
