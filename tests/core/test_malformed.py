"""How many malformed studies, tables and commands the tests refuse: at least the sixty that are asked for.

The cases stand where they are tested; here they are counted. Shown with ``pytest -rP``.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PLACES = {
    "malformed studies": ("studies/test_effect.py", "STUDIES"),
    "files that are no studies": ("studies/test_effect.py", "FILES"),
    "malformed table files": ("core/test_tables.py", "MALFORMED"),
    "wild paths": ("core/test_tables.py", "test_wild_paths_are_refused"),
    "unusable columns": ("core/test_columns.py", "REFUSED"),
    "mistyped commands": ("test_cli.py", "test_refusals_have_no_traceback"),
}


def count(path, name):
    """Cases of a dictionary, or of the first list a test is parametrized with."""
    for node in ast.parse((TESTS / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return len(node.value.keys)
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return len(node.decorator_list[0].args[1].elts)
    raise AssertionError(f"{path} has no {name}")


def test_at_least_sixty_are_refused():
    counts = {what: count(*place) for what, place in PLACES.items()}
    tables = sum(number for what, number in counts.items() if what != "mistyped commands")
    counts["studies and tables in all"] = tables
    sys.stdout.writelines(f"{number:4d} {what}\n" for what, number in counts.items())
    assert tables >= 60
