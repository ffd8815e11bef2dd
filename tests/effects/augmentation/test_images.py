"""Changes of pictures: against matplotlib's colour conversion and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import colors

from suppose.core.errors import Refusal
from suppose.effects.augmentation import ColourJitter, ImageShift
from suppose.effects.augmentation.images import hsv_to_rgb, rgb_to_hsv

RNG = np.random.default_rng(0)
PICTURES = RNG.random((40, 3, 6, 5))


def test_colour_conversion_is_matplotlibs() -> None:
    special = np.r_[
        PICTURES,
        np.zeros((1, 3, 6, 5)),
        np.ones((1, 3, 6, 5)),
        np.eye(3)[:, :, None, None] * np.ones((3, 3, 6, 5)),
    ]
    expected = colors.rgb_to_hsv(special.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(rgb_to_hsv(special), expected, atol=1e-12)
    np.testing.assert_allclose(hsv_to_rgb(rgb_to_hsv(special)), special, atol=1e-12)


def test_parameters_are_standardised() -> None:
    many = np.zeros((20_000, 3, 1, 1))
    for augment, width in ((ColourJitter(), 4), (ImageShift(), 2)):
        _, G = augment(many, np.random.default_rng(0))
        assert G.shape == (20_000, width)
        np.testing.assert_allclose(G.mean(axis=0), 0, atol=3 / np.sqrt(20_000))
        np.testing.assert_allclose(G.var(axis=0), 1, atol=0.03)


def test_single_changes_of_colour() -> None:
    GX, G = ColourJitter(contrast=0, saturation=0, hue=0)(PICTURES, np.random.default_rng(1))
    factor = 1 + 0.5 * 2 * (G[:, 0] * np.sqrt(1 / 20))
    np.testing.assert_allclose(GX, np.clip(PICTURES * factor[:, None, None, None], 0, 1), atol=1e-12)
    grey = np.repeat(RNG.random((10, 1, 4, 4)), 3, axis=1)
    for kept in ("saturation", "hue"):
        settings = dict.fromkeys(("brightness", "contrast", "saturation", "hue"), 0.0) | {kept: 0.5}
        np.testing.assert_allclose(
            ColourJitter(**settings)(grey, np.random.default_rng(0))[0], grey, atol=1e-12
        )
    flat, _ = ColourJitter(brightness=0, saturation=0, hue=0)(
        np.full((3, 3, 4, 4), 0.4), np.random.default_rng(0)
    )
    np.testing.assert_allclose(flat, 0.4)


def test_hue_turns_red_into_other_colours() -> None:
    red = np.zeros((2000, 3, 1, 1))
    red[:, 0] = 0.8
    GX, _ = ColourJitter(0, 0, 0, 0.5)(red, np.random.default_rng(0))
    np.testing.assert_allclose(GX.max(axis=1), 0.8)
    assert (GX[:, 1] > 0.7).any() and (GX[:, 2] > 0.7).any()


def test_shifts_move_whole_pixels() -> None:
    GX, G = ImageShift(0.5)(PICTURES, np.random.default_rng(3))
    shift = np.rint(0.5 * 2 * G * np.sqrt(1 / 20) * [5, 6]).astype(int)
    for before, after, (right, down) in zip(PICTURES, GX, shift, strict=True):
        expected = np.zeros_like(before)
        for row in range(6):
            for column in range(5):
                if 0 <= row - down < 6 and 0 <= column - right < 5:
                    expected[:, row, column] = before[:, row - down, column - right]
        np.testing.assert_array_equal(after, expected)


@pytest.mark.parametrize("augment", [ColourJitter, ImageShift])
def test_flat_rows_are_the_same_pictures(augment) -> None:
    flat = augment(shape=(3, 6, 5))(PICTURES.reshape(40, -1), np.random.default_rng(0))
    whole = augment()(PICTURES, np.random.default_rng(0))
    np.testing.assert_array_equal(flat[0].reshape(PICTURES.shape), whole[0])
    np.testing.assert_array_equal(flat[1], whole[1])


@pytest.mark.parametrize(
    ("augment", "pictures", "message"),
    [
        (
            ColourJitter(),
            PICTURES[:, :1],
            r"expected pictures \(3, height, width\), got rows of shape \(1, 6, 5\)",
        ),
        (ColourJitter(), PICTURES.reshape(40, -1), "expected pictures"),
        (ColourJitter(shape=(3, 2, 2)), PICTURES.reshape(40, -1), "flat rows and their shape"),
        (ColourJitter(hue=0.7), PICTURES, "hue: expected a number from 0 to 0.5"),
        (ColourJitter(0, 0, 0, 0), PICTURES, "at least one change of colour"),
        (ImageShift(1.5), PICTURES, "fraction: expected a number from 0 to 1"),
    ],
)
def test_refusals(augment, pictures, message) -> None:
    with pytest.raises(Refusal, match=message):
        augment(pictures, np.random.default_rng(0))
