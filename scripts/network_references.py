"""Marginals of shipped networks from pgmpy, the reference numbers of ``tests/graphs/networks``.

Run with an interpreter that has pgmpy: ``python scripts/network_references.py``. Every network is asked for all
single marginals, without and with evidence, by pgmpy's variable elimination.
"""

from __future__ import annotations

import gzip
import json
from importlib import metadata
from pathlib import Path
from typing import Any

from pgmpy.inference import VariableElimination
from pgmpy.readwrite import BIFReader

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "src/suppose/datasets/data/networks"
EVIDENCE: dict[str, dict[str, str]] = {
    "asia": {"xray": "yes", "dysp": "no"},
    "sachs": {"Akt": "HIGH", "Jnk": "LOW"},
    "alarm": {"HRBP": "HIGH", "BP": "LOW", "SAO2": "LOW"},
    "insurance": {"ThisCarCost": "HundredThou", "Age": "Adolescent"},
}


def marginals(name: str, given: dict[str, str]) -> dict[str, list[float]]:
    """Probability of every state of every vertex that is not given."""
    with gzip.open(DATA / f"{name}.bif.gz", "rt", encoding="utf-8") as file:
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
    path = ROOT / "tests/graphs/networks/marginals.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
