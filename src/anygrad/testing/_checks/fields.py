"""Vector calculus: dims, keywords, and what goes for all calls on fields."""

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
from ...testing._checks.vectors import SHAPE, added, exactly, noise, partial, spacing

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
        wanted = exactly(function(samples))
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
            _field((4, 4), ValueError, "edge_order", edge_order=0),
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
