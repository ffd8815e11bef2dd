"""Panel worlds keep their word, and the union wage panel is the published one."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import DataError
from suppose.datasets import dataset_info, load_union_wages, make_panel, make_staggered


def test_panel_world_is_its_equations():
    table = make_panel(units=3000, periods=4, p=4, rho=0.6, theta=0.7, noise=0.5, separable=False, seed=1)
    x, a = table.frame[["x1", "x2", "x3", "x4"]].to_numpy(), table.oracle["level"].to_numpy()
    g = np.sin(1.5 * x[:, 0]) + (x[:, 1] > 0) + 0.5 * x[:, 0] * x[:, 2] + 0.5 * a * x[:, 0] + a
    m = np.tanh(x[:, 0]) + 0.5 * x[:, 1] ** 2 + 0.5 * (x[:, 2] > 0) + 0.5 * a * x[:, 1] + a
    np.testing.assert_allclose(table.oracle["untreated"], g, atol=1e-12)
    np.testing.assert_allclose(table.oracle["index"], m, atol=1e-12)
    u = table.y - 0.7 * table.frame["d"] - g
    v = table.frame["d"] - m
    assert u.std() == pytest.approx(0.5, rel=0.03)
    assert v.std() == pytest.approx(1.0, rel=0.03)
    assert abs(np.corrcoef(u, v)[0, 1]) < 4 / np.sqrt(len(u))
    assert np.corrcoef(a, x[:, 3])[0, 1] == pytest.approx(0.6, abs=0.03)
    assert x.std() == pytest.approx(1.0, rel=0.02)


def test_autocorrelation_binary_and_missing():
    table = make_panel(
        units=2000, periods=6, p=3, rho=0, autocorrelation=0.7, binary=True, missing=0.3, seed=1
    )
    counts = table.frame.groupby("unit").size()
    assert counts.min() >= 2
    assert len(table.frame) == pytest.approx(2000 * 6 * 0.7, rel=0.03)
    assert set(table.frame["d"].unique()) == {0.0, 1.0}
    whole = make_panel(units=2000, periods=6, p=3, rho=0, autocorrelation=0.7, seed=1).frame
    x = whole["x1"].to_numpy().reshape(2000, 6)
    assert np.corrcoef(x[:, 1], x[:, 2])[0, 1] == pytest.approx(0.7, abs=0.05)


def test_staggered_world_keeps_treatment_on_and_has_the_effects_it_says():
    table = make_staggered(units=3000, noise=0.1, seed=1)
    assert (table.frame.groupby("unit")["d"].diff().dropna() >= 0).all()
    frame = table.frame.assign(start=table.oracle["start"], effect=table.oracle["effect"])
    for g in (3, 4, 5):
        for t in range(g, 7):
            rows = frame[(frame["start"] == g) & (frame["time"] == t)]
            assert rows["effect"].to_numpy() == pytest.approx(table.truth[f"ATT({g},{t})"])
    assert set(table.oracle["start"].unique()) == {0, 3, 4, 5}
    assert 0 not in make_staggered(units=100, never=False, seed=1).oracle["start"].unique()


def test_same_seed_same_bits():
    for make in (make_panel, make_staggered):
        one, other, third = make(units=20, seed=1), make(units=20, seed=1), make(units=20, seed=2)
        assert one.frame.equals(other.frame)
        assert not one.frame.equals(third.frame)
        assert str(one).startswith(make.__name__)
        assert len(one.to_frame()) == len(one.truth)


def test_union_wages_are_the_published_panel():
    wages = load_union_wages()
    assert wages.shape == (4360, 16)
    assert (wages.groupby("nr")["year"].nunique() == 8).all()
    # Vella and Verbeek (1998), Table I: means over the whole panel.
    assert wages["lwage"].mean() == pytest.approx(1.649, abs=0.001)
    assert wages["union"].mean() == pytest.approx(0.244, abs=0.001)
    assert wages["educ"].mean() == pytest.approx(11.77, abs=0.01)
    assert (wages["expersq"] == wages["exper"] ** 2).all()
    assert dataset_info("union-wages").intact()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_panel(units=1), "argument 'units'"),
        (lambda: make_panel(p=2), "at least 3 covariates, got 2"),
        (lambda: make_panel(rho=1.5), "a correlation from -1 to 1"),
        (lambda: make_panel(missing=1.0), "a share from 0"),
        (lambda: make_panel(autocorrelation=1), "between -1 and 1"),
        (lambda: make_staggered(starts=(1, 3)), "periods from 2 to 6"),
        (lambda: make_staggered(units=5), "at least 10 units"),
    ],
)
def test_senseless_worlds_are_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()
