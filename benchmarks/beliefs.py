"""Belief networks: recovery of agents, speed of the filter, and the same beside pyhgf where it is installed.

Run ``python -m benchmarks.beliefs`` (a minute or two). ``recovery`` simulates agents with known learning and choice
parameters and fits them; ``speed`` times value and gradient of a three-node filter; ``choices`` fits the responses that
ship with pyhgf, and needs it. Times are the best of many calls on one thread; a ratio below one means that
suppose is faster.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from suppose.worlds.beliefs import (
    HGF,
    Likelihood,
    Prior,
    compare,
    filter_beliefs,
    fit_beliefs,
    fit_rescorla_wagner,
    fit_subjects,
    make_reversals,
    respond,
)

FREE = ["x1.omega", "beta"]
PRIORS = {"x1.omega": Prior(-3.5, 2.0), "beta": Prior(0.7, 0.7)}
FOUR = ["x1.omega", "x2.omega", "x1.kappa", "u.alpha"]


def recovery(seed: int, agents: int = 20, steps: int = 320) -> dict[str, float]:
    """Rank-free correlation of true and fitted omega and beta over agents, and the seconds of all fits."""
    rng = np.random.default_rng(seed)
    omega, beta = rng.uniform(-6, -1, agents), rng.uniform(0.5, 6, agents)
    u = [make_reversals(steps, seed=1000 * seed + k) for k in range(agents)]
    y = []
    for k in range(agents):
        agent = HGF(2, "binary", update="ehgf", x1_omega=float(omega[k]))
        y.append(respond(filter_beliefs(agent, u[k]), beta=float(beta[k]), seed=seed + k))
    begin = time.perf_counter()
    fits = fit_subjects(
        HGF(2, "binary", update="ehgf"), u, y, free=FREE, response="softmax", priors=PRIORS, starts=3
    )
    took = time.perf_counter() - begin
    found = np.array([fit.estimate for fit in fits])
    inside = np.mean([fit.low[0] <= w <= fit.high[0] for fit, w in zip(fits, omega, strict=True)])
    return {
        "seed": seed,
        "omega": float(np.corrcoef(omega, found[:, 0])[0, 1]),
        "beta": float(np.corrcoef(beta, found[:, 1])[0, 1]),
        "omega inside 95% interval": float(inside),
        "seconds": took,
    }


def best(call: Any, repeats: int = 40) -> float:
    """Shortest time of a call, in seconds."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return min(times)


def speed(steps: int = 1000) -> list[dict[str, Any]]:
    """Milliseconds of a value with four gradients, three nodes."""
    u = make_reversals(steps, seed=1)
    rows = []
    for update in ("standard", "ehgf", "ehgf_safe", "unbounded"):
        score = Likelihood(HGF(2, "binary", update=update), u, free=FOUR)
        at = np.array([-3.0, -3.0, 1.0, 1.0])
        score.value_and_gradient(at)
        took = best(lambda score=score, at=at: score.value_and_gradient(at))
        rows.append({"update": update, "steps": steps, "ms": 1e3 * took})
    return rows


def first_call() -> float:
    """Seconds of the first value with gradients in a new process that finds the kernels compiled."""
    code = (
        "import time, numpy as np\n"
        "from suppose.worlds.beliefs import HGF, Likelihood\n"
        "score = Likelihood(HGF(2, 'binary'), np.ones(100), free=['x1.omega'])\n"
        "begin = time.perf_counter(); score.value_and_gradient([-3.0]); took = time.perf_counter() - begin\n"
        "import sys; sys.stdout.write(str(took))"
    )
    found = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    return min(found)


def choices() -> dict[str, Any] | None:
    """Losses of accounts of the responses that ship with pyhgf."""
    spec = importlib.util.find_spec("pyhgf")
    if spec is None:
        return None
    folder = Path(str(spec.origin)).parent / "data"
    u, y = np.loadtxt(folder / "binary_input.txt"), np.loadtxt(folder / "binary_response.txt")
    network = HGF(2, "binary", update="ehgf")
    plain = -Likelihood(network, u, response="softmax", y=y).value()
    fit = fit_beliefs(network, u, y, free=["beta"], response="softmax")
    both = fit_beliefs(network, u, y, free=FREE, response="softmax")
    learner = fit_rescorla_wagner(u, y)
    ranked = compare({"HGF, beta": fit, "HGF, omega and beta": both, "Rescorla-Wagner": learner})
    return {
        "beta 1": plain, "beta fitted": -fit.log_likelihood, "beta": fit.theta["beta"],
        "omega and beta fitted": -both.log_likelihood, "theta": both.theta,
        "Rescorla-Wagner": -learner.log_likelihood, "comparison": str(ranked),
    }  # fmt: skip


def main() -> None:
    """Print the figures."""
    for seed in range(1, 6):
        print(recovery(seed))
    for row in speed():
        print(row)
    print({"first call, seconds": first_call()})
    print(choices() or "choices: pyhgf is not installed")


if __name__ == "__main__":
    main()
