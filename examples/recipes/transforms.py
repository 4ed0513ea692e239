"""
jit, vmap and grad of JAX
=========================

A call is traced like any other operation, so that it can be compiled, mapped over a
batch and differentiated. Arguments that are no arrays, such as ``dim``, ``boundary``
and ``order``, choose the formulas: for ``jax.jit`` they are static.
"""

import functools

import jax
import jax.numpy as jnp
from matplotlib import pyplot as plt

import anygrad

# %%
# The call itself, compiled.  Names that are not arrays are in ``static_argnames``; the
# step may differ from call to call without compiling anew.

derivative = jax.jit(anygrad.derivative, static_argnames=("dim", "order", "boundary"))

x = jnp.linspace(0.0, 2 * jnp.pi, 64, endpoint=False)
wave = jnp.sin(x)
second = derivative(wave, spacing=x[1], order=2, boundary="periodic")

# The check: a wave is an eigenvector of a periodic difference.  Its eigenvalue is
# known.
eigenvalue = -((2 * jnp.sin(x[1] / 2) / x[1]) ** 2)
assert jnp.allclose(second, eigenvalue * wave, atol=2e-3)

# %%
# A batch: one field is written, and mapped.


def energy(field, step):
    """Return the energy of a field: half the mean square of its gradient, by parts."""
    return (
        -(field * anygrad.laplacian(field, spacing=step, boundary="periodic")).mean()
        / 2
    )


fields = jax.random.normal(jax.random.key(1), (8, 32, 32))
energies = jax.jit(jax.vmap(energy, in_axes=(0, None)))(fields, 0.5)
assert energies.shape == (8,)
assert jnp.allclose(energies[3], energy(fields[3], 0.5), rtol=1e-5)

# %%
# And its derivative: down the gradient of the energy, a field diffuses.


@functools.partial(jax.jit, static_argnames="steps")
def smoothed(field, steps):
    """Go down the gradient of the energy."""
    down = jax.grad(lambda f: field.size * energy(f, 1.0))
    return jax.lax.fori_loop(0, steps, lambda _, f: f - 0.2 * down(f), field)


figure, panels = plt.subplots(1, 3, figsize=(9, 3), layout="constrained")
for axes, steps in zip(panels, (0, 5, 50), strict=True):
    axes.imshow(smoothed(fields[0], steps), cmap="viridis")
    axes.set_title(f"{steps} steps")
    axes.set_axis_off()

# The mean of a field that diffuses stays.
assert jnp.allclose(smoothed(fields[0], 50).mean(), fields[0].mean(), atol=1e-5)
