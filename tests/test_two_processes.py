"""JAX arrays that two processes hold together, each with four of eight devices.

JAX must hear of the processes before it starts, so this file is also a script: two of
them make the same calls, and each compares the parts that it has with NumPy's result.
The default run makes one call, and `nox -s processes` those of tests/test_cluster.py.
"""

from __future__ import annotations

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import fresh
from test_cluster import CALLS, SHAPE

#: What gives each process so many devices.
ON_DEVICES = {
    "XLA_FLAGS": "--xla_force_host_platform_device_count=4",
    "JAX_PLATFORMS": "cpu",
}

#: All functions and keywords, and of the formulas one: each is a program of its own.
NAMES = [
    name for name in CALLS if not name.startswith("order") or "3, accuracy 4" in name
]

#: In the default run.
FEW = ["gradient"]

#: An axis of as many points is spread over these axes of the mesh.
ALONG = {SHAPE[0]: "rows", SHAPE[1]: "columns"}


# The script.


def look_at_all(mesh: str, names: list[str]) -> dict[str, float]:
    """Return the greatest error in the parts that are here, of each call."""
    import jax
    import numpy

    kinds = (getattr(jax.sharding.AxisType, mesh),) * 2
    devices = jax.make_mesh((4, 2), ("rows", "columns"), axis_types=kinds)

    def own(array: Any) -> Any:
        spec = jax.sharding.PartitionSpec(*[ALONG.get(n) for n in array.shape])
        sharding = jax.sharding.NamedSharding(devices, spec)
        places = sharding.addressable_devices_indices_map(array.shape).values()
        here = array[tuple(map(hull, zip(*places, strict=True)))]
        return jax.make_array_from_process_local_data(sharding, here, array.shape)

    random = numpy.random.default_rng(6)
    f, v = random.normal(0, 9, SHAPE), random.normal(0, 9, (2, *SHAPE))
    assert not own(f).is_fully_addressable
    return {
        name: max(
            map(
                error,
                jax.tree.leaves(CALLS[name](own(f), own(v), own)),
                jax.tree.leaves(CALLS[name](f, v, lambda array: array)),
            )
        )
        for name in names
    }


def hull(slices: tuple[slice, ...]) -> slice:
    """Return what reaches from the first to the last of some slices."""
    if slices[0].start is None:
        return slices[0]
    return slice(min(s.start for s in slices), max(s.stop for s in slices))


def error(result: Any, wanted: Any) -> float:
    """Return how far the parts of a result that are here are from what is wanted."""
    import numpy

    assert result.shape == wanted.shape
    assert not result.is_fully_addressable
    errors = []
    for part in result.addressable_shards:
        values, target = numpy.asarray(part.data), wanted[part.index]
        numpy.testing.assert_array_equal(numpy.isnan(values), numpy.isnan(target))
        errors.append(numpy.max(numpy.nan_to_num(abs(values - target)), initial=0.0))
    return float(max(errors) / numpy.nanmax(abs(wanted)))


def start(address: str, number: str) -> None:
    import jax

    jax.distributed.initialize(
        address, 2, int(number), initialization_timeout=60, heartbeat_timeout_seconds=20
    )
    jax.config.update("jax_enable_x64", True)


# The tests.


@pytest.mark.parametrize("mesh", ["Auto", "Explicit"])
def test_calls(jax: Any, request: pytest.FixtureRequest, mesh: str) -> None:
    """No value is looked at: a process could not see those of the other one."""
    everything = bool(request.config.getoption("cluster"))
    if not everything and mesh == "Auto":
        return  # what the script takes seconds for
    names = NAMES if everything else FEW
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = "{}:{}".format(*free.getsockname())

    def answer(number: int) -> Any:
        given = (address, str(number), mesh, json.dumps(names))
        return json.loads(fresh.run(__file__, *given, **ON_DEVICES).splitlines()[-1])

    with ThreadPoolExecutor() as both:
        found = list(both.map(answer, range(2)))
    for errors in found:
        assert list(errors) == names
        for name, value in errors.items():
            assert value < (1e-6 if name == "dtype" else 1e-12), name


if __name__ == "__main__":
    start(*sys.argv[1:3])
    print(json.dumps(look_at_all(sys.argv[3], json.loads(sys.argv[4]))))  # noqa: T201
