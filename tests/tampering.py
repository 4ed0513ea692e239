"""What breaks a function, or one of its keywords: what is told of it is enough."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import anygrad


def without(keyword: str) -> Any:
    """Return what makes a function accept a keyword and take no notice of it."""

    def breaking(right: Any) -> Any:
        def broken(f: Any, **keywords: Any) -> Any:
            keywords.pop(keyword, None)
            return right(f, **keywords)

        return broken

    return breaking


def taking(keyword: str, change: Callable[[Any], Any]) -> Any:
    """Return what makes a function take another value for a keyword that is given."""

    def breaking(right: Any) -> Any:
        def broken(f: Any, **keywords: Any) -> Any:
            if keyword in keywords:
                keywords[keyword] = change(keywords[keyword])
            return right(f, **keywords)

        return broken

    return breaking


def giving(change: Callable[[Any, Any], Any]) -> Any:
    """Return what makes a function change its result, which may be a tuple."""

    def breaking(right: Any) -> Any:
        def broken(f: Any, **keywords: Any) -> Any:
            found = right(f, **keywords)
            if isinstance(found, tuple):
                return tuple(change(g, f) for g in found)
            return change(found, f)

        return broken

    return breaking


def first_of(change: Callable[[Any], Any]) -> Any:
    """Return what makes a function change its samples."""
    return lambda right: lambda f, **keywords: right(change(f), **keywords)


def other_mode(old: str, new: Any) -> Any:
    """Return what makes a function take one boundary for another."""

    def change(boundary: Any) -> Any:
        if isinstance(boundary, (list, tuple)):
            return type(boundary)(map(change, boundary))
        return new if boundary == old and isinstance(boundary, str) else boundary

    return taking("boundary", change)


def lenient(right: Any) -> Any:
    """Return a function that gives zeros where the right one refuses."""

    def broken(f: Any, **keywords: Any) -> Any:
        try:
            return right(f, **keywords)
        except (IndexError, TypeError, ValueError):
            return (0 * f,)

    return broken


def nameless(right: Any) -> Any:
    """Return a function whose refusals name no parameter."""

    def broken(f: Any, **keywords: Any) -> Any:
        try:
            return right(f, **keywords)
        except (IndexError, TypeError, ValueError) as error:
            raise type(error)("invalid argument") from None

    return broken


def copied(change: Callable[[Any], None]) -> Callable[[Any, Any], Any]:
    """Return a change of a result, from one in its place."""

    def changed(g: Any, _: Any) -> Any:
        g = g.copy()
        change(g)
        return g

    return changed


def set_first(g: Any) -> None:
    g[(0,) * g.ndim] += 1


def set_last(g: Any) -> None:
    g[(-1,) * g.ndim] += 1


def nudged(keyword: str) -> Any:
    """Return what makes a function change its last bits where a keyword is given."""

    def breaking(right: Any) -> Any:
        def broken(f: Any, **keywords: Any) -> Any:
            found = right(f, **keywords)
            if keyword in keywords:
                return tuple(g * (1 + 2**-50) for g in found)
            return found

        return broken

    return breaking


def centred(g: Any, f: Any) -> Any:
    return g + 0 * f


def to_single(g: Any, _: Any) -> Any:
    return g.astype("float32")


def to_double(g: Any, _: Any) -> Any:
    return g.astype("float64")


def constants_only(boundary: Any) -> Any:
    return 0.0 if isinstance(boundary, (int, float, complex)) else boundary


def rounded_down(boundary: Any) -> Any:
    return int(boundary // 1) if isinstance(boundary, float) else boundary


def first_line(boundary: Any) -> Any:
    """Take the array of the first line for all."""
    if isinstance(boundary, tuple):
        return tuple(map(first_line, boundary))
    return boundary[:1] if getattr(boundary, "ndim", 0) else boundary


def without_ghosts(boundary: Any) -> Any:
    """Leave out the ghosts of a pair."""
    if isinstance(boundary, tuple) and not isinstance(boundary[0], str):
        return tuple(["one_sided" if type(e) is tuple else e for e in boundary])
    return boundary


def left_only(boundary: Any) -> Any:
    is_pair = isinstance(boundary, tuple) and boundary[0] != "periodic"
    return boundary[0] if is_pair else boundary


def nothing_in_a_hole(right: Any) -> Any:
    """Return a function that gives no derivative where no sample is valid."""

    def broken(f: Any, where: Any = None, **keywords: Any) -> Any:
        found = right(f, where=where, **keywords)
        for g in found if where is not None else ():
            g[~where] = math.nan
        return found

    return broken


def zero_for_nan(g: Any, _: Any) -> Any:
    import numpy

    return numpy.nan_to_num(g)


def first_column(where: Any) -> Any:
    return where[..., :1] if getattr(where, "ndim", 0) else where


def turned(entries: Any) -> Any:
    return entries[::-1] if isinstance(entries, list) else entries


def without_period(boundary: Any) -> Any:
    is_periodic = isinstance(boundary, tuple) and boundary[0] == "periodic"
    return (boundary[0], boundary[1] + 1) if is_periodic else boundary


def wrapped(f: Any) -> Any:
    return f.astype("int8") if f.dtype.kind in "iu" else f


def as_float(f: Any) -> Any:
    return f.astype("float64") if f.dtype.kind in "iu" else f


def scribbled(right: Any) -> Any:
    def broken(f: Any, **keywords: Any) -> Any:
        found = right(f, **keywords)
        f[...] = 0
        return found

    return broken


def twice(right: Any) -> Any:
    """Return a second derivative that is the first, applied twice."""

    def broken(f: Any, order: int = 1, **keywords: Any) -> Any:
        for _ in range(order):
            f = right(f, order=1, **keywords)
        return f

    return broken


def gradient_of_a_gradient(_: Any) -> Any:
    def broken(f: Any, **keywords: Any) -> Any:
        first = anygrad.gradient(f, **keywords)
        return sum(
            anygrad.gradient(g, **keywords)[axis] for axis, g in enumerate(first)
        )

    return broken


def of_the_batch(right: Any) -> Any:
    def broken(f: Any, **keywords: Any) -> Any:
        found = right(f, **keywords)
        return found + 0 * found if "dim" not in keywords else found[::-1] + 0

    return broken


def flattened(right: Any) -> Any:
    return lambda f, **keywords: list(right(f, **keywords))


def second_order_edges(right: Any) -> Any:
    def broken(f: Any, **keywords: Any) -> Any:
        keywords.setdefault("edge_order", 1)
        return right(f, **keywords)

    return broken


def mixed_with_the_same_ghosts(right: Any) -> Any:
    """Return a Hessian whose second derivation sees the constants of the samples."""

    def broken(f: Any, **keywords: Any) -> Any:
        found = right(f, **keywords).copy()
        first = anygrad.derivative(f, dim=0, **keywords)
        found[0, 1] = found[1, 0] = anygrad.derivative(first, dim=1, **keywords)
        return found

    return broken


def transposed(right: Any) -> Any:
    def broken(f: Any, **keywords: Any) -> Any:
        return right(f, **keywords).swapaxes(0, 1)

    return broken


def no_dtype_of_all(right: Any) -> Any:
    def broken(f: Any, **keywords: Any) -> Any:
        found = right(f, **keywords)
        return found.real if "stack_dim" in keywords else found

    return broken


def even_steps(right: Any) -> Any:
    """Return a function that takes the mean step of coordinates."""

    def change(x: Any) -> Any:
        if getattr(x, "ndim", 0) == 1:
            return float(x[-1] - x[0]) / (len(x) - 1)
        return x

    def broken(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
        spacing = (
            [change(x) for x in spacing]
            if isinstance(spacing, list)
            else change(spacing)
        )
        return right(f, spacing=spacing, **keywords)

    return broken


def stepwise(right: Any) -> Any:
    """Return a function that divides by a step of its own once, whatever the order."""

    def broken(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
        if isinstance(spacing, complex) or getattr(spacing, "shape", None) == ():
            return right(f, **keywords) / spacing
        return right(f, spacing=spacing, **keywords)

    return broken


def overflowing(right: Any) -> Any:
    """Return a function that loses the result where coordinates are long."""

    def broken(f: Any, spacing: Any = 1, **keywords: Any) -> Any:
        found = right(f, spacing=spacing, **keywords)
        is_long = getattr(spacing, "ndim", 0) and abs(spacing[-1]) > 1e9
        return 0 * found if is_long else found

    return broken
