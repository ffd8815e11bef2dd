"""The filter once more, in plain NumPy: the equations without machine code, for many sequences at once.

A twin of :func:`~suppose.worlds.beliefs.filtering.run_filter` that shares no code with it: it reads the description
of a network rather than its schedule, carries no sensitivities, and takes complex numbers, so that derivatives can be
had by complex steps. Slow for one sequence; the tests hold the two together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import lambertw

from suppose.worlds.beliefs.network import BeliefNetwork, Edge

__all__ = ["plain_filter"]

Beliefs = dict[str, Any]


def plain_filter(
    network: BeliefNetwork,
    u: Any,
    *,
    dt: Any = 1.0,
    observed: Any = None,
    theta: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Beliefs over time in rows of sequences.

    Parameters
    ----------
    network : BeliefNetwork
    u : (rows, steps, inputs) array
    dt : float or (steps,) array
    observed : (steps, inputs) array of bool, optional
    theta : dict, optional
        Numbers to replace; may be complex.

    Returns
    -------
    dict
        ``expected_mean``, ``expected_precision``, ``mean``, ``precision``: arrays (rows, steps, nodes).

    Examples
    --------
    >>> from suppose.worlds.beliefs import HGF
    >>> plain_filter(HGF(1), np.zeros((2, 5, 1)))["mean"].shape
    (2, 5, 2)
    """
    numbers = {name: network.vector()[slot] for name, slot in network.parameters.items()}
    numbers.update({_full(network, name): value for name, value in (theta or {}).items()})
    u = np.asarray(u)
    rows, steps, _ = u.shape
    seen = np.ones((steps, len(network.inputs)), bool) if observed is None else np.asarray(observed)
    width = np.broadcast_to(dt, steps)
    one = np.ones(rows) * (1 + 0 * sum(numbers.values()))  # complex where any number is
    state = {
        n.name: (one * numbers[f"{n.name}.mean"], one * numbers[f"{n.name}.precision"]) for n in network.nodes
    }
    names = [node.name for node in network.nodes]
    order = [names[int(place)] for place in network.schedule.node[:, -1]]
    kept: dict[str, list[Any]] = {k: [] for k in ("expected_mean", "expected_precision", "mean", "precision")}
    for step in range(steps):
        before: dict[str, Beliefs] = {}
        for name in order:
            before[name] = _expect(network, numbers, state, before, name, width[step])
        heard = {name: bool(seen[step, k]) for k, name in enumerate(network.inputs)}
        after = {n: (u[:, step, k] * one if heard[n] else before[n]["mean"], before[n]["senses"])
                 for k, n in enumerate(network.inputs)}  # fmt: skip
        for name in reversed(order):
            if network.node(name).kind == "state":
                after[name] = _revise(network, numbers, state, before, after, heard, name, width[step])
        state = after
        for key, part in (("expected_mean", "mean"), ("expected_precision", "precision")):
            kept[key].append(np.stack([before[name][part] for name in names], axis=-1))
        for place, key in enumerate(("mean", "precision")):
            kept[key].append(np.stack([after[name][place] for name in names], axis=-1))
    return {key: np.stack(value, axis=1) for key, value in kept.items()}


def _full(network: BeliefNetwork, name: str) -> str:
    """The long name of a number: ``x1.kappa`` to ``x1.kappa.x2``."""
    slot = network.slot(name)
    return max((n for n, s in network.parameters.items() if s == slot), key=len)


def _up(network: BeliefNetwork, name: str, drives: str) -> list[Edge]:
    return [edge for edge in network.edges if edge.child == name and edge.drives == drives]


def _heard_below(network: BeliefNetwork, heard: dict[str, bool], name: str, drives: str) -> list[Edge]:
    return [e for e in network.edges if e.parent == name and e.drives == drives and heard[e.child]]


def _functions(name: str, x: Any) -> tuple[Any, Any, Any]:
    """Value, first and second derivative of a coupling function."""
    if name == "linear":
        return x, 1.0, 0.0
    if name == "relu":
        return x * (x.real > 0), 1.0 * (x.real > 0), 0.0
    if name == "exp":
        return np.exp(x), np.exp(x), np.exp(x)
    if name == "sin":
        return np.sin(x), np.cos(x), -np.sin(x)
    if name == "tanh":
        return np.tanh(x), 1 - np.tanh(x) ** 2, -2 * np.tanh(x) * (1 - np.tanh(x) ** 2)
    p = 1 / (1 + np.exp(-x))
    if name == "softplus":
        return np.log1p(np.exp(x)), p, p * (1 - p)
    return p, p * (1 - p), p * (1 - p) * (1 - 2 * p)


def _expect(
    network: BeliefNetwork,
    numbers: dict[str, Any],
    state: Any,
    before: dict[str, Beliefs],
    name: str,
    dt: float,
) -> Beliefs:
    kind = network.node(name).kind
    driven = sum(
        (numbers[f"{name}.alpha.{e.parent}"] * _functions(e.fn, before[e.parent]["mean"])[0]
         for e in _up(network, name, "value")), 0.0,
    )  # fmt: skip
    if kind == "binary":
        mean = 1 / (1 + np.exp(-driven))
        mean = np.where(mean.real < 1e-6, 1e-6, np.where(mean.real > 1 - 1e-6, 1 - 1e-6, mean))
        return {"mean": mean, "precision": mean * (1 - mean), "senses": 1.0 + 0 * mean}
    above = _up(network, name, "volatility")
    level = np.log(dt) + numbers[f"{name}.omega"]
    level = level + sum(numbers[f"{name}.kappa.{e.parent}"] * before[e.parent]["mean"] for e in above)
    if kind == "continuous":
        senses = numbers[f"{name}.precision"] + 0 * driven
        added = np.exp(level) if above else 0.0
        return {"mean": driven, "precision": 1 / (1 / senses + added), "senses": senses, "sigma": 1 / senses,
                "added": added, "level": level}  # fmt: skip
    mean, precision = state[name]
    mean = numbers[f"{name}.autoconnection"] * mean + dt * (numbers[f"{name}.rho"] + driven)
    added = np.exp(level) + 0 * mean
    return {"mean": mean, "precision": 1 / (1 / precision + added), "sigma": 1 / precision, "added": added,
            "level": level}  # fmt: skip


