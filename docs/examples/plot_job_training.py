"""
What did job training do to earnings?
=====================================

In the 1970s the National Supported Work programme gave a year of guaranteed work to people who had been
out of it, and drew by lot who got the place. The lot gives the right answer. LaLonde (1986) then threw the
untrained half away, put survey respondents in its place, and asked which methods would still have found
that answer. This page does the same.
"""

# %%
# The answer of the experiment
# ----------------------------
# 185 men were trained and 260 were not. Since the lot decided, the difference of mean earnings in 1978 is
# the effect of the programme, give or take luck of the draw, which adjustment for earlier earnings evens out.

from suppose.datasets import load_jobs
from suppose.effects import DifferenceInMeans, Interactive

BEFORE = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]

experiment = load_jobs("experiment")
X, y = experiment[["treat", *BEFORE]], experiment["re78"]
by_lot = DifferenceInMeans("treat").fit(X, y)
by_lot_adjusted = Interactive("treat", seed=1).fit(X, y)
print(by_lot.effect_)
print(by_lot_adjusted.effect_)

# %%
# Without the experiment
# ----------------------
# Now the 185 trained men stand beside 15,992 men of the Current Population Survey, as they would if nobody
# had drawn a lot. The difference of means has the wrong sign, and is off by ten thousand dollars: the men
# of the survey had work all along.

survey = load_jobs("observational")
Z, w = survey[["treat", *BEFORE]], survey["re78"]
naive = DifferenceInMeans("treat").fit(Z, w)
print(naive.effect_)
columns = ["age", "educ", "black", "marr", "re74", "re75"]
print(survey.groupby("treat")[columns].mean().round(2))

# %%
# Adjustment
# ----------
# The effect on those who were trained (ATT) asks only what *they* would have earned, so men of the survey
# who resemble none of them should weigh nothing; hence the low threshold. We adjust for everything known
# before the programme with augmented inverse probability weighting: with straight lines, then with boosted
# trees. suppose warns that most of the survey is of no use here.

import warnings

from suppose.core.errors import OverlapWarning

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", OverlapWarning)
    linear = Interactive("treat", estimand="ATT", threshold=0.0001, seed=1)
    linear.fit(Z, w)
    boosting = Interactive(
        "treat",
        estimand="ATT",
        threshold=0.0001,
        outcome_learner="boosting",
        repeats=3,
        seed=1,
    )
    boosting.fit(Z, w)
print(linear.effect_)
print(boosting.effect_)
print(caught[-1].message)

# %%
# How far to trust it
# -------------------
# An estimate stands only where trained and untrained men are alike. With straight lines the 15,992 men
# count as some four hundred, and the two groups they make up are alike:

from suppose.effects.balance import check_balance
from suppose.effects.overlap import check_overlap

balance, overlap = check_balance(linear), check_overlap(linear)
print(overlap.verdict, "|", balance)

# %%

import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(6.4, 3.4))
balance.plot(ax)
plt.show()

# %%
# Boosted trees tell the two groups apart so well that hardly any man of the survey is left to compare
# with. The interval is fifteen thousand dollars wide on either side, and the check says why:

print(check_overlap(boosting))

# %%
# Side by side
# ------------
# The dashed line is the answer of the experiment. The boosted estimate would not fit on the page.

# sphinx_gallery_thumbnail_number = 2
from suppose.core.figures import forest

found = {
    "experiment: difference": by_lot,
    "experiment: AIPW": by_lot_adjusted,
    "survey: difference": naive,
    "survey: AIPW": linear,
}
rows = [
    (name, m.effect_.estimate, m.effect_.low, m.effect_.high)
    for name, m in found.items()
]
fig, ax = plt.subplots(figsize=(6.4, 2.8))
forest(
    rows,
    unit="effect on earnings in 1978, dollars",
    reference=by_lot.effect_.estimate,
    ax=ax,
)
plt.show()

# %%
# Adjustment found the sign and roughly the size that the difference of means missed by ten thousand dollars.
# But its interval reaches zero, another learner has nothing to say, and nothing in the survey data could
# have told us that no unmeasured difference was left. ``suppose run`` prints all of this beside the number.
