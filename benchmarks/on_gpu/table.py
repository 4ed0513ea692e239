"""The tables of a card: what is measured, row by row, an error being a cell."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from on_gpu.contenders import contenders, given, results_of, size_of
from on_gpu.libraries import Library, Work, median_seconds
from on_gpu.rows import FIRST_AT_MOST, FROM_DISK_AT_MOST, HOST_AT_MOST, Row

LARGE_HEADER = [
    *("library", "work", "ms", "time / floor", "own / floor", "torch.compile / floor"),
    *("convolution / floor", "time / copies", "peak / outputs", "launches"),
    *("target", ""),
]
FEW_HEADER = [
    *("library", "work", "host µs", "own, host µs", "launches", "host waits"),
    *("captured", "target", ""),
]
FIRST_HEADER = ["library", "first call, s", "from the disk, s", "target", ""]

OUT_OF_TIME = "out of time"


def markdown(cells: Sequence[str]) -> str:
    """Return a row of a table."""
    return "| " + " | ".join(cells) + " |"


def said(error: Exception) -> str:
    """Return an error as a cell."""
    text = " ".join(f"{type(error).__name__}: {error}".split()).replace("|", "/")
    return text[:120]


def number(value: float | None) -> str:
    """Return a cell of a number that may not be known."""
    return "–" if value is None else f"{value:.3g}"


def verdict(is_met: bool | None) -> str:
    """Return the last cell."""
    return "" if is_met is None else "met" if is_met else "**missed**"


def guarded(what: Callable[[], Any]) -> Any:
    """Return a value, or the error in its place."""
    try:
        return what()
    except Exception as error:  # noqa: BLE001 - it is shown in the place of the value
        return error.with_traceback(None)  # which holds the arrays


def shown(value: Any) -> str:
    """Return a value that may be an error as a cell."""
    if isinstance(value, Exception):
        return said(value)
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value)


@contextlib.contextmanager
def alarm_at(stop: float) -> Iterator[None]:
    """Interrupt what takes longer, as Ctrl-C does, where the system can."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, max(stop - time.monotonic(), 0.01))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


# Large arrays.


def large(library: Library, row: Row, seconds: float, stop: float) -> list[str]:
    """Return the cells for one kind of work."""
    arrays = given(library, row)
    makers = contenders(library, row, arrays)
    work = makers.pop("anygrad")()
    results = results_of(work())
    outputs = sum(map(size_of, results))
    copies = len(results) * min(
        median_seconds(library, copy, seconds) for copy in library.copies(results[0])
    )
    # All that must be read and written, once, at the speed of that copy.
    floor = copies * (arrays.nbytes + outputs) / (2 * outputs)
    # With no results held: what a call makes is all that is counted.
    del results
    time_of = {"anygrad": median_seconds(library, work, seconds)}
    peers: dict[str, Any] = {}
    for name, make in makers.items():
        if time.monotonic() > stop:
            peers[name] = OUT_OF_TIME
            continue
        found = guarded(lambda make=make: median_seconds(library, make(), seconds))
        peers[name] = found
        if not isinstance(found, Exception):
            time_of[name] = found
            peers[name] = found / floor
    ratio, to_copies = time_of["anygrad"] / floor, time_of["anygrad"] / copies
    peak = guarded(lambda: library.peak(work))
    if isinstance(peak, int):
        peak /= outputs
    met = None
    if row.at_most is not None:
        met = ratio <= row.at_most
    elif row.of_copies is not None:
        met = to_copies <= row.of_copies
    elif row.at_least is not None and "own" in time_of:
        met = time_of["own"] / time_of["anygrad"] >= row.at_least
    return [
        library.name,
        str(row),
        number(time_of["anygrad"] * 1e3),
        number(ratio),
        *(shown(peers.get(name)) for name in ("own", "torch.compile", "convolution")),
        number(to_copies),
        shown(peak),
        shown(guarded(lambda: library.launches(work))),
        row.target,
        verdict(met),
    ]


# Few elements.


def few(library: Library, row: Row, seconds: float) -> list[str]:
    """Return the cells for the host's part of a call, and what it asks of the card."""
    makers = contenders(library, row, given(library, row))
    work = makers["anygrad"]()
    mine = host_seconds(library, work, seconds) * 1e6
    theirs: Any = None
    if "own" in makers:
        theirs = guarded(lambda: host_seconds(library, makers["own"](), seconds) * 1e6)
    limit = HOST_AT_MOST.get((library.name, row.work))
    if library.name == "torch" and isinstance(theirs, float):
        limit = theirs
    return [
        library.name,
        str(row),
        number(mine),
        shown(theirs),
        shown(guarded(lambda: library.launches(work))),
        shown(guarded(lambda: library.waits(work))),
        shown(guarded(lambda: is_captured(library, work))),
        "" if limit is None else f"≤ {limit:.3g}",
        verdict(None if limit is None else mine <= limit),
    ]


