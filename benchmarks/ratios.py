"""Measure anygrad, its peers and the floor in turn; print a table of ratios.

    python benchmarks/ratios.py [--quick] [--rows WORDS] [--runs N] [--json FILE]

The functions of a row are called one after the other, round by round, in one process,
so that whatever else the machine does meets them all.  A ratio is one of medians over
the rounds; the table shows the median of several runs, and the lowest and highest.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import memory
from benchmarks.contenders import Call, contenders
from benchmarks.rows import IMPORT_AT_MOST, IMPORTS, MEMORY, ROWS, Row

#: A sample takes at least so many seconds, in as many calls as it needs.
SHORTEST = 0.002


class Effort(NamedTuple):
    """How much to measure.

    Attributes
    ----------
    runs : int
        How often everything is measured.
    rounds : int
        At least so many per run and row,
    seconds : float
        and as many more as fit into this time.
    """

    runs: int
    rounds: int
    seconds: float


QUICK = Effort(runs=1, rounds=3, seconds=0.2)
THOROUGH = Effort(runs=3, rounds=9, seconds=2.0)


class Line(NamedTuple):
    """One ratio of the table, in all runs, and its target."""

    name: str
    ratio: str
    runs: list[float]
    sign: str
    target: float | None

    @property
    def value(self) -> float:
        """The median of the runs."""
        return statistics.median(self.runs)

    @property
    def verdict(self) -> str:
        """Whether the target is met."""
        if self.target is None:
            return ""
        shown = round(self.value, 2)  # who reads two equal numbers sees no miss
        met = shown <= self.target if self.sign == "≤" else shown >= self.target
        return "met" if met else "**missed**"

    def cells(self) -> list[str]:
        """Return what stands in the row of the table."""
        target = "" if self.target is None else f"{self.sign} {self.target:g}"
        spread = f"{min(self.runs):.2f} to {max(self.runs):.2f}"
        return [
            self.name,
            self.ratio,
            f"{self.value:.2f}",
            spread,
            target,
            self.verdict,
        ]


HEADER = ["work", "ratio", "median", "runs", "target", ""]


def medians(calls: dict[str, Call], effort: Effort) -> dict[str, float]:
    """Return the median time of each call; they take turns."""
    repeats = {name: _repeats(call) for name, call in calls.items()}
    samples: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + effort.seconds
    names = list(calls)
    gc.collect()
    gc.disable()
    try:
        while len(samples["anygrad"]) < effort.rounds or time.perf_counter() < end:
            for name in names:
                samples[name].append(_time(calls[name], repeats[name]))
            names.append(names.pop(0))  # nobody is always first
    finally:
        gc.enable()
    return {name: statistics.median(values) for name, values in samples.items()}


def _repeats(call: Call) -> int:
    """Return how often to make a call in turn: of short ones, the first are no measure.

    They plan, and prepare what the later ones do.
    """
    call()
    once = min(_time(call, 1) for _ in range(3))
    if once < SHORTEST:
        once = min(_time(call, 1) for _ in range(20))
    return max(1, math.ceil(SHORTEST / once))


def _time(call: Call, repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def speed(row: Row, effort: Effort) -> Iterator[Line]:
    """Return the lines for one row: against the floor, and against the peer."""
    calls = contenders(row)
    runs = [medians(calls, effort) for _ in range(effort.runs)]
    if "floor" in calls and (row.at_most is not None or row.at_least is None):
        ratios = [run["anygrad"] / run["floor"] for run in runs]
        yield Line(str(row), "time / floor", ratios, "≤", row.at_most)
    if "peer" in calls:
        ratios = [run["peer"] / run["anygrad"] for run in runs]
        yield Line(str(row), f"{row.peer} / time", ratios, "≥", row.at_least)


def peak_memory(row: Row, effort: Effort) -> Iterator[Line]:
    """Return the line for the memory of one row."""
    peaks = [memory.peak(row) for _ in range(effort.runs)]
    yield Line(str(row), "peak / outputs", peaks, "≤", row.at_most)


def import_time(statement: str, effort: Effort) -> Line:
    """Return the line for an import, in fresh processes."""
    script = (
        f"import array_api_compat, time; start = time.perf_counter(); {statement}; "
        "print((time.perf_counter() - start) * 1e3)"
    )
    environment = os.environ.copy()
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def one() -> float:
        command = [sys.executable, "-c", script]
        return float(subprocess.check_output(command, text=True, env=environment))

    one()  # writes the compiled modules
    runs = [
        statistics.median(one() for _ in range(effort.rounds))
        for _ in range(effort.runs)
    ]
    return Line(statement, "milliseconds", runs, "≤", IMPORT_AT_MOST)


def chosen(rows: Iterable[Row], words: Sequence[str]) -> list[Row]:
    """Return the rows whose names hold all of the words, and that can be run."""
    can_compile = _has("numba")
    return [
        row
        for row in rows
        if all(word in str(row) for word in words)
        and (can_compile or row.way != "compiled")
    ]


def measure(words: Sequence[str], effort: Effort) -> Iterator[Line]:
    """Return the lines of all tables, as they are measured."""
    for row in chosen(ROWS, words):
        yield from speed(row, effort)
    for row in chosen(MEMORY, words):
        if row.library == "numpy" or sys.platform == "linux":
            yield from peak_memory(row, effort)
    for statement in IMPORTS:
        if all(word in statement for word in words):
            yield import_time(statement, effort)


def markdown(cells: Sequence[str]) -> str:
    """Return a row of a table."""
    return "| " + " | ".join(cells) + " |"


def machine() -> str:
    """Return what the figures depend on."""
    packages = ("numpy", "torch", "jax", "dask", "numba", "findiff")
    versions = [f"{name} {metadata.version(name)}" for name in packages if _has(name)]
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return ", ".join(
        [
            f"{_processor()} ({platform.machine()})",
            f"{os.cpu_count()} cores",
            *_caches(),
            f"Python {platform.python_version()}",
            *versions,
            load,
        ]
    )


def _processor() -> str:
    """Return what the processor is called, where the system tells."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text(encoding="utf-8").splitlines() if known.is_file() else []
    names = [line.partition(":")[2] for line in lines if line.startswith("model name")]
    return (*names, platform.processor() or "a processor")[0].strip()


def _has(name: str) -> bool:
    return any(metadata.distributions(name=name))


def _caches() -> Iterator[str]:
    """Return the caches of the first core, where the system tells (Linux)."""
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (
            (cache / name).read_text(encoding="ascii").strip()
            for name in ("level", "type", "size")
        )
        if kind != "Instruction":
            yield f"L{level} {size}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print line by line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="rough, in minutes")
    parser.add_argument(
        "--rows", nargs="+", default=[], metavar="WORD", help="rows that hold all these"
    )
    parser.add_argument("--runs", type=int, help="how often to measure (3; quick: 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    options = parser.parse_args(arguments)
    effort = QUICK if options.quick else THOROUGH
    effort = effort._replace(runs=options.runs or effort.runs)
    _print(machine(), "", markdown(HEADER), markdown(["---"] * len(HEADER)))
    lines = []
    for line in measure(options.rows, effort):
        lines.append(line)
        _print(markdown(line.cells()))
    if options.json:
        records: dict[str, Any] = {"machine": machine()}
        records["lines"] = [line._asdict() for line in lines]
        options.json.write_text(json.dumps(records, indent=1), encoding="utf-8")


def _print(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
