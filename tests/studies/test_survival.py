"""Survival studies: truth on a known law, invariance, resuming, and the refusal of malformed studies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from suppose.core.errors import Refusal
from suppose.datasets import load_rossi, make_survival
from suppose.studies import load, loads
from suppose.studies.survival import Survival

QUIET: dict[str, Any] = {"shuffles": 0}
HEAD = (
    'question = "survival"\n[data]\nfile = "t.csv"\n[roles]\nduration = "time"\nevent = "event"\n'
    'treatment = "x"\n[checks]\nshuffles = 0\n[method]\nscale = "ph"\n'
)


def world(n: int = 800, **law: Any) -> Any:
    settings = {"lambda_": (0.0, -0.5), "gamma": (0.4,), "kappa": 0.5, "seed": 1, **law}
    return make_survival(n, **settings)


def study_of(frame: Any, **options: Any) -> Any:
    content = {"duration": "time", "event": "event", "treatment": "x", "randomised": True, "checks": QUIET,
               "method": {"scale": "ph", "compare": False}, **options}  # fmt: skip
    return Survival.from_frame(frame, **content)


def test_the_effect_is_found() -> None:
    found = world(2000)
    answer = study_of(found.frame, method={"scale": "ph", "horizon": 1.0, "times": [0.5, 1.0]}).run()
    grid = (np.arange(10_000) + 0.5) / 10_000
    H = 1.5 / 0.5 * ((1 + grid ** np.exp(0.4) / 1.5) ** 0.5 - 1)
    truth = float((np.exp(-np.exp(-0.5) * H) - np.exp(-H)).mean())
    assert abs(answer.headline.estimate - truth) < 4 * answer.headline.standard_error
    assert answer.credibility == "credible", answer.credibility_words
    assert "longer" in answer.sentence and answer.headline.name == "rmst"
    assert {f.name for f in answer.findings} >= {"rmst", "survival:0.5", "survival:1", "median", "cox"}


@pytest.mark.parametrize("measure", ["survival", "median"])
def test_other_headlines(measure: str) -> None:
    answer = study_of(world().frame, method={"scale": "aft", "measure": measure, "times": [0.7]}).run()
    assert answer.headline.name.startswith(measure)


def test_a_cured_share() -> None:
    found = world(1500, lambda_=(0.5, -0.5), kappa=-0.5, censor_rate=0.3)
    answer = study_of(found.frame, method={"scale": "ph", "measure": "cure"}).run()
    rates = np.exp(0.5 + np.array([0.0, -0.5]))
    truth = 100 * float(np.diff(np.exp(-rates * 0.5 / 0.5))[0])
    assert abs(answer.headline.estimate - truth) < 4 * answer.headline.standard_error
    assert answer.check("cure").p_value < 0.05
    assert answer.table("cure").rows and answer.figure("cure").svg


def test_automatic_choice_and_confounding() -> None:
    rng = np.random.default_rng(0)
    frame = world(1200, phi=(0.0, 0.6), gamma=(0.4, 0.4), lambda_=(0.0,)).frame
    frame["z"] = rng.normal(size=len(frame))
    answer = study_of(frame, method={}, adjust=["z"], randomised=False).run()
    assert answer.check("sensitivity").value > 1
    assert answer.check("balance").verdict == "informs"
    models = answer.table("models").to_frame().set_index("model")
    assert len(models) == 5
    assert "answer rests on" in answer.table("models").note


def test_shuffles_find_no_effect_and_jobs_do_not_change_a_bit() -> None:
    study = study_of(world(150).frame, checks={"shuffles": 4})
    one = study.run(jobs=1)
    assert one.to_json(timing=False) == study.run(jobs=2).to_json(timing=False)
    assert one.check("shuffle").verdict == "passes"


def test_every_frame_library_gives_the_same_answer_and_resuming_too(tmp_path: Any) -> None:
    frame = world(200).frame
    one = study_of(frame).run(out=tmp_path / "run")
    assert one.to_json(timing=False) == study_of(pl.from_pandas(frame)).run().to_json(timing=False)
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000
    again = study_of(frame).run(out=tmp_path / "run", resume=True)
    assert again.to_json(timing=False) == one.to_json(timing=False)


def test_words_several_arms_and_event_values() -> None:
    rossi = load_rossi()
    frame = rossi.assign(
        state=np.where(rossi["arrest"] == 1, "arrested", "free"),
        aid=np.where(rossi["fin"] == 1, "money", "none"),
    )
    study = Survival.from_frame(
        frame, duration="week", event="state", event_value="arrested", treatment="aid", reference="none",
        adjust=["prio"], checks=QUIET, method={"scale": "ph"}, event_label="arrest", time_unit="weeks",
    )  # fmt: skip
    answer = study.run()
    assert "aid = money rather than none" in answer.sentence and "weeks" in answer.sentence
    plain = study_of(
        rossi.rename(columns={"week": "time", "arrest": "event", "fin": "x"}), adjust=["prio"]
    ).run()
    assert answer.headline.estimate == pytest.approx(plain.headline.estimate, rel=1e-6)
    labelled = study_of(
        rossi.rename(columns={"week": "time", "arrest": "event", "fin": "x"}), treatment_label="aid"
    )
    assert labelled.run().sentence.startswith("With aid rather than without")
    three = frame.assign(aid=np.where(rossi["prio"] > 4, "much", frame["aid"]))
    several = Survival.from_frame(three, duration="week", event="arrest", treatment="aid", reference="none",
                                  checks=QUIET, method={"scale": "ph"}).run()  # fmt: skip
    assert {"rmst:money", "rmst:much"} <= {f.name for f in several.findings}


def test_truncation_intervals_weights_and_clusters() -> None:
    found = world(400)
    frame = found.frame.assign(
        entry=found.frame["time"] * 0.1, w=1 + np.arange(400) % 2, g=np.arange(400) // 2
    )
    assert study_of(frame, entry="entry", weights="w", cluster="g").run().headline.standard_error > 0
    grid = np.floor(frame["time"] * 20) / 20 + 1e-3
    coarse = frame.assign(
        time=np.where(frame["event"] == 1, grid, frame["time"]),
        until=np.where(frame["event"] == 1, grid + 0.05, np.nan),
    )
    answer = study_of(coarse, upper="until").run()
    assert answer.headline.estimate == pytest.approx(study_of(frame).run().headline.estimate, abs=0.02)
    assert "cox" not in {f.name for f in answer.findings}


def test_missing_values_by_policy_and_translated_formulas() -> None:
    frame = world(300).frame.assign(town=np.where(np.arange(300) % 3 == 0, "Bern", "Basel"))
    frame["z"] = [None, *np.random.default_rng(0).normal(size=299)]
    answer = study_of(
        frame, adjust=["z", "town"], data={"missing": {"z": "drop"}},
        method={"scale": "ph", "formulas": {"gamma": "town"}},
    ).run()  # fmt: skip
    assert any("1 row left out" in note for note in answer.notes)
    names = [row[0] for row in answer.table("coefficients").rows]
    assert "gamma: town=Bern" in names and "lambda: z" in names


def test_studies_round_trip(tmp_path: Any) -> None:
    world(60).frame.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "s.toml").write_text(HEAD + 'formulas = { gamma = "x" }\ntimes = [1, 0.5]\n')
    study = load(tmp_path / "s.toml", ["method.level=0.9"])
    again = loads(study.to_toml(), home=tmp_path)
    assert again.model_dump() == study.model_dump()
    assert (again.method.times, again.method.level) == ((0.5, 1.0), 0.9)


STUDIES = {
    "no roles": ('question = "survival"\n[data]\nfile = "t.csv"\n', "roles: this key is needed"),
    "misspelt key": (HEAD.replace("duration", "durration"), "Did you mean 'duration'"),
    "unknown scale": (HEAD.replace('"ph"', '"pho"'), "method.scale"),
    "kappa as text": (HEAD + 'kappa = "big"\n', "method.kappa"),
    "kappa too small": (HEAD + "kappa = -1.0\n", "kappa: expected a number above -1"),
    "unknown parameter": (HEAD + 'formulas = { gama = "x" }\n', "method.formulas"),
    "formula code": (HEAD + 'formulas = { gamma = "log(x)" }\n', r"formula 'log\(x\)': expected .* at position 4"),
    "formula column": (HEAD + 'formulas = { gamma = "z" }\n', "neither the treatment nor adjusted for"),
    "fixed parameter": (HEAD + 'formulas = { phi = "x" }\n', "phi is fixed here"),
    "negative time": (HEAD + "times = [-1]\n", "times above 0"),
    "beyond follow-up": (HEAD + "times = [1e6]\n", "nobody was followed for"),
    "no cure": (HEAD + 'measure = "cure"\n', "has no cured share"),
    "shared role": (HEAD.replace('"event"\n', '"x"\n', 1), "'x' is also the treatment"),
    "event value": (HEAD.replace('"x"', '"x"\nevent_value = 7', 1), "never has the value '7'; it has 0, 1"),
    "missing column": (HEAD.replace('"x"', '"xx"'), "roles.treatment: column 'xx'"),
    "unknown arm": (HEAD.replace('"x"', '"x"\nreference = 5', 1), "never has the value '5'"),
    "dose": (HEAD.replace('"x"', '"dose"', 1), "at most 10 treatments"),
    "constant treatment": (HEAD.replace('"x"', '"one"', 1), "same treatment"),
    "zero duration": (HEAD.replace('"time"', '"zero"'), "expected durations above 0, got 0 in row 0"),
    "missing duration": (HEAD.replace('"time"', '"gap"'), "missing values in row"),
    "no events": (HEAD.replace('"event"\n', '"none"\n', 1), "none of the 60 rows has an event"),
    "event of two": (HEAD.replace('"event"\n', '"two"\n', 1), "1 for an event and 0 for a censored row"),
    "separated": (HEAD.replace('"x"', '"never"', 1), "has an event"),
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("studies")
    frame = world(60).frame
    frame = frame.assign(
        one=1, dose=np.arange(60) / 7, zero=[0.0, *frame["time"][1:]], gap=[None, *frame["time"][1:]], none=0,
        two=frame["event"] + 1, never=1 - frame["event"],
    )  # fmt: skip
    frame.to_csv(folder / "t.csv", index=False)
    return folder


@pytest.mark.parametrize("name", STUDIES)
def test_malformed_studies_are_refused_in_words(home: Any, name: str) -> None:
    text, words = STUDIES[name]
    with pytest.raises(Refusal, match=words) as caught:
        loads(text, home=home).run()
    assert "\n" not in str(caught.value)


def test_check_reads_without_fitting(home: Any) -> None:
    assert loads(HEAD, home=home).check() == []
    (refusal,) = loads(HEAD.replace('"x"', '"one"', 1), home=home).check()
    assert refusal.code == "constant-column"


def test_a_bad_fit_is_said() -> None:
    rng = np.random.default_rng(0)
    late = np.where(rng.random(1000) < 0.5, rng.normal(1, 0.05, 1000), rng.normal(3, 0.05, 1000))
    frame = pd.DataFrame({"time": late, "event": 1, "x": np.arange(1000) % 2})
    answer = study_of(frame, method={"scale": "ph", "kappa": 1.0, "compare": False}).run()
    assert answer.check("fit").verdict == "fails"
    assert answer.credibility == "not credible" and "cannot be trusted" in answer.sentence
