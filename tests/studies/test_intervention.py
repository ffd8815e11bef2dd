"""Questions about an intervention: right where the table can tell, honest where it cannot, refused where malformed."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from suppose.core.errors import DataError, Refusal, StudyError
from suppose.graphs.networks import load_network
from suppose.studies import loads
from suppose.studies.intervention import Intervention

SMOKING = "S -> T -> C; S <-> C"
COUNTS = (50, 10, 1, 2, 10, 5, 2, 20)  # the paper's joint times 100, in the order S T C = 000 ... 111


def smoking(times: int = 1) -> pd.DataFrame:
    cells = np.array(list(product((0, 1), repeat=3)))
    return pd.DataFrame(np.repeat(cells, np.array(COUNTS) * times, axis=0), columns=["S", "T", "C"])


def ask(frame: pd.DataFrame, graph: str, do: dict[str, Any], outcome: str, **more: Any) -> Any:
    more.setdefault("method", {"draws": 60})
    return Intervention.from_frame(frame, graph=graph, do=do, outcome=outcome, **more)


@pytest.mark.parametrize(("value", "share"), [(0, 0.25347763), (1, 0.54229730)])
def test_smoking_to_every_digit(value: int, share: float) -> None:
    answer = ask(smoking(), SMOKING, {"S": value}, "C").run()
    assert answer.headline.estimate == pytest.approx(share, abs=1e-8)
    observed = answer.finding("observed").estimate
    assert observed == pytest.approx({0: 12 / 63, 1: 25 / 37}[value], abs=1e-12)


def test_change_and_sentence() -> None:
    answer = ask(smoking(50), SMOKING, {"S": 1}, "C").run()
    change = answer.finding("change")
    assert change.estimate == pytest.approx(0.54229730 - 0.25347763, abs=1e-8)
    assert answer.sentence.startswith(
        "Were S = 1 for everyone, the share with C = 1 would be 54.2% (95% interval"
    )
    assert ", 28.9 percentage points more than were S = 0; " in answer.sentence
    assert answer.sentence.endswith("among those who have S = 1 by themselves it is 67.6%.")
    assert answer.credibility == "credible"


def test_bootstrap_interval_is_as_wide_as_the_delta_method() -> None:
    """Against a front-door effect with its influence function, on the same rows."""
    answer = ask(smoking(20), SMOKING, {"S": 1}, "C", method={"draws": 400}).run()
    check = answer.check("second-way")
    assert check.verdict == "passes"
    equations = ask(smoking(20), SMOKING, {"S": 1}, "C", method={"name": "aipw"}).run()
    ratio = answer.headline.standard_error / equations.headline.standard_error
    assert 0.8 < ratio < 1.25
    assert abs(equations.headline.estimate - answer.headline.estimate) < 0.02


def test_adjustment_for_a_common_cause() -> None:
    rng = np.random.default_rng(0)
    n = 20_000
    z = rng.integers(0, 2, n)
    x = (rng.random(n) < 0.2 + 0.6 * z).astype(int)
    y = (rng.random(n) < 0.1 + 0.3 * x + 0.5 * z).astype(int)
    frame = pd.DataFrame({"x": x, "y": y, "z": z})
    answer = ask(frame, "z -> {x y}; x -> y", {"x": 1}, "y").run()
    assert abs(answer.headline.estimate - 0.65) < 4 * np.sqrt(0.25 / n * 4)
    assert answer.headline.low < 0.65 < answer.headline.high
    assert abs(answer.finding("change").estimate - 0.3) < 0.03


def test_a_hidden_common_cause_closes_the_question() -> None:
    answer = ask(smoking(), "S -> C; S <-> C; T -> C", {"S": 1}, "C").run()
    assert answer.sentence.startswith("No table of these columns can tell what C would be if S were set")
    assert answer.credibility == "not judged"
    assert answer.finding("least").estimate == pytest.approx(0.25)  # P(S=1, C=1)
    assert answer.finding("most").estimate == pytest.approx(0.25 + 0.63)
    assert answer.table("remedies").rows
    assert {"bounds", "graph", "hedge", "derivation"} == {figure.name for figure in answer.figures}


def test_hidden_nodes_may_be_drawn() -> None:
    drawn = ask(smoking(), "U -> {S C}; S -> T -> C", {"S": 1}, "C", hidden=["U"]).run()
    assert drawn.headline.estimate == pytest.approx(0.54229730, abs=1e-8)


def test_conditional_question() -> None:
    frame = smoking(10)
    frame["G"] = np.arange(len(frame)) % 2
    answer = ask(frame, f"{SMOKING}; G -> C", {"S": 1}, "C", given={"G": 1}).run()
    assert "for everyone with G = 1" in answer.sentence
    assert abs(answer.headline.estimate - 0.5423) < 0.08


def test_a_setting_that_was_not_asked_about_may_be_untold() -> None:
    head = 'question = "intervention"\n[data]\nnetwork = "asia"\n[graph]\nhidden = ["smoke", "bronc"]\n'
    answer = loads(f'{head}[query]\ndo = {{ lung = "yes" }}\noutcome = "dysp"\n').run()
    assert any(note.startswith("Nothing in the table can answer for lung = no") for note in answer.notes)
    assert {finding.name for finding in answer.findings} == {"set", "observed"}
    with pytest.raises(Refusal, match="lung = yes, either = no"):  # a tumour is never without "either"
        loads(f'{head}[query]\ndo = {{ lung = "no" }}\noutcome = "dysp"\n').run()


def test_network_with_hidden_nodes_equals_surgery() -> None:
    study = loads(
        'question = "intervention"\n[data]\nnetwork = "asia"\n[graph]\nhidden = ["bronc"]\n'
        '[query]\ndo = { smoke = "yes" }\noutcome = "dysp"\nstate = "yes"\n'
    )
    answer = study.run()
    network = load_network("asia")
    truth = network.query(["dysp"], do={"smoke": "yes"}).at({"dysp": "yes"}).total()
    assert answer.headline.estimate == pytest.approx(truth, abs=1e-9)
    assert answer.check("surgery").verdict == "passes"


def test_wrong_graph_is_contradicted_by_the_table() -> None:
    rng = np.random.default_rng(1)
    a = rng.integers(0, 2, 4000)
    b = a ^ (rng.random(4000) < 0.2)
    c = a ^ (rng.random(4000) < 0.2)
    frame = pd.DataFrame({"a": a, "b": b.astype(int), "c": c.astype(int)})
    wrong = ask(frame, "a -> b -> c", {"b": 1}, "c").run()
    assert wrong.check("independences").verdict == "fails"
    assert wrong.credibility == "not credible"
    right = ask(frame, "a -> {b c}", {"a": 1}, "c").run()
    assert right.check("independences").verdict == "passes"


def test_numbers_are_cut_or_estimated() -> None:
    rng = np.random.default_rng(2)
    n = 4000
    z = rng.normal(size=n)
    x = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int)
    frame = pd.DataFrame({"z": z, "x": x, "y": 2.0 * x + z + rng.normal(size=n)})
    graph = "z -> {x y}; x -> y"
    answer = ask(frame, graph, {"x": 1}, "y").run()
    assert answer.headline.low < 2.0 < answer.headline.high
    assert answer.finding("change").low < 2.0 < answer.finding("change").high
    down = ask(frame, graph, {"x": 0}, "y").run()
    assert down.finding("change").estimate == pytest.approx(-answer.finding("change").estimate, rel=1e-9)
    assert down.headline.estimate < answer.headline.estimate
    cut = ask(frame, graph, {"x": 1}, "y", data={"cut": {"z": 4, "y": 3}}).run()
    assert cut.table("settings").columns[1] == "y" and len(cut.table("settings").rows) == 6
    with pytest.raises(StudyError, match="the formula counts y, z, which have too many values|counts z, y"):
        ask(frame, graph, {"x": 1}, "y", method={"name": "plugin"}).run()


def test_same_seed_same_answer_and_run_folder(tmp_path: Any) -> None:
    study = ask(smoking(5), SMOKING, {"S": 1}, "C")
    first, again = study.run(), study.run(out=tmp_path / "run")
    assert first.to_json(timing=False) == again.to_json(timing=False)
    assert (tmp_path / "run" / "report.html").is_file()
    other = study.with_run_options(seed=1).run()
    assert other.headline.low != first.headline.low
    assert other.headline.estimate == first.headline.estimate


def test_renamed_and_reordered_columns_change_nothing() -> None:
    frame = smoking(3)
    first = ask(frame, SMOKING, {"S": 1}, "C").run()
    turned = frame.sample(frac=1.0, random_state=0)[["C", "T", "S"]].rename(
        columns={"S": "smokes", "T": "t", "C": "c"}
    )
    again = ask(turned, "t -> c; smokes -> t; c <-> smokes", {"smokes": 1}, "c").run()
    assert again.headline.estimate == pytest.approx(first.headline.estimate, abs=1e-12)


def test_missing_values() -> None:
    frame = smoking().astype(float)
    frame.loc[3, "T"] = np.nan
    with pytest.raises(DataError, match="graph: column 'T'.*missing values in row 4"):
        ask(frame, SMOKING, {"S": 1}, "C").run()
    dropped = ask(frame, SMOKING, {"S": 1}, "C", data={"missing": "drop"}).run()
    assert "1 rows left out" in dropped.notes[0]
    assert dropped.headline.n == 99
    with pytest.raises(
        StudyError, match="data.missing: column 'T': expected \"refuse\" or \"drop\", got 'mean'"
    ):
        ask(frame, SMOKING, {"S": 1}, "C", data={"missing": {"T": "mean"}}).run()


def test_declared_types_are_kept() -> None:
    frame = smoking()
    frame["T"] = frame["T"].map({0: "00012", 1: "10000000"})
    as_text = ask(frame, SMOKING, {"S": 1}, "C").run()
    as_number = ask(frame, SMOKING, {"S": 1}, "C", data={"types": {"T": "number"}}).run()
    assert as_text.headline.estimate == as_number.headline.estimate
    set_to = ask(frame, "S -> T -> C", {"T": 1e7}, "C", data={"types": {"T": "number"}}).run()
    assert "T = 10000000" in set_to.sentence
    many = smoking()
    many["T"] = np.arange(len(many))
    with pytest.raises(DataError, match="expected at most 50 categories, got 100 different texts"):
        ask(many, SMOKING, {"S": 1}, "C", data={"types": {"T": "category"}}).run()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"graph": "S -> T -> D; S <-> D"}, "C|D"),
        ({"do": {"S": 3}}, "query.do: 'S' never has the value '3'; it has 0, 1"),
        ({"do": {"C": 1}}, "query.outcome: 'C' is also set"),
        ({"do": {}}, "query.do: the question sets nothing"),
        ({"given": {"S": 1}}, "query.given: 'S' is also set"),
        ({"against": {"T": 1}}, "query.against: do sets S, against sets T"),
        ({"hidden": ["C"]}, "query.outcome: 'C' is no measured node of the graph"),
        ({"hidden": ["V"]}, "graph.hidden"),
        ({"state": "2"}, "query.state: 'C' never has the value '2'"),
        ({"data": {"cut": {"T": 1}}}, "data.cut.T: expected 2 to 50 groups, got 1"),
        ({"data": {"network": "asia"}}, "expected one source of data, got frame and network"),
    ],
)
def test_refusals(changes: dict[str, Any], words: str) -> None:
    settings = {"graph": SMOKING, "do": {"S": 1}, "outcome": "C", **changes}
    with pytest.raises(Refusal, match=words):
        ask(smoking(), **settings).run()


def test_refusals_of_files(tmp_path: Any) -> None:
    head = 'question = "intervention"\n[query]\ndo = { smoke = "yes" }\noutcome = "dysp"\n'
    with pytest.raises(StudyError, match="graph: a network brings its own graph"):
        loads(f'{head}[data]\nnetwork = "asia"\n[graph]\ntext = "smoke -> dysp"\n').run()
    with pytest.raises(StudyError, match=r"graph: expected graph\.text or graph\.file, got neither"):
        loads(f'{head}[data]\nfile = "t.csv"\n', home=tmp_path).run()
    smoking().to_csv(tmp_path / "t.csv", index=False)
    for name, text in (("g.dot", "digraph { S -> T; T -> C }"), ("g.txt", "dag { S -> T -> C }")):
        (tmp_path / name).write_text(text)
        asked = (
            'question = "intervention"\n[query]\ndo = { S = 1 }\noutcome = "C"\n[method]\ndraws = 50\n'
            f'[data]\nfile = "t.csv"\n[graph]\nfile = "{name}"\n'
        )
        answer = loads(asked, home=tmp_path).run()
        assert answer.headline.estimate == pytest.approx(25 / 37, abs=1e-9)  # no cause is shared: as observed
