"""Every door on JAX arrays that are cut over devices: results, and what travels.

The devices must be asked for before JAX starts, so this file is also a script: with
eight pretended devices it makes every call below, and prints what it found.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import pytest

import anygrad
import fresh
from anygrad._executors import in_jax
from anygrad._executors.spread import explicit as on_explicit_axes
from test_sharding import DEVICES, ON_DEVICES, TRANSFERS

ROWS, COLUMNS = 48, 24

#: A call on the arrays by name, and how many numbers of 64 bits a device gets for it,
#: of a mesh of 4 x 2: it has 12 x 12 samples.
CALLS: dict[str, tuple[Callable[[Any], Any], int]] = {
    "gradient": (lambda a: anygrad.gradient(a["f"], spacing=[0.5, 2.0]), 48),
    "accuracy 4": (
        lambda a: anygrad.gradient(a["f"], dim=0, accuracy=4, edge_order=2),
        48,
    ),
    "order 3": (lambda a: anygrad.derivative(a["f"], order=3, dim=1), 48),
    "stacked": (lambda a: anygrad.gradient(a["f"], stack_dim=-1), 48),
    "coordinates": (
        lambda a: anygrad.gradient(a["f"], spacing=[a["x"], a["y"]]),
        48 + 4,
    ),
    "whole coordinates": (
        lambda a: anygrad.derivative(a["f"], spacing=a["whole"], dim=0),
        24,
    ),
    "per point": (
        lambda a: anygrad.derivative(a["f"], spacing=a["points"], dim=0, order=2),
        4 * 24,
    ),
    "lazy step": (lambda a: anygrad.gradient(a["f"], spacing=a["step"], dim=0), 24),
    "periodic": (lambda a: anygrad.gradient(a["f"], boundary="periodic"), 48),
    "periodic coordinates": (
        lambda a: anygrad.derivative(
            a["f"], spacing=a["y"], dim=1, boundary=("periodic", 60.0)
        ),
        24 + 2,
    ),
    "reflect": (
        lambda a: anygrad.gradient(a["f"], dim=0, boundary=("reflect", "edge")),
        24,
    ),
    "symmetric": (
        lambda a: anygrad.derivative(
            a["f"], spacing=a["x"], dim=0, boundary=("symmetric", 2.5)
        ),
        24 + 2,
    ),
    "where": (lambda a: anygrad.gradient(a["f"], dim=0, where=a["mask"]), 24 + 24),
    "where, one mask for all": (
        lambda a: anygrad.gradient(a["f"], where=a["rows"], edge_order=2),
        2 * 48 + 4,
    ),
    "integers": (lambda a: anygrad.gradient(a["whole numbers"], dim=0), 24),
    "laplacian": (lambda a: anygrad.laplacian(a["f"]), 48),
    "hessian": (lambda a: anygrad.hessian(a["f"]), 48 + 24),
    "divergence": (lambda a: anygrad.divergence(a["field"], dim=[1, 2]), 48),
    "curl": (lambda a: anygrad.curl(a["field"], dim=[1, 2]), 48),
    "jacobian": (lambda a: anygrad.jacobian(a["field"], dim=[1, 2]), 96),
}

#: What the compiler has to place on axes of type `Explicit`: the samples, `f` that are
#: sharded or `g` that are whole, and the call.
PLACED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "ghosts": ("f", lambda a: anygrad.derivative(a["f"], dim=0, boundary="ghosts")),
    "even ghosts": (
        "f",
        lambda a: anygrad.derivative(a["f"], dim=0, boundary="ghosts", accuracy=4),
    ),
    "ghosts beside the samples": (
        "f",
        lambda a: anygrad.derivative(
            a["f"], dim=0, boundary=("edge", ("ghosts", a["whole"][None, :COLUMNS]))
        ),
    ),
    "ghosts before them": (
        "f",
        lambda a: anygrad.derivative(
            a["f"], dim=0, boundary=(("ghosts", a["whole"][None, :COLUMNS]), "edge")
        ),
    ),
    "whole samples": (
        "g",
        lambda a: anygrad.derivative(a["g"], dim=0, spacing=a["x"]),
    ),
    "whole samples, a mask": (
        "g",
        lambda a: anygrad.derivative(a["g"], dim=0, where=a["mask"]),
    ),
}

#: Over which axes their results are spread.
SPREAD = {
    "ghosts": ["columns"],
    "ghosts beside the samples": ["columns"],
    "ghosts before them": ["columns"],
    "even ghosts": ["rows", "columns"],
}

#: Those of which the derivative is taken, in the samples and in the coordinates.
DERIVED = ("gradient", "symmetric")

#: Those that are made outside of `jax.jit`, too, on a mesh with other axes.
EAGER = tuple(CALLS)[::3]


# The script.


def arrays() -> dict[str, Any]:
    import numpy

    random = numpy.random.default_rng(1)
    x = numpy.cumsum(random.random(ROWS) + 0.2)
    return {
        "f": random.standard_normal((ROWS, COLUMNS)),
        "field": random.standard_normal((2, ROWS, COLUMNS)),
        "x": x - x[0],
        "whole": x,
        "y": -numpy.cumsum(random.random(COLUMNS) + 0.2),
        "points": numpy.cumsum(random.random((ROWS, COLUMNS)) + 0.2, axis=0),
        "step": numpy.asarray(0.7),
        "mask": random.random((ROWS, COLUMNS)) > 0.2,
        "rows": random.random((ROWS, 1)) > 0.2,
        "whole numbers": random.integers(-(2**62), 2**62, (ROWS, COLUMNS)),
    }


def on_devices(mesh: Any, spread: bool = True) -> dict[str, Any]:
    import jax
    from jax.sharding import NamedSharding, PartitionSpec

    specs: dict[str, Any] = {
        "field": (None, "rows", "columns"),
        "x": ("rows",),
        "y": ("columns",),
        "rows": ("rows", None),
        "whole": None,
        "step": None,
    }
    placed = {}
    for name, array in arrays().items():
        spec = specs.get(name, ("rows", "columns"))
        if spec is None or not spread:
            placed[name] = jax.numpy.asarray(array)
            continue
        sharding = NamedSharding(mesh, PartitionSpec(*spec))
        placed[name] = jax.device_put(array, sharding)
    return placed


def mesh_of(kind: str) -> Any:
    import jax

    kinds = (getattr(jax.sharding.AxisType, kind),) * 2
    return jax.make_mesh((4, 2), ("rows", "columns"), axis_types=kinds)


def look_at_all() -> dict[str, Any]:
    import jax

    jax.config.update("jax_enable_x64", True)
    assert len(jax.devices()) == DEVICES
    explicit, auto = on_devices(mesh_of("Explicit")), on_devices(mesh_of("Auto"))
    found: dict[str, Any] = {}
    for name, (call, _) in CALLS.items():
        wanted = call(arrays())
        program = jax.jit(call).lower(explicit).compile()
        transfers = TRANSFERS.findall(program.as_text())
        found[name] = {
            "jit": compared(program(explicit), wanted),
            "operations": sorted({operation for _, operation in transfers}),
            "numbers": sum(numbers_in(shape) for shape, _ in transfers),
        }
    for name in EAGER:
        found[name]["eager"] = compared(CALLS[name][0](auto), CALLS[name][0](arrays()))
    for name in DERIVED:
        found[name] |= derived(CALLS[name][0], explicit)
    found["short"] = {"eager": short(auto), "jit": short(explicit)}
    found["masked"] = {"eager": masked(auto), "jit": masked(explicit)}
    for name, (samples, call) in PLACED.items():
        found[name] = placed(samples, call, explicit)
    found["many formulas"] = {"eager": many(auto), "jit": many(explicit)}
    found["per line"] = {"eager": per_line(auto), "jit": per_line(explicit)}
    return found


def compared(results: Any, wanted: Any) -> dict[str, Any]:
    """Return how far results are from NumPy's, and over which axes they are spread."""
    import numpy

    pairs = [(results, wanted)]
    if isinstance(wanted, tuple):
        pairs = list(zip(results, wanted, strict=True))
    errors, specs = [], []
    for result, one in pairs:
        numpy.testing.assert_array_equal(numpy.isnan(result), numpy.isnan(one))
        error = numpy.nanmax(abs(numpy.asarray(result) - one))
        errors.append(float(error / numpy.nanmax(abs(one))))
        specs.append([name for name in result.sharding.spec if name is not None])
    return {"error": max(errors), "specs": specs}


