"""Derivatives of sampled data on a grid, for any array library."""

from ._compilers import get_compiler, set_compiler, set_default_compiler
from ._derivative import derivative
from ._gradient import gradient
from ._jacobian import jacobian
from ._second_derivatives import hessian, laplacian
from ._stencil import stencil
from ._vector_calculus import curl, divergence
from ._version import __version__
from ._versions import show_versions
from ._workers import get_workers, set_default_workers, set_workers

__all__ = [
    "__version__",
    "curl",
    "derivative",
    "divergence",
    "get_compiler",
    "get_workers",
    "gradient",
    "hessian",
    "jacobian",
    "laplacian",
    "set_compiler",
    "set_default_compiler",
    "set_default_workers",
    "set_workers",
    "show_versions",
    "stencil",
]

# What a user sees is named after the package that it was imported from.
for _name in __all__[1:]:
    globals()[_name].__module__ = __name__
del _name
