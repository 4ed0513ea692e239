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

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .._executors import printing
from .._executors.nodes import name_of, nodes_of
from .._executors.printing import (
    Language,
    Range,
    Scope,
    inside,
    interior,
    interiors,
    lengths_in,
    straight_nodes,
)

if TYPE_CHECKING:
    from .._executors.nodes import Index, Node, Place
    from .._executors.tape import Recording

#: What a kernel is called.
NAME = "anygrad_kernel"

#: Products and sums that are contracted are not rounded as on other devices.
OPTIONS = ("--fmad=false",)

#: What C++ calls the dtypes.
TYPES = {
    "bool": "bool",
    "int8": "signed char",
    "uint8": "unsigned char",
    "int16": "short",
    "uint16": "unsigned short",
    "int32": "int",
    "uint32": "unsigned int",
    "int64": "long long",
    "uint64": "unsigned long long",
    "float16": "__half",
    "float32": "float",
    "float64": "double",
    "complex64": "complex<float>",
    "complex128": "complex<double>",
}

#: How many bytes their elements have.
SIZES = {"bool": 1, "complex64": 8, "complex128": 16} | {
    f"{kind}{8 * size}": size
    for kind in ("int", "uint", "float")
    for size in (1, 2, 4, 8)
}

#: NVIDIA's header has more, takes long to compile, and must be found first.
HALF = """\
#ifdef __CUDACC__
struct __half { unsigned short bits; };
static __device__ __half __float2half(float value) {
  __half half;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half.bits) : "f"(value));
  return half;
}
static __device__ float __half2float(__half half) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(half.bits));
  return value;
}
#else
#include <cuda_fp16.h>
#endif"""

#: What must be said before for some of them.
HEADERS = {
    "float16": HALF,
    "complex64": "#include <cupy/complex.cuh>",
    "complex128": "#include <cupy/complex.cuh>",
}

#: What C++ has no literals for.
SPECIAL = {
    "float32": {
        "nan": "__int_as_float(0x7fc00000)",
        "inf": "__int_as_float(0x7f800000)",
        "-inf": "__int_as_float(0xff800000)",
    },
    "float64": {
        "nan": "__longlong_as_double(0x7ff8000000000000LL)",
        "inf": "__longlong_as_double(0x7ff0000000000000LL)",
        "-inf": "__longlong_as_double(0xfff0000000000000LL)",
    },
}

#: A memory access of a thread is that long at most.
ACCESS = 16

#: So many results a thread makes where they do not lie side by side.
APART = 4

#: Longer texts take more than half a second to compile.
MOST_LINES = 1600

#: Those of what flows back repeat in their edges what the interior has.  With 1,900
#: lines, of accuracy 4 on coordinates, NVIDIA's compiler takes 0.8 s, once; the other
#: way is one kernel for each operation, at every step of a training.
MOST_LINES_BACK = 2100

#: What is read for several rows is held in registers, of so many bytes.
MOST_BYTES_READ = 256

#: Texts that are printed once for several results have so many lines; longer ones would
#: hold all that they read in registers, of which there are not so many.
MOST_UNROLLED = 120

OPERATORS = {**printing.OPERATORS, "where": "{0} ? {1} : {2}"}


