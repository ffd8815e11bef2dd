"""ID* and IDC*: formulas against enumeration of every hidden state, known results, the counterfactual graph."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from suppose.core.errors import EstimationError, GraphError
from suppose.graphs import DAG
from suppose.graphs.factors import Factor
from suppose.graphs.identification import Event, identify_counterfactual
from suppose.graphs.identification.worlds import worlds_of


def test_random_questions_against_enumeration(lab):
    rng, draws = random.Random(1), np.random.default_rng(1)
    identified = conflicts = hedges = 0
    for _ in range(350):
        dag, events, given = lab.random_worlds(rng)
        model = lab.Model(dag, draws)
        below = model.probability(given)
        if below < 1e-9:
            continue
        found = identify_counterfactual(dag, events, given)
        if not found:
            conflicts, hedges = conflicts + (found.conflict is not None), hedges + (found.effect is not None)
            continue
        identified += 1
        truth = model.probability([*events, *given]) / below
        assert abs(found.evaluate(model.joint()) - truth) < 1e-9, str(found)
    assert identified > 200 and conflicts > 25 and hedges > 2


@pytest.mark.slow
def test_many_random_questions_against_enumeration(lab):
    rng, draws = random.Random(2), np.random.default_rng(2)
    for _ in range(10_000):
        dag, events, given = lab.random_worlds(rng)
        model = lab.Model(dag, draws)
        below = model.probability(given)
        if below > 1e-9 and (found := identify_counterfactual(dag, events, given)):
            truth = model.probability([*events, *given]) / below
            assert abs(found.evaluate(model.joint()) - truth) < 1e-9, str(found)


def test_verdicts_agree_with_sharp_bounds(lab):
    """Identified exactly where all models of the graph with one observed law give one answer.

    Except where that answer is certain (0 or 1) for the sole reason that a bit has two states.
    """
    rng, draws, verdicts = random.Random(3), np.random.default_rng(3), []
    while len(verdicts) < 60:
        nodes = [f"v{i}" for i in range(rng.choice([2, 3]))]
        pairs = list(itertools.combinations(nodes, 2))
        dag = DAG.from_edges([pair for pair in pairs if rng.random() < 0.7], pairs, nodes)
        events = lab.random_events(rng, nodes, rng.choice([1, 2, 2, 3]))
        given = lab.random_events(rng, nodes, rng.choice([0, 0, 1, 2]))
        try:
            found = bool(identify_counterfactual(dag, events, given))
        except GraphError:
            continue
        low, high = lab.sharp_bounds(dag, events, given, draws)
        certain = len(events) + len(given) > 1 and min(abs(low), abs(high - 1)) < 1e-9 and high - low < 1e-9
        assert found == (high - low < 1e-6) or (certain and not found), (dag, events, given, low, high)
        verdicts.append(found)
    assert 30 < sum(verdicts) < 58


def test_what_follows_is_certain():
    graph = "X -> Y; X <-> Y"
    known = [Event("Y", "1", {"X": "1"}), Event("X", "0")]
    assert str(identify_counterfactual(graph, Event("Y", "1", {"X": "1"}), known).formula) == "1"
    assert str(identify_counterfactual(graph, Event("Y", "0", {"X": "1"}), known).formula) == "0"


def test_effect_on_the_treated():
    # Identified in the bow for the setting that was (consistency), not for the other.
    same = identify_counterfactual("X -> Y; X <-> Y", Event("Y", "1", {"X": "1"}), Event("X", "1"))
    assert str(same) == "P(Y[X = 1] = 1 | X = 1) = P(Y = 1 | X = 1)"
    other = identify_counterfactual("X -> Y; X <-> Y", Event("Y", "1", {"X": "0"}), Event("X", "1"))
    assert not other and other.conflict == "X" and "X would have to be 0 and 1 at once" in other.reason
    through = identify_counterfactual("X -> M -> Y; X <-> Y", Event("Y", "1", {"X": "0"}), Event("X", "1"))
    assert str(through.formula) == "sum_{M} P(Y = 1 | X = 1, M) P(M | X = 0)"


def test_an_experiment_could_tell_what_observations_cannot():
    found = identify_counterfactual("X -> Y; X <-> Y", Event("Y", "1", {"X": "1"}))
    assert not found and found.conflict is None and found.effect is not None and not found.effect
    assert found.effect.hedge.roots == ("Y",)
    with pytest.raises(EstimationError, match="is not identified") as caught:
        found.evaluate(None)
    assert caught.value.code == "no-formula"


def test_necessity_and_sufficiency_are_not_identified():
    found = identify_counterfactual("X -> Y", [Event("Y", "1", {"X": "1"}), Event("Y", "0", {"X": "0"})])
    assert not found and found.conflict == "X"


def test_two_worlds_that_share_no_noise_multiply():
    # M in the world as it is, Y in the world where M is set: in X -> M -> Y they share nothing but X.
    found = identify_counterfactual("X -> M -> Y", [Event("M", "1"), Event("Y", "1", {"M": "0"})])
    assert str(found.formula).count("P(Y = 1 | M = 0)") == 1
    joint = Factor(
        ("X", "M", "Y"), (("0", "1"),) * 3, np.random.default_rng(3).dirichlet(np.ones(8)).reshape(2, 2, 2)
    )
    m = joint.keep("M").values
    y = joint.keep(("M", "Y")).values[0]
    x = joint.keep("X").values @ (joint.keep(("X", "M")).values[:, 1] / joint.keep("X").values)
    assert abs(x - m[1]) < 1e-12
    assert abs(found.evaluate(joint) - m[1] * y[1] / y.sum()) < 1e-12


def test_copies_that_agree_by_what_was_seen(lab):
    # Two copies of X, both seen to be 1, stand for one another as causes of Y.
    dag = DAG("W -> X -> Y; W <-> Y")
    events, given = [Event("Y", "1", {"W": "0"})], [Event("X", "1"), Event("X", "1", {"W": "0"})]
    assert not identify_counterfactual(dag, events, given)
    dag = DAG("W -> X -> Y")
    model = lab.Model(dag, np.random.default_rng(6))
    found = identify_counterfactual(dag, events, given)
    assert str(found.formula) == "P(Y = 1 | X = 1)"
    truth = model.probability([*events, *given]) / model.probability(given)
    assert abs(found.evaluate(model.joint()) - truth) < 1e-9


def test_contradictions_and_tautologies():
    zero = identify_counterfactual("X -> Y", [Event("Y", "1", {"X": "1"}), Event("Y", "0"), Event("X", "1")])
    assert zero.evaluate(Factor((), (), np.array(1.0))) == 0.0 and str(zero.formula) == "0"
    one = identify_counterfactual("X -> Y", Event("X", "1", {"X": "1"}))
    assert one.evaluate(Factor((), (), np.array(1.0))) == 1.0
    with pytest.raises(GraphError, match=r"X\[X = 1\] = 0 cannot all be true") as caught:
        identify_counterfactual("X -> Y", Event("Y", "1"), Event("X", "0", {"X": "1"}))
    assert caught.value.code == "contradiction"


def test_worlds_are_merged():
    graph = DAG("X -> M -> Y; Z -> Y")
    merged = worlds_of(graph, [Event("Y", "1", {"X": "0"}), Event("M", "1"), Event("Z", "0", {"X": "1"})])
    assert [(node.variable, node.world) for node in merged.nodes] == [
        ("X", ()), ("Z", ()), ("M", ()), ("M", (("X", "0"),)), ("Y", (("X", "0"),)),
    ]  # fmt: skip
    drawn = merged.graph(graph)
    assert drawn.children("Z") == ("Y[X = 0]",) and drawn.siblings("M") == ("M[X = 0]",)


def test_the_order_of_events_does_not_matter(lab):
    rng = random.Random(4)
    for _ in range(60):
        dag, events, given = lab.random_worlds(rng)
        try:
            first = identify_counterfactual(dag, events, given)
        except GraphError:
            continue
        second = identify_counterfactual(dag, events[::-1], given[::-1])
        assert bool(first) == bool(second)


def test_steps_and_printing():
    found = identify_counterfactual("X -> M -> Y; X <-> Y", Event("Y", "1", {"X": "0"}), Event("X", "1"))
    assert [step.rule for step in found.steps if step.rule == 11] == [11, 11]
    assert found.explain().splitlines()[-1] == str(found)
    assert r"P(M \mid X{=}0)" in found.latex() and "<mtext>0</mtext>" in found.mathml()


def test_refusals():
    with pytest.raises(GraphError, match="at least one event"):
        identify_counterfactual("X -> Y", [])
    with pytest.raises(GraphError, match="events: the graph has no node 'Q'"):
        identify_counterfactual("X -> Y", Event("Y", "1", {"Q": "1"}))
    with pytest.raises(GraphError, match="given: 'U' is latent"):
        identify_counterfactual(DAG("U -> Y", latent="U"), Event("Y", "1"), Event("U", "1"))
