"""Structural models against closed forms, against each other's ways of answering, and what they refuse."""

from __future__ import annotations

import copy
import math
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats

from suppose.core.errors import DataError, EstimationError, GraphError, StudyError
from suppose.core.world import World
from suppose.graphs import DAG
from suppose.graphs.factors import Factor
from suppose.graphs.structural import (
    Discrete,
    Exponential,
    Function,
    Gaussian,
    Linear,
    Logistic,
    Logit,
    StructuralModel,
    Table,
    Uniform,
)

TWO = ("0", "1")


def table(variables: str, values: list) -> Table:
    array = np.asarray(values, dtype=float)
    return Table(Factor(tuple(variables), tuple(TWO for _ in variables), array))


def linear_model() -> StructuralModel:
    """Four numbers; c and d share a hidden cause."""
    return StructuralModel(
        "{a b c d}; a -> {b d}; b -> c; c -> d; b <-> d",
        {
            "a": Linear(intercept=1.0, noise=Gaussian(2.0)),
            "b": Linear({"a": 0.5}, noise=Gaussian(1.5)),
            "c": Linear({"b": -1.0}, intercept=2.0),
            "d": Linear({"a": 1.0, "c": 0.7}, noise=Gaussian(0.8)),
        },
        {("b", "d"): 0.6},
    )


def bent(model: StructuralModel) -> StructuralModel:
    """The same law with functions in place of weights, which takes the ways that know no closed form."""
    mechanisms = {}
    for name, mechanism in model.mechanisms.items():

        def made(causes, m=mechanism):
            return m.intercept + sum(weight * causes[parent] for parent, weight in m.coefficients.items())

        mechanisms[name] = Function(made, mechanism.noise)
    return StructuralModel(model.graph, mechanisms, model.covariances)


def mixed_model() -> StructuralModel:
    """Health confounds a treatment of two states and a number; the number decides about a third state."""
    return StructuralModel(
        "health -> {treated days}; treated -> days; days -> back; kind -> days",
        {
            "health": Linear(noise=Uniform(-2, 2)),
            "kind": Table(Factor(("kind",), (TWO,), np.array([0.3, 0.7]))),
            "treated": Logit({"health": -1.5}, 0.2, states=("no", "yes")),
            "days": Function(
                lambda causes: 3 + causes["health"] ** 2 - (causes["treated"] == "yes") + 2 * causes["kind"],
                Logistic(0.5),
            ),
            "back": Logit({"days": 1.0}, -4.0),
        },
    )


# -- noises ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noise", "law"),
    [
        (Gaussian(1.7), stats.norm(scale=1.7)),
        (Logistic(0.6), stats.logistic(scale=0.6)),
        (Uniform(-1, 3), stats.uniform(-1, 4)),
        (Exponential(2.5), stats.expon(scale=2.5)),
    ],
)
def test_noises_are_the_laws_of_scipy(noise, law) -> None:
    shares = np.linspace(0.001, 0.999, 50)
    values = noise.quantile(shares)
    assert np.allclose(values, law.ppf(shares), rtol=1e-12)
    assert np.allclose(noise.log_prob(values), law.logpdf(values), rtol=1e-12)
    assert noise.mean == pytest.approx(law.mean()) and noise.variance == pytest.approx(law.var())
    peak = np.linspace(law.ppf(1e-6), law.ppf(1 - 1e-6), 100_001)
    assert noise.peak == pytest.approx(law.logpdf(peak).max(), abs=1e-4)
    assert np.isfinite(noise.quantile(np.array([0.0]))).all()


def test_a_discrete_noise_has_its_values() -> None:
    noise = Discrete((2, -1, 0.5), (0.2, 0.5, 0.3))
    drawn = noise.quantile(np.array([0.0, 0.19, 0.2, 0.69, 0.71]))
    assert drawn.tolist() == [2, 2, -1, -1, 0.5]
    assert np.exp(noise.log_prob(np.array([2, -1, 0.5, 0.6]))).tolist() == pytest.approx([0.2, 0.5, 0.3, 0])
    assert noise.mean == pytest.approx(0.05) and noise.variance == pytest.approx(1.375 - 0.0025)


# -- linear models with Gaussian noise -----------------------------------------------------------


