"""The how-to page on modes of answering runs as it stands, and lists every key of a survey study."""

from __future__ import annotations

import doctest
import tomllib
from pathlib import Path

import pytest

from suppose.studies.survey import Bias, Calibration, Graph, Method, Rates, Roles

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "survey.rst"
SECTIONS = {
    "roles": Roles, "graph": Graph, "method": Method, "bias": Bias, "rates": Rates, "calibration": Calibration,
}  # fmt: skip

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not beside the tests")


def test_the_page_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE, encoding="utf-8"
    )
    assert result.attempted >= 20
    assert result.failed == 0


def test_every_key_is_listed() -> None:
    block = PAGE.read_text(encoding="utf-8").partition("All sections and keys")[2]
    lines = block.partition(".. code-block:: toml\n")[2].lstrip("\n").splitlines()
    end = next(k for k, line in enumerate(lines) if line and not line.startswith("   "))
    listed = tomllib.loads("\n".join(line[3:] for line in lines[:end]))
    assert set(listed) == set(SECTIONS)
    for name, section in SECTIONS.items():
        assert set(listed[name]) == set(section.model_fields), name
        assert section.model_validate(listed[name])
