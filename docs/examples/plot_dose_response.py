"""
What would another dose have done?
==================================

A straight line says how much the outcome changes per unit of a dose. Often that is not the question: a little may
help, more may harm. Here is a simulated world in which the true curve is known, the dose goes with the covariates
that drive the outcome, and one attention network (TransTEE) has to find the curve.
"""

# %%
# The world
# ---------
# Six covariates, a dose between 0 and 1, and a response that rises and falls with it.

import numpy as np

from suppose.datasets import make_dose_response

world = make_dose_response(400, 200, seed=1)
X, y = world.part("train")
print(world)

# %%
# The curve
# ---------
# ``members`` networks are trained together, each on its own draw of the rows; their spread is the band. A few
# epochs are enough to see the shape, the defaults take a minute or two.

from suppose.effects import TransTEE

model = TransTEE("dose", epochs=60, members=5, learning_rate=0.02, seed=1).fit(X, y)
test, _ = world.part("test")
curve = model.dose_response(test)
print(curve)

# %%
# Beside the truth, and beside what one would have read off the data without adjustment: the mean outcome of
# the people who happened to have each dose.

import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(6.4, 3.8))
curve.plot(ax, unit="mean outcome")
truth = world.dose_response(curve.grid, rows=~world.train)
ax.plot(curve.grid, truth, color="#1f2430", linestyle="--", linewidth=1.6)
bins = np.quantile(X["dose"], np.linspace(0, 1, 9))
place = np.digitize(X["dose"], bins[1:-1])
means = [(X["dose"][place == k].mean(), y[place == k].mean()) for k in range(8)]
ax.plot(*zip(*means, strict=True), "o", color="#d1741f")
ax.set_title("Curve and band; dashed: the truth; dots: not adjusted")
plt.show()

# %%
# A contrast
# ----------
# The difference between two doses, for every row and on average.

found = model.effect(test, to=0.9, from_=0.5)
print(found)

# %%
# Doses that were never seen are refused, unless you ask for a guess.

from suppose.core.errors import DataError

try:
    model.effect(test, to=1.5, from_=0.5)
except DataError as refusal:
    print(refusal)

# %%
# Where it looked
# ---------------
# The attention of the dose to the covariates. It tells you about the network, not about causes.

look = model.explain(test)
print(look)
fig, ax = plt.subplots(figsize=(6.4, 2.6))
look.plot(ax)
plt.show()
