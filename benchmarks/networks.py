"""Discrete networks of the bnlearn repository: all marginals and single questions, beside pgmpy and pyAgrum.

Run ``python -m benchmarks.networks`` with an interpreter that has pgmpy (whose files are read) and pyAgrum. Times
are CPU seconds on one thread. Every library reads the same text, in a process of its own whose start and reading
are not counted, does each task three times (once where it takes over ten seconds) and is stopped after
:data:`PATIENCE` seconds; the best time counts, and answers must agree within 1e-9 before times are compared. A
ratio below one means that suppose is faster.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import multiprocessing
import os
import queue
import random
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ALL = ("alarm", "hepar2", "hailfinder", "win95pts", "andes", "pigs", "diabetes", "mildew", "barley", "munin",
       "link")  # fmt: skip
ASKED = ("alarm", "hepar2", "hailfinder", "win95pts", "andes", "pigs")
QUESTIONS = 20
PATIENCE = 120.0
SLOW = 10.0
TOLERANCE = 1e-9
Row = dict[str, Any]
Answers = dict[str, dict[str, float]]
Question = tuple[str, dict[str, str]]


def network_file(name: str) -> Path | None:
    """The file of a network, from pgmpy or from the package itself."""
    spec = importlib.util.find_spec("pgmpy")
    folders = [Path(str(spec.origin)).parent / "utils" / "example_models"] if spec else []
    import suppose.datasets.networks as shipped

    for folder in (*folders, shipped.FOLDER):
        if (path := folder / f"{name}.bif.gz").exists():
            return path
    return None


def best(call: Callable[[], Any]) -> tuple[float, Any]:
    """Least CPU time of three calls (of one, where that takes long), and the answer."""
    times = []
    for _ in range(3):
        start = time.process_time()
        answer = call()
        times.append(time.process_time() - start)
        if times[-1] > SLOW:
            break
    return min(times), answer


# -- the three libraries: each a function from text and questions to times and answers --------------------------


def suppose_tasks(path: str, questions: list[Question]) -> dict[str, Callable[[], Any]]:
    """Ours. A fresh network every time, so that no order of sums is remembered."""
    from suppose.graphs.networks import DiscreteNetwork

    network = DiscreteNetwork.from_bif(path)

    def fresh() -> DiscreteNetwork:
        return DiscreteNetwork(network.graph, network.tables)

    def named(table: Any) -> dict[str, float]:
        return dict(zip(table.states[0], map(float, table.values), strict=True))

    return {
        "marginals": lambda: {name: named(table) for name, table in fresh().marginals().items()},
        "questions": lambda: [named(network.query(node, given=given)) for node, given in questions],
    }


def pgmpy_tasks(path: str, questions: list[Question]) -> dict[str, Callable[[], Any]]:
    """pgmpy: variable elimination, one question at a time (its junction tree does not fit into memory)."""
    from pgmpy.inference import VariableElimination
    from pgmpy.readwrite import BIFReader

    model = BIFReader(path).get_model()
    for table in model.get_cpds():
        table.normalize()
    engine = VariableElimination(model)

    def asked(node: str, given: dict[str, str] | None) -> dict[str, float]:
        table = engine.query([node], evidence=given or None, show_progress=False)
        return dict(zip(map(str, table.state_names[node]), map(float, table.values), strict=True))

    return {
        "marginals": lambda: {node: asked(node, None) for node in model.nodes()},
        "questions": lambda: [asked(node, given) for node, given in questions],
    }


def pyagrum_tasks(path: str, questions: list[Question]) -> dict[str, Callable[[], Any]]:
    """pyAgrum: lazy propagation. Its reader rounds to single precision, so that its tables are filled in."""
    import pyagrum

    from suppose.graphs.networks import DiscreteNetwork

    pyagrum.setNumberOfThreads(1)
    model = pyagrum.BayesNet()
    tables = DiscreteNetwork.from_bif(path).tables
    for name, table in tables.items():
        model.add(pyagrum.LabelizedVariable(name, name, list(table.states[0])))
    for name, table in tables.items():
        for parent in table.variables[1:]:
            model.addArc(parent, name)
        order = tuple(model.cpt(name).names)
        model.cpt(name).fillWith(table.reorder(order).values.ravel(order="F").tolist())

    def named(node: str, table: Any) -> dict[str, float]:
        return dict(zip(model.variable(node).labels(), table.tolist(), strict=True))

    def marginals() -> Answers:
        engine = pyagrum.LazyPropagation(model)
        engine.makeInference()
        return {node: named(node, engine.posterior(node)) for node in model.names()}

    def asked(node: str, given: dict[str, str]) -> dict[str, float]:
        engine = pyagrum.LazyPropagation(model)
        engine.setEvidence(given)
        engine.addTarget(node)
        engine.makeInference()
        return named(node, engine.posterior(node))

    return {"marginals": marginals, "questions": lambda: [asked(node, given) for node, given in questions]}


LIBRARIES = {"suppose": suppose_tasks, "pgmpy": pgmpy_tasks, "pyagrum": pyagrum_tasks}


def _child(answers: Any, library: str, path: str, questions: list[Question], tasks: Iterable[str]) -> None:
    """The work of one library in a process of its own."""
    import logging
    import warnings

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    try:
        made = LIBRARIES[library](path, questions)
        answers.put(("ready", None, None))
        for task in tasks:
            answers.put((task, *best(made[task])))
    except Exception as error:
        answers.put(("failed", f"{type(error).__name__}: {str(error)[:80]}", None))


def raced(library: str, path: str, questions: list[Question], tasks: list[str]) -> dict[str, tuple[Any, Any]]:
    """Time and answer by task; the time in words where there is none."""
    if importlib.util.find_spec(library) is None:
        return dict.fromkeys(tasks, ("not installed", None))
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=_child, args=(answers, library, path, questions, tasks), daemon=True)
    process.start()
    found: dict[str, tuple[Any, Any]] = {}
    words = f"stopped after {PATIENCE:.0f} s"
    try:
        while len(found) < len(tasks):
            task, seconds, answer = answers.get(timeout=PATIENCE)
            if task == "failed":
                words = seconds
                break
            if task != "ready":
                found[task] = (seconds, answer)
    except queue.Empty:
        pass
    finally:
        process.kill()
        process.join()
    return {task: found.get(task, (words, None)) for task in tasks}


def difference(ours: Any, theirs: Any) -> float:
    """Greatest difference of two answers of the same form."""
    if isinstance(ours, dict):
        return max(difference(value, theirs[key]) for key, value in ours.items())
    if isinstance(ours, list):
        return max(difference(*pair) for pair in zip(ours, theirs, strict=True))
    return abs(ours - theirs)


def asked_of(network: Any) -> list[Question]:
    """Random questions: one vertex given three others, whose states were drawn together."""
    rng = random.Random(1)
    rows = network.sample(QUESTIONS, seed=1).astype(str).to_dict("records")
    found = []
    for row in rows:
        node, *given = rng.sample(network.graph.nodes, 4)
        found.append((node, {name: row[name] for name in given}))
    return found


def race(name: str, folder: Path) -> list[Row]:
    """One line per task and peer."""
    from suppose.graphs.networks import DiscreteNetwork

    file = network_file(name)
    if file is None:
        return []
    network = DiscreteNetwork.from_bif(file, normalize=True)
    path = folder / f"{name}.bif"
    path.write_text(network.to_bif(), encoding="utf-8")
    tasks = ["marginals"] + (["questions"] if name in ASKED else [])
    questions = asked_of(network) if name in ASKED else []
    found = {library: raced(library, str(path), questions, tasks) for library in LIBRARIES}
    rows = []
    for task in tasks:
        seconds, ours = found["suppose"][task]
        if ours is None:
            raise RuntimeError(f"{name}: {seconds}")
        what = "all marginals" if task == "marginals" else f"{QUESTIONS} questions, three vertices seen"
        for peer in ("pyagrum", "pgmpy"):
            theirs, answer = found[peer][task]
            row: Row = {
                "name": f"{name} ({len(network.graph)} vertices): {what}", "ours_seconds": seconds, "peer": peer,
                "peer_version": importlib.metadata.version(peer) if importlib.util.find_spec(peer) else "",
            }  # fmt: skip
            if answer is None:
                row["note"] = theirs
            else:
                gap = difference(ours, answer)
                if not gap <= TOLERANCE:
                    raise RuntimeError(f"{name}: suppose and {peer} differ by {gap:.3g}")
                row |= {"peer_seconds": theirs, "ratio": seconds / theirs, "note": f"agree within {gap:.0e}"}
            rows.append(row)
    return rows


def main(names: Iterable[str] = ALL) -> list[Row]:
    """All races of this room."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    with tempfile.TemporaryDirectory() as folder:
        return [row for name in names for row in race(name, Path(folder))]


if __name__ == "__main__":
    import sys

    for line in main(sys.argv[1:] or ALL):
        figures = [line.get(key) for key in ("ours_seconds", "peer_seconds", "ratio")]
        shown = " ".join("-".rjust(9) if figure is None else f"{figure:9.4f}" for figure in figures)
        print(f"{line['name']:<66} {shown}  {line['peer']:<8} {line['note']}", flush=True)
