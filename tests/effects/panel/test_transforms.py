"""What is predicted from what: against loops over units, whatever the order of rows; and every refusal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from suppose.core.errors import DataError, EstimationError
from suppose.datasets import make_panel
from suppose.effects.panel.material import read_panel, unit_means
from suppose.effects.panel.transforms import TRANSFORMS, transform_panel


def panel_of(frame, **roles):
    X = frame.drop(columns="y")
    return read_panel(
        X, frame["y"].to_numpy(), **({"treatment": "d", "unit": "unit", "time": "time"} | roles)
    )


@pytest.fixture
def frame():
    table = make_panel(units=8, periods=5, p=3, missing=0.2, seed=3).frame
    return table.assign(z=table["unit"] % 3)


def test_rows_are_sorted_and_remembered(frame):
    shuffled = frame.sample(frac=1.0, random_state=1).reset_index(drop=True)
    one, other = panel_of(frame), panel_of(shuffled)
    for name in ("y", "d", "x", "z", "units", "times"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(shuffled["y"].to_numpy()[other.rows], other.y)


def test_what_never_changes_is_found(frame):
    panel = panel_of(frame, time_invariant=["z"])
    assert panel.x_names == ("x1", "x2", "x3")
    assert panel.z_names == ("z",)


def test_unit_means_are_means(frame):
    panel = panel_of(frame)
    expected = pd.Series(panel.y).groupby(panel.units).transform("mean")
    np.testing.assert_allclose(unit_means(panel.y, panel.units), expected, rtol=1e-14)
    assert unit_means(panel.x, panel.units, spread=False).shape == (8, 3)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_targets_and_features(frame, transform):
    panel = panel_of(frame)
    found = transform_panel(panel, transform)
    rows = [expected_row(panel, transform, i) for i in range(panel.n)]
    rows = [row for row in rows if row is not None]
    np.testing.assert_allclose(found.y, [row[0] for row in rows], atol=1e-12)
    np.testing.assert_allclose(found.d, [row[1] for row in rows], atol=1e-12)
    np.testing.assert_allclose(found.outcome_features, [row[2] for row in rows], atol=1e-12)
    np.testing.assert_allclose(found.treatment_features, [row[3] for row in rows], atol=1e-12)


def expected_row(panel, transform, i):
    """The transform of one row, from its words, by a loop."""
    mine = [j for j in range(panel.n) if panel.units[j] == panel.units[i]]
    y, d, x, z = panel.y[i], panel.d[i], panel.x[i], panel.z[i]
    ybar, dbar, xbar = (sum(values[j] for j in mine) / len(mine) for values in (panel.y, panel.d, panel.x))
    dummies = [float(panel.units[i] == unit) for unit in range(panel.unit_count)]
    if transform in ("fd", "fd_exact"):
        before = [j for j in mine if panel.times[j] == panel.times[i] - 1]
        if not before:
            return None
        lag = panel.x[before[0]]
        features = x - lag if transform == "fd" else np.r_[x, lag, z]
        return y - panel.y[before[0]], d - panel.d[before[0]], features, features
    both = {
        "pooled": np.r_[x, z], "dummies": np.r_[x, z, dummies], "within": x - xbar,
        "within_both": np.r_[x, xbar, z], "cre_means": np.r_[x, z, xbar],
        "cre": np.r_[x, z, xbar, dbar], "cre_general": np.r_[x, z, xbar],
    }  # fmt: skip
    if transform == "cre_normal":
        return y, d, np.r_[x, z, xbar], np.r_[x, z, xbar, dbar]
    if transform.startswith("within"):
        return y - ybar, d - dbar, both[transform], both[transform]
    return y, d, both[transform], both[transform]


def test_cre_without_the_mean_treatment_is_cre_normal(frame):
    panel = panel_of(frame)
    one, other = transform_panel(panel, "cre", treatment_mean=False), transform_panel(panel, "cre_normal")
    np.testing.assert_array_equal(one.outcome_features, other.outcome_features)


def test_the_period_is_a_feature_when_asked(frame):
    panel = panel_of(frame)
    for transform in ("pooled", "within", "fd"):
        with_period = transform_panel(panel, transform, period=True)
        without = transform_panel(panel, transform)
        assert with_period.outcome_features.shape[1] == without.outcome_features.shape[1] + 1


def test_gaps_are_not_bridged():
    table = make_panel(units=4, periods=6, p=3, seed=0).frame
    gap = table[~table["time"].isin([2])]
    assert (
        len(transform_panel(panel_of(gap), "fd_exact").y) == 4 * 4
    )  # of five rows, 4 changes, over 0,1,3,4,5
    assert not np.any(transform_panel(panel_of(gap), "fd_exact").panel.times == 0)


# ---- refusals


def test_a_unit_twice_at_one_time_is_refused(frame):
    twice = pd.concat([frame, frame.iloc[[4]]], ignore_index=True)
    with pytest.raises(DataError, match=r"unit \d is seen twice at time \d \(rows 4 and 3\d\); 1 such"):
        panel_of(twice)


def test_single_periods_are_named_and_dropped_only_on_request(frame):
    single = frame[(frame["unit"] != 3) | (frame.index == frame.index[frame["unit"] == 3][0])]
    for transform in ("within", "fd_exact", "cre", "within_both"):
        with pytest.raises(
            DataError, match=r"1 of 8 units are seen in one period only: 3; .* singletons='drop'"
        ):
            transform_panel(panel_of(single), transform)
    kept = transform_panel(panel_of(single), "within", singletons="drop")
    assert kept.panel.unit_count == 7
    assert transform_panel(panel_of(single), "pooled").panel.unit_count == 8


def test_a_treatment_that_never_changes_is_refused(frame):
    still = frame.assign(d=frame["unit"] * 1.0)
    with pytest.raises(
        DataError, match="never varies within a unit; its effect is not identified under 'cre'"
    ):
        transform_panel(panel_of(still), "cre")
    transform_panel(panel_of(still), "pooled")


def test_other_refusals(frame):
    with pytest.raises(DataError, match="missing-values|NaN"):
        panel_of(frame.assign(x1=frame["x1"].where(frame.index != 2)))
    with pytest.raises(DataError, match="have no unit; first bad rows: 2"):
        panel_of(frame.assign(unit=frame["unit"].astype(float).where(frame.index != 2)))
    with pytest.raises(DataError, match="time_invariant 'x1': it changes within some units"):
        panel_of(frame, time_invariant=["x1"])
    with pytest.raises(DataError, match="time_invariant 'age': it is not among the covariates"):
        panel_of(frame, time_invariant=["age"])
    with pytest.raises(DataError, match="cannot be put in order"):
        mixed = frame["unit"].astype(object).where(frame.index != 2, "two")
        panel_of(frame.assign(unit=mixed))
    odd, even = (
        make_panel(units=4, periods=2, p=3, seed=0).frame,
        make_panel(units=4, periods=2, p=3, seed=1).frame,
    )
    odd, even = (
        odd.assign(time=2 * odd["time"] + 1),
        even.assign(time=2 * even["time"], unit=even["unit"] + 4),
    )
    with pytest.raises(DataError, match="no unit is seen in two neighbouring periods"):
        transform_panel(panel_of(pd.concat([odd, even])), "fd")


def test_too_large_is_refused_before_it_is_built(frame, monkeypatch):
    from suppose.effects.panel import transforms

    monkeypatch.setattr(transforms, "available_memory", lambda: 1_000)
    with pytest.raises(EstimationError, match="its features need about .* Use 'cre', which needs no column"):
        transform_panel(panel_of(frame), "dummies")
