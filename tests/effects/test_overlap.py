"""Overlap: effective sample sizes against closed forms, weights, the verdict's rule, refusals."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from suppose.core.errors import DataError, EstimationError
from suppose.effects import DifferenceInMeans, Interactive, PartiallyLinear
from suppose.effects.overlap import (
    balancing_weights,
    check_overlap,
    effective_sample_size,
    measure_overlap,
)


def two_arms(n: int = 2_000, low: float = 0.3, high: float = 0.7, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    p = rng.uniform(low, high, n)
    return (rng.random(n) < p).astype(int), np.c_[1 - p, p]


def test_effective_size_of_equal_weights_is_their_number() -> None:
    assert effective_sample_size(np.full(37, 2.5)) == pytest.approx(37)


def test_effective_size_by_hand() -> None:
    assert effective_sample_size(np.array([1.0, 2.0, 3.0])) == pytest.approx(36 / 14)
    assert effective_sample_size(np.array([5.0, 0.0, 0.0])) == pytest.approx(1)
    assert effective_sample_size(np.zeros(3)) == 0.0


def test_effective_size_of_two_strata_in_closed_form() -> None:
    """Half with p = 0.2, half with p = 0.8: treated weigh 5 (20) and 1.25 (80), so 200^2 / 625 = 64."""
    p = np.repeat([0.2, 0.8], 100)
    arm = np.zeros(200, dtype=int)
    arm[:20], arm[100:180] = 1, 1
    found = measure_overlap(arm, np.c_[1 - p, p])
    assert found.arms[1].effective == pytest.approx(64)
    assert found.arms[1].largest_share == pytest.approx(5 / 200)
    treated = measure_overlap(arm, np.c_[1 - p, p], estimand="ATT")
    assert treated.arms[1].effective == pytest.approx(100)
    assert treated.arms[0].effective == pytest.approx(100**2 / (80 * 0.25**2 + 20 * 4**2))


@pytest.mark.parametrize("estimand", ["ATE", "ATT", "ATO"])
def test_weights_make_the_arms_alike(estimand: str) -> None:
    """With true propensities in strata the weighted share of each stratum is the same in both arms."""
    p = np.repeat([0.2, 0.5, 0.8], 100)
    stratum = np.repeat([0, 1, 2], 100)
    arm = np.concatenate([np.arange(100) < 100 * share for share in (0.2, 0.5, 0.8)]).astype(int)
    w = balancing_weights(arm, np.c_[1 - p, p], estimand)
    shares = [np.bincount(stratum[arm == k], w[arm == k]) / w[arm == k].sum() for k in (0, 1)]
    assert shares[0] == pytest.approx(shares[1])
    target = {"ATE": np.ones(3), "ATT": np.array([0.2, 0.5, 0.8]), "ATO": np.array([0.16, 0.25, 0.16])}[
        estimand
    ]
    assert shares[0] == pytest.approx(target / target.sum())


def test_randomised_arms_are_credible() -> None:
    found = measure_overlap(*two_arms())
    assert found.credible
    assert found.verdict == "passes"
    assert "is credible" in found.words


def test_hopeless_arms_are_not_credible_and_say_why() -> None:
    arm, propensity = two_arms(low=0.0005, high=0.05)
    found = measure_overlap(arm, propensity)
    assert found.verdict == "fails"
    assert "have hardly any counterpart" in found.words
    assert found.beyond == pytest.approx((propensity[:, 1] < 0.02).mean())


def test_many_irrelevant_controls_do_not_hurt_the_treated() -> None:
    """The ATT needs controls for the treated, not treated for the controls."""
    rng = np.random.default_rng(1)
    p = np.r_[rng.uniform(0.3, 0.6, 400), rng.uniform(0.0, 0.005, 4_000)]
    arm = (rng.random(len(p)) < p).astype(int)
    assert measure_overlap(arm, np.c_[1 - p, p], estimand="ATT").credible
    assert not measure_overlap(arm, np.c_[1 - p, p], estimand="ATE").credible
    assert measure_overlap(arm, np.c_[1 - p, p], estimand="ATO").credible


def test_one_heavy_unit_is_called_out() -> None:
    arm, propensity = two_arms()
    first = int(np.flatnonzero(arm == 1)[0])
    propensity[first] = [1 - 1e-3, 1e-3]
    assert "one unit carries" in measure_overlap(arm, propensity).words


def test_three_arms() -> None:
    rng = np.random.default_rng(2)
    propensity = rng.dirichlet([8, 8, 8], 900)
    arm = np.array([rng.choice(3, p=row) for row in propensity])
    found = measure_overlap(arm, propensity, names=("none", "half", "full"))
    assert found.credible
    assert list(found.to_frame()["arm"]) == ["none", "half", "full"]
    assert measure_overlap(arm, propensity, estimand="ATT").arms[0].effective < found.arms[0].n


def test_order_of_rows_does_not_matter() -> None:
    arm, propensity = two_arms()
    order = np.random.default_rng(0).permutation(len(arm))
    one, two = measure_overlap(arm, propensity), measure_overlap(arm[order], propensity[order])
    assert one.words == two.words
    assert one.arms[0].effective == pytest.approx(two.arms[0].effective)


def confounded(strength: float, n: int = 800) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    d = (rng.random(n) < 1 / (1 + np.exp(-strength * x))).astype(float)
    return np.c_[d, x], d + x + rng.normal(size=n)


def fitted(model: Any, strength: float) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(*confounded(strength))


def test_trimming_is_said_in_words() -> None:
    assert "none was changed" in check_overlap(fitted(Interactive(), 0.5)).trimming
    clipped = check_overlap(fitted(Interactive(threshold=0.1), 2.0))
    assert "were moved to the bound. Everyone stays in" in clipped.trimming
    dropped = check_overlap(fitted(Interactive(threshold=0.1, overlap_rule="drop"), 2.0))
    assert "were dropped. The effect is about the" in dropped.trimming
    assert dropped.averaged < dropped.n
    assert dropped.beyond == 0.0
    assert "could have gone either way" in check_overlap(fitted(Interactive(estimand="ATO"), 2.0)).trimming


def test_partially_linear_model_with_a_binary_treatment_has_overlap_too() -> None:
    found = check_overlap(fitted(PartiallyLinear(), 1.0))
    assert found.estimand == "ATO"
    assert found.credible


def test_figure_shows_both_arms() -> None:
    ax = measure_overlap(*two_arms(), names=("no", "yes")).plot()
    assert [text.get_text().split(" (")[0] for text in ax.get_legend().get_texts()] == ["arm yes", "arm no"]
    heights = np.array([patch.get_height() for patch in ax.patches])
    assert heights[heights > 0].sum() == pytest.approx(100)
    assert heights[heights < 0].sum() == pytest.approx(-100)


def test_record_is_readable() -> None:
    found = check_overlap(fitted(Interactive(), 0.5))
    assert "units count as" in str(found)
    assert {"arm", "n", "effective", "own_min", "others_max"} <= set(found.to_frame().columns)


def test_refusals_name_the_place() -> None:
    arm, propensity = two_arms(50)
    propensity[3, 1] = 1.2
    with pytest.raises(DataError, match="propensity, row 3: expected probabilities from 0 to 1"):
        measure_overlap(arm, propensity)
    with pytest.raises(DataError, match="arm 1: no unit has this arm"):
        measure_overlap(np.zeros(5, dtype=int), np.full((5, 2), 0.5))
    with pytest.raises(EstimationError, match="expected ATE, ATT or ATO, got 'ATX'"):
        balancing_weights(arm, np.full((50, 2), 0.5), "ATX")
    with pytest.raises(EstimationError, match="DifferenceInMeans has no propensity"):
        check_overlap(fitted(DifferenceInMeans(), 0.5))
