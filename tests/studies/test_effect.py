"""Effect studies: truth on known effects, invariance, and the refusal of malformed studies and tables."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from suppose.core.errors import Refusal
from suppose.studies import load, loads
from suppose.studies.effect import Effect

QUIET = {"refute": [], "benchmarks": [], "heterogeneity": False}
HEAD = (
    'question = "effect"\n[data]\nfile = "t.csv"\n[roles]\ntreatment = "t"\noutcome = "y"\nadjust = ["x"]\n'
)


def make_frame(n=300, effect=2.0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    t = (rng.random(n) < 1 / (1 + np.exp(-x))).astype(int)
    town = np.where(rng.random(n) < 0.5, "Bern", "Basel")
    return pd.DataFrame(
        {"t": t, "x": x, "town": town, "y": effect * t + x + (town == "Bern") + rng.normal(size=n)}
    )


def study_of(frame, **options):
    content = {"treatment": "t", "outcome": "y", "adjust": ["x", "town"], "checks": QUIET, **options}
    return Effect.from_frame(frame, **content)


def test_the_effect_is_found():
    answer = study_of(make_frame(n=2000)).run()
    assert abs(answer.headline.estimate - 2.0) < 4 * answer.headline.standard_error
    assert answer.credibility == "credible"
    assert "higher" in answer.sentence


@pytest.mark.parametrize("make", [pl.from_pandas, pa.Table.from_pandas])
def test_every_frame_library_gives_the_same_answer(make):
    frame = make_frame()
    one, other = study_of(frame).run(), study_of(make(frame)).run()
    assert one.to_json(timing=False) == other.to_json(timing=False)


def test_jobs_do_not_change_a_bit():
    study = study_of(make_frame(), checks={"draws": 5})
    assert study.run(jobs=1).to_json(timing=False) == study.run(jobs=2).to_json(timing=False)


def test_the_seed_is_recorded_and_decides():
    study = study_of(make_frame())
    assert study.run(seed=3).to_json(timing=False) == study.run(seed=3).to_json(timing=False)
    assert study.run(seed=3).headline.estimate != study.run(seed=4).headline.estimate
    assert study.run(seed=3).provenance.seed == 3


def test_text_treatments_keep_their_words():
    frame = make_frame().assign(t=lambda f: np.where(f.t == 1, "new drug", "old drug"))
    answer = study_of(frame, reference="new drug").run()
    assert answer.headline.estimate < 0
    assert "old drug rather than new drug" in answer.sentence


def test_several_arms_and_doses():
    frame = make_frame().assign(t=lambda f: f.t + (f.x > 1), dose=lambda f: f.x + f.t * 0.1)
    assert len([f for f in study_of(frame).run().findings if f.name != "robustness"]) > 3
    dose = study_of(frame, treatment="dose", adjust=["town"]).run()
    assert "one unit higher" in dose.sentence


def test_the_graph_chooses_the_covariates():
    frame = make_frame()
    study = study_of(frame, adjust=None, graph="x -> t; x -> y; town -> y; t -> y; t -> m; m -> y")
    assert set(study.adjustment()) == {"x", "town"}
    with pytest.raises(Refusal, match="x|back-door|open"):
        study_of(frame, adjust=["town"], graph="x -> t; x -> y; town -> y; t -> y").run()
    with pytest.raises(Refusal, match="identif"):
        study_of(frame, adjust=None, graph="t <-> y; t -> y").run()


def test_placebo_outcome_finds_confounding():
    rng = np.random.default_rng(0)
    u = rng.normal(size=2000)
    frame = pd.DataFrame(
        {"t": (u + rng.normal(size=2000) > 0) * 1, "x": rng.normal(size=2000), "y": u, "before": u}
    )
    answer = study_of(frame, adjust=["x"], checks={**QUIET, "placebo_outcome": "before"}).run()
    assert answer.check("placebo-outcome").verdict == "fails"
    assert answer.credibility == "not credible"
    assert "cannot be trusted" in answer.sentence


def test_studies_round_trip(tmp_path):
    make_frame().to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "s.toml").write_text(HEAD + "[method]\nfolds = 3\n")
    study = load(tmp_path / "s.toml", ["method.repeats=2"])
    again = loads(study.to_toml(), home=tmp_path)
    assert again.model_dump() == study.model_dump()
    assert (again.method.folds, again.method.repeats) == (3, 2)


# -- malformed studies --------------------------------------------------------------------------

STUDIES = {
    "not toml": ("question = effect", "not TOML"),
    "no question": ("[data]\n", "says what it asks"),
    "unknown question": ('question = "efect"', "Did you mean 'effect'"),
    "question of another type": ("question = 3", "says what it asks"),
    "no roles": ('question = "effect"\n[data]\nfile = "t.csv"\n', "roles: this key is needed"),
    "no data": ('question = "effect"\n[roles]\ntreatment = "t"\noutcome = "y"\n', "data: this key is needed"),
    "misspelt key": (HEAD.replace("treatment", "treatmnt"), "Did you mean 'treatment'"),
    "misspelt section": (HEAD + "[methd]\nfolds = 3\n", "Did you mean 'method'"),
    "unknown method": (HEAD + '[method]\nname = "magic"\n', "method.name"),
    "folds of one": (HEAD + "[method]\nfolds = 1\n", "method.folds.*greater than or equal to 2"),
    "folds as text": (HEAD + '[method]\nfolds = "many"\n', "method.folds.*got 'many'"),
    "level above one": (HEAD + "[method]\nlevel = 95\n", "method.level"),
    "not a number": (HEAD + "[method]\nthreshold = nan\n", "finite"),
    "infinite": (HEAD + "[method]\nthreshold = inf\n", "finite"),
    "negative seed": (HEAD + "[run]\nseed = -1\n", "whole number from 0"),
    "two sources": (HEAD.replace('"t.csv"', '"t.csv"\nshipped = "nhefs"'), "one source"),
    "unknown shipped": (HEAD.replace('file = "t.csv"', 'shipped = "nhef"'), "Did you mean 'nhefs'"),
    "outside": (HEAD.replace("t.csv", "../t.csv"), "leads outside"),
    "absolute": (HEAD.replace("t.csv", "/etc/passwd"), "leads outside"),
    "missing file": (HEAD.replace("t.csv", "tt.csv"), "Did you mean 't.csv'"),
    "missing column": (HEAD.replace('["x"]', '["xx"]'), "roles.adjust: column 'xx'.*no such column"),
    "missing treatment": (HEAD.replace('"t"', '"treat"'), "roles.treatment: column 'treat'"),
    "repeated covariate": (HEAD.replace('["x"]', '["x", "x"]'), "listed twice"),
    "treatment adjusted": (HEAD.replace('["x"]', '["x", "t"]'), "also the treatment"),
    "outcome is treatment": (HEAD.replace('"y"', '"t"'), "also the treatment"),
    "nothing to adjust": (HEAD.replace('adjust = ["x"]\n', ""), "what to adjust for"),
    "cycle": (HEAD.replace('adjust = ["x"]', 'graph = "t -> y; y -> t"'), "cycle"),
    "node typo": (HEAD.replace('adjust = ["x"]', 'graph = "tt -> y"'), "'t'"),
    "bad policy": (HEAD.replace('"t.csv"', '"t.csv"\nmissing = "ignore"'), "data.missing"),
    "bad benchmark": (HEAD + '[checks]\nbenchmarks = ["z"]\nrefute = []\n', "not among the covariates"),
    "few draws": (HEAD + "[checks]\ndraws = 1\n", "checks.draws"),
    "unknown refutation": (HEAD + '[checks]\nrefute = ["luck"]\n', "checks.refute"),
    "unknown arm": (HEAD.replace('"t"', '"t"\nreference = 7'), "never has the value '7'"),
    "not binary": (
        HEAD.replace('"t"', '"three"\ntreatment_type = "binary"'),
        "expected a binary treatment, got 3 values",
    ),
    "dose by arms": (HEAD.replace('"t"', '"x2"') + '[method]\nname = "aipw"\n', "continuous"),
    "plr with arms": (HEAD.replace('"t"', '"three"') + '[method]\nname = "plr"\n', "two arms or a dose"),
    "constant treatment": (HEAD.replace('"t"', '"one"'), "same treatment"),
    "constant outcome": (HEAD.replace('"y"', '"one"'), "same outcome"),
    "text outcome": (HEAD.replace('"y"', '"town"'), "expected numbers, got text"),
    "missing outcome": (HEAD.replace('"y"', '"gaps"'), "missing values in row"),
    "missing covariate": (HEAD.replace('["x"]', '["gaps"]'), "State a policy"),
    "all-missing covariate": (HEAD.replace('["x"]', '["void"]'), "every value is missing"),
    "infinite covariate": (HEAD.replace('["x"]', '["wild"]'), "infinite values in row 1"),
    "identifier": (HEAD.replace('["x"]', '["id"]'), "different texts"),
    "dates": (HEAD.replace('["x"]', '["day"]'), "holds dates"),
    "date text": (HEAD.replace('["x"]', '["written"]'), "looks like dates"),
    "numbers as text": (HEAD.replace('["x"]', '["mixed"]'), "values are numbers"),
    "no spread": (HEAD.replace('"y"', '"t2"'), "does not vary within the arms"),
    "policy of no column": (
        HEAD.replace('"t.csv"', '"t.csv"\nmissing = { xx = "drop" }'),
        "data.missing: column 'xx'",
    ),
    "type of no column": (
        HEAD.replace('"t.csv"', '"t.csv"\ntypes = { towm = "category" }'),
        "Did you mean 'town'",
    ),
    "missing cluster": (
        HEAD.replace('"y"', '"y"\ncluster = "gaps"'),
        "roles.cluster: column 'gaps': missing values",
    ),
    "deep": ('question = "effect"\na = ' + "[" * 40 + "]" * 40, "nests deeper|not TOML"),
}


@pytest.fixture
def home(tmp_path):
    frame = make_frame(60)
    n = len(frame)
    frame = frame.assign(
        one=1, t2=frame.t * 2, three=np.arange(n) % 3, x2=frame.x * 2, gaps=[None, *frame.x[1:]], void=None,
        wild=[np.inf, *frame.x[1:]], id=[f"p{k}" for k in range(n)], day=pd.date_range("2020-01-01", periods=n),
        written=[f"{k % 28 + 1}.2.2020" for k in range(n)], mixed=["none", *map(str, range(n - 1))],
    )  # fmt: skip
    frame.to_csv(tmp_path / "t.csv", index=False)
    return tmp_path


@pytest.mark.parametrize("name", STUDIES)
def test_malformed_studies_are_refused_in_words(home, name):
    text, words = STUDIES[name]
    (home / "s.toml").write_text(text)
    with pytest.raises(Refusal, match=words) as caught:
        load(
            home / "s.toml",
            [] if "refute" in text else ["checks.refute=[]"] if "[checks]" not in text else [],
        ).run()
    assert "\n" not in str(caught.value)


FILES = {
    "binary.toml": (b"\xff\xfe\x00", "not UTF-8"),
    "huge.toml": (b"# " + b"x" * 1_100_000, "at most"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_studies(tmp_path, name):
    content, words = FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Refusal, match=words):
        load(tmp_path / name)


def test_studies_that_are_not_there(tmp_path):
    (tmp_path / "study.toml").write_text("")
    with pytest.raises(Refusal, match="Did you mean 'study.toml'"):
        load(tmp_path / "stduy.toml")
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(Refusal, match="not a regular file"):
        load(tmp_path / "pipe.toml")


def test_no_overlap_is_said_not_hidden():
    frame = make_frame()
    frame["t"] = (frame.x > 0).astype(int)
    answer = study_of(frame, adjust=["x"]).run()
    assert answer.check("overlap").verdict == "fails"
    assert answer.credibility == "not credible"


def test_overrides_are_checked(home):
    (home / "s.toml").write_text(HEAD)
    with pytest.raises(Refusal, match="key.key=value"):
        load(home / "s.toml", ["folds"])
    with pytest.raises(Refusal, match="a value, not a table"):
        load(home / "s.toml", ["question.x=1"])
