"""Check and measure anygrad on a GPU, with the libraries that are there.

    python benchmarks/gpu.py --check     # calls at random beside NumPy's results
    python benchmarks/gpu.py             # the tables, with the card's name

Each takes less than three minutes, and ends with what it found, in Markdown.  An error
is shown in the row that it belongs to, and stops nothing; what is running when the time
is over, or at Ctrl-C, is given up, and what has been found is printed.  `--rows` asks
for those that were left out.  With `--emulated`, CuPy runs on the driver of the tests,
without a GPU: to try this script, not to time anything.
"""

from __future__ import annotations

import argparse
import contextlib
import platform
import signal
import sys
import time
from collections.abc import Sequence

from on_gpu import comparison, kinds, table
from on_gpu.libraries import Library, open_library
from on_gpu.rows import ON_FEW, ROWS

import anygrad

NAMES = ("cupy", "torch", "jax")


def write(*lines: str) -> None:
    """Print at once, so that nothing is lost where time runs out."""
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def opened(names: Sequence[str], *, emulated: bool) -> list[Library]:
    """Return the libraries that work here; say of the others why they do not."""
    found = []
    for name in names:
        try:
            found.append(open_library(name, emulated=emulated))
        except Exception as error:  # noqa: BLE001 - whatever a driver may raise
            write(f"{name} is left out: {table.said(error)}", "")
    return found


def check(
    libraries: Sequence[Library], count: int, some: int, seed: int, stop: float
) -> bool:
    """Compare calls at random with NumPy's; tell whether all are right."""
    header = ["library", "calls", "kinds", comparison.SAME, comparison.CLOSE, "wrong"]
    lines, all_right = [], True
    for place, library in enumerate(libraries):
        now = time.monotonic()
        end = now + (stop - now) / (len(libraries) - place)
        found = compared(library, count, some, seed, end)
        if len(found) < count:
            write(f"{library.name}: out of time after {len(found)} of {count} calls")
        counts = comparison.summary(found)
        used = len({str(one.call.kind) for one in found})
        cells = map(str, (len(found), used, *counts.values()))
        lines.append([library.name, *cells])
        all_right = all_right and not counts["wrong"]
    write("", table.markdown(header), table.markdown(["---"] * len(header)))
    write(*map(table.markdown, lines))
    return all_right


def compared(
    library: Library, count: int, some: int, seed: int, end: float
) -> list[comparison.Outcome]:
    """Make the calls of one library until the time is over; print what is odd."""
    shapes = 1 if library.name == "jax" else 3  # JAX compiles for every shape
    drawn = kinds.calls(kinds.kinds(some, seed), count, seed, shapes)
    found: list[comparison.Outcome] = []
    said = set()
    with contextlib.suppress(KeyboardInterrupt), table.alarm_at(end):
        for outcome in comparison.outcomes(library, drawn):
            found.append(outcome)
            kind = outcome.call.kind
            is_odd = outcome.is_wrong or (
                outcome.result == comparison.CLOSE and "complex" not in kind.dtype
            )
            if is_odd and str(kind) not in said:
                said.add(str(kind))
                write(f"{library.name}: {kind}: {outcome.result[:300]}")
            if time.monotonic() > end:
                break
    return found


def measure(
    libraries: Sequence[Library],
    words: Sequence[str],
    stop: float,
    *,
    emulated: bool,
    small: bool,
) -> None:
    """Print all tables."""
    rows, few = (
        [row for row in those if all(word in str(row) for word in words)]
        for those in (ROWS, ON_FEW)
    )
    if small:
        rows = [row.smallest() for row in rows]
    seconds = 0.0 if small else 0.1
    made = table.tables(
        libraries, rows, few, emulated=emulated, stop=stop, seconds=seconds
    )
    for header, lines in made:
        write("", table.markdown(header), table.markdown(["---"] * len(header)))
        write(*map(table.markdown, lines))


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked for; return 1 where a result is wrong, 2 without a library."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, and do not time")
    parser.add_argument("--library", action="append", choices=NAMES, default=[])
    parser.add_argument("--emulated", action="store_true", help="CuPy without a GPU")
    parser.add_argument("--calls", type=int, default=300, help="for --check (300)")
    parser.add_argument("--kinds", type=int, default=40, help="for --check (40)")
    parser.add_argument("--seed", type=int, default=0, help="for --check (0)")
    parser.add_argument(
        "--rows", nargs="+", default=[], metavar="WORD", help="rows that hold all these"
    )
    parser.add_argument("--small", action="store_true", help="rows of a few points")
    parser.add_argument("--seconds", type=float, default=170.0, help="stop after (170)")
    options = parser.parse_args(arguments)
    stop = time.monotonic() + options.seconds
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    names = options.library or (["cupy"] if options.emulated else NAMES)
    libraries = opened(names, emulated=options.emulated)
    if not libraries:
        return 2
    write(f"anygrad {anygrad.__version__}, Python {platform.python_version()}")
    write(*(f"{library.name}: {library.card}" for library in libraries))
    if options.check:
        right = check(libraries, options.calls, options.kinds, options.seed, stop)
        return int(not right)
    emulated, small = options.emulated, options.small
    measure(libraries, options.rows, stop, emulated=emulated, small=small)
    return 0


if __name__ == "__main__":
    sys.exit(main())
