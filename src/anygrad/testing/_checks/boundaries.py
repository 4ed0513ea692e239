"""What lies beyond the ends of a dim: the keyword `boundary` of a gradient."""

from __future__ import annotations

from functools import partial
from typing import Any

from ...testing import _abilities, _formulas, _oracle
from ...testing._arrays import (
    Gradient,
    array,
    complex_,
    need_keyword,
    numbers,
    only,
    require,
    require_dtype,
    require_numbers,
)
from ...testing._checks.grids import COORDINATES, SAMPLES
from ...testing._checks.orders import close, grids, of_line, require_differentiable
from ...testing._checks.refusals import (
    ROW,
    Mistake,
    keywords,
    require_refused_by_name,
)

#: More than the span of the coordinates.
PERIOD = 14.0


def need_boundary(gradient: Gradient, f: Any) -> None:
    """Stop a check of boundaries where a gradient knows none."""
    need_keyword(gradient, f, boundary="one_sided")


def require_boundary(gradient: Gradient, xp: Any, boundary: Any) -> None:
    """Hold a boundary to the formulas on written-out ghosts."""
    f = array(xp, SAMPLES)
    need_boundary(gradient, f)
    for entry, coordinate, _ in grids(xp):
        result = only(gradient, f, spacing=[entry], boundary=boundary)
        wanted = of_line(coordinate, edge_order=1, boundary=boundary)
        close(result, wanted)


def check_one_sided_is_usual(gradient: Gradient, xp: Any) -> None:
    """`boundary="one_sided"` is what is done without it, to the last bit."""
    f = array(xp, SAMPLES)
    need_boundary(gradient, f)
    for entry, _, _ in grids(xp):
        usual = numbers(only(gradient, f, spacing=[entry]))
        found = numbers(only(gradient, f, spacing=[entry], boundary="one_sided"))
        require(found == usual, f"{found} where {usual} was wanted")


def check_reflect(gradient: Gradient, xp: Any) -> None:
    """Beyond a `"reflect"` end lies the mirror image in the last point."""
    require_boundary(gradient, xp, "reflect")


def check_symmetric(gradient: Gradient, xp: Any) -> None:
    """Beyond a `"symmetric"` end lies the mirror image half a step further."""
    require_boundary(gradient, xp, "symmetric")


def check_edge(gradient: Gradient, xp: Any) -> None:
    """Beyond an `"edge"` end lies the value of the last point."""
    require_boundary(gradient, xp, "edge")


def check_numbers_beyond_the_ends(gradient: Gradient, xp: Any) -> None:
    """Beyond an end that is a number lies that number."""
    for value in (0, 2.5, -3):
        require_boundary(gradient, xp, value)


def check_periodic_with_steps(gradient: Gradient, xp: Any) -> None:
    """Beyond a `"periodic"` end lies the other end, a step away."""
    f = array(xp, SAMPLES)
    need_boundary(gradient, f)
    for h in (0.5, -2.0):
        result = only(gradient, f, spacing=h, boundary="periodic")
        close(result, of_line(_oracle.steps(0, h), boundary="periodic"))


def check_periodic_with_coordinates(gradient: Gradient, xp: Any) -> None:
    """With coordinates, ascending or not, `("periodic", period)` has the length."""
    f, boundary = array(xp, SAMPLES), ("periodic", PERIOD)
    need_boundary(gradient, f)
    for x in (COORDINATES, COORDINATES[::-1]):
        result = only(gradient, f, spacing=[array(xp, x)], boundary=boundary)
        close(result, of_line(_oracle.along(0, x), boundary=boundary))


def check_periodic_samples_can_be_turned(gradient: Gradient, xp: Any) -> None:
    """The derivative of periodic samples turns with them."""
    turned = SAMPLES[3:] + SAMPLES[:3]
    need_boundary(gradient, array(xp, SAMPLES))
    one, two = (
        numbers(only(gradient, array(xp, samples), boundary="periodic"))
        for samples in (SAMPLES, turned)
    )
    require(one[3:] + one[:3] == two, f"{two} where {one[3:] + one[:3]} was wanted")


def check_another_mode_at_each_end(gradient: Gradient, xp: Any) -> None:
    """A pair gives each end its own mode or number."""
    pairs = ("reflect", "edge"), ("one_sided", 2.0), (-1, "symmetric"), (1, 2)
    for pair in pairs:
        require_boundary(gradient, xp, pair)


def check_another_boundary_for_each_dim(gradient: Gradient, xp: Any) -> None:
    """A list has the boundary of each dim, in the order in which these are named."""
    samples = [[a + b * b for a in SAMPLES] for b in SAMPLES]
    f, dims = array(xp, samples), [1, 0]
    need_boundary(gradient, f)
    boundary: list[Any] = ["periodic", ("edge", 7.0)]
    found = gradient(f, dim=dims, boundary=boundary)
    for result, dim, mode in zip(found, dims, boundary, strict=True):
        keywords: dict[str, Any] = {"edge_order": 1, "boundary": mode}
        close(
            result, _formulas.partial(samples, dim, _oracle.steps(dim, 1), **keywords)
        )
    require(boundary == ["periodic", ("edge", 7.0)], f"boundary is {boundary} now")


