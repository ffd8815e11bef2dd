"""
Did it matter how people were polled before the referendum of 2016?
===================================================================

127 polls asked Britons whether to remain in the European Union or to leave: 85 on the web, 42 by telephone. The
vote itself ended 3.8 points against remaining. Polls by telephone were far kinder to remaining than polls on the
web. Part of that is who can be reached in which way, part is what people say to a person; the vote says how far
each was off.
"""

# %%
# The contrast
# ------------
# ``spread`` is the share for remaining minus the share for leaving.

from suppose.datasets import load_brexit_polls
from suppose.effects.mode import calibrate, mode_contrast

polls = load_brexit_polls()
contrast = mode_contrast(polls["spread"], polls["poll_type"], reference="Online")
print(contrast[0])

# %%
# Against the vote
# ----------------
# A known total turns the difference between two modes into a shift of each.

calibrated = calibrate(polls["spread"], polls["poll_type"], -0.038)
print(calibrated)
ax = calibrated.plot()

# %%
# Should one hold the mode fixed?
# -------------------------------
# With a slope instead of a mean the question becomes harder: adjusting for the mode helps in one graph and harms
# in another. Let a mode move both recorded answers, and let people choose it by what they would answer:

from suppose.effects import mode_safe_sets
from suppose.graphs import DAG

graph = DAG(
    "health -> happiness; health -> health*; happiness -> happiness*; "
    "mode -> {health* happiness*}; {health happiness} -> mode"
)
print(mode_safe_sets(graph, "health", "happiness", "mode"))

# %%
# Nothing is safe. What is left is to say how far answers may have been moved, and to see what would have to be
# believed for the finding to turn. In this made survey a unit of health goes with 0.3 of happiness, and each
# answer on the web is half a point higher:

from suppose.effects import ModeEffectAnalysis
from suppose.worlds.survey import simulate

survey = simulate(
    "S5", 2000, seed=1, beta=0.3, a_x=1, a_y=1, delta_x=0.5, delta_y=0.5
)
model = ModeEffectAnalysis("X*", "M").fit(
    survey.frame[["X*", "M"]], survey.frame["Y*"]
)
print(model.report())
ax = model.tipping_curve().plot()
