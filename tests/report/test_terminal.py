from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from suppose.core.answer import Answer, Claim, Finding, Provenance, Table
from suppose.report.terminal import render_text, show, show_reproduction, show_systems


def small(**changes) -> Answer:
    where = Provenance(suppose="0", python="3", packages={}, seed=0, study="")
    finding = Finding(name="a", label="Effect", estimate=2.0)
    return Answer(
        question="effect", title="T", sentence="S", findings=(finding,), provenance=where, **changes
    )


def widest(text: str) -> int:
    return max(cell_len(line) for line in text.splitlines())


@pytest.mark.parametrize("width", [100, 80, 60, 40])
def test_no_line_is_wider_than_the_terminal(answer, width):
    assert widest(render_text(answer, width)) <= width


@pytest.mark.parametrize("word", ["収入と職業訓練" * 9, "x" * 300, "naïve e\u0301 " * 30, "[bold]" * 40])
def test_wide_and_long_words_are_folded(answer, poison, word):
    assert widest(render_text(poison(answer, word), 100)) <= 100
    assert widest(render_text(poison(answer, word), 60)) <= 60


def test_the_finding_comes_first(answer):
    text = render_text(answer)
    order = ["What did job training do", answer.sentence, "Doubtful.", "Findings", "Balance of covariates",
             "Assumptions", "Checks", "What an unmeasured confounder", "Notes", "Provenance"]  # fmt: skip
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_everything_is_said(answer):
    words = " ".join(render_text(answer).split())
    for check in answer.checks:
        assert all(part in words for part in (check.title, check.words, check.null, check.cannot_show))
    for assumption in answer.assumptions:
        assert assumption.name in words and assumption.statement in words
    for finding in answer.findings:
        assert f"{finding.label}: {finding.method}; {finding.estimand}" in words
    assert "-9,893 to -7,102" in words and "seed 20240611" in words


def test_numbers_are_never_cut_at_a_hundred_columns(answer):
    text = render_text(answer)
    assert "variance" in text and "16,177" in text and "… 392 more rows in tables/weights.csv" in text


def test_columns_that_do_not_fit_are_counted():
    table = Table(name="Wide", title="W", columns=tuple(f"column{j}" for j in range(30)), rows=((1.5,) * 30,))
    text = render_text(small(tables=(table,)), 60)
    shown = text.count("column") - 1
    assert f"… {30 - shown} more columns in tables/wide.csv" in text


def test_no_blanks_hang_at_the_end_of_words(answer):
    buffer = io.StringIO()
    show(answer, Console(file=buffer, width=80))
    part = buffer.getvalue()
    part = part[part.index("Assumptions") : part.index("What an unmeasured")]
    assert not [line for line in part.splitlines() if line.endswith(" ")]
    assert part.count("\n  Null: ") == len(answer.checks)


def test_the_place_of_the_report_is_said(answer):
    assert "Report: runs/a/report.html" in render_text(answer, folder="runs/a")
    assert "Report:" not in render_text(answer)


def test_markup_and_control_characters_are_shown(answer, poison):
    text = render_text(poison(answer, "[red]x[/red] :smile: \x1b[31m\u202e\x07\r"))
    assert "[red]x[/red]" in text and ":smile:" in text and "␛[31m[U+202E]" in text
    assert not set(text) & set("\x1b\u202e\x07\r")


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_fits(word):
    table = Table(name="t", title=word, columns=(word, "x"), rows=((word, 1),), note=word)
    text = render_text(small(tables=(table,), notes=(word,)), 60)
    assert widest(text) <= 60 and "\x1b" not in text


def test_the_same_answer_gives_the_same_text(answer):
    assert render_text(answer) == render_text(answer.model_copy())


def test_a_terminal_gets_colour_and_a_file_does_not(answer, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    for terminal, coloured in ((True, True), (False, False)):
        buffer = io.StringIO()
        show(
            answer,
            Console(
                file=buffer, force_terminal=terminal, width=100, color_system="standard" if terminal else None
            ),
        )
        assert ("\x1b[1;33m" in buffer.getvalue()) is coloured


def test_no_color_is_respected(answer, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    buffer = io.StringIO()
    show(answer, Console(file=buffer, force_terminal=True, width=100))
    assert "\x1b[1;33m" not in buffer.getvalue() and ";33" not in buffer.getvalue()


def test_a_wide_terminal_is_used_to_a_hundred_columns(answer):
    buffer = io.StringIO()
    show(answer, Console(file=buffer, width=200))
    assert 90 <= widest(buffer.getvalue()) <= 100


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_a_terminal_that_knows_few_letters_is_not_broken(answer, encoding):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
    show(answer, Console(file=stream, width=100), folder="runs/é→x")
    stream.flush()
    assert b"1,794 dollars" in raw.getvalue()
    assert b"\\u2192x" in raw.getvalue()


def test_standard_output_is_the_default(answer, capsys):
    show(answer)
    assert answer.credibility.capitalize() in capsys.readouterr().out


def test_systems_are_listed_room_by_room():
    items = [
        SimpleNamespace(slug=f"s{i}", room=f"room{i % 2}", question="effect", answers="What if [b]?", paper="P (2020)",
                        available=i == 0)
        for i in range(4)
    ]  # fmt: skip
    buffer = io.StringIO()
    show_systems(items, ["effect"], [], Console(file=buffer, width=60))
    text = buffer.getvalue()
    assert text.count("room0") == text.count("room1") == 1 and text.count("What if [b]?") == 4
    assert "4 systems, 1 available" in text and "Reproductions: none." in text and widest(text) <= 60


def test_claims_stand_beside_what_was_measured():
    claims = (
        Claim(id="a", statement="difference in means", paper=1794, measured=1794.34, holds=True),
        Claim(id="b", statement="[red]", paper=None, measured="\x1b", holds=None),
        Claim(id="c", statement="c", paper=-8498, measured=-1.0, holds=False),
    )
    result = SimpleNamespace(
        slug="lalonde", paper="LaLonde", scale="cpu", seed=1, seconds=61.0, claims=claims
    )
    buffer = io.StringIO()
    show_reproduction(result, Console(file=buffer, width=60))
    text = buffer.getvalue()
    for part in ("1,794", "yes", "not measured", "no", "[red]", "␛", "1 min 1 s", "-8,498"):
        assert part in text
    assert widest(text) <= 60
