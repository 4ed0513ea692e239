"""Vector calculus: divergence, curl, Laplacian, Jacobian and Hessian."""

from __future__ import annotations

from typing import Any

from ...testing import _abilities, _formulas, _oracle
from ...testing._arrays import (
    Gradient,
    array,
    complex_,
    epsilon,
    need_keyword,
    numbers,
    require,
    require_dtype,
    require_numbers,
)
from ...testing._checks.orders import close
from ...testing._checks.refusals import Mistake, require_refused_by_name
from ...testing._oracle import Nested

#: The lengths of the dims of space, and what they are given: uneven coordinates of one.
SHAPE = (5, 6, 4)
COORDINATES = [0, 1, 3, 4, 8, 9]

#: Digits without a pattern, for any number of samples.
DIGITS = "31415926535897932384626433832795028841971693993751058209749445923078"


def noise(shape: tuple[int, ...], start: int = 0) -> Nested:
    """Return samples without a pattern."""

    def digit(index: tuple[int, ...]) -> int:
        place = start
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
    close(divergence(field, spacing=[0.5, 2.0]), _exactly(trace))


def check_trace_of_a_hessian(laplacian: Gradient, hessian: Gradient, xp: Any) -> None:
    """The trace of a Hessian is the Laplacian."""
    f = array(xp, noise((5, 4)))
    whole = hessian(f, spacing=[0.5, 2.0])
    trace = whole[0, 0, ...] + whole[1, 1, ...]
    close(laplacian(f, spacing=[0.5, 2.0]), _exactly(trace))


def _exactly(array: Any) -> Nested:
    values = numbers(array)
    return _oracle.build(
        tuple(array.shape), lambda index: _oracle.gaussian(_oracle.at(values, index))
    )


# Dims.


def check_components_along_any_dim(
    divergence: Gradient, curl: Gradient, jacobian: Gradient, xp: Any
) -> None:
    """`vector_dim` says where the components are, from the front or from the back."""
    field = array(xp, noise((2, 5, 4)))
    need_keyword(divergence, field, vector_dim=0)
    behind = xp.permute_dims(field, (1, 2, 0))
    for function in (divergence, curl):
        wanted = numbers(function(field))
        for place in (2, -1):
            found = numbers(function(behind, vector_dim=place))
            require(found == wanted, f"other numbers for vector_dim={place}")
    between = jacobian(behind, vector_dim=-1)
    wanted = numbers(xp.permute_dims(jacobian(field), (2, 3, 0, 1)))
    require(numbers(between) == wanted, "another Jacobian for vector_dim=-1")


def check_batches_of_fields(divergence: Gradient, laplacian: Gradient, xp: Any) -> None:
    """Dims that are not named are batches, each by itself."""
    field = noise((2, 3, 5, 4))
    result = divergence(array(xp, field), dim=[2, 3])
    f = noise((3, 5, 4))
    scalar = laplacian(array(xp, f), dim=[-2, -1])
    for k in range(3):
        alone = divergence(array(xp, [field[0][k], field[1][k]]))
        require(numbers(result[k, ...]) == numbers(alone), f"another batch {k}")
        alone = laplacian(array(xp, f[k]))
        require(numbers(scalar[k, ...]) == numbers(alone), f"another batch {k}")


def check_components_in_the_order_of_dims(
    divergence: Gradient, jacobian: Gradient, xp: Any
) -> None:
    """Components and spacing belong to dims in the order in which these are named."""
    field = noise((2, 5, 4))
    f = array(xp, field)
    given: dict[str, Any] = {"dim": [2, 1], "spacing": [2.0, 0.5]}
    down = [_formulas.partial(part, 0, _oracle.steps(0, 0.5)) for part in field]
    across = [_formulas.partial(part, 1, _oracle.steps(1, 2)) for part in field]
    close(divergence(f, **given), added(across[0], down[1]))
    close(jacobian(f, **given), [[a, b] for a, b in zip(across, down, strict=True)])


def check_hessian_anywhere(hessian: Gradient, xp: Any) -> None:
    """In a Hessian, `stack_dim` says where the first of the two new dims stands."""
    f = array(xp, noise((5, 4)))
    need_keyword(hessian, f, stack_dim=0)
    whole = numbers(hessian(f, dim=[1, 0]))
    for place, number in ((1, 1), (2, 2), (-1, 2), (-3, 0)):
        found = hessian(f, dim=[1, 0], stack_dim=place)
        for i in range(2):
            for j in range(2):
                part = numbers(found[(slice(None),) * number + (i, j, ...)])
                require(part == whole[i][j], f"other numbers for stack_dim={place}")


# The other keywords, and what goes for all calls.


def check_boundaries_of_fields(
    divergence: Gradient, laplacian: Gradient, xp: Any
) -> None:
    """Every dim of a field has its own boundary, at any accuracy."""
    f = noise(SHAPE)
    samples = array(xp, f)
    need_keyword(laplacian, samples, boundary="one_sided")
    need_keyword(laplacian, samples, accuracy=2)
    modes: list[Any] = ["periodic", ("periodic", 11.0), ("reflect", 2.5)]
    kinds: list[dict[str, Any]] = [{"accuracy": 4, "boundary": mode} for mode in modes]
    result = laplacian(
        samples,
        dim=[0, 2],
        spacing=[0.5, 2.0],
        accuracy=4,
        boundary=[modes[0], modes[2]],
    )
    wanted = added(*(partial(f, axis, 2, **kinds[axis]) for axis in (0, 2)))
    require_numbers(result, wanted, tolerance=2**14 * epsilon(result))
    field = noise((3, *SHAPE))
    result = divergence(
        array(xp, field), spacing=spacing(xp), accuracy=4, boundary=modes
    )
    close(result, added(*(partial(field[k], k, **kinds[k]) for k in range(3))))


