from __future__ import annotations

import pytest

from suppose.core.figures import PALETTE
from suppose.report.colours import DARK, FIGURE_COLOURS, LIGHT, contrast

WORDS = ("ink", "muted", "blue", "orange", "green", "red", "purple")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "wash"])
@pytest.mark.parametrize("name", WORDS)
def test_words_stand_out_from_their_ground(theme, ground, name):
    assert contrast(theme[name], theme[ground]) >= 4.5


@pytest.mark.parametrize("name", WORDS)
def test_words_stand_out_on_white_paper(name):
    assert contrast(LIGHT[name], "#ffffff") >= 4.5


def test_every_colour_of_a_figure_has_a_place_on_the_page():
    assert LIGHT.keys() == DARK.keys()
    assert set(FIGURE_COLOURS.values()) <= LIGHT.keys()
    assert set(PALETTE.values()) <= FIGURE_COLOURS.keys()


def test_contrast_agrees_with_published_ratios():
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#ffffff")
