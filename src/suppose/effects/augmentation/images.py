"""Changes of pictures that leave what is shown alone: colours and position.

Pictures are arrays (n, channels, height, width), or the same flattened to (n, channels * height * width) with
``shape`` saying how to read a row; values between 0 and 1. All pictures are changed at once with NumPy. The
parameters are drawn from Beta(2, 2) on the stated range and returned standardised, as in the experiments of
Akbar et al. 2025 (arXiv 2510.25128, appendix on Coloured MNIST); turns and mirrors of pictures are
:class:`~suppose.effects.augmentation.transformations.GridSymmetry`.

Deviation: the paper shifts by torchvision's affine sampling rounded to whole pixels, here whole pixels are
moved directly and the freed border is black; the parameter returned is the one drawn.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float

from suppose.core.errors import DataError, EstimationError

__all__ = ["ColourJitter", "ImageShift", "hsv_to_rgb", "rgb_to_hsv"]

BETA_SPREAD = float(np.sqrt(1 / 20))  # standard deviation of Beta(2, 2)
GREY = np.array([0.299, 0.587, 0.114])
Pictures = Float[np.ndarray, "n 3 height width"]


def rgb_to_hsv(pictures: Pictures) -> Pictures:
    """Hue, saturation and value of red, green and blue, all between 0 and 1.

    Examples
    --------
    >>> rgb_to_hsv(np.array([0.0, 1.0, 0.0]).reshape(1, 3, 1, 1)).ravel().round(3).tolist()
    [0.333, 1.0, 1.0]
    """
    red, green, blue = pictures[:, 0], pictures[:, 1], pictures[:, 2]
    value = pictures.max(axis=1)
    spread = value - pictures.min(axis=1)
    safe = np.where(spread > 0, spread, 1.0)
    sector = np.where(
        value == red, ((green - blue) / safe) % 6.0,
        np.where(value == green, (blue - red) / safe + 2.0, (red - green) / safe + 4.0),
    )  # fmt: skip
    saturation = np.where(value > 0, spread / np.where(value > 0, value, 1.0), 0.0)
    return np.stack([np.where(spread > 0, sector / 6.0, 0.0), saturation, value], axis=1)


def hsv_to_rgb(pictures: Pictures) -> Pictures:
    """Red, green and blue of hue, saturation and value.

    Examples
    --------
    >>> x = np.random.default_rng(0).random((2, 3, 4, 4))
    >>> bool(np.allclose(hsv_to_rgb(rgb_to_hsv(x)), x))
    True
    """
    hue, saturation, value = pictures[:, 0], pictures[:, 1], pictures[:, 2]
    channels = []
    for offset in (5.0, 3.0, 1.0):
        place = (offset + 6.0 * hue) % 6.0
        channels.append(value * (1.0 - saturation * np.clip(np.minimum(place, 4.0 - place), 0.0, 1.0)))
    return np.stack(channels, axis=1)


def _beta(rng: np.random.Generator, n: int, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Values on (low, high) and the standardised parameters behind them."""
    drawn = rng.beta(2.0, 2.0, n)
    return low + (high - low) * drawn, (drawn - 0.5) / BETA_SPREAD


def _read(X: np.ndarray, shape: Any, channels: int | None) -> np.ndarray:
    if X.ndim == 2 and shape is not None and int(np.prod(shape)) == X.shape[1] and len(shape) == 3:
        X = X.reshape(len(X), *shape)
    if X.ndim != 4 or (channels is not None and X.shape[1] != channels):
        wanted = "channels" if channels is None else str(channels)
        raise DataError(
            "bad-augmentation", f"expected pictures ({wanted}, height, width), got rows of shape {X.shape[1:]}",
            where="shape", remedy="Give (n, channels, height, width), or flat rows and their shape.",
        )  # fmt: skip
    return X


def _refuse_range(value: float, name: str, top: float) -> None:
    if not 0 <= value <= top:
        raise EstimationError(
            "bad-augmentation", f"expected a number from 0 to {top:g}, got {value!r}", where=name,
            remedy="The half-width of the range the change is drawn from; 0 leaves it out.",
        )  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False)