def _revise(
    network: BeliefNetwork, numbers: dict[str, Any], state: Any, before: dict[str, Beliefs], after: Any,
    heard: dict[str, bool], name: str, dt: float,
) -> tuple[Any, Any]:  # fmt: skip
    values, errors = (_heard_below(network, heard, name, drives) for drives in ("value", "volatility"))
    heard[name] = bool(values or errors)
    expected, precision = before[name]["mean"], before[name]["precision"]
    more, gain = 0.0, 0.0
    for edge in values:
        child, kind = before[edge.child], network.node(edge.child).kind
        alpha = numbers[f"{edge.child}.alpha.{name}"] * (dt if kind == "state" else 1.0)
        _, slope, bend = _functions(edge.fn, state[name][0])
        error = after[edge.child][0] - child["mean"]
        delta = error / child["precision"] if kind == "binary" else error
        more = more + child["precision"] * (alpha**2 * slope**2 - alpha * bend * delta)
        gain = gain + alpha * slope * child["precision"] * delta
    if errors and network.update == "unbounded":
        start, known = expected + gain / (precision + more), precision + more
        return _unbounded(numbers, before, after, errors[0], start, known)
    if not errors:
        return expected + gain / (precision + more), precision + more
    return _newton(network, numbers, before, after, errors, name, more, gain)


def _newton(
    network: BeliefNetwork, numbers: dict[str, Any], before: dict[str, Beliefs], after: Any, errors: list[Edge],
    name: str, more: Any, gain: Any,
) -> tuple[Any, Any]:  # fmt: skip
    expected, precision = before[name]["mean"], before[name]["precision"]
    flat = more
    told = []
    for edge in errors:
        child = before[edge.child]
        kappa = numbers[f"{edge.child}.kappa.{name}"]
        spread = 1 / after[edge.child][1] + (after[edge.child][0] - child["mean"]) ** 2
        share = 1 / len(_up(network, edge.child, "volatility"))
        gamma, error = child["added"] * child["precision"], share * (child["precision"] * spread - 1)
        more = (
            more + 0.5 * (kappa * gamma) ** 2 + (kappa * gamma) ** 2 * error - 0.5 * kappa**2 * gamma * error
        )
        gain = gain + 0.5 * kappa * gamma * error
        told.append((child, kappa, spread, share))
    if network.update == "standard":
        return expected + gain / (precision + more), precision + more
    mean = expected + gain / precision
    if network.update == "ehgf":
        return mean, precision + more
    for child, kappa, spread, share in told:
        added = np.exp(child["level"] + kappa * (mean - expected))
        known = 1 / (child["sigma"] + added)
        gamma, error, nu = added * known, share * (known * spread - 1), (added - child["sigma"]) * known
        bend = 0.5 * kappa**2 * gamma * (gamma + nu * error)
        flat = flat + np.where(bend.real > 0, bend, 0.0)
    return mean, precision + flat


def _unbounded(
    numbers: dict[str, Any], before: dict[str, Beliefs], after: Any, edge: Edge, start: Any, known: Any
) -> tuple[Any, Any]:
    child = before[edge.child]
    kappa = numbers[f"{edge.child}.kappa.{edge.parent}"]
    base = child["level"] - kappa * before[edge.parent]["mean"]  # log dt + omega + what others add
    sigma, spread = child["sigma"], 1 / after[edge.child][1] + (after[edge.child][0] - child["mean"]) ** 2
    c = base + kappa * start
    w1 = 1 / (1 + np.exp(np.log(sigma) - c))
    error1 = spread / (sigma + np.exp(c)) - 1
    p1 = known + 0.5 * kappa**2 * w1 * (1 - w1)
    m1 = start + kappa * w1 * error1 / (2 * p1)
    q = known / kappa**2
    w = lambertw(spread / (2 * q) * np.exp(1 / (2 * q) - c))
    x = (c + (w if np.iscomplexobj(c) else w.real) - 1 / (2 * q) - base) / kappa
    s = np.exp(base + kappa * x)
    w2, error2 = s / (sigma + s), spread / (sigma + s) - 1
    p2 = known + 0.5 * kappa**2 * w2 * (w2 + (2 * w2 - 1) * error2)
    p2 = np.where(p2.real > 0, p2, known + 0.5 * kappa**2 * w2 * (1 - w2))
    m2 = x + (0.5 * kappa * w2 * error2 - known * (x - start)) / p2

    def height(m: Any) -> Any:
        e = np.exp(base + kappa * m)
        return -0.5 * np.log(sigma + e) - 0.5 * spread / (sigma + e) - 0.5 * known * (m - start) ** 2

    b = 1 / (1 + np.exp(height(m1) - height(m2)))
    mean = (1 - b) * m1 + b * m2
    variance = (1 - b) * (1 / p1 + m1**2) + b * (1 / p2 + m2**2) - mean**2
    return mean, np.where((1 / variance).real > 1e10, 1e10, 1 / variance)
