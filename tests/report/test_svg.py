from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from suppose.core.answer import Figure
from suppose.core.errors import DataError
from suppose.core.figures import PALETTE, draw_svg
from suppose.report.svg import inline, is_inert, standalone

NS = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def figure(body: str, root: str = "", alt: str = "alt") -> Figure:
    return Figure.of("f", "title", "caption", alt, f'<svg {NS} viewBox="0 0 9 9" {root}>{body}</svg>')


HOSTILE = {
    "script": "<script>alert(1)</script>",
    "script in a namespace": '<s:script xmlns:s="http://www.w3.org/2000/svg">alert(1)</s:script>',
    "nested script": "<g><text>x<script>alert(1)</script></text></g>",
    "handler": '<rect onclick="alert(1)" width="1" height="1"/>',
    "handler in capitals": '<rect ONLOAD="alert(1)" width="1" height="1"/>',
    "foreign object": '<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>',
    "html title": '<title xmlns="http://www.w3.org/1999/xhtml"><img src="x"/></title>',
    "style sheet": "<style>@import url(http://evil.example/x.css);</style>",
    "link": '<a href="javascript:alert(1)"><text>x</text></a>',
    "link, old style": '<a xlink:href="https://evil.example"><text>x</text></a>',
    "outside use": '<use xlink:href="https://evil.example/a.svg#x"/>',
    "outside image": '<image href="https://evil.example/a.png" width="1" height="1"/>',
    "svg image": '<image href="data:image/svg+xml;base64,PHN2Zy8+" width="1" height="1"/>',
    "outside fill": '<rect fill="url(https://evil.example/#a)" width="1" height="1"/>',
    "outside style": '<rect style="fill: url(//evil.example/#a)" width="1" height="1"/>',
    "escaped style": '<rect style="fill: u\\72l(https://evil.example)" width="1" height="1"/>',
    "function in a style": '<rect style="fill: expression(alert(1)); stroke: image-set(x)" width="1"/>',
    "background": '<g style="background: url(https://evil.example)"/>',
    "animation": '<set attributeName="href" to="javascript:alert(1)"/>',
    "animated link": '<use href="#x"><animate attributeName="href" to="data:,x"/></use>',
    "class": '<g class="skip"/>',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_acts_or_reaches_out_is_dropped(body):
    for text in (inline(figure(body), "f1"), standalone(figure(body))):
        assert not re.search(r"script|alert|evil|<img|javascript|foreign|import|data:|class=\"skip", text), (
            text
        )
        assert not re.search(r"\son\w+=", text, re.IGNORECASE)
        ElementTree.fromstring(text)


@pytest.mark.parametrize(
    "root", ['onload="alert(1)"', 'style="background:url(https://evil.example)"', 'id="main"']
)
def test_the_root_is_cleaned_too(root):
    text = inline(figure("<g/>", root), "f1")
    assert not re.search(r"onload|evil|main", text)


def test_words_of_a_drawing_are_text():
    text = inline(figure("<text>&lt;script&gt;a &amp; b\u202e</text>", alt='"><script>x</script>'), "f1")
    assert "<text>&lt;script&gt;a &amp; b[U+202E]</text>" in text
    assert 'aria-label="&quot;&gt;&lt;script&gt;x&lt;/script&gt;"' in text
    assert "<script" not in text


@pytest.mark.parametrize(
    "svg",
    [
        '<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg>&a;</svg>',
        '<?xml version="1.0"?><!doctype svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd"><svg/>',
    ],
)
def test_a_document_type_is_refused(svg):
    with pytest.raises(
        DataError, match=r"figure 'f': expected SVG text without a document type.*draw_svg"
    ) as caught:
        inline(Figure.of("f", "", "", "", svg), "f1")
    assert caught.value.code == "unreadable-figure"


@pytest.mark.parametrize(
    ("svg", "words"),
    [
        ("<svg><g></svg>", "not well-formed"),
        ("<svg>&nbsp;</svg>", "not well-formed"),
        ("<html/>", "got 'html'"),
    ],
)
def test_what_is_not_svg_is_refused(svg, words):
    with pytest.raises(DataError, match=words):
        inline(Figure.of("f", "", "", "", svg), "f1")


def test_colours_follow_the_page():
    body = "".join(f'<path d="M 0 0" style="stroke: {c}" fill="{c}"/>' for c in PALETTE.values())
    text = inline(figure(body), "f1")
    for name, colour in PALETTE.items():
        assert f"fill:var(--{name},{colour});stroke:var(--{name},{colour})" in text


def test_a_style_wins_over_an_attribute():
    text = inline(figure(f'<path style="fill: none" fill="{PALETTE["ink"]}"/>'), "f1")
    assert 'style="fill:none"' in text


def test_other_colours_and_sizes_stay():
    body = '<text font-size="12" fill="#123456" stroke="rgb(1, 2, 3)" font-family="system-ui, sans-serif">x</text>'
    text = inline(figure(body, 'font-size="13"'), "f1")
    for part in ('font-size="12"', 'fill="#123456"', 'stroke="rgb(1, 2, 3)"', 'font-size="13"', "system-ui"):
        assert part in text


def test_drawings_do_not_share_identifiers():
    svg = draw_svg("one", lambda ax: ax.plot([0, 1], [0, 1]))
    drawing = Figure.of("f", "", "", "", svg)
    first, second = inline(drawing, "f1"), inline(drawing, "f2")
    ids = [set(re.findall(r' id="([^"]+)"', text)) for text in (first, second)]
    assert ids[0] and not ids[0] & ids[1]
    for text, known in zip((first, second), ids, strict=True):
        referred = set(re.findall(r'href="#([^"]+)"', text)) | set(re.findall(r"url\(#([^)]+)\)", text))
        assert referred == known


def test_a_drawing_keeps_its_lines():
    svg = draw_svg("one", lambda ax: ax.plot([0, 1], [0, 1]))
    count = {tag: svg.count(f"<{tag} ") for tag in ("path", "use", "clipPath")}
    text = inline(Figure.of("f", "", "", "", svg), "f1")
    assert {tag: text.count(f"<{tag} ") for tag in count} == count
    assert "<style" not in text and "metadata" not in text and len(text) < len(svg)


def test_pictures_in_a_drawing_stay():
    svg = draw_svg("image", lambda ax: ax.imshow([[0.0, 1.0], [2.0, 3.0]]))
    text = inline(Figure.of("f", "", "", "", svg), "f1")
    assert 'href="data:image/png;base64,' in text


def test_sizes_become_pixels_and_a_view():
    text = inline(Figure.of("f", "", "", "", '<svg width="75pt" height="1in"/>'), "f1")
    assert 'width="100" height="96" viewBox="0 0 100 96"' in text


def test_only_drawings_at_rest_are_inert():
    assert is_inert(Figure.of("f", "", "", "", draw_svg("one", lambda ax: ax.plot([0, 1], [0, 1]))))
    active = [name for name, body in HOSTILE.items() if is_inert(figure(body))]
    # Style sheets and references of styles load at most a picture; they are let through in a file of its own.
    assert not [name for name in active if re.search("script|handler|link|use|foreign|animat|image", name)]
