"""
Does money after prison delay the next arrest?
==============================================

Rossi, Berk and Lenihan followed 432 men for a year after their release in Maryland. Half of them, drawn by lot, were
given financial aid. 114 were arrested again; the others are *censored* at 52 weeks: nothing happened, so far.
"""

# %%
# The curves, with and without a model
# ------------------------------------
# The steps are Kaplan-Meier curves of the two halves, which assume nothing. The smooth curves are the flexible family,
# averaged over all 432 men: everyone with the aid against everyone without, convictions held as they are.

from matplotlib import pyplot

from suppose.datasets import load_rossi
from suppose.effects import FlexibleSurvival, KaplanMeier

rossi = load_rossi()
X, y = rossi[["arrest", "fin", "prio"]], rossi["week"]
model = FlexibleSurvival("arrest", scale="aft").fit(X, y)
observed = KaplanMeier("arrest", by="fin").fit(X, y)

_, ax = pyplot.subplots(figsize=(6, 3.6), layout="constrained")
weeks = range(1, 53)
aid, none = model.treatment_curves(X, "fin", list(weeks))
for curve, seen, colour, words in (
    (none, observed.curves_[0], "orange", "without aid"),
    (aid, observed.curves_[1], "blue", "with aid"),
):
    seen.plot(ax, colour=colour, band=False, label="")
    curve.plot(ax, colour=colour, label=words)
ax.set(xlabel="weeks after release", ylabel="share not arrested", ylim=(0.6, 1.01))
ax.legend(loc="lower left")

# %%
# What it comes to
# ----------------
# The average time without arrest in the first year, and the share still without one at its end.

for effect in (
    *model.effect(X, "fin", times=52, measure="rmst"),
    *model.effect(X, "fin", times=52),
):
    print(effect)

# %%
# Does the aid wear off?
# ----------------------
# Cox regression answers with one number. Letting the aid act on the shape as well lets the hazard ratio move.

bent = FlexibleSurvival("arrest", scale="aft", formulas={"gamma": "fin"}).fit(X, y)
ratio = bent.treatment_hazard_ratio(X, "fin", list(range(2, 53)))
ax = ratio.plot()
ax.axhline(1, color="#6b7280", linestyle="--", linewidth=1)
ax.set(xlabel="weeks after release", ylabel="hazard ratio", ylim=(0, 2))

# %%
# It hardly does, and the data are far from saying more: the band is wide early on, when few are arrested.

# %%
# Is a simpler law enough?
# ------------------------
# Twice the difference of log-likelihoods says that Weibull would do here (``kappa = 1``). The family is what let us
# ask.

from suppose.effects.survival import test_kappa

print(test_kappa(model, X, y, 1.0))
