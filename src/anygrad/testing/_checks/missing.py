"""Where samples are missing: the keyword `where` of a gradient."""

from __future__ import annotations

import math
from typing import Any

from ...testing import _formulas
from ...testing._arrays import (
    Gradient,
    array,
    need_keyword,
    numbers,
    only,
    require,
    require_numbers,
)
from ...testing._checks.boundaries import PERIOD, need_boundary
from ...testing._checks.grids import COORDINATES, SAMPLES
from ...testing._checks.orders import (
    LONG,
    LONG_COORDINATES,
    close,
    grids,
)
from ...testing._checks.refusals import LINE, keywords, require_refused_by_name
from ...testing._oracle import Nested

#: Three runs of four: between them lie a hole of two points, and one of one.
HOLES = [k not in (4, 5, 10) for k in range(len(LONG))]

#: A hole at either end, and one in between.
ENDS = [False, True, True, False, True, True, True]


def need_where(gradient: Gradient, f: Any) -> None:
    """Stop a check of masks where a gradient knows none."""
    need_keyword(gradient, f, where=None)


def mask(xp: Any, valid: Nested) -> Any:
    """Return an array of bools."""
    return xp.asarray(valid, dtype=xp.bool)


def of_valid(f: Nested, x: Any, valid: list[bool], *rest: Any, **kind: Any) -> Nested:
    """Return the derivative of a line, NaN where no formula fits."""
    slopes = _formulas.of_valid(f, x, valid, *rest, **kind)
    return [math.nan if slope is None else slope for slope in slopes]


def require_around_holes(gradient: Gradient, xp: Any, *cuts: slice) -> None:
    """Hold parts of the derivative of a line with holes to the formulas."""
    f, where = array(xp, LONG), mask(xp, HOLES)
    need_where(gradient, f)
    for entry, coordinate, uneven in grids(xp, LONG_COORDINATES):
        x = [coordinate((k,)) for k in range(len(LONG))]
        for edge_order in (1, 2):
            wanted = of_valid(LONG, x, HOLES, edge_order, uneven=uneven)
            given: dict[str, Any] = {"spacing": [entry], "edge_order": edge_order}
            result = only(gradient, f, where=where, **given)
            for cut in cuts:
                close(result[cut], wanted[cut])


def check_all_valid_changes_nothing(gradient: Gradient, xp: Any) -> None:
    """A mask of nothing but True changes no bit on a step, roundings on coordinates."""
    f, where = array(xp, LONG), mask(xp, [True] * len(LONG))
    need_where(gradient, f)
    for entry, _, uneven in grids(xp, LONG_COORDINATES):
        for edge_order in (1, 2):
            given: dict[str, Any] = {"spacing": [entry], "edge_order": edge_order}
            usual = numbers(only(gradient, f, **given))
            found = only(gradient, f, where=where, **given)
            require_numbers(found, usual, tolerance=None if uneven else 0)


def check_central_where_it_fits(gradient: Gradient, xp: Any) -> None:
    """Inside a run of valid samples, and on a step in a hole of one, it is central."""
    inside = slice(1, 3), slice(7, 9), slice(12, 14)
    require_around_holes(gradient, xp, *inside, slice(10, 11))


def check_one_sided_next_to_a_hole(gradient: Gradient, xp: Any) -> None:
    """Next to a hole, formulas read to one side, and have the order `edge_order`."""
    beside = slice(3, 4), slice(6, 7), slice(9, 10), slice(11, 12)
    require_around_holes(gradient, xp, *beside)


def check_too_few_valid_samples(gradient: Gradient, xp: Any) -> None:
    """Where no formula has all its samples, the derivative is NaN, and only there."""
    f, where = array(xp, SAMPLES), mask(xp, [k in (0, 3, 4) for k in range(7)])
    need_where(gradient, f)
    wanted = [0, 1, 2, 5, 6]
    for entry, _, _ in grids(xp):
        for edge_order in (1, 2):
            given: dict[str, Any] = {"spacing": [entry], "edge_order": edge_order}
            values = numbers(only(gradient, f, where=where, **given))
            found = [k for k, value in enumerate(values) if math.isnan(value)]
            require(found == wanted, f"NaN at {found}, not at {wanted}")


def check_missing_values_never_matter(gradient: Gradient, xp: Any) -> None:
    """What stands under False, a NaN, an infinity or a number, changes no result."""
    need_where(gradient, array(xp, LONG))
    for entry, _, _ in grids(xp, LONG_COORDINATES):
        texts = []
        for value in (0.0, 1e30, math.nan, math.inf, -math.inf):
            pairs = zip(LONG, HOLES, strict=True)
            f = array(xp, [sample if ok else value for sample, ok in pairs])
            where = mask(xp, HOLES)
            texts.append(str(numbers(only(gradient, f, spacing=[entry], where=where))))
        require(len(set(texts)) == 1, f"{texts[-1]} where {texts[0]} was wanted")


