"""Wrong kinds of input to networks and structural models, without the type checks tests run under: refused in words."""

from __future__ import annotations

import subprocess
import sys

CALLS = """
DiscreteNetwork(3, {})
DiscreteNetwork("x", None)
DiscreteNetwork("x", {"x": 3})
DiscreteNetwork("x", [1])
DiscreteNetwork.from_bif(3)
DiscreteNetwork.from_bif(None)
DiscreteNetwork.from_bif("")
DiscreteNetwork.fit(3, "x")
DiscreteNetwork.fit(F, 3)
DiscreteNetwork.fit(F, "x -> y", prior="a")
DiscreteNetwork.fit(F, "x -> y", states=3)
DiscreteNetwork.fit(F, "x -> y", states={"x": 3})
load_network(3)
load_network(None)
asia.query(3)
asia.query(None)
asia.query(["lung", 3])
asia.query("lung", given=3)
asia.query("lung", given="smoke")
asia.query("lung", given={3: "yes"})
asia.query("lung", given={"smoke": None})
asia.query("lung", do=["smoke"])
asia.marginals(given=3)
asia.marginals(do="a")
asia.do(3)
asia.do({"smoke": 7})
asia.sample("a")
asia.sample(2.5)
asia.sample(5, seed="a")
asia.log_prob(3)
asia.log_prob({"lung": ["yes"]})
asia.counterfactual(3, do={"smoke": "no"})
asia.counterfactual("lung", do=3)
asia.counterfactual("lung", do={"smoke": "no"}, given=3)
asia.counterfactual("lung", do={"smoke": "no"}, coupling=3)
StructuralModel(3, {})
StructuralModel("x", None)
StructuralModel("x", {"x": 3})
StructuralModel("x", 3)
StructuralModel("x -> y", {"x": Linear(), "y": Linear(3)})
StructuralModel("x -> y", {"x": Linear(), "y": Linear({"x": "a"})})
StructuralModel("x -> y", {"x": Linear(), "y": Linear({"x": 1}, "a")})
StructuralModel("x", {"x": Linear(noise=3)})
StructuralModel("x", {"x": Function(3)})
StructuralModel("x", {"x": Function(lambda v: 1.0, 3)})
StructuralModel("x", {"x": Table(3)})
StructuralModel("x", {"x": Logit(states=3)})
StructuralModel("x", {"x": Logit(states=(1, 2))}).sample(3)
StructuralModel("x <-> y", {"x": Linear(), "y": Linear()}, 3)
StructuralModel("x <-> y", {"x": Linear(), "y": Linear()}, {("x", "y"): "a"})
StructuralModel("x <-> y", {"x": Linear(), "y": Linear()}, {"xy": 0.1})
StructuralModel("x <-> y", {"x": Linear(), "y": Linear()}, {3: 0.1})
StructuralModel.fit(3, "x -> y")
StructuralModel.fit(F, 3)
StructuralModel.fit(F, "x -> y", discrete=3)
StructuralModel.fit(F, "x -> y", discrete="z")
G.sample("a")
G.sample(5, given=3)
G.sample(5, given={"x": None})
G.sample(5, do={"x": [1]})
G.sample(5, seed="a")
G.sample(5, do=3)
G.log_prob(3)
G.log_prob(F.astype(str).assign(x="a"))
G.counterfactual(3, do={"x": 1})
G.counterfactual(F, do=3)
G.counterfactual(F, do={"x": "a"})
G.counterfactual(F, do={"x": 1}, coupling=3)
G.counterfactual(F, do={"x": 1}, seed="a")
G.law(given=3)
G.law(given={"x": "a"})
G.do(3)
G.do({"x": np.nan})
G.condition(3)
G.condition({"q": 1})
Gaussian("a")
Gaussian(None)
Uniform("a", 2)
Uniform(None, None)
Discrete(3, 4)
Discrete(("a",), (1,))
Discrete((1, 2), (0.5,))
Exponential(-1)
"""

PROGRAM = """
import sys
import numpy as np
import pandas as pd
from suppose.core.errors import Refusal
from suppose.graphs import *
from suppose.graphs.structural import *
asia = load_network("asia")
G = StructuralModel("x -> y", {"x": Linear(), "y": Linear({"x": 1.0})})
F = pd.DataFrame({"x": [1.0], "y": [2.0]})
for call in sys.stdin.read().splitlines():
    try:
        eval(call)
        sys.stdout.write(f"accepted: {call}\\n")
    except Refusal as refusal:
        if not (refusal.code and refusal.remedy and refusal.where):
            sys.stdout.write(f"bare: {call}: {refusal}\\n")
    except BaseException as error:
        sys.stdout.write(f"raw: {call}: {error!r}\\n")
"""


def test_every_wrong_input_is_refused_with_place_and_remedy() -> None:
    calls = CALLS.strip().splitlines()
    assert len(calls) > 70
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], input="\n".join(calls), capture_output=True, text=True, check=True
    )
    assert ran.stdout == ""
