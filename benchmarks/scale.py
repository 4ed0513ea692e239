"""What Dask's graphs cost, and what workers hold from disk to disk.

`python benchmarks/scale.py graphs` builds and optimises graphs, computes nothing, and
prints per chunk: milliseconds of the processor, tasks and bytes of the pickled graph;
`--chunks 100000` is the size that the page "Beyond one machine" reckons from.

`python benchmarks/scale.py tasks` needs `distributed`: it runs such graphs on two
workers, with next to no work in a chunk, and prints what the scheduler, which is in
this process, takes for a task.

`python benchmarks/scale.py disk` needs `distributed` and zarr: it differentiates an
array from zarr to zarr on two workers with little memory each, beside
`dask.array.gradient`, and prints the peak of each worker.  `--gigabytes 4` takes twice
as much on the disk.

`python benchmarks/scale.py cubed` needs cubed: it plans calls on 16,000 x 16,000
samples in blocks of 8 MB, computes nothing, and prints what the plan says: tasks,
operations, gigabytes written, the samples included, and megabytes that a task may take.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import math
import os
import pickle
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anygrad

#: What a worker of the run from disk to disk may hold, and how many there are.
MEMORY, WORKERS = "400MB", 2

#: The rows and columns of a chunk on disk: 16 MB of float32.
ON_DISK = 2000


def coordinates(f: Any) -> Any:
    """Return uneven coordinates of the first dim."""
    import numpy

    return numpy.cumsum(numpy.arange(f.shape[0]) % 3 + 0.7)


def mask(f: Any) -> Any:
    """Return a lazy mask, all of it valid."""
    import dask.array as da

    return da.ones(f.shape, chunks=f.chunks, dtype=bool)


def field(f: Any) -> Any:
    """Return a vector field with both components in each chunk."""
    import dask.array as da

    return da.zeros((2, *f.shape), chunks=(2, *f.chunks))


def of_dask(f: Any, axis: int | None = None) -> Any:
    """Return Dask's own gradient."""
    import dask.array as da

    return da.gradient(f, axis=axis)


def own(values: Any, f: Any) -> Any:
    """Return coordinates, one along the first dim, or a mask as arrays of cubed's."""
    import cubed

    chunks = f.chunks[: values.ndim]
    return cubed.from_array(values, chunks=chunks, spec=f.spec)


def own_mask(f: Any) -> Any:
    """Return a mask of cubed's, all of it valid."""
    import cubed.array_api as xp

    return xp.ones(f.shape, dtype=xp.bool, chunks=f.chunks, spec=f.spec)


IN_FIELD: dict[str, Any] = {"dim": (1, 2), "vector_dim": 0}

#: Calls by name, of what any engine has; a list of arrays is one graph.
PLANS: dict[str, Callable[[Any], Any]] = {
    "gradient, one dim": lambda f: anygrad.gradient(f, dim=0),
    "gradient, one dim, accuracy 8": lambda f: anygrad.gradient(f, dim=0, accuracy=8),
    "gradient, one dim, coordinates": lambda f: anygrad.gradient(
        f, dim=0, spacing=[coordinates(f)]
    ),
    "gradient, two dims": anygrad.gradient,
    "laplacian": anygrad.laplacian,
    "laplacian, periodic": lambda f: anygrad.laplacian(f, boundary="periodic"),
    "hessian": anygrad.hessian,
}

#: And of cubed's, of more stages.
STAGES: dict[str, Callable[[Any], Any]] = {
    "gradient, one dim, periodic": lambda f: anygrad.gradient(
        f, dim=0, boundary="periodic"
    ),
    "accuracy 8, periodic": lambda f: anygrad.derivative(
        f, dim=0, accuracy=8, boundary="periodic"
    ),
    "gradient, its own coordinates": lambda f: anygrad.gradient(
        f, dim=0, spacing=[own(coordinates(f), f)]
    ),
    "gradient, where= its own mask": lambda f: anygrad.gradient(
        f, dim=0, where=own_mask(f)
    ),
}

#: And of Dask's.
CALLS: dict[str, Callable[[Any], Any]] = PLANS | {
    "divergence": lambda f: anygrad.divergence(field(f), **IN_FIELD),
    "curl": lambda f: anygrad.curl(field(f), **IN_FIELD),
    "jacobian": lambda f: anygrad.jacobian(field(f), **IN_FIELD),
    "where, one dim": lambda f: anygrad.gradient(f, dim=0, where=mask(f)),
    "dask.array.gradient, one dim": lambda f: of_dask(f, 0),
    "dask.array.gradient, two dims": of_dask,
}


def graph_of(call: Callable[[Any], Any], chunks: int) -> tuple[float, float, float]:
    """Return milliseconds, tasks and pickled bytes of a graph, each per chunk."""
    import dask
    import dask.array as da

    side = math.isqrt(chunks)
    f = da.zeros((side * 100, side * 100), chunks=100)
    start = time.process_time()
    made = call(f)
    made = list(made) if isinstance(made, (list, tuple)) else [made]
    made = list(dask.optimize(*made))
    elapsed = time.process_time() - start
    graph = {key: task for a in made for key, task in dict(a.__dask_graph__()).items()}
    size = len(pickle.dumps(graph))
    count = side * side
    return elapsed / count * 1e3, len(graph) / count, size / count


