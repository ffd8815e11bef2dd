"""The text of a study: TOML read as data, overrides applied, problems said in our words.

A study file is small UTF-8 TOML with finite numbers and little nesting. Nothing in it is ever
imported or executed.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from suppose.core.errors import Refusal, StudyError, nearest

__all__ = ["apply_overrides", "parse_toml", "read_study_text", "validated"]

MAX_STUDY_BYTES = 1_000_000
MAX_DEPTH = 12

Model = TypeVar("Model", bound=BaseModel)


def read_study_text(path: Path) -> str:
    """Text of a study file; refuses what is not a small UTF-8 text file."""
    where = f"file {str(path)!r}"
    if not path.is_file():
        beside = [item.name for item in path.parent.glob("*.toml")] if path.parent.is_dir() else []
        beside = [name for name in beside if name != path.name]
        problem = "it is not a regular file" if path.exists() else "there is no such study file"
        raise StudyError(
            "missing-study", problem, where=where, remedy=nearest(path.name, beside) or "Check the path."
        )
    if path.stat().st_size > MAX_STUDY_BYTES:
        raise StudyError(
            "study-too-large",
            f"expected a study of at most {MAX_STUDY_BYTES:,} bytes",
            where=where,
            remedy="A study names its data files; it does not hold them.",
        )
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise StudyError(
            "wrong-encoding",
            f"it is not UTF-8 text at byte {error.start}",
            where=where,
            remedy="Save the study as UTF-8.",
        ) from error
    except OSError as error:
        raise StudyError(
            "unreadable-study",
            f"it cannot be read ({error.strerror})",
            where=where,
            remedy="Check its permissions.",
        ) from error


def parse_toml(text: str, *, where: str = "study") -> dict[str, Any]:
    """Nested dictionaries of a TOML text; refuses bad TOML, numbers that are not finite, and deep nesting.

    Examples
    --------
    >>> parse_toml('question = "effect"')
    {'question': 'effect'}
    """
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise StudyError(
            "not-toml",
            f"it is not TOML: {str(error)[:200]}",
            where=where,
            remedy='Texts need quotes, lists need brackets: a = "x", b = [1, 2].',
        ) from error
    _refuse_wild_values(content, "", 0)
    return content


def _refuse_wild_values(value: Any, key: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise StudyError(
            "too-deep", f"it nests deeper than {MAX_DEPTH} levels", where=key[:80], remedy="Flatten it."
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise StudyError(
            "not-finite", f"expected a finite number, got {value}", where=key, remedy="Write a number."
        )
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        _refuse_wild_values(item, f"{key}.{name}" if key else str(name), depth + 1)


def apply_overrides(content: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """The study with each ``a.b=1`` applied; values are TOML, and bare words are text.

    Examples
    --------
    >>> apply_overrides({"method": {"name": "aipw"}}, ["method.folds=3", "method.name=plr"])
    {'method': {'name': 'plr', 'folds': 3}}
    """
    result: dict[str, Any] = _copied(content)
    for override in overrides:
        key, equals, text = override.partition("=")
        parts = [part.strip() for part in key.split(".")]
        if not equals or not all(parts):
            raise StudyError(
                "bad-override",
                f"expected key.key=value, got {override!r}",
                where="--set",
                remedy="Write for example --set method.folds=10.",
            )
        place = result
        for part in parts[:-1]:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise StudyError(
                    "bad-override",
                    f"{part!r} is a value, not a table",
                    where=f"--set {key}",
                    remedy="Check the key's path.",
                )
        place[parts[-1]] = _override_value(text.strip(), key)
    return result


def _copied(value: Any) -> Any:
    return {key: _copied(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def _override_value(text: str, key: str) -> Any:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        value = text
    _refuse_wild_values(value, key, 0)
    return value


def validated(kind: type[Model], content: Mapping[str, Any]) -> Model:
    """The model of a study's content; pydantic's problems become one refusal in our words."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise _refusal_of(error, kind) from error


def _refusal_of(error: ValidationError, kind: type[BaseModel]) -> StudyError:
    """One message for pydantic's first problem, in our words, and how many more there are."""
    problems = error.errors(include_url=False)
    # A misspelt key is both unknown and missing: the unknown one says more.
    first = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
    where = ".".join(str(part) for part in first["loc"]) or "study"
    problem, remedy, code = first["msg"], "", "bad-value"
    if first["type"] == "extra_forbidden":
        code, problem = "unknown-key", "there is no such key"
        known = _keys_at(kind, first["loc"][:-1])
        remedy = nearest(str(first["loc"][-1]), known) or f"Keys here: {', '.join(known)}."
    elif first["type"] == "missing":
        code, problem, remedy = "missing-key", "this key is needed and missing", "Add it to the study."
    elif first["type"] == "value_error" and isinstance(first.get("ctx", {}).get("error"), Refusal):
        refusal: Refusal = first["ctx"]["error"]
        code, problem, remedy = refusal.code, refusal.problem, refusal.remedy or ""
        where = where if refusal.where in (None, where.rpartition(".")[2]) else f"{refusal.where}"
    else:
        problem = f"{problem[:1].lower()}{problem[1:]}, got {_short(first.get('input'))}"
        remedy = "Correct the value."
    if len(problems) > 1:
        remedy += f" ({len(problems) - 1} more problem{'s' if len(problems) > 2 else ''} after this one.)"
    return StudyError(code, problem, where=where, remedy=remedy.strip())


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _keys_at(kind: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """Keys a section of the study may have."""
    model: Any = kind
    for part in place:
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        annotation = fields[str(part)].annotation if str(part) in fields else None
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        model = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
        if model is None:
            return []
    return [field.alias or name for name, field in model.model_fields.items()]