def test_the_normal_law_is_the_textbook_one() -> None:
    model = linear_model()
    weights = np.array([[0, 0, 0, 0], [0.5, 0, 0, 0], [0, -1, 0, 0], [1, 0, 0.7, 0]])
    omega = np.diag([4, 2.25, 1, 0.64])
    omega[1, 3] = omega[3, 1] = 0.6
    inverse = np.linalg.inv(np.eye(4) - weights)
    law = model.law()
    assert np.allclose(law.mean, inverse @ np.array([1, 0, 2, 0]), atol=1e-12)
    assert np.allclose(law.covariance, inverse @ omega @ inverse.T, atol=1e-12)
    rows = model.sample(200, seed=3)
    whole = stats.multivariate_normal(law.mean, law.covariance)
    assert np.allclose(model.log_prob(rows), whole.logpdf(rows), atol=1e-10)
    some = stats.multivariate_normal(law.mean[[1, 3]], law.covariance[np.ix_([1, 3], [1, 3])])
    assert np.allclose(model.log_prob(rows[["b", "d"]]), some.logpdf(rows[["b", "d"]]), atol=1e-10)
    both = np.stack([np.full(200, 1.5), rows["d"]], axis=1)
    expected = some.logpdf(both) - stats.norm(law.mean[1], math.sqrt(law.covariance[1, 1])).logpdf(1.5)
    assert np.allclose(model.log_prob(rows[["d"]], given={"b": 1.5}), expected, atol=1e-10)


def test_setting_cuts_the_hidden_cause_too() -> None:
    model = linear_model()
    after = model.law(do={"b": 2.0})
    assert after.names == ("a", "c", "d")
    assert after.mean.tolist() == pytest.approx([1, 0, 1])  # c = 2 - 2, d = a + .7 c
    assert after.covariance[2, 2] == pytest.approx(4 + 0.49 + 0.64)
    assert model.do({"b": 2.0}).covariances == {} and model.do({"b": 2.0}).graph.bidirected == ()
    assert model.do({"c": 2.0}).covariances == {("b", "d"): 0.6}


@pytest.mark.parametrize("columns", ["abcd", "ab", "abc", "ac"])
@pytest.mark.parametrize("do", [None, {"b": 0.3}, {"c": 1.0}])
def test_densities_are_the_same_without_a_closed_form(columns, do) -> None:
    model, other = linear_model(), bent(linear_model())
    rows = model.sample(50, seed=1, do=do)[list(columns)]
    if columns == "ac" and do is None:
        with pytest.raises(EstimationError, match="b is left out"):
            other.log_prob(rows, do=do)
        return
    assert np.allclose(model.log_prob(rows, do=do), other.log_prob(rows, do=do), atol=1e-10)
    if "a" in columns and columns != "ac":
        given = {"a": float(rows["a"][0])}
        again = other.log_prob(rows, do=do, given=given)
        assert np.allclose(model.log_prob(rows, do=do, given=given), again, atol=1e-10)
        assert (again[1:] == -np.inf).all() and np.isfinite(again[0])


@pytest.mark.parametrize(
    ("given", "do"),
    [
        ({"d": 4.0}, {}),
        ({"c": 0.5, "d": 1.0}, {}),
        ({"a": 1.0}, {}),
        ({"a": 0.0, "b": 2.0}, {}),
        ({"d": 1.0}, {"c": 0.5}),
        ({"c": 1.0, "d": 0.0}, {"b": 1.5}),
    ],
)
def test_rows_given_evidence_have_the_conditional_law_both_ways(given, do) -> None:
    model = linear_model()
    law = model.law(given=given, do=do)
    for asked in (model, bent(model)):
        rows = asked.sample(20_000, given=given, do=do, seed=2)
        assert all((rows[name] == value).all() for name, value in {**given, **do}.items())
        drawn = rows[list(law.names)].to_numpy()
        sd = np.sqrt(np.diag(law.covariance))
        assert (np.abs(drawn.mean(axis=0) - law.mean) <= 4.5 * sd / math.sqrt(len(rows))).all()
        scatter = np.cov(drawn.T).reshape(law.covariance.shape)
        error = np.sqrt((np.outer(sd, sd) ** 2 + law.covariance**2) / len(rows))
        assert (np.abs(scatter - law.covariance) <= 4.5 * error).all()


