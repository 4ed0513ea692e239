"""Numbers as compilers and tracers show them: as arrays of NumPy's, or as symbols."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import _libraries, _precision
from ._constants import place_of
from ._records import Samples
from ._refusals import each_in
from ._typing import DType

if TYPE_CHECKING:
    from ._calls import Request


def adopted(request: Request, samples: Samples) -> Request:
    """Return a call without arrays of NumPy's, as a compiler shows its numbers, too.

    Without a compiler, it is as it was.
    """
    place = place_of(samples) if samples.is_compiled else None
    if place is None:
        return request

    def adopted(entry: Any) -> Any:
        is_own = type(entry).__module__ == "numpy"
        return place.adopted(entry) if is_own else entry

    return request.with_each(lambda given: each_in(given, adopted))


def without_symbols(request: Request, array: Any) -> Request:
    """Return a call with traced arrays for symbols of numbers.

    A tracer shows lengths so, what is computed from them, and what it takes out of an
    array.  Steps and what is beyond the ends have no say in the dtype; factors have.
    """
    library = _libraries.library_of(array)
    importing, is_symbol = library.import_namespace, library.is_symbol
    if importing is None or is_symbol is None:
        return request

    def without(given: Any, dtype_of: Callable[..., DType]) -> Any:
        def as_array(entry: Any) -> Any:
            if not is_symbol(entry):
                return entry
            xp, device = importing(), library.device(array)
            dtype = dtype_of(array.dtype, device, xp)
            return xp.full((), entry, dtype=dtype, device=device)

        return each_in(given, as_array)

    return request._replace(
        spacing=without(request.spacing, _precision.longest_real),
        boundary=without(request.boundary, _precision.longest_real),
        scale_factors=without(request.scale_factors, _precision.real_of),
    )
