"""The how-to page runs, and every refusal of this room has its page."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "graphs.rst"


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not beside the tests")
def test_the_how_to_page_runs():
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    result = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags, encoding="utf-8")
    assert result.attempted > 10 and result.failed == 0


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not beside the tests")
def test_every_refusal_has_its_page():
    sources = (ROOT / "src" / "suppose" / "graphs").glob("*.py")
    codes = {
        c for path in sources for c in re.findall(r'GraphError\(\s*"([a-z-]+)"', path.read_text("utf-8"))
    }
    assert len(codes) >= 15
    missing = [code for code in sorted(codes) if not (ROOT / "docs" / "errors" / f"{code}.rst").exists()]
    assert not missing
