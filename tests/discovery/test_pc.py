from __future__ import annotations

import json
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
import pytest

from suppose.core.errors import DataError, GraphError
from suppose.discovery import PC, FisherZ, Knowledge, Oracle, bootstrap_graph, edge_scores
from suppose.graphs import DAG, load_network
from suppose.graphs.pdag import PDAG
from suppose.worlds.sem import random_dag, random_sem

REFERENCES = json.loads((Path(__file__).parent / "references.json").read_text(encoding="utf-8"))
RULES = ("maxp", "sepset", "conservative", "majority")


def world(nodes: int, rows: int = 1000, seed: int = 0) -> pd.DataFrame:
    return random_sem(random_dag(nodes, 3.0, seed=seed), seed=seed).sample(rows, seed=seed)


def check_oracle(count: int, rule: str) -> None:
    rng = np.random.default_rng(5)
    for draw in range(count):
        nodes = int(rng.integers(2, 13))
        dag = random_dag(nodes, min(float(rng.uniform(0, 4)), nodes - 1), seed=draw)
        found = PC(test=Oracle(dag), collider=rule).fit()
        assert found.graph_ == PDAG.from_dag(dag), str(dag)
        assert not found.conflicts_ and not found.ambiguous_


@pytest.mark.parametrize("rule", RULES)
def test_the_truth_is_found_where_separation_is_the_test(rule):
    check_oracle(25, rule)


@pytest.mark.slow
def test_the_truth_is_found_in_five_hundred_graphs():
    check_oracle(500, "maxp")


class Plain:
    """Fisher's z behind the protocol alone, so that the general search is taken."""

    def __init__(self, test: FisherZ) -> None:
        self.names, self.batch, self.describe, self.costly, self.n_tests = (
            test.names,
            test.batch,
            test.describe,
            False,
            0,
        )


@pytest.mark.parametrize("rule", RULES)
def test_machine_code_and_the_general_search_agree(rule):
    frame = world(25)
    fast, plain = PC("fisher-z", collider=rule).fit(frame), PC(Plain(FisherZ(frame)), collider=rule).fit()
    assert fast.graph_ == plain.graph_
    assert all(
        fast.sepset(a, b) is None or set(fast.sepset(a, b)) == set(plain.sepset(a, b))
        for a in frame
        for b in frame
    )


class Costly(Plain):
    def __init__(self, test: FisherZ) -> None:
        super().__init__(test)
        self.costly = True


def test_a_costly_test_stops_at_the_first_set():
    frame = world(25)
    plain, costly = (PC(kind(FisherZ(frame)), collider="sepset").fit() for kind in (Plain, Costly))
    assert costly.graph_ == plain.graph_
    assert sum(costly.tests_.values()) < sum(plain.tests_.values())


@pytest.mark.parametrize("rule", ["maxp", "conservative", "majority"])
def test_the_order_and_the_names_of_columns_do_not_matter(rule):
    frame = world(15, 400)
    first = PC("fisher-z", collider=rule).fit(frame).graph_
    rng = np.random.default_rng(0)
    for _ in range(20):
        order = list(rng.permutation(frame.columns))
        assert PC("fisher-z", collider=rule).fit(frame[order]).graph_ == first
        other = dict(zip(frame.columns, rng.permutation([f"w{k:02d}" for k in range(15)]), strict=True))
        renamed = PC("fisher-z", collider=rule).fit(frame.rename(columns=other)).graph_
        assert PDAG(renamed.endpoints, list(frame.columns)) == first


def test_any_number_of_threads_gives_the_same_graph():
    frame = world(40)
    one, three = PC(n_jobs=1).fit(frame), PC(n_jobs=3).fit(frame)
    assert np.array_equal(one.graph_.endpoints, three.graph_.endpoints)
    assert one.tests_ == three.tests_
    assert all(one.sepset(a, b) == three.sepset(a, b) for a in frame for b in frame)


def test_the_kind_of_columns_picks_the_test_and_is_said():
    rng = np.random.default_rng(0)
    numbers, codes = rng.normal(size=(200, 2)), rng.integers(0, 3, (200, 2))
    mixed = pd.DataFrame({"a": numbers[:, 0], "b": codes[:, 0].astype(str), "c": numbers[:, 1]})
    assert PC().fit(numbers).test_.describe().startswith("Fisher's z")
    assert PC().fit(codes).test_.describe().startswith("G-squared")
    assert "2 numbers and 1 categories" in PC().fit(mixed).test_.describe()


def test_knowledge_turns_edges_and_wins_over_tests():
    dag = DAG("a -> b -> c; b -> d")
    known = PC(test=Oracle(dag), knowledge={"tiers": [["a"], ["b", "c", "d"]]}).fit()
    assert str(known.graph_) == "a -> b; b -> c; b -> d"
    assert known.why("a", "b") == "a -> b: known."
    assert known.to_frame()["ground"].tolist() == ["known", "follows", "follows"]
    against = PC(test=Oracle(DAG("a -> b <- c")), knowledge=Knowledge(required=[("b", "a")])).fit()
    assert against.graph_.edge("b", "a") == "->"
    assert "knowledge says the opposite and was kept" in str(against.conflicts_[0])
    apart = PC(test=Oracle(dag), knowledge=Knowledge(forbidden=[("a", "b"), ("b", "a")])).fit()
    assert apart.graph_.edge("a", "b") is None
    assert "known" in apart.why("a", "b")


