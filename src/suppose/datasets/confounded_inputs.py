"""Worlds in which a hidden cause moves both the inputs and the outcome, with the true effect known.

The linear model and the coloured digits of Akbar et al. (2025, arXiv 2510.25128, section 6): the outcome is
``f(X) + xi`` and a hidden ``C`` drives ``X`` and ``xi``. Deviation: the digits are scikit-learn's 1,797 pictures of
8 x 8 pixels unless the caller brings a larger set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from suppose.core.errors import DataError
from suppose.core.random import generator

__all__ = ["ColouredDigits", "ConfoundedInputs", "make_coloured_digits", "make_linear_sem"]


@dataclass(frozen=True)
class ConfoundedInputs:
    """Inputs and outcome with a hidden common cause, and what is true of them.

    Attributes
    ----------
    X : (n, d) array
        Inputs.
    y : (n,) array
        Outcome.
    f : (d,) array
        True coefficients: the outcome under ``do(X = x)`` is ``x @ f`` on average.
    covariance : (d, d) array
        Of the inputs, in the population.
    confounding : (d,) array
        ``Cov(X, xi)`` in the population.
    hidden : (n, m) array
        The hidden cause, which no study sees.
    """

    X: Float[np.ndarray, "n d"]
    y: Float[np.ndarray, " n"]
    f: Float[np.ndarray, " d"]
    covariance: Float[np.ndarray, "d d"]
    confounding: Float[np.ndarray, " d"]
    hidden: Float[np.ndarray, "n m"]

    def to_frame(self) -> Any:
        """Inputs ``x1 ... xd`` and outcome ``y`` as a pandas frame."""
        import pandas as pd

        columns = {f"x{j + 1}": self.X[:, j] for j in range(self.X.shape[1])}
        return pd.DataFrame({**columns, "y": self.y})

    def __str__(self) -> str:
        return f"linear model: {len(self.y):,} rows, {self.X.shape[1]} inputs, hidden cause of {self.hidden.shape[1]}"


def make_linear_sem(
    n: int = 2048,
    d: int = 32,
    *,
    kappa: float = 1.0,
    noise: float = 0.1,
    hidden: int | None = None,
    seed: int = 0,
) -> ConfoundedInputs:
    """The linear model: ``X = C W + noise N``, ``y = X f + kappa C w + noise N``, all weights standard normal.

    Parameters
    ----------
    n, d : int
        Rows and inputs.
    kappa : float
        Strength of confounding; 0 is none.
    noise : float
        Standard deviation of the noise of inputs and outcome.
    hidden : int, optional
        Hidden causes; as many as inputs by default.
    seed : int
        Of the model and of the rows.

    Raises
    ------
    DataError
        ``bad-generator-argument``.

    Examples
    --------
    >>> world = make_linear_sem(5000, 3, seed=1)
    >>> least_squares = np.linalg.lstsq(world.X, world.y, rcond=None)[0]
    >>> limit = world.f + np.linalg.solve(world.covariance, world.confounding)
    >>> bool(np.abs(least_squares - limit).max() < 0.05), bool(np.abs(least_squares - world.f).max() > 0.1)
    (True, True)
    """
    m = d if hidden is None else hidden
    for name, value in (("n", n), ("d", d), ("hidden", m)):
        _refuse_count(name, value)
    rng = generator(seed, "linear-sem")
    to_inputs, to_outcome, f = rng.standard_normal((m, d)), rng.standard_normal(m), rng.standard_normal(d)
    cause = rng.standard_normal((n, m))
    X = cause @ to_inputs + noise * rng.standard_normal((n, d))
    y = X @ f + kappa * cause @ to_outcome + noise * rng.standard_normal(n)
    covariance = to_inputs.T @ to_inputs + noise**2 * np.eye(d)
    return ConfoundedInputs(X, y, f, covariance, kappa * to_inputs.T @ to_outcome, cause)


@dataclass(frozen=True)
class ColouredDigits:
    """Pictures of digits whose colour goes with the label for no good reason.

    Attributes
    ----------
    X : (n, 3, height, width) array
        Red or green pictures, values between 0 and 1.
    y : (n,) array
        Label, 0 or 1: whether the digit is below five, wrong for a quarter of the pictures.
    truth : (n,) array
        Whether the digit is below five: 0.75 or 0.25 is the probability of label 1 under any colour.
    colour : (n,) array
        1 red, 0 green.
    """

    X: Float[np.ndarray, "n 3 height width"]
    y: Float[np.ndarray, " n"]
    truth: Float[np.ndarray, " n"]
    colour: Float[np.ndarray, " n"]

    @property
    def flat(self) -> Float[np.ndarray, "n pixels"]:
        """The pictures as rows, as estimators take them."""
        return self.X.reshape(len(self.X), -1)

    def __str__(self) -> str:
        agree = float(np.mean(self.colour == self.y))
        return f"coloured digits: {len(self.y):,} pictures, colour and label agree in {agree:.0%}"


def make_coloured_digits(
    part: str = "train",
    n: int | None = None,
    *,
    colour_noise: tuple[float, ...] | None = None,
    label_noise: float = 0.25,
    images: Any = None,
    digits: Any = None,
    seed: int = 0,
) -> ColouredDigits:
    """Digits coloured red or green: by the label in training, by a coin in the test.

    Parameters
    ----------
    part : {"train", "test"}
        Two thirds of the digits are for training, the others for the test.
    n : int, optional
        Pictures; all of the part by default, drawn with replacement when more are asked for.
    colour_noise : tuple of float, optional
        Chances that the colour departs from the label, one drawn per picture with weights proportional to
        themselves; (0.1, 0.2) in training, (0.5,) in the test.
    label_noise : float
        Chance that the label is wrong.
    images, digits : (m, height, width) and (m,) arrays, optional
        Grey pictures with values from 0 to 1 and the digits they show; scikit-learn's by default.
    seed : int
        Of everything drawn; the parting of the digits does not depend on it.

    Raises
    ------
    DataError
        ``bad-generator-argument``.

    Examples
    --------
    >>> data = make_coloured_digits(seed=1)
    >>> data.X.shape, bool(np.mean(data.colour == data.y) > 0.75)
    ((1198, 3, 8, 8), True)
    """
    grey, shown = _digits(images, digits)
    order = generator(0, "digits-parted").permutation(len(grey))
    cut = round(2 * len(grey) / 3)
    if part not in ("train", "test"):
        raise DataError(
            "bad-generator-argument", f"expected 'train' or 'test', got {part!r}", where="part",
            remedy="Two thirds of the digits are for training.",
        )  # fmt: skip
    pool = order[:cut] if part == "train" else order[cut:]
    rng = generator(seed, "coloured-digits", part)
    count = len(pool) if n is None else n
    _refuse_count("n", count)
    chosen = rng.choice(pool, count, replace=count > len(pool))
    truth = (shown[chosen] < 5).astype(float)
    y = np.abs(truth - (rng.random(count) < label_noise))
    noise = np.asarray(
        colour_noise if colour_noise is not None else ((0.1, 0.2) if part == "train" else (0.5,))
    )
    if not len(noise) or noise.min() < 0 or noise.max() > 1:
        raise DataError(
            "bad-generator-argument", f"expected chances between 0 and 1, got {colour_noise!r}", where="colour_noise",
            remedy="Write for example colour_noise=(0.1, 0.2).",
        )  # fmt: skip
    weights = noise if noise.sum() > 0 else np.ones(len(noise))
    chance = noise[rng.choice(len(noise), count, p=weights / weights.sum())]
    colour = np.abs(y - (rng.random(count) < chance))
    X = np.zeros((count, 3, *grey.shape[1:]))
    X[np.arange(count), np.where(colour == 1, 0, 1)] = grey[chosen]
    return ColouredDigits(X, y, truth, colour)


def _digits(images: Any, digits: Any) -> tuple[np.ndarray, np.ndarray]:
    if images is None:
        from sklearn.datasets import load_digits

        bundle = load_digits()
        return np.asarray(bundle.images) / 16.0, np.asarray(bundle.target)
    grey, shown = np.asarray(images, dtype=float), np.asarray(digits)
    if grey.ndim != 3 or shown.shape != (len(grey),) or grey.min() < 0 or grey.max() > 1:
        raise DataError(
            "bad-generator-argument", f"expected (m, height, width) pictures from 0 to 1 and m digits, got "
            f"{grey.shape} and {shown.shape}", where="images", remedy="Divide grey values of 0 to 255 by 255.",
        )  # fmt: skip
    return grey, shown


def _refuse_count(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise DataError(
            "bad-generator-argument", f"expected a positive whole number, got {value!r}", where=name,
            remedy=f"Write for example {name}=100.",
        )  # fmt: skip
