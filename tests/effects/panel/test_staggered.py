"""Group-time effects: closed form, known truth, aggregation, bands, and refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from suppose.core.errors import DataError, EstimationError, SupposeWarning
from suppose.datasets import make_staggered
from suppose.effects.panel import StaggeredEffect
from suppose.effects.panel.aggregation import critical_value, influence_errors
from suppose.effects.panel.cells import doubly_robust, plan_cells

TABLE = make_staggered(units=300, seed=1)


def fit(table=TABLE, **options):
    return StaggeredEffect("d", "unit", "time", **({"folds": 2} | options)).fit(table.X, table.y)


# ---- truth


def test_without_covariates_a_cell_is_a_difference_of_mean_changes():
    model = fit(covariates=[], control="never-treated")
    wide = TABLE.frame.pivot(index="unit", columns="time", values="y")
    start = TABLE.oracle["start"].to_numpy()[::6]
    found = {effect.contrast: effect for effect in model.effects_}
    for g, t in ((3, 3), (4, 6), (5, 2)):
        base = g - 1 if t >= g else t - 1
        change = (wide[t] - wide[base]).to_numpy()
        treated, never = change[start == g], change[start == 0]
        effect = found[f"ATT({g}, {t})"]
        assert effect.estimate == pytest.approx(treated.mean() - never.mean(), rel=1e-10)
        variance = treated.var() / len(treated) + never.var() / len(never)
        assert effect.standard_error == pytest.approx(np.sqrt(variance), rel=1e-10)


def test_score_is_doubly_robust():
    rng = np.random.default_rng(0)
    x = rng.normal(size=20_000)
    e = 1 / (1 + np.exp(-x))
    treated = rng.random(len(x)) < e
    change = x + 1.0 * treated + rng.normal(size=len(x))
    zero = np.zeros((len(x), 1))
    wrong_mu, _ = doubly_robust(change, treated, zero, e[:, None])
    wrong_e, _ = doubly_robust(change, treated, x[:, None], np.full_like(zero, 0.5))
    wrong_both, _ = doubly_robust(change, treated, zero, np.full_like(zero, 0.5))
    assert abs(wrong_mu[0] - 1) < 0.08
    assert abs(wrong_e[0] - 1) < 0.08
    assert wrong_both[0] > 1.5


def test_known_effects_are_found():
    table = make_staggered(units=2000, seed=3)
    model = fit(table)
    for effect in model.effects_[1:]:
        truth = table.truth.get(effect.contrast.replace(" ", ""), 0.0)
        assert abs(effect.estimate - truth) < 4.5 * effect.standard_error
    statistic, freedom, p = model.pretrend_test()
    assert freedom == 6
    assert p > 1e-3
    assert statistic >= 0


def test_covariates_are_needed():
    table = make_staggered(units=2000, trend=1.0, seed=3)
    naive, adjusted = fit(table, covariates=[]), fit(table)
    assert naive.pretrend_test()[2] < 1e-6
    assert adjusted.pretrend_test()[2] > 1e-3


def test_aggregates_are_weighted_means_of_cells():
    model = fit()
    share = {g: np.mean(model.start_ == g) for g in np.unique(model.groups_)}
    cells = list(zip(model.groups_, model.times_, model.estimates_, strict=True))
    post = [(share[g], value) for g, t, value in cells if t >= g]
    assert model.aggregate("simple").overall.estimate == pytest.approx(
        sum(w * v for w, v in post) / sum(w for w, _ in post), rel=1e-12
    )
    event = model.aggregate("event")
    at_two = [(share[g], value) for g, t, value in cells if t - g == 2]
    expected = sum(w * v for w, v in at_two) / sum(w for w, _ in at_two)
    assert event.rows[event.at.index(2.0)].estimate == pytest.approx(expected, rel=1e-12)
    group = model.aggregate("group")
    means = [np.mean([v for g, t, v in cells if g == start and t >= g]) for start in sorted(share)]
    np.testing.assert_allclose([row.estimate for row in group.rows], means, rtol=1e-12)
    assert [row.name for row in group.rows] == ["start 3", "start 4", "start 5"]
    calendar = model.aggregate("calendar")
    assert len(calendar.rows) == 4
    assert model.effect_.estimate == model.aggregate("simple").overall.estimate


def test_bands_are_wider_and_bootstrap_is_right():
    event = fit().aggregate("event")
    assert all(row.simultaneous_low < row.low < row.high < row.simultaneous_high for row in event.rows)
    psi = np.random.default_rng(0).normal(size=(2000, 6))
    found = critical_value(psi, influence_errors(psi), draws=4000, seed=1)
    from scipy import stats

    independent = stats.norm.ppf(0.5 + 0.95 ** (1 / 6) / 2)  # the largest of six independent
    assert found == pytest.approx(independent, abs=0.08)


def test_clusters_sum_influence():
    psi = np.random.default_rng(0).normal(size=(100, 2))
    pairs = np.arange(100) // 2
    sums = psi[::2] + psi[1::2]
    np.testing.assert_allclose(influence_errors(psi, pairs), np.sqrt((sums**2).sum(axis=0)) / 100)


def test_plan_of_cells():
    cells = plan_cells(np.array([3]), 5, anticipation=1, base="universal")
    assert [(cell.time, cell.base) for cell in cells] == [(0, 1), (2, 1), (3, 1), (4, 1)]
    assert plan_cells(np.array([1]), 3, anticipation=1, base="varying") == []


@pytest.mark.slow
def test_intervals_and_bands_cover():
    draws, inside, all_inside = 200, [], []
    for seed in range(draws):
        table = make_staggered(units=300, seed=seed)
        model = fit(table, draws=499)
        truth = [table.truth.get(effect.contrast.replace(" ", ""), 0.0) for effect in model.effects_[1:]]
        estimates = np.array([effect.estimate for effect in model.effects_[1:]])
        errors = np.array([effect.standard_error for effect in model.effects_[1:]])
        gaps = np.abs(estimates - truth) / errors
        inside.append(gaps < 1.96)
        all_inside.append(gaps.max() < model.critical_value_)
    assert np.mean(inside) > 0.95 - 0.02  # over 3,000 intervals, many of them dependent
    tolerance = 3 * np.sqrt(0.95 * 0.05 / draws)
    assert np.mean(all_inside) > 0.95 - tolerance


# ---- invariance


def test_order_and_jobs_do_not_matter():
    shuffled = TABLE.frame.sample(frac=1.0, random_state=0)
    other = StaggeredEffect("d", "unit", "time", folds=2, n_jobs=2).fit(
        shuffled.drop(columns="y"), shuffled["y"]
    )
    assert other.effects_ == fit().effects_


def test_missing_rows_leave_out_their_cells_only():
    kept = TABLE.frame[~((TABLE.frame["unit"] < 40) & (TABLE.frame["time"] == 6))]
    model = StaggeredEffect("d", "unit", "time", folds=2).fit(kept.drop(columns="y"), kept["y"])
    assert len(model.effects_) == len(fit().effects_)
    sizes = dict(zip(zip(model.groups_, model.times_, strict=True), model.sizes_.sum(axis=1), strict=True))
    assert sizes[(2, 5)] < sizes[(2, 3)]


def test_text_periods_keep_their_names():
    frame = TABLE.frame.assign(time=TABLE.frame["time"].map(lambda t: f"2020q{t}"))
    model = StaggeredEffect("d", "unit", "time", folds=2).fit(frame.drop(columns="y"), frame["y"])
    assert "ATT(2020q3, 2020q4)" in [effect.contrast for effect in model.effects_]
    assert model.aggregate("group").rows[0].name == "start 2020q3"
    model.aggregate("event").plot()


# ---- refusal


def test_refusals():
    frame = TABLE.frame
    off = frame.assign(d=np.where(frame["time"] == 4, 1, frame["d"]))
    with pytest.raises(
        DataError, match=r"unit \d+ is treated and then, at time 5, not any more; .* such changes"
    ):
        StaggeredEffect("d", "unit", "time").fit(off.drop(columns="y"), off["y"])
    with pytest.raises(DataError, match="expected a treatment of 0 and 1, got 2"):
        StaggeredEffect("d", "unit", "time").fit(TABLE.X.assign(d=2 * TABLE.X["d"]), TABLE.y)
    with pytest.raises(DataError, match="no unit is ever treated"):
        StaggeredEffect("d", "unit", "time").fit(TABLE.X.assign(d=0), TABLE.y)
    with pytest.raises(EstimationError, match="expected a whole number of periods"):
        fit(anticipation=-1)
    with pytest.raises(EstimationError, match="Write control='never-treated'"):
        fit(control="never")
    with pytest.raises(EstimationError, match="got 301 folds for 300 units"):
        fit(folds=301)
    with pytest.raises(EstimationError, match="come from changes, not levels"):
        fit().predict(TABLE.X)
    everyone = make_staggered(units=200, never=False, seed=1)
    with (
        pytest.warns(SupposeWarning, match="left out: "),
        pytest.raises(EstimationError, match="never-treated units"),
    ):
        fit(everyone, control="never-treated")


def test_always_treated_units_are_left_out_in_words():
    frame = TABLE.frame.assign(d=np.where(TABLE.frame["unit"] < 10, 1, TABLE.frame["d"]))
    with pytest.warns(SupposeWarning, match="always treated: 10 units"):
        model = StaggeredEffect("d", "unit", "time", folds=2).fit(frame.drop(columns="y"), frame["y"])
    assert 0 not in model.groups_
    assert isinstance(model.aggregate("event").to_frame(), pd.DataFrame)