def numbers_in(shape: str) -> int:
    """Return how many numbers a transfer is of; a byte of a mask counts as one."""
    sizes = re.findall(r"(?:f64|s64|pred|u8)\[([\d,]*)\]", shape)
    return sum(math.prod(map(int, size.split(","))) for size in sizes)


def derived(call: Any, spread: Any) -> dict[str, Any]:
    """Return the errors of derivatives, both ways, and mapped over a batch."""
    import jax
    import numpy

    names = ("f", "x", "step")

    def both(arrays: Any) -> Any:
        given = {name: arrays[name] for name in names}

        def loss(given: Any) -> Any:
            results = call(arrays | given)
            return sum((one**2).sum() for one in jax.tree.leaves(results))

        _, along = jax.jvp(loss, (given,), (given,))
        return jax.grad(loss)(given), along

    found = jax.tree.leaves(jax.jit(both)(spread))
    wanted = jax.tree.leaves(jax.jit(both)(on_devices(None, spread=False)))
    batch = numpy.stack([arrays()["f"], arrays()["f"] ** 2])
    sharding = spread["field"].sharding
    mapped = jax.vmap(lambda f: call(spread | {"f": f}))(
        jax.device_put(batch, sharding)
    )
    found += jax.tree.leaves(mapped)
    one_by_one = [jax.tree.leaves(call(arrays() | {"f": f})) for f in batch]
    wanted += [numpy.stack(pair) for pair in zip(*one_by_one, strict=True)]
    errors = [
        numpy.max(abs(numpy.asarray(one) - other)) / (numpy.max(abs(other)) or 1.0)
        for one, other in zip(found, map(numpy.asarray, wanted), strict=True)
    ]
    return {"derivatives": float(max(errors))}


