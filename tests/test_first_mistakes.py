"""What is done wrong in the first hour: each message leads to the result wanted."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest

import anygrad
from anygrad import _libraries
from anygrad._checks.boundary import ELSEWHERE
from backends import Backend
from first_mistakes import ROWS, refusal

MODES = ("one_sided", "periodic", "reflect", "symmetric", "edge")


# Numbers that `jax.jit` traces.


@pytest.mark.parametrize(
    ("door", "keywords"),
    [
        ("gradient", {"dim": 1}),
        ("gradient", {"axis": 1}),
        ("gradient", {"dim": (0, 1)}),
        ("gradient", {"stack_dim": -1}),
        ("gradient", {"edge_order": 2}),
        ("derivative", {"order": 2}),
        ("derivative", {"accuracy": 2}),
        ("jacobian", {"vector_dim": 1}),
        ("hessian", {"stack_dim": 1}),
    ],
    ids=repr,
)
def test_what_jit_must_know(jax: Any, door: str, keywords: dict[str, Any]) -> None:
    """By name, or bound beforehand: what the message says gives the numbers."""
    f, function = jax.numpy.asarray(ROWS), getattr(anygrad, door)
    ((name, _),) = keywords.items()
    message = refusal(lambda: jax.jit(function)(f, **keywords))
    assert message.startswith(f"`{name}` must be ")
    assert "name the argument in `static_argnames`" in message
    assert "bind it beforehand with `functools.partial`" in message
    wanted = jax.tree.leaves(function(f, **keywords))
    named = jax.jit(function, static_argnames=name)(f, **keywords)
    bound = jax.jit(partial(function, **keywords))(f)
    for result in (named, bound):
        found = jax.tree.leaves(result)
        assert [a.tolist() for a in found] == [a.tolist() for a in wanted]


def test_what_jit_need_not_know(jax: Any) -> None:
    """A period, and values beyond the ends."""
    f, x = jax.numpy.asarray(ROWS[0]), jax.numpy.asarray([0.0, 1, 2, 3])

    def around(period: Any, value: Any) -> Any:
        circle = anygrad.derivative(f, spacing=x, boundary=("periodic", period))
        return circle + anygrad.derivative(f, boundary=value)

    found, wanted = jax.jit(around)(4.0, 2.5), around(4.0, 2.5)
    assert found.tolist() == pytest.approx(wanted.tolist(), rel=1e-6)


def test_a_known_array_is_not_said_to_be_traced(library: Backend) -> None:
    message = refusal(lambda: anygrad.gradient(library.asarray(ROWS), dim=[1, "0"]))
    assert "static" not in message
    one = library.asarray(1.0, shape=())
    assert "static" not in refusal(lambda: anygrad.derivative(one, order=one))


# A pair: of ends, or of dims?


@pytest.mark.parametrize("pair", [("reflect", "edge"), ("one_sided", 2.5)], ids=repr)
def test_a_bare_pair(library: Backend, pair: Any) -> None:
    """Both readings are spelled out, and both are what they say."""
    f = library.asarray(ROWS)
    message = refusal(lambda: anygrad.gradient(f, boundary=pair))
    of_ends, of_dims = re.findall(r"`(\[.+?)`", message)
    along = partial(anygrad.derivative, f, edge_order=1)
    for text, wanted in ((of_ends, (pair, pair)), (of_dims, pair)):
        results = anygrad.gradient(f, boundary=eval(text))
        for dim in (0, 1):
            expected = along(dim=dim, boundary=wanted[dim])
            assert library.tolist(results[dim]) == library.tolist(expected)


def test_a_bare_pair_for_three_dims(library: Backend) -> None:
    f = library.asarray([ROWS] * 3)
    message = refusal(lambda: anygrad.laplacian(f, boundary=("reflect", "edge")))
    assert "write `[('reflect', 'edge')] * 3`" in message
    assert message.endswith("for one entry per dim, a list of 3.")
    anygrad.laplacian(f, boundary=[("reflect", "edge")] * 3, edge_order=1)


def test_a_pair_for_one_dim(library: Backend) -> None:
    """There it is of ends, however many dims there are that are not named."""
    f, pair = library.asarray(ROWS), ("reflect", "edge")
    (result,) = anygrad.gradient(f, dim=1, boundary=pair)
    (listed,) = anygrad.gradient(f, dim=1, boundary=[pair])
    assert library.tolist(result) == library.tolist(listed)
    assert anygrad.gradient(f, dim=(), boundary=pair) == ()


def test_one_period_for_several_dims_is_no_pair(library: Backend) -> None:
    f, x = library.asarray([ROWS[0]] * 4), library.asarray([0.0, 1, 2, 3])
    one = anygrad.gradient(f, spacing=[x, x], boundary=("periodic", 4.0))
    two = anygrad.gradient(f, spacing=[x, x], boundary=[("periodic", 4.0)] * 2)
    assert [library.tolist(a) for a in one] == [library.tolist(a) for a in two]


def test_a_tuple_of_as_many_entries_as_dims(library: Backend) -> None:
    f, modes = library.asarray([ROWS] * 3), ("edge", "reflect", 1.5)
    message = refusal(lambda: anygrad.gradient(f, boundary=modes))
    assert message.endswith("For one entry per dim, write a list.")
    anygrad.gradient(f, boundary=list(modes))
    alone = refusal(lambda: anygrad.derivative(f, boundary=modes))
    assert "list" not in alone


# Words of other libraries.


@pytest.mark.parametrize(("word", "mode"), ELSEWHERE.items())
def test_modes_of_scipy_and_torch(numpy: Any, word: str, mode: str) -> None:
    """Those of SciPy are tried beside it on the page about migrating."""
    f = numpy.asarray(ROWS)
    message = refusal(lambda: anygrad.laplacian(f, boundary=word))
    assert message.endswith(f"Got {word!r}. Do you mean {mode!r}?")
    anygrad.laplacian(f, boundary=mode)


@pytest.mark.parametrize("word", ["constant", "zeros", "fill", "Dirichlet"])
def test_words_for_a_number(numpy: Any, word: str) -> None:
    f = numpy.asarray(ROWS[0])
    message = refusal(lambda: anygrad.derivative(f, boundary=word))
    assert message.endswith(f"Got {word!r}. Write the number itself, such as 0.0.")
    assert anygrad.derivative(f, boundary=0.0).tolist() == [0.5, 2.0, 4.0, -2.0]


def test_a_wall_across_which_nothing_changes(numpy: Any) -> None:
    """At the last point, or half a step beyond it: a parabola is flat in both."""
    message = refusal(lambda: anygrad.derivative(numpy.ones(4), boundary="neumann"))
    assert re.findall("'([a-z]+)' if it is", message) == ["reflect", "symmetric"]
    for mode, wall in (("reflect", 0.0), ("symmetric", -0.5)):
        f = (numpy.arange(4.0) - wall) ** 2
        (slope, *_) = anygrad.derivative(f, boundary=(mode, "one_sided"))
        assert slope == (f[1] - f[int(mode == "reflect")]) / 2


# What is no array.


def test_a_function(numpy: Any) -> None:
    message = refusal(lambda: anygrad.gradient(numpy.square))
    assert message.endswith("Got numpy.ufunc. Call it at the points of the grid first.")
    assert anygrad.gradient(numpy.square(numpy.arange(4.0)))[0].tolist() == [1, 2, 4, 5]


def test_components_in_a_list(library: Backend) -> None:
    """By the function of their library; 0-dimensional arrays are numbers."""
    u, v = library.asarray(ROWS), library.asarray(ROWS)
    message = refusal(lambda: anygrad.divergence([u, v]))
    assert "Put its arrays into one first, e.g. with `" in message
    assert message.endswith(".stack`.")
    found = anygrad.divergence(library.xp.stack([u, v]))
    assert tuple(found.shape) == (4, 4)


def test_components_in_the_last_dim(library: Backend) -> None:
    f = library.asarray([[[1.0, 2]] * 4] * 3)
    message = refusal(lambda: anygrad.divergence(f))
    assert message.endswith("Is it another dim? Name it as `vector_dim`.")
    assert library.tolist(anygrad.divergence(f, vector_dim=-1)) == [[0.0] * 4] * 3


# Words with a letter or two wrong.


@pytest.mark.parametrize("mode", MODES)
def test_one_or_two_letters_wrong(numpy: Any, mode: str) -> None:
    """Replaced, left out, put in, exchanged; at any place."""
    f, n = numpy.asarray(ROWS), len(mode)
    wrong = {
        *(mode[:k] + "x" + mode[k + 1 :] for k in range(n)),
        # Of four letters, two would be half of them.
        *(mode[:k] + "xx" + mode[k + 2 :] for k in range(n - 1) if n > 4),
        *(mode[:k] + mode[k + 1 :] for k in range(n)),
        *(mode[:k] + mode[k + 2 :] for k in range(n - 1)),
        *(mode[:k] + "xx" + mode[k:] for k in range(n + 1)),
        *(mode[:k] + mode[k + 1] + mode[k] + mode[k + 2 :] for k in range(n - 1)),
        *(mode.upper(), mode.title(), mode.replace("_", "-"), mode.replace("_", " ")),
    } - {mode}
    for word in wrong:
        message = refusal(lambda word=word: anygrad.gradient(f, boundary=word))
        assert message.endswith(f"Got {word!r}. Do you mean {mode!r}?")
        message = refusal(lambda word=word: anygrad.gradient(f, boundary=[word, 1.0]))
        assert message.startswith("`boundary[0]` ")
        assert message.endswith(f"Do you mean {mode!r}?")


@pytest.mark.parametrize("word", ["", "natural", "extent_", "xxge", "antisymmetric"])
def test_words_with_more_letters_wrong(numpy: Any, word: str) -> None:
    f = numpy.asarray(ROWS)
    assert "mean" not in refusal(lambda: anygrad.gradient(f, boundary=word))


# Where a Hessian stands.


@pytest.mark.parametrize(
    ("place", "shape"),
    [(-1, (3, 4, 5, 2, 2)), (-2, (3, 4, 2, 2, 5)), (-4, (2, 2, 3, 4, 5))],
)
def test_a_hessian_before_dims_of_the_input(
    library: Backend, place: int, shape: tuple[int, ...]
) -> None:
    """As the docstring says, negative numbers count in `input`, not in the result."""
    values = [[[float(i * i + 3 * i * k) for k in range(5)]] * 4 for i in range(3)]
    f = library.asarray(values)
    result = anygrad.hessian(f, dim=[0, 2], stack_dim=place, edge_order=1)
    assert tuple(result.shape) == shape
    at = (slice(None),) * (place % 4)
    for i, j, second in ((0, 0, 2), (0, 1, 3), (1, 0, 3), (1, 1, 0)):
        part = library.tolist(result[(*at, i, j, ...)])
        assert part == [[[second] * 5] * 4] * 3


def test_a_traced_number_is_known_by_its_class() -> None:
    """Where JAX is not installed, too: by the name of the class, and of its module."""
    tracer = type(
        "DynamicTracer", (type("Tracer", (), {"__module__": "jax.core"}),), {}
    )
    assert "static_argnames" in _libraries.advice_on_traced(tracer())
    assert not _libraries.advice_on_traced(1)
