"""Arrays that come with the samples: of their library, on their device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .. import _classes, _dispatch, _libraries
from .._library import Library
from .._records import Field, Samples
from .input import is_unknown, refuse_meaning


def companion(array: Any, field: Field, name: str) -> Samples:
    """Return what there is to know of an array that comes with the samples.

    Its namespace need not be that of the samples.
    """
    found, samples = _dispatch.samples_of(array, name), field.samples
    mixed = found.namespace.__name__ != samples.namespace.__name__
    if mixed and not _may_mix(found, samples):
        msg = (
            f"`{name}` must be an array of the same library as `input`. Got "
            f"{_classes.type_name(array)} for an `input` of type "
            f"{_classes.type_name(samples.array)}. Convert one of them first."
        )
        raise TypeError(msg)
    library = found.library
    if not found.is_exact and _libraries.has_meaning(type(array), library):
        # Nobody knows what it makes of this.
        refuse_meaning(array, library.namespace, name)
    _check_mesh(array, found, samples, name)
    here, there = found.device, samples.device
    if not mixed and here is not None and there is not None and here != there:
        msg = (
            f"`{name}` must be on the device of `input`. Got {_shown(here)} for an "
            f"`input` on {_shown(there)}. Move one of them first, e.g. with "
            f"`{library.move}`."
        )
        raise ValueError(msg)
    return found


def check_together(array: Any, library: Library | None, **given: Any) -> None:
    """Refuse arrays on several devices, beside samples that would go to any.

    What is given is all that may be, or hold, arrays, by the user's words.
    """
    if library is None or library.device(array) is not None:
        return  # each of them is compared with the samples
    first: tuple[str, Any] | None = None
    for name, other in _named(given):
        if not _libraries.is_exact(other, library):
            continue
        place = library.device(other)
        if first is None and place is not None:
            first = name, place
        if first is not None and place not in (None, first[1]):
            msg = (
                f"`{name}` must be on the device of `{first[0]}`. Got {_shown(place)} "
                f"for `{first[0]}` on {_shown(first[1])}. Move one of them first, e.g. "
                f"with `{library.move}`."
            )
            raise ValueError(msg)


def _shown(place: Any) -> str:
    """Return a device by its name; an array of JAX may lie on several."""
    places = place if isinstance(place, frozenset) else (place,)
    return ", ".join(sorted(map(str, places)))


def _named(given: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Return all arrays with the words for them."""
    for name, value in given.items():
        if type(value) is tuple and name.startswith("boundary"):  # both ends of a dim
            for one in value:
                yield from _named({name: one})
        elif type(value) in (list, tuple):
            yield from _named({f"{name}[{k}]": one for k, one in enumerate(value)})
        elif _classes.is_array(value):
            yield name, value


def _check_mesh(array: Any, found: Samples, samples: Samples, name: str) -> None:
    """Refuse arrays on one device beside arrays that are spread over several."""
    library = found.library
    if library is not samples.library or not found.shape:
        return
    one, other = (_libraries.mesh_of(a, library) for a in (array, samples.array))
    if (one is None) != (other is None):
        is_spread = other is not None
        place = "spread over several devices" if is_spread else "on one device"
        remedy = library.distribute if is_spread else "full_tensor()"
        msg = (
            f"`{name}` must be {place}, as `input` is. Got {_classes.type_name(array)} "
            f"for an `input` of type {_classes.type_name(samples.array)}. Convert it "
            f"first, e.g. with `{remedy}`."
        )
        raise TypeError(msg)


def _may_mix(companion: Samples, samples: Samples) -> bool:
    """Tell whether arrays of two namespaces may meet in one call."""
    inner = companion.library
    is_same = inner is samples.library is not _libraries.UNNAMED
    return inner.is_constant or is_same


def may_broadcast(length: Any, full: Any) -> bool:
    """Tell whether an array fits; lengths that Dask does not know are trusted."""
    # Each with `==`: for symbols, `in` asks torch's compiler whether they are the same.
    equals = any(length == fitting for fitting in (1, full))
    return equals or (is_unknown(length) and is_unknown(full))


def broadcasts(shape: Sequence[Any], full: Sequence[Any]) -> bool:
    """Tell whether an array of a shape broadcasts to another one."""
    lengths = zip(reversed(shape), reversed(full), strict=False)
    return len(shape) <= len(full) and all(may_broadcast(a, b) for a, b in lengths)


def hint_at_unknown(*lengths: Any) -> str:
    """Return what to do where Dask does not know all lengths of an array."""
    if not any(map(is_unknown, lengths)):
        return ""
    return " Compute its lengths first, e.g. with `compute_chunk_sizes()`."
