"""Errors of recording yes and no: the matrix method by hand, unbiasedness, coverage, impossible rates."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import DataError, EstimationError
from suppose.effects.mode import misclassification_analysis
from suppose.effects.mode.misclassification import RATES, true_tables
from suppose.worlds.survey import simulate_binary

TRUTH = {
    f"{answer}_{rate}_{mode}": value
    for answer in ("exposure", "outcome")
    for rate, mode, value in (
        ("sensitivity", "reference", 0.95), ("specificity", "reference", 0.95),
        ("sensitivity", "other", 0.8), ("specificity", "other", 0.9),
    )
}  # fmt: skip


def arrays(n: int, seed: int = 0):
    frame = simulate_binary(n, seed=seed).frame
    return frame["X*"].to_numpy(), frame["Y*"].to_numpy(), frame["M"].to_numpy() > 0


def test_the_matrix_is_the_formula_cell_by_cell() -> None:
    table = np.array([[[4296.0, 1449.0], [668.0, 215.0]]])  # exposure no/yes, outcome no/yes
    se, sp = 0.78, 0.99
    found = true_tables(table, np.array([[se, sp]]), np.array([[1.0, 1.0]]))[0]
    for outcome in (0, 1):
        n = table[0, :, outcome].sum()
        exposed = n * (table[0, 1, outcome] / n + sp - 1) / (se + sp - 1)
        assert found[1, outcome] == pytest.approx(exposed, rel=1e-12)
        assert found[:, outcome].sum() == pytest.approx(n, rel=1e-12)


def test_recording_and_undoing_give_the_table_back() -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(10, 100, (5, 2, 2))
    rates = rng.uniform(0.7, 1.0, (2, 5, 2))
    make = [np.stack([np.stack([sp, 1 - se], -1), np.stack([1 - sp, se], -1)], -2)
            for se, sp in ((r[:, 0], r[:, 1]) for r in rates)]  # fmt: skip
    recorded = np.einsum("dai,dij,dbj->dab", make[0], truth, make[1])
    assert true_tables(recorded, rates[0], rates[1]) == pytest.approx(truth, rel=1e-9)


def test_right_answers_change_nothing() -> None:
    x, y, other = arrays(3000)
    found = misclassification_analysis(x, y, other, {}, draws=4000)
    assert found.median == pytest.approx(found.naive, abs=0.02)
    assert found.rejected == 0


def test_the_truth_is_found_and_covered() -> None:
    runs, found = 100, []
    for seed in range(runs):
        found.append(misclassification_analysis(*arrays(5000, seed), TRUTH, draws=300))
    medians = np.array([item.median for item in found])
    assert abs(medians.mean() - 0.7) < 3 * medians.std() / np.sqrt(runs)
    assert np.mean([item.naive for item in found]) < 0.5
    covered = np.mean([item.low <= 0.7 <= item.high for item in found])
    assert covered >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / runs)


def test_rates_that_cannot_be_are_counted_and_then_refused() -> None:
    x, y, other = arrays(2000)
    wide = {"outcome_specificity_reference": "uniform(0.4, 1)"}
    found = misclassification_analysis(x, y, other, wide, draws=1000)
    assert 0 < found.rejected < 1000
    assert len(found.values) == 1000 - found.rejected
    assert f"{found.rejected:,} of 1,000 draws impossible" in str(found)
    with pytest.raises(EstimationError, match="fit the table without negative cells"):
        misclassification_analysis(x, y, other, {"outcome_specificity_reference": 0.3}, draws=1000)


def test_a_mode_whose_own_table_cannot_be_is_not_hidden_by_the_other() -> None:
    x, y, other = (np.repeat(part, 50) for part in ([0, 0, 1, 1] * 20 + [0, 1] * 2, [0, 1, 0, 1] * 20 + [0] * 4,
                                                    [False] * 80 + [True] * 4))  # fmt: skip
    rates = {
        "outcome_specificity_other": 1.0,
        "outcome_sensitivity_other": 0.9,
        "exposure_specificity_other": 0.4,
    }
    with pytest.raises(EstimationError, match="fit the table without negative cells"):
        misclassification_analysis(x * 1.0, y * 1.0, other, rates, draws=500)


def test_the_risk_difference_is_on_its_scale() -> None:
    x, y, other = arrays(20_000)
    found = misclassification_analysis(x, y, other, TRUTH, measure="risk difference", draws=500)
    truth = 1 / (1 + np.exp(0.8 - 0.7)) - 1 / (1 + np.exp(0.8))
    assert found.low < truth < found.high
    assert found.to_frame()["measure"][0] == "risk difference"
    assert found.plot() is not None


def test_order_of_rows_does_not_matter() -> None:
    x, y, other = arrays(1000)
    back = slice(None, None, -1)
    first = misclassification_analysis(x, y, other, TRUTH, draws=200)
    assert first == misclassification_analysis(x[back], y[back], other[back], TRUTH, draws=200)


@pytest.mark.parametrize(
    ("rates", "options", "message"),
    [
        ({"outcome_sensitivity": 0.9}, {}, "expected one of 'exposure_sensitivity_reference'"),
        ({RATES[0]: 0.4, "exposure_specificity_reference": 0.6}, {}, "must add up to more than 1"),
        ({RATES[0]: "beta(1, 2)"}, {}, "expected a number or one of normal"),
        ({}, {"measure": "odds"}, "expected one of 'log odds ratio', 'risk difference'"),
    ],
)
def test_rates_are_refused(rates, options, message) -> None:
    with pytest.raises(EstimationError, match=message):
        misclassification_analysis(*arrays(300), rates, **options)


def test_other_answers_are_refused() -> None:
    x, y, other = arrays(300)
    with pytest.raises(DataError, match="exposure: expected answers of 0 and 1 alone"):
        misclassification_analysis(x + 1, y, other, {})
