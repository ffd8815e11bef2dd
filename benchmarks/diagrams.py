"""String diagrams measured: equality under rewrites, the functor against its definition, and a race with discopy.

Run ``python -m benchmarks.diagrams``; writes ``docs/tables/diagrams.csv``. discopy is raced where it is installed: its
Markov functor into tensors evaluates a diagram layer by layer, in a process of its own that is stopped after
:data:`PATIENCE` seconds and may not pass :data:`MEMORY` bytes. Both sides get the same diagram and tables, and must
agree within 1e-9 before their times are compared. A ratio below one means that suppose is faster.
"""

from __future__ import annotations

import csv
import importlib.util
import multiprocessing
import queue
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from suppose.graphs.diagrams import Diagram, Functor, Ty
from suppose.graphs.networks import load_network

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "tables" / "diagrams.csv"
PATIENCE, MEMORY = 60.0, 3 * 2**30
"""Seconds and bytes that discopy gets."""
RACES = (("asia", ("smoke", "dysp")), ("sachs", ("Mek", "Erk", "Akt")))
Row = tuple[str, str, str]


def making() -> ModuleType:
    """Random diagrams and rewrites, which lie beside the tests."""
    path = ROOT / "tests" / "graphs" / "diagrams" / "making.py"
    spec = importlib.util.spec_from_file_location("suppose_benchmark_making", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def rewrites(made: ModuleType, count: int) -> list[Row]:
    """Random diagrams, each rewritten by twelve random uses of the laws."""
    rng = np.random.default_rng(1)
    equal, off, stepwise, functor = 0, 0.0, 0.0, 0.0
    for seed in range(count):
        diagram = made.random_diagram(rng, layers=8)
        other = made.rewritten(diagram, rng, steps=12)
        meaning = made.functor(seed)
        whole = meaning(diagram).values
        equal += other == diagram
        off = max(off, float(np.abs(meaning(other).values - whole).max()))
        stepwise = max(stepwise, float(np.abs(made.stepwise(meaning, diagram).values - whole).max()))
        f = made.random_diagram(rng, layers=4, dom=diagram.cod)
        parts = (meaning(diagram) >> meaning(f)).values
        functor = max(functor, float(np.abs(meaning(diagram >> f).values - parts).max()))
    return [
        (
            f"{count:,} random diagrams equal to their rewrites, each by 12 uses of the laws",
            f"{count:,}",
            f"{equal:,}",
        ),
        ("the same: largest difference of their channels", "1e-12", f"{off:.1e}"),
        ("contraction against the product of layers, largest difference", "1e-12", f"{stepwise:.1e}"),
        ("F(f >> g) against F(f) then F(g), largest difference", "1e-12", f"{functor:.1e}"),
    ]


def different(made: ModuleType, count: int) -> list[Row]:
    """Random diagrams of one type: normal forms against what generic tables tell apart."""
    forms: dict[Any, tuple[Any, ...]] = {}
    wrong = 0
    for seed, dom in enumerate((Ty(), Ty("A"), Ty("A", "B"))):
        rng, meaning = np.random.default_rng(seed), made.functor(seed)
        seen: dict[Any, Any] = {}
        for _ in range(count // 3):
            diagram = made.random_diagram(rng, layers=int(rng.integers(1, 5)), dom=dom, most=3)
            form = (seed, diagram.normal_form())
            value = (seed, diagram.cod, *meaning(diagram).values.round(9).reshape(-1))
            wrong += forms.setdefault(form, value) != value or seen.setdefault(value, form) != form
    stated = (
        f"{count:,} random diagrams, {len(forms)} different: told apart by generic tables and not by normal form, "
        "or the reverse"
    )
    return [(stated, "0", str(wrong))]


def cpu(call: Callable[[], Any], repeats: int = 3) -> tuple[float, Any]:
    """Least CPU time of some calls, and the answer."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        answer = call()
        times.append(time.process_time() - start)
    return min(times), answer


def large() -> list[Row]:
    """A network of 200 vertices with two parents each, its functor and its normal form."""
    rng = np.random.default_rng(3)
    states, tables = {f"v{k}": ("no", "yes") for k in range(200)}, {}
    for k in range(200):
        parents = min(k, 2)
        tables[f"v{k}"] = rng.dirichlet(np.ones(2), size=2**parents).T.reshape([2] * (1 + parents))
    text = "; ".join(f"v{k} -> v{k + d}" for k in range(200) for d in (1, 2) if k + d < 200)
    made, world = cpu(lambda: Diagram.from_dag(text, shown=["v0", "v199"]))
    meaning = Functor(tables, states)
    contracted, _ = cpu(lambda: meaning(world))
    compared, same = cpu(lambda: Diagram(world.dom, world.layers) == world.simplified())
    assert same
    return [
        ("200 vertices, joint of the first and the last: CPU seconds to contract", "a good order", f"{contracted:.3f}"),
        ("the same: CPU seconds to write the diagram; to compare it with its simplified form", "",
         f"{made:.3f}; {compared:.3f}"),
    ]  # fmt: skip


def discopy_channel(world: Diagram, meaning: Functor) -> Any:
    """The same channel by discopy: a Markov functor into tensors."""
    from discopy import markov
    from discopy.cat import Category
    from discopy.tensor import Dim, Tensor

    objects = {
        name: len(meaning.states_of(name))
        for name in {n for box in world.boxes for n in (*box.dom, *box.cod)}
    }
    arrows = {}
    for box in world.boxes:
        array = meaning.array(box)
        order = [*range(len(box.cod), array.ndim), *range(len(box.cod))]  # discopy: inputs first
        dims = [Dim(*(objects[name] for name in side)) for side in (box.dom, box.cod)]
        key = markov.Box(box.name, *(_discopy_type(markov, side) for side in (box.dom, box.cod)))
        arrows[key] = Tensor[float](np.ascontiguousarray(array.transpose(order)), *dims)
    functor = markov.Functor(
        ob={markov.Ty(name): Dim(size) for name, size in objects.items()},
        ar=arrows,
        cod=Category(Dim, Tensor[float]),
    )
    return functor(world.to_discopy()).array


def _discopy_type(markov: Any, names: Ty) -> Any:
    made = markov.Ty()
    for name in names:
        made = made @ markov.Ty(name)
    return made


def _timed(name: str, shown: tuple[str, ...], answers: Any) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    network = load_network(name)
    world, meaning = Diagram.from_dag(network.graph, shown=shown), Functor(network)
    try:
        answers.put(cpu(lambda: discopy_channel(world, meaning)))
    except MemoryError:
        answers.put(None)


def race(name: str, shown: tuple[str, ...]) -> Row:
    """One network through both functors."""
    network = load_network(name)
    world, meaning = Diagram.from_dag(network.graph, shown=shown), Functor(network)
    ours, answer = cpu(lambda: meaning(world).values)
    stated = f"{name}, joint of {len(shown)} of {len(network.graph)} vertices: CPU seconds, discopy's, ratio"
    if importlib.util.find_spec("discopy") is None:
        return stated, "below 1", f"{ours:.4f}; discopy is not installed"
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=_timed, args=(name, shown, answers))
    process.start()
    try:
        found = answers.get(timeout=PATIENCE)
    except queue.Empty:
        return stated, "below 1", f"{ours:.4f}; discopy stopped after {PATIENCE:.0f} s"
    finally:
        process.kill()
        process.join()
    if found is None:
        return stated, "below 1", f"{ours:.4f}; discopy needs more than {MEMORY / 2**30:.0f} GiB"
    theirs, other = found
    assert np.allclose(np.asarray(other), answer, rtol=0, atol=1e-9)
    return stated, "below 1", f"{ours:.4f}; {theirs:.4f}; {ours / theirs:.3f}"


def main() -> list[Row]:
    """All figures, written to the table."""
    made = making()
    rows = [*rewrites(made, 1000), *different(made, 3000), *large(), *(race(*task) for task in RACES)]
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("statement", "asked", "measured"))
        writer.writerows(rows)
    return rows


if __name__ == "__main__":
    for row in main():
        print(" | ".join(row))
