"""Calls at random, valid and not, on every form of every library: `nox -s fuzz`.

Each call ends in the exact value, or in an error that names a parameter; never in
another error, a warning, a changed argument or a crash.  A call is made from the seed,
the form and its number alone, so what is printed of a finding is enough to repeat it:

    python tests/fuzz.py --seed 7 --form torch --only 1234
"""

from __future__ import annotations

import argparse
import faulthandler
import itertools
import math
import os
import random
import re
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

import anygrad
import oracle
from anygrad import _workers
from backends import (
    BACKENDS,
    COMPLEX,
    FORMATS,
    LIBRARIES,
    REAL_OF,
    Backend,
    is_installed,
)

#: How every message begins: with the parameter that is wrong.
CLEAR = re.compile(r"^`(input|spacing|dim|axis|edge_order)(\[\d+\])?`")
#: What NumPy says where a result leaves the range of its dtype, or a sample is none.
ARITHMETIC = r"(overflow|underflow|invalid value|divide by zero) encountered"
#: After so many seconds a call hangs, and the process ends with a traceback.
TOO_LONG = 120


class Finding(Exception):  # noqa: N818 - it is no error of the caller
    """A call that broke a promise."""


class Entry(NamedTuple):
    """What one dim is given, as the array or number that is passed."""

    kind: str
    value: Any
    dtype: str | None


class Call(NamedTuple):
    """A valid call: its samples, and what is passed along with them."""

    f: Any
    dims: list[int]
    entries: list[Entry]
    edge_order: int
    keywords: dict[str, Any]


# Numbers.


def number(rng: random.Random, dtype: str, scale: float) -> Any:
    """Return a number of about the size of `scale` that a dtype can hold or round."""
    if "int" in dtype:
        bits = int(dtype.removeprefix("u").removeprefix("int"))
        least, most = (
            (0, 2**bits - 1)
            if dtype.startswith("u")
            else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        )
        if rng.random() < 0.2:
            return rng.choice([least, most, least + 1, most - 1])
        return max(least, min(most, rng.randint(-100, 100)))
    if dtype in COMPLEX:
        real = REAL_OF[dtype]
        return complex(number(rng, real, scale), number(rng, real, scale))
    value = rng.choice([rng.uniform(-1, 1), rng.randint(-8, 8) / 8, rng.gauss(0, 1)])
    return value * scale


def scale_for(rng: random.Random, *dtypes: str) -> float:
    """Return a power of two that leaves a margin to the ends of all the dtypes."""
    reals = [REAL_OF.get(name, name) for name in dtypes]
    reach = min(-FORMATS.get(name, (53, -1022))[1] for name in reals)
    reach = reach // 3 if rng.random() < 0.3 else min(3, reach // 4)
    return 2.0 ** rng.randint(-reach, reach)


def coordinates(rng: random.Random, n: int, dtype: str, scale: float) -> list[Any]:
    """Return coordinates in one direction, with steps of very different lengths."""
    uneven = rng.choice([0, 1, 3])
    steps = [rng.uniform(1, 3) * 10 ** rng.uniform(0, uneven) for _ in range(n)]
    x: list[Any] = list(itertools.accumulate(steps))
    if "int" in dtype:
        bits = int(dtype.removeprefix("u").removeprefix("int"))
        longest = 9 if n < 12 else 1
        x = list(itertools.accumulate(rng.randint(1, longest) for _ in range(n)))
        start = rng.choice([0, 2 ** (bits - 1) - 1 - x[-1] if x else 0])
        x = [a + start for a in x]
        scale = 1
    if rng.random() < 0.5:
        x.reverse()
    if dtype in COMPLEX:
        turn = complex(1, rng.uniform(-1, 1))
        return [complex(a) * turn * scale for a in x]
    return [a * scale for a in x]


# Valid calls.


