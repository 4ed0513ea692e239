"""NumPy's arrays beside samples of another library: constants of the call.

Coordinates and masks are often NumPy's, whatever the samples are.  They are copied to
where the samples lie, so that nobody writes to them, and nothing is lost on the way:
where there is no dtype of as many digits, coordinates are counted from the first finite
one of their line before they are rounded, for only their differences matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from . import _libraries, _precision
from ._library import Library
from ._records import Samples
from ._typing import Namespace

#: What some devices, and JAX as it is set by default, do not have.
SELDOM = ("float64", "complex128", "int64", "uint64")

#: What the dtype of masks is called: by the standard, and by MLX.
BOOLEAN = ("bool", "bool_")


class Place(NamedTuple):
    """Where the samples of a call lie."""

    library: Library
    #: In which they are computed with.
    namespace: Namespace
    #: None where the library decides by itself.
    device: Any
    #: The devices over which they are spread, if they are; else None.
    mesh: Any
    #: By a dtype of NumPy's, what it becomes there, and whether that is the same: to
    #: find out takes longer than a small call.
    names: dict[Any, tuple[str, bool]]
    #: Whether what runs there takes NumPy's arrays as they are, once nobody else writes
    #: to them: it would be longer about a copy of them.
    are_taken: bool = False

    def array(self, given: Any, axis: int | None = None) -> Any:
        """Return what is a constant as an array there; anything else as it is.

        Coordinates lie along an `axis`, of as many dims as the samples have, or of one.
        """
        if not is_constant(given):
            return given
        owned = self._owned(_libraries.without_shell(given), axis)
        return owned if self.are_taken else self.adopted(owned)

    def adopted(self, array: Any) -> Any:
        """Return an array of NumPy's as one of the library's, there."""
        library: Any = self.library
        if library.adopt is not None:
            there = library.adopt(array, self.device)
            return there if self.mesh is None else library.replicate(there, self.mesh)
        if self.device is not None:
            with suppress(TypeError):  # not all take it, such as unxt's namespace
                return self.namespace.asarray(array, device=self.device)
        return self.namespace.asarray(array)

    def dtype_name(self, dtype: Any) -> str:
        """Return what a dtype of NumPy's becomes there: the next one that there is."""
        if dtype.kind == "b":  # which some libraries spell otherwise
            return next(found for found in BOOLEAN if hasattr(self.namespace, found))
        name, others = str(dtype.name), ["float64", "float32"]
        if dtype.kind == "c":
            others = ["complex128", "complex64"]
        if dtype.itemsize < 4:
            others = others[1:]
        return next((found for found in (name, *others) if self._has(found)), name)

    def _has(self, name: str) -> bool:
        info = _precision.info_of(self.namespace) if name in SELDOM else None
        if info is None:
            return hasattr(self.namespace, name)
        return name in info.dtypes(device=self.device, kind=None)  # some need both

    def _owned(self, array: Any, axis: int | None) -> Any:
        """Return a copy with a dtype that there is."""
        import numpy

        known = self.names.get(array.dtype)
        if known is None:
            name = self.dtype_name(array.dtype)
            known = self.names[array.dtype] = name, name == array.dtype.name
        name, is_same = known
        if is_same:
            return numpy.array(array, dtype=name, order="C")
        with numpy.errstate(all="ignore"):
            if array.ndim and axis is not None:
                if array.dtype.kind in "iu":  # differences, too, where these wrap
                    array = array.astype("int64")
                array = array - _origins(array, axis if array.ndim > 1 else 0)
            return numpy.asarray(array).astype(name)


def _origins(array: Any, axis: int) -> Any:
    """Return the first finite coordinate of each line: NaN may stand for a gap."""
    import numpy

    first = array.take([0], axis)
    if numpy.isfinite(first).all():  # as nearly always
        return first
    places = numpy.expand_dims(numpy.isfinite(array).argmax(axis), axis)
    found = numpy.take_along_axis(array, places, axis)
    return numpy.where(numpy.isfinite(found), found, 0)


def is_constant(array: Any) -> bool:
    """Tell whether an array goes with samples of any library."""
    return _libraries.library_of(array).is_constant


def place_of(samples: Samples) -> Place | None:
    """Return where constants go; None where they are taken as they are."""
    library = samples.library
    if library.takes_constants:
        return None
    mesh = _libraries.mesh_of(samples.array, library)
    return Place(library, samples.namespace, samples.device, mesh, {})


def place_for(samples: Samples, given: Iterable[Any]) -> Place | None:
    """Return where constants among what is given go; None if there are none to copy.

    A compiler has taken them before, because it shows numbers of NumPy's as arrays.
    """
    if samples.is_compiled or not any(map(is_constant, given)):
        return None
    return place_of(samples)


def placed(array: Any, samples: Samples) -> Any:
    """Return an array where the samples lie, as one that operations take with them."""
    place, library = place_for(samples, [array]), samples.library
    plain = _libraries.without_shell(array if place is None else place.array(array))
    if library.beside is None or not is_constant(plain):
        return plain
    return library.beside(plain, samples.array)


def as_placed(found: Samples, samples: Samples) -> Samples:
    """Return what is known of an array, as it will be where the samples lie."""
    place = place_of(samples)
    if place is None or not found.library.is_constant:
        return found
    dtype = getattr(samples.namespace, place.dtype_name(found.dtype))
    return found._replace(dtype=dtype, namespace=samples.namespace)
