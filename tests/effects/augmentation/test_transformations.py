"""Augmentations: what they leave alone, what they return, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import Refusal
from suppose.effects.augmentation import (
    Compose,
    GaussianNoise,
    GridSymmetry,
    Jitter,
    NullTranslation,
    Permutation,
)
from suppose.effects.augmentation.transformations import draw, null_space

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4000, 9)) + 3.0
ALL = {
    "noise": GaussianNoise(),
    "noise of some": GaussianNoise(0.2, columns=(0, 3), pooled=False),
    "jitter": Jitter((0.5, 1.0), columns=(1, 2)),
    "null": NullTranslation.ignoring(RNG.normal(size=9)),
    "grid": GridSymmetry((3, 3)),
    "permutation": Permutation((0, 4, 8)),
    "several": Compose((GaussianNoise(), GridSymmetry((3, 3), ("rotate",)))),
}


@pytest.mark.parametrize("augment", ALL.values(), ids=ALL)
def test_parameters_are_standardised_and_independent_of_the_rows(augment) -> None:
    GX, G = draw(augment, X, np.random.default_rng(1))
    assert GX.shape == X.shape
    bound = 4 / np.sqrt(len(X))
    assert np.abs(G.mean(axis=0)).max() < bound
    assert np.abs(G.var(axis=0) - 1).max() < 4 * np.sqrt(2 / len(X))
    assert np.abs(np.corrcoef(np.c_[X, G].T)[:9, 9:]).max() < bound + 0.01


@pytest.mark.parametrize("augment", ALL.values(), ids=ALL)
def test_the_same_seed_draws_the_same_and_rows_given_are_not_changed(augment) -> None:
    before = X.copy()
    one, other = augment(X, np.random.default_rng(2)), augment(X, np.random.default_rng(2))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])
    np.testing.assert_array_equal(X, before)


def test_null_translations_leave_the_linear_effect_alone() -> None:
    f = RNG.normal(size=9)
    shift = NullTranslation.ignoring(f, 2.0)
    assert shift.basis.shape == (8, 9)
    np.testing.assert_allclose(shift.basis @ shift.basis.T, np.eye(8), atol=1e-12)
    GX, _ = shift(X, np.random.default_rng(0))
    np.testing.assert_allclose(GX @ f, X @ f, atol=1e-10)
    assert NullTranslation.ignoring(f, kernel_dim=3).basis.shape == (3, 9)
    assert 1 <= len(NullTranslation.ignoring(f, kernel_dim=0, seed=4).basis) <= 8
    assert null_space(np.zeros(3)).shape == (3, 3)


def test_columns_that_are_not_named_stay() -> None:
    for augment, touched in (
        (GaussianNoise(columns=(2,)), [2]),
        (Jitter(columns=(5,)), [5]),
        (Permutation((1, 7)), [1, 7]),
    ):
        rest = [j for j in range(9) if j not in touched]
        np.testing.assert_array_equal(augment(X, np.random.default_rng(0))[0][:, rest], X[:, rest])


def test_grid_symmetries_are_those_of_the_grid() -> None:
    grid = np.arange(9.0)[None].repeat(200, axis=0)
    for operation, expected in (
        ("rotate", [6, 3, 0, 7, 4, 1, 8, 5, 2]), ("flip-horizontal", [2, 1, 0, 5, 4, 3, 8, 7, 6]),
        ("flip-vertical", [6, 7, 8, 3, 4, 5, 0, 1, 2]),
    ):  # fmt: skip
        GX, G = GridSymmetry((3, 3), (operation,))(grid, np.random.default_rng(0))
        turned = G[:, 0] > 0
        assert 60 < turned.sum() < 140
        assert (GX[turned] == expected).all()
        assert (GX[~turned] == np.arange(9)).all()


def test_noise_is_that_of_the_paper() -> None:
    centred = X - X.mean(axis=0)
    GX, G = GaussianNoise()(centred, np.random.default_rng(0))
    np.testing.assert_allclose(GX - centred, np.sqrt(0.1) * centred.std() * G, atol=1e-12)


def constant(X, rng):
    return X, np.ones((len(X), 1))


def narrower(X, rng):
    return X[:, :-1], rng.normal(size=(len(X), 1))


def broken(X, rng):
    return X * np.nan, rng.normal(size=(len(X), 1))


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        (None, "expected an augmentation, got None"),
        (constant, "parameter 1 of 1 is the same in every row"),
        (narrower, r"expected inputs of shape \(4000, 9\), got \(4000, 8\)"),
        (broken, "GX: expected finite numbers"),
        (lambda X, rng: X, r"expected the pair \(GX, G\)"),
        (lambda X, rng: (X, np.ones((3, 1))), "expected 4000 rows of parameters"),
        (GaussianNoise(0.0), "scale: expected a positive number, got 0.0"),
        (GaussianNoise(columns=(9,)), "expected positions from 0 to 8"),
        (Jitter(-1.0), "width: expected a positive number"),
        (NullTranslation([[1.0, 0.0]]), "expected directions over 9 inputs, got 2"),
        (GridSymmetry((2, 3)), "expected 9 cells"),
        (GridSymmetry((3, 3), ("turn",)), "operations: expected some of"),
        (GridSymmetry((3, 3), probability=1.0), "expected a share between 0 and 1"),
        (GridSymmetry((1, 9)), "expected a square grid to turn"),
        (Permutation((1,)), "at least two columns"),
        (Compose(()), "at least one augmentation"),
    ],
)  # fmt: skip
def test_refusals(augment, message) -> None:
    with pytest.raises(Refusal, match=message):
        draw(augment, X, np.random.default_rng(0))


def test_too_many_directions_are_refused() -> None:
    with pytest.raises(Refusal, match="at most 1 directions, got 2"):
        NullTranslation.ignoring(np.array([1.0, 2.0]), kernel_dim=2)
