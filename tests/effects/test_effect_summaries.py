"""Group effects, projections and calibration: closed forms, coverage, size and power, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression

from suppose.core.errors import DataError, EstimationError
from suppose.effects.effect_summaries import best_linear_projection, calibration_test, group_effects
from suppose.effects.heterogeneity import DRLearner
from suppose.effects.linear_inference import holm, linear_inference

FAST: dict[str, Any] = {
    "outcome_learner": LinearRegression(), "propensity_learner": LogisticRegression(), "folds": 2,
}  # fmt: skip


def world(n: int = 600, seed: int = 0, slope: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Effect 1 + slope * x; columns: treatment, x, a 0/1 column z that changes nothing, a cluster."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.integers(0, 2, n).astype(float)
    d = (rng.random(n) < 1 / (1 + np.exp(-0.5 * x))).astype(float)
    y = x + d * (1 + slope * x) + rng.normal(size=n)
    return np.c_[d, x, z, np.arange(n) // 5], y


def fitted(X: np.ndarray, y: np.ndarray, **settings: Any) -> DRLearner:
    return DRLearner(covariates=[1, 2], **FAST, **settings).fit(X, y)


def inside(runs: int, found: np.ndarray, nominal: float = 0.95) -> bool:
    return bool((np.abs(found - nominal) <= 3 * np.sqrt(nominal * (1 - nominal) / runs)).all())


def test_hc3_by_hand() -> None:
    rng = np.random.default_rng(0)
    D, phi = np.c_[np.ones(30), rng.normal(size=(30, 2))], rng.normal(size=30)
    bread = np.linalg.inv(D.T @ D)
    beta = bread @ D.T @ phi
    meat = np.zeros((3, 3))
    for row, value in zip(D, phi, strict=True):
        e = (value - row @ beta) / (1 - row @ bread @ row)
        meat += e**2 * np.outer(row, row)
    found = linear_inference(D, phi)
    assert found.coefficients == pytest.approx(beta)
    assert found.covariance == pytest.approx(bread @ meat @ bread)
    assert found.freedom == 27


def test_cr1_by_hand() -> None:
    rng = np.random.default_rng(0)
    D, phi, g = np.c_[np.ones(30), rng.normal(size=30)], rng.normal(size=30), np.arange(30) // 5
    bread = np.linalg.inv(D.T @ D)
    e = phi - D @ (bread @ D.T @ phi)
    meat = sum(np.outer(D[g == k].T @ e[g == k], D[g == k].T @ e[g == k]) for k in range(6))
    found = linear_inference(D, phi, g)
    assert found.covariance == pytest.approx(6 / 5 * 29 / 28 * bread @ meat @ bread)
    assert found.freedom == 5


def test_holm_is_never_below_the_p_value_nor_above_bonferroni() -> None:
    p = np.random.default_rng(0).random(20) ** 3
    adjusted = np.array(holm(p.tolist()))
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(20 * p, 1)).all()


def test_group_effects_are_means_of_the_pseudo_outcomes() -> None:
    X, y = world()
    learner = fitted(X, y)
    found = group_effects(learner, X, by=2)
    phi, low = learner.pseudo_outcomes_, X[:, 2] == 0
    row = found.rows[0]
    assert (row.name, row.n) == ("2 = 0", int(low.sum()))
    assert row.estimate == pytest.approx(phi[low].mean())
    m = low.sum()  # HC3 of a mean: residuals grow by m / (m - 1)
    assert row.standard_error == pytest.approx(phi[low].std() * np.sqrt(m) / (m - 1))
    assert found.difference.estimate == pytest.approx(phi[~low].mean() - phi[low].mean())
    assert row.simultaneous_low < row.low < row.estimate < row.high < row.simultaneous_high


def test_projection_is_least_squares_on_the_pseudo_outcomes() -> None:
    X, y = world()
    learner = fitted(X, y)
    found = best_linear_projection(learner, X)
    fit = LinearRegression().fit(X[:, 1:3], learner.pseudo_outcomes_)
    assert [row.estimate for row in found.rows] == pytest.approx(fit.coef_)
    assert found.intercept.estimate == pytest.approx(learner.effect_.estimate)
    assert [row.name for row in best_linear_projection(learner, X, [1]).rows] == ["1"]


def quantile_truth(groups: int) -> np.ndarray:
    """Mean of 1 + x in each quantile group of a standard normal x."""
    edges = stats.norm.ppf(np.linspace(0, 1, groups + 1))
    return 1 + groups * (stats.norm.pdf(edges[:-1]) - stats.norm.pdf(edges[1:]))


def coverage(runs: int, groups: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Share of runs in which the intervals of groups and of projection coefficients hold the truth."""
    truth, by_group, by_column = quantile_truth(groups), [], []
    for seed in range(runs):
        X, y = world(500, seed)
        learner = fitted(X, y, seed=seed)
        rows = group_effects(learner, X, y, groups=groups).rows
        by_group.append([row.low <= value <= row.high for row, value in zip(rows, truth, strict=True)])
        linear = best_linear_projection(learner, X).rows
        by_column.append(
            [row.low <= value <= row.high for row, value in zip(linear, (1.0, 0.0), strict=True)]
        )
    return np.mean(by_group, axis=0), np.mean(by_column, axis=0)


