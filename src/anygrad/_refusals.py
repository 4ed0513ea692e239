"""Array-like classes that mean more than their numbers, by name.

Most are refused, because their meaning would be lost.  Where somebody has said how it
goes along, as a unit or a mask does, the functions of a grid take them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from ._classes import is_named, is_of_family
from ._libraries import BY_CLASS, dask_chunk
from ._refused import CONTAINERS, Refusal


class Units(NamedTuple):
    """How one library's quantities are taken apart, and made.

    That they can be subtracted, and have a method `to`, is so in each of them.
    """

    #: Returns the array or the number that a quantity is made of.
    magnitude: Callable[[Any], Any]
    #: Returns its unit, which can be divided and raised to a power.
    unit: Callable[[Any], Any]
    #: ``quantity(magnitude, unit, like)`` returns one of the family of `like`.
    quantity: Callable[[Any, Any, Any], Any]
    #: Whether masked arrays go into quantities, and not quantities into these.
    #: In chunks, they always do.
    holds_masks: bool = False
    #: Whose arrays go into quantities; none for all.
    packages: tuple[str, ...] = ()
    #: The same as `quantity` for one number, where that would be traced.
    of_number: Callable[[Any, Any, Any], Any] | None = None

    def can_hold(self, array: Any) -> bool:
        """Tell whether an array goes into a quantity, and stays what it is."""
        bases = _with_bases(type(array), [])
        own = {base.__module__.partition(".")[0] for base in bases}
        return not self.packages or not own.isdisjoint(self.packages)


class Mask(NamedTuple):
    """How masked arrays are taken apart, and made."""

    #: Returns an array without its mask.
    data: Callable[[Any], Any]
    #: Returns a full array of bools, True for what is not valid; None if there is no
    #: mask at all.
    mask: Callable[[Any], Any]
    #: ``masked(data, mask, like)`` puts them together, as they are in `like`.
    masked: Callable[[Any, Any, Any], Any]
    #: Returns the class that has the mask.
    class_of: Callable[[Any], type] = type
    #: The module whose `asarray` leaves nothing but the mask.
    namespace: str = "numpy.ma"
    #: Whether the chunks of an array have the mask.
    is_in_chunks: bool = False

    def has_state(self, array: Any) -> bool:
        """Tell whether a derived class has something else that arrays carry along."""
        return _has_state(self.class_of(array))


def _of_pint(magnitude: Any, unit: Any, like: Any) -> Any:
    if unit == like.units:  # pint refuses to compare those of two registries
        unit = like.units
    return type(like)(magnitude, unit)


def _of_astropy(magnitude: Any, unit: Any, _: Any) -> Any:
    return magnitude << unit  # without a copy


def _unyt_magnitude(quantity: Any) -> Any:
    import numpy

    if hasattr(quantity, "to_dask"):
        return quantity.to_dask()
    return quantity.view(numpy.ndarray)[()]  # of no dims, a number


def _of_unyt(magnitude: Any, unit: Any, _: Any) -> Any:
    import unyt

    if hasattr(magnitude, "dask"):
        from unyt import dask_array

        return dask_array.unyt_from_dask(magnitude, unit)
    return unyt.unyt_array(magnitude, unit)


def _unxt_magnitude(quantity: Any) -> Any:
    value = quantity.value
    return getattr(value, "array", value)  # of a static one, NumPy's


def _of_unxt(magnitude: Any, unit: Any, like: Any) -> Any:
    import plum
    import unxt

    cls = plum.type_unparametrized(like)
    # Others, such as angles, are none of other units.
    is_of_all = cls.__name__ in ("Quantity", "BareQuantity", "ParametricQuantity")
    return (cls if is_of_all else unxt.Quantity)(magnitude, unit)


def _numpy_mask(array: Any) -> Any:
    import numpy

    return None if array.mask is numpy.ma.nomask else numpy.ma.getmaskarray(array)


def _numpy_masked(data: Any, mask: Any, like: Any) -> Any:
    import numpy

    fill = like.fill_value if data.dtype == like.dtype else None
    if fill == numpy.ma.default_fill_value(like.dtype):  # too large for 16 bits
        fill = None
    mask = numpy.ma.nomask if mask is None else mask
    hard = like.hardmask
    whole = numpy.ma.masked_array(data, mask=mask, fill_value=fill, hard_mask=hard)
    return whole.view(type(like))


def _dask_data(array: Any) -> Any:
    import dask.array

    return dask.array.ma.getdata(array)


def _dask_mask(array: Any) -> Any:
    import dask.array

    return dask.array.ma.getmaskarray(array)


def _dask_masked(data: Any, mask: Any, like: Any) -> Any:
    import dask.array

    # Dask's own function compares lengths, also such as it does not know.
    put_on = partial(_block_masked, type(dask_chunk(like)))
    return dask.array.map_blocks(put_on, data, mask, dtype=data.dtype)


def _block_masked(cls: Any, data: Any, mask: Any) -> Any:
    import numpy

    return numpy.ma.masked_array(data, mask=mask).view(cls)


def _astropy_masked(data: Any, mask: Any, _: Any) -> Any:
    from astropy.utils.masked import Masked

    return Masked(data, mask=mask)


def _quantity(
    package: str, classes: tuple[str, ...], word: str, carried: Units | None
) -> Refusal:
    """Return the row for quantities, whose numbers have a name of their own."""
    return Refusal(
        package,
        classes,
        "a quantity: its unit would be lost",
        f"Pass its `{word}` and give the result its unit.",
        carried,
    )


#: Of several rows for a class, the first counts.
REFUSED = (
    Refusal(
        "astropy",
        ("MaskedColumn",),
        "a column of a table: its unit and name would be lost",
        "Pass its `data`, which has the mask, or, with its unit, "
        "`astropy.utils.masked.Masked(array.quantity, array.mask)`.",
    ),
    Refusal(
        "astropy",
        ("Column",),
        "a column of a table: its unit and name would be lost",
        "Pass its `data` or, with its unit, its `quantity`.",
    ),
    Refusal(
        "astropy",
        ("Masked", "MaskedNDArray"),
        "a masked array: the mask would be lost",
        "Pass its `unmasked`, and `where=~array.mask` for samples.",
        carried=Mask(
            lambda array: array.unmasked, lambda array: array.mask, _astropy_masked
        ),
    ),
    Refusal(
        "numpy",
        ("MaskedArray",),
        "a masked array: the mask would be lost",
        "Fill it first, e.g. with `filled(numpy.nan)`, integers after `astype(float)`, "
        "and a mask with `filled(False)`.",
        carried=Mask(lambda array: array.data, _numpy_mask, _numpy_masked),
        in_chunks=Mask(
            _dask_data,
            _dask_mask,
            _dask_masked,
            class_of=lambda array: type(dask_chunk(array)),
            is_in_chunks=True,
        ),
    ),
    Refusal(
        "astropy",
        ("Time",),
        "dates: they are no array of numbers",
        "Pass the time since the first one, a quantity: `(t - t[0]).to('s')`.",
    ),
    Refusal(
        "astropy",
        ("TimeDelta",),
        "lengths of time: they are no array of numbers",
        "Pass a quantity: `t.to('s')`.",
    ),
    Refusal(
        "astropy",
        ("SkyCoord", "BaseCoordinateFrame", "BaseRepresentationOrDifferential"),
        "coordinates in a frame: they are several arrays",
        "Pass one of these, e.g. `array.ra`.",
    ),
    Refusal(
        "numpy",
        ("matrix",),
        "a matrix: it has two dimensions whatever is cut from it",
        "Convert it first, with `numpy.asarray`.",
    ),
    Refusal(
        "torch",
        ("MaskedTensor",),
        "a masked tensor: the mask would be lost",
        "Fill it first, with `to_tensor(float('nan'))`, and one of bools with "
        "`to_tensor(False)`.",
    ),
    Refusal(
        "torch",
        ("Proxy",),
        "a symbol of `torch.fx.symbolic_trace`: its shape and dtype are not known",
        "Trace with `torch.export.export` or `make_fx`, or call a function of your own "
        "that `torch.fx.wrap` leaves whole.",
    ),
    _quantity("saiunit", ("Quantity",), "mantissa", None),
    _quantity(
        "pint",
        ("Quantity",),
        "magnitude",
        Units(lambda q: q.magnitude, lambda q: q.units, _of_pint, holds_masks=True),
    ),
    _quantity(
        "astropy",
        ("Quantity",),
        "value",
        Units(lambda q: q.value, lambda q: q.unit, _of_astropy, packages=("numpy",)),
    ),
    _quantity(
        "unyt",
        ("unyt_array", "unyt_dask_array"),
        "value",
        Units(_unyt_magnitude, lambda q: q.units, _of_unyt, packages=("numpy", "dask")),
    ),
    _quantity(
        "unxt",
        ("AbstractQuantity",),
        "value",
        Units(
            _unxt_magnitude,
            lambda q: q.unit,
            _of_unxt,
            packages=("jax", "jaxlib"),
            of_number=_of_astropy,  # whose units they are
        ),
    ),
    *CONTAINERS,
)


def refusal_of(cls: type) -> Refusal | None:
    """Return why arrays of a class are refused; None if they are not."""
    family = _with_bases(cls, [])
    for refusal in REFUSED:
        for base in family:
            if is_named(base, refusal.package, refusal.classes):
                return refusal
    return None


def _has_state(cls: type) -> bool:
    """Tell whether a derived class sets something that its arrays carry along."""
    return any(
        "__array_finalize__" in vars(base)
        for base in _with_bases(cls, [])
        if base.__module__.partition(".")[0] not in ("numpy", "astropy", "unyt")
    )


def _with_bases(cls: type, known: list[type]) -> list[type]:
    """Return a class and its bases, each once: quantities have dozens of them."""
    if cls not in known:
        known.append(cls)
        for base in cls.__bases__:  # a compiler cannot read an `__mro__`
            _with_bases(base, known)
    return known


def carried(value: Any) -> Units | Mask | None:
    """Return how what a value means goes along; None for plain ones and for others."""
    cls = type(value)
    if cls.__module__ in ("builtins", "numpy"):  # masked arrays are of `numpy.ma`
        return None
    library = BY_CLASS.get((cls.__module__, cls.__qualname__))
    if library is None:
        refusal = refusal_of(cls)
        row = None if refusal is None else refusal.carried
        # Of masked arrays, it depends on what is in them, and is asked later.
        return None if isinstance(row, Units) and _has_state(cls) else row
    if library.chunk is None:
        return None
    refusal = refusal_of(type(library.chunk(value)))
    return None if refusal is None else refusal.in_chunks


def first_in(given: Any, is_wanted: Callable[[Any], object]) -> Any:
    """Return the first value in what is given that is wanted; None if there is none."""
    if type(given) in (list, tuple):
        for entry in given:
            found = first_in(entry, is_wanted)
            if found is not None:
                return found
        return None
    return given if is_wanted(given) else None


def each_in(given: Any, change: Callable[[Any], Any]) -> Any:
    """Return what a change makes of a value, or of all in a list or tuple."""
    if type(given) is list:
        return [each_in(entry, change) for entry in given]
    if type(given) is tuple:
        return tuple([each_in(entry, change) for entry in given])
    return change(given)


def replaced(
    given: Any, is_wanted: Callable[[Any], bool], instead: Callable[[Any], Any]
) -> Any:
    """Return what is given, also in lists, with others instead of what is wanted."""
    return each_in(given, lambda one: instead(one) if is_wanted(one) else one)


def is_quantity(value: Any) -> bool:
    """Tell whether a value has a unit that goes along."""
    return isinstance(carried(value), Units)


def holds_array(value: Any) -> bool:
    """Tell whether it holds an array of JAX's, and is one to all functions of JAX."""
    cls = type(value)
    name = cls.__module__, cls.__qualname__
    if name[0] in ("builtins", "numpy") or BY_CLASS.get(name) is not None:
        return False
    # In this order: no compiler knows which attributes classes of NumPy's have.
    return is_of_family(cls, "flax", ("Variable",)) and hasattr(cls, "__jax_array__")


def held_by(holder: Any) -> Any:
    """Return the array, or the number, that is held."""
    return holder.__jax_array__()


def is_box(value: Any) -> bool:
    """Tell whether autograd, the package, traces an array of NumPy's in it."""
    return is_named(type(value), "autograd", ("ArrayBox",))
