"""Learners that keep the rows of a unit together: truth, whole units, and stacking weights."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.tree import DecisionTreeRegressor

from suppose.core.errors import EstimationError
from suppose.datasets import make_panel
from suppose.effects.panel import PanelDML
from suppose.effects.panel.learners import (
    UnitLasso,
    UnitStack,
    UnitTuned,
    check_panel_learner,
    inner_folds,
    panel_learner,
)


def draw(n=900, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    y = np.sin(1.5 * x[:, 0]) + 0.5 * x[:, 1] * x[:, 2]
    return np.column_stack([np.repeat(np.arange(n // 3), 3), x]), y


def test_inner_folds_keep_units_whole():
    units = np.repeat(np.arange(20.0), 4)
    folds = inner_folds(units, 1)
    assert all(len(np.unique(folds[units == unit])) == 1 for unit in range(20))
    assert np.bincount(folds).min() >= 6 * 4
    assert len(np.unique(inner_folds(np.zeros(9), 1))) == 3  # one unit: rows instead


def test_lasso_learns_curves_and_products():
    X, y = draw()
    new, truth = draw(seed=1)
    assert UnitLasso().fit(X, y).score(new, truth) > 0.95


def test_the_unit_code_is_no_feature():
    X, y = draw(150)
    moved = X.copy()
    moved[:, 0] += 1000
    for learner in (UnitLasso(), UnitStack(), UnitTuned(DecisionTreeRegressor(), {"max_depth": [2, 6]})):
        np.testing.assert_array_equal(learner.fit(X, y).predict(X), learner.predict(moved))


def test_tuning_chooses_on_units_not_seen():
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(60), 5)
    a = rng.normal(size=60)[units]
    X = np.column_stack([units, a])  # a covariate that names the unit: a deep tree learns it by heart
    y = rng.normal(size=60)[units] + 0.1 * rng.normal(size=300)
    tuned = UnitTuned(DecisionTreeRegressor(random_state=0), {"max_depth": [1, 20]}).fit(X, y)
    assert tuned.best_ == {"max_depth": 1}


def test_stack_weighs_by_merit():
    X, y = draw(450)
    weights = UnitStack().fit(X, y).weights_
    assert weights.sum() == pytest.approx(1.0)
    assert weights.min() >= 0
    assert weights.argmax() == 0


@pytest.mark.slow
def test_stack_and_tune_in_a_panel():
    table = make_panel(units=40, periods=4, p=3, seed=1)
    for options in ({"outcome_learner": "stack"}, {"outcome_learner": "boosting", "tune": True}):
        model = PanelDML("d", "unit", "time", folds=2, repeats=1, **options).fit(table.X, table.y)
        assert abs(model.effect_.estimate - 0.5) < 5 * model.effect_.standard_error


def test_names():
    assert panel_learner("forest", tune=True)[1] is True
    assert panel_learner("linear") == ("linear", False)
    with pytest.raises(EstimationError, match="Did you mean 'stack'"):
        check_panel_learner("stak", "outcome_learner")
