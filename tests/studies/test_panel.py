"""Panel studies: truth, the method chosen, every check, invariance, resumption, and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from suppose.core.errors import Refusal
from suppose.datasets import make_panel, make_staggered
from suppose.studies import load, loads
from suppose.studies.panel import Panel

QUICK = {"learner": "linear", "repeats": 1, "folds": 3, "compare": ["pooled", "fd_exact"]}
COLUMNS = {"treatment": "d", "outcome": "y", "unit": "unit", "time": "time"}
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "union_wages.toml"


def study_of(frame, **options):
    adjust = [name for name in frame.columns if name.startswith("x")]
    content = {**COLUMNS, "adjust": adjust, **options}
    content["method"] = QUICK | options.get("method", {})
    return Panel.from_frame(frame, **content)


@pytest.fixture(scope="module")
def frame():
    return make_panel(units=150, periods=6, p=3, form="linear", seed=2).frame


@pytest.fixture(scope="module")
def staggered():
    return make_staggered(units=300, seed=1).frame


def test_the_effect_is_found_and_believed(frame):
    answer = study_of(frame, outcome_unit="points", unit_label="firm").run()
    assert abs(answer.headline.estimate - 0.5) < 4 * answer.headline.standard_error
    assert answer.credibility == "credible"
    assert "the same firm's y would be 0.5" in answer.sentence
    names = {check.name for check in answer.checks}
    assert names == {"levels", "variation", "size", "agreement", "row-folds", "future-treatment", "mundlak"}
    assert len(answer.table("ways").rows) == 7
    assert answer.finding("pooled").estimate > answer.headline.estimate + 0.1
    assert all(check.cannot_show for check in answer.checks)


def test_levels_left_are_found():
    frame = make_panel(units=150, periods=6, p=3, rho=0, form="linear", seed=1).frame
    answer = study_of(frame, method={"name": "pooled"}).run()
    assert answer.check("levels").verdict == "fails"
    assert answer.credibility == "not credible"
    assert answer.sentence.startswith("The comparison cannot be trusted")


def test_an_outcome_that_steers_the_treatment_is_found():
    rng = np.random.default_rng(0)
    frame = make_panel(units=300, periods=6, p=3, form="linear", seed=2).frame
    before = frame.groupby("unit")["y"].shift(1).fillna(0.0)
    frame["d"] = frame["d"] + before
    frame["y"] = frame["y"] + 0.5 * before + 0.0 * rng.normal(size=len(frame))
    assert study_of(frame).run().check("future-treatment").verdict in ("warns", "fails")


def test_auto_tells_staggered_from_the_rest(frame, staggered):
    answer = study_of(staggered).run()
    assert "difference-in-differences" in answer.headline.method
    assert {check.name for check in answer.checks} == {"pre-trends", "sizes", "spread", "controls"}
    assert {table.name for table in answer.tables} == {"event", "group", "calendar", "cells"}
    assert answer.headline.low < 1.85 < answer.headline.high
    assert "cre" in study_of(frame).run().headline.method
    forced = study_of(staggered, method={"name": "cre"}).run()
    assert "panel double machine learning" in forced.headline.method


def test_trends_that_are_not_parallel_are_found():
    steep = make_staggered(units=2000, trend=1.0, seed=1).frame
    answer = study_of(steep, adjust=[]).run()
    assert answer.check("pre-trends").verdict == "fails"
    assert answer.credibility == "not credible"


def test_jobs_do_not_change_a_bit(frame):
    small = frame[frame["unit"] < 40]
    study = study_of(small, method={"learner": "boosting", "compare": []}, checks={"row_folds": False})
    assert study.run(jobs=1).to_json(timing=False) == study.run(jobs=2).to_json(timing=False)


def test_runs_are_stored_and_read_back(frame, tmp_path):
    study = study_of(frame)
    first = study.run(tmp_path / "run")
    again = study.run(tmp_path / "run", resume=True)
    assert first.to_json() == again.to_json()
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000
    assert study.run().to_json(timing=False) == first.to_json(timing=False)


def test_example_is_a_study():
    study = load(EXAMPLE)
    assert study.check() == []
    assert loads(study.to_toml()).model_dump() == study.model_dump()


@pytest.mark.slow
def test_statement_6_union_premium():
    answer = load(EXAMPLE).run()
    assert 0.05 <= answer.headline.estimate <= 0.12
    assert answer.headline.estimate < answer.finding("pooled").estimate / 2
    assert answer.finding("linear fe").estimate == pytest.approx(0.080, abs=0.002)


# ---- refusals: before any work


def broken(frame, change):
    return change(frame.copy())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f[(f["unit"] != 3) | (f["time"] == 0)], "1 of 150 units are seen in one period only: 3"),
        (lambda f: f.assign(d=f["unit"] * 1.0), "never varies within a unit"),
        (lambda f: f.assign(time=f["time"] // 2), "unit 0 is seen twice at time 0"),
        (lambda f: f[f["unit"] < 2], "got 2 units for 3 folds"),
        (
            lambda f: f.assign(y=f["y"].where(f["time"] > 0)),
            "roles.outcome: column 'y': missing values in rows 1",
        ),
        (
            lambda f: f.assign(unit=f["unit"].astype(float).where(f.index > 0)),
            "roles.unit: column 'unit': missing",
        ),
        (lambda f: f.assign(d="a lot"), "roles.treatment: column 'd': expected numbers, got text"),
        (lambda f: f.assign(time=0, unit=range(len(f))), "every row has the same time"),
    ],
)
def test_tables_are_refused(frame, change, message):
    study = study_of(change(frame.copy()))
    problems = study.check()
    assert len(problems) == 1
    with pytest.raises(Refusal, match=message):
        study.run()


def test_studies_are_refused(frame, staggered):
    with pytest.raises(Refusal, match="'time' is also the time"):
        study_of(frame, adjust=["x1", "time"]).run()
    with pytest.raises(Refusal, match="'x1' is listed twice"):
        study_of(frame, adjust=["x1", "x1"])
    with pytest.raises(Refusal, match="Did you mean 'learner'"):
        study_of(frame, method={"lerner": "linear"})
    with pytest.raises(Refusal, match="no such column"):
        study_of(frame, adjust=["x9"]).run()
    with pytest.raises(Refusal, match="expected a treatment of 0 and 1"):
        study_of(frame, method={"name": "staggered"}).run()


def test_singletons_and_missing_rows_are_dropped_on_request(frame):
    single = frame[(frame["unit"] != 3) | (frame["time"] == 0)]
    assert study_of(single, method={"singletons": "drop"}).run().headline.n == 149 * 6
    holes = frame.assign(y=frame["y"].where(frame.index % 7 > 0))
    answer = study_of(holes, data={"missing": {"y": "drop"}}).run()
    assert any("rows left out" in note for note in answer.notes)
