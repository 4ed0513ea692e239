"""Calls on a GPU beside the same calls of NumPy's arrays."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy

import anygrad
from on_gpu.kinds import Call
from on_gpu.libraries import Library

#: What may lie between two orders of operations: so many roundings, in the dtype of
#: the result, of its largest number.
ROUNDINGS = 256

SAME, CLOSE = "the same bits", "within the bound"


class Outcome(NamedTuple):
    """What came of a call.

    Attributes
    ----------
    call : Call
        The call.
    result : str
        `SAME`, `CLOSE`, or what is wrong.
    """

    call: Call
    result: str

    @property
    def is_wrong(self) -> bool:
        """Whether it is no result that a user may have."""
        return self.result not in (SAME, CLOSE)


def outcomes(library: Library, some: Iterable[Call]) -> Iterator[Outcome]:
    """Make calls; an error in one is its outcome, and stops no other."""
    for call in some:
        try:
            yield Outcome(call, _outcome(library, call))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the outcome
            yield Outcome(call, f"{type(error).__name__}: {error}")


def _outcome(library: Library, call: Call) -> str:
    with warnings.catch_warnings():
        # What libraries say of each other's versions, and of holes in the samples.
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", ".* cannot compile this call", RuntimeWarning)
        wanted = _arrays(_made(call, call.samples, call.keywords))
        keywords = {
            name: library.dtype(value) if name == "dtype" else _moved(library, value)
            for name, value in call.keywords.items()
        }
        with library.like_numpy():
            given = _arrays(_made(call, library.asarray(call.samples), keywords))
    if len(given) != len(wanted):
        return f"{len(given)} results where NumPy has {len(wanted)}"
    found = [
        difference(library.to_numpy(a), b) for a, b in zip(given, wanted, strict=True)
    ]
    wrong = [text for text in found if text not in (SAME, CLOSE)]
    return (wrong or ([CLOSE] if CLOSE in found else [SAME]))[0]


def _made(call: Call, samples: Any, keywords: dict[str, Any]) -> Any:
    return getattr(anygrad, call.kind.door)(samples, **keywords)


def _arrays(results: Any) -> tuple[Any, ...]:
    return results if isinstance(results, tuple) else (results,)


def _moved(library: Library, value: Any) -> Any:
    """Return a keyword with its arrays on the GPU."""
    if isinstance(value, list):
        return [_moved(library, entry) for entry in value]
    return library.asarray(value) if isinstance(value, numpy.ndarray) else value


def difference(given: Any, wanted: Any) -> str:
    """Return in a word how an array differs from another one."""
    if (given.dtype, given.shape) != (wanted.dtype, wanted.shape):
        return f"{given.dtype} {given.shape}, not {wanted.dtype} {wanted.shape}"
    holes = numpy.isnan(wanted)
    if (numpy.isnan(given) != holes).any():
        return "NaN in other places"
    given, wanted = numpy.where(holes, 0, given), numpy.where(holes, 0, wanted)
    if given.tobytes() == wanted.tobytes():
        return SAME
    finite = numpy.isfinite(wanted)
    if (given[~finite] != wanted[~finite]).any():
        return "infinities in other places"
    eps = numpy.finfo(wanted.dtype).eps / 2
    largest = numpy.abs(wanted[finite]).max(initial=0)
    error = numpy.abs(given[finite] - wanted[finite]).max(initial=0)
    roundings = error / (eps * largest) if largest else numpy.inf if error else 0.0
    if roundings <= ROUNDINGS:
        return CLOSE
    return f"{roundings:.3g} roundings of the largest number off"


def summary(some: list[Outcome]) -> dict[str, int]:
    """Return how many calls had each outcome, those that are wrong as one."""
    found = Counter("wrong" if one.is_wrong else one.result for one in some)
    return {result: found[result] for result in (SAME, CLOSE, "wrong")}
