"""Whatever text, bytes or cells come in: a result, or one refusal in words. Never a crash, never a hang.

Each case below names what is fed and what is done with it. The quick tier tries a few dozen examples of each, the
slow tier thousands (``make test-slow``). Examples are drawn from valid material damaged at random as often as from
nothing, since pure noise is refused at the door.
"""

from __future__ import annotations

import json
import os
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppose.core.columns import encode
from suppose.core.errors import Refusal
from suppose.core.run import ANSWER, JOURNAL, RunFolder
from suppose.core.study import load_answer
from suppose.core.tables import frame_of, path_inside, read_table
from suppose.graphs import DAG
from suppose.studies import loads
from suppose.studies.effect import Effect

QUICK, MANY = 60, int(os.environ.get("SUPPOSE_FUZZ", "3000"))
SECONDS, SLOW_SECONDS = 10, 90  # longest time one text, or one whole study, may take on a busy machine

STUDY = """question = "effect"
title = "A"
[data]
file = "t.csv"
missing = { x = "median", "town x" = "drop" }
types = { x = "number" }
[roles]
treatment = "t"
outcome = "y"
adjust = ["x", "town x"]
reference = 0
[method]
name = "aipw"
folds = 3
level = 0.9
[checks]
refute = ["subset"]
[run]
seed = 1
"""
GRAPH = '"log wage" <- {age educ} -> t; t -> y; a <-> b\nx -> y # why\n'
DAGITTY = 'dag { age [pos="0,1"] t [exposure] y [outcome] u [latent] age -> {t y} t -> y u <-> y }'
DOT = 'digraph g { rankdir=LR; age -> t [label="x"]; t -> y -> z; subgraph s { a; b }; a -> b }'
TABLE = 't,x,town x,y\n0,1.5,Bern,2\n1,,Basel,3\n1,nan,"a ""b""",4\n0,1e3,Bern,-1\n'
PIECES = [
    *'=[]{}"\'\n,.;#\0\ufeffé\u202e🜁\\', "->", "<->", "nan", "inf", "0", "-1", "1e999", "true", "[[a]]", "[data]",
    "file", "../t.csv", '"""', "/*", "--", " " * 50,
]  # fmt: skip


@st.composite
def damaged(draw, whole):
    """A valid text with pieces cut out, doubled, and put in."""
    text = whole
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        to = min(len(text), at + draw(st.integers(0, 12)))
        text = text[:at] + draw(st.sampled_from([*PIECES, "", text[at:to] * 2])) + text[to:]
    return text


def texts(whole):
    return st.one_of(damaged(whole), damaged(whole), st.text(max_size=80))


values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
        st.sampled_from(["t", "y", "x", "effect", "aipw", "ATE", "linear", "t.csv", "drop", "a -> b", 0, 1, 2, 0.5]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip
SECTIONS = {"data": "data", "roles": "roles", "method": "method", "checks": "checks", "run": "run_options"}
KEYS = {name: tuple(Effect.model_fields[field].annotation.model_fields) for name, field in SECTIONS.items()}


@st.composite
def contents(draw):
    """A study of known keys, some of them with values of any kind."""
    content = {"question": "effect", "data": {"file": "t.csv"}, "roles": {"treatment": "t", "outcome": "y"}}
    for _ in range(draw(st.integers(1, 4))):
        section = draw(st.sampled_from([*KEYS, "title", "question", draw(st.text(max_size=5))]))
        if section in KEYS and isinstance(content.get(section, {}), dict):
            key = draw(st.sampled_from([*KEYS[section], draw(st.text(max_size=5))]))
            content[section] = {**content.get(section, {}), key: draw(values)}
        else:
            content[section] = draw(values)
    return content


cells = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.integers(), st.floats(), st.text(max_size=5),
    st.dates(), st.datetimes(), st.sampled_from(["1", "2.5", "2020-01-01", "1.2.2020", "NA", "", "nan", "inf"]),
    st.binary(max_size=3), st.decimals(allow_nan=False, places=2), st.timedeltas(),
)  # fmt: skip


