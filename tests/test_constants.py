"""NumPy's coordinates, steps and masks with samples of any library."""

from __future__ import annotations

import math
from typing import Any

import pytest

import anygrad
import oracle
from backends import CHOSEN, Backend

X = [0.0, 0.5, 1.75, 2.0, 4.0]
F = [1, 5, 2, 7, 3]


@pytest.fixture(autouse=True)
def numpy_is_there(request: pytest.FixtureRequest) -> Any:
    if "numpy" not in request.config.stash[CHOSEN]:
        pytest.importorskip("numpy")
    return pytest.importorskip("numpy")


def wanted_dtype(backend: Backend, name: str, samples: str) -> str:
    """Return what the standard promotes to, or the next that there is."""
    if name.startswith("int") or name == ">f4":
        return samples
    return name if name in backend.dtypes else "float32"


@pytest.mark.parametrize("name", ["float64", "float32", ">f4", "int64", "int16"])
def test_coordinates(backend: Backend, numpy_is_there: Any, name: str) -> None:
    """As if they were the library's own; read-only, strided, in another byte order."""
    numpy = numpy_is_there
    values = [4 * x for x in X]
    x = numpy.asarray(values[::-1], name)[::-1]
    x.flags.writeable = False
    f = backend.asarray([F] * 2, "float32")
    wanted = oracle.derivative([F] * 2, 1, oracle.along(1, values), 1)
    dtype = wanted_dtype(backend, name, "float32")
    for entry in (x, x[None, :], numpy.stack([x, x])):
        for _ in range(2):
            results = anygrad.gradient(f, dim=1, spacing=[entry])
            like = {"like": f, "tolerance": 1e-6}
            backend.check(results, [wanted], dtype=dtype, **like)
    assert x.tolist() == values


def test_coordinates_after_one_that_is_missing(
    library: Backend, numpy_is_there: Any
) -> None:
    """Where there is no float64, they are counted from the first finite one."""
    numpy = numpy_is_there
    lines = numpy.asarray([[math.nan, *X[1:]], [math.nan] * 5, X])
    valid = library.asarray([[False, *[True] * 4], [False] * 5, [True] * 5], "bool")
    f = library.asarray([F] * 3, "float32")
    found = anygrad.derivative(f, spacing=lines + 2.0**31, where=valid)
    rows = library.tolist(found)
    for row, first in ((rows[0], 1), (rows[1], 5), (rows[2], 0)):
        at = oracle.along(0, X[first:])
        rest = oracle.derivative(F[first:], 0, at, 2) if first < 5 else []
        wanted = [math.nan] * first + [float(slope.real) for slope in rest]
        assert row == pytest.approx(wanted, rel=1e-6, nan_ok=True)


@pytest.mark.parametrize("accuracy", [2, 8])
def test_other_coordinates_at_each_call(
    library: Backend, numpy_is_there: Any, accuracy: int
) -> None:
    """Whose they are does not matter; with a mask, what is long is not compiled."""
    numpy = numpy_is_there
    f = library.asarray([[k**2 % 7 for k in range(20)]] * 2, "float32")
    valid = numpy.asarray([k != 11 for k in range(20)])
    for where in (None, valid):
        for power in (1.0, 1.5, 2.0):
            x = numpy.arange(20, dtype="float32") ** power
            own = library.asarray(x.tolist(), "float32")
            results = [
                anygrad.derivative(
                    f, dim=1, spacing=[entry], accuracy=accuracy, where=where
                )
                for entry in (x, own)
            ]
            first, second = [repr(library.tolist(result)) for result in results]
            assert first == second  # NaN are the same


def test_steps_and_masks(backend: Backend, numpy_is_there: Any) -> None:
    """A step has no say in the dtype; another one, or mask, is another result."""
    numpy = numpy_is_there
    f = backend.asarray(F, "float32")
    for step in (2.0, -0.5):
        for given in (numpy.asarray(step), numpy.asarray(step, "float32")):
            wanted = oracle.derivative(F, 0, oracle.steps(0, step), 1)
            backend.check(anygrad.gradient(f, spacing=given), [wanted], like=f)
    for hole, lonely in ((1, 0), (3, 4)):
        valid = numpy.asarray([k != hole for k in range(5)])
        result = anygrad.derivative(f, where=valid, edge_order=1)
        missing = map(math.isnan, backend.tolist(result))
        assert [k for k, is_missing in enumerate(missing) if is_missing] == [lonely]