def lengths(rng: random.Random, backend: Backend) -> tuple[int, ...]:
    if rng.random() < 0.1:
        return (rng.randint(20, 90),)
    count = rng.choice([1, 1, 1, 2, 2, 2, 3, 4]) if rng.random() < 0.95 else 0
    most = {0: 9, 1: 9, 2: 6, 3: 4, 4: 3}[count]
    # What is compiled for every shape is asked for few shapes.
    if backend.library == "jax":
        return tuple(rng.choice([2, 3, 5]) for _ in range(min(count, 2)))
    return tuple(
        rng.randint(0 if rng.random() < 0.02 else 2, most) for _ in range(count)
    )


def valid_call(rng: random.Random, backend: Backend) -> Call:
    shape = lengths(rng, backend)
    edge_order = rng.choice([1, 1, 2])
    long_enough = [k for k, n in enumerate(shape) if n > edge_order]
    dims = rng.sample(
        long_enough,
        rng.randint(int(rng.random() > 0.05 and len(shape) > 0), len(shape))
        if len(long_enough) == len(shape)
        else len(long_enough),
    )
    dtype = rng.choice(backend.dtypes)
    scale = scale_for(rng, dtype)
    samples = oracle.build(shape, lambda _: number(rng, dtype, scale))
    if rng.random() < 0.1 and dtype in FORMATS:
        bad = rng.choice([math.nan, math.inf, -math.inf])
        samples = oracle.build(
            shape,
            lambda i: bad if rng.random() < 0.1 else oracle.at(samples, i),
        )
    f = backend.asarray(samples, dtype, shape)
    one_for_all = rng.random() < 0.3
    count = min(1, len(dims)) if one_for_all else len(dims)
    entries = [entry(rng, backend, dtype, shape, dim) for dim in dims[:count]]
    if one_for_all and entries:
        entries = [entries[0] if entries[0].kind == "step" else unit()] * len(dims)
    keywords = spelled(rng, shape, dims, entries, edge_order, one_for_all)
    return Call(f, dims, entries, edge_order, keywords)


def unit() -> Entry:
    return Entry("step", 1, None)


def entry(
    rng: random.Random, backend: Backend, of: str, shape: Sequence[int], dim: int
) -> Entry:
    kind = rng.choice(["step", "step", "coordinates", "per point"])
    dtype = rng.choice([of if of in FORMATS else backend.real, *backend.dtypes])
    scale = scale_for(rng, of, dtype)
    if kind == "step":
        if rng.random() < 0.6:
            size = rng.choice([scale, -scale, scale * rng.uniform(1, 2)])
            whole = rng.choice([1, 2, -3, 7])
            exact = Fraction(whole, rng.choice([1, 2, 4]))
            value = rng.choice([size, size, whole, exact, whole * 1j, 1 + size * 1j])
            return Entry(kind, value, None)
        value = rng.randint(1, 100)
        if "int" not in dtype:
            value *= rng.choice([1, -1]) * scale / 8
        if dtype in COMPLEX:
            value *= complex(1, rng.uniform(-1, 1))
        return Entry(kind, backend.asarray(value, dtype), dtype)
    x = coordinates(rng, shape[dim], dtype, scale)
    if kind == "coordinates" or 0 in shape:
        return Entry("coordinates", backend.asarray(x, dtype), dtype)
    full = tuple(
        n if k == dim or rng.random() < 0.5 else 1 for k, n in enumerate(shape)
    )
    values = oracle.build(full, lambda index: x[index[dim]])
    return Entry(kind, backend.asarray(values, dtype, full), dtype)


