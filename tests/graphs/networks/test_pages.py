"""The how-to pages of networks and structural models run."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

PAGES = Path(__file__).resolve().parents[3] / "docs" / "how-to"


@pytest.mark.skipif(not PAGES.exists(), reason="the documentation is not beside the tests")
@pytest.mark.parametrize("name", ["networks", "structural"])
def test_the_page_runs(name) -> None:
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testfile(
        str(PAGES / f"{name}.rst"), module_relative=False, optionflags=flags, encoding="utf-8"
    )
    assert result.attempted > 10 and result.failed == 0