def test_arrays_that_change_after_a_call(library: Backend, numpy_is_there: Any) -> None:
    """Results that are lazy have the values of the call, too."""
    numpy = numpy_is_there
    f = library.asarray([[2.0**k * (k + 1) for k in F]] * 4, "float32")

    def of_call(name: str, array: Any) -> dict[str, Any]:
        if name == "period":
            return {"spacing": numpy.asarray(X), "boundary": ("periodic", array)}
        if name == "circle":
            return {"spacing": array, "boundary": ("periodic", 8.0)}
        return {name: array}

    for name, values, others in (
        ("spacing", X, [0, 1, 2, 3, 4]),
        ("spacing", [X] * 4, 1),
        ("spacing", 2.0, 4.0),
        ("where", [[k != 1 for k in range(5)]] * 4, True),
        ("boundary", 3.0, 5.0),
        ("period", 6.0, 9.0),
        ("circle", X, [0, 1, 2, 3, 4]),
    ):
        array = numpy.asarray(values)
        wanted = library.tolist(anygrad.derivative(f, **of_call(name, array)))
        result = anygrad.derivative(f, **of_call(name, array))
        array[...] = others
        assert numpy.array_equal(library.tolist(result), wanted, equal_nan=True)


@pytest.mark.parametrize("name", ["float64", "int64", "uint64"])
@pytest.mark.parametrize("start", [1_700_000_000, 2**62])
def test_seconds_since_1970(
    library: Backend, numpy_is_there: Any, name: str, start: int
) -> None:
    """Their differences stay, also where the library has 32 bits only."""
    numpy = numpy_is_there
    step = 2048 if name == "float64" else 1
    steps = [0, 1, 2, 5, 6]
    x = numpy.asarray([start + step * k for k in steps], name)
    for order in (slice(None), slice(None, None, -1)):
        f = library.asarray([k * step * 3.0 for k in steps[order]], "float32")
        (result,) = anygrad.gradient(f, spacing=[x[order]])
        assert library.tolist(result) == [3.0] * 5
    per_line = numpy.stack([x, x + numpy.asarray(2**40 * step, name)])
    f = library.asarray([[k * step * 3.0 for k in steps]] * 2, "float32")
    (result,) = anygrad.gradient(f, spacing=[per_line], dim=1)
    assert library.tolist(result) == [[3.0] * 5] * 2


def test_refused_as_its_own_are(library: Backend, numpy_is_there: Any) -> None:
    numpy = numpy_is_there
    f = library.asarray([1, 2, 4])
    for x, error, text in (
        (numpy.asarray(["a", "b", "c"]), TypeError, "must have an integer"),
        (numpy.arange(3).astype("M8[s]"), TypeError, "numpy.timedelta64"),
        (numpy.ma.masked_equal([0.0, 1, 2], 2), TypeError, "masked"),
        (numpy.arange(4.0), ValueError, "one coordinate per point"),
        (numpy.ones(3, bool), TypeError, "must have an integer"),
    ):
        with pytest.raises(error, match=r"^`spacing\[0\]` must") as caught:
            anygrad.gradient(f, spacing=[x])
        assert text in str(caught.value)
    with pytest.raises(TypeError, match=r"^`where` must have a boolean dtype"):
        anygrad.gradient(f, where=numpy.arange(3))


def test_under_transforms_of_jax(jax: Any, numpy_is_there: Any) -> None:
    x = 1.7e9 + numpy_is_there.asarray(X)

    def slope(f: Any) -> Any:
        return anygrad.gradient(f, spacing=[x], where=x > 0)[0]

    f = jax.numpy.asarray(X)
    for function in (slope, jax.jit(slope), lambda f: jax.vmap(slope)(f[None])[0]):
        assert jax.numpy.allclose(function(f), 1.0, rtol=1e-6)


def test_under_transforms_of_torch(torch: Any, numpy_is_there: Any) -> None:
    x = numpy_is_there.asarray(X)

    def slope(f: Any, x: Any) -> Any:
        step = numpy_is_there.asarray(1.0)
        return anygrad.gradient(f, spacing=[step, x], where=x > -1)[1]

    f = torch.asarray([X] * 2, dtype=torch.float64, requires_grad=True)
    compiled = torch.compile(slope, fullgraph=True, backend="eager")
    for function in (slope, compiled):
        assert torch.allclose(function(f, x), torch.ones_like(f))
    mapped = torch.func.vmap(lambda f: anygrad.derivative(f, spacing=x))
    assert torch.allclose(mapped(f), torch.ones_like(f))
    kept = anygrad.derivative(f, spacing=x)
    x[:] = 0.0  # the way back does not see it
    (back,) = torch.autograd.grad(kept[:, 2].sum(), f)
    assert torch.isfinite(back).all()
