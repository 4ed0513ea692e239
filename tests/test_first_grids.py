"""What is no grid, in the first hour: each message leads to the result wanted."""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
from backends import Backend
from first_mistakes import ROWS, refusal

# What are no coordinates.


def test_steps_between_the_points(numpy: Any) -> None:
    f, steps = numpy.asarray(ROWS[0]), numpy.asarray([1.0, 2, 4])
    message = refusal(lambda: anygrad.derivative(f, spacing=steps))
    assert message.endswith("Of the steps between points, pass the sums, from 0 on.")
    sums = numpy.concatenate([[0.0], numpy.cumsum(steps)])
    found = anygrad.derivative(f, spacing=sums)
    wanted = numpy.gradient(f, sums, edge_order=2)
    assert found.tolist() == pytest.approx(wanted.tolist())


def test_steps_between_the_points_of_each_line(numpy: Any) -> None:
    """As MetPy makes them of longitudes and latitudes."""
    f, steps = numpy.asarray(ROWS), numpy.asarray([[1.0, 2, 4]] * 4)
    message = refusal(lambda: anygrad.derivative(f, spacing=steps))
    assert message.endswith("Of the steps between points, pass the sums, from 0 on.")
    sums = numpy.insert(numpy.cumsum(steps, axis=1), 0, 0.0, axis=1)
    found = anygrad.derivative(f, spacing=sums)
    wanted = numpy.gradient(f, sums[0], axis=1, edge_order=2)
    assert found.tolist() == [pytest.approx(row) for row in wanted.tolist()]


def test_samples_that_broadcast_to_coordinates(numpy: Any) -> None:
    """As of a quantity on its own levels, whose heights depend on the place."""
    f = numpy.asarray([[0.0], [2.0], [4.0]])
    x = numpy.asarray([[0.0, 0], [1, 2], [2, 4]])
    message = refusal(lambda: anygrad.derivative(f, dim=0, spacing=x))
    assert message.endswith("Broadcast `input` first, with `broadcast_to`.")
    found = anygrad.derivative(numpy.broadcast_to(f, x.shape), dim=0, spacing=x)
    assert found.tolist() == [[2.0, 1.0]] * 3


def test_a_step_for_each_line(numpy: Any) -> None:
    """Such as that of longitudes, which depends on the latitude."""
    f, steps = numpy.asarray(ROWS[1:]), numpy.asarray([[1.0], [2], [4]])
    message = refusal(lambda: anygrad.derivative(f, spacing=steps))
    assert message.endswith("pass its multiples: 0, 1, 2, ... times it.")
    found = anygrad.derivative(f, spacing=steps * numpy.arange(4.0))
    assert found.tolist() == (anygrad.derivative(f) / steps).tolist()


def test_steps_in_an_array(numpy: Any) -> None:
    f, h = numpy.asarray(ROWS), numpy.asarray([0.5, 2.0])
    message = refusal(lambda: anygrad.gradient(f, spacing=h))
    assert message.endswith("2 in all. Steps, too: `spacing=list(h)`.")
    found = anygrad.gradient(f, spacing=list(h), stack_dim=0)
    assert found.tolist() == numpy.stack(numpy.gradient(f, *h)).tolist()


def test_a_step_in_an_array(library: Backend) -> None:
    f, h = library.asarray(ROWS), library.asarray([2.0])
    message = refusal(lambda: anygrad.gradient(f, spacing=h))
    assert message.endswith("2 in all. For a step, give it as a number.")
    found, wanted = (anygrad.gradient(f, spacing=step) for step in (h[0], 2.0))
    assert [library.tolist(a) for a in found] == [library.tolist(a) for a in wanted]


def test_the_grids_of_mgrid(numpy: Any) -> None:
    f, x = numpy.asarray(ROWS[1:]), numpy.mgrid[:3, :4]
    message = refusal(lambda: anygrad.gradient(f, spacing=x))
    assert message.endswith("2 in all. Of `mgrid`, with `list(x)`.")
    found = anygrad.gradient(f, spacing=list(x), stack_dim=0)
    assert found.tolist() == anygrad.gradient(f, stack_dim=0).tolist()


def test_coordinates_in_the_order_of_other_dims(library: Backend) -> None:
    """As x before y, where rows are y: they are of the dim that is as long."""
    f = library.asarray(ROWS[1:])
    x, y = library.asarray([0.0, 1, 2, 3]), library.asarray([0.0, 2, 4])
    message = refusal(lambda: anygrad.gradient(f, spacing=[x, y]))
    advice = " is as long: name it in `dim`, or give the entries in the order of the"
    assert f"Dimension 1{advice} dims." in message
    wanted = [library.tolist(a) for a in anygrad.gradient(f, spacing=[y, x])]
    found = anygrad.gradient(f, spacing=[x, y], dim=(1, 0))
    assert [library.tolist(a) for a in reversed(found)] == wanted
    message = refusal(lambda: anygrad.derivative(f, spacing=y, edge_order=1))
    assert f"Dimension 0{advice} dims." in message
    one = anygrad.derivative(f, spacing=y, edge_order=1, dim=0)
    assert library.tolist(one) == wanted[0]


