"""The how-to page on augmentation runs as it stands, and its study file is the example's."""

from __future__ import annotations

import doctest
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "how-to" / "augmentation.rst"


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not beside the tests")
def test_the_page_runs() -> None:
    result = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE, encoding="utf-8"
    )
    assert result.attempted >= 15
    assert result.failed == 0


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not beside the tests")
def test_the_example_asks_what_the_page_shows() -> None:
    example = tomllib.loads((ROOT / "examples" / "optical_device.toml").read_text())
    block = PAGE.read_text().split(".. code-block:: toml\n\n")[1].split("\n\nNames of")[0]
    shown = tomllib.loads("\n".join(line.removeprefix("   ") for line in block.splitlines()))
    for section in ("data", "augmentation", "predict"):
        assert example[section] == shown[section]
