"""Refutations: size on sound designs, power on broken ones, invariances, refusals.

The size of the rules themselves is measured on simulated runs (quick); of the whole procedure, on 200
simulated tables each (slow).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression, LogisticRegression

from suppose.core.errors import EstimationError
from suppose.effects import DifferenceInMeans, Interactive, PartiallyLinear
from suppose.effects.inference import EffectEstimate, estimate_effect
from suppose.effects.refutation import FAIL, REFUTATIONS, SHARE, WARN, Refutation, _judged, refute

LINEAR = PartiallyLinear(folds=2, outcome_learner=LinearRegression())
AIPW = Interactive(folds=2, outcome_learner=LinearRegression(), propensity_learner=LogisticRegression())


def world(n: int = 300, seed: int = 0, confounding: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Effect 1; columns: treatment, a confounder, its noisy copy from before, an idle one."""
    rng = np.random.default_rng(seed)
    x, idle, noise = rng.normal(size=(3, n))
    d = (rng.random(n) < 1 / (1 + np.exp(-confounding * x))).astype(float)
    return np.c_[d, x, x + 0.5 * noise, idle], d + x + rng.normal(size=n)


def whole(estimate: float = 1.0, error: float = 0.1) -> EffectEstimate:
    return estimate_effect(estimate, error, estimand="ATE", contrast="1 vs 0", n=100, method="")


def judged(name: str, estimates: np.ndarray, errors: np.ndarray | float = 0.1) -> Refutation:
    errors = np.broadcast_to(errors, estimates.shape)
    p_values = 2 * stats.norm.sf(np.abs(estimates) / errors)
    return _judged(name, whole(), np.c_[estimates, p_values, errors], np.empty(0))


def rates(name: str, runs: int, draw: Any) -> tuple[float, float]:
    """Share of verdicts that fail, and that fail or warn."""
    verdicts = [judged(name, draw(np.random.default_rng(seed))).verdict for seed in range(runs)]
    failed = np.mean([verdict == "fails" for verdict in verdicts])
    return float(failed), float(np.mean([verdict != "passes" for verdict in verdicts]))


def within(share: float, nominal: float, runs: int) -> bool:
    return share <= nominal + 3 * np.sqrt(nominal * (1 - nominal) / runs)


SOUND = {
    "placebo-treatment": lambda rng: rng.normal(0, 0.1, 20),
    "random-common-cause": lambda rng: 1 + rng.normal(0, 0.06, 20),  # mean move 0.48 standard errors
    "subset": lambda rng: 1 + rng.normal(0, 1.05 * 0.1 * np.sqrt(1 / SHARE - 1), 20),
}
BROKEN = {
    "placebo-treatment": lambda rng: rng.normal(0, 0.25, 20),  # standard errors 2.5 times too small
    "random-common-cause": lambda rng: 1 + rng.normal(0, 0.25, 20),
    "subset": lambda rng: 1 + rng.normal(0, 3 * 0.1 * np.sqrt(1 / SHARE - 1), 20),
}


@pytest.mark.parametrize("name", list(SOUND))
def test_rules_find_fault_no_more_often_than_stated(name: str) -> None:
    failed, doubted = rates(name, 1_000, SOUND[name])
    assert within(failed, FAIL, 1_000)
    assert within(doubted, WARN, 1_000)


@pytest.mark.parametrize("name", list(BROKEN))
def test_rules_find_gross_faults(name: str) -> None:
    assert rates(name, 200, BROKEN[name])[0] > 0.9


@pytest.mark.parametrize("name", REFUTATIONS)
def test_sound_analysis_passes(name: str) -> None:
    X, y = world()
    found = refute(LINEAR, X, y, name, draws=8, seed=1)
    assert found.verdict == "passes"
    assert found.name == name
    assert len(found.draws) == 8
    assert found.cannot_show
    assert found.null


class Overconfident(RegressorMixin, BaseEstimator):
    """Difference in means whose standard error is a third of what it should be."""

    def __init__(self, treatment: Any = 0, *, cluster: Any = None) -> None:
        self.treatment, self.cluster = treatment, cluster

    def fit(self, X: Any, y: Any) -> Overconfident:
        found = DifferenceInMeans(self.treatment, cluster=self.cluster).fit(X, y).effect_
        self.effect_ = estimate_effect(
            found.estimate, found.standard_error / 3, estimand="ATE", contrast="1 vs 0", n=len(y), method=""
        )
        return self


def test_placebo_treatment_finds_understated_errors() -> None:
    X, y = world(confounding=0.0)
    found = refute(Overconfident(), X, y, "placebo-treatment")
    assert found.verdict == "fails"
    assert found.statistic > 2
    assert refute(DifferenceInMeans(), X, y, "placebo-treatment").verdict == "passes"


def test_subset_finds_understated_errors() -> None:
    X, y = world(confounding=0.0)
    assert refute(Overconfident(), X, y, "subset").verdict == "fails"
    assert refute(DifferenceInMeans(), X, y, "subset").verdict == "passes"


def test_placebo_treatment_finds_forgotten_clusters() -> None:
    """Treatment and shocks shared within villages: errors that ignore them are far too small."""
    rng = np.random.default_rng(0)
    village = np.repeat(np.arange(40), 25)
    d = rng.integers(0, 2, 40)[village].astype(float)
    X, y = np.c_[d, village], rng.normal(size=40)[village] + rng.normal(size=1_000)
    assert refute(DifferenceInMeans(cluster=1), X, y, "placebo-treatment").verdict == "passes"

    class Forgetful(DifferenceInMeans):
        """Shuffled by village, estimated as if rows were independent."""

        def _estimate(self, sample: Any) -> None:
            self.clusters_ = None
            sample.material = type(sample.material)(**{**vars(sample.material), "clusters": None})
            super()._estimate(sample)

    assert refute(Forgetful(cluster=1), X, y, "placebo-treatment").verdict == "fails"