def check_holes_at_a_periodic_seam(gradient: Gradient, xp: Any) -> None:
    """With a `"periodic"` boundary, a hole at one end is next to the other."""
    f, where = array(xp, SAMPLES), mask(xp, ENDS)
    need_where(gradient, f)
    need_boundary(gradient, f)
    for entry, coordinate, uneven in grids(xp):
        x = [coordinate((k,)) for k in range(7)]
        boundary: Any = ("periodic", PERIOD) if uneven else "periodic"
        for edge_order in (1, 2):
            wanted = of_valid(SAMPLES, x, ENDS, edge_order, boundary, uneven=uneven)
            given: dict[str, Any] = {"edge_order": edge_order, "boundary": boundary}
            close(only(gradient, f, spacing=[entry], where=where, **given), wanted)


def check_masks_broadcast(gradient: Gradient, xp: Any) -> None:
    """A mask of fewer dims, or with lengths of one, is repeated as in arithmetic."""
    rows = [SAMPLES, SAMPLES[::-1], COORDINATES]
    f, x = array(xp, rows), range(7)
    need_where(gradient, f)
    column = [[True], [False], [True]]
    for valid, lines in (
        (ENDS, [ENDS] * 3),
        ([ENDS], [ENDS] * 3),
        (column, [row * 7 for row in column]),
        (False, [[False] * 7] * 3),
    ):
        wanted = [
            of_valid(row, x, line, 1) for row, line in zip(rows, lines, strict=True)
        ]
        close(only(gradient, f, dim=1, where=mask(xp, valid)), wanted)


def check_masks_refused(gradient: Gradient, xp: Any) -> None:
    """Masks of numbers, of a shape that does not fit, and lists are refused by name."""
    need_where(gradient, array(xp, LINE))
    others: list[Any] = [[True] * len(LINE), array(xp, LINE)]
    misshapen = mask(xp, [True] * 3), mask(xp, [[True] * 4])
    require_refused_by_name(
        gradient,
        xp,
        *(keywords(TypeError, "where", where=given) for given in others),
        *(keywords(ValueError, "where", where=given) for given in misshapen),
    )


def check_holes_at_higher_accuracy(gradient: Gradient, xp: Any) -> None:
    """With any `accuracy`, each run has that of an array of its length, or less."""
    f, where = array(xp, LONG), mask(xp, HOLES)
    need_where(gradient, f)
    need_keyword(gradient, f, accuracy=2)
    for entry, coordinate, uneven in grids(xp, LONG_COORDINATES):
        x = [coordinate((k,)) for k in range(len(LONG))]
        kind: dict[str, Any] = {"accuracy": 4, "edge_order": 3}
        wanted = of_valid(LONG, x, HOLES, 3, accuracy=4, uneven=uneven)
        close(only(gradient, f, spacing=[entry], where=where, **kind), wanted)


def check_holes_of_higher_orders(derivative: Gradient, xp: Any) -> None:
    """Derivatives of any order read valid samples only."""
    f, where = array(xp, LONG), mask(xp, HOLES)
    need_where(derivative, f)
    for order in (2, 3):
        for entry, coordinate, uneven in grids(xp, LONG_COORDINATES):
            x = [coordinate((k,)) for k in range(len(LONG))]
            wanted = of_valid(LONG, x, HOLES, 2, order=order, uneven=uneven)
            close(derivative(f, spacing=[entry], where=where, order=order), wanted)


def check_holes_in_sums(laplacian: Gradient, hessian: Gradient, xp: Any) -> None:
    """A sum is NaN where one of its terms has no formula, and only there."""
    rows = [LONG, LONG[::-1], LONG[3:] + LONG[:3], LONG]
    valid = [HOLES, [True] * len(LONG), HOLES[::-1], [True] * len(LONG)]
    f, where = array(xp, rows), mask(xp, valid)
    need_where(laplacian, f)
    across = [
        of_valid(row, range(len(row)), line, 2, order=2)
        for row, line in zip(rows, valid, strict=True)
    ]
    lines = zip(zip(*rows, strict=True), zip(*valid, strict=True), strict=True)
    down = [of_valid(a, range(len(a)), list(ok), 2, order=2) for a, ok in lines]
    down = [list(row) for row in zip(*down, strict=True)]
    wanted = [
        [a + b for a, b in zip(*pair, strict=True)]
        for pair in zip(down, across, strict=True)
    ]
    close(laplacian(f, where=where), wanted)
    second = hessian(f, where=where)
    close(second[0, 0, ...], down)
    close(second[1, 1, ...], across)


def check_masks_of_components(divergence: Gradient, xp: Any) -> None:
    """A mask has the dim of the components, or is the same for each of them."""
    rows, valid = [LONG, LONG[::-1]], [HOLES, HOLES[::-1]]
    f = array(xp, [[row] * 3 for row in rows])
    need_where(divergence, f)
    for where, lines in (
        (mask(xp, [[line] * 3 for line in valid]), valid),
        (mask(xp, valid[0]), valid[:1] * 2),
    ):
        across = of_valid(rows[1], range(len(LONG)), lines[1], 2)
        # The other component does not change along its dim, where it is valid.
        wanted = [
            value if ok else math.nan
            for value, ok in zip(across, lines[0], strict=True)
        ]
        close(divergence(f, where=where), [wanted] * 3)
