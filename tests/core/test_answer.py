"""The answer: round trip, words, and refusals."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from suppose.core.answer import Answer, Check, Figure, Finding, Provenance, Table, Timing, format_number
from suppose.core.errors import StudyError


def make_answer(**changes):
    content = {
        "question": "effect",
        "title": "Does <b>it</b> help?",
        "sentence": "It does.",
        "findings": (
            Finding(name="ate", label="Effect", estimate=1.5, low=0.5, high=2.5, level=0.95, unit="kg"),
        ),
        "checks": (Check(name="c", title="C", null="n", verdict="fails", words="w", cannot_show="x"),),
        "tables": (Table(name="t", title="T", columns=("a", "b"), rows=((1, None), ("x", True))),),
        "figures": (Figure.of("f", "F", "caption", "alt", "<svg/>"),),
        "provenance": Provenance(
            suppose="0", python="3", packages={}, seed=1, study="", timing=Timing(seconds=3.0)
        ),
    }
    return Answer(**{**content, **changes})


def test_json_round_trip_keeps_everything_but_the_drawing():
    answer = make_answer()
    back = Answer.model_validate_json(answer.to_json())
    assert back.to_json() == answer.to_json()
    assert json.loads(answer.to_json())["schema"] == "suppose.answer/1"
    assert back.figures[0].sha256 == answer.figures[0].sha256


def test_timing_can_be_left_out():
    slow = make_answer(provenance=Provenance(suppose="0", python="3", packages={}, seed=1, study=""))
    assert slow.to_json() != make_answer().to_json()
    assert slow.to_json(timing=False) == make_answer().to_json(timing=False)


def test_not_finite_numbers_never_enter():
    with pytest.raises(ValidationError, match="finite"):
        Finding(name="x", label="x", estimate=math.nan)


def test_two_headlines_are_refused():
    headline = Finding(name="a", label="a", estimate=1.0, headline=True)
    with pytest.raises(ValidationError, match="at most one headline"):
        make_answer(findings=(headline, headline))


def test_unknown_parts_are_refused_with_the_nearest_name():
    with pytest.raises(StudyError, match="Did you mean 'ate'"):
        make_answer().finding("atee")
    assert make_answer().table("t").columns == ("a", "b")


def test_text_is_escaped_in_html():
    assert "<b>it" not in make_answer()._repr_html_()
    assert "&lt;b&gt;" in make_answer()._repr_html_()


def test_words_and_frame():
    answer = make_answer()
    assert "95% interval 0.50 to 2.50" in str(answer)
    assert answer.to_frame()["estimate"].tolist() == [1.5]
    assert [check.name for check in answer.failed] == ["c"]


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_printed_numbers_stay_near_the_number(value):
    printed = float(format_number(value).replace(",", ""))
    assert math.isclose(printed, value, rel_tol=6e-2, abs_tol=6e-5)
