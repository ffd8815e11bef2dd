"""Searches for structure raced: the whole of PC on 50 and 200 variables, skeletons compared, and 1,000 variables alone.

Run ``python -m benchmarks.discovery``; causal-learn and pgmpy are raced where installed, in the same process on
the same rows. Linear Gaussian worlds of mean degree 3, absolute weights from .3 to 1, unit noise, 1,000 rows, alpha .01
(spec table). Times are CPU seconds of one thread, ours the best of five after compilation, whose own time is a row of
its own; a ratio below one means that suppose is faster. The run fails where a skeleton differs.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from suppose.core.cost import peak_memory
from suppose.discovery import PC, FisherZ
from suppose.worlds.sem import random_dag, random_sem

Row = dict[str, Any]
ALPHA = 0.01


def rows_of(nodes: int, seed: int = 0) -> Any:
    """1,000 rows of a random linear Gaussian world."""
    dag = random_dag(nodes, 3.0, seed=seed)
    return random_sem(dag, seed=seed).sample(1000, seed=seed)


def cpu(call: Callable[[], Any], repeats: int = 1) -> tuple[float, Any]:
    """Least CPU seconds of the call, and its last result."""
    times, result = [], None
    for _ in range(repeats):
        start = time.process_time()
        result = call()
        times.append(time.process_time() - start)
    return min(times), result


def causal_learn(frame: Any) -> tuple[float, np.ndarray]:
    """Time and skeleton of causal-learn's ``pc``."""
    from causallearn.search.ConstraintBased.PC import pc

    values = frame.to_numpy()
    seconds, found = cpu(lambda: pc(values, ALPHA, "fisherz", stable=True, show_progress=False))
    return seconds, np.asarray(found.G.graph) != 0


def pgmpy(frame: Any) -> tuple[float, np.ndarray]:
    """Time and skeleton of pgmpy's ``PC``."""
    from pgmpy.causal_discovery import PC as Peer  # noqa: N811

    search = Peer(variant="stable", ci_test="fisher_z", significance_level=ALPHA, max_cond_vars=5, n_jobs=1,
                  show_progress=False)  # fmt: skip
    seconds, found = cpu(lambda: search.fit(frame))
    names = list(frame.columns)
    joined = np.zeros((len(names), len(names)), dtype=bool)
    for a, b in found.causal_graph_.edges():
        joined[names.index(a), names.index(b)] = joined[names.index(b), names.index(a)] = True
    return seconds, joined


PEERS = {"causal-learn": ("causallearn", causal_learn), "pgmpy": ("pgmpy", pgmpy)}


def row(name: str, ours: float, peer: float | None, package: str, note: str) -> Row:
    """One line of the table."""
    module = PEERS[package][0] if package else ""
    version = importlib.metadata.version(package) if package and importlib.util.find_spec(module) else ""
    return {
        "name": name, "ours_seconds": ours, "peer_seconds": peer, "ratio": ours / peer if peer else None,
        "peer": package, "peer_version": version, "note": note,
    }  # fmt: skip


def race(nodes: int) -> list[Row]:
    """The whole of PC on one table, with each peer."""
    frame = rows_of(nodes)
    ours, found = cpu(lambda: PC(test="fisher-z", alpha=ALPHA).fit(frame), repeats=5)
    edges, tests = int(found.skeleton_.sum()) // 2, sum(found.tests_.values())
    out = []
    for package, (module, call) in PEERS.items():
        if importlib.util.find_spec(module) is None:
            out.append(row(f"PC, {nodes} variables", ours, None, package, f"{edges} edges, {tests:,} tests"))
            continue
        seconds, joined = call(frame)
        if package == "causal-learn" and (joined != found.skeleton_).any():
            raise AssertionError(f"the skeletons on {nodes} variables differ from those of {package}")
        same = (
            "same skeleton"
            if (joined == found.skeleton_).all()
            else "peer stops at sets of 5, other skeleton"
        )
        out.append(
            row(f"PC, {nodes} variables", ours, seconds, package, f"{edges} edges, {tests:,} tests; {same}")
        )
    return out


def main() -> list[Row]:
    """All lines."""
    small = rows_of(10)
    first, _ = cpu(lambda: PC(test="fisher-z", alpha=ALPHA).fit(small))
    out = [row("first call of a process (compiled or read from the cache)", first, None, "", "")]
    out += race(50) + race(200)
    frame = rows_of(1000)
    test = FisherZ(frame)
    seconds, found = cpu(lambda: PC(test=test, alpha=ALPHA).fit(), repeats=2)
    memory = (peak_memory() or 0) / 1e6
    note = f"{int(found.skeleton_.sum()) // 2:,} edges, {sum(found.tests_.values()):,} tests, peak {memory:,.0f} MB"
    out.append(row("PC, 1,000 variables, correlations given", seconds, None, "", note))
    return out


if __name__ == "__main__":
    for line in main():
        print(line)
