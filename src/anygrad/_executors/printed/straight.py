"""The straight parts of rows, where it is known which formulas they have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..recorded.nodes import LENGTH, Place, Range, interior
from .numba_language import WRITE, Loops
from .printing import Scope
from .settled import Settling

if TYPE_CHECKING:
    from ..recorded.nodes import Node

#: The loop over its straight part, which may be that of several, and its bounds.
BOUNDS = "low, high = uint64(0), uint64({})"
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

#: Ends of rows that have more lines are left to the general loop, as are rows at the
#: ends of other axes.
MOST_LINES_AT_ENDS = 220


def loop(
    printer: Loops, settling: Settling, along: Iterable[int], count: int = 1
) -> list[str]:
    """Return the loop along some axes, for a position whose choices it has.

    For so many positions along the first axis.
    """
    printer.rows = {}
    printer.within = frozenset(along)
    here = [settling.settled(node) for node in printer.recording.results]
    others = [Place(axis, True, 0) for axis in range(1, printer.last + 1)]
    targets = {}
    for k in range(count):
        place = Place(0, True, k), *others
        for number, node in enumerate(here):
            target = printer.in_row(f"o{number}", place, WRITE)
            targets[target] = settling.further(node, k)
    length = "length" if len(printer.within) > 1 else "last - first"
    return _written(printer, settling.at, targets, length, settling)


def reads(lines: Sequence[str]) -> int:
    """Return how many elements a loop reads at a point, each once."""
    return len({*re.findall(r"read\(.*?\)", "\n".join(lines))})


def _written(
    printer: Loops,
    at: tuple[int, ...],
    targets: dict[str, Node],
    length: str,
    settling: Settling | None = None,
) -> list[str]:
    """Return the lines before a loop, and the loop, which writes to its targets."""
    row = Scope("", at=at)

    def body(nodes: Sequence[Node], indent: int = 1) -> list[str]:
        scope = Scope(Loops.INDENT * indent, row, at=at)
        for target, node in zip(targets, nodes, strict=True):
            scope.add(target.format(printer.value(node, scope)))
        return scope.lines

    nodes = list(targets.values())
    conditions, usual = settling.first_choices(nodes) if settling else ([], nodes)
    if conditions:
        scope = Scope(Loops.INDENT * 2, row, at=at)
        names = [printer.value(condition, scope) for condition in conditions]
        scope.add(f"fits &= {' & '.join(names)}")
        text = IN_CHUNKS.format(
            chunk=CHUNK,
            twice=2 * CHUNK,
            fits="\n".join(scope.lines),
            usual="\n".join(body(usual, 3)),
            points="\n".join(body(nodes, 3)),
        )
        loop = text.splitlines()
    else:
        loop = [LOOP, *body(nodes)]
    row.lines += [f"{name} = {text}" for text, name in printer.rows.items()]
    return [*row.lines, BOUNDS.format(length), *loop]


def tables(printer: Loops, ends: Range) -> list[str]:
    """Return what is computed once for all rows."""
    tables, printer.tables, last = printer.tables, None, printer.last
    if not tables:
        return []
    printer.rows = {}
    targets = {f"{name}[u] = {{}}": node for node, name in tables.items()}
    loop = _written(printer, interior(last + 1), targets, "last - first")
    empty = [
        f"{name} = empty(last - first, {node.dtype})" for node, name in tables.items()
    ]
    first = f"first, last = {ends.start}, max({ends.start}, n{last} - {ends.end})"
    return [first, *empty, *loop]


def add_point(
    printer: Loops, scope: Scope, nodes: Sequence[Node], of: Settling | None = None
) -> None:
    """Write what makes the results at one point.

    With the settling that they come from, they take the first formulas without a
    choice, if these fit.
    """
    if of is not None:
        conditions, usual = of.first_choices(nodes)
        names = [printer.value(condition, scope) for condition in conditions]
        scope.add(f"if {' & '.join(names)}:")
        add_point(printer, scope.branch(Loops.INDENT), usual)
        scope.add("else:")
        scope = scope.branch(Loops.INDENT)
    target = ", ".join([f"t{axis}" for axis in range(printer.last + 1)])
    for number, node in enumerate(nodes):
        scope.add(f"o{number}[{target}] = {printer.value(node, scope)}")


def at_ends(printer: Loops, ends: Range) -> list[str]:
    """Return the points at both ends of a row in the interior, one by one.

    Nothing where a row is a part of an axis, or the lines are many.
    """
    last, tab = printer.last, Loops.INDENT
    lines: list[str] = []
    for place in (*range(ends.start), *range(LENGTH - ends.end, LENGTH)):
        settling = Settling((*interior(last), place))
        scope = Scope(tab, at=settling.at)
        scope.add(f"t{last} = {printer.position(place, last)}")
        here = [settling.settled(node) for node in printer.recording.results]
        add_point(printer, scope, here)
        lines += scope.lines
    if not last or len(lines) > MOST_LINES_AT_ENDS:
        return []
    if printer.runs_on:
        row = f"t{last - 1}"
        loop = [f"{tab}for {row} in range({row}, turn):"] if lines else []
        lines = [*loop, *indented(lines), f"{tab}{row} = turn"]
    return [*lines, f"{tab}continue"]


def indented(lines: Sequence[str], times: int = 1) -> list[str]:
    return [Loops.INDENT * times + line for line in lines]
