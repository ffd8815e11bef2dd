"""
What does a pixel do to the light?
==================================

A screen shows nine random pixels to a light sensor while a lamp shines on both the camera that reads the pixels and
the sensor (Janzing 2019). The lamp moves inputs and outcome alike: whoever does not see it gets wrong effects. In
this device the lamp was recorded, so the right ones are known.
"""

# %%
# Least squares, without the lamp
# -------------------------------

from suppose.datasets import load_optical_device
from suppose.effects.augmentation import GaussianNoise, IVLRegressor, ncer

device = load_optical_device(77)
model = IVLRegressor(GaussianNoise(), low=1e-3, seed=1)
model.fit(device.X, device.y)
for name, coefficients in model.alternatives_.items():
    error = ncer(coefficients, device.f)
    print(
        f"{name:8} pixel 9: {coefficients[8]:6.3f}, error of all nine {error:.2f}"
    )
print(f"known    pixel 9: {device.f[8]:6.3f}")

# %%
# The change that should not matter is a little noise on the pixels. Training on noisy pixels (DA+ERM) helps a little,
# using the noise itself as if it were an instrument (IVL) helps more. By itself it is a poor instrument (DA+IV). To be
# exact, the noise leaves the light alone on average and not row by row; for straight lines it is a way of shrinking.
#
# The weight of the compromise
# ----------------------------
# At the right, least squares on noisy pixels; at the left, the instrument alone. The lines are the choices of the
# three rules, which see neither lamp nor truth.

import matplotlib.pyplot as plt

path = model.path()
ax = path.plot(highlight=8)
ax.axhline(device.f[8], color="#d1741f", ls="--", lw=1)
ax.set_ylabel("effect of each pixel")
plt.show()

# %%
# What if the noise did change the light?
# ---------------------------------------
# Nothing in the table can show that it does not. What can be said is how much it would take.

import numpy as np

from suppose.effects.augmentation import violation_curve

curve = violation_curve(
    model.moments_,
    model.jacobian_,
    model.parameter_covariance_,
    model.coef_,
    model.alpha_,
    np.eye(9)[8],
)
curve.plot(unit="effect of pixel 9")
plt.show()
print(curve)