class ColourJitter:
    """Brightness, contrast, saturation and hue, each changed by a random amount, in this order.

    Parameters
    ----------
    brightness, contrast, saturation : float
        Half-width around 1 of the factor, from 0 to 1; 0 leaves it out.
    hue : float
        Half-width of the turn of the colour circle, from 0 to 0.5.
    shape : (3, height, width), optional
        How a flat row is read.

    Examples
    --------
    >>> GX, G = ColourJitter(shape=(3, 2, 2))(np.random.default_rng(0).random((5, 12)), np.random.default_rng(1))
    >>> GX.shape, G.shape, bool(GX.min() >= 0), bool(GX.max() <= 1)
    ((5, 12), (5, 4), True, True)
    """

    brightness: float = 0.5
    contrast: float = 0.5
    saturation: float = 0.5
    hue: float = 0.5
    shape: Any = None

    def __call__(self, X: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Changed pictures, in the form they came, and one standardised parameter per kind of change."""
        pictures, n, parameters = _read(X, self.shape, 3), len(X), []
        for name in ("brightness", "contrast", "saturation", "hue"):
            width = float(getattr(self, name))
            _refuse_range(width, name, 0.5 if name == "hue" else 1.0)
            if width == 0:
                continue
            middle = 0.0 if name == "hue" else 1.0
            amount, parameter = _beta(rng, n, middle - width, middle + width)
            pictures = _recoloured(pictures, name, amount[:, None, None, None])
            parameters.append(parameter)
        if not parameters:
            raise EstimationError(
                "bad-augmentation", "expected at least one change of colour, got none", where="brightness",
                remedy="Give at least one of brightness, contrast, saturation and hue.",
            )  # fmt: skip
        return pictures.reshape(X.shape), np.stack(parameters, axis=1)


def _recoloured(pictures: np.ndarray, name: str, amount: np.ndarray) -> np.ndarray:
    if name == "hue":
        coded = rgb_to_hsv(pictures)
        coded[:, 0] = (coded[:, 0] + amount[:, 0]) % 1.0
        return hsv_to_rgb(coded)
    if name == "brightness":
        return np.asarray(np.clip(pictures * amount, 0.0, 1.0))
    grey = np.einsum("c,nchw->nhw", GREY, pictures)[:, None]
    if name == "contrast":
        grey = grey.mean(axis=(1, 2, 3), keepdims=True)
    return np.asarray(np.clip(amount * pictures + (1.0 - amount) * grey, 0.0, 1.0))


@dataclasses.dataclass(frozen=True, eq=False)
class ImageShift:
    """Move each picture by whole pixels, down and to the right by random amounts; the border becomes black.

    Parameters
    ----------
    fraction : float
        Half-width of the shift, as a share of height and width, from 0 to 1.
    shape : (channels, height, width), optional
        How a flat row is read.

    Examples
    --------
    >>> GX, G = ImageShift(0.5)(np.ones((3, 1, 4, 4)), np.random.default_rng(0))
    >>> GX.shape, G.shape, bool(GX.sum() < 48)
    ((3, 1, 4, 4), (3, 2), True)
    """

    fraction: float = 0.2
    shape: Any = None

    def __call__(self, X: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Moved pictures, in the form they came, and the standardised shifts (right, down)."""
        _refuse_range(self.fraction, "fraction", 1.0)
        pictures = _read(X, self.shape, None)
        n, _, height, width = pictures.shape
        right, first = _beta(rng, n, -self.fraction, self.fraction)
        down, second = _beta(rng, n, -self.fraction, self.fraction)
        rows = np.arange(height)[None] - np.rint(down * height).astype(np.int64)[:, None]
        columns = np.arange(width)[None] - np.rint(right * width).astype(np.int64)[:, None]
        seen = ((rows >= 0) & (rows < height))[:, None, :, None] & ((columns >= 0) & (columns < width))[
            :, None, None
        ]
        index = np.arange(n)[:, None, None]
        taken = pictures.transpose(0, 2, 3, 1)[
            index, rows.clip(0, height - 1)[:, :, None], columns.clip(0, width - 1)[:, None, :]
        ]
        return np.where(seen, taken.transpose(0, 3, 1, 2), 0.0).reshape(X.shape), np.stack(
            [first, second], axis=1
        )
