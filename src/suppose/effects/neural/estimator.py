"""What every neural estimator of treatment effects shares: reading, scaling, training, asking.

A subclass says which network it trains; everything else happens here, once: which kind of treatment there
is, the members of the ensemble and their intervals, predictions under other treatments, refusals of
treatments outside what was seen, saving and loading.

Intervals come from the members: each is trained on its own bootstrap draw (``interval="bootstrap"``, which
carries sampling error) or on all rows from another start (``"ensemble"``, which carries that of training
alone). The estimate is their mean, its standard error their standard deviation, and the interval
Student's with ``members - 1`` degrees of freedom. A network is biased where data are thin, and no interval
of its members shows that.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor, nn

from suppose.core.errors import DataError, EstimationError
from suppose.core.random import generator
from suppose.effects.base import Sample, check_choice, is_number
from suppose.effects.designs import Design, as_table, read_material, treatment_kind
from suppose.effects.neural.answering import NeuralAnswers
from suppose.effects.neural.response import spread
from suppose.effects.neural.training import (
    Adversary,
    Table,
    TrainingPlan,
    draw_rows,
    train,
)

__all__ = ["KINDS", "NeuralEstimator"]

KINDS = ("auto", "binary", "multi-valued", "continuous", "dose", "graph")


class NeuralEstimator(NeuralAnswers):
    """Base of the neural estimators; see the module, and :class:`TransTEE` for parameters and attributes."""

    treatment_kind: Any = "auto"
    reference: Any = None
    outcome: Any = "auto"
    scale: Any = True
    balance: Any = None
    balance_weight: Any = 0.1
    epochs: Any = 200
    batch_size: Any = 128
    optimizer: Any = "adam"
    learning_rate: Any = 1e-3
    weight_decay: Any = 0.0
    patience: Any = None
    validation: Any = 0.2
    interval: Any = "bootstrap"
    restarts: Any = 1

    kinds: ClassVar[tuple[str, ...]] = KINDS

    # -- what a subclass says ------------------------------------------------------------------

    @abstractmethod
    def _fresh(self, network: nn.Module, generator: torch.Generator) -> nn.Module:
        """The network with weights drawn from a generator."""

    def _adversary(self, table: Table) -> Any:
        """Maker of an adversary for so many members, or None."""
        return

    def _side_loss(self) -> Any:
        """Loss of the side output, one number per row, or None."""
        return

    def _method_words(self) -> str:
        return type(self).__name__

    # -- settings ------------------------------------------------------------------------------

    def _check_settings(self) -> None:
        super()._check_settings()
        check_choice(self.treatment_kind, self.kinds, "treatment_kind")
        check_choice(self.optimizer, ("adam", "nesterov"), "optimizer")
        check_choice(self.interval, ("bootstrap", "ensemble"), "interval")
        check_choice(self.outcome, ("auto", "number", "binary"), "outcome")
        for name in ("epochs", "batch_size", "members", "restarts"):
            check_count(getattr(self, name), name)
        if self.patience is not None:
            check_count(self.patience, "patience")
        for name in ("learning_rate", "weight_decay", "balance_weight"):
            value = getattr(self, name)
            if not is_number(value) or value < 0 or not np.isfinite(value):
                raise EstimationError("bad-training-setting", f"expected a number that is not negative, got {value!r}",
                                      where=name, remedy=f"Write for example {name}=0.001.")  # fmt: skip
        if not is_number(self.validation) or not 0 <= self.validation < 0.9:
            raise EstimationError("bad-training-setting", f"expected a share from 0 to 0.9, got {self.validation!r}",
                                  where="validation", remedy="Write validation=0.2.")  # fmt: skip
        if (self.treatment_kind == "dose") != (self.dose is not None) or (self.treatment_kind == "graph") != (
            self.graphs is not None
        ):
            if self.treatment_kind == "auto":
                return
            needs = {"dose": "dose", "graph": "graphs"}.get(self.treatment_kind)
            got = "no such argument" if needs else "a dose or graphs as well"
            raise EstimationError(
                "treatment-kind-argument", f"treatment_kind={self.treatment_kind!r} "
                f"{'needs ' + needs + '=...' if needs else 'takes neither dose nor graphs'}, got {got}",
                where=needs or "treatment_kind",
                remedy="Name the column of the dose (dose=...), or hand over the graphs the treatment numbers.",
            )  # fmt: skip

    # -- reading -------------------------------------------------------------------------------

    def _read(self, X: Any, y: Any) -> Sample:
        self.dose_ = None
        if self.dose is None:
            return super()._read(X, y)
        X = as_table(X)
        self.dose_ = read_material(X, Design(self.dose, covariates=())).treatment
        rest = self._without_dose(X)
        sample = super()._read(rest, y)
        validate_data(self, X, reset=True, skip_check_array=True)
        return sample

    def _without_dose(self, X: Any) -> Any:
        """The table without the dose column, other columns under the names or numbers they had."""
        import narwhals as nw
        import pandas as pd

        if isinstance(X, np.ndarray):
            position = int(self.dose) % X.shape[1]
            frame = pd.DataFrame(X, columns=list(range(X.shape[1])))
            return frame.drop(columns=position)
        frame = nw.from_native(X, eager_only=True)
        return frame.drop(self.dose).to_native()

    def _estimate(self, sample: Sample) -> None:
        self._note_treatment(sample)
        material = sample.material
        self._note_scaling(material.covariates, sample.y)
        dose = None if self.dose_ is None else self.dose_[:, None]
        table = self._table(material.covariates, self.treatment_[:, None], dose, sample.y)
        network = self._built()
        rng = generator(self.seed, "members")
        rows, held = draw_rows(
            sample.n, self.members, self.interval, share=self.validation, clusters=material.clusters, rng=rng
        )
        plan = TrainingPlan(
            epochs=self.epochs, batch_size=self.batch_size, optimizer=self.optimizer,
            learning_rate=float(self.learning_rate), weight_decay=float(self.weight_decay),
            patience=self.patience, restarts=self.restarts, seed=int(self.seed),
            label=f"training {self.members} networks",
        )  # fmt: skip
        trained = train(
            network, lambda g: self._fresh(network, g), table, rows, held, plan, self._loss,
            adversary=self._adversary(table), side_loss=self._side_loss(),
        )  # fmt: skip
        self.weights_ = {name: value.numpy() for name, value in trained.weights.items()}
        self.parameter_count_ = sum(p.numel() for p in network.parameters())
        self.history_ = {
            "epoch": trained.checked, "train_loss": trained.train_loss, "held_out_loss": trained.held_out_loss,
        }  # fmt: skip
        self.best_epoch_ = trained.best_epoch
        self.member_rows_ = rows if self.interval == "bootstrap" else None
        self._record_effects(material.covariates)

    def _note_treatment(self, sample: Sample) -> None:
        """Kind of the treatment, its arms or range, refusing what does not fit."""
        t = self.treatment_
        kind = self.treatment_kind
        if kind == "auto":
            kind = (
                "dose" if self.dose is not None else "graph" if self.graphs is not None else treatment_kind(t)
            )
        else:
            treatment_kind(t)  # refuses a constant treatment
        self.kind_ = kind
        self.range_, self.arms_, self.graph_count_ = None, None, None
        if kind == "graph":
            self._check_graph_numbers(t, "treatment")
            self.graph_count_ = len(self.graphs)
            self.arms_ = np.unique(t)
        elif kind != "continuous":
            self.arms_ = np.unique(t)
            if kind == "binary" and len(self.arms_) != 2:
                raise DataError("not-binary", f"expected two values, got {len(self.arms_)}", where="treatment",
                                remedy='Leave treatment_kind at "auto".')  # fmt: skip
        varying = t if kind == "continuous" else self.dose_
        if kind == "dose" and np.all(self.dose_ == self.dose_[0]):
            raise DataError("constant-treatment", f"expected rows with different doses, all have {self.dose_[0]:g}",
                            where="dose", remedy="Leave the dose out, and name the treatment alone.")  # fmt: skip
        if kind in ("continuous", "dose"):
            self.range_ = (float(varying.min()), float(varying.max()))
        if self.arms_ is not None:
            self.reference_ = self._reference()

    def _reference(self) -> float:
        if self.reference is None:
            if self.kind_ != "graph":
                return float(self.arms_[0])
            values, counts = np.unique(self.treatment_, return_counts=True)
            return float(values[counts.argmax()])
        if self.reference not in self.arms_:
            raise DataError(
                "unknown-reference", f"expected one of {', '.join(f'{arm:g}' for arm in self.arms_[:12])}, "
                f"got {self.reference!r}", where="reference",
                remedy="Name the value of the treatment to compare the others with.",
            )  # fmt: skip
        return float(self.reference)

    def _note_scaling(self, x: np.ndarray, y: np.ndarray) -> None:
        binary = bool(np.all((y == 0) | (y == 1)))
        if self.outcome == "binary" and not binary:
            bad = y[(y != 0) & (y != 1)][0]
            raise DataError("not-binary", f"expected an outcome of 0 and 1, got {bad:g}", where="y",
                            remedy='Leave outcome at "auto".')  # fmt: skip
        self.binary_outcome_ = self.outcome == "binary" or (self.outcome == "auto" and binary)
        p = x.shape[1]
        self.x_shift_, self.x_scale_ = np.zeros(p), np.ones(p)
        self.y_shift_, self.y_scale_ = 0.0, 1.0
        self.t_shift_, self.t_scale_ = 0.0, 1.0
        if not self.scale:
            return
        spread_x = x.std(axis=0)
        self.x_shift_, self.x_scale_ = x.mean(axis=0), np.where(spread_x > 0, spread_x, 1.0)
        if not self.binary_outcome_:
            self.y_shift_, self.y_scale_ = float(y.mean()), float(y.std()) or 1.0
        if self.range_ is not None:
            low, high = self.range_
            self.t_shift_, self.t_scale_ = low, high - low

    def _loss(self, prediction: Tensor, outcome: Tensor) -> Tensor:
        if self.binary_outcome_:
            return nn.functional.binary_cross_entropy_with_logits(prediction, outcome, reduction="none")
        return (prediction - outcome).square()

    # -- the effects reported ------------------------------------------------------------------

    def _record_effects(self, x: np.ndarray) -> None:
        """Average effects from the members, each over the rows it was trained on where those are a draw."""
        contrasts, by_member, estimand = self._contrasts(x)
        if self.member_rows_ is not None:
            averages = np.stack(
                [d[np.arange(self.members)[:, None], self.member_rows_].mean(axis=1) for d in by_member],
                axis=1,
            )
        else:
            averages = np.stack([d.mean(axis=1) for d in by_member], axis=1)
        self.theta_by_member_ = averages  # (members, contrasts)
        estimate, error = spread(averages)
        free: list[float | None] = [float(max(self.members - 1, 1))] * len(contrasts)
        words = f"{self._method_words()}; {self.members} networks, {self.interval}"
        self._record(estimate, error, contrasts, estimand, words, free)

    def _contrasts(self, x: np.ndarray) -> tuple[list[str], list[np.ndarray], str]:
        """Names of the contrasts, effects (members, n) of each, and what is averaged."""
        if self.kind_ == "continuous":
            low, high = self.range_
            step = 1e-3 * (high - low)
            ends = np.c_[np.minimum(self.treatment_ + step, high), np.maximum(self.treatment_ - step, low)]
            outcomes = self._members(x, ends)
            slope = (outcomes[:, :, 0] - outcomes[:, :, 1]) / (ends[:, 0] - ends[:, 1])
            return ["per unit"], [slope], "average slope"
        others = [float(arm) for arm in self.arms_ if arm != self.reference_]
        asked = np.broadcast_to(np.array([self.reference_, *others]), (len(x), len(others) + 1))
        middle = None if self.dose_ is None else float(np.median(self.dose_))
        outcomes = self._members(x, asked, None if middle is None else np.full(asked.shape, middle))
        effects = [outcomes[:, :, place] - outcomes[:, :, 0] for place in range(1, len(others) + 1)]
        at = "" if middle is None else f" at {self.dose} = {middle:.3g}"
        return [f"{arm:g} vs {self.reference_:g}{at}" for arm in others], effects, "ATE"

    def _predict(self, treatment: np.ndarray, covariates: np.ndarray) -> np.ndarray:
        return np.asarray(self._members(covariates, treatment[:, None])[:, :, 0].mean(axis=0))

    # -- saving --------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write the fitted estimator: ``path`` (safetensors) and beside it ``.json``; see :mod:`.storage`."""
        from suppose.effects.neural.storage import save_estimator

        check_is_fitted(self, "effects_")
        save_estimator(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Any:
        """The estimator that :meth:`save` wrote."""
        from suppose.effects.neural.storage import load_estimator

        return load_estimator(cls, Path(path))


def check_count(value: Any, name: str) -> None:
    """Refuse anything but a whole number from 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise EstimationError("bad-training-setting", f"expected a whole number from 1, got {value!r}",
                              where=name, remedy=f"Write for example {name}=10.")  # fmt: skip


class TargetedAdversary(Adversary):
    """An adversary that turns treatment and dose into targets for the discriminators."""

    def __init__(self, discriminators: Any, targets: Any) -> None:
        self.discriminators, self.targets = discriminators, targets

    def step(self, side: Tensor, t: Tensor, s: Tensor) -> None:
        """Improve the discriminators."""
        self.discriminators.step(side, self.targets(t, s))

    def penalty(self, side: Tensor, t: Tensor, s: Tensor) -> Tensor:
        """What their mistakes are worth to each member."""
        out: Tensor = self.discriminators.penalty(side, self.targets(t, s))
        return out