def spelled(
    rng: random.Random,
    shape: Sequence[int],
    dims: list[int],
    entries: list[Entry],
    edge_order: int,
    one_for_all: bool,
) -> dict[str, Any]:
    """Return the keywords, in one of the ways to write them."""
    keywords: dict[str, Any] = {}
    signed = [d - len(shape) if rng.random() < 0.3 else d for d in dims]
    word = rng.choice(["dim", "dim", "axis"])
    keywords[word] = signed[0] if len(dims) == 1 and rng.random() < 0.5 else signed
    if dims == list(range(len(shape))) and rng.random() < 0.5:
        del keywords[word]
    if edge_order == 2 or rng.random() < 0.5:
        keywords["edge_order"] = edge_order
    if one_for_all and entries:
        keywords["spacing"] = entries[0].value
    elif not one_for_all:
        keywords["spacing"] = rng.choice([list, tuple])(e.value for e in entries)
    return keywords


# Their answers.


def promoted(first: str, second: str) -> str:
    """Return the dtype of both, by the rules of the standard."""
    if first == second:
        return first
    parts = {REAL_OF.get(first, first), REAL_OF.get(second, second)}
    real = "float64" if "float64" in parts else "float32"
    if parts == {"float16"}:
        real = "float16"
    is_complex = first in COMPLEX or second in COMPLEX
    return (
        {"float32": "complex64", "float64": "complex128"}[real]
        if is_complex
        else (real)
    )


def result_dtype(backend: Backend, samples: str, entry: Entry) -> str:
    dtype = backend.default if "int" in samples else samples
    if entry.kind == "step":
        complex_step = isinstance(entry.value, complex) or entry.dtype in COMPLEX
        return promoted(dtype, "complex64") if complex_step else dtype
    if "int" in str(entry.dtype):
        return dtype
    return promoted(dtype, str(entry.dtype))


def grid(backend: Backend, entry: Entry, axis: int) -> Any:
    if entry.dtype is None:
        return oracle.steps(axis, entry.value)
    stored = backend.tolist(entry.value)
    if entry.kind == "step":
        return oracle.steps(axis, stored)
    if entry.kind == "coordinates":
        return oracle.along(axis, stored)
    return oracle.per_point(stored)


def is_comparable(backend: Backend, call: Call, result: Any) -> bool:
    """Tell whether the steps of a call are normal numbers after rounding."""
    _, lowest = FORMATS[REAL_OF.get(result, result)]
    least = 2.0 ** max(lowest, -126)
    for axis, one in zip(call.dims, call.entries, strict=True):
        if one.dtype is None:
            continue
        stored = backend.tolist(one.value)
        x = list(oracle.flat(stored))
        gaps = [abs(a - b) for a, b in itertools.pairwise(x)]
        if one.kind == "step":
            usable = least <= abs(x[0]) <= 1 / least
        elif one.kind == "coordinates":
            usable = len(set(x)) == len(x) and min(gaps) >= least
        else:
            usable = not (
                any(0 < gap < least for gap in gaps) or _has_repeats(stored, axis)
            )
        # Some became infinite in their dtype.
        if not usable or not all(map(oracle.is_finite, x)):
            return False
    return True


def _has_repeats(values: Any, axis: int) -> bool:
    shape = oracle.shape_of(values)
    return any(
        oracle.at(values, i)
        == oracle.at(values, (*i[:axis], i[axis] + 1, *i[axis + 1 :]))
        for i in itertools.product(
            *(range(n - (k == axis)) for k, n in enumerate(shape))
        )
    )


def compare(backend: Backend, call: Call, samples: Any, results: Any) -> bool:
    """Hold results to their exact values; return whether there were any to compare."""
    name = backend.dtype_name(call.f)
    compared = False
    if type(results) is not tuple or len(results) != len(call.dims):
        raise Finding(f"no tuple of {len(call.dims)}: {results!r}")
    for dim, one, result in zip(call.dims, call.entries, results, strict=True):
        wanted = result_dtype(backend, name, one)
        got = backend.dtype_name(result), tuple(result.shape), backend.kind(result)
        if got != (wanted, tuple(call.f.shape), backend.kind(call.f)):
            raise Finding(f"{got} where {wanted} {tuple(call.f.shape)} was wanted")
        if 0 in call.f.shape or not is_comparable(backend, call, wanted):
            continue
        compared = True
        values = list(oracle.flat(backend.tolist(result)))
        check_values(
            backend, values, samples, dim, grid(backend, one, dim), call, wanted
        )
    return compared