def check_boundaries_of_any_accuracy(gradient: Gradient, xp: Any) -> None:
    """With a higher `accuracy`, there are more ghosts, and no other formula."""
    f, x = array(xp, SAMPLES), array(xp, COORDINATES)
    need_boundary(gradient, f)
    need_keyword(gradient, f, accuracy=2)
    modes = "reflect", "symmetric", "edge", 2.5, ("periodic", PERIOD)
    for accuracy in (4, 6):
        for mode in modes:
            kind: dict[str, Any] = {"accuracy": accuracy, "boundary": mode}
            wanted = of_line(_oracle.along(0, COORDINATES), **kind)
            close(only(gradient, f, spacing=[x], **kind), wanted)


def check_boundaries_with_a_coordinate_per_point(gradient: Gradient, xp: Any) -> None:
    """Ghosts have the coordinates of their own line."""
    samples, x = [SAMPLES, SAMPLES[::-1]], [COORDINATES, [2 * a for a in COORDINATES]]
    f = array(xp, samples)
    need_boundary(gradient, f)
    for mode in ("reflect", "symmetric", 2.5, ("periodic", 2 * PERIOD)):
        wanted = _formulas.partial(samples, 1, _oracle.per_point(x), boundary=mode)
        found = only(gradient, f, spacing=[array(xp, x)], dim=1, boundary=mode)
        close(found, wanted)


def check_even_samples_are_flat_at_a_mirror(gradient: Gradient, xp: Any) -> None:
    """At a mirror, the derivative is 0 to the last bit."""
    f = array(xp, [0.1 * k * k for k in range(7)])
    need_boundary(gradient, f)
    values = numbers(only(gradient, f, spacing=0.3, boundary="reflect"))
    found = [values[0], values[-1]]
    require(found == [0, 0], f"{found} where zeros were wanted")


def check_one_boundary_for_integers(gradient: Gradient, xp: Any) -> None:
    """A number beyond the ends of integers is not rounded, and nothing wraps."""
    samples = [200, 0, 200, 100]
    f = array(xp, samples, "uint8")
    need_boundary(gradient, f)
    wanted = of_line(_oracle.steps(0, 1), samples, boundary=-0.5)
    close(only(gradient, f, boundary=-0.5), wanted)


def check_complex_numbers_beyond_the_ends(gradient: Gradient, xp: Any) -> None:
    """Beyond the ends of complex samples may lie a complex number."""
    name = complex_(xp)
    samples = [1, 2j, 3, 4j]
    f = array(xp, samples, name)
    need_boundary(gradient, f)
    result = only(gradient, f, boundary=2j)
    require_dtype(xp, result, name)
    close(result, of_line(_oracle.steps(0, 1), samples, boundary=2j))


def check_numbers_beyond_do_not_promote(gradient: Gradient, xp: Any) -> None:
    """A number beyond the ends leaves the dtype of the samples."""
    f = array(xp, ROW, "float32")
    need_boundary(gradient, f)
    require_dtype(xp, only(gradient, f, boundary=0.1), "float32")


def check_chunks_do_not_matter_with_boundaries(gradient: Gradient, xp: Any) -> None:
    """Ghosts come from other chunks where they must, and nothing is computed."""
    f = array(xp, SAMPLES)
    modes = "periodic", "reflect", "symmetric", "edge", 2.5
    for chunks in ((3, 4), (1,) * 7):
        pieces = _abilities.in_chunks(f, chunks)
        need_boundary(gradient, pieces)
        for mode in modes:
            with _abilities.forbidden_computation(f):
                result = only(gradient, pieces, boundary=mode)
            require(result.chunks == pieces.chunks, f"chunks {result.chunks}")
            wanted = of_line(_oracle.steps(0, 1), boundary=mode)
            close(result, wanted)


def check_boundaries_can_be_traced(gradient: Gradient, xp: Any) -> None:
    """A compiled function may give samples and coordinates of a periodic dim."""
    f, x = array(xp, SAMPLES), array(xp, COORDINATES)
    need_boundary(gradient, f)
    boundary = ("periodic", PERIOD)
    call = _abilities.compiled(
        lambda f, x: only(gradient, f, spacing=[x], boundary=boundary), f
    )
    close(call(f, x), of_line(_oracle.along(0, COORDINATES), boundary=boundary))


def check_boundaries_are_differentiable(gradient: Gradient, xp: Any) -> None:
    """With ghosts, the result can be differentiated in the samples."""
    need_boundary(gradient, array(xp, SAMPLES))
    for mode in ("periodic", "reflect", "symmetric", "edge"):
        function = partial(only, gradient, boundary=mode)
        require_differentiable(function, xp, 1, boundary=mode)


