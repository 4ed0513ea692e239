"""Exact arithmetic, on fractions and nested lists."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

#: A number, or a list of them, or a list of such lists, and so on.
Nested: TypeAlias = Any
Index: TypeAlias = tuple[int, ...]


class Gaussian(NamedTuple):
    """An exact complex number."""

    real: Fraction
    imag: Fraction

    def __add__(self, other: Any) -> Gaussian:
        other = gaussian(other)
        return Gaussian(self.real + other.real, self.imag + other.imag)

    def __sub__(self, other: Any) -> Gaussian:
        other = gaussian(other)
        return Gaussian(self.real - other.real, self.imag - other.imag)

    def __mul__(self, other: Any) -> Gaussian:
        other = gaussian(other)
        return Gaussian(
            self.real * other.real - self.imag * other.imag,
            self.real * other.imag + self.imag * other.real,
        )

    def __truediv__(self, other: Any) -> Gaussian:
        other = gaussian(other)
        square = other.real**2 + other.imag**2
        return self * Gaussian(other.real / square, -other.imag / square)

    def __complex__(self) -> complex:
        return complex(self.real, self.imag)


def gaussian(value: Any) -> Gaussian:
    """Return any number exactly."""
    return Gaussian(Fraction(value.real), Fraction(value.imag))


def shape_of(values: Nested) -> tuple[int, ...]:
    """Return the lengths of nested lists, outermost first."""
    if not isinstance(values, list):
        return ()
    return (len(values), *shape_of(values[0])) if values else (0,)


def build(shape: Sequence[int], value: Callable[[Index], Any]) -> Nested:
    """Return nested lists with ``value(index)`` at each index."""

    def level(index: Index) -> Nested:
        if len(index) == len(shape):
            return value(index)
        return [level((*index, k)) for k in range(shape[len(index)])]

    return level(())


def at(values: Nested, index: Index) -> Any:
    """Return the number at an index."""
    for k in index:
        values = values[k]
    return values


def flat(values: Nested) -> Iterator[Any]:
    """Return the numbers in order."""
    if isinstance(values, list):
        yield from itertools.chain.from_iterable(map(flat, values))
    else:
        yield values


def sum_of(numbers: Any) -> Gaussian:
    """Return an exact sum."""
    total = gaussian(0)
    for number in numbers:
        total += number
    return total


def steps(axis: int, h: Any) -> Callable[[Index], Any]:
    """Return the coordinates of equal steps."""
    return lambda index: gaussian(h) * index[axis]


def along(axis: int, x: Sequence[Any]) -> Callable[[Index], Any]:
    """Return the coordinates that a list gives, one per point of an axis."""
    return lambda index: x[index[axis]]


def per_point(x: Nested) -> Callable[[Index], Any]:
    """Return the coordinates that nested lists give; lengths of one are repeated."""
    shape = shape_of(x)

    def coordinate(index: Index) -> Any:
        pairs = zip(index, shape, strict=True)
        return at(x, tuple(0 if n == 1 else k for k, n in pairs))

    return coordinate


def difference(
    got: Nested,
    wanted: Nested,
    tolerance: float | Fraction,
    scale: Nested | None = None,
) -> str | None:
    """Return a sentence about the first two numbers that differ, or None.

    The tolerance is relative to `scale`, one number for each, or else to the largest
    number wanted.  Not-a-numbers agree with each other, infinities with their like.
    """
    numbers, targets = list(flat(got)), list(flat(wanted))
    if len(numbers) != len(targets):
        return f"{len(numbers)} numbers where {len(targets)} were wanted"
    largest = max((absolute(t) for t in targets if is_finite(t)), default=0)
    sizes = [largest] * len(targets) if scale is None else flat(scale)
    triples = zip(numbers, targets, sizes, strict=True)
    for place, (number, target, size) in enumerate(triples):
        if not agree(number, target, Fraction(tolerance) * Fraction(size)):
            shown = complex(target) if target.imag else float(target.real)
            return f"{number!r} where {shown!r} was wanted, at flat index {place}"
    return None


def agree(number: Any, target: Any, limit: Fraction) -> bool:
    if not is_finite(target):
        return _same_part(number.real, target.real) and (
            _same_part(number.imag, target.imag)
        )
    if not is_finite(number):
        return False
    error = gaussian(number) - gaussian(target)
    return error.real**2 + error.imag**2 <= limit**2


def _same_part(number: float, target: float) -> bool:
    return number == target or (math.isnan(number) and math.isnan(target))


def is_finite(value: Any) -> bool:
    return all(
        isinstance(part, (int, Fraction)) or math.isfinite(part)
        for part in (value.real, value.imag)
    )


def absolute(value: Any) -> Fraction:
    """Return a number between the absolute value and twice that, exactly."""
    return abs(Fraction(value.real)) + abs(Fraction(value.imag))