def check_values(
    backend: Backend,
    values: list[Any],
    samples: Any,
    dim: int,
    coordinate: Any,
    call: Call,
    dtype: str,
) -> None:
    shape = oracle.shape_of(samples)
    finite = oracle.build(shape, lambda i: _finite(oracle.at(samples, i)))
    given = finite, dim, coordinate, call.edge_order
    exact = oracle.flat(oracle.derivative(*given))
    sizes = oracle.flat(oracle.magnitude(*given))
    real = REAL_OF.get(dtype, dtype)
    digits, lowest = FORMATS[real]
    largest = Fraction(2) ** (1 - lowest) * (1 - Fraction(1, 2**digits))
    # Numbers below the normal ones are rounded to their own grid, or to zero by XLA.
    step = 0 if backend.library == "jax" or lowest > -126 else digits - 1
    floor = Fraction(2) ** (lowest - step)
    uses = list(itertools.product(*map(range, shape)))
    for index, value, target, size in zip(uses, values, exact, sizes, strict=True):
        if _reads_a_hole(samples, index, dim, call):
            continue
        if size >= largest / 8:
            continue  # the sum may overflow before its terms cancel
        limit = 24 * backend.epsilon(dtype) * size + 4 * floor
        if not oracle.agree(value, target, limit):
            shown = complex(target) if target.imag else float(target.real)
            raise Finding(f"{value!r} where {shown!r} was wanted, at {index}")


def _finite(value: Any) -> Any:
    return value if oracle.is_finite(value) else 0


def _reads_a_hole(samples: Any, index: Any, dim: int, call: Call) -> bool:
    i, n = index[dim], oracle.shape_of(samples)[dim]
    reach = range(max(0, i - 1), min(n, i + 2))
    if i == 0:
        reach = range(call.edge_order + 1)
    if i == n - 1:
        reach = range(n - call.edge_order - 1, n)
    points = ((*index[:dim], k, *index[dim + 1 :]) for k in reach)
    return any(not oracle.is_finite(oracle.at(samples, point)) for point in points)


# Invalid calls.

#: Values that are right for nothing, or for one argument only.
ODD = (
    *(None, True, False, 0, -1, 3, 7, 10**400, -(10**30), 0.0, -0.0, 1.5, math.nan),
    *(math.inf, 1e-320, 1e308, 1j, 0j, complex(math.nan, 1), "", "1", "periodic"),
    *(b"x", [], (), [[]], [1, 2], (0, 0), [None], [True], ["a"], {}, {0: 1}, set()),
    *(range(3), object(), int, Ellipsis, slice(None), Decimal(1), Fraction(1, 3)),
    *([1.0] * 9, [[1.0, 2.0]], (1, [2]), NotImplemented, math, lambda: 1),
)


def odd(rng: random.Random, backend: Backend) -> Any:
    """Return something that is seldom right."""
    if rng.random() < 0.6:
        return rng.choice(ODD)
    shape = tuple(rng.choice([0, 1, 2, 3, 5]) for _ in range(rng.randint(0, 3)))
    dtype = rng.choice(backend.dtypes)
    array = backend.asarray(
        oracle.build(shape, lambda _: number(rng, dtype, 1.0)), dtype, shape
    )
    if rng.random() < 0.2:
        array = array == 0
    return rng.choice([array, [array], (array, 1), [array, array]])