def placed(samples: str, call: Any, spread: Any) -> dict[str, Any]:
    """Return what a call does; its derivatives and batches must be as of one device."""
    import jax
    import numpy

    def of(f: Any, others: Any) -> Any:
        return call(others | {samples: f})

    def loss(f: Any, others: Any) -> Any:
        return jax.numpy.nansum(of(f, others) ** 2)

    alone, whole = on_devices(None, spread=False), jax.numpy.asarray(arrays()["f"])
    f = spread["f"] if samples == "f" else whole
    wanted = of(arrays()["f"], arrays())
    slopes = jax.jit(jax.grad(loss))(whole, alone)
    found = [jax.jit(jax.grad(loss))(f, spread)]
    with jax.set_mesh(spread["f"].sharding.mesh):  # JAX asks for it outside of `jit`
        found.append(jax.grad(loss)(f, spread))
    for slope in found:
        numpy.testing.assert_allclose(slope, slopes, atol=1e-12)
    mapped = jax.vmap(of, in_axes=(0, None))(jax.numpy.stack([f, f]), spread)
    numpy.testing.assert_allclose(mapped[1], wanted, atol=1e-12)
    return {
        "eager": compared(of(f, spread), wanted),
        "jit": compared(jax.jit(of)(f, spread), wanted),
    }


def short(spread: Any) -> float:
    """Return the error where the parts are shorter than the halo: of 2 rows for 3."""
    import jax
    import numpy

    f = arrays()["f"][:8]
    own = jax.device_put(f, spread["f"].sharding)
    result = anygrad.derivative(own, dim=0, accuracy=6, boundary="periodic")
    wanted = anygrad.derivative(f, dim=0, accuracy=6, boundary="periodic")
    return float(numpy.max(abs(numpy.asarray(result) - wanted)))


