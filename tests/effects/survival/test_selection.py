"""Comparisons, likelihood ratios and stepwise choice."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from suppose.core.errors import EstimationError
from suppose.datasets import make_survival
from suppose.effects import FlexibleSurvival
from suppose.effects.survival import compare, likelihood_ratio, step, test_kappa

WORLD = make_survival(500, lambda_=(0.0, 0.7), gamma=(0.4, 0.3), kappa=1.0, censor_rate=0.2, seed=7)
X = WORLD.X.assign(noise=np.random.default_rng(0).normal(size=500))


def fit(**settings) -> FlexibleSurvival:
    return FlexibleSurvival("event", **settings).fit(X, WORLD.y)


def test_comparison_and_ratio() -> None:
    small = fit(kappa=1, formulas={"lambda": "x"})
    large = fit(kappa=1, formulas={"lambda": "x", "gamma": "x"})
    table = compare({"small": small, "large": large})
    assert table.best == "large"
    assert table.to_frame()["difference"].min() == 0
    test = likelihood_ratio(small, large)
    assert test.statistic == pytest.approx(2 * (large.loglik_ - small.loglik_))
    assert (test.freedom, test.p_value) == (1, pytest.approx(stats.chi2.sf(test.statistic, 1)))
    assert table.plot().get_xlabel() == "AIC above the best"
    assert "large" in str(table) and "degrees of freedom" in str(test)


def test_weibull_is_enough_on_weibull_data_and_log_logistic_is_not() -> None:
    model = fit(formulas={"lambda": "x", "gamma": "x"})
    assert test_kappa(model, X, WORLD.y, 1.0).p_value > 0.01
    assert test_kappa(model, X, WORLD.y, 0.0).p_value < 0.01


def test_steps_find_what_is_there() -> None:
    start = FlexibleSurvival("event", kappa=1, formulas={"lambda": "1"})
    path = step(start, X, WORLD.y, criterion="bic")
    assert path.model.formulas_ == {"lambda": "x", "gamma": "x"}
    assert path.moves == ("add x to lambda and gamma",)
    assert list(path.criteria) == sorted(path.criteria, reverse=True)
    full = FlexibleSurvival("event", kappa=1, formulas={"lambda": "x + noise", "gamma": "x + noise"})
    back = step(full, X, WORLD.y, direction="backward", criterion="bic")
    assert back.model.formulas_ == path.model.formulas_
    assert back.model.loglik_ == pytest.approx(path.model.loglik_, abs=1e-6)
    assert back.moves == ("remove noise from lambda and gamma",)
    assert str(path).startswith("BIC") and next(iter(path.to_frame()["move"])) == "start"


def test_refusals() -> None:
    with pytest.raises(EstimationError, match="the larger model has 2 coefficients, the smaller 3"):
        likelihood_ratio(fit(formulas={"lambda": "1"}), fit(kappa=1, formulas={"lambda": "1"}))
    other = FlexibleSurvival("event").fit(X[:400], WORLD.y[:400])
    with pytest.raises(EstimationError, match="fitted to different rows"):
        compare({"a": other, "b": fit()})
    with pytest.raises(EstimationError, match="phi is fixed in this model"):
        step(FlexibleSurvival("event"), X, WORLD.y, parameters=("phi",))
