"""Write the API pages from each room's ``__all__``, whatever the rooms hold at the time of building.

A room's own names come first; then, module by module, the public names its ``__init__`` does not
re-export. A name that cannot be imported is left out and logged, so an unfinished room does not break
the site.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import get_origin

from sphinx.application import Sphinx
from sphinx.util import logging

ROOMS = (
    "core", "datasets", "nets", "graphs", "discovery", "effects", "worlds", "studies", "report", "reproductions",
)  # fmt: skip

LISTED: set[str] = set()  # full names of everything a page of its own is made for

log = logging.getLogger(__name__)


def first_paragraph(text: str | None) -> str:
    return inspect.cleandoc(text or "").split("\n\n")[0].replace("\n", " ")


def rest(text: str | None) -> str:
    return "\n\n".join(inspect.cleandoc(text or "").split("\n\n")[1:])


def importable(module: ModuleType, names: Iterable[str]) -> list[str]:
    found = []
    for name in names:
        try:
            getattr(module, name)
        except Exception as problem:  # an unfinished room: say so and go on
            log.info("api: %s.%s is left out (%s)", module.__name__, name, problem)
        else:
            found.append(name)
    return found


def load(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except Exception as problem:
        log.info("api: %s is left out (%s)", name, problem)
        return None


def modules_of(room: ModuleType) -> Iterator[ModuleType]:
    for info in sorted(pkgutil.iter_modules(room.__path__), key=lambda item: item.name):
        if not info.name.startswith("_") and (module := load(f"{room.__name__}.{info.name}")):
            yield module


def heading(text: str, mark: str) -> str:
    return f"{text}\n{mark * len(text)}\n"


def has_page(thing: object) -> bool:
    """Classes and functions; not constants, nor names for types such as ``tuple[str, str]``."""
    return (inspect.isclass(thing) or inspect.isroutine(thing)) and get_origin(thing) is None


def summary(module: ModuleType, names: list[str]) -> str:
    """A table of names: functions and classes, each with a page of its own."""
    documented = [name for name in names if has_page(getattr(module, name))]
    LISTED.update(f"{module.__name__}.{name}" for name in documented)
    if not documented:
        return ""
    lines = [
        f".. currentmodule:: {module.__name__}",
        "",
        ".. autosummary::",
        "   :toctree:",
        "   :nosignatures:",
        "",
    ]
    return "\n".join([*lines, *(f"   {name}" for name in documented), ""])


def page(room: ModuleType) -> str:
    name = room.__name__
    own = importable(room, getattr(room, "__all__", ()))
    own = [item for item in own if not inspect.ismodule(getattr(room, item))]
    parts = [
        heading(name, "="),
        f".. currentmodule:: {name}",
        first_paragraph(room.__doc__),
        rest(room.__doc__),
    ]
    parts.append(summary(room, own))
    shown = {id(getattr(room, item)) for item in own}
    for module in modules_of(room):
        names = importable(module, getattr(module, "__all__", ()))
        fresh = [item for item in names if id(getattr(module, item)) not in shown]
        shown |= {id(getattr(module, item)) for item in fresh}
        table = summary(module, fresh)
        if table:
            parts += [
                f".. currentmodule:: {module.__name__}",
                heading(module.__name__.rpartition(".")[2], "-"),
                first_paragraph(module.__doc__),
                rest(module.__doc__),
                table,
            ]
    return "\n\n".join(part for part in parts if part) + "\n"


def write(path: Path, text: str) -> None:
    """Write only what changed, so that the next build reads no more than it must."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    folder = Path(app.srcdir) / "api" / "generated"
    pages = {room: page(module) for room in ROOMS if (module := load(f"suppose.{room}"))}
    for room, text in pages.items():
        write(folder / f"suppose.{room}.rst", text)
    keep = {f"suppose.{room}.rst" for room in pages} | {f"{name}.rst" for name in LISTED}
    for left_over in folder.glob("*.rst"):  # pages of names that are gone
        if left_over.name not in keep:
            left_over.unlink()
    return {"parallel_read_safe": True, "parallel_write_safe": True}