@st.composite
def columns(draw):
    """A column of one kind of cell or of several, and how it is declared."""
    kind = draw(
        st.sampled_from(
            [cells, st.floats(), st.text(max_size=4), st.integers(0, 3), st.none(), st.datetimes()]
        )
    )
    cell = draw(st.lists(kind, min_size=1, max_size=12))
    missing = draw(st.sampled_from(["refuse", "drop", "mean", "median", "most-frequent", "indicator"]))
    return cell, missing, draw(st.sampled_from([None, "number", "category", "date"]))


@st.composite
def small_tables(draw):
    """A table of a few dozen rows whose columns are as bad as tables are."""
    n, seed = draw(st.integers(4, 40)), draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    treatment = draw(st.sampled_from([
        rng.integers(0, 2, n), rng.integers(0, 3, n), rng.normal(size=n), np.r_[1, np.zeros(n - 1)],
        np.where(rng.random(n) < 0.5, "new", "old"), np.arange(n) % 2 == 0,
    ]))  # fmt: skip
    x = rng.normal(size=n)
    covariate = draw(st.sampled_from([
        x, np.where(x > 0, "a", "b"), x * 1e300, np.ones(n), x * 1e-300, np.where(rng.random(n) < 0.3, np.nan, x),
        (treatment == treatment[0]) * 1.0,
    ]))  # fmt: skip
    outcome = draw(
        st.sampled_from([x, (x > 0) * 1.0, x * 1e200, np.r_[1.0, np.zeros(n - 1)], np.arange(n) * 1.0])
    )
    frame = pd.DataFrame(
        {"t": treatment, "x": covariate, "z": rng.normal(size=n), "y": outcome, "c": np.arange(n) // 4}
    )
    options = {
        "adjust": draw(st.sampled_from([["x"], ["x", "z"], []])),
        "method": {"name": draw(st.sampled_from(["auto", "plr", "ipw", "g-computation", "difference"])),
                   "estimand": draw(st.sampled_from(["ATE", "ATT", "ATO"])),
                   "overlap_rule": draw(st.sampled_from(["clip", "drop"])), "folds": draw(st.sampled_from([2, 3, 5])),
                   "learner": draw(st.sampled_from(["linear", "linear", "lasso"]))},
        "checks": {"refute": draw(st.sampled_from([[], ["subset"], ["placebo-treatment"]])), "draws": 5},
        "data": {"missing": {"x": draw(st.sampled_from(["drop", "median", "indicator"]))}},
    }  # fmt: skip
    if draw(st.booleans()):
        options["cluster"] = "c"
    return frame, options


# -- what is done with them ----------------------------------------------------------------------


def refused_or_done(act):
    """Run ``act``; a refusal has to be one printable line with a code."""
    try:
        return act()
    except Refusal as refusal:
        assert refusal.code
        assert "\n" not in str(refusal)
        return None


def check_study(text, home):
    study = refused_or_done(lambda: loads(text, home=home))
    if study is not None:
        refused_or_done(study.check)
        again = loads(study.to_toml(), home=home)
        assert again.to_toml() == study.to_toml()


def check_content(content, home):
    study = refused_or_done(lambda: Effect.from_dict(content, home=home))
    if study is not None:
        refused_or_done(study.read)


def check_override(text, home):
    refused_or_done(lambda: loads(STUDY, [text], home=home))


def check_graph(read):
    def check(text, home):
        dag = refused_or_done(lambda: read(text))
        if dag is not None:
            assert DAG.parse(dag.text) == dag.replace(treatment=[], outcome=[], latent=[], adjusted=[])

    return check


def check_bytes(name):
    def check(data, home):
        path = home / name
        path.write_bytes(data)
        refused_or_done(lambda: read_table(path))
        refused_or_done(lambda: read_table(path, columns=["t", "y"], encoding="latin-1"))

    return check


def check_column(case, home):
    cell, missing, declared = case
    try:
        frame = frame_of(pd.DataFrame({"x": pd.Series(cell)}))
    except (Refusal, OverflowError):  # pandas itself cannot hold every integer
        return
    encoded = refused_or_done(
        lambda: encode(frame, ["x"], missing=missing, types={"x": declared} if declared else None)
    )
    if encoded is not None:
        assert np.isfinite(encoded[0].matrix).all()


def check_path(text, home):
    path = refused_or_done(lambda: path_inside(text, home))
    assert path is None or path.is_relative_to(home)


def check_answer(text, home):
    (home / ANSWER).write_text(text, encoding="utf-8", errors="surrogatepass")
    refused_or_done(lambda: load_answer(home))


def check_journal(data, home):
    folder = home / "run"
    folder.mkdir(exist_ok=True)
    (folder / JOURNAL).write_bytes(data)

    def resumed():
        with RunFolder(folder, "key").open("", resume=True) as run:
            assert run.step("fit", lambda: {"x": 1})["x"] == 1

    refused_or_done(resumed)


def check_effect(case, home):
    frame, options = case
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", RuntimeWarning
        )  # the smallest numbers underflow; an answer has to come out
        answer = refused_or_done(
            lambda: Effect.from_frame(frame, treatment="t", outcome="y", **options).run()
        )
    if answer is not None:
        json.loads(answer.to_json())
        assert answer.sentence.endswith((".", "?"))


