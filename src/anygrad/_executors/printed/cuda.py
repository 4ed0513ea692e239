"""A recording as a kernel in CUDA C++.

Each thread makes some results that lie side by side in memory, with loads and stores of
16 bytes, where the memory allows; where it does not, as many with a distance between
them, so that neighbouring threads read neighbouring samples.  A formula that reads
several rows is played for several rows at once, which share their loads.

The ends of rows have blocks of their own, whose threads take one point each: a thread
of a whole row that went another way than the rest of its warp would have all wait.
Rows are counted by the grid, which takes no division.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..recorded.nodes import Range, TooLong, interior, interiors, name_of
from .cuda_language import HEADERS, TYPES, Kernels
from .printing import Scope, inside
from .variants import ACCESS

if TYPE_CHECKING:
    from ..recorded.tape import Recording
    from .variants import Variant

#: What a kernel is called.
NAME = "anygrad_kernel"

#: Products and sums that are contracted are not rounded as on other devices.
OPTIONS = ("--fmad=false",)

#: Longer texts take more than half a second to compile, and are cut if they can be.
MOST_LINES = 1600

#: One derivative cannot.  With 4,300 lines, of order 2 and accuracy 8 on coordinates,
#: NVIDIA's compiler takes two seconds, once; the other way is 3,500 kernels, one for
#: each operation, at every call.
MOST_LINES_ALONE = 5400

#: Texts that are printed once for several results have so many lines; longer ones would
#: hold all that they read in registers, of which there are not so many.
MOST_UNROLLED = 120


#: So many operands a statement in assembly has, and what they are called there.
MOST_ASKED = 16
CONSTRAINTS = {"float32": "f", "float64": "d"}

#: The whole of it.  Of the three counts of the grid, the first is along the last axis,
#: the second along the one before, and the third along all others.  The last of the
#: first ones is that of the ends of rows.
TEXT = """\
{headers}
typedef {position} position;
template <class T, int N>
struct alignas(sizeof(T) * N < {access} ? sizeof(T) * N : {access}) pack {{ T v[N]; }};
template <class T>
static __device__ __noinline__ T quotient(T a, T b) {{ return a / b; }}

