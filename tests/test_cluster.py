"""Dask on a cluster: all functions and keywords between two workers.

The default run has a few calls on a cluster in this process; `nox -s cluster` has all
of them, on two processes with 400 MB each.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import anygrad

SHAPE = (24, 20)
Calls = dict[str, Callable[..., Any]]


@pytest.fixture(scope="module")
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    processes = bool(request.config.getoption("cluster"))
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            memory_limit="400MB" if processes else 0,
            processes=processes,
            dashboard_address=":0",
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def lines() -> list[Any]:
    import numpy

    return [numpy.cumsum(numpy.arange(n) % 3 + 0.7) for n in SHAPE]


def per_point() -> Any:
    import numpy

    return lines()[0][:, None] * (1 + numpy.arange(SHAPE[1]) / 8)


#: `own` makes a NumPy array one of Dask's; `f` are samples and `v` a vector field.
CALLS: Calls = {
    "gradient": lambda f, v, own: anygrad.gradient(f, edge_order=2),
    "stacked": lambda f, v, own: anygrad.gradient(f, spacing=0.5, stack_dim=-1),
    "hessian": lambda f, v, own: anygrad.hessian(f, spacing=[*map(own, lines())]),
    "mask": lambda f, v, own: anygrad.gradient(f, where=own(per_point() > 3)),
    "curl": lambda f, v, own: anygrad.curl(v, dim=(1, 2), vector_dim=0),
    "divergence": lambda f, v, own: anygrad.divergence(v, dim=(1, 2), vector_dim=0),
    "jacobian": lambda f, v, own: anygrad.jacobian(v, dim=(1, 2), vector_dim=0),
    "per point": lambda f, v, own: anygrad.gradient(
        f, spacing=[own(per_point())], dim=0
    ),
    "lazy step": lambda f, v, own: anygrad.gradient(f, spacing=own(lines()[0][1:2])[0]),
    "dtype": lambda f, v, own: anygrad.gradient(f, dtype="float32"),
    "periodic coordinates": lambda f, v, own: anygrad.derivative(
        f, dim=0, spacing=lines()[0], boundary=("periodic", 99.0), accuracy=4
    ),
}
BOUNDARIES: list[Any] = ["one_sided", "periodic", "reflect", "symmetric", "edge", 2.0]


def formula(**keywords: Any) -> Callable[..., Any]:
    return lambda f, v, own: anygrad.derivative(f, dim=0, **keywords)


def summed(**keywords: Any) -> Callable[..., Any]:
    return lambda f, v, own: anygrad.laplacian(f, **keywords)


CALLS |= {
    f"order {order}, accuracy {accuracy}, {boundary}": formula(
        order=order, accuracy=accuracy, boundary=boundary
    )
    for order in (1, 2, 3, 4)
    for accuracy in (2, 4, 8)
    for boundary in BOUNDARIES
}
CALLS |= {
    f"laplacian, {boundary}": summed(boundary=boundary) for boundary in BOUNDARIES
}

#: What every function takes, by keywords of which `own` makes arrays of Dask's.
KEYWORDS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "accuracy 4": lambda own: {"accuracy": 4, "edge_order": 3},
    "coordinates": lambda own: {"spacing": [*map(own, lines())]},
    "coordinates that go around": lambda own: {
        "spacing": [*map(own, lines())],
        "boundary": [("periodic", 99.0), ("periodic", 88.0)],
    },
    "two ends": lambda own: {"boundary": [("reflect", "one_sided"), (0.0, "edge")]},
    "mask": lambda own: {"where": own(per_point() > 3), "edge_order": 2},
    "mask of rows": lambda own: {"where": own(per_point()[:, :1] > 3)},
}


def every(door: Callable[..., Any], given: Callable[[Any], Any]) -> Callable[..., Any]:
    of_field = door in (anygrad.divergence, anygrad.curl, anygrad.jacobian)
    return lambda f, v, own: door(v if of_field else f, **given(own))


CALLS |= {
    f"{door.__name__}, {name}": every(door, given)
    for door in (
        anygrad.gradient,
        anygrad.laplacian,
        anygrad.hessian,
        anygrad.divergence,
        anygrad.curl,
        anygrad.jacobian,
    )
    for name, given in KEYWORDS.items()
}

#: On the cluster in this process.
FEW = ("gradient", "hessian")

#: Of 24 and of 20 points.
CHUNKS = {"many": ((1, 2, 1) * 6, (20,)), "uneven": ((1, 9, 2, 12), (13, 1, 1, 5))}


@pytest.mark.parametrize("chunks", CHUNKS)
def test_calls(client: Any, request: pytest.FixtureRequest, chunks: str) -> None:
    """NumPy's bits from two workers, whichever of them has a chunk."""
    everything = bool(request.config.getoption("cluster"))
    if not everything and chunks == "many":
        return  # a cluster takes milliseconds for a task
    import dask.array
    import numpy

    random = numpy.random.default_rng(6)
    f, v = random.normal(0, 9, SHAPE), random.normal(0, 9, (2, *SHAPE))

    def own(array: Any) -> Any:
        return dask.array.from_array(array, chunks=7)

    lazy_f = dask.array.from_array(f, chunks=CHUNKS[chunks])
    lazy_v = dask.array.from_array(v, chunks=(2, *CHUNKS[chunks]))
    names = CALLS if everything else FEW
    made = {name: CALLS[name](lazy_f, lazy_v, own) for name in names}
    (computed,) = dask.compute(made)  # all at once: a chunk may be anywhere
    for name, found in computed.items():
        wanted = CALLS[name](f, v, lambda array: array)
        pairs = [(found, wanted)]
        if isinstance(wanted, tuple):
            pairs = list(zip(found, wanted, strict=True))
        for values, target in pairs:
            assert values.tobytes() == target.tobytes(), name


