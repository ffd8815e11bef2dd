"""The front-door estimator: equal to the plug-in where it is saturated, right under hidden causes, refusing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from suppose.core.errors import DataError, EstimationError
from suppose.effects import FrontDoor, Interactive


def world(n: int, seed: int, *, effect: float = 2.0, covariate: float = 0.0) -> pd.DataFrame:
    """Binary treatment, binary mediator, hidden cause of treatment and outcome, one covariate."""
    rng = np.random.default_rng(seed)
    hidden, x = rng.normal(size=n), rng.normal(size=n)
    a = (hidden + covariate * x + rng.normal(size=n) > 0).astype(float)
    m = (rng.random(n) < 1 / (1 + np.exp(-(1.5 * a - 0.7 + covariate * x)))).astype(float)
    y = effect * m + 1.5 * hidden + covariate * x + rng.normal(size=n)
    return pd.DataFrame({"a": a, "m": m, "x": x, "y": y})


def carried(effect: float = 2.0) -> float:
    """The effect of ``a`` in :func:`world` without covariate: ``effect`` times the change of ``P(m)``."""
    return float(effect * (1 / (1 + np.exp(-0.8)) - 1 / (1 + np.exp(0.7))))


def plug_in(frame: pd.DataFrame, arm: float) -> float:
    """``sum_m P(m|a) sum_a' E[Y|a',m] P(a')`` from counts."""
    mean = frame.groupby(["m", "a"])["y"].mean().unstack()
    inner = (mean * frame["a"].value_counts(normalize=True)).sum(axis=1)
    return float((inner * frame.loc[frame["a"] == arm, "m"].value_counts(normalize=True)).sum())


def test_saturated_nuisances_give_the_plug_in() -> None:
    frame = world(600, 1)
    model = FrontDoor("a", mediators=["m"], folds=1).fit(frame[["a", "m"]], frame["y"])
    for place, arm in enumerate((0.0, 1.0)):
        assert model.arm_means_[place] == pytest.approx(plug_in(frame, arm), abs=1e-10)
    assert model.effect_.estimate == pytest.approx(plug_in(frame, 1.0) - plug_in(frame, 0.0), abs=1e-10)


def test_hidden_cause_biases_adjustment_and_not_the_front_door() -> None:
    frame = world(20_000, 2)
    model = FrontDoor("a", mediators=["m"]).fit(frame[["a", "m"]], frame["y"])
    assert abs(model.effect_.estimate - carried()) < 4 * model.effect_.standard_error
    naive = Interactive("a").fit(frame[["a"]], frame["y"])
    assert naive.effect_.estimate - carried() > 20 * naive.effect_.standard_error


def test_intervals_are_of_the_right_width() -> None:
    draws = 60
    z = []
    for seed in range(draws):
        frame = world(500, 100 + seed)
        effect = FrontDoor("a", mediators=["m"], folds=3).fit(frame[["a", "m"]], frame["y"]).effect_
        z.append((effect.estimate - carried()) / effect.standard_error)
    assert abs(np.mean(z)) < 4 / np.sqrt(draws)
    assert abs(np.std(z) - 1) < 4 / np.sqrt(2 * draws)


def test_several_continuous_mediators() -> None:
    rng = np.random.default_rng(4)
    n, hidden = 20_000, np.random.default_rng(5).normal(size=20_000)
    a = (hidden + rng.normal(size=n) > 0).astype(float)
    first = a + rng.normal(size=n)
    second = 0.5 * a + 0.5 * first + rng.normal(size=n)
    y = first + second + hidden + rng.normal(size=n)
    model = FrontDoor(0).fit(np.c_[a, first, second], y)
    assert model.mediator_names_ == (1, 2)
    assert abs(model.effect_.estimate - 2.0) < 4 * model.effect_.standard_error


def test_right_with_either_half_of_the_nuisances() -> None:
    """With wrong propensities a right outcome model suffices."""
    frame = world(20_000, 6)
    wrong = DummyClassifier(strategy="uniform", random_state=0)
    model = FrontDoor("a", mediators=["m"], propensity_learner=wrong).fit(frame[["a", "m"]], frame["y"])
    assert abs(model.effect_.estimate - carried()) < 0.1


def test_covariates_are_adjusted_for() -> None:
    frame = world(20_000, 7, covariate=1.0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=1_000_000)
    chance = [1 / (1 + np.exp(-(1.5 * arm - 0.7 + x))) for arm in (0, 1)]
    truth = 2.0 * float(np.mean(chance[1] - chance[0]))
    model = FrontDoor("a", mediators=["m"], covariates=["x"], outcome_learner="boosting")
    effect = model.fit(frame[["a", "m", "x"]], frame["y"]).effect_
    assert abs(effect.estimate - truth) < 4 * effect.standard_error


def test_a_third_arm_and_another_reference() -> None:
    rng = np.random.default_rng(8)
    n, hidden = 12_000, np.random.default_rng(9).normal(size=12_000)
    a = np.digitize(hidden + rng.normal(size=n), [-0.7, 0.7]).astype(float)
    m = a + rng.normal(size=n)
    y = m + hidden + rng.normal(size=n)
    frame = pd.DataFrame({"a": a, "m": m})
    up = FrontDoor("a").fit(frame, y)
    assert [effect.contrast for effect in up.effects_] == ["1 vs 0", "2 vs 0"]
    assert up.effects_[1].low < 2.0 < up.effects_[1].high
    down = FrontDoor("a", reference=2).fit(frame, y)
    assert down.effects_[0].estimate == pytest.approx(-up.effects_[1].estimate, rel=1e-9)


def test_order_of_rows_and_number_of_jobs_change_nothing() -> None:
    frame = world(400, 10)
    folds = np.arange(400) % 4
    model = FrontDoor("a", mediators=["m"], folds=folds).fit(frame[["a", "m"]], frame["y"])
    order = np.random.default_rng(0).permutation(400)
    turned = frame.iloc[order]
    again = FrontDoor("a", mediators=["m"], folds=folds[order]).fit(turned[["a", "m"]], turned["y"])
    assert again.effect_.estimate == pytest.approx(model.effect_.estimate, rel=1e-6)
    many = FrontDoor("a", mediators=["m"], folds=folds, n_jobs=2).fit(frame[["a", "m"]], frame["y"])
    assert many.effect_.estimate == model.effect_.estimate


def test_clusters_widen_the_interval() -> None:
    frame = pd.concat([world(300, 11)] * 4, ignore_index=True)
    frame["unit"] = np.tile(np.arange(300), 4)
    alone = FrontDoor("a", mediators=["m"]).fit(frame[["a", "m"]], frame["y"])
    whole = FrontDoor("a", mediators=["m"], cluster="unit").fit(frame[["a", "m", "unit"]], frame["y"])
    assert 1.6 < whole.effect_.standard_error / alone.effect_.standard_error < 2.4


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        (
            {"mediators": "m"},
            DataError,
            r"expected a list of columns, got the text 'm'. Write mediators=\['m'\]",
        ),
        ({"covariates": ["x"]}, DataError, "mediators: covariates are named but mediators are not"),
        ({"mediators": []}, DataError, "no column is left to carry the effect"),
        ({"mediators": ["n"]}, DataError, "there is no such column"),
        ({"mediators": ["m"], "propensity_learner": "oak"}, EstimationError, "unknown|expected one of"),
        ({"mediators": ["m"], "outcome_learner": LogisticRegression()}, EstimationError, "is a classifier"),
    ],
)
def test_refusals(settings: dict[str, object], error: type[Exception], words: str) -> None:
    frame = world(100, 12)
    with pytest.raises(error, match=words):
        FrontDoor("a", **settings).fit(frame[["a", "m", "x"]], frame["y"])
