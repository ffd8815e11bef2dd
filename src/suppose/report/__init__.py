"""Reports of an answer: one self-contained HTML page, plain tables, and the same in the terminal.

>>> from suppose.report import write
>>> from suppose.report.terminal import show
"""

from suppose.report.files import write, write_figures, write_tables
from suppose.report.html import render
from suppose.report.terminal import render_text, show

__all__ = ["render", "render_text", "show", "write", "write_figures", "write_tables"]
