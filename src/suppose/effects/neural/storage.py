"""Fitted neural estimators on disk: weights as safetensors, everything else as JSON, checked by a hash.

Nothing in these files is code, and nothing is pickled. Graph treatments are written as edges.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from suppose.core.errors import DataError, EstimationError
from suppose.core.run import write_atomic
from suppose.effects.inference import EffectEstimate

__all__ = ["SCHEMA", "load_estimator", "save_estimator"]

SCHEMA = "suppose.neural/1"


def save_estimator(estimator: Any, path: Path) -> None:
    """Write the arrays to ``path`` and the rest to ``path`` with ``.json`` appended.

    Raises
    ------
    RunError
        When the files cannot be written.
    """
    from safetensors.numpy import save

    arrays: dict[str, np.ndarray] = {}
    plain: dict[str, Any] = {}
    for name, value in fitted_attributes(estimator).items():
        if isinstance(value, np.ndarray):
            arrays[f"array:{name}"] = np.ascontiguousarray(value)
        elif isinstance(value, dict) and all(isinstance(part, np.ndarray) for part in value.values()):
            arrays |= {f"item:{name}:{key}": np.ascontiguousarray(part) for key, part in value.items()}
        else:
            plain[name] = value
    data = save(arrays)
    settings = {name: _setting(value) for name, value in estimator.get_params(deep=False).items()}
    content = {
        "schema": SCHEMA, "class": type(estimator).__name__, "sha256": hashlib.sha256(data).hexdigest(),
        "settings": settings, "fitted": plain,
    }  # fmt: skip
    write_atomic(path, data)
    write_atomic(_beside(path), json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def load_estimator(kind: type, path: Path) -> Any:
    """The estimator written by :func:`save_estimator`.

    Raises
    ------
    DataError
        ``unreadable-model`` for missing, foreign or changed files.
    """
    from safetensors.numpy import load

    try:
        content = json.loads(_beside(path).read_text(encoding="utf-8"))
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(path, f"the model and its .json cannot be read ({error})") from error
    if (
        not isinstance(content, dict)
        or content.get("schema") != SCHEMA
        or content.get("class") != kind.__name__
    ):
        raise _unreadable(path, f"expected a {kind.__name__} of schema {SCHEMA}")
    if hashlib.sha256(data).hexdigest() != content["sha256"]:
        raise _unreadable(path, "the weights are not those the .json speaks of")
    settings = {name: _given(value) for name, value in content["settings"].items()}
    estimator = kind(**settings)
    for key, value in load(data).items():
        group, _, rest = key.partition(":")
        if group == "array":
            setattr(estimator, rest, value)
        else:
            name, _, part = rest.partition(":")
            setattr(estimator, name, {**getattr(estimator, name, {}), part: value})
    for name, value in content["fitted"].items():
        setattr(estimator, name, _given(value))
    estimator.effects_ = tuple(EffectEstimate(**fields) for fields in content["fitted"]["effects_"])
    estimator.effect_ = estimator.effects_[0]
    return estimator


def fitted_attributes(estimator: Any) -> dict[str, Any]:
    """Fitted attributes in forms that arrays and JSON hold."""
    found: dict[str, Any] = {}
    for name, value in vars(estimator).items():
        if not name.endswith("_") or name.startswith("_") or name == "effect_":
            continue
        if name == "effects_":
            found[name] = [dataclasses.asdict(effect) for effect in value]
        elif isinstance(value, np.ndarray) and value.dtype.hasobject:
            found[name] = {"names": [str(item) for item in value]}
        elif isinstance(value, (np.ndarray, dict)):
            found[name] = value
        else:
            found[name] = _setting(value)
    return found


def _setting(value: Any) -> Any:
    """A constructor argument as JSON."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if hasattr(value, "nodes") and hasattr(value, "edges"):
        place = {node: index for index, node in enumerate(value.nodes)}
        return {"graph": [len(place), [[place[a], place[b]] for a, b in value.edges]]}
    if isinstance(value, tuple):
        return {"tuple": [_setting(item) for item in value]}
    if isinstance(value, (list, np.ndarray)):
        return [_setting(item) for item in value]
    raise EstimationError("cannot-save", f"a value of type {type(value).__name__} cannot be written as JSON",
                          where="save", remedy="Use plain numbers, texts and lists as settings.")  # fmt: skip


def _given(value: Any) -> Any:
    if isinstance(value, dict) and "graph" in value:
        import networkx as nx

        graph = nx.empty_graph(value["graph"][0])
        graph.add_edges_from(map(tuple, value["graph"][1]))
        return graph
    if isinstance(value, dict) and "names" in value:
        return np.array(value["names"], dtype=object)
    if isinstance(value, dict) and "tuple" in value:
        return tuple(_given(item) for item in value["tuple"])
    return [_given(item) for item in value] if isinstance(value, list) else value


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _unreadable(path: Path, problem: str) -> DataError:
    return DataError("unreadable-model", problem, where=f"file {path.name!r}",
                     remedy="Give the path that save() was given, with the .json beside it.")  # fmt: skip
