"""
A loss with a Laplacian, in torch
=================================

A picture is completed from a few of its pixels: among all that agree with them, the
smoothest is wanted. The loss holds the Laplacian, and autograd goes through it,
backwards, to the pixels.
"""

import torch
from matplotlib import pyplot as plt

import anygrad


def roughness(picture):
    """Return the mean square of the Laplacian."""
    return (anygrad.laplacian(picture, boundary="symmetric") ** 2).mean()


# %%
# The check: the Laplacian is linear and, with mirrored ends, symmetric, so that the
# gradient of the roughness is that of a quadratic form: twice the Laplacian of the
# Laplacian, over the number of pixels.

torch.manual_seed(0)
picture = torch.rand(12, 15, dtype=torch.float64, requires_grad=True)
roughness(picture).backward()
with torch.no_grad():
    twice = anygrad.laplacian(picture, boundary="symmetric")
    twice = anygrad.laplacian(twice, boundary="symmetric")
torch.testing.assert_close(picture.grad, 2 * twice / picture.numel())

# %%
# One pixel of ten is known.

y, x = torch.meshgrid(
    torch.linspace(-2, 2, 48), torch.linspace(-3, 3, 72), indexing="ij"
)
truth = torch.sin(2 * x) * torch.exp(-(y**2)) + 0.3 * x * y
known = torch.rand(truth.shape) < 0.1

found = torch.where(known, truth, truth[known].mean()).requires_grad_()
optimizer = torch.optim.LBFGS([found], max_iter=150, line_search_fn="strong_wolfe")


def closure():
    """Return the loss, and leave its gradient in `found.grad`."""
    optimizer.zero_grad()
    misfit = ((found - truth)[known] ** 2).mean()
    loss = 10 * misfit + roughness(found)
    loss.backward()
    return loss


first = closure().item()
optimizer.step(closure)
assert closure().item() < first / 100

figure, panels = plt.subplots(1, 3, figsize=(9, 2.4), layout="constrained")
given = torch.where(known, truth, torch.nan)
for axes, values, title in zip(
    panels, (given, found.detach(), truth), ("given", "found", "truth"), strict=True
):
    axes.imshow(
        values.numpy(), cmap="RdBu_r", vmin=-1.5, vmax=1.5, interpolation="nearest"
    )
    axes.set_title(title)
    axes.set_axis_off()
