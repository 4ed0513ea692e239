"""Derivatives of sampled data on a grid, for any array library.

Samples of a function go in: an array of NumPy, PyTorch, JAX, Dask, CuPy,
or of any other library that follows the Python array API standard.  Its
derivatives come out, estimated by finite differences: arrays of the same
library, on the same device, lazy where the samples are lazy, and
differentiable where the library can differentiate.

The functions, in the order in which most people come to need them:

gradient
    The first derivative along each dim, with the arguments of
    `torch.gradient`.
derivative
    One derivative of any order, along one dim.
laplacian, hessian
    The second derivatives: their sum, and all of them.
divergence, curl, jacobian
    The derivatives of a vector field.
lonlat, spherical, cylindrical
    What these need on curved coordinates.
stencil
    The weights of a formula, for one of your own.
halo_width
    How many points of a neighbour's block a call reads, for arrays that
    you cut.

All of samples take `spacing`, a step or coordinates; `accuracy` inside and
`edge_order` at the ends; `boundary`, what lies beyond these; `where`, which
samples are valid; and `dtype`.

Two settings, each with a ``get_`` and a ``set_default_``: `set_workers`,
how many threads a call may use, and `set_compiler`, with which a call
becomes one loop.

The slope of a parabola, sampled at uneven points:

>>> import anygrad
>>> import numpy as np
>>> x = np.asarray([0.0, 1.0, 3.0, 4.0])
>>> (slope,) = anygrad.gradient(x**2, spacing=[x], edge_order=2)
>>> slope
array([0., 2., 6., 8.])

The result is a tuple with one derivative per dim, for a single dim, too.

To read on: ``help(anygrad.gradient)`` has every argument, the formulas,
and more examples.  In a checkout, `docs/quickstart.md` comes first; then
`docs/guide` has `spacing.md` on grids, `boundaries.md` on the ends,
missing samples and vector fields, `backends.md` on each library, and
`xarray.md` on labelled arrays, for which `anygrad.xarray` has functions of
their own.  On the command line, ``python -m anygrad`` says which libraries
are installed here.
"""

import typing as _t

from ._compilers import get_compiler, set_compiler, set_default_compiler
from ._curl import curl
from ._derivative import derivative
from ._divergence import divergence
from ._gradient import gradient
from ._halo_width import halo_width
from ._hessian import hessian
from ._jacobian import jacobian
from ._laplacian import laplacian
from ._stencil import stencil
from ._version import __version__
from ._versions import show_versions
from ._workers import get_workers, set_default_workers, set_workers

if _t.TYPE_CHECKING:
    from ._systems import cylindrical, lonlat, spherical

__all__ = [
    "__version__",
    "curl",
    "cylindrical",
    "derivative",
    "divergence",
    "get_compiler",
    "get_workers",
    "gradient",
    "halo_width",
    "hessian",
    "jacobian",
    "laplacian",
    "lonlat",
    "set_compiler",
    "set_default_compiler",
    "set_default_workers",
    "set_workers",
    "show_versions",
    "spherical",
    "stencil",
]

#: What is loaded when it is first asked for.
_LATE = ("cylindrical", "lonlat", "spherical")

# What a user sees is named after the package that it was imported from.
for _name in __all__[1:]:
    if _name not in _LATE:
        globals()[_name].__module__ = __name__
del _name

if not _t.TYPE_CHECKING:  # for which it would be a function of any name

    def __getattr__(name: str) -> object:
        if name not in _LATE:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        from . import _systems

        function = globals()[name] = getattr(_systems, name)
        function.__module__ = __name__
        return function

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
