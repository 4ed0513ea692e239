"""The same call again, and again: things are prepared in the second and the third."""

from __future__ import annotations

import gc
import sysconfig
import tracemalloc
import weakref
from typing import Any

import pytest

import anygrad
from anygrad._kept import Met
from backends import Backend

pytestmark = pytest.mark.usefixtures("kept_at_once")

TIMES = 4


class Movable:
    """An object that counts as an int, and not always as the same."""

    number = 0

    def __index__(self) -> int:
        return self.number


class Odd(float):
    """A number with something that is called a dtype."""

    dtype = "odd"


class Alike(float):
    """A number that calls all others equal."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


class Alone(float):
    """A number that is compared with its own kind only, as some of SymPy's are."""

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, Alone)
        return float(self) == float(other)

    __hash__ = float.__hash__


@pytest.mark.parametrize("number", [Alike, Alone])
def test_steps_with_an_equality_of_their_own(number: Any, library: Backend) -> None:
    f = library.asarray([0.0, 8.0, 16.0])
    for step in (2.0, number(2.0), Odd(4.0), number(4.0), 4.0, number(8.0), 2.0):
        (result,) = anygrad.gradient(f, spacing=step)
        assert library.tolist(result) == [8.0 / float(step)] * 3
        (result,) = anygrad.gradient(f, spacing=[step])
        assert library.tolist(result) == [8.0 / float(step)] * 3


def test_a_step_of_no_dims_is_not_looked_at(library: Backend) -> None:
    """Nor is it kept alive."""
    f, step = library.asarray([[1.0, 2.0]]), library.asarray(2.0)
    for _ in range(TIMES):
        assert anygrad.gradient(f, spacing=step, dim=[]) == ()


@pytest.mark.parametrize("shape", [(0, 2, 1), (0, 2), (2, 0, 2), (3, 0, 70, 70)])
def test_no_samples_at_all(library: Backend, shape: tuple[int, ...]) -> None:
    """What is prepared for them has no length that is less than none."""
    dim, f = shape.index(max(shape)), library.asarray([0] * 2, "int8")[:0]
    f = library.xp.reshape(f, shape)
    x = library.asarray([float(k) for k in range(shape[dim])])
    for spacing in (1, 0.5, [x]):
        for boundary in ("one_sided", "edge"):
            for _ in range(TIMES):
                (result,) = anygrad.gradient(
                    f, spacing=spacing, boundary=boundary, dim=dim
                )
                assert tuple(result.shape) == shape


#: One of them changes, both do, they are equal, unusual, or whole numbers.
STEPS = (
    [0.5, 0.25],
    [4.0, 0.25],
    [4.0, 8.0],
    [8.0, 8.0],
    [8.0, 1.0],
    [-8.0, 2],
    [-8.0, 2.0],
    [2.0**-140, 2.0],
    [2.0, 2.0**-140],
    [2.0, 4.0],
    (2.0, 4.0),
    16.0,
    [16.0, 4.0],
)


def test_steps_of_which_some_change(library: Backend) -> None:
    """The formulas of the others come from the call before."""
    f = library.asarray([[0.0, 8.0, 16.0], [32.0, 40.0, 48.0], [64.0, 72.0, 80.0]])
    for steps in (*STEPS, *reversed(STEPS)):
        first, last = steps if isinstance(steps, (list, tuple)) else (steps, steps)
        along_first, along_last = anygrad.gradient(f, spacing=steps)
        if abs(first) > 1e-30:
            assert library.tolist(along_first) == [[32.0 / first] * 3] * 3
        if abs(last) > 1e-30:
            assert library.tolist(along_last) == [[8.0 / last] * 3] * 3


def test_a_tensor_without_values_as_a_step_of_no_dims(torch: Any) -> None:
    f, step = (torch.ones(shape, device="meta") for shape in (3, ()))
    for _ in range(TIMES):
        assert anygrad.gradient(f, spacing=step, dim=[]) == ()
    alive = weakref.ref(step)
    del step
    gc.collect()
    assert alive() is None


def test_a_lazy_step_of_no_dims(dask: Any) -> None:
    import dask.array

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("something is computed")

    step = dask.array.ones((), chunks=())
    with dask.config.set(scheduler=fail):
        for _ in range(TIMES):
            assert anygrad.gradient(dask.array.ones(3), spacing=step, dim=[]) == ()


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of the strict one
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_infinities(library: Backend, dtype: str) -> None:
    """The part that is finite stays finite at the edge, where nothing is scaled."""
    if dtype not in library.dtypes:
        return
    values = [complex("inf"), 2 + 1j, 3 + 0j, 4 + 0j]
    f = library.asarray(values, dtype)
    results = [
        repr(library.tolist(anygrad.gradient(f, spacing=0.5)[0])) for _ in range(TIMES)
    ]
    units = [repr(library.tolist(anygrad.gradient(f)[0])) for _ in range(TIMES)]
    assert len(set(results)) == len(set(units)) == 1


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of the strict one
@pytest.mark.parametrize("part", [float("inf"), float("nan")])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_complex_parts_that_are_not_finite(
    library: Backend, part: float, order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What becomes of the other part is the same in the first call of a form."""
    from anygrad._executors.played import forms

    monkeypatch.setattr(forms, "_met", Met())
    monkeypatch.setattr(forms, "_scores", {})
    values = [1 + 2j, 2, complex(0, part), 3 - 1j, -4j, 1, 2, 5]
    f = library.asarray(values, library.complex)
    for accuracy in (2, 4):
        results = [
            anygrad.derivative(f, order=order, accuracy=accuracy, boundary="edge")
            for _ in range(TIMES)
        ]
        assert len({repr(library.tolist(result)) for result in results}) == 1


def test_zeros_of_complex_steps(numpy: Any) -> None:
    """A zero beside a step has a sign, which is in the result."""
    f = numpy.asarray([0.0, 0, -1, -1, 2]) * 1j
    for steps in ((2 + 0j, complex(2, -0.0)), (complex(2, -0.0), 2 + 0j)):
        for step in (1j, *steps * 2):
            got = anygrad.derivative(f, spacing=step)
            alone = anygrad.derivative(f, spacing=numpy.asarray(step))
            assert got.tobytes() == alone.tobytes()


def test_an_index_that_changes(library: Backend) -> None:
    f, dim = (
        library.asarray([[0.0, 1.0, 4.0], [2.0, 5.0, 1.0], [3.0, 0.0, 7.0]]),
        Movable(),
    )
    for _ in range(TIMES):
        for dim.number in (0, 1):
            got = anygrad.derivative(f, dim=dim)
            wanted = anygrad.derivative(f, dim=int(dim.number))
            assert library.tolist(got) == library.tolist(wanted)


def test_a_number_with_an_odd_dtype(library: Backend) -> None:
    f = library.asarray([0.0, 1.0, 4.0])
    for _ in range(TIMES):
        (got,) = anygrad.gradient(f, spacing=Odd(0.5))
        assert library.tolist(got) == [2, 4, 6]


def test_plans_without_dims_are_counted(
    numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what they hold: at most twice as much as is counted.

    Without Python's lock, objects are larger.
    """
    from anygrad import _kept

    times = 3 if sysconfig.get_config_var("Py_GIL_DISABLED") else 2

    monkeypatch.setattr(_kept, "MOST_BYTES", 2**15)
    fs = [numpy.zeros(n) for n in range(20_000, 21_000)]
    anygrad.gradient(fs[0], dim=[])
    tracemalloc.start()
    try:
        for f in fs:
            anygrad.gradient(f, dim=[])
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < times * 2**15
