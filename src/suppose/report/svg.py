"""Figures as part of a page: rebuilt from an allow-list, in the page's own colours.

A figure is SVG text that the library drew, yet its words come from data. So nothing of the text is
passed on: it is parsed without a document type (hence without entities), and a new drawing is written
from the elements, attributes and style properties named here. Scripts, event handlers, style sheets,
foreign objects, animation and every reference that leaves the drawing are dropped. Identifiers that
are referred to get a prefix, so that several drawings can stand on one page; the others go.
"""

from __future__ import annotations

import re
from html import escape
from xml.etree import ElementTree

from suppose.core.answer import Figure
from suppose.core.errors import DataError
from suppose.report.colours import FIGURE_COLOURS
from suppose.report.text import visible

__all__ = ["inline", "is_inert", "standalone"]

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ELEMENTS = _words(
    "svg g path rect circle ellipse line polyline polygon text tspan defs clipPath mask use marker symbol "
    "title desc linearGradient radialGradient stop pattern image"
)
_STYLES = _words(
    "fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-dasharray stroke-dashoffset "
    "stroke-linecap stroke-linejoin stroke-miterlimit opacity clip-rule stop-color stop-opacity "
    "font-size font-family font-weight font-style text-anchor dominant-baseline baseline-shift "
    "letter-spacing white-space paint-order visibility image-rendering vector-effect"
)
_GEOMETRY = _words(
    "d x y dx dy x1 y1 x2 y2 cx cy r rx ry fx fy width height points transform viewBox offset orient refX "
    "refY markerWidth markerHeight markerUnits clipPathUnits maskUnits gradientUnits gradientTransform "
    "patternUnits patternContentUnits patternTransform preserveAspectRatio textLength lengthAdjust "
    "rotate"
)
_REFERENCES = _words("clip-path mask marker-start marker-mid marker-end fill stroke")
_ACTIVE = _words("script foreignObject iframe object embed animate animateMotion animateTransform set")
_PLAIN = re.compile(r"[\w#%.,\s()+\-'\"]*")
_LOCAL = re.compile(r"url\(\s*['\"]?#([\w.:\-]+)['\"]?\s*\)")
_PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=\s]+")
_FUNCTION = re.compile(r"([\w-]+)\s*\(")
_FUNCTIONS = _words("rgb rgba matrix translate scale rotate skewX skewY")


def inline(figure: Figure, prefix: str) -> str:
    """The drawing of a figure as SVG markup to stand in an HTML page.

    Parameters
    ----------
    figure : Figure
        What to show; its ``alt`` becomes the name of the image for those who cannot see it.
    prefix : str
        Put before every identifier, unlike that of all other drawings on the page.

    Raises
    ------
    DataError
        ``unreadable-figure`` when the text is not SVG or declares a document type.

    Examples
    --------
    >>> drawing = '<svg viewBox="0 0 4 3"><path d="M 0 0" fill="#1f2430"/></svg>'
    >>> figure = Figure.of("f", "", "", "a line", drawing)
    >>> print(inline(figure, "f1"))
    <svg class="drawing" role="img" aria-label="a line" viewBox="0 0 4 3"><path d="M 0 0"
    style="fill:var(--ink,#1f2430)"/></svg>
    """
    label = escape(visible(figure.alt or figure.title), quote=True)
    return _rebuilt(figure, prefix, f' class="drawing" role="img" aria-label="{label}"')


def standalone(figure: Figure) -> str:
    """The drawing of a figure as an SVG file of its own, rebuilt from the same allow-list."""
    return _rebuilt(figure, "f", ' xmlns="http://www.w3.org/2000/svg"') + "\n"


def is_inert(figure: Figure) -> bool:
    """Whether the drawing of a figure holds nothing that acts or reaches out when opened by itself.

    Examples
    --------
    >>> [is_inert(Figure.of("f", "", "", "", text)) for text in ("<svg onload='x()'/>", "<svg><g/></svg>")]
    [False, True]
    """
    for element in _parse(figure.svg, figure.name).iter():
        if _name(element.tag) in _ACTIVE:
            return False
        for key, value in element.attrib.items():
            name = _name(key)
            leaves = name == "href" and not (value.startswith("#") or _PICTURE.fullmatch(value))
            if name.lower().startswith("on") or leaves or "javascript:" in value.lower():
                return False
    return True


def _rebuilt(figure: Figure, prefix: str, head: str) -> str:
    root = _parse(figure.svg, figure.name)
    wanted = {target for element in root.iter() for target in _targets(element)}
    for side in ("width", "height"):
        pixels = _pixels(root.attrib.pop(side, ""))
        if pixels:
            root.set(side, f"{pixels:.0f}")
    if "viewBox" not in root.attrib and {"width", "height"} <= root.attrib.keys():
        root.set("viewBox", f"0 0 {root.attrib['width']} {root.attrib['height']}")
    parts = [f"<svg{head}{_attributes(root, 'svg', prefix, wanted)}>"]
    for child in root:
        _write(child, prefix, wanted, parts)
    return "".join([*parts, "</svg>"])


