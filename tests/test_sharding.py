"""JAX arrays spread over many devices, and programs that are compiled once.

The devices must be asked for before JAX starts, so this file is also a script: with
eight pretended devices it looks at every case below, and prints what it found.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import pytest

import anygrad
import fresh
from planning import plan_of

DEVICES = 8

#: What gives a fresh process so many.
ON_DEVICES = {
    "XLA_FLAGS": f"--xla_force_host_platform_device_count={DEVICES}",
    "JAX_PLATFORMS": "cpu",
}
SHAPE = (64, 16)

#: Mesh, dims that are spread, spacing, edge order, and the way of the call.
CASES = [
    "/".join((mesh, *case, way))
    for mesh in ("Auto", "Explicit")
    for case in (
        *itertools.product(
            ("along", "across"), ("default", "step", "coordinates"), ("1", "2")
        ),
        ("along", "constants", "2"),
        ("along", "per point", "2"),
        ("both", "step", "2"),
        ("both", "per point", "2"),
    )
    for way in ("eager", "jit")
]

#: What the compiler may insert to move values between devices: what it gives, which is
#: a tuple where several are done in one, and its name.
TRANSFERS = re.compile(
    r"= (\([^=]*?\)|\S+) (all-gather|all-reduce|all-to-all|reduce-scatter"
    r"|collective-broadcast|collective-permute|ragged-all-to-all)(?:-start)?\("
)


# The script.


def look_at_all() -> dict[str, dict[str, Any]]:
    """Return what is found in each case."""
    import jax

    assert len(jax.devices()) == DEVICES
    return {case: look_at(*case.split("/")) for case in CASES}


def look_at(
    mesh: str, spread: str, kind: str, edge_order: str, way: str
) -> dict[str, Any]:
    """Return the sharding, the error and the transfers of one case."""
    import numpy

    f, spec = samples(mesh, spread)
    spacing = spacing_of(kind, f)
    keywords: Any = {"dim": 0, "edge_order": int(edge_order)}

    def call(f: Any, spacing: Any) -> Any:
        return anygrad.gradient(f, spacing=spacing, **keywords)[0]

    if way == "eager":
        result = call(f, spacing)
        text = program_of_the_eager_call(f, spacing, keywords)
    else:
        result, text = run_in_jit(call, f, spacing)
    if isinstance(spacing, list):
        spacing = [numpy.asarray(x) for x in spacing]
    (wanted,) = anygrad.gradient(numpy.asarray(f), spacing=spacing, **keywords)
    return {
        "spread as the samples": result.sharding.is_equivalent_to(f.sharding, 2),
        "same mesh": str(result.sharding.mesh) == str(f.sharding.mesh),
        "spec": [str(result.sharding.spec), str(spec)],
        "error": float(numpy.max(numpy.abs(numpy.asarray(result) - wanted))),
        "transfers": TRANSFERS.findall(text),
    }


def samples(mesh: str, spread: str) -> tuple[Any, Any]:
    """Return samples that are spread over all devices, and how."""
    import jax
    import numpy
    from jax.sharding import AxisType, NamedSharding, PartitionSpec

    kind = getattr(AxisType, mesh)
    values = numpy.random.default_rng(1).random(SHAPE, dtype="float32")
    if spread == "both":
        devices = jax.make_mesh((4, 2), ("rows", "columns"), axis_types=(kind, kind))
        spec = PartitionSpec("rows", "columns")
    else:
        devices = jax.make_mesh((DEVICES,), ("parts",), axis_types=(kind,))
        spec = {
            "along": PartitionSpec("parts", None),
            "across": PartitionSpec(None, "parts"),
        }[spread]
    return jax.device_put(values, NamedSharding(devices, spec)), spec


def spacing_of(kind: str, f: Any) -> Any:
    import jax
    import jax.numpy as jnp
    import numpy

    if kind == "default":
        return 1
    if kind == "step":
        return 0.3
    steps = 1 + jnp.arange(SHAPE[0], dtype="float32") % 3
    x = jnp.cumsum(steps)
    if kind == "coordinates":
        return [x]
    if kind == "constants":
        return [numpy.asarray(x)]
    return [jax.device_put(jnp.broadcast_to(x[:, None], SHAPE), f.sharding)]


def run_in_jit(call: Any, f: Any, spacing: Any) -> tuple[Any, str]:
    """Run as a part of a user's program; coordinates are arguments of it."""
    import jax

    arrays = spacing if isinstance(spacing, list) else []
    program = jax.jit(lambda f, *x: call(f, list(x) or spacing))
    ready = program.lower(f, *arrays).compile()
    return ready(f, *arrays), ready.as_text()