def check_dtypes_of_fields(
    divergence: Gradient, laplacian: Gradient, hessian: Gradient, xp: Any
) -> None:
    """Floating fields keep their dtype, integers get the default, as in a gradient."""
    default = xp.asarray([0.0]).dtype
    f = noise((4, 4))
    for function, samples in ((laplacian, f), (hessian, f), (divergence, [f, f])):
        require_dtype(xp, function(array(xp, samples, "float32")), "float32")
        found = function(array(xp, samples, "int16")).dtype
        require(found == default, f"{found} for int16, where {default} was wanted")
    name = complex_(xp)
    require_dtype(xp, laplacian(array(xp, f), spacing=[1.0, 1j]), name)


def check_fields_do_not_wrap(laplacian: Gradient, xp: Any) -> None:
    """Sums of second differences of small integers do not wrap."""
    f = [[100 * (-1) ** (i + j) for j in range(4)] for i in range(4)]
    wanted = [[-8 * value for value in row] for row in f]
    result = laplacian(array(xp, f, "int8"))
    require_numbers(result[1:-1, 1:-1], [row[1:-1] for row in wanted[1:-1]])


def check_fields_are_not_written_to(
    divergence: Gradient, curl: Gradient, jacobian: Gradient, xp: Any
) -> None:
    """A field is not written to."""
    samples = noise((2, 5, 4))
    field = array(xp, samples)
    for function in (divergence, curl, jacobian):
        numbers(function(field))
        require_numbers(field, samples, tolerance=0)


def check_fields_stay_lazy(
    divergence: Gradient, laplacian: Gradient, hessian: Gradient, xp: Any
) -> None:
    """Vector calculus on lazy fields computes nothing."""
    f, field = array(xp, noise((5, 4))), array(xp, noise((2, 5, 4)))
    with _abilities.forbidden_computation(f):
        found = [divergence(field), laplacian(f), hessian(f)]
    for result in found:
        require(type(result) is type(f), f"{type(result).__qualname__} is not lazy")


def check_fields_can_be_traced(curl: Gradient, laplacian: Gradient, xp: Any) -> None:
    """A compiled function may give a field."""
    f, field = array(xp, noise((5, 4))), array(xp, noise((2, 5, 4)))
    for function, samples in ((laplacian, f), (curl, field)):
        wanted = _exactly(function(samples))
        close(_abilities.compiled(function, samples)(samples), wanted)


# What is refused.


def _field(
    shape: tuple[int, ...], error: type[Exception], parameter: str, **given: Any
) -> Mistake:
    """Return a mistake in a call on a field of a shape."""
    words = [f"{name}={value!r}" for name, value in given.items()]
    what = ", ".join([f"shape {shape}", *words])
    return Mistake(what, error, parameter, lambda xp: (array(xp, noise(shape)), given))


def check_fields_of_other_components(
    divergence: Gradient, curl: Gradient, xp: Any
) -> None:
    """A field without one component per dim named is refused by name."""
    for function in (divergence, curl):
        mistakes = (
            _field((3, 4, 4), ValueError, "input"),
            _field((1, 4, 4), ValueError, "input"),
            _field((4, 4, 3), ValueError, "input", vector_dim=-1),
        )
        require_refused_by_name(function, xp, *mistakes)


def check_dims_of_a_curl(curl: Gradient, xp: Any) -> None:
    """A curl along one dim, or along four, is refused by name."""
    require_refused_by_name(
        curl,
        xp,
        _field((1, 4), ValueError, "dim"),
        _field((4, 3, 3, 3, 3), ValueError, "dim"),
        _field((1, 4, 4), ValueError, "axis", axis=[1]),
    )


def check_vector_dims_refused(
    divergence: Gradient, jacobian: Gradient, xp: Any
) -> None:
    """A `vector_dim` that is no dim, no int or differentiated is refused by name."""
    for function in (divergence, jacobian):
        mistakes = (
            _field((2, 4, 4), IndexError, "vector_dim", vector_dim=3),
            _field((2, 4, 4), TypeError, "vector_dim", vector_dim=0.0),
            _field((2, 4, 4), TypeError, "vector_dim", vector_dim=True),
            _field((2, 4, 4), ValueError, "dim", dim=[0, 1]),
        )
        require_refused_by_name(function, xp, *mistakes)


def check_no_dims_of_a_field(
    divergence: Gradient, laplacian: Gradient, hessian: Gradient, xp: Any
) -> None:
    """Vector calculus along no dims is refused by name."""
    for function in (divergence, laplacian, hessian):
        require_refused_by_name(
            function,
            xp,
            _field((2, 4, 4), ValueError, "dim", dim=()),
            _field((2, 4, 4), ValueError, "axis", axis=[]),
        )


def check_keywords_of_fields_refused(
    laplacian: Gradient, hessian: Gradient, xp: Any
) -> None:
    """Laplacian and Hessian refuse wrong keywords by name, as a gradient does."""
    for function in (laplacian, hessian):
        mistakes = (
            _field((4, 4), ValueError, "spacing", spacing=[1.0]),
            _field((4, 4), ValueError, "accuracy", accuracy=3),
            _field((4, 4), ValueError, "edge_order", edge_order=3),
            _field((4, 4), ValueError, "boundary", boundary=["edge"]),
            _field((4, 4), IndexError, "dim", dim=[0, 2]),
            _field((2, 4), ValueError, "input"),
        )
        require_refused_by_name(function, xp, *mistakes)
    require_refused_by_name(
        hessian,
        xp,
        _field((4, 4), IndexError, "stack_dim", stack_dim=3),
        _field((4, 4), TypeError, "stack_dim", stack_dim=None),
    )
