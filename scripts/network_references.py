"""Marginals from pgmpy, the reference numbers of ``tests/graphs/networks``.

Run with an interpreter that has pgmpy: ``python scripts/network_references.py``. Every shipped network is asked
for all single marginals, without and with evidence, by pgmpy's variable elimination. Three larger networks that
pgmpy has with it are copied beside the tests and asked without evidence.
"""

from __future__ import annotations

import gzip
import json
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import pgmpy
from pgmpy.inference import VariableElimination
from pgmpy.readwrite import BIFReader

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "src/suppose/datasets/data/networks"
TESTS = ROOT / "tests/graphs/networks"
LARGER = ("hepar2", "andes", "pigs")
EVIDENCE: dict[str, dict[str, str]] = {
    "asia": {"xray": "yes", "dysp": "no"},
    "sachs": {"Akt": "HIGH", "Jnk": "LOW"},
    "alarm": {"HRBP": "HIGH", "BP": "LOW", "SAO2": "LOW"},
    "insurance": {"ThisCarCost": "HundredThou", "Age": "Adolescent"},
}


def marginals(name: str, given: dict[str, str], folder: Path = DATA) -> dict[str, dict[str, float]]:
    """Probability of every state of every vertex that is not given."""
    with gzip.open(folder / f"{name}.bif.gz", "rt", encoding="utf-8") as file:
        model = BIFReader(string=file.read()).get_model()
    for table in model.get_cpds():
        table.normalize()
    engine = VariableElimination(model)
    found: dict[str, Any] = {}
    for node in sorted(set(model.nodes()) - set(given)):
        table = engine.query([node], evidence=given or None, show_progress=False)
        states = table.state_names[node]
        found[node] = dict(zip(map(str, states), map(float, table.values), strict=True))
    return found


def main() -> None:
    """Write the numbers."""
    content: dict[str, Any] = {"pgmpy": metadata.version("pgmpy")}
    for name, given in EVIDENCE.items():
        content[name] = {"plain": marginals(name, {}), "given": given, "conditional": marginals(name, given)}
    TESTS.mkdir(parents=True, exist_ok=True)
    (TESTS / "marginals.json").write_text(json.dumps(content) + "\n", encoding="utf-8")
    examples = Path(pgmpy.__file__).parent / "utils/example_models"
    larger: dict[str, Any] = {"pgmpy": metadata.version("pgmpy")}
    for name in LARGER:
        shutil.copyfile(examples / f"{name}.bif.gz", TESTS / f"{name}.bif.gz")
        found = marginals(name, {}, TESTS)
        larger[name] = {node: {s: round(p, 13) for s, p in table.items()} for node, table in found.items()}
    (TESTS / "marginals_larger.json").write_text(json.dumps(larger) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