def test_colliders_that_disagree_are_listed_and_not_overwritten():
    class Odd(Oracle):
        def _separated(self, i, j, given):  # independent ends, whatever is given
            return {i, j} in ({0, 2}, {1, 3}, {0, 3}) and not len(given)

    found = PC(test=Odd(DAG("a -> b -> c -> d"))).fit()
    assert found.graph_.contradictory == (("b", "c"),)
    assert "both of its ends" in str(found.conflicts_[0])
    with pytest.raises(GraphError, match="points both ways"):
        found.graph_.to_dag()


def test_a_sum_of_columns_is_reported():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 2))
    found = PC().fit(np.column_stack([X, X.sum(axis=1)]), names=["a", "b", "sum"])
    assert found.deterministic_ == (("a", "sum", ("b",)), ("b", "sum", ("a",)))
    assert found.graph_.edge("a", "sum") is not None


def test_why_tells_the_collider():
    found = PC(test=Oracle(DAG("a -> b <- c"))).fit()
    assert found.why("a", "b") == "a -> b: a and c are independent given nothing, not given b."
    assert found.why("a", "c") == "a and c are not joined: independent given nothing."


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"test": "fisherz"}, DataError, "expected one of auto, fisher-z, .*Did you mean 'fisher-z'"),
        ({"test": 3}, DataError, "expected a test or one of auto"),
        ({"alpha": 1.5}, DataError, "alpha: expected a number between 0 and 1"),
        ({"collider": "max"}, DataError, "expected one of maxp, sepset, conservative, majority"),
        ({"knowledge": {"tier": []}}, DataError, "mapping with tiers, required, forbidden, got tier"),
        ({"knowledge": {"required": [("x", "v0")]}}, GraphError, "no node 'x'"),
        (
            {"knowledge": {"required": [("a", "b"), ("b", "a")]}},
            GraphError,
            "cycle (a -> b -> a|b -> a -> b)",
        ),
        (
            {"knowledge": {"required": [("a", "b")], "forbidden": [("a", "b")]}},
            GraphError,
            "required and forbidden",
        ),
        ({"knowledge": {"required": [("b", "a")], "tiers": [["a"], ["b"]]}}, GraphError, "order of tiers"),
        ({"knowledge": {"tiers": [["a"], ["a"]]}}, GraphError, "'a' stands in two tiers"),
    ],
)
def test_what_cannot_be_followed_is_refused(options, kind, message):
    with pytest.raises(kind, match=message):
        PC(**options).fit(world(4, 50))


def test_names_must_fit():
    with pytest.raises(DataError, match="expected 3 different names"):
        PC().fit(np.random.default_rng(0).normal(size=(50, 3)), names=["a", "b"])


def test_the_cells_of_sachs_have_a_skeleton_of_23_edges():
    known = REFERENCES["sachs"]
    test = FisherZ(correlation=known["correlation"], n=known["rows"], names=known["names"])
    PC(test=test).fit()
    start = process_time()
    found = PC(test=test, alpha=0.01).fit()
    assert found.skeleton_.sum() == 46
    assert process_time() - start < 0.2


@pytest.mark.slow
def test_a_hundred_redrawn_tables_of_sachs_take_less_than_twenty_seconds():
    known = REFERENCES["sachs"]
    root = np.linalg.cholesky(np.array(known["correlation"]))
    X = np.random.default_rng(0).normal(size=(known["rows"], 11)) @ root.T
    start = process_time()
    shares = bootstrap_graph(X, PC("fisher-z"), names=known["names"], tables=100)
    assert process_time() - start < 20
    assert shares.tables == 100


def alarm(alpha: float = 0.01) -> tuple[PC, float, float]:
    network = load_network("alarm")
    rows = network.sample(10_000, seed=0)
    PC("g2", max_cond=1).fit(rows.iloc[:500, :5])
    start = process_time()
    found = PC("g2", alpha=alpha).fit(rows)
    return found, edge_scores(network.graph, found.graph_).f1, process_time() - start


@pytest.mark.slow
def test_alarm_is_found_in_ten_thousand_rows():
    _, f1, seconds = alarm()
    assert f1 >= 0.95
    assert seconds < 0.5


@pytest.mark.slow
def test_a_thousand_variables_take_less_than_five_seconds():
    frame = world(1000)
    PC("fisher-z").fit(world(10))
    start = process_time()
    found = PC("fisher-z", n_jobs=2).fit(frame)
    assert process_time() - start < 5
    assert 1400 < found.skeleton_.sum() / 2 < 1900
