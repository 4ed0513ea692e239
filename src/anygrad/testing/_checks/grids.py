"""What a call means: dims, spacing, edges, and what comes back."""

from __future__ import annotations

from typing import Any

from ...testing import _formulas, _oracle
from ...testing._arrays import (
    Gradient,
    array,
    complex_,
    numbers,
    only,
    require,
    require_numbers,
    results,
)
from ...testing._oracle import Nested

#: Samples without a pattern, and uneven coordinates with small integers as steps.
SAMPLES = [3, 1, 4, 1, 5, 9, 2]
COORDINATES = [0, 1, 3, 4, 8, 9, 12]

#: The lengths of an array, and the slope of its samples along each dim.
SHAPE = (3, 4, 5, 3)
SLOPES = (2, -3, 5, 7)


def ramp(ndim: int) -> Nested:
    """Return samples that have another constant slope along every dim."""
    return _oracle.build(
        SHAPE[:ndim], lambda i: sum(s * k for s, k in zip(SLOPES, i, strict=False))
    )


def constant(ndim: int, value: Any) -> Nested:
    """Return the same number at every point."""
    return _oracle.build(SHAPE[:ndim], lambda _: value)


def exact(coordinate: Any, edge_order: int = 1, samples: Nested = SAMPLES) -> Nested:
    """Return the derivative of one-dimensional samples."""
    return _formulas.slope(samples, 0, coordinate, edge_order)


def inside(result: Any, wanted: Nested) -> None:
    """Hold the interior of a one-dimensional result to the numbers wanted."""
    shape = tuple(result.shape)
    require(shape == (len(wanted),), f"shape {shape}, not {(len(wanted),)}")
    require_numbers(result[1:-1], wanted[1:-1])


def check_example_with_coordinates(gradient: Gradient, xp: Any) -> None:
    """The first example of the page of `torch.gradient` gives the printed values."""
    f, x = array(xp, [4, 1, 1, 16]), array(xp, [-2, -1, 1, 4])
    require_numbers(only(gradient, f, spacing=[x]), [-3, -2, 2, 5])


def check_examples_with_steps(gradient: Gradient, xp: Any) -> None:
    """The other examples of the page of `torch.gradient` give the printed values."""
    f = array(xp, [[1, 2, 4, 8], [10, 20, 40, 80]])
    down: Nested = [[9, 18, 36, 72]] * 2
    across: Nested = [[1, 1.5, 3, 4], [10, 15, 30, 40]]
    for steps in ([1.0, 1.0], [2.0, 2.0], [2.0, 3.0], [3.0, 2.0]):
        is_one = steps[0] == steps[1]
        found = results(gradient, f, spacing=steps[0] if is_one else steps)
        for result, wanted, h in zip(found, (down, across), steps, strict=True):
            values = [[value / h for value in row] for row in wanted]
            require_numbers(result, values)


def check_exact_on_linear_data(gradient: Gradient, xp: Any) -> None:
    """Linear samples of one to four dimensions have their slope at every point."""
    for ndim in (1, 2, 3, 4):
        found = results(gradient, array(xp, ramp(ndim)))
        for result, slope in zip(found, SLOPES[:ndim], strict=True):
            require_numbers(result, constant(ndim, slope))


def check_exact_inside_on_quadratics(gradient: Gradient, xp: Any) -> None:
    """The derivative of a parabola is exact at every interior point."""
    f = array(xp, [k * k for k in range(7)])
    inside(only(gradient, f), [2 * k for k in range(7)])


def check_first_order_edges(gradient: Gradient, xp: Any) -> None:
    """With `edge_order=1`, an edge has the slope to its neighbour, on the right too."""
    result = only(gradient, array(xp, SAMPLES), spacing=0.5, edge_order=1)
    require_numbers(result, exact(_oracle.steps(0, 0.5), 1))


def check_second_order_edges(gradient: Gradient, xp: Any) -> None:
    """With `edge_order=2`, an edge has the slope of the parabola of three points."""
    result = only(gradient, array(xp, SAMPLES), spacing=0.5, edge_order=2)
    require_numbers(result, exact(_oracle.steps(0, 0.5), 2))


def check_first_order_edges_on_coordinates(gradient: Gradient, xp: Any) -> None:
    """On coordinates, `edge_order=1` gives an edge the slope to its neighbour."""
    f, x = array(xp, SAMPLES), array(xp, COORDINATES)
    result = only(gradient, f, spacing=[x], edge_order=1)
    require_numbers(result, exact(_oracle.along(0, COORDINATES), 1))


def check_second_order_edges_on_coordinates(gradient: Gradient, xp: Any) -> None:
    """On coordinates, `edge_order=2` makes a parabola exact at the edges as well."""
    f, x = array(xp, [x * x for x in COORDINATES]), array(xp, COORDINATES)
    result = only(gradient, f, spacing=[x], edge_order=2)
    require_numbers(result, [2 * x for x in COORDINATES])


