"""Render the sample report and picture it: widths, light and dark, paper. For looking at, by a person.

Usage: ``python scripts/render_report.py FOLDER``; pictures need Chromium.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from suppose.report import render_text, write

TESTS = Path(__file__).resolve().parent.parent / "tests" / "report"


def load(name: str) -> ModuleType:
    """A module of the report's tests."""
    spec = importlib.util.spec_from_file_location(name, TESTS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(folder: Path) -> None:
    """Write the report, its text and its pictures into ``folder``."""
    answer = load("sample").sample_answer()
    page = write(answer, folder)
    for width in (100, 60):
        (folder / f"terminal-{width}.txt").write_text(render_text(answer, width, folder=folder), "utf-8")
    browser = load("browser")
    if browser.CHROMIUM is None:
        sys.stderr.write("Chromium is not installed: no pictures.\n")
        return
    with browser.Browser() as window:
        for width in (1280, 820, 390, 360):
            for dark in (False, True):
                window.view(width, dark=dark)
                window.open(page)
                window.picture(folder / f"{width}-{'dark' if dark else 'light'}.png")
        window.view(1280, dark=True, media="")
        window.pdf(folder / "paper.pdf")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
