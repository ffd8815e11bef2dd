"""Wrong kinds of input, without the type checks that tests run under: refused in words, never a raw traceback."""

from __future__ import annotations

import subprocess
import sys

CALLS = """
DAG(3); DAG(None); DAG(b"a -> b"); DAG(["a -> b"]); DAG("a -> b", treatment=3); DAG("a -> b", latent=[1])
DAG("a -> b", treatment=["a", ["b"]]); DAG.from_edges(3); DAG.from_edges("ab"); DAG.from_edges([("a", "a")])
DAG.from_edges([("a", None)]); DAG.from_edges([], nodes=[3]); DAG.from_edges([("a", "b"), ("b", "a")])
DAG.from_dagitty(3); DAG.from_dot(None); DAG.from_networkx(3); DAG.from_networkx({"a": ["b"]})
dag.parents(3); dag.parents(None); dag.ancestors([["a"]]); dag.subgraph("z"); dag.replace(directed=3)
dag.replace(treatment=3); dag.replace(colour="red"); dag.to_svg(direction=3); dag.to_svg(treatment=1)
draw("a -> b"); d_separated("a -> b", "a", "b"); d_separated(dag, 1, "b"); d_separated(dag, "a", "b", 3)
d_separated(dag, [], "b"); open_paths(dag, "a", "b", limit="many"); open_paths(dag, "a", "b", limit=2.5)
explain_path(dag, 3); explain_path(dag, ""); explain_path(dag, "a -> z"); adjustment_sets("a -> b", "a", "b")
adjustment_sets(dag); adjustment_sets(dag, "a", "a"); adjustment_sets(dag, "a", "b", 3)
adjustment_sets(dag, "a", "b", limit=None); adjustment_sets(dag, 1, 2); adjustment_sets(dag, "a", "b", latent="a")
is_adjustment_set(dag, "a", "b", 3); is_adjustment_set(dag, "a", "b", "a"); instruments(dag, "a", [])
instruments(None, "a", "b"); frontdoor_sets(dag, "a", "b", None); frontdoor_sets(dag, "a", "b", limit=0)
is_frontdoor_set(dag, "a", "b", "b"); proper_backdoor_graph(3, "a", "b"); proper_backdoor_graph(dag, "a", 3)
"""

PROGRAM = """
import sys
from suppose.core.errors import Refusal
from suppose.graphs import *
dag = DAG("a -> b; c -> b")
for call in sys.stdin.read().replace("\\n", ";").split(";"):
    if call.strip():
        try:
            eval(call.strip())
            sys.stdout.write(f"accepted: {call}\\n")
        except Refusal as refusal:
            if not (refusal.code and refusal.remedy and refusal.where):
                sys.stdout.write(f"bare: {call}: {refusal}\\n")
        except BaseException as error:
            sys.stdout.write(f"raw: {call}: {error!r}\\n")
"""


def test_every_wrong_input_is_refused_with_place_and_remedy():
    calls = [call for line in CALLS.splitlines() for call in line.split("; ") if call]
    assert len(calls) > 50
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], input="\n".join(calls), capture_output=True, text=True, check=True
    )
    assert ran.stdout == ""
