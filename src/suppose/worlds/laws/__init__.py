"""Laws: readable programs, learned from one recorded life, that say what an action would bring about.

A law says *when* it holds and what it *then* does to the attributes it governs; a model weighs laws by how well they
told what happened, and can be asked for probabilities, for samples and for its reasons (after OneLife, Khan et al.,
ICLR 2026, arXiv 2510.12088). States are nested dicts of plain values; a :class:`Schema` says what is in them.

>>> from suppose.worlds.laws import Law
>>> law = Law.parse('law wood when action == "do" and target == "tree" then player.inventory.wood += {1: 0.9, 0: 0.1}')
>>> law.name, str(law.when)
('wood', 'action == "do" and target == "tree"')
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "Add": "effects",
    "Attribute": "schema",
    "Collection": "schema",
    "Columns": "columns",
    "Distribution": "observables",
    "Expression": "expressions",
    "InductiveSynthesizer": "inductive",
    "InertiaModel": "baselines",
    "LLMSynthesizer": "llm",
    "Law": "law",
    "LawWorldModel": "model",
    "Observable": "observables",
    "Plan": "plans",
    "RandomModel": "baselines",
    "Remove": "effects",
    "Schema": "schema",
    "Set": "effects",
    "SetMaterial": "effects",
    "Spawn": "effects",
    "TrueModel": "baselines",
    "WorldModel": "baselines",
    "changes": "observables",
    "compare_plans": "plans",
    "evaluate_transitions": "evaluation",
    "evaluate_world_model": "evaluation",
    "parse": "expressions",
    "parse_laws": "law",
    "plain": "schema",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        home = importlib.import_module(f"suppose.worlds.laws.{_HOMES[name]}")
        return getattr(home, name)
    raise AttributeError(f"module 'suppose.worlds.laws' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
