"""Asking a fitted neural estimator: outcomes under other treatments, effects of rows, dose-responses.

:class:`NeuralAnswers` is the half of a neural estimator that only reads what was fitted. It refuses
treatments outside what was learned from, unless extrapolation is allowed, and evaluates all members in
double precision, in pieces that keep memory small.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor, nn

from suppose.core.errors import DataError
from suppose.effects.base import EffectEstimator, is_number
from suppose.effects.designs import Design, as_table, read_material
from suppose.effects.neural.graph_bank import GraphBank
from suppose.effects.neural.response import ConditionalEffects, DoseResponse
from suppose.effects.neural.training import Table, evaluate

__all__ = ["NeuralAnswers"]

CHUNK = 2_000_000  # most numbers of one evaluation, members x rows x tokens


class NeuralAnswers(EffectEstimator, ABC):
    """What a fitted neural estimator can be asked; its parameters and attributes are the subclass's."""

    dose: Any = None
    graphs: Any = None
    members: Any = 10
    allow_extrapolation: Any = False
    device: Any = "cpu"

    kind_: str
    arms_: Any
    range_: Any
    dose_: Any
    reference_: float
    binary_outcome_: bool
    weights_: dict[str, np.ndarray]
    x_shift_: np.ndarray
    x_scale_: np.ndarray
    y_shift_: float
    y_scale_: float
    t_shift_: float
    t_scale_: float

    @abstractmethod
    def _network(self, inputs: int, bank: GraphBank | None) -> nn.Module:
        """The network for so many covariates, its weights to be drawn anew."""

    def _table(
        self,
        x: np.ndarray,
        t: Float[np.ndarray, "rows asked"],
        dose: Float[np.ndarray, "rows asked"] | None,
        y: np.ndarray | None = None,
        dtype: Any = torch.float32,
    ) -> Table:
        """Arrays in the units of the user as the network sees them."""
        codes, s = t, np.zeros_like(t)
        if self.kind_ == "continuous":
            codes = (t - self.t_shift_) / self.t_scale_
        elif self.kind_ != "graph":
            codes = np.searchsorted(self.arms_, t).astype(np.float64)
        if self.kind_ == "dose":
            assert dose is not None
            s = (dose - self.t_shift_) / self.t_scale_
        scaled = (x - self.x_shift_) / self.x_scale_ if x.shape[1] else np.zeros((len(x), 1))
        outcome = np.zeros(len(t)) if y is None else (y - self.y_shift_) / self.y_scale_
        parts = (
            torch.tensor(part, dtype=dtype, device=self._device()) for part in (scaled, codes, s, outcome)
        )
        return Table(*parts)

    def _device(self) -> str:
        if self.device == "auto":
            return "cuda" if torch.cuda.is_available() else "cpu"
        return str(self.device)

    def _built(self, extra: tuple[Any, ...] = (), dtype: Any = torch.float32) -> nn.Module:
        bank = None
        if self.kind_ == "graph":
            bank = GraphBank.of([*self.graphs, *extra], dtype=dtype, device=self._device())
        with torch.random.fork_rng(devices=[]):
            network = self._network(max(len(self.covariate_names_), 1), bank)
        return network.to(device=self._device(), dtype=dtype)

    def _check_graph_numbers(self, t: np.ndarray, where: str) -> None:
        bad = np.flatnonzero((t != np.round(t)) | (t < 0) | (t >= len(self.graphs)))
        if len(bad):
            raise DataError(
                "unknown-graph", f"expected numbers from 0 to {len(self.graphs) - 1} into graphs, got "
                f"{t[bad[0]]:g} in row {bad[0]}", where=where, remedy="Number the graphs in their order.",
            )  # fmt: skip

    # -- asking --------------------------------------------------------------------------------

    def _members(
        self,
        x: Float[np.ndarray, "rows covariates"],
        t: Float[np.ndarray, "rows asked"],
        dose: Float[np.ndarray, "rows asked"] | None = None,
        extra: tuple[Any, ...] = (),
    ) -> Float[np.ndarray, "members rows asked"]:
        """Outcome of each row under each treatment asked about, by each member, in its unit."""
        network = self._built(extra, torch.float64)
        weights = self._tensors()
        size = len(next(iter(weights.values()))) * (10 * max(x.shape[1], 1) + t.shape[1] * (x.shape[1] + 60))
        rows = max(1, CHUNK // size)
        parts = []
        for start in range(0, len(x), rows):
            part = slice(start, start + rows)
            table = self._table(x[part], t[part], None if dose is None else dose[part], dtype=torch.float64)
            parts.append(evaluate(network, weights, table.x, table.t, table.s)[0])
        values = torch.cat(parts, dim=1)
        if self.binary_outcome_:
            values = torch.sigmoid(values)
        return np.asarray(values.cpu().numpy() * self.y_scale_ + self.y_shift_)

    def _tensors(self, prefix: str = "") -> dict[str, Tensor]:
        """Weights of the members in double precision."""
        return {
            prefix + name: torch.tensor(value, dtype=torch.float64, device=self._device())
            for name, value in self.weights_.items()
        }

    def _predict_members(self, X: Any) -> Float[np.ndarray, "members rows"]:
        check_is_fitted(self, "effects_")
        X = as_table(X)
        validate_data(self, X, reset=False, skip_check_array=True)
        material = read_material(X, Design(self._treatment_column(), covariates=self.covariate_names_))
        dose = read_material(X, Design(self.dose, covariates=())).treatment if self.kind_ == "dose" else None
        self._refuse_unseen(material.treatment, dose)
        column = None if dose is None else dose[:, None]
        return self._members(material.covariates, material.treatment[:, None], column)[:, :, 0]

    def _treatment_column(self) -> Any:
        return self.treatment_name_

    def predict(self, X: Any) -> Float[np.ndarray, " n"]:
        """Outcome predicted for each row under its own treatment, the mean over members.

        Parameters
        ----------
        X : frame or (n, columns) array
            Columns as in :meth:`fit`.

        Returns
        -------
        (n,) array
            In the unit of the outcome (a probability where the outcome is 0 and 1).

        Raises
        ------
        DataError
            ``unseen-treatment`` for a treatment outside what was learned from.
        """
        return np.asarray(self._predict_members(X).mean(axis=0))

    def _covariates_of(self, X: Any) -> np.ndarray:
        """Covariates of new rows; a treatment column may be missing from frames."""
        check_is_fitted(self, "effects_")
        X = as_table(X)
        if not self.covariate_names_:
            return np.zeros((len(X), 0))
        first, *rest = self.covariate_names_
        material = read_material(X, Design(first, covariates=rest))
        return np.column_stack([material.treatment, material.covariates])

    def _refuse_unseen(self, t: np.ndarray, dose: np.ndarray | None, where: str = "treatment") -> None:
        """Refuse treatments outside the range or the arms learned from, naming the first."""
        if self.kind_ == "graph":
            return self._check_graph_numbers(t, where)
        if self.arms_ is not None:
            unknown = t[~np.isin(t, self.arms_)]
            if len(unknown):
                raise DataError(
                    "unseen-treatment", f"expected one of the arms {', '.join(f'{arm:g}' for arm in self.arms_)}, "
                    f"got {unknown[0]:g}", where=where, remedy="Ask for an arm the data hold.",
                )  # fmt: skip
        values = t if self.kind_ == "continuous" else dose
        if self.range_ is None or values is None or self.allow_extrapolation:
            return None
        low, high = self.range_
        slack = 1e-9 * (high - low)
        outside = values[~((values >= low - slack) & (values <= high + slack))]
        if len(outside):
            raise DataError(
                "unseen-treatment", f"expected values in the range learned from, {low:.4g} to {high:.4g}, got "
                f"{outside[0]:.6g}", where=where if self.kind_ == "continuous" else "dose",
                remedy="Stay inside it, or set allow_extrapolation=True and trust the answer less.",
            )  # fmt: skip
        return None

    def _under(
        self, x: np.ndarray, options: list[Any], where: tuple[str, ...]
    ) -> Float[np.ndarray, "members rows options"]:
        """Outcomes of all rows under treatments: numbers, (arm, dose) pairs, or graphs."""
        extra: list[Any] = []
        values, doses = np.empty(len(options)), np.zeros(len(options))
        for place, option in enumerate(options):
            name = where[min(place, len(where) - 1)]
            value = option
            if self.kind_ == "dose":
                value, doses[place] = _pair(option, name)
            elif self.kind_ == "graph" and hasattr(option, "nodes"):
                value = len(self.graphs) + len(extra)
                extra.append(option)
            if not is_number(value) or not np.isfinite(float(value)):
                raise DataError("bad-treatment", f"expected a number, got {value!r}", where=name,
                                remedy="Give the treatment as it stands in the table.")  # fmt: skip
            values[place] = float(value)
            if value is option or self.kind_ == "dose":
                self._refuse_unseen(values[[place]], doses[[place]] if self.kind_ == "dose" else None, name)
        shape = (len(x), len(options))
        dose = np.broadcast_to(doses, shape) if self.kind_ == "dose" else None
        return self._members(x, np.broadcast_to(values, shape), dose, tuple(extra))

    def effect(self, X: Any, to: Any = None, from_: Any = None) -> ConditionalEffects:
        """Effect on each row of one treatment against another: ``mu(to, x) - mu(from_, x)``.

        Parameters
        ----------
        X : frame or (n, columns) array
            Rows to ask about; only their covariates count.
        to, from_ : optional
            Treatments: numbers, ``(arm, dose)`` pairs, or graphs (their number, or a new networkx graph).
            Left out: the second arm against the reference, or the upper against the lower quartile of a
            continuous treatment.

        Returns
        -------
        ConditionalEffects
            Estimate and interval for each row and for their mean, in the unit of the outcome.

        Raises
        ------
        DataError
            ``unseen-treatment``, ``bad-treatment``, ``unknown-graph``, ``graph-without-nodes``.
        """
        x = self._covariates_of(X)
        default_to, default_from = self._default_contrast()
        to, from_ = (default_to if to is None else to), (default_from if from_ is None else from_)
        outcomes = self._under(x, [to, from_], ("to", "from_"))
        return ConditionalEffects.of(outcomes[:, :, 0] - outcomes[:, :, 1], to, from_, float(self.level))

    def _default_contrast(self) -> tuple[Any, Any]:
        if self.kind_ == "continuous":
            low, high = np.quantile(self.treatment_, [0.25, 0.75])
            return float(high), float(low)
        others = [float(arm) for arm in self.arms_ if arm != self.reference_]
        if self.kind_ == "dose":
            middle = float(np.median(self.dose_))
            return (others[0], middle), (self.reference_, middle)
        return others[0], self.reference_

    def curves(self, X: Any, grid: Any = None, *, arm: float | None = None) -> Float[np.ndarray, "n grid"]:
        """Outcome of each row under each dose of a grid, the mean over members; as :meth:`dose_response`."""
        values, outcomes = self._along(X, grid, arm)
        return np.asarray(outcomes.mean(axis=0)).reshape(-1, len(values))

    def _along(self, X: Any, grid: Any, arm: float | None) -> tuple[np.ndarray, np.ndarray]:
        """The doses, and the outcomes (members, n, grid) under them."""
        x = self._covariates_of(X)
        values = self._grid(grid)
        chosen = self.reference_ if self.kind_ == "dose" and arm is None else arm
        options = [(chosen, value) if self.kind_ == "dose" else value for value in values.tolist()]
        return values, self._under(x, options, ("grid",))

    def dose_response(self, X: Any, grid: Any = None, *, arm: float | None = None) -> DoseResponse:
        """Average dose-response of the rows: ``psi(t) = mean_i mu(t, x_i)`` over a grid of doses.

        Parameters
        ----------
        X : frame or (n, columns) array
            Rows to average over; only their covariates count.
        grid : (k,) array, optional
            Doses; 41 from the 2nd to the 98th percentile of those learned from when left out. For discrete
            treatments, the arms.
        arm : float, optional
            Arm whose dose varies, where arms have doses; the reference when left out.

        Returns
        -------
        DoseResponse

        Raises
        ------
        DataError
            ``unseen-treatment`` for doses outside the range learned from.
        """
        values, outcomes = self._along(X, grid, arm)
        curves = outcomes.mean(axis=1)
        seen = self.treatment_ if self.kind_ != "dose" else self.dose_
        name = self.treatment_name_ if self.kind_ != "dose" else self.dose
        return DoseResponse.of(values, curves, float(self.level), str(name), seen)

    def _grid(self, grid: Any) -> np.ndarray:
        if grid is None:
            if self.range_ is None:
                return np.asarray(self.arms_, dtype=np.float64)
            seen = self.treatment_ if self.kind_ == "continuous" else self.dose_
            low, high = np.quantile(seen, [0.02, 0.98])
            return np.linspace(low, high, 41)
        values = np.asarray(grid, dtype=np.float64)
        if values.ndim != 1 or len(values) == 0 or not np.all(np.isfinite(values)):
            raise DataError("bad-treatment", f"expected a row of finite doses, got shape {values.shape}",
                            where="grid", remedy="Write for example grid=np.linspace(0, 1, 21).")  # fmt: skip
        return values


def _pair(option: Any, where: str) -> tuple[Any, float]:
    """An arm and its dose."""
    if not isinstance(option, (tuple, list)) or len(option) != 2 or not is_number(option[1]):
        raise DataError("bad-treatment", f"expected a pair (arm, dose), got {option!r}", where=where,
                        remedy=f"Write for example {where}=(1, 0.5).")  # fmt: skip
    return option[0], float(option[1])