def spoilt(rng: random.Random, backend: Backend, call: Call) -> tuple[bool, Any, Any]:
    """Return whether a call is surely invalid, and its samples and keywords."""
    f, keywords = call.f, dict(call.keywords)
    count = len(call.dims)
    sure: list[tuple[Any, dict[str, Any]]] = [
        (f, {**keywords, "edge_order": rng.choice([0, 3, -1, 1.0, True, None, "1"])}),
        (f, {**keywords, "dim": 0, "axis": 0}),
        (f, {"dim": rng.choice([f.ndim, -f.ndim - 1, 10**20])}),
        (f, {"axis": rng.choice([1.0, "0", True, [None], {0}, [[0]]])}),
        (f, {**keywords, "spacing": [1.0] * (count + 1)}),
        (f, {**keywords, "spacing": rng.choice([0, -0.0, math.nan, 0j, math.inf])}),
        (f, {**keywords, "spacing": rng.choice([True, "1", b"", {}, (1,) * 9])}),
        (rng.choice(ODD), keywords),
        (f == 0, keywords),
    ]
    if f.ndim:
        sure.append((f, {"dim": [0, -f.ndim]}))
        sure.append((f, {"spacing": backend.asarray([0.0, 1.0, 2.0])}))
        sure.append((f[: min(1, f.shape[0]), ...], {"dim": 0}))
    if count:
        wrong = backend.asarray([0.0] * (f.shape[call.dims[0]] + 1))
        values = [one.value for one in call.entries]
        sure.append((f, {**keywords, "spacing": [wrong, *values[1:]]}))
        sure.append((f, {**keywords, "spacing": [wrong == 0, *values[1:]]}))
        sure.append((f, {**keywords, "spacing": [None, *values[1:]]}))
    if rng.random() < 0.6:
        return True, *rng.choice(sure)
    for name in rng.sample(["spacing", "dim", "axis", "edge_order"], rng.randint(1, 3)):
        keywords[name] = odd(rng, backend)
    if rng.random() < 0.2:
        f = odd(rng, backend)
    return False, f, keywords


# One call.