def test_a_conditioned_model_is_a_world() -> None:
    model = linear_model()
    seen = model.condition({"d": 4.0})
    assert isinstance(seen, World) and isinstance(model, World)
    rows = seen.sample(5, seed=1)
    assert rows.equals(model.sample(5, given={"d": 4.0}, seed=1))
    assert np.array_equal(seen.log_prob(rows), model.log_prob(rows, given={"d": 4.0}))
    assert np.allclose(seen.law.mean, model.law(given={"d": 4.0}).mean)
    with pytest.raises(GraphError, match="another question than what would be"):
        seen.sample(5, do={"a": 1.0})


def test_a_hidden_cause_and_its_covariance_are_the_same() -> None:
    hidden = StructuralModel("u -> {x y}; x -> y", {
        "u": Linear(), "x": Linear({"u": 2.0}), "y": Linear({"u": -0.5, "x": 1.0}),
    })  # fmt: skip
    drawn = StructuralModel("x <-> y; x -> y", {
        "x": Linear(noise=Gaussian(math.sqrt(5))), "y": Linear({"x": 1.0}, noise=Gaussian(math.sqrt(1.25))),
    }, {("y", "x"): -1.0})  # fmt: skip
    rows = drawn.sample(100, seed=1)
    assert np.allclose(hidden.log_prob(rows), drawn.log_prob(rows), atol=1e-12)
    assert np.allclose(hidden.log_prob(rows[["y"]], do={"x": 1}), drawn.log_prob(rows[["y"]], do={"x": 1}))
    for setting in ({"x": 0.0}, {"y": 3.0}):
        first = hidden.counterfactual(rows, do=setting)
        assert np.allclose(first, drawn.counterfactual(rows, do=setting), atol=1e-12)
    assert np.allclose(hidden.counterfactual(rows, do={"x": 0.0})["y"], rows["y"] - rows["x"], atol=1e-12)


def test_a_hidden_step_between_does_not_keep_from_the_expected_answer() -> None:
    model = StructuralModel("x -> m -> y", {
        "x": Linear(), "m": Linear({"x": 2.0}), "y": Linear({"m": 3.0}, intercept=1.0),
    })  # fmt: skip
    rows = model.sample(50, seed=1)[["y", "x"]]
    found = model.counterfactual(rows, do={"x": 1.0})
    assert list(found.columns) == ["y", "x"]
    assert np.allclose(found["y"], rows["y"] + 6 * (1 - rows["x"]), atol=1e-11)
    only = model.counterfactual(rows[["y"]], do={"x": 1.0})  # E[y' | y] = 1 + 6 + (9 + 1) / (46) (y - 1)
    assert np.allclose(only["y"], 7 + 10 / 46 * (rows["y"] - 1), atol=1e-11)


# -- units ---------------------------------------------------------------------------------------


def curved_model() -> StructuralModel:
    return StructuralModel("a -> {b c}; b -> c; b <-> d; c -> d; c -> e", {
        "a": Linear(noise=Exponential(2.0)),
        "b": Function(lambda v: np.sin(v["a"]), Gaussian(0.5)),
        "c": Function(lambda v: v["a"] * v["b"], Uniform(-1, 1)),
        "d": Linear({"c": 2.0}, noise=Gaussian(1.0)),
        "e": Function(lambda v: np.abs(v["c"]), None),
    }, {("b", "d"): -0.3})  # fmt: skip


@pytest.mark.parametrize("do", [{"a": 1.0}, {"b": 2.0}, {"c": -1.0, "b": 0.0}, {"d": 5.0}, {"e": 0.0}])
@pytest.mark.parametrize("make", [linear_model, curved_model])
def test_units_as_they_would_have_been_are_the_units_of_the_world_that_is_set(make, do) -> None:
    model = make()
    do = {name: value for name, value in do.items() if name in model.states}
    seen = model.sample(500, seed=6)
    made = model.counterfactual(seen, do=do)
    assert np.allclose(made, model.sample(500, do=do, seed=6), atol=1e-9)
    kept = [n for n in model.graph.nodes if n not in model.graph.descendants(list(do))]
    assert made[kept].equals(seen[kept])


def test_what_was_would_have_been() -> None:
    model = mixed_model()
    seen = model.sample(400, seed=1)
    yes = seen[seen["treated"] == "yes"]
    assert model.counterfactual(yes, do={"treated": "yes"}).equals(yes)
    assert model.counterfactual(seen, do={}).equals(seen)


