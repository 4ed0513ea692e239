"""Calls that differ in lengths only have one plan, and it is that of each of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple
from unittest import mock

import pytest

import anygrad
from anygrad import _kept_plans, _plans
from backends import Backend
from planning import described, fresh_plan_of, plan_of

#: With enough points for all formulas, or for some; the same lengths, and others.
SHAPES = [(9, 12), (12, 9), (9, 9), (7, 31), (6, 5), (4, 9), (3, 3), (1, 9), (9, 1)]
SHAPES += [(2, 7), (12, 12), (31, 7), (0, 9)]


class Grid(NamedTuple):
    """What goes with samples of a shape."""

    #: Coordinates along either dim.
    x: Any
    y: Any
    #: One coordinate per point, or per row.
    each: Any
    row: Any
    #: Which samples are valid: all numbers, or one per column.
    mask: Any
    columns: Any


def grid(library: Backend, shape: tuple[int, ...]) -> Grid:
    rows, columns = shape[-2:]
    x, y = (library.asarray([k * k for k in range(n)], shape=(n,)) for n in shape[-2:])
    numbers = [k * k + 1 for k in range(rows * columns)]
    each = library.from_flat(numbers, library.real, shape[-2:])
    return Grid(x, y, each, x[:, None], each % 5 > 0, y > 1)


#: All kinds of arguments that lengths could be mistaken in, by what they are; some are
#: refused for some shapes.
CALLS: dict[str, tuple[str, Callable[[Grid], dict[str, Any]]]] = {
    "a step": ("gradient", lambda _: {"spacing": 0.5}),
    "no step": ("gradient", lambda _: {}),
    "a step per dim": ("gradient", lambda _: {"spacing": [0.5, 2.0]}),
    "coordinates": ("gradient", lambda g: {"spacing": [g.x, g.y]}),
    "coordinates of one": ("gradient", lambda g: {"spacing": [g.y], "dim": 1}),
    "coordinates of the other": ("gradient", lambda g: {"spacing": [g.x], "dim": 1}),
    "coordinates, changed": ("gradient", lambda g: {"spacing": [g.y, g.x]}),
    "coordinates and a step": ("gradient", lambda g: {"spacing": [g.x, 2.0]}),
    "one per point": ("gradient", lambda g: {"spacing": [g.each], "dim": 0}),
    "one per row": ("gradient", lambda g: {"spacing": [g.row], "dim": 0}),
    "a mask": ("gradient", lambda g: {"where": g.mask}),
    "a mask of columns": ("gradient", lambda g: {"where": g.columns, "spacing": 2.0}),
    "a wrong mask": ("gradient", lambda g: {"where": g.x > 1}),
    "a mask on coordinates": (
        "gradient",
        lambda g: {"where": g.mask, "spacing": [g.x, g.y], "edge_order": 2},
    ),
    "a mode": ("gradient", lambda _: {"boundary": "periodic", "accuracy": 4}),
    "values": ("gradient", lambda _: {"boundary": ("edge", 2.0), "dim": -1}),
    "stacked": ("gradient", lambda _: {"stack_dim": -1, "accuracy": 6}),
    "edges": ("gradient", lambda _: {"edge_order": 5}),
    "high": ("derivative", lambda _: {"order": 3, "accuracy": 4, "dim": 0}),
    "high on coordinates": (
        "derivative",
        lambda g: {"order": 4, "dim": 1, "spacing": [g.y]},
    ),
    "a sum": ("laplacian", lambda _: {"boundary": "reflect"}),
    "a sum on coordinates": ("laplacian", lambda g: {"spacing": [g.x, g.y]}),
    "mixed": ("hessian", lambda g: {"spacing": [g.x, 0.5]}),
    "mixed at edges": ("hessian", lambda _: {"edge_order": 3}),
}

VECTORS: dict[str, tuple[str, Callable[[Grid], dict[str, Any]]]] = {
    "divergence": ("divergence", lambda _: {"dim": (1, 2)}),
    "on coordinates": ("divergence", lambda g: {"dim": (1, 2), "spacing": [g.x, g.y]}),
    "components last": ("jacobian", lambda _: {"vector_dim": -1, "dim": (0, 1)}),
    "curl": ("curl", lambda _: {"dim": (1, 2), "accuracy": 4}),
    "jacobian": ("jacobian", lambda g: {"where": g.mask, "dim": (2,)}),
    "all of a jacobian": ("jacobian", lambda _: {}),
}


def planned(make: Any, library: Backend, call: str, f: Any, given: Any) -> Any:
    """Return all that is planned, or how a call is refused."""
    try:
        return described(make(call, f, **given), library)
    except (ValueError, TypeError, IndexError) as error:
        return type(error), str(error)


def check(library: Backend, call: Any, shapes: Any) -> None:
    function, keywords = call
    for shape in shapes:
        numbers = [k % 7 for k in range(math.prod(shape))]
        f = library.from_flat(numbers, library.real, shape)
        given = keywords(grid(library, shape))
        wanted = planned(fresh_plan_of, library, function, f, given)
        for _ in range(2):
            assert planned(plan_of, library, function, f, given) == wanted, shape


@pytest.mark.parametrize("name", CALLS)
def test_a_plan_is_for_all_lengths(library: Backend, name: str) -> None:
    """What is refused for some is refused for them, however others went before."""
    check(library, CALLS[name], SHAPES)
    check(library, CALLS[name], reversed(SHAPES))


@pytest.mark.parametrize("name", VECTORS)
def test_a_plan_is_for_so_many_components(library: Backend, name: str) -> None:
    counts = (2, 3, 2, 1, 4)
    for count, shape in itertools.product(counts, SHAPES[:7]):
        check(library, VECTORS[name], [(count, *shape)])


def test_fields_of_other_components_are_planned_once(library: Backend) -> None:
    """Though the plan for all lengths is that of so many as came first."""
    made = mock.Mock(side_effect=_plans._made)
    with mock.patch.object(_plans, "_made", made):
        for _ in range(4):
            for count in (2, 5, 3):
                f = library.from_flat([1] * 77 * count, library.real, (count, 7, 11))
                plan_of("jacobian", f, accuracy=4, edge_order=1, dim=(2, 1))
    assert made.call_count == 3


def numbers(library: Backend, function: str, f: Any, **given: Any) -> str:
    """Return results in digits that tell all numbers apart, and their signs."""
    return repr(list(map(library.tolist, getattr(anygrad, function)(f, **given))))


def test_a_shape_that_comes_often_has_a_plan_of_its_own(library: Backend) -> None:
    """The bits are those of its first calls."""
    if library.library == "jax":
        pytest.skip("what is compiled is kept from the first call on")
    x = library.asarray([k * k * 0.3 for k in range(23)])
    f = x * x * 0.1 - x
    calls: list[dict[str, Any]] = [
        {"spacing": 0.7, "accuracy": 4},
        {"spacing": [x], "accuracy": 4},
        {"spacing": [x], "where": x > 3, "accuracy": 4},
    ]
    for given in calls:
        first = numbers(library, "gradient", f[1:-1], **of_part(given))
        wanted = numbers(library, "gradient", f, **given)
        for number in range(2, _kept_plans.OFTEN + 3):
            (task,) = plan_of("gradient", f, **given).tasks
            assert (task.kept is not None) == (2 * number - 2 >= _kept_plans.OFTEN)
            assert numbers(library, "gradient", f, **given) == wanted
            assert numbers(library, "gradient", f[1:-1], **of_part(given)) == first


def of_part(given: dict[str, Any]) -> dict[str, Any]:
    """Return what goes with all points but the first and the last."""
    part = dict(given)
    if isinstance(given["spacing"], list):
        part["spacing"] = [given["spacing"][0][1:-1]]
    if "where" in given:
        part["where"] = given["where"][1:-1]
    return part


def test_a_large_plan_is_kept_at_once(numpy: Any) -> None:
    """Those for all lengths are counted, and their bytes are not."""
    for count in (20, 40):
        edges = {"edge_order": count // 5}  # another form
        plan = plan_of("jacobian", numpy.ones((count, 17, 19)), **edges)
        assert len(plan.tasks) == 2 * count
        assert (plan.tasks[0].kept is not None) == (count == 40)


def test_what_is_compiled_for_lengths_is_kept_at_once(jax: Any) -> None:
    f = jax.numpy.arange(29.0)
    for _ in range(2):
        (task,) = plan_of("gradient", f, spacing=0.25, accuracy=4).tasks
        assert task.kept is not None


def test_lengths_that_are_not_known_have_plans_of_their_own(dask: Any) -> None:
    """They may be equal or not; those that are known are equal, or are refused."""
    import dask.array

    rows = dask.array.arange(12.0, chunks=4)
    known = (rows[:, None] + rows[:5]).rechunk(4)
    unknown = known[rows >= 0]
    mask = known > 3
    calls = [
        (unknown, mask[rows >= 0]),  # counted anew: not the NaN of the samples
        (unknown, mask),
        (known[:7], mask),
        (known, mask),
        (unknown, mask[rows >= 0]),
    ]
    refused = 0
    for f, where in calls:
        results = []
        for make in (fresh_plan_of, plan_of):
            try:
                results.append(make("gradient", f, where=where, dim=1).tasks[0].where)
            except ValueError as error:
                results.append(str(error))
        wanted, found = results
        assert type(found) is type(wanted)
        refused += isinstance(found, str)
    assert refused == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of `torch.jit.trace`
@pytest.mark.filterwarnings("ignore:Converting a tensor")  # a look at a shape
def test_lengths_that_are_traced_have_no_names(torch: Any) -> None:
    """They are tensors then, and nobody knows which of them are equal."""

    def call(f: Any, mask: Any) -> Any:
        return anygrad.gradient(f, where=mask, accuracy=4)[0]

    f, mask = torch.rand(11, 12), torch.rand(11, 12) > 0.1
    torch.jit.trace(call, (f, mask))
    with pytest.raises(ValueError, match=r"^`where` must"):
        call(torch.rand(13, 14), mask)
