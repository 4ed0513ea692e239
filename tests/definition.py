"""The definition, written out a second time: point by point, exactly.

Nothing is shared with the formulas of the package, or with those of its public suite.
A dim is a line without ends: a sample is looked up beyond them by the mode that stands
there, where there is none a run of valid samples ends, and the weights of a row are
those of Lagrange's polynomials, multiplied out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from oracle import Index


class Point(NamedTuple):
    """What lies somewhere on a line; the size is that of the terms of the value."""

    value: Fraction
    size: Fraction
    is_valid: bool
    place: Fraction = Fraction(0)


#: There is none, or its sample is missing.
NOTHING = Point(Fraction(0), Fraction(0), is_valid=False)
Points: TypeAlias = dict[Index, Point]


class Orders(NamedTuple):
    order: int
    accuracy: int
    edge_order: int


class Line(NamedTuple):
    """Points with what lies beyond their ends: a mode, or a number."""

    points: list[Point]
    ends: tuple[Any, Any]
    period: Fraction
    is_uneven: bool

    def at(self, k: int) -> Point:
        n, is_left = len(self.points), k < 0
        if 0 <= k < n:
            return self.points[k]
        mode = self.ends[0 if is_left else 1]
        if mode == "one_sided":
            return NOTHING
        if mode == "periodic":
            turns, k = divmod(k, n)
            point = self.points[k]
            return point._replace(place=point.place + turns * self.period)
        place, edge = Fraction(k), 0 if is_left else n - 1
        is_between, is_image = mode == "symmetric", mode in ("reflect", "symmetric")
        last = image = self.points[edge]
        if is_image or self.is_uneven:
            # Mirrored again at the other end, as if the mode stood at both.
            twice = 2 * edge + is_between * (-1 if is_left else 1)
            image = self._replace(ends=(mode, mode)).at(twice - k)
        if self.is_uneven:
            beside = self.points[1 if is_left else n - 2]
            place = 2 * last.place - image.place
            place += is_between * (last.place - beside.place)
        found = image if is_image else last if mode == "edge" else sample(mode)
        return found._replace(place=place)


def sample(value: Any, is_valid: bool = True) -> Point:
    return Point(Fraction(value), abs(Fraction(value)), is_valid)


@lru_cache(4096)
def weights(places: tuple[Fraction, ...], order: int) -> list[Fraction]:
    """Return the weights of a derivative at 0 of the polynomial through some points."""
    found = []
    for own in places:
        polynomial, scale = [Fraction(1)], Fraction(math.factorial(order))
        for other in places:
            if other != own:
                pairs = zip([0, *polynomial], [*polynomial, 0], strict=True)
                polynomial = [higher - other * lower for higher, lower in pairs]
                scale /= own - other
        found.append(polynomial[order] * scale)
    return found


def half_width(orders: Orders, is_uneven: bool) -> int:
    usual = (orders.order + 1) // 2 + orders.accuracy // 2 - 1
    return usual + (is_uneven and orders.order % 2 == 0)


def read(line: Line, k: int, orders: Orders) -> range:
    """Return the points that the formula at a point reads; none where it has none."""
    m, half = orders.order, half_width(orders, line.is_uneven)
    reach = 2 * half + orders.edge_order + m
    left, right = (
        next(
            (d for d in range(reach) if not line.at(k + way * (d + 1)).is_valid), reach
        )
        for way in (-1, 1)
    )
    inner = min(left, right)
    if not line.at(k).is_valid:  # a formula that skips its own sample, if any
        half = min(half, inner)
        skips = m % 2 == 1 and not line.is_uneven
        return range(k - half, k + half + 1) if skips and 2 * half > m else range(0)
    edge_order = min(orders.edge_order, left + right + 1 - m)
    if edge_order < 1:
        return range(0)
    if inner >= half:
        return range(k - half, k + half + 1)
    count = max(edge_order + m, 2 * inner + 1)
    first = k - left if left <= right else k + right - count + 1
    return range(first, first + count)


def row(line: Line, k: int, orders: Orders, step: Fraction) -> Point:
    """Return the derivative at a point."""
    points = [line.at(j) for j in read(line, k, orders)]
    if not points:
        return NOTHING
    origin = line.at(k).place
    w = weights(tuple(point.place - origin for point in points), orders.order)
    # A weight on coordinates may be nearly zero by chance, with the error of others.
    floor = max(map(abs, w)) if line.is_uneven else Fraction(0)
    pairs = list(zip(w, points, strict=True))
    value = sum((a * point.value for a, point in pairs), Fraction(0))
    size = sum((max(abs(a), floor) * point.size for a, point in pairs), Fraction(0))
    scale = step**orders.order
    return Point(value / scale, size / abs(scale), is_valid=True)


class Dim(NamedTuple):
    """One dim of a call; what has one part for each line has it by its first point."""

    axis: int
    spacing: Fraction | dict[Index, list[Fraction]]
    ends: tuple[Any, Any]
    period: Fraction

    @property
    def is_uneven(self) -> bool:
        return isinstance(self.spacing, dict)

    def along(self, f: Points, orders: Orders) -> Points:
        """Return the derivative of all points along it."""
        result = {}
        for start in starts(f, self.axis):
            line = [i for i in f if at_start(i, self.axis) == start]
            places, step = list(map(Fraction, range(len(line)))), Fraction(1)
            if isinstance(self.spacing, dict):
                places = self.spacing[start]
            else:
                step = self.spacing
            points = [f[i]._replace(place=x) for i, x in zip(line, places, strict=True)]
            left, right = (e[start] if isinstance(e, dict) else e for e in self.ends)
            period = self.period if self.is_uneven else Fraction(len(line))
            whole = Line(points, (left, right), period, self.is_uneven)
            result |= {i: row(whole, k, orders, step) for k, i in enumerate(line)}
        return {index: result[index] for index in f}

    def fewest(self, orders: Orders, has_mask: bool) -> int:
        """Return how many points there must be."""
        if has_mask or "one_sided" in self.ends:
            inside = 2 * half_width(orders, self.is_uneven)
            return max(orders.edge_order + orders.order, inside)
        is_placed = self.is_uneven and "periodic" not in self.ends
        return 2 if "reflect" in self.ends or is_placed else 1


def at_start(index: Index, axis: int) -> Index:
    return (*index[:axis], 0, *index[axis + 1 :])


def starts(f: Any, axis: int) -> list[Index]:
    return [index for index in f if index[axis] == 0]


def total(parts: Sequence[Points]) -> Points:
    """Return a sum, of which there is none where a part is missing."""
    return {
        index: Point(
            sum((part[index].value for part in parts), Fraction(0)),
            sum((part[index].size for part in parts), Fraction(0)),
            all(part[index].is_valid for part in parts),
        )
        for index in parts[0]
    }


def wanted(function: str, fields: list[Points], dims: list[Dim], o: Orders) -> Any:
    """Return the numbers of all parts of a result, in their order."""
    if function == "derivative":
        return [dims[0].along(fields[0], o)]
    if function == "divergence":
        return [total([d.along(f, o) for d, f in zip(dims, fields, strict=True)])]
    second = [dim.along(fields[0], o) for dim in dims]
    if function == "laplacian":
        return [total(second)]
    once = o._replace(order=1)
    firsts = [dim.along(fields[0], once) for dim in dims]

    def mixed(i: int, j: int) -> Points:
        ends = [0 if isinstance(end, Fraction) else end for end in dims[j].ends]
        return dims[j]._replace(ends=tuple(ends)).along(firsts[i], once)

    pairs = itertools.product(range(len(dims)), repeat=2)
    return [second[i] if i == j else mixed(min(i, j), max(i, j)) for i, j in pairs]
