"""
Does giving up smoking make one heavier?
========================================

1,566 smokers were weighed in 1971 and again in 1982. In between 403 of them had given up. Those who did
were older, more often men and more often white, and had smoked less, so the plain difference in weight
gain mixes the effect of giving up with who gave up. Chapters 12 and 13 of Hernan and Robins,
*Causal Inference: What If*, take this question through several methods; here are four of them.
"""

# %%
# A graph first
# -------------
# What must be adjusted for is not a question for the data but for what one knows. The book takes nine things
# measured in 1971 as common causes of giving up and of weight gain.

from suppose.datasets import dataset_info, load_nhefs
from suppose.graphs import DAG, adjustment_sets, is_adjustment_set

COMMON_CAUSES = [
    "sex",
    "race",
    "age",
    "education",
    "smokeintensity",
    "smokeyrs",
    "exercise",
    "active",
    "wt71",
]
columns = dataset_info("nhefs").columns
for name in ("qsmk", "wt82_71", *COMMON_CAUSES):
    print(f"{name:15} {columns[name]}")

# %%
# Written as a graph, with one thing more: blood pressure in 1982, which giving up may have changed.

arrows = [f"{cause} -> qsmk; {cause} -> wt82_71" for cause in COMMON_CAUSES]
graph = DAG(
    "; ".join([*arrows, "qsmk -> wt82_71", "qsmk -> sbp", "wt82_71 -> sbp"])
)
print(adjustment_sets(graph, "qsmk", "wt82_71"))
print(is_adjustment_set(graph, "qsmk", "wt82_71", [*COMMON_CAUSES, "sbp"]))

# %%
# Four estimates
# --------------
# Codes such as ``education`` are names, not amounts, so each value gets a column; the amounts also enter
# squared, as in the book.

import pandas as pd

from suppose.effects import (
    DifferenceInMeans,
    GComputation,
    Interactive,
    InverseProbability,
)

nhefs = load_nhefs()
codes = pd.get_dummies(
    nhefs[["education", "exercise", "active"]].astype(str),
    drop_first=True,
    dtype=float,
)
amounts = nhefs[["age", "smokeintensity", "smokeyrs", "wt71"]]
squares = (amounts**2).add_suffix("_squared")
X = pd.concat([nhefs[["qsmk", "sex", "race"]], amounts, squares, codes], axis=1)
y = nhefs["wt82_71"]

found = {
    "difference of means": DifferenceInMeans("qsmk").fit(X, y),
    "weighting": InverseProbability("qsmk", seed=1).fit(X, y),
    "g-computation": GComputation("qsmk", seed=1).fit(X, y),
    "AIPW (both)": Interactive("qsmk", seed=1).fit(X, y),
}
for name, model in found.items():
    effect = model.effect_
    print(
        f"{name:20} {effect.estimate:.2f} kg, 95% interval {effect.low:.2f} to {effect.high:.2f}"
    )

# %%
# Side by side
# ------------
# The book reports 2.5 kg before adjustment, 3.4 kg (2.4 to 4.5) by weighting and 3.5 kg (2.6 to 4.5) by
# standardisation.

import matplotlib.pyplot as plt

from suppose.core.figures import forest

rows = [
    (name, m.effect_.estimate, m.effect_.low, m.effect_.high)
    for name, m in found.items()
]
fig, ax = plt.subplots(figsize=(6.4, 2.5))
forest(rows, unit="effect of giving up on weight gain, kg", emphasis=3, ax=ax)
plt.show()

# %%
# Are those who gave up and those who went on alike?
# --------------------------------------------------

from suppose.effects.balance import check_balance
from suppose.effects.overlap import check_overlap

balance, overlap = (
    check_balance(found["AIPW (both)"]),
    check_overlap(found["AIPW (both)"]),
)
fig, (left, right) = plt.subplots(1, 2, figsize=(8.6, 4.4))
overlap.plot(left)
balance.plot(right)
plt.show()

# %%
# What if something was not measured?
# -----------------------------------
# Overlap and balance say nothing about what was not measured. The sensitivity analysis does: it says how
# strong a hidden common cause would have to be.

from suppose.effects.sensitivity import check_sensitivity

print(check_sensitivity(found["AIPW (both)"]))
