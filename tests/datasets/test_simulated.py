"""The stated truth of every generator is the truth of what it draws."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit

from suppose.core.errors import DataError
from suppose.datasets import (
    Simulated,
    make_clustered,
    make_confounded,
    make_dose,
    make_experiment,
    make_multivalued,
)

GENERATORS: list[Callable[..., Simulated]] = [
    make_experiment,
    make_confounded,
    make_multivalued,
    make_dose,
    make_clustered,
]
N = 200_000


def mean_is(values: np.ndarray, expected: float) -> bool:
    """Mean within four of its own standard errors."""
    return abs(values.mean() - expected) <= 4 * values.std(ddof=1) / np.sqrt(len(values)) + 1e-12


# ---- truth


@pytest.mark.parametrize("overlap", ["good", "weak"])
@pytest.mark.parametrize("form", ["linear", "nonlinear"])
def test_confounded_averages(overlap: str, form: str) -> None:
    table = make_confounded(N, 2, 1.5, overlap=overlap, form=form, heterogeneous=True, seed=3)
    effect, e = table.oracle["effect"].to_numpy(), table.oracle["propensity"].to_numpy()
    assert mean_is(effect, table.truth["ATE"])
    assert mean_is(e * (effect - table.truth["ATT"]), 0.0)
    assert mean_is(e * (1 - e) * (effect - table.truth["ATO"]), 0.0)
    d, y = table.frame["d"].to_numpy(), table.y.to_numpy()
    assert mean_is(d - e, 0.0)
    assert mean_is(effect[d == 1], table.truth["ATT"])
    assert mean_is(y - table.oracle["untreated"].to_numpy() - d * effect, 0.0)
    assert table.truth["ATT"] > table.truth["ATE"] == 1.5


def test_att_in_closed_form_when_treatment_is_a_coin() -> None:
    """With log odds s z, E[z e(z)] / E[e(z)] = 2 s E[e (1 - e)] by Stein's lemma."""
    z = np.linspace(-10, 10, 20_001)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    e = expit(0.8 * z)
    slope = 0.8 * np.trapezoid(e * (1 - e) * density, z) * 2
    table = make_confounded(10, effect=0.0, heterogeneous=True)
    assert table.truth["ATT"] == pytest.approx(slope / np.sqrt(2) / 2, rel=1e-9)


def test_confounding_is_there_and_adjustment_removes_it() -> None:
    table = make_confounded(20_000, 3, 1.0, seed=5)
    X, d, y = table.X.to_numpy(), table.frame["d"].to_numpy(), table.y.to_numpy()
    naive = y[d == 1].mean() - y[d == 0].mean()
    adjusted = np.linalg.lstsq(np.column_stack([np.ones(len(X)), X]), y, rcond=None)[0][1]
    assert naive > 1.7
    assert adjusted == pytest.approx(1.0, abs=4 * 2.2 / np.sqrt(20_000))


def test_overlap_words_mean_what_they_say() -> None:
    good = make_confounded(N, overlap="good", seed=1).oracle["propensity"]
    weak = make_confounded(N, overlap="weak", seed=1).oracle["propensity"]
    assert good.between(0.2, 0.8).mean() > 0.9
    assert (~weak.between(0.02, 0.98)).mean() == pytest.approx(0.195, abs=0.01)


def test_multivalued_arms() -> None:
    table = make_multivalued(N, 2, (1.0, -0.5, 2.0), overlap="weak", seed=2)
    chances = table.oracle.filter(like="propensity").to_numpy()
    d = table.frame["d"].to_numpy()
    np.testing.assert_allclose(chances.sum(axis=1), 1.0)
    assert dict(table.truth) == {"1 vs 0": 1.0, "2 vs 0": -0.5, "3 vs 0": 2.0}
    gains = np.array([0.0, 1.0, -0.5, 2.0])
    for arm in range(4):
        assert mean_is((d == arm) - chances[:, arm], 0.0)
    assert mean_is(table.y.to_numpy() - table.oracle["untreated"].to_numpy() - gains[d], 0.0)


