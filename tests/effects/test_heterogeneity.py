"""DR-learner: a known effect recovered, the battery of scikit-learn, out-of-fold predictions, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from suppose.core.errors import DataError, EstimationError
from suppose.effects.heterogeneity import DRLearner, out_of_fold_effects

FAST = {"outcome_learner": LinearRegression(), "propensity_learner": LogisticRegression(), "folds": 2}


def linear_world(n: int = 1_500, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Effect 1 + 2 x0 - x1, treatment confounded by x0. Returns the table, the outcome and the effect."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    d = (rng.random(n) < 1 / (1 + np.exp(-0.5 * x[:, 0]))).astype(float)
    tau = 1 + 2 * x[:, 0] - x[:, 1]
    return np.c_[d, x], x[:, 0] + x[:, 2] + d * tau + rng.normal(size=n), tau


# The battery's tables have ten rows: penalised learners, and groups above and below the median.
@pytest.mark.filterwarnings("ignore::suppose.core.errors.OverlapWarning")
@parametrize_with_checks(
    [
        DRLearner(
            cutoff="median", outcome_learner=Ridge(), propensity_learner=LogisticRegression(C=0.01),
            final_learner=Ridge(),
        )
    ]
)  # fmt: skip
def test_battery(estimator: Any, check: Any) -> None:
    check(estimator)


def test_known_linear_effect_is_recovered() -> None:
    X, y, tau = linear_world(4_000)
    learner = DRLearner(**FAST).fit(X, y)
    assert np.sqrt(np.mean((learner.effect(X) - tau) ** 2)) < 0.15
    assert np.corrcoef(learner.effect(X), tau)[0, 1] > 0.99
    assert learner.effect_.low < 1.0 < learner.effect_.high


@pytest.mark.parametrize("wrong", ["outcome", "propensity"])
def test_one_right_nuisance_is_enough(wrong: str) -> None:
    """Doubly robust: the effect curve survives a constant for either nuisance."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    X, y, tau = linear_world(8_000, seed=1)
    learners = dict(FAST)
    if wrong == "outcome":
        learners["outcome_learner"] = DummyRegressor()
    else:
        learners["propensity_learner"] = DummyClassifier(strategy="prior")
    found = DRLearner(**learners).fit(X, y).effect(X)
    assert np.sqrt(np.mean((found - tau) ** 2)) < 0.4


def test_pseudo_outcomes_average_to_the_effect() -> None:
    X, y, _ = linear_world()
    learner = DRLearner(**FAST).fit(X, y)
    assert learner.pseudo_outcomes_.mean() == pytest.approx(learner.effect_.estimate, rel=1e-12)


def test_final_learner_by_name_and_by_object() -> None:
    X, y, tau = linear_world(2_000)
    for final in ("forest", Ridge()):
        found = DRLearner(final_learner=final, **FAST).fit(X, y).effect(X)
        assert np.corrcoef(found, tau)[0, 1] > 0.9


def test_modifiers_limit_what_the_effect_depends_on() -> None:
    X, y, _ = linear_world()
    learner = DRLearner(modifiers=[1], **FAST).fit(X, y)
    moved = X.copy()
    moved[:, 2] += 5
    assert learner.effect(moved) == pytest.approx(learner.effect(X))


def test_predict_is_the_outcome_under_the_own_treatment() -> None:
    X, y, _ = linear_world()
    learner = DRLearner(**FAST).fit(X, y)
    assert learner.predict(X) == pytest.approx(learner.interactive_.predict(X))
    assert learner.score(X, y) > 0.7


def test_frames_and_arrays_agree() -> None:
    X, y, _ = linear_world()
    names = ["treat", "a", "b", "c"]
    frame = pd.DataFrame(X, columns=names)
    plain = DRLearner(**FAST).fit(X, y)
    named = DRLearner("treat", **FAST).fit(frame, y)
    assert named.effect(frame) == pytest.approx(plain.effect(X), rel=1e-12)
    polar = pl.DataFrame({name: frame[name].to_numpy() for name in names})
    assert DRLearner("treat", **FAST).fit(polar, y).effect(polar) == pytest.approx(plain.effect(X), rel=1e-12)
    folded = out_of_fold_effects(named, frame, y)
    assert folded == pytest.approx(out_of_fold_effects(plain, X, y), rel=1e-10)


def test_out_of_fold_effect_never_saw_its_row() -> None:
    """Changing one outcome wildly changes no prediction in its own fold, and some in the other."""
    X, y, _ = linear_world(300)
    learner = DRLearner(**FAST).fit(X, y)
    folds = learner.folds_[:, 0]
    changed = y.copy()
    changed[0] += 1e3
    before = out_of_fold_effects(learner, X, y)
    after = out_of_fold_effects(DRLearner(**FAST).fit(X, changed), X, changed)
    own = folds == folds[0]
    assert np.array_equal(before[own], after[own])
    assert not np.allclose(before[~own], after[~own])


def test_two_jobs_give_the_same_bits() -> None:
    X, y, _ = linear_world(300)
    learner = DRLearner(**FAST).fit(X, y)
    assert np.array_equal(*(out_of_fold_effects(learner, X, y, jobs=jobs) for jobs in (1, 2)))


def test_dropped_rows_have_no_pseudo_outcome() -> None:
    X, y, _ = linear_world(600)
    with pytest.warns(UserWarning, match="weak overlap"):
        learner = DRLearner(overlap_rule="drop", threshold=0.3, **FAST).fit(X, y)
    assert np.array_equal(np.isnan(learner.pseudo_outcomes_), ~learner.kept_)
    assert np.isfinite(learner.effect(X)).all()


def test_refusals_name_the_place() -> None:
    X, y, _ = linear_world(300)
    X[:100, 0] = 2.0
    with pytest.raises(EstimationError, match="treatment: expected a treatment of two values, got 3"):
        DRLearner(**FAST).fit(X, y)
    with pytest.raises(
        EstimationError, match="final_learner: expected one of linear, lasso, forest, boosting"
    ):
        DRLearner(final_learner="linaer").fit(X, y)
    X, y, _ = linear_world(300)
    learner = DRLearner(**FAST).fit(X, y)
    with pytest.raises(DataError, match="X, y: expected the 300 rows of fit, got 200"):
        out_of_fold_effects(learner, X[:200], y[:200])
