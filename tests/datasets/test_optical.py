"""The optical device and the worlds with hidden causes: truth, invariance, refusal."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import DataError
from suppose.datasets import (
    OPTICAL_EXPERIMENTS,
    load_optical_device,
    make_coloured_digits,
    make_linear_sem,
)
from suppose.effects.augmentation import erm, ncer


def test_least_squares_on_the_device_errs_as_published() -> None:
    """Mean normalised error 0.750 over the twelve experiments, with nothing random in it."""
    devices = [load_optical_device(number) for number in OPTICAL_EXPERIMENTS]
    errors = [ncer(erm(device.X, device.y), device.f) for device in devices]
    assert np.mean(errors) == pytest.approx(0.750, abs=5e-4)


def test_experiments_are_whole() -> None:
    for number in OPTICAL_EXPERIMENTS:
        frame = load_optical_device(number).frame
        assert frame.shape == (1000, 11)
        assert frame.to_numpy().min() >= 0 and frame.to_numpy().max() <= 255
    assert load_optical_device(69).frame.iloc[0].tolist() == [7, 58, 20, 34, 169, 56, 16, 243, 48, 74, 26]


def test_without_the_lamp_least_squares_is_right() -> None:
    """Experiment 75 was run with brightness 0."""
    device = load_optical_device(75)
    assert ncer(erm(device.X, device.y), device.f) < 0.001
    assert "1,000 rows" in str(device)


def test_the_linear_world_has_the_moments_it_says() -> None:
    world = make_linear_sem(200_000, 4, kappa=0.7, seed=2)
    xi = world.y - world.X @ world.f
    scale = np.sqrt(np.diag(world.covariance))
    np.testing.assert_allclose(
        np.cov(world.X.T) / np.outer(scale, scale), world.covariance / np.outer(scale, scale), atol=0.02
    )
    np.testing.assert_allclose(
        world.X.T @ xi / len(xi) / scale, world.confounding / scale, atol=0.02 * xi.std()
    )
    assert "hidden cause of 4" in str(world)


def test_kappa_is_the_strength_of_confounding() -> None:
    none, some = (make_linear_sem(1000, 3, kappa=kappa, seed=1) for kappa in (0.0, 1.0))
    assert not none.confounding.any() and some.confounding.any()
    np.testing.assert_array_equal(none.X, some.X)
    np.testing.assert_allclose(erm(none.X, none.y), none.f, atol=0.02)


def test_digits_are_coloured_by_the_label_in_training_and_by_a_coin_in_the_test() -> None:
    train, test = make_coloured_digits(n=20_000, seed=3), make_coloured_digits("test", n=20_000, seed=3)
    bound = 3 * np.sqrt(0.25 / 20_000)
    assert np.mean(train.y != train.truth) == pytest.approx(0.25, abs=bound)
    assert np.mean(train.colour != train.y) == pytest.approx((0.1**2 + 0.2**2) / 0.3, abs=bound)
    assert np.mean(test.colour != test.y) == pytest.approx(0.5, abs=bound)
    assert train.X.max() <= 1 and not train.X[:, 2].any()
    assert ((train.X[:, 0].sum(axis=(1, 2)) > 0) == (train.colour == 1)).all()
    assert "agree in 83%" in str(train)


def test_training_and_test_digits_are_different_pictures() -> None:
    train, test = make_coloured_digits(), make_coloured_digits("test")
    assert len(train.y) + len(test.y) == 1797
    seen = {picture.max(axis=0).tobytes() for picture in train.X}
    assert sum(picture.max(axis=0).tobytes() in seen for picture in test.X) == 0


def test_digits_of_ones_own() -> None:
    images = np.random.default_rng(0).random((30, 14, 14))
    data = make_coloured_digits(
        images=images, digits=np.arange(30) % 10, colour_noise=(0.0,), label_noise=0.0
    )
    assert data.X.shape == (20, 3, 14, 14)
    np.testing.assert_array_equal(data.colour, data.truth)


@pytest.mark.parametrize("make", [make_linear_sem, make_coloured_digits])
def test_the_same_seed_gives_the_same_bits(make) -> None:
    one, other, different = make(seed=4), make(seed=4), make(seed=5)
    np.testing.assert_array_equal(one.X, other.X)
    assert not np.array_equal(one.y, different.y)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: load_optical_device(81), "argument 'experiment': expected one of 69, 70, .*, got 81"),
        (lambda: make_linear_sem(0), "n: expected a positive whole number, got 0"),
        (lambda: make_linear_sem(10, hidden=0), "hidden: expected a positive whole number, got 0"),
        (lambda: make_coloured_digits(colour_noise=(1.5,)), "expected chances between 0 and 1"),
        (lambda: make_coloured_digits("valid"), "part: expected 'train' or 'test'"),
        (
            lambda: make_coloured_digits(images=np.ones((3, 4, 4)) * 255, digits=np.arange(3)),
            "Divide grey values",
        ),
    ],
)
def test_refusals(call, message) -> None:
    with pytest.raises(DataError, match=message):
        call()