def test_the_dim_of_coordinates_of_a_field(numpy: Any) -> None:
    """It is counted in all of `input`, as the user counts."""
    field, x = numpy.zeros((2, 3, 4)), numpy.asarray([0.0, 1, 2, 3])
    message = refusal(lambda: anygrad.divergence(field, spacing=[x, x]))
    assert "Dimension 2 is as long: " in message
    message = refusal(lambda: anygrad.divergence(field, spacing=[x[:2], x]))
    assert "is as long" not in message  # as there are components


def test_coordinates_of_the_last_dims(library: Backend) -> None:
    """Of a batch, whose first dim has none."""
    f, x = library.asarray([ROWS] * 2), library.asarray([0.0, 1, 2, 3])
    for spacing, dims in (([x, x], (1, 2)), ([x], (2,)), ([1.0, 2.0], (1, 2))):
        message = refusal(lambda spacing=spacing: anygrad.gradient(f, spacing=spacing))
        assert message.endswith(f"Got {len(dims)}. Name their dims in `dim`.")
        assert len(anygrad.gradient(f, spacing=spacing, dim=dims)) == len(dims)


def test_edges_of_cells(numpy: Any) -> None:
    f, edges = numpy.asarray(ROWS[0]), numpy.asarray([0.0, 1, 2, 3, 4])
    message = refusal(lambda: anygrad.derivative(f, spacing=edges))
    assert message.endswith("Of the edges of cells, pass the middles.")
    middles = (edges[1:] + edges[:-1]) / 2
    found = anygrad.derivative(f, spacing=middles, edge_order=1)
    assert found.tolist() == [1.0, 2.0, 4.0, 5.0]


# The grids of `meshgrid`.


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("batch", [(), (2,)])
def test_meshgrid_with_its_usual_indexing(
    numpy: Any, sparse: bool, batch: tuple[int, ...]
) -> None:
    """With the word that the message names, the same call is right."""
    axes = [[0.0, 1, 3], [0.0, 2, 3, 7], *([0.0, 1] for _ in batch)]
    x, y, *_ = grid = numpy.meshgrid(*axes, indexing="ij", sparse=sparse)
    f = 2 * x + 3 * y + sum(grid[2:])
    wrong = numpy.meshgrid(*axes, sparse=sparse)
    message = refusal(lambda: anygrad.gradient(f, spacing=wrong))
    assert message.startswith("`spacing[0]` ")
    assert message.endswith("call it with `indexing='ij'`.")
    right = numpy.meshgrid(*axes, indexing="ij", sparse=sparse)
    results = anygrad.gradient(f, spacing=right)
    for result, slope in zip(results, [2, 3, 1], strict=False):
        assert numpy.allclose(result, slope, rtol=1e-15)


def test_a_grid_whose_shapes_do_not_show_it(numpy: Any) -> None:
    """No step looks at values, so the derivatives show it: none of them is finite."""
    x, y = grid = numpy.meshgrid([0.0, 1, 3], [0.0, 2, 3, 7])
    for result in anygrad.gradient(2 * x + 3 * y, spacing=grid):
        assert not numpy.isfinite(result).any()


def test_the_second_grid_alone(numpy: Any) -> None:
    """Beside a step, and of a field, whose components have the dims."""
    _, y = numpy.meshgrid([0.0, 1, 3], [0.0, 2, 3, 7])
    f = numpy.ones((3, 4))
    message = refusal(lambda: anygrad.gradient(f, spacing=[1.0, y]))
    assert "`indexing='ij'`" in message
    field = numpy.stack([f, f])
    message = refusal(lambda: anygrad.divergence(field, spacing=[1.0, y]))
    assert "`indexing='ij'`" in message


def test_a_third_dim_that_may_not_be_broadcast(numpy: Any) -> None:
    """Its own grid has all points that it needs, and the first two dims exchanged."""
    *_, z = numpy.meshgrid([0.0, 1, 3], [0.0, 2, 3, 7], [0.0, 1])
    f = numpy.ones((3, 4, 2))
    message = refusal(lambda: anygrad.gradient(f, spacing=[1.0, 1.0, z]))
    assert "must be broadcastable" in message
    assert message.endswith("call it with `indexing='ij'`.")


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (2, 2), (1, 1)])
def test_other_wrong_shapes_are_not_said_to_be_a_meshgrid(
    numpy: Any, shape: tuple[int, ...]
) -> None:
    f = numpy.ones((3, 4))
    message = refusal(lambda: anygrad.gradient(f, spacing=[numpy.ones(shape), 1.0]))
    assert "indexing" not in message


# A circle, closed twice.


def test_a_last_point_that_is_the_first_one_again(library: Backend) -> None:
    """Messages about a period say so, and without the point the result is right."""
    f, x = library.asarray([0.0, 1, 0, -1, 0]), library.asarray([0.0, 1, 2, 3, 4])
    advice = "Leave out a last point that repeats the first one."
    call = anygrad.derivative
    assert advice in refusal(lambda: call(f, boundary=("periodic", 4.0)))
    assert advice in refusal(lambda: call(f, spacing=x, boundary="periodic"))
    wrong, right = call(f, boundary="periodic"), call(f[:-1], boundary="periodic")
    assert library.tolist(wrong)[0] == 0.5
    assert library.tolist(right) == [1, 0, -1, 0]
    result = call(f[:-1], spacing=x[:-1], boundary=("periodic", 4.0))
    assert library.tolist(result) == [1, 0, -1, 0]
