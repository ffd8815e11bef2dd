"""Importing suppose loads no torch; where torch is missing, the refusal says what to install."""

from __future__ import annotations

import subprocess
import sys

import pytest

from suppose import nets
from suppose.core.errors import EstimationError

MISSING = """
import importlib.util, sys
import suppose, suppose.effects, suppose.nets, suppose.studies
assert "torch" not in sys.modules
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "torch" else found(name, *rest)
for ask in (lambda: suppose.effects.TransTEE, lambda: suppose.nets.EncoderBlock):
    try:
        ask()
    except ValueError as refusal:
        assert refusal.code == "missing-torch", refusal.code
        assert "pip install 'suppose[nets]'" in str(refusal)
    else:
        raise AssertionError("not refused")
"""


def test_torch_is_not_imported_and_its_lack_is_refused() -> None:
    done = subprocess.run([sys.executable, "-c", MISSING], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_lack_of_torch_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nets.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        EstimationError, match=r"TransTEE trains a network and needs the package torch.*suppose\[nets\]"
    ):
        nets.need_torch("TransTEE")


def test_names_of_the_room() -> None:
    assert {"EncoderBlock", "need_torch"} <= set(dir(nets))
    assert nets.EncoderBlock.__module__ == "suppose.nets.encoders"
    with pytest.raises(AttributeError, match="no attribute 'Encoder'"):
        nets.Encoder