def outcome(backend: Backend, f: Any, keywords: dict[str, Any]) -> Any:
    """Return the results, or the error if it is a clear one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", ARITHMETIC, RuntimeWarning)
            return anygrad.gradient(f, **keywords)
    except (TypeError, ValueError, IndexError) as error:
        if type(error) not in (TypeError, ValueError, IndexError) or not CLEAR.match(
            str(error)
        ):
            raise Finding(f"an internal error\n{traceback.format_exc()}") from error
        return error
    except Exception as error:
        raise Finding(f"another error\n{traceback.format_exc()}") from error


def one_call(backend: Backend, seed: int, count: int) -> str:
    """Make one call and judge it; return what it was."""
    rng = random.Random(f"{seed} {backend.id} {count}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numbers that do not fit, on the way in
        call = valid_call(rng, backend)
    try:
        if rng.random() < 0.3:
            sure, f, keywords = spoilt(rng, backend, call)
            result = outcome(backend, f, keywords)
            if isinstance(result, Exception):
                return "refused"
            if sure:
                raise Finding(f"accepted: {shown(backend, f, keywords)}")
            call = call._replace(f=f, keywords=keywords)
            if not isinstance(result, tuple):
                raise Finding("no tuple")
            return "odd and accepted"
        before = everything(backend, call)
        samples = before[0]
        with _workers.set_workers(rng.choice([1, 1, 3])):
            results = outcome(backend, call.f, call.keywords)
        if isinstance(results, Exception):
            if "must be in the range of the dtype" in str(results):
                return "refused"
            raise Finding(f"refused: {results}") from results
        if not same(everything(backend, call), before):
            raise Finding("an argument has changed")
        return "right" if compare(backend, call, samples, results) else "accepted"
    except Finding as finding:
        arguments = shown(backend, call.f, call.keywords)
        raise Finding(f"{arguments}\n{finding}") from finding


def everything(backend: Backend, call: Call) -> list[Any]:
    """Return the values of all arrays of a call."""
    arrays = [one.value for one in call.entries if one.dtype]
    return [backend.tolist(array) for array in (call.f, *arrays)]


def same(first: Any, second: Any) -> bool:
    return repr(first) == repr(second)  # not-a-numbers, too


def shown(backend: Backend, f: Any, keywords: dict[str, Any]) -> str:
    def text(value: Any) -> str:
        if isinstance(value, (list, tuple)):
            return f"[{', '.join(map(text, value))}]"
        if not hasattr(value, "dtype"):
            return repr(value)
        return f"array({backend.tolist(value)!r}, {backend.dtype_name(value)})"

    words = ", ".join(f"{name}={text(value)}" for name, value in keywords.items())
    return f"gradient({text(f)}, {words})"


# Many calls.


def small_blocks(library: str) -> None:
    """Cut arrays into blocks of a few elements, so that there are many."""
    from anygrad._executors import in_numpy, in_torch

    if library == "numpy":
        import numpy

        anygrad.gradient(numpy.arange(3.0))
        in_numpy._blocked[:] = [_cut(in_numpy._blocked[0])]
    if library == "torch":
        import torch

        anygrad.gradient(torch.arange(3.0))
        in_torch._blocked[True] = _cut(in_torch._blocked[True])
    from anygrad import _arguments

    _arguments._plans.clear()  # they know arrays of one block


def _cut(blocked: Any) -> Any:
    verbs = blocked.keywords["verbs"]._replace(block_bytes=128)
    return partial(blocked.func, verbs=verbs)


def fuzz(
    forms: Sequence[Backend], seed: int, seconds: float, numbers: Iterator[int]
) -> tuple[Counter[tuple[str, str]], list[str]]:
    """Call in turn on all forms until the time is over; return counts and findings."""
    counts: Counter[tuple[str, str]] = Counter()
    findings: list[str] = []
    stop = time.monotonic() + seconds
    for count in numbers:
        for backend in forms:
            if time.monotonic() > stop or len(findings) >= 20:
                return counts, findings
            if backend.library == "jax" and count % 8:
                continue  # it compiles every other call
            faulthandler.dump_traceback_later(TOO_LONG, exit=True)
            try:
                with backend.active():
                    result = one_call(backend, seed, count)
            except Finding as finding:
                result = "broken"
                place = f"--seed {seed} --form {backend.id} --only {count}"
                findings.append(f"{place}\n{finding}\n")
                print(findings[-1], flush=True)
            faulthandler.cancel_dump_traceback_later()
            counts[backend.id, result] += 1
    return counts, findings


def chosen(libraries: Sequence[str], ids: Sequence[str]) -> list[Backend]:
    """Return the forms of libraries that are installed, or those named."""
    os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
    if "cupy" in libraries:
        import cupy_on_cpu

        if not cupy_on_cpu.gpu_present():
            cupy_on_cpu.install()
    return [
        form
        for form in BACKENDS
        if is_installed(form.library)
        and (form.library in libraries if libraries else form.library != "cupy")
        and (not ids or form.id in ids)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(10**6)
    )
    parser.add_argument("--backend", action="append", choices=LIBRARIES, default=[])
    parser.add_argument("--form", action="append", default=[])
    parser.add_argument("--only", type=int, help="the number of one call")
    parser.add_argument("--small-blocks", action="store_true")
    options = parser.parse_args()
    forms = chosen(options.backend, options.form)
    print(f"seed {options.seed}, {', '.join(map(str, forms))}", flush=True)
    if options.small_blocks:
        for library in {form.library for form in forms}:
            small_blocks(library)
    numbers = itertools.count() if options.only is None else iter([options.only])
    counts, findings = fuzz(forms, options.seed, options.seconds, numbers)
    kinds = sorted({kind for _, kind in counts})
    for backend in forms:
        line = ", ".join(f"{counts[backend.id, kind]} {kind}" for kind in kinds)
        print(f"{backend.id}: {line}")
    print(f"{counts.total()} calls, {len(findings)} findings, seed {options.seed}")
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
