"""Graphs of 1,000 nodes: separation beside networkx, adjustment sets beside dowhy (stopped after a minute).

Run ``python -m benchmarks.graphs``; dowhy is raced where it is installed. Every time is the best of three over
the same questions in the same process; a ratio below one means that suppose is faster. dowhy runs in a process
of its own, whose start and imports are not counted.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import multiprocessing
import queue
import random
import time
from collections.abc import Callable
from typing import Any

import networkx as nx

from suppose.graphs import DAG, adjustment_sets, d_separated, is_adjustment_set, open_paths

NODES = 1_000
QUERIES = 200
PATIENCE = 60.0
Row = dict[str, Any]


def random_dag(nodes: int, degree: int, seed: int) -> DAG:
    """Random graph in which a node has 0 to ``2 * degree`` causes, ``degree`` on average."""
    rng = random.Random(seed)
    names = [f"v{i}" for i in range(nodes)]
    edges = [
        (names[i], names[j])
        for j in range(1, nodes)
        for i in rng.sample(range(j), min(j, rng.randint(0, 2 * degree)))
    ]
    return DAG.from_edges(edges, nodes=names)


def confounded_ends(dag: DAG, seed: int) -> tuple[str, str]:
    """A treatment and an outcome among its effects, with back-door paths between them."""
    rng = random.Random(seed)
    while True:
        y = rng.choice(dag.nodes[len(dag) // 2 :])
        causes = [node for node in dag.ancestors(y) if node != y and dag.parents(node)]
        x = rng.choice(causes or dag.nodes)
        if causes and not is_adjustment_set(dag, x, y):
            return x, y


def best(call: Callable[[], Any], repeats: int = 3) -> float:
    """Shortest of the times the call takes, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def row(name: str, ours: float, peer: float | None, package: str, note: str = "") -> Row:
    """One line of the table."""
    version = importlib.metadata.version(package) if importlib.util.find_spec(package) else ""
    ratio = ours / peer if peer else None
    return {
        "name": name, "ours_seconds": ours, "peer_seconds": peer, "ratio": ratio,
        "peer": package, "peer_version": version, "note": note,
    }  # fmt: skip


def separation() -> list[Row]:
    """d-separation of random pairs given random sets, against ``networkx.is_d_separator``."""
    rows = []
    for degree in (1, 2, 5, 20):
        dag = random_dag(NODES, degree, seed=degree)
        graph = dag.to_networkx()
        rng = random.Random(degree)
        asked = []
        for _ in range(QUERIES):
            x, y, *given = rng.sample(dag.nodes, 2 + rng.choice([0, 1, 5, 30, 200]))
            asked.append((x, y, set(given)))
        ours = [d_separated(dag, x, y, z) for x, y, z in asked]
        theirs = [nx.is_d_separator(graph, x, y, z) for x, y, z in asked]
        if ours != theirs:
            raise RuntimeError("the two disagree")
        time_ours = best(lambda dag=dag, asked=asked: [d_separated(dag, *q) for q in asked])
        time_theirs = best(lambda graph=graph, asked=asked: [nx.is_d_separator(graph, *q) for q in asked])
        note = f"{QUERIES} questions, {len(dag.directed)} edges, {sum(ours)} separated, all answers equal"
        rows.append(
            row(
                f"d-separation, {NODES} nodes, {degree} causes per node",
                time_ours,
                time_theirs,
                "networkx",
                note,
            )
        )
    return rows


def adjustment() -> list[Row]:
    """Adjustment sets of one effect, against the ways dowhy offers to find them."""
    rows = []
    for degree in (2, 5, 10):
        dag = random_dag(NODES, degree, seed=3)
        x, y = confounded_ends(dag, seed=4)
        races = [("minimal", "default"), ("one", "minimal-adjustment"), ("optimal", "efficient-adjustment")]
        for kind, method in races:
            found = adjustment_sets(dag, x, y, kind)
            ours = best(lambda dag=dag, x=x, y=y, kind=kind: adjustment_sets(dag, x, y, kind))
            sizes = [len(members) for members in found]
            note = f"{len(found)}{'' if found.complete else ' (limit)'} of size {min(sizes)} to {max(sizes)}"
            peer, said = dowhy_seconds(dag, x, y, method)
            name = f"{kind} adjustment sets, {NODES} nodes, {degree} causes per node"
            rows.append(row(name, ours, peer, "dowhy", f"{note}; dowhy {method}: {said}"))
        for kind in ("minimum", "all"):
            ours = best(lambda dag=dag, x=x, y=y, kind=kind: adjustment_sets(dag, x, y, kind))
            rows.append(
                row(
                    f"{kind} adjustment sets, {NODES} nodes, {degree} causes per node",
                    ours,
                    None,
                    "dowhy",
                    "no peer",
                )
            )
        ours = best(lambda dag=dag, x=x, y=y: open_paths(dag, x, y))
        rows.append(
            row(
                f"100 shortest open paths, {NODES} nodes, {degree} causes per node",
                ours,
                None,
                "dowhy",
                "no peer",
            )
        )
    return rows


def dowhy_seconds(dag: DAG, x: str, y: str, method: str) -> tuple[float | None, str]:
    """Seconds dowhy needs, ``PATIENCE`` when it was stopped, None when it is not there or fails; and in words."""
    if importlib.util.find_spec("dowhy") is None:
        return None, "not installed"
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(
        target=_identify, args=(answers, dag.nodes, dag.directed, x, y, method), daemon=True
    )
    process.start()
    try:
        answers.get(timeout=300)  # imported
        kind, value = answers.get(timeout=PATIENCE)
        return (value, "finished") if kind == "seconds" else (None, value)
    except queue.Empty:
        return PATIENCE, f"stopped after {PATIENCE:.0f} s, the ratio is at most this"
    finally:
        process.kill()
        process.join()


def _identify(answers: Any, nodes: Any, edges: Any, x: str, y: str, method: str) -> None:
    import logging
    import warnings

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    from dowhy.causal_identifier.auto_identifier import BackdoorAdjustment, EstimandType, identify_effect_auto

    graph = nx.DiGraph(edges)
    graph.add_nodes_from(nodes)
    answers.put("imported")
    start = time.perf_counter()
    try:
        identify_effect_auto(
            graph, [x], [y], list(nodes), EstimandType.NONPARAMETRIC_ATE,
            backdoor_adjustment=BackdoorAdjustment(method),
        )  # fmt: skip
        answers.put(("seconds", time.perf_counter() - start))
    except Exception as error:
        answers.put(("failed", f"failed after {time.perf_counter() - start:.1f} s: {type(error).__name__}"))


def main() -> list[Row]:
    """All races of this room."""
    return separation() + adjustment()


if __name__ == "__main__":
    for line in main():
        peer = "-" if line["peer_seconds"] is None else f"{line['peer_seconds']:.4f}"
        ratio = "-" if line["ratio"] is None else f"{line['ratio']:.4f}"
        print(f"{line['name']:<60} {line['ours_seconds']:>9.4f} {peer:>9} {ratio:>8}  {line['note']}")