@pytest.mark.parametrize("form", ["linear", "nonlinear"])
def test_dose_slope_by_oracle_residuals(form: str) -> None:
    table = make_dose(N, 2, -0.7, form=form, seed=4)
    v = table.frame["d"] - table.oracle["expected_treatment"]
    assert mean_is((v * (table.y - table.oracle["untreated"] - table.truth["slope"] * table.frame["d"])), 0.0)
    assert abs(v.std() - 1.0) < 0.01


def test_experiment_is_balanced_by_design() -> None:
    trial = make_experiment(1_000, 2.0, share=0.3, heterogeneous=True, seed=9)
    assert trial.frame["d"].sum() == 300
    differences = []
    for seed in range(400):
        frame = make_experiment(60, 2.0, heterogeneous=True, seed=seed).frame
        mean = frame.groupby("d")["y"].mean()
        differences.append(mean[1] - mean[0])
    assert mean_is(np.array(differences), 2.0)


def test_clusters_share_treatment_and_level() -> None:
    table = make_clustered(400, 25, 1.0, cluster_sd=2.0, seed=1)
    assert (table.frame.groupby("cluster")["d"].nunique() == 1).all()
    assert table.covariates == ("w", "x1", "x2", "x3")
    rest = table.y - table.frame["d"] - table.frame["w"] - table.frame["x1"]
    within = rest.groupby(table.frame["cluster"]).var().mean()
    between = rest.groupby(table.frame["cluster"]).mean().var()
    assert within == pytest.approx(1.0, abs=4 * np.sqrt(2 / (400 * 24)))
    assert between == pytest.approx(4.0 + 1 / 25, abs=4 * 4.04 * np.sqrt(2 / 399))


def test_few_clusters_still_have_both_arms() -> None:
    for seed in range(200):
        assert make_clustered(4, 1, seed=seed).frame["d"].nunique() == 2


# ---- invariance


@pytest.mark.parametrize("make", GENERATORS)
def test_same_seed_same_bits(make: Callable[..., Simulated]) -> None:
    first, again, other = make(seed=7), make(seed=7), make(seed=8)
    assert first.frame.equals(again.frame) and first.oracle.equals(again.oracle)
    assert not first.frame.equals(other.frame)
    assert dict(first.truth) == dict(other.truth)


@pytest.mark.parametrize("make", GENERATORS)
def test_record_is_ready_for_an_estimator(make: Callable[..., Simulated]) -> None:
    table = make(seed=1)
    assert table.outcome not in table.X.columns
    assert {table.treatment, *table.covariates} <= set(table.X.columns)
    assert len(table.y) == len(table.frame) == len(table.oracle)
    assert np.isfinite(table.frame.to_numpy()).all()
    assert table.name in str(table)
    assert list(table.to_frame()["value"]) == list(table.truth.values())
    with pytest.raises(TypeError):
        table.truth["ATE"] = 0.0  # type: ignore[index]


@pytest.mark.parametrize("make", [make_confounded, make_dose])
def test_effect_only_shifts_the_treated(make: Callable[..., Simulated]) -> None:
    low, high = make(effect=0.0, seed=1), make(effect=2.0, seed=1)
    np.testing.assert_allclose(high.y - low.y, 2.0 * low.frame["d"], atol=1e-12)


# ---- refusal


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_experiment(3), "argument 'n': expected at least 4 rows, got 3"),
        (lambda: make_experiment(10, share=0.0), "argument 'share'.*treated and untreated"),
        (lambda: make_experiment(10, p=0), "argument 'p': expected at least 1"),
        (lambda: make_confounded(10, 1), "argument 'p': expected at least 2 covariates, got 1"),
        (lambda: make_multivalued(effects=()), "argument 'effects'"),
        (lambda: make_dose(2), "argument 'n'"),
        (lambda: make_clustered(3), "argument 'clusters': expected at least 4 clusters, got 3"),
        (lambda: make_clustered(size=0), "argument 'size'"),
    ],
)
def test_refusals(call: Callable[[], Simulated], message: str) -> None:
    with pytest.raises(DataError, match=message):
        call()