def program_of_the_eager_call(f: Any, spacing: Any, keywords: Any) -> str:
    """Return what the executor has compiled for a call: caught on its way."""
    caught: list[str] = []
    plan = plan_of("gradient", f, spacing=spacing, **keywords)
    made = plan.tasks[0].kept.made
    program = made.program

    def catch(*arguments: Any) -> Any:
        caught.append(program.lower(*arguments).compile().as_text())
        return program(*arguments)

    made.program = catch
    try:
        anygrad.gradient(f, spacing=spacing, **keywords)
    finally:
        made.program = program
    (text,) = caught
    return text


# The tests.


@pytest.mark.parametrize("case", CASES)
def test_spread_samples(jax: Any, case: str) -> None:
    """The result lies where the samples lie; rows travel, and nothing else.

    A part gets one row of each neighbour, in two transfers.  Within `jax.jit` on an
    Auto mesh, nobody can see how samples are spread: where edges read more than their
    neighbours, or coordinates, the compiler makes more of them, of one row or two, from
    a device to the next; and the two rows at the ends of the dim are summed over all
    devices, in one all-reduce of a tuple of two rows.
    """
    found = fresh.answer(__file__, **ON_DEVICES)[case]
    assert found["spread as the samples"]
    assert found["same mesh"]
    assert found["spec"][0] == found["spec"][1]
    assert found["error"] < 2e-6
    heights: dict[str, list[list[int]]] = {"collective-permute": [], "all-reduce": []}
    for shape, operation in found["transfers"]:
        rows = [int(number) for number in re.findall(r"f32\[(\d+),", shape)]
        heights[operation].append(rows)
    mesh, spread, kind, edge_order, way = case.split("/")
    if spread == "across":
        assert heights == {"collective-permute": [], "all-reduce": []}
        return
    is_simple = kind in ("default", "step") and edge_order == "1"
    if (mesh, way) != ("Auto", "jit") or is_simple:
        arrays = 2 if kind == "per point" else 1  # a vector is sliced, not sent
        assert heights == {"collective-permute": [[1]] * 2 * arrays, "all-reduce": []}
        return
    assert heights["all-reduce"] == [[1, 1]]
    assert len(heights["collective-permute"]) == PERMUTES[kind, edge_order]
    assert all(max(rows) <= 2 for rows in heights["collective-permute"])


#: How many transfers the compiler makes where it alone knows: spacing, edge order.
PERMUTES = {
    ("default", "2"): 5,
    ("step", "2"): 5,
    ("coordinates", "1"): 9,
    ("coordinates", "2"): 11,
    ("constants", "2"): 11,
    ("per point", "2"): 11,
}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            "  %a = (f32[1,32]{1,0}, f32[1,32]{1,0}) all-reduce(%b, %c), channel_id=1",
            ("(f32[1,32]{1,0}, f32[1,32]{1,0})", "all-reduce"),
        ),
        (
            "  ROOT %p = f32[2,16]{1,0} collective-permute(f32[2,16]{1,0} %b), ids={}",
            ("f32[2,16]{1,0}", "collective-permute"),
        ),
        (
            "  %g = (f32[1,4]{1,0}, f32[8,4]{1,0}) all-gather-start(%b), dims={0}",
            ("(f32[1,4]{1,0}, f32[8,4]{1,0})", "all-gather"),
        ),
    ],
)
def test_the_pattern_sees_every_transfer(line: str, found: tuple[str, str]) -> None:
    """Also those with a tuple as result: several that the compiler does in one."""
    assert TRANSFERS.findall(line) == [found]


