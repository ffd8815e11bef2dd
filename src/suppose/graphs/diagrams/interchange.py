"""Diagrams in other libraries: discopy's Markov categories.

discopy (de Felice, Toumi & Coecke, 2020) draws and rewrites diagrams of many kinds of category. Its ``markov`` module
has copy and discard; a uniform state becomes a box of that name.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from suppose.core.errors import EstimationError
from suppose.graphs.diagrams.diagram import Box, Diagram

__all__ = ["to_discopy"]


def to_discopy(diagram: Diagram) -> Any:
    """The diagram as a ``discopy.markov.Diagram``.

    Raises
    ------
    EstimationError
        ``missing-backend`` when discopy is not installed.
    """
    if importlib.util.find_spec("discopy") is None:
        raise EstimationError(
            "missing-backend", "the package 'discopy' is not installed",
            where="to_discopy", remedy="Install it with: pip install discopy.",
        )  # fmt: skip
    markov = importlib.import_module("discopy.markov")
    wires = list(diagram.dom.objects)
    result = markov.Id(_type(markov, wires))
    for offset, box in diagram.layers:
        end = offset + len(box.dom)
        left, right = _type(markov, wires[:offset]), _type(markov, wires[end:])
        result = result >> markov.Id(left) @ _generator(markov, box) @ markov.Id(right)
        wires[offset:end] = box.cod.objects
    return result


def _type(markov: Any, names: Any) -> Any:
    made = markov.Ty()
    for name in names:
        made = made @ markov.Ty(name)
    return made


def _generator(markov: Any, box: Box) -> Any:
    dom, cod = _type(markov, box.dom), _type(markov, box.cod)
    if box.kind == "swap":
        return markov.Diagram.swap(
            _type(markov, list(box.dom)[: box.split]), _type(markov, list(box.dom)[box.split :])
        )
    if box.kind in ("copy", "discard"):
        legs = len(box.cod) // len(box.dom)
        return markov.Diagram.copy(dom, legs)
    return markov.Box("uniform" if box.kind == "uniform" else box.name, dom, cod)
