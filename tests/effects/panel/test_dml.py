"""Panel double machine learning: truth in known worlds, invariance, diagnostics and refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from suppose.core.errors import DataError, EstimationError, SupposeWarning
from suppose.datasets import make_panel
from suppose.effects.panel import TRANSFORMS, LinearPanel, PanelDML, compare_transforms
from suppose.effects.panel.dml import intraclass_correlation
from suppose.reproductions.panel_dml import simulate, summary

ROLES = {"treatment": "d", "unit": "unit", "time": "time"}
QUICK = {"outcome_learner": "linear", "repeats": 2, "folds": 4}
TABLE = make_panel(units=60, periods=5, p=3, form="linear", seed=1)


def fit(table=TABLE, **options):
    return PanelDML(**ROLES, **(QUICK | options)).fit(table.X, table.y)


# ---- truth


def test_the_formulas():
    model = fit()
    u, v = model.residuals_["outcome"], model.residuals_["treatment"]
    theta = (u * v).sum(axis=0) / (v**2).sum(axis=0)
    np.testing.assert_allclose(model.theta_by_repeat_[:, 0], theta, rtol=1e-12)
    for repeat in range(2):
        e = (u[:, repeat] - theta[repeat] * v[:, repeat]) * v[:, repeat]
        sums = np.bincount(model.clusters_, e)
        variance = (sums**2).sum() / (v[:, repeat] ** 2).sum() ** 2
        assert model.standard_error_by_repeat_[repeat, 0] == pytest.approx(np.sqrt(variance), rel=1e-12)
    assert model.effect_.estimate == pytest.approx(np.median(theta), rel=1e-12)
    assert model.effect_.clusters == 60
    assert model.effect_.degrees_of_freedom == 59


def test_dml1_is_the_mean_over_folds():
    model = fit(repeats=1)
    u, v, folds = model.residuals_["outcome"][:, 0], model.residuals_["treatment"][:, 0], model.folds_[:, 0]
    roots = [(u * v)[folds == k].sum() / (v**2)[folds == k].sum() for k in range(4)]
    assert model.theta_dml1_[0] == pytest.approx(np.mean(roots), rel=1e-12)


def test_without_splitting_linear_cre_is_fixed_effects():
    model = fit(folds=1, repeats=1)
    linear = LinearPanel(**ROLES, method="fe").fit(TABLE.X, TABLE.y)
    assert model.effect_.estimate == pytest.approx(linear.effect_.estimate, rel=1e-9)


@pytest.mark.parametrize(
    "transform", ["within", "within_both", "fd", "fd_exact", "cre", "cre_normal", "cre_general"]
)
def test_the_effect_is_found_in_a_linear_world(transform):
    table = make_panel(units=400, periods=5, p=3, form="linear", seed=2)
    effect = fit(table, approach=transform).effect_
    assert abs(effect.estimate - 0.5) < 4 * effect.standard_error
    assert effect.standard_error < 0.05


@pytest.mark.parametrize("learner", ["lasso", "forest", "boosting"])
def test_named_learners_find_the_effect(learner):
    table = make_panel(units=60, periods=5, p=3, seed=4)
    effect = fit(table, outcome_learner=learner, repeats=1, folds=2).effect_
    assert abs(effect.estimate - 0.5) < 4 * effect.standard_error


def test_iv_type_score_and_classifier():
    table = make_panel(units=400, periods=5, p=3, form="linear", binary=True, seed=5)
    iv = fit(table, score_type="iv-type").effect_
    classified = fit(table, treatment_learner=LogisticRegression()).effect_
    for effect in (iv, classified):
        assert abs(effect.estimate - 0.5) < 4 * effect.standard_error


def test_intraclass_correlation_is_the_share_drawn():
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(2000), 5)
    values = rng.normal(size=2000)[units] + 2 * rng.normal(size=len(units))
    share, p = intraclass_correlation(values, units)
    assert share == pytest.approx(0.2, abs=0.02)
    assert p < 1e-10
    assert intraclass_correlation(rng.normal(size=len(units)), units)[0] < 0.01
    assert intraclass_correlation(np.ones(4), np.arange(4)) == (0.0, 1.0)


def test_icc_flags_levels_that_stay():
    table = make_panel(units=200, periods=6, p=3, rho=0, form="linear", seed=6)
    left, gone = fit(table, approach="cre_means"), fit(table)
    assert left.effect_.estimate > 0.8
    assert left.residual_icc_ > 0.3
    assert left.residual_icc_p_ < 1e-6
    assert abs(gone.effect_.estimate - 0.5) < 0.08
    assert gone.residual_icc_ < 0.02


# ---- invariance


def test_order_of_rows_and_labels_do_not_matter():
    whole = TABLE.frame.sample(frac=1.0, random_state=0).reset_index(drop=True)
    whole["unit"] = whole["unit"].map(lambda code: f"u{code:03d}")
    model = PanelDML(**ROLES, **QUICK).fit(whole.drop(columns="y"), whole["y"])
    assert model.effect_ == fit().effect_


@pytest.mark.parametrize("make", [pl.from_pandas, pa.Table.from_pandas])
def test_every_frame_gives_the_same(make):
    model = PanelDML(**ROLES, **QUICK).fit(make(TABLE.X), TABLE.y.to_numpy())
    assert model.effect_ == fit().effect_


def test_jobs_and_seeds():
    trees = DecisionTreeRegressor(max_features=1)
    one, two = fit(n_jobs=1, outcome_learner=trees), fit(n_jobs=2, outcome_learner=trees)
    np.testing.assert_array_equal(one.psi_, two.psi_)
    assert fit(seed=1).effect_.estimate != fit(seed=2).effect_.estimate


def test_predictions_need_no_order_and_follow_levels():
    model = fit(repeats=1)
    shuffled = TABLE.X.sample(frac=1.0, random_state=0)
    predicted = model.predict(TABLE.X)
    np.testing.assert_allclose(model.predict(shuffled), predicted[shuffled.index], rtol=1e-12)
    assert np.corrcoef(predicted, TABLE.y)[0, 1] > 0.8
    assert np.isfinite(fit(approach="cre_general", repeats=1, period=True).predict(TABLE.X[:50])).all()


def test_a_given_split_is_of_the_rows_of_the_table():
    folds = np.arange(len(TABLE.frame)) % 3
    model = fit(folds=folds, repeats=1)
    np.testing.assert_array_equal(model.folds_[:, 0], folds[model.rows_])


def test_constant_shift_of_units_changes_nothing_under_differences():
    shift = np.random.default_rng(0).normal(size=60)[TABLE.frame["unit"]] * 10
    moved = PanelDML(**ROLES, **QUICK, approach="fd_exact").fit(TABLE.X, TABLE.y + shift)
    assert moved.effect_.estimate == pytest.approx(fit(approach="fd_exact").effect_.estimate, rel=1e-8)


# ---- refusal


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"approach": "creature"}, "approach: expected one of 'pooled'.*Did you mean 'cre'|got 'creature'"),
        ({"fold_by": "units"}, "Did you mean 'unit'"),
        ({"outcome_learner": "boost"}, "Did you mean 'boosting'"),
        ({"outcome_learner": LogisticRegression()}, "a panel outcome is predicted as a number"),
        ({"folds": 61}, "got 61 folds for 60 units"),
        ({"unit": None}, "no unit column is named"),
        ({"approach": "dummies"}, "no learner ever sees the column of a unit"),
        ({"approach": "within", "treatment_learner": LogisticRegression()}, "not coded 0 and 1"),
        ({"singletons": "keep"}, "singletons: expected one of 'refuse', 'drop'"),
    ],
)
def test_settings_are_refused(options, message):
    with pytest.raises(EstimationError, match=message):
        PanelDML(**(ROLES | QUICK | options)).fit(TABLE.X, TABLE.y)


def test_material_is_refused():
    with pytest.raises(DataError, match="expected a treatment that varies"):
        PanelDML(**ROLES, **QUICK).fit(TABLE.X.assign(d=1.0), TABLE.y)
    with pytest.raises(DataError, match="requires y to be passed"):
        PanelDML(**ROLES, **QUICK).fit(TABLE.X, None)
    with pytest.raises(EstimationError, match="predict the treatment without error"):
        fit_X = TABLE.X.assign(copy=TABLE.X["d"])
        PanelDML(**ROLES, **QUICK).fit(fit_X, TABLE.y)
    with pytest.raises(EstimationError, match="learns changes within units"):
        fit(approach="within").predict(TABLE.X)


def test_dummies_are_offered_with_a_warning():
    with pytest.warns(SupposeWarning, match="one column per unit"):
        effect = fit(approach="dummies", fold_by="rows").effect_
    assert abs(effect.estimate - 0.5) < 4 * effect.standard_error


# ---- comparison


def test_compare_lists_all_ways_and_says_what_was_refused():
    found = compare_transforms(PanelDML(**ROLES, **QUICK), TABLE.X, TABLE.y, TRANSFORMS[2:])
    assert [row.name for row in found.rows[:8]] == list(TRANSFORMS[2:])
    assert len(found.to_frame()) == 12
    assert "Mundlak" in str(found)
    assert all(len(line) <= 100 for line in str(found).splitlines())
    still = TABLE.X.assign(d=TABLE.X["unit"] * 1.0)
    found = compare_transforms(PanelDML(**ROLES, **QUICK), still, TABLE.y, ("pooled", "cre"))
    assert [name for name, _ in found.refused] == [
        "cre",
        "linear fe",
        "linear fd",
        "linear cre",
        "Mundlak test",
    ]
    with pytest.raises(DataError, match="never varies"):
        compare_transforms(PanelDML(**ROLES, **QUICK), still, TABLE.y, ("cre",))
    with pytest.raises(EstimationError, match="there is no such row"):
        found.row("fe")


def test_comparison_draws_itself():
    found = compare_transforms(PanelDML(**ROLES, **QUICK), TABLE.X, TABLE.y, ("pooled", "cre"))
    assert [label.get_text() for label in found.plot().get_yticklabels()][:2] == ["pooled", "cre"]


# ---- the claims of docs/systems/panel-dml.rst

WORLD = {"units": 200, "periods": 10, "p": 5, "rho": 0.7}


@pytest.mark.slow
def test_statements_1_and_4():
    found = summary(simulate(WORLD, ("linear FE", "pooled", "CRE", "CRE, row folds"), 20, 1))
    assert abs(found["CRE"]["bias"]) < 0.03
    assert found["CRE"]["rmse"] < 0.05
    assert found["pooled"]["bias"] > 0.08
    assert found["linear FE"]["bias"] > 0.025
    assert abs(found["CRE"]["bias"] - found["CRE, row folds"]["bias"]) < 0.02


@pytest.mark.slow
def test_statement_2():
    found = simulate(WORLD | {"rho": 0.0}, ("CRE, means of X only", "CRE"), 20, 2)
    figures = summary(found)
    assert figures["CRE, means of X only"]["bias"] > 0.3
    assert figures["CRE"]["bias"] < 0.08
    assert np.all(found["CRE, means of X only"][:, 3] > 0.1)
    assert np.all(found["CRE"][:, 3] < 0.02)


@pytest.mark.slow
def test_statement_3_coverage():
    found = summary(simulate(WORLD | {"form": "linear"}, ("CRE",), 100, 3, learner="lasso"))
    assert 0.85 <= found["CRE"]["coverage"] <= 0.99


@pytest.mark.slow
def test_statement_5_sample_size():
    errors = [
        summary(simulate(WORLD | {"p": 100, "units": units}, ("CRE",), 10, 5))["CRE"]["rmse"]
        for units in (50, 1000)
    ]
    assert errors[0] >= 3 * errors[1]


def test_linear_learner_object_equals_its_name():
    one, other = fit(), fit(outcome_learner=LinearRegression())
    assert one.effect_.estimate == pytest.approx(other.effect_.estimate, rel=1e-9)