def test_a_threshold_moves_states_one_way_and_by_the_right_share() -> None:
    model = StructuralModel("x -> y", {"x": Linear(), "y": Logit({"x": 1.0})})
    seen = pd.DataFrame({"x": np.zeros(40_000), "y": ["0", "1"] * 20_000})
    made = model.counterfactual(seen, do={"x": 1.0}, seed=1)["y"]
    assert (made[seen["y"] == "1"] == "1").all()
    share = float((made[seen["y"] == "0"] == "1").mean())
    expected = 1 - (1 - 1 / (1 + math.exp(-1))) / 0.5
    assert abs(share - expected) <= 4.5 * math.sqrt(expected * (1 - expected) / 20_000)


@pytest.mark.parametrize("coupling", ["monotone", "gumbel"])
def test_states_follow_the_coupling_of_the_network(coupling) -> None:
    three = ("a", "b", "c")
    rng = np.random.default_rng(2)
    values = rng.dirichlet(np.ones(3), 2).T
    model = StructuralModel("x -> y", {
        "x": Table(Factor(("x",), (TWO,), np.array([0.4, 0.6]))), "y": Table(Factor(("y", "x"), (three, TWO), values)),
    })  # fmt: skip
    for state in three:
        seen = pd.DataFrame({"x": ["0"] * 30_000, "y": [state] * 30_000})
        made = model.counterfactual(seen, do={"x": "1"}, coupling=coupling, seed=3)["y"]
        law = model.network.counterfactual(
            "y", do={"x": "1"}, given={"x": "0", "y": state}, coupling=coupling
        )
        for other, expected in zip(three, law.table.values, strict=True):
            share = float((made == other).mean())
            assert abs(share - expected) <= 4.5 * math.sqrt(expected * (1 - expected) / 30_000) + 1e-12
    with pytest.raises(EstimationError, match="tables of y do not say"):
        model.counterfactual(seen, do={"x": "1"})


def test_a_table_of_zeros_and_ones_is_a_mechanism() -> None:
    model = StructuralModel("x -> y; u -> y", {
        "x": table("x", [0.5, 0.5]), "u": table("u", [0.9, 0.1]),
        "y": table("yxu", [[[1, 0], [0, 1]], [[0, 1], [1, 0]]]),
    })  # fmt: skip
    seen = pd.DataFrame({"x": [0, 1, 1], "u": [0, 1, 0], "y": [0, 0, 1]})
    made = model.counterfactual(seen, do={"x": 0})
    assert made["y"].tolist() == [0, 1, 0] and made.dtypes.equals(seen.dtypes)
    with pytest.raises(EstimationError, match="value in row 1 does not follow from its causes"):
        model.counterfactual(pd.DataFrame({"x": [0], "u": [0], "y": [1]}), do={"x": 1})


# -- states and numbers together -----------------------------------------------------------------


def test_a_model_of_tables_answers_as_its_network() -> None:
    model = StructuralModel(
        "x -> y", {"x": table("x", [0.4, 0.6]), "y": table("yx", [[0.9, 0.2], [0.1, 0.8]])}
    )
    rows = pd.DataFrame({"y": ["0", "1"]})
    assert np.exp(model.log_prob(rows)).tolist() == pytest.approx([0.48, 0.52])
    assert np.exp(model.log_prob(rows, do={"x": 1})).tolist() == pytest.approx([0.2, 0.8])
    assert model.condition({"y": 1}).marginals["x"].values.tolist() == pytest.approx(
        [0.04 / 0.52, 0.48 / 0.52]
    )
    assert (model.sample(100, given={"y": "1"}, do={"x": "0"})["x"] == "0").all()
    drawn = model.sample(20_000, seed=1)
    assert abs((drawn["y"] == "1").mean() - 0.52) < 4.5 * math.sqrt(0.52 * 0.48 / 20_000)


def test_densities_of_states_and_numbers_multiply() -> None:
    model = mixed_model()
    rows = model.sample(30, seed=2)
    score = model.log_prob(rows)
    for row, found in zip(rows.to_dict("records"), score, strict=True):
        yes = 1 / (1 + math.exp(1.5 * row["health"] - 0.2))
        center = 3 + row["health"] ** 2 - (row["treated"] == "yes") + 2 * int(row["kind"])
        back = 1 / (1 + math.exp(4 - row["days"]))
        expected = (
            math.log(0.25) + math.log(0.7 if row["kind"] == "1" else 0.3)
            + math.log(yes if row["treated"] == "yes" else 1 - yes)
            + stats.logistic(center, 0.5).logpdf(row["days"])
            + math.log(back if row["back"] == "1" else 1 - back)
        )  # fmt: skip
        assert found == pytest.approx(expected, abs=1e-10)
    summed = model.log_prob(
        rows.drop(columns=["kind", "treated", "back"])
    )  # two causes with states are left out
    parts = []
    for kind in TWO:
        for treated in ("no", "yes"):
            one = rows.assign(kind=kind, treated=treated).drop(columns="back")
            parts.append(model.log_prob(one))
    assert np.allclose(summed, np.logaddexp.reduce(parts), atol=1e-10)