def host_seconds(library: Library, work: Work, seconds: float) -> float:
    """Return the median time until a call returns, the card having little to do."""
    for _ in range(5):
        work()
    library.wait()
    samples = []
    stop = time.perf_counter() + seconds
    while len(samples) < 5 or time.perf_counter() < stop:
        start = time.perf_counter()
        for _ in range(20):
            work()
        samples.append((time.perf_counter() - start) / 20)
        library.wait()
    return statistics.median(samples)


def is_captured(library: Library, work: Work) -> bool | None:
    """Tell whether a captured call, played, gives what the call gives."""
    played = library.captured(work)
    if played is None:
        return None
    pairs = zip(results_of(played), results_of(work()), strict=True)
    return all(bool(((a == b) | (b != b)).all()) for a, b in pairs)  # noqa: PLR0124


# First calls.

FIRST = """
import json, sys, time
sys.path.insert(0, {folder!r})
from on_gpu.libraries import open_library
library = open_library({name!r}, emulated={emulated!r})
import numpy, anygrad
f = library.asarray(numpy.ones((300, 300), "float32"))
f + f
library.wait()
start = time.perf_counter()
anygrad.laplacian(f, spacing=0.3, accuracy=4)
library.wait()
print(json.dumps(time.perf_counter() - start))
"""


def first(library: Library, *, emulated: bool) -> list[str]:
    """Return the cells for the first call of a process, without and with a disk."""
    folder = str(Path(__file__).parents[1])
    script = FIRST.format(folder=folder, name=library.name, emulated=emulated)
    with tempfile.TemporaryDirectory() as empty:
        places = ("CUPY_CACHE_DIR", "XDG_CACHE_HOME", "ANYGRAD_KERNEL_CACHE")
        environment = os.environ | dict.fromkeys(places, empty)

        def once() -> float:
            done = subprocess.run(
                [sys.executable, "-c", script],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            if done.returncode:
                raise RuntimeError(done.stderr.strip().splitlines()[-1])
            return float(json.loads(done.stdout.splitlines()[-1]))

        cold, warm = guarded(once), guarded(once)
    met = None
    if isinstance(cold, float) and isinstance(warm, float) and library.name != "jax":
        met = cold <= FIRST_AT_MOST and warm <= FROM_DISK_AT_MOST
    target = f"≤ {FIRST_AT_MOST:g} and {FROM_DISK_AT_MOST:g}"
    return [library.name, shown(cold), shown(warm), target, verdict(met)]


def tables(
    libraries: Sequence[Library],
    rows: Sequence[Row],
    few_rows: Sequence[Row],
    *,
    emulated: bool,
    stop: float,
    seconds: float = 0.1,
) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Yield headers and lines; what there is no time for says so."""

    def measured(start: list[str], measure: Callable[[], list[str]]) -> list[str]:
        nonlocal stop
        if time.monotonic() > stop:
            return [*start, OUT_OF_TIME]
        try:
            with alarm_at(stop):
                cells = guarded(measure)
        except KeyboardInterrupt:
            stop = 0.0
            return [*start, OUT_OF_TIME]
        return [*start, said(cells)] if isinstance(cells, Exception) else cells

    def lines(
        header: list[str], some: Sequence[Row], measure: Callable[..., list[str]]
    ) -> list[list[str]]:
        made = []
        for row in some:
            for library in libraries:
                if row.backward and library.name != "torch":
                    continue
                start = [library.name, str(row)]
                cells = measured(start, partial(measure, library, row))
                made.append([*cells, *[""] * (len(header) - len(cells))])
                sys.stderr.write(markdown(cells) + "\n")
                sys.stderr.flush()
        return made

    yield FEW_HEADER, lines(FEW_HEADER, few_rows, lambda a, b: few(a, b, seconds))
    starts = [
        measured([library.name], partial(first, library, emulated=emulated))
        for library in libraries
    ]
    yield FIRST_HEADER, [[*cells, *[""] * (5 - len(cells))] for cells in starts]
    yield (
        LARGE_HEADER,
        lines(LARGE_HEADER, rows, lambda a, b: large(a, b, seconds, stop)),
    )