def check_every_dim_by_itself(gradient: Gradient, xp: Any) -> None:
    """Each dim can be named alone, from the front or from the back."""
    for ndim in (1, 2, 3, 4):
        f = array(xp, ramp(ndim))
        for dim in range(-ndim, ndim):
            wanted = constant(ndim, SLOPES[:ndim][dim])
            require_numbers(only(gradient, f, dim=dim), wanted)


def check_dims_in_the_order_named(gradient: Gradient, xp: Any) -> None:
    """The results come in the order in which the dims are named, never sorted."""
    f = array(xp, ramp(3))
    for dims in ([1, 0], (2, 0, 1), [-1, 0]):
        for result, dim in zip(results(gradient, f, dim=dims), dims, strict=True):
            require_numbers(result, constant(3, SLOPES[:3][dim]))


def check_steps_in_the_order_of_dims(gradient: Gradient, xp: Any) -> None:
    """Steps belong to the dims in the order in which these are named."""
    f, dims, steps = array(xp, ramp(3)), [2, 0], [0.5, 4.0]
    found = results(gradient, f, dim=dims, spacing=steps)
    for result, dim, step in zip(found, dims, steps, strict=True):
        require_numbers(result, constant(3, SLOPES[dim] / step))


def check_coordinates_in_the_order_of_dims(gradient: Gradient, xp: Any) -> None:
    """Coordinates belong to the dims in the order in which these are named."""
    f, dims = array(xp, ramp(3)), [2, 0]
    x = [array(xp, [0, 2, 4, 6, 8]), array(xp, [0, 4, 8])]
    found = results(gradient, f, dim=dims, spacing=x)
    for result, dim, step in zip(found, dims, (2, 4), strict=True):
        require_numbers(result, constant(3, SLOPES[dim] / step))


def check_one_step_for_all_dims(gradient: Gradient, xp: Any) -> None:
    """A single number is the step along every dim."""
    found = results(gradient, array(xp, ramp(3)), spacing=0.25)
    for result, slope in zip(found, SLOPES[:3], strict=True):
        require_numbers(result, constant(3, slope * 4))


def check_one_step_per_dim(gradient: Gradient, xp: Any) -> None:
    """A list of numbers has the step of each dim."""
    steps = [0.5, 2.0, 4.0]
    found = results(gradient, array(xp, ramp(3)), spacing=steps)
    for result, slope, step in zip(found, SLOPES[:3], steps, strict=True):
        require_numbers(result, constant(3, slope / step))


def check_none_is_a_step_of_one(gradient: Gradient, xp: Any) -> None:
    """`spacing=None` is a step of 1."""
    result = only(gradient, array(xp, ramp(1)), spacing=None)
    require_numbers(result, constant(1, SLOPES[0]))


def check_uneven_coordinates(gradient: Gradient, xp: Any) -> None:
    """On uneven coordinates, the interior is that of the parabola of three points."""
    f, x = array(xp, SAMPLES), array(xp, COORDINATES)
    inside(only(gradient, f, spacing=[x]), exact(_oracle.along(0, COORDINATES)))


def check_steps_beside_coordinates(gradient: Gradient, xp: Any) -> None:
    """Numbers and coordinates may stand beside each other in `spacing`."""
    f, x = array(xp, ramp(2)), array(xp, [0, 2, 4, 6])
    found = results(gradient, f, spacing=[0.5, x])
    for result, value in zip(found, (SLOPES[0] / 0.5, SLOPES[1] / 2), strict=True):
        require_numbers(result, constant(2, value))


def check_steps_that_are_arrays(gradient: Gradient, xp: Any) -> None:
    """A step may be an array of shape (), for all dims or in a list."""
    f, h = array(xp, ramp(2)), array(xp, 0.5)
    for spacing in (h, [h, h], [h, 0.5]):
        found = results(gradient, f, spacing=spacing)
        for result, slope in zip(found, SLOPES[:2], strict=True):
            require_numbers(result, constant(2, slope / 0.5))


def check_a_coordinate_per_point(gradient: Gradient, xp: Any) -> None:
    """Coordinates may be as many as the samples: one for every point of the grid."""
    samples = [[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]]
    x = [[0, 1, 3, 4, 8], [8, 6, 5, 1, 0]]
    result = only(gradient, array(xp, samples), spacing=[array(xp, x)], dim=1)
    wanted = _formulas.slope(samples, 1, _oracle.per_point(x), 1)
    require_numbers(result, wanted)


def check_coordinates_per_point_are_broadcast(gradient: Gradient, xp: Any) -> None:
    """A coordinate per point is broadcast over the other dims where its length is 1."""
    samples = [[3, 1], [1, 5], [9, 2]]
    x = [[0], [1], [4]]
    result = only(gradient, array(xp, samples), spacing=[array(xp, x)], dim=0)
    wanted = _formulas.slope(samples, 0, _oracle.per_point(x), 1)
    require_numbers(result, wanted)


