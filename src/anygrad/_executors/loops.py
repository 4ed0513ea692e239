"""A recording as a loop in Python, which Numba compiles.

Arrays are read row by row, and several rows as one where that is the same memory.  A
loop over a row counts with an unsigned number, because Numba makes no vectors of what
might count backwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .._executors.nodes import LENGTH, Place
from .._executors.numba_language import ACCESS, HEAD, SELECT, Loops
from .._executors.printing import Range, Scope, inside, interior, interiors
from .._executors.settled import Known, Settling

if TYPE_CHECKING:
    from .._executors.nodes import Node
    from .._executors.tape import Recording

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
{edges}
else:
    first = last = {end}
for part in range(2):
    for t{axis} in range(last if part else {begin}, {end} if part else first):
{general}"""

#: The loop over its straight part, and its bounds.
BOUNDS = "low, high = uint64(0), uint64(last - first)"
LOOP = "for u in range(low, high):"

#: Where samples may be missing, so many points in a row take the first formulas without
#: a choice, if these fit at all of them: holes are in few places, or together.
CHUNK = 32
IN_CHUNKS = """\
while low < high:
    end = high if high - low < uint64({twice}) else low + uint64({chunk})
    fits = True
    for u in range(low, end):
{fits}
    if fits:
        for u in range(low, end):
{usual}
    else:
        for u in range(low, end):
{points}
    low = end"""

#: The straight parts of several rows, which the first of them has, with what lies
#: between them in memory: over that, their ends are written.
RUN = """\
if t{middle} >= turn:
    turn = min(t{middle} + rows, {bottom})
    length = (turn - 1 - t{middle}) * n{axis} + last - first"""

#: The loop over them.  What comes before the first whole vector of results is a part of
#: its own.
ALIGNED = """\
lead = min(length, -(address + int64({start})) % lanes)
for part in range(2):
    low = uint64(lead if part else 0)
    high = uint64(length if part else lead)"""

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

#: Vectors have so many bytes at most.
VECTOR = 64

#: Ends of rows that have more lines are left to the general loop; so are rows at the
#: ends of other axes.
MOST_LINES_AT_ENDS, MOST_LINES_AT_EDGES = 220, 250

#: At the ends of other axes, shorter rows are, too: it takes long to begin.
LEAST_AT_EDGES = 64


def text_of(
    recording: Recording, layouts: str, most_lines: int, *, has_tables: bool = True
) -> str | None:
    """Return the text of the module, which has a function `kernel`.

    None if it has more lines, or for dtypes that Numba does not have.  The `layouts`
    are those of the arrays and of the results, as Numba names them.  If it
    `has_tables`, what is the same in all rows is computed once.

    ``kernel(start, stop, numbers, complex_numbers, b0, b1, ..., o0, o1, ...)`` fills
    the results from one position along the first axis to another.
    """
    dtypes = recording.dtypes
    if not DTYPES.issuperset(dtypes):
        return None
    printer = Loops(recording, layouts)
    printer.tables = {} if has_tables else None
    last, tab = printer.last, Loops.INDENT
    along = {last, last - printer.runs_on}
    ranges = interiors(recording.results, recording.ndim)
    settling = Settling(interior(recording.ndim))
    straight = _straight(printer, settling, along)
    several = _straight(printer, settling, along, AT_ONCE)
    reads = _reads(straight)
    if (
        len(recording.results) > 1
        or "complex" in recording.results[0].dtype
        or not (last == 1 or printer.runs_on)
        or reads < LEAST_READS
        or len(several) > MOST_LINES_AT_ONCE
        or _reads(several) > MOST_LEFT * AT_ONCE * reads
    ):
        several = []
    tables = _tables(printer, ranges[last])
    general = Scope(tab * 2)
    target = ", ".join([f"t{axis}" for axis in range(recording.ndim)])
    for number, node in enumerate(recording.results):
        general.add(f"o{number}[{target}] = {printer.value(node, general)}")
    if len(straight) + len(general.lines) > most_lines:
        return None
    body = ROW.format(
        begin="0" if last else "start",
        end=f"n{last}" if last else "stop",
        start=ranges[last].start,
        rest=ranges[last].end,
        axis=last,
        conditions=inside(ranges[:last], "and"),
        straight="\n".join(_indented(_in_runs(printer, straight, several, ranges))),
        ends="\n".join(_at_ends(printer, ranges[last])),
        edges="\n".join(_at_edges(printer, ranges)),
        general="\n".join(general.lines),
    )
    names = ["start", "stop", "numbers", "complex_numbers", *printer.layouts]
    lines = _decorator(recording, dtypes, layouts)
    lines.append(f"def kernel({', '.join(names)}):")
    lengths = "".join([f"n{axis}, " for axis in range(recording.ndim)])
    lines.append(f"{tab}{lengths}= o0.shape")
    lines += [f"{tab}{name} = {text}" for text, name in printer.numbers.items()]
    lines += [
        f"{tab}flat_{name} = {name}.reshape({name}.size)" for name in printer.flat
    ]
    lines += _indented(tables)
    if printer.runs_on:
        lines += [
            f"{tab}rows = max(1, {MOST_POINTS} // max(1, n{last}))",
            f"{tab}rows = rows if n{last} < {printer.short} else 1",
            f"{tab}lanes = max(1, {VECTOR} // o0.itemsize)",
            f"{tab}address = int64(o0.ctypes.data) // o0.itemsize",
        ]
    for axis in range(last):
        bounds = ("start", "stop") if axis == 0 else ("0", f"n{axis}")
        loop = [f"for t{axis} in range({bounds[0]}, {bounds[1]}):"]
        if printer.runs_on and axis == last - 1:
            loop = [f"t{axis} = turn = {bounds[0]}", f"while t{axis} < {bounds[1]}:"]
            body += f"\nt{axis} += 1"
        if several and axis == 0:
            counted = COUNT.format(
                at_once=AT_ONCE,
                bottom=f"min(stop, n0 - {ranges[0].end})",
                conditions=inside(ranges[:1], "and")
                + (" and rows == 1" if printer.runs_on and last == 1 else ""),
            )
            loop = ["made = start", *loop, *_indented(counted.splitlines())]
        lines += _indented(loop, axis + 1)
    lines += [tab * (last + 1) + line for line in body.splitlines()]
    constants = [f"{name} = {text}" for text, name in printer.constants.items()]
    select = SELECT if "select(" in body else ""
    return HEAD + select + ACCESS + "\n".join([*constants, "", *lines, ""])