@contextmanager
def compilations(jax: Any, caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Collect what is compiled meanwhile, of whatever origin."""
    found: list[str] = []
    caplog.clear()
    with jax.log_compiles():
        yield found
    messages = (record.getMessage() for record in caplog.records)
    found += [text for text in messages if text.startswith("Compiling ")]
    caplog.clear()


def test_new_steps_need_no_new_program(
    jax: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """There is one for powers of two, which need no division, and one for others."""
    import jax.numpy as jnp

    f = jnp.arange(1233.0) ** 2
    steps: list[Any] = [0.7, 3, 2, 0.125, -2.5, -4, 1e-7]
    steps += [jnp.asarray(float(step)) for step in steps]
    with compilations(jax, caplog) as found:
        for step in (0.3, 0.25, jnp.asarray(0.3)):
            anygrad.gradient(f, spacing=step)
    assert found
    with compilations(jax, caplog) as found:
        results = [anygrad.gradient(f, spacing=step)[0] for step in steps]
    assert not found
    for step, result in zip(steps, results, strict=True):
        assert float(result[1]) == pytest.approx(2 / float(step), rel=1e-6)


def test_new_coordinates_need_no_new_program(
    jax: Any, caplog: pytest.LogCaptureFixture
) -> None:
    import jax.numpy as jnp

    f = jnp.arange(1235.0) ** 2
    x = jnp.arange(1235.0)
    entries = [x / 2, x[::-1], x**2]
    with compilations(jax, caplog) as found:
        anygrad.gradient(f, spacing=[x])
    assert found
    with compilations(jax, caplog) as found:
        for entry in entries:
            anygrad.gradient(f, spacing=[entry])
    assert not found


def test_vectors_of_coordinates_are_a_matter_of_one_program(
    jax: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """They get their other dims within: outside, each would take as long as a call."""
    import jax.numpy as jnp

    f = jnp.arange(41.0)[:, None] * jnp.arange(43.0) ** 2  # as no other test has it
    x, y = jnp.arange(41.0) * 2, jnp.arange(43.0) / 2
    with compilations(jax, caplog) as found:
        along, across = anygrad.gradient(f, spacing=[x, y])
    assert len(found) == 1
    assert float(along[3, 3]) == pytest.approx(9 / 2)
    assert float(across[3, 3]) == pytest.approx(3 * 2 * 3 * 2)


def test_masks_beside_a_one_that_is_no_float(jax: Any) -> None:
    """A kept program for steps of one is for no other number of its kind."""
    import jax.numpy as jnp

    f = jnp.arange(1239.0) ** 2
    mask = f > 0
    for step in (Fraction(1), Fraction(1), Fraction(1, 4), Fraction(1)):
        (slope,) = anygrad.gradient(f, spacing=step, where=mask)
        assert float(slope[5]) == pytest.approx(10 / float(step))


#: Integers of two bits over all devices, in parts that are no longer than a formula.
OF_TWO_BITS = """
import jax, anygrad
from jax.sharding import NamedSharding, PartitionSpec
spread = NamedSharding(jax.make_mesh((8,), ("x",)), PartitionSpec("x"))
given = jax.numpy.arange(32) % 3 % 2
f = jax.device_put(given.astype("int2"), spread)
found, wanted = [anygrad.gradient(a, accuracy=4)[0] for a in (f, given)]
assert jax.numpy.array_equal(found, wanted)
"""


def test_integers_that_xla_does_not_join(jax: Any) -> None:
    if not hasattr(jax.numpy, "int2"):
        pytest.skip("they are younger than this JAX")
    fresh.run("-c", OF_TWO_BITS, **ON_DEVICES)


def test_new_samples_need_no_new_program(
    jax: Any, caplog: pytest.LogCaptureFixture
) -> None:
    import jax.numpy as jnp

    f = jnp.arange(1237.0)  # a length that no other test has
    g = f**2
    with compilations(jax, caplog) as found:
        anygrad.gradient(f)
    assert len(found) == 1
    with compilations(jax, caplog) as found:
        anygrad.gradient(g)
        anygrad.gradient(f, spacing=1.0, dim=0, edge_order=1)
        anygrad.gradient(f, dim=(-1,))
    assert not found
    with compilations(jax, caplog) as found:
        anygrad.gradient(f, edge_order=2)
    assert len(found) == 1


if __name__ == "__main__":
    print(json.dumps(look_at_all()))  # noqa: T201 - this is how the script answers