def check_negative_steps(gradient: Gradient, xp: Any) -> None:
    """A negative step turns the sign."""
    result = only(gradient, array(xp, ramp(1)), spacing=-0.5)
    require_numbers(result, constant(1, -SLOPES[0] / 0.5))


def check_descending_coordinates(gradient: Gradient, xp: Any) -> None:
    """Coordinates may descend."""
    x = [-a for a in COORDINATES]
    result = only(gradient, array(xp, SAMPLES), spacing=[array(xp, x)])
    inside(result, exact(_oracle.along(0, x)))


def check_complex_samples(gradient: Gradient, xp: Any) -> None:
    """Complex samples have complex derivatives."""
    f = array(xp, [0, 1 + 2j, 2 + 4j, 3 + 6j], complex_(xp))
    require_numbers(only(gradient, f, spacing=0.5), [2 + 4j] * 4)


def check_complex_steps(gradient: Gradient, xp: Any) -> None:
    """A complex step makes the result complex: no imaginary part is dropped."""
    complex_(xp)
    require_numbers(only(gradient, array(xp, [0, 1, 2, 3]), spacing=2j), [-0.5j] * 4)


def check_complex_coordinates(gradient: Gradient, xp: Any) -> None:
    """Complex coordinates make the result complex, and keep their imaginary part."""
    x = array(xp, [0, 1j, 3j, 4j], complex_(xp))
    f = array(xp, [0, 1, 3, 4])
    require_numbers(only(gradient, f, spacing=[x]), [-1j] * 4)


def check_tuple_for_many_dims(gradient: Gradient, xp: Any) -> None:
    """Several dims give a tuple."""
    found = gradient(array(xp, ramp(2)))
    require(type(found) is tuple, f"{type(found).__name__} where a tuple was wanted")


def check_tuple_for_one_dim(gradient: Gradient, xp: Any) -> None:
    """One dim gives a tuple as well, however it is asked for."""
    calls: tuple[dict[str, Any], ...] = ({}, {"dim": 0}, {"dim": [0]})
    for arguments in calls:
        found = gradient(array(xp, ramp(1)), **arguments)
        name = type(found).__name__
        require(type(found) is tuple, f"{name} where a tuple was wanted")


def check_no_dims_give_nothing(gradient: Gradient, xp: Any) -> None:
    """No dims, or samples that have none, give an empty tuple."""
    calls: tuple[tuple[Any, dict[str, Any]], ...] = ((3, {}), (ramp(2), {"dim": ()}))
    for samples, arguments in calls:
        found = gradient(array(xp, samples), **arguments)
        is_empty = isinstance(found, (list, tuple)) and len(found) == 0
        require(is_empty, f"{type(found).__name__}, and not empty")


def check_axis_is_another_word_for_dim(gradient: Gradient, xp: Any) -> None:
    """`axis` means `dim`."""
    f = array(xp, ramp(2))
    require_numbers(only(gradient, f, axis=1), constant(2, SLOPES[1]))


def check_two_points_are_enough(gradient: Gradient, xp: Any) -> None:
    """Two points suffice for edges of the first order."""
    require_numbers(only(gradient, array(xp, [1, 4]), spacing=2.0), [1.5, 1.5])


def check_three_points_are_enough(gradient: Gradient, xp: Any) -> None:
    """Three points suffice for edges of the second order."""
    result = only(gradient, array(xp, [0, 1, 4]), edge_order=2)
    require_numbers(result, [0, 2, 4])


def check_zero_length_of_other_dims(gradient: Gradient, xp: Any) -> None:
    """Where another dim has no points, the result has none either, and no error."""
    f = xp.reshape(array(xp, []), (0, 4))
    result = only(gradient, f, dim=1)
    require(tuple(result.shape) == (0, 4), f"shape {tuple(result.shape)}, not (0, 4)")


def check_constants_have_no_slope(gradient: Gradient, xp: Any) -> None:
    """The derivative of a constant is 0 to the last bit, whatever the coordinates."""
    x = array(xp, [0.1, 0.3, 1 / 3, 5.7, 1e3])
    result = only(gradient, array(xp, [0.1] * 5), spacing=[x])
    require_numbers(result, [0] * 5, tolerance=0)


def check_shape_kept(gradient: Gradient, xp: Any) -> None:
    """Every result has the shape of the samples."""
    f = array(xp, ramp(3))
    shapes = [tuple(result.shape) for result in results(gradient, f)]
    require(shapes == [tuple(f.shape)] * 3, f"shapes {shapes}")


def check_other_lines_do_not_matter(gradient: Gradient, xp: Any) -> None:
    """A line of samples has the same derivative alone as among others."""
    samples = [SAMPLES, SAMPLES[::-1], [0] * 7]
    alone = [numbers(only(gradient, array(xp, row))) for row in samples]
    require_numbers(only(gradient, array(xp, samples), dim=1), alone)
