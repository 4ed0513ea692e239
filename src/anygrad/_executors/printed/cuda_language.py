"""The words of CUDA C++."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..recorded.nodes import name_of
from . import printing
from .printing import Language, Scope, lengths_in

if TYPE_CHECKING:
    from ..recorded.nodes import Index, Node, Place
    from ..recorded.tape import Recording

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
    "bfloat16": "bfloat16",
    "float32": "float",
    "float64": "double",
    "complex64": "complex<float>",
    "complex128": "complex<double>",
}

#: How many bytes their elements have: all but one say it in bits.
SIZES = {name: int("".join(filter(str.isdigit, name)) or 8) // 8 for name in TYPES}

#: NVIDIA's header has more, takes long to compile, and must be found first.
HALF = """\
#ifdef __CUDACC__
struct __half { unsigned short bits; };
static __device__ __half __float2half(float value) {
  __half half;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half.bits) : "f"(value));
  return half;
}
static __device__ __half __double2half(double value) {
  __half half;
  asm("cvt.rn.f16.f64 %0, %1;" : "=h"(half.bits) : "d"(value));
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

#: The upper half of a number of 32 bits, rounded to even; NaN would become infinite.
#: Later cards have an instruction for it.
BFLOAT16 = """\
struct bfloat16 { unsigned short bits; };
static __device__ bfloat16 as_bfloat16(float value) {
  bfloat16 half;
#if defined(__CUDACC__) && __CUDA_ARCH__ >= 800
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(half.bits) : "f"(value));
#else
  const unsigned bits = __float_as_int(value);
  half.bits = value != value ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
#endif
  return half;
}
static __device__ float as_float(bfloat16 half) {
  return __int_as_float((unsigned)half.bits << 16);
}"""

#: What must be said before for some of them.
HEADERS = {
    "float16": HALF,
    "bfloat16": BFLOAT16,
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

OPERATORS = {**printing.OPERATORS, "abs": "fabs({})", "where": "{0} ? {1} : {2}"}


class Kernels(Language):
    """The words of C++."""

    TABLE, IN_TABLE = "c{}", "{}[lane]"
    IF, ELSE_IF, ELSE, SET = "if ({}) {{", "}} else if ({}) {{", "} else {", "{} = {};"
    ASSIGN, KINDS = "const {kind} {name} = {value};", TYPES

    def __init__(self, recording: Recording, lanes: int) -> None:
        super().__init__(recording)
        #: How many results that lie side by side a thread makes; 1 where they do not.
        self.lanes = lanes
        #: The offsets at which a row is read, by what names it.
        self.windows: dict[tuple[int, str], set[int]] = {}

    def constant(self, node: Node) -> str:
        """Return a number of the form in its dtype."""
        value, kind = node.detail, TYPES[node.dtype]
        if isinstance(value, float) and not math.isfinite(value):
            part = "float32" if node.dtype in ("float32", "complex64") else "float64"
            return f"({kind})({SPECIAL[part][str(value)]})"
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
        return f"w{number}[turn][lane + {at} - FIRST{number}]"

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

    def operation(self, node: Node, operands: Sequence[str], scope: Scope) -> str:
        """Return what the verb of a node gives."""
        if node.verb == "astype":
            return self._converted(node, operands[0])
        if node.verb == "divide" and scope.at is None:
            # In line, it is ten operations and more: few points need them, and the
            # compiler would be busy with nothing else.
            return f"quotient({', '.join(operands)})"
        return OPERATORS[node.verb].format(*operands)

    def _converted(self, node: Node, value: str) -> str:
        kind, before = TYPES[node.dtype], node.operands[0].dtype
        if node.dtype == "float16":  # rounded once
            return f"__{TYPES[before]}2half({value})"
        if node.dtype == "bfloat16":  # as torch does
            return f"as_bfloat16((float){value})"
        if before == "float16":
            return f"({kind})__half2float({value})"
        if before == "bfloat16":
            return f"({kind})as_float({value})"
        return f"({kind}){value}"

    def choose(
        self, scope: Scope, node: Node, name: str, conditions: Sequence[str]
    ) -> None:
        """Write a declaration and a chain of conditions."""
        scope.add(f"{TYPES[node.dtype]} {name};")
        super().choose(scope, node, name, conditions)
        scope.add("}")

    def names_of_rows(self, turns: int) -> Iterator[str]:
        """Return what stands for the rows that are read, in all turns of a thread."""
        tab = self.INDENT[2:]
        for number, (array, _) in enumerate(self.windows):
            first, *_, last = self._used(number)
            yield f"{tab}const int FIRST{number} = {first};"
            yield f"{tab}{self._kind(array)} w{number}[{turns}][{last - first + 1}];"

    def rows_read(self) -> Iterator[str]:
        """Return how rows are read into registers, at once where all is used."""
        lanes, tab = self.lanes, self.INDENT
        for number, (array, others) in enumerate(self.windows):
            kind, used = self._kind(array), self._used(number)
            row, held = f"r{number}", f"w{number}[turn]"
            yield f"{tab}const {kind}* {row} = b{array} + ({others} + first);"
            for start in sorted({at // lanes * lanes for at in used}):
                inside = [at for at in range(start, start + lanes) if at in used]
                if len(inside) == lanes:
                    pack = f"pack<{kind}, {lanes}>"
                    yield f"{tab}{{ const {pack} p = *(const {pack}*)({row} + {start});"
                    yield f"{tab}#pragma unroll"
                    yield f"{tab}for (int k = 0; k < {lanes}; ++k)"
                    yield f"{tab}  {held}[{start - used[0]} + k] = p.v[k]; }}"
                else:
                    yield from [
                        f"{tab}{held}[{at - used[0]}] = {row}[{at}];" for at in inside
                    ]

    def _kind(self, array: int) -> str:
        return TYPES[name_of(self.recording.arrays[array].dtype)]

    def _used(self, number: int) -> list[int]:
        """Return what is read of a row, as distances from the first of its points."""
        offsets = list(self.windows.values())[number]
        return sorted({at + lane for at in offsets for lane in range(self.lanes)})
