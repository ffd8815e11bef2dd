"""Running a network over observations: checked at the boundary, then one kernel, then a record.

:func:`filter_beliefs` gives a :class:`Trajectory` (beliefs at every step), :class:`Likelihood` the log probability of
observations or responses with its gradient, for fitting. What is unobserved is said by ``observed``; a NaN is refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from suppose.core.errors import DataError, EstimationError, StudyError
from suppose.core.figures import PALETTE, new_axes
from suppose.worlds.beliefs.filtering import run_filter
from suppose.worlds.beliefs.losses import RESPONSES
from suppose.worlds.beliefs.network import BeliefNetwork, _unknown
from suppose.worlds.beliefs.updates import RULES

__all__ = ["Likelihood", "Sequence_", "Trajectory", "filter_beliefs", "read_sequence"]


@dataclasses.dataclass(frozen=True)
class Sequence_:  # noqa: N801 (collections.abc has the plain name)
    """Observations as kernels read them."""

    u: Float[np.ndarray, "steps inputs"]
    seen: Bool[np.ndarray, "steps inputs"]
    dt: Float[np.ndarray, " steps"]


def read_sequence(network: BeliefNetwork, u: Any, dt: Any = None, observed: Any = None) -> Sequence_:
    """Observations, time steps and what was observed, checked.

    Parameters
    ----------
    network : BeliefNetwork
    u : (steps,) or (steps, inputs) array
        Observations; binary inputs hold 0 and 1.
    dt : float or (steps,) array, optional
        Time since the step before; 1 when left out.
    observed : (steps,) or (steps, inputs) array of bool, optional
        False where an input was not observed; its value is then not read.

    Raises
    ------
    DataError
        For shapes that do not fit, a missing or non-finite value, a binary value that is not 0 or 1, or a time step
        that is not positive.
    """
    count = len(network.inputs)
    try:
        values = np.array(u, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            "bad-observations", f"expected numbers: {error}", where="u", remedy="Encode observations as numbers."
        ) from error  # fmt: skip
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or values.shape[1] != count or not len(values):
        raise DataError(
            "bad-observations", f"expected one or more steps of {count} inputs, got shape {np.shape(u)}", where="u",
            remedy="Give an array (steps, inputs), or (steps,) for one input.",
        )  # fmt: skip
    seen = _read_seen(observed, values.shape)
    steps = np.broadcast_to(np.asarray(1.0 if dt is None else dt, dtype=np.float64), len(values)).copy() if (
        np.ndim(dt) == 0 or np.shape(dt) == (len(values),)
    ) else None  # fmt: skip
    if steps is None or not np.all(np.isfinite(steps)) or np.any(steps <= 0):
        wrong = "other lengths" if steps is None else f"{steps[~(steps > 0) | ~np.isfinite(steps)][0]:g}"
        raise DataError(
            "bad-time-step", f"expected one positive time step per step, got {wrong}", where="dt",
            remedy="Sort the sequence by time and put what happened at one time into one step.",
        )  # fmt: skip
    _refuse_values(network, values, seen)
    values[~seen] = 0.0
    return Sequence_(values, seen, steps)


def _read_seen(observed: Any, shape: tuple[int, ...]) -> np.ndarray:
    if observed is None:
        return np.ones(shape, dtype=np.bool_)
    seen = np.asarray(observed)
    seen = seen[:, None] if seen.ndim == 1 else seen
    if seen.shape not in (shape, (shape[0], 1)) or not np.all((seen == 0) | (seen == 1)):
        raise DataError(
            "bad-observed", f"expected True or False for each of {shape[0]} steps, got shape {np.shape(observed)}",
            where="observed", remedy="Write False where an input was not observed.",
        )  # fmt: skip
    return np.ascontiguousarray(np.broadcast_to(seen.astype(np.bool_), shape))


def _refuse_values(network: BeliefNetwork, values: np.ndarray, seen: np.ndarray) -> None:
    for place, name in enumerate(network.inputs):
        column, look = values[:, place], seen[:, place]
        wrong = np.flatnonzero(look & ~np.isfinite(column))
        expected = "finite numbers"
        if not len(wrong) and network.node(name).kind == "binary":
            wrong, expected = np.flatnonzero(look & (column != 0) & (column != 1)), "0 or 1"
        if len(wrong):
            raise DataError(
                "bad-observations", f"expected {expected}, got {column[wrong[0]]:g} at step {wrong[0]}",
                where=f"input {name!r}", remedy="Correct it, or say observed=False where nothing was seen.",
            )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Trajectory:
    """Beliefs at every step.

    Attributes
    ----------
    network : BeliefNetwork
        With the numbers that were used.
    u : (steps, inputs) array
        Observations; 0 where ``seen`` is False.
    seen : (steps, inputs) array of bool
    time : (steps,) array
        Time since the start.
    expected_mean, expected_precision, mean, precision : (steps, nodes) array
        Before and after each observation; of a binary input the predicted probability and its variance.
    """

    network: BeliefNetwork
    u: np.ndarray
    seen: np.ndarray
    time: np.ndarray
    expected_mean: np.ndarray
    expected_precision: np.ndarray
    mean: np.ndarray
    precision: np.ndarray

    @property
    def last(self) -> dict[str, tuple[float, float]]:
        """Mean and precision of each hidden node after the last step; what ``start=`` takes."""
        return {
            node.name: (float(self.mean[-1, i]), float(self.precision[-1, i]))
            for i, node in enumerate(self.network.nodes)
            if node.kind == "state"
        }

    def to_frame(self) -> Any:
        """One row per step, columns ``time`` and ``<node>.<quantity>``, as a pandas frame."""
        import pandas as pd

        columns: dict[str, np.ndarray] = {"time": self.time}
        for i, node in enumerate(self.network.nodes):
            for quantity in ("expected_mean", "expected_precision", "mean", "precision"):
                columns[f"{node.name}.{quantity}"] = getattr(self, quantity)[:, i]
        return pd.DataFrame(columns)

    def plot(self, node: str = "x1", ax: Any = None) -> Any:
        """Belief in a node over time with the interval that holds 95% of it."""
        i = self.network._index[self.network.node(node).name]
        ax = new_axes(ax)
        half = 1.96 / np.sqrt(self.precision[:, i])
        ax.fill_between(
            self.time, self.mean[:, i] - half, self.mean[:, i] + half, color=PALETTE["blue"], alpha=0.2,
            linewidth=0,
        )  # fmt: skip
        ax.plot(self.time, self.mean[:, i], color=PALETTE["blue"], linewidth=1.4)
        ax.set_xlabel("time")
        ax.set_ylabel(f"belief in {node}")
        return ax

    def __str__(self) -> str:
        beliefs = ", ".join(f"{k} {m:.4g} (precision {p:.4g})" for k, (m, p) in self.last.items())
        return f"Trajectory of {len(self.time)} steps; at the end: {beliefs}"


def _start(
    network: BeliefNetwork, p: np.ndarray, dp: np.ndarray, start: Any
) -> tuple[np.ndarray, np.ndarray]:
    n = len(network.nodes)
    s, ds = np.zeros((7, n)), np.zeros((7, n, dp.shape[1]))
    s[0], s[1], ds[0], ds[1] = p[3 * n : 4 * n], p[4 * n : 5 * n], dp[3 * n : 4 * n], dp[4 * n : 5 * n]
    for name, (mean, precision) in (start or {}).items():
        place = network._index.get(name)
        if place is not None:
            s[0, place], s[1, place] = mean, precision
            ds[0, place] = ds[1, place] = 0.0
    return s, ds


def filter_beliefs(
    network: BeliefNetwork,
    u: Any,
    *,
    dt: Any = None,
    observed: Any = None,
    theta: Mapping[str, float] | None = None,
    start: Mapping[str, tuple[float, float]] | None = None,
) -> Trajectory:
    """Beliefs of a network that sees ``u``, step by step.

    Parameters
    ----------
    network : BeliefNetwork
    u, dt, observed
        As :func:`read_sequence` takes them.
    theta : mapping, optional
        Numbers to replace, by name.
    start : mapping, optional
        Means and precisions of nodes at the start, as :attr:`Trajectory.last` gives them; nodes it does not name
        start from their own numbers, and names the network does not have are passed over. That is how a network
        whose structure changed goes on.

    Raises
    ------
    GraphError, DataError, StudyError
        For what cannot be used.
    EstimationError
        When a precision becomes zero or negative, naming step and node.

    Examples
    --------
    >>> from suppose.worlds.beliefs import HGF
    >>> path = filter_beliefs(HGF(2, "binary"), [1, 1, 1, 0, 1, 1])
    >>> bool(path.expected_mean[-1, 0] > 0.5)
    True
    """
    net, sequence = network.schedule, read_sequence(network, u, dt, observed)
    used = network.with_values(theta or {})
    p = used.vector()
    dp = np.zeros((len(p), 0))
    s, ds = _start(used, p, dp, start)
    steps = len(sequence.u)
    path = np.zeros((steps, 4, len(network.nodes)))
    where = run_filter(
        net, p, dp, sequence.u, sequence.seen, sequence.dt, np.zeros(steps), RULES.index(network.update), 0, s, ds,
        path, np.zeros(steps), np.zeros((1, 0)), np.zeros((8, 0)), np.zeros(len(network.nodes), dtype=np.bool_),
    )  # fmt: skip
    if where[0] >= 0:
        raise _diverged(network, *where)
    return Trajectory(
        used,
        sequence.u,
        sequence.seen,
        np.cumsum(sequence.dt),
        path[:, 0],
        path[:, 1],
        path[:, 2],
        path[:, 3],
    )


def _diverged(network: BeliefNetwork, step: int, node: int) -> EstimationError:
    return EstimationError(
        "filter-diverged", f"the precision of {network.nodes[node].name!r} is not positive at step {step}",
        where=f"update {network.update!r}",
        remedy="Write update='unbounded', or lower omega or kappa.",
    )  # fmt: skip


class Likelihood:
    """Log probability of a sequence under a network, with its gradient by some of the numbers.

    Parameters
    ----------
    network : BeliefNetwork
    u : array
        Observations, see :func:`read_sequence`.
    free : sequence of str
        Names of the numbers that vary; the order of vectors.
    response : {"first_level", "predictive", "softmax", "gaussian"}
        What is scored: observations (by the belief of the first level, or by the prediction of the input), or
        responses ``y`` (0 and 1 by softmax with ``beta``, numbers by a Gaussian with precision ``zeta``) to the
        first input. Binary observations are scored alike under the first two.
    y : (steps,) array, optional
        Responses; NaN where there was none.
    dt, observed
        See :func:`read_sequence`.

    Raises
    ------
    DataError, GraphError, StudyError
        For what cannot be used.

    Examples
    --------
    >>> from suppose.worlds.beliefs import HGF
    >>> score = Likelihood(HGF(2, "binary"), [1, 0, 1, 1], free=["x1.omega"])
    >>> value, slope = score.value_and_gradient([-3.0])
    >>> bool(value < 0), slope.shape
    (True, (1,))
    """

    def __init__(
        self,
        network: BeliefNetwork,
        u: Any,
        *,
        free: Sequence[str] = (),
        response: str = "first_level",
        y: Any = None,
        dt: Any = None,
        observed: Any = None,
    ) -> None:
        if response not in RESPONSES[1:]:
            raise _unknown(response, RESPONSES[1:], "response")
        self.network, self.free, self.response = network, tuple(free), response
        self.sequence = read_sequence(network, u, dt, observed)
        self._net, self._p = network.schedule, network.vector()
        self._rule, self._code = RULES.index(network.update), RESPONSES.index(response)
        self._y = self._read_responses(y)
        self._slots = np.array([network.slot(name) for name in self.free], dtype=np.int64)
        self._seeds = np.zeros((len(self._p), len(self.free)))
        self._seeds[self._slots, np.arange(len(self.free))] = 1.0
        self._none = np.zeros((0, 4, len(network.nodes)))

    def _read_responses(self, y: Any) -> np.ndarray:
        steps = len(self.sequence.u)
        if self._code < 3:
            return np.full(steps, np.nan)
        values = np.full(0, np.nan) if y is None else np.asarray(y, dtype=np.float64)
        given = values[~np.isnan(values)]
        bad = self.response == "softmax" and bool(np.any((given != 0) & (given != 1)))
        if values.shape != (steps,) or not len(given) or not np.all(np.isfinite(given)) or bad:
            expected = "0 or 1" if self.response == "softmax" else "a number"
            raise DataError(
                "bad-responses", f"expected {expected} for each of {steps} steps, got shape {values.shape}"
                f"{' with other values' if bad else ''}", where="y",
                remedy="Give one response per step, NaN where there was none.",
            )  # fmt: skip
        if self.response == "softmax" and self.network.node(self.network.inputs[0]).kind != "binary":
            raise StudyError(
                "response-does-not-fit", "softmax responses are to a binary input, got a continuous one",
                where="response", remedy="Write response='gaussian'.",
            )  # fmt: skip
        return values

    def _run(self, vector: Any, pointwise: bool) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
        p = self._p.copy()
        p[self._slots] = vector
        if not np.all(np.isfinite(p)):
            self.network._check_numbers(p)
        s, ds = _start(self.network, p, self._seeds, None)
        steps = len(self.sequence.u)
        losses = np.zeros(steps)
        slopes = np.zeros((steps if pointwise and steps > 1 else 1, len(self.free)))
        where = run_filter(
            self._net, p, self._seeds, self.sequence.u, self.sequence.seen, self.sequence.dt, self._y, self._rule,
            self._code, s, ds, self._none, losses, slopes,
            np.zeros((8, len(self.free))), np.zeros(len(self.network.nodes), dtype=np.bool_),
        )  # fmt: skip
        return losses, slopes, where

    def value_and_gradient(self, vector: Any = ()) -> tuple[float, np.ndarray]:
        """Log probability and its derivatives; minus infinity (and zeros) where the filter diverges."""
        losses, slopes, where = self._run(vector, False)
        value = float(losses.sum())
        if where[0] >= 0 or not np.isfinite(value):
            return -np.inf, np.zeros(len(self.free))
        return -value, -slopes[0]

    def value(self, vector: Any = ()) -> float:
        """Log probability alone."""
        return self.value_and_gradient(vector)[0]

    def pointwise(self, vector: Any = ()) -> Float[np.ndarray, " steps"]:
        """Log probability of each step; refused where the filter diverges."""
        losses, _, where = self._run(vector, False)
        if where[0] >= 0:
            raise _diverged(self.network, *where)
        return -losses

    @property
    def terms(self) -> int:
        """Number of observations or responses that are scored."""
        return int(np.isfinite(self._y).sum()) if self._code >= 3 else int(self.sequence.seen.sum())
