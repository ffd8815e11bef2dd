"""
What would smoking do, if a hidden cause drives both smoking and cancer?
=========================================================================

A hundred people, invented for a textbook (Jacobs, Kissinger and Zanasi, *Causal inference by string diagram
surgery*): who smokes (``S``), who has tar in the lungs (``T``), who has cancer (``C``). Something that was not
measured drives both smoking and cancer, so that no comparison of smokers with others is fair, and there is nothing
to adjust for.
"""

# %%
# The graph, and what it lets one compute
# ---------------------------------------
# ``<->`` is the hidden cause. All that smoking does goes through tar, and the hidden cause does not reach there:
# that is enough. The formula, and the argument for it, follow from the graph alone.

from suppose.graphs import DAG, identify

graph = DAG("S -> T -> C; S <-> C")
effect = identify(graph, "C", "S")
print(effect)
print()
print(effect.explain())

# %%
# The number
# ----------
# A formula in observed shares is evaluated on a table. The question kind ``intervention`` does this with a
# bootstrap, puts what is observed beside it, and estimates the same by another way.

from suppose.datasets import load_smoking
from suppose.studies.intervention import Intervention

answer = Intervention.from_frame(
    load_smoking(),
    graph=graph.text,
    do={"S": 1},
    against={"S": 0},
    outcome="C",
    state=1,
).run()
print(answer.sentence)

# %%
# Filled marks: were everyone given the setting. Open marks: among those who have it by themselves, where the
# hidden cause speaks as well. It makes smoking look worse than it is here.

from matplotlib import pyplot

_, ax = pyplot.subplots(figsize=(6, 2.2), layout="constrained")
shares = answer.table("settings").to_frame().query("C == '1'")
ax.hlines(shares["setting"], shares["low"], shares["high"], color="#2f6fab", lw=2)
ax.plot(shares["if set"], shares["setting"], "o", color="#2f6fab", label="if set")
ax.plot(
    shares["as observed"],
    shares["setting"],
    "D",
    mfc="none",
    mec="#d1741f",
    label="as observed",
)
ax.set(xlabel="share with cancer", ylim=(-0.6, 1.6))
ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.25), ncols=2, frameon=False)

# %%
# One arrow more, and no table can tell
# -------------------------------------
# Let smoking act on cancer directly as well. Now two worlds agree on everything observed and differ in the
# answer. Here they are, and what would help.

closed = identify(DAG("S -> T -> C; S -> C; S <-> C"), "C", "S")
print(closed)
pair = closed.models()
print(pair)
for remedy in closed.remedies():
    print("-", remedy)
