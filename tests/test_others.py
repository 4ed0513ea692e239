"""Further libraries, without a row of their own in the table: `others.toml` lists them.

What works there is right to the last digits, and what does not work fails as long as
the list says so: thus the documentation cannot drift from what is true.
"""

from __future__ import annotations

import importlib
import importlib.util
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import anygrad
import oracle
from oracle import Nested
from others import LIBRARIES, Library

LISTED = tomllib.loads(
    (Path(__file__).parent / "others.toml").read_text(encoding="utf-8")
)
SAMPLES = [[3, 1, 4, 1], [5, 9, 2, 6], [5, 3, 5, 8]]
COORDINATES = [0, 1, 3, 4]
CURVED = [[0, 1, 3, 4], [0, 2, 3, 7], [1, 2, 5, 6]]

# What libraries raise where they cannot; unxt has the last since 2.0.
FAILURES = (TypeError, AttributeError, RuntimeError, RuntimeWarning, ValueError)


class Call(NamedTuple):
    """Samples of a dtype, what their dims are given, and what that means."""

    samples: Nested
    dtype: str
    entry: Any
    coordinate: Callable[[Any], Any]


def shifted(samples: Nested, by: int) -> Nested:
    return [[a + by for a in row] for row in samples]


#: What every library is asked for; arrays are nested lists until it is known whose.
CALLS = {
    "steps": Call(SAMPLES, "float", 0.5, oracle.steps(1, 0.5)),
    "0-d": Call(SAMPLES, "float", 2.0, oracle.steps(1, 2)),
    "coordinates": Call(SAMPLES, "float", COORDINATES, oracle.along(1, COORDINATES)),
    "per point": Call(SAMPLES, "float", CURVED, oracle.per_point(CURVED)),
    "small integers": Call(
        [[100, -100, 3], [4, 5, -120]], "int8", 1, oracle.steps(1, 1)
    ),
    "integers": Call(shifted(SAMPLES, 2**29), "int32", 1, oracle.steps(1, 1)),
    "complex": Call(SAMPLES, "float", 2j, oracle.steps(1, 2j)),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run on what is installed; a library that was asked for must be."""
    if "other" not in metafunc.fixturenames:
        return
    asked = metafunc.config.getoption("other")
    for name in asked:
        importlib.import_module(name)
    found = asked or [name for name in LIBRARIES if importlib.util.find_spec(name)]
    if about := metafunc.definition.get_closest_marker("about"):
        assert set(about.args) <= set(LIBRARIES)  # else it would never run
        found = [name for name in found if name in about.args]
    metafunc.parametrize("other", [LIBRARIES[name] for name in found], ids=found)


def test_list() -> None:
    """Every row has a reader and a remark, and names only calls that there are."""
    assert set(LISTED) == set(LIBRARIES)
    for row in LISTED.values():
        assert row["remark"].endswith(".")
        assert set(row.get("cannot", {})) <= {*CALLS, "everything"}


@pytest.mark.filterwarnings("ignore:Missing `quaxed:UserWarning")
@pytest.mark.parametrize("name", CALLS)
def test_calls(other: Library, name: str) -> None:
    """Right, or a failure with a reason in the list."""
    call, reasons = CALLS[name], LISTED[other.name].get("cannot", {})
    entry = call.entry
    if isinstance(entry, list) or name == "0-d":
        dtype = "float" if call.dtype == "float" else call.dtype
        entry = other.asarray(entry, dtype)
    f = other.asarray(call.samples, call.dtype)
    if name in reasons or "everything" in reasons:
        with pytest.raises(FAILURES):
            anygrad.gradient(f, spacing=[entry], dim=1, edge_order=2)
        return
    results = anygrad.gradient(f, spacing=[entry], dim=-1, edge_order=2)
    assert type(results) is tuple
    (result,) = results
    assert other.kind(result) == other.kind(f)
    wanted = oracle.derivative(call.samples, 1, call.coordinate, 2)
    difference = oracle.difference(other.tolist(result), wanted, 1e-6)
    assert difference is None, difference
    assert oracle.difference(other.tolist(f), call.samples, 0) is None


@pytest.mark.about("autograd", "cubed", "marray", "mlx", "ndonnx")
def test_constants_of_numpy(other: Library, numpy: Any) -> None:
    """Coordinates and masks may be NumPy's, also where dtypes have other names."""
    f = other.asarray(SAMPLES, "float")
    x = numpy.asarray(COORDINATES, dtype="float64")
    mask = numpy.asarray(SAMPLES) > 2
    plain = numpy.asarray(SAMPLES, dtype="float64")
    for keywords in (
        {"spacing": [x]},
        {"where": mask},
        {"spacing": [x], "where": mask},
    ):
        (result,) = anygrad.gradient(f, dim=1, **keywords)
        (wanted,) = anygrad.gradient(plain, dim=1, **keywords)
        close = numpy.allclose(other.tolist(result), wanted, equal_nan=True)
        assert close, keywords


@pytest.mark.about("ndonnx")
def test_ndonnx_export(other: Library) -> None:
    """A gradient becomes an ONNX program, for any number of rows, and runs."""
    import ndonnx
    import onnxruntime

    f = ndonnx.argument(shape=("rows", 4), dtype=ndonnx.float64)
    x = ndonnx.argument(shape=(4,), dtype=ndonnx.float64)
    (slope,) = anygrad.gradient(f, spacing=[x], dim=1)
    program = ndonnx.build({"f": f, "x": x}, {"slope": slope}).SerializeToString()
    session = onnxruntime.InferenceSession(program)
    wanted = oracle.derivative(SAMPLES, 1, oracle.along(1, COORDINATES), 1)
    given = {"f": SAMPLES, "x": COORDINATES}
    (result,) = session.run(
        None, {key: other.converted(value, "float64") for key, value in given.items()}
    )
    assert oracle.difference(result.tolist(), wanted, 1e-15) is None


@pytest.mark.about("ndonnx")
def test_ndonnx_unknown_lengths(other: Library) -> None:
    """Along the dim itself, the length must be known: the edges are counted."""
    import ndonnx

    f = ndonnx.argument(shape=("rows", 4), dtype=ndonnx.float64)
    with pytest.raises(ValueError, match=r"^`input` must have a known length along"):
        anygrad.gradient(f)
    with pytest.raises(TypeError, match=r"^`spacing` must be real, because ndonnx has"):
        anygrad.gradient(f, spacing=1j, dim=1)


@pytest.mark.about("marray")
def test_marray_masks(other: Library) -> None:
    """Masked is what reads a masked sample; the central difference skips its own."""
    xp = other.xp
    mask = [[False] * 4, [False, True, False, False], [False] * 4]
    f = xp.asarray(SAMPLES, mask=mask, dtype=xp.float64)
    down, along = anygrad.gradient(f)
    assert down.mask._array.tolist() == [mask[1], mask[0], mask[1]]
    assert along.mask._array.tolist() == [
        mask[0],
        [True, False, True, False],
        mask[0],
    ]
    (along,) = anygrad.gradient(f, spacing=[xp.asarray(COORDINATES)], dim=1)
    assert along.mask._array.tolist()[1] == [True, True, True, False]


@pytest.mark.about("cubed")
def test_cubed_computes_nothing(other: Library) -> None:
    import cubed

    class Refusing(cubed.runtime.types.DagExecutor):  # type: ignore[name-defined]
        name = "refusing"

        def execute_dag(self, *_: Any, **__: Any) -> None:
            raise AssertionError("computed")

    spec = cubed.Spec(allowed_mem="100MB", executor=Refusing())
    f, x = (other.xp.asarray(a, spec=spec) for a in (SAMPLES, COORDINATES))
    (result,) = anygrad.gradient(f, spacing=[x], dim=1)
    with pytest.raises(AssertionError, match="computed"):
        result.compute()


@pytest.mark.about("autograd")
@pytest.mark.parametrize("boundary", ["one_sided", "periodic", "edge", 1.0])
def test_autograd(other: Library, numpy: Any, boundary: Any) -> None:
    """Backwards through a sum of squares, in the samples, a step and coordinates."""
    import autograd

    f, x = (other.converted(a, "float64") for a in (SAMPLES, COORDINATES))
    mode = ("periodic", 6.0) if boundary == "periodic" else boundary

    def energy(f: Any, h: Any, x: Any) -> Any:
        down, along = anygrad.gradient(f, spacing=[h, x], boundary=[boundary, mode])
        return (down**2 + along**2).sum()

    slopes = autograd.grad(energy, argnum=(0, 1, 2))(f, 0.5, x)
    for k, given in enumerate((f, numpy.asarray(0.5), x)):
        moved = 1e-6 * numpy.cos(numpy.arange(given.size)).reshape(given.shape)
        ends = [[f, 0.5, x] for _ in range(2)]
        ends[0][k], ends[1][k] = given - moved, given + moved
        change = energy(*ends[1]) - energy(*ends[0])
        assert numpy.isclose(change, 2 * (slopes[k] * moved).sum(), rtol=1e-6)


@pytest.mark.about("autograd")
@pytest.mark.usefixtures("other")
@pytest.mark.parametrize("name", ["step", "coordinates", "value", "factor", "ghosts"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_autograd_beside_samples(numpy: Any, name: str, dtype: str) -> None:
    """Of samples that nothing traces, as a parameter of a model is fitted."""
    import autograd

    f = numpy.asarray(SAMPLES, dtype)
    given = {
        "step": (0.5, lambda h: {"spacing": [h, 1.0]}),
        "coordinates": (
            numpy.asarray(COORDINATES, dtype),
            lambda x: {"spacing": [1.0, x]},
        ),
        "value": (0.5, lambda value: {"boundary": value}),
        "factor": (0.5, lambda factor: {"scale_factors": [1.0, factor]}),
        "ghosts": (
            numpy.asarray(f[:, :1]),
            lambda g: {"boundary": ["edge", (("ghosts", g), "edge")]},
        ),
    }
    start, arguments = given[name]

    def energy(value: Any) -> Any:
        down, along = anygrad.gradient(f, **arguments(value))
        return (down**2).sum() + (along**2).sum()

    slope = autograd.grad(energy)(start)
    moved = numpy.ones_like(start) * 2.0 ** (-20 if dtype == "float64" else -8)
    change = energy(start + moved) - energy(start - moved)
    assert numpy.isclose(change, 2 * (slope * moved).sum(), rtol=1e-2, atol=1e-6)


@pytest.mark.about("mlx")
def test_mlx_transformations(other: Library) -> None:
    import mlx.core as mx

    f, x = mx.array(SAMPLES, dtype=mx.float32), mx.array(COORDINATES, dtype=mx.float32)

    def slope(row: Any, x: Any) -> Any:
        return anygrad.gradient(row, spacing=[x])[0]

    (whole,) = anygrad.gradient(f, spacing=[x], dim=1)
    assert mx.allclose(mx.vmap(slope, in_axes=(0, None))(f, x), whole)
    assert mx.allclose(mx.compile(slope)(f[0], x), whole[0])
    in_f, in_x = mx.grad(lambda f, x: slope(f, x)[1], argnums=(0, 1))(f[0], x)
    # The weights of the uneven central formula, and a shift of all changes nothing.
    weights = [-2 / 3, 1 / 2, 1 / 6, 0]
    assert oracle.difference(in_f.tolist(), weights, 1e-6) is None
    assert abs(sum(in_x.tolist())) < 1e-6
    assert any(in_x.tolist())


@pytest.mark.about("unxt")
@pytest.mark.filterwarnings("ignore:Missing `quaxed:UserWarning")
def test_unxt_units(other: Library) -> None:
    """The result has the unit of samples over coordinates, in its transforms, too."""
    import jax.numpy as jnp
    import quax
    from unxt import Quantity

    f = other.asarray(SAMPLES, "float")
    step = Quantity(jnp.asarray(2.0), "s")
    x = Quantity(jnp.asarray(COORDINATES, dtype="float32"), "s")
    assert anygrad.gradient(f)[0].unit == "m"
    for entry in (step, x):
        (slope,) = anygrad.gradient(f, spacing=[entry], dim=1)
        assert slope.unit == "m / s"
        plain = jnp.asarray(SAMPLES, dtype="float32")
        (number,) = anygrad.gradient(plain, spacing=[entry.value], dim=1)
        assert jnp.allclose(slope.value, number, rtol=1e-6)
        quaxified = quax.quaxify(
            lambda f, x: anygrad.gradient(f, spacing=[x], dim=1)[0]
        )
        assert quaxified(f, entry).unit == "m / s"
        (slope,) = anygrad.gradient(plain, spacing=[entry], dim=1)
        assert slope.unit == "1 / s"


@pytest.mark.about("unxt")
@pytest.mark.filterwarnings("ignore:Missing `quaxed:UserWarning")
def test_unxt_beside_numpy(other: Library) -> None:
    """Its namespace makes arrays without being told on which device."""
    numpy = pytest.importorskip("numpy")
    x = numpy.asarray(COORDINATES, dtype="float32")
    (slope,) = anygrad.gradient(other.asarray(SAMPLES, "float"), spacing=[x], dim=1)
    (wanted,) = anygrad.gradient(numpy.asarray(SAMPLES, "f4"), spacing=[x], dim=1)
    assert slope.unit == "m"
    assert numpy.allclose(slope.value, wanted)


@pytest.mark.about("blosc2")
def test_refused_arrays(other: Library) -> None:
    """By name, with the remedy, wherever they stand."""
    wrapped = other.asarray(COORDINATES, "float")
    plain = other.converted(COORDINATES, "float")
    remedy = r"`array\[\.\.\.\]`"
    with pytest.raises(TypeError, match=f"^`input` must not be .*{remedy}"):
        anygrad.gradient(wrapped)
    with pytest.raises(TypeError, match=rf"^`spacing\[0\]` must not be .*{remedy}"):
        anygrad.gradient(plain, spacing=[wrapped])


@pytest.mark.about("sparse")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_sparse_coordinates(other: Library) -> None:
    """The warnings apart, they are right."""
    for entry, coordinate in (
        (COORDINATES, oracle.along(1, COORDINATES)),
        (CURVED, oracle.per_point(CURVED)),
    ):
        (result,) = anygrad.gradient(
            other.asarray(SAMPLES, "float"),
            spacing=[other.asarray(entry, "float")],
            dim=1,
        )
        wanted = oracle.derivative(SAMPLES, 1, coordinate, 1)
        assert oracle.difference(other.tolist(result), wanted, 1e-6) is None


@pytest.mark.about("sparse")
def test_sparse_formats(other: Library) -> None:
    """Slopes of zeros are not stored, in each of its formats."""
    f = other.converted([[0, 0, 0, 0, 1, 0, 0, 0]] * 3, "float")
    for format_ in ("coo", "gcxs"):
        (result,) = anygrad.gradient(other.xp.asarray(f, format=format_), dim=1)
        assert result.nnz == 6
        assert result.todense().tolist() == [[0, 0, 0, 0.5, 0, -0.5, 0, 0]] * 3


@pytest.mark.about("sparse")
@pytest.mark.parametrize("format_", ["coo", "gcxs"])
def test_sparse_fill_values(other: Library, format_: str) -> None:
    """Values beyond the ends, and steps of both signs, give parts of several zeros."""
    plain = other.converted([[0, 0, 3, 0, 0], [0, 1, 0, 0, 2], [0] * 5], "float")
    f = other.xp.asarray(plain, format=format_)
    calls: list[tuple[Any, dict[str, Any]]] = [
        (anygrad.laplacian, {"boundary": 0.0}),
        (anygrad.derivative, {"boundary": (1.0, -2.0), "accuracy": 4}),
        (anygrad.derivative, {"boundary": 1.0, "where": f > -9}),
        (anygrad.hessian, {"spacing": [1, -1], "boundary": "edge"}),
    ]
    for door, keywords in calls:
        result = door(f, **keywords)
        assert type(result) is type(f)
        wanted = door(plain, **{**keywords, "where": None})
        assert (result.todense() == wanted).all()
    assert anygrad.laplacian(f, boundary=0.0).nnz < plain.size