def test_evidence_on_an_effect_tilts_its_causes_as_bayes_says() -> None:
    model = mixed_model()
    rows = model.sample(8_000, given={"days": 4.0, "back": "1"}, do={"kind": "0"}, seed=3)
    grid = (np.arange(4_000) + 0.5) / 4_000 * 4 - 2
    yes = 1 / (1 + np.exp(1.5 * grid - 0.2))
    with_ = yes * stats.logistic(3 + grid**2 - 1, 0.5).pdf(4.0)
    without = (1 - yes) * stats.logistic(3 + grid**2, 0.5).pdf(4.0)
    expected = with_.sum() / (with_ + without).sum()
    share = float((rows["treated"] == "yes").mean())
    assert abs(share - expected) <= 4.5 * math.sqrt(expected * (1 - expected) / len(rows))
    weight = (with_ + without) / (with_ + without).sum()
    spread = math.sqrt((weight * grid**2).sum() - (weight * grid).sum() ** 2)
    assert abs(rows["health"].mean() - (weight * grid).sum()) <= 4.5 * spread / math.sqrt(len(rows))
    assert (rows["days"] == 4.0).all() and (rows["back"] == "1").all() and (rows["kind"] == "0").all()


def test_evidence_on_a_state_and_on_a_correlated_noise_tilts_what_came_before() -> None:
    model = StructuralModel("x -> number; x -> y; z <-> w", {
        "x": table("x", [0.5, 0.5]), "y": table("yx", [[0.9, 0.2], [0.1, 0.8]]),
        "number": Function(lambda v: v["x"], Gaussian(1.0)),
        "z": Function(lambda v: 0.0, Gaussian(1.0)), "w": Function(lambda v: 1.0, Gaussian(2.0)),
    }, {("z", "w"): 1.2})  # fmt: skip
    rows = model.sample(20_000, given={"y": "1"}, seed=1)
    assert abs((rows["x"] == "1").mean() - 0.8 / 0.9) <= 4.5 * math.sqrt(0.8 * 0.1) / 0.9 / math.sqrt(20_000)
    rows = model.sample(20_000, given={"w": 3.0}, seed=1)  # z given w: 1.2 / 4 (3 - 1), variance 1 - 1.44 / 4
    assert abs(rows["z"].mean() - 0.6) <= 4.5 * 0.8 / math.sqrt(20_000)
    assert abs(rows["z"].var() - 0.64) <= 4.5 * 0.64 * math.sqrt(2 / 20_000)
    both = model.sample(2_000, given={"z": 0.2, "w": 3.0}, seed=1)
    assert (both["z"] == 0.2).all()


def test_evidence_on_causes_alone_needs_no_rejection() -> None:
    model = mixed_model()
    seen = {"health": 1.25, "kind": "1"}
    rows = model.sample(100, given=seen, seed=1)
    assert (rows["health"] == 1.25).all()
    free = model.sample(100, do=seen, seed=1)  # the same law, and the same units
    assert rows[["days", "treated", "back"]].equals(free[["days", "treated", "back"]])


def test_noise_that_is_not_added_can_be_drawn_and_set_but_not_told() -> None:
    model = StructuralModel("x -> y -> z", {
        "x": Linear(), "y": Function(lambda v, noise: v["x"] * noise, Exponential(), additive=False),
        "z": Linear({"y": 1.0}),
    })  # fmt: skip
    rows = model.sample(10_000, do={"x": 2.0}, seed=1)
    assert abs(rows["y"].mean() - 2) < 4.5 * 2 / 100
    for call in (
        lambda: model.log_prob(rows), lambda: model.counterfactual(rows, do={"x": 1.0}),
        lambda: model.sample(5, given={"y": 1.0}),
    ):  # fmt: skip
        with pytest.raises(EstimationError, match="node 'y': its function takes the noise"):
            call()
    made = model.counterfactual(rows, do={"y": 1.0})
    assert np.allclose(made["z"], rows["z"] - rows["y"] + 1)


