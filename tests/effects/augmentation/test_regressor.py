"""The estimator: truth in a known world, selectors side by side, bootstrap, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from suppose.core.errors import DataError, EstimationError, StudyError
from suppose.datasets import load_optical_device, make_linear_sem
from suppose.effects.augmentation import GaussianNoise, IVLRegressor, NullTranslation, ivl, ncer
from suppose.effects.augmentation.regressor import METHODS, bootstrap_coefficients

WORLD = make_linear_sem(1500, 8, seed=4)
AUGMENT = NullTranslation.ignoring(WORLD.f)


def test_it_is_nearer_to_the_truth_than_least_squares_and_augmentation_alone() -> None:
    model = IVLRegressor(AUGMENT, alpha=0.01).fit(WORLD.X, WORLD.y)
    errors = {name: ncer(values, WORLD.f) for name, values in model.alternatives_.items()}
    assert ncer(model.coef_, WORLD.f) < errors["DA+ERM"] < errors["ERM"]
    assert tuple(model.alternatives_) == METHODS


def test_material_drawn_elsewhere_gives_the_closed_form() -> None:
    X = WORLD.X - WORLD.X.mean(axis=0)
    y = WORLD.y - WORLD.y.mean()
    GX, G = AUGMENT(X, np.random.default_rng(0))
    model = IVLRegressor(alpha=0.1).fit(WORLD.X, WORLD.y, GX=GX, G=G)
    np.testing.assert_allclose(model.coef_, ivl(GX - GX.mean(0), y, G - G.mean(0), 0.1), rtol=1e-8)
    without = IVLRegressor(alpha=0.1, fit_intercept=False).fit(X, y, GX=GX, G=G)
    np.testing.assert_allclose(without.coef_, ivl(GX, y, G, 0.1), rtol=1e-8)
    assert without.intercept_ == 0.0


def test_every_selector_is_reported_whichever_is_used() -> None:
    models = {
        rule: IVLRegressor(AUGMENT, alpha=rule, seed=3).fit(WORLD.X, WORLD.y) for rule in ("cc", "cv", "lcv")
    }
    for rule, model in models.items():
        assert set(model.selections_) == {"cc", "cv", "lcv"}
        assert model.alpha_ == model.selections_[rule].alpha
        np.testing.assert_array_equal(model.coef_, model.alternatives_[f"IVL-{rule.upper()}"])
        assert model.selections_["cc"].alpha == models["cc"].alpha_


def test_the_path_ends_in_the_two_limits() -> None:
    model = IVLRegressor(AUGMENT).fit(WORLD.to_frame().drop(columns="y"), WORLD.y)
    path = model.path()
    np.testing.assert_allclose(path.coefficients[-1], model.alternatives_["DA+ERM"], rtol=1e-3)
    limit = IVLRegressor(AUGMENT, form="constrained").fit(WORLD.X, WORLD.y)
    np.testing.assert_allclose(path.coefficients[0], limit.coef_, atol=1e-2)
    assert path.names == tuple(f"x{j}" for j in range(1, 9))
    assert set(path.marks) == {"CC", "CV", "LCV"}
    assert list(path.to_frame()["alpha"]) == list(path.alphas)
    assert len(path.plot().lines) == 8 + 3 + 1
    assert "8 coefficients over 81 alphas" in str(path)


def test_intercept_and_units() -> None:
    moved = IVLRegressor(AUGMENT, alpha=0.1).fit(WORLD.X + 5.0, 2 * WORLD.y + 7.0)
    plain = IVLRegressor(AUGMENT, alpha=0.1).fit(WORLD.X, WORLD.y)
    np.testing.assert_allclose(moved.coef_, 2 * plain.coef_, rtol=1e-8)
    np.testing.assert_allclose(moved.predict(WORLD.X + 5.0), 2 * plain.predict(WORLD.X) + 7.0, rtol=1e-8)
    assert plain.predict(WORLD.X).mean() == pytest.approx(WORLD.y.mean())


def test_frames_keep_their_names() -> None:
    frame = WORLD.to_frame()
    model = IVLRegressor(AUGMENT).fit(frame.drop(columns="y"), frame["y"])
    assert list(model.to_frame()["input"]) == [f"x{j}" for j in range(1, 9)]
    assert "x1" in str(model) and str(IVLRegressor()).startswith("IVLRegressor(")


def test_bootstrap_does_not_depend_on_the_jobs_and_covers_the_methods() -> None:
    X, y = WORLD.X[:200], WORLD.y[:200]
    one = bootstrap_coefficients(IVLRegressor(AUGMENT), X, y, draws=30, seed=1)
    two = bootstrap_coefficients(IVLRegressor(AUGMENT), X, y, draws=30, seed=1, jobs=2, backend="threading")
    assert set(one) == {*METHODS, "chosen"}
    for name, values in one.items():
        assert values.shape == (30, 8)
        np.testing.assert_array_equal(values, two[name])


def test_bootstrap_spread_is_that_of_new_samples() -> None:
    """Least squares without confounding: the bootstrap's standard deviation is the classical one."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 2))
    y = X @ [1.0, -1.0] + rng.normal(size=500)
    draws = bootstrap_coefficients(IVLRegressor(GaussianNoise(), alpha=1.0), X, y, draws=80)["ERM"]
    np.testing.assert_allclose(draws.std(axis=0, ddof=1), 1 / np.sqrt(500), rtol=3 / np.sqrt(160))


