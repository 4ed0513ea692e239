"""A recording as a loop in Python, which Numba compiles.

Arrays are read row by row, and several rows as one where that is the same memory.  A
loop over a row counts with an unsigned number, because Numba makes no vectors of what
might count backwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..recorded.nodes import Range, TooLong, interior, interiors
from . import missing_beyond, straight
from .numba_language import ACCESS, HEAD, QUOTIENT, SELECT, SHORT, Loops
from .printing import Scope, inside
from .settled import Settling

if TYPE_CHECKING:
    from ..recorded.nodes import Node
    from ..recorded.tape import Recording

#: The options under which what is compiled is kept beside its file, or is not.
KEPT, NOT_KEPT = "cache=True", "cache=False"

#: Which dtypes there are: those of numbers of 16 bits are not among them.
DTYPES = frozenset(
    ["bool", "float32", "float64", "complex64", "complex128"]
    + [f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)]
)

#: What Numba calls otherwise than the standard.
TYPES = {"bool": "boolean"}

#: One row: its straight part, from `first` to `last`, its ends where they are short,
#: and what is left of it.
ROW = """\
first, last = max({begin}, {start}), min({end}, n{axis} - {rest})
if first < last{conditions}:
{straight}
{ends}
{unified}
else:
    first = last = {end}
