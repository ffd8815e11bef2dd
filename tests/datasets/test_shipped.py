"""The shipped tables are the published ones, whole and explained."""

from __future__ import annotations

import gzip
import importlib.util
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from suppose.core.errors import DataError
from suppose.datasets import dataset_info, load_jobs, load_nhefs, resolve, shipped

ROOT = Path(__file__).resolve().parents[2]


def difference(frame: pd.DataFrame, treatment: str, outcome: str) -> float:
    mean = frame.groupby(treatment)[outcome].mean()
    return float(mean[1] - mean[0])


# ---- truth: figures printed in the literature


def test_experiment_is_the_published_sample() -> None:
    jobs = load_jobs()
    assert jobs["treat"].value_counts().to_dict() == {0: 260, 1: 185}
    # Dehejia and Wahba (1999), Table 1 and Table 3: means of the treated, and the benchmark of 1,794.
    treated = jobs[jobs["treat"] == 1]
    assert treated["age"].mean() == pytest.approx(25.81, abs=0.01)
    assert treated["educ"].mean() == pytest.approx(10.35, abs=0.01)
    assert treated["re74"].mean() == pytest.approx(2096, abs=1)
    assert difference(jobs, "treat", "re78") == pytest.approx(1794.3424, abs=1e-4)
    assert jobs["re78"].iloc[0] == 9930.046


def test_naive_observational_difference_to_the_dollar() -> None:
    table = load_jobs("observational")
    assert len(table) == 185 + 15_992
    assert round(difference(table, "treat", "re78")) == -8498


def test_observational_is_its_two_parts() -> None:
    experiment, controls = load_jobs("experiment"), load_jobs("cps-controls")
    assert (controls["treat"] == 0).all()
    expected = pd.concat([experiment[experiment["treat"] == 1], controls], ignore_index=True)
    pd.testing.assert_frame_equal(load_jobs("observational"), expected)


def test_nhefs_is_the_published_sample() -> None:
    complete, everyone = load_nhefs(), load_nhefs(complete=False)
    assert (len(complete), len(everyone)) == (1566, 1629)
    assert complete["wt82"].notna().all()
    # Hernan and Robins, chapter 12.2: 403 quitters gained 4.5 kg, 1163 others 2.0 kg.
    assert complete["qsmk"].value_counts().to_dict() == {0: 1163, 1: 403}
    assert difference(complete, "qsmk", "wt82_71") == pytest.approx(2.5406, abs=1e-4)
    # Table 12.1: 46% of the quitters and 53% of the others are women, mean age 46.2 and 42.8.
    means = complete.groupby("qsmk")[["sex", "age"]].mean().round({"sex": 3, "age": 1})
    assert means.to_numpy().tolist() == [[0.534, 42.8], [0.454, 46.2]]
    np.testing.assert_allclose(complete["wt82"] - complete["wt71"], complete["wt82_71"], atol=1e-9)
    assert list(complete.index) == list(range(1566))


@pytest.mark.skipif(importlib.util.find_spec("causaldata") is None, reason="causaldata is not installed")
def test_files_are_what_the_script_writes() -> None:
    pytest.importorskip("statsmodels")
    spec = importlib.util.spec_from_file_location("make_datasets", ROOT / "scripts" / "make_datasets.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for name, text in script.texts().items():
        assert gzip.decompress(resolve(name).read_bytes()) == text, name


# ---- invariance


@pytest.mark.parametrize("name", sorted(shipped()))
def test_files_agree_with_their_record(name: str) -> None:
    about = dataset_info(name)
    assert about.intact()
    table = pd.read_csv(about.path)
    assert len(table) == about.rows
    assert list(table.columns) == list(about.columns)
    assert all(about.columns.values()) and about.source and about.licence
    assert about.path.name in str((about.path.parent / "README.md").read_text(encoding="utf-8"))
    assert list(about.to_frame()["column"]) == list(about.columns)
    assert f"{about.rows:,} rows" in str(about)


@pytest.mark.parametrize("frame", ["polars", "pyarrow"])
def test_every_frame_library_gives_the_same_values(frame: str) -> None:
    expected = load_nhefs(complete=True)
    found = load_nhefs(complete=True, frame=frame)
    assert type(found).__module__.startswith(frame)
    back = found.to_pandas()
    assert list(back.columns) == list(expected.columns)
    np.testing.assert_array_equal(back.to_numpy(dtype=float), expected.to_numpy(dtype=float))


def test_two_loads_do_not_share_memory() -> None:
    first = load_jobs()
    first.loc[0, "re78"] = -1.0
    assert load_jobs()["re78"].iloc[0] == 9930.046


def test_codebook_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        dataset_info("nhefs").columns["qsmk"] = "?"  # type: ignore[index]


# ---- refusal


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: resolve("jobs/experimnt"), "data set 'jobs/experimnt'.*Did you mean 'jobs/experiment'"),
        (lambda: resolve("../../etc/passwd"), "no data set of this name is shipped; there are: jobs/exp"),
        (lambda: dataset_info("nefs"), "Did you mean 'nhefs'"),
        (lambda: load_jobs("psid"), "argument 'group': expected one of 'experiment', 'cps-controls'"),
        (lambda: load_nhefs(frame="panda"), "argument 'frame'.*got 'panda'. Did you mean 'pandas'"),
    ],
)
def test_refusals(call: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        call()  # type: ignore[operator]


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataError, match=re.escape("pip install polars")) as refusal:
        load_jobs(frame="polars")
    assert refusal.value.code == "frame-not-installed"