PARQUET = b"PAR1" + bytes(40) + b"PAR1"
EVENTS = b'{"event": "started", "key": "key"}\n{"event": "step", "step": "fit", "sha256": "0"}\n'


def mutated(data):
    return st.one_of(
        st.binary(max_size=60),
        st.tuples(st.integers(0, len(data)), st.binary(max_size=6), st.integers(0, 9)).map(
            lambda cut: data[: cut[0]] + cut[1] + data[cut[0] + cut[2] :]
        ),
    )


CASES = {
    "study text": (texts(STUDY), check_study, 1.0),
    "study content": (contents(), check_content, 1.0),
    "override": (texts("method.folds=[3, 'x']"), check_override, 0.5),
    "graph text": (texts(GRAPH), check_graph(DAG.parse), 1.0),
    "dagitty text": (texts(DAGITTY), check_graph(DAG.from_dagitty), 1.0),
    "dot text": (texts(DOT), check_graph(DAG.from_dot), 1.0),
    "csv text": (
        texts(TABLE).map(lambda text: text.encode("utf-8", "surrogatepass")),
        check_bytes("t.csv"),
        1.0,
    ),
    "csv bytes": (mutated(TABLE.encode()), check_bytes("t.tsv"), 0.5),
    "parquet bytes": (mutated(PARQUET), check_bytes("t.parquet"), 0.3),
    "feather bytes": (mutated(b"ARROW1" + bytes(40) + b"ARROW1"), check_bytes("t.feather"), 0.3),
    "json lines": (mutated(b'{"t": 1, "x": "a"}\n{"t": 2, "x": null}\n'), check_bytes("t.jsonl"), 0.5),
    "column": (columns(), check_column, 1.0),
    "path": (texts("a/../t.csv"), check_path, 0.5),
    "answer": (texts('{"schema": "suppose.answer/1", "question": "effect"}'), check_answer, 0.3),
    "journal": (mutated(EVENTS), check_journal, 0.2),
    "effect of a small table": (small_tables(), check_effect, 0.04),
}


def fuzz(name, examples, home):
    cases, check, share = CASES[name]
    seconds = SLOW_SECONDS if name.startswith("effect") else SECONDS
    (home / "t.csv").write_text(TABLE)

    @settings(
        max_examples=max(int(share * examples), 5), deadline=1000 * seconds, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(cases)
    def every(case):
        check(case, home)

    every()


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("effect")])
def test_a_few_dozen(name, tmp_path):
    fuzz(name, QUICK, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_thousands(name, tmp_path):
    fuzz(name, MANY, tmp_path)
