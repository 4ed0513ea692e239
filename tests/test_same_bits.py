"""The same bits, whichever executor runs: those of the agnostic run, over all calls.

Complex numbers are left out, which libraries multiply and divide in ways of their own,
and JAX, whose compiler contracts products and sums.
"""

from __future__ import annotations

import random
import warnings
from typing import Any

import pytest

import anygrad
import fuzz
from anygrad import _agnostic, _records
from backends import Backend
from dtypes import COMPLEX
from fuzzing.valid import valid_call
from planning import plan_of

pytestmark = pytest.mark.forms(
    *("numpy", "numpy-read-only", "numpy-Fortran", "numpy-reversed"),
    *("torch", "dask-uneven", "cupy"),
)

#: So many calls are made of each form.
CALLS = 60


@pytest.fixture(autouse=True)
def prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no small call run as it is compared with."""
    monkeypatch.setattr(_records, "MOST_UNPREPARED", -1)


def bits(backend: Backend, array: Any) -> Any:
    """Return what tells numbers apart: zeros of either sign, too, but no NaN."""
    with warnings.catch_warnings():  # where arrays are lazy, this computes them
        warnings.filterwarnings("ignore", fuzz.ARITHMETIC, RuntimeWarning)
        return repr(backend.tolist(array))


def random_call(backend: Backend, number: int) -> Any:
    """Return a valid call of real numbers, or None."""
    rng = random.Random(f"bits {backend.id} {number}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numbers that do not fit, on the way in
        call = valid_call(rng, backend)
    dtypes = [backend.dtype_name(call.f)]
    dtypes += [one.dtype for one in call.entries if one.dtype]
    steps = [one.value for one in call.entries if not one.dtype]
    if {*COMPLEX} & {*dtypes} or any(isinstance(step, complex) for step in steps):
        return None
    return call


def agnostic(backend: Backend, call: Any) -> tuple[Any, ...]:
    with backend.current_device(call.f), warnings.catch_warnings():
        warnings.filterwarnings("ignore", fuzz.ARITHMETIC, RuntimeWarning)
        plan = plan_of(call.function, call.f, **call.keywords)
        return _agnostic.run(call.f, plan, plan.namespace)


def on_cpu(value: Any) -> Any:
    """Return what a call of torch's is given, with its tensors on the CPU."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(on_cpu, value))
    return value.cpu() if hasattr(value, "cpu") else value


def assert_same(backend: Backend, call: Any, results: Any) -> None:
    """On a GPU, torch multiplies by reciprocals of numbers; kernels divide by them."""
    results = results if isinstance(results, tuple) else (results,)
    wanted = [agnostic(backend, call)]
    if backend.gpu:
        keywords = {name: on_cpu(value) for name, value in call.keywords.items()}
        there = call._replace(f=on_cpu(call.f), keywords=keywords)
        wanted.append(agnostic(backend, there))
    for result, *targets in zip(results, *wanted, strict=True):
        assert result.dtype == targets[0].dtype
        assert bits(backend, result) in [bits(backend, one) for one in targets], (
            fuzz.shown(backend, call.function, call.f, call.keywords)
        )


@pytest.mark.parametrize("part", range(2))
def test_any_call(backend: Backend, part: int) -> None:
    """In blocks, in chunks, by kernels, in any order of memory, on any threads."""
    tried = 0
    for number in range(part, CALLS, 2):
        call = random_call(backend, number)
        if call is None:
            continue
        again = backend.library in ("numpy", "torch")  # by what calls have kept
        for _ in range(3 if again else 1):
            with anygrad.set_workers(1 + number % 3):
                result = fuzz.outcome(call.function, call.f, call.keywords)
            if isinstance(result, Exception):  # a step that fits no dtype
                break
            assert_same(backend, call, result)
        else:
            tried += 1
    assert tried > CALLS // 6


def test_chunks_have_no_say(dask: Any, numpy: Any) -> None:
    """However samples and coordinates are cut."""
    import dask.array as da

    samples = numpy.random.default_rng(2).normal(size=(23, 19))
    x = numpy.cumsum(numpy.random.default_rng(3).random(23) + 0.1)
    for name, keywords in (
        ("gradient", {"spacing": [x, 0.3]}),
        ("derivative", {"dim": 0, "spacing": x, "accuracy": 4, "order": 2}),
        ("laplacian", {"spacing": [x, 0.3]}),
        ("hessian", {"accuracy": 4}),
    ):
        function = getattr(anygrad, name)
        expected = function(samples, **keywords)
        expected = expected if isinstance(expected, tuple) else (expected,)
        for chunks in ((23, 19), (7, 5), (9, (1, 12, 6)), ((1, 1, 21), 19)):
            ours = function(da.from_array(samples, chunks=chunks), **keywords)
            ours = ours if isinstance(ours, tuple) else (ours,)
            for one, other in zip(ours, expected, strict=True):
                numpy.testing.assert_array_equal(one.compute(), other)