def _straight(
    printer: Loops, settling: Settling, along: Iterable[int], count: int = 1
) -> list[str]:
    """Return the loop along some axes, for a position whose choices it has.

    For so many positions along the first axis.
    """
    printer.starts, printer.rows = {}, {}
    printer.within = frozenset(along)
    here = [settling.settled(node) for node in printer.recording.results]
    pairs = [(number, k) for k in range(count) for number in range(len(here))]
    nodes = [settling.further(here[number], k) for number, k in pairs]
    targets = {}
    for node, (number, k) in zip(nodes, pairs, strict=True):
        place = [
            Place(axis, True, 0 if axis else k) for axis in range(printer.last + 1)
        ]
        targets[printer.target(f"o{number}", tuple(place))] = node
    return _loop(printer, settling.at, targets, settling)


def _reads(lines: Sequence[str]) -> int:
    """Return how many elements a loop reads at a point, each once."""
    return len({*re.findall(r"read\(.*?\)", "\n".join(lines))})


def _loop(
    printer: Loops,
    at: tuple[int, ...],
    targets: dict[str, Node],
    settling: Settling | None = None,
) -> list[str]:
    """Return the lines before a loop, and the loop, which writes to its targets."""
    row = Scope("", at=at)

    def body(nodes: dict[str, Node], indent: int = 1) -> list[str]:
        scope = Scope(Loops.INDENT * indent, row, at=at)
        for target, node in nodes.items():
            scope.add(target.format(printer.value(node, scope)))
        return scope.lines

    loop = [LOOP, *body(targets)]
    conditions = settling.first_conditions(targets.values()) if settling else ()
    if settling and conditions:
        here = Known(frozenset(conditions))
        usual = {t: settling.settled(node, here) for t, node in targets.items()}
        scope = Scope(Loops.INDENT * 2, row, at=at)
        names = [printer.value(condition, scope) for condition in conditions]
        scope.add(f"fits &= {' & '.join(names)}")
        text = IN_CHUNKS.format(
            chunk=CHUNK,
            twice=2 * CHUNK,
            fits="\n".join(scope.lines),
            usual="\n".join(body(usual, 3)),
            points="\n".join(body(targets, 3)),
        )
        loop = text.splitlines()
    before = {**printer.starts, **printer.rows}
    row.lines += [f"{name} = {text}" for text, name in before.items()]
    return [*row.lines, BOUNDS, *loop]


def _tables(printer: Loops, ends: Range) -> list[str]:
    """Return what is computed once for all rows."""
    tables, printer.tables, last = printer.tables, None, printer.last
    if not tables:
        return []
    printer.starts, printer.rows = {}, {}
    targets = {f"{name}[u] = {{}}": node for node, name in tables.items()}
    loop = _loop(printer, interior(last + 1), targets)
    empty = [
        f"{name} = empty(last - first, {node.dtype})" for node, name in tables.items()
    ]
    first = f"first, last = {ends.start}, max({ends.start}, n{last} - {ends.end})"
    return [first, *empty, *loop]


