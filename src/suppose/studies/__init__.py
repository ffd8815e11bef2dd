"""Question kinds: one module per question a user can ask.

:func:`load` reads a study file of any kind; the kinds themselves are classes that can be built in
Python with the same sections.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suppose.core.errors import StudyError, nearest

if TYPE_CHECKING:
    from suppose.studies.effect import Effect

__all__ = ["KINDS", "Effect", "kind_named", "load", "loads"]

KINDS = {
    "augmented-effect": ("suppose.studies.augmented_effect", "AugmentedEffect"),
    "effect": ("suppose.studies.effect", "Effect"),
    "intervention": ("suppose.studies.intervention", "Intervention"),
    "panel": ("suppose.studies.panel", "Panel"),
    "survey": ("suppose.studies.survey", "Survey"),
    "survival": ("suppose.studies.survival", "Survival"),
    "world": ("suppose.studies.world", "World"),
}


def __getattr__(name: str) -> Any:
    for module, attribute in KINDS.values():
        if name == attribute:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module 'suppose.studies' has no attribute {name!r}")


def kind_named(question: object) -> Any:
    """The study class that answers a question kind.

    Raises
    ------
    StudyError
        For a missing or unknown kind; kinds other systems will bring are named as such.
    """
    if not isinstance(question, str) or not question:
        raise StudyError(
            "missing-question",
            "a study says what it asks",
            where="question",
            remedy=f'Begin the file with question = "effect"; kinds: {", ".join(KINDS)}.',
        )
    if question in KINDS:
        module, attribute = KINDS[question]
        return getattr(importlib.import_module(module), attribute)
    raise StudyError(
        "unknown-question",
        f"there is no question kind {question!r} in this version; kinds: {', '.join(KINDS)}",
        where="question",
        remedy=nearest(question, KINDS) or "Run suppose list to see what is planned.",
    )


def loads(text: str, overrides: Sequence[str] = (), *, home: Path | None = None, name: str = "study") -> Any:
    """Study of a TOML text; ``home`` is the folder its data files lie in.

    Examples
    --------
    >>> study = loads('''question = "effect"
    ... [data]
    ... shipped = "jobs/experiment"
    ... [roles]
    ... treatment = "treat"
    ... outcome = "re78"
    ... ''')
    >>> study.roles.treatment
    'treat'
    """
    from suppose.core.studyfile import apply_overrides, parse_toml

    content = apply_overrides(parse_toml(text), overrides)
    return kind_named(content.get("question")).from_dict(content, home=home, name=name)


def load(path: str | Path, overrides: Sequence[str] = ()) -> Any:
    """Study of a TOML file of any kind, with ``a.b=1`` overrides applied.

    Raises
    ------
    StudyError
        For a file that is not a study this version can answer, in words.
    """
    from suppose.core.studyfile import read_study_text

    path = Path(path)
    return loads(read_study_text(path), overrides, home=path.resolve().parent, name=path.stem)