for part in range(2):
    for t{axis} in range(last if part else {begin}, {end} if part else first):
{general}"""

#: The straight parts of several rows, which the first of them has, with what lies
#: between them in memory: over that, their ends are written.
RUN = """\
if t{middle} >= turn:
    turn = min(t{middle} + rows, {bottom})
    length = (turn - 1 - t{middle}) * n{axis} + last - first"""

#: So many rows of a result, or planes, are made at once where each point takes so many
#: reads and several share them.  Less does not pay for more streams through memory,
#: and with complex numbers, vectors no longer fit the registers: thrice the time.
AT_ONCE = 4
LEAST_READS = 5
MOST_LEFT = 7 / 8
MOST_LINES_AT_ONCE = 600

#: How many are made at a position: none where they have been, with those before it.
COUNT = """\
count = 0 if t0 < made else {at_once} if t0 + {at_once} <= {bottom}{conditions} else 1
made = max(made, t0 + count)"""

#: Such a run has so many points, or is one row.
MOST_POINTS = 8192


def text_of(
    recording: Recording, layouts: str, most_lines: int, *, has_tables: bool = True
) -> str | None:
    """Return the text of the module, which has a function `kernel`.

    None for dtypes that Numba does not have; raises `TooLong` where it has more lines.
    The `layouts` are those of the arrays and of the results, as Numba names them.  If
    it `has_tables`, what is the same in all rows is computed once.

    ``kernel(start, stop, numbers, b0, b1, ..., o0, o1, ...)`` fills the results from
    one position along the first axis to another.
    """
    dtypes = recording.dtypes
    if not DTYPES.issuperset(dtypes):
        return None
    printer = Loops(recording, layouts)
    printer.most_lines = most_lines
    if not has_tables:
        printer.tables = None
    last, along = printer.last, {printer.last, printer.last - printer.runs_on}
    ranges = interiors(recording.results, recording.ndim)
    settling = Settling(interior(recording.ndim))
    single = straight.loop(printer, settling, along)
    several = _several(printer, settling, along, straight.reads(single))
    unified: list[str] = []
    results: Sequence[Node] = recording.results
    if missing_beyond.serve_everywhere(results, ranges):
        printer.beyond_is_missing = True
        unified = ["elif first < last:"]
        unified += straight.indented(straight.loop(printer, settling, [last]))
        results = [settling.settled(node) for node in results]
    tables = straight.tables(printer, ranges[last])
    general = Scope(Loops.INDENT * 2)
    straight.add_point(printer, general, results, settling if unified else None)
    if len(single) + len(unified) + len(general.lines) > most_lines:
        raise TooLong
    printer.beyond_is_missing = False
    body = ROW.format(
        begin="0" if last else "start",
        end=f"n{last}" if last else "stop",
        start=ranges[last].start,
        rest=ranges[last].end,
        axis=last,
        conditions=inside(ranges[:last], "and"),
        straight="\n".join(
            straight.indented(_in_runs(printer, single, several, ranges))
        ),
        ends="\n".join(straight.at_ends(printer, ranges[last])),
        unified="\n".join(unified),
        general="\n".join(general.lines),
    )
    names = ", ".join(["start", "stop", "numbers", *printer.layouts])
    lines = [f"{name} = {text}" for text, name in printer.constants.items()]
    lines += ["", *_decorator(recording, dtypes, layouts), f"def kernel({names}):"]
    lines += straight.indented([*_before_loops(printer), *tables])
    lines += _around(printer, body.splitlines(), ranges, is_counted=bool(several))
    text = "\n".join([*lines, ""])
    others = [QUOTIENT] if "quotient(" in text else []
    others += [SELECT] if "select(" in body else []
    return "".join([HEAD, *others, ACCESS, text])


def _several(
    printer: Loops, settling: Settling, along: set[int], reads: int
) -> list[str]:
    """Return the straight part of several rows at once; nothing where one is better.

    Of one, a point takes so many reads.
    """
    (first, *others) = printer.recording.results
    if others or "complex" in first.dtype or printer.last == 0 or reads < LEAST_READS:
        return []
    try:
        lines = straight.loop(printer, settling, along, AT_ONCE)
    except TooLong:
        return []
    is_long = len(lines) > MOST_LINES_AT_ONCE
    return (
        [] if is_long or straight.reads(lines) > MOST_LEFT * AT_ONCE * reads else lines
    )


def _before_loops(printer: Loops) -> list[str]:
    """Return the names of what is the same for all rows."""
    last, lengths = printer.last, [f"n{axis}, " for axis in range(printer.last + 1)]
    lines = [f"{''.join(lengths)}= o0.shape"]
    lines += [f"{name} = {text}" for text, name in printer.numbers.items()]
    lines += [f"flat_{name} = {name}.reshape({name}.size)" for name in printer.flat]
    if printer.runs_on:
        lines += [
            f"rows = max(1, {MOST_POINTS} // max(1, n{last}))",
            f"rows = rows if n{last} < {SHORT} else 1",
        ]
    return lines


def _around(
    printer: Loops, body: list[str], ranges: Sequence[Range], *, is_counted: bool
) -> list[str]:
    """Return the loops over all axes but the last, around what is done for a row.

    It is counted how many rows are made at once, if it may be several.
    """
    last, lines = printer.last, []
    for axis in range(last):
        begin, end = ("start", "stop") if axis == 0 else ("0", f"n{axis}")
        loop = [f"for t{axis} in range({begin}, {end}):"]
        if printer.runs_on and axis == last - 1:
            loop = [f"t{axis} = turn = {begin}", f"while t{axis} < {end}:"]
            body = [*body, f"t{axis} += 1"]
        if is_counted and axis == 0:
            counted = COUNT.format(
                at_once=AT_ONCE,
                bottom=f"min(stop, n0 - {ranges[0].end})",
                conditions=inside(ranges[:1], "and")
                + (" and rows == 1" if printer.runs_on and last == 1 else ""),
            )
            loop = ["made = start", *loop, *straight.indented(counted.splitlines())]
        lines += straight.indented(loop, axis + 1)
    return lines + straight.indented(body, last + 1)


def _in_runs(
    printer: Loops, single: list[str], several: list[str], ranges: Sequence[Range]
) -> list[str]:
    """Return the straight part of a row, or of several where they are one run."""
    lines = []
    if printer.runs_on:
        last = printer.last
        end = "stop" if last == 1 else f"n{last - 1}"
        bottom = f"min({end}, n{last - 1} - {ranges[last - 1].end})"
        lines += RUN.format(middle=last - 1, axis=last, bottom=bottom).splitlines()
    if several:
        single = ["if count == 1:", *straight.indented(single)]
        single += ["elif count:", *straight.indented(several)]
    return lines + straight.indented(single, printer.runs_on)


def _decorator(recording: Recording, dtypes: Sequence[str], layouts: str) -> list[str]:
    """Return the lines that tell Numba for which types to compile, and how."""
    count = len(recording.arrays)
    axes = [len(array.is_long) for array in recording.arrays]
    axes += [recording.ndim] * len(recording.results)
    arrays = ["Array(numba.float64, 1, 'C', readonly=False)"]
    for number, known in enumerate(zip(dtypes, axes, layouts, strict=True)):
        dtype, ndim, layout = known
        inside = f"numba.{TYPES.get(dtype, dtype)}, {ndim}, {layout!r}"
        arrays.append(f"Array({inside}, readonly={number < count})")
    return [
        "@numba.njit(",
        "    numba.void(",
        "        numba.int64,",
        "        numba.int64,",
        *[f"        numba.types.{text}," for text in arrays],
        "    ),",
        f"    {KEPT},",
        "    nogil=True,",
        "    error_model='numpy',",
        ")",
    ]