# -- learning --------------------------------------------------------------------------------------


def test_a_large_sample_gives_the_mechanisms_back() -> None:
    truth = StructuralModel("region -> {age paid}; age -> {paid wage}; paid -> wage; region -> kind; kind -> wage", {
        "region": Table(Factor(("region",), (("n", "s", "w"),), np.array([0.2, 0.3, 0.5]))),
        "age": Linear({"region": {"n": 0.0, "s": 1.0, "w": -2.0}}, 40.0, Gaussian(3.0)),
        "paid": Logit({"age": 0.2, "region": {"n": 0.0, "s": 0.5, "w": 1.0}}, -8.0, ("no", "yes")),
        "kind": Table(Factor(("kind", "region"), (TWO, tuple("nsw")), np.array([[0.1, 0.4, 0.7], [0.9, 0.6, 0.3]]))),
        "wage": Linear({"age": 0.3, "paid": {"no": 0.0, "yes": 2.0}, "kind": {"0": 0, "1": -1.0}}, 5, Gaussian(2)),
    })  # fmt: skip
    rows = truth.sample(60_000, seed=4)
    found = StructuralModel.fit(rows, truth.graph)
    wage, paid = found.mechanism("wage"), found.mechanism("paid")
    assert isinstance(wage, Linear) and isinstance(paid, Logit) and paid.states == ("no", "yes")
    assert wage.coefficients["age"] == pytest.approx(0.3, abs=0.015)
    assert wage.coefficients["paid"]["yes"] == pytest.approx(2.0, abs=0.1)
    assert wage.noise.variance == pytest.approx(4.0, rel=0.03)
    assert paid.coefficients["age"] == pytest.approx(0.2, abs=0.02)
    assert paid.coefficients["region"]["w"] == pytest.approx(1.0, abs=0.15)
    assert np.allclose(
        found.mechanism("kind").factor.values, truth.mechanism("kind").factor.values, atol=0.03
    )
    assert found.log_prob(rows).mean() >= truth.log_prob(rows).mean()


def test_a_fitted_number_is_least_squares() -> None:
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(12, 3)), columns=["a", "b", "y"])
    found = StructuralModel.fit(rows, "{a b} -> y").mechanism("y")
    design = np.column_stack([np.ones(12), rows[["a", "b"]]])
    weights, left, *_ = np.linalg.lstsq(design, rows["y"], rcond=None)
    assert [found.intercept, *found.coefficients.values()] == pytest.approx(weights.tolist(), abs=1e-12)
    assert found.noise.variance == pytest.approx(float(left[0]) / 9, rel=1e-12)


def test_a_fitted_logit_solves_its_score_equations() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    rows = pd.DataFrame({"x": x, "y": rng.random(300) < 1 / (1 + np.exp(-x))})
    found = StructuralModel.fit(rows, "x -> y").mechanism("y")
    assert found.states == ("False", "True")
    share = 1 / (1 + np.exp(-found.intercept - found.coefficients["x"] * x))
    assert abs((rows["y"] - share).sum()) < 1e-7 and abs(((rows["y"] - share) * x).sum()) < 1e-7


# -- invariance --------------------------------------------------------------------------------------


def test_the_order_of_vertices_and_rows_does_not_matter() -> None:
    model = mixed_model()
    other = StructuralModel(
        DAG.from_edges(model.graph.directed[::-1], nodes=model.graph.nodes[::-1]),
        dict(reversed(list(model.mechanisms.items()))),
    )
    rows = model.sample(100, seed=1)
    assert np.allclose(other.log_prob(rows[rows.columns[::-1]]), model.log_prob(rows), atol=1e-12)
    assert other.sample(100, seed=1)[rows.columns].equals(rows)
    assert np.array_equal(model.log_prob(rows[::-1]), model.log_prob(rows)[::-1])
    assert copy.deepcopy(model).sample(100, seed=1).equals(rows)
    assert model.sample(100, seed=1).equals(rows) and not model.sample(100, seed=2).equals(rows)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_frames_come_back_as_they_came_in(make) -> None:
    model = StructuralModel(
        "x -> y; x -> s", {"x": Linear(), "y": Linear({"x": 1.0}), "s": Logit({"x": 9.0})}
    )
    frame = make({"unit": ["p", "q"], "s": [True, False], "x": [1, -1], "y": [2.0, 3.0]})
    model = StructuralModel(
        model.graph, {**model.mechanisms, "s": Logit({"x": 9.0}, states=("False", "True"))}
    )
    found = model.counterfactual(frame, do={"x": 3})
    assert type(found) is type(frame) and list(found.columns) == list(frame.columns)
    assert (
        list(found["unit"]) == ["p", "q"]
        and list(found["y"]) == [4.0, 7.0]
        and list(found["s"]) == [True, True]
    )
    texts = make({"s": ["0", "1"], "x": [0.0, -1.0], "y": [2.0, 3.0]})
    model = StructuralModel(model.graph, {**model.mechanisms, "s": Logit({"x": 9.0})})
    assert list(model.counterfactual(texts, do={"x": 9.0})["s"]) == ["1", "1"]