def test_intervals_cover() -> None:
    by_group, by_column = coverage(30)
    assert inside(30, by_group)
    assert inside(30, by_column)


@pytest.mark.slow
def test_intervals_cover_over_400_draws() -> None:
    by_group, by_column = coverage(400)
    assert inside(400, by_group)
    assert inside(400, by_column)


def test_sorted_groups_find_the_order() -> None:
    X, y = world(2_000)
    found = group_effects(fitted(X, y), X, y, groups=4)
    estimates = [row.estimate for row in found.rows]
    assert estimates == sorted(estimates)
    assert found.p_equal < 1e-6
    assert "The effect differs between groups of predicted effect" in found.words


def test_two_jobs_give_the_same_bits() -> None:
    X, y = world(300)
    one, two = (group_effects(fitted(X, y), X, y, jobs=jobs).to_frame() for jobs in (1, 2))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_calibration_of_a_right_learner() -> None:
    X, y = world(2_000)
    found = calibration_test(fitted(X, y), X, y)
    assert found.verdict == "passes"
    assert found.slope.low < 1 < found.slope.high
    assert found.average.estimate == pytest.approx(1.0, abs=0.2)


def test_calibration_of_an_overstating_learner() -> None:
    """A learner that doubles every difference has a slope of a half."""

    class Doubling(LinearRegression):
        def predict(self, X: Any) -> Any:
            plain = super().predict(X)
            return 2 * plain - plain.mean()

    X, y = world(3_000)
    found = calibration_test(DRLearner(covariates=[1, 2], final_learner=Doubling(), **FAST).fit(X, y), X, y)
    assert found.slope.estimate == pytest.approx(0.5, abs=0.1)
    assert found.verdict == "warns"
    assert "real but overstated" in found.words


def false_alarms(runs: int) -> float:
    found = []
    for seed in range(runs):
        X, y = world(400, seed, slope=0.0)
        found.append(calibration_test(fitted(X, y, seed=seed), X, y).p_heterogeneity < 0.05)
    return float(np.mean(found))


def test_without_heterogeneity_calibration_rarely_finds_any() -> None:
    assert false_alarms(25) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 25)


@pytest.mark.slow
def test_without_heterogeneity_calibration_rarely_finds_any_in_400_draws() -> None:
    assert false_alarms(400) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_clusters_widen_what_they_share() -> None:
    rng = np.random.default_rng(0)
    X, y = world(1_000)
    shared = rng.normal(size=200)[X[:, 3].astype(int)]
    X[:, 0] = rng.integers(0, 2, 200)[X[:, 3].astype(int)]
    y = y + 2 * shared
    alone = group_effects(fitted(X, y), X, by=2)
    grouped = group_effects(fitted(X, y, cluster=3), X, by=2)
    assert grouped.rows[0].standard_error > 1.2 * alone.rows[0].standard_error


def test_columns_with_many_levels_are_cut_at_quantiles() -> None:
    X, y = world()
    rows = group_effects(fitted(X, y), X, by=1, groups=4).rows
    assert [row.n for row in rows] == [150, 150, 150, 150]


def test_labels_may_be_given_and_frames_named() -> None:
    X, y = world()
    frame = pd.DataFrame(X, columns=["d", "x", "z", "school"])
    learner = DRLearner("d", covariates=["x", "z"], **FAST).fit(frame, y)
    words = np.where(X[:, 2] == 1, "yes", "no")
    assert [row.name for row in group_effects(learner, frame, by=words).rows] == ["no", "yes"]
    assert [row.name for row in group_effects(learner, frame, by="z").rows] == ["z = 0", "z = 1"]


def test_records_are_readable_and_drawn() -> None:
    X, y = world()
    learner = fitted(X, y)
    groups, linear = group_effects(learner, X, y, groups=3), best_linear_projection(learner, X)
    calibration = calibration_test(learner, X, y)
    for record in (groups, linear, calibration):
        assert isinstance(record.to_frame(), pd.DataFrame)
        assert str(record)
        assert record.plot().get_title(loc="left") or record.plot().get_title()
    assert linear.to_frame()["name"].tolist() == ["effect at the means", "1", "2"]


def test_refusals_name_the_place() -> None:
    X, y = world()
    learner = fitted(X, y)
    with pytest.raises(DataError, match="y: sorting by the predicted effect refits the learner"):
        group_effects(learner, X)
    with pytest.raises(DataError, match="by the labels given: expected two groups or more"):
        group_effects(learner, X, by=np.zeros(600))
    with pytest.raises(DataError, match="X: expected the 600 rows of fit, got 500"):
        best_linear_projection(learner, X[:500])
    with pytest.raises(EstimationError, match="final_learner: .* same effect for everyone"):
        calibration_test(DRLearner(covariates=[1], final_learner=DummyRegressor(), **FAST).fit(X, y), X, y)
    constant = X.copy()
    constant[:, 2] = 1.0
    with pytest.raises(
        EstimationError, match="columns: expected more rows than columns and columns that do not"
    ):
        best_linear_projection(learner, constant)
    with pytest.raises(DataError, match="by 'zz': no such column; the table has: d, x"):
        frame = pd.DataFrame(X, columns=["d", "x", "z", "school"])
        group_effects(DRLearner("d", covariates=["x", "z"], **FAST).fit(frame, y), frame, by="zz")
