"""Peak memory of a call, as a multiple of its outputs.

NumPy reports every allocation to `tracemalloc`, so its peak is exact.  torch does not,
and its profiler sees only what its own allocator hands out, not what a kernel takes by
itself.  The operating system sees all pages: a fresh process, in which nothing that
was freed before can be used again, says by how much its largest size has grown.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tracemalloc
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.contenders import contenders
from benchmarks.rows import Row

#: So many are no large array, and no small one either.
FEWER_SAMPLES = 2**20

#: The C library gives what is freed back at once, as far as blocks are concerned.
GIVING_BACK = {"MALLOC_MMAP_THRESHOLD_": str(2**16)}


def peak(row: Row) -> float:
    """Return the peak of the memory that a call takes, divided by its outputs."""
    return traced(row) if row.library == "numpy" else in_a_fresh_process(row)


def warm_up(row: Row) -> None:
    """Make the same call on fewer samples: imports and the like are no part of it.

    They are more than go ways of their own, to NumPy or without shared weights, so
    that they go that of the row's own.
    """
    length = round(FEWER_SAMPLES ** (1 / len(row.shape)))
    fewer = replace(row, shape=tuple(min(n, length) for n in row.shape))
    call = contenders(fewer)["anygrad"]
    for _ in range(3):  # blocks are played from the second call on
        call()
    if row.library == "torch":
        import torch

        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # NumPy is imported, as larger tensors have it
        call()
        torch.set_num_threads(threads)


def traced(row: Row) -> float:
    """Measure with Python's own records."""
    warm_up(row)
    call = contenders(row)["anygrad"]
    tracemalloc.start()
    try:
        results = call()
        return tracemalloc.get_traced_memory()[1] / size(results)
    finally:
        tracemalloc.stop()


def in_a_fresh_process(row: Row) -> float:
    """Measure with the records of the operating system, Linux only."""
    folder = str(Path(__file__).parents[1])
    script = (
        f"import sys; sys.path.insert(0, {folder!r}); "
        "from benchmarks.memory import answer; answer()"
    )
    process = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(asdict(row)),
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | GIVING_BACK,
    )
    return float(process.stdout)


def answer() -> None:
    """Measure the row that stands on the standard input."""
    fields = json.load(sys.stdin)
    row = Row(**{**fields, "shape": tuple(fields["shape"])})
    warm_up(row)
    call = contenders(row)["anygrad"]
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forgets the peak
    before = status("VmRSS")
    results = call()
    print((status("VmHWM") - before) / size(results))  # noqa: T201 - the answer


def status(field: str) -> int:
    """Return a size of this process in bytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise LookupError(field)


def size(results: Any) -> int:
    """Return the bytes of the outputs."""
    return sum(result.nbytes for result in results)
