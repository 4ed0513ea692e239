"""Calls at random, valid and not, on every form of every library: `nox -s fuzz`.

Each call, of `gradient`, `derivative` or an operator, ends in the exact value, or in an
error that names a parameter; never in another error, a warning, a changed argument or a
crash.  A call is made from the seed, the form and its number alone, so what is printed
of a finding is enough to repeat it:

    python tests/fuzz.py --seed 7 --form torch --only 1234
"""

from __future__ import annotations

import argparse
import faulthandler
import itertools
import os
import random
import re
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import anygrad
from anygrad import _workers
from backends import BACKENDS, LIBRARIES, OPTIONS, Backend, is_installed
from fuzzing.answers import compare
from fuzzing.calls import Call, Finding
from fuzzing.mistakes import spoilt
from fuzzing.valid import valid_call

#: How every message begins: with the parameter that is wrong.
CLEAR = re.compile(
    r"^`(input|spacing|dim|axis|edge_order|accuracy|boundary|where|stack_dim|order"
    r"|vector_dim)(\[\d+\])?`"
)
#: What NumPy says where a result leaves the range of its dtype, or a sample is none.
ARITHMETIC = r"(overflow|underflow|invalid value|divide by zero) encountered"
#: After so many seconds a call hangs, and the process ends with a traceback.
TOO_LONG = 120


# One call.


def outcome(function: str, f: Any, keywords: dict[str, Any]) -> Any:
    """Return the results, or the error if it is a clear one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", ARITHMETIC, RuntimeWarning)
            return getattr(anygrad, function)(f, **keywords)
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
            with backend.current_device(call.f):
                sure, f, keywords = spoilt(rng, backend, call)
            call = call._replace(f=f, keywords=keywords)
            result = outcome(call.function, f, keywords)
            if isinstance(result, Exception):
                return "refused"
            if sure:
                raise Finding("accepted")
            is_tuple = call.function == "gradient" and keywords.get("stack_dim") is None
            if isinstance(result, tuple) != is_tuple:
                raise Finding(f"{type(result).__name__}")
            return "odd and accepted"
        before = everything(backend, call)
        samples = before[0]
        with _workers.set_workers(rng.choice([1, 1, 3])):
            results = outcome(call.function, call.f, call.keywords)
        if isinstance(results, Exception):
            if "must be in the range of the dtype" in str(results):
                return "refused"
            raise Finding(f"refused: {results}") from results
        if not same(everything(backend, call), before):
            raise Finding("an argument has changed")
        return "right" if compare(backend, call, samples, results) else "accepted"
    except Finding as finding:
        arguments = shown(backend, call.function, call.f, call.keywords)
        raise Finding(f"{arguments}\n{finding}") from finding


def everything(backend: Backend, call: Call) -> list[Any]:
    """Return the values of all arrays of a call."""
    arrays = [one.value for one in call.entries if one.dtype]
    where = call.keywords.get("where")
    arrays += [] if where is None else [where]
    return [backend.tolist(array) for array in (call.f, *arrays)]


def same(first: Any, second: Any) -> bool:
    return repr(first) == repr(second)  # not-a-numbers, too


def shown(backend: Backend, function: str, f: Any, keywords: dict[str, Any]) -> str:
    def text(value: Any) -> str:
        if isinstance(value, (list, tuple)):
            left, right = "[]" if isinstance(value, list) else "()"
            return f"{left}{', '.join(map(text, value))},{right}"
        if not hasattr(value, "dtype"):
            return repr(value)
        return f"array({backend.tolist(value)!r}, {backend.dtype_name(value)})"

    words = ", ".join(f"{name}={text(value)}" for name, value in keywords.items())
    return f"{function}({text(f)}, {words})"


# Many calls.


def small_blocks(library: str) -> None:
    """Cut arrays into blocks of a few elements, so that there are many."""
    from anygrad import _records
    from anygrad._executors import in_numpy, in_torch
    from anygrad._executors.played import blocks, forms

    forms.MOST_UNRECORDED = _records.MOST_UNPREPARED = -1
    blocks.SHORT_AXIS = 4  # the ends of longer ones may be left to blocks of their own
    in_numpy.LEAST_IN_ONE_PASS = in_torch.LEAST_IN_ONE_PASS = 0
    if library == "numpy":
        in_numpy.LEAST_SHARED = 0
        cut = _cut(in_numpy._ops())
        in_numpy._ops = lambda: cut
    if library == "torch":
        of_torch = _cut(in_torch._ops(True))
        in_torch._in_numpy = lambda: None  # else NumPy has them
        in_torch._ops = lambda on_cpu: of_torch


def _cut(ops: Any) -> Any:
    return ops._replace(block_bytes=128, scratch_bytes=128)


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
        and form.option in (libraries or set(LIBRARIES) - {"cupy"})
        and (not ids or form.id in ids)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(10**6)
    )
    parser.add_argument("--backend", action="append", choices=OPTIONS, default=[])
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
