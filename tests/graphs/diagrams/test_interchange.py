"""Export to discopy: the same boxes in the same places, and the refusal where it is not installed."""

from __future__ import annotations

import importlib.util

import pytest

from suppose.core.errors import EstimationError
from suppose.graphs import DAG
from suppose.graphs.diagrams import Diagram, Ty, interchange

DIAGRAM = Diagram.from_dag(DAG("S -> T -> C; S <-> C"))


def test_without_discopy_there_is_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interchange.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        EstimationError, match=r"'discopy' is not installed. Install it with: pip install"
    ) as caught:
        DIAGRAM.to_discopy()
    assert caught.value.code == "missing-backend"


@pytest.mark.peer
@pytest.mark.skipif(importlib.util.find_spec("discopy") is None, reason="discopy is not installed")
def test_discopy_gets_the_same_diagram() -> None:
    other = DIAGRAM.to_discopy()
    assert str(other.dom) == "Ty()" and str(other.cod) == "S @ T @ C"
    names = [box.name for box in other.boxes if type(box).__name__ == "Box"]
    assert names == [box.name for box in DIAGRAM.boxes]
    cut = DIAGRAM.cut("S").to_discopy()
    assert [box.name for box in cut.boxes].count("uniform") == 1
    assert str(Diagram.copy(Ty("A", "B"), 3).to_discopy().cod) == "A @ B @ A @ B @ A @ B"
    assert str(Diagram.swap(Ty("A", "B"), "C").to_discopy().cod) == "C @ A @ B"
