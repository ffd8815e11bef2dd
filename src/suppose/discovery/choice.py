"""Which test suits a table: by the kinds of its columns, and said aloud.

``auto``: text, truth values and whole numbers with at most ten different values are categories, all else numbers. Only
categories: G-squared. Only numbers: Fisher's z. Both: likelihood ratios of nested regressions.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from suppose.core.errors import DataError, nearest
from suppose.discovery.material import names_of, series_of
from suppose.discovery.protocol import CITest

__all__ = ["TESTS", "bind_test", "is_category"]

FEW = 10
TESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "fisher-z": ("gaussian", "FisherZ", {}),
    "spearman": ("gaussian", "FisherZ", {"kind": "spearman"}),
    "normal-scores": ("gaussian", "FisherZ", {"kind": "normal-scores"}),
    "g2": ("categorical", "GSquare", {}),
    "chi2": ("categorical", "GSquare", {"statistic": "chi2"}),
    "mixed": ("mixed", "MixedLRT", {}),
    "gcm": ("mixed", "GCM", {}),
    "kci": ("kernel", "KCI", {}),
    "rcit": ("kernel", "RCIT", {}),
}
"""Tests by name: home, class, settings."""
WITH_GAPS = ("fisher-z", "spearman", "normal-scores", "g2", "chi2")
DRAWING = ("kci", "rcit")


def is_category(column: np.ndarray) -> bool:
    """Whether ``auto`` takes a column for categories.

    Examples
    --------
    >>> is_category(np.array([0, 1, 1])), is_category(np.array([0.0, 1.5]))
    (True, False)
    """
    if column.dtype.kind in "OUSb":
        return True
    if column.dtype.kind not in "iuf":
        return False
    known = column[~np.isnan(column)] if column.dtype.kind == "f" else column
    different = np.unique(known[: 10 * FEW]) if len(known) > 10 * FEW else np.unique(known)
    if len(different) > FEW or len(known) <= FEW:
        return len(known) <= FEW and column.dtype.kind in "iu"
    return len(np.unique(known)) <= FEW and bool((different == np.round(different)).all())


def bind_test(
    test: Any, X: Any, names: Sequence[str] | None, *, missing: str = "refuse", seed: int = 0
) -> tuple[CITest, tuple[str, ...]]:
    """The test bound to the table, its columns in the order of names; and the names as they came.

    Raises
    ------
    DataError
        ``unknown-choice`` for a name that is no test (all names are listed), and what the test refuses.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(50, 2))
    >>> bind_test("auto", X, ["b", "a"])[0].names
    ('a', 'b')
    """
    if not isinstance(test, str):
        if not isinstance(test, CITest):
            raise DataError(
                "unknown-choice", f"expected a test or one of auto, {', '.join(TESTS)}, got {test!r}", where="test",
                remedy="Bind a test to its table first, for example FisherZ(X).",
            )  # fmt: skip
        return test, names_of(names, len(test.names)) if names is not None else tuple(test.names)
    if test != "auto" and test not in TESTS:
        raise DataError(
            "unknown-choice", f"expected one of auto, {', '.join(TESTS)}, got {test!r}", where="test",
            remedy=nearest(test, ["auto", *TESTS]) or "Choose one of these.",
        )  # fmt: skip
    columns, given = series_of(X, names)
    order = sorted(range(len(given)), key=lambda c: given[c])
    columns, found = [columns[c] for c in order], [given[c] for c in order]
    if test == "auto":
        kinds = {is_category(column) for column in columns}
        test = "mixed" if len(kinds) == 2 else "g2" if kinds == {True} else "fisher-z"
    home, name, settings = TESTS[test]
    settings = dict(settings)
    if test in WITH_GAPS:
        settings["missing"] = missing
    if test in DRAWING:
        settings["seed"] = seed
    bound = getattr(importlib.import_module(f"suppose.discovery.{home}"), name)
    return bound(stacked(columns), found, **settings), given


def stacked(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Columns side by side, of one kind where they are, as objects where kinds differ."""
    if all(column.dtype.kind in "iufbc" for column in columns):
        return np.column_stack(columns)
    table = np.empty((len(columns[0]), len(columns)), dtype=object)
    for c, column in enumerate(columns):
        table[:, c] = column
    return table