def per_line(spread: Any) -> float:
    """Return the error with one value for each column beyond the ends."""
    import numpy

    f, values = arrays()["f"], numpy.arange(float(COLUMNS))
    result = anygrad.derivative(spread["f"], dim=0, boundary=values[None, :])
    wanted = anygrad.derivative(f, dim=0, boundary=values[None, :])
    return float(numpy.max(abs(numpy.asarray(result) - wanted)))


def masked(spread: Any) -> float:
    """Return the error of mixed derivatives of which samples are missing."""
    import numpy

    result = anygrad.hessian(spread["f"], where=spread["mask"])
    wanted = anygrad.hessian(arrays()["f"], where=arrays()["mask"])
    numpy.testing.assert_array_equal(numpy.isnan(result), numpy.isnan(wanted))
    return float(numpy.nanmax(abs(numpy.asarray(result) - wanted)))


def many(spread: Any) -> float:
    """Return the error of what has too many formulas for one program: it gets none."""
    import jax

    def call(a: Any) -> Any:
        return anygrad.gradient(
            a["f"], spacing=[0.5, a["y"]], where=a["mask"], boundary=["edge", "reflect"]
        )

    def along(f: Any) -> Any:
        return call(spread | {"f": f})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_jax, "MOST_PAIRS", 0)
        patch.setattr(in_jax, "_program", None)
        results = call(spread), jax.jvp(along, (spread["f"],), (spread["f"],))[0]
    wanted = call(arrays())
    found = [compared(result, wanted) for result in results]
    axes = [["rows", "columns"]] * 2
    if on_explicit_axes.sharding_of(spread["f"]) is not None:
        assert all(one["specs"] == axes for one in found)
    return float(max(one["error"] for one in found))


# The tests.


def found() -> dict[str, Any]:
    answers: dict[str, Any] = fresh.answer(__file__, **ON_DEVICES)
    return answers


@pytest.mark.parametrize(
    ("name", "way"),
    [(name, "jit") for name in CALLS] + [(name, "eager") for name in EAGER],
)
def test_results_are_those_of_the_whole_array(jax: Any, name: str, way: str) -> None:
    """And lie where the samples lie."""
    answer = found()[name][way]
    assert answer["error"] < 1e-13
    assert all(spec == ["rows", "columns"] for spec in answer["specs"])


@pytest.mark.parametrize("name", CALLS)
def test_only_the_rows_that_are_read_travel(jax: Any, name: str) -> None:
    """From a device to its neighbours, each once, and exactly as many as are needed."""
    answer = found()[name]
    assert answer["operations"] == ["collective-permute"]
    assert answer["numbers"] == CALLS[name][1]


@pytest.mark.parametrize("name", DERIVED)
def test_derivatives_of_derivatives(jax: Any, name: str) -> None:
    assert found()[name]["derivatives"] < 1e-12


@pytest.mark.parametrize("way", ["eager", "jit"])
@pytest.mark.parametrize("name", ["short", "per line", "masked", "many formulas"])
def test_what_the_compiler_spreads(jax: Any, name: str, way: str) -> None:
    """Parts shorter than the halo, values for each line, masks of mixed derivatives.

    And plans with too many formulas for one program, on either kind of mesh.
    """
    assert found()[name][way] < 1e-13


@pytest.mark.parametrize("way", ["eager", "jit"])
@pytest.mark.parametrize("name", PLACED)
def test_what_is_cut_or_whole_on_explicit_axes(jax: Any, name: str, way: str) -> None:
    """Blocks with ghosts, whole where they are uneven; samples beside sharded arrays.

    The script has compared their derivatives, and those of a batch.
    """
    answer = found()[name][way]
    assert answer["error"] < 1e-13
    assert answer["specs"] == [SPREAD.get(name, [])]


if __name__ == "__main__":
    print(json.dumps(look_at_all()))  # noqa: T201 - this is how the script answers
