"""
Do the intervals keep their promise?
====================================

A 95% interval should contain the truth in 95 of 100 tables. With real data nobody knows the truth, so we
draw tables of which we do: people who take the treatment differ from those who do not in two measured ways,
through curves that no straight line follows.
"""

# %%
# One table
# ---------
# ``truth`` holds the effect in the population; ``oracle`` what no study would see, row by row.

from suppose.datasets import make_confounded

table = make_confounded(1_000, 4, effect=1.0, form="nonlinear", seed=1)
print(table)
print(table.frame.groupby("d")["y"].mean().round(2).to_string())

# %%
# The treated do better by far more than the treatment does for them. Adjusting along straight lines removes
# a part of it; boosted trees, which learn the curves on other rows than they predict, remove nearly all of the rest.

from suppose.effects import Interactive

for learner in ("linear", "boosting"):
    model = Interactive("d", outcome_learner=learner, seed=1)
    effect = model.fit(table.X, table.y).effect_
    print(
        f"{learner:8} {effect.estimate:.2f}, 95% interval {effect.low:.2f} to {effect.high:.2f}"
    )

# %%
# Twenty tables
# -------------
# The same on twenty tables, drawn with twenty seeds. Each line is one interval; orange ones miss the truth.

import matplotlib.pyplot as plt

fig, axes = plt.subplots(1, 2, sharex=True, sharey=True, figsize=(6.4, 4.2))
for ax, learner in zip(axes, ("linear", "boosting"), strict=True):
    hits = 0
    for seed in range(20):
        table = make_confounded(1_000, 4, effect=1.0, form="nonlinear", seed=seed)
        model = Interactive("d", outcome_learner=learner, seed=seed)
        effect = model.fit(table.X, table.y).effect_
        hit = effect.low <= table.truth["ATE"] <= effect.high
        hits += hit
        ax.plot(
            [effect.low, effect.high], [seed, seed], color="C0" if hit else "C1"
        )
    ax.axvline(1.0, color="#6b7280", ls="--", lw=1)
    ax.set(title=f"{learner}: {hits} of 20", xlabel="effect", yticks=[])
plt.show()

# %%
# The wrong learner is not just less precise: its intervals are confidently beside the truth. No check on the
# data can prove the learner right, which is why a study compares several and says when they disagree.
