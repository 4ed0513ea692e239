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

All functions of samples take `spacing`, a step or coordinates; `accuracy`
inside and `edge_order` at the ends; `boundary`, what lies beyond these;
`where`, which samples are valid; and `dtype`.

There are two settings, each with a ``get_`` and a ``set_default_``:
`set_workers`, how many threads a call may use, and `set_compiler`, with
which a call becomes one loop.

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
`xarray.md` on labelled arrays, for which `anygrad.xarray` has its own
functions.  On the command line, ``python -m anygrad`` lists the libraries
that are installed.
"""

import typing as _t

from ._version import __version__

if _t.TYPE_CHECKING:
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
    from ._systems import cylindrical, lonlat, spherical
    from ._versions import show_versions
    from ._workers import get_workers, set_default_workers, set_workers

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

#: The module of each function that is not in one of its own name.
_HOMES = {
    "cylindrical": "_systems",
    "get_compiler": "_compilers",
    "get_workers": "_workers",
    "lonlat": "_systems",
    "set_compiler": "_compilers",
    "set_default_compiler": "_compilers",
    "set_default_workers": "_workers",
    "set_workers": "_workers",
    "show_versions": "_versions",
    "spherical": "_systems",
}

if not _t.TYPE_CHECKING:  # for which it would be a function of any name

    def __getattr__(name: str) -> object:
        """Load a function when it is first asked for (SPEC 1 of Scientific Python).

        Who imports a package that has `anygrad` somewhere in it pays for nothing
        until a derivative is taken.
        """
        if name not in __all__:
            msg = f"module {__name__!r} has no attribute {name!r}"
            if name in ("testing", "xarray"):
                msg += f". Import it by its own name: `import {__name__}.{name}`."
            raise AttributeError(msg)
        from importlib import import_module

        home = import_module(f"{__name__}.{_HOMES.get(name, f'_{name}')}")
        function = globals()[name] = getattr(home, name)
        # What a user sees is named after the package that it is imported from.
        function.__module__ = __name__
        return function

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