# What is refused.


def check_unknown_boundaries(gradient: Gradient, xp: Any) -> None:
    """Unknown boundaries, other types, tuples that are no pairs are refused by name."""
    need_boundary(gradient, array(xp, ROW))
    texts: list[Any] = ["wrap", ("edge",) * 3, (), ("edge", "wrap"), ["edge", "edge"]]
    others: list[Any] = [None, True, {}, ("edge", None), [None]]
    require_refused_by_name(
        gradient,
        xp,
        *(keywords(ValueError, "boundary", boundary=given) for given in texts),
        *(keywords(TypeError, "boundary", boundary=given) for given in others),
    )


def check_half_periodic_boundaries(gradient: Gradient, xp: Any) -> None:
    """A dim that is periodic at one end only is refused by name."""
    need_boundary(gradient, array(xp, ROW))
    pairs = ("periodic", "edge"), ("one_sided", "periodic"), (1.0, "periodic")
    mistakes = [keywords(ValueError, "boundary", boundary=pair) for pair in pairs]
    require_refused_by_name(gradient, xp, *mistakes)


def _with_coordinates(what: str, error: type[Exception], boundary: Any) -> Mistake:
    return Mistake(
        what,
        error,
        "boundary",
        lambda xp: (
            array(xp, ROW),
            {"spacing": [array(xp, [0, 1, 3, 4])], "boundary": boundary},
        ),
    )


def check_periods(gradient: Gradient, xp: Any) -> None:
    """A period is needed with coordinates, refused with a step, positive and finite."""
    need_boundary(gradient, array(xp, ROW))
    require_refused_by_name(
        gradient,
        xp,
        keywords(ValueError, "boundary", boundary=("periodic", 4.0)),
        _with_coordinates("coordinates without a period", ValueError, "periodic"),
        *(
            _with_coordinates(f"a period of {period}", ValueError, ("periodic", period))
            for period in (0, -5.0, float("inf"), float("nan"))
        ),
        *(
            _with_coordinates(f"a period of {period}", TypeError, ("periodic", period))
            for period in (None, True, 5j)
        ),
    )


def check_complex_numbers_beyond_real_samples(gradient: Gradient, xp: Any) -> None:
    """A complex number beyond the ends of real samples is refused by name."""
    need_boundary(gradient, array(xp, ROW))
    require_refused_by_name(gradient, xp, keywords(TypeError, "boundary", boundary=1j))


# The keyword `stack_dim`.


def check_stacked_results(gradient: Gradient, xp: Any) -> None:
    """`stack_dim` puts the same numbers into one array, along a new dim there."""
    f = array(xp, [[a * b for a in SAMPLES] for b in COORDINATES])
    need_keyword(gradient, f, stack_dim=None)
    given: dict[str, Any] = {"spacing": [0.5, 2.0], "dim": [1, 0]}
    apart = [numbers(result) for result in gradient(f, **given)]
    for place, number in ((0, 0), (1, 1), (2, 2), (-1, 2), (-3, 0)):
        whole = gradient(f, **given, stack_dim=place)
        require(type(whole) is type(f), f"{type(whole).__qualname__} for one array")
        shape = tuple(whole.shape)
        require(shape == (7,) * number + (2,) + (7,) * (2 - number), f"shape {shape}")
        for k, wanted in enumerate(apart):
            found = numbers(whole[(slice(None),) * number + (k, ...)])
            require(found == wanted, f"other numbers for stack_dim={place}")


def check_stacked_in_one_dtype(gradient: Gradient, xp: Any) -> None:
    """Stacked results have the dtype that holds them all."""
    name = complex_(xp)
    f = array(xp, [SAMPLES] * 3)
    need_keyword(gradient, f, stack_dim=None)
    whole = gradient(f, spacing=[2j, 2.0], stack_dim=0)
    require_dtype(xp, whole, name)
    close(whole[0, ...], [[0] * 7] * 3)
    slope = of_line(_oracle.steps(0, 2), edge_order=1)
    close(whole[1, ...], [slope] * 3)


def check_stacked_result_of_one_dim(gradient: Gradient, xp: Any) -> None:
    """A single result is stacked as well."""
    f = array(xp, ROW)
    need_keyword(gradient, f, stack_dim=None)
    require_numbers(gradient(f, stack_dim=0), [[1, 2, 4, 5]])


def check_stack_dim_refused(gradient: Gradient, xp: Any) -> None:
    """A `stack_dim` that is no dim of the result, or no int, is refused by name."""
    need_keyword(gradient, array(xp, ROW), stack_dim=None)
    require_refused_by_name(
        gradient,
        xp,
        *(keywords(IndexError, "stack_dim", stack_dim=k) for k in (2, -3)),
        *(keywords(TypeError, "stack_dim", stack_dim=k) for k in (0.0, True, "0")),
        keywords(ValueError, "stack_dim", dim=(), stack_dim=0),
    )
