"""
Second derivatives of noisy data
================================

A second difference divides by the square of the step. Noise does not shrink with the
step, so that a finer grid makes it worse. There are two ways out: a longer step, or a
polynomial that is fitted to a window, as `scipy.signal.savgol_filter` does.
"""

import numpy as np
from matplotlib import pyplot as plt
from scipy.signal import savgol_filter

import anygrad

random = np.random.default_rng(3)
step = 0.01
x = np.arange(0.0, 6.0, step)
truth = -np.sin(x)
noise = 1e-3 * random.standard_normal(x.size)
samples = np.sin(x) + noise

# %%
# The check: an error of ``e`` in a sample becomes up to ``4 * e / step**2``, and with
# independent errors, ``sqrt(6) * e / step**2`` in the mean square: 24 here, for a
# derivative of 1.

bound = 4 * np.abs(noise).max() / step**2
plain = anygrad.derivative(samples, spacing=step, order=2)
of_noise = anygrad.derivative(noise, spacing=step, order=2)[1:-1]
assert np.abs(of_noise).max() <= bound
print(f"{of_noise.std():.1f}, and expected are {np.sqrt(6) * 1e-3 / step**2:.1f}")

# %%
# Every 40th sample: the step is 40 times as long, and the noise 1600 times less.

longer = slice(None, None, 40)
coarse = anygrad.derivative(samples[longer], spacing=step * 40, order=2, accuracy=4)

# A polynomial of degree 3 in windows of 121 points reads all samples.
fitted = savgol_filter(samples, 121, 3, deriv=2, delta=step)

for name, found, where in (
    ("plain", plain, slice(None)),
    ("longer step", coarse, longer),
    ("fitted", fitted, slice(None)),
):
    error = np.abs(found - truth[where])[2:-2]
    print(f"{name:12} {np.sqrt(np.mean(error**2)):8.3f}")

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
left.plot(x, plain, lw=0.5, color="C3")
left.set_title("the plain second difference")
right.plot(x, truth, color="C7", lw=3, label="truth")
right.plot(x[longer], coarse, "o-", label="every 40th sample")
right.plot(x, fitted, label="savgol_filter(deriv=2)")
right.set_ylim(-1.6, 1.6)
right.set_title("with a longer step, or fitted")
right.legend()
