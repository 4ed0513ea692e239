"""Vector calculus: each function by itself, and what holds between them."""

from __future__ import annotations

from typing import Any

from ...testing import _formulas, _oracle
from ...testing._arrays import (
    Gradient,
    array,
    epsilon,
    need_keyword,
    numbers,
    require,
    require_numbers,
)
from ...testing._checks.orders import close
from ...testing._oracle import Nested

#: The lengths of the dims of space, and what they are given: uneven coordinates of one.
SHAPE = (5, 6, 4)
COORDINATES = [0, 1, 3, 4, 8, 9]

#: Digits without a pattern, for any number of samples.
DIGITS = "31415926535897932384626433832795028841971693993751058209749445923078"


def noise(shape: tuple[int, ...]) -> Nested:
    """Return samples without a pattern."""

    def digit(index: tuple[int, ...]) -> int:
        place = 0
        for k, n in zip(index, shape, strict=True):
            place = place * n + k
        return int(DIGITS[place * 7 % len(DIGITS)])

    return _oracle.build(shape, digit)


def spacing(xp: Any) -> list[Any]:
    """Return what the dims of space are given."""
    return [0.5, array(xp, COORDINATES), 2.0]


def partial(samples: Nested, axis: int, order: int = 1, **kind: Any) -> Nested:
    """Return an exact derivative of a scalar field with this spacing."""
    coordinates = (
        _oracle.steps(0, 0.5),
        _oracle.along(1, COORDINATES),
        _oracle.steps(2, 2),
    )
    kind["uneven"] = axis == 1
    return _formulas.partial(samples, axis, coordinates[axis], order=order, **kind)


def added(*parts: Nested) -> Nested:
    """Return a sum of nested lists."""
    shape = _oracle.shape_of(parts[0])
    return _oracle.build(
        shape, lambda index: _oracle.sum_of(_oracle.at(part, index) for part in parts)
    )


def negative(part: Nested) -> Nested:
    """Return nested lists with the sign turned."""
    shape = _oracle.shape_of(part)
    return _oracle.build(shape, lambda index: _oracle.at(part, index) * -1)


def rotation(field: Nested, i: int, j: int) -> Nested:
    """Return the derivative of component `j` along `i`, less the other."""
    return added(partial(field[j], i), negative(partial(field[i], j)))


# Each by itself.


def check_divergence(divergence: Gradient, xp: Any) -> None:
    """A divergence is the sum of each component's derivative along its own dim."""
    field = noise((3, *SHAPE))
    wanted = added(*(partial(field[k], k) for k in range(3)))
    close(divergence(array(xp, field), spacing=spacing(xp)), wanted)


def check_curl_of_three_components(curl: Gradient, xp: Any) -> None:
    """A curl in three dims is a field of three components."""
    field = noise((3, *SHAPE))
    wanted = [rotation(field, i, j) for i, j in ((1, 2), (2, 0), (0, 1))]
    close(curl(array(xp, field), spacing=spacing(xp)), wanted)


def check_curl_of_two_components(curl: Gradient, xp: Any) -> None:
    """A curl in two dims is a scalar."""
    x = [[(i, j) for j in range(4)] for i in range(5)]
    field = [[[-j for _, j in row] for row in x], [[i for i, _ in row] for row in x]]
    close(curl(array(xp, field), spacing=0.5), [[4] * 4] * 5)


def check_laplacian(laplacian: Gradient, xp: Any) -> None:
    """A Laplacian is the sum of the second derivatives, each by its own formula."""
    f = noise(SHAPE)
    wanted = added(*(partial(f, axis, order=2) for axis in range(3)))
    result = laplacian(array(xp, f), spacing=spacing(xp))
    require_numbers(result, wanted, tolerance=2**14 * epsilon(result))


def check_laplacian_sees_the_shortest_wave(laplacian: Gradient, xp: Any) -> None:
    """The Laplacian of samples that alternate is not 0: no gradient of a gradient."""
    f = array(xp, [[(-1) ** (i + j) for j in range(6)] for i in range(6)])
    values = numbers(laplacian(f))
    require(values[2][2] == -8, f"{values[2][2]} where -8 was wanted")


