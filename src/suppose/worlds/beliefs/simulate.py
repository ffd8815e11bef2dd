"""Sequences a network could have given, responses an agent could have made, and beliefs had things been otherwise.

:func:`sample_beliefs` draws from the world a network describes: hidden quantities walk with volatilities that walk
themselves, inputs are drawn around them. ``do=`` holds quantities at values of the user's. :func:`respond` draws the
choices of an agent with the network's beliefs, :func:`what_if` sets two courses of belief side by side.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from suppose.core.errors import DataError, StudyError
from suppose.core.figures import PALETTE, new_axes
from suppose.core.random import generator
from suppose.worlds.beliefs.couplings import FUNCTIONS
from suppose.worlds.beliefs.network import BeliefNetwork
from suppose.worlds.beliefs.trajectory import Trajectory, filter_beliefs, read_sequence

__all__ = ["BeliefSample", "WhatIf", "make_reversals", "respond", "sample_beliefs", "what_if"]


@dataclasses.dataclass(frozen=True)
class BeliefSample:
    """Draws from the world of a network.

    Attributes
    ----------
    network : BeliefNetwork
    values : (rows, steps, nodes) array
        Hidden quantities and inputs.
    u : (rows, steps, inputs) array
        The inputs alone, as filters take them.
    """

    network: BeliefNetwork
    values: np.ndarray
    u: np.ndarray

    def to_frame(self) -> Any:
        """One row per draw and step, as a pandas frame."""
        import pandas as pd

        rows, steps, _ = self.values.shape
        frame = pd.DataFrame(
            {"draw": np.repeat(np.arange(rows), steps), "step": np.tile(np.arange(steps), rows)}
        )
        for place, node in enumerate(self.network.nodes):
            frame[node.name] = self.values[:, :, place].ravel()
        return frame

    def __str__(self) -> str:
        rows, steps, _ = self.values.shape
        return f"BeliefSample: {rows:,} draws of {steps:,} steps of {', '.join(n.name for n in self.network.nodes)}"


def sample_beliefs(
    network: BeliefNetwork,
    steps: int,
    *,
    rows: int = 1,
    dt: float | Float[np.ndarray, " steps"] = 1.0,
    do: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> BeliefSample:
    """Draw sequences from the world that a network describes.

    Parameters
    ----------
    network : BeliefNetwork
    steps, rows : int
        Length and number of sequences.
    dt : float or (steps,) array
        Time since the step before.
    do : mapping, optional
        Node to a number, or to an array (steps,), at which it is held whatever drives it.
    seed : int

    Raises
    ------
    GraphError, StudyError, DataError
        For an unknown node, a senseless number of steps, an array of another length, a time step not positive.

    Examples
    --------
    >>> from suppose.worlds.beliefs import HGF
    >>> calm = sample_beliefs(HGF(2, x1_omega=-4.0), 50, rows=200, do={"x2": -4.0}, seed=1)
    >>> wild = sample_beliefs(HGF(2, x1_omega=-4.0), 50, rows=200, do={"x2": 4.0}, seed=1)
    >>> bool(wild.u[:, -1].std() > 2 * calm.u[:, -1].std())
    True
    >>> calm.u.shape
    (200, 50, 1)
    """
    for name, value in (("steps", steps), ("rows", rows)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise StudyError(
                "bad-length", f"expected a whole number from 1, got {value!r}", where=name,
                remedy=f"Write for example {name}=100.",
            )  # fmt: skip
    order, p = network.schedule.node[:, -1], network.vector()
    width = read_sequence(network, np.zeros((steps, len(network.inputs))), dt).dt
    held = {network._index[network.node(name).name]: _held(name, v, steps) for name, v in (do or {}).items()}
    rng = generator(seed, "belief sample")
    n = len(network.nodes)
    values = np.zeros((rows, steps, n))
    now = p[3 * n : 4 * n] + rng.normal(size=(rows, n)) / np.sqrt(p[4 * n : 5 * n])
    for step in range(steps):
        for node in order:
            drawn = _draw(network, p, int(node), now, float(width[step]), rng)
            now[:, node] = held[node][step] if node in held else drawn
        values[:, step] = now
    return BeliefSample(network, values, values[:, :, network.schedule.inputs])


def _held(name: str, value: Any, steps: int) -> np.ndarray:
    array = np.asarray(value, dtype=np.float64)
    if array.shape not in ((), (steps,)) or not np.all(np.isfinite(array)):
        raise DataError(
            "bad-hold", f"expected one finite number, or {steps} of them, got shape {array.shape}",
            where=f"do[{name!r}]", remedy="Give one value for each step.",
        )  # fmt: skip
    return np.broadcast_to(array, steps)


def _draw(
    network: BeliefNetwork, p: np.ndarray, node: int, now: np.ndarray, dt: float, rng: np.random.Generator
) -> np.ndarray:
    """New values of one node in every row, its parents having theirs."""
    net, n = network.schedule, len(network.nodes)
    kind = network.nodes[node].kind
    driven = np.zeros(len(now))
    for edge in np.flatnonzero(net.value[:, 0] == node):
        driven += p[5 * n + edge] * transformed(int(net.value[edge, 2]), now[:, net.value[edge, 1]])
    noise = rng.normal(size=len(now))
    if kind == "binary":
        return np.asarray((rng.random(len(now)) < expit(driven)).astype(np.float64))
    levels = np.flatnonzero(net.level[:, 0] == node)
    level = np.full(len(now), p[node])
    for edge in levels:
        level += p[5 * n + len(net.value) + edge] * now[:, net.level[edge, 1]]
    variance = dt * np.exp(np.minimum(level, 700.0))
    if kind == "state":
        return np.asarray(
            p[2 * n + node] * now[:, node] + dt * (p[n + node] + driven) + np.sqrt(variance) * noise
        )
    senses = 1.0 / p[4 * n + node] + (variance if len(levels) else 0.0)
    return np.asarray(driven + np.sqrt(senses) * noise)


def transformed(code: int, x: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
    """The coupling function with this code, of many values at once."""
    name = FUNCTIONS[code]
    if name == "linear":
        return x
    if name == "relu":
        return np.asarray(np.maximum(x, 0.0))
    if name == "softplus":
        return np.asarray(np.logaddexp(0.0, x))
    if name == "sigmoid":
        return np.asarray(expit(x))
    return np.asarray({"tanh": np.tanh, "exp": np.exp, "sin": np.sin}[name](x))


def respond(path: Trajectory, *, beta: float | None = None, seed: int = 0) -> Float[np.ndarray, " steps"]:
    """Choices (0 and 1) of an agent who holds the beliefs of ``path`` about its first, binary, input.

    Parameters
    ----------
    path : Trajectory
    beta : float, optional
        Inverse temperature; the network's own when left out.
    seed : int

    Raises
    ------
    StudyError
        When the first input is not binary.

    Examples
    --------
    >>> from suppose.worlds.beliefs import HGF
    >>> path = filter_beliefs(HGF(2, "binary"), np.ones(50))
    >>> bool(respond(path, beta=5.0).mean() > 0.9)
    True
    """
    network = path.network
    place = int(network.schedule.inputs[0])
    if network.nodes[place].kind != "binary":
        raise StudyError(
            "response-does-not-fit", "softmax responses are to a binary input, got a continuous one",
            where="respond", remedy="Use a network whose first input is binary.",
        )  # fmt: skip
    m = path.expected_mean[:, place]
    sharp = network.beta if beta is None else beta
    draws = generator(seed, "belief responses").random(len(m))
    return np.asarray((draws < expit(sharp * (np.log(m) - np.log1p(-m)))).astype(np.float64))


def make_reversals(
    steps: int = 320, *, block: int = 40, probability: float = 0.8, seed: int = 0
) -> Float[np.ndarray, " steps"]:
    """Outcomes of a reversal bandit: 1 with ``probability``, with one minus that in every other block.

    Examples
    --------
    >>> u = make_reversals(80, block=40, probability=0.9, seed=1)
    >>> bool(u[:40].mean() > 0.7), bool(u[40:].mean() < 0.3)
    (True, True)
    """
    chance = np.where((np.arange(steps) // block) % 2, 1.0 - probability, probability)
    return np.asarray((generator(seed, "reversals").random(steps) < chance).astype(np.float64))


@dataclasses.dataclass(frozen=True)
class WhatIf:
    """Two courses of belief: as it is, and as it would be.

    Attributes
    ----------
    actual, other : Trajectory
    changed : str
        What was changed, in words.
    """

    actual: Trajectory
    other: Trajectory
    changed: str

    def to_frame(self) -> Any:
        """One row per step and hidden node: means, precisions and the difference of means, as a pandas frame."""
        import pandas as pd

        parts = []
        for place, node in enumerate(self.actual.network.nodes):
            a, b = self.actual.mean[:, place], self.other.mean[:, place]
            parts.append(
                pd.DataFrame({
                    "step": np.arange(len(a)), "node": node.name, "actual": a, "other": b, "difference": b - a,
                    "actual_precision": self.actual.precision[:, place],
                    "other_precision": self.other.precision[:, place],
                })
            )  # fmt: skip
        return pd.concat(parts, ignore_index=True)

    def plot(self, node: str = "x1", ax: Any = None) -> Any:
        """Both courses of the belief in one node."""
        ax = new_axes(ax)
        place = self.actual.network._index[self.actual.network.node(node).name]
        for path, colour, label in (
            (self.actual, "blue", "as it is"), (self.other, "orange", "as it would be"),
        ):  # fmt: skip
            ax.plot(path.time, path.mean[:, place], color=PALETTE[colour], linewidth=1.4, label=label)
        ax.set_xlabel("time")
        ax.set_ylabel(f"belief in {node}")
        ax.legend()
        return ax

    def __str__(self) -> str:
        place = next(i for i, node in enumerate(self.actual.network.nodes) if node.kind == "state")
        gap = self.other.mean[:, place] - self.actual.mean[:, place]
        name = self.actual.network.nodes[place].name
        return (
            f"WhatIf ({self.changed}): belief in {name} would differ by {np.abs(gap).mean():.3g} on average, "
            f"by {gap[-1]:+.3g} at the end"
        )


def what_if(
    network: BeliefNetwork,
    u: Any,
    *,
    theta: Mapping[str, float] | None = None,
    instead: Any = None,
    dt: Any = None,
    observed: Any = None,
) -> WhatIf:
    """Beliefs had the agent been another (``theta``), or had it seen something else (``instead``).

    Parameters
    ----------
    network : BeliefNetwork
        The agent as it is, for example ``fit.network``.
    u, dt, observed
        What it saw, see :func:`~suppose.worlds.beliefs.trajectory.read_sequence`.
    theta : mapping, optional
        Numbers of the other agent, by name.
    instead : array, optional
        What it would have seen, as many steps as ``u``.

    Raises
    ------
    StudyError
        When nothing is changed.
    DataError
        When ``instead`` has another length.

    Examples
    --------
    >>> from suppose.worlds.beliefs import HGF
    >>> result = what_if(HGF(2, "binary"), np.ones(20), theta={"x1.omega": -8.0})
    >>> bool(result.other.mean[-1, 1] < result.actual.mean[-1, 1])
    True
    """
    if not theta and instead is None:
        raise StudyError(
            "nothing-changed", "expected other numbers or another sequence, got neither", where="what_if",
            remedy="Give theta=, for example {'x1.omega': -5.0}, or instead=.",
        )  # fmt: skip
    actual = filter_beliefs(network, u, dt=dt, observed=observed)
    seen = u if instead is None else instead
    if len(np.asarray(seen)) != len(actual.time):
        raise DataError(
            "lengths-differ", f"expected {len(actual.time)} steps, got {len(np.asarray(seen))}", where="instead",
            remedy="Give as many steps as were seen.",
        )  # fmt: skip
    other = filter_beliefs(network, seen, dt=dt, observed=observed, theta=theta)
    words = [f"{name} {value:g}" for name, value in (theta or {}).items()]
    return WhatIf(actual, other, ", ".join(words + ([] if instead is None else ["another sequence"])))
