"""The sample answer, and the same answer with markup in every text."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from suppose.core.answer import Answer, Figure

HERE = Path(__file__).parent
SCRIPT = '<script>alert("1")</script>'


@pytest.fixture(scope="session")
def answer() -> Answer:
    return runpy.run_path(str(HERE / "sample.py"))["sample_answer"]()


@pytest.fixture(scope="session")
def poison():
    """Puts a text into every place of an answer that takes words from outside."""
    return _poisoned


def _poisoned(answer: Answer, text: str) -> Answer:
    """Every text of the answer with ``text`` behind it; names that link parts stay linked."""
    content = _marked(answer.model_dump(by_alias=True), text)
    for table in content["tables"]:
        table["rows"] = [
            [cell + text if isinstance(cell, str) else cell for cell in row] for row in table["rows"]
        ]
    packages = content["provenance"]["packages"]
    content["provenance"]["packages"] = {name + text: version for name, version in packages.items()}
    drawings = {figure.name + text: figure.svg for figure in answer.figures}
    poisoned = Answer.model_validate(content)
    figures = tuple(Figure.of(f.name, f.title, f.caption, f.alt, drawings[f.name]) for f in poisoned.figures)
    return poisoned.model_copy(update={"figures": figures})


def _marked(value: Any, text: str, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _marked(item, text, name) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_marked(item, text, key) for item in value]
    fixed = ("schema", "credibility", "verdict", "sha256", "rows", "packages")
    return value + text if isinstance(value, str) and value and key not in fixed else value
