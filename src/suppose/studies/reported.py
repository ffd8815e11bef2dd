"""Studies that write what people read: the HTML report, the tables and the figures of a run."""

from __future__ import annotations

from pathlib import Path

from suppose.core.answer import Answer
from suppose.core.study import Study

__all__ = ["ReportedStudy"]


class ReportedStudy(Study):
    """A study whose run folder holds a report; every question kind derives from it."""

    def write_report(self, answer: Answer, folder: Path) -> None:
        """Write ``report.html``, ``tables/`` and ``figures/`` beside ``answer.json``."""
        from suppose.report import write

        write(answer, folder)
