"""Linear panel estimators: identities between them, the Mundlak test's size and power, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import DataError, EstimationError
from suppose.datasets import load_union_wages, make_panel
from suppose.effects.panel import LinearPanel, mundlak_test

ROLES = {"treatment": "d", "unit": "unit", "time": "time"}


def test_cre_equals_fixed_effects_in_a_balanced_panel():
    table = make_panel(units=50, periods=5, seed=1)
    one, other = (LinearPanel(**ROLES, method=m).fit(table.X, table.y).effect_ for m in ("fe", "cre"))
    assert one.estimate == pytest.approx(other.estimate, rel=1e-10)


def test_two_periods_make_differences_and_fixed_effects_one():
    table = make_panel(units=50, periods=2, seed=1)
    one, other = (LinearPanel(**ROLES, method=m).fit(table.X, table.y).effect_ for m in ("fe", "fd"))
    assert one.estimate == pytest.approx(other.estimate, rel=1e-10)


def test_union_premium_is_the_textbooks():
    wages = load_union_wages()
    X = wages[["union", "nr", "year", "exper", "expersq", "married", "poorhlth", "educ", "black", "hisp"]]
    found = {
        method: LinearPanel("union", "nr", "year", method=method, period_effects=True)
        .fit(X, wages["lwage"]).effect_.estimate
        for method in ("pooled", "fe", "fd")
    }  # fmt: skip
    assert found["pooled"] == pytest.approx(0.182, abs=0.002)
    assert found["fe"] == pytest.approx(0.080, abs=0.002)
    assert found["fd"] == pytest.approx(0.042, abs=0.002)


def test_mundlak_rejects_when_levels_confound_and_rarely_otherwise():
    confounded = make_panel(units=100, periods=5, form="linear", seed=1)
    assert mundlak_test(confounded.X, confounded.y, **ROLES).p_value < 1e-4
    p_values = []
    for seed in range(100):
        table = make_panel(units=400, periods=4, form="linear", rho=0, treatment_level=0, seed=seed)
        p_values.append(mundlak_test(table.X, table.y, **ROLES).p_value)
    assert np.mean(np.array(p_values) < 0.05) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 100)


def test_redundant_columns_are_left_out():
    table = make_panel(units=50, periods=5, seed=1)
    plain = LinearPanel(**ROLES).fit(table.X, table.y)
    doubled = LinearPanel(**ROLES).fit(table.X.assign(again=2 * table.X["x1"]), table.y)
    assert doubled.effect_.estimate == pytest.approx(plain.effect_.estimate, rel=1e-9)


def test_refusals():
    table = make_panel(units=20, periods=4, seed=1)
    with pytest.raises(EstimationError, match="predict the treatment without error"):
        LinearPanel(**ROLES).fit(table.X.assign(again=table.X["d"]), table.y)
    with pytest.raises(EstimationError, match="Did you mean 'fe'|expected one of 'pooled'"):
        LinearPanel(**ROLES, method="FE").fit(table.X, table.y)
    with pytest.raises(EstimationError, match="no unit column is named"):
        LinearPanel("d", None, "time").fit(table.X, table.y)
    with pytest.raises(DataError, match="requires y"):
        LinearPanel(**ROLES).fit(table.X, None)
    with pytest.raises(EstimationError, match="'fe' gives effects, not levels"):
        LinearPanel(**ROLES).fit(table.X, table.y).predict(table.X)
    assert "Wald" in str(mundlak_test(table.X, table.y, **ROLES))
    assert len(mundlak_test(table.X, table.y, **ROLES).to_frame()) == 1