def test_an_index_and_categories_are_kept() -> None:
    model = StructuralModel("x -> s", {"x": Linear(), "s": Logit({"x": 9.0})})
    frame = pd.DataFrame(
        {"x": [0.0, 1.0], "s": pd.Categorical(["0", "1"], categories=["0", "1"])}, index=[7, 3]
    )
    found = model.counterfactual(frame, do={"x": -9.0})
    assert found.index.tolist() == [7, 3] and found["s"].tolist() == ["0", "0"]
    assert found["s"].dtype == frame["s"].dtype


def test_a_chain_of_a_hundred_vertices_is_exact_and_quick() -> None:
    names = [f"v{i}" for i in range(100)]
    model = StructuralModel(
        DAG.from_edges(pairwise(names), nodes=names),
        {name: Linear({names[i - 1]: 1.0} if i else {}) for i, name in enumerate(names)},
    )
    assert model.law().covariance[99, 99] == pytest.approx(100)
    assert model.law(given={"v99": 50.0}).keep(["v49"]).mean[0] == pytest.approx(25.0)


def test_densities_of_whole_rows_keep_their_digits_where_noises_differ_by_far() -> None:
    row = pd.DataFrame({"x": [1e9], "y": [1e9 + 1], "z": [1e9 - 2]})
    expected = stats.norm(0, 1e9).logpdf(1e9) + stats.norm().logpdf(1) + stats.norm().logpdf(2)
    assert TINY.log_prob(row)[0] == pytest.approx(expected, abs=1e-9)


def test_a_model_reads_as_equations() -> None:
    text = str(curved_model())
    assert "b = f(causes) + Gaussian(0.5)" in text and "e = f(causes)" in text
    assert "covariance of the noises of b and d: -0.3" in text
    assert "c = 2 - 1 b + Gaussian(1)" in str(linear_model())
    assert copy.deepcopy(GOOD.condition({"y": 1.0})).law.mean.tolist() == pytest.approx([0.5])


# -- refusals ----------------------------------------------------------------------------------------

X = {"x": Linear()}
GOOD = StructuralModel("x -> y", {**X, "y": Linear({"x": 1.0})})
CURVE = StructuralModel("x -> y", {**X, "y": Function(lambda v: v["x"] ** 3, Uniform(0, 1e-7))})
TINY = StructuralModel("x -> y; x -> z", {"x": Linear(noise=Gaussian(1e9)), "y": Linear({"x": 1.0}),
                                          "z": Linear({"x": 1.0})})  # fmt: skip