def test_first_stage_shares() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 2))
    model = IVLRegressor(GaussianNoise(1.0, columns=(0,), pooled=False)).fit(X, X[:, 0])
    np.testing.assert_allclose(model.first_stage_, [0.5, 0.0], atol=0.02)


def test_on_the_device_every_step_helps() -> None:
    device = load_optical_device(77)
    model = IVLRegressor(GaussianNoise(), low=1e-3).fit(device.X, device.y)
    errors = {name: ncer(values, device.f) for name, values in model.alternatives_.items()}
    assert errors["IVL-CC"] < errors["DA+ERM"] < errors["ERM"]


def constant(X, rng):
    return X, np.ones((len(X), 1))


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"alpha": 0.0}, EstimationError, "alpha: expected a positive weight or one of"),
        ({"alpha": True}, EstimationError, "alpha: expected a positive weight"),
        ({"alpha": "loo"}, EstimationError, "expected one of 'cv', 'lcv', 'cc', got 'loo'"),
        ({"form": "penalized"}, EstimationError, "Did you mean 'penalised'"),
        ({"candidates": 0}, EstimationError, "positive number of candidates"),
        ({"low": 0.0}, EstimationError, "expected 0 < low <= high"),
        ({"seed": -1}, StudyError, "seed"),
        ({"augment": None}, EstimationError, "augment: expected an augmentation, got None"),
        ({"augment": constant}, DataError, "the same in every row"),
        ({"known": np.ones(8)}, DataError, "the augmentation changes f by .* of its standard deviation"),
        ({"known": np.ones(3)}, EstimationError, "expected 8 coefficients, one per input, got 3"),
    ],
)
def test_refusals(settings, error, message) -> None:
    with pytest.raises(error, match=message):
        IVLRegressor(**{"augment": AUGMENT, **settings}).fit(WORLD.X, WORLD.y)


def test_a_known_effect_that_stays_is_accepted() -> None:
    IVLRegressor(AUGMENT, known=WORLD.f).fit(WORLD.X, WORLD.y)


def test_refusals_of_material() -> None:
    model = IVLRegressor(AUGMENT)
    with pytest.raises(DataError, match="NaN"):
        model.fit(WORLD.X * np.nan, WORLD.y)
    with pytest.raises(DataError, match="inconsistent numbers of samples"):
        model.fit(WORLD.X, WORLD.y[:-1])
    with pytest.raises(DataError, match="could not convert string to float"):
        model.fit(pd.DataFrame({"a": ["x", "y"]}), [0.0, 1.0])
    with pytest.raises(DataError, match="GX: expected augmented inputs and their parameters together"):
        model.fit(WORLD.X, WORLD.y, G=WORLD.X)
    with pytest.raises(DataError, match="expected inputs of shape"):
        model.fit(WORLD.X, WORLD.y, GX=WORLD.X[:, :2], G=WORLD.X)
    with pytest.raises(EstimationError, match="got 7 rows and 7 parameters"):
        model.fit(WORLD.X[:7], WORLD.y[:7])
    with pytest.raises(EstimationError, match="too few to hold out a fifth"):
        IVLRegressor(AUGMENT, alpha="cv").fit(WORLD.X[:8], WORLD.y[:8])
