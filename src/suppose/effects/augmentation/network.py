"""IV-like regression with a neural network: nonlinear effects, pictures as inputs.

The objective on a batch is ``mean[(Pi + alpha I) l]`` with ``l`` the loss of each row on augmented inputs and
``Pi`` the projection on the augmentation parameters of the batch; that is ``moment="loss"``, the form of the
code of Akbar et al. 2025 (arXiv 2510.25128, section 5). The textbook moment ``(r' Pi r + alpha sum l) / n`` on
residuals ``r = y - h(gX)`` is ``moment="residual"``: it is what the risks of
:mod:`suppose.effects.augmentation.risks` say for a nonlinear ``h``, and for a linear one the two differ, since
projecting losses is not projecting residuals. Both are offered and reported; residuals are the default.

Deviations: for residuals the parameters are centred within the batch, so that ``Pi`` does not contain the
mean; for losses they are not, as in the paper's code: what is left of the moment there is their chance mean
within the batch. All objectives use one loss; rows may be augmented anew in every epoch (``redraw``). Not
done: minimax forms of the moment conditions, and CC, which has no meaning for weights of a network.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from suppose.core.errors import EstimationError
from suppose.core.progress import progress
from suppose.core.random import check_seed, generator, integer_seed
from suppose.effects.augmentation.regressor import read_inputs
from suppose.effects.augmentation.selection import alpha_candidates, held_out_levels, held_out_rows
from suppose.effects.augmentation.transformations import draw
from suppose.effects.base import check_choice, is_number

__all__ = ["LOSSES", "MOMENTS", "OBJECTIVES", "IVLNetwork", "batch_objective"]

OBJECTIVES = ("ivl", "da-erm", "erm", "iv")
MOMENTS = ("residual", "loss")
LOSSES = ("squared", "log")
Fitted = TypeVar("Fitted", bound="IVLNetwork")


def batch_objective(
    prediction: Any, outcome: Any, parameters: Any, *, objective: str = "ivl", alpha: float = 0.1,
    moment: str = "residual", loss: str = "squared",
) -> Any:  # fmt: skip
    """The objective of one batch, a differentiable torch scalar.

    Parameters
    ----------
    prediction, outcome : (b,) tensors
        Of augmented rows; probabilities for the log loss.
    parameters : (b, k) tensor
        Of the augmentation.
    objective : {"ivl", "da-erm", "erm", "iv"}
        The latter three are IVL's two parts: the plain loss, or the projected moment alone.
    alpha : float
        Weight of the plain loss.
    moment : {"residual", "loss"}
        What is projected.
    loss : {"squared", "log"}
        Loss of a row.

    Examples
    --------
    >>> import torch
    >>> y, h = torch.tensor([1.0, -1.0, 0.0]), torch.zeros(3)
    >>> g = torch.tensor([[1.0], [-1.0], [0.0]])
    >>> round(float(batch_objective(h, y, g, objective="iv")), 4)  # G explains all of the residual
    0.6667
    """
    import torch

    residual = outcome - prediction
    if loss == "log":
        safe = prediction.clamp(1e-7, 1 - 1e-7)
        losses = -(outcome * torch.log(safe) + (1 - outcome) * torch.log(1 - safe))
    else:
        losses = residual**2
    if objective in ("erm", "da-erm"):
        return losses.mean()
    centred = parameters - parameters.mean(dim=0)
    gram = centred.T @ centred
    ridge = (
        1e-6
        * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
        * gram.diagonal().mean().clamp_min(1e-6)
    )
    if moment == "residual":
        part = residual @ centred @ torch.linalg.solve(gram + ridge, centred.T @ residual) / len(residual)
    else:
        raw = parameters.T @ parameters + ridge
        part = (parameters @ torch.linalg.solve(raw, parameters.T @ losses)).mean()
    return part if objective == "iv" else part + alpha * losses.mean()


class IVLNetwork(RegressorMixin, BaseEstimator):
    """Nonlinear effect of confounded inputs, by a network trained on augmented rows.

    Parameters
    ----------
    augment : callable, optional
        ``augment(X, rng) -> (GX, G)``; needed unless ``objective="erm"``.
    objective : {"ivl", "da-erm", "erm", "iv"}
        What is minimised.
    alpha : float or {"cv", "lcv"}
        Weight of the DA+ERM risk, or the rule that chooses it on a fifth of the rows.
    moment : {"residual", "loss"}
        What is projected on the parameters; see the module.
    loss : {"squared", "log"}
        Of a row. Log loss needs ``output="probability"``.
    output : {"number", "probability"}
        ``number`` scales the outcome for training; ``probability`` ends in a sigmoid, for outcomes 0 and 1.
    module : torch.nn.Module, optional
        Takes (b, d) rows, or rows of ``shape``, and returns (b, 1) or (b,); copied and trained from its own
        weights. By default a perceptron.
    hidden : sequence of int
        Widths of the default perceptron.
    shape : sequence of int, optional
        Shape a row is given before ``module``.
    standardise : bool
        Scale each input column first.
    learning_rate, batch, epochs
        Of Adam; the defaults are the paper's.
    redraw : bool
        Draw the augmentation anew in every epoch.
    candidates, low, high
        Candidates of alpha, drawn uniformly on the log scale.
    seed : int
        Of weights, batches, augmentation and candidates.

    Attributes
    ----------
    module_ : torch.nn.Module
    alpha_ : float
    losses_ : (epochs,) array
        Mean objective of each epoch.
    scores_ : dict
        Held-out squared error of each candidate of alpha, where one was chosen.

    Examples
    --------
    >>> from suppose.effects.augmentation import NullTranslation
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(256, 2))
    >>> net = IVLNetwork(NullTranslation([[1.0, 1.0]]), hidden=(8,), epochs=2).fit(X, X[:, 0] - X[:, 1])
    >>> net.predict(X).shape
    (256,)
    """

    def __init__(
        self,
        augment: Any = None,
        *,
        objective: Any = "ivl",
        alpha: Any = 0.1,
        moment: Any = "residual",
        loss: Any = "squared",
        output: Any = "number",
        module: Any = None,
        hidden: Any = (256, 256),
        shape: Any = None,
        standardise: Any = True,
        learning_rate: Any = 0.01,
        batch: Any = 256,
        epochs: Any = 16,
        redraw: Any = False,
        candidates: Any = 10,
        low: Any = 1e-3,
        high: Any = 1.0,
        seed: Any = 0,
    ) -> None:
        self.augment = augment
        self.objective = objective
        self.alpha = alpha
        self.moment = moment
        self.loss = loss
        self.output = output
        self.module = module
        self.hidden = hidden
        self.shape = shape
        self.standardise = standardise
        self.learning_rate = learning_rate
        self.batch = batch
        self.epochs = epochs
        self.redraw = redraw
        self.candidates = candidates
        self.low = low
        self.high = high
        self.seed = seed

    def fit(self: Fitted, X: Any, y: Any) -> Fitted:
        """Train on inputs (n, d) and outcome (n,).

        Raises
        ------
        DataError, EstimationError
            As :class:`~suppose.effects.augmentation.regressor.IVLRegressor`.
        """
        self._check_settings()
        inputs, outcome = read_inputs(self, X, y)
        self._note_scales(inputs, outcome)
        self.scores_: dict[float, float] = {}
        self.alpha_ = float("inf") if self.objective != "ivl" else 0.0
        if self.objective == "ivl":
            self.alpha_ = self._chosen_alpha(inputs, outcome)
        self.module_, self.losses_ = self._trained(inputs, outcome, self.alpha_, "fit")
        return self

    def _check_settings(self) -> None:
        check_seed(self.seed)
        check_choice(self.objective, OBJECTIVES, "objective")
        check_choice(self.moment, MOMENTS, "moment")
        check_choice(self.loss, LOSSES, "loss")
        check_choice(self.output, ("number", "probability"), "output")
        if self.loss == "log" and self.output == "number":
            raise EstimationError(
                "unknown-choice", "the log loss is for probabilities", where="loss",
                remedy="Write output='probability', or loss='squared'.",
            )  # fmt: skip
        if isinstance(self.alpha, str):
            check_choice(self.alpha, ("cv", "lcv"), "alpha")
        elif not is_number(self.alpha) or not float(self.alpha) > 0:
            raise EstimationError(
                "bad-alpha", f"expected a positive weight, 'cv' or 'lcv', got {self.alpha!r}", where="alpha",
                remedy="Write for example alpha=0.1.",
            )  # fmt: skip

    def _note_scales(self, inputs: np.ndarray, outcome: np.ndarray) -> None:
        width = inputs.shape[1]
        self.input_means_ = inputs.mean(axis=0) if self.standardise else np.zeros(width)
        spread = inputs.std(axis=0) if self.standardise else np.ones(width)
        self.input_scales_ = np.where(spread > 0, spread, 1.0)
        number = self.output == "number"
        self.outcome_mean_ = float(outcome.mean()) if number else 0.0
        self.outcome_scale_ = float(outcome.std()) or 1.0 if number else 1.0

    def _chosen_alpha(self, X: np.ndarray, y: np.ndarray) -> float:
        if not isinstance(self.alpha, str):
            return float(self.alpha)
        rng = generator(self.seed, "held-out", self.alpha)
        if self.alpha == "cv":
            held = held_out_rows(len(y), rng)
        else:
            held = held_out_levels(draw(self.augment, X, generator(self.seed, "augmentation", 0))[1], rng)
        alphas = alpha_candidates(
            int(self.candidates), float(self.low), float(self.high), generator(self.seed, "alphas")
        )
        with progress("choosing alpha", len(alphas)) as bar:
            for alpha in alphas:
                module, _ = self._trained(X[~held], y[~held], float(alpha), "select")
                error = float(np.mean((y[held] - self._evaluated(module, X[held])) ** 2))
                self.scores_[float(alpha)] = error
                bar.advance()
        return min(self.scores_, key=lambda alpha: (self.scores_[alpha], -alpha))

    def _trained(self, X: np.ndarray, y: np.ndarray, alpha: float, stream: str) -> tuple[Any, np.ndarray]:
        """A trained module and the mean objective of each epoch."""
        import torch

        target = torch.as_tensor((y - self.outcome_mean_) / self.outcome_scale_, dtype=torch.float32)
        losses = []
        with (
            _seeded(integer_seed(self.seed, "weights", stream)),
            progress("training", int(self.epochs)) as bar,
        ):
            module = (
                copy.deepcopy(self.module)
                if self.module is not None
                else _perceptron(X.shape[1], self.hidden)
            )
            module.train()
            optimizer = torch.optim.Adam(module.parameters(), lr=float(self.learning_rate))
            changed, parameters = self._material(X, stream, 0)
            for epoch in range(int(self.epochs)):
                if epoch and self.redraw and self.objective != "erm":
                    changed, parameters = self._material(X, stream, epoch)
                order = generator(self.seed, "batches", stream, epoch).permutation(len(y))
                total = 0.0
                for rows in _batches(order, int(self.batch)):
                    optimizer.zero_grad()
                    value = batch_objective(
                        self._output(module, changed[rows]), target[rows], parameters[rows],
                        objective=self.objective, alpha=alpha, moment=self.moment, loss=self.loss,
                    )  # fmt: skip
                    value.backward()
                    optimizer.step()
                    total += float(value.detach()) * len(rows)
                losses.append(total / len(y))
                bar.advance()
            module.eval()
        return module, np.asarray(losses)

    def _material(self, X: np.ndarray, stream: str, epoch: int) -> tuple[Any, Any]:
        import torch

        if self.objective == "erm":
            changed, parameters = X, np.zeros((len(X), 1))
        else:
            changed, parameters = draw(self.augment, X, generator(self.seed, "augmentation", stream, epoch))
        scaled = (changed - self.input_means_) / self.input_scales_
        return torch.as_tensor(scaled, dtype=torch.float32), torch.as_tensor(parameters, dtype=torch.float32)

    def _output(self, module: Any, rows: Any) -> Any:
        import torch

        shaped = rows if self.shape is None else rows.reshape(len(rows), *self.shape)
        value = module(shaped).reshape(len(rows))
        return torch.sigmoid(value) if self.output == "probability" else value

    def _evaluated(self, module: Any, X: np.ndarray) -> np.ndarray:
        import torch

        scaled = torch.as_tensor((X - self.input_means_) / self.input_scales_, dtype=torch.float64)
        exact = copy.deepcopy(module).double()  # so that a row's prediction hardly depends on its batch
        with torch.no_grad(), _seeded(0):
            parts = [self._output(exact, part).numpy() for part in torch.split(scaled, 8192)]
        return np.asarray(np.concatenate(parts), dtype=float) * self.outcome_scale_ + self.outcome_mean_

    def predict(self, X: Any) -> Float[np.ndarray, " n"]:
        """Outcome (or its probability) to expect if the inputs were set to these values."""
        check_is_fitted(self, "module_")
        return self._evaluated(self.module_, read_inputs(self, X)[0])

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "module_")


def _perceptron(width: int, hidden: Sequence[int]) -> Any:
    from torch import nn

    layers: list[Any] = []
    for size in hidden:
        layers += [nn.Linear(width, int(size)), nn.ReLU()]
        width = int(size)
    return nn.Sequential(*layers, nn.Linear(width, 1))


def _batches(order: np.ndarray, size: int) -> list[np.ndarray]:
    """Nearly equal parts of at most ``size`` rows, so that no batch has fewer rows than parameters by chance."""
    return np.array_split(order, max(1, -(-len(order) // size)))


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """PyTorch on one thread under a seed of its own; the caller's state comes back afterwards."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)