class Variant(NamedTuple):
    """What is printed in more than one way.

    Attributes
    ----------
    lanes : int
        How many results that lie side by side a thread makes; 1 where they do not.
    is_wide : bool
        Whether positions in memory have more than 32 bits.
    rows : int
        In how many rows that follow each other it makes them.
    """

    lanes: int
    is_wide: bool
    rows: int = 1

    @property
    def is_apart(self) -> bool:
        """Whether the results of a thread have a distance between them."""
        return self.lanes == 1

    @property
    def columns(self) -> int:
        """How many results of a row a thread makes."""
        return APART if self.is_apart else self.lanes

    def left(self, edge: Range) -> int:
        """Return how many points at the start of a row are none of the interior."""
        return (
            edge.start if self.is_apart else -(-edge.start // self.lanes) * self.lanes
        )


class Kernels(Language):
    """The words of C++.

    Attributes
    ----------
    windows : dict
        By what names a row that is read, the offsets along it.
    columns : dict
        The names of what is computed once for all rows of a thread.
    """

    def __init__(self, recording: Recording, variant: Variant) -> None:
        super().__init__(recording)
        self.lanes = variant.lanes
        self.windows: dict[tuple[int, str], set[int]] = {}
        self.columns: dict[Node, str] = {}

    def value(self, node: Node, scope: Scope) -> str:
        """Write all that a node needs, and return what names it."""
        if scope.row is None or not is_for_all_rows(node, self.last):
            return super().value(node, scope)
        return self.columns.setdefault(node, f"c{len(self.columns)}") + "[lane]"

    def constant(self, node: Node) -> str:
        """Return a number of the form in its dtype."""
        value, kind = node.detail, TYPES[node.dtype]
        if isinstance(value, float) and not math.isfinite(value):
            part = "float32" if node.dtype in ("float32", "complex64") else "float64"
            return f"({kind})({SPECIAL[part][str(value)]})"
        if isinstance(value, complex):
            return f"{kind}({value.real!r}, {value.imag!r})"
        return f"({kind})({value!r})"

    def number(self, node: Node) -> str:
        """Return a number of the call in the dtype that it takes."""
        kind, place = TYPES[node.dtype], node.detail
        if self.recording.is_complex[place]:
            part = kind.partition("<")[2].rstrip(">")
            return f"{kind}(({part})x{place}, ({part})y{place})"
        return f"({kind})x{place}"

    def load(self, node: Node, scope: Scope) -> str:
        """Return an element of an array, or of a row that is held in registers."""
        array, index = node.detail
        (*_, along) = [k for k in index if k.follows and k.axis == self.last] or [None]
        turns, at = lengths_in(along.at) if along else (0, 0)
        if scope.row is None or self.lanes == 1 or along is None or turns:
            return f"b{array}[{self.offset(array, index, None)}]"
        key = array, self.offset(array, index, along)
        self.windows.setdefault(key, set()).add(at)
        number = list(self.windows).index(key)
        return f"w{number}[lane + {at} - FIRST{number}]"

    def offset(self, array: int, index: Index, leave_out: Place | None) -> str:
        """Return how far from the start of an array an element of it is."""
        terms = []
        for own, place in enumerate(index):
            text = self.place(place)
            if place is leave_out or text == "0":
                continue
            side_by_side = place.follows and place.axis == self.last and self.lanes > 1
            terms.append(text if side_by_side else f"({text}) * s{array}_{own}")
        return " + ".join(terms) or "0"

    def operation(self, node: Node, operands: Sequence[str]) -> str:
        """Return what the verb of a node gives."""
        if node.verb == "astype":
            return self._converted(node, operands[0])
        if node.verb == "sign":
            (x,) = operands
            one = f"({TYPES[node.dtype]})1"
            # Zero and NaN are their own signs.
            return f"{x} > 0 ? {one} : {x} < 0 ? -{one} : {x}"
        return OPERATORS[node.verb].format(*operands)

    def _converted(self, node: Node, value: str) -> str:
        if node.dtype == "float16":
            return f"__float2half({value})"
        if node.operands[0].dtype == "float16":
            return f"({TYPES[node.dtype]})__half2float({value})"
        return f"({TYPES[node.dtype]}){value}"

    def assign(self, scope: Scope, dtype: str, name: str, value: str) -> None:
        """Write a declaration with a value."""
        scope.add(f"const {TYPES[dtype]} {name} = {value};")

    def choose(
        self, scope: Scope, node: Node, name: str, conditions: Sequence[str]
    ) -> None:
        """Write a declaration and a chain of conditions."""
        scope.add(f"{TYPES[node.dtype]} {name};")
        words = [f"if ({conditions[0]}) {{"]
        words += [f"}} else if ({condition}) {{" for condition in conditions[1:]]
        words.append("} else {")
        for word, operand in zip(words, node.operands, strict=True):
            scope.add(word)
            inner = scope.branch(self.INDENT)
            inner.add(f"{name} = {self.value(operand, inner)};")
        scope.add("}")


#: The whole of it.  Of the three counts of the grid, the first is along the last axis,
#: the second along the one before, and the third along all others.  The last of the
#: first ones is that of the ends of rows.
TEXT = """\
{headers}
typedef {position} position;
template <class T, int N>
struct alignas(sizeof(T) * N < {access} ? sizeof(T) * N : {access}) pack {{ T v[N]; }};

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


def text_of(recording: Recording, variant: Variant) -> str | None:
    """Return the text of a kernel; None if it would be too long, or has no dtype."""
    dtypes = recording.dtypes
    if not TYPES.keys() >= set(dtypes):
        return None
    printer = Kernels(recording, variant)
    last, lanes, tab = printer.last, variant.lanes, Kernels.INDENT
    at = interior(recording.ndim)
    row = Scope(tab, at=at)
    straight = Scope(tab * 2, row, at=at)
    general = Scope(tab)
    stores = []
    for number, node in enumerate(recording.results):
        place = _place_of_result(number, last, lanes)
        value = printer.value(node, straight)
        if lanes > 1:
            kind = f"pack<{TYPES[node.dtype]}, {lanes}>"
            row.lines.insert(0, f"{tab}{kind} p{number};")
            straight.add(f"p{number}.v[lane] = {value};")
            start = place.replace(f"t{last}", "first")
            stores.append(f"{tab}*({kind}*)(o{number} + ({start})) = p{number};")
        else:
            straight.add(f"o{number}[{place}] = {value};")
        general.add(f"o{number}[{place}] = {printer.value(node, general)};")
    lines = len(row.lines) + len(straight.lines) + len(general.lines)
    if lines > (MOST_LINES_BACK if recording.is_transposed else MOST_LINES):
        return None
    ranges = interiors(recording.results, recording.ndim)
    words = {
        "columns": variant.columns,
        "last": last,
        "lane": "lane * (position)blockDim.x" if variant.is_apart else "lane",
    }
    return TEXT.format(
        **words,
        name=NAME,
        headers="\n".join(sorted({HEADERS[d] for d in dtypes if d in HEADERS})),
        position="long long" if variant.is_wide else "int",
        access=ACCESS,
        parameters=",\n".join(_parameters(recording)),
        left=variant.left(ranges[last]),
        side_by_side="" if variant.is_apart else f" * {lanes}",
        for_all_rows=_for_all_rows(printer, words),
        rows="\n".join(_loops(last, variant.rows)),
        conditions=_conditions(ranges, variant.rows),
        turns=variant.rows,
        row=last - 1 if last else "_",
        straight_rows="\n".join([*row.lines, *_windows(printer, recording)]),
        unrolled="" if lanes > 1 or lines <= MOST_UNROLLED else 1,
        straight="\n".join(straight.lines),
        stores="\n".join(stores),
        general="\n".join(general.lines),
        ends="}" * min(last, 2),
    )


def is_for_all_rows(node: Node, last: int) -> bool:
    """Tell whether a node is the same in each row, and takes long to compute."""
    if node.axes != {last} or last == 0:
        return False
    return any(operand.verb == "divide" for operand in nodes_of([node]))


def _for_all_rows(printer: Kernels, words: dict[str, Any]) -> str:
    """Return what is computed before the loops over rows."""
    if not printer.columns:
        return ""
    scope = Scope(Kernels.INDENT, at=interior(printer.recording.ndim))
    for node, name in printer.columns.items():
        scope.add(f"{name}[lane] = {printer.value(node, scope)};")
    names = [
        f"{TYPES[node.dtype]} {name}[{words['columns']}];"
        for node, name in printer.columns.items()
    ]
    return FOR_ALL_ROWS.format(
        **words, names="\n".join(names), lines="\n".join(scope.lines)
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


def rows_of(recording: Recording, lanes: int) -> int:
    """Return how many rows share their loads, as far as there are registers."""
    last = recording.ndim - 1
    read: dict[Any, set[int]] = {}
    for node in straight_nodes(recording.results, recording.ndim):
        if node.verb == "load" and {last - 1, last} <= node.axes:
            array, index = node.detail
            others = [p for p in index if not p.follows or p.axis < last - 1]
            at = {place.axis: place.at for place in index if place.follows}
            read.setdefault((array, tuple(others)), set()).add(at[last - 1])
    if all(len(rows) == 1 for rows in read.values()):
        return 1
    item = max(SIZES[name] for name in recording.dtypes)
    for rows in (4, 2):
        used = sum(max(at) - min(at) + rows for at in read.values())
        if used * lanes * item <= MOST_BYTES_READ:
            return rows
    return 1


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


def _windows(printer: Kernels, recording: Recording) -> Iterator[str]:
    """Return how rows are read into registers, 16 bytes at once where all are used."""
    lanes, tab = printer.lanes, Kernels.INDENT
    for number, ((array, others), offsets) in enumerate(printer.windows.items()):
        kind = TYPES[name_of(recording.arrays[array].dtype)]
        used = sorted({at + lane for at in offsets for lane in range(lanes)})
        low, row = used[0], f"r{number}"
        yield f"{tab}const int FIRST{number} = {low};"
        yield f"{tab}const {kind}* {row} = b{array} + ({others} + first);"
        yield f"{tab}{kind} w{number}[{used[-1] - low + 1}];"
        for start in sorted({at // lanes * lanes for at in used}):
            inside = [at for at in range(start, start + lanes) if at in used]
            if len(inside) == lanes:
                pack = f"pack<{kind}, {lanes}>"
                yield f"{tab}{{ const {pack} p = *(const {pack}*)({row} + {start});"
                yield f"{tab}#pragma unroll"
                yield f"{tab}for (int k = 0; k < {lanes}; ++k)"
                yield f"{tab}  w{number}[{start - low} + k] = p.v[k]; }}"
            else:
                yield from [
                    f"{tab}w{number}[{at - low}] = {row}[{at}];" for at in inside
                ]
