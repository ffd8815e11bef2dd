from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppose.core.answer import Answer, Figure, Finding, Provenance, Table, Timing
from suppose.core.errors import DataError, RunError
from suppose.report.html import render, write

SCRIPT = '<script>alert("1")</script>'
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """The elements of a page in order, refusing tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"attribute given twice in {tag}"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def all(self, *tags):
        return [attributes for tag, attributes in self.elements if tag in tags]

    @property
    def shape(self):
        return [(tag, sorted(attributes)) for tag, attributes in self.elements]


@pytest.fixture(scope="module")
def text(answer):
    return render(answer)


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def small(**changes) -> Answer:
    where = Provenance(suppose="0", python="3", packages={}, seed=0, study="", timing=Timing())
    finding = Finding(name="a", label="Effect", estimate=2.0)
    return Answer(
        question="effect", title="T", sentence="S", findings=(finding,), provenance=where, **changes
    )


def test_the_finding_comes_first(page):
    words = page.text
    order = ["What did job training do", "raised yearly earnings by 1,794 dollars (95% interval 551 to 3,038).",
             "Doubtful.", "Four ways to ask", "Everything that was estimated", "Balance before and after",
             "Balance of covariates", "No interference", "effect on the placebo", "What an unmeasured",
             "dollars of 1982", "scikit-learn 1.8.0", "suppose run study.toml", 'learner = "boosting"']  # fmt: skip
    places = [words.index(part) for part in order]
    assert places == sorted(places)


def test_everything_is_on_the_page(answer, page):
    words = page.text
    for finding in answer.findings:
        assert finding.label in words and finding.method in words and finding.estimand in words
    for check in answer.checks:
        assert all(part in words for part in (check.title, check.null, check.cannot_show, check.verdict))
    for part in (*answer.tables, *answer.figures):
        assert part.title in words
    for file in answer.provenance.inputs:
        assert file.sha256 in words
    assert "man 399" in words and "−8,498" in words and "seed" in words.lower()


def test_headings_are_in_order(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_identifiers_are_unique_and_references_lead_somewhere(text, page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for key in ("aria-labelledby", "aria-describedby"):
            assert attributes.get(key, ids[0]) in ids
        target = attributes.get("href") or ""
        assert not target.startswith("#") or target[1:] in ids, target
    assert set(re.findall(r"url\(#([^)]+)\)", text)) <= set(ids)


def test_tables_can_be_followed_by_ear(page):
    tables, captions = page.all("table"), page.all("caption")
    assert len(tables) == len(captions) == 6
    assert page.all("th") and all(cell.get("scope") in ("col", "row") for cell in page.all("th"))
    boxes = [a for _, a in page.elements if a.get("class") == "scroll"]
    assert all(a["role"] == "region" and a["tabindex"] == "0" and a["aria-labelledby"] for a in boxes)


def test_figures_have_words(page, answer):
    drawings = [a for a in page.all("svg") if a.get("class") == "drawing"]
    assert [a["aria-label"] for a in drawings] == [figure.alt for figure in answer.figures]
    assert all(a["role"] == "img" for a in drawings)
    assert all(a.get("aria-hidden") == "true" for a in page.all("svg") if a.get("class") != "drawing")


def test_the_page_has_a_language_a_way_in_and_a_way_past(page):
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("main")) == 1
    first = next(attributes for tag, attributes in page.elements if tag == "a")
    assert first["class"] == "skip" and first["href"] == "#finding"


def test_nothing_is_loaded_and_nothing_may_be(text, page):
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv"))
    assert policy == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert not page.all("script", "iframe", "object", "embed", "img", "form", "base")
    for _, attributes in page.elements:
        for key in ("src", "href", "srcset", "action", "data"):
            assert re.match(r"#|data:", attributes.get(key) or "#"), attributes
    assert "@import" not in text and "@font-face" not in text and "url(http" not in text


def test_numbers_stand_to_the_right(text):
    assert '<td class="num">−8,498</td>' in text
    assert '<th scope="row">Survey, unadjusted<span class="under">difference in means; none' in text


def test_long_tables_are_folded_and_very_long_ones_cut(text):
    assert text.count("<details>") == 1 and "400 rows, 4 columns" in text
    rows = tuple((i,) for i in range(1234))
    cut = render(small(tables=(Table(name="Big one", title="Big", columns=("x",), rows=rows),)))
    assert "234 more rows are in tables/big-one.csv" in cut
    assert '<td class="num">999</td>' in cut and '<td class="num">1,000</td>' not in cut


def test_sensitivity_has_its_own_section(text):
    section = text[text.index('id="sensitivity"') : text.index('id="notes"')]
    assert "How strong a confounder" in section and "What an unmeasured confounder" in section
    assert "Balance of covariates" not in section


def test_assumptions_name_the_checks_that_bear_on_them(page):
    assert "Placebo outcome: earnings in 1975 (fails)" in page.text
    assert "No check here bears on it" in page.text


@pytest.mark.parametrize(
    ("credibility", "tone"),
    [("credible", "passes"), ("doubtful", "warns"), ("not credible", "fails"), ("not judged", "none")],
)
def test_the_verdict_is_worded_and_shaped(credibility, tone):
    text = render(small(credibility=credibility, credibility_words="Because."))
    assert f'<div class="verdict {tone}">' in text and f">{credibility.capitalize()}.</strong>" in text


def test_verdicts_differ_by_more_than_colour(text):
    icons = dict(re.findall(r'<svg class="icon (\w+)"[^>]*>(.*?)</svg>', text))
    assert len(icons) == len(set(icons.values())) == 4


def test_markup_in_any_text_is_only_text(answer, poison):
    quiet = render(poison(answer, "(plain words)"), study_text="s (plain words)")
    loud = render(poison(answer, SCRIPT), study_text=f"s {SCRIPT}")
    assert Page(loud).shape == Page(quiet).shape
    assert "<script" not in loud
    assert loud.count("&lt;script&gt;") > 400
    assert loud.count("&lt;script&gt;") == quiet.count("(plain words)")


@pytest.mark.parametrize(
    "text", ['" onmouseover="x', "'><img src=x onerror=x>", "{{ 7 * 7 }}", "</style><b>", "]]>"]
)
def test_no_text_leaves_its_place(answer, poison, text):
    loud = render(poison(answer, text), study_text=text)
    assert Page(loud).shape == Page(render(poison(answer, "plain"), study_text="plain")).shape
    assert "49" not in Page(render(small(notes=("{{ 7 * 7 }}",)))).text


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).filter(str.strip))
def test_any_text_survives(word):
    def page(text):
        table = Table(name="t", title=text, columns=(text, "x"), rows=((text, 1),), note="n")
        return Page(render(small(notes=(text,), tables=(table,)), study_text="x" + text))

    assert [tag for tag, _ in page(word).shape] == [tag for tag, _ in page("word").shape]


def test_control_characters_are_shown(answer, poison):
    text = render(poison(answer, "\x1b[31m\u202e\x00"), study_text="\x07\u2066")
    assert not set(text) & set("\x1b\u202e\x00\x07\u2066")
    assert "␛[31m[U+202E]␀" in text


def test_a_script_in_a_drawing_does_not_arrive():
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"><g>{SCRIPT}<path d="M 0 0"/></g></svg>'
    text = render(small(figures=(Figure.of("f", "F", "", "alt", svg),)))
    assert (
        "<script" not in text and "alert" not in text and "onload" not in text and '<path d="M 0 0"/>' in text
    )


def test_a_broken_drawing_is_refused():
    with pytest.raises(DataError, match="figure 'f': expected SVG text"):
        render(small(figures=(Figure.of("f", "F", "", "alt", "<svg"),)))


def test_a_figure_without_its_drawing_is_described():
    text = render(small(figures=(Figure(name="f", title="F", caption="", alt="three lines"),)))
    assert "It shows: three lines" in text


def test_an_answer_read_back_gives_a_page(answer):
    assert Page(render(Answer.model_validate_json(answer.to_json()))).all("table")


def test_the_smallest_answer_gives_a_page():
    page = Page(render(small()))
    assert "Not judged." in page.text and "computed without a study file" in page.text
    titles = [attributes["id"] for attributes in page.all("h2")]
    assert titles == ["numbers-title", "provenance-title", "again-title"]


def test_the_study_is_given_as_it_is(answer):
    study = 'question = "effect"\n\n[data]\n\ttable = "a.csv"\n'
    text = render(answer, study_text=study)
    assert "<code>question = &#34;effect&#34;\n\n[data]\n\ttable = &#34;a.csv&#34;</code>" in text
    assert "boosting&#34;" not in text


def test_the_same_answer_gives_the_same_bytes(answer, text):
    assert render(Answer.model_validate(answer.model_dump(by_alias=True)).model_copy(
        update={"figures": answer.figures})) == text  # fmt: skip


def test_timings_show_only_in_the_provenance(answer, text):
    source = answer.provenance.model_copy(
        update={"timing": Timing(started="2027-01-01T00:00:00Z", seconds=1.0)}
    )
    other = render(answer.model_copy(update={"provenance": source}))
    before, _, after = (
        re.split(r'<section class="part" id="(?:provenance|again)"', page) for page in (text, other, other)
    )
    assert before[0] == after[0] and before[2] == after[2] and before[1] != after[1]


def test_the_page_is_small(text):
    assert len(text.encode()) < 300_000


def test_writing_is_whole_or_refused(answer, text, tmp_path):
    assert write(answer, tmp_path / "new" / "a.html").read_text("utf-8") == text
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError):
        write(answer, tmp_path / "file" / "a.html")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.html"]
