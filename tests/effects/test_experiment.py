"""Difference in means: Welch's test, clusters, several arms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from suppose.effects import DifferenceInMeans

RNG = np.random.default_rng(0)
ARM = RNG.integers(0, 3, 90).astype(float)
Y = ARM + RNG.normal(size=90) * (1 + ARM)


def test_every_contrast_is_welchs_test() -> None:
    model = DifferenceInMeans(level=0.9).fit(ARM[:, None], Y)
    for effect, arm in zip(model.effects_, (1, 2), strict=True):
        welch = stats.ttest_ind(Y[arm == ARM], Y[ARM == 0], equal_var=False)
        interval = welch.confidence_interval(0.9)
        assert effect.p_value == pytest.approx(welch.pvalue, rel=1e-10)
        assert (effect.low, effect.high) == pytest.approx((interval.low, interval.high), rel=1e-10)
        assert effect.degrees_of_freedom == pytest.approx(welch.df, rel=1e-10)


def test_treatment_of_whole_clusters() -> None:
    """Equal clusters: the cluster sandwich is that of the cluster means."""
    clusters = np.repeat(np.arange(20), 5)
    treated = (clusters % 2).astype(float)
    y = treated + RNG.normal(size=20)[clusters] + 0.1 * RNG.normal(size=100)
    model = DifferenceInMeans(cluster=1).fit(np.c_[treated, clusters], y)
    means = np.array([y[clusters == c].mean() for c in range(20)])
    expected = np.sqrt(means[1::2].var() / 10 + means[::2].var() / 10)
    assert model.effect_.standard_error == pytest.approx(expected, rel=1e-10)
    assert (model.effect_.clusters, model.effect_.degrees_of_freedom) == (20, 19)


def test_other_columns_are_left_alone() -> None:
    table = np.c_[ARM, np.full(90, np.nan)]
    assert DifferenceInMeans().fit(table, Y).arm_means_[0] == pytest.approx(Y[ARM == 0].mean())


def test_constant_outcome_has_no_error() -> None:
    effect = DifferenceInMeans().fit(ARM[:, None], np.ones(90)).effect_
    assert (effect.estimate, effect.standard_error) == (0.0, 0.0)
