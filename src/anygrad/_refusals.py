"""Array-like classes that are refused by name, because their meaning would be lost."""

from __future__ import annotations

from typing import NamedTuple

from ._libraries import is_of_family


class Refusal(NamedTuple):
    """An array-like class whose meaning a derivative would lose.

    Attributes
    ----------
    package : str
        The top-level package of the class.
    classes : tuple of str
        Its name there; those of its bases count, too.
    rule : str
        What it is and why it is refused: it follows "must not be".
    remedy : str
        What to do instead.
    """

    package: str
    classes: tuple[str, ...]
    rule: str
    remedy: str


REFUSED = (
    Refusal(
        "numpy",
        ("MaskedArray",),
        "a masked array: the mask would be lost",
        "Fill it first, e.g. with `filled(numpy.nan)`, integers after `astype(float)`.",
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
        "Fill it first, with `to_tensor(float('nan'))`.",
    ),
    Refusal(
        "pandas",
        ("Series", "DataFrame", "Index"),
        "a pandas object: its index would be lost",
        "Pass its values, with `to_numpy()`.",
    ),
    Refusal(
        "xarray",
        ("DataArray", "Dataset", "Variable"),
        "a labelled array: its labels would be lost",
        "Use `anygrad.xarray`, or pass its `data`, and its coordinates' as `spacing`.",
    ),
    Refusal(
        "blosc2",
        ("NDArray",),
        "a compressed array: its slices are NumPy arrays",
        "Pass its values, with `array[...]`.",
    ),
    Refusal(
        "pint",
        ("Quantity",),
        "a quantity: its unit would be lost",
        "Pass its `magnitude` and give the result its unit.",
    ),
    Refusal(
        "astropy",
        ("Quantity",),
        "a quantity: its unit would be lost",
        "Pass its `value` and give the result its unit.",
    ),
    Refusal(
        "astropy",
        ("Masked", "MaskedNDArray"),
        "a masked array: the mask would be lost",
        "Pass its `unmasked`, and `where=~array.mask` for samples.",
    ),
    Refusal(
        "unyt",
        ("unyt_array",),
        "a quantity: its unit would be lost",
        "Pass its `value` and give the result its unit.",
    ),
)


def refusal_of(cls: type) -> Refusal | None:
    """Return why arrays of a class are refused; None if they are not."""
    for refusal in REFUSED:
        if is_of_family(cls, refusal.package, refusal.classes):
            return refusal
    return None