def graphs(chunks: int, names: list[str]) -> None:
    """Print what the graph of each call costs."""
    print(f"{chunks} chunks, built and optimised; per chunk")
    print(f"{'call':32}{'ms':>8}{'tasks':>8}{'bytes':>8}")
    for name, call in CALLS.items():
        if names and name not in names:
            continue
        # A large graph is measured once: the best of three takes long.
        times = 3 if chunks <= 10_000 else 1
        cost = min(graph_of(call, chunks) for _ in range(times))
        print(f"{name:32}{cost[0]:8.2f}{cost[1]:8.1f}{cost[2]:8.0f}", flush=True)


def peak() -> int:
    """Return the largest memory that this process has held, in bytes: on a worker."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def received(dask_worker: Any) -> int:
    """Return the bytes that a worker has got from others."""
    return sum(entry["total"] for entry in dask_worker.transfer_incoming_log)


def write(path: Path, gigabytes: float) -> None:
    """Write random samples, chunk by chunk."""
    import dask.array as da

    side = round(math.sqrt(gigabytes * 1e9 / 4) / ON_DISK) * ON_DISK
    random = da.random.default_rng(0).random((side, side), chunks=ON_DISK, dtype="f4")
    random.to_zarr(path)


@contextlib.contextmanager
def two_workers(folder: Path | None = None) -> Iterator[Any]:
    """Start a new cluster, and yield its client."""
    from distributed import Client, LocalCluster

    cluster = LocalCluster(
        n_workers=WORKERS,
        threads_per_worker=1,
        memory_limit=MEMORY,
        processes=True,
        dashboard_address=":0",  # there may be others
        silence_logs=logging.ERROR,
        local_directory=None if folder is None else str(folder),
    )
    with cluster, Client(cluster) as client:
        yield client


def tasks(chunks: int, names: list[str]) -> None:
    """Print what the scheduler takes for a task of each call's graph."""
    import dask
    import dask.array as da

    side = math.isqrt(chunks)
    f = da.zeros((side * 10, side * 10), chunks=10)
    print(f"{'call':32}{'tasks':>8}{'ms':>8}")
    for name, call in CALLS.items():
        if names and name not in names:
            continue
        with two_workers() as client:
            (total,) = dask.optimize(first(call(f)).sum())
            count = len(dict(total.__dask_graph__()))
            start = time.process_time()
            client.compute(total, optimize_graph=False).result()
            elapsed = time.process_time() - start
        print(f"{name:32}{count:8}{elapsed / count * 1e3:8.2f}", flush=True)


def from_disk_to_disk(call: Callable[[Any], Any], folder: Path) -> None:
    """Print what the workers of a new cluster hold during one call."""
    import dask.array as da

    with two_workers(folder) as client:
        before = client.run(os.getpid)
        result = call(da.from_zarr(folder / "samples"))
        start = time.perf_counter()
        result.to_zarr(folder / "result", overwrite=True)
        elapsed = time.perf_counter() - start
        peaks = sorted(size // 10**6 for size in client.run(peak).values())
        moved = sum(client.run(received).values()) // 10**6
        lost = len(set(before.values()) - set(client.run(os.getpid).values()))
    print(f"peaks {peaks} MB, {moved} MB moved, {lost} restarts, {elapsed:.0f} s")


def disk(gigabytes: float, folder: str | None) -> None:
    """Differentiate from zarr to zarr, with anygrad and with Dask's own gradient."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        here = Path(place)
        write(here / "samples", gigabytes)
        size = sum(f.stat().st_size for f in here.rglob("*") if f.is_file())
        print(f"{gigabytes} GB, {size / 1e9:.1f} GB on disk; {WORKERS} x {MEMORY}")
        for name in (
            "gradient, one dim",
            "dask.array.gradient, one dim",
            "laplacian",
        ):
            print(f"{name:32}", end="", flush=True)
            call = CALLS[name]
            from_disk_to_disk(lambda f, call=call: first(call(f)), here)


def first(made: Any) -> Any:
    """Return the result, or the first of them."""
    return made[0] if isinstance(made, (list, tuple)) else made


def cubed_plans(names: list[str]) -> None:
    """Print what cubed's plan of each call says."""
    import cubed
    import cubed.random
    from cubed.core.plan import arrays_to_plan

    spec = cubed.Spec(allowed_mem="400MB", reserved_mem="100MB")
    f = cubed.random.random((16_000, 16_000), chunks=1000, spec=spec)
    print(f"{'call':32}{'tasks':>8}{'stages':>8}{'GB':>8}{'MB':>8}")
    for name, call in {"f + 1": lambda f: f + 1, **PLANS, **STAGES}.items():
        if names and name not in names:
            continue
        made = call(f)
        made = made if isinstance(made, tuple) else (made,)
        plan = arrays_to_plan(*made)._finalize()  # noqa: SLF001 - no public name
        operations = [node.get("primitive_op") for _, node in plan.dag.nodes(data=True)]
        # One makes empty arrays.
        stages = sum(operation is not None for operation in operations) - 1
        written, held = plan.total_nbytes_written / 1e9, plan.max_projected_mem / 1e6
        print(f"{name:32}{plan.num_tasks:8}{stages:8}{written:8.1f}{held:8.0f}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["graphs", "tasks", "disk", "cubed"])
    parser.add_argument("--chunks", type=int, default=2500)
    parser.add_argument("--calls", nargs="*", default=[], choices=[*CALLS, *STAGES])
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--folder", help="where there is room for twice as much")
    given = parser.parse_args()
    if given.what == "graphs":
        graphs(given.chunks, given.calls)
    elif given.what == "tasks":
        tasks(given.chunks, given.calls)
    elif given.what == "cubed":
        cubed_plans(given.calls)
    else:
        disk(given.gigabytes, given.folder)


if __name__ == "__main__":
    main()
