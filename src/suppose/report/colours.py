"""The report's colours: one set of names, a light and a dark value each.

Figures are drawn in the colours of :data:`suppose.core.figures.PALETTE`; :data:`FIGURE_COLOURS` says
which name each of them takes on the page, so that figures follow the reader's light or dark setting.
Every colour used for words has a contrast of at least 4.5 with the grounds it stands on (tested).
"""

from __future__ import annotations

from suppose.core.figures import PALETTE

__all__ = ["DARK", "FIGURE_COLOURS", "LIGHT", "contrast"]

LIGHT = {
    "paper": "#fdfdfb",
    "wash": "#f4f4f0",
    "ink": "#1f2430",
    "muted": "#5d6470",
    "rule": "#d5d9e0",
    "blue": "#2a659d",
    "orange": "#a4560f",
    "green": "#2b7548",
    "red": "#b03a34",
    "purple": "#6f4fa0",
}

DARK = {
    "paper": "#15181d",
    "wash": "#1d2128",
    "ink": "#e5e8ed",
    "muted": "#a3abb8",
    "rule": "#363d48",
    "blue": "#7cb2e8",
    "orange": "#eba25e",
    "green": "#73c594",
    "red": "#ef938b",
    "purple": "#bba5e8",
}

#: Colour written in a figure -> name of the page's colour that takes its place.
FIGURE_COLOURS = {
    **{colour: name for name, colour in PALETTE.items()},
    "#000000": "ink",
    "#000": "ink",
    "black": "ink",
    "#ffffff": "paper",
    "#fff": "paper",
    "white": "paper",
}


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two ``#rrggbb`` colours, 1 to 21 (WCAG 2.2, relative luminance).

    Examples
    --------
    >>> round(contrast("#ffffff", "#000000"), 1), round(contrast(LIGHT["muted"], LIGHT["paper"]), 1)
    (21.0, 5.9)
    """
    bright, dim = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