def _parse(text: str, name: str) -> ElementTree.Element:
    where = f"figure {name!r}"
    if re.search(r"<!\s*(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise DataError(
            "unreadable-figure", "expected SVG text without a document type, and one is declared",
            where=where, remedy="Draw it with suppose.core.figures.draw_svg.",
        )  # fmt: skip
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 (no document type, hence no entities)
    except (ElementTree.ParseError, ValueError) as error:
        raise DataError(
            "unreadable-figure", f"expected SVG text, and it is not well-formed XML ({error})",
            where=where, remedy="Draw it with suppose.core.figures.draw_svg.",
        ) from error  # fmt: skip
    if _name(root.tag) != "svg":
        raise DataError(
            "unreadable-figure", f"expected an svg element, got {_name(root.tag)!r}",
            where=where, remedy="Draw it with suppose.core.figures.draw_svg.",
        )  # fmt: skip
    return root


def _name(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _targets(element: ElementTree.Element) -> list[str]:
    """Identifiers within the drawing that an element refers to."""
    found = [
        match for key, value in element.attrib.items() if _name(key) in _REFERENCES or key == "style"
        for match in _LOCAL.findall(value)
    ]  # fmt: skip
    href = element.get("href") or element.get(XLINK + "href") or ""
    return [*found, href[1:]] if href.startswith("#") else found


def _write(element: ElementTree.Element, prefix: str, wanted: set[str], parts: list[str]) -> None:
    tag = _name(element.tag)
    if tag not in _ELEMENTS or (isinstance(element.tag, str) and not element.tag.startswith((SVG, tag))):
        return
    parts.append(f"<{tag}{_attributes(element, tag, prefix, wanted)}")
    content = visible(element.text or "")
    if len(element) == 0 and not content.strip():
        parts.append("/>")
        return
    parts.append(">")
    wordy = tag in ("text", "tspan", "title", "desc")
    if wordy:
        parts.append(escape(content, quote=False))
    for child in element:
        _write(child, prefix, wanted, parts)
        if wordy and child.tail:
            parts.append(escape(visible(child.tail), quote=False))
    parts.append(f"</{tag}>")


def _attributes(element: ElementTree.Element, tag: str, prefix: str, wanted: set[str]) -> str:
    kept: dict[str, str] = {}
    style: dict[str, str] = {}
    for key, value in element.attrib.items():
        name = _name(key)
        if name == "id" and value in wanted:
            kept["id"] = f"{prefix}-{value}"
        elif name == "href":
            kept.update(_href(tag, value, prefix))
        elif name in _STYLES or name in _REFERENCES:
            declared = _declaration(name, value, prefix)
            # A colour of the page is a style; the rest stays an attribute, where numbers need no unit.
            (style if "var(" in declared.get(name, "") else kept).update(declared)
        elif name in _GEOMETRY and _is_plain(value):
            kept[name] = " ".join(value.split())
    for declaration in element.get("style", "").split(";"):
        name, _, value = declaration.partition(":")
        if name.strip() in _STYLES | _REFERENCES:
            style.update(_declaration(name.strip(), value.strip(), prefix))
    if style:
        kept["style"] = ";".join(f"{name}:{value}" for name, value in style.items())
    return "".join(f' {name}="{escape(value, quote=True)}"' for name, value in kept.items())


def _href(tag: str, value: str, prefix: str) -> dict[str, str]:
    if tag == "image":
        return {"href": "".join(value.split())} if _PICTURE.fullmatch(value) else {}
    return {"href": f"#{prefix}-{value[1:]}"} if re.fullmatch(r"#[\w.:\-]+", value) else {}


def _declaration(name: str, value: str, prefix: str) -> dict[str, str]:
    """One style declaration in the page's colours, or nothing when it is not on the list."""
    local = _LOCAL.fullmatch(value.strip())
    if local:
        return {name: f"url(#{prefix}-{local[1]})"} if name in _REFERENCES else {}
    colour = FIGURE_COLOURS.get(value.strip().lower())
    if colour and name in ("fill", "stroke", "stop-color"):
        return {name: f"var(--{colour},{value.strip()})"}
    return {name: value.strip()} if value.strip() and _is_plain(value) else {}


def _is_plain(value: str) -> bool:
    return bool(_PLAIN.fullmatch(value)) and all(f in _FUNCTIONS for f in _FUNCTION.findall(value))


def _pixels(length: str) -> float:
    """An SVG length in CSS pixels; zero when it is in a unit that has no size of its own."""
    match = re.fullmatch(r"\s*([\d.]+)\s*(px|pt|in|cm|mm)?\s*", length)
    scale = {"pt": 96 / 72, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4}
    return float(match[1]) * scale.get(match[2] or "", 1.0) if match else 0.0
