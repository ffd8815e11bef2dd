"""Refusals: one line whatever they quote, whole across processes, and the nearest names."""

from __future__ import annotations

import pickle

import pytest

from suppose.core.errors import DataError, EstimationError, GraphError, Refusal, RunError, StudyError, nearest
from suppose.core.studyfile import read_study_text

KINDS = [DataError, EstimationError, GraphError, RunError, StudyError]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_refusal_and_a_value_error(kind):
    refusal = kind("some-code", "expected 1, got 2", where="column 'a'", remedy="Write 1.")
    assert isinstance(refusal, (Refusal, ValueError))
    assert str(refusal) == "column 'a': expected 1, got 2. Write 1."
    back = pickle.loads(pickle.dumps(refusal))
    assert (type(back), back.to_dict()) == (kind, refusal.to_dict())


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("first\n  second\r\nthird", "first second third. Do this."),
        ("the table has: a, b, ...", "the table has: a, b, ... Do this."),
        ("a sentence.", "a sentence. Do this."),
    ],
)
def test_a_refusal_is_one_line(problem, words):
    assert str(DataError("some-code", problem, remedy="Do this.")) == words


def test_nothing_near_gives_no_advice():
    assert nearest("zzz", ["age", "wage"]) == ""
    assert nearest("AGE", ["age", "wage"]).startswith("Did you mean 'age'")


def test_a_file_is_not_its_own_remedy(tmp_path):
    (tmp_path / "study.toml").mkdir()
    with pytest.raises(StudyError, match="not a regular file. Check the path."):
        read_study_text(tmp_path / "study.toml")
