"""Export to discopy: the same boxes in the same places, and the refusal where it is not installed."""

from __future__ import annotations

import importlib.util
import types

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


class Said:
    """Stands in for discopy: says what was composed, checks types as it does."""

    def __init__(self, text: str, dom: tuple[str, ...] = (), cod: tuple[str, ...] = ()) -> None:
        self.text, self.dom, self.cod = text, dom, cod

    def __matmul__(self, other: Said) -> Said:
        parts = [part for part in (self.text, other.text) if part]
        return Said(" @ ".join(parts), self.dom + other.dom, self.cod + other.cod)

    def __rshift__(self, other: Said) -> Said:
        assert self.cod == other.dom
        return Said(f"{self.text} >> {other.text}", self.dom, other.cod)


def stand_in() -> types.ModuleType:
    markov = types.ModuleType("discopy.markov")
    markov.Ty = lambda *names: Said(" @ ".join(names), names, names)
    markov.Id = lambda wires: Said(wires.text, wires.dom, wires.dom)
    markov.Box = lambda name, dom, cod: Said(name, dom.dom, cod.dom)
    markov.Diagram = types.SimpleNamespace(
        copy=lambda wires, legs: Said(f"Copy({wires.text}, {legs})", wires.dom, wires.dom * legs),
        swap=lambda a, b: Said(f"Swap({a.text}, {b.text})", a.dom + b.dom, b.dom + a.dom),
    )
    return markov


def test_what_discopy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same calls that the test beside the real library makes, without it."""
    monkeypatch.setattr(interchange.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(interchange.importlib, "import_module", lambda name: stand_in())
    whole = DIAGRAM.cut("S").to_discopy()
    assert whole.cod == ("S", "T", "C") and whole.dom == ()
    assert whole.text.startswith(" >> S~C >> Copy(S~C, 2) >> Copy(S~C, 0) @ S~C >> uniform @ S~C")
    swapped = Diagram.swap(Ty("A", "B"), "C").to_discopy()
    assert swapped.text == "A @ B @ C >> Swap(A @ B, C)" and swapped.cod == ("C", "A", "B")
    assert Diagram.copy(Ty("A", "B"), 3).to_discopy().cod == ("A", "B") * 3


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
