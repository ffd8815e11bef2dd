"""The page in a real browser: it logs nothing, asks for nothing, and fits. Needs Chromium."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from suppose.core.answer import Figure
from suppose.report import write

BROWSER = runpy.run_path(str(Path(__file__).parent / "browser.py"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER["CHROMIUM"] is None, reason="Chromium is not installed"),
]

COLOURS = """(() => {
  const number = c => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = e => { while (e) { const c = number(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; e = e.parentElement; } return [255, 255, 255]; };
  const poor = [];
  for (const e of document.querySelectorAll('body *')) {
    if (e.closest('svg') || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const [a, b] = [light(number(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) poor.push(e.tagName + ' ' + e.textContent.slice(0, 40));
  }
  return poor; })()"""


@pytest.fixture(scope="module")
def window():
    with BROWSER["Browser"]() as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(answer, poison, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    loud = poison(answer, '<script>alert("1")</script><img src=https://evil.example/x.png>')
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" onload="alert(1)">'
        '<script>alert(1)</script><image href="https://evil.example/x.png"/>'
        '<rect style="fill:url(https://evil.example/x)"/></svg>'
    )
    loud = loud.model_copy(update={"figures": (*loud.figures, Figure.of("bad", "Bad", "", "bad", svg))})
    return {"sample": write(answer, folder / "sample"), "hostile": write(loud, folder / "hostile")}


@pytest.mark.parametrize("name", ["sample", "hostile"])
def test_nothing_is_logged_and_nothing_asked_for(window, pages, name):
    window.view(1280)
    window.open(pages[name])
    window.evaluate("new Promise(done => setTimeout(done, 500))")
    assert window.complaints() == []
    assert window.requests() == [pages[name].resolve().as_uri()]


def test_the_browser_would_notice(window, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(
        "<link rel=icon href=data:,><img src='http://127.0.0.1:9/x.png'><script>nowhere()</script>"
    )
    window.open(page)
    assert window.complaints() and len(window.requests()) == 2


@pytest.mark.parametrize("name", ["sample", "hostile"])
@pytest.mark.parametrize("width", [1280, 820, 390, 360, 320])
def test_the_page_never_scrolls_sideways(window, pages, name, width):
    window.view(width)
    window.open(pages[name])
    assert window.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_words_and_figures_follow_light_and_dark(window, pages, dark):
    window.view(1280, dark=dark)
    window.open(pages["sample"])
    window.evaluate("document.querySelector('details').open = true")
    assert window.evaluate(COLOURS) == []
    ground = window.evaluate("getComputedStyle(document.body).backgroundColor")
    label = window.evaluate(
        "getComputedStyle([...document.querySelectorAll('.drawing g')].find("
        "g => g.style.fill.includes('--ink'))).fill"
    )
    assert (ground, label) == (
        ("rgb(21, 24, 29)", "rgb(229, 232, 237)") if dark else ("rgb(253, 253, 251)", "rgb(31, 36, 48)")
    )


def test_paper_is_white_and_shows_what_was_folded(window, pages):
    window.view(794, dark=True, media="print")
    window.open(pages["sample"])
    assert window.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert window.evaluate("document.querySelector('details table').offsetHeight") > 3000
    assert window.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert window.evaluate("document.documentElement.scrollWidth") <= 794
    window.view(1280)


def test_a_click_selects_the_command(window, pages):
    window.view(1280)
    window.open(pages["sample"])
    style = "getComputedStyle(document.querySelector('pre.copy')).userSelect"
    assert window.evaluate(style) == "all"