FRAME = pd.DataFrame({"x": [0.0, 1.0], "y": [0.5, 2.0]})
TWINS = pd.DataFrame({"x": [0.0, 1, 2, 4], "z": [1.0, 3, 5, 9], "y": [3.0, 1, 2, 0]})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: StructuralModel("x -> y", X), "node 'y': expected a mechanism, has none"),
        (lambda: StructuralModel("x -> y", {**X, "y": Linear()}), r"for each of its causes \(x\), got none"),
        (lambda: StructuralModel("x", {**X, "y": Linear()}), "no node 'y'"),
        (lambda: StructuralModel("x <-> y", {**X, "y": Linear()}), "needs the covariance"),
        (
            lambda: StructuralModel("x <-> y", {**X, "y": Linear(noise=Uniform())}, {("x", "y"): 0.1}),
            "node 'y': .* Gaussian noise",
        ),
        (lambda: StructuralModel("x <-> y", {**X, "y": Linear()}, {("x", "y"): 1.5}), "least eigenvalue -0.5"),
        (lambda: StructuralModel("x -> y", {**X, "y": Linear({"x": 1})}, {("x", "y"): 1.5}), "no edge x <-> y"),
        (
            lambda: StructuralModel("x -> y", {**X, "y": table("yx", [[0.5, 0.5], [0.5, 0.5]])}),
            "its cause x is a number",
        ),
        (lambda: StructuralModel("x", {"x": table("x", [0.5, 0.6])}), r"sums to 1\+0.1"),
        (
            lambda: StructuralModel("s -> y", {
                "s": Table(Factor(("s",), (("lo", "hi"),), np.array([0.5, 0.5]))), "y": Linear({"s": 1.0})}),
            "coefficient of 's': its states",
        ),
        (lambda: StructuralModel("x -> y", {**X, "y": Linear({"x": {"a": 1.0}})}), "because it has no states"),
        (lambda: StructuralModel("x -> y", {**X, "y": Linear({"x": math.nan})}), "finite number, got nan"),
        (lambda: StructuralModel("x", {"x": Logit(states=("a", "a"))}), "two different states"),
        (lambda: Gaussian(0.0), "above 0, got 0.0"),
        (lambda: Uniform(1, 1), "low below high"),
        (lambda: Discrete((0, 1), (0.5, 0.6)), "sum 1.1"),
        (lambda: GOOD.do({"x": "high"}), "finite number, got 'high'"),
        (lambda: GOOD.do({"z": 1.0}), "no node 'z'"),
        (lambda: GOOD.sample(3, given={"x": 1.0}, do={"x": 1.0}), "set from outside and observed"),
        (lambda: GOOD.sample(0), "whole number of at least 1"),
        (lambda: GOOD.sample(3, seed=-1), "whole number from 0"),
        (lambda: GOOD.network, "node 'x': .* this one has none"),
        (lambda: mixed_model().law(), "closed form needs every vertex"),
        (lambda: CURVE.sample(1_000, given={"y": 1.0}), "drawn rows agree with what was seen of y"),
        (lambda: CURVE.sample(3, given={"x": 1.0, "y": 5.0}), "probability zero"),
        (lambda: CURVE.log_prob(FRAME, given={"x": 1.0, "y": 5.0}), "probability zero"),
        (lambda: CURVE.log_prob(FRAME[["y"]]), "x is left out"),
        (lambda: GOOD.do({"x": 1.0}).sample(3, given={"x": 2.0}), "x was set to another value"),
        (lambda: TINY.log_prob(pd.DataFrame({"z": [0.0], "y": [0.0]})), "follow from the others up to rounding"),
        (lambda: CURVE.counterfactual(FRAME, do={"x": 1.0}), "value in rows 1 and 2 does not follow"),
        (lambda: CURVE.counterfactual(FRAME[["y"]], do={"x": 1.0}), "column 'x': the table lacks this vertex"),
        (lambda: GOOD.counterfactual(FRAME.assign(y=[1.0, None]), do={"x": 1.0}), "missing values in row 2"),
        (lambda: GOOD.counterfactual(FRAME, do={"x": 1.0}, coupling="best"), "expected one of none"),
        (lambda: GOOD.log_prob(FRAME.assign(z=1.0)), "column 'z': no such column"),
        (
            lambda: StructuralModel("x", {"x": Function(lambda v: [1.0, 2.0])}).sample(3),
            r"it returned an array of shape \(2,\)",
        ),
        (lambda: StructuralModel("x", {"x": Function(lambda v: v["z"])}).sample(3), "it failed with KeyError"),
        (lambda: StructuralModel.fit(FRAME, "x <-> y"), "hidden cause x <-> y"),
        (lambda: StructuralModel.fit(FRAME, "x -> y"), "more rows than the 2 numbers to learn, got 2"),
        (lambda: StructuralModel.fit(TWINS, "{x z} -> y"), "copies or sums of each other"),
        (lambda: StructuralModel.fit(pd.DataFrame({"x": range(9), "y": range(9)}), "x -> y"), "without error"),
        (
            lambda: StructuralModel.fit(pd.DataFrame({"x": range(9), "y": list("abcabcabc")}), "x -> y"),
            "has 3 states and a cause that is a number",
        ),
        (
            lambda: StructuralModel.fit(pd.DataFrame({"x": range(9), "y": list("aaaaabbbb")}), "x -> y"),
            "coefficients grow without end",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused(wrong, message) -> None:
    with pytest.raises((GraphError, DataError, EstimationError, StudyError), match=message):
        wrong()