extern "C" __global__ void {name}(
{parameters}
) {{
const position block = (position)blockIdx.x * blockDim.x * {columns};
const bool at_ends = block >= inner;
const position first = {left} + block + (position)threadIdx.x{side_by_side};
if (!at_ends && first >= {left} + inner) return;
{for_all_rows}
{rows}
if (!at_ends{conditions}) {{
{reads}
  #pragma unroll
  for (int turn = 0; turn < {turns}; ++turn) {{
    const position t{row} = row + turn;
{straight_rows}
    #pragma unroll {unrolled}
    for (int lane = 0; lane < {columns}; ++lane) {{
      const position t{last} = first + {lane};
{straight}
    }}
{stores}
  }}
}} else {{
  const position each = at_ends ? n{last} - inner : {columns};
  const position points = each * (at_ends ? blockDim.y * {turns} : {turns});
  #pragma unroll 1
  for (position point = at_ends ? threadIdx.y * blockDim.x + threadIdx.x : 0;
       point < points; point += at_ends ? blockDim.x * blockDim.y : 1) {{
    const position turn = point / each, lane = point - turn * each;
    const position t{row} = row + turn;
    if (t{row} >= n{row}) break;
    const position t{last} =
        at_ends ? lane + (lane < {left} ? 0 : inner) : first + {lane};
{general}
  }}
}}
{ends}
}}
"""

#: What a thread reads of all its rows, before anything is computed: a division may take
#: another way where a number is unusual, and no load is moved across such a branch, so
#: that each would have to wait for memory.  Likewise, what is read of a point, or for a
#: row, stands before what is computed of it.
READS = """\
{names}
  #pragma unroll
  for (int turn = 0; turn < {turns}; ++turn) {{
    const position t{row} = row + turn;
{lines}
  }}"""

#: What is the same in all rows.
FOR_ALL_ROWS = """\
{names}
if (!at_ends) {{
  #pragma unroll
  for (int lane = 0; lane < {columns}; ++lane) {{
    const position t{last} = first + {lane};
{lines}
  }}
}}"""


def text_of(
    recording: Recording, variant: Variant, most_lines: int = MOST_LINES_ALONE
) -> str | None:
    """Return the text of a kernel; None for dtypes that CUDA does not have.

    Raises `TooLong` where it has more lines.
    """
    dtypes = recording.dtypes
    if not TYPES.keys() >= set(dtypes):
        return None
    printer = Kernels(recording, variant.lanes)
    printer.most_lines = most_lines
    last, lanes = printer.last, variant.lanes
    body = _body(printer)
    words = {
        "columns": variant.columns,
        "last": last,
        "lane": "lane * (position)blockDim.x" if variant.is_apart else "lane",
    }
    for_all_rows = _for_all_rows(printer, words)
    lines = len(body.rows) + len(body.straight) + len(body.general)
    if lines + for_all_rows.count("\n") > most_lines:
        raise TooLong
    ranges = interiors(recording.results, recording.ndim)
    words |= {"turns": variant.rows, "row": last - 1 if last else "_"}
    return TEXT.format(
        **words,
        name=NAME,
        headers="\n".join(sorted({HEADERS[d] for d in dtypes if d in HEADERS})),
        position="long long" if variant.is_wide else "int",
        access=ACCESS,
        parameters=",\n".join(_parameters(recording)),
        left=variant.left(ranges[last]),
        side_by_side="" if variant.is_apart else f" * {lanes}",
        for_all_rows=for_all_rows,
        rows="\n".join(_loops(last, variant.rows)),
        conditions=_conditions(ranges, variant.rows),
        reads=_reads(printer, words),
        straight_rows="\n".join(body.rows),
        unrolled="" if lanes > 1 or lines <= MOST_UNROLLED else 1,
        straight="\n".join(body.straight),
        stores="\n".join(body.stores),
        general="\n".join(body.general),
        ends="}" * min(last, 2),
    )


class Body(NamedTuple):
    """The lines of a kernel that make its results."""

    #: What is computed once for all results of a row, in the interior.
    rows: list[str]
    #: A result in the interior.
    straight: list[str]
    #: The stores of all results of a row, where they are one access.
    stores: list[str]
    #: A result anywhere.
    general: list[str]


def _body(printer: Kernels) -> Body:
    recording, last, lanes = printer.recording, printer.last, printer.lanes
    tab, at = Kernels.INDENT, interior(recording.ndim)
    row = Scope(tab, at=at, reads_first=True)
    straight = Scope(tab * 2, row, at=at, reads_first=lanes == 1)
    general = Scope(tab)
    stores = []
    for number, node in enumerate(recording.results):
        place = _place_of_result(number, last, lanes)
        value = printer.value(node, straight)
        if lanes > 1:
            kind = f"pack<{TYPES[node.dtype]}, {lanes}>"
            row.reads.insert(0, f"{tab}{kind} p{number};")
            straight.add(f"p{number}.v[lane] = {value};")
            start = place.replace(f"t{last}", "first")
            stores.append(f"{tab}*({kind}*)(o{number} + ({start})) = p{number};")
        else:
            straight.add(f"o{number}[{place}] = {value};")
        general.add(f"o{number}[{place}] = {printer.value(node, general)};")
    if lanes == 1:
        straight.lines[:0] = [*straight.reads, *_held(straight)]
    return Body([*row.reads, *row.lines], straight.lines, stores, general.lines)


def _held(scope: Scope) -> list[str]:
    """Return what asks for all that has been read, where something is divided.

    NVIDIA's compiler would put each load behind the division before its first use.
    """
    if not any(node.verb == "divide" for node in scope.names):
        return []
    found = [
        f'"{CONSTRAINTS[node.dtype]}"({name})'
        for node, name in scope.names.items()
        if node.verb == "load" and node.dtype in CONSTRAINTS
    ]
    parts = [found[k : k + MOST_ASKED] for k in range(0, len(found), MOST_ASKED)]
    asked = [f'{scope.indent}asm volatile("" :: {", ".join(p)});' for p in parts]
    return ["#ifdef __CUDACC__", *asked, "#endif"] if asked else []


def _reads(printer: Kernels, words: dict[str, Any]) -> str:
    """Return what reads rows into registers."""
    if not printer.windows:
        return ""
    names = "\n".join(printer.names_of_rows(words["turns"]))
    return READS.format(**words, names=names, lines="\n".join(printer.rows_read()))


def _for_all_rows(printer: Kernels, words: dict[str, Any]) -> str:
    """Return what is computed before the loops over rows."""
    if not printer.tables:
        return ""
    at = interior(printer.recording.ndim)
    scope = Scope(Kernels.INDENT, at=at, reads_first=True)
    for node, name in printer.tables.items():
        scope.add(f"{name}[lane] = {printer.value(node, scope)};")
    names = [
        f"{TYPES[node.dtype]} {name}[{words['columns']}];"
        for node, name in printer.tables.items()
    ]
    return FOR_ALL_ROWS.format(
        **words,
        names="\n".join(names),
        lines="\n".join([*scope.reads, *scope.lines]),
    )


def _conditions(ranges: Sequence[Range], rows: int) -> str:
    """Return the conditions under which rows are in the interior."""
    *_, row, _ = [Range(0, 0), *ranges]
    text = inside(ranges[:-2], "&&")
    if row.start:
        text += f" && row >= {row.start}"
    if row.end or rows > 1:
        text += f" && row + {rows} <= n{len(ranges) - 2} - {row.end}"
    return text


def _place_of_result(number: int, last: int, lanes: int) -> str:
    terms = [f"t{axis} * r{number}_{axis}" for axis in range(last)]
    along = f"t{last}" if lanes > 1 else f"t{last} * r{number}_{last}"
    return " + ".join([*terms, along])


def _parameters(recording: Recording) -> Iterator[str]:
    """Return what a kernel is given: arrays with strides, lengths, numbers."""
    for number, array in enumerate(recording.arrays):
        yield f"  const {TYPES[name_of(array.dtype)]}* __restrict__ b{number}"
        for axis in range(len(array.is_long)):
            yield f"  const position s{number}_{axis}"
    for number, node in enumerate(recording.results):
        yield f"  {TYPES[node.dtype]}* __restrict__ o{number}"
        for axis in range(recording.ndim):
            yield f"  const position r{number}_{axis}"
    for axis in range(recording.ndim):
        yield f"  const position n{axis}"
    yield "  const position inner"
    for number, is_complex in enumerate(recording.is_complex):
        yield f"  const double x{number}"
        if is_complex:
            yield f"  const double y{number}"


def _loops(last: int, rows: int) -> Iterator[str]:
    """Return the loops over the rows, as far as the grid does not have them."""
    if last == 0:
        yield "const position row = 0, n_ = 1;"
    if last > 1:
        others = " * ".join([f"n{axis}" for axis in range(last - 1)])
        yield f"for (position rest = blockIdx.z; rest < {others}; rest += gridDim.z) {{"
        left = "rest"
        for axis in reversed(range(1, last - 1)):
            yield f"const position q{axis} = {left} / n{axis};"
            yield f"const position t{axis} = {left} - q{axis} * n{axis};"
            left = f"q{axis}"
        yield f"const position t0 = {left};"
    if last > 0:
        yield (
            f"for (position row = ((position)blockIdx.y * blockDim.y + "
            f"(at_ends ? 0 : threadIdx.y)) * {rows}; "
            f"row < n{last - 1}; row += (position)gridDim.y * blockDim.y * {rows}) {{"
        )
