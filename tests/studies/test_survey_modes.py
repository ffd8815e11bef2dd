"""Survey studies: the way the graph asks for, truth, every check, resumption, examples, and refusals."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from suppose.core.errors import Refusal, SupposeWarning
from suppose.studies import load, loads
from suppose.studies.survey import Survey
from suppose.worlds.survey import SCENARIOS, closed_form, simulate, simulate_binary

ROOT = Path(__file__).resolve().parents[2]
LABELLERS = ROOT / "examples" / "two_labellers.toml"
POLLS = ROOT / "examples" / "brexit_polls.toml"


def study_of(scenario: str, n: int = 4000, *, seed: int = 1, world=None, **options) -> Survey:
    """Study of a simulated survey under its own graph."""
    survey = simulate(scenario, n, seed=seed, **(world or {}))
    named = {"outcome": "Y*", "mode": "M", "exposure": "X*", "graph": SCENARIOS[scenario].text, **options}
    return Survey.from_frame(survey.frame, **{"method": {"imputations": 2}, **named})


def near(finding, value: float) -> bool:
    return abs(finding.estimate - value) < 4.5 * finding.standard_error


# ---- the way the graph asks for


@pytest.mark.parametrize(
    ("scenario", "way", "held", "words"),
    [
        ("S1", "naive", (), "Leave the mode out."),
        ("S2", "naive", (), "Leave the mode out."),
        ("S3", "conditional", (), "Hold the mode fixed."),
        ("S4", "conditional", (), "Hold the mode fixed."),
        ("S7", "conditional", ("C",), "Hold the mode fixed, with C held fixed."),
        ("S6", "conditional", ("U",), "Hold the mode fixed, with U held fixed."),
    ],
)
def test_the_graph_chooses_and_the_slope_is_the_truth(scenario, way, held, words):
    study = study_of(scenario)
    assert study.read().content.plan.covariates == held
    answer = study.run()
    assert answer.headline.name == way
    assert near(answer.headline, 0.3)
    assert answer.sentence.startswith(words)
    assert answer.check("graph").verdict == "passes"
    assert answer.credibility == "credible", answer.credibility_words
    assert all(check.cannot_show for check in answer.checks)


def test_a_hidden_cause_leaves_no_safe_set():
    survey = simulate("S6", 4000, seed=1)
    text = SCENARIOS["S6"].text
    study = Survey.from_frame(
        survey.frame.drop(columns="U"), outcome="Y*", mode="M", exposure="X*", method={"imputations": 0},
        graph={"text": text, "latent": ["U"]},
    )  # fmt: skip
    answer = study.run()
    assert answer.check("graph").verdict == "fails"
    assert answer.sentence.startswith(
        "The slope cannot be trusted as an effect. Neither leaving the mode out"
    )
    assert {row[1] for row in answer.table("sets").rows} == {"unsafe"}


def test_a_graph_of_dagitty_reads_the_same():
    marks = "X [exposure] Y [outcome] U [latent]"
    text = f'dag {{ {marks} X -> Y X -> "X*" Y -> "Y*" M -> "X*" M -> "Y*" X -> M U -> M U -> Y }}'
    frame = simulate("S6", 1000, seed=1).frame.drop(columns="U")
    named = {"outcome": "Y*", "mode": "M", "exposure": "X*", "method": {"imputations": 0}}
    first = Survey.from_frame(frame, graph=text, **named).run()
    second = Survey.from_frame(frame, graph={"text": SCENARIOS["S6"].text, "latent": ["U"]}, **named).run()
    assert first.sentence == second.sentence
    assert first.check("graph") == second.check("graph")


def test_beliefs_take_over_where_no_set_is_safe():
    beliefs = {"delta_X": "normal(0.5, 0.05)", "delta_Y": "normal(0.5, 0.05)", "draws": 2000}
    answer = study_of("S5", 20_000, bias=beliefs).run()
    assert answer.headline.name == "bias"
    assert answer.headline.low < 0.3 < answer.headline.high
    assert abs(answer.headline.estimate - 0.3) < 0.03
    assert near(answer.finding("naive"), closed_form("S5"))
    assert near(answer.finding("conditional"), closed_form("S5", ("M",)))
    assert answer.check("graph").verdict == "passes"
    assert {"ways", "tipping", "split", "beliefs", "graph"} == {figure.name for figure in answer.figures}


def test_beliefs_do_not_displace_a_safe_set():
    answer = study_of("S3", bias={"delta_X": "normal(0.5, 0.3)", "delta_Y": 0.5, "draws": 500}).run()
    assert answer.headline.name == "conditional"
    assert answer.check("beliefs").verdict in ("passes", "warns")
    doubtful = study_of("S3", bias={"delta_Y": "normal(0, 9)", "draws": 500}).run()
    assert doubtful.check("beliefs").verdict == "warns"


def test_beliefs_of_one_answer_do_not_undo_the_other():
    answer = study_of("S5", bias={"delta_Y": 0.5, "draws": 200}).run()
    assert answer.check("graph").verdict == "fails"
    assert "X* <- M <- Y -> Y*" in answer.check("graph").words


def test_an_outcome_that_selects_the_mode_keeps_the_test_alone():
    answer = study_of("S8").run()
    assert answer.headline.name == "conditional"
    assert answer.check("graph").verdict == "warns"
    assert answer.sentence.startswith("Holding the mode fixed keeps a test of no effect")
    nothing = study_of("S8", world={"beta": 0.0}).run()
    assert nothing.headline.low < 0 < nothing.headline.high


def test_conditioning_on_an_effect_of_the_outcome_warns_with_the_path():
    study = study_of("S5", method={"way": "conditional", "imputations": 0})
    with pytest.warns(SupposeWarning, match="M is an effect of Y. Conditioning on it opens"):
        answer = study.run()
    assert answer.check("graph").verdict == "fails"
    assert any("X* <- X -> M <- Y -> Y*" in note for note in answer.notes)


def test_without_a_graph_nothing_is_called_credible():
    answer = study_of("S5", graph=None).run()
    assert answer.credibility == "doubtful"
    assert "no graph was given" in answer.sentence
    assert answer.check("graph").verdict == answer.check("two-sides").verdict == "warns"
    assert study_of("S3", graph=None).run().check("two-sides").verdict == "informs"


def test_a_graph_that_calls_both_safe_is_doubted_where_they_differ():
    answer = study_of("S5", graph="X -> Y; X -> X*; Y -> Y*; M").run()
    assert answer.check("two-sides").verdict == "warns"
    assert "it cannot be right" in answer.check("two-sides").words


@pytest.mark.parametrize("way", ["naive", "conditional", "stratified", "imputed", "weighted"])
def test_every_way_can_be_asked_for(way):
    answer = study_of("S7", method={"way": way, "imputations": 3}).run()
    assert answer.headline.name == way
    assert answer.check("graph").verdict == ("fails" if way == "naive" else "passes")


def test_covariates_listed_are_the_ones_held_fixed():
    study = study_of("S7", covariates=[])
    assert study.read().content.plan.verdict.verdict == "unsafe"
    assert study_of("S7", covariates=["C"]).run().headline.name == "conditional"


# ---- checks


def test_a_graph_the_table_contradicts_is_found():
    survey = simulate("S7", 4000, seed=1)
    wrong = "X -> Y; X -> X*; Y -> Y*; M -> {X* Y*}; C -> Y"  # C drives the mode and X as well
    named = {"outcome": "Y*", "mode": "M", "exposure": "X*", "method": {"imputations": 0}}
    answer = Survey.from_frame(survey.frame, graph=wrong, covariates=["C"], **named).run()
    assert answer.check("implications").verdict == "fails"
    right = Survey.from_frame(survey.frame, graph=SCENARIOS["S7"].text, **named).run()
    assert right.check("implications").verdict in ("passes", "informs")


def test_slopes_that_differ_by_mode_are_found():
    frame = simulate("S3", 4000, seed=1).frame
    frame["Y*"] += 0.5 * frame["M"] * frame["X*"]
    answer = Survey.from_frame(
        frame, outcome="Y*", mode="M", exposure="X*", graph=SCENARIOS["S3"].text, method={"imputations": 0}
    ).run()
    assert answer.check("slopes-by-mode").verdict == "warns"


def test_the_offer_tells_mode_effect_from_selection():
    answer = study_of(
        "S10", 40_000, offer="R", world={"a_r": 2.0}, bias={"delta_X": 0.5, "delta_Y": 0.5}
    ).run()
    assert near(answer.finding("offer"), 0.5)
    assert not near(answer.finding("contrast:1"), 0.5)
    assert answer.check("offer").verdict == "passes"
    assert answer.headline.name == "bias"


def test_an_offer_can_stand_in_for_beliefs():
    study = study_of(
        "S10", 40_000, offer="R", world={"a_r": 2.0}, bias={"delta_X": "offered", "delta_Y": "offered"}
    )
    answer = study.run()
    assert answer.headline.name == "bias"
    assert answer.headline.low < 0.3 < answer.headline.high
    assert answer.headline.high - answer.headline.low < 0.1
    assert answer.credibility == "credible"


def test_a_shift_small_enough_to_matter_is_found():
    method = {"imputations": 0, "way": "naive"}
    weak = study_of("S4", 2000, world={"beta": -0.05}, graph=None, method=method).run()
    assert weak.check("tipping").verdict == "warns"
    assert study_of("S4", 2000, graph=None, method=method).run().check("tipping").verdict == "passes"


def test_yes_or_no_answers_by_rates():
    survey = simulate_binary(20_000, seed=1)
    rates = {
        f"{answer}_{rate}_{mode}": value
        for answer in ("exposure", "outcome")
        for rate, mode, value in (
            ("sensitivity", "reference", 0.95), ("specificity", "reference", 0.95),
            ("sensitivity", "other", 0.8), ("specificity", "other", 0.9),
        )
    }  # fmt: skip
    graph = "X -> Y; X -> X*; Y -> Y*; M -> {X* Y*}; {X Y} -> M"
    study = Survey.from_frame(
        survey.frame, outcome="Y*", mode="M", exposure="X*", graph=graph, rates=rates,
        method={"model": "logistic", "imputations": 0},
    )  # fmt: skip
    answer = study.run()
    assert answer.to_json(timing=False) == study.run().to_json(timing=False)
    assert answer.headline.name == "rates"
    assert answer.headline.low < 0.7 < answer.headline.high
    assert answer.finding("rates-recorded").estimate < 0.55
    assert answer.check("rates").verdict == "passes"
    assert "log odds ratio" in answer.sentence


# ---- means of modes, known totals


def test_statement_5_polls_against_the_vote():
    answer = load(POLLS).run()
    assert round(answer.finding("plain:Telephone").estimate, 4) == 0.0746
    assert round(answer.headline.estimate, 3) == 0.079
    rows = {row[0]: row for row in answer.table("calibration").rows}
    assert all(row[-1] == pytest.approx(-0.038, abs=1e-12) for row in rows.values())
    assert answer.finding("shift:Telephone").estimate - answer.finding(
        "shift:Online"
    ).estimate == pytest.approx(answer.finding("plain:Telephone").estimate, abs=1e-12)
    assert "Online is 0.0334 too high and Telephone is 0.108 too high" in answer.sentence
    assert answer.credibility == "doubtful"
    assert answer.check("reference").verdict == "warns"


@pytest.mark.parametrize(("scenario", "verdict"), [("S3", "passes"), ("S7", "passes"), ("S5", "fails")])
def test_a_difference_of_means_is_the_mode_effect_where_the_graph_says_so(scenario, verdict):
    answer = study_of(scenario, exposure=None).run()
    assert answer.check("graph").verdict == verdict
    assert near(answer.headline, 0.5) is (verdict == "passes")
    assert answer.check("graph").words.endswith(".")
    assert answer.sentence.startswith("Y* by M = 1 lies")


def test_a_shift_can_come_from_the_known_total():
    study = study_of(
        "S3", 20_000, calibration={"total": 0.2}, bias={"delta_Y": "calibrated", "delta_X": 0.5, "draws": 500},
        method={"way": "bias", "imputations": 0},
    )  # fmt: skip
    answer = study.run()
    assert abs(answer.headline.estimate - 0.3) < 0.03
    assert answer.finding("shift:1").estimate == pytest.approx(0.3, abs=0.05)
    assert (
        "outcome normal(0.5" in answer.finding("bias").method
        or "outcome normal(0.4" in answer.finding("bias").method
    )


def test_spreads_that_differ_are_found():
    frame = simulate("S3", 2000, seed=1).frame
    frame.loc[frame["M"] == 1, "Y*"] *= 2
    answer = Survey.from_frame(frame, outcome="Y*", mode="M").run()
    assert answer.check("shift-alone").verdict == "warns"


# ---- invariance


def test_order_of_rows_and_names_of_modes_do_not_matter():
    frame = simulate("S7", 1500, seed=1).frame
    named = {
        "outcome": "Y*",
        "mode": "M",
        "exposure": "X*",
        "graph": SCENARIOS["S7"].text,
        "method": {"imputations": 0},
    }
    first = Survey.from_frame(frame, **named).run()
    other = frame.sample(frac=1, random_state=0).assign(M=lambda f: np.where(f["M"] == 1, "web", "phone"))
    second = Survey.from_frame(other, reference="phone", **named).run()
    assert first.headline.estimate == pytest.approx(second.headline.estimate, rel=1e-10)
    assert first.headline.standard_error == pytest.approx(second.headline.standard_error, rel=1e-8)


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_any_frame_gives_the_same_answer(kind):
    frame = simulate("S3", 500, seed=1).frame
    given = frame
    if kind == "polars":
        given = pytest.importorskip("polars").from_pandas(frame)
    if kind == "pyarrow":
        given = pytest.importorskip("pyarrow").Table.from_pandas(frame)
    answers = [
        Survey.from_frame(f, outcome="Y*", mode="M", exposure="X*", method={"imputations": 2}).run()
        for f in (frame, given)
    ]
    assert answers[0].to_json(timing=False) == answers[1].to_json(timing=False)


def test_runs_are_stored_resumed_and_read_back(tmp_path):
    study = study_of("S5", 800, bias={"delta_X": 0.5, "delta_Y": "normal(0.5, 0.1)", "draws": 200})
    first = study.run(tmp_path / "run")
    assert first.to_json() == study.run(tmp_path / "run", resume=True).to_json()
    assert study.run().to_json(timing=False) == first.to_json(timing=False)
    (tmp_path / "run" / "answer.json").unlink()
    again = study.run(tmp_path / "run", resume=True)
    assert again.to_json(timing=False) == first.to_json(timing=False)
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000


def test_jobs_do_not_change_a_bit():
    study = study_of("S5", 800, bias={"delta_X": 0.5, "delta_Y": 0.5, "draws": 200})
    assert study.run(jobs=1).to_json(timing=False) == study.run(jobs=2).to_json(timing=False)


@pytest.mark.parametrize("path", [LABELLERS, POLLS])
def test_examples_are_studies(path):
    study = load(path)
    assert study.check() == []
    assert loads(study.to_toml(), home=path.parent).model_dump() == study.model_dump()


def test_the_labellers_find_the_truth_they_were_made_with():
    answer = load(LABELLERS).run()
    assert answer.headline.name == "bias"
    assert answer.headline.low < 0.3 < answer.headline.high
    assert answer.finding("conditional").high < 0.1


def test_the_table_of_labellers_is_what_its_script_writes():
    script = ROOT / "scripts" / "make_example_tables.py"
    code = f"import runpy, sys; sys.stdout.write(runpy.run_path({str(script)!r})['labellers']())"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert made == (ROOT / "examples" / "two_labellers.csv").read_text(encoding="utf-8")


# ---- refusals: before any work


GRAPH = SCENARIOS["S5"].text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"graph": GRAPH + "; age -> X; town -> Y"},
            "no column for 'age', 'town'.*latent = .\"age\", \"town\".",
        ),
        ({"graph": GRAPH + "; Y -> X"}, "cycle"),
        ({"graph": "X -> Y; X -> X*; Y -> Y*"}, "roles.mode: the graph has no node 'M'"),
        ({"graph": "M -> Y*; Y -> Y*"}, "roles.exposure: the graph has no node 'X"),
        ({"covariates": ["age"]}, "roles.covariates"),
        ({"covariates": ["M"]}, "'M' is also the mode"),
        ({"covariates": ["C", "C"]}, "'C' is listed twice"),
        ({"reference": "phone"}, "expected one of the modes 0, 1, got 'phone'"),
        ({"method": {"way": "bias"}}, r"way = 'bias' needs a section \[bias\]"),
        ({"bias": {"delta_Y": "calibrated"}}, r"needs a section \[calibration\]"),
        ({"bias": {"delta_X": "offered"}}, 'delta_X = "offered" needs the column of an offer'),
        ({"bias": {"delta_X": "calibrated"}}, "expected a number or one of normal"),
        ({"bias": {"delta_Y": "normal(0.3)"}}, "normal needs 2 finite numbers"),
        ({"bias": {}}, "needs to know what is believed"),
        ({"rates": {}}, "states no rate"),
        (
            {"rates": {"outcome_sensitivity_other": 0.4, "outcome_specificity_other": 0.5}},
            "must add up to more than 1",
        ),
        ({"exposure": None, "bias": {"delta_Y": 0.5}}, "no exposure is named"),
        ({"method": {"model": "logistic"}}, "expected answers of 0 and 1 alone"),
        ({"mode": "Mode"}, "roles.mode: column 'Mode': no such column"),
    ],
)
def test_studies_are_refused(options, message):
    study_options = {"graph": GRAPH, **options}
    if "mode" in options or "covariates" in options:
        study_options["graph"] = None
    with pytest.raises(Refusal, match=message):
        study_of("S5", 300, **study_options).run()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f[f["M"] == 1], "was answered in the same mode"),
        (lambda f: f[(f["M"] == 1) | (f.index < 15)], "expected at least 20 rows in each mode"),
        (lambda f: f.assign(**{"Y*": f["Y*"].where(f.index > 0)}), "missing values in row 1"),
        (lambda f: f.assign(**{"X*": "a lot"}), "expected numbers, got text"),
        (lambda f: f.assign(M=f["M"].where(f.index > 3)), "roles.mode: column 'M': missing values"),
    ],
)
def test_tables_are_refused(change, message):
    frame = change(simulate("S5", 300, seed=1).frame)
    study = Survey.from_frame(frame, outcome="Y*", mode="M", exposure="X*", graph=GRAPH)
    problems = study.check()
    assert len(problems) == 1
    with pytest.raises(Refusal, match=message):
        study.run()


def test_rows_without_an_answer_can_be_left_out():
    frame = simulate("S3", 300, seed=1).frame
    frame.loc[:4, "Y*"] = np.nan
    answer = Survey.from_frame(
        frame,
        outcome="Y*",
        mode="M",
        exposure="X*",
        data={"missing": {"Y*": "drop"}},
        method={"imputations": 0},
    ).run()
    assert answer.headline.n == 295
    assert any("5 rows left out" in note for note in answer.notes)
