"""Every refusal has a page, every page a refusal, and the message a page shows is one the code makes."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from suppose.core import errors

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "errors"
SOURCES = ROOT / "src" / "suppose"
KINDS = {name for name in errors.__all__ if name.endswith("Error") or name == "Refusal"}
# What the variable part of a code may be, where a code is put together: read from the calls of its function.
PARTS = {
    "unknown-{kind}": ("table", "check", "figure", "finding"),
    "not-{declared}": ("binary", "multi-valued"),
}

pytestmark = pytest.mark.skipif(not PAGES.exists(), reason="the documentation is not beside the tests")


def refusals() -> Iterator[tuple[str, str, ast.Call, ast.AST]]:
    """File, line, call and enclosing tree of every refusal made in the package."""
    for path in sorted(SOURCES.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", "")) in KINDS
            ):
                yield str(path.relative_to(ROOT)), str(node.lineno), node, tree


def codes_of(call: ast.Call, tree: ast.AST) -> list[str]:
    """The codes a call may carry: written out, put together, or held by a variable."""
    given = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "code"), None)
    if isinstance(given, ast.Constant):
        return [str(given.value)]
    if isinstance(given, ast.JoinedStr):
        template = ast.unparse(given)[2:-1]
        return [re.sub(r"\{\w+\}", part, template) for part in PARTS[template]]
    assert isinstance(given, ast.Name), f"line {call.lineno}: a code must be text or a variable"
    assigned = [value for name, value in assigned_texts(tree) if name == given.id]
    return [*assigned, *passed_texts(call, given.id, tree)]


def passed_texts(call: ast.Call, name: str, tree: ast.AST) -> Iterator[str]:
    """Texts given for the parameter ``name`` to the function that makes the call."""
    makers = {
        node.name: [argument.arg for argument in node.args.args].index(name)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and name in [argument.arg for argument in node.args.args]
        and any(inner is call for inner in ast.walk(node))
    }  # fmt: skip
    for node in ast.walk(tree):
        place = makers.get(getattr(node.func, "id", "")) if isinstance(node, ast.Call) else None
        if place is not None and len(node.args) > place and isinstance(node.args[place], ast.Constant):
            yield str(node.args[place].value)


def assigned_texts(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Variables and the texts assigned to them, also within tuples: ``code, problem = "a", "b"``."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        target, value = node.targets[0], node.value
        pairs = zip(target.elts, value.elts, strict=True) if isinstance(target, ast.Tuple) and isinstance(
            value, ast.Tuple
        ) else [(target, value)]  # fmt: skip
        for name, text in pairs:
            if isinstance(name, ast.Name) and isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield name.id, text.value


@cache
def places() -> dict[str, list[tuple[str, ast.Call]]]:
    """Where each code is raised."""
    found: dict[str, list[tuple[str, ast.Call]]] = defaultdict(list)
    for path, line, call, tree in refusals():
        for code in codes_of(call, tree):
            found[code].append((f"{path}:{line}", call))
    return dict(found)


def pages() -> dict[str, str]:
    return {
        page.stem: page.read_text(encoding="utf-8") for page in PAGES.glob("*.rst") if page.stem != "index"
    }


def messages(page: str) -> list[str]:
    """The messages a page shows, one a line of its first block of text."""
    block = page.partition(".. code-block:: text\n")[2]
    lines = block.lstrip("\n").splitlines()
    end = next((k for k, line in enumerate(lines) if line and not line.startswith("   ")), len(lines))
    return [line.strip() for line in lines[:end] if line.strip()]


def pattern(node: ast.AST | None) -> str:
    """Regular expression of the texts an expression can give; anything not written out may be anything."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.escape(" ".join(node.value.split("\n")))
    if isinstance(node, ast.JoinedStr):
        return "".join(pattern(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return pattern(node.left) + pattern(node.right)
    if isinstance(node, ast.IfExp):
        return f"(?:{pattern(node.body)}|{pattern(node.orelse)})"
    return ".*"


def fits(message: str, call: ast.Call) -> bool:
    """Whether a call can make this message: its problem, then its remedy."""
    if isinstance(call.args[0], ast.Name):
        return True  # the problem comes in a variable too
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    problem = pattern(call.args[1] if len(call.args) > 1 else named.get("problem")).removesuffix(r"\.")
    remedy = rf"\. {pattern(named['remedy'])}" if "remedy" in named else ""
    if "remedy" in named and ast.unparse(named["remedy"]).endswith(" or None"):
        remedy = f"(?:{remedy})?"
    return re.fullmatch(rf"(?:.*: )?{problem}(?:{remedy})", message) is not None


def test_every_refusal_has_a_page():
    missing = {code: sites[0][0] for code, sites in places().items() if code not in pages()}
    assert not missing, f"write docs/errors/<code>.rst for: {missing}"


def test_every_page_is_of_a_refusal():
    assert sorted(set(pages()) - set(places())) == []


def test_codes_are_slugs():
    assert len(places()) > 140
    assert [code for code in places() if not re.fullmatch(r"[a-z]+(-[a-z]+)*", code)] == []


@pytest.mark.parametrize("code", sorted(pages()) if PAGES.exists() else [])
def test_a_page_says_what_happened_and_what_to_do(code):
    page = pages()[code]
    head, line = page.split("\n\n")[:2]
    assert head == f"{code}\n{'=' * len(code)}"
    assert line.endswith(".") and len(line) > 20
    assert "**What to do.**" in page
    assert len(page.partition("**What to do.**")[2].split()) >= 8, "the page gives no advice"
    assert messages(page), "the page shows no message"


@pytest.mark.parametrize("code", sorted(pages()) if PAGES.exists() else [])
def test_the_messages_of_a_page_are_those_of_the_code(code):
    sites = places().get(code, [])
    for message in messages(pages()[code]):
        assert any(fits(message, call) for _, call in sites), (
            f"{message!r} is not made at {[s for s, _ in sites]}"
        )


def test_a_missing_page_and_a_foreign_message_are_seen():
    call = ast.parse('DataError("a", f"got {n} rows", where="x", remedy="Add rows.")').body[0].value
    assert fits("x: got 3 rows. Add rows.", call)
    assert not fits("x: got 3 columns. Add rows.", call)
    assert not fits("x: got 3 rows. Take rows away.", call)
    tree = ast.parse('code, problem = "one", "p"\nraise DataError(code, problem)')
    assert codes_of(tree.body[1].exc, tree) == ["one"]
