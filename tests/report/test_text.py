from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppose.report.text import duration, file_stem, moment, one_line, p_words, typeset, visible

ANYTHING = st.text(st.characters(codec=None))


@settings(derandomize=True, deadline=None)
@given(ANYTHING)
def test_nothing_invisible_is_left(text):
    shown = visible(text)
    odd = [c for c in shown if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]
    assert not odd
    assert not set(shown) & {"\u202e", "\u2066", "\u200b", "\ufeff", "\u200f", "\x1b", "\U000e0041"}
    shown.encode("utf-8")


@settings(derandomize=True, deadline=None)
@given(ANYTHING)
def test_visible_text_stays_as_it_is(text):
    assert visible(visible(text)) == visible(text)
    assert "\n" not in one_line(text)


@settings(derandomize=True, deadline=None)
@given(st.lists(ANYTHING, max_size=6))
def test_file_names_are_safe_and_distinct(names):
    taken: set[str] = set()
    stems = [file_stem(name, taken) for name in names]
    assert len(set(stems)) == len(stems)
    for stem in stems:
        assert stem.isascii() and 0 < len(stem) < 70
        assert all(c.isalnum() or c in "-_" for c in stem) and stem == stem.lower()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/abs", "C:\\x", "nul", "a\x00b", ".", "..", "", "é" * 500]
)
def test_hostile_file_names(name):
    stem = file_stem(name)
    assert "/" not in stem and "\\" not in stem and not stem.startswith(".") and len(stem) <= 62
    assert stem != "nul"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-8,498", "−8,498"),
        ("by -1,302 dollars", "by −1,302 dollars"),
        ("(-0.5 to -.1)", "(−0.5 to −.1)"),
        ("2020-01-31", "2020-01-31"),
        ("covid-19", "covid-19"),
        ("1.2e-05", "1.2e-05"),
        ("a - b", "a - b"),
    ],
)
def test_minus_signs_only_before_numbers(text, expected):
    assert typeset(text) == expected


def test_quantities_in_words():
    assert [p_words(p) for p in (0.0, 0.001, 0.0999, 0.1, 1.0)] == [
        "< 0.001",
        "0.001",
        "0.100",
        "0.10",
        "1.00",
    ]
    assert [duration(s) for s in (0, 59.94, 59.96, 3599.6)] == ["0.0 s", "59.9 s", "1 min 0 s", "1 h 0 min"]
    assert moment("2026-01-02T03:04:05.678901+02:00") == "2026-01-02 03:04:05 +02:00"
