"""The formula language: reading, writing back, designs, and nothing else let in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppose.core.errors import DataError, StudyError
from suppose.effects.survival.formula import Column, Formula, design_matrix, parse_formula


@pytest.mark.parametrize(
    "text, terms",
    [
        ("1", ()),
        ("1 + trt", (("trt",),)),
        ("a + b:c", (("a",), ("b", "c"))),
        ("a*b", (("a",), ("b",), ("a", "b"))),
        ("a*b:c", (("a",), ("b", "c"), ("a", "b", "c"))),
        ("a*b*c", (("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c"), ("a", "b", "c"))),
        ("a + a + a:b", (("a",), ("a", "b"))),
        ("`cell type` + x.1_", (("cell type",), ("x.1_",))),
        ("`a+b`:größe", (("a+b", "größe"),)),
    ],
)
def test_terms(text: str, terms: tuple) -> None:
    assert parse_formula(text).terms == terms


NAMES = st.text(
    st.characters(blacklist_characters="`", blacklist_categories=("Cs", "Cc")), min_size=1, max_size=8
)
TERMS = st.lists(st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple), max_size=4, unique=True)


@settings(max_examples=150, deadline=None)
@given(TERMS, st.booleans())
def test_written_formulas_read_back(terms: list, everything: bool) -> None:
    formula = Formula(tuple(terms), everything)
    assert parse_formula(str(formula)) == formula


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "position 1, the formula ends"),
        ("a +", "position 4, the formula ends"),
        ("+ a", r"position 1, got '\+'"),
        ("log(a)", r"position 4, got '\('"),
        ("a - 1", r"position 3, got '-'"),
        ("0 + a", "position 1, got '0'"),
        ("a ** 2", r"position 4, got '\*'"),
        ("a:1", "position 3, got '1'"),
        ("a b", "position 3, got 'b'"),
        ("2a", "position 1, got '2'"),
        ("1a", "position 1, got '1'"),
        ("a`b", "position 2, got '`'"),
        ("a + . b", "position 7, got 'b'"),
        ("a:a", "different columns in a product"),
        ("a*b*c*d*e", "at most 4 different columns"),
        ("__import__('os')", r"position 11, got '\('"),
        ("I(a)", r"got '\('"),
        ("a == 1", "got '='"),
    ],
)
def test_everything_else_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(StudyError, match=words) as caught:
        parse_formula(text)
    assert caught.value.code == "formula-syntax"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        formula = parse_formula(text)
    except StudyError as refusal:
        assert refusal.code == "formula-syntax"
    else:
        assert parse_formula(str(formula)) == formula


def test_too_long_and_not_text() -> None:
    with pytest.raises(StudyError, match="expected a short text"):
        parse_formula("a + " * 5000 + "a")


def test_designs() -> None:
    columns = {
        "x": Column(np.array([1.0, 2.0, 3.0])),
        "town": Column(np.array([0, 2, 1]), ("Basel", "Bern", "Chur")),
    }
    matrix, names = design_matrix(parse_formula("x*town").resolve(tuple(columns)), columns, 3)
    assert names == ("intercept", "x", "town=Bern", "town=Chur", "x:town=Bern", "x:town=Chur")
    assert matrix.tolist() == [[1, 1, 0, 0, 0, 0], [1, 2, 0, 1, 0, 2], [1, 3, 1, 0, 3, 0]]
    dot, dotted = design_matrix(parse_formula(".").resolve(tuple(columns)), columns, 3)
    assert dotted == names[:4] and np.array_equal(dot, matrix[:, :4])


def test_unknown_columns() -> None:
    with pytest.raises(
        DataError, match=r"column 'agee': there is no such covariate; there are: age\. Did you mean"
    ):
        parse_formula("agee").resolve(("age",))
