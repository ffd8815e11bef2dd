"""Parts of an answer as a study gathers them, and fitted estimators as checkpoints.

A step of a run gives back arrays and JSON. :class:`Parts` is the JSON form of findings, checks,
tables, figures and notes; :func:`freeze` and :func:`thaw` carry the fitted attributes of an effect
estimator through a checkpoint without pickle (fitted learners stay behind: no diagnostic needs them).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from suppose.core.answer import Check, Figure, Finding, Table
from suppose.core.study import Steps
from suppose.effects.inference import EffectEstimate

LEFT_BEHIND = ("covariates_",)  # columns of the study's own table

__all__ = ["Parts", "fitted_step", "freeze", "parts_step", "thaw"]


class Parts(BaseModel):
    """Findings, checks, tables, figures and notes, in order.

    Examples
    --------
    >>> both = Parts(notes=("first",)) + Parts(notes=("second",))
    >>> both.notes
    ('first', 'second')
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    findings: tuple[Finding, ...] = ()
    checks: tuple[Check, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()

    def __add__(self, other: Any) -> Any:
        names = ("findings", "checks", "tables", "figures", "notes")
        return Parts(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @staticmethod
    def joined(parts: Iterable[Any]) -> Any:
        """All parts one after the other."""
        whole = Parts()
        for part in parts:
            whole = whole + part
        return whole


def parts_step(steps: Steps, name: str, compute: Callable[[], Parts]) -> Parts:
    """Parts computed as a named step of a run."""
    result = steps.step(name, lambda: _packed(compute()))
    figures = tuple(
        Figure.of(svg=svg, **fields) for fields, svg in zip(result["figures"], result["svg"], strict=True)
    )
    return Parts.model_validate({**result["parts"], "figures": figures})


def _packed(parts: Parts) -> dict[str, Any]:
    content = parts.model_dump(mode="json")
    figures = [
        {key: getattr(figure, key) for key in ("name", "title", "caption", "alt")} for figure in parts.figures
    ]
    return {
        "parts": {**content, "figures": []},
        "figures": figures,
        "svg": [figure.svg for figure in parts.figures],
    }


def fitted_step(steps: Steps, name: str, estimator: Any, X: Any, y: Any) -> Any:
    """The estimator with the fitted attributes of a named step; its learners, which may be large, are let go."""
    from sklearn.base import clone

    fitted = thaw(estimator, steps.step(name, lambda: freeze(clone(estimator).fit(X, y))))
    fitted.covariates_ = np.ascontiguousarray(X[list(fitted.covariate_names_)], dtype=np.float64)
    return fitted


def freeze(estimator: Any) -> dict[str, Any]:
    """Fitted attributes of an effect estimator as arrays and JSON."""
    result: dict[str, Any] = {}
    plain: dict[str, Any] = {}
    for name, value in vars(estimator).items():
        if not name.endswith("_") or name.startswith("_") or name in LEFT_BEHIND:
            continue
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            result[f"array:{name}"] = value
        elif isinstance(value, Mapping) and value and all(isinstance(v, np.ndarray) for v in value.values()):
            result |= {f"item:{name}:{key}": array for key, array in value.items()}
        elif name == "effects_":
            plain[name] = [dataclasses.asdict(effect) for effect in value]
        elif value is None or isinstance(value, (str, bool, int, float)):
            plain[name] = value
        elif isinstance(value, (list, tuple)) and all(isinstance(item, (str, int, float)) for item in value):
            plain[name] = {"tuple": list(value)}
    return {"plain": plain, **result}


def thaw(estimator: Any, frozen: Mapping[str, Any]) -> Any:
    """The estimator with the attributes :func:`freeze` kept."""
    for key, value in frozen.items():
        kind, _, rest = key.partition(":")
        if kind == "array":
            setattr(estimator, rest, value)
        elif kind == "item":
            name, _, part = rest.partition(":")
            setattr(estimator, name, {**getattr(estimator, name, {}), part: value})
    for name, value in frozen["plain"].items():
        setattr(estimator, name, tuple(value["tuple"]) if isinstance(value, dict) else value)
    estimator.effects_ = tuple(EffectEstimate(**fields) for fields in frozen["plain"]["effects_"])
    estimator.effect_ = estimator.effects_[0]
    return estimator