def test_from_zarr_to_zarr(client: Any, tmp_path: Any) -> None:
    """An array on disk is refused, and is taken as the message says."""
    import dask.array
    import numpy

    zarr = pytest.importorskip("zarr")
    f = numpy.random.default_rng(7).normal(0, 9, SHAPE)
    array = zarr.create_array(tmp_path / "f", shape=SHAPE, chunks=(10, 20), dtype="f8")
    array[:] = f
    with pytest.raises(TypeError, match=r"`dask\.array\.from_zarr`"):
        anygrad.gradient(array)
    (slope,) = anygrad.gradient(dask.array.from_zarr(array), dim=0)
    slope.to_zarr(tmp_path / "slope")
    found = zarr.open_array(tmp_path / "slope")
    assert found.chunks == array.chunks
    assert found[:].tobytes() == anygrad.gradient(f, dim=0)[0].tobytes()


def test_a_lost_worker(client: Any, request: pytest.FixtureRequest) -> None:
    """What it had is computed again."""
    if not request.config.getoption("cluster"):
        return  # the workers are this process
    import dask.array
    import numpy

    f = dask.array.random.default_rng(1).random((1000, 1000), chunks=250)
    (kept,) = dask.persist(f)
    total = (anygrad.laplacian(kept) ** 2).sum()
    wanted = (anygrad.laplacian(f.compute()) ** 2).sum()
    future = client.compute(total)
    os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
    assert numpy.isclose(future.result(), wanted, rtol=1e-12)


def test_the_compiler_goes_along(
    client: Any, request: pytest.FixtureRequest, tmp_path: Any
) -> None:
    """It is the one of where the call was made, in processes that have set none."""
    if not request.config.getoption("cluster"):
        return  # tests of the compiler have chunks that are computed here
    pytest.importorskip("numba")
    import dask.array
    import numpy

    folder = str(tmp_path)
    client.run(lambda: os.environ.__setitem__("ANYGRAD_CACHE_DIR", folder))
    f = numpy.random.default_rng(8).normal(0, 9, SHAPE)
    lazy = dask.array.from_array(f, chunks=CHUNKS["uneven"])
    with anygrad.set_compiler("numba"):
        graph = anygrad.laplacian(lazy, accuracy=4)
    wanted = anygrad.laplacian(f, accuracy=4)
    assert graph.compute().tobytes() == wanted.tobytes()
    assert any(client.run(lambda: "numba" in sys.modules).values())
