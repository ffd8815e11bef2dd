"""Render the sample report and picture it: widths, light and dark, paper. For looking at, by a person.

Usage: ``python scripts/render_report.py FOLDER``; pictures need Chromium.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from suppose.report import render_text, write

TESTS = Path(__file__).resolve().parent.parent / "tests" / "report"


def main(folder: Path) -> None:
    """Write the report, its text and its pictures into ``folder``."""
    answer = runpy.run_path(str(TESTS / "sample.py"))["sample_answer"]()
    page = write(answer, folder)
    for width in (100, 60):
        (folder / f"terminal-{width}.txt").write_text(render_text(answer, width, folder=folder), "utf-8")
    browser = runpy.run_path(str(TESTS / "browser.py"))
    if browser["CHROMIUM"] is None:
        sys.stderr.write("Chromium is not installed: no pictures.\n")
        return
    with browser["Browser"]() as window:
        for width in (1280, 820, 390, 360):
            for dark in (False, True):
                window.view(width, dark=dark)
                window.open(page)
                window.picture(folder / f"{width}-{'dark' if dark else 'light'}.png")
        window.view(1280, dark=True, media="")
        window.pdf(folder / "paper.pdf")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
