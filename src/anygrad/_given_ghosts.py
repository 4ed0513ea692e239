"""Ghosts that the caller brings beside the samples: a call on both together.

They are put to the samples along their dim, and their coordinates to the coordinates;
what is computed is a call on a block with ghosts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from . import (
    _calls,
    _chunks,
    _constants,
    _dispatch,
    _libraries,
    _schemes,
    _traced_numbers,
)
from ._agnostic import prepare
from ._calls import Request
from ._checks import boundary, dim, ghosts, input, order, spacing
from ._checks.ghosts import Given
from ._checks.spacing import Entry
from ._classes import ndim_of
from ._lowering import END, START
from ._records import Axis, Field, Plan, Samples

#: ``concat(arrays, axis)`` joins arrays along an axis.
Concat: TypeAlias = Callable[..., Any]


class Extension(NamedTuple):
    """What is put to the samples along one dim."""

    #: The axis of the samples.
    place: int
    #: The dim.
    axis: Axis
    #: The ghosts that are read, arrays or None.
    left: Any
    right: Any

    def put_to(self, f: Any, xp: Any, concat: Concat) -> Any:
        """Return the samples with their ghosts."""
        parts = [part for part in (self.left, f, self.right) if part is not None]
        # NumPy joins what has a foreign byte order in its own.
        return prepare(concat(parts, axis=self.place), f.dtype, False, xp)

    def beside(self, others: Sequence[Extension], concat: Concat) -> Extension:
        """Return ghosts as long as samples that have ghosts along other dims.

        What lies beyond both ends is read by nobody: it is there for the shape.
        """
        found = self
        for other in others:
            sides = [
                None if part is None else other.corners(part, concat)
                for part in (found.left, found.right)
            ]
            found = found._replace(left=sides[0], right=sides[1])
        return found

    def corners(self, part: Any, concat: Concat) -> Any:
        """Return ghosts of another dim, their first and last rows repeated."""
        rows = [_dispatch.part_of(part, self.place, cut) for cut in (START, END)]
        counts = [0 if a is None else a.shape[self.place] for a in self[2:]]
        before, after = ([row] * n for row, n in zip(rows, counts, strict=True))
        return concat([*before, part, *after], axis=self.place)


def plan(
    planner: Any, array: Any, request: Request, again: Callable[..., Plan]
) -> Plan:
    """Return the plan of a call on samples and ghosts."""
    samples = _dispatch.samples_of(array, "input")
    input.check(samples)
    request = _traced_numbers.adopted(request, samples)
    field = _field(samples, request)
    with _dispatch.surroundings(samples):
        whole, extensions = _extended(planner, field, request)
        shape = list(samples.shape)
        for place, _, *sides in extensions:
            shape[place] += sum([a.shape[place] for a in sides if a is not None])
        planner(samples._replace(shape=tuple(shape)), whole)  # it refuses what is wrong
        xp, concat = samples.namespace, samples.joining("concat")
        f = prepare(samples.array, samples.dtype, False, xp)
        for number, extension in enumerate(extensions):
            f = extension.beside(extensions[:number], concat).put_to(f, xp, concat)
    inner = again(planner, f, **whole._asdict())
    return inner.around(lambda _: f)


def _field(samples: Samples, request: Request) -> Field:
    """Return what is differentiated."""
    if request.vector_dim is None:
        return input.field(samples)
    return input.field(samples, dim.vector_axis(request.vector_dim, samples))


def _extended(
    planner: Any, field: Field, request: Request
) -> tuple[Request, list[Extension]]:
    """Return the call on samples with ghosts, and these."""
    along, steps = request.dim, request.spacing
    if planner is _calls.derivative:
        along, steps = dim.single(along, request.axis), spacing.single(steps)
    axes = dim.axes(field, along, request.axis)
    entries = spacing.entries(steps, len(axes))
    at_ends = request.boundary
    ghosts.check_where(request.where)  # its remedy is for values beyond an end, too
    given = ghosts.parsed(at_ends)
    is_list = isinstance(at_ends, list)
    modes = given.modes if is_list else given.modes[0]
    if len(axes) > 1:
        boundary.refuse_pair(at_ends, len(axes))
    boundary.ends(modes, len(axes))
    wanted = order.orders(
        _calls.ORDERS.get(planner, request.order), *request[6:8], usual=1
    )
    found, extensions = [], []
    each = given.sides if is_list else given.sides * len(axes)
    for axis, entry, sides in zip(axes, entries, each, strict=True):
        is_uneven = ndim_of(entry.given) > 0
        count = _schemes.half_width(wanted.order, wanted.accuracy, is_uneven)
        place = dim.in_samples(axis, field)
        for side in sides:
            ghosts.check(side, axis, entry, field, count)
        parts = [_part(side, place, count, field) for side in sides]
        if any(part is not None for part in parts):
            extensions.append(Extension(place, axis, *parts))
        found.append(_coordinates(entry, sides, axis, count, field))
    if planner is _calls.hessian:
        ghosts.check_corners(len(extensions))
    _check_alike(modes, entries, axes, field, request, extensions)
    whole = request._replace(boundary=modes, spacing=_as_given(request, found))
    return whole, extensions


def _check_alike(
    modes: Any,
    entries: Sequence[Entry],
    axes: Sequence[Axis],
    field: Field,
    request: Request,
    extensions: Sequence[Extension],
) -> None:
    """Refuse arrays of other dims that vary along one with ghosts."""
    factors = request.scale_factors
    if not isinstance(factors, (list, tuple)):
        factors = ()
    ndim = len(field.samples.shape)
    for place, axis, *_ in extensions:
        length, from_last = field.samples.shape[place], axis.number - field.ndim
        pairs = zip(axes, entries, strict=True)
        others = [e for a, e in pairs if a.number != axis.number]
        for entry in others:
            if ndim_of(entry.given) > 1:
                ghosts.check_alike(entry.given, entry.name, axis, from_last, length)
        for name, array in ghosts.arrays_in(modes, "boundary"):
            ghosts.check_alike(array, name, axis, place - ndim, length)
        for k, factor in enumerate(factors):
            name = f"scale_factors[{k}]"
            ghosts.check_alike(factor, name, axis, from_last, length)


def _as_given(request: Request, found: list[Any]) -> Any:
    """Return the spacing in the form in which it was given."""
    is_list = isinstance(request.spacing, (list, tuple))
    return found if is_list or len(found) != 1 else found[0]


def _part(side: Given | None, place: int, count: int, field: Field) -> Any:
    """Return the nearest ghosts of one end, as samples."""
    if side is None:
        return None
    samples = field.samples
    plain = _constants.placed(side.samples, samples)
    nearest = _nearest(plain, place, count, side)
    nearest = prepare(nearest, samples.dtype, False, samples.namespace)
    chunks = getattr(samples.array, "chunks", ())
    return _chunks.in_chunks(nearest, chunks, left_out=place)


def _coordinates(entry: Entry, sides: Any, axis: Axis, count: int, field: Field) -> Any:
    """Return the coordinates of the samples and of their ghosts; a step as it is."""
    first, last = [None if side is None else side.coordinates for side in sides]
    if first is None and last is None:
        return entry.given
    samples, given = field.samples, [entry.given, first, last]
    xp, concat = samples.namespace, samples.joining("concat")
    if all(x is None or _constants.is_constant(x) for x in given):
        xp = _dispatch.samples_of(entry.given, entry.name).namespace
        concat = xp.concat
        x, *ghosts = map(_libraries.without_shell, given)
    else:
        x, *ghosts = [
            None if x is None else _constants.placed(x, samples) for x in given
        ]
    place = axis.number if x.ndim > 1 else 0
    parts = [
        None
        if ghost is None
        else prepare(_nearest(ghost, place, count, side), x.dtype, False, xp)
        for ghost, side in zip(ghosts, sides, strict=True)
    ]
    return Extension(place, axis, *parts).put_to(x, xp, concat)


def _nearest(array: Any, place: int, count: int, side: Given) -> Any:
    """Return what lies next to the samples."""
    cut = slice(-count, None) if side.end == 0 else slice(0, count)
    return _dispatch.part_of(array, place, cut)