def check_jacobian(jacobian: Gradient, xp: Any) -> None:
    """A Jacobian has components, then dims, in the place of the components."""
    field = noise((2, *SHAPE))
    wanted = [[partial(part, axis) for axis in range(3)] for part in field]
    close(jacobian(array(xp, field), spacing=spacing(xp)), wanted)


def check_hessian(hessian: Gradient, xp: Any) -> None:
    """A Hessian has second derivatives on its diagonal, mixed ones beside it."""
    f = noise(SHAPE)
    wanted = [
        [
            partial(f, i, order=2) if i == j else partial(partial(f, i), j)
            for j in range(3)
        ]
        for i in range(3)
    ]
    result = hessian(array(xp, f), spacing=spacing(xp))
    require_numbers(result, wanted, tolerance=2**14 * epsilon(result))


def check_hessian_is_symmetric(hessian: Gradient, xp: Any) -> None:
    """A Hessian is symmetric to the last bit."""
    values = numbers(hessian(array(xp, noise(SHAPE)), spacing=[0.1, 0.3, 0.7]))
    for i in range(3):
        for j in range(i):
            require(values[i][j] == values[j][i], f"[{i}, {j}] is not [{j}, {i}]")


def check_hessian_of_a_constant_that_goes_on(hessian: Gradient, xp: Any) -> None:
    """Where samples and what lies beyond the ends are one number, a Hessian is 0."""
    f = array(xp, [[1.5] * 5] * 4)
    need_keyword(hessian, f, boundary="one_sided")
    require_numbers(hessian(f, boundary=1.5), [[[[0] * 5] * 4] * 2] * 2, tolerance=0)


# What holds between them.


def check_no_curl_in_a_gradient(gradient: Gradient, curl: Gradient, xp: Any) -> None:
    """The curl of a gradient is 0."""
    f = array(xp, noise((4, 5)))
    need_keyword(gradient, f, stack_dim=None)
    keywords: dict[str, Any] = {"spacing": [0.5, 2.0], "edge_order": 2}
    result = curl(gradient(f, **keywords, stack_dim=0), **keywords)
    require_small(result)


def check_no_divergence_in_a_curl(
    divergence: Gradient, curl: Gradient, xp: Any
) -> None:
    """The divergence of a curl is 0."""
    field = array(xp, noise((3, *SHAPE)))
    steps = [0.5, 2.0, -1.0]
    require_small(divergence(curl(field, spacing=steps), spacing=steps))


def require_small(result: Any) -> None:
    """Hold an array to zero, but for roundings of terms below a thousand."""
    limit = 2**14 * epsilon(result)
    largest = max(abs(value) for value in _oracle.flat(numbers(result)))
    require(largest <= limit, f"{largest} where 0 was wanted")


def check_trace_of_a_jacobian(
    divergence: Gradient, jacobian: Gradient, xp: Any
) -> None:
    """The trace of a Jacobian is the divergence."""
    field = array(xp, noise((2, 5, 4)))
    whole = jacobian(field, spacing=[0.5, 2.0])
    trace = whole[0, 0, ...] + whole[1, 1, ...]
    close(divergence(field, spacing=[0.5, 2.0]), exactly(trace))


def check_trace_of_a_hessian(laplacian: Gradient, hessian: Gradient, xp: Any) -> None:
    """The trace of a Hessian is the Laplacian."""
    f = array(xp, noise((5, 4)))
    whole = hessian(f, spacing=[0.5, 2.0])
    trace = whole[0, 0, ...] + whole[1, 1, ...]
    close(laplacian(f, spacing=[0.5, 2.0]), exactly(trace))


def exactly(array: Any) -> Nested:
    """Return the numbers of an array, as exact ones."""
    values = numbers(array)
    return _oracle.build(
        tuple(array.shape), lambda index: _oracle.gaussian(_oracle.at(values, index))
    )