def test_simulated_placebo_outcome_finds_unadjusted_confounding() -> None:
    X, y = world(600)
    found = refute(DifferenceInMeans(), X, y, "placebo-outcome")
    assert found.verdict == "fails"
    assert min(found.draws) > 0.3


def test_named_placebo_outcome_finds_what_was_left_out() -> None:
    X, y = world(800)
    blind = PartiallyLinear(covariates=[3], folds=2, outcome_learner=LinearRegression())
    found = refute(blind, X, y, "placebo-outcome", outcome=2, draws=5)
    assert found.verdict == "fails"
    assert "the arms differed before any treatment" in found.words
    seeing = PartiallyLinear(covariates=[1, 3], folds=2, outcome_learner=LinearRegression())
    assert refute(seeing, X, y, "placebo-outcome", outcome=2, draws=5).verdict == "passes"


def test_named_placebo_outcome_is_not_adjusted_for() -> None:
    X, y = world(400)
    column = refute(LINEAR, X, y, "placebo-outcome", outcome=2, draws=5)
    array = refute(
        PartiallyLinear(covariates=[1, 3], folds=2, outcome_learner=LinearRegression()), X, y,
        "placebo-outcome", outcome=X[:, 2], draws=5,
    )  # fmt: skip
    assert column.draws == array.draws


def test_binary_outcomes_stay_binary() -> None:
    X, y = world()
    assert refute(AIPW, X, (y > 0).astype(float), "placebo-outcome", draws=5).verdict == "passes"


def test_noise_moves_an_unstable_analysis() -> None:
    """Nearly as many covariates as rows: one more column of noise changes everything."""

    class Greedy(RegressorMixin, BaseEstimator):
        """Adjusts for whichever covariate comes last."""

        def __init__(self, treatment: Any = 0, *, covariates: Any = None) -> None:
            self.treatment, self.covariates = treatment, covariates

        def fit(self, X: Any, y: Any) -> Greedy:
            self.effect_ = PartiallyLinear(covariates=[X.shape[1] - 1], folds=2).fit(X, y).effect_
            return self

    X, y = world(600)
    assert refute(Greedy(covariates=[1]), X[:, :2], y, "random-common-cause", draws=8).verdict == "fails"


@pytest.mark.parametrize("name", REFUTATIONS)
def test_two_jobs_give_the_same_bits(name: str) -> None:
    X, y = world(150)
    one, two = (refute(LINEAR, X, y, name, draws=5, jobs=jobs) for jobs in (1, 2))
    assert one == two


def test_seed_decides_the_draws() -> None:
    X, y = world(150)
    same, again, other = (refute(LINEAR, X, y, "subset", draws=5, seed=seed).draws for seed in (1, 1, 2))
    assert same == again
    assert same != other


def test_frames_and_arrays_agree() -> None:
    X, y = world(150)
    frame = pd.DataFrame(X, columns=["d", "x", "before", "idle"])
    named = PartiallyLinear("d", folds=2, outcome_learner=LinearRegression())
    plain = refute(LINEAR, X, y, "placebo-treatment", draws=5)
    assert refute(named, frame, pd.Series(y), "placebo-treatment", draws=5).draws == plain.draws
    assert refute(named, frame, y, "placebo-outcome", outcome="before", draws=5).statistic_name == (
        "effect on 'before'"
    )


def test_a_split_brought_by_the_user_does_not_stop_subsets() -> None:
    X, y = world(150)
    model = PartiallyLinear(folds=np.arange(150) % 3, outcome_learner=LinearRegression())
    assert refute(model, X, y, "subset", draws=5).verdict == "passes"


def test_record_is_readable_and_drawn() -> None:
    X, y = world(150)
    found = refute(LINEAR, X, y, "placebo-treatment", draws=5)
    assert str(found).startswith("Placebo treatment: passes. ")
    assert "draws" not in found.to_frame().columns
    ax = found.plot()
    assert sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() == "o") == 5


def test_refusals_name_the_place() -> None:
    X, y = world(100)
    with pytest.raises(EstimationError, match=r"refute: expected one of .* Did you mean 'subset'"):
        refute(LINEAR, X, y, "subsett")
    with pytest.raises(EstimationError, match="draws: expected at least 5 draws, got 2"):
        refute(LINEAR, X, y, "subset", draws=2)
    with pytest.raises(EstimationError, match="outcome= belongs to placebo-outcome, not to subset"):
        refute(LINEAR, X, y, "subset", outcome=1)


SIZES = [(model, name) for model in (LINEAR, AIPW) for name in REFUTATIONS]


@pytest.mark.slow
@pytest.mark.parametrize(("model", "name"), SIZES, ids=lambda item: getattr(item, "__class__", str).__name__)
def test_sound_analyses_are_found_fault_with_no_more_often_than_stated(model: Any, name: str) -> None:
    verdicts = [refute(model, *world(400, seed), name, seed=seed).verdict for seed in range(200)]
    assert within(np.mean([verdict == "fails" for verdict in verdicts]), FAIL, 200)
    assert within(np.mean([verdict != "passes" for verdict in verdicts]), WARN, 200)