def _in_runs(
    printer: Loops, straight: list[str], several: list[str], ranges: Sequence[Range]
) -> list[str]:
    """Return the straight part of a row, or of several where they are one run."""
    lines = []
    if printer.runs_on:
        last = printer.last
        end = "stop" if last == 1 else f"n{last - 1}"
        bottom = f"min({end}, n{last - 1} - {ranges[last - 1].end})"
        lines += RUN.format(middle=last - 1, axis=last, bottom=bottom).splitlines()
        straight, several = _aligned(straight), _aligned(several)
    if several:
        straight = ["if count == 1:", *_indented(straight)]
        straight += ["elif count:", *_indented(several)]
    return lines + _indented(straight, printer.runs_on)


def _aligned(straight: list[str]) -> list[str]:
    """Return the loop of a run, with a part of its own before whole vectors."""
    if not straight:
        return []
    number = straight.index(BOUNDS)
    row, loop = straight[:number], straight[number + 1 :]
    write = next(line for line in loop if "write(" in line)
    start = write.partition(", ")[2].partition(" ")[0]
    return [*row, *ALIGNED.format(start=start).splitlines(), *_indented(loop)]


def _at_edges(printer: Loops, ranges: Sequence[Range]) -> list[str]:
    """Return the straight parts of rows at the ends of another axis, or nothing.

    Several results gain nothing by them, and take twice as long to compile.
    """
    lines: list[str] = []
    if len(printer.recording.results) > 1:
        return lines
    at = interior(len(ranges))
    for axis, (start, end) in enumerate(ranges[:-1]):
        others = [*ranges[:axis], Range(0, 0), *ranges[axis + 1 : -1]]
        for place in (*range(start), *range(LENGTH - end, LENGTH)):
            here = f"t{axis} == {printer.position(place, axis)}{inside(others, 'and')}"
            is_long = f"last - first >= {LEAST_AT_EDGES} and n{axis} > {start + end}"
            lines.append(f"elif {is_long} and {here}:")
            where = (*at[:axis], place, *at[axis + 1 :])
            lines += _indented(_straight(printer, Settling(where), [len(at) - 1]))
            if len(lines) > MOST_LINES_AT_EDGES:
                return []
    return lines


def _indented(lines: Sequence[str], times: int = 1) -> list[str]:
    return [Loops.INDENT * times + line for line in lines]


def _at_ends(printer: Loops, ends: Range) -> list[str]:
    """Return the points at both ends of a row in the interior, one by one.

    Nothing where a row is a part of an axis, or the lines are many.
    """
    last, tab = printer.last, Loops.INDENT
    lines: list[str] = []
    for place in (*range(ends.start), *range(LENGTH - ends.end, LENGTH)):
        settling = Settling((*interior(last), place))
        scope = Scope(tab, at=settling.at)
        scope.add(f"t{last} = {printer.position(place, last)}")
        target = ", ".join([f"t{axis}" for axis in range(last + 1)])
        for number, node in enumerate(printer.recording.results):
            value = printer.value(settling.settled(node), scope)
            scope.add(f"o{number}[{target}] = {value}")
        lines += scope.lines
    if not last or len(lines) > MOST_LINES_AT_ENDS:
        return []
    if printer.runs_on:
        row = f"t{last - 1}"
        loop = [f"{tab}for {row} in range({row}, turn):"] if lines else []
        lines = [*loop, *_indented(lines), f"{tab}{row} = turn"]
    return [*lines, f"{tab}continue"]


def _decorator(recording: Recording, dtypes: Sequence[str], layouts: str) -> list[str]:
    """Return the lines that tell Numba for which types to compile, and how."""
    count = len(recording.arrays)
    axes = [len(array.is_long) for array in recording.arrays]
    axes += [recording.ndim] * len(recording.results)
    numbers = [
        f"Array(numba.{dtype}, 1, 'C', readonly=False)"
        for dtype in ("float64", "complex128")
    ]
    arrays = []
    for number, known in enumerate(zip(dtypes, axes, layouts, strict=True)):
        dtype, ndim, layout = known
        inside = f"numba.{TYPES.get(dtype, dtype)}, {ndim}, {layout!r}"
        arrays.append(f"Array({inside}, readonly={number < count})")
    return [
        "@numba.njit(",
        "    numba.void(",
        "        numba.int64,",
        "        numba.int64,",
        *[f"        numba.types.{text}," for text in (*numbers, *arrays)],
        "    ),",
        f"    {KEPT},",
        "    nogil=True,",
        "    error_model='numpy',",
        ")",
    ]
